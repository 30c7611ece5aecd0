package routes

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/queries"
	"flowhq/templates/words"
)

const inboxURL = "/portal/inbox"

// inboxShows are the ways to look at the list of chats: all, customers who ask for a person, unread ones, those a person has taken over.
var inboxShows = []string{"all", "waiting", "unread", "paused"}

// inboxView is how somebody looks at the list.
type inboxView struct {
	show, search string // show: "" for all
	chosen       uuid.UUID
	lang         string
}

func inboxViewOf(c *fiber.Ctx) inboxView {
	look := inboxView{search: strings.TrimSpace(c.Query("q")), lang: langOf(c)}
	for _, show := range inboxShows[1:] {
		if c.Query("show") == show {
			look.show = show
		}
	}
	return look
}

// query is the view as a page's address ends, with more pairs of name and value.
func (l inboxView) query(more ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	if l.show != "" {
		q.Set("show", l.show)
	}
	if l.search != "" {
		q.Set("q", l.search)
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// inboxPage is the list of chats; htmx asks for more of its rows.
func (s *server) inboxPage(c *fiber.Ctx) error { return s.listInbox(c, s.ownDesk(c)) }

func (s *server) listInbox(c *fiber.Ctx, d desk) error {
	ctx, look := c.UserContext(), inboxViewOf(c)
	from, err := parseCursor(c.Query("cursor"))
	if err != nil {
		return err
	}
	var list ChatList
	err = d.query(ctx, func(q *queries.Queries) (err error) {
		list, err = listChats(ctx, q, d, look, from)
		return err
	})
	if err != nil {
		return err
	}
	if wantsHTMX(c) {
		return s.render(c, http.StatusOK, "fragments/chat_rows", list)
	}
	return s.showInbox(c, d, http.StatusOK, look, list, nil)
}

func (s *server) showInbox(c *fiber.Ctx, d desk, status int, look inboxView, list ChatList, thread *Thread) error {
	page := InboxPage{Page: s.page(c, words.T(look.lang, "nav.inbox"), "inbox"), List: list, Thread: thread}
	stream := url.Values{"show": {look.show}, "q": {look.search}}
	if thread != nil {
		page.Title = thread.Head.Contact
		stream.Set("chat", thread.ID)
		newest := int64(1) // of those shown
		if n := len(thread.Lines); n > 0 {
			newest = thread.Lines[n-1].Seq
		}
		stream.Set("since", strconv.FormatInt(newest, 10))
	}
	page.StreamURL = d.base + "/stream?" + stream.Encode()
	if d.operator {
		page.Page = s.page(c, d.name, "tenants")
		page.StreamURL, page.TenantURL = d.base+"/stream?"+stream.Encode(), tenantBase(d.tenant)
		return s.render(c, status, "admin/chats", page)
	}
	return s.render(c, status, "portal/inbox", page)
}

// listChats reads one page of the list, or with ids these chats only, where they belong to the view.
func listChats(ctx context.Context, q *queries.Queries, d desk, look inboxView, from cursor, ids ...uuid.UUID) (ChatList, error) {
	rows, err := q.ListChats(ctx, queries.ListChatsParams{
		TenantID: d.tenant, Ids: ids, BeforeAt: from.at, BeforeID: from.id, Show: look.show, Search: escapeLike(look.search), Digits: phoneDigits(look.search),
		PageSize: pageSize + 1,
	})
	if err != nil {
		return ChatList{}, err
	}
	list := ChatList{Lang: look.lang, Base: d.base, Operator: d.operator, Show: look.show, Search: look.search, Tabs: d.tabs(look)}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		last := rows[pageSize-1]
		list.MoreURL = d.base + look.query("cursor", cursor{last.LastAt, last.ID}.String())
	}
	for _, r := range rows {
		list.Rows = append(list.Rows, d.chatRow(r, look))
	}
	return list, nil
}

func (d desk) tabs(look inboxView) (tabs []InboxTab) {
	for _, show := range inboxShows {
		key := strings.TrimPrefix(show, "all")
		tabs = append(tabs, InboxTab{Show: key, Label: words.T(look.lang, "inbox.show."+show), Current: key == look.show,
			URL: d.base + inboxView{show: key, search: look.search}.query()})
	}
	return tabs
}

func (d desk) chatRow(r queries.ListChatsRow, look inboxView) ChatRow {
	last := messageView(queries.ListMessagesRow{MessageLog: queries.MessageLog{ID: r.MessageID, Direction: r.Direction, Kind: r.Kind, MessageText: r.MessageText,
		Status: r.Status, Source: r.Source, CreatedAt: r.LastAt}, ContactName: r.Name, ContactPhone: r.PhoneNumber}, look.lang)
	return ChatRow{
		ID: r.ID.String(), Lang: look.lang, URL: d.base + "/" + r.ID.String() + look.query(), Contact: last.Contact(), Last: last, By: last.By, At: r.LastAt,
		Unread: int(r.Unread), Waiting: r.HandoffAt != nil, Paused: paused(r.PausedAt, r.PausedUntil), Out: r.OptedOutAt != nil, Labels: r.Labels, Selected: r.ID == look.chosen,
	}
}

// phoneDigits are the digits to look for in phone numbers, where a search may be one: "0712 345" finds +255712345….
func phoneDigits(search string) string {
	digits := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r
		case strings.ContainsRune(" +-()", r):
			return -1
		}
		return 'x'
	}, search)
	if strings.Contains(digits, "x") {
		return ""
	}
	return strings.TrimLeft(digits, "0") // of a number as people of the country write it
}
