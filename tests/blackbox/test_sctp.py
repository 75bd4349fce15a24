#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""H.248 over SCTP between our two programs: Debian 12 has no other H.248 over SCTP, and what it has of SCTP needs the
kernel's. Where the kernel has none this is usrsctp in UDP on both sides. The lost path is lost for true: two network
namespaces with two links, one of which is taken down."""
import contextlib
import os
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import MG, Peer, TOOL, free_port, until

MG_YAML = """
mg: {{workers: 1, leave: forced}}
controllers: ["{controller}"]
h248: {{transport: sctp, listen: "{listen}", {more}sctp-udp-port: {udp}, sctp-udp-remote: {remote}, leave-timeout: 300ms}}
media: {{addresses: [127.0.0.1]}}
"""
PLAY_YAML = """
scenario: over SCTP
controller: {{transport: sctp, listen: "{listen}", sctp-udp-port: {udp}, sctp-udp-remote: {remote}, timeout: 60s}}
steps:
  - receive: {{match: ['ServiceChange = ROOT', 'Method = Restart']}}
{steps}"""
AUDIT = """  - send: 'Context = - { AuditValue = ROOT { Audit { Packages } } }'
    expect: {match: ['root-']}
"""


class Sctp(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-sctp-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)

    def start(self, *command):
        peer = Peer(*command)
        self.addCleanup(peer.close)
        return peer

    def end(self, gateway):
        gateway.process.terminate()
        self.assertEqual(gateway.wait(), 0, gateway.text)
        for word in (b"Sanitizer", b"runtime error:"):
            self.assertNotIn(word, gateway.text)

    def test_registration_and_commands(self):
        """No kernel with SCTP is asked for its help: both sides are usrsctp, or both the kernel's."""
        port, ours, theirs = free_port(), free_port(), free_port()
        self.write("play.yaml", PLAY_YAML.format(listen=f"127.0.0.1:{port}", udp=theirs, remote=ours, steps=AUDIT * 20))
        self.write("mg.yaml", MG_YAML.format(controller=f"127.0.0.1:{port}", listen="127.0.0.1:0", more="", udp=ours,
                                             remote=theirs))
        tool = self.start(TOOL, "h248", "play", self.path("play.yaml"))
        gateway = self.start(MG, "-c", self.path("mg.yaml"))
        gateway.says(f"registered controller=sctp:127.0.0.1:{port}")
        self.assertEqual(tool.wait(), 0, tool.text)
        gateway.says("no longer registered")  # the tool has gone, and its association with it
        self.end(gateway)

    def test_the_udp_port_is_taken(self):
        port = free_port()
        self.write("mg.yaml", MG_YAML.format(controller="127.0.0.1:2944", listen="127.0.0.1:0", more="sctp-by: usrsctp, ",
                                             udp=port, remote=port))
        with contextlib.closing(harness.socket.socket(type=harness.socket.SOCK_DGRAM)) as other:
            other.bind(("0.0.0.0", port))
            done = subprocess.run([MG, "-c", self.path("mg.yaml")], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Address already in use", done.stderr)

    def test_wrong_files(self):
        base = 'controllers: ["127.0.0.1:2944"]\nmedia: {addresses: [127.0.0.1]}\n'
        rows = (
            ("h248: {transport: tcp, sctp-udp-port: 1}\n", "only for h248.transport sctp"),
            ("h248: {transport: sctp, sctp-by: magic}\n", "none of: auto, kernel, usrsctp"),
            ("h248: {transport: sctp, sctp-udp-port: 70000}\n", "no port"),
            ('h248: {transport: sctp, listen: "127.0.0.1:1", also-listen: ["127.0.0.2:2"]}\n', "the port of h248.listen"),
            ('h248: {transport: sctp, listen: "127.0.0.1:1", also-listen: ["[::1]:1"]}\n', "needs the family"),
            ('h248: {transport: sctp, listen: "127.0.0.1:1", also-listen: ["127.0.0.2:1"], sctp-by: kernel}\n', None),
        )
        for text, words in rows:
            self.write("mg.yaml", base + text)
            done = subprocess.run([MG, "-c", self.path("mg.yaml"), "-t"], capture_output=True, text=True, timeout=30,
                                  check=False)
            self.assertEqual(done.returncode != 0, words is not None, done.stderr)
            self.assertIn(words or "", done.stderr)

    # -- several addresses

    def namespaces(self):
        """Two hosts with two links between them, or a skip that says why not."""
        for tool in ("ip", "unshare", "nsenter"):
            if not shutil.which(tool):
                self.skipTest(f"{tool} is not installed")
        hosts = [self.start("unshare", "-n", "sh", "-c", "echo ready; cat") for _ in range(2)]
        for host in hosts:
            try:
                host.says("ready")
            except AssertionError:
                self.skipTest(f"no network namespaces here: {host.text!r}")
        a, b = (str(host.process.pid) for host in hosts)
        lines = [(a, f"ip link add l{n} type veth peer name r{n} netns {b}") for n in (1, 2)]
        for ns, side, last in ((a, "l", 1), (b, "r", 2)):
            lines += [(ns, f"ip link set lo up; ip link set {side}1 up; ip link set {side}2 up; "
                           f"ip addr add 10.1.0.{last}/24 dev {side}1; ip addr add 10.2.0.{last}/24 dev {side}2")]
        for ns, line in lines:
            done = subprocess.run(["nsenter", "-t", ns, "-n", "sh", "-ec", line], capture_output=True, text=True,
                                  timeout=30, check=False)
            if done.returncode:
                self.skipTest(f"no links between network namespaces here: {done.stderr.strip()}")
        return a, b

    def test_a_lost_path(self):
        a, b = self.namespaces()
        cut = "  - run: ip link set r1 down\n"
        mend = "  - run: ip link set r1 up\n"
        self.write("play.yaml", PLAY_YAML.format(listen="0.0.0.0:2944", udp=9899, remote=9899,
                                                 steps=AUDIT + cut + AUDIT * 5 + mend + AUDIT))
        self.write("mg.yaml", MG_YAML.format(controller="10.1.0.2:2944", listen="10.1.0.1:2944",
                                             more='also-listen: ["10.2.0.1:2944"], t-max: 60s, ', udp=9899, remote=9899))
        tool = self.start("nsenter", "-t", b, "-n", TOOL, "h248", "play", "--ladder", self.path("play.yaml"))
        gateway = self.start("nsenter", "-t", a, "-n", MG, "-c", self.path("mg.yaml"))
        gateway.says("registered controller=sctp:10.1.0.2:2944")
        self.assertEqual(tool.process.wait(90), 0, tool.text)
        log = gateway.text.split(b"mg: registered controller=")
        self.assertEqual(len(log), 2, gateway.text)  # once: the association outlived its first path
        self.end(gateway)


if __name__ == "__main__":
    unittest.main(verbosity=2)
