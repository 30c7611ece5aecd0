package bot

import (
	"strings"
	"testing"
	"time"
)

func mustHours(t testing.TB, s string) Hours {
	t.Helper()
	h, err := ParseHours([]byte(s))
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return h
}

const shopHours = `{"mon":[["08:00","18:00"]],"tue":[["08:00","18:00"]],"wed":[["08:00","18:00"]],"thu":[["08:00","18:00"]],"fri":[["08:00","12:00"],["14:00","18:00"]],"sat":[["09:00","13:30"]]}`

func TestParseHoursErrors(t *testing.T) {
	for in, want := range map[string]string{
		`[]`: "must be a JSON object", `x`: "must be a JSON object", `{"mon"`: "mon", `{"mon":[]`: "not closed", `{"mon":[]} x`: "something follows",
		`{"Monday":[]}`: `day "Monday" is not known`, `{"mon":[],"mon":[]}`: "mon: the day is given twice",
		`{"tue":"closed"}`: `tue: "closed" is not a list of periods`, `{"tue":[["08:00"]]}`: `tue: period "08:00" needs exactly`,
		`{"wed":[["8:00","18:00"]]}`: `wed: time "8:00" is not a time`, `{"wed":[["08:00","25:00"]]}`: `wed: time "25:00"`, `{"wed":[["08:60","18:00"]]}`: `"08:60"`,
		`{"wed":[["08:00","24:01"]]}`: `"24:01"`, `{"thu":[["24:00","02:00"]]}`: "cannot start at 24:00", `{"thu":[["08:00","08:00"]]}`: "opens and closes at the same time",
		`{"fri":[["08:00","12:00"],["11:00","18:00"]]}`: `fri: period "11:00–18:00" starts before`, `{"fri":[["20:00","02:00"],["22:00","23:00"]]}`: "fri",
		`{"sat":[["01:00","02:00"],["03:00","04:00"],["05:00","06:00"],["07:00","08:00"]]}`: "sat: 4 periods", `{"sat":[[8,18]]}`: "sat",
		`{"mon":[["08:00","18:00"]],}`: "JSON",
	} {
		if _, err := ParseHours([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
}

func TestOpening(t *testing.T) {
	at := func(day int, clock string) time.Time { // 23 November 2026 is a Monday
		c, err := time.Parse("15:04", clock)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 11, day, c.Hour(), c.Minute(), 0, 0, eastAfrica)
	}
	bar := `{"fri":[["20:00","02:00"]],"sat":[["20:00","24:00"]],"sun":[["00:00","03:00"]]}`
	for _, c := range []struct {
		hours       string
		at          time.Time
		open        bool
		until, next time.Time
	}{
		{shopHours, at(23, "07:59"), false, time.Time{}, at(23, "08:00")},
		{shopHours, at(23, "08:00"), true, at(23, "18:00"), at(24, "08:00")},
		{shopHours, at(23, "18:00"), false, time.Time{}, at(24, "08:00")},
		{shopHours, at(27, "13:00"), false, time.Time{}, at(27, "14:00")},
		{shopHours, at(28, "14:00"), false, time.Time{}, at(30, "08:00")},
		{bar, at(28, "01:59"), true, at(28, "02:00"), at(28, "20:00")},
		{bar, at(28, "02:00"), false, time.Time{}, at(28, "20:00")},
		{bar, at(28, "23:00"), true, at(29, "03:00"), at(29, "00:00")},
		{`{"mon":[["08:00","09:00"]]}`, at(23, "09:00"), false, time.Time{}, at(30, "08:00")},
		{`{"mon":[]}`, at(23, "09:00"), false, time.Time{}, time.Time{}},
		{`{}`, at(23, "09:00"), true, time.Time{}, time.Time{}},
		{`{"mon":[["00:00","24:00"]],"tue":[["00:00","24:00"]],"wed":[["00:00","24:00"]],"thu":[["00:00","24:00"]],"fri":[["00:00","24:00"]],"sat":[["00:00","24:00"]],"sun":[["00:00","24:00"]]}`,
			at(23, "09:00"), true, time.Time{}, at(24, "00:00")},
	} {
		h := mustHours(t, c.hours)
		until, _ := h.OpenUntil(c.at)
		next, _ := h.NextOpen(c.at)
		if h.Open(c.at) != c.open || !until.Equal(c.until) || !next.Equal(c.next) {
			t.Errorf("%s at %v: open %v until %v next %v", c.hours, c.at, h.Open(c.at), until, next)
		}
	}
}

func TestHoursInWords(t *testing.T) {
	c := newChat(t, Booking, Swahili)
	c.cfg.Hours = mustHours(t, shopHours)
	c.says("saa za kazi", IntentHours, "Jumatatu – Alhamisi: saa 2:00 asubuhi (08:00) hadi saa 12:00 jioni (18:00)", "Jumapili: tumefunga", "hadi saa 12:00 jioni (18:00).")
	c.now = monday.Add(10 * time.Hour)
	c.says("habari", IntentGreeting, "Kwa sasa tumefunga. Tutafungua kesho (Jumanne) saa 2:00 asubuhi (08:00).")
	if reply := c.says("huduma", IntentServices); strings.Contains(reply, "tumefunga") {
		t.Error("closed is said again within minutes")
	}
	c.says("mtu", IntentHuman, "Tutafungua kesho")

	c = newChat(t, Booking, English)
	c.cfg.Hours = mustHours(t, shopHours)
	c.says("hours", IntentHours, "Friday: 8:00 am to noon, 2:00 pm to 6:00 pm", "We are open now, until 6:00 pm.")
	c.now = monday.AddDate(0, 0, 5).Add(10 * time.Hour)
	c.says("menu", IntentMenu, "We are closed at the moment. We open on Monday at 8:00 am.")
	c.now = monday.AddDate(0, 0, 4).Add(3 * time.Hour)
	c.says("hello", IntentGreeting, "We open today (Friday) at 2:00 pm.")
	c.cfg.Hours = mustHours(t, `{"fri":[["08:00","09:00"]]}`)
	c.says("hours", IntentHours, "We open next Friday at 8:00 am.")
	c.cfg.Hours = mustHours(t, `{"fri":[]}`)
	c.says("hours", IntentHours, "Monday – Sunday: closed", "The team will let you know")
	c.cfg.Hours = Hours{}
	c.says("hours", IntentHours, "I don't have the opening hours")

	// Hours are in the business's place, whatever zone the caller's clock has.
	c = newChat(t, Booking, English)
	c.cfg.Hours, c.cfg.Location, c.now = mustHours(t, shopHours), time.FixedZone("EAT", 3*3600), time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	c.says("hours", IntentHours, "We are open now")
}

func TestWidestHoursStayWithinAReply(t *testing.T) {
	for _, l := range everyLanguage {
		c := newChat(t, Booking, l)
		var days []string
		for i, d := range dayKeys {
			days = append(days, `"`+d+`":[["10:1`+string(rune('0'+i))+`","11:11"],["12:12","13:13"],["22:22","23:23"]]`)
		}
		c.cfg.Hours = mustHours(t, "{"+strings.Join(days, ",")+"}")
		want := map[Language]string{Swahili: "22:22", English: "10:22 pm"}[l]
		c.says("hours", IntentHours, "\n\n", want)
	}
}

func TestSwahiliClock(t *testing.T) {
	for minute, want := range map[int]string{0: "saa 6:00 usiku (00:00)", 5 * 60: "saa 11:00 alfajiri (05:00)", 6 * 60: "saa 12:00 asubuhi (06:00)", 8*60 + 30: "saa 2:30 asubuhi (08:30)",
		12 * 60: "saa 6:00 mchana (12:00)", 16 * 60: "saa 10:00 jioni (16:00)", 19 * 60: "saa 1:00 usiku (19:00)", 24 * 60: "saa 6:00 usiku (00:00)"} {
		if got := clockWords(minute, Swahili); got != want {
			t.Errorf("%d: %s, want %s", minute, got, want)
		}
	}
}
