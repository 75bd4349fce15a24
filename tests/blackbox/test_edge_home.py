#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The network's side of gatehouse-edge is TLS towards Kamailio, with certificates at both ends and requests both ways."""
import unittest

import access
import harness
import kamailio
from edge import Edge, Ue, field, status

@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Home(harness.Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)
        cls.home = access.certificate(cls.pki, "scscf.home.example", also=("localhost",))
        cls.own_core = access.certificate(cls.pki, "core.visited.example", also=("localhost",))

    def core(self, tls=None, **settings):
        return self.own(kamailio.Kamailio(self.folder, access.PASSWORDS, tls=tls, **settings))

    def edge(self, core, **domain):
        """Its core side is TLS."""
        there = f"sip:localhost:{core.tls_port};transport=tls;lr"
        return self.own(Edge(self.folder, self.tls, core,
                             core={"listen": [f"tls:127.0.0.1:{harness.free_port()}"], "domain": "core", "registrar": there, "proxy": there},
                             domains=[{"name": "core", "profile": "ts33210-rel17", "certificate": self.own_core["cert"], "key": self.own_core["key"],
                                       "certificate-profile": "none", "anchors": [self.pki.path("ca.pem")], **domain}]))

    def register(self, edge, name="alice"):
        """@return the status of all of it"""
        ue = self.own(Ue(edge, name))
        ue.send(ue.register_text())
        answer = ue.final("REGISTER")
        if status(answer) == 401:
            ue.challenge = field(answer, "WWW-Authenticate")
            answer = ue.second()
        return ue, status(answer)

    def test_tls_at_both_ends(self):
        """Kamailio asks for the edge's certificate, the edge for Kamailio's."""
        core = self.core({**self.home, "verify": 1, "require": 1})
        edge = self.edge(core)
        alice, found = self.register(edge)
        self.assertEqual(found, 200)
        self.assertIn("SIP/2.0/TLS", core.got("REGISTER", "response="))
        edge.logged("tls up .*side=client domain=core .*auth=ca")
        alice.send(alice.text("MESSAGE", alice.identity, body="round", contact=False))
        asked = alice.take("MESSAGE")
        self.assertIn("SIP/2.0/TLS", asked.split("Via:")[2])
        alice.reply(asked, 200)
        self.assertEqual(status(alice.final("MESSAGE")), 200)

    def test_a_core_of_another_authority(self):
        other = access.certificate(self.pki, "fake.home.example", also=("localhost",), ca="other")
        core = self.core(other)
        edge = self.edge(core)
        _, found = self.register(edge)
        self.assertIn(found, (408, 480, 500, 503, 504))
        self.assertEqual(core.requests(), [])
        edge.logged("tls failed .*domain=core")


if __name__ == "__main__":
    unittest.main(verbosity=2)
