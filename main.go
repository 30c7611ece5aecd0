// Flow HQ runs WhatsApp bots for many small businesses. This file lists the commands; serve.go opens, wires and serves.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"flowhq/database"
)

const usage = `Flow HQ runs WhatsApp bots for many small businesses.

  flowhq serve [--role all|web|worker] [--listen ADDR] [--data DIR]
  flowhq demo [--listen ADDR] [--data DIR]        the product on simulated WhatsApp
  flowhq migrate                                  bring the database up to date
  flowhq admin upsert --email E --password P      create an admin or reset the password (P "-": from stdin)
                      [--role R]                  with another role: support, read-only or one of your own
  flowhq apikey create --label L [--tenant ID]    print a new API key, once
  flowhq doctor                                   check everything and say what to do
  flowhq doctor --ledger [--since 24h | --all]    compare what came in and went out, message by message
  flowhq simulate [--listen ADDR] [--control ADDR]  the WhatsApp simulator alone
  flowhq bench [--quick] [--json]                 measure through the simulator

Settings come from the environment; docs/operations.md lists them.
`

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 2
)

// command is one invocation: its flags are parsed by the function that runs it.
type command struct {
	args           []string
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	c := command{args: os.Args[1:], getenv: os.Getenv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	err := c.run(ctx)
	stop()
	os.Exit(c.report(err))
}

func (c command) run(ctx context.Context) error {
	commands := map[string]func(command, context.Context) error{
		"serve": command.serve, "demo": command.demo, "migrate": command.migrate, "admin upsert": command.adminUpsert,
		"apikey create": command.apikeyCreate, "doctor": command.doctor, "simulate": command.simulate, "bench": command.bench,
		"seed": command.seed, // for measurements only, so the usage does not list it; docs/benchmarks.md does
	}
	for words := 1; words <= 2 && words <= len(c.args); words++ {
		name := c.args[0]
		if words == 2 {
			name += " " + c.args[1]
		}
		if run, ok := commands[name]; ok {
			c.args = c.args[words:]
			return run(c, ctx)
		}
	}
	if len(c.args) == 1 && (c.args[0] == "help" || c.args[0] == "--help" || c.args[0] == "-h") {
		fmt.Fprint(c.stdout, usage)
		return nil
	}
	if len(c.args) == 0 {
		fmt.Fprint(c.stderr, usage)
		return errUsage
	}
	return &settingError{fmt.Sprintf("flowhq: there is no command %q; flowhq help lists them", strings.Join(c.args[:min(2, len(c.args))], " "))}
}

// errUsage ends the process with status 2; what was wrong is printed already.
var errUsage = errors.New("usage")

// report prints an error as one line and gives the exit status.
func (c command) report(err error) int {
	var setting *settingError
	var db *database.Error
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.As(err, &setting), errors.As(err, &db):
		fmt.Fprintln(c.stderr, err)
		return exitUsage
	}
	fmt.Fprintln(c.stderr, "flowhq:", err)
	return exitFailed
}

// parse reads a command's flags and refuses what is left over.
func (c command) parse(name string, define func(*flag.FlagSet)) error {
	flags := flag.NewFlagSet("flowhq "+name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	define(flags)
	if err := flags.Parse(c.args); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(c.stdout)
		fmt.Fprintf(c.stdout, "flowhq %s\n", name)
		flags.PrintDefaults()
		return err
	} else if err != nil {
		return &settingError{fmt.Sprintf("flowhq %s: %v; see flowhq %[1]s --help", name, err)}
	}
	if flags.NArg() > 0 {
		return &settingError{fmt.Sprintf("flowhq %s: %q is not understood; see flowhq %s --help", name, flags.Arg(0), name)}
	}
	return nil
}
