#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules a program can check (ARCHITECTURE.md): floors, one public header a folder,
forbidden calls, marks of unfinished work, who may include which library. Long files and functions
are told, but fail nothing: each is a question, not a crime."""
import glob
import os
import re
import subprocess
import sys

# Third-party headers, and the only folders that may include them.
LIBRARIES = {
    "uv.h": ["loop"],
    "cyaml/": ["config"],
    "yaml.h": ["config"],
    "gnutls/": ["tls"],
    "openssl/": ["x509", "trust", "tls", "fetch", "check", "pool", "mikey", "kms", "ue", "sip", "edge"],
    "openssl/ssl.h": ["tls"],
    "jansson.h": ["cli", "fetch", "ue"],
    "curl/": ["fetch", "http"],
    "ldap.h": ["fetch"],
    "lber.h": ["fetch"],
    "openldap.h": ["fetch"],
    "seccomp.h": ["fetch"],
    "srtp2/": ["relay"],
    "usrsctp.h": ["h248"],
    "hiredis/": ["pool", "kms"],
    "sqlite3.h": ["kms"],
    "ares.h": ["flow"],
    "expat.h": ["sip"],
    "p11-kit/": ["x509"],
    "microhttpd.h": ["mg", "http"],
}
NO_SLEEP = "nothing sleeps here; use a timer"
FORBIDDEN = {
    r"\b(strcpy|strcat|sprintf|gets|strtok|alloca)\s*\(": "unbounded or stateful call",
    r"\bmemcmp\s*\([^;]*(key|secret|psk|mac|tag)\w*\s*,": "secrets are compared with base_secret_equal",
    r"\b(TODO|FIXME|XXX|HACK)\b": "unfinished work belongs into docs/next.md",
    r"\b(sleep|usleep|nanosleep)\s*\(": NO_SLEEP,
}
FILE_LINES, FUNCTION_LINES = 600, 50


def floors(page="ARCHITECTURE.md"):
    """Who may use whom: the table "Folder | Holds | Uses" of the page. All may use base."""
    uses, inside = {}, False
    with open(page, encoding="utf-8") as text:
        lines = text.readlines()
    for line in lines:
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if cells == ["Folder", "Holds", "Uses"]:
            inside = True
        elif inside and not line.startswith("|"):
            break
        elif inside and not set(cells[0]) <= {"-"}:
            uses[cells[0]] = set(re.findall(r"\w+", cells[2])) | {"base"}
    if not uses:
        sys.exit(f"{page}: no table of the folders")
    uses["base"] = set()
    return uses


def circles(uses):
    """Folders that nobody below stands on: take away those that stand on nothing, as long as it goes."""
    left = {folder: set(below) for folder, below in uses.items()}
    while ready := [folder for folder, below in left.items() if not below & left.keys()]:
        for folder in ready:
            del left[folder]
    return [f"ARCHITECTURE.md: a circle among {', '.join(sorted(left))}"] if left else []


def include_faults(folder, line, uses):
    match = re.match(r'#include "([^"]+)"', line)
    if match:
        room, slash, name = match.group(1).partition("/")
        if not slash or room not in uses:
            return [f"include from the root of src: {match.group(1)}"]
        if room != folder and room not in uses[folder]:
            return [f"{folder} may not use {room} (ARCHITECTURE.md, floors)"]
        if room != folder and name != f"{room}.h":
            return [f"include {room}/{room}.h, not {match.group(1)}"]
    match = re.match(r"#include <([^>]+)>", line)
    if match:
        return [f"{lib} belongs to {', '.join(rooms)}" for lib, rooms in LIBRARIES.items()
                if match.group(1).startswith(lib) and folder not in rooms]
    return []


def long_parts(path, lines):
    """What is longer than a reader likes."""
    found = []
    if len(lines) > FILE_LINES:
        found.append(f"{path}: {len(lines)} lines; which second thing moved in here?")
    begin = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            begin = number
        elif line.startswith("}") and begin:
            if line.rstrip() == "}" and number - begin - 1 > FUNCTION_LINES:
                found.append(f"{path}:{begin}: a function of {number - begin - 1} lines")
            begin = None
    return found


def check(path, lines, uses):
    """Broken rules of one file. The floors are those of src/, a measurement may sleep, the rest holds
    everywhere."""
    bad = []
    top, folder = path.split("/")[:2]
    if "SPDX-License-Identifier: Apache-2.0" not in (lines[0] if lines else ""):
        bad.append(f"{path}:1: no SPDX line")
    if top == "src" and folder not in uses:
        return bad + [f"{path}: {folder} is not in the table of ARCHITECTURE.md"]
    for number, line in enumerate(lines, 1):
        faults = include_faults(folder, line, uses) if top == "src" else []
        faults += [why for pattern, why in FORBIDDEN.items() if re.search(pattern, line)
                   and not (top == "bench" and why == NO_SLEEP)]
        bad += [f"{path}:{number}: {fault}" for fault in faults]
    return bad


def unlisted(plan, programs):
    """Python tests beside a meson.build that nothing in it starts."""
    named = set(re.findall(r"test_(\w+)\.py", plan))
    for words, body in re.findall(r"^foreach \w+ : \[([^]]*)\](.*?)^endforeach", plan, re.M | re.S):
        if "test_@0@.py" in body:
            named |= set(re.findall(r"'(\w+)'", words))
    return [p for p in programs if re.fullmatch(r"test_(\w+)\.py", os.path.basename(p)).group(1) not in named]


def main():
    uses = floors()
    files = subprocess.run(["git", "ls-files", "*.c", "*.h"], check=True,
                           capture_output=True, text=True).stdout.split()
    bad, long = circles(uses), []
    for path in files:
        with open(path, encoding="utf-8") as text:
            lines = text.read().splitlines()
        bad += check(path, lines, uses)
        long += long_parts(path, lines)
    for path in sorted(glob.glob("tests/**/meson.build", recursive=True)):
        with open(path, encoding="utf-8") as text:
            missed = unlisted(text.read(), sorted(glob.glob(os.path.join(os.path.dirname(path), "test_*.py"))))
        bad += [f"{program}: nothing in {path} starts it" for program in missed]
    for line in long:
        print(f"long: {line}")
    print("\n".join(bad) if bad else f"house rules: {len(files)} files hold them")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
