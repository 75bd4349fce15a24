#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse ue --count N`: many user agents register by TLS, work, and take it back; what fails is counted by its cause."""
import asyncio
import collections
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import unittest

import harness
from test_ue_register import NONCE, PASSWORD, REALM, digest


class Home:
    """Registrar and proxy behind TLS, in a thread of its own: each user is reached by the connection it has registered on."""

    def __init__(self, pki, tls):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pki.path("edge.pem"), pki.path("edge.key"))
        self.heard = collections.Counter()  # requests
        self.tls, self.users, self.accepted, self.calls = tls, {}, 0, 0
        self.refuses, self.busy, self.acknowledged = False, {}, 0  # calls; those that were, by their Via
        self.silent = False  # MESSAGEs come to nobody
        self.ready, self.loop = threading.Event(), asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.ready.wait()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=self.context if self.tls else None))
        self.port = self.server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        self.server.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def cut(self):
        """All connections go without a word."""
        def now():
            for writer in list(self.users.values()):
                writer.transport.abort()
        self.loop.call_soon_threadsafe(now)

    async def serve(self, reader, writer):
        self.accepted += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head).group(1)))
                self.take(head[:-4].decode().split("\r\n"), body, writer)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    def take(self, lines, body, writer):
        fields = {name: value for name, value in (line.split(": ", 1) for line in reversed(lines[1:]))}
        self.heard[lines[0].split(" ")[0]] += 1
        if lines[0].startswith("SIP/2.0"):
            to, lines = self.users.get(self.user(fields["From"])), [x for x in lines if "home-hop" not in x]
        elif lines[0].startswith("REGISTER"):
            to, lines, body = writer, self.register(lines, fields, writer), b""
        elif lines[0].startswith("INVITE") and self.refuses:
            self.busy[fields["Via"]] = lines[0].split(" ")[1]
            to, body = writer, b""
            lines = ["SIP/2.0 486 x", *[x for x in lines if re.match("Via|From|Call-ID|CSeq", x)], f"To: {fields['To']};tag=r", "Content-Length: 0"]
        elif lines[0].startswith("ACK") and fields["Via"] in self.busy:
            self.acknowledged += self.busy[fields["Via"]] == lines[0].split(" ")[1]
            to = None
        elif lines[0].startswith("MESSAGE") and self.silent:
            to = None
        else:
            to = self.users.get(self.user(fields["To"]))
            lines[1:1] = ["Via: SIP/2.0/TLS home-hop;branch=z9hG4bKhome"]
            self.calls += lines[0].startswith("BYE")
        if to:
            to.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def register(self, lines, fields, writer):
        status, more = 401, [f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", qop="auth", algorithm=SHA-256']
        if self.proven(lines[0].split(" ")[1], fields.get("Authorization", "")):
            status, more = 200, ["Service-Route: <sip:scscf.example;lr>"]
            if fields["Expires"] == "0":
                self.users.pop(self.user(fields["To"]), None)
            else:
                self.users[self.user(fields["To"])] = writer
        copied = [x for x in lines if re.match("Via|From|Call-ID|CSeq", x)]
        return [f"SIP/2.0 {status} x", *copied, f"To: {fields['To']};tag=r", *more, "Content-Length: 0"]

    @staticmethod
    def user(text):
        return re.search("sip:([^@]*)@", text).group(1)

    @staticmethod
    def proven(uri, value):
        said = {name: quoted or word for name, quoted, word in re.findall(r'(\w+)=(?:"([^"]*)"|([^", ]+))', value)}
        return bool(said) and said["response"] == digest(
            "sha256", digest("sha256", said["username"], REALM, PASSWORD), NONCE, said["nc"], said["cnonce"], said["qop"],
            digest("sha256", "REGISTER", uri))


class Load(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-ue-load-")
        self.addCleanup(shutil.rmtree, self.folder)

    def home(self, tls=True):
        pki = harness.Pki(self.folder)
        pki.leaf("edge")
        home = Home(pki, tls)
        self.addCleanup(home.close)
        return home

    def config(self, proxy, password=PASSWORD, tls=True):
        path = os.path.join(self.folder, "password")
        with open(path, "w", encoding="ascii", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(password.encode().hex())
        path = os.path.join(self.folder, "ue.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"identity: sip:ue@{REALM}\nsip: {{proxy: ['sip:{proxy};lr'], password-file: password"
                       + (", tls: {anchors: [ca.pem]}" if tls else "") + "}\n")
        return path

    def command(self, config, *words):
        return [harness.TOOL, "ue", "--config", config, "--json", "--quiet", *words]

    def play(self, config, *words):
        """@return exit status and what it told: event -> object"""
        done = subprocess.run(self.command(config, *words), capture_output=True, text=True, check=False,
                              timeout=4 * harness.PATIENCE)
        self.errors = done.stderr
        return done.returncode, {told["event"]: told for told in map(json.loads, done.stdout.splitlines())}

    def test_all_of_it(self):
        home = self.home()
        config = self.config(f"127.0.0.1:{home.port};transport=tls")
        status, told = self.play(config, "--count", "12", "--sources", "3", "--message", "max", "--call", "max", "--refresh",
                                 "max", "--window", "3", "--duration", "200ms")
        self.assertEqual((status, told["done"]["faults"]), (0, {}), self.errors)
        self.assertEqual(told["registered"]["registered"], 12)
        works = told["done"]["works"]
        self.assertEqual(works["register"]["done"], 12)
        for name in ("message", "call", "refresh"):
            self.assertGreater(works[name]["done"], 0, name)
            self.assertEqual(works[name]["failed"], 0, name)
            self.assertLessEqual(works[name]["p50_us"], works[name]["max_us"])
        self.assertEqual((home.users, home.accepted), ({}, 12))
        self.assertEqual(home.calls, works["call"]["done"])

    def test_each_kind_has_its_turn(self):
        """Also where too few are idle for all of them."""
        home = self.home(tls=False)
        config = self.config(f"127.0.0.1:{home.port};transport=tcp", tls=False)
        with subprocess.Popen(self.command(config, "--count", "2", "--message", "max", "--call", "max", "--refresh", "max", "--duration",
                                           "1h"), text=True, stdout=subprocess.PIPE) as process:
            try:
                harness.until(lambda: home.heard["MESSAGE"] and home.heard["BYE"] and home.heard["REGISTER"] > 4, lambda: f"all kinds: {home.heard}")
            finally:
                process.terminate()
            told = [json.loads(line) for line in process.stdout]
        self.assertEqual((process.returncode, told[-1]["faults"]), (0, {}))

    def test_sessions_are_resumed_or_not(self):
        home = self.home()
        config = self.config(f"127.0.0.1:{home.port};transport=tls")
        for words, resumed in (((), True), (("--full",), False)):
            status, told = self.play(config, "--count", "3", "--churn", "max", "--window", "2", "--duration", "200ms", *words)
            self.assertEqual((status, told["done"]["faults"]), (0, {}), self.errors)
            self.assertGreater(told["done"]["works"]["churn"]["done"], 0)
            self.assertEqual(told["done"]["handshakes_resumed"] > 0, resumed)

    def test_calls_that_are_refused(self):
        home = self.home()
        home.refuses = True
        status, told = self.play(self.config(f"127.0.0.1:{home.port};transport=tls"), "--count", "3", "--call", "max", "--window", "2",
                                 "--duration", "100ms")
        refused = told["done"]["works"]["call"]["failed"]
        self.assertEqual((status, told["done"]["faults"]), (1, {"486": refused}))
        self.assertGreater(refused, 0)
        self.assertEqual((len(home.busy), home.acknowledged), (refused, refused))

    def test_a_server_that_stalls(self):
        """What could not be begun because as many as may be wait for their answers is counted, too."""
        home = self.home(tls=False)
        home.silent = True
        status, told = self.play(self.config(f"127.0.0.1:{home.port};transport=tcp", tls=False), "--count", "3", "--message", "1000", "--window", "1",
                                 "--duration", "3s", "--patience", "3s")
        work = told["done"]["works"]["message"]
        self.assertEqual((status, work["done"], told["done"]["faults"]), (1, 0, {"silent": work["failed"]}))
        self.assertGreater(work["skipped"], 0)

    def test_failures_by_cause(self):
        home = self.home(tls=False)
        config = self.config(f"127.0.0.1:{home.port};transport=tcp", "wrong", tls=False)
        status, told = self.play(config, "--count", "5", "--rate", "500")
        self.assertEqual((status, told["done"]["faults"], told["done"]["registered"]), (1, {"401": 5}, 0))
        config = self.config(f"127.0.0.1:{harness.free_port()};transport=tcp", tls=False)
        status, told = self.play(config, "--count", "5")
        self.assertEqual((status, told["done"]["faults"]), (1, {"refused": 5}))

    def test_a_server_that_is_somebody_else(self):
        home = self.home()
        config = self.config("wrong.home.example:5061;transport=tls")
        status, told = self.play(config, "--count", "2", "--to", f"127.0.0.1:{home.port}")
        self.assertEqual((status, told["done"]["faults"]), (1, {"tls": 2}))
        config = self.config("edge.home.example:5061;transport=tls")
        status, told = self.play(config, "--count", "2", "--to", f"127.0.0.1:{home.port}")
        self.assertEqual((status, told["done"]["faults"]), (0, {}))

    def test_who_was_lost_registers_again(self):
        home = self.home(tls=False)
        config = self.config(f"127.0.0.1:{home.port};transport=tcp", tls=False)
        with subprocess.Popen(self.command(config, "--count", "4", "--retry", "--duration", "1h", "--wait"), text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            self.assertEqual(json.loads(process.stdout.readline())["registered"], 4)
            process.stdin.write("\n")
            process.stdin.flush()
            home.cut()
            try:
                harness.until(lambda: home.accepted == 8 and len(home.users) == 4, "eight connections")
            finally:
                process.terminate()
            told = json.loads(process.stdout.readline())
        self.assertEqual((told["lost"], told["faults"], told["works"]["register"]["done"]), (4, {"lost": 4}, 8))
        self.assertEqual(home.users, {})
        self.assertEqual(process.returncode, 1)

    def test_progress(self):
        """A line a second, while it goes on."""
        home = self.home(tls=False)
        config = self.config(f"127.0.0.1:{home.port};transport=tcp", tls=False)
        words = [word for word in self.command(config, "--count", "2", "--wait") if word != "--quiet"]
        with subprocess.Popen(words, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.assertEqual(json.loads(process.stdout.readline())["registered"], 2)
            line = next(line for line in process.stderr if "2 of 2" in line)
            self.assertRegex(line, r"^ +\d+ s  2 of 2 registered  register 2 \(\d+/s, p99 \d+\.\d ms\)$")
            process.communicate("\n\n")
        self.assertEqual(process.returncode, 0)

    def test_wrong_words(self):
        config = self.config("127.0.0.1:9;transport=tcp", tls=False)
        for words in (("--count", "0"), ("--count", "2", "--rate", "-1"), ("--count", "2", "--window", "0"),
                      ("--count", "2", "--script", "x")):
            self.assertEqual(self.play(config, *words), (2, {}), words)
        self.assertEqual(self.play(self.config("edge.home.example;transport=tcp", tls=False), "--count", "2"), (2, {}))
        self.assertIn("--to", self.errors)
        help_text = subprocess.run(self.command(config, "--count", "1", "--help"), capture_output=True, text=True, check=False)
        self.assertEqual(help_text.returncode, 0)
        self.assertIn("--window", help_text.stdout)


if __name__ == "__main__":
    unittest.main()
