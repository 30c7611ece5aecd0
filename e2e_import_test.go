package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"
)

// An operator imports a spreadsheet's file with the keyboard: it is refused where it is broken, mapped, tried, mapped anew, imported while they look
// elsewhere; what is refused comes back as a file that can be corrected.
func TestCSVImport(t *testing.T) {
	t.Parallel()
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	neema := p.program(s).tenant("Neema Salon", "+255712000411", "BOOKING", "EN")
	asha := uuid.Must(uuid.NewV7())
	p.exec("INSERT INTO contacts (id, tenant_id, name, phone_number) VALUES ($1, $2, 'Asha', '+255754000001')", asha, neema)
	b := newTab(t, newBrowser(t))
	p.signIn(b, s)

	var rows strings.Builder
	rows.WriteString("Jina;Simu;Anapenda\r\nAsha Mushi;0754 000 001;chai\r\nZuri;12;kahawa\r\nFatuma wa Bahari, Kinondoni;'+255754000003;\r\n")
	for n := range 297 {
		fmt.Fprintf(&rows, "Mteja %d;07541%05d;chai\r\n", n+1, n+1)
	}
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	upload := func(path string) {
		b.t.Helper()
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#import-file"), []string{path}), chromedp.Focus(chromedp.CSS("#import-upload .btn")), chromedp.KeyEvent(kb.Enter))
	}
	enter := func(css string) {
		b.t.Helper()
		b.do(chromedp.Focus(chromedp.CSS(css)), chromedp.KeyEvent(kb.Enter))
	}

	count := func(sql string, args ...any) (n int) {
		t.Helper()
		if err := p.db.System.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}

	b.open(s.url + "/admin/data/contacts")
	b.click(`.list-tools a[href$="/import"]`)
	b.has("#import-upload", "At most 10 MB")
	b.shootBoth("1-upload")
	upload(file("broken.csv", "name,phone\nAsha,\"0754\n"))
	b.has("#import-file-e", "Line 2 has a quotation mark")
	b.expect("status of 422")
	b.sound("a refused file")
	upload(file("wateja.csv", rows.String()))

	// Two columns are guessed, the third is none of the table's. The tenant is missing.
	b.has("#import-mapping", "Anapenda")
	b.until(`document.querySelector("[name=column_0]").value === "name" && document.querySelector("[name=column_1]").value === "phone_number" && document.querySelector("[name=column_2]").value === ""`)
	b.stay()
	enter("#import-mapping .primary")
	b.has("#import-mapping .import-defaults .err", "A new contact needs this")
	b.expect("status of 422")
	b.same("what is refused of a mapping")
	b.sound("the mapping")
	b.shootBoth("2-mapping")
	b.scheme("dark")
	b.shootBoth("2-mapping-dark")
	b.scheme("light")
	b.fill("#m-default_tenant_id", "neema salon")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has("#import", "Tried, nothing imported yet")
	b.has("#import .import-go", "Import 298 rows")
	b.has("#import", "Another contact has this already") // Asha's number: every row was to be a new contact
	if n := count("SELECT count(*) FROM contacts"); n != 1 {
		t.Errorf("a try left %d contacts", n)
	}

	// So those that are there are to be changed, too.
	b.click(`#import .import-go a[href$="map=1"]`)
	b.has("#import-mapping", "Back to the report")
	b.do(chromedp.Focus(chromedp.CSS("[name=mode][value=CREATE]")), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown))
	b.until(`document.querySelector("[name=mode]:checked").value === "BOTH"`)
	b.do(chromedp.SetValue(chromedp.CSS("#m-key"), "phone_number"))
	enter("#import-mapping .primary")
	b.has("#import .import-go", "Import 299 rows")
	b.has("#import .import-changes", "Asha Mushi")
	b.sound("the report")
	b.shootBoth("3-report")
	b.scheme("dark")
	b.shootBoth("3-report-dark")
	b.scheme("light")
	b.click(`#import .chip[href$="REFUSED"]`)
	b.until(`document.querySelectorAll(".import-row").length === 1`)
	b.has(".import-row", "This is not a phone number")
	refused := eval[string](b, `fetch(document.querySelector("#import a[download]").href).then((r) => r.text())`)
	if want := "Jina,Simu,Anapenda,Why refused\r\nZuri,12,kahawa,\"phone_number: This is not a phone number; write it like +255712345678.\"\r\n"; refused != want {
		t.Errorf("the file of refused rows is %q", refused)
	}

	// Somebody is at a contact of the second hundred, so the import waits there, and the operator looks at the list meanwhile.
	hold, err := p.db.System.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Rollback(t.Context()) //nolint:errcheck // it is over by then
	if _, err := hold.Exec(t.Context(), "INSERT INTO contacts (id, tenant_id, name, phone_number) VALUES ($1, $2, 'Same', '+255754100150')", uuid.Must(uuid.NewV7()), neema); err != nil {
		t.Fatal(err)
	}
	enter("#import .import-go button")
	b.has(".bulk-of", "100 of 300 rows")
	b.shootBoth("4-run")
	b.open(s.url + "/admin/data/contacts")
	b.has(".at-work", "100 of 300 rows")
	b.click(".at-work a")
	b.until(`window.streamOpen`)
	b.stay()
	if err := hold.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.has("#import", "Imported")
	b.same("the end of an import")
	b.shootBoth("5-done")
	if n := count("SELECT count(*) FROM contacts WHERE tenant_id = $1 AND (name LIKE 'Mteja %' OR name = 'Fatuma wa Bahari, Kinondoni' AND phone_number = '+255754000003' OR name = 'Asha Mushi' AND id = $2)", neema, asha); n != 299 {
		t.Errorf("%d contacts are as the file says, want 299", n)
	}
	if n := count("SELECT count(*) FROM audit_log WHERE table_name = 'contacts' AND actor_kind = 'ADMIN'"); n != 300 {
		t.Errorf("%d entries of the audit log name the operator, want 299 contacts and the import", n)
	}
	b.open(s.url + "/admin/data/imports")
	b.rows(1)
	b.quiet("imports")
}
