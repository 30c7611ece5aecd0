// Streams: which event carries which fragment.
//
// A page names its stream in Page.StreamURL; the shell opens it once with htmx's sse extension.
// The data of every event is the HTML of one or more of the fragments below, exactly as the page
// itself contains them. app.js puts each top-level element in place by its id: an element that is on
// the page is replaced where it is; one that is not goes to the top of the list its data-into
// attribute names (bubbles on the virtual phone: to the end, data-at="end"); one with neither is
// dropped. So an event may be sent twice, and after a reconnect the server simply sends the present
// state again. An element in which a person is typing is left alone.
//
//	stream                       event     fragment (data)                             element id
//	/admin/stream                tenant    fragments/tenant_row   (TenantRow)          tenant-<id>
//	                                       or fragments/tenant_gone (the id)           tenant-<id>, with data-gone: removed
//	                             tenant    fragments/chip_count   (FilterChip)         count-<status>, unless the page shows a search
//	                             toast     fragments/toast        (Toast)              into #toasts
//	/admin/tenants/<id>/stream   session   fragments/state_panel  (StatePanel)         state-panel
//	                                       and fragments/link_panel (LinkPanel)        link-panel
//	                             worker    fragments/state_panel  (StatePanel)         state-panel
//	                             message   fragments/message      (MessageView)        msg-<id>, into #messages
//	                             event     fragments/event        (EventView)          event-<id>, into #events
//	                             toast     fragments/toast        (Toast)
//	/portal/stream               session   fragments/portal_state (PortalState)        portal-state
//	                                       and fragments/test_result (TestResult)      test-result
//	                                       and fragments/link_panel (LinkPanel)        link-panel
//	                             message   fragments/message      (MessageView)
//	                             event     fragments/event        (EventView)
//	                             toast     fragments/toast        (Toast)
//	                             chat      fragments/inbox_badge  (Handoffs)           inbox-badge, on every page of the portal
//	/portal/inbox/stream         chat      fragments/chat_row     (ChatRow)            chat-<id>, into #chats; moves when its time changed
//	                                       or fragments/chat_gone (the id)             chat-<id>, with data-gone: removed
//	                                       fragments/chats_now    (ChatList)           chats-now: what a filtered list holds now, after a gap
//	                                       fragments/chat_head, chat_bar, contact_info, composer_away, of the open chat
//	                             message   fragments/thread_line  (ThreadLine)         line-<id>, into #thread, after day-<date>
//	/demo/phone/stream           bubble    fragments/phone_bubble (PhoneBubble)        bubble-<id>, into #chat
//	                             session   fragments/phone_online (PhoneContact)       online-<id>
//	                             typing    fragments/phone_typing (PhoneTyping)        typing
//
// Sending the whole present state right after a (re)connect costs one query and makes every gap
// harmless. An SSE message's data must have each of its lines prefixed with "data: ".
//
// Answers to form posts with htmx (header HX-Request):
//
//	POST /admin/tenants/<id>/worker/…              200 fragments/state_panel (where link_panel's own button posts, it is not swapped)
//	POST /portal/worker/start                      204: the stream brings what changes
//	POST /portal/test                              200 or 422 fragments/test_form
//	POST /portal/bot                               200 or 422 fragments/bot_form
//	POST /portal/bot/rows                          200 fragments/bot_field
//	POST /portal/bot/preview                       200 fragments/bot_lines
//	POST <Base>/pair-code                          200 or 422 fragments/pair_form
//	POST <Base>/demo-scan                          204
//	POST /admin/tenants                            422 fragments/tenant_form, or 200 with HX-Redirect
//	POST /admin/tenants/<id>/messages              202 (empty form) or 422 fragments/send_form
//	POST /admin/tenants/<id>/config                200 or 422 fragments/config_form
//	POST /admin/tenants/<id>/people…               200 or 422 fragments/people
//	POST /admin/tenants/<id>/delete                422 fragments/delete_form, or 200 with HX-Redirect
//	POST /admin/keys, /admin/keys/<id>/revoke      200 or 422 fragments/keys
//	POST /portal/inbox/<id>/answer                 200 (empty form) or 422 fragments/composer
//	POST /portal/inbox/<id>/take-over, hand-back   200 fragments/chat_bar
//	POST /portal/inbox/<id>/notes…, labels…        200 or 422 fragments/contact_info
//	POST /portal/inbox/<id>/read                   204
//	POST /portal/canned…                           200 or 422 fragments/canned
//	GET  /portal/inbox/<id>/older                  fragments/thread_lines
//	POST …/account/password                        200 or 422 fragments/password_form
//	POST /demo/phone/send                          200 or 422 fragments/phone_form
//	GET  /admin/tenants with HX-Request            fragments/tenant_list; with cursor=: fragments/tenant_rows
//	GET  MoreURL of messages or events             fragments/message_rows, fragments/event_rows
//
// Any of them may add a toast with the header HX-Trigger: {"toast":{"kind":"ok","text":"…"}} (non-ASCII
// as \u escapes); ToastHeader makes it. An error answer (4xx other than 422, 5xx) needs no body for a
// toast: app.js shows the header's toast or, for application/problem+json, its detail, and otherwise a
// sentence fitting the status. Without htmx the same posts redirect (303) and carry the toast in Page.Flash.
package routes

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"unicode/utf16"
)

// ToastHeader is the value of an HX-Trigger header that shows a toast.
func ToastHeader(t Toast) string {
	header, err := triggerHeader(t, nil)
	if err != nil {
		return "" // cannot happen: two strings
	}
	return header
}

// triggerHeader is the value of an HX-Trigger header that shows a toast and tells the page of events with their details.
// Header values are ASCII, so everything else is escaped the JSON way.
func triggerHeader(t Toast, events map[string]any) (string, error) {
	all := map[string]any{"toast": t}
	maps.Copy(all, events)
	raw, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, r := range string(raw) {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, u)
		}
	}
	return b.String(), nil
}
