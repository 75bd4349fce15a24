#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: gatehouse-mgc reads its file anew, as a whole or not at all; whoever is in a conference stays there."""
import shutil
import signal
import tempfile
import unittest

import harness
import mrfc
from mrfc import ALICE, BOB, CAROL, ROOM
from test_ue_call import certificates


class Reload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-mgc-reload-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def stage(self, **settings):
        stage = mrfc.Stage(self.folder, **settings)
        self.addCleanup(stage.close)
        return stage

    def reload(self, stage, *changes, takes=True):
        """Each change is a text of the file, and what is in its place then."""
        words = "event=reloaded" if takes else "not reloaded, nothing has changed"
        count = stage.mgc.log().count(words)
        with open(stage.mgc.path, encoding="ascii") as file:
            text = file.read()
        for before, after in changes:
            self.assertIn(before, text)
            text = text.replace(before, after)
        with open(stage.mgc.path, "w", encoding="ascii") as file:
            file.write(text)
        stage.mgc.process.send_signal(signal.SIGHUP)
        stage.mgc.logged(words, count + 1)

    def test_conferences(self):
        """A new member, while another is there; then the conference is taken out: its members are sent away, nothing is left."""
        stage = self.stage()
        alice, carol = stage.agent(ALICE), stage.agent(CAROL)
        stage.joined(stage.call(alice))
        stage.call(carol).expect("call.over", why="refused", status="403")
        self.reload(stage, (f'"{BOB}"]', f'"{BOB}", "{CAROL}"]'))
        stage.joined(stage.call(carol))
        self.assertEqual(stage.mg.metric("gatehouse_contexts"), 1)
        alice.do("renew")  # on what it began with
        for kind in ("msrp", "bfcp"):
            alice.expect("media.up", kind=kind)
        self.reload(stage, (ROOM, "sip:other@home.example"))
        for agent in (alice, carol):
            agent.expect("call.over", why="bye")
        stage.empty()
        stage.call(alice).expect("call.over", why="refused", status="404")
        self.reload(stage, ("sip:other@home.example", ROOM))
        stage.joined(stage.call(alice))
        self.assertEqual(set(stage.close()), {0})

    def test_not_at_all(self):
        """What cannot change, and what is wrong: nothing of the file is taken."""
        stage = self.stage()
        alice, carol = stage.agent(ALICE), stage.agent(CAROL)
        stage.joined(stage.call(alice))
        member = (f'"{BOB}"]', f'"{BOB}", "{CAROL}"]')
        back = (member[1], member[0])
        for change, words in ((("bfcp: {conference-id: 4321", "bfcp: {conference-id: 4322"), "floors of a conference that has members"),
                              (("sip: {", "sip: {host: elsewhere.example, "), "sip.host needs a restart"),
                              (('"udp:127.0.0.1:0", "tcp', '"udp:127.0.0.2:0", "tcp'), "sip.listen needs a restart"),
                              (("agnostic: true", "agnostic: false"), "mrfp.agnostic needs a restart"),
                              (("floors: [{id: 1}", "floors: [{id: 0}"), "an id is 1 to 65535"),
                              (("psk-file: room.key", "psk-file: no.key"), "no.key: cannot open")):
            self.reload(stage, member, change, takes=False)
            stage.mgc.logged(words)
            stage.call(carol).expect("call.over", why="refused", status="403")
            self.reload(stage, back, (change[1], change[0]))
        alice.do("bye")
        alice.expect("call.over", why="ours")
        stage.empty()
        self.reload(stage, ("bfcp: {conference-id: 4321", "bfcp: {conference-id: 4322"))
        stage.joined(stage.call(alice))
        self.assertEqual(set(stage.close()), {0})

    @unittest.skipUnless(harness.HAVE_OPENSSL, harness.NO_OPENSSL)
    def test_domains(self):
        """Another CA: the MRFP that is there stays, who comes with the old one is refused, who comes with the new one is taken."""
        old, new = (certificates(self.folder, "localhost")["localhost"][1:-1] for _ in range(2))
        stage = self.stage(tls=old)
        self.reload(stage, (old, new))
        late = stage.gateway(old, registers=False)
        late.logged("alert")
        self.assertEqual(stage.mgc.metric("gatehouse_mgc_mrfps"), 1)
        late.end(kill=True)
        stage.gateways.remove(late)
        stage.gateway(new)
        self.assertEqual(stage.mgc.metric("gatehouse_mgc_mrfps"), 2, stage.mgc.log())
        self.reload(stage, (new, old))
        alice = stage.call(stage.agent(ALICE))
        stage.joined(alice)  # the KMS knows the old one alone
        alice.do("bye")
        alice.expect("call.over", why="ours")
        self.assertEqual(set(stage.close()), {0})


if __name__ == "__main__":
    unittest.main(verbosity=2)
