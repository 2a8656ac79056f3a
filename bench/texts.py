"""The texts that all engines are measured on."""

from pathlib import Path

TEXTS = Path(__file__).resolve().parent / "stream.txt"


def default_stream():
    return str(TEXTS)


def read_stream(path):
    return Path(path).read_text(encoding="utf-8").splitlines()
