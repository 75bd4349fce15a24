#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MIKEY (RFC 3830) as GStreamer's libgstsdp writes and reads it, beside `gatehouse mikey decode`: its messages are read, and
of the payloads that it knows it reads the same (T, RAND, SP, KEMAC; at ID and PKE its release 1.22 goes round for ever)."""
import ctypes
import json
import os
import random
import subprocess
import unittest

import harness

SONAME = "libgstsdp-1.0.so.0"
PSK_INIT = 0
KEMAC, T, SP, RAND, KEY_DATA = 1, 5, 10, 11, 20
TGK, TEK_SALT = 0, 3
MINI = ctypes.c_uint8 * 64  # GstMiniObject, which begins them all


class Message(ctypes.Structure):
    _fields_ = [("mini", MINI), ("version", ctypes.c_uint8), ("type", ctypes.c_int), ("v", ctypes.c_int), ("prf", ctypes.c_int),
                ("csb_id", ctypes.c_uint32), ("map_type", ctypes.c_int)]


class Payload(ctypes.Structure):
    _fields_ = [("mini", MINI), ("type", ctypes.c_int), ("len", ctypes.c_uint)]


class Octets(ctypes.Structure):
    """RAND, whose length is an octet; T, whose length goes with its type."""
    _fields_ = [("head", Payload), ("what", ctypes.c_uint8), ("data", ctypes.POINTER(ctypes.c_uint8))]


class Srtp(ctypes.Structure):
    _fields_ = [("policy", ctypes.c_uint8), ("ssrc", ctypes.c_uint32), ("roc", ctypes.c_uint32)]


class Param(ctypes.Structure):
    _fields_ = [("type", ctypes.c_uint8), ("len", ctypes.c_uint8), ("val", ctypes.POINTER(ctypes.c_uint8))]


class Policy(ctypes.Structure):
    _fields_ = [("head", Payload), ("policy", ctypes.c_uint), ("proto", ctypes.c_int)]


def library():
    try:
        gst = ctypes.CDLL(SONAME)
    except OSError:
        return None
    core = ctypes.CDLL("libgstreamer-1.0.so.0")
    core.gst_init(None, None)
    for name in ("gst_mikey_message_new", "gst_mikey_message_new_from_data", "gst_mikey_message_to_bytes", "gst_mikey_payload_new"):
        getattr(gst, name).restype = ctypes.c_void_p
    for name, kind in (("payload", Payload), ("cs_srtp", Srtp)):
        call = getattr(gst, f"gst_mikey_message_get_{name}")
        call.restype, call.argtypes = ctypes.POINTER(kind), [ctypes.c_void_p, ctypes.c_uint]
    gst.gst_mikey_payload_sp_get_param.restype = ctypes.POINTER(Param)
    gst.g_bytes_get_data.restype = ctypes.c_void_p
    return gst


GST = library()


def p(value):
    return ctypes.c_void_p(value)


def decoded(octets):
    done = subprocess.run([os.path.join(harness.BUILD, "gatehouse"), "mikey", "decode", "--json", "-"], input=octets,
                          capture_output=True, check=True, timeout=30)
    return json.loads(done.stdout)[0]


def build(seed):
    """A message as GStreamer makes it, with values of a seed."""
    r = random.Random(seed)
    csb, ssrc, roc = r.getrandbits(32), r.getrandbits(32), r.getrandbits(32)
    time, rand, key, salt = (r.randbytes(n) for n in (8, r.randint(16, 40), 16 if seed % 2 else 30, 14))
    message = p(GST.gst_mikey_message_new())
    GST.gst_mikey_message_set_info(message, 1, PSK_INIT, 0, 0, csb, 0)
    GST.gst_mikey_message_add_cs_srtp(message, 0, ssrc, roc)
    GST.gst_mikey_message_add_t(message, 0, time)
    GST.gst_mikey_message_add_rand(message, len(rand), rand)
    policy = p(GST.gst_mikey_payload_new(SP))
    GST.gst_mikey_payload_sp_set(policy, 0, 0)
    GST.gst_mikey_payload_sp_add_param(policy, 1, 1, b"\x10")
    GST.gst_mikey_message_add_payload(message, policy)
    kemac = p(GST.gst_mikey_payload_new(KEMAC))
    GST.gst_mikey_payload_kemac_set(kemac, 0, 0)  # in the clear, as its SRTP elements do inside TLS
    sub = p(GST.gst_mikey_payload_new(KEY_DATA))
    GST.gst_mikey_payload_key_data_set_key(sub, TEK_SALT if seed % 2 else TGK, len(key), key)
    if seed % 2:
        GST.gst_mikey_payload_key_data_set_salt(sub, len(salt), salt)
    GST.gst_mikey_payload_key_data_set_spi(sub, 4, b"spi1")
    GST.gst_mikey_payload_kemac_add_sub(kemac, sub)
    GST.gst_mikey_message_add_payload(message, kemac)
    octets = p(GST.gst_mikey_message_to_bytes(message, None, None))
    size = ctypes.c_size_t()
    data = GST.g_bytes_get_data(octets, ctypes.byref(size))
    out = ctypes.string_at(data, size.value)
    GST.g_bytes_unref(octets)
    GST.gst_mini_object_unref(message)
    return out, {"csb": csb, "ssrc": ssrc, "roc": roc, "time": time, "rand": rand, "key": key, "salt": salt}


def sample():
    """A message by the text of RFC 3830, with payloads that GStreamer knows, and what is in it."""
    time, rand, data = bytes.fromhex("e0000001c0000000"), bytes(range(17)), bytes(range(48))
    octets = (bytes([1, PSK_INIT, T, 0x80]) + bytes.fromhex("12345678") + b"\2\0" + b"\3\0\0\0\1\0\0\0\0" + b"\4\0\0\0\2\0\0\0\7" +
              bytes([RAND, 0]) + time + bytes([SP, len(rand)]) + rand + bytes([KEMAC, 3, 0, 0, 6, 0, 1, 1, 11, 1, 10]) +
              bytes([0, 1, 0, len(data)]) + data + b"\1" + bytes(range(20)))
    return octets, time, rand


def octets_at(pointer, size):
    return ctypes.string_at(pointer, size)


@unittest.skipUnless(GST, f"{SONAME} is not installed (package libgstreamer-plugins-base1.0-0)")
class GStreamer(unittest.TestCase):
    def test_its_messages_are_read(self):
        for seed in range(8):
            octets, value = build(seed)
            said = decoded(octets)
            kinds = {payload["payload"]: payload for payload in said["payloads"]}
            self.assertEqual([said["message"], said["CSB ID"], said["PRF"]], ["Pre-shared", f"0x{value['csb']:08x}", "MIKEY-1"])
            session = said["crypto sessions"][0]
            self.assertEqual([session["SSRC"], session["ROC"]], [f"0x{value['ssrc']:08x}", value["roc"]])
            self.assertEqual(list(kinds), ["T", "RAND", "SP", "KEMAC"])
            self.assertEqual(kinds["RAND"]["data"], value["rand"].hex())
            self.assertEqual(kinds["SP"]["parameters"][0]["value"], "10")
            key = kinds["KEMAC"]["keys"][0]
            self.assertEqual([key["payload"], key["key"], key["SPI"]], [
                "Key data", f"{len(value['key'])} octets, not shown", b"spi1".hex()])
            self.assertEqual("salt" in key, bool(seed % 2))

    def test_it_reads_the_same(self):
        octets, time, rand = sample()
        pointer = GST.gst_mikey_message_new_from_data(octets, len(octets), None, None)
        self.assertTrue(pointer)
        message, said = Message.from_address(pointer), decoded(octets)
        sessions = [GST.gst_mikey_message_get_cs_srtp(pointer, i).contents for i in range(2)]
        payloads = [GST.gst_mikey_message_get_payload(pointer, i) for i in range(4)]
        kinds = [payload["payload"] for payload in said["payloads"]]
        names = {T: "T", RAND: "RAND", SP: "SP", KEMAC: "KEMAC"}
        self.assertEqual([message.type, bool(message.v), f"0x{message.csb_id:08x}"], [PSK_INIT, True, said["CSB ID"]])
        self.assertEqual([names[payload.contents.type] for payload in payloads], kinds)
        self.assertEqual([(f"0x{cs.ssrc:08x}", cs.roc, f"{cs.policy:02x}") for cs in sessions],
                         [(cs["SSRC"], cs["ROC"], cs["policies"]) for cs in said["crypto sessions"]])
        when = ctypes.cast(payloads[0], ctypes.POINTER(Octets)).contents
        chance = ctypes.cast(payloads[1], ctypes.POINTER(Octets)).contents
        self.assertEqual(octets_at(when.data, 8), time)
        self.assertEqual([octets_at(chance.data, chance.what).hex(), rand.hex()], [said["payloads"][1]["data"]] * 2)
        policy = payloads[2]
        params = [GST.gst_mikey_payload_sp_get_param(policy, i).contents for i in range(2)]
        self.assertEqual([octets_at(param.val, param.len).hex() for param in params],
                         [param["value"] for param in said["payloads"][2]["parameters"]])
        GST.gst_mini_object_unref(p(pointer))


if __name__ == "__main__":
    unittest.main()
