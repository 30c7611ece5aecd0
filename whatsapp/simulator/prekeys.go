package simulator

import (
	"encoding/binary"
	"slices"

	"go.mau.fi/libsignal/ecc"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/util/keys"
)

// maxPreKeys bounds what a device may store here; whatsmeow uploads 812 at first.
const maxPreKeys = 4000

// encryptQuery answers about Signal keys: count, upload, rotation, and bundles of others.
func (s *Server) encryptQuery(c *conn, d *device, n *waBinary.Node, kind string) {
	if kind == "get" {
		if _, ok := n.GetOptionalChildByTag("count"); ok {
			d.mu.Lock()
			count := len(d.preKeys)
			d.mu.Unlock()
			c.reply(n, waBinary.Node{Tag: "count", Attrs: waBinary.Attrs{"value": count}})
			return
		}
		if wanted, ok := n.GetOptionalChildByTag("key"); ok {
			list := waBinary.Node{Tag: "list"}
			users := []waBinary.Node{}
			for _, user := range wanted.GetChildren() {
				users = append(users, s.bundleNode(user.Attrs["jid"]))
			}
			list.Content = users
			c.reply(n, list)
			return
		}
		c.replyError(n, 501, "feature-not-implemented")
		return
	}
	if rotated, ok := n.GetOptionalChildByTag("rotate", "skey"); ok {
		if key, ok := parseKey(rotated); ok {
			d.mu.Lock()
			d.signed = key
			d.mu.Unlock()
			s.touch()
			c.reply(n)
			return
		}
		c.replyError(n, 400, "bad-request")
		return
	}
	if !d.upload(n) {
		c.replyError(n, 400, "bad-request")
		return
	}
	s.touch()
	c.reply(n)
}

// upload stores what a client publishes: registration id, identity, signed prekey and one-time prekeys.
func (d *device) upload(n *waBinary.Node) bool {
	reg, identity := childBytes(n, "registration"), childBytes(n, "identity")
	signed, ok := parseKey(n.GetChildByTag("skey"))
	if len(reg) != 4 || len(identity) != 32 || !ok || [32]byte(identity) != d.identity {
		return false
	}
	list := n.GetChildByTag("list")
	keys := make([]publicKey, 0, len(list.GetChildren()))
	for _, child := range list.GetChildren() {
		key, ok := parseKey(child)
		if !ok {
			return false
		}
		keys = append(keys, key)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.regID, d.signed = binary.BigEndian.Uint32(reg), signed
	known := make(map[uint32]bool, len(d.preKeys))
	for _, k := range d.preKeys {
		known[k.ID] = true
	}
	keys = slices.DeleteFunc(keys, func(k publicKey) bool { return known[k.ID] })
	d.preKeys = append(slices.Clone(d.preKeys), keys...)
	if extra := len(d.preKeys) - maxPreKeys; extra > 0 {
		d.preKeys = d.preKeys[extra:]
	}
	d.warnedLow = false
	return true
}

func parseKey(n waBinary.Node) (publicKey, bool) {
	id, value := childBytes(&n, "id"), childBytes(&n, "value")
	if len(id) != 3 || len(value) != 32 {
		return publicKey{}, false
	}
	key := publicKey{ID: keyID(id), Pub: [32]byte(value)}
	if n.Tag == "skey" {
		signature := childBytes(&n, "signature")
		if len(signature) != 64 {
			return publicKey{}, false
		}
		key.Signature = [64]byte(signature)
	}
	return key, true
}

// bundleNode answers what a session with one device starts from. The jid comes back exactly as asked.
func (s *Server) bundleNode(asked any) waBinary.Node {
	jid := jidOf(asked)
	node := waBinary.Node{Tag: "user", Attrs: waBinary.Attrs{"jid": asked}}
	p := s.phones.byJID(jid)
	if p == nil {
		node.Content = []waBinary.Node{{Tag: "error", Attrs: waBinary.Attrs{"code": "404", "text": "item-not-found"}}}
		return node
	}
	if jid.Device == 0 {
		node.Content = p.bundleContent(true)
		return node
	}
	d := p.deviceByID(jid.Device)
	if d == nil {
		node.Content = []waBinary.Node{{Tag: "error", Attrs: waBinary.Attrs{"code": "404", "text": "item-not-found"}}}
		return node
	}
	b := d.takeBundle()
	content := []waBinary.Node{registrationNode(b.RegID), {Tag: "type", Content: []byte{ecc.DjbType}}, {Tag: "identity", Content: b.Identity[:]},
		keyNode("skey", b.Signed.ID, b.Signed.Pub[:], b.Signed.Signature[:])}
	if b.OneTime != nil {
		content = append(content, keyNode("key", b.OneTime.ID, b.OneTime.Pub[:], nil))
	}
	node.Content = content
	return node
}

// bundleContent is a phone's own bundle with a fresh one-time prekey, with or without the registration id.
func (p *phone) bundleContent(registration bool) []waBinary.Node {
	p.mu.Lock()
	signed, one := p.signedPreKey(), p.newOneTime()
	p.mu.Unlock()
	return p.bundleNodes(signed, one, registration)
}

func (p *phone) bundleNodes(signed, one *keys.PreKey, registration bool) []waBinary.Node {
	content := []waBinary.Node{{Tag: "type", Content: []byte{ecc.DjbType}}, {Tag: "identity", Content: p.identity.Pub[:]},
		keyNode("key", one.KeyID, one.Pub[:], nil), keyNode("skey", signed.KeyID, signed.Pub[:], signed.Signature[:])}
	if registration {
		content = append([]waBinary.Node{registrationNode(p.regID)}, content...)
	}
	return content
}

func registrationNode(id uint32) waBinary.Node {
	return waBinary.Node{Tag: "registration", Content: binary.BigEndian.AppendUint32(nil, id)}
}

func keyNode(tag string, id uint32, pub, signature []byte) waBinary.Node {
	content := []waBinary.Node{{Tag: "id", Content: []byte{byte(id >> 16), byte(id >> 8), byte(id)}}, {Tag: "value", Content: pub}}
	if signature != nil {
		content = append(content, waBinary.Node{Tag: "signature", Content: signature})
	}
	return waBinary.Node{Tag: tag, Content: content}
}
