# SPDX-License-Identifier: Apache-2.0
"""A server's side of SCTP in UDP (RFC 4960, RFC 6951), no more than a test needs: one association at a time, one stream;
what is not confirmed in a while is sent again, for buffers do overflow on a busy machine. Written from the RFC, so that the far end of the gateway's SCTP is not usrsctp too."""
import contextlib
import os
import queue
import socket
import struct
import threading

DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK = 0, 1, 2, 3, 4, 5, 6, 7, 8
COOKIE_ECHO, COOKIE_ACK, SHUTDOWN_COMPLETE = 10, 11, 14
FIRST, LAST = 2, 1  # flags of DATA
PART = 1200
WINDOW = 32  # chunks of ours in flight

TABLE = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
    TABLE.append(n)


def crc32c(data):
    crc = 0xFFFFFFFF
    for octet in data:
        crc = crc >> 8 ^ TABLE[(crc ^ octet) & 0xFF]
    return crc ^ 0xFFFFFFFF


def chunk(kind, body=b"", flags=0):
    return struct.pack(">BBH", kind, flags, 4 + len(body)) + body + bytes(-len(body) % 4)


class NotSent(AssertionError):
    pass


class SctpPeer:
    """`on_message(octets)` is called in a thread that may send: another one hears what is confirmed."""

    def __init__(self, on_message, port=2944, ppid=7):
        self.on_message, self.port, self.ppid = on_message, port, ppid
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.udp = self.sock.getsockname()[1]
        self.changed, self.sending, self.messages = threading.Condition(), threading.Lock(), queue.SimpleQueue()
        self.running, self.up = True, False
        self.associations = 0
        self.flight = {}  # chunks by TSN, not confirmed yet
        self.sock.settimeout(0.3)
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.loop, self.deliver)]
        for thread in self.threads:
            thread.start()

    def close(self):
        if self.up:
            self.put(chunk(ABORT))
        with self.changed:
            self.running = False
            self.changed.notify_all()
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.sendto(b"", ("127.0.0.1", self.udp))
        self.messages.put(None)
        for thread in self.threads:
            thread.join()
        self.sock.close()

    # -- packets

    def put(self, *chunks, tag=None):
        head = struct.pack(">HHII", self.port, self.far_port, self.far_tag if tag is None else tag, 0)
        packet = head + b"".join(chunks)
        packet = packet[:8] + struct.pack("<I", crc32c(packet)) + packet[12:]
        self.sock.sendto(packet, self.far)

    def loop(self):
        while self.running:
            try:
                packet, source = self.sock.recvfrom(65536)
            except TimeoutError:
                self.again()
                continue
            if len(packet) < 16:
                continue
            self.far = source
            self.far_port = struct.unpack(">H", packet[:2])[0]
            at = 12
            while at + 4 <= len(packet):
                kind, flags, length = struct.unpack(">BBH", packet[at:at + 4])
                self.take(kind, flags, packet[at + 4:at + length])
                at += max(4, length + -length % 4)

    def again(self):
        with self.changed:
            for data in self.flight.values() if self.up else ():
                self.put(data)

    def take(self, kind, flags, body):
        if kind == INIT:
            with self.changed:
                self.up = False
                self.changed.notify_all()
            self.far_tag, _, _, _, self.far_tsn = struct.unpack(">IIHHI", body[:16])
            self.far_tsn = (self.far_tsn - 1) & 0xFFFFFFFF
            self.tag, self.tsn = 1 + int.from_bytes(os.urandom(3), "big"), 1000
            self.acked, self.ssn, self.held, self.flight = 999, 0, b"", {}
            cookie = struct.pack(">HH", 7, 12) + b"a cookie"
            self.put(chunk(INIT_ACK, struct.pack(">IIHHI", self.tag, 1 << 20, 8, 8, self.tsn) + cookie))
        elif kind == COOKIE_ECHO:
            self.put(chunk(COOKIE_ACK))
            with self.changed:
                self.up = True
                self.associations += 1
                self.changed.notify_all()
        elif kind == DATA:
            self.data(flags, body)
        elif kind == SACK:
            with self.changed:
                self.acked = struct.unpack(">I", body[:4])[0]
                self.flight = {tsn: data for tsn, data in self.flight.items() if tsn > self.acked}
                self.changed.notify_all()
        elif kind == HEARTBEAT:
            self.put(chunk(HEARTBEAT_ACK, body))
        elif kind == SHUTDOWN:
            self.put(chunk(SHUTDOWN_ACK))
        elif kind in (ABORT, SHUTDOWN_COMPLETE):
            with self.changed:
                self.up = False
                self.changed.notify_all()

    def data(self, flags, body):
        tsn = struct.unpack(">I", body[:4])[0]
        if tsn == (self.far_tsn + 1) & 0xFFFFFFFF:
            self.far_tsn = tsn
            self.held = (b"" if flags & FIRST else self.held) + body[12:]
            if flags & LAST:
                self.messages.put(self.held)
        self.put(chunk(SACK, struct.pack(">IIHH", self.far_tsn, 1 << 20, 0, 0)))

    # -- messages

    def deliver(self):
        while (message := self.messages.get()) is not None:
            with contextlib.suppress(NotSent):  # an answer to somebody who is gone
                self.on_message(message)

    def send(self, message, patience=15, ppid=None):
        """One user message, in as many chunks as it needs."""
        ppid = self.ppid if ppid is None else ppid
        with self.sending:
            with self.changed:
                self.changed.wait_for(lambda: self.up or not self.running, patience)
                association = self.associations

            def gone():
                return not self.running or not self.up or self.associations != association

            def room():
                return self.tsn - self.acked <= WINDOW

            for at in range(0, max(1, len(message)), PART):
                part = message[at:at + PART]
                flags = (FIRST if at == 0 else 0) | (LAST if at + PART >= len(message) else 0)
                with self.changed:
                    self.changed.wait_for(lambda: gone() or room(), patience)
                    if gone() or not room():
                        raise NotSent("the association is gone" if gone() else "nothing is confirmed")
                    tsn, self.tsn = self.tsn, self.tsn + 1
                    data = chunk(DATA, struct.pack(">IHHI", tsn, 0, self.ssn, ppid) + part, flags)
                    self.flight[tsn] = data
                    self.put(data)
            self.ssn = (self.ssn + 1) & 0xFFFF
