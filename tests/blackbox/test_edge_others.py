#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gatehouse-edge and user agents that are not ours: SIPp and sipsak behind socat, Kamailio as a UE, NSS, JSSE and OpenSSL as UEs that renegotiate
in the midst of a registration."""
import contextlib
import os
import shutil
import subprocess
import unittest

import access
import edge
import harness
import kamailio
import pipe
from edge import Core, Edge, status

ANNEX_O = {"profile": "ts33203-annex-o-rel17", "renegotiation": "both"}


class Case(edge.Case):
    def socat(self, port):
        """TCP from anybody, TLS to the edge."""
        here = harness.free_port()
        process = subprocess.Popen(["socat", f"TCP-LISTEN:{here},bind=127.0.0.1,fork,reuseaddr",
                                    f"OPENSSL:localhost:{port},cafile={self.tls['ca']},pf=ip4"], stderr=subprocess.DEVNULL, start_new_session=True)

        def end():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)  # it forks for each connection
            process.wait()
        self.addCleanup(end)
        harness.until(lambda: harness.listens(here), "socat")
        return here


# ---- user agents ----

HEAD = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:bob@home.example>;tag=[call_number]
To: <{to}>{tag}
Call-ID: {call}[call_id]
CSeq: {cseq}
"""


def sends(method, cseq, uri, *lines, to="", tag="", body="", call="", again=True):
    text = f"{method} {uri} SIP/2.0\n" + HEAD.format(to=to or uri, tag=tag, cseq=f"{cseq} {method}", call=call)
    text += "".join(line + "\n" for line in lines) + (f"Content-Length: [len]\n\n{body}" if body else "Content-Length: 0\n\n")
    return f"<send><![CDATA[\n\n{text}\n]]></send>\n"


def waits(what, more=""):
    return f'<recv {"response" if isinstance(what, int) else "request"}="{what}" {more}></recv>\n'


CONTACT = "Contact: <sip:bob@[local_ip]:[local_port];transport=tls>"
REGISTERS = (sends("REGISTER", 1, "sip:home.example", CONTACT, "Expires: 600", "Supported: path", to="sip:bob@home.example") + waits(401, 'auth="true"')
             + sends("REGISTER", 2, "sip:home.example", CONTACT, "Expires: 600", "Supported: path", "[authentication username=bob@home.example password=b0b]",
                     to="sip:bob@home.example") + waits(200))
SAYS = sends("MESSAGE", 3, "sip:alice@home.example", "Content-Type: text/plain", body="hello", call="m///") + waits(100, 'optional="true"') + waits(200)
CALLS = (sends("INVITE", 4, "sip:alice@home.example", CONTACT, "Content-Type: application/sdp",
               body="v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 9 RTP/AVP 0\n")
         + waits(100, 'optional="true"') + waits(180, 'optional="true"') + waits(200, 'rrs="true"')
         + sends("ACK", 4, "[next_url]", "[routes]", to="sip:alice@home.example", tag="[peer_tag_param]")
         + sends("BYE", 5, "[next_url]", "[routes]", to="sip:alice@home.example", tag="[peer_tag_param]") + waits(200))


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Agents(Case, unittest.TestCase):
    CORE = {"algorithm": "MD5"}

    @unittest.skipUnless(shutil.which("sipp") and shutil.which("socat"), "SIPp or socat is not installed (packages sip-tester, socat)")
    def test_sipp(self):
        """Registers, says something and calls; Debian's has no TLS, socat has."""
        alice = access.outbound(self.folder, "alice", self.edge, self.tls["ca"])
        self.addCleanup(lambda: alice.process.poll() is not None or alice.close(kill=True))
        alice.expect("sip.registered", status="200")
        path = os.path.join(self.folder, "ue.xml")
        with open(path, "w", encoding="latin-1") as file:
            file.write('<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="x">\n' + REGISTERS + SAYS + CALLS + "</scenario>\n")
        done = subprocess.run(["sipp", "-sf", path, "-m", "3", "-r", "3", "-l", "1", "-i", "127.0.0.1", "-t", "tn", "-max_socket", "100", "-nostdin", "-timeout", "20s",
                               "-timeout_error", "-trace_err", "-error_file", "errors", f"127.0.0.1:{self.socat(self.edge.port)}"], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60, env={**os.environ, "TERM": "dumb"})
        said = done.stdout[-1500:]
        errors = os.path.join(self.folder, "errors")
        if os.path.exists(errors):
            with open(errors, encoding="utf-8", errors="replace") as file:
                said += file.read()
        self.assertEqual(done.returncode, 0, said + self.edge.log()[-3000:])
        for _ in range(3):
            alice.expect("message", text="hello*")
            alice.expect("call.over", why="bye")
        access.ended(alice)

    @unittest.skipUnless(shutil.which("sipsak") and shutil.which("socat"), "sipsak or socat is not installed")
    def test_sipsak(self):
        """It looks its domain up whatever proxy it is given, so there is one of this name."""
        core = self.own(kamailio.Kamailio(self.folder, access.PASSWORDS, algorithm="MD5", domain="localhost"))
        other = self.own(Edge(self.folder, self.tls, core))
        done = subprocess.run(["sipsak", "-U", "-i", "-H", "127.0.0.1", "-C", "sip:alice@192.0.2.1:5060", "-u", "alice", "-a", access.PASSWORDS["alice"], "-s", "sip:alice@localhost", "-p",
                               f"127.0.0.1:{self.socat(other.port)}", "--transport=tcp", "-vv"], capture_output=True, text=True, check=False, timeout=30)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + other.log()[-3000:])
        other.logged("event=registered .*impi=alice")
        other.close()

    def test_kamailio(self):
        """Its module uac registers over TLS and says something to alice."""
        fields = {"REGISTER": (r"Contact: <sip:bob@127.0.0.1:9;transport=tls>\r\nSupported: path\r\nExpires: 600\r\n", "sip:home.example", "sip:bob@home.example", ""),
                  "MESSAGE": (r"Content-Type: text/plain\r\n", "sip:alice@home.example", "sip:alice@home.example", "hello")}
        route = "".join(
            f'if ($rU == "{method}") {{ $uac_req(method)="{method}"; $uac_req(ruri)="{uri}"; $uac_req(furi)="sip:bob@home.example"; $uac_req(turi)="{to}"; '
            f'$uac_req(ouri)="sip:127.0.0.1:{self.edge.port};transport=tls"; $uac_req(auser)="bob@home.example"; $uac_req(apasswd)="b0b"; '
            f'$uac_req(hdrs)="{lines}"; $uac_req(body)="{body}"; $uac_req(evroute)=1; uac_req_send(); sl_send_reply("200", "OK"); exit; }}\n'
            for method, (lines, uri, to, body) in fields.items())
        kinds = ("realm", "username", "password")
        settings = ('loadmodule "uac.so"\nmodparam("uac", "restore_mode", "none")\n'
                    + "".join(f'modparam("uac", "auth_{kind}_avp", "$avp(auth_{kind})")\n' for kind in kinds)
                    + 'event_route[uac:reply] { xlog("L_ERR", "UAC $uac_req(evcode)\\n"); }\n')
        its = self.own(kamailio.Kamailio(self.folder, {}, tls=self.tls, settings=settings, route=route))
        alice, orders = self.ue("alice"), self.own(Core())
        alice.register()
        self.assertEqual(status(orders.answer(orders.order(its.port, "REGISTER"))), 200)
        harness.until(lambda: "UAC 200" in its.log(), its.log)
        self.edge.bound("bob")
        self.assertEqual(status(orders.answer(orders.order(its.port, "MESSAGE"))), 200)
        request = alice.take("MESSAGE")
        self.assertIn("hello", request)
        alice.reply(request, 200)
        harness.until(lambda: its.log().count("UAC 200") == 2, its.log)


@unittest.skipUnless(kamailio.HAVE, kamailio.MISSING)
class Renegotiate(Case, unittest.TestCase):
    """Others' TLS clients as UEs. The edge renegotiates in the midst of a registration that is refreshed: the REGISTER that answers the challenge goes
    over the new session, whose id the binding has."""
    CHANGES = {"tls_domain": ANNEX_O}

    def begun(self, make, *options):
        """Registered, and challenged anew."""
        ue = self.ue("alice", sock=make(self.folder, self.edge.port, self.tls["ca"], *options))
        ue.register()
        ue.first()
        return ue, self.edge.bound("alice")[0]

    def another_session(self, ue, before):
        harness.until(lambda: self.edge.bindings("alice")[0]["session"] != before["session"],
                      lambda: f"another id in the binding: {self.edge.log()[-3000:]} {ue.sock.said()}")

    def ended(self, ue, before):
        """All goes on over the new session, as far as the core is concerned over the same."""
        self.assertEqual(status(ue.second()), 200)
        self.assertEqual(self.edge.bound("alice")[0]["flow"], before["flow"])
        self.assertEqual(status(ue.message("sip:nobody@home.example")), 404)
        self.core.got("REGISTER", ue.call, 'integrity-protected="tls-yes"')
        ue.close()
        self.edge.bound("alice", 0)

    def in_the_midst(self, make, *options):
        ue, before = self.begun(make, *options)
        self.edge.order("renegotiate", before["flow"])
        self.another_session(ue, before)
        self.ended(ue, before)
        return ue.sock

    def test_openssl(self):
        self.in_the_midst(pipe.s_client, "-tls1_2")
        self.in_the_midst(pipe.s_client, "-tls1_3")

    @unittest.skipUnless(shutil.which("tstclnt"), "tstclnt is not installed (package libnss3-tools)")
    def test_nss(self):
        self.in_the_midst(pipe.nss, "tls1.2")
        self.in_the_midst(pipe.nss, "tls1.3")

    @unittest.skipUnless(shutil.which("javac"), "no JDK is installed (package default-jdk-headless)")
    def test_jsse(self):
        sock = self.in_the_midst(pipe.jsse, "TLSv1.2")
        self.assertEqual(sock.said().count("again"), 1)
        self.in_the_midst(pipe.jsse, "TLSv1.3")

    @unittest.skipUnless(shutil.which("javac"), "no JDK is installed (package default-jdk-headless)")
    def test_jsse_begins(self):
        """A renegotiation of the UE's own, where the release (O14) and the domain let it."""
        self.edge = self.own(Edge(self.folder, access.certificate(self.pki, "rsa.home.example", ("localhost",), "rsa"), self.core,
                                  edge={"host": "rsa.home.example"}, tls_domain={"profile": "ts33203-annex-o", "renegotiation": "both"}))
        ue, before = self.begun(pipe.jsse, "TLSv1.2")
        ue.sock.sendall(b"\x01\n")
        ue.sock.told("again")
        self.another_session(ue, before)
        self.ended(ue, before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
