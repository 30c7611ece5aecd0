package routes

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/queries"
)

// qrJSON is the QR on offer; where there is none, all but the state are null.
type qrJSON struct {
	State     queries.SessionState `json:"state"`
	QR        *string              `json:"qr"`   // PNG as a data URI
	Code      *string              `json:"code"` // the text in the QR
	ExpiresAt *time.Time           `json:"expires_at"`
}

// apiQR answers GET /tenants/{id}/qr. Whoever asks will ask again: codes are renewed for a while.
func (s *server) apiQR(c *fiber.Ctx) error {
	id, err := apiTenant(c)
	if err != nil {
		return err
	}
	if err := s.watchForProgram(id)(c.UserContext()); err != nil {
		return err
	}
	row, err := s.apiTenantRow(c.UserContext(), id)
	if err != nil {
		return err
	}
	view, err := toQRJSON(row.WhatsappSession)
	if err != nil {
		return err
	}
	return c.JSON(view)
}

// watchForProgram marks the session as watched, so that its codes are renewed. A missing tenant is no error here.
func (s *server) watchForProgram(id uuid.UUID) func(context.Context) error {
	return func(ctx context.Context) error { return s.system.WatchSessionByAPI(ctx, id) }
}

// toQRJSON draws the code on offer; one that has expired is none.
func toQRJSON(session queries.WhatsappSession) (qrJSON, error) {
	view := qrJSON{State: session.State}
	if !qrOnOffer(session) {
		return view, nil
	}
	image, err := QRPNG(*session.LastQr)
	if err != nil {
		return view, err
	}
	uri := "data:image/png;base64," + base64.StdEncoding.EncodeToString(image)
	view.QR, view.Code, view.ExpiresAt = &uri, session.LastQr, utc(session.QrExpiresAt)
	return view, nil
}
