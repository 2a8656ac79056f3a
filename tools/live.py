"""Runs undertone-sim and undertone side by side, for the tests, the demonstration and campaigns."""

import gzip
import json
import os
import re
import secrets
import signal
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

SECRET = "demo-secret"  # the simulator's public defaults, for loopback only
KEY_SECRET = "demo-key-secret"
ADDRESS = re.compile(r"(https?)://((?:127\.0\.0\.1|localhost):\d+)")


class Failure(Exception):
    """Something did not start or stop as it should; the message says what and where to look."""


def clean_environment():
    """Ours without what would configure the programs behind the run's back."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("CXONE_", "UNDERTONE_"))
        and name.lower() not in ("http_proxy", "https_proxy", "all_proxy")
    }


def write_private(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def yaml_of(settings):
    """Dotted keys as nested YAML. Every value is written in JSON, which is YAML."""
    tree = {}
    for key, value in settings.items():
        node = tree
        *parents, last = key.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value

    def lines(node, indent):
        for key, value in node.items():
            if isinstance(value, dict):
                yield f"{indent}{key}:"
                yield from lines(value, indent + "  ")
            else:
                yield f"{indent}{key}: {json.dumps(value)}"

    return "\n".join(lines(tree, "")) + "\n"


def write_conversation(folder, turns):
    """Data for the simulator (--data FOLDER --sources cucom=1) that holds this one conversation:
    pairs of who, "user" or "agent", and what is said, at 150 words a minute."""
    source = os.path.join(folder, "cucom-ecommerce-synthetic")
    os.makedirs(source, exist_ok=True)
    told = [{"role": role, "content": text} for role, text in turns]
    with gzip.open(os.path.join(source, "conversations.jsonl.gz"), "wt") as file:
        file.write(json.dumps({"id": "scripted", "turns": told}) + "\n")
    return folder


class Process:
    """A child process; what it cost is known when it has ended."""

    def __init__(self, command, cpu=None, **pipes):
        """`cpu`: the only core it may run on."""
        if cpu is not None:
            command = ["taskset", "-c", str(cpu)] + command
        self.command = command
        self.began = time.monotonic()
        self.usage = None
        self.wall_s = None
        self.status = None  # exit status, or minus the signal
        self.child = subprocess.Popen(
            command,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: we stop them in order
            **pipes,
        )

    def running(self):
        return self.wait(0) is None

    def wait(self, timeout_s):
        """The exit status, or None if it still runs."""
        deadline = time.monotonic() + timeout_s
        while self.status is None:
            pid, raw, usage = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                self.usage = usage
                self.wall_s = time.monotonic() - self.began
                self.status = os.waitstatus_to_exitcode(raw)
                self.child.returncode = self.status
            elif time.monotonic() >= deadline:
                break
            else:
                time.sleep(0.05)
        return self.status

    def stop(self, timeout_s):
        """Asks it to end; kills it if it does not. Returns the exit status."""
        if self.running():
            os.kill(self.child.pid, signal.SIGTERM)
        if self.wait(timeout_s) is None:
            os.kill(self.child.pid, signal.SIGKILL)
            self.wait(10)
        return self.status

    def kill(self):
        """As a crash would end it."""
        os.kill(self.child.pid, signal.SIGKILL)
        self.wait(10)

    def cost(self):
        """CPU seconds, share of one core, most memory in MiB."""
        cpu_s = self.usage.ru_utime + self.usage.ru_stime
        return {
            "cpu_s": round(cpu_s, 2),
            "cpu_share": round(cpu_s / self.wall_s, 4),
            "rss_max_mib": round(self.usage.ru_maxrss / 1024, 1),
            "wall_s": round(self.wall_s, 2),
        }


class Simulator(Process):
    """undertone-sim on a free port of this machine."""

    def __init__(self, program, folder, arguments, tls=False, cpu=None):
        self.ledger = os.path.join(folder, "ledger.jsonl")
        self.ca = os.path.join(folder, "tls", "ca.pem") if tls else None
        self.output = []
        self.address_known = threading.Event()
        self.scheme = self.address = None
        command = [program, "--port", "0", "--ledger", self.ledger, "--print-env"]
        command += ["--data", os.path.join(ROOT, "sim/data")]
        if tls:
            os.makedirs(os.path.dirname(self.ca), mode=0o700, exist_ok=True)
            command += ["--tls", os.path.dirname(self.ca)]
        super().__init__(
            command + arguments, cpu,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            self.output.append(line.rstrip("\n"))
            found = ADDRESS.search(line)
            if found and not self.address:
                self.scheme = found.group(1)
                self.address = found.group(2).replace("localhost", "127.0.0.1")
                self.address_known.set()
        self.address_known.set()

    def await_ready(self, timeout_s=30):
        """Its base URL."""
        self.address_known.wait(timeout_s)
        if not self.address:
            tail = "\n".join(self.output[-10:])
            raise Failure(f"{self.command[0]} named no address to talk to:\n{tail}")
        return f"{self.scheme}://{self.address}"


class Daemon(Process):
    """undertone run, with its log in a file."""

    def __init__(self, program, folder, base_url, ca=None, settings=None, run=None, cpu=None):
        """`run` numbers consecutive runs over one store: each has a log of its own, and they share
        the key of its hashes."""
        self.folder = folder
        name = "undertone.log" if run is None else f"undertone.{run}.log"
        self.log = os.path.join(folder, name)
        self.hash_key = os.path.join(folder, "hash.key")
        secret, config = os.path.join(folder, "client.secret"), os.path.join(folder, "config.yaml")
        if not run:
            write_private(self.hash_key, secrets.token_hex(32) + "\n")
        write_private(secret, SECRET + "\n")
        values = {
            "profile": "simulator",
            "api_base": base_url,
            "auth.client_id": "demo-client",
            "auth.client_secret_file": secret,
            "model.dir": os.path.join(ROOT, "models/undertone-minilm-l6"),
            "discover.mode": "active_contacts",
            "discover.interval": "2s",
            "attr.count_key": "sentiment_utterances",
            "attr.min_delta": 0,
            "http.listen": "127.0.0.1:0",
            "log.level": "debug",
            "log.hash_key_file": self.hash_key,
        }
        if ca:
            values["tls.ca_file"] = ca
        values.update(settings or {})
        self.settings = values
        write_private(config, yaml_of(values))
        with open(self.log, "wb") as log:
            super().__init__([program, "run", "--config", config], cpu, stdout=log, stderr=log)

    def key(self):
        with open(self.hash_key, encoding="ascii") as file:
            return bytes.fromhex(file.read().strip())

    def log_lines(self, offset=0):
        """Its whole log lines from a byte offset on, and the offset of what follows them. Lines
        that are not JSON are left out."""
        with open(self.log, "rb") as file:
            file.seek(offset)
            text = file.read()
        text = text[: text.rfind(b"\n") + 1]
        parsed = []
        for line in text.splitlines():
            try:
                parsed.append(json.loads(line))
            except ValueError:
                continue
        return [line for line in parsed if isinstance(line, dict)], offset + len(text)

    def log_tail(self, count=15):
        with open(self.log, encoding="utf-8", errors="replace") as lines:
            return "".join(lines.readlines()[-count:])

    def await_started(self, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while not any(line.get("event") == "started" for line in self.log_lines()[0]):
            if not self.running():
                raise Failure(f"undertone ended with {self.status}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise Failure(f"undertone did not start within {timeout_s} s:\n{self.log_tail()}")
            time.sleep(0.1)


def real_settings(folder, base_url):
    """For a simulator that speaks the real platform's shapes: its profile, and what only the user
    can know. The count that the checker wants to see goes with the score and the trend."""
    secret = os.path.join(folder, "key.secret")
    write_private(secret, KEY_SECRET + "\n")
    return {
        "profile": "cxone-real",
        "api_base": "",
        "discovery.issuer": base_url,
        "auth.access_key_id": "demo-key",
        "auth.access_key_secret_file": secret,
        "ep.attributes": "POST {base}/incontactapi/services/v30.0/interactions/{id}/signal"
                         "?p1=sentiment&p2={1}&p3={2}&p4={3}",
    }


STOP_S = 30  # a program that is told to stop has this long


def run_pair(simulator, start_daemon, seconds=None, each_second=lambda daemon: None):
    """Runs a daemon against a simulator that has just been started, for a time or until one of
    them ends; then stops the daemon, so that it can deliver what it owes, and the simulator.
    start_daemon(base URL) makes the daemon; returns it, both ended."""
    daemon = None
    try:
        daemon = start_daemon(simulator.await_ready())
        daemon.await_started()
        deadline = simulator.began + seconds if seconds else float("inf")
        while time.monotonic() < deadline and simulator.wait(1) is None:
            if not daemon.running():
                raise Failure(f"undertone ended with {daemon.status}:\n{daemon.log_tail()}")
            each_second(daemon)
        if daemon.stop(STOP_S) != 0 or simulator.stop(STOP_S) != 0:
            raise Failure(
                f"undertone ended with {daemon.status}, undertone-sim with {simulator.status}:\n"
                + daemon.log_tail()
            )
    finally:
        if daemon:
            daemon.stop(10)
        simulator.stop(10)
    return daemon
