#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What commands do to bytes under way: Move between contexts of two workers, Topology, embedded signals, lists."""
import socket
import unittest

import harness
from harness import Backend, Case, HAVE_OPENSSL, Made, add, connect, read_exactly, stream

DOMAIN = """
  - {{name: d, profile: ts33210-rel17, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, server-methods: [ca], default: true}}
"""


class Commands:
    """Two contexts, each on a worker of its own: a front that a peer calls, and a connection to a backend."""

    @classmethod
    def prepare(cls):
        cls.pki.leaf("gateway")
        cls.shared_gateway(DOMAIN.format(e=cls.ENGINE, d=cls.folder), workers=2)

    def context(self, front):
        backend = self.own(Backend())
        made = self.relay(self.mgc, front, backend)
        self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[1]} {{ Signals {{ tcpbcc/EstBNC }} }} }}")
        return made, backend.accept()

    def echo(self, near, far):
        near.sendall(b"up and away\n")
        self.assertEqual(read_exactly(far, 12), b"up and away\n")
        far.sendall(b"down again\n")
        self.assertEqual(read_exactly(near, 11), b"down again\n")

    def test_a_connection_goes_to_another_context(self):
        one, back_one = self.context(stream("TCP/MSRP", "passive", 9, "active"))
        two, back_two = self.context(stream("TCP/MSRP", "passive", 9, "active"))
        near = self.own(connect(one.ports[0]))
        self.echo(near, back_one)
        self.mgc.ok(f"Context = {two.context} {{ Subtract = {two.terms[0]} {{ Audit {{ }} }} }}")
        # Without its partner it is alone for a moment; what comes then waits.
        self.mgc.ok(f"Context = {one.context} {{ Topology {{ {one.terms[0]}, {one.terms[1]}, Isolate }} }}")
        near.sendall(b"meanwhile, ")
        self.mgc.ok(f"Context = {two.context} {{ Move = {one.terms[0]} }}")
        near.sendall(b"and now\n")
        self.assertEqual(read_exactly(back_two, 19), b"meanwhile, and now\n")
        self.echo(near, back_two)
        for term in (one.terms[0], two.terms[1]):
            self.mgc.ok(f"Context = {two.context} {{ Subtract = {term} {{ Audit {{ }} }} }}")
        self.mgc.ok(f"Context = {one.context} {{ Subtract = {one.terms[1]} {{ Audit {{ }} }} }}")

    @unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
    def test_the_other_context_comes_to_a_tls_session(self):
        one, back_one = self.context(stream("TCP/TLS/MSRP", "passive", 9, "active"))
        two, back_two = self.context(stream("TCP/MSRP", "passive", 9, "active"))
        peer = self.peer("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{one.ports[0]}")
        self.mgc.take(f"Notify = {one.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        peer.send(b"first\n")
        self.assertEqual(read_exactly(back_one, 6), b"first\n")
        self.mgc.ok(f"Context = {two.context} {{ Subtract = {two.terms[0]} {{ Audit {{ }} }} }}")
        self.mgc.ok(f"Context = {two.context} {{ Move = {one.terms[0]} }}")
        peer.send(b"second\n")
        self.assertEqual(read_exactly(back_two, 7), b"second\n")
        back_two.sendall(b"third\n")
        peer.says(b"third\n")
        for made, term in ((two, one.terms[0]), (two, two.terms[1]), (one, one.terms[1])):
            self.mgc.ok(f"Context = {made.context} {{ Subtract = {term} {{ Audit {{ }} }} }}")

    def quiet(self, sock):
        """Nothing comes; the round trip through the controller is time enough for what should not."""
        for _ in range(3):
            self.mgc.ok("Context = - { AuditValue = ROOT { Audit { } } }")
        sock.setblocking(False)
        with self.assertRaises(BlockingIOError):
            sock.recv(1)
        sock.setblocking(True)

    def test_topology_stops_one_direction_or_both(self):
        made, back = self.context(stream("TCP/MSRP", "passive", 9, "active"))
        near = self.own(connect(made.ports[0]))
        self.echo(near, back)
        a, b = made.terms
        self.mgc.ok(f"Context = {made.context} {{ Topology {{ {a}, {b}, Oneway }} }}")
        near.sendall(b"one way\n")
        self.assertEqual(read_exactly(back, 8), b"one way\n")
        back.sendall(b"held\n")
        self.quiet(near)
        self.mgc.ok(f"Context = {made.context} {{ Topology {{ {a}, {b}, Isolate }} }}")
        near.sendall(b"held too\n")
        self.quiet(back)
        self.mgc.ok(f"Context = {made.context} {{ Topology {{ {a}, {b}, Bothway }} }}")
        self.assertEqual(read_exactly(near, 5), b"held\n")
        self.assertEqual(read_exactly(back, 9), b"held too\n")
        self.end(self.mgc, made)

    def test_an_embedded_signal_answers_an_event(self):
        """The peer's FIN makes the gateway release its side by itself."""
        backend = self.own(Backend())
        made = Made(self.mgc.ok(
            "Context = $ { Add = $ { Media { " + stream("TCP/MSRP", "active", backend.port, "passive") + " }, "
            "Events = 5 { tcpbcc/BNCChange { Type = Est, Embed { Signals { tcpbcc/RelBNC }, "
            "Events = 6 { tcpbcc/BNCChange } } } }, Signals { tcpbcc/EstBNC } } }"))
        conn = backend.accept()
        self.mgc.take(f"Notify = {made.terms[0]} ", "ObservedEvents = 5", "Type = Est")
        self.assertEqual(conn.recv(1), b"")
        conn.shutdown(socket.SHUT_WR)
        self.mgc.take(f"Notify = {made.terms[0]} ", "ObservedEvents = 6", "Type = Rel")
        self.end(self.mgc, made)


class OpenSSL(Commands, Case, unittest.TestCase):
    ENGINE = "openssl"


class GnuTLS(Commands, Case, unittest.TestCase):
    ENGINE = "gnutls"


if __name__ == "__main__":
    unittest.main()
