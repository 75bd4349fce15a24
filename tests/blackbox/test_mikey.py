#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse mikey decode`: MIKEY messages in every form they travel in, in words and as JSON."""
import base64
import json
import os
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


if __name__ == "__main__":
    unittest.main()
