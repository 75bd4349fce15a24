#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""DTLS at an access leg, the clear at a core leg (docs/datagrams.md): openssl's s_client and s_server as peers, with
the keys that they export for an SRTP of our own, and a path between them that loses, doubles and delays."""
import hmac
import re
import select
import socket
import struct
import subprocess
import threading
import unittest

import harness
from harness import Case, HAVE_OPENSSL, Made
from test_bearers import ENGINES, each_engine
from test_datagrams import Peer, receive, report, rtp

DOMAIN = """
  - {{name: {e}, profile: ts33210-rel17, engine: {e}, client-auth: require, client-methods: [fingerprint],
     server-methods: [fingerprint]}}
  - {{name: {e}-again, profile: ts33310-annex-e-rel12, engine: {e}, client-auth: require, client-methods: [fingerprint],
     server-methods: [fingerprint], renegotiation: both}}
"""
EXPORT = ("-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "60")


def aes_ctr(key, iv, data):
    return subprocess.run(["openssl", "enc", "-aes-128-ctr", "-K", key.hex(), "-iv", iv.hex()], input=data,
                          capture_output=True, check=True).stdout


def mask(*parts):
    """The exclusive or of numbers, as 16 octets."""
    value = 0
    for part in parts:
        value ^= part
    return value.to_bytes(16, "big")


class Srtp:
    """One direction of SRTP_AES128_CM_HMAC_SHA1_80 (RFC 3711, 4), before its first rollover."""

    def __init__(self, key, salt):
        self.salt = int.from_bytes(salt, "big")
        made = [aes_ctr(key, mask(self.salt << 16, label << 64), bytes(size))
                for label, size in ((0, 16), (1, 20), (2, 14), (3, 16), (4, 20), (5, 14))]
        self.rtp, self.rtcp = made[:3], made[3:]

    def body(self, packet, keys, at, ssrc, index):
        salt = int.from_bytes(keys[2], "big")
        return packet[:at] + aes_ctr(keys[0], mask(salt << 16, ssrc << 64, index << 16), packet[at:])

    def tag(self, data, keys):
        return hmac.digest(keys[1], data, "sha1")[:10]

    def crypt(self, packet):
        number, ssrc = struct.unpack("!xxHxxxxI", packet[:12])
        return self.body(packet, self.rtp, 12, ssrc, number)

    def protect(self, packet):
        packet = self.crypt(packet)
        return packet + self.tag(packet + bytes(4), self.rtp)

    def unprotect(self, packet):
        if self.tag(packet[:-10] + bytes(4), self.rtp) != packet[-10:]:
            raise AssertionError("not authentic")
        return self.crypt(packet[:-10])

    def protect_rtcp(self, packet, index=1):
        packet = self.body(packet, self.rtcp, 8, struct.unpack("!xxxxI", packet[:8])[0], index)
        packet += struct.pack("!I", 0x80000000 | index)
        return packet + self.tag(packet, self.rtcp)

    def unprotect_rtcp(self, packet):
        if self.tag(packet[:-10], self.rtcp) != packet[-10:]:
            raise AssertionError("not authentic")
        index = struct.unpack("!I", packet[-14:-10])[0] & 0x7FFFFFFF
        return self.body(packet[:-14], self.rtcp, 8, struct.unpack("!xxxxI", packet[:8])[0], index)


def directions(material):
    """(client's, server's) of 60 exported octets (RFC 5764, 4.2)."""
    return Srtp(material[:16], material[32:46]), Srtp(material[16:32], material[46:60])


class Path:
    """UDP between a program and the gateway: DTLS goes through, the rest is the test's. `fate(way, n)` says what
    becomes of the n-th DTLS datagram from "near" or "far": how many of it arrive, or "late" for behind the next."""

    def __init__(self, fate=None):
        self.near, self.far, self.bell = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(3))
        for s in (self.near, self.far, self.bell):
            s.bind(("127.0.0.1", 0))
        self.near_port, self.port = (s.getsockname()[1] for s in (self.near, self.far))
        self.media, self.test = socket.socketpair(type=socket.SOCK_DGRAM)
        self.fate = fate or (lambda way, n: 1)
        self.program = self.gateway = None
        self.count = {"near": 0, "far": 0}
        self.held = {"near": [], "far": []}
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            for s in select.select([self.near, self.far, self.bell, self.media], [], [])[0]:
                if s is self.bell:
                    return
                if s is self.media:
                    self.far.sendto(self.media.recv(65536), self.gateway)
                    continue
                data, source = s.recvfrom(65536)
                if s is self.near:
                    self.program = source
                    self.pass_on("near", data, self.far, self.gateway)
                elif 20 <= data[0] <= 63:
                    self.gateway = source
                    self.pass_on("far", data, self.near, self.program)
                else:
                    self.media.send(data)

    def pass_on(self, way, data, to, address):
        fate = self.fate(way, self.count[way])
        self.count[way] += 1
        if fate == "late":
            self.held[way].append(data)
            return
        for one in [data] * fate + (self.held[way] if fate else []):
            to.sendto(one, address)
        if fate:
            self.held[way] = []

    def close(self):
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.bell.getsockname())
        self.thread.join(harness.PATIENCE)
        for s in (self.near, self.far, self.bell, self.media, self.test):
            s.close()


def leg(proto, port, local="", remote="", control="", signals=""):
    return (f"Add = $ {{ Media {{ Stream = 1 {{ LocalControl {{ Mode = SendReceive{control} }}, "
            f"Local {{\nv=0\nc=IN IP4 $\nm=audio $ {proto} 0\n{local}}}, "
            f"Remote {{\nv=0\nc=IN IP4 127.0.0.1\nm=audio {port} {proto} 0\n{remote}}} }} }}, "
            f"Events = 1 {{ tlsbsc/BNCChange, tcpbcc/BNCChange, g/cause }}{signals} }}")


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Dtls(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.pki.self_signed("ue")
        for name in ("other", "third", "nobody"):
            cls.pki.self_signed(name)
        cls.shared_gateway("".join(DOMAIN.format(e=e) for e in ENGINES))

    def call(self, engine, proto, core, setup, path, mux="", finger="ue", signals=""):
        """An access leg with DTLS towards the path, a core leg in the clear."""
        peer = self.own(Peer())
        mine, theirs = setup
        prints = f"a=fingerprint:sha-256 {self.pki.fingerprint(finger)}\n" if finger else ""
        made = Made(self.mgc.ok("Context = $ { " + leg(
            proto, path.port, f"a=setup:{mine}\n{mux}", f"a=setup:{theirs}\n{mux}{prints}",
            f', gatehouse/dom = "{engine}"', signals) + ", " +
            leg(core, peer.port) + " }"))
        path.gateway = ("127.0.0.1", made.ports[0])
        return made, peer

    def client(self, path, *args, cert="ue"):
        return self.peer("openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{path.near_port}", *args,
                         *self.pki.cert(cert))

    def material(self, program):
        program.says("Keying material: ")
        found = harness.until(lambda: re.search(rb"Keying material: ([0-9A-F]{120})", program.text), "exported keys")
        return bytes.fromhex(found.group(1).decode())

    def up(self, made):
        return self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,", 'Version = "DTLS1.2"')

    def media(self, made, path, peer, ours, theirs):
        """RTP and RTCP both ways: `ours` is the gateway's direction, `theirs` the program's."""
        for i in range(20):
            path.test.send(theirs.protect(rtp(i)))
            self.assertEqual(receive(peer.media), (rtp(i), made.ports[1]))
            peer.media.sendto(rtp(i, b"back" * 40), ("127.0.0.1", made.ports[1]))
            self.assertEqual(ours.unprotect(self.media_of(path)), rtp(i, b"back" * 40))
        path.test.send(theirs.protect_rtcp(report()))
        self.assertEqual(receive(peer.rtcp), (report(), made.ports[1] + 1))
        peer.rtcp.sendto(report(7), ("127.0.0.1", made.ports[1] + 1))
        self.assertEqual(ours.unprotect_rtcp(self.media_of(path)), report(7))

    def media_of(self, path):
        if not select.select([path.test], [], [], harness.PATIENCE)[0]:
            raise AssertionError("no SRTP came")
        return path.test.recv(65536)

    # -- DTLS-SRTP (RFC 5764)

    @each_engine
    def test_srtp_with_the_gateway_as_server(self, engine):
        path = self.own(Path())
        made, peer = self.call(engine, "UDP/TLS/RTP/SAVP", "RTP/AVP", ("passive", "active"), path, "a=rtcp-mux\n")
        self.assertRegex(made.fingerprints[0], "^[0-9A-F:]{95}$")
        program = self.client(path, "-use_srtp", "SRTP_AES128_CM_SHA1_80", *EXPORT)
        client, server = directions(self.material(program))
        self.up(made)
        self.media(made, path, peer, server, client)
        path.test.send(b"\x80" + rtp(99)[1:])  # in the clear: it gets nowhere, and the next does
        path.test.send(client.protect(rtp(100)))
        self.assertEqual(receive(peer.media)[0], rtp(100))
        self.end(self.mgc, made)

    @each_engine
    def test_srtp_with_the_gateway_as_client(self, engine):
        path = self.own(Path())
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        program = self.peer("openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{port}", "-use_srtp",
                            "SRTP_AES128_CM_SHA1_80", *EXPORT, *self.pki.cert("ue"))
        program.says("ACCEPT")
        path.program = ("127.0.0.1", port)
        made, peer = self.call(engine, "UDP/TLS/RTP/SAVPF", "RTP/AVPF", ("active", "passive"), path, "a=rtcp-mux\n",
                               signals=", Signals { tlsbsc/EstBNC }")
        client, server = directions(self.material(program))
        self.up(made)
        self.media(made, path, peer, client, server)
        self.end(self.mgc, made)

    @each_engine
    def test_the_path_loses_doubles_and_delays(self, engine):
        def fate(way, n):
            return {("near", 2): 0, ("near", 4): 2, ("far", 1): 0, ("far", 3): "late", ("far", 5): 2}.get((way, n), 1)
        path = self.own(Path(fate))
        made, peer = self.call(engine, "UDP/TLS/RTP/SAVP", "RTP/AVP", ("passive", "active"), path, "a=rtcp-mux\n")
        program = self.client(path, "-use_srtp", "SRTP_AES128_CM_SHA1_80", *EXPORT)
        client, server = directions(self.material(program))
        self.up(made)
        self.media(made, path, peer, server, client)
        self.end(self.mgc, made)

    @each_engine
    def test_without_srtp_or_with_another_certificate_it_fails(self, engine):
        for args, finger in (((), "ue"), (("-use_srtp", "SRTP_AES128_CM_SHA1_80"), "other")):
            path = self.own(Path())
            made, _ = self.call(engine, "UDP/TLS/RTP/SAVP", "RTP/AVP", ("passive", "active"), path, "a=rtcp-mux\n", finger)
            self.client(path, *args)
            text = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = EstFail")
            self.assertEqual("fingerprint-mismatch" in text, finger == "other")
            again = self.own(Path())  # the endpoint has not ended: the right one may still come
            again.gateway = path.gateway
            self.client(again, "-use_srtp", "SRTP_AES128_CM_SHA1_80", cert=finger)
            self.up(made)
            self.end(self.mgc, made)

    @each_engine
    def test_the_fingerprint_comes_after_the_handshake(self, engine):
        path = self.own(Path())
        made, peer = self.call(engine, "UDP/TLS/UDPTL", "udptl", ("passive", "active"), path, finger=None)
        program = self.client(path)
        program.says("Cipher is ECDHE")
        program.send(b"too early\n")
        self.mgc.none("tlsbsc/BNCChange")
        self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Media {{ Stream = 1 {{ Remote {{\nv=0\n"
                    f"c=IN IP4 127.0.0.1\nm=audio {path.port} UDP/TLS/UDPTL 0\na=setup:active\n"
                    f"a=fingerprint:sha-256 {self.pki.fingerprint('ue')}\n}} }} }} }} }}")
        self.up(made)
        program.send(b"in time\n")
        self.assertEqual(receive(peer.media), (b"in time\n", made.ports[1]))
        self.end(self.mgc, made)

    # -- one port for whoever comes

    @each_engine
    def test_peers_that_nobody_named_share_a_port(self, engine):
        calls, port = {}, "$"
        for name in ("ue", "other", "third"):
            peer = self.own(Peer())
            access = (f'Add = $ {{ Media {{ Stream = 1 {{ LocalControl {{ Mode = SendReceive, gatehouse/share = on, '
                      f'gatehouse/dom = "{engine}" }}, Local {{\nv=0\nc=IN IP4 $\nm=audio {port} UDP/TLS/UDPTL 0\n'
                      f'a=setup:passive\n}}, Remote {{\nv=0\nc=IN IP4 0.0.0.0\nm=audio 9 UDP/TLS/UDPTL 0\na=setup:active\n'
                      f'a=fingerprint:sha-256 {self.pki.fingerprint(name)}\n}} }} }}, Events = 1 {{ tlsbsc/BNCChange }} }}')
            adds = [access, leg("udptl", peer.port)]
            first = name == "third"  # the one of the clear is there before
            made = Made(self.mgc.ok("Context = $ { " + ", ".join(reversed(adds) if first else adds) + " }"))
            calls[name] = made.context, made.terms[first], made.ports[not first], peer, made
            port = made.ports[first]
        stranger = self.own(Path())
        stranger.gateway = ("127.0.0.1", port)
        self.client(stranger, cert="nobody")
        self.mgc.take("tlsbsc/BNCChange", "Type = EstFail", "fingerprint-mismatch")
        for name, (context, term, back, peer, made) in reversed(calls.items()):
            path = self.own(Path())
            path.gateway = ("127.0.0.1", port)
            program = self.client(path, cert=name)
            self.mgc.take(f"Notify = {term} ", "tlsbsc/BNCChange", "Type = Est,", f'Peer = "CN={name}"')
            program.send(b"from %s\n" % name.encode())
            self.assertEqual(receive(peer.media), (b"from %s\n" % name.encode(), back))
            peer.media.sendto(b"to %s\n" % name.encode(), ("127.0.0.1", back))
            program.says(f"to {name}")
        for *_, made in calls.values():
            self.end(self.mgc, made)

    # -- T.38 inside DTLS (RFC 7345)

    @each_engine
    def test_udptl_goes_both_ways_and_ends(self, engine):
        path = self.own(Path())
        made, peer = self.call(engine, "UDP/TLS/UDPTL", "udptl", ("passive", "active"), path)
        program = self.client(path)
        self.up(made)
        program.send(b"a datagram\n")
        self.assertEqual(receive(peer.media), (b"a datagram\n", made.ports[1]))
        peer.media.sendto(b"another one\n", ("127.0.0.1", made.ports[1]))
        program.says("another one")
        program.finish()  # says close_notify
        text = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
        self.assertIn("peer-close", text)
        self.mgc.none("tcpbcc/BNCChange")
        self.end(self.mgc, made)

    # -- renegotiation by order (H.248.TLSPROF 8.4)

    @each_engine
    def test_the_controller_orders_a_renegotiation(self, engine):
        """A GnuTLS server cannot ask for one over DTLS, and says so."""
        path = self.own(Path())
        made, peer = self.call(engine + "-again", "UDP/TLS/UDPTL", "udptl", ("passive", "active"), path)
        program = self.client(path)
        self.up(made)
        self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Events = 9 {{ tlsbsc/*, tlsm/* }} }} }}")
        order = f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Signals {{ tlsm/Reneg }} }} }}"
        if engine == "openssl":
            self.mgc.ok(order)
            self.mgc.take(f"Notify = {made.terms[0]} ", "tlsm/RenegDone", "Result = done")
        else:
            self.assertIn("GnuTLS, cannot ask for one", self.mgc.refused(order, 513))
        program.send(b"a datagram\n")
        self.assertEqual(receive(peer.media), (b"a datagram\n", made.ports[1]))
        program.finish()
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
        self.end(self.mgc, made)

    # -- what is not built

    def test_rtcp_of_its_own_is_refused(self):
        for local, remote in (("", ""), ("a=rtcp-mux\n", "")):
            self.mgc.refused("Context = $ { " + leg("UDP/TLS/RTP/SAVP", 4000, local, remote, ', gatehouse/dom = "openssl"')
                             + " }", 501)


if __name__ == "__main__":
    unittest.main()
