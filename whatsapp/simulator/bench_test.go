package simulator_test

import (
	"testing"
	"time"

	"flowhq/whatsapp/simulator"
)

// BenchmarkEcho is one round trip after another (many at a time) through a plain whatsmeow echo client: what a phone
// sends, the client answers and the phone shows. Most of it is the client's own store.
func BenchmarkEcho(b *testing.B) {
	s := start(b, func(o *simulator.Options) { o.Log = nil })
	newClientEcho(b, s)
	began := time.Now()
	report, err := s.Load(b.Context(), simulator.LoadRequest{Contacts: 20, Rate: 10_000, Count: b.N, Text: "echo {token}", Wait: 60})
	if err != nil || report.Answered != b.N {
		b.Fatalf("%+v, %v", report, err)
	}
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "replies/s")
}
