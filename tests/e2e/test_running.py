#!/usr/bin/env python3
"""What can be done to a running undertone: a new configuration, calls added and ended, writes
switched off, systemd's notifications, the log of decisions.

    test_running.py PATH_TO_UNDERTONE PATH_TO_UNDERTONE_SIM [unittest options]

The lexicon judges, so that a start takes no time. Expectations come from docs/OPERATING.md and
docs/API.md.
"""
import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import live  # noqa: E402

UNDERTONE = SIM = ""
NGHTTPX = shutil.which("nghttpx") or shutil.which("nghttpx", path="/usr/sbin")
TOKEN = "0123456789abcdef-test"


class Running(unittest.TestCase):
    """Both programs; the daemon is started by each test with what it needs."""

    sim_arguments = ["--calls", "6", "--seed", "1"]

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.simulator = live.Simulator(SIM, self.folder, self.sim_arguments)
        self.addCleanup(self.simulator.stop, 10)
        self.base_url = self.simulator.await_ready()
        self.runs = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, **settings):
        """Dots of keys are written as two underscores."""
        given = {"model.dir": "lexicon", "api.token": TOKEN, "log.level": "info"}
        given.update({key.replace("__", "."): value for key, value in settings.items()})
        self.daemon = live.Daemon(
            UNDERTONE, self.folder, self.base_url, settings=given, run=self.runs
        )
        self.runs += 1
        self.addCleanup(self.daemon.stop, 10)
        self.daemon.await_started()
        self.port = self.await_event("started")["http_port"]

    def events(self, name):
        return [line for line in self.daemon.log_lines()[0] if line.get("event") == name]

    def await_that(self, what, condition, timeout_s=20):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        self.fail(f"no {what} within {timeout_s} s:\n{self.daemon.log_tail(30)}")

    def await_event(self, name, count=1, timeout_s=20):
        """The count-th line of that event."""
        lines = self.await_that(
            f"{count} x {name}", lambda: (self.events(name) + [None] * count)[count - 1], timeout_s
        )
        return lines

    def request(self, method, path, body=None, token=TOKEN):
        """Status, headers, and what the JSON says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        text = body if isinstance(body, (str, bytes)) or body is None else json.dumps(body)
        connection.request(method, path, body=text, headers=headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        try:
            return response.status, response.headers, json.loads(data)
        except ValueError:
            return response.status, response.headers, data.decode()

    def api(self, method, path, body=None, expect=200):
        status, _, data = self.request(method, "/api/v1/" + path, body)
        self.assertEqual(status, expect, data)
        return data

    def error(self, status, code, method, path, body=None, token=TOKEN):
        got, _, data = self.request(method, path, body, token)
        self.assertEqual((got, data["error"]["code"]), (status, code), data)

    def board(self):
        return self.request("GET", "/api/calls", token=None)[2]

    def metric(self, series):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        for line in text.splitlines():
            if line.startswith(series + " "):
                return float(line.rpartition(" ")[2])
        self.fail(f"no metric {series}")

    def configure(self, **changes):
        """Writes the configuration anew and sends SIGHUP; None takes a key out."""
        settings = self.daemon.settings
        settings.update({key.replace("__", "."): value for key, value in changes.items()})
        given = {key: value for key, value in settings.items() if value is not None}
        live.write_private(self.path("config.yaml"), live.yaml_of(given))
        os.kill(self.daemon.child.pid, signal.SIGHUP)

    def vendor_calls(self):
        """Ids of the calls that the simulator lists."""
        address = urllib.parse.urlsplit(self.base_url).netloc
        connection = http.client.HTTPConnection(address, timeout=10)
        form = urllib.parse.urlencode({
            "grant_type": "client_credentials", "client_id": "demo-client",
            "client_secret": live.SECRET, "scope": "interactions:view",
        })
        connection.request("POST", "/oauth/token", form,
                           {"Content-Type": "application/x-www-form-urlencoded"})
        token = json.loads(connection.getresponse().read())["access_token"]
        connection.request("GET", "/api/v2/interactions/active",
                           headers={"Authorization": f"Bearer {token}"})
        listed = json.loads(connection.getresponse().read())
        connection.close()
        return [call["interactionId"] for call in listed if call["state"] != "ended"]


class Reload(Running):
    def test_a_valid_configuration_is_taken_over_and_its_keys_are_named(self):
        self.start()
        self.configure(alert__recover_hold="12s", log__level="warn")
        done = 'undertone_reloads_total{result="done"}'
        self.await_that("reload", lambda: self.metric(done) == 1)
        self.assertFalse(self.events("reloaded"))  # log.level has changed too
        self.configure(log__level="info")
        line = self.await_event("reloaded")
        self.assertEqual((line["changed"], line["reconnected"]), ("log.level", 0))

    def test_a_wrong_one_changes_nothing_and_says_where(self):
        self.start()
        self.configure(alert__threshold=7, poll__idle="3s")
        line = self.await_event("reload_failed")
        self.assertRegex(line["err"], r"config\.yaml:\d+:\d+: alert\.threshold: ")
        self.assertFalse(self.events("reloaded"))
        self.configure(alert__threshold=None)
        self.assertEqual(self.await_event("reloaded")["changed"], "poll.idle")

    def test_a_bad_rules_file_changes_nothing_either(self):
        self.start()
        live.write_private(self.path("rules.yaml"), "rules:\n- {name: x, when: 7}\n")
        self.configure(rules__path=self.path("rules.yaml"), poll__idle="3s")
        self.assertRegex(self.await_event("reload_failed")["err"], r"rules\.yaml:2:\d+: ")
        self.assertFalse(self.events("reloaded"))

    def test_keys_that_need_a_restart_are_named_and_wait_for_it(self):
        self.start()
        self.configure(discover__max=5, alert__cooldown="20s")
        self.assertEqual(self.await_event("restart_needed")["keys"], "discover.max")
        self.assertEqual(self.await_event("reloaded")["changed"], "alert.cooldown")

    def test_a_new_secret_makes_the_connection_anew(self):
        self.start()
        self.await_event("token_refreshed")
        live.write_private(self.path("client.secret"), "wrong\n")
        os.kill(self.daemon.child.pid, signal.SIGHUP)
        line = self.await_event("reloaded")
        self.assertEqual((line["changed"], line["reconnected"]), ("auth.client_secret", 1))
        self.await_event("credentials_rejected")
        live.write_private(self.path("client.secret"), live.SECRET + "\n")
        os.kill(self.daemon.child.pid, signal.SIGHUP)
        self.await_event("token_refreshed", 2)
        with open(self.daemon.log, encoding="utf-8") as log:
            self.assertNotIn(live.SECRET, log.read())

    def test_calls_are_followed_on_across_a_new_connection(self):
        self.start(log__level="debug")
        self.await_event("utterance_scored")
        self.configure(timeouts__poll="6s")
        self.assertEqual(self.await_event("reloaded")["reconnected"], 1)
        before = len(self.events("utterance_scored"))
        self.await_event("utterance_scored", before + 3)
        self.assertEqual(len(self.events("call_opened")), len(self.vendor_calls()))
        names = [(l["utterance"], l["revision"]) for l in self.events("utterance_scored")]
        self.assertEqual(len(names), len(set(names)))

    def test_the_api_reloads_too(self):
        self.start()
        self.assertEqual(self.api("POST", "reload"),
                         {"changed": [], "needsRestart": [], "reconnects": False})
        self.error(405, "method_not_allowed", "GET", "/api/v1/reload")


class Calls(Running):
    def setUp(self):
        super().setUp()
        self.ids = self.vendor_calls()

    def live(self):
        return self.metric("undertone_calls_live")

    def test_a_file_names_calls_and_is_looked_at_as_it_changes(self):
        calls = self.path("calls.txt")
        live.write_private(calls, f"# two\n{self.ids[0]}\n{self.ids[1]}\n")
        self.start(discover__mode="fixed", discover__file=calls, discover__interval="200ms")
        self.await_event("call_opened", 2)
        live.write_private(calls + ".new", f"{self.ids[1]}\n{self.ids[2]}\n")
        os.rename(calls + ".new", calls)
        self.await_event("call_opened", 3)
        self.assertEqual(self.await_event("call_ending")["reason"], "removed")
        live.write_private(calls + ".new", "a\x01b\n")
        os.rename(calls + ".new", calls)
        self.assertIn("calls.txt:1: ", self.await_event("calls_file_failed")["err"])
        self.assertEqual(self.live(), 2)

    def test_the_configured_list_follows_a_reload(self):
        self.start(discover__mode="fixed", interactions=self.ids[:2])
        self.await_event("call_opened", 2)
        self.configure(interactions=self.ids[1:4])
        self.await_event("call_opened", 4)
        self.await_event("call_ending")
        self.assertEqual(self.live(), 3)

    def test_without_the_vendors_list_only_what_is_named_is_followed_on(self):
        self.start(interactions=self.ids[:1])
        self.await_event("call_opened", len(self.ids))
        self.configure(discover__mode="fixed")
        self.await_event("call_ending", len(self.ids) - 1)
        self.assertEqual(self.live(), 1)

    def test_requests_add_and_end_calls(self):
        self.start(discover__mode="fixed", discover__max=3, interactions=self.ids[2:3])
        first = {"interactionId": self.ids[0]}
        self.assertEqual(self.api("POST", "calls", first, 201)["state"], "followed")
        self.assertEqual(self.api("POST", "calls", first, 200)["state"], "followed")
        self.api("POST", "calls", {"interactionId": self.ids[1], "masterId": "m"}, 201)
        self.error(503, "no_room", "POST", "/api/v1/calls", {"interactionId": self.ids[3]})
        self.assertEqual(self.api("DELETE", "calls/" + self.ids[0], expect=202)["state"], "ending")
        self.error(404, "unknown_call", "DELETE", "/api/v1/calls/" + self.ids[0])
        self.error(409, "closing", "POST", "/api/v1/calls", first)
        self.error(409, "named_elsewhere", "DELETE", "/api/v1/calls/" + self.ids[2])
        self.error(404, "unknown_call", "DELETE", "/api/v1/calls/nobody")

    def command(self, *arguments):
        at = f"http://127.0.0.1:{self.port}"
        return subprocess.run([UNDERTONE, *arguments, "--config", self.path("config.yaml"),
                               "--at", at], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=30)

    def test_commands_list_add_and_end_calls(self):
        self.start(discover__mode="fixed", discover__max=2, interactions=self.ids[2:3])
        self.await_event("call_opened")
        added = self.command("calls", "add", self.ids[0])
        self.assertEqual((added.returncode, added.stdout),
                         (0, f"{self.ids[0]}: followed from now on\n"), added.stderr)
        listed = self.command("calls").stdout.splitlines()
        self.assertEqual({line.split()[0] for line in listed[1:3]}, {self.ids[0], self.ids[2]})
        self.assertTrue(listed[3].startswith("2 live calls"), listed)
        full = self.command("calls", "add", self.ids[3], "--master", "m")
        self.assertNotEqual(full.returncode, 0)
        self.assertIn("503", full.stderr)
        self.assertEqual(self.command("calls", "end", self.ids[0]).returncode, 0)
        self.await_event("call_ending")
        self.assertIn("404", self.command("calls", "end", "no/body").stderr)
        board = json.loads(self.command("calls", "--json").stdout)
        self.assertIn(self.ids[2], [item.get("id") for item in board["items"]])
        self.assertEqual(self.command("alerts").stdout.split()[0], "CALL")
        self.assertEqual(self.command("watch", "--times", "2").stdout.count("CALL "), 2)

    def test_commands_say_when_nobody_answers(self):
        self.start(discover__mode="fixed", interactions=self.ids[:1])
        self.daemon.stop(10)
        silent = self.command("calls")
        self.assertNotEqual(silent.returncode, 0)
        self.assertIn("is undertone running", silent.stderr)

    def test_a_call_that_was_asked_for_outlives_a_restart(self):
        store = self.path("undertone.db")
        self.start(discover__mode="fixed", store__path=store)
        self.api("POST", "calls", {"interactionId": self.ids[0]}, 201)
        kept = 'undertone_store_calls{state="live"}'
        self.await_that("kept call", lambda: self.metric(kept) == 1)
        self.daemon.kill()
        self.start(discover__mode="fixed", store__path=store)
        self.assertEqual(self.live(), 1)
        self.api("DELETE", "calls/" + self.ids[0], expect=202)

    def test_what_is_not_a_request_is_refused_by_name(self):
        self.start(discover__mode="fixed")
        for body, code in [
            ("{", "malformed_json"), ("[]", "malformed_json"), ("", "malformed_json"),
            ({"interactionId": 7}, "malformed_id"), ({"interactionId": ""}, "malformed_id"),
            ({"interactionId": "a" * 129}, "malformed_id"), ({}, "malformed_id"),
            ({"interactionId": "a\n"}, "malformed_id"), ({"interactionId": "a\0b"}, "malformed_id"),
            ({"interactionId": "a", "masterId": []}, "malformed_id"),
            ({"interactionId": "a", "other": 1}, "unknown_member"),
        ]:
            with self.subTest(body=body):
                self.error(400, code, "POST", "/api/v1/calls", body)
        for path in ["", "call", "calls/a/b", "calls/a/b/c/d/e/f/g", "../metrics"]:
            with self.subTest(path=path):
                self.error(404, "unknown_path", "DELETE", "/api/v1/" + path)
        self.error(405, "method_not_allowed", "PUT", "/api/v1/calls/a")
        self.assertEqual(self.request("POST", "/api/v1/calls", "x" * 70000)[0], 413)
        self.assertEqual(self.request("DELETE", "/api/v1/calls/%00")[0], 400)


class Webhook(Running):
    """Contacts announced and ended by signed posts; this test is who posts them."""

    secret = "0123456789abcdef-webhook"

    def setUp(self):
        super().setUp()
        self.ids = self.vendor_calls()

    def follow(self, **settings):
        given = {"discover__mode": "webhook", "discover__webhook_secret": self.secret,
                 "discover__interval": "200ms", "ep__active_contacts": ""}
        self.start(**{**given, **settings})

    def post(self, event, secret=None, ahead_s=0, headers=None, path="/webhook/contacts"):
        """Status and what the answer says."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        stamp = str(int(time.time()) + ahead_s)
        digest = hmac.new((secret or self.secret).encode(), stamp.encode() + b"." + body, "sha256")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        connection.request("POST", path, body, headers if headers is not None else {
            "X-Undertone-Timestamp": stamp, "X-Undertone-Signature": "v1=" + digest.hexdigest(),
        })
        response = connection.getresponse()
        data = response.read()
        connection.close()
        try:
            data = json.loads(data)
        except ValueError:
            return response.status, data.decode()
        return response.status, data.get("state") or data["error"]["code"]

    def event(self, kind, index, event_id=None):
        event = {"event": kind, "interactionId": self.ids[index]}
        return {**event, "eventId": event_id} if event_id else event

    def live(self):
        return self.metric("undertone_calls_live")

    def told(self, result):
        return self.metric(f'undertone_contact_events_total{{result="{result}"}}')

    def test_a_call_is_followed_from_its_first_event_to_its_last(self):
        self.follow(log__level="debug")
        self.assertEqual(self.live(), 0)
        self.assertEqual(self.post(self.event("contact-started", 0, "e-1")), (200, "followed"))
        self.assertEqual(self.post(self.event("contact-started", 1, "e-2")), (200, "followed"))
        self.await_event("utterance_scored")
        self.assertEqual(self.live(), 2)
        self.assertEqual(self.post(self.event("contact-ended", 0, "e-3")), (200, "ending"))
        self.assertEqual(self.await_event("call_ending")["reason"], "discovery")
        self.assertEqual(self.post(self.event("contact-ended", 5, "e-4")), (200, "unknown"))
        self.assertEqual(self.post({"event": "queue-changed"}), (200, "ignored"))
        self.assertEqual((self.live(), self.told("started"), self.told("ended")), (1, 2, 2))

    def test_a_repeated_post_does_nothing_and_a_replay_neither(self):
        self.follow()
        self.assertEqual(self.post(self.event("contact-started", 0, "e-1")), (200, "followed"))
        self.assertEqual(self.post(self.event("contact-ended", 0, "e-2")), (200, "ending"))
        # tried again by the sender, signed anew; then recorded and played again, byte for byte
        self.assertEqual(self.post(self.event("contact-started", 0, "e-1"), ahead_s=1),
                         (200, "repeated"))
        body = json.dumps(self.event("contact-started", 1)).encode()
        stamp = str(int(time.time()))
        digest = hmac.new(self.secret.encode(), stamp.encode() + b"." + body, "sha256")
        proof = {"X-Undertone-Timestamp": stamp,
                 "X-Undertone-Signature": "v1=" + digest.hexdigest()}
        self.assertEqual(self.post(body, headers=proof), (200, "followed"))
        self.assertEqual(self.post(body, headers=proof), (200, "repeated"))
        self.assertEqual((self.told("started"), self.told("repeated")), (2, 2))

    def test_who_cannot_prove_it_is_not_believed(self):
        self.follow()
        event = self.event("contact-started", 0)
        for wrong in [{"secret": "another-secret-of-16"}, {"headers": {}},
                      {"headers": {"X-CXone-Webhook-Secret": self.secret}}]:
            with self.subTest(wrong=wrong):
                self.assertEqual(self.post(event, **wrong), (401, "unauthorized"))
        self.assertEqual(self.post(event, ahead_s=-310), (401, "stale"))
        self.assertEqual(self.post(event, ahead_s=310), (401, "stale"))
        self.assertEqual((self.live(), self.told("denied")), (0, 5))
        self.assertEqual(self.await_event("contact_event_refused")["code"], "unauthorized")
        with open(self.daemon.log, encoding="utf-8") as log:
            text = log.read()
        self.assertNotIn(self.secret, text)
        self.assertNotIn(self.ids[0], text)

    def test_what_is_no_event_is_refused(self):
        self.follow()
        for body in [b"", b"[]", b"{", b'{"event":"contact-started"}',
                     b'{"event":"contact-started","interactionId":"a\\n"}',
                     b'{"event":"contact-started","interactionId":"' + b"a" * 129 + b'"}']:
            with self.subTest(body=body):
                self.assertEqual(self.post(body), (400, "malformed_event"))
        self.assertEqual(self.post(b"x" * 70000)[0], 413)
        self.assertEqual(self.post(b"{}", path="/webhook/contacts/x"), (404, "unknown_path"))
        self.error(405, "method_not_allowed", "GET", "/webhook/contacts")
        self.assertEqual(self.live(), 0)

    def test_there_is_no_webhook_in_another_mode(self):
        self.start(discover__mode="fixed", discover__webhook_secret=self.secret)
        self.assertEqual(self.post(self.event("contact-started", 0)), (404, "unknown_path"))

    def test_a_secret_that_is_shown_is_enough_where_that_is_wanted(self):
        self.follow(discover__webhook_check="secret")
        shown = {"X-CXone-Webhook-Secret": self.secret}
        self.assertEqual(self.post(self.event("contact-started", 0), headers=shown),
                         (200, "followed"))
        self.assertEqual(self.post(self.event("contact-started", 1)), (401, "unauthorized"))

    def test_a_post_that_was_lost_loses_no_call(self):
        """Neither one that began nor one that ended: the list is swept beside the posts."""
        self.follow(ep__active_contacts="{base}/api/v2/interactions/active", discover__sweep="1s")
        self.await_event("call_opened", len(self.ids))
        self.assertEqual(self.post(self.event("contact-ended", 0, "e-1")), (200, "ending"))
        # the simulator goes on naming it: the list has the last word
        self.await_event("call_returned")
        self.assertEqual(self.live(), len(self.ids))

    def test_without_a_list_a_silent_call_ends_by_itself(self):
        self.follow(end__idle_timeout="2s", interactions=[])
        self.assertEqual(self.post({"event": "started", "interactionId": self.ids[0] + "x"}),
                         (200, "followed"))
        self.await_event("call_ending")

    def test_one_without_room_is_told_so_and_taken_when_there_is(self):
        self.follow(discover__max=1)
        self.assertEqual(self.post(self.event("contact-started", 0, "e-1")), (200, "followed"))
        self.assertEqual(self.post(self.event("contact-started", 1, "e-2")), (503, "no_room"))
        self.assertEqual(self.told("refused"), 1)
        # its next try is no repetition
        self.assertEqual(self.post(self.event("contact-started", 1, "e-2")), (503, "no_room"))

    def test_an_announced_call_outlives_a_kill(self):
        store = self.path("undertone.db")
        self.follow(store__path=store)
        self.post(self.event("contact-started", 0, "e-1"))
        kept = 'undertone_store_calls{state="live"}'
        self.await_that("kept call", lambda: self.metric(kept) == 1)
        self.daemon.kill()
        self.follow(store__path=store)
        self.assertEqual(self.live(), 1)
        self.assertEqual(self.post(self.event("contact-ended", 0, "e-2")), (200, "ending"))


class Http2(Running):
    """nghttpx, which is another's, stands before the simulator and notes what was spoken."""

    def serve(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        backend = urllib.parse.urlsplit(self.base_url).port
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", self.path("key.pem"), "-out", self.path("cert.pem"), "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            check=True, stderr=subprocess.DEVNULL)
        proxy = live.Process(
            [NGHTTPX, "--no-ocsp", "--workers=1", f"-b127.0.0.1,{backend}", f"-f127.0.0.1,{port}",
             "--accesslog-file=" + self.path("access.log"), "--accesslog-format=$method $alpn",
             self.path("key.pem"), self.path("cert.pem")], stderr=subprocess.DEVNULL)
        self.addCleanup(proxy.stop, 10)
        self.await_listening(port)
        self.base_url = f"https://localhost:{port}"

    def await_listening(self, port):
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                self.assertLess(time.monotonic(), deadline, "nghttpx does not listen")
                time.sleep(0.05)

    def spoken(self):
        with open(self.path("access.log"), encoding="ascii") as lines:
            return sorted(set(line.strip() for line in lines))

    def await_writes(self):
        self.await_that("write", lambda: self.metric(
            'undertone_effects_total{kind="attributes",state="sent"}') > 2)

    @unittest.skipUnless(NGHTTPX, "nghttpx is not installed (package nghttp2-proxy)")
    def test_it_is_spoken_where_the_server_takes_it(self):
        self.serve()
        self.start(tls__ca_file=self.path("cert.pem"))
        self.await_writes()
        self.assertEqual(self.spoken(), ["GET h2", "PATCH h2", "POST h2"])
        self.assertFalse(self.events("poll_failed"))

    @unittest.skipUnless(NGHTTPX, "nghttpx is not installed (package nghttp2-proxy)")
    def test_keys_keep_to_1_1(self):
        self.serve()
        self.start(tls__ca_file=self.path("cert.pem"), auth__http_version="1.1")
        self.await_writes()
        self.assertEqual(self.spoken(), ["GET h2", "PATCH h2", "POST http/1.1"])
        self.configure(http__version="1.1")
        self.await_event("reloaded")
        os.truncate(self.path("access.log"), 0)
        self.await_that("poll", lambda: "GET http/1.1" in self.spoken())
        self.assertFalse([line for line in self.spoken() if line.endswith("h2")])


class Token(Running):
    def test_without_the_token_nothing_is_answered(self):
        self.start(discover__mode="fixed")
        for token in [None, "", "wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper()]:
            with self.subTest(token=token):
                self.error(401, "unauthorized", "POST", "/api/v1/reload", token=token)
        _, headers, _ = self.request("POST", "/api/v1/reload", token="wrong")
        self.assertEqual(headers["WWW-Authenticate"], "Bearer")
        self.assertFalse(self.events("reloaded"))

    def test_guessing_is_slowed_and_does_not_lock_out(self):
        self.start(discover__mode="fixed")
        statuses = [self.request("POST", "/api/v1/reload", token="x")[0] for _ in range(20)]
        self.assertEqual(set(statuses), {401, 429})
        self.assertLessEqual(statuses.count(401), 12)
        self.api("POST", "reload")

    def test_a_file_with_the_token_must_be_private_and_may_change(self):
        token = self.path("token")
        live.write_private(token, "first-first-first\n")
        self.start(discover__mode="fixed", api__token="", api__token_file=token)
        status, _, _ = self.request("POST", "/api/v1/reload", token="first-first-first")
        self.assertEqual(status, 200)
        live.write_private(token, "second-second-second\n")
        self.request("POST", "/api/v1/reload", token="first-first-first")
        self.error(401, "unauthorized", "POST", "/api/v1/reload", token="first-first-first")
        os.chmod(token, 0o644)
        self.error(422, "configuration_invalid", "POST", "/api/v1/reload",
                   token="second-second-second")

    def test_there_is_no_api_without_a_token_and_a_reload_may_give_one(self):
        self.start(discover__mode="active_contacts", api__token="")
        self.error(404, "api_off", "POST", "/api/v1/reload")
        os.kill(self.daemon.child.pid, signal.SIGHUP)
        self.await_event("reloaded")


class Writes(Running):
    """The simulator's ledger says what was written; the lexicon alerts on angry calls."""

    sim_arguments = ["--calls", "8", "--seed", "1", "--speed", "4"]

    def written(self):
        with open(self.simulator.ledger, encoding="utf-8") as ledger:
            kinds = [json.loads(line).get("kind") for line in ledger if line.endswith("}\n")]
        return kinds.count("attributes"), kinds.count("suggestion")

    def readiness(self):
        return self.request("GET", "/readyz", token=None)[2]

    def trouble(self, code):
        return [t for t in self.board()["status"]["troubles"] if t["code"] == code]

    def test_switched_off_nothing_leaves_until_it_is_switched_on_and_a_restart_knows(self):
        store = self.path("undertone.db")
        self.start(store__path=store)
        self.await_that("attribute", lambda: self.written()[0] > 2)
        off = self.api("POST", "writes", {"attributes": "off", "suggestions": "off"})
        self.assertEqual(off["inForce"], {"attributes": "off", "suggestions": "off"})
        time.sleep(1)  # what had left before arrives
        before = self.written()
        judged = self.metric('undertone_scored_total{result="scored"}')
        self.await_that("score", lambda: self.metric('undertone_scored_total{result="scored"}')
                        > judged + 5)
        self.daemon.kill()
        self.start(store__path=store)
        self.await_that("score", lambda: self.metric('undertone_scored_total{result="scored"}') > 5)
        self.assertEqual(self.written(), before)
        self.assertEqual(self.metric('undertone_writes_enabled{kind="attributes"}'), 0)
        self.assertIn("nothing is written", self.readiness())
        self.assertTrue(self.trouble("attributes_off") and self.trouble("suggestions_off"))
        self.api("POST", "writes", {"attributes": "on"})
        self.await_that("attribute", lambda: self.written()[0] > before[0])
        self.assertIn("suggestions are switched off", self.readiness())
        self.assertEqual(self.written()[1], before[1])

    def test_signals_switch_too_and_a_key_by_reload(self):
        self.start()
        os.kill(self.daemon.child.pid, signal.SIGUSR1)
        line = self.await_event("writes_switched")
        self.assertEqual((line["attributes"], line["suggestions"], line["by"]),
                         ("off", "off", "SIGUSR1"))
        os.kill(self.daemon.child.pid, signal.SIGUSR2)
        self.assertEqual(self.await_event("writes_switched", 2)["attributes"], "on")
        self.configure(writes__suggestions=False)
        self.await_event("reloaded")
        state = self.api("GET", "writes")
        self.assertEqual((state["suggestions"], state["inForce"]["suggestions"]), ("on", "off"))

    def test_too_many_suggestions_blow_the_fuse(self):
        # So that alerts come soon and often.
        self.start(fuse__per_minute=1, fuse__reset_after="0s", alert__threshold=0.6,
                   alert__recover=0.65, alert__confirm_count=0, alert__defer_above=1,
                   trend__confidence=0, alert__sustained_limit=0.2)
        self.await_event("suggestion_sent", timeout_s=60)
        self.assertEqual(self.await_event("fuse_blown", timeout_s=60)["reason"], "too_many")
        self.await_event("suggestion_dropped")
        self.assertEqual(len(self.events("suggestion_sent")), 1)
        self.assertIn("fuse", self.readiness())
        self.assertTrue(self.trouble("fuse_blown"))
        self.assertEqual(self.api("GET", "writes")["fuse"], "too_many")
        self.assertEqual(self.api("POST", "fuse", {"state": "whole"})["fuse"], "whole")
        self.await_event("fuse_reset")
        self.await_event("suggestion_sent", 2, timeout_s=60)

    def test_what_is_no_switch_is_refused(self):
        self.start(discover__mode="fixed")
        for body in [{"attributes": True}, {"attributes": "Off"}, {"suggestions": ""}]:
            self.error(400, "malformed_switch", "POST", "/api/v1/writes", body)
        self.error(400, "malformed_switch", "POST", "/api/v1/fuse", {"state": "blown"})
        self.error(400, "unknown_member", "POST", "/api/v1/writes", {"attribute": "off"})
        self.error(405, "method_not_allowed", "DELETE", "/api/v1/writes")
        self.assertFalse(self.events("writes_switched"))


class Manager(Running):
    """A socket of ours plays systemd."""

    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(self.path("notify"))
        self.manager.settimeout(15)
        os.environ.update(NOTIFY_SOCKET=self.path("notify"), WATCHDOG_USEC="600000")
        self.addCleanup(lambda: [os.environ.pop(n) for n in ("NOTIFY_SOCKET", "WATCHDOG_USEC")])
        self.heard = []

    def hear(self, line, times=1):
        """Reads until that line has been heard so often; the rest of its message."""
        count = 0
        while count < times:
            message = self.manager.recv(4096).decode()
            self.heard.append(message)
            count += line in message.split("\n")
        return self.heard[-1]

    def test_ready_alive_reloading_and_stopping_are_told_in_turn(self):
        self.start()
        ready = self.hear("READY=1")
        self.assertRegex(ready, r"STATUS=following \d+ calls, 0 under an alert; writes on")
        began = time.monotonic()
        self.hear("WATCHDOG=1", 6)  # one at once, then one each 200 ms
        self.assertTrue(0.7 < time.monotonic() - began < 5)
        now_us = time.monotonic_ns() // 1000
        self.configure(timeouts__poll="6s")
        told = self.hear("RELOADING=1")
        stamp = int(told.partition("MONOTONIC_USEC=")[2])
        self.assertTrue(now_us <= stamp <= time.monotonic_ns() // 1000)
        self.hear("READY=1")
        self.configure(timeouts__poll="never")
        self.hear("RELOADING=1")
        self.hear("READY=1")
        self.daemon.stop(20)
        self.hear("STOPPING=1")

    def test_a_process_that_stands_still_gives_no_sign_of_life(self):
        self.start()
        self.hear("WATCHDOG=1", 2)
        os.kill(self.daemon.child.pid, signal.SIGSTOP)
        try:
            self.manager.settimeout(1.5)
            with self.assertRaises(TimeoutError):
                self.hear("WATCHDOG=1", 3)  # one may have been on its way
        finally:
            os.kill(self.daemon.child.pid, signal.SIGCONT)
        self.manager.settimeout(15)
        self.hear("WATCHDOG=1", 2)
        self.assertEqual(self.request("GET", "/healthz", token=None)[2], "ok\n")

    def test_a_socket_that_is_not_there_is_told_at_the_start(self):
        os.environ["NOTIFY_SOCKET"] = self.path("nobody")
        with self.assertRaises(live.Failure) as failure:
            self.start()
        self.assertIn("NOTIFY_SOCKET", str(failure.exception))


class Decisions(Running):
    sim_arguments = ["--calls", "8", "--seed", "1", "--speed", "4"]

    def lines(self):
        with open(self.path("decisions.jsonl"), "rb") as file:
            return [json.loads(line) for line in file]

    def of_kind(self, kind):
        return [line for line in self.lines() if line["kind"] == kind]

    def decisions(self, *arguments, status=0):
        done = subprocess.run([UNDERTONE, "decisions", *arguments], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def check_chain(self):
        """As docs/OPERATING.md describes it, with a hash of Python's."""
        previous = "0" * 64
        with open(self.path("decisions.jsonl"), "rb") as file:
            for number, line in enumerate(file, 1):
                content, _, tail = line.rpartition(b',"hash":"')
                record = json.loads(line)
                self.assertEqual((record["seq"], record["prev"]), (number, previous))
                previous = hashlib.sha256(content).hexdigest()
                self.assertEqual(tail, previous.encode() + b'"}\n')
        return previous

    def test_each_alert_is_explained_and_what_became_of_it_is_joined(self):
        path = self.path("decisions.jsonl")
        self.start(decisions__path=path, alert__threshold=0.6, alert__recover=0.65)
        alert = self.await_that("alert", lambda: self.of_kind("alert"), 60)[0]
        self.await_that("suggestion", lambda: self.of_kind("suggestion"))
        logged = self.await_event("alert_opened")
        self.assertEqual((alert["call"], alert["alert"], alert["path"], alert["tier"]),
                         tuple(logged[k] for k in ("interaction", "episode", "path", "tier")))
        self.assertEqual(alert["thresholds"]["scoreBelow"], 0.6)
        self.assertEqual((logged["score_below"], logged["decline_over"], logged["sustained_over"]),
                         tuple(alert["thresholds"][k]
                               for k in ("scoreBelow", "declineOver", "sustainedOver")))
        self.assertAlmostEqual(logged["confidence"], alert["confidence"], 5)
        self.assertAlmostEqual(logged["slope"], alert["slopeAMinute"], 5)
        self.assertTrue(alert["evidence"] and alert["evidence"][0]["moved"] < 0)
        configured = self.of_kind("configuration")[0]
        self.assertEqual(alert["configuration"], configured["sha256"])
        self.assertEqual(alert["configured"], configured["seq"])
        self.assertEqual(configured["judgement"]["alert.threshold"], "0.6")
        self.assertEqual(configured["model"]["name"], "lexicon")
        call = next(item["id"] for item in self.board()["items"]
                    if item.get("alert") or item.get("alerts") or item.get("episode"))
        self.give_feedback(call)
        self.daemon.stop(20)
        head = self.check_chain()
        self.assertEqual(self.events("decisions_head")[-1]["hash"], head)
        self.assertIn(head, self.decisions("verify", "--head", head, path))
        rows = [json.loads(l) for l in self.decisions("show", "--json", path).splitlines()]
        self.assertEqual(len(rows), len(self.of_kind("alert")))
        self.assertIn("sent", [row["suggestion"] for row in rows])
        self.assertIn("useful,dismissed", [row["feedback"] for row in rows])
        self.find_tampering(path)

    def give_feedback(self, call):
        place = f"/api/v1/calls/{call}/alerts/"
        self.assertEqual(self.request("POST", place + "1/feedback", {"feedback": "useful"})[0], 201)
        self.assertEqual(self.request("POST", place + "1/feedback",
                                      {"feedback": "dismissed", "by": "supervisor 7"})[0], 201)
        self.error(404, "unknown_alert", "POST", place + "99/feedback", {"feedback": "useful"})
        self.error(404, "unknown_alert", "POST", place + "x/feedback", {"feedback": "useful"})
        self.error(404, "unknown_alert", "POST", "/api/v1/calls/nobody/alerts/1/feedback",
                   {"feedback": "useful"})
        self.error(400, "malformed_feedback", "POST", place + "1/feedback", {"feedback": "great"})
        self.assertEqual(self.metric('undertone_feedback_total{feedback="useful"}'), 1)
        with open(self.path("decisions.jsonl"), encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("supervisor 7", text)
        self.assertNotIn(call, text)

    def find_tampering(self, path):
        with open(path, "rb") as file:
            text = file.read()
        with open(path, "wb") as file:
            file.write(text.replace(b'"feedback":"dismissed"', b'"feedback":"accepted "', 1))
        number = text[: text.index(b'"feedback":"dismissed"')].count(b"\n") + 1
        self.assertIn(f"decisions.jsonl:{number}: ", self.decisions("verify", path, status=1))

    def test_the_chain_goes_on_after_kill_9_and_over_reloads_and_switches(self):
        path = self.path("decisions.jsonl")
        self.start(decisions__path=path)
        self.configure(alert__cooldown="20s")
        self.await_event("reloaded")
        os.kill(self.daemon.child.pid, signal.SIGUSR1)
        self.await_that("switch", lambda: self.of_kind("writes"))
        self.daemon.kill()
        with open(path, "ab") as file:
            file.write(b'{"seq":4,"prev":"')  # as a loss of power may leave it
        self.start(decisions__path=path)
        self.daemon.stop(20)
        self.check_chain()
        kinds = [(line["kind"], line.get("changed") or line.get("by")) for line in self.lines()]
        self.assertEqual(kinds, [("configuration", "start"), ("configuration", "alert.cooldown"),
                                 ("writes", "SIGUSR1"), ("configuration", "start")])
        self.assertEqual(self.events("decisions_head")[0]["cut_bytes"], 17)

    def test_a_line_that_a_kill_came_before_is_written_at_the_next_start(self):
        """Between the store's commit and the line: the same as a line taken from the end."""
        path, store = self.path("decisions.jsonl"), self.path("undertone.db")
        given = {"decisions__path": path, "store__path": store, "alert__threshold": 0.6,
                 "alert__recover": 0.65}
        self.start(**given)
        self.await_that("suggestion", lambda: self.of_kind("suggestion"), 60)
        time.sleep(0.5)  # what the store is to know of it is committed
        self.daemon.kill()
        with open(path, "rb") as file:
            lines = file.readlines()
        first = next(n for n, line in enumerate(lines) if json.loads(line)["kind"] == "alert")
        lost = {(line["kind"], line["call"], line["alert"])
                for line in map(json.loads, lines[first:])
                if line["kind"] in ("alert", "suggestion")}
        with open(path, "wb") as file:
            file.writelines(lines[:first])
        self.start(**given)
        told = [line for line in self.lines() if line.get("reconstructed")]
        names = {(line["kind"], line["call"], line["alert"]) for line in told}
        self.assertLessEqual(names, lost)
        self.assertEqual({name for name in names if name[0] == "alert"},
                         {name for name in lost if name[0] == "alert"})
        self.assertIn(("suggestion", "sent"), {(l["kind"], l.get("state")) for l in told})
        self.daemon.kill()
        self.start(**given)  # no line twice
        self.check_chain()
        kept = [(l["kind"], l["call"], l["alert"]) for l in self.lines()
                if l["kind"] in ("alert", "suggestion")]
        self.assertEqual(len(kept), len(set(kept)))

    def test_a_log_that_was_changed_is_not_written_on(self):
        path = self.path("decisions.jsonl")
        self.start(decisions__path=path)
        self.daemon.stop(20)
        with open(path, "r+b") as file:
            file.write(b'{"seq":2')
        with self.assertRaises(live.Failure) as failure:
            self.start(decisions__path=path)
        self.assertIn("move the file away", str(failure.exception))


if __name__ == "__main__":
    UNDERTONE, SIM = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
