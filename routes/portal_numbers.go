package routes

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"flowhq/bot"
	"flowhq/queries"
	"flowhq/templates/words"
)

// numbersSpans are the times one can look at: each has steps of some days.
var numbersSpans = []struct {
	name        string
	steps, days int
}{{"7d", 7, 1}, {"30d", 30, 1}, {"12w", 12, 7}}

// questionsShown is how many unanswered questions the page lists.
const questionsShown = 20

// portalNumbers is what the business's messages amount to, by day or week.
func (s *server) portalNumbers(c *fiber.Ctx) error {
	v, span := visitorOf(c), numbersSpans[0]
	page := NumbersPage{Page: s.page(c, words.T(v.Lang, "numbers.title"), "home")}
	for _, choice := range numbersSpans {
		if c.Query("span") == choice.name {
			span = choice
		}
	}
	for _, choice := range numbersSpans {
		page.Spans = append(page.Spans, SpanChoice{Label: words.T(v.Lang, "numbers.span."+choice.name), URL: "/portal/numbers?span=" + choice.name, Current: choice == span})
	}
	if err := s.numbers(c.UserContext(), v, &page, span.steps, span.days); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "portal/numbers", page)
}

// stepStarts are the midnights at which the steps begin, of the time asked for and of as long a time before it; today is in the last.
func (s *server) stepStarts(steps, days int) []time.Time {
	today := s.today().In(s.Location)
	starts := make([]time.Time, 2*steps)
	for i := range starts {
		back := (len(starts)-1-i)*days + days - 1
		starts[i] = time.Date(today.Year(), today.Month(), today.Day()-back, 0, 0, 0, 0, s.Location)
	}
	return starts
}

func (s *server) numbers(ctx context.Context, v *visitor, page *NumbersPage, steps, days int) error {
	starts := s.stepStarts(steps, days)
	before, since := starts[0], starts[steps]
	var halves []queries.CountByHalfHourRow
	var people []queries.CountCustomersByDayRow
	var customers queries.CountCustomersRow
	var waits, earlier queries.ReplyTimesRow
	var questions []queries.UnansweredQuestionsRow
	err := s.inTenant(ctx, v.Tenant, func(q *queries.Queries) (err error) {
		if halves, err = q.CountByHalfHour(ctx, queries.CountByHalfHourParams{TenantID: v.Tenant, Since: before}); err != nil {
			return err
		}
		if people, err = q.CountCustomersByDay(ctx, queries.CountCustomersByDayParams{TenantID: v.Tenant, Days: starts[steps:]}); err != nil {
			return err
		}
		if customers, err = q.CountCustomers(ctx, queries.CountCustomersParams{TenantID: v.Tenant, Since: since, Before: before}); err != nil {
			return err
		}
		if waits, err = q.ReplyTimes(ctx, queries.ReplyTimesParams{TenantID: v.Tenant, Since: since, Until: time.Now().Add(time.Hour)}); err != nil {
			return err
		}
		if earlier, err = q.ReplyTimes(ctx, queries.ReplyTimesParams{TenantID: v.Tenant, Since: before, Until: since}); err != nil {
			return err
		}
		questions, err = q.UnansweredQuestions(ctx, queries.UnansweredQuestionsParams{TenantID: v.Tenant, Since: since, Intent: bot.IntentFallback, Most: questionsShown})
		return err
	})
	if err != nil {
		return err
	}
	page.draw(v.Lang, starts, days, halves, people, s.Location)
	var now, then [4]int64 // received, by the bot, by people, by programs
	for _, h := range halves {
		to := &now
		if h.At.Before(since) {
			to = &then
		}
		for i, n := range [4]int64{h.Received, h.Bot, h.People, h.Programs} {
			to[i] += n
		}
	}
	figure := func(key string, n, was int64) NumberFigure {
		return NumberFigure{Label: words.T(v.Lang, "numbers.figure."+key), Value: words.Number(v.Lang, int(n)), Change: changeWords(v.Lang, n, was)}
	}
	wait := func(key string, half, most, was float64) {
		if half < 0 {
			return
		}
		f := NumberFigure{Label: words.T(v.Lang, "numbers.figure."+key), Value: waitWords(v.Lang, inTime(half)), Note: words.T(v.Lang, "numbers.most", "time", waitWords(v.Lang, inTime(most)))}
		if was >= 0 {
			f.Change = words.T(v.Lang, "numbers.was", "value", waitWords(v.Lang, inTime(was)))
		}
		page.Figures = append(page.Figures, f)
	}
	page.Figures = []NumberFigure{
		figure("received", now[0], then[0]), figure("answered", now[1]+now[2]+now[3], then[1]+then[2]+then[3]),
		figure("customers", customers.Wrote, customers.WroteBefore), figure("new", customers.New, customers.NewBefore),
	}
	wait("bot_wait", waits.BotHalf, waits.BotMost, earlier.BotHalf)
	wait("people_wait", waits.PeopleHalf, waits.PeopleMost, earlier.PeopleHalf)
	page.Empty = now == [4]int64{} && then == [4]int64{}
	for _, r := range questions {
		question := UnansweredQuestion{Text: r.Question, Times: int(r.Times), Latest: r.Latest, ChatURL: "/portal/inbox/" + r.ConversationID.String()}
		if v.Role == queries.UserRoleOWNER {
			question.AddURL = botBase + "?" + url.Values{"ask": {r.Question}}.Encode() + "#part-questions"
		}
		page.Questions = append(page.Questions, question)
	}
	return nil
}

func inTime(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// changeWords compares a number with what it was in the time before.
func changeWords(lang string, n, was int64) string {
	switch {
	case was == 0:
		return ""
	case n > was:
		return words.T(lang, "numbers.more", "value", words.Number(lang, int(n-was)))
	case n < was:
		return words.T(lang, "numbers.less", "value", words.Number(lang, int(was-n)))
	}
	return words.T(lang, "numbers.same")
}

// draw makes the charts: the second half of starts is the time asked for.
func (p *NumbersPage) draw(lang string, starts []time.Time, days int, halves []queries.CountByHalfHourRow, people []queries.CountCustomersByDayRow, zone *time.Location) {
	shown := starts[len(starts)/2:]
	labels := make([]string, len(shown))
	for i, at := range shown {
		labels[i] = strconv.Itoa(at.Day()) + " " + words.Month(lang, at.Month())
		if days == 1 {
			labels[i] = words.Weekday(lang, at.Weekday()) + " " + labels[i]
		}
	}
	step := func(at time.Time) int { // of those shown; -1: before them
		for i := len(shown) - 1; i >= 0; i-- {
			if !at.Before(shown[i]) {
				return i
			}
		}
		return -1
	}
	messages, customers := make([][]int, len(shown)), make([][]int, len(shown))
	for i := range shown {
		messages[i], customers[i] = make([]int, 4), make([]int, 1)
	}
	var week [7][24]int
	for _, h := range halves {
		i := step(h.At)
		if i < 0 {
			continue
		}
		for part, n := range []int64{h.Received, h.Bot, h.People, h.Programs} {
			messages[i][part] += int(n)
		}
		local := h.At.In(zone)
		week[(int(local.Weekday())+6)%7][local.Hour()] += int(h.Received)
	}
	for _, r := range people {
		if i := int(r.Day) - 1; i >= 0 && i < len(customers) {
			customers[i][0] = int(r.Customers)
		}
	}
	key := func(names ...string) (said []string) {
		for _, name := range names {
			said = append(said, words.T(lang, "numbers.key."+name))
		}
		return said
	}
	per := "day"
	if days > 1 {
		per = "week"
	}
	p.Days = dayChart(lang, "messages", words.T(lang, "numbers.messages."+per), key("received", "bot", "people", "programs"), labels, messages)
	p.Customers = dayChart(lang, "customers", words.T(lang, "numbers.writers."+per), key("customers"), labels, customers)
	p.Hours = hourMap(lang, week)
}

// dayChart draws one bar for each step: its parts on top of each other.
func dayChart(lang, id, title string, keys, labels []string, values [][]int) DayChart {
	const width, gap = 20, 6
	d := DayChart{Lang: lang, ID: id, Title: title, Keys: keys, Heads: keys, Width: len(values) * width, First: labels[0], Last: labels[len(labels)-1]}
	most := 1
	for _, parts := range values {
		sum := 0
		for _, n := range parts {
			sum += n
		}
		most = max(most, sum)
	}
	d.Most = words.Number(lang, most)
	for i, parts := range values {
		bar, top := DayBar{Label: labels[i], X: i*width + gap/2, W: width - gap}, 0
		for n, value := range parts {
			bar.Cells = append(bar.Cells, words.Number(lang, value))
			if value == 0 {
				continue
			}
			h := max(1, int(math.Round(float64(value)*100/float64(most))))
			top += h
			bar.Parts = append(bar.Parts, BarPart{N: n, Y: 100 - top, H: h})
		}
		d.Bars = append(d.Bars, bar)
	}
	return d
}

// hourMap shades each hour of the week by how much customers write in it.
func hourMap(lang string, week [7][24]int) HourMap {
	m, most := HourMap{Lang: lang}, 0
	for day := range week {
		for hour, n := range week[day] {
			if n > most {
				most = n
				m.Busies = words.T(lang, "numbers.busiest", "day", weekdayOf(lang, day), "from", clock(hour), "to", clock(hour+1))
			}
		}
	}
	for hour := range 24 {
		label := ""
		if hour%6 == 0 {
			label = clock(hour)
		}
		m.Hours = append(m.Hours, label)
	}
	for day := range week {
		row := HourRow{Day: weekdayOf(lang, day), Counts: week[day][:]}
		for hour, n := range week[day] {
			shade := 0
			if n > 0 {
				shade = 1 + n*4/most
			}
			row.Cells = append(row.Cells, HourCell{X: hour * 10, Shade: shade, Says: weekdayOf(lang, day) + " " + clock(hour) + "–" + clock(hour+1) + ": " + words.Number(lang, n)})
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

// weekdayOf names a day of a week that begins on Monday.
func weekdayOf(lang string, day int) string { return words.Weekday(lang, time.Weekday((day+1)%7)) }

func clock(hour int) string { return strconv.Itoa(hour%24) + ":00" }
