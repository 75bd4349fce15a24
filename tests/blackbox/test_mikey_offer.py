#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keys for other people's software: `gatehouse mikey offer` makes the offer and reads the answer, sipp carries both, and
`openssl s_client -psk` or gnutls-cli speak MSRP with the key that came out (TS 23.333, 5.20.2; RFC 6043, mode 3)."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
from agent import Agent
from kms import Kms, User

ALICE, BOB = "sip:alice@home.example", "sip:bob@home.example"
SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="an offer of somebody else's">
<send retrans="500"><![CDATA[
INVITE {to} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <{caller}>;tag=[call_number]
To: <{to}>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:alice@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

{offer}
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="{status}" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <{caller}>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
{end}
</scenario>
"""
BYE = """<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>"""


class Offering:
    """A `gatehouse mikey offer` that waits for its answer."""

    def __init__(self, *words):
        self.process = subprocess.Popen([harness.TOOL, "mikey", "offer", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.sdp = ""
        while (line := self.process.stdout.readline()) not in ("", "\n"):
            self.sdp += line

    def close(self):
        self.process.kill()
        self.process.communicate()

    def answered(self, sdp):
        out, errors = self.process.communicate(sdp, timeout=harness.PATIENCE)
        return self.process.returncode, [dict(re.findall(r"([\w-]+)=(\"[^\"]*\"|\S+)", line)) for line in out.splitlines()], errors


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-mikey-offer-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.kms = Kms(cls.folder, ['from: "sip:*@home.example", to: "sip:*@home.example"']).start()
        cls.addClassCleanup(lambda: cls.kms.kill())  # pylint: disable=unnecessary-lambda
        cls.tpk = cls.kms.secret("tickets.key", os.urandom(32))
        cls.kms.enroll(User(ALICE, key_id=None), "--ticket-key", cls.tpk, "--ticket-key-id", ALICE)
        cls.bob = cls.kms.enroll(User(BOB, key_id=None))

    def setUp(self):
        folder = tempfile.mkdtemp(dir=self.folder)
        key = self.kms.secret("bob.key", self.bob.key)
        self.ue = Agent(folder, "bob", f"identity: {BOB}\nsip: {{listen: ['udp:127.0.0.1:0']}}\nmedia: {{inbox: {folder}}}\n"
                        f"kms: {{url: 'http://127.0.0.1:{self.kms.ports['http']}/keymanagement', identity: 'sip:kms.example.com', "
                        f"key-file: '{key}'}}\n")
        self.addCleanup(lambda: self.ue.process.poll() is not None or self.ue.close(kill=True))
        self.port = self.ue.expect("sip.listen")["local"].rsplit(":", 1)[1]

    def offering(self, *words, tpk=None):
        offering = Offering("--from", ALICE, "--to", BOB, "--kms", "sip:kms.example.com", "--tpk", tpk or self.tpk, *words)
        self.addCleanup(lambda: offering.process.poll() is not None or offering.close())
        return offering

    def sipp(self, offer, status="200"):
        """sipp with that offer. @return its process, and the answer's description"""
        folder = tempfile.mkdtemp(dir=self.folder)
        messages = os.path.join(folder, "messages")
        with open(os.path.join(folder, "scenario.xml"), "w", encoding="latin-1") as file:
            file.write(SCENARIO.format(caller=ALICE, to=BOB, offer=offer.strip(), status=status,
                                       end=BYE if status == "200" else ""))
        process = subprocess.Popen(["sipp", "-sf", "scenario.xml", "-m", "1", "-i", "127.0.0.1", "-p", str(harness.free_port()), "-nostdin",
                                    "-timeout", "30s", "-trace_msg", "-message_file", messages, f"127.0.0.1:{self.port}"], cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: process.poll() is not None or process.kill())

        def answer():
            try:
                with open(messages, encoding="latin-1") as file:
                    return re.search(rf"^SIP/2.0 {status} .*?\n\n(.*?)\n-----", file.read(), re.S | re.M)
            except FileNotFoundError:
                return None
        return process, harness.until(answer, f"{status} in {messages}")[1]


@unittest.skipUnless(shutil.which("sipp"), "sipp is not installed (package sip-tester)")
class Keys(Case):
    def talk(self, command):
        """An offer carried by sipp, and MSRP by a program that has the key of its answer."""
        offering = self.offering("--unsafe-print-psk")
        process, sdp = self.sipp(offering.sdp)
        status, (stream,), errors = offering.answered(sdp)
        self.assertEqual((status, stream["verdict"], stream["tls"], stream["peer"]), (0, "agreed", "client", BOB), errors)
        own = re.search(r"a=path:(\S+)", offering.sdp)[1]
        send = (f"MSRP d93kswow SEND\r\nTo-Path: {stream['path']}\r\nFrom-Path: {own}\r\nMessage-ID: 12339sdqwer\r\nByte-Range: 1-5/5\r\n"
                "Content-Type: text/plain\r\n\r\nhello\r\n-------d93kswow$\r\n")
        client = subprocess.Popen(command(stream), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(lambda: client.poll() is not None or client.kill() or client.communicate())
        client.stdin.write(send.encode())
        client.stdin.flush()
        self.assertEqual(self.ue.expect("media.up")["psk-identity"], stream["psk-identity"])
        self.ue.expect("chat.text", text="hello")
        self.ue.do("bye").expect("call.over")
        self.assertEqual(process.wait(harness.PATIENCE), 0)
        self.assertIn(b"MSRP d93kswow 200", client.communicate(timeout=harness.PATIENCE)[0])

    def test_openssl_speaks_msrp(self):
        self.talk(lambda stream: ["openssl", "s_client", "-quiet", "-connect", f"{stream['host']}:{stream['port']}", "-psk", stream["psk"],
                                  "-psk_identity", stream["psk-identity"]])

    @unittest.skipUnless(shutil.which("gnutls-cli"), "gnutls-cli is not installed (package gnutls-bin)")
    def test_gnutls_speaks_msrp(self):
        self.talk(lambda stream: ["gnutls-cli", "--pskusername", stream["psk-identity"], "--pskkey", stream["psk"], "--priority",
                                  "NORMAL:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK", "--port", stream["port"], stream["host"]])

    def test_no_key_without_the_right_ticket(self):
        """A ticket that alice's key did not make is resolved for nobody."""
        offering = self.offering(tpk=self.kms.secret("other.key", os.urandom(32)))
        process, _ = self.sipp(offering.sdp, "403")
        self.assertEqual(process.wait(harness.PATIENCE), 0)
        self.ue.none("media.open")


class Words(Case):
    def test_keys_are_not_printed(self):
        offering = self.offering("--bfcp", "[::1]:9", "--msrp", "127.0.0.1:7000", "--setup", "actpass")
        for words in ("m=message 7000 TCP/TLS/MSRP *", "m=application 9 TCP/TLS/BFCP *", "c=IN IP6 ::1", "a=setup:actpass"):
            self.assertIn(words + "\n", offering.sdp)
        self.assertEqual(offering.sdp.count("a=key-mgmt:mikey "), 2)
        status, streams, errors = offering.answered("v=0\r\n")
        self.assertEqual((status, streams), (1, []))
        self.assertIn("gatehouse mikey: ", errors)

    def test_wrong_usage(self):
        for words in ((), ("--mode", "2"), ("--setup", "so"), ("--from", "mailto:x"), ("--msrp", "nowhere"), ("--tpk", "/nonexistent")):
            need = ["--from", ALICE, "--to", BOB, "--kms", "sip:kms.example.com", "--tpk", self.tpk] if words else []
            done = subprocess.run([harness.TOOL, "mikey", "offer", *need, *words], capture_output=True, check=False, timeout=30,
                                  stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 2, words)


if __name__ == "__main__":
    unittest.main()
