#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packages of the Iq and Mp profiles as a controller sets them and peers feel them: who may come in (gm), from which
realm's address (ipdc), how packets are marked (ds), how fast they may send (tman), how long a reply may be (seg)."""
import os
import re
import select
import socket
import unittest

import harness
from harness import Backend, Case, Controller, Made, PATIENCE, add, read_exactly, stream

TCP_SAVE_SYN, TCP_SAVED_SYN = 27, 28  # linux/tcp.h


def come(port, source, host="127.0.0.1"):
    """Connect from that loopback address; None when we are reset."""
    conn = socket.socket()
    conn.settimeout(PATIENCE)
    conn.bind((source, 0))
    try:
        conn.connect((host, port))
        return conn
    except ConnectionResetError:
        conn.close()
        return None


class Packages(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.shared_gateway("", media=", realms: [{name: core, addresses: [127.0.0.7]}]")

    def made(self, control, backend=None):
        """A listening stream with these properties, linked to the backend if there is one."""
        body = add(stream("TCP/MSRP", "passive", control=control))
        if backend:
            body += ", " + add(stream("TCP/MSRP", "active", backend.port, "passive"), "tcpbcc/EstBNC", events=2)
        return Made(self.mgc.ok(f"Context = $ {{ {body} }}"))

    def modify(self, made, control):
        self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Media {{ Stream = 1 {{ "
                    f"LocalControl {{ Mode = SendReceive, {control} }} }} }} }} }}")

    def kept_out(self, port, source):
        conn = come(port, source)
        if conn:
            with conn, self.assertRaises(ConnectionResetError):
                conn.recv(1)

    def test_strangers_are_kept_out_and_the_peer_comes_in(self):
        backend = self.own(Backend())
        made = self.made('gm/saf = ON, gm/sam = "127.0.0.32/27"', backend)
        far = backend.accept()
        for source in ("127.0.0.31", "127.0.0.64", "127.0.0.1"):
            self.kept_out(made.ports[0], source)
        self.mgc.none("tcpbcc/BNCChange.*EstFail")
        conn = self.own(come(made.ports[0], "127.0.0.33"))
        conn.sendall(b"let in")
        self.assertEqual(read_exactly(far, 6), b"let in")
        self.end(self.mgc, made)

    def test_the_controller_opens_the_gate_later(self):
        made = self.made("gm/saf = ON")  # no Remote yet: nobody
        self.kept_out(made.ports[0], "127.0.0.5")
        self.modify(made, 'gm/saf = ON, gm/sam = "127.0.0.5"')
        conn = self.own(come(made.ports[0], "127.0.0.5"))
        self.assertIsNotNone(conn)
        self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", r"127\.0\.0\.5:")
        self.end(self.mgc, made)

    def test_a_realm_has_its_address(self):
        made = self.made('ipdc/realm = "core"')
        self.assertIn("c=IN IP4 127.0.0.7", made.text)
        self.own(come(made.ports[0], "127.0.0.1", "127.0.0.7"))
        self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", "Type = Est,")
        self.mgc.refused("Context = $ { " + add(stream("TCP/MSRP", "passive", control='ipdc/realm = "edge"')) + " }",
                         449)
        can = self.mgc.ok(f"Context = {made.context} {{ AuditCapability = {made.terms[0]} {{ Audit {{ Media }} }} }}")
        self.assertIn('ipdc/realm = "core"', can)
        self.end(self.mgc, made)

    def test_the_syn_is_marked(self):
        backend = self.own(Backend())
        backend.server.setsockopt(socket.IPPROTO_TCP, TCP_SAVE_SYN, 1)
        made = Made(self.mgc.ok("Context = $ { " + add(stream("TCP/MSRP", "active", backend.port, "passive",
                                                              control="ds/dscp = 2E"), "tcpbcc/EstBNC") + " }"))
        syn = backend.accept().getsockopt(socket.IPPROTO_TCP, TCP_SAVED_SYN, 128)
        self.assertEqual(syn[1] >> 2, 0x2E)
        self.end(self.mgc, made)

    def test_a_fast_peer_is_slowed_and_loses_nothing(self):
        backend = self.own(Backend())
        made = self.made("tman/pol = ON, tman/sdr = 1, tman/mbs = 500", backend)
        far = backend.accept()
        conn = self.own(come(made.ports[0], "127.0.0.1"))
        sent = os.urandom(20000)
        conn.sendall(sent)
        self.assertEqual(read_exactly(far, 500), sent[:500])
        kept = self.mgc.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ Statistics }} }} }}")
        self.assertLess(int(re.search(r"nt/or = (\d+)", kept).group(1)), 10000)
        self.modify(made, "tman/pol = OFF")
        self.assertEqual(read_exactly(far, 19500), sent[500:])
        self.end(self.mgc, made)

    def test_what_is_not_realized_is_refused(self):
        self.mgc.refused("Context = $ { Add = $ { Events = 1 { al/on } } }", 440)
        self.mgc.refused("Context = $ { Add = $ { Events = 1 { rtp/pltrans } } }", 512)
        self.mgc.refused("Context = $ { " + add(stream("TCP/MSRP", control="tman/pol = ON")) + " }", 472)


class Segments(Case, unittest.TestCase):
    """A reply that is longer than the controller wants comes in pieces (version 3, UDP)."""

    def test_replies_are_cut_to_what_the_controller_takes(self):
        mgc = Controller(version=3)
        gw = self.gateway(controller=mgc, version=3)
        mgc.ok("Context = - { Modify = ROOT { Media { TerminationState { seg/MGCMaxPDUSize = 1000 } } } }")
        for _ in range(5):  # no more than the window of segments
            mgc.ok("Context = $ { " + add(stream("TCP/MSRP", "passive")) + " }")
        before = len(mgc.heard)
        number = mgc.send("Context = * { AuditValue = * { Audit { Media } } }")
        mgc.wait(lambda: any(re.search(rf"Reply ?= ?{number}/5/END", harness.squeeze(t)) for t in mgc.heard[before:]),
                 "the last segment")
        self.assertTrue(gw)
        for text in mgc.heard[before:]:
            self.assertLessEqual(len(text.encode()), 1000)


if __name__ == "__main__":
    unittest.main()
