# SPDX-License-Identifier: Apache-2.0
"""A conference on one machine: gatehouse-kms, gatehouse-mgc, gatehouse-mg, and user agents (`gatehouse ue`)."""
import os
import re
import subprocess
import tempfile
import time
import urllib.request

import harness
from agent import Agent
from harness import BUILD, until
from kms import Kms, User

MGC = os.path.join(BUILD, "gatehouse-mgc")
ROOM = "sip:room@home.example"
ALICE, BOB, CAROL, DAVE = (f"sip:{name}@home.example" for name in ("alice", "bob", "carol", "dave"))
RULES = [f'from: "sip:*@home.example", to: "{DAVE}", deny: true', 'from: "sip:*@home.example", to: "sip:*@home.example"']
CONFIG = """
sip: {{listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"{listen}]{sip}}}
h248: {{listen: "127.0.0.1:0"{h248}}}
mrfp: {{domain: conference, agnostic: {agnostic}, psk-suites: [{suites}]}}
kms: {{url: "{url}", identity: sip:kms.example.com{kms}}}
mikey: {{psk-file: room.key{mikey}}}
conferences:
  - uri: {room}
    members: ["{alice}", "{bob}"]
    bfcp: {{conference-id: 4321, floors: [{{id: 1}}, {{id: 2}}]}}
    {more}
metrics: {{listen: "127.0.0.1:0"}}
log: {{level: debug}}
{domains}
"""
MG = """
mg: {{workers: 2, leave: forced}}
controllers: ["127.0.0.1:{port}"]
h248: {{{listen}, version: 3, retry: 100ms, leave-timeout: 50ms}}
media: {{addresses: [127.0.0.1]}}
tls-domains:
  - {{name: conference, profile: ts33328-annex-h, server-methods: [none], client-methods: [none], client-auth: none}}
{domains}
metrics: {{listen: "127.0.0.1:0"}}
"""
SUITES = ("TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_PSK_WITH_AES_128_CBC_SHA, TLS_PSK_WITH_AES_256_CBC_SHA, TLS_PSK_WITH_AES_128_GCM_SHA256, "
          "TLS_PSK_WITH_AES_256_GCM_SHA384, TLS_PSK_WITH_AES_128_CBC_SHA256, TLS_DHE_PSK_WITH_AES_128_GCM_SHA256, "
          "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384, TLS_DHE_PSK_WITH_AES_128_CBC_SHA, TLS_DHE_PSK_WITH_AES_256_CBC_SHA, "
          "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256, TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA, TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA, "
          "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256")


class Program:
    """A server with a file and a log of its own."""

    def __init__(self, program, folder, name, text):
        self.path, self.log_path = os.path.join(folder, f"{name}.yaml"), os.path.join(folder, f"{name}.log")
        with open(self.path, "w", encoding="ascii") as file:
            file.write(text)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([program, "-c", self.path], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def logged(self, words, count=1):
        def there():
            assert self.process.poll() is None or self.log().count(words) >= count, self.log()
            return self.log().count(words) >= count
        until(there, lambda: f"{words} in:\n{self.log()}")
        return self

    def found(self, pattern):
        return until(lambda: re.search(pattern, self.log()), lambda: f"{pattern} in:\n{self.log()}").group(1)

    def metrics(self):
        port = self.found(r"metrics (?:on port |by HTTP on \S+:)(\d+)")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=harness.PATIENCE) as answer:
            return dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))

    def metric(self, name):
        return float(self.metrics().get(name, "0"))

    def end(self, kill=False):
        if self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
        return self.process.wait(harness.PATIENCE)


class Stage:
    """All of it; `like` another one, whose KMS it shares. `close` gives the exit statuses. `tls`: `certificate: ..., key: ...,
    anchors: [...]` of localhost; then SIP is had by TLS too, and H.248 and the KMS (`kms`: the name in its URL) by nothing else."""

    def __init__(self, folder, more="", sip="", h248="", mikey="", suites=SUITES, mrfp=True, agnostic="true", like=None,
                 groups="", alike=(), tls=None, kms="localhost"):
        self.agents, self.gateways, self.like, self.tls, self.kms_host = [], [], like, tls, kms
        if like:
            self.folder, self.kms, self.users = like.folder, like.kms, like.users
        else:
            self.folder = tempfile.mkdtemp(dir=folder)
            self.kms = Kms(self.folder, RULES, groups + (f"tls: {{{tls}, clients: certificate}}\n" if tls else ""),
                           "https: 127.0.0.1:0" if tls else "http: 127.0.0.1:0").start()
            self.users = {name: self.kms.enroll(User(name, key_id=None)) for name in (ROOM, ALICE, BOB, CAROL, DAVE)}
            for name in alike:  # the same key as the conference's
                self.kms.tool("remove", name)
                self.kms.enroll(User(name, key=self.users[ROOM].key))
            self.kms.secret("room.key", self.users[ROOM].key)
        try:
            self.begin(more=more, sip=sip, h248=h248, mikey=mikey, suites=suites, agnostic=agnostic)
            self.mg = self.gateway() if mrfp else None
        except BaseException:  # nothing that was started outlives a stage that did not come about
            for program in [*self.gateways, *([self.mgc] if hasattr(self, "mgc") else [])]:
                program.end(kill=True)
            if not like:
                self.kms.kill()
            raise

    def begin(self, **how):
        how.update(listen="", kms="", domains="")
        if self.tls:
            how.update(listen=', "tls:127.0.0.1:0"', kms=", domain: core", domains=f"tls-domains: [{{name: core, {self.tls}}}]")
            how["sip"] += ", domain: core"
            how["h248"] += ", transport: tls, domain: core, peer-name: localhost"
        self.mgc = Program(MGC, self.folder, "mgc2" if self.like else "mgc", CONFIG.format(
            url=self.url(), room=ROOM, alice=ALICE, bob=BOB, **how))
        self.mgc.logged("event=started")
        kinds = ("udp", "tcp", *(["tls"] if self.tls else []))
        self.sip = {kind: self.mgc.found(rf"SIP on {kind}:127.0.0.1:(\d+)") for kind in kinds}
        self.h248 = self.mgc.found(r"H.248 on \w+:127.0.0.1:(\d+)")

    def url(self):
        where = f"https://{self.kms_host}:{self.kms.ports['https']}" if self.tls else f"http://127.0.0.1:{self.kms.ports['http']}"
        return f"{where}/keymanagement"

    def gateway(self, tls=None, registers=True, mid=""):
        listen, domains, tls = 'listen: "127.0.0.1:0"', "", tls or self.tls
        if tls:
            listen, mid = "transport: tls, domain: mp, peer-name: localhost", mid or f"mg{len(self.gateways)}"
            domains = f"  - {{name: mp, profile: ts33210-rel17, {tls.replace('anchors:', 'trust: {anchors:')}}}, client-auth: require}}"
        name = f"{'mg2-' if self.like else 'mg'}{len(self.gateways)}"
        text = MG.format(port=self.h248, listen=listen, domains=domains)
        mg = Program(harness.MG, self.folder, name, text.replace("leave: forced", f"leave: forced, mid: {mid}") if mid else text)
        self.gateways.append(mg)
        if registers:
            self.mgc.logged("registered version=", len(self.gateways))
        return mg

    def agent(self, identity, sip="", media="", key=None, transport="udp"):
        name = identity[4:].split("@")[0]
        folder = tempfile.mkdtemp(dir=self.folder)
        key = self.kms.secret(f"{name}.key", key or self.users[identity].key)
        tls = f", tls: {{{self.tls}}}" if self.tls else ""
        agent = Agent(folder, name, f"identity: {identity}\n"
                      f"sip: {{listen: ['{transport}:127.0.0.1:0']{tls}{sip}}}\n"
                      f"media: {{inbox: {folder}, patience: 60s{media}}}\n"
                      f"kms: {{url: '{self.url()}', identity: 'sip:kms.example.com', key-file: '{key}'{tls}}}\n")
        self.agents.append(agent)
        agent.at = agent.expect("sip.listen")["local"]
        return agent

    def call(self, agent, transport="udp", how="", room=ROOM):
        host = "localhost" if transport == "tls" else "127.0.0.1"
        agent.do(f"call {room} route=sip:{host}:{self.sip[transport]};transport={transport};lr {how}")
        return agent

    def joined(self, *agents):
        for agent in agents:
            agent.expect("call.up")
            for kind in ("msrp", "bfcp"):
                agent.expect("media.up", kind=kind)

    def empty(self):
        """No member, no context, no termination is left."""
        until(lambda: self.mgc.metric("gatehouse_mgc_members") == 0, lambda: self.mgc.log()[-3000:])
        for mg in self.gateways:
            if mg.process.poll() is None:
                until(lambda mg=mg: mg.metric("gatehouse_contexts") == 0 and mg.metric("gatehouse_terminations") == 0,
                      lambda mg=mg: str(mg.metrics()))

    def close(self):
        for agent in self.agents:
            if agent.process.poll() is None:
                agent.close(kill=True)
        statuses = [self.mgc.end()] + [mg.end() for mg in self.gateways if mg.process.poll() is None]
        if not self.like:
            self.kms.kill()
        return statuses


def pause(seconds):
    """For what has no event to wait for."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end, "time")
