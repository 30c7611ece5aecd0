package bot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Hours are a business's weekly opening hours. The zero value means that they are not
// known: always open, and nothing is said about them.
type Hours struct {
	known bool
	days  [7][]period // by time.Weekday
	off   []holiday   // closed on these days, whatever the week says
}

// period is in minutes since the day's midnight; end is after start, and beyond 1440 when the
// business stays open past midnight.
type period struct{ start, end int }

const (
	dayMinutes     = 24 * 60
	maxPeriods     = 3 // a day
	maxHoursBytes  = 4 << 10
	daysLookedInto = 8  // today in a week is the furthest opening there can be, holidays aside
	offLookedInto  = 90 // days of holidays, beyond which no opening is promised
)

var errHours = errors.New("the opening hours are not in order")

var dayKeys = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseHours reads opening hours as tenant_configs.hours_json keeps them:
//
//	{"mon": [["08:00","13:00"], ["14:00","18:00"]], "fri": [["20:00","02:00"]], "sun": []}
//
// Keys are mon, tue, wed, thu, fri, sat, sun; a day that is missing or empty is closed. Each
// period is opening and closing time as HH:MM on the 24-hour clock, at most three a day, in order and not
// overlapping. A closing time before the opening time is on the next day; "24:00" is midnight
// at the end of the day. Empty input, null and {} mean that the hours are not known. An
// error names the day and the value.
func ParseHours(b []byte) (Hours, error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || bytes.Equal(b, []byte("null")) {
		return Hours{}, nil
	}
	if len(b) > maxHoursBytes {
		return Hours{}, fmt.Errorf("opening hours are %d bytes long; at most %d are allowed", len(b), maxHoursBytes)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return Hours{}, errors.New(`opening hours must be a JSON object such as {"mon":[["08:00","18:00"]]}`)
	}
	var h Hours
	seen := [7]bool{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return Hours{}, errors.New("opening hours are not valid JSON")
		}
		day := dayOf(key)
		if day < 0 {
			return Hours{}, fmt.Errorf("day %q is not known; use mon, tue, wed, thu, fri, sat or sun", excerpt(fmt.Sprint(key), 20))
		}
		if seen[day] {
			return Hours{}, fmt.Errorf("%s: the day is given twice", dayKeys[day])
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return Hours{}, fmt.Errorf("%s: the value is not valid JSON", dayKeys[day])
		}
		seen[day], h.known = true, true
		if h.days[day], err = parsePeriods(raw); err != nil {
			return Hours{}, fmt.Errorf("%s: %w", dayKeys[day], err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return Hours{}, errors.New("opening hours are not valid JSON: the object is not closed")
	}
	if _, err := dec.Token(); err != io.EOF {
		return Hours{}, errors.New("opening hours are not valid JSON: something follows the object")
	}
	return h, nil
}

func dayOf(key any) int {
	for i, k := range dayKeys {
		if key == k {
			return i
		}
	}
	return -1
}

func parsePeriods(raw json.RawMessage) ([]period, error) {
	var pairs [][]string
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return nil, fmt.Errorf(`%s is not a list of periods such as [["08:00","18:00"]]`, excerpt(string(raw), 40))
	}
	if len(pairs) > maxPeriods {
		return nil, fmt.Errorf("%d periods; at most %d a day are allowed", len(pairs), maxPeriods)
	}
	var periods []period
	for _, pair := range pairs {
		shown := excerpt(strings.Join(pair, "–"), 40)
		if len(pair) != 2 {
			return nil, fmt.Errorf("period %q needs exactly an opening and a closing time", shown)
		}
		start, err := parseClock(pair[0])
		if err != nil {
			return nil, err
		}
		end, err := parseClock(pair[1])
		if err != nil {
			return nil, err
		}
		switch {
		case start == dayMinutes:
			return nil, fmt.Errorf("period %q cannot start at 24:00; use 00:00 of the next day", shown)
		case start == end:
			return nil, fmt.Errorf("period %q opens and closes at the same time; use 00:00–24:00 for the whole day", shown)
		case end < start:
			end += dayMinutes
		}
		if n := len(periods); n > 0 && start < periods[n-1].end {
			return nil, fmt.Errorf("period %q starts before the one before it ends", shown)
		}
		periods = append(periods, period{start, end})
	}
	return periods, nil
}

// parseClock reads HH:MM, 00:00 to 24:00, as minutes.
func parseClock(s string) (int, error) {
	bad := fmt.Errorf("time %q is not a time such as 08:00 or 17:30", excerpt(s, 20))
	if len(s) != 5 || s[2] != ':' {
		return 0, bad
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, bad
		}
	}
	h, m := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	if m > 59 || h*60+m > dayMinutes {
		return 0, bad
	}
	return h*60 + m, nil
}

// Known reports whether the business stated its hours.
func (h Hours) Known() bool { return h.known }

// Open reports whether the business is open at t, taken in t's own location. Unknown hours are open.
func (h Hours) Open(t time.Time) bool {
	if !h.known {
		_, off := h.holidayOn(dayNumber(t))
		return !off
	}
	_, ok := h.closing(t)
	return ok
}

// closing is the end of the period that t lies in.
func (h Hours) closing(t time.Time) (time.Time, bool) {
	minute := t.Hour()*60 + t.Minute()
	today := int(t.Weekday())
	if _, off := h.holidayOn(dayNumber(t) - 1); !off {
		for _, p := range h.days[(today+6)%7] { // past midnight from yesterday
			if minute+dayMinutes < p.end {
				return onDay(t, -1, p.end), true
			}
		}
	}
	if _, off := h.holidayOn(dayNumber(t)); off {
		return time.Time{}, false
	}
	for _, p := range h.days[today] {
		if p.start <= minute && minute < p.end {
			return onDay(t, 0, p.end), true
		}
	}
	return time.Time{}, false
}

// OpenUntil is when the business closes next, looking through periods that follow each
// other without a gap; false when it is closed at t or never closes.
func (h Hours) OpenUntil(t time.Time) (time.Time, bool) {
	end, ok := h.closing(t)
	if !h.known || !ok {
		return time.Time{}, false
	}
	for range daysLookedInto * (maxPeriods + 1) {
		later, open := h.closing(end)
		if !open || !later.After(end) {
			return end, true
		}
		end = later
	}
	return time.Time{}, false
}

// NextOpen is the next opening after t; false when the hours are unknown or the business never opens.
func (h Hours) NextOpen(t time.Time) (time.Time, bool) {
	ahead := daysLookedInto
	if len(h.off) > 0 {
		ahead += offLookedInto
	}
	for d := range ahead {
		if _, off := h.holidayOn(dayNumber(t) + d); off {
			continue
		}
		if !h.known && d > 0 && len(h.off) > 0 { // open all day: the first day after the holidays
			return onDay(t, d, 0), true
		}
		day := (int(t.Weekday()) + d) % 7
		for _, p := range h.days[day] {
			if at := onDay(t, d, p.start); at.After(t) {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

// onDay is a minute of the day that lies days after t's.
func onDay(t time.Time, days, minute int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, minute, 0, 0, t.Location())
}
