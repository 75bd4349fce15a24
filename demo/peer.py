#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The far peer: runs a program (openssl s_client, s_server, gnutls-cli), feeds it N random octets, takes what it
writes, and waits for its end.

Prints at the end `sent=SHA256 received=SHA256 octets=N status=N`; the program's standard error goes through.
"""
import argparse
import hashlib
import os
import select
import subprocess
import sys
import threading


def feed(pipe, total, digest):
    left = total
    try:
        while left:
            block = os.urandom(min(left, 1 << 18))
            digest.update(block)
            pipe.write(block)
            left -= len(block)
        pipe.flush()  # and stays open: the end of the session is the gateway's business
    except BrokenPipeError:
        pass


def wait_listening(port, child):
    """Until somebody listens there; a program that prints nothing leaves only the kernel to ask."""
    wanted = f":{port:04X} 00000000:0000 0A"
    while child.poll() is None:
        with open("/proc/net/tcp", encoding="ascii") as table:
            if wanted in table.read() and child.poll() is None:
                return
        select.select([], [], [], 0.01)
    sys.exit(f"{child.args[0]} ended with status {child.returncode} and does not listen on port {port}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1 << 20)
    parser.add_argument("--close-after", action="store_true",
                        help="close the program's standard input once N octets have come back")
    parser.add_argument("--listens", type=int, metavar="PORT", help="print `started` once it listens there")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if args.listens:
        wait_listening(args.listens, child)
    print("started", flush=True)
    sent, received, got = hashlib.sha256(), hashlib.sha256(), 0
    feeder = threading.Thread(target=feed, args=(child.stdin, args.bytes, sent), daemon=True)
    feeder.start()
    while True:
        block = os.read(child.stdout.fileno(), 1 << 18)
        if not block:
            break
        received.update(block)
        got += len(block)
        if args.close_after and got >= args.bytes:
            feeder.join()
            child.stdin.close()
            args.close_after = False
    status = child.wait()
    feeder.join(5)
    print(f"sent={sent.hexdigest()} received={received.hexdigest()} octets={got} status={status}", flush=True)
    return 0


sys.exit(main())
