#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams through the gateway: RTP with RTCP, UDPTL and BFCP over UDP, as a controller and two peers meet them
(docs/datagrams.md)."""
import re
import select
import socket
import struct
import unittest

from harness import PATIENCE, Case, Made, until


class Peer:
    """Two UDP sockets, the first at an even port, the second at the next one."""

    def __init__(self):
        while True:
            self.media, self.rtcp = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
            self.media.bind(("127.0.0.1", 0))
            self.port = self.media.getsockname()[1]
            try:
                if self.port % 2 == 0:
                    self.rtcp.bind(("127.0.0.1", self.port + 1))
                    return
            except OSError:
                pass
            self.close()

    def close(self):
        self.media.close()
        self.rtcp.close()


def receive(sock):
    """(datagram, port it came from)."""
    if not select.select([sock], [], [], PATIENCE)[0]:
        raise AssertionError("no datagram came")
    data, source = sock.recvfrom(65536)
    return data, source[1]


def rtp(number, payload=b"x" * 160, ssrc=0x1234):
    return struct.pack("!BBHII", 0x80, 0, number, number * 160, ssrc) + payload


def report(ssrc=0x1234):
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, ssrc, 1, 2, 3, 4, 5)


def media(proto, peer, local="", remote="", control=""):
    return (f"Add = $ {{ Media {{ Stream = 1 {{ LocalControl {{ Mode = SendReceive{control} }}, "
            f"Local {{\nv=0\nc=IN IP4 $\nm=audio $ {proto} 0\n{local}}}, "
            f"Remote {{\nv=0\nc=IN IP4 127.0.0.1\nm=audio {peer.port} {proto} 0\n{remote}}} }} }} }}")


class Datagrams(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.shared_gateway("")

    def call(self, proto, sides=(("", ""), ("", ""))):
        """(what was made, the two peers)."""
        peers = [self.own(Peer()) for _ in range(2)]
        adds = ", ".join(media(proto, peer, *side) for peer, side in zip(peers, sides))
        return Made(self.mgc.ok(f"Context = $ {{ {adds} }}")), peers

    def statistic(self, made, end, name):
        text = self.mgc.ok(f"Context = {made.context} {{ AuditValue = {made.terms[end]} {{ Audit {{ Statistics }} }} }}")
        found = re.search(rf"{name} = (\d+)", text)
        return int(found.group(1)) if found else None

    def test_rtp_and_rtcp(self):
        made, peers = self.call("RTP/AVP")
        self.assertEqual([p % 2 for p in made.ports], [0, 0])
        for i in range(200):
            peers[0].media.sendto(rtp(i), ("127.0.0.1", made.ports[0]))
            self.assertEqual(receive(peers[1].media), (rtp(i), made.ports[1]))
        peers[1].media.sendto(rtp(7, b"back"), ("127.0.0.1", made.ports[1]))
        self.assertEqual(receive(peers[0].media), (rtp(7, b"back"), made.ports[0]))
        for one, other in ((0, 1), (1, 0)):
            peers[one].rtcp.sendto(report(), ("127.0.0.1", made.ports[one] + 1))
            self.assertEqual(receive(peers[other].rtcp), (report(), made.ports[other] + 1))
        self.assertEqual(self.statistic(made, 0, "rtp/pr"), 200)
        self.assertEqual(self.statistic(made, 1, "rtp/ps"), 200)
        self.assertEqual(self.statistic(made, 0, "nt/or"), 200 * 172 + len(report()))
        self.end(self.mgc, made)

    def test_rtcp_is_muxed_on_one_side(self):
        mux = "a=rtcp-mux\n"
        made, peers = self.call("RTP/AVPF", ((mux, mux), ("", "")))
        peers[0].media.sendto(report(), ("127.0.0.1", made.ports[0]))
        self.assertEqual(receive(peers[1].rtcp), (report(), made.ports[1] + 1))
        peers[1].rtcp.sendto(report(9), ("127.0.0.1", made.ports[1] + 1))
        self.assertEqual(receive(peers[0].media), (report(9), made.ports[0]))
        self.end(self.mgc, made)

    def test_udptl_and_bfcp(self):
        for proto in ("udptl", "UDP/BFCP"):
            with self.subTest(proto):
                made, peers = self.call(proto)
                for size in (1, 100, 1400, 3000):
                    data = bytes(i % 251 for i in range(size))
                    peers[0].media.sendto(data, ("127.0.0.1", made.ports[0]))
                    self.assertEqual(receive(peers[1].media), (data, made.ports[1]))
                self.end(self.mgc, made)

    def test_a_burst_is_not_mixed_up(self):
        made, peers = self.call("RTP/AVP")
        peers[1].media.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        for i in range(100):
            peers[0].media.sendto(rtp(i, bytes([i]) * (10 + i)), ("127.0.0.1", made.ports[0]))
        for i in range(100):
            self.assertEqual(receive(peers[1].media)[0], rtp(i, bytes([i]) * (10 + i)))
        self.end(self.mgc, made)

    def test_remote_moves_and_the_mode_closes(self):
        made, peers = self.call("RTP/AVP")
        other = self.own(Peer())
        self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[1]} {{ Media {{ Stream = 1 {{ Remote {{\nv=0\n"
                    f"c=IN IP4 127.0.0.1\nm=audio {other.port} RTP/AVP 0\n}} }} }} }} }}")
        peers[0].media.sendto(rtp(1), ("127.0.0.1", made.ports[0]))
        self.assertEqual(receive(other.media)[0], rtp(1))
        peers[0].rtcp.sendto(report(), ("127.0.0.1", made.ports[0] + 1))
        self.assertEqual(receive(other.rtcp)[0], report())
        self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[1]} {{ Media {{ Stream = 1 {{ LocalControl {{ "
                    "Mode = ReceiveOnly } } } } }")
        peers[0].media.sendto(rtp(2), ("127.0.0.1", made.ports[0]))
        until(lambda: self.statistic(made, 0, "rtp/pr") == 2, "the packet at the gateway")
        self.assertEqual(self.statistic(made, 1, "rtp/ps"), 1)
        self.end(self.mgc, made)

    def test_ports_are_free_again(self):
        made, _ = self.call("RTP/AVP")
        taken = made.ports
        self.end(self.mgc, made)
        for port in (taken[0], taken[0] + 1):
            def free(port=port):
                with socket.socket(type=socket.SOCK_DGRAM) as s:
                    try:
                        s.bind(("127.0.0.1", port))
                    except OSError:
                        return False
                return True
            until(free, f"port {port} free")

    def test_many_peers_on_one_port(self):
        share = ", gatehouse/share = on"
        calls, port = [], "$"
        for _ in range(4):
            peers = [self.own(Peer()) for _ in range(2)]
            access = media("udptl", peers[0], control=share).replace("m=audio $", f"m=audio {port}")
            made = Made(self.mgc.ok(f"Context = $ {{ {access}, {media('udptl', peers[1])} }}"))
            port = made.ports[0]
            calls.append((made, peers))
        self.assertEqual({made.ports[0] for made, _ in calls}, {port})
        for i, (made, peers) in enumerate(calls):
            peers[0].media.sendto(b"from %d" % i, ("127.0.0.1", port))
            self.assertEqual(receive(peers[1].media), (b"from %d" % i, made.ports[1]))
            peers[1].media.sendto(b"to %d" % i, ("127.0.0.1", made.ports[1]))
            self.assertEqual(receive(peers[0].media), (b"to %d" % i, port))
        again = media("udptl", calls[0][1][0], control=share).replace("m=audio $", f"m=audio {port}")
        self.mgc.refused(f"Context = $ {{ {again} }}", 510)
        for made, _ in calls:
            self.end(self.mgc, made)

    def test_what_does_not_go_together_is_refused(self):
        peer = self.own(Peer())
        self.mgc.refused(f"Context = $ {{ {media('RTP/SAVP', peer)} }}", 515)
        self.mgc.refused(f"Context = $ {{ {media('RTP/AVP', peer)}, {media('udptl', peer)} }}", 473)


if __name__ == "__main__":
    unittest.main()
