package templates_test

import (
	"fmt"
	"testing"
	"time"

	"flowhq/routes"
	"flowhq/templates/words"
)

// inboxSamples are the inbox with and without chats, a chat in each state, and the quick answers.
func inboxSamples(t testing.TB, add func(name, template string, data any), now time.Time) {
	page := func(lang string, list routes.ChatList, thread *routes.Thread) routes.InboxPage {
		return routes.InboxPage{Page: portalPage(lang, words.T(lang, "nav.inbox"), "inbox"), List: list, Thread: thread}
	}
	const lang = words.Swahili
	chats := chatList(lang, now)
	add("inbox", "portal/inbox", page(lang, chats, nil))
	add("inbox-nothing", "portal/inbox", page(lang, routes.ChatList{Lang: lang, Base: "/portal/inbox", Tabs: chats.Tabs, Search: "zzz", Show: "waiting"}, nil))
	for _, lang := range words.Languages {
		thread := thread(lang, now)
		add("inbox-thread-"+lang, "portal/inbox", page(lang, chatList(lang, now), &thread))
	}
	waiting := thread(lang, now)
	waiting.Bar, waiting.Compose.Away = routes.ChatBar{Lang: lang, Action: "/portal/inbox/1", Waiting: now.Add(-5 * time.Minute)}, true
	waiting.Info.Error, waiting.Compose.Error, waiting.Compose.Text = words.Refusal(lang, "Please fill this in."), words.Refusal(lang, "Please fill this in."), " "
	add("inbox-waiting", "portal/inbox", page(lang, chats, &waiting))
	paused := thread(lang, now)
	paused.Head = routes.ChatHead{Lang: lang, Contact: "+255754000222"}
	paused.Bar = routes.ChatBar{Lang: lang, Action: "/portal/inbox/1", Paused: true, By: longName, Until: now.Add(40 * time.Minute)}
	paused.Canned, paused.Info = nil, routes.ContactInfo{Lang: lang}
	add("inbox-paused", "portal/inbox", page(lang, chats, &paused))
	theirs, theirChats := thread(words.English, now), chatList(words.English, now)
	theirs.Operator, theirs.Bar = true, routes.ChatBar{Lang: words.English, Waiting: now.Add(-5 * time.Minute)}
	theirs.Compose.Operator, theirChats.Operator, theirChats.Base = true, true, "/admin/tenants/1/chats"
	operators := routes.InboxPage{Page: operatorPage(longName, "tenants"), List: theirChats, Thread: &theirs, TenantURL: "/admin/tenants/1"}
	add("chats-thread", "admin/chats", operators)
	theirChats.Rows, theirChats.MoreURL, operators.Thread = nil, "", nil
	operators.List = theirChats
	add("chats-none", "admin/chats", operators)
	add("canned", "portal/canned", routes.CannedPage{Page: portalPage(lang, words.T(lang, "canned.title"), "inbox"), Canned: routes.CannedPanel{Lang: lang, Rows: thread(lang, now).Canned,
		New: routes.CannedAnswer{Title: longName}, Errors: routes.FieldErrors{"title": "Tafadhali jaza hapa.", "text": "Tafadhali jaza hapa."}}})
}

func operatorPage(title, nav string) routes.Page { return page(title, nav) }

func chatList(lang string, now time.Time) routes.ChatList {
	list := routes.ChatList{Lang: lang, Base: "/portal/inbox", MoreURL: "/portal/inbox?cursor=x"}
	for i, show := range []string{"", "waiting", "unread", "paused"} {
		key := show
		if show == "" {
			key = "all"
		}
		list.Tabs = append(list.Tabs, routes.InboxTab{Show: show, Label: words.T(lang, "inbox.show."+key), URL: "/portal/inbox", Current: i == 0})
	}
	row := func(id, contact, text string, back time.Duration) routes.ChatRow {
		return routes.ChatRow{ID: id, Lang: lang, URL: "/portal/inbox/" + id, Contact: contact, At: now.Add(-back),
			Last: routes.MessageView{ID: id, Lang: lang, Text: text, Inbound: true, Status: "RECEIVED"}}
	}
	asks, answered, failed, voice, arabic := row("1", "Amina Hassan", "naomba kuongea na mtu tafadhali, nina swali kuhusu miadi yangu ya kesho", time.Minute), row("2", longName, "Karibu! Chagua:\n1. Weka miadi", 8*time.Minute),
		row("3", "+255754000222", "Nipo hapa", 3*time.Hour), row("4", "Baraka M.", "", 30*time.Hour), row("5", "فاطمة الزهراء", "شكرا", 200*time.Hour)
	asks.Waiting, asks.Unread, asks.Labels, asks.Selected = true, 3, []string{"VIP", "Deni"}, true
	answered.Last.Inbound, answered.Last.Status, answered.By = false, "READ", "Roboti"
	failed.Last.Inbound, failed.Last.Status, failed.Paused, failed.Unread = false, "FAILED", true, 120
	voice.Last.Kind = "voice"
	list.Rows = []routes.ChatRow{asks, answered, failed, voice, arabic}
	for i := range 10 {
		list.Rows = append(list.Rows, row(fmt.Sprint("x", i), fmt.Sprintf("Mteja %d", i), "Asante sana", 300*time.Hour))
	}
	return list
}

func thread(lang string, now time.Time) routes.Thread {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	th := routes.Thread{ID: "1", Lang: lang, BackURL: "/portal/inbox", OlderURL: "/portal/inbox/1/older?before=9",
		Head: routes.ChatHead{Lang: lang, Contact: "Amina Hassan", Phone: "+255754111222", Labels: []string{"VIP", "Deni"}},
		Bar:  routes.ChatBar{Lang: lang, Action: "/portal/inbox/1"}, Compose: routes.Composer{Lang: lang, Action: "/portal/inbox/1", Key: "k"},
		Canned: []routes.CannedAnswer{{ID: "1", Title: "Bei za kusuka", Text: "Twende kilioni ni 25,000, rasta ni 40,000."}, {ID: "2", Title: longName, Text: "Tupo Mikocheni B, karibu na Shoppers Plaza."}},
		Info: routes.ContactInfo{Lang: lang, Action: "/portal/inbox/1", Phone: "+255754111222", Labels: []string{"VIP", "Deni"}, Known: []string{"VIP", "Deni", "Mpya"},
			Notes: []routes.NoteView{{ID: "1", Text: "Anapenda rangi nyekundu.", Author: "Neema", At: now.Add(-time.Hour)}}}}
	for i, m := range []struct{ text, writer, by, status, why string }{
		{"Habari, mna nafasi kesho?", "", "", "RECEIVED", ""}, {"Karibu Neema Salon! *Chagua*:\n1. Weka miadi\n2. Huduma na bei\n3. Saa za kazi", "BOT", words.T(lang, "writer.BOT"), "READ", ""},
		{"naomba mtu", "", "", "RECEIVED", ""}, {"Habari Amina, nikusaidie nini?", "PERSON", "Neema Joseph", "DELIVERED", ""},
		{"Kumbusho: miadi yako ni kesho saa 4.", "API", words.T(lang, "inbox.automatic"), "SENT", ""},
		{"Sawa, nimekuwekea.", "PERSON", words.T(lang, "inbox.you"), "FAILED", "This number is not on WhatsApp."}, {"Uko hapo?", "PERSON", words.T(lang, "inbox.you"), "QUEUED", "Not confirmed by WhatsApp yet; it will be tried again."},
	} {
		line := routes.ThreadLine{MessageView: routes.MessageView{ID: fmt.Sprint("t", i), Lang: lang, Inbound: m.writer == "", Text: m.text, Status: m.status, By: m.by, At: now.Add(time.Duration(i-9) * time.Minute)}, Writer: m.writer}
		switch m.status {
		case "FAILED":
			line.FailReason = words.Refusal(lang, m.why)
		case "QUEUED":
			line.WaitReason = words.Refusal(lang, m.why)
		}
		if i == 0 {
			line.Day = midnight
		}
		th.Lines = append(th.Lines, line)
	}
	return th
}
