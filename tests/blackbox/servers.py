# SPDX-License-Identifier: Apache-2.0
"""Servers of others for gatehouse check to look at, and what it finds."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from harness import HAVE_OPENSSL, NO_OPENSSL, PATIENCE, TOOL, Pki, free_port, listens, until

REL17 = "ts33210-rel17"
ECDHE = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
GOOD = ECDHE + ":DHE-RSA-AES128-GCM-SHA256"
TLS13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"


class Fake:
    """Answers every connection with the same octets; or with none, and holds it."""

    def __init__(self, answer, hold=False, threads=False):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(64)
        self.port = self.sock.getsockname()[1]
        self.answer, self.hold, self.threads, self.held = answer, hold, threads, []
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.sock.accept()
                self.held.append(conn)
                if self.threads:
                    threading.Thread(target=self.serve, args=(conn,), daemon=True).start()
                elif not self.hold:
                    self.serve(conn)

    def serve(self, conn):
        with contextlib.suppress(OSError):
            hello = conn.recv(65536)
            conn.sendall(self.answer(hello) if callable(self.answer) else self.answer)
            conn.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for conn in self.held:
            conn.close()


class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not HAVE_OPENSSL:
            raise unittest.SkipTest(NO_OPENSSL)
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-check-")
        cls.pki = Pki(cls.folder)
        cls.pki.leaf("rsa", "rsa")
        cls.pki.leaf("ec")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def start(self, *words, port, stdin=subprocess.DEVNULL):
        # a pipe that nobody writes to: gnutls-serv and s_server end with their standard input
        with open(os.path.join(self.folder, "server.log"), "ab") as log:
            process = subprocess.Popen(words, stdin=stdin, stdout=log, stderr=log, cwd=self.folder)

        def end():
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()

        self.addCleanup(end)
        until(lambda: listens(port) or process.poll() is not None, f"{words[0]} does not listen")
        self.assertIsNone(process.poll(), self.log())
        return port

    def log(self):
        with open(os.path.join(self.folder, "server.log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]

    def certs(self, *names):
        words = ["-cert", "-key"], ["-dcert", "-dkey"]
        return [w for pair, name in zip(words, names)
                for w in (pair[0], f"{name}.pem", pair[1], f"{name}.key")]

    def s_server(self, *more, certs=("rsa", "ec")):
        port = free_port()
        return self.start("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", *self.certs(*certs), *more,
                          port=port, stdin=subprocess.PIPE)

    def run_tool(self, *words):
        # hundreds of handshakes under a sanitizer take what they take: the end of patience here is meson's
        return subprocess.run([TOOL, "check", *words], capture_output=True, text=True, check=False)

    def check(self, port, profiles, *more):
        done = self.run_tool(f"127.0.0.1:{port}", "--profile", profiles, "--json", "--quiet", "--timeout", str(int(PATIENCE)), *more)
        self.assertIn(done.returncode, (0, 1, 2), done.stderr)
        self.assertTrue(done.stdout, done.stderr)
        return json.loads(done.stdout), done.returncode

    def check_patiently(self, good, first, port, profiles, *more):
        """Where silence is what is tested, each one costs the timeout: a longer one only where the machine was too busy for a short one."""
        for timeout in (first, 5, PATIENCE):
            done = self.run_tool(f"127.0.0.1:{port}", "--profile", profiles, "--json", "--quiet", "--timeout", str(int(timeout)), *more)
            report = json.loads(done.stdout) if done.stdout else None
            if report and good(report):
                break
        self.assertTrue(report, done.stderr)
        return report, done.returncode

    def findings(self, report, *states):
        return sorted({(v["topic"], v["rule"]["item"] if v["rule"] else "") for r in report["reports"]
                       for v in r["verdicts"] if v["state"] in states})

    def expect(self, port, profiles, fails, warns=(), *more):
        report, status = self.check(port, profiles, *more)
        self.assertEqual(self.findings(report, "FAIL"), sorted(fails))
        self.assertEqual(self.findings(report, "warn"), sorted(warns))
        self.assertEqual(self.findings(report, "not tested"), [])
        self.assertEqual(status, 1 if fails else 0)
        return report
