#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two gatehouse-edge behind one name (docs/edge.md, "A pool"): a request that comes to the wrong one finds the flow's owner; nothing outlives an edge
that was killed; without Redis own flows go on. The core is the test."""
import os
import re
import secrets
import signal
import ssl
import time
import unittest
import urllib.request

import access
import edge
import harness
import kamailio
import redis_server
from edge import Edge, field, status
from test_ue_access import Names

CORE_NAME = "pcscf-core.home.example"  # of both: nobody looks it up
CHALLENGE = 'WWW-Authenticate: Digest realm="home.example", nonce="n%s", algorithm=MD5, qop="auth"'


@unittest.skipUnless(redis_server.HAVE, redis_server.MISSING)
class Pool(harness.Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def setUp(self):
        self.redis = self.own(redis_server.Redis(self.folder))
        self.core = self.own(edge.Core())
        self.secret = os.path.join(self.folder, f"pool-{secrets.token_hex(4)}.key")
        with open(self.secret, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(secrets.token_hex(32))
        self.one, self.two = self.member(), self.member()

    def member(self, **changes):
        port = harness.free_port()
        return self.own(Edge(self.folder, self.tls, self.core, core_port=port, **{"edge": {"drain": "50ms"}, "core": {"host": CORE_NAME}, "pool": {
            "name": "west", "id": f"edge-{port}", "address": f"sip:127.0.0.1:{port};transport=tcp", "redis": f"127.0.0.1:{self.redis.port}",
            "secret-file": self.secret}, **changes}))

    def ready(self, *edges):
        for one in edges or (self.one, self.two):
            one.logged(f"Redis at 127.0.0.1:{self.redis.port} is there")

    def registered(self, at, name="alice", **options):
        """A UE that has registered there. @return it and the Path that leads to it"""
        ue = self.own(edge.Ue(at, name, **options))
        ue.send(ue.register_text(authorization=f'Digest username="{ue.impi}", realm="{ue.domain}", nonce="", uri="sip:{ue.domain}", response=""'))
        self.core.reply(self.core.take("REGISTER"), 401, CHALLENGE % secrets.token_hex(8))
        ue.challenge = field(ue.final("REGISTER"), "WWW-Authenticate")
        ue.send(ue.register_text(authorization=edge.digest(ue.challenge, ue.impi, ue.password, "REGISTER", f"sip:{ue.domain}")))
        request = self.core.take("REGISTER")
        self.core.reply(request, 200, f"Contact: {ue.contact};expires=3600", f"P-Associated-URI: <{ue.identity}>")
        self.assertEqual(status(ue.final("REGISTER")), 200)
        at.bound(name)
        return ue, field(request, "Path")

    def said_to(self, ue, path, at, words="hello"):
        """A MESSAGE for it, by its Path, to this edge. @return its Call-ID"""
        return self.core.request(at, "MESSAGE", re.search(r"<(.*?)>", ue.contact)[1], f"Route: {path}", "Content-Type: text/plain", body=words)

    def heard(self, ue, path, at):
        """It comes to the UE, and its answer back to the core."""
        call = self.said_to(ue, path, at)
        came = ue.take("MESSAGE")
        self.assertEqual(field(came, "Call-ID"), call)
        ue.reply(came, 200)
        self.assertEqual(status(self.core.answer(call)), 200)
        return came

    def found_at(self, ue, path, at):
        """It may take until the binding is in Redis."""
        def heard():
            call = self.said_to(ue, path, at)
            answer, end = None, time.monotonic() + harness.PATIENCE
            while not answer and time.monotonic() < end:
                ue.sock.settimeout(0.02)
                try:
                    ue.more()
                except TimeoutError:
                    pass
                for came in [one for one in ue.messages if one.startswith("MESSAGE")]:
                    ue.messages.remove(came)
                    ue.reply(came, 200)
                self.core.sock.settimeout(0.02)
                try:
                    answer = self.core.answer(call)
                except TimeoutError:
                    answer = None
            self.core.sock.settimeout(harness.PATIENCE)
            return answer and status(answer) == 200
        harness.until(heard, lambda: f"a way to {ue.name}: {self.one.log()[-2000:]} {self.two.log()[-2000:]}")

    def refused(self, ue, path, at):
        """@return the status"""
        return status(self.core.answer(self.said_to(ue, path, at)))

    def test_the_wrong_edge(self):
        """Both ways; the token stays good for its owner alone, and a forged one leads nowhere."""
        self.ready()
        alice, to_alice = self.registered(self.one)
        bob, to_bob = self.registered(self.two, "bob")
        self.assertIn(CORE_NAME, to_alice)
        self.heard(alice, to_alice, self.one)
        self.found_at(alice, to_alice, self.two)
        self.found_at(bob, to_bob, self.one)
        came = self.heard(alice, to_alice, self.two)
        self.assertEqual(len(re.findall(r"(?m)^Via:", came)), 3, came)  # the core's, and both edges'
        token = re.search(r"sip:([^@;>]+)@", to_alice)[1]
        for at in (len(token) // 2, len(token) - 3):
            forged = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
            self.assertIn(self.refused(alice, to_alice.replace(token, forged), self.two), (403, 404, 430))
        # A UE may not use another edge's token to get at somebody else.
        bob.send(bob.text("MESSAGE", alice.identity, f"Route: {to_alice}", "Content-Type: text/plain", body="x", contact=False))
        self.assertGreaterEqual(status(bob.final("MESSAGE")), 400)
        # It leaves: nobody has it any more.
        alice.close()
        self.one.bound("alice", 0)
        harness.until(lambda: self.refused(alice, to_alice, self.two) == 430, self.two.log)
        self.heard(bob, to_bob, self.two)

    def test_owner_killed(self):
        """kill -9: what it had is gone with it, at once for itself when it starts again, for the other one as soon as it is missed."""
        self.ready()
        alice, to_alice = self.registered(self.one)
        self.found_at(alice, to_alice, self.two)
        self.one.kill()
        self.assertIn(self.refused(alice, to_alice, self.two), (430, 503))
        self.one.start()
        self.one.logged(f"Redis at 127.0.0.1:{self.redis.port} is there", count=2)
        self.assertEqual(self.refused(alice, to_alice, self.one), 430)
        harness.until(lambda: self.refused(alice, to_alice, self.two) == 430, self.two.log)
        self.assertEqual(self.one.bindings(), [])
        again, to_again = self.registered(self.one)
        self.assertNotEqual(to_again, to_alice)
        self.found_at(again, to_again, self.two)
        self.assertEqual(self.refused(alice, to_alice, self.two), 430)

    def test_redis_dies_and_comes_back(self):
        """Own flows go on; of foreign ones nothing is said but that it is not known now."""
        self.ready()
        alice, to_alice = self.registered(self.one)
        self.found_at(alice, to_alice, self.two)
        self.redis.process.send_signal(signal.SIGSTOP)
        try:
            self.heard(alice, to_alice, self.one)
            self.assertEqual(self.refused(alice, to_alice, self.two), 503)
        finally:
            self.redis.process.send_signal(signal.SIGCONT)
        self.found_at(alice, to_alice, self.two)
        self.redis.kill()
        for one in (self.one, self.two):
            one.logged(f"Redis at 127.0.0.1:{self.redis.port} is lost")
            self.assertEqual(one.order("status")["pool"], 0)
        self.heard(alice, to_alice, self.one)
        answer = self.core.answer(self.said_to(alice, to_alice, self.two))
        self.assertEqual(status(answer), 503)
        self.assertRegex(field(answer, "Retry-After"), r"^\d+")
        bob, to_bob = self.registered(self.two, "bob")
        self.heard(bob, to_bob, self.two)
        self.redis.start()
        for one in (self.one, self.two):
            one.logged(f"Redis at 127.0.0.1:{self.redis.port} is there again")
            self.assertEqual(one.order("status")["pool"], 1)
        self.found_at(alice, to_alice, self.two)
        self.found_at(bob, to_bob, self.one)

    def test_a_call_by_the_wrong_edge(self):
        """INVITE, ACK of its 2xx, and what follows in its dialog, from both ends."""
        self.ready()
        alice, to_alice = self.registered(self.one)
        self.found_at(alice, to_alice, self.two)
        target = re.search(r"<(.*?)>", alice.contact)[1]
        call = self.core.request(self.two, "INVITE", target, f"Route: {to_alice}")
        invite = alice.take("INVITE")
        alice.reply(invite, 200, f"Contact: {alice.contact}")
        answer = self.core.answer(call)
        recorded = re.findall(r"(?m)^Record-Route: (.*?)\r$", answer)
        self.assertTrue(recorded)
        local, remote = field(answer, "From"), field(answer, "To")

        def within(method, number, routes):
            lines = "".join(f"Route: {one}\r\n" for one in routes)
            self.core.sock.sendto((f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self.core.port};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
                                   f"Max-Forwards: 70\r\n{lines}From: {local}\r\nTo: {remote}\r\nCall-ID: {call}\r\nCSeq: {number} {method}\r\n"
                                   "Content-Length: 0\r\n\r\n").encode(), ("127.0.0.1", self.two.core_port))
        within("ACK", 1, recorded[::-1])
        alice.take("ACK")
        within("INFO", 2, recorded[::-1])
        info = alice.take("INFO")
        alice.reply(info, 200)
        self.assertEqual(status(self.core.answer(call)), 200)
        back = "".join(f"Route: {one}\r\n" for one in re.findall(r"(?m)^Record-Route: (.*?)\r$", invite))
        alice.send(f"BYE {self.core.uri} SIP/2.0\r\nVia: SIP/2.0/TLS {alice.here};branch=z9hG4bK{secrets.token_hex(8)}\r\nMax-Forwards: 70\r\n{back}"
                   f"From: {remote}\r\nTo: {local}\r\nCall-ID: {call}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n")
        self.core.reply(self.core.take("BYE"), 200)
        self.assertEqual(status(alice.answer()), 200)

    def test_an_address_that_is_another_s(self):
        """An edge that says the wrong address of itself: who is sent there finds itself, and goes in no circle."""
        port = harness.free_port()
        looking = self.member(metrics={"listen": f"127.0.0.1:{port}"})
        wrong = self.member(pool={"name": "west", "id": "wrong", "address": looking.settings["pool"]["address"],
                                  "redis": f"127.0.0.1:{self.redis.port}", "secret-file": self.secret})
        self.ready(looking, wrong)
        alice, to_alice = self.registered(wrong)

        def found():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=harness.PATIENCE) as answer:
                return int(re.search(rb"^gatehouse_edge_pool_others_total (\d+)", answer.read(), re.M)[1])
        harness.until(lambda: self.refused(alice, to_alice, looking) == 430 and found(), looking.log)
        before = found()
        self.assertEqual(self.refused(alice, to_alice, looking), 430)
        self.assertLessEqual(found(), before + 1)
        self.heard(alice, to_alice, wrong)

    def test_resumption_at_the_other(self):
        """A TLS session of one edge is resumed at the other, by ticket keys in common; and is no registration there."""
        self.ready()
        for one in (self.one, self.two):
            one.logged("tls domain=access has its ticket keys in common with its pool")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.minimum_version = context.maximum_version = version
                alice, _ = self.registered(self.one, context=context)
                session = alice.sock.session  # tickets of TLS 1.3 have come before the answers
                self.resumed(context, session)
                self.two.process.send_signal(signal.SIGHUP)
                self.two.logged("event=reloaded", count=1 if version == ssl.TLSVersion.TLSv1_2 else 2)
                self.resumed(context, session)
                alice.close()
                self.one.bound("alice", 0)

    def resumed(self, context, session):
        here = self.own(edge.Ue(self.two, "alice", context=context, session=session))
        self.assertEqual(status(here.message("sip:bob@home.example")), 403)
        self.assertTrue(here.sock.session_reused)
        self.assertEqual(self.two.bindings(), [])

    def test_another_secret(self):
        """Who writes to the same Redis with another secret is none of the pool."""
        other = os.path.join(self.folder, "other.key")
        with open(other, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(secrets.token_hex(32))
        port = harness.free_port()
        stranger = self.member(pool={"name": "west", "id": "stranger", "address": f"sip:127.0.0.1:{port};transport=tcp",
                                     "redis": f"127.0.0.1:{self.redis.port}", "secret-file": other})
        self.ready(self.one, stranger)
        alice, to_alice = self.registered(self.one)
        self.found_at(alice, to_alice, self.two)
        self.assertIn(self.refused(alice, to_alice, stranger), (403, 404, 430))


@unittest.skipUnless(redis_server.HAVE and kamailio.HAVE, f"{redis_server.MISSING}; or {kamailio.MISSING}")
class BehindOneName(harness.Case, unittest.TestCase):
    def test_a_ue_goes_to_the_other(self):
        """Two addresses of one name: the edge of one is killed, its UE registers at the other and is reached there."""
        tls, port = access.certificate(self.pki), harness.free_port()
        redis = self.own(redis_server.Redis(self.folder))
        core = self.own(kamailio.Kamailio(self.folder, access.PASSWORDS))
        secret = os.path.join(self.folder, "pool.key")
        with open(secret, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(secrets.token_hex(32))
        pool = {"name": "west", "redis": f"127.0.0.1:{redis.port}", "secret-file": secret}
        there = {address: self.own(Edge(self.folder, tls, core, port=port, access={"listen": [f"tls:{address}:{port}"]}, edge={"drain": "50ms"}, pool=pool))
                 for address in ("127.0.0.77", "127.0.0.1")}
        names = self.own(Names(*there))

        def agent(name):
            one = access.agent(self.folder, name, f"sip:{access.NAME}:{port};transport=tls;lr", "tls", None, tls["ca"],
                               f", user: {name}@home.example, outbound: {{retry: 100ms}}, dns: '{names.where}'")
            self.addCleanup(lambda: one.process.poll() is not None or one.close(kill=True))
            one.expect("sip.registered", status="200")
            return one
        alice = agent("alice")
        killed = next(one for one in there.values() if one.bindings("alice"))
        left = next(one for one in there.values() if one is not killed)
        killed.kill()
        alice.expect("sip.registered", status="200")
        left.bound("alice")
        bob = agent("bob")
        left.bound("bob")
        bob.do("message sip:alice@home.example hello")
        alice.expect("message", text="hello")
        bob.expect("message.answer", status="200")


if __name__ == "__main__":
    unittest.main()
