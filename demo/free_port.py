#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print a TCP port that is free now, for programs that cannot choose one themselves."""
import socket

with socket.socket() as sock:
    sock.bind(("127.0.0.1", 0))
    print(f"port={sock.getsockname()[1]}")
