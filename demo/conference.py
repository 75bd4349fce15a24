#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A conference secured end to end (TS 23.333, 5.20.2): gatehouse-kms, gatehouse-mgc as MRFC, gatehouse-mg as MRFP and user agents.
Alice and bob dial in, carol is called; each has keys of its own. They chat, pass a file on, ask for the floor. Dave answers a call that is
erin's, and shows a ticket that was alice's: both are refused. All of it is captured, and read by tshark down to the messages."""
import re
import sys
import urllib.request

from cast import Failed
from stage import Stage, perform, until

ROOM = "sip:room@conf.home.example"
PEOPLE = ["alice", "bob", "carol"]
MRFC = """sip: {{listen: ["udp:{net}2:5060"], proxy: "sip:{net}4:5060;transport=udp;lr"}}
h248: {{listen: "{net}2:2944", transport: udp, encoding: pretty}}
mrfp: {{domain: conference}}
mikey: {{psk-file: room.key}}
kms: {{url: "http://{net}1:8080/keymanagement", identity: sip:kms.home.example}}
conferences:
  - uri: {room}
    name: The demonstration
    members: ["sip:*@home.example"]
    dial-out: [sip:carol@home.example, sip:erin@home.example]
    dial: first-member
    bfcp: {{conference-id: 4711, floors: [{{id: 1}}]}}
"""
MRFP = """mg: {{workers: 2}}
controllers: ["{net}2:2944"]
h248: {{transport: udp, listen: "{net}3:2945", version: 3, encoding: pretty}}
media: {{addresses: ["{net}3"]}}
metrics: {{listen: "{net}3:9464"}}
tls-domains:
  - {{name: conference, profile: ts33328-annex-h, default: true}}
"""


class Conference(Stage):
    callee = ROOM

    def servers(self):
        values = {"net": self.net, "room": ROOM}
        users = {name: f"sip:{name}@home.example" for name in PEOPLE + ["dave", "erin"]}
        self.kms({**users, "room": ROOM}, [("sip:*@home.example", ROOM), (ROOM, "sip:*@home.example")])
        self.scscf.register(ROOM, self.net + "2")
        self.program("mrfc", self.tool("gatehouse-mgc"), "-c", self.write("mgc.yaml", MRFC.format(**values)), ready="event=started")
        self.program("mrfp", self.tool("gatehouse-mg"), "-c", self.write("mg.yaml", MRFP.format(**values)), ready="registered controller=")
        self.step("KMS, MRFC, MRFP and S-CSCF are there, users are enrolled")

    def join(self):
        alice, bob = self.agent("alice", 11), self.agent("bob", 12)
        carol = self.agent("carol", 13)
        dave = self.agent("dave", 14, "erin")
        alice.do(f"call {ROOM}")
        keys = self.joined("alice")
        self.step("alice dials in; her keys come by tickets from the KMS")
        carol.expect("call.incoming")
        keys += self.joined("carol")
        self.step("carol is called by the conference")
        bob.do(f"call {ROOM}")
        keys += self.joined("bob")
        self.step("bob dials in")
        if len(set(keys)) != 6:
            raise Failed(f"keys are shared: {keys}")
        self.step("six sessions of TLS, each with a pre-shared key of its own")
        dave.expect("call.incoming")
        dave.expect("call.failed")
        dave.none("media.up")
        self.step("dave answers a call for erin: the KMS does not resolve her ticket for him")

    def chat(self):
        alice, bob, carol = (self.agents[name] for name in PEOPLE)
        for name in PEOPLE:
            self.agents[name].do(f"nick {name}").expect("chat.nickname", status="200")
        alice.do("say good morning, all")
        for other in (bob, carol):
            other.expect("chat.text", text="good morning, all")
        bob.do(f"tell sip:carol@home.example between us")
        carol.expect("chat.text", text="between us")
        alice.none("chat.text", text="between us")
        self.step("nicknames, a word to all, a word in private")

    def floor(self):
        alice, bob = self.agents["alice"], self.agents["bob"]
        bob.do("floor request 1")
        bob.expect("floor.request", status="Granted", floors="1")
        alice.do("floor request 1")
        request = alice.expect("floor.request")
        bob.do("floor release")
        if request["status"] != "Granted":
            alice.expect("floor.request", status="Granted", floors="1")
        self.step("bob asks for the floor and has it; alice has it when he gives it back")

    def leave(self):
        for name in PEOPLE:
            self.agents[name].do("bye").expect("call.over")
        if not until(lambda: self.terminations() == 0, 20):
            raise Failed(f"the MRFP still has {self.terminations()} terminations")
        self.step("all hang up; nothing is left in the MRFP")

    def terminations(self):
        with urllib.request.urlopen(f"http://{self.net}3:9464/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return int(float(re.search(r"^gatehouse_terminations(?:\{[^}]*\})? ([0-9.]+)", text, re.M)[1]))

    def play(self, show):
        self.servers()
        self.join()
        self.stolen(2)
        self.chat()
        self.floor()
        self.file("bob", "carol")
        self.leave()
        if wrong := self.close():
            raise Failed(f"exit status: {wrong}")
        self.developed(show, 6, 2)


if __name__ == "__main__":
    sys.exit(perform(Conference, __doc__))
