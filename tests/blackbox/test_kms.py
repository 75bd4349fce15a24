#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-kms as its users meet it (docs/kms.md): tickets asked for and resolved over HTTP by a second implementation
of RFC 6043, and all that is refused: nothing of a key is ever told then, and the Error message is the RFC's."""
import http.client
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import harness
import kms
from kms import IDRI, Kms, REQUEST, RESOLVE, TICKET, User, error_of, idr, policy, ticket_of, until_time
from harness import HAVE_OPENSSL, NO_OPENSSL, Pki, until

ALICE, BOB, CAROL = "sip:alice@example.com", "sip:bob@example.com", "sip:carol@example.com"
RULES = ['from: "sip:*@example.com", to: "sip:enemy@example.com", deny: true',
         'from: "sip:*@example.com", to: "sip:*@example.com"']
AUTH_FAILURE, INVALID_TS, INVALID_DT, UNSPECIFIED, INVALID_TICKET, INVALID_TP = 0, 1, 11, 12, 14, 15


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-kms-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.kms = Kms(cls.folder, RULES).start()
        cls.addClassCleanup(lambda: cls.kms.kill())  # pylint: disable=unnecessary-lambda
        cls.alice = cls.kms.enroll(User(ALICE, key_id="alice"))
        cls.bob = cls.kms.enroll(User(BOB))
        cls.carol = cls.kms.enroll(User(CAROL))

    def ticket(self, user=None, to=BOB, **words):
        """@return the TICKET and the keys that came with it"""
        user = user or self.alice
        status, body = self.kms.post(user.question(REQUEST, policy(to, **words)))
        self.assertEqual(status, 200)
        keys, message = user.answer(body)
        return ticket_of(message), keys

    def refused(self, octets, error, status=403, what=None):
        got, body = self.kms.post(octets, what)
        self.assertEqual((got, error_of(body)), (status, error))


class Tickets(Served):
    def test_asked_for_and_resolved(self):
        ticket, keys = self.ticket()
        self.assertEqual([kind for kind, _ in keys], ["MPK", "TGK"])
        status, body = self.kms.post(self.bob.question(RESOLVE, ticket))
        self.assertEqual(status, 200)
        self.assertEqual(self.bob.answer(body)[0], keys)
        self.kms.logged(f"event=granted asker={ALICE} about={BOB} peer=127.0.0.1:")
        self.kms.logged(f"event=resolved asker={BOB} about={ALICE} peer=127.0.0.1:")

    def test_each_ticket_has_keys_of_its_own(self):
        seen = [key for _ in range(3) for _, key in self.ticket()[1]]
        self.assertEqual(len(set(seen)), len(seen))

    def test_no_key_is_in_the_log(self):
        _, keys = self.ticket()
        log = self.kms.log()
        for key in [key for _, key in keys] + [self.alice.key, self.bob.key]:
            self.assertNotIn(key.hex(), log)

    def test_metrics(self):
        before = [self.kms.metric(f'answers_total{{result="{r}"}}') for r in ("granted", "resolved", "refused")]
        ticket, _ = self.ticket()
        self.kms.post(self.bob.question(RESOLVE, ticket))
        self.kms.post(self.carol.question(RESOLVE, ticket))
        after = [self.kms.metric(f'answers_total{{result="{r}"}}') for r in ("granted", "resolved", "refused")]
        self.assertEqual(after, [n + 1 for n in before])


class Refused(Served):
    def test_wrong_key_and_stranger_hear_the_same(self):
        wrong, nobody = User(BOB), User("sip:nobody@example.com")
        answers = [self.kms.post(user.question(REQUEST, policy(ALICE))) for user in (wrong, nobody)]
        for status, body in answers:
            self.assertEqual((status, error_of(body)), (403, AUTH_FAILURE))
        self.assertEqual(len(answers[0][1]), len(answers[1][1]))

    def test_another_identity(self):
        self.refused(self.alice.question(REQUEST, policy(BOB), who=CAROL), AUTH_FAILURE)
        self.refused(self.alice.question(REQUEST, policy(BOB, initiator=CAROL)), AUTH_FAILURE)
        ticket, _ = self.ticket()
        self.refused(self.carol.question(RESOLVE, ticket), AUTH_FAILURE)  # not for it
        self.refused(self.carol.question(RESOLVE, ticket, who=BOB), AUTH_FAILURE)

    def test_no_rule(self):
        for name in ("sip:enemy@example.com", "sip:bob@elsewhere.example"):
            self.refused(self.alice.question(REQUEST, policy(name)), AUTH_FAILURE)

    def test_replayed(self):
        question = self.bob.question(REQUEST, policy(ALICE))
        self.assertEqual(self.kms.post(question)[0], 200)
        self.refused(question, INVALID_TS)
        ticket, _ = self.ticket()
        question = self.bob.question(RESOLVE, ticket)
        self.assertEqual(self.kms.post(question)[0], 200)
        self.refused(question, INVALID_TS)

    def test_too_old_or_from_the_future(self):
        for off in (-3600, 3600, -10 ** 8):
            self.refused(self.bob.question(REQUEST, policy(ALICE), now=time.time() + off), INVALID_TS)

    def test_wrong_kind(self):
        ticket, _ = self.ticket()
        self.refused(self.bob.question(RESOLVE, ticket), INVALID_DT, 400, what=REQUEST)
        self.refused(self.alice.question(REQUEST, policy(BOB)), INVALID_DT, 400, what=RESOLVE)

    def test_policies_that_make_no_sense(self):
        self.refused(self.alice.question(REQUEST, policy(BOB, more=[until_time(time.time() - 10)])), INVALID_TP)
        body = bytearray(policy(BOB)[1])
        body[1] = 2  # the 3GPP ticket, which is not made here
        self.refused(self.alice.question(REQUEST, (kms.TP, bytes(body))), INVALID_TICKET)

    def test_wrong_mode(self):
        """A ticket that says its initiator made it: nobody has the key for that."""
        ticket, _ = self.ticket()
        body = bytearray(ticket[1])
        flags = int.from_bytes(body[4:7], "big")
        body[4:7] = (flags & ~(1 << 16 | 1 << 9) | 1 << 8).to_bytes(3, "big")  # D and K off, L on
        self.refused(self.bob.question(RESOLVE, (TICKET, bytes(body))), INVALID_TICKET)

    def test_ticket_over(self):
        ticket, _ = self.ticket(more=[until_time(time.time() + 3)])
        until(lambda: error_of(self.kms.post(self.bob.question(RESOLVE, ticket))[1]) == INVALID_TICKET, "its end")

    def test_tampered_ticket(self):
        """Whatever is changed in a ticket: never a key."""
        ticket, _ = self.ticket()
        body = ticket[1]
        for at in list(range(0, 12)) + list(range(12, len(body), 7)) + [len(body) - 3]:
            bent = bytearray(body)
            bent[at] ^= 1 << at % 8
            status, answer = self.kms.post(self.bob.question(RESOLVE, (TICKET, bytes(bent))))
            self.assertIn(status, (400, 403), f"octet {at}")
            self.assertIsNotNone(error_of(answer), f"octet {at}")

    def test_tampered_messages(self):
        """Each octet of a question in turn: the MAC tells, or the decoder."""
        question = self.bob.question(REQUEST, policy(ALICE))
        for at in range(0, len(question), 3):
            bent = bytearray(question)
            bent[at] ^= 0x41
            status, body = self.kms.post(bytes(bent), REQUEST)
            self.assertIn(status, (400, 403), f"octet {at}")
            self.assertTrue(not body or error_of(body) is not None, f"octet {at}")
        self.assertEqual(self.kms.post(question)[0], 200)  # none of them has counted as it

    def test_truncated(self):
        question = self.bob.question(REQUEST, policy(ALICE))
        for length in list(range(0, 24)) + list(range(24, len(question), 11)) + [len(question) - 1]:
            status, body = self.kms.post(question[:length], REQUEST)
            self.assertEqual(status, 400, f"{length} octets")
            self.assertTrue(not body or error_of(body) is not None)
        self.assertEqual(self.kms.post(question + b"x")[0], 400)

    def test_wrong_http(self):
        question = self.bob.question(REQUEST, policy(ALICE))
        right = "/keymanagement?requesttype=ticketrequest"
        rows = [("GET", right, None, None, 405), ("PUT", right, question, "application/mikey", 405),
                ("POST", "/other?requesttype=ticketrequest", question, "application/mikey", 404),
                ("POST", right, question, "text/plain", 415), ("POST", right, question, None, 415),
                ("POST", "/keymanagement", question, "application/mikey", 400),
                ("POST", "/keymanagement?requesttype=other", question, "application/mikey", 400),
                ("POST", right, bytes(70000), "application/mikey", 413)]
        for method, path, body, kind, status in rows:
            got, headers, text = self.kms.http(method, path, body, kind)
            self.assertEqual(got, status, (method, path, kind))
            self.assertNotEqual(headers["Content-Type"], "application/mikey")
            self.assertEqual(headers["Allow"], "POST" if status == 405 else None)
            self.assertLess(len(text), 200)
        self.assertEqual(self.kms.post(question)[0], 200)


class Life(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-kms-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.kms = Kms(self.folder, RULES)
        self.addCleanup(lambda: self.kms.kill())  # pylint: disable=unnecessary-lambda

    def granted(self, user, to):
        return self.kms.post(user.question(REQUEST, policy(to)))[0] == 200

    def test_killed(self):
        """Users, keys of tickets and what was taken outlive a kill: no replay, no user lost (issue: kill -9)."""
        alice, bob = self.kms.enroll(User(ALICE)), self.kms.enroll(User(BOB))
        self.kms.start()
        question = alice.question(REQUEST, policy(BOB))
        status, body = self.kms.post(question)
        self.assertEqual(status, 200)
        keys, message = alice.answer(body)
        carol = self.kms.enroll(User(CAROL))
        self.kms.kill(signal.SIGKILL)
        self.kms.start()
        status, body = self.kms.post(question)
        self.assertEqual((status, error_of(body)), (403, INVALID_TS))
        status, body = self.kms.post(bob.question(RESOLVE, ticket_of(message)))
        self.assertEqual((status, bob.answer(body)[0]), (200, keys))
        self.assertTrue(self.granted(carol, ALICE))

    def test_users_beside_one_that_runs(self):
        alice = User(ALICE)
        self.kms.start()
        self.assertFalse(self.granted(alice, BOB))
        self.kms.enroll(alice)
        self.assertTrue(self.granted(alice, BOB))
        path = self.kms.secret("other.key", os.urandom(32))
        status, _, errors = self.kms.tool("add", ALICE, "--key", path)
        self.assertEqual(status, 1)
        self.assertIn("a user already; --replace", errors)
        self.assertEqual(self.kms.tool("add", ALICE, "--key", path, "--replace")[0], 0)
        self.assertFalse(self.granted(alice, BOB))
        self.assertEqual(self.kms.tool("list")[1], ALICE + "\n")
        self.assertEqual(self.kms.tool("remove", ALICE)[0], 0)
        self.assertEqual(self.kms.tool("remove", ALICE)[0], 1)
        self.assertEqual(self.kms.tool("list")[1], "")
        self.kms.kill(signal.SIGTERM)  # the socket is gone: the tool opens the store itself
        self.assertFalse(os.path.exists(os.path.join(self.folder, "control")))
        self.kms.enroll(alice, "--replace")
        self.assertEqual(self.kms.tool("list")[1], ALICE + "\n")

    def test_a_tool_that_is_stopped_waits_on(self):
        """SIGSTOP and SIGCONT interrupt a wait with a deadline, as a debugger or a shell's job control does."""
        self.kms.start()
        self.kms.enroll(User(ALICE))
        self.kms.process.send_signal(signal.SIGSTOP)
        tool = subprocess.Popen([harness.TOOL, "kms", "user", "list", "-c", self.kms.file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def state():
            with open(f"/proc/{tool.pid}/stat", encoding="ascii") as file:
                return file.read().rpartition(")")[2].split()[0]
        try:
            for _ in range(3):
                until(lambda: state() == "S" and os.path.exists(f"/proc/{tool.pid}/fd/3"), "it waits")
                tool.send_signal(signal.SIGSTOP)
                until(lambda: state() == "T", "it is stopped")
                tool.send_signal(signal.SIGCONT)
        finally:
            self.kms.process.send_signal(signal.SIGCONT)
        self.assertEqual((tool.communicate(timeout=harness.PATIENCE)[0], tool.returncode), (ALICE.encode() + b"\n", 0))

    def test_one_order_a_connection(self):
        """What comes behind it is not done: nobody would hear of it."""
        self.kms.start()
        self.kms.enroll(User(ALICE))
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(15)
            conn.connect(os.path.join(self.folder, "control"))
            conn.sendall(b"list\n")
            self.assertTrue(conn.recv(1000).startswith(b"user id=uri:"))
            conn.sendall(b"remove id=uri:" + ALICE.encode().hex().encode() + b"\n")
            while conn.recv(1000):
                pass
        self.assertEqual(self.kms.tool("list")[1], ALICE + "\n")

    def test_enrolling_is_refused(self):
        short = self.kms.secret("short.key", b"short")
        for words, text in ((("add", ALICE), "needs a key"), (("add", ALICE, "--key", short), "16 octets"),
                            (("add", "alice", "--key", short), "is no URI"),
                            (("add", ALICE, "--key", "/nowhere"), "/nowhere"),
                            (("add", ALICE, "--ticket-key", self.kms.secret("k", bytes(32))), "its name"),
                            (("add", "bytes:xyz", "--key", short), "is no name")):
            status, _, errors = self.kms.tool(*words)
            self.assertEqual(status, 1, words)
            self.assertIn(text, errors)
        os.chmod(short, 0o644)
        self.assertEqual(self.kms.tool("add", ALICE, "--key", short)[0], 1)
        self.assertEqual(self.kms.tool("add", "--key", short)[0], 2)

    def test_one_at_a_store(self):
        self.kms.start()
        done = subprocess.run([kms.KMS, "-c", self.kms.file], capture_output=True, text=True, check=False, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another process has this store open", done.stderr)
        self.kms.secret("master.key", os.urandom(32))
        self.kms.kill()
        done = subprocess.run([kms.KMS, "-c", self.kms.file], capture_output=True, text=True, check=False, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the master key is not the one", done.stderr)

    def test_reload(self):
        alice = self.kms.enroll(User(ALICE))
        self.kms.start()
        self.assertTrue(self.granted(alice, BOB))
        self.kms.configure(['from: "sip:*", to: "sip:bob@example.com", deny: true'])
        self.kms.process.send_signal(signal.SIGHUP)
        self.kms.logged("event=reloaded rules=1")
        self.assertFalse(self.granted(alice, BOB))
        self.kms.configure(['from: "sip:*", too: "sip:*"'])
        self.kms.process.send_signal(signal.SIGHUP)
        self.kms.logged("not reloaded, nothing has changed")
        self.kms.configure(RULES, listen="http: 127.0.0.2:0")
        self.kms.process.send_signal(signal.SIGHUP)
        self.kms.logged("a change of listen needs a restart")
        self.assertFalse(self.granted(alice, BOB))
        self.kms.configure(RULES)
        self.kms.process.send_signal(signal.SIGHUP)
        self.kms.logged("event=reloaded rules=2")
        self.assertTrue(self.granted(alice, BOB))

    def test_one_source_has_not_all_connections(self):
        self.kms.configure(RULES, "limits: {connections: 8, request: 1h}")
        self.kms.start()
        idle = [socket.create_connection(("127.0.0.1", self.kms.ports["http"])) for _ in range(20)]
        try:
            conn = http.client.HTTPConnection("127.0.0.1", self.kms.ports["http"], timeout=10,
                                              source_address=("127.0.0.2", 0))
            conn.request("GET", "/")
            self.assertEqual(conn.getresponse().status, 404)
            conn.close()
        finally:
            for one in idle:
                one.close()

    def test_check(self):
        for rules, more, said in ((RULES, "", "ok"), (['from: "a*b*", to: "*"'], "", "one * only"),
                                  (RULES, "tickets: {lifetime: 2d}", "longer than lifetime-max"),
                                  (RULES, "http: {path: keys}", "begins with /"),
                                  (RULES, "limits: {body: 1}", "from 1KiB"),
                                  (RULES, "tickts: {}", "tickts")):
            self.kms.configure(rules, more)
            done = subprocess.run([kms.KMS, "-c", self.kms.file, "--check"], capture_output=True, text=True, check=False,
                                  timeout=20)
            self.assertEqual(done.returncode, 0 if said == "ok" else 1, more)
            self.assertIn(said, done.stdout + done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "kms.db")))

    def test_sample(self):
        """packaging/gatehouse-kms.yaml, with files that are there."""
        sample = os.path.join(os.environ["GATEHOUSE_SOURCE_ROOT"], "packaging", "gatehouse-kms.yaml")
        with open(sample, encoding="utf-8") as file:
            text = file.read().replace("/etc/gatehouse/kms-master.key", os.path.join(self.folder, "master.key"))
        with open(self.kms.file, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([kms.KMS, "-c", self.kms.file, "--check"], capture_output=True, text=True, check=False,
                              timeout=20)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_full_disk(self):
        """Nothing is granted that could not be remembered; and when there is room again, all goes on."""
        alice = self.kms.enroll(User(ALICE))
        self.kms.start()
        self.assertTrue(self.granted(alice, BOB))
        question, pid = alice.question(REQUEST, policy(BOB)), self.kms.process.pid
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
        for _ in range(2):
            status, body = self.kms.post(question)
            self.assertEqual((status, error_of(body)), (503, UNSPECIFIED))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        self.assertEqual(self.kms.post(question)[0], 200)  # it was not taken before
        self.assertEqual(self.kms.metric('answers_total{result="failed"}'), 2)

    def test_another_form(self):
        """Path and parameter are the operator's (TS 33.328, annex A was not at hand)."""
        self.kms.configure(RULES, 'http: {path: /keys, parameter: ""}')
        alice = self.kms.enroll(User(ALICE))
        self.kms.start()
        status, _, _ = self.kms.http("POST", "/keys", alice.question(REQUEST, policy(BOB)))
        self.assertEqual(status, 200)


@unittest.skipUnless(HAVE_OPENSSL, NO_OPENSSL)
class Https(unittest.TestCase):
    """By python's TLS, which is not ours."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-kms-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.pki = Pki(self.folder)
        for name in ("kms", "node"):
            self.pki.leaf(name)
        self.kms = Kms(self.folder, RULES, kms.tls_section(self.folder), "https: 127.0.0.1:0")
        self.addCleanup(lambda: self.kms.kill())  # pylint: disable=unnecessary-lambda

    def ask(self, user, certificate=None, anchors="ca", conn=None):
        context = ssl.create_default_context(cafile=self.pki.path(anchors + ".pem"))
        context.check_hostname = False  # it is at 127.0.0.1
        if certificate:
            context.load_cert_chain(self.pki.path(certificate + ".pem"), self.pki.path(certificate + ".key"))
        conn = conn or http.client.HTTPSConnection("127.0.0.1", self.kms.ports["https"], context=context, timeout=15)
        self.addCleanup(conn.close)
        conn.request("POST", "/keymanagement?requesttype=ticketrequest", user.question(REQUEST, policy(BOB)),
                     {"Content-Type": "application/mikey"})
        answer = conn.getresponse()
        body = answer.read()
        return answer.status, user.answer(body)[0], conn

    def test_https(self):
        alice = self.kms.enroll(User(ALICE))
        self.kms.start()
        status, keys, conn = self.ask(alice)
        self.assertEqual((status, len(keys)), (200, 2))
        self.assertEqual(self.ask(alice, conn=conn)[0], 200)  # again over the same connection
        with self.assertRaises(ssl.SSLError):
            self.ask(alice, anchors="other")
        self.kms.process.send_signal(signal.SIGHUP)
        self.kms.logged("event=reloaded")
        self.assertEqual(self.ask(alice, conn=conn)[0], 200)  # that connection stands on the old domain
        self.assertEqual(self.ask(alice)[0], 200)
        self.kms.kill(signal.SIGTERM)

    def test_who_asks_and_does_not_read_waits(self):
        """Its answers are not hoarded until there are too many, which would end it."""
        self.kms.start()
        context = ssl.create_default_context(cafile=self.pki.path("ca.pem"))
        context.check_hostname = False
        with context.wrap_socket(socket.create_connection(("127.0.0.1", self.kms.ports["https"]))) as conn:
            conn.settimeout(1)
            with self.assertRaises(TimeoutError):
                while True:
                    conn.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100)

    def test_requests_by_public_key(self):
        """The certificate that was enrolled counts; and it cannot be had without one of the KMS's own."""
        for name in ("alice", "rsa"):
            self.pki.leaf(name, key="rsa")
        self.kms.configure(RULES, own=f", certificate: {self.folder}/kms.pem, key: {self.folder}/kms.key")
        done = subprocess.run([kms.KMS, "-c", self.kms.file, "--check"], capture_output=True, text=True, check=False,
                              timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("need an RSA key", done.stderr)  # that one is EC
        self.kms.configure(RULES, own=f", certificate: {self.folder}/rsa.pem, key: {self.folder}/rsa.key")
        self.assertEqual(self.kms.tool("add", ALICE, "--certificate", self.pki.path("alice.pem"))[0], 0)
        self.assertEqual(self.kms.tool("list")[1], f"{ALICE} cert\n")
        self.kms.start()
        alice = User(ALICE)
        status, body = self.kms.post(alice.question_pk(policy(BOB), self.pki, "alice", "rsa"))
        self.assertEqual((status, len(alice.answer(body)[0])), (200, 2))
        for own, name in (("rsa", ALICE), ("alice", BOB)):
            status, body = self.kms.post(User(name).question_pk(policy(BOB), self.pki, own, "rsa"))
            self.assertEqual((status, error_of(body)), (403, AUTH_FAILURE))
        self.kms.kill(signal.SIGTERM)

    def test_certificates_of_clients(self):
        alice = self.kms.enroll(User(ALICE))
        self.kms.configure(RULES, kms.tls_section(self.folder, "certificate"), "https: 127.0.0.1:0")
        self.kms.start()
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask(alice)
        self.assertEqual(self.ask(alice, "node")[0], 200)


if __name__ == "__main__":
    unittest.main()
