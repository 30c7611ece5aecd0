package jobs

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"flowhq/queries"
	"flowhq/queries/settings"
	"flowhq/templates/words"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/wneessen/go-mail"
)

// Kinds of mails; each has its words in the group mail.<kind> of templates/words/locales.
const (
	MailSignUp        = "sign_up"        // to an address that has no account yet
	MailKnown         = "known"          // to one that has, and that somebody signed up with
	MailReset         = "reset"          // a new password
	MailInvite        = "invite"         // to new staff
	MailChangeEmail   = "change_email"   // to the new address
	MailEmailChanging = "email_changing" // to the old one
	MailSetupNew      = "setup_new"      // to the operator
	MailSetupSent     = "setup_sent"
	MailSetupApproved = "setup_approved"
	MailSetupRejected = "setup_rejected"
	MailSetupActive   = "setup_active"
	MailClosing       = "closing"
	MailClosingSoon   = "closing_soon"
)

// Mail is one mail to one person. Secrets are not part of it: a single-use link gets its token when it is mailed.
type Mail struct {
	Kind     string     `json:"kind"`
	To       string     `json:"to"`
	Name     string     `json:"name"`
	Lang     string     `json:"lang"`
	Business string     `json:"business,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Link     *uuid.UUID `json:"link,omitempty"` // one_time_links.id
	Path     string     `json:"path,omitempty"` // where the button leads, without a link
}

// MailSend hands one mail to the mail server.
type MailSend struct {
	Mail Mail `json:"mail"`
}

// Kind names the job in River's tables.
func (MailSend) Kind() string { return "mail_send" }

// mailAttempts spread over about three hours: a mail server that is away for lunch loses nothing.
const mailAttempts = 10

// mailSendWorker: without a mail server nothing leaves; links are logged, and admins find them on their page of links.
type mailSendWorker struct {
	river.WorkerDefaults[MailSend]
	db       *pgxpool.Pool
	log      *slog.Logger
	settings *settings.Store
	links    string
}

func (w *mailSendWorker) Work(ctx context.Context, job *river.Job[MailSend]) error {
	m, now := job.Args.Mail, w.settings.Now()
	address := w.links + m.Path
	if m.Link != nil {
		path, _, err := RenewLink(ctx, queries.New(w.db), *m.Link)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // used, replaced or ended meanwhile: there is nothing to say any more
		}
		if err != nil {
			return err
		}
		address = w.links + path
	}
	text := m.words(address)
	if !now.MailOn() {
		w.log.Info("no mail server is set, so this mail is not sent", "to", m.To, "subject", text.Subject, "link", address)
		return nil
	}
	message, err := text.message(now, m.Name, m.To)
	if err != nil {
		return river.JobCancel(err)
	}
	client, err := mailClient(now.MailServer)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, message)
}

// mailText is what a mail says, in the person's language.
type mailText struct {
	Lang, Subject, Hello, Body, Button, Address, Foot string
}

func (m Mail) words(address string) mailText {
	group := "mail." + m.Kind + "."
	return mailText{
		Lang: m.Lang, Subject: words.T(m.Lang, group+"subject", "business", m.Business), Hello: words.T(m.Lang, "mail.hello", "name", m.Name),
		Body:   words.T(m.Lang, group+"body", "business", m.Business, "reason", m.Reason, "to", m.To),
		Button: words.T(m.Lang, group+"button"), Address: address, Foot: words.T(m.Lang, "mail.foot"),
	}
}

//go:embed mail.html
var mailHTML embed.FS

var mailPage = template.Must(template.ParseFS(mailHTML, "mail.html"))

// message gives the mail as plain text and as simple HTML.
func (t mailText) message(now settings.Values, name, to string) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithCharset(mail.CharsetUTF8))
	if err := msg.From(now.MailFrom); err != nil {
		return nil, fmt.Errorf("the sender of mails: %w", err)
	}
	if err := msg.AddToFormat(name, to); err != nil {
		return nil, fmt.Errorf("mail to %s: %w", to, err)
	}
	msg.Subject(t.Subject)
	msg.SetMessageID()
	msg.SetDate()
	plain := t.Hello + "\n\n" + t.Body + "\n"
	if t.Address != "" {
		plain += "\n" + t.Button + ":\n" + t.Address + "\n"
	}
	if t.Foot != "" {
		plain += "\n" + t.Foot + "\n"
	}
	msg.SetBodyString(mail.TypeTextPlain, plain+"\n"+now.ProductName+"\n")
	palette, err := settings.NewPalette(now.Accent)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := mailPage.Execute(&page, struct {
		mailText
		Product, Accent string
	}{t, now.ProductName, palette.Accent.Light}); err != nil {
		return nil, err
	}
	msg.AddAlternativeString(mail.TypeTextHTML, page.String())
	return msg, nil
}

// mailClient speaks to the server that the settings name: smtps encrypts from the start; smtp must switch to encryption where
// it signs in, and does so elsewhere if the server can.
func mailClient(server string) (*mail.Client, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, errors.New("the mail server is not an address") // it may hold a password
	}
	options := []mail.Option{mail.WithTimeout(30 * time.Second)}
	user := u.User.Username()
	password, _ := u.User.Password()
	switch {
	case u.Scheme == "smtps":
		options = append(options, mail.WithSSLPort(false))
	case user != "":
		options = append(options, mail.WithTLSPortPolicy(mail.TLSMandatory))
	default:
		options = append(options, mail.WithTLSPortPolicy(mail.TLSOpportunistic))
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		options = append(options, mail.WithPort(port))
	}
	if user != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(user), mail.WithPassword(password))
	}
	return mail.NewClient(u.Hostname(), options...)
}

// SendTestMail hands a mail that only says it arrived to the mail server, at once, and gives back what that says.
func SendTestMail(ctx context.Context, now settings.Values, name, to string) error {
	text := mailText{
		Lang: words.English, Subject: "Test mail from " + now.ProductName, Hello: words.T(words.English, "mail.hello", "name", name),
		Body: "This is a test: the settings for mail work. Nothing else needs to be done.",
	}
	message, err := text.message(now, name, to)
	if err != nil {
		return err
	}
	client, err := mailClient(now.MailServer)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, message)
}

// linkPaths are where single-use links lead, by their purpose.
var linkPaths = map[queries.LinkPurpose]string{
	queries.LinkPurposeADMINSETUP: "/setup/", queries.LinkPurposeSETPASSWORD: "/invite/", queries.LinkPurposeSIGNUP: "/verify/",
	queries.LinkPurposeRESETPASSWORD: "/reset/", queries.LinkPurposeCHANGEEMAIL: "/email/",
}

// randomHash is that of a token nobody knows.
func randomHash() []byte {
	var raw [sha256.Size]byte
	rand.Read(raw[:])
	return raw[:]
}

// RenewLink gives a single-use link a fresh token and returns its path with it, to be shown or mailed once: only its hash is
// kept. pgx.ErrNoRows: the link was used or has ended.
func RenewLink(ctx context.Context, q *queries.Queries, id uuid.UUID) (path string, ends time.Time, err error) {
	var raw [32]byte
	rand.Read(raw[:])
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	hash := sha256.Sum256([]byte(token))
	row, err := q.RenewLink(ctx, queries.RenewLinkParams{ID: id, TokenHash: hash[:]})
	return linkPaths[row.Purpose] + token, row.ExpiresAt, err
}

// Mail orders a mail in the caller's transaction.
func (c *Commands) Mail(ctx context.Context, tx pgx.Tx, m Mail) error {
	_, err := c.river.InsertTx(ctx, tx, MailSend{Mail: m}, &river.InsertOpts{MaxAttempts: mailAttempts})
	if err != nil {
		return fmt.Errorf("order a mail: %w", err)
	}
	return nil
}
