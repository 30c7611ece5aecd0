package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"flowhq/bot"
	"flowhq/queries"
	"flowhq/templates/words"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// BusinessKinds are the kinds of business an owner can choose from; their words are in the group business of templates/words/locales.
var BusinessKinds = []string{"SALON", "CLINIC", "WORKSHOP", "SHOP", "RESTAURANT", "SCHOOL", "OFFICE", "GENERAL"}

// MaxReason is how long the reason of a rejection may be, in characters.
const MaxReason = 500

// SetupRequest is what an owner asks to have set up.
type SetupRequest struct {
	BusinessName, BusinessKind, TemplateType, Language, WhatsAppNumber string
	Hours                                                              []byte // see bot.ParseHours; nil: always open
}

func errNoRequest(cause error) error {
	return &Error{Code: NotFound, Message: "There is no such set-up request.", Err: cause}
}

// SubmitSetup sends an owner's set-up request. The first one makes the tenant, not approved yet; one that follows a rejection
// corrects it. A second request while one is open is a Conflict and changes nothing.
func (c *Commands) SubmitSetup(ctx context.Context, userID uuid.UUID, r SetupRequest, actor Actor) (requestID uuid.UUID, err error) {
	var f form
	p := queries.InsertSetupRequestParams{
		ID: newID(), UserID: userID, BusinessName: f.text("business_name", r.BusinessName, MaxName, false),
		BusinessKind: strings.ToUpper(r.BusinessKind), TemplateType: f.template("template_type", r.TemplateType),
		Language: f.language("language", r.Language), WhatsappNumber: f.phone("whatsapp_number", r.WhatsAppNumber), HoursJson: r.Hours,
	}
	if !slices.Contains(BusinessKinds, p.BusinessKind) {
		f.fail("business_kind", "Choose what fits your business best.")
	}
	if r.Hours != nil {
		if _, err := bot.ParseHours(r.Hours); err != nil {
			f.fail("hours", "Closing must be after opening on each day that is open.")
		}
	}
	if err := f.err(); err != nil {
		return uuid.Nil, err
	}
	err = c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		who, err := q.LockApplicant(ctx, userID)
		if err != nil {
			return err
		}
		if who.Role != queries.UserRoleOWNER {
			return conflict("Only the owner of a business can ask for its set-up.")
		}
		if who.Approved {
			return conflict("Your business is set up already.")
		}
		if p.TenantID, err = applicantTenant(ctx, q, who, p); err != nil {
			return err
		}
		if err := q.InsertSetupRequest(ctx, p); err != nil {
			return requestOpen(err)
		}
		if err := event(ctx, q, p.TenantID, actor, "SETUP_SUBMITTED", nil); err != nil {
			return err
		}
		return c.mailSubmitted(ctx, tx, q, who, p.BusinessName)
	})
	return p.ID, err
}

// applicantTenant is the tenant of the request: a new one, or the one of a request before, as the owner wants it now.
func applicantTenant(ctx context.Context, q *queries.Queries, who queries.LockApplicantRow, p queries.InsertSetupRequestParams) (uuid.UUID, error) {
	if who.TenantID == nil {
		t := queries.CreateTenantParams{
			ID: newID(), ConfigID: newID(), SessionID: newID(), WorkerID: newID(), Name: p.BusinessName, BusinessName: p.BusinessName,
			PhoneNumber: p.WhatsappNumber, TemplateType: p.TemplateType, Language: p.Language,
		}
		var err error
		if t.Shard, err = q.EmptiestShard(ctx); err != nil {
			return uuid.Nil, err
		}
		if err := q.CreateTenant(ctx, t); err != nil {
			return uuid.Nil, err
		}
		if err := q.GiveTenant(ctx, queries.GiveTenantParams{UserID: who.ID, TenantID: t.ID}); err != nil {
			return uuid.Nil, err
		}
		return t.ID, setHours(ctx, q, t.ID, p)
	}
	id := *who.TenantID
	if open, err := q.HasOpenSetupRequest(ctx, id); err != nil {
		return uuid.Nil, err
	} else if open {
		return uuid.Nil, errRequestOpen
	}
	_, err := q.UpdateTenant(ctx, queries.UpdateTenantParams{TenantID: id, Name: &p.BusinessName, PhoneNumber: &p.WhatsappNumber})
	if err != nil {
		return uuid.Nil, err
	}
	return id, setHours(ctx, q, id, p)
}

// setHours writes what the request says into the tenant's configuration.
func setHours(ctx context.Context, q *queries.Queries, tenantID uuid.UUID, p queries.InsertSetupRequestParams) error {
	return q.UpdateTenantConfig(ctx, queries.UpdateTenantConfigParams{
		TenantID: tenantID, TemplateType: &p.TemplateType, BusinessName: &p.BusinessName, Language: &p.Language, SetHours: true, HoursJson: p.HoursJson,
	})
}

var errRequestOpen = &Error{Code: Conflict, Message: "Your request is with us already."}

// requestOpen words the refusal of the index that keeps requests apart.
func requestOpen(err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == pgerrcode.UniqueViolation && pg.ConstraintName == "setup_requests_one_open" {
		return errRequestOpen
	}
	return err
}

func (c *Commands) mailSubmitted(ctx context.Context, tx pgx.Tx, q *queries.Queries, who queries.LockApplicantRow, business string) error {
	err := c.Mail(ctx, tx, Mail{Kind: MailSetupSent, To: who.Email, Name: who.Name, Lang: mailLang(who.Language), Business: business, Path: "/portal/setup"})
	if err != nil {
		return err
	}
	admins, err := q.ListAdminEmails(ctx)
	if err != nil {
		return err
	}
	for _, a := range admins {
		if err := c.Mail(ctx, tx, Mail{Kind: MailSetupNew, To: a.Email, Name: a.Name, Lang: words.English, Business: business, Path: "/admin/requests"}); err != nil {
			return err
		}
	}
	return nil
}

func mailLang(own *queries.Language) string {
	if own == nil {
		return words.Swahili
	}
	return words.Choose(string(*own))
}

// ReviewSetup says that somebody looks at a request.
func (c *Commands) ReviewSetup(ctx context.Context, requestID uuid.UUID, actor Actor) error {
	return c.answerSetup(ctx, requestID, actor, answer{to: queries.SetupRequestStatusREVIEWING, kind: "SETUP_REVIEWING",
		from: []queries.SetupRequestStatus{queries.SetupRequestStatusSUBMITTED}})
}

// RejectSetup answers no, with the reason that the owner reads and can do something about.
func (c *Commands) RejectSetup(ctx context.Context, requestID uuid.UUID, reason string, actor Actor) error {
	var f form
	reason = f.text("reason", reason, MaxReason, true)
	if err := f.err(); err != nil {
		return err
	}
	return c.answerSetup(ctx, requestID, actor, answer{to: queries.SetupRequestStatusREJECTED, kind: "SETUP_REJECTED", mail: MailSetupRejected, reason: &reason})
}

// ApproveSetup lets the business in: the tenant has its number, and its worker starts and asks for the scan.
func (c *Commands) ApproveSetup(ctx context.Context, requestID uuid.UUID, actor Actor) error {
	return c.answerSetup(ctx, requestID, actor, answer{to: queries.SetupRequestStatusAPPROVED, kind: "SETUP_APPROVED", mail: MailSetupApproved,
		then: func(ctx context.Context, tx pgx.Tx, q *queries.Queries, r queries.LockSetupRequestRow) error {
			tenant := r.SetupRequest.TenantID
			err := q.ApproveTenant(ctx, queries.ApproveTenantParams{TenantID: tenant, Name: r.SetupRequest.BusinessName, PhoneNumber: r.SetupRequest.WhatsappNumber})
			if err != nil {
				return phoneTaken(err)
			}
			if err := q.SetDesired(ctx, queries.SetDesiredParams{TenantID: tenant, Desired: queries.WorkerStatusRUNNING}); err != nil {
				return err
			}
			_, err = c.insert(ctx, tx, TenantStart{TenantID: tenant}, r.Shard)
			return err
		}})
}

// answer is one step of a request that waits.
type answer struct {
	to     queries.SetupRequestStatus
	from   []queries.SetupRequestStatus // nil: SUBMITTED or REVIEWING
	kind   string                       // of the event
	mail   string                       // to the owner; "": none
	reason *string
	then   func(context.Context, pgx.Tx, *queries.Queries, queries.LockSetupRequestRow) error
}

func (c *Commands) answerSetup(ctx context.Context, requestID uuid.UUID, actor Actor, a answer) error {
	if a.from == nil {
		a.from = []queries.SetupRequestStatus{queries.SetupRequestStatusSUBMITTED, queries.SetupRequestStatusREVIEWING}
	}
	return c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		r, err := q.LockSetupRequest(ctx, requestID)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoRequest(err)
		}
		if err != nil {
			return err
		}
		request := r.SetupRequest
		if !slices.Contains(a.from, request.Status) {
			return conflict("The request of %s is %s already.", request.BusinessName, strings.ToLower(string(request.Status)))
		}
		if a.then != nil {
			if err := a.then(ctx, tx, q, r); err != nil {
				return err
			}
		}
		if err := q.AnswerSetupRequest(ctx, queries.AnswerSetupRequestParams{ID: requestID, Status: a.to, Reason: a.reason, ReviewedBy: actor.UserID}); err != nil {
			return err
		}
		payload := map[string]any{}
		if a.reason != nil {
			payload["reason"] = *a.reason
		}
		if err := event(ctx, q, request.TenantID, actor, a.kind, payload); err != nil {
			return err
		}
		if a.mail == "" {
			return nil
		}
		m := Mail{Kind: a.mail, To: r.UserEmail, Name: r.UserName, Lang: mailLang(r.UserLanguage), Business: request.BusinessName, Path: "/portal/setup"}
		if a.reason != nil {
			m.Reason = *a.reason
		}
		return c.Mail(ctx, tx, m)
	})
}

// HoursOf writes hours that are the same on each open day, as tenant_configs keeps them.
func HoursOf(days []time.Weekday, from, to string) ([]byte, error) {
	week := map[string][][2]string{}
	for _, d := range days {
		week[strings.ToLower(d.String()[:3])] = [][2]string{{from, to}}
	}
	return json.Marshal(week)
}
