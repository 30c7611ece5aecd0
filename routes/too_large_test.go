package routes

import (
	"net/http"
	"strings"
	"testing"
)

// A body that is too large is answered, not cut off, however much too large it is.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, size := range []int{1 << 20, 1200 << 10, 5 << 20, 30 << 20} {
		for _, announced := range []bool{true, false} {
			for range 3 {
				req, err := http.NewRequestWithContext(t.Context(), "POST", a.url+path("/tenants"), strings.NewReader(`{"name":"`+strings.Repeat("n", size)+`"}`))
				must(t, err)
				req.Header.Set("Authorization", "Bearer "+a.key)
				req.Header.Set("Content-Type", "application/json")
				if !announced {
					req.ContentLength = -1
				}
				resp, err := a.client.Do(req)
				must(t, err)
				resp.Body.Close()
				if resp.StatusCode != http.StatusRequestEntityTooLarge {
					t.Errorf("%d bytes, announced %v: %d", size, announced, resp.StatusCode)
				}
			}
		}
	}
}
