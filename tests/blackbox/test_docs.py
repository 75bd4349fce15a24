#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/h248.md, run in order in one shell: a page that teaches must be true.

  ```KIND file=NAME    the block is written to that file
  ```sh run            is run by bash; `run status=N` when it ends with that status
  ```text expect       lines that the last run printed, in this order

The port 2944 of the page is replaced by a free one."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import BUILD, free_port, squeeze

PAGE = os.path.join(os.environ["GATEHOUSE_SOURCE_ROOT"], "docs", "h248.md")
BLOCK = re.compile(r"^```(\w+) (file=\S+|run(?: status=\d+)?|expect)\n(.*?)^```$", re.M | re.S)


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-docs-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.port = str(free_port())
        env = dict(os.environ, PATH=os.path.abspath(BUILD) + ":" + os.environ["PATH"])
        self.shell = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                                      stderr=subprocess.STDOUT, env=env, start_new_session=True)
        self.addCleanup(self.end)
        self.shell.stdin.write(b"set -m\n")

    def end(self):
        """The shell and all that it left in the background, by their session."""
        found = subprocess.run(["ps", "-o", "pid=", "-s", str(self.shell.pid)], capture_output=True, text=True, check=False)
        for pid in found.stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.shell.stdin.close()
        self.shell.wait()
        self.shell.stdout.close()

    def run_block(self, text):
        """What the commands print, and the status of the last one."""
        self.shell.stdin.write(text.encode() + b"\necho \"#end# $?\"\n")
        self.shell.stdin.flush()
        lines = []
        for line in self.shell.stdout:
            match = re.search(rb"#end# (\d+)$", line)
            if match:
                lines.append(line[:match.start()].decode("utf-8", "replace"))
                return "".join(lines), int(match.group(1))
            lines.append(line.decode("utf-8", "replace"))
        self.fail("the shell ended: " + "".join(lines))

    def test_every_block(self):
        with open(PAGE, encoding="utf-8") as file:
            page = file.read().replace("127.0.0.1:2944", "127.0.0.1:" + self.port)
        printed, count = "", {"file": 0, "run": 0, "expect": 0}
        for _, what, body in BLOCK.findall(page):
            word, _, rest = what.partition("=") if what.startswith("file") else (what.split()[0], "", what)
            count[word] += 1
            if word == "file":
                with open(os.path.join(self.folder, rest), "w", encoding="utf-8") as file:
                    file.write(body)
            elif word == "run":
                wanted = int(rest.partition("status=")[2] or 0)
                printed, status = self.run_block(body)
                self.assertEqual(status, wanted, f"{body}\n{printed}")
            else:
                at, flat = 0, squeeze(printed)
                for line in body.splitlines():
                    found = flat.find(squeeze(line), at)
                    self.assertGreaterEqual(found, 0, f"{line!r} is not in (the rest of)\n{printed}")
                    at = found
        self.assertGreater(min(count.values()), 2, count)


if __name__ == "__main__":
    unittest.main()
