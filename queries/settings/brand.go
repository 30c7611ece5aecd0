package settings

import (
	"fmt"
	"math"

	"github.com/lucasb-eyer/go-colorful"
)

// Grounds that text in the accent stands on, as assets/css/tokens.css has them.
const (
	lightGround = "#f3f1ed" // the darkest of the light ones
	darkGround  = "#232120" // the lightest of the dark ones
	OwnAccent   = "#0e6a4c"
)

// readable is the contrast that text needs (WCAG 2.2, 1.4.3).
const readable = 4.5

// Tone is a colour on light and on dark pages.
type Tone struct{ Light, Dark string }

// Palette is what an accent becomes: hues stay, lightness is changed until everything can be read.
type Palette struct{ Accent, Hover, Ink, Soft, Line Tone }

// NewPalette derives the colours of pages from one, as #rrggbb; an empty one is the product's own.
func NewPalette(accent string) (Palette, error) {
	if accent == "" {
		accent = OwnAccent
	}
	c, err := colorful.Hex(accent)
	if err != nil || len(accent) != 7 {
		return Palette{}, fmt.Errorf("%q is no colour: six hex digits after a #", accent)
	}
	l, chroma, hue := c.OkLch()
	at := func(l, share float64) string { return colorful.OkLch(l, chroma*share, hue).Clamped().Hex() }
	var p Palette
	p.Soft = Tone{at(.955, .15), at(.30, .35)}
	p.Line = Tone{at(.86, .35), at(.43, .5)}
	p.Accent.Light = at(l, 1)
	for step := l; step > 0 && !reads(p.Accent.Light, lightGround, p.Soft.Light, "#ffffff"); step -= .01 {
		p.Accent.Light = at(step, 1)
	}
	p.Accent.Dark = at(max(l, .7), .8)
	for step := max(l, .7); step < 1 && !reads(p.Accent.Dark, darkGround, p.Soft.Dark); step += .01 {
		p.Accent.Dark = at(step, .8)
	}
	darker := func(hex string, by float64) string {
		c, _ := colorful.Hex(hex) // made by us
		l, chroma, hue := c.OkLch()
		return colorful.OkLch(l+by, chroma, hue).Clamped().Hex()
	}
	p.Hover = Tone{darker(p.Accent.Light, -.06), darker(p.Accent.Dark, .05)}
	p.Ink = Tone{"#ffffff", at(.22, .4)}
	return p, nil
}

// reads tells whether text in one colour can be read on each of these grounds.
func reads(text string, grounds ...string) bool {
	for _, g := range grounds {
		if Contrast(text, g) < readable {
			return false
		}
	}
	return true
}

// Contrast is the ratio of the luminances of two colours, 1 to 21 (WCAG 2.2).
func Contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + .05) / (math.Min(x, y) + .05)
}

func luminance(hex string) float64 {
	c, err := colorful.Hex(hex)
	if err != nil {
		return 0
	}
	r, g, b := c.LinearRgb()
	return .2126*r + .7152*g + .0722*b
}

// Tokens are the names that the style sheets use, with values for both grounds.
func (p Palette) Tokens() map[string]string {
	both := func(t Tone) string { return "light-dark(" + t.Light + ", " + t.Dark + ")" }
	return map[string]string{
		"--accent": both(p.Accent), "--accent-hover": both(p.Hover), "--accent-ink": both(p.Ink), "--accent-soft": both(p.Soft), "--accent-line": both(p.Line),
		"--focus": both(p.Accent), "--paper-accent": p.Accent.Light, "--phone-head": both(Tone{p.Accent.Light, p.Soft.Dark}),
		"--phone-head-ink": both(Tone{"#ffffff", p.Soft.Light}), "--chart-rest": both(Tone{p.Line.Light, p.Line.Dark}),
	}
}
