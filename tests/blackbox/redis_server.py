# SPDX-License-Identifier: Apache-2.0
"""A real Redis for the time of a test."""
import shutil
import subprocess

from harness import free_port, listens, until

HAVE = bool(shutil.which("redis-server"))
MISSING = "no redis-server here (Debian: redis-server)"


class Redis:
    """A Redis of its own, that keeps nothing on disk."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", self.folder], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: listens(self.port), lambda: "redis-server listens")

    def kill(self):
        self.process.kill()
        self.process.wait()

    close = kill
