// The charts of the overview and of the logs, drawn by uPlot. What they show stands in data-series of an element that the server
// sends anew when it changes; the same figures are on the page as a table or a list.
(function () {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const css = (el, what) => getComputedStyle(el)[what];
  const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const second = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
  const count = (n) => n >= 10000 ? Math.round(n / 1000) + "k" : String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const wait = (s) => s >= 600 ? "over 5 min" : s >= 60 ? s / 60 + " min" : s + " s";

  // The colour of a series is that of its entry in the key, so the style sheet names it and the theme changes it.
  const colour = (fig, name) => () => css(fig.querySelector(".s-" + name), "color");
  const soft = (fig, name) => () => css(fig.querySelector(".s-" + name), "color").replace(/^rgb\(([^)]+)\)$/, "rgba($1, .12)");
  const line = (fig, name, more) => Object.assign({ stroke: colour(fig, name), width: 2, points: { size: 5, fill: colour(fig, name) } }, more);
  const bars = (fig, name, more) => Object.assign({ stroke: colour(fig, name), fill: colour(fig, name), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [.8, 80, 1] }) }, more);

  const kinds = {
    messages: { of: ["received", "sent"], say: count, make: (f) => [line(f, "received", { fill: soft(f, "received") }), line(f, "sent", { dash: [5, 4] })] },
    waits: { of: ["p50", "p99"], say: wait, make: (f) => [line(f, "p50"), line(f, "p99", { dash: [5, 4] })] },
    failures: { of: ["failed"], say: count, make: (f) => [bars(f, "failed")] },
    // Of each time all entries, then those that are bad above them, then the worst; what is there is seen, however many others there are.
    logs: {
      of: ["INFO", "WARN", "ERROR"], say: count, make: (f) => [bars(f, "INFO"), bars(f, "WARN"), bars(f, "ERROR")],
      draw: (d) => {
        const least = Math.max(...d.INFO.map((n, i) => n + d.WARN[i] + d.ERROR[i])) / 25;
        const tall = (n) => n ? Math.max(n, least) : 0;
        return [d.INFO.map((n, i) => n + tall(d.WARN[i]) + tall(d.ERROR[i])), d.WARN.map((n, i) => tall(n) + tall(d.ERROR[i])), d.ERROR.map(tall)];
      },
    },
  };

  const made = new Map(); // plot -> its chart
  // A step's bar stands over the middle of its time.
  const rows = (kind, d) => [d.step ? d.t.map((t) => t + d.step / 2) : d.t].concat(kind.draw ? kind.draw(d) : kind.of.map((name) => d[name]));

  function make(plot, d) {
    const kind = kinds[plot.dataset.plot], fig = plot.closest("figure"), axis = { stroke: () => css(plot, "color"), font: "12px Inter, system-ui, sans-serif", size: 30 };
    const grid = { stroke: () => css(plot, "borderTopColor"), width: 1 };
    const span = () => d.t[d.t.length - 1] - d.t[0];
    const chart = {
      data: d,
      u: new uPlot({
        width: plot.clientWidth, height: plot.clientHeight, padding: [10, 22, 0, 0], legend: { show: false },
        cursor: { y: false, points: { show: !kind.draw && kind.of[0] !== "failed", size: 7 }, drag: { x: "drag" in plot.dataset, y: false, setScale: false } },
        select: { show: "drag" in plot.dataset },
        scales: { x: { time: true, range: (u, lo, hi) => { const half = chart.data.step ? chart.data.step / 2 : 0; return [lo - half, hi + half]; } },
          y: { range: (u, lo, hi) => [0, Math.max(kind.say === wait ? 3 : 4, hi * 1.08 || 0)] } },
        axes: [
          Object.assign({}, axis, { grid: { show: false }, ticks: { show: false }, space: 56, values: (u, at) => at.map((t, i) => {
            const when = new Date(t * 1000), first = i === 0 || new Date(at[i - 1] * 1000).getDate() !== when.getDate();
            return first && i > 0 || span() > 3 * 86400 ? day.format(when) : minute.format(when);
          }) }),
          Object.assign({}, axis, { grid, ticks: { show: false }, size: 52, space: plot.clientHeight < 130 ? 24 : 34, incrs: [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000], values: (u, at) => at.map((n) => kind.say === wait ? (n === 600 ? "> 300 s" : n + " s") : count(n)) }),
        ],
        series: [{}].concat(kind.make(fig)),
        hooks: {
          setCursor: [(u) => say(fig, kind, chart.data, u.cursor.idx)],
          setSelect: [(u) => { if (u.select.width > 3) picked(plot, chart, u); }],
        },
      }, rows(kind, d), plot),
    };
    made.set(plot, chart);
    new ResizeObserver(() => { if (plot.clientWidth) chart.u.setSize({ width: plot.clientWidth, height: plot.clientHeight }); }).observe(plot);
  }

  // What the pointer is on, in the chart's key, which has the room for it.
  function say(fig, kind, d, i) {
    for (const name of kind.of) {
      const v = i == null ? null : d[name][i];
      fig.querySelector('[data-of="' + name + '"]').textContent = v == null ? "" : kind.say(v);
    }
    const when = fig.querySelector("[data-when]");
    if (when) when.textContent = i == null ? "" : day.format(d.t[i] * 1000) + ", " + (d.step && d.step < 60 ? second : minute).format(d.t[i] * 1000);
  }

  function draw(source) {
    const d = source.dataset.series ? JSON.parse(source.dataset.series) : null;
    for (const plot of document.querySelectorAll(source.dataset.for ? "#" + source.dataset.for : "[data-plot]")) {
      const chart = made.get(plot);
      plot.classList.toggle("unknown", !d); // too much to count, or the filter is wrong
      if (!d) continue;
      if (!chart) { make(plot, d); continue; }
      chart.data = d;
      chart.u.setData(rows(kinds[plot.dataset.plot], d));
    }
  }

  /* The time that was dragged over becomes part of the filter. */
  function picked(plot, chart, u) {
    const from = u.posToVal(u.select.left, "x"), to = u.posToVal(u.select.left + u.select.width, "x");
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    const iso = (s) => new Date(Math.round(s) * 1000).toISOString().replace(".000", "");
    narrow('created_at >= "' + iso(from) + '" && created_at < "' + iso(Math.max(to, from + 1)) + '"');
  }
  function narrow(time) {
    const bar = byId("q");
    let rest = bar.value.trim().replace(/(?:&&\s*)?created_at\s*[<>]=?\s*(?:"[^"]*"|@[\w+-]+)\s*/g, "").replace(/^\s*&&\s*/, "").trim();
    if (rest && !/[=<>~]/.test(rest.replace(/"(\\.|[^"])*"?/g, ""))) rest = 'message ~ "' + rest.replace(/["\\]/g, "") + '"';
    else if (rest.includes("||")) rest = "(" + rest + ")";
    bar.value = [rest, time].filter(Boolean).join(" && ");
    htmx.trigger(bar.form, "filter");
  }
  document.addEventListener("click", (e) => {
    const b = e.target.closest("[data-span]");
    if (b) narrow(b.dataset.span ? "created_at > @now-" + b.dataset.span : "");
  });
  // The list was narrowed: its chart follows. An answer that another has overtaken counts no more.
  let asked = 0;
  async function follow(list) {
    const mine = ++asked;
    const answer = await fetch(list.dataset.base + "/chart" + new URL(list.dataset.url, location.href).search, { headers: { "HX-Request": "true" } }).catch(() => null);
    const t = document.createElement("template");
    if (answer && answer.ok) t.innerHTML = await answer.text();
    if (mine !== asked) return;
    const source = t.content.firstElementChild || Object.assign(document.createElement("div"), { id: "log-series" });
    source.dataset.for = "list-plot";
    byId("log-series").replaceWith(source);
    draw(source);
  }
  document.addEventListener("htmx:load", (e) => {
    const el = e.detail.elt;
    if (el.matches("[data-series]")) draw(el);
    if (el.id === "list" && byId("log-series")) follow(el);
  });

  document.addEventListener("flow:ready", (e) => { if (e.target.matches("[data-series]")) draw(e.target); });
  const again = () => requestAnimationFrame(() => made.forEach((chart) => chart.u.redraw()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new MutationObserver(again).observe(root, { attributeFilter: ["data-theme"] });
  for (const source of document.querySelectorAll("[data-series]")) draw(source);
})();
