# SPDX-License-Identifier: Apache-2.0
"""What the tests of gatehouse-kms share: its process, and users of their own: MIKEY-TICKET by the text of RFC 6043 and
docs/mikey.md, with the second implementation of tests/mikey, so that a mistake of src/mikey on both sides shows."""
import hashlib
import hmac
import http.client
import os
import re
import subprocess
import sys
import tempfile
import time

import harness
from harness import BUILD, until

sys.path.insert(0, os.path.join(os.environ.get("GATEHOUSE_SOURCE_ROOT", "."), "tests", "mikey"))
import aes  # noqa: E402
from test_vectors import AUTH, ENCR, SALT, Message, Reader, chain, counted, prf, u  # noqa: E402

KMS = os.path.join(BUILD, "gatehouse-kms")
PRF = "PRF-HMAC-SHA-256"
REQUEST, REQUEST_PK, RESOLVE = 11, 12, 16
URI, BYTES = 1, 2
IDRI, IDRR, IDRKMS, IDRPSK = 1, 2, 3, 4
PKE, SIGN, T, V, RANDR, IDR, TP, TICKET = 2, 4, 5, 9, 15, 14, 16, 17


def ntp(seconds):
    return u(int(seconds) + 2208988800, 4) + os.urandom(4)


def idr(role, name, kind=URI):
    return IDR, u(role, 1) + u(kind, 1) + counted(name.encode(), 2)


def chained(payloads):
    """Each payload begins with the type of the next one. @return the first's type, and the octets"""
    out = b""
    for at, (_, body) in enumerate(payloads):
        out += u(payloads[at + 1][0] if at + 1 < len(payloads) else 0, 1) + body
    return payloads[0][0], out


def policy(responder, flags=0x1f060, more=(), initiator=None):
    """A TP: base ticket, PRF-HMAC-SHA-256. `more`: payloads before IDRr."""
    inside = [idr(IDRI, initiator)] if initiator else []
    first, data = chained(inside + list(more) + [idr(IDRR, responder)])
    return TP, u(1, 2) + b"\1\1" + u(1 << 17 | flags, 3) + counted(u(first, 1) + data, 2)


def until_time(seconds):
    """TRe, NTP-UTC-32."""
    return 13, b"\3\3" + ntp(seconds)[:4]


class User:
    def __init__(self, name, kms="sip:kms.example.com", key=None, key_id=None):
        self.name, self.kms, self.key, self.key_id = name, kms, key or os.urandom(32), key_id

    def question(self, kind, about, now=None, who=None, named=True):
        """REQUEST_INIT_PSK about a TP, or RESOLVE_INIT_PSK about a TICKET."""
        role = IDRI if kind == REQUEST else IDRR
        rand, csb, who = os.urandom(16), os.urandom(4), who or self.name
        payloads = [(T, b"\0" + ntp(time.time() if now is None else now)), (RANDR, u(role, 1) + counted(rand)),
                    idr(role, who), idr(IDRKMS, self.kms), about]
        if self.key_id:
            payloads.append(idr(IDRPSK, self.key_id, BYTES))
        if not named:
            del payloads[2]
        first, data = chained(payloads + [(V, b"\2")])
        octets = b"\1" + u(kind, 1) + u(first, 1) + b"\x81" + csb + b"\0\1" + data
        self.rands = counted(rand) + b"\0" if role == IDRI else b"\0" + counted(rand)
        key = prf(PRF, self.key, u(AUTH, 4) + b"\xff" + csb + b"\1" + self.rands, 32)
        self.asked = octets + hmac.new(key, octets + who.encode() + self.kms.encode(), hashlib.sha256).digest()
        return self.asked

    def question_pk(self, about, pki, own, kms):
        """REQUEST_INIT_PK: an envelope key for the KMS, signed; by the openssl command line."""
        rand, csb = os.urandom(16), os.urandom(4)
        self.key, self.rands = os.urandom(32), counted(rand) + b"\0"

        def openssl(data, *words):
            return subprocess.run(["openssl", *words], input=data, cwd=pki.folder, capture_output=True, check=True,
                                  timeout=harness.PATIENCE).stdout
        envelope = openssl(self.key, "pkeyutl", "-encrypt", "-certin", "-inkey", kms + ".pem")
        first, data = chained([(T, b"\0" + ntp(time.time())), (RANDR, b"\1" + counted(rand)), idr(IDRI, self.name),
                               idr(IDRKMS, self.kms), about, (PKE, counted(envelope, 2)), (SIGN, b"")])
        octets = b"\1" + u(REQUEST_PK, 1) + u(first, 1) + b"\x81" + csb + b"\0\1" + data[:-1] + u(256, 2)
        signed = octets + self.name.encode() + self.kms.encode()
        self.asked = octets + openssl(signed, "dgst", "-sha256", "-sign", own + ".key")
        return self.asked

    def answer(self, octets):
        """The keys of an answer to the last question: [(type, octets)], and its message."""
        message = Message(octets)
        keys = [prf(PRF, self.key, u(use, 4) + b"\xff" + message.csb + b"\2" + self.rands, length)
                for use, length in ((AUTH, 32), (ENCR, 16), (SALT, 14))]
        mac = hmac.new(keys[0], message.unprotected() + self.asked, hashlib.sha256).digest()
        assert mac == message.payloads[-1]["mac"], "the answer's MAC is wrong"
        kemac = message.find(1)
        if not kemac:
            return [], message
        iv = bytes(a ^ b for a, b in zip(keys[2], bytes(2) + message.csb + message.time())) + bytes(2)
        clear = aes.counter(keys[1], iv, kemac["data"])
        return [(k["key_type"], k["data"]) for k in chain(Reader(clear), 20)], message


def ticket_of(message):
    ticket = message.find(TICKET)
    return TICKET, message.octets[ticket["begin"] + 1:ticket["end"]]


def error_of(octets):
    """The number in an Error message; None where there is none."""
    message = Message(octets) if octets else None
    return message.find(12)["error"] if message and message.kind == 6 else None


class Kms:
    """A process, its folder, and the tool for its users."""

    def __init__(self, folder, rules, more="", listen="http: 127.0.0.1:0", secrets=True):
        self.folder, self.file = folder, os.path.join(folder, "kms.yaml")
        if secrets:
            self.secret("master.key", os.urandom(32))
        self.configure(rules, more, listen)
        self.process = None

    def secret(self, name, octets):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(octets.hex() + "\n")
        return path

    def configure(self, rules, more="", listen="http: 127.0.0.1:0", own=""):
        """`own`: further keys of `kms`."""
        with open(self.file, "w", encoding="ascii") as file:
            file.write(f"kms: {{identity: sip:kms.example.com, store: kms.db, master-key: master.key, control: control{own}}}\n"
                       f"listen:\n  - {{{listen}}}\nmetrics: {{listen: 127.0.0.1:0}}\n{more}\nrules:\n")
            file.write("".join(f"  - {{{rule}}}\n" for rule in rules))

    def start(self):
        self.errors = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        self.process = subprocess.Popen([KMS, "-c", self.file], stderr=self.errors)  # pylint: disable=consider-using-with
        self.logged("event=started")
        ports = dict(re.findall(r"event=listening what=(\w+) at=\S+ port=(\d+)", self.log()))
        self.ports = {what: int(port) for what, port in ports.items()}
        return self

    def log(self):
        size = os.fstat(self.errors.fileno()).st_size  # no seek: its process writes where the offset is
        return os.pread(self.errors.fileno(), size, 0).decode("utf-8", "replace")

    def logged(self, text, count=1):
        def there():
            assert self.process.poll() is None, self.log()
            return self.log().count(text) >= count
        until(there, lambda: f"{text} in:\n{self.log()}")

    def kill(self, signum=9):
        if self.process:
            self.process.send_signal(signum)
            status = self.process.wait(timeout=harness.PATIENCE)
            assert signum == 9 or status == 0, self.log()
            self.errors.close()
            self.process = None

    def tool(self, *words):
        done = subprocess.run([harness.TOOL, "kms", "user", words[0], "-c", self.file, *words[1:]], capture_output=True,
                              text=True, check=False, timeout=harness.PATIENCE)
        return done.returncode, done.stdout, done.stderr

    def enroll(self, user, *words):
        path = self.secret("user.key", user.key)
        named = ("--key-id", "bytes:" + user.key_id.encode().hex()) if user.key_id else ()
        status, _, errors = self.tool("add", user.name, "--key", path, *named, *words)
        assert status == 0, errors
        return user

    def http(self, method, path, body=None, kind="application/mikey", port=None):
        conn = http.client.HTTPConnection("127.0.0.1", port or self.ports["http"], timeout=harness.PATIENCE)
        try:
            conn.request(method, path, body, {"Content-Type": kind} if kind else {})
            answer = conn.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            conn.close()

    def post(self, octets, what=None):
        """@return status and octets of the answer"""
        word = {RESOLVE: "ticketresolve"}.get(what or octets[1], "ticketrequest")
        status, headers, body = self.http("POST", "/keymanagement?requesttype=" + word, octets)
        assert not body or headers["Content-Type"] == "application/mikey", headers
        return status, body

    def metric(self, text):
        body = self.http("GET", "/metrics", kind=None, port=self.ports["metrics"])[2].decode()
        return float(re.search(re.escape("gatehouse_kms_" + text) + " ([0-9.]+)", body).group(1))


def tls_section(folder, clients="anybody"):
    return (f"tls: {{certificate: {folder}/kms.pem, key: {folder}/kms.key, anchors: [{folder}/ca.pem], "
            f"clients: {clients}}}\n")
