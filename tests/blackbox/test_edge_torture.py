#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The messages of RFC 4475 over TLS at gatehouse-edge, each with what it is due ($GATEHOUSE_SHARED/sip-torture/manifest.tsv)."""
import contextlib
import os
import re
import unittest

import edge
import kamailio
from edge import status

TORTURE = os.path.join(os.environ.get("GATEHOUSE_SHARED", "/nowhere"), "sip-torture")


def torture():
    with open(os.path.join(TORTURE, "manifest.tsv"), encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#") and line.strip():
                name, clause, kind, due = line.rstrip("\n").split("\t")
                with open(os.path.join(TORTURE, f"{name}.dat"), "rb") as data:
                    octets = data.read()
                # One of them ends before its empty line, and would swallow what follows.
                yield name, clause, kind, due, octets if b"\r\n\r\n" in octets else octets + b"\r\n"


@unittest.skipUnless(os.path.isdir(TORTURE), "the messages of RFC 4475 are not here ($GATEHOUSE_SHARED/sip-torture)")
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
        numbers = {int(code) for code in re.findall(r"\b[45]\d\d\b", due)}
        if octets.startswith(b"SIP/2.0"):
            self.assertEqual([one for one in got if one != "closed"], [], due)
            return
        if name == "clerr":  # what follows is body; then it waits in vain
            self.assertEqual(got, ["closed"])
            return
        if kind == "invalid" and "accept" not in due and "ignore" not in due:
            if name == "badinv01" and not got:
                return  # its Via can not be read, so there is nobody to answer
            wanted = numbers | {401 if octets.startswith(b"REGISTER") else 403} - ({403} if name in ("ncl", "badvers") else set())
            self.assertTrue(got == ["closed"] or got and set(got) - {"closed"} <= wanted | {400}, (due, got))
            return
        self.assertNotEqual(got[:1], [500], due)


if __name__ == "__main__":
    unittest.main(verbosity=2)
