package routes

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/templates/words"
)

// testResult says what became of the latest test message, as plainly as it is known.
func testResult(ctx context.Context, q *queries.Queries, t queries.GetTenantRow, lang string) (TestResult, error) {
	r := TestResult{Lang: lang}
	rows, err := q.LatestTest(ctx, t.Tenant.ID)
	if err != nil || len(rows) == 0 {
		return r, err
	}
	m := rows[0]
	r.Phone, r.At, r.Tone, r.Icon = m.ToNumber, m.CreatedAt, ToneWaiting, "clock"
	switch m.Status {
	case queries.MessageStatusQUEUED:
		switch {
		case t.WhatsappSession.State != queries.SessionStateCONNECTED:
			r.Sentence = words.T(lang, "test.not_connected")
		case t.WhatsappSession.Reason == queries.SessionReasonRESTRICTED && !m.HasWritten:
			r.Sentence = words.T(lang, "test.held")
		default:
			r.Sentence = words.T(lang, "test.sending")
		}
	case queries.MessageStatusSENT:
		r.Sentence, r.Icon = words.T(lang, "test.sent"), "check"
	case queries.MessageStatusDELIVERED:
		r.Sentence, r.Tone, r.Icon = words.T(lang, "test.delivered"), ToneOK, "check-check"
	case queries.MessageStatusREAD:
		r.Sentence, r.Tone, r.Icon = words.T(lang, "test.read"), ToneOK, "check-check"
	default:
		r.Tone, r.Icon, r.Sentence = ToneFailed, "triangle-alert", words.T(lang, "test.failed")
		if m.Failure != nil {
			r.Sentence += " " + words.Refusal(lang, *m.Failure)
		}
	}
	return r, nil
}

// portalTest sends a test message to the person's own phone; what becomes of it shows by itself.
func (s *server) portalTest(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	form := TestForm{Lang: v.Lang, Phone: c.FormValue("phone")}
	sent, err := s.Commands.QueueMessage(ctx, jobs.OutgoingMessage{
		TenantID: v.Tenant, To: form.Phone, Text: words.T(v.Lang, "test.message", "business", v.Business), Source: "PERSON", Test: true, Actor: v.actor(),
	})
	if refusal, ok := formRefusal(err); ok {
		form.Error = words.Refusal(v.Lang, refusal.Message)
		if field := refusal.Fields["to"]; field != "" {
			form.Error = words.Refusal(v.Lang, field)
		}
	} else if err != nil {
		return err
	} else {
		form.Phone = sent.ToNumber
	}
	switch {
	case wantsHTMX(c) && form.Error != "":
		return s.render(c, http.StatusUnprocessableEntity, "fragments/test_form", form)
	case wantsHTMX(c): // the stream shows how it goes
		return s.render(c, http.StatusOK, "fragments/test_form", form)
	case form.Error != "":
		return &Error{Status: http.StatusUnprocessableEntity, Message: form.Error}
	}
	return c.Redirect("/portal", http.StatusSeeOther)
}
