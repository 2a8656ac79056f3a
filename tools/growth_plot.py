#!/usr/bin/env python3
"""Draws what a fleet costs against its size, from the reports of tests/e2e/run_fleet.py --growth,
and says how flat the cost of a call is.

    tools/growth_plot.py tests/e2e/out/fleet --svg docs/growth.svg

A straight line is fitted through CPU and memory over all sizes, so that the fixed cost is apart.
What a further call costs between two sizes, against that of the whole line, is the slope that must
stay within 20 %.
"""

import argparse
import glob
import json
import os
import sys

PANEL = {"width": 360, "height": 240, "left": 64, "top": 34, "gap": 70, "bottom": 48}


def read_points(folder):
    """(calls, CPU of the loop in ms a second, resident MiB), by size."""
    points = []
    for path in glob.glob(os.path.join(folder, "*", "report.json")):
        with open(path, encoding="utf-8") as file:
            cost = json.load(file)["cost"]
        calls = int(os.path.basename(os.path.dirname(path)))
        cpu_ms = 1000 * (cost["loop_s"] + cost["others_s"]) / cost["wall_s"]
        points.append((calls, cpu_ms, cost["resident_bytes"] / 2**20))
    return sorted(points)


def fit(xs, ys):
    """Least squares, each point weighed by 1/y, so that small sizes count as much as large ones:
    (value at 0, slope)."""
    weights = [1 / (y * y) for y in ys]
    total = sum(weights)
    mean_x = sum(w * x for w, x in zip(weights, xs)) / total
    mean_y = sum(w * y for w, y in zip(weights, ys)) / total
    slope = sum(w * (x - mean_x) * (y - mean_y) for w, x, y in zip(weights, xs, ys)) / sum(
        w * (x - mean_x) ** 2 for w, x in zip(weights, xs)
    )
    return mean_y - slope * mean_x, slope


def deviations(points, column):
    """(fixed, slope, [(calls, share by which the point lies off the line)])."""
    xs, ys = [p[0] for p in points], [p[column] for p in points]
    fixed, slope = fit(xs, ys)
    return fixed, slope, [(x, y / (fixed + slope * x) - 1) for x, y in zip(xs, ys)]


def panel(points, column, title, unit, x0):
    """One picture: points, the line through them."""
    width, height = PANEL["width"], PANEL["height"]
    fixed, slope, _ = deviations(points, column)
    most_x = max(p[0] for p in points)
    most_y = 1.1 * max(max(p[column] for p in points), fixed + slope * most_x)

    def at(x, y):
        return x0 + width * x / most_x, PANEL["top"] + height * (1 - y / most_y)

    yield f'<text x="{x0}" y="{PANEL["top"] - 14}" font-weight="bold">{title}</text>'
    for part in range(5):
        x, y = at(most_x * part / 4, most_y * part / 4)
        bottom, right = PANEL["top"] + height, x0 + width
        yield f'<path d="M{x0} {y:.1f}H{right}M{x:.1f} {PANEL["top"]}V{bottom}" class="grid"/>'
        yield f'<text x="{x0 - 6}" y="{y + 4:.1f}" class="end">{most_y * part / 4:.0f}</text>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" class="middle">{most_x * part / 4:.0f}</text>'
    (x1, y1), (x2, y2) = at(0, fixed), at(most_x, fixed + slope * most_x)
    yield f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" class="line"/>'
    for point in points:
        x, y = at(point[0], point[column])
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    yield (f'<text x="{x0 + width / 2}" y="{PANEL["top"] + height + 38}" class="middle">calls; '
           f"{slope:.4g} {unit} each, {fixed:.3g} fixed</text>")


def draw(points):
    left, gap = PANEL["left"], PANEL["gap"]
    second = left + PANEL["width"] + gap
    width = second + PANEL["width"] + 24
    height = PANEL["top"] + PANEL["height"] + PANEL["bottom"]
    style = ("text{font:12px sans-serif;fill:#222}.end{text-anchor:end}.middle{text-anchor:middle}"
             ".grid{stroke:#ddd;fill:none}.line{stroke:#0b5fa5;stroke-width:2;fill:none}"
             "circle{fill:#c2410c}")
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}"><style>{style}</style>'
           f'<rect width="{width}" height="{height}" fill="#fff"/>')
    yield from panel(points, 1, "CPU, ms a second, all threads", "ms/s", left)
    yield from panel(points, 2, "resident memory, MiB", "MiB", second)
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="of run_fleet.py --out")
    parser.add_argument("--svg", help="draw here")
    options = parser.parse_args()
    points = read_points(options.folder)
    if len(points) < 3:
        print(f"growth_plot: {options.folder}: fewer than three reports", file=sys.stderr)
        return 2
    worst = 0
    for column, name, unit in ((1, "CPU", "ms/s"), (2, "memory", "MiB")):
        fixed, slope, off = deviations(points, column)
        shares = ", ".join(f"{calls}: {100 * share:+.1f} %" for calls, share in off)
        print(f"{name}: {slope:.5g} {unit} a call and {fixed:.4g} fixed; off the line {shares}")
        worst = max(worst, *(abs(share) for _, share in off))
    if options.svg:
        with open(options.svg, "w", encoding="utf-8") as file:
            file.write("\n".join(draw(points)) + "\n")
    print(f"at most {100 * worst:.1f} % off")
    return 0 if worst <= 0.2 else 1


if __name__ == "__main__":
    sys.exit(main())
