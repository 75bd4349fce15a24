# SPDX-License-Identifier: Apache-2.0
"""A SIP caller by hand, over one UDP socket (RFC 3261): it says what it is told to, and answers what others begin. Descriptions and
keys are of `gatehouse mikey offer`."""
import re
import secrets
import socket
import time

import harness


class Caller:
    def __init__(self, identity, target, port):
        self.identity, self.target, self.server = identity, target, ("127.0.0.1", int(port))
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.here = f"127.0.0.1:{self.sock.getsockname()[1]}"
        self.call, self.tag, self.to, self.remote, self.cseq = secrets.token_hex(8), secrets.token_hex(4), "", target, 0
        self.branch, self.begun = "", []

    def close(self):
        self.sock.close()

    def send(self, method, sdp="", cseq=None, branch=None):
        """A request. CANCEL and the ACK of a refusal have the numbers of what they are about."""
        if cseq is None:
            self.cseq += 1
        self.branch = branch or "z9hG4bK" + secrets.token_hex(8)
        first = method == "CANCEL" or not self.to
        text = (f"{method} {self.target if first else self.remote} SIP/2.0\r\nVia: SIP/2.0/UDP {self.here};branch={self.branch}\r\n"
                f"From: <{self.identity}>;tag={self.tag}\r\nTo: <{self.target}>{'' if first else ';tag=' + self.to}\r\n"
                f"Call-ID: {self.call}\r\nCSeq: {cseq or self.cseq} {method}\r\nMax-Forwards: 70\r\n"
                f"Contact: <sip:caller@{self.here}>\r\n")
        sdp = sdp.replace("\r\n", "\n").replace("\n", "\r\n")
        text += ("Content-Type: application/sdp\r\n" if sdp else "") + f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
        self.sock.sendto(text.encode(), self.server)

    def take(self, wanted):
        """What fits; requests that come meanwhile get their 200, and are kept."""
        end = time.monotonic() + harness.PATIENCE
        while time.monotonic() < end:
            for at, message in enumerate(self.begun):
                if re.match(wanted, message):
                    return self.begun.pop(at)
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                message = self.sock.recv(65536).decode("latin-1")
            except TimeoutError:
                break
            if message.startswith("SIP/2.0"):
                if re.match(wanted, message):
                    return message
                continue
            self.confirm(message)
            if message not in self.begun:
                self.begun.append(message)
        raise AssertionError(f"nothing like {wanted}; {self.begun}")

    def confirm(self, request):
        heads = re.findall(r"(?m)^(?:Via|From|To|Call-ID|CSeq):.*\r\n", request)
        self.sock.sendto(("SIP/2.0 200 OK\r\n" + "".join(heads) + "Content-Length: 0\r\n\r\n").encode(), self.server)

    def invite(self, sdp, status=200):
        """A whole INVITE. @return the final answer's description"""
        self.send("INVITE", sdp)
        return self.final(status)

    def final(self, status):
        answer = self.take(rf"SIP/2.0 {status} [^$]*?\bCSeq: {self.cseq} INVITE")
        tag = re.search(r"(?m)^To:.*;tag=([^;\s]+)", answer)[1]
        if status < 300:
            self.to, self.remote = tag, re.search(r"(?m)^Contact: *<([^>]+)>", answer)[1]
            self.send("ACK", cseq=self.cseq)
        else:
            old, self.to = self.to, tag
            self.send("ACK", cseq=self.cseq, branch=self.branch)
            self.to = old
        return answer.partition("\r\n\r\n")[2]

    def bye(self):
        self.send("BYE")
        self.take(rf"SIP/2.0 200 [^$]*?\bCSeq: {self.cseq} BYE")
