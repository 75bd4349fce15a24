#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics by HTTP (docs/mg.md), and the same numbers by H.248 statistics: handshakes of several kinds by openssl s_client
against both engines; who may ask what, and what is refused. And the certificate that a server shows, by name."""
import http.client
import pathlib
import re
import unittest

import harness
from harness import Backend, Case, HAVE_OPENSSL, free_port, read_exactly, stream, until

ENGINES = ("openssl", "gnutls")
DOMAINS = """
  - {{name: {e}, profile: ts33310-annex-e-rel12, engine: {e}, certificate: {d}/gateway.pem, key: {d}/gateway.key,
     certificates: [{{certificate: {d}/other.pem, key: {d}/other.key}}], unknown-name: refuse,
     trust: {{anchors: [{d}/ca.pem]}}, client-auth: none{default}}}
  - {{name: {e}-asks, profile: ts33310-annex-e-rel12, engine: {e}, certificate: {d}/gateway.pem,
     key: {d}/gateway.key, trust: {{anchors: [{d}/ca.pem]}}, client-auth: require, client-methods: [ca]}}
"""


def scrape(port, path="/metrics", method="GET", body=None):
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.PATIENCE)
    try:
        conn.request(method, path, body)
        answer = conn.getresponse()
        return answer.status, answer.headers, answer.read().decode("utf-8")
    finally:
        conn.close()


def samples(text):
    """{(name, frozenset of labels): value}; every line of the format is looked at."""
    found, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, f"twice: {line}"
            types[name] = kind
            continue
        if line.startswith("# HELP "):
            continue
        match = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\.)*",?)*)\})? ([0-9.]+)', line)
        assert match, f"no line of the format: {line!r}"
        labels = frozenset(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', match.group(2) or ""))
        assert (match.group(1), labels) not in found, f"twice: {line}"
        found[match.group(1), labels] = float(match.group(3))
        base = re.sub(r"_(bucket|sum|count)$", "", match.group(1))
        assert match.group(1) in types or types.get(base) == "histogram", f"no type: {line}"
    return found


def total(found, name, **labels):
    return sum(v for (n, l), v in found.items() if n == "gatehouse_" + name and labels.items() <= dict(l).items())


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Metrics(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        for name in ("gateway", "other", "ue"):
            cls.pki.leaf(name, key="rsa")

    def setUp(self):
        self.gw = self.gateway("".join(DOMAINS.format(e=e, d=self.folder, default=", default: true" if e == "openssl" else
                                                      "") for e in ENGINES),
                               extra="metrics: {listen: 127.0.0.1:0}\n")
        self.mgc = self.gw.controller
        self.gw.logged("metrics by HTTP on")
        self.port = int(re.search(r"metrics by HTTP on tcp:127\.0\.0\.1:(\d+)", self.gw.log()).group(1))

    def numbers(self):
        status, headers, text = scrape(self.port)
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        return samples(text)

    def settles(self, condition):
        """Workers count what they have told a little later."""
        return until(lambda: condition(self.numbers()), lambda: "these metrics: " + scrape(self.port)[2])

    def visit(self, domain, *options, up=True, say=True, name="gateway"):
        """One client, come through or refused: (made, its words)."""
        backend = self.own(Backend())
        made = self.relay(self.mgc, stream("TCP/TLS/MSRP", "passive", 9, "active",
                                           control=f'gatehouse/dom = "{domain}"'), backend)
        peer = self.peer("openssl", "s_client", "-connect", f"127.0.0.1:{made.ports[0]}", "-servername",
                         f"{name}.home.example", *options)
        if not up:
            self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = EstFail")
            return made, peer
        conn = backend.accept()
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Est,")
        if say:
            peer.send(b"up\n")
            self.assertEqual(read_exactly(conn, 3), b"up\n")
            conn.sendall(b"down\n")
            peer.says(b"down\n")
        return made, peer

    def statistics(self, made):
        """What H.248 tells of the TLS termination now."""
        reply = self.mgc.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ Statistics }} }} }}")
        return {name: float(value) for name, value in re.findall(r"((?:tlsbsc|tlstv)/\w+) = ([0-9]+)", reply)}

    # -- the numbers

    def test_the_same_numbers_by_audit_and_by_metrics(self):
        for engine in ENGINES:
            kept = f"{self.folder}/{engine}.session"
            made = [self.visit(engine, "-tls1_2", "-sess_out", kept)[0]]
            made.append(self.visit(engine, "-tls1_2", "-sess_in", kept)[0])
            made.append(self.visit(engine + "-asks", "-tls1_2", up=False)[0])
            made.append(self.visit(engine + "-asks", "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0", *self.pki.cert("ue"))[0])
            found = self.settles(lambda n: all(
                total(n, name, domain=domain, **labels) == count for name, domain, labels, count in (
                    ("tls_octets_total", engine, {"direction": "out"}, 10), ("tls_records_total", engine, {}, 4),
                    ("tls_records_total", engine + "-asks", {}, 2),
                    ("tls_handshake_failures_total", engine + "-asks", {}, 1),
                    ("tls_session_alerts_total", engine + "-asks", {"side": "sent"}, 1))) and n)
            told = [self.statistics(m) for m in made]

            def by_h248(name, which=slice(None)):
                return sum(t[name] for t in told[which])

            def by_metrics(name, **labels):
                return sum(total(found, name, domain=d, **labels) for d in (engine, engine + "-asks"))

            self.assertEqual(by_h248("tlsbsc/hs"), 3)
            self.assertEqual(by_metrics("tls_handshakes_total"), 3)
            self.assertEqual(by_metrics("tls_handshakes_total", version="TLS1.2"), 2)
            self.assertEqual(by_metrics("tls_handshakes_total", version="TLS1.1", role="server"), 1)
            self.assertEqual(by_h248("tlsbsc/resum"), 1)
            self.assertEqual(by_metrics("tls_handshakes_total", resumed="yes"), 1)
            self.assertEqual(by_metrics("tls_handshake_suites_total"), 3)
            self.assertEqual(by_h248("tlsbsc/hsfail"), 1)
            self.assertEqual(by_metrics("tls_handshake_failures_total", cause="not-authenticated"), 1)
            self.assertEqual(by_h248("tlsbsc/hsauth"), 1)
            self.assertEqual(by_metrics("tls_authentication_failures_total", reason="no-certificate"), 1)
            self.assertEqual(by_h248("tlsbsc/aout"), 1)
            self.assertEqual(by_metrics("tls_session_alerts_total", side="sent"), 1)
            for way, octets, records in (("in", "oin", "rin"), ("out", "oout", "rout")):
                self.assertEqual(by_h248("tlstv/" + octets), by_metrics("tls_octets_total", direction=way))
                self.assertEqual(by_h248("tlstv/" + records), by_metrics("tls_records_total", direction=way))
            self.assertEqual(by_h248("tlstv/oin"), 9)
            self.assertEqual(by_metrics("tls_handshake_seconds_count"), 3)
            self.assertEqual(by_metrics("tls_handshake_seconds_bucket", le="+Inf"), 3)
            self.assertAlmostEqual(by_metrics("tls_handshake_seconds_sum"), by_h248("tlsbsc/hstime") / 1000)
            for m in made:
                self.end(self.mgc, m)

    def test_a_renegotiation_counts_on_both_sides(self):
        made, peer = self.visit("openssl", "-tls1_2")
        peer.send(b"R\n")
        self.mgc.take(f"Notify = {made.terms[0]} ", "tlsbsc/BNCChange", "Type = Mod,")
        self.assertEqual(self.statistics(made)["tlsbsc/reneg"], 1)
        self.assertEqual(total(self.numbers(), "tls_renegotiations_total", domain="openssl", result="done"), 1)
        self.end(self.mgc, made)

    def test_they_outlive_the_session_and_a_reload(self):
        made, _ = self.visit("openssl", "-tls1_2")
        self.end(self.mgc, made)
        self.gw.signal(harness.signal.SIGHUP)
        self.gw.logged("reloaded:")
        self.visit("openssl", "-tls1_2")
        self.settles(lambda n: total(n, "tls_handshakes_total", domain="openssl",
                                     profile="ts33310-annex-e-rel12") == 2)

    def test_what_a_reload_takes_away_goes_with_its_last_session(self):
        made, _ = self.visit("gnutls", "-tls1_2")
        self.settles(lambda n: total(n, "tls_handshakes_total", domain="gnutls") == 1)
        text = pathlib.Path(self.gw.path).read_text(encoding="utf-8")
        pathlib.Path(self.gw.path).write_text(text.replace("name: gnutls,", "name: other,"), encoding="utf-8")
        self.gw.signal(harness.signal.SIGHUP)
        self.gw.logged("reloaded:")
        self.assertEqual(total(self.numbers(), "tls_handshakes_total", domain="gnutls"), 1)
        self.end(self.mgc, made)
        self.settles(lambda n: not any(dict(labels).get("domain") == "gnutls" for _, labels in n))

    def test_an_alert_of_the_peer(self):
        made, peer = self.visit("openssl", "-tls1_2", "-verify_return_error", "-CAfile", self.pki.path("ue.pem"), up=False)
        self.assertEqual(self.statistics(made)["tlsbsc/ain"], 1)
        self.settles(lambda n: total(n, "tls_session_alerts_total", side="received", alert="unknown_ca") == 1)

    # -- the certificate by name

    def test_the_certificate_that_the_name_asks_for(self):
        for engine in ENGINES:
            for name in ("gateway", "other"):
                _, peer = self.visit(engine, "-tls1_2", name=name)
                peer.says(f"CN = {name}.home.example".encode())
            self.visit(engine, "-tls1_2", name="nobody", up=False)
            self.settles(lambda n: total(n, "tls_session_alerts_total", domain=engine, alert="unrecognized_name") == 1)

    # -- the server

    def test_what_it_answers(self):
        self.assertEqual(scrape(self.port, "/")[0], 404)
        self.assertEqual(scrape(self.port, "/metrics/x")[0], 404)
        status, headers, _ = scrape(self.port, method="POST", body="x" * 70000)
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        status, headers, text = scrape(self.port, method="HEAD")
        self.assertEqual((status, text), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 100)

    def test_who_stalls_holds_nobody_up(self):
        for _ in range(8):
            half = self.own(harness.connect(self.port))
            half.sendall(b"GET /metrics HTTP/1.1\r\nHo")
        self.assertEqual(scrape(self.port)[0], 200)
        made, _ = self.visit("openssl", "-tls1_2")
        self.end(self.mgc, made)

    def test_it_tells_no_secrets_and_nothing_of_peers(self):
        made, _ = self.visit("openssl-asks", "-tls1_2", *self.pki.cert("ue"))
        text = scrape(self.port)[2]
        for word in ("ue.home.example", "127.0.0.1", "PRIVATE", made.terms[0]):
            self.assertNotIn(word, text)

    def test_many_scrapes_leave_nothing_behind(self):
        fds = self.gw.fds()
        for _ in range(50):
            self.assertEqual(scrape(self.port)[0], 200)
        until(lambda: self.gw.fds() <= fds, lambda: f"{self.gw.fds()} descriptors, {fds} before")


class Refused(Case, unittest.TestCase):
    def refused(self, extra, *words):
        gw = harness.Gateway(self.folder, register=False, extra=extra)
        try:
            self.assertNotEqual(gw.wait(), 0)
            for word in words:
                self.assertIn(word, gw.log())
        finally:
            gw.controller.close()

    def test_addresses(self):
        self.refused("metrics: {listen: 192.0.2.1:9464}\n", "not on the loopback")
        self.refused("metrics: {listen: 0.0.0.0}\n", "not on the loopback")
        self.refused("metrics: {listen: localhost}\n", "no numeric address")

    def test_a_port_that_is_taken(self):
        taken = self.own(Backend())
        self.refused(f"metrics: {{listen: '127.0.0.1:{taken.port}'}}\n", "cannot listen on")

    def test_off_by_default(self):
        gw = self.gateway()
        self.assertNotIn("metrics", gw.log())


if __name__ == "__main__":
    unittest.main()
