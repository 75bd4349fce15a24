#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-edge as the proxy of calls, message by message (RFC 3261, 16; RFC 5626, 5): CANCEL, forked calls, requests within dialogs, emergency calls
of whom nobody knows, flows that fall silent, and 503 where there is too much."""
import re
import secrets
import shutil
import unittest

import access
import edge
import harness
import kamailio
from edge import Core, Edge, Ue, field, status

BOB = "sip:bob@home.example"
SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"


def routes(message, reverse=False):
    """Route lines out of Record-Route."""
    found = re.findall(r"<[^>]*>", ",".join(re.findall(r"(?im)^Record-Route\s*:(.*?)\r$", message)))
    return ["Route: " + route for route in (reversed(found) if reverse else found)]


def target(message):
    return re.search(r"<([^>]*)>", field(message, "Contact"))[1]


class Call:
    """One of a UE's own, as it begins."""

    def __init__(self, ue, uri):
        self.ue, self.uri, self.call, self.branch = ue, uri, secrets.token_hex(8), "z9hG4bK" + secrets.token_hex(8)
        ue.send(self.text("INVITE", f"<{uri}>", body=SDP))

    def text(self, method, to, body="", branch=None, uri=None, cseq=1, more=()):
        ue = self.ue
        return "\r\n".join([f"{method} {uri or self.uri} SIP/2.0", f"Via: SIP/2.0/TLS {ue.here};branch={branch or self.branch};rport", "Max-Forwards: 70",
                            f"From: <{ue.identity}>;tag={ue.tag}", f"To: {to}", f"Call-ID: {self.call}", f"CSeq: {cseq} {method}",
                            f"Contact: {ue.contact}", *more, *(["Content-Type: application/sdp"] if body else []),
                            f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body

    def cancel(self):
        self.ue.send(self.text("CANCEL", f"<{self.uri}>"))

    def final(self, method="INVITE"):
        while True:
            answer = self.ue.answer()
            if field(answer, "Call-ID") == self.call and field(answer, "CSeq").endswith(" " + method):
                return answer

    def ack(self, answer):
        """Of a refusal within its transaction, of a 2xx to where its Contact says."""
        if status(answer) >= 300:
            self.ue.send(self.text("ACK", field(answer, "To")))
        else:
            self.within("ACK", answer, 1)

    def within(self, method, answer, cseq):
        self.ue.send(self.text(method, field(answer, "To"), branch="z9hG4bK" + secrets.token_hex(8), uri=target(answer), cseq=cseq,
                               more=routes(answer, True)))


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Calls(edge.Case, unittest.TestCase):
    def registered(self, name, instance=None):
        ue = self.ue(name)
        if instance:
            ue.contact += f';+sip.instance="<urn:uuid:{instance}>";reg-id=1'
        ue.register()
        ue.contact = ue.contact.partition(";+sip")[0]
        return ue

    def established(self, alice, bob):
        """@return the call, alice's answer, bob's request"""
        call = Call(alice, bob.identity)
        invite = bob.take("INVITE")
        self.assertIn(SDP, invite)
        bob.reply(invite, 200, f"Contact: {bob.contact}", "Content-Type: application/sdp", body=SDP)
        answer = call.final()
        self.assertEqual(status(answer), 200)
        call.ack(answer)
        bob.take("ACK")
        return call, answer, invite

    def test_requests_in_a_dialog(self):
        """They go by Record-Route both ways, over the flows of both."""
        alice, bob = self.registered("alice"), self.registered("bob")
        call, answer, invite = self.established(alice, bob)
        call.within("INFO", answer, 2)
        info = bob.take("INFO")
        bob.reply(info, 200)
        self.assertEqual(status(call.final("INFO")), 200)
        bob.cseq += 1
        bob.send(f"BYE {target(invite)} SIP/2.0\r\nVia: SIP/2.0/TLS {bob.here};branch=z9hG4bK{secrets.token_hex(8)};rport\r\nMax-Forwards: 70\r\n"
                 f"From: {field(answer, 'To')}\r\nTo: {field(invite, 'From')}\r\nCall-ID: {call.call}\r\nCSeq: 9 BYE\r\n"
                 + "".join(line + "\r\n" for line in routes(invite)) + "Content-Length: 0\r\n\r\n")
        alice.reply(alice.take("BYE"), 200)
        self.assertEqual(status(bob.answer()), 200)

    def test_a_dialog_does_not_outlive_its_flow(self):
        """In-dialog requests for a connection that is gone get 430 from the edge, and go to nobody else."""
        alice, carol = self.registered("alice"), self.registered("carol")
        call, answer, _ = self.established(alice, carol)
        carol.close()
        self.edge.bound("carol", 0)
        again = self.registered("carol")
        call.within("BYE", answer, 2)
        self.assertEqual(status(call.final("BYE")), 430)
        self.assertEqual(again.messages, [])

    def test_cancelled(self):
        alice, bob = self.registered("alice"), self.registered("erin")
        call = Call(alice, bob.identity)
        invite = bob.take("INVITE")
        bob.reply(invite, 180)
        alice.take("SIP/2.0 180")
        call.cancel()
        cancel = bob.take("CANCEL")
        self.assertEqual(field(cancel, "Via"), field(invite, "Via"))
        bob.reply(cancel, 200)
        bob.reply(invite, 487)
        bob.take("ACK")
        self.assertEqual(status(call.final("CANCEL")), 200)
        answer = call.final()
        self.assertEqual(status(answer), 487)
        call.ack(answer)

    def test_forked(self):
        """Bob has two telephones; the first that answers has the call, the other one hears CANCEL."""
        alice = self.registered("alice")
        phones = [self.registered("bob", f"00000000-0000-4000-8000-00000000000{i}") for i in (1, 2)]
        self.edge.bound("bob", 2)
        call = Call(alice, BOB)
        invites = [phone.take("INVITE") for phone in phones]
        for phone, invite in zip(phones, invites):
            phone.reply(invite, 180)
        for _ in phones:
            alice.take("SIP/2.0 180")
        phones[1].reply(invites[1], 200, f"Contact: {phones[1].contact}")
        answer = call.final()
        self.assertEqual(status(answer), 200)
        cancel = phones[0].take("CANCEL")
        phones[0].reply(cancel, 200)
        phones[0].reply(invites[0], 487)
        phones[0].take("ACK")
        call.ack(answer)
        phones[1].take("ACK")

    def test_hops(self):
        """Max-Forwards counts here, too; nothing that may go no further goes on (RFC 3261, 16.3)."""
        alice = self.registered("alice")
        alice.send(alice.text("MESSAGE", BOB, contact=False).replace("Max-Forwards: 70", "Max-Forwards: 0"))
        self.assertEqual(status(alice.final("MESSAGE")), 483)
        alice.send(alice.text("MESSAGE", BOB, "Proxy-Require: nothing-known", contact=False))
        answer = alice.final("MESSAGE")
        self.assertEqual((status(answer), field(answer, "Unsupported")), (420, "nothing-known"))


class Edges(harness.Case, unittest.TestCase):
    """With a network by hand behind it."""

    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def stage(self, **changes):
        self.core = self.own(Core())
        self.edge = self.own(Edge(self.folder, self.tls, self.core.uri, **changes))

    def bind(self, ue, *lines):
        ue.send(ue.register_text())
        self.core.reply(self.core.take("REGISTER"), 401, 'WWW-Authenticate: Digest realm="home.example", nonce="n1", qop="auth", algorithm=MD5')
        ue.challenge = field(ue.final("REGISTER"), "WWW-Authenticate")
        ue.send(ue.register_text(authorization=edge.digest(ue.challenge, ue.impi, ue.password, "REGISTER", f"sip:{ue.domain}")))
        asked = self.core.take("REGISTER")
        self.core.reply(asked, 200, f"Contact: {field(asked, 'Contact')};expires=600", f"Service-Route: <{self.core.uri};lr>", *lines)
        answer = ue.final("REGISTER")
        self.assertEqual(status(answer), 200)
        return answer

    def test_emergency(self):
        """Where it is configured, whoever is not registered reaches the E-CSCF, and nothing else."""
        sos = self.own(Core())
        self.stage(unregistered={"emergency": ["urn:service:sos", "tel:112"], "emergency-proxy": f"{sos.uri};lr"})
        ue = self.own(Ue(self.edge, "alice"))
        for uri in ("urn:service:sos.police", "tel:112"):
            call = Call(ue, uri)
            invite = sos.take("INVITE")
            self.assertIn(uri, invite.split("\r\n")[0])
            sos.reply(invite, 486)
            sos.take("ACK")
            answer = call.final()
            self.assertEqual(status(answer), 486)
            call.ack(answer)
        for uri in ("urn:service:sosish", BOB):
            call = Call(ue, uri)
            answer = call.final()
            self.assertEqual(status(answer), 403)
            call.ack(answer)

    def test_keep_alives(self):
        """Who has outbound is told how often to ping, and hears an answer (RFC 5626, 4.4.1 and 5.4)."""
        self.stage(access={"keep-alive": "90s"})
        alice = self.own(Ue(self.edge, "alice"))
        alice.contact += ';+sip.instance="<urn:uuid:00000000-0000-4000-8000-000000000001>";reg-id=1'
        self.assertEqual(field(self.bind(alice, "Require: outbound"), "Flow-Timer"), "90")
        alice.send("\r\n\r\n")
        self.assertEqual(alice.sock.recv(100), b"\r\n")

    def test_a_forked_subscription(self):
        """Each NOTIFY of another notifier makes a dialog by its own Record-Route (RFC 3265, 4.4.9, R): its refresh goes by that, through the edge."""
        self.stage()
        alice = self.own(Ue(self.edge, "alice"))
        self.bind(alice)
        alice.send(alice.text("SUBSCRIBE", BOB, "Event: presence", "Expires: 600"))
        asked = self.core.take("SUBSCRIBE")
        found = re.findall(r"<[^>]*>", ",".join(re.findall(r"(?im)^Record-Route\s*:(.*?)\r$", asked)))
        for notifier in ("n1", "n2"):
            text = (f"NOTIFY {target(asked)} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self.core.port};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
                    f"Max-Forwards: 70\r\nFrom: {field(asked, 'To')};tag={notifier}\r\nTo: {field(asked, 'From')}\r\nCall-ID: {field(asked, 'Call-ID')}\r\n"
                    f"CSeq: 1 NOTIFY\r\nContact: <{self.core.uri}>\r\nEvent: presence\r\nSubscription-State: active\r\nRecord-Route: <{self.core.uri};lr>\r\n"
                    + "".join(f"Route: {one}\r\n" for one in found) + "Content-Length: 0\r\n\r\n")
            self.core.sock.sendto(text.encode(), self.core.edge)
            notify = alice.take("NOTIFY")
            alice.reply(notify, 200)
            alice.send(alice.text("SUBSCRIBE", target(notify), "Event: presence", *routes(notify), to=field(notify, "From")))
            again = self.core.take(f"SUBSCRIBE {self.core.uri}")
            self.assertIn(f"tag={notifier}", field(again, "To"))
            self.assertEqual(field(again, "Route"), f"<{self.core.uri};lr>")
            self.core.reply(again, 200, "Expires: 600")
            self.assertEqual(status(alice.final("SUBSCRIBE")), 200)

    def test_no_length(self):
        """A datagram's end tells its length; on a UE's stream Content-Length has to (RFC 3261, 18.3)."""
        self.stage()
        alice = self.own(Ue(self.edge, "alice"))
        self.bind(alice)
        for body in ("", "hello"):
            alice.send(alice.text("MESSAGE", BOB, contact=False))
            asked = self.core.take("MESSAGE")
            copied = re.findall(r"(?im)^(?:Via|From|Call-ID|CSeq)\s*:.*\r\n", asked)
            self.core.sock.sendto(f"SIP/2.0 200 OK\r\n{''.join(copied)}To: {field(asked, 'To')};tag=1\r\n\r\n{body}".encode(), self.core.edge)
            answer = alice.final("MESSAGE")
            self.assertEqual((field(answer, "Content-Length"), answer.partition("\r\n\r\n")[2]), (str(len(body)), body))

    def test_two_contacts(self):
        """What is left of them is reached, until it is over, too."""
        self.stage()
        alice = self.own(Ue(self.edge, "alice"))
        one, two = alice.contact, alice.contact.replace("alice", "alice-two")
        alice.contact = f"{one}, {two}"
        proof = {}

        def register(expires, *left):
            alice.send(alice.register_text(expires=expires, authorization=proof.get("is")))
            asked = self.core.take("REGISTER")
            if not proof:
                self.core.reply(asked, 401, 'WWW-Authenticate: Digest realm="home.example", nonce="n1", qop="auth", algorithm=MD5')
                proof["is"] = edge.digest(field(alice.final("REGISTER"), "WWW-Authenticate"), alice.impi, alice.password, "REGISTER", "sip:home.example")
                return register(expires, *left)
            self.core.reply(asked, 200, *(f"Contact: {contact};expires={seconds}" for contact, seconds in left))
            self.assertEqual(status(alice.final("REGISTER")), 200)
            return field(asked, "Path")

        path = register(600, (one, 600), (two, 300))
        alice.contact = one
        register(0, (two, 300))
        self.assertEqual([held["contact"] for held in self.edge.bindings()], [two])
        self.core.request(self.edge, "OPTIONS", two.strip("<>"), f"Route: {path}")
        alice.reply(alice.take("OPTIONS"), 200)
        alice.contact = two
        register(0)
        self.edge.bound("alice", 0)

    def test_too_much(self):
        """REGISTERs of those who are not here yet get 503 with Retry-After first; who has registered goes on."""
        self.stage(limits={"transactions": 40, "retry-after": "7s"})
        alice = self.own(Ue(self.edge, "alice"))
        self.bind(alice)
        waiting = 0
        stranger = self.own(Ue(self.edge, "carol"))
        answer = ""
        while not answer and waiting < 60:
            alice.send(alice.text("MESSAGE", BOB, contact=False, call=secrets.token_hex(8)))
            self.core.take("MESSAGE")  # and no answer
            waiting += 1
            if waiting >= 15:
                stranger.send(stranger.register_text())
                try:
                    answer = stranger.take("SIP/2.0 503", patience=0.05)
                except AssertionError:
                    pass
        self.assertIn("503", answer.split("\r\n")[0])
        self.assertEqual(field(answer, "Retry-After"), "7")


if __name__ == "__main__":
    if not shutil.which("openssl"):
        raise SystemExit(77)
    unittest.main(verbosity=2)
