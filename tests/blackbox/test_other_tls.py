#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The other operator's TLS is not ours: openssl s_client and s_server, gnutls-cli and gnutls-serv as B's gateway, against A's
(TS 33.310, 5.2.2.2). Each of our engines, both roles, TLS 1.2 and 1.3: who is let in, who is refused and why, and that the
other side hears the alert."""
import itertools
import re
import shutil
import unittest

import harness
from between import Between
from harness import Backend, free_port, listens, stream, until

DOMAIN = """
  - {{name: {name}, profile: ts33210-rel17, engine: {engine}, certificate: {home}/a-{role}.pem, key: {home}/a-{role}.key,
     client-auth: require, client-methods: [ca], server-methods: [ca],
     trust: {{interconnect: true, interconnection-cas: [{home}/a/interconnection/ca.pem],
     cross-clients: [{home}/a-of-clients.pem], cross-servers: [{home}/a-of-servers.pem],
     crls: [{home}/b-clients.crl, {home}/b-servers.crl{own}]}}}}
"""
ENGINES, ROLES, VERSIONS = ("openssl", "gnutls"), ("server", "client"), ("1.2", "1.3")  # the role is ours
# What is wrong: B's certificate, A's own CRL, what A says of it, the alert that B hears.
GOOD = ("good", "{far}", "good.crl", "ca", 0)
CASES = (
    GOOD,
    ("its root in the chain", "{far}-chain", "good.crl", "ca", 0),
    ("revoked", "{far}-revoked", "good.crl", "revoked", 44),
    ("its cross-certificate revoked", "{far}", "revoked.crl", "revoked", 44),
    ("our own CRL missing", "{far}", None, "crl-missing", 46),
    ("nobody vouches for its CA", "stranger-{far}", "good.crl", "unknown-ca", 48),
    ("a certificate for the other role", "{near}", "good.crl", "wrong-purpose", 43),
)


ALERTS = {43: "unsupported_certificate", 44: "certificate_revoked", 46: "certificate_unknown", 48: "unknown_ca"}


@unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
class OtherTls(Between, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.tool("pki", "init", "--name", "Operator B", "c")
        for role in ("client", "server"):
            self.issue("b", role, f"b-{role}-revoked")
            self.tool("pki", "issue", "--role", role, "--dns", "gw.b.example", "--out", f"b-stranger-{role}", "c")
            self.tool("pki", "revoke", "--ca", f"tls-{role}", "b", f"b-{role}-revoked.pem")
            self.tool("pki", "crl", "--ca", f"tls-{role}", "--out", f"b-{role}s.crl", "b")
            with open(self.path(f"b-{role}-chain.pem"), "w", encoding="ascii") as file:
                for name in (f"b-{role}.pem", f"b/tls-{role}/ca.pem"):
                    with open(self.path(name), encoding="ascii") as part:
                        file.write(part.read())
            shutil.copy(self.path(f"b-{role}.key"), self.path(f"b-{role}-chain.key"))
        self.tool("pki", "crl", "--ca", "interconnection", "--out", "good.crl", "a")
        for role in ("client", "server"):
            self.tool("pki", "revoke", "--ca", "interconnection", "a", f"a-of-{role}s.pem")
        self.tool("pki", "crl", "--ca", "interconnection", "--out", "revoked.crl", "a")
        self.gw = self.gateway("".join(
            DOMAIN.format(name=self.domain_name(engine, role, crl), engine=engine, role=role, home=self.home,
                          own=f", {self.path(crl)}" if crl else "")
            for engine in ENGINES for role in ROLES for crl in ("good.crl", "revoked.crl", None)))

    @staticmethod
    def domain_name(engine, role, crl):
        return f"{engine}-{role}-{(crl or 'none').split('.')[0]}"

    def openssl(self, port, role, cert, version):
        files = ["-cert", self.path(f"b-{cert}.pem"), "-key", self.path(f"b-{cert}.key"), "-cert_chain",
                 self.path(f"b-{cert}.pem"), "-tls" + version.replace(".", "_")]
        if role == "server":
            return ["openssl", "s_client", "-ign_eof", "-connect", f"127.0.0.1:{port}", "-CAfile",
                    self.path("a/tls-server/ca.pem"), "-verify_return_error", "-verify_hostname", "gw.a.example", *files]
        return ["openssl", "s_server", "-naccept", "1", "-accept", f"127.0.0.1:{port}", "-CAfile",
                self.path("a/tls-client/ca.pem"), "-Verify", "2", "-verify_return_error", *files]

    def gnutls(self, port, role, cert, version):
        files = ["--x509certfile", self.path(f"b-{cert}.pem"), "--x509keyfile", self.path(f"b-{cert}.key"), "--priority",
                 f"NORMAL:-VERS-ALL:+VERS-TLS{version}", "-p", str(port)]
        if role == "server":
            return ["gnutls-cli", *files, "--x509cafile", self.path("a/tls-server/ca.pem"), "--verify-hostname",
                    "gw.a.example", "127.0.0.1"]
        return ["gnutls-serv", "--echo", "--nodb", *files, "--x509cafile", self.path("a/tls-client/ca.pem"), "-r",
                "--verify-client-cert"]

    def connect_to(self, far, role, engine, case, version):
        """The gateway's log line of the handshake, and the far peer."""
        _, cert, crl, _, _ = case
        cert = cert.format(far="server" if role == "client" else "client", near=role)
        control = f'gatehouse/dom = "{self.domain_name(engine, role, crl)}"'
        port = free_port() if role == "client" else 9
        backend = self.own(Backend())
        before = self.gw.log().count(": tls ")
        if role == "client":
            peer = self.peer(*far(port, role, cert, version))
            until(lambda: listens(port), lambda: f"{peer.command} listens: {peer.text}")
            self.relay(self.gw.controller, stream("TCP/TLS/MSRP", "active", port, "passive",
                                                  control=control + ', gatehouse/peername = "gw.b.example"'), backend,
                       tls_signals="tcpbcc/EstBNC, tlsbsc/EstBNC")
        else:
            made = self.relay(self.gw.controller, stream("TCP/TLS/MSRP", "passive", 9, "active", control=control), backend)
            peer = self.peer(*far(made.ports[0], role, cert, version))
        until(lambda: self.gw.log().count(": tls ") > before, lambda: f"a handshake: {self.gw.log()[-2000:]} {peer.text}")
        lines = [line for line in self.gw.log().splitlines() if ": tls " in line]
        return lines[before], peer

    def run_cases(self, far):
        for case, role, engine, version in itertools.product(CASES, ROLES, ENGINES, VERSIONS):
            with self.subTest(case=case[0], role=role, engine=engine, version=version):
                line, peer = self.connect_to(far, role, engine, case, version)
                self.assertIn(f"auth={case[3]} ", line)
                self.assertRegex(line, ": tls failed " if case[4] else rf": tls up .*version=TLS{version} ")
                if case[4]:  # gnutls-serv does not say which alert it got
                    heard = (rb"(?i)alert\D{0,16}%d\b" % case[4] if peer.command[0] != "gnutls-serv"
                             else rb"Error in handshake")
                    self.assertIn(f"alert={ALERTS[case[4]]} ", line)
                    until(lambda: re.search(heard, peer.text), lambda: f"alert {case[4]}: {peer.text}")
                peer.close()

    def test_openssl(self):
        self.run_cases(self.openssl)

    @unittest.skipUnless(harness.HAVE_GNUTLS, harness.NO_GNUTLS)
    def test_gnutls(self):
        self.run_cases(self.gnutls)


if __name__ == "__main__":
    unittest.main(verbosity=2)
