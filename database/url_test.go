package database_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"flowhq/database"
)

const secret = "s3cretWord"

func openURL(ctx context.Context, url string) (*database.Database, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return database.Open(ctx, database.Options{URL: url, Log: slog.New(slog.DiscardHandler)})
}

func TestBadURLs(t *testing.T) {
	s := startTCPServer(t)
	s.exec(t, "postgres", "CREATE ROLE app LOGIN PASSWORD '"+secret+"'", "CREATE ROLE barred NOLOGIN PASSWORD '"+secret+"'",
		"CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", "CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
		"CREATE DATABASE crowded CONNECTION LIMIT 0")
	closedPort, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := closedPort.Addr().String()
	_ = closedPort.Close()

	for _, test := range []struct {
		name, url string
		words     []string
	}{
		{"not an address", "my database " + secret, []string{"not a usable Postgres address", "postgres://USER"}},
		{"bad port", "postgres://app:" + secret + "@127.0.0.1:54x2/flowhq", []string{"not a usable"}},
		{"slash in password", "postgres://app:12/" + secret + "@127.0.0.1/flowhq", []string{"not a usable", "%2F"}},
		{"at in password", "postgres://app:a@" + secret + "@127.0.0.1/flowhq", []string{"not a usable", "%40"}},
		{"refused", "postgres://app:" + secret + "@" + refused + "/flowhq?sslmode=disable", []string{"nothing answers at " + refused}},
		{"unknown host", "postgres://app:" + secret + "@no-such-host.invalid/flowhq", []string{`"no-such-host.invalid"`, "host name"}},
		{"no socket", "host=/nonexistent user=app password=" + secret + " dbname=flowhq", []string{"nothing answers at the socket in /nonexistent"}},
		{"wrong password", s.url("app", secret+"x", "postgres"), []string{"refused the password", `"app"`}},
		{"no such user", s.url("nobody", secret, "postgres"), []string{"password", `"nobody"`}},
		{"may not log in", s.url("barred", secret, "postgres"), []string{"does not let user", `"barred"`}},
		{"no such database", s.url("app", secret, "nowhere"), []string{`no database "nowhere"`, `CREATE DATABASE "nowhere" OWNER "app"`}},
		{"may not connect", s.url("app", secret, "closed"), []string{"GRANT CONNECT"}},
		{"no connection left", s.url("app", secret, "crowded"), []string{"no connection left"}},
		{"no TLS there", strings.Replace(s.url("app", secret, "postgres"), "disable", "require", 1), []string{"does not offer TLS", "sslmode"}},
		{"certificate missing", s.url("app", secret, "postgres") + "&sslrootcert=/nonexistent.pem", []string{"sslrootcert"}},
		{"not UTF8", s.url("app", secret, "latin"), []string{"LATIN1", "UTF8"}},
		{"too old", fakeServer(t, "13.9"), []string{"PostgreSQL 13.9", "14"}},
		{"not Postgres", notPostgres(t), []string{"does not speak"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, err := openURL(t.Context(), test.url)
			if err == nil {
				_ = db.Close(t.Context())
			}
			isOneLine(t, err, append(test.words, "DATABASE_URL")...)
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the password is in: %s", err)
			}
			if _, ok := errors.AsType[*database.Error](err); !ok {
				t.Errorf("%T is not a *database.Error", err)
			}
		})
	}
}

// fakeServer lets everybody in and says it is of the given version: the one thing no installed server can do.
func fakeServer(t *testing.T, version string) string {
	return listen(t, func(conn net.Conn) {
		backend := pgproto3.NewBackend(conn, conn)
		if _, err := backend.ReceiveStartupMessage(); err != nil {
			return
		}
		backend.Send(&pgproto3.AuthenticationOk{})
		backend.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: version})
		backend.Send(&pgproto3.ParameterStatus{Name: "server_encoding", Value: "UTF8"})
		backend.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}})
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if backend.Flush() != nil {
			return
		}
		_, _ = backend.Receive() // until the client leaves
	})
}

func notPostgres(t *testing.T) string {
	return listen(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1024))
		_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	})
}

func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	return "postgres://app:" + secret + "@" + listener.Addr().String() + "/flowhq?sslmode=disable"
}

// The portal role is set up by whoever may; where the login role may not, portal requests go on as the login role itself.
func TestLoginRoles(t *testing.T) {
	s := startTCPServer(t)
	s.exec(t, "postgres", "DROP ROLE flowhq_portal",
		"CREATE ROLE creator LOGIN CREATEROLE PASSWORD '"+secret+"'", "CREATE ROLE plain LOGIN PASSWORD '"+secret+"'",
		"CREATE DATABASE creator OWNER creator", "CREATE DATABASE plain OWNER plain", "CREATE DATABASE super", "CREATE DATABASE foreign_owner")

	migrate := func(t *testing.T, url string) (*database.Database, error) {
		db, err := openURL(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { mustClose(t, db) })
		return db, db.Migrate(t.Context())
	}
	works := func(t *testing.T, url, want string) {
		t.Helper()
		db, err := migrate(t, url)
		if err != nil {
			t.Fatal(err)
		}
		var role string
		err = db.InTenant(t.Context(), uuid.New(), func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT current_user").Scan(&role)
		})
		if err != nil || role != want {
			t.Fatalf("portal transactions run as %q, %v; want %q", role, err, want)
		}
	}

	// Two databases of one server, each in its own mode.
	works(t, s.url("plain", secret, "plain"), "plain")
	works(t, s.url("creator", secret, "creator"), "flowhq_portal")
	works(t, s.url("plain", secret, "plain"), "plain") // the role is there now, but not for this login
	works(t, s.url("creator", secret, "creator"), "flowhq_portal")
	s.exec(t, "postgres", "GRANT flowhq_portal TO plain")
	works(t, s.url("plain", secret, "plain"), "flowhq_portal")
	works(t, s.url("postgres", "", "super"), "flowhq_portal")

	// There is no way back to forced policies.
	s.exec(t, "postgres", "REVOKE flowhq_portal FROM plain")
	_, err := migrate(t, s.url("plain", secret, "plain"))
	isOneLine(t, err, "DATABASE_URL", `GRANT flowhq_portal TO "plain";`)
	s.exec(t, "postgres", "GRANT flowhq_portal TO plain")

	// Policies, forced or not, mean nothing to this one.
	s.exec(t, "postgres", "CREATE ROLE strong LOGIN BYPASSRLS PASSWORD '"+secret+"'", "CREATE DATABASE strong OWNER strong")
	_, err = migrate(t, s.url("strong", secret, "strong"))
	isOneLine(t, err, "DATABASE_URL", "bypasses row-level security", `GRANT flowhq_portal TO "strong";`)
	s.exec(t, "postgres", "GRANT flowhq_portal TO strong")
	works(t, s.url("strong", secret, "strong"), "flowhq_portal")

	_, err = migrate(t, s.url("plain", secret, "foreign_owner"))
	isOneLine(t, err, "may not create tables", `ALTER DATABASE "foreign_owner" OWNER TO "plain";`)

	s.exec(t, "postgres", "ALTER ROLE flowhq_portal BYPASSRLS")
	_, err = migrate(t, s.url("plain", secret, "plain"))
	isOneLine(t, err, "row-level security", "ALTER ROLE flowhq_portal")
}

// What is allowed is whatever leaves the least; who takes it is told apart by the names of connections.
func TestConnections(t *testing.T) {
	s := startTCPServer(t)
	s.exec(t, "postgres", "CREATE ROLE app LOGIN PASSWORD '"+secret+"'", "CREATE ROLE limited LOGIN CONNECTION LIMIT 7 PASSWORD '"+secret+"'",
		"CREATE DATABASE small CONNECTION LIMIT 9 OWNER app")
	open := func(user, base, name string) *database.Database {
		t.Helper()
		db, err := database.Open(t.Context(), database.Options{URL: s.url(user, secret, base), Name: name, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { mustClose(t, db) })
		return db
	}
	for _, test := range []struct {
		user, base string
		allowed    int
	}{{"app", "postgres", 97}, {"limited", "postgres", 7}, {"app", "small", 9}} {
		c, err := open(test.user, test.base, "").Connections(t.Context())
		if err != nil || c.Allowed != test.allowed || c.Others != 0 || len(c.Processes) != 0 {
			t.Errorf("%s on %s: %+v, %v", test.user, test.base, c, err)
		}
	}
	// A web process, two workers, and somebody else, who is no process of ours whatever it is called in another database.
	open("app", "small", database.ProcessName("web", "a:1"))
	open("app", "small", database.ProcessName("worker", "a:2"))
	worker := open("app", "small", database.ProcessName("worker", "b:2")+" with a name that is longer than Postgres keeps")
	open("app", "postgres", database.ProcessName("worker", "c:9"))
	stranger, err := pgx.Connect(t.Context(), s.url("app", secret, "small"))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close(t.Context())
	c, err := worker.Connections(t.Context())
	if err != nil || c.Others != 1 || c.Allowed != 9 || c.Processes["web"] != 1 || c.Processes["worker"] != 2 {
		t.Errorf("on small: %+v, %v", c, err)
	}
}

func TestPassing(t *testing.T) {
	s := startTCPServer(t)
	s.exec(t, "postgres", "CREATE ROLE app LOGIN PASSWORD '"+secret+"'", "CREATE DATABASE crowded CONNECTION LIMIT 0")
	for name, test := range map[string]struct {
		url  string
		want bool
	}{
		"nothing there":    {"postgres://app@127.0.0.1:1/none?sslmode=disable", true},
		"no socket yet":    {"host=/nonexistent user=app dbname=flowhq", true},
		"no connection":    {s.url("app", secret, "crowded"), true},
		"closes the door":  {listen(t, func(net.Conn) {}), true},
		"wrong password":   {s.url("app", secret+"x", "postgres"), false},
		"no such database": {s.url("app", secret, "nowhere"), false},
		"too old":          {fakeServer(t, "13.9"), false},
		"no address":       {"my database", false},
	} {
		db, err := openURL(t.Context(), test.url)
		if err == nil {
			_ = db.Close(t.Context())
		}
		if database.Passing(err) != test.want {
			t.Errorf("%s: passing is %v, want %v: %v", name, !test.want, test.want, err)
		}
	}
}
