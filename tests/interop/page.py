# SPDX-License-Identifier: Apache-2.0
"""The interop matrix as a page: a row for each peer, engine, version and role, a column for each way, in it a mark for each kind."""
import os

import cells as matrix

PAGE = os.path.join(os.environ.get("GATEHOUSE_SOURCE_ROOT", "."), "docs", "interop.md")
SKIP = 77
SIGNS = {"refused": "x", "none": "-", "later": "?"}
HEAD = """\
# Interop matrix

Made by `tests/interop/test_interop.py`, which plays every cell and fails where this page says something else. Other people's
TLS against both of our engines, on loopback, through the filters of `src/tls`: the libraries OpenSSL and GnuTLS, the tools of
NSS (`tstclnt`, `selfserv`), JSSE (OpenJDK) and Erlang's ssl, as client to our server and as server to our client.
"""


def mark(out, reasons):
    what, why = out
    if what == "works":
        return "+"
    if what == "FAILED":
        return "FAILED"
    if not why:
        return "x"
    number = reasons.setdefault((what, why), len(reasons) + 1)
    return f"{SIGNS[what]}{number}"


def rows(table, reasons):
    for key in dict.fromkeys(cell[:4] for cell in table if cell.kind in matrix.KINDS):
        by_way = [" ".join(mark(table[cell], reasons) for kind in matrix.KINDS
                           if (cell := matrix.Cell(*key, way, kind)) in table) for way in matrix.WAYS]
        yield "| " + " | ".join(key + tuple(by_way)) + " |"


def wrong_rows(table, reasons):
    wrong = [cell for cell in table if cell.kind in matrix.WRONGS]
    for key in dict.fromkeys(cell[:4] for cell in wrong):
        marks = [mark(table[cell], reasons) for kind in matrix.WRONGS for cell in wrong
                 if cell[:4] == key and cell.kind == kind]
        yield "| " + " | ".join((*key, *marks)) + " |"


def text(table):
    reasons = {}
    body = list(rows(table, reasons))
    count = [sum(1 for cell, out in table.items() if out[0] == kind and cell.kind in matrix.KINDS) for kind in ("works", "refused", "none", "later")]
    legend = [f"- `{SIGNS[what]}{number}` {why}" for (what, why), number in reasons.items()]
    wrong = list(wrong_rows(table, reasons))
    return "\n".join([
        HEAD,
        f"{count[0]} cells work (`+`), {count[1]} are refused as they have to be (`x` and the reason's number), {count[2]} "
        "do not exist with that peer (`-` and the reason's number)" + (f", {count[3]} wait (`?`)." if count[3] else "."),
        "Five marks a cell: full handshake, resumed by ticket, resumed by session id, renegotiated when the peer begins,",
        "renegotiated when we begin. In TLS 1.3, which has no renegotiation, the last two are a KeyUpdate.",
        "",
        "| peer | our engine | version | we are | " + " | ".join(matrix.WAYS) + " |",
        "|---|---|---|---|" + "---|" * len(matrix.WAYS),
        *body,
        "",
        "## What has to fail",
        "",
        "One of the two shows a certificate (ECDSA) by an authority that the other does not know, or has another pre-shared key",
        "(DHE-PSK). Each time who had to refused, and the other heard of it (`x`).",
        "",
        "| peer | our engine | version | we are | the peer's certificate | our certificate | the key |",
        "|---|---|---|---|---|---|---|",
        *wrong,
        "",
        "## Reasons",
        "",
        *legend,
        ""])


def finish(made, missing, write):
    """@return the exit status"""
    if missing:
        print("docs/interop.md is not compared, for peers are absent: " + "; ".join(missing))
        return SKIP
    if write:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(made)
        return 0
    with open(PAGE, encoding="utf-8") as file:
        same = file.read() == made
    print("docs/interop.md is as it should be" if same else "docs/interop.md differs; test_interop.py --write makes it")
    return 0 if same else 1
