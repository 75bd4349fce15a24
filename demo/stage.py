# SPDX-License-Identifier: Apache-2.0
"""The stage of the demonstrations with calls: a network of loopback addresses, a KMS, an S-CSCF, user agents, a capture of all they say that is
read back by tshark with the secrets of TLS inside."""
import argparse
import hashlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from cast import Agent, Failed, Program
from conference_ladder import Ladder, read
from scscf import Scscf

COLUMNS = {1: "kms", 2: "mrfc", 3: "mrfp", 4: "scscf", 11: "alice", 12: "bob", 13: "carol", 14: "dave"}

KMS = """kms: {{identity: sip:kms.home.example, store: kms.db, master-key: master.key, control: control}}
listen: [{{http: "{net}1:8080"}}]
rules:
{rules}
"""
UE = """identity: sip:{identity}@home.example
sip: {{listen: ["udp:{net}{host}:5060"], proxy: ["sip:{net}4:5060;transport=udp;lr"]}}
media: {{address: "{net}{host}", inbox: {inbox}, {media}}}
kms: {{url: "http://{net}1:8080/keymanagement", identity: sip:kms.home.example, key-file: {key}}}
"""


def until(condition, patience):
    """Wait for it, for so many seconds. @return whether it came"""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        threading.Event().wait(0.05)
    return True


def tail(path):
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 4096))
        return file.read()


class Stage:
    """`callee` is whom everybody calls."""
    callee = None

    def __init__(self, folder, tools, size):
        self.folder, self.tools, self.size = folder, tools, size
        self.net = f"127.{secrets.randbelow(200) + 50}.{secrets.randbelow(250) + 1}."
        self.programs, self.agents, self.capture, self.scscf = [], {}, None, None
        self.steps, self.ports = 0, {"msrp": [], "bfcp": []}
        self.owners = {}

    def step(self, words):
        self.steps += 1
        print(f"  {self.steps:>2}  {words}", flush=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def tool(self, name):
        return os.path.join(self.tools, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def secret(self, name):
        path = self.write(name, secrets.token_hex(32) + "\n")
        os.chmod(path, 0o600)
        return path

    # ---- the cast ----

    def film(self):
        """Capture what this cast says. Without the rights to capture there is no film, and nothing to look at afterwards."""
        if not shutil.which("dumpcap") or not shutil.which("editcap"):
            return
        self.capture = subprocess.Popen(["dumpcap", "-q", "-i", "lo", "-B", "64", "-f", f"net {self.net}0/24", "-w", self.path("raw.pcapng")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.capture.stderr:  # it says so when it has begun
            if line.startswith("File:"):
                return
        self.capture.wait()
        self.capture = None

    def program(self, name, *command, ready):
        program = Program(self.folder, name, *command)
        self.programs.append(program)
        return program.told(ready)

    def enroll(self, name, uri):
        key = self.secret(f"{name}.key")
        subprocess.run([self.tool("gatehouse"), "kms", "user", "add", "-c", self.path("kms.yaml"), uri, "--key", key], check=True)

    def kms(self, users, rules):
        self.secret("master.key")
        text = KMS.format(net=self.net, rules="\n".join(f'  - {{from: "{one}", to: "{other}"}}' for one, other in rules))
        self.program("kms", self.tool("gatehouse-kms"), "-c", self.write("kms.yaml", text), ready="event=started")
        for name, uri in users.items():
            self.enroll(name, uri)
        self.scscf = Scscf(self.net + "4")

    def agent(self, name, host, identity=None, media="setup: active"):
        inbox = self.path(name)
        os.mkdir(inbox)
        agent = Agent(self.tool("gatehouse"), self.folder, name, UE.format(
            identity=identity or name, net=self.net, host=host, inbox=inbox, media=media, key=self.path(f"{name}.key")), self.path("keys"))
        self.agents[name] = agent
        agent.expect("sip.listen")
        self.scscf.register(f"sip:{identity or name}@home.example", f"{self.net}{host}")
        return agent

    # ---- the play ----

    def joined(self, name):
        """Who is in has two sessions, each with a key of its own. @return the names of the keys"""
        agent, keys = self.agents[name], []
        agent.expect("call.up")
        for kind in ("msrp", "bfcp"):
            agreed = agent.expect("call.media", kind=kind, verdict="agreed")
            port = agreed["remote"].rsplit(":", 1)[1]
            self.ports[kind].append(port)
            self.owners[port] = name
            if agreed["peer"] != self.callee:
                raise Failed(f"{name}: MIKEY proved {agreed['peer']}")
        for kind in ("msrp", "bfcp"):
            keys.append(agent.expect("media.up", kind=kind)["psk-identity"])
        return keys

    def stolen(self, host):
        """Dave has seen alice's INVITE, and sends its key management data in his own name."""
        invite = next(event["message"] for event in self.agents["alice"].seen
                      if event["event"] == "sip.sent" and event["line"].startswith("INVITE"))
        sdp = invite.partition("\r\n\r\n")[2]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.bind((self.net + "14", 0))
            thief.settimeout(10)
            port, tag = thief.getsockname()[1], secrets.token_hex(8)
            thief.sendto((f"INVITE {self.callee} SIP/2.0\r\nVia: SIP/2.0/UDP {self.net}14:{port};rport;branch=z9hG4bK{tag}\r\nMax-Forwards: 70\r\n"
                          f"From: <sip:dave@home.example>;tag={tag}\r\nTo: <{self.callee}>\r\nCall-ID: {tag}\r\nCSeq: 1 INVITE\r\n"
                          f"Contact: <sip:dave@{self.net}14:{port}>\r\nContent-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n"
                          f"{sdp}").encode(), (f"{self.net}{host}", 5060))
            while True:
                answer = thief.recv(65536).decode()
                status = int(answer.split(" ")[1])
                if status >= 200:
                    break
            to = re.search(r"^To: .*$", answer, re.M)[0].strip()
            thief.sendto((f"ACK {self.callee} SIP/2.0\r\nVia: SIP/2.0/UDP {self.net}14:{port};rport;branch=z9hG4bK{tag}\r\nMax-Forwards: 70\r\n"
                          f"From: <sip:dave@home.example>;tag={tag}\r\n{to}\r\nCall-ID: {tag}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n").encode(),
                         (f"{self.net}{host}", 5060))
        if status not in (403, 488):
            raise Failed(f"the thief was answered {status}")
        self.step(f"dave shows a ticket that was alice's: {status}")

    def file(self, *others):
        """Alice sends a file, and others have it as it was."""
        alice = self.agents["alice"]
        content = secrets.token_bytes(self.size << 20)
        digest = hashlib.sha256(content).hexdigest()
        with open(self.path("holiday.jpg"), "wb") as file:
            file.write(content)
        alice.do("send " + self.path("holiday.jpg") + " type=image/jpeg")
        for other in others:
            got = self.agents[other].expect("chat.file", patience=120)
            if got["sha256"] != digest:
                raise Failed(f"{other} has another file: {got}")
        self.step(f"a file of {self.size} MiB, SHA-256 {digest[:16]}..., is with {' and '.join(others)} as it was")

    # ---- afterwards ----

    def close(self):
        status = {agent.name: agent.close() for agent in self.agents.values()}
        status.update((program.name, program.stop()) for program in reversed(self.programs))
        if self.scscf:
            self.scscf.stop()
        if self.capture:
            self.last_frame()
            self.capture.terminate()
            self.capture.communicate()
        return {name: code for name, code in status.items() if code and name != "dave"}

    def last_frame(self):
        """What the kernel still holds back for dumpcap comes before this mark."""
        mark = secrets.token_bytes(32)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(mark, (self.net + "99", 9))
        until(lambda: mark in tail(self.path("raw.pcapng")), 10)

    def developed(self, show, least_sends, least_grants):
        """The film, with the secrets of its TLS inside, looked at by tshark."""
        film = self.path("film.pcapng")
        if not self.capture:
            print("      no capture: this needs dumpcap with the right to capture, and tshark; nothing was read back")
            return
        subprocess.run(["editcap", "--inject-secrets", "tls," + self.path("keys"), self.path("raw.pcapng"), film], check=True,
                       capture_output=True)
        os.remove(self.path("raw.pcapng"))
        rows = read(film, self.ports)
        names = {f"{self.net}{host}": name for host, name in COLUMNS.items()}
        if show:
            print("\n".join(Ladder(names, self.owners, {"room": "mrfc", "erin": "dave"}).lines(rows)))
        sends = sum("SEND" in row["msrp.method"] for row in rows)
        granted = sum("3" in row["bfcp.request_status"].split(",") for row in rows)
        bad = [row for row in rows if row["_ws.malformed"]]
        if sends < least_sends or granted < least_grants or bad:
            raise Failed(f"tshark reads {sends} SENDs, {granted} grants, and {len(bad)} malformed packets: {bad[:3]}")
        self.step(f"tshark opens the capture ({os.path.getsize(film) >> 20} MiB): {sends} SENDs and {granted} grants of the floor inside TLS, nothing malformed")


    def play(self, show):
        """All of it; Failed where it goes wrong."""
        raise NotImplementedError


def perform(kind, words):
    """The program of a demonstration. @return its exit status"""
    options = argparse.ArgumentParser(description=words)
    options.add_argument("--bin", default="build", help="folder of the programs")
    options.add_argument("--size", type=int, default=20, help="MiB of the file that is passed on")
    options.add_argument("--keep", metavar="FOLDER", help="leave configuration, logs and capture there")
    options.add_argument("--quiet", action="store_true", help="no ladder")
    chosen = options.parse_args()
    folder = chosen.keep or tempfile.mkdtemp(prefix="gatehouse-demo-")
    os.makedirs(folder, exist_ok=True)
    stage = kind(os.path.abspath(folder), os.path.abspath(chosen.bin), chosen.size)
    try:
        stage.film()
        stage.play(not chosen.quiet)
        print("demo: ok")
        return 0
    except (Failed, subprocess.SubprocessError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        stage.close()
        return 1
    finally:
        if not chosen.keep:
            shutil.rmtree(folder)
