#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-fetch when things go wrong: full disks, SIGKILL at every step, a clock that jumps. What is in the cache
folder afterwards is the CRL or the last good one."""
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

import fetcher
import harness
from fetcher import ROOT, Case, run


class TestChaos(Case):
    def large(self):
        operator = self.made.again(self.folder)
        small = operator.crl()
        operator.revoke_some(20000)
        return operator, small, operator.crl()

    def test_full_disk(self):
        operator, small, large = self.large()
        self.naughty.put("crl", small)
        f = self.fetcher(("a", self.naughty.url("crl")), operator=operator, more="schedule: { retry: 100ms }\n",
                         limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000)))
        f.await_log("event=fetched source=a")
        kept = f.read()
        self.naughty.put("crl", large)
        client = self.own(f.client())
        client.send("refresh\n")
        f.await_log("event=fetch-failed source=a .*cannot write to the cache")
        self.assertEqual(f.read(), kept)
        self.assertEqual([name for name in os.listdir(f.cache) if name.startswith(".new-")], [])

    @unittest.skipUnless(ROOT, "only root can mount a small file system")
    def test_full_file_system(self):
        operator, small, large = self.large()
        cache = tempfile.mkdtemp(dir=self.folder)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0777", "none", cache], check=False,
                          capture_output=True).returncode:
            self.skipTest("no file system can be mounted here")
        self.addCleanup(run, "umount", cache)
        self.naughty.put("crl", small)
        f = self.fetcher(("a", self.naughty.url("crl")), operator=operator, cache=cache, start=False)
        f.once()
        kept = f.read()
        self.naughty.put("crl", large)
        self.assertRegex(f.once(status=1)["a"]["error"], "No space left")
        self.assertEqual(f.read(), kept)

    @unittest.skipUnless(ROOT and shutil.which("strace"), "strace, and root to use it on a process that is not dumpable")
    def test_killed_at_every_step(self):
        """SIGKILL at each call that changes the folder: what is read afterwards is the old CRL or the new one."""
        operator, small, large = self.large()
        for call, most in (("openat", 4), ("write", 1), ("fchmod", 1), ("fsync", 2), ("renameat", 1), ("close", 2)):
            for when in range(1, most + 1):
                with self.subTest(call=call, when=when):
                    self.naughty.put("crl", small)
                    f = self.fetcher(("a", self.naughty.url("crl")), operator=operator, start=False)
                    f.once()
                    [(name, old)] = f.read().items()
                    self.naughty.put("crl", large)
                    self.killed_at(f, name, call, when)
                    [(again, left)] = f.read().items()  # whole
                    self.assertEqual(again, name)
                    self.assertTrue(left == old or len(left) > 20000 * 16)
                    f.once()
                    self.assertGreater(len(f.read()[name]), 20000 * 16)
                    self.assertFalse([n for n in os.listdir(f.cache) if n.startswith(".new-")])

    def killed_at(self, f, name, call, when):
        """Run it once, killed at that call about the folder, the file, or the file that is being written, whose name
        has its number: so it waits, with its number, until strace has it."""
        with subprocess.Popen(["sh", "-c", 'read go; exec "$0" "$@"', fetcher.FETCH, "-c", f.file, "--once"],
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            paths = [f.cache, os.path.join(f.cache, name),
                     os.path.join(f.cache, f".new-{process.pid}-{name[:16]}")]
            with subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(process.pid),
                                   *(word for path in paths for word in ("-P", path)), "-e", f"trace={call}", "-e",
                                   f"inject={call}:signal=SIGKILL:when={when}"], stderr=subprocess.DEVNULL) as tracer:
                harness.until(lambda: self.traced(process.pid) or tracer.poll() is not None, "strace")
                process.stdin.write(b"go\n")
                process.stdin.close()
                self.assertEqual(process.wait(harness.PATIENCE * 2), -signal.SIGKILL)
                tracer.wait(harness.PATIENCE)

    @staticmethod
    def traced(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return "TracerPid:\t0\n" not in file.read()

    def test_killed_while_it_writes(self):
        operator, small, large = self.large()
        self.naughty.put("crl", small)
        f = self.fetcher(("a", self.naughty.url("crl")), operator=operator, start=False)
        f.once()
        names = set(f.read())
        for number in range(8):
            self.naughty.put("crl", large if number % 2 else operator.crl())
            large = operator.crl()
            f.start()
            self.naughty.await_asked("crl", 2 + number)
            os.kill(f.process.pid, signal.SIGKILL)
            f.process.wait()
            self.assertEqual(set(f.read()), names)

    @unittest.skipUnless(fetcher.FAKETIME, fetcher.NO_FAKETIME)
    @unittest.skipIf(fetcher.sanitized(), "libfaketime and the sanitizers do not go together")
    def test_alarms_and_clock(self):
        """A week in a moment: the server is dead, the clock goes forward, the alarms come in time; then it goes
        back, and nothing is lost or believed."""
        clock = os.path.join(self.folder, "clock")

        def set_to(text):
            with open(clock + ".new", "w", encoding="ascii") as file:
                file.write(text + "\n")
            os.rename(clock + ".new", clock)
        set_to("+0")
        self.naughty.put("crl", self.made.crl())
        f = self.fetcher(("a", self.naughty.url("crl")), more="schedule: { retry: 100ms, retry-max: 200ms }\n",
                         env={"LD_PRELOAD": fetcher.FAKETIME, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1",
                              "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        f.await_log("event=fetched source=a")
        kept = f.read()
        self.naughty.paths.clear()
        self.assertNotIn("alarm=", f.log())
        for to, alarm, level in (("+145h", "crl-expires-soon", 1), ("+165h", "crl-expires-very-soon", 2),
                                 ("+169h", "crl-expired", 3)):
            set_to(to)
            f.await_log(f"alarm={alarm} source=a file=\\w+.crlx")
            harness.until(lambda n=level: f.metric("crl_alarm", "a") == n, f.log)
            if level == 2:  # a new process knows what the old one knew, though it cannot ask anybody
                f.close()
                f.start()
                f.await_log(f"alarm={alarm} source=a file=\\w+.crlx")
        self.naughty.put("crl", self.made.crl())  # of today: by that clock it is past already
        f.await_log("past its nextUpdate")
        set_to("-30d")
        f.await_log("not yet valid.*clock")
        self.assertEqual(f.read(), kept)
        set_to("+0")
        f.await_log("alarm=crl-fresh source=a", "event=crl-stored source=a")
        harness.until(lambda: f.metric("crl_alarm", "a") == 0, f.log)
        self.assertNotEqual(f.read(), kept)


if __name__ == "__main__":
    unittest.main()
