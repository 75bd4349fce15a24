#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the file says of transactions, seen on the wire (docs/h248-transactions.md; RFC 3525, 8.2.3 and Annex D)."""
import os
import re
import subprocess
import unittest

import harness
from harness import Case, Controller, Gateway, MG, Made, add, connect, stream

TCP = stream("TCP/MSRP", "passive", 9, "active")


def mute():
    """A controller that hears and says nothing."""
    mgc = Controller()
    mgc.answer = False
    return mgc


class Transactions(Case, unittest.TestCase):
    def start(self, controller, h248, **settings):
        gw = Gateway(self.folder, controller=controller, h248=", " + h248, **settings)
        self.addCleanup(gw.stop)
        return gw

    def test_request_timer_by_rule(self):
        """Three repetitions and no more; then the next controller, long before T-MAX."""
        first, second = self.own(mute()), self.own(Controller())
        gw = self.start(second, "timers: {request: {wait: 20ms, factor: 2, increment: 5ms, limit: 3}}, t-max: 1h, "
                        "register-timeout: 1h", controllers=f'"127.0.0.1:{first.port}", "127.0.0.1:{second.port}"')
        gw.logged(f"registered controller=udp:127.0.0.1:{second.port}")
        asked = [t for t in first.heard if "ServiceChange = ROOT" in harness.squeeze(t)]
        self.assertEqual(len(asked), 4, first.heard)
        self.assertEqual(len(set(asked)), 1, "repetitions are the same octets")

    def test_acknowledgements_by_themselves(self):
        """Without it the acknowledgement of a reply rides on the next message, which may never come (D.1.2.2)."""
        mgc = self.own(Controller())
        gw = self.start(mgc, "acknowledge: {count: 1}")
        number = re.search(r"Transaction = (\d+)", next(t for t in mgc.heard if "ServiceChange = ROOT" in harness.squeeze(t)))
        alone = mgc.wait(lambda: next((t for t in mgc.heard if "TransactionResponseAck" in t), None), "an acknowledgement")
        self.assertRegex(harness.squeeze(alone), r"TransactionResponseAck \{ " + number.group(1) + r" \}")
        self.assertNotIn("Transaction =", alone)
        gw.logged("registered")

    def test_replies_in_one_message(self):
        """Two requests come one after the other; what answers them leaves together."""
        mgc = self.own(Controller())
        self.start(mgc, "bundle: {wait: 2s}")
        one = mgc.send("Context = - { AuditValue = ROOT { Audit { } } }")
        two = mgc.send("Context = - { AuditValue = ROOT { Audit { } } }")
        mgc.reply(one)
        mgc.reply(two)
        self.assertTrue(any(f"Reply = {one}" in t and f"Reply = {two}" in t for t in mgc.heard), mgc.heard)

    def test_window(self):
        """One request at a time: the second Notify waits for the reply to the first."""
        mgc = self.own(Controller())
        gw = self.start(mgc, "window: 1, timers: {request: {wait: 1h}}")
        made = Made(mgc.ok(f"Context = $ {{ {add(TCP)}, {add(stream('TCP/MSRP', 'passive', 9, 'active', number=2))} }}"))
        mgc.answer = False
        peers = [connect(port) for port in made.ports]
        for peer in peers:
            self.addCleanup(peer.close)
        gw.logged("tcp-up", count=2)
        mgc.ok("Context = - { AuditValue = ROOT { Audit { } } }")
        told = self.notified(mgc)
        self.assertEqual(len(told), 1, mgc.heard)
        mgc.send_raw(f"{mgc.head()}Reply = {told[0]} {{ Context = {made.context} {{ Notify = {made.terms[0]} }} }}\n")
        mgc.wait(lambda: len(self.notified(mgc)) == 2, "the second Notify")

    @staticmethod
    def notified(mgc):
        return sorted({m.group(1) for t in mgc.heard
                       if "Notify = " in t and (m := re.search(r"Transaction = (\d+)", t))})

    def test_what_makes_no_sense(self):
        """-t names the place."""
        gw = self.start(self.own(Controller()), "bundle: {wait: 1ms}")
        with open(gw.path, encoding="ascii") as file:
            text = file.read()
        for wrong, where in (("timers: {request: {factor: 2}}", "without a wait that it multiplies"),
                             ("bundle: {size: 1200}", "without h248.bundle.wait"),
                             ("acknowledge: {after: soon}", "soon")):
            path = os.path.join(self.folder, "wrong.yaml")
            with open(path, "w", encoding="ascii") as file:
                file.write(text.replace("bundle: {wait: 1ms}", wrong))
            done = subprocess.run([MG, "-c", path, "-t"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False, timeout=harness.PATIENCE)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertRegex(done.stdout, r"wrong\.yaml:4:\d+")
            self.assertIn(where, done.stdout)


if __name__ == "__main__":
    unittest.main()
