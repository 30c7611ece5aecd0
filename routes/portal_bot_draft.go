package routes

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"flowhq/bot"
)

// draftRows is how many rows of one list are read: more than any list may have, so that too many are said to be.
const draftRows = 64

// botDraft reads the form of the bot's settings as it was typed; sent: there is one in this request. Rows and periods with
// nothing in them are left out.
func botDraft(c *fiber.Ctx, t bot.Template) (v bot.Values, sent bool) {
	v = bot.Values{Texts: map[string]string{}, Rows: map[string][]bot.Row{}}
	typed := map[string]string{}
	c.Request().PostArgs().VisitAll(func(key, value []byte) {
		typed[string(key)] = strings.ReplaceAll(string(value), "\r\n", "\n")
	})
	for _, section := range bot.Form(t) {
		for _, f := range section.Fields {
			switch f.Kind {
			case bot.FieldLine, bot.FieldText:
				v.Texts[f.Key] = strings.TrimSpace(typed["t."+f.Key])
			case bot.FieldWeek:
				v.Rows[f.Key] = draftWeek(f, typed)
			case bot.FieldRows:
				for i := range draftRows {
					row, filled := bot.Row{}, false
					for _, column := range f.Columns {
						if s := strings.TrimSpace(typed["r."+f.Key+"."+strconv.Itoa(i)+"."+column.Key]); s != "" {
							row[column.Key], filled = s, true
						}
					}
					if filled {
						v.Rows[f.Key] = append(v.Rows[f.Key], row)
					}
				}
			}
		}
	}
	return v, typed["draft"] != ""
}

// draftWeek reads the days of a week; none where the hours are not to be known.
func draftWeek(f bot.Field, typed map[string]string) (rows []bot.Row) {
	prefix := "week." + f.Key + "."
	if typed[prefix+"always"] != "" {
		return nil
	}
	for _, day := range bot.Days() {
		if typed[prefix+day+".open"] == "" {
			rows = append(rows, bot.Row{bot.ColDay: day})
			continue
		}
		for i := range f.Most {
			at := prefix + day + "." + strconv.Itoa(i) + "."
			row := bot.Row{bot.ColDay: day, bot.ColOpen: "1", bot.ColFrom: typed[at+bot.ColFrom], bot.ColTo: typed[at+bot.ColTo]}
			if i == 0 || row[bot.ColFrom] != "" || row[bot.ColTo] != "" {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// changeRows does what a button of a list asks for: "add offers", "remove offers 2", "add hours mon", "remove hours mon 1".
func changeRows(t bot.Template, v bot.Values, do string) (bot.Field, bool) {
	what := strings.Fields(do)
	if len(what) < 2 {
		return bot.Field{}, false
	}
	field, ok := fieldOf(t, what[1])
	if !ok {
		return field, false
	}
	rows, rest := v.Rows[field.Key], what[2:]
	week := field.Kind == bot.FieldWeek
	if week { // a period of a day
		if len(rest) == 0 || !slices.Contains(bot.Days(), rest[0]) {
			return field, false
		}
	}
	at := len(rows) // where the row is, or goes
	if week {
		n := 0
		for i, row := range rows {
			if row[bot.ColDay] != rest[0] {
				continue
			}
			at = i + 1
			if what[0] == "remove" && len(rest) == 2 && rest[1] == strconv.Itoa(n) {
				at = i
				break
			}
			n++
		}
	}
	switch {
	case what[0] == "add" && len(rows) < draftRows && field.Kind == bot.FieldRows:
		v.Rows[field.Key] = append(rows, bot.Row{})
	case what[0] == "add" && len(rows) < draftRows && week:
		v.Rows[field.Key] = slices.Insert(rows, at, bot.Row{bot.ColDay: rest[0], bot.ColOpen: "1"})
	case what[0] == "remove" && field.Kind == bot.FieldRows && len(rest) == 1:
		i, err := strconv.Atoi(rest[0])
		if err == nil && i >= 0 && i < len(rows) {
			v.Rows[field.Key] = slices.Delete(rows, i, i+1)
		}
	case what[0] == "remove" && week && len(rest) == 2:
		if at < len(rows) {
			v.Rows[field.Key] = slices.Delete(rows, at, at+1)
		}
	default:
		return field, false
	}
	return field, true
}

func fieldOf(t bot.Template, key string) (bot.Field, bool) {
	for _, section := range bot.Form(t) {
		for _, f := range section.Fields {
			if f.Key == key && (f.Kind == bot.FieldRows || f.Kind == bot.FieldWeek) {
				return f, true
			}
		}
	}
	return bot.Field{}, false
}
