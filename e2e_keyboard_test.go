package main

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focusSeen says whether a person sees where the focus is: on the screen, and marked by an outline or a shadow.
// (a row's link is marked on its ::after, which spans the row). A frame later, when the browser has moved it off what vanished.
const focusSeen = `(async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const e = document.activeElement;
  if (!e || e === document.body || e.matches("main")) return ""; // no controls: where a page or the skip link begins
  const r = e.getBoundingClientRect();
  if (r.width < 4 || r.height < 4) return "too small to see";
  if (r.bottom <= 0 || r.right <= 0 || r.top >= innerHeight || r.left >= innerWidth) return "off the screen";
  for (const s of [getComputedStyle(e), getComputedStyle(e, "::after"), getComputedStyle(e.parentElement)]) {
    if ((s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none") return "";
  }
  return "not marked";
})()`

// press presses keys; wherever the focus goes it must be seen.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
	if wrong := eval[string](b, focusSeen); wrong != "" {
		b.t.Errorf("the focus is %s: %s", wrong, b.focus())
	}
}

func (b *tab) focus() string {
	b.t.Helper()
	return eval[string](b, `location.pathname + " " + document.activeElement.outerHTML.slice(0, 200)`)
}

// tabTo presses Tab until the focus is on an element.
func (b *tab) tabTo(css string) {
	b.t.Helper()
	for range 80 {
		if eval[bool](b, `!!document.activeElement?.matches(`+quoted(css)+`)`) {
			return
		}
		b.press(kb.Tab)
	}
	b.shoot("failed")
	b.t.Fatalf("80 times Tab never reached %s; the focus is on %s", css, b.focus())
}

// A mouse is never needed, and the focus is always seen.
func TestByKeyboardAlone(t *testing.T) {
	p := newProduct(t)
	s := p.serve("127.0.0.1:0")
	b := newTab(t, newBrowser(t))
	p.signIn(b, s) // makes the admin
	b.open(s.url + "/admin/account")
	b.tabTo("a.skip")
	b.shoot("1-skip")
	b.press(kb.Enter)
	b.until(`document.activeElement.id === "main"`)
	b.do(chromedp.KeyEvent("ga"))
	b.until(`location.pathname === "/admin/account"`)
	b.tabTo(`form[action="/logout"] button`)
	b.press(kb.Enter)
	b.until(`location.pathname === "/login" && document.activeElement.id === "email"`)

	b.press(testAdmin)
	b.tabTo("#password")
	b.press(testPassword)
	b.press(kb.Enter)
	b.has("h1", "Overview")

	b.do(chromedp.KeyEvent("n"))
	b.until(`document.querySelector("#new-tenant").open && document.activeElement.id === "tf-name"`)
	eval[bool](b, `document.activeElement.select(), true`) // the driver types the n, too
	b.press("Mama Lishe")
	b.tabTo("#tf-business")
	b.press("Mama Lishe")
	b.tabTo("#tf-phone")
	b.press("12")
	b.press(kb.Enter) // too short: the focus goes to what is wrong
	b.until(`document.activeElement.matches("#tf-phone[aria-invalid=true]")`)
	b.shoot("2-wrong")
	eval[bool](b, `document.activeElement.select(), true`)
	b.press("+255712000321")
	b.tabTo("#tf-language")
	b.press("E") // English, by its letter
	b.tabTo("#tenant-form [type=submit]")
	b.press(" ")
	b.has("h1", "Mama Lishe")

	b.do(chromedp.KeyEvent("gt"))
	b.has("h1", "Tenants")
	b.do(chromedp.KeyEvent("/"))
	b.until(`document.activeElement.id === "q"`)
	eval[bool](b, `document.activeElement.select(), true`) // and the slash
	b.press("mama")
	b.until(`location.search.includes("q=mama") && document.querySelectorAll("#tenant-rows tr").length === 1`)
	b.tabTo("a.row-link")
	b.shoot("3-row")
	b.press(kb.Enter)
	b.has("h1", "Mama Lishe")

	b.tabTo("#btn-start")
	b.press(kb.Enter)
	b.until(`!!document.querySelector("#link-panel img.qr")`)
	b.tabTo("#btn-stop")
	b.press(kb.Enter)
	b.until(`document.querySelector("#confirm-stop").open`)
	if wrong := eval[string](b, focusSeen); wrong != "" {
		t.Errorf("in the dialog the focus is %s: %s", wrong, b.focus())
	}
	b.shoot("4-dialog")
	b.press(kb.Escape)
	b.until(`!document.querySelector("#confirm-stop").open && document.activeElement.id === "btn-stop"`) // back where it was
	b.press(kb.Enter)
	b.until(`document.querySelector("#confirm-stop").open`)
	b.tabTo("#confirm-stop .btn.danger")
	b.press(kb.Enter)
	b.has("#state-panel", "Stopped")
	b.until(`!document.querySelector("#btn-stop") && document.activeElement.id === "btn-start"`) // the button that did it is gone
	if wrong := eval[string](b, focusSeen); wrong != "" {
		t.Errorf("after the stop the focus is %s: %s", wrong, b.focus())
	}
	b.do(chromedp.KeyEvent("?"))
	b.until(`document.querySelector("#shortcuts").open`)
	b.press(kb.Escape)
	b.until(`!document.querySelector("#shortcuts").open`)
	b.expect("status of 422") // the number that was too short
	b.quiet("working by keyboard")
}
