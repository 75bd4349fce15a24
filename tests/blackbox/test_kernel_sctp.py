#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The SCTP suite (tests/h248/test_sctp.c, test_sctp_usr.c) on a kernel that has SCTP: User-Mode Linux, which runs as a process, with
Debian's kernel and the machine's own files, read-only. There the kernel's half runs, and the kernel's SCTP in UDP meets
usrsctp: two stacks of different descent."""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.environ.get("GATEHOUSE_BUILD_ROOT", "build")
PROGRAMS = [os.path.abspath(os.path.join(BUILD, "tests", name)) for name in ("test_h248_sctp", "test_h248_sctp_usr")]
INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "uml_init.py")
MODULES = ("lib/crc-ccitt", "net/ipv6/ipv6", "net/ipv4/udp_tunnel", "net/ipv6/ip6_udp_tunnel", "net/sctp/sctp",
           "drivers/net/dummy")


def modules(linux):
    """Paths of the modules that belong to this kernel, in the order of their needs."""
    home = os.path.join(os.path.dirname(linux), "..", "lib", "uml", "modules", "*", "kernel")
    for folder in glob.glob(os.path.abspath(home)):
        paths = [os.path.join(folder, m + ".ko") for m in MODULES]
        if all(os.path.exists(p) for p in paths):
            return paths
    return None


class KernelSctp(unittest.TestCase):
    def setUp(self):
        self.linux = os.environ.get("GATEHOUSE_UML") or shutil.which("linux.uml")
        if not self.linux:
            self.skipTest("linux.uml is not installed (package user-mode-linux)")
        self.modules = modules(self.linux)
        if not self.modules:
            self.skipTest(f"{self.linux} has no SCTP module beside it")
        with open(PROGRAMS[0], "rb") as file:
            if b"__asan_init" in (text := file.read()) or b"__tsan_init" in text:
                self.skipTest("a sanitizer's shadow memory does not fit into User-Mode Linux")

    def boot(self):
        folder = tempfile.mkdtemp(prefix="gatehouse-uml-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        try:
            done = subprocess.run(
                [self.linux, "mem=256M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={INIT}",
                 "con=null", "con0=null,fd:1", "quiet", f"uml_dir={folder}", "UML_MODULES=" + ",".join(self.modules),
                 "UML_PROGRAMS=" + ",".join(PROGRAMS)],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=100, check=False,
                env={**os.environ, "TMPDIR": folder})
        except OSError as err:
            self.skipTest(f"{self.linux} does not run here: {err}")
        if "uml: " not in done.stdout and "[====" not in done.stdout:
            self.skipTest(f"User-Mode Linux does not start here: {(done.stdout + done.stderr)[-400:]}")
        return done.stdout

    def test_the_suite_on_a_kernel_with_sctp(self):
        text = self.boot()
        kernel = text.split("[==========]")[1]
        for case in ("over_ipv4", "over_ipv6", "messages_of_every_size", "output_waits_and_drains", "many_associations",
                     "nobody_there", "the_peer_aborts", "too_many_are_turned_away", "freed_while_busy",
                     "reached_by_either_address", "known_by_the_address_it_came_by", "transactions"):
            self.assertRegex(kernel, rf"OK \] {case}\b", text)
        self.assertRegex(text, r"OK \] kernel_in_udp_meets_usrsctp\b")
        self.assertFalse(re.search(r"FAILED", text), text)
        self.assertEqual(text.count("uml: exit status 0"), len(PROGRAMS), text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
