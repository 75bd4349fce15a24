#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-edge between user agents (`gatehouse ue`, and some by hand) and Kamailio as registrar and S-CSCF: registration, messages and calls both
ways, renegotiation, lost connections, failed and stale Digest, and the death of the edge and of the core."""
import os
import re
import shutil
import ssl
import unittest

import access
import edge
import harness
import kamailio
from edge import Core, Edge, Ue, field, status

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Case(harness.Case):
    CORE, CHANGES = {}, {}

    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def stage(self, core=None, **changes):
        """A core and an edge of this test's own."""
        self.core = self.own(kamailio.Kamailio(self.folder, access.PASSWORDS, **(core or {})))
        self.edge = self.own(Edge(self.folder, self.tls, self.core, **changes))
        return self.edge

    def agent(self, name, **options):
        agent = access.outbound(self.folder, name, self.edge, self.tls["ca"], **options)
        self.addCleanup(lambda: agent.process.poll() is not None or agent.close(kill=True))
        return agent

    def registered(self, name, **options):
        agent = self.agent(name, **options)
        agent.expect("sip.registered", status="200")
        return agent

    def ue(self, name="alice", **options):
        return self.own(Ue(self.edge, name, **options))


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Serves(Case, unittest.TestCase):
    def test_registers_talks_and_calls(self):
        self.stage({"associated": "<sip:$tU@home.example>, <tel:+1555$(tU{s.len})>"})
        alice, bob = self.registered("alice"), self.registered("bob")
        one = self.edge.bound("alice")[0]
        self.assertEqual(one["impus"], ["sip:alice@home.example", "tel:+15555"])
        self.what_the_registrar_saw()
        for source, other in ((alice, bob), (bob, alice)):
            source.do(f"message sip:{other.name}@home.example hello")
            other.expect("message", text="hello")
            source.expect("message.answer", status="200")
            seen = self.core.got("MESSAGE", f"From:.*sip:{source.name}@")
            self.assertIn(f"<sip:{source.name}@home.example>", field(seen, "P-Asserted-Identity"))
            self.assertNotIn("P-Preferred-Identity", seen)
        for source, other, ends in ((alice, bob, alice), (bob, alice, alice)):
            source.do(f"call sip:{other.name}@home.example sdp=none")
            other.expect("call.incoming")
            for each in (source, other):
                each.expect("call.up")
            ends.do("bye")
            for each in (source, other):
                each.expect("call.over")
        access.ended(alice, bob)
        self.edge.bound("alice", 0)
        self.edge.bound("bob", 0)

    def test_a_core_that_does_not_stay_in_the_call(self):
        """Both sides of the call are the edge's own then: what the one says goes out, and comes back for the other."""
        self.stage({"stays": False})
        alice, bob = self.registered("alice"), self.registered("bob")
        for ends in (alice, bob):
            alice.do("call sip:bob@home.example sdp=none")
            bob.expect("call.incoming")
            for each in (alice, bob):
                each.expect("call.up")
            ends.do("bye")
            for each in (alice, bob):
                each.expect("call.over")
        self.assertNotIn("BYE", [request.split()[0] for request in self.core.requests()])
        access.ended(alice, bob)

    def what_the_registrar_saw(self):
        first, second = (self.core.got("REGISTER", "From:.*alice", pattern) for pattern in (r'response=""|^(?!.*Authorization)', 'response="[0-9a-f]'))
        for text in (first, second):
            path = field(text, "Path")
            self.assertRegex(path, r"^<sip:[^@>]{10,}@[^>]*;lr[^>]*>")
            self.assertRegex(path, r";ob\b")
            self.assertIn("path", field(text, "Require"))
            self.assertTrue(field(text, "P-Visited-Network-ID"), text)
            self.assertRegex(field(text, "P-Charging-Vector"), "icid-value=")
            for name in ("Security-Client", "Security-Verify", "sec-agree"):
                self.assertNotIn(name, text)
        self.assertIn('integrity-protected="tls-pending"', second)

    def test_a_refresh_goes_over_the_live_session(self):
        """O.4.3: the same connection, and the core is told that it is protected."""
        self.stage()
        alice = self.registered("alice")
        before = self.edge.bound("alice")[0]
        alice.do("register")
        alice.expect("sip.registered", status="200")
        self.assertIn('integrity-protected="tls-yes"', self.core.got("REGISTER", "integrity-protected=\"tls-yes\""))
        after = self.edge.bound("alice")[0]
        self.assertEqual([after[key] for key in ("flow", "session")], [before[key] for key in ("flow", "session")])
        access.ended(alice)

    def test_cut_off(self):
        """A lost connection ends the binding; the UE registers anew, and is reached there."""
        self.stage()
        alice, bob = self.registered("alice"), self.registered("bob")
        before = self.edge.bound("bob")[0]
        bob.do("cut")
        bob.expect("sip.registered", status="200")
        self.assertNotEqual(self.edge.bound("bob")[0]["flow"], before["flow"])
        alice.do("message sip:bob@home.example again")
        bob.expect("message", text="again")
        alice.expect("message.answer", status="200")
        access.ended(alice, bob)

    def test_the_core_is_told_of_a_loss(self):
        self.stage(registration={"on-loss": "deregister"})
        alice, bob = self.registered("alice"), self.ue("bob")
        bob.register()
        bob.close()
        seen = self.core.got("REGISTER", "To:.*bob", "^Expires: 0|expires=0")
        self.assertIn('integrity-protected="tls-yes"', seen)
        alice.do("message sip:bob@home.example gone")
        alice.expect("message.answer", status="404")
        access.ended(alice)

    def test_the_core_is_not_told_of_a_loss(self):
        self.stage()
        alice, bob = self.registered("alice"), self.ue("bob")
        bob.register()
        bob.close()
        self.edge.bound("bob", 0)
        alice.do("message sip:bob@home.example gone")
        alice.expect("message.answer", status="430")
        self.assertEqual([text for text in self.core.requests("REGISTER") if re.search(r"Expires: 0\r|expires=0", text)], [])
        access.ended(alice)

    def test_an_end_by_the_ue(self):
        """200 to a REGISTER with expiry 0 ends the binding; the connection is a stranger's then."""
        self.stage()
        alice = self.ue("alice")
        alice.register()
        self.edge.bound("alice")
        self.assertEqual(status(alice.message("sip:nobody@home.example")), 404)
        alice.first()
        self.assertEqual(status(alice.second(expires=0)), 200)
        self.edge.bound("alice", 0)
        self.assertEqual(status(alice.message("sip:nobody@home.example")), 403)


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Challenges(Case, unittest.TestCase):
    """Annex O, O.3."""

    def test_wrong_password(self):
        """The answer passes, and TLS is closed."""
        self.stage()
        mallory = self.agent("alice", password="guessed", retry="10m")
        mallory.expect("sip.unanswered", status="403", why="digest")
        self.assertEqual(self.edge.bindings(), [])
        self.assertEqual(mallory.close(), 0)
        ue = self.ue("alice")
        ue.first()
        self.assertEqual(status(ue.second(password="guessed")), 403)
        ue.closed()

    def test_challenged_again(self):
        """A second 401 that is not stale, after a response, says that it was wrong, too."""
        self.stage({"wrong": "401"})
        core = self.own(Core())
        other = self.own(Edge(self.folder, self.tls, core.uri))
        ue = self.own(Ue(other, "alice"))
        for number in (1, 2):
            ue.send(ue.register_text(authorization=None if number == 1 else edge.digest(ue.challenge, ue.impi, "x", "REGISTER", "sip:home.example")))
            request = core.take("REGISTER")
            core.reply(request, 401, f'WWW-Authenticate: Digest realm="home.example", nonce="n{number}", qop="auth", algorithm=MD5')
            answer = ue.final("REGISTER")
            self.assertEqual(status(answer), 401)
            ue.challenge = field(answer, "WWW-Authenticate")
        ue.closed()

    def test_stale(self):
        """The same session goes on."""
        self.stage({"nonce_expire": 1})
        alice = self.ue("alice")
        alice.register()
        flow = self.edge.bound("alice")[0]["flow"]
        count = 2
        while True:
            answer = alice.second(nc=count)
            count += 1
            if status(answer) == 401:
                break
        self.assertIn("stale=true", answer)
        self.assertEqual(self.edge.bound("alice")[0]["flow"], flow)
        alice.challenge = field(answer, "WWW-Authenticate")
        self.assertEqual(status(alice.second()), 200)
        self.assertEqual(self.edge.bound("alice")[0]["flow"], flow)
        self.assertEqual(status(alice.message("sip:nobody@home.example")), 404)

    def test_a_challenge_without_an_answer(self):
        self.stage(registration={"challenge": "2s"})
        alice = self.ue("alice")
        alice.first()
        alice.closed()


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Renews(Case, unittest.TestCase):
    """Annex O, O.4: the edge renegotiates at any time; afterwards the new session id is in the binding."""

    def test_by_command(self):
        for engine in ("openssl", "gnutls"):
            for profile in ("ts33203-annex-o-rel17", "ts33210-rel17"):
                with self.subTest(engine=engine, profile=profile):
                    self.stage(tls_domain={"engine": engine, "renegotiation": "server", "profile": profile})
                    alice = self.registered("alice", tls=f", profile: {profile}")
                    before = self.edge.bound("alice")[0]
                    self.edge.order("renegotiate", before["flow"])
                    self.edge.logged("event=rekeyed")
                    after = self.edge.bound("alice")[0]
                    self.assertEqual(after["flow"], before["flow"])
                    self.assertNotEqual(after["session"], before["session"])
                    alice.do("message sip:alice@home.example round")
                    alice.expect("message", text="round")
                    alice.expect("message.answer", status="200")
                    alice.do("register")
                    alice.expect("sip.registered", status="200")
                    self.core.got("REGISTER", "tls-yes")
                    access.ended(alice)

    def test_at_the_end_of_a_lifetime(self):
        self.stage(session={"lifetime": "1s", "renew-before": "500ms"}, tls_domain={"renegotiation": "server"})
        alice = self.registered("alice", tls=", profile: ts33203-annex-o-rel17")
        before = self.edge.bound("alice")[0]
        self.edge.logged("event=rekeyed", 2)
        self.assertNotEqual(self.edge.bound("alice")[0]["session"], before["session"])
        self.assertIn("registered for longer than session.lifetime", self.edge.log())
        access.ended(alice)

    def test_ignored(self):
        """A UE that does not answer HelloRequest loses its session where the policy says so."""
        self.stage(session={"lifetime": "1s", "renew-before": "500ms", "renew-timeout": "300ms", "ignored": "end"}, tls_domain={"renegotiation": "server"})
        alice = self.ue("alice", version=TLS12)
        alice.register()  # and reads nothing from now on
        self.edge.logged("event=registered .*impi=alice")
        self.edge.bound("alice", 0)
        alice.closed()

    def test_keys_that_do_not_come(self):
        """TLS 1.3: who talks on under the keys that it was asked to change, for it never looks (RFC 8446, 4.6.3), loses its session likewise, or may
        go on; who is silent owes nothing."""
        session = {"lifetime": "2s", "renew-before": "1s", "renew-timeout": "300ms"}
        for ignored in ("end", "continue"):
            with self.subTest(ignored):
                self.stage(session=session | {"ignored": ignored}, access={"handshake": "2s"}, metrics={"listen": "127.0.0.1:0"})
                alice = self.ue("alice", version=TLS13)
                alice.register()  # and reads nothing from now on
                self.edge.logged("event=rekeyed", 2)
                self.assertEqual(self.edge.counters()["ignored_total"], 0)
                harness.until(lambda: self.pinged(alice) and self.edge.counters()["ignored_total"] == 1, self.edge.log)
                self.assertEqual(len(self.edge.bindings("alice")), int(ignored == "continue"))
                self.assertEqual('end="not renegotiated"' in self.edge.log(), ignored == "end")

    @staticmethod
    def pinged(ue):
        """RFC 5626, 4.4.1; by somebody who may have been shown out."""
        try:
            ue.send("\r\n\r\n")
        except OSError:
            pass
        return True


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Proves(Case, unittest.TestCase):
    """Who the P-CSCF is (Annex O, O.2.2; RFC 5922)."""

    def test_another_name(self):
        self.stage()
        mistaken = self.agent("alice", outbound=", name: elsewhere.example", retry="10m")
        mistaken.expect("sip.unanswered")
        self.edge.logged(r"alert")
        self.assertEqual(self.core.requests(), [])
        self.assertEqual(mistaken.close(), 0)

    def test_another_authority(self):
        self.stage()
        mistaken = access.outbound(self.folder, "alice", self.edge, self.pki.path("other.pem"), retry="10m")
        mistaken.expect("sip.unanswered")
        self.edge.logged(r"alert=\S*(unknown_ca|certificate)")
        self.assertEqual(self.core.requests(), [])
        self.assertEqual(mistaken.close(), 0)

    def test_a_root_that_comes_along(self):
        """One that differs from the known root in serial number, validity and signature alone changes nothing; one with another key does not stand for
        it, whatever it is called (O.5.3; RFC 5280, 6)."""
        again, fake = self.pki.path("again.pem"), self.pki.path("fake.pem")
        self.pki.tool("req", "-x509", "-key", "ca.key", "-subj", "/O=Home/CN=Home CA", "-days", "20", "-out", again)
        self.pki.tool("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "fake.key", "-subj",
                      "/O=Home/CN=Home CA", "-out", fake)
        for root, ca, fine in ((again, "ca", True), (fake, "fake", False)):
            with self.subTest(ca):
                tls = access.certificate(self.pki, "rooted.home.example", ca=ca)
                with open(tls["cert"], "a", encoding="ascii") as chain, open(root, encoding="ascii") as file:
                    chain.write(file.read())
                core = self.own(kamailio.Kamailio(self.folder, access.PASSWORDS))
                self.edge = self.own(Edge(self.folder, tls, core, edge={"host": "rooted.home.example"}))
                alice = self.agent("alice", retry="10m")
                if fine:
                    alice.expect("sip.registered", status="200")
                    access.ended(alice)
                else:
                    alice.expect("sip.unanswered")
                    self.edge.logged(r"alert")
                    self.assertEqual(core.requests(), [])
                    self.assertEqual(alice.close(), 0)

    def test_our_own_certificate_is_held_against_o5(self):
        self.stage()
        for name, tls in (("names nobody", access.certificate(self.pki, "one two", ())), ("another host", access.certificate(self.pki, "else.example", ()))):
            with self.subTest(name):
                other = Edge(self.folder, tls, self.core, wait=False)
                self.assertNotEqual(other.process.wait(harness.PATIENCE), 0)
                self.assertRegex(other.log(), "O\\.5|certificate")

    def test_no_certificate_of_the_ue_is_asked(self):
        self.stage()
        if not shutil.which("openssl"):
            self.skipTest(harness.NO_OPENSSL)
        peer = self.peer("openssl", "s_client", "-connect", f"127.0.0.1:{self.edge.port}", "-tls1_2", "-msg")
        peer.says("Verify return code")
        self.assertNotIn(b"CertificateRequest", peer.text)
        self.assertIn(b"No client certificate CA names sent", peer.text)


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Dies(Case, unittest.TestCase):
    def test_the_edge(self):
        """No binding outlives it; who was there registers again, and is reached."""
        self.stage()
        alice, bob = self.registered("alice"), self.registered("bob")
        self.edge.kill()
        self.edge.start()
        for agent in (alice, bob):
            agent.expect("sip.registered", status="200")
        alice.do("message sip:bob@home.example back")
        bob.expect("message", text="back")
        access.ended(alice, bob)

    def test_the_core(self):
        """Requests get an answer, bindings stay, and when the core is back all goes on."""
        self.stage()
        alice = self.registered("alice")
        before = self.edge.bound("alice")[0]["flow"]
        self.core.kill()
        alice.do("message sip:bob@home.example hello")
        answer = alice.expect("message.answer", patience=2.5 * harness.PATIENCE)
        self.assertIn(int(answer["status"]), (408, 480, 500, 503, 504))
        self.assertEqual(self.edge.bound("alice")[0]["flow"], before)
        self.core.start()
        alice.do("register")
        alice.expect("sip.registered", status="200")
        alice.do("message sip:alice@home.example back")
        alice.expect("message", text="back")
        access.ended(alice)

    def test_the_edge_in_order(self):
        self.stage()
        alice = self.registered("alice")
        self.edge.close()
        alice.expect("sip.down")
        self.assertEqual(alice.close(), 0)


if __name__ == "__main__":
    os.environ.setdefault("GATEHOUSE_PATIENCE", "15")
    unittest.main(verbosity=2)
