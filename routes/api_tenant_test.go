package routes

import (
	"strings"
	"testing"
)

const newTenantBody = `{"name":"Kliniki ya Amani","phone_number":"0712 345 678","template_type":"SUPPORT","business_name":"Amani","language":"SW"}`

func with(field, value string) string {
	fields := map[string]string{"name": `"Kliniki"`, "phone_number": `"+255712345679"`, "template_type": `"SUPPORT"`, "business_name": `"Amani"`, "language": `"SW"`}
	fields[field] = value
	var parts []string
	for _, name := range []string{"name", "phone_number", "template_type", "business_name", "language", field} {
		if v := fields[name]; v != "" && !strings.Contains(strings.Join(parts, ","), `"`+name+`":`) {
			parts = append(parts, `"`+name+`":`+v)
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestAPITenants(t *testing.T) {
	t.Parallel()
	typed := func(ct string) map[string]string { return map[string]string{"Content-Type": ct} }
	create := func(name, body string, status int, errors ...string) scenario {
		return scenario{name: "create: " + name, method: "POST", url: "/tenants", body: body, status: status, errors: errors}
	}
	change := func(name, body string, status int, errors ...string) scenario {
		return scenario{name: "change: " + name, method: "PATCH", url: "/tenants/<new>", body: body, status: status, errors: errors}
	}
	runScenarios(t, []scenario{
		{
			name: "create", method: "POST", url: "/tenants", body: newTenantBody, status: 201,
			contains: []string{
				`"name":"Kliniki ya Amani"`, `"phone_number":"+255712345678"`, `"status":"NEW"`, `"template_type":"SUPPORT"`, `"business_name":"Amani"`,
				`"language":"SW"`, `"hours":null`, `"whatsapp_session":{"state":"DISCONNECTED","reason":"NEVER_LINKED"`, `"worker_process":{"status":"STOPPED"`,
			},
			lacks:   []string{"last_qr", "shard"},
			headers: map[string]string{"Location": "/api/v1/tenants/", "Cache-Control": "no-store", "Content-Type": "application/json"},
			after: func(t *testing.T, a *api, _ world) {
				if n := a.count(`SELECT count(*) FROM tenants t JOIN tenant_configs c ON c.tenant_id = t.id JOIN whatsapp_sessions s ON s.tenant_id = t.id
					JOIN worker_processes w ON w.tenant_id = t.id JOIN portal_event_logs e ON e.tenant_id = t.id AND e.event_type = 'TENANT_CREATED'
					WHERE t.phone_number = '+255712345678' AND e.payload_json->>'by' = 'API key everything'`); n != 1 {
					t.Errorf("%d tenants with all their rows, want 1", n)
				}
			},
		},
		create("the same number again", newTenantBody, 409, "phone_number"),
		create("not JSON", `{"name":`, 400),
		create("no object", `["name"]`, 400),
		create("nothing", ` `, 400),
		create("two objects", newTenantBody+newTenantBody, 400),
		create("unknown field", with("colour", `"red"`), 400, "colour"),
		create("a field in other case", strings.Replace(with("", ""), `"name"`, `"Name"`, 1), 400, "Name"),
		create("a field twice", strings.Replace(with("", ""), `{`, `{"name":"x",`, 1), 400, "name"),
		create("a number for a name", with("name", `7`), 400, "name"),
		create("null for a name", with("name", `null`), 400, "name"),
		create("an object for a language", with("language", `{}`), 400, "language"),
		create("two wrong types", strings.Replace(with("name", `7`), `"SW"`, `[]`, 1), 400, "name", "language"),
		create("broken UTF-8", with("name", "\"Kli\xffniki\""), 400),
		create("half a surrogate pair", with("name", `"Kli\ud83dniki"`), 400, "name"),
		create("NUL", with("name", `"Kli\u0000niki"`), 422, "name"),
		create("no fields", `{}`, 422, "name", "phone_number", "template_type", "business_name", "language"),
		create("blank name", with("name", `"  "`), 422, "name"),
		create("long name", with("name", `"`+strings.Repeat("n", 121)+`"`), 422, "name"),
		create("unknown template", with("template_type", `"PIZZA"`), 422, "template_type"),
		create("template in small letters", with("template_type", `"booking"`), 422, "template_type"),
		create("unknown language", with("language", `"FR"`), 422, "language"),
		create("not a number", with("phone_number", `"call me"`), 422, "phone_number"),
		create("too short a number", with("phone_number", `"+2557"`), 422, "phone_number"),
		{name: "create: a form", method: "POST", url: "/tenants", header: typed("application/x-www-form-urlencoded"), body: "name=x", status: 415},
		{name: "create: text", method: "POST", url: "/tenants", header: typed("text/plain"), body: newTenantBody, status: 415},
		{name: "create: no content type", method: "POST", url: "/tenants", header: typed(""), body: newTenantBody, status: 415},
		{name: "create: another charset", method: "POST", url: "/tenants", header: typed("application/json; charset=latin1"), body: newTenantBody, status: 415},
		{name: "create: compressed", method: "POST", url: "/tenants", header: map[string]string{"Content-Encoding": "gzip"}, body: newTenantBody, status: 415},
		{name: "create: UTF-8 named", method: "POST", url: "/tenants", header: typed("application/json; charset=UTF-8"), body: with("name", `"Ñandú 🦤"`), status: 201, contains: []string{"Ñandú 🦤"}},
		{name: "create: an escaped pair", method: "POST", url: "/tenants", body: strings.Replace(with("name", `"\ud83d\ude00 \ufffd"`), "345679", "345680", 1), status: 201, contains: []string{"😀 \uFFFD"}},

		{name: "get", method: "GET", url: "/tenants/<linked>", status: 200, contains: []string{`"id":"<linked>"`, `"phone_number":"+255712000001"`, `"push_name":"Asha"`, `"jid":"255712000001:3@s.whatsapp.net"`}},
		{name: "get: unknown", method: "GET", url: "/tenants/<gone>", status: 404},
		{name: "get: no id", method: "GET", url: "/tenants/1", status: 404},

		change("all", `{"name":"Duka","phone_number":"+255712000009","business_name":"Duka Bora","template_type":"ECOMMERCE","language":"SW","replies_per_minute":12}`, 200),
		{name: "change: is kept", method: "GET", url: "/tenants/<new>", status: 200, contains: []string{`"name":"Duka"`, `"+255712000009"`, `"Duka Bora"`, `"ECOMMERCE"`, `"SW"`, `"replies_per_minute":12`}},
		{name: "change: one", method: "PATCH", url: "/tenants/<new>", body: `{"language":"EN"}`, status: 200, contains: []string{`"EN"`, `"ECOMMERCE"`, `"replies_per_minute":12`}},
		{name: "change: back to the default", method: "PATCH", url: "/tenants/<new>", body: `{"replies_per_minute":null}`, status: 200, contains: []string{`"replies_per_minute":null`}},
		{name: "change: nothing", method: "PATCH", url: "/tenants/<new>", body: `{}`, status: 200, contains: []string{`"name":"Duka"`}},
		{name: "change: always open", method: "PATCH", url: "/tenants/<new>", body: `{"hours":null}`, status: 200, contains: []string{`"hours":null`}},
		{name: "change: hours", method: "PATCH", url: "/tenants/<new>", body: `{"hours":{"mon":[["08:00","13:00"]],"sun":[]}}`, status: 200, contains: []string{`"hours":{"mon":[["08:00","13:00"]],"sun":[]}`}},
		{name: "change: hours alone are kept", method: "PATCH", url: "/tenants/<new>", body: `{"name":"Duka"}`, status: 200, contains: []string{`"hours":{"mon"`}},
		change("an unknown day", `{"hours":{"funday":[]}}`, 422, "hours"),
		change("NUL in hours", `{"hours":{"mon":[["\u0000","13:00"]]}}`, 422, "hours"),
		change("hours that are none", `{"hours":"all day"}`, 422, "hours"),
		change("another tenant's number", `{"phone_number":"+255712000001"}`, 409, "phone_number"),
		change("null for a name", `{"name":null}`, 400, "name"),
		change("half a reply", `{"replies_per_minute":1.5}`, 400, "replies_per_minute"),
		change("text for a number", `{"replies_per_minute":"7"}`, 400, "replies_per_minute"),
		change("negative replies", `{"replies_per_minute":-1}`, 422, "replies_per_minute"),
		change("too many replies", `{"replies_per_minute":10001}`, 422, "replies_per_minute"),
		change("the state", `{"status":"ACTIVE"}`, 400, "status"),
		change("unknown template", `{"template_type":"PIZZA","language":"FR"}`, 422, "template_type", "language"),
		{name: "change: unknown tenant", method: "PATCH", url: "/tenants/<gone>", body: `{"name":"x"}`, status: 404},

		{name: "list: too small a page", method: "GET", url: "/tenants?limit=0", status: 400, errors: []string{"limit"}},
		{name: "list: too large a page", method: "GET", url: "/tenants?limit=201", status: 400, errors: []string{"limit"}},
		{name: "list: half a page", method: "GET", url: "/tenants?limit=1.5", status: 400, errors: []string{"limit"}},
		{name: "list: the largest page", method: "GET", url: "/tenants?limit=200", status: 200, contains: []string{"<linked>", "<new>", `"next_cursor":null`}},
		{name: "list: one", method: "GET", url: "/tenants?limit=1", status: 200, contains: []string{`"next_cursor":"`}, lacks: []string{"<linked>"}},
		{name: "list: broken cursor", method: "GET", url: "/tenants?cursor=abc", status: 400, errors: []string{"cursor"}},
		{name: "list: cursor of nonsense", method: "GET", url: "/tenants?cursor=" + strings.Repeat("_", 33), status: 400, errors: []string{"cursor"}},
		{name: "list: cursor far away", method: "GET", url: "/tenants?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OSAwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDA", status: 400, errors: []string{"cursor"}},

		{name: "delete", method: "DELETE", url: "/tenants/<new>", status: 204, after: func(t *testing.T, a *api, w world) {
			if n := a.count(`SELECT count(*) FROM tenants t WHERE id = $1`, w.fresh); n != 0 {
				t.Error("the tenant is still there")
			}
			if n := a.count(`SELECT count(*) FROM river_job WHERE kind = 'tenant_forget' AND args->>'tenant_id' = $1`, w.fresh.String()); n != 1 {
				t.Errorf("%d jobs to unlink it, want 1", n)
			}
		}},
		{name: "delete: again", method: "DELETE", url: "/tenants/<new>", status: 404},
		{name: "delete: gone from the list", method: "GET", url: "/tenants", status: 200, lacks: []string{"<new>"}},
	})
}

func TestAPIWorker(t *testing.T) {
	t.Parallel()
	call := func(tenant, action string, status int) scenario {
		sc := scenario{name: action + " " + tenant, method: "POST", url: "/tenants/" + tenant + "/worker/" + action, status: status}
		if status == 202 {
			sc.contains = []string{`{"job_id":`}
			sc.after = func(t *testing.T, a *api, w world) {
				if n := a.count(`SELECT count(*) FROM river_job j JOIN tenants t ON t.id = (j.args->>'tenant_id')::uuid
					WHERE j.kind = $1 AND t.id = $2 AND j.queue = 'shard_' || t.shard`, "tenant_"+action, w.fill(tenant)); n != 1 {
					t.Errorf("%d jobs in the shard's queue, want 1", n)
				}
			}
		}
		return sc
	}
	runScenarios(t, []scenario{
		call("<new>", "stop", 409), call("<new>", "restart", 409), call("<new>", "logout", 409), call("<new>", "start", 202),
		call("<new>", "start", 409), call("<new>", "restart", 202), call("<new>", "stop", 202),
		call("<linked>", "start", 409), call("<linked>", "restart", 202), call("<linked>", "logout", 202), call("<linked>", "restart", 409),
		call("<gone>", "start", 404), call("<gone>", "stop", 404), call("<gone>", "restart", 404), call("<gone>", "logout", 404),
		{name: "unknown action", method: "POST", url: "/tenants/<new>/worker/dance", status: 404},
		{name: "asking is not doing", method: "GET", url: "/tenants/<new>/worker/start", status: 405, headers: map[string]string{"Allow": "POST"}},
	})
}
