#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Count single tests in a Meson test log and end in one line: N passed, N failed, N skipped.

summary.py LOG MESON_STATUS. Programs are cmocka's, unittest's, or one test each. A crash, a timeout
and a failure of Meson itself count as failed; so does a log without a test."""
import json
import re
import sys

# What cmocka says of one test; "[  ERROR   ] --- text" is only the words of a failed assertion.
CMOCKA = re.compile(r"^\[ *(OK|FAILED|SKIPPED|ERROR) *\] (?!---|.*\d+ test\(s\))(\S+)", re.M)
UNITTEST_SKIP = re.compile(r"^(\w+) \(([\w.]+)\)(?:\n[^\n]*)? \.\.\. .*?skipped(?: (.*))?$", re.M)
UNITTEST_END = re.compile(r"^Ran (\d+) tests? in [^\n]*\n+(?:OK|FAILED|NO TESTS RAN)(?: \(([^)]*)\))?$", re.M)
REASON = re.compile(r"^skip: (.*)$", re.M)
BROKEN = ("TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS")


def cmocka(text):
    """(passed, names of the failed, names of the skipped); those listed again at the end count once."""
    told = CMOCKA.findall(text)
    failed = {name for state, name in told if state in ("FAILED", "ERROR")}
    skips = dict.fromkeys(name for state, name in told if state == "SKIPPED")
    return sum(state == "OK" for state, _ in told), failed, list(skips)


def unittest(text):
    """The same by unittest's last lines, which nothing that a test prints can tear apart."""
    passed, failed, skipped = 0, 0, 0
    for ran, rest in UNITTEST_END.findall(text):
        told = {k: int(v) for k, v in re.findall(r"(\w[\w ]*)=(\d+)", rest)}
        bad = sum(told.get(k, 0) for k in ("failures", "errors", "unexpected successes"))
        skip = told.get("skipped", 0)
        passed += max(0, int(ran) - bad - skip)
        failed += bad
        skipped += skip
    named = [f"{place}: {why or ''}".strip() for _, place, why in UNITTEST_SKIP.findall(text)]
    return passed, failed, (named + ["?"] * skipped)[:skipped]


def count(entry):
    """(passed, failed, what was skipped, reasons) of one test program."""
    text = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
    passed, failed, skips = cmocka(text)
    more_passed, more_failed, more_skips = unittest(text)
    passed, lost, skips = passed + more_passed, len(failed) + more_failed, skips + more_skips
    result = entry["result"]
    if result in BROKEN or (entry.get("returncode") or 0) < 0 or (result == "FAIL" and not lost):
        lost += 1  # a crash or a timeout: the tests after it did not run
    if result == "SKIP" and not skips:
        skips.append(entry["name"])
    if result == "OK" and not passed and not skips:
        passed = 1  # a program that is one test
    return passed, lost, skips, list(dict.fromkeys(REASON.findall(text)))


def read(log):
    try:
        with open(log, encoding="utf-8", errors="replace") as lines:
            return [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []


def main():
    passed, failed, skipped = 0, 0, 0
    for entry in read(sys.argv[1]):
        ok, lost, skips, reasons = count(entry)
        passed, failed, skipped = passed + ok, failed + lost, skipped + len(skips)
        for skip in skips:
            print(f"skipped: {entry['name']}: {skip}")
        for reason in reasons if skips else []:
            print(f"  reason: {reason}")
    if not failed and (int(sys.argv[2]) or not passed + skipped):
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
