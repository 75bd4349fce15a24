# SPDX-License-Identifier: Apache-2.0
"""How fast the gateway sets contexts up and takes them down over UDP, and what a standing one costs in memory. The
gateway runs on one core, the controller (rounds.c) on another."""
import json
import os
import statistics
import subprocess

RATE_GOAL, KIB_GOAL = 20000, 4.0
ROUNDS, STANDING = 60000, 100000
WHAT = (("bare", "terminations without streams"), ("stream", "a stream each, no port"),
        ("port", "a TCP stream each, its port bound"))
CONFIG = """
mg: {{workers: 1, leave: forced}}
controllers: ["127.0.0.1:{port}"]
h248: {{transport: udp, listen: "127.0.0.1:0", version: 1, encoding: compact}}
media: {{addresses: [127.0.0.1]}}
limits: {{contexts: 200000}}
"""


def once(bench, what, count, standing=False):
    load = subprocess.Popen(["taskset", "-c", str(bench.args.load_cpu), os.path.join(bench.args.build, "bench", "rounds"),
                             "--what", what, "--count", str(count), "--server-pid", "0"] +
                            (["--standing"] if standing else []),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    bench.running.append(load)
    config = bench.path("mg.yaml")
    with open(config, "w", encoding="ascii") as file:
        file.write(CONFIG.format(port=load.stdout.readline().strip().split("=")[1]))
    with open(bench.path("mg.log"), "w", encoding="utf-8") as log:
        gateway = subprocess.Popen(["taskset", "-c", str(bench.args.server_cpu),
                                    os.path.join(bench.args.build, "gatehouse-mg"), "-c", config],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    bench.running.append(gateway)
    try:
        out, err = load.communicate(f"{gateway.pid}\n", timeout=120)
    finally:
        for process in (load, gateway):
            process.kill()
            process.wait()
            bench.running.remove(process)
    if load.returncode:
        raise OSError(f"rounds: {err.strip()[-300:]}")
    result = json.loads(out)
    if result["failed"]:
        bench.note(f"contexts, {what}: {result['failed']} of {result['rounds']} failed")
    return result


def run(bench):
    result = {"rate_goal": RATE_GOAL, "kib_goal": KIB_GOAL, "rows": []}
    count = ROUNDS // 3 if bench.args.quick else ROUNDS
    for what, title in WHAT:
        samples = []
        for number in range(bench.args.rounds):
            bench.say(f"contexts {what}, round {number + 1} of {bench.args.rounds}")
            samples.append(once(bench, what, count))
        row = {"title": title, "cpu_us": statistics.median(s["server_cpu_us"] for s in samples),
               "per_s": statistics.median(s["per_s"] for s in samples)}
        row["per_core_s"] = 1e6 / row["cpu_us"]
        row["met"] = row["per_core_s"] >= RATE_GOAL
        if what != "port":  # there are not as many ports
            row["kib"] = once(bench, what, STANDING, standing=True)["kib_each"]
            row["kib_met"] = row["kib"] <= KIB_GOAL
        result["rows"].append(row)
    return result
