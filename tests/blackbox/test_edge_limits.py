#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What gatehouse-edge lets others' TLS clients speak (TS 33.203, O.2.1): versions and suites by openssl and gnutls-cli, SSL 3.0 and compression
by octets of our own, NULL encryption where it is configured; and no certificate is asked of anybody."""
import os
import re
import subprocess
import unittest

import access
import harness
from edge import Edge


@unittest.skipUnless(harness.HAVE_GNUTLS and harness.HAVE_OPENSSL, harness.NO_GNUTLS)
class Limits(harness.Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = {key: access.certificate(cls.pki, name, key=key) for key, name in (("ec", access.NAME), ("rsa", "rsa.home.example"))}

    def edge_of(self, profile, key="rsa", **domain):
        return self.own(Edge(self.folder, self.tls[key], "sip:127.0.0.1:9", edge={"host": access.NAME if key == "ec" else "rsa.home.example"},
                             tls_domain={"profile": profile, **domain}))

    def gnutls(self, edge_, priority):
        """@return whether a handshake came about"""
        done = subprocess.run(["gnutls-cli", "--insecure", "--no-ca-verification", "--priority", priority, "--port", str(edge_.port), "localhost"],
                              input=b"", capture_output=True, check=False, timeout=harness.PATIENCE)
        text = done.stdout + done.stderr
        self.assertTrue(b"Handshake was completed" in text or b"rror" in text, text)
        return b"Handshake was completed" in text

    def openssl(self, edge_, *options):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{edge_.port}", *options], input=b"", capture_output=True, check=False,
                              timeout=harness.PATIENCE)
        return re.search(rb"Cipher is (?!\(NONE\))(\S+)", done.stdout)

    def test_annex_o_of_the_change_request(self):
        """TLS 1.0 and 1.1 shall, 1.2 should; SSL 3.0 never; 3DES and AES-128 shall; no NULL, no anonymous, no RC4."""
        here = self.edge_of("ts33203-annex-o")
        for version, wanted in (("1.0", True), ("1.1", True), ("1.2", True), ("1.3", False)):
            with self.subTest(version):
                self.assertEqual(self.gnutls(here, f"NORMAL:-VERS-ALL:+VERS-TLS{version}:+3DES-CBC:+SHA1:%VERIFY_ALLOW_SIGN_WITH_SHA1"), wanted)
        for suite, wanted in (("+3DES-CBC:+RSA", True), ("+AES-128-CBC:+RSA", True), ("+NULL:+RSA", False), ("+ARCFOUR-128:+RSA", False),
                              ("+AES-128-CBC:+ANON-ECDH:+ANON-DH", False)):
            with self.subTest(suite):
                self.assertEqual(self.gnutls(here, f"NONE:+VERS-TLS1.2:+SHA1:+SHA256:+SIGN-ALL:+GROUP-ALL:+COMP-NULL:+CTYPE-X509:{suite}"), wanted)

    def test_annex_o_of_release_17(self):
        for key in ("ec", "rsa"):
            here = self.edge_of("ts33203-annex-o-rel17", key)
            for version, wanted in (("1.0", False), ("1.1", False), ("1.2", True), ("1.3", True)):
                with self.subTest(key=key, version=version):
                    self.assertEqual(self.gnutls(here, f"NORMAL:-VERS-ALL:+VERS-TLS{version}:+SHA1"), wanted)
            for suites in ("NULL:eNULL:@SECLEVEL=0", "aNULL:@SECLEVEL=0", "RC4:3DES:@SECLEVEL=0"):
                with self.subTest(suites):
                    self.assertIsNone(self.openssl(here, "-tls1_2", "-cipher", suites))
            self.assertIsNotNone(self.openssl(here, "-tls1_2"))

    def test_null_encryption(self):
        """Only where it is configured; even then who encrypts is served so."""
        null = "NONE:+VERS-TLS1.2:+SHA1:+SHA256:+SIGN-ALL:+GROUP-ALL:+COMP-NULL:+CTYPE-X509:+NULL:+RSA"
        here = self.edge_of("ts33203-annex-o", **{"unsafe-null-encryption": True})
        self.assertTrue(self.gnutls(here, null))
        self.assertTrue(self.gnutls(here, "NORMAL:-VERS-ALL:+VERS-TLS1.2:+SHA1"))
        self.assertIn("null", here.log().lower())

    def hello(self, port, version, suites, compression=b"\0"):
        """A ClientHello of our own bytes; what comes first. @return (kind of its record, the record)"""
        body = version + os.urandom(32) + b"\0" + len(suites).to_bytes(2, "big") + suites + bytes([len(compression)]) + compression
        if version >= b"\3\1":
            body += b"\0\4\x00\x17\0\0"  # extended_master_secret
        body = b"\1" + len(body).to_bytes(3, "big") + body
        with harness.connect(port) as conn:
            conn.sendall(b"\x16\3\0" + len(body).to_bytes(2, "big") + body)
            head = harness.read_exactly(conn, 5)
            return head[0], harness.read_exactly(conn, int.from_bytes(head[3:], "big"))

    def test_ssl_3_and_compression(self):
        """SSL 3.0 gets an alert; compression is not taken, nor is who offers nothing else served."""
        here = self.edge_of("ts33203-annex-o")
        suites = bytes.fromhex("002f000a00ff")
        self.assertEqual(self.hello(here.port, b"\3\0", suites)[0], 21)
        kind, record = self.hello(here.port, b"\3\3", suites, b"\1\0")
        self.assertEqual((kind, record[0]), (22, 2))
        at = 38 + 1 + record[38]  # behind the session id
        self.assertIn(record[at:at + 2], (b"\0\x2f", b"\0\x0a"))
        self.assertEqual(record[at + 2], 0)
        self.assertEqual(self.hello(here.port, b"\3\3", suites, b"\1")[0], 21)

    def test_no_certificate_is_asked_for(self):
        """O.5.1, whatever the UE would show."""
        here = self.edge_of("ts33203-annex-o-rel17")
        for version in ("-tls1_2", "-tls1_3"):
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{here.port}", "-msg", version, *self.pki.cert("rsa.home.example")], input=b"",
                                  capture_output=True, check=False, timeout=harness.PATIENCE)
            self.assertIn(b"Certificate", done.stdout)
            self.assertNotIn(b"CertificateRequest", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
