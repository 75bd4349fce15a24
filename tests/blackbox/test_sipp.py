#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIP calls of src/sip, over src/flow, with SIPp at the other end: its own scenarios, both ways, and a few that say what a
telephone of its kind does with CANCEL, re-INVITE and a BYE of ours."""
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

import harness

TELEPHONE = os.path.join(harness.BUILD, "tests", "blackbox", "telephone")
HEAD = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="x">
"""
COMMON = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>{to}
Call-ID: [call_id]
CSeq: {cseq}
Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>
"""


def send(method, cseq, to="[peer_tag_param]", sdp=False, branch=0, target="sip:[service]@[remote_ip]:[remote_port]"):
    """A request of SIPp's; it repeats those that want an answer."""
    common = COMMON.format(to=to, cseq=f"{cseq} {method}")
    if branch:  # of the INVITE so many steps ago
        common = common.replace("branch=[branch]", f"branch=[branch-{branch}]")
    body = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 9 RTP/AVP 0
""" if sdp else "Content-Length: 0\n\n"
    again = "" if method == "ACK" else ' retrans="500"'
    return f"<send{again}><![CDATA[\n\n{method} {target} SIP/2.0\n{common}{body}\n]]></send>\n"


def answer(status, sdp=False):
    body = send("x", 0, sdp=sdp).split("Contact: ")[1].split("\n", 1)[1].split("]]>")[0]
    return (f"<send><![CDATA[\n\nSIP/2.0 {status} x\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"
            f"Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>\n{body}\n]]></send>\n")


def recv(what, optional=False, ack=False):
    kind = "response" if isinstance(what, int) else "request"
    more = ' optional="true"' if optional else ""
    more += ' rrs="true"' if ack else ""
    return f'<recv {kind}="{what}"{more}></recv>\n'


def begun(final=200):
    return send("INVITE", 1, to="", sdp=True) + recv(100, True) + recv(180, True) + recv(final, ack=True)


SCENARIOS = {
    "busy": begun(486) + send("ACK", 1, branch=4),
    # 9: CANCEL after a provisional response, 487 to the INVITE, its ACK within the transaction
    "silent": send("INVITE", 1, to="", sdp=True) + recv(100, True) + recv(180)
    + send("CANCEL", 1, to="", branch=3) + recv(200) + recv(487) + send("ACK", 1, branch=6),
    "hang-up": begun() + send("ACK", 1) + recv("BYE") + answer(200),
    # 14: their re-INVITE, then ours, which they answer; then the BYE that our telephone sends
    "offer": begun() + send("ACK", 1) + recv("INVITE") + answer(200, sdp=True) + recv("ACK") + recv("BYE") + answer(200),
    "accept": begun() + send("ACK", 1) + send("INVITE", 2, sdp=True) + recv(100, True) + recv(200) + send("ACK", 2)
    + send("UPDATE", 3, sdp=True) + recv(200) + send("OPTIONS", 4) + recv(200) + send("BYE", 5) + recv(200),
}


def taken(port):
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        try:
            udp.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


class Phone:
    def __init__(self, *args):
        self.process = subprocess.Popen([TELEPHONE, *args], stdout=subprocess.PIPE, text=True)
        self.where = self.process.stdout.readline().split()[1]

    def end(self, kill=True):
        """What it was told, and its exit status."""
        if kill:
            self.process.terminate()
        said = self.process.stdout.read().splitlines()
        self.process.stdout.close()
        return said, self.process.wait(harness.PATIENCE)


@unittest.skipUnless(shutil.which("sipp"), "SIPp is not installed (package sip-tester)")
class Sipp(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-sipp-")
        self.addCleanup(shutil.rmtree, self.folder)

    def sipp(self, *args):
        """Its exit status is 0 when each call went as the scenario says."""
        done = subprocess.run(["sipp", "-i", "127.0.0.1", "-nostdin", "-trace_err", "-error_file", "errors", "-timeout", "20",
                               "-timeout_error", "-max_socket", "1000", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd=self.folder, check=False, timeout=60, env={**os.environ, "TERM": "dumb"})
        errors = os.path.join(self.folder, "errors")
        said = done.stdout[-2000:]
        if os.path.exists(errors):
            with open(errors, encoding="utf-8", errors="replace") as file:
                said += file.read()
        self.assertEqual(done.returncode, 0, said)

    def play(self, name, mode="u1"):
        path = os.path.join(self.folder, f"{name}.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD + SCENARIOS[name] + "</scenario>\n")
        phone = Phone("answer", {"u": "udp", "t": "tcp"}[mode[0]])
        try:
            self.sipp("-sf", path, "-s", name, "-m", "1", "-t", mode, phone.where)
        finally:
            said, status = phone.end()
        self.assertEqual(status, 0)
        return said

    def test_its_caller(self):
        for mode in ("u1", "t1", "tn"):
            with self.subTest(mode):
                phone = Phone("answer", {"u": "udp", "t": "tcp"}[mode[0]])
                try:
                    self.sipp("-sn", "uac", "-s", "ring", "-m", "50", "-r", "200", "-d", "1", "-t", mode, phone.where)
                finally:
                    said, status = phone.end()
                self.assertEqual(status, 0)
                self.assertEqual([said.count(what) for what in ("incoming", "confirmed", "over bye 0")], [50, 50, 50])

    def test_its_called_party(self):
        port = harness.free_port()
        called = subprocess.Popen(["sipp", "-i", "127.0.0.1", "-nostdin", "-sn", "uas", "-p", str(port), "-m", "50", "-timeout", "20",
                                   "-timeout_error"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
                                  env={**os.environ, "TERM": "dumb"})
        try:
            harness.until(lambda: taken(port), "SIPp's port")  # else the kernel says that nobody is there
            phone = Phone("call", f"sip:sipp@127.0.0.1:{port}", "50")
            said, status = phone.end(kill=False)
            self.assertEqual(status, 0, said)
            self.assertEqual([said.count(what) for what in ("progress", "answered", "over ours 0")], [50, 50, 50])
            self.assertEqual(called.wait(harness.PATIENCE), 0)
        finally:
            if called.poll() is None:
                called.kill()
                called.wait()

    def test_refused(self):
        self.assertEqual(self.play("busy"), ["incoming", "over ours 486"])

    def test_cancelled(self):
        for mode in ("u1", "t1"):
            self.assertEqual(self.play("silent", mode), ["incoming", "over cancelled 0"])

    def test_hung_up(self):
        for mode in ("u1", "t1"):
            self.assertEqual(self.play("hang-up", mode), ["incoming", "confirmed", "over ours 0"])

    def test_offers(self):
        for mode in ("u1", "t1"):
            self.assertEqual(self.play("accept", mode),
                             ["incoming", "confirmed", "offered", "confirmed", "offered", "over bye 0"])
            said = self.play("offer", mode)
            self.assertEqual(said, ["incoming", "confirmed", "agreed", "over ours 0"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
