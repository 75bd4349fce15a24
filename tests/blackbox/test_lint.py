#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse pki lint`, and what `issue` and `cross-certify` show of it: our own certificates keep the profile, the
openssl command line's keep what they were made to keep."""
import json
import os
import signal
import unittest

import harness
from authorities import Case, run
from between import Between


class Forge(Case):
    def forge(self, name, *exts, key="ec", md="sha256", subject="/O=B/CN=gw.b.example"):
        """A certificate by B's TLS server CA with just these extensions."""
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else ["-newkey", key]
        with open(self.path("exts"), "w", encoding="utf-8") as file:
            file.write("[ext]\n" + "".join(f"{e}\n" for e in exts))
        self.openssl("req", *kind, "-nodes", "-keyout", "k.key", "-subj", subject, "-out", "k.csr")
        self.openssl("x509", "-req", "-in", "k.csr", f"-{md}", "-CA", "b/tls-server/ca.pem", "-CAkey",
                     "b/tls-server/ca.key", "-days", "30", "-set_serial", "77", "-extfile", "exts", "-extensions",
                     "ext", "-out", name)

    GOOD = ("authorityKeyIdentifier=keyid:always", "subjectKeyIdentifier=hash", "keyUsage=critical,digitalSignature",
            "extendedKeyUsage=serverAuth", "subjectAltName=DNS:gw.b.example",
            "crlDistributionPoints=URI:http://crl.b.example/b.crl")


class TestLint(Forge):
    def test_own_kit_keeps_the_profile(self):
        self.issue(role="server", name="server")
        self.pki("issue", "--role", "client", "--key", "rsa", "--dns", "c.b.example", "--out", "client", "b")
        self.pki("cross-certify", "--role", "server", "--peer", "b/tls-server/ca.pem", "--permit", "b.example", "--out",
                 "cross.pem", "--yes", "a")
        files = [f"{o}/{ca}/ca.{end}" for o in "ab" for ca in ("interconnection", "tls-client", "tls-server")
                 for end in ("pem", "crl")]
        told = self.pki("lint", "--strict", "server.pem", "client.pem", "cross.pem", *files)
        self.assertNotRegex(told, "(?m)^(FAIL|warn)")
        self.assertRegex(told, r"(?m)^ok +server.pem as server: CN=server.b.example$")
        self.assertRegex(told, r"(?m)^ok +cross.pem as cross: ")
        self.assertRegex(told, r"(?m)^ok +a/tls-server/ca.crl as crl: ")

    def test_seen_rules_fail(self):
        self.forge("sha1.pem", *self.GOOD, md="sha1")
        told = self.pki("lint", "sha1.pem", status=1)
        self.assertRegex(told, r"(?m)^FAIL  sha1.pem as server: shall-not hash sha-1, found: sha-1 "
                               r"\(TS 33.310 6.1.1 \[C2 V\]\)$")

    def test_recalled_rules_warn(self):
        self.forge("small.pem", *self.GOOD, key="rsa:1024")
        told = self.pki("lint", "small.pem")
        self.assertRegex(told, r"(?m)^warn  small.pem as server: shall key rsa-bits 2048, found: RSA 1024, .*"
                               r"\[C7 R\]\)$")
        self.assertNotIn("FAIL", told)
        self.pki("lint", "--strict", "small.pem", status=1)

    def test_by_release_and_interface(self):
        """A distribution point is mandatory in 33.310, and is not by 33.203 O.5."""
        self.forge("plain.pem", *self.GOOD[:5])
        self.assertIn("[E8 R]", self.pki("lint", "plain.pem"))
        self.assertNotIn("[E8", self.pki("lint", "--profile", "cert-ts33203-o5-rel17", "plain.pem"))
        self.assertIn("[N8 V]", self.pki("lint", "--profile", "cert-ts33310-nf", "plain.pem", status=1))

    def test_json(self):
        self.forge("sha1.pem", *self.GOOD, md="sha1")
        told = json.loads(self.pki("lint", "--json", "sha1.pem", "a/tls-client/ca.crl", status=1))
        self.assertEqual([t["role"] for t in told], ["server", "crl"])
        first = told[0]["findings"][0]
        self.assertEqual((told[0]["fails"], first["rule"], first["mark"], first["clause"], first["strength"]),
                         (1, "C2", "V", "6.1.1", "shall-not"))
        self.assertEqual(told[1]["findings"], [])

    def test_all_of_a_file_and_by_role(self):
        self.issue()
        with open(self.path("two.pem"), "w", encoding="utf-8") as file:
            file.write(self.read("gw.pem") + self.read("b", "tls-server", "ca.pem"))
        told = self.pki("lint", "--role", "cross", "two.pem", status=1)
        self.assertRegex(told, r"FAIL  two.pem#1 as cross: shall basic-constraints ca")
        self.assertRegex(told, r"warn  two.pem#2 as cross: should name-constraints present")

    def test_wrong_words_and_files(self):
        self.assertIn("usage:", self.pki("lint", status=2))
        self.assertIn("cannot", self.pki("lint", "nowhere.pem", status=2))
        self.assertIn("a profile of TLS", self.pki("lint", "--profile", "ts33210-rel17", "a/tls-client/ca.pem", status=2))
        self.assertIn("--role is", self.pki("lint", "--role", "crl", "a/tls-client/ca.pem", status=2))
        with open(self.path("junk.pem"), "w", encoding="utf-8") as file:
            file.write("nothing\n")
        self.pki("lint", "junk.pem", status=2)

    def test_cross_certify_shows_before_it_asks(self):
        self.openssl("req", "-x509", "-newkey", "rsa:1024", "-sha1", "-nodes", "-keyout", "w.key", "-out", "weak.pem",
                     "-subj", "/O=W/CN=Weak CA", "-addext", "keyUsage=keyCertSign")
        done = run(harness.TOOL, "pki", "cross-certify", "--role", "server", "--peer", "weak.pem", "--permit",
                   "w.example", "--out", "x.pem", "a", cwd=self.folder, input="no\n")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"FAIL  weak.pem: shall-not hash sha-1")
        self.assertRegex(done.stderr, r"warn  weak.pem: shall key rsa-bits 2048")
        self.assertRegex(done.stderr, r"cert-ts33310\): 1 fail, \d+ warn\n.*not signed: nobody said yes")

    def test_issue_shows_what_is_left(self):
        """Without an address for the CRL the certificate is no good certificate, and issue says so."""
        self.pki("init", "--name", "C", "c")
        told = self.pki("issue", "--role", "server", "--dns", "gw.c.example", "--out", "gw", "c")
        self.assertRegex(told, r"warn  gw: shall distribution-point present, found: 0")


class TestGateway(Forge):
    """Its own certificate and authorities, when it starts and when it reloads."""

    def setUp(self):
        super().setUp()
        self.forge("good.pem", *self.GOOD)
        os.rename(self.path("k.key"), self.path("good.key"))
        self.forge("odd.pem", *(e + ",keyCertSign" if "keyUsage=" in e and "ext" not in e else e for e in self.GOOD))
        os.rename(self.path("k.key"), self.path("odd.key"))
        self.pki("cross-certify", "--role", "client", "--peer", "a/tls-client/ca.pem", "--permit", "a.example", "--out",
                 "cross.pem", "--yes", "b")

    def check(self, cert, more="", status=0, trust="interconnect: true, "):
        with open(self.path("mg.yaml"), "w", encoding="utf-8") as file:
            file.write(harness.CONFIG.format(workers=1, mg="", controllers="'127.0.0.1:2944'", transport="udp", listen=0,
                                             version=2, h248="", media="", extra=f"""
tls-domains:
  - {{name: between, profile: ts33210-rel17, certificate: {cert}.pem, key: {cert}.key, client-methods: [ca],
     server-methods: [ca], default: true, trust: {{{trust}crls: [b/interconnection/ca.crl]""" + (
                """, interconnection-cas: [b/interconnection/ca.pem],
     client-cas: [b/tls-client/ca.pem], cross-clients: [cross.pem]""" if "inter" in trust else "") + f"}}{more}}}\n"))
        done = run(harness.MG, "-t", "-c", self.path("mg.yaml"))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_good_one_starts_silently(self):
        self.assertNotIn("certificate profile", self.check("good"))

    def test_seen_rules_refuse_the_file(self):
        told = self.check("odd", status=1)
        self.assertRegex(told, r"mg.yaml:\d+:\d+: FAIL own certificate as server: shall-not key-usage cert-sign.*\[I17 V\]")
        self.assertIn("certificate-faults: warn", told)

    def test_policy(self):
        self.assertRegex(self.check("odd", ", certificate-faults: warn"),
                         r"warn  mg: TLS domain between: certificate profile: FAIL own certificate .*I17 V")
        self.assertNotIn("certificate profile", self.check("odd", ", certificate-profile: none"))
        self.assertIn("N9 V", self.check("good", ", certificate-profile: cert-ts33310-nf", status=1))
        self.assertIn("none of: refuse, warn", self.check("good", ", certificate-faults: maybe", status=1))
        self.assertIn("a profile of TLS", self.check("good", ", certificate-profile: ts33210-rel17", status=1))

    def test_only_between_operators_unless_asked(self):
        self.assertNotIn("certificate profile", self.check("odd", trust=""))
        self.assertIn("I17 V", self.check("odd", ", certificate-profile: cert-ts33310", status=1, trust=""))

    def test_own_authorities_are_told(self):
        self.pki("cross-certify", "--role", "client", "--peer", "a/tls-client/ca.pem", "--permit", "a.example", "--out",
                 "other.pem", "--yes", "--crl-url", "http://b.example/x", "b")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "x.key", "-out", "cross.pem", "-subj",
                     "/CN=Odd CA")
        self.assertRegex(self.check("good"), r"certificate profile: FAIL CN=Odd CA as cross: shall key-usage present")


class TestVerify(Forge):
    """`pki verify` has the step as a gateway has it."""

    def verify(self, *more, status=0):
        self.pki("cross-certify", "--role", "server", "--peer", "b/tls-server/ca.pem", "--permit", "b.example", "--out",
                 "cross.pem", "--yes", "a")
        return self.pki("verify", "--anchor", "a/interconnection/ca.pem", "--cross", "cross.pem", "--crl",
                        "a/interconnection/ca.crl", "--crl", "b/tls-server/ca.crl", *more, "gw.pem", status=status)

    def test_between_operators(self):
        self.forge("gw.pem", *self.GOOD)
        self.assertRegex(self.verify(), r"(?m)^ok +profile +0 .*keeps the certificate profile cert-ts33310")

    def test_seen_rules_refuse(self):
        self.forge("gw.pem", *(e + ",keyCertSign" if e.startswith("keyUsage=") else e for e in self.GOOD))
        told = self.verify(status=1)
        self.assertRegex(told, r"(?m)^NO +profile +0 .*\[I17 V\]\)  <- decided$")
        self.assertRegex(told, r"(?m)^refused: profile: the certificate does not keep its profile")
        self.assertNotIn("profile", self.verify("--certificate-profile", "none"))

    def test_recalled_rules_are_told(self):
        self.forge("gw.pem", *self.GOOD[:5])
        self.assertRegex(self.verify(), r"(?m)^ok +profile +0 .*only warned of: .*\[E8 R\]")
        self.assertIn("[N8 V]", self.verify("--certificate-profile", "cert-ts33310-nf", status=1))
        self.verify("--certificate-profile", "ts33210-rel17", status=2)


class TestReload(Between, unittest.TestCase):
    """A gateway that runs takes no certificate that breaks a seen rule, unless told to."""

    def test_reload(self):
        self.odd("b", "client", "odd")
        good, odd = self.domain("b", "client"), self.domain("b", "client", cert="odd")
        gw, a = self.start(good), self.start(self.domain("a", "server"))
        self.assertNotIn("certificate profile", gw.log())
        gw.write(odd)
        gw.signal(signal.SIGHUP)
        gw.logged("not reloaded, nothing has changed: ", "FAIL own certificate as client", "[I17 V]")
        self.assertIn("tls up", self.connect(a, gw)[0])
        gw.write(odd.replace("client-auth", "certificate-faults: warn, client-auth"))
        gw.signal(signal.SIGHUP)
        gw.logged("reloaded: 1 TLS domains", "TLS domain client: certificate profile: FAIL own certificate as client")


class TestProfiles(Case):
    def test_shown_and_listed(self):
        done = run(harness.TOOL, "profile", "show", "cert-ts33203-o5-rel17")
        self.assertRegex(done.stdout, r"O1 +V distribution-point may +present, for client server")
        listed = json.loads(run(harness.TOOL, "profile", "list", "--json").stdout)
        self.assertIn("cert-ts33310", [p["name"] for p in listed])
        done = run(harness.TOOL, "profile", "diff", "cert-ts33310", "cert-ts33203-o5-rel17")
        self.assertRegex(done.stdout, r"distribution-point +present .*O1 V")


if __name__ == "__main__":
    unittest.main()
