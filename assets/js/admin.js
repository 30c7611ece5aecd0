// What the admin's lists and records need beyond app.js: rows by keyboard, the drawer and its unsaved changes, suggestions for
// the filter bar, the relation picker, times in the reader's zone.
(function () {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const typing = (e) => e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, dialog[open]");

  /* The sidebar's own search. */
  const find = byId("side-find");
  function narrow() {
    const words = find.value.trim().toLowerCase();
    let any = false;
    document.querySelectorAll(".side-item").forEach((li) => {
      li.hidden = !li.dataset.name.toLowerCase().includes(words);
      any = any || !li.hidden;
    });
    document.querySelectorAll(".side-group").forEach((g) => { g.hidden = !g.querySelector(".side-item:not([hidden])"); });
    byId("side-none").hidden = any;
  }
  if (find) {
    find.addEventListener("input", narrow);
    find.addEventListener("keydown", (e) => {
      if (e.key === "Enter") { const a = document.querySelector(".side-item:not([hidden]) a"); if (a && find.value.trim()) a.click(); }
      if (e.key === "Escape") { find.value = ""; narrow(); find.blur(); }
    });
  }

  /* The entry of this page is in sight. */
  const nav = document.querySelector(".side-nav"), present = nav && nav.querySelector("[aria-current]");
  if (present) nav.scrollTop = Math.max(0, present.getBoundingClientRect().bottom - nav.getBoundingClientRect().bottom + nav.clientHeight / 3);

  /* The pin shows what it did. */
  document.addEventListener("htmx:afterRequest", (e) => {
    const b = e.detail.elt;
    if (!e.detail.successful || !b.matches("[data-pin], .pin")) return;
    const here = document.querySelector("[data-pin]"), entry = document.querySelector(".side-item a[aria-current] + .pin");
    if (here && entry) here.setAttribute("aria-pressed", entry.getAttribute("aria-pressed"));
    if (find && find.value) narrow();
  });

  /* Menus close when one looks elsewhere. */
  document.addEventListener("click", (e) => {
    document.querySelectorAll("details[data-menu][open]").forEach((d) => { if (!d.contains(e.target) || e.target.closest(".menu-item, .menu-list a")) d.open = false; });
  });
  document.addEventListener("keydown", (e) => {
    const menu = e.key === "Escape" && e.target.closest("details[data-menu][open]");
    if (!menu) return;
    e.preventDefault();
    e.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  }, true);

  /* Rows by keyboard. */
  const links = () => [...document.querySelectorAll("#rows .row-link, #tenant-rows .row-link")];
  document.addEventListener("keydown", (e) => {
    if (typing(e)) return;
    if (e.key === "f" && find) { e.preventDefault(); find.focus(); return; }
    if (e.key !== "j" && e.key !== "k" && e.key !== "e") return;
    const all = links(), at = all.findIndex((a) => a.closest("tr") === (document.activeElement && document.activeElement.closest("tr")));
    if (e.key === "e") { if (at >= 0) { e.preventDefault(); all[at].click(); } return; }
    const next = at < 0 ? all[e.key === "j" ? 0 : all.length - 1] : all[at + (e.key === "j" ? 1 : -1)];
    if (next) {
      e.preventDefault();
      next.focus({ preventScroll: true });
      next.closest("tr").scrollIntoView({ block: "nearest" });
    } else if (e.key === "j" && byId("rows-more")) byId("rows-more").querySelector("button").click();
  });

  /* The drawer. Its address is the list's with ?open=; closing leads back to the list's. */
  const drawer = byId("record");
  let clean = "", leave = null;
  const shape = () => { const f = byId("record-form"); return f ? new URLSearchParams(new FormData(f)).toString() : ""; };
  const dirty = () => !!drawer && drawer.open && clean !== "*" && shape() !== clean;
  function ready() {
    zone(byId("record-body"));
    clean = shape();
    const form = byId("record-form");
    if (form && form.querySelector("[aria-invalid=true], [role=alert]")) clean = "!"; // refused: what was typed is not saved
    if (!drawer.open) { opener = document.activeElement; drawer.showModal(); }
    mark(byId("record-body").dataset.keyOf);
    const first = drawer.querySelector("[aria-invalid=true]") || (byId("record-body").dataset.keyOf ? null : drawer.querySelector(".drawer-body :is(input:not([type=hidden]), select, textarea)"));
    if (first) first.focus();
    else if (!drawer.contains(document.activeElement) || document.activeElement === drawer) { const h = byId("record-h"); h.tabIndex = -1; h.focus(); }
  }
  let opener = null;
  function mark(key) {
    document.querySelectorAll("#rows tr.current").forEach((tr) => tr.classList.remove("current"));
    const row = key && byId("row-" + key);
    if (row) row.classList.add("current");
  }
  function ask(then) {
    leave = then;
    byId("unsaved").showModal();
  }
  if (drawer) {
    drawer.addEventListener("cancel", (e) => { if (dirty()) { e.preventDefault(); ask(() => drawer.close()); } });
    drawer.addEventListener("close", () => {
      clean = "*";
      const key = byId("record-body").dataset.keyOf, row = key && byId("row-" + key);
      mark("");
      const url = new URL(location.href);
      if (url.searchParams.has("open")) { url.searchParams.delete("open"); history.replaceState(history.state, "", url); }
      const to = row ? row.querySelector(".row-link") : opener;
      if (to && to.isConnected) to.focus({ preventScroll: true });
    });
    addEventListener("beforeunload", (e) => { if (dirty() && navigator.userActivation.hasBeenActive) e.preventDefault(); });
    if (byId("record-body").dataset.keyOf !== undefined) addEventListener("load", ready);
  }
  // Before app.js closes a dialog or a link leads away, unsaved changes are asked about.
  document.addEventListener("click", (e) => {
    if (e.target.closest("[data-discard]")) {
      byId("unsaved").close();
      clean = "*";
      if (leave) leave();
      return;
    }
    if (!dirty() || !drawer.contains(e.target)) return;
    const close = e.target === drawer && outside(e) || e.target.closest("[data-close]");
    const link = e.target.closest("[hx-get*='/new?from'], a[href]:not([target])");
    if (!close && !link) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    ask(() => { if (close) drawer.close(); else { clean = "*"; link.click(); } });
  }, true);
  function outside(e) {
    const r = drawer.getBoundingClientRect();
    return e.clientX < r.left || e.clientX > r.right || e.clientY < r.top || e.clientY > r.bottom;
  }
  document.addEventListener("keydown", (e) => {
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "s") {
      const form = document.querySelector("dialog[open] form[data-save]") || document.querySelector("form[data-save]");
      if (form) { e.preventDefault(); form.requestSubmit(); }
    }
  });
  document.addEventListener("htmx:afterSwap", (e) => {
    const body = byId("record-body");
    if (body && (e.detail.target.id === "record-body" || e.detail.elt.id === "record-body")) ready();
    const opens = e.detail.requestConfig && e.detail.requestConfig.elt.dataset.opens;
    if (opens && !byId(opens).open) byId(opens).showModal();
  });
  document.addEventListener("record-saved", (e) => {
    const row = byId("row-" + e.detail.value), list = byId("list");
    if (!row || !list) return;
    const url = list.dataset.base + "/row/" + encodeURIComponent(e.detail.value) + new URL(list.dataset.url, location.href).search;
    htmx.ajax("GET", url, { target: row, swap: "outerHTML" }).then(() => mark(e.detail.value));
  });
  const again = () => { if (byId("list")) htmx.trigger(document.body, "list-again"); };
  document.addEventListener("record-made", () => { clean = "*"; drawer.close(); again(); });
  document.addEventListener("record-gone", (e) => {
    clean = "*";
    drawer.close();
    const row = byId("row-" + e.detail.value);
    if (row) row.remove();
    again();
  });

  /* Copy a record as JSON. */
  document.addEventListener("click", async (e) => {
    const b = e.target.closest("[data-copy-url]");
    if (!b) return;
    const say = (kind, text) => document.dispatchEvent(new CustomEvent("toast", { detail: { kind, text } }));
    const text = fetch(b.dataset.copyUrl, { headers: { Accept: "application/json" } }).then((r) => { if (!r.ok) throw r; return r.text(); })
      .then((t) => JSON.stringify(JSON.parse(t), null, 2));
    try {
      await navigator.clipboard.writeText(await text);
      say("ok", "Copied.");
    } catch (err) { say("error", "This could not be copied."); }
  });

  /* Times are edited in the reader's zone and sent with it. */
  function zone(from) {
    from.querySelectorAll("[data-time]").forEach((input) => {
      const name = input.name, hidden = document.createElement("input");
      hidden.type = "hidden";
      hidden.name = name;
      hidden.value = input.dataset.time;
      input.removeAttribute("name");
      input.after(hidden);
      const t = new Date(input.dataset.time);
      if (!isNaN(t)) input.value = new Date(t - t.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
      input.addEventListener("input", () => { hidden.value = input.value ? new Date(input.value).toISOString() : ""; });
      input.parentElement.querySelector("[data-zone]").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
    });
  }

  /* A list below a field: arrows choose, Enter takes. */
  function options(input, list, take) {
    const all = () => [...list.querySelectorAll("[role=option]")];
    const show = (on) => {
      list.hidden = !on;
      input.setAttribute("aria-expanded", String(on));
      if (!on) input.removeAttribute("aria-activedescendant");
    };
    const pick = (li) => {
      all().forEach((o, i) => { o.id = list.id + "-" + i; o.setAttribute("aria-selected", String(o === li)); });
      if (li) { input.setAttribute("aria-activedescendant", li.id); li.scrollIntoView({ block: "nearest" }); }
    };
    input.addEventListener("keydown", (e) => {
      const rows = all(), at = rows.findIndex((o) => o.getAttribute("aria-selected") === "true");
      if (list.hidden) { if (e.key === "ArrowDown") { e.preventDefault(); input.dispatchEvent(new Event("open-picker")); show(list.children.length > 0); } return; }
      if (e.key === "ArrowDown" || e.key === "ArrowUp") {
        e.preventDefault();
        pick(rows[(at + (e.key === "ArrowDown" ? 1 : rows.length - 1 + (at < 0 ? 1 : 0))) % rows.length]);
      } else if ((e.key === "Enter" || e.key === "Tab") && at >= 0) {
        if (e.key === "Enter") { e.preventDefault(); took = true; }
        take(rows[at]);
      } else if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); show(false); }
    });
    // The Enter that chose must not send the form as well; some keyboards' character comes although its key was handled.
    let took = false;
    input.addEventListener("keypress", (e) => { if (took && e.key === "Enter") e.preventDefault(); took = false; });
    input.addEventListener("keyup", () => { took = false; });
    list.addEventListener("pointerdown", (e) => { const li = e.target.closest("[role=option]"); if (li) { e.preventDefault(); take(li); } });
    input.addEventListener("blur", () => show(false));
    return { show, pick };
  }

  /* The relation picker. */
  const pickers = new WeakMap();
  document.addEventListener("focusin", (e) => {
    const box = e.target.closest("[data-picker]");
    if (!box || pickers.has(box)) return;
    const input = box.querySelector("[role=combobox]"), hidden = box.querySelector("[type=hidden]"), list = box.querySelector("ul");
    let title = input.value;
    const menu = options(input, list, (li) => {
      hidden.value = li.dataset.value;
      title = input.value = li.textContent.trim();
      menu.show(false);
    });
    pickers.set(box, menu);
    input.addEventListener("input", () => { menu.show(true); if (!input.value.trim()) { hidden.value = ""; title = ""; } });
    input.addEventListener("blur", () => { input.value = title; });
    list.addEventListener("htmx:afterSwap", () => menu.show(document.activeElement === input));
  });

  /* Suggestions while one writes a filter: history, columns, operators, values. */
  const bar = document.querySelector("[data-filter]");
  if (bar) {
    const list = byId("suggestions"), hints = JSON.parse(bar.dataset.hints), memory = "filters." + bar.dataset.filter;
    const past = () => { try { return JSON.parse(localStorage.getItem(memory)) || []; } catch (e) { return []; } };
    const expression = (s) => /[=<>~]|&&|\|\|/.test(s.replace(/"(\\.|[^"])*"?/g, ""));
    let timer = 0, asked = bar.value;
    const go = () => {
      clearTimeout(timer);
      asked = bar.value;
      htmx.trigger(bar.form, "filter");
    };
    const menu = options(bar, list, (li) => {
      const from = Number(li.dataset.from);
      if (li.dataset.whole) { bar.value = li.dataset.put; menu.show(false); go(); return; }
      bar.value = bar.value.slice(0, from) + li.dataset.put + bar.value.slice(bar.selectionStart);
      bar.selectionStart = bar.selectionEnd = from + li.dataset.put.length;
      suggest();
    });
    const item = (put, from, note, whole) => {
      const li = document.createElement("li"), code = document.createElement("code");
      li.setAttribute("role", "option");
      li.setAttribute("aria-selected", "false");
      li.dataset.put = put;
      li.dataset.from = from;
      if (whole) li.dataset.whole = "1";
      code.textContent = put.trim();
      li.append(code);
      if (note) { const s = document.createElement("span"); s.className = "muted"; s.textContent = note; li.append(s); }
      return li;
    };
    // What stands before the cursor decides what can follow.
    function suggestions() {
      const text = bar.value.slice(0, bar.selectionStart);
      if (!bar.value) return past().map((f) => item(f, 0, "asked before", true)).concat(hints.slice(0, 8).map((h) => item(h.n + " ", 0, kinds[h.k])));
      let m = text.match(/(?:^|&&|\|\||\()\s*([\w.]*)$/);
      if (m) {
        const found = hints.filter((h) => h.n.startsWith(m[1]) && h.n !== m[1]).concat(hints.filter((h) => !h.n.startsWith(m[1]) && h.n.includes(m[1])));
        return found.slice(0, 10).map((h) => item(h.n + " ", text.length - m[1].length, kinds[h.k]));
      }
      m = text.match(/([\w.]+)\s+([!=<>~]*)$/);
      const hint = m && hints.find((h) => h.n === m[1]);
      if (hint) return hint.o.filter((o) => o.startsWith(m[2]) && o !== m[2]).map((o) => item(o + " ", text.length - m[2].length, operators[o]));
      m = text.match(/([\w.]+)\s*(?:!=|>=|<=|!~|[=<>~])\s*("?[\w@+-]*)$/);
      const of = m && hints.find((h) => h.n === m[1]);
      if (of) {
        const typed = m[2].replace(/^"/, "").toLowerCase(), values = of.v || (of.k === "time" ? ["@now-1h", "@now-1d", "@now-7d", "@today"] : ["null"]);
        return values.map((v, i) => [v, of.w ? of.w[i] : ""]).filter(([v]) => v.toLowerCase().includes(typed) && v !== m[2])
          .map(([v, note]) => item((of.v && of.k === "enum" ? '"' + v + '"' : v) + " ", text.length - m[2].length, note));
      }
      if (/(["\w)])\s+[&|]?$/.test(text) && expression(text)) return [item("&& ", text.length - (/[&|]$/.test(text) ? 1 : 0), "and"), item("|| ", text.length - (/[&|]$/.test(text) ? 1 : 0), "or")];
      return [];
    }
    const kinds = { text: "text", longtext: "text", phone: "phone number", int: "number", bool: "yes or no", enum: "choice", time: "time", json: "JSON", uuid: "id", relation: "another record" };
    const operators = { "=": "is", "!=": "is not", "~": "contains", "!~": "does not contain", ">": "after, more than", ">=": "from", "<": "before, less than", "<=": "up to" };
    function suggest() {
      list.replaceChildren(...suggestions());
      menu.show(list.children.length > 0 && document.activeElement === bar);
    }
    bar.addEventListener("focus", () => { if (!bar.value) suggest(); });
    bar.addEventListener("open-picker", suggest);
    bar.addEventListener("input", () => {
      suggest();
      clearTimeout(timer);
      if (!expression(bar.value)) timer = setTimeout(go, 250); // an unfinished expression would only be refused
    });
    bar.addEventListener("keydown", (e) => { if (e.key === "Escape" && list.hidden && bar.value) { bar.value = ""; go(); } });
    bar.form.addEventListener("submit", () => { clearTimeout(timer); asked = bar.value; menu.show(false); });
    // A head asks for its order of what was typed, whether that was asked for already or not.
    document.addEventListener("click", (e) => {
      const head = e.target.closest("[data-sort]");
      if (!head || e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      bar.form.elements.sort.value = head.dataset.sort;
      go();
    });
    document.addEventListener("htmx:afterRequest", (e) => {
      if (e.detail.elt !== bar.form || !e.detail.successful || !expression(asked)) return;
      const kept = [asked, ...past().filter((f) => f !== asked)].slice(0, 8);
      try { localStorage.setItem(memory, JSON.stringify(kept)); } catch (err) { /* not remembered */ }
    });
  }
})();
