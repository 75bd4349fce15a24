#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Erlang/OTP's megaco judges our codec over the generated corpus: it decodes what we encode, we decode what it encodes,
and the term at the end is the term at the start. Where it departs from the standard we follow the standard; EXCEPTIONS
names each such place with its clause. A message with none of them must pass; each of them must be seen to fail in a
message that has no other, else it is out of date and to be removed."""
import collections
import os
import shutil
import subprocess
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(os.environ.get("GATEHOUSE_BUILD_ROOT", "build"), "tests", "h248", "h248_corpus")
JUDGE = os.path.join(HERE, "judge.escript")
POOL, PLAIN, EACH = 60000, 6000, 150  # messages to choose from; without exceptions; for each exception
HAVE_MEGACO = bool(shutil.which("escript")) and any(
    name.startswith("megaco") for folder in ("/usr/lib/erlang/lib", "/usr/local/lib/erlang/lib")
    if os.path.isdir(folder) for name in os.listdir(folder))
NO_MEGACO = "Erlang/OTP's megaco is not installed (package erlang-megaco)"

ALL = {"compact default", "compact flex", "pretty default", "pretty flex"}
DEFAULT = {"compact default", "pretty default"}
FLEX = {"compact flex", "pretty flex"}
BER = {"ber native"}

# (features a message must have, versions, runs, clause and what Erlang does). Sheet: the fact sheet of versions 2 and 3.
EXCEPTIONS = (
    ("AUTH", "123", ALL, "RFC 3525, B.2 authenticationHeader: writes wrong numbers of hexadecimal digits"),
    ("MID_MTP_LONG", "123", ALL, "B.2 mtpAddress, 4*8HEXDIG: writes no more than 4 digits"),
    ("MID_IP6_TOKEN", "123", ALL, "B.2 note 2, IPv6address: takes groups like eb for tokens"),
    ("NAME_TOKEN", "123", ALL, "B.2 note 2, sheet 7.7: keywords are reserved in places"),
    ("TERM_TOKEN", "123", ALL, "B.2 note 2, sheet 7.7: keywords are reserved in places"),
    ("VALUE_SHORT", "123", ALL, "B.2 note 2, sheet 7.7: a value spelled like a token"),
    ("NAME_LONG", "123", ALL, "B.2 NAME: 64 characters are the limit of package and item together, not of each"),
    ("TERM_SLASHES", "123", ALL, "B.2 pathNAME: empty parts between slashes are lost"),
    ("VALUE_QUOTED_UPPER", "123", DEFAULT, "B.2 note on String, sheet 7.5: writes no quotes round SafeChars, then folds case"),
    ("PARAMETER_LIST", "123", ALL, "B.2 eventOther, sigOther: writes no lists and ranges in parameters"),
    ("ERROR_TEXT_EMPTY", "123", ALL, "B.2 quotedString: refuses to write an empty one"),
    ("ERROR_4_DIGITS", "123", ALL, "B.2 ErrorCode, 1*4(DIGIT), sheet 6.4: refuses codes above 999"),
    ("SERVICES_DEVICE", "123", ALL, "B.2 serviceChangeAddress: no device name"),
    ("SERVICES_AUDIT", "23", ALL, "sheet 6.3 ServiceChangeInfo: does not write what it reads"),
    ("METHOD_EXTENSION", "123", ALL, "B.2 serviceChangeMethod, extensionParameter: refused"),
    ("MUX_EXTENSION", "123", ALL, "B.2 MuxType, extensionParameter: not written"),
    ("MUX_NX64K", "23", ALL, "sheet 2 Nx64Kservice: refused"),
    ("MODEM_EXTENSION", "1", ALL, "B.2 modemType, extensionParameter: not written"),
    ("MODEM_REPLY", "23", ALL, "sheet 5.10: deprecated, read and not written"),
    ("ITEMS_BARE", "123", ALL, "B.2 terminationAudit: bare tokens change their order"),
    ("CONTEXT_AUDIT", "1", ALL, "B.2 contextAudit: refused in version 1"),
    ("CONTEXT_TERMS_ERROR", "123", ALL, "B.2 contextTerminationAudit with an error: not written"),
    ("SIGNALS_EMPTY", "12", ALL, "B.2 signalsDescriptor: the empty braces of versions 1 and 2 are refused"),
    ("EMBED_SIGNALS_EMPTY", "3", ALL, "sheet 7.13: empty Signals inside Embed are lost"),
    ("NOTIFY_ERROR", "123", ALL, "B.2 notifyRequest: ObservedEvents and Error together are refused"),
    ("TOPOLOGY_MANY", "2", ALL, "sheet 5.5: several triples are refused in version 2"),
    ("TOPOLOGY_EXTERNAL", "3", ALL, "sheet 2 OnewayExternal: not written"),
    ("TOPOLOGY_BOTH", "3", ALL, "sheet 2 OnewayBoth: not written"),
    ("SIGNAL_ITERATION", "3", ALL, "sheet 2 Iteration: not written"),
    ("VALUE_QUOTED_EOL", "3", ALL, "sheet 3.1 quotedString: no line ends, though version 3 has them"),
    ("VALUE_QUOTED_HIGH", "3", ALL, "sheet 3.1 quotedString: no octets 80-FF, though version 3 has them"),
    ("VALUE_SAFE_HIGH", "3", ALL, "sheet 3.1 VALUE: no octets 80-FF, though version 3 has them"),
    ("STATISTIC_LIST", "3", ALL, "sheet 7.11: not written"),
    ("SELECT_AND", "3", ALL, "sheet 2 ANDLgc: refused"),
    ("AUDIT_SDP", "3", ALL, "sheet 3.2 indAudstreamParm: Local and Remote are not written"),
    ("AUDIT_UNEQUAL", "3", ALL, "sheet 3.2, selection with INEQUAL: refused"),
    ("AUDIT_PARM_SELECT", "3", ALL, "sheet 3.2, selection by a property's value: refused"),
    ("AUDIT_SIGNALS_EMPTY", "2", ALL, "sheet 3.2 indAudsignalsDescriptor: empty ones are not written"),
    ("SDP_BRACE", "123", ALL, "B.2 octetString: the escape of a brace is not understood (default), or doubled each time (flex)"),
    ("ATTR_EMERGENCY_OFF", "2", {"pretty default"}, "sheet 2 EmergencyOff: refused in version 2"),
    ("VALUE_KEYWORD", "123", FLEX, "B.2 note 2, sheet 7.7: the values local and remote are taken for tokens"),
    ("EVENTS_EMPTY", "1", BER, "Annex A EventsDescriptor: requestID is OPTIONAL, its module of version 1 has it mandatory"),
    ("SIGNAL_DIRECTION_BOTH", "3", BER, "sheet 4.2 SignalDirection: both is 2, its module has 3"),
    ("MUX_EXTENSION", "123", BER, "Annex A MuxType: reads values behind the extension marker and does not write them"),
    ("METHOD_EXTENSION", "123", BER, "Annex A ServiceChangeMethod: likewise"),
    ("AUDIT_SIGNALS_EMPTY", "23", BER, "sheet 4.1 IndAudSignalsDescriptor: likewise, for an empty one"),
    ("WILDCARDED_MOVE", "123", FLEX, "B.2 commandRequestList: W-Move and W-Modify are refused"),
)

# What comes with one of those only: (version, feature). All else that the generator has must come without any.
NEVER_ALONE = {
    ("1", "ACTION_AUDIT_ONLY"): "CONTEXT_AUDIT", ("1", "EMBED_SIGNALS_EMPTY"): "SIGNALS_EMPTY",
    ("2", "EMBED_SIGNALS_EMPTY"): "SIGNALS_EMPTY", ("2", "SERVICES_AUDIT_ITEM"): "SERVICES_AUDIT",
    ("3", "SERVICES_AUDIT_ITEM"): "SERVICES_AUDIT", ("3", "AUDIT_SDP_BOTH"): "AUDIT_SDP",
}


def features(form, count):
    """{number: (version, set of feature names)}"""
    done = subprocess.run([CORPUS, "features", form, str(count)], capture_output=True, check=True, text=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return {int(row[0]): (row[1], set(row[2:])) for row in rows}


def judge(form, scanner, numbers):
    """{number: (result, words)}"""
    done = subprocess.run(["escript", JUDGE, CORPUS, form, scanner], capture_output=True, timeout=500, check=False,
                          input="\n".join(map(str, numbers)).encode())
    if done.returncode:
        raise AssertionError(f"the judge failed: {(done.stderr + done.stdout)[-600:]!r}")
    results = {}
    for line in done.stdout.decode("latin-1").splitlines():
        number, result, *words = line.split(" ", 2)
        results[int(number)] = (result, words[0] if words else "")
    return results


@unittest.skipUnless(HAVE_MEGACO, NO_MEGACO)
class Megaco(unittest.TestCase):
    def chosen(self, form, run):
        """(messages without exceptions, {exception: messages that have only that one}, features)"""
        rows = [(set(names.split()), versions, f"{names} (version {', '.join(versions)}): {why}")
                for names, versions, runs, why in EXCEPTIONS if run in runs]
        has = features(form, POOL)
        rare, plain, only = set(), [], {words: [] for _, _, words in rows}
        came = collections.Counter((version, name) for version, mine in has.values() for name in mine)
        to_see = {key for key, count in came.items() if count >= 20}  # fewer may all have exceptions by chance
        to_see -= {(v, name) for names, versions, _ in rows for name in names for v in versions}
        for number, (version, mine) in has.items():
            excuses = [words for names, versions, words in rows if version in versions and names <= mine]
            if not excuses:
                news = to_see & {(version, name) for name in mine}
                to_see -= news
                if news:
                    rare.add(number)
                else:
                    plain.append(number)
            elif len(excuses) == 1 and len(only[excuses[0]]) < EACH:
                only[excuses[0]].append(number)
        self.assertEqual(to_see - set(NEVER_ALONE), set(), "no message without exceptions has it")
        self.assertLessEqual(PLAIN, len(rare) + len(plain))
        return sorted(rare) + plain[:PLAIN - len(rare)], only, has

    def run_over(self, form, scanner):
        run = f"{form} {scanner}"
        plain, only, has = self.chosen(form, run)
        results = judge(form, scanner, plain + [n for numbers in only.values() for n in numbers])
        passes = {number for number, (result, _) in results.items() if result in ("ok", "edited")}
        wrong = [f"{n} version {has[n][0]}: {results[n][0]} {results[n][1][:500]}\n    {' '.join(sorted(has[n][1]))}"
                 for n in plain if n not in passes]
        seen = {words: len([n for n in numbers if n not in passes]) for words, numbers in only.items()}
        print(f"{run}: {len(plain) - len(wrong)} of {len(plain)} messages without exceptions pass")
        for words, numbers in only.items():
            print(f"  {seen[words]:4} of {len(numbers):3} fail: {words}")
        if wrong:
            self.fail(f"{len(wrong)} messages; the first:\n" + "\n".join(wrong[:4]))
        unread = [f"{n}: {words[:400]}" for n, (result, words) in results.items()
                  if result == "unread" and "AUTH" not in has[n][1]]
        self.assertEqual(unread, [], "what Erlang emits is to be read")
        self.assertEqual([words for words, count in seen.items() if not count], [], "exceptions that do not occur")

    def test_compact(self):
        self.run_over("compact", "default")

    def test_compact_flex(self):
        self.run_over("compact", "flex")

    def test_pretty(self):
        self.run_over("pretty", "default")

    def test_ber(self):
        """In native form: the terms are those of the ASN.1, no names are looked up."""
        self.run_over("ber", "native")

    def test_pretty_flex(self):
        self.run_over("pretty", "flex")


if __name__ == "__main__":
    unittest.main(verbosity=2)
