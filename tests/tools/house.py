#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules a program can check (ARCHITECTURE.md): floors, one public header a folder,
forbidden calls, marks of unfinished work, who may include which library."""
import re
import subprocess
import sys

USES = {
    "base": [],
    "loop": ["base"],
    "config": ["base"],
    "x509": ["base"],
    "profile": ["base", "config"],
    "trust": ["x509", "loop", "config", "base"],
    "h248": ["base", "loop"],
    "tls": ["profile", "trust", "x509", "loop", "base"],
    "relay": ["tls", "profile", "trust", "x509", "loop", "base"],
    "mg": ["relay", "tls", "profile", "trust", "x509", "h248", "config", "loop", "base"],
    "cli": ["tls", "profile", "trust", "x509", "h248", "config", "loop", "base"],
    "main": ["mg", "cli", "config", "loop", "base"],
}
# Third-party headers, and the only folders that may include them.
LIBRARIES = {
    "uv.h": ["loop"],
    "cyaml/": ["config", "profile", "mg", "cli"],
    "yaml.h": ["config"],
    "gnutls/": ["tls"],
    "openssl/ssl.h": ["tls"],
    "jansson.h": ["profile", "cli", "mg"],
}
FORBIDDEN = {
    r"\b(strcpy|strcat|sprintf|gets|strtok|alloca)\s*\(": "unbounded or stateful call",
    r"\bmemcmp\s*\([^;]*(key|secret|psk|mac|tag)\w*\s*,": "secrets are compared with base_secret_equal",
    r"\b(TODO|FIXME|XXX|HACK)\b": "unfinished work belongs into docs/next.md",
    r"\b(sleep|usleep|nanosleep)\s*\(": "nothing sleeps here; use a timer",
}
EXEMPT = set()


def main():
    files = subprocess.run(["git", "ls-files", "src/*.c", "src/*.h"], check=True,
                           capture_output=True, text=True).stdout.split()
    bad = []
    for path in files:
        folder = path.split("/")[1]
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            where = f"{path}:{number}"
            match = re.match(r'#include "([^"]+)"', line)
            if match:
                room, _, name = match.group(1).partition("/")
                if room not in USES:
                    bad.append(f"{where}: include from the root of src: {match.group(1)}")
                elif room != folder and room not in USES[folder]:
                    bad.append(f"{where}: {folder} may not use {room} (floors)")
                elif room != folder and name != f"{room}.h":
                    bad.append(f"{where}: include {room}/{room}.h, not {match.group(1)}")
            match = re.match(r"#include <([^>]+)>", line)
            if match:
                for lib, rooms in LIBRARIES.items():
                    if match.group(1).startswith(lib) and folder not in rooms:
                        bad.append(f"{where}: {lib} belongs to {', '.join(rooms)}")
            for pattern, why in FORBIDDEN.items():
                if re.search(pattern, line) and (path, pattern) not in EXEMPT:
                    bad.append(f"{where}: {why}")
        first = open(path, encoding="utf-8").readline()
        if "SPDX-License-Identifier: Apache-2.0" not in first:
            bad.append(f"{path}:1: no SPDX line")
    print("\n".join(bad) if bad else f"house rules: {len(files)} files hold them")
    return 1 if bad else 0


sys.exit(main())
