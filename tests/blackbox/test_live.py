#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What changes under a gateway that runs: CRLs in the cache folder, CRLs that a handshake waits for, certificates of
our own; and staples (docs/trust.md). The peers are openssl s_client and s_server and gnutls-serv. Both engines."""
import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

import harness
from harness import Backend, Case, HAVE_GNUTLS, HAVE_OPENSSL, free_port, listens, read_exactly, stream, until

PUT = os.path.join(harness.BUILD, "tests", "blackbox", "cache_put")
ENGINES = ("openssl", "gnutls")
DOMAIN = """
  - {{name: {engine}{suffix}, profile: ts33210-rel17, engine: {engine}, certificate: {pki}/gateway.pem,
     key: {pki}/gateway.key, client-auth: require, client-methods: [ca], server-methods: [ca]{default},
     trust: {{anchors: [{pki}/ca.pem], crl-required: true, {trust}}}{more}}}
"""
SERIAL = {"good": 0x600D, "bad": 0xBAD}
URL = "http://crl.home.example/1.crl"


class Fetcher:
    """gatehouse-fetch as the gateway sees it: a socket, a line a packet. It answers when it is told to."""

    def __init__(self, path):
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.bind(path)
        self.server.listen(4)
        self.conn, self.asked, self.running = None, [], True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while self.running:
            try:
                self.conn, _ = self.server.accept()
                with self.conn:
                    while packet := self.conn.recv(4096):
                        self.asked.append(packet.decode())
            except OSError:
                pass

    def wait(self, count=1):
        until(lambda: len(self.asked) >= count, lambda: f"{count} requests, got {self.asked}")

    def answer(self, text):
        self.conn.send(f"{text}\n".encode())

    def close(self):
        self.running = False
        for sock in (self.conn, self.server):
            if sock:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                sock.close()
        self.thread.join(harness.PATIENCE)


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Live(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        for name in ("gateway", "good", "bad"):
            cls.pki.leaf(name, serial=SERIAL.get(name), more=f"crlDistributionPoints=URI:{URL}\n")
        cls.pki.leaf("plain")
        cls.pki.crl("nobody.crl")
        cls.pki.crl("bad.crl", "bad")

    def setUp(self):
        self.cache = tempfile.mkdtemp(dir=self.folder)

    def begin(self, *domains, crl="nobody.crl", **settings):
        """A gateway with a cache folder of its own, in which that CRL lies."""
        if crl:
            self.put(crl)
        self.gw = self.gateway("".join(domains) or self.domains(), **settings)
        self.mgc = self.gw.controller

    def domains(self, suffix="", more="", trust=None):
        """A domain for each engine; `trust` in the place of the cache folder."""
        return "".join(DOMAIN.format(engine=e, pki=self.folder, suffix=suffix, more=more,
                                     trust=trust or f"cache: {self.cache}",
                                     default=", default: true" if e == "openssl" and not suffix else "")
                       for e in ENGINES)

    def put(self, crl):
        done = subprocess.run([PUT, self.cache, self.pki.path("ca.pem"), self.pki.path(crl)], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def seen(self, count=1):
        """The gateway has looked."""
        self.gw.logged("has changed: crls=", count=count)

    def visit(self, engine, who):
        """A context whose TLS end that client visits: (made, peer, backend)."""
        backend = self.own(Backend())
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                           control=f'gatehouse/dom = "{engine}"'), backend)
        return made, self.peer("openssl", "s_client", "-connect", f"127.0.0.1:{made.ports[0]}", "-quiet",
                               "-no_ign_eof", *self.pki.cert(who)), backend

    def talk(self, engine, who):
        made, peer, backend = self.visit(engine, who)
        conn = backend.accept()
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        self.chat(peer, conn)
        return made, peer, conn

    def chat(self, peer, conn):
        peer.send(b"up\n")
        self.assertEqual(read_exactly(conn, 3), b"up\n")
        conn.sendall(b"down\n")
        peer.says(b"down\n")
        with peer.lock:
            peer.text = b""

    def refused(self, engine, who, auth, alert, *words):
        made, _, _ = self.visit(engine, who)
        self.refusal(made, auth, alert, *words)

    def refusal(self, made, auth, alert, *words):
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = EstFail")
        self.assertIn(f'Auth = "{auth}"', notify)
        self.assertRegex(notify, f"Alert = {alert}\\b")
        for word in words:
            self.assertIn(word, notify)
        self.end(self.mgc, made)

    # -- sessions that are up

    def condemned(self, made, action, domain):
        """The log line, the alarm: serial number, CRL, stream."""
        self.gw.logged(f"mg: tls-condemned context={made.context} term={made.terms[0]} stream=1 domain={domain} "
                       f'action={action} subject="CN=bad.home.example,O=Home": its certificate, serial 0BAD revoked by '
                       "the ")

    def test_exactly_the_sessions_of_a_revoked_peer_end(self):
        for how in ("cache", "file"):
            with self.subTest(how):
                self.exactly(how)
                self.doCleanups()

    def exactly(self, how):
        """`how` the new CRL comes: by the cache folder, or by a reload of files."""
        self.setUp()
        file = os.path.join(self.cache, "a.crl")
        shutil.copy(self.pki.path("nobody.crl"), file)
        trust = f"crls: [{file}]" if how == "file" else None
        self.begin(self.domains(trust=trust), self.domains("-report", ", on-revocation: report", trust),
                   self.domains("-grace", ", on-revocation: grace 300ms", trust))
        here = {(e + s, who): self.talk(e + s, who) for e in ENGINES for s in ("", "-report", "-grace")
                for who in ("good", "bad")}
        if how == "file":
            shutil.copy(self.pki.path("bad.crl"), file)
            self.gw.signal(harness.signal.SIGHUP)
        else:
            self.put("bad.crl")
        for (domain, who), (made, peer, conn) in here.items():
            if who == "good":
                continue
            action = domain.partition("-")[2] or "end"
            self.condemned(made, action, domain)
            if action != "end":
                notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Mod")
                self.assertIn('Auth = "revoked"', notify)
                self.assertIn("serial 0BAD revoked", notify)
            if action != "report":
                notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
                self.assertIn('Cause = "revoked"', notify)
                self.assertIn("Alert = 0, Side = local", notify)
                self.assertIn("serial 0BAD revoked", notify)
                self.assertIn("g/cause", notify)
                peer.wait()
        for (domain, who), (made, peer, conn) in here.items():
            if who == "good" or domain.endswith("-report"):
                self.chat(peer, conn)
            if who == "good":
                self.mgc.none(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = (Mod|Rel)")
            self.end(self.mgc, made)

    # -- a CRL that a handshake waits for

    def fetch(self, limit="60s"):
        path = os.path.join(self.cache, ".socket")
        self.begin(self.domains(), crl=None, media=", handshake-timeout: 60s",
                   extra=f"fetch: {{socket: {path}, limit: {limit}}}\n")
        return path

    def test_a_handshake_waits_for_a_crl_and_no_other_does(self):
        fetcher = self.own(Fetcher(self.fetch()))
        waiting = [self.visit(engine, who) for engine in ENGINES for who in ("good", "bad")]
        fetcher.wait()
        for engine in ENGINES:  # who lacks a CRL that nobody can tell where to find
            self.refused(engine, "plain", "crl-missing", 46, "there is no CRL for CN=plain")
        for made, _, _ in waiting:
            self.mgc.none(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange")
        self.assertEqual(fetcher.asked, [f"crl {URL}\n"])  # one for all
        self.put("bad.crl")
        fetcher.answer(f"done {URL}")
        for number, (made, peer, backend) in enumerate(waiting):
            if number % 2:
                self.refusal(made, "revoked", 44)
                continue
            conn = backend.accept()
            self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
            self.chat(peer, conn)
            self.end(self.mgc, made)
        made, _, _ = self.talk("openssl", "good")  # known from now on
        self.end(self.mgc, made)
        self.assertEqual(len(fetcher.asked), 1)
        self.gw.logged(f"mg: fetch done url={URL}")

    def test_what_cannot_be_fetched_refuses_with_the_reason(self):
        path = self.fetch()
        for engine in ENGINES:  # nobody there
            self.refused(engine, "good", "crl-missing", 46, "not fetched: No such file or directory")
        fetcher = self.own(Fetcher(path))
        for engine in ENGINES:
            for answer, words in ((f"failed {URL} 404 Not Found", "not fetched: 404 Not Found"),
                                  (f"done {URL}", "there is no CRL for"),  # it says so, and has not
                                  ("nonsense\n\nfailed", None)):
                count = len(fetcher.asked)
                made, _, _ = self.visit(engine, "good")
                fetcher.wait(count + 1)
                fetcher.answer(answer)
                if words is None:  # it means nothing; then the fetcher dies
                    fetcher.conn.shutdown(socket.SHUT_RDWR)
                    words = "not fetched: the fetcher has gone"
                self.refusal(made, "crl-missing", 46, words)
        fetcher.close()
        self.refused("openssl", "good", "crl-missing", 46, "not fetched: Connection refused")

    def test_the_limit(self):
        fetcher = self.own(Fetcher(self.fetch(limit="200ms")))
        for engine in ENGINES:
            self.refused(engine, "good", "crl-missing", 46, "not fetched: no answer within 200 ms")
        self.put("nobody.crl")
        fetcher.answer(f"done {URL}")  # late, but it is there for the next one
        self.seen()
        made, _, _ = self.talk("gnutls", "good")
        self.end(self.mgc, made)
        self.gw.stop()
        self.gw.logged("mg: trust counts revoked=0 crl-missing=2 crl-stale=0 condemned=0 waits=2 waits-lost=2")

    def test_leaving_while_a_handshake_waits(self):
        fetcher = self.own(Fetcher(self.fetch()))
        for engine in ENGINES:
            made, peer, _ = self.visit(engine, "good")
            fetcher.wait()
            peer.close()  # the peer goes, then the controller ends the context
            self.mgc.ok(f"Context = {made.context} {{ W-Subtract = * {{ Audit {{ }} }} }}")
            fetcher.answer(f"failed {URL} too late")
            self.visit(engine, "good")
            fetcher.wait(2)
        self.gw.stop()  # SIGTERM with one that waits

    # -- staples

    def staple(self, who, index="index.txt"):
        """What an OCSP responder, here the CA itself, says of that certificate."""
        self.pki.tool("ocsp", "-index", index, "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key", "-issuer",
                      "ca.pem", "-cert", f"{who}.pem", "-respout", f"{who}.ocsp", "-ndays", "1", "-noverify")
        return self.pki.path(f"{who}.ocsp")

    def client(self, engine, port):
        """The gateway as TLS client of that port."""
        backend = self.own(Backend())
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "active", port, "passive",
                                           control=f'gatehouse/dom = "{engine}"'), backend,
                          tls_signals="tcpbcc/EstBNC, tlsbsc/EstBNC")
        return made, backend

    def servers(self, who, staple):
        """Commands of servers with that staple, of TLS 1.2 and 1.3."""
        key, cert = self.pki.path(f"{who}.key"), self.pki.path(f"{who}.pem")
        for version in ("1.2", "1.3"):
            yield ("openssl", "s_server", "-accept", "{port}", "-quiet", "-cert", cert, "-key", key,
                   f"-tls{version.replace('.', '_')}", *(("-status_file", staple) if staple else ()))
            if HAVE_GNUTLS:
                yield ("gnutls-serv", "-p", "{port}", "--quiet", "--x509certfile", cert, "--x509keyfile", key,
                       "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}", "--disable-client-cert",
                       *(("--ocsp-response", staple, "--ignore-ocsp-response-errors") if staple else ()))

    def test_a_staple_of_a_server_stands_in_for_its_crl(self):
        shutil.copy(self.pki.path("index.txt"), self.pki.path("good.txt"))
        with open(self.pki.path("good.txt"), "a", encoding="ascii") as file:
            file.write(f"V\t400101000000Z\t\t{SERIAL['good']:04X}\tunknown\t/O=Home/CN=good.home.example\n")
        good, bad = self.staple("good", "good.txt"), self.staple("bad")
        self.begin(self.domains(trust=f"cache: {self.cache}, ocsp-staples: true"), crl=None)
        for who, staple, auth, alert in (("good", good, None, None), ("bad", bad, "revoked", 44),
                                         ("good", None, "crl-missing", 46), ("good", bad, "crl-missing", 113)):
            for command in self.servers(who, staple):
                for engine in ENGINES:
                    with self.subTest(who=who, auth=auth, engine=engine, server=command):
                        port = free_port()
                        server = self.peer(*(word.format(port=port) for word in command))
                        until(lambda: listens(port), lambda: f"it listens: {server.text}")
                        made, backend = self.client(engine, port)
                        if auth:
                            self.refusal(made, auth, alert)
                        else:
                            backend.accept()
                            self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
                            self.end(self.mgc, made)
                        server.close()

    # -- staples of our own

    def asks(self, engine, version, *words):
        """A client that asks for our staple, and what it says of the answer."""
        backend = self.own(Backend())
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                           control=f'gatehouse/dom = "{engine}"'), backend)
        peer = self.peer("openssl", "s_client", "-connect", f"127.0.0.1:{made.ports[0]}", "-status", version,
                         *self.pki.cert("good"))
        backend.accept()
        for word in words:
            peer.says(word)
        self.end(self.mgc, made)

    def asked_by_gnutls(self, engine, version, sent):
        backend = self.own(Backend())
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                           control=f'gatehouse/dom = "{engine}"'), backend)
        peer = self.peer("gnutls-cli", "-p", str(made.ports[0]), "127.0.0.1", "--x509cafile", self.pki.path("ca.pem"),
                         "--verify-hostname", "gateway.home.example", "--x509certfile", self.pki.path("good.pem"),
                         "--x509keyfile", self.pki.path("good.key"), "--priority",
                         f"NORMAL:-VERS-ALL:+VERS-TLS{version}")
        backend.accept()
        peer.says(b"Handshake was completed")
        self.assertIn(b"The certificate is trusted.", peer.text)
        self.assertEqual(b"OCSP status request" in peer.text, sent, peer.text)
        self.end(self.mgc, made)

    def all_ask(self, sent):
        for engine in ENGINES:
            for version in ("1.2", "1.3"):
                with self.subTest(engine=engine, version=version, sent=sent):
                    self.asks(engine, f"-tls{version.replace('.', '_')}",
                              *((b"OCSP Response Status: successful", b"Cert Status: good") if sent else
                                (b"OCSP response: no response sent",)))
                    if HAVE_GNUTLS:
                        self.asked_by_gnutls(engine, version, sent)

    def test_our_own_staple(self):
        """Taken anew at a reload; one that is not ours, or not good, changes nothing; one out of date is not sent."""
        serial = self.pki.tool("x509", "-in", "gateway.pem", "-noout", "-serial").strip().split("=")[1]
        for name, status in (("ours.txt", "V\t400101000000Z\t"), ("gone.txt", "R\t400101000000Z\t200101000000Z")):
            with open(self.pki.path(name), "w", encoding="ascii") as file:
                file.write(f"{status}\t{serial}\tunknown\t/O=Home/CN=gateway.home.example\n")
        own = os.path.join(self.cache, "own.ocsp")
        shutil.copy(self.staple("gateway", "ours.txt"), own)
        self.begin(self.domains(more=f", staple: {own}"), extra="metrics: {listen: 127.0.0.1:0}\n")
        self.all_ask(True)

        def told():
            """Whether metrics say that it is in date."""
            port = re.search(r"metrics by HTTP on tcp:127\.0\.0\.1:(\d+)", self.gw.log()).group(1)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=harness.PATIENCE) as answer:
                found = re.findall(r'gatehouse_tls_staple_until_seconds\{domain="(\w+)",certificate="0"\} (\d+)\n',
                                   answer.read().decode("utf-8"))
            self.assertEqual([name for name, _ in found], list(ENGINES))
            return [int(until) > time.time() for _, until in found]
        self.assertEqual(told(), [True, True])

        def der(who, index):
            with open(self.staple(who, index), "rb") as file:
                return file.read()
        endless = self.pki.path("endless.ocsp")
        self.pki.tool("ocsp", "-index", "ours.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key", "-issuer",
                      "ca.pem", "-cert", "gateway.pem", "-respout", endless, "-noverify")
        with open(endless, "rb") as file:
            endless = file.read()
        reloads = refusals = 0
        for data, words, sent in ((der("good", "ours.txt"), "own.ocsp: the OCSP staple is about another certificate", True),
                                  (der("gateway", "gone.txt"), "own.ocsp: the OCSP staple says revoked", True),
                                  (b"-----BEGIN", "own.ocsp: the OCSP staple cannot be read", True),
                                  (b"", "own.ocsp: the OCSP staple cannot be read", True),
                                  (endless, "own.ocsp: the OCSP staple is not fresh (RFC 6960, 3.2); it is not sent: get a new "
                                   "one and reload", False),
                                  (der("gateway", "ours.txt"), "reloaded: 2 TLS domains", True)):
            with open(own, "wb") as file:
                file.write(data)
            self.gw.signal(harness.signal.SIGHUP)
            if sent and "own.ocsp" in words:
                refusals += 1
                self.gw.logged("not reloaded, nothing has changed", count=refusals)
            else:
                reloads += 1
                self.gw.logged("mg: reloaded: 2 TLS domains", count=reloads)
            self.gw.logged(words)
            self.all_ask(sent)
            self.assertEqual(told(), [sent, sent])

    # -- reload

    def test_a_bad_certificate_is_refused_with_the_reason_and_changes_nothing(self):
        own = {name: os.path.join(self.cache, f"own.{name}") for name in ("pem", "key")}
        self.pki.leaf("expired", days=-1)

        def take(cert, key):
            shutil.copy(self.pki.path(cert + ".pem"), own["pem"])
            shutil.copy(self.pki.path(key + ".key"), own["key"])
        take("gateway", "gateway")
        self.begin(self.domains().replace(f"{self.folder}/gateway.", f"{self.cache}/own."))
        for number, (cert, key, words) in enumerate((
                ("expired", "expired", "own.pem expired on 2020-02-01T00:00:00Z (RFC 5280, 4.1.2.5)"),
                ("gateway", "good", "own.key: the private key does not belong to the certificate"), ("gateway", "gateway", None))):
            take(cert, key)
            self.gw.signal(harness.signal.SIGHUP)
            if words:
                self.gw.logged("not reloaded, nothing has changed", count=number + 1)
                self.gw.logged(words)
            else:
                self.gw.logged("reloaded: 2 TLS domains")
            made, _, _ = self.talk("openssl", "good")
            self.end(self.mgc, made)

    def test_reloads_under_traffic_drop_nothing_and_leak_nothing(self):
        """As relay/revocation does ten thousand times; here the whole program, its file and its signals."""
        self.begin()
        here = [self.talk(engine, "good") for engine in ENGINES]
        fds = rss = 0
        for number in range(1, 121):
            self.gw.signal(harness.signal.SIGHUP)
            self.gw.logged("mg: reloaded: 2 TLS domains", count=number)
            for made, peer, conn in here:
                self.chat(peer, conn)
            if number == 40:
                fds, rss = self.gw.fds(), self.gw.rss()
        until(lambda: self.gw.fds() <= fds, lambda: f"{fds} descriptors, now {self.gw.fds()}")
        self.assertLess(self.gw.rss() - rss, 4 << 20)
        for made, peer, conn in here:
            self.mgc.none(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = (Mod|Rel)")
            self.end(self.mgc, made)

    # -- the folder

    def test_a_new_crl_is_seen_without_restart_or_reload(self):
        self.begin(crl=None)
        for engine in ENGINES:
            self.refused(engine, "good", "crl-missing", 46)
        self.put("nobody.crl")
        self.seen()
        for engine in ENGINES:
            made, _, _ = self.talk(engine, "bad")
            self.end(self.mgc, made)
        self.put("bad.crl")
        self.seen(count=2)
        for engine in ENGINES:
            self.refused(engine, "bad", "revoked", 44)
            made, _, _ = self.talk(engine, "good")
            self.end(self.mgc, made)

    def test_a_new_certificate_in_the_folder_is_seen_without_restart_or_reload(self):
        """A CA certificate that the peers do not send: as a cross-certificate it is read when domains are made."""
        with open(self.pki.path("sub.ext"), "w", encoding="ascii") as file:
            file.write("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
        self.pki.tool("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "sub.key",
                      "-out", "sub.csr", "-subj", "/O=Home/CN=Sub CA")
        self.pki.tool("x509", "-req", "-in", "sub.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "30", "-extfile",
                      "sub.ext", "-set_serial", "77", "-out", "sub.pem")
        self.pki.tool("x509", "-in", "sub.pem", "-outform", "DER", "-out", "sub.der")
        self.pki.leaf("deep", ca="sub")
        os.mkdir(os.path.join(self.cache, "ca"))
        self.begin(self.domains().replace("crl-required: true, ", ""), crl=None)
        made, peer, conn = self.talk("openssl", "good")
        self.refused("openssl", "deep", "unknown-ca", 48)
        with open(self.pki.path("sub.der"), "rb") as file:
            der = file.read()
        name = os.path.join(self.cache, "ca", hashlib.sha256(der).hexdigest())
        with open(name + ".new", "wb") as file:
            file.write(der)
        os.rename(name + ".new", name + ".der")
        self.gw.logged("certificates have changed: 2 TLS domains were made anew")
        for engine in ENGINES:
            deep, _, _ = self.talk(engine, "deep")
            self.end(self.mgc, deep)
        self.chat(peer, conn)  # who was there goes on
        self.end(self.mgc, made)

    def test_a_folder_that_is_still_empty(self):
        """The gateway may start before its fetcher: it refuses everybody between operators until a cross-certificate comes."""
        with open(self.pki.path("cross.ext"), "w", encoding="ascii") as file:
            file.write("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
                       "extendedKeyUsage=clientAuth\n")
        self.pki.tool("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "away.key",
                      "-out", "away.csr", "-subj", "/O=Away/CN=TLS CA")
        self.pki.tool("x509", "-req", "-in", "away.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "30", "-extfile",
                      "cross.ext", "-set_serial", "78", "-out", "away.pem")
        self.pki.tool("x509", "-in", "away.pem", "-outform", "DER", "-out", "away.der")
        self.pki.leaf("there", ca="away")
        os.mkdir(os.path.join(self.cache, "cross"))
        self.begin(self.domains(trust=f"interconnect: true, interconnection-cas: [{self.pki.path('ca.pem')}], "
                                      f"cache: {self.cache}")
                   .replace("crl-required: true, ", ""), crl=None)
        self.gw.logged("everybody is refused until")
        for engine in ENGINES:
            self.refused(engine, "there", "unknown-ca", 48)
        with open(self.pki.path("away.der"), "rb") as file:
            der = file.read()
        name = os.path.join(self.cache, "cross", hashlib.sha256(der).hexdigest())
        with open(name + ".new", "wb") as file:
            file.write(der)
        os.rename(name + ".new", name + ".der")
        self.gw.logged("certificates have changed: 2 TLS domains were made anew")
        for engine in ENGINES:  # now there is a way, and no CRL yet
            self.refused(engine, "there", "crl-missing", 46)

    def test_what_is_bad_in_the_folder_takes_nothing_away(self):
        """A file that is no index, and a folder that is gone: the last good state; a reload then changes nothing."""
        self.begin(crl="bad.crl")
        name = next(n for n in os.listdir(self.cache) if n.endswith(".crlx"))
        whole = os.path.join(self.cache, name)
        with open(whole + ".new", "wb") as file:
            file.write(b"GH-CRLX\n and then nothing")
        os.rename(whole + ".new", whole)
        self.gw.logged("the one before stays in use")
        self.refused("openssl", "bad", "revoked", 44)
        os.rename(self.cache, self.cache + ".away")
        self.gw.logged("the cache folder cannot be read")
        self.refused("gnutls", "bad", "revoked", 44)
        made, _, _ = self.talk("gnutls", "good")
        self.end(self.mgc, made)
        self.gw.signal(harness.signal.SIGHUP)
        self.gw.logged("not reloaded, nothing has changed")
        self.refused("openssl", "bad", "revoked", 44)
        os.mkdir(self.cache)  # it is there again, and empty: a check that cannot be made refuses
        self.put("nobody.crl")
        self.gw.signal(harness.signal.SIGHUP)
        self.gw.logged("reloaded: 2 TLS domains")
        made, _, _ = self.talk("openssl", "bad")
        self.end(self.mgc, made)


if __name__ == "__main__":
    unittest.main()
