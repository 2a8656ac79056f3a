// The supervisors' page: puts what the daemon tells into the tiles, the table, the feed and the
// drawer. See docs/WALLBOARD.md.

import { Board } from "/board.js";
import { setThreshold } from "/chart.js";
import { byId, make, setAttribute, setText } from "/dom.js";
import { Drawer } from "/drawer.js";
import { Feed } from "/feed.js";
import { Table } from "/table.js";
import { age, clock, count } from "/words.js";

const TOGETHER_MS = 30; // items and status of one second are shown in one go
const SUMMARY_MS = 10000;
const OLD_DATA_MS = 15000;

const seen = new Set(); // alerts that somebody acknowledged, in this page only
const keyOf = (alert) => `${alert.id}#${alert.episode}`;
const isSeen = (alert) => seen.has(keyOf(alert));

function see(alert) {
  if (!seen.delete(keyOf(alert))) {
    seen.add(keyOf(alert));
  }
  update();
}

const board = new Board(onChange);
const drawer = new Drawer(board, { isSeen, see, closed: (id) => table.focusCall(id) });
const table = new Table(board, { isSeen, open: (id) => drawer.open(id) });
const feed = new Feed(board, { isSeen, see, open: (id) => drawer.open(id) });
let paused = false;
let threshold = null;
let summarisedAt = -Infinity;
let updateTimer = 0;

function onChange(what) {
  if (what === "link") {
    updateLink();
    updateColumns();
  } else if (!paused && !updateTimer) {
    updateTimer = setTimeout(update, TOGETHER_MS);
  }
}

function update() {
  const { status } = board;
  clearTimeout(updateTimer);
  updateTimer = 0;
  if (!status || !board.complete) {
    return;
  }
  if (threshold !== status.alert_below) {
    threshold = status.alert_below;
    setThreshold(threshold);
  }
  updateTiles(status);
  updateTroubles(status.troubles);
  table.update();
  feed.update();
  drawer.update();
  updateColumns();
  updateSummary(status);
}

// --- the link to the daemon ----------------------------------------------------------------------

function updateLink() {
  const { link, heardMs } = board;
  const since = heardMs === null ? "" : `; stale since ${clock(heardMs)}`;
  const texts = {
    connecting: "Connecting",
    live: paused ? "Paused" : "Live",
    lost: `Disconnected${since}`,
  };
  setAttribute(byId("link"), "data-state", link === "live" && paused ? "paused" : link);
  setText(byId("link-text"), texts[link]);
  document.body.classList.toggle("stale", link === "lost");
}

// --- tiles ---------------------------------------------------------------------------------------

function tile(name, value, note, bad = false) {
  setText(byId(`tile-${name}`), value);
  if (note !== null) {
    setText(byId(`tile-${name}-note`), note);
  }
  byId(`tile-${name}-box`)?.classList.toggle("bad", bad);
}

function updateTiles(status) {
  const open = [...board.calls.values()].map((call) => board.openAlertOf(call)).filter(Boolean);
  const unseen = open.filter((alert) => !isSeen(alert)).length;
  const judged = [...board.calls.values()].filter((call) => call.live && call.has_reading).length;
  tile("live", String(status.calls_live), `${judged} with a mood`);
  const known = open.length - unseen;
  tile("open", String(unseen), known ? `and ${known} acknowledged` : "alerts not acknowledged",
       unseen > 0);
  setText(byId("tile-alerts"), String(status.alerts_recent));
  const share = status.scored_recent ? (100 * status.scored_prompt) / status.scored_recent : null;
  tile("prompt", share === null ? "\u2013" : `${floorTo(share, share < 10 ? 1 : 0)} %`,
       `of ${count(status.scored_recent, "utterance", "utterances")}, 15 min`);
  tile("age", status.calls_live ? age(status.oldest_data_ms) : "\u2013",
       status.oldest_data_ms >= OLD_DATA_MS ? "some calls are read late" : "of all live calls",
       status.oldest_data_ms >= OLD_DATA_MS);
  document.title = unseen > 0 ? `(${unseen}) undertone` : "undertone";
}

// Never rounds up to a promise that was not kept.
function floorTo(value, digits) {
  const scale = 10 ** digits;
  return (Math.floor(value * scale) / scale).toFixed(digits);
}

function updateTroubles(troubles) {
  const glyphs = { error: "!", warn: "\u25c6", info: "i" };
  const words = { error: "Degraded", warn: "Slow", info: "Note" };
  const text = JSON.stringify(troubles);
  const box = byId("troubles");
  if (box.dataset.shown === text) {
    return;
  }
  box.dataset.shown = text;
  box.replaceChildren(...troubles.map((trouble) =>
    make("p", { class: "trouble", "data-level": trouble.level, "data-code": trouble.code },
         make("span", { class: "badge" }, `${glyphs[trouble.level]} ${words[trouble.level]}`),
         make("span", {}, trouble.text))));
}

// For those who listen instead of looking; not more often than one can stand.
function updateSummary(status) {
  if (performance.now() - summarisedAt < SUMMARY_MS) {
    return;
  }
  summarisedAt = performance.now();
  setText(byId("summary"), `${count(status.calls_live, "live call", "live calls")}, ` +
    `${count(status.alerts_open, "open alert", "open alerts")}`);
}

// --- empty, loading ------------------------------------------------------------------------------

function check(good, text) {
  return make("li", { "data-good": String(good) },
              make("span", { class: "check-glyph" }, good ? "\u2713" : "\u2013"), text);
}

function emptyNode(status) {
  const source = status.discovers
    ? check(status.discovered, status.discovered
        ? "The vendor\u2019s list of live calls was read; it names no call"
        : "The vendor\u2019s list of live calls was not read yet: the log says why " +
          "(event discovery_failed)")
    : check(status.fixed_calls > 0,
            `${count(status.fixed_calls, "call is", "calls are")} named in the configuration`);
  return [
    make("h3", {}, "No live calls yet"),
    make("p", {},
         "They appear here by themselves, with a mood as soon as the customer has spoken."),
    make("ul", { class: "checks" },
         check(status.token_held, status.token_held
           ? "The vendor lets us in: an access token is held"
           : "No access token yet: check the client id, the secret and the network"),
         source,
         check(status.discovers, status.discovers
           ? "New calls are looked for every few seconds"
           : "Only named calls are followed; discover.mode: active_contacts finds all")),
  ];
}

function noMatchNode() {
  return [make("h3", {}, "No call matches"),
          make("p", {}, "Other calls are live; change what is shown or what you look for.")];
}

function updateColumns() {
  const loading = !board.status || !board.complete;
  const empty = !loading && board.calls.size === 0;
  const none = !loading && !empty && table.shown.length === 0;
  const state = loading ? "loading" : empty ? "empty" : none ? "none" : "full";
  const blank = byId("blank");
  const key = empty ? `empty ${JSON.stringify([board.status.token_held, board.status.discovered])}`
                    : state;
  setAttribute(byId("columns"), "data-state", state);
  if (blank.dataset.shown === key) {
    return;
  }
  blank.dataset.shown = key;
  blank.hidden = state === "full";
  const skeleton = () => Array.from({ length: 8 }, () => make("div", { class: "skeleton" }));
  blank.replaceChildren(...(loading ? [make("p", { class: "unseen" }, "Loading"), ...skeleton()]
                            : empty ? emptyNode(board.status) : none ? noMatchNode() : []));
}

// --- controls ------------------------------------------------------------------------------------

byId("pause").addEventListener("click", () => {
  paused = !paused;
  setAttribute(byId("pause"), "aria-pressed", String(paused));
  setText(byId("pause"), paused ? "Go on" : "Pause");
  updateLink();
  update();
});

const THEMES = ["system", "light", "dark"];

function setTheme(theme) {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
  setText(byId("theme"), `Theme: ${theme}`);
  localStorage.setItem("theme", theme);
}

byId("theme").addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? "system";
  setTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
});
setTheme(THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "system");

for (const choice of document.querySelectorAll(".choice")) {
  choice.addEventListener("click", () => {
    table.show = choice.dataset.show;
    for (const other of document.querySelectorAll(".choice")) {
      setAttribute(other, "aria-pressed", String(other === choice));
    }
    table.update(true);
    updateColumns();
  });
}

byId("find").addEventListener("input", (event) => {
  table.text = event.target.value.trim().toLowerCase();
  table.update(true);
  updateColumns();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !typing) {
    event.preventDefault();
    byId("find").focus();
  } else if (event.key === "Escape" && drawer.id) {
    drawer.close();
  }
});

updateColumns();
