# SPDX-License-Identifier: Apache-2.0
"""The S-CSCF of the demonstration, as far as calls over UDP need one: requests go to where their user is registered, by
hand, responses back by their Via fields (RFC 3261, 16.11: a proxy without state)."""
import hashlib
import re
import socket
import threading


class Scscf:
    def __init__(self, address, port=5060):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.here = f"{address}:{port}"
        self.users = {}
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def register(self, uri, address, port=5060):
        self.users[uri] = (address, port)

    def run(self):
        while True:
            octets, source = self.socket.recvfrom(65536)
            if octets == b"stop":
                return
            head, blank, body = octets.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
            lines = head.split("\r\n")
            if len(lines) < 2:
                continue  # a keep-alive
            found = self.response(lines) if lines[0].startswith("SIP/") else self.request(lines, source)
            if found:
                lines, there = found
                self.socket.sendto(("\r\n".join(lines) + blank + body).encode("utf-8", "surrogateescape"), there)

    def request(self, lines, source):
        method, uri, _ = lines[0].split(" ")
        there = self.users.get(re.split("[;?]", uri)[0])
        if not there and (spelled := re.match(r"sips?:(?:[^@]*@)?([0-9.]+)(?::(\d+))?", uri)):
            there = spelled[1], int(spelled[2] or 5060)
        if not there:
            return None
        lines = [line for line in lines if not (line.lower().startswith("route:") and self.here in line)]
        first = next(at for at, line in enumerate(lines) if line.lower().startswith(("via:", "v:")))
        branch = re.search(r"branch=([^;,\s]+)", lines[first])[1]
        # RFC 3261, 18.2.1: where it came from, for the way back
        lines[first] = re.sub(r";rport(?=[;\s,]|$)", f";rport={source[1]}", lines[first]) + f";received={source[0]}"
        own = hashlib.sha256(f"{branch} {method if method != 'ACK' else 'INVITE'}".encode()).hexdigest()[:16]
        lines.insert(first, f"Via: SIP/2.0/UDP {self.here};branch=z9hG4bK{own}")
        return lines, there

    def response(self, lines):
        vias = [at for at, line in enumerate(lines) if line.lower().startswith(("via:", "v:"))]
        if len(vias) < 2 or self.here not in lines[vias[0]]:
            return None
        below = lines[vias[1]]
        host = re.search(r"SIP/2.0/UDP\s+([^;:\s]+)(?::(\d+))?", below)
        received, rport = re.search(r";received=([0-9.]+)", below), re.search(r";rport=(\d+)", below)
        there = received[1] if received else host[1], int(rport[1] if rport else host[2] or 5060)
        return lines[:vias[0]] + lines[vias[0] + 1:], there

    def stop(self):
        address, port = self.here.split(":")
        self.socket.sendto(b"stop", (address, int(port)))
        self.thread.join(5)
        self.socket.close()
