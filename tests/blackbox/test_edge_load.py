#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many user agents (`gatehouse ue --count`) at gatehouse-edge with Kamailio behind it: all register, talk, call, refresh, come back by sessions that are
resumed; none is told no. The edge is killed and started anew: no binding outlives it, and all register again."""
import json
import os
import re
import subprocess
import unittest
import urllib.request

import access
import harness
import kamailio
from edge import Edge

COUNT, PASSWORD = 24, "s3cret"


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Many(harness.Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def setUp(self):
        users = {f"ue{number}": PASSWORD for number in range(COUNT)}
        self.core = self.own(kamailio.Kamailio(self.folder, users, record=False, shm=256))
        self.edge = self.own(Edge(self.folder, self.tls, self.core, metrics={"listen": "127.0.0.1:0"}))

    def load(self, *words):
        path = os.path.join(self.folder, "ue.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"identity: sip:ue@home.example\nsip: {{proxy: ['{self.edge.proxy}'], tls: {{anchors: [{self.tls['ca']}]}}, "
                       f"password-file: {access.password_file(self.folder, 'ue', PASSWORD)}}}\n")
        process = subprocess.Popen([harness.TOOL, "ue", "--config", path, "--json", "--quiet", "--wait", "--count", str(COUNT), "--window", "4",
                                    "--to", f"127.0.0.1:{self.edge.port}", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.communicate()
        self.addCleanup(end)
        return process

    def pings(self):
        port = re.search(r"metrics on port (\d+)", self.edge.log())[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=harness.PATIENCE) as answer:
            return int(re.search(r"^gatehouse_edge_access_pings_total (\d+)", answer.read().decode(), re.M)[1])

    @staticmethod
    def told(process):
        return json.loads(process.stdout.readline())

    @staticmethod
    def go(process):
        process.stdin.write("\n")
        process.stdin.flush()

    def test_all_are_served(self):
        process = self.load("--message", "max", "--call", "max", "--refresh", "max", "--ping", "max", "--duration", "500ms")
        self.assertEqual(self.told(process)["registered"], COUNT)
        bindings = self.edge.order("bindings")["bindings"]
        self.assertEqual(len({one["flow"] for one in bindings}), COUNT)
        self.assertEqual({one["impi"].split("@")[0] for one in bindings}, {f"ue{number}" for number in range(COUNT)})
        self.go(process)
        done = self.told(process)
        self.assertEqual((done["faults"], done["lost"]), ({}, 0), self.edge.log()[-2000:])
        for name in ("message", "call", "refresh", "ping"):
            self.assertGreater(done["works"][name]["done"], 0, name)
        self.go(process)
        self.assertEqual(process.wait(harness.PATIENCE), 0)
        self.assertEqual(self.edge.bindings(), [])

    def test_they_come_back(self):
        process = self.load("--churn", "max", "--duration", "300ms")
        self.told(process)
        self.go(process)
        done = self.told(process)
        self.assertEqual((done["faults"], done["lost"]), ({}, 0), self.edge.log()[-2000:])
        self.assertEqual(done["handshakes_full"] + done["handshakes_resumed"], COUNT + done["works"]["churn"]["done"])
        self.assertGreater(done["handshakes_resumed"], 0)
        harness.until(lambda: len(self.edge.bindings()) == COUNT, lambda: f"{COUNT} bindings: {len(self.edge.bindings())}")

    def test_who_is_idle_pings(self):
        """The edge lets go who has outbound and is silent (RFC 5626, 4.4.1)."""
        process = self.load("--keep-alive", "50ms")
        self.told(process)
        harness.until(lambda: self.pings() >= 2 * COUNT, lambda: f"{2 * COUNT} pings: {self.pings()}")
        self.go(process)
        done = self.told(process)
        self.assertEqual((done["faults"], done["lost"], done["registered"]), ({}, 0, COUNT))
        self.assertGreaterEqual(done["works"]["ping"]["done"], 2 * COUNT)

    def test_the_edge_is_killed(self):
        process = self.load("--retry", "--rate", "200", "--duration", "1h")
        self.told(process)
        before = {one["impi"]: one["session"] for one in self.edge.order("bindings")["bindings"]}
        self.go(process)
        self.edge.kill()
        self.edge.start()
        harness.until(lambda: len(self.edge.bindings()) == COUNT, lambda: f"{COUNT} bindings: {len(self.edge.bindings())}")
        after = {one["impi"]: one["session"] for one in self.edge.order("bindings")["bindings"]}
        self.assertEqual(set(after), set(before))
        for who, session in after.items():
            self.assertNotEqual(session, before[who])
        process.terminate()
        done = self.told(process)
        self.assertEqual(done["lost"], COUNT)


if __name__ == "__main__":
    unittest.main()
