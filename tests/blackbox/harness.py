# SPDX-License-Identifier: Apache-2.0
"""What the black-box tests of gatehouse-mg share: a gateway process with its controller (controller.py), a certificate
workshop (the openssl command line), plain backends, and far peers, which are always somebody else's programs:
openssl s_client and s_server, gnutls-cli and gnutls-serv.

Everything waits for events with a deadline; nothing sleeps for luck. Processes are ended by their pid.
"""
import contextlib
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from controller import Controller, squeeze  # noqa: F401 (tests take squeeze from here)
from waiting import PATIENCE, until

BUILD = os.environ.get("GATEHOUSE_BUILD_ROOT", "build")
MG = os.path.join(BUILD, "gatehouse-mg")
TOOL = os.path.join(BUILD, "gatehouse")
HAVE_GNUTLS = bool(shutil.which("gnutls-cli") and shutil.which("gnutls-serv"))
HAVE_OPENSSL = bool(shutil.which("openssl"))
NO_OPENSSL = "the openssl command line is not installed (package openssl)"
NO_GNUTLS = "gnutls-cli and gnutls-serv are not installed (package gnutls-bin)"


def sanitized():
    """A sanitizer keeps freed memory for a while: the size of such a process says nothing."""
    with open(MG, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def free_port():
    """A port nobody has now, outside the range from which the kernel gives ports to others; no other test is given it meanwhile."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        low = int(file.read().split()[0])
    while True:
        port = 10000 + int.from_bytes(os.urandom(4), "big") % (low - 10000)
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            claim.bind(f"\0gatehouse-test-port-{port}")
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            claim.detach()  # open until this process ends
            return port
        claim.close()


def listens(port):
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(name, encoding="ascii") as file:
            for line in file:
                field = line.split()
                if field[3:4] == ["0A"] and field[1].endswith(f":{port:04X}"):
                    return True
    return False


# ---- certificates ----------------------------------------------------------------------------------------------


class Pki:
    """Certificates by the openssl command line, in one folder, made once for a test file."""

    def __init__(self, folder):
        self.folder = folder
        self.tool("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                  "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/O=Home/CN=Home CA")
        self.tool("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                  "-keyout", "other.key", "-out", "other.pem", "-subj", "/O=Other/CN=Other CA")

    def path(self, name):
        return os.path.join(self.folder, name)

    def tool(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.folder, capture_output=True, text=True, check=False,
                              timeout=60)
        if done.returncode:
            raise AssertionError(f"openssl {' '.join(args)}: {done.stderr}")
        return done.stdout

    def self_signed(self, name):
        self.tool("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                  "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")

    def leaf(self, name, key="ec", ca="ca", days=30, serial=None, more=""):
        """`days` negative: valid once, expired now. `more`: further extensions, one a line."""
        kind = (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else ["-newkey", "rsa:2048"])
        self.tool("req", *kind, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                  f"/O=Home/CN={name}.home.example")
        usage = "digitalSignature" + ("" if key == "ec" else ",keyEncipherment")
        with open(self.path(f"{name}.ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName=DNS:{name}.home.example\nkeyUsage=critical,{usage}\n"
                       f"extendedKeyUsage=serverAuth,clientAuth\n{more}")
        if days > 0:
            self.tool("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                      "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.pem",
                      "-set_serial", str(serial or int.from_bytes(os.urandom(6), "big")))
            return
        self.ca_database()
        self.tool("ca", "-batch", "-config", "ca.cnf", "-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile",
                  f"{name}.ext", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-notext")

    def ca_database(self):
        if os.path.exists(self.path("ca.cnf")):
            return
        with open(self.path("ca.cnf"), "w", encoding="ascii") as file:
            file.write("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\n"
                       "certificate=ca.pem\nprivate_key=ca.key\ndefault_md=sha256\ndefault_crl_days=30\npolicy=p\n"
                       "unique_subject=no\n[p]\norganizationName=optional\ncommonName=supplied\n")
        for name, text in (("index.txt", ""), ("serial", "1000\n")):
            with open(self.path(name), "w", encoding="ascii") as file:
                file.write(text)

    def crl(self, name, *revoked):
        self.ca_database()
        for who in revoked:
            self.tool("ca", "-config", "ca.cnf", "-revoke", f"{who}.pem")
        self.tool("ca", "-config", "ca.cnf", "-gencrl", "-out", name)

    def fingerprint(self, name):
        text = self.tool("x509", "-in", f"{name}.pem", "-noout", "-fingerprint", "-sha256")
        return text.strip().split("=", 1)[1]

    def cert(self, name):
        return ["-cert", self.path(f"{name}.pem"), "-key", self.path(f"{name}.key")]


# ---- the gateway ------------------------------------------------------------------------------------------------


CONFIG = """
mg: {{workers: {workers}{mg}}}
controllers: [{controllers}]
h248: {{transport: {transport}, listen: "127.0.0.1:{listen}", version: {version}, encoding: pretty{h248}}}
media: {{addresses: [127.0.0.1]{media}}}
{extra}
"""


class Gateway:
    """gatehouse-mg with a file of its own, registered with a controller."""

    def __init__(self, folder, domains="", transport="udp", version=3, controller=None, mg=", leave: forced", h248="", media="",
                 extra="", workers=2, register=True, limit=None, controllers=None, options=(), speaks=2):
        self.folder = tempfile.mkdtemp(dir=folder)
        self.path = os.path.join(self.folder, "mg.yaml")
        self.controller = controller or Controller(transport, speaks)
        self.settings = {"workers": workers, "mg": mg, "h248": h248, "media": media, "transport": transport,
                         "version": version, "listen": free_port() if transport == "tcp" else 0,
                         "controllers": controllers or f'"127.0.0.1:{self.controller.port}"'}
        self.extra = extra
        self.write(domains)
        self.log_path = os.path.join(self.folder, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([MG, "-c", self.path, *options], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=limit)
        self.pid = self.process.pid
        if register:
            self.registration = self.controller.take("ServiceChange = ROOT", "Method = Restart")
            self.logged("mg: registered controller=")

    def write(self, domains):
        with open(self.path, "w", encoding="ascii") as file:
            file.write(CONFIG.format(extra=("tls-domains:\n" + domains if domains else "") + "\n" + self.extra,
                                     **self.settings))

    def log(self):
        """Whole lines: one that crosses a page of the file can be seen half written."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        return text[:text.rfind("\n") + 1]

    def logged(self, *words, count=1):
        return until(lambda: all(self.log().count(w) >= count for w in words),
                     lambda: f"{words} in the log: {self.log()}")

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def rss(self):
        """Octets of memory; 0 where that says nothing."""
        if sanitized():
            return 0
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) * 1024

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self):
        return self.process.wait(PATIENCE * 2)

    def stop(self):
        """SIGTERM. Its exit status must be 0 (a sanitizer's finding is another)."""
        status = self.process.poll()
        if status is None:
            self.signal(signal.SIGTERM)
            try:
                status = self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                status = "does not end"
        self.controller.close()
        text = self.log()
        for word in ("Sanitizer", "runtime error:"):
            assert word not in text, text
        assert status == 0, f"exit status {status}: {text}"


# ---- peers and backends -----------------------------------------------------------------------------------------


class Peer:
    """Somebody else's program, with its standard input and all it writes."""

    def __init__(self, *command):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.text = b""
        self.lock = threading.Condition()
        self.ended = False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while True:
            block = os.read(self.process.stdout.fileno(), 1 << 17)
            with self.lock:
                self.text += block
                self.ended = not block
                self.lock.notify_all()
            if not block:
                return

    def says(self, words, patience=PATIENCE):
        words = words.encode() if isinstance(words, str) else words
        end = time.monotonic() + patience
        with self.lock:
            while words not in self.text:
                left = end - time.monotonic()
                if self.ended or left <= 0:
                    raise AssertionError(f"{self.command}: no {words[:60]!r} in {self.text[-1500:]!r}")
                self.lock.wait(left)

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def finish(self):
        """Close its input."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def wait(self):
        status = self.process.wait(PATIENCE)
        self.thread.join(PATIENCE)
        return status

    def close(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.thread.join(PATIENCE)
        self.process.stdout.close()


class Backend:
    """A plain TCP server that takes one connection after another."""

    def __init__(self, receive_buffer=0):
        self.server = socket.socket()
        if receive_buffer:
            self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.server.bind(("127.0.0.1", 0))
        self.server.listen(64)
        self.server.settimeout(PATIENCE)
        self.port = self.server.getsockname()[1]
        self.conns = []

    def accept(self):
        conn, _ = self.server.accept()
        conn.settimeout(PATIENCE)
        self.conns.append(conn)
        return conn

    def silent(self):
        """Nobody has come by now."""
        return not select.select([self.server], [], [], 0)[0]

    def close(self):
        for conn in self.conns:
            conn.close()
        self.server.close()


def read_exactly(conn, count):
    parts, left = [], count
    while left:
        block = conn.recv(min(left, 1 << 17))
        assert block, f"the connection ended {left} octets early"
        parts.append(block)
        left -= len(block)
    return b"".join(parts)


def read_all(conn):
    parts = []
    while True:
        block = conn.recv(1 << 17)
        if not block:
            return b"".join(parts)
        parts.append(block)


def connect(port):
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def reset(conn):
    """End with RST."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


class Splice:
    """Carries octets between two TCP connections, blindly: lets a program that can only connect (s_client) be the
    TCP server of a connection, and one that can only listen (s_server) the client. Half-closes are carried."""

    def __init__(self, take):
        """`take` gives the two sockets; it runs in the thread."""
        self.error = None
        self.sockets = []
        self.thread = threading.Thread(target=self.run, args=(take,), daemon=True)
        self.thread.start()

    def run(self, take):
        try:
            left, right = self.sockets = take()
            back = threading.Thread(target=self.carry, args=(right, left), daemon=True)
            back.start()
            self.carry(left, right)
            back.join()
        except OSError as e:
            self.error = e

    @staticmethod
    def carry(source, target):
        with contextlib.suppress(OSError):
            while True:
                block = source.recv(65536)
                if not block:
                    break
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)

    def close(self):
        for s in self.sockets:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
        self.thread.join(PATIENCE)
        for s in self.sockets:
            s.close()


def text_payload(size):
    """Lines of random letters: survives programs that read lines and leave out NUL."""
    return b"".join(os.urandom(31).hex().encode() + b"z\n" for _ in range((size + 63) // 64))


# ---- commands ---------------------------------------------------------------------------------------------------

EVENTS = "Events = {n} {{ tcpbcc/BNCChange, tlsbsc/BNCChange, g/cause }}"


def stream(proto, local_setup=None, remote=None, remote_setup=None, fingerprint=None, control="", number=1,
           port="$"):
    """One Stream descriptor; `remote` is a port, or None for no Remote."""
    def sdp(address, port_text, setup, extra=""):
        lines = ["v=0", f"c=IN IP4 {address}", f"m=message {port_text} {proto} *"]
        lines += [f"a=setup:{setup}"] if setup else []
        return "\n".join(lines) + "\n" + extra
    text = f"Stream = {number} {{ LocalControl {{ Mode = SendReceive{', ' + control if control else ''} }}, "
    text += f"Local {{\n{sdp('$', port, local_setup)}}}"
    if remote is not None or fingerprint:
        extra = f"a=fingerprint:sha-256 {fingerprint}\n" if fingerprint else ""
        text += f", Remote {{\n{sdp('127.0.0.1', remote or 9, remote_setup, extra)}}}"
    return text + " }"


def add(streams, signals="", events=1, rest=""):
    return (f"Add = $ {{ Media {{ {streams} }}, {EVENTS.format(n=events)}"
            f"{', Signals { ' + signals + ' }' if signals else ''}{rest} }}")


class Made:
    """What a reply to Add says: the context, its terminations with their ports and fingerprints."""

    def __init__(self, reply):
        self.text = reply
        self.context = re.search(r"Context = (\d+)", reply).group(1)
        parts = re.split(r"\bAdd = ", reply)[1:]
        self.terms = [re.match(r"[^ {},]+", p).group(0) for p in parts]
        self.ports = [int(m.group(1)) if (m := re.search(r"m=\w+ (\d+) ", p)) else None for p in parts]
        self.fingerprints = [m.group(1) if (m := re.search(r"a=fingerprint:\S+ ([0-9A-F:]+)", p)) else None
                             for p in parts]


class Case:
    """Mixed into unittest.TestCase: one Pki, one folder, and what a test started is ended with it."""

    DOMAINS = ""
    SETTINGS = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.pki = Pki(cls.folder)
        cls.prepare()

    @classmethod
    def prepare(cls):
        """Certificates and a gateway for all tests of the class."""

    @classmethod
    def shared_gateway(cls, domains, **settings):
        cls.gw = Gateway(cls.folder, domains, **settings)
        cls.mgc = cls.gw.controller
        cls.addClassCleanup(cls.gw.stop)

    def own(self, thing):
        self.addCleanup(thing.close)
        return thing

    def gateway(self, domains="", **settings):
        gw = Gateway(self.folder, domains, **settings)
        self.addCleanup(gw.stop)
        return gw

    def peer(self, *command):
        return self.own(Peer(*command))

    def relay(self, mgc, tls, backend, signals="", tls_signals=None):
        """A context: a TCP client towards the backend, and the TLS stream given; that one is first in what is
        returned."""
        made = Made(mgc.ok("Context = $ { " +
                           add(stream("TCP/MSRP", "active", backend.port, "passive"), signals or "tcpbcc/EstBNC",
                               events=2) + ", " + add(tls, tls_signals or "") + " }"))
        for row in (made.terms, made.ports, made.fingerprints):
            row.reverse()
        return made

    def end(self, mgc, made):
        """The context can still be audited and taken away."""
        for term in made.terms:
            mgc.ok(f"Context = {made.context} {{ AuditValue = {term} {{ Audit {{ Media, Statistics }} }} }}")
        mgc.ok(f"Context = {made.context} {{ W-Subtract = * {{ Audit {{ }} }} }}")
