package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

var dayNames = [7]text{
	{sw: "Jumapili", en: "Sunday"}, {sw: "Jumatatu", en: "Monday"}, {sw: "Jumanne", en: "Tuesday"}, {sw: "Jumatano", en: "Wednesday"},
	{sw: "Alhamisi", en: "Thursday"}, {sw: "Ijumaa", en: "Friday"}, {sw: "Jumamosi", en: "Saturday"},
}

// Words of the opening hours.
var (
	wordClosed   = text{sw: "tumefunga", en: "closed"}
	wordAllDay   = text{sw: "saa 24", en: "24 hours"}
	wordTo       = text{sw: " hadi ", en: " to "}
	wordToday    = text{sw: "leo (%s) %s", en: "today (%s) at %s"}
	wordTomorrow = text{sw: "kesho (%s) %s", en: "tomorrow (%s) at %s"}
	wordOnDay    = text{sw: "siku ya %s, %s", en: "on %s at %s"}
	wordNextWeek = text{sw: "%s ijayo, %s", en: "next %s at %s"}
	wordOnDate   = text{sw: "tarehe %s, %s", en: "on %s at %s"}

	// The same where only the day is known.
	wordTomorrowAllDay = text{sw: "kesho (%s)", en: "tomorrow (%s)"}
	wordOnDayAllDay    = text{sw: "siku ya %s", en: "on %s"}
	wordOnDateAllDay   = text{sw: "tarehe %s", en: "on %s"}
)

// maxWeekRunes is the room a reply has for the week; one that needs more is written with bare times.
const maxWeekRunes = 700

// words lists the week from Monday, a line for each run of days with the same hours.
func (h Hours) words(l Language) string {
	week := h.week(l, func(minute int) string { return clockWords(minute, l) })
	if len([]rune(week)) > maxWeekRunes {
		week = h.week(l, func(minute int) string {
			return clock24(minute)
		})
	}
	return week
}

func (h Hours) week(l Language, clock func(minute int) string) string {
	var lines []string
	for i := 0; i < 7; {
		day := func(i int) int { return (i + 1) % 7 } // Monday first
		j := i
		for j < 6 && slices.Equal(h.days[day(i)], h.days[day(j+1)]) {
			j++
		}
		line := dayNames[day(i)].in(l)
		if j > i {
			line += " – " + dayNames[day(j)].in(l)
		}
		lines = append(lines, line+": "+periodWords(h.days[day(i)], l, clock))
		i = j + 1
	}
	return strings.Join(lines, "\n")
}

func periodWords(periods []period, l Language, clock func(int) string) string {
	if len(periods) == 0 {
		return wordClosed.in(l)
	}
	var parts []string
	for _, p := range periods {
		if p.start == 0 && p.end == dayMinutes {
			return wordAllDay.in(l)
		}
		parts = append(parts, clock(p.start)+wordTo.in(l)+clock(p.end))
	}
	return strings.Join(parts, ", ")
}

// clock24 is a minute of the day on the 24-hour clock.
func clock24(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60%24, minute%60) }

// momentWords says when at is, seen from now, always with the day; without the time of day where that is not known.
func momentWords(now, at time.Time, l Language, clock bool) string {
	form, day, onlyDay := wordOnDay, dayNames[at.Weekday()].in(l), wordOnDayAllDay
	// Noon to noon: midnights are not 24 hours apart where clocks change.
	switch days := int(onDay(at, 0, dayMinutes/2).Sub(onDay(now, 0, dayMinutes/2)).Round(24*time.Hour).Hours()) / 24; {
	case days == 0:
		form = wordToday
	case days == 1:
		form, onlyDay = wordTomorrow, wordTomorrowAllDay
	case days == 7:
		form, onlyDay = wordNextWeek, wordOnDateAllDay
	case days > 7: // holidays lie between
		form, onlyDay = wordOnDate, wordOnDateAllDay
	}
	if form == wordOnDate || !clock && onlyDay == wordOnDateAllDay {
		day = fmt.Sprintf("%d/%d (%s)", at.Day(), int(at.Month()), day)
	}
	if !clock {
		return fmt.Sprintf(onlyDay.in(l), day)
	}
	return fmt.Sprintf(form.in(l), day, clockWords(at.Hour()*60+at.Minute(), l))
}

// clockWords is a time of day as people say it. Swahili counts the hours from sunrise: 08:00 is
// "saa 2 asubuhi"; the 24-hour clock stands beside it for those who do not.
func clockWords(minute int, l Language) string {
	minute %= dayMinutes
	h, m := minute/60, minute%60
	if l == English {
		half := "am"
		if h >= 12 {
			half = "pm"
		}
		switch {
		case minute == 0:
			return "midnight"
		case minute == dayMinutes/2:
			return "noon"
		}
		return fmt.Sprintf("%d:%02d %s", (h+11)%12+1, m, half)
	}
	part := "usiku"
	switch {
	case h >= 4 && h < 6:
		part = "alfajiri"
	case h >= 6 && h < 12:
		part = "asubuhi"
	case h >= 12 && h < 16:
		part = "mchana"
	case h >= 16 && h < 19:
		part = "jioni"
	}
	return fmt.Sprintf("saa %d:%02d %s (%02d:%02d)", (h+5)%12+1, m, part, h, m)
}
