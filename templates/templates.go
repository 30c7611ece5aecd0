// Package templates holds the HTML of every page and fragment. A page is a file of its own that
// includes a top and a bottom partial (the engine's layouts race, so none is used); what htmx or a
// stream renders alone lives in fragments/. The data are the view structs of package routes.
package templates

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/template/html/v2"

	"flowhq/templates/words"
)

//go:embed *.html admin demo fragments partials portal
var files embed.FS

// Engine parses every template and fails on the first that does not parse. assetURL gives the
// address of an asset by its name.
func Engine(assetURL func(string) string) (*html.Engine, error) {
	engine := html.NewFileSystem(http.FS(files), ".html")
	engine.AddFunc("asset", assetURL)
	icon := iconFunc(assetURL)
	engine.AddFunc("icon", icon)
	engine.AddFunc("row", rowFunc(icon))
	engine.AddFunc("cell", cellFunc(icon))
	engine.AddFunc("side", sideFunc(icon))
	engine.AddFunc("ago", agoTag)
	engine.AddFunc("at", func(t time.Time) template.HTML { return whenTag(words.English, t) })
	engine.AddFunc("when", whenTag)
	engine.AddFunc("t", words.T)
	engine.AddFunc("jswords", scriptWords)
	engine.AddFunc("retry", retryTag)
	engine.AddFunc("clock", func(t time.Time) template.HTML { return hourTag(words.English, t) })
	engine.AddFunc("hour", hourTag)
	engine.AddFunc("day", dayTag)
	engine.AddFunc("unixms", unixMilli)
	engine.AddFunc("nowms", func() int64 { return time.Now().UnixMilli() })
	engine.AddFunc("phone", Phone)
	engine.AddFunc("qrsrc", qrSource)
	engine.AddFunc("rich", Rich)
	if err := engine.Load(); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	// A template is escaped when it is first executed, which the engine's copy of it for each rendering must not meet. What it says
	// without data matters to nobody.
	for _, t := range engine.Templates.Templates() {
		_ = t.Execute(io.Discard, nil)
	}
	return engine, nil
}

// iconFunc draws a symbol of the sprite. It is decoration: the words stand beside it.
func iconFunc(assetURL func(string) string) func(string) template.HTML {
	sprite := template.HTMLEscapeString(assetURL("icons/sprite.svg"))
	return func(name string) template.HTML {
		return template.HTML(`<svg class="icon" aria-hidden="true" focusable="false"><use href="` +
			sprite + `#` + template.HTMLEscapeString(name) + `"/></svg>`)
	}
}

// agoTag is a time as people say it ("3 min ago"), exact on hover; app.js keeps it fresh. A zero
// time is a dash.
func agoTag(lang string, t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return timeTag(lang, t, "data-ago", words.Ago(lang, t, time.Now()))
}

// whenTag is a date and time; app.js shows it in the reader's own zone.
func whenTag(lang string, t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return timeTag(lang, t, "data-at", words.DateTime(lang, t.UTC())+" UTC")
}

// retryTag says how many seconds to wait; app.js counts them down.
func retryTag(lang string, seconds int) template.HTML {
	const blank = "#"
	sentence := template.HTMLEscapeString(words.T(lang, "error.retry", "seconds", blank))
	number := fmt.Sprintf(`<span class="num" data-countdown="%d">%d</span>`, seconds, seconds)
	return template.HTML(strings.Replace(sentence, blank, number, 1))
}

// scriptWords are what app.js says, as JSON, made once for each language. It fills in the number of a distance where the % stands. The names of months and
// days are ours: many browsers have none in Swahili.
func scriptWords(lang string) (string, error) {
	if made, ok := madeScriptWords.Load(lang); ok {
		return made.(string), nil
	}
	say := words.Group(lang, "js")
	var months, days []string
	for m := time.January; m <= time.December; m++ {
		months = append(months, words.Month(lang, m))
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		days = append(days, words.Weekday(lang, d))
	}
	say["months"], say["days"] = strings.Join(months, " "), strings.Join(days, " ")
	say["ago_now"] = words.T(lang, "ago.now")
	for _, unit := range []string{"min", "h", "d"} {
		say["ago_"+unit+"_one"] = strings.Replace(words.T(lang, "ago."+unit, "count", 1), "1", "%", 1)
		say["ago_"+unit+"_many"] = strings.Replace(words.T(lang, "ago."+unit, "count", 2), "2", "%", 1)
	}
	raw, err := json.Marshal(say)
	if err == nil {
		madeScriptWords.Store(lang, string(raw))
	}
	return string(raw), err
}

var madeScriptWords sync.Map // language to JSON; the words are constants

// momentTag is a time to the second, for pages in English; app.js shows it in the reader's own zone.
func momentTag(t time.Time) template.HTML {
	return timeTag(words.English, t, "data-moment", t.UTC().Format("2 Jan, 15:04:05")+" UTC")
}

// hourTag is a time of day; app.js shows it in the reader's own zone.
func hourTag(lang string, t time.Time) template.HTML {
	return timeTag(lang, t, "data-clock", t.UTC().Format("15:04"))
}

// dayTag is a day by its midnight, as people say it; app.js notices when today becomes yesterday.
func dayTag(lang string, t time.Time) template.HTML {
	text, now := words.Date(lang, t), time.Now().In(t.Location())
	for back, key := range []string{"js.today", "js.yesterday"} {
		if day := now.AddDate(0, 0, -back); day.Year() == t.Year() && day.YearDay() == t.YearDay() {
			text = words.T(lang, key)
		}
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-day>%s</time>`, t.Format("2006-01-02"), template.HTMLEscapeString(text)))
}

func timeTag(lang string, t time.Time, attr, text string) template.HTML {
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s" %s>%s</time>`, t.Format(time.RFC3339),
		words.Exact(lang, t), attr, template.HTMLEscapeString(text)))
}

func unixMilli(t time.Time) int64 { return t.UnixMilli() }

// Phone groups an E.164 number for reading: +255 712 345 678. Other text stays as it is.
func Phone(number string) string {
	digits, ok := strings.CutPrefix(number, "+")
	if !ok || len(digits) < 8 || strings.Trim(digits, "0123456789") != "" {
		return number
	}
	country := 3
	switch digits[0] {
	case '1', '7':
		country = 1
	case '2':
		if digits[:2] == "20" || digits[:2] == "27" {
			country = 2
		}
	case '3':
		if !strings.HasPrefix(digits, "35") && !strings.HasPrefix(digits, "37") && !strings.HasPrefix(digits, "38") {
			country = 2
		}
	case '4', '5', '6', '8', '9':
		if !strings.HasPrefix(digits, "42") && !strings.HasPrefix(digits, "59") && !strings.HasPrefix(digits, "67") &&
			!strings.HasPrefix(digits, "85") && !strings.HasPrefix(digits, "96") && !strings.HasPrefix(digits, "97") {
			country = 2
		}
	}
	out, rest := "+"+digits[:country], digits[country:]
	for len(rest) > 4 {
		out, rest = out+"\u00a0"+rest[:3], rest[3:]
	}
	return out + "\u00a0" + rest
}

// Rich shows a message with WhatsApp's marks: *bold*, _italic_ and ~struck~ around words of one
// line. Everything else is escaped text.
func Rich(text string) template.HTML {
	out := template.HTMLEscapeString(text)
	for _, m := range marks {
		out = m.pattern.ReplaceAllString(out, "$1<"+m.tag+">$2</"+m.tag+">")
	}
	return template.HTML(out)
}

// A mark opens after a space or at the start and encloses no space at its edges. The
// later ones do not reach across a tag of the earlier, so tags never overlap.
var marks = []struct {
	pattern *regexp.Regexp
	tag     string
}{
	{regexp.MustCompile(`(^|[\s(])\*([^\s*](?:[^*\n]*[^\s*])?)\*`), "strong"},
	{regexp.MustCompile(`(^|[\s(])_([^\s_<](?:[^_<\n]*[^\s_<])?)_`), "em"},
	{regexp.MustCompile(`(^|[\s(])~([^\s~<](?:[^~<\n]*[^\s~<])?)~`), "s"},
}

// qrSource lets a PNG data URI, and nothing else, through the escaping of addresses.
func qrSource(uri string) template.URL {
	if !strings.HasPrefix(uri, "data:image/png;base64,") {
		return ""
	}
	return template.URL(uri)
}
