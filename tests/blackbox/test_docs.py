#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/h248.md, docs/check.md, docs/kms.md and docs/interconnect.md, run in order in one shell each: a page that teaches must be true.

  ```KIND file=NAME    the block is written to that file
  ```sh run            is run by bash; `run status=N` when it ends with that status
  ```text expect       lines that the last run printed, in this order

The ports of a page are replaced by free ones, the user gatehouse-fetch by whoever is there."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import BUILD, free_port, squeeze
from slapd import HAVE_SLAPD, NO_SLAPD

PAGES = os.path.join(os.environ["GATEHOUSE_SOURCE_ROOT"], "docs")
BLOCK = re.compile(r"^```(\w+) (file=\S+|run(?: status=\d+)?|expect)\n(.*?)^```$", re.M | re.S)


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-docs-")
        os.chmod(self.folder, 0o711)  # root's fetcher becomes another user
        self.addCleanup(shutil.rmtree, self.folder)
        env = dict(os.environ, PATH=os.path.abspath(BUILD) + ":" + os.environ["PATH"] + ":/usr/sbin")
        self.shell = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                                      stderr=subprocess.STDOUT, env=env, start_new_session=True)
        self.addCleanup(self.end)
        self.shell.stdin.write(b"set -m\n")

    def end(self):
        """The shell and all that it left in the background, by their session."""
        found = subprocess.run(["ps", "-o", "pid=", "-s", str(self.shell.pid)], capture_output=True, text=True, check=False)
        for pid in map(int, found.stdout.split()):
            if pid != self.shell.pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        try:
            self.shell.communicate(b"wait\n", timeout=10)  # so that it, and not nobody, hears of their ends
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.shell.kill()
            self.shell.wait()

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

    def play(self, name):
        """How many blocks of each kind there were."""
        with open(os.path.join(PAGES, name), encoding="utf-8") as file:
            page = file.read()
        ports = {port: str(free_port()) for port in set(re.findall(r"127\.0\.0\.1:(\d{4})\b", page))}
        page = re.sub(r"127\.0\.0\.1:(\d{4})\b", lambda match: "127.0.0.1:" + ports[match.group(1)], page)
        root = os.geteuid() == 0
        page = page.replace("user: gatehouse-fetch, ", "user: nobody, " if root else "")
        page = page.replace("-o gatehouse-fetch ", "-o nobody " if root else "")
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
        return count

    def test_h248(self):
        count = self.play("h248.md")
        self.assertGreater(min(count.values()), 2, count)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_check(self):
        count = self.play("check.md")
        self.assertEqual((count["run"], count["expect"]), (2, 1), count)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_kms(self):
        self.play("kms.md")

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    @unittest.skipUnless(shutil.which("nginx", path="/usr/sbin:" + os.environ["PATH"]), "nginx is not installed")
    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    @unittest.skipUnless(HAVE_SLAPD, NO_SLAPD)
    def test_interconnect(self):
        count = self.play("interconnect.md")
        self.assertGreater(count["run"], 15, count)
        self.assertGreater(count["expect"], 7, count)


if __name__ == "__main__":
    unittest.main()
