#!/usr/bin/env python3
"""Rules beside the mood over recorded calls: undertone rules try, undertone replay.

    test_rules.py PATH_TO_UNDERTONE [unittest options]

Expected moments are worked out by hand from docs/RULES.md: a word is known 0.7 s after its end;
what was not said, and silence, are believed `settle` later.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ""

OK, FAILED, USAGE, CONFIG = 0, 1, 64, 78
BEGIN_MS = 1765000000000

RULES = """\
settle: 2s
rules:
  - name: wants_supervisor
    when: {said: {phrases: speak to a supervisor, by: customer}}
    tier: supervisor
    message: "asks for somebody after {seconds} s"
  - name: says_it_again
    when: {repeated: {phrases: no internet, by: customer, times: 3, within: 5m}}
    message: "said {count} times"
  - name: long_silence
    when: {silence: 20s}
    message: "say something"
  - name: no_apology
    when: {not_said: {phrases: sorry, by: agent, within: 30s}}
    message: "apologise"
  - name: furious
    when: {all: [{said: {phrases: worst service, by: customer}}, {mood: {below: 0.3}}]}
    message: "the mood is {mean}"
"""

# (start, end, speaker, text), in seconds
TROUBLE = [(0, 4, "agent", "hello how may i help"),
           (5, 9, "customer", "my router is new, I want to speak to a supervisor please"),
           (10, 14, "agent", "i understand"),
           (15, 18, "customer", "there is no internet in the house"),
           (19, 22, "customer", "no internet on the phone"),
           (23, 26, "agent", "one moment"),
           (60, 64, "customer", "and no internet in the garden"),
           (66, 70, "agent", "sorry about that"),
           (71, 75, "customer", "thank you")]
QUIET = [(0, 4, "agent", "sorry for the wait, do you want to speak to a supervisor"),
         (5, 9, "customer", "no, there is no internet on my phone"),
         (10, 24, "agent", "it works again"),
         (25, 29, "customer", "thank you so much")]
ANGRY = [(0, 4, "agent", "sorry"),
         (5, 9, "customer", "this is the worst service I have ever had, it is terrible")]
# The same words after two happy ones: the mean stays far above 0.3.
MIXED = [(0, 2, "agent", "sorry"),
         (3, 5, "customer", "thank you so much, that is wonderful"),
         (6, 8, "customer", "you are great, I am really happy with that"),
         *[(s + 5, e + 5, who, text) for s, e, who, text in ANGRY[1:]]]
CALLS = {"trouble": TROUBLE, "quiet": QUIET, "angry": ANGRY, "mixed": MIXED}

BY_WORDS = {"trouble": {("wants_supervisor", 9.7), ("no_apology", 32.0), ("long_silence", 48.0),
                        ("says_it_again", 64.7)}}
WITH_MOOD = {**BY_WORDS, "angry": {("furious", 9.7)}}


def lines(calls):
    return "".join(json.dumps({
        "interactionId": name, "text": text, "direction": who, "isFinal": True,
        "startTime": BEGIN_MS + 1000 * start, "endTime": BEGIN_MS + 1000 * end}) + "\n"
        for name, turns in calls.items() for start, end, who, text in turns)


def contact_lens(turns):
    return {"CustomerMetadata": {"ContactId": "c-1"}, "Transcript": [
        {"ParticipantId": who.upper(), "Content": text, "BeginOffsetMillis": 1000 * start,
         "EndOffsetMillis": 1000 * end} for start, end, who, text in turns]}


def azure(turns):
    return {"analysisInput": {"conversations": [{"id": "z", "conversationItems": [
        {"participantId": who.capitalize(), "text": text} for _, _, who, text in turns]}]}}


def end_by_words(turns, number):
    """When the numbered turn ends where there are no times: 0.4 s a word, 0.6 s between turns."""
    words = sum(len(text.split()) for *_, text in turns[:number + 1])
    return 0.4 * words + 0.6 * number


def labelled(name, turns, alert):
    return {"call": name, "source": "made", "alert": alert, "recovered": None, "supervisor": False,
            "turns": [{"i": i, "role": who, "text": text, "mood": 0, "start": 1000 * start,
                       "end": 1000 * end} for i, (start, end, who, text) in enumerate(turns)]}


class Rules(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.rules = self.write("rules.yaml", RULES)
        self.calls = self.write("calls.jsonl", lines(CALLS))

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content),
                        encoding="utf-8")
        return path

    def run_program(self, *arguments):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("UNDERTONE_", "CXONE_"))}
        env["UNDERTONE_MODELS"] = str(ROOT / "models")
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, env=env,
                              text=True, timeout=200)

    def output_of(self, *arguments):
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, OK, done.stderr)
        return done.stdout

    def replayed(self, *arguments):
        """The alerts of undertone replay --json under the rules."""
        out = self.output_of("replay", "--json", "--set", f"rules.path={self.rules}", *arguments)
        return [r for r in map(json.loads, out.splitlines()) if r["kind"] == "alert"]

    def fired(self, *arguments):
        """Of each call, which rules fired when, in seconds from its begin."""
        calls = {}
        for record in self.replayed(*arguments):
            if record["path"] == "rule":
                at = round((record["t"] - BEGIN_MS) % 3600000 / 1000, 1)
                calls.setdefault(record["interaction"], set()).add((record["rule"], at))
        return calls

    def tried(self, *arguments):
        """The same by undertone rules try, which says whole seconds."""
        calls, call = {}, None
        for line in self.output_of("rules", "try", *arguments).splitlines():
            found = re.match(r"  (\d+):(\d+)  (\w+), ", line)
            if found:
                minutes, seconds, rule = found.groups()
                calls.setdefault(call, set()).add((rule, 60 * int(minutes) + int(seconds)))
            elif re.match(r"\d+ calls, rules fired", line):
                break
            else:
                call = line
        return calls


class Replay(Rules):
    def test_each_rule_fires_when_its_condition_becomes_true(self):
        self.assertEqual(self.fired(self.calls), WITH_MOOD)

    def test_contact_lens(self):
        path = self.write("lens.json", contact_lens(TROUBLE))
        self.assertEqual(self.fired("--from", "contact-lens", path), {"c-1": BY_WORDS["trouble"]})

    def test_azure_without_times(self):
        path = self.write("azure.json", azure(TROUBLE))
        at = {number: round(end_by_words(TROUBLE, number) + 0.7, 1) for number in (1, 6)}
        self.assertEqual(self.fired("--from", "azure", path), {
            "z": {("wants_supervisor", at[1]), ("says_it_again", at[6])}})

    def test_an_alert_by_a_rule_says_what_it_stands_on(self):
        alert = next(r for r in self.replayed(self.calls) if r.get("rule") == "wants_supervisor")
        self.assertEqual((alert["tier"], alert["episode"]), ("supervisor", 1))
        self.assertEqual(alert["said"], {"start": BEGIN_MS + 5000, "end": BEGIN_MS + 9000,
                                         "speaker": "customer"})
        self.assertNotIn("message", alert)

    def test_words_and_messages_are_shown_on_request_only(self):
        plain = self.output_of("replay", "--set", f"rules.path={self.rules}", self.calls)
        self.assertIn("rule wants_supervisor, for a supervisor", plain)
        self.assertNotIn("router", plain)
        shown = self.output_of("replay", "--text", "--set", f"rules.path={self.rules}", self.calls)
        self.assertIn("my router is new", shown)
        self.assertIn("says: asks for somebody after 9 s", shown)

    def test_the_mood_is_judged_as_without_rules(self):
        records = []
        for arguments in ((), ("--set", f"rules.path={self.rules}")):
            out = self.output_of("replay", "--json", *arguments, self.calls)
            records.append([{k: v for k, v in r.items() if k != "episode"}
                            for r in map(json.loads, out.splitlines()) if r.get("path") != "rule"])
        self.assertEqual(*records)
        self.assertTrue(records[0])

    def test_a_comparison_names_the_rule(self):
        out = self.output_of("replay", "--json", "--compare", "--set", f"rules.path={self.rules}",
                             self.calls)
        records = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({(r["judgement"], r["rule"]) for r in records if "rule" in r},
                         {("undertone", rule) for fired in WITH_MOOD.values() for rule, _ in fired})

    def test_a_bad_rules_file_is_refused_with_its_place(self):
        bad = self.write("bad.yaml", "rules:\n  - {name: x, when: {said: 7}}\n")
        for command in (["replay", "--set", f"rules.path={bad}", self.calls],
                        ["rules", "check", bad], ["rules", "try", bad, self.calls]):
            done = self.run_program(*command)
            self.assertEqual(done.returncode, CONFIG, done.stderr)
            self.assertRegex(done.stderr, r"bad\.yaml:2:\d+: ")


class Try(Rules):
    def whole_seconds(self, fired):
        return {(rule, int(at)) for rule, at in fired}

    def test_the_same_moments_without_a_model(self):
        self.assertEqual(self.tried(self.rules, self.calls),
                         {"trouble": self.whole_seconds(BY_WORDS["trouble"])})

    def test_contact_lens(self):
        path = self.write("lens.json", contact_lens(TROUBLE))
        self.assertEqual(self.tried("--from", "contact-lens", self.rules, path),
                         {"c-1": self.whole_seconds(BY_WORDS["trouble"])})

    def test_azure_without_times(self):
        path = self.write("azure.json", azure(TROUBLE))
        self.assertEqual({rule for rule, _ in self.tried("--from", "azure", self.rules, path)["z"]},
                         {"wants_supervisor", "says_it_again"})

    def test_an_unknown_form_is_refused(self):
        done = self.run_program("rules", "try", "--from", "genesys", self.rules, self.calls)
        self.assertEqual(done.returncode, USAGE, done.stderr)
        self.assertIn("--from", done.stderr)


class Evaluate(Rules):
    """One call wants an alert and has two by the rule, one is calm and has one, one is calm and has
    none, and of one the readers disagree: it counts nowhere."""

    ASKS = (0, 4, "customer", "I want to speak to a supervisor")
    TALK = (10, 14, "customer", "my order number is four five six")
    MORE = (40, 44, "customer", "and my name is on it")
    LATER = (110, 114, "customer", "can I speak to a supervisor")

    def test_each_rule_has_counts_of_its_own(self):
        calls = [labelled("a", [self.ASKS, self.TALK, self.MORE, self.LATER], 0),
                 labelled("b", [self.ASKS, self.TALK], None),
                 labelled("c", [self.TALK], None),
                 labelled("d", [self.ASKS, self.TALK], [0, None])]
        path = self.write("labelled.jsonl", "".join(json.dumps(c) + "\n" for c in calls))
        rules = self.write("own.yaml", RULES.split("  - name: says_it_again")[0])
        out = self.output_of("replay", "--labels", "--evaluate", "--json", "--set",
                             f"rules.path={rules}", path)
        records = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([r for r in records if r["kind"] == "rule" and r["source"] == "all"], [
            {"kind": "rule", "source": "all", "judgement": "undertone", "rule": "wants_supervisor",
             "fired": 3, "right": 1, "wrong": 1, "precision": 0.5}])
        row = next(r for r in records if r["kind"] == "measures" and r["source"] == "all"
                   and r["judgement"] == "undertone")
        self.assertEqual((row["wanted"], row["told_right"], row["told_wrong"]), (1, 1, 1))
        checked = subprocess.run([sys.executable, ROOT / "tools" / "check_evaluation.py"],
                                 input=out, capture_output=True, text=True, timeout=100)
        self.assertEqual(checked.returncode, OK, checked.stdout)
        text = self.output_of("replay", "--labels", "--evaluate", "--set", f"rules.path={rules}",
                              path)
        self.assertIn("rule wants_supervisor: 3 alerts, in 1 calls that want one and in 1 others",
                      text)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
