#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse pki publish` into a directory: written by us, read by ldapsearch, judged by the openssl command line."""
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

import harness
import slapd

CAS = ("interconnection", "tls-client", "tls-server")
FETCH = os.path.join(harness.BUILD, "gatehouse-fetch")


def run(*args, **more):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False,
                          timeout=harness.PATIENCE * 4, **more)


@unittest.skipUnless(slapd.HAVE_SLAPD, slapd.NO_SLAPD)
class Case(unittest.TestCase):
    """Operator A, whose certificates name their CRL's place in A's directory; B has its CRLs on a web server."""

    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.made)
        url = "ldap://ldap.a.example/cn={ca},o=A?certificateRevocationList;binary"
        for name, where in (("a", url), ("b", "http://crl.b.example/{ca}.crl")):
            done = run(harness.TOOL, "pki", "init", "--name", name.upper(), "--crl-url", where,
                       os.path.join(cls.made, name))
            assert done.returncode == 0, done.stderr

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        for name in "ab":
            shutil.copytree(os.path.join(self.made, name), self.path(name))
        self.server = slapd.Slapd(self.folder)
        self.addCleanup(self.server.close)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def pki(self, *args, status=0, **more):
        done = run(harness.TOOL, "pki", *args, cwd=self.folder, **more)
        self.assertEqual(done.returncode, status, f"pki {args}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def openssl(self, *args):
        done = run("openssl", *args, cwd=self.folder)
        self.assertEqual(done.returncode, 0, f"openssl {args}: {done.stdout}{done.stderr}")
        return done.stdout

    def publish(self, *args, operator="a", tls=True, base="o=A", status=0):
        return self.pki("publish", "--anchors", self.server.ca, "--bind", self.server.root, "--password-file",
                        self.server.password_file, "--to", self.server.url(base, tls), *args, operator,
                        status=status)

    def entry(self, name, *attributes, base="o=A"):
        return self.server.read(f"cn={name},{base}", *attributes)[0]

    def der(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def cert(self, name):
        self.openssl("x509", "-in", name, "-outform", "DER", "-out", "cert.der")
        return self.der("cert.der")

    def nothing_written(self):
        self.assertEqual(len(self.server.read("o=A", scope="sub")), 1)


class Between:
    """Passes on what a client and the server say; calls before a ModifyRequest (RFC 4511, 4.6) goes on."""

    def __init__(self, port, before):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.before = before
        self.splice = harness.Splice(lambda: (self.server.accept()[0], harness.connect(port)))
        self.splice.carry = self.carry

    def carry(self, source, target):
        with contextlib.suppress(OSError):
            while block := source.recv(1 << 20):
                if source is self.splice.sockets[0]:  # one request a block: client and server take turns
                    head = 2 + (block[1] & 0x7F if block[1] & 0x80 else 0)
                    if block[head + 2 + block[head + 1]] == 0x66:
                        self.before()
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)

    def close(self):
        self.server.close()
        self.splice.close()


class TestPublish(Case):
    def test_everything(self):
        self.pki("cross-certify", "--yes", "--role", "server", "--peer", "b/tls-server/ca.pem", "--permit", "b.example",
                 "--out", "x.pem", "a")
        said = self.publish("--create")
        for name in CAS:
            self.assertIn(f"created cn={name},o=A\n", said)
            entry = self.entry(name)
            self.assertEqual(entry["cACertificate"], [self.cert(f"a/{name}/ca.pem")])
            self.assertEqual(entry["certificateRevocationList"], [self.der(f"a/{name}/ca.crl")])
            self.assertIn(b"pkiCA", entry["objectClass"])
            self.assertNotIn("deltaRevocationList", entry)
            with open(self.path("crl.der"), "wb") as file:
                file.write(entry["certificateRevocationList"][0])
            self.openssl("crl", "-inform", "DER", "-in", "crl.der", "-noout", "-CAfile", f"a/{name}/ca.pem")
        self.assertEqual(self.entry("interconnection")["crossCertificatePair"],
                         [slapd.pair(by_this=self.cert("x.pem"))])
        self.assertNotIn("crossCertificatePair", self.entry("tls-server"))

    def test_next_crl(self):
        """The new list takes the place of the old one, and nobody else's."""
        self.publish("--create")
        self.server.put("cn=tls-server,o=A", "certificateRevocationList;binary", self.der("a/tls-server/ca.crl"),
                        self.der("b/tls-server/ca.crl"))
        self.publish()  # again changes nothing
        self.pki("crl", "--ca", "tls-server", "a")
        self.publish()
        self.assertEqual(sorted(self.entry("tls-server")["certificateRevocationList"]),
                         sorted([self.der("a/tls-server/ca.crl"), self.der("b/tls-server/ca.crl")]))
        self.assertEqual(self.entry("tls-client")["certificateRevocationList"], [self.der("a/tls-client/ca.crl")])

    def test_never_back(self):
        """A CRL that is older than the published one would bring a revoked certificate back."""
        shutil.copytree(self.path("a"), self.path("backup"))
        self.pki("crl", "--ca", "tls-server", "a")
        self.publish("--create")
        self.pki("crl", "--ca", "interconnection", "backup")  # this one would do
        before = self.server.read("o=A", scope="sub")
        self.assertIn("newer than ours", self.publish(operator="backup", status=1))
        self.assertEqual(self.server.read("o=A", scope="sub"), before)

    def test_somebody_else_writes_meanwhile(self):
        """What was decided from an entry is not written into another: here into one with a newer CRL."""
        self.publish("--create")
        shutil.copytree(self.path("a"), self.path("other"))
        for operator in ("a", "other", "other"):
            self.pki("crl", "--ca", "tls-server", operator)
        newest = self.der("other/tls-server/ca.crl")
        passed = []

        def before_a_modify():
            passed.append(1)
            if len(passed) == 3:
                self.server.put("cn=tls-server,o=A", "certificateRevocationList;binary", newest)
        between = Between(self.server.port, before_a_modify)
        self.addCleanup(between.close)
        said = self.pki("publish", "--unsafe-clear-bind", "--bind", self.server.root, "--password-file",
                        self.server.password_file, "a", f"ldap://127.0.0.1:{between.port}/o=A", status=1)
        self.assertIn("newer than ours", said)
        self.assertEqual(self.entry("tls-server")["certificateRevocationList"], [newest])

    def test_cross_certificates_come_and_go(self):
        for role in ("server", "client"):
            self.pki("cross-certify", "--yes", "--role", role, "--peer", f"b/tls-{role}/ca.pem", "--permit",
                     "b.example", "--out", f"{role}.pem", "a")
        self.publish("--create")
        self.assertEqual(sorted(self.entry("interconnection")["crossCertificatePair"]),
                         sorted(slapd.pair(by_this=self.cert(f"{role}.pem")) for role in ("server", "client")))
        self.pki("revoke", "--ca", "interconnection", "a", "server.pem")
        self.pki("crl", "--ca", "interconnection", "a")
        self.publish()
        self.assertEqual(self.entry("interconnection")["crossCertificatePair"],
                         [slapd.pair(by_this=self.cert("client.pem"))])
        self.pki("revoke", "--ca", "interconnection", "a", "client.pem")
        self.publish()
        self.assertNotIn("crossCertificatePair", self.entry("interconnection"))

    def test_delta(self):
        """The kit makes none; one that lies in the authority's folder is published."""
        shutil.copy(self.path("b/tls-server/ca.crl"), self.path("a/tls-server/delta.crl"))
        self.publish("--create")
        entry = self.entry("tls-server")
        self.assertEqual(entry["deltaRevocationList"], [self.der("b/tls-server/ca.crl")])
        self.assertIn(b"deltaCRL", entry["objectClass"])

    def test_after_a_rollover(self):
        self.publish("--create")
        self.pki("rollover", "--ca", "tls-server", "--crl-url",
                 "ldap://ldap.a.example/cn=tls-server-2,o=A?certificateRevocationList;binary", "a")
        self.publish("--create")
        new, old = self.entry("tls-server-2"), self.entry("tls-server")
        self.assertEqual(new["certificateRevocationList"], [self.der("a/tls-server/ca.crl")])
        self.assertEqual(old["certificateRevocationList"], [self.der("a/tls-server.1/ca.crl")])
        self.assertEqual(sorted(new["cACertificate"]), sorted(
            self.cert(f"a/tls-server/{name}.pem") for name in ("ca", "new-with-old", "old-with-new")))

    def test_entries_that_are_there(self):
        """They get the object class and keep what is theirs; without --create none is made."""
        self.server.add("dn: ou=pki,o=A\nobjectClass: organizationalUnit\nou: pki\n")
        for name in CAS[:2]:
            self.server.add(f"dn: cn={name},ou=pki,o=A\nobjectClass: organizationalRole\ncn: {name}\n"
                            "description: ours\n")
        said = self.publish(base="ou=pki,o=A", status=1)
        self.assertIn("no entry cn=tls-server,ou=pki,o=A", said)
        self.assertNotIn("cACertificate", self.entry("tls-client", base="ou=pki,o=A"))
        self.publish("--create", base="ou=pki,o=A")
        for name in CAS:
            entry = self.entry(name, base="ou=pki,o=A")
            self.assertIn(b"pkiCA", entry["objectClass"])
            self.assertEqual(entry.get("description"), None if name == "tls-server" else [b"ours"])

    def test_no_parent(self):
        self.assertIn("No such object", self.publish("--create", base="ou=nowhere,o=A", status=1))
        self.nothing_written()


class TestTls(Case):
    def test_start_tls(self):
        self.publish("--create", "--start-tls", tls=False)
        self.assertEqual(self.entry("tls-server")["cACertificate"], [self.cert("a/tls-server/ca.pem")])

    def test_strangers(self):
        """Another CA, and another host's certificate by the right one: the password is not said."""
        other = os.path.join(self.folder, "other")
        os.mkdir(other)
        slapd.tls_files(other)
        right, self.server.ca = self.server.ca, os.path.join(other, "tls-ca.pem")
        for words in ((), ("--start-tls",)):
            self.assertIn("TLS", self.publish("--create", *words, tls=not words, status=1))
        self.server.ca = right
        self.server.close()
        slapd.tls_files(self.server.folder, hosts="DNS:elsewhere.example")
        self.server.start()
        for words in ((), ("--start-tls",)):
            self.assertIn("TLS", self.publish("--create", *words, tls=not words, status=1))
        self.nothing_written()

    def test_confined(self):
        """Before it speaks to anybody it has no system calls left but what it needs."""
        self.server.stall()
        process = subprocess.Popen([FETCH, "--publish", "--to", self.server.url("o=A", tls=True), "--anchors",
                                    self.server.ca], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdin.write(b"entry x\nend\n")
        process.stdin.close()

        def connected():
            with open(f"/proc/{process.pid}/net/tcp", encoding="ascii") as file:
                return f":{self.server.tls_port:04X} 01" in file.read()
        harness.until(connected, "it connects")
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            status = file.read()
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertIn("Seccomp:\t2", status)

    def test_passwords(self):
        self.assertIn("in the clear", self.publish("--create", tls=False, status=1))
        self.nothing_written()
        self.publish("--create", "--unsafe-clear-bind", tls=False)
        os.chmod(self.server.password_file, 0o604)
        self.assertIn("others can read", self.publish(status=1))
        os.chmod(self.server.password_file, 0o600)
        with open(self.server.password_file, "w", encoding="ascii") as file:
            file.write("wrong\n")
        self.assertIn("Invalid credentials", self.publish(status=1))
        with open(self.server.password_file, "w", encoding="ascii") as file:
            file.write("\n")
        self.assertIn("without a password", self.publish(status=1))


class TestWords(Case):
    def test_wrong_words(self):
        url = self.server.url("o=A")
        for args in (("--create", "a", "www"), ("a",), ("--to", url), ("--to", url, "a", "b"),
                     ("--bind", "cn=x", "a", url), ("--password", "secret", "a", url)):
            self.pki("publish", *args, status=2)
        self.assertIn("usage", self.pki("publish", "--help"))
        for to, words in (("ldap://localhost/o=A?cACertificate", "only a host and a DN"),
                          ("http://localhost/o=A", "scheme"), ("ldap://localhost/o=%", "percent-encoding")):
            self.assertIn(words, self.pki("publish", "a", to, status=1))
        self.assertEqual(run(FETCH, "--publish", "--help").returncode, 0)
        self.nothing_written()

    def test_bad_jobs(self):
        """Nothing is done of a job that is not whole."""
        for job, words in (("", "no end"), ("entry x\n", "no end"), ("end\nmore\n", "behind its end"), ("x\n", "unknown"),
                           ("at ldap://h/\nend\n", "before its entry"), ("entry a,b\nend\n", "a name"),
                           ("attribute cACertificate 0\nend\n", "before its entry"),
                           ("entry x\nattribute description 0\nend\n", "attribute NAME COUNT"),
                           ("entry x\nattribute cACertificate 1\nvalue 9\nab\nend\n", "value LEN"),
                           ("entry x\nattribute cACertificate 1\nvalue 2\nabc\nend\n", "past its end"),
                           ("entry x\nattribute cACertificate 5000\nend\n", "attribute NAME COUNT"),
                           ("entry x\nattribute cACertificate 0\nattribute cacertificate 0\nend\n", "twice"),
                           ("entry x\nentry x\nend\n", "both be published"),
                           ("entry x\nattribute certificateRevocationList 1\nvalue 3\nabc\nend\n", "CRL cannot be used")):
            done = run(FETCH, "--publish", "--create", "--to", self.server.url("o=A"), input=job)
            self.assertEqual(done.returncode, 1, job)
            self.assertIn(words, done.stderr)
        self.nothing_written()

    def test_where_the_fetcher_is(self):
        """In sbin beside bin, as installed; in PATH; nowhere. The tool speaks no LDAP itself."""
        for name in ("bin", "sbin", "else"):
            os.mkdir(self.path(name))
        shutil.copy(harness.TOOL, self.path("bin", "gatehouse"))
        for place, words in (("sbin", "no entry"), ("else", "no entry"), (None, "cannot start gatehouse-fetch")):
            if place:
                shutil.copy(FETCH, self.path(place, "gatehouse-fetch"))
            done = run(self.path("bin", "gatehouse"), "pki", "publish", "a", self.server.url("o=A"), cwd=self.folder,
                       env={**os.environ, "PATH": self.path("else")})
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
            if place:
                os.unlink(self.path(place, "gatehouse-fetch"))
        linked = run("objdump", "-p", harness.TOOL).stdout  # itself: libcurl brings it along for the user agent
        self.assertIn("NEEDED", linked)
        self.assertNotIn("libldap", linked)

    def test_nobody_there(self):
        self.server.close()
        self.assertIn("refused", self.publish(status=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
