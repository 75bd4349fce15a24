#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other people's TLS against ours: each peer x each of our engines x version x our role x way the peers know each other x
kind of handshake, as one table, which is docs/interop.md; the test fails where page and outcome differ.

  test_interop.py            run all, compare
  test_interop.py --write    run all, write the page
  test_interop.py --only W…  run the cells that have all these words
  test_interop.py --peers P…  run the cells of these peers
"""
import concurrent.futures
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "blackbox")]
import cells as matrix  # noqa: E402
import harness  # noqa: E402
import page  # noqa: E402
import peers  # noqa: E402

SECRET = "5d41402abc4b2a76b9719d911017c592"
WRONG = "00000000bc4b2a76b9719d911017c592"


class Files:
    """The certificates of both sides, by two authorities each of RSA and of elliptic curves."""

    def __init__(self, folder):
        self.pki = harness.Pki(folder)
        self.pki.tool("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", "ca-rsa.key", "-out",
                      "ca-rsa.pem", "-subj", "/O=Home/CN=Home RSA CA")
        for name, ca, key in (("near-ecdsa", "ca", "ec"), ("far-ecdsa", "ca", "ec"), ("stranger", "other", "ec"),
                              ("near-rsa", "ca-rsa", "rsa"), ("far-rsa", "ca-rsa", "rsa")):
            self.pki.leaf(name, key=key, ca=ca)

    def words(self, cell, who):
        if cell.psk:  # selfserv will not start without a certificate
            cert = f" cert={self.pki.path('far-ecdsa.pem')} key={self.pki.path('far-ecdsa.key')}"
            return " name=peer.home.example" + (cert if cell.peer == "nss" and who == "far" else "")
        way = cell.way.lower()
        ca = "ca-rsa" if way == "rsa" else "ca"
        strange = {"near": cell.kind == matrix.WRONGS[1], "far": cell.kind == matrix.WRONGS[0]}
        other = "far" if who == "near" else "near"
        name = "stranger" if strange[who] else f"{who}-{way}"
        text = f" ca={self.pki.path(ca + '.pem')} name={'stranger' if strange[other] else other + '-' + way}.home.example"
        server = (who == "near") == (cell.role == "server")
        if server or not cell.resumes:  # who asks for a certificate gives no tickets
            text += f" cert={self.pki.path(name + '.pem')} key={self.pki.path(name + '.key')}"
        return text


def says_go(cell):
    """JSSE's server of TLS has only sent its HelloRequest when it may write, and what it then writes comes in the midst."""
    return cell.datagrams or not (cell.peer == "jsse" and cell.kind == "theirs" and not cell.new)


def words_of(cell, files, who):
    kind = "again" if cell.again else cell.kind if cell.resumes else "full"
    secret = WRONG if cell.kind == matrix.WRONGS[2] and who == "far" else SECRET
    begins = cell.kind == ("ours" if who == "near" else "theirs")
    text = "hangup=1 http=/page " if cell.peer == "nss" else ""
    text += f"version={cell.version} way={cell.way} kind={kind} begins={int(begins)} go={int(says_go(cell))} conns={1 + cell.resumes}"
    if cell.psk:
        text += f" identity=someone secret={secret}"
    elif not cell.resumes:
        text += " auth=1"
    return text + files.words(cell, who) + (f" engine={cell.engine}" if who == "near" else "")


class Player:
    """One peer and our program."""

    def __init__(self, peer, folder, files):
        self.far, self.files = peers.START[peer](folder), files
        self.near = peers.c_program("ours")(folder)

    def close(self):
        self.far.close()
        self.near.close()

    def play(self, cell):
        """What both said, ours first."""
        sides = [(self.near, words_of(cell, self.files, "near")), (self.far, words_of(cell, self.files, "far"))]
        (server, serve), (client, connect) = sides if cell.role == "server" else reversed(sides)
        port = server.serve(serve)
        if port is None:
            said = server.results()
            return (said, []) if server is self.near else ([], said)
        client.connect(connect, port)
        if cell.peer == "nss" and cell.role == "server":
            self.far.drive(self.near)
        return self.near.results(), self.far.results()


def value(line, name):
    for word in line.split():
        if word.startswith(name + "="):
            return word[len(name) + 1:]
    return ""


def fits(cell, suite):
    """Is the suite of the cell's way?"""
    if cell.new:
        return suite.startswith("TLS_AES")
    if cell.way == "RSA":
        return "RSA_WITH" in suite and "PSK" not in suite
    return suite.startswith({"ECDSA": "TLS_ECDHE_ECDSA", "PSK": "TLS_PSK", "DHE-PSK": "TLS_DHE_PSK",
                             "ECDHE-PSK": "TLS_ECDHE_PSK"}[cell.way])


def judge(cell, near, far, resumed):
    """None when all went as it should, else what did not. `resumed`: is the second connection to be?"""
    done = [line for line in near if line.startswith(("ok", "failed"))]
    theirs = [line for line in far if line.startswith(("ok", "failed"))]
    if len(done) != 1 + cell.resumes or any(line.startswith("failed") for line in done + theirs):
        return "; ".join(done + theirs) or "nothing was said"
    for at, line in enumerate(done):
        if value(line, "version") != cell.version:
            return f"not {cell.version}: {line}"
        if not fits(cell, value(line, "suite")):
            return f"not by {cell.way}: {line}"
        if value(line, "psk") != str(int(cell.psk)) and not (cell.new and value(line, "resumed") == "1"):
            return f"known in another way: {line}"
        if value(line, "resumed") != str(int(resumed and at == 1)):
            return f"resumed is wrong: {line}"
    if any(value(line, "resumed") not in ("", str(int(resumed and at == 1))) for at, line in enumerate(theirs)):
        return f"the peer does not agree on resumption: {theirs}"
    if cell.kind == "theirs" and value(theirs[0], "again") not in ("", "1"):
        return f"the peer counts {value(theirs[0], 'again')} renegotiations"
    if (cell.kind == "ours" or cell.again and not cell.new) and value(done[0], "again") != "1":
        return f"renegotiated {value(done[0], 'again')} times"
    return None


def failing(cell, near, far):
    """Has somebody refused, he who had to, and the other heard of it?"""
    ours = [line for line in near if line.startswith("failed")]
    theirs = [line for line in far if line.startswith("failed")]
    blind = cell.peer == "nss" and cell.role == "client"  # selfserv has not written what it saw when it is ended
    told = ours and (theirs or blind) and not any(line.startswith("ok") for line in near)
    if cell.kind == matrix.WRONGS[0]:
        told = told and " sent;" in ours[0]
    return ("refused", "") if told else ("FAILED", f"{near} {far}")


def outcome(player, cell):
    """(what, why) for the table; what is "works", "refused", "none" or "FAILED"."""
    out = matrix.outlook(cell)
    if out.what in ("none", "later"):
        return out.what, out.why
    try:
        near, far = player.play(cell)
    except peers.Silent as e:
        return "FAILED", str(e)
    if cell.kind in matrix.WRONGS:
        return failing(cell, near, far)
    if out.what == "works":
        wrong = judge(cell, near, far, cell.resumes)
    elif out.says == "resumed=0":
        wrong = judge(cell, near, far, False)
    else:
        wrong = None if any(out.says in line for line in near if line.startswith("failed")) else f"{near} {far}"
    return (out.what, out.why) if wrong is None else ("FAILED", wrong)


def run_peer(peer, folder, files, chosen):
    started = time.monotonic()
    table, failures, player = {}, [], None
    for cell in [*matrix.cells(peer), *matrix.wrong_cells(peer)]:
        if not chosen(cell):
            continue
        if player is None:
            player = Player(peer, folder, files)
        began = time.monotonic()
        table[cell] = outcome(player, cell)
        if time.monotonic() - began > 3:
            print(f"{cell} took {time.monotonic() - began:.1f} s", flush=True)
        if table[cell][0] == "FAILED":
            failures.append(f"{cell}: {table[cell][1]}")
            if "silence" in table[cell][1] or "nothing more" in table[cell][1]:
                player.close()
                player = None
    if player:
        player.close()
    print(f"{peer}: {len(table)} cells in {time.monotonic() - started:.1f} s", flush=True)
    return table, failures


def wanted(args):
    """Which cells are to be run; None = all, and the page is compared."""
    if args[:1] == ["--only"]:
        return lambda cell: all(word in cell for word in args[1:])
    if args[:1] == ["--peers"]:
        return lambda cell: cell.peer in args[1:]
    return None


def main(args):
    chosen = wanted(args) or (lambda cell: True)
    missing = [f"{peer}: {why}" for peer in matrix.PEERS if (why := peers.missing(peer))]
    folder = tempfile.mkdtemp(prefix="gatehouse-interop-")
    try:
        files = Files(folder)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda peer: run_peer(peer, folder, files, chosen),
                                 [peer for peer in matrix.PEERS if not peers.missing(peer)]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = {cell: out for part, _ in done for cell, out in part.items()}
    failures = [line for _, part in done for line in part]
    text = page.text(table)
    print(text)
    for line in failures:
        print(f"FAILED {line}")
    print(f"{len(table)} cells, {len(failures)} failed")
    if failures:
        return 1
    return 0 if wanted(args) else page.finish(text, missing, args[:1] == ["--write"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
