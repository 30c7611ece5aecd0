package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"flowhq/queries"
	"flowhq/queries/settings"
)

// Schedule is a job that comes round by itself.
type Schedule struct {
	Kind        string
	Name, Does  string        // for people
	Every       time.Duration // between two runs, unless the operator decides otherwise
	Least, Most time.Duration // that they may decide; 0: they may not
	args        river.JobArgs
}

// Schedules lists them.
func Schedules() []Schedule {
	all := []Schedule{
		{Name: "Look for silent workers", Does: "Marks workers without a sign of life and starts them again. How often: see signs of life, above.", args: StaleSweep{}},
		{Name: "Tell owners", Does: "Mails owners whose number was connected for the first time.", Every: 30 * time.Second, Least: 10 * time.Second, Most: 10 * time.Minute, args: SetupTell{}},
		{Name: "Count messages", Does: "Counts messages by the hour, for the overview's figures and charts.", Every: time.Minute, Least: 15 * time.Second, Most: 10 * time.Minute, args: MessageCount{}},
		{Name: "Index words", Does: "Moves new messages into the index that searches use.", Every: 8 * time.Second, Least: time.Second, Most: time.Minute, args: SearchIndex{}},
		{Name: "Tidy up", Does: "Deletes sign-ins, links, blocks and keys of requests that have ended.", Every: time.Hour, Least: 10 * time.Minute, Most: 24 * time.Hour, args: Cleanup{}},
		{Name: "End closed accounts", Does: "Deletes businesses that were closed when their time is over, and reminds their owners two days before.", Every: time.Hour, Least: 10 * time.Minute, Most: 24 * time.Hour, args: CloseTenants{}},
		{Name: "Delete what is old", Does: "Deletes what is older than it is to be kept; see above.", Every: time.Hour, Least: 10 * time.Minute, Most: 24 * time.Hour, args: Retention{}},
	}
	for i := range all {
		all[i].Kind = all[i].args.Kind()
	}
	return all
}

// In is the time between two runs under these settings.
func (s Schedule) In(v settings.Values) time.Duration {
	if s.Kind == (StaleSweep{}).Kind() {
		return v.StaleCheck
	}
	if every := v.Schedules[s.Kind]; every >= s.Least && every <= s.Most && every > 0 {
		return every
	}
	return s.Every
}

func (s Schedule) periodic(every time.Duration) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(every), func() (river.JobArgs, *river.InsertOpts) {
		return s.args, &river.InsertOpts{MaxAttempts: 1} // the next round is the retry
	}, &river.PeriodicJobOpts{ID: s.Kind, RunOnStart: true})
}

// Reschedule has a client follow changed settings. A job whose time changed runs at once and then at its new pace.
func Reschedule(client *river.Client[pgx.Tx], log *slog.Logger, before settings.Values) func(settings.Values) {
	return func(now settings.Values) {
		for _, s := range Schedules() {
			if s.In(now) == s.In(before) {
				continue
			}
			client.PeriodicJobs().RemoveByID(s.Kind)
			if _, err := client.PeriodicJobs().AddSafely(s.periodic(s.In(now))); err != nil {
				log.Error("a job could not be scheduled anew; a restart does it", "kind", s.Kind, "err", err)
			}
		}
		before = now
	}
}

// RunNow orders a run of a scheduled job. ordered is false where one waits or is at work.
func (c *Commands) RunNow(ctx context.Context, s Schedule) (ordered bool, err error) {
	result, err := c.river.Insert(ctx, s.args, &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
	}}})
	if err != nil {
		return false, err
	}
	return !result.UniqueSkippedAsDuplicate, nil
}

// noteRuns keeps when each scheduled job ran last, and how it went. That it could not be noted never stops a job.
func noteRuns(db *pgxpool.Pool, node string, log *slog.Logger) rivertype.Middleware {
	scheduled := map[string]bool{}
	for _, s := range Schedules() {
		scheduled[s.Kind] = true
	}
	return river.WorkerMiddlewareFunc(func(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
		if !scheduled[job.Kind] {
			return work(ctx)
		}
		q := queries.New(db)
		if err := q.BeginJobRun(ctx, queries.BeginJobRunParams{Kind: job.Kind, Node: node}); err != nil {
			log.Warn("a job's run could not be noted", "kind", job.Kind, "err", err)
		}
		failure := work(ctx)
		end := queries.EndJobRunParams{Kind: job.Kind, Node: node}
		if failure != nil {
			text := failure.Error()
			end.Error = &text
		}
		noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := q.EndJobRun(noting, end); err != nil {
			log.Warn("a job's run could not be noted", "kind", job.Kind, "err", err)
		}
		return failure
	})
}
