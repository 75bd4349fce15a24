# SPDX-License-Identifier: Apache-2.0
"""DTLS handshakes and DTLS-SRTP packets (media.c): the gateway with either engine beside rtpengine in user space and
the command lines of GnuTLS and OpenSSL. Calls are set up over H.248 and rtpengine's ng protocol before the clock runs."""
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

import servers
from servers import Unavailable

SUITE = "ECDHE-ECDSA-AES128-GCM-SHA256"
ROWS = (  # name, title, mode, calls, packets, burst
    ("shake", "DTLS 1.2 handshake, both with ECDSA P-256 certificates", "handshake", 400, 0, 1),
    ("decrypt", "SRTP to RTP, 32 calls in turn", "decrypt", 32, 60000, 1),
    ("encrypt", "RTP to SRTP, 32 calls in turn", "encrypt", 32, 60000, 1),
    ("decrypt-bursts", "SRTP to RTP, 32 calls in turn, 8 packets at once", "decrypt", 32, 60000, 8),
    ("encrypt-bursts", "RTP to SRTP, 32 calls in turn, 8 packets at once", "encrypt", 32, 60000, 8),
)
QUICK = 4
DOMAIN = """
  - {{name: bench, profile: ts33210-rel17, engine: {engine}, client-auth: require, client-methods: [fingerprint],
     server-methods: [fingerprint]}}
"""


def sdp(port, proto, more=""):
    return f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} {proto} 0\r\n{more}"


class Ours:
    def __init__(self, bench, engine):
        sys.path.append(os.path.join(bench.source, "tests", "blackbox"))
        import harness  # pylint: disable=import-outside-toplevel,import-error
        harness.MG = os.path.join(bench.args.build, "gatehouse-mg")
        self.harness = harness
        self.gateway = harness.Gateway(bench.work, DOMAIN.format(engine=engine), workers=1, register=False,
                                       extra="log: {level: error}",
                                       limit=lambda: os.sched_setaffinity(0, {bench.args.server_cpu}))
        self.gateway.controller.take("ServiceChange = ROOT")

    def pids(self):
        return [self.gateway.pid]

    def call(self, dtls, clear, fingerprint):
        def leg(proto, port, local, remote, control=""):
            return (f"Add = $ {{ Media {{ Stream = 1 {{ LocalControl {{ Mode = SendReceive{control} }}, Local {{\nv=0\n"
                    f"c=IN IP4 $\nm=audio $ {proto} 0\n{local}}}, Remote {{\nv=0\nc=IN IP4 127.0.0.1\n"
                    f"m=audio {port} {proto} 0\n{remote}}} }} }} }}")
        mux = "a=rtcp-mux\n"
        made = self.harness.Made(self.gateway.controller.ok("Context = $ { " + leg(
            "UDP/TLS/RTP/SAVP", dtls, f"a=setup:passive\n{mux}",
            f"a=setup:active\n{mux}a=fingerprint:sha-256 {fingerprint}\n", ', gatehouse/dom = "bench"') + ", " +
            leg("RTP/AVP", clear, mux, mux) + " }"))
        return made.ports

    def stop(self):
        self.gateway.stop()


class Program:
    """A server that is a program on the server's core."""

    def start(self, bench, command, log_name):
        if not shutil.which(command[0]):
            raise Unavailable(f"{command[0]} is not installed")
        self.log_path = bench.path(log_name)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(["taskset", "-c", str(bench.args.server_cpu), *command],
                                            stdin=subprocess.PIPE, stdout=log, stderr=log)

    def fails(self, why):
        self.stop()
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            raise Unavailable(f"{why}: {log.read()[-300:].strip()}")

    def pids(self):
        return servers.children_of(self.process.pid)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


def bencode(value):
    if isinstance(value, str):
        return f"{len(value.encode())}:{value}".encode()
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(k) + bencode(value[k]) for k in sorted(value)) + b"e"


class Rtpengine(Program):
    def __init__(self, bench, _):
        self.port, self.asked = servers.free_port(), 0
        self.start(bench, ["rtpengine", "--config-file=none", "--foreground", "--log-stderr", "--log-level=4", "--table=-1",
                           "--interface=127.0.0.1", f"--listen-ng=127.0.0.1:{self.port}", "--num-threads=1",
                           "--port-min=40000", "--port-max=60000", "--dtls-cert-cipher=prime256v1",
                           f"--dtls-ciphers={SUITE}"], "rtpengine.log")
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.connect(("127.0.0.1", self.port))
        self.sock.settimeout(1)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                self.ask(command="ping")
                return
            except OSError:
                time.sleep(0.05)
        self.fails("rtpengine does not start")

    def ask(self, **what):
        self.asked += 1
        cookie = f"{self.asked} ".encode()
        self.sock.send(cookie + bencode(what))
        answer = b""
        while not answer.startswith(cookie):  # one to an earlier question
            answer = self.sock.recv(65536)
        return answer.decode()

    def command(self, name, port, proto, more="", **what):
        answer = self.ask(command=name, sdp=sdp(port, proto, more), ICE="remove", **{"from-tag": "core", "SDES": ["off"]},
                          **what)
        found = re.search(r"m=audio (\d+) ", answer)
        if not found:
            raise OSError(f"rtpengine: {answer[-200:]}")
        return int(found.group(1))

    def call(self, dtls, clear, fingerprint):
        call = {"call-id": f"call{self.asked}"}
        access = self.command("offer", clear, "RTP/AVP", **call,
                              **{"transport-protocol": "UDP/TLS/RTP/SAVP", "rtcp-mux": ["require"]})
        core = self.command("answer", dtls, "UDP/TLS/RTP/SAVP",
                            f"a=setup:active\r\na=rtcp-mux\r\na=fingerprint:sha-256 {fingerprint}\r\n", **call,
                            **{"to-tag": "access", "transport-protocol": "RTP/AVP", "rtcp-mux": ["demux"]})
        return access, core

    def stop(self):
        self.sock.close()
        super().stop()


class Plain(Program):
    """A DTLS server for one peer at a time, on one port."""

    def __init__(self, bench, which):
        self.port = servers.free_port()
        cert, key = bench.path("ecdsa.crt"), bench.path("ecdsa.key")
        command = {
            "gnutls-serv": ["gnutls-serv", "--udp", "--port", str(self.port), "--x509certfile", cert, "--x509keyfile", key,
                            "--require-client-cert", "--echo", "--quiet", "--mtu", "1400"],
            "s_server": ["openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{self.port}", "-cert", cert,
                         "-key", key, "-Verify", "1", "-verify_quiet", "-quiet", "-num_tickets", "0"]}[which]
        self.start(bench, command, which + ".log")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            with open("/proc/net/udp", encoding="ascii") as mine, open("/proc/net/udp6", encoding="ascii") as six:
                if f":{self.port:04X} " in mine.read() + six.read():
                    return
            time.sleep(0.05)
        self.fails(f"{which} does not start")

    def call(self, *_):
        return self.port, 0


SERVERS = {"gatehouse openssl": (Ours, "openssl"), "gatehouse gnutls": (Ours, "gnutls"), "rtpengine": (Rtpengine, ""),
           "gnutls-serv": (Plain, "gnutls-serv"), "s_server": (Plain, "s_server")}


def fingerprint_of(bench):
    done = subprocess.run(["openssl", "x509", "-in", bench.path("ecdsa.crt"), "-noout", "-fingerprint", "-sha256"],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip().split("=", 1)[1]


def drive(bench, server, row, fingerprint):
    _, _, mode, calls, count, burst = row
    if bench.args.quick:
        calls, count = (calls // QUICK, 0) if mode == "handshake" else (calls, count // QUICK)
    load = subprocess.Popen(["taskset", "-c", str(bench.args.load_cpu), os.path.join(bench.args.build, "bench", "media"),
                             "--mode", mode, "--calls", str(calls), "--count", str(count), "--burst", str(burst),
                             "--cert", bench.path("ecdsa.crt"), "--key", bench.path("ecdsa.key"), "--server-pids",
                             ",".join(map(str, server.pids()))],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    bench.running.append(load)
    try:
        ports = [map(int, load.stdout.readline().split()) for _ in range(calls)]
        told = "".join("{} {}\n".format(*server.call(*pair, fingerprint)) for pair in ports)
        out, err = load.communicate(told, timeout=60)
    finally:
        load.kill()
        load.wait()
        bench.running.remove(load)
    if load.returncode:
        raise OSError(f"media: {err.strip()[-300:]}")
    return json.loads(out)


def once(bench, name, row, fingerprint):
    make, which = SERVERS[name]
    server = make(bench, which)
    bench.running.append(server)
    try:
        return drive(bench, server, row, fingerprint)
    finally:
        bench.running.remove(server)
        server.stop()


def rounds(bench, row, fingerprint):
    samples = {}
    names = [n for n in SERVERS if row[2] == "handshake" or SERVERS[n][0] is not Plain]
    for number in range(bench.args.rounds):
        bench.say(f"media {row[0]}, round {number + 1} of {bench.args.rounds}")
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            try:
                samples.setdefault(name, []).append(once(bench, name, row, fingerprint))
            except (Unavailable, OSError, subprocess.TimeoutExpired, AssertionError) as why:
                bench.note(f"media {row[0]}, {name}: {why}")
    return samples


def summary(bench, row, samples):
    result = {"name": row[0], "title": row[1], "servers": {}}
    for name, some in samples.items():
        if not some:
            continue
        cpu = [s["server_cpu_us"] for s in some]
        result["servers"][name] = {"cpu_us": statistics.median(cpu), "low": min(cpu), "high": max(cpu),
                                   "per_s": statistics.median(s["per_s"] for s in some), "cookie": some[-1]["cookie"]}
        for what in ("failed", "lost", "bad"):
            total = sum(s[what] for s in some)
            if total:
                bench.note(f"media {row[0]}, {name}: {total} {what} of {sum(s['ops'] for s in some) + total:.0f}")
    return result


def run(bench):
    bench.make_certificates()
    fingerprint = fingerprint_of(bench)
    return {"rows": [summary(bench, row, rounds(bench, row, fingerprint)) for row in ROWS]}


def ratios(some):
    theirs = some.get("rtpengine")
    return ", ".join(f"{theirs['cpu_us'] / some[n]['cpu_us']:.2f}" if theirs and n in some else "-" for n in list(SERVERS)[:2])


def table(result, cell, last):
    lines = [f"| {last[0]} | " + " | ".join(SERVERS) + (f" | {last[1]} |" if last[1] else " |"),
             "|---|" + "---|" * (len(SERVERS) + bool(last[1]))]
    for row in result["rows"]:
        some = row["servers"]
        cells = [cell(some[n]) if n in some else "-" for n in SERVERS] + ([ratios(some)] if last[1] else [])
        lines.append("| " + " | ".join([row["title"], *cells]) + " |")
    return "\n".join(lines) + "\n"


def markdown(result):
    cookies = sorted({n for row in result["rows"] for n, e in row["servers"].items() if e["cookie"]})
    return (table(result, lambda e: f"{e['cpu_us']:,.4g} ({e['low']:,.4g} to {e['high']:,.4g})",
                  ("us CPU at the server for one", "rtpengine / gatehouse, by engine")) + "\n" +
            table(result, lambda e: f"{1e6 / e['cpu_us']:,.0f}", ("a second of a core", "")) +
            f"\nA cookie is asked for by: {', '.join(cookies) or 'nobody'}.\n")
