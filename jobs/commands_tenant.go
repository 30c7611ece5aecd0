package jobs

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"flowhq/bot"
	"flowhq/queries"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// NewTenant is what it takes to create a tenant.
type NewTenant struct {
	Name, PhoneNumber, BusinessName string
	TemplateType, Language          string // queries.TemplateType, queries.Language
}

// CreateTenant makes the tenant with its configuration, session and worker rows in one transaction, on the emptiest shard.
func (c *Commands) CreateTenant(ctx context.Context, n NewTenant, actor Actor) (uuid.UUID, error) {
	var f form
	now := time.Now()
	p := queries.CreateTenantParams{
		ApprovedAt: &now, ID: newID(), ConfigID: newID(), SessionID: newID(), WorkerID: newID(),
		Name:         f.text("name", n.Name, MaxName, false),
		BusinessName: f.text("business_name", n.BusinessName, MaxName, false),
		PhoneNumber:  f.phone("phone_number", n.PhoneNumber),
		TemplateType: f.template("template_type", n.TemplateType),
		Language:     f.language("language", n.Language),
	}
	if err := f.err(); err != nil {
		return uuid.Nil, err
	}
	err := c.inTx(ctx, actor, func(ctx context.Context, _ pgx.Tx, q *queries.Queries) (err error) {
		if p.Shard, err = q.EmptiestShard(ctx); err != nil {
			return err
		}
		if err := q.CreateTenant(ctx, p); err != nil {
			return phoneTaken(err)
		}
		return event(ctx, q, p.ID, actor, "TENANT_CREATED", nil)
	})
	return p.ID, err
}

// TenantChange names what to change; nil leaves a field as it is.
type TenantChange struct {
	Name, PhoneNumber, BusinessName, TemplateType, Language *string
	RepliesPerMinute                                        **int32 // a pointer to nil: back to the operator's default
	HoursJSON                                               *[]byte // see bot.ParseHours; a pointer to nil: always open
}

// TenantChangeOf takes the change from columns' values as text, nil for no value; columns that are not named stay.
func TenantChangeOf(values map[string]*string) TenantChange {
	change := TenantChange{
		Name: values["name"], PhoneNumber: values["phone_number"], BusinessName: values["business_name"],
		TemplateType: values["template_type"], Language: values["language"],
	}
	if text, sent := values["replies_per_minute"]; sent {
		var limit *int32
		if text != nil {
			n, err := strconv.ParseInt(*text, 10, 32)
			if err != nil {
				n = -1 // refused by the command, in the words of its own
			}
			small := int32(n)
			limit = &small
		}
		change.RepliesPerMinute = &limit
	}
	if text, sent := values["hours_json"]; sent {
		var hours []byte
		if text != nil {
			hours = []byte(*text)
		}
		change.HoursJSON = &hours
	}
	return change
}

// UpdateTenant changes a tenant and its configuration.
func (c *Commands) UpdateTenant(ctx context.Context, tenantID uuid.UUID, change TenantChange, actor Actor) error {
	var f form
	tenant := queries.UpdateTenantParams{TenantID: tenantID}
	config := queries.UpdateTenantConfigParams{TenantID: tenantID}
	changed := []string{}
	if change.Name != nil {
		name := f.text("name", *change.Name, MaxName, false)
		tenant.Name, changed = &name, append(changed, "name")
	}
	if change.PhoneNumber != nil {
		phone := f.phone("phone_number", *change.PhoneNumber)
		tenant.PhoneNumber, changed = &phone, append(changed, "phone_number")
	}
	if change.BusinessName != nil {
		name := f.text("business_name", *change.BusinessName, MaxName, false)
		config.BusinessName, changed = &name, append(changed, "business_name")
	}
	if change.TemplateType != nil {
		template := f.template("template_type", *change.TemplateType)
		config.TemplateType, changed = &template, append(changed, "template_type")
	}
	if change.Language != nil {
		language := f.language("language", *change.Language)
		config.Language, changed = &language, append(changed, "language")
	}
	if change.RepliesPerMinute != nil {
		config.SetRepliesPerMinute, config.RepliesPerMinute = true, *change.RepliesPerMinute
		if n := config.RepliesPerMinute; n != nil && (*n < 0 || *n > 10000) {
			f.fail("replies_per_minute", "Choose a number from 0 (no limit) to 10000, or leave it empty.")
		}
		changed = append(changed, "replies_per_minute")
	}
	if change.HoursJSON != nil {
		config.SetHours, config.HoursJson = true, *change.HoursJSON
		if hours := config.HoursJson; hours != nil {
			if !json.Valid(hours) {
				f.fail("hours", "This is not valid JSON.")
			} else if _, err := bot.ParseHours(hours); err != nil {
				f.fail("hours", "%s", err.Error())
			}
		}
		changed = append(changed, "hours")
	}
	if err := f.err(); err != nil {
		return err
	}
	return c.inTx(ctx, actor, func(ctx context.Context, _ pgx.Tx, q *queries.Queries) error {
		rows, err := q.UpdateTenant(ctx, tenant)
		if err != nil {
			return phoneTaken(err)
		}
		if rows == 0 {
			return errNoTenant(nil)
		}
		if err := q.UpdateTenantConfig(ctx, config); err != nil {
			return err
		}
		return event(ctx, q, tenantID, actor, "TENANT_CHANGED", map[string]any{"fields": changed})
	})
}

// forgetPairs removes from whatsmeow's table of LIDs, which all tenants share, the tenant's own pair and those of customers
// whom no other tenant knows. sqlc does not know that table.
const forgetPairs = `
DELETE FROM whatsmeow_lid_map m
WHERE (m.lid IN (SELECT c.lid FROM contacts c WHERE c.tenant_id = $1)
    OR m.pn = (SELECT split_part(split_part(s.jid, '@', 1), ':', 1) FROM whatsapp_sessions s WHERE s.tenant_id = $1))
  AND NOT EXISTS (SELECT FROM contacts other WHERE other.lid = m.lid AND other.tenant_id <> $1)`

// DeleteTenant removes the tenant and everything of it at once; a job on its shard then closes its connection and unlinks
// the number at WhatsApp.
func (c *Commands) DeleteTenant(ctx context.Context, tenantID uuid.UUID, actor Actor) error {
	return c.inTx(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		w, err := q.LockWorker(ctx, tenantID)
		if err != nil {
			return tenantOr(err)
		}
		if _, err := tx.Exec(ctx, forgetPairs, tenantID); err != nil {
			return err
		}
		if _, err := q.DeleteTenant(ctx, tenantID); err != nil {
			return err
		}
		job := TenantForget{TenantID: tenantID}
		if w.Jid != nil {
			job.JID = *w.Jid
		}
		_, err = c.insert(ctx, tx, job, w.Shard)
		return err
	})
}
