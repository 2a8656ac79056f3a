#!/usr/bin/env python3
"""undertone replay --compare, as a user types it, on the recordings in tests/e2e/recordings.

    test_replay_compare.py PATH_TO_UNDERTONE [unittest options]

What the tutorial's own code does with a call is proven elsewhere (golden.literal); here it is the
command: that judgements are told apart, counted and refused rightly.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDINGS = ROOT / "tests" / "e2e" / "recordings"
NAMES = ("harper", "abcd", "ms", "cucom")
WRITTEN, REPAIRED, UNDERTONE = "tutorial-literal", "tutorial-literal-repaired", "undertone"
PROGRAM = ""

OK, FAILED, USAGE, CONFIG = 0, 1, 64, 78


def run(*arguments):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("UNDERTONE_", "CXONE_"))}
    env["UNDERTONE_MODELS"] = str(ROOT / "models")
    return subprocess.run([PROGRAM, "replay", *map(str, arguments)], capture_output=True, env=env,
                          timeout=120)


def recorded(name):
    with open(RECORDINGS / f"{name}.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def segment(text, start, end, **more):
    base = 1_765_000_000_000
    return {"interactionId": "call", "text": text, "startTime": base + start * 1000,
            "endTime": base + end * 1000, "direction": "customer", "isFinal": True, **more}


FURY = [segment(text, 8 * i, 8 * i + 4) for i, text in enumerate((
    "thank you, that is great", "wonderful, I am so happy with it", "perfect, thanks a lot",
    "no, this is terrible", "I am really angry now, this is awful", "you are useless",
    "this is the worst service I have ever had", "I hate this, it is a disgrace"))]


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        if not isinstance(content, str):
            content = "".join(json.dumps(line) + "\n" for line in content)
        path.write_text(content, encoding="utf-8")
        return path

    def text(self, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, OK, done.stderr)
        return done.stdout.decode()

    def json(self, *arguments):
        return [json.loads(line) for line in self.text("--json", *arguments).splitlines()]

    def refuse(self, status, fragment, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(fragment, done.stderr.decode())
        self.assertEqual(done.stdout, b"")

    def test_recordings_are_what_the_tool_writes(self):
        subprocess.run([sys.executable, "-B", ROOT / "tools/make_recordings.py", "--out",
                        self.folder, "harper=2", "abcd=1", "ms=2", "cucom=3"], check=True,
                       capture_output=True)
        for name in NAMES:
            self.assertEqual((self.folder / f"{name}.jsonl").read_bytes(),
                             (RECORDINGS / f"{name}.jsonl").read_bytes(), name)

    def test_the_table_counts_what_the_time_lines_show(self):
        files = [RECORDINGS / f"{name}.jsonl" for name in NAMES]
        which = f"--compare={WRITTEN},{REPAIRED},{UNDERTONE}"
        events = self.json(which, *files)
        table = self.json(which, "--summary", *files)
        self.assertEqual([(row["source"], row["judgement"]) for row in table],
                         [(n, j) for n in NAMES for j in (WRITTEN, REPAIRED, UNDERTONE)])
        for row in table:
            lines = recorded(row["source"])
            begins = {}
            for line in lines:
                begin = begins.get(line["interactionId"], line["startTime"])
                begins[line["interactionId"]] = min(begin, line["startTime"])
            alerts = [e for e in events if e["kind"] == "alert" and
                      (e["source"], e["judgement"]) == (row["source"], row["judgement"])]
            first = {}
            for alert in alerts:
                call = alert["interaction"]
                first.setdefault(call, alert["t"] - begins[call])
            self.assertEqual(row["calls"], len(begins))
            self.assertEqual(row["alerts"], len(alerts))
            self.assertEqual(row["alerted"], len(first))
            self.assertAlmostEqual(row["suggestions_per_call"], len(alerts) / len(begins))
            middle = sorted(first.values())[(len(first) - 1) // 2] if first else None
            self.assertEqual(row.get("first_alert_ms"), middle)
            if row["judgement"] != UNDERTONE:
                customer = [line for line in lines if line["direction"] == "customer"]
                self.assertEqual(row["finals"], len(customer))

    def test_labels_as_written_never_alert(self):
        files = [RECORDINGS / f"{name}.jsonl" for name in NAMES]
        events = [e for e in self.json("--compare", *files) if e["judgement"] == WRITTEN]
        self.assertEqual({e["kind"] for e in events}, {"reading"})
        self.assertEqual({e["score"] for e in events}, {0.5})

    def test_both_see_a_fury_and_only_undertone_sees_it_late(self):
        which = f"--compare={REPAIRED},{UNDERTONE}"
        prompt = self.json(which, "--summary", self.write("prompt.jsonl", FURY))
        self.assertEqual([row["alerts"] for row in prompt], [1, 1])
        late = [dict(line, visible=line["endTime"] + 45000) for line in FURY]
        table = self.json(which, "--summary", self.write("late.jsonl", late))
        self.assertEqual([row["alerts"] for row in table], [0, 1])
        self.assertAlmostEqual(table[1]["first_alert_ms"] - prompt[1]["first_alert_ms"], 44300,
                               delta=1000)

    def test_the_source_is_the_member_or_the_file(self):
        lines = FURY + [dict(FURY[0], interactionId="other", source="elsewhere")]
        table = self.json("--compare", "--summary", self.write("fury.jsonl", lines))
        self.assertEqual([row["source"] for row in table],
                         ["fury.jsonl"] * 2 + ["elsewhere"] * 2)

    def test_two_configurations(self):
        deaf = self.write("deaf.yaml", "alert:\n  threshold: 0.0\n  sustained_limit: 100\n")
        path = self.write("fury.jsonl", FURY)
        table = self.json(f"--compare={deaf},{UNDERTONE}", "--summary", path)
        self.assertEqual([(row["judgement"], row["alerts"]) for row in table],
                         [(str(deaf), 0), (UNDERTONE, 1)])
        table = self.json("--config", deaf, f"--compare={REPAIRED},{UNDERTONE}", "--summary", path)
        self.assertEqual([row["alerts"] for row in table], [1, 0])

    def test_readable_output_has_a_column_each_and_no_words(self):
        text = self.text(f"--compare={REPAIRED},{UNDERTONE}", self.write("fury.jsonl", FURY))
        lines = text.splitlines()
        self.assertEqual(lines[0], "call call (fury.jsonl)")
        self.assertEqual(lines[1].split(), [REPAIRED, UNDERTONE])
        column = lines[1].index(UNDERTONE)
        cells = [line[column:] for line in lines[2:] if line.startswith("  0")]
        self.assertEqual(sum(cell.startswith("ALERT") for cell in cells), 1, text)
        self.assertEqual(sum("ALERT" in line[:column] for line in lines), 1, text)
        self.assertIn("never scored", text)
        self.assertNotIn("terrible", text)
        self.assertFalse([line for line in lines if line != line.rstrip()])
        only = self.text(f"--compare={REPAIRED},{UNDERTONE}", "--summary", self.folder /
                         "fury.jsonl")
        self.assertTrue(text.endswith(only))
        self.assertNotIn("call call", only)

    def test_the_filter_decides_what_the_cursor_loses(self):
        lines = [segment("please hold the line", 0, 10, direction="agent"),
                 segment("this is terrible", 8, 12)]
        path = self.write("overlap.jsonl", lines)
        for rule, missed in (("start>", 1), ("start>=", 1), ("end>", 0), ("end>=", 0)):
            row = self.json("--compare", "--summary", "--filter", rule, path)[0]
            self.assertEqual(row["finals_never_scored"], missed, rule)

    def test_misuse(self):
        path = self.write("fury.jsonl", FURY)
        self.refuse(USAGE, "two to 4", "--compare=undertone", path)
        self.refuse(USAGE, "two to 4", "--compare=,undertone", path)
        self.refuse(USAGE, "two to 4", "--compare=undertone,", path)
        self.refuse(USAGE, "two to 4", "--compare=a,b,c,d,e", path)
        self.refuse(USAGE, "--filter takes", "--compare", "--filter", "start", path)
        self.refuse(USAGE, "go with --compare", "--summary", path)
        self.refuse(USAGE, "leave --text out", "--compare", "--text", path)
        self.refuse(CONFIG, "cannot open", f"--compare={UNDERTONE},/nonexistent.yaml", path)
        late = self.write("late.jsonl", [dict(FURY[0], visible="soon")])
        self.refuse(FAILED, f'{late}:1: "visible" is not', "--compare", late)
        named = self.write("named.jsonl", [dict(FURY[0], source=7)])
        self.refuse(FAILED, f'{named}:1: "source" is not', "--compare", named)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
