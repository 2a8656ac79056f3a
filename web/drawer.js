// One call in detail: both windows, the evidence of its alert, and what was done about it.

import { Chart, LARGE, addAxes } from "/chart.js";
import { byId, make, setAttribute, setText } from "/dom.js";
import { Feedback } from "/feedback.js";
import { stateOf } from "/table.js";
import {
  ATTRIBUTES, CALL_STATES, PATHS, STATES, SUGGESTIONS, TIERS, TRENDS, age, alertWord, clock, count,
  score, signed, span,
} from "/words.js";

function windowCard(name) {
  const value = make("span", { class: "window-value" });
  const note = make("span", { class: "sub" });
  const node = make("div", { class: "window" }, make("span", { class: "window-name" }, name),
                    value, note);
  return { node, value, note };
}

function fact(list, name) {
  const value = make("dd");
  list.append(make("dt", {}, name), value);
  return value;
}

function evidenceRow(alert, item) {
  const before = Math.round((item.end_ms - alert.as_of_ms) / 1000);
  return make(
    "tr", {},
    make("th", { scope: "row" }, clock(item.end_ms),
         make("span", { class: "sub" }, before === 0 ? "the newest" : `${-before} s before`)),
    make("td", {}, item.speaker === "customer" ? "Customer" : "Agent"),
    make("td", { class: "number" }, score(item.score)),
    make("td", { class: "number" }, signed(item.contribution, 3)),
  );
}

// Redacted words, where policy lets any out: quoted, or said to be gone.
function wordsRow(item) {
  return item.words === undefined ? [] : [
    make("tr", { class: "said" },
         make("td", { colspan: "4" }, item.words === null ? "words no longer held"
                                                           : `\u201c${item.words}\u201d`)),
  ];
}

function saidLine(alert) {
  const said = alert.said;
  const words = said && said.words ? `: \u201c${said.words}\u201d` : "";
  return said ? [make("p", { class: "sub" }, `${said.speaker === "agent" ? "The agent" :
    "The customer"}, ${clock(said.end_ms)}${words}`)] : [];
}

export class Drawer {
  constructor(board, { isSeen, see, closed }) {
    this.board = board;
    this.isSeen = isSeen;
    this.see = see;
    this.closed = closed;
    this.id = null;
    this.alertBuilt = null; // what the section shows
    this.node = byId("drawer");
    this.build();
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.close();
      }
    });
  }

  build() {
    this.badge = make("span", { class: "badge" });
    this.title = make("h2", { id: "drawer-title", tabindex: "-1" });
    this.button = make("button", { type: "button", class: "tool", onclick: () => this.close() },
                       "Close");
    this.chart = new Chart(LARGE);
    this.chartBox = make("div", { class: "drawer-chart" }, this.chart.node);
    this.current = windowCard("Now");
    this.before = windowCard("Before");
    this.trend = make("div", { class: "window-trend" });
    this.facts = make("dl", { class: "facts" });
    this.heard = fact(this.facts, "Last heard");
    this.judged = fact(this.facts, "Utterances judged");
    this.whose = fact(this.facts, "Queue");
    this.followed = fact(this.facts, "Followed for");
    this.written = fact(this.facts, "Attributes");
    this.read = fact(this.facts, "Transcript");
    this.alertBox = make("section", { class: "drawer-alert", "aria-label": "Alert" });
    this.gone = make("p", { class: "notice" }, "This call has gone. These were its last numbers.");
    this.node.append(
      make("div", { class: "drawer-head" },
           make("div", {}, this.badge, this.title), this.button),
      this.gone, this.chartBox,
      make("div", { class: "windows" }, this.before.node, this.trend, this.current.node),
      this.alertBox, this.facts,
      make("p", { class: "notice" },
           "A model\u2019s estimate from the customer\u2019s words, never from the agent\u2019s. " +
           "A person decides."),
    );
  }

  open(id) {
    const call = this.board.calls.get(id);
    if (!call) {
      return;
    }
    if (!this.id) {
      addAxesOnce(this.chart, this.board.status.alert_below);
    }
    this.id = id;
    this.call = call;
    this.alertBuilt = null;
    this.node.hidden = false;
    document.body.classList.add("with-drawer");
    this.update();
    this.title.focus({ preventScroll: true });
    this.node.scrollTop = 0;
  }

  close() {
    const { id } = this;
    this.id = null;
    this.node.hidden = true;
    document.body.classList.remove("with-drawer");
    this.closed(id);
  }

  update() {
    if (!this.id || !this.board.status) {
      return;
    }
    const { board } = this;
    const known = board.calls.get(this.id);
    const call = known ?? this.call;
    this.call = call;
    this.gone.hidden = known !== undefined;
    const state = known ? stateOf(board, call, this.isSeen) : "ended";
    setAttribute(this.node, "data-state", state);
    setText(this.badge, `${STATES[state].glyph} ${STATES[state].word}`);
    setText(this.title, call.id);
    this.chart.update(call.points, board.now(), board.status.alert_below);
    this.updateWindows(call);
    this.updateFacts(call, board.now());
    this.updateAlert(board.alertOf(call) ?? null);
  }

  updateWindows(call) {
    const known = call.has_reading;
    const before = known && call.samples_before > 0;
    setText(this.current.value, known ? score(call.score) : "\u2013");
    setText(this.current.note, known ? count(call.samples, "utterance", "utterances")
                                     : "nothing judged yet");
    setText(this.before.value, before ? score(call.score_before) : "\u2013");
    setText(this.before.note, before ? count(call.samples_before, "utterance", "utterances")
                                     : "nothing to compare with");
    const below = known && call.score < this.board.status.alert_below;
    this.current.node.classList.toggle("below", below);
    const trend = TRENDS[call.trend] ?? TRENDS.stable;
    const compared = known && Math.min(call.samples, call.samples_before) > 1;
    setAttribute(this.trend, "data-trend", call.trend ?? "stable");
    setText(this.trend, compared ? `${trend.glyph} ${trend.word} ${signed(call.difference)}` : "");
  }

  updateFacts(call, now) {
    setText(this.heard, call.has_reading
      ? `${clock(call.as_of_ms)}, ${age(now - call.as_of_ms)} ago` : "Not yet");
    setText(this.judged, call.has_reading ? `${call.utterances}, of the customer`
      : call.judged ? "None" : `None: the model does not know ${call.language}`);
    setText(this.whose, (call.queue || "Not known") + (call.language ? `, ${call.language}` : ""));
    setText(this.followed, span(now - call.followed_ms) +
      (call.transferred_from ? `, continues ${call.transferred_from}` : "") +
      (call.live && CALL_STATES[call.state] ? `, ${CALL_STATES[call.state]}` : ""));
    setText(this.written, ATTRIBUTES[call.attributes]);
    setText(this.read, call.late_ms ? `Not read since ${clock(call.late_ms)}` : "Up to date");
  }

  // Built anew only when it is another alert, so that a button under the pointer stays, or when
  // some of its evidence was taken back.
  updateAlert(alert) {
    const built = alert ? JSON.stringify([alert.number, alert.evidence, alert.said]) : "";
    if (built !== this.alertBuilt) {
      this.alertBuilt = built;
      this.buildAlert(alert);
    }
    if (alert) {
      this.updateAlertState(alert);
    }
  }

  buildAlert(alert) {
    this.alertBox.hidden = !alert;
    if (!alert) {
      return;
    }
    this.alertState = make("p", { class: "alert-state" });
    this.alertTold = make("p", { class: "sub" });
    this.feedback = new Feedback(alert);
    this.seen = make("button", { type: "button", class: "main", onclick: () => this.see(alert) });
    this.alertBox.replaceChildren(
      make("div", { class: "drawer-alert-head" },
           make("h3", {}, alertWord(alert)), this.seen),
      this.alertState, make("p", { class: "why" }, PATHS[alert.path].why),
      ...saidLine(alert), this.alertTold,
      make("table", { class: "evidence" },
           make("caption", {}, "What moved the mean most, when the alert opened"),
           make("thead", {}, make("tr", {},
                make("th", { scope: "col" }, "Said at"), make("th", { scope: "col" }, "By"),
                make("th", { scope: "col", class: "number" }, "Score"),
                make("th", { scope: "col", class: "number" }, "Moved it"))),
           make("tbody", {}, ...alert.evidence.flatMap(
             (item) => [evidenceRow(alert, item), ...wordsRow(item)]))),
      this.feedback.node,
    );
  }

  updateAlertState(alert) {
    this.feedback.update(alert, this.board.status.takes_feedback, this.board.link === "live");
    const told = SUGGESTIONS[alert.suggestion];
    const now = this.board.now();
    const open = this.board.isOpen(alert);
    const began = `opened at ${clock(alert.opened_ms)} with ${score(alert.score)}`;
    const end = alert.recovered ? `Recovered at ${clock(alert.closed_ms)}`
                                : "Open until the call ended";
    setText(this.alertState,
            open ? `For ${span(now - alert.opened_ms)}; ${began}.` : `${end}; ${began}.`);
    const sure = alert.confidence > 0 ? `, ${Math.round(100 * alert.confidence)} % sure` : "";
    setText(this.alertTold, `${told.glyph} ${told.word}. ${TIERS[alert.tier]}${sure}. ` +
            `Alert ${alert.episode} of this call.`);
    const isSeen = this.isSeen(alert);
    this.seen.hidden = !open;
    setText(this.seen, isSeen ? "Take back" : "Acknowledge");
    setAttribute(this.alertBox, "data-state", !open ? "closed" : isSeen ? "seen" : "open");
  }
}

function addAxesOnce(chart, below) {
  if (!chart.hasAxes) {
    chart.hasAxes = true;
    addAxes(chart, below);
  }
}
