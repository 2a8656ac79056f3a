#!/usr/bin/env python3
"""Compares our token ids with Hugging Face's tokenizers library on random strings.

    tokenizer_fuzz.py TOKEN_IDS MODEL_DIR [--count 1000000] [--seed 1]

TOKEN_IDS is the program built from tests/fuzz/token_ids.c; MODEL_DIR holds tokenizer.json, or
vocab.json and merges.txt. Prints the first differences, and exits with 1 if there are any. Also
measures both on the same strings, on one thread each. Needs the PyPI package tokenizers.
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from subword_oracle import open_model, random_subword_texts  # noqa: E402

BATCH = 100000


def pack(texts):
    encoded = [text.encode() for text in texts]
    return b"".join(struct.pack("<I", len(text)) + text for text in encoded)


def our_ids(program, directory, texts):
    done = subprocess.run([program, directory], input=pack(texts), stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit("tokenizer_fuzz: %s ended with %d" % (program, done.returncode))
    numbers = struct.unpack("<%dI" % (len(done.stdout) // 4), done.stdout)
    at = 0
    for _ in texts:
        count = numbers[at]
        yield list(numbers[at + 1:at + 1 + count])
        at += 1 + count


def report_speed(program, directory, tokenizer, texts):
    size = sum(len(text.encode()) for text in texts)
    start = time.process_time()
    for text in texts:
        tokenizer.encode(text, add_special_tokens=False)
    one = time.process_time() - start
    start = time.process_time()
    tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    batch = time.process_time() - start
    done = subprocess.run([program, directory, "5"], input=pack(texts), stdout=subprocess.PIPE,
                          check=True)
    bytes_done, _, seconds = done.stdout.split()
    ours = float(seconds) * size / int(bytes_done)
    print("speed: library %.2f MB/s (batch %.2f), ours %.2f MB/s: %.1f and %.1f times" %
          (size / one / 1e6, size / batch / 1e6, size / ours / 1e6, one / ours, batch / ours))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("directory")
    parser.add_argument("--count", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", help="JSONL with \"text\": measure the speed on these")
    options = parser.parse_args()
    tokenizer = open_model(options.directory)
    differences = done = 0
    while done < options.count:
        count = min(BATCH, options.count - done)
        texts = list(random_subword_texts(tokenizer, count, "%d/%d" % (options.seed, done)))
        theirs = tokenizer.encode_batch(texts, add_special_tokens=False)
        for text, expected, ids in zip(texts, theirs, our_ids(options.program, options.directory,
                                                              texts)):
            if expected.ids != ids:
                differences += 1
                if differences <= 5:
                    print(json.dumps({"text": text, "library": expected.ids, "ours": ids}))
        done += count
    print("%d strings, %d differences" % (done, differences))
    if options.texts:
        with open(options.texts, encoding="utf-8") as lines:
            texts = [json.loads(line)["text"] for line in lines]
        report_speed(options.program, options.directory, tokenizer, texts)
    sys.exit(differences > 0)


if __name__ == "__main__":
    main()
