package routes

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/tables"
)

// auditTable is the log of who changed what. The database writes it by itself (migration 00032); what happens to other tables by hand, and what no
// table shows, is noted here.
const auditTable = "audit_log"

// change runs fn in a transaction whose changes are the visitor's in the audit log.
func (s *server) change(c *fiber.Ctx, fn func(pgx.Tx) error) error {
	return visitorOf(c).actor().InTx(c.UserContext(), s.Database.System, fn)
}

// stranger is somebody who is not signed in and did something on one of our pages.
func (s *server) stranger(c *fiber.Ctx, page string) jobs.Actor {
	return jobs.Actor{Name: "Somebody on the " + page, IP: s.clientIP(c), Request: requestID(c)}
}

// recordHistory is the list of a record's changes; of a tenant also of all that is its. Empty: there are none to list.
func recordHistory(t *tables.Table, key string) string {
	switch {
	case !t.Audited && !t.Deletable: // nobody changes it by hand
		return ""
	case t.Name == "tenants":
		return historyURL(`tenant_id = "` + key + `"`)
	}
	return historyURL(`table_name = "` + t.Name + `" && record_key = "` + strings.ReplaceAll(key, `"`, ``) + `"`)
}

func historyURL(filter string) string {
	return "/admin/data/" + auditTable + "?" + url.Values{"q": {filter}}.Encode()
}

// noteJobs writes that somebody did something to jobs in River's dashboard, which changes tables that are not ours.
func (s *server) noteJobs(c *fiber.Ctx) error {
	what := strings.TrimPrefix(c.Path(), JobsPrefix+"/api/")
	raw := c.Body()
	if !json.Valid(raw) {
		raw = nil
	}
	return s.change(c, func(tx pgx.Tx) error {
		return queries.New(tx).AuditNote(c.UserContext(), queries.AuditNoteParams{
			Action: queries.AuditActionJOBS, TableName: "river_job", RecordKey: c.Method() + " " + what, RecordTitle: what, After: raw,
		})
	})
}

// guardJobs lets those change jobs whose role may; River's dashboard checks nothing itself.
func guardJobs(c *fiber.Ctx) error {
	if reads(c) {
		return nil
	}
	if missing := visitorOf(c).lacks(rightSystem); missing != "" {
		return refuse(http.StatusForbidden, missing)
	}
	return nil
}

func reads(c *fiber.Ctx) bool {
	return c.Method() == http.MethodGet || c.Method() == http.MethodHead || c.Method() == http.MethodOptions
}

// showChange fills the drawer with an entry: what was and what is, side by side, then who, when and from where.
func (s *server) showChange(ctx context.Context, t *tables.Table, rec tables.Record, d *RecordDrawer) error {
	value := func(name string) string { return rec.Value(t.Column(name)).Text }
	of, key := s.registry.Table(value("table_name")), value("record_key")
	for i, c := range t.Columns {
		if slices.Contains([]string{"id", "before", "after", "changed", "actor_id", "record_key"}, c.Name) || rec.Values[i].Null {
			continue
		}
		f := s.fact(c, rec.Values[i], rec.Titles[i])
		if c.Name == "record_title" && of != nil && value("action") != string(queries.AuditActionDELETE) {
			f.Cell.Kind, f.Cell.Text, f.Cell.Href = "link", cmp.Or(f.Cell.Text, "Without a name"), recordURL(of, key)
		}
		d.Facts = append(d.Facts, f)
	}
	before, after := jsonFields(value("before")), jsonFields(value("after"))
	change := ChangeView{HadBefore: before != nil, HasAfter: after != nil}
	changed := strings.Split(value("changed"), ", ")
	names := slices.Sorted(maps.Keys(before))
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, both := before[name]; !both {
			names = append(names, name)
		}
	}
	for _, name := range names {
		f := ChangedField{Label: plainName(name)}
		var column *tables.Column
		if of != nil {
			if column = of.Column(name); column != nil {
				f.Label = column.Label
			}
		}
		for side, raw := range map[*CellView]json.RawMessage{&f.Before: before[name], &f.After: after[name]} {
			var err error
			if *side, err = s.changedCell(ctx, column, raw); err != nil {
				return err
			}
		}
		if slices.Contains(changed, name) || value("changed") == "" { // all of it was made, is gone, or was asked for
			change.Changed = append(change.Changed, f)
		} else if name != "updated_at" {
			change.Same = append(change.Same, f)
		}
	}
	if len(names) > 0 {
		d.Change = &change
	}
	if of != nil {
		d.HistoryURL = recordHistory(of, key)
	}
	return nil
}

// changedCell shows a value as the record's own list would. column is nil where there is none any more, or a secret one.
func (s *server) changedCell(ctx context.Context, column *tables.Column, raw json.RawMessage) (CellView, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return CellView{Kind: "null"}, nil
	}
	v := tables.Value{Text: string(raw)}
	if err := json.Unmarshal(raw, &v.Text); err != nil { // no text
		v.Text = prettyJSON(string(raw))
	}
	if column == nil {
		return CellView{Kind: "text", Text: v.Text}, nil
	}
	title := ""
	switch column.Kind {
	case tables.Time:
		at, err := time.Parse(time.RFC3339Nano, v.Text)
		if err != nil {
			return CellView{Kind: "text", Text: v.Text}, nil
		}
		v.Time = at
	case tables.Relation:
		titles, err := s.registry.Titles(ctx, s.Database.System, column.Ref, []string{v.Text})
		if err != nil {
			return CellView{}, err
		}
		title = titles[v.Text]
	}
	return s.cell(column, v, title), nil
}

// jsonFields are a row's columns; nil for no row.
func jsonFields(text string) (fields map[string]json.RawMessage) {
	if json.Unmarshal([]byte(text), &fields) != nil {
		return nil
	}
	return fields
}
