# SPDX-License-Identifier: Apache-2.0
"""The codec, text and binary, beside Erlang/OTP's megaco, on the same messages."""
import json
import os
import shutil
import statistics
import struct
import subprocess

GOAL = 10.0
FORMS = ("compact", "pretty", "ber")
CORPUS = 5000


def examples(source):
    """Where the sample messages are; None without them."""
    shared = os.environ.get("GATEHOUSE_SHARED") or os.path.join(source, "..", "shared")
    folder = os.path.join(shared, "spec", "h248-examples")
    return folder if os.path.isdir(folder) else None


def pack(messages):
    return b"".join(struct.pack(">II", number, len(octets)) + octets for number, octets in messages)


def unpack(data):
    at = 0
    while at < len(data):
        number, length = struct.unpack_from(">II", data, at)
        yield number, data[at + 8:at + 8 + length]
        at += 8 + length


def example_messages(bench, folder, form):
    style = "pretty" if form == "pretty" else "compact"
    for number, name in enumerate(sorted(n for n in os.listdir(folder) if n.endswith(f".{style}.txt"))):
        path = os.path.join(folder, name)
        if form == "ber":
            yield number, subprocess.run([os.path.join(bench.args.build, "gatehouse"), "h248", "convert", "--to", "ber",
                                          path], capture_output=True, check=True).stdout
        else:
            with open(path, "rb") as file:
                yield number, file.read()


def generated(bench, form):
    return subprocess.run([os.path.join(bench.args.build, "bench", "h248_corpus"), "write", form, str(CORPUS)],
                          capture_output=True, check=True).stdout


def on_core(bench, command):
    done = subprocess.run(["taskset", "-c", str(bench.args.server_cpu)] + command,
                          capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise OSError(f"{command[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return json.loads(done.stdout)


def ours(bench, form, path):
    return on_core(bench, [os.path.join(bench.args.build, "bench", "bench_codec"), "--rounds", "3", form, path])


def megaco(bench, form, path, numbers):
    script = os.path.join(bench.source, "bench", "megaco.escript")
    return on_core(bench, ["escript", script, form, "1" if bench.args.quick else "2", path, numbers])


def medians(samples):
    return {key: statistics.median(s[key] for s in samples) for key in samples[0]}


def measure(bench, name, form, data, have_megaco):
    path, numbers, common = bench.path("messages"), bench.path("numbers"), bench.path("common")
    with open(path, "wb") as file:
        file.write(data)
    samples = {"gatehouse": [], "megaco": []}
    for number in range(bench.args.rounds):
        bench.say(f"codec {name} {form}, round {number + 1} of {bench.args.rounds}")
        if not have_megaco:
            samples["gatehouse"].append(ours(bench, form, path))
            continue
        samples["megaco"].append(megaco(bench, form, path, numbers))
        with open(numbers, encoding="ascii") as file:
            wanted = set(map(int, file))
        with open(common, "wb") as file:  # the same messages for both
            file.write(pack((n, octets) for n, octets in unpack(data) if n in wanted))
        samples["gatehouse"].append(ours(bench, form, common))
    entry = {who: medians(s) for who, s in samples.items() if s}
    if have_megaco:
        mean = entry["gatehouse"]["octets"] / entry["gatehouse"]["messages"]
        entry["megaco"]["decode_mb"] = entry["megaco"]["decode"] * mean / 1e6
        for what in ("decode", "encode"):
            entry[what + "_ratio"] = entry["gatehouse"][what] / entry["megaco"][what]
            entry[what + "_met"] = entry[what + "_ratio"] >= GOAL
    entry["all"] = sum(1 for _ in unpack(data))
    return entry


def run(bench):
    if not os.path.exists(os.path.join(bench.args.build, "bench", "bench_codec")):
        bench.note("codec left out: bench_codec is not built")
        return None
    have_megaco = shutil.which("escript") is not None
    if not have_megaco:
        bench.note("megaco left out: no escript (package erlang-megaco)")
    folder = examples(bench.source)
    if not folder:
        bench.note("no message examples (set GATEHOUSE_SHARED)")
    result = {"goal": GOAL, "sets": {}}
    for form in FORMS:
        if folder:
            data = pack(example_messages(bench, folder, form))
            result["sets"].setdefault("examples", {})[form] = measure(bench, "examples", form, data, have_megaco)
        result["sets"].setdefault("generated", {})[form] = measure(bench, "generated", form, generated(bench, form),
                                                                   have_megaco)
    result["linear"] = on_core(bench, [os.path.join(bench.args.build, "bench", "bench_linear")])
    return result
