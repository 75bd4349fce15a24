#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Private keys in a PKCS#11 token: SoftHSM, used by `gatehouse pki` and by gatehouse-mg, judged by openssl."""
import glob
import os
import pty
import select
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import Backend, read_exactly, stream

MODULES = [p for p in ("/usr/lib/softhsm/libsofthsm2.so", *glob.glob("/usr/lib/*/softhsm/libsofthsm2.so"))
           if os.path.exists(p)]
FAILING = os.environ.get("GATEHOUSE_FAILING_MODULE", "")
AUTHORITIES = ("interconnection", "tls-client", "tls-server")
PIN = "24681357"


def run(*args, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, start_new_session=True,
                          timeout=harness.PATIENCE * 4, **more)


@unittest.skipUnless(FAILING, "built without PKCS#11 (Meson option pkcs11)")
@unittest.skipUnless(MODULES and shutil.which("softhsm2-util"), "SoftHSM is not installed (package softhsm2)")
@unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
class Case(unittest.TestCase):
    """A token of its own for each test, with a PIN in a file."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        os.mkdir(self.path("tokens"))
        self.write("softhsm.conf", f"directories.tokendir = {self.path('tokens')}\n")
        self.write("pin", PIN + "\n", 0o600)
        os.environ["SOFTHSM2_CONF"] = self.path("softhsm.conf")
        self.token("operator-b")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def token(self, label):
        done = run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "87654321")
        assert done.returncode == 0, done.stderr

    def uri(self, name, token="operator-b", pin="pin", module=None):
        source = f"&pin-source=file:{self.path(pin)}" if pin else ""
        return f"pkcs11:token={token};object={name}?module-path={module or MODULES[0]}{source}"

    def pki(self, *args, status=0, **more):
        done = run(harness.TOOL, "pki", *args, cwd=self.folder, **more)
        self.assertEqual(done.returncode, status, f"pki {args}: {done.stdout}{done.stderr}")
        self.assertNotIn(PIN, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def init(self, name="b", kind="ec-p256", **more):
        return self.pki("init", "--name", name, "--key", self.uri(f"{name}-{{ca}}"), "--generate", kind, "--crl-url",
                        f"http://crl.{name}.example/{{ca}}.crl", name, **more)

    def openssl(self, *args):
        done = run("openssl", *args, cwd=self.folder)
        self.assertEqual(done.returncode, 0, f"openssl {args}: {done.stdout}{done.stderr}")
        return done.stdout

    def files(self, folder=""):
        return sorted(os.path.relpath(os.path.join(at, name), self.folder)
                      for at, _, names in os.walk(self.path(folder)) for name in names
                      if not at.startswith(self.path("tokens")))

    def contents(self, folder):
        """All but the CRL numbers, which are counted up before anything else."""
        found = {}
        for name in self.files(folder):
            if "crl-number" not in name:
                with open(self.path(name), "rb") as file:
                    found[name] = file.read()
        return found

    def no_key_in_files(self):
        for name in self.files():
            with open(self.path(name), "rb") as file:
                self.assertNotIn(b"PRIVATE KEY", file.read(), name)


class TestAuthorities(Case):
    def test_every_kind_signs_everything(self):
        for kind in ("ec-p256", "ec-p384", "rsa-2048"):
            with self.subTest(kind=kind):
                self.init(kind, kind)
                for name in AUTHORITIES:
                    ca = f"{kind}/{name}/ca.pem"
                    self.openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", ca, ca)
                    self.openssl("crl", "-inform", "DER", "-in", f"{kind}/{name}/ca.crl", "-CAfile", ca, "-noout")
                self.no_key_in_files()
                self.assertNotIn(f"{kind}/tls-server/ca.key", self.files())

    def test_the_life_of_an_operator(self):
        """issue, revoke, crl, cross-certify, rollover; openssl agrees with each."""
        self.init()
        self.pki("issue", "--role", "server", "--dns", "gw.b.example", "--key", self.uri("gw"), "--generate", "ec-p256",
                 "--out", "gw", "b")
        self.assertNotIn("gw.key", self.files())
        self.openssl("verify", "-CAfile", "b/tls-server/ca.pem", "gw.pem")
        self.pki("init", "--name", "A", "a")
        self.pki("cross-certify", "--role", "server", "--peer", "a/tls-server/ca.pem", "--permit", "a.example", "--yes",
                 "--out", "cross.pem", "b")
        self.openssl("verify", "-CAfile", "b/interconnection/ca.pem", "cross.pem")
        self.pki("revoke", "--ca", "tls-server", "b", "gw.pem")
        self.pki("crl", "--ca", "tls-server", "--pem", "--out", "b.crl", "b")
        done = run("openssl", "verify", "-crl_check", "-CRLfile", "b.crl", "-CAfile", "b/tls-server/ca.pem", "gw.pem",
                   cwd=self.folder)
        self.assertIn("certificate revoked", done.stderr)
        self.pki("rollover", "--ca", "tls-server", "--key", self.uri("b-tls-server-2"), "--generate", "ec-p384",
                 "--crl-url", "http://crl.b.example/2.crl", "b")
        self.openssl("verify", "-CAfile", "b/tls-server.1/ca.pem", "-untrusted", "b/tls-server/new-with-old.pem",
                     "-partial_chain", "b/tls-server/new-with-old.pem")
        self.pki("crl", "--ca", "tls-server.1", "b")
        self.pki("crl", "--ca", "tls-server", "b")
        for name in self.files("b"):
            self.assertFalse(name.endswith(".key"), name)

    @unittest.skipUnless(shutil.which("pkcs11-tool"), "pkcs11-tool is not installed (package opensc)")
    def test_keys_made_by_others(self):
        """As docs/pki.md has it, and found by id as well as by name."""
        for number, name in enumerate(AUTHORITIES, 1):
            done = run("pkcs11-tool", "--module", MODULES[0], "--token-label", "operator-b", "--login", "--pin", PIN,
                       "--keypairgen", "--key-type", "EC:prime256v1", "--label", name, "--id", f"0{number}",
                       "--usage-sign")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.pki("init", "--name", "B", "--key", self.uri("{ca}"), "b")
        self.pki("issue", "--role", "server", "--dns", "x.b.example", "--out", "x", "--key",
                 f"pkcs11:token=operator-b;id=%01?module-path={MODULES[0]}&pin-source=file:{self.path('pin')}", "b")
        key = self.openssl("x509", "-in", "x.pem", "-noout", "-pubkey")
        self.assertEqual(key, self.openssl("x509", "-in", "b/interconnection/ca.pem", "-noout", "-pubkey"))

    def test_what_is_made_cannot_be_taken_out(self):
        self.init()
        done = run("pkcs11-tool", "--module", MODULES[0], "--token-label", "operator-b", "--login", "--pin", PIN,
                   "--list-objects", "--type", "privkey")
        if done.returncode:
            self.skipTest("pkcs11-tool is not installed (package opensc)")
        self.assertEqual(done.stdout.count("sensitive, always sensitive, never extractable, local"), 3, done.stdout)


class TestRefusals(Case):
    def refused(self, uri, words, *more, **settings):
        before = self.files()
        text = self.pki("issue", "--role", "server", "--dns", "x.b.example", "--key", uri, *more, "--out", "x", "b",
                        status=1, **settings)
        self.assertIn(words, text)
        self.assertEqual(self.files(), before)

    def test_clear_words_and_no_file(self):
        self.init()
        self.write("wrong", "0000\n", 0o600)
        self.write("open", PIN, 0o644)
        self.write("empty", "\n", 0o600)
        for uri, words in ((self.uri("b-tls-server", pin="wrong"), "says the PIN is wrong; it was tried once"),
                           (self.uri("b-tls-server", pin="open"), "open to others than its owner (mode 0644)"),
                           (self.uri("b-tls-server", pin="empty"), "is empty"),
                           (self.uri("b-tls-server", pin="none"), "none: cannot open the file"),
                           (self.uri("b-tls-server", pin=None), "wants its PIN: name a file"),
                           (self.uri("nobody"), "has no private key with the name or id of the URI"),
                           (self.uri("x", token="gone"), "no token that is here fits the URI"),
                           (self.uri("x", module="/no/such.so"), "/no/such.so"),
                           ("pkcs11:token=operator-b", "names no key"),
                           ("pkcs11:token=operator-b;objekt=x", "not known here"),
                           ("pkcs11:%zz", "not a PKCS#11 URI"),
                           (self.uri("x", pin=None) + "&pin-source=|cat", "pin-source is file:")):
            with self.subTest(uri=uri):
                self.refused(uri, words)
        self.assertEqual(len(os.listdir(self.path("b/tls-server/certs"))), 0)

    def test_a_pin_in_the_uri(self):
        """It is not even used, and not repeated."""
        self.init()
        self.refused(self.uri("b-tls-server", pin=None) + f"&pin-value={PIN}", "a PIN stands in the URI")

    def test_twice_the_same(self):
        self.init()
        self.refused(self.uri("b-tls-server"), "has a key of this name already", "--generate", "ec-p256")
        self.token("operator-b")
        self.refused(self.uri("b-tls-server"), "2 tokens fit the URI")

    def test_another_key_under_the_name(self):
        """The authority's certificate tells which key it is."""
        self.init()
        self.write("b/tls-server/ca.uri", self.uri("b-tls-client") + "\n", 0o600)
        text = self.pki("crl", "--ca", "tls-server", "b", status=1)
        self.assertIn("the private key does not belong to the certificate", text)

    def test_wrong_words(self):
        self.pki("init", "--name", "B", "--key", self.uri("one"), "c", status=2)
        self.pki("init", "--name", "B", "--generate", "ec-p256", "c", status=2)
        self.pki("init", "--name", "B", "--key", self.uri("{ca}"), "--generate", "dsa", "c", status=2)
        self.assertNotIn("c", os.listdir(self.folder))

    def test_the_token_goes_away(self):
        """At the first, second, ... signature of `init`: no folder; of the others: what was is what is."""
        env = dict(os.environ, GATEHOUSE_TEST_MODULE=MODULES[0])
        for signs in range(6):
            env["GATEHOUSE_TEST_SIGNS"] = str(signs)
            text = self.pki("init", "--name", "C", "--key", self.uri(f"c{signs}-{{ca}}", module=FAILING), "--generate",
                            "ec-p256", "c", status=1, env=env)
            self.assertIn("the token was removed", text)
            self.assertFalse(glob.glob(self.path("c*")), signs)
        env["GATEHOUSE_TEST_SIGNS"] = "6"
        self.pki("init", "--name", "C", "--key", self.uri("c-{ca}", module=FAILING), "--generate", "ec-p256", "c", env=env)
        env["GATEHOUSE_TEST_SIGNS"] = "0"
        before = self.contents("c")
        for args in (("issue", "--role", "server", "--dns", "x.c.example", "--out", "x"), ("crl", "--ca", "tls-server"),
                     ("rollover", "--ca", "tls-server")):
            self.assertIn("the token was removed", self.pki(*args, "c", status=1, env=env))
        self.assertFalse(os.path.exists(self.path("x.pem")))
        after = self.contents("c")
        self.assertEqual(before, after)

    def test_asked_on_the_terminal(self):
        """Once for a whole command, without an echo."""
        self.pki("init", "--name", "B", "--key", self.uri("{ca}"), "--generate", "ec-p256", "b")
        self.pki("init", "--name", "C", "--key", self.uri("{ca}"), "c")
        for word, status in ((PIN, 0), ("0000", 1)):
            tool = os.path.abspath(harness.TOOL)
            pid, fd = pty.fork()
            if not pid:
                os.chdir(self.folder)
                os.execv(tool,
                         ["gatehouse", "pki", "init", "--name", "D", "--key", self.uri("{ca}", pin=None), f"d{status}"])
            seen = b""
            while b"PIN of token 'operator-b': " not in seen:
                seen += self.read(fd)
            os.write(fd, word.encode() + b"\n")
            while block := self.read(fd):
                seen += block
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), status, seen)
            os.close(fd)
            self.assertNotIn(word.encode(), seen)
            self.assertEqual(seen.count(b"PIN of token"), 1)
            self.assertEqual(os.path.exists(self.path(f"d{status}")), not status)

    def read(self, fd):
        if not select.select([fd], [], [], harness.PATIENCE)[0]:
            self.fail("nothing comes on the terminal")
        try:
            return os.read(fd, 4096)
        except OSError:
            return b""


DOMAIN = """
  - {{name: {e}-{k}, profile: ts33210-rel17, engine: {e}, certificate: {d}/{k}.pem, key: "{uri}",
     trust: {{anchors: [{d}/b/tls-server/ca.pem]}}, client-auth: none, server-methods: [ca]}}
"""


class TestGateway(Case, harness.Case):
    """The key of a TLS domain in the token: both engines sign with it, in all ways that TLS has."""

    @classmethod
    def setUpClass(cls):
        pass

    def entities(self):
        self.init()
        for name, kind in (("ec", "ec-p256"), ("rsa", "rsa-2048")):
            self.pki("issue", "--role", "server", "--dns", "gw.b.example", "--key", self.uri(name), "--generate", kind,
                     "--out", name, "b")
        return "".join(DOMAIN.format(e=e, k=k, d=self.folder, uri=self.uri(k))
                       for e in ("openssl", "gnutls") for k in ("ec", "rsa"))

    def test_handshakes(self):
        domains = self.entities()
        gateway = self.gateway(domains)
        mgc = gateway.controller
        for engine in ("openssl", "gnutls"):
            for key in ("ec", "rsa"):
                for version in ("-tls1_2", "-tls1_3"):
                    with self.subTest(engine=engine, key=key, version=version):
                        self.handshake(mgc, f"{engine}-{key}", version)
        self.no_key_in_files()

    def handshake(self, mgc, domain, version):
        backend = self.own(Backend())
        made = self.relay(mgc, stream("TCP/TLS/MSRP", "passive", control=f'gatehouse/dom = "{domain}"'), backend)
        peer = self.peer("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{made.ports[0]}", version, "-CAfile",
                         self.path("b/tls-server/ca.pem"), "-verify_return_error", "-verify_hostname", "gw.b.example")
        peer.send(b"signed in a token\n")
        self.assertEqual(read_exactly(backend.accept(), 18), b"signed in a token\n")
        self.end(mgc, made)

    def test_words_at_the_start(self):
        domains = self.entities()
        self.write("pin", "1\n", 0o600)
        done = run(harness.MG, "-c", self.config(domains))
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr + done.stdout, r"mg\.yaml:5:\d+: token 'operator-b' says the PIN is wrong")

    def config(self, domains):
        self.write("mg.yaml", 'controllers: ["127.0.0.1:9"]\nmedia: {addresses: [127.0.0.1]}\ntls-domains:\n' + domains)
        return self.path("mg.yaml")


if __name__ == "__main__":
    unittest.main(verbosity=2)
