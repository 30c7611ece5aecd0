package routes

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/queries"
	"flowhq/templates/words"
)

// DeviceList is where a person is signed in (template "fragments/devices", id "devices").
type DeviceList struct {
	Lang string
	Rows []DeviceView
}

// DeviceView is one signed-in browser.
type DeviceView struct {
	ID       string
	Name     string // "Chrome, Android"; empty: unknown
	This     bool   // the one that asks
	Seen     time.Time
	SignedIn time.Time
}

func (s *server) devices(ctx context.Context, v *visitor) (DeviceList, error) {
	rows, err := s.system.ListSessionsOfUser(ctx, queries.ListSessionsOfUserParams{UserID: v.ID, TokenHash: v.session})
	list := DeviceList{Lang: v.Lang}
	for _, r := range rows {
		list.Rows = append(list.Rows, DeviceView{ID: r.ID.String(), Name: deviceName(r.Device), This: r.This, Seen: r.LastSeenAt, SignedIn: r.CreatedAt})
	}
	return list, err
}

// deviceEnd signs one device out; streams that are open on it end within seconds.
func (s *server) deviceEnd(c *fiber.Ctx) error {
	ctx, v := c.UserContext(), visitorOf(c)
	id, err := uuid.Parse(c.Params("session"))
	if err != nil {
		return notFound("This device")
	}
	n, err := s.system.DeleteSessionOfUser(ctx, queries.DeleteSessionOfUserParams{UserID: v.ID, ID: id})
	if err != nil {
		return err
	}
	if n == 0 {
		return notFound("This device")
	}
	list, err := s.devices(ctx, v)
	if err != nil {
		return err
	}
	if len(list.Rows) == 0 || !list.Rows[0].This { // it was this one
		return s.redirect(c, "/login?out=1")
	}
	return s.done(c, "/portal/account", "fragments/devices", list, words.T(v.Lang, "devices.ended"))
}

// maxDevice bounds what is kept of a browser's name for itself.
const maxDevice = 300

// deviceName words what a browser calls itself, as far as a person cares.
func deviceName(agent string) string {
	find := func(marks ...[2]string) string {
		for _, m := range marks {
			if strings.Contains(agent, m[0]) {
				return m[1]
			}
		}
		return ""
	}
	browser := find([2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"SamsungBrowser", "Samsung Internet"}, [2]string{"Firefox", "Firefox"},
		[2]string{"Chrome", "Chrome"}, [2]string{"Safari", "Safari"})
	system := find([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Windows", "Windows"},
		[2]string{"Mac OS", "Mac"}, [2]string{"CrOS", "Chromebook"}, [2]string{"Linux", "Linux"})
	if browser == "" || system == "" {
		return browser + system
	}
	return browser + ", " + system
}

func deviceOf(c *fiber.Ctx) string {
	agent := strings.ToValidUTF8(c.Get(fiber.HeaderUserAgent), "")
	return strings.ReplaceAll(agent[:min(len(agent), maxDevice)], "\x00", "")
}

// portalAccountPage is the person's own: address, password, language, devices.
func (s *server) portalAccountPage(c *fiber.Ctx) error {
	return s.showAccountWith(c, http.StatusOK, func(*PortalAccountPage) {})
}

func (s *server) showAccountWith(c *fiber.Ctx, status int, change func(*PortalAccountPage)) error {
	v := visitorOf(c)
	devices, err := s.devices(c.UserContext(), v)
	if err != nil {
		return err
	}
	page := PortalAccountPage{
		Page: s.page(c, words.T(v.Lang, "nav.account"), "account"), Business: v.Business, Password: passwordForm(v),
		EmailForm: EmailForm{Lang: v.Lang, MailOn: s.Settings.Now().MailOn()}, Devices: devices, ManagesPeople: v.Role == queries.UserRoleOWNER && v.Approved,
	}
	change(&page)
	return s.render(c, status, "portal/account", page)
}
