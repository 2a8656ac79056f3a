// The alerts, newest first. Entries are changed in place: what is read aloud is what is new.

import { byId, make, setAttribute, setText } from "/dom.js";
import { SUGGESTIONS, alertWord, clock, score, span } from "/words.js";

const SHOWN = 100;

class Entry {
  constructor(alert, { open, see }) {
    this.badge = make("span", { class: "badge" });
    this.when = make("time", { class: "feed-when" }, clock(alert.opened_ms));
    this.state = make("span", { class: "sub" });
    this.seen = make("button", { type: "button", class: "small", onclick: () => see(alert) });
    this.node = make(
      "li", { class: "entry" },
      make("div", { class: "entry-head" }, this.badge, this.when),
      make("button", { type: "button", class: "entry-open", onclick: () => open(alert.id) },
           make("span", { class: "entry-id" }, alert.id)),
      make("p", { class: "entry-what" }, `${alertWord(alert)}, at ${score(alert.score)}`),
      make("div", { class: "entry-foot" }, this.state, this.seen),
    );
  }

  update(alert, open, isSeen, now) {
    const state = open ? (isSeen ? "seen" : "alert") : alert.recovered ? "recovered" : "ended";
    const words = { alert: "! Open", seen: "\u2713 Seen", recovered: "\u2713 Recovered",
                    ended: "\u25a0 Call ended" };
    setAttribute(this.node, "data-state", state);
    setText(this.badge, words[state]);
    const told = SUGGESTIONS[alert.suggestion];
    const lasted = span((alert.closed_ms || now) - alert.opened_ms);
    setText(this.state, `${told.glyph} ${told.word} \u00b7 ${open ? "for" : "lasted"} ${lasted}`);
    this.seen.hidden = !open;
    setText(this.seen, isSeen ? "Not seen" : "Acknowledge");
    setAttribute(this.seen, "aria-label",
                 `${isSeen ? "Take back" : "Acknowledge"} the alert of call ${alert.id}`);
  }
}

export class Feed {
  constructor(board, options) {
    this.board = board;
    this.options = options;
    this.entries = new Map();
    this.list = byId("feed");
  }

  update() {
    const now = this.board.now();
    const alerts = [...this.board.alerts.values()];
    alerts.sort((a, b) => b.number - a.number);
    const shown = alerts.slice(0, SHOWN);
    const wanted = new Set(shown.map((alert) => alert.number));
    for (const [number, entry] of this.entries) {
      if (!wanted.has(number)) {
        entry.node.remove();
        this.entries.delete(number);
      }
    }
    let place = null;
    for (const alert of shown) {
      const entry = this.entries.get(alert.number) ?? new Entry(alert, this.options);
      this.entries.set(alert.number, entry);
      const next = place ? place.nextSibling : this.list.firstChild;
      if (next !== entry.node) {
        this.list.insertBefore(entry.node, next);
      }
      entry.update(alert, this.board.isOpen(alert), this.options.isSeen(alert), now);
      place = entry.node;
    }
    byId("feed-blank").hidden = shown.length > 0;
    this.list.hidden = shown.length === 0;
  }
}
