// What the daemon told us: calls, alerts, status; and the stream it comes by. No elements here.
//
// The stream resumes by itself: items carry the id of their revision, and a connection that is
// made anew asks for what changed since. "Anew" means that all we hold is void.

const HISTORY_MS = 180000;
const PAST_ALERTS = 200;
const SILENCE_MS = 3500; // the status comes each second; so long without it is no slow second
const RETRY_MS = 1000;

export class Board {
  constructor(changed) {
    this.changed = changed; // called with what is new: "items", "status" or "link"
    this.calls = new Map();
    this.alerts = new Map(); // by number
    this.status = null;
    this.link = "connecting"; // or "live", "lost"
    this.heardMs = null; // when anything last came, on the vendor's clock
    this.complete = false; // the first items are all here
    this.lastId = "";
    this.heardAt = performance.now();
    this.offset = Date.now() - performance.now();
    setInterval(() => this.watch(), 250);
    this.connect();
  }

  // The vendor's clock now, wherever this machine's clock may stand. Without news it stands still,
  // because so do the numbers that are held against it.
  now() {
    return this.link === "lost" ? this.heardMs : performance.now() + this.offset;
  }

  connect() {
    const after = this.lastId ? `?after=${encodeURIComponent(this.lastId)}` : "";
    this.source?.close();
    this.source = new EventSource(`/events${after}`);
    this.triedAt = performance.now();
    this.source.addEventListener("items", (event) => this.takeItems(event));
    this.source.addEventListener("status", (event) => this.takeStatus(event));
    this.source.addEventListener("error", () => {
      this.source.close();
      this.lose();
    });
  }

  watch() {
    const now = performance.now();
    if (now - this.heardAt > SILENCE_MS) {
      this.lose();
    }
    const connecting = this.source.readyState !== EventSource.CLOSED;
    const patience = connecting ? SILENCE_MS : RETRY_MS;
    if (this.link !== "live" && now - this.triedAt > patience) {
      this.connect();
    }
  }

  lose() {
    if (this.link !== "lost") {
      this.link = "lost";
      this.changed("link");
    }
  }

  heard() {
    this.heardAt = performance.now();
    this.heardMs = performance.now() + this.offset;
    if (this.link !== "live") {
      this.link = "live";
      this.changed("link");
    }
  }

  takeStatus(event) {
    this.status = JSON.parse(event.data);
    this.offset = this.status.now_ms - performance.now();
    this.heard();
    this.changed("status");
  }

  takeItems(event) {
    const { anew, items, more } = JSON.parse(event.data);
    if (anew) {
      this.calls.clear();
      this.alerts.clear();
      this.complete = false;
    }
    for (const item of items) {
      this.take(item);
    }
    this.lastId = event.lastEventId;
    this.complete ||= !more;
    this.forgetAlerts();
    this.heard();
    if (!more) {
      this.changed("items");
    }
  }

  take(item) {
    if (item.kind === "gone") {
      this.calls.delete(item.id);
    } else if (item.kind === "alert") {
      this.alerts.set(item.number, item);
    } else {
      const known = this.calls.get(item.id);
      // Without a reading all of it was said while masked: its line goes too.
      item.points = joinPoints(known && item.has_reading ? known.points : [], item.points);
      this.calls.set(item.id, item);
    }
  }

  forgetAlerts() {
    const past = [...this.alerts.values()].filter((a) => this.calls.get(a.id)?.alert !== a.number);
    past.sort((a, b) => a.number - b.number);
    for (const alert of past.slice(0, Math.max(0, past.length - PAST_ALERTS))) {
      this.alerts.delete(alert.number);
    }
  }

  alertOf(call) {
    return this.alerts.get(call.alert) ?? null;
  }

  // Nobody can act on the alert of a call that is over.
  isOpen(alert) {
    return !alert.closed_ms && this.calls.get(alert.id)?.live === true;
  }

  openAlertOf(call) {
    const alert = this.alertOf(call);
    return alert && this.isOpen(alert) ? alert : null;
  }
}

// Newer points take the place of those that they revise.
function joinPoints(points, fresh) {
  for (const point of fresh) {
    while (points.length > 0 && points[points.length - 1][0] >= point[0]) {
      points.pop();
    }
    points.push(point);
  }
  const from = points.length > 0 ? points[points.length - 1][0] - HISTORY_MS : 0;
  while (points.length > 1 && points[1][0] < from) {
    points.shift();
  }
  return points;
}

// Below the threshold and falling first, then those with an alert, then the others by mood; then
// those not judged yet, and those that have ended.
function rank(board, call, below) {
  if (!call.live) {
    return 4;
  }
  if (!call.has_reading) {
    return 3;
  }
  if (call.score < below && call.trend === "declining") {
    return 0;
  }
  return board.openAlertOf(call) ? 1 : 2;
}

export function byRisk(board) {
  const below = board.status?.alert_below ?? 0;
  const keyed = [...board.calls.values()].map((call) => ({ call, rank: rank(board, call, below) }));
  keyed.sort(
    (a, b) =>
      a.rank - b.rank ||
      (a.call.score ?? 1) - (b.call.score ?? 1) ||
      (a.call.difference ?? 0) - (b.call.difference ?? 0) ||
      (a.call.id < b.call.id ? -1 : 1),
  );
  return keyed.map((item) => item.call);
}
