# SPDX-License-Identifier: Apache-2.0
"""The TLS side of a P-CSCF: gatehouse-edge beside Kamailio with its TLS module and path. Before both stand the same user
agents (`gatehouse ue --count`), behind both the same registrar (another Kamailio), which are on the other core and not measured."""
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import time

import servers
from servers import Unavailable

MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"
PASSWORD = "s3cret"
IDLE = 10000
ROWS = (  # name, title, profile of the user agents, words, what is counted, goal
    ("full13", "registration, full handshake, TLS 1.3", "bench-tls13", ("--count", "64", "--churn", "max", "--full"), "churn", 1.0),
    ("resumed13", "registration, resumed session, TLS 1.3", "bench-tls13", ("--count", "40", "--churn", "max"), "churn", 1.0),
    ("full12", "registration, full handshake, TLS 1.2", "bench-tls12", ("--count", "64", "--churn", "max", "--full"), "churn", 1.0),
    ("resumed12", "registration, resumed session, TLS 1.2", "bench-tls12", ("--count", "40", "--churn", "max"), "churn", 1.0),
    ("message", "MESSAGE from one flow to another", "bench-tls13", ("--count", "200", "--message", "max"), "message", 1.5),
)
PROFILE = """name: {name}
title: as ts33210-rel17, with one version and one suite, to measure
document: none
clause: none
release: bench
extends: ts33210-rel17
rules:
  - {{id: B1, subject: version, items: [{off}], strength: shall-not, mark: P, source: bench, text: one version alone}}
  - {{id: B2, subject: suite, items: [{suites}], strength: shall-not, mark: P, source: bench, text: one suite alone}}
"""
OTHER_SUITES = {
    "bench-tls12": ("TLS1.3", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    "bench-tls13": ("TLS1.2", "TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256"),
}
AGENTS = """identity: sip:ue@home.example
profiles: [., {source}/profiles]
sip: {{proxy: ["sip:127.0.0.1:{port};transport=tls;lr"], registrar: "sip:home.example", expires: 1h,
       password-file: password, tls: {{profile: {profile}, anchors: [access-ca.pem]}}}}
"""
COMMON = """#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=1
auto_aliases=no
mpath="{modules}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "path.so"
"""
ROUTE = """
	if (has_totag()) {
		if (loose_route()) { t_relay(); exit; }
		if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
		sl_send_reply("404", "Not here");
		exit;
	}
	loose_route();
	if (is_method("INVITE|SUBSCRIBE")) record_route();
"""
CORE = COMMON + """
alias="home.example"
disable_tcp=yes
listen=udp:127.0.0.1:{core}
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "hash_size", 14)
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("auth", "nonce_expire", 3600)
request_route {{
	if (is_method("REGISTER")) {{
		if (!pv_www_authenticate("home.example", "{password}", "0")) {{ www_challenge("home.example", "1"); exit; }}
		append_to_reply("P-Associated-URI: <sip:$tU@home.example>\\r\\n");
		append_to_reply("Service-Route: <sip:127.0.0.1:{core};lr>\\r\\n");
		if (!save("location", "0x04")) sl_reply_error();
		exit;
	}}
	if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
""" + ROUTE.replace("{", "{{").replace("}", "}}") + """
	if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
	t_relay();
}}
"""
PROXY = COMMON + """
tcp_children=1
tcp_max_connections=16000
tls_max_connections=16000
enable_tls=yes
tcp_connection_lifetime=3605
listen=udp:127.0.0.1:{port}
listen=tls:127.0.0.1:{port}
loadmodule "tls.so"
modparam("tls", "config", "{tls}")
modparam("path", "use_received", 1)
request_route {{
	if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
	if (is_method("REGISTER")) {{
		loose_route();
		add_path_received();
		$du = "sip:127.0.0.1:{core}";
		t_relay();
		exit;
	}}
""" + ROUTE.replace("{", "{{").replace("}", "}}") + """
	t_relay();
}}
"""
TLS = """[server:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
private_key = {key}
certificate = {certificate}
"""
EDGE = """
edge: {{host: pcscf.home.example}}
access: {{listen: ["tls:127.0.0.1:{port}"], domain: access, keep-alive: 0}}
core: {{listen: ["udp:127.0.0.1:0"], registrar: "sip:127.0.0.1:{core};lr"}}
limits: {{per-source: 65536, handshakes: 0}}
tls-domains:
  - {{name: access, profile: ts33203-annex-o-rel17, engine: {engine}, certificate: {certificate}, key: {key}}}
profile-dirs: ["{source}/profiles"]
log: {{level: error}}
"""


def free_port():
    """A port that neither TCP nor UDP has."""
    while True:
        port = servers.free_port()
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def cpu_s(pids):
    """Of these processes and all their threads, those that have ended too: their own clocks (clock_getcpuclockid)."""
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


def settled_s(pids):
    """Likewise, when they have gone to sleep."""
    before, now = -1.0, cpu_s(pids)
    for _ in range(100):
        if now - before < 0.0005:
            break
        time.sleep(0.02)
        before, now = now, cpu_s(pids)
    return now


def memory_kib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            total += int(re.search(r"^Pss:\s+(\d+) kB", file.read(), re.M).group(1))
    return total


class Program:
    """A server with its children on one core."""

    def __init__(self, bench, name, command, core):
        if not shutil.which(command[0]):
            raise Unavailable(f"{command[0]} is not installed")
        self.bench, self.log_path = bench, bench.path(name + ".log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(["taskset", "-c", str(core), *command], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        bench.running.append(self)

    def pids(self):
        return servers.children_of(self.process.pid)

    def up(self, port, kind="tcp"):
        end = time.monotonic() + 15
        while time.monotonic() < end and self.process.poll() is None:
            with open(f"/proc/net/{kind}", encoding="ascii") as file:
                if f":{port:04X} " in file.read():
                    time.sleep(0.5)  # Kamailio's children come after the socket
                    return self
            time.sleep(0.05)
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            raise Unavailable(f"it does not start: {log.read()[-400:].strip()}")

    def stop(self):
        if self in self.bench.running:
            self.bench.running.remove(self)
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def write(bench, name, text, mode=0o644):
    path = bench.path(name)
    with open(path, "w", encoding="ascii", opener=lambda p, flags: os.open(p, flags, mode)) as file:
        file.write(text)
    return path


def certificates(bench):
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=bench.work, check=True, capture_output=True)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, "-days", "30", "-keyout", "access-ca.key", "-out", "access-ca.pem", "-subj",
            "/O=Home/CN=Home CA")
    openssl("req", *curve, "-keyout", "access.key", "-out", "access.csr", "-subj", "/CN=pcscf.home.example")
    extensions = write(bench, "access.ext", "subjectAltName=DNS:pcscf.home.example\nkeyUsage=critical,digitalSignature\n"
                       "extendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", "access.csr", "-CA", "access-ca.pem", "-CAkey", "access-ca.key", "-days", "30",
            "-extfile", extensions, "-out", "access.pem", "-set_serial", "7")


def prepare(bench):
    certificates(bench)
    write(bench, "password", PASSWORD.encode().hex() + "\n", 0o600)
    for name, (off, suites) in OTHER_SUITES.items():
        write(bench, name + ".yaml", PROFILE.format(name=name, off=off, suites=suites))


def core(bench):
    port = free_port()
    config = write(bench, "core.cfg", CORE.format(modules=MODULES, core=port, password=PASSWORD))
    program = Program(bench, "core", ["kamailio", "-DD", "-E", "-f", config, "-m", "1024", "-M", "16"], bench.args.load_cpu)
    return program.up(port, "udp"), port


def kamailio(bench, behind):
    port = free_port()
    files = {"key": bench.path("access.key"), "certificate": bench.path("access.pem")}
    config = write(bench, "proxy.cfg", PROXY.format(modules=MODULES, port=port, core=behind,
                                                    tls=write(bench, "tls.cfg", TLS.format(**files))))
    program = Program(bench, "kamailio", ["kamailio", "-DD", "-E", "-f", config, "-m", "2048", "-M", "16"],
                      bench.args.server_cpu)
    return program.up(port), port


def edge(bench, behind):
    port = free_port()
    config = write(bench, "edge.yaml", EDGE.format(port=port, core=behind, engine=bench.args.engine, source=bench.source,
                                                   key=bench.path("access.key"), certificate=bench.path("access.pem")))
    program = Program(bench, "gatehouse-edge", [os.path.join(bench.args.build, "gatehouse-edge"), "-c", config],
                      bench.args.server_cpu)
    return program.up(port), port


SERVERS = {"gatehouse": edge, "kamailio": kamailio}


class Agents:
    """`gatehouse ue --count`, which waits before its work and behind it."""

    def __init__(self, bench, port, profile, *words):
        config = write(bench, "agents.yaml", AGENTS.format(port=port, profile=profile, source=bench.source))
        self.process = subprocess.Popen(
            ["taskset", "-c", str(bench.args.load_cpu), os.path.join(bench.args.build, "gatehouse"), "ue", "--config", config,
             "--json", "--quiet", "--wait", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def told(self):
        line = self.process.stdout.readline()
        if not line:
            raise Unavailable("the user agents are gone")
        return json.loads(line)

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def play(bench, server, port, row):
    """@return figures of one row's work; the program's own start and the first registrations do not count"""
    name, _, profile, words, work, _ = row
    agents = Agents(bench, port, profile, "--window", "20", "--duration", "2s" if bench.args.quick else "4s", *words)
    try:
        begun = agents.told()
        before = settled_s(server.pids())
        agents.go()
        done = agents.told()
        used = settled_s(server.pids()) - before
    finally:
        agents.stop()
    result = done["works"].get(work, {"done": 0})
    if done["faults"] or not result["done"]:
        bench.note(f"access {name}: {result['done']} done, failed: {done['faults']}")
    resumed = done["handshakes_resumed"] - begun["handshakes_resumed"]
    if name.startswith("resumed") and resumed < 0.9 * result["done"]:
        bench.note(f"access {name}: {resumed} of {result['done']} resumed")
    if not result["done"]:
        raise Unavailable(f"nothing of {name} was done")
    return {"cpu_us": used * 1e6 / result["done"], "per_s": result["per_s"], "p99_us": result["p99_us"], "tls": done["tls"]}


def idle(bench, server, port):
    """@return KiB a registered flow, of so many, beside those that a warm program has"""
    def stay(*words):
        agents = Agents(bench, port, "bench-tls13", "--stay", *words)
        return agents, agents.told()["registered"]
    agents, _ = stay("--count", "64")
    agents.stop()
    before = memory_kib(server.pids())
    agents, count = stay("--count", str(IDLE), "--first", "1000", "--window", "20")
    try:
        settled_s(server.pids())
        return (memory_kib(server.pids()) - before) / count, count
    finally:
        agents.stop()


def each(bench, name, measure):
    """With programs that have just been started: memory that a past life has left would hide some."""
    behind, behind_port = core(bench)
    try:
        server, port = SERVERS[name](bench, behind_port)
        try:
            return measure(server, port)
        finally:
            server.stop()
    finally:
        behind.stop()


def run(bench):
    prepare(bench)
    samples, memory, missing = {}, {}, set()
    for number in range(bench.args.rounds):
        for name in SERVERS:
            bench.say(f"access: {name}, round {number + 1} of {bench.args.rounds}")

            def measure(server, port):
                for row in ROWS:
                    samples.setdefault((row[0], name), []).append(play(bench, server, port, row))
            try:
                if name not in missing:
                    each(bench, name, measure)
                if name not in missing and not number:
                    bench.say(f"access: {name}, {IDLE} idle flows")
                    memory[name] = each(bench, name, lambda server, port: idle(bench, server, port))
            except Unavailable as why:
                bench.note(f"access: {name} left out: {why}")
                missing.add(name)
    return {"rows": rows(samples), "memory": memory}


def rows(samples):
    table = []
    for name, title, _, _, _, goal in ROWS:
        row = {"name": name, "title": title, "goal": goal}
        for server in SERVERS:
            got = samples.get((name, server))
            if got:
                values = [s["cpu_us"] for s in got]
                row[server] = {"cpu_us": statistics.median(values), "least": min(values), "most": max(values),
                               "per_s": statistics.median(s["per_s"] for s in got),
                               "p99_us": statistics.median(s["p99_us"] for s in got), "tls": got[0]["tls"]}
        table.append(row)
    return table


def markdown(result):
    def cost(entry):
        return f"{entry['cpu_us']:.0f} ({entry['least']:.0f} to {entry['most']:.0f})" if entry else "-"

    def verdict(ours, theirs, goal):
        if not ours or not theirs:
            return "- | - | "
        return f"{theirs / ours:.2f} | {goal:.1f} | {'met' if theirs / ours >= goal else '**short**'}"
    lines = ["| | gatehouse-edge, us CPU | Kamailio, us CPU | a second and core, ours | Kamailio / ours | goal | |",
             "|---|---|---|---|---|---|---|"]
    for r in result["rows"]:
        ours, theirs = r.get("gatehouse"), r.get("kamailio")
        lines.append(f"| {r['title']} | {cost(ours)} | {cost(theirs)} | {1e6 / ours['cpu_us'] if ours else 0:,.0f} | "
                     f"{verdict(ours and ours['cpu_us'], theirs and theirs['cpu_us'], r['goal'])} |")
    memory = {name: kib for name, (kib, _) in result["memory"].items()}
    count = max((n for _, n in result["memory"].values()), default=0)
    text = {name: f"{memory[name]:.1f} KiB" if name in memory else "-" for name in SERVERS}
    lines.append(f"| a registered idle flow, one of {count:,} | {text['gatehouse']} | {text['kamailio']} | - | "
                 f"{verdict(memory.get('gatehouse'), memory.get('kamailio'), 1.5)} |")
    return "\n".join(lines) + "\n"
