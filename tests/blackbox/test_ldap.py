#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-fetch reads Certificate Repositories: slapd has them, `gatehouse pki publish` filled them, and what comes
of it is judged by `gatehouse pki verify`."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import harness
import slapd

FETCH = os.path.join(harness.BUILD, "gatehouse-fetch")
ROOT = os.geteuid() == 0


def run(*args, status=0, **more):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False,
                          timeout=harness.PATIENCE * 4, **more)
    assert status is None or done.returncode == status, f"{args}: {done.returncode} {done.stdout}{done.stderr}"
    return done


class Once:
    """gatehouse-fetch that asks every source once, with a cache folder of its own. As root it becomes nobody."""

    def __init__(self, folder, config):
        self.folder = tempfile.mkdtemp(dir=folder)
        os.chmod(self.folder, 0o755)
        self.cache = os.path.join(self.folder, "cache")
        os.mkdir(self.cache)
        if ROOT:
            shutil.chown(self.cache, "nobody")
        self.file = os.path.join(self.folder, "fetch.yaml")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(f"fetch:\n  cache: {self.cache}\n" + ("  user: nobody\n" if ROOT else "") + config)

    def once(self, status=0):
        """What it says of each source, by name."""
        rows = [json.loads(line) for line in
                run(FETCH, "-c", self.file, "--once", "--json", status=status).stdout.splitlines()]
        return {row["source"]: row for row in rows}

    def read(self):
        found = {}
        for name in sorted(os.listdir(self.cache)):
            if name.endswith(".crlx"):
                with open(os.path.join(self.cache, name), "rb") as file:
                    found[name] = file.read()
        return found


@unittest.skipUnless(slapd.HAVE_SLAPD, slapd.NO_SLAPD)
class Case(unittest.TestCase):
    """Operators A and B; A vouches for B's TLS server authority, and B has a gateway."""

    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.made)
        for name in "ab":
            run(harness.TOOL, "pki", "init", "--name", name.upper(), "--crl-url",
                        f"ldap://ldap.{name}.example/cn={{ca}},o={name.upper()}?certificateRevocationList;binary", name,
                        cwd=cls.made)
        run(harness.TOOL, "pki", "cross-certify", "--yes", "--role", "server", "--peer", "b/tls-server/ca.pem",
                    "--permit", "b.example", "--out", "cross.pem", "a", cwd=cls.made)
        run(harness.TOOL, "pki", "issue", "--role", "server", "--dns", "gw.b.example", "--out", "gw", "b",
                    cwd=cls.made)

    def setUp(self):
        self.folder = os.path.join(tempfile.mkdtemp(), "x")
        self.addCleanup(shutil.rmtree, os.path.dirname(self.folder))
        shutil.copytree(self.made, self.folder)
        for path in (os.path.dirname(self.folder), self.folder):
            os.chmod(path, 0o755)  # the program is another user when a test is root

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def directory(self, suffix="o=A", **more):
        server = slapd.Slapd(self.folder, suffix, **more)
        self.addCleanup(server.close)
        os.chmod(server.folder, 0o755)
        return server

    def pki(self, *args, status=0):
        done = run(harness.TOOL, "pki", *args, cwd=self.folder, status=status)
        return done.stdout + done.stderr

    def publish(self, operator, server):
        self.pki("publish", "--create", "--anchors", server.ca, "--bind", server.root, "--password-file",
                 server.password_file, "--to", server.url(server.suffix, tls=True), operator)

    def fetcher(self, config):
        """For --once. Sources are asked one after the other, in no order that is promised."""
        for name in ("a", "b"):
            config = config.replace(f"@{name}", self.path(name))
            os.chmod(self.path(name), 0o755)
            for authority in os.listdir(self.path(name)):
                os.chmod(self.path(name, authority), 0o755)
        return Once(self.folder, config)

    def fails(self, config, *words):
        """One source, x: it fails, and nothing is in the cache."""
        fetch = self.fetcher(config)
        row = fetch.once(status=1)["x"]
        for word in words:
            self.assertIn(word, str(row))
        self.assertEqual(list(fetch.read()), [])
        return row


class TestRepository(Case):
    def verify(self, fetch, status=0):
        return self.pki("verify", "--anchor", "a/interconnection/ca.pem", "--cache", fetch.cache, "--name",
                        "gw.b.example", "gw.pem", status=status)

    def test_two_operators(self):
        """All that A needs to judge B's gateway comes out of directories, and follows what is published there."""
        own, peer = self.directory(), self.directory("o=B")
        self.publish("a", own)
        self.publish("b", peer)
        fetch = self.fetcher("interconnection-cas: [@a/interconnection/ca.pem]\nissuers: [@a/tls-server/ca.pem, "
                             "@a/tls-client/ca.pem]\nsources:\n"
                             f"  - {{name: own, repository: \"{own.url('o=A')}\"}}\n"
                             f"  - {{name: peer, crl: \"{peer.url('cn=tls-server,o=B?certificateRevocationList;binary')}\"}}\n")
        self.assertIn("neither an own TLS CA nor a cross-certificate", self.verify(fetch, status=1))
        fetch.once(status=None)  # the peer's list may come before the cross-certificate that vouches for its issuer
        fetch.once()
        self.assertIn("accepted", self.verify(fetch))

        self.pki("revoke", "--ca", "tls-server", "b", "gw.pem")
        self.pki("crl", "--ca", "tls-server", "b")
        self.publish("b", peer)
        self.assertIn("accepted", self.verify(fetch))
        fetch.once()
        self.assertIn("revoked", self.verify(fetch, status=1))

        self.pki("issue", "--role", "server", "--dns", "gw.b.example", "--out", "gw", "b")
        self.assertIn("accepted", self.verify(fetch))
        self.pki("revoke", "--ca", "interconnection", "a", "cross.pem")
        self.pki("crl", "--ca", "interconnection", "a")
        self.publish("a", own)
        fetch.once()
        self.assertIn("revoked", self.verify(fetch, status=1))

    def tls(self, *servers):
        """Two repositories, or one, of A, read through TLS."""
        sources = "".join(f"  - {{name: r{i}, repository: \"{s.url(s.suffix, tls=True)}\"}}\n"
                          for i, s in enumerate(servers))
        hosts = "".join(f"  - host: \"127.0.0.1:{s.tls_port}\"\n    anchors: {s.ca}\n" for s in servers)
        return ("interconnection-cas: [@a/interconnection/ca.pem]\nissuers: [@a/tls-server/ca.pem, "
                "@a/tls-client/ca.pem, @b/tls-server/ca.pem, @b/tls-client/ca.pem, @b/interconnection/ca.pem]\n"
                f"allow: {{schemes: [ldap, ldaps]}}\nsources:\n{sources}directories:\n{hosts}")

    def crosses(self, fetch):
        return sorted(os.listdir(os.path.join(fetch.cache, "cross")))

    def withdraw(self, server):
        self.pki("revoke", "--ca", "interconnection", "a", "cross.pem")
        self.pki("crl", "--ca", "interconnection", "a")
        self.publish("a", server)

    def test_withdrawn(self):
        """A cross-certificate that left the repository leaves the cache; a file that is none of ours stays."""
        own = self.directory()
        self.publish("a", own)
        fetch = self.fetcher(self.tls(own))
        fetch.once()
        with open(os.path.join(fetch.cache, "cross", "by-hand.der"), "wb"):
            pass
        fetch.once()
        self.assertEqual(len(self.crosses(fetch)), 2)
        self.withdraw(own)
        with open(fetch.file, encoding="utf-8") as file:
            config = file.read()
        with open(fetch.file, "a", encoding="utf-8") as file:
            file.write("limits: {time: 300ms}\n")
        own.stall()
        self.addCleanup(own.resume)
        fetch.once(status=1)  # nobody answers: nothing goes
        own.resume()
        self.assertEqual(len(self.crosses(fetch)), 2)
        with open(fetch.file, "w", encoding="utf-8") as file:
            file.write(config)
        self.assertIn("event=cross-withdrawn", run(FETCH, "-c", fetch.file, "--once").stderr)
        self.assertEqual(self.crosses(fetch), ["by-hand.der"])

    def test_withdrawn_from_one_of_two(self):
        """While another repository has it, or holds what cannot be read, it stays."""
        own, other = self.directory(), self.directory("o=B")
        self.publish("a", own)
        pair = own.read("cn=interconnection,o=A", "crossCertificatePair")[0]["crossCertificatePair"]
        self.publish("b", other)
        other.put("cn=interconnection,o=B", "crossCertificatePair;binary", *pair)
        fetch = self.fetcher(self.tls(own, other))
        fetch.once()
        self.withdraw(own)
        fetch.once()
        self.assertEqual(len(self.crosses(fetch)), 1)
        other.put("cn=interconnection,o=B", "crossCertificatePair;binary", b"\x30\x03\x02\x01\x05")
        fetch.once(status=None)
        self.assertEqual(len(self.crosses(fetch)), 1)
        other.put("cn=interconnection,o=B", "crossCertificatePair;binary")
        fetch.once()
        self.assertEqual(self.crosses(fetch), [])

    def test_nothing_is_taken_away_on_a_bare_line(self):
        own = self.directory()
        self.publish("a", own)
        fetch = self.fetcher("interconnection-cas: [@a/interconnection/ca.pem]\nissuers: [@a/tls-server/ca.pem, "
                             "@a/tls-client/ca.pem]\n"
                             f"sources: [{{name: x, repository: \"{own.url('o=A')}\"}}]\n")
        fetch.once()
        self.withdraw(own)
        fetch.once()
        self.assertEqual(len(self.crosses(fetch)), 1)

    def test_garbage_among_what_is_good(self):
        """A pair that cannot be read takes no other value with it."""
        server = self.directory()
        self.publish("a", server)
        good = server.read("cn=interconnection,o=A", "crossCertificatePair")[0]["crossCertificatePair"]
        server.put("cn=interconnection,o=A", "crossCertificatePair;binary", b"\x30\x03\x02\x01\x05", *good)
        fetch = self.fetcher("interconnection-cas: [@a/interconnection/ca.pem]\nissuers: [@a/tls-server/ca.pem, "
                             "@a/tls-client/ca.pem]\n"
                             f"sources: [{{name: x, repository: \"{server.url('o=A')}\"}}]\n")
        fetch.once()
        self.assertEqual(len(os.listdir(os.path.join(fetch.cache, "cross"))), 1)
        self.assertEqual(len(list(fetch.read())), 3)

    def test_nothing_there(self):
        server = self.directory()
        for dn in ("o=A", "cn=nobody,o=A"):
            self.fails(f"sources: [{{name: x, repository: \"{server.url(dn)}\"}}]\n", "nothing there")


class TestTls(Case):
    def source(self, server, tls, *lines):
        scheme = "ldaps" if tls else "ldap"
        text = "".join(f"    {line}\n" for line in lines)
        return (f"issuers: [@a/tls-server/ca.pem]\nsources: [{{name: x, crl: \"{server.url('cn=tls-server,o=A', tls)}\"}}]\n"
                f"allow: {{schemes: [{scheme}]}}\n"
                f"directories:\n  - host: \"127.0.0.1:{server.tls_port if tls else server.port}\"\n{text}")

    def test_both_ways(self):
        server = self.directory()
        self.publish("a", server)
        for tls, lines in ((True, ()), (False, ("start-tls: true",))):
            fetch = self.fetcher(self.source(server, tls, f"anchors: {server.ca}", *lines))
            fetch.once()
            self.assertEqual(len(list(fetch.read())), 1)

    def test_strangers(self):
        server = self.directory()
        self.publish("a", server)
        other = self.path("other")
        os.mkdir(other)
        slapd.tls_files(other)
        for tls, lines in ((True, ()), (False, ("start-tls: true",))):
            self.fails(self.source(server, tls, f"anchors: {other}/tls-ca.pem", *lines), "TLS")
        self.fails(self.source(server, True), "anchors")

    def test_old_versions(self):
        server = self.directory(global_lines="TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.1")
        for tls, lines in ((True, ()), (False, ("start-tls: true",))):
            self.fails(self.source(server, tls, f"anchors: {server.ca}", *lines), "TLS1.1, and not TLS 1.2 or 1.3")

    def test_bind(self):
        """A directory that shows itself to those it knows only."""
        server = self.directory(access="by users read by * auth")
        self.publish("a", server)
        bind = (f"anchors: {server.ca}", f"bind-dn: \"{server.root}\"", f"password-file: {server.password_file}")
        self.fails(self.source(server, True, bind[0]), "Insufficient access")
        fetch = self.fetcher(self.source(server, True, *bind))
        fetch.once()
        self.assertEqual(len(list(fetch.read())), 1)
        with open(server.password_file, "w", encoding="ascii") as file:
            file.write("wrong\n")
        self.fails(self.source(server, True, *bind), "Invalid credentials")


class TestBounds(Case):
    def test_referrals(self):
        """To another host only where it is allowed; one that is not never hears of us."""
        here, there = self.directory(), self.directory("o=B")
        self.publish("b", there)
        stranger = socket.create_server(("127.0.0.2", 0))
        self.addCleanup(stranger.close)
        here.refer("away", f"ldap://127.0.0.2:{stranger.getsockname()[1]}/cn=tls-server,o=B")
        here.refer("there", there.url("cn=tls-server,o=B"))
        config = "issuers: [@b/tls-server/ca.pem]\n"
        self.fails(f"{config}sources: [{{name: x, crl: \"{here.url('cn=away,o=A')}\"}}]\n", "where we do not go",
                   "allow.hosts")
        stranger.setblocking(False)
        with self.assertRaises(BlockingIOError):
            stranger.accept()
        self.fails(f"{config}sources: [{{name: x, crl: \"{here.url('cn=there,o=A')}\"}}]\n", "where we do not go")
        fetch = self.fetcher(f"{config}sources: [{{name: x, crl: \"{here.url('cn=there,o=A')}\"}}]\n"
                             f"allow: {{schemes: [ldap], hosts: [\"127.0.0.1:{there.port}\"]}}\n")
        fetch.once()
        self.assertEqual(len(list(fetch.read())), 1)

    def big(self, server, count=3000):
        """A CRL of some 100,000 octets, which the tools of the directory put there."""
        self.pki("init", "--name", "Big", "big")
        with open(self.path("big", "tls-server", "index.txt"), "a", encoding="ascii") as file:
            for _ in range(count):
                file.write(f"R\t41{os.urandom(19).hex().upper()}\t2036-01-01T00:00:00Z\t2026-01-01T00:00:00Z\t"
                           "unspecified\tserver\tCN=x\n")
        self.pki("crl", "--ca", "tls-server", "--out", "big.crl", "big")
        with open(self.path("big.crl"), "rb") as file:
            crl = file.read()
        server.authority("big", certificateRevocationList=crl)
        shutil.copy(self.path("big", "tls-server", "ca.pem"), self.path("big.pem"))
        return len(crl), f"issuers: [{self.path('big.pem')}]\nsources: [{{name: x, crl: \"URL\"}}]\n"

    def test_too_large(self):
        """It is not taken in at all, so its signature is nobody's business."""
        server = self.directory()
        size, config = self.big(server)
        config = config.replace("URL", server.url("cn=big,o=A"))
        fetch = self.fetcher(f"{config}limits: {{size: {size}}}\n")
        fetch.once()
        self.assertEqual(len(list(fetch.read())), 1)
        self.fails(f"{config}limits: {{size: {size - 1}}}\n", "allowed")
        self.fails(f"{config}limits: {{size: 4096}}\n", "allowed")

    def test_stalls(self):
        server = self.directory()
        self.publish("a", server)
        server.stall()
        self.addCleanup(server.resume)
        for tls in (False, True):
            config = TestTls.source(None, server, tls, f"anchors: {server.ca}")
            self.fails(f"{config}limits: {{time: 300ms}}\n", "too long")

    def test_killed_in_the_middle(self):
        """Half an answer is none; what was there stays."""
        server = self.directory()
        _, config = self.big(server)
        relay = Relay(server.port)
        self.addCleanup(relay.close)
        fetch = self.fetcher(config.replace("URL", f"ldap://127.0.0.1:{relay.port}/cn=big,o=A"))
        fetch.once()
        before = fetch.read()
        relay.limit, relay.then = 20000, server.kill
        row = fetch.once(status=1)["x"]
        self.assertIn("contact", str(row))
        self.assertEqual(fetch.read(), before)


class Relay:
    """Passes on what a client and a directory say; after `limit` octets of an answer it does `then`, and ends."""

    def __init__(self, port):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port, self.to = self.server.getsockname()[1], port
        self.limit, self.then = None, None
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client = self.server.accept()[0]
            except OSError:
                return
            server = harness.connect(self.to)
            asking = threading.Thread(target=harness.Splice.carry, args=(client, server), daemon=True)
            asking.start()
            self.answer(server, client)
            for end in (client, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)  # for the thread that reads from it, too
            asking.join()
            client.close()
            server.close()

    def answer(self, server, client):
        passed = 0
        try:
            while block := server.recv(4096):
                client.sendall(block)
                passed += len(block)
                if self.limit and passed > self.limit:
                    self.then()
                    return
        except OSError:
            return

    def close(self):
        self.server.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
