package whatsapp

import (
	"flowhq/bot"
	"flowhq/queries"
)

// tenantConfig is one version of a tenant's configuration, with what the bot makes of it: that is read once a version.
type tenantConfig struct {
	*queries.TenantConfig
	bot bot.Config
}

// readConfig keeps a configuration as a message found it. Settings that cannot be read are left out: customers get answers.
func (s *supervisor) readConfig(c *queries.TenantConfig) *tenantConfig {
	if known := s.config.Load(); known != nil && known.UpdatedAt.Equal(c.UpdatedAt) {
		return known
	}
	made, err := bot.ReadConfig(bot.Template(c.TemplateType), bot.Language(c.Language), c.BusinessName, c.SettingsJson, c.HoursJson)
	if err != nil {
		s.log.Warn("some of the bot's settings cannot be read; the bot does without", "error", err)
	}
	made.Location = s.pool.o.Location
	c.SettingsJson, c.HoursJson = nil, nil // many tenants are in memory
	config := &tenantConfig{c, made}
	s.config.Store(config)
	return config
}

// botConfig is what the bot knows of the business, under this limit of answers.
func (c *tenantConfig) botConfig(limit int) bot.Config {
	made := c.bot
	made.NoGuards = limit == 0
	return made
}
