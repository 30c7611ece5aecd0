package simulator

import (
	"strconv"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// usyncQuery answers each protocol that is asked about each user.
func (s *Server) usyncQuery(c *conn, d *device, n *waBinary.Node) {
	request := n.GetChildByTag("usync")
	protocols := request.GetChildByTag("query")
	list := request.GetChildByTag("list")
	users := []waBinary.Node{}
	for _, user := range list.GetChildren() {
		users = append(users, s.usyncUser(d, protocols.GetChildren(), user))
	}
	results := []waBinary.Node{}
	for _, p := range protocols.GetChildren() {
		results = append(results, waBinary.Node{Tag: p.Tag})
	}
	c.reply(n, waBinary.Node{Tag: "usync", Attrs: waBinary.Attrs{
		"sid": request.Attrs["sid"], "mode": request.Attrs["mode"], "context": request.Attrs["context"], "index": "0", "last": "true",
	}, Content: []waBinary.Node{{Tag: "result", Content: results}, {Tag: "list", Content: users}}})
}

func (s *Server) usyncUser(d *device, protocols []waBinary.Node, user waBinary.Node) waBinary.Node {
	asked := jidOf(user.Attrs["jid"])
	p := s.phones.byJID(asked)
	if named := string(childBytes(&user, "contact")); p == nil && named != "" {
		if number, err := cleanNumber(contactNumber(named)); err == nil {
			p = s.phones.get(number)
		}
	}
	out := waBinary.Node{Tag: "user", Attrs: waBinary.Attrs{}}
	if !asked.IsEmpty() {
		out.Attrs["jid"] = asked
	} else if p != nil {
		out.Attrs["jid"] = p.pn()
	}
	content := []waBinary.Node{}
	for _, protocol := range protocols {
		switch protocol.Tag {
		case "devices":
			content = append(content, waBinary.Node{Tag: "devices", Content: []waBinary.Node{{Tag: "device-list", Content: s.deviceNodes(p)}}})
		case "lid":
			if p != nil {
				content = append(content, waBinary.Node{Tag: "lid", Attrs: waBinary.Attrs{"val": p.lidJID()}})
			}
		case "contact":
			state := "out"
			if p != nil {
				state = "in"
				if protocol.Attrs["addressing_mode"] == "lid" {
					out.Attrs["jid"], out.Attrs["pn_jid"] = p.lidJID(), p.pn()
				}
			}
			content = append(content, waBinary.Node{Tag: "contact", Attrs: waBinary.Attrs{"type": state}, Content: childBytes(&user, "contact")})
		}
	}
	out.Content = content
	return out
}

func contactNumber(named string) string {
	for i, r := range named {
		if r == '@' {
			return named[:i]
		}
	}
	return named
}

func (s *Server) deviceNodes(p *phone) []waBinary.Node {
	nodes := []waBinary.Node{}
	if p == nil {
		return nodes
	}
	nodes = append(nodes, waBinary.Node{Tag: "device", Attrs: waBinary.Attrs{"id": "0"}})
	for _, d := range p.linked() {
		nodes = append(nodes, waBinary.Node{Tag: "device", Attrs: waBinary.Attrs{"id": strconv.Itoa(int(d.id)), "key-index": strconv.Itoa(int(d.id))}})
	}
	return nodes
}
