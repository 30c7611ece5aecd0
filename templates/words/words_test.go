package words_test

import (
	"testing"

	"flowhq/templates/words"
)

func TestT(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{words.T("sw", "nav.home"), "Nyumbani"}, {words.T("en", "nav.home"), "Home"}, {words.T("EN", "nav.home"), "Home"}, {words.T("", "nav.home"), "Nyumbani"},
		{words.T("en", "wait.seconds", "count", 1), "1 second"}, {words.T("en", "wait.seconds", "count", 7), "7 seconds"},
		{words.T("sw", "ago.min", "count", 1), "dk 1 iliyopita"}, {words.T("sw", "ago.min", "count", 2), "dk 2 zilizopita"},
		{words.T("sw", "no.such_key"), "no.such_key"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
