#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Members of a conference who are not ours (TS 23.333, 5.20.2): `gatehouse mikey offer` makes the offer and prints the key, a socket
carries SIP, `openssl s_client -psk` and gnutls-cli speak MSRP through the MRFP. Whatever ends a member, nothing is left of it."""
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import unittest

import harness
import mrfc
from caller import Caller
from harness import until
from kms import User
from mrfc import ALICE, BOB, ROOM
from test_mikey_offer import Offering


def s_client(stream, psk=None):
    return ["openssl", "s_client", "-quiet", "-connect", f"{stream['host']}:{stream['port']}", "-psk", psk or stream["psk"],
            "-psk_identity", stream["psk-identity"]]


def gnutls_cli(stream):
    return ["gnutls-cli", "--pskusername", stream["psk-identity"], "--pskkey", stream["psk"], "--priority",
            "NORMAL:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK", "--port", stream["port"], stream["host"]]


class Other:
    """Its call, its stream, and the program that speaks TLS."""

    def __init__(self, test, identity):
        self.test, self.identity, self.heard = test, identity, b""
        self.caller = Caller(identity, ROOM, test.stage.sip["udp"])
        test.addCleanup(self.caller.close)
        self.offering = Offering("--from", identity, "--to", ROOM, "--kms", "sip:kms.example.com", "--tpk", test.tpk[identity],
                                 "--unsafe-print-psk")
        test.addCleanup(lambda: self.offering.process.poll() is not None or self.offering.close())
        self.own = re.search(r"a=path:(\S+)", self.offering.sdp)[1]

    def call(self, command=None):
        """To where its TLS is begun."""
        sdp = self.caller.invite(self.offering.sdp)
        status, (self.stream,), errors = self.offering.answered(sdp)
        self.test.assertEqual((status, self.stream["verdict"], self.stream["tls"], self.stream["peer"]), (0, "agreed", "client", ROOM),
                              errors)
        if command:
            self.client = self.test.runs(command(self.stream))
        return self

    def say(self, words):
        body = (f"From: <{self.identity}>\r\nTo: <{ROOM}>\r\nDateTime: 2026-01-01T00:00:00Z\r\n\r\n"
                f"Content-Type: text/plain\r\n\r\n{words}")
        number = secrets.token_hex(6)
        self.client.stdin.write((
            f"MSRP {number} SEND\r\nTo-Path: {self.stream['path']}\r\nFrom-Path: {self.own}\r\nMessage-ID: m{number}\r\n"
            f"Byte-Range: 1-{len(body)}/{len(body)}\r\nContent-Type: message/cpim\r\n\r\n{body}\r\n-------{number}$\r\n").encode())
        self.client.stdin.flush()
        return f"MSRP {number} 200"

    def hears(self, words):
        """Octets as they come; what TLS says about itself is among them."""
        os.set_blocking(self.client.stdout.fileno(), False)

        def there():
            self.heard += self.client.stdout.read() or b""
            return words.encode() in self.heard
        until(there, lambda: f"{words} in {self.heard}; {self.test.stage.mgc.log()[-2000:]}")
        return self.heard.decode("latin-1")


class Case(unittest.TestCase):
    agnostic = "false"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-mgc-others-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.stage = mrfc.Stage(cls.folder, agnostic=cls.agnostic)
        cls.addClassCleanup(lambda: cls.stage.close())  # pylint: disable=unnecessary-lambda
        cls.tpk = {}
        for identity in (ALICE, BOB):
            cls.tpk[identity] = cls.stage.kms.secret(identity[4:7] + ".tpk", os.urandom(32))
            cls.stage.kms.tool("remove", identity)
            cls.stage.kms.enroll(User(identity, key_id=None), "--ticket-key", cls.tpk[identity], "--ticket-key-id", identity)

    def tearDown(self):
        self.stage.empty()

    def runs(self, command):
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def end():
            if not client.stdin.closed:
                client.kill()
                client.communicate()
        self.addCleanup(end)
        return client

    @unittest.skipUnless(shutil.which("gnutls-cli"), "gnutls-cli is not installed (package gnutls-bin)")
    def test_openssl_and_gnutls(self):
        """Each hears what the other says, with a key of its own."""
        begun = self.stage.mgc.log().count("tls-up")
        alice, bob = Other(self, ALICE).call(s_client), Other(self, BOB).call(gnutls_cli)
        self.assertNotEqual(alice.stream["psk"], bob.stream["psk"])
        self.stage.mgc.logged("tls-up", begun + 2)
        self.assertEqual(self.stage.mg.metric("gatehouse_contexts"), 1)
        alice.say("morning")
        self.through(bob.hears("morning"), alice, bob)
        bob.say("evening")
        self.through(alice.hears("evening"), bob, alice)
        for other in (alice, bob):
            other.caller.bye()
            other.client.communicate(timeout=harness.PATIENCE)  # TCP went with TLS
        for program in (self.stage.mgc, self.stage.mg):
            for other in (alice, bob):
                self.assertNotIn(other.stream["psk"], program.log().lower(), "a key is in a log")

    def through(self, heard, who, whom):
        """A room speaks for itself: From-Path is its own, To-Path the member's."""
        self.assertIn(f"To-Path: {whom.own}", heard)
        self.assertIn(f"From-Path: {whom.stream['path']}", heard)
        self.assertNotIn(who.own, heard)


class Agnostic(Case):
    """The MRFP reads nothing: paths are the members' own affair."""
    agnostic = "true"

    def through(self, heard, who, whom):
        self.assertIn(f"To-Path: {who.stream['path']}\r\nFrom-Path: {who.own}\r\n", heard)


class Ends(Case):
    test_openssl_and_gnutls = None

    def test_a_wrong_key(self):
        """The TLS of it fails: its call gets BYE with its reason; the other member goes on."""
        bob = Other(self, BOB).call(s_client)
        alice = Other(self, ALICE).call()
        self.runs(s_client(alice.stream, os.urandom(32).hex())).communicate(timeout=harness.PATIENCE)
        self.assertRegex(alice.caller.take("BYE "), r"(?m)^Reason: SIP;cause=503;text=\"the bearer of stream 1: .+\"")
        until(lambda: self.stage.mg.metric("gatehouse_terminations") == 1, "bob alone")
        bob.hears(bob.say("still here"))
        bob.caller.bye()

    def test_a_key_used_before(self):
        """It is erased with its termination: in the next call it opens nothing."""
        alice = Other(self, ALICE).call(s_client)
        alice.hears(alice.say("one"))
        alice.caller.bye()
        alice.client.communicate(timeout=harness.PATIENCE)
        self.stage.empty()
        again = Other(self, ALICE).call()
        self.assertNotEqual(again.stream["psk"], alice.stream["psk"])
        old = dict(alice.stream, host=again.stream["host"], port=again.stream["port"])
        self.runs(s_client(old)).communicate(timeout=harness.PATIENCE)
        again.caller.take("BYE ")

    def test_cancelled(self):
        """While the KMS is thinking: nothing is asked of the MRFP any more."""
        alice, kms = Other(self, ALICE), self.stage.kms.process
        self.stage.empty()
        kms.send_signal(signal.SIGSTOP)
        try:
            alice.caller.send("INVITE", alice.offering.sdp)
            alice.caller.take("SIP/2.0 100 ")
            alice.caller.send("CANCEL", cseq=1, branch=alice.caller.branch)
            alice.caller.take(r"SIP/2.0 200 [^$]*?\bCSeq: 1 CANCEL")
            alice.caller.final(487)
        finally:
            kms.send_signal(signal.SIGCONT)

    def test_a_later_offer_that_cannot_be_taken(self):
        """It changes nothing (RFC 3261, 14)."""
        alice = Other(self, ALICE).call(s_client)
        alice.hears(alice.say("one"))
        alice.caller.invite("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n", 488)
        alice.hears(alice.say("two"))
        alice.caller.bye()

    def test_z_the_kms_is_lost(self):
        """Who is in stays in; a ticket that nobody resolves is no key: refused, and nothing is reserved. The last one: it does not return."""
        alice = Other(self, ALICE).call(s_client)
        bob = Other(self, BOB)
        self.stage.kms.kill()
        bob.caller.invite(bob.offering.sdp, 503)
        alice.hears(alice.say("still here"))
        self.assertEqual(self.stage.mg.metric("gatehouse_terminations"), 1)
        alice.caller.bye()


if __name__ == "__main__":
    unittest.main(verbosity=2)
