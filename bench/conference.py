# SPDX-License-Identifier: Apache-2.0
"""Conference set-ups a second, and what the key server does for them, over HTTP. The programs are the built ones; what starts
and asks them is the black-box tests' (tests/blackbox/mrfc.py, kms.py, a user of MIKEY-TICKET of its own), so it is slow: what
the servers spend counts."""
import http.client
import os
import sys
import time

CALLS, QUESTIONS = 40, 400


def tests(bench):
    """The black-box tests' modules, which look for the programs where the environment says."""
    os.environ.update(GATEHOUSE_BUILD_ROOT=bench.args.build, GATEHOUSE_SOURCE_ROOT=bench.source)
    sys.path.insert(0, os.path.join(bench.source, "tests", "blackbox"))
    import kms  # pylint: disable=import-outside-toplevel
    import mrfc  # pylint: disable=import-outside-toplevel
    return kms, mrfc


def used(process):
    """Seconds of processor time, all threads."""
    return time.clock_gettime((~process.pid << 3) | 2)  # clock_getcpuclockid(3): CPUCLOCK_SCHED of a process


def pin(process, cpu):
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        os.sched_setaffinity(int(thread), {cpu})


class Meter:
    def __init__(self, bench, **processes):
        self.processes = processes
        for process in processes.values():
            pin(process, bench.args.server_cpu)
        self.before = {name: used(process) for name, process in processes.items()}
        self.start = time.monotonic()

    def end(self, title, count):
        wall = time.monotonic() - self.start
        spent = {name: (used(process) - self.before[name]) * 1e6 / count for name, process in self.processes.items()}
        return {"title": title, "count": count, "cpu_us": spent, "all_us": sum(spent.values()), "per_s": count / wall}


# -- the key server --

def ask(connection, word, octets):
    connection.request("POST", "/keymanagement?requesttype=" + word, octets, {"Content-Type": "application/mikey"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise OSError(f"conference: the key server answers {answer.status}")
    return body


def each(bench, server, word, questions, title):
    connection = http.client.HTTPConnection("127.0.0.1", server.ports["http"], timeout=30)
    meter = Meter(bench, kms=server.process)
    answers = [ask(connection, word, q) for q in questions]
    row = meter.end(title, len(questions))
    connection.close()
    return row, answers


def key_server(bench, kms):
    """@return rows"""
    folder = bench.path("kms")
    os.mkdir(folder)
    server = kms.Kms(folder, ['from: "sip:*@bench.example", to: "sip:*@bench.example"']).start()
    bench.running.append(server.process)
    try:
        alice, bob = (server.enroll(kms.User(f"sip:{name}@bench.example")) for name in ("alice", "bob"))
        asked, tickets = [], []
        count = QUESTIONS // 2 if bench.args.quick else QUESTIONS
        for _ in range(count):
            asked.append((alice.question(kms.REQUEST, kms.policy(bob.name)), alice.rands))
        first, answers = each(bench, server, "ticketrequest", [q for q, _ in asked], "ticket request")
        for (alice.asked, alice.rands), octets in zip(asked, answers):
            tickets.append(kms.ticket_of(alice.answer(octets)[1]))
        second, _ = each(bench, server, "ticketresolve", [bob.question(kms.RESOLVE, t) for t in tickets], "ticket resolve")
        return [first, second]
    finally:
        bench.running.remove(server.process)
        server.kill()


# -- conferences --

def once(stage, agent):
    stage.call(agent)
    agent.expect("call.up")
    for kind in ("msrp", "bfcp"):
        agent.expect("media.up", kind=kind)
    agent.do("bye")
    agent.expect("call.over")


def set_ups(bench, mrfc):
    folder = bench.path("conference")
    os.mkdir(folder)
    stage = mrfc.Stage(folder)
    processes = {"mgc": stage.mgc.process, "mg": stage.mg.process, "kms": stage.kms.process}
    bench.running += processes.values()
    try:
        agent = stage.agent(mrfc.ALICE)
        bench.running.append(agent.process)
        once(stage, agent)
        meter = Meter(bench, **processes)
        count = CALLS // 2 if bench.args.quick else CALLS
        for _ in range(count):
            once(stage, agent)
        row = meter.end("set-up and BYE of a member: MIKEY-TICKET, MSRP and BFCP over TLS", count)
    finally:
        stage.close()
        bench.running[:] = [r for r in bench.running if r not in list(processes.values()) + [a.process for a in stage.agents]]
    return [row]


def run(bench):
    kms, mrfc = tests(bench)
    bench.say("key server over HTTP")
    rows = key_server(bench, kms)
    bench.say("set-ups of conferences")
    return {"rows": rows + set_ups(bench, mrfc)}


def markdown(result):
    lines = ["| what | times | us CPU of all servers | of them | a second of a core | a second, wall clock |", "|---|---|---|---|---|---|"]
    for r in result["rows"]:
        each_of = ", ".join(f"{name} {us:,.0f}" for name, us in r["cpu_us"].items())
        lines.append(f"| {r['title']} | {r['count']} | {r['all_us']:,.0f} | {each_of} | {1e6 / r['all_us']:,.0f} | {r['per_s']:,.0f} |")
    return "\n".join(lines) + "\n"
