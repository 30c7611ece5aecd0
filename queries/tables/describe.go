package tables

// Group is a heading of the sidebar.
type Group string

// The groups, in the sidebar's order.
const (
	Business Group = "Business"
	Messages Group = "Messages"
	People   Group = "People"
	System   Group = "System"
)

// Groups lists them in order.
func Groups() []Group { return []Group{Business, Messages, People, System} }

// Description is what the catalogue cannot say about a table.
type Description struct {
	Name             string
	Singular, Plural string
	Group            Group
	Icon             string // of the sprite
	Title            string // SQL over the row r: what people call a record, for links to it
	As               string // how a filter on the other side of a one-to-one relation names it: "session" in session.state
	Search           []string
	Refs             map[string]string // relations that are no foreign keys of their own: column to table
	Order            string            // of the list at first: "-created_at" is newest first
	Key              []string          // instead of the primary key, where that is a secret
	Secret           []string          // never leave the server, not even to be filtered by
	Fixed            []string          // nobody edits these here; ["*"]: none of them
	AtCreation       []string          // fixed later, but chosen for a new record
	First            []string          // columns that stand before the others
	Hidden           []string          // not in the list until somebody asks for them
	Lines            []string          // text of several lines
	Phones           []string          // phone numbers, normalised on the way in
	Words            []string          // "~" and the search ask for words, by an index
	Labels           map[string]string
	List             string // the table's own page with a list; empty: the general one
	Page             string // a record's own page, with its key in place of %s; empty: the drawer
	NewPage          string // where new records are made; empty: the drawer
	Live             string // the kind of event on the live channel that tells of a changed row; empty: none
	Chart            string // an enum whose values are drawn over the list, through the time of its order; empty: no chart
	Right            string // what a role needs to change records here: "people" or "system"; empty: "records"
	Creatable        bool   // people make records here
	Deletable        bool   // and delete them
	Workers          bool   // a record stands for a tenant's worker, which can be started and stopped
}

// ours says of every table of ours what the catalogue cannot. A test fails when one is missing.
var ours = []Description{
	{
		Name: "tenants", Singular: "tenant", Plural: "Tenants", Group: Business, Icon: "layers", Title: "r.name",
		Search: []string{"name", "phone_number"}, Order: "-created_at", Fixed: []string{"id", "status", "shard", "approved_at", "closing_at", "closing_reason", "closing_runs", "closing_told", "created_at", "updated_at"},
		Hidden: []string{"approved_at", "closing_at", "closing_reason", "closing_runs", "closing_told", "updated_at"}, Phones: []string{"phone_number"}, List: "/admin/tenants", Page: "/admin/tenants/%s", NewPage: "/admin/tenants#new-tenant", Live: "tenant", Creatable: true, Deletable: true, Workers: true,
	},
	{
		Name: "tenant_configs", Singular: "bot setting", Plural: "Bot settings", Group: Business, Icon: "settings", Title: "r.business_name", As: "config",
		Search: []string{"business_name"}, Order: "-created_at", First: []string{"business_name"}, Fixed: []string{"id", "tenant_id", "settings_json", "created_at", "updated_at"}, Hidden: []string{"settings_json", "updated_at"},
		Labels: map[string]string{"hours_json": "Opening hours", "settings_json": "Its own words"}, Live: "tenant",
	},
	{
		Name: "bot_settings_versions", Singular: "version of bot settings", Plural: "Versions of bot settings", Group: Business, Icon: "clock", Title: "'Version ' || r.number",
		Order: "-created_at", First: []string{"tenant_id", "number", "changed_by"}, Fixed: []string{"*"}, Hidden: []string{"id", "user_id", "settings_json", "hours_json"},
		Labels: map[string]string{"settings_json": "Its own words", "hours_json": "Opening hours", "restored": "Brought back"},
	},
	{
		Name: "setup_requests", Singular: "set-up request", Plural: "Set-up requests", Group: Business, Icon: "clipboard-list", Title: "r.business_name",
		Search: []string{"business_name", "whatsapp_number", "notes"}, Order: "-created_at", First: []string{"business_name", "status", "whatsapp_number"}, Fixed: []string{"*"},
		Hidden: []string{"id", "notes", "hours_json", "reviewed_by", "reviewed_at", "told_active_at", "updated_at"}, Live: "row:setup_requests", Lines: []string{"notes", "reason"},
		Phones: []string{"whatsapp_number"}, Labels: map[string]string{"whatsapp_number": "WhatsApp number", "hours_json": "Opening hours", "told_active_at": "Told of being active"},
		List: "/admin/requests",
	},
	{
		Name: "message_logs", Singular: "message", Plural: "Messages", Group: Messages, Icon: "message-square", Title: "left(r.message_text, 80)",
		Search: []string{"message_text"}, Order: "-created_at", Fixed: []string{"*"}, Lines: []string{"message_text"}, Phones: []string{"from_number", "to_number"},
		Refs: map[string]string{"tenant_id": "tenants", "in_reply_to": "message_logs", "author_id": "users"}, Words: []string{"message_text"}, Live: "message", Deletable: true, First: []string{"message_text", "direction", "status"},
		Hidden: []string{"id", "seq", "conversation_id", "kind", "wa_message_id", "source", "decision", "intent", "failure", "in_reply_to", "attempts", "claim_epoch",
			"sent_at", "delivered_at", "read_at", "queued", "author_id"},
		Labels: map[string]string{"message_text": "Text", "from_number": "From", "to_number": "To", "wa_message_id": "WhatsApp id", "seq": "Order"},
	},
	{
		Name: "conversations", Singular: "conversation", Plural: "Conversations", Group: Messages, Icon: "message-circle", As: "conversation",
		Title: "(SELECT coalesce(nullif(c.name, ''), c.phone_number, 'Hidden number') FROM contacts c WHERE c.id = r.contact_id)",
		Order: "-created_at", First: []string{"contact_id"}, Fixed: []string{"id", "tenant_id", "contact_id", "last_message_at", "unread", "handoff_at", "paused_at", "paused_until", "paused_by", "created_at", "updated_at"},
		Hidden: []string{"id", "state_json", "paused_until", "paused_by", "updated_at"}, Refs: map[string]string{"paused_by": "users"}, Live: "chat", Deletable: true,
		Labels: map[string]string{"state_json": "Bot's state", "handoff_at": "Asked for a person", "paused_at": "Taken over", "paused_until": "Taken over until", "paused_by": "Taken over by"},
	},
	{
		Name: "contacts", Singular: "contact", Plural: "Contacts", Group: Messages, Icon: "user", Title: "coalesce(nullif(r.name, ''), r.phone_number, 'Hidden number')",
		Search: []string{"name", "phone_number"}, Order: "-created_at", First: []string{"name", "phone_number"}, Fixed: []string{"id", "tenant_id", "lid", "labels", "created_at", "updated_at"}, AtCreation: []string{"tenant_id"},
		Hidden: []string{"id", "lid", "updated_at"}, Phones: []string{"phone_number"}, Labels: map[string]string{"lid": "LID"}, Creatable: true, Deletable: true,
	},
	{
		Name: "contact_notes", Singular: "note", Plural: "Notes on contacts", Group: Messages, Icon: "sticky-note", Title: "left(r.body, 80)", Search: []string{"body"}, Order: "-created_at",
		First: []string{"body", "contact_id"}, Fixed: []string{"id", "tenant_id", "contact_id", "author_id", "created_at"}, Refs: map[string]string{"author_id": "users"}, Hidden: []string{"id"}, Lines: []string{"body"},
		Labels: map[string]string{"body": "Note"}, Deletable: true,
	},
	{
		Name: "canned_answers", Singular: "quick answer", Plural: "Quick answers", Group: Business, Icon: "zap", Title: "r.title", Search: []string{"title", "body"}, Order: "-created_at",
		First: []string{"title", "body"}, Fixed: []string{"id", "tenant_id", "created_at", "updated_at"}, Hidden: []string{"id", "updated_at"}, Lines: []string{"body"}, Labels: map[string]string{"body": "Answer"}, Deletable: true,
	},
	{
		Name: "unlogged_messages", Singular: "unlogged message", Plural: "Unlogged messages", Group: Messages, Icon: "triangle-alert", Title: "r.wa_message_id",
		Search: []string{"name", "phone_number"}, Order: "-first_seen_at", First: []string{"wa_message_id", "reason"}, Fixed: []string{"*"}, Phones: []string{"phone_number"},
		Hidden: []string{"lid", "detail"}, Labels: map[string]string{"lid": "LID", "wa_message_id": "WhatsApp id"},
	},
	{
		Name: "users", Singular: "user", Plural: "Users", Group: People, Icon: "user", Title: "r.name",
		Search: []string{"name", "email", "phone"}, Order: "-created_at", First: []string{"name", "email", "role", "admin_role"}, Secret: []string{"password_hash"}, Fixed: []string{"id", "tenant_id", "role", "created_at", "updated_at"},
		Hidden: []string{"id", "updated_at"}, Live: "row:users", Phones: []string{"phone"}, Labels: map[string]string{"email": "E-mail", "role": "Account", "admin_role": "Role"},
		Right: "people", Creatable: true, Deletable: true,
	},
	{
		Name: "admin_roles", Singular: "role", Plural: "Roles", Group: People, Icon: "shield", Title: "r.name", Search: []string{"name", "description"}, Order: "name",
		Fixed: []string{"name"}, AtCreation: []string{"name"}, Right: "people", Creatable: true, Deletable: true,
		Labels: map[string]string{"workers": "Starts, stops and links numbers", "messages": "Writes to customers", "records": "Changes tenants and records",
			"people": "Changes people, roles and keys", "system": "Changes jobs and settings"},
	},
	{
		Name: "user_sessions", Singular: "sign-in", Plural: "Sign-ins", Group: People, Icon: "log-in", Title: "'Sign-in of ' || to_char(r.created_at, 'DD Mon YYYY')",
		Order: "-created_at", Key: []string{"id"}, Secret: []string{"token_hash", "data"}, Fixed: []string{"*"}, Hidden: []string{"id"}, Right: "people", Deletable: true,
	},
	{
		Name: "one_time_links", Singular: "one-time link", Plural: "One-time links", Group: People, Icon: "link", Title: "r.purpose::text",
		Search: []string{"email", "name"}, Order: "-created_at", Secret: []string{"token_hash"}, Fixed: []string{"*"}, Hidden: []string{"id"}, Right: "people", Deletable: true,
		Labels: map[string]string{"email": "E-mail"}, List: "/admin/links",
	},
	{
		Name: "api_keys", Singular: "API key", Plural: "API keys", Group: People, Icon: "key-round", Title: "r.label",
		Search: []string{"label"}, Order: "-created_at", Secret: []string{"key_hash"}, Fixed: []string{"id", "tenant_id", "created_at", "last_used_at", "revoked_at"}, Hidden: []string{"id"},
		Live: "row:api_keys", List: "/admin/keys", NewPage: "/admin/keys", Right: "people", Creatable: true,
	},
	{
		Name: "settings", Singular: "row of settings", Plural: "Settings", Group: System, Icon: "settings", Title: "'Settings'", Order: "-updated_at", Secret: []string{"mail_password"},
		Fixed: []string{"*"}, Hidden: []string{"id", "one"}, Right: "system", List: "/admin/settings",
	},
	{
		Name: "whatsapp_sessions", Singular: "session", Plural: "Sessions", Group: System, Icon: "smartphone", As: "session", Title: "coalesce(r.push_name, r.jid, 'Not linked')",
		Search: []string{"push_name", "jid"}, Order: "-created_at", First: []string{"tenant_id", "state", "reason", "push_name", "jid"}, Secret: []string{"last_qr", "pair_code"}, Fixed: []string{"*"},
		Hidden: []string{"id", "reason_until", "reason_detail", "lid", "qr_expires_at", "pair_code_expires_at", "watched_until", "connected_at", "created_at", "updated_at",
			"restricted_since", "restricted_until", "restricted_checks", "restricted_number"},
		Phones: []string{"restricted_number"}, Labels: map[string]string{"jid": "Linked as", "lid": "LID", "restricted_until": "Limited until"}, Live: "session",
	},
	{
		Name: "worker_processes", Singular: "worker", Plural: "Workers", Group: System, Icon: "activity", As: "worker", Title: "coalesce(nullif(r.process_name, ''), 'Idle worker')",
		Search: []string{"process_name", "last_error"}, Order: "-created_at", First: []string{"tenant_id", "status", "desired", "process_name"}, Fixed: []string{"*"}, Lines: []string{"last_error"}, Hidden: []string{"id", "created_at", "updated_at"}, Live: "worker", Workers: true,
	},
	{
		Name: "nodes", Singular: "node", Plural: "Nodes", Group: System, Icon: "monitor", Title: "r.name", Search: []string{"name"}, Order: "-last_seen_at", Fixed: []string{"*"}, Hidden: []string{"process"},
	},
	{Name: "shards", Singular: "shard", Plural: "Shards", Group: System, Icon: "list-checks", Title: "'Shard ' || r.id", Order: "id", Fixed: []string{"*"}},
	{
		Name: "portal_event_logs", Singular: "event", Plural: "Events", Group: System, Icon: "info", Title: "r.event_type", Search: []string{"event_type"}, Order: "-created_at",
		First: []string{"event_type"}, Fixed: []string{"*"}, Hidden: []string{"id"}, Labels: map[string]string{"payload_json": "Details", "event_type": "Event"}, Live: "event",
	},
	{
		Name: "logs", Singular: "log entry", Plural: "Logs", Group: System, Icon: "file-text", Title: "left(r.message, 80)", Search: []string{"message", "path", "request_id"}, Order: "-created_at",
		First: []string{"message", "level", "created_at", "status", "took_ms", "who", "node"}, Fixed: []string{"*"}, Chart: "level",
		Hidden: []string{"id", "kind", "method", "path", "bytes", "ip", "request_id", "attributes", "dropped"},
		Labels: map[string]string{"created_at": "When", "took_ms": "Took, ms", "bytes": "Bytes sent", "ip": "IP address", "request_id": "Request"},
	},
	{
		Name: "message_hours", Singular: "hour of messages", Plural: "Messages per hour", Group: System, Icon: "activity", Title: "to_char(r.hour, 'DD Mon YYYY HH24:MI')", Order: "-hour",
		Fixed: []string{"*"}, Hidden: []string{"answers", "waited_under_1", "waited_under_2", "waited_under_3", "waited_under_5", "waited_under_10", "waited_under_30", "waited_under_60",
			"waited_under_300"},
	},
	{
		Name: "counted_hours", Singular: "counted hour", Plural: "Counted hours", Group: System, Icon: "clock", Title: "to_char(r.hour, 'DD Mon YYYY HH24:MI')", Order: "-hour", Fixed: []string{"*"},
	},
	{
		Name: "audit_log", Singular: "change", Plural: "Audit log", Group: System, Icon: "list-checks", Title: "r.record_title", Search: []string{"actor_name", "record_title", "changed"},
		Order: "-created_at", First: []string{"created_at", "actor_name", "actor_kind", "action", "table_name", "record_title", "changed"}, Fixed: []string{"*"},
		Hidden: []string{"id", "actor_id", "request_id", "record_key", "before", "after"}, Refs: map[string]string{"tenant_id": "tenants"},
		Labels: map[string]string{"created_at": "When", "actor_name": "Who", "actor_kind": "As", "actor_id": "Who, by id", "ip": "From", "request_id": "Request", "action": "Did",
			"table_name": "Table", "record_title": "Record", "record_key": "Record's key"}, Live: "row:audit_log",
	},
	{
		Name: "login_throttles", Singular: "sign-in block", Plural: "Sign-in blocks", Group: System, Icon: "shield", Title: "r.key", Search: []string{"key"}, Order: "-last_failed_at", Fixed: []string{"*"}, Right: "people", Deletable: true,
	},
	{
		Name: "idempotency_keys", Singular: "idempotency key", Plural: "Idempotency keys", Group: System, Icon: "key-round", Title: "r.key", Order: "-created_at",
		Secret: []string{"request_hash"}, Fixed: []string{"*"},
	},
	{
		Name: "prekey_blocks", Singular: "block of prekeys", Plural: "Blocks of prekeys", Group: System, Icon: "key-round", Title: "r.jid", Search: []string{"jid"}, Order: "jid",
		Secret: []string{"keys"}, Fixed: []string{"*"}, Labels: map[string]string{"jid": "Device", "first_id": "First key"},
	},
	{
		Name: "bulk_runs", Singular: "bulk run", Plural: "Bulk runs", Group: System, Icon: "list-checks", Title: "initcap(r.action::text) || ' of ' || r.table_name", Search: []string{"asked_by", "table_name"},
		Order: "-created_at", First: []string{"action", "table_name", "state", "total", "done", "failed", "asked_by"}, Secret: []string{"keys", "place", "actor"}, Fixed: []string{"*"}, Page: "/admin/bulk/%s", Live: "row:bulk_runs",
		Hidden: []string{"id", "user_id", "filter", "zone", "changes", "gone", "below_total", "below_done", "failures", "error", "ended_by", "started_at", "updated_at"},
		Labels: map[string]string{"table_name": "Table", "total": "Records", "below_total": "Records with them", "below_done": "Of them removed"},
	},
	{
		Name: "job_runs", Singular: "last run", Plural: "Last runs of jobs", Group: System, Icon: "clock", Title: "r.kind", Order: "kind", First: []string{"kind", "began_at", "finished_at", "error"},
		Fixed: []string{"*"}, Hidden: []string{"id"}, Live: "row:job_runs",
	},
	{
		Name: "imports", Singular: "import", Plural: "Imports", Group: System, Icon: "file-text", Title: "r.file_name", Search: []string{"asked_by", "file_name", "table_name"},
		Order: "-created_at", First: []string{"file_name", "table_name", "state", "total", "created", "changed", "unchanged", "refused", "asked_by"}, Secret: []string{"actor"}, Fixed: []string{"*"},
		Page: "/admin/imports/%s", Live: "row:imports", Labels: map[string]string{"file_name": "File", "table_name": "Table", "total": "Rows", "place": "Rows worked"},
		Hidden: []string{"id", "user_id", "header", "mapping", "attempt", "place", "error", "ended_by", "started_at", "updated_at"},
	},
	{
		Name: "import_rows", Singular: "row of an import", Plural: "Rows of imports", Group: System, Icon: "list-checks", Title: "'Line ' || r.line", Order: "-import_id", First: []string{"import_id", "line", "outcome"},
		Fixed: []string{"*"}, Hidden: []string{"number", "fault", "claims"}, Labels: map[string]string{"record_key": "Record's key"},
	},
	{
		Name: "saved_views", Singular: "saved view", Plural: "Saved views", Group: System, Icon: "eye", Title: "r.name", Search: []string{"name", "table_name"}, Order: "-created_at",
		Fixed: []string{"id", "user_id", "table_name", "query", "created_at"}, Hidden: []string{"id"}, Deletable: true,
	},
	{
		Name: "admin_preferences", Singular: "preference", Plural: "Preferences", Group: System, Icon: "settings", Title: "r.key", Search: []string{"key"}, Order: "key", Fixed: []string{"*"}, Deletable: true,
	},
}
