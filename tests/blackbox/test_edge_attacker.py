#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scripted attacker at gatehouse-edge, with Kamailio as registrar behind it: the identity of another UE on a flow of one's own, forged and
foreign flow tokens, a REGISTER played again, handshakes without registration, a renegotiation that is spliced, a TLS session that is
resumed from elsewhere, a security agreement bid down, and connections that never get to the point."""
import os
import re
import secrets
import shutil
import ssl
import unittest

import access
import edge
import harness
import kamailio
from edge import Core, Edge, Stream, connect, field, status

BOB = "sip:bob@home.example"


class Case(edge.Case):
    def registered(self, name, *fields, **options):
        ue = self.ue(name, **options)
        ue.register(*fields)
        return ue

    def nothing_at_the_core(self, call, method="MESSAGE"):
        found = [text for text in self.core.requests(method) if field(text, "Call-ID") == call]
        self.assertEqual(found, [])


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Identity(Case, unittest.TestCase):
    """Who has registered as himself speaks as himself."""

    def test_of_another(self):
        bob, mallory = self.registered("bob"), self.registered("carol")
        for how in ({"sender": BOB}, {"sender": "sip:alice@home.example"}):
            self.assertEqual(status(mallory.message(BOB, **how)), 403, how)
        self.assertEqual(status(mallory.message(BOB, "hello", f"P-Preferred-Identity: <{BOB}>")), 403)
        self.assertEqual(bob.messages, [])
        self.assertEqual([text for text in self.core.requests("MESSAGE") if "carol" not in field(text, "P-Asserted-Identity")], [])

    def test_asserted_by_the_ue_itself(self):
        """It is taken out, as is whatever else only the network may say (RFC 3325, R; RFC 7315)."""
        bob, mallory = self.registered("bob"), self.registered("carol")
        mallory.send(mallory.text("MESSAGE", BOB, "P-Asserted-Identity: <sip:alice@home.example>", "P-Charging-Vector: icid-value=mine",
                                  "P-Charging-Function-Addresses: ccf=evil.example", "P-Visited-Network-ID: evil", "P-Asserted-Identity: <tel:+1>",
                                  body="hi", contact=False))
        request = bob.take("MESSAGE")
        bob.reply(request, 200)
        self.assertEqual(status(mallory.final("MESSAGE")), 200)
        seen = self.core.got("MESSAGE", field(request, "Call-ID"))
        self.assertIn("sip:carol@home.example", field(seen, "P-Asserted-Identity"))
        for word in ("alice", "tel:", "evil", "icid-value=mine"):
            self.assertNotIn(word, seen)

    def test_integrity_protected_by_the_ue_itself(self):
        """Without a password that parameter would register anybody (TS 24.229, 5.4.1.2.2E, R); it is the edge's alone."""
        mallory = self.ue("alice")
        mallory.send(mallory.register_text(authorization='Digest username="alice@home.example", realm="home.example", nonce="", uri="sip:home.example", '
                                           'response="", integrity-protected="tls-yes"'))
        self.assertEqual(status(mallory.final("REGISTER")), 401)
        seen = self.core.got("REGISTER", re.escape(mallory.call))
        self.assertEqual(re.findall(r"integrity-protected=\"?([\w-]+)", seen), ["tls-pending"])
        self.assertEqual(self.edge.bindings("alice"), [])

    def test_registers_as_another_beside_himself(self):
        """A flow that is carol's does not register alice, whoever knows whose password: the core is not even asked."""
        mallory = self.registered("carol")
        before = self.edge.bound("carol")
        mallory.identity, mallory.impi, mallory.call = "sip:alice@home.example", "alice@home.example", secrets.token_hex(8)
        mallory.send(mallory.register_text(authorization='Digest username="alice@home.example", realm="home.example", nonce="", '
                                           'uri="sip:home.example", response=""'))
        self.assertEqual(status(mallory.final("REGISTER")), 403)
        self.nothing_at_the_core(mallory.call, "REGISTER")
        self.assertEqual([self.edge.bindings(name) for name in ("carol", "alice")], [before, []])

    def test_answers_in_the_name_of_the_core(self):
        """Who is called sees the edge's own Via of the caller's side, and so the branch: an answer to that one is the core's alone."""
        carol, mallory = self.registered("carol"), self.registered("erin")
        carol.send(carol.text("MESSAGE", mallory.identity, body="hi", contact=False))
        request = mallory.take("MESSAGE")
        vias = [via.strip() for line in re.findall(r"(?im)^Via\s*:\s*(.*)\r$", request.partition("\r\n\r\n")[0] + "\r\n") for via in line.split(",")]
        self.assertIn(carol.here, vias[-1])
        for code in (100, 200, 603):
            mallory.send(f"SIP/2.0 {code} x\r\nVia: {vias[-2]}\r\nVia: {vias[-1]}\r\nFrom: {field(request, 'From')}\r\nTo: {field(request, 'To')};tag=m\r\n"
                         f"Call-ID: {field(request, 'Call-ID')}\r\nCSeq: {field(request, 'CSeq')}\r\n"
                         "P-Asserted-Identity: <sip:bob@home.example>\r\nContent-Length: 0\r\n\r\n")
        mallory.reply(request, 486)
        answer = carol.final("MESSAGE")
        self.assertEqual(status(answer), 486, answer)
        self.assertNotIn("sip:bob@", answer)

    def test_replayed(self):
        """Alice's whole REGISTER, response and all, on a flow of the attacker's: no binding comes of it, and hers stays."""
        alice = self.ue("alice")
        alice.first()
        recorded = alice.register_text(authorization=edge.digest(alice.challenge, alice.impi, alice.password, "REGISTER", "sip:home.example"))
        alice.send(recorded)
        self.assertEqual(status(alice.final("REGISTER")), 200)
        before = self.edge.bound("alice")
        for _ in range(2):
            mallory = self.ue("alice")
            mallory.cseq = alice.cseq
            mallory.send(recorded)
            self.assertGreaterEqual(status(mallory.final("REGISTER")), 400)
            self.assertEqual([one["flow"] for one in self.edge.bindings("alice")], [one["flow"] for one in before])
            self.assertEqual(status(mallory.message(BOB)), 403)


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Tokens(Case, unittest.TestCase):
    """Path and Record-Route name flows by what nobody else can make, and nobody else can use (RFC 5626, 5.2)."""

    def token(self, ue):
        """Of its Path, as the core has it."""
        return re.search(r"<([^>]+)>", field(self.core.got("REGISTER", re.escape(ue.call), r"response=\"[0-9a-f]"), "Path"))[1]

    def sent_from_the_core(self, route, ue):
        """As an S-CSCF sends what is for a UE. @return the status"""
        core = self.own(Core())
        return status(core.answer(core.request(self.edge, "MESSAGE", ue.contact[1:-1], f"Route: <{route}>")))

    def test_forged(self):
        bob = self.registered("bob")
        path = self.token(bob)
        user, rest = re.match(r"sip:([^@]+)@(.*)$", path).groups()
        core = self.own(Core())
        call = core.request(self.edge, "MESSAGE", bob.contact[1:-1], f"Route: <{path}>")
        bob.reply(bob.take("MESSAGE"), 200)
        self.assertEqual(status(core.answer(call)), 200)
        for at in (0, len(user) // 2, len(user) - 1):
            other = user[:at] + ("B" if user[at] == "A" else "A") + user[at + 1:]
            with self.subTest(other):
                self.assertGreaterEqual(self.sent_from_the_core(f"sip:{other}@{rest}", bob), 400)
        for other in (user[:-4], user + "AAAA", "x", "A" * 500, user.swapcase()):
            self.assertGreaterEqual(self.sent_from_the_core(f"sip:{other}@{rest}", bob), 400, other)
        self.assertEqual(bob.messages, [])
        self.assertEqual(len(self.edge.bindings("bob")), 1)

    def test_from_another_flow(self):
        """A token that has become known serves no other UE: what it sends is its own flow's, and goes the way of that one's binding."""
        bob, mallory = self.registered("bob"), self.registered("carol")
        path = self.token(bob)
        stranger = self.ue("alice")
        for who, fine in ((mallory, (200, 403, 404, 430)), (stranger, (403,))):
            who.send(who.text("MESSAGE", "sip:nobody@home.example", f"Route: <{path}>", f"Route: <sip:evil@127.0.0.1:{self.edge.core_port};lr>", body="psst",
                              contact=False))
            self.assertIn(status(who.final("MESSAGE")), fine)
        self.assertEqual(bob.messages, [])
        with self.assertRaises(AssertionError):
            bob.take("MESSAGE", patience=0.2)

    def test_after_the_flow(self):
        """430 Flow Failed, and never another flow."""
        bob = self.registered("bob")
        path = self.token(bob)
        bob.close()
        self.edge.bound("bob", 0)
        others = [self.registered("bob"), self.registered("carol")]
        self.assertEqual(self.sent_from_the_core(path, bob), 430)
        self.assertEqual([other.messages for other in others], [[], []])

    def test_after_the_process(self):
        """No token outlives the edge that made it."""
        other = Edge(self.folder, self.tls, self.core)
        self.addCleanup(other.close)
        bob = self.ue("bob", other)
        bob.register()
        path = self.token(bob)
        other.kill()
        bob.closed()
        other.start()
        self.assertEqual(other.bindings(), [])
        again = self.ue("bob", other)
        again.register()
        core = self.own(Core())
        self.assertEqual(status(core.answer(core.request(other, "MESSAGE", BOB, f"Route: <{path}>"))), 430)
        self.assertEqual(again.messages, [])
        other.close()


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Unregistered(Case, unittest.TestCase):
    """Handshakes outside a registration serve one, or nothing (Annex O, O.4)."""
    CHANGES = {"unregistered": {"requests": 3, "time": "2s", "emergency": ["urn:service:sos"]}, "registration": {"challenge": "2s"}}

    def test_nothing_but_register(self):
        mallory = self.ue("alice")
        for method in ("MESSAGE", "INVITE", "OPTIONS"):
            answer = mallory.ask(method, BOB)
            self.assertEqual(status(answer), 403, answer)
            if method == "INVITE":
                mallory.cseq -= 1
                mallory.send(mallory.text("ACK", BOB, to=field(answer, "To")))
        mallory.closed()
        self.nothing_at_the_core(mallory.call, "")

    def test_nothing_at_all(self):
        """Neither does a connection last that says nothing, nor one that is talkative in vain."""
        silent, pinging = self.ue("alice"), self.ue("alice")
        pinging.send("\r\n\r\n")
        silent.closed()
        pinging.closed()

    def test_challenged_and_gone(self):
        """Who does not answer his challenge has nothing: TLS connection and session go."""
        ue = self.ue("alice")
        ue.first()
        self.assertEqual(status(ue.message(BOB)), 403)
        ue.closed()
        self.assertEqual(self.edge.bindings("alice"), [])

    def test_while_registered_it_stays(self):
        """The limits are those of strangers."""
        alice, silent = self.registered("alice"), self.ue("carol")
        silent.closed()
        self.assertEqual(status(alice.message("sip:nobody@home.example")), 404)


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Sessions(Case, unittest.TestCase):
    """With OpenSSL, which marks its tickets (docs/tls.md)."""
    CHANGES = {"tls_domain": {"engine": "openssl"}}

    def test_stolen_session(self):
        """Whoever resumes alice's TLS session from another address, or port, has no binding: that is of address, port and session (Annex O,
        O.2.2). Hers goes on."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.minimum_version = context.maximum_version = version
                alice = self.ue("alice", sock=connect(self.edge.port, context=context))
                alice.register()
                session = alice.sock.session
                for source in (("127.0.0.2", 0), ("127.0.0.1", 0)):
                    thief = self.ue("alice", sock=connect(self.edge.port, context=context, session=session, source=source))
                    resumed = thief.sock.session_reused
                    self.assertEqual(status(thief.message(BOB)), 403, f"resumed: {resumed}")
                    thief.close()
                self.assertEqual(status(alice.message("sip:nobody@home.example")), 404)
                self.assertEqual(len(self.edge.bound("alice")), 1)
                alice.close()
                self.edge.bound("alice", 0)

    def test_session_of_a_failed_digest(self):
        """Both sides close and delete the session (O.3): nobody resumes it, by its id or by a ticket, as others can be."""
        for version, tickets in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
            for password, resumed in ((None, True), ("guessed", False)):
                with self.subTest(version, tickets=tickets, password=password):
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                    context.minimum_version = context.maximum_version = version
                    context.options |= 0 if tickets else ssl.OP_NO_TICKET
                    ue = self.ue("alice", password=password, sock=connect(self.edge.port, context=context))
                    ue.first()
                    session = ue.sock.session
                    self.assertEqual(status(ue.second()), 403 if password else 200)
                    if password:
                        ue.closed()
                    ue.close()
                    again = self.ue("alice", sock=connect(self.edge.port, context=context, session=session))
                    self.assertEqual(again.sock.session_reused, resumed)
                    self.assertEqual(status(again.message(BOB)), 403)

    @unittest.skipUnless(harness.HAVE_GNUTLS, harness.NO_GNUTLS)
    def test_spliced_renegotiation(self):
        """The shape of CVE-2009-3555: in the midst of a session comes a ClientHello that does not know of it, as the victim's would when it
        is passed on. gnutls-cli, told to leave RFC 5746 out, sends one, and gets no handshake; with RFC 5746 it does."""
        rsa = access.certificate(self.pki, "rsa.home.example", key="rsa")
        here = self.own(Edge(self.folder, rsa, self.core, edge={"host": "rsa.home.example"},
                             tls_domain={"profile": "ts33203-annex-o", "renegotiation": "both"}))
        for said, wanted in (("%SAFE_RENEGOTIATION", b"ReHandshake was completed"), ("%DISABLE_SAFE_RENEGOTIATION", b"ReHandshake has failed")):
            with self.subTest(said):
                peer = self.peer("gnutls-cli", "--insecure", "--no-ca-verification", "--inline-commands", "--priority",
                                 f"NORMAL:-VERS-ALL:+VERS-TLS1.2:+3DES-CBC:+SHA1:{said}", "--port", str(here.port), "localhost")
                peer.says("Simple Client Mode")
                peer.send(b"^renegotiate^\n")
                peer.says("ReHandshake ")
                peer.says(wanted)
        self.assertEqual(here.bindings(), [])

    def test_security_agreement_is_not_bid_down(self):
        """The second REGISTER has to say again what the edge offered (RFC 3329, 2.3.1): anything else is 494."""
        agree = ("Require: sec-agree", "Proxy-Require: sec-agree", "Security-Client: tls")
        for verify, wanted in ((None, 200), ("tls;q=0.1, digest;q=0.9", 494), ("digest", 494), ("", 494)):
            with self.subTest(verify):
                ue = self.ue("carol")
                ue.first(*agree)
                self.assertTrue(ue.verify.startswith("tls"), ue.verify)
                said = ue.verify if verify is None else verify
                self.assertEqual(status(ue.second(*agree, *([f"Security-Verify: {said}"] if said else []))), wanted)
                ue.close()
        for text in self.core.requests("REGISTER"):
            for name in ("Security-Client", "Security-Verify", "sec-agree"):
                self.assertNotIn(name, text)


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class SessionsOfGnutls(Case, unittest.TestCase):
    """With GnuTLS, whose tickets are known by their hashes."""
    CHANGES = {"tls_domain": {"engine": "gnutls"}}
    test_stolen_session = Sessions.test_stolen_session
    test_session_of_a_failed_digest = Sessions.test_session_of_a_failed_digest


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Slow(Case, unittest.TestCase):
    """Connections that never come to the point cost only themselves."""
    CHANGES = {"access": {"handshake": "2s", "message": "2s"}, "unregistered": {"time": "20s"}, "limits": {"per-source": 60}}

    def test_slow_loris(self):
        plain = [self.own(Stream(harness.connect(self.edge.port))) for _ in range(10)]
        for one in plain[:5]:
            one.send(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        slow = [self.ue("carol") for _ in range(10)]
        for one in slow[:5]:
            one.send("REGISTER sip:home.example SIP/2.0\r\nVia: ")
        for one in slow[5:]:
            one.send(one.text("MESSAGE", BOB, body="x" * 100)[:-50])
        alice, bob = self.registered("alice"), self.registered("bob")  # others are served meanwhile
        alice.send(alice.text("MESSAGE", BOB, body="hi", contact=False))
        bob.reply(bob.take("MESSAGE"), 200)
        self.assertEqual(status(alice.final("MESSAGE")), 200)
        for one in plain + slow:
            one.closed()
        self.assertEqual(status(alice.message("sip:nobody@home.example")), 404)

    def test_too_many_of_one_source(self):
        """Beyond the limit of a source nobody from there is let in; other sources are."""
        held = []
        for _ in range(60):
            held.append(self.own(Stream(harness.connect(self.edge.port))))
        refused = self.own(Stream(harness.connect(self.edge.port)))
        refused.closed()
        elsewhere = self.ue("alice", source=("127.0.0.2", 0))
        elsewhere.register()

    def test_noise(self):
        """What is no TLS, no SIP, or too much of it ends its own connection."""
        alice = self.registered("alice", source=("127.0.0.3", 0))
        noise = self.own(Stream(harness.connect(self.edge.port)))
        noise.send(os.urandom(3000))
        noise.closed()
        for octets in (os.urandom(70000), b"X" * 300000, b"REGISTER sip:home.example SIP/2.0\r\n" + b"Via: x\r\n" * 20000):
            ue = self.ue("carol", source=("127.0.0.3", 0))
            try:
                ue.send(octets)
            except (OSError, ssl.SSLError):
                pass  # it hung up first
            ue.closed()
        self.assertEqual(status(alice.message("sip:nobody@home.example")), 404)


if __name__ == "__main__":
    if not shutil.which("openssl"):
        raise SystemExit(77)
    unittest.main(verbosity=2)
