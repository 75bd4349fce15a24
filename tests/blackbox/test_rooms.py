#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MSRP and BFCP inside the gateway (TS 23.333, 5.20.2; docs/mg.md): a chat room and a floor control server of one
context, a relay of two sessions, each with its own key; what is broken ends its own stream alone."""
import os
import re
import socket
import struct
import unittest

import harness
from harness import Case, HAVE_OPENSSL, Made, PATIENCE, connect, until

EVENTS = "Events = 1 { tcpbcc/BNCChange, tlsbsc/BNCChange }"
ROOM = "sip:room@conf.example"


def control(number, more):
    return f"Stream = {number} {{ LocalControl {{ Mode = SendReceive, {more} }}, "


def sdp(address, media, port, *lines):
    return "\n".join(["v=0", f"c=IN IP4 {address}", f"m={media[0]} {port} {media[1]} *", *lines]) + "\n"


def room(user, tls=False, key=None, number=1):
    """A member's stream."""
    media = ("message", "TCP/TLS/MSRP" if tls else "TCP/MSRP")
    scheme = "msrps" if tls else "msrp"
    more = f'gatehouse_msrp/mode = room, gatehouse_msrp/room = "{ROOM}", gatehouse_msrp/user = ["sip:{user}@home.example"]'
    if tls:
        more += f', gatehouse/dom = "psk", gatehouse/pskid = ["{user}"], gatehouse/psk = [{key}]'
    return (control(number, more) + "Local {\n" +
            sdp("$", media, "$", "a=setup:passive", "a=path:$", "a=chatroom:nickname private-messages") +
            "}, Remote {\n" +
            sdp("127.0.0.1", media, 9, "a=setup:active", f"a=path:{scheme}://{user}.example:9/{user}session;tcp",
                "a=accept-wrapped-types:*", "a=chatroom:nickname private-messages") + "} }")


def floor(user, name, chair=None, number=2, conference=4321):
    media = ("application", "TCP/BFCP")
    more = f'gatehouse_bfcp/mode = server, gatehouse_bfcp/name = "{name}"'
    if chair:
        more += f", gatehouse_bfcp/chair = [{chair}]"
    return (control(number, more) + "Local {\n" +
            sdp("$", media, "$", "a=setup:passive", f"a=confid:{conference}", f"a=userid:{user}", "a=floorid:1 mstrm:10",
                "a=floorid:2 mstrm:11") +
            "}, Remote {\n" + sdp("127.0.0.1", media, 9, "a=setup:active") + "} }")


def add(*streams):
    return f"Add = $ {{ Media {{ {', '.join(streams)} }}, {EVENTS} }}"


class Member:
    """An MSRP endpoint by hand: what it sends and what has come."""

    def __init__(self, test, reply, user, conn=None):
        self.to = re.search(r"a=path:(\S+)", reply).group(1)
        scheme = self.to.partition(":")[0]
        self.own = f"{scheme}://{user}.example:9/{user}session;tcp"
        self.user, self.seen = f"sip:{user}@home.example", b""
        self.conn = conn or connect(int(re.search(r"m=message (\d+)", reply).group(1)))
        test.addCleanup(self.conn.close)
        self.count = 0

    def send(self, method, headers, body=None, flag="$"):
        self.count += 1
        tid = f"t{self.count:07d}"
        text = f"MSRP {tid} {method}\r\nTo-Path: {self.to}\r\nFrom-Path: {self.own}\r\n{headers}"
        text += f"\r\n{body}\r\n" if body is not None else ""
        self.conn.sendall(f"{text}-------{tid}{flag}\r\n".encode())
        return tid

    def join(self):
        """Only who is in the room hears what is said: an answer tells that we are."""
        tid = self.send("SEND", f"Message-ID: join{self.user[4:7]}\r\n")
        self.hears(f"MSRP {tid} 200")
        return self

    def say(self, words, to=ROOM):
        body = (f"From: <{self.user}>\r\nTo: <{to}>\r\nDateTime: 2026-01-01T00:00:00Z\r\n\r\n"
                f"Content-Type: text/plain\r\n\r\n{words}")
        return self.send("SEND", f"Message-ID: {self.user[4:7]}{self.count:06d}\r\n"
                         f"Byte-Range: 1-{len(body)}/{len(body)}\r\nContent-Type: message/cpim\r\n", body)

    def hears(self, *words):
        self.conn.settimeout(PATIENCE)
        while not all(w.encode() in self.seen for w in words):
            more = self.conn.recv(65536)
            assert more, (words, self.seen)
            self.seen += more
        return self.seen

    def ended(self):
        self.conn.settimeout(PATIENCE)
        while True:
            try:
                if not self.conn.recv(65536):
                    return True
            except ConnectionResetError:
                return True


class Floors:
    """A floor participant or chair by hand (RFC 8855, 5)."""

    def __init__(self, test, reply, user, conference=4321):
        self.conn = connect(int(re.search(r"m=application (\d+)", reply).group(1)))
        test.addCleanup(self.conn.close)
        self.user, self.conference, self.number, self.rest = user, conference, 0, b""

    def send(self, primitive, attributes=b""):
        self.number += 1
        self.conn.sendall(struct.pack("!BBHIHH", 0x20, primitive, len(attributes) // 4, self.conference, self.number,
                                      self.user) + attributes)

    def take(self, primitive):
        """The next message of that kind; what the server begins is acknowledged by its initiator's number."""
        self.conn.settimeout(PATIENCE)
        while True:
            while len(self.rest) < 12 or len(self.rest) < 12 + 4 * struct.unpack("!H", self.rest[2:4])[0]:
                more = self.conn.recv(65536)
                assert more, "the floor control server has gone"
                self.rest += more
            length = 12 + 4 * struct.unpack("!H", self.rest[2:4])[0]
            message, self.rest = self.rest[:length], self.rest[length:]
            if message[1] == primitive:
                return message


HELLO, HELLO_ACK, FLOOR_REQUEST, FLOOR_STATUS, FLOOR_RELEASE = 11, 12, 1, 4, 2


def floor_id(number):
    return struct.pack("!BBH", 2 << 1 | 1, 4, number)


class Rooms(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.shared_gateway("")

    def made(self, *streams, context="$"):
        reply = self.mgc.ok(f"Context = {context} {{ {add(*streams)} }}")
        return re.search(r"Context = (\d+)", reply).group(1), re.search(r"Add = ([^ {]+)", reply).group(1), reply

    def conference(self, count):
        """Users alice, bob ... in one context: chat on stream 1, floors on stream 2; the last one is chair of floor 2."""
        context, rows = "$", []
        for i, user in enumerate(("alice", "bob", "carol")[:count]):
            context, term, reply = self.made(room(user), floor(i + 1, user.title(), 2 if i + 1 == count else None),
                                             context=context)
            rows.append((term, reply, user))
        return context, rows

    def test_a_chat_room(self):
        """What one says reaches the others, in private one alone; paths are ours towards each."""
        context, rows = self.conference(3)
        alice, bob, carol = (Member(self, reply, user) for _, reply, user in rows)
        for member in (alice, bob, carol):
            member.send("NICKNAME", f'Use-Nickname: "{member.user[4:8]}"\r\n')
            member.hears("200 OK")
        alice.say("hello all")
        for other in (bob, carol):
            other.hears("hello all", f"From-Path: {other.to}", f"To-Path: {other.own}")
        bob.say("for carol alone", "sip:carol@home.example")
        carol.hears("for carol alone")
        alice.say("end")
        bob.hears("end")
        self.assertNotIn(b"for carol alone", alice.seen)
        audit = self.mgc.ok(f"Context = {context} {{ AuditValue = {rows[0][0]} {{ Audit {{ Media, Statistics }} }} }}")
        self.assertIn("gatehouse_msrp/min = 2", audit)
        self.assertIn("gatehouse_msrp/mode = room", audit)
        self.mgc.ok(f"Context = {context} {{ W-Subtract = * {{ Audit {{ }} }} }}")

    def test_floors_are_asked_for_and_granted(self):
        context, rows = self.conference(2)
        alice, bob = (Floors(self, reply, i + 1) for i, (_, reply, _) in enumerate(rows))
        for peer in (alice, bob):
            peer.send(HELLO)
            self.assertEqual(peer.take(HELLO_ACK)[4:8], struct.pack("!I", 4321))
        alice.send(FLOOR_REQUEST, floor_id(1))
        until(lambda: alice.take(FLOOR_STATUS).find(b"\x03\x00") >= 0, "Granted (3)")
        bob.send(FLOOR_REQUEST, floor_id(1))
        bob.take(FLOOR_STATUS)
        # Subtracted, she gives back what she holds: it is his.
        self.mgc.ok(f"Context = {context} {{ Subtract = {rows[0][0]} {{ Audit {{ }} }} }}")
        until(lambda: bob.take(FLOOR_STATUS).find(b"\x03\x00") >= 0, "Granted (3)")
        self.mgc.ok(f"Context = {context} {{ W-Subtract = * {{ Audit {{ }} }} }}")

    def test_what_is_broken_ends_its_own_stream(self):
        context, rows = self.conference(3)
        alice, bob, carol = (Member(self, reply, user).join() for _, reply, user in rows)
        floors = Floors(self, rows[0][1], 1)
        bob.say("first")
        alice.hears("first")
        bob.conn.sendall(b"GET / HTTP/1.1\r\n\r\n" + os.urandom(4000))
        self.assertTrue(bob.ended())
        bob.conn.close()
        self.mgc.take(f"Notify = {rows[1][0]} ", "tcpbcc/BNCChange", 'Type = Rel, Cause = "protocol", Side = remote')
        floors.conn.sendall(b"\xff" * 64)
        floors.conn.close()
        self.mgc.take(f"Notify = {rows[0][0]} ", 'Stream = 2, Type = Rel, Cause = "protocol"')
        carol.say("we go on")
        alice.hears("we go on")
        self.mgc.ok(f"Context = {context} {{ W-Subtract = * {{ Audit {{ }} }} }}")

    def test_a_member_that_reads_nothing(self):
        """As long as the room has a place for what waits for him, the others do not notice (more: relay/hub)."""
        context, rows = self.conference(3)
        alice, bob, carol = (Member(self, reply, user).join() for _, reply, user in rows)
        carol.conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for i in range(4):
            alice.say(f"{i:04d}" + "x" * 20000)
            bob.hears(f"{i:04d}xxx")
        self.mgc.ok(f"Context = {context} {{ W-Subtract = * {{ Audit {{ }} }} }}")

    def test_two_sessions_are_relayed(self):
        """b2b: each side knows us alone; paths are rewritten, an end is carried over."""
        def side(user):
            return room(user).replace("gatehouse_msrp/mode = room", "gatehouse_msrp/mode = b2b")
        context, _, first = self.made(side("alice"))
        _, _, second = self.made(side("bob"), context=context)
        alice, bob = Member(self, first, "alice"), Member(self, second, "bob")
        tid = alice.send("SEND", "Message-ID: m0001\r\nByte-Range: 1-5/5\r\nContent-Type: text/plain\r\n", "hello")
        bob.hears("hello", f"From-Path: {bob.to}", f"To-Path: {bob.own}")
        self.assertNotIn(alice.own.encode(), bob.seen)
        alice.hears(f"MSRP {tid} 200")
        alice.conn.shutdown(socket.SHUT_WR)
        self.assertTrue(bob.ended())
        self.mgc.ok(f"Context = {context} {{ W-Subtract = * {{ Audit {{ }} }} }}")

    def test_what_does_not_go_together_is_refused(self):
        context, _, _ = self.made(room("alice"), floor(1, "Alice", chair=2))

        def refused(code, *streams):
            self.mgc.refused(f"Context = {context} {{ {add(*streams)} }}", code)
        refused(473, room("bob").replace(ROOM, "sip:other@conf.example"))
        refused(473, room("bob").replace("a=chatroom:nickname private-messages\n}, R", "}, R"))
        refused(473, floor(1, "Bob"))
        refused(473, floor(2, "Bob", conference=1))
        refused(473, floor(2, "Bob", chair=2))
        refused(473, room("bob").replace("mode = room", "mode = agnostic"))
        refused(473, room("bob", number=3).replace("TCP/MSRP", "TCP/BFCP").replace("m=message", "m=application"))
        refused(472, room("bob").replace(f', gatehouse_msrp/room = "{ROOM}"', ""))
        refused(472, floor(2, "Bob").replace("a=userid:2\n", ""))
        refused(474, floor(2, "Bob").replace("a=userid:2", "a=userid:70000"))
        refused(474, floor(2, "Bob").replace("a=floorid:2", "a=floorid:two"))
        refused(474, room("bob").replace("a=path:msrp://bob.example:9/bobsession;tcp", "a=path:http://bob.example/"))
        refused(488, room("bob").replace("LocalControl {", "LocalControl { seplink/link = tcp,"))
        self.made(room("bob"), floor(2, "Bob"), context=context)
        self.mgc.ok(f"Context = {context} {{ W-Subtract = * {{ Audit {{ }} }} }}")


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Keys(Case, unittest.TestCase):
    """Each member with its own key, by programs that are not ours."""

    @classmethod
    def prepare(cls):
        cls.shared_gateway("".join(f"""
  - {{name: psk, profile: ts33328-annex-h, engine: openssl{', default: true'}}}
"""), h248=", unsafe-unprotected-keys: true")

    def test_members_with_keys_of_their_own(self):
        keys = {"alice": "a1" * 32, "bob": "b2" * 32}
        context, replies = "$", {}
        for user, key in keys.items():
            reply = self.mgc.ok(f"Context = {context} {{ {add(room(user, True, key))} }}")
            context = re.search(r"Context = (\d+)", reply).group(1)
            replies[user] = reply
        port = {u: re.search(r"m=message (\d+)", r).group(1) for u, r in replies.items()}
        path = {u: re.search(r"a=path:(\S+)", r).group(1) for u, r in replies.items()}
        for user, who in path.items():
            self.assertRegex(who, rf"^msrps://127\.0\.0\.1:{port[user]}/\w{{16,}};tcp$")
        wrong = self.peer("openssl", "s_client", "-quiet", "-tls1_2", "-connect", f"127.0.0.1:{port['alice']}",
                          "-psk_identity", "alice", "-psk", keys["bob"])
        wrong.wait()
        self.mgc.take("tlsbsc/BNCChange", "Type = EstFail")
        self.mgc.ok(f"Context = {context} {{ W-Subtract = * {{ Audit {{ }} }} }}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
