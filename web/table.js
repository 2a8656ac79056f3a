// The table of calls: highest risk first, only as many rows in the page as can be seen, and an
// order that holds still while somebody points at it.

import { byRisk } from "/board.js";
import { Chart, SMALL } from "/chart.js";
import { byId, make, setAttribute, setText } from "/dom.js";
import {
  CALL_STATES, STATES, SUGGESTIONS, TRENDS, age, alertWord, score, signed, span,
} from "/words.js";

const ROW_HEIGHT = 58; // as in wallboard.css
const SPARE_ROWS = 6;
const ORDER_MS = 3000;

export function stateOf(board, call, isSeen) {
  if (!call.live) {
    return "ended";
  }
  const alert = board.openAlertOf(call);
  if (alert) {
    return isSeen(alert) ? "seen" : "alert";
  }
  if (!call.judged) {
    return "unjudged";
  }
  if (!call.has_reading) {
    return "listening";
  }
  return call.score < board.status.alert_below ? "low" : "fine";
}

class Row {
  constructor(id, open) {
    this.id = id;
    this.chart = new Chart(SMALL);
    this.badge = make("span", { class: "badge" });
    this.button = make("button", { type: "button", class: "row-open", title: id }, id);
    this.followed = make("span", { class: "sub" });
    this.score = make("span", { class: "score" });
    this.meterBar = make("span", { class: "meter-bar" });
    this.meterMark = make("span", { class: "meter-mark" });
    this.meter = make("span", { class: "meter", "aria-hidden": "true" },
                      this.meterBar, this.meterMark);
    this.trend = make("span", { class: "trend" });
    this.difference = make("span", { class: "sub" });
    this.heard = make("span", { class: "heard" });
    this.samples = make("span", { class: "sub" });
    this.alert = make("span", { class: "alert-text" });
    this.told = make("span", { class: "sub" });
    this.node = make(
      "tr", { class: "row", "data-id": id, onclick: () => open(id) },
      make("td", { class: "c-state" }, this.badge),
      make("th", { class: "c-id", scope: "row" }, this.button, this.followed),
      make("td", { class: "c-score" }, this.score, this.meter),
      make("td", { class: "c-trend" }, this.trend, this.difference),
      make("td", { class: "c-chart" }, this.chart.node),
      make("td", { class: "c-heard" }, this.heard, this.samples),
      make("td", { class: "c-alert" }, this.alert, this.told),
    );
  }

  update(board, call, state, index) {
    const now = board.now();
    const below = board.status.alert_below;
    setAttribute(this.node, "data-state", state);
    setAttribute(this.node, "aria-rowindex", String(index + 2));
    setText(this.badge, `${STATES[state].glyph} ${STATES[state].word}`);
    setText(this.followed, (call.queue ? `${call.queue}, ` : "") +
                           ((call.live && CALL_STATES[call.state]) ||
                            `followed ${span(now - call.followed_ms)}`));
    this.updateMood(call, below);
    this.chart.update(call.points, now, below);
    setText(this.heard, call.has_reading ? `${age(now - call.as_of_ms)} ago` : "\u2013");
    setText(this.samples, call.late_ms ? `not read for ${age(now - call.late_ms)}`
                          : call.has_reading ? `${call.utterances} judged`
                          : call.judged ? "nothing judged" : `spoken in ${call.language}`);
    this.samples.classList.toggle("bad", call.late_ms > 0);
    this.updateAlert(board.alertOf(call), call.live, now);
  }

  updateMood(call, below) {
    const known = call.has_reading;
    setText(this.score, known ? score(call.score) : "\u2013");
    this.meter.classList.toggle("off", !known);
    this.meterBar.style.width = `${known ? call.score * 100 : 0}%`;
    this.meterMark.style.left = `${below * 100}%`;
    this.node.classList.toggle("below", known && call.score < below);
    const trend = TRENDS[call.trend];
    const compared = known && Math.min(call.samples, call.samples_before) > 1;
    setAttribute(this.trend, "data-trend", compared ? call.trend : "");
    setText(this.trend, compared ? `${trend.glyph} ${trend.word}` : "\u2013");
    setText(this.difference, compared ? signed(call.difference) : "too early");
  }

  updateAlert(alert, live, now) {
    if (!alert) {
      setText(this.alert, "\u2013");
      setText(this.told, "\u00a0");
    } else if (alert.closed_ms) {
      setText(this.alert, alert.recovered ? "\u2713 Recovered" : "\u25a0 Closed");
      setText(this.told, `${age(now - alert.closed_ms)} ago`);
    } else if (!live) {
      setText(this.alert, "\u25a0 Open to the end");
      setText(this.told, alertWord(alert));
    } else {
      setText(this.alert, `${alertWord(alert)}, ${span(now - alert.opened_ms)}`);
      const told = SUGGESTIONS[alert.suggestion];
      setText(this.told, `${told.glyph} ${told.word}`);
    }
    this.alert.classList.toggle("off", !alert || alert.closed_ms > 0 || !live);
  }
}

export class Table {
  constructor(board, { open, isSeen }) {
    this.board = board;
    this.open = open;
    this.isSeen = isSeen;
    this.rows = new Map();
    this.order = []; // ids, all of them
    this.shown = []; // calls that pass the filter, in order
    this.orderedAt = -Infinity;
    this.show = "all";
    this.text = "";
    this.pointed = false;
    this.scroll = byId("scroll");
    this.body = byId("rows");
    this.above = make("tr", { "aria-hidden": "true", class: "gap" }, make("td", { colspan: "7" }));
    this.below = this.above.cloneNode(true);
    this.body.append(this.above, this.below);
    this.scroll.addEventListener("scroll", () => this.render(), { passive: true });
    new ResizeObserver(() => this.render()).observe(this.scroll);
    this.body.addEventListener("pointerenter", () => (this.pointed = true));
    this.body.addEventListener("pointerleave", () => (this.pointed = false));
    this.body.addEventListener("keydown", (event) => this.onKey(event));
  }

  held() {
    return this.pointed || this.body.contains(document.activeElement);
  }

  // New calls are put at the end until the next time of ordering; gone ones leave at once.
  sort(force) {
    const { calls } = this.board;
    const now = performance.now();
    const due = now - this.orderedAt >= ORDER_MS && !this.held();
    if (force || due || this.order.length === 0) {
      this.order = byRisk(this.board).map((call) => call.id);
      this.orderedAt = now;
      return;
    }
    const known = new Set(this.order);
    this.order = this.order.filter((id) => calls.has(id));
    this.order.push(...[...calls.keys()].filter((id) => !known.has(id)));
  }

  passes(call) {
    if (this.text && !`${call.id} ${call.queue}`.toLowerCase().includes(this.text)) {
      return false;
    }
    return this.show === "all" ||
      (this.show === "falling" && call.trend === "declining" && call.live) ||
      (this.show === "attention" && this.board.openAlertOf(call) !== null && call.live);
  }

  update(force = false) {
    if (!this.board.status) {
      return;
    }
    this.sort(force);
    this.shown = this.order.map((id) => this.board.calls.get(id)).filter((c) => this.passes(c));
    setAttribute(byId("table"), "aria-rowcount", String(this.shown.length + 1));
    const why = this.held() ? "Order held while you are at a row" : "Highest risk first";
    setText(byId("order"), why);
    this.render();
  }

  // The rows in sight, in place; a row keeps its element as long as it is near.
  render() {
    const height = this.scroll.clientHeight;
    const count = this.shown.length;
    const top = Math.max(0, Math.floor(this.scroll.scrollTop / ROW_HEIGHT) - SPARE_ROWS);
    const first = Math.min(top, Math.max(0, count - 1));
    const last = Math.min(count, first + Math.ceil(height / ROW_HEIGHT) + 2 * SPARE_ROWS);
    const wanted = new Set();
    let place = this.above;
    for (let i = first; i < last; i++) {
      const call = this.shown[i];
      wanted.add(call.id);
      const row = this.rows.get(call.id) ?? new Row(call.id, this.open);
      this.rows.set(call.id, row);
      if (place.nextSibling !== row.node) {
        this.move(row.node, place);
      }
      row.update(this.board, call, stateOf(this.board, call, this.isSeen), i);
      place = row.node;
    }
    for (const [id, row] of this.rows) {
      if (!wanted.has(id)) {
        row.node.remove();
        this.rows.delete(id);
      }
    }
    this.above.firstChild.style.height = `${first * ROW_HEIGHT}px`;
    this.below.firstChild.style.height = `${(count - last) * ROW_HEIGHT}px`;
  }

  // Moving an element takes the focus from what is in it.
  move(node, place) {
    const focused = node.contains(document.activeElement) ? document.activeElement : null;
    place.after(node);
    focused?.focus({ preventScroll: true });
  }

  onKey(event) {
    const row = event.target.closest("tr[data-id]");
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    if (!row || !(event.key in steps)) {
      return;
    }
    const at = this.shown.findIndex((call) => call.id === row.dataset.id);
    const to = Math.min(this.shown.length - 1, Math.max(0, at + steps[event.key]));
    event.preventDefault();
    this.focus(to);
  }

  focus(index) {
    const top = index * ROW_HEIGHT;
    const head = byId("table").tHead.offsetHeight;
    const room = this.scroll.clientHeight - head - ROW_HEIGHT;
    const { scrollTop } = this.scroll;
    if (top < scrollTop || top > scrollTop + room) {
      this.scroll.scrollTop = top < scrollTop ? top : top - room;
    }
    this.render();
    this.rows.get(this.shown[index].id)?.button.focus({ preventScroll: true });
  }

  focusCall(id) {
    const index = this.shown.findIndex((call) => call.id === id);
    if (index >= 0) {
      this.focus(index);
    }
  }
}
