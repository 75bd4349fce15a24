#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wireshark dissects our binary encoding: no malformed packet, no expert item, and the numbers it reads are those we
wrote. It does not know double-wrapped values and reads version 3 of 09/2005 with Amendment 1; what it takes offence at
is named in EXCEPTIONS: the words and the place, in messages that have the feature. Any other complaint fails, in those
messages too. (Its text dissector flags valid messages: text is judged in tests/h248/test_abnf.py.)"""
import collections
import fnmatch
import html
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

CORPUS = os.path.join(os.environ.get("GATEHOUSE_BUILD_ROOT", "build"), "tests", "h248", "h248_corpus")
COUNT = 15000
TSHARK = shutil.which("tshark")
NO_TSHARK = "tshark is not installed (package tshark)"

# What it tells of a message that is as it should be: the message carries an error descriptor.
TOLD = {"Errored Command"}
BEYOND = "This field lies beyond the end of the known sequence definition."
WRONG = "Wrong field in SEQUENCE: expected class"
OCTETS = "OctetString expected but class:UNIVERSAL"
MALFORMED = "Malformed Packet (Exception occurred)"
EXTENSION = "the ASN.1 marks it as extensible; Wireshark calls what stands behind the marker an error: "
# (feature, versions, how the complaint begins, the innermost fields it stands in or behind, clause and what Wireshark does).
# Fields with a * are rare; of those one is enough.
EXCEPTIONS = (
    ("NAME_EXTENSION", "123", BEYOND, "TerminationID terminationID terminationFrom terminationTo mess",
     EXTENSION + "a name that the binary form has no room for"),
    ("MUX_EXTENSION", "123", BEYOND, "muxDescriptor", EXTENSION + "MuxType X-.."),
    ("METHOD_EXTENSION", "123", BEYOND, "serviceChangeParms", EXTENSION + "ServiceChangeMethod X-.."),
    ("SERVICES_EXTENSION", "123", BEYOND, "serviceChangeParms", EXTENSION + "a parameter X-.. of ServiceChange"),
    ("SELECT_LIST", "3", BEYOND, "contextAttrAuditReq", EXTENSION + "ContextList as a selector, which only text has"),
    ("AUDIT_UNEQUAL", "3", BEYOND, "termStateDescr localControlDescriptor",
     EXTENSION + "selection by inequality, which only text has"),
    ("AUDIT_REPLY", "1", WRONG, "auditValueReplyV1 terminationID",
     "sheet 4.3: Wireshark reads AuditReply of version 1 as RFC 3015 had it"),
    ("AUDIT_REPLY", "1", BEYOND, "terminationID", "likewise: it takes the result for more of the TerminationID"),
    ("PARAMETER_LIST", "1", BEYOND, "EventParameter SigParameter",
     "Annex A EventParameter, SigParameter, extraInfo: missing in its version 1"),
    ("PARAMETER_RELATION", "1", BEYOND, "EventParameter SigParameter",
     "Annex A EventParameter, SigParameter, extraInfo: likewise"),
    ("AUDIT_LIST", "3", BEYOND, "auditCapRequest auditValueRequest",
     "sheet 4.2 AuditRequest: it has terminationIDList as [3]; automatic tagging makes it [2]"),
    ("GENERIC_MORE", "123", OCTETS, "eventParamValue",
     "RFC 3525, E.1.2; chp: of these packages it reads values itself, one of each, also in events embedded in them"),
    ("GENERIC_MORE", "123", MALFORMED, "eventParamValue generic.* chp.*",
     "RFC 3525, E.1.2; chp: likewise, and gives up where the value is another"),
)


# What the binary form is never given.
NEVER_WRITTEN = {
    "h248.contectAuditResult_element": "of Wireshark's own version 1, as RFC 3015 had it",
    "h248.h221NonStandard_element": "NonStandardData of another form than the experimental one that text has (X-)",
}


def corpus(count):
    data = subprocess.run([CORPUS, "write", "ber", str(count)], capture_output=True, check=True).stdout
    at = 0
    while at < len(data):
        number, length = struct.unpack_from(">II", data, at)
        yield number, data[at + 8:at + 8 + length]
        at += 8 + length


def features(count):
    done = subprocess.run([CORPUS, "features", "ber", str(count)], capture_output=True, check=True, text=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return {int(row[0]): (row[1], set(row[2:])) for row in rows}


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def packet(number, message):
    """IPv4 and UDP to port 2945; the message's number is the source address."""
    udp = struct.pack(">HHHH", 40000, 2945, 8 + len(message), 0) + message
    head = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x0A000000 | number, 0x7F000001)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


def write_capture(path, messages):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))  # raw IP
        for number, message in messages:
            data = packet(number, message)
            file.write(struct.pack("<IIII", number, 0, len(data), len(data)) + data)


@unittest.skipUnless(TSHARK, NO_TSHARK)
class Dissected(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-tshark-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

    def dissect(self, messages, *fields):
        """{number: list of fields, each a list of values}"""
        path = os.path.join(self.folder, "ber.pcap")
        write_capture(path, messages)
        command = [TSHARK, "-n", "-r", path, "-d", "udp.port==2945,h248", "-T", "fields", "-E", "separator=|",
                   "-E", "aggregator=;", "-e", "frame.number"]
        for field in fields:
            command += ["-e", field]
        env = dict(os.environ, HOME=self.folder, XDG_CONFIG_HOME=self.folder)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500, env=env)
        self.assertEqual(done.returncode, 0, done.stderr[-500:])
        numbers = [number for number, _ in messages]
        return {numbers[int(line.split("|")[0]) - 1]: [f.split(";") if f else [] for f in line.split("|")[1:]]
                for line in done.stdout.splitlines()}

    def complaints(self, messages):
        """{number: {(words, innermost field of H.248 around or before them)}}; numbers without complaints are left out."""
        path = os.path.join(self.folder, "tree.pcap")
        write_capture(path, messages)
        env = dict(os.environ, HOME=self.folder, XDG_CONFIG_HOME=self.folder)
        with subprocess.Popen([TSHARK, "-n", "-r", path, "-d", "udp.port==2945,h248", "-T", "pdml"], env=env, text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tree:
            found, at, fields, last = collections.defaultdict(set), -1, [], ""
            for line in map(str.strip, tree.stdout):  # one element a line
                if line.startswith("<packet"):
                    at, fields, last = at + 1, [], ""
                elif line.startswith(("<field ", "<proto ")):
                    name = line.split('"', 2)[1]
                    if name == "_ws.expert.message":
                        around = [f for f in fields if f.startswith("h248.")]
                        place = (around[-1] if around else last).removeprefix("h248.").removesuffix("_element")
                        words = html.unescape(re.search(r'show="([^"]*)"', line).group(1)).removeprefix("BER Error: ")
                        if words not in TOLD:
                            found[messages[at][0]].add((words, place))
                    last = name if name.startswith("h248.") else last
                    if not line.endswith("/>"):
                        fields.append(name)
                elif line.startswith(("</field", "</proto")):
                    fields.pop()
        self.assertEqual(tree.returncode, 0)
        self.assertEqual(at + 1, len(messages))
        return found

    @staticmethod
    def matching(place, places):
        return [one for one in places.split() if fnmatch.fnmatchcase(place, one)]

    def excuse(self, complaint, version, features_):
        """The row that has it, or None."""
        words, place = complaint
        for row in EXCEPTIONS:
            name, versions, begins, places, _ = row
            if name in features_ and version in versions and words.startswith(begins) and self.matching(place, places):
                return row
        return None

    def test_nothing_malformed_and_no_expert_item(self):
        messages = list(corpus(COUNT))
        has = features(COUNT)
        seen = self.dissect(messages, "frame.protocols", "_ws.malformed", "_ws.expert.message", "h248.version")
        self.assertEqual(len(seen), COUNT)
        suspects = []
        for number, (protocols, malformed, experts, version) in seen.items():
            self.assertIn("h248", protocols[0], number)
            if malformed or set(experts) - TOLD:
                suspects.append((number, messages[number][1]))
            else:
                self.assertEqual(version[0], str(1 + number % 3))
        told = self.complaints(suspects)
        self.assertEqual(set(told), {number for number, _ in suspects})
        bad, excused = [], collections.Counter()
        for number, complaints in told.items():
            for complaint in sorted(complaints):
                row = self.excuse(complaint, *has[number])
                if row:
                    excused.update((row[0], row[2], place) for place in self.matching(complaint[1], row[3]))
                else:
                    bad.append((number, has[number][0], complaint))
        for name, versions, begins, places, why in EXCEPTIONS:
            for place in places.split():
                print(f"  {excused[name, begins, place]:4} {name} (version {', '.join(versions)}) in {place}: {why}")
        self.assertEqual(bad[:5], [], f"{len(bad)} complaints about {COUNT} messages")
        self.assertEqual([(row[0], row[2], place) for row in EXCEPTIONS for place in row[3].split()
                          if "*" not in place and not excused[row[0], row[2], place]], [], "exceptions that do not occur")
        for row in EXCEPTIONS:
            rare = [excused[row[0], row[2], place] for place in row[3].split() if "*" in place]
            self.assertTrue(any(rare) or not rare, f"none of {row[3]} occurs")

    def test_every_element_of_the_asn1_comes(self):
        """Each SEQUENCE and CHOICE that Wireshark's dissector has from the modules is in the corpus."""
        done = subprocess.run([TSHARK, "-G", "fields"], capture_output=True, text=True, check=True, timeout=120)
        known = {line.split("\t")[2] for line in done.stdout.splitlines() if re.match(r"F\t[^\t]*\th248\.\w+_element\t", line)}
        self.assertGreater(len(known), 100)
        path = os.path.join(self.folder, "all.pcap")
        write_capture(path, list(corpus(9000)))
        env = dict(os.environ, HOME=self.folder, XDG_CONFIG_HOME=self.folder)
        with subprocess.Popen([TSHARK, "-n", "-r", path, "-d", "udp.port==2945,h248", "-T", "pdml"], env=env, text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tree:
            seen = set(re.findall(r'<field name="(h248\.\w+_element)"', "".join(
                line for line in tree.stdout if '_element"' in line)))
        self.assertEqual({name: NEVER_WRITTEN.get(name, "not in the corpus") for name in known - seen}, NEVER_WRITTEN)

    def test_it_sees_what_is_broken(self):
        """The judge can say no."""
        messages = [(n, m[:-3] if n % 2 else m[:20] + bytes([m[20] ^ 0x40]) + m[21:]) for n, m in corpus(40)]
        seen = self.dissect(messages, "_ws.malformed", "_ws.expert.message")
        self.assertGreater(sum(1 for malformed, experts in seen.values() if malformed or experts), 20)

    def test_an_exception_excuses_nothing_else(self):
        """What is broken in a message that has an exception is seen all the same."""
        has = features(3000)
        names = {row[0] for row in EXCEPTIONS}
        messages = [(n, m[:-3]) for n, m in corpus(3000) if names & has[n][1] and len(m) > 100][:60]
        told = self.complaints(messages)
        caught = [n for n, _ in messages if any(not self.excuse(c, *has[n]) for c in told.get(n, ()))]
        self.assertGreater(len(caught), 54, told)


if __name__ == "__main__":
    unittest.main(verbosity=2)
