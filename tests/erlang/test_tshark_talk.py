#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wireshark dissects the MSRP that our endpoints and our chat room speak, and the BFCP of our floor control server and its
clients, in both versions: nothing malformed, no expert item, and every message is seen as what it is."""
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

BUILD = os.environ.get("GATEHOUSE_BUILD_ROOT", "build")
TSHARK = shutil.which("tshark")
NO_TSHARK = "tshark is not installed (package tshark)"
TCP, UDP = 6, 17


def spoken(folder, program, *words):
    done = subprocess.run([os.path.join(BUILD, "tests", folder, program), *words], capture_output=True, check=True, text=True)
    return [bytes.fromhex(line) for line in done.stdout.split()]


def packet(number, protocol, port, data):
    """IPv4 from an address of its own for each message, so that each is a connection of its own."""
    if protocol == TCP:
        data = struct.pack(">HHIIBBHHH", 40000, port, 1, 1, 0x50, 0x18, 65535, 0, 0) + data
    else:
        data = struct.pack(">HHHH", 40000, port, 8 + len(data), 0) + data
    return struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(data), 0, 0, 64, protocol, 0, 0x0A000000 | number,
                       0x7F000001) + data


def write_capture(path, protocol, port, messages):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))  # raw IP
        for number, message in enumerate(messages):
            data = packet(number, protocol, port, message)
            file.write(struct.pack("<IIII", number, 0, len(data), len(data)) + data)


def dissect(protocol, port, name, messages, fields):
    """One list of values a message, in the order of the fields."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-tshark-") as folder:
        path = os.path.join(folder, "talk.pcap")
        write_capture(path, protocol, port, messages)
        layer = "tcp" if protocol == TCP else "udp"
        command = [TSHARK, "-n", "-r", path, "-d", f"{layer}.port=={port},{name}", "-o", "tcp.check_checksum:FALSE",
                   "-T", "fields", "-E", "separator=|", "-E", "aggregator=;", "-e", "_ws.malformed",
                   "-e", "_ws.expert.message"]
        for field in fields:
            command += ["-e", field]
        env = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=env)
    assert done.returncode == 0, done.stderr[-500:]
    return [line.split("|") for line in done.stdout.splitlines()]


@unittest.skipUnless(TSHARK, NO_TSHARK)
class Msrp(unittest.TestCase):
    FIELDS = ["msrp.transaction.id", "msrp.method", "msrp.status.code", "msrp.to.path", "msrp.cnt.flg"]

    def test_every_message_is_what_it_is(self):
        messages = spoken("msrp", "msrp_say")
        seen = dissect(TCP, 2855, "msrp", messages, self.FIELDS)
        self.assertEqual(len(seen), len(messages))
        methods, statuses, flags = set(), set(), set()
        for message, (malformed, expert, tid, method, status, to, flag) in zip(messages, seen):
            start = message.split(b"\r\n")[0].decode().split(" ")
            self.assertEqual((malformed, expert), ("", ""), message)
            self.assertEqual(tid.split(";")[0], start[1], message)
            self.assertEqual(method or status, start[2], message)
            self.assertIn(to.encode(), message)
            self.assertEqual(flag, message.rstrip(b"\r\n")[-1:].decode(), message)
            methods.add(method)
            statuses.add(status)
            flags.add(flag)
        self.assertEqual(methods, {"SEND", "REPORT", "NICKNAME", ""})
        self.assertTrue({"200", "404", "413", "425"} <= statuses, statuses)
        self.assertEqual(flags, {"$", "+", "#"})

    def test_it_sees_what_is_broken(self):
        message = spoken("msrp", "msrp_say")[0]
        broken = message.replace(b"-------", b"------x")
        seen = dissect(TCP, 2855, "msrp", [broken], self.FIELDS)
        self.assertEqual(seen[0][6], "")


@unittest.skipUnless(TSHARK, NO_TSHARK)
class Bfcp(unittest.TestCase):
    FIELDS = ["bfcp.ver", "bfcp.primitive", "bfcp.conference_id", "bfcp.transaction_id", "bfcp.user_id", "bfcp.request_status",
              "bfcp.error_code"]

    def check(self, messages, seen, version, primitives):
        self.assertEqual(len(seen), len(messages))
        met, statuses, errors = set(), set(), set()
        for message, (malformed, expert, ver, primitive, conference, transaction, user, status, error) in zip(messages, seen):
            self.assertEqual((malformed, expert), ("", ""), message.hex())
            _, kind, _, where, number, who = struct.unpack(">BBHIHH", message[:12])
            self.assertEqual((ver, primitive, conference, transaction, user),
                             (str(version), str(kind), str(where), str(number), str(who)), message.hex())
            met.add(kind)
            statuses |= set(status.split(";"))
            errors.add(error)
        self.assertEqual(met, primitives)
        self.assertTrue({"1", "2", "3", "7"} <= statuses, statuses)
        self.assertIn("7", errors)

    def test_over_tcp(self):
        messages = spoken("bfcp", "bfcp_say")
        self.check(messages, dissect(TCP, 4000, "bfcp", messages, self.FIELDS), 1, set(range(1, 14)))

    def test_over_udp(self):
        """Wireshark 4.0 takes version 1 alone for BFCP; the rest of version 2 it knows, so it is shown that as 1."""
        messages = [bytes([m[0] ^ 0x60]) + m[1:] for m in spoken("bfcp", "bfcp_say", "udp")]
        self.assertEqual({m[0] for m in messages}, {0x20, 0x30})  # requests and responses (R)
        self.check(messages, dissect(UDP, 4000, "bfcp", messages, self.FIELDS), 1, set(range(1, 18)))


if __name__ == "__main__":
    unittest.main()
