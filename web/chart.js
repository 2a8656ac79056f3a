// The mood of the last three minutes as a line, with the threshold: drawn by hand as SVG. What lies
// below the threshold is drawn in the colour of an alert, and after the last utterance the line
// goes on dotted: nothing was heard there, the mood is only kept.

import { byId, draw, setAttribute } from "/dom.js";
import { score } from "/words.js";

const SPAN_MS = 180000;

export const SMALL = {
  name: "small", width: 160, height: 34, left: 1, right: 5, top: 4, bottom: 4,
};
export const LARGE = {
  name: "large", width: 400, height: 132, left: 30, right: 8, top: 8, bottom: 20,
};

const place = (size, value) =>
  size.top + (1 - value) * (size.height - size.top - size.bottom);

// One pair of clips for each size serves all charts of that size.
export function setThreshold(below) {
  const clips = [];
  for (const size of [SMALL, LARGE]) {
    const y = place(size, below);
    const band = (from, to) =>
      draw("rect", { x: 0, y: from, width: size.width, height: to - from });
    const clip = (id, from, to) => draw("clipPath", { id }, band(from, to));
    clips.push(clip(`${size.name}-high`, 0, y), clip(`${size.name}-low`, y, size.height));
  }
  byId("clips").replaceChildren(...clips);
}

export class Chart {
  constructor(size) {
    this.size = size;
    this.limit = draw("path", { class: "chart-limit" });
    this.fill = draw("path", { class: "chart-fill", "clip-path": `url(#${size.name}-low)` });
    this.high = draw("path", { class: "chart-line", "clip-path": `url(#${size.name}-high)` });
    this.low = draw("path", { class: "chart-line low", "clip-path": `url(#${size.name}-low)` });
    this.rest = draw("path", { class: "chart-rest" });
    this.dot = draw("circle", { class: "chart-dot", r: 2.6 });
    this.node = draw(
      "svg",
      {
        class: "chart", role: "img", width: size.width, height: size.height,
        viewBox: `0 0 ${size.width} ${size.height}`,
      },
      this.fill, this.limit, this.rest, this.high, this.low, this.dot,
    );
  }

  update(points, now, below) {
    const { size } = this;
    const width = size.width - size.left - size.right;
    const x = (ms) => size.left + Math.max(0, 1 - Math.max(0, now - ms) / SPAN_MS) * width;
    const y = (value) => place(size, value);
    const at = ([ms, value]) => `${x(ms).toFixed(1)} ${y(value).toFixed(1)}`;
    setAttribute(this.limit, "d", `M${size.left} ${y(below)}H${size.width - size.right}`);
    // Only one point may lie before the left edge: the line comes in from there.
    let first = 0;
    while (first + 1 < points.length && points[first + 1][0] < now - SPAN_MS) {
      first++;
    }
    const shown = points.slice(first);
    const last = shown[shown.length - 1];
    const line = shown.map((point, i) => (i ? "L" : "M") + at(point)).join("");
    this.high.setAttribute("d", line);
    this.low.setAttribute("d", line);
    this.dot.classList.toggle("off", !last);
    if (!last) {
      this.rest.setAttribute("d", "");
      this.fill.setAttribute("d", "");
      setAttribute(this.node, "aria-label", "No mood yet");
      return;
    }
    const end = size.width - size.right;
    this.rest.setAttribute("d", `M${at(last)}H${end}`);
    this.fill.setAttribute(
      "d", `${line}L${x(last[0]).toFixed(1)} ${y(below)}L${x(shown[0][0]).toFixed(1)} ${y(below)}Z`,
    );
    this.dot.setAttribute("cx", x(last[0]).toFixed(1));
    this.dot.setAttribute("cy", y(last[1]).toFixed(1));
    this.dot.classList.toggle("low", last[1] < below);
    setAttribute(
      this.node, "aria-label",
      `Mood over the last three minutes: from ${score(shown[0][1])} to ${score(last[1])}`,
    );
  }
}

// Numbers and times around a large chart.
export function addAxes(chart, below) {
  const { size, node } = chart;
  const label = (x, y, text, anchor) =>
    draw("text", { class: "chart-label", x, y, "text-anchor": anchor }, text);
  const bottom = size.height - 5;
  for (const value of [0, 1]) {
    node.prepend(draw("path", {
      class: "chart-grid", d: `M${size.left} ${place(size, value)}H${size.width - size.right}`,
    }));
    node.append(label(size.left - 6, place(size, value) + 4, String(value), "end"));
  }
  node.append(
    label(size.left - 6, place(size, below) + 4, below.toFixed(2), "end"),
    label(size.left, bottom, "3 min ago", "start"),
    label((size.left + size.width - size.right) / 2, bottom, "1\u00bd min", "middle"),
    label(size.width - size.right, bottom, "now", "end"),
  );
}
