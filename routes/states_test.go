package routes

import (
	"testing"
	"time"

	"flowhq/queries"
	"flowhq/templates/words"
)

// What WhatsApp does to a number is said on the operator's pages and on the owner's, in the owner's language, with what to do.
func TestStatesOnEveryPage(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Location = time.UTC })
	tenant := s.tenant("Neema Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	admin, owner := s.admin(), s.signedIn("owner@example.org")
	until := time.Now().UTC().Add(50 * time.Hour)
	stored, shown := until.Format(time.RFC3339), words.Moment("en", until, time.Now())
	inSwahili := words.Moment("sw", until, time.Now())
	const ended = "jid = NULL, reason = "
	const linked = "jid = '255712000001:3@s.whatsapp.net', reason = "
	for _, state := range []struct{ name, set, admin, english, swahili string }{
		{"logged out", ended + "'LOGGED_OUT'", "Link the number again.", "The link was removed on the phone", "Muunganisho uliondolewa kwenye simu"},
		{"locked", ended + "'LOCKED'", "follow what it says, then link again", "WhatsApp ended the link to your number", "WhatsApp imeondoa muunganisho"},
		{"banned for good", ended + "'BANNED'", "Ask for a review", "WhatsApp banned this number", "WhatsApp imeifungia namba hii"},
		{"banned for a time", linked + "'BANNED', reason_until = '" + stored + "'", "until " + shown, "until " + shown, "hadi " + inSwahili},
		{"replaced", linked + "'REPLACED'", "Stop the other one", "Another program uses this link", "Programu nyingine inatumia kiungo hiki"},
		{"outdated", linked + "'OUTDATED'", "Update it, then start again", "The server needs an update", "Mfumo unahitaji kusasishwa"},
		{"refused", linked + "'REFUSED'", "growing pauses", "WhatsApp turns the connection away", "WhatsApp inakataa muunganisho"},
		{"away", linked + "'RECONNECTING', reason_since = now() - interval '1 hour'", "internet connection", "No connection to WhatsApp since", "Hakuna muunganisho na WhatsApp tangu"},
		{"unlinked", ended + "'UNLINKED'", "not linked any more", "Your number is not linked any more", "Namba yako haijaunganishwa tena"},
		{"restricted", linked + "'RESTRICTED', state = 'CONNECTED', restricted_since = now(), restricted_until = '" + stored + "', restricted_number = '+255712000001'",
			"Connected, limited", "Until " + shown + " WhatsApp does not let it write first to new customers", "Hadi " + inSwahili + " WhatsApp hairuhusu"},
	} {
		t.Run(state.name, func(t *testing.T) {
			s.exec("UPDATE whatsapp_sessions SET state = 'DISCONNECTED', reason_since = now(), reason_until = NULL WHERE tenant_id = $1", tenant)
			s.exec("UPDATE whatsapp_sessions SET "+state.set+" WHERE tenant_id = $1", tenant)
			admin.get(tenantBase(tenant)).want(t, 200, state.admin)
			admin.get("/admin/tenants").want(t, 200, state.admin)
			for language, sentence := range map[string]string{"EN": state.english, "SW": state.swahili} {
				s.exec("UPDATE tenant_configs SET language = $2::language WHERE tenant_id = $1", tenant, language)
				owner.get("/portal").want(t, 200, sentence)
			}
		})
	}
	// The operator sees how many messages that holds back, and not one that answers.
	s.message(tenant, "held", queries.MessageDirectionOUT, time.Now())
	s.exec("UPDATE message_logs SET status = 'QUEUED'")
	admin.get(tenantBase(tenant)).want(t, 200, "message is held back")
	s.message(tenant, "a question", queries.MessageDirectionIN, time.Now())
	admin.get(tenantBase(tenant)).want(t, 200, "reply waiting to be sent")
}
