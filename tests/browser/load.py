#!/usr/bin/env python3
"""How the page bears 5,000 calls that change 600 times a second: a pretended daemon serves web/ and
a stream of invented items; the page's long tasks and memory are measured.

    tests/browser/load.py --seconds 60

Prints the figures; exits with 1 if the heap grows by more than 10 MB after the first third. A long
task is one of more than 50 ms; how many there are depends on the machine, so nothing fails by them.
"""

import argparse
import http.server
import json
import os
import random
import sys
import threading
import time

import stage

TYPES = {
    ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
}
CHANGES_A_SECOND = 600


def invent(number, now_ms, points):
    score = round(random.random(), 4)
    return {
        "kind": "call", "id": f"call-{number:05}-4ffe-b6e1-94c8814a6335", "live": True,
        "followed_ms": now_ms - 60000, "late_ms": 0, "attributes": "written", "alert": 0,
        "has_reading": True, "score": score, "trend": random.choice(["stable", "declining"]),
        "difference": round(random.random() - 0.5, 4), "samples": 4, "score_before": 0.5,
        "samples_before": 4, "utterances": 12, "as_of_ms": now_ms,
        "points": [[now_ms - 8000 * i, score] for i in range(points, -1, -1)],
    }


def event(name, data):
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class Handler(http.server.BaseHTTPRequestHandler):
    calls = 5000

    def log_message(self, *_):
        pass

    def do_GET(self):
        name = "index.html" if self.path == "/" else self.path[1:]
        if name.startswith("events"):
            self.stream()
            return
        path = os.path.join(stage.ROOT, "web", os.path.basename(name))
        self.send_response(200 if os.path.exists(path) else 404)
        self.send_header("Content-Type", TYPES.get(os.path.splitext(name)[1], "text/plain"))
        self.end_headers()
        if os.path.exists(path):
            with open(path, "rb") as file:
                self.wfile.write(file.read())

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for begin in range(0, self.calls, 80):
                now = int(time.time() * 1000)
                end = min(self.calls, begin + 80)
                items = [invent(i, now, 20) for i in range(begin, end)]
                self.wfile.write(event("items", {"anew": begin == 0, "items": items,
                                                 "more": end < self.calls}))
            while True:
                now = int(time.time() * 1000)
                numbers = random.sample(range(self.calls), min(self.calls, CHANGES_A_SECOND))
                items = [invent(i, now, 0) for i in numbers]
                self.wfile.write(event("items", {"anew": False, "items": items, "more": False}))
                self.wfile.write(event("status", {
                    "now_ms": now, "alert_below": 0.35, "calls_live": self.calls, "alerts_open": 0,
                    "alerts_recent": 0, "scored_recent": 100, "scored_prompt": 100,
                    "oldest_data_ms": 900, "token_held": True, "discovers": True,
                    "discovered": True, "discovered_ago_ms": 1, "fixed_calls": 0, "troubles": [],
                }))
                time.sleep(1)
        except OSError:
            pass


WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => {
  window.longTasks.push(...list.getEntries().map((entry) => entry.duration));
}).observe({ type: 'longtask' });
"""


def heap_mb(driver):
    driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    return driver.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"] / 1e6


def measure(seconds):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with stage.browser() as driver:
        driver.get(f"http://127.0.0.1:{server.server_port}/")
        stage.wait_for("rows", 30, lambda: driver.find_elements("css selector", "tr.row"))
        driver.execute_script(WATCH)
        time.sleep(seconds / 3)
        early = heap_mb(driver)
        time.sleep(seconds * 2 / 3)
        tasks = sorted(driver.execute_script("return window.longTasks"))
        rows = driver.find_element("id", "table").get_attribute("aria-rowcount")
        return {
            "calls": int(rows) - 1,
            "rows_in_page": len(driver.find_elements("css selector", "tr.row")),
            "long_tasks": len(tasks),
            "long_task_p95_ms": round(tasks[int(len(tasks) * 0.95)], 1) if tasks else 0,
            "long_task_max_ms": round(tasks[-1], 1) if tasks else 0,
            "heap_mb": round(early, 1),
            "heap_growth_mb": round(heap_mb(driver) - early, 1),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--calls", type=int, default=Handler.calls)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    if stage.missing():
        sys.exit(f"load: {stage.missing()}")
    Handler.calls = options.calls
    figures = measure(options.seconds)
    print(json.dumps(figures))
    return 1 if figures["heap_growth_mb"] > 10 else 0


if __name__ == "__main__":
    sys.exit(main())
