# SPDX-License-Identifier: Apache-2.0
"""summary.py counts single tests, whatever happens to the program that holds them."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.environ.get("GATEHOUSE_SOURCE_ROOT", os.path.join(os.path.dirname(__file__), "..", ".."))
CMOCKA = """[==========] tests: Running 4 test(s).
[ RUN      ] first
[       OK ] first
[ RUN      ] second
[  ERROR   ] --- 0x1 != 0x2
[   LINE   ] --- ../tests/x/test_x.c:7: error: Failure!
[  FAILED  ] second
[ RUN      ] third
skip: no shared data
[  SKIPPED ] third
[ RUN      ] fourth
[       OK ] fourth
[==========] tests: 4 test(s) run.
[  PASSED  ] 2 test(s).
[  SKIPPED ] tests: 1 test(s), listed below:
[  SKIPPED ] third
[  FAILED  ] tests: 1 test(s), listed below:
[  FAILED  ] second

 1 FAILED TEST(S)
"""
UNITTEST = """test_a (__main__.Case.test_a) ... ok
test_b (__main__.Case.test_b)
In words. ... ok
test_c (__main__.Case.test_c) ... words of the test itself
ok
test_d (__main__.Case.test_d) ... skipped 'no openssl'
test_e (__main__.Case.test_e) ... FAIL
test_f (__main__.Case.test_f) ... ERROR

----------------------------------------------------------------------
Ran 6 tests in 0.501s

FAILED (failures=1, errors=1, skipped=1)
"""


def entry(result, stdout="", stderr="", status=0):
    return {"name": "gatehouse:x / x/y", "result": result, "returncode": status, "stdout": stdout, "stderr": stderr}


class Summary(unittest.TestCase):
    def summary(self, entries, meson=0):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log.json")
            if entries is not None:
                with open(log, "w", encoding="utf-8") as out:
                    out.writelines(json.dumps(e) + "\n" for e in entries)
            run = subprocess.run([sys.executable, os.path.join(ROOT, "tests/tools/summary.py"), log, str(meson)],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        lines = run.stdout.splitlines()
        return lines[-1], run.returncode, lines[:-1]

    def test_cmocka(self):
        last, status, told = self.summary([entry("FAIL", CMOCKA, status=1)], 1)
        self.assertEqual((last, status), ("2 passed, 1 failed, 1 skipped", 1))
        self.assertEqual(told, ["skipped: gatehouse:x / x/y: third", "  reason: no shared data"])

    def test_cmocka_on_both_streams(self):
        """cmocka writes to standard output or error, as it was built."""
        self.assertEqual(self.summary([entry("FAIL", "", CMOCKA, 1)], 1)[0], "2 passed, 1 failed, 1 skipped")

    def test_cmocka_of_debian(self):
        """1.1.7 names no group in its counts."""
        text = CMOCKA.replace("tests: ", "")
        self.assertEqual(self.summary([entry("FAIL", "", text, 1)], 1)[0], "2 passed, 1 failed, 1 skipped")

    def test_cmocka_fixture_that_fails(self):
        text = "[ RUN      ] one\n[  ERROR   ] one\n"
        self.assertEqual(self.summary([entry("FAIL", text, status=1)], 1)[0], "0 passed, 1 failed, 0 skipped")

    def test_unittest(self):
        last, status, told = self.summary([entry("FAIL", "", UNITTEST, 1)], 1)
        self.assertEqual((last, status), ("3 passed, 2 failed, 1 skipped", 1))
        self.assertEqual(told, ["skipped: gatehouse:x / x/y: __main__.Case.test_d: 'no openssl'"])

    def test_unittest_all_well(self):
        text = "test_a (__main__.C.test_a) ... ok\n\n---\nRan 1 test in 0.001s\n\nOK\n"
        self.assertEqual(self.summary([entry("OK", "", text)])[:2], ("1 passed, 0 failed, 0 skipped", 0))

    def test_unittest_class_skipped(self):
        text = "setUpClass (__main__.C) ... skipped 'no gnutls-cli'\n\n---\nRan 0 tests in 0.000s\n\nOK (skipped=1)\n"
        last, status, told = self.summary([entry("OK", "", text)])
        self.assertEqual((last, status), ("0 passed, 0 failed, 1 skipped", 0))
        self.assertIn("no gnutls-cli", told[0])

    def test_real_unittest(self):
        """What the unittest of this machine prints is what summary.py reads."""
        code = ("import unittest\n"
                "class C(unittest.TestCase):\n"
                "    def test_a(self): pass\n"
                "    def test_b(self): 'doc'; self.fail()\n"
                "    def test_c(self): self.skipTest('why not')\n"
                "    def test_d(self): raise OSError\n"
                "    def test_e(self): print('noise')\n"
                "unittest.main(verbosity=2)\n")
        run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             check=False)
        last, _, told = self.summary([entry("FAIL", run.stdout, run.stderr, run.returncode)], 1)
        self.assertEqual(last, "2 passed, 2 failed, 1 skipped")
        self.assertIn("why not", told[0])

    def test_crash(self):
        """The tests before it count; the crash is one failure, beside those that were told."""
        text = "[ RUN      ] one\n[       OK ] one\n[ RUN      ] two\n"
        self.assertEqual(self.summary([entry("FAIL", text, status=-11)], 1)[0], "1 passed, 1 failed, 0 skipped")
        text = "[ RUN      ] one\n[  FAILED  ] one\n[ RUN      ] two\n"
        self.assertEqual(self.summary([entry("FAIL", text, status=-6)], 1)[0], "0 passed, 2 failed, 0 skipped")

    def test_sanitizer_after_the_last_test(self):
        """A leak is told at the exit, when every test has passed."""
        text = "[ RUN      ] one\n[       OK ] one\n"
        self.assertEqual(self.summary([entry("FAIL", text, "LeakSanitizer", 23)], 1)[0],
                         "1 passed, 1 failed, 0 skipped")

    def test_timeout(self):
        text = "[ RUN      ] one\n[       OK ] one\n[ RUN      ] two\n"
        self.assertEqual(self.summary([entry("TIMEOUT", text, status=-15)], 1)[:2],
                         ("1 passed, 1 failed, 0 skipped", 1))

    def test_program_that_is_one_test(self):
        entries = [entry("OK"), entry("FAIL", status=1), entry("SKIP", "skip: no nginx\n", status=77)]
        last, status, told = self.summary(entries, 1)
        self.assertEqual((last, status), ("1 passed, 1 failed, 1 skipped", 1))
        self.assertIn("  reason: no nginx", told)

    def test_meson_fails(self):
        """All tests are well and yet Meson is not; or there is no log at all."""
        self.assertEqual(self.summary([entry("OK")], 1)[:2], ("1 passed, 1 failed, 0 skipped", 1))
        self.assertEqual(self.summary(None, 1)[:2], ("0 passed, 1 failed, 0 skipped", 1))

    def test_nothing_ran(self):
        self.assertEqual(self.summary([])[:2], ("0 passed, 1 failed, 0 skipped", 1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
