#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A conference whole (TS 23.333, 5.20.2): gatehouse-kms, gatehouse-mgc, gatehouse-mg with its room and floors, and user agents. Two
dial in, one is called; each stream has a key of its own; they chat, pass a file, hand on the floor; nobody else gets in."""
import hashlib
import os
import shutil
import tempfile
import unittest

import mrfc
from mrfc import ALICE, BOB, CAROL, ROOM


class Conference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-conference-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def stage(self, **settings):
        stage = mrfc.Stage(self.folder, **settings)
        self.addCleanup(stage.close)
        return stage

    def test_a_conference(self):
        first = self.stage(mrfp=False)
        carol = first.agent(CAROL)
        stage = self.stage(agnostic="false", more=f'dial-out: ["{CAROL}"]\n    dial: start', sip=f', proxy: "<sip:{carol.at};lr>"',
                           like=first)
        alice, bob = stage.call(stage.agent(ALICE)), stage.call(stage.agent(BOB))
        everybody, keys = (alice, bob, carol), set()
        for agent in everybody:
            agent.expect("call.up")
            for kind in ("msrp", "bfcp"):
                self.assertEqual(agent.expect("call.media", kind=kind, verdict="agreed")["peer"], ROOM)
                keys.add(agent.expect("media.up", kind=kind)["psk-identity"])
        self.assertEqual(len(keys), 6)
        stage.mgc.logged("tls-up", 6)  # a TLS 1.3 client is up before its server, which seats nobody until then
        alice.do("say good morning")
        for agent in (bob, carol):
            agent.expect("chat.text", text="good morning", to=ROOM, **{"from": ALICE})
        carol.do(f"tell {BOB} between us")
        bob.expect("chat.text", text="between us", **{"from": CAROL})
        content = os.urandom(2 << 20)
        with open(os.path.join(self.folder, "holiday.bin"), "wb") as file:
            file.write(content)
        bob.do("send " + os.path.join(self.folder, "holiday.bin"))
        for agent in (alice, carol):
            agent.expect("chat.file", name="holiday.bin", sha256=hashlib.sha256(content).hexdigest())
        alice.none("chat.text", text="between us")
        alice.do("floor request 1")
        alice.expect("floor.request", status="Granted")
        carol.do("floor request 1")
        carol.expect("floor.request", status="Accepted")
        alice.do("bye")  # what she holds goes with her
        carol.expect("floor.request", status="Granted")
        bob.do("say without alice")
        carol.expect("chat.text", text="without alice")
        stranger = stage.call(stage.agent(ALICE, key=os.urandom(32)))
        stranger.expect("call.over", why="ours")  # the KMS has no ticket for whoever is not Alice
        stranger.none("media.up")
        for agent in (bob, carol):
            agent.do("bye")
            agent.expect("call.over", why="ours")
        stage.empty()
        self.assertEqual(set(stage.close()), {0})


if __name__ == "__main__":
    unittest.main()
