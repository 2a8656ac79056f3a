#!/usr/bin/env python3
"""Commands as a user types them: what they print, what they refuse, how they exit.

    test_cli.py PATH_TO_UNDERTONE [unittest options]

Expected scores come from golden.jsonl, which PyTorch made; statuses from docs/CONFIGURATION.md.
"""
import gzip
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MODEL = ROOT / "models" / "undertone-minilm-l6"
TINY = ROOT / "tests" / "fixtures" / "tiny-bert-bf16"
PROGRAM = ""

OK, FAILED, USAGE, CONFIG = 0, 1, 64, 78


def run(*arguments, stdin=b"", environment=None, cwd=None):
    """The finished process; undertone's own variables are only those given."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("UNDERTONE_", "CXONE_"))}
    env["UNDERTONE_MODELS"] = str(ROOT / "models")
    env.update(environment or {})
    if isinstance(stdin, str):
        stdin = stdin.encode()
    return subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True,
                          env=env, cwd=cwd, timeout=120)


class Cli(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, content, mode=0o644):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    def expect(self, status, fragment, *arguments, **options):
        """Fails with that status and a message that holds the fragment, and prints no data."""
        done = run(*arguments, **options)
        message = done.stderr.decode()
        self.assertEqual(done.returncode, status, message)
        self.assertIn(fragment, message)
        self.assertTrue(message.startswith("undertone"), message)
        return done

    def lines(self, *arguments, **options):
        done = run(*arguments, **options)
        self.assertEqual(done.returncode, OK, done.stderr.decode())
        self.assertEqual(done.stderr, b"")
        return done.stdout.decode().splitlines()


class Program(Cli):
    def test_help_leads_with_examples(self):
        for arguments in (["--help"], ["-h"], ["score", "--help"], ["tokenize", "-h"],
                          ["replay", "--help"], ["bench", "--help"], ["config", "--help"],
                          ["run", "--help"], ["calls", "-h"], ["alerts", "-h"], ["watch", "-h"]):
            text = "\n".join(self.lines(*arguments))
            self.assertLess(text.index("  undertone" if arguments[0] != "score" else "undertone"),
                            text.index("usage:"), arguments)

    def test_version(self):
        self.assertRegex(self.lines("--version")[0], r"^undertone \d+\.\d+\.\d+$")

    def test_unknown_words_are_suggested_and_status_is_usage(self):
        self.expect(USAGE, "did you mean 'score'?", "socre")
        self.expect(USAGE, "unknown command 'zzzzzzz'", "zzzzzzz")
        self.expect(USAGE, "did you mean --threads?", "score", "--thread5", "2")
        self.expect(USAGE, "unknown option", "score", "-Z")
        self.expect(USAGE, "needs a value", "score", "--model")
        self.expect(USAGE, "takes no value", "score", "--json=yes")
        self.expect(USAGE, "whole number from 1", "score", "--threads", "0")
        self.expect(USAGE, "whole number from 1", "bench", "--threads", "2x")
        self.expect(USAGE, "one file at a time", "score", "a", "b")
        self.expect(USAGE, "name the files", "replay")
        self.assertEqual(run().returncode, USAGE)

    def test_a_full_disk_is_not_success(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "config", "document"], stdout=full,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(b"standard output", done.stderr)


class Score(Cli):
    def golden(self):
        return [json.loads(line) for line in (MODEL / "golden.jsonl").read_text().splitlines()]

    def test_golden_logits(self):
        golden = self.golden()
        answers = [json.loads(line) for line in
                   self.lines("score", "--jsonl", "--long", "truncate", "--json",
                              MODEL / "golden.jsonl")]
        self.assertEqual(len(answers), len(golden))
        for wanted, got in zip(golden, answers):
            self.assertEqual(list(got), ["label", "score", "probabilities", "logits", "tokens"])
            self.assertEqual(got["tokens"], len(wanted["ids"]))
            for a, b in zip(wanted["logits"], got["logits"]):
                self.assertAlmostEqual(a, b, delta=1e-4)
            top = max(range(3), key=lambda i: wanted["logits"][i])
            self.assertEqual(got["label"], ["negative", "neutral", "positive"][top])
            whole = sum(math.exp(x) for x in wanted["logits"])
            p = [math.exp(x) / whole for x in wanted["logits"]]
            self.assertAlmostEqual(got["score"], p[2] + 0.5 * p[1], delta=1e-5)
            self.assertAlmostEqual(got["probabilities"]["negative"], p[0], delta=1e-5)

    def test_token_ids_are_those_of_hugging_face(self):
        ids = [json.loads(line) for line in
               self.lines("tokenize", "--jsonl", MODEL / "golden.jsonl")]
        self.assertEqual(ids, [entry["ids"] for entry in self.golden()])

    def test_threads_and_order(self):
        texts = [entry["text"].replace("\n", " ") or "." for entry in self.golden()][:210]
        stdin = "\n".join(texts) + "\n"
        one = self.lines("score", "-m", TINY, "--json", "--threads", "1", stdin=stdin)
        self.assertEqual(len(one), len(texts))
        for threads in (2, 5):
            self.assertEqual(self.lines("score", "-m", TINY, "--json", "--threads", threads,
                                        stdin=stdin), one)

    def test_plain_lines(self):
        out = self.lines("score", stdin="thank you so much\n\n  \t \nthis is terrible")
        self.assertEqual(len(out), 4)
        label, score, tokens = out[0].split("\t")
        self.assertEqual((label, tokens), ("positive", "6"))
        self.assertRegex(score, r"^0\.\d{4}$")
        self.assertEqual(out[1], "null\tnull\t0")
        self.assertEqual(out[2], "null\tnull\t0")
        self.assertTrue(out[3].startswith("negative\t"))
        self.assertEqual(self.lines("score", stdin=""), [])
        self.assertEqual(json.loads(self.lines("score", "--json", stdin="\n")[0]),
                         {"label": None, "score": None, "probabilities": None, "logits": None,
                          "tokens": 0})

    def test_jsonl_scores_blank_and_multi_line_text(self):
        stdin = '{"text": ""}\n{"text": "a\\nb"}\n{"text": "\\ud800"}\n'
        out = [json.loads(line) for line in self.lines("score", "--jsonl", "--json", stdin=stdin)]
        self.assertEqual(out[0]["tokens"], 2)  # [CLS] and [SEP] alone
        self.assertIsNotNone(out[0]["label"])
        self.assertEqual(out[1]["tokens"], 4)
        self.assertIsNotNone(out[2]["label"])

    def test_clean(self):
        noisy, plain = "[noise] thank  you so much <unk>", "thank you so much"
        cleaned = self.lines("score", "--clean", "--json", stdin=noisy)
        self.assertEqual(cleaned, self.lines("score", "--json", stdin=plain))
        self.assertNotEqual(cleaned, self.lines("score", "--json", stdin=noisy))
        self.assertEqual(self.lines("score", "--clean", stdin="[laughter]\n"), ["null\tnull\t0"])

    def test_long_text(self):
        stdin = "really bad service " * 400 + "\n"
        chunked = json.loads(self.lines("score", "--json", stdin=stdin)[0])
        cut = json.loads(self.lines("score", "--json", "--long", "truncate", stdin=stdin)[0])
        self.assertIsNone(chunked["logits"])
        self.assertGreater(chunked["tokens"], 1200)
        self.assertEqual(cut["tokens"], 512)
        self.assertEqual(len(cut["logits"]), 3)
        self.expect(USAGE, "chunk or truncate", "score", "--long", "cut")

    def test_gzip_and_any_bytes(self):
        packed = self.write("in.gz", gzip.compress(b"thank you so much\n"))
        plain = self.lines("score", stdin="thank you so much")
        self.assertEqual(self.lines("score", packed), plain)
        self.assertEqual(len(self.lines("score", stdin=b"\xff\xfe\x00\x80 bad \xf0\x9f\n\0\n")), 2)
        self.expect(FAILED, "ends too early", "tokenize",
                    self.write("cut.gz", gzip.compress(b"a\n" * 1000)[:-9]))

    def test_a_live_pipe_is_answered_line_by_line(self):
        env = dict(os.environ, UNDERTONE_MODELS=str(ROOT / "models"))
        with subprocess.Popen([PROGRAM, "score"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=env) as process:
            for text in (b"thank you so much\n", b"this is terrible\n"):
                process.stdin.write(text)
                process.stdin.flush()
                self.assertEqual(len(process.stdout.readline().split(b"\t")), 3)
            process.stdin.close()
            self.assertEqual(process.wait(30), OK)

    def test_a_reader_that_leaves_ends_it(self):
        env = dict(os.environ, UNDERTONE_MODELS=str(ROOT / "models"))
        texts = self.write("many.txt", b"hello there \n" * 20000)
        with subprocess.Popen([PROGRAM, "tokenize", texts], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertIn(process.wait(30), (-signal.SIGPIPE, FAILED))

    def test_precisions(self):
        self.expect(USAGE, "--precision 'fp8' is not auto, fp32, int8 or bf16", "score",
                    "--precision", "fp8")
        text = "I am very happy with this.\n"
        for precision in ("auto", "fp32", "int8"):
            line, = self.lines("score", "--precision", precision, stdin=text)
            self.assertEqual(line.split("\t")[0], "positive")


class BadInput(Cli):
    def test_input_files(self):
        self.expect(FAILED, "cannot open /nonexistent: No such file", "score", "/nonexistent")
        self.expect(FAILED, "Is a directory", "score", self.folder)
        html = self.write("page.jsonl", "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n")
        for command in ("score", "tokenize"):
            done = self.expect(FAILED, f"{html}:1: not valid JSON", command, "--jsonl", html)
            self.assertNotIn(b"Sign in", done.stderr)
        self.expect(FAILED, "standard input:2: not an object with a string \"text\"", "score",
                    "--jsonl", stdin='{"text": "a"}\n{"text": 5}\n')
        self.expect(FAILED, "line is longer than", "score", stdin="x" * (1 << 21))

    def test_answers_before_a_bad_line_are_kept(self):
        done = run("score", "--jsonl", stdin='{"text": "a"}\n' * 100 + "oops\n")
        self.assertEqual(done.returncode, FAILED)
        self.assertEqual(len(done.stdout.splitlines()), 100)
        self.assertIn(b"standard input:101: not valid JSON", done.stderr)

    def model(self, **changes):
        """A copy of the small test model with files replaced (bytes) or removed (None)."""
        copy = self.folder / "model"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(TINY, copy)
        for name, content in changes.items():
            path = copy / name.replace("__", ".")
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
        return copy

    def refuse_model(self, fragment, model):
        done = run("score", "--model", model, stdin="hello\n")
        self.assertIn(done.returncode, (FAILED, CONFIG), done.stderr)
        self.assertEqual(done.stdout, b"")
        self.assertIn(fragment, done.stderr.decode())

    def test_models_that_are_not_there(self):
        done = self.expect(CONFIG, "no model 'nope'", "score", "--model", "nope")
        for place in ("./models/nope", "/usr/share/undertone/models/nope", str(ROOT / "models")):
            self.assertIn(place, done.stderr.decode())
        self.refuse_model(str(self.folder / "empty"), self.folder / "empty")

    def test_models_that_are_damaged(self):
        weights = (TINY / "model.safetensors").read_bytes()
        config = json.loads((TINY / "config.json").read_text())
        self.assertEqual(run("score", "--model", self.model(), stdin="hello\n").returncode, OK)
        self.refuse_model("safetensors", self.model(model__safetensors=weights[:len(weights) // 2]))
        self.refuse_model("safetensors", self.model(model__safetensors=weights[:4]))
        self.refuse_model("safetensors", self.model(model__safetensors=b""))
        self.refuse_model("safetensors", self.model(model__safetensors=b"\xff" * 4096))
        self.refuse_model("safetensors", self.model(model__safetensors=None))
        self.refuse_model("config.json", self.model(config__json=b"{"))
        self.refuse_model("config.json", self.model(config__json=b"<html></html>"))
        self.refuse_model("config.json", self.model(config__json=None))
        unknown = dict(config, model_type="gpt2")
        self.refuse_model("gpt2", self.model(config__json=json.dumps(unknown).encode()))
        unnamed = dict(config, id2label={"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"})
        self.refuse_model("LABEL_0", self.model(config__json=json.dumps(unnamed).encode()))
        wide = dict(config, hidden_size=config["hidden_size"] * 2)
        self.refuse_model("", self.model(config__json=json.dumps(wide).encode()))


def segment(text, start, end, call="call-1", direction="customer", **more):
    base = 1_700_000_000_000
    return json.dumps({"interactionId": call, "text": text, "startTime": base + start * 1000,
                       "endTime": base + end * 1000, "direction": direction, "isFinal": True,
                       **more})


FURIOUS = [
    segment("thank you, that is great", 0, 3),
    segment("how can I help you", 3, 4, direction="agent"),
    segment("it is still not here and I am really angry", 10, 14),
    segment("this is terrible, nobody helps me", 16, 19),
    segment("I have been waiting for weeks, this is awful", 22, 26),
    segment("you are useless", 30, 32),
    segment("oh wonderful, thank you so much, it arrived", 60, 65),
    segment("great, thanks", 70, 72),
    segment("lovely, you have been so helpful", 80, 84),
    segment("bye, thanks a lot", 95, 97),
]


class Replay(Cli):
    def replay(self, lines, *arguments):
        path = self.write("calls.jsonl", "\n".join(lines) + "\n")
        return [json.loads(line) for line in self.lines("replay", "--json", *arguments, path)]

    def test_an_angry_call_alerts_and_recovers(self):
        events = self.replay(FURIOUS)
        kinds = [event["kind"] for event in events]
        self.assertEqual(kinds.count("alert"), 1)
        self.assertEqual(kinds.count("recovered"), 1)
        self.assertLess(kinds.index("alert"), kinds.index("recovered"))
        alert = events[kinds.index("alert")]
        self.assertLess(alert["score"], 0.35)
        self.assertIn(alert["path"], ("declining", "sustained_low"))
        self.assertTrue(alert["evidence"])
        self.assertNotIn("text", alert["evidence"][0])
        times = [event["t"] for event in events]
        self.assertEqual(times, sorted(times))
        last = [event for event in events if event["kind"] == "reading"][-1]
        self.assertEqual(last["utterances"], 9)  # the agent's words are not judged

    def test_the_same_file_gives_the_same_decisions_in_any_order(self):
        events = self.replay(FURIOUS)
        self.assertEqual(self.replay(FURIOUS), events)
        self.assertEqual(self.replay(FURIOUS[::-1]), events)

    def test_calls_do_not_disturb_each_other(self):
        other = [line.replace("call-1", "call-2") for line in FURIOUS]
        alone = self.replay(FURIOUS)
        mixed = self.replay([line for pair in zip(FURIOUS, other) for line in pair])
        self.assertEqual([e for e in mixed if e["interaction"] == "call-1"], alone)
        self.assertEqual(len(mixed), 2 * len(alone))

    def test_thresholds_come_from_the_configuration(self):
        calm = ["--set", "alert.threshold=0.0", "--set", "alert.sustained_limit=100"]
        self.assertFalse([e for e in self.replay(FURIOUS, *calm) if e["kind"] == "alert"])
        config = self.write("u.yaml", "alert:\n  threshold: 0.0\n  sustained_limit: 100\n")
        self.assertEqual(self.replay(FURIOUS, "--config", config), self.replay(FURIOUS, *calm))

    def test_partials_and_unknown_speakers_are_not_judged(self):
        lines = [segment("this is terrible", 0, 2, isFinal=False),
                 segment("this is terrible", 3, 5, direction="robot"),
                 segment("[noise]", 6, 7)]
        self.assertEqual(self.replay(lines), [])

    def test_readable_output(self):
        path = self.write("calls.jsonl", "\n".join(FURIOUS) + "\n")
        text = "\n".join(self.lines("replay", "--text", path))
        self.assertIn("call call-1\n", text)
        self.assertIn("ALERT 1", text)
        self.assertIn("recovered from alert 1", text)
        self.assertIn('"this is terrible, nobody helps me"', text)
        self.assertIn("calls: 1, customer utterances judged: 9, alerts: 1", text)
        self.assertNotIn("terrible", "\n".join(self.lines("replay", path)))

    def test_malformed_lines_stop_everything_unless_skipped(self):
        bad = ["oops", "[]", "{}", '"x"', "", FURIOUS[0] + "," + FURIOUS[1],
               segment("x", 0, 1, call=""), segment("x", 0, 1, startTime="soon"),
               segment("x", 0, 1, endTime=1.5), segment("x", 0, 1, isFinal="yes"),
               segment(None, 0, 1)]
        for line in bad:
            path = self.write("calls.jsonl", FURIOUS[0] + "\n" + line + "\n" + FURIOUS[2] + "\n")
            done = self.expect(FAILED, f"{path}:2: ", "replay", path)
            self.assertEqual(done.stdout, b"", line)
            done = run("replay", "--json", "--skip-bad", path)
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assertIn(b"malformed lines passed over: 1", done.stderr)
            self.assertTrue(done.stdout)
        self.expect(FAILED, "cannot open /nonexistent", "replay", "/nonexistent")
        self.expect(CONFIG, "did you mean", "replay", "--config",
                    self.write("u.yaml", "alert.treshold: 1\n"), "x")

    def test_impossible_times_are_reported(self):
        path = self.write("calls.jsonl", json.dumps(
            {"interactionId": "a", "text": "x", "startTime": 0, "endTime": 0,
             "direction": "customer", "isFinal": True}) + "\n" + FURIOUS[0] + "\n")
        done = run("replay", path)
        self.assertEqual(done.returncode, OK)
        self.assertIn(b"1 segments have times that cannot be", done.stderr)


class Config(Cli):
    def test_check(self):
        good = self.write("good.yaml", "alert:\n  threshold: 0.3\n")
        out = self.lines("config", "check", "--config", good)
        self.assertEqual(out[0], f"{good} is valid")
        self.assertIn("CXONE_CLIENT_ID", out[1])
        bad = self.write("bad.yaml", "alert:\n  treshold: 0.3\n")
        self.expect(CONFIG, f"{bad}:2:3: unknown key 'alert.treshold'; did you mean "
                    "'alert.threshold'?", "config", "check", "-c", bad)
        self.expect(CONFIG, "cannot open /nonexistent", "config", "check", "-c", "/nonexistent")
        self.expect(CONFIG, "environment variable UNDERTONE_POLL_IDLE", "config", "check",
                    environment={"UNDERTONE_POLL_IDLE": "2"})
        self.expect(USAGE, "command line: poll.idle", "config", "check", "--set", "poll.idle=2")
        self.expect(USAGE, "check, show or document", "config")
        self.expect(USAGE, "check, show or document", "config", "chekc")

    def test_show_tells_origins_and_hides_secrets(self):
        path = self.write("u.yaml", "alert.threshold: 0.3\n")
        out = "\n".join(self.lines(
            "config", "show", "--origin", "-c", path, "--set", "mode=shadow",
            environment={"CXONE_CLIENT_SECRET": "hunter2", "CXONE_ENV": "eu-1"}))
        self.assertRegex(out, rf"alert\.threshold: 0\.3 +# {path}:1:18\n")
        self.assertRegex(out, r"mode: shadow +# command line\n")
        self.assertRegex(out, r"env: eu-1 +# CXONE_ENV\n")
        self.assertRegex(out, r"alert\.recover: 0\.45 +# default\n")
        self.assertRegex(out, r"auth\.client_secret: \*\*\* +# CXONE_CLIENT_SECRET\n")
        self.assertNotIn("hunter2", out)

    def test_secrets_are_kept_off_the_command_line(self):
        done = self.expect(USAGE, "may not be given on the command line", "config", "show", "--set",
                           "auth.client_secret=hunter2")
        self.assertNotIn(b"hunter2", done.stderr)

    def test_secret_files_must_be_private(self):
        secret = self.write("secret", "s3cr3t\n", 0o600)
        setting = ["--set", f"auth.client_secret_file={secret}"]
        self.assertIn("auth.client_secret: ***", self.lines("config", "show", *setting))
        secret.chmod(0o644)
        done = self.expect(CONFIG, f"chmod 600 {secret}", "config", "show", *setting)
        self.assertNotIn(b"s3cr3t", done.stderr)

    def test_run_without_credentials_says_what_is_missing(self):
        self.expect(CONFIG, "CXONE_CLIENT_ID", "run")
        self.expect(CONFIG, "CXONE_CLIENT_SECRET", "run", environment={"CXONE_CLIENT_ID": "a"})
        self.expect(CONFIG, "CXONE_INTERACTION_ID", "run",
                    environment={"CXONE_CLIENT_ID": "a", "CXONE_CLIENT_SECRET": "b"})

    def test_document_names_every_key_shown(self):
        document = "\n".join(self.lines("config", "document"))
        for line in self.lines("config", "show"):
            self.assertIn("| `" + line.split(":")[0] + "` |", document)


class Bench(Cli):
    def test_figures_have_the_peers_names(self):
        stream = self.write("s.txt", "thank you\nthis is terrible\nok\n" * 4)
        figures = json.loads(self.lines("bench", "--json", "--threads", "2", "--model", TINY,
                                        "--stream", stream)[0])
        for key in ("single", "pad8", "sorted32", "ms8", "ms24", "ms64", "stream", "peak_before",
                    "peak_after", "fraction"):
            self.assertGreater(figures[key], 0, key)
        self.assertLess(figures["fraction"], 3)  # the peak is measured apart: machines are noisy
        self.assertEqual(figures["threads"], 2)

    def test_streams_that_cannot_be_used(self):
        self.expect(FAILED, "holds no utterances", "bench", "--stream", self.write("e.txt", "\n"))
        self.expect(FAILED, "cannot open", "bench", "--stream", "/nonexistent")


class Store(Cli):
    """What is done to the database by hand, and what the daemon says of one it cannot use."""

    def run_settings(self, store):
        secret = self.write("secret", "s", 0o600)
        settings = {
            "profile": "simulator", "api_base": "http://127.0.0.1:9", "auth.client_id": "c",
            "auth.client_secret_file": secret, "http.listen": "", "store.path": store,
        }
        return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]

    def test_a_damaged_database_is_refused_with_the_way_out(self):
        store = self.write("state.db", b"not a database, but long enough to be looked at" * 100)
        done = self.expect(CONFIG, "is damaged", "run", *self.run_settings(store))
        self.assertIn(b"Move it", done.stderr)
        self.assertTrue(store.read_bytes().startswith(b"not a database"))

    def test_a_missing_folder_is_refused(self):
        store = self.folder / "nowhere" / "state.db"
        self.expect(FAILED, "store.key_file", "run", *self.run_settings(store))

    def test_forget_and_backup_need_a_database(self):
        self.expect(CONFIG, "store.path is not set", "forget", "some-call")
        setting = "store.path=" + str(self.folder / "none.db")
        self.expect(FAILED, "no such file", "forget", "--set", setting, "some-call")
        self.expect(FAILED, "no such file", "store", "backup", "--set", setting, "copy.db")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_wrong_usage_says_what_is_missing(self):
        self.expect(USAGE, "name the calls", "forget")
        self.expect(USAGE, "backup FILE", "store")
        self.expect(USAGE, "backup FILE", "store", "restore", "x")

    def test_the_folder_of_the_service_is_the_default_place(self):
        shown = run("config", "show", "--origin", environment={"STATE_DIRECTORY": "/a/b:/c"})
        self.assertEqual(shown.returncode, OK)
        line = next(l for l in shown.stdout.decode().splitlines() if "undertone.db" in l)
        self.assertIn("/a/b/undertone.db", line)
        self.assertIn("STATE_DIRECTORY", line)
        chosen = run("config", "show", "--set", "store.path=",
                     environment={"STATE_DIRECTORY": "/a/b"})
        self.assertNotIn(b"undertone.db", chosen.stdout)


if __name__ == "__main__":
    PROGRAM = str(Path(sys.argv.pop(1)).resolve())
    unittest.main()
