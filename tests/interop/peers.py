# SPDX-License-Identifier: Apache-2.0
"""Programs that play one side of a cell: lines in, lines out, as cell.h tells."""
import collections
import os
import select
import shutil
import subprocess
import time

import nss

BUILD = os.environ.get("GATEHOUSE_BUILD_ROOT", "build")
HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = float(os.environ.get("GATEHOUSE_PATIENCE", "20"))  # seconds until a missing line is a failure


class Silent(Exception):
    pass


class Program:
    """One that is started once and plays any number of cells."""

    def __init__(self, command, folder, env=None):
        self.log = open(os.path.join(folder, f"{os.path.basename(command[0])}.log"), "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=env)
        self.held, self.lines = b"", collections.deque()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def tell(self, words):
        self.process.stdin.write((words + "\n").encode())
        self.process.stdin.flush()

    def line(self, end):
        while not self.lines:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                raise Silent(f"{self.process.args[0]}: {'nothing more comes' if ready else 'silence'}")
            self.held += data
            *whole, self.held = self.held.split(b"\n")
            self.lines.extend(part.decode(errors="replace") for part in whole)
        return self.lines.popleft()

    def until(self, *starts):
        """Lines up to one that begins so; a server that could not begin says `failed` and `end` only."""
        got, end = [], time.monotonic() + PATIENCE
        while not got or not got[-1].startswith(starts):
            got.append(self.line(end))
        return got

    def serve(self, words):
        """@return the port, or two for datagrams, None when it cannot; then results() tells why."""
        self.tell("serve " + words)
        last = self.until("port ", "failed ")[-1]
        if last.startswith("port "):
            return last.split()[1]
        self.lines.appendleft(last)
        return None

    def connect(self, words, port):
        self.tell(f"connect {words} port={port}")

    def results(self):
        return self.until("end")[:-1]


def c_program(name):
    return lambda folder: Program([os.path.join(BUILD, "tests", "interop", f"interop_{name}")], folder)


def java(folder):
    return Program(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", os.path.join(HERE, "Peer.java")],
                   folder, dict(os.environ, TMPDIR=folder))


def erlang(folder):
    return Program(["escript", os.path.join(HERE, "peer.escript")], folder, dict(os.environ, HOME=folder))


START = {"nss": nss.Nss, "erlang": erlang, "openssl": c_program("openssl"), "gnutls": c_program("gnutls"), "jsse": java}
NEEDS = {"nss": (("selfserv", "libnss3-tools"),),
         "jsse": (("javac", "default-jdk-headless"),), "erlang": (("escript", "erlang-ssl"),)}


def missing(peer):
    """Why the peer cannot play here, or None."""
    if peer not in START:
        return "not built yet"
    absent = [f"{tool} (package {package})" for tool, package in NEEDS.get(peer, ()) if not shutil.which(tool)]
    return f"not installed: {', '.join(absent)}" if absent else None
