package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"flowhq/jobs"
	"flowhq/queries"
	"flowhq/routes"
	"flowhq/whatsapp/simulator"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
)

const (
	demoData     = "./data-demo"
	demoPassword = "karibu-flow-hq"
	demoAdmin    = "admin@flowhq.example"
	demoPatience = 30 * time.Second // for one business to be linked, or one answer to come
)

// demoBusiness is a sample tenant; the ones with a story are linked and have talked to customers when the demo opens.
type demoBusiness struct {
	tenant jobs.NewTenant
	owner  string
	email  string
	story  []demoLine
}

// demoLine is one message of a sample customer; the bot's answers are its own.
type demoLine struct {
	customer routes.DemoCustomer
	text     string
}

func demoBusinesses() []demoBusiness {
	people := routes.DemoCustomers()
	asha, juma, neema, baraka := people[0], people[1], people[2], people[3]
	return []demoBusiness{
		{
			tenant: jobs.NewTenant{Name: "Saluni ya Zawadi", BusinessName: "Saluni ya Zawadi", PhoneNumber: "+255712000101", TemplateType: "BOOKING", Language: "SW"},
			owner:  "Zawadi Mushi", email: "zawadi@flowhq.example",
			story: []demoLine{
				{asha, "Habari"}, {asha, "Nataka miadi"}, {asha, "Kusuka nywele"}, {asha, "Jumamosi saa nne asubuhi"}, {asha, "Ndiyo"},
				{juma, "Mambo"}, {juma, "Huduma"}, {neema, "Mko wazi saa ngapi?"},
			},
		},
		{
			tenant: jobs.NewTenant{Name: "Kariakoo Fabrics", BusinessName: "Kariakoo Fabrics", PhoneNumber: "+255712000102", TemplateType: "ECOMMERCE", Language: "EN"},
			owner:  "Hassan Juma", email: "hassan@flowhq.example",
			story: []demoLine{
				{baraka, "Hello"}, {baraka, "price"}, {baraka, "I want to order"}, {baraka, "kitenge, blue"}, {baraka, "3"}, {baraka, "yes"},
				{asha, "Do you deliver to Mbezi?"}, {neema, "can I talk to a human"},
			},
		},
		{
			tenant: jobs.NewTenant{Name: "Afya Clinic Desk", BusinessName: "Afya Clinic", PhoneNumber: "+255712000103", TemplateType: "SUPPORT", Language: "SW"},
			owner:  "Dr. Rehema Komba", email: "rehema@flowhq.example",
		},
	}
}

// demo serves the whole product on the simulator, with sample businesses that have already talked to customers. It keeps to its
// own data folder and private Postgres, so that it cannot touch a real installation.
func (c command) demo(ctx context.Context) error {
	var listen, data string
	if err := c.parse("demo", func(f *flag.FlagSet) {
		f.StringVar(&listen, "listen", "", "HTTP `address` (default 127.0.0.1:8080)")
		f.StringVar(&data, "data", demoData, "data `folder`")
	}); err != nil {
		return err
	}
	config, err := readConfig(func(name string) string {
		switch name {
		case "DATABASE_URL", "WHATSAPP_URL", "WHATSAPP_ROOT_KEY", "FLOWHQ_DATA", "PORTAL_INTERNAL_KEY":
			return ""
		}
		return c.getenv(name)
	}, roleAll, listen, data)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return &settingError{fmt.Sprintf("--data %s: %v: choose a folder that can be written", data, err)}
	}
	log := config.logger(c.stderr)
	sim, err := simulator.Start(ctx, simulator.Options{
		Control: "127.0.0.1:0", StateFile: filepath.Join(data, "simulator.state"), Log: log.With("room", "simulator"), ReadDelay: time.Second,
	})
	if err != nil {
		return err
	}
	defer sim.Close()
	config.WhatsAppURL = sim.URL()
	copy(config.WhatsAppRootKey[:], sim.RootKey())
	businesses := demoBusinesses()
	options := &demoOptions{simulatorURL: sim.ControlURL(), logins: []routes.DemoLogin{{Label: "Operator", Email: demoAdmin, Password: demoPassword}}}
	for _, b := range businesses {
		options.logins = append(options.logins, routes.DemoLogin{Label: b.owner, Detail: b.tenant.BusinessName, Email: b.email, Password: demoPassword})
	}
	a, err := newApp(ctx, config, log, options)
	if err != nil {
		return err
	}
	defer a.close()
	seed := demoSeed{app: a, sim: sim, log: log}
	fresh, err := seed.people(ctx, businesses)
	if err != nil {
		return err
	}
	return a.run(ctx, func() {
		fmt.Fprintf(c.stdout, "\nThe Flow HQ demo is at %s\n\n", a.url())
		for _, l := range options.logins {
			fmt.Fprintf(c.stdout, "  %-18s %-24s %s\n", l.Label, l.Email, l.Password)
		}
		fmt.Fprintf(c.stdout, "\n  Be a customer on the virtual phone: %s/demo/phone\n  WhatsApp is simulated: nothing leaves this machine.\n\n", a.url())
		if fresh {
			go seed.stories(ctx, businesses)
		}
	})
}

// demoSeed fills an empty demo. Histories are real: the bot answers what the sample customers write.
type demoSeed struct {
	app *app
	sim *simulator.Server
	log *slog.Logger
}

// people makes the admin, the businesses and their owners, once; fresh tells whether it did.
func (d demoSeed) people(ctx context.Context, businesses []demoBusiness) (fresh bool, err error) {
	q := queries.New(d.app.db.System)
	admins, err := q.CountAdmins(ctx)
	if err != nil || admins > 0 {
		return false, err
	}
	hash, err := argon2id.CreateHash(demoPassword, argon2id.DefaultParams)
	if err != nil {
		return false, err
	}
	for _, b := range businesses {
		tenantID, err := d.app.commands.CreateTenant(ctx, b.tenant, jobs.Actor{Name: "demo"})
		if err != nil {
			return false, err
		}
		owner := uuid.Must(uuid.NewV7())
		if err := q.CreatePerson(ctx, queries.CreatePersonParams{ID: owner, TenantID: tenantID, Name: b.owner, Email: b.email, Role: queries.UserRoleOWNER}); err != nil {
			return false, err
		}
		if err := q.SetPassword(ctx, queries.SetPasswordParams{UserID: owner, PasswordHash: hash}); err != nil {
			return false, err
		}
	}
	return true, routes.UpsertAdmin(ctx, d.app.db, demoAdmin, demoPassword) // last: it marks the seed as whole
}

// stories links the businesses that have one and lets their customers write.
func (d demoSeed) stories(ctx context.Context, businesses []demoBusiness) {
	for _, b := range businesses {
		if len(b.story) == 0 {
			continue
		}
		if err := d.story(ctx, b); err != nil && ctx.Err() == nil {
			d.log.Error("sample business has no history", "business", b.tenant.Name, "err", err)
		}
	}
}

func (d demoSeed) story(ctx context.Context, b demoBusiness) error {
	q := queries.New(d.app.db.System)
	tenantID, err := q.FindTenantByPhone(ctx, b.tenant.PhoneNumber)
	if err != nil {
		return err
	}
	watch := d.app.hub.Subscribe(tenantID)
	defer watch.Close()
	if _, err := d.app.commands.StartWorker(ctx, tenantID, jobs.Actor{Name: "demo"}); err != nil {
		return err
	}
	linking, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	scanned := ""
	for connected := false; !connected; {
		t, err := q.GetTenant(linking, tenantID)
		if err != nil {
			return err
		}
		connected = t.WhatsappSession.State == queries.SessionStateCONNECTED
		if qr := t.WhatsappSession.LastQr; qr != nil && *qr != scanned {
			if _, err := d.sim.Scan(linking, *qr, b.tenant.PhoneNumber); err != nil {
				return err
			}
			scanned = *qr
		}
		if connected {
			break
		}
		select {
		case <-watch.Wake():
			watch.Take()
		case <-linking.Done():
			return linking.Err()
		}
	}
	for _, line := range b.story {
		if err := d.say(ctx, b, line); err != nil {
			return err
		}
	}
	return nil
}

// say has a customer write and waits for the answer.
func (d demoSeed) say(ctx context.Context, b demoBusiness, line demoLine) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	before := len(d.sim.Inbox(line.customer.Phone, 0))
	if _, err := d.sim.Send(ctx, simulator.SendRequest{From: line.customer.Phone, To: b.tenant.PhoneNumber, Text: line.text, Name: line.customer.Name}); err != nil {
		return err
	}
	_, err := d.sim.WaitInbox(ctx, line.customer.Phone, before+1)
	return err
}
