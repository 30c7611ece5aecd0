package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// measureStatements counts SQL statements per reply, BEGIN and COMMIT included: Postgres writes each to its log, for this
// run only. Nothing is timed meanwhile.
func (b *bench) measureStatements(ctx context.Context) error {
	var perReply [2]float64
	for i, s := range b.systems {
		load := b.plan.statements
		b.note("%s: statements of %d messages at %g/s", s.name, load.messages, load.rate)
		if err := b.logStatements(ctx, s, "SET log_statement = 'all'"); err != nil {
			return err
		}
		if err := b.warm(ctx, s); err != nil {
			return err
		}
		log, err := os.Open(filepath.Join(b.dataFolder(), "postgres.log"))
		if err != nil {
			return err
		}
		defer log.Close()
		if _, err := log.Seek(0, io.SeekEnd); err != nil {
			return err
		}
		sent, err := b.send(ctx, s, s.openLoop(load, b.plan.contacts))
		if err != nil {
			return err
		}
		if _, err := b.workLeft(ctx, sent, time.Now()); err != nil {
			return err
		}
		counts, err := countStatements(log, s.database)
		if err != nil {
			return err
		}
		for _, n := range counts {
			perReply[i] += float64(n) / float64(sent.Sent)
		}
		if err := b.writeStatements(s, counts, sent.Sent); err != nil {
			return err
		}
		if err := b.check(ctx, sent); err != nil {
			return err
		}
		if err := b.logStatements(ctx, s, "RESET log_statement"); err != nil {
			return err
		}
		if err := s.stop(); err != nil {
			return err
		}
	}
	b.addPair(fmt.Sprintf("SQL statements per reply at %g/s", b.plan.statements.rate), "", perReply, compareDifference, noTarget)
	return nil
}

// logStatements changes a setting of a system's database; it counts for connections made from then on.
func (b *bench) logStatements(ctx context.Context, s *benchSystem, setting string) error {
	_, err := b.asSuperuser(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "ALTER DATABASE "+pgx.Identifier{s.database}.Sanitize()+" "+setting)
		return err
	})
	return err
}

// countStatements counts executed statements by their first line, which in Flow HQ's is the name. Lines that continue a
// statement begin with a tab, the first one may be empty.
func countStatements(log io.Reader, database string) (map[string]int, error) {
	counts := map[string]int{}
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		_, entry, ok := strings.Cut(lines.Text(), "@"+database+" LOG:  ")
		if !ok || strings.HasPrefix(lines.Text(), "\t") {
			continue
		}
		kind, statement, _ := strings.Cut(entry, ": ")
		if kind != "statement" && !strings.HasPrefix(kind, "execute ") {
			continue
		}
		if statement = strings.TrimSpace(statement); statement == "" && lines.Scan() {
			statement = strings.TrimSpace(lines.Text())
		}
		counts[statement]++
	}
	return counts, lines.Err()
}

// writeStatements lists the statements beside the profiles, where those are wanted.
func (b *bench) writeStatements(s *benchSystem, counts map[string]int, replies int) error {
	if b.profiles == "" {
		return nil
	}
	var text strings.Builder
	for _, statement := range slices.SortedFunc(maps.Keys(counts), func(x, y string) int { return cmp.Compare(counts[y], counts[x]) }) {
		fmt.Fprintf(&text, "%7.2f per reply  %.150s\n", float64(counts[statement])/float64(replies), statement)
	}
	return os.WriteFile(b.profileFile(s, "statements", ".txt"), []byte(text.String()), 0o644)
}
