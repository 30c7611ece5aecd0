package simulator

import (
	"net/http"
	"net/url"
)

// HTTPClient returns a client that brings whatsmeow to the simulator at this websocket URL: whatsmeow's own address is
// a constant, so the transport names another host and leaves TLS out. It is for whatsmeow's SetWebsocketHTTPClient and
// SetPreLoginHTTPClient; one is enough for all clients of a process.
func HTTPClient(websocket string) (*http.Client, error) {
	target, err := url.Parse(websocket)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &redirect{host: target.Host, next: &http.Transport{}}}, nil
}

type redirect struct {
	host string
	next http.RoundTripper
}

func (t *redirect) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", t.host, t.host
	return t.next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the real transport.
func (t *redirect) CloseIdleConnections() {
	if next, ok := t.next.(*http.Transport); ok {
		next.CloseIdleConnections()
	}
}
