#!/usr/bin/env python3
"""Whose a call is, what is spoken in it, and which of its words leave the memory.

    test_heard.py PATH_TO_UNDERTONE PATH_TO_UNDERTONE_SIM [unittest options]

Expectations come from docs/RULES.md, docs/JUDGEMENT.md and docs/REDACTION.md.
"""
import gzip
import http.client
import json
import os
import subprocess
import sys
import tempfile
import unittest

import test_running as running
from test_running import live

RULES = """
language: en
rules:
- name: speaks
  when: {said: {patterns: '[a-z]', by: customer, within: call}}
  cooldown: 0s
  message: {en: 'one speaks in {queue}', es: 'alguien habla en {queue}'}
  queues: {north: {tier: supervisor}}
"""


class Traits(running.Running):
    """Four calls: of north in English, of south in Spanish, and so on in turn."""

    sim_arguments = ["--calls", "4", "--seed", "1", "--speed", "4", "--queues", "north,south",
                     "--languages", "en-US,es-US", "--mid-call", "off"]

    def start_with_rules(self, **settings):
        live.write_private(self.path("rules.yaml"), RULES)
        self.start(rules__path=self.path("rules.yaml"), log__level="debug", **settings)

    def rows(self):
        return {item["id"]: item for item in self.board()["items"] if item["kind"] == "call"}

    def suggestions(self):
        with open(self.path("ledger.jsonl"), encoding="utf-8") as lines:
            kinds = [json.loads(line) for line in lines if line.endswith("\n")]
        return [line for line in kinds if line["kind"] == "suggestion"]

    def test_calls_in_another_language_are_followed_and_not_judged(self):
        self.start_with_rules(decisions__path=self.path("decisions.jsonl"))
        self.await_event("utterance_not_judged", 4)
        self.await_event("utterance_scored", 4)
        rows = self.await_that("readings", lambda: [
            row for row in self.rows().values() if row["has_reading"]])
        self.assertEqual({row["language"] for row in rows}, {"en-US"})
        rows = [row for row in self.rows().values() if row["language"] == "es-US"]
        self.assertEqual([(row["judged"], row["has_reading"], row["queue"]) for row in rows],
                         [(False, False, "south")] * 2)
        self.assertEqual(self.metric("undertone_calls_not_judged"), 2)
        self.assertGreaterEqual(self.metric('undertone_scored_total{result="not_judged"}'), 4)
        described = {(line["queue"], line["language"], line["judged"])
                     for line in self.events("call_described")}
        self.assertEqual(described, {("north", "en-US", 1), ("south", "es-US", 0)})
        others = {line["interaction"] for line in self.events("call_described")
                  if not line["judged"]}
        self.assertTrue(all(line["rule"] for line in self.events("alert_opened")
                            if line["interaction"] in others))

    def test_a_rule_speaks_by_queue_and_language(self):
        self.start_with_rules()
        alerts = self.await_that("alerts", lambda: [
            line for line in self.events("alert_opened") if line["rule"]][3:])
        alerts = [line for line in self.events("alert_opened") if line["rule"]]
        self.assertEqual({(line["queue"], line["tier"]) for line in alerts},
                         {("north", "supervisor"), ("south", "agent")})
        said = self.await_that("suggestions", lambda: [
            line["content"] for line in self.suggestions() if "alguien" in line["content"]])
        self.assertEqual(set(said), {"alguien habla en south"})

    def test_requests_and_the_file_say_it_too(self):
        first, second = self.vendor_calls()[:2]
        calls = self.path("calls.txt")
        live.write_private(calls, f"{second}\tqueue=west wing\n")
        self.start(discover__mode="fixed", discover__file=calls, discover__interval="200ms",
                   map__language=[], model__language=["de"])
        self.api("POST", "calls", {"interactionId": first, "queue": "east", "language": "de_AT"},
                 201)
        self.await_event("call_described", 2)
        self.assertEqual({(row["queue"], row["language"], row["judged"])
                          for row in self.rows().values()},
                         {("east", "de-AT", True), ("west wing", "", True)})
        self.api("POST", "calls", {"interactionId": first, "language": "fr"}, 200)
        live.write_private(calls + ".new", f"{second}\tlanguage=fr\n")
        os.rename(calls + ".new", calls)
        self.await_event("call_described", 4)
        self.assertEqual({(row["queue"], row["language"], row["judged"])
                          for row in self.rows().values()},
                         {("east", "fr", False), ("west wing", "fr", False)})
        for member, value, code in [("queue", "", "malformed_queue"),
                                    ("queue", "q" * 65, "malformed_queue"),
                                    ("queue", 7, "malformed_queue"),
                                    ("language", "French", "malformed_language"),
                                    ("language", ["fr"], "malformed_language")]:
            self.error(400, code, "POST", "/api/v1/calls", {"interactionId": "a", member: value})

    def test_what_is_no_language_is_refused_at_the_start(self):
        child = subprocess.run([running.UNDERTONE, "config", "check", "--set",
                                "model.language=English"],
                               capture_output=True, text=True, check=False)
        self.assertEqual(child.returncode, 78, child.stderr)
        self.assertIn("model.language", child.stderr)


class Words(running.Running):
    """One call whose customer is angry and says a card number, again and again."""

    said = "this is awful and terrible, my card is 4111 1111 1111 1111 and my name is raj prasad"
    redacted = "this is awful and terrible, my card is [CARD] and my name is [NAME]"
    sim_arguments = ["--calls", "1", "--mid-call", "off", "--sources", "cucom=1"]

    def setUp(self):
        data = tempfile.TemporaryDirectory()
        self.addCleanup(data.cleanup)
        place = os.path.join(data.name, "cucom-ecommerce-synthetic")
        os.mkdir(place)
        turns = [{"role": role, "content": text} for text in [f"{self.said} {n * 'x'}"
                                                               for n in range(1, 25)]
                 for role, text in [("user", text), ("assistant", "one moment please")]]
        with gzip.open(os.path.join(place, "conversations.jsonl.gz"), "wt") as lines:
            lines.write(json.dumps({"id": "c", "turns": turns}) + "\n")
        self.sim_arguments = self.sim_arguments + ["--data", data.name]
        super().setUp()

    def start_with_sinks(self, **settings):
        rules = RULES.replace("one speaks in {queue}", "it says {words}")
        live.write_private(self.path("rules.yaml"), rules)
        self.start(decisions__path=self.path("decisions.jsonl"), log__level="debug",
                   store__path=self.path("undertone.db"), rules__path=self.path("rules.yaml"),
                   **settings)
        self.await_that("alerts", lambda: len(
            {line["path"] for line in self.events("alert_opened")}) > 1, 60)

    def everything(self):
        """What the daemon has written down or shows, but for its suggestions."""
        texts = [json.dumps(self.board())]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        connection.request("GET", "/metrics")
        texts.append(connection.getresponse().read().decode())
        connection.close()
        for name in os.listdir(self.folder):
            if name not in ("ledger.jsonl", "rules.yaml") and os.path.isfile(self.path(name)):
                with open(self.path(name), "rb") as file:
                    texts.append(file.read().decode("utf-8", "replace"))
        return "\n".join(texts)

    def suggestions(self):
        with open(self.path("ledger.jsonl"), encoding="utf-8") as lines:
            kinds = [json.loads(line) for line in lines if line.endswith("\n")]
        return [line["content"] for line in kinds if line["kind"] == "suggestion"]

    def alert_rows(self):
        return [item for item in self.board()["items"]
                if item["kind"] == "alert" and not item["closed_ms"]]

    def test_by_default_no_word_leaves_the_memory(self):
        self.start_with_sinks()
        said = self.await_that("hint", self.suggestions)
        self.assertIn("it says -", said)
        self.assertFalse([text for text in said if "awful" in text])
        everything = self.everything()
        for word in ["awful", "terrible", "4111 1111", "prasad", "words\":", "[CARD]"]:
            self.assertFalse(word in everything, word)
        self.assertEqual(self.metric("undertone_evidence_words_bytes"), 0)

    def test_where_policy_wants_it_words_are_redacted_everywhere(self):
        self.start_with_sinks(evidence__text="redacted",
                              assist__template="They said: {words}")
        said = self.await_that("hints", lambda: [
            text for text in self.suggestions() if text.startswith("They said")], 60)
        self.assertTrue(said[0].startswith("They said: " + self.redacted), said)
        self.assertTrue([text for text in self.suggestions()
                         if text.startswith("it says " + self.redacted)])
        alert = self.await_that("row", self.alert_rows)[0]
        self.assertTrue(alert["evidence"])
        for item in alert["evidence"]:
            self.assertTrue(item["words"].startswith(self.redacted), item)
        with open(self.path("decisions.jsonl"), encoding="utf-8") as file:
            kept = [json.loads(line) for line in file]
        kept = [line for line in kept if line["kind"] == "alert" and line["evidence"]]
        self.assertTrue(kept[0]["evidence"][0]["words"].startswith(self.redacted))
        everything = self.everything() + "".join(self.suggestions())
        for word in ["4111 1111", "1111 1111", "41111111", "prasad"]:  # a time may hold 1111
            self.assertFalse(word in everything, word)
        with open(self.daemon.log, encoding="utf-8") as file:
            self.assertNotIn("awful", file.read())
        with open(self.path("undertone.db"), "rb") as file:
            self.assertNotIn(b"awful", file.read())
        held = self.metric("undertone_evidence_words_bytes")
        self.assertTrue(0 < held <= 48 * 201, held)
        self.configure(evidence__text="none", assist__template="none")
        self.await_that("wiped words", lambda:
                        self.metric("undertone_evidence_words_bytes") == 0)
        self.assertNotIn("awful", json.dumps(self.board()))

    def test_words_need_a_policy_before_a_template_may_ask_for_them(self):
        child = subprocess.run([running.UNDERTONE, "config", "check", "--set",
                                "assist.template=they said {words}"],
                               capture_output=True, text=True, check=False)
        self.assertEqual(child.returncode, 78, child.stderr)
        self.assertIn("evidence.text", child.stderr)


if __name__ == "__main__":
    running.UNDERTONE, running.SIM = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
