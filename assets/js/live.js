// Live updates. Each server-sent event carries fragments; every top-level element of them is put in
// place by its id, so the same event twice, or the whole state again after a reconnect, is harmless.
(function () {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const held = new Map(); // list -> rows that wait until the pointer leaves it
  let mouse = false; // a finger leaves :hover behind where it tapped; that holds nothing back
  addEventListener("pointerover", (e) => { mouse = e.pointerType === "mouse"; }, { passive: true });

  const typingIn = (el) => {
    const a = document.activeElement;
    return a && el.contains(a) && a.matches("input, textarea, select");
  };

  function replace(old, el) {
    if (typingIn(old)) return;
    const focused = old.contains(document.activeElement) && document.activeElement;
    old.replaceWith(el);
    ready(el);
    if (focused) el.dispatchEvent(new CustomEvent("flow:moved", { bubbles: true, detail: focused }));
  }

  function ready(el) {
    htmx.process(el);
    el.dispatchEvent(new CustomEvent("flow:ready", { bubbles: true }));
  }

  // The newest row is on top, in a chat at the end; a late one finds its place by its time.
  function insert(list, el) {
    const atEnd = list.dataset.liveList === "end";
    const t = Number(el.dataset.t || 0);
    const rows = [...list.children].filter((row) => row.dataset.t);
    const stick = atEnd && list.scrollHeight - list.scrollTop - list.clientHeight < 120;
    const next = rows.find((row) => atEnd ? Number(row.dataset.t) > t : Number(row.dataset.t) <= t);
    if (next) next.before(el);
    else if (rows.length) rows[rows.length - 1].after(el);
    else list.prepend(el);
    el.classList.add("arrives");
    ready(el);
    if (stick) list.scrollTop = list.scrollHeight;
  }

  function add(list, el) {
    if (!("liveList" in list.dataset)) { list.append(el); ready(el); return; }
    const onIt = mouse && list.dataset.liveList !== "end" && list.matches(":hover");
    if (!onIt) { insert(list, el); return; }
    const rows = held.get(list) || [];
    const i = rows.findIndex((row) => row.id === el.id);
    if (i >= 0) rows[i] = el; else rows.push(el);
    held.set(list, rows);
    chip(list, rows.length);
  }

  function chip(list, n) {
    const at = list.closest(".table-scroll") || list;
    let b = at.previousElementSibling;
    if (!b || !b.matches(".held")) {
      b = document.createElement("button");
      b.type = "button";
      b.className = "held";
      b.addEventListener("click", () => release(list));
      at.before(b);
      list.addEventListener("pointerleave", () => release(list), { once: true });
    }
    b.textContent = n + " " + (list.dataset.newWord || "new");
  }

  function release(list) {
    const b = (list.closest(".table-scroll") || list).previousElementSibling;
    if (b && b.matches(".held")) b.remove();
    for (const el of held.get(list) || []) place(el, true);
    held.delete(list);
  }

  // A row of an ordered list whose time changed goes where it belongs now, as soon as the pointer is not on the list.
  function settle(el) {
    const list = el.isConnected && el.parentElement;
    if (!list || !("liveOrder" in list.dataset)) return;
    if (mouse && list.matches(":hover")) {
      list.addEventListener("pointerleave", () => { const row = byId(el.id); if (row) settle(row); }, { once: true });
      return;
    }
    const t = Number(el.dataset.t), rows = [...list.children].filter((row) => row.dataset.t && row !== el);
    const before = rows.filter((row) => row.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_FOLLOWING).pop();
    const after = rows.find((row) => row.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_PRECEDING);
    if ((!before || Number(before.dataset.t) >= t) && (!after || Number(after.dataset.t) <= t)) return;
    const focused = el.contains(document.activeElement) && document.activeElement;
    const next = rows.find((row) => Number(row.dataset.t) <= t);
    if (next) next.before(el); else rows[rows.length - 1].after(el);
    if (focused) focused.focus({ preventScroll: true });
  }

  function place(el, now) {
    const old = el.id && byId(el.id);
    if ("gone" in el.dataset) { if (old) old.remove(); return; }
    if ("left" in el.dataset) { if (old) { old.classList.add("left"); old.title = el.title; } return; } // it stays where it is
    if (old) { replace(old, el); settle(el); return; }
    const list = el.dataset.into && byId(el.dataset.into);
    if (!list) return;
    if (now) insert(list, el); else add(list, el);
  }

  document.addEventListener("htmx:sseBeforeMessage", (e) => {
    e.preventDefault(); // placed here, not by htmx
    const t = document.createElement("template");
    t.innerHTML = e.detail.data;
    for (const el of [...t.content.children]) place(document.adoptNode(el), false);
  });

  // A short gap is nobody's business; a longer one is said.
  let gap = 0;
  const offline = (on) => {
    clearTimeout(gap);
    const note = byId("offline");
    if (!note) return;
    if (on) gap = setTimeout(() => { note.hidden = false; }, 2000);
    else note.hidden = true;
  };
  document.addEventListener("htmx:sseOpen", () => offline(false));

  // A stream that was refused (a proxy's 502 while the server restarts) is opened again here. The extension would wait
  // twice as long each time, up to a minute; without the element it leaves the matter alone.
  let wait = 0;
  document.addEventListener("htmx:sseOpen", () => { wait = 0; });
  document.addEventListener("htmx:sseError", (e) => {
    offline(true);
    if (e.detail.source.readyState !== EventSource.CLOSED) return; // the browser itself tries again
    const again = e.target.cloneNode(true);
    e.target.remove();
    wait = Math.min(2 * wait || 500, 5000);
    setTimeout(() => { document.body.append(again); htmx.process(again); }, wait * (0.8 + 0.4 * Math.random()));
  });
  addEventListener("pagehide", () => clearTimeout(gap));
})();
