package routes

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"flowhq/database"
	"flowhq/database/databasetest"
	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/queries/settings"
	"flowhq/whatsapp"
	"flowhq/whatsapp/simulator"
)

// startWorker runs a worker node on the database: the pool against the simulator, and River working its jobs.
func startWorker(t *testing.T, db *database.Database, sim *simulator.Server) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	must(t, queries.New(db.System).EnsureShards(t.Context(), 3))
	var client *river.Client[pgx.Tx]
	var queues *jobs.ShardQueues
	endpoint := &whatsapp.Endpoint{URL: sim.URL()}
	copy(endpoint.RootKey[:], sim.RootKey())
	pool, err := whatsapp.New(whatsapp.Options{
		DB: db.System, Log: log, NodeName: "test", Endpoint: endpoint, HeartbeatInterval: time.Second, Lease: 5 * time.Second,
		ShardsChanged: func(gained, lost []int16) { queues.Change(gained, lost) },
	})
	must(t, err)
	client, err = jobs.NewWorker(jobs.WorkerOptions{
		DB: db.System, Log: log, RiverLog: log, Pool: pool, NotOwner: whatsapp.ErrNotOwner, Settings: settings.New(db.System, settings.Defaults(), nil, log), SoftStopTimeout: time.Second,
	})
	must(t, err)
	must(t, client.Start(context.Background()))
	ctx, stop := context.WithCancel(context.Background())
	queues = jobs.NewShardQueues(client, log)
	go queues.Run(ctx)
	ended := make(chan error, 1)
	go func() { ended <- pool.Run(ctx) }()
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := client.Stop(closing); err != nil {
			t.Errorf("stop River: %v", err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("pool: %v", err)
		}
	})
}

// The demo's whole way without a browser: start, code on the open page, scan with one click, chat on the virtual phone.
func TestDemo(t *testing.T) {
	db := databasetest.New(t)
	sim, err := simulator.Start(t.Context(), simulator.Options{Control: "127.0.0.1:0", ReadDelay: 50 * time.Millisecond})
	must(t, err)
	t.Cleanup(func() { sim.Close() })
	startWorker(t, db, sim)
	s := newSiteOn(t, db, func(o *Options) { o.DemoMode, o.SimulatorURL = true, sim.ControlURL() })
	admin := s.admin()
	tenant := s.tenant("Neema Salon", 1)
	base, customer := tenantBase(tenant), DemoCustomers()[1]

	idle := s.browser().listen("/demo/phone/stream") // open before anything is linked
	awaitEvent(t, idle, "session", "online-"+tenant.String(), "Not connected")
	page := admin.listen(base + "/stream")
	awaitEvent(t, page, "session", `id="state-panel"`)
	admin.post(base+"/demo-scan", nil, "HX-Request", "true").want(t, 409, "There is no code to scan")
	admin.post(base+"/worker/start", nil, "HX-Request", "true").want(t, 200)
	awaitEvent(t, page, "session", "data:image/png;base64,")
	admin.post(base+"/demo-scan", nil, "HX-Request", "true").want(t, 204)
	awaitEvent(t, page, "session", `data-state="connected"`)
	awaitEvent(t, idle, "session", "online-"+tenant.String(), "state ok", "Connected")

	choice := "?" + url.Values{"business": {tenant.String()}, "customer": {customer.Phone}}.Encode()
	visitor := s.browser() // signed in nowhere
	visitor.get("/demo/phone"+choice).want(t, 200, "Neema Salon", customer.Name, "Say hello")
	phone := visitor.listen("/demo/phone/stream" + choice)
	form := url.Values{"business": {tenant.String()}, "customer": {customer.Phone}, "text": {"menu"}}
	visitor.post("/demo/phone/send", form, "HX-Request", "true").want(t, 200, `id="phone-form"`)
	answered, delivered := false, false // in either order
	for deadline := time.After(15 * time.Second); !answered || !delivered; {
		select {
		case e := <-phone:
			answered = answered || strings.Contains(e.data, "pb theirs") && strings.Contains(e.data, "Neema Salon")
			delivered = delivered || strings.Contains(e.data, "pb mine") && strings.Contains(e.data, "menu") && strings.Contains(e.data, "tick delivered")
		case <-deadline:
			t.Fatalf("answered %v, delivered %v", answered, delivered)
		}
	}
	awaitEvent(t, page, "message", "menu", customer.Name)
	visitor.get("/demo/phone"+choice).want(t, 200, "pb mine", "pb theirs")

	for name, change := range map[string][2]string{
		"nothing": {"text", "  "}, "unknown customer": {"customer", "+255700000000"}, "unknown business": {"business", newID().String()},
	} {
		bad := url.Values{}
		for k, v := range form {
			bad[k] = v
		}
		bad.Set(change[0], change[1])
		if got := visitor.post("/demo/phone/send", bad, "HX-Request", "true"); got.status != 422 {
			t.Errorf("%s: status %d", name, got.status)
		}
	}
}
