# SPDX-License-Identifier: Apache-2.0
"""A capture read by tshark, with the secrets of TLS inside: what was said, as a ladder, and what is to be checked."""
import base64
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
FIELDS = ["frame.time_relative", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "sip.Request-Line", "sip.Status-Line",
          "sip.CSeq.method", "sdp.media_attribute.value", "mikey.type", "http.request.method", "http.request.uri", "http.response.code", "tcp.payload", "megaco.transaction", "megaco.command",
          "megaco.signal", "megaco.error_code", "tls.handshake.type", "tls.alert_message.desc", "msrp.method", "msrp.status.code",
          "msrp.cnt.flg", "msrp.content.type", "bfcp.primitive", "bfcp.request_status", "_ws.malformed"]
MIKEY = {"6": "Error", "11": "REQUEST_INIT", "12": "REQUEST_INIT", "13": "REQUEST_RESP", "14": "TRANSFER_INIT", "15": "TRANSFER_RESP",
         "16": "RESOLVE_INIT", "17": "RESOLVE_INIT", "18": "RESOLVE_RESP"}
BFCP = ["", "FloorRequest", "FloorRelease", "FloorRequestQuery", "FloorRequestStatus", "UserQuery", "UserStatus", "FloorQuery", "FloorStatus",
        "ChairAction", "ChairActionAck", "Hello", "HelloAck", "Error", "FloorRequestStatusAck", "FloorStatusAck", "Goodbye", "GoodbyeAck"]
STATUS = ["", "Pending", "Accepted", "Granted", "Denied", "Cancelled", "Released", "Revoked"]
HANDSHAKE = {"1": "ClientHello", "2": "ServerHello", "20": "Finished", "12": "ServerKeyExchange", "16": "ClientKeyExchange"}


def read(capture, ports):
    """Rows of fields. `ports` are those of MSRP and BFCP inside TLS."""
    places = {"GATEHOUSE_" + kind.upper(): " ".join(map(str, found)) for kind, found in ports.items()}
    done = subprocess.run(["tshark", "-n", "-r", capture, "-X", "lua_script:" + os.path.join(HERE, "media.lua"), "-Y",
                           "sip or http or megaco or tls.handshake or tls.alert_message or msrp or bfcp", "-T", "fields", "-E", "separator=/t",
                           *sum((["-e", field] for field in FIELDS), [])],
                          capture_output=True, text=True, check=True, errors="replace", env=dict(os.environ, **places))
    return [dict(zip(FIELDS, line.split("\t"))) for line in done.stdout.splitlines()]


def mikey(row):
    """What MIKEY messages ride along, in HTTP or as a=key-mgmt of a media description, which tshark leaves as it is."""
    kinds = [MIKEY.get(kind, kind) for kind in row["mikey.type"].split(",") if kind]
    for begin in re.findall(r"mikey ([A-Za-z0-9+/]{4})", row["sdp.media_attribute.value"]):
        kinds.append(MIKEY.get(str(base64.b64decode(begin)[1]), "MIKEY"))
    return f" {{{', '.join(kinds)}}}" if kinds else ""


def said(row):
    """(protocol, words) of a row; None when there is nothing to tell."""
    if row["bfcp.primitive"]:
        states = [STATUS[int(state)] for state in row["bfcp.request_status"].split(",") if state.isdigit()]
        return "BFCP", ", ".join(BFCP[int(p)] for p in row["bfcp.primitive"].split(",")) + (f" {states[-1]}" if states else "")
    if row["msrp.method"] or row["msrp.status.code"]:
        words = row["msrp.method"] or row["msrp.status.code"]
        return "MSRP", words + (f" ({row['msrp.content.type']})" if row["msrp.content.type"] else "")
    if row["sip.Request-Line"] or row["sip.Status-Line"]:
        line = row["sip.Request-Line"].replace(" SIP/2.0", "") or f"{row['sip.Status-Line'][8:]} ({row['sip.CSeq.method']})"
        return "SIP", line + mikey(row)
    if row["http.request.uri"] or row["http.response.code"]:
        return "HTTP", (f"{row['http.request.method']} {row['http.request.uri']}" if row["http.request.uri"] else row["http.response.code"]) + mikey(row)
    if row["megaco.transaction"] or row["megaco.command"]:
        signals = [signal for signal in row["megaco.signal"].split(",") if "/" in signal]
        return "H.248", " ".join(filter(None, [row["megaco.transaction"], row["megaco.command"], *signals,
                                               row["megaco.error_code"] and "error " + row["megaco.error_code"]]))
    steps = [HANDSHAKE[step] for step in row["tls.handshake.type"].split(",") if step in HANDSHAKE]
    if steps:
        return "TLS", ", ".join(steps)
    return ("TLS", "alert " + row["tls.alert_message.desc"]) if row["tls.alert_message.desc"] else None


def asker(row):
    """Who asks the KMS: the first identity in his message."""
    found = re.search(rb"sip:(\w+)@", bytes.fromhex(row["tcp.payload"].replace(",", "")))
    return found[1].decode() if found else ""


class Ladder:
    """`names` of addresses; `owners` of media ports; `rooms`: who asks in the name of whom."""

    def __init__(self, names, owners, aliases):
        self.names, self.owners, self.aliases, self.clients = names, owners, aliases, {}

    def ends(self, row):
        ends = []
        for address, port, other in (("ip.src", "tcp.srcport", "tcp.dstport"), ("ip.dst", "tcp.dstport", "tcp.srcport")):
            name = self.names.get(row[address])
            ends.append(name or self.clients.get(row[port]) or self.owners.get(row[other]) or row[address])
        return ends

    def lines(self, rows):
        last, many = None, 0
        for row in rows:
            what = said(row)
            if row["http.request.uri"] and (who := asker(row)):
                self.clients[row["tcp.srcport"]] = self.aliases.get(who, who)
            if not what:
                continue
            source, to = self.ends(row)
            line = f"{source:>8} -> {to:<8} {what[0]:<5} {what[1]}"
            if line == last:
                many += 1
                continue
            if many:
                yield f"{'':>9} {'':>8}    {'':<8} {'':<5} ... {many} more"
            last, many = line, 0
            yield f"{float(row['frame.time_relative']):>9.3f} {line}"
