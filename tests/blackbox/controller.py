# SPDX-License-Identifier: Apache-2.0
"""The controller's side of H.248 in text, of our own, so that a mistake of the H.248 library on both sides shows."""
import contextlib
import os
import re
import socket
import struct
import threading
import time

from waiting import PATIENCE


def squeeze(text):
    return re.sub(r"\s+", " ", text).strip()


def pieces(message):
    """The transactions of a pretty message: (kind, id, text inside the braces)."""
    found, at, depth, start, head, quoted = [], 0, 0, 0, None, False
    top = re.compile(r"(Transaction|Reply|Pending|TransactionResponseAck)(?:\s*=\s*([0-9/]+))?\s*\{")
    while at < len(message):
        c = message[at]
        if c == "\\":
            at += 1
        elif c == '"':
            quoted = not quoted
        elif quoted:
            pass
        elif c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0 and head:
                found.append((head.group(1), head.group(2), message[start:at]))
                head = None
        elif depth == 0 and head is None:
            match = top.match(message, at)
            if match:
                head, start, depth, at = match, match.end(), 1, match.end() - 1
        at += 1
    return found


class Controller:
    """Answers everything the gateway asks, keeps it, and sends commands. UDP or TCP (TPKT, RFC 3525 D.2)."""

    def __init__(self, transport="udp", version=2, port=0):
        self.transport, self.version = transport, version
        self.lock = threading.Condition()
        self.requests, self.replies, self.errors, self.heard = [], {}, [], []
        self.seen = {}
        self.next_id = 1000 + int.from_bytes(os.urandom(2), "big")
        self.gateway = None
        self.answer = True
        self.refuse = None  # error descriptor text for ServiceChange
        self.running = True
        if transport == "udp":
            self.sock = socket.socket(type=socket.SOCK_DGRAM)
        else:
            self.sock = socket.socket()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", port))
        if transport == "tcp":
            self.sock.listen(8)
        self.port = self.sock.getsockname()[1]
        self.conn = None
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def close(self):
        self.running = False
        if self.transport == "udp":
            with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as s:
                s.sendto(b"", ("127.0.0.1", self.port))
        else:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
            self.hang_up()
        self.thread.join(PATIENCE)
        self.sock.close()

    def hang_up(self):
        if self.conn:
            with contextlib.suppress(OSError):
                self.conn.shutdown(socket.SHUT_RDWR)

    # -- octets

    def loop(self):
        if self.transport == "udp":
            while self.running:
                data, source = self.sock.recvfrom(65536)
                if data:
                    self.gateway = source
                    self.message(data.decode("utf-8", "replace"))
            return
        while self.running:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.conn = conn
            with contextlib.suppress(OSError):
                self.serve(conn)
            conn.close()

    def serve(self, conn):
        held = b""
        while True:
            while len(held) >= 4 and len(held) >= struct.unpack(">H", held[2:4])[0]:
                size = struct.unpack(">H", held[2:4])[0]
                self.message(held[4:size].decode("utf-8", "replace"))
                held = held[size:]
            block = conn.recv(65536)
            if not block:
                return
            held += block

    def send_raw(self, data, framed=True):
        data = data.encode() if isinstance(data, str) else data
        if self.transport == "udp":
            self.sock.sendto(data, self.gateway)
        else:
            self.conn.sendall((struct.pack(">BBH", 3, 0, len(data) + 4) if framed else b"") + data)

    def head(self):
        return f"MEGACO/{self.version} [127.0.0.1]:{self.port}\n"

    # -- messages

    def message(self, text):
        with self.lock:
            self.heard.append(text)
            if re.match(r"\s*MEGACO/\d+\s+\S+\s+Error\b", text):
                self.errors.append(squeeze(text))
            for kind, number, body in pieces(text):
                if kind == "Transaction":
                    self.request(number, body)
                elif kind == "Reply":
                    self.replies[int(number.split("/")[0])] = squeeze(body)
            self.lock.notify_all()

    def request(self, number, body):
        if not self.answer:
            return
        if number not in self.seen:
            self.seen[number] = self.reply_to(body)
            self.requests.append(squeeze(body))
        with contextlib.suppress(OSError):
            version = 1 if "ServiceChange = ROOT" in squeeze(body) and "Restart" in body else self.version
            self.send_raw(f"MEGACO/{version} [127.0.0.1]:{self.port}\nReply = {number} {{ {self.seen[number]} }}\n")

    def reply_to(self, body):
        out = []
        for context, command, term in re.findall(r"Context = (\S+) \{\s*(?:\w-)*(Notify|ServiceChange) = (\S+)",
                                                 squeeze(body)):
            term = term.rstrip("{},")
            if command == "ServiceChange" and self.refuse:
                out.append(f"Context = {context} {{ ServiceChange = {term} {{ {self.refuse} }} }}")
            elif command == "ServiceChange":
                version = re.search(r"Version = (\d)", body)
                what = f" {{ Services {{ Version = {min(int(version.group(1)), self.version)} }} }}" if version else ""
                out.append(f"Context = {context} {{ ServiceChange = {term}{what} }}")
            else:
                out.append(f"Context = {context} {{ {command} = {term} }}")
        return ", ".join(out)

    def wait(self, find, what, patience=PATIENCE):
        end = time.monotonic() + patience
        with self.lock:
            while True:
                value = find()
                if value is not None and value is not False:
                    return value
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"did not come within {patience:g} s: {what}; requests not looked at: "
                                         f"{self.requests}; errors: {self.errors}")
                self.lock.wait(left)

    def take(self, *patterns, patience=PATIENCE):
        """The first request not yet taken in which each pattern is found; it is taken."""
        def find():
            for at, text in enumerate(self.requests):
                if all(re.search(p, text) for p in patterns):
                    return self.requests.pop(at)
            return None
        return self.wait(find, f"a request with {patterns}", patience)

    def none(self, *patterns):
        """No such request has come by now."""
        with self.lock:
            hits = [t for t in self.requests if all(re.search(p, t) for p in patterns)]
        assert not hits, hits

    def send(self, actions, number=None):
        with self.lock:
            self.next_id += 1
            number = number or self.next_id
            self.send_raw(f"{self.head()}Transaction = {number} {{\n{actions}\n}}\n")
        return number

    def reply(self, number, patience=PATIENCE):
        return self.wait(lambda: self.replies.get(number), f"reply {number}", patience)

    def command(self, actions):
        """Sends a transaction (again, over UDP, as D.1 wants it); its reply, blanks squeezed."""
        number = self.send(actions)
        if self.transport == "tcp":
            return self.reply(number)
        for _ in range(4):
            with contextlib.suppress(AssertionError):
                return self.reply(number, PATIENCE / 4)
            self.send(actions, number)
        return self.reply(number)

    def ok(self, actions):
        text = self.command(actions)
        assert "Error =" not in text, f"{text}\nfor {actions}"
        return text

    def refused(self, actions, code):
        text = self.command(actions)
        assert f"Error = {code} " in text, f"not {code}: {text}\nfor {actions}"
        return text

    def message_error(self, data, code, framed=True):
        """The error for a message; of TransactionID 0 where a transaction stood whose own was not readable."""
        count = len(self.errors)
        self.replies.pop(0, None)
        self.send_raw(data, framed)
        def find():
            for text in self.errors[count:] + [self.replies.get(0, "")]:
                if f"Error = {code} " in text:
                    return text
            return None
        return self.wait(find, f"message error {code} for {data[:80]!r}")
