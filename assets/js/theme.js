// Runs before the first paint, so neither the theme nor the folded sidebar jumps.
(function () {
  var root = document.documentElement;
  try {
    var theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("sidebar") === "folded") root.dataset.sidebar = "folded";
  } catch (e) { /* storage is forbidden: the device's own theme then */ }
})();
