package words

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// Date words a day in the time's own zone: "2 Jan 2026", "2 Des 2026".
func Date(lang string, t time.Time) string {
	return strconv.Itoa(t.Day()) + " " + Month(lang, t.Month()) + " " + strconv.Itoa(t.Year())
}

// DateTime words a moment in the time's own zone: "2 Jan 2026, 15:04".
func DateTime(lang string, t time.Time) string { return Date(lang, t) + ", " + t.Format("15:04") }

// Exact words a moment to the second with its weekday, in the time's own zone: "Wednesday 2 Dec 2026, 15:04:05 UTC".
func Exact(lang string, t time.Time) string {
	return Weekday(lang, t.Weekday()) + " " + Date(lang, t) + t.Format(", 15:04:05 MST")
}

// Weekday names a day of the week.
func Weekday(lang string, d time.Weekday) string {
	return T(lang, "day."+strings.ToLower(d.String()[:3]))
}

// Month names a month in short.
func Month(lang string, m time.Month) string { return T(lang, "month."+strconv.Itoa(int(m))) }

// Moment words a time within a year of now, in its own zone: "15:04" for one of the same day, else "2 Jan 15:04".
func Moment(lang string, t, now time.Time) string {
	now = now.In(t.Location())
	if now.Year() == t.Year() && now.YearDay() == t.YearDay() {
		return t.Format("15:04")
	}
	return strconv.Itoa(t.Day()) + " " + Month(lang, t.Month()) + t.Format(" 15:04")
}

// Ago words the distance from t to now. Beyond a week it is the date. app.js has the same steps; keep them equal, or times
// jump when the page wakes up.
func Ago(lang string, t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 45*time.Second:
		return T(lang, "ago.now")
	case d < time.Hour:
		return T(lang, "ago.min", "count", max(1, int(d.Minutes())))
	case d < 24*time.Hour:
		return T(lang, "ago.h", "count", int(d.Hours()))
	case d < 7*24*time.Hour:
		return T(lang, "ago.d", "count", int(d.Hours()/24))
	}
	return Date(lang, t.UTC())
}

// Wait says how long to wait as people do: seconds up to two minutes, then minutes.
func Wait(lang string, d time.Duration) string {
	switch {
	case d <= time.Second:
		return T(lang, "wait.second")
	case d < 2*time.Minute:
		return T(lang, "wait.seconds", "count", int(d.Seconds()))
	}
	return T(lang, "wait.minutes", "count", int((d+time.Minute-1)/time.Minute))
}

// Number groups a number's digits as the language does: 12,345.
func Number(lang string, n int) string {
	return message.NewPrinter(language.Make(Choose(lang))).Sprint(number.Decimal(n))
}
