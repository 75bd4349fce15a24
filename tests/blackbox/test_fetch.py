#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-fetch against servers good and bad: nginx, slapd, and one by hand that stalls, floods, lies and cuts
short. The outcome is the CRL or the last good one, whatever happens."""
import os
import re
import signal
import stat
import tempfile
import unittest

import fetcher
import harness
import slapd
from fetcher import ROOT, Case, Fetcher, Naughty, Nginx, Operator, run


class TestWords(Case):
    def test_help_and_wrong_words(self):
        self.assertIn("--once", run(fetcher.FETCH, "--help").stdout)
        self.assertRegex(run(fetcher.FETCH, "--version").stdout, r"^gatehouse-fetch \d")
        for words in ((), ("-c",), ("-x",), ("-c", "f", "--log", "loud"), ("--once",)):
            self.assertIn("usage:", run(fetcher.FETCH, *words, status=2).stderr)

    def test_check(self):
        f = self.fetcher(("a", "http://crl.a.example/a.crl"), start=False)
        self.assertIn("ok", run(fetcher.FETCH, "-c", f.file, "-t").stdout)
        self.assertEqual(os.listdir(f.cache), [])
        f.write("issuers: [nowhere.pem]\n")
        self.assertIn("nowhere.pem", run(fetcher.FETCH, "-c", f.file, "-t", status=1).stderr)
        f.write(self.config(("a", "http://crl.a.example/a.crl")).replace("}", ", issuer: gone.pem }"))
        self.assertIn("gone.pem", run(fetcher.FETCH, "-c", f.file, "-t", status=1).stderr)
        f.write("limits: { parallel: many }\n")
        self.assertRegex(run(fetcher.FETCH, "-c", f.file, "-t", status=1).stderr, r"fetch.yaml:\d+:\d+: ")

    def test_sample(self):
        """packaging/gatehouse-fetch.yaml, as it is and with every key that is a remark."""
        f = self.fetcher(start=False)
        password, cross = os.path.join(f.folder, "password"), os.path.join(f.folder, "cross")
        with open(os.open(password, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write("geheim\n")
        os.mkdir(cross)
        with open(os.path.join(os.environ["GATEHOUSE_SOURCE_ROOT"], "packaging", "gatehouse-fetch.yaml"),
                  encoding="utf-8") as file:
            sample = file.read()
        sample = re.sub(r"/etc/gatehouse/trust/\S+?\.pem", self.made.ca(), sample)
        for old, new in (("/var/cache/gatehouse", f.cache), ("[gatehouse]", "[]"), ("/etc/gatehouse/cross", cross),
                         ("/etc/gatehouse/ldap.password", password), ("user: gatehouse-fetch", "user: nobody")):
            self.assertIn(old, sample)
            sample = sample.replace(old, new)
        full = re.sub(r"(?m)^( *)# (?= *(- )?(?!gatehouse-fetch)[a-z-]+:( |$))", r"\1", sample)
        self.assertGreater(len(re.findall(r"(?m)^ *[a-z]", full)), len(re.findall(r"(?m)^ *[a-z]", sample)) + 10)
        for text in (sample, full):
            with open(f.file, "w", encoding="utf-8") as file:
                file.write(text)
            done = run(fetcher.FETCH, "-c", f.file, "-t", status=None)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_one_writer(self):
        f = self.fetcher()
        self.assertIn("another gatehouse-fetch", run(fetcher.FETCH, "-c", f.file, "--once", status=1).stderr)


class TestHttp(Case):
    @unittest.skipUnless(fetcher.NGINX, fetcher.NO_NGINX)
    def test_nginx(self):
        web = self.own(Nginx(self.folder))
        web.put("s.crl", self.made.crl("tls-server"))
        web.put("c.pem", self.made.crl("tls-client", pem=True))
        web.put("i.crl", self.made.crl("interconnection"))
        f = self.fetcher(("s", web.url("s.crl")), ("c", web.url("c.pem")), ("i", web.url("i.crl", tls=True)),
                         more=f"http: {{ anchors: '{web.ca}' }}\n", start=False)
        rows = f.once()
        self.assertEqual(set(rows), {"s", "c", "i"})
        self.assertEqual(rows["c"]["crls"][0]["issuer"], "CN=Operator A TLS client CA,O=Operator A")
        self.assertEqual(len(f.read()), 3)
        for name in f.files():
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(f.cache, name)).st_mode), 0o444)
        text = run(fetcher.FETCH, "-c", f.file, "--once").stdout
        self.assertEqual(len(re.findall(r"^ok [sci] http", text, re.M)), 3)
        # a server that another CA vouches for
        f.write(self.config(("i", web.url("i.crl", tls=True)), more=f"http: {{ anchors: '{self.made.ca()}' }}\n"))
        self.assertRegex(f.once(status=1)["i"]["error"], "(?i)certificate")

    def test_statuses(self):
        for status in (b"404 Not Found", b"500 No", b"204 No Content", b"206 Partial Content", b"304 Not Modified"):
            self.naughty.raw("x", b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.one("x", status[:3].decode())
        self.naughty.put("x", b"")
        self.one("x", "empty")

    def test_what_is_no_crl(self):
        crl = self.made.crl()
        for octets, words in ((crl[:-1], "."), (crl[:40], "."), (crl + b"x", "."), (b"<html>no</html>", "."),
                              (crl[:-1] + bytes([crl[-1] ^ 1]), "sign"),
                              (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", ".")):
            self.naughty.put("x", octets)
            self.one("x", words)

    def test_wrong_length(self):
        crl = self.made.crl()
        self.naughty.raw("x", b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(crl) + 7) + crl)
        self.one("x", "outstanding|closed")
        self.naughty.raw("x", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + crl)
        self.one("x", "outstanding|closed|chunk")
        self.naughty.raw("x", b"garbage\r\n\r\n")
        self.one("x", "HTTP")

    def test_size_is_limited(self):
        limits = "limits: { size: 64KiB }\n"
        self.naughty.raw("x", b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
        self.one("x", "limits.size", more=limits)
        self.naughty.endless("x")
        self.one("x", "limits.size", more=limits)
        self.naughty.endless("x", head=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                             block=b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        self.one("x", "limits.size", more=limits)
        self.naughty.endless("x", head=b"HTTP/1.1 200 OK\r\n", block=b"X-A: " + b"y" * 8000 + b"\r\n")
        self.one("x", "header is larger than 65536", more=limits)
        self.assertLess(self.naughty.flood, 64 << 20)  # what was on its way
        # what would be small but for its packing is not unpacked at all
        self.naughty.put("x", self.made.crl())
        self.fetcher(("a", self.naughty.url("x")), start=False).once()
        self.assertNotIn("accept-encoding", self.naughty.requests[-1].lower())

    def test_time_is_limited(self):
        self.naughty.waits("x", b"")
        self.one("x", "timed out|Timeout", more="limits: { time: 300ms, connect-time: 300ms }\n")

        def drip(conn):
            conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while not self.naughty.gate.wait(0.05):
                conn.sendall(b"x")
        self.naughty.paths["y"] = drip
        self.one("y", "timed out|Timeout", more="limits: { time: 500ms }\n")

    def test_redirects(self):
        self.naughty.put("crl", self.made.crl())
        for i in range(4):
            self.naughty.redirect(f"{i + 1}", self.naughty.url(f"{i}") if i else "/crl", (301, 302, 307, 308)[i])
        self.assertTrue(self.fetcher(("a", self.naughty.url("3")), start=False).once()["a"]["ok"])
        self.one("4", "more than 3 redirects")
        self.one("1", "more than 0 redirects", more="limits: { redirects: 0 }\n")
        self.naughty.redirect("loop", "/loop")
        self.one("loop", "more than 3 redirects")
        self.assertEqual(self.naughty.asked.count("loop"), 4)

    def test_redirects_keep_to_the_list(self):
        other = self.own(Naughty())
        other.put("crl", self.made.crl())
        for to, words in ((other.url("crl"), "not allowed"), (f"http://localhost:{self.naughty.port}/crl", "not allowed"),
                          ("file:///etc/passwd", "neither http"), ("ftp://127.0.0.1/x", "neither http"),
                          (f"ldap://127.0.0.1:{self.naughty.port}/x", "http to ldap"),
                          (f"http://127.0.0.1:{self.naughty.port}@{other.url('crl')[7:]}", "not a URL|no ")):
            with self.subTest(to=to):
                self.naughty.redirect("x", to)
                self.one("x", words)
        self.assertEqual(other.asked, [])
        f = self.fetcher(("a", self.naughty.url("y")), start=False,
                         more=f"allow: {{ hosts: ['127.0.0.1:{other.port}'] }}\n")
        self.naughty.redirect("y", other.url("crl"))
        self.assertTrue(f.once()["a"]["ok"])

    def test_names_and_ports_that_are_not_there(self):
        f = self.fetcher(("a", "http://crl.invalid/x"), ("b", f"http://127.0.0.1:{harness.free_port()}/x"), start=False)
        rows = f.once(status=1)
        self.assertRegex(rows["a"]["error"], "resolve")
        self.assertRegex(rows["b"]["error"], "refused|connect")

    def test_nothing_of_the_environment(self):
        other = self.own(Naughty())
        home = tempfile.mkdtemp(dir=self.folder)
        with open(os.path.join(home, ".netrc"), "w", encoding="ascii") as file:
            file.write("machine 127.0.0.1 login me password geheim\n")
        os.chmod(home, 0o755)
        proxy = f"http://127.0.0.1:{other.port}"
        f = self.fetcher(("a", self.naughty.url("crl")), start=False,
                         env={"HOME": home, "http_proxy": proxy, "ALL_PROXY": proxy, "HTTP_PROXY": proxy})
        self.naughty.put("crl", self.made.crl())
        self.assertTrue(f.once()["a"]["ok"])
        self.assertEqual(other.asked, [])
        self.assertNotIn("authorization", self.naughty.requests[-1].lower())
        f.write(self.config(("a", self.naughty.url("crl")), more=f"http: {{ proxy: '{proxy}' }}\n"))
        f.once(status=1)
        self.assertEqual(len(other.requests), 1)  # configured, it is used

    def test_files(self):
        path = os.path.join(self.folder, "from-file.crl")
        with open(path, "wb") as file:
            file.write(self.made.crl())
        os.chmod(path, 0o644)
        f = self.fetcher(("a", path), start=False)
        self.assertTrue(f.once()["a"]["ok"])
        f.write(self.config(("a", path), more="limits: { size: 100 }\n"))
        self.assertFalse(f.once(status=1)["a"]["ok"])


class TestServe(Case):
    def test_slow_and_dead_servers_hold_nobody_up(self):
        """Six sources hang at two servers; the seventh comes behind them in the file."""
        crl = self.made.crl()
        other = self.own(Naughty())
        third = self.own(Naughty())
        for n in range(3):
            self.naughty.waits(f"{n}", crl)
            other.waits(f"{n}", crl)
        third.put("crl", crl)
        rows = [(f"n{n}", self.naughty.url(n)) for n in range(3)] + [(f"o{n}", other.url(n)) for n in range(3)]
        f = self.fetcher(*rows, ("good", third.url("crl")))
        f.await_log(r"event=fetched source=good")
        self.assertNotIn("event=fetched source=n", f.log())
        harness.until(lambda: len(self.naughty.asked) == 2 and len(other.asked) == 2, "two at each host")
        self.naughty.gate.set()
        other.gate.set()
        f.await_log(*(f"event=fetched source={name} " for name, _ in rows))

    def test_backoff_and_recovery(self):
        f = self.fetcher(("a", self.naughty.url("crl")), more="schedule: { retry: 100ms, retry-max: 400ms }\n")
        f.await_log(r"alarm=crl-missing source=a", r"failures=3 ")
        harness.until(lambda: f.metric("source_alarm", "a") == 4, "the metric")
        self.naughty.put("crl", self.made.crl())
        f.await_log(r"event=crl-stored source=a", r"alarm=crl-fresh source=a")
        harness.until(lambda: f.metric("source_alarm", "a") == 0 and f.metric("source_failures", "a") == 0, "cleared")
        self.assertGreater(f.metric("source_fetches_failed_total", "a"), 2)
        self.assertGreater(f.metric("crl_next_update_seconds", "a"), 0)

    def test_never_back(self):
        operator = self.made.again(self.folder)
        old, new = operator.crl(), operator.crl()
        f = self.fetcher(("a", self.naughty.url("crl")), start=False, operator=operator)
        self.naughty.put("crl", new)
        f.once()
        kept = f.read()
        self.naughty.put("crl", old)
        self.assertRegex(f.once(status=1)["a"]["error"], "older|CRL number")
        self.assertEqual(f.read(), kept)

    def test_other_issuers(self):
        other = Operator(self.folder, "o")
        self.naughty.put("crl", other.crl())
        self.one("crl", "no issuer of the configuration")

    def test_cache_damaged(self):
        """Written to, and removed, behind its back: fetched again at once."""
        self.naughty.put("crl", self.made.crl())
        f = self.fetcher(("a", self.naughty.url("crl")))
        f.await_log("event=fetched source=a")
        [(name, octets)] = f.read().items()
        path = os.path.join(f.cache, name)
        os.chmod(path, 0o644)
        with open(path, "r+b") as file:
            file.seek(200)
            file.write(b"nonsense")
        f.await_log("event=cache-damaged", "event=fetched source=a", count=1)
        harness.until(lambda: fetcher.whole(path), f.log)
        os.unlink(path)
        harness.until(lambda: os.path.exists(path) and fetcher.whole(path), f.log)
        self.assertEqual(f.read()[name][56:72], octets[56:72])  # the same times; the hash key is another

    def test_reload(self):
        self.naughty.put("crl", self.made.crl())
        self.naughty.put("client", self.made.crl("tls-client"))
        f = self.fetcher(("a", self.naughty.url("crl")))
        f.await_log("event=fetched source=a")
        f.write("sources: [ { name: broken } ]\n")
        f.signal(signal.SIGHUP)
        f.await_log("not reloaded, nothing has changed: .*fetch.yaml:")
        f.write("issuers: [gone.pem]\n")
        f.signal(signal.SIGHUP)
        f.await_log("not reloaded, nothing has changed: .*gone.pem")
        f.write(self.config(("a", self.naughty.url("crl")), ("b", self.naughty.url("client"))))
        f.signal(signal.SIGHUP)
        f.await_log("reloaded: 2 sources", "event=fetched source=b")
        self.assertEqual(len(f.read()), 2)

    def test_confined(self):
        f = self.fetcher()
        with open(f"/proc/{f.process.pid}/status", encoding="ascii") as file:
            status = file.read()
        self.assertRegex(status, r"NoNewPrivs:\s+1")
        self.assertRegex(status, r"Seccomp:\s+2")
        if ROOT:
            self.assertNotRegex(status, r"Uid:.*\b0\b")
            self.assertNotRegex(status, r"Gid:.*\b0\b")
            self.assertRegex(status, r"CapEff:\s+0+\n")
            f.close()
            with open(f.file, encoding="utf-8") as file:
                text = file.read()
            with open(f.file, "w", encoding="utf-8") as file:
                file.write(text.replace("  user: nobody\n", ""))
            self.assertIn("fetch.user", run(fetcher.FETCH, "-c", f.file, status=1).stderr)

    def test_leaves_at_once(self):
        self.naughty.waits("crl", b"")
        f = self.fetcher(("a", self.naughty.url("crl")))
        self.naughty.await_asked("crl")
        f.signal(signal.SIGTERM)
        self.assertEqual(f.process.wait(harness.PATIENCE), 0)
        self.assertFalse(os.path.exists(f.socket))


class TestDelta(Case):
    def test_beside_the_complete_one(self):
        """Made by the openssl command line."""
        pki = harness.Pki(tempfile.mkdtemp(dir=self.folder))
        os.chmod(pki.folder, 0o755)
        pki.ca_database()
        with open(pki.path("ca.cnf"), "a", encoding="ascii") as file:
            file.write("[complete]\nauthorityKeyIdentifier=keyid\n"
                       "[delta]\nauthorityKeyIdentifier=keyid\n2.5.29.27=critical,ASN1:INTEGER:1\n")
        with open(pki.path("ca.cnf"), encoding="ascii") as file:
            text = file.read()
        with open(pki.path("ca.cnf"), "w", encoding="ascii") as file:
            file.write(text.replace("serial=serial\n", "serial=serial\ncrlnumber=crlnumber\n"))
        with open(pki.path("crlnumber"), "w", encoding="ascii") as file:
            file.write("01\n")
        for kind in ("complete", "delta"):
            pki.tool("ca", "-config", "ca.cnf", "-gencrl", "-crlexts", kind, "-out", f"{kind}.pem")
            with open(pki.path(f"{kind}.pem"), "rb") as file:
                self.naughty.put(kind, file.read())
        f = self.own(Fetcher(self.folder, f"issuers: ['{pki.path('ca.pem')}']\nsources: [ {{ name: a, crl: "
                             f"'{self.naughty.url('complete')}', delta: '{self.naughty.url('delta')}' }} ]\n", start=False))
        rows = f.once()
        self.assertEqual([row["crls"][0]["delta"] for row in (rows["a"], rows["a.delta"])], [False, True])
        self.assertEqual(len(f.read()), 2)
        self.naughty.paths["complete"], self.naughty.paths["delta"] = (self.naughty.paths[k]
                                                                       for k in ("delta", "complete"))
        rows = f.once(status=1)
        self.assertIn("a delta CRL where", rows["a"]["error"])
        self.assertIn("a complete CRL where", rows["a.delta"]["error"])


class TestFreshest(Case):
    """The complete CRL says where its delta lies (RFC 5280, 5.2.6); no configuration does."""

    def deltas(self, *urls):
        """A complete CRL that names them, and its delta."""
        operator = self.made.again(self.folder)
        where = [word for url in urls for word in ("--delta-url", url)]
        run(harness.TOOL, "pki", "crl", "--ca", "tls-server", *where, operator.folder)
        run(harness.TOOL, "pki", "crl", "--ca", "tls-server", "--delta", operator.folder)
        found = []
        for name in ("ca.crl", "delta.crl"):
            with open(os.path.join(operator.folder, "tls-server", name), "rb") as file:
                found.append(file.read())
        return found

    def test_followed(self):
        complete, delta = self.deltas(self.naughty.url("delta"))
        self.naughty.put("crl", complete)
        self.naughty.put("delta", delta)
        f = self.fetcher(("a", self.naughty.url("crl")))
        f.await_log("event=delta-learnt from=.*/delta", r"event=crl-stored source=learnt .*delta=1 ")
        self.assertEqual(len(f.read()), 2)
        f.signal(signal.SIGTERM)
        f.process.wait(harness.PATIENCE)
        # known after a restart, though the complete one cannot be read again
        self.naughty.paths["crl"] = self.naughty.missing
        f.start()
        self.naughty.await_asked("delta", 2)
        f.await_log("event=fetched source=learnt")

    def test_only_where_it_may(self):
        other = self.own(Naughty())
        complete, delta = self.deltas(other.url("delta"), self.naughty.url("delta"))
        self.naughty.put("crl", complete)
        self.naughty.put("delta", delta)
        f = self.fetcher(("a", self.naughty.url("crl")))
        f.await_log("event=fetched source=a", "event=fetched source=learnt")
        self.assertEqual(other.asked, [])
        # none at all that may be asked: the complete one is taken all the same
        self.naughty.put("crl", self.deltas(other.url("delta"))[0])
        g = self.fetcher(("a", self.naughty.url("crl")), start=False)
        self.assertEqual(list(g.once()), ["a"])
        self.assertEqual(other.asked, [])


@unittest.skipUnless(slapd.HAVE_SLAPD, slapd.NO_SLAPD)
class TestDirectory(Case):
    """What TS 33.310, 5.2.2.2 (I2) says: cross-certificates and CRLs in a Certificate Repository."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.peer = Operator(cls.folder, "b")
        cls.directory = slapd.Slapd(cls.folder)
        cls.addClassCleanup(cls.directory.close)
        run("chmod", "a+rx", cls.directory.folder)

    def test_one_crl(self):
        dn = self.directory.authority("one", cACertificate=self.made.der(),
                                      certificateRevocationList=self.made.crl())
        f = self.fetcher(("a", self.directory.url(f"{dn}?certificateRevocationList;binary")), start=False)
        self.assertTrue(f.once()["a"]["ok"])
        self.assertEqual(len(f.read()), 1)

    def test_repository(self):
        """B's CRL is believed because A's Interconnection CA vouched for B's CA, which only the repository tells."""
        cross = os.path.join(self.folder, "cross")
        run(harness.TOOL, "pki", "cross-certify", "--role", "server", "--peer", self.peer.ca(), "--permit", "b.example",
            "--yes", "--out", cross + ".pem", self.made.folder)
        run("openssl", "x509", "-in", cross + ".pem", "-outform", "DER", "-out", cross + ".der")
        with open(cross + ".der", "rb") as file:
            cross = file.read()
        self.naughty.put("b.crl", self.peer.crl())
        f = self.fetcher(("b", self.naughty.url("b.crl")), start=False)
        self.assertIn("no issuer", f.once(status=1)["b"]["error"])
        self.directory.authority("b", cACertificate=self.peer.der(), crossCertificatePair=slapd.pair(to_this=cross))
        self.directory.authority("ica", cACertificate=self.made.der("interconnection"),
                                 certificateRevocationList=self.made.crl("interconnection"))
        f.write(self.config() + f"sources: [ {{ name: r, repository: '{self.directory.url(self.directory.suffix)}' }} ]\n")
        row = f.once()["r"]
        self.assertIn("CN=Operator A Interconnection CA,O=Operator A", [crl["issuer"] for crl in row["crls"]])
        [name] = os.listdir(os.path.join(f.cache, "cross"))
        with open(os.path.join(f.cache, "cross", name), "rb") as file:
            self.assertEqual(file.read(), cross)
        f.write(self.config(("b", self.naughty.url("b.crl"))))
        self.assertTrue(f.once()["b"]["ok"])

    def test_on_demand(self):
        dn = self.directory.authority("demand", cACertificate=self.made.der(),
                                      certificateRevocationList=self.made.crl())
        f = self.fetcher(more=f"allow: {{ hosts: ['127.0.0.1:{self.directory.port}'] }}\n")
        url = self.directory.url(f"{dn}?certificateRevocationList;binary")
        f = self.fetcher(more=f"allow: {{ hosts: ['{url.split('/')[2]}'] }}\n")
        self.assertEqual(self.own(f.client()).ask(url), f"done {url}\n")
        self.assertEqual(len(f.read()), 1)

    def test_stalled(self):
        own = self.own(slapd.Slapd(self.folder))
        own.stall()
        self.naughty.put("crl", self.made.crl())
        f = self.fetcher(("a", own.url("o=A?certificateRevocationList")), ("b", self.naughty.url("crl")), start=False,
                         more="limits: { time: 500ms }\n")
        rows = f.once(status=1)
        self.assertFalse(rows["a"]["ok"])
        self.assertTrue(rows["b"]["ok"])


if __name__ == "__main__":
    unittest.main()
