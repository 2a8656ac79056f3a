#!/usr/bin/env python3
"""Tests of the source checks (tools/check_*.py): each must see what it is there to see."""

import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import check_commits  # noqa: E402
import check_from_tutorial  # noqa: E402
import check_rooms  # noqa: E402
import check_style  # noqa: E402
import check_symbols  # noqa: E402

CMAKE = """
undertone_room(base LIBRARIES ut::zlib)
undertone_room(net USES base LIBRARIES ut::uv)
undertone_room(mood USES base)
undertone_room(nlp USES base)
undertone_room(app USES base net
               mood nlp LIBRARIES m EXCLUDE src/commands/main.c)
"""


class Rooms(unittest.TestCase):
    def problems(self, path, *headers):
        text = "".join(f"#include {h}\n" for h in headers)
        return check_rooms.check_file(path, text, check_rooms.read_rooms(CMAKE))

    def test_reads_the_arrows(self):
        rooms = check_rooms.read_rooms(CMAKE)
        self.assertEqual(rooms["net"], {"net", "base"})
        self.assertEqual(rooms["app"], {"app", "base", "net", "mood", "nlp"})

    def test_along_the_arrow(self):
        self.assertEqual(self.problems("src/net/a.c", '"base/buf.h"', '"net/a.h"', "<uv.h>"), [])

    def test_against_the_arrow(self):
        found = self.problems("src/mood/a.c", '"base/buf.h"', '"net/loop.h"')
        self.assertEqual(len(found), 1)
        self.assertIn("src/mood/a.c:2: ", found[0])

    def test_include_without_a_room(self):
        self.assertEqual(len(self.problems("src/net/a.c", '"a.h"')), 1)

    def test_library_outside_its_place(self):
        self.assertEqual(len(self.problems("src/app/a.c", "<curl/curl.h>")), 1)
        self.assertEqual(len(self.problems("src/net/loop.c", "<curl/curl.h>")), 1)
        self.assertEqual(self.problems("src/net/http_client.c", "<curl/curl.h>"), [])
        self.assertEqual(len(self.problems("src/nlp/encoder.c", "<immintrin.h>")), 1)
        self.assertEqual(self.problems("src/nlp/kernels/x86_math.h", "<immintrin.h>"), [])

    def test_library_in_a_shared_header(self):
        self.assertEqual(len(self.problems("src/net/loop.h", "<uv.h>")), 1)
        self.assertEqual(self.problems("src/net/loop_internal.h", "<uv.h>"), [])

    def test_private_header_of_another_room(self):
        self.assertEqual(len(self.problems("src/app/a.c", '"net/loop_internal.h"')), 1)

    def test_pure_room(self):
        for header in ("<stdio.h>", "<time.h>", "<pthread.h>", "<sys/time.h>", '"base/log.h"'):
            self.assertEqual(len(self.problems("src/mood/a.c", header)), 1, header)
        self.assertEqual(self.problems("src/mood/a.c", "<string.h>"), [])


class Symbols(unittest.TestCase):
    def test_file_family_or_room(self):
        path = "src/net/http_client.c"
        for symbol in ("http_client_send", "http_reply", "net_http_send", "__odr_asan_gen_x"):
            self.assertIsNone(check_symbols.check_symbol(path, symbol))
        for symbol in ("send_request", "httpclient", "client_send"):
            self.assertIsNotNone(check_symbols.check_symbol(path, symbol))

    def test_folder_inside_a_room(self):
        path = "src/nlp/kernels/x86_avx2.c"
        self.assertIsNone(check_symbols.check_symbol(path, "kernels_avx2"))

    def test_reads_a_line_of_nm(self):
        match = check_symbols.LINE.search("build/libut_base.a:buf.c.o:0000000000000000 T buf_init")
        self.assertEqual((match["object"], match["symbol"]), ("buf", "buf_init"))


class Style(unittest.TestCase):
    def rules(self, text, path="src/x/a.c"):
        return [p.split(": ", 1)[1] for p in check_style.check_file(path, text)]

    def test_clean_file(self):
        self.assertEqual(self.rules("/* a. */\nint a;\n"), [])

    def test_each_rule(self):
        for text in (
            "int a;\n",
            "/* a. */\n" + "x" * 101 + "\n",
            "/* a. */\n\tint a;\n",
            "/* a. */\nint a; \n",
            "/* a. */\nint a;",
            "/* \u00e9 */\n",
            "/* TO" + "DO: more */\n",
            "/* a. */\nvoid f(void)\n{\n" + "    g();\n" * 69 + "}\n",
            "/* a. */\n" + "int a;\n" * 1000,
            "/* a. */\nint f(char *s)\n{\n    return atoi(s);\n}\n",
            "/* a. */\nvoid f(char *s)\n{\n    strcpy (s, s);\n}\n",
        ):
            self.assertEqual(len(self.rules(text)), 1, text[:60])

    def test_longest_function_allowed(self):
        self.assertEqual(self.rules("/* a. */\nint f(void)\n{\n" + "    g();\n" * 68 + "}\n"), [])

    def test_banned_words_in_text_and_longer_names(self):
        text = '/* not strcpy(). */\nconst char *a = "strcpy(x)";\nint my_atoi(int);\n'
        self.assertEqual(self.rules(text), [])


class Commits(unittest.TestCase):
    def test_good(self):
        for message in ("mood: keep a late word", "net, cxone: say why\n\nBecause.\n",
                        "sim: TLS by default", "build: C11 everywhere",
                        "nlp: WordPiece ids"):
            self.assertIsNone(check_commits.check_message(message), message)

    def test_bad(self):
        for message in ("keep a late word", "mood: keep.", "mood: Keep it", "mood:keep",
                        "mood: " + "k" * 60, "mood: keep\nBecause.\n", "Mood: keep", ""):
            self.assertIsNotNone(check_commits.check_message(message), message)


class FromTutorial(unittest.TestCase):
    def problems(self, *names):
        row = "| a | b | c | " + " ".join(f"`{name}`" for name in names) + " |"
        return [message for _, message in check_from_tutorial.check("text\n" + row + "\n")]

    def test_tests_that_exist(self):
        self.assertEqual(self.problems(
            "unit.mood.literal/test_every_comparison_is_strict", "golden.literal", "e2e.live",
            "e2e.replay_compare/test_misuse"), [])

    def test_tests_that_do_not(self):
        for name in ("unit.mood.literal/test_nothing", "unit.mood.literal/main", "golden.nothing",
                     "unit.literal", "e2e.nothing", "e2e.live/test_it", "e2e.cli/misuse"):
            self.assertEqual(len(self.problems(name)), 1, name)

    def test_row_without_a_test(self):
        self.assertEqual(len(self.problems("a.yaml")), 1)


if __name__ == "__main__":
    unittest.main()
