package settings

import (
	"fmt"
	"testing"
)

// Whatever colour is chosen, what is made of it can be read.
func TestPalettesCanBeRead(t *testing.T) {
	colours := []string{"", "#000000", "#ffffff", "#ffff00", "#00ff00", "#ff0000", "#0000ff", "#ff00ff", "#00ffff", "#808080"}
	for r := 0; r < 256; r += 51 {
		for g := 0; g < 256; g += 51 {
			for b := 0; b < 256; b += 51 {
				colours = append(colours, fmt.Sprintf("#%02x%02x%02x", r, g, b))
			}
		}
	}
	for _, colour := range colours {
		p, err := NewPalette(colour)
		if err != nil {
			t.Fatal(err)
		}
		for what, pair := range map[string][2]string{
			"accent on light": {p.Accent.Light, lightGround}, "accent on dark": {p.Accent.Dark, darkGround}, "accent on its soft ground, light": {p.Accent.Light, p.Soft.Light},
			"accent on its soft ground, dark": {p.Accent.Dark, p.Soft.Dark}, "text on the accent, light": {p.Ink.Light, p.Accent.Light}, "text on the accent, dark": {p.Ink.Dark, p.Accent.Dark},
			"text on hover, light": {p.Ink.Light, p.Hover.Light}, "text on hover, dark": {p.Ink.Dark, p.Hover.Dark},
		} {
			if c := Contrast(pair[0], pair[1]); c < readable {
				t.Errorf("%s: %s: %s on %s has a contrast of %.2f", colour, what, pair[0], pair[1], c)
			}
		}
	}
	for _, bad := range []string{"green", "#12345", "#1234567", "#zzzzzz", "url(x)", "#0e6a4c;}"} {
		if _, err := NewPalette(bad); err == nil {
			t.Errorf("%q passes as a colour", bad)
		}
	}
}
