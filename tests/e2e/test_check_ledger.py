#!/usr/bin/env python3
"""Tests of the checker itself: small runs made by hand, whose answers are worked out in the
comments. A checker that cannot fail proves nothing, so each kind of failure is planted once."""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import check_ledger  # noqa: E402
import judgement  # noqa: E402
import ledger as inputs  # noqa: E402

KEY = bytes(range(32))
T0 = 1_700_000_000_000  # the run's start, vendor and real clock alike
SCORES = {"awful": 0.1, "bad": 0.2, "so so": 0.5, "fine": 0.8, "great": 0.9, "[noise]": None}


def options(*arguments):
    parser = argparse.ArgumentParser()
    check_ledger.add_options(parser)
    return parser.parse_args(arguments)


class Run:
    """A run of one call, written line by line; times in seconds after the start."""

    def __init__(self, speed=1):
        self.ledger_lines = []
        self.log_lines = []
        self.revisions = {}
        self.write(0, "start", seed=1, vendor_ms=T0, options={"speed": speed})
        self.log("started", ts="2023-11-14T22:13:20.000Z")  # T0

    def write(self, at, kind, **members):
        self.ledger_lines.append({"t": T0 + int(at * 1000), "kind": kind, **members})

    def log(self, event, **members):
        self.log_lines.append({"ts": "2023-11-14T22:13:21.000Z", "event": event, **members})

    def speak(self, n, end, text, start=None, version=1, speaker="customer", visible=None,
              call="c", masked=False):
        """Utterance n, one second long unless told, visible half a second after its end."""
        start = end - 1 if start is None else start
        visible = end + 0.5 if visible is None else visible
        self.write(
            visible, "utterance", call=call, n=n, speaker=speaker, version=version,
            start=T0 + int(start * 1000), end=T0 + int(end * 1000), final_version=version,
            text=text, visible=T0 + int(visible * 1000), late=False, masked=masked,
        )
        return start

    def serve(self, at, *finals, call="c", flawed=()):
        self.write(at, "served", call=call, startTime=0, direction="both", includeFinal=True,
                   status=200, now=T0 + int(at * 1000), finals=list(finals),
                   flawed=list(flawed), partials=0)

    def mask(self, since, listed=None, call="c"):
        """The call is masked from then on, as a list says at `listed`."""
        since_ms = T0 + int(since * 1000)
        self.write(since, "call_state", call=call, state="masked", since=since_ms)
        if listed is not None:
            self.write(listed, "active", count=1, ended=0, states=[[call, "masked", since_ms]])

    def scored(self, start, revision=0, ordinal=0, event="utterance_scored", call="c"):
        name = inputs.utterance_hash(KEY, call, T0 + int(start * 1000), ordinal)
        self.log(event, utterance=name, revision=revision)

    def patch(self, at, score, trend, count=None, call="c"):
        attributes = {"realtime_sentiment_score": score, "sentiment_trend": trend}
        if count is not None:
            attributes["sentiment_utterances"] = str(count)
        self.write(at, "attributes", call=call, status=204, attributes=attributes)

    def suggest(self, at, key, repeat=False, call="c"):
        self.write(at, "suggestion", call=call, status=200, content="x", contents=["x"],
                   idempotency_key=key, id="s", repeat=repeat)

    def alert(self, call="c"):
        self.log("alert_opened", interaction=inputs.interaction_hash(KEY, call))

    def end(self, at, settled=20, call="c"):
        self.write(at, "call_ended", call=call, end=T0 + int(at * 1000))
        self.write(at + settled, "exit", why="duration")

    def utter(self, n, end, text):
        """Spoken, served and scored once, without ado."""
        start = self.speak(n, end, text)
        self.serve(end + 0.6, [n, 1])
        self.scored(start)

    def check(self, *arguments):
        book, log = inputs.Ledger(), inputs.DaemonLog()
        for line in self.ledger_lines:
            book.add(line)
        for line in self.log_lines:
            log.add(line)
        table = inputs.ScoreTable({inputs.text_digest(t): s for t, s in SCORES.items()})
        return check_ledger.check(book, log, table, KEY, options(*arguments))


def good_run():
    """Six utterances, 10 s apart: at T = 60 the window (30, 60] holds 0.1, 0.1, 0.1 and the one
    before, (0, 30], holds 0.9, 0.9, 0.9: mean 0.1, declining."""
    run = Run()
    run.serve(0.1)
    for n, text in enumerate(["great", "great", "great", "awful", "awful", "awful"]):
        run.utter(n, 10 * (n + 1), text)
        run.patch(10 * (n + 1) + 1.5, "0.100", "declining", n + 1)
    run.alert()
    run.suggest(52, "k1")
    run.end(62)
    return run


class Names(unittest.TestCase):
    """Expected values from the command openssl mac -macopt size:16 ... BLAKE2BMAC."""

    def test_utterance(self):
        self.assertEqual(
            inputs.utterance_hash(KEY, "c-1", 1_700_000_001_000, 0),
            "0d5fa56ce696898b4021cb0e0eb4cdd1",
        )

    def test_interaction(self):
        self.assertEqual(
            inputs.interaction_hash(KEY, "c-1"), "c2c2841b11ad2cbf3d47e00f2cbb143b"
        )


class GoodRun(unittest.TestCase):
    def test_passes_and_counts(self):
        report = good_run().check("--p50", "1.1", "--p99", "1.1", "--first-suggestion", "60")
        self.assertEqual(report["failures"], [])
        self.assertEqual(report["served_final"], 6)
        self.assertEqual(report["scored"], 6)
        self.assertEqual(report["calls_checked"], 1)
        self.assertEqual(report["suggestions"], 1)
        self.assertEqual(report["first_suggestion_s"], 52)

    def test_latency_is_from_visible_to_write(self):
        # Each is visible 0.5 s and covered 1.5 s after its end.
        latency = good_run().check()["latency_s"]
        self.assertEqual(latency, {"count": 6, "p50": 1.0, "p95": 1.0, "p99": 1.0, "max": 1.0})

    def test_agents_and_partials_are_nobodys_business(self):
        run = good_run()
        run.speak(6, 59, "great", speaker="agent")
        run.serve(61, [6, 1])
        self.assertEqual(run.check()["failures"], [])

    def test_served_again_changes_nothing(self):
        run = good_run()
        run.serve(61, [0, 1], [1, 1])
        self.assertEqual(run.check()["failures"], [])

    def test_never_served_is_not_expected(self):
        run = good_run()
        run.speak(6, 61, "great")
        self.assertEqual(run.check()["failures"], [])


class Privacy(unittest.TestCase):
    def leaks(self, **logged):
        run = good_run()
        run.speak(6, 61, "my card was stolen", speaker="agent")
        run.speak(7, 62, "fine", call="call-12345678")
        run.log("poll_failed", **logged)
        report = run.check()
        named = any(failure.startswith("leaked = ") for failure in report["failures"])
        self.assertEqual(named, report["leaked"] > 0)
        return report["leaked"]

    def test_hashes_and_places_are_none(self):
        self.assertEqual(self.leaks(interaction="0d5fa56ce696898b4021cb0e0eb4cdd1", err="fine"), 0)

    def test_a_text_in_any_member_is_one(self):
        self.assertEqual(self.leaks(err="bad segment: my card was stolen"), 1)

    def test_the_name_of_a_call_is_one(self):
        self.assertEqual(self.leaks(err="/api/v2/interactions/call-12345678/transcripts"), 1)


class Scorings(unittest.TestCase):
    def failing(self, run, name, count=1):
        report = run.check()
        self.assertEqual(report[name], count)
        self.assertTrue(any(f.startswith(f"{name} = ") for f in report["failures"]))

    def test_lost(self):
        run = good_run()
        run.log_lines = [e for e in run.log_lines if e["event"] != "utterance_scored"][:]
        self.failing(run, "lost", 6)

    def test_cut_off_by_the_end(self):
        # Served 0.5 s before the simulator's exit at 61.5.
        run = good_run()
        run.ledger_lines = [e for e in run.ledger_lines if e["kind"] not in ("call_ended", "exit")]
        run.speak(6, 60, "bad")
        run.serve(61, [6, 1])
        run.write(61.5, "exit", why="exit_after")
        self.failing(run, "lost")
        self.assertEqual(run.check("--grace-ms", "400")["lost"], 1)
        report = run.check("--grace-ms", "600")
        self.assertEqual((report["lost"], report["in_flight"]), (0, 1))

    def test_scored_twice(self):
        run = good_run()
        run.scored(9)
        self.failing(run, "scored_twice")

    def test_scored_and_called_blank(self):
        run = good_run()
        run.scored(9, event="utterance_unscorable")
        self.failing(run, "scored_twice")

    def test_what_is_said_in_another_language_is_not_judged(self):
        run = Run()
        run.write(0, "call_started", call="c", queue="", language="es-US", continues=None)
        start = run.speak(0, 5, "good")
        run.serve(5.6, [0, 1])
        run.scored(start, event="utterance_not_judged")
        run.end(20)
        report = run.check()
        self.assertEqual((report["not_judged"], report["misjudged"], report["lost"]), (1, 0, 0))
        run.patch(6, "0.900", "stable")
        self.failing(run, "attribute_mismatches")

    def test_judged_though_its_language_is_not_known_and_the_reverse(self):
        run = Run()
        run.write(0, "call_started", call="c", queue="", language="es", continues=None)
        run.utter(0, 5, "good")
        run.end(20)
        self.failing(run, "misjudged")
        run = good_run()
        run.scored(9, event="utterance_not_judged")
        self.failing(run, "misjudged")

    def test_revision_that_was_never_served(self):
        run = good_run()
        run.scored(9, revision=1)
        self.failing(run, "scored_unserved")

    def test_revision_is_the_rank_of_the_form_served(self):
        run = good_run()
        run.speak(5, 60, "awful", version=2, visible=63)
        run.serve(64, [5, 2])
        self.failing(run, "lost")
        run.scored(59, revision=1)
        self.assertEqual(run.check()["failures"], [])

    def test_first_form_never_served(self):
        # Only version 2 was seen: it is the reader's revision 0.
        run = Run()
        run.speak(0, 10, "bad")
        run.speak(0, 10, "great", version=2, visible=13)
        run.serve(14, [0, 2])
        run.scored(9)
        self.assertEqual(run.check()["failures"], [])

    def test_same_start_counts_up_the_ordinal(self):
        run = good_run()
        run.speak(6, 60.4, "awful", start=59)
        run.serve(62, [6, 1])
        run.scored(59, ordinal=1)
        self.assertEqual(run.check()["scored"], 7)
        self.assertEqual(run.check()["lost"], 0)

    def test_blank(self):
        run = good_run()
        run.speak(6, 61, "[noise]")
        run.serve(62, [6, 1])
        run.scored(60, event="utterance_unscorable")
        report = run.check()
        self.assertEqual((report["failures"], report["blank"]), ([], 1))

    def test_wrongly_blank(self):
        run = good_run()
        run.log_lines = [e for e in run.log_lines if e["event"] != "utterance_scored"]
        for n in range(6):
            run.scored(10 * n + 9, event="utterance_unscorable")
        self.failing(run, "wrongly_blank", 6)

    def test_wrongly_scored(self):
        run = good_run()
        run.utter(6, 61, "[noise]")
        self.failing(run, "wrongly_scored")

    def test_text_missing_from_the_table(self):
        run = good_run()
        run.utter(6, 61, "never heard")
        self.failing(run, "foreign_texts")


class Flaws(unittest.TestCase):
    def test_an_unusable_final_is_not_expected(self):
        run = good_run()
        run.speak(6, 61, "great")
        run.serve(62, flawed=[[6, "no_text"]])
        report = run.check()
        self.assertEqual((report["failures"], report["served_final"]), ([], 6))
        self.assertEqual(report["disorder"]["no_text"], 1)

    def test_scoring_it_all_the_same_is_a_failure(self):
        run = good_run()
        run.speak(6, 61, "great")
        run.serve(62, flawed=[[6, "no_direction"]])
        run.scored(60)
        self.assertEqual(run.check()["scored_unserved"], 1)

    def test_once_it_is_whole_it_counts(self):
        run = good_run()
        run.speak(6, 60.5, "awful")
        run.serve(61, flawed=[[6, "no_end"]])
        run.serve(62, [6, 1])
        self.assertEqual(run.check()["lost"], 1)
        run.scored(59.5)
        self.assertEqual(run.check()["lost"], 0)

    def test_a_spoiled_answer_still_took_effect(self):
        run = good_run()
        run.write(63, "attributes", call="c", status=204, answer="drop", attributes={
            "realtime_sentiment_score": "0.900", "sentiment_trend": "declining"})
        report = run.check()
        self.assertEqual(report["attribute_mismatches"], 1)
        self.assertEqual(report["disorder"]["spoiled attributes"], 1)

    def test_what_was_to_happen_must_have_happened(self):
        run = good_run()
        self.assertIn("masked never happened", run.check("--expect", "masked")["failures"][0])
        run.mask(61)
        self.assertEqual(run.check("--expect", "masked")["failures"], [])
        run.write(61, "rejected", method="GET", path="/x", call=None, status=403, why="denied")
        self.assertEqual(run.check("--expect", "denied")["failures"], [])


class Masked(unittest.TestCase):
    """Great news at 60.4, while a masking begun at 52 was listed at 53."""

    def masked_run(self, listed, earlier=False):
        run = good_run()
        run.ledger_lines = [e for e in run.ledger_lines if e["kind"] not in ("call_ended", "exit")]
        if earlier:
            run.mask(10, 11)
        run.mask(52, listed)
        run.speak(6, 60.4, "great", masked=True)
        run.serve(61, [6, 1])
        run.end(62)
        return run

    def test_left_alone(self):
        report = self.masked_run(53).check()
        self.assertEqual((report["failures"], report["masked"], report["scored"]), ([], 1, 6))

    def test_called_unscorable_is_not_scored(self):
        run = self.masked_run(53)
        run.scored(59.4, event="utterance_unscorable")
        self.assertEqual(run.check()["failures"], [])

    def test_scored(self):
        run = self.masked_run(53)
        run.scored(59.4)
        report = run.check()
        self.assertEqual((report["masked_scored"], report["scored_unserved"]), (1, 0))
        self.assertTrue(report["failures"])

    def test_counted_in_the_attributes(self):
        # (0.1 + 0.1 + 0.1 + 0.9) / 4 = 0.3.
        run = self.masked_run(53)
        run.patch(63, "0.300", "declining", 7)
        self.assertEqual(run.check()["attribute_mismatches"], 1)

    def test_nobody_told_undertone_in_time(self):
        for listed in (None, 60.9, 61.5):
            run = self.masked_run(listed)
            self.assertEqual(run.check()["failures"], [])
            run.scored(59.4)
            run.patch(63, "0.300", "declining", 7)
            report = run.check()
            self.assertEqual(report["failures"], [])
            self.assertEqual((report["masked"], report["masked_untold"]), (0, 1))

    def test_taking_back_what_nobody_had_told(self):
        for listed, regressions in ((61.5, 0), (53, 1)):
            run = self.masked_run(listed)
            run.patch(61.2, "0.300", "declining", 7)
            run.patch(63, "0.100", "declining", 6)
            self.assertEqual(run.check()["count_regressions"], regressions)

    def test_telling_of_an_earlier_masking_is_not_enough(self):
        for listed, scored in ((None, 0), (53, 1)):
            run = self.masked_run(listed, earlier=True)
            run.scored(59.4)
            self.assertEqual(run.check()["masked_scored"], scored)

    def test_what_ends_after_the_masking_counts(self):
        run = good_run()
        run.mask(52, 53)
        run.speak(6, 60.4, "awful")
        run.serve(61, [6, 1])
        self.assertEqual(run.check()["lost"], 1)


class Suggestions(unittest.TestCase):
    def doubled(self, run):
        return run.check()["doubled"]

    def test_same_key_shown_twice(self):
        run = good_run()
        run.alert()
        run.suggest(53, "k1")
        self.assertEqual(self.doubled(run), 1)

    def test_repeat_shows_nothing_new(self):
        run = good_run()
        run.suggest(53, "k1", repeat=True)
        report = run.check()
        self.assertEqual((report["doubled"], report["suggestion_repeats"]), (0, 1))

    def test_two_keys_for_one_alert(self):
        run = good_run()
        run.suggest(53, "k2")
        self.assertEqual(self.doubled(run), 1)
        run.alert()
        self.assertEqual(self.doubled(run), 0)

    def test_alert_of_another_call_is_no_excuse(self):
        run = good_run()
        run.suggest(53, "k2")
        run.alert(call="d")
        self.assertEqual(self.doubled(run), 1)

    def test_first_suggestion_too_late_or_missing(self):
        self.assertTrue(good_run().check("--first-suggestion", "50")["failures"])
        run = good_run()
        run.ledger_lines = [e for e in run.ledger_lines if e["kind"] != "suggestion"]
        self.assertTrue(run.check("--first-suggestion", "60")["failures"])
        self.assertTrue(run.check("--min-suggestions", "1")["failures"])


class Attributes(unittest.TestCase):
    def fault(self, *last):
        run = good_run()
        run.patch(62.5, *last)
        return run.check()["attribute_mismatches"]

    def test_within_a_hundredth(self):
        self.assertEqual(self.fault("0.109", "declining", 6), 0)
        self.assertEqual(self.fault("0.111", "declining", 6), 1)

    def test_wrong_trend(self):
        self.assertEqual(self.fault("0.100", "stable", 6), 1)

    def test_wrong_count(self):
        self.assertEqual(self.fault("0.100", "declining", 7), 1)

    def test_unreadable_score(self):
        self.assertEqual(self.fault("low", "declining", 6), 1)

    def test_call_without_any_write(self):
        run = good_run()
        run.ledger_lines = [e for e in run.ledger_lines if e["kind"] != "attributes"]
        self.assertEqual(run.check()["attribute_mismatches"], 1)

    def test_running_and_just_ended_calls_are_left_alone(self):
        for settled in (None, 3):
            run = good_run()
            run.patch(61.9, "0.900", "stable", 6)
            run.ledger_lines = [
                e for e in run.ledger_lines if e["kind"] not in ("call_ended", "exit")
            ]
            if settled:
                run.end(62, settled=settled)
            report = run.check()
            self.assertEqual((report["calls_checked"], report["attribute_mismatches"]), (0, 0))

    def test_after_an_orderly_stop_running_calls_count_too(self):
        run = good_run()
        run.ledger_lines = [e for e in run.ledger_lines if e["kind"] not in ("call_ended", "exit")]
        self.assertEqual(run.check("--flushed")["failures"], [])
        run.patch(61.9, "0.900", "stable", 6)
        self.assertEqual(run.check("--flushed")["attribute_mismatches"], 1)

    def test_last_form_counts(self):
        # 0.1, 0.1 and 0.8 instead of 0.1: mean 1/3; before 0.9: declining all the same.
        run = good_run()
        run.speak(5, 60, "fine", version=2, visible=63)
        run.serve(64, [5, 2])
        run.scored(59, revision=1)
        self.assertEqual(run.check()["attribute_mismatches"], 1)
        run.patch(65, "0.333", "declining", 6)
        self.assertEqual(run.check()["attribute_mismatches"], 0)

    def test_going_back_to_an_older_state(self):
        run = good_run()
        run.patch(62.5, "0.100", "declining", 5)
        run.patch(62.6, "0.100", "declining", 6)
        self.assertEqual(run.check()["count_regressions"], 1)


class Latency(unittest.TestCase):
    def test_one_write_covers_several(self):
        # Visible at 10.5 and 11.5; both covered by the write at 13: 2.5 s and 1.5 s.
        run = Run()
        run.serve(0.1)
        run.utter(0, 10, "bad")
        run.utter(1, 11, "bad")
        run.patch(13, "0.200", "stable", 2)
        latency = run.check()["latency_s"]
        self.assertEqual((latency["count"], latency["p50"], latency["max"]), (2, 1.5, 2.5))

    def test_a_write_with_a_smaller_count_covers_nothing(self):
        run = Run()
        run.serve(0.1)
        run.utter(0, 10, "bad")
        run.utter(1, 11, "bad")
        run.patch(11.6, "0.200", "stable", 1)
        report = run.check()
        self.assertEqual((report["latency_s"]["count"], report["uncovered"]), (1, 1))

    def test_history_and_blanks_do_not_count(self):
        run = Run()
        run.utter(0, 1, "bad")  # visible before the first reply at 1.6: takes rank 1
        run.speak(1, 5, "[noise]")
        run.serve(6, [1, 1])
        run.scored(4, event="utterance_unscorable")
        run.utter(2, 10, "bad")
        run.patch(12, "0.200", "stable", 2)
        self.assertEqual(run.check()["latency_s"]["count"], 1)
        self.assertEqual(run.check()["latency_s"]["max"], 1.5)

    def test_warm_up(self):
        # Six are visible at 10.5, 20.5, ... 60.5; the first poll was at 0.1.
        self.assertEqual(good_run().check("--warm-up", "30")["latency_s"]["count"], 4)

    def test_vendor_clock_running_faster(self):
        # At speed 2 the write at real second 6 is at vendor second 12: 1.5 vendor seconds after
        # visible, 0.75 real ones.
        run = Run(speed=2)
        run.serve(0.1)
        run.utter(0, 10, "bad")
        run.patch(6, "0.200", "stable", 1)
        self.assertEqual(run.check()["latency_s"]["max"], 0.75)

    def test_thresholds(self):
        self.assertTrue(good_run().check("--p50", "0.9")["failures"])
        self.assertTrue(good_run().check("--p99", "0.9")["failures"])
        self.assertTrue(Run().check("--p50", "2", "--min-served-final", "0")["failures"])

    def test_quantiles_by_nearest_rank(self):
        found = check_ledger.quantiles([float(i) for i in range(1, 201)])
        self.assertEqual((found["p50"], found["p95"], found["p99"]), (100.0, 190.0, 198.0))


class Judgement(unittest.TestCase):
    """The rules, at their edges; times in seconds."""

    def judge(self, *pairs, slack=0.0):
        mean, trends = judgement.judge([(int(s * 1000), score) for s, score in pairs], slack)
        return round(mean, 6), "|".join(sorted(trends))

    def window(self, t, *ends):
        found, widened = judgement.window_at([(int(e * 1000), 0) for e in ends], t * 1000)
        return sorted(e // 1000 for e, _ in found), widened

    def test_window_is_open_at_its_old_end(self):
        self.assertEqual(self.window(60, 30, 31, 40, 60), ([31, 40, 60], False))

    def test_thin_window_is_widened_to_the_newest_three(self):
        self.assertEqual(self.window(60, 1, 5, 20, 60), ([5, 20, 60], True))

    def test_ties_at_the_third_are_kept_whole(self):
        self.assertEqual(self.window(60, 5, 5, 20, 60), ([5, 5, 20, 60], True))

    def test_never_wider_than_two_minutes(self):
        self.assertEqual(self.window(200, 80, 81, 200), ([81, 200], True))

    def test_later_ones_are_not_in_it(self):
        self.assertEqual(self.window(60, 40, 50, 60, 61), ([40, 50, 60], False))

    def test_too_few_is_stable(self):
        self.assertEqual(self.judge((1, 0.9), (2, 0.1)), (0.5, "stable"))

    def test_widened_window_is_held_against_what_came_before_it(self):
        # At 100: current 60, 80, 100 (widened), before 59.999: 20, 40, two of them.
        calm = [(20, 0.8), (40, 0.8)]
        self.assertEqual(self.judge(*calm, (60, 0.2), (80, 0.2), (100, 0.2)), (0.2, "declining"))

    def test_full_window_is_held_against_thirty_seconds_ago(self):
        # At 60: current 40, 50, 60; at 30: 10, 20, 30.
        before = [(10, 0.2), (20, 0.2), (30, 0.2)]
        self.assertEqual(self.judge(*before, (40, 0.8), (50, 0.8), (60, 0.8)), (0.8, "improving"))

    def test_hysteresis_keeps_a_trend_down_to_003(self):
        self.assertEqual(judgement.next_trend("stable", 0.04), "stable")
        self.assertEqual(judgement.next_trend("improving", 0.04), "improving")
        self.assertEqual(judgement.next_trend("declining", 0.04), "stable")
        self.assertEqual(judgement.next_trend("declining", -0.03), "declining")
        self.assertEqual(judgement.next_trend("declining", -0.02), "stable")
        self.assertEqual(judgement.next_trend("stable", -0.051), "declining")
        self.assertEqual(judgement.next_trend("improving", -0.06), "declining")

    def test_order_of_arrival_does_not_matter(self):
        pairs = [(10, 0.9), (20, 0.7), (30, 0.9), (40, 0.3), (50, 0.2), (60, 0.4)]
        self.assertEqual(self.judge(*pairs), self.judge(*reversed(pairs)))

    def test_near_a_limit_both_are_possible(self):
        # Difference 0.045: with a slack of 0.01 it may be over 0.05 or not.
        pairs = [(10, 0.5), (20, 0.5), (30, 0.5), (40, 0.545), (50, 0.545), (60, 0.545)]
        self.assertEqual(self.judge(*pairs)[1], "stable")
        self.assertEqual(self.judge(*pairs, slack=0.01)[1], "improving|stable")
        self.assertEqual(self.judge(*pairs, slack=0.001)[1], "stable")


class Traffic(unittest.TestCase):
    def test_busiest_second_begins_anywhere(self):
        self.assertEqual(check_ledger.busiest_second([0, 900, 1100, 1800, 1899, 2900]), 4)
        self.assertEqual(check_ledger.busiest_second([]), 0)

    def test_shares(self):
        run = good_run()
        run.write(1, "rejected", method="GET", path="/x", call=None, status=429, why="call_quota")
        report = run.check()  # 7 served, 6 attributes, 1 suggestion, 1 rejected
        self.assertEqual(report["requests"], 15)
        self.assertAlmostEqual(report["share_429"], 1 / 15, places=5)
        self.assertEqual(report["rejected_why"], {"call_quota": 1})


class CommandLine(unittest.TestCase):
    def run_command(self, run, ledger_tail=""):
        with tempfile.TemporaryDirectory() as folder:
            def path(name):
                return os.path.join(folder, name)

            with open(path("ledger"), "w", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in run.ledger_lines)
                file.write(ledger_tail)
            with open(path("log"), "w", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in run.log_lines)
            with open(path("key"), "w", encoding="ascii") as file:
                file.write(KEY.hex() + "\n")
            with gzip.open(path("scores"), "wt", encoding="ascii") as file:
                for text, score in SCORES.items():
                    shown = "-" if score is None else f"{score:.6f}"
                    file.write(f"{inputs.text_digest(text)}\t{shown}\n")
            done = subprocess.run(
                [sys.executable, os.path.join(ROOT, "tools/check_ledger.py"),
                 "--ledger", path("ledger"), "--log", path("log"), "--hash-key", path("key"),
                 "--scores", path("scores"), "--json", path("json")],
                capture_output=True, text=True,
            )
            report = None
            if os.path.exists(path("json")):
                with open(path("json"), encoding="utf-8") as file:
                    report = json.load(file)
            return done, report

    def test_good_run(self):
        done, report = self.run_command(good_run())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("passed", done.stdout)
        self.assertEqual(report["lost"], 0)

    def test_bad_run(self):
        run = good_run()
        run.scored(9)
        done, report = self.run_command(run)
        self.assertEqual(done.returncode, 1)
        self.assertIn("scored_twice = 1", done.stdout)
        self.assertEqual(report["scored_twice"], 1)

    def test_cut_off_last_line(self):
        done, report = self.run_command(good_run(), ledger_tail='{"t": 17')
        self.assertEqual((done.returncode, report["ledger_broken_lines"]), (0, 1))

    def test_unreadable_inputs(self):
        run = good_run()
        run.ledger_lines = []
        done, _ = self.run_command(run)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no start line", done.stderr)


if __name__ == "__main__":
    unittest.main()
