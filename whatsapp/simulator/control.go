package simulator

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxBody bounds what a call may send, in bytes.
const maxBody = 1 << 20

// call is one entry of the control API: it returns what to answer as JSON, or an error.
type call struct {
	method, path string
	do           func(s *Server, r *http.Request) (any, error)
}

var calls = []call{
	{"GET", "/healthz", func(s *Server, _ *http.Request) (any, error) {
		return map[string]any{"status": "ok", "url": s.URL(), "uptime_seconds": time.Since(s.started).Seconds()}, nil
	}},
	{"POST", "/scan", func(s *Server, r *http.Request) (any, error) {
		var in struct{ QR, Phone string }
		if err := readJSON(r, &in); err != nil {
			return nil, err
		}
		return s.Scan(r.Context(), in.QR, in.Phone)
	}},
	{"POST", "/link-code", func(s *Server, r *http.Request) (any, error) {
		var in struct{ Phone, Code string }
		if err := readJSON(r, &in); err != nil {
			return nil, err
		}
		return s.LinkCode(r.Context(), in.Phone, in.Code)
	}},
	{"POST", "/send", func(s *Server, r *http.Request) (any, error) {
		var in SendRequest
		if err := readJSON(r, &in); err != nil {
			return nil, err
		}
		id, err := s.Send(r.Context(), in)
		return map[string]string{"id": id}, err
	}},
	{"GET", "/inbox", func(s *Server, r *http.Request) (any, error) {
		contact, since, err := contactAndSince(r, "since")
		if err != nil {
			return nil, err
		}
		return s.Inbox(contact, max(since, 0)), nil
	}},
	{"GET", "/chat", func(s *Server, r *http.Request) (any, error) {
		contact, err := cleanNumber(r.URL.Query().Get("contact"))
		if err != nil {
			return nil, fmt.Errorf("contact: %w", err)
		}
		business, err := cleanNumber(r.URL.Query().Get("business"))
		if err != nil {
			return nil, fmt.Errorf("business: %w", err)
		}
		return s.Chat(contact, business), nil
	}},
	{"GET", "/devices", func(s *Server, _ *http.Request) (any, error) { return s.Devices(), nil }},
	{"GET", "/stats", func(s *Server, _ *http.Request) (any, error) { return s.Stats(), nil }},
	{"GET", "/faults", func(s *Server, _ *http.Request) (any, error) { return s.Faults(), nil }},
	{"POST", "/fault", func(s *Server, r *http.Request) (any, error) {
		var in Fault
		if err := readJSON(r, &in); err != nil {
			return nil, err
		}
		return map[string]string{"status": "ok"}, s.Fault(in)
	}},
	{"POST", "/load", func(s *Server, r *http.Request) (any, error) {
		var in LoadRequest
		if err := readJSON(r, &in); err != nil {
			return nil, err
		}
		if r.URL.Query().Has("wait") { // answer with the report when the run has ended
			return s.Load(r.Context(), in)
		}
		id, err := s.StartLoad(in)
		return map[string]string{"id": id}, err
	}},
	{"GET", "/load", func(s *Server, r *http.Request) (any, error) {
		report, ok := s.LoadReport(r.URL.Query().Get("id"))
		if !ok {
			return nil, fmt.Errorf("no load run has the id %q", r.URL.Query().Get("id"))
		}
		return report, nil
	}},
}

func (s *Server) controlHandler() http.Handler {
	mux := http.NewServeMux()
	allowed := map[string]string{"/root-key": "GET", "/events": "GET"}
	for _, c := range calls {
		mux.HandleFunc(c.method+" "+c.path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			out, err := c.do(s, r)
			if err != nil {
				fail(w, errorStatus(err), err.Error())
				return
			}
			writeJSON(w, http.StatusOK, out)
		})
		if allowed[c.path] != "" {
			allowed[c.path] += ", "
		}
		allowed[c.path] += c.method
	}
	mux.HandleFunc("GET /root-key", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, hex.EncodeToString(s.RootKey()))
	})
	mux.HandleFunc("GET /events", s.streamEvents)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if methods := allowed[r.URL.Path]; methods != "" {
			w.Header().Set("Allow", methods)
			fail(w, http.StatusMethodNotAllowed, r.URL.Path+" takes "+methods)
			return
		}
		fail(w, http.StatusNotFound, "no such call: "+r.URL.Path)
	})
	return sameMachine(mux)
}

// sameMachine keeps web pages out: neither forms of other sites nor names that resolve to loopback get through.
func sameMachine(next http.Handler) http.Handler {
	guarded := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			fail(w, http.StatusForbidden, "the control API answers on loopback addresses only")
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func errorStatus(err error) int {
	switch {
	case errors.Is(err, ErrNoDevice), errors.Is(err, ErrCodeExpired), errors.Is(err, ErrNoLinkRequest):
		return http.StatusConflict
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusGatewayTimeout
	}
	return http.StatusBadRequest
}

func readJSON(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the body is empty; JSON is needed")
		}
		return fmt.Errorf("the body is not the JSON this call takes: %w", err)
	}
	if d.More() {
		return errors.New("the body holds more than one JSON value")
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

// contactAndSince reads a customer's number, which may be empty, and a sequence number, -1 by default.
func contactAndSince(r *http.Request, name string) (contact string, since int64, err error) {
	contact, since = r.URL.Query().Get("contact"), -1
	if contact != "" {
		if contact, err = cleanNumber(contact); err != nil {
			return "", 0, fmt.Errorf("contact: %w", err)
		}
	}
	if text := r.URL.Query().Get(name); text != "" {
		if since, err = strconv.ParseInt(text, 10, 64); err != nil || since < 0 {
			return "", 0, fmt.Errorf("%s: %q is not a sequence number", name, text)
		}
	}
	return contact, since, nil
}

// streamEvents sends events as they happen, and those after a sequence number that a reader names (since, or the
// Last-Event-ID of a browser that reconnects).
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request) {
	contact, since, err := contactAndSince(r, "since")
	if err == nil && r.Header.Get("Last-Event-ID") != "" {
		since, err = strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	old, live, stop := s.events.subscribe(since)
	defer stop()
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	write := func(e Event) bool {
		if contact != "" && e.Contact != contact && e.Contact != "" {
			return true
		}
		raw, err := json.Marshal(e)
		if err != nil {
			return false
		}
		_, err = fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Type, raw)
		return err == nil
	}
	_, _ = io.WriteString(w, ": events\n\n")
	for _, e := range old {
		if !write(e) {
			return
		}
	}
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	for {
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		case e := <-live:
			if !write(e) {
				return
			}
		case <-beat.C:
			if _, err := io.WriteString(w, ": still here\n\n"); err != nil {
				return
			}
		}
	}
}
