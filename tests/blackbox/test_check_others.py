#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse check beside nginx, HAProxy and stunnel as they are set up, and beside the scanners of others."""
import json
import os
import shutil
import subprocess
import unittest
import xml.etree.ElementTree

from harness import TOOL, free_port
from servers import ECDHE, GOOD, REL17, TLS13, Fake, Servers

SBIN = "/usr/sbin:" + os.environ["PATH"]
NGINX, HAPROXY, STUNNEL = (shutil.which(name, path=SBIN) for name in ("nginx", "haproxy", "stunnel"))


@unittest.skipUnless(NGINX, "nginx is not installed")
class Nginx(Servers):
    def serve(self, more, name="nginx"):
        port = free_port()
        with open(os.path.join(self.folder, f"{name}.conf"), "w", encoding="ascii") as file:
            file.write(f"""daemon off; master_process off; pid {self.folder}/{name}.pid; error_log stderr;
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p; fastcgi_temp_path {self.folder}/f;
 uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
 server {{ listen 127.0.0.1:{port} ssl; server_name localhost; ssl_certificate {self.folder}/rsa.pem;
  ssl_certificate_key {self.folder}/rsa.key; ssl_certificate {self.folder}/ec.pem; ssl_certificate_key {self.folder}/ec.key;
  ssl_prefer_server_ciphers on; ssl_conf_command Ciphersuites {TLS13}; ssl_protocols TLSv1.2 TLSv1.3;
  {more} return 204; }} }}""")
        return self.start(NGINX, "-p", self.folder, "-c", f"{name}.conf", port=port)

    def test_no_group_for_dhe(self):
        """nginx offers no DHE without a group of its own: the mandatory suite is missing."""
        self.expect(self.serve(f"ssl_ciphers {GOOD};"), REL17, [("N10", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")])

    def test_tickets_live_too_long(self):
        port = self.serve(f"ssl_ciphers {ECDHE}; ssl_session_timeout 48h;")
        self.expect(port, REL17, [("N10", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"), ("N10n", "maximum")])


@unittest.skipUnless(HAPROXY, "haproxy is not installed")
class Haproxy(Servers):
    def test_old_version(self):
        port = free_port()
        with open(os.path.join(self.folder, "both.pem"), "wb") as both:
            for part in ("pem", "key"):
                with open(self.pki.path(f"rsa.{part}"), "rb") as file:
                    both.write(file.read())
        with open(os.path.join(self.folder, "haproxy.cfg"), "w", encoding="ascii") as file:
            file.write(f"""global
 tune.ssl.default-dh-param 2048
 ssl-default-bind-options prefer-client-ciphers
defaults
 mode http
 timeout client 20s
frontend f
 bind 127.0.0.1:{port} ssl crt {self.folder}/both.pem ssl-min-ver TLSv1.1 ciphers {GOOD}:ECDHE-RSA-AES128-SHA:@SECLEVEL=0
 http-request return status 200
""")
        self.start(HAPROXY, "-db", "-f", "haproxy.cfg", port=port)
        self.expect(port, REL17, [("N1", "TLS1.1"), ("N10b", "class non-aead"), ("N10f", "class sha1")], [("precedence", "")])


@unittest.skipUnless(STUNNEL, "stunnel is not installed")
class Stunnel(Servers):
    def test_no_old_version_and_no_3des(self):
        backend = Fake(b"", hold=True)  # without one it ends each session as it stands
        self.addCleanup(backend.close)
        port = free_port()
        with open(os.path.join(self.folder, "stunnel.conf"), "w", encoding="ascii") as file:
            file.write(f"foreground = yes\npid =\nsyslog = no\n[s]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{backend.port}\n"
                       f"cert = {self.folder}/rsa.pem\nkey = {self.folder}/rsa.key\nsslVersion = TLSv1.2\n"
                       "ciphers = AES128-SHA\n")
        self.start(STUNNEL, "stunnel.conf", port=port)
        self.expect(port, "ts33203-annex-o", [("O1", "TLS1.0"), ("O1", "TLS1.1"), ("O2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")])


class Scanners(Servers):
    """Where others look, too, they see the same."""

    def weak(self):
        return self.s_server("-cipher", "ALL:eNULL:@SECLEVEL=0", "-min_protocol", "TLSv1")

    @unittest.skipUnless(shutil.which("sslscan"), "sslscan is not installed")
    def test_sslscan(self):
        port = self.weak()
        done = subprocess.run(["sslscan", "--no-colour", "--xml=-", f"127.0.0.1:{port}"], capture_output=True, text=True,
                              check=False, timeout=100)
        theirs = xml.etree.ElementTree.fromstring(done.stdout).find("ssltest")
        report, _ = self.check(port, "ts33310-annex-e")
        versions = {f"{p.get('type').upper()}{p.get('version')}" for p in theirs.iter("protocol") if p.get("enabled") == "1"}
        self.assertEqual(set(report["versions"].split(", ")), versions)
        every = subprocess.run([TOOL, "profile", "show", "ts33310-annex-e", "--json"], capture_output=True, text=True,
                               check=True, timeout=60).stdout
        self.assertTrue(every)
        taken = {s["code"] for s in report["suites"]}
        seen = {int(c.get("id"), 16) for c in theirs.iter("cipher")}
        # both ways, but for families that the registry here leaves out (ARIA, Camellia, SEED, CCM_8) ...
        unknown = {c.get("cipher") for c in theirs.iter("cipher") if int(c.get("id"), 16) not in taken}
        self.assertFalse([c for c in unknown if not any(w in c for w in ("ARIA", "CAMELLIA", "SEED", "CCM"))], unknown)
        # ... and pre-shared keys, which it does not offer
        missed = [s["name"] for s in report["suites"] if s["code"] not in seen and "PSK" not in s["name"]]
        self.assertEqual(missed, [])
        renegotiation = theirs.find("renegotiation")
        noted = {(v["topic"], v["rule"]["item"] if v["rule"] else ""): v["state"]
                 for v in self.check(port, "ts33310-annex-e-rel12")[0]["reports"][0]["verdicts"]}
        self.assertEqual(noted[("E8", "renegotiation-info")] == "pass", renegotiation.get("secure") == "1")

    @unittest.skipUnless(shutil.which("testssl"), "testssl.sh is not installed")
    def test_testssl(self):
        port, name = self.weak(), os.path.join(self.folder, "testssl.json")
        subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--ip", "one", "--jsonfile", name, "-p", "-R",
                        "-C", "-Z", f"127.0.0.1:{port}"], capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=150)
        with open(name, encoding="utf-8") as file:
            theirs = {f["id"]: f["finding"] for f in json.load(file)}
        report, _ = self.check(port, "ts33310-annex-e-rel12")
        names = {"SSLv2": "SSL2.0", "SSLv3": "SSL3.0", "TLS1": "TLS1.0", "TLS1_1": "TLS1.1", "TLS1_2": "TLS1.2", "TLS1_3": "TLS1.3"}
        self.assertEqual(set(report["versions"].split(", ")),
                         {ours for key, ours in names.items() if theirs[key].startswith("offered")})
        found = {(v["topic"], v["rule"]["item"] if v["rule"] else ""): v for v in report["reports"][0]["verdicts"]}
        self.assertEqual(found[("E8", "renegotiation-info")]["state"] == "pass", theirs["secure_renego"] == "supported")
        self.assertEqual("refused" in found[("E8b", "client-initiated")]["found"], "not vulnerable" in theirs["secure_client_renego"])
        self.assertEqual(found[("E12a", "any")]["state"] == "pass", "not vulnerable" in theirs["CRIME_TLS"])
        self.assertEqual("inappropriate_fallback" in found[("fallback", "")]["found"], "supported" in theirs["fallback_SCSV"])


if __name__ == "__main__":
    unittest.main()
