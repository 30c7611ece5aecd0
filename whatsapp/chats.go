package whatsapp

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"go.mau.fi/whatsmeow/types"

	"flowhq/queries"
)

// chat is the conversation with one customer, as far as it is known.
type chat struct {
	conversation uuid.UUID
	phone        string // E.164 or ""
	lid          string // user part or ""
	name         string
	basis        *basis // of the next decision; nil: not known
}

// key is what the cache of chats knows a customer by.
func (c chat) key() string {
	if c.lid != "" {
		return "@" + c.lid
	}
	return c.phone
}

// who reads a sender's phone number and LID from a message, and asks whatsmeow's map for what it lacks.
func (s *supervisor) who(ctx context.Context, info types.MessageInfo) (chat, error) {
	var c chat
	c.name = storable(info.PushName, maxNameRunes)
	if c.name == "-" {
		c.name = ""
	}
	for _, jid := range []types.JID{info.Sender, info.SenderAlt} {
		c.note(jid)
	}
	if c.phone == "" || c.lid == "" {
		lids := s.pool.devices.lids
		switch info.Sender.Server {
		case types.DefaultUserServer:
			alt, err := lids.GetLIDForPN(ctx, info.Sender.ToNonAD())
			if err != nil {
				return c, err
			}
			c.note(alt)
		case types.HiddenUserServer:
			alt, err := lids.GetPNForLID(ctx, info.Sender.ToNonAD())
			if err != nil {
				return c, err
			}
			c.note(alt)
		}
	}
	if c.phone == "" && c.lid == "" {
		return c, fmt.Errorf("sender %s is neither a phone number nor a LID", info.Sender)
	}
	return c, nil
}

func (c *chat) note(jid types.JID) {
	switch {
	case jid.User == "":
	case jid.Server == types.DefaultUserServer && c.phone == "":
		c.phone = "+" + jid.User
	case jid.Server == types.HiddenUserServer && c.lid == "":
		c.lid = jid.User
	}
}

// findChat finds the conversation with a customer, or makes it. What has become known about the customer since is written
// to the contact; a phone number and a LID that turn out to be one person become one contact with one conversation.
func (s *supervisor) findChat(ctx context.Context, q *queries.Queries, c chat) (chat, error) {
	for range 3 { // again when another transaction made the contact at the same moment
		found, err := q.FindContacts(ctx, queries.FindContactsParams{TenantID: s.tenant, PhoneNumber: ptrOrNil(c.phone), Lid: ptrOrNil(c.lid)})
		if err != nil {
			return c, err
		}
		var contact queries.FindContactsRow
		switch len(found) {
		case 0:
			ids, err := q.InsertContact(ctx, queries.InsertContactParams{ID: newID(), TenantID: s.tenant,
				PhoneNumber: ptrOrNil(c.phone), Lid: ptrOrNil(c.lid), Name: ptrOrNil(c.name)})
			if err != nil {
				return c, err
			}
			if len(ids) == 0 {
				continue
			}
			contact = queries.FindContactsRow{ID: ids[0], PhoneNumber: ptrOrNil(c.phone), Lid: ptrOrNil(c.lid), Name: ptrOrNil(c.name)}
		case 1:
			contact = found[0]
		default:
			if contact, err = s.mergeContacts(ctx, q, found[0], found[1]); err != nil {
				return c, err
			}
		}
		return s.completeChat(ctx, q, c, contact)
	}
	return c, errors.New("the customer's contact kept changing")
}

// completeChat brings the contact up to date with what the message told.
func (s *supervisor) completeChat(ctx context.Context, q *queries.Queries, c chat, contact queries.FindContactsRow) (chat, error) {
	phone, lid, name := deref(contact.PhoneNumber), deref(contact.Lid), deref(contact.Name)
	// A number that got a new LID, or a LID that got a new number, is the same customer: the message says so.
	c.phone, c.lid, c.name = either(c.phone, phone), either(c.lid, lid), either(c.name, name)
	if c.phone != phone || c.lid != lid || c.name != name {
		if err := q.UpdateContact(ctx, queries.UpdateContactParams{ID: contact.ID, TenantID: s.tenant,
			PhoneNumber: ptrOrNil(c.phone), Lid: ptrOrNil(c.lid), Name: ptrOrNil(c.name)}); err != nil {
			return c, err
		}
	}
	if contact.ConversationID != nil {
		c.conversation = *contact.ConversationID
		return c, nil
	}
	id, err := q.EnsureChat(ctx, queries.EnsureChatParams{ID: newID(), TenantID: s.tenant, ContactID: contact.ID})
	c.conversation = id
	return c, err
}

// mergeContacts makes one contact of two. The one with the phone number stays; it is the one people know.
func (s *supervisor) mergeContacts(ctx context.Context, q *queries.Queries, keep, drop queries.FindContactsRow) (queries.FindContactsRow, error) {
	if drop.ConversationID != nil {
		if keep.ConversationID == nil {
			id, err := q.EnsureChat(ctx, queries.EnsureChatParams{ID: newID(), TenantID: s.tenant, ContactID: keep.ID})
			if err != nil {
				return keep, err
			}
			keep.ConversationID = &id
		}
		// Whoever is just adding a message to the chat finishes first, so that none is left behind.
		if _, err := q.LockChat(ctx, *drop.ConversationID); err != nil {
			return keep, err
		}
		if err := q.MoveMessages(ctx, queries.MoveMessagesParams{TenantID: s.tenant, FromID: *drop.ConversationID, IntoID: *keep.ConversationID}); err != nil {
			return keep, err
		}
	}
	if err := q.MergeChats(ctx, queries.MergeChatsParams{TenantID: s.tenant, IntoContact: keep.ID, FromContact: drop.ID}); err != nil {
		return keep, err
	}
	s.log.Info("two contacts are one person", "contact_id", keep.ID, "merged_contact_id", drop.ID)
	return keep, q.DeleteContact(ctx, queries.DeleteContactParams{ID: drop.ID, TenantID: s.tenant})
}

// cachedChat finds a chat without asking the database when nothing about the customer is new.
func (s *supervisor) cachedChat(c chat) (chat, bool) {
	known, ok := s.chats.get(c.key())
	if !ok || (c.phone != "" && c.phone != known.phone) || (c.lid != "" && c.lid != known.lid) || (c.name != "" && c.name != known.name) {
		return c, false
	}
	return known, true
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
