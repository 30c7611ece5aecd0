package simulator

import (
	"encoding/json"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// timelockCode is the error with which WhatsApp refuses a first message of an account that may not begin chats for a while.
const timelockCode = 463

// timelocked tells whether this business may not write to this customer, who never wrote to it, at present.
func (s *Server) timelocked(business, contact *phone) bool {
	if contact == nil || contact == business || !s.faults.with(FaultTimelock, business.number, nil, func(*activeFault) {}) {
		return false
	}
	contact.mu.Lock()
	defer contact.mu.Unlock()
	return !contact.box.wroteTo[business.number]
}

// tellTimelock sends the notice that WhatsApp sends when a timelock begins, with its end, and when one is taken back.
func (s *Server) tellTimelock(number string, active bool, until time.Time) {
	type notice struct {
		Kind   string `json:"enforcement_type"`
		Active bool   `json:"is_active"`
		Ends   string `json:"time_enforcement_ends,omitempty"` // seconds since 1970
	}
	n := notice{Kind: "DEFAULT", Active: active}
	if active {
		n.Ends = strconv.FormatInt(until.Unix(), 10)
	}
	body, _ := json.Marshal(map[string]any{"data": map[string]any{"xwa2_notify_account_reachout_timelock": n}}) // never fails
	for _, p := range s.contacts(number) {
		for _, d := range p.linked() {
			d.enqueue(waBinary.Node{Tag: "notification", Attrs: waBinary.Attrs{
				"from": types.ServerJID, "type": "mex", "id": newStanzaID(), "t": time.Now().Unix(),
			}, Content: []waBinary.Node{{Tag: "update", Attrs: waBinary.Attrs{"op_name": "NotificationAccountReachoutTimelock"}, Content: body}}}, false)
		}
	}
}
