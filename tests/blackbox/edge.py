# SPDX-License-Identifier: Apache-2.0
"""gatehouse-edge as a process, between user agents and a core (docs/edge.md), and a UE by hand: Python's TLS and what a test says, so that
what no decent UE sends can be sent."""
import hashlib
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request

import access
import harness
import kamailio

EDGE = os.path.join(harness.BUILD, "gatehouse-edge")


def merged(base, more):
    """`more` goes into `base`, map by map; None takes a key out."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merged(base[key], value)
        elif value is None:
            base.pop(key, None)
        else:
            base[key] = value
    return base


class Edge:
    """`core`: a Kamailio, or a URI. `tls`: files of access.certificate. `changes` of the configuration, by section; `domains`: more TLS domains."""

    def __init__(self, folder, tls, core, /, port=0, core_port=0, wait=True, **changes):
        self.folder = tempfile.mkdtemp(prefix="edge-", dir=folder)
        self.port, self.core_port = port or harness.free_port(), core_port or harness.free_port()
        where = core if isinstance(core, str) else core.uri
        domain = {"name": "access", "profile": "ts33203-annex-o-rel17", "certificate": tls["cert"], "key": tls["key"]}
        merged(domain, changes.pop("tls_domain", {}))
        domains = [domain, *changes.pop("domains", [])]
        self.settings = merged({
            "edge": {"host": access.NAME, "drain": "10ms"},
            "access": {"listen": [f"tls:127.0.0.1:{self.port}"], "domain": "access"},
            "core": {"listen": [f"{kind}:127.0.0.1:{self.core_port}" for kind in ("udp", "tcp")], "registrar": f"{where};lr",
                     "from": ["127.0.0.0/8"]},
            "control": "control", "log": {"level": "info"}, "tls-domains": domains}, changes)
        self.path = os.path.join(self.folder, "edge.yaml")
        self.log_path = os.path.join(self.folder, "log")
        self.process = None
        self.start(wait)

    @property
    def proxy(self):
        """For sip.proxy of a user agent."""
        return f"sip:{access.HOST}:{self.port};transport=tls;lr"

    @property
    def core_uri(self):
        return f"sip:127.0.0.1:{self.core_port};lr"

    def write(self):
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.settings, file, indent=1)  # JSON is YAML

    def start(self, wait=True):
        self.write()
        before = self.log().count("event=started") if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([EDGE, "-c", self.path], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        if wait:
            harness.until(lambda: self.log().count("event=started") > before or self.process.poll() is not None, self.log)
            assert self.process.poll() is None, self.log()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        return text[:text.rfind("\n") + 1]

    def logged(self, pattern, count=1):
        harness.until(lambda: len(re.findall(pattern, self.log())) >= count, lambda: f"{pattern} ({count} times) in the log: {self.log()[-4000:]}")
        return re.findall(pattern, self.log())

    def order(self, *words):
        """`gatehouse edge`: what it answers, as JSON."""
        done = subprocess.run([harness.TOOL, "edge", *map(str, words), "--socket", os.path.join(self.folder, "control"), "--json"], capture_output=True,
                              text=True, check=False, timeout=harness.PATIENCE)
        assert done.returncode == 0, f"edge {words}: {done.stdout}{done.stderr}{self.log()[-2000:]}"
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def bindings(self, name=None):
        """Those of the private identity, as far as its part before the @ tells."""
        return [one for one in self.order("bindings")["bindings"] if name is None or one["impi"].split("@")[0] == name]

    def bound(self, name, count=1):
        """Waits for that many bindings. @return them"""
        harness.until(lambda: len(self.bindings(name)) == count, lambda: f"{count} bindings of {name}: {self.bindings()}; {self.log()[-3000:]}")
        return self.bindings(name)

    def counters(self):
        """Of `metrics.listen`, without the common part of their names."""
        port = re.search(r"metrics on port (\d+)", self.log())[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=harness.PATIENCE) as answer:
            text = answer.read().decode()
        return {name: int(value) for name, value in re.findall(r"(?m)^gatehouse_edge_(\w+) (\d+)$", text)}

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """SIGTERM; its exit status must be 0, and no sanitizer may have spoken."""
        status = self.process.poll()
        if status is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                status = self.process.wait(2 * harness.PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                status = "does not end"
        text = self.log()
        for word in ("Sanitizer", "runtime error:"):
            assert word not in text, text
        assert status in (0, -signal.SIGKILL), f"exit status {status}: {text[-4000:]}"


# ---- a UE by hand ------------------------------------------------------------------------------------------------


def field(message, name):
    """The first value of a header field, or ''."""
    found = re.search(rf"^{name}[ \t]*:[ \t]*(.*?)\r$", message.partition("\r\n\r\n")[0] + "\r\n", re.M | re.I)
    return found[1] if found else ""


def status(message):
    return int(message.split(" ")[1]) if message.startswith("SIP/2.0 ") else 0


def params(value):
    return {name.lower(): quoted or word for name, quoted, word in re.findall(r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^",; ]+))', value)}


def digest(challenge, user, password, method, uri, nc=1):
    """The value of Authorization that answers WWW-Authenticate (RFC 7616)."""
    asked = params(challenge)
    name = {"MD5": "md5", "SHA-256": "sha256"}[asked.get("algorithm", "MD5")]

    def h(*parts):
        return hashlib.new(name, ":".join(parts).encode()).hexdigest()

    cnonce, count = secrets.token_hex(8), f"{nc:08x}"
    response = h(h(user, asked["realm"], password), asked["nonce"], count, cnonce, "auth", h(method, uri))
    return (f'Digest username="{user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}", response="{response}", '
            f'algorithm={asked.get("algorithm", "MD5")}, cnonce="{cnonce}", qop=auth, nc={count}')


class Stream:
    """SIP messages over a connection (RFC 3261, 18.3), as a test wants them."""

    def __init__(self, sock):
        self.sock, self.held, self.messages = sock, b"", []
        self.sock.settimeout(harness.PATIENCE)

    def send(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))

    def more(self):
        """Messages that have come whole. @return False at the end of the connection"""
        try:
            octets = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            octets = b""
        self.held += octets
        while True:
            self.held = self.held.lstrip(b"\r\n")
            head, blank, rest = self.held.partition(b"\r\n\r\n")
            if not blank:
                return bool(octets)
            size = int(re.search(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d+)", head)[1])
            if len(rest) < size:
                return bool(octets)
            self.messages.append((head + blank + rest[:size]).decode("utf-8", "surrogateescape"))
            self.held = rest[size:]

    def take(self, pattern, patience=None):
        """The first message whose first line fits, taken out."""
        end = time.monotonic() + (patience or harness.PATIENCE)
        while True:
            for at, message in enumerate(self.messages):
                if re.match(pattern, message):
                    return self.messages.pop(at)
            self.sock.settimeout(max(0.001, end - time.monotonic()))
            try:
                alive = self.more()
            except TimeoutError:
                alive = False
            if not alive and not any(re.match(pattern, message) for message in self.messages):
                raise AssertionError(f"no {pattern}: {self.messages} {self.held[:200]!r}")

    def answer(self):
        """The next final response."""
        return self.take(r"SIP/2\.0 [2-6]")

    def closed(self, patience=None):
        """Waits for the end of the connection; what came before is kept."""
        end = time.monotonic() + (patience or harness.PATIENCE)
        while True:
            self.sock.settimeout(max(0.001, end - time.monotonic()))
            try:
                if not self.more():
                    return
            except TimeoutError:
                raise AssertionError(f"the connection is still there; {self.messages}") from None

    def close(self):
        self.sock.close()


def connect(port, version=None, session=None, source=None, ciphers=None, context=None, host=access.HOST, at="127.0.0.1"):
    """A TLS connection whose certificate nobody looks at: other tests have that."""
    if not context:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = version or ssl.TLSVersion.TLSv1_2
        if version:
            context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
    plain = socket.create_connection((at, port), harness.PATIENCE, source_address=source)
    return context.wrap_socket(plain, server_hostname=host, session=session)


class Ue(Stream):
    """It says what it is told to. `edge` may be a port."""

    def __init__(self, edge, name="alice", password=None, domain="home.example", sock=None, **options):
        super().__init__(sock or connect(edge if isinstance(edge, int) else edge.port, **options))
        self.name, self.domain, self.password = name, domain, password or access.PASSWORDS.get(name, "none")
        self.identity, self.impi = f"sip:{name}@{domain}", f"{name}@{domain}"
        self.here = "%s:%d" % self.sock.getsockname()[:2]
        self.call, self.tag, self.cseq, self.verify = secrets.token_hex(8), secrets.token_hex(4), 0, ""
        self.challenge = ""
        self.contact = f"<sip:{name}@{self.here};transport=tls>"

    def text(self, method, uri, *fields, sender=None, to=None, body="", call=None, contact=True):
        """A whole request; `fields` are further lines."""
        self.cseq += 1
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/TLS {self.here};branch=z9hG4bK{secrets.token_hex(8)};rport", "Max-Forwards: 70",
                 f"From: <{sender or self.identity}>;tag={self.tag}", f"To: {to or '<' + uri + '>'}", f"Call-ID: {call or self.call}",
                 f"CSeq: {self.cseq} {method}", *([f"Contact: {self.contact}"] if contact else []), *fields, f"Content-Length: {len(body.encode())}"]
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def ask(self, method, uri, *fields, **more):
        """@return the final response to it"""
        self.send(self.text(method, uri, *fields, **more))
        return self.final(method)

    def final(self, method):
        """The final response to the latest request."""
        while True:
            answer = self.answer()
            if field(answer, "CSeq") == f"{self.cseq} {method}":
                return answer

    def message(self, to, words="hello", *fields, **more):
        return self.ask("MESSAGE", to, "Content-Type: text/plain", *fields, body=words, contact=False, call=secrets.token_hex(8), **more)

    def register_text(self, *fields, expires=3600, authorization=None):
        lines = [f"Expires: {expires}", "Supported: path, outbound", *fields]
        if authorization:
            lines.append("Authorization: " + authorization)
        return self.text("REGISTER", f"sip:{self.domain}", *lines, to=f"<{self.identity}>")

    def first(self, *fields):
        """A REGISTER without a response. @return the challenge"""
        self.send(self.register_text(*fields, authorization=f'Digest username="{self.impi}", realm="{self.domain}", nonce="", '
                                     f'uri="sip:{self.domain}", response=""'))
        answer = self.final("REGISTER")
        assert status(answer) == 401, answer
        self.challenge = field(answer, "WWW-Authenticate")
        self.verify = field(answer, "Security-Server")
        return answer

    def second(self, *fields, password=None, expires=3600, nc=1, impi=None):
        """A REGISTER that answers the challenge. @return what comes"""
        self.send(self.register_text(*fields, expires=expires, authorization=digest(
            self.challenge, impi or self.impi, password or self.password, "REGISTER", f"sip:{self.domain}", nc)))
        return self.final("REGISTER")

    def register(self, *fields, **more):
        """Both of them. @return the 200"""
        self.first(*fields)
        answer = self.second(*fields, **more)
        assert status(answer) == 200, answer
        return answer

    def reply(self, request, code, *fields, body=""):
        """A response to what came."""
        copied = re.findall(r"(?im)^(?:Via|From|Call-ID|CSeq|Record-Route)\s*:.*\r\n", request.partition("\r\n\r\n")[0] + "\r\n")
        to = field(request, "To")
        to += "" if "tag=" in to else f";tag={self.tag}"
        self.send(f"SIP/2.0 {code} x\r\n{''.join(copied)}To: {to}\r\n" + "".join(line + "\r\n" for line in fields)
                  + f"Content-Length: {len(body.encode())}\r\n\r\n{body}")


class Core:
    """A network behind the edge by hand, on UDP: for what a registrar in order would not do."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(harness.PATIENCE)
        self.port = self.sock.getsockname()[1]
        self.uri = f"sip:127.0.0.1:{self.port}"
        self.edge = None

    def close(self):
        self.sock.close()

    def take(self, method):
        """The next request of this method; repetitions of others are passed over."""
        while True:
            octets, source = self.sock.recvfrom(65536)
            text = octets.decode("utf-8", "surrogateescape")
            if text.startswith(method):
                self.edge = source
                return text

    def reply(self, request, code, *fields):
        copied = re.findall(r"(?im)^(?:Via|From|Call-ID|CSeq|Record-Route)\s*:.*\r\n", request.partition("\r\n\r\n")[0] + "\r\n")
        to = field(request, "To")
        self.sock.sendto((f"SIP/2.0 {code} x\r\n{''.join(copied)}To: {to}{'' if 'tag=' in to else ';tag=core'}\r\n"
                          + "".join(line + "\r\n" for line in fields) + "Content-Length: 0\r\n\r\n").encode("utf-8", "surrogateescape"), self.edge)

    def order(self, port, word):
        """OPTIONS to sip:WORD@home.example at a port: a word to whoever has been told what to do then. @return its Call-ID"""
        return self.request(port, "OPTIONS", f"sip:{word}@home.example")

    def request(self, edge, method, uri, *fields, body=""):
        """A request of its own, to the edge, or a port. @return its Call-ID"""
        call = secrets.token_hex(8)
        text = (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport\r\nMax-Forwards: 70\r\n"
                f"From: <sip:core@home.example>;tag={secrets.token_hex(4)}\r\nTo: <{uri}>\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\n"
                f"Contact: <{self.uri}>\r\n" + "".join(line + "\r\n" for line in fields) + f"Content-Length: {len(body)}\r\n\r\n{body}")
        self.sock.sendto(text.encode(), ("127.0.0.1", edge if isinstance(edge, int) else edge.core_port))
        return call

    def answer(self, call):
        """The final response to it."""
        while True:
            text = self.sock.recv(65536).decode("utf-8", "surrogateescape")
            if status(text) >= 200 and field(text, "Call-ID") == call:
                return text


class Case(harness.Case):
    """Kamailio, and an edge in front of it, for all tests of a class. CORE: settings of the first, CHANGES: of the second."""
    CORE, CHANGES = {}, {}

    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)
        cls.core = kamailio.Kamailio(cls.folder, access.PASSWORDS, **cls.CORE)
        cls.addClassCleanup(cls.core.close)
        cls.edge = Edge(cls.folder, cls.tls, cls.core, **cls.CHANGES)
        cls.addClassCleanup(cls.edge.close)

    def ue(self, name="alice", at=None, **options):
        return self.own(Ue(at or self.edge, name, **options))
