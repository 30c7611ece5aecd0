package words_test

import (
	"testing"
	"time"

	"flowhq/templates/words"
)

func TestAgo(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		back   time.Duration
		en, sw string
	}{
		{-5 * time.Second, "just now", "sasa hivi"}, {44 * time.Second, "just now", "sasa hivi"}, {46 * time.Second, "1 min ago", "dk 1 iliyopita"},
		{59 * time.Minute, "59 min ago", "dk 59 zilizopita"}, {23 * time.Hour, "23 h ago", "saa 23 zilizopita"},
		{50 * time.Hour, "2 d ago", "siku 2 zilizopita"}, {30 * 24 * time.Hour, "24 Oct 2026", "24 Okt 2026"},
	} {
		if got := words.Ago("en", now.Add(-c.back), now); got != c.en {
			t.Errorf("%v: %q, want %q", c.back, got, c.en)
		}
		if got := words.Ago("sw", now.Add(-c.back), now); got != c.sw {
			t.Errorf("%v: %q, want %q", c.back, got, c.sw)
		}
	}
}

func TestNumbersAndDates(t *testing.T) {
	at := time.Date(2026, 12, 3, 8, 5, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{words.Date("en", at), "3 Dec 2026"}, {words.Date("sw", at), "3 Des 2026"}, {words.DateTime("sw", at), "3 Des 2026, 08:05"},
		{words.Exact("sw", at), "Alhamisi 3 Des 2026, 08:05:00 UTC"},
		{words.Moment("en", at, at.AddDate(0, 0, 1)), "3 Dec 08:05"}, {words.Moment("sw", at, at.AddDate(1, 0, 0)), "3 Des 08:05"}, {words.Moment("sw", at, at.Add(time.Hour)), "08:05"}, {words.Number("sw", 12345), "12,345"}, {words.Number("en", 12345), "12,345"},
		{words.Wait("en", time.Second), "a second"}, {words.Wait("sw", 5*time.Second), "sekunde 5"}, {words.Wait("en", 121*time.Second), "3 minutes"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
