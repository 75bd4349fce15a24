# SPDX-License-Identifier: Apache-2.0
"""A CRL as an index beside OpenSSL's X509_CRL and GnuTLS's: load time, memory, a look (bench/crl.c)."""
import json
import os
import statistics
import subprocess

ENTRIES = (10000, 100000, 1000000)
OTHERS = ("openssl", "gnutls")
PATIENCE_S = 60
GOAL_LOAD_S, GOAL_LOOK_NS, GOAL_OCTETS = 1.0, 1000.0, 20e6  # at a million entries


def on_core(bench, *args, timeout=300):
    program = os.path.join(bench.args.build, "bench", "bench_crl")
    done = subprocess.run(["taskset", "-c", str(bench.args.server_cpu), program, *map(str, args)],
                          capture_output=True, text=True, timeout=timeout, check=True)
    return json.loads(done.stdout)


def medians(samples):
    return {key: statistics.median(s[key] for s in samples) for key in samples[0]}


def other(bench, who, entries, crl):
    try:
        return on_core(bench, who, entries, crl, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        bench.note(f"CRL of {entries:,} entries: {who} was not done after {PATIENCE_S} s; larger ones are left out")
        return None


def run(bench):
    crl, index = bench.path("crl.der"), bench.path("index.crlx")
    rows, others = [], list(OTHERS)
    for entries in ENTRIES:
        bench.say(f"CRL of {entries} entries")
        row = on_core(bench, "write", entries, crl, index)
        row["gatehouse"] = medians([on_core(bench, "gatehouse", entries, index) for _ in range(bench.args.rounds)])
        for who in OTHERS:
            row[who] = other(bench, who, entries, crl) if who in others else None
        others = [who for who in others if row[who]]
        mine = row["gatehouse"]
        row["met"] = (mine["load_s"] < GOAL_LOAD_S and mine["look_ns"] < GOAL_LOOK_NS and row["index"] <= GOAL_OCTETS)
        rows.append(row)
    return {"rows": rows}


def seconds(value):
    return f"{value * 1e3:,.2f} ms" if value < 1 else f"{value:,.1f} s"


def look(value):
    return f"{value:,.0f} ns" if value < 1e5 else f"{value / 1e6:,.1f} ms"


def markdown(result):
    lines = ["| entries | octets of the CRL | of the index | made, signature verified | | load | memory, MiB | a look |",
             "|---|---|---|---|---|---|---|---|"]
    for row in result["rows"]:
        head = [f"{row['entries']:,}", f"{row['crl']:,}", f"{row['index']:,}", seconds(row["make_s"])]
        for who in ("gatehouse",) + OTHERS:
            entry = row[who]
            cells = [seconds(entry["load_s"]), f"{entry['mib']:,.1f}", look(entry["look_ns"])] if entry else ["-"] * 3
            note = "" if who != "gatehouse" or row["met"] else " (goal missed)"
            lines.append("| " + " | ".join((head if who == "gatehouse" else [""] * 4) + [who + note] + cells) + " |")
    return "\n".join(lines) + "\n"
