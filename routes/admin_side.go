package routes

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/queries"
	"flowhq/queries/tables"
)

// dataBase is the address of a table's list.
func dataBase(t *tables.Table) string { return "/admin/data/" + t.Name }

// listURL is where people go for a table: tables with a page of their own have it as their list.
func listURL(t *tables.Table) string {
	if t.List != "" {
		return t.List
	}
	return dataBase(t)
}

// preferences is what one admin chose; keys are "pins" and "columns.<table>".
type preferences map[string]json.RawMessage

func (s *server) preferences(ctx context.Context, user uuid.UUID) (preferences, error) {
	rows, err := s.system.ListPreferences(ctx, user)
	p := preferences{}
	for _, r := range rows {
		p[r.Key] = r.Value
	}
	return p, err
}

// list reads a preference that is a list of names; known is false where nothing was chosen yet.
func (p preferences) list(key string) (names []string, known bool) {
	raw, known := p[key]
	if known && json.Unmarshal(raw, &names) != nil {
		return nil, false
	}
	return names, known
}

func (s *server) setPreference(ctx context.Context, user uuid.UUID, key string, names []string) error {
	raw, err := json.Marshal(names)
	if err != nil {
		return err
	}
	return s.system.SetPreference(ctx, queries.SetPreferenceParams{UserID: user, Key: key, Value: raw})
}

// defaultPins are on top until somebody pins otherwise.
var defaultPins = []string{"tenants", "message_logs"}

func (p preferences) pins() []string {
	if pins, known := p.list("pins"); known {
		return pins
	}
	return defaultPins
}

// shortcuts are the tables' keys; docs/extending.md tells how to choose more.
var shortcuts = map[string]string{"tenants": "g t", "message_logs": "g m", "contacts": "g c", "users": "g u", "api_keys": "g k", "setup_requests": "g r", "one_time_links": "g l", "portal_event_logs": "g e", "logs": "g h", "settings": "g s"}

// sidebar lists all tables. current is the table's name, or another page's Nav.
func (s *server) sidebar(p preferences, current string) *Sidebar {
	side, pins := &Sidebar{Home: SideLink{Label: "Overview", Icon: "house", Href: "/admin", Key: "g o", Current: current == "overview"}}, p.pins()
	link := func(t *tables.Table) SideLink {
		return SideLink{Label: t.Plural, Icon: t.Icon, Href: listURL(t), Table: t.Name, Pinned: slices.Contains(pins, t.Name), Current: t.Name == current}
	}
	for _, name := range pins {
		if t := s.registry.Table(name); t != nil {
			l := link(t)
			l.Key = shortcuts[name]
			side.Pins = append(side.Pins, l)
		}
	}
	for _, g := range tables.Groups() {
		group := SideGroup{Name: string(g)}
		for _, t := range s.registry.Tables() {
			if t.Group != g {
				continue
			}
			l := link(t)
			if !l.Pinned {
				l.Key = shortcuts[t.Name]
			}
			group.Links = append(group.Links, l)
		}
		if g == tables.Messages {
			group.Links = append(group.Links, SideLink{Label: "Ledger", Icon: "scale", Href: "/admin/ledger", Current: current == "ledger"})
		}
		if g == tables.System {
			group.Links = append(group.Links, SideLink{Label: "Jobs", Icon: "list-checks", Href: JobsPrefix, Key: "g j", NewTab: true})
			if s.DemoMode {
				group.Links = append(group.Links, SideLink{Label: "Virtual phone", Icon: "smartphone", Href: "/demo/phone", Key: "g p", Current: current == "phone"})
			}
		}
		side.Groups = append(side.Groups, group)
	}
	return side
}

// pinToggle pins a table for this admin, or unpins it, and answers with the sidebar's lists.
func (s *server) pinToggle(c *fiber.Ctx) error {
	t := s.registry.Table(c.Params("table"))
	if t == nil {
		return notFound("This table")
	}
	ctx, v := c.UserContext(), visitorOf(c)
	p, err := s.preferences(ctx, v.ID)
	if err != nil {
		return err
	}
	pins := slices.Clone(p.pins())
	if i := slices.Index(pins, t.Name); i >= 0 {
		pins = slices.Delete(pins, i, i+1)
	} else {
		pins = append(pins, t.Name)
	}
	if err := s.setPreference(ctx, v.ID, "pins", pins); err != nil {
		return err
	}
	if !wantsHTMX(c) {
		return c.Redirect(listURL(t), http.StatusSeeOther)
	}
	if p["pins"], err = json.Marshal(pins); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "partials/side_lists", s.sidebar(p, c.FormValue("current")))
}
