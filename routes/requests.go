package routes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
)

// RequestsPage lists the newest set-up request of each business (template "admin/requests").
type RequestsPage struct {
	Page
	List RequestList
}

// RequestList is the list (template "fragments/requests", element id "requests"). POST /admin/requests with do (review,
// approve, reject) and id (one or more) for those that are chosen, or one ("approve <id>") for one row; to reject, with reason.
type RequestList struct {
	Rows    []RequestRow
	Waiting int
	Reason  string // as typed
	Error   string
	Notice  string // why the reader may answer none; empty: they may
}

// RequestRow is one request (template "fragments/request_row", element id "request-<TenantID>").
type RequestRow struct {
	ID, TenantID                                     string
	Business, Kind, Template, Language, Phone, Hours string
	Owner, Email                                     string
	State                                            State
	Reason                                           string
	Sent                                             time.Time
	Open                                             bool // waits for an answer
	New                                              bool // nobody looks at it yet
}

var requestStates = map[queries.SetupRequestStatus]State{
	queries.SetupRequestStatusSUBMITTED: {"SUBMITTED", "Waiting", ToneWaiting}, queries.SetupRequestStatusREVIEWING: {"REVIEWING", "In review", ToneWaiting},
	queries.SetupRequestStatusAPPROVED: {"APPROVED", "Approved, not linked yet", ToneIdle}, queries.SetupRequestStatusACTIVE: {"ACTIVE", "Active", ToneOK},
	queries.SetupRequestStatusREJECTED: {"REJECTED", "Rejected", ToneFailed},
}

// requestsShown is how many businesses the list shows: those that wait come first.
const requestsShown = 200

func requestRow(r queries.ListNewestSetupRequestsRow) RequestRow {
	q := r.SetupRequest
	row := RequestRow{
		ID: q.ID.String(), TenantID: q.TenantID.String(), Business: q.BusinessName, Kind: plainName(q.BusinessKind),
		Template: labelOf(TemplateChoices(), string(q.TemplateType)), Language: labelOf(LanguageChoices(), string(q.Language)),
		Phone: q.WhatsappNumber, Hours: "Always open", Owner: r.UserName, Email: r.UserEmail, State: requestStates[q.Status], Sent: q.CreatedAt,
		New: q.Status == queries.SetupRequestStatusSUBMITTED,
	}
	row.Open = row.New || q.Status == queries.SetupRequestStatusREVIEWING
	if len(q.HoursJson) > 0 {
		f := NewSetupForm("en")
		f.readHours(q.HoursJson)
		row.Hours = f.From + "–" + f.To
	}
	if q.Reason != nil {
		row.Reason = *q.Reason
	}
	return row
}

// For leaves out what the reader's role does not allow.
func (r RequestRow) For(v *visitor) RequestRow {
	r.Open = r.Open && v.may(rightRecords)
	return r
}

func (s *server) requestList(ctx context.Context, v *visitor) (RequestList, error) {
	rows, err := s.system.ListNewestSetupRequests(ctx, queries.ListNewestSetupRequestsParams{PageSize: requestsShown})
	l := RequestList{Notice: v.lacks(rightRecords)}
	for _, r := range rows {
		row := requestRow(r)
		if row.Open {
			l.Waiting++
		}
		l.Rows = append(l.Rows, row.For(v))
	}
	return l, err
}

func (s *server) requestsPage(c *fiber.Ctx) error {
	list, err := s.requestList(c.UserContext(), visitorOf(c))
	if err != nil {
		return err
	}
	page := RequestsPage{Page: s.page(c, "Set-up requests", "setup_requests"), List: list}
	page.StreamURL = "/admin/requests/stream"
	return s.render(c, http.StatusOK, "admin/requests", page)
}

// requestsAnswer answers the chosen requests, each for itself: one that cannot be does not hold up the others.
func (s *server) requestsAnswer(c *fiber.Ctx) error {
	ctx, actor := c.UserContext(), visitorOf(c).actor()
	do, word := c.FormValue("do"), ""
	ids := chosen(c)
	if one, id, is := strings.Cut(c.FormValue("one"), " "); is { // a row's own button
		do, ids = one, nil
		if id, err := uuid.Parse(id); err == nil {
			ids = append(ids, id)
		}
	}
	var act func(uuid.UUID) error
	switch do {
	case "review":
		act, word = func(id uuid.UUID) error { return s.Commands.ReviewSetup(ctx, id, actor) }, "in review"
	case "approve":
		act, word = func(id uuid.UUID) error { return s.Commands.ApproveSetup(ctx, id, actor) }, "approved"
	case "reject":
		act, word = func(id uuid.UUID) error { return s.Commands.RejectSetup(ctx, id, c.FormValue("reason"), actor) }, "rejected"
	}
	if act == nil || len(ids) == 0 {
		return s.requestsWith(c, http.StatusUnprocessableEntity, "Choose at least one request first.", "")
	}
	done, problem := 0, ""
	for _, id := range ids {
		err := act(id)
		var refusal *jobs.Error
		switch {
		case err == nil:
			done++
		case errors.As(err, &refusal):
			problem = refusal.Message
			if reason := refusal.Fields["reason"]; reason != "" {
				problem = "Say why: the owner reads it and can correct the request."
			}
		default:
			return err
		}
	}
	status, said := http.StatusOK, ""
	if done > 0 {
		said = fmt.Sprintf("%d %s.", done, word)
	} else {
		status = http.StatusUnprocessableEntity
	}
	return s.requestsWith(c, status, problem, said)
}

// chosen reads the ids of a form, one or many.
func chosen(c *fiber.Ctx) (ids []uuid.UUID) {
	for _, raw := range c.Request().PostArgs().PeekMulti("id") {
		if id, err := uuid.ParseBytes(raw); err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *server) requestsWith(c *fiber.Ctx, status int, problem, toast string) error {
	list, err := s.requestList(c.UserContext(), visitorOf(c))
	if err != nil {
		return err
	}
	list.Error = problem
	if status != http.StatusOK {
		list.Reason = c.FormValue("reason")
	}
	if wantsHTMX(c) {
		return s.fragment(c, status, "fragments/requests", list, Toast{Kind: "ok", Text: toast})
	}
	if status == http.StatusOK {
		return s.done(c, "/admin/requests", "", nil, toast)
	}
	return s.render(c, status, "admin/requests", RequestsPage{Page: s.page(c, "Set-up requests", "setup_requests"), List: list})
}

// requestsStream keeps the rows up to date; a new business comes on top.
func (s *server) requestsStream(c *fiber.Ctx) error {
	v := visitorOf(c)
	send := func(ctx context.Context, w *eventWriter, tenant uuid.UUID) error {
		rows, err := s.system.ListNewestSetupRequests(ctx, queries.ListNewestSetupRequestsParams{OnlyTenant: tenant, PageSize: requestsShown})
		if err != nil {
			return err
		}
		for _, r := range slices.Backward(rows) {
			if err := s.sendFragments(w, "tenant", fragment{"fragments/request_row", requestRow(r).For(v)}); err != nil {
				return err
			}
		}
		return nil
	}
	return s.stream(c, feed{
		sub: s.Hub.Subscribe(uuid.Nil), allowed: s.alive(v),
		present: func(ctx context.Context, w *eventWriter) error { return send(ctx, w, uuid.Nil) },
		changed: func(ctx context.Context, w *eventWriter, events []Event) error {
			for _, e := range events {
				if e.Kind == KindTenant {
					if err := send(ctx, w, e.Tenant); err != nil {
						return err
					}
				}
			}
			return nil
		},
	})
}
