package spreadsheet

import "fmt"

// Fault is what can be wrong with a file.
type Fault int

// What can be wrong. From TooManyCells on it is one row only, and the next can be read.
const (
	Empty          Fault = iota + 1 // no header
	TooLarge                        // more bytes than Limits.Bytes
	TooManyRows                     // more than Limits.Rows
	TooManyColumns                  // more than Limits.Columns in a line
	BrokenQuote                     // a quote that does not end, or text right behind one that did: where cells end is uncertain
	NoText                          // a NUL: no text, or of an encoding that does not say so
	TooManyCells                    // a row is longer than the header
	CellTooLong                     // more characters than Limits.Cell
)

// Error says what is wrong with a file, and where.
type Error struct {
	Fault  Fault
	Line   int // from 1, where the row begins; 0 where it is about the whole file
	Column int // from 0, where it is about one
	Limit  int // that was passed
}

// Error is a sentence in English for a person.
func (e *Error) Error() string {
	switch e.Fault {
	case Empty:
		return "The file has no rows: its first line names the columns."
	case TooLarge:
		return fmt.Sprintf("The file is larger than %d MB.", e.Limit>>20)
	case TooManyRows:
		return fmt.Sprintf("The file has more than %d rows (line %d). Split it.", e.Limit, e.Line)
	case TooManyColumns:
		return fmt.Sprintf("Line %d has more than %d columns.", e.Line, e.Limit)
	case BrokenQuote:
		return fmt.Sprintf("Line %d has a quotation mark that is not closed, or text right behind one that is.", e.Line)
	case NoText:
		return fmt.Sprintf("Line %d is not text. Save the file as “CSV UTF-8”.", e.Line)
	case TooManyCells:
		return fmt.Sprintf("Line %d has more cells than the first line has names.", e.Line)
	}
	return fmt.Sprintf("Line %d has a cell of more than %d characters (column %d).", e.Line, e.Limit, e.Column+1)
}

// OfRow tells whether only this row is wrong and the next can be read.
func (e *Error) OfRow() bool { return e.Fault >= TooManyCells }
