#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a library of this project shows: the headers that its one public header pulls in, and the functions and
data they declare.

  public.py headers SRC HEADER    the headers, one a line, relative to SRC
  public.py names SRC HEADER      the names they declare, one a line
  public.py map SRC HEADER        a version script for the linker: these names and no others
"""
import os
import re
import sys

NAME = r"\b((?:h248|base|loop|mikey)_[a-z0-9_]+)"


def headers(src, first):
    found, todo = [], [first]
    while todo:
        name = todo.pop(0)
        if name in found:
            continue
        found.append(name)
        with open(os.path.join(src, name), encoding="utf-8") as text:
            todo += re.findall(r'^#include "([^"]+)"', text.read(), re.M)
    return sorted(found)


def bare(text):
    """Declarations alone: no comments, no preprocessor lines, nothing between braces."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"^#(?:[^\n]*\\\n)*[^\n]*$", " ", text, flags=re.M)
    depth, out = 0, []
    for char in text:
        if char == "{":
            depth += 1
            out.append(";" if depth == 1 else "")
        elif char == "}":
            depth -= 1
        elif depth == 0:
            out.append(char)
    return "".join(out)


def names(src, first):
    found = set()
    for name in headers(src, first):
        with open(os.path.join(src, name), encoding="utf-8") as text:
            for statement in bare(text.read()).split(";"):
                statement = re.sub(r"__attribute__\s*\(\(.*\)\)", "", statement, flags=re.S)
                if re.match(r"\s*(typedef|static)\b", statement):
                    continue
                match = re.search(NAME + r"\s*\(", statement)
                data = re.match(r"\s*extern\b", statement) and re.search(NAME + r"\s*(\[[^\]]*\])?\s*$", statement)
                if match:
                    found.add(match.group(1))
                elif data:
                    found.add(data.group(1))
    return sorted(found)


def main():
    what, src, first = sys.argv[1:4]
    if what == "headers":
        print("\n".join(headers(src, first)))
    elif what == "names":
        print("\n".join(names(src, first)))
    elif what == "map":
        print("{\nglobal:\n" + "".join(f"\t{name};\n" for name in names(src, first)) + "local:\n\t*;\n};")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
