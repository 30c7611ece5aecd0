package spreadsheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Limits bound what is read. All must be set.
type Limits struct {
	Bytes   int // of the file
	Rows    int // below the header
	Columns int
	Cell    int // characters of one
}

// Row is a row below the header, with as many cells as the header has names.
type Row struct {
	Line  int // where it begins in the file, from 1
	Cells []string
}

// Reader reads a file row by row. It reads cells itself because encoding/csv bounds neither a cell nor the number of cells, and
// changes the line breaks in them.
type Reader struct {
	in        *bufio.Reader
	limits    Limits
	delimiter rune
	line      int
	rows      int
	header    []string
}

var delimiters = []rune{',', ';', '\t', '|'}

// NewReader finds out how the file is written, UTF-8, UTF-16 with its mark or else Windows-1252, and with which delimiter, and reads the
// header. The error is an *Error.
func NewReader(file []byte, limits Limits) (*Reader, error) {
	if len(file) > limits.Bytes {
		return nil, &Error{Fault: TooLarge, Limit: limits.Bytes}
	}
	r := &Reader{limits: limits, line: 1, delimiter: ','}
	plain := decoded(file)
	r.in = bufio.NewReader(plain)
	told := r.sep()
	if !told {
		r.delimiter = guess(r.in)
	}
	cells, err := r.record()
	var wrong *Error
	switch {
	case errors.Is(err, io.EOF):
		return nil, &Error{Fault: Empty}
	case errors.As(err, &wrong):
		return nil, wrong
	}
	for i, c := range cells.Cells {
		cells.Cells[i] = strings.TrimSpace(unguarded(strings.TrimSpace(c)))
	}
	for len(cells.Cells) > 1 && cells.Cells[len(cells.Cells)-1] == "" { // a spreadsheet's empty columns on the right
		cells.Cells = cells.Cells[:len(cells.Cells)-1]
	}
	if len(cells.Cells) == 1 && cells.Cells[0] == "" {
		return nil, &Error{Fault: Empty}
	}
	r.header = cells.Cells
	return r, nil
}

// decoded is the file as UTF-8 without a mark.
func decoded(file []byte) io.Reader {
	rest, marked := bytes.CutPrefix(file, []byte("\xef\xbb\xbf"))
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xfe")), bytes.HasPrefix(file, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(bytes.NewReader(file))
	case marked, utf8.Valid(file):
		return unicode.UTF8.NewDecoder().Reader(bytes.NewReader(rest)) // what is not UTF-8 in it becomes U+FFFD
	}
	return charmap.Windows1252.NewDecoder().Reader(bytes.NewReader(file))
}

// sep reads the line in which Excel is told the delimiter.
func (r *Reader) sep() bool {
	start, _ := r.in.Peek(7)
	if len(start) < 5 || !strings.EqualFold(string(start[:4]), "sep=") || !slices.Contains(delimiters, rune(start[4])) {
		return false
	}
	n := 5
	if end := string(start[5:]); strings.HasPrefix(end, "\r\n") {
		n = 7
	} else if strings.HasPrefix(end, "\n") || strings.HasPrefix(end, "\r") {
		n = 6
	} else if end != "" {
		return false
	}
	_, _ = r.in.Discard(n)
	r.delimiter, r.line = rune(start[4]), 2
	return true
}

// guess is the delimiter that is most often in the first line, outside of quotes.
func guess(in *bufio.Reader) rune {
	start, _ := in.Peek(in.Size())
	start = bytes.TrimLeft(start, "\r\n")
	counts, quoted := map[rune]int{}, false
	for _, c := range string(start) {
		if c == '"' {
			quoted = !quoted
		}
		if quoted {
			continue
		}
		if c == '\n' || c == '\r' {
			break
		}
		counts[c]++
	}
	best := ','
	for _, d := range delimiters {
		if counts[d] > counts[best] {
			best = d
		}
	}
	return best
}

// Header is the names of the columns, without the space around them. They may be empty or there twice.
func (r *Reader) Header() []string { return r.header }

// Next is the next row that is not empty; io.EOF after the last. An *Error says by OfRow whether reading can go on; the row says its line then, too.
func (r *Reader) Next() (Row, error) {
	row, err := r.record()
	var wrong *Error
	if err != nil && !(errors.As(err, &wrong) && wrong.OfRow()) {
		return row, err
	}
	if r.rows++; r.rows > r.limits.Rows {
		return row, &Error{Fault: TooManyRows, Line: row.Line, Limit: r.limits.Rows}
	}
	for i, c := range row.Cells {
		row.Cells[i] = unguarded(c)
		if i >= len(r.header) && c != "" && err == nil {
			err = &Error{Fault: TooManyCells, Line: row.Line, Column: i, Limit: len(r.header)}
		}
	}
	for len(row.Cells) < len(r.header) {
		row.Cells = append(row.Cells, "")
	}
	row.Cells = row.Cells[:len(r.header)]
	return row, err
}

// record reads one line of the file, which quotes may spread over several. Lines of nothing are passed over.
func (r *Reader) record() (Row, error) {
	for {
		row, blank, err := r.cells()
		if err != nil || !blank {
			return row, err
		}
	}
}

const end = rune(-1) // of the file

// cells reads a line. It is blank when there is nothing in it but delimiters.
func (r *Reader) cells() (row Row, blank bool, err error) {
	row.Line, blank = r.line, true
	for {
		text, quoted, after, err2 := r.cell()
		var wrong *Error
		if errors.As(err2, &wrong) {
			wrong.Line, wrong.Column = row.Line, len(row.Cells)
			if !wrong.OfRow() {
				return row, false, wrong
			}
			if err == nil {
				err = wrong
			}
		} else if err2 != nil {
			return row, false, err2
		}
		blank = blank && !quoted && text == ""
		if len(row.Cells) < r.limits.Columns {
			row.Cells = append(row.Cells, text)
		} else if text != "" {
			return row, false, &Error{Fault: TooManyColumns, Line: row.Line, Limit: r.limits.Columns}
		}
		if after == end && blank {
			return row, true, io.EOF
		}
		if after != r.delimiter {
			return row, blank && err == nil, err
		}
	}
}

// cell reads up to a delimiter, the end of the line or of the file, and says which.
func (r *Reader) cell() (text string, quoted bool, after rune, err error) {
	var b strings.Builder
	count, inside, closed := 0, false, false
	for first := true; ; first = false {
		c, _, e := r.in.ReadRune()
		crlf := e == nil && c == '\r' && r.next('\n')
		if e == nil && (c == '\n' || c == '\r' && !crlf) {
			r.line++
		}
		switch {
		case e != nil && !errors.Is(e, io.EOF):
			return "", quoted, end, e
		case e != nil && inside:
			return "", quoted, end, &Error{Fault: BrokenQuote}
		case e != nil:
			return b.String(), quoted, end, err
		case c == 0:
			return "", quoted, end, &Error{Fault: NoText}
		case c == '"' && first:
			inside, quoted = true, true
			continue
		case c == '"' && inside && !r.next('"'):
			inside, closed = false, true
			continue
		case c == '"' && inside:
			_, _ = r.in.Discard(1) // two are one
		case inside:
		case c == r.delimiter:
			return b.String(), quoted, c, err
		case crlf: // the line ends with what comes
			continue
		case c == '\n' || c == '\r':
			return b.String(), quoted, c, err
		case closed && c == ' ':
			continue
		case closed:
			return "", quoted, end, &Error{Fault: BrokenQuote}
		}
		if count++; count > r.limits.Cell {
			err = &Error{Fault: CellTooLong, Limit: r.limits.Cell}
			continue
		}
		b.WriteRune(c)
	}
}

// next tells whether this is the next byte.
func (r *Reader) next(b byte) bool {
	ahead, err := r.in.Peek(1)
	return err == nil && ahead[0] == b
}
