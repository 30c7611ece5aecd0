package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"flowhq/database"
	"flowhq/queries"
	"flowhq/queries/ledger"

	"github.com/google/uuid"
)

const (
	ledgerWindow    = 30 * 24 * time.Hour
	ledgerTenants   = 100              // in one read: their messages lie side by side, and no transaction should last too long
	ledgerStatement = 10 * time.Minute // for one look at their messages, however many
	ledgerPerKind   = 10_000           // differences of one kind and tenant that are printed
)

// ledgerFlags are those of doctor --ledger.
type ledgerFlags struct {
	ledger, all bool
	since       time.Duration
}

var defaultLedgerFlags = ledgerFlags{since: ledgerWindow}

func (l *ledgerFlags) define(f *flag.FlagSet) {
	f.BoolVar(&l.ledger, "ledger", false, "compare what came in and went out, tenant by tenant, and list every difference")
	f.DurationVar(&l.since, "since", ledgerWindow, "with --ledger: how far to look back, a `duration`")
	f.BoolVar(&l.all, "all", false, "with --ledger: look at everything ever logged")
}

// doctorLedger prints every tenant's ledger and what is wrong with it. It ends with status 0 where all of them balance.
func (c command) doctorLedger(ctx context.Context, flags ledgerFlags) error {
	switch {
	case !flags.ledger:
		return &settingError{"flowhq doctor: --since and --all belong to --ledger"}
	case flags.since <= 0:
		return &settingError{"flowhq doctor: --since must be longer than nothing, for example 24h"}
	}
	o := ledger.Options{Settling: ledger.Settling, Patience: ledger.Patience, PerKind: ledgerPerKind, Timeout: ledgerStatement}
	if !flags.all {
		o.Since = time.Now().Add(-flags.since)
	}
	return c.withDatabase(ctx, func(db *database.Database) error {
		tenants, err := queries.New(db.System).LedgerTenants(ctx, []uuid.UUID{})
		if err != nil {
			return err
		}
		var wrong []ledger.Account
		printLedgerHead(c.stdout, o.Since)
		for some := range slices.Chunk(tenants, ledgerTenants) {
			o.Tenants = nil
			for _, t := range some {
				o.Tenants = append(o.Tenants, t.ID)
			}
			accounts, err := ledger.Read(ctx, db.System, o)
			if err != nil {
				return err
			}
			for _, a := range accounts {
				printAccount(c.stdout, a)
				if a.Wrong() > 0 {
					wrong = append(wrong, a)
				}
			}
		}
		return printDifferences(c.stdout, wrong, len(tenants))
	})
}

const ledgerName = 28 // characters of a tenant's name

func printLedgerHead(w io.Writer, since time.Time) {
	when := "all messages ever logged"
	if !since.IsZero() {
		when = "messages since " + since.UTC().Format(time.DateTime+" UTC")
	}
	fmt.Fprintf(w, "%s\n\n%-*s", when, ledgerName, "tenant")
	for _, column := range []string{"received", "logged", "decided", "queued", "sent", "acknowledged", "failed", "waiting"} {
		fmt.Fprintf(w, " %*s", max(9, len(column)), column)
	}
	fmt.Fprintln(w)
}

func printAccount(w io.Writer, a ledger.Account) {
	name := []rune(a.Name)
	if len(name) > ledgerName {
		name = append(name[:ledgerName-1], '…')
	}
	fmt.Fprintf(w, "%-*s %9d %9d %9d %9d %9d %12d %9d %9d  ", ledgerName, string(name),
		a.Received, a.Logged, a.Decided, a.Queued, a.Sent, a.Acknowledged, a.Failed, a.Waiting)
	switch n := a.Wrong(); {
	case n == 1:
		fmt.Fprintln(w, "1 difference")
	case n > 1:
		fmt.Fprintf(w, "%d differences\n", n)
	case a.Awaited > 0:
		fmt.Fprintf(w, "balanced, %d asked for again\n", a.Awaited)
	default:
		fmt.Fprintln(w, "balanced")
	}
}

// printDifferences lists what is wrong, a line for each message, and is the error that says so.
func printDifferences(w io.Writer, accounts []ledger.Account, tenants int) error {
	var all int64
	for _, a := range accounts {
		all += a.Wrong()
		fmt.Fprintln(w)
		for _, line := range differenceLines(a) {
			fmt.Fprintln(w, line)
		}
	}
	if all == 0 {
		return nil
	}
	return fmt.Errorf("the ledger does not balance: %d messages do not fit, at %d of %d tenants", all, len(accounts), tenants)
}

// differenceLines says what is wrong with an account, oldest first.
func differenceLines(a ledger.Account) (lines []string) {
	listed := map[ledger.Kind]int64{}
	for _, d := range slices.Backward(a.Differences) {
		listed[d.Kind]++
		way := "to"
		if d.Inbound() {
			way = "from"
		}
		lines = append(lines, oneLine(strings.Join([]string{a.Name, d.At.UTC().Format(time.DateTime + " UTC"), way + " " + d.Customer(),
			d.WaMessageID, d.Kind.Title() + ". " + d.Sentence()}, " | ")))
	}
	for _, kind := range ledger.Kinds() {
		if more := a.Found[kind] - listed[kind]; more > 0 {
			lines = append(lines, fmt.Sprintf("%s | %s: %d more, older ones", a.Name, kind.Title(), more))
		}
	}
	return lines
}

// oneLine keeps what others wrote (customers' names, errors) from steering the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
