#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse h248 talk`: the controller by hand, with our gateway at the other end."""
import signal
import subprocess
import tempfile
import types
import unittest

from harness import Gateway, Peer, TOOL, free_port

ADD = """Context = $ { Add = $ { Media { Stream = 1 { Local {
v=0
c=IN IP4 $
m=application $ TCP *
} } } } }
"""


class Talk(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gatehouse-talk-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def talk(self, transport="udp", *options):
        port = free_port()
        tool = Peer(TOOL, "h248", "talk", "--listen", f"127.0.0.1:{port}", "--transport", transport, *options)
        self.addCleanup(tool.close)
        tool.says(f"waiting for a gateway on {transport}:127.0.0.1:{port}")
        gateway = Gateway(self.folder, transport=transport, register=False, h248=", leave-timeout: 50ms",
                          controller=types.SimpleNamespace(port=port, close=lambda: None))
        self.addCleanup(gateway.stop)
        return tool

    def by_hand(self, transport, *options):
        tool = self.talk(transport, *options)
        tool.send(b"Context = - { AuditValue = ROOT { Audit { Packages } } }\n")
        tool.send(b"\n")
        tool.says("root-2")
        tool.send(ADD.encode() + b"\n")
        tool.says("ip/1/1")
        tool.send(b"Context = 1 { Subtract = * { Audit { } } }")
        tool.finish()
        tool.says("Reply C=1 Subtract ip/1/1")
        self.assertEqual(tool.wait(), 0)

    def test_paragraph_by_paragraph_over_udp(self):
        self.by_hand("udp")

    def test_paragraph_by_paragraph_over_tcp_and_compact(self):
        self.by_hand("tcp", "--encoding", "compact")

    def test_paragraph_by_paragraph_in_binary(self):
        self.by_hand("udp", "--encoding", "ber")

    def test_what_cannot_be_read_is_told_with_its_place_and_the_talk_goes_on(self):
        tool = self.talk()
        tool.send(b"Context = oops\n\nContext = - { AuditValue = ROOT { Audit { Packages } } }\n\n")
        tool.says("<typed>:1:11: expected a number, found oops")
        tool.says("root-2")
        tool.finish()
        self.assertEqual(tool.wait(), 1)

    def test_a_file_as_input(self):
        port = free_port()
        with tempfile.TemporaryFile() as file:
            file.write(b"\n\nContext = - { AuditValue = ROOT { Audit { Packages } } }\n")
            file.seek(0)
            with subprocess.Popen([TOOL, "h248", "talk", "--listen", f"127.0.0.1:{port}"], stdin=file,
                                  stdout=subprocess.PIPE) as tool:
                gateway = Gateway(self.folder, register=False, h248=", leave-timeout: 50ms",
                                  controller=types.SimpleNamespace(port=port, close=lambda: None))
                self.addCleanup(gateway.stop)
                out = tool.communicate(timeout=30)[0]
        self.assertIn(b"root-2", out)
        self.assertEqual(tool.returncode, 0)

    def test_interrupt_ends_it(self):
        tool = self.talk()
        tool.says("ServiceChange ROOT")
        tool.process.send_signal(signal.SIGINT)
        self.assertEqual(tool.wait(), 0)

    def test_usage(self):
        for options in (["--version", "9"], ["--version", "0"], ["word"], ["--nosuch"], ["--listen", "nowhere"],
                        ["--transport", "pigeon"], ["--encoding", "morse"]):
            done = subprocess.run([TOOL, "h248", "talk", *options], stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=30, check=False)
            self.assertEqual(done.returncode, 2, options)
            self.assertTrue(done.stderr)


if __name__ == "__main__":
    unittest.main()
