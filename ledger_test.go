package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// doctor runs the command in this process, beside whatever serves.
func (p *product) doctor(args ...string) (status int, stdout, stderr string) {
	p.t.Helper()
	var out, errs bytes.Buffer
	c := command{args: append([]string{"doctor"}, args...), getenv: env(p.settings()), stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
	status = c.report(c.run(within(p.t)))
	return status, out.String(), errs.String()
}

// The doctor reads the ledger of a product at work: it balances, and then it names the one message that does not fit.
func TestDoctorLedger(t *testing.T) {
	const salon, asha = "+255712000361", "+255754000461"
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	a := p.program(s)
	tenant := a.tenant("Salon of the Doctor", salon, "BOOKING", "EN")
	a.tenant("Shop without Messages", "+255712000362", "ECOMMERCE", "SW")
	a.link(tenant, salon, p.scan)
	for i := range 3 {
		p.says(asha, salon, "menu")
		p.inbox(asha, i+1)
	}
	a.call("POST", "/tenants/"+tenant+"/messages", map[string]string{"to": asha, "text": "We open at nine."}, nil)
	p.inbox(asha, 4)

	status, out, errs := p.doctor("--ledger")
	if status != 0 || errs != "" {
		t.Fatalf("status %d, stderr %q, stdout:\n%s", status, errs, out)
	}
	var words []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "Salon of the Doctor") {
			words = strings.Fields(line)
		}
	}
	if len(words) != 13 || strings.Join(words[4:8], " ") != "3 3 3 4" || words[12] != "balanced" {
		t.Errorf("the salon's line is %q in:\n%s", words, out)
	}
	if strings.Count(out, "balanced") != 2 || !strings.Contains(out, "received") {
		t.Errorf("not two tenants and a head:\n%s", out)
	}

	if _, err := p.db.System.Exec(within(t), `DELETE FROM message_logs WHERE source = 'BOT' AND seq = (SELECT min(seq) FROM message_logs WHERE source = 'BOT')`); err != nil {
		t.Fatal(err)
	}
	if _, err := p.db.System.Exec(within(t), `INSERT INTO unlogged_messages (tenant_id, wa_message_id, reason, detail, name, sent_at)
		VALUES ($1, 'GONE1', 'GIVEN_UP', E'two\nlines', E'\x1b[31mRed', now())`, uuid.MustParse(tenant)); err != nil {
		t.Fatal(err)
	}
	// A message is under way for some seconds; that time does not pass here.
	if _, err := p.db.System.Exec(within(t), "UPDATE message_logs SET created_at = created_at - interval '1 hour'"); err != nil {
		t.Fatal(err)
	}
	status, out, errs = p.doctor("--ledger", "--all")
	if status != 1 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "2 messages do not fit, at 1 of 2 tenants") {
		t.Errorf("status %d, stderr %q", status, errs)
	}
	var lines []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, " | ") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 2 || !strings.Contains(lines[0], "Answer missing") || !strings.Contains(lines[0], " | from ") ||
		!strings.Contains(lines[1], "GONE1 | Not logged. ") || !strings.Contains(lines[1], "two lines") || strings.Contains(out, "\x1b") {
		t.Errorf("the differences are %q in:\n%s", lines, out)
	}
	if status, out, _ := p.doctor("--ledger", "--since", "30m"); status != 1 || !strings.Contains(out, "1 difference") {
		t.Errorf("of the last half hour: status %d:\n%s", status, out)
	}
	for _, args := range [][]string{{"--all"}, {"--since", "1h"}, {"--ledger", "--since", "-1h"}, {"--ledger", "--since", "soon"}} {
		if status, out, errs := p.doctor(args...); status != 2 || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("doctor %v: status %d, stdout %q, stderr %q", args, status, out, errs)
		}
	}
}
