#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse pki`: two operators' authorities, made and used by the program, judged by others: the openssl command
line and GnuTLS certtool."""
import datetime
import fcntl
import json
import os
import re
import shutil
import signal
import stat
import unittest

import harness
from authorities import HAVE_CERTTOOL, Case, run

PROFILE = {"interconnection": 1, "tls-client": 0, "tls-server": 0}  # authority: its path length


class TestInit(Case):
    def test_authorities_follow_the_profile(self):
        for authority, length in PROFILE.items():
            with self.subTest(authority=authority):
                text = self.text(f"a/{authority}/ca.pem")
                self.assertIn(f"X509v3 Basic Constraints: critical CA:TRUE, pathlen:{length}", text)
                self.assertIn("X509v3 Key Usage: critical Certificate Sign, CRL Sign", text)
                self.assertIn("X509v3 Subject Key Identifier:", text)
                self.assertIn("X509v3 Authority Key Identifier:", text)
                self.assertIn(f"URI:http://crl.a.example/{authority}.crl", text)
                self.assertIn("ecdsa-with-SHA256", text)
                self.assertIn("NIST CURVE: P-256", text)
                self.openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", f"a/{authority}/ca.pem",
                             f"a/{authority}/ca.pem")

    def test_keys_are_the_owners_alone(self):
        self.pki("init", "--name", "C", "c", preexec_fn=lambda: os.umask(0))
        for folder, _, names in os.walk(self.path("c")):
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
            for name in names:
                mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
                self.assertEqual(mode, 0o644 if name in ("ca.pem", "ca.crl") else 0o600, name)

    def test_kinds_of_keys(self):
        for kind, words in (("ec-p384", ("P-384", "ecdsa-with-SHA384")),
                            ("rsa-2048", ("2048 bit", "sha256WithRSAEncryption"))):
            self.pki("init", "--name", kind, "--key", kind, kind)
            text = self.text(f"{kind}/tls-server/ca.pem")
            for word in words:
                self.assertIn(word, text)

    def test_nothing_is_overwritten(self):
        before = self.read("a", "interconnection", "ca.key")
        self.assertIn("cannot make a", self.pki("init", "--name", "A", "a", status=1))
        self.assertEqual(self.read("a", "interconnection", "ca.key"), before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a", "b"])

    def test_wrong_words(self):
        for args in (("--name", "A"), ("c",), ("--name", "A", "--key", "dsa", "c"),
                     ("--name", "A", "--crl-url", "http://x/one.crl", "c"), ("--name", "A", "--days", "0", "c")):
            self.pki("init", *args, status=2)
        for args in (("--name", "A", "--crl-url", "file:///{ca}.crl", "c"), ("--name", "A" * 60, "c"),
                     ("--name", "A\nB", "c")):
            self.pki("init", *args, status=1)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a", "b"])


class TestIssue(Case):
    def test_entity_follows_the_profile(self):
        for role, word in (("server", "TLS Web Server Authentication"), ("client", "TLS Web Client Authentication")):
            with self.subTest(role=role):
                self.issue("b", role, f"gw-{role}", "--org", "Operator B")
                text = self.text(f"gw-{role}.pem")
                self.assertIn("X509v3 Key Usage: critical Digital Signature X509v3", text)
                self.assertIn(f"X509v3 Extended Key Usage: {word} X509v3", text)
                self.assertIn(f"X509v3 Subject Alternative Name: DNS:gw-{role}.b.example X509v3", text)
                self.assertIn(f"URI:http://crl.b.example/tls-{role}.crl", text)
                self.assertIn("X509v3 Basic Constraints: critical CA:FALSE", text)
                self.openssl("verify", "-x509_strict", "-purpose", f"ssl{role}", "-CAfile", f"b/tls-{role}/ca.pem",
                             f"gw-{role}.pem")
                other = {"server": "client", "client": "server"}[role]
                self.openssl("verify", "-CAfile", f"b/tls-{other}/ca.pem", f"gw-{role}.pem", status=2)
                self.assertEqual(stat.S_IMODE(os.stat(self.path(f"gw-{role}.key")).st_mode), 0o600)
        self.assertEqual(self.openssl("pkey", "-in", "gw-server.key", "-pubout"),
                         self.openssl("x509", "-in", "gw-server.pem", "-noout", "-pubkey"))

    def test_serials_are_random_20_octets(self):
        seen = set()
        for number in range(3):
            self.issue("b", "server", f"gw{number}")
            serial = self.openssl("x509", "-in", f"gw{number}.pem", "-noout", "-serial").split("=")[1].strip()
            self.assertRegex(serial, "^[4-7][0-9A-F]{39}$")
            self.assertIn(serial, self.read("b", "tls-server", "index.txt"))
            self.assertTrue(os.path.exists(self.path("b", "tls-server", "certs", serial + ".pem")))
            seen.add(serial)
        self.assertEqual(len(seen), 3)

    def test_request(self):
        """Only the key of a request counts; its names are wishes."""
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.csr", "-subj",
                     "/CN=anybody.example", "-addext", "basicConstraints=CA:TRUE")
        self.issue("b", "server", "gw", "--csr", "own.csr")
        text = self.text("gw.pem")
        self.assertNotIn("anybody", text)
        self.assertIn("CA:FALSE", text)
        self.assertIn("Digital Signature, Key Encipherment", text)  # a server's RSA key (mark R)
        self.assertFalse(os.path.exists(self.path("gw.key")))
        self.assertEqual(self.openssl("pkey", "-in", "own.key", "-pubout"),
                         self.openssl("x509", "-in", "gw.pem", "-noout", "-pubkey"))

    def test_bad_requests(self):
        self.openssl("req", "-newkey", "rsa:1024", "-nodes", "-keyout", "weak.key", "-out", "weak.csr", "-subj", "/CN=x")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-nodes", "-keyout", "k1.key",
                     "-out", "k1.csr", "-subj", "/CN=x")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "ok.key", "-outform", "DER", "-out", "ok.der",
                     "-subj", "/CN=x")
        with open(self.path("ok.der"), "r+b") as file:  # another signature
            file.seek(-1, os.SEEK_END)
            last = file.read(1)
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last[0] ^ 1]))
        self.openssl("req", "-inform", "DER", "-in", "ok.der", "-out", "forged.csr")
        for csr, words in (("weak.csr", "2048 bits or more"), ("k1.csr", "P-256 or P-384"),
                           ("forged.csr", "not signed by its own key"), ("a/tls-server/ca.pem", "not a PEM certificate"),
                           ("nowhere.csr", "cannot open")):
            said = self.pki("issue", "--role", "server", "--dns", "x.b.example", "--csr", csr, "--out", "x", "b",
                            status=1)
            self.assertIn(words, said)
        self.assertFalse(os.path.exists(self.path("x.pem")))
        self.assertEqual(self.read("b", "tls-server", "index.txt").count("\n"), 1)

    def test_names_are_host_names(self):
        for name in ("*.b.example", "a,DNS:evil.example", "b..example", "", ".b.example", "b.example\n"):
            self.pki("issue", "--role", "server", "--dns", name, "--out", "x", "b", status=1)
        self.assertEqual(self.read("b", "tls-server", "index.txt").count("\n"), 1)

    def test_never_longer_than_the_authority(self):
        self.pki("init", "--name", "C", "--days", "10", "c")
        self.pki("issue", "--role", "client", "--dns", "x.c.example", "--days", "300", "--out", "x", "c")
        dates = [self.openssl("x509", "-in", name, "-noout", "-enddate") for name in ("x.pem", "c/tls-client/ca.pem")]
        self.assertEqual(dates[0], dates[1])

    def test_key_of_the_authority_readable_by_others(self):
        os.chmod(self.path("b", "tls-server", "ca.key"), 0o644)
        self.assertIn("ca.key", self.pki("issue", "--role", "server", "--dns", "x.b.example", "--out", "x", "b",
                                         status=1))

    def test_one_writer_at_a_time(self):
        with open(self.path("b", "tls-server", "lock"), "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assertIn("another gatehouse pki", self.pki("issue", "--role", "server", "--dns", "x.b.example",
                                                            "--out", "x", "b", status=1))
        self.issue()

    def test_damaged_index(self):
        self.issue()
        path = self.path("b", "tls-server", "index.txt")
        whole = self.read(path)
        for text in (whole[:-1], whole + "V\tABCD\n", whole.replace("V\t", "X\t")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self.assertIn("index.txt:", self.pki("crl", "--ca", "tls-server", "b", status=1))


class TestRevoke(Case):
    def check(self, status):
        """The verdict of both judges, with the CRL."""
        crl = self.crl("b", "tls-server")
        said = self.openssl("verify", "-crl_check_all", "-CAfile", "b/tls-server/ca.pem", "-CRLfile", crl, "gw.pem",
                            status=status)
        if HAVE_CERTTOOL:
            done = run("certtool", "--verify", "--load-ca-certificate", "b/tls-server/ca.pem", "--load-crl", crl,
                       "--infile", "gw.pem", cwd=self.folder)
            self.assertEqual(done.returncode != 0, status != 0, done.stdout + done.stderr)
        return said

    def test_revoked_by_file_and_by_serial(self):
        for word in ("file", "serial"):
            with self.subTest(word=word):
                self.issue()
                self.check(0)
                serial = self.openssl("x509", "-in", "gw.pem", "-noout", "-serial").split("=")[1].strip()
                self.pki("revoke", "--ca", "tls-server", "--reason", "keyCompromise", "b",
                         "gw.pem" if word == "file" else serial.lower())
                self.assertIn("revoked", self.check(2))
                text = harness.squeeze(self.openssl("crl", "-in", "b-tls-server.crl", "-noout", "-text"))
                self.assertRegex(text, f"Serial Number: {serial} Revocation Date: .{{1,40}} CRL entry extensions: "
                                       "X509v3 CRL Reason Code: Key Compromise")
                self.assertIn("is revoked since", self.pki("revoke", "--ca", "tls-server", "b", serial, status=1))

    def test_only_own_certificates(self):
        self.issue("a", "server", "gw")
        self.assertIn("not issued by this authority", self.pki("revoke", "--ca", "tls-server", "b", "gw.pem", status=1))
        self.assertIn("never issued", self.pki("revoke", "--ca", "tls-server", "b", "4" * 40, status=1))
        self.pki("revoke", "--ca", "tls-server", "--reason", "becauseOfRain", "b", "gw.pem", status=2)
        self.pki("revoke", "--ca", "everything", "b", "gw.pem", status=2)

    def test_crl_form(self):
        numbers = []
        for _ in range(3):
            self.pki("crl", "--ca", "tls-client", "--hours", "2", "b")
            text = harness.squeeze(self.openssl("crl", "-in", "b/tls-client/ca.crl", "-inform", "DER", "-noout",
                                                "-text"))
            self.assertIn("Version 2 (0x1)", text)
            self.assertIn("X509v3 Authority Key Identifier:", text)
            numbers.append(int(re.search(r"X509v3 CRL Number: ([0-9]+)", text)[1]))
        self.assertEqual(numbers, [2, 3, 4])  # 1 is init's
        self.openssl("crl", "-in", "b/tls-client/ca.crl", "-inform", "DER", "-noout", "-CAfile",
                     "b/tls-client/ca.pem")
        self.assertEqual(self.read("b", "tls-client", "crl-number"), "4\n")

    def test_short_for_labs(self):
        for more, wanted in ((("--seconds", "90"), 90), (("--hours", "2"), 7200)):
            self.pki("crl", "--ca", "tls-client", *more, "b")
            text = self.openssl("crl", "-in", "b/tls-client/ca.crl", "-inform", "DER", "-noout", "-lastupdate", "-nextupdate")
            first, last = (datetime.datetime.strptime(line.split("=", 1)[1], "%b %d %H:%M:%S %Y %Z")
                           for line in text.splitlines())
            self.assertEqual((last - first).total_seconds(), wanted)
        self.pki("crl", "--ca", "tls-client", "--seconds", "0", "b", status=2)

    def test_lost_crl_number_is_told(self):
        with open(self.path("b", "tls-client", "crl-number"), "w", encoding="ascii"):
            pass
        self.assertIn("not a CRL number", self.pki("crl", "--ca", "tls-client", "b", status=1))

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed (package strace)")
    def test_killed_between_any_two_steps(self):
        """Kill `issue` at each rename: what was issued is in the index, and the folder goes on working."""
        for nth in range(1, 8):
            done = run("strace", "-f", "-o", "/dev/null", "-e", "trace=rename", "-e",
                       f"inject=rename:signal=KILL:when={nth}", harness.TOOL, "pki", "issue", "--role", "server",
                       "--dns", "gw.b.example", "--out", "gw", "b", cwd=self.folder)
            if "ptrace" in done.stderr or "PTRACE" in done.stderr:
                self.skipTest("strace may not trace here")
            if done.returncode == 0:
                break
            index = self.read("b", "tls-server", "index.txt")
            for name in os.listdir(self.path("b", "tls-server", "certs")):
                if name.endswith(".pem"):
                    self.assertIn(name[:-4], index)
            if os.path.exists(self.path("gw.pem")):
                self.assertIn(self.openssl("x509", "-in", "gw.pem", "-noout", "-serial").split("=")[1].strip(), index)
        self.assertGreater(nth, 3)
        self.issue()
        self.check(0)


class TestStatus(Case):
    def status(self, *args, status=0):
        text = self.pki("status", "--json", *args, status=status)
        return json.loads(text[:text.rindex("]") + 1])

    def test_board(self):
        """init's CRLs end after a week, its certificates after ten years; each certificate once."""
        rows = self.status("a")
        self.assertEqual([row["kind"] for row in rows], ["crl"] * 3 + ["certificate"] * 3)
        self.assertEqual([row["until"] for row in rows], sorted(row["until"] for row in rows))
        self.assertEqual({row["state"] for row in rows}, {"ok"})
        for row in rows:
            self.assertIn("Operator A", row["name"])
        self.issue("a", "server")
        text = self.pki("status", "a", "gw.pem")
        self.assertEqual(text.count("gw.a.example"), 1)
        self.assertNotIn("gw.pem", text)  # the same as a/tls-server/certs/...

    def test_what_ends_soon(self):
        self.issue("a", "server", "gw", "--days", "20")
        for args, state, status in ((("--days", "19"), "ok", 0), (("--days", "20"), "soon", 1),
                                    (("--time", "2098-01-01T00:00:00Z"), "expired", 1),
                                    (("--time", "2020-01-01T00:00:00Z"), "not-yet-valid", 1)):
            with self.subTest(args=args):
                self.assertEqual([row["state"] for row in self.status(*args, "gw.pem", status=status)], [state])
        self.status("--hours", "167", "a/tls-server/ca.crl")
        rows = self.status("--hours", "169", "a/tls-server/ca.crl", status=1)
        self.assertEqual((rows[0]["state"], rows[0]["number"]), ("soon", "1"))

    def test_what_a_configuration_uses(self):
        self.issue("a", "server")
        os.mkdir(self.path("crls"))
        shutil.copy(self.path("b", "tls-server", "ca.crl"), self.path("crls", "no-ending"))
        os.mkdir(self.path("etc"))
        with open(self.path("etc", "mg.yaml"), "w", encoding="ascii") as file:
            file.write("tls-domains:\n  - name: one\n    profile: ts33310-annex-e\n    certificate: ../gw.pem\n"
                       "    key: ../gw.key\n    trust:\n      anchors: [../a/interconnection/ca.pem]\n"
                       "      crls: [../crls]\n      crl-required: true\n")
        names = [row["name"] for row in self.status("--config", "etc/mg.yaml")]
        self.assertEqual(names, ["CN=Operator B TLS server CA,O=Operator B", "CN=gw.a.example",
                                 "CN=Operator A Interconnection CA,O=Operator A"])
        os.unlink(self.path("gw.pem"))
        rows = self.status("--config", "etc/mg.yaml", status=1)
        self.assertEqual([row["file"] for row in rows if row["state"] == "unreadable"], ["etc/../gw.pem"])
        self.pki("status", "--config", "nowhere.yaml", status=2)

    def test_cache_folder(self):
        """What gatehouse-fetch fetched, by its folder and by a configuration that uses it."""
        for authority in ("tls-server", "tls-client"):
            crl = self.crl("b", authority)
            os.makedirs(self.path("cache", "cross"), exist_ok=True)
            done = run(os.path.join(harness.BUILD, "tests/blackbox/cache_put"), self.path("cache"),
                       self.path("b", authority, "ca.pem"), self.path(crl))
            self.assertEqual(done.returncode, 0, done.stderr)
        self.openssl("x509", "-in", "b/tls-server/ca.pem", "-outform", "DER", "-out", "cache/cross/x.der")
        with open(self.path("cache", ".sources"), "w", encoding="ascii") as file:
            file.write("the fetcher's own\n")
        rows = self.status("cache")
        self.assertEqual([row["kind"] for row in rows], ["crl", "crl", "certificate"])
        self.assertEqual({row["number"] for row in rows if row["kind"] == "crl"}, {"2"})
        self.assertEqual({row["name"] for row in rows}, {f"CN=Operator B TLS {role} CA,O=Operator B"
                                                         for role in ("server", "client")})
        with open(self.path("mg.yaml"), "w", encoding="ascii") as file:
            file.write("tls-domains:\n  - name: one\n    profile: ts33310-annex-e\n    trust:\n      cache: cache\n")
        self.assertEqual([row["file"] for row in self.status("--config", "mg.yaml")], [row["file"] for row in rows])
        name = next(name for name in os.listdir(self.path("cache")) if name.endswith(".crlx"))
        os.chmod(self.path("cache", name), 0o644)
        with open(self.path("cache", name), "r+b") as file:
            file.truncate(200)
        self.assertEqual([row["file"] for row in self.status("cache", status=1) if row["state"] == "unreadable"],
                         ["cache/" + name])

    def test_unreadable(self):
        with open(self.path("a", "tls-server", "ca.crl"), "r+b") as file:
            file.truncate(40)
        self.assertEqual([row["file"] for row in self.status("a", status=1) if row["state"] == "unreadable"],
                         ["a/tls-server/ca.crl"])
        os.mkdir(self.path("empty"))
        shutil.copy(self.path("a", "tls-server", "ca.key"), self.path("empty", "key.pem"))
        self.assertIn("no certificate and no CRL", self.pki("status", "empty", status=1))
        os.mkfifo(self.path("fifo.pem"))
        self.assertIn("not a regular file", self.pki("status", "fifo.pem", status=1))
        self.pki("status", status=2)


class TestPublish(Case):
    def test_folder(self):
        os.mkdir(self.path("www"))
        self.pki("publish", "a", "www")
        self.assertEqual(sorted(os.listdir(self.path("www"))),
                         sorted(name + end for name in PROFILE for end in (".cer", ".crl")))
        for name in PROFILE:
            self.openssl("crl", "-inform", "DER", "-in", f"www/{name}.crl", "-noout", "-CAfile", f"a/{name}/ca.pem")
            self.assertEqual(self.openssl("x509", "-inform", "DER", "-in", f"www/{name}.cer"),
                             self.openssl("x509", "-in", f"a/{name}/ca.pem"))
            self.assertEqual(stat.S_IMODE(os.stat(self.path("www", name + ".crl")).st_mode), 0o644)

    def test_never_back(self):
        """A CRL that is older than the published one would bring a revoked certificate back."""
        os.mkdir(self.path("www"))
        shutil.copytree(self.path("a"), self.path("backup"))
        self.pki("crl", "--ca", "tls-server", "a")
        self.pki("publish", "a", "www")
        self.pki("publish", "a", "www")  # again is fine
        with open(self.path("www", "interconnection.cer"), "wb"):
            pass
        self.assertIn("newer than ours", self.pki("publish", "backup", "www", status=1))
        self.assertEqual(os.path.getsize(self.path("www", "interconnection.cer")), 0)  # nothing was written
        self.assertIn("another authority", self.pki("publish", "b", "www", status=1))

    def test_nowhere(self):
        for args, words, status in ((("a", "nowhere"), "cannot create", 1), (("nowhere", "."), "cannot open", 1),
                                    (("a",), "usage", 2)):
            self.assertIn(words, self.pki("publish", *args, status=status))


class TestRollover(Case):
    URL = ("--crl-url", "http://crl.b.example/tls-server-2.crl")

    def setUp(self):
        super().setUp()
        self.issue("b", "server", "before")
        self.pki("rollover", "--ca", "tls-server", *self.URL, "b")
        self.issue("b", "server", "after")

    def verify(self, anchor, link, cert, status=0):
        """By openssl and by ourselves, with the CRLs of both keys."""
        crls = [self.crl("b", "tls-server"), self.crl("b", "tls-server.1")]
        with open(self.path("crls.pem"), "w", encoding="ascii") as file:
            file.write("".join(self.read(crl) for crl in crls))
        self.openssl("verify", "-x509_strict", "-crl_check_all", "-CAfile", anchor, "-CRLfile", "crls.pem",
                     *(("-untrusted", link) if link else ()), cert, status=2 * status)
        self.pki("verify", "--anchor", anchor, "--crl", "crls.pem", *(("--untrusted", link) if link else ()), cert,
                 status=status)

    def test_both_ways(self):
        old, new = "b/tls-server.1/ca.pem", "b/tls-server/ca.pem"
        self.verify(old, None, "before.pem")
        self.verify(new, None, "after.pem")
        self.verify(old, "b/tls-server/new-with-old.pem", "after.pem")
        self.verify(new, "b/tls-server/old-with-new.pem", "before.pem")
        self.verify(old, None, "after.pem", status=1)
        self.verify(new, None, "before.pem", status=1)
        for name in (old, new):
            self.assertIn("CA:TRUE, pathlen:0", self.text(name))
        self.assertIn("tls-server-2.crl", self.text("after.pem"))
        self.assertNotEqual(self.openssl("x509", "-in", old, "-noout", "-pubkey"),
                            self.openssl("x509", "-in", new, "-noout", "-pubkey"))

    def test_old_one_goes_on_revoking(self):
        self.pki("revoke", "--ca", "tls-server.1", "b", "before.pem")
        self.verify("b/tls-server.1/ca.pem", None, "before.pem", status=1)
        self.verify("b/tls-server/ca.pem", None, "after.pem")
        self.pki("revoke", "--ca", "tls-server.1", "b", "b/tls-server/new-with-old.pem")
        self.verify("b/tls-server.1/ca.pem", "b/tls-server/new-with-old.pem", "after.pem", status=1)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed (package strace)")
    def test_killed_between_any_two_steps(self):
        """An authority that works has the name, and the old one with its index is somewhere beside it."""
        serial = self.openssl("x509", "-in", "after.pem", "-noout", "-serial").split("=")[1].strip()
        killed = 0
        for call, nth in [("rename", n) for n in range(1, 16)] + [("renameat2", 1)]:
            shutil.copytree(self.path("b"), self.path("c"))
            done = run("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                       f"inject={call}:signal=KILL:when={nth}", harness.TOOL, "pki", "rollover", "--ca", "tls-server",
                       "--crl-url", "http://crl.b.example/tls-server-3.crl", "c", cwd=self.folder)
            if "ptrace" in done.stderr.lower():
                self.skipTest("strace may not trace here")
            killed += done.returncode != 0
            self.pki("issue", "--role", "server", "--dns", "x.b.example", "--out", "x", "c")
            indexes = [self.read("c", name, "index.txt") for name in os.listdir(self.path("c"))
                       if name.startswith("tls-server") and os.path.exists(self.path("c", name, "index.txt"))]
            self.assertEqual(sum(serial in index for index in indexes), 1, (call, nth))
            shutil.rmtree(self.path("c"))
        self.assertGreater(killed, 8)

    def test_both_crls_are_published(self):
        """Each under the name at the end of its address."""
        os.mkdir(self.path("www"))
        self.pki("publish", "b", "www")
        for name, folder in (("tls-server", "tls-server.1"), ("tls-server-2", "tls-server")):
            self.openssl("crl", "-inform", "DER", "-in", f"www/{name}.crl", "-noout", "-CAfile", f"b/{folder}/ca.pem")
        self.assertEqual(len(os.listdir(self.path("www"))), 8)

    def test_addresses_apart(self):
        before = sorted(os.listdir(self.path("b")))
        for more, status in (((), 1), (self.URL, 1), (("--key", "dsa"), 2)):
            self.pki("rollover", "--ca", "tls-server", *more, "b", status=status)
        self.pki("rollover", "--ca", "tls-server.1", *self.URL, "b", status=2)
        self.assertEqual(sorted(os.listdir(self.path("b"))), before)
        self.pki("rollover", "--ca", "tls-server", "--crl-url", "http://crl.b.example/tls-server-3.crl", "b")
        self.assertEqual(sorted(set(os.listdir(self.path("b"))) - set(before)), ["tls-server.2"])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    unittest.main(verbosity=2)
