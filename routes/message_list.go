package routes

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"flowhq/queries"
	"flowhq/templates/words"
)

// messageView words one stored message; lang is "en" or "sw".
func messageView(m queries.ListMessagesRow, lang string) MessageView {
	v := MessageView{
		ID: m.MessageLog.ID.String(), Lang: lang, Inbound: m.MessageLog.Direction == queries.MessageDirectionIN,
		Text: m.MessageLog.MessageText, Kind: m.MessageLog.Kind, Status: string(m.MessageLog.Status), At: m.MessageLog.CreatedAt,
		ContactPhone: words.T(lang, "messages.hidden_number"),
	}
	if m.ContactName != nil {
		v.ContactName = *m.ContactName
	}
	if m.ContactPhone != nil {
		v.ContactPhone = *m.ContactPhone
	}
	if m.MessageLog.Failure != nil {
		switch m.MessageLog.Status {
		case queries.MessageStatusFAILED:
			v.FailReason = words.Refusal(lang, *m.MessageLog.Failure)
		case queries.MessageStatusQUEUED:
			v.WaitReason = words.Refusal(lang, *m.MessageLog.Failure)
		}
	}
	if key := "writer." + m.MessageLog.Source; !v.Inbound && words.Has(key) {
		v.By = words.T(lang, key)
	}
	return v
}

// listMessages reads one page of a tenant's messages; more is where the next page is asked for.
func listMessages(ctx context.Context, q *queries.Queries, tenant uuid.UUID, from cursor, size int, lang, more string) (MessageList, error) {
	rows, err := q.ListMessages(ctx, queries.ListMessagesParams{
		TenantID: tenant, BeforeCreatedAt: from.at, BeforeID: from.id, PageSize: int32(size + 1),
	})
	if err != nil {
		return MessageList{}, fmt.Errorf("list messages of tenant %s: %w", tenant, err)
	}
	l := MessageList{Lang: lang}
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1].MessageLog
		if more != "" {
			l.MoreURL = more + "?cursor=" + cursor{last.CreatedAt, last.ID}.String()
		}
	}
	for _, r := range rows {
		l.Rows = append(l.Rows, messageView(r, lang))
	}
	return l, nil
}

// listEvents reads one page of a tenant's events.
func listEvents(ctx context.Context, q *queries.Queries, tenant uuid.UUID, from cursor, size int, lang, more string) (EventList, error) {
	rows, err := q.ListEvents(ctx, queries.ListEventsParams{
		TenantID: tenant, BeforeCreatedAt: from.at, BeforeID: from.id, PageSize: int32(size + 1),
	})
	if err != nil {
		return EventList{}, fmt.Errorf("list events of tenant %s: %w", tenant, err)
	}
	l := EventList{Lang: lang}
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		if more != "" {
			l.MoreURL = more + "?cursor=" + cursor{last.CreatedAt, last.ID}.String()
		}
	}
	for _, r := range rows {
		l.Rows = append(l.Rows, eventView(r, lang))
	}
	return l, nil
}

// today is the last midnight where the people are.
func (s *server) today() time.Time {
	now := time.Now().In(s.Location)
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, s.Location)
}
