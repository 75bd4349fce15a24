#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No name has two definitions. A linker that takes objects out of archives is content with the first it meets, and the
program then calls the wrong function: 'gatehouse h248 explain' once was 'gatehouse explain'."""
import collections
import glob
import os
import subprocess
import unittest

BUILD = os.environ.get("GATEHOUSE_BUILD_ROOT", "build")


def defined(archive):
    """(object, name) of each global definition."""
    done = subprocess.run(["nm", "-g", "--defined-only", archive], capture_output=True, text=True, check=True)
    member = ""
    for line in done.stdout.splitlines():
        words = line.split()
        if line.endswith(".o:"):
            member = os.path.basename(line[:-1])
        elif len(words) == 3 and words[1] in "TDBRC":
            yield member, words[2]


class Symbols(unittest.TestCase):
    def test_every_name_has_one_definition(self):
        where = collections.defaultdict(set)
        archives = glob.glob(os.path.join(BUILD, "src", "*", "libgh-*.a"))
        self.assertGreater(len(archives), 10)
        for archive in archives:
            for member, name in defined(archive):
                if not name.startswith(("__asan", "__tsan", "__ubsan", "__odr_asan", "asan.", "tsan.")):
                    where[name].add(member)
        self.assertGreater(len(where), 1000)
        self.assertEqual({name: sorted(objects) for name, objects in where.items() if len(objects) > 1}, {})


if __name__ == "__main__":
    unittest.main()
