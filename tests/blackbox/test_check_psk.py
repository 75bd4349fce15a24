#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse check with an external pre-shared key of TLS 1.3 against servers of others: taken with psk_dhe_ke, refused with another key,
an unknown name, psk_ke alone and early_data."""
import os
import subprocess
import unittest

from harness import HAVE_GNUTLS, NO_GNUTLS, free_port
from servers import Servers

KEY = "00112233445566778899aabbccddeeff"
H = "ts33328-annex-h"


class Keyed(Servers):
    def look(self, port, *more):
        with open(self.pki.path("psk"), "w", encoding="ascii") as file:
            file.write(f"alice:{KEY}\n")
        report, _ = self.check(port, H, "--psk-file", self.pki.path("psk"), *more)
        found = {v["rule"]["item"] if v["rule"] else v["topic"]: v["found"] for v in report["reports"][0]["verdicts"]}
        return report, found

    def s_server(self, *more):
        port = free_port()
        return self.start("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", *more, port=port, stdin=subprocess.PIPE)

    def taken(self, report, *without):
        passed = [("H1", "psk"), ("H5b", "psk-dhe-only"), ("psk-binder", ""), ("early-data", "")]
        for finding in passed:
            (self.assertNotIn if finding in without else self.assertIn)(finding, self.findings(report, "pass"))
        self.assertIn(("H6", "pre_shared_key"), self.findings(report, "note"))


class OpenSSL(Keyed):
    def test_the_key_alone(self):
        """No other hello of TLS 1.3 is answered: that it has the version shows by the key."""
        report, found = self.look(self.s_server("-nocert", "-tls1_3", "-psk_identity", "alice", "-psk", KEY))
        self.taken(report)
        self.assertEqual(report["versions"], "TLS1.3")
        self.assertIn(("H5", "TLS1.3"), self.findings(report, "note"))
        self.assertIn("pre-shared key: taken", found["TLS1.3"])
        self.assertIn("alert", found["psk-binder"])
        self.assertIn("alert", found["unknown-identity-alert"])

    def test_beside_a_certificate(self):
        report, found = self.look(self.s_server("-cert", "rsa.pem", "-key", "rsa.key", "-tls1_3", "-psk_identity", "alice", "-psk", KEY))
        self.taken(report)
        self.assertIn("pre-shared key: taken", found["psk-of-tls13"])

    def test_without_forward_secrecy(self):
        """Misconfigured: psk_ke is taken."""
        report, found = self.look(self.s_server("-nocert", "-tls1_3", "-psk_identity", "alice", "-psk", KEY, "-allow_no_dhe_kex"))
        self.taken(report, ("H5b", "psk-dhe-only"))
        self.assertIn(("H5b", "psk-dhe-only"), self.findings(report, "FAIL"))
        self.assertIn("with psk_ke alone: taken", found["psk-dhe-only"])

    def test_another_group(self):
        """A server of P-521 alone asks for another key_share than the first."""
        report, _ = self.look(self.s_server("-nocert", "-tls1_3", "-psk_identity", "alice", "-psk", KEY, "-groups", "P-521"))
        self.taken(report)

    def test_another_key(self):
        """Nothing is said of the rest where the key is not the server's."""
        report, found = self.look(self.s_server("-nocert", "-tls1_3", "-psk_identity", "alice", "-psk", KEY[::-1]))
        self.assertIn("alert", found["psk-of-tls13"])
        self.assertIn(("H5b", "psk-dhe-only"), self.findings(report, "not testable"))
        self.assertNotIn(("psk-binder", ""), self.findings(report, "pass", "FAIL"))

    def test_a_server_of_certificates(self):
        report, found = self.look(self.s_server("-cert", "rsa.pem", "-key", "rsa.key", "-tls1_3"))
        self.assertIn("passed over: a session by certificate", found["psk-of-tls13"])
        self.assertIn(("H5b", "psk-dhe-only"), self.findings(report, "not testable"))

    def test_early_data(self):
        """Misconfigured: its tickets take data that may come twice."""
        report, found = self.look(self.s_server("-cert", "rsa.pem", "-key", "rsa.key", "-tls1_3", "-early_data"))
        self.assertIn(("early-data", ""), self.findings(report, "warn"))
        self.assertIn("its tickets", found["early-data"])


@unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
class GnuTLS(Keyed):
    def serve(self, *kinds):
        port = free_port()
        with open(self.pki.path("keys"), "w", encoding="ascii") as file:
            file.write(f"alice:{KEY}\n")
        return self.start("gnutls-serv", "--port", str(port), "--pskpasswd", os.path.join(self.folder, "keys"), "--priority",
                          "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL" + "".join(f":+{k}" for k in kinds), port=port, stdin=subprocess.PIPE)

    def test_good(self):
        report, _ = self.look(self.serve("ECDHE-PSK", "DHE-PSK"))
        self.taken(report)

    def test_without_forward_secrecy(self):
        report, _ = self.look(self.serve("ECDHE-PSK", "PSK"))
        self.taken(report, ("H5b", "psk-dhe-only"))
        self.assertIn(("H5b", "psk-dhe-only"), self.findings(report, "FAIL"))


if __name__ == "__main__":
    unittest.main()
