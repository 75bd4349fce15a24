# SPDX-License-Identifier: Apache-2.0
"""Somebody else's TLS client as a socket: what is sent goes to its stdin, what its server says comes from its stdout."""
import contextlib
import os
import select
import subprocess
import tempfile

import harness

JAVA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "interop", "Tube.java")


class Pipe:
    """Has the calls of a socket that edge.Stream wants."""

    def __init__(self, folder, command, ready=None):
        """`ready`: words of its stderr that say that the session is up"""
        self.errors = tempfile.NamedTemporaryFile(dir=folder, suffix=".log", delete=False)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        env={**os.environ, "TMPDIR": folder})
        self.patience = harness.PATIENCE
        if ready:
            self.told(ready)

    def told(self, words, count=1):
        harness.until(lambda: self.said().count(words) >= count or self.process.poll() is not None, self.said)
        assert self.said().count(words) >= count, self.said()

    def said(self):
        with open(self.errors.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def getsockname(self):
        return "192.0.2.1", 5061  # what it has is not told; a Via with rport and a Path do without

    def settimeout(self, seconds):
        self.patience = seconds

    def sendall(self, octets):
        self.process.stdin.write(octets)
        self.process.stdin.flush()

    def recv(self, size):
        if not select.select([self.process.stdout], [], [], self.patience)[0]:
            raise TimeoutError
        return os.read(self.process.stdout.fileno(), size)

    def close(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def s_client(folder, port, ca, *more):
    return Pipe(folder, ["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", ca, "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
                         *more])


def nss(folder, port, ca, version="tls1.2"):
    """tstclnt, with a store that has the CA alone."""
    store = tempfile.mkdtemp(dir=folder)
    for command in (["-N", "--empty-password"], ["-A", "-n", "anchor", "-t", "CT,C,C", "-i", ca]):
        subprocess.run(["certutil", "-d", store, *command], check=True, capture_output=True)
    return Pipe(folder, ["tstclnt", "-h", "127.0.0.1", "-a", "localhost", "-p", str(port), "-d", store, "-V", f"{version}:{version}"])


def jsse(folder, port, ca, version="TLSv1.2"):
    return Pipe(folder, ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", JAVA, str(port), ca, "localhost", version], "up")


def socat(folder, port, ca):
    return Pipe(folder, ["socat", "STDIO", f"OPENSSL:localhost:{port},cafile={ca},pf=ip4"])
