package whatsapp

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the pool's counters; without a Registerer they count for nobody.
type metrics struct {
	handled prometheus.Histogram
	sends   *prometheus.HistogramVec
	dials   prometheus.Counter
}

var latencies = []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 20}

func newMetrics(r prometheus.Registerer, tenants func() (running, connected float64)) (*metrics, error) {
	m := &metrics{
		handled: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "flowhq_inbound_seconds", Buckets: latencies,
			Help: "Time to log a received message and decide about it, in seconds."}),
		sends: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "flowhq_send_seconds", Buckets: latencies,
			Help: "Time until WhatsApp answered a message, in seconds, by outcome."}, []string{"outcome"}),
		dials: prometheus.NewCounter(prometheus.CounterOpts{Name: "flowhq_dials_total", Help: "Connections to WhatsApp that were begun."}),
	}
	if r == nil {
		return m, nil
	}
	gauges := []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "flowhq_tenants_running", Help: "Tenants this node looks after."},
			func() float64 { n, _ := tenants(); return n }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "flowhq_tenants_connected", Help: "Tenants of this node that are connected."},
			func() float64 { _, n := tenants(); return n }),
	}
	for _, c := range append(gauges, m.handled, m.sends, m.dials) {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) sent(outcome string, took time.Duration) {
	m.sends.WithLabelValues(outcome).Observe(took.Seconds())
}
