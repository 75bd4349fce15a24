#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bearers as a controller and the peers meet them: TCP role and TLS role apart from each other, SYN on request,
linkage, half-closes both ways, resets, truncation, garbage, silence, slow readers. Both engines."""
import os
import re
import select
import socket
import unittest

import harness
from harness import (Backend, Case, HAVE_OPENSSL, Made, Splice, add, connect, free_port, listens, read_all,
                     read_exactly, reset, stream, text_payload, until)

ENGINES = ("openssl", "gnutls")
DOMAINS = """
  - {{name: {e}, profile: ts33210-rel17, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, server-methods: [ca]{default}}}
"""


def each_engine(test):
    def run(self):
        for engine in ENGINES:
            with self.subTest(engine):
                try:
                    test(self, engine)
                finally:
                    self.doCleanups()
    run.__doc__ = test.__doc__
    return run


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Bearers(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.pki.leaf("gateway")
        cls.pki.leaf("ue")
        cls.shared_gateway("".join(DOMAINS.format(e=e, d=cls.folder, default=", default: true" if e == "openssl" else
                                                  "") for e in ENGINES),
                           media=", handshake-timeout: 300ms, connect-timeout: 500ms")

    def server(self, engine, backend, control="", *args):
        """The gateway as TLS and TCP server, s_client connected through; (made, peer, backend's connection)."""
        tls = stream("TCP/TLS/MSRP", "passive", 9, "active", control=f'gatehouse/dom = "{engine}"' +
                     (f", {control}" if control else ""))
        made = self.relay(self.mgc, tls, backend)
        peer = self.peer("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{made.ports[0]}",
                         "-servername", "gateway.home.example", *args)
        conn = backend.accept()
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        return made, peer, conn

    def waiting(self, engine, backend):
        tls = stream("TCP/TLS/MSRP", "passive", 9, "active", control=f'gatehouse/dom = "{engine}"')
        return self.relay(self.mgc, tls, backend)

    def talk(self, peer, conn):
        peer.send(b"up\n")
        self.assertEqual(read_exactly(conn, 3), b"up\n")
        conn.sendall(b"down\n")
        peer.says(b"down\n")

    # -- TCP role and TLS role (H.248.TLSPROF 6-1, 8.2; TS 23.333 5.20.2)

    @each_engine
    def test_tcp_client_and_tls_server(self, engine):
        backend, far, listener = self.own(Backend()), self.own(Backend()), self.own(Backend())
        splice = self.own(Splice(lambda: (far.accept(), listener.accept())))
        peer = self.peer("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{listener.port}")
        tls = stream("TCP/TLS/MSRP", "active", far.port, "passive",
                     control=f'gatehouse/dom = "{engine}", gatehouse/role = server')
        made = self.relay(self.mgc, tls, backend, tls_signals="tcpbcc/EstBNC")
        conn = backend.accept()
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        self.talk(peer, conn)
        self.assertIsNone(splice.error)
        self.end(self.mgc, made)

    @each_engine
    def test_tcp_server_and_tls_client(self, engine):
        backend, port = self.own(Backend()), free_port()
        peer = self.peer("openssl", "s_server", "-quiet", "-naccept", "1", "-accept", f"127.0.0.1:{port}",
                         *self.pki.cert("ue"))
        until(lambda: listens(port), lambda: f"s_server listens: {peer.text}")
        tls = stream("TCP/TLS/MSRP", "passive", 9, "active", control=f'gatehouse/dom = "{engine}"')
        made = self.relay(self.mgc, tls, backend, tls_signals="tlsbsc/EstBNC")
        self.own(Splice(lambda: (connect(made.ports[0]), connect(port))))
        conn = backend.accept()
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        self.talk(peer, conn)
        self.end(self.mgc, made)

    def test_syn_goes_out_on_request_only(self):
        backend = self.own(Backend())
        made = Made(self.mgc.ok("Context = $ { " + add(stream("TCP/MSRP", "active", backend.port, "passive")) + " }"))
        self.mgc.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ Media }} }} }}")
        self.assertTrue(backend.silent())
        self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Signals {{ tcpbcc/EstBNC }} }} }}")
        backend.accept()
        self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", "Type = Est,")
        self.end(self.mgc, made)

    def test_nobody_listens_and_nobody_answers(self):
        made = Made(self.mgc.ok("Context = $ { " + add(stream("TCP/MSRP", "active", free_port(), "passive"),
                                                       "tcpbcc/EstBNC") + " }"))
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", "Type = EstFail")
        self.assertIn('Cause = "refused"', notify)
        self.end(self.mgc, made)

    # -- linkage (H.248.92)

    @each_engine
    def test_a_setup_that_comes_in_sets_up_the_partner(self, engine):
        backend = self.own(Backend())
        tls = stream("TCP/TLS/MSRP", "passive", 9, "active",
                     control=f'gatehouse/dom = "{engine}", seplink/link = tcp')
        made = Made(self.mgc.ok("Context = $ { " + add(tls) + ", " +
                                add(stream("TCP/MSRP", "active", backend.port, "passive"), events=2) + " }"))
        self.assertTrue(backend.silent())
        peer = self.peer("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{made.ports[0]}")
        conn = backend.accept()
        self.mgc.take(f"Notify = {made.terms[1]} ", "tcpbcc/BNCChange", "Type = Est,")
        self.talk(peer, conn)
        self.end(self.mgc, made)

    def test_linkage_that_cannot_be_is_488(self):
        link = "seplink/link = tcp"
        for text in (stream("TCP/MSRP", "active", 7000, "passive", control=link),
                     stream("TCP/MSRP", "passive", 9, "active", control="seplink/link = tcp+tls")):
            self.mgc.refused("Context = $ { " + add(text) + " }", 488)
        self.mgc.refused("Context = $ { " + add(stream("TCP/MSRP", "passive", 9, "active", control=link)) + ", " +
                         add(stream("TCP/MSRP", "passive", 9, "active")) + " }", 488)

    # -- ends

    @each_engine
    def test_close_notify_becomes_fin_and_fin_close_notify(self, engine):
        backend = self.own(Backend())
        made, peer, conn = self.server(engine, backend)
        self.talk(peer, conn)
        conn.sendall(b"last words\n")
        conn.shutdown(socket.SHUT_WR)  # FIN -> close_notify; s_client then ends by itself, with close_notify
        peer.says(b"last words\n")
        self.assertEqual(peer.wait(), 0)
        self.assertEqual(read_all(conn), b"")
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
        self.assertIn('Alert = 0, Side = local, Cause = "partner"', notify)
        self.end(self.mgc, made)

    def test_the_peers_end_of_file_is_carried_and_the_other_way_stays_open(self):
        """s_client closes with close_notify when its input ends; what the backend still says is not lost where the
        peer still reads: a half-close of plain TCP on both sides shows it."""
        backend = self.own(Backend())
        made = Made(self.mgc.ok("Context = $ { " + add(stream("TCP/MSRP", "passive", 9, "active")) + ", " + add(
            stream("TCP/MSRP", "active", backend.port, "passive"), "tcpbcc/EstBNC", events=2) + " }"))
        near = self.own(connect(made.ports[0]))
        conn = backend.accept()
        near.sendall(b"question")
        near.shutdown(socket.SHUT_WR)
        self.assertEqual(read_all(conn), b"question")
        answer = text_payload(300000)
        conn.sendall(answer)
        conn.close()
        near.settimeout(harness.PATIENCE)
        self.assertEqual(read_all(near), answer)
        self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", "Type = Rel")
        self.end(self.mgc, made)

    @each_engine
    def test_peer_that_goes_without_close_notify_is_truncation(self, engine):
        backend = self.own(Backend())
        made, peer, conn = self.server(engine, backend)
        self.talk(peer, conn)
        peer.process.kill()  # the kernel sends FIN, nobody close_notify
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
        self.assertIn('Cause = "truncated"', notify)
        self.assertIn("Side = remote", notify)
        with self.assertRaises(ConnectionResetError):  # a stream cut short must not look whole
            read_all(conn)
        self.end(self.mgc, made)

    @each_engine
    def test_reset_of_the_backend_reaches_the_peer(self, engine):
        backend = self.own(Backend())
        made, peer, conn = self.server(engine, backend)
        self.talk(peer, conn)
        reset(conn)
        self.mgc.take(f"Notify = {made.terms[1]} ", "tcpbcc/BNCChange", "Type = Rel", 'Cause = "peer-reset"')
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel", 'Cause = "partner"')
        peer.wait()
        self.end(self.mgc, made)

    @each_engine
    def test_release_ordered_by_the_controller(self, engine):
        for what in ("tlsbsc/RelBNC", "tcpbcc/RelBNC", "tcpbcc/RelBNC { Reset = on }"):
            backend = self.own(Backend())
            made, peer, conn = self.server(engine, backend)
            self.talk(peer, conn)
            self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Signals {{ {what} }} }} }}")
            notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
            self.assertIn("Side = local", notify)
            self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", "Type = Rel")
            peer.wait()
            self.end(self.mgc, made)

    # -- bad peers

    @each_engine
    def test_garbage_on_a_tls_port(self, engine):
        for garbage in (b"GET / HTTP/1.0\r\n\r\n", bytes(4096), b"\x16\x03\x01\x40\x00" + b"A" * 0x4000,
                        b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40)):
            backend = self.own(Backend())
            made = self.waiting(engine, backend)
            conn = self.own(connect(made.ports[0]))
            conn.sendall(garbage)
            notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = EstFail")
            self.assertIn("Side = local", notify)
            # an alert at once; or, where the engine waits for the rest of a message, the handshake's limit
            self.assertRegex(notify, r'Alert = \d|Alert = -1, Side = local, Cause = "timeout"', garbage[:20])
            conn.settimeout(harness.PATIENCE)
            try:
                heard = read_all(conn)
                self.assertEqual(heard[:1], b"\x15", heard)  # an alert record, nothing else
            except ConnectionResetError:
                pass
            conn.close()
            self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", "Type = Rel")
            self.end(self.mgc, made)

    @each_engine
    def test_handshake_that_never_ends(self, engine):
        for start in (b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            backend = self.own(Backend())
            made = self.waiting(engine, backend)
            conn = self.own(connect(made.ports[0]))
            conn.sendall(start)
            notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = EstFail")
            self.assertIn('Cause = "timeout"', notify)
            self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", "Type = Rel")
            self.end(self.mgc, made)

    @each_engine
    def test_peer_that_connects_twice(self, engine):
        backend = self.own(Backend())
        made, peer, conn = self.server(engine, backend)
        with self.assertRaises(OSError):
            second = self.own(connect(made.ports[0]))
            if not second.recv(1):
                raise ConnectionResetError
        self.talk(peer, conn)
        self.end(self.mgc, made)

    @each_engine
    def test_slow_reader_stops_its_sender_and_memory_stays_bounded(self, engine):
        backend = self.own(Backend(receive_buffer=65536))
        made, peer, conn = self.server(engine, backend)
        before = self.gw.rss()
        peer.process.stdin.flush()
        fd = peer.process.stdin.fileno()
        os.set_blocking(fd, False)
        block, sent, idle = bytes(65536), 0, 0
        while idle < 20 and sent < 256 << 20:  # until everything in between is full
            try:
                sent += os.write(fd, block)
                idle = 0
            except BlockingIOError:
                idle += 1
                select.select([], [fd], [], 0.05)
        self.assertLess(sent, 64 << 20, "nobody stopped the sender")
        self.assertLess(self.gw.rss() - before, 24 << 20)
        left = sent
        while left:
            left -= len(conn.recv(min(left, 1 << 18)))
        os.set_blocking(fd, True)
        self.talk(peer, conn)
        self.end(self.mgc, made)

    @each_engine
    def test_mode_inactive_holds_octets_back(self, engine):
        backend = self.own(Backend())
        made, peer, conn = self.server(engine, backend)
        mode = "Context = {c} {{ Modify = {t} {{ Media {{ Stream = 1 {{ LocalControl {{ Mode = {m} }} }} }} }} }}"
        self.mgc.ok(mode.format(c=made.context, t=made.terms[0], m="SendOnly"))
        conn.sendall(b"goes\n")  # behind it the worker has heard of the mode
        peer.says(b"goes\n")
        peer.send(b"held\n")
        conn.sendall(b"goes too\n")
        peer.says(b"goes too\n")
        conn.setblocking(False)
        with self.assertRaises(BlockingIOError):
            conn.recv(1)
        conn.settimeout(harness.PATIENCE)
        self.mgc.ok(mode.format(c=made.context, t=made.terms[0], m="SendReceive"))
        self.assertEqual(read_exactly(conn, 5), b"held\n")
        self.end(self.mgc, made)

    # -- statistics (8.7)

    @each_engine
    def test_statistics_count_octets_above_tls(self, engine):
        backend = self.own(Backend())
        made, peer, conn = self.server(engine, backend)
        peer.send(b"x" * 999 + b"\n")
        read_exactly(conn, 1000)
        conn.sendall(b"y" * 499 + b"\n")
        peer.says(b"y" * 499)
        audit = f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ Statistics }} }} }}"
        text = until(lambda: (t := self.mgc.ok(audit)) if "tlstv/oout = 500" in (t := self.mgc.ok(audit)) else 0,
                     "statistics")
        self.assertIn("tlstv/oin = 1000", text)
        self.assertRegex(text, r"tlstv/rin = [1-9]")
        wire = int(re.search(r"tcptv/oin = (\d+)", text).group(1))
        self.assertGreater(wire, 1000)
        text = self.mgc.ok(f"Context = {made.context} {{ Subtract = {made.terms[0]} {{ Audit {{ Statistics }} }} }}")
        self.assertIn("tlstv/oin = 1000", text)
        self.mgc.ok(f"Context = {made.context} {{ Subtract = {made.terms[1]} }}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
