#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renegotiation by the controller's order (tlsm; H.248.TLSPROF 8.4), with peers of others in both roles and on both
engines; and NSS's tstclnt, which sends data in the midst of the renegotiation that it begins."""
import os
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import Backend, Case, HAVE_GNUTLS, HAVE_OPENSSL, NO_GNUTLS, free_port, listens, read_exactly, stream, until

ENGINES = ("openssl", "gnutls")
HAVE_NSS = bool(shutil.which("tstclnt") and shutil.which("certutil"))
NO_NSS = "no tstclnt and certutil here (Debian: libnss3-tools)"
DOMAINS = """
  - {{name: {e}-both, profile: ts33310-annex-e-rel12, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, server-methods: [ca], renegotiation: both}}
  - {{name: {e}-none, profile: ts33310-annex-e-rel12, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, server-methods: [ca], renegotiation: none}}
  - {{name: {e}-asks, profile: ts33310-annex-e-rel12, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: require, client-methods: [ca], renegotiation: both}}
  - {{name: {e}-new, profile: ts33210-rel17, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, server-methods: [ca]}}
"""
AUTO = """
  - {{name: auto, profile: ts33310-annex-e-rel12, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, default: true}}
"""


def each_engine(test):
    def run(self):
        for engine in ENGINES:
            with self.subTest(engine):
                try:
                    test(self, engine)
                finally:
                    self.doCleanups()
    run.__doc__ = test.__doc__
    return run


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Maintain(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.pki.leaf("gateway", key="rsa")
        cls.pki.leaf("ue", key="rsa")
        cls.shared_gateway("".join(DOMAINS.format(e=e, d=cls.folder) for e in ENGINES) + AUTO.format(d=cls.folder),
                           workers=1)

    def as_server(self, domain, *command):
        backend = self.own(Backend())
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                           control=f'gatehouse/dom = "{domain}"'), backend)
        peer = self.peer(*(word.format(port=made.ports[0]) for word in command))
        conn = backend.accept()
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        self.watch(made)
        return made, peer, conn

    def as_client(self, domain, *command):
        backend, port = self.own(Backend()), free_port()
        peer = self.peer(*(word.format(port=port) for word in command))
        until(lambda: listens(port), lambda: f"it listens: {peer.text}")
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "active", port, "passive",
                                           control=f'gatehouse/dom = "{domain}"'), backend,
                          tls_signals="tcpbcc/EstBNC, tlsbsc/EstBNC")
        conn = backend.accept()
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        self.watch(made)
        return made, peer, conn

    def watch(self, made):
        self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Events = 9 {{ tcpbcc/*, tlsbsc/*, "
                    "tlsm/* } } }")

    def order(self, made):
        self.mgc.ok(self.order_text(made))

    @staticmethod
    def order_text(made):
        return f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Signals {{ tlsm/Reneg }} }} }}"

    def talk(self, peer, conn):
        peer.send(b"up\n")
        self.assertEqual(read_exactly(conn, 3), b"up\n")
        conn.sendall(b"down\n")
        peer.says(b"down\n")
        with peer.lock:
            peer.text = b""

    def done(self, made, result):
        return self.mgc.take(f"Notify = {made.terms[0]} ", "tlsm/RenegDone", f"Result = {result}")

    @each_engine
    def test_as_server_with_s_client(self, engine):
        made, peer, conn = self.as_server(f"{engine}-both", "openssl", "s_client", "-connect", "127.0.0.1:{port}",
                                          "-servername", "gateway.home.example")
        self.talk(peer, conn)
        for _ in range(2):
            self.order(made)
            self.done(made, "done")
            self.talk(peer, conn)
        reply = self.mgc.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ Media }} }} }}")
        self.assertIn('tlsm/can = ["secured", "renegotiation"]', reply)
        self.end(self.mgc, made)

    @each_engine
    def test_the_client_proves_itself_each_time(self, engine):
        made, peer, conn = self.as_server(f"{engine}-asks", "openssl", "s_client", "-connect", "127.0.0.1:{port}",
                                          *self.pki.cert("ue"))
        self.talk(peer, conn)
        self.order(made)
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Mod,")
        self.assertIn('Auth = "ca"', notify)
        self.assertIn("Resumed = off", notify)
        self.talk(peer, conn)
        self.end(self.mgc, made)

    @each_engine
    def test_as_client_with_s_server(self, engine):
        made, peer, conn = self.as_client(f"{engine}-both", "openssl", "s_server", "-naccept", "1", "-accept",
                                          "127.0.0.1:{port}", "-client_renegotiation", *self.pki.cert("ue"))
        self.talk(peer, conn)
        self.order(made)
        self.done(made, "done")
        self.talk(peer, conn)
        self.end(self.mgc, made)

    @each_engine
    def test_a_server_that_refuses(self, engine):
        """Without -client_renegotiation OpenSSL 3.0 says no_renegotiation, and goes on; our libssl does not."""
        made, peer, conn = self.as_client(f"{engine}-both", "openssl", "s_server", "-naccept", "1", "-accept",
                                          "127.0.0.1:{port}", *self.pki.cert("ue"))
        self.talk(peer, conn)
        self.order(made)
        if engine == "openssl":
            self.done(made, "failed")
            self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
        else:
            self.done(made, "refused")
            self.talk(peer, conn)
            self.order(made)
            self.done(made, "not-begun")
        self.end(self.mgc, made)

    @each_engine
    @unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
    def test_as_client_with_gnutls_serv(self, engine):
        made, _, conn = self.as_client(f"{engine}-both", "gnutls-serv", "--echo", "--port", "{port}", "--x509certfile",
                                       self.pki.path("ue.pem"), "--x509keyfile", self.pki.path("ue.key"), "--priority",
                                       "NORMAL:-VERS-ALL:+VERS-TLS1.2")
        conn.sendall(b"before\n")
        self.assertEqual(read_exactly(conn, 7), b"before\n")
        self.order(made)
        self.done(made, "done")
        conn.sendall(b"after\n")
        self.assertEqual(read_exactly(conn, 6), b"after\n")
        self.end(self.mgc, made)

    @each_engine
    def test_new_keys_in_their_place(self, engine):
        made, peer, conn = self.as_server(f"{engine}-new", "openssl", "s_client", "-tls1_3", "-connect",
                                          "127.0.0.1:{port}", "-servername", "gateway.home.example")
        self.talk(peer, conn)
        reply = self.mgc.ok(f"Context = {made.context} {{ AuditCapability = {made.terms[0]} {{ Audit {{ Media }} }} }}")
        self.assertIn("key-update", reply)
        self.order(made)
        notify = self.done(made, "keys")
        self.assertIn('Version = "TLS1.3"', notify)
        self.talk(peer, conn)
        self.end(self.mgc, made)

    @each_engine
    def test_what_cannot_be_is_told(self, engine):
        made, peer, conn = self.as_server(f"{engine}-none", "openssl", "s_client", "-connect", "127.0.0.1:{port}",
                                          "-servername", "gateway.home.example")
        self.mgc.refused(self.order_text(made), 513)
        self.talk(peer, conn)
        self.end(self.mgc, made)

    @unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
    @each_engine
    def test_a_peer_without_rfc_5746(self, engine):
        made, peer, conn = self.as_server(f"{engine}-both", "gnutls-cli", "--insecure", "--port", "{port}", "127.0.0.1",
                                          "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION")
        self.mgc.refused(self.order_text(made), 513)
        self.talk(peer, conn)
        self.end(self.mgc, made)

    def test_a_scenario_orders_it(self):
        """`gatehouse h248 play`: docs/scenarios.md points at this one."""
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "renegotiate.yaml")
        for engine in ENGINES + ("auto",):
            with self.subTest(engine):
                done = subprocess.run([harness.TOOL, "h248", "play", "--quiet", "--set", f"engine={engine}", path],
                                      capture_output=True, text=True, check=False, timeout=60)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    # -- NSS, which sends on while it renegotiates

    def tstclnt(self, port):
        """`tstclnt -r 1`: it renegotiates behind its first data. Its end is ours to wait for."""
        folder = tempfile.mkdtemp(dir=self.folder)
        subprocess.run(["certutil", "-N", "-d", folder, "--empty-password"], check=True, capture_output=True)
        subprocess.run(["certutil", "-A", "-d", folder, "-n", "ca", "-t", "C,,", "-a", "-i", self.pki.path("ca.pem")],
                       check=True, capture_output=True)
        return ("tstclnt", "-d", folder, "-o", "-h", "127.0.0.1", "-p", str(port), "-V", "tls1.2:tls1.2", "-r", "1")

    def nss(self, domain):
        backend = self.own(Backend())
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                           control=f'gatehouse/dom = "{domain}"'), backend)
        self.watch(made)
        peer = self.peer(*self.tstclnt(made.ports[0]))
        peer.send(b"one\n")  # there before it begins, so it goes out in the midst
        return made, peer, backend.accept()

    @unittest.skipUnless(HAVE_NSS, NO_NSS)
    def test_nss_is_served_by_gnutls_and_by_auto(self):
        for domain in ("gnutls-both", "auto"):
            with self.subTest(domain):
                made, peer, conn = self.nss(domain)
                self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Mod,")
                self.assertEqual(read_exactly(conn, 4), b"one\n")
                conn.sendall(b"down\n")
                peer.says(b"down\n")
                peer.send(b"two\n")
                self.assertEqual(read_exactly(conn, 4), b"two\n")
                self.end(self.mgc, made)
                self.doCleanups()

    @unittest.skipUnless(HAVE_NSS, NO_NSS)
    def test_openssl_shows_nss_out_and_tells_the_gap(self):
        for _ in range(20):  # until tstclnt has read what we gave it before it renegotiates, not after
            made, _, _ = self.nss("openssl-both")
            notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = M")
            if "Type = Mfail" in notify:
                break
            self.end(self.mgc, made)
            self.doCleanups()
        self.assertIn("Type = Mfail, Alert = 10", notify)
        self.gw.logged("TLS domain openssl-both: openssl cannot meet", "with data in its midst (RFC 5246, 7.4.1.1)")
        reply = self.mgc.ok(f"Context = {made.context} {{ AuditCapability = {made.terms[0]} {{ Audit {{ Media }} }} }}")
        self.assertIn("with data in its midst (RFC 5246, 7.4.1.1)", reply)
        self.end(self.mgc, made)


if __name__ == "__main__":
    unittest.main(verbosity=2)
