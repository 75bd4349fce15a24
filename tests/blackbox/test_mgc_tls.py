#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-mgc with TLS wherever it speaks: the KMS by https, Mp (TS 23.333, 5.20.2: keys go to the MRFP) and SIP; whoever is
not who he should be gets nothing. Besides, tickets of its own and INVITEs without an offer."""
import os
import re
import shutil
import socket
import tempfile
import unittest

import harness
import mrfc
from mrfc import ALICE, BOB, ROOM
from test_ue_call import certificates


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-mgc-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def stage(self, **settings):
        stage = mrfc.Stage(self.folder, **settings)
        self.addCleanup(stage.close)
        return stage

    def ended(self, stage, status=0):
        stage.empty()
        self.assertEqual(set(stage.close()), {status})


@unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
class Tls(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = certificates(cls.folder, "localhost", "elsewhere.example")
        cls.tls, cls.elsewhere = made["localhost"][1:-1], made["elsewhere.example"][1:-1]
        cls.strangers = certificates(cls.folder, "localhost")["localhost"][1:-1]

    def test_everywhere(self):
        """A call by SIP inside TLS, keys from a KMS that wants certificates, to an MRFP inside TLS; BYE of ours goes the same way."""
        stage = self.stage(tls=self.tls)
        alice = stage.call(stage.agent(ALICE, transport="tls"), "tls")
        stage.joined(alice)
        stage.kms.logged("auth=ca")
        self.assertRegex(stage.mgc.log(), r"mrfp=tls:127\.0\.0\.1:\d+ registered")
        self.assertEqual(stage.mgc.end(), 0)
        alice.expect("call.over", why="bye")

    def test_mrfp_of_another_name(self):
        """Whoever has a certificate for another name, or of another CA, does not become an MRFP."""
        stage = self.stage(tls=self.tls, mrfp=False)
        for tls in (self.elsewhere, self.strangers):
            mg = stage.gateway(tls, registers=False)
            mg.logged("alert")
            self.assertEqual(stage.mgc.metric("gatehouse_mgc_mrfps"), 0)
            mg.end(kill=True)
        self.assertNotIn("registered", stage.mgc.log())
        self.assertEqual(stage.mgc.end(), 0)

    def test_kms_of_another_name(self):
        """It is not asked: who should be called is not, and what was reserved for him is released."""
        stage = self.stage(tls=self.tls, kms="127.0.0.1", more=f'dial-out: ["{BOB}"]\n    dial: start')
        stage.mgc.logged("the KMS does not answer")
        stage.mgc.logged("not-keyed: asking -> closing")
        self.ended(stage)


class Mode3(Case):
    def test_dial_out(self):
        """A ticket of our own (RFC 6043, 4.1.1, mode 3): the KMS is not asked for it, and opens it for who is called."""
        stage = self.stage(mrfp=False)
        tpk = stage.kms.secret("tickets.key", os.urandom(32))
        stage.kms.tool("remove", ROOM)
        stage.kms.enroll(stage.users[ROOM], "--ticket-key", tpk, "--ticket-key-id", ROOM)
        bob = stage.agent(BOB, sip=", answer: manual")
        dialled = self.stage(more=f'dial-out: ["{BOB}"]\n    dial: start', sip=f', proxy: "<sip:{bob.at};lr>"', like=stage,
                             mikey=f", mode: 3, tpk-file: tickets.key, tpk-id: {ROOM}")
        bob.expect("call.incoming", peer=ROOM)
        self.assertEqual(dialled.mgc.metric("gatehouse_mgc_asks_total"), 0)
        bob.do("answer")
        dialled.joined(bob)
        bob.do("bye")
        bob.expect("call.over", why="ours")
        self.ended(dialled)


class Offerless(Case):
    """A caller of its own, by hand: `gatehouse ue` always offers."""

    def setUp(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.sock.close)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(harness.PATIENCE)
        self.at = f"127.0.0.1:{self.sock.getsockname()[1]}"

    def send(self, stage, method, cseq, to=f"<{ROOM}>", body=""):
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (f"{method} {ROOM} SIP/2.0\r\nVia: SIP/2.0/UDP {self.at};branch=z9hG4bK{os.urandom(6).hex()}\r\nFrom: <{ALICE}>;tag=f\r\n"
                f"To: {to}\r\nCall-ID: offerless@{self.at}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{self.at}>\r\nMax-Forwards: 70\r\n"
                f"{kind}Content-Length: {len(body)}\r\n\r\n{body}")
        self.sock.sendto(text.encode(), ("127.0.0.1", int(stage.sip["udp"])))

    def take(self, first):
        """The next message whose first line begins so; what is repeated, and what is provisional, is passed over."""
        for _ in range(50):
            text = self.sock.recv(65536).decode()
            if text.startswith(first):
                return text
        raise AssertionError(f"no {first}; at last: {text}")

    def test_our_offer(self):
        """200 has an offer of ours with a ticket for the caller; an ACK without an answer ends it with BYE and its reason (RFC 3261, 13.2.1)."""
        stage = self.stage()
        self.send(stage, "INVITE", 1)
        ok = self.take("SIP/2.0 200")
        self.assertEqual(len(re.findall(r"^m=application \d+ TCP/TLS/BFCP|^m=message \d+ TCP/TLS/MSRP", ok, re.M)), 2, ok)
        self.assertEqual(len(re.findall(r"^a=key-mgmt:mikey ", ok, re.M)), 2, ok)
        self.assertEqual(ok.count("a=setup:actpass"), 2, ok)
        self.send(stage, "ACK", 1, to=re.search(r"^To: (.*?)\r$", ok, re.M | re.I).group(1))
        bye = self.take("BYE ")
        self.assertRegex(bye, "\r\nReason: SIP;cause=")
        kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq): .*\r\n", bye, re.M | re.I)
        self.sock.sendto(("SIP/2.0 200 OK\r\n" + "".join(kept) + "Content-Length: 0\r\n\r\n").encode(),
                         ("127.0.0.1", int(stage.sip["udp"])))
        self.ended(stage)


if __name__ == "__main__":
    unittest.main(verbosity=2)
