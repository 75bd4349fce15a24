#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""H.248 itself inside TLS, and keys over ways that anybody could read. The controller is Python's ssl module, so that
the other end of the TLS is not ours; one test has our own tool there."""
import contextlib
import os
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading
import unittest

import harness
from harness import Case, Controller, Gateway, HAVE_OPENSSL, MG, Made, Peer, TOOL, add, free_port, stream, until

DOMAINS = """
  - {{name: control, profile: ts33210-rel17, certificate: {d}/mg.pem, key: {d}/mg.key, trust: {{anchors: [{d}/ca.pem]}},
     server-methods: [ca], client-methods: [ca], client-auth: require}}
  - {{name: keyed, profile: ts33328-annex-h}}
"""
TO = ", domain: control, peer-name: mgc.home.example"
KEY = 'gatehouse/dom = "keyed", gatehouse/pskid = "someone", gatehouse/psk = 00112233445566778899aabbccddeeff'
KEYED = "Context = $ { " + add(stream("TCP/TLS/MSRP", "passive", 9, "active", control=KEY)) + " }"


def own_address():
    """An address of this machine that is not loopback, or None. Nothing is sent."""
    with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.77", 9))
        address = sock.getsockname()[0]
        return None if address.startswith("127.") else address
    return None


class Sealed:
    """A TLS connection that one thread reads and another one writes."""

    def __init__(self, conn):
        self.conn, self.lock = conn, threading.Lock()
        conn.setblocking(False)

    def recv(self, size):
        while True:
            with self.lock:
                try:
                    return self.conn.recv(size)
                except ssl.SSLWantReadError:
                    pass
            select.select([self.conn], [], [], 1)

    def sendall(self, data):
        with self.lock:
            self.conn.setblocking(True)
            try:
                self.conn.sendall(data)
            finally:
                self.conn.setblocking(False)

    def shutdown(self, how):
        self.conn.shutdown(how)

    def close(self):
        self.conn.close()


class TlsController(Controller):
    """Controller behind Python's ssl."""

    def __init__(self, pki, name="mgc", ca="ca", asks=True, version=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pki.path(f"{name}.pem"), pki.path(f"{name}.key"))
        self.context.load_verify_locations(pki.path(f"{ca}.pem"))
        self.context.verify_mode = ssl.CERT_REQUIRED if asks else ssl.CERT_NONE
        if version:
            self.context.minimum_version = self.context.maximum_version = version
        self.handshakes, self.failures = [], []
        super().__init__("tcp")

    def serve(self, conn):
        try:
            sealed = self.context.wrap_socket(conn, server_side=True)
        except OSError as err:
            with self.lock:
                self.failures.append(str(err))
                self.lock.notify_all()
            return
        self.handshakes.append((sealed.version(), sealed.getpeercert()))
        self.conn = Sealed(sealed)
        try:
            super().serve(self.conn)
        finally:
            sealed.close()


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Secure(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        for name in ("mg", "mgc", "evil"):
            cls.pki.leaf(name)
        cls.pki.leaf("foreign", ca="other")
        cls.domains = DOMAINS.format(d=cls.folder)

    def tls(self, controller, h248=TO, **settings):
        return self.gateway(self.domains, transport="tls", controller=controller, h248=h248, **settings)

    # -- who is let in

    def test_life_inside_tls(self):
        for version in (ssl.TLSVersion.TLSv1_2, None):
            mgc = TlsController(self.pki, version=version)
            gw = self.tls(mgc)
            self.assertIn(("commonName", "mg.home.example"), [n[0] for n in mgc.handshakes[0][1]["subject"]])
            gw.logged("link: tls up peer=tls:127.0.0.1:", "side=client domain=control", "auth=ca",
                      'subject="CN=mgc.home.example', f"registered controller=tls:127.0.0.1:{mgc.port}")
            made = Made(mgc.ok(KEYED))  # a key may travel here
            self.assertNotIn("001122", made.text)
            self.end(mgc, made)
            for size in (3, 20000):  # one record, and several
                mgc.refused("Context = 4711 { " + ", ".join(["Subtract = ip/1"] * (size // 16 + 1)) + " }", 411)
            mgc.hang_up()
            mgc.take("ServiceChange = ROOT", "Disconnected|Failover|Restart")
            gw.logged("link: tls up", count=2)
            gw.stop()

    def test_a_wrong_name_is_not_the_controller(self):
        mgc = TlsController(self.pki, "evil")
        gw = self.tls(mgc, register=False)
        gw.logged("link: tls failed", "mgc.home.example", "auth=wrong-name")
        self.assertFalse(mgc.heard)

    def test_an_unknown_authority_is_not_the_controller(self):
        mgc = TlsController(self.pki, "foreign")
        gw = self.tls(mgc, register=False)
        gw.logged("link: tls failed", "auth=unknown-ca")
        self.assertFalse(mgc.heard)

    def test_a_fingerprint_instead_of_a_name(self):
        self.pki.self_signed("self")
        domains = self.domains.replace("server-methods: [ca]", "server-methods: [fingerprint]")
        print_ = self.pki.fingerprint("self")
        mgc = TlsController(self.pki, "self")
        gw = self.gateway(domains, transport="tls", controller=mgc,
                          h248=f', domain: control, peer-fingerprints: ["sha-256 {print_}"]')
        gw.logged("auth=fingerprint", "mg: registered controller=tls:")

    def test_a_controller_that_does_not_take_our_certificate(self):
        for version, words in ((ssl.TLSVersion.TLSv1_2, "tls failed"), (ssl.TLSVersion.TLSv1_3, "tls down")):
            mgc = TlsController(self.pki, ca="other", version=version)
            gw = self.tls(mgc, register=False)
            mgc.wait(lambda mgc=mgc: mgc.failures, "a failed handshake")
            gw.logged(words, "unknown_ca")  # in TLS 1.3 a client believes that it is up until then
            self.assertFalse(mgc.heard)
            gw.stop()

    # -- who comes to us

    def listening(self):
        """A gateway that listens, its controller being elsewhere."""
        mgc, port = TlsController(self.pki), free_port()
        gw = self.tls(mgc, h248=f'{TO}, also-listen: ["127.0.0.1:{port}"]')
        gw.logged(f"H.248 on tls:127.0.0.1:{port}")
        return gw, port

    def test_those_who_come_are_asked_for_their_certificate(self):
        gw, port = self.listening()
        rows = (
            ((), "auth=no-certificate"),
            (self.pki.cert("foreign"), "auth=unknown-ca"),
            (self.pki.cert("evil"), "auth=wrong-name"),
        )
        for cert, words in rows:
            client = self.peer("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", *cert)
            gw.logged(words, "side=server")
            client.close()
        good = self.peer("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", *self.pki.cert("mgc"))
        gw.logged("tls up peer=tls:127.0.0.1:", "side=server domain=control")
        text = b"MEGACO/1 [127.0.0.9]:4 Transaction = 1 { Context = - { AuditValue = ROOT { Audit { } } } }"
        good.send(struct.pack(">BBH", 3, 0, len(text) + 4) + text)
        good.says("Error = 504")  # not our controller, but it may ask

    def test_garbage_and_clear_text(self):
        gw, port = self.listening()
        for n, data in enumerate((b"\3\0\0\xffMEGACO/1 [1.2.3.4] Transaction = 1 { }", b"\x16\x03\x01\xff\xff" + bytes(70000),
                                  os.urandom(500), b"\x15\x03\x03\x00\x02\x02\x28"), 1):
            with socket.create_connection(("127.0.0.1", port)) as conn, contextlib.suppress(OSError):
                conn.sendall(data)
                conn.shutdown(socket.SHUT_WR)
                while conn.recv(4096):
                    pass
            gw.logged("link: tls failed", count=n)
        gw.controller.ok("Context = - { AuditValue = ROOT { Audit { } } }")

    def test_half_open_connections_end(self):
        mgc, port = TlsController(self.pki), free_port()
        gw = self.tls(mgc, h248=f'{TO}, handshake-timeout: 200ms, also-listen: ["127.0.0.1:{port}"]')
        with socket.create_connection(("127.0.0.1", port)) as conn:
            conn.settimeout(harness.PATIENCE)
            self.assertEqual(conn.recv(100), b"")
        gw.logged("the peer did not finish the handshake in time")

    # -- the program

    def test_reload_brings_another_certificate(self):
        mgc = TlsController(self.pki)
        gw = self.tls(mgc)
        self.pki.leaf("mg2")
        gw.write(self.domains.replace("/mg.", "/mg2."))
        gw.signal(signal.SIGHUP)
        gw.logged("reloaded: 2 TLS domains")
        mgc.ok("Context = - { AuditValue = ROOT { Audit { } } }")  # the old connection goes on
        mgc.hang_up()
        until(lambda: len(mgc.handshakes) == 2, "a new connection")
        self.assertIn(("commonName", "mg2.home.example"), [n[0] for n in mgc.handshakes[1][1]["subject"]])
        gw.write("")
        gw.signal(signal.SIGHUP)
        gw.logged("not reloaded, nothing has changed: ", "there is no TLS domain 'control'")

    def test_wrong_files(self):
        base = 'controllers: ["127.0.0.1:2944"]\nmedia: {addresses: [127.0.0.1]}\n'
        rows = (
            ("h248: {transport: tls}\n", "", "tls needs h248.domain"),
            ("h248: {transport: tls, domain: nobody}\n", "", "no TLS domain 'nobody'"),
            ("h248: {transport: tcp, domain: control}\n", self.domains, "only for h248.transport tls"),
            ("h248: {transport: tls, domain: control}\n", self.domains, "whom to expect? Set h248.peer-name"),
            (f"h248: {{transport: tls{TO}}}\n", self.domains.replace("client-auth: require", "client-auth: request"),
             "set its client-auth to require"),
            ("h248: {transport: tls, domain: control, peer-fingerprints: [md5]}\n", self.domains, "no fingerprint"),
            ('h248: {also-listen: ["127.0.0.1:1"]}\n', "", "without h248.listen"),
            ("h248: {transport: tls, domain: control} # by name\n", self.domains, None),
            (f"h248: {{transport: tls{TO}}}\n", self.domains, None),
            ("h248: {transport: tls, domain: control, unsafe-any-peer-name: true, unsafe-unprotected-keys: true}\n",
             self.domains, None),
        )
        path = os.path.join(self.folder, "checked.yaml")
        for text, domains, words in rows:
            with self.subTest(words), open(path, "w", encoding="ascii") as file:
                file.write((base.replace("127.0.0.1:2944", "mgc.home.example") if "by name" in text else base) + text + ("tls-domains:" + domains if domains else ""))
                file.flush()
                done = subprocess.run([MG, "-c", path, "-t"], capture_output=True, text=True, timeout=30, check=False)
                self.assertEqual(done.returncode != 0, words is not None, done.stderr)
                self.assertIn(words or "", done.stderr)
        self.assertIn("unsafe setting h248.unsafe-any-peer-name", done.stderr)
        self.assertIn("unsafe setting h248.unsafe-unprotected-keys", done.stderr)

    def test_our_own_tool_is_the_controller(self):
        port = free_port()
        self.write("mgc.yaml", f"""
scenario: H.248 inside TLS
controller:
  listen: 127.0.0.1:{port}
  transport: tls
  tls: {{certificate: mgc.pem, key: mgc.key, anchors: [ca.pem], peer-name: mg.home.example}}
steps:
  - receive: {{match: ['ServiceChange = ROOT', 'Method = Restart']}}
  - send: |
      {KEYED.replace(chr(10), chr(10) + "      ")}
    expect: {{match: ['Add = ip/1/1'], refuse: ['001122']}}
""")
        tool = self.peer(TOOL, "h248", "play", self.folder + "/mgc.yaml")
        until(lambda: harness.listens(port), "the controller listens")
        controller = Controller("tcp")
        gw = self.tls(controller, controllers=f'"127.0.0.1:{port}"', register=False)
        gw.logged("mg: registered controller=tls:")
        self.assertEqual(tool.wait(), 0, tool.text)
        self.assertIn(b"side=server domain=h248", tool.text)

    def test_talking_by_hand(self):
        port = free_port()
        tool = self.peer(TOOL, "h248", "talk", "--listen", f"127.0.0.1:{port}", "--transport", "tls", "--certificate",
                         self.pki.path("mgc.pem"), "--key", self.pki.path("mgc.key"), "--ca", self.pki.path("ca.pem"))
        tool.says(f"waiting for a gateway on tls:127.0.0.1:{port}")
        gw = self.tls(Controller("tcp"), controllers=f'"127.0.0.1:{port}"', register=False)
        gw.logged("mg: registered controller=tls:")
        tool.send(b"Context = - { AuditValue = ROOT { Audit { Packages } } }\n\n")
        tool.says("root-2")
        tool.finish()
        self.assertEqual(tool.wait(), 0, tool.text)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(text)

    # -- keys

    @unittest.skipUnless(own_address(), "this machine has no address but loopback")
    def test_keys_over_an_open_way(self):
        for settings, code in (("", 402), (", unsafe-unprotected-keys: true", None)):
            mgc = OpenController(own_address())
            gw = OpenGateway(self.folder, self.domains, transport="tcp", controller=mgc, h248=settings)
            self.addCleanup(gw.stop)
            if code:
                self.assertIn("use H.248 inside TLS", mgc.refused(KEYED, code))
            else:
                gw.logged("unsafe setting h248.unsafe-unprotected-keys")
                mgc.ok(KEYED)
            gw.stop()


class OpenController(Controller):
    """One that is reached by an address that is not loopback."""

    def __init__(self, host):
        self.host = host
        super().__init__("tcp")
        self.sock.shutdown(socket.SHUT_RDWR)  # wakes its thread: that one was on loopback
        self.thread.join()
        self.sock = socket.socket()
        self.sock.bind((host, 0))
        self.sock.listen(8)
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()


class OpenGateway(Gateway):
    def write(self, domains):
        self.settings["controllers"] = f'"{self.controller.host}:{self.controller.port}"'
        super().write(domains)
        with open(self.path, encoding="ascii") as file:
            text = file.read()
        with open(self.path, "w", encoding="ascii") as file:
            file.write(text.replace('listen: "127.0.0.1:', f'listen: "{self.controller.host}:'))


if __name__ == "__main__":
    unittest.main(verbosity=2)
