#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse pki` between two operators: cross-certificates, and whose certificate is accepted; judged by others, too."""
import os
import unittest

import harness
from authorities import HAVE_CERTTOOL, Case, run


class TestCross(Case):
    def cross(self, *more, role="server", status=0, text=None):
        return self.pki("cross-certify", "--role", role, "--peer", f"b/tls-{role}/ca.pem", "--permit", "b.example",
                        "--out", "cross.pem", *more, "a", status=status, input=text or "")

    def chain(self, name="gw.pem", status=0, role="server"):
        """A's own view of B's certificate, by both judges, all CRLs."""
        crls = [self.crl("a", "interconnection"), self.crl("b", f"tls-{role}")]
        with open(self.path("crls.pem"), "w", encoding="ascii") as file:
            file.write("".join(self.read(crl) for crl in crls))
        said = self.openssl("verify", "-x509_strict", "-crl_check_all", "-purpose", f"ssl{role}", "-CAfile",
                            "a/interconnection/ca.pem", "-CRLfile", "crls.pem", "-untrusted", "cross.pem", name,
                            status=status)
        if HAVE_CERTTOOL:
            with open(self.path("chain.pem"), "w", encoding="ascii") as file:
                file.write(self.read(name) + self.read("cross.pem"))
            done = run("certtool", "--verify", "--load-ca-certificate", "a/interconnection/ca.pem", "--load-crl",
                       "crls.pem", "--infile", "chain.pem", cwd=self.folder)
            self.assertEqual(done.returncode != 0, status != 0, done.stdout + done.stderr)
        return said

    def test_both_roles(self):
        for role in ("server", "client"):
            with self.subTest(role=role):
                self.issue("b", role)
                self.cross("--yes", role=role)
                self.chain(role=role)

    def test_form(self):
        self.cross("--yes")
        text = self.text("cross.pem")
        self.assertIn("X509v3 Basic Constraints: critical CA:TRUE, pathlen:0", text)
        self.assertIn("X509v3 Key Usage: critical Certificate Sign, CRL Sign", text)
        self.assertIn("X509v3 Name Constraints: critical Permitted: DNS:b.example", text)
        self.assertIn("X509v3 Extended Key Usage: TLS Web Server Authentication X509v3", text)  # mark P
        self.assertIn("URI:http://crl.a.example/interconnection.crl", text)
        for name in ("-subject", "-pubkey"):
            self.assertEqual(self.openssl("x509", "-in", "cross.pem", "-noout", name),
                             self.openssl("x509", "-in", "b/tls-server/ca.pem", "-noout", name))
        self.assertEqual(self.openssl("x509", "-in", "cross.pem", "-noout", "-ext", "subjectKeyIdentifier"),
                         self.openssl("x509", "-in", "b/tls-server/ca.pem", "-noout", "-ext", "subjectKeyIdentifier"))
        self.assertIn("\tcross\t", self.read("a", "interconnection", "index.txt"))

    def test_names_outside_are_refused(self):
        self.cross("--yes")
        self.pki("issue", "--role", "server", "--dns", "gw.a.example", "--out", "gw", "b")
        self.assertIn("permitted subtree violation", self.chain(status=2))

    def test_no_further_authority(self):
        """Path length 0: a CA below B's TLS server CA vouches for nobody."""
        self.cross("--yes")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "sub.key",
                     "-out", "sub.csr", "-subj", "/CN=Sub")
        with open(self.path("sub.ext"), "w", encoding="ascii") as file:
            file.write("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
                       "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        self.openssl("x509", "-req", "-in", "sub.csr", "-CA", "b/tls-server/ca.pem", "-CAkey", "b/tls-server/ca.key",
                     "-extfile", "sub.ext", "-out", "sub.pem")
        self.assertIn("path length", self.leaf_of_sub())

    def leaf_of_sub(self):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "leaf.key",
                     "-out", "leaf.csr", "-subj", "/CN=leaf.b.example")
        self.openssl("x509", "-req", "-in", "leaf.csr", "-CA", "sub.pem", "-CAkey", "sub.key", "-out", "leaf.pem")
        return self.openssl("verify", "-CAfile", "a/interconnection/ca.pem", "-untrusted", "cross.pem", "-untrusted",
                            "sub.pem", "leaf.pem", status=2)

    def test_revoked(self):
        self.issue()
        self.cross("--yes")
        self.chain()
        self.pki("revoke", "--ca", "interconnection", "a", "cross.pem")
        self.assertIn("certificate revoked", self.chain(status=2))

    def test_shows_and_asks(self):
        print_ = self.openssl("x509", "-in", "b/tls-server/ca.pem", "-noout", "-fingerprint", "-sha256").split("=")[1]
        for answer in ("", "y\n", "no\n", "yes", "yes please\n"):
            said = self.cross(status=1, text=answer)
            for words in (print_.strip(), "Operator B TLS server CA", "b.example and all below", "0 further CAs",
                          "nobody said yes"):
                self.assertIn(words, said)
            self.assertFalse(os.path.exists(self.path("cross.pem")))
        self.assertEqual(self.read("a", "interconnection", "index.txt").count("\n"), 1)
        self.cross(text="yes\n")

    def test_who_is_not_vouched_for(self):
        self.issue()
        self.pki("cross-certify", "--yes", "--role", "server", "--peer", "gw.pem", "--permit", "b.example", "--out", "x",
                 "a", status=1)  # no CA
        self.cross("--yes")
        self.assertIn("not self-signed", self.pki("cross-certify", "--yes", "--role", "server", "--peer", "cross.pem",
                                                  "--permit", "b.example", "--out", "x", "a", status=1))
        with open(self.path("two.pem"), "w", encoding="ascii") as file:
            file.write(self.read("cross.pem") + self.read("gw.pem"))
        self.assertIn("one at a time", self.pki("cross-certify", "--yes", "--role", "server", "--peer", "two.pem",
                                                "--permit", "b.example", "--out", "x", "a", status=1))
        self.pki("cross-certify", "--yes", "--role", "server", "--peer", "b/tls-server/ca.pem", "--out", "x", "a",
                 status=2)  # nothing is permitted
        self.assertFalse(os.path.exists(self.path("x")))


class TestVerify(Case):
    """B's gateway as A sees it: cross-certificate, both CRLs."""

    def setUp(self):
        super().setUp()
        self.issue()
        self.pki("cross-certify", "--yes", "--role", "server", "--peer", "b/tls-server/ca.pem", "--permit",
                 "b.example", "--out", "cross.pem", "a")

    def verify(self, *more, status=0, crls=("a/interconnection/ca.crl", "b/tls-server/ca.crl"), cert="gw.pem"):
        said = self.pki("verify", "--anchor", "a/interconnection/ca.pem", "--cross", "cross.pem",
                        *[word for crl in crls for word in ("--crl", crl)], *more, cert, status=status)
        lines = said.splitlines()
        self.assertEqual(lines[-1].split(":")[0], "refused" if status else "accepted")
        if "--quiet" not in more:
            self.assertEqual(said.count("<- decided"), 1, said)
        return said

    def test_accepted_step_by_step(self):
        said = self.verify()
        for look in ("certificate", "crl"):
            for depth in (0, 1):
                self.assertRegex(said, f"(?m)^ok +{look} +{depth} ")
        self.verify("--name", "gw.b.example", "--profile", "ts33210-rel17")
        self.assertEqual(self.verify("--quiet").count("\n"), 1)

    def test_the_others_root_changes_nothing(self):
        self.verify("--untrusted", "b/tls-server/ca.pem")

    def test_refused(self):
        for words, more in (("crl-missing", {"crls": ("a/interconnection/ca.crl",)}),
                            ("crl-missing", {"crls": ("b/tls-server/ca.crl",)})):
            with self.subTest(more=more):
                self.assertIn(words, self.verify(status=1, **more))
        for words, more in (("wrong-name", ("--name", "other.b.example")), ("wrong-purpose", ("--role", "client")),
                            ("expired", ("--time", "2098-01-01T00:00:00Z")), ("not-yet-valid", ("--time", "1000")),
                            ("path", ("--require-explicit-policy", "--policy", "1.2.3"))):
            with self.subTest(more=more):
                self.assertRegex(self.verify(*more, status=1), f"refused: {words}: .")

    def test_revoked(self):
        self.pki("revoke", "--ca", "interconnection", "a", "cross.pem")
        self.verify()  # nobody has been told yet
        self.pki("crl", "--ca", "interconnection", "a")
        said = self.verify(status=1)
        self.assertIn("refused: revoked", said)
        self.assertRegex(said, "(?m)^NO +crl +1 .*Operator B TLS server CA.*<- decided$")

    def test_weak_by_profile(self):
        """Without a profile keys are not judged, with one they are."""
        self.openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", "w.key", "-out", "w.pem", "-subj",
                     "/CN=Weak")
        self.openssl("req", "-newkey", "rsa:1024", "-nodes", "-keyout", "l.key", "-out", "l.csr", "-subj", "/CN=l")
        self.openssl("x509", "-req", "-in", "l.csr", "-CA", "w.pem", "-CAkey", "w.key", "-out", "l.pem")
        for name, text in (("index.txt", ""), ("number", "01")):
            with open(self.path(name), "w", encoding="ascii") as file:
                file.write(text)
        with open(self.path("ca.cnf"), "w", encoding="ascii") as file:
            file.write("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\n"
                       "default_crl_days=1\n")
        self.openssl("ca", "-config", "ca.cnf", "-gencrl", "-cert", "w.pem", "-keyfile", "w.key", "-out", "w.crl")
        words = ("verify", "--anchor", "w.pem", "--crl", "w.crl")
        self.pki(*words, "l.pem")
        self.assertIn("refused: weak", self.pki(*words, "--profile", "ts33210-rel17", "l.pem", status=1))

    def test_no_verdict(self):
        """What cannot be judged is neither accepted nor refused."""
        anchor = ("--anchor", "a/interconnection/ca.pem")
        for args in (("gw.pem",), (*anchor,), (*anchor, "nowhere.pem"), ("--anchor", "nowhere.pem", "gw.pem"),
                     (*anchor, "--crl", "gw.pem", "gw.pem"), (*anchor, "--time", "today", "gw.pem"),
                     (*anchor, "--policy", "any", "gw.pem"), (*anchor, "--policy", "9.9.9", "gw.pem"),
                     (*anchor, "--role", "peer", "gw.pem"), (*anchor, "--profile", "none-such", "gw.pem")):
            with self.subTest(args=args):
                self.pki("verify", *args, status=2)


class TestPkits(unittest.TestCase):
    """NIST PKITS through the program: 249 cases, of which two need DSA parameters that are inherited."""

    def test_pkits(self):
        root = os.environ.get("GATEHOUSE_SHARED") or os.path.join(os.environ.get("GATEHOUSE_SOURCE_ROOT", "."), "..",
                                                                  "shared")
        data = os.path.join(root, "pkits")
        if not os.path.exists(os.path.join(data, "manifest.tsv")):
            self.skipTest("the PKITS data are not here (GATEHOUSE_SHARED)")
        count, wrong = 0, []
        with open(os.path.join(data, "manifest.tsv"), encoding="utf-8") as manifest:
            for line in manifest:
                if line.startswith("#") or not line.strip():
                    continue
                number, _, target, middle, crls, policies, flags, _, expected = line.rstrip("\n").split("\t")
                args = ["--quiet", "--time", "2011-04-15T00:00:00Z", "--anchor",
                        f"{data}/certs/TrustAnchorRootCertificate.crt"]
                for option, names, form in (("--untrusted", middle, "{}/certs/{}.crt"), ("--crl", crls, "{}/crls/{}.crl"),
                                            ("--policy", policies, "{1}")):
                    for name in names.split():
                        args += [option, form.format(data, name)]
                for flag, option in (("explicit", "--require-explicit-policy"), ("inhibit-map", "--inhibit-mapping"),
                                     ("inhibit-any", "--inhibit-any-policy")):
                    if flag in flags:
                        args.append(option)
                done = run(harness.TOOL, "pki", "verify", *args, f"{data}/certs/{target}.crt")
                self.assertIn(done.returncode, (0, 1), f"{number}: {done.stderr}")
                count += 1
                if (done.returncode == 0) != (expected == "valid"):
                    wrong.append((number, expected, done.stdout))
        self.assertFalse([case for case in wrong if case[1] != "valid"], "wrongly accepted")
        self.assertEqual(count, 249)
        self.assertGreaterEqual(count - len(wrong), 247, wrong)


if __name__ == "__main__":
    unittest.main()
