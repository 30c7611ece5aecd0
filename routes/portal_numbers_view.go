package routes

import "time"

// NumbersPage is what an owner's messages amount to (template "portal/numbers").
type NumbersPage struct {
	Page
	Spans     []SpanChoice
	Empty     bool // nobody has written yet
	Figures   []NumberFigure
	Days      DayChart
	Customers DayChart
	Hours     HourMap
	Questions []UnansweredQuestion
}

// NumberFigure is one number with what it was in the time before.
type NumberFigure struct {
	Label, Value, Note string
	Change             string // in words; empty: there is nothing to compare with
}

// DayChart draws bars for days or weeks (template "fragments/day_chart"). Units are of the drawing, 100 high.
type DayChart struct {
	Lang, ID, Title string
	Keys            []string // labels of the parts, from the bottom
	Heads           []string // of the table, after the day
	Width           int
	Most            string // the top of the axis
	Bars            []DayBar
	First, Last     string
}

// DayBar is one day with its parts.
type DayBar struct {
	Label string
	X, W  int
	Parts []BarPart
	Cells []string // of the table
}

// BarPart is one part of a bar; N is its place among the keys, from 0.
type BarPart struct{ N, Y, H int }

// HourMap says at which hours of which weekdays customers write (template "fragments/hour_map").
type HourMap struct {
	Lang   string
	Rows   []HourRow
	Hours  []string // labels over the columns, some empty
	Busies string   // the busiest hour, in words; empty: none
}

// HourRow is one weekday; Shades are 0 (nobody) to 5 (most), one for each hour.
type HourRow struct {
	Day    string
	Cells  []HourCell
	Counts []int
}

// HourCell is one hour of a weekday.
type HourCell struct {
	X, Shade int
	Says     string // on hover
}

// UnansweredQuestion is what customers asked and the bot did not understand.
type UnansweredQuestion struct {
	Text    string
	Times   int
	Latest  time.Time
	ChatURL string
	AddURL  string // the bot's settings with the question in them; empty for those who may not change them
}
