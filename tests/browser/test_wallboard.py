#!/usr/bin/env python3
"""The supervisors' page in a real browser, against the running programs: a live row, an alert with
its evidence, a daemon that is killed and comes back, the keyboard, and that nothing is fetched from
elsewhere. Exits with 77 (skipped, for CTest) where there is no browser."""

import http.client
import json
import os
import re
import signal
import sys
import time
import unittest

import stage

ARGUMENTS = ["--calls", "24", "--seed", "11"]
ALERT_S = 120
STALE_S = 5
RECOVER_S = 30  # most of it is the daemon reading its model

options = None


def setUpModule():
    global scene, chromium, driver
    scene = stage.Stage(options.build, options.out, ARGUMENTS)
    try:
        scene.start_daemon()
        chromium = stage.browser()
        driver = chromium.__enter__()
        driver.get("about:blank")
        driver.get_log("performance")  # what the browser fetched for itself, before our page
        driver.get(scene.page)
    except BaseException:
        scene.__exit__()
        raise


def tearDownModule():
    chromium.__exit__(None, None, None)
    scene.__exit__()


def find(selector):
    return driver.find_elements("css selector", selector)


def text_of(selector):
    """Its text, in one look: rows come and go while a test reads."""
    return driver.execute_script(
        "return document.querySelector(arguments[0])?.innerText ?? ''", selector
    )


def texts_of(selector):
    return driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map((n) => n.innerText)", selector
    )


def press(key):
    from selenium.webdriver import ActionChains

    ActionChains(driver).send_keys(key).perform()


def focused():
    return driver.execute_script(
        "const f = document.activeElement; return f.id || f.closest('tr')?.dataset.id || f.tagName"
    )


def link_state():
    return driver.execute_script("return document.getElementById('link').dataset.state")


def wait_for_row():
    return stage.wait_for("a row with a mood", 60, lambda: find(
        "tr.row:not([data-state=listening]):not([data-state=unjudged]):not([data-state=ended])"))


def rows_are_the_daemons():
    shown = set(texts_of("tr.row th[scope=row] button"))
    return shown <= {item["id"] for item in scene.calls()["items"] if item["kind"] == "call"}


def evidence_is_the_daemons(identity):
    """One row in the drawer for each piece of evidence of the call's newest alert."""
    alert = [i for i in scene.calls()["items"] if i["kind"] == "alert" and i["id"] == identity][-1]
    rows = texts_of("#drawer .evidence tbody tr")
    return alert["evidence"] and len(rows) == len(alert["evidence"]) and all(
        "Customer" in row and f"{item['score']:.2f}" in row
        for row, item in zip(rows, alert["evidence"])
    )


def wait_for_alert():
    return stage.wait_for("an alert", ALERT_S, lambda: find("tr[data-state=alert]"))


class Wallboard(unittest.TestCase):
    """In the order of their names: the later tests need what the earlier have waited for."""

    def test_1_live_row_shows_what_the_daemon_says(self):
        wait_for_row()
        self.assertEqual(link_state(), "live")
        self.assertIn("Live", text_of("#link"))
        self.assertRegex(text_of("tr.row .score"), r"^(0\.\d\d|1\.00|\u2013)$")
        self.assertTrue(find("tr.row svg[role=img][aria-label]"))
        shown = set(texts_of("tr.row th[scope=row] button"))
        told = {item["id"] for item in scene.calls()["items"] if item["kind"] == "call"}
        self.assertTrue(shown & told, (shown, told))
        stage.wait_for("the daemon's number of live calls", 5, lambda: (
            text_of("#tile-live") == str(scene.calls()["status"]["calls_live"])))

    def test_2_alert_has_evidence_that_is_the_daemons(self):
        wait_for_alert()
        identity = driver.execute_script(
            "const row = document.querySelector('tr[data-state=alert]');"
            "row.querySelector('button').click(); return row.dataset.id"
        )
        self.assertEqual(text_of("#drawer-title"), identity)
        stage.wait_for("the evidence of the call's newest alert", 5,
                       lambda: evidence_is_the_daemons(identity))
        items = scene.calls()["items"]
        for item in items:
            self.assertNotIn("text", item)  # words of a customer are nowhere on the page
        self.assertIn(identity, " ".join(texts_of("#feed .entry-id")))

    def test_3_acknowledging_changes_the_state_and_the_count(self):
        before = int(text_of("#tile-open"))
        driver.execute_script("document.querySelector('#drawer .main').click()")
        stage.wait_for("the state Seen", 3, lambda: "Seen" in text_of("#drawer .badge"))
        self.assertLessEqual(int(text_of("#tile-open")), before)
        self.assertTrue(find("#feed .entry[data-state=seen]"))
        press("\ue00c")  # Escape
        self.assertFalse(find("#drawer:not([hidden])"))

    def test_4_keyboard_reaches_search_rows_and_drawer(self):
        driver.execute_script("document.activeElement.blur()")
        press("/")
        self.assertEqual(focused(), "find")
        identity = driver.execute_script("return document.querySelector('tr.row').dataset.id")
        press(identity[:8])
        stage.wait_for("one row", 3, lambda: len(find("tr.row")) == 1)
        driver.execute_script(
            "const f = document.getElementById('find'); f.value = '';"
            "f.dispatchEvent(new Event('input')); document.querySelector('.row-open').focus()"
        )
        first = focused()
        press("\ue015")  # arrow down
        second = focused()
        self.assertNotEqual(first, second)
        press("\ue007")  # Enter
        self.assertEqual(focused(), "drawer-title")
        self.assertEqual(text_of("#drawer-title"), second)
        press("\ue00c")
        self.assertEqual(focused(), second)
        driver.execute_script("document.activeElement.blur()")

    def test_5_roles_names_and_headers_are_there(self):
        for selector in ("#link[role=status]", "#summary[role=status]", "#feed[role=log]",
                         "#table caption", "main", "h1", "html[lang=en]"):
            self.assertTrue(find(selector), selector)
        self.assertEqual(len(find("#table thead th[scope=col]")), 7)
        self.assertEqual(len(find("tr.row")), len(find("tr.row th[scope=row]")))
        nameless = driver.execute_script(
            "return [...document.querySelectorAll('button, input')].filter((n) => !(n.innerText ||"
            " n.textContent || n.ariaLabel || n.labels?.length)).map((n) => n.outerHTML)"
        )
        self.assertEqual(nameless, [])

    def test_6_contrast_is_enough_in_both_themes(self):
        for scheme in ("light", "dark"):
            stage.prefer_scheme(driver, scheme)
            self.assertEqual(driver.execute_script(LOW_CONTRAST), [], scheme)
        stage.prefer_scheme(driver, "light")

    def test_7_silent_daemon_shows_within_5_s_and_the_page_recovers(self):
        os.kill(scene.daemon.child.pid, signal.SIGSTOP)  # the connection stays, nothing comes
        stopped = time.monotonic()
        stage.wait_for("Disconnected", STALE_S, lambda: link_state() == "lost")
        print(f"silence shown after {time.monotonic() - stopped:.1f} s", file=sys.stderr)
        os.kill(scene.daemon.child.pid, signal.SIGCONT)
        stage.wait_for("Live", RECOVER_S, lambda: link_state() == "live")

    def test_8_killed_daemon_shows_within_5_s_and_the_page_recovers(self):
        scene.kill_daemon()
        killed = time.monotonic()
        stage.wait_for("Disconnected", STALE_S, lambda: link_state() == "lost")
        self.assertRegex(text_of("#link"), r"Disconnected; stale since \d\d:\d\d:\d\d")
        self.assertTrue(find("tr.row"), "the last numbers stay in sight")
        print(f"disconnected shown after {time.monotonic() - killed:.1f} s", file=sys.stderr)
        scene.start_daemon()
        up = time.monotonic()
        stage.wait_for("Live", RECOVER_S, lambda: link_state() == "live")
        wait_for_row()
        print(f"recovered {time.monotonic() - up:.1f} s after the start", file=sys.stderr)
        # Calls come and go between two looks, and the rows of before stay until the first items.
        stage.wait_for("no row but of the daemon's calls", 5, rows_are_the_daemons)

    def test_9_nothing_comes_from_elsewhere_and_nothing_complains(self):
        asked = []
        for entry in driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
        self.assertTrue(any(url.endswith("/events") for url in asked), asked)
        elsewhere = [url for url in asked if not url.startswith((scene.page, "data:"))]
        self.assertEqual(elsewhere, [])
        # While the daemon was dead its connections were refused; nothing else may be said.
        refused = re.compile(r"/events\S* - Failed to load resource: net::ERR_")
        said = [e["message"] for e in driver.get_log("browser") if not refused.search(e["message"])]
        self.assertEqual(said, [])


def ask(path, **headers):
    """The status, the headers and an open body."""
    connection = http.client.HTTPConnection("127.0.0.1", scene.port, timeout=10)
    connection.request("GET", path, headers={name.replace("_", "-"): headers[name]
                                             for name in headers})
    return connection.getresponse()


def first_items(**headers):
    """The id and the data of the first items of a stream; there may be none for some seconds."""
    with ask("/events", **headers) as reply:
        event = {}
        while not (event.get("event") == "items" and "id" in event):
            line = reply.readline().decode().rstrip("\n")
            name, _, value = line.partition(": ")
            event = {**event, name: value} if line else {}
    return event["id"], json.loads(event["data"])


class Protocol(unittest.TestCase):
    """What the page relies on, asked without it."""

    def test_reader_that_comes_back_gets_only_what_changed(self):
        wait_for_row()
        identity, whole = first_items()
        self.assertTrue(whole["anew"])
        self.assertGreater(len(whole["items"]), 10)
        identity, rest = first_items(Last_Event_ID=identity)
        self.assertFalse(rest["anew"])
        self.assertLess(len(rest["items"]), len(whole["items"]))

    def test_reader_of_another_run_begins_anew(self):
        wait_for_row()
        identity, _ = first_items()
        run, revision = identity.split("-")
        other = f"{int(run, 16) ^ 1:08x}-{revision}"
        for strange in (other, f"{run}-{int(revision) + 10**6}", run, "-", "x" * 300):
            self.assertTrue(first_items(Last_Event_ID=strange)[1]["anew"], strange)

    def test_answers_forbid_what_the_page_does_not_need(self):
        for path in ("/", "/wallboard.js", "/wallboard.css", "/api/calls"):
            with ask(path) as reply:
                self.assertEqual(reply.status, 200)
                self.assertIn("default-src 'self'", reply.headers["Content-Security-Policy"])
                self.assertEqual(reply.headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(reply.headers["Cache-Control"], "no-store")

    def test_another_name_for_this_machine_is_refused(self):
        for path in ("/", "/events", "/api/calls"):
            with ask(path, Host="calls.example:8090") as reply:
                self.assertEqual(reply.status, 421)

    def test_page_names_no_style_or_script_within_itself(self):
        with ask("/") as reply:
            page = reply.read().decode()
        self.assertNotRegex(page, r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=")
        self.assertNotRegex(page, r"(src|href)=\"(?!/|#)")


# Text in sight whose colour stands out less than WCAG 2.1 (1.4.3) asks for: 4.5, or 3 where large.
LOW_CONTRAST = """
const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const groundOf = (node) => {
  for (; node; node = node.parentElement) {
    const colour = parse(getComputedStyle(node).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) { return colour; }
  }
  return [255, 255, 255];
};
const bad = [];
for (const node of document.body.querySelectorAll('*')) {
  const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !node.checkVisibility() || node.closest('.unseen, .skip, script, noscript')) {
    continue;
  }
  const style = getComputedStyle(node);
  const [a, b] = [light(parse(style.color)), light(groundOf(node))].sort((x, y) => y - x);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < (large ? 3 : 4.5)) {
    bad.push(`${node.className} "${node.textContent.trim().slice(0, 20)}" ${ratio.toFixed(2)}`);
  }
}
return [...new Set(bad)];
"""


if __name__ == "__main__":
    sys.exit(stage.run_tests(sys.modules[__name__], "build/browser"))
