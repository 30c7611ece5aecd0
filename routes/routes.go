package routes

import (
	"slices"

	"github.com/gofiber/fiber/v2"
)

// role says who may call a route.
type role int

const (
	open     role = iota // anyone, without a browser session: assets, health
	anyone               // anyone; who is signed in, if somebody is, is known
	signedIn             // any person with a session
	admin                // people with role ADMIN
	portal               // people with role OWNER or STAFF, each in their own tenant
	apiKey               // programs with an API key
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
		{"GET", "/invite/:token", anyone, s.invitePage},
		{"POST", "/invite/:token", anyone, s.invite},

		{"GET", "/admin", admin, s.adminHome},
		{"GET", "/admin/stream", admin, s.tenantsStream},
		{"GET", "/admin/tenants", admin, s.tenantsPage},
		{"POST", "/admin/tenants", admin, s.tenantCreate},
		{"GET", "/admin/tenants/:id", admin, s.tenantPage},
		{"GET", "/admin/tenants/:id/stream", admin, s.tenantStream},
		{"GET", "/admin/tenants/:id/ledger", admin, s.tenantLedger},
		{"GET", "/admin/tenants/:id/messages", admin, s.tenantMessages},
		{"POST", "/admin/tenants/:id/messages", admin, s.tenantSend},
		{"GET", "/admin/tenants/:id/events", admin, s.tenantEvents},
		{"POST", "/admin/tenants/:id/config", admin, s.tenantConfig},
		{"POST", "/admin/tenants/:id/worker/:action", admin, s.tenantWorker},
		{"POST", "/admin/tenants/:id/pair-code", admin, s.tenantPairCode},
		{"POST", "/admin/tenants/:id/people", admin, s.personCreate},
		{"POST", "/admin/tenants/:id/people/:user/invite", admin, s.personInvite},
		{"POST", "/admin/tenants/:id/people/:user/remove", admin, s.personRemove},
		{"POST", "/admin/tenants/:id/delete", admin, s.tenantDelete},
		{"GET", "/admin/ledger", admin, s.ledgerPage},
		{"GET", "/admin/keys", admin, s.keysPage},
		{"POST", "/admin/keys", admin, s.keyCreate},
		{"POST", "/admin/keys/:id/revoke", admin, s.keyRevoke},
		{"GET", "/admin/account", admin, s.adminAccountPage},
		{"POST", "/admin/account/password", admin, s.passwordChange},
		{anyMethod, JobsPrefix, admin, s.jobsDashboard},
		{anyMethod, JobsPrefix + "/*", admin, s.jobsDashboard},

		{"GET", "/portal", portal, s.portalHome},
		{"GET", "/portal/stream", portal, s.portalStream},
		{"GET", "/portal/messages", portal, s.portalMessages},
		{"GET", "/portal/events", portal, s.portalEvents},
		{"GET", "/portal/account", portal, s.portalAccountPage},
		{"POST", "/portal/account/password", portal, s.passwordChange},
		{"POST", "/portal/worker/start", portal, s.portalStart},
		{"POST", "/portal/pair-code", portal, s.portalPairCode},

		{"GET", "/assets/*", open, s.assets},
	}, s.demoRoutes(), s.apiRoutes(), []route{
		{anyMethod, "/portal/*", anyone, s.portalNothing},
	})
}
