package main

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailbox is a mail server on loopback that keeps what it gets.
type mailbox struct {
	t       *testing.T
	address string

	mu   sync.Mutex
	got  []letter
	more chan struct{}
}

// letter is one mail, as a person reads it.
type letter struct{ to, subject, text, page string }

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailbox{t: t, address: listener.Addr().String(), more: make(chan struct{})}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go m.serve(c)
		}
	}()
	return m
}

// serve speaks as much SMTP (RFC 5321) as a client needs to hand over a mail.
func (m *mailbox) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	to := ""
	say("220 mailbox.test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO", "HELO", "MAIL", "RSET", "NOOP":
			say("250 ok")
		case "RCPT":
			to = line[strings.Index(line, "<")+1 : strings.Index(line, ">")]
			say("250 ok")
		case "DATA":
			say("354 go on")
			var raw bytes.Buffer
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				raw.WriteString(strings.TrimPrefix(line, "."))
			}
			m.keep(to, raw.Bytes())
			say("250 kept")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 not known")
		}
	}
}

func (m *mailbox) keep(to string, raw []byte) {
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		m.t.Errorf("not a mail: %v", err)
		return
	}
	l := letter{to: to}
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		m.t.Error(err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		m.t.Error(err)
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			break
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil || part.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			m.t.Errorf("a part cannot be read: %v %v", part.Header, err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.page = string(body)
		} else {
			l.text = string(body)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, l)
	close(m.more)
	m.more = make(chan struct{})
}

// wait gives the first mail to somebody with this subject, once it has come, and takes it out of the box.
func (m *mailbox) wait(to, subject string) letter {
	m.t.Helper()
	timeout := time.After(2 * patience)
	for {
		m.mu.Lock()
		for i, l := range m.got {
			if l.to == to && l.subject == subject {
				m.got = append(m.got[:i:i], m.got[i+1:]...)
				m.mu.Unlock()
				return l
			}
		}
		got, more := m.got, m.more
		m.mu.Unlock()
		select {
		case <-more:
		case <-timeout:
			m.t.Fatalf("no mail %q to %s; there are %+v", subject, to, got)
		}
	}
}

var linkInMail = regexp.MustCompile(`http://\S+`)

// link is where the mail's button leads; both forms of the mail must say the same.
func (m *mailbox) link(l letter) string {
	m.t.Helper()
	link := linkInMail.FindString(l.text)
	if link == "" || !strings.Contains(l.page, `href="`+link+`"`) {
		m.t.Fatalf("the mail has no link, or two: %+v", l)
	}
	return link
}
