#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The vectors of tests/vectors/mikey: our program still makes them, and a second implementation of RFC 6043, by its
text and python's standard library alone, finds the same keys, MACs and signatures in their messages.

With --write, the files are written anew.
"""
import fnmatch
import glob
import hashlib
import hmac
import os
import re
import subprocess
import sys
import unittest

import aes

ROOT = os.environ.get("GATEHOUSE_SOURCE_ROOT", ".")
FOLDER = os.path.join(ROOT, "tests", "vectors", "mikey")
PROGRAM = os.environ.get("MIKEY_VECTORS", "build/tests/mikey/mikey_vectors")
AUTH, ENCR, SALT = 0x2D22AC75, 0x150533E1, 0x29B88916  # RFC 3830, 4.1.4
USES = {"auth_key": AUTH, "encr_key": ENCR, "salt_key": SALT}
TEK = 0x2AD01C64  # RFC 3830, 4.1.3
KEY_TYPES = ["TGK", "TGK+SALT", "TEK", "TEK+SALT", "GTGK", "GTGK+SALT", "MPK"]
DIGEST_INFO = {"sha1": "3021300906052b0e03021a05000414", "sha256": "3031300d060960864801650304020105000420"}


def read_yaml(text):
    """The little of YAML that these files use: maps of two levels, text, blocks."""
    top, section, block = {}, None, None
    for line in text.splitlines():
        if line.startswith("    "):
            section[block] += line.strip()
        elif line.startswith("  "):
            name, value = line.strip().split(": ", 1)
            block = name if value == "|" else None
            section[name] = "" if block else value.strip('"')
        elif line and not line.startswith("#"):
            name, value = line.split(":", 1)
            top[name] = value.strip().strip('"') or {}
            section = top[name]
    return top


def u(number, octets):
    return number.to_bytes(octets, "big")


def counted(data, width=1):
    return u(len(data), width) + data


def prf(name, key, label, length):
    """RFC 3830, 4.1.2; RFC 6043, 6.1."""
    hash_name = "sha1" if name == "MIKEY-1" else "sha256"

    def mac(s, data):
        return hmac.new(s, data, hash_name).digest()

    out = bytes(length)
    for at in range(0, len(key), 32):
        s, a, stream = key[at:at + 32], label, b""
        while len(stream) < length:
            a = mac(s, a)
            stream += mac(s, a + label)
        out = bytes(x ^ y for x, y in zip(out, stream))
    return out


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        assert self.at + length <= len(self.data)
        self.at += length
        return self.data[self.at - length:self.at]

    def number(self, octets):
        return int.from_bytes(self.take(octets), "big")


MAC_LEN = {0: 0, 1: 20, 2: 32}


def payload(r, kind):
    """One payload after its "next payload" octet, as a dict."""
    p = {"type": kind}
    if kind == 1:
        p["encr"], p["data"] = r.number(1), r.take(r.number(2))
        p["mac_alg"] = r.number(1)
        p["mac"] = r.take(MAC_LEN[p["mac_alg"]])
    elif kind == 2:
        p["data"] = r.take(r.number(2) & 0x3fff)
    elif kind == 4:
        p["data"] = r.take(r.number(2) & 0xfff)
    elif kind in (5, 13):
        p["role"] = r.number(1) if kind == 13 else 0
        p["ts_type"] = r.number(1)
        p["value"] = r.take(8 if p["ts_type"] < 2 else 4)
    elif kind in (6, 7, 14):
        p["role"] = r.number(1) if kind == 14 else 0
        p["id_type"], p["data"] = r.number(1), r.take(r.number(2))
    elif kind == 8:
        p["data"] = r.take({0: 20, 1: 16, 2: 32}[r.number(1)])
    elif kind == 9:
        p["mac_alg"] = r.number(1)
        p["mac"] = r.take(MAC_LEN[p["mac_alg"]])
    elif kind == 10:
        p["no"], p["prot"], p["data"] = r.number(1), r.number(1), r.take(r.number(2))
    elif kind in (11, 15):
        p["role"], p["data"] = r.number(1) if kind == 15 else 0, r.take(r.number(1))
    elif kind == 12:
        p["error"] = r.number(1)
        r.take(2)
    elif kind in (16, 17):
        p["ticket"], bits = (r.number(2), r.number(1), r.number(1)), r.number(3)
        p["prf"], p["flags"] = bits >> 17, {c for i, c in enumerate("DEFGHIJKLMNO") if bits >> (16 - i) & 1}
        p["policy"] = chain_of(r.take(r.number(2)))
        if kind == 17:
            p["data"], p["data_end"] = r.take(r.number(2)), r.at
            p["initiator"] = r.take(r.number(2))
            p["end"] = r.at
    elif kind == 20:
        p["key_type"], p["data"] = r.number(1), r.take(r.number(2))
        p["spi"] = r.take(r.number(1)) if p["key_type"] & 15 == 1 else b""
        p["key_type"] = KEY_TYPES[p["key_type"] >> 4]
    else:
        raise AssertionError(f"payload type {kind}")
    return p


def chain(r, kind):
    out = []
    while kind:
        begin, following = r.at, 0 if kind == 4 else r.number(1)
        out.append(dict(payload(r, kind), begin=begin))
        kind = following
    return out


def chain_of(data):
    return chain(Reader(data[1:]), data[0]) if data else []


class Message:
    def __init__(self, octets):
        r = Reader(octets)
        self.octets = octets
        assert r.number(1) == 1
        self.kind, first, self.v_prf, self.csb = r.number(1), r.number(1), r.number(1), r.take(4)
        count, self.map = r.number(1), r.number(1)
        self.sessions = []
        for _ in range(count if self.map == 2 else 0):
            session = {"id": r.number(1), "prot": r.number(1)}
            session["policies"] = r.take(r.number(1) & 0x7f)
            session["data"], session["spi"] = r.take(r.number(2)), r.take(r.number(1))
            self.sessions.append(session)
        self.payloads = chain(r, first)
        assert r.at == len(octets)

    def find(self, kind, role=0):
        return next((p for p in self.payloads if p["type"] == kind and p.get("role", 0) == role), None)

    def unprotected(self):
        """All but the MAC or signature at its end."""
        last = self.payloads[-1]
        return self.octets[:len(self.octets) - len(last.get("mac", last.get("data")))]

    def time(self):
        return self.find(5)["value"]


class Flow:
    """One vector, followed by its inputs and messages alone; `keys` is what comes out."""

    def __init__(self, case, vector):
        self.case, self.keys = case, {}
        self.p = vector["parameters"]
        self.ids = {name: text.encode() for name, text in vector["identities"].items()}
        self.inputs = {name: bytes.fromhex(text) for name, text in vector["inputs"].items()}
        self.messages = {name: Message(bytes.fromhex(text)) for name, text in vector["messages"].items()}
        self.hash = "sha1" if self.p["mac"] == "HMAC-SHA-1-160" else "sha256"
        self.lengths = {"auth_key": 20 if self.hash == "sha1" else 32, "encr_key": 32 if "256" in self.p["encryption"] else 16,
                        "salt_key": 8 if "KW" in self.p["encryption"] else 14}

    def derive(self, name, prf_name, key, middle, uses):
        for use in uses:
            self.keys[f"{name}_{use}"] = prf(prf_name, key, u(USES[use], 4) + b"\xff" + middle, self.lengths[use])

    def mac(self, name, data, expected):
        self.case.assertEqual(hmac.new(self.keys[name + "_auth_key"], data, self.hash).digest(), expected, name)

    def open(self, name, kemac, csb, time):
        """The keys of a KEMAC (RFC 3830, 4.2.3), in order: [(type, octets)]."""
        key, salt = self.keys[name + "_encr_key"], self.keys[name + "_salt_key"]
        self.case.assertEqual((kemac["encr"], kemac["mac_alg"]), ({"AES-CM-128": 1, "AES-KW-128": 2, "AES-CM-256": 3}[
            self.p["encryption"]], 0))
        if "KW" in self.p["encryption"]:
            clear = aes.unwrap(key, salt, kemac["data"])
            self.case.assertIsNotNone(clear)
        else:
            iv = bytes(a ^ b for a, b in zip(salt, bytes(2) + csb + time)) + bytes(2)
            clear = aes.counter(key, iv, kemac["data"])
        r = Reader(clear)
        found = chain(r, 20)
        self.case.assertEqual(clear[r.at:].strip(b"\0"), b"")
        self.case.assertTrue(all(k["spi"] for k in found), "RFC 6043, 6.2.1")
        return [(k["key_type"], k["data"]) for k in found]

    def session_keys(self, tgk):
        """What follows the MPKs."""
        names = {"TGK": tgk, "GTGK": self.inputs.get("gtgk"), "TEK": self.inputs.get("tek")}
        return [(name, key) for name, key in names.items() if key]

    def question(self, name, user, role):
        """REQUEST_INIT or RESOLVE_INIT and its answer. @return the keys of the answer"""
        init, resp = self.messages[name + "_init"], self.messages[name + "_resp"]
        rand = init.find(15, role)["data"]
        rands = counted(rand) + b"\0" if role == 1 else b"\0" + counted(rand)
        covered = init.unprotected() + self.ids[user] + self.ids["kms"]
        self.keys[name + "_rand"] = rand
        if self.p["public_key"] == "true":
            key = self.keys[name + "_envelope_key"] = self.envelope(init)
            self.signature(user, covered, init.payloads[-1]["data"])
        else:
            key = self.inputs["psk_" + user]
            self.derive(name + "_init", self.p["prf"], key, init.csb + b"\1" + rands, ["auth_key"])
            self.mac(name + "_init", covered, init.payloads[-1]["mac"])
        self.derive(name + "_resp", self.p["prf"], key, init.csb + b"\2" + rands, USES)
        self.mac(name + "_resp", resp.unprotected() + init.octets, resp.payloads[-1]["mac"])
        self.case.assertEqual((init.map, init.sessions, resp.csb), (1, [], init.csb))
        return self.open(name + "_resp", resp.find(1), resp.csb, resp.time())

    def envelope(self, init):
        n, d = (int.from_bytes(self.inputs["kms_rsa_" + what], "big") for what in "nd")
        block = u(pow(int.from_bytes(init.find(2)["data"], "big"), d, n), 256)
        self.case.assertEqual(block[:2], b"\0\2")
        padding, key = block[2:].split(b"\0", 1)
        self.case.assertGreaterEqual(len(padding), 8)
        return key

    def signature(self, user, covered, signature):
        """RSASSA-PKCS1-v1_5, the hash by the PRF."""
        name = "sha1" if self.p["prf"] == "MIKEY-1" else "sha256"
        n = int.from_bytes(self.inputs[user + "_rsa_n"], "big")
        info = bytes.fromhex(DIGEST_INFO[name]) + hashlib.new(name, covered).digest()
        self.case.assertEqual(u(pow(int.from_bytes(signature, "big"), 65537, n), 256),
                              b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info)

    def ticket(self):
        init = self.messages["transfer_init"]
        ticket, prf_name = init.find(17), self.p["ticket_prf"]
        first, data = ticket["data"][0], Reader(ticket["data"])
        data.take(1)
        data.take(data.number(2))
        inside = chain(data, first)
        self.case.assertEqual([p["type"] for p in inside], [5, 11, 1, 14, 9])
        rand = self.keys["ticket_rand"] = inside[1]["data"]
        self.derive("ticket", prf_name, self.inputs["tpk"], b"\xff" * 4 + b"\5" + counted(rand), USES)
        covered = init.octets[ticket["begin"] + 1:ticket["data_end"] - len(inside[-1]["mac"])]
        self.mac("ticket", covered, inside[-1]["mac"])
        keys = self.open("ticket", inside[2], b"\xff" * 4, inside[0]["value"])
        self.case.assertEqual(keys, [("MPK", self.inputs["mpk"])] + self.session_keys(self.inputs["tgk"]))
        for name, constant in (("mpki", 0x220E99A2), ("mpkr", 0x1F4D675B)):
            self.keys[name] = prf(prf_name, self.inputs["mpk"], u(constant, 4) + b"\xff" * 5 + b"\6" + counted(rand),
                                  len(self.inputs["mpk"]))
        return ticket

    def transfer_init(self, ticket):
        init = self.messages["transfer_init"]
        rand = self.keys["transfer_init_rand"] = init.find(15, 1)["data"]
        supplied = init.find(1) and self.inputs["tek_supplied"]
        self.derive("transfer_init", self.p["prf"], self.keys["mpki"], init.csb + b"\1" + counted(rand) + b"\0",
                    USES if supplied else ["auth_key"])
        covered = init.octets[:ticket["data_end"]] + init.unprotected()[ticket["end"]:]
        self.mac("transfer_init", covered + self.ids["initiator"] + self.ids["called"], init.payloads[-1]["mac"])
        if supplied:
            self.case.assertEqual(self.open("transfer_init", init.find(1), init.csb, init.time()), [("TEK", supplied)])
        self.case.assertEqual("I" in ticket["flags"], bool(ticket["initiator"]))
        if not ticket["initiator"]:
            return
        vi, vr = chain_of(ticket["initiator"])
        self.case.assertEqual(vi["mac"], init.payloads[-1]["mac"])
        self.keys["vr_auth_key"] = prf(self.p["ticket_prf"], self.keys["mpkr"], u(AUTH, 4) + b"\xff" * 5 + b"\4",
                                       self.lengths["auth_key"])
        self.mac("vr", ticket["initiator"][:-len(vr["mac"])], vr["mac"])

    def fork(self, resp):
        rand = self.keys["randrkms"] = resp.find(15, 3)["data"]
        label = b"\xff" * 5 + b"\0" + counted(resp.find(14, 2)["data"], 2) + counted(rand)
        for name, old, constant in (("mpkr_forked", self.keys["mpkr"], 0x2B288856), ("tgk_forked", self.inputs["tgk"], 0x1512B54A)):
            self.keys[name] = prf(self.p["ticket_prf"], old, u(constant, 4) + label, len(old))

    def transfer_resp(self):
        init, resp = self.messages["transfer_init"], self.messages["transfer_resp"]
        rand_i, rand_r = self.keys["transfer_init_rand"], resp.find(15, 2)["data"]
        self.keys["transfer_resp_rand"] = rand_r
        self.derive("transfer_resp", self.p["prf"], self.keys.get("mpkr_forked", self.keys["mpki"]),
                    init.csb + b"\2" + counted(rand_i) + counted(rand_r), USES if resp.find(1) else ["auth_key"])
        self.mac("transfer_resp", resp.unprotected() + init.octets, resp.payloads[-1]["mac"])
        if resp.find(1):
            self.case.assertEqual(self.open("transfer_resp", resp.find(1), resp.csb, resp.time()),
                                  [("TEK", self.inputs["tek_supplied"])])

    def tek(self, ticket, sessions):
        self.case.assertEqual([(s["prot"], len(s["policies"])) for s in sessions], [(241, 1)])
        if "tek_supplied" in self.inputs:
            return self.inputs["tek_supplied"]
        rands = b"".join(counted(self.keys.get(name, b"") if flag in ticket["flags"] else b"")
                         for name, flag in (("transfer_init_rand", "H"), ("transfer_resp_rand", "G")))
        return prf(self.p["prf"], self.keys.get("tgk_forked", self.inputs["tgk"]),
                   u(TEK, 4) + u(int(self.p["cs_id"]), 1) + b"\xff" * 4 + b"\3" + rands, 32)

    def update(self, number, sender, flags):
        """RFC 6043, 5.2: without ticket and RANDs, under the keys of the last message of the first exchange, both ways."""
        init, resp = self.messages[f"update_{number}_init"], self.messages[f"update_{number}_resp"]
        for message in (init, resp):
            self.case.assertEqual([p["type"] for p in message.payloads if p["type"] in (15, 17)], [])
            self.case.assertEqual(message.csb, self.messages["transfer_init"].csb)
        self.case.assertEqual((init.kind, resp.kind), (14, 15))
        roles = [p["role"] for p in init.payloads if p["type"] == 14]
        self.case.assertEqual((roles, [p["role"] for p in resp.payloads if p["type"] == 14]), ([sender, 3 - sender], [3 - sender]))
        self.mac("transfer_resp", init.unprotected() + self.ids["initiator"] + self.ids["responder"], init.payloads[-1]["mac"])
        self.mac("transfer_resp", resp.unprotected() + init.octets, resp.payloads[-1]["mac"])
        tgk = self.inputs[f"tgk_{number}"]
        self.case.assertEqual(self.open("transfer_resp", init.find(1), init.csb, init.time()), [("TGK", tgk)])
        self.case.assertEqual([(s["id"], s["prot"], s["spi"]) for s in resp.sessions], [(number, 241, b"tgk%d" % number)])
        rands = b"".join(counted(self.keys[name] if flag in flags else b"")
                         for name, flag in (("transfer_init_rand", "H"), ("transfer_resp_rand", "G")))
        self.keys[f"tek_{number}"] = prf(self.p["prf"], tgk, u(TEK, 4) + u(number, 1) + b"\xff" * 4 + b"\3" + rands, 32)

    def run(self):
        forked = self.p["forked"] == "true"
        ticket = self.ticket()
        if "request_init" in self.messages:
            mpks = [("MPK", self.keys[name]) for name in ("mpki", "mpkr")[:1 + forked]]
            self.case.assertEqual(self.question("request", "initiator", 1), mpks + self.session_keys(self.inputs["tgk"]))
        self.transfer_init(ticket)
        if forked:
            self.fork(self.messages["resolve_resp"])
        if "resolve_init" in self.messages:
            mpks = [("MPK", self.keys[name]) for name in ("mpki", "mpkr_forked")[:1 + forked]]
            self.case.assertEqual(self.question("resolve", "responder", 2),
                                  mpks + self.session_keys(self.keys.get("tgk_forked", self.inputs["tgk"])))
        last = self.messages["transfer_init"]
        if "transfer_resp" in self.messages:
            last = self.messages["transfer_resp"]
            self.transfer_resp()
        self.keys["tek"] = self.tek(ticket, last.sessions)
        if "update_2_init" in self.messages:
            self.update(2, 1, ticket["flags"])
            self.update(3, 2, ticket["flags"])
            times = [m.time() for name, m in self.messages.items() if name.startswith("update") or name == "transfer_resp"]
            self.case.assertEqual(len(set(times)), 5)
        return self.keys


def made(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=True).stdout


def files():
    return {os.path.basename(path)[:-5]: path for path in glob.glob(os.path.join(FOLDER, "*.yaml"))}


class Vectors(unittest.TestCase):
    def test_aes_is_aes(self):
        # FIPS 197, C.1 and C.3; RFC 3394, 4.1
        block = bytes.fromhex("00112233445566778899aabbccddeeff")
        for key, cipher in ((16, "69c4e0d86a7b0430d8cdb78070b4c55a"), (32, "8ea2b7ca516745bfeafc49904b496089")):
            self.assertEqual(aes.encrypt(bytes(range(key)), block).hex(), cipher)
            self.assertEqual(aes.decrypt(bytes(range(key)), bytes.fromhex(cipher)), block)
        wrapped = bytes.fromhex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5")
        self.assertEqual(aes.unwrap(bytes(range(16)), b"\xa6" * 8, wrapped), block)

    def test_our_program_still_makes_them(self):
        names = made().split()
        self.assertEqual(set(names), set(files()))
        for name in names:
            with self.subTest(name=name), open(files()[name], encoding="utf-8") as text:
                self.assertEqual(text.read(), made(name))

    def test_the_second_implementation_agrees(self):
        seen = 0
        for name, path in sorted(files().items()):
            if name == "errors":
                continue
            with self.subTest(name=name), open(path, encoding="utf-8") as text:
                vector = read_yaml(text.read())
                self.assertEqual({k: v.hex() for k, v in Flow(self, vector).run().items()}, vector["keys"])
                seen += 1
        self.assertGreaterEqual(seen, 12)

    def test_the_manual_knows_each_key(self):
        with open(os.path.join(ROOT, "docs", "mikey.md"), encoding="utf-8") as text:
            table = text.read().split("| Key | From | By |")[1].split("\n\n")[0]
        known = [name for row in table.splitlines()[2:] for name in re.findall("`([^`]+)`", row.split("|")[1])]
        used = set()
        for path in files().values():
            with open(path, encoding="utf-8") as text:
                for key in read_yaml(text.read()).get("keys", {}):
                    fits = [name for name in known if fnmatch.fnmatch(key, name)]
                    self.assertEqual(len(fits), 1, key)
                    used.update(fits)
        self.assertEqual(used, set(known))

    def test_error_messages(self):
        with open(files()["errors"], encoding="utf-8") as text:
            vector = read_yaml(text.read())
        flow = Flow(self, vector)
        plain, proved = flow.messages["error_transfer"], flow.messages["error_request"]
        self.assertEqual([(p["type"], p.get("error")) for p in plain.payloads], [(5, None), (12, 9), (10, None)])
        self.assertEqual([(p["type"], p.get("error")) for p in proved.payloads], [(5, None), (12, 15), (9, None)])
        self.assertEqual((plain.kind, plain.v_prf, plain.csb), (6, 1, flow.messages["transfer_init"].csb))
        flow.question("request", "initiator", 1)
        flow.mac("request_init", proved.unprotected(), proved.payloads[-1]["mac"])


def write():
    for name in made().split():
        with open(os.path.join(FOLDER, name + ".yaml"), "w", encoding="utf-8") as text:
            text.write(made(name))


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        unittest.main()
