#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse ue` registers with a registrar that challenges (RFC 3261, 10 and 22; RFC 7616), goes by its Service-Route, and
takes its registration back."""
import hashlib
import os
import re
import shutil
import socket
import tempfile
import threading
import unittest

from agent import Agent

REALM, NONCE, PASSWORD = "home.example", "cmVnaXN0cmFy", "s3cret"


def digest(name, *parts):
    return hashlib.new(name, ":".join(parts).encode()).hexdigest()


class Registrar:
    """A proxy and registrar in one thread; what it was asked, in `requests`."""

    def __init__(self, algorithms=("SHA-256", "MD5")):
        self.algorithms, self.requests = algorithms, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.where = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()

    def serve(self):
        while True:
            octets, source = self.socket.recvfrom(65536)
            if not octets:
                return
            head = octets.decode().split("\r\n\r\n")[0].split("\r\n")
            fields = [line.split(": ", 1) for line in head[1:]]
            method, uri = head[0].split(" ")[:2]
            first = {name: value for name, value in reversed(fields)}
            self.requests.append((method, uri, first, [v for n, v in fields if n == "Route"]))
            status, lines = self.answer(method, uri, first)
            via = first["Via"] + f";received={source[0]};rport={source[1]}"
            copied = [f"{name}: {via if name == 'Via' else value}" for name, value in fields
                      if name in ("Via", "From", "Call-ID", "CSeq")]
            reply = [f"SIP/2.0 {status} x", *copied, f"To: {first['To']};tag=registrar", *lines, "Content-Length: 0"]
            self.socket.sendto(("\r\n".join(reply) + "\r\n\r\n").encode(), source)

    def answer(self, method, uri, fields):
        if not self.proven(method, uri, fields.get("Authorization", "")):
            return 401, [f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", qop="auth", algorithm={name}'
                         for name in self.algorithms]
        if method == "REGISTER":
            return 200, [f"Contact: {fields['Contact']};expires={fields['Expires']}",
                         f"Service-Route: <sip:{self.where};lr>, <sip:scscf.example;lr>"]
        return 200, []

    def proven(self, method, uri, value):
        said = {name: quoted or word for name, quoted, word in re.findall(r'([\w]+)=(?:"([^"]*)"|([^", ]+))', value)}
        if not said:
            return False
        name = {"SHA-256": "sha256", "MD5": "md5"}[said["algorithm"]]
        right = digest(name, digest(name, said["username"], REALM, PASSWORD), NONCE, said["nc"], said["cnonce"],
                       said["qop"], digest(name, method, uri))
        return (said["username"], said["uri"], said["response"]) == ("alice", uri, right)


class Registers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-ue-register-")
        self.addCleanup(shutil.rmtree, self.folder)

    def agent(self, registrar, password=PASSWORD, realm=REALM):
        path = os.path.join(self.folder, "password")
        with open(path, "w", encoding="ascii", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(password.encode().hex())
        return Agent(self.folder, "alice", "identity: sip:alice@home.example\n"
                     f"sip: {{registrar: 'sip:home.example', proxy: ['sip:{registrar.where};lr'], expires: 2h, "
                     f"realm: {realm}, password-file: {path}}}\n")

    def test_registered_and_taken_back(self):
        for algorithms in (("SHA-256", "MD5"), ("MD5",)):
            registrar = Registrar(algorithms)
            self.addCleanup(registrar.close)
            agent = self.agent(registrar)
            agent.expect("sip.registered", status="200")
            agent.do("message sip:bob@home.example hello")
            agent.expect("message.answer", status="200")
            self.assertEqual(agent.close(), 0)
            agent.expect("sip.unregistered", status="200")
            methods = [request[0] for request in registrar.requests]
            self.assertEqual(methods, ["REGISTER"] * 2 + ["MESSAGE"] * 2 + ["REGISTER"])
            proven = [request[2].get("Authorization", "") for request in registrar.requests]
            self.assertIn(f"algorithm={algorithms[0]}", proven[1])
            self.assertIn("nc=00000001", proven[1])
            self.assertEqual(proven[2], "")  # nobody but the registrar is told unasked
            numbers = [int(request[2]["CSeq"].split(" ")[0]) for request in registrar.requests if request[0] == "REGISTER"]
            self.assertEqual(sorted(set(numbers)), numbers)
            self.assertEqual([request[2]["Expires"] for request in registrar.requests if request[0] == "REGISTER"],
                             ["7200", "7200", "0"])
            self.assertEqual(registrar.requests[1][3], [f"<sip:{registrar.where};lr>"])
            self.assertEqual(registrar.requests[2][3], [f"<sip:{registrar.where};lr>", "<sip:scscf.example;lr>"])

    def test_wrong_password(self):
        registrar = Registrar()
        self.addCleanup(registrar.close)
        agent = self.agent(registrar, "wrong")
        agent.expect("sip.unanswered", status="401")
        self.assertEqual(agent.close(), 0)
        self.assertEqual(len(registrar.requests), 2)
        agent.none("sip.registered")
        with open(agent.errors, encoding="utf-8") as log:
            self.assertNotIn("wrong", log.read())

    def test_another_realm(self):
        registrar = Registrar()
        self.addCleanup(registrar.close)
        agent = self.agent(registrar, realm="elsewhere.example")
        agent.expect("sip.unanswered", status="401")
        self.assertEqual(agent.close(), 0)
        self.assertEqual(len(registrar.requests), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
