#!/usr/bin/env python3
"""undertone model info, check and fetch, against a stand-in for a model hub.

    test_model.py PATH_TO_UNDERTONE [unittest options]

The stand-in answers as huggingface.co does: an API that lists files, /resolve/ that answers small
files itself and redirects large ones to a second host, ranges, and a token that only the first host
may see.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
PROGRAM = ""
OK, USAGE, PERMISSION, CONFIG = 0, 64, 77, 78
NAME = "some-org/tiny.distilbert"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_secret"


class Hub:
    """Two servers: the hub itself, and the storage its large files are redirected to."""

    def __init__(self, folder, token=None):
        self.folder, self.token = folder, token
        self.requests = []  # (server, method, path, range, authorization)
        self.cut_after = {}  # file -> bytes after which its transfer breaks, once
        self.spoil = set()  # files whose content is not what their hash says
        self.ranges = True
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                hub.answer(self)

            def do_GET(self):
                hub.answer(self)

        self.servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url, self.storage = (f"http://127.0.0.1:{s.server_port}" for s in self.servers)

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def files(self):
        return sorted(p.name for p in self.folder.iterdir())

    def is_large(self, name):
        return name.endswith((".safetensors", ".bin"))

    def send(self, handler, status, headers, body=b""):
        handler.send_response(status)
        for key, value in headers.items():
            handler.send_header(key, value)
        if "Content-Length" not in headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def answer(self, handler):
        is_hub = handler.server is self.servers[0]
        self.requests.append(("hub" if is_hub else "storage", handler.command, handler.path,
                              handler.headers.get("Range"), handler.headers.get("Authorization")))
        if is_hub and self.token and handler.headers.get("Authorization") != f"Bearer {self.token}":
            return self.send(handler, 401, {}, b"who are you?")
        if handler.path.startswith("/api/models/"):
            match = re.fullmatch(rf"/api/models/{NAME}/revision/(main|v1|{COMMIT})", handler.path)
            if not match:
                return self.send(handler, 404, {}, b"{}")
            body = {"sha": COMMIT, "siblings": [{"rfilename": n} for n in self.files()]}
            return self.send(handler, 200, {"Content-Type": "application/json"},
                             json.dumps(body).encode())
        name = handler.path.rsplit("/", 1)[-1]
        if name not in self.files():
            return self.send(handler, 404, {})
        content = (self.folder / name).read_bytes()
        if is_hub and self.is_large(name):
            return self.send(handler, 302, {
                "Location": f"{self.storage}/stored/{name}",
                "X-Linked-ETag": f'"{hashlib.sha256(content).hexdigest()}"',
                "X-Linked-Size": str(len(content))})
        if is_hub and handler.path.startswith(f"/{NAME}/resolve/"):  # as the hub does: one hop more
            return self.send(handler, 307, {"Location": f"/api/cache/{name}"})
        return self.send_content(handler, name, content)

    def send_content(self, handler, name, content):
        if name in self.spoil:
            content = bytes(len(content))
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range") or "")
        status, body = 200, content
        if wanted and self.ranges:
            start = int(wanted[1])
            status, body = 206, content[start:]
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        cut = self.cut_after.pop(name, None)
        if cut is not None and handler.command == "GET":
            headers["Content-Length"] = str(len(body))
            self.send(handler, status, headers, body[:cut])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(2)
            return None
        return self.send(handler, status, headers, body)


class Model(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.cache = self.folder / "home" / "hub" / "models--some-org--tiny.distilbert"

    def run_program(self, *arguments, **environment):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("UNDERTONE_", "HF_", "XDG_")) and "proxy" not in k.lower()}
        env |= {"HF_HOME": str(self.folder / "home"), "UNDERTONE_MODELS": str(ROOT / "models"),
                "HOME": str(self.folder)} | environment
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, env=env,
                              timeout=120, text=True)

    def serve(self, token=None, source=FIXTURES / "tiny-distilbert"):
        published = self.folder / "published"
        shutil.copytree(source, published)
        (published / "README.md").write_text("not for us")
        (published / "tf_model.h5").write_bytes(b"neither")
        hub = Hub(published, token)
        self.addCleanup(hub.close)
        return hub

    def fetch(self, hub, *more, status=OK, name=NAME, **environment):
        done = self.run_program("model", "fetch", name, *more, HF_ENDPOINT=hub.url, **environment)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    # --- info and check ---

    def test_info_describes_the_default_model(self):
        done = self.run_program("model", "info")
        self.assertEqual(done.returncode, OK, done.stderr)
        for part in ("bert: 6 layers, hidden 384, 12 heads", "negative (0), neutral (0.5)",
                     "30522 tokens", "stored as   float16", "MiB of packed weights"):
            self.assertIn(part, done.stdout)
        weights = ROOT / "models/undertone-minilm-l6/model.safetensors"
        self.assertIn(hashlib.sha256(weights.read_bytes()).hexdigest(), done.stdout)

    def test_info_as_json_says_the_same(self):
        done = self.run_program("model", "info", "--json", FIXTURES / "tiny-roberta-bin")
        self.assertEqual(done.returncode, OK, done.stderr)
        facts = json.loads(done.stdout)
        self.assertEqual(facts["family"], "roberta")
        self.assertEqual((facts["layers"], facts["hidden"], facts["text_tokens_max"]), (2, 64, 512))
        self.assertEqual([l["polarity"] for l in facts["labels"]], [0, 0.5, 1])
        self.assertEqual({f["name"] for f in facts["files"]},
                         {"config.json", "vocab.json", "merges.txt", "pytorch_model.bin"})

    def test_check_passes_the_default_model_and_names_what_is_wrong_with_others(self):
        done = self.run_program("model", "check")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn("is usable", done.stdout)
        # random weights: everything fits but the self-test
        done = self.run_program("model", "check", FIXTURES / "tiny-distilbert")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("ok  they fit together", done.stdout)
        self.assertIn("plainly", done.stderr)
        done = self.run_program("model", "check", FIXTURES / "variants")
        self.assertNotEqual(done.returncode, OK)
        self.assertIn("config.json", done.stderr)

    def test_numbered_labels_are_refused_with_the_way_out_and_pass_with_it(self):
        model = self.folder / "model"
        shutil.copytree(ROOT / "models" / "undertone-minilm-l6", model)
        config = json.loads((model / "config.json").read_text())
        config["id2label"] = {str(i): f"LABEL_{i}" for i in range(3)}
        (model / "config.json").write_text(json.dumps(config))
        done = self.run_program("model", "check", model)
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("model.yaml", done.stderr)
        labels = "labels: {LABEL_0: negative, LABEL_1: neutral, LABEL_2: positive}\n"
        (model / "model.yaml").write_text(labels)
        done = self.run_program("model", "check", model)
        self.assertEqual(done.returncode, OK, done.stderr)
        (model / "model.yaml").write_text(labels.replace("negative", "x").replace("positive", "y"))
        done = self.run_program("model", "check", model)
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("model.yaml:1:19:", done.stderr)
        swapped = "labels: {LABEL_2: negative, LABEL_1: neutral, LABEL_0: positive}\n"
        (model / "model.yaml").write_text(swapped)
        done = self.run_program("model", "check", model)
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("calls a plainly negative sentence", done.stderr)
        (model / "model.yaml").write_text(swapped + "language: tlh\n")
        self.assertEqual(self.run_program("model", "check", model).returncode, OK)

    # --- fetch ---

    def test_a_fetched_model_lies_in_the_standard_cache_and_is_found_by_name(self):
        hub = self.serve()
        done = self.fetch(hub)
        snapshot = self.cache / "snapshots" / COMMIT
        self.assertEqual(done.stdout.strip(), str(snapshot))
        self.assertEqual((self.cache / "refs" / "main").read_text(), COMMIT)
        weights = snapshot / "model.safetensors"
        content = (hub.folder / "model.safetensors").read_bytes()
        self.assertEqual(weights.read_bytes(), content)
        self.assertEqual(os.readlink(weights), f"../../blobs/{hashlib.sha256(content).hexdigest()}")
        names = {p.name for p in snapshot.iterdir()}
        self.assertEqual(names, {"config.json", "tokenizer.json", "tokenizer_config.json",
                                 "special_tokens_map.json", "vocab.txt", "model.safetensors"})
        self.assertFalse(list(self.cache.glob("blobs/*.incomplete")))
        hub.close()  # from here on without a network
        for name in (NAME, f"{NAME}@main", f"{NAME}@{COMMIT}"):
            done = self.run_program("model", "info", name)
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assertIn("distilbert", done.stdout)

    def test_what_is_there_is_not_fetched_again(self):
        hub = self.serve()
        self.fetch(hub)
        hub.requests.clear()
        self.fetch(hub, "--revision", "v1")
        self.assertFalse([r for r in hub.requests if r[1] == "GET" and "/api/models" not in r[2]])
        self.assertEqual((self.cache / "refs" / "v1").read_text(), COMMIT)

    def test_an_interrupted_transfer_is_resumed(self):
        hub = self.serve()
        hub.cut_after["model.safetensors"] = 100000
        self.fetch(hub)
        ranges = [r[3] for r in hub.requests if r[0] == "storage" and r[1] == "GET"]
        self.assertEqual(ranges[0], None)
        self.assertTrue(any(r and 0 < int(r[6:-1]) <= 100000 for r in ranges[1:]), ranges)
        self.assertEqual((self.cache / "snapshots" / COMMIT / "model.safetensors").read_bytes(),
                         (hub.folder / "model.safetensors").read_bytes())

    def test_an_earlier_runs_rest_is_resumed_even_where_ranges_are_refused(self):
        hub = self.serve()
        content = (hub.folder / "model.safetensors").read_bytes()
        blobs = self.cache / "blobs"
        blobs.mkdir(parents=True)
        rest = blobs / f"{hashlib.sha256(content).hexdigest()}.incomplete"
        for ranges, begun in ((True, content[:5000]), (False, content[:5000])):
            shutil.rmtree(self.cache / "snapshots", ignore_errors=True)
            for blob in blobs.iterdir():
                blob.unlink()
            rest.write_bytes(begun)
            hub.ranges = ranges
            hub.requests.clear()
            self.fetch(hub)
            self.assertIn("bytes=5000-", [r[3] for r in hub.requests])
            weights = self.cache / "snapshots" / COMMIT / "model.safetensors"
            self.assertEqual(weights.read_bytes(), content)

    def test_a_file_that_is_not_what_was_announced_is_thrown_away(self):
        hub = self.serve()
        hub.spoil.add("model.safetensors")
        done = self.fetch(hub, status=CONFIG)
        self.assertIn("SHA-256", done.stderr)
        self.assertFalse(list(self.cache.glob("blobs/*.incomplete")))
        self.assertFalse((self.cache / "refs" / "main").exists())

    def test_the_token_stays_with_the_hub(self):
        hub = self.serve(token=TOKEN)
        done = self.fetch(hub, status=PERMISSION)
        self.assertIn("HF_TOKEN", done.stderr)
        hub.requests.clear()
        done = self.fetch(hub, HF_TOKEN=TOKEN)
        self.assertNotIn(TOKEN, done.stdout + done.stderr)
        seen = {r[0]: set() for r in hub.requests}
        for request in hub.requests:
            seen[request[0]].add(request[4])
        self.assertEqual(seen, {"hub": {f"Bearer {TOKEN}"}, "storage": {None}})

    def test_a_token_file_is_read_and_plain_http_to_others_refused(self):
        hub = self.serve(token=TOKEN)
        (self.folder / "home").mkdir()
        (self.folder / "home" / "token").write_text(TOKEN + "\n")
        self.fetch(hub)
        done = self.run_program("model", "fetch", NAME, HF_ENDPOINT="http://hub.example",
                                HF_TOKEN=TOKEN)
        self.assertEqual(done.returncode, CONFIG, done.stderr)
        self.assertIn("HF_ENDPOINT", done.stderr)

    def test_sharded_and_pickled_models_are_fetched_whole(self):
        hub = self.serve(source=FIXTURES / "tiny-bert")
        self.fetch(hub)
        names = {p.name for p in (self.cache / "snapshots" / COMMIT).iterdir()}
        self.assertEqual(len([n for n in names if n.endswith(".safetensors")]), 4)
        self.assertEqual(self.run_program("model", "info", NAME).returncode, OK)

    def test_mistakes_say_what_to_do(self):
        hub = self.serve()
        done = self.fetch(hub, name="some-org/unknown", status=CONFIG)
        self.assertIn("no such model", done.stderr)
        done = self.fetch(hub, "--revision", "v9", status=CONFIG)
        for name in ("../../etc", "a/b/c", "-x", "a@../b", ""):
            done = self.run_program("model", "fetch", "--", name, HF_ENDPOINT=hub.url)
            self.assertEqual(done.returncode, USAGE, (name, done.stderr))
        done = self.run_program("score", "-m", "some-org/unknown")
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn("undertone model fetch some-org/unknown", done.stderr)
        (hub.folder / "model.safetensors").unlink()
        self.fetch(hub, status=CONFIG)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
