#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print a TCP port that is free now, for programs that cannot choose one themselves. It is outside the range from which
the kernel gives ports to others, so that nobody has it a moment later."""
import contextlib
import os
import socket

with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
    low = int(file.read().split()[0])
while True:
    port = 10000 + int.from_bytes(os.urandom(4), "big") % (low - 10000)
    with socket.socket() as sock, contextlib.suppress(OSError):
        sock.bind(("127.0.0.1", port))
        print(f"port={port}")
        break
