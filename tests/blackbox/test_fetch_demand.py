#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The socket of gatehouse-fetch: distribution points that a handshake has met, and how things stand."""
import os
import pwd
import unittest

import fetcher
import harness
from fetcher import ROOT, Case, run


class TestDemand(Case):
    def demand(self, *sources, hosts=(), **settings):
        hosts = [f"'127.0.0.1:{self.naughty.port}'", *hosts]
        return self.fetcher(*sources, more=f"allow: {{ hosts: [{', '.join(hosts)}] }}\n", **settings)

    def test_done_when_the_cache_has_it(self):
        self.naughty.put("crl", self.made.crl())
        f = self.demand()
        client = self.own(f.client())
        self.assertEqual(client.ask(self.naughty.url("crl")), f"done {self.naughty.url('crl')}\n")
        self.assertEqual(len(f.read()), 1)

    def test_failed_with_the_reason(self):
        f = self.demand()
        client = self.own(f.client())
        for url, words in ((self.naughty.url("none"), "HTTP status 404"), ("http://evil.example/x", "not allowed"),
                           ("http://127.0.0.1:1/x", "not allowed"), ("https://127.0.0.1/x", "not allowed"),
                           ("file:///etc/passwd", "not a URL"), ("nonsense", "not a URL")):
            answer = client.ask(url)
            self.assertTrue(answer.startswith(f"failed {url} ") and answer.endswith("\n"), answer)
            self.assertIn(words, answer)

    def test_requests_for_one_url_are_one(self):
        self.naughty.waits("crl", self.made.crl())
        f = self.demand()
        clients = [self.own(f.client()) for _ in range(5)]
        for client in clients:
            for _ in range(3):
                client.send(f"crl {self.naughty.url('crl')}\n")
            client.send("status\n")
        for client in clients:  # all have been heard
            while client.answer() != "end\n":
                pass
        self.naughty.gate.set()
        for client in clients:
            for _ in range(3):
                self.assertEqual(client.answer(), f"done {self.naughty.url('crl')}\n")
        self.assertEqual(self.naughty.asked, ["crl"])
        # and a moment later it is not asked again
        self.assertIn("done", clients[0].ask(self.naughty.url("crl")))
        self.assertEqual(self.naughty.asked, ["crl"])

    def test_answers_in_order_of_completion(self):
        self.naughty.waits("slow", self.made.crl())
        self.naughty.put("fast", self.made.crl("tls-client"))
        f = self.demand()
        client = self.own(f.client())
        client.send(f"crl {self.naughty.url('slow')}\n")
        self.naughty.await_asked("slow")
        self.assertEqual(client.ask(self.naughty.url("fast")), f"done {self.naughty.url('fast')}\n")
        self.naughty.gate.set()
        self.assertEqual(client.answer(), f"done {self.naughty.url('slow')}\n")

    def test_no_longer_than_a_handshake_waits(self):
        self.naughty.waits("slow", b"")
        f = self.demand(socket_lines="  time: 300ms")
        self.assertIn("timed out", self.own(f.client()).ask(self.naughty.url("slow")).lower())

    def test_bounds(self):
        self.naughty.waits("0", b"")
        f = self.demand(socket_lines="  per-client: 2\n  clients: 2\n  learnt-sources: 3")
        client, second = self.own(f.client()), self.own(f.client())
        for n in range(2):
            self.naughty.waits(f"{n}", b"")
            client.send(f"crl {self.naughty.url(n)}\n")
        self.assertIn("socket.per-client", client.ask(self.naughty.url("2")))
        second.send(f"crl {self.naughty.url(1)}\n")
        self.naughty.waits("3", b"")
        second.send(f"crl {self.naughty.url(3)}\n")
        second.send("status\n")
        while second.answer() != "end\n":
            pass
        third = self.own(f.client())
        self.assertEqual(third.socket.recv(10), b"")  # one too many
        second.close()
        f.await_log("socket.clients")
        fourth = harness.until(lambda: self.come_in(f), "a place that is free again")
        self.assertIn("learnt-sources", fourth.ask(self.naughty.url("4")))

    def come_in(self, f):
        client = self.own(f.client())
        try:
            client.send("status\n")
            while client.answer() != "end\n":
                pass
        except (OSError, ValueError):
            return None
        return client

    def test_what_is_no_request_cuts_off(self):
        f = self.demand()
        for text in ("hello\n", "crl \n", "crl a b\n", "crl a", "x" * 5000, "crl " + "x" * 1500 + "\n"):
            client = self.own(f.client())
            client.send(text)
            self.assertEqual(client.socket.recv(100), b"", text[:20])
        self.assertEqual(self.own(f.client()).ask("x").split()[0], "failed")

    @unittest.skipUnless(ROOT, "only root can be two users")
    def test_only_who_may(self):
        f = self.demand()
        with open(f.file, encoding="utf-8") as file:
            text = file.read()
        with open(f.file, "w", encoding="utf-8") as file:
            file.write(text.replace(f"users: [{fetcher.OWN}]", "users: [daemon]"))
        f.close()
        f.start()
        self.assertEqual(self.own(f.client()).socket.recv(10), b"")
        f.await_log("event=client-refused uid=0")
        script = (f"import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.settimeout(15); "
                  f"s.connect({f.socket!r}); s.send(b'status\\n'); print(s.recv(100))")
        daemon = pwd.getpwnam("daemon")
        self.assertIn("end", run("python3", "-c", script, user=daemon.pw_uid, group=daemon.pw_gid).stdout)

    def test_learnt_is_remembered(self):
        """After a restart with a dead server it is known what there is, and the distribution point is tried again."""
        self.naughty.put("crl", self.made.crl())
        f = self.demand()
        client = self.own(f.client())
        self.assertIn("done", client.ask(self.naughty.url("crl")))
        f.await_log("event=fetched source=learnt")
        state = os.path.join(f.cache, ".sources")
        harness.until(lambda: os.path.exists(state) and os.path.getsize(state), "the file of sources")
        client.close()
        f.close()
        self.naughty.paths.clear()
        f.start()
        f.await_log("event=fetch-failed source=learnt .*404")
        row = self.own(f.client()).status()[self.naughty.url("crl")]
        self.assertEqual(row["crls"][0]["file"], f.files()[0])
        self.assertEqual(row["alarm"], "crl-fresh")

    def test_learnt_ones_that_bring_nothing_are_forgotten(self):
        f = self.demand(socket_lines="  pause: 100ms")
        client = self.own(f.client())
        self.assertIn("404", client.ask(self.naughty.url("none")))
        harness.until(lambda: not client.status(), "forgotten")

    def test_one_crl_by_many_names(self):
        """A URL can be written in many ways: one of them is enough to go on with."""
        crl = self.made.crl()
        f = self.demand(socket_lines="  pause: 100ms")
        client = self.own(f.client())
        for n in range(4):
            self.naughty.put(f"crl?{n}", crl)
            self.assertIn("done", client.ask(self.naughty.url(f"crl?{n}")))
        harness.until(lambda: len(client.status()) == 1, "one is left")
        self.assertEqual(len(f.read()), 1)

    def test_a_dead_server_leaves_room(self):
        """However many are asked for of a server that hangs, those of another come."""
        other = self.own(fetcher.Naughty())
        other.put("crl", self.made.crl())
        f = self.demand(hosts=[f"'127.0.0.1:{other.port}'"], socket_lines="  time: 1m")
        client = self.own(f.client())
        for n in range(40):
            self.naughty.waits(f"{n}", b"")
            client.send(f"crl {self.naughty.url(n)}\n")
        self.naughty.await_asked("0")
        self.assertEqual(self.own(f.client()).ask(other.url("crl")), f"done {other.url('crl')}\n")

    def test_status(self):
        self.naughty.put("crl", self.made.crl())
        f = self.fetcher(("a", self.naughty.url("crl")), ("b", self.naughty.url("none")))
        f.await_log("event=fetched source=a", "event=fetch-failed source=b")
        text = run(fetcher.FETCH, "-c", f.file, "--status").stdout
        self.assertRegex(text, r"(?m)^ok a http\S+ alarm=crl-fresh crl=\w+\.crlx,entries=0,next-update=\d+$")
        self.assertRegex(text, r"(?m)^failed b http\S+ alarm=crl-missing: HTTP status 404$")
        self.assertEqual(len(run(fetcher.FETCH, "-c", f.file, "--status", "--json").stdout.splitlines()), 2)
        f.close()
        self.assertIn("no answer", run(fetcher.FETCH, "-c", f.file, "--status", status=1).stderr)


if __name__ == "__main__":
    unittest.main()
