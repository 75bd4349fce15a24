# SPDX-License-Identifier: Apache-2.0
"""A user agent (`gatehouse ue`) as a process: commands go in, events come out (docs/ue.md)."""
import fnmatch
import json
import os
import subprocess
import threading
import time

import harness


class Agent:
    """`config` is the text of its file; NONE: it has none."""

    def __init__(self, folder, name, config=""):
        self.name, self.events, self.lock = name, [], threading.Condition()
        path = os.path.join(folder, f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"name: {name}\n{config}")
        self.errors = os.path.join(folder, f"{name}.log")
        with open(self.errors, "wb") as log:
            self.process = subprocess.Popen([harness.TOOL, "ue", "--config", path, "--json"], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            with self.lock:
                self.events.append(json.loads(line))
                self.lock.notify_all()
        with self.lock:
            self.events.append({"event": "end of output"})
            self.lock.notify_all()

    def do(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()
        return self

    def expect(self, event, patience=harness.PATIENCE, **fields):
        """The first event that fits (fields are patterns); it is taken out."""
        def fits(found):
            return found["event"] == event and all(
                key.replace("_", "-") in found and fnmatch.fnmatchcase(found[key.replace("_", "-")], value)
                for key, value in fields.items())
        end = time.monotonic() + patience
        with self.lock:
            while True:
                for at, found in enumerate(self.events):
                    if fits(found):
                        return self.events.pop(at)
                left = end - time.monotonic()
                if left <= 0 or any(found["event"] == "end of output" for found in self.events):
                    with open(self.errors, encoding="utf-8", errors="replace") as log:
                        raise AssertionError(f"{self.name}: no {event} {fields} within {patience:g} s; there were "
                                             f"{self.events}; {log.read()}")
                self.lock.wait(left)

    def none(self, event, **fields):
        with self.lock:
            found = [e for e in self.events if e["event"] == event and all(e.get(k) == v for k, v in fields.items())]
        assert not found, found

    def close(self, kill=False):
        """Its exit status, after the end of its input."""
        if kill:
            self.process.kill()
        self.process.stdin.close()
        status = self.process.wait(harness.PATIENCE)
        self.thread.join(harness.PATIENCE)
        self.process.stdout.close()
        return status
