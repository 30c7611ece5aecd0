// What the pages need beyond HTML: dialogs, toasts, theme, shortcuts, times, copying. Everything is
// found by data attributes and handled on the document, so swapped-in fragments work at once.
(function () {
  "use strict";
  const root = document.documentElement;
  const words = JSON.parse(document.querySelector("meta[name=words]").content); // group js of templates/words/locales
  const byId = (id) => document.getElementById(id);
  const each = (selector, fn, from) => (from || document).querySelectorAll(selector).forEach(fn);
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch (e) { /* not remembered */ } };
  const icon = (name) => {
    const sprite = (document.querySelector("svg.icon use") || { getAttribute: () => "" }).getAttribute("href").split("#")[0];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "use")).setAttribute("href", sprite + "#" + name);
    return svg;
  };

  /* Toasts: errors stay until closed. */
  function toast(kind, text) {
    const box = byId("toasts");
    if (!box || !text) return;
    const el = document.createElement("div");
    el.className = "toast " + kind;
    if (kind === "error") el.setAttribute("role", "alert");
    const p = document.createElement("p");
    p.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "icon-btn";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", words.close);
    close.append(icon("x"));
    el.append(icon(kind === "ok" ? "circle-check" : kind === "info" ? "info" : "triangle-alert"), p, close);
    box.append(el);
    showToast(el);
  }
  function showToast(el) {
    const box = byId("toasts");
    while (box.children.length > 4) box.firstElementChild.remove();
    if (box.matches(":popover-open")) box.hidePopover();
    box.showPopover(); // again, to be above a dialog that opened meanwhile
    if (!el.matches(".error")) {
      let timer = setTimeout(() => dismiss(el), 6000);
      el.addEventListener("pointerenter", () => clearTimeout(timer));
      el.addEventListener("pointerleave", () => { timer = setTimeout(() => dismiss(el), 2500); });
    }
  }
  function dismiss(el) {
    const box = byId("toasts");
    el.remove();
    if (!box.children.length && box.matches(":popover-open")) box.hidePopover();
  }
  document.addEventListener("toast", (e) => toast(e.detail.kind || "info", e.detail.text || e.detail.value));

  /* What went wrong with a request. */
  const sorry = {
    401: words.signed_out, 403: words.forbidden, 404: words.gone, 409: words.conflict, 413: words.too_large, 429: words.too_many,
    5: words.failed, 0: words.unreachable,
  };
  document.addEventListener("htmx:responseError", (e) => {
    const xhr = e.detail.xhr;
    if (/"toast"/.test(xhr.getResponseHeader("HX-Trigger") || "")) return;
    let text = "";
    if (/problem\+json/.test(xhr.getResponseHeader("Content-Type") || "")) {
      try { const p = JSON.parse(xhr.responseText); text = p.detail || p.title; } catch (err) { /* the status will do */ }
    }
    toast("error", text || sorry[xhr.status] || (xhr.status >= 500 ? sorry[5] : sorry[409]));
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => toast("error", sorry[0]));

  /* Dialogs and drawers. */
  const opener = new WeakMap(); // dialog -> what had the focus when it opened
  function openDialog(id) {
    const d = byId(id);
    if (!d || d.open) return;
    opener.set(d, document.activeElement);
    d.showModal();
    const field = d.querySelector("[autofocus], [aria-invalid=true], .form input:not([type=hidden])");
    if (field) field.focus();
  }
  document.addEventListener("htmx:confirm", (e) => {
    if (!e.detail.question) return;
    const d = byId("confirm");
    if (!d) return;
    e.preventDefault();
    byId("confirm-text").textContent = e.detail.question;
    byId("confirm-ok").onclick = () => { d.close(); e.detail.issueRequest(true); };
    openDialog("confirm");
  });

  /* The focus stays with a person whose button was disabled, replaced or closed away by what it did. */
  const asked = new WeakMap(); // request -> what had the focus when it began
  const lost = () => { // what vanished keeps the focus until the next frame
    const a = document.activeElement;
    return !a || a === document.body || a.disabled || !a.checkVisibility();
  };
  function land(was, area) {
    const near = area ? area.querySelectorAll(".btn:not(:disabled), a[href], h2") : [];
    for (const to of [was, was.id && byId(was.id), ...near, area]) {
      if (!lost()) return;
      if (!to || !to.isConnected) continue;
      if (to === area || to.matches("h2")) to.tabIndex = -1;
      to.focus({ preventScroll: true });
    }
  }
  document.addEventListener("close", (e) => { if (opener.has(e.target)) land(opener.get(e.target)); }, true);
  document.addEventListener("flow:moved", (e) => land(e.detail, e.target));
  document.addEventListener("htmx:beforeRequest", (e) => {
    if (e.detail.elt.contains(document.activeElement)) asked.set(e.detail.xhr, document.activeElement);
  });
  document.addEventListener("htmx:afterRequest", (e) => {
    const { elt, target, xhr, successful } = e.detail;
    if (successful && elt.matches("[data-close-on-ok]")) elt.closest("dialog").close();
    const by = e.detail.requestConfig && e.detail.requestConfig.triggeringEvent;
    if (successful && elt.id === "bot-chat" && !(by && by.submitter && by.submitter.name)) byId("bot-say").value = ""; // it was sent, and no suggestion
    if (asked.has(xhr)) land(asked.get(xhr), target && target.id && byId(target.id));
  });

  /* Everything that is clicked. */
  const on = {
    open: (el) => openDialog(el.dataset.open),
    close: (el) => el.closest("dialog").close(),
    dismiss: (el) => dismiss(el.closest(".toast")),
    sheet: (el) => sheet(el.dataset.sheet === "open"),
    fold: () => {
      const folded = root.dataset.sidebar !== "folded";
      if (folded) root.dataset.sidebar = "folded"; else delete root.dataset.sidebar;
      remember("sidebar", folded ? "folded" : "");
    },
    themeSet: (el) => {
      const theme = el.dataset.themeSet;
      if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
      remember("theme", theme);
      showTheme();
    },
    copy: (el) => { const s = byId(el.dataset.copy); copy(el, "value" in s ? s.value : s.textContent, s); },
    copyText: (el) => copy(el, el.dataset.copyText),
    peek: (el) => {
      const input = byId(el.dataset.peek), shown = input.type === "text";
      input.type = shown ? "password" : "text";
      el.setAttribute("aria-pressed", String(!shown));
    },
    fill: (el) => {
      byId("email").value = el.dataset.fill.slice("email=".length);
      byId("password").value = el.dataset.fillPassword;
      byId("password").form.querySelector(".btn.primary").focus();
    },
    quick: (el) => {
      const box = byId("phone-text");
      box.value = el.dataset.quick;
      box.form.requestSubmit();
    },
  };
  document.addEventListener("click", (e) => {
    if (e.target.matches("dialog")) { // the ground beside a dialog
      const r = e.target.getBoundingClientRect();
      if (e.clientX < r.left || e.clientX > r.right || e.clientY < r.top || e.clientY > r.bottom) e.target.close();
      return;
    }
    for (const key in on) {
      const el = e.target.closest("[data-" + key.replace(/[A-Z]/g, (c) => "-" + c.toLowerCase()) + "]");
      if (el) { on[key](el); return; }
    }
  });

  function sheet(open) {
    if (open) root.dataset.sheet = "open"; else delete root.dataset.sheet;
    each("[aria-controls=side]", (b) => b.setAttribute("aria-expanded", String(open)));
    const to = document.querySelector(open ? "#side a" : "[aria-controls=side]");
    if (to) to.focus();
  }
  function showTheme() {
    each("[data-theme-set]", (b) => b.setAttribute("aria-pressed", String(b.dataset.themeSet === (root.dataset.theme || "auto"))));
  }
  async function copy(button, text, source) {
    try {
      await navigator.clipboard.writeText(text);
    } catch (err) { // no permission, or not a secure address
      if (!source || !source.select) { toast("warn", text); return; }
      source.select();
      document.execCommand("copy");
    }
    const word = button.querySelector("span");
    if (!word || !button.dataset.copied) { toast("ok", words.copied); return; }
    const before = word.dataset.before || word.textContent;
    word.dataset.before = before;
    word.textContent = button.dataset.copied;
    setTimeout(() => { word.textContent = before; }, 1800);
  }

  /* Keys. A letter alone never acts while someone types. */
  let first = "", firstTimer = 0;
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && root.dataset.sheet) { sheet(false); return; }
    const box = e.target.closest("[data-submit-enter]");
    if (box && e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      if (box.value.trim()) box.form.requestSubmit();
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, dialog[open]")) return;
    if (e.key === "/") {
      const s = document.querySelector("[data-search]");
      if (s) { e.preventDefault(); s.focus(); s.select(); }
      return;
    }
    if (e.key === "?") { openDialog("shortcuts"); return; }
    const target = document.querySelector('[data-key="' + CSS.escape(first ? first + " " + e.key : e.key) + '"]');
    first = "";
    if (target) { e.preventDefault(); target.click(); return; }
    if (e.key === "g") {
      first = "g";
      clearTimeout(firstTimer);
      firstTimer = setTimeout(() => { first = ""; }, 1200);
    }
  });

  /* Typing. */
  document.addEventListener("input", (e) => {
    const el = e.target;
    if (el.matches("[data-grow]")) grow(el);
    if (el.matches("[data-strength]")) {
      const box = byId(el.dataset.strength), out = box.querySelector("output");
      const words = el.value.trim().split(/[\s\-_.]+/).filter((w) => w.length > 2).length;
      const level = !el.value ? 0 : el.value.length < 10 ? 1 : el.value.length >= 16 || words >= 3 ? 3 : 2;
      box.dataset.level = level;
      out.textContent = ["", out.dataset.weak, out.dataset.fair, out.dataset.good][level];
    }
  });
  function grow(el) {
    el.style.height = "auto";
    el.style.height = Math.min(el.scrollHeight + 2, 160) + "px";
  }
  document.addEventListener("submit", (e) => {
    if (e.target.matches("[data-busy]")) setTimeout(() => each("button:not([type=button])", (b) => { b.disabled = true; }, e.target));
  });

  /* Times: the same steps and words as words.Ago. */
  const months = words.months.split(" "), days = words.days.split(" ");
  const day = (t) => t.getDate() + " " + months[t.getMonth()] + " " + t.getFullYear();
  const full = (t) => days[t.getDay()] + " " + day(t) + ", " + t.toTimeString().slice(0, 17);
  const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const distance = (unit, n) => words["ago_" + unit + (n === 1 ? "_one" : "_many")].replace("%", n);
  function ago(t) {
    const s = (Date.now() - t) / 1000;
    if (s < 45) return words.ago_now;
    if (s < 3600) return distance("min", Math.max(1, Math.floor(s / 60)));
    if (s < 86400) return distance("h", Math.floor(s / 3600));
    return s < 604800 ? distance("d", Math.floor(s / 86400)) : day(t);
  }
  function times(from) {
    each("time[data-ago]", (el) => { el.textContent = ago(new Date(el.dateTime)); }, from);
    each("time[data-at]", (el) => { const t = new Date(el.dateTime); el.textContent = day(t) + ", " + minute.format(t); }, from);
    each("time[data-moment]", (el) => { const t = new Date(el.dateTime); el.textContent = t.getDate() + " " + months[t.getMonth()] + ", " + t.toTimeString().slice(0, 8); }, from);
    each("time[data-clock]", (el) => { el.textContent = minute.format(new Date(el.dateTime)); }, from);
    each("time[data-day]", (el) => { // its midnight, in the business's zone
      const t = new Date(el.dateTime + "T00:00"), now = new Date(), back = Math.round((new Date(now.getFullYear(), now.getMonth(), now.getDate()) - t) / 864e5);
      el.textContent = back === 0 ? words.today : back === 1 ? words.yesterday : day(t);
    }, from);
    each("time:not([data-day])", (el) => { el.title = full(new Date(el.dateTime)); }, from);
  }
  setInterval(() => times(), 30000);

  /* Countdowns: the QR's ring and the words under it. They count from the server's clock, which the
     fragment carries, because a phone's own may be minutes off. */
  const ends = new WeakMap(), started = performance.now();
  function left(el) {
    if (!ends.has(el)) ends.set(el, performance.now() + Number(el.dataset.expiresAt) - Number(el.dataset.now));
    return Math.max(0, ends.get(el) - performance.now());
  }
  function countdowns() {
    each("[data-ring]", (el) => {
      const ms = left(el), all = Math.max(1, Number(el.dataset.expiresAt) - Number(el.dataset.issuedAt)), box = el.closest(".qr-box");
      el.style.strokeDasharray = Math.min(1, ms / all) * 100 + " 100";
      box.classList.toggle("late", ms < 6000);
      box.classList.toggle("gone", ms === 0);
    });
    each("[data-left]", (el) => {
      const s = Math.ceil(left(el) / 1000);
      el.textContent = el.dataset.word + " " + Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
    });
    each("[data-countdown]", (el) => { el.textContent = Math.max(0, Number(el.dataset.countdown) - Math.floor((performance.now() - started) / 1000)); });
  }
  setInterval(countdowns, 500);

  /* After a swap: times, and the focus where the person was or where something is wrong. */
  let focusId = "", lines = null;
  document.addEventListener("htmx:beforeSwap", () => {
    focusId = document.activeElement ? document.activeElement.id : "";
    const list = byId("bot-lines");
    lines = list && { said: list.children.length, top: list.scrollTop };
  });
  document.addEventListener("htmx:afterSwap", (e) => {
    times(); countdowns(); showTheme();
    const el = e.detail.elt;
    const list = byId("bot-lines"); // what is new in the tried chat is at its end; an edit of the form moves nothing
    if (list && lines) list.scrollTop = list.children.length === lines.said ? lines.top : list.scrollHeight;
    const wrong = el && el.querySelector && document.contains(el) ? el.querySelector("[aria-invalid=true]") : null;
    if (wrong) { wrong.focus(); return; }
    if (document.activeElement !== document.body) return;
    const again = focusId && byId(focusId);
    if (again) again.focus({ preventScroll: true });
    else if (el && el.id === "phone-form") byId("phone-text").focus({ preventScroll: true });
    else if (el && el.id === "composer") byId("answer-text").focus({ preventScroll: true });
    else if (el && el.id === "send-form") byId("send-text").focus({ preventScroll: true });
  });
  document.addEventListener("flow:ready", (e) => {
    const el = e.target;
    times(el); countdowns(); showTheme();
    if (el.matches(".toast")) showToast(el);
    if (el.id === "link-panel") sending(el.dataset.state === "connected");
  });

  // Writing by hand works as long as the number is connected.
  function sending(connected) {
    each("#send-form :is(input, textarea, button)", (field) => { field.disabled = !connected; });
    const text = byId("send-text");
    if (text) text.placeholder = connected ? text.dataset.ready : text.dataset.waiting;
  }

  // In a strip that runs off the screen, what is chosen is what one sees.
  each(".pick [aria-current], .chips [aria-current]", (el) => {
    const strip = el.closest(".pick, .chips"), a = el.getBoundingClientRect(), s = strip.getBoundingClientRect();
    strip.scrollLeft += a.left + a.width / 2 - s.left - s.width / 2;
  });

  times(); countdowns(); showTheme();
  each("[data-open-now]", (d) => openDialog(d.id));
  const form = location.hash && byId(location.hash.slice(1)); // a link from another page to a form here
  if (form && form.matches("dialog.drawer")) { // once the browser has gone to it, which takes the focus away from the first field
    history.replaceState(history.state, "", location.pathname + location.search);
    addEventListener("load", () => setTimeout(() => openDialog(form.id)));
  }
  each("#toasts .toast", showToast);
  each("[data-live-list=end]", (list) => { list.scrollTop = list.scrollHeight; });
  each("[data-grow]", (el) => { if (el.value) grow(el); });
})();
