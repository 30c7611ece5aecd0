package jobs

import (
	"slices"
	"strconv"
	"strings"

	"flowhq/queries/spreadsheet"
	"flowhq/queries/tables"
)

// ImportLimits bound a file that is imported.
var ImportLimits = spreadsheet.Limits{Bytes: 10 << 20, Rows: 50_000, Columns: 200, Cell: maxLines}

// ImportMode says what an import does with records that are there already.
type ImportMode string

// The modes of an import.
const (
	ImportCreate ImportMode = "CREATE" // every row is a new record
	ImportUpdate ImportMode = "UPDATE" // every row is one that is there, found by the key
	ImportBoth   ImportMode = "BOTH"   // a new record where the key finds none
)

// ImportMapping says what the columns of a file mean.
type ImportMapping struct {
	Columns  []string          `json:"columns"` // of each column of the file: the table's column, or "" to leave it out
	Mode     ImportMode        `json:"mode"`
	Key      string            `json:"key"` // the column that finds a record; not of ImportCreate
	Defaults map[string]string `json:"defaults"`
}

// ImportFailedColumn is where the fields of a refusal name a column of the file, the first with 0.
func ImportFailedColumn(i int) string { return "column_" + strconv.Itoa(i) }

// ImportFailedDefault is where they name a default.
func ImportFailedDefault(column string) string { return "default_" + column }

// Importable tells what can be imported into a table: new records, changes of those that are there. A new API key is shown once, to
// whoever makes it, so none comes from a file.
func Importable(t *tables.Table) (create, change bool) {
	for _, c := range t.Columns {
		change = change || c.Editable(false)
	}
	return t.Creatable && t.Name != "api_keys", change
}

// ofTenant are the columns of a tenant's configuration that a tenant is made with.
var ofTenant = []string{"business_name", "template_type", "language"}

// ImportColumns are the columns that a file can fill, or that find a record.
func ImportColumns(registry *tables.Registry, t *tables.Table) (list []*tables.Column) {
	create, _ := Importable(t)
	for _, c := range t.Columns {
		if c.Editable(false) || create && c.Editable(true) || ImportKey(c) {
			list = append(list, c)
		}
	}
	if t.Name == "tenants" {
		for _, name := range ofTenant {
			list = append(list, registry.Table("tenant_configs").Column(name))
		}
	}
	return list
}

// ImportKey tells whether a column's value can say which record a row means.
func ImportKey(c *tables.Column) bool {
	t := c.Of()
	return len(t.Key) == 1 && t.Key[0] == c || c.Names || c.NamesInTenant
}

// ImportRequired tells whether a new record needs a value there.
func ImportRequired(t *tables.Table, c *tables.Column) bool {
	switch {
	case t.Name == "tenants":
		return c.Name == "name" || c.Name == "phone_number" || slices.Contains(ofTenant, c.Name)
	case t.Name == "users" && c.Name == "admin_role":
		return true
	}
	return c.Editable(true) && c.Required()
}

// check refuses a mapping that cannot work, with what is wrong at each column.
func (m ImportMapping) check(registry *tables.Registry, t *tables.Table, header []string) error {
	var f form
	create, change := Importable(t)
	columns, at := map[string]*tables.Column{}, map[string]int{}
	for _, c := range ImportColumns(registry, t) {
		columns[c.Name] = c
	}
	if len(m.Columns) != len(header) {
		return conflict("This form is about another file. Load the page again.")
	}
	for i, name := range m.Columns {
		if name == "" {
			continue
		}
		if columns[name] == nil {
			f.fail(ImportFailedColumn(i), "There is no such column.")
		} else if first, twice := at[name]; twice {
			f.fail(ImportFailedColumn(i), "Column %d is this already.", first+1)
		} else {
			at[name] = i
		}
	}
	given := func(name string) bool {
		_, mapped := at[name]
		return mapped || m.Defaults[name] != ""
	}
	switch m.Mode {
	case ImportCreate, ImportBoth:
		if !create {
			f.fail("mode", "%s are not made like this; those that are there can be changed.", t.Plural)
			break
		}
		for _, c := range ImportColumns(registry, t) {
			if ImportRequired(t, c) && !given(c.Name) {
				f.fail(ImportFailedDefault(c.Name), "A new %s needs this. Choose a column for it, or give a value for all.", t.Singular)
			}
		}
	case ImportUpdate:
		if !change {
			f.fail("mode", "%s cannot be changed like this.", t.Plural)
		}
	default:
		f.fail("mode", "Choose what to do with records that are there already.")
	}
	if m.Mode == ImportUpdate || m.Mode == ImportBoth {
		switch key := columns[m.Key]; {
		case key == nil || !ImportKey(key) || key.Of() != t:
			f.fail("key", "Choose the column that says which %s a row means.", t.Singular)
		default:
			if _, mapped := at[m.Key]; !mapped {
				f.fail("key", "No column of the file is %s.", key.Label)
			} else if key.NamesInTenant && !key.Names && !given("tenant_id") {
				f.fail("key", "%s is known within a tenant only: choose the column of the tenant, too.", key.Label)
			}
		}
	}
	if len(at) == 0 {
		f.fail("mode", "Choose at least one column.")
	}
	return f.err()
}

// Guess proposes a mapping from the names of the columns: as the database has them, as people read them, as our export writes them.
func Guess(registry *tables.Registry, t *tables.Table, header []string) ImportMapping {
	create, change := Importable(t)
	m := ImportMapping{Columns: make([]string, len(header)), Mode: ImportUpdate, Defaults: map[string]string{}}
	taken := map[string]bool{}
	for i, name := range header {
		for _, c := range ImportColumns(registry, t) {
			if plain := plainWord(name); plain != "" && !taken[c.Name] && (plain == plainWord(c.Name) || plain == plainWord(c.Label) || slices.Contains(alsoCalled[c.Name], plain)) {
				m.Columns[i], taken[c.Name] = c.Name, true
				break
			}
		}
	}
	if create {
		m.Mode = ImportCreate
	}
	for _, c := range ImportColumns(registry, t) {
		if change && ImportKey(c) && c.Of() == t && taken[c.Name] && (c.Names || !c.NamesInTenant || taken["tenant_id"]) {
			if m.Key = c.Name; create {
				m.Mode = ImportBoth
			}
			break
		}
	}
	return m
}

// alsoCalled are names that people give columns, in English and Swahili, without spaces.
var alsoCalled = map[string][]string{
	"name": {"fullname", "customer", "client", "jina", "jinakamili", "mteja"}, "phone_number": {"phone", "mobile", "tel", "telephone", "whatsapp", "whatsappnumber", "number", "simu", "namba", "nambayasimu"},
	"phone": {"phonenumber", "mobile", "tel", "telephone", "simu"}, "email": {"mail", "emailaddress", "baruapepe"}, "tenant_id": {"business", "businessname", "biashara"},
	"business_name": {"business", "biashara", "jinalabiashara"}, "template_type": {"template", "bot", "type"}, "language": {"lang", "lugha"}, "admin_role": {"role"},
}

// plainWord is a name without its capitals, spaces and punctuation.
func plainWord(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-.:()/\u00a0", r) {
			return -1
		}
		return r
	}, strings.ToLower(s))
}
