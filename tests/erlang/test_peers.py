#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Erlang/OTP's megaco as the other end: its controller drives our gateway, its gateway registers with our controller;
over UDP and TCP, in compact, pretty and binary form."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "blackbox"))
sys.path.insert(0, HERE)
import harness  # noqa: E402
from test_megaco import HAVE_MEGACO, NO_MEGACO  # noqa: E402

CONFIG = """
mg: {{workers: 1, leave: forced}}
controllers: ["127.0.0.1:{port}"]
h248: {{transport: {transport}, listen: "127.0.0.1:{listen}", version: 1, encoding: {form}}}
media: {{addresses: [127.0.0.1]}}
"""


@unittest.skipUnless(HAVE_MEGACO, NO_MEGACO)
class Peers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-peers-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.env = dict(os.environ, TMPDIR=self.folder, HOME=self.folder)

    def start(self, *command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, env=self.env)

        def end():
            process.kill()
            process.wait()
            process.stdout.close()
        self.addCleanup(end)
        return process

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path


class OurGateway(Peers):
    def drive(self, transport, form):
        port, backend = harness.free_port(), harness.Backend()
        self.addCleanup(backend.close)
        controller = self.start("escript", os.path.join(HERE, "mgc.escript"), transport, str(port), form,
                                str(backend.port), harness.TOOL)
        self.assertEqual(controller.stdout.readline(), "listening\n")
        listen = harness.free_port() if transport == "tcp" else 0
        log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8")
        self.addCleanup(log.close)
        gateway = subprocess.Popen([harness.MG, "-c", self.write("mg.yaml", CONFIG.format(
            port=port, transport=transport, form=form, listen=listen))], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(gateway.wait)
        self.addCleanup(gateway.kill)
        out, _ = controller.communicate(timeout=60)
        log.seek(0)
        words = f"{out}\n{log.read()[-2000:]}"
        self.assertEqual(controller.returncode, 0, words)
        steps = dict(line.split(" ", 1) for line in out.splitlines() if " " in line)
        self.assertEqual(list(steps), ["add", "notify", "modify", "audit", "root", "subtract", "gone"], words)
        for step in ("add", "modify", "audit", "root", "subtract"):
            self.assertNotRegex(steps[step], "ER=", words)
        self.assertEqual(len(re.findall(r"[{,]A=ip/", steps["add"], re.I)), 2, words)
        self.assertRegex(steps["add"], r"m=message \d+ TCP/MSRP")
        self.assertRegex(steps["notify"], r"(?i)OE=7\{.*tcpbcc/BNCChange\{.*Type=Est")
        self.assertEqual(len(re.findall(r"MF=ip/", steps["modify"], re.I)), 2, words)
        self.assertEqual(len(re.findall(r"MO=SO", steps["audit"])), 2, words)
        self.assertRegex(steps["audit"], r"(?i)E=7\{tcpbcc/\*")
        self.assertRegex(steps["root"], r"(?i)PG\{root-")
        self.assertRegex(steps["subtract"], r"(?i)SA\{")
        self.assertRegex(steps["gone"], "ER=411")
        self.assertIsNone(gateway.poll())

    def test_udp_compact(self):
        self.drive("udp", "compact")

    def test_udp_pretty(self):
        self.drive("udp", "pretty")

    def test_udp_ber(self):
        self.drive("udp", "ber")

    def test_tcp_compact(self):
        self.drive("tcp", "compact")

    def test_tcp_pretty(self):
        self.drive("tcp", "pretty")

    def test_tcp_ber(self):
        self.drive("tcp", "ber")


SCENARIO = """
scenario: a gateway that is not ours
parties: [controller, gateway]
controller: {{listen: "127.0.0.1:0", transport: {transport}, version: 1, encoding: {form}, timeout: 20s}}
steps:
  - start: gateway
    command: exec escript {script} {transport} ${{port}} {form}
  - receive:
      match: ['ServiceChange = [Rr]', 'Method = Restart', 'Reason = "901 Cold Boot"']
  - send: 'Context = - {{ AuditValue = ROOT {{ Audit {{ }} }} }}'
    expect: {{match: ['AuditValue = [Rr]']}}
  - send: 'Context = $ {{ Add = tdm/7 {{ Events = 9 {{ g/cause }} }} }}'
    expect: {{match: ['Context = 5', 'Add = tdm/7']}}
  - receive:
      match: ['Notify = tdm/7', 'ObservedEvents = 9', 'g/cause']
  - send: 'Context = 5 {{ Subtract = tdm/7 }}'
    expect: {{match: ['Subtract = tdm/7']}}
  - wait: gateway
    expect: {{match: ['registered', 'notified']}}
"""


class OurController(Peers):
    def drive(self, transport, form):
        path = self.write("scenario.yaml", SCENARIO.format(transport=transport, form=form,
                                                           script=os.path.join(HERE, "mg.escript")))
        done = subprocess.run([harness.TOOL, "h248", "play", "--messages", path], capture_output=True, text=True,
                              env=self.env, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, f"{done.stdout[-3000:]}\n{done.stderr[-1000:]}")

    def test_udp_compact(self):
        self.drive("udp", "compact")

    def test_udp_pretty(self):
        self.drive("udp", "pretty")

    def test_udp_ber(self):
        self.drive("udp", "ber")

    def test_tcp_compact(self):
        self.drive("tcp", "compact")

    def test_tcp_pretty(self):
        self.drive("tcp", "pretty")

    def test_tcp_ber(self):
        self.drive("tcp", "ber")


if __name__ == "__main__":
    unittest.main(verbosity=2)
