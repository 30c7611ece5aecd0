package routes

import (
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/bot"
	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// botBase is where the pages of the bot's settings are.
const botBase = "/portal/bot"

// stored is what a business's bot is set to.
type stored struct {
	config  queries.TenantConfig
	values  bot.Values
	latest  *queries.BotSettingsVersion // nil: it was never changed here
	undo    *queries.BotSettingsVersion // the version before the latest; nil: there is none
	outside bool                        // the present settings are in no version: somebody changed them elsewhere
}

// botSettings reads the visitor's own business's settings, through the tenant door. What cannot be read counts as not entered.
func (s *server) botSettings(ctx context.Context, v *visitor) (st stored, err error) {
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		if st.config, err = q.GetTenantConfig(ctx, v.Tenant); err != nil {
			return err
		}
		rows, err := q.ListBotSettings(ctx, queries.ListBotSettingsParams{TenantID: v.Tenant, BeforeNumber: math.MaxInt32, PageSize: 2})
		if err != nil || len(rows) == 0 {
			return err
		}
		latest, err := q.LatestBotSettings(ctx, v.Tenant)
		st.latest, st.outside = &rows[0], !latest.Same
		switch {
		case st.outside:
			st.undo = &rows[0]
		case len(rows) > 1:
			st.undo = &rows[1]
		}
		return err
	})
	var unreadable error
	if st.values, unreadable = bot.ReadValues(st.config.SettingsJson, st.config.HoursJson); err == nil && unreadable != nil {
		s.Log.Warn("bot settings cannot be read", "tenant_id", v.Tenant, "err", unreadable)
	}
	return st, err
}

// with is the bot as it would be with these values.
func (st stored) with(s *server, v bot.Values) bot.Config {
	cfg := v.Config(bot.Template(st.config.TemplateType), bot.Language(st.config.Language), st.config.BusinessName)
	cfg.Location = s.Location
	return cfg
}

// form draws the form of the settings with these values in it.
func (st stored) form(s *server, v *visitor, values bot.Values, wrong []bot.Problem) BotForm {
	f := BotFormOf(v.Lang, st.with(s, values), values, wrong, v.Role == queries.UserRoleOWNER)
	f.Basis = basisOf(st.config)
	if st.undo != nil {
		f.UndoID = st.undo.ID.String()
	}
	return f
}

// basisOf names the version of a configuration that a form was made from; shownBy reads it back.
func basisOf(c queries.TenantConfig) string { return strconv.FormatInt(c.UpdatedAt.UnixMicro(), 10) }

func shownBy(c *fiber.Ctx) time.Time {
	micros, err := strconv.ParseInt(c.FormValue("basis"), 10, 64)
	if err != nil {
		return time.Time{} // never the present version
	}
	return time.UnixMicro(micros)
}

// portalBot is the form with the chat beside it.
func (s *server) portalBot(c *fiber.Ctx) error {
	st, err := s.botSettings(c.UserContext(), visitorOf(c))
	if err != nil {
		return err
	}
	shown := st.values
	if ask := strings.TrimSpace(c.Query("ask")); ask != "" && visitorOf(c).Role == queries.UserRoleOWNER { // a question to be answered from now on
		shown.Rows = maps.Clone(shown.Rows)
		if shown.Rows == nil {
			shown.Rows = map[string][]bot.Row{}
		}
		shown.Rows[bot.KeyQuestions] = append(slices.Clone(shown.Rows[bot.KeyQuestions]), bot.Row{bot.ColQuestion: ask})
	}
	return s.botPage(c, http.StatusOK, st, st.form(s, visitorOf(c), shown, nil), st.values)
}

func (s *server) botPage(c *fiber.Ctx, status int, st stored, form BotForm, values bot.Values) error {
	v := visitorOf(c)
	page := BotPage{Page: s.page(c, words.T(v.Lang, "bot.title"), "bot"), Form: form}
	cfg := st.with(s, values)
	page.Try = s.botTry(v, cfg, []string{greetingOf(cfg.Language)}, false)
	return s.render(c, status, "portal/bot", page)
}

// portalBotSave stores the form. What is wrong is said at its field, and everything stays as it was typed; where somebody
// else was faster, that is said, and only saving again replaces what they wrote.
func (s *server) portalBotSave(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	st, err := s.botSettings(ctx, v)
	if err != nil {
		return err
	}
	draft, sent := botDraft(c, bot.Template(st.config.TemplateType))
	if !sent {
		draft = st.values
	}
	err = s.Commands.SaveBotSettings(ctx, v.Tenant, shownBy(c), draft, v.actor())
	switch {
	case errors.Is(err, jobs.ErrBotSettings):
		form := st.form(s, v, draft, bot.Check(bot.Template(st.config.TemplateType), draft))
		form.Basis = c.FormValue("basis")
		return s.botAnswer(c, http.StatusUnprocessableEntity, st, form, draft, "")
	case errors.Is(err, jobs.ErrSettingsChanged):
		form := st.form(s, v, draft, bot.Check(bot.Template(st.config.TemplateType), draft))
		if form.Conflict = words.T(v.Lang, "bot.somebody"); st.latest != nil && !st.outside {
			form.Conflict = st.latest.ChangedBy
		}
		form.Theirs = botChanges(v.Lang, st.with(s, draft), st.values, draft)
		return s.botAnswer(c, http.StatusUnprocessableEntity, st, form, draft, "")
	case err != nil:
		return err
	}
	if st, err = s.botSettings(ctx, v); err != nil {
		return err
	}
	return s.botAnswer(c, http.StatusOK, st, st.form(s, v, st.values, nil), st.values, words.T(v.Lang, "bot.saved"))
}

// botAnswer answers a form that was sent: htmx with the form, and a word to the chat to look again; others with the page.
func (s *server) botAnswer(c *fiber.Ctx, status int, st stored, form BotForm, values bot.Values, toast string) error {
	if wantsHTMX(c) {
		c.Set("HX-Trigger-After-Swap", "preview")
		return s.fragment(c, status, "fragments/bot_form", form, Toast{Kind: "ok", Text: toast})
	}
	if toast == "" {
		return s.botPage(c, status, st, form, values)
	}
	if err := s.toast(c, "ok", toast); err != nil {
		return err
	}
	return c.Redirect(botBase, http.StatusSeeOther)
}

// portalBotRows adds a row to a list of the form, or takes one away; nothing is stored.
func (s *server) portalBotRows(c *fiber.Ctx) error {
	v := visitorOf(c)
	st, err := s.botSettings(c.UserContext(), v)
	if err != nil {
		return err
	}
	draft, sent := botDraft(c, bot.Template(st.config.TemplateType))
	if !sent {
		draft = st.values
	}
	field, ok := changeRows(bot.Template(st.config.TemplateType), draft, c.FormValue("do"))
	if !ok {
		return refuse(http.StatusUnprocessableEntity, "There is no such list in this form.")
	}
	if !wantsHTMX(c) {
		form := st.form(s, v, draft, nil)
		form.Basis = c.FormValue("basis")
		return s.botPage(c, http.StatusOK, st, form, draft)
	}
	view := botField(v.Lang, st.with(s, draft), field, draft, nil, true)
	if n := len(view.Rows); n > 0 && len(view.Rows[n-1].Cells) > 0 && view.Rows[n-1].Cells[0].Value == "" {
		view.Rows[n-1].Cells[0].Focus = true
	}
	c.Set("HX-Trigger-After-Swap", "preview")
	return s.render(c, http.StatusOK, "fragments/bot_field", view)
}

// portalBotRestore makes an earlier version the present one.
func (s *server) portalBotRestore(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	version, err := s.botVersion(c)
	if err != nil {
		return err
	}
	err = s.Commands.RestoreBotSettings(ctx, v.Tenant, shownBy(c), version.ID, v.actor())
	kind, text := "ok", words.T(v.Lang, "bot.restored", "n", version.Number)
	if errors.Is(err, jobs.ErrSettingsChanged) {
		kind, text = "warn", words.T(v.Lang, "bot.not_restored")
	} else if err != nil {
		return err
	}
	if err := s.toast(c, kind, text); err != nil {
		return err
	}
	return s.redirect(c, botBase)
}

// botVersion reads the version the path names, through the tenant door: nothing of another business is there.
func (s *server) botVersion(c *fiber.Ctx) (version queries.BotSettingsVersion, err error) {
	id, err := uuid.Parse(c.Params("version"))
	if err != nil {
		return version, notFound("This version")
	}
	v, ctx := visitorOf(c), c.UserContext()
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		version, err = q.GetBotSettings(ctx, queries.GetBotSettingsParams{TenantID: v.Tenant, VersionID: id})
		return err
	})
	return version, err // no row is a 404
}
