# SPDX-License-Identifier: Apache-2.0
"""What the tests of gatehouse-fetch share: the program, nginx from Debian as the server of CRLs, a server that
misbehaves in every way we could think of, and authorities made by `gatehouse pki`."""
import contextlib
import glob
import hashlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import harness

FETCH = os.path.join(harness.BUILD, "gatehouse-fetch")
NGINX = shutil.which("nginx", path="/usr/sbin:" + os.environ.get("PATH", ""))
NO_NGINX = "nginx is not installed (package nginx)"
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
NO_FAKETIME = "libfaketime is not installed (package faketime)"
ROOT = os.geteuid() == 0
OWN = pwd.getpwuid(os.geteuid()).pw_name


def sanitized():
    """libfaketime and the sanitizers both want to be loaded first."""
    with open(FETCH, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def run(*args, status=0, **more):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False,
                          timeout=harness.PATIENCE * 4, **more)
    assert status is None or done.returncode == status, f"{args}: {done.returncode} {done.stdout}{done.stderr}"
    return done


def whole(path):
    """An index file as docs/crl-index.md has it: at its end the SHA-256 of all before."""
    with open(path, "rb") as file:
        text = file.read()
    return text[:8] == b"GH-CRLX\n" and hashlib.sha256(text[:-32]).digest() == text[-32:]


class Operator:
    """Authorities in a folder, and their CRLs."""

    def __init__(self, folder, name="a"):
        self.folder = os.path.join(folder, name)
        self.public = self.folder + "-public"
        run(harness.TOOL, "pki", "init", "--name", f"Operator {name.upper()}", self.folder)
        os.mkdir(self.public, 0o755)
        for authority in ("interconnection", "tls-client", "tls-server"):
            shutil.copy(os.path.join(self.folder, authority, "ca.pem"), os.path.join(self.public, authority + ".pem"))

    def again(self, folder):
        """The same authorities in a folder of their own, whose CRLs begin anew."""
        other = Operator.__new__(Operator)
        other.folder, other.public = tempfile.mkdtemp(dir=folder), self.public
        shutil.copytree(self.folder, other.folder, dirs_exist_ok=True)
        return other

    def ca(self, authority="tls-server"):
        """Its certificate, in a file that everybody can read."""
        return os.path.join(self.public, authority + ".pem")

    def crl(self, authority="tls-server", hours=7 * 24, pem=False):
        """The next CRL, its octets."""
        out = os.path.join(self.folder, "out.crl")
        run(harness.TOOL, "pki", "crl", "--ca", authority, "--hours", hours, *(["--pem"] if pem else []), "--out",
            out, self.folder)
        with open(out, "rb") as file:
            return file.read()

    def revoke_some(self, count, authority="tls-server"):
        """As if that many had been issued and revoked: lines of the index."""
        with open(os.path.join(self.folder, authority, "index.txt"), "a", encoding="ascii") as file:
            for _ in range(count):
                serial = bytes([0x41]) + os.urandom(19)
                file.write(f"R\t{serial.hex().upper()}\t2030-12-31T23:59:59Z\t2026-01-01T00:00:00Z\tunspecified\tserver\tx\n")

    def der(self, authority="tls-server"):
        """The CA certificate."""
        return subprocess.run(["openssl", "x509", "-in", self.ca(authority), "-outform", "DER"], capture_output=True,
                              check=True, timeout=60).stdout


class Nginx:
    """Serves a folder over http and https."""

    def __init__(self, folder, locations=""):
        import slapd  # its certificates will do
        self.folder = tempfile.mkdtemp(dir=folder, prefix="nginx-")
        os.chmod(self.folder, 0o755)
        self.www = os.path.join(self.folder, "www")
        os.mkdir(self.www)
        slapd.tls_files(self.folder)
        self.ca = os.path.join(self.folder, "tls-ca.pem")
        self.port, self.tls_port = harness.free_port(), harness.free_port()
        paths = "".join(f"{kind}_temp_path {self.folder}/{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(os.path.join(self.folder, "conf"), "w", encoding="ascii") as file:
            file.write(f"daemon off;\nmaster_process off;\npid {self.folder}/pid;\nerror_log {self.folder}/error;\n"
                       f"events {{}}\nhttp {{ access_log {self.folder}/access;\n{paths}"
                       f"server {{ listen 127.0.0.1:{self.port}; listen 127.0.0.1:{self.tls_port} ssl;\n"
                       f"ssl_certificate {self.folder}/tls.pem; ssl_certificate_key {self.folder}/tls.key;\n"
                       f"root {self.www};\n{locations.replace('PORT', str(self.port))} }} }}\n")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([NGINX, "-c", os.path.join(self.folder, "conf"), "-e",
                                         os.path.join(self.folder, "error")], stdin=subprocess.DEVNULL)
        harness.until(lambda: self.process.poll() is not None or harness.listens(self.port), "nginx listens")
        assert self.process.poll() is None

    def put(self, name, octets):
        path = os.path.join(self.www, name)
        with open(path + ".new", "wb") as file:
            file.write(octets)
        os.rename(path + ".new", path)

    def url(self, name, tls=False):
        return f"https://127.0.0.1:{self.tls_port}/{name}" if tls else f"http://127.0.0.1:{self.port}/{name}"

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(harness.PATIENCE)


class Naughty:
    """A server by hand: each path has what is sent, a function of the connection. It counts who comes, and keeps
    the requests."""

    def __init__(self):
        self.server = socket.socket()
        self.server.bind(("127.0.0.1", 0))
        self.server.listen(64)
        self.port = self.server.getsockname()[1]
        self.paths, self.asked, self.requests, self.conns = {}, [], [], []
        self.flood = 0  # octets of endless answers that were taken
        self.gate = threading.Event()  # what waits, waits for this one
        self.news = threading.Condition()
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.server.accept()
                self.conns.append(conn)
                threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with contextlib.suppress(OSError):
            text = b""
            while b"\r\n\r\n" not in text:
                block = conn.recv(65536)
                if not block:
                    return
                text += block
            path = text.split(b" ")[1].decode()[1:]
            with self.news:
                self.asked.append(path)
                self.requests.append(text.decode("latin-1"))
                self.news.notify_all()
            self.paths.get(path, self.missing)(conn)
        with contextlib.suppress(OSError):
            conn.shutdown(socket.SHUT_RDWR)
        conn.close()

    def await_asked(self, path, count=1):
        with self.news:
            assert self.news.wait_for(lambda: self.asked.count(path) >= count, harness.PATIENCE), self.asked

    @staticmethod
    def missing(conn):
        conn.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def put(self, path, octets):
        self.paths[path] = lambda conn: conn.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(octets) + octets)

    def raw(self, path, octets):
        self.paths[path] = lambda conn: conn.sendall(octets)

    def redirect(self, path, to, status=302):
        self.raw(path, b"HTTP/1.1 %d Over There\r\nLocation: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                 % (status, to.encode()))

    def waits(self, path, octets):
        """Answers when the gate is opened."""
        def act(conn):
            self.gate.wait(harness.PATIENCE * 2)
            self.put("_", octets)
            self.paths["_"](conn)
        self.paths[path] = act

    def endless(self, path, head=b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", block=b"x" * 65536):
        def act(conn):
            conn.sendall(head)
            while True:
                conn.sendall(block)
                self.flood += len(block)
        self.paths[path] = act

    def close(self):
        self.gate.set()
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for conn in self.conns:
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)


class Client:
    """Of the socket: a line a packet."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(harness.PATIENCE)
        self.socket.connect(path)

    def send(self, text):
        self.socket.send(text.encode())

    def answer(self):
        return self.socket.recv(70000).decode()

    def ask(self, url):
        self.send(f"crl {url}\n")
        return self.answer()

    def status(self):
        self.send("status json\n")
        found = {}
        while (line := self.answer()) != "end\n":
            row = json.loads(line)
            found[row["from"]] = row
        return found

    def close(self):
        self.socket.close()


class Fetcher:
    """The program with its cache folder. `config` is its file without `fetch`; %(www)s and the like are the
    caller's business. As root it becomes nobody, as it would be in earnest."""

    def __init__(self, folder, config, wrap=(), limits=None, env=None, socket_lines="", start=True, cache=None):
        self.folder = tempfile.mkdtemp(dir=folder, prefix="fetch-")
        os.chmod(self.folder, 0o755)
        self.cache = cache or os.path.join(self.folder, "cache")
        self.metrics = os.path.join(self.folder, "state", "metrics.prom")
        self.socket = os.path.join(self.folder, "state", "s")
        for path in (self.cache, os.path.join(self.folder, "state")):
            if not os.path.isdir(path):
                os.mkdir(path)
            if ROOT:
                shutil.chown(path, "nobody")
        self.file = os.path.join(self.folder, "fetch.yaml")
        self.socket_lines = socket_lines
        self.write(config)
        self.wrap, self.limits, self.process = list(wrap), limits, None
        self.env = {**os.environ, **(env or {})}
        if start:
            self.start()

    def write(self, config):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(f"fetch:\n  cache: {self.cache}\n  metrics: {self.metrics}\n" +
                       ("  user: nobody\n" if ROOT else "") +
                       f"socket:\n  path: {self.socket}\n  users: [{OWN}]\n{self.socket_lines}\n{config}")

    def start(self):
        self.log_file = os.path.join(self.folder, "log")
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([*self.wrap, FETCH, "-c", self.file, "--log", "debug"], stderr=log,
                                            stdin=subprocess.DEVNULL, env=self.env, preexec_fn=self.limits)
        harness.until(lambda: self.process.poll() is not None or "event=started" in self.log(), self.log)
        assert self.process.poll() is None, self.log()

    def once(self, *more, status=0):
        """What it says of each source, by name."""
        done = run(*self.wrap, FETCH, "-c", self.file, "--once", "--json", *more, status=status, env=self.env,
                   preexec_fn=self.limits)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return {row["source"]: row for row in rows}

    def log(self):
        with open(self.log_file, encoding="utf-8", errors="replace") as file:
            return file.read()

    def await_log(self, *patterns, count=1):
        def seen():
            text = self.log()
            return all(len(re.findall(p, text)) >= count for p in patterns)
        harness.until(lambda: seen() or self.process.poll() is not None, lambda: f"{patterns} in {self.log()}")
        assert seen(), f"{patterns}: ended with {self.process.poll()}: {self.log()}"

    def files(self):
        return sorted(name for name in os.listdir(self.cache) if name.endswith(".crlx"))

    def read(self):
        """The cache folder's CRLs, each checked to be whole."""
        found = {}
        for name in self.files():
            path = os.path.join(self.cache, name)
            assert whole(path), name
            with open(path, "rb") as file:
                found[name] = file.read()
        return found

    def metric(self, name, source):
        """None while there is none."""
        with contextlib.suppress(FileNotFoundError), open(self.metrics, encoding="utf-8") as file:
            for line in file:
                if line.startswith(f"gatehouse_fetch_{name}{{") and f'source="{source}"' in line:
                    return int(line.rsplit(" ", 1)[1])
        return None

    def client(self):
        return Client(self.socket)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(harness.PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"it did not leave: {self.log()}") from None


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-")
        os.chmod(cls.folder, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.made = Operator(cls.folder)

    def setUp(self):
        self.naughty = self.own(Naughty())

    def own(self, thing):
        self.addCleanup(thing.close)
        return thing

    def config(self, *sources, more="", operator=None):
        rows = "".join(f"  - {{ name: {name}, crl: '{url}' }}\n" for name, url in sources)
        operator = operator or self.made
        return (f"issuers: ['{operator.ca('tls-server')}', '{operator.ca('tls-client')}']\n"
                f"interconnection-cas: ['{operator.ca('interconnection')}']\n"
                + (f"sources:\n{rows}" if rows else "") + more)

    def fetcher(self, *sources, more="", operator=None, **settings):
        return self.own(Fetcher(self.folder, self.config(*sources, more=more, operator=operator), **settings))

    def one(self, path, words, more="", **settings):
        """That response fails with those words, and nothing is written."""
        f = self.fetcher(("a", self.naughty.url(path)), more=more, start=False, **settings)
        row = f.once(status=1)["a"]
        self.assertFalse(row["ok"])
        self.assertRegex(row["error"], words)
        self.assertEqual(f.files(), [])
        return f
