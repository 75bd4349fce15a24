#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-mgc as MRFC (TS 23.333, 5.20.2): members dial in and are called; keys of MIKEY-TICKET go to the MRFP; whatever
fails, the calls end with their reason and nothing is left at the MRFP."""
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import harness
import mrfc
from mrfc import ALICE, BOB, CAROL, DAVE, ROOM


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-mgc-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def stage(self, agnostic="false", **settings):
        stage = mrfc.Stage(self.folder, agnostic=agnostic, **settings)
        self.addCleanup(stage.close)
        return stage

    def ended(self, stage, status=0):
        stage.empty()
        self.assertEqual(set(stage.close()), {status})


class DialIn(Case):
    def test_two_members(self):
        self.two_members("false")

    def test_two_members_of_an_agnostic_gateway(self):
        self.two_members("true")

    def two_members(self, agnostic):
        """Both in one context, each stream with a key of its own; the MRFP is TLS server, as answerer and passive."""
        stage = self.stage(agnostic)
        alice, bob = stage.agent(ALICE), stage.agent(BOB)
        keys = set()
        for agent, transport in ((stage.call(alice), "udp"), (stage.call(bob, "tcp"), "tcp")):
            agent.expect("call.up", peer=ROOM)
            for kind in ("msrp", "bfcp"):
                up = agent.expect("media.up", kind=kind)
                self.assertEqual(up["role"], "client", transport)
                keys.add(up["psk-identity"])
        self.assertEqual(len(keys), 4)
        self.assertEqual(stage.mg.metric("gatehouse_contexts"), 1)
        self.assertEqual(stage.mg.metric("gatehouse_terminations"), 2)
        alice.do("bye")
        alice.expect("call.over", why="ours")
        bob.do("bye")
        bob.expect("call.over", why="ours")
        self.ended(stage)
        for program in (stage.mgc, stage.mg):
            self.assertNotRegex(program.log(), "[0-9a-f]{64}", "a key is in a log")

    def test_active(self):
        """`a=setup:passive` of the member: the MRFP connects, and is TLS client of MSRP, not of BFCP (RFC 8122, 6.2; RFC 4583, 8)."""
        stage = self.stage()
        alice = stage.call(stage.agent(ALICE), how="setup=passive")
        self.assertEqual(alice.expect("media.up", kind="msrp")["role"], "server")
        self.assertEqual(alice.expect("media.up", kind="bfcp")["role"], "client")
        alice.do("bye")
        alice.expect("call.over", why="ours")
        self.ended(stage)

    def test_renewed(self):
        """A re-INVITE with new connections: new keys, new bearers; the old ones end."""
        stage = self.stage()
        alice = stage.call(stage.agent(ALICE))
        alice.expect("call.up")
        first = {alice.expect("media.up", kind=kind)["psk-identity"] for kind in ("msrp", "bfcp")}
        alice.do("renew")
        second = {alice.expect("media.up", kind=kind)["psk-identity"] for kind in ("msrp", "bfcp")}
        self.assertEqual(len(first | second), 4)
        self.assertEqual(stage.mg.metric("gatehouse_endpoints"), 2)
        alice.do("bye")
        alice.expect("call.over", why="ours")
        self.ended(stage)

    def test_one_medium(self):
        stage = self.stage()
        alice = stage.call(stage.agent(ALICE), how="msrp")
        alice.expect("media.up", kind="msrp")
        alice.none("call.media", kind="bfcp")
        alice.do("bye")
        alice.expect("call.over", why="ours")
        self.ended(stage)

    def test_turned_away(self):
        """Not a member, no such conference."""
        stage = self.stage(mrfp=False)
        carol, alice = stage.agent(CAROL), stage.agent(ALICE)
        stage.call(carol).expect("call.over", why="refused", status="403")
        stage.call(alice, room="sip:nowhere@home.example").expect("call.over", why="refused", status="404")
        self.ended(stage)

    def test_no_mrfp(self):
        stage = self.stage(mrfp=False)
        alice = stage.call(stage.agent(ALICE))
        alice.expect("call.over", why="refused", status="503")
        self.ended(stage)

    def test_suite(self):
        """A session with a suite that is not in the list of the MRFP's ends with its reason."""
        stage = self.stage(suites="TLS_RSA_PSK_WITH_AES_256_CBC_SHA")
        alice = stage.call(stage.agent(ALICE))
        alice.expect("call.over", why="bye")
        stage.mgc.logged("is none of mrfp.psk-suites")
        self.ended(stage)


class DialOut(Case):
    def test_called(self):
        """One dials in, one is called then: actpass is offered, the answer decides who connects; BFCP's offerer is TLS client."""
        stage = self.stage(mrfp=False)
        bob = stage.agent(BOB, sip=", answer: manual")
        dialled = self.stage(more=f'dial-out: ["{BOB}"]\n    dial: start', sip=f', proxy: "<sip:{bob.at};lr>"', like=stage)
        bob.expect("call.incoming", peer=ROOM)
        bob.do("answer")
        bob.expect("call.up")
        self.assertEqual(bob.expect("media.up", kind="msrp")["role"], "client")
        self.assertEqual(bob.expect("media.up", kind="bfcp")["role"], "server")
        bob.do("bye")
        bob.expect("call.over", why="ours")
        self.ended(dialled)

    def test_refused(self):
        stage = self.stage(mrfp=False)
        bob = stage.agent(BOB, sip=", answer: manual")
        dialled = self.stage(more=f'dial-out: ["{BOB}"]\n    dial: start', sip=f', proxy: "<sip:{bob.at};lr>"', like=stage)
        bob.expect("call.incoming")
        bob.do("bye status=603")
        bob.expect("call.over")
        dialled.mgc.logged("the member's answer: 603")
        self.ended(dialled)

    def test_not_for_him(self):
        """The KMS gives no ticket for dave: nobody is called, and what was reserved is released."""
        stage = self.stage(more=f'dial-out: ["{DAVE}"]\n    dial: start')
        stage.mgc.logged("not-keyed: asking -> closing")
        self.ended(stage)

    def somebody(self, mikey):
        """A conference calls a group, and Carol answers for it, who has keys of her own (RFC 6043, 5.1.1): two controllers."""
        team, ask = "sip:team@home.example", "sip:ask@home.example"
        called = self.stage(mikey=f", user: '{CAROL}'", more=f"\n  - {{uri: '{team}', members: ['*'], msrp: {{}}}}",
                            groups=f"groups:\n  - {{name: '{team}', members: ['{CAROL}']}}\n", alike=(CAROL, ask))
        return called, self.stage(like=called, mikey=mikey, sip=f", proxy: '<sip:127.0.0.1:{called.sip['udp']};lr>'",
                                  more=f"\n  - {{uri: '{ask}', dial-out: ['{team}'], dial: start, msrp: {{}}}}")

    def test_not_the_expected_responder(self):
        """Who answers is not who was called: BYE, and no key goes to the MRFP (TS 23.333, 5.20.2)."""
        called, calling = self.somebody("")
        calling.mgc.logged("end conference=sip:ask@home.example member=sip:team@home.example: ")
        calling.mgc.logged("sip:carol@home.example is there instead of")
        called.mgc.logged("the call is over: BYE")
        for stage in (calling, called):
            self.assertNotIn("tls-up", stage.mgc.log())
            stage.empty()

    def test_an_alias_of_the_expected_responder(self):
        called, calling = self.somebody(f", aliases: [{{name: 'sip:team@home.example', also: '{CAROL}'}}]")
        for stage in (calling, called):
            stage.mgc.logged("tls-up")
        self.assertEqual(calling.mgc.end(), 0)
        called.empty()


class Failures(Case):
    def test_mrfp_killed(self):
        """Its members get BYE; with another one they come again."""
        stage = self.stage(h248=", audit: 100ms, t-max: 500ms")
        alice = stage.call(stage.agent(ALICE))
        stage.joined(alice)
        stage.mg.end(kill=True)
        alice.expect("call.over", why="bye")
        stage.gateway()
        stage.call(alice)
        stage.joined(alice)
        alice.do("bye")
        alice.expect("call.over", why="ours")
        self.ended(stage)

    def test_called_again(self):
        """Whom a conference calls by itself is called again where its MRFP is lost and there is another one already."""
        stage = self.stage(mrfp=False)
        bob = stage.agent(BOB, sip=", answer: manual")
        dialled = self.stage(more=f'dial-out: ["{BOB}"]\n    dial: start', sip=f', proxy: "<sip:{bob.at};lr>"', like=stage,
                             h248=", audit: 100ms, t-max: 500ms")
        bob.expect("call.incoming")
        bob.do("answer")
        dialled.joined(bob)
        dialled.gateway(mid="other.example")
        dialled.mg.end(kill=True)
        bob.expect("call.over", why="bye")
        bob.expect("call.incoming")
        bob.do("answer")
        dialled.joined(bob)
        bob.do("bye")
        bob.expect("call.over", why="ours")
        self.ended(dialled)

    def test_kms_killed(self):
        """No ticket, no call; what was reserved for it is released."""
        stage = self.stage(mrfp=False, more=f'dial-out: ["{BOB}"]\n    dial: start')
        stage.kms.kill()
        stage.gateway()
        stage.mgc.logged("not-keyed: asking -> closing")
        self.ended(stage)

    def test_cancelled_while_seated(self):
        """CANCEL comes while the MRFP has not answered: what it has made all the same is taken away."""
        stage = self.stage()
        alice = stage.agent(ALICE)
        stage.mg.process.send_signal(signal.SIGSTOP)
        stage.call(alice)
        stage.mgc.logged("keyed: judging -> seating")
        alice.do("bye")
        stage.mgc.logged("over: seating -> closing")
        stage.mg.process.send_signal(signal.SIGCONT)
        stage.mgc.logged("empty: closing -> gone")
        alice.expect("call.over")
        self.ended(stage)

    def test_member_killed(self):
        """Its connections end, and nobody says BYE: it goes with its bearer."""
        stage = self.stage()
        alice = stage.call(stage.agent(ALICE))
        stage.joined(alice)
        alice.close(kill=True)
        stage.mgc.logged(f"member={ALICE}: the bearer has ended")
        self.ended(stage)

    def test_leave(self):
        """SIGTERM: members get BYE with a reason, the MRFP is empty."""
        stage = self.stage()
        alice, bob = stage.agent(ALICE), stage.agent(BOB)
        for agent in (alice, bob):
            stage.joined(stage.call(agent))
        self.assertEqual(stage.mgc.end(), 0)
        for agent in (alice, bob):
            agent.expect("call.over", why="bye")
        harness.until(lambda: stage.mg.metric("gatehouse_contexts") == 0, lambda: stage.mgc.log()[-2000:])


class Reserved(harness.Case, unittest.TestCase):
    """What the dial-out rests on: between our offer and its answer a peer may connect; its TLS waits for key and roles."""

    @classmethod
    def prepare(cls):
        cls.shared_gateway("  - {name: conference, profile: ts33328-annex-h, default: true}\n", speaks=3)

    def test_early_connection(self):
        key = os.urandom(16).hex()
        made = harness.Made(self.mgc.command(f"Context = $ {{ {harness.add(harness.stream('TCP/TLS/MSRP', 'actpass'))} }}"))
        port = made.ports[0]
        peer = self.own(harness.Peer("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{port}", "-psk_identity", "k", "-psk", key))
        self.mgc.take("tcpbcc/BNCChange", "Type = Est")
        self.mgc.command(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Media {{ "
                         + harness.stream("TCP/TLS/MSRP", "passive", 9, "active", port=port,
                                          control=f'gatehouse/pskid = "k", gatehouse/psk = {key}') + " } } }")
        self.mgc.take("tlsbsc/BNCChange", "Type = Est", 'Auth = "psk"')
        peer.finish()


class Files(Case):
    def check(self, text):
        path = os.path.join(self.folder, "check.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        done = subprocess.run([mrfc.MGC, "-c", path, "--check"], capture_output=True, text=True, check=False, timeout=harness.PATIENCE)
        return done.returncode, done.stdout + done.stderr

    def test_bad(self):
        good = "sip: {listen: ['udp:127.0.0.1:0']}\n"
        room = "conferences:\n  - {uri: 'sip:room@home.example', members: ['*']}\n"
        self.assertEqual(self.check(good + room)[0], 0)
        for text, words in (("{}", "sip.listen is needed"),
                            ("sip: {listen: ['127.0.0.1:0']}", "names no transport"),
                            ("sip: {listen: ['tls:127.0.0.1:0']}", "tls needs sip.domain"),
                            (good + "h248: {transport: tls}", "tls needs h248.domain"),
                            (good + "h248: {gateways: ['[x']}", "is no mId"),
                            (good + "mrfp: {psk-suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}", "is no PSK suite"),
                            (good + "mikey: {mode: 3}", "need mikey.tpk-file"),
                            (good + "kms: {url: 'ftp://x'}", "is no http:// or https:// URL"),
                            (good + "kms: {url: 'https://x'}", "go together"),
                            (good + "kms: {url: 'http://x', domain: core}", "go together"),
                            (good + "kms: {url: 'https://x', domain: core}", "there is no TLS domain 'core'"),
                            (good + room + "  - {uri: 'sip:room@home.example'}", "another conference has it"),
                            (good + room.replace("}", ", bfcp: {floors: [{id: 1}, {id: 1}]}}"), "an id occurs twice"),
                            (good + room.replace("}", ", members-max: 70000}"), "expected 10000 or less"),
                            (good + room.replace("}", ", msrp: {off: true}}"), "neither msrp nor bfcp")):
            with self.subTest(words):
                status, said = self.check(text + "\n")
                self.assertEqual(status, 1, said)
                self.assertIn(words, said)
                self.assertIn("check.yaml", said)


if __name__ == "__main__":
    unittest.main()
