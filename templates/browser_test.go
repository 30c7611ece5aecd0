package templates_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// finding is what axe, or the page's own geometry, has to complain about.
type finding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  string `json:"nodes"`
}

// probe runs axe with rules of serious weight, and looks for sideways scrolling.
const probe = `(async () => {
  const found = [];
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) {
    const limit = document.documentElement.clientWidth;
    const who = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > limit + 1).slice(0, 3).map((e) => e.outerHTML.slice(0, 90));
    found.push({id: "overflow", impact: "serious", help: wide + " px too wide", nodes: who.join(" | ")});
  }
  const r = await axe.run(document, {resultTypes: ["violations"]RULES});
  for (const v of r.violations) found.push({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0] ? n.any[0].message : "")).join(" | ")});
  return JSON.stringify(found);
})()`

// Every page in every state, at a phone's and a desk's width, in light and dark: axe finds nothing
// serious, nothing scrolls sideways, and the console stays empty under the strict policy. With
// FLOWHQ_SHOTS=folder it also keeps pictures; FLOWHQ_ONLY=name limits it to pages of that prefix.
func TestPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler(t))
	defer server.Close()
	ctx, end := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(chromedp.NoSandbox, chromedp.DisableGPU))
	defer end()
	ctx, cancel := context.WithTimeout(ctx, 8*time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("Chromium is needed for this test: %v", err)
	}
	const mark = "end of page "
	console := chromedp.Console(ctx)
	scheme := func(theme string) {
		t.Helper()
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
	}
	// The dark page is the same document in other colours: there only contrast is looked at again.
	looks := []struct{ theme, rules string }{{"light", ""}, {"dark", `, runOnly: ["color-contrast"]`}}
	for _, size := range [][2]int64{{390, 844}, {1280, 860}} {
		do(ctx, t, chromedp.EmulateViewport(size[0], size[1]))
		for _, s := range samples(t) {
			if !strings.HasPrefix(s.name, os.Getenv("FLOWHQ_ONLY")) {
				continue
			}
			scheme("light")
			do(ctx, t, chromedp.Navigate(server.URL+"/"+s.name))
			eval[int](ctx, t, "document.fonts.ready.then(() => 1)")
			eval[int](ctx, t, string(axe)+";1")
			for _, l := range looks {
				scheme(l.theme)
				name := fmt.Sprintf("%s-%d-%s", s.name, size[0], l.theme)
				shoot(ctx, t, name)
				var found []finding
				if err := json.Unmarshal([]byte(eval[string](ctx, t, strings.Replace(probe, "RULES", l.rules, 1))), &found); err != nil {
					t.Fatal(err)
				}
				for _, f := range found {
					if f.Impact == "serious" || f.Impact == "critical" {
						t.Errorf("%s: %s (%s): %s", name, f.ID, f.Help, f.Nodes)
					} else {
						t.Logf("%s: %s %s: %s", name, f.Impact, f.ID, f.Nodes)
					}
				}
			}
			if size[0] == 390 { // the narrowest phones: only the width matters
				do(ctx, t, chromedp.EmulateViewport(360, 740))
				if wide := eval[int](ctx, t, "document.documentElement.scrollWidth - 360"); wide > 0 {
					t.Errorf("%s: %d px too wide at 360 px", s.name, wide)
				}
				do(ctx, t, chromedp.EmulateViewport(size[0], size[1]))
			}
			eval[int](ctx, t, "console.debug("+fmt.Sprintf("%q", mark+s.name)+"), 1")
		}
	}
	eval[int](ctx, t, "console.debug("+fmt.Sprintf("%q", mark)+"), 1")
	var lines []string
	for m, err := range console {
		if err != nil {
			t.Fatal(err)
		}
		if m.Text == mark {
			break
		}
		name, ended := strings.CutPrefix(m.Text, mark)
		if !ended {
			lines = append(lines, m.String()+" "+m.URL)
			continue
		}
		for _, line := range lines {
			t.Errorf("%s: console: %s", name, line)
		}
		lines = nil
	}
}

// shoot keeps a picture in the folder FLOWHQ_SHOTS names.
func shoot(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("FLOWHQ_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](ctx context.Context, t *testing.T, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
