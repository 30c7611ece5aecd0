package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"flowhq/queries/settings"
)

// config is everything the environment and the flags of `flowhq serve` decide. readConfig has checked it.
type config struct {
	DatabaseURL  string
	DatabaseWait time.Duration // for one that cannot be reached when a server starts
	Connections  int           // to it, of a process at most; 0: what its role needs
	DataDir      string
	Role         string // all, web or worker
	Listen       string
	PublicURL    string // without a trailing slash; "": derived from the address that is listened on
	LogLevel     slog.Level
	LogJSON      bool
	LogDays      int    // how long the database keeps entries of the log; 0: it gets none
	ProcessName  string // of a server, unlike all others'; "": a command

	TrustedProxies   []netip.Prefix
	MetricsToken     string
	PortalKey        string
	SMTPURL          string // "": nothing is mailed, links are shown to the admin
	MailFrom         string
	RepliesPerMinute int // 0: no limit
	Heartbeat        time.Duration
	StaleThreshold   time.Duration
	StaleInterval    time.Duration
	Fixed            map[string]string // columns of the table settings that the environment decides, and the variable that does
	Shards           int
	Lease            time.Duration

	WhatsAppURL     string // "": WhatsApp itself
	WhatsAppRootKey [32]byte
}

// settingError is one readable line that names the setting and the remedy; the process ends with status 2.
type settingError struct{ line string }

func (e *settingError) Error() string { return e.line }

func badSetting(name, value, remedy string) error {
	return &settingError{fmt.Sprintf("%s=%q is not valid: %s", name, value, remedy)}
}

// roles a process can have.
const (
	roleAll    = "all"
	roleWeb    = "web"
	roleWorker = "worker"
)

// readConfig reads and checks the environment; flags that are not "" win over it.
func readConfig(getenv func(string) string, role, listen, dataDir string) (config, error) {
	c := config{
		DatabaseURL: getenv("DATABASE_URL"), DataDir: first(dataDir, getenv("FLOWHQ_DATA"), "./data"),
		Role: first(role, roleAll), MetricsToken: getenv("METRICS_TOKEN"), PortalKey: getenv("PORTAL_INTERNAL_KEY"), WhatsAppURL: getenv("WHATSAPP_URL"),
	}
	var errs []error
	check := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if c.Role != roleAll && c.Role != roleWeb && c.Role != roleWorker {
		check(badSetting("--role", c.Role, "choose all, web or worker"))
	}
	check(c.readListen(getenv, listen))
	check(c.readPublicURL(getenv("PUBLIC_URL")))
	check(c.readLog(getenv))
	check(c.readProxies(getenv("TRUSTED_PROXIES")))
	number := func(target *int, name string, fallback, least, most int) {
		*target = fallback
		if v := getenv(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < least || n > most {
				check(badSetting(name, v, fmt.Sprintf("use a whole number from %d to %d", least, most)))
			}
			*target = n
		}
	}
	duration := func(target *time.Duration, name string, fallback, least time.Duration) {
		*target = fallback
		if v := getenv(name); v != "" {
			d, err := time.ParseDuration(v)
			if err != nil || d < least || d > 24*time.Hour {
				check(badSetting(name, v, fmt.Sprintf("use a duration such as %s, from %s to 24h", fallback, least)))
			}
			*target = d
		}
	}
	number(&c.RepliesPerMinute, "RATE_LIMIT_MAX_PER_MINUTE", 30, 0, 100000)
	number(&c.Shards, "FLOWHQ_SHARDS", 16, 1, 1024)
	number(&c.Connections, "FLOWHQ_DB_CONNECTIONS", 0, minBudget, 1000)
	number(&c.LogDays, "LOG_RETENTION_DAYS", 7, 0, 365)
	duration(&c.DatabaseWait, "FLOWHQ_DB_WAIT", time.Minute, 0)
	duration(&c.Heartbeat, "HEARTBEAT_INTERVAL", 15*time.Second, 100*time.Millisecond)
	duration(&c.StaleThreshold, "STALE_THRESHOLD", 2*time.Minute, 300*time.Millisecond)
	duration(&c.StaleInterval, "STALE_CHECK_INTERVAL", 30*time.Second, time.Second)
	duration(&c.Lease, "FLOWHQ_LEASE", 30*time.Second, time.Second)
	if c.StaleThreshold < 2*c.Heartbeat {
		check(badSetting("STALE_THRESHOLD", c.StaleThreshold.String(), "make it at least twice HEARTBEAT_INTERVAL ("+c.Heartbeat.String()+"), or healthy workers are restarted"))
	}
	check(c.readWhatsApp(getenv("WHATSAPP_ROOT_KEY")))
	c.SMTPURL, c.MailFrom = getenv("SMTP_URL"), getenv("MAIL_FROM")
	check(c.checkMail())
	c.Fixed = map[string]string{}
	for column, name := range map[string]string{
		"replies_per_minute": "RATE_LIMIT_MAX_PER_MINUTE", "heartbeat_seconds": "HEARTBEAT_INTERVAL", "stale_after_seconds": "STALE_THRESHOLD",
		"stale_check_seconds": "STALE_CHECK_INTERVAL", "keep_logs_days": "LOG_RETENTION_DAYS", "mail_host": "SMTP_URL",
	} {
		if getenv(name) != "" {
			c.Fixed[column] = name
		}
	}
	return c, errors.Join(errs...)
}

// settings are what is in force where the operator decides nothing on the settings page.
func (c *config) settings() settings.Values {
	v := settings.Defaults()
	v.MailServer, v.MailFrom, v.RepliesPerMinute = c.SMTPURL, c.MailFrom, c.RepliesPerMinute
	v.Heartbeat, v.StaleAfter, v.StaleCheck, v.Keep.Logs = c.Heartbeat, c.StaleThreshold, c.StaleInterval, c.LogDays
	return v
}

func (c *config) readListen(getenv func(string) string, flag string) error {
	name, value := "--listen", flag
	if value == "" {
		if port := getenv("PORT"); port != "" {
			name, value = "PORT", "0.0.0.0:"+port
		} else {
			value = "127.0.0.1:8080"
		}
	}
	c.Listen = value
	_, port, err := net.SplitHostPort(value)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		return badSetting(name, strings.TrimPrefix(value, "0.0.0.0:"), "use an address such as 127.0.0.1:8080 (PORT: a number up to 65535)")
	}
	return nil
}

func (c *config) readPublicURL(v string) error {
	c.PublicURL = strings.TrimSuffix(v, "/")
	if v == "" {
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != "" || u.RawQuery != "" {
		return badSetting("PUBLIC_URL", v, "use the address people open, such as https://bots.example.com")
	}
	return nil
}

func (c *config) readLog(getenv func(string) string) error {
	if v := getenv("LOG_LEVEL"); v != "" {
		if err := c.LogLevel.UnmarshalText([]byte(v)); err != nil {
			return badSetting("LOG_LEVEL", v, "choose debug, info, warn or error")
		}
	}
	switch v := getenv("LOG_FORMAT"); v {
	case "":
		c.LogJSON = !term.IsTerminal(int(os.Stderr.Fd()))
	case "text", "json":
		c.LogJSON = v == "json"
	default:
		return badSetting("LOG_FORMAT", v, "choose text or json")
	}
	return nil
}

func (c *config) readProxies(v string) error {
	for p := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := netip.ParsePrefix(p)
		if err != nil {
			address, err := netip.ParseAddr(p)
			if err != nil {
				return badSetting("TRUSTED_PROXIES", p, "list addresses or networks such as 10.0.0.0/8, separated by commas")
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		c.TrustedProxies = append(c.TrustedProxies, network)
	}
	return nil
}

// checkMail: links in mails lead to PUBLIC_URL, so a process that is not the only one must know it.
func (c *config) checkMail() error {
	smtp, from := c.SMTPURL, c.MailFrom
	if smtp != "" {
		u, err := url.Parse(smtp)
		if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" {
			return &settingError{"SMTP_URL is not valid: use an address such as smtp://user:password@mail.example.com:587"} // it may hold a password
		}
	}
	if smtp != "" && from == "" {
		return &settingError{"MAIL_FROM is not set: mails need a sender such as Flow HQ <hq@example.com>"}
	}
	if smtp != "" && c.PublicURL == "" && c.Role != roleAll {
		return &settingError{"PUBLIC_URL is not set: links in mails need the address people open, such as https://bots.example.com"}
	}
	if from != "" {
		if _, err := mail.ParseAddress(from); err != nil {
			return badSetting("MAIL_FROM", from, "use an address such as Flow HQ <hq@example.com>")
		}
	}
	return nil
}

func (c *config) readWhatsApp(rootKey string) error {
	if c.WhatsAppURL == "" {
		if rootKey != "" {
			return &settingError{"WHATSAPP_ROOT_KEY is set without WHATSAPP_URL: set both, or neither to reach WhatsApp itself"}
		}
		return nil
	}
	u, err := url.Parse(c.WhatsAppURL)
	if err != nil || u.Scheme != "ws" || u.Port() == "" {
		return badSetting("WHATSAPP_URL", c.WhatsAppURL, "use a simulator's address such as ws://127.0.0.1:7000/ws/chat")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.IsLoopback() {
		return badSetting("WHATSAPP_URL", c.WhatsAppURL, "its host must be a loopback address such as 127.0.0.1; unset it to reach WhatsApp itself")
	}
	key, err := hex.DecodeString(rootKey)
	if err != nil || len(key) != len(c.WhatsAppRootKey) {
		return badSetting("WHATSAPP_ROOT_KEY", rootKey, "use the 64 hex digits that the simulator prints and serves at /root-key")
	}
	copy(c.WhatsAppRootKey[:], key)
	return nil
}

func (c *config) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindDuration { // JSON would show nanoseconds
			a.Value = slog.StringValue(a.Value.Duration().Round(time.Microsecond).String())
		}
		return a
	}}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// quiet passes on warnings and worse: for libraries whose news are not ours.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }
