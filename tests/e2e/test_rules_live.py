#!/usr/bin/env python3
"""Rules beside the mood while undertone runs: one scripted call, its suggestions in the simulator's
ledger, new rules and bad ones.

    test_rules_live.py PATH_TO_UNDERTONE PATH_TO_UNDERTONE_SIM [unittest options]

Expectations come from docs/RULES.md and docs/API.md.
"""
import json
import os
import signal
import sys
import tempfile
import unittest

import test_running
from test_running import Running, live

FILLER = "let me see what I can find in here for you now"  # 5 s with the pause behind it
RULE = """\
rules:
  - name: {name}
    when: {{said: {{phrases: {phrase}, by: customer}}}}
    message: "{message}"
"""


class Rules(Running):
    """One call at a time, which says the phrase, goes on for 10 s, and says another."""

    script = [("user", "good morning I am calling about an order"), ("agent", FILLER),
              ("user", "could I speak to a supervisor"), ("agent", FILLER),
              ("user", "yes a supervisor please"), ("agent", FILLER),
              ("user", "my lawyer will hear of it"), ("agent", FILLER)]

    def setUp(self):
        data = tempfile.TemporaryDirectory()
        self.addCleanup(data.cleanup)
        self.sim_arguments = ["--calls", "1", "--mid-call", "off", "--sources", "cucom=1",
                              "--revised", "0.5", "--duplicated", "0.5",
                              "--data", live.write_conversation(data.name, self.script)]
        super().setUp()
        self.rules = self.path("rules.yaml")

    def write_rules(self, name, phrase, message):
        live.write_private(self.rules, RULE.format(name=name, phrase=phrase, message=message))

    def follow(self):
        self.start(rules__path=self.rules, discover__interval="300ms")

    def shown(self):
        """Texts of the suggestions that the vendor took, in order."""
        with open(self.simulator.ledger, encoding="utf-8") as ledger:
            lines = [json.loads(line) for line in ledger if line.endswith("}\n")]
        return [line["content"] for line in lines if line["kind"] == "suggestion"]

    def await_shown(self, count, timeout_s=40):
        return self.await_that(f"{count} suggestions",
                               lambda: len(self.shown()) >= count and self.shown(), timeout_s)

    def fired(self):
        return [line["rule"] for line in self.events("alert_opened")]

    def test_what_a_rule_says_reaches_the_agent_once(self):
        self.write_rules("asks", "supervisor", "Offer a colleague.")
        self.follow()
        self.assertEqual(self.await_shown(1), ["Offer a colleague."])
        self.await_event("call_ending", timeout_s=60)
        self.assertEqual(self.shown(), ["Offer a colleague."])  # though it was said again
        self.assertEqual(self.fired(), ["asks"])
        line = self.events("alert_opened")[0]
        self.assertEqual((line["path"], line["tier"]), ("rule", "agent"))

    def test_new_rules_are_in_force_from_the_next_words_on(self):
        self.write_rules("asks", "supervisor", "Offer a colleague.")
        self.follow()
        self.await_shown(1)
        self.write_rules("legal", "lawyer", "Do not argue.")
        self.await_event("rules_read", 2)
        self.assertEqual(self.await_shown(2), ["Offer a colleague.", "Do not argue."])
        self.assertEqual(self.fired(), ["asks", "legal"])

    def test_new_words_of_a_rule_are_those_of_its_next_alert(self):
        self.write_rules("asks", "supervisor", "Offer a colleague.")
        self.follow()
        self.await_event("rules_read")
        self.write_rules("asks", "supervisor", "Call the team lead.")
        os.kill(self.daemon.child.pid, signal.SIGHUP)
        self.await_event("rules_read", 2)
        self.assertEqual(self.await_shown(1), ["Call the team lead."])

    def test_a_bad_file_leaves_the_old_rules_in_force_whoever_asks(self):
        self.write_rules("legal", "lawyer", "Do not argue.")
        self.follow()
        live.write_private(self.rules, "rules:\n  - {name: legal, when: {said: 7}}\n")
        place = r"rules\.yaml:2:\d+: "
        self.assertRegex(self.await_event("rules_failed")["err"], place)
        os.kill(self.daemon.child.pid, signal.SIGHUP)
        self.assertRegex(self.await_event("reload_failed")["err"], place)
        status, _, answer = self.request("POST", "/api/v1/reload")
        self.assertEqual((status, answer["error"]["code"]), (422, "configuration_invalid"))
        self.assertRegex(answer["error"]["message"], place)
        self.assertEqual(self.shown(), [])
        self.assertEqual(self.await_shown(1), ["Do not argue."])
        self.assertEqual(self.metric("undertone_rules"), 1)


if __name__ == "__main__":
    test_running.SIM = sys.argv.pop(2)
    test_running.UNDERTONE = sys.argv.pop(1)
    unittest.main()
