package logbook

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	longestText   = 4000  // bytes; a stack is longer, and its beginning tells enough
	longestObject = 16000 // of all attributes together
	hidden        = "[redacted]"
)

// secretName is how attributes are called that nobody may read here.
var secretName = regexp.MustCompile(`(?i)passw|secret|token|authori[sz]ation|cookie|credential|private|api_?key|(^|[_-])(key|qr|code|pin|otp|hash|session|dsn)$`)

// secretText finds secrets inside a text, each with what replaces it: the password of an address, what follows Bearer, the token of a
// link, an API key.
var secretText = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(://[^/\s:@]*):[^/\s@]+@`), "$1:" + hidden + "@"},
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`), "$1 " + hidden},
	{regexp.MustCompile(`(?i)\b(password|passwd|secret|token|api_?key)(["']?\s*[=:]\s*["']?)[^\s"'&,;]+`), "$1$2" + hidden},
	{regexp.MustCompile(`/(setup|invite|verify|reset|email)/[A-Za-z0-9_-]{12,}`), "/$1/" + hidden},
	{regexp.MustCompile(`\bfhq_[A-Za-z0-9_-]{8,}`), hidden},
}

// put adds attributes to an object, with their secrets taken out.
func put(object map[string]any, attrs ...slog.Attr) {
	for _, a := range attrs {
		v := a.Value.Resolve()
		if v.Kind() == slog.KindGroup {
			if a.Key == "" {
				put(object, v.Group()...)
			} else if len(v.Group()) > 0 {
				put(within(object, []string{clean(a.Key)}), v.Group()...)
			}
			continue
		}
		if a.Key != "" {
			object[clean(a.Key)] = value(a.Key, v)
		}
	}
}

func value(key string, v slog.Value) any {
	if secretName.MatchString(key) {
		return hidden
	}
	switch v.Kind() {
	case slog.KindBool:
		return v.Bool()
	case slog.KindInt64:
		return v.Int64()
	case slog.KindUint64:
		return v.Uint64()
	case slog.KindDuration:
		return v.Duration().Round(time.Microsecond).String()
	case slog.KindTime:
		return v.Time().UTC().Format(time.RFC3339Nano)
	case slog.KindAny:
		return anything(v.Any())
	}
	return text(v.String())
}

// anything shows errors and what words itself as their words, and data as they are.
func anything(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case error:
		return text(v.Error())
	case fmt.Stringer:
		return text(fmt.Sprint(v)) // which survives a nil behind the interface
	}
	raw, err := json.Marshal(v)
	var data any
	if err != nil || json.Unmarshal(raw, &data) != nil {
		return text(fmt.Sprint(v))
	}
	return redacted("", data)
}

// redacted goes through data that came as JSON.
func redacted(key string, data any) any {
	if key != "" && secretName.MatchString(key) {
		return hidden
	}
	switch data := data.(type) {
	case map[string]any:
		out := make(map[string]any, len(data))
		for k, v := range data {
			out[clean(k)] = redacted(k, v)
		}
		return out
	case []any:
		for i, v := range data {
			data[i] = redacted("", v)
		}
		return data
	case string:
		return text(data)
	}
	return data
}

// text is what Postgres takes and people may read of a text.
func text(s string) string {
	s = clean(s)
	for _, secret := range secretText {
		s = secret.pattern.ReplaceAllString(s, secret.instead)
	}
	return s
}

// clean cuts what is too long and takes out what is no text to Postgres.
func clean(s string) string {
	if len(s) > longestText {
		cut := longestText
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}

// bounded keeps an entry small, whatever somebody logged.
func bounded(e entry) entry {
	raw, err := json.Marshal(e.Attributes)
	if err != nil || len(raw) > longestObject {
		e.Attributes = map[string]any{"beginning": clean(string(raw)), "note": "These attributes are too long to be kept."}
	}
	return e
}
