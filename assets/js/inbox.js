// The inbox: who waits for a person is counted everywhere, heard and shown in the tab's title; what is before somebody's eyes is read;
// a canned answer goes where one writes; older messages come without a jump.
(function () {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const stored = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch (e) { /* not remembered */ }
    return null;
  };

  /* Customers who ask for a person. Of several tabs one sounds: the others find that it was heard. */
  const title = document.title;
  function count(badge) {
    const n = Number(badge.dataset.count), latest = Number(badge.dataset.latest), heard = stored("handoff");
    document.title = n ? "(" + n + ") " + title : title;
    if (heard !== null && n && latest > Number(heard)) document.dispatchEvent(new CustomEvent("flow:handoff"));
    if (heard === null || latest > Number(heard)) stored("handoff", latest);
  }
  let audio = null;
  function chime() {
    if (stored("sound") === "off" || !navigator.userActivation.hasBeenActive) return; // browsers let nothing be heard before a first tap
    audio = audio || new AudioContext();
    [[660, 0], [880, 0.16]].forEach(([pitch, at]) => {
      const tone = audio.createOscillator(), volume = audio.createGain(), t = audio.currentTime + at;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, t);
      volume.gain.exponentialRampToValueAtTime(0.25, t + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, t + 0.35);
      tone.connect(volume).connect(audio.destination);
      tone.start(t);
      tone.stop(t + 0.4);
    });
  }
  document.addEventListener("flow:handoff", chime);
  function showSound() {
    document.querySelectorAll("[data-sound]").forEach((b) => b.setAttribute("aria-pressed", String(stored("sound") !== "off")));
  }

  /* Read is what somebody sees. */
  let reading = 0;
  function read() {
    const thread = document.querySelector("[data-read]");
    if (!thread || document.visibilityState !== "visible") return;
    clearTimeout(reading);
    reading = setTimeout(() => {
      fetch(thread.dataset.read, { method: "POST", headers: { "HX-Request": "true" } }).catch(() => { /* the next time it is seen */ });
    }, 250);
  }
  document.addEventListener("visibilitychange", read);

  document.addEventListener("flow:ready", (e) => {
    const el = e.target;
    if (el.id === "inbox-badge") count(el);
    if (el.matches("#thread > .theirs")) read();
    if (el.id === "chats-now" && "keep" in el.dataset) { // after a gap: what has left the list meanwhile
      const keep = el.dataset.keep.split(" ");
      document.querySelectorAll("#chats > .chat-row").forEach((row) => { if (!keep.includes(row.id)) row.remove(); });
    }
  });

  document.addEventListener("click", (e) => {
    const sound = e.target.closest("[data-sound]"), text = e.target.closest("[data-insert]");
    if (sound) {
      stored("sound", sound.getAttribute("aria-pressed") === "true" ? "off" : "on");
      showSound();
      chime();
    }
    if (text) {
      const box = byId("answer-text");
      text.closest("dialog").close();
      box.value = box.value.trim() ? box.value.trimEnd() + "\n" + text.dataset.insert : text.dataset.insert;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      box.focus();
    }
  });

  /* Who reads the end of a chat goes on doing so when a keyboard takes half of the screen. */
  const lines = byId("thread");
  if (lines) {
    let atEnd = true, height = lines.clientHeight;
    lines.addEventListener("scroll", () => { if (lines.clientHeight === height) atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 60; }, { passive: true });
    new ResizeObserver(() => {
      height = lines.clientHeight;
      if (atEnd) lines.scrollTop = lines.scrollHeight;
    }).observe(lines);
  }

  /* Older messages come above what is read. */
  let below = -1;
  document.addEventListener("htmx:beforeSwap", (e) => {
    const list = byId("thread");
    below = list && e.detail.target.id === "thread-older" ? list.scrollHeight - list.scrollTop : -1;
  });
  document.addEventListener("htmx:afterSwap", (e) => {
    const list = byId("thread");
    if (below >= 0) {
      const seen = new Set();
      list.querySelectorAll(".day").forEach((day) => { if (seen.has(day.id)) day.remove(); seen.add(day.id); });
      list.scrollTop = list.scrollHeight - below;
      below = -1;
    } else if (e.detail.elt.id === "composer") {
      list.scrollTop = list.scrollHeight; // what was sent is about to come
    }
  });

  showSound();
  read();
  const chosen = document.querySelector("#chats [aria-current]");
  if (chosen) chosen.scrollIntoView({ block: "nearest" });
})();
