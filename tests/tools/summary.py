#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Count single tests in a Meson test log and end in one line: N passed, N failed, N skipped."""
import json
import re
import sys

CMOCKA = re.compile(r"^\[ *(OK|FAILED|SKIPPED|ERROR) *\] (?!\d+ test)(\S+)", re.M)
UNITTEST = re.compile(r"^(\w+) \(([\w.]+)\)(?:\n[^\n]*)? \.\.\. (ok|FAIL|ERROR|skipped(?: .*)?)$", re.M)
REASON = re.compile(r"^(?:# )?skip(?:ped)?: (.*)$", re.M)


def count(entry):
    """(passed, failed, skips) of one test program."""
    text = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
    passed, failed, skips = 0, set(), []
    for state, name in CMOCKA.findall(text):
        if state == "OK":
            passed += 1
        elif state == "SKIPPED":
            skips.append(name)
        else:
            failed.add(name)
    for name, place, state in UNITTEST.findall(text):
        if state == "ok":
            passed += 1
        elif state.startswith("skipped"):
            skips.append(f"{place}.{name}: {state[8:].strip()}")
        else:
            failed.add(name)
    skips = list(dict.fromkeys(skips))
    if entry["result"] == "SKIP" and not skips:
        skips.append(entry["name"])
    if entry["result"] in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT") and not failed:
        failed.add(entry["result"])
    if entry["result"] == "OK" and not passed and not skips:
        passed = 1  # a program that is one test
    reasons = REASON.findall(text)
    return passed, len(failed), [f"{s}" for s in skips], reasons


def main():
    log, meson_rc = sys.argv[1], int(sys.argv[2])
    total = [0, 0, 0]
    for line in open(log, encoding="utf-8", errors="replace"):
        entry = json.loads(line)
        passed, failed, skips, reasons = count(entry)
        total[0] += passed
        total[1] += failed
        total[2] += len(skips)
        for skip in skips:
            print(f"skipped: {entry['name']}: {skip}")
        for reason in dict.fromkeys(reasons):
            print(f"  reason: {reason}")
    if meson_rc and not total[1]:
        total[1] = 1
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


sys.exit(main())
