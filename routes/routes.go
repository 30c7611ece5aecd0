package routes

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"flowhq/queries"
)

// role says who may call a route.
type role int

const (
	open          role = iota // anyone, without a browser session: assets, health
	anyone                    // anyone; who is signed in, if somebody is, is known
	signedIn                  // any person with a session
	admin                     // people with role ADMIN, whatever their rights: for looking
	self                      // the same, for what concerns nobody but themselves
	rightWorkers              // those of them whose row in admin_roles has this right …
	rightMessages             // … or this one
	rightRecords
	rightPeople
	rightSystem
	byTable   // … or the one that the path's table needs
	portal    // people with role OWNER or STAFF, each in their own tenant, once that is approved
	owner     // of those, the OWNER
	member    // OWNER or STAFF, approved or not
	applicant // OWNER, approved or not
	apiKey    // programs with an API key
	portalKey // another front end, with PORTAL_INTERNAL_KEY, in the name of a person
)

const anyMethod = "ALL"

// route is one line of the table: every request that is answered at all is answered by one of these.
type route struct {
	method string
	path   string
	role   role
	handle fiber.Handler
}

// table lists every route. A test walks it with every role. A process that is not for people has only operations.
func (s *server) table() []route {
	operations := []route{
		{"GET", "/healthz", open, s.healthz},
		{"GET", "/readyz", open, s.readyz},
		{"GET", "/metrics", open, s.metrics},
	}
	if s.OperationsOnly {
		return operations
	}
	return slices.Concat(operations, []route{
		{"GET", "/", anyone, s.home},
		{"GET", "/login", anyone, s.loginPage},
		{"POST", "/login", anyone, s.login},
		{"POST", "/logout", anyone, s.logout},
		{"POST", "/language", anyone, s.languageChange},
		{"GET", "/logout-everywhere", signedIn, s.logoutEverywherePage},
		{"POST", "/logout-everywhere", signedIn, s.logoutEverywhere},
		{"GET", "/setup/:token", anyone, s.setupPage},
		{"POST", "/setup/:token", anyone, s.setup},
		{"GET", "/signup", anyone, s.signUpPage},
		{"POST", "/signup", anyone, s.signUp},
		{"GET", "/signup/sent", anyone, s.signUpSent},
		{"GET", "/forgot", anyone, s.forgotPage},
		{"POST", "/forgot", anyone, s.forgot},
		{"GET", "/forgot/sent", anyone, s.forgotSent},
		{"GET", "/invite/:token", anyone, s.passwordLinkPage(queries.LinkPurposeSETPASSWORD)},
		{"POST", "/invite/:token", anyone, s.passwordLinkUse(queries.LinkPurposeSETPASSWORD)},
		{"GET", "/verify/:token", anyone, s.passwordLinkPage(queries.LinkPurposeSIGNUP)},
		{"POST", "/verify/:token", anyone, s.passwordLinkUse(queries.LinkPurposeSIGNUP)},
		{"GET", "/reset/:token", anyone, s.passwordLinkPage(queries.LinkPurposeRESETPASSWORD)},
		{"POST", "/reset/:token", anyone, s.passwordLinkUse(queries.LinkPurposeRESETPASSWORD)},
		{"GET", "/email/:token", anyone, s.emailConfirmPage},
		{"POST", "/email/:token", anyone, s.emailConfirm},

		{"GET", "/admin", admin, s.overviewPage},
		{"GET", "/admin/overview/stream", admin, s.overviewStream},
		{"GET", "/admin/stream", admin, s.tenantsStream},
		{"GET", "/admin/tenants", admin, s.tenantsPage},
		{"POST", "/admin/tenants", rightRecords, s.tenantCreate},
		{"GET", "/admin/tenants/:id", admin, s.tenantPage},
		{"GET", "/admin/tenants/:id/stream", admin, s.tenantStream},
		{"GET", "/admin/tenants/:id/ledger", admin, s.tenantLedger},
		{"GET", "/admin/tenants/:id/messages", admin, s.tenantMessages},
		{"POST", "/admin/tenants/:id/messages", rightMessages, s.tenantSend},
		{"GET", "/admin/tenants/:id/chats", admin, s.atTenant(s.listInbox)},
		{"GET", "/admin/tenants/:id/chats/stream", admin, s.atTenant(s.streamInbox)},
		{"GET", "/admin/tenants/:id/chats/:chat", admin, s.atTenant(s.tenantChat)},
		{"GET", "/admin/tenants/:id/chats/:chat/older", admin, s.atTenant(s.olderLines)},
		{"POST", "/admin/tenants/:id/chats/:chat/answer", rightMessages, s.atTenant(s.answerChat)},
		{"GET", "/admin/tenants/:id/events", admin, s.tenantEvents},
		{"POST", "/admin/tenants/:id/config", rightRecords, s.tenantConfig},
		{"POST", "/admin/tenants/:id/worker/:action", rightWorkers, s.tenantWorker},
		{"POST", "/admin/tenants/:id/pair-code", rightWorkers, s.tenantPairCode},
		{"POST", "/admin/tenants/:id/people", rightPeople, s.personCreate},
		{"POST", "/admin/tenants/:id/people/:user/invite", rightPeople, s.personInvite},
		{"POST", "/admin/tenants/:id/people/:user/remove", rightPeople, s.personRemove},
		{"POST", "/admin/tenants/:id/delete", rightRecords, s.tenantDelete},
		{"POST", "/admin/tenants/:id/keep", rightRecords, s.tenantKeep},
		{"GET", "/admin/ledger", admin, s.ledgerPage},
		{"GET", "/admin/requests", admin, s.requestsPage},
		{"GET", "/admin/requests/stream", admin, s.requestsStream},
		{"POST", "/admin/requests", rightRecords, s.requestsAnswer},
		{"GET", "/admin/links", admin, s.linksPage},
		{"POST", "/admin/links/:link/show", rightPeople, s.linkShow},
		{"GET", "/admin/settings", admin, s.settingsPage},
		{"GET", "/admin/settings/stream", admin, s.settingsStream},
		{"POST", "/admin/settings/mail/test", rightSystem, s.mailTestSend},
		{"POST", "/admin/settings/jobs/:kind/run", rightSystem, s.jobRun},
		{"POST", "/admin/settings/:section", rightSystem, s.settingsSave},
		{"GET", "/admin/keys", admin, s.keysPage},
		{"POST", "/admin/keys", rightPeople, s.keyCreate},
		{"POST", "/admin/keys/:id/revoke", rightPeople, s.keyRevoke},
		{"GET", "/admin/data/:table", admin, s.dataPage},
		{"POST", "/admin/data/:table", byTable, s.recordCreate},
		{"GET", "/admin/data/:table/stream", admin, s.dataStream},
		{"GET", "/admin/data/:table/count", admin, s.dataCount},
		{"GET", "/admin/data/:table/chart", admin, s.dataChart},
		{"GET", "/admin/data/:table/pick", admin, s.pick},
		{"POST", "/admin/data/:table/columns", self, s.columnsChange},
		{"POST", "/admin/data/:table/views", self, s.viewSave},
		{"GET", "/admin/data/:table/export", admin, s.dataExport},
		{"POST", "/admin/data/:table/export", admin, s.dataExport},
		{"POST", "/admin/data/:table/bulk/ask", admin, s.bulkAsk}, // what it takes depends on the action; see bulkRight
		{"POST", "/admin/data/:table/bulk", admin, s.bulkRunCreate},
		{"GET", "/admin/bulk/:id", admin, s.bulkRunPage},
		{"GET", "/admin/bulk/:id/stream", admin, s.bulkRunStream},
		{"POST", "/admin/bulk/:id/cancel", admin, s.bulkRunCancel},
		{"GET", "/admin/data/:table/import", byTable, s.importUploadPage},
		{"POST", "/admin/data/:table/import", byTable, s.importUpload},
		{"GET", "/admin/imports/:id", admin, s.importPage}, // to change one takes what its table takes; see importToChange
		{"GET", "/admin/imports/:id/stream", admin, s.importStream},
		{"GET", "/admin/imports/:id/rows", admin, s.importMore},
		{"GET", "/admin/imports/:id/refused.csv", admin, s.importRefused},
		{"POST", "/admin/imports/:id/mapping", admin, s.importCheck},
		{"POST", "/admin/imports/:id/start", admin, s.importStart},
		{"POST", "/admin/imports/:id/cancel", admin, s.importCancel},
		{"GET", "/admin/data/:table/new", byTable, s.recordNew},
		{"GET", "/admin/data/:table/row/:key", admin, s.dataRowOne},
		{"GET", "/admin/data/:table/record/:key", admin, s.recordPage},
		{"POST", "/admin/data/:table/record/:key", byTable, s.recordSave},
		{"GET", "/admin/data/:table/record/:key/json", admin, s.recordJSON},
		{"GET", "/admin/data/:table/record/:key/delete", byTable, s.recordDeleteAsk},
		{"POST", "/admin/data/:table/record/:key/delete", byTable, s.recordDelete},
		{"POST", "/admin/views/:id/delete", self, s.viewDelete},
		{"POST", "/admin/pins/:table", self, s.pinToggle},
		{"GET", "/admin/account", admin, s.adminAccountPage},
		{"POST", "/admin/account/password", self, s.passwordChange},
		{anyMethod, JobsPrefix, admin, s.jobsDashboard},
		{anyMethod, JobsPrefix + "/*", admin, s.jobsDashboard},

		{"GET", "/portal", portal, s.portalHome},
		{"GET", "/portal/stream", portal, s.portalStream},
		{"GET", "/portal/messages", portal, s.portalMessages},
		{"GET", "/portal/numbers", portal, s.portalNumbers},
		{"GET", "/portal/inbox", portal, s.inboxPage},
		{"GET", "/portal/inbox/stream", portal, s.inboxStream},
		{"GET", "/portal/inbox/:chat", portal, s.threadPage},
		{"GET", "/portal/inbox/:chat/older", portal, s.threadOlder},
		{"POST", "/portal/inbox/:chat/answer", portal, s.chatAnswer},
		{"POST", "/portal/inbox/:chat/take-over", portal, s.chatTakeOver},
		{"POST", "/portal/inbox/:chat/hand-back", portal, s.chatHandBack},
		{"POST", "/portal/inbox/:chat/read", portal, s.chatRead},
		{"POST", "/portal/inbox/:chat/notes", portal, s.noteAdd},
		{"POST", "/portal/inbox/:chat/notes/:note/remove", portal, s.noteRemove},
		{"POST", "/portal/inbox/:chat/labels", portal, s.labelAdd},
		{"POST", "/portal/inbox/:chat/labels/remove", portal, s.labelRemove},
		{"POST", "/portal/inbox/:chat/name", portal, s.contactName},
		{"POST", "/portal/inbox/:chat/opt", portal, s.contactOpt},
		{"GET", "/portal/customers", portal, s.customersPage},
		{"POST", "/portal/customers", portal, s.customerAdd},
		{"GET", "/portal/customers/export", portal, s.customersExport},
		{"GET", "/portal/customers/import", portal, s.customersImportPage},
		{"POST", "/portal/customers/import", portal, s.customersImport},
		{"GET", "/portal/canned", portal, s.cannedPage},
		{"POST", "/portal/canned", portal, s.cannedAdd},
		{"POST", "/portal/canned/:canned", portal, s.cannedChange},
		{"POST", "/portal/canned/:canned/remove", portal, s.cannedRemove},
		{"GET", "/portal/events", portal, s.portalEvents},
		{"POST", "/portal/test", portal, s.portalTest},
		{"GET", "/portal/bot", portal, s.portalBot},
		{"POST", "/portal/bot", owner, s.portalBotSave},
		{"POST", "/portal/bot/rows", owner, s.portalBotRows},
		{"POST", "/portal/bot/preview", portal, s.portalBotPreview},
		{"GET", "/portal/bot/history", portal, s.portalBotHistory},
		{"GET", "/portal/bot/history/:version", portal, s.portalBotVersion},
		{"POST", "/portal/bot/history/:version/restore", owner, s.portalBotRestore},
		{"GET", "/portal/account", member, s.portalAccountPage},
		{"POST", "/portal/account/password", member, s.passwordChange},
		{"POST", "/portal/account/email", member, s.emailChange},
		{"POST", "/portal/account/devices/:session/end", member, s.deviceEnd},
		{"GET", "/portal/data", member, s.dataOfTenantPage},
		{"GET", "/portal/data/download", applicant, s.dataDownload},
		{"POST", "/portal/data/close", applicant, s.accountClose},
		{"POST", "/portal/data/keep", applicant, s.accountKeep},
		{"GET", "/portal/people", owner, s.portalPeoplePage},
		{"POST", "/portal/people", owner, s.portalPersonInvite},
		{"POST", "/portal/people/:user/invite", owner, s.portalPersonLink},
		{"POST", "/portal/people/:user/remove", owner, s.portalPersonRemove},
		{"GET", "/portal/setup", applicant, s.portalSetupPage},
		{"GET", "/portal/setup/stream", applicant, s.portalSetupStream},
		{"POST", "/portal/setup", applicant, s.portalSetupSend},
		{"POST", "/portal/worker/start", portal, s.portalStart},
		{"POST", "/portal/pair-code", portal, s.portalPairCode},

		{"GET", "/assets/*", open, s.assets},
		{"GET", "/brand/:file", open, s.brand},
	}, s.demoRoutes(), s.apiRoutes(), s.portalKeyRoutes(), []route{
		{anyMethod, "/portal/*", anyone, s.portalNothing},
	})
}
