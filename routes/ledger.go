package routes

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/queries"
	"flowhq/queries/ledger"
)

const (
	ledgerBase    = "/admin/ledger"
	ledgerRows    = 500 // tenants on the page
	ledgerPerKind = 50  // differences of one kind on a tenant's page
)

// ledgerSpan is a time that a person may look back on.
type ledgerSpan struct {
	name   string // in the address
	label  string
	length time.Duration
}

var ledgerSpans = []ledgerSpan{
	{"1h", "Last hour", time.Hour}, {"24h", "Last 24 hours", 24 * time.Hour},
	{"7d", "Last 7 days", 7 * 24 * time.Hour}, {"30d", "Last 30 days", 30 * 24 * time.Hour},
}

// ledgerPage shows every tenant's ledger, those that do not balance first.
func (s *server) ledgerPage(c *fiber.Ctx) error {
	page := LedgerPage{Page: s.page(c, "Ledger", "ledger")}
	accounts, err := s.readLedger(c, &page.Scope, ledgerBase, ledger.Options{})
	if err != nil {
		return err
	}
	balanced := make([]LedgerRow, 0, len(accounts))
	for _, a := range accounts {
		if row := ledgerRow(a, page.Scope.query()); a.Wrong() > 0 {
			page.Rows = append(page.Rows, row)
		} else {
			balanced = append(balanced, row)
		}
	}
	page.Unbalanced = len(page.Rows)
	page.Rows = append(page.Rows, balanced...)
	if more := len(page.Rows) - ledgerRows; more > 0 {
		page.Rows, page.More = page.Rows[:ledgerRows], more
	}
	return s.render(c, http.StatusOK, "admin/ledger", page)
}

// tenantLedger shows one tenant's ledger, and its differences message by message.
func (s *server) tenantLedger(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	base := tenantBase(t.Tenant.ID)
	page := TenantLedgerPage{Page: s.page(c, "Ledger of "+t.Tenant.Name, "ledger"), Name: t.Tenant.Name, Phone: t.Tenant.PhoneNumber, TenantURL: base}
	accounts, err := s.readLedger(c, &page.Scope, base+"/ledger", ledger.Options{Tenants: []uuid.UUID{t.Tenant.ID}, PerKind: ledgerPerKind})
	if err != nil {
		return err
	}
	page.LedgerURL = ledgerBase + page.Scope.query()
	for _, a := range accounts { // one, or none that could be read
		page.fill(a)
		if a.Failed > 0 {
			if page.Failures, err = s.ledgerFailures(c.UserContext(), t.Tenant.ID, page.Scope.Since); err != nil {
				return err
			}
		}
	}
	return s.render(c, http.StatusOK, "admin/tenant_ledger", page)
}

// readLedger reads accounts for the time that the address asks for, and notes in the scope how that went.
func (s *server) readLedger(c *fiber.Ctx, scope *LedgerScope, base string, o ledger.Options) ([]ledger.Account, error) {
	asked := c.Query("window", "30d")
	chosen := slices.IndexFunc(ledgerSpans, func(l ledgerSpan) bool { return l.name == asked })
	if chosen < 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "The ledger looks back an hour, a day, a week or a month: window=1h, 24h, 7d or 30d.")
	}
	for i, l := range ledgerSpans {
		scope.Windows = append(scope.Windows, LedgerWindow{Label: l.label, URL: base + "?window=" + l.name, Active: i == chosen})
	}
	scope.CountedAt = time.Now()
	o.Settling, o.Patience = ledger.Settling, ledger.Patience
	accounts, window, err := ledger.ReadQuickly(c.UserContext(), s.Database.System, o, ledgerSpans[chosen].length)
	if err != nil && ledger.TooSlow(err) {
		s.Log.Warn("the ledger could not be counted in time", "request", requestID(c), "err", err)
		scope.Failed = true
		return nil, nil
	}
	scope.Since = scope.CountedAt.Add(-window)
	for _, l := range ledgerSpans {
		if l.length == window && window < ledgerSpans[chosen].length {
			scope.Cut = strings.ToLower(l.label)
		}
	}
	return accounts, err
}

// ledgerFailures are the reasons of the messages that failed.
func (s *server) ledgerFailures(ctx context.Context, tenant uuid.UUID, since time.Time) (all []LedgerFailure, err error) {
	rows, err := s.system.LedgerFailures(ctx, queries.LedgerFailuresParams{TenantID: tenant, Since: since})
	for _, r := range rows {
		all = append(all, LedgerFailure{Reason: r.Failure, Messages: Count(r.Messages), Latest: r.Latest})
	}
	return all, err
}
