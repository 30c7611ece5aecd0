package routes

import (
	"math"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"flowhq/bot"
	"flowhq/queries"
	"flowhq/templates/words"
)

// historyPage is how many versions are listed at once.
const historyPage = 20

// valuesOf reads what a version says.
func valuesOf(v queries.BotSettingsVersion) bot.Values {
	values, _ := bot.ReadValues(v.SettingsJson, v.HoursJson) // what cannot be read counts as not entered
	return values
}

// versionView words a version and names what it changed.
func versionView(lang string, version queries.BotSettingsVersion, changes []BotChange, st stored) BotVersion {
	v := BotVersion{Lang: lang, ID: version.ID.String(), Title: words.T(lang, "bothistory.version", "n", version.Number), By: version.ChangedBy, At: version.CreatedAt,
		Changed: changedFields(changes), Current: st.latest != nil && !st.outside && version.ID == st.latest.ID}
	if v.Current {
		v.Tag = words.T(lang, "bothistory.now")
	}
	switch {
	case version.Restored != nil:
		v.Note = words.T(lang, "bothistory.restored", "n", *version.Restored)
	case version.ChangedBy == "" && version.Number == 1:
		v.Note = words.T(lang, "bothistory.beginning")
	case version.ChangedBy == "":
		v.Note = words.T(lang, "bothistory.elsewhere")
	}
	return v
}

// portalBotHistory lists the versions, newest first.
func (s *server) portalBotHistory(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	st, err := s.botSettings(ctx, v)
	if err != nil {
		return err
	}
	before := int64(math.MaxInt32)
	if asked := c.Query("before"); asked != "" {
		if before, err = strconv.ParseInt(asked, 10, 32); err != nil {
			return refuse(http.StatusUnprocessableEntity, "This part of the list is not known. Open the list from its beginning.")
		}
	}
	var rows []queries.BotSettingsVersion
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		rows, err = q.ListBotSettings(ctx, queries.ListBotSettingsParams{TenantID: v.Tenant, BeforeNumber: int32(before), PageSize: historyPage + 1})
		return err
	})
	if err != nil {
		return err
	}
	page := BotHistoryPage{Page: s.page(c, words.T(v.Lang, "bothistory.title"), "bot")}
	cfg := st.with(s, st.values)
	for i, row := range rows {
		if i == historyPage {
			page.MoreURL = botBase + "/history?before=" + strconv.Itoa(int(rows[i-1].Number))
			break
		}
		var changes []BotChange
		if i+1 < len(rows) {
			changes = botChanges(v.Lang, cfg, valuesOf(rows[i+1]), valuesOf(row))
		}
		page.Versions = append(page.Versions, versionView(v.Lang, row, changes, st))
	}
	return s.render(c, http.StatusOK, "portal/bot_history", page)
}

// portalBotVersion compares a version with the one before it and with the present.
func (s *server) portalBotVersion(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	version, err := s.botVersion(c)
	if err != nil {
		return err
	}
	st, err := s.botSettings(ctx, v)
	if err != nil {
		return err
	}
	page := BotVersionPage{Basis: basisOf(st.config)}
	cfg := st.with(s, st.values)
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) error {
		before, err := q.BotSettingsBefore(ctx, queries.BotSettingsBeforeParams{TenantID: v.Tenant, BeforeNumber: version.Number})
		if err == nil && len(before) > 0 {
			page.Changes = botChanges(v.Lang, cfg, valuesOf(before[0]), valuesOf(version))
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Since = botChanges(v.Lang, cfg, valuesOf(version), st.values)
	page.Version = versionView(v.Lang, version, page.Changes, st)
	page.Page = s.page(c, page.Version.Title, "bot")
	page.CanRestore = v.Role == queries.UserRoleOWNER && len(page.Since) > 0
	return s.render(c, http.StatusOK, "portal/bot_version", page)
}
