# SPDX-License-Identifier: Apache-2.0
"""The text codec beside Erlang/OTP's megaco, on the same messages."""
import json
import os
import shutil
import statistics
import subprocess

GOAL = 10.0


def messages(source):
    """Where the sample messages are; (folder, words) or (None, reason)."""
    shared = os.environ.get("GATEHOUSE_SHARED") or os.path.join(source, "..", "shared")
    folder = os.path.join(shared, "spec", "h248-examples")
    if os.path.isdir(folder):
        return folder, "the examples of the shared data"
    return None, "no message examples (set GATEHOUSE_SHARED)"


def split(bench, folder):
    """Compact and pretty apart, each in a folder of its own."""
    result = {}
    for style in ("compact", "pretty"):
        result[style] = bench.path("messages-" + style)
        os.mkdir(result[style])
        for name in os.listdir(folder):
            if name.endswith(f".{style}.txt"):
                shutil.copy(os.path.join(folder, name), result[style])
    return result


def on_core(bench, command):
    done = subprocess.run(["taskset", "-c", str(bench.args.server_cpu)] + command,
                          capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise OSError(f"{command[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return json.loads(done.stdout)


def ours(bench, style, folder):
    result = on_core(bench, [os.path.join(bench.args.build, "bench", "bench_codec"), "--json",
                             "--rounds", "3", folder])
    decode = result["decode_found"]
    return {"decode": decode["messages_per_s"], "decode_mb": decode["mb_per_s"],
            "encode": result["encode_" + style]["messages_per_s"],
            "messages": decode["messages"], "octets": decode["octets"]}


def megaco(bench, style, folder):
    script = os.path.join(bench.source, "bench", "megaco.escript")
    seconds = "1" if bench.args.quick else "2"
    result = on_core(bench, ["escript", script, style, seconds, folder])
    if result["decoded"] < result["files"]:
        bench.note(f"megaco decodes {result['decoded']} of {result['files']} {style} messages")
    mean = result["octets"] / result["decoded"]
    return {"decode": result["decode_per_s"], "decode_mb": result["decode_per_s"] * mean / 1e6,
            "encode": result["encode_per_s"]}


def medians(samples):
    return {key: statistics.median(s[key] for s in samples) for key in samples[0]}


def run(bench):
    folder, words = messages(bench.source)
    if not folder:
        bench.note("codec left out: " + words)
        return None
    if not os.path.exists(os.path.join(bench.args.build, "bench", "bench_codec")):
        bench.note("codec left out: bench_codec is not built")
        return None
    have_megaco = shutil.which("escript") is not None
    if not have_megaco:
        bench.note("megaco left out: no escript (package erlang-megaco)")
    result = {"messages": words, "goal": GOAL, "styles": {}}
    for style, where in split(bench, folder).items():
        samples = {"gatehouse": [], "megaco": []}
        for number in range(bench.args.rounds):
            bench.say(f"codec {style}, round {number + 1} of {bench.args.rounds}")
            samples["gatehouse"].append(ours(bench, style, where))
            if have_megaco:
                samples["megaco"].append(megaco(bench, style, where))
        entry = {name: medians(s) for name, s in samples.items() if s}
        if have_megaco:
            for what in ("decode", "encode"):
                entry[what + "_ratio"] = entry["gatehouse"][what] / entry["megaco"][what]
            entry["met"] = entry["decode_ratio"] >= GOAL
        result["styles"][style] = entry
    return result
