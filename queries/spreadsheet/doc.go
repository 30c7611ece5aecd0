// Package spreadsheet writes and reads the files of rows that spreadsheets exchange (CSV, RFC 4180, and what Excel makes of it by locale).
// What Writer wrote, Reader reads back as it was, also after a spreadsheet has opened and saved it.
package spreadsheet

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// guarded tells whether a spreadsheet would make something else of a text: a formula, or of a phone number a rounded amount. An
// apostrophe in front makes it text there (OWASP, "CSV Injection"); one that is there already gets another, so that a way back is
// certain.
func guarded(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	if strings.ContainsRune("'\t\r\n", first) {
		return true
	}
	first, _ = utf8.DecodeRuneInString(strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }))
	if strings.ContainsRune("=+-@|%＝＋－＠", first) && first != utf8.RuneError {
		return true
	}
	digits := strings.Trim(text, "0123456789") == "" && text != ""
	return digits && (len(text) > 11 || text[0] == '0')
}

// unguarded takes the apostrophe away that Text put there. Others are the writer's own and stay.
func unguarded(text string) string {
	if rest, found := strings.CutPrefix(text, "'"); found && guarded(rest) {
		return rest
	}
	return text
}
