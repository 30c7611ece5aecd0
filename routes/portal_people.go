package routes

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// PortalPeoplePage is the owner's page of staff (template "portal/people").
type PortalPeoplePage struct {
	Page
	People ColleaguePanel
}

// ColleaguePanel lists who signs in for a business (template "fragments/colleagues", id "colleagues").
// POST /portal/people with name, email; /portal/people/<user>/invite and /remove.
type ColleaguePanel struct {
	Lang        string
	People      []ColleagueView
	Name, Email string // as typed
	Errors      FieldErrors
	Invited     string // the name of whom a link went to just now
	MailOn      bool
}

// ColleagueView is one account of the business.
type ColleagueView struct {
	ID, Name, Email, Role string
	Pending               bool // has not chosen a password yet
	Staff                 bool // can be removed
}

func (s *server) colleagues(ctx context.Context, v *visitor) (ColleaguePanel, error) {
	p := ColleaguePanel{Lang: v.Lang, MailOn: s.Settings.Now().MailOn()}
	err := s.inTenant(ctx, v.Tenant, func(q *queries.Queries) error {
		rows, err := q.ListColleagues(ctx, v.Tenant)
		for _, r := range rows {
			p.People = append(p.People, ColleagueView{
				ID: r.ID.String(), Name: r.Name, Email: r.Email, Role: words.T(v.Lang, "role."+string(r.Role)),
				Pending: !r.HasPassword, Staff: r.Role == queries.UserRoleSTAFF,
			})
		}
		return err
	})
	return p, err
}

func (s *server) portalPeoplePage(c *fiber.Ctx) error {
	return s.colleaguesWith(c, http.StatusOK, func(*ColleaguePanel) {}, "")
}

// colleaguesWith answers with the list as it is now and what is special this time.
func (s *server) colleaguesWith(c *fiber.Ctx, status int, special func(*ColleaguePanel), toast string) error {
	v := visitorOf(c)
	panel, err := s.colleagues(c.UserContext(), v)
	if err != nil {
		return err
	}
	special(&panel)
	if wantsHTMX(c) {
		return s.fragment(c, status, "fragments/colleagues", panel, Toast{Kind: "ok", Text: toast})
	}
	if toast != "" {
		if err := s.toast(c, "ok", toast); err != nil {
			return err
		}
		return c.Redirect("/portal/people", http.StatusSeeOther)
	}
	return s.render(c, status, "portal/people", PortalPeoplePage{Page: s.page(c, words.T(v.Lang, "people.title"), "account"), People: panel})
}

// portalPersonInvite adds a member of staff and sends them a link.
func (s *server) portalPersonInvite(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	name := strings.TrimSpace(c.FormValue("name"))
	email, emailProblem := jobs.CleanEmail(c.FormValue("email"))
	fields := refusalsIn(v.Lang, FieldErrors{"name": jobs.CheckText(name, jobs.MaxName, false), "email": emailProblem})
	if len(fields) == 0 { // guessing who has an account is slow
		if wait, err := s.takeAttempts(ctx, "invite:"+v.Tenant.String()+" "+email, "invite:"+v.Tenant.String()); err != nil {
			return err
		} else if wait > 0 {
			return &Error{Status: http.StatusTooManyRequests, RetryIn: wait, Message: tooManyTries(wait)}
		}
		person := queries.CreatePersonParams{ID: newID(), TenantID: v.Tenant, Name: name, Email: email, Role: queries.UserRoleSTAFF}
		err := s.change(c, func(tx pgx.Tx) error {
			if err := queries.New(tx).CreatePerson(ctx, person); err != nil {
				return jobs.PersonRefusal(err)
			}
			return s.inviteTo(ctx, tx, v, person.ID, name, email, "PERSON_ADDED")
		})
		if refusal, ok := formRefusal(err); ok {
			fields = refusalsIn(v.Lang, refusal.Fields)
		} else if err != nil {
			return err
		}
	}
	if len(fields) > 0 {
		return s.colleaguesWith(c, http.StatusUnprocessableEntity, func(p *ColleaguePanel) {
			p.Name, p.Email, p.Errors = c.FormValue("name"), c.FormValue("email"), fields
		}, "")
	}
	return s.colleaguesWith(c, http.StatusOK, func(p *ColleaguePanel) { p.Invited = name }, words.T(v.Lang, "people.invited", "name", name))
}

// inviteTo orders the mail with which somebody chooses a password, in the inviter's language.
func (s *server) inviteTo(ctx context.Context, tx pgx.Tx, v *visitor, user uuid.UUID, name, email, event string) error {
	if err := personEvent(ctx, queries.New(tx), v.Tenant, v, event, name); err != nil {
		return err
	}
	return s.orderLink(ctx, tx,
		queries.CreateAccountLinkParams{Purpose: queries.LinkPurposeSETPASSWORD, UserID: user, ExpiresAt: time.Now().Add(inviteLife)},
		jobs.Mail{Kind: jobs.MailInvite, To: email, Name: name, Lang: v.Lang, Business: v.Business})
}

// colleague reads the staff the path names, through the tenant door: nobody of another business is there.
func (s *server) colleague(c *fiber.Ctx) (p queries.GetPersonRow, err error) {
	v, ctx := visitorOf(c), c.UserContext()
	id, err := uuid.Parse(c.Params("user"))
	if err != nil {
		return p, notFound("This account")
	}
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		p, err = q.GetPerson(ctx, queries.GetPersonParams{TenantID: v.Tenant, UserID: id})
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && p.Role != queries.UserRoleSTAFF {
		return p, notFound("This account")
	}
	return p, err
}

// portalPersonLink sends staff a new link; those before stop working.
func (s *server) portalPersonLink(c *fiber.Ctx) error {
	p, err := s.colleague(c)
	if err != nil {
		return err
	}
	ctx, v := c.UserContext(), visitorOf(c)
	err = s.change(c, func(tx pgx.Tx) error {
		return s.inviteTo(ctx, tx, v, p.ID, p.Name, p.Email, "INVITE_CREATED")
	})
	if err != nil {
		return err
	}
	return s.colleaguesWith(c, http.StatusOK, func(panel *ColleaguePanel) { panel.Invited = p.Name }, words.T(v.Lang, "people.invited", "name", p.Name))
}

// portalPersonRemove takes a staff account away; its sessions end with it.
func (s *server) portalPersonRemove(c *fiber.Ctx) error {
	p, err := s.colleague(c)
	if err != nil {
		return err
	}
	ctx, v := c.UserContext(), visitorOf(c)
	err = s.change(c, func(tx pgx.Tx) error {
		q := queries.New(tx)
		if _, err := q.DeletePerson(ctx, queries.DeletePersonParams{TenantID: v.Tenant, UserID: p.ID}); err != nil {
			return err
		}
		return personEvent(ctx, q, v.Tenant, v, "PERSON_REMOVED", p.Name)
	})
	if err != nil {
		return err
	}
	return s.colleaguesWith(c, http.StatusOK, func(*ColleaguePanel) {}, words.T(v.Lang, "people.removed", "name", p.Name))
}
