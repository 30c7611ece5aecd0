package bot

import (
	"fmt"
	"strings"
	"time"
)

// holiday is a run of days on which a business is closed, whatever its hours. Days are counted as dayNumber counts.
type holiday struct {
	from, to int
	note     string
}

// dayNumber counts days from 1970 in t's own location.
func dayNumber(t time.Time) int {
	return int(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// dayOn is the minute of that day, in the location.
func dayOn(number, minute int, where *time.Location) time.Time {
	d := time.Unix(int64(number)*24*60*60, 0).UTC()
	return time.Date(d.Year(), d.Month(), d.Day(), 0, minute, 0, 0, where)
}

// holidays are those of the field KeyHolidays that can be read.
func (v Values) holidays() (all []holiday) {
	for _, row := range v.Rows[KeyHolidays] {
		from, err := time.Parse(isoDay, row[ColFrom])
		if err != nil || len(all) == maxHolidays {
			continue
		}
		h := holiday{from: dayNumber(from), to: dayNumber(from), note: excerpt(row[colNote], maxNoteRunes)}
		if to, err := time.Parse(isoDay, row[ColTo]); err == nil {
			h.to = dayNumber(to)
		}
		if h.to >= h.from {
			all = append(all, h)
		}
	}
	return all
}

// holidayOn is the holiday that a day is, if it is one.
func (h Hours) holidayOn(day int) (holiday, bool) {
	for _, o := range h.off {
		if o.from <= day && day <= o.to {
			return o, true
		}
	}
	return holiday{}, false
}

// Holidays further away are not spoken of.
const (
	holidaysAhead = 30 // days
	holidaysSaid  = 3
)

// comingHolidays lists the holidays of the next weeks, "25/12 – 26/12 (Krismasi)"; "" where there are none.
func (t *turn) comingHolidays() string {
	today, said := dayNumber(t.now), []string{}
	for _, o := range t.cfg.Hours.off {
		if o.to < today || o.from > today+holidaysAhead || len(said) == holidaysSaid {
			continue
		}
		s := shortDay(o.from)
		if o.to > o.from {
			s += " – " + shortDay(o.to)
		}
		if o.note != "" {
			s += " (" + o.note + ")"
		}
		said = append(said, s)
	}
	return strings.Join(said, ", ")
}

// shortDay is a day as people write it, "25/12".
func shortDay(number int) string {
	d := dayOn(number, 0, time.UTC)
	return fmt.Sprintf("%d/%d", d.Day(), int(d.Month()))
}

// ClosedAt is a moment, now or next, at which the business is closed; false where it never is.
func (c Config) ClosedAt(now time.Time) (time.Time, bool) {
	now = now.In(c.location())
	if !c.Hours.Open(now) {
		return now, true
	}
	if at, ok := c.Hours.OpenUntil(now); ok {
		return at, true
	}
	for _, o := range c.Hours.off {
		if o.from > dayNumber(now) {
			return dayOn(o.from, dayMinutes/2, now.Location()), true
		}
	}
	return now, false
}
