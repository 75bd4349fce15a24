#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whose sessions may be resumed, for how long and where (H.248.TLSPROF 7-6; TS 33.310, Annex E, E7): across workers,
reloads, and the gateways of a pool, which have their ticket keys in common through Redis. The client is openssl s_client, which keeps its session in a file. Both engines."""
import os
import signal
import subprocess
import unittest

import harness
import redis_server
from harness import Backend, Case, HAVE_OPENSSL, read_exactly, stream
from redis_server import Redis

ENGINES = ("openssl", "gnutls")
VERSIONS = ("-tls1_2", "-tls1_3")
DOMAIN = """
  - {{name: {engine}, profile: ts33210-rel17, engine: {engine}, certificate: {d}/{cert}.pem, key: {d}/{cert}.key,
     client-auth: none, server-methods: [fingerprint]}}
"""


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Resume(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.pki.leaf("gateway")
        cls.pki.leaf("other")

    def domains(self, cert="gateway"):
        return "".join(DOMAIN.format(engine=e, d=self.folder, cert=cert) for e in ENGINES)

    def visit(self, gw, engine, version, session, *options):
        """One client of this gateway, with the session of that file if there is one. Was it resumed?"""
        backend = self.own(Backend())
        made = self.relay(gw.controller, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                                control=f'gatehouse/dom = "{engine}"'), backend)
        peer = self.peer("openssl", "s_client", "-connect", f"127.0.0.1:{made.ports[0]}", version, "-sess_out", session,
                         *options,
                         *(("-sess_in", session) if session in self.kept else ()))
        conn = backend.accept()
        notify = gw.controller.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        conn.sendall(b"down\n")  # behind a ticket of TLS 1.3
        peer.says(b"down\n")
        peer.send(b"up\n")
        self.assertEqual(read_exactly(conn, 3), b"up\n")
        peer.finish()
        conn.close()
        self.kept.add(session)
        self.end(gw.controller, made)
        return "Resumed = on" in notify

    def setUp(self):
        self.kept = set()

    def each(self):
        for engine in ENGINES:
            for version in VERSIONS:
                with self.subTest(engine=engine, version=version):
                    yield engine, version, f"{self.folder}/{self.id().rsplit('.', 1)[1]}{engine}{version}"

    def reload(self, gw, domains):
        count = gw.log().count("reloaded")
        gw.write(domains)
        gw.signal(signal.SIGHUP)
        gw.logged("reloaded", count=count + 1)

    def test_at_any_worker(self):
        gw = self.gateway(self.domains(), workers=3)
        for engine, version, session in self.each():
            self.assertEqual([self.visit(gw, engine, version, session) for _ in range(5)], [False] + 4 * [True])

    def test_by_session_id_at_any_worker(self):
        gw = self.gateway(self.domains(), workers=3)
        for engine in ENGINES:
            session = f"{self.folder}/id{engine}"
            self.assertEqual([self.visit(gw, engine, "-tls1_2", session, "-no_ticket") for _ in range(4)],
                             [False] + 3 * [True])

    def test_a_reload_that_changes_nothing_about_peers(self):
        gw = self.gateway(self.domains())
        for engine, version, session in self.each():
            self.assertFalse(self.visit(gw, engine, version, session))
            self.reload(gw, self.domains())
            self.assertTrue(self.visit(gw, engine, version, session))
            self.reload(gw, self.domains() + DOMAIN.format(engine="openssl", d=self.folder, cert="other").replace(
                "name: openssl", "name: more"))
            self.assertTrue(self.visit(gw, engine, version, session))

    def test_another_certificate_begins_anew(self):
        gw = self.gateway(self.domains())
        for engine, version, session in self.each():
            self.assertFalse(self.visit(gw, engine, version, session))
            self.reload(gw, self.domains("other"))
            self.assertFalse(self.visit(gw, engine, version, session))
            self.assertTrue(self.visit(gw, engine, version, session))
            self.reload(gw, self.domains())

    def test_not_in_another_domain(self):
        gw = self.gateway(self.domains() + DOMAIN.format(engine="openssl", d=self.folder, cert="gateway").replace(
            "name: openssl", "name: twin"))
        for version in VERSIONS:
            session = f"{self.folder}/twin{version}"
            self.assertFalse(self.visit(gw, "openssl", version, session))
            self.assertFalse(self.visit(gw, "twin", version, session))

    # -- clients with certificates

    ASKS = """
  - {{name: {engine}, profile: ts33210-rel17, engine: {engine}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     client-auth: require, client-methods: [ca], server-methods: [ca],
     trust: {{anchors: [{d}/ca.pem], crls: [{d}/{crl}], crl-required: true}}}}
"""

    def asking(self, crl):
        return "".join(self.ASKS.format(engine=e, d=self.folder, crl=crl) for e in ENGINES)

    def test_a_revoked_client_does_not_resume(self):
        """It comes by what it was, and is judged by what it is."""
        self.pki.crl("none.crl")
        self.pki.leaf("ue")
        self.pki.leaf("twin")
        gw = self.gateway(self.asking("none.crl"))
        for engine, version, session in self.each():
            for name in ("ue", "twin"):
                self.assertEqual([self.visit(gw, engine, version, session + name, *self.pki.cert(name))
                                  for _ in range(3)], [False, True, True])
        self.pki.crl("ue.crl", "ue")
        self.reload(gw, self.asking("ue.crl"))
        for engine, version, session in self.each():
            self.assertTrue(self.visit(gw, engine, version, session + "twin", *self.pki.cert("twin")))
            backend = self.own(Backend())
            made = self.relay(gw.controller, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                                    control=f'gatehouse/dom = "{engine}"'), backend)
            peer = self.peer("openssl", "s_client", "-connect", f"127.0.0.1:{made.ports[0]}", version, "-sess_in",
                             session + "ue", *self.pki.cert("ue"))
            gw.controller.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = EstFail", "revoked")
            self.end(gw.controller, made)
            peer.close()

    # -- pool

    def redis(self):
        if not redis_server.HAVE:
            self.skipTest("no redis-server here (Debian: redis-server)")
        return self.own(Redis(self.folder))

    def secret(self, name="pool.key"):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
                file.write(os.urandom(32).hex())
        return path

    def member(self, redis, domains=None, secret="pool.key"):
        gw = self.gateway(domains or self.domains(), extra=f"""
pool:
  name: west
  redis: "127.0.0.1:{redis.port}"
  secret-file: {self.secret(secret)}
""")
        return gw

    def agree(self, redis, *gateways):
        """All have said that Redis is there, and what they asked of it is answered."""
        for gw in gateways:
            gw.logged(f"Redis at 127.0.0.1:{redis.port} is there",
                      *(f"tls domain={engine} has its ticket keys in common with its pool" for engine in ENGINES))

    def test_what_one_gateway_gave_another_takes(self):
        redis = self.redis()
        a, b = self.member(redis), self.member(redis, self.domains("other"))
        self.agree(redis, a, b)
        for engine, version, session in self.each():
            self.assertEqual([self.visit(gw, engine, version, session) for gw in (a, b, a, b)], [False] + 3 * [True])

    def test_redis_dies_and_comes_back(self):
        redis = self.redis()
        a, b = self.member(redis), self.member(redis)
        self.agree(redis, a, b)
        for engine, version, session in self.each():
            self.assertFalse(self.visit(a, engine, version, session))
        redis.kill()
        for gw in (a, b):
            gw.logged(f"Redis at 127.0.0.1:{redis.port} is lost", "goes on with keys of its own")
        for engine, version, session in self.each():  # with the keys they have
            self.assertTrue(self.visit(b, engine, version, session))
        c = self.member(redis)  # and one that never saw it
        for engine, version, session in self.each():
            self.assertFalse(self.visit(c, engine, version, session + "c"))
            self.assertTrue(self.visit(c, engine, version, session + "c"))
        redis.start()
        for gw in (a, b, c):
            gw.logged("is there again")
        self.assertEqual(c.log().count("is lost"), 1)

    def test_what_lies_in_redis_is_of_no_use(self):
        redis = self.redis()
        a = self.member(redis)
        self.agree(redis, a)
        stranger = self.member(redis, secret="another.key")
        stranger.logged("is not sealed with this pool's secret")
        session = f"{self.folder}/stranger"
        self.assertFalse(self.visit(a, "openssl", "-tls1_2", session))
        self.assertFalse(self.visit(stranger, "openssl", "-tls1_2", session))

    def test_another_policy_is_another_scope(self):
        redis = self.redis()
        a = self.member(redis)
        b = self.member(redis, self.domains().replace("[fingerprint]}", "[fingerprint], continue-on: [expired]}"))
        self.agree(redis, a, b)
        for engine in ENGINES:
            session = f"{self.folder}/policy{engine}"
            self.assertFalse(self.visit(a, engine, "-tls1_2", session))
            self.assertFalse(self.visit(b, engine, "-tls1_2", session))

    def test_wrong_settings_are_told(self):
        path = os.path.join(self.folder, "wrong.yaml")
        for line, words in (("redis: redis.example:6379", "no address and port"), ("name: a b", "is no name of"),
                            (f"secret-file: {self.folder}/none", "wrong.yaml:6:")):
            settings = {"name": "west", "redis": '"127.0.0.1:1"', "secret-file": self.secret()}
            settings.update([line.split(": ", 1)])
            with open(path, "w", encoding="ascii") as file:
                file.write('controllers: ["127.0.0.1:2944"]\nmedia: {addresses: [127.0.0.1]}\npool:\n' +
                           "".join(f"  {key}: {value}\n" for key, value in settings.items()))
            run = subprocess.run([harness.MG, "-c", path, "-t"], capture_output=True, text=True, check=False)
            self.assertNotEqual(run.returncode, 0)
            self.assertIn(words, run.stderr + run.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
