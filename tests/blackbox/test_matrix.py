#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every way a TLS session of the gateway can come about, against somebody else's TLS: far peer x our engine x TLS
version x the gateway's TLS role x the way the peers know each other. Octets go both ways in each cell, Notify tells
version and suite, the context can be audited and ends. Prints the table."""
import base64
import hashlib
import re
import sys
import unittest

import harness
from harness import Backend, Case, HAVE_GNUTLS, HAVE_OPENSSL, Peer, free_port, listens, read_exactly, stream, until

PSK = "5d41402abc4b2a76b9719d911017c592aabbccddeeff00112233445566778899"
FARS, ENGINES, ROLES, WAYS = ("openssl", "gnutls"), ("openssl", "gnutls"), ("server", "client"), ("fingerprint", "ca",
                                                                                                  "psk")
VERSIONS = ("TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3")
LEGACY = ("TLS1.0", "TLS1.1")

DOMAINS = """
  - {{name: {e}-fingerprint, profile: ts33210-rel17, engine: {e}, client-auth: require, client-methods: [fingerprint],
     server-methods: [fingerprint]}}
  - {{name: {e}-ca, profile: ts33210-rel17, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: require, client-methods: [ca], server-methods: [ca]}}
  - {{name: {e}-psk, profile: ts33328-annex-h, engine: {e}}}
  - {{name: {e}-legacy-fingerprint, profile: ts33203-annex-o, engine: {e}, certificate: {d}/rsa.pem,
     key: {d}/rsa.key, client-auth: none, server-methods: [fingerprint]}}
  - {{name: {e}-legacy-ca, profile: ts33203-annex-o, engine: {e}, certificate: {d}/rsa.pem, key: {d}/rsa.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, server-methods: [ca]}}
"""


def openssl_version(version):
    return {"TLS1.0": "-tls1", "TLS1.1": "-tls1_1", "TLS1.2": "-tls1_2", "TLS1.3": "-tls1_3"}[version]


def gnutls_priority(version, psk, client):
    text = f"NORMAL:-VERS-ALL:+VERS-{version}"
    if version in LEGACY:
        text += ":+SIGN-RSA-SHA1:+SHA1:%COMPAT"
    if psk and client and version != "TLS1.3":
        text += ":-KX-ALL:+PSK"  # gnutls-cli 3.7.9 crashes when it prints a session of (EC)DHE with PSK
    elif psk:
        text += ":-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK"
    return text


class Cell:
    """One cell of the matrix."""

    def __init__(self, far, engine, version, role, way):
        self.far, self.engine, self.version, self.role, self.way = far, engine, version, role, way
        self.legacy = version in LEGACY
        self.domain = f"{engine}-{way}" if way == "psk" or not self.legacy else f"{engine}-legacy-{way}"

    def __str__(self):
        return f"{self.far} {self.engine} {self.version} {self.role} {self.way}"

    def impossible(self):
        """Why there is no such session, from the profile or the far peer; None when there is one."""
        if self.way == "psk" and self.version == "TLS1.0":
            return "ts33328-annex-h: TLS 1.0 shall not"
        if self.far == "gnutls" and not HAVE_GNUTLS:
            return harness.NO_GNUTLS
        return None

    def far_name(self):
        """Who the far peer shows itself as."""
        if self.legacy:
            return "peer-rsa"
        return "self" if self.way == "fingerprint" else "ue"

    def openssl(self, pki, port):
        legacy = ["-cipher", "DEFAULT@SECLEVEL=0"] if self.legacy else []
        if self.role == "server":  # the gateway's
            args = ["openssl", "s_client", "-ign_eof", "-connect", f"127.0.0.1:{port}", openssl_version(self.version)]
        else:
            args = ["openssl", "s_server", "-quiet", "-naccept", "1", "-accept", f"127.0.0.1:{port}",
                    openssl_version(self.version)]
        args += legacy
        if self.way == "psk":
            cipher = [] if self.version == "TLS1.3" else [
                "-cipher", "PSK:ECDHEPSK:DHEPSK@SECLEVEL=0" if self.legacy else "PSK:ECDHEPSK:DHEPSK"]
            return args + cipher + ["-psk_identity", "crypto-session", "-psk", PSK] + (
                ["-nocert"] if self.role == "client" else [])
        if self.role == "client" or not self.legacy:
            args += pki.cert(self.far_name())
        if self.way == "ca":
            args += ["-CAfile", pki.path("ca.pem"), "-verify_return_error"]
            if self.role == "client" and not self.legacy:
                args += ["-Verify", "2"]
        elif self.role == "client" and not self.legacy:
            args += ["-verify", "2"]
        return args

    def gnutls(self, pki, port):
        psk = self.way == "psk"
        files = ["--x509certfile", pki.path(f"{self.far_name()}.pem"),
                 "--x509keyfile", pki.path(f"{self.far_name()}.key")]
        priority = ["--priority", gnutls_priority(self.version, psk, self.role == "server")]
        if self.role == "client":
            args = ["gnutls-serv", "--echo", "--nodb", "-p", str(port)] + priority
            if psk:
                return args + ["--pskpasswd", pki.path("psk.txt")]
            return args + files + (["-r", "--x509cafile", pki.path("ca.pem"), "--verify-client-cert"]
                                   if self.way == "ca" and not self.legacy else ["-a"])
        args = ["gnutls-cli", "-p", str(port)] + priority
        if psk:
            return args + ["--pskusername", "crypto-session", "--pskkey", PSK, "127.0.0.1"]
        if not self.legacy:
            args += files
        if self.way == "ca":
            return args + ["--x509cafile", pki.path("ca.pem"), "--verify-hostname", "rsa.home.example" if self.legacy
                           else "gateway.home.example", "127.0.0.1"]
        return args + ["--insecure", "--print-cert", "127.0.0.1"]


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Matrix(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.latest = None
        cls.pki.leaf("gateway")
        cls.pki.leaf("ue")
        cls.pki.leaf("rsa", key="rsa")
        cls.pki.leaf("peer-rsa", key="rsa")
        cls.pki.self_signed("self")
        with open(cls.pki.path("psk.txt"), "w", encoding="ascii") as file:
            file.write(f"crypto-session:{PSK}\n")
        cls.shared_gateway("".join(DOMAINS.format(e=e, d=cls.folder) for e in ENGINES))
        cls.table = []

    @classmethod
    def tearDownClass(cls):
        print("\n| far peer | our engine | version | gateway is TLS | known by | outcome |\n|---|---|---|---|---|---|")
        for row in cls.table:
            print("| " + " | ".join(row) + " |")
        sys.stdout.flush()

    def far_text(self):
        return self.latest.text[-3000:].decode(errors="replace") if self.latest else ""

    def far(self, cell, port):
        self.latest = Peer(*(cell.openssl if cell.far == "openssl" else cell.gnutls)(self.pki, port))
        return self.latest

    def control(self, cell):
        text = f'gatehouse/dom = "{cell.domain}", gatehouse/role = {cell.role}'
        if cell.way == "psk":
            text += f', gatehouse/pskid = "crypto-session", gatehouse/psk = {PSK}'
        return text

    def exchange(self, cell, peer, conn):
        """Octets each way through the gateway; gnutls-serv can only give back what it got."""
        down, up = harness.text_payload(40000), harness.text_payload(40000)
        conn.sendall(down)
        if cell.far == "gnutls" and cell.role == "client":
            self.assertEqual(read_exactly(conn, len(down)), down)
            return
        peer.says(down)
        peer.send(up)
        self.assertEqual(read_exactly(conn, len(up)), up)

    def own_fingerprint(self, cell, peer, told):
        """The certificate that the far peer saw is the one whose fingerprint the reply told (8.3.2.2.2)."""
        pem = re.search(rb"-----BEGIN CERTIFICATE-----(.*?)-----END", peer.text, re.S)
        self.assertIsNotNone(pem, peer.text[:2000])
        octets = base64.b64decode(pem.group(1))
        seen = [hashlib.new(h, octets).hexdigest().upper() for h in ("sha1", "sha256")]
        self.assertIn(told.replace(":", ""), seen)

    def play(self, cell):
        backend = Backend()
        self.own(backend)
        finger = self.pki.fingerprint(cell.far_name()) if cell.way == "fingerprint" and not (
            cell.legacy and cell.role == "server") else None
        port = free_port() if cell.role == "client" else 9
        if cell.role == "client":
            peer = self.own(self.far(cell, port))
            until(lambda: listens(port), lambda: f"{peer.command} listens: {peer.text}")
            tls = stream("TCP/TLS/MSRP", "active", port, "passive", finger, self.control(cell))
            made = self.relay(self.mgc, tls, backend, tls_signals="tcpbcc/EstBNC, tlsbsc/EstBNC")
        else:
            tls = stream("TCP/TLS/MSRP", "passive", 9, "active", finger, self.control(cell))
            made = self.relay(self.mgc, tls, backend)
            peer = self.own(self.far(cell, made.ports[0]))
        conn = backend.accept()
        term = made.terms[0]
        up = self.mgc.take(f"Notify = {term} ", "tlsbsc/BNCChange", "Type = Est(Fail)?[ ,]")
        self.assertIn("Type = Est,", up, f"{up}\n{peer.text}")
        version = re.search(r'Version = "([^"]+)"', up).group(1)
        suite = re.search(r'Suite = "([^"]+)"', up).group(1)
        self.assertEqual(version, cell.version)
        if cell.way == "psk" and cell.version != "TLS1.3":
            self.assertIn("PSK", suite)
        self.exchange(cell, peer, conn)
        if cell.role == "server" and cell.way == "fingerprint":
            self.own_fingerprint(cell, peer, made.fingerprints[0])
        conn.close()
        self.mgc.take(f"Notify = {term} ", "tlsbsc/BNCChange", "Type = Rel")
        self.end(self.mgc, made)
        return suite

    def run_cells(self, far, version):
        for engine in ENGINES:
            for role in ROLES:
                for way in WAYS:
                    cell = Cell(far, engine, version, role, way)
                    why = cell.impossible()
                    with self.subTest(str(cell)):
                        outcome = "FAILED"
                        try:
                            outcome = f"none: {why}" if why else self.play(cell)
                        except (AssertionError, OSError) as e:
                            raise AssertionError(f"{e}; peer: {self.far_text()}") from e
                        finally:
                            self.table.append((far, engine, version, role, way, outcome))
                            self.doCleanups()
        self.assertNotIn(PSK[:16], self.gw.log().lower())


def add_tests():
    for far in FARS:
        for version in VERSIONS:
            name = f"test_{far}_{version.replace('.', '_').lower()}"
            def test(self, far=far, version=version):
                self.run_cells(far, version)
            test = test if far == "openssl" else unittest.skipUnless(HAVE_GNUTLS, harness.NO_GNUTLS)(test)
            setattr(Matrix, name, test)


add_tests()

if __name__ == "__main__":
    unittest.main(verbosity=2)
