#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The core's side of gatehouse-edge: a registrar found by NAPTR and SRV, with another behind it (RFC 3263); one inside TLS, both ends by certificate and the
CRLs required (TS 33.310). The registrar is the test's own, on a stream."""
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import unittest

import access
import harness
from edge import Edge, Stream, Ue, digest, field, status


class Names:
    """A name server for the few names of a test: {(name, type): [data]}. NAPTR 35, SRV 33, A 1."""

    def __init__(self, records):
        self.records, self.asked = records, []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.at = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    @staticmethod
    def name(text):
        return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"

    @classmethod
    def naptr(cls, order, service, replacement):
        return struct.pack("!HH", order, 10) + b"\x01s" + bytes([len(service)]) + service.encode() + b"\0" + cls.name(replacement)

    @classmethod
    def srv(cls, priority, port, target):
        return struct.pack("!HHH", priority, 10, port) + cls.name(target)

    def serve(self):
        while True:
            try:
                asked, source = self.sock.recvfrom(4096)
            except OSError:
                return
            at, labels = 12, []
            while asked[at]:
                labels.append(asked[at + 1:at + 1 + asked[at]].decode().lower())
                at += 1 + asked[at]
            kind = struct.unpack_from("!H", asked, at + 1)[0]
            self.asked.append((".".join(labels), kind))
            found = self.records.get((".".join(labels), kind), [])
            text = asked[:2] + struct.pack("!HHHHH", 0x8580, 1, len(found), 0, 0) + asked[12:at + 5]
            for data in found:
                text += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(data)) + data
            self.sock.sendto(text, source)

    def close(self):
        self.sock.close()


class Registrar:
    """Takes connections, one after the other, and answers what comes as a registrar would."""

    def __init__(self, port=0, context=None):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(harness.PATIENCE)
        self.port, self.context, self.certificate, self.stream = self.listener.getsockname()[1], context, None, None

    def close(self):
        self.listener.close()
        if self.stream:
            self.stream.close()

    def accept(self):
        sock = self.listener.accept()[0]
        if self.context:
            sock = self.context.wrap_socket(sock, server_side=True)
            self.certificate = sock.getpeercert()
        self.stream = Stream(sock)

    def take(self, method):
        if not self.stream:
            self.accept()
        return self.stream.take(method)

    def reply(self, request, code, *fields):
        copied = re.findall(r"(?im)^(?:Via|From|Call-ID|CSeq)\s*:.*\r\n", request.partition("\r\n\r\n")[0] + "\r\n")
        to = field(request, "To")
        self.stream.send(f"SIP/2.0 {code} x\r\n{''.join(copied)}To: {to}{'' if 'tag=' in to else ';tag=core'}\r\n"
                         + "".join(line + "\r\n" for line in fields) + "Content-Length: 0\r\n\r\n")

    def bind(self, ue):
        """A registration, the network's part in the test's hand. @return the REGISTER"""
        ue.send(ue.register_text())
        self.reply(self.take("REGISTER"), 401, 'WWW-Authenticate: Digest realm="home.example", nonce="n1", qop="auth", algorithm=MD5')
        ue.challenge = field(ue.final("REGISTER"), "WWW-Authenticate")
        ue.send(ue.register_text(authorization=digest(ue.challenge, ue.impi, ue.password, "REGISTER", f"sip:{ue.domain}")))
        asked = self.take("REGISTER")
        self.reply(asked, 200, f"Contact: {field(asked, 'Contact')};expires=600", f"P-Associated-URI: <{ue.identity}>")
        assert status(ue.final("REGISTER")) == 200
        return asked


class CoreSide(harness.Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def edge(self, registrar, **core):
        """`core`: keys of that section."""
        edge = self.own(Edge(self.folder, self.tls, "sip:127.0.0.1:9", wait=False))
        edge.kill()
        edge.settings["core"].update(core, registrar=registrar, proxy=registrar)
        return edge

    def names(self, *ports):
        """core.example: TCP at these ports of 127.0.0.1, in this order."""
        return self.own(Names({("core.example", 35): [Names.naptr(10, "SIP+D2T", "_sip._tcp.core.example")],
                               ("_sip._tcp.core.example", 33): [Names.srv(number, port, "one.core.example") for number, port in enumerate(ports)],
                               ("one.core.example", 1): [socket.inet_aton("127.0.0.1")]}))

    def test_names_and_the_next_one(self):
        """NAPTR, SRV, and the second where the first is dead; the first again once it lives and the second is gone."""
        second, dead = self.own(Registrar()), harness.free_port()
        edge = self.edge("sip:core.example;lr", dns=self.names(dead, second.port).at, avoid="10ms")
        edge.start()
        ue = self.own(Ue(edge))
        asked = second.bind(ue)
        self.assertIn("SIP/2.0/TCP", field(asked, "Via"))
        first = self.own(Registrar(dead))
        second.close()
        other = self.own(Ue(edge, "bob"))
        first.bind(other)
        self.assertEqual({one["impi"] for one in edge.bindings()}, {ue.impi, other.impi})

    def test_nobody_is_there(self):
        """503 becomes 500 on its way down (RFC 3261, 16.7, 6); the UE may go on trying on its flow."""
        edge = self.edge("sip:core.example;lr", dns=self.names(harness.free_port(), harness.free_port()).at)
        edge.start()
        ue = self.own(Ue(edge))
        for _ in range(2):
            ue.send(ue.register_text())
            self.assertIn(status(ue.final("REGISTER")), (500, 503, 504))
        edge.logged('event=refused .*method=REGISTER why="there is no way to its next hop"', 2)
        self.assertEqual(edge.bindings(), [])

    def test_an_answer_by_another_connection(self):
        """The connection that a call came by goes while it rings: its refusal goes to where that came from, at the port of its Via (RFC 3261, 18.2.2)."""
        registrar, other = self.own(Registrar()), self.own(Registrar())
        edge = self.edge(f"sip:127.0.0.1:{registrar.port};transport=tcp;lr")
        edge.start()
        ue = self.own(Ue(edge))
        asked = registrar.bind(ue)
        caller = self.own(Stream(socket.create_connection(("127.0.0.1", edge.core_port))))
        caller.send(f"INVITE sip:alice@{ue.here};transport=tls SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:{other.port};branch=z9hG4bKcall\r\n"
                    f"Route: {field(asked, 'Path')}\r\nMax-Forwards: 70\r\nFrom: <sip:bob@home.example>;tag=1\r\nTo: <{ue.identity}>\r\n"
                    f"Call-ID: rings\r\nCSeq: 1 INVITE\r\nContact: <sip:bob@127.0.0.1:{other.port};transport=tcp>\r\nContent-Length: 0\r\n\r\n")
        invite = ue.take("INVITE")
        ue.reply(invite, 180)
        caller.take(r"SIP/2\.0 180")
        caller.close()
        ue.send(ue.text("MESSAGE", "sip:bob@home.example", contact=False))  # when that is answered the edge has seen the end
        registrar.reply(registrar.take("MESSAGE"), 200)
        self.assertEqual(status(ue.final("MESSAGE")), 200)
        ue.reply(invite, 486)
        self.assertEqual(field(other.take(r"SIP/2\.0 486"), "Call-ID"), "rings")
        ue.take("ACK")

    def test_a_caller_is_cut_off(self):
        """A UE calls and is gone: the one that rings is told (TS 24.229, 5.2.8: R)."""
        registrar = self.own(Registrar())
        edge = self.edge(f"sip:127.0.0.1:{registrar.port};transport=tcp;lr")
        edge.start()
        ue = self.own(Ue(edge))
        registrar.bind(ue)
        ue.send(ue.text("INVITE", "sip:bob@home.example"))
        invite = registrar.take("INVITE")
        registrar.reply(invite, 180)
        ue.take(r"SIP/2\.0 180")
        ue.close()
        cancel = registrar.take("CANCEL")
        self.assertEqual(field(cancel, "Via"), field(invite, "Via"))
        registrar.reply(cancel, 200)
        registrar.reply(invite, 487)
        registrar.take("ACK")

    # ---- TLS to the core

    def operators(self, name, revoked=False, crl=True, cache=None):
        """A registrar with a certificate, and an edge that asks for its CRL. @return both"""
        self.pki.leaf(name, more="")
        self.pki.leaf(name + "edge")
        # by the name that the edge connects to (RFC 5922, 7.2)
        where = access.certificate(self.pki, f"{name}.core.example", also=("localhost",))
        self.pki.crl(f"{name}.crl", *([f"{name}.core.example"] if revoked else []))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(where["cert"], where["key"])
        context.load_verify_locations(where["ca"])
        context.verify_mode = ssl.CERT_REQUIRED
        registrar = self.own(Registrar(context=context))
        edge = self.edge(f"sip:localhost:{registrar.port};transport=tls;lr", domain="core")
        edge.settings["core"]["listen"].append(f"tls:127.0.0.1:{harness.free_port()}")
        edge.settings["tls-domains"].append({
            "name": "core", "profile": "ts33210-rel17", "certificate": self.pki.path(f"{name}edge.pem"), "key": self.pki.path(f"{name}edge.key"),
            "anchors": [where["ca"]], "crl-required": True, "certificate-profile": "none", **({"cache": cache} if cache else {"crls": [self.pki.path(f"{name}.crl")] if crl else []})})
        if cache:
            subprocess.run([os.path.join(harness.BUILD, "tests", "blackbox", "cache_put"), cache, self.pki.path("ca.pem"), self.pki.path(f"{name}.crl")],
                           check=True)
        edge.start()
        return registrar, edge

    def test_tls_both_ways(self):
        registrar, edge = self.operators("good")
        ue = self.own(Ue(edge))
        asked = registrar.bind(ue)
        self.assertIn("SIP/2.0/TLS", field(asked, "Via"))
        self.assertIn(("DNS", "goodedge.home.example"), registrar.certificate["subjectAltName"])
        self.assertEqual(len(edge.bindings()), 1)

    def test_a_core_that_is_revoked_later(self):
        """By a new CRL in the cache folder, and by one that a reload reads: the connection ends."""
        put = os.path.join(harness.BUILD, "tests", "blackbox", "cache_put")
        for how in ("cache", "reload"):
            with self.subTest(how):
                cache = os.path.join(self.folder, f"cache-{how}")
                os.mkdir(cache)
                registrar, edge = self.operators(how, cache=cache if how == "cache" else None)
                ue = self.own(Ue(edge))
                registrar.bind(ue)
                self.pki.crl(f"{how}.crl", f"{how}.core.example")
                if how == "cache":
                    subprocess.run([put, cache, self.pki.path("ca.pem"), self.pki.path(f"{how}.crl")], check=True)
                else:
                    edge.process.send_signal(signal.SIGHUP)
                edge.logged("tls condemned .*action=end")
                registrar.stream.closed()
                ue.send(ue.register_text())
                with self.assertRaises((ssl.SSLError, OSError)):
                    registrar.accept()
                    registrar.stream.take("REGISTER")
                self.assertGreaterEqual(status(ue.final("REGISTER")), 500)

    def refused(self, words, **how):
        registrar, edge = self.operators(words.replace("-", ""), **how)
        ue = self.own(Ue(edge))
        ue.send(ue.register_text())
        with self.assertRaises((ssl.SSLError, OSError)):
            registrar.accept()
            registrar.stream.take("REGISTER")
        self.assertGreaterEqual(status(ue.final("REGISTER")), 500)
        edge.logged(f"tls failed .*auth={words}")

    def test_a_revoked_core(self):
        self.refused("revoked", revoked=True)

    def test_no_list_no_core(self):
        """Hard fail: without the CRL nobody is believed (TS 33.310, 5.2.2.2)."""
        self.refused("crl-missing", crl=False)


if __name__ == "__main__":
    unittest.main()
