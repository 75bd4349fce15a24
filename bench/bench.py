#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gatehouse's relay and codec beside other people's, in one run on one core. See docs/bench.md."""
import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import access  # noqa: E402
import codec  # noqa: E402
import conference  # noqa: E402
import contexts  # noqa: E402
import crl  # noqa: E402
import flows  # noqa: E402
import media  # noqa: E402
import path  # noqa: E402
import rooms  # noqa: E402
import tickets  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
from servers import Case, Unavailable  # noqa: E402

ECDSA, RSA, PSK = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", \
    "PSK-AES128-GCM-SHA256"
TLS13 = "TLS_AES_128_GCM_SHA256"
KEY = "bench:0f1e2d3c4b5a69788796a5b4c3d2e1f0"


class Row:
    """One thing measured. `goal`: how many times less the best peer's figure must be divided by."""

    def __init__(self, name, title, group, mode, count, goal, unit="ms CPU / 1,000", tls="1.2",
                 suite=ECDSA, concurrency=8, key="server_cpu_us_per_op", limit=None, bare="touch"):
        self.name, self.title, self.group, self.mode = name, title, group, mode
        self.count, self.goal, self.unit, self.tls = count, goal, unit, tls
        self.suite, self.concurrency, self.key = suite, concurrency, key
        self.limit, self.bare = limit, bare


GB = dict(unit="s CPU / GB", key="server_cpu_s_per_gb", concurrency=1)
ROWS = [
    Row("ecdsa12", "full handshake, TLS 1.2 ECDSA P-256", "ecdsa", "handshake", 2000, 1.3,
        limit="handshake"),
    Row("rsa12", "full handshake, TLS 1.2 RSA-2048", "rsa", "handshake", 1500, 1.3, suite=RSA,
        limit="handshake"),
    Row("ecdsa13", "full handshake, TLS 1.3 ECDSA P-256", "ecdsa", "handshake", 2000, 1.3,
        tls="1.3", suite=TLS13, limit="handshake"),
    Row("resumed12", "resumed by ticket, TLS 1.2", "ecdsa", "resumed", 5000, 1.3,
        limit="resumed"),
    Row("resumed13", "resumed by ticket, TLS 1.3", "ecdsa", "resumed", 2000, 1.3, tls="1.3",
        suite=TLS13, limit="resumed"),
    Row("psk", "handshake with pre-shared key, TLS 1.2", "psk", "handshake", 4000, 3.0,
        suite=PSK, limit="handshake"),
    Row("decrypt", "bulk, TLS to TCP (decrypting)", "ecdsa", "up", 512, 1.1, limit="decrypt",
        bare="up", **GB),
    Row("encrypt", "bulk, TCP to TLS (encrypting)", "ecdsa", "down", 512, 1.25, limit="encrypt",
        bare="down", **GB),
    Row("pingpong", "1 KiB there and back, 64 connections", "ecdsa", "pingpong", 60000, 1.15,
        concurrency=64, limit="message", bare="pingpong"),
    Row("idle", "memory of an idle connection, 5,000 of them", "idle", "idle", 5000, 1 / 0.7,
        unit="KiB", key="memory_kib_per_connection"),
]
LIMIT_SHARE = 0.75
QUICK = 4  # a quick run does a quarter of the work in each round


class Bench:
    def __init__(self, args, work):
        self.args, self.work = args, work
        self.source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.load = os.path.join(args.build, "bench", "load")
        self.notes, self.running = [], []
        self.samples = {}  # (row, server) -> list of the load generator's reports
        self.limits = {}   # row -> {"openssl": .., "gnutls": .., "bare": ..}, medians

    def say(self, text):
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)
            self.say(text)

    # -- what is needed --

    def make_certificates(self):
        for name, new in (("ecdsa", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
                          ("rsa", ["-newkey", "rsa:2048"])):
            crt, key = self.path(name + ".crt"), self.path(name + ".key")
            subprocess.run(["openssl", "req", "-x509", "-nodes", "-sha256", "-days", "30",
                            "-subj", "/CN=bench.example", "-keyout", key, "-out", crt] + new,
                           check=True, capture_output=True)
            with open(self.path(name + ".pem"), "w", encoding="ascii") as f:
                for part in (crt, key):
                    with open(part, encoding="ascii") as p:
                        f.write(p.read())

    def path(self, name):
        return os.path.join(self.work, name)

    def start_backend(self):
        self.backend_process = subprocess.Popen(
            ["taskset", "-c", str(self.args.load_cpu), self.load, "--backend", "0"],
            stdout=subprocess.PIPE, text=True)
        self.running.append(self.backend_process)
        self.backend = int(self.backend_process.stdout.readline().rsplit("=", 1)[1])

    def case(self, group):
        if group == "psk":
            return Case(suite=PSK, psk=KEY, profile="ts33328-annex-h")
        name = "rsa" if group == "rsa" else "ecdsa"
        return Case(suite=RSA if name == "rsa" else ECDSA, pem=self.path(name + ".pem"),
                    cert=self.path(name + ".crt"), key=self.path(name + ".key"))

    def make_servers(self, group):
        cpu = self.args.server_cpu
        wanted = [servers.Ours(self.work, cpu, self.args.build, self.source,
                               engine=self.args.engine)]
        wanted += [make(self.work, cpu) for name, make in servers.PEERS.items()
                   if name in self.args.peers and (group != "psk" or name == "stunnel")]
        if group != "idle":
            wanted.append(servers.Bare(self.work, cpu, self.args.build))
        return wanted

    def start_servers(self, group):
        started = []
        for server in self.make_servers(group):
            try:
                started.append(server.start(self.case(group), self.backend))
                self.running.append(server)
            except Unavailable as why:
                if server.name == "gatehouse":
                    raise
                self.note(f"{server.name} left out of '{group}': {why}")
        return started

    def stop_servers(self, started):
        for server in started:
            server.stop()
            self.running.remove(server)

    def stop_all(self):
        for one in list(self.running):
            if isinstance(one, subprocess.Popen):
                one.kill()
                one.wait()
            else:
                one.stop()
        self.running = []

    # -- measuring --

    def amount(self, row):
        if not self.args.quick or row.mode == "idle":
            return row.count
        return row.count // QUICK

    def run_load(self, row, server):
        bare = server.name == "bare"
        mode = row.bare if bare else row.mode
        count, size = self.amount(row), 1024
        if bare and mode == "touch":
            size = 500  # about what the flights of a handshake hold
        command = ["taskset", "-c", str(self.args.load_cpu), self.load, "--mode", mode,
                   "--connect", f"127.0.0.1:{server.port}", "--label", server.name,
                   "--concurrency", str(row.concurrency), "--size", str(size),
                   "--server-pids", ",".join(str(p) for p in server.pids())]
        command += ["--mb" if mode in ("up", "down") else "--count", str(count)]
        if bare:
            command += ["--tls", "none"]
        else:
            command += ["--tls", row.tls, "--suites", row.suite, "--groups", "P-256"]
        if row.group == "psk" and not bare:
            command += ["--psk", KEY]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if not done.stdout.strip():
            self.note(f"{row.name}, {server.name}: {done.stderr.strip()[-200:]}")
            return
        result = json.loads(done.stdout)
        if result["failed"]:
            self.note(f"{row.name}, {server.name}: {result['failed']} failed")
        if row.mode == "resumed" and not bare and result["resumed"] < result["count"]:
            self.note(f"{row.name}, {server.name}: only {result['resumed']} of "
                      f"{result['count']:.0f} resumed")
        self.samples.setdefault((row.name, server.name), []).append(result)

    def run_group(self, group, rows):
        """Fresh processes in each round: where memory happens to lie is worth ten percent."""
        for number in range(self.args.rounds):
            started = self.start_servers(group)
            turn = number % len(started)
            for row in rows:
                self.say(f"{row.name}, round {number + 1} of {self.args.rounds}")
                for server in started[turn:] + started[:turn]:
                    self.run_load(row, server)
                if row.limit:
                    self.run_limit(row)
            self.stop_servers(started)

    def run_idle(self, row):
        """Each server in a fresh process: memory that a past life has left would hide some."""
        for number in range(1 if self.args.quick else min(3, self.args.rounds)):
            self.say(f"{row.name}, round {number + 1}")
            for server in self.make_servers(row.group):
                try:
                    server.start(self.case(row.group), self.backend)
                except Unavailable as why:
                    self.note(f"{server.name} left out of '{row.name}': {why}")
                    continue
                self.running.append(server)
                self.warm_up(row, server)
                self.run_load(row, server)
                self.stop_servers([server])

    def warm_up(self, row, server):
        """What a process takes once, for its first connections, is not the next one's."""
        subprocess.run(["taskset", "-c", str(self.args.load_cpu), self.load, "--mode", "touch",
                        "--connect", f"127.0.0.1:{server.port}", "--count", "64",
                        "--concurrency", "16", "--tls", row.tls, "--suites", row.suite,
                        "--groups", "P-256"], capture_output=True, timeout=60, check=False)

    def run_limit(self, row):
        case = self.case(row.group)
        for lib in ("openssl", "gnutls"):
            command = ["taskset", "-c", str(self.args.server_cpu),
                       os.path.join(self.args.build, "bench", "limit"), "--mode", row.limit,
                       "--lib", lib, "--tls", row.tls, "--suites", row.suite,
                       "--mb" if row.mode in ("up", "down") else "--count",
                       str(max(64, self.amount(row) // 4))]
            command += ["--psk", KEY] if row.group == "psk" else ["--cert", case.cert, "--key",
                                                                  case.key]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120,
                                  check=False)
            if done.returncode:
                self.note(f"limit of {row.name}, {lib}: {done.stderr.strip()[-200:]}")
                continue
            result = json.loads(done.stdout)
            value = result.get("s_per_gb", result.get("us_per_op"))
            self.limits.setdefault(row.name, {}).setdefault(lib, []).append(value)

    def run(self, rows):
        self.make_certificates()
        self.start_backend()
        for group in ("ecdsa", "rsa", "psk"):
            chosen = [r for r in rows if r.group == group]
            if chosen:
                self.run_group(group, chosen)
        for row in rows:
            if row.group == "idle":
                self.run_idle(row)

    # -- what it came to --

    def medians(self, row):
        """server -> {value, low, high, per_s, mb_per_s, p99_us, suite}"""
        table = {}
        for (name, server), samples in self.samples.items():
            if name != row.name:
                continue
            values = [s[row.key] for s in samples]
            entry = {"value": statistics.median(values), "low": min(values), "high": max(values),
                     "suite": samples[-1]["suite"], "version": samples[-1]["version"]}
            for key in ("per_s", "mb_per_s", "p99_us"):
                if key in samples[0]:
                    entry[key] = statistics.median(s[key] for s in samples)
            table[server] = entry
        return table

    def summary(self, row):
        table = self.medians(row)
        bare = table.pop("bare", None)
        libs = {lib: statistics.median(v) for lib, v in self.limits.get(row.name, {}).items()}
        ours = table.get("gatehouse", {}).get("value")
        peers = {n: e["value"] for n, e in table.items() if n != "gatehouse"}
        result = {"name": row.name, "title": row.title, "unit": row.unit, "goal": row.goal,
                  "servers": table, "libraries": libs, "bare": bare and bare["value"]}
        if ours and peers:
            best = min(peers, key=peers.get)
            result.update(best=best, ratio=peers[best] / ours, met=peers[best] / ours >= row.goal)
        if ours and libs and bare:
            limit = min(libs.values()) + bare["value"]
            result.update(limit=limit, share=limit / ours, share_met=limit / ours >= LIMIT_SHARE)
        return result


def cpu_model():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def machine(args):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu_model(), "cores": os.cpu_count(), "kernel": platform.release(),
        "server_cpu": args.server_cpu, "load_cpu": args.load_cpu, "rounds": args.rounds,
        "quick": args.quick, "engine": args.engine,
        "load_average": os.getloadavg()[0],
        "versions": {name: servers.version_of(name) for name in servers.VERSIONS},
        "gnutls": gnutls_version(),
    }


def gnutls_version():
    done = subprocess.run(["pkg-config", "--modversion", "gnutls"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "?"


PARTS = {"codec": codec.run, "contexts": contexts.run, "path": path.run, "crl": crl.run, "media": media.run, "mikey": tickets.run,
         "rooms": rooms.run, "conference": conference.run, "access": access.run, "flows": flows.run}


def parse():
    names = [r.name for r in ROWS] + list(PARTS)
    p = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--quick", action="store_true", help="a minute or two: less work, 3 rounds")
    p.add_argument("--only", action="append", metavar="NAME", choices=names,
                   help="measure only this (may be repeated): " + ", ".join(names))
    p.add_argument("--rounds", type=int, default=0, help="default 5, with --quick 3")
    p.add_argument("--json", action="store_true", help="print JSON, not Markdown")
    p.add_argument("--engine", choices=["auto", "openssl", "gnutls"], default="auto",
                   help="our TLS engine (default auto)")
    p.add_argument("--peers", default="haproxy,nginx,stunnel,hitch",
                   help="those to compare with, by commas (default all four)")
    p.add_argument("--server-cpu", type=int, default=max(os.sched_getaffinity(0)),
                   help="core of the measured servers (default the last)")
    p.add_argument("--load-cpu", type=int, default=min(os.sched_getaffinity(0)),
                   help="core of load generator and backend (default the first)")
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    args.peers = [p for p in args.peers.split(",") if p]
    args.rounds = args.rounds or (3 if args.quick else 5)
    return args


def raise_descriptor_limit(bench, rows):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = 20000 if hard == resource.RLIM_INFINITY else min(hard, 20000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, want), hard))
    for row in rows:
        if row.mode == "idle" and want < 2 * row.count + 100:
            row.count = (want - 100) // 2
            row.title = f"memory of an idle connection, {row.count} of them"
            bench.note(f"only {want} descriptors: {row.count} idle connections")


def main():
    args = parse()
    rows = [r for r in ROWS if not args.only or r.name in args.only]
    # Being told to stop is an orderly end too: the servers must go.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = tempfile.mkdtemp(prefix="gatehouse-bench-")
    bench = Bench(args, work)
    about = machine(args)
    parts = dict.fromkeys(PARTS)
    try:
        raise_descriptor_limit(bench, rows)
        if rows:
            bench.run(rows)
        for name, run in PARTS.items():
            if not args.only or name in args.only:
                parts[name] = run(bench)
    except (Unavailable, OSError, subprocess.SubprocessError) as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    finally:
        bench.stop_all()
        shutil.rmtree(work, ignore_errors=True)
    about["load_average_end"] = os.getloadavg()[0]
    result = {"machine": about, "rows": [bench.summary(r) for r in rows],
              **parts, "notes": bench.notes}
    print(json.dumps(result, indent=1) if args.json else report.markdown(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
