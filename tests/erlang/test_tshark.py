#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wireshark dissects our binary encoding: no malformed packet, no expert item, and the numbers it reads are those we
wrote. It does not know double-wrapped values and reads version 3 of 09/2005 with Amendment 1; what it takes offence at
is named in EXCEPTIONS. (Its text dissector flags valid messages: text is judged in tests/h248/test_abnf.py.)"""
import collections
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

CORPUS = os.path.join(os.environ.get("GATEHOUSE_BUILD_ROOT", "build"), "tests", "h248", "h248_corpus")
COUNT = 15000
TSHARK = shutil.which("tshark")
NO_TSHARK = "tshark is not installed (package tshark)"

# (features, versions, clause and what Wireshark does)
# What it tells of a message that is as it should be: the message carries an error descriptor.
TOLD = {"Errored Command"}
EXTENSION = "the ASN.1 marks it as extensible; Wireshark calls what stands behind the marker an error: "
EXCEPTIONS = (
    ("NAME_EXTENSION", "123", EXTENSION + "a name that the binary form has no room for"),
    ("MUX_EXTENSION", "123", EXTENSION + "MuxType X-.."),
    ("METHOD_EXTENSION", "123", EXTENSION + "ServiceChangeMethod X-.."),
    ("SERVICES_EXTENSION", "123", EXTENSION + "a parameter X-.. of ServiceChange"),
    ("SELECT_LIST", "3", EXTENSION + "ContextList as a selector, which only text has"),
    ("AUDIT_UNEQUAL", "3", EXTENSION + "selection by inequality, which only text has"),
    ("AUDIT_REPLY", "1", "sheet 4.3: Wireshark reads AuditReply of version 1 as RFC 3015 had it"),
    ("PARAMETER_LIST", "1", "Annex A EventParameter, SigParameter, extraInfo: missing in its version 1"),
    ("PARAMETER_RELATION", "1", "Annex A EventParameter, SigParameter, extraInfo: likewise"),
    ("AUDIT_LIST", "3", "sheet 4.2 AuditRequest: it has terminationIDList as [3]; automatic tagging makes it [2]"),
    ("GENERIC_MORE", "123", "RFC 3525, E.1.2; chp: of these packages it reads values itself, one of each, also in events embedded in them"),
)


def corpus(count):
    data = subprocess.run([CORPUS, "write", "ber", str(count)], capture_output=True, check=True).stdout
    at = 0
    while at < len(data):
        number, length = struct.unpack_from(">II", data, at)
        yield number, data[at + 8:at + 8 + length]
        at += 8 + length


def features(count):
    done = subprocess.run([CORPUS, "features", "ber", str(count)], capture_output=True, check=True, text=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return {int(row[0]): (row[1], set(row[2:])) for row in rows}


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def packet(number, message):
    """IPv4 and UDP to port 2945; the message's number is the source address."""
    udp = struct.pack(">HHHH", 40000, 2945, 8 + len(message), 0) + message
    head = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x0A000000 | number, 0x7F000001)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


def write_capture(path, messages):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))  # raw IP
        for number, message in messages:
            data = packet(number, message)
            file.write(struct.pack("<IIII", number, 0, len(data), len(data)) + data)


@unittest.skipUnless(TSHARK, NO_TSHARK)
class Dissected(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-tshark-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

    def dissect(self, messages, *fields):
        """{number: list of fields, each a list of values}"""
        path = os.path.join(self.folder, "ber.pcap")
        write_capture(path, messages)
        command = [TSHARK, "-n", "-r", path, "-d", "udp.port==2945,h248", "-T", "fields", "-E", "separator=|",
                   "-E", "aggregator=;", "-e", "frame.number"]
        for field in fields:
            command += ["-e", field]
        env = dict(os.environ, HOME=self.folder, XDG_CONFIG_HOME=self.folder)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, env=env)
        self.assertEqual(done.returncode, 0, done.stderr[-500:])
        numbers = [number for number, _ in messages]
        return {numbers[int(line.split("|")[0]) - 1]: [f.split(";") if f else [] for f in line.split("|")[1:]]
                for line in done.stdout.splitlines()}

    def test_nothing_malformed_and_no_expert_item(self):
        messages = list(corpus(COUNT))
        has = features(COUNT)
        seen = self.dissect(messages, "frame.protocols", "_ws.malformed", "_ws.expert.message", "h248.version")
        self.assertEqual(len(seen), COUNT)
        bad, excused = [], collections.Counter()
        for number, (protocols, malformed, experts, version) in seen.items():
            self.assertIn("h248", protocols[0], number)
            experts = [words for words in experts if words not in TOLD]
            if not malformed and not experts:
                self.assertEqual(version[0], str(1 + number % 3))
                continue
            rows = [row for row in EXCEPTIONS if has[number][0] in row[1] and set(row[0].split()) <= has[number][1]]
            if rows:
                excused[rows[0][0]] += 1
            else:
                bad.append((number, malformed, experts))
        for names, versions, why in EXCEPTIONS:
            print(f"  {excused[names]:4} {names} (version {', '.join(versions)}): {why}")
        self.assertEqual(bad[:5], [], f"{len(bad)} of {COUNT}")
        self.assertEqual([row for row in EXCEPTIONS if not excused[row[0]]], [], "exceptions that do not occur")

    def test_it_sees_what_is_broken(self):
        """The judge can say no."""
        messages = [(n, m[:-3] if n % 2 else m[:20] + bytes([m[20] ^ 0x40]) + m[21:]) for n, m in corpus(40)]
        seen = self.dissect(messages, "_ws.malformed", "_ws.expert.message")
        self.assertGreater(sum(1 for malformed, experts in seen.values() if malformed or experts), 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
