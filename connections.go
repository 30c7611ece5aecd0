package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"flowhq/database"
)

// budget is how many database connections a process opens at most.
type budget struct {
	system, portal int // of the pools
	listeners      int // beside them: live updates, River
}

func (b budget) total() int { return b.system + b.portal + b.listeners }

// minBudget is the least that FLOWHQ_DB_CONNECTIONS may say; below, what a process does at once would wait for itself.
const minBudget = 8

// budgetOf is the budget of a process of this role; total 0: the usual one. Four processes of any role leave Postgres' default of 100
// connections room for those that the server reserves, a backup and a person's psql. A worker shows no pages, so it needs neither the
// owners' pool nor live updates; that pool opens nothing before it is asked.
func budgetOf(role string, total int) budget {
	b := map[string]budget{roleAll: {14, 4, 2}, roleWeb: {10, 6, 2}, roleWorker: {14, 0, 1}}[role]
	if total > 0 {
		if b.portal > 0 {
			b.portal = max(1, total*b.portal/b.total())
		}
		b.system = total - b.portal - b.listeners
	}
	return b
}

// checkBudget compares the server's limit with what this process and the others that are alive may open. Too little for one
// process alone is an error; too little for all of them is one line in the log, because which of them have to go is not this one's to say.
func (a *app) checkBudget(ctx context.Context) error {
	c, err := a.db.Connections(ctx)
	if err != nil {
		return err
	}
	share := shareConnections(c, a.config.Connections)
	if need := budgetOf(a.config.Role, a.config.Connections).total(); need > c.Allowed {
		return &settingError{fmt.Sprintf("DATABASE_URL: this Postgres allows %d connections and a process of Flow HQ opens up to %d: raise max_connections to at least %d, "+
			"or set FLOWHQ_DB_CONNECTIONS (%d or more)", c.Allowed, need, need+reservedConnections, minBudget)}
	}
	if share.missing() > 0 {
		a.log.Warn("connections to Postgres may run out: " + share.remedy())
	}
	return nil
}

// reservedConnections is what Postgres keeps for superusers by default.
const reservedConnections = 3

// connectionShare says how the connections that a server allows are shared out.
type connectionShare struct {
	database.Connections
	processes, need int
}

func shareConnections(c database.Connections, perProcess int) connectionShare {
	s := connectionShare{Connections: c}
	for role, n := range c.Processes {
		s.processes += n
		s.need += n * budgetOf(role, perProcess).total()
	}
	return s
}

func (s connectionShare) missing() int { return s.need + s.Others - s.Allowed }

func (s connectionShare) String() string {
	return fmt.Sprintf("%d allowed, up to %d for the %d processes of Flow HQ that run, %d taken by others", s.Allowed, s.need, s.processes, s.Others)
}

// remedy says what is too much and what to change.
func (s connectionShare) remedy() string {
	line := fmt.Sprintf("%s: raise max_connections by at least %d, or run fewer processes", s, s.missing())
	if s.processes > 0 {
		if each := (s.Allowed - s.Others) / s.processes; each >= minBudget {
			line += fmt.Sprintf(", or set FLOWHQ_DB_CONNECTIONS=%d for each", each)
		}
	}
	return line
}

// checkConnections is the doctor's look at the same.
func checkConnections(ctx context.Context, db *database.Database, config config) check {
	k := check{name: "connections"}
	c, err := db.Connections(ctx)
	if err != nil {
		k.err = err
		return k
	}
	share, one := shareConnections(c, config.Connections), budgetOf(roleAll, config.Connections).total()
	free := max(0, -share.missing())
	k.found = fmt.Sprintf("%s; room for %d more of up to %d", share, free/one, one)
	if share.missing() > 0 || share.processes == 0 && free < one {
		k.err = errors.New(share.remedy())
	}
	return k
}

const (
	firstDatabaseTry   = 200 * time.Millisecond
	longestDatabaseTry = 2 * time.Second
	sayAgainAfter      = 10 * time.Second
)

// whenThere runs a step that needs the database. One that cannot be reached at the moment is waited for, for FLOWHQ_DB_WAIT: a machine
// that starts everything at once, or a failover, must not make a service manager give up on us. The private Postgres is our own to
// start, so there is nothing to wait for.
func (c config) whenThere(ctx context.Context, log *slog.Logger, step func() error) error {
	deadline := time.Now().Add(c.DatabaseWait)
	var said time.Time
	for pause := firstDatabaseTry; ; pause = min(2*pause, longestDatabaseTry) {
		err := step()
		left := time.Until(deadline)
		if err == nil || c.DatabaseURL == "" || !database.Passing(err) || left <= 0 {
			return err
		}
		if time.Since(said) > sayAgainAfter {
			said = time.Now()
			reason, _, _ := strings.Cut(err.Error(), "\n")
			log.Warn("waiting for the database", "at_most", left.Round(time.Second), "because", reason)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(pause, left)):
		}
	}
}
