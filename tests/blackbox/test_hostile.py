#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A controller that sends nonsense, over UDP, TCP, TLS and SCTP: messages cut at every octet, bent ones, bombs in text and
binary. What can be told apart from a whole message is answered, each with an error of its own or of the message; the
gateway grows by nothing and goes on serving."""
import os
import random
import subprocess
import unittest

import harness
from harness import BUILD, Case, Controller, HAVE_OPENSSL, TOOL, free_port, until
from sctp_peer import SctpPeer
from test_secure import DOMAINS, TO, TlsController

CORPUS = os.path.join(BUILD, "tests", "h248", "h248_corpus")
AUDIT = "Context = - { AuditValue = ROOT { Audit { } } }"
FORMS = ("pretty", "compact", "ber")

# Too much of one thing, behind the header of a text message or for itself in binary: (name, head, unit, octets).
BOMBS = (
    ("braces", b"!/3 [127.0.0.1] T=1{C=1{", b"{", 60000),
    ("transactions", b"!/3 [127.0.0.1] ", b"T=1{C=-{AV=ROOT{AT{}}}}", 60000),
    ("actions", b"!/3 [127.0.0.1] T=1{C=-{AV=ROOT{AT{}}}", b",C=-{S=a}", 60000),
    ("commands", b"!/3 [127.0.0.1] T=1{C=1{S=a", b",S=a", 60000),
    ("terms", b"!/3 [127.0.0.1] T=1{C=1{S=[a", b",a", 60000),
    ("open quotes", b'!/3 [127.0.0.1] T=1{C=1{MF=a{M{O{x/y="', b'"', 60000),
    ("a name", b"!/3 [127.0.0.1] T=1{C=1{S=", b"a", 60000),
    ("a number", b"!/3 [127.0.0.1] T=", b"9", 60000),
    ("blanks", b"!/3 [127.0.0.1]", b" \t\n", 60000),
    ("comments", b"!/3 [127.0.0.1]", b" ;\n", 60000),
    ("embedded events", b"!/3 [127.0.0.1] T=1{C=1{MF=a{E=1{", b"al/on{EM{E=1{", 60000),
    ("zeros", b"", b"\0", 60000),
    ("sequences without end", b"", b"\x30\x80", 60000),
    ("strings without end", b"\x30\x80\xA1\x80", b"\x24\x80", 60000),
    ("ends of contents", b"\x30\x80", b"\x00\x00", 60000),
    ("long tags", b"\x30\x80", b"\x1F\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x00", 60000),
    ("long lengths", b"\x30\x88\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", b"\xA1\x84\xFF\xFF\xFF\xFF", 60000),
)


def convert(text, form):
    return subprocess.run([TOOL, "h248", "convert", "--to", form, "-"], input=text.encode(), capture_output=True, check=True,
                          timeout=30).stdout


def corpus(form, count):
    """Messages of the generator that order nothing of ROOT's service: those would be obeyed."""
    data = subprocess.run([CORPUS, "write", form, str(count), "7"], capture_output=True, check=True).stdout
    kinds = subprocess.run([CORPUS, "features", form, str(count), "7"], capture_output=True, check=True, text=True).stdout
    at = 0
    for line in kinds.splitlines():
        size = int.from_bytes(data[at + 4:at + 8], "big")
        if "SERVICE_CHANGE" not in line.split():
            yield data[at + 8:at + 8 + size]
        at += 8 + size


class Nonsense:
    """Mixed into a Case that has a gateway."""

    def heard_after(self, data, what):
        """It is answered, by whatever it is."""
        before = len(self.mgc.heard)
        self.mgc.send_raw(data)
        self.mgc.wait(lambda: len(self.mgc.heard) > before, f"an answer to {what}")

    def still_serves(self):
        self.assertIsNone(self.gw.process.poll(), self.gw.log()[-3000:])
        self.mgc.next_id = max(self.mgc.next_id, 2900000000)  # far from what bent transactions are called: theirs was answered already
        self.mgc.ok(AUDIT)
        text = self.gw.log()
        self.assertNotIn("Sanitizer", text)
        self.assertNotIn("runtime error:", text)

    def test_every_cut_is_answered(self):
        text = f"MEGACO/3 [127.0.0.1]:{self.mgc.port}\nTransaction = 4000000000 {{ {AUDIT}, {AUDIT} }}\n" \
               f"Transaction = 4100000000 {{ {AUDIT} }}\n"
        for form in FORMS:
            whole = convert(text, form)
            for cut in range(1, len(whole) + 1):
                self.heard_after(whole[:cut], f"{cut} octets of {len(whole)}, {form}")
        self.still_serves()

    def test_bombs_are_answered(self):
        for name, head, unit, size in BOMBS:
            with self.subTest(name):
                self.heard_after((head + unit * (size // len(unit)))[:size], name)
        self.still_serves()

    def test_bent_messages_harm_nothing(self):
        dice = random.Random(248)
        self.still_serves()
        memory, fds = self.gw.rss(), self.gw.fds()
        for form in FORMS:
            for count, message in enumerate(corpus(form, 600)):
                bent = bytearray(message)
                for _ in range(dice.randrange(1, 4)):
                    at = dice.randrange(len(bent))
                    way = dice.randrange(4)
                    if way == 0:
                        bent[at] ^= 1 << dice.randrange(8)
                    elif way == 1:
                        bent[at] = dice.choice(b"{}[]=,/\"\x00\x80\xff\x30\x84")
                    elif way == 2:
                        del bent[at:at + dice.randrange(1, 9)]
                    else:
                        bent[at:at] = bent[at:at + dice.randrange(1, 60)]
                    bent = bent or bytearray(b" ")
                self.mgc.send_raw(bytes(bent))
                if count % 50 == 0:
                    self.still_serves()
            self.still_serves()
        self.assertEqual(self.gw.fds(), fds)
        if memory:
            self.assertLess(self.gw.rss() - memory, 16 << 20)


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class OverUdp(Nonsense, Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.shared_gateway("", speaks=3)

    def test_datagrams_of_any_size(self):
        for size in (0, 1, 2, 1471, 1473, 9000, 65507):
            if size:
                self.heard_after(b"x" * size, f"{size} octets")
            else:
                self.mgc.send_raw(b"")
        self.still_serves()


class OverTcp(Nonsense, Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.shared_gateway("", transport="tcp", speaks=3)

    def test_frames_that_are_none(self):
        """The connection is lost with them; the gateway comes back."""
        for junk in (b"\x03\x00\x00\x03", b"\x03\x00\x00\x00", b"\x04\x00\x00\x10" + bytes(12), bytes(65536),
                     b"\xff" * 65536, b"GET / HTTP/1.0\r\n\r\n"):
            with self.subTest(junk[:8]):
                conn = self.mgc.conn
                self.mgc.send_raw(junk, framed=False)
                until(lambda: self.mgc.conn is not conn, lambda: "a new connection")
                self.mgc.take("ServiceChange = ROOT")
                self.still_serves()

    def test_empty_frames_are_answered(self):
        for _ in range(100):
            self.heard_after(b"", "an empty frame")
        self.still_serves()


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class OverTls(Nonsense, Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        for name in ("mg", "mgc"):
            cls.pki.leaf(name)
        mgc = TlsController(cls.pki)
        mgc.version = 3
        cls.shared_gateway(DOMAINS.format(d=cls.folder), transport="tls", controller=mgc, h248=TO)


class SctpController(Controller):
    """Behind an SCTP that is not usrsctp either (sctp_peer.py)."""

    def __init__(self):
        super().__init__(version=3)  # its UDP socket stays unused
        self.peer = SctpPeer(lambda octets: self.message(octets.decode("utf-8", "replace")))
        self.port = self.peer.port

    def close(self):
        self.peer.close()
        self.port = self.sock.getsockname()[1]
        super().close()

    def send_raw(self, data, framed=True):
        self.peer.send(data.encode() if isinstance(data, str) else data)


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class OverSctp(Nonsense, Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        mgc = SctpController()
        cls.shared_gateway("", transport="sctp", controller=mgc, h248=", leave-timeout: 300ms, sctp-by: usrsctp, "
                           f"sctp-udp-port: {free_port()}, sctp-udp-remote: {mgc.peer.udp}")

    def test_another_payload_protocol_ends_the_association(self):
        """And the gateway comes back with another one."""
        before = self.mgc.peer.associations
        self.mgc.peer.send(b"Diameter", ppid=46)
        until(lambda: self.mgc.peer.associations > before, lambda: "another association")
        self.mgc.take("ServiceChange = ROOT", "Method = Disconnected")  # the first registration may lie there untaken
        self.still_serves()


if __name__ == "__main__":
    unittest.main(verbosity=2)
