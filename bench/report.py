# SPDX-License-Identifier: Apache-2.0
"""The result as Markdown."""

import access
import conference
import crl
import flows
import media
import path
import rooms
import tickets

ORDER = ["gatehouse", "haproxy", "nginx", "stunnel", "hitch"]


def number(value):
    if value is None:
        return "-"
    for limit, digits in ((1, 3), (10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def table(head, lines):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    out += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(out) + "\n"


def verdict(met):
    return "met" if met else "**short**"


def cell(row, server, key="value"):
    entry = row["servers"].get(server)
    return number(entry.get(key)) if entry else "-"


def columns(result):
    seen = {name for row in result["rows"] for name in row["servers"]}
    return [name for name in ORDER if name in seen]


def costs(result):
    names = columns(result)
    lines = []
    for row in result["rows"]:
        line = [row["title"], row["unit"]] + [cell(row, n) for n in names]
        if "ratio" in row:
            line += [f"{row['ratio']:.2f} ({row['best']})", f"{row['goal']:.2f}",
                     verdict(row["met"])]
        else:
            line += ["-", f"{row['goal']:.2f}", "-"]
        lines.append(line)
    return table(["what", "unit"] + names + ["best peer / gatehouse", "goal", ""], lines)


def limits(result):
    lines = []
    for row in result["rows"]:
        if "limit" not in row:
            continue
        libs = row["libraries"]
        lines.append([row["title"], row["unit"], number(libs.get("openssl")),
                      number(libs.get("gnutls")), number(row["bare"]), number(row["limit"]),
                      cell(row, "gatehouse"), f"{row['share']:.2f}", verdict(row["share_met"])])
    if not lines:
        return ""
    return table(["what", "unit", "OpenSSL alone", "GnuTLS alone", "bare TCP relay", "limit",
                  "gatehouse", "limit / gatehouse (goal 0.75)", ""], lines)


def rates(result):
    names = columns(result)
    lines = []
    for row in result["rows"]:
        any_server = next(iter(row["servers"].values()), {})
        if row["name"] == "idle" or not any_server:
            continue
        if "mb_per_s" in any_server:
            lines.append([row["title"], "MB/s"] + [cell(row, n, "mb_per_s") for n in names])
            continue
        lines.append([row["title"], "per second"] + [cell(row, n, "per_s") for n in names])
        if "p99_us" in any_server:
            lines.append([row["title"], "p99, us"] + [cell(row, n, "p99_us") for n in names])
    return table(["what", "unit"] + names, lines) if lines else ""


def spreads(result):
    names = columns(result)
    lines = []
    for row in result["rows"]:
        line = [row["title"]]
        for name in names:
            entry = row["servers"].get(name)
            line.append(f"{number(entry['low'])} to {number(entry['high'])}" if entry else "-")
        lines.append(line)
    return table(["what"] + names, lines)


def codec(result):
    lines = []
    for name, forms in result["sets"].items():
        for form, entry in forms.items():
            mine, theirs = entry["gatehouse"], entry.get("megaco", {})
            for what in ("decode", "encode"):
                lines.append([f"{what} {form}, {name} ({mine['messages']:.0f} of {entry['all']})",
                              number(mine[what]), number(mine[what + "_mb"]), number(theirs.get(what)),
                              number(theirs.get(what + "_mb")), number(entry.get(what + "_ratio")),
                              number(result["goal"]), verdict(entry[what + "_met"]) if what + "_met" in entry else "-",
                              number(mine[what + "_heap"])])
    return table(["H.248", "gatehouse, messages/s", "MB/s", "megaco, messages/s", "MB/s", "ratio", "goal", "",
                  "heap calls a message"], lines) + "\n" + (
        "Decoding an octet of a message of 60 KiB, right or wrong, takes {worst:.2f} times what it takes in one of 1 KiB "
        "at worst ({of}); most expensive: {slowest}, {slowest_ns:.0f} ns.\n".format(**result["linear"]))


def floor(result):
    """What of binary decoding is nothing but headers."""
    lines = []
    for name, forms in result["sets"].items():
        mine = forms.get("ber", {}).get("gatehouse", {})
        if mine.get("walk"):
            lines.append(f"{name} {number(mine['walk'])} ({mine['decode'] / mine['walk']:.0%} of the time of decoding)")
    return f"A bare walk over the headers of the binary messages, messages/s: {', '.join(lines)}.\n" if lines else ""


def contexts(result):
    rates, memory = [], []
    for row in result["rows"]:
        rates.append([row["title"], number(row["cpu_us"]), f"{row['kernel_share']:.0%}", number(row["per_core_s"]),
                      f"{number(row['least_s'])} to {number(row['most_s'])}", number(result["rate_goal"]), verdict(row["met"]),
                      number(row["per_s"])])
        memory.append([row["title"], number(row["kib"]), f"{number(row['kib_program'])} ({row['standing']:,})",
                       number(result["kib_goal"]), verdict(row["kib_met"]), number(row.get("kib_kernel"))])
    return table(["Add, Add, Subtract over UDP", "us CPU a round", "of that in the kernel", "rounds/s of a core",
                  "of all runs", "goal", "", "rounds/s, wall clock"], rates) + "\n" + \
        table(["A standing context of two terminations, KiB", "heap, of 100,000", "resident (of so many)", "goal", "",
               "in the kernel, for its sockets"], memory)


def header(machine):
    versions = machine["versions"]
    kind = "quick run, " if machine["quick"] else ""
    return "\n".join([
        f"{machine['date']}; {kind}{machine['rounds']} rounds, medians; {machine['cpu']}, "
        f"{machine['cores']} cores, Linux {machine['kernel']}; servers on core "
        f"{machine['server_cpu']}, load and backend on core {machine['load_cpu']}; load average "
        f"{machine['load_average']:.1f} at the start, {machine['load_average_end']:.1f} at the end.",
        "",
        "Versions: " + "; ".join(f"{n}: {v}" for n, v in versions.items()) +
        f"; GnuTLS: {machine['gnutls']}. Engine of gatehouse: {machine['engine']}.",
        "",
        "Suites: TLS 1.2 ECDHE with AES-128-GCM-SHA256, TLS 1.3 TLS_AES_128_GCM_SHA256, "
        "PSK-AES128-GCM-SHA256; key exchange P-256 alone, since the client offers no other.",
        ""])


def markdown(result):
    parts = [header(result["machine"])]
    if result["rows"]:
        parts += ["Cost at the server, less is better:\n", costs(result)]
        if limits(result):
            parts += ["Beside the limit: the faster library's own cost over memory buffers, plus a "
                      "bare TCP relay's:\n", limits(result)]
        if rates(result):
            parts += ["Rates seen by the client, wall clock, more is better:\n", rates(result)]
        parts += ["Lowest and highest of the rounds:\n", spreads(result)]
    if result["codec"]:
        parts += ["Codec beside Erlang/OTP's megaco (text: flex scanner; binary: native terms), one core, processor "
                  "time, on the messages that megaco takes:\n", codec(result["codec"]), floor(result["codec"])]
    if result["contexts"]:
        parts += ["Contexts:\n", contexts(result["contexts"])]
    if result["path"]:
        parts += ["Path decisions between operators (TS 33.310, 5.2.2.2), one core, beside OpenSSL's verification with the "
                  "same CRLs, which checks their signatures each time:\n", path.markdown(result["path"])]
    if result["crl"]:
        parts += ["A CRL as our index, as OpenSSL's X509_CRL and as GnuTLS has it, one core, processor time:\n",
                  crl.markdown(result["crl"])]
    if result["media"]:
        parts += ["DTLS and DTLS-SRTP, median (lowest to highest):\n", media.markdown(result["media"])]
    if result["mikey"]:
        parts += ["MIKEY-TICKET, one core, processor time, the best of 20 batches:\n", tickets.markdown(result["mikey"])]
    if result["rooms"]:
        parts += ["Chat rooms of MSRP, one core, processor time:\n", rooms.markdown(result["rooms"])]
    if result["conference"]:
        parts += ["Conferences, and their key server over HTTP, processor time:\n", conference.markdown(result["conference"])]
    if result["access"]:
        parts += ["The access edge beside Kamailio's TLS module, one core, processor time (lowest to highest of the rounds):\n",
                  access.markdown(result["access"])]
    if result["flows"]:
        parts += ["Registered flows at a time, on one machine:\n", flows.markdown(result["flows"])]
    if result["notes"]:
        parts += ["Notes:\n"] + [f"- {note}" for note in result["notes"]] + [""]
    return "\n".join(parts)
