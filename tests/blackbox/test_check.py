#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse check against servers of others that are set up well or badly on purpose: each gives the findings
expected, by rule and item, and no other."""
import base64
import contextlib
import html.parser
import json
import os
import socket
import subprocess
import threading
import unittest
import xml.etree.ElementTree

from harness import HAVE_GNUTLS, NO_GNUTLS, PATIENCE, TOOL, free_port, listens, until
from servers import ECDHE, GOOD, REL17, TLS13, Fake, Servers

# the prime of RFC 2409, 6.2: 1024 bits
OAKLEY_2 = bytes.fromhex(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF")


class OpenSSL(Servers):
    def good(self, *more, suites=GOOD, **kinds):
        return self.s_server("-cipher", suites, "-ciphersuites", TLS13, "-serverpref", *more, **kinds)

    def test_good(self):
        """A server as the profile wants it: nothing to say; and each verdict has words, clause and release."""
        report = self.expect(self.good(), REL17, [], [])
        self.assertTrue(report["conforms"])
        self.assertEqual(report["versions"], "TLS1.2, TLS1.3")
        for verdict in report["reports"][0]["verdicts"]:
            self.assertTrue(verdict["found"])
            if verdict["rule"]:
                self.assertTrue(verdict["rule"]["document"] and verdict["rule"]["clause"] and verdict["rule"]["release"])

    def test_old_versions(self):
        port = self.good("-min_protocol", "TLSv1", suites=GOOD + ":AES128-SHA:@SECLEVEL=0")
        report = self.expect(port, REL17, [("N1", "TLS1.0"), ("N1", "TLS1.1"), ("N10b", "class non-aead"),
                                           ("N10b", "class non-pfs"), ("N10f", "class sha1")])
        seen = [v["seen"] for v in report["reports"][0]["verdicts"] if v["state"] == "FAIL" and v["rule"]["item"] == "TLS1.0"]
        self.assertTrue(seen[0].startswith("16 03 01 "), seen)

    def test_the_mandatory_suite_is_missing(self):
        self.expect(self.good(suites=ECDHE), REL17, [("N10", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")])

    def test_null_and_anonymous(self):
        port = self.good("-max_protocol", "TLSv1.2", suites="AES128-SHA:NULL-SHA:ADH-AES128-SHA:@SECLEVEL=0", certs=("rsa",))
        report = self.expect(port, "ts33310-annex-e", [("E4c", "class anon"), ("P1", "dh-bits")])
        noted = self.findings(report, "note")
        self.assertIn(("E11", "TLS_RSA_WITH_NULL_SHA"), noted)

    def test_precedence(self):
        """The client's order, where the profile has one of its own."""
        port = self.s_server("-cipher", GOOD, "-ciphersuites", TLS13)
        report = self.expect(port, REL17, [], [("precedence", "")])
        self.assertIn("(TS 33.210 6.2, Rel-17)", [v["found"] for v in report["reports"][0]["verdicts"] if v["state"] == "warn"][0])

    def test_a_name_with_several_addresses(self):
        """localhost may be ::1 first, where nobody listens; the name goes into server_name."""
        port = self.good("-servername", "localhost", "-cert2", "rsa.pem", "-key2", "rsa.key", certs=("rsa",))
        done = self.run_tool(f"localhost:{port}", "--profile", REL17, "--json", "--quiet", "--timeout", str(int(PATIENCE)))
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0, self.findings(report, "FAIL", "not tested"))
        self.assertIn(("N8", "server_name"), self.findings(report, "pass"))

    def test_one_key_only(self):
        """What would need another kind of certificate is not held against it."""
        report = self.expect(self.good(certs=("ec",)), REL17, [])
        self.assertIn(("N10", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"), self.findings(report, "not testable"))

    def test_short_group(self):
        body = b"\x02\x81\x81\x00" + OAKLEY_2 + b"\x02\x01\x02"
        with open(self.pki.path("dh1024.pem"), "w", encoding="ascii") as file:
            file.write("-----BEGIN DH PARAMETERS-----\n" +
                       base64.encodebytes(b"\x30\x81" + bytes([len(body)]) + body).decode() + "-----END DH PARAMETERS-----\n")
        port = self.good("-dhparam", "dh1024.pem", "-max_protocol", "TLSv1.2", suites=GOOD + ":@SECLEVEL=0")
        report, status = self.check(port, REL17)
        self.assertEqual(status, 1)
        self.assertIn(("N10d", "dh-bits"), self.findings(report, "FAIL"))

    def test_bad_certificate(self):
        self.pki.tool("req", "-x509", "-newkey", "rsa:1024", "-sha1", "-nodes", "-days", "3000", "-keyout", "weak.key",
                      "-out", "weak.pem", "-subj", "/CN=weak")
        port = self.good(suites=GOOD + ":@SECLEVEL=0", certs=("weak",))
        report, status = self.check(port, "cert-ts33310")
        self.assertEqual(status, 1)
        failed = {item for _, item in self.findings(report, "FAIL")}
        self.assertIn("sha-1", failed)
        # behind a good one of another kind it is found, too
        behind, status = self.check(self.good(suites=GOOD + ":@SECLEVEL=0", certs=("ec", "weak")), "cert-ts33310")
        self.assertEqual(status, 1)
        self.assertIn("sha-1", {item for _, item in self.findings(behind, "FAIL")})
        hidden, _ = self.check(self.good("-tls1_3", suites=GOOD + ":@SECLEVEL=0", certs=("weak",)), "cert-ts33310")
        self.assertEqual(self.findings(hidden, "FAIL", "warn"), self.findings(report, "FAIL", "warn"))
        lint = subprocess.run([TOOL, "pki", "lint", "--json", "--role", "server", os.path.join(self.folder, "weak.pem")],
                              capture_output=True, text=True, check=False, timeout=60)
        wanted = {(f["rule"], f["item"], f["fails"]) for one in json.loads(lint.stdout) for f in one["findings"]}
        found = {(v["rule"]["id"], v["rule"]["item"], v["state"] == "FAIL") for v in report["reports"][0]["verdicts"]
                 if v["state"] in ("FAIL", "warn")}
        self.assertEqual(found, wanted)


class Sessions(Servers):
    """What only an established session shows."""

    def test_insecure_renegotiation(self):
        """A server that lets a client without RFC 5746 renegotiate (CVE-2009-3555)."""
        port = self.s_server("-tls1_2", "-serverpref", "-cipher", "AES128-SHA:AES256-SHA", "-legacy_renegotiation", "-client_renegotiation",
                             certs=("rsa",))
        self.expect(port, "ts33310-annex-e-rel12", [("E3", "TLS1.1"), ("E8a", "client-initiated-insecure")])

    def test_secured_renegotiation(self):
        port = self.s_server("-tls1_2", "-cipher", "AES256-SHA:AES128-SHA", "-client_renegotiation", certs=("rsa",))
        report, _ = self.check(port, "ts33310-annex-e-rel12")
        found = {v["rule"]["item"]: v["found"] for v in report["reports"][0]["verdicts"] if v["rule"]}
        self.assertIn("came through", found["client-initiated"])
        self.assertIn("alert", found["client-initiated-insecure"])

    def test_renegotiation_refused(self):
        report, _ = self.check(self.s_server("-tls1_2", "-cipher", "AES128-SHA", certs=("rsa",)), "ts33310-annex-e-rel12")
        found = {v["rule"]["item"]: v["found"] for v in report["reports"][0]["verdicts"] if v["rule"]}
        self.assertIn("no_renegotiation", found["client-initiated"])

    def test_resumption(self):
        for more, warns in ((("-no_ticket",), [("E7a", "tickets-preferred")]),
                            (("-no_ticket", "-no_cache"), [("E7", "any"), ("E7a", "tickets-preferred")]), ((), [])):
            port = self.s_server("-tls1_2", "-cipher", "AES128-SHA:AES128-SHA256", *more, certs=("rsa",))
            report, _ = self.check(port, "ts33310-annex-e-rel12")
            self.assertEqual([f for f in self.findings(report, "warn") if f[0] != "precedence"], warns, more)

    def test_every_exchange_and_mode(self):
        """Sessions come up with each kind of suite that the checker claims, in each version."""
        for suites, more in (("AES128-SHA", ("-tls1",)), ("DHE-RSA-AES256-SHA", ("-tls1_1",)), ("DHE-RSA-AES128-SHA256", ()),
                             ("ECDHE-RSA-AES256-SHA384", ()), ("ECDHE-ECDSA-AES256-GCM-SHA384", ()), ("AES128-GCM-SHA256", ()),
                             ("ECDHE-RSA-AES128-GCM-SHA256", ("-groups", "X25519")),
                             ("ECDHE-RSA-AES128-GCM-SHA256", ("-groups", "P-521"))):
            port = self.s_server("-cipher", suites + ":@SECLEVEL=0", *(more or ("-tls1_2",)))
            report, _ = self.check(port, "ts33310-annex-e-rel12")
            passed = self.findings(report, "pass")
            self.assertIn(("E7", "any"), passed, suites)

    def test_tls13_alone(self):
        """What TLS 1.3 encrypts: the certificate, and tickets."""
        for more in ((), ("-groups", "P-256"), ("-groups", "P-384", "-ciphersuites", "TLS_AES_256_GCM_SHA384"), ("-groups", "P-521")):
            port = self.s_server("-tls1_3", *more, certs=("rsa",))
            report, _ = self.check(port, f"{REL17},cert-ts33310")
            passed = self.findings(report, "pass")
            self.assertIn(("N10l", "any"), passed, more)
            self.assertIn(("N10n", "maximum"), passed, more)
            self.assertEqual(report["reports"][1]["fail"], 0)
            self.assertGreater(report["reports"][1]["pass"], 10)
        report, _ = self.check(self.s_server("-tls1_3", "-num_tickets", "0", certs=("rsa",)), REL17)
        self.assertIn(("N10l", "any"), self.findings(report, "warn"))

    def test_tls13_asks_for_a_certificate(self):
        report, _ = self.check(self.s_server("-tls1_3", "-verify", "1", certs=("rsa",)), "ts33203-annex-o-rel17")
        self.assertIn(("O6a", "client-certificate"), self.findings(report, "FAIL"))
        report, _ = self.check(self.s_server("-tls1_3", certs=("rsa",)), "ts33203-annex-o-rel17")
        self.assertIn(("O6a", "client-certificate"), self.findings(report, "pass"))

    def test_pre_shared_key(self):
        key = os.path.join(self.folder, "psk")
        with open(key, "w", encoding="ascii") as file:
            file.write("alice:00112233445566778899aabbccddeeff\n")
        for suite in ("PSK-AES128-CBC-SHA", "ECDHE-PSK-AES128-CBC-SHA256", "DHE-PSK-AES128-GCM-SHA256"):
            port = free_port()
            self.start("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", "-nocert", "-tls1_2", "-psk_identity",
                       "alice", "-psk", "00112233445566778899aabbccddeeff", "-cipher", suite, port=port, stdin=subprocess.PIPE)
            report, _ = self.check(port, "ts33328-annex-h", "--psk-file", key)
            passed = self.findings(report, "pass")
            self.assertIn(("E7", "any"), passed, suite)
            self.assertIn(("H1", "psk"), passed)
            found = {v["rule"]["item"]: v["found"] for v in report["reports"][0]["verdicts"] if v["rule"]}
            self.assertIn("alert", found["unknown-identity-alert"])

    def test_keys_stay_off_the_command_line(self):
        done = self.run_tool("127.0.0.1:1", "--profile", REL17, "--quiet", "--unsafe-psk", "a:00ff")
        self.assertEqual(done.returncode, 2)
        self.assertIn("everybody", done.stderr)
        for text in ("", "alice", "alice:", ":00", "alice:0", "alice:xy"):
            with open(os.path.join(self.folder, "bad"), "w", encoding="ascii") as file:
                file.write(text)
            done = self.run_tool("127.0.0.1:1", "--profile", REL17, "--psk-file", os.path.join(self.folder, "bad"))
            self.assertEqual(done.returncode, 2, text)
            self.assertIn("IDENTITY:HEX", done.stderr)


@unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
class GnuTLS(Servers):
    def serve(self, priority, *names):
        port = free_port()
        keys = [w for n in names for w in ("--x509certfile", f"{n}.pem", "--x509keyfile", f"{n}.key")]
        return self.start("gnutls-serv", "--port", str(port), "--priority", priority, "--disable-client-cert",
                          *keys, port=port, stdin=subprocess.PIPE)

    def test_3des(self):
        """What OpenSSL of today cannot be made to do; and the mandatory suites of the IMS access profile."""
        port = self.serve("NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:+3DES-CBC"
                          ":+AES-128-CBC:%COMPAT:%SERVER_PRECEDENCE", "rsa")
        self.expect(port, "ts33203-annex-o", [], [("precedence", "")])

    def test_rc4(self):
        port = self.serve("NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:+AES-128-CBC"
                          ":+ARCFOUR-128:+3DES-CBC:%SERVER_PRECEDENCE", "rsa")
        self.expect(port, "ts33203-annex-o", [], [("O2c", "class rc4")])

    def test_asks_for_a_certificate(self):
        port = free_port()
        self.start("gnutls-serv", "--port", str(port), "--x509certfile", "rsa.pem", "--x509keyfile", "rsa.key", "--priority",
                   "NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:-KX-ALL:+RSA:+3DES-CBC", port=port,
                   stdin=subprocess.PIPE)
        report, _ = self.check(port, "ts33203-annex-o")
        self.assertEqual(self.findings(report, "FAIL"), [("O6a", "client-certificate")])

    def test_no_extended_master_secret(self):
        port = self.serve("NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:+DHE-RSA:-CIPHER-ALL"
                          ":+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1"
                          ":%SERVER_PRECEDENCE:%NO_SESSION_HASH", "rsa", "ec")
        self.expect(port, REL17, [("N10g", "extended_master_secret")])

    def test_no_rfc5746(self):
        port = self.serve("NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION", "rsa")
        report, _ = self.check(port, "ts33310-annex-e-rel12")
        self.assertIn(("E8", "renegotiation-info"), self.findings(report, "warn"))


class Reports(Servers):
    def test_html_and_junit(self):
        port = self.s_server("-tls1_2", "-cipher", "AES128-SHA")
        page, suite = os.path.join(self.folder, "r.html"), os.path.join(self.folder, "r.xml")
        report, _ = self.check(port, f"{REL17},cert-ts33310", "--html", page, "--junit", suite)
        root = xml.etree.ElementTree.parse(suite).getroot()
        self.assertEqual([s.get("name") for s in root], [REL17, "cert-ts33310"])
        for one, ours in zip(root, report["reports"]):
            self.assertEqual(len(one), len(ours["verdicts"]))
            self.assertEqual(len(one.findall("testcase/failure")), ours["fail"])
            self.assertEqual(int(one.get("failures")), ours["fail"])
        with open(page, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(text.count("<tr><td>"), sum(len(r["verdicts"]) for r in report["reports"]))
        self.assertIn("does not conform", text)
        html.parser.HTMLParser().feed(text)

    def test_a_file_that_cannot_be_written(self):
        port = self.s_server("-tls1_2", "-cipher", "AES128-SHA")
        done = self.run_tool(f"127.0.0.1:{port}", "--profile", REL17, "--quiet", "--html", "/nonexistent/r.html")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nonexistent/r.html", done.stderr)


class Words(Servers):
    """What is said before TLS; the rest is s_server's."""

    STYLES = {
        "smtp": ((None, b"220-mail\r\n220 ready\r\n"), (b"EHLO", b"250-mail\r\n250 STARTTLS\r\n"), (b"STARTTLS", b"220 go\r\n")),
        "imap": ((None, b"* OK ready\r\n"), (b"a STARTTLS", b"a OK go\r\n")),
        "pop3": ((None, b"+OK ready\r\n"), (b"STLS", b"+OK go\r\n")),
        "ftp": ((None, b"220 ready\r\n"), (b"AUTH TLS", b"234 go\r\n")),
        "ldap": ((b"\x30\x1d\x02\x01\x01\x77", bytes.fromhex("300c02010178070a010004000400")),),
    }

    def front(self, steps, behind):
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen(64)

        def copy(a, b):
            with contextlib.suppress(OSError):
                while data := a.recv(65536):
                    b.sendall(data)
            with contextlib.suppress(OSError):
                b.shutdown(socket.SHUT_WR)

        def talk(conn):
            with contextlib.suppress(OSError), conn, socket.create_connection(("127.0.0.1", behind)) as server:
                for wanted, answer in steps:
                    if wanted and not conn.recv(4096).startswith(wanted):
                        return
                    conn.sendall(answer)
                back = threading.Thread(target=copy, args=(server, conn), daemon=True)
                back.start()
                copy(conn, server)
                back.join(PATIENCE)

        def loop():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=talk, args=(sock.accept()[0],), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()

        def end():
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

        self.addCleanup(end)
        return sock.getsockname()[1]

    def test_each_style(self):
        behind = self.s_server("-cipher", GOOD, "-ciphersuites", TLS13, "-serverpref")
        for style, steps in self.STYLES.items():
            report, status = self.check(self.front(steps, behind), REL17, "--starttls", style, "--parallel", "1")
            self.assertEqual((status, report["versions"]), (0, "TLS1.2, TLS1.3"), style)

    def test_refused(self):
        steps = ((None, b"220 ready\r\n"), (b"EHLO", b"250 mail\r\n"), (b"STARTTLS", b"502 not here\r\n"))
        port = self.front(steps, self.s_server())
        done = self.run_tool(f"127.0.0.1:{port}", "--profile", REL17, "--quiet", "--starttls", "smtp", "--timeout", str(int(PATIENCE)))
        self.assertEqual(done.returncode, 2)
        self.assertIn("does not speak TLS", done.stderr)


class Clients(Servers):
    """The other side: a client is waited for, and comes until the checker has done."""

    def visit(self, profiles, *client, more=()):
        port = free_port()
        tool = subprocess.Popen([TOOL, "check", f"127.0.0.1:{port}", "--role", "client", "--profile", profiles, "--json", "--quiet",
                                 "--timeout", str(int(PATIENCE)), "--wait", str(int(PATIENCE)), *more],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(tool.stdout.close)
        self.addCleanup(tool.stderr.close)
        until(lambda: listens(port) or tool.poll() is not None, "the checker does not listen")
        reader = []
        thread = threading.Thread(target=lambda: reader.extend((tool.stdout.read(), tool.stderr.read())))
        thread.start()
        while tool.poll() is None:
            if callable(client[0]):
                client[0](port)
            else:
                subprocess.run([w.replace("PORT", str(port)) for w in client], stdin=subprocess.DEVNULL, capture_output=True,
                               check=False, timeout=60)
        thread.join(PATIENCE)
        self.assertTrue(reader[0], reader[1])
        return json.loads(reader[0]), tool.returncode

    def test_s_client(self):
        report, status = self.visit(REL17, "openssl", "s_client", "-connect", "127.0.0.1:PORT", "-servername", "a.example",
                                    "-verify_return_error", "-ciphersuites", TLS13, "-cipher", GOOD, "-status",
                                    "-min_protocol", "TLSv1.2")
        self.assertEqual((self.findings(report, "FAIL"), status), ([], 0))
        passed = self.findings(report, "pass")
        for finding in (("unoffered-compression", ""), ("unoffered-suite", ""), ("N2", "TLS1.3"), ("N8", "server_name")):
            self.assertIn(finding, passed)

    def test_an_old_client(self):
        """Without a list of versions it is answered with each lower one: it takes what it should not."""
        report, status = self.visit("ts33310-annex-e-rel12", "openssl", "s_client", "-connect", "127.0.0.1:PORT", "-max_protocol",
                                    "TLSv1.2", "-min_protocol", "TLSv1", "-cipher", "AES128-SHA:@SECLEVEL=0", "-verify_return_error")
        self.assertEqual(status, 1)
        self.assertEqual(self.findings(report, "FAIL"), [("E12", "TLS1.0")])
        self.assertIn(("E3", "TLS1.1"), self.findings(report, "pass"))
        self.assertIn(("E2", "SSL3.0"), self.findings(report, "pass"))

    def test_alert_for_a_stranger(self):
        report, _ = self.visit("ts33203-annex-o", "openssl", "s_client", "-connect", "127.0.0.1:PORT", "-verify_return_error")
        self.assertIn(("O11", "alert"), self.findings(report, "pass"))
        self.assertIn(("O3b", "offer-an-encrypting-suite"), self.findings(report, "pass"))

    @unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
    def test_gnutls_cli(self):
        report, status = self.visit("ts33203-annex-o", "gnutls-cli", "-p", "PORT", "127.0.0.1", "--priority",
                                    "NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:+3DES-CBC:+RSA")
        self.assertEqual((self.findings(report, "FAIL"), status), ([], 0))

    def test_a_client_that_takes_anything(self):
        """RC4 alone, DEFLATE, no RFC 5746; whatever it is told it goes on; a stranger it leaves without a word."""
        hello = b"\x01\x00\x00\x2e\x03\x01" + b"r" * 32 + bytes.fromhex("00 0006 0005 0004 002f 02 0100".replace(" ", ""))
        hello = hello[:3] + bytes([len(hello) - 4]) + hello[4:]
        key = bytes.fromhex("160301000610000002abcd")
        visits = []

        def client(port):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as conn:
                conn.sendall(b"\x16\x03\x01\x00" + bytes([len(hello)]) + hello)
                conn.recv(65536)
                visits.append(1)
                if len(visits) > 1:
                    conn.sendall(key)

        report, status = self.visit("ts33203-annex-o", client)
        failed = self.findings(report, "FAIL")
        for finding in (("O5", "any"), ("O11", "alert"), ("unoffered-suite", "")):
            self.assertIn(finding, failed)
        self.assertIn(("O2c", "class rc4"), self.findings(report, "warn"))
        self.assertEqual(status, 1)

    def test_nobody_comes(self):
        done = self.run_tool(f"127.0.0.1:{free_port()}", "--role", "client", "--profile", REL17, "--quiet", "--wait", "1")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("nobody came", done.stderr)


class Refused(Servers):
    """No verdict where nothing could be looked at."""

    def test_nobody_there(self):
        done = self.run_tool(f"127.0.0.1:{free_port()}", "--profile", REL17, "--quiet")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("cannot be reached", done.stderr)

    def test_no_tls(self):
        fake = Fake(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.addCleanup(fake.close)
        done = self.run_tool(f"127.0.0.1:{fake.port}", "--profile", REL17, "--quiet", "--timeout", str(int(PATIENCE)))
        self.assertEqual(done.returncode, 2)
        self.assertIn("does not speak TLS", done.stderr)

    def test_silence(self):
        fake = Fake(b"", hold=True)
        self.addCleanup(fake.close)
        done = self.run_tool(f"127.0.0.1:{fake.port}", "--profile", REL17, "--quiet", "--timeout", "1", "--parallel", "8")
        self.assertEqual(done.returncode, 2)
        self.assertIn("does not answer in time", done.stderr)

    def test_dripping(self):
        """An octet now and then is no end of waiting: a connection has its own, and after twelve of them nothing is asked."""
        gone = threading.Event()
        self.addCleanup(gone.set)

        class Drip(Fake):
            def serve(self, conn):
                with contextlib.suppress(OSError):
                    for octet in b"\x16\x03\x03\x3f\xff" + bytes(16383):
                        conn.sendall(bytes([octet]))
                        if gone.wait(0.2):
                            return

        fake = Drip(b"", threads=True)
        self.addCleanup(fake.close)
        done = self.run_tool(f"127.0.0.1:{fake.port}", "--profile", REL17, "--quiet", "--timeout", "1", "--parallel", "8")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("does not answer in time", done.stderr)

    def test_nothing_to_judge(self):
        """A certificate that nobody saw does not conform."""
        port = free_port()
        self.start("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", "-nocert", "-tls1_2", "-psk_identity", "a",
                   "-psk", "00112233445566778899aabbccddeeff", "-cipher", "PSK-AES128-CBC-SHA", port=port, stdin=subprocess.PIPE)
        report, status = self.check(port, "cert-ts33310")
        self.assertEqual(self.findings(report, "pass", "FAIL", "warn", "not tested"), [])
        self.assertEqual((report["conforms"], status), (False, 2))

    def test_nowhere_to_print(self):
        port = self.s_server("-tls1_2", "-cipher", "AES128-SHA")
        for more in ((), ("--json",)):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([TOOL, "check", f"127.0.0.1:{port}", "--profile", REL17, "--quiet", *more], stdout=full,
                                      stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("could not be written", done.stderr)

    def test_silence_upon_a_suite(self):
        """It answers who offers much and is silent to who offers one suite: that is no refusal, and there is an end to waiting."""
        body = b"\x03\x03" + b"r" * 32 + b"\0\x00\x2f\0"
        flight = b"\x02\0\0" + bytes([len(body)]) + body + b"\x0e\0\0\0"
        held = threading.Event()
        self.addCleanup(held.set)

        def answer(hello):
            if hello[9:11] != b"\x03\x03" or b"\x00\x2b\x00\x03\x02\x03\x04" in hello or len(hello) < 100:
                return bytes.fromhex("15030100020246")
            at = 5 + 4 + 2 + 32
            at += 1 + hello[at]
            if hello[at:at + 2] == b"\x00\x02":
                held.wait()
                return b""
            return b"\x16\x03\x03" + len(flight).to_bytes(2, "big") + flight

        fake = Fake(answer, threads=True)
        self.addCleanup(fake.close)
        report, status = self.check_patiently(lambda r: self.findings(r, "FAIL") == [("E3", "TLS1.1")], 1, fake.port, "ts33310-annex-e",
                                              "--parallel", "8")
        self.assertIn(("E4", "TLS_RSA_WITH_AES_128_CBC_SHA"), self.findings(report, "not tested"))
        self.assertIn(("E5", "class rc4"), self.findings(report, "not tested"))
        self.assertEqual((self.findings(report, "FAIL"), status), ([("E3", "TLS1.1")], 1))
        self.assertLess(report["connections"], 60)

    def test_no_more_connections_than_allowed(self):
        report, status = self.check(self.s_server("-tls1_2"), "ts33310-annex-e", "--connections", "20")
        self.assertNotEqual(self.findings(report, "not tested"), [])
        self.assertNotEqual(status, 0)
        self.assertEqual(report["connections"], 20)

    def test_ssl2_and_ssl3(self):
        """No library speaks them any more: a server that says yes to either, by octets."""
        hello3 = bytes.fromhex("0200002603 00".replace(" ", "")) + b"r" * 32 + b"\0\x00\x0a\0" + bytes.fromhex("0e000000")

        def answer(hello):
            if hello[:1] == b"\x80":
                return bytes.fromhex("8021040001 0002 0003 0003 0010".replace(" ", "")) + bytes(22)
            if hello[9:11] == b"\x03\x00":
                return b"\x16\x03\x00" + len(hello3).to_bytes(2, "big") + hello3
            return bytes.fromhex("15030100020246")

        fake = Fake(answer)
        self.addCleanup(fake.close)
        report, status = self.check(fake.port, "ts33310-annex-e")
        self.assertEqual(status, 1)
        failed = self.findings(report, "FAIL")
        self.assertIn(("E2", "SSL3.0"), failed)
        self.assertIn(("E2a", "SSL2.0"), failed)

    def test_wrong_words(self):
        for words in ((), ("127.0.0.1:1",), ("127.0.0.1", "--profile", REL17), ("127.0.0.1:1", "--profile", "nosuch"),
                      ("127.0.0.1:1", "--profile", REL17, "--timeout", "0"), ("127.0.0.1:1", "--profile", REL17, "more"),
                      ("127.0.0.1:1", "--profile", REL17, "--starttls", "gopher")):
            done = self.run_tool(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertTrue(done.stderr)


if __name__ == "__main__":
    unittest.main()
