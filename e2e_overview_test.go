package main

import (
	"testing"

	"flowhq/jobs"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// drag moves the mouse over an element with the button down, from one part of its width to another.
func (b *tab) drag(css string, from, to float64) {
	b.t.Helper()
	r := eval[[]float64](b, `(() => { const r = document.querySelector(`+quoted(css)+`).getBoundingClientRect(); return [r.left, r.width, r.top + r.height / 2]; })()`)
	x, y := func(share float64) float64 { return r[0] + share*r[1] }, r[2]
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, x(from), y), chromedp.MouseEvent(chromedp.MousePressed, x(from), y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	for share := from; share <= to; share += (to - from) / 4 {
		b.do(chromedp.MouseEvent(chromedp.MouseMoved, x(share), y, chromedp.ButtonLeft))
	}
	b.do(chromedp.MouseEvent(chromedp.MouseReleased, x(to), y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// An operator sees what needs them and gets to it; sees it change; and finds in the logs what happened at a moment.
func TestOverviewAndLogs(t *testing.T) {
	t.Parallel()
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	neema := p.program(s).tenant("Neema Salon", "+255712000311", "BOOKING", "EN")
	p.chats(neema, 2, 40)
	p.exec(`INSERT INTO message_logs (id, tenant_id, conversation_id, direction, from_number, to_number, message_text, wa_message_id, status, source, failure, in_reply_to, created_at, sent_at)
		SELECT gen_random_uuid(), tenant_id, conversation_id, 'OUT', to_number, from_number, 'Karibu', 'R' || wa_message_id, CASE WHEN created_at > now() - interval '3 hours 30 minutes' THEN 'FAILED' ELSE 'READ' END::message_status,
			'BOT', CASE WHEN created_at > now() - interval '3 hours 30 minutes' THEN 'Refused' END, id, created_at, created_at + interval '1 second' FROM message_logs`)
	p.exec("UPDATE whatsapp_sessions SET reason = 'LOGGED_OUT'")
	if err := jobs.CountMessages(t.Context(), p.db.System); err != nil {
		t.Fatal(err)
	}
	// Two days of log entries, with errors in one hour of the first.
	p.exec(`INSERT INTO logs (id, created_at, level, kind, message, node, attributes)
		SELECT gen_random_uuid(), now() - n * interval '10 minutes', CASE WHEN n BETWEEN 204 AND 209 THEN 'ERROR' ELSE 'INFO' END::log_level, 'EVENT',
			CASE WHEN n BETWEEN 204 AND 209 THEN 'it fell over' ELSE 'all is well' END, 'dar:7', '{"n": 1}' FROM generate_series(1, 288) n`)
	b := newTab(t, newBrowser(t))
	p.signIn(b, s)

	// The overview: figures, charts, what needs somebody.
	b.until(`document.querySelectorAll(".plot canvas").length === 3 && window.streamSaid`)
	b.has("#overview-troubles", "Needs attention")
	b.has("#overview-troubles a", "Logged out")
	b.has("#overview-figures", "under 2 s")
	b.sound("the overview")
	b.shootBoth("1-overview")
	b.width(phone)
	b.open(s.url + "/admin?days=7")
	b.until(`document.querySelectorAll(".plot canvas").length === 3 && window.streamSaid`)
	if moved := eval[float64](b, `document.fonts.ready.then(() => window.shifted)`); moved >= 0.1 {
		t.Errorf("the overview moves by %.3f on a phone after it was shown", moved)
	}
	b.width(desk)
	b.open(s.url + "/admin")
	b.until(`document.querySelectorAll(".plot canvas").length === 3 && window.streamSaid`)
	b.stay()
	eval[int](b, `window.shifted = 0, 1`)
	p.exec("UPDATE whatsapp_sessions SET reason = 'BANNED'")
	b.until(`[...document.querySelectorAll("#overview-troubles a")].some((a) => a.textContent.includes("Banned")) && ![...document.querySelectorAll("#overview-troubles a")].some((a) => a.textContent.includes("Logged out"))`)
	b.same("a figure that changed")
	if moved := eval[float64](b, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(window.shifted))))`); moved > 0.01 {
		t.Errorf("figures that changed moved the page by %.3f", moved)
	}
	b.click(".behind summary")
	b.until(`document.querySelector(".behind").open && document.querySelectorAll("#overview-hours tr").length === 24`)
	failed := eval[int](b, `Number([...document.querySelectorAll("#overview-troubles a")].find((a) => a.textContent.includes("Failed messages")).querySelector(".num").textContent)`)
	if failed != 6 {
		t.Errorf("%d failed messages, want 6", failed)
	}
	b.quiet("the overview")
	eval[bool](b, `[...document.querySelectorAll("#overview-troubles a")].find((a) => a.textContent.includes("Failed messages")).click(), true`)
	b.has("h1", "Messages")
	b.rows(failed)
	b.until(`[...document.querySelectorAll("#rows tr")].every((tr) => tr.textContent.includes("Failed"))`)
	b.do(chromedp.KeyEvent("go"))
	b.has("h1", "Overview")

	// The logs: drag over the hour of the errors, narrow to them, open one.
	b.open(s.url + "/admin/data/logs")
	b.until(`!!document.querySelector(".plot canvas") && !!document.querySelector("#log-series").dataset.series`)
	b.sound("the logs")
	b.shootBoth("2-logs")
	b.stay()
	b.drag(".plot .u-over", .2, .4) // of the last two days: 38 to 29 hours ago
	b.until(`/^created_at >= "[^"]+" && created_at < "[^"]+"$/.test(new URLSearchParams(location.search).get("q"))`)
	b.until(`Number(JSON.parse(document.querySelector("#log-series").dataset.series).ERROR.reduce((a, n) => a + n, 0)) === 6`)
	b.shoot("3-dragged")
	b.fill("#q", `level = "ERROR"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.rows(6)
	b.drag(".plot .u-over", 0, .99) // what was asked for before stays
	b.until(`/^level = "ERROR" && created_at >= /.test(new URLSearchParams(location.search).get("q"))`)
	b.click("[data-span='1h']")
	b.until(`new URLSearchParams(location.search).get("q") === 'level = "ERROR" && created_at > @now-1h'`)
	b.has(".empty", "Nothing matches")
	b.click("[data-span='']")
	b.rows(6)
	b.click("#rows tr:first-child .row-link")
	b.until(`document.querySelector("#record").open && document.querySelector("#record-h").textContent === "it fell over"`)
	b.has("#record", `"n": 1`)
	b.sound("an entry of the log")
	b.shootBoth("4-entry")
	b.same("narrowing the logs")
	b.quiet("the logs")
}
