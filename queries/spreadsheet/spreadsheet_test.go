package spreadsheet

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

var wide = Limits{Bytes: 1 << 20, Rows: 1000, Columns: 50, Cell: 1000}

// all reads a file to its end or its first error. Rows that are wrong alone are told by their line.
func all(file string, limits Limits) (header []string, rows [][]string, wrong []Error, err error) {
	r, err := NewReader([]byte(file), limits)
	if err != nil {
		return nil, nil, nil, err
	}
	for {
		row, err := r.Next()
		var e *Error
		switch {
		case errors.Is(err, io.EOF):
			return r.Header(), rows, wrong, nil
		case errors.As(err, &e) && e.OfRow():
			wrong = append(wrong, *e)
		case err != nil:
			return r.Header(), rows, wrong, err
		default:
			rows = append(rows, row.Cells)
		}
	}
}

func TestReader(t *testing.T) {
	utf16 := func(s string, big bool) string {
		var b strings.Builder
		for _, r := range "\ufeff" + s {
			if big {
				b.WriteByte(byte(r >> 8))
			}
			b.WriteByte(byte(r))
			if !big {
				b.WriteByte(byte(r >> 8))
			}
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		file   string
		header []string
		rows   [][]string
	}{
		"plain":             {"name,phone\nAsha,255\n", []string{"name", "phone"}, [][]string{{"Asha", "255"}}},
		"no last line end":  {"a,b\r\n1,2", []string{"a", "b"}, [][]string{{"1", "2"}}},
		"old Mac":           {"a,b\r1,2\r", []string{"a", "b"}, [][]string{{"1", "2"}}},
		"mark, semicolons":  {"\ufeffa;b\r\n1,5;2\r\n", []string{"a", "b"}, [][]string{{"1,5", "2"}}},
		"tabs, UTF-16 LE":   {utf16("jina\tmaji ñ\r\nÉ\t2\r\n", false), []string{"jina", "maji ñ"}, [][]string{{"É", "2"}}},
		"UTF-16 BE":         {utf16("a,b\n€,2\n", true), []string{"a", "b"}, [][]string{{"€", "2"}}},
		"Windows-1252":      {"a,b\nCaf\xe9,\x80 5\n", []string{"a", "b"}, [][]string{{"Café", "€ 5"}}},
		"sep":               {"sep=;\r\na,x;b\r\n1;2\r\n", []string{"a,x", "b"}, [][]string{{"1", "2"}}},
		"quotes":            {"a,b\n\"1,\"\"x\"\"\r\ny\" ,5\" pipe\n", []string{"a", "b"}, [][]string{{"1,\"x\"\r\ny", "5\" pipe"}}},
		"names":             {" a , a,,\"b;c;d\",,\n1,2,3,4,,\n", []string{"a", "a", "", "b;c;d"}, [][]string{{"1", "2", "3", "4"}}},
		"nothing, and more": {"\n\na,b\n\n,,,\n\"\",\n1\n\n", []string{"a", "b"}, [][]string{{"", ""}, {"1", ""}}},
		"guards":            {"a,b,c\n'=1+1,'0712,'tis\n", []string{"a", "b", "c"}, [][]string{{"=1+1", "0712", "'tis"}}},
		"only a header":     {"a", []string{"a"}, nil},
	} {
		header, rows, wrong, err := all(c.file, wide)
		if err != nil || len(wrong) > 0 || !reflect.DeepEqual(header, c.header) || !reflect.DeepEqual(rows, c.rows) {
			t.Errorf("%s: %q %q %v %v", name, header, rows, wrong, err)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	tight := Limits{Bytes: 400_000, Rows: 3, Columns: 4, Cell: 5}
	for name, c := range map[string]struct {
		file string
		want Error
		rows int // that are read nevertheless
	}{
		"nothing":             {"\ufeff\n , \n", Error{Fault: Empty}, 0},
		"large":               {strings.Repeat("x", 400_001), Error{Fault: TooLarge, Limit: 400_000}, 0},
		"rows":                {"a\n1\n2\n3\n4\n5\n", Error{Fault: TooManyRows, Line: 5, Limit: 3}, 3},
		"columns":             {strings.Repeat("a,", 100_000), Error{Fault: TooManyColumns, Line: 1, Limit: 4}, 0},
		"columns below":       {"a\n1\n1,2,3,4,5\n", Error{Fault: TooManyColumns, Line: 3, Limit: 4}, 1},
		"open quote":          {"a,b\n1,\"2\n3,4\n", Error{Fault: BrokenQuote, Line: 2, Column: 1}, 0},
		"text after a quote":  {"a,b\n1,\"2\"x\n3,4\n", Error{Fault: BrokenQuote, Line: 2, Column: 1}, 0},
		"NUL":                 {"a,b\n1,2\x00\n", Error{Fault: NoText, Line: 2, Column: 1}, 0},
		"UTF-16 without mark": {"a\x00,\x00b\x00", Error{Fault: NoText, Line: 1}, 0},
		"long cell":           {"a,b\n1,123456\n\"x\ny\",4\n", Error{Fault: CellTooLong, Line: 2, Column: 1, Limit: 5}, 1},
		"long row":            {"a,b\n1,2,,\n1,2,3\n4,5\n", Error{Fault: TooManyCells, Line: 3, Column: 2, Limit: 2}, 2},
	} {
		_, rows, wrong, err := all(c.file, tight)
		var got *Error
		if len(wrong) == 1 && err == nil {
			got = &wrong[0]
		} else if !errors.As(err, &got) {
			t.Errorf("%s: was read: %q", name, rows)
			continue
		}
		if *got != c.want || len(rows) != c.rows {
			t.Errorf("%s: %+v and %d rows", name, *got, len(rows))
		}
		if got.Error() == "" {
			t.Errorf("%s: no sentence", name)
		}
	}
}

func TestThereAndBack(t *testing.T) {
	rows := [][]string{
		{"=cmd|' /C calc'!A0", "+255713000000", "0712000000", "-5"},
		{"'", "''=1", "a\r\nb\nc\rd", " space "},
		{"", "", "", ""},
		{"\t", "\"", "a,b;c\td|e", "\u00a0=x"},
		{"255713000000", "@x", "＝1", "ñ€"},
	}
	var file bytes.Buffer
	w := NewWriter(&file)
	_ = w.Names("a", "sep=;", "=c", "d")
	for _, r := range rows {
		_ = w.Names(r...)
	}
	_ = w.Write(Number("-5"), Number("2026-01-02 03:04:05"))
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := "\ufeffa,\"sep=;\",'=c,d\r\n"; !strings.HasPrefix(file.String(), want) || !strings.Contains(file.String(), "'+255713000000,'0712000000,'-5\r\n") {
		t.Errorf("written: %q", file.String())
	}
	header, got, wrong, err := all(file.String(), wide)
	want := append(rows, []string{"-5", "2026-01-02 03:04:05", "", ""})
	if err != nil || wrong != nil || !reflect.DeepEqual(header, []string{"a", "sep=;", "=c", "d"}) || !reflect.DeepEqual(got, want) {
		t.Errorf("%q\n%q %v %v", header, got, wrong, err)
	}
}

// A spreadsheet takes no text for a formula or a number, and what it is can be told again.
func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"Asha": "Asha", "": "", "12": "12", "a=b": "a=b", "=1+1": "'=1+1", "+255712": "'+255712", "-2+3": "'-2+3", "@SUM(A1)": "'@SUM(A1)", "|calc": "'|calc",
		"\t=1": "'\t=1", "\r=1": "'\r=1", "  =1+1": "'  =1+1", "\u00a0=1": "'\u00a0=1", "\u200b=cmd": "'\u200b=cmd", "＝1+1": "'＝1+1", "'quoted": "''quoted",
		"0712345678": "'0712345678", "255712345678": "'255712345678", "=HYPERLINK(\"http://x\",\"y\")": "'=HYPERLINK(\"http://x\",\"y\")",
	} {
		if got := Text(in).written; got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		if got := unguarded(want); got != in {
			t.Errorf("%q is read as %q, want %q", want, got, in)
		}
	}
}

// FuzzReader: whatever a file holds, what is read keeps to the limits, is text, and is the same after Writer wrote it.
func FuzzReader(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "sep=;\n\"a\";b\n'=1;\"x\"\"\r\n\"", "\xff\xfea\x00,\x00", "a\tb\r\xe9\t", "\ufeff'0;;\n\"\"\n,,\n", "a\n\"'\r\"\n"} {
		f.Add([]byte(s))
	}
	limits := Limits{Bytes: 4096, Rows: 20, Columns: 5, Cell: 40}
	f.Fuzz(func(t *testing.T, file []byte) {
		header, rows, _, err := all(string(file), limits)
		if len(header) > limits.Columns || len(rows) > limits.Rows {
			t.Fatalf("%d columns, %d rows", len(header), len(rows))
		}
		for _, r := range append(rows, header) {
			for _, c := range r {
				if !utf8.ValidString(c) || strings.ContainsRune(c, 0) || utf8.RuneCountInString(c) > limits.Cell {
					t.Fatalf("a cell %q", c)
				}
			}
		}
		if err != nil {
			return
		}
		var out bytes.Buffer
		w := NewWriter(&out)
		_ = w.Names(header...)
		for _, r := range rows {
			_ = w.Names(r...)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		header2, rows2, wrong, err := all(out.String(), Limits{Bytes: 1 << 20, Rows: 20, Columns: 5, Cell: 80})
		if err != nil || wrong != nil || !reflect.DeepEqual(header, header2) || !reflect.DeepEqual(rows, rows2) {
			t.Fatalf("%q %q became %q %q (%v %v) by %q", header, rows, header2, rows2, wrong, err, out.String())
		}
	})
}
