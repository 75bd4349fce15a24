# SPDX-License-Identifier: Apache-2.0
"""MIKEY-TICKET's exchanges a second beside their bare cryptographic operations (bench/mikey.c)."""
import json
import os
import subprocess

GOAL = 0.7


def run(bench):
    bench.say("MIKEY-TICKET: requests, resolves, transfers")
    done = subprocess.run(["taskset", "-c", str(bench.args.server_cpu), os.path.join(bench.args.build, "bench", "bench_mikey"), "1000"],
                          capture_output=True, text=True, check=True, env={**os.environ, "GATEHOUSE_SOURCE_ROOT": bench.source})
    return {"goal": GOAL, "rows": [json.loads(line) for line in done.stdout.splitlines()]}


def markdown(result):
    lines = [f"| exchange, all sides | a second | us | bare operations, us | share (goal {GOAL}) |", "|---|---|---|---|---|"]
    lines += [f"| {r['name']} | {r['per_s']:,} | {r['us']:.1f} | {r['bare_us']:.1f} | {r['share']:.2f}"
              f"{'' if r['share'] >= result['goal'] else ' (short)'} |" for r in result["rows"]]
    return "\n".join(lines) + "\n"
