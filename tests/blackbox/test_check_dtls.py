#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse check --dtls against servers of others over UDP: each gives the findings expected, by rule and item, and no
other; datagrams are lost; a server has no manners."""
import contextlib
import json
import os
import socket
import subprocess
import threading
import unittest

from harness import HAVE_GNUTLS, NO_GNUTLS, PATIENCE, free_port, until
from servers import GOOD, REL17, Servers

REL12 = "ts33310-annex-e-rel12"


class Lossy:
    """Between the checker and a server: of each session's key exchange, ChangeCipherSpec and Finished the first is lost, both ways."""

    def __init__(self, server):
        self.server = ("127.0.0.1", server)
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.port = self.front.getsockname()[1]
        self.lost, self.backs = set(), {}
        threading.Thread(target=self.forth, daemon=True).start()

    def loses(self, peer, way, data):
        """ClientKeyExchange in the clear, ChangeCipherSpec, and what is of epoch 1 and no alert."""
        kind = (None if len(data) < 14 else "key" if data[0] == 22 and data[3:5] == b"\0\0" and data[13] == 16 else "change" if data[0] == 20 else
                "finished" if data[0] == 22 and data[3:5] == b"\0\x01" else None)
        if not kind or (peer, way, kind) in self.lost:
            return False
        self.lost.add((peer, way, kind))
        return True

    def forth(self):
        with contextlib.suppress(OSError):
            while True:
                data, peer = self.front.recvfrom(65536)
                if peer not in self.backs:
                    self.backs[peer] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    self.backs[peer].connect(self.server)
                    threading.Thread(target=self.back, args=(peer,), daemon=True).start()
                if not self.loses(peer, "forth", data):
                    self.backs[peer].send(data)

    def back(self, peer):
        with contextlib.suppress(OSError):
            while data := self.backs[peer].recv(65536):
                if not self.loses(peer, "back", data):
                    self.front.sendto(data, peer)

    def close(self):
        for sock in (self.front, *self.backs.values()):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Datagrams(Servers):
    def start_udp(self, *words, port):
        def listening():
            with open("/proc/net/udp", encoding="ascii") as file:
                return f":{port:04X} " in file.read()

        with open(os.path.join(self.folder, "server.log"), "ab") as log:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.folder)

        def end():
            process.kill()
            process.wait()
            process.stdin.close()

        self.addCleanup(end)
        until(lambda: listening() or process.poll() is not None, f"{words[0]} does not listen")
        self.assertIsNone(process.poll(), self.log())
        return port

    def s_server(self, *more, certs=("rsa", "ec")):
        port = free_port()
        return self.start_udp("openssl", "s_server", "-dtls", "-accept", f"127.0.0.1:{port}", "-quiet", *self.certs(*certs), *more,
                              port=port)

    def found(self, report):
        return {v["rule"]["item"]: v["found"] for r in report["reports"] for v in r["verdicts"] if v["rule"]}


class OpenSSL(Datagrams):
    def test_good(self):
        report = self.expect(self.s_server("-serverpref", "-cipher", GOOD), REL17, [], [], "--dtls")
        self.assertEqual(report["versions"], "DTLS1.2")
        passed = self.findings(report, "pass")
        for finding in (("N3", "DTLS1.2"), ("N10j", "client-initiated-insecure"), ("N10l", "any"), ("N10n", "maximum"),
                        ("N10g", "extended_master_secret")):
            self.assertIn(finding, passed)

    def test_old_version(self):
        port = self.s_server("-serverpref", "-cipher", GOOD + ":AES128-SHA:@SECLEVEL=0")
        self.expect(port, REL17, [("N1a", "DTLS1.0"), ("N10b", "class non-aead"), ("N10b", "class non-pfs"), ("N10f", "class sha1")],
                    [], "--dtls")

    def test_insecure_renegotiation(self):
        """A server that lets a client without RFC 5746 renegotiate (CVE-2009-3555)."""
        port = self.s_server("-serverpref", "-cipher", "AES128-SHA:AES256-SHA:@SECLEVEL=0", "-legacy_renegotiation", "-client_renegotiation",
                             certs=("rsa",))
        self.expect(port, REL12, [("E8a", "client-initiated-insecure")], [], "--dtls")

    def test_secured_renegotiation(self):
        """The second handshake is under the keys of the first, in epochs 1 and 2, its messages from 0 again."""
        port = self.s_server("-cipher", "ECDHE-RSA-AES128-GCM-SHA256", "-client_renegotiation", certs=("rsa",))
        report, _ = self.check(port, REL12, "--dtls")
        found = self.found(report)
        self.assertIn("came through", found["client-initiated"])
        self.assertIn("alert", found["client-initiated-insecure"])

    def test_renegotiation_refused(self):
        report, _ = self.check(self.s_server("-cipher", "AES128-SHA", certs=("rsa",)), REL12, "--dtls")
        self.assertIn("no_renegotiation", self.found(report)["client-initiated"])

    def test_resumption(self):
        for more, warns in ((("-no_ticket",), [("E7a", "tickets-preferred")]),
                            (("-no_ticket", "-no_cache"), [("E7", "any"), ("E7a", "tickets-preferred")]), ((), [])):
            port = self.s_server("-cipher", "AES128-SHA:AES128-SHA256:@SECLEVEL=0", *more, certs=("rsa",))
            report, _ = self.check(port, REL12, "--dtls")
            self.assertEqual([f for f in self.findings(report, "warn") if f[0] != "precedence"], warns, more)

    def test_every_exchange_and_mode(self):
        """Sessions come up with each kind of suite that the checker claims, in both versions; fragments of 256 octets, too."""
        for suites, more in (("AES128-SHA", ("-max_protocol", "DTLSv1")), ("DHE-RSA-AES256-SHA", ("-max_protocol", "DTLSv1")),
                             ("DHE-RSA-AES128-SHA256", ()), ("ECDHE-RSA-AES256-SHA384", ("-mtu", "256")),
                             ("ECDHE-ECDSA-AES256-GCM-SHA384", ()), ("AES128-GCM-SHA256", ()),
                             ("ECDHE-RSA-AES128-GCM-SHA256", ("-groups", "P-521"))):
            report, _ = self.check(self.s_server("-cipher", suites + ":@SECLEVEL=0", *more), REL12, "--dtls")
            self.assertIn(("E7", "any"), self.findings(report, "pass"), suites)
            self.assertEqual(self.findings(report, "not tested"), [], suites)

    def test_pre_shared_key(self):
        key = os.path.join(self.folder, "psk")
        with open(key, "w", encoding="ascii") as file:
            file.write("alice:00112233445566778899aabbccddeeff\n")
        for suite in ("PSK-AES128-CBC-SHA", "ECDHE-PSK-AES128-CBC-SHA256", "DHE-PSK-AES128-GCM-SHA256"):
            port = self.s_server("-nocert", "-psk_identity", "alice", "-psk", "00112233445566778899aabbccddeeff", "-cipher",
                                 suite + ":@SECLEVEL=0", certs=())
            report, _ = self.check_patiently(lambda r: "dropped our Finished" in self.found(r).get("unknown-identity-alert", ""), 1, port,
                                             "ts33328-annex-h", "--dtls", "--psk-file", key)
            self.assertIn(("E7", "any"), self.findings(report, "pass"), suite)
            self.assertIn("dropped our Finished", self.found(report)["unknown-identity-alert"])

    def test_bad_certificate(self):
        self.pki.tool("req", "-x509", "-newkey", "rsa:1024", "-sha1", "-nodes", "-days", "3000", "-keyout", "weak.key",
                      "-out", "weak.pem", "-subj", "/CN=weak")
        report, status = self.check(self.s_server("-cipher", GOOD + ":@SECLEVEL=0", certs=("weak",)), "cert-ts33310", "--dtls")
        self.assertEqual(status, 1)
        self.assertIn("sha-1", {item for _, item in self.findings(report, "FAIL")})

    def test_loss(self):
        """Each flight of each session is lost once: repeated, it comes to the same as without loss."""
        lossy = Lossy(self.s_server("-cipher", "AES128-SHA:AES128-SHA256:@SECLEVEL=0", "-client_renegotiation", certs=("rsa",)))
        self.addCleanup(lossy.close)
        report, _ = self.check(lossy.port, REL12, "--dtls", "--timeout", "3")
        self.assertGreater(len(lossy.lost), 10)
        self.assertEqual(self.findings(report, "FAIL", "not tested"), [])
        self.assertIn(("E7", "any"), self.findings(report, "pass"))
        self.assertIn("came through", self.found(report)["client-initiated"])

    def test_nobody_there(self):
        done = self.run_tool(f"127.0.0.1:{free_port()}", "--profile", REL17, "--quiet", "--dtls")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot be reached", done.stderr)


class Hostile(Datagrams):
    """It says yes to each hello in fragments that overlap; then come lengths beyond all, epochs that nobody is in, and rubbish under one to come."""

    HELLO = b"\xfe\xfd" + b"r" * 32 + b"\0\x00\x2f\0"

    @staticmethod
    def record(kind, epoch, number, text):
        return bytes([kind]) + b"\xfe\xfd" + epoch.to_bytes(2, "big") + number.to_bytes(6, "big") + len(text).to_bytes(2, "big") + text

    @staticmethod
    def fragment(kind, number, body, start, length, total):
        return bytes([kind]) + total.to_bytes(3, "big") + number.to_bytes(2, "big") + start.to_bytes(3, "big") + length.to_bytes(3, "big") + body

    def datagrams(self):
        hello, record, fragment = self.HELLO, self.record, self.fragment
        yield record(22, 0, 1, fragment(2, 0, hello[10:], 10, len(hello) - 10, len(hello))) + record(22, 7, 1, b"x" * 20)
        yield record(22, 0, 2, fragment(2, 0, hello[:20], 0, 20, len(hello))) + record(22, 0, 3, fragment(11, 1, bytes(3), 0, 3, 3))
        yield record(22, 0, 4, fragment(14, 2, b"", 0, 0, 0))
        yield record(22, 0, 5, fragment(20, 3, b"y" * 100, 0, 200, 50)) + record(22, 0, 6, fragment(11, 3, b"z", 0xfffffe, 1, 0xffffff))
        yield record(20, 0, 7, b"\x01") + record(22, 1, 0, b"\x5a" * 60)
        yield b"\x16\xfe\xfd"

    def serve(self, sock):
        with contextlib.suppress(OSError):
            while True:
                _, peer = sock.recvfrom(65536)
                for datagram in self.datagrams():
                    sock.sendto(datagram, peer)

    def test_no_session(self):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        self.addCleanup(sock.close)
        threading.Thread(target=self.serve, args=(sock,), daemon=True).start()
        report, _ = self.check(sock.getsockname()[1], REL12, "--dtls", "--timeout", "3")
        self.assertEqual(report["versions"], "DTLS1.2")
        self.assertIn(("E7", "any"), self.findings(report, "not tested"))
        self.assertNotIn(("E8a", "client-initiated-insecure"), self.findings(report, "pass", "FAIL"))


@unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
class GnuTLS(Datagrams):
    """It wants cookies, and refuses by silence: one that it answers, before and after, tells that from slowness."""

    def serve(self, priority, *names):
        port = free_port()
        keys = [w for n in names for w in ("--x509certfile", f"{n}.pem", "--x509keyfile", f"{n}.key")]
        return self.start_udp("gnutls-serv", "--udp", "--port", str(port), "--priority", priority, "--disable-client-cert", *keys,
                              port=port)

    def test_refused_by_silence(self):
        """No suite of the profile, renegotiation secured only: told by silence; sessions are judged, nothing is left untested."""
        fails = [("E4", "TLS_RSA_WITH_AES_128_CBC_SHA"), ("E6a", "DTLS1.0")]
        for timeout in (4, PATIENCE):  # each silence costs that; the server is new each time, for one that was left in a handshake spins
            port = self.serve("NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+ECDHE-RSA:-CIPHER-ALL:+AES-128-GCM:%SERVER_PRECEDENCE", "rsa")
            done = self.run_tool(f"127.0.0.1:{port}", "--profile", REL12, "--json", "--quiet", "--timeout", str(int(timeout)), "--dtls")
            report = json.loads(done.stdout) if done.stdout else None
            if report and self.findings(report, "FAIL") == fails and not self.findings(report, "not tested"):
                break
        self.assertTrue(report, done.stderr)
        self.assertEqual(self.findings(report, "FAIL"), fails)
        self.assertEqual((self.findings(report, "not tested"), done.returncode, report["versions"]), ([], 1, "DTLS1.2"))
        found = self.found(report)
        self.assertIn("silence", found["TLS_RSA_WITH_AES_128_CBC_SHA"])
        self.assertIn("silence", found["client-initiated-insecure"])
        self.assertIn("came through", found["client-initiated"])
        self.assertIn(("E7", "any"), self.findings(report, "pass"))


if __name__ == "__main__":
    unittest.main()
