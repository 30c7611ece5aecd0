package jobs

import (
	"context"
	"errors"
	"time"

	"flowhq/bot"
	"flowhq/queries"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// ErrSettingsChanged refuses settings that somebody else changed since they were shown: nothing is overwritten unseen.
var ErrSettingsChanged = &Error{Code: Conflict, Message: "Somebody changed these settings meanwhile. Look at what is there now."}

// ErrBotSettings refuses settings with something wrong in them; bot.Check says what.
var ErrBotSettings = &Error{Code: Invalid, Message: "Some fields need another look."}

// SaveBotSettings stores what a business says in its own words and keeps it as a version. shown is the configuration's
// updated_at as whoever saves saw it; where it has changed since, the answer is ErrSettingsChanged. Settings that are as they
// were make no version.
func (c *Commands) SaveBotSettings(ctx context.Context, tenantID uuid.UUID, shown time.Time, v bot.Values, actor Actor) error {
	return c.inTx(ctx, actor, func(ctx context.Context, _ pgx.Tx, q *queries.Queries) error {
		now, err := lockShown(ctx, q, tenantID, shown)
		if err != nil {
			return err
		}
		if len(bot.Check(bot.Template(now.TemplateType), v)) > 0 {
			return ErrBotSettings
		}
		stored, _ := bot.ReadValues(now.SettingsJson, nil) // what cannot be read is replaced
		v.Keep(bot.Template(now.TemplateType), stored)
		settings, hours, err := v.JSON()
		if err != nil {
			return err
		}
		return changeBotSettings(ctx, q, tenantID, settings, hours, nil, actor)
	})
}

// RestoreBotSettings makes an earlier version the present one, as a new version.
func (c *Commands) RestoreBotSettings(ctx context.Context, tenantID uuid.UUID, shown time.Time, version uuid.UUID, actor Actor) error {
	return c.inTx(ctx, actor, func(ctx context.Context, _ pgx.Tx, q *queries.Queries) error {
		old, err := q.GetBotSettings(ctx, queries.GetBotSettingsParams{TenantID: tenantID, VersionID: version})
		if errors.Is(err, pgx.ErrNoRows) {
			return &Error{Code: NotFound, Message: "There is no such version.", Err: err}
		} else if err != nil {
			return err
		}
		if _, err := lockShown(ctx, q, tenantID, shown); err != nil {
			return err
		}
		return changeBotSettings(ctx, q, tenantID, old.SettingsJson, old.HoursJson, &old.Number, actor)
	})
}

// lockShown takes a tenant's configuration if it still is the one that was shown.
func lockShown(ctx context.Context, q *queries.Queries, tenantID uuid.UUID, shown time.Time) (queries.TenantConfig, error) {
	now, err := q.LockTenantConfig(ctx, tenantID)
	if err != nil {
		return now, tenantOr(err)
	}
	if !now.UpdatedAt.Equal(shown) {
		return now, ErrSettingsChanged
	}
	return now, nil
}

// changeBotSettings writes the settings and the versions: where the present ones are in none, as before the first change or
// after one by the operator, they become one first.
func changeBotSettings(ctx context.Context, q *queries.Queries, tenantID uuid.UUID, settings, hours []byte, restored *int32, actor Actor) error {
	latest, err := q.LatestBotSettings(ctx, tenantID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	number := latest.Number
	if !latest.Same { // also where there is none
		number++
		if err := q.KeepBotSettings(ctx, queries.KeepBotSettingsParams{ID: newID(), TenantID: tenantID, Number: number}); err != nil {
			return err
		}
	}
	if _, err := q.SetBotSettings(ctx, queries.SetBotSettingsParams{TenantID: tenantID, SettingsJson: settings, HoursJson: hours}); err != nil {
		return err
	}
	latest, err = q.LatestBotSettings(ctx, tenantID)
	if err != nil || latest.Same { // nothing is different
		return err
	}
	by := actor.Name
	if by == "" {
		by = "API"
	}
	err = q.KeepBotSettings(ctx, queries.KeepBotSettingsParams{ID: newID(), TenantID: tenantID, Number: number + 1, UserID: actor.UserID, ChangedBy: by, Restored: restored})
	if err != nil {
		return err
	}
	if err := q.DropOldBotSettings(ctx, tenantID); err != nil {
		return err
	}
	payload := map[string]any{"version": number + 1}
	if restored != nil {
		payload["restored"] = *restored
	}
	return event(ctx, q, tenantID, actor, "BOT_SETTINGS_CHANGED", payload)
}
