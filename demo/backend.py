#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plain TCP backend: takes one connection (or makes one), sends N random octets and takes N, then closes.

Prints `port=N` when it listens, and at the end `sent=SHA256 received=SHA256`.
"""
import argparse
import hashlib
import os
import socket
import threading


def send_all(sock, total, digest):
    left = total
    while left:
        block = os.urandom(min(left, 1 << 18))
        digest.update(block)
        sock.sendall(block)
        left -= len(block)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1 << 20)
    parser.add_argument("--connect", metavar="HOST:PORT", help="connect there instead of listening")
    parser.add_argument("--listen", default="127.0.0.1", metavar="HOST")
    parser.add_argument("--timeout", type=float, default=60)
    args = parser.parse_args()
    if args.connect:
        host, port = args.connect.rsplit(":", 1)
        sock = socket.create_connection((host.strip("[]"), int(port)), args.timeout)
    else:
        server = socket.create_server((args.listen, 0))
        print(f"port={server.getsockname()[1]}", flush=True)
        server.settimeout(args.timeout)
        sock, _ = server.accept()
        server.close()
    sock.settimeout(args.timeout)
    sent, received, got = hashlib.sha256(), hashlib.sha256(), 0
    sender = threading.Thread(target=send_all, args=(sock, args.bytes, sent))
    sender.start()
    while got < args.bytes:
        block = sock.recv(1 << 18)
        if not block:
            break
        received.update(block)
        got += len(block)
    sender.join()
    sock.close()
    print(f"sent={sent.hexdigest()} received={received.hexdigest()} octets={got}", flush=True)


main()
