package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Only the beginning of a message is read: nobody states a wish later than that, and
// it bounds the work a customer can cause.
const (
	maxReadBytes = 1024
	maxTokens    = 48
	maxTokenLen  = 40 // bytes; longer words are cut, they match nothing anyway
)

// gestures are emoji that stand for a word.
var gestures = map[rune]string{
	'👍': "ok", '👌': "ok", '✅': "ok", '✔': "ok", '👎': "hapana", '❌': "hapana",
	'🙏': "asante", '👋': "hello", '🔟': "10",
}

// fold appends the words of s in comparable form to dst: lower case, without accents, full-width
// forms, invisible characters and punctuation, digits of any script as 0-9, longer runs of
// the same letter cut to three. Apostrophes join ("what's" is "whats"), anything else separates.
func fold(dst []string, s string) []string {
	if len(s) > maxReadBytes {
		s = s[:maxReadBytes]
	}
	s = norm.NFKD.String(strings.ToValidUTF8(s, " "))
	var (
		word      [maxTokenLen + utf8.UTFMax]byte
		n         int
		last      rune
		run       int
		lastDigit bool
	)
	end := func() {
		if n > 0 && len(dst) < maxTokens {
			dst = append(dst, string(word[:n]))
		}
		n, last, run = 0, 0, 0
	}
	for _, r := range s {
		if r < utf8.RuneSelf {
			switch {
			case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			case 'A' <= r && r <= 'Z':
				r += 'a' - 'A'
			case r == '\'' || r == '`':
				continue
			default:
				end()
				continue
			}
		} else {
			if g, ok := gestures[r]; ok {
				end()
				if len(dst) < maxTokens {
					dst = append(dst, g)
				}
				continue
			}
			switch {
			case r == '\u2018', r == '\u2019', r == '\u02bc':
				continue
			case unicode.Is(unicode.Nd, r):
				r = '0' + digitValue(r)
			case unicode.IsLetter(r):
				r = unicode.ToLower(r)
			case unicode.In(r, unicode.M, unicode.Cf):
				continue // accents, zero-width and direction marks, emoji variants
			default:
				end()
				continue
			}
		}
		isDigit := '0' <= r && r <= '9'
		if n > 0 && isDigit != lastDigit {
			end() // "saa4", "2kg", "1book"
		}
		lastDigit = isDigit
		if r == last {
			run++
		} else {
			last, run = r, 1
		}
		if run > 3 && !isDigit || n >= maxTokenLen {
			continue
		}
		n += utf8.EncodeRune(word[n:], r)
	}
	end()
	return dst
}

// digitValue is the value of a decimal digit of any script: Unicode keeps them in runs of ten.
func digitValue(r rune) rune {
	for _, rg := range unicode.Nd.R16 {
		if rune(rg.Lo) <= r && r <= rune(rg.Hi) {
			return (r - rune(rg.Lo)) % 10
		}
	}
	for _, rg := range unicode.Nd.R32 {
		if rune(rg.Lo) <= r && r <= rune(rg.Hi) {
			return (r - rune(rg.Lo)) % 10
		}
	}
	return 0
}

// excerpt returns the beginning of s, at most limit runes, safe to repeat in a reply: one line,
// valid UTF-8, no control, invisible or direction characters, no WhatsApp formatting marks, no
// towers of accents. What was cut is shown as "…".
func excerpt(s string, limit int) string {
	if max := limit*utf8.UTFMax*4 + 64; len(s) > max {
		s = s[:max] // enough for any text worth showing
	}
	var (
		out   []rune
		marks int
		space bool
	)
	for _, r := range s {
		switch {
		case r == utf8.RuneError, unicode.Is(unicode.Cf, r), strings.ContainsRune("*_~`{}", r):
			continue
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			space = len(out) > 0
			continue
		case !unicode.IsGraphic(r):
			continue
		}
		if !unicode.Is(unicode.M, r) {
			marks = 0
		} else if marks++; marks > 2 || len(out) == 0 {
			continue
		}
		if space {
			out, space = append(out, ' '), false
		}
		out = append(out, r)
		if len(out) > limit {
			return string(out[:limit-1]) + "…"
		}
	}
	return string(out)
}
