// The settings page: its forms save by Ctrl+S, warn before they are left unsaved, and a colour shows on the page while it is chosen.
(() => {
  const dirty = () => document.querySelector("form[data-keep][data-dirty]");
  document.addEventListener("input", (e) => {
    const form = e.target.closest("form[data-keep]");
    if (form) form.dataset.dirty = "";
    if (e.target.matches("[data-brand]")) show(e.target);
  });
  document.addEventListener("click", (e) => {
    const own = e.target.closest("[data-brand-own]");
    if (!own) return;
    const field = own.parentElement.querySelector("[data-brand]");
    field.value = own.dataset.brandOwn;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("keydown", (e) => {
    if (!(e.ctrlKey || e.metaKey) || e.key.toLowerCase() !== "s") return;
    const form = document.activeElement.closest("form[data-keep]") || dirty();
    if (form) { e.preventDefault(); form.requestSubmit(); }
  });
  document.addEventListener("htmx:beforeRequest", (e) => { if (e.detail.elt.matches("form[data-keep]")) delete e.detail.elt.dataset.dirty; });
  document.addEventListener("htmx:afterSettle", (e) => {
    const form = e.detail.elt.matches && e.detail.elt.querySelector("form[data-keep]");
    if (form && form.querySelector(".err")) form.dataset.dirty = "";
  });
  window.addEventListener("beforeunload", (e) => { if (dirty()) e.preventDefault(); });
  let waits;
  function show(field) {
    field.parentElement.querySelector("[data-brand-value]").textContent = field.value;
    clearTimeout(waits);
    waits = setTimeout(() => {
      let link = document.getElementById("brand");
      if (!link) {
        link = Object.assign(document.createElement("link"), { id: "brand", rel: "stylesheet" });
        document.head.append(link);
      }
      link.href = "/brand/" + field.value.slice(1) + ".css";
    }, 120);
  }
})();
