# SPDX-License-Identifier: Apache-2.0
"""The authorities of two operators, made by `gatehouse pki`, and who judges beside it."""
import os
import shutil
import subprocess
import tempfile
import unittest

import harness

HAVE_CERTTOOL = bool(shutil.which("certtool"))


def run(*args, **more):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False,
                          timeout=harness.PATIENCE * 4, **more)


@unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
class Case(unittest.TestCase):
    """A folder with the authorities of A and B, made once; each test has a copy of its own."""

    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.made)
        for name in "ab":
            done = run(harness.TOOL, "pki", "init", "--name", f"Operator {name.upper()}", "--crl-url",
                       f"http://crl.{name}.example/{{ca}}.crl", os.path.join(cls.made, name))
            assert done.returncode == 0, done.stderr

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        for name in "ab":
            shutil.copytree(os.path.join(self.made, name), self.path(name))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def pki(self, *args, status=0, **more):
        done = run(harness.TOOL, "pki", *args, cwd=self.folder, **more)
        self.assertEqual(done.returncode, status, f"pki {args}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def openssl(self, *args, status=0):
        done = run("openssl", *args, cwd=self.folder)
        self.assertEqual(done.returncode, status, f"openssl {args}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def text(self, name):
        return harness.squeeze(self.openssl("x509", "-in", name, "-noout", "-text"))

    def read(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return file.read()

    def issue(self, operator="b", role="server", name="gw", *more):
        return self.pki("issue", "--role", role, "--dns", f"{name}.{operator}.example", "--out", name, *more, operator)

    def crl(self, operator, authority):
        """The next CRL of an authority, as PEM in `operator-authority.crl`."""
        self.pki("crl", "--ca", authority, "--pem", "--out", f"{operator}-{authority}.crl", operator)
        return f"{operator}-{authority}.crl"
