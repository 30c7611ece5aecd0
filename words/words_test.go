package words_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"flowhq/words"
)

// read gives a locale file's sentences by key; both forms of a plural are one text.
func read(t *testing.T, lang string) map[string]string {
	t.Helper()
	var file map[string]any
	if _, err := toml.DecodeFile("locales/"+lang+".toml", &file); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case string:
			out[prefix] = v
		case map[string]any:
			if other, ok := v["other"].(string); ok {
				one, _ := v["one"].(string)
				if one == "" {
					t.Errorf("%s in %s: a plural needs one and other", prefix, lang)
				}
				out[prefix] = one + " | " + other
				return
			}
			for name, inner := range v {
				walk(strings.TrimPrefix(prefix+"."+name, "."), inner)
			}
		}
	}
	walk("", file)
	return out
}

var blank = regexp.MustCompile(`\{\{\.\w+\}\}`)

func TestBothLanguagesSayTheSame(t *testing.T) {
	sw, en := read(t, "sw"), read(t, "en")
	if len(sw) < 200 {
		t.Fatalf("only %d keys are read", len(sw))
	}
	for key, text := range sw {
		other, ok := en[key]
		switch {
		case !ok:
			t.Errorf("%s is missing in English", key)
		case strings.TrimSpace(text) == "" || strings.TrimSpace(other) == "":
			t.Errorf("%s is empty", key)
		default:
			mine, theirs := blank.FindAllString(text, -1), blank.FindAllString(other, -1)
			slices.Sort(mine)
			slices.Sort(theirs)
			if !slices.Equal(slices.Compact(mine), slices.Compact(theirs)) && !(strings.HasPrefix(key, "refusal.") && len(mine) == 0) { // a refusal may leave out what it cannot translate
				t.Errorf("%s has the blanks %v in Swahili and %v in English", key, mine, theirs)
			}
		}
	}
	for key := range en {
		if _, ok := sw[key]; !ok {
			t.Errorf("%s is missing in Swahili", key)
		}
	}
}

// How sources name keys: whole ones, and groups to which a value is added.
var (
	wholeKey = regexp.MustCompile(`"([a-z]+(?:\.[A-Za-z0-9_]+)+)"`)
	groupKey = regexp.MustCompile(`"([a-z]+\.(?:[A-Za-z0-9_]+\.)*)"`)
	calls    = regexp.MustCompile(`\bt \$?\.?[A-Za-z.]*(?:Lang|lang) "([^"]+)"|words\.T\([^"()]*(?:\([^()]*\))?[^"()]*, "([^"]+)"[,)]`)
)

// A key that a source names must exist, and one that exists must be named. Of the groups that sources complete with a value,
// the tests of those sources know the values.
func TestEveryKeyExistsAndIsUsed(t *testing.T) {
	en := read(t, "en")
	used, groups := map[string]bool{}, map[string]bool{"js.": true, "refusal.": true} // those two are read as a whole
	seen, sources := 0, strings.Builder{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "data" || d.Name() == "data-demo" || strings.HasPrefix(d.Name(), ".") && path != "..") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".html") && !strings.HasSuffix(path, ".js") {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		source := string(raw)
		sources.WriteString(source)
		for _, m := range wholeKey.FindAllStringSubmatch(source, -1) {
			used[m[1]] = true
		}
		for _, m := range groupKey.FindAllStringSubmatch(source, -1) {
			groups[m[1]] = true
		}
		for _, m := range calls.FindAllStringSubmatch(source, -1) {
			key := m[1] + m[2]
			if _, ok := en[key]; !ok && !strings.HasSuffix(key, ".") {
				t.Errorf("%s asks for %q, which no locale file has", path, key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 || len(used) < 100 {
		t.Fatalf("only %d files and %d keys seen: the walk is broken", seen, len(used))
	}
	for key := range en {
		inGroup := false
		for group := range groups {
			inGroup = inGroup || strings.HasPrefix(key, group)
		}
		if !used[key] && !inGroup {
			t.Errorf("%s is used nowhere", key)
		}
		if name, ok := strings.CutPrefix(key, "js."); ok && !strings.Contains(sources.String(), "words."+name) {
			t.Errorf("%s is used in no script", key)
		}
	}
	// A refusal is worded where it is decided; the locale files repeat that sentence.
	for key, text := range en {
		if !strings.HasPrefix(key, "refusal.") {
			continue
		}
		for _, part := range strings.Split(text, "{{.x}}") {
			part = strings.TrimSuffix(strings.TrimSpace(part), ".")
			if !strings.Contains(strings.ToLower(sources.String()), strings.ToLower(part)) {
				t.Errorf("%s translates %q, which no source says", key, part)
			}
		}
	}
}

func TestT(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{words.T("sw", "nav.home"), "Nyumbani"}, {words.T("en", "nav.home"), "Home"}, {words.T("EN", "nav.home"), "Home"}, {words.T("", "nav.home"), "Nyumbani"},
		{words.T("en", "wait.seconds", "count", 1), "1 second"}, {words.T("en", "wait.seconds", "count", 7), "7 seconds"},
		{words.T("sw", "ago.min", "count", 1), "dk 1 iliyopita"}, {words.T("sw", "ago.min", "count", 2), "dk 2 zilizopita"},
		{words.T("sw", "no.such_key"), "no.such_key"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
