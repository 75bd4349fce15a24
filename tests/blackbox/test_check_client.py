#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse check --role client with a key for sessions: clients of others, set up well or badly on purpose, each with the findings
expected and no other."""
import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import unittest

from harness import BUILD, HAVE_GNUTLS, NO_GNUTLS, PATIENCE, TOOL, free_port, listens, until
from servers import GOOD, REL17, TLS13, Servers

O = "ts33203-annex-o"
TSTCLNT, CERTUTIL = (shutil.which(name) for name in ("tstclnt", "certutil"))
CURL = shutil.which("curl")
OURS = os.path.join(BUILD, "tests", "interop", "interop_ours")


class Visits(Servers):
    """A client comes until the checker has done."""

    CERT = "rsa"

    def look(self, profiles, client, *more, timeout=PATIENCE):
        port = free_port()
        keys = ["--cert", self.pki.path(f"{self.CERT}.pem"), "--key", self.pki.path(f"{self.CERT}.key")] if self.CERT else []
        tool = subprocess.Popen([TOOL, "check", f"127.0.0.1:{port}", "--role", "client", "--profile", profiles, "--json", "--quiet",
                                 "--timeout", str(int(timeout)), "--wait", str(int(PATIENCE)), *keys, *more],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(tool.stdout.close)
        self.addCleanup(tool.stderr.close)
        self.addCleanup(tool.wait)
        self.addCleanup(tool.kill)
        until(lambda: listens(port) or tool.poll() is not None, "the checker does not listen")
        read = []
        thread = threading.Thread(target=lambda: read.extend((tool.stdout.read(), tool.stderr.read())))
        thread.start()
        while tool.poll() is None:
            client(port)
        thread.join(PATIENCE)
        self.assertTrue(read[0], read[1])
        return json.loads(read[0]), tool.returncode

    def program(self, *words, say=b"hello\n"):
        """A client that says something, and stays until the other side ends it."""
        def client(port):
            process = subprocess.Popen([w.replace("PORT", str(port)) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, cwd=self.folder)
            with contextlib.suppress(OSError):
                process.stdin.write(say)
                process.stdin.flush()
            out = process.stdout.read()  # its end is that of the process
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.stdout.close()
            process.wait(PATIENCE)
            self.said = out
        return client

    def s_client(self, *more):
        return self.program("openssl", "s_client", "-connect", "127.0.0.1:PORT", "-CAfile", "ca.pem", "-verify_return_error", *more)

    def texts(self, report):
        return {v["rule"]["item"] if v["rule"] else v["topic"]: v["found"] for r in report["reports"] for v in r["verdicts"]}


class Strangers(Visits):
    def test_a_port_scan_ends_nothing(self):
        """Who connects and goes, who says something else, who says nothing: the client comes after them."""
        calls = []

        def client(port):
            calls.append(port)
            if len(calls) > 4:
                self.s_client("-no_tls1_3")(port)
                return
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as conn:
                conn.sendall((b"", b"GET / HTTP/1.0\r\n\r\n", b"\x80\x2e\x01\x03\x01", bytes.fromhex("15030100020100"))[len(calls) - 1])
                if len(calls) == 2:
                    self.assertEqual(conn.recv(4096), b"")

        report, _ = self.look(O, client)
        self.assertEqual(self.findings(report, "FAIL"), [("O2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")])
        self.assertIn(("wrong-finished", ""), self.findings(report, "pass"))

    def test_it_never_stops(self):
        """Who sends without end is heard to an end."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.pki.path("ca.pem"))
        context.check_hostname = False
        context.maximum_version = ssl.TLSVersion.TLSv1_2

        def client(port):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain, \
                    context.wrap_socket(plain) as secured:
                while True:
                    secured.sendall(bytes(10000))

        report, _ = self.look(O, client)
        # which of the two depends on whether the octets or the time that it is heard end first
        self.assertIn(self.texts(report)["answer-hello-request"],
                      ("a HelloRequest: what it said to it is no ClientHello", "a HelloRequest: it takes no notice"))

    def test_nobody_but_strangers(self):
        port = free_port()
        tool = subprocess.Popen([TOOL, "check", f"127.0.0.1:{port}", "--role", "client", "--profile", O, "--quiet", "--wait", "2"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(tool.stderr.close)
        until(lambda: listens(port) or tool.poll() is not None, "the checker does not listen")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as conn:
            conn.sendall(b"GET / HTTP/1.0\r\n\r\n")
        self.assertIn("did not speak TLS", tool.stderr.read())
        self.assertEqual(tool.wait(PATIENCE), 2)


class OpenSSL(Visits):
    def test_good(self):
        """Nothing to say but what its hello lacks; it is asked, lured and resumed at every turn."""
        report, status = self.look("ts33310-annex-e-rel12", self.s_client("-no_tls1_3", "-min_protocol", "TLSv1.1", "-cipher",
                                                                          "ALL:!aNULL:@SECLEVEL=0"))
        self.assertEqual((self.findings(report, "FAIL"), self.findings(report, "not tested"), status), ([], [], 0))
        passed = self.findings(report, "pass")
        for finding in (("E8a", "client-initiated-insecure"), ("renegotiation-info-first", ""), ("renegotiation-info-again", ""),
                        ("wrong-finished", "")):
            self.assertIn(finding, passed)
        self.assertIn("extended_master_secret", self.texts(report)["session"])

    def test_answers_hello_request(self):
        report, _ = self.look(O, self.s_client("-no_tls1_3"))
        self.assertEqual(self.findings(report, "FAIL"), [("O2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")])
        self.assertIn(("O13", "answer-hello-request"), self.findings(report, "pass"))
        self.assertIn("secured by RFC 5746", self.texts(report)["answer-hello-request"])

    def test_declines_hello_request(self):
        report, _ = self.look(O, self.s_client("-no_tls1_3", "-no_renegotiation"))
        self.assertIn(("O13", "answer-hello-request"), self.findings(report, "warn"))
        self.assertIn("no_renegotiation", self.texts(report)["answer-hello-request"])

    def test_insecure_renegotiation(self):
        report, status = self.look("ts33310-annex-e-rel12", self.s_client("-no_tls1_3", "-min_protocol", "TLSv1.1", "-cipher",
                                                                          "ALL:!aNULL:@SECLEVEL=0", "-legacy_renegotiation"))
        self.assertEqual((self.findings(report, "FAIL"), status), ([("E8a", "client-initiated-insecure")], 1))

    def test_begins_one_itself(self):
        report, _ = self.look(O, self.program("openssl", "s_client", "-connect", "127.0.0.1:PORT", "-CAfile", "ca.pem",
                                              "-verify_return_error", "-no_tls1_3", say=b"R\n"))
        self.assertIn("it began one, secured by RFC 5746", self.texts(report)["client-initiated"])
        self.assertIn(("O14", "client-initiated"), self.findings(report, "note"))

    def test_a_certificate_it_does_not_trust(self):
        """No session: what it would show is not tested, and it is said why."""
        report, status = self.look(O, self.program("openssl", "s_client", "-connect", "127.0.0.1:PORT", "-CAfile", "other.pem",
                                                   "-verify_return_error", "-no_tls1_3"))
        self.assertIn(("O13", "answer-hello-request"), self.findings(report, "not tested"))
        self.assertIn("unknown_ca", self.texts(report)["session"])
        self.assertEqual(status, 1)  # of 3DES

    def test_each_version(self):
        for version, words in (("TLS1.0", ("-tls1",)), ("TLS1.1", ("-tls1_1",)), ("TLS1.2", ("-tls1_2",))):
            report, _ = self.look(O, self.s_client(*words, "-cipher", "ALL:@SECLEVEL=0"))
            self.assertIn(f"a session of {version}", self.texts(report)["session"])
            self.assertIn(("wrong-finished", ""), self.findings(report, "pass"))

    def test_its_certificate(self):
        """It is held against its profile, as `pki lint` does, and has to be proved."""
        self.pki.tool("req", "-x509", "-newkey", "rsa:1024", "-sha1", "-nodes", "-days", "3000", "-keyout", "weak.key", "-out", "weak.pem",
                      "-subj", "/CN=weak")
        for name, bad in (("ec", set()), ("rsa", set()), ("weak", {"sha-1"})):
            report, _ = self.look("cert-ts33310", self.s_client("-no_tls1_3", "-cipher", "ALL:@SECLEVEL=0", "-cert", f"{name}.pem",
                                                                "-key", f"{name}.key"))
            self.assertLessEqual(bad, {item for _, item in self.findings(report, "FAIL")}, name)
            self.assertGreater(report["reports"][0]["pass"], 5)
            lint = subprocess.run([TOOL, "pki", "lint", "--json", "--role", "client", self.pki.path(f"{name}.pem")],
                                  capture_output=True, text=True, check=False, timeout=60)
            wanted = {(f["rule"], f["item"], f["fails"]) for one in json.loads(lint.stdout) for f in one["findings"]}
            found = {(v["rule"]["id"], v["rule"]["item"], v["state"] == "FAIL") for v in report["reports"][0]["verdicts"]
                     if v["state"] in ("FAIL", "warn")}
            self.assertEqual(found, wanted)

    def test_no_certificate(self):
        report, status = self.look("ts33328-annex-m,cert-ts33310", self.s_client("-no_tls1_3"))
        self.assertIn(("M6", "client-certificate"), self.findings(report, "FAIL"))
        self.assertIn("it has none to show", self.texts(report)["client-certificate"])
        self.assertEqual(report["reports"][1]["pass"], 0)
        self.assertEqual(status, 1)

    def test_an_ecdsa_server(self):
        self.CERT = "ec"
        report, _ = self.look(O, self.s_client("-no_tls1_3"))
        self.assertIn("TLS_ECDHE_ECDSA_", self.texts(report)["session"])


class PreShared(Visits):
    CERT = None

    def keyed(self, key):
        with open(self.pki.path("psk"), "w", encoding="ascii") as file:
            file.write("mg.example:00112233445566778899aabbccddeeff\n")
        return self.look("ts33328-annex-h", self.program("openssl", "s_client", "-connect", "127.0.0.1:PORT", "-psk_identity", "mg.example",
                                                         "-psk", key, "-no_tls1_3", "-cipher", "PSK+AES:@SECLEVEL=0", "-min_protocol", "TLSv1"),
                         "--psk-file", self.pki.path("psk"))

    def test_the_key(self):
        report, _ = self.keyed("00112233445566778899aabbccddeeff")
        self.assertIn("PSK", self.texts(report)["session"])
        self.assertIn(("H1", "psk"), self.findings(report, "pass"))
        self.assertIn(("wrong-finished", ""), self.findings(report, "pass"))
        self.assertEqual(self.findings(report, "not tested"), [])

    def test_another_key(self):
        report, _ = self.keyed("ffeeddccbbaa99887766554433221100")
        self.assertIn(("session", ""), self.findings(report, "not tested"))
        self.assertIn("no session", self.texts(report)["session"])


@unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
class GnuTLS(Visits):
    OLD = "NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:+3DES-CBC:+RSA"

    def gnutls(self, priority, *more):
        return self.program("gnutls-cli", "-p", "PORT", "127.0.0.1", "--priority", priority, "--x509cafile", "ca.pem", "--verify-hostname",
                            "rsa.home.example", *more)

    def test_good(self):
        report, status = self.look(O, self.gnutls(self.OLD))
        self.assertEqual((self.findings(report, "FAIL"), self.findings(report, "not tested"), status), ([], [], 0))
        passed = self.findings(report, "pass")
        for finding in (("O13", "answer-hello-request"), ("O14a", "client-initiated-insecure"), ("wrong-finished", ""),
                        ("renegotiation-info-first", ""), ("renegotiation-info-again", "")):
            self.assertIn(finding, passed)

    def test_insecure_renegotiation(self):
        report, status = self.look(O, self.gnutls(self.OLD + ":%UNSAFE_RENEGOTIATION"))
        self.assertEqual((self.findings(report, "FAIL"), status), ([("O14a", "client-initiated-insecure")], 1))

    def test_its_certificate(self):
        report, _ = self.look("ts33328-annex-m,cert-ts33310", self.gnutls(self.OLD, "--x509certfile", "ec.pem", "--x509keyfile", "ec.key"))
        self.assertIn(("M6", "client-certificate"), self.findings(report, "pass"))
        self.assertGreater(report["reports"][1]["pass"], 5)


class Python(Visits):
    """A client that stays, and keeps its session."""

    def client(self, tickets):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.pki.path("ca.pem"))
        context.check_hostname = False
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ALL:!aNULL:!eNULL")
        if not tickets:
            context.options |= ssl.OP_NO_TICKET
        kept = []

        def client(port):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain, \
                    context.wrap_socket(plain, session=kept[-1] if kept else None) as secured:
                secured.sendall(b"hello\n")
                with contextlib.suppress(OSError):
                    while secured.recv(4096):
                        pass
                with contextlib.suppress(ValueError):  # one that failed cannot be kept
                    kept.append(secured.session)
        return client

    def test_by_ticket(self):
        report, _ = self.look("ts33310-annex-e-rel12", self.client(True))
        self.assertIn("it offered its ticket, and it was taken up", self.texts(report)["tickets-preferred"])
        self.assertIn(("E7", "any"), self.findings(report, "pass"))

    def test_by_id(self):
        report, _ = self.look("ts33310-annex-e-rel12", self.client(False))
        passed = {v["rule"]["id"]: v["found"] for v in report["reports"][0]["verdicts"] if v["rule"] and v["state"] == "pass"}
        self.assertEqual(passed["E7"], "it offered its session id again, and it was taken up")
        self.assertIn(("E7a", "tickets-preferred"), self.findings(report, "warn"))


@unittest.skipUnless(TSTCLNT and CERTUTIL, "no tstclnt and certutil here (Debian: libnss3-tools)")
class NSS(Visits):
    def client(self, *more):
        db = "sql:" + self.pki.path("nss")
        if not os.path.exists(self.pki.path("nss")):
            os.mkdir(self.pki.path("nss"))
            for words in (("-N", "--empty-password"), ("-A", "-n", "ca", "-t", "C,,", "-a", "-i", self.pki.path("ca.pem"))):
                subprocess.run([CERTUTIL, "-d", db, *words], check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

        def client(port):
            """tstclnt stays though the other side has ended it: what stands between them ends it then."""
            with socket.create_server(("127.0.0.1", 0)) as between, contextlib.suppress(OSError), \
                    socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as there:
                process = subprocess.Popen([TSTCLNT, "-d", db, "-h", "127.0.0.1", "-p", str(between.getsockname()[1]), "-a",
                                            "rsa.home.example", "-V", "tls1.1:tls1.2", *more],
                                           stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                with contextlib.suppress(OSError):
                    process.stdin.write(b"hello\n")
                    process.stdin.flush()
                here, _ = between.accept()
                up = threading.Thread(target=self.copy, args=(here, there), daemon=True)
                up.start()
                self.copy(there, here)
                process.kill()
                process.wait(PATIENCE)
                process.stdin.close()
                here.close()
                up.join(PATIENCE)
        return client

    @staticmethod
    def copy(source, to):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)

    def test_good(self):
        report, status = self.look("ts33310-annex-e-rel12", self.client())
        self.assertEqual((self.findings(report, "FAIL"), self.findings(report, "not tested"), status), ([], [], 0))
        passed = self.findings(report, "pass")
        for finding in (("E8a", "client-initiated-insecure"), ("renegotiation-info-first", ""), ("wrong-finished", "")):
            self.assertIn(finding, passed)


class Later(Visits):
    """TLS 1.3: who has that alone is judged by it, and who has both by both."""

    SEEN = (("session-of-tls13", "note"), ("wrong-finished-of-tls13", "pass"), ("wrong-signature-of-tls13", "pass"))

    def expect(self, report, *fails):
        self.assertEqual(self.findings(report, "FAIL"), sorted(fails))
        self.assertEqual(self.findings(report, "not tested"), [])
        for topic, state in self.SEEN:
            self.assertIn((topic, ""), self.findings(report, state))

    def test_s_client(self):
        report, _ = self.look(REL17, self.s_client("-ciphersuites", TLS13, "-cipher", GOOD, "-status", "-min_protocol", "TLSv1.2"))
        self.expect(report)
        self.assertIn("a session of TLS1.2", self.texts(report)["session"])

    def test_s_client_of_tls13_alone(self):
        for name, words in (("rsa", ()), ("ec", ("-groups", "P-256")), ("rsa", ("-ciphersuites", "TLS_AES_256_GCM_SHA384", "-groups", "P-384"))):
            self.CERT = name
            report, _ = self.look(O + "-rel17", self.s_client("-tls1_3", *words))
            self.assertIn(("O11", "alert"), self.findings(report, "pass"), words)
            self.assertIn(("session-of-tls13", ""), self.findings(report, "note"), self.texts(report))
            self.assertIn(("wrong-finished-of-tls13", ""), self.findings(report, "pass"))
            self.assertEqual(self.texts(report)["answer-hello-request"], "TLS 1.3 has no renegotiation")

    def test_its_certificate(self):
        report, _ = self.look("ts33328-annex-m,cert-ts33310", self.s_client("-tls1_3", "-cert", "ec.pem", "-key", "ec.key"))
        self.assertIn(("M6", "client-certificate"), self.findings(report, "pass"))
        self.assertGreater(report["reports"][1]["pass"], 5)
        self.assertNotIn(("certificate-verify", ""), self.findings(report, "FAIL"))
        report, _ = self.look("ts33328-annex-m", self.s_client("-tls1_3"))
        self.assertIn(("M6", "client-certificate"), self.findings(report, "FAIL"))

    def test_it_does_not_trust(self):
        report, _ = self.look(REL17, self.program("openssl", "s_client", "-connect", "127.0.0.1:PORT", "-CAfile", "other.pem",
                                                  "-verify_return_error", "-tls1_3"))
        self.assertIn(("session-of-tls13", ""), self.findings(report, "not tested"))
        self.assertIn("unknown_ca", self.texts(report)["session-of-tls13"])

    def test_resumption_and_key_update(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.pki.path("ca.pem"))
        context.check_hostname = False
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        kept = []

        def client(port):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain, \
                    context.wrap_socket(plain, session=kept[-1] if kept else None) as secured:
                with contextlib.suppress(OSError):
                    while secured.recv(4096):
                        secured.sendall(b"\r\n")  # as a client of SIP answers
                if secured.session.has_ticket:
                    kept.append(secured.session)
                with contextlib.suppress(OSError):
                    secured.unwrap()  # or else the other side waits for our end

        report, _ = self.look(REL17, client)
        self.assertEqual(self.texts(report)["any"], "it offered its ticket of TLS 1.3, and it was taken up")
        self.assertIn(("key-update", ""), self.findings(report, "pass"))

    @unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
    def test_gnutls_cli(self):
        report, _ = self.look(O + "-rel17", self.program("gnutls-cli", "-p", "PORT", "127.0.0.1", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3",
                                                         "--x509cafile", "ca.pem", "--verify-hostname", "rsa.home.example"))
        self.assertIn(("O11", "alert"), self.findings(report, "pass"))
        for topic, state in self.SEEN:
            self.assertIn((topic, ""), self.findings(report, state))

    def test_external_key(self):
        """With the key that both have; another one shows by its binder."""
        with open(self.pki.path("psk"), "w", encoding="ascii") as file:
            file.write("mg.example:00112233445566778899aabbccddeeff\n")
        self.CERT = None
        clients = [("openssl", "s_client", "-connect", "127.0.0.1:PORT", "-psk_identity", "mg.example", "-tls1_3", "-psk")]
        if HAVE_GNUTLS:
            clients.append(("gnutls-cli", "-p", "PORT", "127.0.0.1", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK",
                            "--pskusername", "mg.example", "--pskkey"))
        for client in clients:
            report, _ = self.look("ts33328-annex-h", self.program(*client, "00112233445566778899aabbccddeeff"), "--psk-file",
                                  self.pki.path("psk"))
            self.assertIn("by the external pre-shared key", self.texts(report)["session-of-tls13"], client)
            self.assertIn(("wrong-finished-of-tls13", ""), self.findings(report, "pass"))
            self.assertIn(("H5b", "psk-dhe-only"), self.findings(report, "pass", "FAIL"))
            report, _ = self.look("ts33328-annex-h", self.program(*client, "ff112233445566778899aabbccddeeff"), "--psk-file",
                                  self.pki.path("psk"))
            self.assertIn("its binder is wrong", self.texts(report)["session-of-tls13"])


@unittest.skipUnless(os.path.exists(OURS), "the interop matrix's programs are not built")
class Ours(Visits):
    """Our own clients, both engines, by the interop matrix's program: one line for each connection."""

    def client(self, engine, version):
        process = subprocess.Popen([OURS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                   errors="replace")
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)

        def client(port):
            process.stdin.write(f"client version={version} way=RSA kind=full begins=0 go=0 conns=1 ca={self.pki.path('ca.pem')} "
                                f"name=rsa.home.example engine={engine} port={port}\n")
            process.stdin.flush()
            while (line := process.stdout.readline()).strip() != "end":
                self.assertTrue(line, "it ended")
        return client

    def test_each_engine(self):
        for engine in ("openssl", "gnutls"):
            report, _ = self.look("ts33310-annex-e-rel12", self.client(engine, "TLS1.2"))
            passed = self.findings(report, "pass")
            for finding in (("E8a", "client-initiated-insecure"), ("renegotiation-info-first", ""), ("wrong-finished", "")):
                self.assertIn(finding, passed, engine)
            report, _ = self.look(REL17, self.client(engine, "TLS1.3"))
            passed = self.findings(report, "pass")
            for finding in (("wrong-finished-of-tls13", ""), ("wrong-signature-of-tls13", "")):
                self.assertIn(finding, passed, engine)


@unittest.skipUnless(CURL, "no curl")
class Curl(Visits):
    def test_good(self):
        report, _ = self.look("ts33310-annex-e-rel12", self.program("curl", "-sS", "--cacert", "ca.pem", "--tlsv1.1", "--tls-max", "1.2", "--ciphers",
                                                                    "ALL:!aNULL:@SECLEVEL=0",
                                                                    "--resolve", "rsa.home.example:PORT:127.0.0.1",
                                                                    "https://rsa.home.example:PORT/"))
        self.assertEqual((self.findings(report, "FAIL"), self.findings(report, "not tested")), ([], []))
        self.assertIn(("wrong-finished", ""), self.findings(report, "pass"))


if __name__ == "__main__":
    unittest.main()
