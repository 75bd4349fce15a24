#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse explain`: handshakes between two gateways that are really refused, explained out of their logs; and a line
for every reason and alert there is."""
import json
import os
import re
import unittest

import harness
from between import Between


@unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
class Real(Between, unittest.TestCase):
    """B's gateway connects to A's."""

    def explained(self, gw):
        return json.loads(self.tool("explain", "--json", gw.log_path).stdout)

    def refused(self, reason, server=None, client=None):
        """A refuses B. Returns what is explained of both sides' last handshake."""
        a, b = self.start(server or self.domain("a", "server")), self.start(client or self.domain("b", "client"))
        lines = self.connect(a, b)
        self.assertIn(f"auth={reason} ", lines[0])
        told = self.explained(a)[-1]
        self.assertEqual((told["by"], told["reason"], told["side"], told["domain"]), ("us", reason, "server", "server"))
        return a, b, told

    def test_nothing_to_explain(self):
        a, b = self.start(self.domain("a", "server")), self.start(self.domain("b", "client"))
        lines = self.connect(a, b)
        self.assertRegex(lines[0], ": tls up .* auth=ca ")
        done = self.tool("explain", a.log_path, status=1)
        self.assertIn("no refused handshake", done.stderr)

    def test_missing_crl(self):
        a, _, told = self.refused("crl-missing", self.domain("a", "server", drop=("b/tls-client/ca.crl",)))
        self.assertEqual((told["crl"], told["issuer"]), ("http://crl.b.example/tls-client.crl",
                                                         "CN=Operator B TLS client CA,O=Operator B"))
        self.assertEqual(told["depth"], "0")
        self.assertIn("it lies at http://crl.b.example/tls-client.crl", told["do"])
        self.assertIn("RFC 5280, 6.3.3", told["clause"])
        text = self.tool("explain", "--last", a.log_path).stdout
        self.assertRegex(text, r"refused 127.0.0.1:\d+, domain server, we were TLS server: no usable CRL")
        self.assertRegex(text, r"(?m)^  decided   the peer's own certificate: CN=gw.b.example, serial [0-9A-F]{40}, issued by")
        self.assertRegex(text, r"(?m)^  do        fetch the CRL of CN=Operator B TLS client CA")

    def test_missing_crl_of_the_cross_certificate(self):
        _, _, told = self.refused("crl-missing", self.domain("a", "server", drop=("a/interconnection/ca.crl",)))
        self.assertEqual((told["crl"], told["depth"]), ("http://crl.a.example/interconnection.crl", "1"))
        self.assertEqual(told["issuer"], "CN=Operator A Interconnection CA,O=Operator A")

    def test_revoked(self):
        self.tool("pki", "revoke", "--ca", "tls-client", "b", "b-client.pem")
        self.tool("pki", "crl", "--ca", "tls-client", "b")
        a, b, told = self.refused("revoked")
        self.assertTrue(any(re.fullmatch("serial number [0-9A-F]{40}", d) for d in told["do"]))
        # the other side hears an alert, and is told what it means
        harness.until(lambda: "tls-down" in b.log(), b.log)
        theirs = self.explained(b)[-1]
        self.assertEqual((theirs["by"], theirs["alert"]), ("peer", "certificate_revoked"))
        self.assertIn("our certificate", theirs["what"])
        self.assertEqual(len(self.explained(a)), 1)

    def test_nobody_vouches(self):
        self.tool("pki", "init", "--name", "Operator B", "c")
        self.tool("pki", "issue", "--role", "client", "--dns", "gw.b.example", "--out", "stranger", "c")
        _, _, told = self.refused("unknown-ca", client=self.domain("b", "client", cert="stranger"))
        self.assertTrue(any("pki cross-certify" in d and "CN=Operator B TLS client CA" in d for d in told["do"]))

    def test_wrong_role(self):
        _, _, told = self.refused("wrong-purpose", client=self.domain("b", "client", cert="b-server"))
        self.assertIn("role", told["what"])

    def test_profile(self):
        self.odd("b", "client", "odd")
        odd = self.domain("b", "client", cert="odd", more=", certificate-faults: warn")
        a, _, told = self.refused("profile", client=odd)
        self.assertIn("[I17 V]", told["step"])
        self.assertRegex(a.log(), "tls failed .* rules=I17,E8 serial=4E crl=- culprit=\"CN=gw.b.example\"")
        # who only warns lets it in, and says so in the line
        a = self.start(self.domain("a", "server", more=", certificate-faults: warn"))
        lines = self.connect(a, self.start(odd))
        self.assertRegex(lines[0], "tls up .* auth=ca srtp=- subject=\"CN=gw.b.example\" rules=I17,E8")


HEAD = ("2026-11-21T10:00:00.000Z warn  relay: tls failed peer=192.0.2.9:5061 side=server domain=d version=TLS1.2 suite=- "
        "cause=auth ")
TAIL = ' subject="CN=p" serial=4A crl=http://c.example/c.crl culprit="CN=p" issuer="CN=ca": words (RFC 5280, 6)'
REASONS = ("no-certificate no-fingerprint fingerprint-mismatch malformed unknown-ca expired not-yet-valid revoked crl-missing "
           "crl-stale wrong-purpose wrong-name weak profile path psk-failed").split()
ALERTS = ("unknown_ca certificate_revoked certificate_expired certificate_unknown bad_certificate unsupported_certificate "
          "bad_certificate_status_response certificate_required handshake_failure insufficient_security protocol_version "
          "decrypt_error unknown_psk_identity access_denied").split()


class Lines(unittest.TestCase):
    def tool(self, *args, given="", status=0):
        done = harness.subprocess.run([harness.TOOL, "explain", *args], input=given, capture_output=True, text=True,
                                      check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def one(self, line):
        return json.loads(self.tool("--json", given=line + "\n"))[0]

    def test_every_reason_has_its_words(self):
        whats = {r: self.one(f"{HEAD}auth={r} depth=0 alert=certificate_unknown{TAIL}") for r in REASONS}
        self.assertEqual(len({w["what"] for w in whats.values()}), len(REASONS))
        self.assertFalse([r for r, w in whats.items() if not w["do"] or "without a decision" in w["what"]])

    def test_every_alert_has_its_words(self):
        told = {a: self.one(f"{HEAD}auth=ca depth=-1 alert={a} (from peer) subject=\"\": x") for a in ALERTS}
        self.assertEqual(len({t["what"] for t in told.values()}), len(ALERTS))
        self.assertEqual({t["by"] for t in told.values()}, {"peer"})

    def test_the_reasons_are_those_of_the_gateway(self):
        with open(os.path.join(os.environ.get("GATEHOUSE_SOURCE_ROOT", "."), "src", "trust", "reason.c"), encoding="utf-8") as file:
            known = re.findall(r'\[TRUST_\w+\] = \{ "([a-z-]+)", ', file.read())
        self.assertEqual(sorted(set(known) - {"ok"} - set(REASONS)), [])

    def test_nothing_in_common(self):
        self.assertIn("in common", self.one(f"{HEAD}auth=not-asked depth=-1 alert=handshake_failure subject=\"\": no")["what"])

    def test_control_connections(self):
        line = ('2026-11-21T10:00:00.000Z warn  link: tls failed peer=192.0.2.9:2944 side=client domain=d version=TLS1.3 '
                'suite=- resumed=no auth=expired depth=1 subject="CN=p" serial=01 crl=- culprit="CN=x" issuer="CN=y" '
                'alert=certificate_expired: expired: CN=x (RFC 5280, 6.1.3 (a)(2))')
        told = self.one(line)
        self.assertEqual((told["reason"], told["alert"], told["clause"]), ("expired", "certificate_expired",
                                                                          "RFC 5280, 6.1.3 (a)(2)"))
        self.assertIsNone(told["crl"])

    def test_a_peer_that_refuses_later(self):
        """TLS 1.3: the client is up, then hears the alert; and with TLS 1.2 the same refusal has two lines."""
        down = ('2026-11-21T10:00:00.000Z info  mg: tls-down context=1 term=ip/1/2 stream=1 domain=d cause=peer-alert alert=44 '
                'side=remote reason=ok text="the peer sent alert 44 (certificate_revoked)"\n')
        failed = f"{HEAD}auth=ca depth=-1 alert=certificate_revoked (from peer) subject=\"\": x\n"
        told = json.loads(self.tool("--json", given=down))
        self.assertEqual([(t["by"], t["alert"]) for t in told], [("peer", "certificate_revoked")])
        self.assertEqual(len(json.loads(self.tool("--json", given=failed + down + down))), 2)
        self.assertIn("refused by the peer, domain d: the peer's CRL", self.tool(given=down))
        self.tool(given=down.replace("alert=44", "alert=0"), status=1)
        self.tool(given=down.replace("side=remote", "side=local"), status=1)

    def test_names_of_peers_do_not_fool_it(self):
        told = self.one(f'{HEAD}auth=revoked depth=0 alert=certificate_revoked subject="CN=a\\" auth=ca: x ,O=: " '
                        'serial=4A crl=- culprit="CN=a" issuer="CN=b": revoked (RFC 5280, 6)')
        self.assertEqual((told["reason"], told["serial"], told["step"]), ("revoked", "4A", "revoked (RFC 5280, 6)"))

    def test_filters_and_forms(self):
        log = ("2026 info mg: started\n" + f"{HEAD}auth=revoked depth=0 alert=certificate_revoked{TAIL}\n" +
               "2026 info  relay: tls up peer=192.0.2.9:1 side=server domain=d version=TLS1.3 suite=x resumed=no auth=ca "
               "subject=\"CN=p\"\n" + f"Nov 21 host gatehouse-mg[1]: {HEAD}auth=expired depth=0 alert=certificate_expired{TAIL}\n")
        self.assertEqual([t["reason"] for t in json.loads(self.tool("--json", "-", given=log))], ["revoked", "expired"])
        self.assertEqual([t["reason"] for t in json.loads(self.tool("--json", "--last", given=log))], ["expired"])
        self.assertIn("renew CN=p", self.tool(f"{HEAD}auth=expired depth=0 alert=certificate_expired{TAIL}"))
        self.tool(given="nothing\n", status=1)
        self.tool("/nowhere/at/all", status=2)
        self.tool("--what", status=2)

    def test_cut_lines(self):
        line = f"{HEAD}auth=revoked depth=0 alert=certificate_revoked{TAIL}"
        for end in range(len(line)):
            done = harness.subprocess.run([harness.TOOL, "explain", "--json"], input=line[:end] + "\n", text=True,
                                          capture_output=True, check=False) if end % 7 == 0 else None
            self.assertIn(done.returncode if done else 0, (0, 1))


if __name__ == "__main__":
    unittest.main()
