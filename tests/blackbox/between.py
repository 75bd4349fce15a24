# SPDX-License-Identifier: Apache-2.0
"""Two operators, A and B, with authorities by `gatehouse pki` and a gateway each: what tests of the way between them
share (TS 33.310, 5.2.2.2)."""
import os
import subprocess

import harness
from harness import Backend, stream

DOMAIN = """
  - {{name: {name}, profile: ts33210-rel17, certificate: {cert}.pem, key: {cert}.key, client-auth: require,
     client-methods: [ca], server-methods: [ca]{more},
     trust: {{interconnect: true, interconnection-cas: [{own}/interconnection/ca.pem],
     cross-clients: [{own}-of-clients.pem], cross-servers: [{own}-of-servers.pem],
     crls: [{crls}]}}}}
"""


def other(operator):
    return "b" if operator == "a" else "a"


class Between(harness.Case):
    """Mixed into unittest.TestCase. Each test has a folder of its own."""

    def setUp(self):
        self.home = os.path.join(self.folder, self.id().rsplit(".", 1)[-1])
        os.mkdir(self.home)
        for o in "ab":
            self.tool("pki", "init", "--name", f"Operator {o.upper()}", "--crl-url",
                      f"http://crl.{o}.example/{{ca}}.crl", o)
            for role in ("client", "server"):
                self.issue(o, role)
        for o in "ab":
            for role in ("client", "server"):
                self.cross(o, role)

    def path(self, name):
        return os.path.join(self.home, name)

    def tool(self, *args, status=0, **more):
        done = subprocess.run([harness.TOOL, *args], cwd=self.home, capture_output=True, text=True, check=False,
                              timeout=harness.PATIENCE * 4, **more)
        if status is not None:
            self.assertEqual(done.returncode, status, f"{args}: {done.stdout}{done.stderr}")
        return done

    def issue(self, o, role, name=None, *more):
        self.tool("pki", "issue", "--role", role, "--dns", f"gw.{o}.example", "--out", name or f"{o}-{role}", *more, o)

    def cross(self, o, role):
        """O vouches for the other's TLS CA of that role."""
        self.tool("pki", "cross-certify", "--role", role, "--peer", f"{other(o)}/tls-{role}/ca.pem", "--permit",
                  f"{other(o)}.example", "--out", f"{o}-of-{role}s.pem", "--yes", o)

    def odd(self, o, role, name):
        """A certificate by O's CA that another tool made: it says that it may sign certificates, and no CRL's place."""
        with open(self.path("exts"), "w", encoding="utf-8") as file:
            file.write("[ext]\nauthorityKeyIdentifier=keyid:always\nsubjectKeyIdentifier=hash\n"
                       f"keyUsage=critical,digitalSignature,keyCertSign\nextendedKeyUsage={role}Auth\n"
                       f"subjectAltName=DNS:gw.{o}.example\n")
        for args in (("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                      f"{name}.key", "-subj", f"/CN=gw.{o}.example", "-out", f"{name}.csr"),
                     ("x509", "-req", "-in", f"{name}.csr", "-CA", f"{o}/tls-{role}/ca.pem", "-CAkey",
                      f"{o}/tls-{role}/ca.key", "-days", "3", "-set_serial", "78", "-extfile", "exts", "-extensions", "ext",
                      "-out", f"{name}.pem")):
            subprocess.run(["openssl", *args], cwd=self.home, check=True, capture_output=True)

    def domain(self, o, role, cert=None, drop=(), more=""):
        """A domain by the role that it plays. `drop`: CRLs that are not there."""
        crls = [f"{o}/interconnection/ca.crl"] + [f"{other(o)}/tls-{r}/ca.crl" for r in ("client", "server")]
        return DOMAIN.format(name=role, own=self.path(o), cert=self.path(cert or f"{o}-{role}"), more=more,
                             crls=", ".join(self.path(c) for c in crls if c not in drop))

    def config(self, o, *domains, name=None):
        """A gateway's file, for who only reads it."""
        with open(self.path(name or f"{o}.yaml"), "w", encoding="utf-8") as file:
            file.write(harness.CONFIG.format(workers=1, mg="", controllers="'127.0.0.1:2944'", transport="udp", listen=0,
                                             version=2, h248="", media="", extra="tls-domains:" + "".join(domains)))
        return name or f"{o}.yaml"

    def start(self, *domains):
        return self.gateway("".join(domains))

    def connect(self, server, client, server_domain="server", client_domain="client"):
        """The client gateway connects to the server gateway, which relays to a backend of ours. Returns the log lines
        of both: (the server's, the client's)."""
        here, there = self.own(Backend()), self.own(Backend())
        made = self.relay(server.controller, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                                    control=f'gatehouse/dom = "{server_domain}"'), here)
        self.relay(client.controller, stream("TCP/TLS/MSRP", "active", made.ports[0], "passive",
                                             control=f'gatehouse/dom = "{client_domain}"'), there,
                   tls_signals="tcpbcc/EstBNC, tlsbsc/EstBNC")
        return tuple(self.line(gw, domain) for gw, domain in ((server, server_domain), (client, client_domain)))

    def line(self, gw, domain):
        def find():
            found = [row for row in gw.log().splitlines() if ": tls " in row and f"domain={domain} " in row]
            return found[-1] if found else None
        return harness.until(find, lambda: f"a handshake in the log, domain {domain}: {gw.log()}")
