#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The messages of RFC 4475 over TLS at gatehouse-edge, each with what it is due (shared/sip-torture/manifest.tsv)."""
import contextlib
import os
import re
import unittest

import edge
import harness
import kamailio
from edge import status

SHARED = os.environ.get("GATEHOUSE_SHARED") or os.path.join(os.environ["GATEHOUSE_SOURCE_ROOT"], "..", "shared")
TORTURE = os.path.join(SHARED, "sip-torture")


def torture():
    with open(os.path.join(TORTURE, "manifest.tsv"), encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#") and line.strip():
                name, clause, kind, due = line.rstrip("\n").split("\t")
                with open(os.path.join(TORTURE, f"{name}.dat"), "rb") as data:
                    octets = data.read()
                # One of them ends before its empty line, and would swallow what follows.
                yield name, clause, kind, due, octets if b"\r\n\r\n" in octets else octets + b"\r\n"


@unittest.skipUnless(os.path.isdir(TORTURE), "the messages of RFC 4475 are not here (GATEHOUSE_SHARED)")
@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Torture(edge.Case, unittest.TestCase):
    """Each on a connection that is registered, and on one that is not."""
    CHANGES = {"access": {"message": "1s"}, "unregistered": {"time": "20s"}}

    def answers(self, ue, octets):
        """Statuses of what comes back, up to the answer to a REGISTER behind it, which the core gives; `closed` at the end where the edge hung up."""
        with contextlib.suppress(OSError):
            ue.send(octets)
        with contextlib.suppress(OSError):
            ue.send(ue.text("REGISTER", "sip:home.example", to=f"<{ue.identity}>", call="behind-it"))
        found = []
        while True:
            try:
                answer = ue.take(r"SIP/2\.0 ")
            except AssertionError:
                return found + ["closed"]
            if edge.field(answer, "Call-ID") == "behind-it":
                return found
            if status(answer) != 100:
                found.append(status(answer))

    def test_each(self):
        number = 0
        for name, clause, kind, due, octets in torture():
            for registered in (False, True):
                with self.subTest(name, clause=clause, registered=registered):
                    number += 1
                    ue = self.ue("alice", source=(f"127.0.1.{number}", 0))
                    if registered:
                        ue.register()
                    self.judge(name, kind, due, octets, self.answers(ue, octets))
                    ue.close()
        self.assertIsNone(self.edge.process.poll())
        alice = self.ue("alice")
        alice.register()
        self.assertEqual(status(alice.message("sip:nobody@home.example")), 404)

    def judge(self, name, kind, due, octets, got):
        numbers = {int(code) for code in re.findall(r"\b[45]\d\d\b", due)} - {501, 415, 406}  # those of a UAS
        first = (401, 403) if octets.startswith(b"REGISTER") else (403,)  # by the core, or for an identity that is not its own
        if octets.startswith(b"SIP/2.0"):
            self.assertEqual(got, [], due)
        elif name in ("clerr", "test"):  # what follows is body, and waited for in vain; not SIP
            self.assertEqual(got, ["closed"], due)
        elif kind == "valid" or not numbers or name in ("baddate", "badbranch", "regbadct", "unksm2"):  # the last: a registrar's business
            self.assertTrue(got and got[0] in first, (due, got))
        else:
            self.assertEqual(set(got[:1]), numbers & set(got[:1]) or numbers, due)

    def test_forwarded(self):
        """What is valid, once it is of an identity of the binding and outside of dialogs, goes to the core with its method and body as they were."""
        ue = self.ue("alice", source=("127.0.2.1", 0))
        ue.register()
        seen = 0
        for name, clause, kind, due, octets in torture():
            if kind != "valid" or octets.startswith((b"SIP/2.0", b"REGISTER")) or name == "dblreq":
                continue
            with self.subTest(name, clause=clause, due=due):
                head, blank, body = octets.partition(b"\r\n\r\n")
                head += b"\r\n"
                for one, value in ((b"from|f", b"From: <sip:alice@home.example>;tag=t\r\n"), (b"to|t", b"To: <sip:bob@home.example>\r\n")):
                    head = re.sub(rb"(?im)^(?:%s)[ \t]*:[^\r]*(?:\r\n[ \t][^\r]*)*\r\n" % one, value, head, count=1)
                ue.send(head + blank[2:] + body)
                method = octets.split(b" ")[0].decode()
                text = body.decode("utf-8", "surrogateescape")
                if name == "wsinv":  # Kamailio 5.6 has it, and does not read a CSeq that is folded
                    harness.until(lambda: "bad header field [cseq: 0009" in self.core.log(), self.core.log)
                    continue
                harness.until(lambda: any(one.startswith(method + " ") and one.partition("\r\n\r\n")[2] == text for one in self.core.requests()),
                              lambda: f"{name} at the core: {self.core.requests(method)} {ue.messages} {self.edge.log()[-1000:]}")
                seen += 1
        self.assertGreaterEqual(seen, 8)


if __name__ == "__main__":
    unittest.main(verbosity=2)
