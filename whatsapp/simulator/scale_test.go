package simulator

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/socket"
	"go.mau.fi/whatsmeow/util/keys"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// bareClient speaks the transport with whatsmeow's own socket package and nothing above it: it stands for a client
// where hundreds are needed.
type bareClient struct {
	noise *socket.NoiseSocket
	nodes chan *waBinary.Node
}

func (b *bareClient) send(t *testing.T, n waBinary.Node) {
	raw, err := waBinary.Marshal(n)
	if err == nil {
		err = b.noise.SendFrame(t.Context(), raw)
	}
	if err != nil {
		t.Error(err)
	}
}

// next returns the next node with this tag.
func (b *bareClient) next(t *testing.T, tag string) *waBinary.Node {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case n := <-b.nodes:
			if n.Tag == tag {
				return n
			}
		case <-limit:
			t.Fatalf("no %s node after 30 s", tag)
		}
	}
}

// linkBare puts a device into the books without a pairing.
func linkBare(s *Server, number string) (*device, *keys.KeyPair) {
	p := s.phones.get(number)
	d := newDevice(s, p, 1)
	noise, identity := keys.NewKeyPair(), keys.NewKeyPair()
	signed := identity.CreateSignedPreKey(1)
	d.noise, d.identity, d.regID = *noise.Pub, *identity.Pub, 77
	d.signed = publicKey{ID: 1, Pub: *signed.Pub, Signature: *signed.Signature}
	d.bootstrapped, d.warnedLow = true, true
	p.mu.Lock()
	p.devices = map[uint16]*device{1: d}
	p.mu.Unlock()
	return d, noise
}

func loginBare(t *testing.T, s *Server, d *device, static *keys.KeyPair) (*bareClient, error) {
	hc, err := HTTPClient(s.URL())
	if err != nil {
		return nil, err
	}
	fs := socket.NewFrameSocket(waLog.Noop, hc)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		fs.Close(1000)
		cancel()
		hc.CloseIdleConnections()
	})
	if err := fs.Connect(ctx); err != nil {
		return nil, err
	}
	nh, ephemeral := socket.NewNoiseHandshake(), keys.NewKeyPair()
	nh.Start(socket.NoiseStartPattern, fs.Header)
	nh.Authenticate(ephemeral.Pub[:])
	hello, _ := proto.Marshal(&waWa6.HandshakeMessage{ClientHello: &waWa6.HandshakeMessage_ClientHello{Ephemeral: ephemeral.Pub[:]}})
	if err := fs.SendFrame(hello); err != nil {
		return nil, err
	}
	var answer waWa6.HandshakeMessage
	select {
	case raw := <-fs.Frames:
		if err := proto.Unmarshal(raw, &answer); err != nil {
			return nil, err
		}
	case <-time.After(30 * time.Second):
		return nil, fmt.Errorf("no server hello")
	}
	theirs := [32]byte(answer.GetServerHello().GetEphemeral())
	nh.Authenticate(theirs[:])
	if err := nh.MixSharedSecretIntoKey(*ephemeral.Priv, theirs); err != nil {
		return nil, err
	}
	server, err := nh.Decrypt(answer.GetServerHello().GetStatic())
	if err != nil {
		return nil, err
	}
	if err := nh.MixSharedSecretIntoKey(*ephemeral.Priv, [32]byte(server)); err != nil {
		return nil, err
	}
	if _, err := nh.Decrypt(answer.GetServerHello().GetPayload()); err != nil {
		return nil, err
	}
	sealed := nh.Encrypt(static.Pub[:])
	if err := nh.MixSharedSecretIntoKey(*static.Priv, theirs); err != nil {
		return nil, err
	}
	var number uint64
	_, _ = fmt.Sscan(d.owner.number, &number)
	payload, _ := proto.Marshal(&waWa6.ClientPayload{Username: proto.Uint64(number), Device: proto.Uint32(uint32(d.id))})
	finish, _ := proto.Marshal(&waWa6.HandshakeMessage{ClientFinish: &waWa6.HandshakeMessage_ClientFinish{Static: sealed, Payload: nh.Encrypt(payload)}})
	if err := fs.SendFrame(finish); err != nil {
		return nil, err
	}
	b := &bareClient{nodes: make(chan *waBinary.Node, 64)}
	b.noise, err = nh.Finish(ctx, fs, func(ctx context.Context, raw []byte) {
		if plain, err := waBinary.Unpack(raw); err == nil {
			if n, err := waBinary.Unmarshal(plain); err == nil {
				select {
				case b.nodes <- n:
				case <-ctx.Done():
				}
			}
		}
	}, func(context.Context, *socket.NoiseSocket, bool) {})
	return b, err
}

// 1,000 devices stay connected, 500 of which connect at once; a connection costs little memory.
func TestManyConnectionsAtOnce(t *testing.T) {
	s, err := Start(context.Background(), Options{RootSeed: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	const total, burst = 1000, 500
	devices, noise := make([]*device, total), make([]*keys.KeyPair, total)
	for i := range devices {
		devices[i], noise[i] = linkBare(s, fmt.Sprintf("2557%08d", i))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	connect := func(from, to int) time.Duration {
		began := time.Now()
		var group sync.WaitGroup
		for i := from; i < to; i++ {
			group.Go(func() {
				c, err := loginBare(t, s, devices[i], noise[i])
				if err != nil {
					t.Error(err)
					return
				}
				if n := <-c.nodes; n.Tag != "success" {
					t.Errorf("device %d got %s", i, n.Tag)
				}
			})
		}
		group.Wait()
		return time.Since(began)
	}
	for from := 0; from < burst; from += 50 {
		connect(from, from+50)
	}
	took := connect(burst, total)
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)) / total / 1024
	t.Logf("%d at once in %s; %d KiB for each connection, both ends together", burst, took, each)
	if each > 200 {
		t.Errorf("a connection costs %d KiB", each)
	}
	if got := s.Stats(); got.Connections != total || got.Logins != total {
		t.Errorf("%d connections, %d logins", got.Connections, got.Logins)
	}
	logins, handshakes := 0, 0
	for _, b := range s.Stats().Connects {
		logins += b.Logins
		handshakes = max(handshakes, b.Handshakes)
	}
	if logins != total {
		t.Errorf("the histogram shows %d logins", logins)
	}
	if most := int(s.Stats().HandshakesMost); handshakes != most || most < 1 || most > burst {
		t.Errorf("the histogram shows %d handshakes at once, the total is %d", handshakes, most)
	}
}

// A long offline queue comes in order and never with more than maxInFlight unconfirmed.
func TestLongQueueIsPaced(t *testing.T) {
	s, err := Start(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	d, noise := linkBare(s, "255700000001")
	const total = maxInFlight + 500
	for i := range total {
		if _, err := s.Send(t.Context(), SendRequest{From: "255711000001", To: "255700000001", Text: "x", ID: fmt.Sprint("m", i)}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := loginBare(t, s, d, noise)
	if err != nil {
		t.Fatal(err)
	}
	c.next(t, "success")
	c.send(t, waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"xmlns": "passive", "type": "set", "id": "1"}, Content: []waBinary.Node{{Tag: "active"}}})
	if preview := c.next(t, "ib"); preview.GetChildByTag("offline_preview").Attrs["count"] != fmt.Sprint(total) {
		t.Fatalf("%s", preview)
	}
	for i := range total {
		n := c.next(t, "message")
		if n.Attrs["id"] != fmt.Sprint("m", i) || n.Attrs["offline"] == nil {
			t.Fatalf("stanza %d is %s", i, n.Attrs["id"])
		}
		d.mu.Lock()
		inFlight := d.inFlight
		d.mu.Unlock()
		if inFlight > maxInFlight {
			t.Fatalf("%d are in flight", inFlight)
		}
		c.send(t, waBinary.Node{Tag: "ack", Attrs: waBinary.Attrs{"class": "message", "id": n.Attrs["id"], "to": n.Attrs["from"]}})
	}
	if end := c.next(t, "ib"); end.GetChildByTag("offline").Attrs["count"] != fmt.Sprint(total) {
		t.Fatalf("%s", end)
	}
}

// A retry receipt and an ack come from two goroutines in either order: the message stays queued until its new version
// is confirmed, and only once.
func TestAckAndRetryInEitherOrder(t *testing.T) {
	for _, order := range []string{"retry first", "ack first"} {
		t.Run(order, func(t *testing.T) {
			s, err := Start(context.Background(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			d, noise := linkBare(s, "255700000001")
			c, err := loginBare(t, s, d, noise)
			if err != nil {
				t.Fatal(err)
			}
			c.next(t, "success")
			c.send(t, waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"xmlns": "passive", "type": "set", "id": "1"}, Content: []waBinary.Node{{Tag: "active"}}})
			c.next(t, "ib")
			if _, err := s.Send(t.Context(), SendRequest{From: "255711000001", To: "255700000001", Text: "x", ID: "m1"}); err != nil {
				t.Fatal(err)
			}
			n := c.next(t, "message")
			ack := waBinary.Node{Tag: "ack", Attrs: waBinary.Attrs{"class": "message", "id": "m1", "to": n.Attrs["from"]}}
			retry := waBinary.Node{Tag: "receipt", Attrs: waBinary.Attrs{"type": "retry", "id": "m1", "to": n.Attrs["from"]},
				Content: []waBinary.Node{{Tag: "retry", Attrs: waBinary.Attrs{"count": 1, "id": "m1", "v": 1}}, registrationNode(77)}}
			if order == "retry first" {
				c.send(t, retry)
				c.send(t, ack)
			} else {
				c.send(t, ack)
				c.send(t, retry)
			}
			again := c.next(t, "message")
			if enc := again.GetChildByTag("enc"); enc.Attrs["count"] != "1" || enc.Attrs["type"] != "pkmsg" {
				t.Fatalf("%s", again)
			}
			// A round trip, after which both are certainly handled.
			c.send(t, waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"xmlns": "w:p", "type": "get", "id": "2"}})
			c.next(t, "iq")
			if queued := s.Devices()[0].Queued; queued != 1 {
				t.Fatalf("%d stanzas are queued before the new version is confirmed", queued)
			}
			c.send(t, waBinary.Node{Tag: "receipt", Attrs: waBinary.Attrs{"id": "m1", "to": n.Attrs["from"]}})
			c.send(t, waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"xmlns": "w:p", "type": "get", "id": "3"}})
			for c.next(t, "iq").Attrs["id"] != "3" {
			}
			if queued := s.Devices()[0].Queued; queued != 0 {
				t.Fatalf("%d stanzas are queued after it was confirmed", queued)
			}
		})
	}
}

// Nonsense ends the connection it comes on and nothing else, before and after the handshake.
func TestNonsenseEndsOnlyItsConnection(t *testing.T) {
	s, err := Start(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	header := "WA\x06\x03"
	for name, raw := range map[string]string{
		"not WhatsApp":      "GET / HTTP/1.1\r\n\r\n",
		"an empty hello":    header + "\x00\x00\x00",
		"a broken hello":    header + "\x00\x00\x04\xff\xff\xff\xff",
		"a short key":       header + "\x00\x00\x05\x12\x03\x0a\x01x",
		"endless routing":   "ED\x00\x01\xff\xff\xff" + strings.Repeat("x", 100),
		"an unfinished one": header + "\x00\xff\xff" + "abc",
	} {
		ws, _, err := websocket.Dial(ctx, s.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(ctx, websocket.MessageBinary, []byte(raw)); err != nil {
			t.Fatal(err)
		}
		if name == "endless routing" || name == "an unfinished one" { // the server waits for more, for a while
			_ = ws.CloseNow()
			continue
		}
		if _, _, err := ws.Read(ctx); err == nil || ctx.Err() != nil {
			t.Errorf("%s was answered, or not refused: %v", name, err)
		}
	}
	d, noise := linkBare(s, "255700000001")
	for _, n := range []waBinary.Node{
		{Tag: "message"}, {Tag: "message", Attrs: waBinary.Attrs{"id": "x", "to": d.lid()}, Content: []waBinary.Node{{Tag: "enc"}}},
		{Tag: "message", Attrs: waBinary.Attrs{"id": "x", "to": d.owner.pn()}, Content: []waBinary.Node{{Tag: "enc", Attrs: waBinary.Attrs{"type": "pkmsg"}, Content: []byte("x")}}},
		{Tag: "receipt"}, {Tag: "receipt", Attrs: waBinary.Attrs{"type": "retry"}}, {Tag: "ack"}, {Tag: "chatstate"}, {Tag: "presence", Attrs: waBinary.Attrs{"type": "subscribe"}},
		{Tag: "iq"}, {Tag: "iq", Attrs: waBinary.Attrs{"id": "1", "xmlns": "encrypt", "type": "set"}}, {Tag: "iq", Attrs: waBinary.Attrs{"id": "1", "xmlns": "usync", "type": "get"}},
		{Tag: "iq", Attrs: waBinary.Attrs{"id": "1", "xmlns": "encrypt", "type": "get"}, Content: []waBinary.Node{{Tag: "key", Content: []waBinary.Node{{Tag: "user"}}}}},
		{Tag: "iq", Attrs: waBinary.Attrs{"id": "1", "xmlns": "w:sync:app:state", "type": "set"}, Content: []waBinary.Node{{Tag: "sync", Content: []waBinary.Node{{Tag: "collection"}}}}},
		{Tag: "iq", Attrs: waBinary.Attrs{"id": "1", "xmlns": "md", "type": "set"}, Content: []waBinary.Node{{Tag: "link_code_companion_reg"}}},
	} {
		c, err := loginBare(t, s, d, noise)
		if err != nil {
			t.Fatal(err)
		}
		c.next(t, "success")
		c.send(t, n)
		c.send(t, waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"xmlns": "w:p", "type": "get", "id": "ping"}})
		for c.next(t, "iq").Attrs["id"] != "ping" {
		}
	}
}
