package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"syscall"
	"time"

	"flowhq/database"
)

const (
	maxClockSkew = 5 * time.Second
	minFreeDisk  = 1 << 30 // bytes
	dialTimeout  = 5 * time.Second
	whatsAppHost = "web.whatsapp.com"
)

// check is one thing the doctor looks at: what it found, or what is wrong and what to do.
type check struct {
	name  string
	found string
	err   error
}

// doctor checks the settings, the database, the clock, the disk and the way to WhatsApp; with --ledger, instead, whether every
// message is accounted for.
func (c command) doctor(ctx context.Context) error {
	var books ledgerFlags
	if err := c.parse("doctor", books.define); err != nil {
		return err
	}
	if books != defaultLedgerFlags {
		return c.doctorLedger(ctx, books)
	}
	config, err := readConfig(c.getenv, "", "", "")
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "ok    %-12s all valid\n", "settings")
	var checks []check
	if err := c.withDatabase(ctx, func(db *database.Database) error {
		checks = append(checks, check{name: "database", found: "Postgres " + db.ServerVersion() + ", migrations done"},
			checkConnections(ctx, db, config), checkClock(ctx, db))
		return nil
	}); err != nil {
		checks = append(checks, check{name: "database", err: err})
	}
	if config.DatabaseURL == "" {
		checks = append(checks, checkDisk(config.DataDir))
	}
	checks = append(checks, checkWhatsApp(ctx, config))
	failed := 0
	for _, k := range checks {
		if k.err != nil {
			failed++
			fmt.Fprintf(c.stdout, "FAIL  %-12s %v\n", k.name, k.err)
			continue
		}
		fmt.Fprintf(c.stdout, "ok    %-12s %s\n", k.name, k.found)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(checks)+1)
	}
	return nil
}

func checkClock(ctx context.Context, db *database.Database) check {
	var there time.Time
	began := time.Now()
	err := db.System.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&there)
	skew := there.Sub(began.Add(time.Since(began) / 2))
	if err == nil && skew.Abs() > maxClockSkew {
		err = fmt.Errorf("this machine and the database differ by %s: run a time service such as chrony on both", skew.Round(time.Millisecond))
	}
	return check{"clock", fmt.Sprintf("%s apart from the database's", skew.Abs().Round(time.Millisecond)), err}
}

func checkDisk(dir string) check {
	var fs syscall.Statfs_t
	err := syscall.Statfs(dir, &fs)
	free := fs.Bavail * uint64(fs.Bsize)
	if err == nil && free < minFreeDisk {
		err = fmt.Errorf("only %d MB are free where %s is: make room, or move it with FLOWHQ_DATA", free>>20, dir)
	}
	if full, e := filepath.Abs(dir); e == nil {
		dir = full
	}
	return check{"disk", fmt.Sprintf("%d GB free for %s", free>>30, dir), err}
}

func checkWhatsApp(ctx context.Context, config config) check {
	address := net.JoinHostPort(whatsAppHost, "443")
	if config.WhatsAppURL != "" {
		u, err := url.Parse(config.WhatsAppURL)
		if err != nil {
			return check{"whatsapp", "", err}
		}
		address = u.Host
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return check{"whatsapp", "", fmt.Errorf("cannot reach %s (%w): check the firewall and the network", address, err)}
	}
	conn.Close()
	return check{"whatsapp", address + " answers", nil}
}
