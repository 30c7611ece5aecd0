package routes

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"flowhq/bot"
	"flowhq/jobs"
	"flowhq/queries"
)

// localeFile gives the sentences of a language by key; both forms of a plural are one text.
func localeFile(t *testing.T, lang string) map[string]string {
	t.Helper()
	var file map[string]any
	if _, err := toml.DecodeFile("../templates/words/locales/"+lang+".toml", &file); err != nil {
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

// wordSources are the program's sources by their path: what may name a key.
func wordSources(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"testdata", "data", "data-demo", "vendor"}, d.Name())) {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, "_test.go") || !slices.Contains([]string{".go", ".html", ".js"}, filepath.Ext(path)) {
			return nil
		}
		raw, err := os.ReadFile(path)
		out[path] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// wordGroups are the groups whose keys a source completes with a value, and all those values.
func wordGroups(t *testing.T, sources map[string]string) map[string][]string {
	t.Helper()
	named := func(path, expression string) (all []string) {
		for _, m := range regexp.MustCompile(expression).FindAllStringSubmatch(sources[path], -1) {
			all = append(all, m[1])
		}
		if len(all) < 3 {
			t.Fatalf("%s: only %v are found", path, all)
		}
		return all
	}
	values := func(choices []Choice) (all []string) {
		for _, c := range choices {
			all = append(all, c.Value)
		}
		return all
	}
	reasons := named("../routes/reason_view.go", `(?m)^\tReason\w+ *= "(\w+)"`)
	groups := map[string][]string{
		"ago.": {"min", "h", "d"}, "sent.": {"signup", "forgot"}, "role.": {"OWNER", "STAFF"}, "writer.": {"BOT", "PERSON", "API"},
		"day.":            {"mon", "tue", "wed", "thu", "fri", "sat", "sun"},
		"event.":          slices.Collect(maps.Keys(eventLooks)),
		"field.":          named("../jobs/commands_tenant.go", `append\(changed, "(\w+)"`),
		"tick.":           slices.Collect(maps.Keys(tickLooks)),
		"state.tenant.":   slices.Collect(maps.Keys(tenantTones)),
		"state.session.":  slices.Collect(maps.Keys(sessionTones)),
		"state.worker.":   slices.Collect(maps.Keys(workerTones)),
		"business.":       jobs.BusinessKinds,
		"template.":       values(TemplateChoices()),
		"language.":       values(LanguageChoices()),
		"reason.":         reasons,
		"inbox.show.":     inboxShows,
		"pause.":          pauseMinutes,
		"customers.show.": customerShows, "customers.row.": {"new", "changed", "same", "refused"}, "customers.automatic.": {"yes", "no"},
		"customers.col.": {"name", "phone", "labels", "last", "count", "since", "automatic"},
		"numbers.span.":  {"7d", "30d", "12w"}, "numbers.messages.": {"day", "week"}, "numbers.writers.": {"day", "week"},
		"numbers.figure.": {"received", "answered", "customers", "new", "bot_wait", "people_wait"}, "numbers.key.": {"received", "bot", "people", "programs", "customers"},
	}
	for m := range 12 {
		groups["month."] = append(groups["month."], strconv.Itoa(m+1))
	}
	for _, kind := range named("../bot/message.go", `Kind = "(\w+)"`) {
		if kind != string(bot.KindText) && kind != string(bot.KindReaction) { // a reaction is not logged
			groups["kind."] = append(groups["kind."], kind)
		}
	}
	for _, reason := range append(slices.DeleteFunc(slices.Clone(reasons), func(r string) bool { return r == ReasonPairFailed }), portalConnected, portalNew) {
		groups["now."] = append(groups["now."], reason+".headline", reason+".detail")
	}
	for _, template := range []bot.Template{bot.Booking, bot.Ecommerce, bot.Support} {
		for _, section := range bot.Form(template) {
			groups["botpart."] = append(groups["botpart."], section.Key+".title", section.Key+".hint")
			for _, f := range section.Fields {
				groups["botfield."] = append(groups["botfield."], f.Words)
				if f.Kind == bot.FieldRows {
					groups["botadd."] = append(groups["botadd."], f.Words)
				}
				for _, c := range f.Columns {
					groups["botcolumn."] = append(groups["botcolumn."], c.Key)
				}
			}
		}
	}
	groups["botwrong."] = named("../bot/check.go", `Wrong\w+ +Wrong = "(\w+)"`)
	for _, status := range queries.AllSetupRequestStatusValues() {
		groups["setup."] = append(groups["setup."], string(status)+".headline", string(status)+".detail")
	}
	for _, kind := range named("../jobs/mail.go", `(?m)^\tMail\w+ *= "(\w+)"`) {
		groups["mail."] = append(groups["mail."], kind+".subject", kind+".body", kind+".button")
	}
	return groups
}

var (
	wholeKey = regexp.MustCompile(`"([a-z]+(?:\.[A-Za-z0-9_]+)+)"`)
	groupKey = regexp.MustCompile(`"([a-z]+\.(?:[A-Za-z0-9_]+\.)*)"`)
	askedKey = regexp.MustCompile(`\bt \$?\.?[A-Za-z.]*(?:Lang|lang) "([^"]+)"|words\.T\([^"()]*(?:\([^()]*\))?[^"()]*, "([^"]+)"[,)]`)
	jsWord   = regexp.MustCompile(`\bwords\.([a-z]\w*)`)
)

// wordFaults says which keys sources ask for and nobody wrote, and which are written and asked for by nobody.
func wordFaults(sentences, sources map[string]string, groups map[string][]string) (faults []string) {
	used, refused := map[string]bool{}, strings.Builder{}
	miss := func(path, key string) { faults = append(faults, key+" is missing: "+path+" asks for it") }
	firsts := map[string]bool{}
	for key := range sentences {
		first, _, _ := strings.Cut(key, ".")
		firsts[first] = true
	}
	for path, source := range sources {
		refused.WriteString(strings.ToLower(source))
		if filepath.Ext(path) == ".js" {
			for _, m := range jsWord.FindAllStringSubmatch(source, -1) {
				key := "js." + m[1]
				made := m[1] == "months" || m[1] == "days" || strings.HasPrefix(m[1], "ago_") // by scriptWords, of other groups
				if used[key] = true; sentences[key] == "" && !made {
					miss(path, key)
				}
			}
			continue
		}
		for _, m := range wholeKey.FindAllStringSubmatch(source, -1) {
			first, _, _ := strings.Cut(m[1], ".")
			if used[m[1]] = true; sentences[m[1]] == "" && firsts[first] && filepath.Ext(m[1]) != ".html" {
				miss(path, m[1])
			}
		}
		for _, m := range askedKey.FindAllStringSubmatch(source, -1) {
			if key := m[1] + m[2]; strings.Contains(key, ".") && sentences[key] == "" && !strings.HasSuffix(key, ".") && !firsts[strings.Split(key, ".")[0]] {
				miss(path, key)
			}
		}
		for _, m := range groupKey.FindAllStringSubmatch(source, -1) {
			switch values, known := groups[m[1]]; {
			case known:
				for _, v := range values {
					if used[m[1]+v] = true; sentences[m[1]+v] == "" {
						miss(path, m[1]+v)
					}
				}
			case m[1] != "refusal." && firsts[strings.Split(m[1], ".")[0]]:
				faults = append(faults, path+" completes "+m[1]+" with values that wordGroups does not list")
			}
		}
	}
	for key, text := range sentences {
		switch {
		case !strings.HasPrefix(key, "refusal."):
			if !used[key] {
				faults = append(faults, key+" is used nowhere")
			}
		default: // it repeats a sentence that some source refuses with
			for _, part := range strings.Split(text, "{{.x}}") {
				if !strings.Contains(refused.String(), strings.ToLower(strings.TrimSuffix(strings.TrimSpace(part), "."))) {
					faults = append(faults, key+" translates "+part+", which no source says")
				}
			}
		}
	}
	return faults
}

func TestEveryKeyExistsAndIsUsed(t *testing.T) {
	sentences, sources := localeFile(t, "en"), wordSources(t)
	if len(sentences) < 200 || len(sources) < 100 {
		t.Fatalf("only %d sentences and %d sources are read", len(sentences), len(sources))
	}
	groups := wordGroups(t, sources)
	for _, fault := range wordFaults(sentences, sources, groups) {
		t.Error(fault)
	}

	// The test itself finds each kind of fault.
	finds := func(what string, change func(sentences, sources map[string]string)) {
		t.Helper()
		sentences, sources := maps.Clone(sentences), maps.Clone(sources)
		change(sentences, sources)
		for _, fault := range wordFaults(sentences, sources, groups) {
			if strings.Contains(fault, what) {
				return
			}
		}
		t.Errorf("nothing was found wrong with %s", what)
	}
	for _, key := range []string{"nav.home", "event.SESSION_LOCKED", "now.refused.detail", "mail.reset.body", "month.12", "js.gone", "setup.REJECTED.detail"} {
		finds(key+" is missing", func(sentences, _ map[string]string) { delete(sentences, key) })
	}
	for _, key := range []string{"nav.nowhere", "event.NEVER", "now.never.detail", "mail.reset.foot", "month.13", "js.never", "setup.never"} {
		finds(key+" is used nowhere", func(sentences, _ map[string]string) { sentences[key] = "Hello" })
	}
	finds("no source says", func(sentences, _ map[string]string) { sentences["refusal.never"] = "Nobody refuses with this." })
	finds("nav.nowhere is missing", func(_, sources map[string]string) { sources["x.html"] = `{{t .Lang "nav.nowhere"}}` })
	finds("nowhere.at_all is missing", func(_, sources map[string]string) { sources["x.html"] = `{{t $.Page.Lang "nowhere.at_all"}}` })
	finds("gone.nowhere is missing", func(_, sources map[string]string) { sources["x.go"] = `return s.linkGone(c, "gone.nowhere", lang)` })
	finds("wordGroups does not list", func(_, sources map[string]string) { sources["x.go"] = `words.T(lang, "nav."+place)` })
}

var blankInWords = regexp.MustCompile(`\{\{\.\w+\}\}`)

func TestBothLanguagesSayTheSame(t *testing.T) {
	sw, en := localeFile(t, "sw"), localeFile(t, "en")
	for key, text := range sw {
		other, ok := en[key]
		switch {
		case !ok:
			t.Errorf("%s is missing in English", key)
		case strings.TrimSpace(text) == "" || strings.TrimSpace(other) == "":
			t.Errorf("%s is empty", key)
		default:
			mine, theirs := blankInWords.FindAllString(text, -1), blankInWords.FindAllString(other, -1)
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
