package routes

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"flowhq/bot"
	"flowhq/queries"
	"flowhq/templates/words"
)

// Limits of a chat that is tried.
const (
	trySaid  = 20  // messages of the customer
	tryRunes = 500 // in each
)

// greetingOf is what the customer in the chat says first.
func greetingOf(l bot.Language) string { return tryChips(l)[0] }

// tryChips are what customers often write, in the bot's language.
func tryChips(l bot.Language) []string { return strings.Split(words.T(string(l), "bottry.chips"), "|") }

// portalBotPreview answers the chat beside the form with the form as it is now, saved or not: the real engine decides about
// all of the customer's messages anew. Nothing is stored; what was said so far comes and goes with the request.
func (s *server) portalBotPreview(c *fiber.Ctx) error {
	v := visitorOf(c)
	st, err := s.botSettings(c.UserContext(), v)
	if err != nil {
		return err
	}
	values := st.values
	if draft, sent := botDraft(c, bot.Template(st.config.TemplateType)); sent && v.Role == queries.UserRoleOWNER {
		values = draft
	}
	cfg := st.with(s, values)
	var said []string
	for _, text := range c.Request().PostArgs().PeekMulti("said") {
		said = append(said, shortened(string(text)))
	}
	typed := shortened(c.FormValue("say"))
	if chip := shortened(c.FormValue("chip")); chip != "" {
		said = append(said, chip)
	} else if c.Query("refresh") == "" && typed != "" {
		said, typed = append(said, typed), ""
	}
	if len(said) == 0 || c.FormValue("again") != "" {
		said = []string{greetingOf(cfg.Language)}
	}
	try := s.botTry(v, cfg, said[max(0, len(said)-trySaid):], c.FormValue("closed") != "")
	try.Text = typed
	if wantsHTMX(c) {
		return s.render(c, http.StatusOK, "fragments/bot_lines", try)
	}
	form := st.form(s, v, values, nil)
	if basis := c.FormValue("basis"); basis != "" {
		form.Basis = basis
	}
	return s.render(c, http.StatusOK, "portal/bot", BotPage{Page: s.page(c, words.T(v.Lang, "bot.title"), "bot"), Form: form, Try: try})
}

// shortened bounds what was typed into the chat.
func shortened(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	if utf8.RuneCountInString(text) > tryRunes {
		text = string([]rune(text)[:tryRunes])
	}
	return text
}

// botTry has the bot answer these messages of a customer, who writes one a minute.
func (s *server) botTry(v *visitor, cfg bot.Config, said []string, closed bool) BotTry {
	try := BotTry{Lang: v.Lang, Business: cfg.BusinessName, Said: said, Closed: closed, Chips: tryChips(cfg.Language)}
	at := time.Now().Add(-time.Duration(len(said)) * time.Minute)
	if closed {
		if moment, ok := cfg.ClosedAt(time.Now()); ok {
			at = moment
		}
	}
	conv := bot.Conversation{}
	for _, text := range said {
		line := BotLine{Mine: true, Text: text}
		d := bot.Decide(cfg, conv, bot.Message{Kind: bot.KindText, Text: text}, at)
		conv, at = d.Next, at.Add(time.Minute)
		switch {
		case len(d.Replies) == 0:
			line.Note = words.T(v.Lang, "bottry.silent")
		case d.Handoff:
			line.Note = words.T(v.Lang, "bottry.handoff")
		}
		try.Lines = append(try.Lines, line)
		for _, r := range d.Replies {
			try.Lines = append(try.Lines, BotLine{Text: r.Text})
		}
	}
	return try
}
