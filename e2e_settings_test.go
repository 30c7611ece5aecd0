package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The operator names the product, colours it, sets up mail and tries it, runs a job and shortens a pace; what is wrong is said where it
// was typed, and another process follows.
func TestOperatorsSettings(t *testing.T) {
	t.Parallel()
	p, box := newProduct(t), newMailbox(t)
	s := p.serve("127.0.0.1:0")
	elsewhere := serveCommand(t, p.settings(), "serve", "--role", "web", "--listen", "127.0.0.1:0")
	b := newTab(t, newBrowser(t))
	p.signIn(b, s)
	b.do(chromedp.KeyEvent("g"), chromedp.KeyEvent("s"))
	b.has("h1", "Settings")
	b.stay()

	// A colour shows while it is chosen.
	accent := `getComputedStyle(document.querySelector("#set-brand .btn.primary")).backgroundColor`
	ours := eval[string](b, accent)
	b.fill("#s-product_name", "Duka Bora")
	eval[bool](b, `(() => { const e = document.querySelector("#s-accent"); e.value = "#7a1fa2"; e.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`)
	b.until(accent + ` === "rgb(122, 31, 162)" && ` + quoted(ours) + ` !== "rgb(122, 31, 162)"`)
	b.same("choosing a colour")
	b.do(chromedp.KeyEvent("s", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.has(".brand", "Duka Bora")
	b.until(`document.title === "Settings · Duka Bora" && !document.querySelector("form[data-dirty]") && ` + accent + ` === "rgb(122, 31, 162)"`)
	b.sound("the settings")
	b.shootBoth("1-brand")

	// A mistake is said at its field and keeps what was typed; nothing is in force.
	b.expect("422")
	b.stay()
	b.fill("#s-heartbeat_seconds", "90")
	b.click("#set-signs .btn.primary")
	b.has("#s-stale_after_seconds-e", "need at least 180")
	b.until(`document.querySelector("#s-heartbeat_seconds").value === "90"`)
	b.fill("#s-stale_after_seconds", "200")
	b.click("#set-signs .btn.primary")
	b.has("#set-signs .state.ok", "Saved")

	host, port, err := net.SplitHostPort(box.address)
	if err != nil {
		t.Fatal(err)
	}
	b.fill("#s-mail_host", host)
	b.fill("#s-mail_port", port)
	b.fill("#s-mail_from", "Duka Bora <hq@duka.example>")
	b.do(chromedp.KeyEvent("s", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.until(`!!document.querySelector("#mt-to")`)
	b.fill("#mt-to", "somebody@duka.example")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has("#mail-test", "took the mail to somebody@duka.example")
	if l := box.wait("somebody@duka.example", "Test mail from Duka Bora"); !strings.Contains(l.text, "settings for mail work") || !strings.Contains(l.page, "#7a1fa2") && !strings.Contains(l.page, "Duka Bora") {
		t.Errorf("the mail says %q and %q", l.text, l.page)
	}
	b.shootBoth("2-mail")

	// A job is run now, and its row tells by itself.
	began := `document.querySelector("#job-cleanup time").dateTime`
	before := eval[string](b, began)
	b.until(`Math.floor(Date.now() / 1000) > Math.floor(Date.parse(` + quoted(before) + `) / 1000)`) // the page shows whole seconds
	b.click("#job-cleanup .btn")
	b.until(began + ` !== ` + quoted(before) + ` && document.querySelector("#job-cleanup .state").innerText.includes("Done")`)
	b.fill("#s-count_messages", "30")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.has("#job-count_messages", "every 30 seconds")
	b.same("saving")
	b.quiet("the settings")

	deadline := time.Now().Add(patience)
	for {
		answer, err := http.Get(elsewhere.url + "/login")
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(page), "Duka Bora") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("another process never took the name over")
		}
		time.Sleep(100 * time.Millisecond) // it says so to nobody
	}
}
