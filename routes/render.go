package routes

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip" // what Fiber's server uses, twice as quick as the standard library's

	"flowhq/queries"
)

// page fills in what every page carries.
func (s *server) page(c *fiber.Ctx, title, nav string) Page {
	now := s.Settings.Now()
	p := Page{Title: title, ProductName: now.ProductName, BrandURL: brandURL(now.Accent), Lang: langOf(c), Nav: nav, DemoMode: s.DemoMode, Here: here(c), OfferEnglish: offersEnglish(c)}
	if v := visitorOf(c); v != nil {
		p.User = &UserView{Name: v.Name, Email: v.Email, Role: string(v.Role)}
		p.Applying = v.Role == queries.UserRoleOWNER && !v.Approved
		if v.AdminRole != adminRole {
			p.User.AdminRole = v.AdminRole
		}
		if v.Role != queries.UserRoleADMIN && v.Approved {
			p.StreamURL = "/portal/stream?page=other" // the navigation counts; most pages have more that changes
		}
		p.Flash = s.toasts(c)
		for i := range p.Flash {
			p.Flash[i].Lang = p.Lang
		}
		if v.Role == queries.UserRoleADMIN && nav != "" { // an error page needs no sidebar, nor the database
			prefs, err := s.preferences(c.UserContext(), v.ID)
			if err != nil { // a page without pins is better than none
				s.Log.Warn("an admin's preferences could not be read", "request", requestID(c), "err", err)
			}
			p.Side = s.sidebar(prefs, nav)
		}
	}
	return p
}

// render answers with a template. It is rendered as a whole first: a page that fails half-way is never sent.
func (s *server) render(c *fiber.Ctx, status int, name string, data any) error {
	var b bytes.Buffer
	if err := s.Views.Render(&b, name, data); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Status(status)
	return s.sendCompressed(c, b.Bytes())
}

// smallest is below what a single packet holds: compressing gains nothing.
const smallest = 1400

var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a list's page becomes a ninth in half a millisecond
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// sendCompressed sends a page as small as the browser takes it. Nothing secret stands in pages beside what people typed
// themselves: there is no token against forged forms that lengths could give away; see sameOrigin.
func (s *server) sendCompressed(c *fiber.Ctx, body []byte) error {
	c.Vary(fiber.HeaderAcceptEncoding)
	if len(body) < smallest || !strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
		return c.Send(body)
	}
	var b bytes.Buffer
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	w.Reset(&b)
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentEncoding, "gzip")
	return c.Send(b.Bytes())
}

// fragment answers htmx with a template and, where text is not empty, a toast.
func (s *server) fragment(c *fiber.Ctx, status int, name string, data any, toast Toast) error {
	if toast.Text != "" {
		c.Set("HX-Trigger", ToastHeader(toast))
	}
	return s.render(c, status, name, data)
}

// redirect leads on after a post: htmx by header, browsers by 303.
func (s *server) redirect(c *fiber.Ctx, target string) error {
	if wantsHTMX(c) {
		c.Set("HX-Redirect", target)
		return c.SendStatus(http.StatusOK)
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// done ends a post that went well: a fragment and a toast for htmx, otherwise back to the page, which shows the toast.
func (s *server) done(c *fiber.Ctx, back, name string, data any, text string) error {
	if wantsHTMX(c) {
		return s.fragment(c, http.StatusOK, name, data, Toast{Kind: "ok", Text: text})
	}
	if text != "" {
		if err := s.toast(c, "ok", text); err != nil {
			return err
		}
	}
	return c.Redirect(back, http.StatusSeeOther)
}
