package templates

import (
	"html/template"
	"strings"
)

// SideLink is one entry of the admin's sidebar. Pin toggles it; entries that are no tables have none. Each page has some forty, so
// they are written by Go, as rows are.
type SideLink struct {
	Label, Icon, Href string
	Key               string // shortcut: "g t"
	Table             string // empty: no table, so it cannot be pinned
	Pinned, Current   bool
	NewTab            bool
}

// sideFunc writes an entry.
func sideFunc(icon func(string) template.HTML) func(SideLink) template.HTML {
	return func(l SideLink) template.HTML {
		var b strings.Builder
		label := escape(l.Label)
		b.WriteString(`<li class="side-item" data-name="` + label + `"><a href="` + escape(l.Href) + `"`)
		if l.NewTab {
			b.WriteString(` target="_blank"`)
		}
		if l.Key != "" {
			b.WriteString(` data-key="` + escape(l.Key) + `"`)
		}
		if l.Current {
			b.WriteString(` aria-current="page"`)
		}
		b.WriteString(` title="` + label + `">` + string(icon(l.Icon)) + `<span class="side-word truncate">` + label)
		if l.NewTab {
			b.WriteString(`<span class="sr-only"> (opens in a new tab)</span>`)
		}
		b.WriteString("</span></a>")
		if l.Table != "" {
			pressed, does, where := "false", "Pin", "Pin to the top"
			if l.Pinned {
				pressed, does, where = "true", "Unpin", "Unpin"
			}
			b.WriteString(`<button type="button" class="pin side-word" tabindex="-1" hx-post="/admin/pins/` + escape(l.Table) + `" hx-target="#side-lists" hx-swap="outerHTML" aria-pressed="` + pressed +
				`" aria-label="` + does + " " + label + `" title="` + where + `">` + string(icon("pin")) + "</button>")
		}
		b.WriteString("</li>")
		return template.HTML(b.String())
	}
}
