#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Delta CRLs (RFC 5280, 5.2.4) of `gatehouse pki crl --delta`: read by openssl, believed by `pki verify`, and all the
way through a directory and gatehouse-fetch into the cache folder."""
import os
import re
import shutil
import unittest

import authorities
import harness
import slapd
import test_ldap


class Case(authorities.Case):
    DELTA_URL = "http://crl.b.example/tls-server-delta.crl"

    def setUp(self):
        super().setUp()
        self.issue()
        self.pki("cross-certify", "--yes", "--role", "server", "--peer", "b/tls-server/ca.pem", "--permit", "b.example",
                 "--out", "cross.pem", "a")

    def serial(self, name="gw.pem"):
        return self.openssl("x509", "-in", name, "-noout", "-serial").split("=")[1].strip()

    def show(self, name="delta.crl"):
        """A CRL of B's TLS server authority, as openssl reads and verifies it."""
        path = f"b/tls-server/{name}"
        self.assertIn("verify OK", self.openssl("crl", "-in", path, "-inform", "DER", "-noout", "-CAfile",
                                                "b/tls-server/ca.pem"))
        return harness.squeeze(self.openssl("crl", "-in", path, "-inform", "DER", "-noout", "-text"))

    def revoke(self, reason="keyCompromise", status=0):
        return self.pki("revoke", "--ca", "tls-server", "--reason", reason, "b", "gw.pem", status=status)

    def delta(self, *more, status=0):
        return self.pki("crl", "--ca", "tls-server", "--delta", *more, "b", status=status)

    def full(self, *more):
        return self.pki("crl", "--ca", "tls-server", *more, "b")

    def verify(self, status):
        """What a gateway of A says, with the complete CRL and the delta as files."""
        return self.pki("verify", "--anchor", "a/interconnection/ca.pem", "--cross", "cross.pem", "--crl",
                        "a/interconnection/ca.crl", "--crl", "b/tls-server/ca.crl", "--crl", "b/tls-server/delta.crl",
                        "--name", "gw.b.example", "gw.pem", status=status)


class TestForm(Case):
    def test_what_changed_and_nothing_else(self):
        self.issue("b", "server", "old")
        self.pki("revoke", "--ca", "tls-server", "b", "old.pem")
        self.full()
        self.revoke()
        self.assertIn("delta CRL 3 of tls-server: 1 changed since CRL 2", self.delta())
        text = self.show()
        self.assertIn("X509v3 Delta CRL Indicator: critical 2", text)
        self.assertIn("X509v3 CRL Number: 3", text)
        self.assertIn(self.serial(), text)
        self.assertNotIn(self.serial("old.pem"), text)
        self.assertNotIn("Delta CRL", self.show("ca.crl"))

    def test_numbers_are_one_sequence(self):
        self.delta()
        self.delta()
        self.assertIn("CRL 4 of", self.full())
        self.assertIn("delta CRL 5 of tls-server: 0 changed since CRL 4", self.delta())
        self.assertIn("Delta CRL Indicator: critical 4", self.show())

    def test_changes_stay_until_a_complete_crl(self):
        self.revoke()
        for _ in range(2):
            self.assertIn("1 changed", self.delta())
            self.assertIn(self.serial(), self.show())
        self.full()
        self.assertIn("0 changed", self.delta())

    def test_address_is_told_by_the_complete_one(self):
        self.assertNotIn("Freshest", self.show("ca.crl"))
        self.full("--delta-url", self.DELTA_URL)
        for _ in range(2):  # and kept
            self.assertRegex(self.show("ca.crl"), f"X509v3 Freshest CRL: .{{0,40}}URI:{self.DELTA_URL}")
            self.full()
        self.delta()
        self.assertNotIn("Freshest", self.show())  # RFC 5280, 5.2.6
        self.assertIn("http or ldap", self.pki("crl", "--ca", "tls-server", "--delta-url", "file:///x", "b", status=1))
        self.pki("crl", "--ca", "tls-server", "--delta", "--delta-url", self.DELTA_URL, "b", status=2)

    def test_no_base(self):
        os.remove(self.path("b", "tls-server", "ca.crl"))
        self.assertIn("make one with crl", self.delta(status=1))
        shutil.copy(self.path("b", "tls-client", "ca.crl"), self.path("b", "tls-server", "ca.crl"))
        self.assertIn("make one with crl", self.delta(status=1))
        self.assertFalse(os.path.exists(self.path("b", "tls-server", "delta.crl")))

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed (package strace)")
    def test_killed_between_any_two_steps(self):
        """No number twice, never half a file; the next one goes on."""
        self.delta()
        self.revoke()
        before = int(self.read("b", "tls-server", "crl-number"))
        for nth in range(1, 8):
            done = authorities.run("strace", "-f", "-o", "/dev/null", "-e", "trace=rename", "-e",
                                f"inject=rename:signal=KILL:when={nth}", harness.TOOL, "pki", "crl", "--ca",
                                "tls-server", "--delta", "b", cwd=self.folder)
            if "ptrace" in done.stderr or "PTRACE" in done.stderr:
                self.skipTest("strace may not trace here")
            if done.returncode == 0:
                break
            number = int(re.search(r"CRL Number: ([0-9]+)", self.show())[1])
            self.assertLessEqual(number, int(self.read("b", "tls-server", "crl-number")))
        self.assertGreater(nth, 2)
        self.assertGreater(int(re.search(r"CRL Number: ([0-9]+)", self.show())[1]), before)
        self.assertIn(self.serial(), self.show())


class TestHold(Case):
    def test_lifted(self):
        """certificateHold, and removeFromCRL of what was on hold in the base."""
        self.full("--delta-url", self.DELTA_URL)
        self.revoke("certificateHold")
        self.assertIn("is revoked since", self.revoke("certificateHold", status=1))
        self.full()
        self.delta()
        self.assertIn("revoked", self.verify(1))
        self.assertIn("lifted", self.revoke("removeFromCRL"))
        self.assertIn("1 changed", self.delta())
        self.assertIn("Remove From CRL", self.show())
        self.assertIn("accepted", self.verify(0))
        self.assertIn("no hold", self.revoke("removeFromCRL", status=1))
        self.full()
        self.assertIn("No Revoked Certificates", self.show("ca.crl"))

    def test_lifted_before_a_complete_one_knew(self):
        """On hold in a delta only: the next ones have to say so all the same (RFC 5280, 5.2.4)."""
        self.full("--delta-url", self.DELTA_URL)
        self.revoke("certificateHold")
        self.delta()
        self.revoke("removeFromCRL")
        for _ in range(2):
            self.delta()
            self.assertRegex(self.show(), f"{self.serial()}.*Remove From CRL")
        self.assertIn("accepted", self.verify(0))

    def test_for_good(self):
        """A hold may become a revocation; a revocation is never lifted."""
        self.revoke("certificateHold")
        self.full()
        self.revoke("keyCompromise")
        self.assertIn("1 changed", self.delta())
        self.assertRegex(self.show(), f"{self.serial()}.*Key Compromise")
        self.assertIn("no hold", self.revoke("removeFromCRL", status=1))


class TestDecision(Case):
    def test_known_by_the_delta_only(self):
        self.full("--delta-url", self.DELTA_URL)
        self.delta()
        self.assertIn("accepted", self.verify(0))
        self.revoke()
        self.delta()
        self.assertIn("revoked", self.verify(1))

    def test_published_in_a_folder(self):
        os.mkdir(self.path("www"))
        self.delta()
        self.pki("publish", "b", "www")
        self.assertIn("Delta CRL Indicator", self.openssl("crl", "-in", "www/tls-server-delta.crl", "-inform", "DER",
                                                          "-noout", "-text"))
        self.delta()
        shutil.copytree(self.path("b"), self.path("backup"))
        self.delta()
        self.pki("publish", "b", "www")
        self.assertIn("newer than ours", self.pki("publish", "backup", "www", status=1))


@unittest.skipUnless(slapd.HAVE_SLAPD, slapd.NO_SLAPD)
class TestDirectory(test_ldap.Case):
    def test_through_the_cache(self):
        """Published, fetched, refused: nothing but the delta knows of the revocation."""
        own, peer = self.directory(), self.directory("o=B")
        self.publish("a", own)
        self.pki("crl", "--ca", "tls-server", "--delta", "b")
        self.publish("b", peer)
        entry = "cn=tls-server,o=B"
        fetch = self.fetcher("interconnection-cas: [@a/interconnection/ca.pem]\nissuers: [@a/tls-server/ca.pem, "
                             "@a/tls-client/ca.pem]\nsources:\n"
                             f"  - {{name: own, repository: \"{own.url('o=A')}\"}}\n"
                             f"  - {{name: peer, crl: \"{peer.url(entry + '?certificateRevocationList;binary')}\", "
                             f"delta: \"{peer.url(entry + '?deltaRevocationList;binary')}\"}}\n")
        fetch.once(status=None)  # the peer's may come before the cross-certificate that vouches for their issuer
        rows = fetch.once()
        self.assertEqual(sorted(rows), ["own", "peer", "peer.delta"])
        self.assertIn("accepted", test_ldap.TestRepository.verify(self, fetch))

        self.pki("revoke", "--ca", "tls-server", "b", "gw.pem")
        self.pki("crl", "--ca", "tls-server", "--delta", "b")
        self.publish("b", peer)
        fetch.once()
        self.assertIn("revoked", test_ldap.TestRepository.verify(self, fetch, status=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
