package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"

	"flowhq/whatsapp/simulator"
)

// simulate runs the WhatsApp simulator alone, for another process to connect to.
func (c command) simulate(ctx context.Context) error {
	var listen, control, state string
	if err := c.parse("simulate", func(f *flag.FlagSet) {
		f.StringVar(&listen, "listen", "127.0.0.1:7070", "loopback `address` of the WhatsApp side")
		f.StringVar(&control, "control", "127.0.0.1:7071", "loopback `address` of the control API")
		f.StringVar(&state, "state", "", "`file` that keeps phones and linked devices over a restart (default: none)")
	}); err != nil {
		return err
	}
	config, err := readConfig(func(name string) string {
		if name == "LOG_LEVEL" || name == "LOG_FORMAT" {
			return c.getenv(name)
		}
		return ""
	}, "", "", "")
	if err != nil {
		return err
	}
	s, err := simulator.Start(ctx, simulator.Options{Listen: listen, Control: control, StateFile: state, Log: config.logger(c.stderr)})
	if err != nil {
		return &settingError{fmt.Sprintf("flowhq simulate: %v: use free loopback addresses for --listen and --control", err)}
	}
	fmt.Fprintf(c.stdout, "WHATSAPP_URL=%s\nWHATSAPP_ROOT_KEY=%s\n# control API: %s\n", s.URL(), hex.EncodeToString(s.RootKey()), s.ControlURL())
	<-ctx.Done()
	return s.Close()
}
