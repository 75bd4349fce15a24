#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gatehouse h248 explain`: a message in words."""
import os
import subprocess
import unittest

TOOL = os.path.join(os.environ["GATEHOUSE_BUILD_ROOT"], "gatehouse")
SHARED = os.path.join(os.environ.get("GATEHOUSE_SHARED") or os.path.join(os.environ["GATEHOUSE_SOURCE_ROOT"],
                                                                        "..", "shared"), "h248-live", "accept")
ADD = """MEGACO/3 [192.0.2.1]:2944
Transaction = 7 { Context = $ { Priority = 3, O-W-Add = ip/$/* { Media { Stream = 1 {
 LocalControl { Mode = SendReceive, gatehouse/psk = 0123456789abcdef, gatehouse/role = server },
 Local {
v=0
c=IN IP4 $
m=message $ TCP/TLS/MSRP *
a=setup:passive
} } }, Events = 5 { tlsbsc/BNCChange, al/of }, Signals { tcpbcc/EstBNC } } } }
"""


def explain(text, *args):
    data = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run([TOOL, "h248", "explain", *(args or ["-"])], input=data, capture_output=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


class Explain(unittest.TestCase):
    def has(self, text, *words):
        status, out, err = explain(text)
        self.assertEqual((status, err), (0, ""))
        for word in words:
            self.assertIn(word, out)
        return out

    def test_a_request(self):
        out = self.has(ADD, "version 3 from [192.0.2.1]:2944", "Transaction 7 asks", "new context that the gateway makes",
                       "Priority: 3", "(optional", "(one answer for all)", "send and receive",
                       "this side waits for the connection", "($ is for the gateway to fill in)", "Events, request 5",
                       "Analog Line Supervision", "gatehouse/role = server")
        self.assertNotIn("012345", out, "a key is never shown")
        self.assertIn("gatehouse/psk = (a secret, not shown)", out)

    def test_reasons_and_error_codes_have_their_words(self):
        self.has('!/1 [192.0.2.1] T=9{C=-{SC=ROOT{SV{MT=DC,RE="900",V=3,PF=x/1,AD=2000}}}}', "Disconnected", "900",
                 "Service Restored", "Protocol version: 3", "Profile: x version 1", "port 2000 of the same host")
        self.has('!/1 [192.0.2.1] P=9{ER=430{"no such thing"}}', "Error 430 (Unknown TerminationID): no such thing")

    def test_the_other_transactions(self):
        self.has("!/3 <a.example> K{1-3,5} PN=4{} SM=8/1/&", "transactions 1 to 3", "transaction 5",
                 "still being executed", "segment 1 (the last)")

    def test_an_audit_names_and_orders_nothing(self):
        out = self.has("!/2 dev T=1{C=*{CA{TP},W-AV=*{AT{M,SG{tcpbcc/EstBNC},E=3{g/cause}}}}}", "In every context",
                       "every termination (*)", "topology", "Return: Media")
        self.assertNotIn("apply", out)
        self.assertNotIn("watch for", out)

    def test_a_bad_part_is_told_with_its_code_and_the_rest_is_explained(self):
        status, out, err = explain("!/1 [192.0.2.1] T=9{C=-{Frobnicate=x,AV=ROOT{AT{M}}}}")
        self.assertEqual(status, 1)
        self.assertTrue(err.startswith("<stdin>:1:25: expected a command"), err)
        self.assertIn("error 443", out)
        self.assertIn("ROOT (the gateway as a whole)", out)

    def test_binary(self):
        ber = subprocess.run([TOOL, "h248", "convert", "--to", "ber", "-"], input=ADD.encode(), capture_output=True,
                             timeout=60, check=True).stdout
        self.assertEqual(ber[0], 0x30)
        self.assertEqual(explain(ber), explain(ADD))
        status, out, err = explain(ber[:-4])
        self.assertEqual(status, 1)
        self.assertIn("error 403", out)
        self.assertRegex(err, r"^<stdin>: .*octet [0-9]+: ")

    def test_no_message_at_all(self):
        status, out, err = explain("hello")
        self.assertEqual(status, 1)
        self.assertTrue(err.startswith("<stdin>:1:1: "), err)
        self.assertIn("error 400", out)

    def test_control_characters_of_a_peer_do_not_reach_the_terminal(self):
        out = self.has(b'!/1 [192.0.2.1] P=9{ER=430{"a\x09b"}}', "Error 430")
        self.assertNotIn("\t", out)

    def test_usage(self):
        self.assertEqual(explain("", "--help")[0], 0)
        self.assertEqual(explain("", "/nonexistent")[0], 2)
        self.assertEqual(explain("", "a", "b")[0], 2)

    def test_everything_that_was_seen_on_real_wires(self):
        if not os.path.isdir(SHARED):
            self.skipTest("the collection of live messages is not here")
        files = [os.path.join(SHARED, name) for name in sorted(os.listdir(SHARED))]
        self.assertTrue(files)
        for name in files:
            status, out, err = explain("", name)
            self.assertEqual((status, err), (0, ""), name)
            self.assertIn("Message of H.248 version", out)
            self.assertNotIn("?:", out, name)


if __name__ == "__main__":
    unittest.main()
