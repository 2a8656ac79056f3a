#!/usr/bin/env python3
"""undertone replay over labelled calls, and over calls in vendors' shapes.

    test_evaluate.py PATH_TO_UNDERTONE [unittest options]

The measures are recomputed by tools/check_evaluation.py; here it is the command: what is read, what
is refused, and that the measures are those of these calls.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ""

OK, FAILED, USAGE, CONFIG = 0, 1, 64, 78


def run(*arguments):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("UNDERTONE_", "CXONE_"))}
    env["UNDERTONE_MODELS"] = str(ROOT / "models")
    return subprocess.run([PROGRAM, "replay", *map(str, arguments)], capture_output=True, env=env,
                          timeout=200)


def call(name, source, turns, alert=None, recovered=None, supervisor=False):
    """Turns are (text, mood) of the customer, to each of which the agent answers."""
    out = []
    for text, mood in turns:
        out.append({"i": len(out), "role": "customer", "text": text, "mood": mood})
        out.append({"i": len(out), "role": "agent", "text": "one moment please"})
    return {"call": name, "source": source, "turns": out, "alert": alert, "recovered": recovered,
            "supervisor": supervisor}


ANGRY = [("this is the worst service I have ever had", -2), ("you are useless, I hate this", -2),
         ("this is terrible, I am really angry", -2), ("it is a disgrace, awful", -2)]
CALM = [("hello", 0), ("my order number is four five six", 0), ("yes that is right", 0),
        ("thank you so much, that is wonderful", 1)]
CALLS = [
    call("a", "one", ANGRY, alert=[2, 4], supervisor=[True, True]),
    call("b", "one", CALM),
    call("c", "two", ANGRY + CALM[-1:] * 3, alert=2, recovered=8),
    call("d", "two", CALM + CALM),
]


class Evaluate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.labelled = self.folder / "labelled.jsonl"
        self.labelled.write_text("".join(json.dumps(c) + "\n" for c in CALLS), encoding="utf-8")

    def records(self, *arguments):
        done = run("--json", *arguments)
        self.assertEqual(done.returncode, OK, done.stderr)
        return [json.loads(line) for line in done.stdout.decode().splitlines()], done.stdout

    def refuse(self, status, fragment, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(fragment, done.stderr.decode())

    def test_measures_are_those_of_the_calls(self):
        records, raw = self.records("--labels", "--evaluate", self.labelled)
        rows = {(r["source"], r["judgement"]): r for r in records if r["kind"] == "measures"}
        self.assertEqual({j for _, j in rows},
                         {"undertone", "tutorial-literal", "tutorial-literal-repaired"})
        row = rows["all", "undertone"]
        self.assertEqual((row["calls"], row["wanted"], row["told_right"], row["told_wrong"]),
                         (4, 2, 2, 0))
        self.assertEqual(row["f1"], 1)
        self.assertEqual(rows["all", "tutorial-literal"]["told_right"], 0)
        self.assertEqual(rows["one", "undertone"]["calls"], 2)
        self.assert_recomputed(raw)

    def assert_recomputed(self, raw):
        checked = subprocess.run([sys.executable, ROOT / "tools" / "check_evaluation.py"],
                                 input=raw, capture_output=True, timeout=100)
        self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_a_call_whose_readers_disagree_counts_nowhere(self):
        disputed = call("e", "two", ANGRY, alert=[2, None])
        with self.labelled.open("a", encoding="utf-8") as file:
            file.write(json.dumps(disputed) + "\n")
        records, raw = self.records("--labels", "--evaluate", self.labelled)
        row = next(r for r in records if r["kind"] == "measures" and r["source"] == "all")
        self.assertEqual((row["calls"], row["told_right"], row["turns"]),
                         (4, 2, sum(len(c["turns"]) for c in CALLS) // 2))
        self.assert_recomputed(raw)

    def test_a_turn_is_where_the_readers_put_it(self):
        records, _ = self.records("--labels", "--evaluate", self.labelled)
        told = next(r for r in records
                    if r["kind"] == "call" and r["judgement"] == "undertone"
                    and r["interaction"] == "a")
        self.assertEqual((told["turn"], told["turns_off"]), (2, 0))  # readers said turns 1 and 2
        turns = [r for r in records if r["kind"] == "turn" and r["judgement"] == "undertone"]
        self.assertEqual(len(turns), sum(len(c["turns"]) for c in CALLS) // 2)

    def test_a_sweep_recommends_and_plots(self):
        plot = self.folder / "pr.svg"
        records, _ = self.records("--labels", "--sweep", "alert.sustained_limit=0.5:4:0.5",
                                  "--plot", plot, self.labelled)
        self.assertEqual([r["value"] for r in records], [0.5 * i for i in range(1, 9)])
        self.assertEqual(sum(r["recommended"] for r in records), 1)
        circles = xml.etree.ElementTree.parse(plot).iter("{http://www.w3.org/2000/svg}circle")
        self.assertGreaterEqual(len(list(circles)), 1)

    def test_labels_that_are_none_are_refused_with_their_place(self):
        self.labelled.write_text(json.dumps(CALLS[0]) + "\n{}\n", encoding="utf-8")
        self.refuse(FAILED, "labelled.jsonl:2: ", "--labels", "--evaluate", self.labelled)

    def test_what_goes_together(self):
        self.refuse(USAGE, "--labels", "--evaluate", self.labelled)
        self.refuse(USAGE, "--sweep", "--labels", "--plot", "x.svg", self.labelled)
        self.refuse(USAGE, "--sweep", "--labels", "--sweep", "alert.threshold=1", self.labelled)
        self.refuse(USAGE, "--from", "--from", "genesys", self.labelled)


class Vendors(unittest.TestCase):
    """In the shapes of Amazon's and Azure's published samples."""

    def judged(self, form, document):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            done = run("--from", form, "--json", file.name)
        self.assertEqual(done.returncode, OK, done.stderr)
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def assert_alert(self, records, first_end_ms):
        self.assertIn("alert", [r["kind"] for r in records])
        self.assertEqual(records[0]["as_of"] % 3600000 - 1765000000000 % 3600000, first_end_ms)

    def test_contact_lens(self):
        turns = [{"ParticipantId": "CUSTOMER", "Content": text, "BeginOffsetMillis": 8000 * i,
                  "EndOffsetMillis": 8000 * i + 4000} for i, (text, _) in enumerate(ANGRY)]
        records = self.judged("contact-lens", {
            "Transcript": turns, "CustomerMetadata": {"ContactId": "c-1"}})
        self.assertEqual(records[0]["interaction"], "c-1")
        self.assert_alert(records, 4000)

    def test_post_call_analytics(self):
        turns = [{"SegmentSpeaker": "spk_1", "DisplayText": text, "SegmentStartTime": 8.0 * i,
                  "SegmentEndTime": 8.0 * i + 4.5} for i, (text, _) in enumerate(ANGRY)]
        agent = {"SegmentSpeaker": "spk_0", "DisplayText": "awful", "SegmentStartTime": 0,
                 "SegmentEndTime": 1.0}
        records = self.judged("contact-lens", {
            "ConversationAnalytics": {"SpeakerLabels": [
                {"Speaker": "spk_0", "DisplayText": "Agent"},
                {"Speaker": "spk_1", "DisplayText": "Customer"}]},
            "SpeechSegments": [agent, *turns]})
        self.assert_alert(records, 4500)

    def test_azure_without_times(self):
        turns = [{"participantId": "Customer", "text": text} for text, _ in ANGRY]
        records = self.judged("azure", {"analysisInput": {"conversations": [
            {"id": "z", "conversationItems": turns}]}})
        self.assertEqual(records[0]["interaction"], "z")
        self.assert_alert(records, len(ANGRY[0][0].split()) * 400)

    def test_another_document_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write("{}")
            file.flush()
            for form in ("contact-lens", "azure"):
                done = run("--from", form, file.name)
                self.assertEqual(done.returncode, FAILED)
                self.assertIn(file.name.encode(), done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
