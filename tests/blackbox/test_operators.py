#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Between operators, with somebody else's TLS as operator B: openssl s_client and s_server, gnutls-cli and gnutls-serv.
They hold A's gateway against B's Interconnection CA, B's cross-certificates and the CRLs, as it does the other way round
(TS 33.310, 5.2.2.2); test_other_tls.py has the reasons of our refusals, and TLS versions. Both roles, both of our engines."""
import shutil
import subprocess
import unittest

import harness
from between import Between
from harness import Backend, HAVE_GNUTLS, free_port, listens, read_exactly, stream, until

ENGINES = ("openssl", "gnutls")
TOOLS = ENGINES if HAVE_GNUTLS else ENGINES[:1]
ROLES = ("client", "server")


@unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
class Operators(Between, unittest.TestCase):
    def openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.home, check=True, capture_output=True)

    def begin(self, **more):
        """A's gateway with a domain for each role that it plays and each engine; what B's tools believe."""
        self.gw = self.start(*(self.domain("a", role, more=f", engine: {engine}", **more).replace(
            f"name: {role},", f"name: {role}-{engine},") for role in ROLES for engine in ENGINES))
        self.mgc = self.gw.controller
        for role in ROLES:  # A's in that role
            crls = []
            for crl in ("b/interconnection/ca", f"a/tls-{role}/ca"):
                self.openssl("crl", "-inform", "DER", "-in", f"{crl}.crl", "-out", f"{crl}.crl.pem")
                crls.append(f"{crl}.crl.pem")
            self.join(f"b-trusts-{role}.pem", "b/interconnection/ca.pem", f"b-of-{role}s.pem")
            self.join(f"b-crls-{role}.pem", *crls)
            self.join(f"b-all-{role}.pem", f"b-trusts-{role}.pem", f"b-crls-{role}.pem")

    def join(self, name, *parts):
        with open(self.path(name), "w", encoding="ascii") as out:
            for part in parts:
                with open(self.path(part), encoding="ascii") as file:
                    out.write(file.read())

    def command(self, tool, role, cert, port):
        """B's program, in that role, as whom `cert` shows."""
        ours, key = ("server" if role == "client" else "client"), self.path(f"{cert.partition('+')[0]}.key")
        cert = self.path(f"{cert}.pem")
        if tool == "openssl":
            start = (("s_client", "-no_ign_eof", "-verify_hostname", "gw.a.example", "-connect", f"127.0.0.1:{port}")
                     if role == "client" else ("s_server", "-naccept", "1", "-Verify", "4", "-accept", str(port)))
            return ("openssl", *start, "-quiet", "-cert", cert, "-cert_chain", cert, "-key", key, "-CAfile",
                    self.path(f"b-all-{ours}.pem"), "-no-CApath", "-no-CAstore", "-crl_check_all", "-verify_return_error")
        start = (("gnutls-cli", "-p", str(port), "--verify-hostname", "gw.a.example") if role == "client" else
                 ("gnutls-serv", "--echo", "--nodb", "-p", str(port), "-r", "--verify-client-cert"))
        return (*start, "--x509certfile", cert, "--x509keyfile", key, "--x509cafile", self.path(f"b-trusts-{ours}.pem"),
                "--x509crlfile", self.path(f"b-crls-{ours}.pem"), *(("127.0.0.1",) if role == "client" else ()))

    def meet(self, tool, role, engine, cert):
        """B's program and A's gateway: (context, program, backend)."""
        backend, control = self.own(Backend()), f'gatehouse/dom = "{"client" if role == "server" else "server"}-{engine}"'
        if role == "client":
            made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "passive", 9, "active", control=control), backend)
            return made, self.peer(*self.command(tool, role, cert, made.ports[0])), backend
        port = free_port()
        peer = self.peer(*self.command(tool, role, cert, port))
        until(lambda: listens(port), lambda: f"it listens: {peer.text}")
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "active", port, "passive", control=control), backend,
                          tls_signals="tcpbcc/EstBNC, tlsbsc/EstBNC")
        return made, peer, backend

    def every(self, check, cert="b-{}"):
        for tool in TOOLS:
            for role in ROLES:
                for engine in ENGINES:
                    with self.subTest(tool=tool, role=role, engine=engine, cert=cert):
                        made, peer, backend = self.meet(tool, role, engine, cert.format(role))
                        check((tool, role, engine), made, peer, backend)
                        self.end(self.mgc, made)
                        peer.close()

    def connects(self, cert="b-{}"):
        def check(way, made, peer, backend):
            conn = backend.accept()
            self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
            conn.sendall(b"from A\n")
            if way[:2] == ("gnutls", "server"):  # it echoes, and says nothing of its own
                self.assertEqual(read_exactly(conn, 7), b"from A\n")
            else:
                peer.says(b"from A\n")
                peer.send(b"from B\n")
                self.assertEqual(read_exactly(conn, 7), b"from B\n")
        self.every(check, cert)

    def refused(self, auth, alert, words, cert="b-{}"):
        def check(way, made, peer, backend):
            notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = EstFail")
            self.assertIn(f'Auth = "{auth}"', notify)
            self.assertRegex(notify, f"Alert = {alert}, Side = local")
            self.assertIn(words, notify)
            # B hears an alert. libssl as client of TLS 1.3 sends it in the clear, which gnutls-serv takes for damage.
            peer.says(b"Decryption has failed" if way == ("gnutls", "server", "openssl") else b"lert")
            backend.silent()
        self.every(check, cert)

    def test_connect(self):
        self.begin()
        self.connects()

    def test_what_else_b_sends_changes_nothing(self):
        """Its own CAs, root included, and A's root, which is no proof of anything."""
        for role in ROLES:
            self.join(f"b-{role}+.pem", f"b-{role}.pem", f"b/tls-{role}/ca.pem", "b/interconnection/ca.pem",
                      "a/interconnection/ca.pem")
        self.begin()
        self.connects("b-{}+")
        for role in ROLES:
            self.tool("pki", "revoke", "--ca", "interconnection", "a", f"a-of-{role}s.pem")
        self.tool("pki", "crl", "--ca", "interconnection", "a")
        self.begin()
        self.refused("revoked", 44, "revoked", "b-{}+")

    def test_b_refuses_whom_a_revoked(self):
        """B's tools do look into the CRLs that they were given."""
        for role in ROLES:
            self.tool("pki", "revoke", "--ca", f"tls-{role}", "a", f"a-{role}.pem")
            self.tool("pki", "crl", "--ca", f"tls-{role}", "a")
        self.begin()
        self.every(lambda way, made, peer, backend: peer.says(
            b"Error in the certificate" if way[:2] == ("gnutls", "server") else b"revoked"))


if __name__ == "__main__":
    unittest.main()
