package routes

// APIPrefix is where the JSON API lives. Its description, openapi.json, lists the same routes; a test compares the two.
const APIPrefix = "/api/v1"

// apiRoutes are the JSON API. Programs sign in with a key and never with a cookie, so no page of another origin can make a
// browser call them in somebody's name; nothing here allows cross-origin calls either.
func (s *server) apiRoutes() []route {
	const tenant = APIPrefix + "/tenants/:id"
	return []route{
		{"GET", APIPrefix + "/openapi.json", open, s.apiDescription},
		{"GET", APIPrefix + "/tenants", apiKey, s.apiTenantList},
		{"POST", APIPrefix + "/tenants", apiKey, s.apiTenantCreate},
		{"GET", tenant, apiKey, s.apiTenantGet},
		{"PATCH", tenant, apiKey, s.apiTenantUpdate},
		{"DELETE", tenant, apiKey, s.apiTenantDelete},
		{"POST", tenant + "/worker/start", apiKey, s.apiWorker(s.Commands.StartWorker)},
		{"POST", tenant + "/worker/stop", apiKey, s.apiWorker(s.Commands.StopWorker)},
		{"POST", tenant + "/worker/restart", apiKey, s.apiWorker(s.Commands.RestartWorker)},
		{"POST", tenant + "/worker/logout", apiKey, s.apiWorker(s.Commands.LogoutWorker)},
		{"GET", tenant + "/qr", apiKey, s.apiQR},
		{"POST", tenant + "/pair-code", apiKey, s.apiPairCode},
		{"GET", tenant + "/events", apiKey, s.apiEvents},
		{"GET", tenant + "/messages", apiKey, s.apiMessageList},
		{"POST", tenant + "/messages", apiKey, s.apiMessageSend},
		{"GET", tenant + "/setup-requests", apiKey, s.apiSetupRequestList},
		{"POST", APIPrefix + "/setup-requests/:id/approve", apiKey, s.apiSetupApprove},
		{"POST", APIPrefix + "/setup-requests/:id/reject", apiKey, s.apiSetupReject},
	}
}
