#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A call secured end to end: alice calls bob by SIP, with keys of MIKEY-TICKET from gatehouse-kms. They chat, pass a file on, ask for the floor.
Dave shows a ticket that was alice's and is refused. All of it is captured, and read by tshark down to the messages."""
import sys

from cast import Failed
from stage import Stage, perform

BOB = "sip:bob@home.example"


class Call(Stage):
    callee = BOB

    def play(self, show):
        self.kms({name: f"sip:{name}@home.example" for name in ("alice", "bob", "dave")}, [("sip:*@home.example", "sip:*@home.example")])
        self.step("KMS and S-CSCF are there, users are enrolled")
        alice, bob = self.agent("alice", 11), self.agent("bob", 12, media="setup: passive, floors: '1'")
        alice.do(f"call {BOB}")
        if len(set(self.joined("alice"))) != 2:
            raise Failed("a key is shared")
        self.step("alice calls bob: two sessions of TLS, each with a pre-shared key of its own")
        self.stolen(12)
        alice.do("say good morning")
        bob.expect("chat.text", text="good morning")
        self.step("a word")
        alice.do("floor request 1").expect("floor.request", status="Granted", floors="1")
        self.step("alice asks for the floor and has it")
        self.file("bob")
        alice.do("bye").expect("call.over")
        bob.expect("call.over", why="bye")
        if wrong := self.close():
            raise Failed(f"exit status: {wrong}")
        self.developed(show, 2, 1)


if __name__ == "__main__":
    sys.exit(perform(Call, __doc__))
