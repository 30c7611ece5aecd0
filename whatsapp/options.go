package whatsapp

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"google.golang.org/protobuf/proto"
)

// Options are what a Pool is built from. Zero durations, Shards and Location take their defaults.
type Options struct {
	DB       *pgxpool.Pool
	Log      *slog.Logger
	NodeName string    // shown as part of a worker's process name
	Endpoint *Endpoint // nil: WhatsApp itself

	RepliesPerMinute  int            // the operator's default limit of a tenant's bot replies; 0: no limit and no guards
	HeartbeatInterval time.Duration  // default 15 s
	Lease             time.Duration  // default 30 s
	Shards            int            // default 16
	Location          *time.Location // of opening hours; nil: the bot's default

	// ShardsChanged is called before the tenants of gained shards start, and after those of lost ones were closed.
	ShardsChanged func(gained, lost []int16)

	Metrics prometheus.Registerer // nil: none
}

// Endpoint is another server in place of WhatsApp: the simulator.
type Endpoint struct {
	URL     string   // ws://127.0.0.1:PORT/ws/chat; the host must be a loopback address
	RootKey [32]byte // what the server's certificates chain to
}

const (
	defaultHeartbeat = 15 * time.Second
	defaultLease     = 30 * time.Second
	defaultShards    = 16
	maxDials         = 16 // connections of this node that are being set up at the same time
)

func (o *Options) complete() error {
	if o.DB == nil {
		return errors.New("whatsapp: Options.DB is missing")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.NodeName == "" {
		o.NodeName = "node"
	}
	if o.HeartbeatInterval <= 0 {
		o.HeartbeatInterval = defaultHeartbeat
	}
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	if o.Shards <= 0 {
		o.Shards = defaultShards
	}
	return nil
}

// whatsmeowSetup guards whatsmeow's package variables: they are read without a lock by every handshake, so they are set
// before the first one and never again.
var whatsmeowSetup struct {
	sync.Mutex
	done bool
	key  [32]byte
}

// setUpWhatsmeow names the device as phones list it, asks for no history, and pins the root key of another endpoint.
func setUpWhatsmeow(o *Options) error {
	whatsmeowSetup.Lock()
	defer whatsmeowSetup.Unlock()
	key := whatsmeow.WACertPubKey
	if o.Endpoint != nil {
		key = o.Endpoint.RootKey
	}
	if whatsmeowSetup.done {
		if key != whatsmeowSetup.key {
			return errors.New("whatsapp: one process can only talk to servers of one root key")
		}
		return nil
	}
	whatsmeowSetup.done, whatsmeowSetup.key = true, key
	whatsmeow.WACertPubKey = key
	store.SignalProtobufSerializer.Session = sessions
	store.SetOSInfo("Flow HQ", [3]uint32{1, 0, 0})
	store.DeviceProps.RequireFullSync = proto.Bool(false)
	store.DeviceProps.HistorySyncConfig.StorageQuotaMb = proto.Uint32(1)
	store.DeviceProps.HistorySyncConfig.ThumbnailSyncDaysLimit = proto.Uint32(0)
	quietSignal(o.Log)
	return nil
}

// httpClient is shared by every tenant: one transport, no proxy surprises on loopback, and a limit on every step of a dial,
// because whatsmeow's own context lives as long as the connection.
func httpClient(e *Endpoint) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	transport.TLSHandshakeTimeout = 15 * time.Second
	transport.ResponseHeaderTimeout = 20 * time.Second
	if e == nil {
		return &http.Client{Transport: transport}, nil
	}
	u, err := url.Parse(e.URL)
	if err != nil {
		return nil, fmt.Errorf("whatsapp: endpoint: %w", err)
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("whatsapp: endpoint %s is not a loopback address", u.Host)
	}
	transport.Proxy = nil
	return &http.Client{Transport: rewriteHost{host: u.Host, next: transport}}, nil
}

// rewriteHost sends what is meant for web.whatsapp.com to another host: whatsmeow's address is a constant.
type rewriteHost struct {
	host string
	next http.RoundTripper
}

func (t rewriteHost) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", t.host, t.host
	return t.next.RoundTrip(r)
}
