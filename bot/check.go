package bot

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Wrong is what can be wrong with a value; the caller has the words for it.
type Wrong string

// What can be wrong.
const (
	WrongLong    Wrong = "too_long" // more than Most characters
	WrongMany    Wrong = "too_many" // more than Most rows
	WrongEmpty   Wrong = "empty"    // needed in this row
	WrongVague   Wrong = "vague"    // a question no word of which says what is asked
	WrongDate    Wrong = "date"     // no such day
	WrongOrder   Wrong = "order"    // ends before it begins
	WrongTime    Wrong = "time"     // no such time, or only one of the two
	WrongOverlap Wrong = "overlap"  // begins before the period before it ends
	WrongText    Wrong = "text"     // holds what cannot be stored
)

// Problem is one thing that is wrong.
type Problem struct {
	Field  string
	Row    int    // of a list, from 0; -1: the field as a whole
	Column string // "" for the row or field as a whole
	Wrong  Wrong
	Most   int // the limit, of WrongLong and WrongMany
}

// Check tells what is wrong with the values of this template's form, in the order of the form.
func Check(t Template, v Values) (all []Problem) {
	s := scriptOf(t)
	for _, section := range s.form {
		for _, f := range section.Fields {
			switch f.Kind {
			case FieldLine, FieldText:
				if w := wrongText(v.Texts[f.Key], f.Most, f.Kind == FieldText); w != "" {
					all = append(all, Problem{f.Key, -1, "", w, f.Most})
				}
			case FieldWeek:
				all = append(all, checkWeek(f, v.Rows[f.Key])...)
			case FieldRows:
				all = append(all, checkRows(s, f, v.Rows[f.Key])...)
			}
		}
	}
	return all
}

// wrongText checks one text against its limit and for what cannot be stored.
func wrongText(s string, most int, lines bool) Wrong {
	if !utf8.ValidString(s) {
		return WrongText
	}
	if utf8.RuneCountInString(s) > most {
		return WrongLong
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && !(lines && (r == '\n' || r == '\t')) }) {
		return WrongText
	}
	return ""
}

func checkRows(s *script, f Field, rows []Row) (all []Problem) {
	if len(rows) > f.Most {
		return []Problem{{f.Key, -1, "", WrongMany, f.Most}}
	}
	for i, row := range rows {
		before := len(all)
		for _, c := range f.Columns {
			said := row[c.Key]
			w := wrongText(said, c.Most, c.Kind == ColumnText)
			switch {
			case w != "":
			case c.Needed && strings.TrimSpace(said) == "":
				w = WrongEmpty
			case c.Kind == ColumnDate && said != "":
				if _, err := time.Parse(isoDay, said); err != nil {
					w = WrongDate
				}
			}
			if w != "" {
				all = append(all, Problem{f.Key, i, c.Key, w, c.Most})
			}
		}
		if len(all) > before {
			continue
		}
		if f.Key == KeyHolidays && row[ColTo] != "" && row[ColTo] < row[ColFrom] { // both are days: they compare as text
			all = append(all, Problem{f.Key, i, ColTo, WrongOrder, 0})
		}
		if f.Key == KeyQuestions && len(waysOf(&s.index, row[ColQuestion])) == 0 {
			all = append(all, Problem{f.Key, i, ColQuestion, WrongVague, 0})
		}
	}
	return all
}

// checkWeek finds the first row of each day that ParseHours would refuse.
func checkWeek(f Field, rows []Row) (all []Problem) {
	ends, count := map[string]int{}, map[string]int{}
	for i, row := range rows {
		day := row[ColDay]
		if dayOf(day) < 0 || row[ColFrom] == "" && row[ColTo] == "" && row[ColOpen] == "" {
			continue
		}
		start, end, w := weekPeriod(row)
		if count[day]++; w == "" && count[day] > f.Most {
			w = WrongMany
		}
		if w == "" && count[day] > 1 && start < ends[day] {
			w = WrongOverlap
		}
		ends[day] = end
		if w != "" {
			all = append(all, Problem{f.Key, i, "", w, f.Most})
		}
	}
	return all
}

// weekPeriod reads a row of the week. Midnight at the end of a day may be written 00:00, which is all a form can say.
func weekPeriod(row Row) (start, end int, w Wrong) {
	start, err := parseClock(row[ColFrom])
	if err != nil {
		return 0, 0, WrongTime
	}
	if end, err = parseClock(row[ColTo]); err != nil || start == dayMinutes {
		return 0, 0, WrongTime
	}
	switch {
	case start == 0 && end == 0:
		end = dayMinutes
	case start == end:
		return 0, 0, WrongOrder
	case end < start:
		end += dayMinutes
	}
	return start, end, ""
}

// hours are those of the field KeyHours.
func (v Values) hours() (Hours, error) {
	var h Hours
	for _, row := range v.Rows[KeyHours] {
		day := dayOf(row[ColDay])
		if day < 0 {
			continue
		}
		h.known = true
		if row[ColFrom] == "" && row[ColTo] == "" {
			continue
		}
		start, end, w := weekPeriod(row)
		n := len(h.days[day])
		if w != "" || n == maxPeriods || n > 0 && start < h.days[day][n-1].end {
			return Hours{}, errHours
		}
		h.days[day] = append(h.days[day], period{start, end})
	}
	return h, nil
}

// rows are the week as the form has it, from Monday.
func (h Hours) rows() (rows []Row) {
	for i := range 7 {
		day := (i + 1) % 7
		if len(h.days[day]) == 0 {
			rows = append(rows, Row{ColDay: dayKeys[day]})
		}
		for _, p := range h.days[day] {
			rows = append(rows, Row{ColDay: dayKeys[day], ColFrom: clock24(p.start), ColTo: clock24(p.end)})
		}
	}
	return rows
}

// periods are the week as ParseHours reads it.
func (h Hours) periods() map[string][][2]string {
	out := map[string][][2]string{}
	for day, periods := range h.days {
		out[dayKeys[day]] = [][2]string{}
		for _, p := range periods {
			to := clock24(p.end)
			if p.end == dayMinutes {
				to = "24:00"
			}
			out[dayKeys[day]] = append(out[dayKeys[day]], [2]string{clock24(p.start), to})
		}
	}
	return out
}

// Keep copies into v what these values have for fields that are not in this template's form: another template's words wait
// for the business's return to it.
func (v Values) Keep(t Template, stored Values) {
	known := map[string]bool{}
	for _, section := range Form(t) {
		for _, f := range section.Fields {
			known[f.Key] = true
		}
	}
	for key, s := range stored.Texts {
		if !known[key] {
			v.Texts[key] = s
		}
	}
	for key, rows := range stored.Rows {
		if !known[key] {
			v.Rows[key] = rows
		}
	}
}

// Days are the days of the week as rows of hours name them, from Monday.
func Days() []string {
	days := append([]string(nil), dayKeys[1:]...)
	return append(days, dayKeys[0])
}
