#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-edge and the reg event package (RFC 3680): it subscribes at the registrar, which the test is, or Kamailio, and ends what the registrar has ended."""
import os
import re
import secrets
import shutil
import unittest

import access
import edge
import harness
import kamailio
from edge import Edge, field, status

CHALLENGE = 'WWW-Authenticate: Digest realm="home.example", nonce="n%s", algorithm=MD5, qop="auth"'
DOCUMENT = """<?xml version="1.0"?>
<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="%d" state="%s">
 <registration aor="sip:alice@home.example" id="a" state="%s">
  <contact id="1" state="%s" event="%s"><uri>%s</uri></contact>
 </registration>
</reginfo>
"""


class RegEvent(harness.Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def setUp(self):
        self.core = self.own(edge.Core())
        self.edge = self.own(Edge(self.folder, self.tls, self.core, edge={"drain": "50ms"}, **{"reg-event": True}))
        self.cseq, self.waiting = 0, []

    def take(self, method):
        """The next request of this kind; others wait for their turn."""
        for at, text in enumerate(self.waiting):
            if text.startswith(method):
                return self.waiting.pop(at)
        while True:
            text = self.core.take("")
            if text.startswith(method):
                return text
            if not text.startswith("SIP/2.0"):
                self.waiting.append(text)

    def registered(self, name="alice"):
        ue = self.own(edge.Ue(self.edge, name))
        ue.send(ue.register_text(authorization=f'Digest username="{ue.impi}", realm="{ue.domain}", nonce="", uri="sip:{ue.domain}", response=""'))
        self.core.reply(self.take("REGISTER"), 401, CHALLENGE % secrets.token_hex(8))
        ue.challenge = field(ue.final("REGISTER"), "WWW-Authenticate")
        ue.send(ue.register_text(authorization=edge.digest(ue.challenge, ue.impi, ue.password, "REGISTER", f"sip:{ue.domain}")))
        self.core.reply(self.take("REGISTER"), 200, f"Contact: {ue.contact};expires=3600", f"P-Associated-URI: <{ue.identity}>",
                        f"Service-Route: <{self.core.uri};lr>")
        self.assertEqual(status(ue.final("REGISTER")), 200)
        return ue

    def subscribed(self, code=200):
        """@return the SUBSCRIBE, which has been answered"""
        asked = self.take("SUBSCRIBE")
        self.core.reply(asked, code, f"Contact: <{self.core.uri}>", "Expires: 3600")
        return asked

    def notify(self, asked, document, event="reg", state="active;expires=3600", kind="application/reginfo+xml", tag="core"):
        """@return the status of the answer"""
        self.cseq += 1
        target = re.search(r"<(.*?)>", field(asked, "Contact"))[1]
        call = field(asked, "Call-ID")
        self.core.sock.sendto((f"NOTIFY {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self.core.port};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
                               f"Max-Forwards: 70\r\nFrom: {field(asked, 'To')};tag={tag}\r\nTo: {field(asked, 'From')}\r\nCall-ID: {call}\r\n"
                               f"CSeq: {self.cseq} NOTIFY\r\nContact: <{self.core.uri}>\r\nEvent: {event}\r\nSubscription-State: {state}\r\n"
                               f"Content-Type: {kind}\r\nContent-Length: {len(document)}\r\n\r\n{document}").encode(), ("127.0.0.1", self.edge.core_port))
        while True:
            octets = self.core.sock.recv(65536).decode("utf-8", "surrogateescape")
            if status(octets) >= 200 and field(octets, "Call-ID") == call:
                return status(octets)
            if not octets.startswith("SIP/2.0"):
                self.waiting.append(octets)

    def document(self, ue, version, state="active", event="registered", kind="full"):
        return DOCUMENT % (version, kind, "active", state, event, re.search(r"<(.*?)>", ue.contact)[1].replace("&", "&amp;"))

    def test_the_network_ends_it(self):
        alice = self.registered()
        asked = self.subscribed()
        self.assertTrue(asked.startswith("SUBSCRIBE sip:alice@home.example SIP/2.0\r\n"), asked)
        self.assertEqual([field(asked, name) for name in ("Event", "Accept", "P-Asserted-Identity")],
                         ["reg", "application/reginfo+xml", f"<sip:{access.NAME}>"])
        self.assertEqual(self.notify(asked, self.document(alice, 0)), 200)
        self.assertEqual(len(self.edge.bindings("alice")), 1)
        self.assertEqual(self.notify(asked, self.document(alice, 1, "terminated", "rejected", "partial")), 200)
        self.edge.bound("alice", 0)
        self.edge.logged(r'event=note flow=\d+ why="rejected"')
        self.assertEqual(status(alice.message("sip:bob@home.example")), 403)
        # The subscription goes with its last flow, in its dialog.
        end = self.take("SUBSCRIBE")
        self.assertEqual((field(end, "Expires"), field(end, "Call-ID")), ("0", field(asked, "Call-ID")))
        self.core.reply(end, 200, f"Contact: <{self.core.uri}>", "Expires: 0")

    def test_what_is_not_believed(self):
        """NOTIFYs of other dialogs, other packages, documents that are none: each gets its status and nothing ends."""
        alice = self.registered()
        asked = self.subscribed()
        gone = self.document(alice, 4, "terminated", "rejected")
        self.assertEqual(self.notify(asked, self.document(alice, 5)), 200)
        self.assertEqual(self.notify(asked, gone, tag="other"), 404)
        self.assertEqual(self.notify(asked, gone.replace('"4"', '"9"'), event="presence"), 489)
        self.assertEqual(self.notify(asked, gone, kind="text/plain"), 415)
        self.assertEqual(self.notify(asked, "<!DOCTYPE a [<!ENTITY a \"b\">]><reginfo/>"), 400)
        self.assertEqual(self.notify(asked, "<reginfo"), 400)
        self.assertEqual(self.notify(asked, gone), 200)  # an old version: passed over
        target = re.search(r"<(.*?)>", field(asked, "Contact"))[1]
        self.assertEqual(status(self.core.answer(self.core.request(self.edge, "MESSAGE", target))), 404)
        # From a UE it is no NOTIFY of the network's.
        answer = alice.ask("NOTIFY", target, "Event: reg", "Content-Type: application/reginfo+xml", call=field(asked, "Call-ID"), body=gone)
        self.assertGreaterEqual(status(answer), 400)
        self.assertEqual(len(self.edge.bindings("alice")), 1)

    def test_a_registrar_that_knows_no_such_package(self):
        alice = self.registered()
        self.subscribed(489)
        self.edge.logged("the registrar answers SUBSCRIBE by 489")
        self.assertEqual(len(self.edge.bindings("alice")), 1)
        alice.send(alice.text("MESSAGE", "sip:bob@home.example", "Content-Type: text/plain", contact=False, body="hello"))
        self.core.reply(self.take("MESSAGE"), 200)
        self.assertEqual(status(alice.final("MESSAGE")), 200)


TABLES = "/usr/share/kamailio/dbtext/kamailio"
PRESENCE = """loadmodule "db_text.so"
loadmodule "presence.so"
loadmodule "presence_reginfo.so"
loadmodule "pua.so"
loadmodule "pua_reginfo.so"
modparam("presence|pua", "db_url", "text://{tables}")
modparam("presence", "server_address", "sip:127.0.0.1:{port}")
modparam("presence", "send_fast_notify", 1)
modparam("pua_reginfo", "default_domain", "home.example")
modparam("pua_reginfo", "outbound_proxy", "sip:127.0.0.1:{port}")
modparam("pua_reginfo", "server_address", "sip:reginfo@127.0.0.1:{port}")
modparam("pua_reginfo", "publish_reginfo", 1)
"""
ROUTE = """if (is_method("PUBLISH") && t_newtran()) { handle_publish(); t_release(); exit; }
	if (is_method("SUBSCRIBE") && t_newtran()) { handle_subscribe(); t_release(); exit; }
	if (is_method("OPTIONS") && $rU == "end-alice") { unregister("location", "sip:alice@home.example"); sl_send_reply("200", "Gone"); exit; }
"""


@unittest.skipUnless(kamailio.HAVE and os.path.exists(os.path.join(kamailio.modules(), "pua_reginfo.so")) and os.path.isdir(TABLES),
                     "Kamailio's presence modules are not installed (package kamailio-presence-modules)")
class Kamailio(harness.Case, unittest.TestCase):
    def test_an_administrator_ends_it(self):
        """Kamailio's documents are full, and all of version 0."""
        port, tables = harness.free_port(), os.path.join(self.folder, "tables")
        shutil.copytree(TABLES, tables)
        core = self.own(kamailio.Kamailio(self.folder, access.PASSWORDS, settings=PRESENCE.format(tables=tables, port=port), route=ROUTE, port=port))
        here = self.own(Edge(self.folder, access.certificate(self.pki), core, edge={"drain": "50ms"},
                             **{"reg-event": True, "log": {"level": "debug", "unsafe-messages": True}}))
        alice = self.own(edge.Ue(here))
        alice.register()
        here.bound("alice")
        here.logged(r'from flow=\d+: NOTIFY .*<contact id="[^"]*" state="active"')
        test = self.own(edge.Core())
        self.assertEqual(status(test.answer(test.order(core.port, "end-alice"))), 200)
        here.bound("alice", 0)
        here.logged(r'event=note flow=1 why="unregistered"')
        self.assertEqual(status(alice.message("sip:bob@home.example")), 403)


if __name__ == "__main__":
    unittest.main()
