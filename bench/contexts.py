# SPDX-License-Identifier: Apache-2.0
"""How fast the gateway sets contexts up and takes them down over UDP, and what a standing one costs in memory. The
gateway runs on one core, the controller (rounds.c) on another. Memory is told three times: the gateway's heap by malloc's
own count (standing.c: core and relay in one process, nothing behind the sockets, so 100,000 fit any limit), what the whole
program has resident more, and what the kernel keeps for the sockets, both for as many contexts as there may be descriptors."""
import json
import os
import resource
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


def standing(bench, what, count, *options):
    out = subprocess.run([os.path.join(bench.args.build, "bench", "standing"), "--what", what, "--count", str(count), *options],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    if out.returncode:
        raise OSError(f"standing: {out.stderr.strip()[-300:]}")
    return json.loads(out.stdout)


def memory(bench, what):
    count = STANDING
    if what == "port":
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        count = min(count, (limit - 200) // 2, 14000)
    bench.say(f"contexts {what}, {STANDING} standing, and {count}")
    row = {"kib": standing(bench, what, STANDING, "--no-sockets")["heap_each"] / 1024,
           "standing": count, "kib_program": once(bench, what, count, standing=True)["kib_each"]}
    if what == "port":
        row["kib_kernel"] = standing(bench, what, count)["slab_each"] / 1024
    row["kib_met"] = max(row["kib"], row["kib_program"]) <= KIB_GOAL
    return row


def run(bench):
    result = {"rate_goal": RATE_GOAL, "kib_goal": KIB_GOAL, "rows": []}
    count = ROUNDS // 3 if bench.args.quick else ROUNDS
    for what, title in WHAT:
        samples = []
        for number in range(bench.args.rounds):
            bench.say(f"contexts {what}, round {number + 1} of {bench.args.rounds}")
            samples.append(once(bench, what, count))
        cpu = [s["server_cpu_us"] for s in samples]
        row = {"title": title, "cpu_us": statistics.median(cpu),
               "kernel_share": sum(s["kernel_us"] for s in samples) / sum(cpu),
               "per_s": statistics.median(s["per_s"] for s in samples)}
        row["per_core_s"] = 1e6 / row["cpu_us"]
        row["least_s"], row["most_s"] = 1e6 / max(cpu), 1e6 / min(cpu)
        row["met"] = row["per_core_s"] >= RATE_GOAL
        row.update(memory(bench, what))
        result["rows"].append(row)
    return result
