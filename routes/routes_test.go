package routes

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flowhq/queries"
)

// who calls a route in the table test.
const (
	stranger = iota
	asAdmin
	asOwner
	asStaff
	asProgram
	callers
)

var callerNames = [callers]string{"signed out", "admin", "owner", "staff", "API key"}

// lesser gives the status of the admin's routes for the roles support and read-only where it may be another than the admin's: each route that
// changes something must be here.
var lesser = map[string][2]int{
	"POST /admin/tenants":                         {403, 403},
	"POST /admin/tenants/:id/messages":            {403, 403},
	"POST /admin/tenants/:id/chats/:chat/answer":  {403, 403},
	"POST /admin/tenants/:id/config":              {403, 403},
	"POST /admin/tenants/:id/worker/:action":      {409, 403}, // the admin has started it already
	"POST /admin/tenants/:id/pair-code":           {422, 403},
	"POST /admin/tenants/:id/people":              {403, 403},
	"POST /admin/tenants/:id/people/:user/invite": {403, 403},
	"POST /admin/tenants/:id/people/:user/remove": {403, 403},
	"POST /admin/tenants/:id/delete":              {403, 403},
	"POST /admin/tenants/:id/keep":                {403, 403},
	"POST /admin/tenants/:id/demo-scan":           {409, 403},
	"POST /admin/keys":                            {403, 403},
	"POST /admin/settings/:section":               {403, 403},
	"POST /admin/settings/mail/test":              {403, 403},
	"POST /admin/settings/jobs/:kind/run":         {403, 403},
	"POST /admin/keys/:id/revoke":                 {403, 403},
	"POST /admin/requests":                        {403, 403},
	"POST /admin/links/:link/show":                {403, 403},
	"POST /admin/data/:table":                     {403, 403},
	"POST /admin/data/:table/export":              {422, 422},
	"POST /admin/data/:table/bulk/ask":            {405, 403},
	"POST /admin/data/:table/bulk":                {405, 403},
	"POST /admin/bulk/:id/cancel":                 {404, 404},
	"GET /admin/data/:table/import":               {403, 403},
	"POST /admin/data/:table/import":              {403, 403},
	"POST /admin/imports/:id/mapping":             {404, 404},
	"POST /admin/imports/:id/start":               {404, 404},
	"POST /admin/imports/:id/cancel":              {404, 404},
	"POST /admin/data/:table/columns":             {422, 422}, // their own
	"POST /admin/data/:table/views":               {422, 422},
	"GET /admin/data/:table/new":                  {403, 403},
	"POST /admin/data/:table/record/:key":         {403, 403},
	"GET /admin/data/:table/record/:key/delete":   {403, 403},
	"POST /admin/data/:table/record/:key/delete":  {403, 403},
	"POST /admin/views/:id/delete":                {404, 404},
	"POST /admin/pins/:table":                     {303, 303},
	"POST /admin/account/password":                {422, 422},
}

// expected gives the status of each route for: signed out, admin, owner, staff, API key.
var expected = map[string][callers]int{
	"GET /":                                       {303, 303, 303, 303, 303},
	"GET /login":                                  {200, 303, 303, 303, 200},
	"POST /login":                                 {422, 422, 422, 422, 422},
	"POST /logout":                                {303, 303, 303, 303, 303},
	"POST /language":                              {303, 303, 303, 303, 303},
	"GET /logout-everywhere":                      {303, 200, 200, 200, 303},
	"POST /logout-everywhere":                     {303, 303, 303, 303, 303},
	"GET /setup/:token":                           {410, 410, 410, 410, 410},
	"POST /setup/:token":                          {410, 410, 410, 410, 410},
	"GET /signup":                                 {200, 303, 303, 303, 200},
	"POST /signup":                                {422, 422, 422, 422, 422},
	"GET /signup/sent":                            {200, 200, 200, 200, 200},
	"GET /forgot":                                 {200, 200, 200, 200, 200},
	"POST /forgot":                                {422, 422, 422, 422, 422},
	"GET /forgot/sent":                            {200, 200, 200, 200, 200},
	"GET /verify/:token":                          {410, 410, 410, 410, 410},
	"POST /verify/:token":                         {410, 410, 410, 410, 410},
	"GET /reset/:token":                           {410, 410, 410, 410, 410},
	"POST /reset/:token":                          {410, 410, 410, 410, 410},
	"GET /email/:token":                           {410, 410, 410, 410, 410},
	"POST /email/:token":                          {410, 410, 410, 410, 410},
	"GET /invite/:token":                          {410, 410, 410, 410, 410},
	"POST /invite/:token":                         {410, 410, 410, 410, 410},
	"GET /admin":                                  {303, 200, 403, 403, 303},
	"GET /admin/overview/stream":                  {401, 200, 403, 403, 401},
	"GET /admin/stream":                           {401, 200, 403, 403, 401},
	"GET /admin/tenants":                          {303, 200, 403, 403, 303},
	"POST /admin/tenants":                         {303, 422, 403, 403, 303},
	"GET /admin/tenants/:id":                      {303, 200, 403, 403, 303},
	"GET /admin/tenants/:id/stream":               {401, 200, 403, 403, 401},
	"GET /admin/tenants/:id/ledger":               {303, 200, 403, 403, 303},
	"GET /admin/tenants/:id/messages":             {303, 200, 403, 403, 303},
	"POST /admin/tenants/:id/messages":            {303, 422, 403, 403, 303},
	"GET /admin/tenants/:id/chats":                {303, 200, 403, 403, 303},
	"GET /admin/tenants/:id/chats/stream":         {401, 200, 403, 403, 401},
	"GET /admin/tenants/:id/chats/:chat":          {303, 404, 403, 403, 303},
	"GET /admin/tenants/:id/chats/:chat/older":    {303, 404, 403, 403, 303},
	"POST /admin/tenants/:id/chats/:chat/answer":  {303, 404, 403, 403, 303},
	"GET /admin/tenants/:id/events":               {303, 200, 403, 403, 303},
	"POST /admin/tenants/:id/config":              {303, 422, 403, 403, 303},
	"POST /admin/tenants/:id/worker/:action":      {303, 303, 403, 403, 303},
	"POST /admin/tenants/:id/pair-code":           {303, 422, 403, 403, 303},
	"POST /admin/tenants/:id/people":              {303, 422, 403, 403, 303},
	"POST /admin/tenants/:id/people/:user/invite": {303, 404, 403, 403, 303},
	"POST /admin/tenants/:id/people/:user/remove": {303, 404, 403, 403, 303},
	"POST /admin/tenants/:id/delete":              {303, 422, 403, 403, 303},
	"GET /admin/ledger":                           {303, 200, 403, 403, 303},
	"GET /admin/requests":                         {303, 200, 403, 403, 303},
	"GET /admin/requests/stream":                  {401, 200, 403, 403, 401},
	"POST /admin/requests":                        {303, 422, 403, 403, 303},
	"GET /admin/links":                            {303, 200, 403, 403, 303},
	"POST /admin/links/:link/show":                {303, 404, 403, 403, 303},
	"GET /admin/settings":                         {303, 200, 403, 403, 303},
	"GET /admin/settings/stream":                  {401, 200, 403, 403, 401},
	"POST /admin/settings/:section":               {303, 404, 403, 403, 303},
	"POST /admin/settings/mail/test":              {303, 422, 403, 403, 303},
	"POST /admin/settings/jobs/:kind/run":         {303, 404, 403, 403, 303},
	"GET /brand/:file":                            {404, 404, 404, 404, 404},
	"GET /admin/keys":                             {303, 200, 403, 403, 303},
	"POST /admin/keys":                            {303, 422, 403, 403, 303},
	"POST /admin/keys/:id/revoke":                 {303, 404, 403, 403, 303},
	"GET /admin/data/:table":                      {303, 200, 403, 403, 303},
	"POST /admin/data/:table":                     {303, 422, 403, 403, 303},
	"GET /admin/data/:table/stream":               {401, 200, 403, 403, 401},
	"GET /admin/data/:table/count":                {303, 200, 403, 403, 303},
	"GET /admin/data/:table/chart":                {303, 404, 403, 403, 303},
	"GET /admin/data/:table/pick":                 {303, 200, 403, 403, 303},
	"GET /admin/data/:table/export":               {303, 200, 403, 403, 303},
	"POST /admin/data/:table/export":              {303, 422, 403, 403, 303},
	"POST /admin/data/:table/bulk/ask":            {303, 405, 403, 403, 303},
	"POST /admin/data/:table/bulk":                {303, 405, 403, 403, 303},
	"GET /admin/bulk/:id":                         {303, 404, 403, 403, 303},
	"GET /admin/bulk/:id/stream":                  {401, 404, 403, 403, 401},
	"POST /admin/bulk/:id/cancel":                 {303, 404, 403, 403, 303},
	"GET /admin/data/:table/import":               {303, 200, 403, 403, 303},
	"POST /admin/data/:table/import":              {303, 422, 403, 403, 303},
	"GET /admin/imports/:id":                      {303, 404, 403, 403, 303},
	"GET /admin/imports/:id/stream":               {401, 404, 403, 403, 401},
	"GET /admin/imports/:id/rows":                 {303, 404, 403, 403, 303},
	"GET /admin/imports/:id/refused.csv":          {303, 404, 403, 403, 303},
	"POST /admin/imports/:id/mapping":             {303, 404, 403, 403, 303},
	"POST /admin/imports/:id/start":               {303, 404, 403, 403, 303},
	"POST /admin/imports/:id/cancel":              {303, 404, 403, 403, 303},
	"POST /admin/data/:table/columns":             {303, 422, 403, 403, 303},
	"POST /admin/data/:table/views":               {303, 422, 403, 403, 303},
	"GET /admin/data/:table/new":                  {303, 200, 403, 403, 303},
	"GET /admin/data/:table/row/:key":             {303, 404, 403, 403, 303},
	"GET /admin/data/:table/record/:key":          {303, 303, 403, 403, 303},
	"POST /admin/data/:table/record/:key":         {303, 404, 403, 403, 303},
	"GET /admin/data/:table/record/:key/json":     {303, 404, 403, 403, 303},
	"GET /admin/data/:table/record/:key/delete":   {303, 404, 403, 403, 303},
	"POST /admin/data/:table/record/:key/delete":  {303, 404, 403, 403, 303},
	"POST /admin/views/:id/delete":                {303, 404, 403, 403, 303},
	"POST /admin/pins/:table":                     {303, 303, 403, 403, 303},
	"GET /admin/account":                          {303, 200, 403, 403, 303},
	"POST /admin/account/password":                {303, 422, 403, 403, 303},
	"ALL /admin/jobs":                             {303, 301, 403, 403, 303},
	"ALL /admin/jobs/*":                           {303, 200, 403, 403, 303},
	"POST /admin/tenants/:id/demo-scan":           {303, 409, 403, 403, 303},
	"GET /portal":                                 {303, 403, 200, 200, 303},
	"GET /portal/stream":                          {401, 403, 200, 200, 401},
	"GET /portal/messages":                        {303, 403, 200, 200, 303},
	"GET /portal/inbox":                           {303, 403, 200, 200, 303},
	"GET /portal/inbox/stream":                    {401, 403, 200, 200, 401},
	"GET /portal/inbox/:chat":                     {303, 403, 404, 404, 303},
	"GET /portal/inbox/:chat/older":               {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/answer":             {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/take-over":          {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/hand-back":          {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/read":               {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/notes":              {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/notes/:note/remove": {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/labels":             {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/labels/remove":      {303, 403, 404, 404, 303},
	"GET /portal/canned":                          {303, 403, 200, 200, 303},
	"POST /portal/canned":                         {303, 403, 422, 422, 303},
	"POST /portal/canned/:canned":                 {303, 403, 422, 422, 303},
	"POST /portal/canned/:canned/remove":          {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/name":               {303, 403, 404, 404, 303},
	"POST /portal/inbox/:chat/opt":                {303, 403, 404, 404, 303},
	"GET /portal/customers":                       {303, 403, 200, 200, 303},
	"POST /portal/customers":                      {303, 403, 422, 422, 303},
	"GET /portal/customers/export":                {303, 403, 200, 200, 303},
	"GET /portal/customers/import":                {303, 403, 200, 200, 303},
	"POST /portal/customers/import":               {303, 403, 422, 422, 303},
	"GET /portal/data":                            {303, 403, 200, 200, 303},
	"GET /portal/data/download":                   {303, 403, 200, 403, 303},
	"POST /portal/data/close":                     {303, 403, 422, 403, 303},
	"POST /portal/data/keep":                      {303, 403, 409, 403, 303},
	"POST /admin/tenants/:id/keep":                {303, 409, 403, 403, 303},
	"GET /portal/numbers":                         {303, 403, 200, 200, 303},
	"GET /portal/events":                          {303, 403, 200, 200, 303},
	"POST /portal/test":                           {303, 403, 422, 422, 303},
	"GET /portal/bot":                             {303, 403, 200, 200, 303},
	"POST /portal/bot":                            {303, 403, 422, 403, 303},
	"POST /portal/bot/rows":                       {303, 403, 422, 403, 303},
	"POST /portal/bot/preview":                    {303, 403, 200, 200, 303},
	"GET /portal/bot/history":                     {303, 403, 200, 200, 303},
	"GET /portal/bot/history/:version":            {303, 403, 404, 404, 303},
	"POST /portal/bot/history/:version/restore":   {303, 403, 404, 403, 303},
	"GET /portal/account":                         {303, 403, 200, 200, 303},
	"POST /portal/account/password":               {303, 403, 422, 422, 303},
	"POST /portal/account/email":                  {303, 403, 422, 422, 303},
	"POST /portal/account/devices/:session/end":   {303, 403, 404, 404, 303},
	"GET /portal/people":                          {303, 403, 200, 403, 303},
	"POST /portal/people":                         {303, 403, 422, 403, 303},
	"POST /portal/people/:user/invite":            {303, 403, 404, 403, 303},
	"POST /portal/people/:user/remove":            {303, 403, 404, 403, 303},
	"GET /portal/setup":                           {303, 403, 200, 403, 303},
	"GET /portal/setup/stream":                    {401, 403, 200, 403, 401},
	"POST /portal/setup":                          {303, 403, 422, 403, 303},
	"GET /portal/me":                              {404, 404, 404, 404, 404}, // no PORTAL_INTERNAL_KEY: portal_key_test.go has one
	"POST /portal/setup-request":                  {404, 404, 404, 404, 404},
	"GET /portal/tenant/current/status":           {404, 404, 404, 404, 404},
	"GET /portal/tenant/current/logs":             {404, 404, 404, 404, 404},
	"GET /portal/tenant/current/qr":               {404, 404, 404, 404, 404},
	"POST /portal/worker/start":                   {303, 403, 409, 409, 303},
	"POST /portal/pair-code":                      {303, 403, 422, 422, 303},
	"POST /portal/demo-scan":                      {303, 403, 409, 409, 303},
	"ALL /portal/*":                               {303, 403, 200, 200, 303}, // asked for as /portal/
	"GET /demo/phone":                             {200, 200, 200, 200, 200},
	"GET /demo/phone/stream":                      {200, 200, 200, 200, 200},
	"POST /demo/phone/send":                       {422, 422, 422, 422, 422},
	"GET /healthz":                                {200, 200, 200, 200, 200},
	"GET /readyz":                                 {200, 200, 200, 200, 200},
	"GET /metrics":                                {200, 200, 200, 200, 200},
	"GET /assets/*":                               {404, 404, 404, 404, 404},
	"GET /api/v1/openapi.json":                    {200, 200, 200, 200, 200},
	"GET /api/v1/tenants":                         {401, 401, 401, 401, 200},
	"POST /api/v1/tenants":                        {401, 401, 401, 401, 422},
	"GET /api/v1/tenants/:id":                     {401, 401, 401, 401, 200},
	"PATCH /api/v1/tenants/:id":                   {401, 401, 401, 401, 200},
	"DELETE /api/v1/tenants/:id":                  {401, 401, 401, 401, 204},
	"POST /api/v1/tenants/:id/worker/start":       {401, 401, 401, 401, 409},
	"POST /api/v1/tenants/:id/worker/stop":        {401, 401, 401, 401, 202},
	"POST /api/v1/tenants/:id/worker/restart":     {401, 401, 401, 401, 409},
	"POST /api/v1/tenants/:id/worker/logout":      {401, 401, 401, 401, 409},
	"GET /api/v1/tenants/:id/qr":                  {401, 401, 401, 401, 200},
	"POST /api/v1/tenants/:id/pair-code":          {401, 401, 401, 401, 422},
	"GET /api/v1/tenants/:id/events":              {401, 401, 401, 401, 200},
	"GET /api/v1/tenants/:id/messages":            {401, 401, 401, 401, 200},
	"GET /api/v1/tenants/:id/setup-requests":      {401, 401, 401, 401, 200},
	"POST /api/v1/setup-requests/:id/approve":     {401, 401, 401, 401, 404},
	"POST /api/v1/setup-requests/:id/reject":      {401, 401, 401, 401, 404},
	"POST /api/v1/tenants/:id/messages":           {401, 401, 401, 401, 422},
}

// TestEveryRouteForEveryRole walks the route table, so that a new route without an expectation fails.
func TestEveryRouteForEveryRole(t *testing.T) {
	s := newSite(t, func(o *Options) { o.DemoMode, o.SimulatorURL = true, "http://127.0.0.1:1" })
	tenant := s.tenant("Neema Salon", 1)
	s.person(tenant, "owner@example.org", queries.UserRoleOWNER)
	s.person(tenant, "staff@example.org", queries.UserRoleSTAFF)
	key, err := CreateAPIKey(t.Context(), s.db, "test", nil)
	must(t, err)
	must(t, UpsertAdmin(t.Context(), s.db, "admin@example.org", testPassword))
	s.colleague("support")
	s.colleague("read-only")
	doomed := s.tenant("Short-lived", 2) // for the route that deletes

	listed := map[string]bool{}
	for _, r := range s.server.table() {
		listed[r.method+" "+r.path] = true
		want, known := expected[r.method+" "+r.path]
		if !known {
			t.Errorf("%s %s: no expectation; add it to this test", r.method, r.path)
			continue
		}
		for who := range callers {
			// A fresh session each: some routes end it.
			b := s.browser()
			var headers []string
			switch who {
			case asAdmin:
				b = s.fork("admin@example.org")
			case asOwner:
				b = s.fork("owner@example.org")
			case asStaff:
				b = s.fork("staff@example.org")
			case asProgram:
				headers = []string{"Authorization", "Bearer " + key}
			}
			id := tenant.String()
			if r.method == "DELETE" {
				id = doomed.String()
			}
			got := s.call(b, r, id, headers)
			if got != want[who] {
				t.Errorf("%s %s as %s: status %d, want %d", r.method, r.path, callerNames[who], got, want[who])
			}
		}
		differs, isLesser := lesser[r.method+" "+r.path]
		if ofOperator(r.role) && r.method != "GET" && r.method != anyMethod && !isLesser {
			t.Errorf("%s %s changes something; say in this test what support and read-only may", r.method, r.path)
		}
		for i, role := range []string{"support", "read-only"} {
			expect := want[asAdmin]
			if isLesser {
				expect = differs[i]
			}
			if got := s.call(s.fork(role+"@example.org"), r, tenant.String(), nil); got != expect {
				t.Errorf("%s %s as %s: status %d, want %d", r.method, r.path, role, got, expect)
			}
		}
	}
	for name := range lesser {
		if !listed[name] {
			t.Errorf("%s is expected of support and read-only but not in the route table", name)
		}
	}
	for name := range expected {
		if !listed[name] {
			t.Errorf("%s is expected but not in the route table", name)
		}
	}
}

// fork is a new browser with a session of this person, without the cost of checking the password.
func (s *site) fork(email string) *browser {
	s.t.Helper()
	ctx, err := s.server.sessions.Load(s.t.Context(), "")
	must(s.t, err)
	user, err := s.q.GetUserByEmail(ctx, email)
	must(s.t, err)
	s.server.sessions.Put(ctx, sessionUser, user.ID.String())
	token, _, err := s.server.sessions.Commit(withUser(ctx, user.ID))
	must(s.t, err)
	b := s.browser()
	address, err := url.Parse(s.url)
	must(s.t, err)
	b.Jar.SetCookies(address, []*http.Cookie{{Name: s.server.sessions.Cookie.Name, Value: token, Path: "/"}})
	return b
}

// call asks a route as its page or program would, with nothing filled in, and gives the status. Of streams it reads no body.
func (s *site) call(b *browser, r route, tenant string, headers []string) int {
	s.t.Helper()
	path := strings.NewReplacer(":token", "no-such-token", ":id", tenant, ":user", "0198b2f0-0000-7000-8000-000000000000",
		":link", "0198b2f0-0000-7000-8000-000000000000", ":session", "0198b2f0-0000-7000-8000-000000000000",
		":table", "contacts", ":key", "0198b2f0-0000-7000-8000-000000000000",
		":chat", "0198b2f0-0000-7000-8000-000000000000", ":note", "0198b2f0-0000-7000-8000-000000000000", ":canned", "0198b2f0-0000-7000-8000-000000000000",
		":action", "start", "/*", "/").Replace(r.path)
	if strings.HasPrefix(r.path, "/admin/keys/:id") {
		path = "/admin/keys/0198b2f0-0000-7000-8000-000000000000/revoke"
	}
	method := r.method
	if method == anyMethod {
		method = "GET"
	}
	request, err := http.NewRequest(method, b.url+path, strings.NewReader(""))
	must(s.t, err)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	switch {
	case strings.HasSuffix(r.path, "/stream"):
		request.Header.Set("Accept", "text/event-stream")
	case r.role == apiKey && (method == "POST" || method == "PATCH"):
		request, err = http.NewRequest(method, b.url+path, strings.NewReader("{}"))
		must(s.t, err)
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.Do(request)
	must(s.t, err)
	res.Body.Close()
	return res.StatusCode
}
