#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse ue` with a registration over a connection of its own (TS 33.203, Annex O; RFC 5626), at Kamailio's TLS and at servers that are
not what they should be."""
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import unittest

import access
import edge
import harness
import kamailio
from agent import Agent


class Impostor:
    """A TLS server that keeps what became of each handshake: the alert, or what came."""

    def __init__(self, cert, key, answer=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2  # an alert then comes before the handshake's end
        self.answer, self.heard, self.lock = answer, [], threading.Condition()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.proxy = f"sip:{access.HOST}:{self.port};transport=tls;lr"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(conn, server_side=True) as tls:
                    self.note(("session", tls.session_reused, tls.cipher()[0]))
                    while octets := tls.recv(65536):
                        self.note(("octets", octets.decode()))
                        if self.answer:
                            said = self.answer(octets.decode())
                            if said is None:
                                break
                            tls.sendall(said.encode())
                self.note(("end", ""))
            except OSError as error:
                self.note(("error", str(error)))

    def note(self, what):
        with self.lock:
            self.heard.append(what)
            self.lock.notify_all()

    def wait(self, kind, pattern="", count=1):
        def found():
            return [one for one in self.heard if one[0] == kind and re.search(pattern, str(one[1:]))]
        with self.lock:
            if not self.lock.wait_for(lambda: len(found()) >= count, harness.PATIENCE):
                raise AssertionError(f"no {count} {kind} {pattern}; heard {self.heard}")
            return found()[count - 1]

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(harness.PATIENCE)


class Asker:
    """`openssl s_server` as a registrar that says yes, and asks for renegotiations (HelloRequest) when it is told to."""

    def __init__(self, cert, key):
        self.port, self.text, self.lock = harness.free_port(), "", threading.Condition()
        self.proxy = f"sip:{access.HOST}:{self.port};transport=tls;lr"
        self.process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", cert, "-key", key, "-tls1_2",
                                         "-client_renegotiation"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        harness.until(lambda: harness.listens(self.port), "s_server")

    def read(self):
        while octets := self.process.stdout.read1():
            with self.lock:
                self.text += octets.decode("utf-8", "replace")
                self.lock.notify_all()

    def wait(self, pattern, count=1):
        with self.lock:
            if not self.lock.wait_for(lambda: len(re.findall(pattern, self.text, re.S)) >= count, harness.PATIENCE):
                raise AssertionError(f"no {pattern}; {self.text}")
            return re.findall(pattern, self.text, re.S)[count - 1]

    def say(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def accept(self, count=1):
        """Says yes to the REGISTER; CRLF first, for a line that begins with S is an order to s_server."""
        self.say("\r\n" + refusal(200, "Contact: <sip:a@b>;expires=600\r\n")(self.wait(r"REGISTER .*?\r\n\r\n", count)))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join(harness.PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()


def refusal(status, lines=""):
    """Answers each REGISTER with it."""
    def answer(request):
        kept = [line for line in request.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
        kept = [line + ";tag=x" if line.startswith("To:") else line for line in kept]
        return "\r\n".join([f"SIP/2.0 {status} x", *kept]) + f"\r\n{lines}Content-Length: 0\r\n\r\n"
    return answer


class Datagrams:
    """A registrar over UDP that answers STUN (RFC 5389, R), as if the UE were seen at `port`."""

    def __init__(self):
        self.seen, self.registers, self.stuns = None, 0, threading.Semaphore(0)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.proxy = "sip:127.0.0.1:%d;lr" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        ok = refusal(200, "Require: outbound\r\nFlow-Timer: 1\r\nContact: <sip:a@b>;expires=600\r\n")
        while True:
            octets, (host, port) = self.socket.recvfrom(65536)
            if not octets:
                return
            if octets[0] & 0xc0:
                self.registers += 1
                self.socket.sendto(ok(octets.decode()).encode(), (host, port))
                continue
            port_seen, self.seen = self.seen or port, None
            mapped = struct.pack("!xBHI", 1, port_seen ^ 0x2112, struct.unpack("!I", socket.inet_aton(host))[0] ^ 0x2112a442)
            self.socket.sendto(struct.pack("!HH", 0x0101, 12) + octets[4:20] + struct.pack("!HH", 0x0020, 8) + mapped, (host, port))
            self.stuns.release()

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())
        self.thread.join(harness.PATIENCE)
        self.socket.close()


class Names:
    """A name server that knows one name, with these addresses, and has heard of no NAPTR and SRV."""

    def __init__(self, *addresses):
        self.addresses = [socket.inet_aton(one) for one in addresses]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.where = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            octets, source = self.socket.recvfrom(65536)
            if not octets:
                return
            end = octets.index(b"\0", 12) + 5
            found = self.addresses if octets[end - 4:end - 2] == b"\0\x01" else []
            head = octets[:2] + struct.pack("!HHHHH", 0x8580, 1, len(found), 0, 0)
            self.socket.sendto(head + octets[12:end] + b"".join(struct.pack("!HHHIH", 0xc00c, 1, 1, 60, 4) + one for one in found), source)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())
        self.thread.join(harness.PATIENCE)
        self.socket.close()


class Case(harness.Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def outbound(self, name, proxy, more="", outbound="", tls=""):
        return access.agent(self.folder, name, proxy, "tls", None, self.tls["ca"],
                            f", user: {name}, outbound: {{retry: 100ms, name: {access.NAME}{outbound}}}{more}", tls)


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class AtKamailio(Case):
    def setUp(self):
        self.core = self.own(kamailio.Kamailio(self.folder, access.PASSWORDS, tls=self.tls))
        self.proxy = f"sip:{access.HOST}:{self.core.tls_port};transport=tls;lr"

    def registered(self, name, **settings):
        agent = self.outbound(name, self.proxy, **settings)
        up = agent.expect("sip.up", transport="TLS")
        agent.expect("sip.challenged", status="401", stale="no")
        agent.expect("sip.registered", status="200", identities=f"<sip:{name}@home.example>")
        return agent, up

    def test_life(self):
        alice, up = self.registered("alice")
        bob, _ = self.registered("bob")
        self.assertRegex(up["session"], r"^[0-9a-f]{16,}$")
        first, second = self.core.requests("REGISTER")[:2]
        self.assertIn('nonce="", uri="sip:home.example", response=""', first)
        self.assertIn("Security-Client: tls\r\n", first)
        self.assertRegex(first, r'Contact: <sip:[^>]+>;reg-id=1;\+sip\.instance="<urn:uuid:[0-9a-f-]{36}>"\r\n')
        self.assertNotIn("Security-Verify", second)  # Kamailio offers nothing
        alice.do("message sip:bob@home.example hello")
        bob.expect("message", text="hello")
        alice.expect("message.answer", status="200")
        bob.do("call sip:alice@home.example sdp=none")
        alice.expect("call.up")
        bob.expect("call.up")
        self.assertIn(";ob>", self.core.got("INVITE"))
        alice.do("bye")
        bob.expect("call.over", why="bye")
        alice.do("register")  # on the live connection
        alice.expect("sip.registered", status="200")
        alice.none("sip.up")
        alice.do("renegotiate")
        again = alice.expect("sip.rekeyed", tls=up["tls"])
        self.assertNotEqual(again["session"], up["session"])
        alice.do("cut")
        alice.expect("sip.down", why="lost", text="cut")
        self.assertNotEqual(alice.expect("sip.up")["local"], up["local"])
        alice.expect("sip.registered", status="200")
        bob.do("message sip:alice@home.example again")
        alice.expect("message", text="again")
        alice.do("unregister")
        alice.expect("sip.unregistered", status="200")
        alice.do("message sip:bob@home.example none")
        alice.expect("message.answer", status="503")  # by no connection but the registration's
        alice.do("register")
        alice.expect("sip.registered", status="200")
        access.ended(alice, bob)

    def test_wrong_password(self):
        """O.3: TLS is closed and its session resumed by nobody; each attempt begins as a stranger's."""
        mallory = access.agent(self.folder, "bob", self.proxy, "tls", "guessed", self.tls["ca"],
                               f", outbound: {{retry: 100ms, name: {access.NAME}}}")
        for _ in range(2):
            self.assertEqual(mallory.expect("sip.up")["resumed"], "no")
            mallory.expect("sip.unanswered", status="403", why="digest")
        self.assertEqual(mallory.close(), 0)
        mallory.none("sip.registered")

    def test_seed_profile(self):
        """Annex O as its seed has it, at a P-CSCF with an RSA certificate; Digest by MD5."""
        tls = access.certificate(self.pki, "rsa.home.example", also=(access.NAME, access.HOST), key="rsa")
        core = self.own(kamailio.Kamailio(self.folder, access.PASSWORDS, algorithm="MD5", tls={**tls, "method": "TLSv1.2"}))
        alice = self.outbound("alice", f"sip:{access.HOST}:{core.tls_port};transport=tls;lr", tls=", profile: ts33203-annex-o")
        self.assertRegex(alice.expect("sip.up", tls="TLS1.2")["suite"], "^TLS_(DHE_)?RSA_WITH_AES_")
        alice.expect("sip.registered", status="200")
        self.assertIn("algorithm=MD5", core.requests("REGISTER")[1])
        access.ended(alice)

    def test_stale(self):
        """O.3: a nonce that is out of date is answered on the same session."""
        core = self.own(kamailio.Kamailio(self.folder, access.PASSWORDS, tls=self.tls, nonce_expire=1))
        alice = self.outbound("alice", f"sip:{access.HOST}:{core.tls_port};transport=tls;lr")
        alice.expect("sip.up")
        alice.expect("sip.registered")
        alice.expect("sip.challenged", stale="no")

        def stale():
            alice.do("register")
            alice.expect("sip.registered")
            return any(one["event"] == "sip.challenged" and one["stale"] == "yes" for one in alice.events)
        harness.until(stale, "the nonce gets old")
        alice.none("sip.up")
        alice.none("sip.down")
        access.ended(alice)

    def test_core_dies(self):
        alice, _ = self.registered("alice")
        self.core.kill()
        alice.expect("sip.lost")
        alice.expect("sip.unanswered", why="lost")
        self.core.start()
        alice.expect("sip.registered", status="200")
        access.ended(alice)


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class AtEdge(Case):
    def test_agreement(self):
        """RFC 3329, 2.3.1: whatever goes by the connection says what was agreed upon, where the P-CSCF insists; its core hears nothing of it."""
        core = self.own(kamailio.Kamailio(self.folder, access.PASSWORDS))
        pcscf = self.own(edge.Edge(self.folder, self.tls, core, registration={"security-agreement": "required"}))
        alice, bob = (access.outbound(self.folder, name, pcscf, self.tls["ca"]) for name in ("alice", "bob"))
        for agent in (alice, bob):
            agent.expect("sip.registered", status="200", outbound="yes")
        alice.do("message sip:bob@home.example hello")
        bob.expect("message", text="hello")
        alice.expect("message.answer", status="200")
        path = os.path.join(self.folder, "offer.sdp")
        with open(path, "w", encoding="ascii") as file:
            file.write("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n")
        alice.do(f"call sip:bob@home.example sdp={path}")
        alice.expect("call.up")
        bob.expect("call.up")
        core.got("INVITE", "^m=audio 4000 RTP/AVP 0 8")
        alice.do("renew")
        bob.expect("call.offered")
        alice.expect("call.agreed", status="200")
        bob.do("bye")
        alice.expect("call.over", why="bye")
        bob.expect("call.over", why="ours")
        alice.do("cut")
        alice.expect("sip.down", why="lost")
        alice.expect("sip.registered", status="200")
        bob.do("message sip:alice@home.example again")
        alice.expect("message", text="again")
        self.assertNotIn("sec-agree", "".join(core.requests()))
        access.ended(alice, bob)


class Elsewhere(Case):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.stranger = access.certificate(cls.pki, "stranger.home.example", ca="other")
        cls.namesake = access.certificate(cls.pki, "pcscf2.home.example")

    def impostor(self, files, answer=None):
        return self.own(Impostor(files["cert"], files["key"], answer))

    def test_certificate(self):
        """O11: a P-CSCF that is not proven gets an alert, and no word of SIP."""
        for files, alert in ((self.stranger, "unknown ca"), (self.namesake, "bad certificate|certificate unknown|handshake failure")):
            server = self.impostor(files)
            alice = self.outbound("alice", server.proxy)
            server.wait("error", f"(?i)alert ({alert})")
            alice.expect("sip.unanswered", why="lost")
            self.assertEqual(alice.close(), 0)
            self.assertFalse([one for one in server.heard if one[0] == "octets"])

    def test_hello_request(self):
        """O13: a HelloRequest is answered inside the connection, also in the midst of a registration; what was sent meanwhile arrives."""
        server = self.own(Asker(self.tls["cert"], self.tls["key"]))
        alice = self.outbound("alice", server.proxy)
        before = alice.expect("sip.up", tls="TLS1.2")
        server.wait(r"REGISTER .*?\r\n\r\n")
        server.say("r\n")
        again = alice.expect("sip.rekeyed", tls="TLS1.2")
        self.assertNotEqual(again["session"], before["session"])
        server.accept()
        alice.expect("sip.registered", status="200")
        server.say("r\n")
        self.assertNotEqual(alice.expect("sip.rekeyed")["session"], again["session"])
        alice.do("message sip:bob@home.example hello")
        server.wait("MESSAGE sip:bob@home.example")
        alice.none("sip.down")
        alice.do("unregister")
        server.accept(2)
        alice.expect("sip.unregistered")
        alice.close()

    def test_renegotiates_by_time(self):
        """By itself, as often as it is configured."""
        server = self.own(Asker(self.tls["cert"], self.tls["key"]))
        alice = self.outbound("alice", server.proxy, outbound=", renegotiate: 50ms")
        server.accept()
        alice.expect("sip.registered")
        for _ in range(2):
            alice.expect("sip.rekeyed", tls="TLS1.2")
        alice.close(kill=True)

    def test_no_security(self):
        """RFC 3329: a list without tls ends it; the connection is closed."""
        server = self.impostor(self.tls, refusal(401, 'WWW-Authenticate: Digest realm="home.example", nonce="n", qop="auth"\r\n'
                                                      "Security-Server: ipsec-3gpp;q=0.1\r\n"))
        alice = self.outbound("alice", server.proxy)
        alice.expect("sip.unanswered", status="401", why="no-security")
        server.wait("end")
        self.assertEqual(alice.close(), 0)
        self.assertFalse([one for one in server.heard if "response=\"" in str(one) and 'response=""' not in str(one)])

    def test_by_its_connection_alone(self):
        """Nobody reaches a UE but by the connection that it has made: it listens nowhere unless it is told to."""
        server = self.impostor(self.tls, refusal(200, "Contact: <sip:a@b>;expires=600\r\n"))
        alice = Agent(self.folder, "alone", "identity: sip:alice@home.example\nsip: {registrar: 'sip:home.example', "
                      f"proxy: ['{server.proxy}'], outbound: {{name: {access.NAME}}}, tls: {{anchors: [{self.tls['ca']}]}}}}\n")
        alice.expect("sip.registered")
        alice.none("sip.listen")
        access.ended(alice)

    def test_keep_alives(self):
        """RFC 5626, 4.4.1: CRLF CRLF where the answer says outbound, as often as it says."""
        ok = refusal(200, "Require: outbound\r\nFlow-Timer: 1\r\nContact: <sip:a@b>;expires=600\r\n")
        server = self.impostor(self.tls, lambda octets: "\r\n" if octets == "\r\n\r\n" else ok(octets))
        alice = self.outbound("alice", server.proxy)
        alice.expect("sip.registered", status="200", outbound="yes", expires="600")
        server.wait("octets", r"^\('\\r\\n\\r\\n',\)$", 2)
        alice.do("unregister")
        alice.expect("sip.unregistered")
        self.assertEqual(alice.close(), 0)

    def test_nothing_is_left(self):
        """O.4: of a registration that has not come about nothing is left, its TLS session neither; a connection that was lost later is resumed."""
        answers = [None, refusal(200, "Contact: <sip:a@b>;expires=600\r\n"), None, refusal(200)]
        server = self.impostor(self.tls, lambda octets: (lambda one: one and one(octets))(answers.pop(0)))
        alice = self.outbound("alice", server.proxy)
        self.assertFalse(server.wait("session", count=1)[1])
        self.assertFalse(server.wait("session", count=2)[1])
        alice.expect("sip.registered")
        alice.do("register")
        self.assertTrue(server.wait("session", count=3)[1])
        alice.expect("sip.registered")
        alice.close(kill=True)

    def test_other_addresses(self):
        """RFC 3263, 4.3: an address where nobody is gives way to the next, and counts as no failure."""
        names = self.own(Names("127.0.0.77", "127.0.0.1"))
        server = self.impostor(self.tls, refusal(200, "Contact: <sip:a@b>;expires=600\r\n"))
        alice = self.outbound("alice", f"sip:{access.NAME}:{server.port};transport=tls;lr", f", dns: '{names.where}'")
        alice.expect("sip.registered")
        alice.none("sip.unanswered")
        alice.close()

    def test_taken_back_and_begun(self):
        """Who registers before it is over is told so, instead of waiting for what does not come."""
        ok = refusal(200, "Contact: <sip:a@b>;expires=600\r\n")
        server = self.impostor(self.tls, lambda octets: "" if "Expires: 0" in octets else ok(octets))
        alice = self.outbound("alice", server.proxy)
        alice.expect("sip.registered")
        alice.do("unregister", "register")
        alice.expect("error", text="*being taken back*")
        alice.close(kill=True)

    def test_wrong_configurations(self):
        for more, said in (("outbound: {}", "sip.tls"), ("outbound: {reg-id: 2147483648}", "RFC 5626, 4.2"),
                           ("outbound: {retry: 0s}", "RFC 5626, 4.5"), ("outbound: {instance: 'a b'}", "RFC 5626, 4.1")):
            alice = Agent(self.folder, "alice", "identity: sip:alice@home.example\nsip: {registrar: 'sip:home.example', "
                          f"proxy: ['sip:localhost:1;transport=tls;lr'], {more}}}\n")
            alice.expect("end of output")
            self.assertEqual(alice.process.wait(), 2)
            with open(alice.errors, encoding="utf-8") as log:
                self.assertRegex(log.read(), f"alice.yaml:3:\\d+: .*{said}")
            alice.close()

    def test_datagrams(self):
        """RFC 5626, 4.4.2: STUN keeps a flow of datagrams; who is seen elsewhere all at once registers anew."""
        server = self.own(Datagrams())
        alice = access.agent(self.folder, "alice", server.proxy, "udp", more=", outbound: {retry: 100ms, keep-alive: 100ms}")
        alice.expect("sip.registered", outbound="yes")
        for _ in range(2):
            self.assertTrue(server.stuns.acquire(timeout=harness.PATIENCE))
        server.seen = 9
        alice.expect("sip.lost", text="*STUN*")
        alice.expect("sip.registered", outbound="yes")
        access.ended(alice)

    def test_null_encryption_beside_others(self):
        """O3: who may speak without encryption offers that, and suites that encrypt before it."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            proxy = f"sip:{access.HOST}:{server.getsockname()[1]};transport=tls;lr"
            alice = self.outbound("alice", proxy, tls=", profile: ts33203-annex-o, unsafe-null-encryption: true")
            server.settimeout(harness.PATIENCE)
            conn, _ = server.accept()
            conn.settimeout(harness.PATIENCE)
            with conn, conn.makefile("rb") as file:
                hello = file.read(int.from_bytes(file.read(5)[3:], "big"))
                at = 4 + 2 + 32
                at += 1 + hello[at]
                suites = struct.unpack_from(f"!{int.from_bytes(hello[at:at + 2], 'big') // 2}H", hello, at + 2)
            self.assertIn(0x0002, suites)  # TLS_RSA_WITH_NULL_SHA
            self.assertLess(suites.index(0x002f), suites.index(0x0002))
            alice.close(kill=True)

    def test_nothing_but_null_encryption(self):
        """O3: at least one suite that encrypts is offered, or nothing."""
        profile = f"{self.folder}/null-only.yaml"
        with open(profile, "w", encoding="utf-8") as file:
            file.write("name: null-only\ntitle: t\ndocument: d\nclause: c\nrelease: r\nextends: ts33203-annex-o\nrules:\n"
                       "  - {id: X, subject: suite, strength: shall-not, mark: P, text: t, items: [TLS_RSA_WITH_3DES_EDE_CBC_SHA, "
                       "TLS_RSA_WITH_AES_128_CBC_SHA, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256, "
                       "TLS_DHE_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA256, TLS_RSA_WITH_AES_256_CBC_SHA]}\n")
        alice = Agent(self.folder, "alice", f"identity: sip:alice@home.example\nprofiles: [{self.folder}]\n"
                      "sip: {registrar: 'sip:home.example', proxy: ['sip:localhost:1;transport=tls;lr'], outbound: {}, "
                      f"tls: {{anchors: [{self.tls['ca']}], profile: null-only, unsafe-null-encryption: true}}}}\n")
        alice.expect("end of output")
        self.assertEqual(alice.process.wait(), 2)
        with open(alice.errors, encoding="utf-8") as log:
            self.assertIn("no suite that encrypts, and a UE always offers one (TS 33.203, O.2.1)", log.read())
        alice.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
