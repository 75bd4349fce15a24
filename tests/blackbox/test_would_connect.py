#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse pki would-connect` beside what two gateways really do: the same pair of configurations is asked and run, and
both answers agree. What it says will break next does break at that second."""
import json
import re
import subprocess
import time
import unittest

import harness
from between import Between


def seconds(text):
    return int(time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone)


@unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
class WouldConnect(Between, unittest.TestCase):
    """B is the client, A the server; each a domain by the role it plays."""

    def ask(self, *more, status=0):
        done = self.tool("pki", "would-connect", "--as", "b.yaml", "--to", "a.yaml", "--role", "client", "--json", *more,
                         status=status)
        return json.loads(done.stdout)[0] if done.stdout else done.stderr

    def both(self, server=None, client=None, status=0):
        """Ask, then run. Returns what was said, and the log lines of server and client."""
        server, client = server or self.domain("a", "server"), client or self.domain("b", "client")
        self.config("a", server)
        self.config("b", client)
        said = self.ask(status=status)
        lines = self.connect(self.start(server), self.start(client))
        up = all(": tls up " in row for row in lines)
        self.assertEqual(said["outcome"], "would connect" if up else "would not connect", lines)
        return said, lines

    def refused(self, judged, reason, **ends):
        said, lines = self.both(status=1, **ends)
        self.assertEqual(said[judged]["reason"], reason)
        row = lines[0] if judged == "client_judged" else lines[1]
        self.assertIn(f"auth={reason} ", row)
        self.assertTrue(row.endswith(said[judged]["text"]), (row, said[judged]["text"]))
        return said

    # -- beside the gateways

    def test_connects_as_it_says(self):
        said, lines = self.both()
        self.assertIn(f"version={said['version']} suite={said['suite']} ", lines[0])
        self.assertEqual((said["lacks"], said["client_judged"]["reason"]), (None, "ok"))

    def test_suites_by_key_and_version(self):
        """An RSA key, and a client without TLS 1.3."""
        self.issue("a", "server", "rsa", "--key", "rsa")
        self.profile("partner", "rules:\n  - {id: X, subject: version, items: [TLS1.3], strength: shall-not, mark: P, text: x}\n")
        client = self.domain("b", "client").replace("ts33210-rel17", "partner")
        self.extra = f"profile-dirs: [{self.home}]\n"
        said, lines = self.both(self.domain("a", "server", cert="rsa"), client)
        self.assertIn(f"version={said['version']} suite={said['suite']} ", lines[0])
        self.assertEqual(said["version"], "TLS1.2")

    def test_nothing_in_common(self):
        self.profile("partner", "replace: [suite]\nrules:\n  - {id: X, subject: suite, items: "
                     "[TLS_RSA_WITH_AES_128_CBC_SHA], strength: shall, mark: P, text: x}\n"
                     "  - {id: Y, subject: version, items: [TLS1.3], strength: shall-not, mark: P, text: x}\n")
        self.extra = f"profile-dirs: [{self.home}]\n"
        said, _ = self.both(client=self.domain("b", "client").replace("ts33210-rel17", "partner"), status=1)
        self.assertIn("suite", said["lacks"])

    def test_a_crl_is_missing(self):
        said = self.refused("client_judged", "crl-missing", server=self.domain("a", "server", drop=("b/tls-client/ca.crl",)))
        self.assertEqual(said["client_judged"]["crl"], "http://crl.b.example/tls-client.crl")

    def test_the_client_refuses_too(self):
        self.refused("server_judged", "crl-missing", client=self.domain("b", "client", drop=("a/tls-server/ca.crl",)))

    def test_a_gateway_is_revoked(self):
        self.tool("pki", "revoke", "--ca", "tls-client", "b", "b-client.pem")
        self.tool("pki", "crl", "--ca", "tls-client", "b")
        self.refused("client_judged", "revoked")

    def test_a_cross_certificate_is_revoked(self):
        self.tool("pki", "revoke", "--ca", "interconnection", "b", "b-of-servers.pem")
        self.tool("pki", "crl", "--ca", "interconnection", "b")
        self.refused("server_judged", "revoked")

    def test_a_certificate_of_the_other_role(self):
        self.refused("client_judged", "wrong-purpose", client=self.domain("b", "client", cert="b-server"))

    def test_nobody_is_asked(self):
        server = self.domain("a", "server").replace("client-auth: require", "client-auth: none").replace(
            "client-methods: [ca], ", "")
        said, _ = self.both(server)
        self.assertFalse(said["client_judged"]["asked"])

    def test_tolerance(self):
        gone = ("b/tls-client/ca.crl",)
        said, lines = self.both(self.domain("a", "server", drop=gone, more=", continue-on: [crl-missing]"))
        self.assertIn("(tolerated)", lines[0])
        self.assertEqual(said["client_judged"]["reason"], "crl-missing")

    # -- what breaks next

    def due(self, o, ca):
        done = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", self.path(f"{o}/{ca}/ca.crl"), "-noout",
                               "-nextupdate", "-dateopt", "iso_8601"], capture_output=True, text=True, check=True)
        return seconds(done.stdout.strip().split("=")[1].replace(" ", "T"))

    def crl(self, o, ca, hours):
        self.tool("pki", "crl", "--ca", ca, "--hours", str(hours), o)

    def test_what_breaks_next_and_when(self):
        self.config("a", self.domain("a", "server"))
        self.config("b", self.domain("b", "client"))
        for o, ca, hours in (("a", "interconnection", 300), ("b", "interconnection", 400), ("b", "tls-client", 90),
                             ("a", "tls-server", 500)):
            self.crl(o, ca, hours)
        said = self.ask()
        self.assertEqual(seconds(said["next_break"]), self.due("b", "tls-client") + 0)
        first = said["client_judged"]
        self.assertEqual((first["breaks_reason"], first["breaks_crl"]), ("crl-stale", "http://crl.b.example/tls-client.crl"))
        self.assertEqual(seconds(said["server_judged"]["breaks"]), self.due("b", "interconnection"))
        # it does, at that second and not before
        when = seconds(said["next_break"])
        self.ask("--time", str(when - 1))
        self.assertEqual(self.ask("--time", str(when), status=1)["client_judged"]["reason"], "crl-stale")
        # the next one moves it
        self.crl("b", "tls-client", 301)
        self.assertEqual(seconds(self.ask()["next_break"]), self.due("a", "interconnection"))

    def test_certificates_end_too(self):
        self.issue("b", "client", "short", "--days", "1")
        self.config("a", self.domain("a", "server"))
        self.config("b", self.domain("b", "client", cert="short"))
        said = self.ask()["client_judged"]
        self.assertEqual(said["breaks_reason"], "expired")
        done = self.tool("pki", "would-connect", "--as", "b.yaml", "--to", "a.yaml", "--role", "client")
        self.assertRegex(done.stdout, r"(?m)^  next      \S+Z \(2[34] h\): a.yaml will refuse b.yaml: expired: ")

    # -- words

    def test_in_words(self):
        self.config("a", self.domain("a", "server", drop=("b/tls-client/ca.crl",)))
        self.config("b", self.domain("b", "client"))
        text = self.tool("pki", "would-connect", "--as", "b.yaml", "--to", "a.yaml", "--role", "client", status=1).stdout
        self.assertRegex(text, r"(?m)^b.yaml \(client\) as TLS client -> a.yaml \(server\) as TLS server: would not connect$")
        self.assertRegex(text, r"(?m)^  common    TLS1.3, TLS_AES_\S+, \S+, ecdsa_secp256r1_sha256$")
        self.assertRegex(text, r"(?m)^    NO   crl .*there is no CRL for .*<- decided$")
        self.assertIn("its CRL lies at http://crl.b.example/tls-client.crl", text)

    def test_both_directions_and_domains(self):
        for o in "ab":
            self.config(o, self.domain(o, "server"), self.domain(o, "client"))
        ask = ("pki", "would-connect", "--as", "a.yaml", "--to", "b.yaml", "--json")
        self.assertIn("which of its TLS domains", self.tool(*ask, status=2).stderr)
        done = self.tool(*ask, "--as-domain", "client", "--to-domain", "server", status=1)
        forth, back = json.loads(done.stdout)
        self.assertEqual((forth["outcome"], back["outcome"]), ("would connect", "would not connect"))
        self.assertEqual({back["client_judged"]["reason"], back["server_judged"]["reason"]}, {"wrong-purpose"})
        self.tool(*ask, "--as-domain", "server", "--to-domain", "client", "--role", "server")
        self.assertIn("no TLS domain is called 'x'", self.tool(*ask, "--as-domain", "x", status=2).stderr)

    def test_names(self):
        self.config("a", self.domain("a", "server"))
        self.config("b", self.domain("b", "client"))
        self.ask("--server-name", "gw.a.example")
        self.assertEqual(self.ask("--server-name", "gw.b.example", status=1)["server_judged"]["reason"], "wrong-name")

    def test_keys_are_not_needed(self):
        for o, role in (("a", "server"), ("b", "client")):
            self.config(o, self.domain(o, role))
            harness.os.unlink(self.path(f"{o}-{role}.key"))
        self.ask()

    def test_what_cannot_be_told(self):
        self.config("a", self.domain("a", "server").replace("client-methods: [ca]", "client-methods: [fingerprint]"))
        self.config("b", self.domain("b", "client"))
        said = self.ask(status=2)
        self.assertEqual(said["outcome"], "cannot tell")
        self.assertIn("fingerprints come from the controller", said["client_judged"]["note"])
        self.config("a", self.domain("a", "server", more=", moon-phase: full"))
        self.assertIn("the key 'moon-phase' is not understood", self.tool(
            "pki", "would-connect", "--as", "b.yaml", "--to", "a.yaml", "--role", "client", status=2).stdout)
        self.assertIn("cannot", self.tool("pki", "would-connect", "--as", "nowhere.yaml", "--to", "a.yaml", status=2).stderr)
        self.tool("pki", "would-connect", "--as", "a.yaml", status=2)

    def test_every_key_of_a_domain_is_known_here(self):
        """The gateway's list of keys, out of its source: what is added there is looked at here, or said not to matter."""
        root = harness.os.environ.get("GATEHOUSE_SOURCE_ROOT", ".")
        with open(harness.os.path.join(root, "src", "mg", "yaml.c"), encoding="utf-8") as file:
            text = file.read()
        with open(harness.os.path.join(root, "src", "cli", "pair_config.c"), encoding="utf-8") as file:
            known = file.read()
        for part in ("domain_fields", "trust_fields"):
            body = re.search(part + r"\[\] = \{(.*?)CYAML_FIELD_END", text, re.S).group(1)
            keys = re.findall(r'"([a-z-]+)"', body)
            self.assertGreater(len(keys), 10)
            self.assertEqual([k for k in keys if f'"{k}' not in known], [])

    # -- more of a stage

    extra = ""

    def profile(self, name, rules):
        with open(self.path(f"{name}.yaml"), "w", encoding="utf-8") as file:
            file.write(f"name: {name}\ntitle: t\ndocument: d\nclause: c\nrelease: r\nextends: ts33210-rel17\n{rules}")

    def config(self, o, *domains, name=None):
        name = super().config(o, *domains, name=name)
        with open(self.path(name), "a", encoding="utf-8") as file:
            file.write(self.extra)
        return name

    def start(self, *domains):
        return self.gateway("".join(domains), extra=self.extra)


if __name__ == "__main__":
    unittest.main()
