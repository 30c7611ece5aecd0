// Package words holds every sentence that owners, staff, visitors and mails are told, in Swahili and English: one file per
// language in locales/. The admin's own pages are in English only and keep theirs in their templates.
package words

import (
	"embed"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// The languages of the portal; Swahili is the first choice for whoever has not chosen.
const (
	Swahili = "sw"
	English = "en"
)

// Languages are all of them, the first choice first.
var Languages = []string{Swahili, English}

//go:embed locales
var files embed.FS

// book is everything the locale files say.
type book struct {
	localizers map[string]*i18n.Localizer
	plain      map[string]map[string]string // by language and key: sentences without blanks or plurals, ready to show
	messages   map[string]map[string]*i18n.Message
}

// read parses the files once. They are part of the program, and a test reads them: a broken one is a fault of ours.
var read = sync.OnceValue(func() book {
	b := book{localizers: map[string]*i18n.Localizer{}, plain: map[string]map[string]string{}, messages: map[string]map[string]*i18n.Message{}}
	bundle := i18n.NewBundle(language.Swahili)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	for _, lang := range Languages {
		file, err := bundle.LoadMessageFileFS(files, "locales/"+lang+".toml")
		if err != nil {
			panic(fmt.Sprintf("words: %v", err))
		}
		b.plain[lang], b.messages[lang] = map[string]string{}, map[string]*i18n.Message{}
		for _, m := range file.Messages {
			b.messages[lang][m.ID] = m
			if m.One == "" && !strings.Contains(m.Other, "{{") {
				b.plain[lang][m.ID] = m.Other
			}
		}
	}
	for _, lang := range Languages {
		b.localizers[lang] = i18n.NewLocalizer(bundle, lang)
	}
	return b
})

// T gives the sentence of a key in a language. Blanks are filled from pairs of name and value; the one named count, an int,
// also chooses singular or plural. A key that does not exist is shown as it is; a test finds those.
func T(lang, key string, pairs ...any) string {
	b, lang := read(), Choose(lang)
	if s, ok := b.plain[lang][key]; ok {
		return s
	}
	config := &i18n.LocalizeConfig{MessageID: key}
	if len(pairs) > 0 {
		data := make(map[string]any, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			name, _ := pairs[i].(string)
			data[name] = pairs[i+1]
			if name == "count" {
				config.PluralCount = pairs[i+1]
			}
		}
		config.TemplateData = data
	}
	s, err := b.localizers[lang].Localize(config)
	if err != nil {
		return key
	}
	return s
}

// Has tells whether there is such a key.
func Has(key string) bool { return read().messages[English][key] != nil }

// Choose gives the language for what somebody asked for ("sw", "SW", "en-GB"): English where that was meant, else Swahili.
func Choose(lang string) string {
	if len(lang) >= 2 && strings.EqualFold(lang[:2], English) {
		return English
	}
	return Swahili
}

// Group gives all sentences whose key begins with a group's name, by the rest of the key.
func Group(lang, group string) map[string]string {
	out := map[string]string{}
	for key, s := range read().plain[Choose(lang)] {
		if rest, ok := strings.CutPrefix(key, group+"."); ok {
			out[rest] = s
		}
	}
	return out
}

// refusals are the English sentences of the group refusal, in parts around their blank.
var refusals = sync.OnceValue(func() (all []refusal) {
	for key, m := range read().messages[English] {
		if strings.HasPrefix(key, "refusal.") {
			before, after, open := strings.Cut(m.Other, "{{.x}}")
			all = append(all, refusal{key, before, after, open})
		}
	}
	sort.Slice(all, func(i, j int) bool { return len(all[i].before) > len(all[j].before) }) // the more exact first
	return all
})

type refusal struct {
	key, before, after string
	open               bool
}

// Refusal gives a refusal's sentence, which commands and programs word in English, in a person's language. What the group
// refusal lacks stays English: it is for the operator or for programs.
func Refusal(lang, english string) string {
	if Choose(lang) == English {
		return english
	}
	for _, r := range refusals() {
		if !r.open {
			if english == r.before {
				return T(lang, r.key)
			}
			continue
		}
		if rest, fits := strings.CutPrefix(english, r.before); fits && strings.HasSuffix(rest, r.after) {
			return T(lang, r.key, "x", strings.TrimSuffix(rest, r.after))
		}
	}
	return english
}
