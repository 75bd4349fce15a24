#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every test that docs/conformance.md names must exist, and every done row must name one."""
import os
import re
import sys

TEST = re.compile(r"`([a-z0-9_]+)(?:/([a-z0-9_]+))?: ([^`]+)`")
# What makes a case of a name: cmocka's list (with fixtures, in macros that end in a bracket), unittest's methods and classes.
CASE = r"\b(?:cmocka_unit_test\w*|[A-Z]+)\(\s*{0}\s*[,)]|\b(?:def|class) {0}\b"


def text_of(suite, program):
    """The source of a test program, or None."""
    for name in (f"tests/{suite}/test_{program}.c", f"tests/{suite}/test_{program}.py", f"tests/{suite}/{program}.yaml"):
        if os.path.exists(name):
            return open(name, encoding="utf-8").read()
    return None


def check(number, line):
    cells = [c.strip() for c in line.strip().strip("|").split("|")]
    if len(cells) != 6 or cells[0] in ("Clause", "Document, clause") or set(cells[0]) <= {"-"}:
        return []
    where = f"docs/conformance.md:{number}"
    state = cells[5].split(":")[0].split()[0]
    bad = []
    if state not in ("done", "part", "open"):
        bad.append(f"{where}: state '{cells[5]}' is not done, part or open")
    tests = TEST.findall(cells[4])
    bad += [f"{where}: '{rest}' names no test" for rest in TEST.sub("", cells[4]).split("`") if rest.strip(" -")]
    if state == "done" and not tests:
        bad.append(f"{where}: a done row names its test")
    for suite, program, cases in tests:
        if suite == "demo":
            bad += [f"{where}: no demo/{c}" for c in cases.split() if not os.path.exists(f"demo/{c}")]
            continue
        text = text_of(suite, program)
        if text is None:
            bad.append(f"{where}: no test program {suite}/{program}")
            continue
        bad += [f"{where}: {suite}/{program} has no case {c}" for c in cases.split()
                if not re.search(CASE.format(re.escape(c)), text)]
    return bad


def main():
    bad, rows = [], 0
    for number, line in enumerate(open("docs/conformance.md", encoding="utf-8"), 1):
        if line.startswith("| "):
            rows += 1
            bad += check(number, line)
    print("\n".join(bad) if bad else f"conformance: the tests of {rows} rows are there")
    return 1 if bad else 0


sys.exit(main())
