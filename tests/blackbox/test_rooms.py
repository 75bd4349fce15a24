#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MSRP and BFCP inside the gateway (docs/mg.md): a chat room and a floor control server of all terminations of a
context, a relay of two sessions that rewrites paths; openssl s_client with a key of its own for each stream."""
import os
import re
import struct
import unittest

import harness
from harness import Case, EVENTS, HAVE_OPENSSL, Made, connect, read_exactly, until

ROOM = 'gatehouse_msrp/mode = room, gatehouse_msrp/room = "sip:room@conf.example"'


def path(name):
    return f"msrp://{name}.example:9/{name}{name};tcp"


def described(number, proto, control, local, remote):
    kind = "application" if "BFCP" in proto else "message"
    return (f"Stream = {number} {{ LocalControl {{ Mode = SendReceive, {control} }}, "
            f"Local {{\nv=0\nc=IN IP4 $\nm={kind} $ {proto} *\na=setup:passive\n{local}}}, "
            f"Remote {{\nv=0\nc=IN IP4 127.0.0.1\nm={kind} 9 {proto} *\na=setup:active\n{remote}}} }}")


def member(name, proto="TCP/MSRP", control="", room=ROOM, chatroom="a=chatroom:nickname private-messages\n"):
    return described(1, proto, f'{room}, gatehouse_msrp/user = ["sip:{name}@home.example"]{control}', chatroom,
                     f"a=path:{path(name)}\na=accept-wrapped-types:*\n")


def user(number, control="", floors="a=floorid:1 mstrm:10\n", conference=4321):
    return described(2, "TCP/BFCP", f"gatehouse_bfcp/mode = server{control}",
                     f"a=confid:{conference}\na=userid:{number}\n{floors}", "")


def added(*streams, events=1):
    return f"Add = $ {{ Media {{ {', '.join(streams)} }}, {EVENTS.format(n=events)} }}"


def ours(made):
    return re.findall(r"a=path:(\S+)", made.text)


def send(tid, to, frm, body, kind="message/cpim"):
    return (f"MSRP {tid} SEND\r\nTo-Path: {to}\r\nFrom-Path: {frm}\r\nMessage-ID: m{tid}\r\n"
            f"Byte-Range: 1-{len(body)}/{len(body)}\r\nContent-Type: {kind}\r\n\r\n{body}\r\n-------{tid}$\r\n").encode()


def cpim(frm, text):
    return f"From: <sip:{frm}@home.example>\r\nTo: <sip:room@conf.example>\r\n\r\nContent-Type: text/plain\r\n\r\n{text}"


def read_until(conn, pattern):
    conn.settimeout(harness.PATIENCE)
    text = b""
    while not re.search(pattern, text):
        more = conn.recv(65536)
        assert more, text
        text += more
    return text


def bfcp(primitive, transaction, number, *attributes, conference=4321):
    payload = b"".join(attributes)
    return struct.pack(">BBHIHH", 0x20, primitive, len(payload) // 4, conference, transaction, number) + payload


FLOOR_1 = struct.pack(">BBH", 2 << 1 | 1, 4, 1)


def bfcp_read(conn):
    conn.settimeout(harness.PATIENCE)
    head = read_exactly(conn, 12)
    return head[1], read_exactly(conn, 4 * struct.unpack(">H", head[2:4])[0])


class Rooms(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.shared_gateway("  - {name: psk, profile: ts33328-annex-h, default: true}\n")

    def made(self, *adds):
        return Made(self.mgc.ok("Context = $ { " + ", ".join(adds) + " }"))

    def come(self, port):
        return self.own(connect(port))

    def statistic(self, made, number, name):
        text = self.mgc.ok(f"Context = {made.context} {{ AuditValue = {made.terms[number]} {{ Audit {{ Statistics }} }} }}")
        return int(re.search(rf"{name} = (\d+)", text).group(1))

    def test_what_one_says_all_others_hear(self):
        names = ("ann", "bob", "cid")
        made = self.made(*(added(member(n), events=i + 1) for i, n in enumerate(names)))
        own = ours(made)
        self.assertEqual(len(set(own)), 3)
        self.assertRegex(own[0], rf"^msrp://127\.0\.0\.1:{made.ports[0]}/[a-z2-7]{{16}};tcp$")
        conns = [self.come(port) for port in made.ports]
        for term in made.terms:
            self.mgc.take(f"Notify = {term} ", "tcpbcc/BNCChange", "Type = Est,")
        conns[0].sendall(send("t0001", own[0], path("ann"), cpim("ann", "hello all")))
        self.assertIn(b"MSRP t0001 200", read_until(conns[0], rb"t0001\$\r\n"))
        for conn in conns[1:]:
            self.assertIn(b"hello all", read_until(conn, rb"\$\r\n"))
        until(lambda: self.statistic(made, 1, "gatehouse_msrp/mout") == 1, "bob's message is counted")
        self.assertEqual(self.statistic(made, 0, "gatehouse_msrp/min"), 1)
        self.mgc.ok(f"Context = {made.context} {{ Subtract = {made.terms[1]} {{ Audit {{ }} }} }}")
        self.assertEqual(conns[1].recv(10), b"")
        conns[2].sendall(send("t0002", own[2], path("cid"), cpim("cid", "bob is gone")))
        self.assertIn(b"bob is gone", read_until(conns[0], rb"bob is gone"))
        self.end_all(made)

    def end_all(self, made):
        self.mgc.ok(f"Context = {made.context} {{ W-Subtract = * {{ Audit {{ }} }} }}")

    def test_who_speaks_no_msrp_loses_his_stream_alone(self):
        made = self.made(added(member("ann")), added(member("bob"), events=2), added(member("cid"), events=3))
        own = ours(made)
        ann, bob, cid = (self.come(port) for port in made.ports)
        ann.sendall(b"GET / HTTP/1.1\r\nHost: room\r\n\r\n")
        ended = self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", "Type = Rel,")
        self.assertIn('Cause = "protocol"', ended)
        self.assertIn("Side = remote", ended)
        bob.sendall(send("t0001", own[1], path("bob"), cpim("bob", "still here")))
        self.assertIn(b"still here", read_until(cid, rb"still here"))
        self.end_all(made)

    def test_a_peer_is_read_once_its_path_is_known(self):
        local = f"Local {{\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP *\na=setup:passive\na=path:$\n}}"
        control = ROOM + ', gatehouse_msrp/user = ["sip:ann@home.example"]'
        made = self.made(f"Add = $ {{ Media {{ Stream = 1 {{ LocalControl {{ Mode = SendReceive, {control} }}, {local} }} }} }}")
        own = ours(made)[0]
        ann = self.come(made.ports[0])
        ann.sendall(send("t0001", own, path("ann"), cpim("ann", "early")))
        reply = self.mgc.ok(f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Media {{ Stream = 1 {{ "
                            f"Remote {{\nv=0\nc=IN IP4 127.0.0.1\nm=message 9 TCP/MSRP *\na=setup:active\n"
                            f"a=path:{path('ann')}\n}} }} }} }} }}")
        self.assertNotIn("Local", reply)
        self.assertIn(b"MSRP t0001 200", read_until(ann, rb"t0001\$\r\n"))
        self.end_all(made)

    def test_a_relay_rewrites_paths(self):
        mode = "gatehouse_msrp/mode = b2b"
        made = self.made(*(added(described(1, "TCP/MSRP", mode, "a=path:$\n", f"a=path:{path(n)}\n"), events=i + 1)
                           for i, n in enumerate(("ann", "bob"))))
        own = ours(made)
        ann, bob = (self.come(port) for port in made.ports)
        ann.sendall(send("t0001", own[0], path("ann"), "hello bob", "text/plain"))
        heard = read_until(bob, rb"hello bob\r\n-------\w+\$\r\n")
        self.assertIn(f"To-Path: {path('bob')}\r\nFrom-Path: {own[1]}\r\n".encode(), heard)
        ann.close()
        self.assertIn('Cause = "partner"', self.mgc.take(f"Notify = {made.terms[1]} ", "tcpbcc/BNCChange", "Type = Rel,"))
        self.end_all(made)

    def test_the_floor_goes_from_one_to_the_other(self):
        made = self.made(added(user(1)), added(user(2), events=2))
        ann, bob = (self.come(port) for port in made.ports)
        ann.sendall(bfcp(1, 1, 1, FLOOR_1))
        self.assertEqual(bfcp_read(ann)[0], 4)
        bob.sendall(bfcp(1, 1, 2, FLOOR_1))
        self.assertEqual(bfcp_read(bob)[0], 4)
        bob.sendall(bfcp(1, 2, 1, FLOOR_1))  # ann's id: not his
        kind, payload = bfcp_read(bob)
        self.assertEqual((kind, payload[2]), (13, 5))
        self.mgc.ok(f"Context = {made.context} {{ Subtract = {made.terms[0]} {{ Audit {{ }} }} }}")
        granted = b""
        while not re.search(rb"\x0b\x04\x03", granted):  # REQUEST-STATUS Granted
            granted = bfcp_read(bob)[1]
        bob.sendall(b"\x20\x01\xff\xff" + bytes(12))
        self.assertIn('Cause = "protocol"', self.mgc.take(f"Notify = {made.terms[1]} ", "tcpbcc/BNCChange", "Type = Rel,"))
        self.end_all(made)

    @unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
    def test_each_member_has_a_key_of_his_own(self):
        keys = [os.urandom(16).hex().upper() for _ in range(2)]
        made = self.made(*(added(member(n, "TCP/TLS/MSRP", f', gatehouse/pskid = ["{n}"], gatehouse/psk = [{k}]'),
                                 events=i + 1) for i, (n, k) in enumerate(zip(("ann", "bob"), keys))))
        own = ours(made)
        self.assertTrue(own[0].startswith("msrps://"))
        peers = [self.peer("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{port}", "-tls1_2",
                           "-psk_identity", name, "-psk", key)
                 for port, name, key in zip(made.ports, ("ann", "bob"), keys)]
        for term in made.terms:
            self.mgc.take(f"Notify = {term} ", "tlsbsc/BNCChange", "Type = Est,")
        peers[0].send(send("t0001", own[0], path("ann"), cpim("ann", "in secret")))
        peers[0].says(b"MSRP t0001 200")
        peers[1].says(b"in secret")
        wrong = self.made(added(member("eve", "TCP/TLS/MSRP", f', gatehouse/pskid = ["eve"], gatehouse/psk = [{keys[0]}]')))
        self.peer("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{wrong.ports[0]}", "-tls1_2",
                  "-psk_identity", "eve", "-psk", keys[1])
        self.mgc.take(f"Notify = {wrong.terms[0]} ", "tlsbsc/BNCChange", "Type = EstFail")
        self.mgc.refused(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ Media {{ Stream = 1 {{ "
                         "LocalControl { gatehouse/psk } } } } } }", 534)
        self.end_all(made)
        self.end_all(wrong)

    def test_what_does_not_go_together_is_refused(self):
        made = self.made(added(member("ann"), user(1, ", gatehouse_bfcp/chair = [1]")))
        for code, streams in (
                (473, [member("bob", room='gatehouse_msrp/mode = room, gatehouse_msrp/room = "sip:other@conf.example"')]),
                (473, [member("bob", chatroom="")]),
                (473, [described(1, "TCP/MSRP", "gatehouse_msrp/mode = b2b", "", f"a=path:{path('bob')}\n")]),
                (473, [described(3, "TCP/BFCP", f'{ROOM}, gatehouse_msrp/user = ["sip:bob@home.example"]', "", "")]),
                (472, [described(3, "TCP/MSRP", ROOM, "", "")]),
                (474, [described(3, "TCP/MSRP", "gatehouse_msrp/mode = b2b", "", "a=path:nonsense\n")]),
                (472, [described(3, "TCP/BFCP", "gatehouse_bfcp/mode = server", "a=confid:1\n", "")]),
                (473, [user(1)]), (473, [user(2, conference=1)]), (473, [user(2, ", gatehouse_bfcp/chair = [1]")]),
                (488, [member("bob", control=", seplink/link = tcp")])):
            with self.subTest(streams):
                self.mgc.refused(f"Context = {made.context} {{ {added(*streams)} }}", code)
        other = self.made(added(described(9, "TCP/MSRP", "gatehouse/role = auto", "", "")))
        self.mgc.refused(f"Context = {other.context} {{ Move = {made.terms[0]} }}", 501)
        self.end_all(made)
        self.end_all(other)


if __name__ == "__main__":
    unittest.main()
