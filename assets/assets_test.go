package assets

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, method, path, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	css := URL("css/app.css")
	if !regexp.MustCompile(`^/assets/[0-9a-f]{12}/css/app\.css$`).MatchString(css) {
		t.Fatalf("address of the style sheet: %s", css)
	}
	for _, c := range []struct {
		method, path, encoding string
		status                 int
		ctype, encoded         string
	}{
		{"GET", css, "gzip, br", 200, "text/css; charset=utf-8", "gzip"},
		{"GET", css, "", 200, "text/css; charset=utf-8", ""},
		{"HEAD", css, "gzip", 200, "text/css; charset=utf-8", "gzip"},
		{"GET", URL("js/app.js"), "gzip", 200, "text/javascript; charset=utf-8", "gzip"},
		{"GET", URL("icons/sprite.svg"), "gzip", 200, "image/svg+xml", "gzip"},
		{"GET", URL("fonts/inter-latin.woff2"), "gzip", 200, "font/woff2", ""},
		{"GET", "/assets/000000000000/css/app.css", "gzip", 404, "", ""},
		{"GET", css + "x", "gzip", 404, "", ""},
		{"GET", strings.TrimSuffix(css, "app.css") + "../../assets.go", "gzip", 404, "", ""},
		{"POST", css, "gzip", 404, "", ""},
	} {
		res := get(t, c.method, c.path, c.encoding)
		if res.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, res.StatusCode, c.status)
			continue
		}
		if c.status != 200 {
			continue
		}
		if got := res.Header.Get("Content-Type"); got != c.ctype {
			t.Errorf("%s: type %q, want %q", c.path, got, c.ctype)
		}
		if got := res.Header.Get("Content-Encoding"); got != c.encoded {
			t.Errorf("%s: encoding %q, want %q", c.path, got, c.encoded)
		}
		if got := res.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: cache %q", c.path, got)
		}
	}
}

func TestStyleSheetHoldsAllLayersInOrder(t *testing.T) {
	z, err := gzip.NewReader(get(t, "GET", URL("css/app.css"), "gzip").Body)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, layer := range []string{"@layer tokens, base, layout, components, utilities;", "@layer tokens {", "@layer base {", "@layer layout {", "@layer components {", "@layer utilities {"} {
		at := strings.Index(string(raw), layer)
		if at <= last {
			t.Errorf("%q is missing or out of order", layer)
		}
		last = at
	}
	for _, ref := range regexp.MustCompile(`url\("\.\./([^"]+)"\)`).FindAllStringSubmatch(string(raw), -1) {
		URL(ref[1]) // panics for a file that is not there
	}
}

// Only the tokens name colours and radii, so the look is one file.
func TestOnlyTokensNameColours(t *testing.T) {
	colour := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(|border-radius: \d`)
	for _, name := range layers[1:] {
		raw, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := colour.FindString(string(raw)); found != "" {
			t.Errorf("%s says %s itself; give it a token", name, found)
		}
	}
}

// A phone on a slow line loads these before it shows anything.
func TestFirstLoadStaysSmall(t *testing.T) {
	const limit = 50_000 // bytes, compressed, without fonts; pages add up to 20 kB
	total := 0
	for _, name := range []string{"css/app.css", "js/theme.js", "js/live.js", "js/app.js", "vendor/htmx.min.js", "vendor/htmx-sse.min.js", "icons/sprite.svg", "logo.svg"} {
		n := len(load().files[name].gz)
		t.Logf("%6d %s", n, name)
		total += n
	}
	if total > limit {
		t.Errorf("the first load is %d bytes, limit %d", total, limit)
	}
}

func TestUnknownNamePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a name that does not exist got an address")
		}
	}()
	URL("css/none.css")
}
