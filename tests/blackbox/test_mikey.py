#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse mikey decode`: MIKEY messages in every form they travel in, in words and as JSON."""
import base64
import json
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

import harness

# RFC 4567, 5.1
OFFER = ("AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6gAAAAAGEEoo2pee4hp2UaDX8ZE22YwKAAAPZG9uYWxkQGR1Y2suY29tAQAAAAAAAQAk0JKpga"
         "VkDaawi9whVBtBt0KZ14ymNuu62+Nv3ozPLygwK/GbAV9iemnGUIZ19fWQUOSrzKTAv9zV")
ANSWER = "AQEFgM0XflABAAAAAAAAAAAAAAYAyONQ6gAAAAAJAAAQbWlja2V5QG1vdXNlLmNvbQABn8HdGE5BMDXFIuGEga+62AgY5cc="


def decode(data, *options):
    """(exit status, standard output, standard error) for octets on standard input."""
    done = subprocess.run([os.path.join(harness.BUILD, "gatehouse"), "mikey", "decode", *options, "-"], input=data,
                          capture_output=True, check=False, timeout=30)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Decode(unittest.TestCase):
    def test_every_form_gives_the_same(self):
        octets = base64.b64decode(OFFER)
        forms = [octets, OFFER.encode(), octets.hex().encode() + b"\n",
                 b"v=0\r\na=key-mgmt:mikey " + OFFER.encode() + b"\r\nm=audio 49000 RTP/SAVP 98\r\n"]
        texts = {decode(form) for form in forms}
        self.assertEqual(len(texts), 1)
        status, out, err = texts.pop()
        self.assertEqual((status, err), (0, ""))
        for words in ("Pre-shared", "CSB ID: 0xcd177e50", "donald@duck.com", "2006-10-20T13:43:06Z", "AES-CM-128"):
            self.assertIn(words, out)

    def test_json(self):
        sdp = f"a=key-mgmt:mikey {OFFER}\na=key-mgmt:mikey {ANSWER}\n".encode()
        status, out, _ = decode(sdp, "--json")
        messages = json.loads(out)
        self.assertEqual(status, 0)
        self.assertEqual([m["message"] for m in messages], ["Pre-shared", "PSK ver msg"])
        self.assertEqual([p["payload"] for p in messages[0]["payloads"]], ["T", "RAND", "ID", "SP", "KEMAC"])

    def test_bad_messages_are_told_with_a_place(self):
        octets = base64.b64decode(OFFER)
        for data in (octets[:-1], octets[:9], b"\x01", b"not base64!", b"", b"a=key-mgmt:mikey AQAF\n"):
            status, out, err = decode(data)
            self.assertEqual((status, out), (1, ""), data)
            self.assertTrue(err.startswith("gatehouse mikey: <stdin>"), err)
        self.assertIn("<stdin>:2:", decode(b"v=0\na=key-mgmt:mikey AQAF\n")[2])

    def test_wrong_usage(self):
        for words in ([], ["decode"], ["decode", "--nonsense", "-"], ["decode", "/nonexistent/file"]):
            done = subprocess.run([os.path.join(harness.BUILD, "gatehouse"), "mikey", *words], capture_output=True,
                                  check=False, timeout=30)
            self.assertEqual(done.returncode, 2)

    def test_keys_are_not_shown(self):
        # a TRANSFER_INIT that somebody sends with NULL encryption: HDR, KEMAC { TGK+SALT, SPI }
        tgk, salt = b"a secret of 16 o", b"salt of 14 oct"
        key = bytes([0, 0x11, 0, 16]) + tgk + bytes([0, 14]) + salt + b"\4spi1"
        message = bytes([1, 14, 1, 1, 0, 0, 0, 1, 0, 1]) + bytes([0, 0, 0, len(key)]) + key + b"\0"
        for options in ((), ("--json",)):
            status, out, _ = decode(message, *options)
            self.assertEqual(status, 0)
            self.assertIn("73706931", out)  # the SPI: so the key data were read
            self.assertIn("16 octets, not shown", out)
            for secret in (tgk, salt):
                self.assertNotIn(secret.hex(), out)
                self.assertNotIn(secret.decode(), out)


def follow(kind, body):
    """A payload: what comes next, and its fields."""
    return bytes([kind]) + body


def samples():
    """Messages of RFC 3830 with what Wireshark 4.0 can read: not CERT, whose length it looks for in the wrong place, and
    not General Extensions."""
    time = b"\0" + bytes.fromhex("e0000001c0000000")
    head = bytes.fromhex("12345678") + b"\2\0" + b"\3\0\0\0\1\0\0\0\0" + b"\4\0\0\0\2\0\0\0\7"
    public_key = (bytes([1, 2, 5, 0x80]) + head + follow(11, time) + follow(6, b"\x10" + bytes(range(16))) +
                  follow(10, b"\1\0\x11sip:a@example.com") + follow(1, b"\3\0\0\6\0\1\1\x0b\1\x0a") +
                  follow(2, b"\1\0\x10" + bytes(range(16)) + b"\1" + bytes(range(20))) +
                  follow(4, b"\x80\x20" + bytes(range(32))) + b"\x10\x40" + bytes(range(64)))
    diffie_hellman = (bytes([1, 4, 5, 0]) + bytes.fromhex("9abcdef0") + b"\0\0" + follow(3, time) +
                      follow(4, b"\2" + bytes(range(128)) + b"\0") + b"\0\x40" + bytes(range(64)))
    error = bytes([1, 6, 5, 0]) + bytes.fromhex("9abcdef1") + b"\0\0" + follow(12, time) + follow(0, b"\7\0\0")
    return [base64.b64decode(OFFER), base64.b64decode(ANSWER), public_key, diffie_hellman, error]


def captured(messages):
    """A capture file with one SIP INVITE for each."""
    out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
    for message in messages:
        sdp = (b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\na=key-mgmt:mikey " +
               base64.b64encode(message) + b"\r\nm=audio 49000 RTP/SAVP 98\r\n")
        sip = (b"INVITE sip:b@127.0.0.1 SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Length: " +
               str(len(sdp)).encode() + b"\r\n\r\n" + sdp)
        udp = struct.pack(">HHHH", 5060, 5060, 8 + len(sip), 0) + sip
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + udp
        out += struct.pack("<IIII", 0, 0, len(ip), len(ip)) + ip
    return out


NAMES = {"T": 5, "RAND": 11, "ID": 6, "SP": 10, "KEMAC": 1, "PKE": 2, "DH": 3, "SIGN": 4, "V": 9, "ERR": 12}
FIELDS = ["mikey.type", "mikey.csb_id", "mikey.rand.data", "mikey.id.data", "mikey.kemac.mac", "mikey.v.ver_data",
          "mikey.sign.data", "mikey.dh.value", "mikey.srtp_id.ssrc", "mikey.next_payload", "_ws.malformed"]


def ours(message):
    """What `gatehouse mikey decode --json` says, in Wireshark's words and order."""
    said = json.loads(decode(message, "--json")[1])[0]
    of = {p["payload"]: p for p in said["payloads"]}

    def field(payload, name):
        return of.get(payload, {}).get(name, "")

    order = [NAMES[p["payload"]] for p in said["payloads"]]
    # each payload but SIGN names the next; so the header and all but the last name the payloads, and the last names 0
    chain = order + ([] if "SIGN" in of else [0])
    return [str(message[1]), said["CSB ID"], field("RAND", "data"), field("ID", "data"), field("KEMAC", "MAC"),
            field("V", "data"), field("SIGN", "data"), field("DH", "value"),
            ",".join(cs["SSRC"] for cs in said["crypto sessions"]), ",".join(map(str, chain)), ""]


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed (package tshark)")
class Wireshark(unittest.TestCase):
    def test_it_reads_the_same_in_messages_of_rfc_3830(self):
        with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
            file.write(captured(samples()))
            file.flush()
            done = subprocess.run(["tshark", "-n", "-r", file.name, "-T", "fields", *sum((["-e", f] for f in FIELDS), [])],
                                  capture_output=True, text=True, check=True, timeout=60)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        self.assertEqual(rows, [ours(message) for message in samples()])


if __name__ == "__main__":
    unittest.main()
