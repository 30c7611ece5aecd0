package spreadsheet

import (
	"bufio"
	"io"
	"strings"
)

// Cell is what Writer puts into a row: made by Text or by Number.
type Cell struct{ written string }

// Text is a cell that a spreadsheet leaves as it is: nothing in it is taken for a formula, and no phone number for an amount.
func Text(s string) Cell {
	if guarded(s) {
		s = "'" + s
	}
	return Cell{s}
}

// Number is a cell that a spreadsheet may read as its own: a number, a time, a word of ours. Never what people wrote.
func Number(s string) Cell { return Cell{s} }

// Writer writes rows that spreadsheets open right: UTF-8 that says so, commas, lines that end in CRLF. encoding/csv would change the
// line breaks inside of cells.
type Writer struct {
	out   *bufio.Writer
	begun bool
	err   error
}

// NewWriter returns a Writer to w. Flush writes what it still holds.
func NewWriter(w io.Writer) *Writer { return &Writer{out: bufio.NewWriter(w)} }

// Write adds a row. The first is the header.
func (w *Writer) Write(cells ...Cell) error {
	if !w.begun {
		w.begun = true
		w.put("\ufeff")
	}
	blank := true
	for _, c := range cells {
		blank = blank && c.written == ""
	}
	for i, c := range cells {
		if i > 0 {
			w.put(",")
		}
		switch {
		case blank && i == 0: // a line of nothing would be left out by readers
			w.put(`""`)
		case strings.ContainsAny(c.written, "\",;\t\r\n|") || strings.TrimSpace(c.written) != c.written:
			w.put(`"`, strings.ReplaceAll(c.written, `"`, `""`), `"`)
		default:
			w.put(c.written)
		}
	}
	w.put("\r\n")
	return w.err
}

// Names adds a row of names, such as the header.
func (w *Writer) Names(names ...string) error {
	cells := make([]Cell, len(names))
	for i, n := range names {
		cells[i] = Text(n)
	}
	return w.Write(cells...)
}

// Flush hands on what is written and returns the first error there was.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}

func (w *Writer) put(parts ...string) {
	for _, p := range parts {
		if w.err == nil {
			_, w.err = w.out.WriteString(p)
		}
	}
}
