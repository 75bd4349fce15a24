#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""commands_once.py BUILD FOLDER: BUILD's compile_commands.json into FOLDER with each file once, the way it is compiled first.
clang-tidy looks at a file as often as it is listed: code that is compiled a second time for a test would cost it twice."""
import json
import os
import sys


def main(build, folder):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    once = {}
    for command in commands:
        once.setdefault(os.path.normpath(os.path.join(command["directory"], command["file"])), command)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump(list(once.values()), file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
