"""Reads what the checker compares: the simulator's ledger, the daemon's log, the score table."""

import collections
import datetime
import gzip
import hashlib
import json


class Utterance:
    """One utterance of a call, in all its final forms."""

    def __init__(self, speaker, start):
        self.speaker = speaker
        self.start = start
        self.forms = {}  # version -> its utterance line
        self.served = []  # versions in the order they were first served
        self.served_t = {}  # version -> when that was
        self.masked = False  # spoken while the call was masked
        self.masked_known = False  # and the reader had been told by then

    def first(self):
        return self.forms[self.served[0]]

    def last(self):
        return self.forms[self.served[-1]]


class Call:
    def __init__(self, name):
        self.name = name
        self.utterances = {}  # n -> Utterance
        self.arrivals = []  # customer utterances in the order they were first served
        self.last_served_t = None  # when a customer form was last served for the first time
        self.patches = []  # (t, attributes)
        self.suggestions = []  # (t, idempotency key, repeat)
        self.ended_t = None
        self.language = ""
        self.masks = {}  # vendor ms since when it was masked -> when that was first listed, or None

    def is_judged(self):
        """The default model knows English; a call of which nothing is said is taken for that."""
        return self.language.split("-")[0].lower() in ("", "en")

    def mask_listed_t(self, end):
        """When the masking in which something ended was first listed; None for never."""
        begun = [since for since in self.masks if since <= end]
        return self.masks[max(begun)] if begun else None


# A reader that was told of a masking less than this before cannot be blamed.
TOLD_MS = 250


class Ledger:
    """Everything the simulator wrote down. Times called t are real, in epoch milliseconds."""

    def __init__(self):
        self.calls = {}
        self.start = None
        self.exit = None
        self.statuses = collections.Counter()  # (kind, status) -> requests
        self.reasons = collections.Counter()  # why of rejected requests
        self.disorder = collections.Counter()  # what was made difficult, by name
        self.request_times = []
        self.first_served_t = None
        self.last_t = 0
        self.broken_lines = 0

    def call(self, name):
        if name not in self.calls:
            self.calls[name] = Call(name)
        return self.calls[name]

    def vendor_ms(self, t):
        """The vendor clock at a real time."""
        return self.start["vendor_ms"] + (t - self.start["t"]) * self.speed()

    def speed(self):
        return float(self.start.get("options", {}).get("speed", 1) or 1)

    def add(self, line):
        self.last_t = max(self.last_t, line["t"])
        handler = getattr(self, "_add_" + line["kind"], None)
        if handler:
            handler(line)

    def _add_start(self, line):
        self.start = line

    def _add_exit(self, line):
        self.exit = line

    def _add_call_started(self, line):
        self.disorder["transferred"] += line.get("continues") is not None
        self.call(line["call"]).language = line.get("language", "")

    def _add_call_state(self, line):
        """A change of state. One to "ended" is a break: the call comes back."""
        self.disorder["break" if line["state"] == "ended" else line["state"]] += 1
        if line["state"] == "masked":
            self.call(line["call"]).masks.setdefault(line["since"])

    def _add_action(self, line):
        self.disorder[line["do"]] += 1

    def _add_utterance(self, line):
        utterances = self.call(line["call"]).utterances
        if line["n"] not in utterances:
            utterances[line["n"]] = Utterance(line["speaker"], line["start"])
            self.disorder["late"] += bool(line.get("late"))
            self.disorder["displaced"] += bool(line.get("displaced"))
        utterance = utterances[line["n"]]
        utterance.forms[line["version"]] = line
        utterance.masked = bool(line.get("masked"))

    def _add_served(self, line):
        self._request("served", line)
        if self.first_served_t is None:
            self.first_served_t = line["t"]
        call = self.call(line["call"])
        for _, flaw in line.get("flawed", ()):
            self.disorder[flaw] += 1
        for n, version in line["finals"]:
            utterance = call.utterances[n]
            if utterance.speaker != "customer" or version in utterance.served:
                continue
            if not utterance.served:
                call.arrivals.append(utterance)
                told_t = call.mask_listed_t(utterance.forms[version]["end"])
                told = told_t is not None and line["t"] - told_t >= TOLD_MS
                utterance.masked_known = utterance.masked and told
            utterance.served.append(version)
            utterance.served_t[version] = line["t"]
            call.last_served_t = line["t"]

    def _add_attributes(self, line):
        self._request("attributes", line)
        self._note_answer(line)
        self.call(line["call"]).patches.append((line["t"], line["attributes"]))

    def _add_suggestion(self, line):
        self._request("suggestion", line)
        self._note_answer(line)
        told = (line["t"], line.get("idempotency_key"), bool(line.get("repeat")))
        self.call(line["call"]).suggestions.append(told)

    def _add_token(self, line):
        self.statuses["token", line["status"]] += 1  # never counted against quotas
        self._note_answer(line)

    def _add_active(self, line):
        self._request("active", line)
        for name, state, since in line.get("states", ()):
            if state == "masked":
                call = self.call(name)
                call.masks[since] = call.masks.get(since) or line["t"]

    def _note_answer(self, line):
        """What became of the answer to something that was carried out."""
        if "answer" in line:
            self.disorder["spoiled " + line["kind"]] += 1

    def _add_rejected(self, line):
        self._request("rejected", line)
        self.reasons[line.get("why")] += 1

    def _add_call_ended(self, line):
        self.call(line["call"]).ended_t = line["t"]

    def _request(self, kind, line):
        self.statuses[kind, line.get("status", 200)] += 1
        self.request_times.append(line["t"])


def read_ledger(path):
    """A cut-off last line (a killed simulator) is counted; any other broken line raises."""
    ledger = Ledger()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            try:
                parsed = json.loads(line)
            except ValueError:
                if line.endswith("\n"):
                    raise
                ledger.broken_lines += 1
                continue
            ledger.add(parsed)
    if ledger.start is None:
        raise ValueError(f"{path}: no start line: not a ledger of undertone-sim")
    return ledger


class DaemonLog:
    def __init__(self):
        self.events = collections.Counter()
        self.levels = collections.Counter()
        self.scored = collections.Counter()  # (utterance hash, revision)
        self.unscorable = collections.Counter()
        self.not_judged = collections.Counter()
        self.alerts = collections.Counter()  # interaction hash
        self.started_ms = None
        self.foreign_lines = 0
        self.words = set()  # every string that was logged, whatever its member

    def add(self, line):
        event = line.get("event")
        self.words.update(value for value in line.values() if isinstance(value, str))
        self.events[event] += 1
        self.levels[line.get("level")] += 1
        if event == "utterance_scored":
            self.scored[line["utterance"], line["revision"]] += 1
        elif event == "utterance_unscorable":
            self.unscorable[line["utterance"], line["revision"]] += 1
        elif event == "utterance_not_judged":
            self.not_judged[line["utterance"], line["revision"]] += 1
        elif event == "alert_opened":
            self.alerts[line.get("interaction")] += 1
        elif event == "started" and self.started_ms is None:
            self.started_ms = timestamp_ms(line["ts"])


def timestamp_ms(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def read_logs(paths):
    """One daemon's log, or those of its consecutive runs. Lines that are not JSON (a crash report
    of a sanitizer, say) are counted."""
    log = DaemonLog()
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    log.add(json.loads(line))
                except (ValueError, AttributeError):
                    log.foreign_lines += 1
                    log.words.add(line)
    return log


class ScoreTable:
    """PyTorch's score of every text the simulator can serve (tools/make_score_table.py)."""

    def __init__(self, scores):
        self.scores = scores

    def lookup(self, text):
        """The score, or None where nothing is left after cleaning; KeyError for a foreign text."""
        return self.scores[text_digest(text)]


def text_digest(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def read_scores(path):
    scores = {}
    with gzip.open(path, "rt", encoding="ascii") as lines:
        for line in lines:
            digest, _, score = line.rstrip("\n").partition("\t")
            scores[digest] = None if score == "-" else float(score)
    return ScoreTable(scores)


def interaction_hash(key, interaction):
    """How undertone's log names a call."""
    return hashlib.blake2b(interaction.encode("utf-8"), key=key, digest_size=16).hexdigest()


def utterance_hash(key, interaction, start, ordinal):
    """How undertone's log names a customer utterance."""
    name = f"{interaction}\ncustomer\n{start}\n{ordinal}"
    return hashlib.blake2b(name.encode("utf-8"), key=key, digest_size=16).hexdigest()
