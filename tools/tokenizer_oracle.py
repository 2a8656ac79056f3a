#!/usr/bin/env python3
"""Asks Hugging Face's tokenizers library what our BERT tokenizer must answer.

    tokenizer_oracle.py exceptions > src/nlp/bert_normalizer_table.h
    tokenizer_oracle.py sweep MODEL_DIR > tests/golden/tokenizers/bert_sweep.txt
    tokenizer_oracle.py random MODEL_DIR > random.jsonl    (kept gzip-compressed)
    tokenizer_oracle.py cased MODEL_DIR > cased.jsonl      (the same with lower case off)
    tokenizer_oracle.py added tests/golden/tokenizers/added   (a small tokenizer and its answers)

Needs the PyPI package tokenizers, and for "exceptions" the utf8proc shared library of the version
that undertone links. Not needed to build or test undertone: its answers are committed.
"""
import ctypes
import gzip
import json
import random
import struct
import sys
import unicodedata

import tokenizers
from tokenizers import Tokenizer, normalizers, pre_tokenizers

SURROGATES = range(0xD800, 0xE000)
CODE_POINTS = [c for c in range(0x110000) if c not in SURROGATES]
BERT = normalizers.BertNormalizer


def only(**switch):
    flags = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    flags.update(switch)
    return BERT(**flags).normalize_str


CLEAN, STRIP, LOWER = only(clean_text=True), only(strip_accents=True), only(lowercase=True)
NFD = normalizers.NFD().normalize_str
SPLIT = pre_tokenizers.BertPreTokenizer().pre_tokenize_str


class Utf8proc:
    """The parts of utf8proc that src/base/unicode.c uses."""

    CATEGORIES = ("Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So "
                  "Zs Zl Zp Cc Cf Cs Co").split()
    DECOMPOSE = 1 << 4

    class Property(ctypes.Structure):
        _fields_ = [("category", ctypes.c_int16), ("combining_class", ctypes.c_int16)]

    def __init__(self):
        self.library = ctypes.CDLL("libutf8proc.so.2")
        self.library.utf8proc_get_property.restype = ctypes.POINTER(self.Property)
        self.library.utf8proc_tolower.restype = ctypes.c_int32
        self.library.utf8proc_version.restype = ctypes.c_char_p
        self.version = self.library.utf8proc_version().decode()

    def category(self, c):
        return self.CATEGORIES[self.library.utf8proc_category(c)]

    def combining_class(self, c):
        return self.library.utf8proc_get_property(c).contents.combining_class

    def lower(self, c):
        return "i\u0307" if c == 0x130 else chr(self.library.utf8proc_tolower(c))

    def decompose(self, c):
        out, boundary = (ctypes.c_int32 * 4)(), ctypes.c_int(0)
        count = self.library.utf8proc_decompose_char(c, out, 4, self.DECOMPOSE,
                                                     ctypes.byref(boundary))
        return "".join(map(chr, out[:count]))


def class_of_library(c):
    """What the library does with a code point: the classes of bert_normalizer.h."""
    char = chr(c)
    pieces = len(SPLIT("a" + char + "b"))
    if CLEAN(char) == "":
        return "CONTROL_SPACE" if pieces == 2 else "CONTROL"
    if pieces == 2:
        return "SPACE"
    if pieces == 3:
        return "PUNCTUATION"
    return "MARK" if NFD(char) == char and STRIP(char) == "" else "WORD"


def class_of_utf8proc(u, c):
    """The same by src/nlp/bert_normalizer.c's rules without the exceptions."""
    category = u.category(c)
    if c in (0x0B, 0x0C, 0x85):
        return "CONTROL_SPACE"
    if c in (9, 10, 13) or category in ("Zs", "Zl", "Zp"):
        return "SPACE"
    if c in (0, 0xFFFD) or category in ("Cc", "Cf", "Co"):
        return "CONTROL"
    if category[0] == "P" or 0x21 <= c <= 0x7E and not chr(c).isalnum():
        return "PUNCTUATION"
    return "MARK" if category == "Mn" and u.decompose(c) == chr(c) else "WORD"


def reorders(c):
    """Whether the library's NFD moves the code point past marks: its combining class is not 0.
    U+0345 has the largest class, 240, and U+0334 the smallest, 1."""
    char = chr(c)
    high, low = "\u0345", "\u0334"
    return NFD(high + char) != high + NFD(char) or NFD(char + low) != NFD(char) + low


def ranges(values):
    """[(first, last, key)] of neighbouring code points with equal keys, from {code point: key}."""
    out = []
    for c in sorted(values):
        if out and out[-1][1] == c - 1 and out[-1][2] == values[c]:
            out[-1][1] = c
        else:
            out.append([c, c, values[c]])
    return out


def write_exceptions():
    u = Utf8proc()
    classes, lower = {}, {}
    for c in CODE_POINTS:
        char = chr(c)
        starter = False
        decomposition = u.decompose(c)
        if decomposition != NFD(char):
            if NFD(char) != char:
                sys.exit("U+%04X: the library decomposes what utf8proc does not" % c)
            starter = True
        elif decomposition == char and (u.combining_class(c) != 0) != reorders(c):
            if u.combining_class(c) == 0:
                sys.exit("U+%04X: the library reorders what utf8proc does not" % c)
            starter = True
        ours, theirs = class_of_utf8proc(u, c), class_of_library(c)
        if ours != theirs or starter:
            classes[c] = (theirs, starter)
        if LOWER(char) != u.lower(c):
            if len(LOWER(char)) != 1:
                sys.exit("U+%04X: a lower case of several code points" % c)
            lower[c] = ord(LOWER(char)) - c
    print("/* Generated by tools/tokenizer_oracle.py exceptions: do not edit. "
          "Where tokenizers %s and" % tokenizers.__version__)
    print(" * utf8proc %s differ: %d code points in class or reordering, %d in lower case. */"
          % (u.version, len(classes), len(lower)))
    print("/* clang-format off */")
    print("static const struct exception exceptions[] = {")
    for first, last, (name, starter) in ranges(classes):
        print("    {0x%04X, 0x%04X, BERT_CLASS_%s, %s}," %
              (first, last, name, str(starter).lower()))
    print("};\n\nstatic const struct lower_exception lower_exceptions[] = {")
    for first, last, delta in ranges(lower):
        print("    {0x%04X, 0x%04X, %d}," % (first, last, delta))
    print("};\n/* clang-format on */")


FNV_OFFSET, FNV_PRIME, MASK64 = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
END_OF_ITEM = 0xFFFFFFFF


def fnv1a(data):
    value = FNV_OFFSET
    for byte in data:
        value = ((value ^ byte) * FNV_PRIME) & MASK64
    return value


def hash_items(items):
    """One hash of many lists of 32-bit numbers."""
    out = bytearray()
    for numbers in items:
        out += struct.pack("<%dI" % (len(numbers) + 1), *numbers, END_OF_ITEM)
    return fnv1a(out)


def open_tokenizer(directory, **normalizer):
    tokenizer = Tokenizer.from_file(directory + "/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if normalizer:
        tokenizer.normalizer = BERT(**normalizer)
    return tokenizer


BLOCK = 4096
CONTEXTS = ("a%sb", "%s", "%sword", "e\u0301%s\u0323x")


def write_sweep(directory):
    """Per block of code points: hashes of the ids in each context, then of the normalized text."""
    tokenizer = open_tokenizer(directory)
    normalizers_swept = (
        tokenizer.normalizer,
        BERT(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False),
        BERT(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False))
    print("# tokenizers %s; first code point, hashes of ids in %d contexts, of normalized text by "
          "%d normalizers" % (tokenizers.__version__, len(CONTEXTS), len(normalizers_swept)))
    for first in range(0, 0x110000, BLOCK):
        chars = [chr(c) for c in range(first, first + BLOCK) if c not in SURROGATES]
        hashes = []
        for context in CONTEXTS:
            texts = [context % char for char in chars]
            encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
            hashes.append(hash_items(e.ids for e in encoded))
        for normalizer in normalizers_swept:
            texts = [normalizer.normalize_str(CONTEXTS[3] % char) for char in chars]
            hashes.append(hash_items([ord(c) for c in text] for text in texts))
        print("%06X %s" % (first, " ".join("%016x" % h for h in hashes)))


def random_texts(vocabulary, count, seed):
    """Strings that provoke every stage: vocabulary pieces, marks in any order, spaces and controls,
    special tokens, every script, words around the 100-character limit."""
    rng = random.Random(seed)
    marks = [c for c in CODE_POINTS if unicodedata.category(chr(c))[0] == "M"]
    decomposable = [c for c in CODE_POINTS if unicodedata.decomposition(chr(c))]
    punctuation = [c for c in CODE_POINTS if unicodedata.category(chr(c))[0] in "PS"]
    spaces = [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x20, 0x85, 0xA0, 0x1680, 0x2003, 0x200B, 0x200D,
              0x2028, 0x202F, 0x3000, 0xAD, 0xFEFF, 0, 0xFFFD, 0xE000]
    pieces = [piece.removeprefix("##") for piece in vocabulary]
    sources = (
        lambda: rng.choice(pieces),
        lambda: rng.choice(pieces).upper(),
        lambda: rng.choice(pieces) + rng.choice(pieces),
        lambda: chr(rng.choice(CODE_POINTS)),
        lambda: chr(rng.randrange(0x3000) if rng.random() < 0.9
                    else rng.randrange(0x10000, 0x20000)),
        lambda: "".join(chr(rng.choice(marks)) for _ in range(rng.randrange(1, 5))),
        lambda: chr(rng.choice(decomposable)),
        lambda: chr(rng.choice(punctuation)),
        lambda: chr(rng.choice(spaces)),
        lambda: " ",
        lambda: chr(rng.randrange(0x3400, 0x9FFF)),
        lambda: chr(rng.randrange(0xAC00, 0xD7A4)),
        lambda: rng.choice(["[SEP]", "[CLS]", "[MASK]", "[PAD]", "[UNK]", "[sep]", "[SEP",
                            "##ing"]),
        lambda: rng.choice("abcxyz\u00e0\u00e9\u00df") *
                rng.choice([1, 3, 98, 99, 100, 101, 102, 150]),
    )
    weights = [8, 2, 3, 3, 3, 3, 2, 3, 3, 12, 2, 1, 1, 0.3]
    for _ in range(count):
        picks = rng.choices(sources, weights, k=rng.randrange(1, 24))
        text = "".join(pick() for pick in picks)
        yield "".join(c for c in text if ord(c) not in SURROGATES)


def write_random(directory, count, seed, **normalizer):
    tokenizer = open_tokenizer(directory, **normalizer)
    for text in random_texts(sorted(tokenizer.get_vocab()), count, seed):
        print(json.dumps({"text": text, "ids": tokenizer.encode(text).ids}, separators=(",", ":")))


def build_added():
    """A small model with one added token of every kind, some of them beginning alike."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    vocabulary = special + letters + ["##" + c for c in letters] + list("<>[]|.,-0123") + ["\u4e2d"]
    tokenizer = Tokenizer(tokenizers.models.WordPiece(
        {token: i for i, token in enumerate(vocabulary)}, unk_token="[UNK]",
        max_input_chars_per_word=20))
    tokenizer.normalizer = BERT()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    token = tokenizers.AddedToken
    tokenizer.add_special_tokens([token(name, normalized=False) for name in special])
    tokenizer.add_special_tokens([
        token("<x>"), token("<x><y>"), token("foo", single_word=True, normalized=False),
        token("<l>", lstrip=True), token("<r>", rstrip=True),
        token("<b>", lstrip=True, rstrip=True, single_word=True),
        token("Sp\u00e9", normalized=True)])
    tokenizer.add_tokens([
        token("Bar"), token("barn door"), token("B\u00e1z", single_word=True), token("q.q"),
        token("\u4e2d\u4e2d"), token("raw", normalized=False), token("BAZ-9", single_word=True)])
    return tokenizer


def write_added(directory, count, seed):
    tokenizer = build_added()
    tokenizer.save(directory + "/tokenizer.json")
    rng = random.Random(seed)
    parts = ["<x>", "<y>", "<x><y>", "<x", "foo", "Foo", "foofoo", "<l>", "<r>", "<b>", "Sp\xe9",
             "spe", "SPE\u0301", "Bar", "BAR", "b\u0301ar", "barn door", "Barn  door", "barn",
             " door", "baz", "B\xc1Z", "BAZ-9", "baz-9", "-", "9", "_", "q.q", "Q.Q", "q", ".",
             "\u4e2d", "\u4e2d\u4e2d", "raw", "Raw", "[SEP]", "[sep]", "[", " ", "  ", "\t",
             "\xa0", "\u200d", "\x0b", "\u0301", "\u302e\u1b44", "\xe9", "a", "word",
             "abcdefghijklmnopqrs", "\u2460", "\u24b6", "\u0660"]
    lines = []
    for _ in range(count):
        text = "".join(rng.choice(parts) for _ in range(rng.randrange(1, 14)))
        lines.append(json.dumps({"text": text, "ids": tokenizer.encode(text).ids},
                                separators=(",", ":")) + "\n")
    with open(directory + "/expected.jsonl.gz", "wb") as out:
        out.write(gzip.compress("".join(lines).encode(), mtime=0))


def main():
    command, arguments = sys.argv[1:2], sys.argv[2:]
    if command == ["exceptions"] and not arguments:
        write_exceptions()
    elif command == ["sweep"] and len(arguments) == 1:
        write_sweep(*arguments)
    elif command == ["random"] and len(arguments) == 1:
        write_random(*arguments, count=2000, seed=20250101)
    elif command == ["cased"] and len(arguments) == 1:
        write_random(*arguments, count=500, seed=20250102, clean_text=True,
                     handle_chinese_chars=True, strip_accents=False, lowercase=False)
    elif command == ["added"] and len(arguments) == 1:
        write_added(*arguments, count=1500, seed=20250103)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
