#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The access edge: two user agents register with Kamailio through gatehouse-edge, by SIP Digest over TLS (TS 33.203, Annex O), and from then
on their TLS sessions say who they are. They exchange a message and a call; the edge renegotiates; one is cut off and registers again; and
one who speaks in another's name is refused. What each of them saw is printed as a ladder."""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests", "blackbox"))

import access  # noqa: E402
import harness  # noqa: E402
import kamailio  # noqa: E402
from cast import Agent, Failed  # noqa: E402
from edge import Ue, connect, field, status  # noqa: E402
from stage import Stage, perform  # noqa: E402

UE = """identity: sip:{name}@home.example
sip:
  listen: ["tls:{net}{host}:0"]
  registrar: sip:home.example
  proxy: ["sip:{net}2:5061;transport=tls;lr"]
  user: {name}@home.example
  password-file: {password}
  outbound: {{name: pcscf.home.example, retry: 100ms}}
  tls: {{profile: ts33203-annex-o-rel17, anchors: [{ca}]}}
"""


class Access(Stage):
    core = None

    def film(self):
        """The ladder is made of what the user agents and the core saw."""

    def edge(self, *words):
        done = subprocess.run([self.tool("gatehouse"), "edge", *map(str, words), "--socket", self.path("control"), "--json"], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise Failed(f"edge {words}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def binding(self, name):
        found = [one for one in self.edge("bindings")["bindings"] if one["impi"].startswith(name)]
        return found[0] if found else None

    def servers(self):
        tls = access.certificate(harness.Pki(self.folder))
        self.core = kamailio.Kamailio(self.folder, access.PASSWORDS, address=self.net + "4", port=5060)
        settings = {"edge": {"host": access.NAME, "drain": "1s"}, "access": {"listen": [f"tls:{self.net}2:5061"], "domain": "access"},
                    "core": {"listen": [f"udp:{self.net}2:5070"], "registrar": f"{self.core.uri};lr", "from": [f"{self.net}0/24"]}, "control": "control",
                    "tls-domains": [{"name": "access", "profile": "ts33203-annex-o-rel17", "certificate": tls["cert"], "key": tls["key"],
                                     "renegotiation": "server", "engine": "openssl"}]}
        self.program("edge", self.tool("gatehouse-edge"), "-c", self.write("edge.yaml", json.dumps(settings, indent=1)), ready="event=started")
        self.step("Kamailio, the registrar and S-CSCF, and gatehouse-edge in front of it, are there")

    def agent(self, name, host, *_):
        agent = Agent(self.tool("gatehouse"), self.folder, name, UE.format(
            name=name, net=self.net, host=host, password=access.password_file(self.folder, name), ca=self.path("ca.pem")), self.path("keys"))
        self.agents[name] = agent
        up = agent.expect("sip.up")
        agent.expect("sip.registered", status="200")
        self.step(f"{name} registers over {up['tls']} ({up['suite']}): bound to {self.binding(name)['peer']}")
        return agent

    def talk(self):
        alice, bob = self.agents["alice"], self.agents["bob"]
        alice.do("message sip:bob@home.example good morning")
        bob.expect("message", text="good morning")
        alice.expect("message.answer", status="200")
        if "<sip:alice@home.example>" not in field(self.core.got("MESSAGE"), "P-Asserted-Identity"):
            raise Failed("the core is not told who says it")
        self.step("a message; the core is told by the edge who says it (P-Asserted-Identity)")
        bob.do("call sip:alice@home.example sdp=none")
        for agent in (alice, bob):
            agent.expect("call.up")
        alice.do("bye")
        for agent in (alice, bob):
            agent.expect("call.over")
        self.step("bob calls alice, and she hangs up")

    def renewed(self):
        before = self.binding("alice")
        self.edge("renegotiate", before["flow"])
        if not harness.until(lambda: self.binding("alice")["session"] != before["session"], "another session in the binding"):
            raise Failed("the session is the old one")
        self.step("the edge turns the keys of alice's session; the new one has the old one's place in the binding")

    def cut(self):
        bob, before = self.agents["bob"], self.binding("bob")
        bob.do("cut")
        bob.expect("sip.registered", status="200")
        if self.binding("bob")["flow"] == before["flow"]:
            raise Failed("the binding is that of the old connection")
        self.step("bob is cut off; his binding goes with the connection, and he registers again")
        self.agents["alice"].do("message sip:bob@home.example there again?")
        bob.expect("message", text="there again?")
        self.step("alice's message reaches him where he is now")

    def mallory(self):
        """Carol has an account, and says that she is alice."""
        carol = Ue(0, "carol", sock=connect(5061, source=(self.net + "13", 0), at=self.net + "2"))
        carol.register()
        said = status(carol.message("sip:bob@home.example", "send me money", sender="sip:alice@home.example"))
        carol.close()
        if said != 403:
            raise Failed(f"carol was answered {said}")
        self.agents["bob"].none("message", text="send me money")
        stranger = Ue(0, "dave", sock=connect(5061, source=(self.net + "14", 0), at=self.net + "2"))
        if (other := status(stranger.message("sip:bob@home.example"))) != 403:
            raise Failed(f"a stranger was answered {other}")
        stranger.close()
        self.step(f"carol, registered, speaks in alice's name: {said}; dave, who is not registered, gets {other} for all but REGISTER")

    def ladder(self):
        rows = []
        for agent in self.agents.values():
            for event in agent.seen:
                if event["event"] in ("sip.sent", "sip.received"):
                    ends = (agent.name, "edge") if event["event"] == "sip.sent" else ("edge", agent.name)
                    rows.append((float(event["time"]), *ends, self.line(event["message"])))
        for time, text in self.core.seen():
            rows.append((time, "edge", "scscf", self.line(text)))
        rows.sort()
        for time, source, to, line in rows:
            print(f"{time - rows[0][0]:>9.3f} {source:>8} -> {to:<8} {line}")

    @staticmethod
    def line(message):
        first = message.split("\r\n", 1)[0].replace(" SIP/2.0", "").replace("SIP/2.0 ", "")
        method = re.search(r"^CSeq: *\d+ (\w+)", message, re.M)
        words = f"{first} ({method[1]})" if message.startswith("SIP/2.0") else re.sub(r"sip:[A-Za-z0-9+/=._~-]{30,}@", "sip:...@", first)
        protected = re.search(r'integrity-protected="?([\w-]+)', message)
        return words + (f"  {protected[1]}" if protected else "")

    def close(self):
        status_of = super().close()
        if self.core:
            self.core.close()
        return status_of

    def play(self, show):
        self.servers()
        for name, host in (("alice", 11), ("bob", 12)):
            self.agent(name, host)
        self.talk()
        self.renewed()
        self.cut()
        self.mallory()
        wrong = self.close()
        if wrong:
            raise Failed(f"exit status: {wrong}")
        if show:
            self.ladder()


if __name__ == "__main__":
    if not kamailio.HAVE:
        print(f"demo: {kamailio.MISSING}", file=sys.stderr)
        sys.exit(77)
    sys.exit(perform(Access, __doc__))
