// What somebody thinks of an alert: three choices, sent by undertone's own API, one at a time.
//
// The API wants its token. It is asked for when it is first needed and held by this page only, not
// by the browser. What was said comes back with the alert, to this page and to all others.

import { make, setAttribute, setText } from "/dom.js";
import { FEEDBACKS } from "/words.js";

const PATIENCE_MS = 10000;

let token = ""; // gone with the page

function pathOf(alert) {
  return `/api/v1/calls/${encodeURIComponent(alert.id)}/alerts/${alert.episode}/feedback`;
}

// Throws what to tell the reader.
async function send(alert, feedback) {
  let reply;
  try {
    reply = await fetch(pathOf(alert), {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ feedback }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Error("undertone did not answer. If it was kept after all, it shows here.");
  }
  if (reply.status === 401) {
    token = "";
    throw new Error("this token is not the API\u2019s.");
  }
  if (!reply.ok) {
    const said = await reply.json().catch(() => null);
    throw new Error(`${said?.error?.message ?? `status ${reply.status}`}.`);
  }
}

export class Feedback {
  constructor(alert) {
    this.alert = alert;
    this.wanted = ""; // chosen, but there is no token yet
    this.sending = "";
    this.error = "";
    this.build();
  }

  build() {
    this.choices = Object.entries(FEEDBACKS).map(([value, { word, means }]) =>
      make("button", { type: "button", class: "choice", title: means, "aria-pressed": "false",
                       "data-value": value, onclick: () => this.choose(value) }, word));
    this.key = make("input", { type: "password", id: "feedback-key", required: true,
                               autocomplete: "current-password" });
    this.form = make(
      "form", { class: "feedback-key", hidden: true },
      make("input", { type: "text", autocomplete: "username", value: "undertone", hidden: true,
                      "aria-label": "User" }),
      make("label", { for: "feedback-key" }, "API token"), this.key,
      make("button", { type: "submit", class: "main" }, "Send"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      token = this.key.value.trim();
      this.key.value = "";
      this.submit(this.wanted);
    });
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation(); // or the drawer would close
        this.ask("");
      }
    });
    this.said = make("p", { class: "feedback-said", role: "status" });
    this.failed = make("p", { class: "feedback-failed", role: "alert" });
    this.node = make(
      "div", { class: "feedback", role: "group", "aria-labelledby": "feedback-ask" },
      make("span", { id: "feedback-ask", class: "feedback-ask" }, "What was it worth?"),
      make("div", { class: "feedback-choices" }, ...this.choices), this.form, this.said,
      this.failed);
  }

  // The same alert as it stands now; whether undertone takes feedback, and can hear us.
  update(alert, taken, reachable) {
    this.alert = alert;
    this.node.hidden = !taken && !alert.feedback;
    this.usable = taken && reachable;
    this.paint();
  }

  choose(value) {
    if (this.sending || !this.usable || value === this.alert.feedback) {
      return;
    }
    this.error = "";
    if (token) {
      this.submit(value);
    } else {
      this.ask(value);
    }
  }

  // Shows the place for the token, or, with nothing wanted any more, hides it.
  ask(value) {
    const before = this.wanted;
    this.wanted = value;
    this.form.hidden = !value;
    this.paint();
    if (value) {
      this.key.focus();
    } else {
      this.focusOn(before);
    }
  }

  focusOn(value) {
    this.choices.find((button) => button.dataset.value === value)?.focus();
  }

  async submit(value) {
    if (this.sending || !token) {
      return;
    }
    this.sending = value;
    this.error = "";
    this.paint();
    try {
      await send(this.alert, value);
      this.alert.feedback = value; // as the next news of it will say
    } catch (error) {
      this.error = `Not kept: ${error.message}`;
    }
    this.sending = "";
    const again = !token;
    this.ask(again ? value : "");
    if (!again) {
      this.focusOn(value);
    }
  }

  paint() {
    const { feedback } = this.alert;
    for (const button of this.choices) {
      const { value } = button.dataset;
      const chosen = value === feedback;
      setAttribute(button, "aria-pressed", String(chosen));
      setAttribute(button, "aria-disabled", String(Boolean(this.sending) || !this.usable));
      button.classList.toggle("wanted", value === (this.sending || this.wanted));
      setText(button, `${chosen ? "\u2713 " : ""}${FEEDBACKS[value].word}`);
    }
    const kept = feedback ? `Kept: ${FEEDBACKS[feedback].means.toLowerCase()}.` : "";
    setText(this.said, this.sending ? "Sending\u2026" : this.error ? "" : kept);
    setText(this.failed, this.error);
  }
}
