package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs that decide what to do next; see PostgreSQL's appendix A.
const (
	codeStartingUp      = "57P03" // cannot_connect_now: starting up, shutting down, in recovery
	codeShutDown        = "57P01" // admin_shutdown
	codeCrashed         = "57P02" // crash_shutdown: another server process died, and all are started anew
	codeNoDatabase      = "3D000"
	codeNoRole          = "28000"
	codeBadPassword     = "28P01"
	codeTooMany         = "53300"
	codeProtocol        = "08P01"
	codeNoPrivilege     = "42501"
	codeDuplicateObject = "42710"
	codeUnique          = "23505"
	codeInternal        = "XX000"
	codeDeadlock        = "40P01"
	codeNotKeptApart    = "FHQ01" // ours: see enter_tenant in migration 00005
)

// sqlState is the SQLSTATE of a server's error, "" for any other.
func sqlState(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}

// Passing reports whether a failure may be over without anybody's doing: nothing answers, or the server starts, stops or has
// no connection left at the moment. Whoever only waits for it should do so for a bounded time, since a wrong port looks the same.
func Passing(err error) bool {
	switch sqlState(err) {
	case "":
	case codeStartingUp, codeShutDown, codeCrashed, codeTooMany:
		return true
	default:
		return false
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsTemporary || dns.IsTimeout
	}
	for _, cause := range []error{syscall.ECONNREFUSED, syscall.ENOENT, syscall.ECONNRESET, syscall.EPIPE, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return true
		}
	}
	network, ok := errors.AsType[net.Error](err)
	return ok && network.Timeout()
}

// explainConnect turns a failed connection into one line with the remedy. The line is built from parts that cannot hold
// the password.
func explainConnect(c *pgx.ConnConfig, err error) error {
	where := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		where = "the socket in " + c.Host
	}
	line := func(format string, args ...any) error { return errorf(err, "DATABASE_URL: "+format, args...) }

	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case codeBadPassword:
			return line("Postgres at %s refused the password of user %q: check user and password", where, c.User)
		case codeNoRole:
			return line("Postgres at %s does not let user %q in (%s): check the user, and pg_hba.conf on the server", where, c.User, pg.Message)
		case codeNoDatabase:
			return line("Postgres at %s has no database %q: create it with CREATE DATABASE %s OWNER %s", where, c.Database,
				pgx.Identifier{c.Database}.Sanitize(), pgx.Identifier{c.User}.Sanitize())
		case codeNoPrivilege:
			return line("user %q may not connect to database %q at %s (%s): GRANT CONNECT on it", c.User, c.Database, where, pg.Message)
		case codeTooMany:
			return line("Postgres at %s has no connection left (%s): raise max_connections or stop what else uses it", where, pg.Message)
		case codeStartingUp:
			return line("Postgres at %s is not ready (%s): try again when it is", where, pg.Message)
		case codeProtocol:
			return line("what answers at %s does not pass on session settings (%s): name Postgres itself, not a transaction pooler", where, pg.Message)
		}
		return line("Postgres at %s refused the connection: %s (SQLSTATE %s)", where, pg.Message, pg.Code)
	}

	_, badName := errors.AsType[x509.HostnameError](err)
	_, badAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	dns, isDNS := errors.AsType[*net.DNSError](err)
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case badName, badAuthority, badCertificate:
		return line("the TLS certificate of %s cannot be verified: set sslrootcert to the authority's certificate, or correct the host", where)
	case strings.Contains(err.Error(), "server refused TLS"):
		return line("Postgres at %s does not offer TLS: switch it on there, or use sslmode=disable on a trusted network", where)
	case isDNS:
		return line("host %q is not known: correct the host name", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return line("nothing answers at %s: start Postgres there, correct host and port, or unset DATABASE_URL to use a private Postgres", where)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return line("%s cannot be reached from here: check network and firewall", where)
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded), isNet && netErr.Timeout():
		return line("no answer from %s in time: check host, port and firewall", where)
	}
	return line("what answers at %s does not speak Postgres' protocol as expected: check host, port and sslmode", where)
}

// checkServer refuses a server that cannot hold the schema. status reads a parameter the server reported at connect.
func checkServer(status func(string) string) error {
	version := status("server_version")
	if n, err := strconv.Atoi(leadingDigits(version)); err != nil || n < minVersion {
		return errorf(nil, "DATABASE_URL: the server is PostgreSQL %s: use version %d or newer", version, minVersion)
	}
	if encoding := status("server_encoding"); encoding != "UTF8" {
		return errorf(nil, "DATABASE_URL: the database's encoding is %s: create it with ENCODING 'UTF8'", encoding)
	}
	if status("in_hot_standby") == "on" {
		return errorf(nil, "DATABASE_URL: the server is a read-only standby: name the primary")
	}
	return nil
}

// leadingDigits cuts "15.20 (Debian)" and "17beta1" to the major version.
func leadingDigits(s string) string {
	for i, r := range s {
		if r < '0' || r > '9' {
			return s[:i]
		}
	}
	return s
}
