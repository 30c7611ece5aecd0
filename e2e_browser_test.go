package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// newBrowser starts a Chromium for one test. A machine without one fails the test.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	ctx, end := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(chromedp.NoSandbox, chromedp.DisableGPU))
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium is needed for this test: %v", err)
	}
	return ctx
}

// tab is one person's browser window, with cookies of its own. What its console says is kept and must be expected.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu      sync.Mutex
	console []string
	marks   chan string
	allowed []string
}

const (
	desk  = 1280
	phone = 390
)

// watching counts what moved without anybody's doing, and notes when the page's stream opened and said something.
const watching = `window.shifted = 0;
window.stream = [];
document.addEventListener("htmx:sseOpen", () => { window.streamOpen = true; window.stream.push(Math.round(performance.now()) + " open"); });
document.addEventListener("htmx:sseError", (e) => window.stream.push(Math.round(performance.now()) + " lost, state " + e.detail.source.readyState));
document.addEventListener("htmx:sseBeforeMessage", () => { window.streamSaid = true; });
new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shifted += e.value; }).observe({type: "layout-shift", buffered: true});`

func newTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx, marks: make(chan string, 16)}
	b.expect("Autofocus processing was blocked") // Chromium's note that a key was faster than the page
	console := chromedp.Console(ctx)
	b.width(desk)
	b.scheme("light")
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watching}); err != nil {
		t.Fatal(err)
	}
	go func() {
		for m, err := range console {
			if err != nil {
				return
			}
			if mark, ok := strings.CutPrefix(m.Text, "mark "); ok {
				b.marks <- mark
				continue
			}
			b.mu.Lock()
			b.console = append(b.console, m.String()+" "+m.URL)
			b.mu.Unlock()
		}
	}()
	return b
}

// quiet fails the test for each console message since the last call that expect did not announce.
func (b *tab) quiet(where string) {
	b.t.Helper()
	eval[int](b, `console.debug("mark "), 1`)
	select {
	case <-b.marks:
	case <-time.After(patience):
		b.t.Fatal("the console does not answer")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, line := range b.console {
		for _, allowed := range b.allowed {
			if strings.Contains(line, allowed) {
				continue next
			}
		}
		b.t.Errorf("%s: console: %s", where, line)
	}
	b.console = nil
}

// expect lets console messages with these words pass.
func (b *tab) expect(words string) { b.allowed = append(b.allowed, words) }

func (b *tab) width(w int64) {
	b.t.Helper()
	height := int64(860)
	if w < 600 {
		height = 844
	}
	b.do(chromedp.EmulateViewport(w, height))
}

// scheme is the device's colour scheme; things that move are still, so that pictures and colours are certain.
func (b *tab) scheme(theme string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for _, step := range steps {
		err := chromedp.Do(ctx, step)
		for err != nil && swapped(err) && ctx.Err() == nil {
			err = chromedp.Do(ctx, step)
		}
		if err != nil {
			b.shoot("failed")
			b.t.Fatalf("%v; the page is %s", err, b.describe())
		}
	}
}

// swapped tells whether a step failed because the page replaced the element between finding it and asking where it is, which comes
// before anything is done to it: such a step can be taken again.
func swapped(err error) bool {
	var protocol *cdproto.Error
	if !errors.As(err, &protocol) {
		return false
	}
	return slices.ContainsFunc([]string{"Could not find node with given id", "No node with given id", "Node with given id does not belong to the document", "Node is detached from document", "Could not compute content quads", "Could not compute box model"},
		func(words string) bool { return strings.Contains(protocol.Message, words) })
}

func (b *tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

func (b *tab) click(css string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(css)))
	b.do(chromedp.MouseEvent("mouseMoved", 1, 1)) // rows wait while the pointer is on their list
}

// fill replaces what a field holds by typing.
func (b *tab) fill(css, text string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(css)))
	eval[bool](b, `(() => { const e = document.querySelector(`+quoted(css)+`); e.focus(); e.select(); return document.activeElement === e; })()`)
	b.do(chromedp.KeyEvent(text))
}

// eval runs an expression in the page, with a time-out for promises that never end.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.200s: %v", expression, err)
	}
	return v
}

// until waits for a condition in the page, over navigations too, and says which one never came.
func (b *tab) until(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](condition, chromedp.WithPollingInterval(25*time.Millisecond)))
		if err == nil {
			return
		}
		if ctx.Err() == nil && (strings.Contains(err.Error(), "context") || strings.Contains(err.Error(), "navigat")) {
			continue // the page it was asked in has gone
		}
		b.shoot("failed")
		b.t.Fatalf("%s never became true (%v); the page is %s", condition, err, b.describe())
	}
}

func (b *tab) describe() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + " focus: " + (document.activeElement || document.body).outerHTML.slice(0, 160) + "\n" + document.body.innerText.slice(0, 1500) + "\nstream, at ms of " + Math.round(performance.now()) + ": " + window.stream`))
	if err != nil {
		v = err.Error()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return v + "\nconsole: " + strings.Join(b.console, "\n")
}

// has waits until the page is there with its scripts and an element shows these words.
func (b *tab) has(css, words string) {
	b.t.Helper()
	b.until(`document.readyState === "complete" && [...document.querySelectorAll(` + quoted(css) + `)].some((e) => e.innerText.includes(` + quoted(words) + `))`)
}

// stay marks the page as it is now; same fails when it was loaded anew since.
func (b *tab) stay() { b.t.Helper(); eval[bool](b, `window.sameOne = true`) }
func (b *tab) same(what string) {
	b.t.Helper()
	if !eval[bool](b, `window.sameOne === true`) {
		b.t.Errorf("%s needed a reload", what)
	}
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// finding is what axe, or the page's own geometry, has to complain about.
type finding struct{ ID, Impact, Help, Nodes string }

// probe runs axe and looks for sideways scrolling.
const probe = `(async () => {
  const found = [], limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > limit) {
    const who = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > limit + 1).slice(0, 3);
    found.push({id: "overflow", impact: "serious", help: document.documentElement.scrollWidth - limit + " px too wide", nodes: who.map((e) => e.outerHTML.slice(0, 90)).join(" | ")});
  }
  const r = await axe.run(document, {resultTypes: ["violations"]RULES});
  for (const v of r.violations) found.push({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0] ? n.any[0].message : "")).join(" | ")});
  return JSON.stringify(found);
})()`

// sound fails the test for what axe finds serious on the page as it is now, at a desk's and a phone's width, in light and
// dark, and for sideways scrolling down to 360 pixels. In dark only the colours are new.
func (b *tab) sound(name string, except ...string) {
	b.t.Helper()
	axe, err := os.ReadFile("templates/testdata/axe.min.js")
	if err != nil {
		b.t.Fatal(err)
	}
	eval[int](b, `document.fonts.ready.then(() => 1)`)
	eval[int](b, string(axe)+";1")
	for _, width := range []int64{phone, desk} {
		b.width(width)
		for theme, rules := range map[string]string{"light": "", "dark": `, runOnly: ["color-contrast"]`} {
			b.scheme(theme)
			var found []finding
			if err := json.Unmarshal([]byte(eval[string](b, strings.Replace(probe, "RULES", rules, 1))), &found); err != nil {
				b.t.Fatal(err)
			}
			for _, f := range found {
				if (f.Impact == "serious" || f.Impact == "critical") && !slices.Contains(except, f.ID) {
					b.shoot(fmt.Sprintf("bad-%d-%s", width, theme))
					b.t.Errorf("%s at %d px, %s: %s (%s): %s", name, width, theme, f.ID, f.Help, f.Nodes)
				}
			}
		}
		b.scheme("light")
		if width == phone {
			b.width(360)
			if wide := eval[int](b, `document.documentElement.scrollWidth - 360`); wide > 0 {
				b.t.Errorf("%s is %d px too wide at 360 px", name, wide)
			}
		}
	}
}

// shoot keeps a picture in the folder FLOWHQ_SHOTS names, if it names one.
func (b *tab) shoot(name string) {
	dir := os.Getenv("FLOWHQ_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "e2e-"+strings.ReplaceAll(b.t.Name(), "/", "-")+"-"+name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Logf("no picture: %v", err)
	}
}

// shootBoth keeps a picture at a desk's and at a phone's width.
func (b *tab) shootBoth(name string) {
	b.t.Helper()
	if os.Getenv("FLOWHQ_SHOTS") == "" {
		return
	}
	b.shoot(name)
	b.width(phone)
	b.shoot(name + "-390")
	b.width(desk)
}

// scanQR reads the QR code that is on the screen, as a camera would.
func (b *tab) scanQR() string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.ScreenshotScale(chromedp.CSS("#link-panel img.qr"), 2))
	if err != nil {
		b.t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		b.t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		b.t.Fatalf("the QR code on the page cannot be read: %v", err)
	}
	return result.GetText()
}
