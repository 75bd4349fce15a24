#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What changes under a gateway that runs: CRLs in the cache folder (docs/trust.md). The peers are openssl s_client and
s_server. Both engines."""
import os
import subprocess
import tempfile
import unittest

import harness
from harness import Backend, Case, HAVE_OPENSSL, read_exactly, stream

PUT = os.path.join(harness.BUILD, "tests", "blackbox", "cache_put")
ENGINES = ("openssl", "gnutls")
DOMAIN = """
  - {{name: {engine}, profile: ts33210-rel17, engine: {engine}, certificate: {pki}/gateway.pem,
     key: {pki}/gateway.key, client-auth: require, client-methods: [ca], server-methods: [ca]{default},
     trust: {{anchors: [{pki}/ca.pem], crl-required: true, cache: {cache}{more}}}}}
"""


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Live(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        for name in ("gateway", "good", "bad"):
            cls.pki.leaf(name)
        cls.pki.crl("nobody.crl")
        cls.pki.crl("bad.crl", "bad")

    def begin(self, more="", crl="nobody.crl"):
        """A gateway with a cache folder of its own, in which that CRL lies."""
        self.cache = tempfile.mkdtemp(dir=self.folder)
        if crl:
            self.put(crl)
        self.gw = self.gateway(self.domains(more))
        self.mgc = self.gw.controller

    def domains(self, more=""):
        return "".join(DOMAIN.format(engine=e, pki=self.folder, cache=self.cache, more=more,
                                     default=", default: true" if e == "openssl" else "") for e in ENGINES)

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

    def refused(self, engine, who, auth, alert):
        made, _, _ = self.visit(engine, who)
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = EstFail")
        self.assertIn(f'Auth = "{auth}"', notify)
        self.assertRegex(notify, f"Alert = {alert}\\b")
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
