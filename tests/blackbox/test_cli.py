#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hand tool as a person at a shell meets it."""
import json
import os
import subprocess
import tempfile
import unittest

BUILD = os.environ["GATEHOUSE_BUILD_ROOT"]
TOOL = os.path.join(BUILD, "gatehouse")
REGISTER = ('MEGACO/1 [192.0.2.1]:2944\nTransaction = 9 { Context = - { ServiceChange = ROOT { '
            'Services { Method = Restart, Reason = "901 Cold Boot", Version = 3 } } } }\n')
COMPACT = '!/1 [192.0.2.1]:2944 T=9{C=-{SC=ROOT{SV{MT=RS,RE="901 Cold Boot",V=3}}}}'


def run(*args, text=None):
    return subprocess.run([TOOL, *args], input=text, capture_output=True, text=True, timeout=60, check=False)


class Tool(unittest.TestCase):
    def test_help_and_version(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("h248", done.stdout)
        self.assertEqual(run("--version").stdout.split()[0], "gatehouse")

    def test_unknown_command_is_wrong_usage(self):
        done = run("h249")
        self.assertEqual(done.returncode, 2)
        self.assertIn("h249", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_no_arguments_is_wrong_usage(self):
        self.assertEqual(run().returncode, 2)


class Convert(unittest.TestCase):
    def test_pretty_to_compact_and_back(self):
        done = run("h248", "convert", "--to", "compact", "-", text=REGISTER)
        self.assertEqual((done.returncode, done.stdout), (0, COMPACT))
        back = run("h248", "convert", "--to", "pretty", "-", text=done.stdout)
        again = run("h248", "convert", "--to", "compact", "-", text=back.stdout)
        self.assertIn("Method = Restart", back.stdout)
        self.assertEqual(again.stdout, COMPACT)

    def test_binary_and_back(self):
        digits = run("h248", "convert", "--to", "ber", "--hex", "-", text=REGISTER)
        self.assertEqual(digits.returncode, 0, digits.stderr)
        self.assertTrue(digits.stdout.startswith("30"), digits.stdout)
        for form in "compact", "ber":
            again = run("h248", "convert", "--to", form, "--hex", "-", text=digits.stdout)
            self.assertEqual(again.stdout, COMPACT if form == "compact" else digits.stdout)
        with tempfile.NamedTemporaryFile("rb", suffix=".ber") as file:
            done = run("h248", "convert", "--to", "ber", "--output", file.name, "-", text=COMPACT)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            self.assertEqual(file.read(), bytes.fromhex(digits.stdout))
            back = run("h248", "convert", "--to", "compact", file.name)
        self.assertEqual(back.stdout, COMPACT)

    def test_binary_is_not_written_to_a_terminal_unless_forced(self):
        for forced, status in ([], 2), (["--force"], 0):
            leader, follower = os.openpty()
            try:
                done = subprocess.run([TOOL, "h248", "convert", "--to", "ber", *forced, "-"], input=COMPACT.encode(),
                                      stdout=follower, stderr=subprocess.PIPE, timeout=60, check=False)
            finally:
                os.close(follower)
                os.close(leader)
            self.assertEqual(done.returncode, status, done.stderr)

    def test_bad_binary_names_the_octet_and_the_element(self):
        bad = "30 1a a1 18 80 01 03 a1 05 83 03 6d 67 31 a2 0c a1 0a a4 08 80 01 4d 81 01 02 83 00"
        done = run("h248", "convert", "--to", "compact", "--hex", "-", text=bad[:-6])
        self.assertEqual(done.returncode, 1)
        self.assertIn("octet 0: expected a length within its parent", done.stderr)
        done = run("h248", "convert", "--to", "compact", "--hex", "-", text=bad.replace("81 01 02", "81 01 82"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("transactions[0]", done.stderr)
        self.assertEqual(run("h248", "convert", "--to", "compact", "--hex", "-", text="30f").returncode, 1)

    def test_bad_message_names_file_line_and_column(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("MEGACO/1 [192.0.2.1]:2944\nTransaction = 9 {\n  Context = - { Frobnicate = x }\n}\n")
            file.flush()
            done = run("h248", "convert", "--to", "compact", file.name)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.startswith(f"{file.name}:3:17: "), done.stderr)
        self.assertIn("Frobnicate", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_missing_file_and_form(self):
        done = run("h248", "convert", "--to", "compact", "/nonexistent")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nonexistent", done.stderr)
        self.assertEqual(run("h248", "convert", "-").returncode, 2)
        self.assertEqual(run("h248", "convert", "--to", "cuneiform", "-").returncode, 2)

    def test_empty_input_is_a_bad_message(self):
        self.assertEqual(run("h248", "convert", "--to", "pretty", "-", text="").returncode, 1)


class Play(unittest.TestCase):
    def play(self, text, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            done = run("h248", "play", *options, file.name)
            done.file = file.name
            return done

    def test_processes_captures_and_files(self):
        done = self.play("""
steps:
  - {start: a, command: 'echo port=77', expect: {capture: ['p=port=([0-9]+)']}}
  - {wait: a}
  - {write: '${dir}/f', content: 'say ${p} $'}
  - {run: 'cat ${dir}/f', expect: {match: ['^say 77 [$]$']}}
  - {run: 'exit 3', status: 3}
""", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(json.loads(done.stdout)["ok"])

    def test_failed_step_names_its_place(self):
        done = self.play("steps:\n  - {run: 'true'}\n  - {run: 'exit 4'}\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{done.file}:3:", done.stderr)
        self.assertIn("status 4", done.stderr)

    def test_what_does_not_come_fails_in_time(self):
        done = self.play("steps:\n  - {receive: {match: ['x']}, timeout: 50ms}\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no request came", done.stderr)

    def test_unset_variable_says_what_to_do(self):
        done = self.play("steps:\n  - {run: 'echo ${nobody}'}\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--set nobody=VALUE", done.stderr)

    def test_wrong_scenarios_start_nothing(self):
        for text, words in (
                ("steps:\n  - {runn: 'true'}\n", "did you mean 'run'"),
                ("steps:\n  - {run: 'true', send: 'x'}\n", "a step is one of"),
                ("steps:\n  - {run: 'true', timeout: soon}\n", "duration"),
                ("controller: {transport: carrier-pigeon}\nsteps:\n  - {run: 'true'}\n", "udp, tcp, tls or sctp"),
                ("controller: {version: 9}\nsteps:\n  - {run: 'true'}\n", "1 to 3"),
                ("steps: []\n", ":1:")):
            with self.subTest(text=text):
                done = self.play(text, "-t")
                self.assertEqual(done.returncode, 2)
                self.assertIn(words, done.stderr)

    def test_stop_ends_a_process(self):
        done = self.play("steps:\n  - {start: a, command: 'exec tail -f /dev/null'}\n  - {stop: a}\n"
                         "  - {start: b, command: 'trap \"exit 7\" TERM; echo up; while :; do wait; done', "
                         "expect: {match: [up]}}\n  - {stop: b, status: 7}\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_process_is_left(self):
        done = self.play("steps:\n  - {start: a, command: 'echo pid=$$; exec tail -f /dev/null', "
                         "expect: {capture: ['pid=pid=([0-9]+)']}}\n"
                         "  - {run: 'echo it is ${pid}; exit 1'}\n")
        self.assertEqual(done.returncode, 1)
        pid = int(done.stderr.split("it is ")[1].split()[0])
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
