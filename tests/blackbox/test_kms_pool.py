#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several gatehouse-kms at one Redis (docs/kms.md, "A pool"): each answers for all, and without Redis none grants."""
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import kms
from kms import Kms, REQUEST, RESOLVE, User, error_of, policy, ticket_of
from harness import free_port, listens, until

ALICE, BOB = "sip:alice@example.com", "sip:bob@example.com"
RULES = ['from: "sip:*@example.com", to: "sip:*@example.com"']
INVALID_TS, UNSPECIFIED = 1, 12


class Redis:
    """A Redis of its own, with a password, that writes down all it has taken."""

    def __init__(self, folder):
        self.folder, self.port, self.password, self.process = folder, free_port(), os.urandom(8).hex(), None
        with open(os.path.join(folder, "password"), "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(self.password + "\n")
        self.start()

    def start(self):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "no",
             "--dir", self.folder, "--requirepass", self.password], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: listens(self.port), lambda: "redis-server listens")

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def written(self):
        found = b""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                if ".aof" in name:
                    with open(os.path.join(folder, name), "rb") as file:
                        found += file.read()
        return found


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server here (Debian: redis-server)")
class Pool(unittest.TestCase):
    def setUp(self):
        self.redis = Redis(self.folder())
        self.addCleanup(self.redis.kill)
        self.master = os.urandom(32)
        self.one, self.two = self.member(), self.member()
        self.alice, self.bob = self.one.enroll(User(ALICE, key_id="alice")), self.two.enroll(User(BOB))

    def folder(self):
        folder = tempfile.mkdtemp(prefix="gatehouse-kms-")
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def member(self, master=None):
        node = Kms(self.folder(), RULES, secrets=False)
        node.secret("master.key", master or self.master)
        with open(node.file, encoding="ascii") as file:
            text = file.read()
        with open(node.file, "w", encoding="ascii") as file:
            file.write(text.replace("store: kms.db", f'redis: {{address: "127.0.0.1:{self.redis.port}", '
                                    f'patience: 10s, user: default, password-file: "{self.redis.folder}/password"}}'))
        self.addCleanup(lambda: node.kill())  # pylint: disable=unnecessary-lambda
        return node

    def started(self):
        return self.one.start(), self.two.start()

    def refused(self, node, question, status, error):
        got, body = node.post(question)
        self.assertEqual((got, error_of(body)), (status, error))

    def test_a_ticket_of_one_resolved_at_the_other(self):
        one, two = self.started()
        status, body = one.post(self.alice.question(REQUEST, policy(BOB)))
        self.assertEqual(status, 200)
        keys, message = self.alice.answer(body)
        for node in (two, one):
            status, body = node.post(self.bob.question(RESOLVE, ticket_of(message)))
            self.assertEqual((status, self.bob.answer(body)[0]), (200, keys))
        self.assertEqual(one.tool("list")[1], f"{ALICE} psk-id=bytes:{b'alice'.hex()}\n{BOB}\n")
        written = self.redis.written()
        self.assertIn(ALICE.encode(), written)
        for secret in [key for _, key in keys] + [self.alice.key, self.bob.key, self.master]:
            self.assertNotIn(secret, written)
            self.assertNotIn(secret.hex().encode(), written)
        self.assertNotIn(self.redis.password, one.log() + two.log())

    def test_taken_by_one_refused_by_all(self):
        """Also by one that was not there then, and after a kill -9 of the one that took it."""
        one, two = self.started()
        question = self.alice.question(REQUEST, policy(BOB))
        self.assertEqual(one.post(question)[0], 200)
        self.refused(two, question, 403, INVALID_TS)
        one.kill(signal.SIGKILL)
        self.refused(two, question, 403, INVALID_TS)
        self.refused(one.start(), question, 403, INVALID_TS)
        self.refused(self.member().start(), question, 403, INVALID_TS)

    def test_redis_dies_and_comes_back(self):
        one, two = self.started()
        before = self.alice.question(REQUEST, policy(BOB))
        status, body = one.post(before)
        self.assertEqual(status, 200)
        ticket = ticket_of(self.alice.answer(body)[1])
        self.redis.kill()
        for node in (one, two):
            # who cannot be proved without the store hears no more than that
            for question in (self.alice.question(REQUEST, policy(BOB)), before, self.bob.question(RESOLVE, ticket)):
                self.refused(node, question, 503, UNSPECIFIED)
            node.logged("event=redis-lost")
        self.assertEqual(one.tool("remove", ALICE)[0], 1)
        self.redis.start()
        for node in (one, two):
            until(lambda node=node: node.post(self.bob.question(RESOLVE, ticket))[0] == 200, lambda: "it grants again")
            node.logged("event=redis-there")
            self.refused(node, before, 403, INVALID_TS)
        self.assertEqual(one.tool("remove", ALICE)[0], 0)
        self.assertEqual(two.post(self.alice.question(REQUEST, policy(BOB)))[0], 403)

    def test_refused_at_start(self):
        """Another master key, a wrong password, no Redis: no KMS, and words for it."""
        rows = [(self.member(os.urandom(32)), "the master key is not the one")]
        wrong = self.member()
        with open(os.path.join(wrong.folder, "wrong"), "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write("wrong\n")
        self.edit(wrong, f"{self.redis.folder}/password", f"{wrong.folder}/wrong")
        rows.append((wrong, "WRONGPASS"))
        nowhere = self.member()
        self.edit(nowhere, f":{self.redis.port}", f":{free_port()}")
        rows.append((nowhere, "Connection refused"))
        for node, words in rows:
            self.says(node, 1, words)

    @staticmethod
    def edit(node, old, new):
        with open(node.file, encoding="ascii") as file:
            text = file.read()
        assert old in text
        with open(node.file, "w", encoding="ascii") as file:
            file.write(text.replace(old, new))

    def says(self, node, status, words, *more):
        done = subprocess.run([kms.KMS, "-c", node.file, *more], capture_output=True, text=True, check=False, timeout=20)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(words, done.stdout + done.stderr)

    def test_check(self):
        for old, new, words in (("", "", "ok"), ("redis: {", "store: kms.db, redis: {", "one of store"),
                                ('address: "127.0.0.1', 'address: "redis.example', "is no IP address"),
                                ("user: default, ", 'user: default, prefix: "a b", ', "letters, digits"),
                                ("10s", "11s", "from 10ms to 10s"), ("user: default", 'user: ""', "1 to 63 octets"),
                                ("/password", "/nowhere", "nowhere")):
            node = self.member()
            self.edit(node, old, new)
            self.says(node, 0 if words == "ok" else 1, words, "--check")


if __name__ == "__main__":
    unittest.main()
