package templates

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// Row is one row of a list of any table (template "fragments/data_row", element id "row-<Key>"). Rows are written by Go and not
// by a template: a list has hundreds of cells, and a template takes ten times as long for each.
type Row struct {
	Key   string
	URL   string // the record: the drawer or a page of its own
	Push  string // the address with the drawer open; empty where URL is a page
	Title string // for those who do not see the row
	Pick  string // of the box that selects the row, for the same
	T     int64  // its place by time, newest first; 0: only replaced, never put in
	Cells []Cell
}

// Cell is one value.
type Cell struct {
	Label  string // of its column, for narrow screens
	Column string // the column's kind
	Kind   string // text, num, state, tag, time, moment (a time to the second), link, bool, code, null
	Text   string
	Href   string
	Full   string // on hover, where Text says less
	Tone   string // of a state …
	Icon   string // … and its sign
	Time   time.Time
}

var escape = template.HTMLEscapeString

// rowFunc writes a row.
func rowFunc(icon func(string) template.HTML) func(Row) template.HTML {
	return func(r Row) template.HTML {
		var b strings.Builder
		b.WriteString(`<tr id="row-` + escape(r.Key) + `"`)
		if r.T != 0 {
			b.WriteString(` data-into="rows" data-t="` + strconv.FormatInt(r.T, 10) + `"`)
		}
		b.WriteString(">")
		for i, c := range r.Cells {
			b.WriteString(`<td class="k-` + c.Column + `" data-label="` + escape(c.Label) + `">`)
			if i == 0 {
				b.WriteString(`<label class="pick"><input type="checkbox" aria-label="` + escape(r.Pick) + `"></label>`)
				href := r.Push
				if href == "" {
					href = r.URL
				}
				b.WriteString(`<a class="row-link" href="` + escape(href) + `"`)
				if r.Push != "" {
					b.WriteString(` hx-get="` + escape(r.URL) + `" hx-target="#record-body" hx-swap="outerHTML" hx-push-url="` + escape(r.Push) + `"`)
				}
				b.WriteString(`><span class="sr-only">` + escape(r.Title) + `: </span>`)
				if c.Kind == "null" || c.Kind == "text" && strings.TrimSpace(c.Text) == "" { // something to see and to press
					b.WriteString(`<span class="null">No ` + escape(lowerFirst(c.Label)) + "</span>")
				} else {
					c.write(&b, icon)
				}
				b.WriteString("</a>")
			} else if c.Kind == "link" {
				b.WriteString(`<a class="rel" dir="auto" href="` + escape(c.Href) + `">` + escape(c.Text) + "</a>")
			} else {
				c.write(&b, icon)
			}
			b.WriteString("</td>")
		}
		b.WriteString("</tr>\n")
		return template.HTML(b.String())
	}
}

// lowerFirst is a label inside a sentence; abbreviations keep their capitals.
func lowerFirst(label string) string {
	if len(label) > 1 && label[1] >= 'A' && label[1] <= 'Z' {
		return label
	}
	return strings.ToLower(label[:min(1, len(label))]) + label[min(1, len(label)):]
}

// cellFunc writes a value outside of a list.
func cellFunc(icon func(string) template.HTML) func(Cell) template.HTML {
	return func(c Cell) template.HTML {
		var b strings.Builder
		if c.Kind == "link" {
			b.WriteString(`<a class="rel" dir="auto" href="` + escape(c.Href) + `">` + escape(c.Text) + "</a>")
		} else {
			c.write(&b, icon)
		}
		return template.HTML(b.String())
	}
}

// write writes the value without a link.
func (c Cell) write(b *strings.Builder, icon func(string) template.HTML) {
	title := ""
	if c.Full != "" {
		title = ` title="` + escape(c.Full) + `"`
	}
	switch c.Kind {
	case "null":
		b.WriteString(`<span class="null" title="No value">–</span>`)
	case "state":
		b.WriteString(`<span class="state ` + c.Tone + `"` + title + ">" + string(icon(c.Icon)) + "<span>" + escape(c.Text) + "</span></span>")
	case "tag":
		b.WriteString(`<span class="tag"` + title + ">" + escape(c.Text) + "</span>")
	case "time":
		b.WriteString(string(agoTag("en", c.Time)))
	case "moment":
		b.WriteString(string(momentTag(c.Time)))
	case "num":
		b.WriteString(`<span class="num nowrap">` + escape(c.Text) + "</span>")
	case "code":
		b.WriteString(`<span class="mono"` + title + ">" + escape(c.Text) + "</span>")
	case "bool":
		b.WriteString(escape(c.Text))
	default:
		b.WriteString(`<span dir="auto">` + escape(c.Text) + "</span>")
	}
}
