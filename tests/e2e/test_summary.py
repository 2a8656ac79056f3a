#!/usr/bin/env python3
"""The summary of a call that is over, taken by a vendor that soon forgets it.

    test_summary.py PATH_TO_UNDERTONE PATH_TO_UNDERTONE_SIM [unittest options]

The mean is worked out here from the scores in the log, the alerts are counted there; when the
vendor forgets the call is the simulator's --linger. Outcomes are those of docs/OPERATING.md.
"""
import json
import sys
import tempfile
import unittest

import test_running
from test_running import Running, live

NAMES = {"attr.summary_mean_key": "mean", "attr.summary_lowest_key": "lowest",
         "attr.summary_low_seconds_key": "low_s", "attr.summary_alerts_key": "alerts"}
SCRIPT = [("user", "this is terrible"), ("agent", "one moment please"),
          ("user", "it is awful and bad"), ("agent", "let me have a look at it for you"),
          ("user", "thank you that is great"), ("agent", "good bye")]  # 13 s with its pauses


class Summary(Running):
    """One call from its beginning; `linger` seconds after its end its id answers 404."""

    def play(self, linger, outage=None, duration=5):
        """outage: from when on and for how long the vendor answers nothing but 503."""
        data = tempfile.TemporaryDirectory()
        self.addCleanup(data.cleanup)
        self.sim_arguments = ["--calls", "1", "--mid-call", "off", "--sources", "cucom=1",
                              "--duration", str(duration), "--linger", str(linger),
                              "--data", live.write_conversation(data.name, SCRIPT)]
        if outage:
            script = data.name + "/script.yaml"
            live.write_private(script, "- {at: %ds, for: %ds, do: status, status: 503}\n" % outage)
            self.sim_arguments += ["--script", script]
        Running.setUp(self)
        self.start(discover__interval="300ms", log__level="debug", **NAMES)

    def setUp(self):
        """Each test plays its own."""

    def ledger(self, kind):
        with open(self.simulator.ledger, encoding="utf-8") as ledger:
            lines = [json.loads(line) for line in ledger if line.endswith("}\n")]
        return [line for line in lines if line["kind"] == kind]

    def summaries(self):
        """What the vendor took of the first call, in order."""
        first = self.ledger("call_started")[0]["call"]
        taken = [a["attributes"] for a in self.ledger("attributes") if a["call"] == first]
        return [a for a in taken if "mean" in a]

    def await_expiry(self):
        return self.await_that("expiry", lambda: self.ledger("call_expired"), 60)[0]

    def assert_summary_of_the_log(self, summary):
        newest = {line["utterance"]: line["score"] for line in self.events("utterance_scored")}
        self.assertEqual(len(newest), 3)
        self.assertAlmostEqual(float(summary["mean"]), sum(newest.values()) / len(newest), 2)
        self.assertLess(float(summary["lowest"]), float(summary["mean"]))
        self.assertGreater(int(summary["low_s"]), 0)
        self.assertEqual(int(summary["alerts"]), len(self.events("alert_opened")))

    def test_it_is_taken_before_the_vendor_forgets_the_call_and_once(self):
        self.play(linger=10)
        self.await_event("call_ending", timeout_s=40)
        expired = self.await_expiry()
        self.assertEqual(len(self.summaries()), 1)
        self.assert_summary_of_the_log(self.summaries()[0])
        for name in NAMES.values():
            self.assertEqual(expired["attributes"][name], self.summaries()[0][name])

    def test_a_call_that_ends_in_an_outage_gets_it_afterwards(self):
        self.play(linger=40, outage=(11, 15))
        self.await_event("poll_failed", timeout_s=40)
        expired = self.await_expiry()
        self.assert_summary_of_the_log(expired["attributes"])

    def test_one_forgotten_in_the_outage_is_lost_and_said_to_be(self):
        self.play(linger=3, outage=(11, 15), duration=0)
        self.await_expiry()
        self.await_event("attributes_lost", timeout_s=100)
        self.await_event("call_closed")
        self.assertEqual(self.summaries(), [])


if __name__ == "__main__":
    test_running.SIM = sys.argv.pop(2)
    test_running.UNDERTONE = sys.argv.pop(1)
    unittest.main()
