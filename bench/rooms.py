# SPDX-License-Identifier: Apache-2.0
"""Messages of MSRP through a chat room of gatehouse-mg, beside a bare fan-out of the same octets (fan.c): one member talks,
all others hear it (room.c). The server runs on one core, all members on another."""
import json
import os
import re
import socket
import statistics
import subprocess

CASES = ((2, 20000), (10, 6000), (100, 800))
KEY = b"bench-room-key-1".hex().upper()
CONFIG = """
mg: {{workers: 1, leave: forced}}
controllers: ["127.0.0.1:{port}"]
h248: {{transport: udp, listen: "127.0.0.1:0", version: 3}}
media: {{addresses: [127.0.0.1]}}
limits: {{terminations-per-context: 1000}}
tls-domains:
  - {{name: psk, profile: ts33328-annex-h, default: true}}
"""
SECRET = f', gatehouse/pskid = ["bench"], gatehouse/psk = [{KEY}]'
MEMBER = """Add = $ {{ Media {{ Stream = 1 {{ LocalControl {{ Mode = SendReceive, gatehouse_msrp/mode = room,
gatehouse_msrp/room = "sip:room@bench.example", gatehouse_msrp/user = ["sip:m{n}@bench.example"]{secret} }},
Local {{
v=0
c=IN IP4 $
m=message $ {proto} *
a=setup:passive
a=chatroom:nickname private-messages
}}, Remote {{
v=0
c=IN IP4 127.0.0.1
m=message 9 {proto} *
a=setup:active
a=path:{path}
a=accept-wrapped-types:*
}} }} }} }}"""


class Controller:
    """What a controller has to say here, over UDP."""

    def __init__(self):
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.settimeout(20)
        self.next = 1

    def registration(self):
        text = b""
        while b"ServiceChange = ROOT" not in text and b"SC=ROOT" not in text:
            text, self.gateway = self.udp.recvfrom(65536)
        number = re.search(rb"(?:Transaction ?= ?|T=)(\d+)", text).group(1).decode()
        self.say(f"Reply = {number} {{ Context = - {{ ServiceChange = ROOT }} }}")

    def say(self, text):
        self.udp.sendto(f"MEGACO/3 <mgc>\n{text}\n".encode(), self.gateway)

    def do(self, action):
        number, self.next = self.next, self.next + 1
        self.say(f"Transaction = {number} {{ {action} }}")
        while True:
            reply = self.udp.recv(65536).decode()
            if re.search(rf"(?:Reply ?= ?|P=){number}\b", reply):
                break
        if re.search(r"Error ?=|\bER=", reply):
            raise OSError(f"the gateway refuses a member: {reply[-300:]}")
        return reply


def path(number):
    return f"msrp://m{number}.bench.example:9/m{number};tcp"


def room(controller, members, tls):
    """@return lines for room.c"""
    context, lines = "$", []
    for n in range(members):
        reply = controller.do(f"Context = {context} {{ " + MEMBER.format(
            n=n, proto="TCP/TLS/MSRP" if tls else "TCP/MSRP", secret=SECRET if tls else "", path=path(n)) + " }")
        context = re.search(r"(?:Context ?= ?|C=)(\d+)", reply).group(1)
        own = re.search(r"a=path:(\S+)", reply).group(1)
        lines.append(f"{re.search(r':([0-9]+)/', own).group(1)} {own} {path(n)}")
    return lines


def pinned(bench, cpu, *command, **more):
    process = subprocess.Popen(["taskset", "-c", str(cpu), *command], **more)
    bench.running.append(process)
    return process


def load(bench, server, lines, count, tls):
    done = subprocess.run(["taskset", "-c", str(bench.args.load_cpu), os.path.join(bench.args.build, "bench", "room"),
                           "--count", str(count)] + (["--tls"] if tls else []), input="\n".join([str(server.pid)] + lines) + "\n",
                          capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise OSError(f"rooms: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


def gateway(bench, members, count, tls):
    controller = Controller()
    config = bench.path("room.yaml")
    with open(config, "w", encoding="ascii") as file:
        file.write(CONFIG.format(port=controller.udp.getsockname()[1]))
    with open(bench.path("room.log"), "w", encoding="utf-8") as log:
        server = pinned(bench, bench.args.server_cpu, os.path.join(bench.args.build, "gatehouse-mg"), "-c", config,
                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        controller.registration()
        return load(bench, server, room(controller, members, tls), count, tls)
    finally:
        end(bench, server)
        controller.udp.close()


def fan(bench, members, count, tls):
    server = pinned(bench, bench.args.server_cpu, os.path.join(bench.args.build, "bench", "fan"), "--members", str(members),
                    *(["--tls"] if tls else []), stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip().split("=")[1]
        # paths as long as the gateway's
        lines = [f"{port} msrp{'s' if tls else ''}://127.0.0.1:{port}/{n:016};tcp {path(n)}" for n in range(members)]
        return load(bench, server, lines, count, tls)
    finally:
        end(bench, server)


def end(bench, process):
    process.kill()
    process.wait()
    bench.running.remove(process)


def run(bench):
    rows = []
    for tls in (False, True):
        for members, count in CASES:
            if bench.args.quick:
                count //= 2
            samples = {"room": [], "fan": []}
            for number in range(bench.args.rounds):
                bench.say(f"rooms: {members} members{', TLS' if tls else ''}, round {number + 1} of {bench.args.rounds}")
                samples["room"].append(gateway(bench, members, count, tls))
                samples["fan"].append(fan(bench, members, count, tls))
            ours, bare = ([s["server_cpu_us"] for s in samples[name]] for name in ("room", "fan"))
            rows.append({"members": members, "tls": tls, "octets": samples["room"][0]["octets"],
                         "cpu_us": statistics.median(ours), "bare_us": statistics.median(bare), "least": min(ours), "most": max(ours),
                         "kernel": sum(s["kernel_us"] for s in samples["room"]) / sum(ours),
                         "per_s": statistics.median(s["per_s"] for s in samples["room"])})
    return {"rows": rows}


def markdown(result):
    lines = ["| members | | us CPU a message | of the rounds | of that in the kernel | messages/s of a core | copies/s of a core | "
             "bare fan-out, us | fan-out / room | messages/s, wall clock |", "|---|---|---|---|---|---|---|---|---|---|"]
    for r in result["rows"]:
        lines.append(f"| {r['members']} | {'TLS' if r['tls'] else 'TCP'} | {r['cpu_us']:.1f} | {r['least']:.1f} to {r['most']:.1f} | "
                     f"{r['kernel']:.0%} | {1e6 / r['cpu_us']:,.0f} | {1e6 / r['cpu_us'] * (r['members'] - 1):,.0f} | "
                     f"{r['bare_us']:.1f} | {r['bare_us'] / r['cpu_us']:.2f} | {r['per_s']:,.0f} |")
    return "\n".join(lines) + "\n"
