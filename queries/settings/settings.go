// Package settings is what the operator decides while the server runs: on the admin's settings page, kept in one row of the database,
// taken over by every process within seconds. A setting that the environment decides cannot be changed there; one that nobody decided
// has the server's default.
package settings

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"flowhq/queries"
)

// Every is how often a process looks whether another one changed something, up to a fifth more.
const Every = 5 * time.Second

const readTimeout = 5 * time.Second

// Values are the settings in force.
type Values struct {
	ProductName      string
	Accent           string // #rrggbb; empty: the product's own green
	MailServer       string // smtp://user:password@host:587 or smtps://…; empty: nothing is mailed
	MailFrom         string
	RepliesPerMinute int           // of a tenant's bot, where the tenant sets none; 0: no limit
	Heartbeat        time.Duration // between two signs of life of a node
	StaleAfter       time.Duration // without one
	StaleCheck       time.Duration // between two looks
	Keep             Keep
	Schedules        map[string]time.Duration // between two runs, by the kind of job; only those that somebody changed
}

// Keep is for how many days something is kept; 0: for ever, except Logs, of which then none are kept at all.
type Keep struct{ Logs, Events, Runs, Unlogged, Messages int }

// Defaults are the values of a server whose environment and whose operator decide nothing.
func Defaults() Values {
	return Values{
		ProductName: "Flow HQ", RepliesPerMinute: 30, Heartbeat: 15 * time.Second, StaleAfter: 2 * time.Minute, StaleCheck: 30 * time.Second,
		Keep: Keep{Logs: 7, Runs: 90},
	}
}

// MailOn tells whether mails leave; without, admins pass links on.
func (v Values) MailOn() bool { return v.MailServer != "" }

// Store holds the values in force in this process.
type Store struct {
	db    *pgxpool.Pool
	log   *slog.Logger
	base  Values
	fixed map[string]string

	now     atomic.Pointer[Values]
	loading sync.Mutex // one at a time, so that an older read never replaces a newer one
	changed []func(Values)
}

// New gives a store in which base is in force until Load. fixed are the columns of the table settings that the environment decides, with
// the variable that does; all of mail stands under "mail_host".
func New(db *pgxpool.Pool, base Values, fixed map[string]string, log *slog.Logger) *Store {
	s := &Store{db: db, log: log, base: base, fixed: fixed}
	s.now.Store(&base)
	return s
}

// Now is what is in force.
func (s *Store) Now() Values { return *s.now.Load() }

// Base is what is in force where the operator decides nothing.
func (s *Store) Base() Values { return s.base }

// FixedBy is the environment's variable that decides a column; empty: none does.
func (s *Store) FixedBy(column string) string { return s.fixed[column] }

// OnChange has f called with the new values whenever they change. It is for the time before Run.
func (s *Store) OnChange(f func(Values)) { s.changed = append(s.changed, f) }

// Load reads the settings and puts them in force here.
func (s *Store) Load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row, err := queries.New(s.db).GetSettings(reading)
	if err != nil {
		return err
	}
	values := s.Merge(row)
	if reflect.DeepEqual(values, s.Now()) {
		return nil
	}
	s.now.Store(&values)
	for _, f := range s.changed {
		f(values)
	}
	return nil
}

// Run takes over what other processes change, until ctx ends.
func (s *Store) Run(ctx context.Context) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(Every + rand.N(Every/5)):
		}
		err := s.Load(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.log.Warn("the settings could not be read; the last ones stay in force", "err", err)
		}
		failing = err != nil
	}
}

// Merge is what a row of the table puts in force.
func (s *Store) Merge(row queries.Setting) Values {
	v := s.base
	text := func(column string, to *string, from *string) {
		if from != nil && s.fixed[column] == "" {
			*to = *from
		}
	}
	number := func(column string, to *int, from *int32) {
		if from != nil && s.fixed[column] == "" {
			*to = int(*from)
		}
	}
	seconds := func(column string, to *time.Duration, from *int32) {
		if from != nil && s.fixed[column] == "" {
			*to = time.Duration(*from) * time.Second
		}
	}
	text("product_name", &v.ProductName, row.ProductName)
	text("accent", &v.Accent, row.Accent)
	number("replies_per_minute", &v.RepliesPerMinute, row.RepliesPerMinute)
	seconds("heartbeat_seconds", &v.Heartbeat, row.HeartbeatSeconds)
	seconds("stale_after_seconds", &v.StaleAfter, row.StaleAfterSeconds)
	seconds("stale_check_seconds", &v.StaleCheck, row.StaleCheckSeconds)
	number("keep_logs_days", &v.Keep.Logs, row.KeepLogsDays)
	number("keep_events_days", &v.Keep.Events, row.KeepEventsDays)
	number("keep_runs_days", &v.Keep.Runs, row.KeepRunsDays)
	number("keep_unlogged_days", &v.Keep.Unlogged, row.KeepUnloggedDays)
	number("keep_messages_days", &v.Keep.Messages, row.KeepMessagesDays)
	if s.fixed["mail_host"] == "" {
		v.MailServer, v.MailFrom = MailServer(row), ""
		if row.MailFrom != nil {
			v.MailFrom = *row.MailFrom
		}
	}
	every := map[string]int{}
	if json.Unmarshal(row.Schedules, &every) == nil && len(every) > 0 {
		v.Schedules = map[string]time.Duration{}
		for kind, n := range every {
			v.Schedules[kind] = time.Duration(n) * time.Second
		}
	}
	return v
}

// MailServer is the address of the mail server that a row names; empty: none.
func MailServer(row queries.Setting) string {
	if row.MailHost == nil || row.MailPort == nil {
		return ""
	}
	u := url.URL{Scheme: "smtp", Host: net.JoinHostPort(*row.MailHost, strconv.Itoa(int(*row.MailPort)))}
	if row.MailSecurity != nil && *row.MailSecurity == "tls" {
		u.Scheme = "smtps"
	}
	if row.MailUser != nil {
		u.User = url.User(*row.MailUser)
		if row.MailPassword != nil {
			u.User = url.UserPassword(*row.MailUser, *row.MailPassword)
		}
	}
	return u.String()
}
