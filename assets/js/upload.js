// Imports: a file that is too large is said before it is sent, and a column that the file has needs no value for all.
document.addEventListener("change", (e) => {
  "use strict";
  const mapping = e.target.closest("#import-mapping");
  if (mapping && e.target.name.startsWith("column_")) {
    const chosen = [...mapping.querySelectorAll("[name^=column_]")].map((select) => select.value);
    mapping.querySelectorAll("[data-default]").forEach((field) => { field.hidden = chosen.includes(field.dataset.default); });
  }
  const most = Number(e.target.dataset.mostBytes), file = most && e.target.files[0];
  if (!most) return;
  e.target.setCustomValidity(file && file.size > most ? e.target.dataset.mostWords : "");
  e.target.reportValidity();
});
