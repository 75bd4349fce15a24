# SPDX-License-Identifier: Apache-2.0
"""Processes of a demonstration: user agents that are told what to do, programs that log."""
import fnmatch
import json
import os
import subprocess
import threading
import time

PATIENCE = float(os.environ.get("GATEHOUSE_PATIENCE", "30"))


class Failed(Exception):
    """What should have happened has not."""


class Program:
    """One that logs; `told` waits until its log has these words."""

    def __init__(self, folder, name, *command):
        self.name, self.path = name, os.path.join(folder, f"{name}.log")
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        with open(self.path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def told(self, words, count=1):
        end = time.monotonic() + PATIENCE
        while self.log().count(words) < count:
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed(f"{self.name} does not say '{words}':\n{self.log()[-3000:]}")
            threading.Event().wait(0.02)
        return self

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


class Agent:
    """A `gatehouse ue`: commands go in, events come out (docs/ue.md)."""

    def __init__(self, tool, folder, name, config, keys):
        self.name, self.events, self.seen, self.changed = name, [], [], threading.Condition()
        path, self.errors = os.path.join(folder, f"{name}.yaml"), os.path.join(folder, f"{name}.log")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"name: {name}\n{config}")
        with open(self.errors, "wb") as log:
            self.process = subprocess.Popen([tool, "ue", "--config", path, "--json", "--trace", "--unsafe-key-log", keys],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                event = json.loads(line)
                self.events.append(event)
                self.seen.append(event)
                self.changed.notify_all()

    def do(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()
        return self

    def expect(self, event, patience=PATIENCE, **fields):
        """The first event that fits (fields are patterns), taken out."""
        wanted = {key.replace("_", "-"): value for key, value in fields.items()}
        end = time.monotonic() + patience
        with self.changed:
            while True:
                for at, found in enumerate(self.events):
                    if found["event"] == event and all(fnmatch.fnmatchcase(found.get(key, ""), value) for key, value in wanted.items()):
                        return self.events.pop(at)
                left = end - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise Failed(f"{self.name}: no {event} {wanted}; its last events: {self.last()}; {self.log()[-2000:]}")
                self.changed.wait(min(left, 1))

    def last(self):
        return [{key: value[:200] for key, value in event.items() if key != "message"} for event in self.seen[-12:]]

    def log(self):
        with open(self.errors, encoding="utf-8", errors="replace") as log:
            return log.read()

    def none(self, event, **fields):
        with self.changed:
            found = [e for e in self.seen if e["event"] == event and all(e.get(k.replace("_", "-")) == v for k, v in fields.items())]
        if found:
            raise Failed(f"{self.name}: {found[0]}")

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.thread.join(5)
        self.process.stdout.close()
        return self.process.returncode
