#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIPp drives the MRFC (TS 23.333, 5.20.2): offers are made by `gatehouse mikey offer`, what is said when is SIPp's. Whatever a
caller does, the MRFC answers and nothing is left at the MRFP."""
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import harness
import mrfc
from kms import User
from mrfc import ALICE, ROOM
from test_mikey_offer import Offering

PLAIN = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n"


def request(method, cseq, to="[peer_tag_param]", target="[next_url]", branch="", caller=ALICE, room=ROOM, sdp="", kind="application/sdp"):
    head = f"""{method} {target} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch{branch}]
From: <{caller}>;tag=[call_number]
To: <{room}>{to}
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:alice@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
"""
    body = f"Content-Type: {kind}\nContent-Length: [len]\n\n{sdp.strip()}\n" if sdp else "Content-Length: 0\n\n"
    return f"<send{'' if method == 'ACK' else ' retrans=' + chr(34) + '500' + chr(34)}><![CDATA[\n\n{head}{body}\n]]></send>\n"


def response(status, more=""):
    return f'<recv response="{status}" {more}></recv>\n'


def invite(sdp, final, **who):
    target = who.get("room", ROOM)
    return (request("INVITE", 1, to="", target=target, sdp=sdp, **who) + response(100, 'optional="true"')
            + response(180, 'optional="true"') + response(final, 'rrs="true"'))


@unittest.skipUnless(shutil.which("sipp"), "SIPp is not installed (package sip-tester)")
class Sipp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-mgc-sipp-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.stage = mrfc.Stage(cls.folder, agnostic="false")
        cls.addClassCleanup(lambda: cls.stage.close())  # pylint: disable=unnecessary-lambda
        cls.tpk = cls.stage.kms.secret("tickets.key", os.urandom(32))
        cls.stage.kms.tool("remove", ALICE)
        cls.stage.kms.enroll(User(ALICE, key_id=None), "--ticket-key", cls.tpk, "--ticket-key-id", ALICE)

    def tearDown(self):
        self.stage.empty()

    def offer(self):
        offering = Offering("--from", ALICE, "--to", ROOM, "--kms", "sip:kms.example.com", "--tpk", self.tpk)
        self.addCleanup(offering.close)
        return offering.sdp

    def sipp(self, scenario, transport="udp"):
        folder = tempfile.mkdtemp(dir=self.folder)
        with open(os.path.join(folder, "scenario.xml"), "w", encoding="latin-1") as file:
            file.write(f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="x">\n{scenario}</scenario>\n')
        process = subprocess.Popen(["sipp", "-sf", "scenario.xml", "-m", "1", "-i", "127.0.0.1", "-p", str(harness.free_port()), "-nostdin",
                                    "-t", "u1" if transport == "udp" else "t1", "-timeout", "20s", "-timeout_error", "-trace_err",
                                    "-error_file", "errors", f"127.0.0.1:{self.stage.sip[transport]}"], cwd=folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "dumb"})
        self.addCleanup(lambda: process.poll() is not None or process.kill())
        return process, os.path.join(folder, "errors")

    def play(self, scenario, transport="udp"):
        process, errors = self.sipp(scenario, transport)
        status = process.wait(2 * harness.PATIENCE)
        said = ""
        if os.path.exists(errors):
            with open(errors, encoding="utf-8", errors="replace") as file:
                said = file.read()
        self.assertEqual(status, 0, said + self.stage.mgc.log()[-3000:])

    def test_in_and_out(self):
        for transport in ("udp", "tcp"):
            self.play(invite(self.offer(), 200) + request("ACK", 1) + request("BYE", 2) + response(200), transport)

    def test_other_bodies(self):
        """A type with parameters is what it was; in a call, a body that is no SDP is refused and changes nothing."""
        offer = invite(self.offer(), 200, kind="application/sdp;charset=utf-8") + request("ACK", 1)
        self.play(offer + request("INVITE", 2, branch="-2", sdp="x", kind="text/plain") + response(100, 'optional="true"') + response(415)
                  + request("ACK", 2, branch="-6") + request("BYE", 3) + response(200))

    def test_refused(self):
        for sdp, final, who in ((PLAIN, 488, {}), (self.offer(), 403, {"caller": "sip:mallory@home.example"}),
                                (self.offer(), 404, {"room": "sip:nowhere@home.example"})):
            with self.subTest(final):
                self.play(invite(sdp, final, **who) + request("ACK", 1, target=who.get("room", ROOM), branch="-4", **who))

    def test_cancelled(self):
        """While the KMS is thinking."""
        kms = self.stage.kms.process
        kms.send_signal(signal.SIGSTOP)
        try:
            self.play(request("INVITE", 1, to="", target=ROOM, sdp=self.offer()) + response(100)
                      + request("CANCEL", 1, to="", target=ROOM, branch="-2") + response(200) + response(487)
                      + request("ACK", 1, target=ROOM, branch="-5"))
        finally:
            kms.send_signal(signal.SIGCONT)

    def test_outside(self):
        self.play(request("OPTIONS", 1, to="", target=ROOM) + response(200) + request("BYE", 2, to=";tag=x", target=ROOM) + response(481)
                  + request("REGISTER", 3, to="", target=ROOM) + response(405))


if __name__ == "__main__":
    unittest.main(verbosity=2)
