#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-fetch asks again: what has not changed is not sent again (RFC 9110, 13.1), unless the CRL nears its end
or is not there any more."""
import os
import re
import unittest

import fetcher
import harness
from fetcher import Case, Nginx, run


class TestAgain(Case):
    def refresh(self, f):
        client = f.client()
        client.send("refresh\n")
        self.assertEqual(client.answer(), "done\n")
        client.close()

    def versions(self, path, operator, then):
        """A server that has one version, and from then on says what `then` does when it is asked with a condition.
        -> the list of what it was asked with."""
        asked = []
        first = operator.crl()

        def act(conn):
            text = self.naughty.requests[-1].lower()
            asked.append(re.findall(r"if-[a-z-]+: [^\r]*", text))
            if asked[-1]:
                then(conn)
            else:
                conn.sendall(b"HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                             % len(first) + first)
        self.naughty.paths[path] = act
        return asked

    @staticmethod
    def not_modified(conn):
        conn.sendall(b"HTTP/1.1 304 Not Modified\r\nETag: \"one\"\r\nConnection: close\r\n\r\n")

    @unittest.skipUnless(fetcher.NGINX, fetcher.NO_NGINX)
    def test_nginx(self):
        operator = self.made.again(self.folder)
        web = self.own(Nginx(self.folder))
        web.put("s.crl", operator.crl())
        os.utime(os.path.join(web.www, "s.crl"), (1700000000, 1700000000))  # not of the second in which it is fetched

        def statuses():
            with open(os.path.join(web.folder, "access"), encoding="ascii") as file:
                return re.findall(r'" (\d+) ', file.read())
        f = self.fetcher(("s", web.url("s.crl")), operator=operator)
        f.await_log("event=fetched source=s .*not-modified=0")
        octets = f.metric("crl_octets", "s")
        self.refresh(f)
        f.await_log("event=fetched source=s .*crls=1 .*not-modified=1")
        self.assertEqual(statuses(), ["200", "304"])
        self.assertEqual(f.metric("crl_octets", "s"), octets)
        # the next one
        web.put("s.crl", operator.crl())
        os.utime(os.path.join(web.www, "s.crl"), (2000000000, 2000000000))
        self.refresh(f)
        f.await_log("event=crl-stored source=s", count=2)
        self.assertEqual(statuses(), ["200", "304", "200"])
        # without its file there is nothing to be kept
        [name] = f.files()
        os.unlink(os.path.join(f.cache, name))
        self.refresh(f)
        harness.until(lambda: f.files() == [name], f.log)
        self.assertEqual(statuses(), ["200", "304", "200", "200"])
        f.read()

    def test_gone_while_it_asks(self):
        """The file goes after the condition was set: not modified is no answer then, and it is asked without."""
        def then(conn):
            for name in f.files():
                os.unlink(os.path.join(f.cache, name))
            self.not_modified(conn)
        asked = self.versions("crl", self.made, then)
        f = self.fetcher(("a", self.naughty.url("crl")))
        f.await_log("event=fetched source=a")
        self.refresh(f)
        f.await_log("event=fetched source=a", count=2)
        self.assertEqual(asked, [[], ['if-none-match: "one"'], []])
        self.assertEqual(len(f.read()), 1)
        self.assertNotIn("event=fetch-failed", f.log())

    def test_lies_for_ever(self):
        """Not modified, says a server that has the next one: it is not believed until the CRL ends."""
        operator = self.made.again(self.folder)
        out = os.path.join(operator.folder, "short.crl")
        run(harness.TOOL, "pki", "crl", "--ca", "tls-server", "--seconds", 12, "--out", out, operator.folder)
        with open(out, "rb") as file:
            short = file.read()
        following = operator.crl()
        asked = []

        def act(conn):
            asked.append("if-none-match" in self.naughty.requests[-1].lower())
            octets = following if len(asked) > 1 else short
            if asked[-1]:
                self.not_modified(conn)
            else:
                conn.sendall(b"HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                             % len(octets) + octets)
        self.naughty.paths["crl"] = act
        f = self.fetcher(("a", self.naughty.url("crl")), operator=operator,
                         more="schedule: { refresh: 500ms, retry: 100ms }\n")
        f.await_log("event=crl-stored source=a", count=2)
        unasked = asked.index(False, 1)
        self.assertEqual(asked[:unasked + 1], [False] + [True] * (unasked - 1) + [False])
        self.assertGreater(unasked, 1)
        self.assertNotIn("alarm=crl-expired", f.log())

    def test_uncalled_for(self):
        """A 304 that nobody asked for, first or after a redirect, which leads to another resource."""
        self.naughty.paths["crl"] = self.not_modified
        self.one("crl", "304")
        asked = self.versions("first", self.made, lambda conn: conn.sendall(
            b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
        self.naughty.paths["other"] = self.not_modified
        f = self.fetcher(("a", self.naughty.url("first")))
        f.await_log("event=fetched source=a")
        self.refresh(f)
        f.await_log("event=fetch-failed source=a .*304")
        self.assertEqual(asked[:2], [[], ['if-none-match: "one"']])
        other = [text for text in self.naughty.requests if text.startswith("GET /other")]
        self.assertNotIn("if-none-match", other[-1].lower())

    def test_what_was_redirected_has_no_condition(self):
        asked = self.versions("there", self.made, self.not_modified)
        self.naughty.redirect("here", "/there")
        f = self.fetcher(("a", self.naughty.url("here")))
        f.await_log("event=fetched source=a")
        self.refresh(f)
        f.await_log("event=fetched source=a", count=2)
        self.assertEqual(asked, [[], []])
        self.assertFalse([t for t in self.naughty.requests if "if-none-match" in t.lower()])


if __name__ == "__main__":
    unittest.main()
