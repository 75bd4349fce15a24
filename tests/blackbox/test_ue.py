#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse ue` without SIP: two of them with each other, and with openssl and gnutls, whose octets are written here."""
import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import harness
from agent import Agent

KEY = "00112233445566778899aabbccddeeff" * 2
OWN, PEER = "msrps://127.0.0.1:7001/aaaaaaaa;tcp", "msrps://127.0.0.1:7002/bbbbbbbb;tcp"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-ue-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.agents = []
        self.key = self.file("key", KEY + "\n")
        self.inbox = os.path.join(self.folder, "inbox")
        os.mkdir(self.inbox)

    def tearDown(self):
        for agent in self.agents:
            if agent.process.poll() is None:
                agent.close(kill=True)

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, 0o600)
        return path

    def agent(self, name, config=""):
        agent = Agent(self.folder, name, f"identity: sip:{name}@home.example\n{config}")
        self.agents.append(agent)
        return agent

    def listen(self, agent, what, more=""):
        """Open a session that waits; the port it waits at."""
        agent.do(f"open {what} listen=127.0.0.1:0 {more}")
        return int(agent.expect("media.open", local="*")["local"].rsplit(":", 1)[1])

    def psk(self, identity="k"):
        return f"psk-identity={identity} psk-file={self.key}"

    def ended(self, *agents):
        for agent in agents:
            self.assertEqual(agent.close(), 0, agent.events)


class TwoOfThem(Case):
    def test_chat_and_a_file(self):
        a, b = self.agent("alice"), self.agent("bob", f"media: {{inbox: {self.inbox}}}\n")
        port = self.listen(b, "msrp", f"own={PEER} peer={OWN} {self.psk()}")
        a.do(f"open msrp connect=127.0.0.1:{port} own={OWN} peer={PEER} {self.psk()}", "say two words")
        up = a.expect("media.up", kind="msrp")
        self.assertEqual((up["role"], up["psk-identity"]), ("client", "k"))
        self.assertEqual(b.expect("media.up")["role"], "server")
        b.expect("chat.text", text="two words")
        content = os.urandom(300000)
        a.do("send " + self.file("holiday.jpg", content) + " type=image/jpeg")
        came = b.expect("chat.file", name="holiday.jpg", sha256=hashlib.sha256(content).hexdigest())
        with open(came["path"], "rb") as file:
            self.assertEqual(file.read(), content)
        a.expect("chat.sent", sha256=came["sha256"])
        a.expect("chat.report", status="200", upto="300000")
        self.ended(a, b)

    def test_floor_with_the_tls_client_that_waits(self):
        """BFCP: the TLS client may be the one that is connected to (RFC 8856, 8)."""
        a, b = self.agent("alice"), self.agent("bob")
        port = self.listen(b, "bfcp", f"conference=9 user=3 serve=1,2 tls=client {self.psk()}")
        a.do(f"open bfcp connect=127.0.0.1:{port} conference=9 user=3 tls=server {self.psk()}", "floor request 1")
        a.expect("floor.hello")
        a.expect("floor.request", status="Granted", floors="1")
        b.expect("floor.given", floor="1", user="3")
        a.do("floor request 7")
        a.expect("floor.error", code="6")
        a.do("floor release")
        a.expect("floor.request", status="Released")
        self.ended(a, b)

    def test_another_key_opens_nothing(self):
        a, b = self.agent("alice"), self.agent("bob")
        port = self.listen(b, "msrp", f"own={PEER} peer={OWN} {self.psk()}")
        other = self.file("other", KEY[::-1] + "\n")
        a.do(f"open msrp connect=127.0.0.1:{port} own={OWN} peer={PEER} psk-identity=k psk-file={other}", "say secret")
        for agent in (a, b):
            agent.expect("media.end", kind="msrp", cause="alert")
            agent.none("media.up")
        b.none("chat.text")
        self.ended(a, b)

    def test_nobody_comes(self):
        a = self.agent("alice", "media: {patience: 50ms}\n")
        self.listen(a, "msrp", f"own={OWN} peer={PEER} {self.psk()}")
        a.expect("media.end", cause="late")
        self.ended(a)


class Others(Case):
    """A peer that is not ours inside TLS; what it says in MSRP stands here."""

    def speak(self, peer, a):
        """`a` is connected with `peer`, a process: MSRP both ways through it."""
        heard = bytearray()

        def read():
            while block := os.read(peer.stdout.fileno(), 65536):
                heard.extend(block)
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        a.expect("media.up", kind="msrp", psk_identity="k")
        peer.stdin.write(f"MSRP abcd1234 SEND\r\nTo-Path: {OWN}\r\nFrom-Path: {PEER}\r\nMessage-ID: m1234\r\n"
                         "Byte-Range: 1-5/5\r\nContent-Type: text/plain\r\n\r\nhello\r\n-------abcd1234$\r\n".encode())
        peer.stdin.flush()
        a.expect("chat.text", text="hello")
        harness.until(lambda: b"MSRP abcd1234 200" in heard, lambda: bytes(heard))
        a.do("say good day")
        send = harness.until(lambda: re.search(rb"MSRP (\S+) SEND\r\n(?:.*\r\n)*\r\ngood day\r\n-------\1\$", heard),
                             lambda: bytes(heard))
        peer.stdin.write(f"MSRP {send.group(1).decode()} 200 OK\r\nTo-Path: {OWN}\r\nFrom-Path: {PEER}\r\n"
                         f"-------{send.group(1).decode()}$\r\n".encode())
        peer.stdin.flush()
        self.assertEqual(a.close(), 0)
        peer.stdin.close()
        peer.wait(harness.PATIENCE)
        thread.join(harness.PATIENCE)
        peer.stdout.close()

    def start(self, *words):
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    @unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
    def test_openssl_as_client(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                a = self.agent(f"a{version}")
                port = self.listen(a, "msrp", f"own={OWN} peer={PEER} {self.psk()}")
                self.speak(self.start("openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, "-psk", KEY,
                                      "-psk_identity", "k", "-quiet"), a)

    @unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
    def test_openssl_as_server(self):
        port = harness.free_port()
        a = self.agent("alice")
        peer = self.start("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-nocert", "-psk", KEY, "-quiet",
                          "-psk_identity", "k", "-naccept", "1")
        harness.until(lambda: harness.listens(port), "s_server listens")
        a.do(f"open msrp connect=127.0.0.1:{port} own={OWN} peer={PEER} {self.psk()}")
        self.speak(peer, a)

    @unittest.skipUnless(harness.HAVE_GNUTLS, harness.NO_GNUTLS)
    def test_gnutls_as_client(self):
        a = self.agent("alice")
        port = self.listen(a, "msrp", f"own={OWN} peer={PEER} {self.psk()}")
        self.speak(self.start("gnutls-cli", "--pskusername", "k", "--pskkey", KEY, "--logfile", "/dev/null",
                              "--priority", "NORMAL:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK", "-p", str(port), "127.0.0.1"), a)


class Hostile(Case):
    def test_a_guest_that_is_silent(self):
        """Who comes and says nothing is shown out when patience is at its end; what it says later harms nothing."""
        a = self.agent("alice", "media: {patience: 200ms}\n")
        port = self.listen(a, "msrp", f"own={OWN} peer={PEER} {self.psk()}")
        with socket.create_connection(("127.0.0.1", port)) as sock:
            a.expect("media.end", cause="late")
            with self.assertRaises(OSError):
                while True:
                    sock.sendall(b"MSRP")
                    if not sock.recv(100):
                        raise OSError("closed")
        a.do("echo still here")
        a.expect("echo")
        self.assertEqual(a.close(), 0)

    def test_nonsense_ends_that_session_only(self):
        a = self.agent("alice")
        chat = self.listen(a, "msrp", f"own={OWN.replace('msrps', 'msrp')} peer={PEER.replace('msrps', 'msrp')}")
        with socket.create_connection(("127.0.0.1", chat)) as sock:
            a.expect("media.up", kind="msrp")
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            a.expect("media.fault", kind="msrp")
            self.assertEqual(sock.recv(1000), b"")
        a.expect("media.end", kind="msrp")
        a.do("say nothing")
        a.expect("error", command="say")
        a.do("echo still here")
        a.expect("echo", text="still here")
        self.assertEqual(a.close(), 1)


class Scripts(Case):
    def run_ue(self, *words, stdin=""):
        done = subprocess.run([harness.TOOL, "ue", *words], input=stdin, capture_output=True, text=True, check=False,
                              timeout=30)
        return done.returncode, done.stdout, done.stderr

    def test_a_script_ends_where_it_fails(self):
        script = self.file("script", "echo one\nexpect chat.text within 20ms\necho two\n")
        status, out, _ = self.run_ue("--script", script)
        self.assertEqual(status, 1)
        self.assertEqual(out, 'echo text=one\nerror line=2 command=expect '
                              'text="this has not happened: chat.text"\n')

    def test_values_of_events(self):
        script = self.file("script", "echo what is new\nexpect echo text=what*\nsame $text \"what is new\"\n"
                                     "refuse echo\nset a \"b c\"\necho $a\nexpect echo text=$a\n")
        status, out, err = self.run_ue("--script", script)
        self.assertEqual((status, err), (0, ""), out)

    def test_a_person_goes_on(self):
        status, out, _ = self.run_ue(stdin="sya hello\nopen msrp\necho here\nquit\necho gone\n")
        self.assertEqual(status, 1)
        self.assertIn("did you mean 'say'?", out)
        self.assertIn("echo text=here\n", out)
        self.assertNotIn("gone", out)

    def test_wrong_usage_and_files(self):
        bad = self.file("bad.yaml", "identity: sip:a@b\nmedia: {patience: soon}\n")
        for words, told in ((["--nonsense"], "usage"), (["word"], "usage"), (["--script", "/nowhere/x"], "/nowhere/x"),
                            (["--config", bad], "bad.yaml:2:"), (["--log", "loud"], "usage")):
            status, out, err = self.run_ue(*words)
            self.assertEqual((status, out), (2, ""), words)
            self.assertIn(told, err)
        status, out, _ = self.run_ue("--help")
        self.assertEqual(status, 0)
        self.assertIn("floor request", re.sub(r"\s+", " ", out))

    def test_a_key_that_others_can_read_is_refused(self):
        os.chmod(self.key, 0o644)
        status, out, _ = self.run_ue(stdin=f"open msrp listen=127.0.0.1:0 own={OWN} peer={PEER} {self.psk()}\n")
        self.assertEqual(status, 1)
        self.assertNotIn("media.open", out)
        self.assertNotIn(KEY[:16], out)


if __name__ == "__main__":
    unittest.main()
