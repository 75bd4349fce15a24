#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Once more with the same peer: renegotiation by RFC 5746 in both roles (H.248.TLSPROF 7-5, TS 23.333 5.20.2) and
resumption in both roles (7-6). The far peers are openssl s_client and s_server, gnutls-cli and gnutls-serv. Both
engines."""
import shutil
import signal
import unittest

import harness
from harness import Backend, Case, HAVE_OPENSSL, free_port, listens, read_exactly, stream, until

ENGINES = ("openssl", "gnutls")
HAVE_GNUTLS = bool(shutil.which("gnutls-cli") and shutil.which("gnutls-serv"))
NO_GNUTLS = "no gnutls-cli and gnutls-serv here (Debian: gnutls-bin)"
DOMAINS = """
  - {{name: {e}-again, profile: ts33310-annex-e-rel12, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, server-methods: [ca]{default}}}
  - {{name: {e}-never, profile: ts33210-rel17, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, server-methods: [ca]}}
  - {{name: {e}-mute, profile: ts33310-annex-e-rel12, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none, renegotiation: none}}
  - {{name: {e}-asks, profile: ts33310-annex-e-rel12, engine: {e}, certificate: {d}/gateway.pem,
     key: {d}/gateway.key, trust: {{anchors: [{d}/ca.pem]}}, client-auth: require, client-methods: [ca]}}
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
class Again(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.pki.leaf("gateway", key="rsa")
        cls.pki.leaf("ue", key="rsa")
        cls.shared_gateway("".join(DOMAINS.format(e=e, d=cls.folder, default=", default: true" if e == "openssl" else
                                                  "") for e in ENGINES), workers=1)

    def as_server(self, domain, *command, control=""):
        """The gateway as TLS server, that client come through: (made, peer, backend's connection, Notify)."""
        backend = self.own(Backend())
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                           control=f'gatehouse/dom = "{domain}"{control}'), backend)
        peer = self.peer(*(word.format(port=made.ports[0]) for word in command))
        conn = backend.accept()
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        return made, peer, conn, notify

    def server(self, *command):
        """That server, listening: (peer, port)."""
        port = free_port()
        peer = self.peer(*(word.format(port=port) for word in command))
        until(lambda: listens(port), lambda: f"it listens: {peer.text}")
        return peer, port

    def as_client(self, domain, port):
        """The gateway as TLS client: (made, backend's connection, Notify)."""
        backend = self.own(Backend())
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "active", port, "passive",
                                           control=f'gatehouse/dom = "{domain}"'), backend,
                          tls_signals="tcpbcc/EstBNC, tlsbsc/EstBNC")
        conn = backend.accept()
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        return made, conn, notify

    def talk(self, peer, conn):
        peer.send(b"up\n")
        self.assertEqual(read_exactly(conn, 3), b"up\n")
        conn.sendall(b"down\n")
        peer.says(b"down\n")
        with peer.lock:
            peer.text = b""

    def modified(self, made):
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Mod,")
        self.assertRegex(notify, r'Version = "TLS1\.[12]", Suite = "TLS_')

    # -- renegotiation

    @each_engine
    def test_s_client_renegotiates(self, engine):
        made, peer, conn, _ = self.as_server(f"{engine}-again", "openssl", "s_client", "-connect", "127.0.0.1:{port}",
                                             "-servername", "gateway.home.example")
        peer.says(b"Secure Renegotiation IS supported")
        self.talk(peer, conn)
        for _ in range(2):
            peer.send(b"R\n")
            self.modified(made)
            self.talk(peer, conn)
        self.gw.logged(f"tls renegotiated", f"tls-renegotiated context={made.context}")
        self.end(self.mgc, made)

    @each_engine
    def test_the_controller_says_beforehand(self, engine):
        """gatehouse/reneg comes before the domain's setting, both ways (H.248.TLSPROF 7-5)."""
        client = ("openssl", "s_client", "-connect", "127.0.0.1:{port}", "-servername", "gateway.home.example", "-tls1_2")
        made, peer, conn, _ = self.as_server(f"{engine}-mute", *client, control=", gatehouse/reneg = both")
        self.talk(peer, conn)
        peer.send(b"R\n")
        self.modified(made)
        self.talk(peer, conn)
        self.assertIn("gatehouse/reneg = both", self.mgc.ok(
            f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ Media }} }} }}"))
        self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Signals {{ tlsm/Reneg }} }} }}")
        self.modified(made)
        self.talk(peer, conn)
        self.end(self.mgc, made)
        made, peer, conn, _ = self.as_server(f"{engine}-again", *client, control=", gatehouse/reneg = refuse")
        self.talk(peer, conn)
        reply = self.mgc.command(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Signals {{ tlsm/Reneg }} }} }}")
        self.assertRegex(reply, "Error = 513")
        peer.send(b"R\n")
        peer.says(b"no renegotiation")
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
        self.end(self.mgc, made)

    @each_engine
    def test_a_profile_without_it_refuses_and_says_so(self, engine):
        made, peer, conn, _ = self.as_server(f"{engine}-never", "openssl", "s_client", "-connect", "127.0.0.1:{port}",
                                             "-servername", "gateway.home.example", "-tls1_2")
        self.talk(peer, conn)
        peer.send(b"R\n")
        peer.says(b"no renegotiation")  # which s_client takes for the end
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
        self.mgc.none(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Mod")
        self.end(self.mgc, made)

    @each_engine
    def test_audit_says_which_domain_accepts_it(self, engine):
        for domain, answer in (("again", "on"), ("never", "off")):
            text = stream("TCP/TLS/MSRP", "passive", 9, "active", control=f'gatehouse/dom = "{engine}-{domain}"')
            made = harness.Made(self.mgc.ok("Context = $ { " + harness.add(text) + " }"))
            reply = self.mgc.ok(f"Context = {made.context} {{ AuditCapability = {made.terms[0]} "
                                "{ Audit { Media } } }")
            self.assertIn(f"tlscn/reneg = {answer}", reply)
            self.end(self.mgc, made)

    @each_engine
    def test_the_client_proves_itself_each_time(self, engine):
        made, peer, conn, _ = self.as_server(f"{engine}-asks", "openssl", "s_client", "-connect", "127.0.0.1:{port}",
                                             *self.pki.cert("ue"))
        self.talk(peer, conn)
        peer.send(b"R\n")
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Mod,")
        self.assertIn('Auth = "ca"', notify)
        self.talk(peer, conn)
        self.end(self.mgc, made)

    @each_engine
    @unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
    def test_gnutls_cli_rehandshakes(self, engine):
        made, peer, conn, _ = self.as_server(f"{engine}-again", "gnutls-cli", "--insecure", "--rehandshake", "--port",
                                             "{port}", "127.0.0.1", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2")
        self.modified(made)
        peer.says(b"ReHandshake was completed")
        self.talk(peer, conn)
        self.end(self.mgc, made)

    @each_engine
    def test_s_server_asks_for_it(self, engine):
        for letter in (b"r", b"R"):  # R: with a request for our certificate
            peer, port = self.server("openssl", "s_server", "-naccept", "1", "-accept", "127.0.0.1:{port}",
                                     *self.pki.cert("ue"))
            made, conn, _ = self.as_client(f"{engine}-again", port)
            self.talk(peer, conn)
            peer.send(letter + b"\n")
            self.modified(made)
            self.talk(peer, conn)
            self.end(self.mgc, made)

    @each_engine
    @unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
    def test_gnutls_serv_asks_for_it(self, engine):
        _, port = self.server("gnutls-serv", "--echo", "--port", "{port}", "--x509certfile", self.pki.path("ue.pem"),
                              "--x509keyfile", self.pki.path("ue.key"), "--priority",
                              "NORMAL:-VERS-ALL:+VERS-TLS1.2")
        made, conn, _ = self.as_client(f"{engine}-again", port)
        conn.sendall(b"before\n")
        self.assertEqual(read_exactly(conn, 7), b"before\n")
        conn.sendall(b"**REHANDSHAKE**\n")
        self.modified(made)
        conn.sendall(b"after\n")
        heard = b""
        while not heard.endswith(b"after\n"):  # behind what it says about its own command
            heard += read_exactly(conn, 1)
        self.end(self.mgc, made)

    # -- resumption

    def twice(self, domain, *command):
        """Two connections of the gateway as client to one server; what Notify says about each."""
        peer, port = self.server(*command)
        told = []
        for _ in range(2):
            made, conn, notify = self.as_client(domain, port)
            if command[0] == "openssl":
                conn.sendall(b"over\n")
                peer.says(b"over\n")
                with peer.lock:
                    peer.text = b""
                # In TLS 1.3 tickets come behind the handshake: what comes after them tells that they have come.
                peer.send(b"back\n")
                self.assertEqual(read_exactly(conn, 5), b"back\n")
            else:
                conn.sendall(b"over\n")
                read_exactly(conn, 5)
            self.end(self.mgc, made)
            told.append("on" if "Resumed = on" in notify else "off")
        return told

    @each_engine
    def test_the_gateway_resumes_with_s_server(self, engine):
        for domain, version in ((f"{engine}-again", "-tls1_2"), (f"{engine}-never", "-tls1_2"),
                                (f"{engine}-never", "-tls1_3")):
            with self.subTest(domain=domain, version=version):
                self.assertEqual(self.twice(domain, "openssl", "s_server", version, "-quiet", "-accept",
                                            "127.0.0.1:{port}", *self.pki.cert("ue")), ["off", "on"])

    @each_engine
    def test_a_reload_begins_anew(self, engine):
        """Whatever it changes in trust or policy: what was proved under the old domain is proved again."""
        peer, port = self.server("openssl", "s_server", "-tls1_2", "-quiet", "-accept", "127.0.0.1:{port}",
                                 *self.pki.cert("ue"))
        told = []
        for reload in (False, False, True, False):
            if reload:
                count = self.gw.log().count("reloaded")
                self.gw.signal(signal.SIGHUP)
                self.gw.logged("reloaded", count=count + 1)
            made, conn, notify = self.as_client(f"{engine}-again", port)
            conn.sendall(b"over\n")
            peer.says(b"over\n")
            with peer.lock:
                peer.text = b""
            self.end(self.mgc, made)
            told.append("Resumed = on" in notify)
        self.assertEqual(told, [False, True, False, True])

    @each_engine
    def test_a_server_without_tickets_is_resumed_by_session_id(self, engine):
        """But not by GnuTLS where it may renegotiate: it would name the old session there once more."""
        for domain, second in ((f"{engine}-never", "on"), (f"{engine}-again", "on" if engine == "openssl" else "off")):
            with self.subTest(domain):
                self.assertEqual(self.twice(domain, "openssl", "s_server", "-tls1_2", "-no_ticket", "-quiet",
                                            "-accept", "127.0.0.1:{port}", *self.pki.cert("ue")), ["off", second])

    @each_engine
    def test_a_server_that_remembers_nobody_is_not_resumed(self, engine):
        self.assertEqual(self.twice(f"{engine}-never", "openssl", "s_server", "-tls1_2", "-no_ticket", "-no_cache",
                                    "-quiet", "-accept", "127.0.0.1:{port}", *self.pki.cert("ue")), ["off", "off"])

    @each_engine
    @unittest.skipUnless(HAVE_GNUTLS, NO_GNUTLS)
    def test_the_gateway_resumes_with_gnutls_serv(self, engine):
        for version in ("1.2", "1.3"):
            with self.subTest(version=version):
                self.assertEqual(self.twice(f"{engine}-never", "gnutls-serv", "--echo", "--port", "{port}",
                                            "--x509certfile", self.pki.path("ue.pem"), "--x509keyfile",
                                            self.pki.path("ue.key"), "--priority",
                                            f"NORMAL:-VERS-ALL:+VERS-TLS{version}"), ["off", "on"])

    @each_engine
    def test_s_client_resumes(self, engine):
        session = f"{self.folder}/{engine}.session"
        told = []
        for option in ("-sess_out", "-sess_in"):
            made, peer, conn, notify = self.as_server(f"{engine}-again", "openssl", "s_client", "-connect",
                                                      "127.0.0.1:{port}", option, session)
            self.talk(peer, conn)
            peer.finish()
            self.assertEqual(harness.read_all(conn), b"")
            conn.close()
            self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Rel")
            self.end(self.mgc, made)
            told.append("Resumed = on" in notify)
        self.assertEqual(told, [False, True])


if __name__ == "__main__":
    unittest.main(verbosity=2)
