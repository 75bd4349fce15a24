#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three of `gatehouse ue` in the chat room and at the floor control server of gatehouse-mg (docs/mg.md, "MSRP and BFCP"), each with
keys of its own; the controller is the test's. Nobody hears what is not for him, and whoever ends ends alone."""
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import unittest

import harness
from agent import Agent

ROOM = "sip:room@conf.example"
DOMAIN = "  - {name: conference, profile: ts33328-annex-h, default: true}\n"
ADD = """Context = {context} {{ Add = $ {{ Media {{
  Stream = 1 {{ LocalControl {{ Mode = SendReceive, gatehouse/dom = "conference", gatehouse/pskid = ["{name}-chat"],
      gatehouse/psk = [{chat}], gatehouse_msrp/mode = room, gatehouse_msrp/room = "{room}",
      gatehouse_msrp/user = ["sip:{name}@home.example"] }},
    Local {{
v=0
c=IN IP4 $
m=message $ TCP/TLS/MSRP *
a=setup:passive
a=path:$
a=chatroom:nickname private-messages
}},
    Remote {{
v=0
c=IN IP4 127.0.0.1
m=message 9 TCP/TLS/MSRP *
a=setup:active
a=path:{path}
a=accept-wrapped-types:*
a=chatroom:nickname private-messages
}} }},
  Stream = 2 {{ LocalControl {{ Mode = SendReceive, gatehouse/dom = "conference", gatehouse/pskid = ["{name}-floor"],
      gatehouse/psk = [{floor}], gatehouse_bfcp/mode = server, gatehouse_bfcp/uri = "sip:{name}@home.example" }},
    Local {{
v=0
c=IN IP4 $
m=application $ TCP/TLS/BFCP *
a=setup:passive
a=confid:4321
a=userid:{user}
a=floorid:1 mstrm:10
}},
    Remote {{
v=0
c=IN IP4 127.0.0.1
m=application 9 TCP/TLS/BFCP *
a=setup:active
}} }} }} }} }}"""


class Room(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-ue-room-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.gateway = harness.Gateway(self.folder, DOMAIN)
        self.addCleanup(self.gateway.stop)
        self.controller, self.context, self.agents, self.terms = self.gateway.controller, "$", {}, {}
        self.addCleanup(self.kill)

    def kill(self):
        for agent in self.agents.values():
            if agent.process.poll() is None:
                agent.close(kill=True)

    def key(self, name, secret):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(secret + "\n")
        return path

    def join(self, name, user):
        inbox = os.path.join(self.folder, name)
        os.mkdir(inbox)
        chat, floor = secrets.token_hex(32), secrets.token_hex(32)
        own = f"msrps://127.0.0.1:9/{secrets.token_hex(8)};tcp"
        reply = self.controller.ok(ADD.format(context=self.context, name=name, user=user, room=ROOM, path=own, chat=chat.upper(),
                                              floor=floor.upper()))
        self.context = re.search(r"Context = (\d+)", reply).group(1)
        self.terms[name] = re.search(r"Add = (\S+)", reply).group(1)
        path = re.search(r"a=path:(\S+)", reply).group(1)
        ports = [int(port) for port in re.findall(r"m=\w+ (\d+) TCP/TLS", reply)[:2]]
        agent = self.agents[name] = Agent(self.folder, name, f"identity: sip:{name}@home.example\nmedia: {{inbox: {inbox}}}\n")
        agent.do(f"open msrp connect=127.0.0.1:{ports[0]} own={own} peer={path} room={ROOM} psk-identity={name}-chat "
                 f"psk-file={self.key(name + '.chat', chat)}",
                 f"open bfcp connect=127.0.0.1:{ports[1]} conference=4321 user={user} psk-identity={name}-floor "
                 f"psk-file={self.key(name + '.floor', floor)}")
        for kind in ("msrp", "bfcp"):
            agent.expect("media.up", kind=kind)
        return agent

    def test_they_chat_and_pass_the_floor(self):
        ann, bob, eve = (self.join(name, user) for user, name in enumerate(("ann", "bob", "eve"), 1))
        ann.do("nick Ann the first")
        ann.expect("chat.nickname", status="200")
        bob.do("nick ann THE first")
        bob.expect("chat.nickname", status="425")
        eve.do("nick Eve")  # whoever has had an answer is in the room
        eve.expect("chat.nickname", status="200")
        ann.do("say good morning")
        for agent in (bob, eve):
            agent.expect("chat.text", text="good morning", **{"from": "sip:ann@home.example"})
        bob.do("tell sip:ann@home.example between us")
        ann.expect("chat.text", text="between us", to="sip:ann@home.example")
        content = os.urandom(3 << 20)
        path = os.path.join(self.folder, "holiday.bin")
        with open(path, "wb") as file:
            file.write(content)
        eve.do(f"send {path}", "say a word meanwhile")
        for agent in (ann, bob):
            agent.expect("chat.text", text="a word meanwhile")
            agent.expect("chat.file", sha256=hashlib.sha256(content).hexdigest(), name="holiday.bin")
        eve.none("chat.text", text="between us")
        ann.do("floor request 1")
        ann.expect("floor.request", status="Granted")
        bob.do("floor query 1", "floor request 1")
        bob.expect("floor.status", holder="1")
        bob.expect("floor.request", status="Accepted", place="1")
        ann.do("floor release")
        bob.expect("floor.request", status="Granted")
        self.controller.ok(f"Context = {self.context} {{ Subtract = {self.terms['eve']} }}")
        for kind in ("msrp", "bfcp"):
            eve.expect("media.end", kind=kind)
        bob.do("say without eve")
        ann.expect("chat.text", text="without eve")
        for agent in (ann, bob):
            self.assertEqual(agent.close(), 0)
        self.controller.ok(f"Context = {self.context} {{ Subtract = * }}")


if __name__ == "__main__":
    unittest.main()
