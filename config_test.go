package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestConfigDefaults(t *testing.T) {
	c, err := readConfig(env(nil), "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:8080" || c.DataDir != "./data" || c.Role != roleAll || c.RepliesPerMinute != 30 || c.Shards != 16 ||
		c.Heartbeat != 15*time.Second || c.StaleThreshold != 2*time.Minute || c.StaleInterval != 30*time.Second || c.Lease != 30*time.Second {
		t.Errorf("unexpected defaults: %+v", c)
	}
	c, err = readConfig(env(map[string]string{"PORT": "9000", "FLOWHQ_DATA": "/var/x"}), "", "", "")
	if err != nil || c.Listen != "0.0.0.0:9000" || c.DataDir != "/var/x" {
		t.Errorf("PORT and FLOWHQ_DATA: %+v, %v", c, err)
	}
	c, err = readConfig(env(map[string]string{"PORT": "9000"}), roleWeb, "127.0.0.1:1", "here")
	if err != nil || c.Listen != "127.0.0.1:1" || c.DataDir != "here" || c.Role != roleWeb {
		t.Errorf("flags win: %+v, %v", c, err)
	}
}

func TestConfigRefusals(t *testing.T) {
	for name, values := range map[string]map[string]string{
		"RATE_LIMIT_MAX_PER_MINUTE": {"RATE_LIMIT_MAX_PER_MINUTE": "-1"},
		"FLOWHQ_SHARDS":             {"FLOWHQ_SHARDS": "0"},
		"HEARTBEAT_INTERVAL":        {"HEARTBEAT_INTERVAL": "15"},
		"STALE_THRESHOLD":           {"STALE_THRESHOLD": "16s"},
		"STALE_CHECK_INTERVAL":      {"STALE_CHECK_INTERVAL": "soon"},
		"FLOWHQ_LEASE":              {"FLOWHQ_LEASE": "1ms"},
		"PORT":                      {"PORT": "http"},
		"PUBLIC_URL":                {"PUBLIC_URL": "example.com"},
		"LOG_LEVEL":                 {"LOG_LEVEL": "loud"},
		"LOG_FORMAT":                {"LOG_FORMAT": "xml"},
		"TRUSTED_PROXIES":           {"TRUSTED_PROXIES": "10.0.0.0/99"},
		"WHATSAPP_URL":              {"WHATSAPP_URL": "ws://192.168.1.4:7000/ws/chat", "WHATSAPP_ROOT_KEY": strings.Repeat("00", 32)},
		"SMTP_URL":                  {"SMTP_URL": "mail.example.com"},
		"MAIL_FROM":                 {"MAIL_FROM": "nobody"},
		"WHATSAPP_ROOT_KEY":         {"WHATSAPP_URL": "ws://127.0.0.1:7000/ws/chat", "WHATSAPP_ROOT_KEY": "00"},
	} {
		_, err := readConfig(env(values), "", "", "")
		var setting *settingError
		if !errors.As(err, &setting) {
			t.Errorf("%s: got %v, want a setting error", name, err)
			continue
		}
		if line := setting.Error(); !strings.HasPrefix(line, name) || strings.Contains(line, "\n") {
			t.Errorf("%s: the line does not begin with the setting: %q", name, line)
		}
	}
	if _, err := readConfig(env(map[string]string{"WHATSAPP_URL": "ws://localhost.example.com:1/ws"}), "", "", ""); err == nil {
		t.Error("a host name that only begins like a loopback one is accepted")
	}
	if _, err := readConfig(env(nil), "boss", "", ""); err == nil || !strings.HasPrefix(err.Error(), "--role") {
		t.Errorf("--role boss: %v", err)
	}
}
