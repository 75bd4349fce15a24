# SPDX-License-Identifier: Apache-2.0
"""Path decisions a second beside OpenSSL's own verification with the same CRLs (bench/path.c)."""
import json
import os
import subprocess

GOAL = 1.0
ENTRIES = (10, 10000, 100000)


def run(bench):
    program = os.path.join(bench.args.build, "bench", "bench_path")
    rows = []
    for entries in ENTRIES:
        bench.say(f"path decisions, CRLs of {entries} entries")
        done = subprocess.run(["taskset", "-c", str(bench.args.server_cpu), program, str(entries), str(bench.args.rounds)],
                              capture_output=True, text=True, check=True)
        row = json.loads(done.stdout)
        row["met"] = row["ratio"] >= GOAL
        rows.append(row)
    return {"goal": GOAL, "rows": rows}


def markdown(result):
    lines = ["| CRLs of | gatehouse, decisions/s | OpenSSL | ratio |", "|---|---|---|---|"]
    lines += [f"| {r['entries']} entries | {r['gatehouse']} | {r['openssl']} | {r['ratio']}"
              f"{'' if r['met'] else ' (goal missed)'} |" for r in result["rows"]]
    return "\n".join(lines) + "\n"
