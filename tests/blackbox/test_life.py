#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program's life: wrong files, registration, controllers that are silent or go, leaving, reload, and too little of
descriptors and ports. Nothing is left behind when contexts go."""
import os
import resource
import signal
import subprocess
import unittest

import harness
from harness import (Backend, Case, Controller, Gateway, HAVE_OPENSSL, MG, Made, add, connect, free_port, read_exactly,
                     stream, until)

TCP = stream("TCP/MSRP", "passive", 9, "active")
TLS = stream("TCP/TLS/MSRP", "passive", 9, "active")
DOMAIN = """
  - {{name: d, profile: ts33210-rel17, certificate: {d}/{c}.pem, key: {d}/{c}.key, client-auth: none, default: true}}
"""
BASE = """controllers: ["127.0.0.1:2944"]
h248: {listen: "127.0.0.1:0"}
media: {addresses: [127.0.0.1]}
"""


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Files(Case, unittest.TestCase):
    """-t and the exit status."""

    def check(self, text, *options):
        path = os.path.join(self.folder, "checked.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path, subprocess.run([MG, "-c", path, *(options or ("-t",))], capture_output=True, text=True, timeout=30,
                                    check=False)

    def test_good_file(self):
        realm = BASE.replace("addresses: [127.0.0.1]", "realms: [{name: r, addresses: [127.0.0.1]}]")
        for text in (BASE, realm):
            path, done = self.check(text)
            self.assertEqual((done.returncode, done.stdout), (0, f"{path}: ok\n"), done.stderr)

    def test_wrong_files_name_place_and_cure(self):
        rows = (
            (BASE.replace("listen", "listne"), 2, "listen"),
            (BASE + "mg: {workers: many}\n", 4, "many"),
            (BASE + "mg: {workers: 1000}\n", 4, "1 to 256"),
            (BASE + "mg:\n  drain: soon\n", 5, "soon"),
            (BASE.replace("127.0.0.1]", "nowhere]"), 3, "nowhere"),
            (BASE.replace("{addresses: [127.0.0.1]}", "{ports: 1-2}"), 3, "neither addresses nor realms"),
            (BASE.replace("127.0.0.1]", "127.0.0.1], realms: [{name: r, addresses: [x]}]"), 3, "'x'"),
            (BASE.replace("addresses: [127.0.0.1]", "realms: [{name: r, addresses: [127.0.0.1]}, "
                          "{name: r, addresses: [127.0.0.2]}]"), 3, "'r'"),
            (BASE + "h248: [\n", 4, ""),
            (BASE + "tls-domains:\n  - {name: a, profile: nosuch}\n", 5, "nosuch"),
            (BASE + "tls-domains:\n  - {name: a, profile: ts33210-rel17, engine: nss}\n", 5, "nss"),
            (BASE + "tls-domains:\n  - {name: a, profile: ts33210-rel17, certificate: gone.pem, key: gone.key}\n", 5,
             "gone.pem"),
            (BASE + "tls-domains:\n  - {name: a, profile: ts33210-rel17, trust: {anchors: [gone.pem]}}\n", 5, "gone.pem"),
            (BASE + "tls-domains:\n  - {name: a, profile: ts33328-annex-h, psks: [{identity: i, key-file: gone}]}\n", 5,
             "gone"),
            (BASE + "tls-domains:\n  - {name: a, profile: ts33210-rel17}\n  - {name: a, profile: ts33210-rel17}\n", 6,
             "'a'"),
        )
        for text, line, words in rows:
            with self.subTest(words):
                path, done = self.check(text)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, f"{path}:{line}(:[0-9]+)?: ")
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_unknown_key_has_a_suggestion(self):
        _, done = self.check(BASE.replace("listen", "listne"))
        self.assertIn("did you mean 'listen'", done.stderr)

    def test_wrong_usage(self):
        for args in ((), ("-x",), ("-c",)):
            done = subprocess.run([MG, *args], capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 2, args)
        done = subprocess.run([MG, "-t", "-c", "/nonexistent"], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent", done.stderr)

    def test_a_port_that_is_taken_ends_the_start(self):
        controller = self.own(Controller())
        _, done = self.check(BASE.replace("127.0.0.1:0", f"127.0.0.1:{controller.port}"), "-c",
                             os.path.join(self.folder, "checked.yaml"))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "in use")


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Life(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.pki.leaf("one")
        cls.pki.leaf("two")
        cls.pki.leaf("current")

    def domain(self, name="one"):
        return DOMAIN.format(d=self.folder, c=name)

    def context(self, mgc, what=TCP):
        return Made(mgc.ok("Context = $ { " + add(what) + " }"))

    def shown(self, made):
        """Whose certificate a client sees."""
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{made.ports[0]}"], input="", text=True,
                              capture_output=True, timeout=30, check=False)
        return done.stdout

    # -- leaving

    def test_sigterm_tells_drains_and_ends(self):
        gw = self.gateway(mg=", drain: 30s")
        made = self.context(gw.controller)
        gw.signal(signal.SIGTERM)
        told = gw.controller.take("ServiceChange = ROOT", "Method = Graceful", "905")
        self.assertIn("Delay = 30", told)
        gw.controller.refused("Context = $ { " + add(TCP) + " }", 503)
        gw.controller.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ }} }} }}")
        self.assertIsNone(gw.process.poll())
        gw.controller.ok(f"Context = {made.context} {{ Subtract = {made.terms[0]} }}")
        gw.controller.take("ServiceChange = ROOT", "Method = Forced", "905")
        self.assertEqual(gw.wait(), 0)

    def test_sigterm_with_a_drain_that_ends_by_time(self):
        gw = self.gateway(mg=", drain: 200ms")
        self.context(gw.controller)
        gw.signal(signal.SIGTERM)
        told = gw.controller.take("ServiceChange = ROOT", "Method = Graceful", "905")
        self.assertIn("Delay = 1", told)  # 0 would mean for ever
        gw.controller.take("ServiceChange = ROOT", "Method = Forced", "905")
        self.assertEqual(gw.wait(), 0)

    def test_sigterm_while_nobody_answers(self):
        gw = self.gateway(h248=", leave-timeout: 300ms")
        gw.controller.answer = False
        gw.signal(signal.SIGTERM)
        self.assertEqual(gw.wait(), 0)

    # -- reload

    def test_reload_under_load(self):
        gw = self.gateway(self.domain("one"))
        backend = self.own(Backend())
        made = self.relay(gw.controller, TLS, backend)
        peer = self.peer("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{made.ports[0]}")
        conn = backend.accept()
        gw.controller.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        gw.write(self.domain("two"))
        gw.signal(signal.SIGHUP)
        gw.logged("reloaded: 1 TLS domain")
        peer.send(b"still here\n")
        self.assertEqual(read_exactly(conn, 11), b"still here\n")
        fresh = self.context(gw.controller, TLS)
        self.assertIn("CN = two.home.example", self.shown(fresh))
        gw.write(self.domain("nosuch"))
        gw.signal(signal.SIGHUP)
        gw.logged("not reloaded, nothing has changed: ", "nosuch.pem")
        again = self.context(gw.controller, TLS)
        self.assertIn("CN = two.home.example", self.shown(again))
        conn.sendall(b"and here\n")
        peer.says(b"and here\n")

    def test_many_reloads_leave_nothing(self):
        gw = self.gateway(self.domain("one"))
        def again(count):
            for _ in range(20):
                count += 1
                gw.signal(signal.SIGHUP)
                gw.logged("reloaded: 1 TLS domain", count=count)
            return count
        count = again(0)
        fds, size = gw.fds(), gw.rss()
        for _ in range(4):
            count = again(count)
        self.assertEqual(gw.fds(), fds)
        self.assertLess(gw.rss() - size, 8 << 20)

    # -- controllers

    def test_second_controller_when_the_first_is_dead(self):
        second = self.own(Controller())
        gw = Gateway(self.folder, controller=second, controllers=f'"127.0.0.1:{free_port()}", "127.0.0.1:{second.port}"',
                     h248=", register-timeout: 300ms, t-max: 2s")
        self.addCleanup(gw.stop)
        self.context(second)

    def test_controller_that_comes_late(self):
        port = free_port()
        dead = self.own(Controller())
        gw = Gateway(self.folder, controller=dead, controllers=f'"127.0.0.1:{port}"', register=False,
                     h248=", register-timeout: 200ms, retry: 100ms, retry-max: 200ms")
        self.addCleanup(gw.stop)
        gw.logged("H.248 on")
        late = self.own(Controller(port=port))
        late.take("ServiceChange = ROOT", "Method = Restart")
        gw.logged("mg: registered controller=")
        self.context(late)

    def test_controller_that_refuses_is_asked_again(self):
        mgc = self.own(Controller())
        mgc.refuse = 'Error = 502 { "not ready" }'
        gw = Gateway(self.folder, controller=mgc, register=False, h248=", retry: 100ms, retry-max: 200ms")
        self.addCleanup(gw.stop)
        mgc.take("ServiceChange = ROOT", "Method = Restart")
        mgc.take("ServiceChange = ROOT", "Method = Restart")
        mgc.refuse = None
        gw.logged("mg: registered controller=")
        self.context(mgc)

    def test_silent_controller_is_noticed_and_the_next_one_taken(self):
        first, second = self.own(Controller()), self.own(Controller())
        gw = Gateway(self.folder, controller=first, controllers=f'"127.0.0.1:{first.port}", "127.0.0.1:{second.port}"',
                     h248=", inactivity: 200ms, register-timeout: 300ms, t-max: 500ms")
        self.addCleanup(gw.stop)
        made = self.context(first)
        first.answer = False
        second.take("ServiceChange = ROOT", "Method = (Failover|Disconnected)", "909|900|902|913|9..")
        second.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ }} }} }}")

    def test_controller_that_starts_anew(self):
        """Over TCP its end is seen at once; contexts live on (RFC 3525, 11.5)."""
        gw = self.gateway(transport="tcp", h248=", retry: 100ms, retry-max: 200ms")
        mgc = gw.controller
        made = self.context(mgc)
        mgc.hang_up()
        mgc.take("ServiceChange = ROOT", "Method = (Disconnected|Failover|Restart)")
        mgc.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ }} }} }}")

    def test_keep_alive_asked_for_by_the_controller(self):
        gw = self.gateway()
        gw.controller.ok("Context = - { Modify = ROOT { Events = 77 { it/ito { mit = 10 } } } }")
        gw.controller.take("Notify = ROOT", "ObservedEvents = 77", "it/ito")
        gw.controller.take("Notify = ROOT", "ObservedEvents = 77", "it/ito")
        gw.controller.ok("Context = - { Modify = ROOT { Events } }")

    # -- too little

    def test_few_descriptors(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
        gw = self.gateway(limit=limit)
        mgc, made = gw.controller, []
        for _ in range(80):
            text = mgc.command("Context = $ { " + add(TCP) + " }")
            if "Error =" in text:
                break
            made.append(Made(text))
        self.assertRegex(text, "Error = (510|533) ")
        self.assertGreater(len(made), 4)
        self.serves(mgc, made)
        for m in made[1:]:
            mgc.ok(f"Context = {m.context} {{ Subtract = {m.terms[0]} }}")
        made = made[:1] + [until(lambda: (t := mgc.command("Context = $ { " + add(TCP) + " }")) and
                                 "Error =" not in t and Made(t), "a descriptor that is free again")]
        self.serves(mgc, made)

    def serves(self, mgc, made):
        """Those that exist work on."""
        conn = self.own(connect(made[0].ports[0]))
        mgc.take(f"Notify = {made[0].terms[0]} ", "tcpbcc/BNCChange", "Type = Est,")
        conn.close()
        mgc.take(f"Notify = {made[0].terms[0]} ", "tcpbcc/BNCChange", "Type = Rel,")
        mgc.ok(f"Context = {made[0].context} {{ Subtract = {made[0].terms[0]} }}")
        del made[0]

    def test_range_of_ports_used_up(self):
        low = free_port()
        gw = self.gateway(media=f", ports: {low}-{low + 3}")
        mgc, made = gw.controller, []
        for _ in range(5):
            text = mgc.command("Context = $ { " + add(TCP) + " }")
            if "Error =" in text:
                break
            made.append(Made(text))
            self.assertIn(made[-1].ports[0], range(low, low + 4))
        self.assertIn("Error = 510 ", text)
        self.assertIn("no free port", text)
        mgc.ok(f"Context = {made[0].context} {{ Subtract = {made[0].terms[0]} }}")
        until(lambda: "Error =" not in mgc.command("Context = $ { " + add(TCP) + " }"), "a port that is free again")

    def test_limit_of_contexts(self):
        gw = self.gateway(extra="limits: {contexts: 2}\n")
        mgc = gw.controller
        made = [self.context(mgc) for _ in range(2)]
        self.assertRegex(mgc.command("Context = $ { " + add(TCP) + " }"), "Error = (510|533|412) ")
        mgc.ok(f"Context = {made[0].context} {{ Subtract = {made[0].terms[0]} }}")
        self.context(mgc)

    # -- nothing left

    def test_contexts_come_and_go(self):
        gw = self.gateway(self.domain("one"))
        mgc = gw.controller
        backend = self.own(Backend())
        def round_trip():
            made = self.relay(mgc, TLS, backend)
            conn = backend.accept()
            mgc.ok(f"Context = {made.context} {{ W-Subtract = * {{ Audit {{ }} }} }}")
            conn.close()
        for _ in range(10):
            round_trip()
        fds = until(lambda: self.steady(gw), "descriptors that no longer change")
        size = gw.rss()
        for _ in range(200):
            round_trip()
        until(lambda: gw.fds() <= fds, lambda: f"{fds} descriptors again: {gw.fds()}")
        self.assertLess(gw.rss() - size, 16 << 20)
        reply = mgc.command("Context = * { AuditValue = * { Audit { } } }")
        self.assertNotIn("AuditValue = ip", reply)

    @staticmethod
    def steady(gw):
        count = gw.fds()
        try:
            sockets = [os.readlink(f"/proc/{gw.pid}/fd/{n}") for n in os.listdir(f"/proc/{gw.pid}/fd")]
        except FileNotFoundError:  # one has been closed meanwhile
            return 0
        return count if sum(s.startswith("socket:") for s in sockets) <= 8 else 0


if __name__ == "__main__":
    unittest.main(verbosity=2)
