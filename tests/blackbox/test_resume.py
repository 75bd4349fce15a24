#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whose sessions may be resumed, for how long and where (H.248.TLSPROF 7-6; TS 33.310, Annex E, E7): across workers and
reloads. The client is openssl s_client, which keeps its session in a file. Both engines."""
import signal
import unittest

import harness
from harness import Backend, Case, HAVE_OPENSSL, read_exactly, stream

ENGINES = ("openssl", "gnutls")
VERSIONS = ("-tls1_2", "-tls1_3")
DOMAIN = """
  - {{name: {engine}, profile: ts33210-rel17, engine: {engine}, certificate: {d}/{cert}.pem, key: {d}/{cert}.key,
     client-auth: none, server-methods: [fingerprint]}}
"""


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Resume(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.pki.leaf("gateway")
        cls.pki.leaf("other")

    def domains(self, cert="gateway"):
        return "".join(DOMAIN.format(engine=e, d=self.folder, cert=cert) for e in ENGINES)

    def visit(self, gw, engine, version, session):
        """One client of this gateway, with the session of that file if there is one. Was it resumed?"""
        backend = self.own(Backend())
        made = self.relay(gw.controller, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                                control=f'gatehouse/dom = "{engine}"'), backend)
        peer = self.peer("openssl", "s_client", "-connect", f"127.0.0.1:{made.ports[0]}", version, "-sess_out", session,
                         *(("-sess_in", session) if session in self.kept else ()))
        conn = backend.accept()
        notify = gw.controller.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        conn.sendall(b"down\n")  # behind a ticket of TLS 1.3
        peer.says(b"down\n")
        peer.send(b"up\n")
        self.assertEqual(read_exactly(conn, 3), b"up\n")
        peer.finish()
        conn.close()
        self.kept.add(session)
        self.end(gw.controller, made)
        return "Resumed = on" in notify

    def setUp(self):
        self.kept = set()

    def each(self):
        for engine in ENGINES:
            for version in VERSIONS:
                with self.subTest(engine=engine, version=version):
                    yield engine, version, f"{self.folder}/{self.id()}{engine}{version}"

    def reload(self, gw, domains):
        count = gw.log().count("reloaded")
        gw.write(domains)
        gw.signal(signal.SIGHUP)
        gw.logged("reloaded", count=count + 1)

    def test_at_any_worker(self):
        gw = self.gateway(self.domains(), workers=3)
        for engine, version, session in self.each():
            self.assertEqual([self.visit(gw, engine, version, session) for _ in range(5)], [False] + 4 * [True])

    def test_a_reload_that_changes_nothing_about_peers(self):
        gw = self.gateway(self.domains())
        for engine, version, session in self.each():
            self.assertFalse(self.visit(gw, engine, version, session))
            self.reload(gw, self.domains())
            self.assertTrue(self.visit(gw, engine, version, session))
            self.reload(gw, self.domains() + DOMAIN.format(engine="openssl", d=self.folder, cert="other").replace(
                "name: openssl", "name: more"))
            self.assertTrue(self.visit(gw, engine, version, session))

    def test_another_certificate_begins_anew(self):
        gw = self.gateway(self.domains())
        for engine, version, session in self.each():
            self.assertFalse(self.visit(gw, engine, version, session))
            self.reload(gw, self.domains("other"))
            self.assertFalse(self.visit(gw, engine, version, session))
            self.assertTrue(self.visit(gw, engine, version, session))
            self.reload(gw, self.domains())

    def test_not_in_another_domain(self):
        gw = self.gateway(self.domains() + DOMAIN.format(engine="openssl", d=self.folder, cert="gateway").replace(
            "name: openssl", "name: twin"))
        for version in VERSIONS:
            session = f"{self.folder}/twin{version}"
            self.assertFalse(self.visit(gw, "openssl", version, session))
            self.assertFalse(self.visit(gw, "twin", version, session))


if __name__ == "__main__":
    unittest.main(verbosity=2)
