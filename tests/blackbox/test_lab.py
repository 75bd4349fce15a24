#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse lab interconnect`: the whole story with slapd, nginx, fetchers and gateways; what is left of it afterwards."""
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import unittest

import harness

STORY = (
    "1. two operators",
    "ok both fetchers have filled their caches",
    "ok a call from a to gw1.b.example: up (TLS1.3)",
    "ok a call from b to gw1.a.example: up (TLS1.3)",
    "4. b revokes its gateway gw1",
        "ok the call from a to gw1.b.example: ended (revoked)",
    "revoked for keyCompromise by the cached CRL of CN=Operator b TLS server CA,O=Operator b",

    "ok the call from a to gw2.b.example goes on",
    "ok the call from b to gw1.a.example goes on",
    "ok a new call from a to gw1.b.example: refused (revoked)",
    "ok a new call from a to gw2.b.example: up (TLS1.3)",
    "5. a revokes its cross-certificate",
    "ok the call from a to gw2.b.example: ended (revoked)",
    "ok the call from b to gw1.a.example goes on",
    "ok a new call from a to gw2.b.example: refused (revoked)",
    "ok a new call from a to gw2.b.example: up (TLS1.3)",
    "6. b's CRL server is down",
    "ok a new call from a to gw2.b.example: refused (crl-stale)",
    "ok the call from a to gw2.b.example goes on",
    "ok a's fetcher had raised its alarm before",
    "ok a new call from a to gw2.b.example: up (TLS1.3)",
    "7. b's TLS server CA gets a new key",
        "ok a new call from a to gw3.b.example: refused (unknown-ca)",
    "neither an own TLS CA nor a cross-certificate vouches for CN=Operator b TLS server CA,O=Operator b",

            "ok a new call from a to gw3.b.example: up (TLS1.3)",
    "ok a's gateway had its fetcher bring it",

    "ok a new call from a to gw2.b.example: up (TLS1.3)",
    "8. b revokes the certificate with which its gateway is client",
    "ok the call from b to gw1.a.example: ended (revoked)",
    "ok the call from a to gw2.b.example goes on",
    "ok a new call from b to gw1.a.example: refused (revoked)",

    "Every step had its outcome, in ",
)


def processes(folder):
    """The pids of all that have this folder in their command line."""
    found = []
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
            where = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if folder.encode() in line or folder in where:
            found.append((pid, line))
    return found


class TestLab(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gh-lab-")
        os.chmod(self.folder, 0o711)  # the fetcher goes through it as another user, where this is root
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, *more):
        process = subprocess.Popen([os.path.abspath(harness.TOOL), "lab", "interconnect", *more],
                                   env=dict(os.environ, TMPDIR=self.folder), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        return process

    def skip_without_servers(self, status, text):
        if status == 77:
            self.skipTest(text.strip())

    def test_story(self):
        process = self.start("--keep", "--commands")
        text, _ = process.communicate(timeout=harness.PATIENCE * 14)
        self.skip_without_servers(process.returncode, text)
        self.assertEqual(process.returncode, 0, text)
        self.assertNotIn("  NO ", text)
        at = 0
        for line in STORY:
            found = text.find(line, at)
            self.assertGreaterEqual(found, 0, f"{line!r} is not in (the rest of)\n{text}")
            at = found + len(line)
        self.assertEqual(processes(self.folder), [])
        self.kept(text)

    def kept(self, text):
        """--keep leaves everything, keys for their owner alone."""
        folder = text.rstrip().rsplit(" ", 1)[1]
        self.assertTrue(os.path.isdir(os.path.join(folder, "a", "cache")), folder)
        for at, _, names in os.walk(folder):
            for name in names:
                if name.endswith(".key") or name == "password":
                    self.assertEqual(stat.S_IMODE(os.stat(os.path.join(at, name)).st_mode) & 0o077, 0, name)

    def test_interrupted(self):
        """Ctrl-C in the midst of a step: an exit status, and nothing stays."""
        process = self.start()
        text = ""
        for line in process.stdout:
            text += line
            if line.startswith("3."):
                self.assertTrue(processes(self.folder))
                process.send_signal(signal.SIGINT)
        self.skip_without_servers(process.wait(harness.PATIENCE), text)
        self.assertEqual(process.returncode, 1, text)
        self.assertIn("interrupted", text)
        self.assertEqual(processes(self.folder), [])
        self.assertEqual(os.listdir(self.folder), [])

    def test_words(self):
        for args, status in ((("interconnect", "more"), 2), (("nothing",), 2), ((), 2), (("--bogus",), 2), (("--help",), 0)):
            done = subprocess.run([harness.TOOL, "lab", *args], capture_output=True, text=True, check=False,
                                  timeout=harness.PATIENCE)
            self.assertEqual(done.returncode, status, args)
            self.assertIn("gatehouse lab interconnect", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
