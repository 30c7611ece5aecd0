package jobs

import (
	"context"

	"flowhq/queries"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
)

// SetupTell orders the mails about set-ups whose number got connected. That happens on the phone, where nobody can order one.
type SetupTell struct{}

// Kind names the job in River's tables.
func (SetupTell) Kind() string { return "setup_tell" }

type setupTellWorker struct {
	river.WorkerDefaults[SetupTell]
	db *pgxpool.Pool
}

func (w *setupTellWorker) Work(ctx context.Context, job *river.Job[SetupTell]) error {
	commands := Commands{db: w.db, river: river.ClientFromContext[pgx.Tx](ctx)}
	return commands.inTx(ctx, actorOf(job.JobRow), func(ctx context.Context, tx pgx.Tx, q *queries.Queries) error {
		rows, err := q.TakeActiveToTell(ctx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			m := Mail{Kind: MailSetupActive, To: r.Email, Name: r.Name, Lang: mailLang(r.UserLanguage), Business: r.BusinessName, Path: "/portal"}
			if err := commands.Mail(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}
