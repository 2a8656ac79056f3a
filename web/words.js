// How numbers and states are said. Every state has a glyph and a word: never colour alone.

const MINUS = "\u2212";

export const TRENDS = {
  declining: { glyph: "\u2198", word: "Falling" },
  improving: { glyph: "\u2197", word: "Rising" },
  stable: { glyph: "\u2192", word: "Steady" },
};

export const alertWord = (alert) =>
  alert.rule ? `Rule: ${alert.rule.replaceAll("_", " ")}` : PATHS[alert.path].word;

export const PATHS = {
  declining: {
    word: "Mood is falling",
    why: "The mean of the newest utterances is below the threshold and has fallen against the " +
      "window before.",
  },
  sustained_low: {
    word: "Mood stays low",
    why: "No single drop, but one low utterance after another: their shortfall has added up past " +
      "the limit.",
  },
  rule: {
    word: "A rule fired",
    why: "Something that was said, or how the call goes, fits a rule of the rules file.",
  },
};

export const TIERS = {
  agent: "Hint to the agent",
  supervisor: "For a supervisor",
};

export const SUGGESTIONS = {
  none: { glyph: "\u2013", word: "Agent not told" },
  waiting: { glyph: "\u25cc", word: "Hint waits" },
  in_flight: { glyph: "\u25cc", word: "Hint on its way" },
  sent: { glyph: "\u2713", word: "Agent told" },
  unknown: { glyph: "?", word: "Agent perhaps told" },
  dropped: { glyph: "\u00d7", word: "Hint dropped" },
};

// What can be said of an alert, in the API's words.
export const FEEDBACKS = {
  useful: { word: "Useful", means: "It was right to be told" },
  accepted: { word: "Accepted", means: "Something was done about it" },
  dismissed: { word: "Dismissed", means: "A false alarm" },
};

export const ATTRIBUTES = {
  none: "Nothing written yet",
  written: "Score and trend are on the call",
  retrying: "The last write failed; it is tried again",
  lost: "Could not be written",
};

export const STATES = {
  alert: { glyph: "!", word: "Alert" },
  seen: { glyph: "\u2713", word: "Seen" },
  low: { glyph: "\u25c6", word: "Low" },
  fine: { glyph: "\u25cf", word: "Fine" },
  listening: { glyph: "\u25cb", word: "Listening" },
  unjudged: { glyph: "\u2205", word: "Not judged" },
  ended: { glyph: "\u25a0", word: "Ended" },
};

// What the vendor says of a live call, where it is more than that it lives.
export const CALL_STATES = {
  held: "on hold",
  muted: "muted",
  masked: "masked: not judged",
};

export function score(value) {
  return value.toFixed(2);
}

export function signed(value, digits = 2) {
  const size = Math.abs(value).toFixed(digits);
  if (Number(size) === 0) {
    return size;
  }
  return (value < 0 ? MINUS : "+") + size;
}

// "8 s", "3 min", "1 h 04": for ages that are read at a glance.
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}

// "0:08", "12:40", "1:04:09": for spans that run.
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString("en-GB");
}

export function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}
