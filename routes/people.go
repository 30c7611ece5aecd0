package routes

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"flowhq/jobs"
	"flowhq/queries"
)

var roleLabels = map[queries.UserRole]string{queries.UserRoleOWNER: "Owner", queries.UserRoleSTAFF: "Staff"}

func (s *server) peoplePanel(ctx context.Context, v *visitor, tenant uuid.UUID) (PeoplePanel, error) {
	p := PeoplePanel{TenantID: tenant.String(), Role: string(queries.UserRoleOWNER), Notice: v.lacks(rightPeople)}
	rows, err := s.system.ListPeople(ctx, tenant)
	if err != nil {
		return p, err
	}
	for _, r := range rows {
		person := PersonView{ID: r.ID.String(), Name: r.Name, Email: r.Email, Role: roleLabels[r.Role], Pending: r.Pending}
		if r.LastSeenAt.Unix() > 0 {
			person.LastLogin = r.LastSeenAt
		}
		p.People = append(p.People, person)
		if r.Role == queries.UserRoleOWNER {
			p.HasOwner, p.Role = true, string(queries.UserRoleSTAFF)
		}
	}
	return p, nil
}

// personCreate adds an owner or staff and shows their link once.
func (s *server) personCreate(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	ctx, name := c.UserContext(), strings.TrimSpace(c.FormValue("name"))
	email, emailProblem := jobs.CleanEmail(c.FormValue("email"))
	role := queries.UserRole(c.FormValue("role"))
	fields := FieldErrors{"name": jobs.CheckText(name, jobs.MaxName, false), "email": emailProblem}
	if roleLabels[role] == "" {
		fields["role"] = "Choose owner or staff."
	}
	err = invalid(fields)
	var invite *InviteLink
	if err == nil {
		person := queries.CreatePersonParams{ID: newID(), TenantID: t.Tenant.ID, Name: name, Email: email, Role: role}
		err = s.change(c, func(tx pgx.Tx) error {
			q := queries.New(tx)
			if err := q.CreatePerson(ctx, person); err != nil {
				return jobs.PersonRefusal(err)
			}
			if err := personEvent(ctx, q, t.Tenant.ID, visitorOf(c), "PERSON_ADDED", name); err != nil {
				return err
			}
			invite, err = s.newInvite(c, q, person.ID, name, email)
			return err
		})
	}
	if refusal, ok := formRefusal(err); ok {
		return s.peopleWith(c, t, http.StatusUnprocessableEntity, func(p *PeoplePanel) {
			p.Name, p.Email, p.Errors = c.FormValue("name"), c.FormValue("email"), refusal.Fields
			if len(refusal.Fields) == 0 || refusal.Fields["role"] != "" {
				p.Error = refusal.Message
			}
		}, "")
	}
	if err != nil {
		return err
	}
	return s.peopleWith(c, t, http.StatusOK, func(p *PeoplePanel) { p.Invite = invite }, name+" is added.")
}

// newInvite makes a link with which a person chooses a password; those before stop working.
func (s *server) newInvite(c *fiber.Ctx, q *queries.Queries, user uuid.UUID, name, email string) (*InviteLink, error) {
	ctx, token, ends := c.UserContext(), newToken(), time.Now().Add(inviteLife)
	if err := q.DeleteUnusedLinks(ctx, user); err != nil {
		return nil, err
	}
	err := q.CreateLink(ctx, queries.CreateLinkParams{
		ID: newID(), TokenHash: hashToken(token), Purpose: queries.LinkPurposeSETPASSWORD, UserID: &user, ExpiresAt: ends,
	})
	return &InviteLink{Name: name, Email: email, URL: s.publicURL(c) + "/invite/" + token, ExpiresAt: ends}, err
}

func personEvent(ctx context.Context, q *queries.Queries, tenant uuid.UUID, by *visitor, kind, person string) error {
	payload, err := json.Marshal(map[string]string{"by": by.Name, "person": person})
	if err != nil {
		return err
	}
	return q.InsertEvent(ctx, queries.InsertEventParams{ID: newID(), TenantID: tenant, UserID: &by.ID, EventType: kind, PayloadJson: payload})
}

// peopleWith answers with the panel as it is now and what is special this time. Without htmx it is the whole page: a link
// shown once cannot wait for the page after a redirect.
func (s *server) peopleWith(c *fiber.Ctx, t queries.GetTenantRow, status int, special func(*PeoplePanel), toast string) error {
	if wantsHTMX(c) {
		panel, err := s.peoplePanel(c.UserContext(), visitorOf(c), t.Tenant.ID)
		if err != nil {
			return err
		}
		special(&panel)
		return s.fragment(c, status, "fragments/people", panel, Toast{Kind: "ok", Text: toast})
	}
	page, err := s.tenantView(c, t)
	if err != nil {
		return err
	}
	special(&page.People)
	return s.render(c, status, "admin/tenant", page)
}

// person reads the account the path names, which must be this tenant's.
func (s *server) person(c *fiber.Ctx, tenant uuid.UUID) (queries.GetPersonRow, error) {
	id, err := uuid.Parse(c.Params("user"))
	if err != nil {
		return queries.GetPersonRow{}, notFound("This account")
	}
	p, err := s.system.GetPerson(c.UserContext(), queries.GetPersonParams{TenantID: tenant, UserID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return p, notFound("This account")
	}
	return p, err
}

func (s *server) personInvite(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	p, err := s.person(c, t.Tenant.ID)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	var invite *InviteLink
	err = s.change(c, func(tx pgx.Tx) error {
		q := queries.New(tx)
		if err := personEvent(ctx, q, t.Tenant.ID, visitorOf(c), "INVITE_CREATED", p.Name); err != nil {
			return err
		}
		invite, err = s.newInvite(c, q, p.ID, p.Name, p.Email)
		return err
	})
	if err != nil {
		return err
	}
	return s.peopleWith(c, t, http.StatusOK, func(panel *PeoplePanel) { panel.Invite = invite }, "New link made. Links from before do not work any more.")
}

// personRemove takes an account away; its sessions end with it.
func (s *server) personRemove(c *fiber.Ctx) error {
	t, err := s.tenantOf(c)
	if err != nil {
		return err
	}
	p, err := s.person(c, t.Tenant.ID)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	err = s.change(c, func(tx pgx.Tx) error {
		q := queries.New(tx)
		if n, err := q.DeletePerson(ctx, queries.DeletePersonParams{TenantID: t.Tenant.ID, UserID: p.ID}); err != nil {
			return err
		} else if n == 0 {
			return notFound("This account")
		}
		return personEvent(ctx, q, t.Tenant.ID, visitorOf(c), "PERSON_REMOVED", p.Name)
	})
	if err != nil {
		return err
	}
	return s.peopleWith(c, t, http.StatusOK, func(*PeoplePanel) {}, p.Name+" is removed and signed out.")
}
