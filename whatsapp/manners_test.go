package whatsapp

import (
	"testing"

	"flowhq/queries"
	"flowhq/whatsapp/simulator"
)

// A customer sees the message read and the answer being typed before it comes, but not where no limit is set.
func TestManners(t *testing.T) {
	for name, limit := range map[string]int{"paced": 30, "unlimited": 0} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			n := r.run("a", func(o *Options) { o.RepliesPerMinute = limit })
			id := r.tenant("Desk", "+255711000001", 0)
			r.link(n, id, "255711000001")
			r.awaitReason(id, queries.SessionReasonCONNECTED)
			seen, stop := r.sim.Subscribe()
			defer stop()
			if _, err := r.sim.Send(r.ctx(), simulator.SendRequest{From: "255755000001", To: "255711000001", Text: "hello"}); err != nil {
				t.Fatal(err)
			}
			typed, read := false, false
			for ctx := r.ctx(); ; {
				select {
				case e := <-seen:
					switch {
					case e.Type == simulator.EventTyping && e.State == "composing":
						typed = true
					case e.Type == simulator.EventReceipt && e.State == "read":
						read = true
					case e.Type == simulator.EventMessage:
						if want := limit > 0; typed != want || read != want {
							t.Errorf("before the answer: typing %v, read %v; want both %v", typed, read, want)
						}
						return
					}
				case <-ctx.Done():
					t.Fatal("no answer came")
				}
			}
		})
	}
}
