# SPDX-License-Identifier: Apache-2.0
"""NSS as a peer of the interop matrix, by its own tools: tstclnt and selfserv, one process for each connection or server.
They know no talk: tstclnt sends what it gets on stdin and prints what comes, selfserv answers a question of HTTP."""
import os
import pty
import re
import select
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "blackbox"))
import harness  # noqa: E402

PATIENCE = 8


class Nss:
    """Has the calls of peers.Program."""

    def __init__(self, folder):
        self.folder, self.stores, self.cell, self.process, self.port = folder, {}, None, None, None
        self.terminal = self.log = None

    def close(self):
        self.stop()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.process:
            self.process.wait()
            if self.process.stdout:
                self.process.stdout.close()
        if self.terminal is not None:
            os.close(self.terminal)
        self.process = self.terminal = None

    def tool(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        if done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}")

    def store(self, cert, key, ca):
        """A folder of keys and certificates, made once for each set."""
        if (cert, ca) in self.stores:
            return self.stores[cert, ca]
        path = os.path.join(self.folder, f"nss-{len(self.stores)}")
        os.mkdir(path)
        self.tool("certutil", "-N", "-d", path, "--empty-password")
        if ca:
            self.tool("certutil", "-A", "-d", path, "-n", "anchor", "-t", "CT,C,C", "-i", ca)
        if cert:
            bag = os.path.join(path, "own.p12")
            self.tool("openssl", "pkcs12", "-export", "-in", cert, "-inkey", key, "-name", "own", "-out", bag, "-passout",
                      "pass:")
            self.tool("pk12util", "-i", bag, "-d", path, "-W", "")
        self.stores[cert, ca] = path
        return path

    def common(self, cell):
        words = dict(word.split("=", 1) for word in cell.split())
        self.cell = words
        version = {"DTLS1.0": "tls1.1", "DTLS1.2": "tls1.2"}.get(words["version"], words["version"].lower())
        options = ["-d", self.store(words.get("cert", ""), words.get("key", ""), words.get("ca", "")), "-V",
                   f"{version}:{version}"]
        if version == "tls1.3" and "secret" in words:
            options += ["-z", f"0x{words['secret']}:{words['identity']}",
                        "-I", "FF2048" if words["way"] == "DHE-PSK" else "P256"]
        if words["kind"] == "ticket":
            options.append("-u")
        return options, words

    # -- server

    def serve(self, cell):
        options, words = self.common(cell)
        self.port = harness.free_port()
        command = ["selfserv", "-p", str(self.port), "-v", "-H", "1", *options]
        store = self.store(words.get("cert", ""), words.get("key", ""), words.get("ca", ""))
        if "cert" in words:
            command += ["-n" if words["way"] == "RSA" else "-e", "own"]
        if words.get("auth"):
            command.append("-rr")
        if words["kind"] == "again" and words["begins"] == "1":
            command.append("-rrrr")
        self.log = os.path.join(store, "selfserv.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.until(lambda: harness.listens(self.port) or self.process.poll() is not None, "selfserv listens")
        return str(self.port) if self.process.poll() is None else None

    def of_server(self):
        self.stop()
        with open(self.log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        errors = re.findall(r"selfserv: .*(?:error|failed).*", text, re.I)
        return [f"failed {harness.squeeze(errors[-1])}"] if errors else ["ok"]

    # -- client

    def connect(self, cell, port):
        options, words = self.common(cell)
        command = ["tstclnt", "-h", "127.0.0.1", "-a", words["name"], "-p", port.split(",")[0], *options]
        if "auth" in words:
            command += ["-n", "own"]
        if words["version"].startswith("D"):
            command += ["-P", "client"]
        if words["kind"] == "again" and words["begins"] == "1":
            command += ["-r", "1"]
        if words["conns"] != "1":
            command += ["-L", words["conns"]]
        self.terminal, stdin = pty.openpty()
        self.process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.close(stdin)

    def drive(self, near):
        """What tstclnt has to say waits until a renegotiation is over; those of its own it begins at once. It goes on to the
        next connection, or ends, when the server has hung up and ^D came; so its stdin is a terminal. Suites are left to
        our side: tstclnt that connects again falls over its own list of them (-c)."""
        begin, lines = "again " if "-r" in self.process.args else "up ", []
        for _ in range(int(self.cell["conns"])):
            lines += near.until(begin, "failed ", "end")
            if lines[-1].startswith(begin):
                os.write(self.terminal, b"one\n")
                if self.cell["kind"] == "again" and begin == "up " and self.cell["version"] != "TLS1.3":
                    lines += near.until("again ", "failed ", "end")
                os.write(self.terminal, b"two\n")
                lines += near.until("ok ", "failed ", "end")
            os.write(self.terminal, b"\x04")
            if not lines[-1].startswith("ok "):
                break
        near.lines.extendleft(reversed(lines))

    def results(self):
        return self.of_server() if self.terminal is None else self.of_client()

    def of_client(self):
        text, end = b"", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                break
            text += data
        self.stop()
        text = text.decode(errors="replace")
        errors = re.findall(r"tstclnt: .*(?:error|failed|SSL_|SEC_).*", text)
        return [f"failed {harness.squeeze(errors[-1])}"] if errors else ["ok"]
