// Rows of a list that are selected: by their boxes, with shift a range, by keys, or all that the filter lets through.
(function () {
  "use strict";
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const byId = (id) => document.getElementById(id);
  const picked = new Set(); // keys of records, also of rows that another page of the list shows
  let all = false, anchor = null, query = bar.elements.q.value;
  const boxes = () => [...document.querySelectorAll("#rows .pick input")];
  const keyOf = (box) => box.closest("tr").id.slice("row-".length);

  function show() {
    const shown = boxes(), head = byId("pick-all");
    shown.forEach((box) => { box.checked = all || picked.has(keyOf(box)); });
    const n = shown.filter((box) => box.checked).length;
    if (head) { head.checked = n > 0 && n === shown.length; head.indeterminate = n > 0 && n < shown.length; }
    const count = byId("list-count");
    byId("bulk-count").textContent = all ? (query ? "All that match: " : "All: ") + (count ? count.textContent.split("·")[0].trim() : "") : picked.size + " selected";
    bar.elements.all.value = all ? "1" : "";
    bar.elements.keys.value = all ? "" : [...picked].join(" ");
    const every = bar.querySelector("[data-bulk-all]");
    every.hidden = all;
    every.textContent = query ? "Select all that match" : "Select all there are";
    bar.hidden = !all && !picked.size;
  }
  function set(box, on) {
    if (all && !on) { all = false; boxes().forEach((b) => picked.add(keyOf(b))); } // from "all" what one sees is left, without this one
    if (on) picked.add(keyOf(box)); else picked.delete(keyOf(box));
  }
  // From the row before to this one, all become what this one becomes.
  function range(box, on) {
    const list = boxes(), from = list.findIndex((b) => keyOf(b) === anchor), to = list.indexOf(box);
    for (const b of from < 0 ? [box] : list.slice(Math.min(from, to), Math.max(from, to) + 1)) set(b, on);
  }
  function choose(box, on, shift) {
    if (shift) range(box, on); else set(box, on);
    anchor = keyOf(box);
    show();
  }
  function none() {
    all = false;
    picked.clear();
    anchor = null;
    show();
  }

  document.addEventListener("click", (e) => {
    const box = e.target.closest("#rows .pick input");
    if (box) choose(box, box.checked, e.shiftKey);
    else if (e.target.id === "pick-all") { const on = e.target.checked; if (!on) all = false; boxes().forEach((b) => set(b, on)); show(); }
    else if (e.target.closest("[data-bulk-all]")) { all = true; show(); bar.querySelector(".menus .btn").focus(); }
    else if (e.target.closest("[data-bulk-none]")) none();
  });
  // A range marks rows, not their text.
  document.addEventListener("mousedown", (e) => { if (e.shiftKey && e.target.closest("#rows .pick")) e.preventDefault(); });
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input:not([type=checkbox]), textarea, select, dialog[open]")) return;
    if (e.key === "Escape" && !bar.hidden && !document.querySelector("details[data-menu][open]")) { none(); return; }
    if (e.key !== "x" && e.key !== "X") return;
    const row = document.activeElement.closest("#rows tr"), box = row && row.querySelector(".pick input");
    if (!box) return;
    e.preventDefault();
    choose(box, e.shiftKey || !box.checked, e.shiftKey);
  });

  // The list anew: the same rows stay selected; another filter means others.
  document.addEventListener("htmx:afterSwap", () => {
    const list = byId("list"), now = list ? new URL(list.dataset.url, location.href).searchParams : null;
    if (!now) return;
    bar.elements.sort.value = now.get("sort") || "";
    bar.elements.q.value = now.get("q") || "";
    if (bar.elements.q.value !== query) { query = bar.elements.q.value; none(); } else show();
  });
  document.addEventListener("flow:ready", show);
  document.addEventListener("record-gone", (e) => { picked.delete(e.detail.value); show(); });
  addEventListener("pageshow", none); // a browser may remember boxes, but not what they meant
})();
