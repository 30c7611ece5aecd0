package routes

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// Limits of what people note about a customer.
const (
	maxLabel  = 30 // characters
	maxLabels = 10
	maxNote   = 1000 // characters
)

// contactInfo reads what the business knows about a chat's customer.
func contactInfo(ctx context.Context, q *queries.Queries, v *visitor, chat queries.GetChatRow) (ContactInfo, error) {
	info := ContactInfo{Lang: v.Lang, Action: inboxURL + "/" + chat.ID.String(), Labels: chat.Labels, NoteKey: newID().String()}
	if chat.PhoneNumber != nil {
		info.Phone = *chat.PhoneNumber
	}
	if chat.Name != nil {
		info.Name = *chat.Name
	}
	info.Own = chat.Named
	if chat.OptedOutAt != nil {
		info.Out = *chat.OptedOutAt
		info.OutBy = *chat.OptedOutBy
	}
	notes, err := q.ListNotes(ctx, queries.ListNotesParams{TenantID: v.Tenant, ConversationID: chat.ID})
	if err != nil {
		return info, err
	}
	for _, n := range notes {
		view := NoteView{ID: n.ID.String(), Text: n.Body, At: n.CreatedAt}
		if n.Author != nil {
			view.Author = *n.Author
		}
		info.Notes = append(info.Notes, view)
	}
	info.Known, err = q.ListLabels(ctx, v.Tenant)
	return info, err
}

// infoChange changes what is known about a chat's customer and shows it. A problem is said in place of the change.
func (s *server) infoChange(c *fiber.Ctx, problem string, change func(context.Context, *queries.Queries, uuid.UUID) error) error {
	ctx, v := c.UserContext(), visitorOf(c)
	id, err := chatID(c)
	if err != nil {
		return err
	}
	var info ContactInfo
	err = s.inTenant(ctx, v.Tenant, func(q *queries.Queries) error {
		if problem == "" {
			if err := change(ctx, q, id); err != nil {
				return noChat(err)
			}
		}
		chat, err := q.GetChat(ctx, queries.GetChatParams{TenantID: v.Tenant, ConversationID: id})
		if err != nil {
			return noChat(err)
		}
		info, err = contactInfo(ctx, q, v, chat)
		return err
	})
	if err != nil {
		return err
	}
	if problem == "" {
		return s.done(c, inboxURL+"/"+id.String(), "fragments/contact_info", info, "")
	}
	info.Error = words.Refusal(v.Lang, problem)
	if wantsHTMX(c) {
		return s.render(c, http.StatusUnprocessableEntity, "fragments/contact_info", info)
	}
	return s.showThread(c, s.ownDesk(c), http.StatusUnprocessableEntity, func(t *Thread) { t.Info = info })
}

func (s *server) noteAdd(c *fiber.Ctx) error {
	v, text := visitorOf(c), strings.TrimSpace(c.FormValue("note"))
	return s.infoChange(c, jobs.CheckText(text, maxNote, true), func(ctx context.Context, q *queries.Queries, id uuid.UUID) error {
		note, bad := uuid.Parse(c.FormValue("key"))
		if bad != nil {
			note = newID()
		}
		_, err := q.AddNote(ctx, queries.AddNoteParams{TenantID: v.Tenant, ConversationID: id, ID: note, AuthorID: v.ID, Body: text})
		return err
	})
}

func (s *server) noteRemove(c *fiber.Ctx) error {
	v := visitorOf(c)
	note, err := uuid.Parse(c.Params("note"))
	if err != nil {
		return notFound("This note")
	}
	return s.infoChange(c, "", func(ctx context.Context, q *queries.Queries, id uuid.UUID) error {
		_, err := q.RemoveNote(ctx, queries.RemoveNoteParams{TenantID: v.Tenant, ConversationID: id, NoteID: note})
		return err
	})
}

// labelAdd gives a customer a label; labelRemove takes one away.
func (s *server) labelAdd(c *fiber.Ctx) error { return s.label(c, true) }

func (s *server) labelRemove(c *fiber.Ctx) error { return s.label(c, false) }

func (s *server) label(c *fiber.Ctx, put bool) error {
	v, label := visitorOf(c), strings.Join(strings.Fields(c.FormValue("label")), " ")
	problem := ""
	if put {
		problem = jobs.CheckText(label, maxLabel, false)
	}
	return s.infoChange(c, problem, func(ctx context.Context, q *queries.Queries, id uuid.UUID) error {
		if _, err := q.GetChat(ctx, queries.GetChatParams{TenantID: v.Tenant, ConversationID: id}); err != nil {
			return err
		}
		_, err := q.LabelContact(ctx, queries.LabelContactParams{TenantID: v.Tenant, ConversationID: id, Label: label, Put: put, Most: maxLabels})
		if noChat(err) != err { // the chat is there
			return refuse(http.StatusConflict, "A customer can have 10 labels. Take one away first.")
		}
		return err
	})
}

// contactName gives a customer a name of the business's own; an empty one is WhatsApp's again.
func (s *server) contactName(c *fiber.Ctx) error {
	v, name := visitorOf(c), strings.Join(strings.Fields(c.FormValue("name")), " ")
	problem := ""
	if name != "" {
		problem = jobs.CheckText(name, jobs.MaxName, false)
	}
	return s.infoChange(c, problem, func(ctx context.Context, q *queries.Queries, id uuid.UUID) error {
		_, err := q.NameContact(ctx, queries.NameContactParams{TenantID: v.Tenant, ConversationID: id, Name: name})
		return err
	})
}

// contactOpt notes that a customer wants no automatic messages, or wants them again. Where it is so already nothing happens.
func (s *server) contactOpt(c *fiber.Ctx) error {
	v, out := visitorOf(c), c.FormValue("out") == "1"
	return s.infoChange(c, "", func(ctx context.Context, q *queries.Queries, id uuid.UUID) error {
		if _, err := q.GetChat(ctx, queries.GetChatParams{TenantID: v.Tenant, ConversationID: id}); err != nil {
			return err
		}
		told, err := q.OptChat(ctx, queries.OptChatParams{TenantID: v.Tenant, ConversationID: id, OptedOut: out})
		if err != nil || len(told) == 0 {
			return err
		}
		kind := "CUSTOMER_OPTED_IN"
		if out {
			kind = "CUSTOMER_OPTED_OUT"
		}
		return chatEvent(ctx, q, v, id, kind)
	})
}

// chatEvent notes what a person did to a chat among the business's events.
func chatEvent(ctx context.Context, q *queries.Queries, v *visitor, id uuid.UUID, kind string) error {
	chat, err := q.GetChat(ctx, queries.GetChatParams{TenantID: v.Tenant, ConversationID: id})
	if err != nil {
		return err
	}
	about := map[string]any{"by": v.Name}
	if chat.PhoneNumber != nil {
		about["phone"] = *chat.PhoneNumber
	}
	payload, err := json.Marshal(about)
	if err != nil {
		return err
	}
	return q.InsertEvent(ctx, queries.InsertEventParams{ID: newID(), TenantID: v.Tenant, UserID: &v.ID, EventType: kind, PayloadJson: payload})
}
