#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-edge as a program: what its file may say, what a reload takes, orders, counters, the end; a log that cannot be written, descriptors that are
short, a core that moves. The core is a socket of the test's."""
import json
import os
import re
import secrets
import resource
import select
import signal
import socket
import ssl
import subprocess
import unittest

import access
import harness
from edge import EDGE, Core, Edge, Stream, Ue, connect, field, merged, status


class Program(harness.Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.tls = access.certificate(cls.pki)

    def edge(self, at="sip:127.0.0.1:9", **changes):
        """In front of `at`."""
        return self.own(Edge(self.folder, self.tls, at, **changes))

    def check(self, **changes):
        """--check of the file that Edge would write. @return exit status and words"""
        domain = {"name": "access", "certificate": self.tls["cert"], "key": self.tls["key"]}
        merged(domain, changes.pop("tls_domain", {}))
        settings = merged({"edge": {"host": access.NAME}, "access": {"listen": ["tls:127.0.0.1:5061"], "domain": "access"},
                           "core": {"listen": ["udp:127.0.0.1:5070"]}, "tls-domains": [domain]}, changes)
        path = os.path.join(self.folder, "check.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(settings, file, indent=1)
        done = subprocess.run([EDGE, "-c", path, "--check"], capture_output=True, text=True, check=False, timeout=harness.PATIENCE)
        return done.returncode, done.stdout + done.stderr

    def bind(self, ue, core, expires=600):
        """A registration, the network's part in the test's hand."""
        ue.send(ue.register_text())
        core.reply(core.take("REGISTER"), 401, 'WWW-Authenticate: Digest realm="home.example", nonce="n1", qop="auth", algorithm=MD5')
        answer = ue.final("REGISTER")
        self.assertEqual(status(answer), 401)
        ue.challenge = field(answer, "WWW-Authenticate")
        ue.send(ue.register_text(expires=expires, authorization=self.digest(ue)))
        asked = core.take("REGISTER")
        core.reply(asked, 200, f"Contact: {field(asked, 'Contact')};expires={expires}", f"P-Associated-URI: <{ue.identity}>", f"Service-Route: <{core.uri};lr>")
        self.assertEqual(status(ue.final("REGISTER")), 200)
        return asked

    @staticmethod
    def digest(ue):
        from edge import digest  # its name is taken here
        return digest(ue.challenge, ue.impi, ue.password, "REGISTER", f"sip:{ue.domain}")

    # ---- its file

    def test_a_file_in_order(self):
        for session in ({}, {"lifetime": "90s"}, {"lifetime": "30s"}):  # session.renew-before follows a short one
            code, text = self.check(session=session)
            self.assertEqual(code, 0, text)
            self.assertIn("ok", text)

    def test_files_that_are_refused(self):
        """Each is told with its place and what would be right."""
        pki = self.pki
        other = access.certificate(pki, "other.home.example")
        anonymous = {"cert": pki.path("plain.pem"), "key": pki.path("plain.key")}
        pki.self_signed("plain")
        core_tls = {"core": {"listen": ["tls:127.0.0.1:5071"], "domain": "access"}}
        for words, changes in (
                ("edge.host", {"edge": None}),
                ("no host name", {"edge": {"host": "a b"}}),
                ("access.listen is needed", {"access": {"listen": []}}),
                ("access.unsafe-listen", {"access": {"listen": ["udp:127.0.0.1:5060"]}}),
                ("no TLS domain 'x'", {"access": {"domain": "x"}}),
                ("no TLS domain 'y'", {"core": {"domain": "y"}}),
                ("core.listen is needed", {"core": {"listen": []}}),
                ("needs the name of a TLS domain", {"core": {"listen": ["tls:127.0.0.1:5071"]}}),
                ("cannot be the same", core_tls),
                ("core.host is needed", {"core": {"listen": ["udp:0.0.0.0:5070"]}}),
                ("no SIP URI", {"core": {"registrar": "http://x"}}),
                ("no address or network", {"core": {"from": ["192.0.2.0/33"]}}),
                ("O.2.1", {"session": {"lifetime": "25h"}}),
                ("half of session.lifetime", {"session": {"lifetime": "1m", "renew-before": "31s"}}),
                ("more than nothing", {"session": {"renew-timeout": "0"}}),
                ("more than nothing", {"access": {"idle": "0"}}),
                ("more than nothing", {"registration": {"challenge": "0"}}),
                ("more than nothing", {"unregistered": {"time": "0"}}),
                ("more than nothing", {"limits": {"retry-after": "0"}}),
                ("1 to ", {"unregistered": {"requests": 0}}),
                ("whole seconds", {"access": {"keep-alive": "500ms"}}),
                ("no address of a name server", {"core": {"dns": "127.0.0.1,x"}}),
                ("write it as", {"metrics": {"listen": "x"}}),
                ("address and port", {"metrics": {"listen": "unix:/run/metrics"}}),
                ("no URI", {"unregistered": {"emergency": ["urn:service:sos", "112"]}}),
                ("no URI", {"unregistered": {"emergency": ["tel:112 "]}}),
                ("core.domain is needed", {"core": {"registrar": "sip:127.0.0.1:5061;transport=tls;lr"}}),
                ("core.domain is needed", {"core": {"proxy": "sips:scscf.home.example;lr"}}),
                ("core.domain is needed", {"unregistered": {"emergency-proxy": "sips:ecscf.home.example;lr"}}),
                ("the registrar cannot reach", {"reg-event": True, "core": {"listen": ["udp:0.0.0.0:5070"], "host": "x.example"}}),
                ("no mechanism tls", {"registration": {"mechanisms": ["tlsx"]}}),
                ("none of: end, continue", {"session": {"ignored": "x"}}),
                ("none of: optional, required", {"registration": {"security-agreement": "x"}}),
                ("none of: nothing, deregister", {"registration": {"on-loss": "x"}}),
                ("no mechanism tls", {"registration": {"mechanisms": ["digest"]}}),
                ("no mechanism tls", {"registration": {"mechanisms": ["tls;q=1, digest"]}}),
                ("whole seconds", {"registration": {"minimum": "1500ms"}}),
                ("1 to 256", {"registration": {"identities-max": 0}}),
                ("0 to 100", {"limits": {"handshakes": 101}}),
                ("none of: error", {"log": {"level": "x"}}),
                ("asks nobody for a certificate", {"tls_domain": {"anchors": [self.tls["ca"]]}}),
                ("needs a certificate", {"tls_domain": {"certificate": None, "key": None}}),
                ("CN is not edge.host", {"tls_domain": {"certificate": other["cert"], "key": other["key"]}}),
                ("does not keep its profile", {"tls_domain": {"certificate": anonymous["cert"], "key": anonymous["key"]}}),
                ("profile", {"tls_domain": {"profile": "x"}}),
                ("auto, openssl, gnutls", {"tls_domain": {"engine": "x"}})):
            with self.subTest(words):
                code, text = self.check(**changes)
                self.assertEqual(code, 1, text)
                self.assertIn(words, harness.squeeze(text))
                self.assertRegex(text, r"check\.yaml(:\d+:\d+)?: ")

    def test_a_certificate_that_is_tolerated(self):
        other = access.certificate(self.pki, "tolerated.home.example")
        code, text = self.check(tls_domain={"certificate": other["cert"], "key": other["key"], "certificate-faults": "warn"})
        self.assertEqual(code, 0, text)
        self.assertIn("CN is not edge.host", text)

    def test_what_is_unsafe_is_told(self):
        edge = self.edge(access={"unsafe-listen": ["udp:127.0.0.1:0"]}, log={"unsafe-messages": True})
        self.assertIn("access.unsafe-listen:", edge.log())
        self.assertIn("log.unsafe-messages:", edge.log())

    def test_sample_file(self):
        """packaging/gatehouse-edge.yaml with what it needs."""
        root = os.environ["GATEHOUSE_SOURCE_ROOT"]
        with open(os.path.join(root, "packaging/gatehouse-edge.yaml"), encoding="utf-8") as file:
            text = file.read()
        text = text.replace("pcscf.visited.example  #", f"{access.NAME}  #")
        for name, kind in (("edge.pem", "cert"), ("edge.key", "key")):
            self.assertIn(f" /etc/gatehouse/{name}", text)
            text = text.replace(f"/etc/gatehouse/{name}", self.tls[kind])
        path = os.path.join(self.folder, "sample.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([EDGE, "-c", path, "-t"], capture_output=True, text=True, check=False, timeout=harness.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)

    # ---- reload

    def reload(self, at, takes=True, **changes):
        merged(at.settings, changes)
        at.write()
        words = "event=reloaded" if takes else "not reloaded, nothing has changed"
        count = at.log().count(words)
        at.process.send_signal(signal.SIGHUP)
        at.logged(words, count + 1)

    def test_reload(self):
        """Flows and bindings stay; who comes then sees the new certificate; what needs a restart is refused as a whole."""
        core = self.own(Core())
        edge = self.edge(core.uri)
        ue = self.own(Ue(edge))
        self.bind(ue, core)
        before = ue.sock.getpeercert(binary_form=True)
        renewed = access.certificate(self.pki, access.NAME, also=(access.HOST, "new.home.example"))
        self.tls.update(renewed)
        domain = merged(dict(edge.settings["tls-domains"][0]), {"certificate": renewed["cert"], "key": renewed["key"]})
        self.reload(edge, registration={"minimum": "60s"}, **{"tls-domains": [domain]})
        self.assertEqual([one["impi"] for one in edge.bindings()], [ue.impi])
        other = self.own(Ue(edge, "bob"))
        self.assertNotEqual(other.sock.getpeercert(binary_form=True), before)
        ue.send(ue.text("MESSAGE", "sip:bob@home.example", contact=False))
        core.reply(core.take("MESSAGE"), 200)
        self.assertEqual(status(ue.final("MESSAGE")), 200)
        self.reload(edge, takes=False, edge={"host": "x.home.example"})
        self.reload(edge, takes=False, edge={"host": access.NAME}, session={"lifetime": "0"})
        self.reload(edge, takes=False, session={"lifetime": "1h"}, control="elsewhere")
        self.assertEqual(len(edge.bindings()), 1)

    def test_a_reload_while_it_starts(self):
        """SIGHUP that comes before anybody waits for it ends nothing: the file is read once more."""
        edge = self.edge()
        edge.close()
        ready = edge.path + ".ready"
        os.rename(edge.path, ready)
        os.mkfifo(edge.path)
        with open(edge.log_path, "wb") as log:
            edge.process = subprocess.Popen([EDGE, "-c", edge.path], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=edge.folder)

        def reader():
            try:
                return os.open(edge.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody has it open yet
                return None
        with open(harness.until(reader, edge.log), "wb") as first, open(ready, "rb") as text:
            edge.process.send_signal(signal.SIGHUP)
            first.write(text.read())
            os.rename(ready, edge.path)
        edge.logged("event=started")
        edge.logged("event=reloaded")

    def test_what_needs_a_restart(self):
        """Each of these keys is named, and the file as a whole is refused."""
        edge = self.edge()
        for number, (words, changes) in enumerate((
                ("access.listen", {"access": {"listen": ["tls:127.0.0.1:1"]}}),
                ("a deadline of access", {"access": {"message": "1s"}}),
                ("access.stun", {"access": {"stun": False}}),
                ("limits.connections", {"limits": {"connections": 7}}),
                ("limits.transactions", {"limits": {"transactions": 77}}),
                ("limits.transactions or lingering", {"limits": {"lingering": 77}}),
                ("core.listen", {"core": {"listen": ["udp:127.0.0.1:1"]}}),
                ("core.host", {"core": {"host": "x.example"}}),
                ("core.dns", {"core": {"dns": "127.0.0.1"}}),
                ("core.ping", {"core": {"ping": "10s"}}),
                ("reg-event", {"reg-event": True}),
                ("metrics.listen", {"metrics": {"listen": "127.0.0.1:0"}}),
                ("control", {"control": "elsewhere"}))):
            with self.subTest(words):
                before = json.loads(json.dumps(edge.settings))
                self.reload(edge, takes=False, **changes)
                self.assertRegex(edge.logged("not reloaded, nothing has changed: .*")[number], f"a change of {words}.* needs a restart")
                edge.settings = before
        self.reload(edge)

    def test_reload_under_load(self):
        """Requests go on while the file is read again and again."""
        core = self.own(Core())
        edge = self.edge(core.uri)
        ue = self.own(Ue(edge))
        self.bind(ue, core)
        for turn in range(30):
            ue.send(ue.text("MESSAGE", "sip:bob@home.example", contact=False))
            edge.process.send_signal(signal.SIGHUP)
            core.reply(core.take("MESSAGE"), 200)
            self.assertEqual(status(ue.final("MESSAGE")), 200)
            if turn % 10 == 0:
                edge.logged("event=reloaded")
        self.assertEqual(len(edge.bindings()), 1)

    # ---- orders, counters

    def test_orders(self):
        core = self.own(Core())
        edge = self.edge(core.uri)
        ue = self.own(Ue(edge))
        self.bind(ue, core)
        path = os.path.join(edge.folder, "control")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        one = edge.bindings()[0]
        self.assertEqual((one["impi"], one["impus"], one["peer"]), (ue.impi, [ue.identity], ue.here))
        self.assertRegex(one["session"], "^[0-9a-f]{32,128}$")
        self.assertLessEqual(one["expires"], 600)
        self.assertEqual(edge.order("status")["bindings"], 1)
        for words, code in ((["status"], 0), (["bindings"], 0), (["drop", "999999"], 1), (["drop"], 2), (["drop", "x"], 2), (["x"], 2)):
            done = subprocess.run([harness.TOOL, "edge", *words, "--socket", path], capture_output=True, text=True, check=False, timeout=harness.PATIENCE)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        done = subprocess.run([harness.TOOL, "edge", "status", "--socket", path + "x"], capture_output=True, text=True, check=False, timeout=harness.PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no gatehouse-edge listens there", done.stderr)
        edge.order("drop", one["flow"])
        ue.closed()
        self.assertEqual(edge.bindings(), [])
        edge.logged(r'event=unregistered .* end="dropped"')

    def test_new_keys_by_order(self):
        """TLS 1.3: KeyUpdate; the binding has another id then, and goes on."""
        core = self.own(Core())
        edge = self.edge(core.uri)
        ue = self.own(Ue(edge, version=ssl.TLSVersion.TLSv1_3))
        self.bind(ue, core)
        before = edge.bindings()[0]
        edge.order("renegotiate", before["flow"])
        ue.send(ue.text("MESSAGE", "sip:bob@home.example", contact=False))
        core.reply(core.take("MESSAGE"), 200)
        self.assertEqual(status(ue.final("MESSAGE")), 200)
        edge.logged("event=rekeyed")
        after = edge.bindings()[0]
        self.assertNotEqual(after["session"], before["session"])
        self.assertEqual({**after, "session": 0, "expires": 0}, {**before, "session": 0, "expires": 0})

    def test_by_ipv6(self):
        core, port = self.own(Core()), harness.free_port()
        edge = self.edge(core.uri, access={"listen": [f"tls:[::1]:{port}"]})
        ue = self.own(Ue(edge, sock=connect(port, at="::1")))
        ue.here = "[::1]:%d" % ue.sock.getsockname()[1]
        ue.contact = f"<sip:alice@{ue.here};transport=tls>"
        asked = self.bind(ue, core)
        path = field(asked, "Path").split("<")[1].split(">")[0]
        call = core.request(edge, "MESSAGE", f"sip:alice@{ue.here};transport=tls", f"Route: <{path}>")
        ue.reply(ue.take("MESSAGE"), 200)
        self.assertEqual(status(core.answer(call)), 200)
        self.assertEqual(edge.bindings()[0]["peer"], ue.here)

    def test_without_tls_nothing_is_bound(self):
        """access.unsafe-listen: a REGISTER passes, vouched for by nobody; what comes after it is a stranger's."""
        core, port = self.own(Core()), harness.free_port()
        edge = self.edge(core.uri, access={"unsafe-listen": [f"udp:127.0.0.1:{port}", f"tcp:127.0.0.1:{port}"]})
        ue = self.own(Ue(edge, sock=socket.create_connection(("127.0.0.1", port), harness.PATIENCE)))
        asked = self.bind(ue, core)
        self.assertNotIn("tls-yes", field(asked, "Authorization"))
        self.assertEqual(edge.bindings(), [])
        self.assertEqual(status(ue.message("sip:bob@home.example")), 403)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
            plain.settimeout(harness.PATIENCE)
            plain.connect(("127.0.0.1", port))
            plain.send(ue.text("OPTIONS", "sip:bob@home.example").replace("SIP/2.0/TLS", "SIP/2.0/UDP").encode())
            self.assertEqual(status(plain.recv(65536).decode()), 403)

    def test_metrics(self):
        core = self.own(Core())
        edge = self.edge(core.uri, metrics={"listen": "127.0.0.1:0"})
        ue = self.own(Ue(edge))
        self.bind(ue, core)
        stranger = self.own(Ue(edge, "bob"))
        self.assertEqual(status(stranger.message("sip:alice@home.example")), 403)
        now = edge.counters()
        for name, value in (("bindings", 1), ("flows", 2), ("bound_total", 1), ("strangers_total", 1), ("answered_2xx_total", 1),
                            ("answered_4xx_total", 2)):
            self.assertEqual(now[name], value, name)
        self.assertEqual(now["admitted_total"] + now["resumed_total"], 2)
        self.assertEqual(now["stream_up_total"] + now["stream_failed_total"], now["stream_connects_total"] + now["stream_accepts_total"])

    # ---- the end

    def test_leaving_waits_for_transactions(self):
        core = self.own(Core())
        edge = self.edge(core.uri, edge={"drain": "30s"})
        ue = self.own(Ue(edge))
        self.bind(ue, core)
        ue.send(ue.text("MESSAGE", "sip:bob@home.example", contact=False))
        asked = core.take("MESSAGE")
        edge.process.send_signal(signal.SIGTERM)
        edge.logged("event=leaving")
        with self.assertRaises((OSError, ssl.SSLError)):
            self.probe(edge.port)
        core.reply(asked, 200)
        self.assertEqual(status(ue.final("MESSAGE")), 200)
        self.assertEqual(edge.process.wait(harness.PATIENCE), 0)

    def test_leaving_takes_registrations_back(self):
        """on-loss: deregister, at SIGTERM: the core hears of each before the edge is gone."""
        core = self.own(Core())
        edge = self.edge(core.uri, edge={"drain": "30s"}, registration={"on-loss": "deregister"})
        ues = [self.own(Ue(edge, name)) for name in ("alice", "bob")]
        for ue in ues:
            self.bind(ue, core)
        edge.process.send_signal(signal.SIGTERM)
        told = [core.take("REGISTER") for _ in ues]
        for one in told:
            core.reply(one, 200)
        self.assertEqual({field(one, "To").partition(">")[0] for one in told}, {"<" + ue.identity for ue in ues})
        self.assertEqual(edge.process.wait(harness.PATIENCE), 0)

    @staticmethod
    def probe(port):
        """Nobody answers: the connection may be made by the kernel, and no handshake follows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port), 0.3) as plain, context.wrap_socket(plain):
            pass

    def test_a_lost_connection(self):
        """on-loss: deregister. The core is told in the UE's name, by a REGISTER that the edge vouches for."""
        core = self.own(Core())
        edge = self.edge(core.uri, registration={"on-loss": "deregister"})
        ue = Ue(edge)
        asked = self.bind(ue, core)
        ue.close()
        told = core.take("REGISTER")
        core.reply(told, 200)
        self.assertIn("expires=0", field(told, "Contact"))
        self.assertIn('integrity-protected="tls-yes"', field(told, "Authorization"))
        self.assertEqual(field(told, "To").split(";")[0], field(asked, "To").split(";")[0])
        self.assertEqual(field(told, "Path"), field(asked, "Path"))
        edge.logged(r'event=unregistered .* end="connection lost"')
        self.assertEqual(edge.bindings(), [])

    def test_the_network_ends_a_registration(self):
        """reg-event: a NOTIFY says that the registration is over; the flow stays, the binding does not (RFC 3680)."""
        core = self.own(Core())
        edge = self.edge(core.uri, **{"reg-event": True})
        ue = self.own(Ue(edge))
        asked = self.bind(ue, core)
        wanted = core.take("SUBSCRIBE")
        self.assertEqual(field(wanted, "Event"), "reg")
        core.reply(wanted, 200, f"Contact: <{core.uri}>", "Expires: 600")
        contact = field(asked, "Contact").split("<")[1].split(">")[0]
        body = (f'<?xml version="1.0"?><reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full"><registration aor="{ue.identity}" id="a" '
                f'state="terminated"><contact id="c" state="terminated" event="deactivated"><uri>{contact}</uri></contact></registration></reginfo>')
        target = field(wanted, "Contact").split("<")[1].split(">")[0]
        notify = (f"NOTIFY {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{core.port};branch=z9hG4bKnotify;rport\r\nMax-Forwards: 70\r\n"
                  f"From: {field(wanted, 'To')};tag=core\r\nTo: {field(wanted, 'From')}\r\nCall-ID: {field(wanted, 'Call-ID')}\r\nCSeq: 1 NOTIFY\r\n"
                  f"Contact: <{core.uri}>\r\nEvent: reg\r\nSubscription-State: active;expires=600\r\nContent-Type: application/reginfo+xml\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n{body}")
        core.sock.sendto(notify.encode(), ("127.0.0.1", edge.core_port))
        self.assertEqual(status(core.answer(field(wanted, "Call-ID"))), 200)
        edge.logged(r'event=unregistered .* end="ended by the network"')
        self.assertEqual(status(ue.message("sip:bob@home.example")), 403)

    def test_a_reload_moves_the_registrar(self):
        """core.registrar: of REGISTERs and of SUBSCRIBEs to the reg event package."""
        before, core = self.own(Core()), self.own(Core())
        edge = self.edge(before.uri, **{"reg-event": True})
        self.bind(self.own(Ue(edge)), before)
        before.reply(before.take("SUBSCRIBE"), 200, f"Contact: <{before.uri}>", "Expires: 600")
        self.reload(edge, core={"registrar": f"{core.uri};lr"})
        self.bind(self.own(Ue(edge, "bob")), core)
        wanted = core.take("SUBSCRIBE")
        self.assertIn("bob", field(wanted, "To"))
        core.reply(wanted, 200, f"Contact: <{core.uri}>", "Expires: 600")

    # ---- what is short

    def test_a_full_disk(self):
        """Lines of the log are lost, and nothing else."""
        core = self.own(Core())
        edge = self.edge(core.uri)
        edge.close()
        with open("/dev/full", "wb") as full:
            edge.process = subprocess.Popen([EDGE, "-c", edge.path], stdin=subprocess.DEVNULL, stdout=full, stderr=full, cwd=edge.folder)
        harness.until(lambda: harness.listens(edge.port), "a listener")
        ue = self.own(Ue(edge))
        self.bind(ue, core)
        self.assertEqual(len(edge.bindings()), 1)

    def test_descriptors_are_short(self):
        """Who comes then waits in the kernel; who is there goes on; when others leave, the next ones come in."""
        core = self.own(Core())
        edge = self.edge(core.uri)
        ue = self.own(Ue(edge))
        self.bind(ue, core)
        used = len(os.listdir(f"/proc/{edge.process.pid}/fd"))
        resource.prlimit(edge.process.pid, resource.RLIMIT_NOFILE, (used + 3, used + 3))
        first = [self.own(Ue(edge, "bob")) for _ in range(3)]
        plain = [socket.create_connection(("127.0.0.1", edge.port), harness.PATIENCE) for _ in range(4)]
        for one in plain:
            self.addCleanup(one.close)
        ue.send(ue.text("MESSAGE", "sip:bob@home.example", contact=False))
        core.reply(core.take("MESSAGE"), 200)
        self.assertEqual(status(ue.final("MESSAGE")), 200)
        for one in first + plain:
            one.close()
        self.assertEqual(status(self.own(Ue(edge, "bob")).message("sip:alice@home.example")), 403)
        self.assertEqual(len(edge.order("bindings")["bindings"]), 1)

    def test_transactions_are_bounded(self):
        """From nine tenths on new registrations get 503 with Retry-After, beyond it all; who is bound is served longest."""
        core = self.own(Core())
        edge = self.edge(core.uri, limits={"transactions": 40, "retry-after": "7s"}, metrics={"listen": "127.0.0.1:0"})
        ue, stranger = self.own(Ue(edge)), self.own(Ue(edge, "bob"))
        self.bind(ue, core)

        def passes():
            """A MESSAGE that the core says nothing to. @return None, or what the edge says"""
            ue.send(ue.text("MESSAGE", "sip:bob@home.example", contact=False))
            ready = select.select([core.sock, ue.sock], [], [], harness.PATIENCE)[0]
            if core.sock in ready:
                core.take("MESSAGE")  # or another once more
                return None
            return ue.answer()

        while edge.counters()["transactions"] < 36:
            self.assertIsNone(passes())
        stranger.send(stranger.register_text())
        answer = stranger.final("REGISTER")
        self.assertEqual((status(answer), field(answer, "Retry-After")), (503, "7"))
        answer = None
        while not answer:
            answer = passes()
        self.assertEqual((status(answer), field(answer, "Retry-After")), (503, "7"))
        now = edge.counters()
        self.assertGreaterEqual(now["overload_total"], 2)
        self.assertGreaterEqual(now["transactions"], 36)

    def test_one_ue_has_its_share(self):
        """limits.per-flow: who has more unanswered is told to wait; others are served, and so is it when there are answers. Answered ones and
        an ACK do not count."""
        core = self.own(Core())
        edge = self.edge(core.uri, limits={"per-flow": 2, "retry-after": "7s"}, metrics={"listen": "127.0.0.1:0"})
        ue, other = self.own(Ue(edge)), self.own(Ue(edge, "bob"))
        self.bind(ue, core)
        self.bind(other, core)

        def pass_on(who):
            sent = who.text("MESSAGE", "sip:carol@home.example", contact=False)
            who.send(sent)
            while True:
                asked = core.take("MESSAGE")
                if all(field(asked, name) == field(sent, name) for name in ("CSeq", "Call-ID")):  # others are repetitions
                    return asked
        for _ in range(2):
            waiting = [pass_on(ue), pass_on(ue)]
            ue.send(ue.text("MESSAGE", "sip:carol@home.example", contact=False))
            answer = ue.final("MESSAGE")
            self.assertEqual((status(answer), field(answer, "Retry-After")), (503, "7"))
            core.reply(pass_on(other), 200)
            self.assertEqual(status(other.final("MESSAGE")), 200)
            for asked in waiting:
                core.reply(asked, 200)
                self.assertEqual(status(ue.answer()), 200)
        self.assertEqual(edge.counters()["greedy_total"], 2)

    def test_refusals_without_ack(self):
        """Who has calls refused and acknowledges none of them takes no room from others."""
        core = self.own(Core())
        edge = self.edge(core.uri, limits={"transactions": 40, "lingering": 10}, metrics={"listen": "127.0.0.1:0"})
        ue, other = self.own(Ue(edge)), self.own(Ue(edge, "bob"))
        self.bind(ue, core)
        self.bind(other, core)
        for _ in range(60):
            self.assertEqual(status(ue.ask("INVITE", "sip:carol@home.example", sender="sip:mallory@home.example", call=secrets.token_hex(8))), 403)
        now = edge.counters()
        self.assertEqual((now["transactions"], now["lingering"]), (0, 10))
        other.send(other.text("MESSAGE", "sip:carol@home.example", contact=False))
        core.reply(core.take("MESSAGE"), 200)
        self.assertEqual(status(other.final("MESSAGE")), 200)

    def test_large_ones_count_for_several(self):
        """What is kept of a request that is unanswered goes by its octets: one of 44,000 is eleven of 4 KiB, in both limits."""
        core = self.own(socket.create_server(("127.0.0.1", 0)))  # it takes all, and says nothing
        edge = self.edge(f"sip:127.0.0.1:{core.getsockname()[1]};transport=tcp", limits={"per-flow": 11, "transactions": 25})
        ue, other = self.own(Ue(edge)), self.own(Ue(edge, "bob"))
        ue.send(ue.register_text("X-Padding: " + "x" * 44000))
        harness.until(lambda: edge.order("status")["requests"] == 1, edge.log)
        for who, why in ((ue, "limits.per-flow"), (other, "")):
            who.send(who.register_text())
            answer = who.final("REGISTER")
            self.assertEqual(status(answer), 503)
            self.assertEqual(field(answer, "Retry-After"), "10")
            self.assertIn(why, edge.logged(r"event=refused .* status=503 method=REGISTER (.*)")[-1])
        far = self.own(Stream(core.accept()[0]))
        copied = re.findall(r"(?m)^(?:Via|From|To|Call-ID|CSeq): .*\r\n", far.take("REGISTER"))
        far.send("SIP/2.0 404 x\r\n" + "".join(copied) + "Content-Length: 0\r\n\r\n")
        self.assertEqual(status(ue.answer()), 404)
        for who in (ue, other):  # all of it is given back
            who.send(who.register_text())
            far.take("REGISTER")

    def test_answered_ones_keep_nobody_out(self):
        """By UDP transactions are kept for 32 s behind their answers (timer J): that is no load. limits.lingering bounds their memory."""
        core = self.own(Core())
        edge = self.edge(core.uri, limits={"transactions": 40, "lingering": 50}, metrics={"listen": "127.0.0.1:0"})
        for _ in range(60):
            self.assertEqual(status(core.answer(core.request(edge, "OPTIONS", f"sip:127.0.0.1:{edge.core_port}"))), 200)
        now = edge.counters()
        self.assertEqual((now["lingering"], now["transactions"], now["requests"], now["overload_total"]), (50, 0, 0, 0))
        self.bind(self.own(Ue(edge)), core)

    def test_one_source_has_its_share(self):
        """limits.per-source: further connections of it are closed, others' come in."""
        edge = self.edge(limits={"per-source": 2})
        mine = [self.own(Ue(edge)) for _ in range(2)]
        with self.assertRaises((ssl.SSLError, OSError)):
            connect(edge.port).close()
        other = self.own(Ue(edge, source=("127.0.0.2", 0)))
        for one in (*mine, other):
            self.assertEqual(status(one.message("sip:bob@home.example")), 403)

    def test_sources_that_are_not_of_the_core(self):
        core = self.own(Core())
        edge = self.edge(core.uri)
        edge.close()
        edge.settings["core"]["from"] = ["192.0.2.0/24"]
        edge.start()
        self.assertEqual(status(core.answer(core.request(edge, "OPTIONS", "sip:alice@home.example"))), 403)
        ue, stranger = self.own(Ue(edge)), self.own(Core())
        ue.send(ue.register_text())
        asked = core.take("REGISTER")
        stranger.edge = core.edge
        stranger.reply(asked, 403)  # whoever was asked may answer, others not
        core.reply(asked, 401, 'WWW-Authenticate: Digest realm="home.example", nonce="n1", qop="auth", algorithm=MD5')
        self.assertEqual(status(ue.final("REGISTER")), 401)

    @staticmethod
    def backlog(port):
        """How many wait in the kernel at this listener."""
        with open("/proc/net/tcp", encoding="ascii") as file:
            waiting = [int(field[4].partition(":")[2], 16) for field in map(str.split, file) if field[1].endswith(f":{port:04X}") and field[3] == "0A"]
        return sum(waiting)

    def test_handshakes_are_measured(self):
        """limits.handshakes: two per cent of a core let in a burst, and then few; nobody is turned away."""
        dear = access.certificate(self.pki, "dear.home.example", key="rsa")
        edge = self.edge(edge={"host": "dear.home.example"}, limits={"handshakes": 2, "per-source": 5000}, metrics={"listen": "127.0.0.1:0"},
                         tls_domain={"certificate": dear["cert"], "key": dear["key"]})
        cost = int(edge.logged(r"a full handshake takes (\d+) us")[0])
        self.assertGreater(cost, 10)
        for number in range(2 * 200000 // cost + 10):  # who has come may turn out to cost as much
            self.own(socket.create_connection(("127.0.0.1", edge.port), harness.PATIENCE))
            if number % 10 == 9 and edge.counters()["pauses_total"] and self.backlog(edge.port):
                break
        else:
            self.fail("nobody had to wait")
        self.own(connect(edge.port))  # it waits, and comes in
        self.assertEqual(edge.counters()["stream_turned_away_total"], 0)


if __name__ == "__main__":
    unittest.main()
