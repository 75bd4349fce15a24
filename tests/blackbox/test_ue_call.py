#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two of `gatehouse ue` call each other by SIP, with keys from gatehouse-kms (TS 23.333, 5.20.2; RFC 6043): what they
agree upon, who is TLS client, and the calls that must not come about."""
import contextlib
import hashlib
import http.client
import http.server
import os
import shutil
import socket
import tempfile
import threading
import unittest

import harness
from agent import Agent
from kms import Kms, User

ALICE, BOB, CAROL = "sip:alice@home.example", "sip:bob@home.example", "sip:carol@home.example"
RULES = ['from: "sip:*@home.example", to: "sip:carol@home.example", deny: true',
         'from: "sip:*@home.example", to: "sip:*@home.example"']


def have_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::1", 0))
        return True
    return False


def certificates(folder, *names):
    """Files of a CA, and of certificates with these names: the `tls` of each."""
    folder = tempfile.mkdtemp(dir=folder)
    pki = harness.Pki(folder)
    for name in names:
        pki.tool("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-keyout",
                 f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}", "-CA", "ca.pem", "-CAkey", "ca.key",
                 "-addext", f"subjectAltName=DNS:{name}", "-addext", "basicConstraints=critical,CA:FALSE",
                 "-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth,clientAuth")
    return {name: f"{{certificate: '{folder}/{name}.pem', key: '{folder}/{name}.key', anchors: ['{folder}/ca.pem']}}"
            for name in names}


class Slow(http.server.BaseHTTPRequestHandler):
    """A KMS whose answers wait as long as `server.go` is not set."""

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        conn = http.client.HTTPConnection("127.0.0.1", self.server.kms, timeout=harness.PATIENCE)
        conn.request("POST", self.path, body, {"Content-Type": "application/mikey"})
        answer = conn.getresponse()
        octets = answer.read()
        conn.close()
        self.server.asked.release()
        self.server.go.wait(harness.PATIENCE)
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/mikey")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(octets)
            self.wfile.flush()
        self.server.answered.release()

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-ue-call-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.kms = Kms(cls.folder, RULES).start()
        cls.addClassCleanup(lambda: cls.kms.kill())  # pylint: disable=unnecessary-lambda
        cls.users = {name: cls.kms.enroll(User(name, key_id=None)) for name in (ALICE, BOB, CAROL)}

    def setUp(self):
        self.agents = []

    def tearDown(self):
        for agent in self.agents:
            if agent.process.poll() is None:
                agent.close(kill=True)

    def agent(self, identity, sip="", media="", transport="udp", key=None, kms="", host=None, url=None):
        """A user agent and where its SIP is."""
        name = identity[4:].split("@")[0]
        folder = tempfile.mkdtemp(dir=self.folder)
        key = self.kms.secret(f"{name}.key", key or self.users[identity].key)
        agent = Agent(folder, name, f"identity: {identity}\n"
                      f"sip: {{listen: ['{transport}:127.0.0.1:0']{sip}}}\n"
                      f"media: {{inbox: {folder}, patience: 60s{media}}}\n"
                      f"kms: {{url: '{url or self.url()}', "
                      f"identity: 'sip:kms.example.com', key-file: '{key}'{kms}}}\n")
        self.agents.append(agent)
        where = agent.expect("sip.listen")["local"].replace("127.0.0.1", host or "127.0.0.1")
        return agent, f"sip:{name}@{where};transport={transport};lr"

    def url(self):
        return f"http://127.0.0.1:{self.kms.ports['http']}/keymanagement"

    def call(self, a, to, at, how=""):
        """`to` is called where it is: the way of a proxy, which is not there."""
        a.do(f"call {to} route={at} {how}")

    def ended(self, *agents):
        for agent in agents:
            self.assertEqual(agent.close(), 0, agent.events)


class Calls(Case):
    def test_chat_and_floor(self):
        for transport, setup in (("udp", "actpass"), ("tcp", "active"), ("udp", "passive")):
            with self.subTest(setup):
                a, _ = self.agent(ALICE, transport=transport, media=", address: 127.0.0.3")
                b, at = self.agent(BOB, transport=transport, media=", floors: '1,2'")
                self.call(a, BOB, at, f"setup={setup}")
                a.expect("kms.ask", what="request")
                b.expect("call.incoming", peer=ALICE)
                b.expect("kms.ask", what="resolve")
                for agent, peer in ((a, BOB), (b, ALICE)):
                    agent.expect("call.up", peer=peer)
                    for kind in ("msrp", "bfcp"):
                        agent.expect("call.media", kind=kind, verdict="agreed", peer=peer)
                msrp, bfcp = a.expect("media.up", kind="msrp"), a.expect("media.up", kind="bfcp")
                # MSRP: who connects is TLS client (RFC 8122, 6.2); BFCP: the offerer (RFC 8856, 8)
                self.assertEqual(msrp["role"], "client" if setup == "active" else "server")
                self.assertEqual(bfcp["role"], "client")
                self.assertNotEqual(msrp["psk-identity"], bfcp["psk-identity"])
                for kind in ("msrp", "bfcp"):
                    b.expect("media.up", kind=kind, remote="127.0.0.3:*")
                a.do("say hello", "floor request 2")
                b.expect("chat.text", text="hello")
                a.expect("floor.request", status="Granted", floors="2")
                content = os.urandom(100000)
                with open(os.path.join(self.folder, "file"), "wb") as file:
                    file.write(content)
                b.do("send " + os.path.join(self.folder, "file"))
                a.expect("chat.file", sha256=hashlib.sha256(content).hexdigest())
                b.do("bye")
                a.expect("call.over", why="bye")
                b.expect("call.over", why="ours")
                for agent in (a, b):
                    for kind in ("msrp", "bfcp"):
                        agent.expect("media.end", kind=kind)
                self.ended(a, b)

    def test_one_medium_and_an_answer_by_hand(self):
        a, _ = self.agent(ALICE)
        b, at = self.agent(BOB, sip=", answer: manual")
        self.call(a, BOB, at, "msrp")
        a.expect("call.progress", status="180")
        b.expect("call.incoming")
        b.none("call.up")
        b.do("answer")
        a.expect("call.up")
        a.expect("media.up", kind="msrp")
        a.none("call.media", kind="bfcp")
        self.ended(a, b)

    def test_refused_and_cancelled(self):
        a, _ = self.agent(ALICE)
        b, at = self.agent(BOB, sip=", answer: manual")
        self.call(a, BOB, at)
        b.expect("call.incoming")
        b.do("bye status=486")
        a.expect("call.over", why="refused", status="486")
        b.expect("call.over", why="ours")
        self.call(a, BOB, at)
        b.expect("call.incoming")
        a.do("bye")
        b.expect("call.over", why="cancelled")
        a.expect("call.over")
        self.ended(a, b)

    def test_new_keys_in_a_call(self):
        """A later offer (re-INVITE) gives all media other connections and keys; the callee may make it."""
        a, _ = self.agent(ALICE)
        b, at = self.agent(BOB, media=", floors: '1'")
        self.call(a, BOB, at)
        before = {kind: (a.expect("media.up", kind=kind), b.expect("media.up", kind=kind)) for kind in ("msrp", "bfcp")}
        b.expect("call.up")
        b.do("renew")
        a.expect("call.offered")
        for kind in ("msrp", "bfcp"):
            new = a.expect("media.up", kind=kind)
            self.assertNotEqual(new["psk-identity"], before[kind][0]["psk-identity"])
            self.assertEqual(new["psk-identity"], b.expect("media.up", kind=kind)["psk-identity"])
        self.assertEqual(new["role"], "server")  # BFCP: the offerer is TLS client (RFC 8856, 8)
        a.do("say on the new one")
        b.expect("chat.text", text="on the new one")
        self.ended(a, b)

    def test_new_keys_that_do_not_come(self):
        """What a later offer cannot have leaves the call as it was (RFC 3261, 14)."""
        b_user = self.kms.enroll(User("sip:barbara@home.example"))
        self.users[b_user.name] = b_user
        a, _ = self.agent(ALICE)
        b, at = self.agent(b_user.name)
        self.call(a, b_user.name, at, "msrp")
        for agent in (a, b):
            agent.expect("media.up", kind="msrp")
        self.assertEqual(self.kms.tool("remove", b_user.name)[0], 0)
        a.do("renew")
        b.expect("call.failed")
        a.expect("call.declined")
        b.do("renew", "say still here")
        b.expect("call.failed")
        a.expect("chat.text", text="still here")
        self.ended(a, b)

    def slow(self):
        """@return such a KMS, and its URL"""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
        server.kms, server.go = self.kms.ports["http"], threading.Event()
        server.asked, server.answered = threading.Semaphore(0), threading.Semaphore(0)
        server.go.set()
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        for clean in (server.server_close, thread.join, server.shutdown, server.go.set):
            self.addCleanup(clean)
        return server, f"http://127.0.0.1:{server.server_port}/keymanagement"

    def test_an_answer_of_the_kms_that_nobody_waits_for(self):
        """Both offer anew at a time; the ticket for the offer that was given up comes later, and the call goes on."""
        kms, url = self.slow()
        a, _ = self.agent(ALICE, url=url)
        b, at = self.agent(BOB)
        self.call(a, BOB, at, "msrp")
        for agent in (a, b):
            agent.expect("media.up", kind="msrp")
            agent.expect("call.up")
        for wait in (kms.asked, kms.answered):
            self.assertTrue(wait.acquire(timeout=harness.PATIENCE))
        kms.go.clear()
        a.do("renew")
        self.assertTrue(kms.asked.acquire(timeout=harness.PATIENCE))
        b.do("renew")
        b.expect("call.declined")
        a.expect("call.failed")
        kms.go.set()
        self.assertTrue(kms.answered.acquire(timeout=harness.PATIENCE))
        b.do("say still here")
        a.expect("chat.text", text="still here")
        a.do("renew")
        for agent in (a, b):
            agent.expect("media.up", kind="msrp")
        for agent in (a, b):
            agent.none("call.over")
        self.ended(a, b)

    @unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
    def test_sip_inside_tls(self):
        """The callee proves its name (RFC 5922), and one with another name is not spoken with."""
        files = {name: f", tls: {section}" for name, section in certificates(self.folder, "localhost", "elsewhere.example").items()}
        a, _ = self.agent(ALICE, transport="tls", sip=files["localhost"])
        b, at = self.agent(BOB, transport="tls", sip=files["localhost"], host="localhost")
        self.call(a, BOB, at, "msrp")
        a.expect("media.up", kind="msrp")
        self.ended(b)
        c, at = self.agent(BOB, transport="tls", sip=files["elsewhere.example"], host="localhost")
        self.call(a, BOB, at, "msrp")
        a.expect("call.over", why="refused", status="503")
        c.none("call.incoming")
        self.ended(a, c)

    @unittest.skipUnless(have_ipv6(), "there is no IPv6 loopback here")
    def test_media_over_ipv6(self):
        a, _ = self.agent(ALICE, media=", address: '::1'")
        b, at = self.agent(BOB, media=", address: '::1', floors: '1'")
        self.call(a, BOB, at)
        for kind in ("msrp", "bfcp"):
            a.expect("media.up", kind=kind, remote="[[]::1]:*")
            b.expect("media.up", kind=kind, remote="[[]::1]:*")
        a.do("say hello")
        b.expect("chat.text", text="hello")
        self.ended(a, b)

    def test_message(self):
        a, _ = self.agent(ALICE)
        b, at = self.agent(BOB)
        a.do(f"message {at} good morning")
        b.expect("message", text="good morning", **{"from": ALICE})
        a.expect("message.answer", status="200")
        self.ended(a, b)

    def test_what_a_peer_has_said_is_no_header(self):
        a, _ = self.agent(ALICE)
        a.do('set text "sip:x@x>\\r\\nX: <sip:y@y"')
        for command in ("message $text hello", "message bob hello", "call $text msrp", f"call {BOB} msrp route=$text"):
            a.do(command)
            a.expect("error", command=command.split(" ", maxsplit=1)[0], text="*URI*")
        self.assertEqual(a.close(), 1)


class NoKeys(Case):
    def test_a_callee_who_may_not_have_tickets(self):
        a, _ = self.agent(ALICE)
        _, at = self.agent(CAROL)
        self.call(a, CAROL, at)
        a.expect("call.failed")
        a.expect("call.over", why="ours")
        a.none("call.out")

    def test_somebody_else_answers(self):
        """Carol has got hold of a call for Bob: the KMS does not resolve his ticket for her."""
        a, _ = self.agent(ALICE)
        c, at = self.agent(CAROL)
        self.call(a, BOB, at)
        c.expect("call.failed")
        a.expect("call.over", why="refused")
        for agent in (a, c):
            agent.none("media.up")
            agent.none("call.up")

    def test_a_wrong_key_with_the_kms(self):
        a, _ = self.agent(ALICE, key=os.urandom(32))
        b, at = self.agent(BOB)
        self.call(a, BOB, at)
        a.expect("call.over", why="ours")
        b.none("call.incoming")
        c, _ = self.agent(CAROL)
        d, at = self.agent(BOB, key=os.urandom(32))
        self.call(c, BOB, at)
        d.expect("call.failed")
        c.expect("call.over", why="refused")

    def test_no_kms_is_configured(self):
        folder = tempfile.mkdtemp(dir=self.folder)
        lonely = Agent(folder, "lonely", f"identity: {ALICE}\nsip: {{}}\n")
        self.agents.append(lonely)
        lonely.do(f"call {BOB}")
        where = lonely.expect("sip.listen")["local"]
        lonely.expect("error", command="call", text="*KMS*")
        b, _ = self.agent(BOB)
        self.call(b, ALICE, f"sip:{where};lr")
        lonely.expect("call.failed", status="488")
        b.expect("call.over", why="refused", status="488")
        self.assertEqual(lonely.close(), 1)


@unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
class Https(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tls = certificates(cls.folder, "localhost")["localhost"]
        cls.kms.kill()
        cls.kms.configure(RULES, f"tls: {cls.tls[:-1]}, clients: certificate}}\n", "https: 127.0.0.1:0")
        cls.kms.start()
        cls.port = cls.kms.ports["https"]

    def test_a_kms_that_proves_its_name(self):
        url, tls = f"https://localhost:{self.port}/keymanagement", f", tls: {self.tls}"
        a, _ = self.agent(ALICE, url=url, kms=tls)
        b, at = self.agent(BOB, url=url, kms=tls)
        self.call(a, BOB, at, "msrp")
        for agent in (a, b):
            agent.expect("media.up", kind="msrp")
        self.ended(a, b)

    def test_another_name_or_authority(self):
        strangers = certificates(self.folder, "localhost")["localhost"]
        for host, tls in (("127.0.0.1", self.tls), ("localhost", strangers)):
            a, _ = self.agent(ALICE, url=f"https://{host}:{self.port}/keymanagement", kms=f", tls: {tls}")
            self.call(a, BOB, "sip:127.0.0.1:9;lr")
            a.expect("call.failed")
            a.none("call.out")
            self.ended(a)


if __name__ == "__main__":
    unittest.main()
