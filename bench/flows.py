# SPDX-License-Identifier: Apache-2.0
"""Fifty thousand user agents registered and idle on one machine: several gatehouse-edge, each with what the descriptors of
one process allow, behind them one registrar. While all are there a MESSAGE finds its way among those of each edge."""
import resource

import access
from servers import Unavailable

FLOWS = 51000
SPARE = 1000  # descriptors for all but flows


def each_has(bench):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE
    if most < FLOWS // 8:
        raise Unavailable(f"{most + SPARE} descriptors a process are too few")
    bench.note(f"flows: {-(-FLOWS // most)} edges, for {most + SPARE} descriptors are the most of a process here")
    return [most] * (FLOWS // most) + ([FLOWS % most] if FLOWS % most else [])


def work(edges):
    """@return what the user agents of all edges did while all were registered"""
    done, p99, faults = 0, 0, {}
    for _, agents, _ in edges:
        agents.go()
    for _, agents, count in edges:
        told = agents.told()
        message = told["works"].get("message", {"done": 0, "p99_us": 0})
        done, p99 = done + message["done"], max(p99, message["p99_us"])
        if told["registered"] != count:
            faults["gone"] = faults.get("gone", 0) + count - told["registered"]
        for cause, number in told["faults"].items():
            faults[cause] = faults.get(cause, 0) + number
    return done, p99, faults


def run(bench):
    access.prepare(bench)
    edges, begun, behind = [], [], None
    try:
        behind, behind_port = access.core(bench)
        begun.append(behind)
        for number, count in enumerate(each_has(bench)):
            server, port = access.edge(bench, behind_port)
            begun.append(server)
            before = access.memory_kib(server.pids())
            bench.say(f"flows: {count} more user agents")
            agents = access.Agents(bench, port, "bench-tls13", "--stay", "--count", str(count), "--first", str(100000 * (number + 1)),
                                   "--sources", "8", "--window", "40", "--message", "200",
                                   "--duration", "2s" if bench.args.quick else "10s")
            edges.append((server, agents, agents.told()["registered"]))
            access.settled_s(server.pids())
            server.kib = access.memory_kib(server.pids()) - before
        flows = sum(count for _, _, count in edges)
        done, p99, faults = work(edges)
        return {"flows": flows, "edges": len(edges), "kib": sum(server.kib for server, _, _ in edges) / flows, "messages": done,
                "p99_us": p99, "faults": faults}
    except Unavailable as why:
        bench.note(f"flows: left out: {why}")
        return None
    finally:
        for _, agents, _ in edges:
            agents.stop()
        for program in reversed(begun):
            program.stop()


def markdown(result):
    faults = ", ".join(f"{cause}: {n}" for cause, n in sorted(result["faults"].items())) or "none"
    return ("| registered flows at a time | edges | KiB a flow | MESSAGEs meanwhile | p99, us | faults |\n|---|---|---|---|---|---|\n"
            f"| {result['flows']:,} | {result['edges']} | {result['kib']:.1f} | {result['messages']:,} | {result['p99_us']:,} | {faults} |\n")
