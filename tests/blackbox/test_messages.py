#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""H.248 messages to a running gateway: what is wrong gets the fitting error and harms nothing else, over UDP and TCP;
versions are agreed on; keys appear nowhere."""
import re
import struct
import subprocess
import unittest

import harness
from harness import Case, HAVE_OPENSSL, Made, TOOL, add, stream

PSK = "00112233445566778899aabbccddeeff0123456789abcdef"
DOMAINS = "  - {name: psk, profile: ts33328-annex-h, default: true}\n"
TCP = stream("TCP/MSRP", "passive", 9, "active")
KEYED = stream("TCP/TLS/MSRP", "passive", 9, "active",
               control=f'gatehouse/dom = "psk", gatehouse/pskid = "id", gatehouse/psk = {PSK}')


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Messages(Case, unittest.TestCase):
    TRANSPORT = "udp"

    @classmethod
    def prepare(cls):
        cls.shared_gateway(DOMAINS, transport=cls.TRANSPORT, speaks=3)

    def add(self, text):
        self.extra.append(Made(self.mgc.ok("Context = $ { " + add(text) + " }")))
        return self.extra[-1]

    def setUp(self):
        self.extra = []
        self.made = Made(self.mgc.ok("Context = $ { " + add(TCP) + " }"))

    def tearDown(self):
        """Whatever happened: the context that stood beside it is untouched."""
        while self.extra:
            made = self.extra.pop()
            self.mgc.ok(f"Context = {made.context} {{ Subtract = {made.terms[0]} }}")
        self.mgc.ok(f"Context = {self.made.context} {{ Subtract = {self.made.terms[0]} }}")
        self.assertIsNone(self.gw.process.poll())

    def message(self, actions, number=0):
        self.mgc.next_id += 1
        return f"{self.mgc.head()}Transaction = {number or self.mgc.next_id} {{\n{actions}\n}}\n"

    # -- whole messages

    def test_what_is_no_message_gets_a_message_error(self):
        for text, code in (("HELLO WORLD\n", 400), ("MEGACO/3\n", 400), ("\x00\x01\x02\x03", 400),
                           (f"MEGACO/3 [127.0.0.1]:{self.mgc.port}\nTransact = 1 {{ }}\n", 403),
                           (f"MEGACO/9 [127.0.0.1]:{self.mgc.port}\nTransaction = 1 {{ Context = - {{ AuditValue = ROOT "
                            "{ Audit { } } } }\n", 406)):
            with self.subTest(text):
                self.mgc.message_error(text, code)

    def test_errors_name_line_and_column(self):
        text = self.mgc.message_error(f"MEGACO/3 [127.0.0.1]:{self.mgc.port}\n\n  Nonsense = 1 {{ }}\n", 403)
        self.assertRegex(text, "3:3|line 3")
        self.assertIn("Nonsense", text)

    def test_a_message_error_is_never_answered(self):
        count = len(self.mgc.heard)
        self.mgc.send_raw(f'{self.mgc.head()}Error = 400 {{ "what?" }}\n')
        self.mgc.ok("Context = - { AuditValue = ROOT { Audit { } } }")
        self.assertEqual(len(self.mgc.heard), count + 1)

    def test_every_cut_of_a_message_is_survived(self):
        whole = self.message("Context = $ { " + add(KEYED) + " }")
        cuts = sorted({1, 5, 8, 9, 20, len(whole) - 2} | set(range(3, len(whole) - 4, 11)))
        for at in cuts:
            self.mgc.send_raw(whole[:at])
        self.mgc.ok("Context = - { AuditValue = ROOT { Audit { } } }")
        self.assertGreater(len(self.mgc.errors), 0)
        text = self.mgc.ok("Context = * { AuditValue = * { Audit { } } }")
        self.assertEqual(len(re.findall("AuditValue = ip", text)), 1, text)  # nothing half-made

    # -- transactions

    def test_several_transactions_one_bad(self):
        """The others are answered (RFC 3525, 8.2)."""
        self.mgc.next_id += 3
        one, two, three = (self.mgc.next_id - k for k in (2, 1, 0))
        good = "Context = - { AuditValue = ROOT { Audit { } } }"
        self.mgc.send_raw(f"{self.mgc.head()}Transaction = {one} {{ {good} }}\nTransaction = {two} {{ Context = - {{ "
                          f"AuditValue = ROOT {{ Frobnicate }} }} }}\nTransaction = {three} {{ {good} }}\n")
        self.assertNotIn("Error", self.mgc.reply(one))
        self.assertNotIn("Error", self.mgc.reply(three))
        self.assertRegex(self.mgc.reply(two), r"Error = (400|403|422|444) ")

    def test_an_unreadable_transaction_with_a_readable_number_is_answered_under_it(self):
        self.mgc.next_id += 1
        self.mgc.send_raw(f"{self.mgc.head()}Transaction = {self.mgc.next_id} {{ Context = - {{ Frobnicate = ROOT }} }}\n")
        self.assertRegex(self.mgc.reply(self.mgc.next_id), r"Error = (400|403|443) ")

    def test_commands_after_a_failed_one_are_not_executed_unless_it_was_optional(self):
        t = self.made.terms[0]
        audit = f"AuditValue = {t} {{ Audit {{ }} }}"
        reply = self.mgc.command(f"Context = {self.made.context} {{ {audit}, Modify = ip/9/9, Subtract = {t} }}")
        self.assertIn(f"AuditValue = {t}", reply)
        self.assertIn("Error = 43", reply)
        self.assertNotIn(f"Subtract = {t}", reply)
        reply = self.mgc.command(f"Context = {self.made.context} {{ O-Modify = ip/9/9, {audit} }}")
        self.assertIn(f"AuditValue = {t}", reply)

    def test_the_same_transaction_twice_is_executed_once(self):
        number = self.mgc.send("Context = $ { " + add(TCP) + " }")
        first = self.mgc.reply(number)
        del self.mgc.replies[number]
        self.mgc.send("Context = $ { " + add(TCP) + " }", number)
        self.assertEqual(self.mgc.reply(number), first)
        made = Made(first)
        self.mgc.ok(f"Context = {made.context} {{ Subtract = {made.terms[0]} }}")
        text = self.mgc.ok("Context = * { AuditValue = * { Audit { } } }")
        self.assertEqual(len(re.findall("AuditValue = ip", text)), 1, text)

    # -- commands

    def test_the_error_table(self):
        c, t = self.made.context, self.made.terms[0]
        one = "Media {{ Stream = 1 {{ {} }} }}"
        rows = (
            (411, "Context = 424242 { AuditValue = ip/1/1 { Audit { } } }"),
            (430, f"Context = {c} {{ Modify = ip/9/9 }}"),
            (430, f"Context = {c} {{ Subtract = nosuch }}"),
            ((431, 430), f"Context = {c} {{ Modify = zz/* }}"),
            (435, "Context = 424242 { Modify = ip/1/1 }|411"),
            (440, "Context = $ { Add = $ { Events = 1 { nosuch/x } } }"),
            (440, "Context = $ { Add = $ { " + one.format("LocalControl { nosuch/x = 1 }") + " } }"),
            (441, "Context = $ { Add = $ { " + one.format("LocalControl { Mode = SendReceive }") +
             ", Signals { tcpbcc/EstBNC } } }"),
            (442, f"Context = {c} {{ Modify = {t} {{ Frobnicate {{ }} }} }}|444"),
            (444, "Context = $ { Add = $ { Mux = H221 { ip/1/1 } } }"),
            (445, "Context = $ { Add = $ { " + one.format("LocalControl { nt/jit = 40 }") + " } }"),
            (446, "Context = $ { Add = $ { Signals { tcpbcc/RelBNC { Nosuch = 1 } } } }"),
            (448, "Context = $ { Add = $ { Events = 1 { tcpbcc/* }, Events = 2 { tcpbcc/* } } }"),
            (449, "Context = $ { Add = $ { " + one.format('LocalControl { gatehouse/dom = "nosuch" }') + " } }|472"),
            (450, "Context = $ { Add = $ { " + one.format("LocalControl { nt/nosuch = 1 }") + " } }"),
            (451, "Context = $ { Add = $ { Events = 1 { tcpbcc/nosuch } } }"),
            (452, "Context = $ { Add = $ { Signals { tcpbcc/nosuch } } }"),
            (454, "Context = $ { Add = $ { Signals { tcpbcc/RelBNC { Reset = maybe } } } }"),
            (455, "Context = $ { Add = $ { " + one.format("LocalControl { root/maxNumberOfContexts = 1 }") + " } }"),
            (456, "Context = $ { Add = $ { " + one.format("LocalControl { seplink/link = tcp, seplink/link = off }") +
             " } }"),
            (457, "Context = - { Modify = ROOT { Events = 1 { it/ito } } }"),
            (460, "Context = $ { Add = $ { Media { Stream = 1 { Statistics { nt/dur } } } } }"),
            (473, "Context = $ { Add = $ { Media { " + stream("TCP/MSRP", "active", 7000, "active") + " } } }"),
            (474, "Context = $ { Add = $ { " + one.format("Local {\nv=0\nc=IN IP4 300.1.1.1\nm=message $ TCP *\n}") +
             " } }"),
            (488, "Context = $ { Add = $ { Media { " + stream("TCP/MSRP", "active", 7000, "passive",
                                                               control="seplink/link = tcp") + " } } }"),
            (441, "Context = $ { Add = $ { Signals { SignalList = 1 { tcpbcc/EstBNC } } } }"),
            (515, "Context = $ { Add = $ { " + one.format("Local {\nv=0\nc=IN IP4 $\nm=audio $ RTP/SAVP 8\n}") + " } }"),
            (534, "Context = $ { Add = $ { " + one.format("LocalControl { tlscn/resum = on }") + " } }"),
            (534, f"Context = {c} {{ AuditValue = {t} {{ Audit {{ Media {{ Stream = 1 {{ LocalControl {{ "
             "gatehouse/psk } } } } } }"),
        )
        for codes, text in rows:
            text, *more = text.split("|") if text.rsplit("|", 1)[-1].isdigit() else (text,)
            codes = (codes if isinstance(codes, tuple) else (codes,)) + tuple(int(m) for m in more)
            with self.subTest(f"{codes} {text}"):
                reply = self.mgc.command(text)
                found = re.search(r"Error = (\d+) \{ ?\"?([^\"}]*)", reply)
                self.assertIsNotNone(found, reply)
                self.assertIn(int(found.group(1)), codes, reply)
        text = self.mgc.ok("Context = * { AuditValue = * { Audit { } } }")
        self.assertEqual(len(re.findall("AuditValue = ip", text)), 1, text)  # nothing left of what was refused

    # -- keys

    def test_keys_are_told_nowhere(self):
        made = self.add(KEYED)
        t = made.terms[0]
        every = "Media, Events, Signals, Statistics, Packages, ObservedEvents"
        for text in (f"AuditValue = {t} {{ Audit {{ {every} }} }}", f"AuditCapability = {t} {{ Audit {{ Media, Events, Signals }} }}",
                     f"Modify = {t} {{ Audit {{ Media }} }}", f"AuditValue = * {{ Audit {{ Media }} }}"):
            self.mgc.ok(f"Context = {made.context} {{ {text} }}")
        for text in (f"Modify = {t} {{ Media {{ Stream = 1 {{ LocalControl {{ gatehouse/psk = {PSK}0 }} }} }} }}",
                     f"Modify = {t} {{ Media {{ Stream = 1 {{ LocalControl {{ gatehouse/pskk = {PSK} }} }} }} }}",
                     f"Modify = {t} {{ Media {{ Stream = 1 {{ LocalControl {{ gatehouse/psk = [{PSK}, ] }} }} }} }}"):
            self.assertIn("Error", self.mgc.command(f"Context = {made.context} {{ {text} }}"))
        self.mgc.send_raw(self.message(f"Context = {made.context} {{ Modify = {t} {{ Media {{ Stream = 1 {{ LocalControl "
                                       f"{{ gatehouse/psk = {PSK} {PSK} }} }} }} }} }}"))
        self.mgc.ok(f"Context = {made.context} {{ Subtract = {t} {{ Audit {{ Media, Statistics }} }} }}")
        self.extra.clear()
        told = "\n".join(self.mgc.heard).lower() + self.gw.log().lower()
        for k in range(0, len(PSK) - 12, 6):
            self.assertNotIn(PSK[k:k + 12], told)

    # -- audit of capabilities (8.9)

    def test_capabilities(self):
        made = self.add(KEYED)
        text = self.mgc.ok(f"Context = {made.context} {{ AuditCapability = {made.terms[0]} {{ Audit {{ Media }} }} }}")
        for words in ("tlscn/ver = ", "tlscn/suites = ", "tlscn/resum = ", "tlscn/reneg = ",
                      "TLS_PSK_WITH_AES_128_CBC_SHA"):
            self.assertIn(words, text)

class MessagesOverTcp(Messages):
    TRANSPORT = "tcp"

    def test_tpkt_in_pieces_and_several_in_one(self):
        number = self.mgc.next_id + 1
        one = self.message("Context = - { AuditValue = ROOT { Audit { } } }").encode()
        two = self.message("Context = - { AuditValue = ROOT { Audit { } } }").encode()
        data = b"".join(struct.pack(">BBH", 3, 0, len(m) + 4) + m for m in (one, two))
        for at in range(0, len(data), 7):
            self.mgc.send_raw(data[at:at + 7], framed=False)
        self.assertNotIn("Error", self.mgc.reply(number))
        self.assertNotIn("Error", self.mgc.reply(number + 1))
        number = self.mgc.next_id + 1
        self.mgc.send_raw(b"".join(struct.pack(">BBH", 3, 0, len(m) + 4) + m for m in (
            self.message("Context = - { AuditValue = ROOT { Audit { } } }").encode(),
            self.message("Context = - { AuditValue = ROOT { Audit { } } }").encode())), framed=False)
        self.mgc.reply(number)
        self.mgc.reply(number + 1)

    def test_wrong_framing_closes_the_connection_and_the_gateway_comes_back(self):
        """RFC 1006 frames cannot be found again once lost; the association starts anew, contexts live on."""
        for junk in (b"GARBAGE GARBAGE", b"\x03\x00\x00\x02", b"\x03\x00\xff\xff" + b"x" * 100):
            with self.subTest(junk[:10]):
                conn = self.mgc.conn
                self.mgc.send_raw(junk, framed=False)
                if junk[2:4] == b"\xff\xff":
                    self.mgc.hang_up()
                self.mgc.take("ServiceChange = ROOT")
                harness.until(lambda: self.mgc.conn is not conn, "a new connection")
                self.mgc.ok(f"Context = {self.made.context} {{ AuditValue = {self.made.terms[0]} {{ Audit {{ }} }} }}")


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Versions(Case, unittest.TestCase):
    def test_the_lower_version_is_spoken(self):
        for ours, theirs in ((1, 3), (2, 3), (3, 3), (3, 2), (3, 1), (2, 1)):
            for transport in ("udp", "tcp"):
                with self.subTest(f"controller {ours}, gateway {theirs}, {transport}"):
                    gw = self.gateway(transport=transport, version=theirs, speaks=ours)
                    mgc = gw.controller
                    self.assertIn("MEGACO/1 ", mgc.heard[0])  # RFC 3525, 11.3: the first in version 1
                    self.assertIn(f"Version = {theirs}", gw.registration)
                    mgc.version = min(ours, theirs)
                    made = Made(mgc.ok("Context = $ { " + add(TCP) + " }"))
                    self.assertIn(f"MEGACO/{min(ours, theirs)} ", mgc.heard[-1])
                    mgc.ok(f"Context = {made.context} {{ Subtract = {made.terms[0]} }}")
                    self.doCleanups()

    def test_compact_and_pretty(self):
        """The codec's two forms, through the hand tool: the gateway answers in its own."""
        for transport in ("udp", "tcp"):
            with self.subTest(transport):
                gw = self.gateway(transport=transport)
                mgc = gw.controller
                number = mgc.next_id = mgc.next_id + 1
                text = f"{mgc.head()}Transaction = {number} {{ Context = - {{ AuditValue = ROOT {{ Audit {{ }} }} }} }}\n"
                done = subprocess.run([TOOL, "h248", "convert", "--to", "compact", "-"], input=text, text=True,
                                      capture_output=True, check=True, timeout=30)
                self.assertTrue(done.stdout.startswith("!/"), done.stdout)
                mgc.send_raw(done.stdout)
                self.assertIn("AuditValue = ROOT", mgc.reply(number))
                self.doCleanups()


if __name__ == "__main__":
    unittest.main(verbosity=2)
