package routes

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/queries"
)

// Should a handler ever pass the ids of another tenant on, with no check of its own, the database still shows and changes
// nothing: every query is asked for them, from inside a tenant's door.
func TestNoQueryLeavesTheTenantsDoor(t *testing.T) {
	s := newSite(t, nil)
	mine, theirs := s.tenant("Mine", 1), s.tenant("Theirs Secret", 2)
	ids := []uuid.UUID{theirs, s.person(theirs, "secret@example.org", queries.UserRoleSTAFF), s.message(theirs, "secret words", queries.MessageDirectionIN, time.Now())}
	s.exec(`INSERT INTO setup_requests (id, tenant_id, user_id, template_type, whatsapp_number, business_name) VALUES ($1, $2, $3, 'BOOKING', '+255712000002', 'Secret')`,
		newID(), theirs, ids[1])
	s.exec(`INSERT INTO portal_event_logs (id, tenant_id, event_type, payload_json) VALUES (gen_random_uuid(), $1, 'SECRET_EVENT', '{}')`, theirs)
	ids = append(ids, s.secretVersion(theirs))
	s.exec(`INSERT INTO contact_notes (id, tenant_id, contact_id, body) SELECT gen_random_uuid(), tenant_id, id, 'Secret' FROM contacts WHERE tenant_id = $1`, theirs)
	s.exec(`INSERT INTO canned_answers (id, tenant_id, title, body) VALUES (gen_random_uuid(), $1, 'Secret', 'Secret')`, theirs)
	s.exec(`UPDATE contacts SET labels = '{Secret}' WHERE tenant_id = $1`, theirs)
	s.exec(`UPDATE conversations SET unread = 7, handoff_at = now() WHERE tenant_id = $1`, theirs)
	rows, err := s.db.System.Query(t.Context(), `SELECT id FROM contacts WHERE tenant_id = $1 UNION ALL SELECT id FROM conversations WHERE tenant_id = $1
		UNION ALL SELECT id FROM contact_notes WHERE tenant_id = $1 UNION ALL SELECT id FROM canned_answers WHERE tenant_id = $1
		UNION ALL SELECT id FROM setup_requests WHERE tenant_id = $1 UNION ALL SELECT id FROM user_sessions WHERE user_id = $2`, theirs, ids[1])
	must(t, err)
	more, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	must(t, err)
	ids = append(ids, more...)

	// ask calls one query for each of the ids and gives what it said of the other tenant.
	rollback := errors.New("not kept")
	ask := func(tx pgx.Tx, query int, keep bool) string {
		for _, id := range ids {
			said := ""
			_ = pgx.BeginFunc(t.Context(), tx, func(tx pgx.Tx) error {
				call := reflect.ValueOf(queries.New(tx)).Method(query)
				args := []reflect.Value{reflect.ValueOf(t.Context())}
				for i := 1; i < call.Type().NumIn(); i++ {
					arg := reflect.New(call.Type().In(i)).Elem()
					fillWithIDs(arg, "", theirs, id)
					args = append(args, arg)
				}
				answers := call.Call(args)
				if err, _ := answers[len(answers)-1].Interface().(error); err != nil {
					return err
				}
				if said = fmt.Sprintf("%+v", answers[0].Interface()); len(answers) < 2 {
					said = ""
				}
				if !keep {
					return rollback
				}
				return nil
			})
			if strings.Contains(strings.ToLower(said), "secret") || strings.Contains(said, theirs.String()) {
				return said
			}
		}
		return ""
	}

	all := reflect.TypeFor[*queries.Queries]()
	found := 0
	for i := range all.NumMethod() {
		method := all.Method(i)
		if method.Type.NumIn() < 2 || method.Type.In(1) != reflect.TypeFor[context.Context]() {
			continue
		}
		must(t, s.db.InTenant(t.Context(), mine, func(tx pgx.Tx) error {
			if said := ask(tx, i, true); said != "" {
				t.Errorf("%s shows another tenant's: %s", method.Name, said)
			}
			return nil
		}))
		tx, err := s.db.System.Begin(t.Context())
		must(t, err)
		if ask(tx, i, false) != "" {
			found++
		}
		must(t, tx.Rollback(t.Context()))
	}
	if found < 20 { // asked outside of the door, in the same way
		t.Fatalf("only %d queries say anything of a tenant: they are asked in a wrong way", found)
	}
	if n := s.count(`SELECT count(*) FROM whatsapp_sessions s JOIN worker_processes w USING (tenant_id) JOIN users u USING (tenant_id) JOIN message_logs m USING (tenant_id)
		WHERE s.tenant_id = $1 AND s.watched_until IS NULL AND w.desired = 'STOPPED' AND m.status = 'RECEIVED'`, theirs); n != 1 {
		t.Error("something of the other tenant was changed")
	}
	if n := s.count(`SELECT count(*) FROM conversations v JOIN contacts c ON c.id = v.contact_id JOIN contact_notes n ON n.contact_id = c.id JOIN canned_answers a ON a.tenant_id = v.tenant_id
		WHERE v.tenant_id = $1 AND v.unread = 7 AND v.handoff_at IS NOT NULL AND v.paused_at IS NULL AND c.labels = '{Secret}' AND n.body = 'Secret' AND a.body = 'Secret'`, theirs); n != 1 {
		t.Error("something of the other tenant's inbox was changed")
	}
	if n := s.count(`SELECT count(*) FROM portal_event_logs WHERE tenant_id = $1`, theirs); n != 2 {
		t.Errorf("the other tenant has %d events, want the two from before", n)
	}
}

// fillWithIDs fills a query's parameters with another tenant's id and one more of its ids.
func fillWithIDs(v reflect.Value, name string, tenant, id uuid.UUID) {
	switch v.Interface().(type) {
	case uuid.UUID:
		if name == "" || name == "TenantID" {
			v.Set(reflect.ValueOf(tenant))
		}
		if name != "TenantID" && id != tenant {
			v.Set(reflect.ValueOf(id))
		}
		return
	case time.Time:
		if strings.HasPrefix(name, "Before") {
			v.Set(reflect.ValueOf(time.Now().Add(time.Hour)))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillWithIDs(v.Field(i), v.Type().Field(i).Name, tenant, id)
		}
	case reflect.Slice:
		if v.Type().Elem() == reflect.TypeFor[uuid.UUID]() {
			v.Set(reflect.ValueOf([]uuid.UUID{tenant, id}))
		}
	case reflect.String:
		if name == "Email" || name == "" {
			v.SetString("secret@example.org")
		}
	case reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(100)
	}
}
