package simulator

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/curve25519"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// linkCodeRounds is PBKDF2's work factor in WhatsApp's linking by code.
const linkCodeRounds = 2 << 16

// linkAttempt is a client that asked to be linked by code.
type linkAttempt struct {
	conn     *conn
	ref      string
	wrapped  []byte // salt, iv and the client's ephemeral key, locked with the code
	finished chan linkFinish
}

type linkFinish struct {
	bundle, identity []byte
	reply            func(ok bool)
}

// displayName is what WhatsApp accepts as the name of a device linked by code: Browser (OS).
var displayName = regexp.MustCompile(`^(Chrome|Firefox|Safari|Edge|Opera|IE|Internet Explorer) \([A-Za-z][A-Za-z0-9 ]*\)$`)

var codePattern = regexp.MustCompile(`^[1-9A-HJ-NP-TV-Z]{8}$`)

// linkCodeQuery handles both stages of a client that links by code.
func (c *conn) linkCodeQuery(n *waBinary.Node) {
	request := n.GetChildByTag("link_code_companion_reg")
	if c.reg == nil {
		c.replyError(n, 400, "bad-request")
		return
	}
	number := jidOf(request.Attrs["jid"]).User
	switch request.Attrs["stage"] {
	case "companion_hello":
		c.linkHello(n, &request, number)
	case "companion_finish":
		c.s.mu.Lock()
		attempt := c.s.linking[number]
		c.s.mu.Unlock()
		bundle, identity := childBytes(&request, "link_code_pairing_wrapped_key_bundle"), childBytes(&request, "companion_identity_public")
		if attempt == nil || attempt.conn != c || len(bundle) < 44 || len(identity) != 32 {
			c.replyError(n, 400, "bad-request")
			return
		}
		node := *n
		select {
		case attempt.finished <- linkFinish{slices.Clone(bundle), slices.Clone(identity), func(ok bool) {
			if ok {
				c.reply(&node)
			} else {
				c.replyError(&node, 400, "bad-request")
			}
		}}:
		default:
			c.replyError(n, 409, "conflict")
		}
	default:
		c.replyError(n, 400, "bad-request")
	}
}

func (c *conn) linkHello(n, request *waBinary.Node, number string) {
	name := string(childBytes(request, "companion_platform_display"))
	wrapped := childBytes(request, "link_code_pairing_wrapped_companion_ephemeral_pub")
	number, err := cleanNumber(number)
	if err != nil || len(wrapped) != 80 || !displayName.MatchString(name) {
		c.replyError(n, 400, "bad-request")
		return
	}
	attempt := &linkAttempt{conn: c, ref: newStanzaID(), wrapped: slices.Clone(wrapped), finished: make(chan linkFinish, 1)}
	c.s.mu.Lock()
	c.reg.phone, c.reg.platform = number, name
	c.s.linking[number] = attempt
	c.s.mu.Unlock()
	c.reply(n, waBinary.Node{Tag: "link_code_companion_reg", Attrs: waBinary.Attrs{"stage": "companion_hello"},
		Content: []waBinary.Node{{Tag: "link_code_pairing_ref", Content: []byte(attempt.ref)}}})
}

func childBytes(n *waBinary.Node, tag string) []byte {
	child := n.GetChildByTag(tag)
	switch v := child.Content.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

// ErrNoLinkRequest means that no waiting client asked for a code for this number.
var ErrNoLinkRequest = errors.New("no client is waiting to be linked to this number by code")

// LinkCode lets the phone with this number enter the code a client shows, with or without its dash. It returns the
// linked device when the client has confirmed. A wrong code shows as an error after the exchange, as on a real phone.
func (s *Server) LinkCode(ctx context.Context, number, code string) (DeviceInfo, error) {
	number, err := cleanNumber(number)
	if err != nil {
		return DeviceInfo{}, err
	}
	code = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	if !codePattern.MatchString(code) {
		return DeviceInfo{}, fmt.Errorf("%q is not a linking code: eight letters and digits", code)
	}
	s.mu.Lock()
	attempt := s.linking[number]
	s.mu.Unlock()
	if attempt == nil {
		return DeviceInfo{}, ErrNoLinkRequest
	}
	ctx, cancel := context.WithTimeout(ctx, pairTimeout)
	defer cancel()
	p := s.phones.get(number)
	theirs, err := codeCipher(code, attempt.wrapped)
	if err != nil {
		return DeviceInfo{}, err
	}
	ours := keys.NewKeyPair()
	wrapped := make([]byte, 80)
	_, _ = rand.Read(wrapped[:48])
	copy(wrapped[48:], ours.Pub[:])
	sealed, err := codeCipher(code, wrapped)
	if err != nil {
		return DeviceInfo{}, err
	}
	copy(wrapped[48:], sealed)
	c := attempt.conn
	c.send(waBinary.Node{Tag: "notification", Attrs: waBinary.Attrs{"from": types.ServerJID, "type": "link_code_companion_reg", "id": newStanzaID(), "t": time.Now().Unix()},
		Content: []waBinary.Node{{Tag: "link_code_companion_reg", Attrs: waBinary.Attrs{"stage": "primary_hello"}, Content: []waBinary.Node{
			{Tag: "link_code_pairing_ref", Content: []byte(attempt.ref)},
			{Tag: "link_code_pairing_wrapped_primary_ephemeral_pub", Content: wrapped},
			{Tag: "primary_identity_pub", Content: p.identity.Pub[:]},
		}}}})
	var finish linkFinish
	select {
	case finish = <-attempt.finished:
	case <-c.done:
		return DeviceInfo{}, errors.New("the client went away while it was being linked")
	case <-ctx.Done():
		return DeviceInfo{}, fmt.Errorf("the client did not answer the code: %w", ctx.Err())
	}
	secret, err := linkSecret(p, ours, theirs, finish)
	finish.reply(err == nil)
	if err != nil {
		return DeviceInfo{}, err
	}
	s.mu.Lock()
	if s.linking[number] == attempt {
		delete(s.linking, number)
	}
	s.mu.Unlock()
	return c.link(ctx, p, secret)
}

// codeCipher locks or unlocks (it is the same) the key behind a salt and an iv with the linking code.
func codeCipher(code string, wrapped []byte) ([]byte, error) {
	key, err := pbkdf2.Key(sha256.New, code, wrapped[:32], linkCodeRounds, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 32)
	cipher.NewCTR(block, wrapped[32:48]).XORKeyStream(out, wrapped[48:80])
	return out, nil
}

// linkSecret opens the client's key bundle and derives the secret that authenticates the link.
func linkSecret(p *phone, ours *keys.KeyPair, theirs []byte, finish linkFinish) ([]byte, error) {
	wrong := errors.New("the code does not match the one the client shows")
	ephemeral, err := curve25519.X25519(ours.Priv[:], theirs)
	if err != nil {
		return nil, wrong
	}
	key, err := hkdf.Key(sha256.New, ephemeral, finish.bundle[:32], "link_code_pairing_key_bundle_encryption_key", 32)
	if err != nil {
		return nil, err
	}
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, finish.bundle[32:44], finish.bundle[44:], nil)
	if err != nil || len(plain) != 96 {
		return nil, wrong
	}
	if !slices.Equal(plain[:32], finish.identity) || !slices.Equal(plain[32:64], p.identity.Pub[:]) {
		return nil, errors.New("the client's key bundle names other keys")
	}
	shared, err := curve25519.X25519(p.identity.Priv[:], finish.identity)
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, slices.Concat(ephemeral, shared, plain[64:]), nil, "adv_secret", 32)
}
