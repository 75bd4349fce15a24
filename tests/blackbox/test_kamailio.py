#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse ue` and Kamailio (Debian) as its registrar and S-CSCF, with nothing between them: Digest by MD5 and SHA-256 over UDP, TCP and
TLS, Service-Route, messages to who is registered, wrong passwords. It is also where kamailio.py is tested itself."""
import os
import unittest

import access
import harness
import kamailio


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Direct(harness.Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def core(self, **settings):
        return self.own(kamailio.Kamailio(self.folder, access.PASSWORDS, **settings))

    def agent(self, core, name, transport="tcp", password=None):
        proxy = f"sip:{access.HOST}:{core.tls_port};transport=tls;lr" if transport == "tls" else f"{core.uri};transport={transport};lr"
        return access.agent(self.folder, name, proxy, transport, password, self.tls["ca"] if transport == "tls" else None)

    def test_registers_and_talks(self):
        for algorithm, transport in (("MD5", "udp"), ("SHA-256", "tcp"), ("SHA-256", "tls")):
            with self.subTest(algorithm=algorithm, transport=transport):
                core = self.core(algorithm=algorithm, tls=self.tls if transport == "tls" else None)
                alice, bob = (self.agent(core, name, transport) for name in ("alice", "bob"))
                for agent in (alice, bob):
                    agent.expect("sip.registered", status="200")
                alice.do("message sip:bob@home.example hello")
                bob.expect("message", text="hello")
                alice.expect("message.answer", status="200")
                self.assertIn(core.service_route, core.got("MESSAGE"))
                self.assertIn(f"algorithm={algorithm}", core.got("REGISTER", "response="))
                access.ended(alice, bob)

    def test_wrong_password(self):
        core = self.core()
        mallory = self.agent(core, "alice", password="guessed")
        mallory.expect("sip.unanswered", status="403")
        self.assertEqual(mallory.close(), 0)
        mallory.none("sip.registered")

    def test_nobody_is_there(self):
        core = self.core()
        alice = self.agent(core, "alice")
        alice.expect("sip.registered", status="200")
        alice.do("message sip:bob@home.example hello")
        alice.expect("message.answer", status="404")
        access.ended(alice)

    def test_killed_and_started_again(self):
        """As others' tests do with it."""
        core = self.core()
        pids = core.children()
        core.kill()
        harness.until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "its processes have gone")
        core.start()
        alice = self.agent(core, "alice")
        alice.expect("sip.registered", status="200")
        access.ended(alice)


if __name__ == "__main__":
    unittest.main(verbosity=2)
