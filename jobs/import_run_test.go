package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"flowhq/queries"

	"github.com/google/uuid"
)

var importMind = Actor{Kind: queries.ActorKindADMIN, Name: "Amina"}

// file takes a file in and gives its import.
func (s *bulkSite) file(table, text string) uuid.UUID {
	s.t.Helper()
	id := newID()
	s.ok(s.commands.ReadImport(s.t.Context(), ImportAsk{ID: id, Table: s.registry.Table(table), FileName: "rows.csv", File: []byte(text)}, importMind))
	return id
}

// settled waits until nothing is at work on an import.
func (s *bulkSite) settled(id uuid.UUID) queries.Import {
	s.t.Helper()
	for {
		i, err := queries.New(s.db.System).GetImport(s.t.Context(), id)
		s.ok(err)
		if i.State != queries.ImportStateCHECKING && i.State != queries.ImportStateRUNNING {
			return i
		}
		s.count("SELECT 1 FROM pg_sleep(0.02)")
	}
}

// try has a file tried with what its header may mean, changed by how.
func (s *bulkSite) try(id uuid.UUID, how func(*ImportMapping)) queries.Import {
	s.t.Helper()
	i, err := queries.New(s.db.System).GetImport(s.t.Context(), id)
	s.ok(err)
	m := Guess(s.registry, s.registry.Table(i.TableName), i.Header)
	if how != nil {
		how(&m)
	}
	s.ok(s.commands.CheckImport(s.t.Context(), s.registry, id, m, importMind))
	return s.settled(id)
}

func (s *bulkSite) start(i queries.Import) queries.Import {
	s.t.Helper()
	s.ok(s.commands.StartImport(s.t.Context(), i.ID, i.Attempt, importMind))
	return s.settled(i.ID)
}

// report is an import's rows in a line each: the outcome, then what changes or why not.
func (s *bulkSite) report(id uuid.UUID) (lines []string) {
	s.t.Helper()
	rows, err := queries.New(s.db.System).ListImportRows(s.t.Context(), queries.ListImportRowsParams{ImportID: id, PageSize: 1000})
	s.ok(err)
	for _, r := range rows {
		if r.Outcome == nil {
			lines = append(lines, "-")
			continue
		}
		line := string(*r.Outcome)
		var changes []ImportChange
		var why map[string]string
		if r.Changes != nil {
			s.ok(json.Unmarshal(r.Changes, &changes))
		}
		if r.Reasons != nil {
			s.ok(json.Unmarshal(r.Reasons, &why))
		}
		for _, c := range changes {
			line += fmt.Sprintf(" %s:%s>%s", c.Column, c.From, c.To)
		}
		for _, name := range slices.Sorted(maps.Keys(why)) {
			line += " " + name + ": " + why[name]
		}
		lines = append(lines, line)
	}
	return lines
}

func (s *bulkSite) reported(id uuid.UUID, want ...string) {
	s.t.Helper()
	got := s.report(id)
	if len(got) != len(want) {
		s.t.Fatalf("%d rows: %q", len(got), got)
	}
	for i := range want {
		if got[i] != want[i] {
			s.t.Errorf("row %d: %q, want %q", i+1, got[i], want[i])
		}
	}
}

func (s *bulkSite) tenantNamed(name, phone string) uuid.UUID {
	s.t.Helper()
	id, err := s.commands.CreateTenant(s.t.Context(), NewTenant{Name: name, BusinessName: name, PhoneNumber: phone, TemplateType: "BOOKING", Language: "SW"}, importMind)
	s.ok(err)
	return id
}

// What a try says is what the run does: new contacts and changed ones, found by their number within their tenant, with every refusal at its column.
func TestImportContacts(t *testing.T) {
	s := newBulkSite(t)
	s.node()
	duka := s.tenantNamed("Duka la Juma", "+255712000001")
	neema := s.tenantNamed("Neema Salon", "+255712000002")
	s.tenantNamed("Neema Salon", "+255712000003")
	asha := newID()
	s.exec("INSERT INTO contacts (id, tenant_id, name, phone_number) VALUES ($1, $2, 'Asha', '+255713000001')", asha, duka)
	file := s.file("contacts", "Jina;Simu;Biashara;Bado\r\n"+
		"Asha Mushi;0713 000 001;Duka la Juma;x\r\n"+ // changed
		"Baraka;'+255713000002;duka LA juma;\r\n"+ // new, with a guard
		"Baraka tena;255 713 000 002;"+duka.String()+";\r\n"+ // the same number
		"Zawadi;0713000003;Neema Salon;\r\n"+ // two have this name
		"Zawadi;0713000003;+255712000002;\r\n"+ // by its number
		"=cmd|' /C calc'!A0;0713000004;Duka la Juma;\r\n"+ // text, nothing else
		"Zuri;12;Duka la Juma;\r\n"+
		"Zuri;;Hakuna;\r\n"+
		"Zuri;0713000009;"+asha.String()+";\r\n"+ // a contact's id is no tenant's
		"\"a\x01b\";0713000010;Duka la Juma;\r\n"+
		"Zuri;0713000011;Duka la Juma;;extra\r\n")
	want := []string{
		"CHANGED name:Asha>Asha Mushi", "CREATED", "REFUSED phone_number: Line 3 has this already.",
		"REFUSED tenant_id: More than one tenant is called “Neema Salon”. Write its id.", "CREATED", "CREATED",
		"REFUSED phone_number: This is not a phone number; write it like +255712345678.",
		"REFUSED tenant_id: There is no tenant “Hakuna”.", "REFUSED tenant_id: There is no tenant “" + asha.String() + "”.",
		"REFUSED name: This text holds a control character that cannot be stored.", "REFUSED : Line 12 has more cells than the first line has names.",
	}
	entries := s.count("SELECT count(*) FROM audit_log")
	i := s.try(file, nil)
	if i.State != queries.ImportStateCHECKED || i.Created != 3 || i.Changed != 1 || i.Refused != 7 || i.Unchanged != 0 {
		t.Fatalf("tried: %+v", i)
	}
	s.reported(file, want...)
	if n := s.count("SELECT count(*) FROM contacts"); n != 1 || s.count("SELECT count(*) FROM audit_log") != entries {
		t.Fatalf("a try left %d contacts and %d entries", n, s.count("SELECT count(*) FROM audit_log")-entries)
	}
	if err := s.commands.StartImport(t.Context(), file, i.Attempt-1, importMind); err == nil {
		t.Error("a report that nobody saw was imported")
	}
	s.exec("UPDATE tenants SET name = 'Neema' WHERE phone_number = '+255712000003'") // so a row that was refused would go by now
	i = s.start(i)
	s.ok(s.commands.StartImport(t.Context(), file, i.Attempt, importMind)) // a second click
	if i.State != queries.ImportStateDONE || i.Created != 3 || i.Changed != 1 || i.Refused != 7 {
		t.Fatalf("imported: %+v", i)
	}
	s.reported(file, want...)
	if n := s.count("SELECT count(*) FROM contacts WHERE tenant_id = $1 AND name IN ('Asha Mushi', 'Baraka', '=cmd|'' /C calc''!A0')", duka); n != 3 {
		t.Errorf("%d contacts of Duka", n)
	}
	if n := s.count("SELECT count(*) FROM contacts WHERE tenant_id = $1 AND name = 'Zawadi'", neema); n != 1 {
		t.Errorf("%d contacts of Neema", n)
	}
	if n := s.count("SELECT count(*) FROM audit_log WHERE actor_name = 'Amina' AND table_name = 'contacts' AND actor_kind = 'ADMIN'"); n != 5 {
		t.Errorf("%d entries of the audit log name her, want four records and the import", n)
	}
	if _, ok := errors.AsType[*Error](s.commands.CheckImport(t.Context(), s.registry, file, ImportMapping{Columns: make([]string, 4)}, importMind)); !ok {
		t.Error("an imported file was tried again")
	}
	// The same file once more changes nothing.
	again := s.try(s.file("contacts", "name,phone_number,tenant\nAsha Mushi,0713000001,Duka la Juma\nBaraka,0713000002,Duka la Juma\n"), nil)
	if again.Unchanged != 2 {
		t.Errorf("again: %+v %q", again, s.report(again.ID))
	}
}

// Tenants come to be by the command that the form uses, with all it checks, and are changed by theirs.
func TestImportTenantsAndPeople(t *testing.T) {
	s := newBulkSite(t)
	s.node()
	juma := s.tenantNamed("Duka la Juma", "+255712000001")
	file := s.file("tenants", "id,Name,Phone,Language,Status\n"+
		juma.String()+",Duka la Juma,0712000009,en,NEW\n"+
		",Neema Salon,0712000001,,\n"+ // Juma's until this import
		",Bahari Spa,0712000003,french,\n"+
		",,0712000004,sw,\n"+
		newID().String()+",Kijani,0712000005,SW,\n")
	i := s.try(file, func(m *ImportMapping) {
		m.Defaults = map[string]string{"business_name": "Sisi", "template_type": "SUPPORT"}
	})
	want := []string{
		"CHANGED phone_number:+255712000001>+255712000009 language:SW>EN", "REFUSED language: Please fill this in.",
		"REFUSED language: Write one of EN, SW.", "REFUSED name: Please fill this in.", "REFUSED id: No tenant has this. Leave it empty to make a new one.",
	}
	got := s.report(file)
	if !strings.HasPrefix(got[2], "REFUSED language: Write one of ") {
		t.Errorf("%q", got[2])
	}
	want[2] = got[2]
	s.reported(file, want...)
	if i = s.start(i); i.Changed != 1 || i.Refused != 4 {
		t.Errorf("%+v", i)
	}
	if n := s.count("SELECT count(*) FROM tenants t JOIN tenant_configs c ON c.tenant_id = t.id WHERE t.id = $1 AND phone_number = '+255712000009' AND language = 'EN'", juma); n != 1 {
		t.Error("Juma's number and language are not as in the file")
	}
	made := s.start(s.try(s.file("tenants", "name\tphone\tbusiness name\ttemplate\tlanguage\nNeema\t0712000001\tNeema Salon\tbooking\tsw\n"), func(m *ImportMapping) { m.Mode = ImportCreate }))
	if made.Created != 1 || s.count("SELECT count(*) FROM tenants t JOIN tenant_configs c ON c.tenant_id = t.id JOIN worker_processes w ON w.tenant_id = t.id JOIN whatsapp_sessions s ON s.tenant_id = t.id WHERE t.name = 'Neema' AND business_name = 'Neema Salon'") != 1 {
		t.Errorf("made: %+v %q", made, s.report(made.ID))
	}
	people := s.start(s.try(s.file("users", "Name,E-mail,Role\nAmina,AMINA@example.org,support\nBaraka,nobody,support\nZuri,zuri@example.org,\nRehema,amina@example.org,support\n"), func(m *ImportMapping) { m.Mode = ImportCreate }))
	s.reported(people.ID, "CREATED", "REFUSED email: This is not an e-mail address; write it like name@example.org.",
		"REFUSED admin_role: Please fill this in.", "REFUSED email: Line 2 has this already.")
	if s.count("SELECT count(*) FROM users u JOIN one_time_links l ON l.user_id = u.id AND l.purpose = 'SET_PASSWORD' WHERE u.email = 'amina@example.org' AND u.admin_role = 'support'") != 1 {
		t.Error("the new colleague has no invitation")
	}
}

// An import that a crash interrupts goes on where it was: no row twice, none left out, wherever in a batch the node died.
func TestImportGoesOnAfterACrash(t *testing.T) {
	s := newBulkSite(t)
	duka := s.tenantNamed("Duka", "+255712000001")
	var file strings.Builder
	file.WriteString("name,phone,tenant\n")
	const many = 3*importRows + 50
	for n := range many {
		fmt.Fprintf(&file, "Mteja %d,07130%05d,Duka\n", n, n%(many-1)) // the last has the first one's number
	}
	id := s.file("contacts", file.String())
	i, err := queries.New(s.db.System).GetImport(t.Context(), id)
	s.ok(err)
	m := Guess(s.registry, s.registry.Table("contacts"), i.Header)
	m.Mode = ImportCreate
	worker := &importRunWorker{db: s.db.System, log: slog.New(slog.DiscardHandler)}
	work := func(attempt int32, batches int) {
		t.Helper()
		args := ImportRun{ImportID: id, Attempt: attempt}
		rows, err := worker.begin(t.Context(), s.registry, args)
		s.ok(err)
		for more := rows != nil; more && batches > 0; batches-- {
			more, err = worker.batch(t.Context(), s.client, rows, args)
			s.ok(err)
		}
	}
	s.ok(s.commands.CheckImport(t.Context(), s.registry, id, m, importMind))
	work(1, 2)
	work(1, 10)
	s.ok(s.commands.StartImport(t.Context(), id, 1, importMind))
	work(2, 1)
	// The second batch dies in its middle: the database ends its connection, as it does where a node is gone.
	s.exec("CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'admin_shutdown', MESSAGE = 'terminating'; END $$")
	s.exec("CREATE TRIGGER die BEFORE INSERT ON contacts FOR EACH ROW WHEN (NEW.name = 'Mteja 150') EXECUTE FUNCTION die()")
	rows, err := worker.begin(t.Context(), s.registry, ImportRun{ImportID: id, Attempt: 2})
	s.ok(err)
	if _, err := worker.batch(t.Context(), s.client, rows, ImportRun{ImportID: id, Attempt: 2}); err == nil {
		t.Fatal("the batch did not die")
	}
	s.exec("DROP TRIGGER die ON contacts")
	if n := s.count("SELECT count(*) FROM contacts WHERE tenant_id = $1", duka); n != importRows {
		t.Errorf("%d contacts after a batch and a crash, want %d", n, importRows)
	}
	work(1, 10) // a job of the try wakes up late
	s.node()    // and River has the job of the run
	i = s.settled(id)
	if i.State != queries.ImportStateDONE || int(i.Created) != many-1 || i.Refused != 1 || int(i.Place) != many {
		t.Errorf("%+v", i)
	}
	if n := s.count("SELECT count(DISTINCT name) FROM contacts"); int(n) != many-1 || s.count("SELECT count(*) FROM contacts") != n {
		t.Errorf("%d names", n)
	}
	if got := s.report(id); got[many-1] != "REFUSED phone_number: Line 2 has this already." {
		t.Errorf("the last row: %q", got[many-1])
	}
}

// A mapping that cannot work is refused where it is wrong.
func TestImportMapping(t *testing.T) {
	s := newBulkSite(t)
	contacts := s.registry.Table("contacts")
	header := []string{"Full name", "SIMU", "", "Business", "phone_number", "Why refused"}
	if m := Guess(s.registry, contacts, header); !slices.Equal(m.Columns, []string{"name", "phone_number", "", "tenant_id", "", ""}) || m.Mode != ImportBoth || m.Key != "phone_number" {
		t.Errorf("guessed %+v", m)
	}
	if m := Guess(s.registry, s.registry.Table("tenant_configs"), []string{"tenant_id", "Business name"}); m.Mode != ImportUpdate || m.Key != "tenant_id" {
		t.Errorf("guessed %+v", m)
	}
	for name, c := range map[string]struct {
		table string
		m     ImportMapping
		want  string // the refused fields
	}{
		"good":              {"contacts", ImportMapping{Columns: []string{"name", "tenant_id"}, Mode: ImportCreate}, ""},
		"by a default":      {"contacts", ImportMapping{Columns: []string{"name", ""}, Mode: ImportCreate, Defaults: map[string]string{"tenant_id": "Duka"}}, ""},
		"twice":             {"contacts", ImportMapping{Columns: []string{"name", "name"}, Mode: ImportCreate, Defaults: map[string]string{"tenant_id": "Duka"}}, "column_1"},
		"nobody's column":   {"contacts", ImportMapping{Columns: []string{"tenant_id", "created_at"}, Mode: ImportCreate}, "column_1"},
		"a secret":          {"users", ImportMapping{Columns: []string{"email", "password_hash"}, Mode: ImportUpdate, Key: "email"}, "column_1"},
		"something needed":  {"contacts", ImportMapping{Columns: []string{"name", ""}, Mode: ImportCreate}, "default_tenant_id"},
		"no key":            {"contacts", ImportMapping{Columns: []string{"name", ""}, Mode: ImportUpdate}, "key"},
		"key not there":     {"contacts", ImportMapping{Columns: []string{"name", ""}, Mode: ImportUpdate, Key: "id"}, "key"},
		"half a key":        {"contacts", ImportMapping{Columns: []string{"name", "phone_number"}, Mode: ImportUpdate, Key: "phone_number"}, "key"},
		"no mode":           {"contacts", ImportMapping{Columns: []string{"name", ""}}, "mode"},
		"new keys":          {"api_keys", ImportMapping{Columns: []string{"label", ""}, Mode: ImportCreate}, "mode"},
		"nothing":           {"contacts", ImportMapping{Columns: []string{"", ""}, Mode: ImportUpdate, Key: "id"}, "key mode"},
		"of another column": {"tenants", ImportMapping{Columns: []string{"name", "business_name"}, Mode: ImportUpdate, Key: "business_name"}, "key"},
	} {
		got := ""
		if e, ok := errors.AsType[*Error](c.m.check(s.registry, s.registry.Table(c.table), make([]string, 2))); ok {
			got = strings.Join(slices.Sorted(maps.Keys(e.Fields)), " ")
		}
		if got != c.want {
			t.Errorf("%s: refused at %q, want %q", name, got, c.want)
		}
	}
	for name, text := range map[string]string{"nothing": "", "a header": "a,b\n", "a NUL": "a\n\x00\n", "quotes": "a\n\"b\n", "columns": strings.Repeat("a,", 100_000) + "\nb", "a large one": strings.Repeat("a\n", 6<<20)} {
		err := s.commands.ReadImport(t.Context(), ImportAsk{ID: newID(), Table: contacts, FileName: "x", File: []byte(text)}, importMind)
		if e, ok := errors.AsType[*Error](err); !ok || e.Fields["file"] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	huge := s.file("contacts", "name,tenant\n"+strings.Repeat("x", maxLines+1)+",Duka\nJuma,Duka\n")
	if rows := s.count("SELECT count(*) FROM import_rows WHERE import_id = $1 AND fault LIKE '%more than%characters%'", huge); rows != 1 || s.count("SELECT count(*) FROM imports") != 1 {
		t.Errorf("%d rows with a fault", rows)
	}
	// What is a week old goes.
	s.exec("UPDATE imports SET updated_at = now() - interval '8 days'")
	s.ok(queries.New(s.db.System).DeleteExpired(t.Context()))
	if n := s.count("SELECT count(*) FROM import_rows"); n != 0 {
		t.Errorf("%d rows are kept", n)
	}
}
