#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What docs/edge.md ("In five minutes") and docs/ue.md ("Access") have somebody type is what works: their files and commands as they stand there, but for
the ports. Kamailio is the registrar."""
import os
import re
import subprocess
import unittest

import access
import harness
import kamailio
from agent import Agent
from edge import EDGE

ROOT = os.environ.get("GATEHOUSE_SOURCE_ROOT", ".")


def blocks(page, heading):
    """The blocks of code of a chapter."""
    with open(os.path.join(ROOT, "docs", page), encoding="utf-8") as file:
        chapter = file.read().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"(?ms)^```\w*\n(.*?)^```$", chapter)


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Manual(harness.Case, unittest.TestCase):
    def shell(self, text):
        """Its commands are lines of a shell, `gatehouse` is ours."""
        places = os.environ | {"PATH": f"{os.path.abspath(harness.BUILD)}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-e", "-c", text], cwd=self.folder, env=places, capture_output=True, text=True, check=False, timeout=harness.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def write(self, name, text, ports):
        for port, free in ports.items():
            text = text.replace(f":{port}", f":{free}")
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)
        return os.path.join(self.folder, name)

    def test_in_five_minutes(self):
        settings, authorities = blocks("edge.md", "In five minutes")
        calling, password, script = blocks("ue.md", "Access: a registration over a connection of its own")
        secret = re.search(r"'(.+?)' \|", password)[1]
        core = self.own(kamailio.Kamailio(self.folder, {"alice": secret, "bob": access.PASSWORDS["bob"]}))
        ports = {5061: harness.free_port(), 5070: harness.free_port(), 5080: core.port}
        self.shell(authorities)
        self.shell(password)
        path = self.write("edge.yaml", settings, ports)
        self.assertIn("ok", self.shell(f"gatehouse-edge -c {path} --check"))
        with open(os.path.join(self.folder, "edge.log"), "wb") as log:
            edge = subprocess.Popen([EDGE, "-c", path], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        self.addCleanup(edge.wait)
        self.addCleanup(edge.terminate)
        harness.until(lambda: harness.listens(ports[5061]) or edge.poll() is not None, "gatehouse-edge")
        access.password_file(self.folder, "bob")
        with open(self.write("alice.yaml", calling, ports), encoding="utf-8") as file:
            bob = self.own(Agent(self.folder, "bob", file.read().replace("alice", "bob")))
        bob.expect("sip.registered")
        self.assertIn("impi=bob@home.example", self.shell("gatehouse edge bindings --socket control"))
        self.write("alice.script", script, {})
        self.shell("gatehouse ue --config alice.yaml --script alice.script")
        bob.expect("message", text="hello")


if __name__ == "__main__":
    unittest.main(verbosity=2)
