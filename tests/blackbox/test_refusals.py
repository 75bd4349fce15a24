#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sessions that must not be: each ends with the right alert, Notify says number, side and why, nothing reaches the
backend, and the termination can still be audited and taken away. Both engines, both TLS roles, far peers of other
makers."""
import re
import unittest

import harness
from harness import (Backend, Case, HAVE_GNUTLS, HAVE_OPENSSL, Peer, free_port, listens, read_all, read_exactly,
                     stream, until)

PSK = "5d41402abc4b2a76b9719d911017c592aabbccddeeff00112233445566778899"
OTHER = "00000000bc4b2a76b9719d911017c592aabbccddeeff00112233445566778899"
ENGINES = ("openssl", "gnutls")
KEYED = f'gatehouse/pskid = "crypto-session", gatehouse/psk = {PSK}'

DOMAINS = """
  - {{name: {e}-fp, profile: ts33210-rel17, engine: {e}, client-auth: require, client-methods: [fingerprint],
     server-methods: [fingerprint]}}
  - {{name: {e}-ca, profile: ts33210-rel17, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: require, client-methods: [ca], server-methods: [ca]}}
  - {{name: {e}-lenient, profile: ts33210-rel17, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: require, client-methods: [ca], server-methods: [ca],
     continue-on: [expired]}}
  - {{name: {e}-crl, profile: ts33210-rel17, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     trust: {{anchors: [{d}/ca.pem], crls: [{d}/crl.pem]}}, client-auth: require, client-methods: [ca],
     server-methods: [ca]}}
  - {{name: {e}-psk, profile: ts33328-annex-h, engine: {e}}}
"""


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Refusals(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        for name in ("gateway", "ue", "gone"):
            cls.pki.leaf(name)
        cls.pki.leaf("stranger", ca="other")
        cls.pki.leaf("old", days=-1)
        cls.pki.self_signed("self")
        cls.pki.self_signed("else")
        cls.pki.crl("crl.pem", "gone")
        with open(cls.pki.path("psk.txt"), "w", encoding="ascii") as file:
            file.write(f"crypto-session:{OTHER}\n")
        cls.shared_gateway("".join(DOMAINS.format(e=e, d=cls.folder) for e in ENGINES))

    # -- the two ends

    def client(self, *args):
        return lambda port: self.peer("openssl", "s_client", "-ign_eof", "-connect", f"127.0.0.1:{port}", *args)

    def server(self, *args):
        return lambda port: self.peer("openssl", "s_server", "-quiet", "-naccept", "1", "-accept",
                                      f"127.0.0.1:{port}", *args)

    def begin(self, domain, role, far, finger=None, control=""):
        backend = self.own(Backend())
        control = f'gatehouse/dom = "{domain}", gatehouse/role = {role}' + (f", {control}" if control else "")
        if role == "client":
            port = free_port()
            peer = far(port)
            until(lambda: listens(port), lambda: f"{peer.command} listens: {peer.text}")
            tls = stream("TCP/TLS/MSRP", "active", port, "passive", finger, control)
            made = self.relay(self.mgc, tls, backend, tls_signals="tcpbcc/EstBNC, tlsbsc/EstBNC")
        else:
            tls = stream("TCP/TLS/MSRP", "passive", 9, "active", finger, control)
            made = self.relay(self.mgc, tls, backend)
            peer = far(made.ports[0])
        return made, peer, backend.accept()

    def nothing(self, conn):
        """The backend's connection ends without an octet."""
        try:
            self.assertEqual(read_all(conn), b"")
        except ConnectionResetError:
            pass
        except TimeoutError as e:
            raise AssertionError(f"the backend's connection lives on: {self.gw.log()[-1500:]}") from e

    def refused(self, domain, role, far, alerts, finger=None, control="", auth=None, side="local"):
        made, peer, conn = self.begin(domain, role, far, finger, control)
        term = made.terms[0]
        notify = self.mgc.take(f"Notify = {term} ", "tlsbsc/BNCChange")
        self.assertIn("Type = EstFail", notify, f"{notify}\n{peer.text}")
        number = int(re.search(r"Alert = (-?\d+)", notify).group(1))
        self.assertIn(number, alerts, notify)
        self.assertIn(f"Side = {side}", notify)
        self.assertIn("g/cause", notify)
        if auth:
            self.assertIn(f'Auth = "{auth}"', notify)
            self.assertIn('Cause = "not-authenticated"', notify)
        self.mgc.take(f"Notify = {term} ", "tcpbcc/BNCChange", "Type = Rel")
        self.nothing(conn)
        peer.wait()
        if side == "local" and peer.command[0] == "openssl":
            self.assertIn(f"SSL alert number {number}".encode(), peer.text)
        self.assertNotIn(PSK, notify.lower())
        self.end(self.mgc, made)
        return notify

    def each(self, *args, roles=("server", "client"), **kwargs):
        """`far` of the arguments is asked for each role."""
        domain, far, alerts = args
        for engine in ENGINES:
            for role in roles:
                with self.subTest(f"{engine} {role}"):
                    self.refused(f"{engine}-{domain}", role, far(role), alerts, **kwargs)

    def both(self, *args):
        return lambda role: self.client(*args) if role == "server" else self.server(*args)

    # -- certificates

    def test_fingerprint_mismatch(self):
        for version in ("-tls1_2", "-tls1_3"):
            self.each("fp", self.both(*self.pki.cert("self"), version), (42,),
                      finger=self.pki.fingerprint("else"), auth="fingerprint-mismatch")

    def test_missing_fingerprint_is_not_authenticated(self):
        self.each("fp", self.both(*self.pki.cert("self")), (46,), auth="no-fingerprint")

    def test_unknown_ca(self):
        for version in ("-tls1_2", "-tls1_3"):
            self.each("ca", self.both(*self.pki.cert("stranger"), version), (48,), auth="unknown-ca")
        self.each("ca", self.both(*self.pki.cert("self")), (48,), auth="unknown-ca")

    def test_expired_certificate(self):
        self.each("ca", self.both(*self.pki.cert("old")), (45,), auth="expired")

    def test_revoked_certificate(self):
        self.each("crl", self.both(*self.pki.cert("gone")), (44,), auth="revoked")

    def test_no_certificate_where_one_is_required(self):
        for version, alerts in (("-tls1_2", (40, 42)), ("-tls1_3", (116, 40, 42))):
            self.each("ca", self.both(version), alerts, auth="no-certificate", roles=("server",))
            self.each("fp", self.both(version), alerts, auth="no-certificate", roles=("server",),
                      finger=self.pki.fingerprint("self"))

    def test_expired_certificate_is_tolerated_where_the_domain_says_so_and_reported(self):
        for engine in ENGINES:
            for role in ("server", "client"):
                with self.subTest(f"{engine} {role}"):
                    made, peer, conn = self.begin(f"{engine}-lenient", role, self.both(*self.pki.cert("old"))(role))
                    notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange")
                    self.assertIn("Type = Est,", notify)
                    self.assertIn('Auth = "expired"', notify)
                    peer.send(b"late but here\n")
                    self.assertEqual(read_exactly(conn, 14), b"late but here\n")
                    self.end(self.mgc, made)
                    # and only what it says: an unknown CA stays one
                    self.refused(f"{engine}-lenient", role, self.both(*self.pki.cert("stranger"))(role), (48,),
                                 auth="unknown-ca")

    def test_the_far_peer_refuses_us(self):
        for engine in ENGINES:
            for role in ("server", "client"):
                with self.subTest(f"{engine} {role}"):
                    verify = ["-CAfile", self.pki.path("other.pem"), "-verify_return_error"]
                    verify += ["-Verify", "2"] if role == "client" else []
                    made, _, conn = self.begin(f"{engine}-ca", role, self.both(*self.pki.cert("ue"), "-tls1_2",
                                                                                *verify)(role))
                    notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Alert")
                    self.assertIn("Alert = 48, Side = remote", notify)
                    self.nothing(conn)
                    self.end(self.mgc, made)

    # -- keys

    def psk(self, key, identity="crypto-session", *more):
        return ("-psk_identity", identity, "-psk", key, *more)

    def test_wrong_psk(self):
        for version, alerts in (("-tls1_2", (20, 51)), ("-tls1_3", (51, 47, 20))):
            cipher = ("-cipher", "PSK") if version == "-tls1_2" else ()
            self.each("psk", self.both(*self.psk(OTHER), version, *cipher), alerts, control=KEYED,
                      roles=("server",))

    def test_wrong_psk_at_the_server(self):
        for engine in ENGINES:
            with self.subTest(engine):
                made, _, _ = self.begin(f"{engine}-psk", "client",
                                        self.server(*self.psk(OTHER), "-nocert", "-tls1_2", "-cipher", "PSK"),
                                        control=KEYED)
                notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange")
                self.assertRegex(notify, r"Type = EstFail, Alert = (20|51), Side = remote")
                self.end(self.mgc, made)

    def test_unknown_psk_identity(self):
        for version, alerts in (("-tls1_2", (115,)), ("-tls1_3", (115,))):
            cipher = ("-cipher", "PSK") if version == "-tls1_2" else ()
            self.each("psk", self.both(*self.psk(PSK, "nobody"), version, *cipher), alerts, control=KEYED,
                      roles=("server",))

    @unittest.skipUnless(HAVE_GNUTLS, harness.NO_GNUTLS)
    def test_wrong_psk_at_gnutls(self):
        for engine in ENGINES:
            with self.subTest(engine):
                made, _, _ = self.begin(
                    f"{engine}-psk", "client",
                    lambda port: self.peer("gnutls-serv", "--echo", "--nodb", "-p", str(port), "--priority",
                                           "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK", "--pskpasswd",
                                           self.pki.path("psk.txt")), control=KEYED)
                notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange")
                self.assertRegex(notify, r"Type = EstFail, Alert = (20|51|-1), Side = remote")
                self.end(self.mgc, made)

    # -- nothing in common

    def test_no_version_in_common(self):
        self.each("ca", self.both(*self.pki.cert("ue"), "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"), (70,),
                  roles=("server",))
        for engine in ENGINES:
            with self.subTest(f"{engine} client"):
                made, _, _ = self.begin(f"{engine}-ca", "client",
                                        self.server(*self.pki.cert("ue"), "-tls1_1", "-cipher", "ALL@SECLEVEL=0"))
                notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange")
                self.assertRegex(notify, "Type = EstFail, Alert = 70, Side = (local|remote)")
                self.end(self.mgc, made)

    def test_no_suite_in_common(self):
        self.each("ca", self.both(*self.pki.cert("ue"), "-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"),
                  (40,), roles=("server",))

    @unittest.skipUnless(HAVE_GNUTLS, harness.NO_GNUTLS)
    def test_gnutls_peers_too(self):
        def far(name):
            return lambda port: self.peer(
                "gnutls-cli", "-p", str(port), "--insecure", "--x509certfile", self.pki.path(f"{name}.pem"),
                "--x509keyfile", self.pki.path(f"{name}.key"), "127.0.0.1")
        for engine in ENGINES:
            for name, domain, finger, alert, auth in (
                    ("self", "fp", "else", 42, "fingerprint-mismatch"), ("stranger", "ca", None, 48, "unknown-ca"),
                    ("old", "ca", None, 45, "expired"), ("gone", "crl", None, 44, "revoked")):
                with self.subTest(f"{engine} {name}"):
                    self.refused(f"{engine}-{domain}", "server", far(name), (alert,),
                                 finger=finger and self.pki.fingerprint(finger), auth=auth)


if __name__ == "__main__":
    unittest.main(verbosity=2)
