#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The edge of operator A, its users' registrar with operator B: the way between them is trusted by A's Interconnection CA, the
cross-certificate it gave B's TLS CA, and CRLs that have to be there (TS 33.310, 5.2.2.2). Kamailio does the same the other way round."""
import unittest

import access
import harness
import kamailio
from between import Between
from edge import Edge, Ue, field, status


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Operators(Between, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def registrar(self):
        with open(self.path("trusted.pem"), "w", encoding="ascii") as out:
            for part in ("b/interconnection/ca.pem", "b-of-clients.pem"):
                with open(self.path(part), encoding="ascii") as file:
                    out.write(file.read())
        return self.own(kamailio.Kamailio(self.folder, access.PASSWORDS, tls={
            "cert": self.path("b-server.pem"), "key": self.path("b-server.key"), "ca": self.path("trusted.pem"), "verify": 1, "require": 1}))

    def visited(self, core, drop=(), cert="a-client"):
        there = f"sip:127.0.0.1:{core.tls_port};transport=tls;lr"
        crls = [crl for crl in ("a/interconnection/ca.crl", "b/tls-server/ca.crl", "b/tls-client/ca.crl") if crl not in drop]
        return self.own(Edge(self.folder, self.tls, core,
                             core={"listen": [f"tls:127.0.0.1:{harness.free_port()}"], "domain": "core", "registrar": there, "proxy": there},
                             domains=[{"name": "core", "profile": "ts33210-rel17", "certificate": self.path(f"{cert}.pem"),
                                       "key": self.path(f"{cert}.key"), "interconnect": True,
                                       "interconnection-cas": [self.path("a/interconnection/ca.pem")],
                                       "cross": [self.path("a-of-servers.pem"), self.path("a-of-clients.pem")],
                                       "crls": [self.path(crl) for crl in crls]}]))

    def register(self, edge):
        ue = self.own(Ue(edge, "alice"))
        ue.send(ue.register_text())
        answer = ue.final("REGISTER")
        if status(answer) == 401:
            ue.challenge = field(answer, "WWW-Authenticate")
            answer = ue.second()
        return status(answer)

    def refused(self, edge, core, *words):
        self.assertIn(self.register(edge), (408, 480, 500, 503, 504))
        line = edge.logged("tls failed .*domain=core.*")[0]
        for word in words:
            self.assertIn(word, line)
        self.assertEqual(core.requests(), [])

    def test_both_vouch(self):
        core = self.registrar()
        edge = self.visited(core)
        self.assertEqual(self.register(edge), 200)
        edge.logged("tls up .*side=client domain=core .*auth=ca")
        self.assertIn("SIP/2.0/TLS", core.got("REGISTER", "response="))

    def test_no_cross_certificate(self):
        """Of B's TLS CA for clients alone."""
        core = self.registrar()
        self.cross("a", "client")
        with open(self.path("a-of-clients.pem"), encoding="ascii") as file, open(self.path("a-of-servers.pem"), "w", encoding="ascii") as out:
            out.write(file.read())
        self.refused(self.visited(core), core, "nor a cross-certificate vouches")

    def test_a_crl_is_missing(self):
        """Each of them decides: of the cross-certificate, and of B's certificate."""
        for crl in ("a/interconnection/ca.crl", "b/tls-server/ca.crl"):
            with self.subTest(crl):
                core = self.registrar()
                self.refused(self.visited(core, drop=(crl,)), core, "crl")

    def test_revoked(self):
        """B's certificate, by B; then B as a whole, by A."""
        for ca, o, revoke in (("tls-server", "b", "b-server.pem"), ("interconnection", "a", "a-of-servers.pem")):
            with self.subTest(revoke):
                self.tool("pki", "revoke", "--ca", ca, o, revoke)
                self.tool("pki", "crl", "--ca", ca, o)
                core = self.registrar()
                self.refused(self.visited(core), core, "revoked")


if __name__ == "__main__":
    unittest.main(verbosity=2)
