package routes

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// description is openapi.json, to check answers against.
type description map[string]any

func newDescription(t *testing.T) description {
	t.Helper()
	var d description
	must(t, json.Unmarshal(openAPI, &d))
	return d
}

// at follows keys, and references on the way.
func (d description) at(node any, keys ...string) any {
	for _, key := range keys {
		members, _ := d.resolve(node).(map[string]any)
		node = members[key] // nil where there is none
	}
	return d.resolve(node)
}

func (d description) resolve(node any) any {
	for {
		m, _ := node.(map[string]any)
		ref, is := m["$ref"].(string)
		if !is {
			return node
		}
		node = map[string]any(d)
		for key := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			node = node.(map[string]any)[key]
		}
		if node == nil {
			panic("openapi.json: nothing at " + ref)
		}
	}
}

var scenarioID = regexp.MustCompile(`^/(tenants|setup-requests)/[^/?]+`)

// check compares an answer with what the description says of it; url is below APIPrefix.
func (d description) check(t *testing.T, method, url string, r reply) {
	t.Helper()
	url, _, _ = strings.Cut(url, "?")
	url = scenarioID.ReplaceAllString(url, "/$1/{id}")
	operation, known := d.at(map[string]any(d), "paths", url, strings.ToLower(method)).(map[string]any)
	if !known {
		if r.status < 400 {
			t.Errorf("%s %s answers %d but is not described", method, url, r.status)
		}
		return
	}
	responses := operation["responses"].(map[string]any)
	response, known := responses[fmt.Sprint(r.status)]
	if !known {
		if r.status < 400 {
			t.Errorf("%s %s: status %d is not described", method, url, r.status)
			return
		}
		response = responses["default"]
	}
	content, has := d.at(response, "content").(map[string]any)
	if !has {
		if len(r.body) > 0 {
			t.Errorf("%s %s: an undescribed body %s", method, url, r.body)
		}
		return
	}
	kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	media, known := content[kind]
	if !known {
		t.Errorf("%s %s: content type %s is not described", method, url, kind)
		return
	}
	var body any
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Errorf("%s %s: %v", method, url, err)
		return
	}
	for _, wrong := range d.compare("", d.at(media, "schema"), body) {
		t.Errorf("%s %s: %s", method, url, wrong)
	}
}

// compare says where a value is not as its schema says. Objects must hold what is described and nothing else.
func (d description) compare(at string, schema, value any) (wrong []string) {
	s := d.resolve(schema).(map[string]any)
	fail := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	types, _ := s["type"].([]any)
	if one, is := s["type"].(string); is {
		types = []any{one}
	}
	actual := map[bool]string{true: "integer", false: "number"}
	var name string
	switch v := value.(type) {
	case nil:
		name = "null"
	case string:
		name = "string"
	case bool:
		name = "boolean"
	case float64:
		name = actual[v == float64(int64(v))]
	case []any:
		name = "array"
	case map[string]any:
		name = "object"
	}
	if !slices.Contains(types, any(name)) {
		fail("is %s, want %v", name, types)
		return wrong
	}
	if enum, has := s["enum"].([]any); has && !slices.Contains(enum, value) {
		fail("%v is none of %v", value, enum)
	}
	switch v := value.(type) {
	case string:
		switch s["format"] {
		case "uuid":
			if _, err := uuid.Parse(v); err != nil {
				fail("%v", err)
			}
		case "date-time":
			if _, err := time.Parse(time.RFC3339, v); err != nil || !strings.HasSuffix(v, "Z") {
				fail("%s is no time in UTC", v)
			}
		}
		if pattern, has := s["pattern"].(string); has && !regexp.MustCompile(pattern).MatchString(v) {
			fail("%s does not match %s", v, pattern)
		}
	case []any:
		for i, item := range v {
			wrong = append(wrong, d.compare(fmt.Sprintf("%s[%d]", at, i), s["items"], item)...)
		}
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		for _, name := range orEmpty(s["required"]) {
			if _, has := v[name.(string)]; !has {
				fail("%s is missing", name)
			}
		}
		for name, item := range v {
			if property, described := properties[name]; described {
				wrong = append(wrong, d.compare(at+"."+name, property, item)...)
			} else if other, is := s["additionalProperties"].(map[string]any); is {
				wrong = append(wrong, d.compare(at+"."+name, other, item)...)
			} else if properties != nil {
				fail("%s is not described", name)
			}
		}
	}
	return wrong
}

func orEmpty(v any) []any { list, _ := v.([]any); return list }

func TestAPIDescriptionListsTheRoutes(t *testing.T) {
	d := newDescription(t)
	var described, routed []string
	for path, item := range d["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
	}
	for _, r := range newAPI(t).server.table() {
		if path, is := strings.CutPrefix(r.path, APIPrefix); is {
			routed = append(routed, r.method+" "+strings.ReplaceAll(path, ":id", "{id}"))
			open := d.at(map[string]any(d), "paths", strings.ReplaceAll(path, ":id", "{id}"), strings.ToLower(r.method), "security")
			if (r.role != apiKey) != (open != nil) {
				t.Errorf("%s %s: the table and the description disagree on who may call it", r.method, r.path)
			}
		}
	}
	slices.Sort(described)
	slices.Sort(routed)
	if !slices.Equal(described, routed) {
		t.Errorf("described:\n%s\nrouted:\n%s", strings.Join(described, "\n"), strings.Join(routed, "\n"))
	}
}

// Every reference leads somewhere, and every schema is used.
func TestAPIDescriptionReferences(t *testing.T) {
	d := newDescription(t)
	used := map[string]bool{}
	var walk func(node any)
	walk = func(node any) {
		switch n := node.(type) {
		case []any:
			for _, item := range n {
				walk(item)
			}
		case map[string]any:
			if ref, is := n["$ref"].(string); is {
				d.resolve(n) // panics where nothing is
				used[ref] = true
			}
			for _, item := range n {
				walk(item)
			}
		}
	}
	walk(map[string]any(d))
	for kind, members := range d["components"].(map[string]any) {
		for name := range members.(map[string]any) {
			if kind != "securitySchemes" && !used["#/components/"+kind+"/"+name] {
				t.Errorf("%s/%s is never used", kind, name)
			}
		}
	}
}
