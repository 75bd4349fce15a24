# SPDX-License-Identifier: Apache-2.0
"""Kamailio (Debian) as registrar and S-CSCF of an IMS core: Digest (RFC 3261, 22; RFC 7616), locations with Path (RFC 3327), P-Associated-URI,
Service-Route (RFC 3608, R), requests to who is registered, Record-Route. With `tls` it is the far end of TLS itself, so that an edge
can be held beside its TLS module. What it has received is in `requests()`, octet for octet."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import harness

HAVE = bool(shutil.which("kamailio"))
MISSING = "kamailio is not installed (packages kamailio, kamailio-tls-modules)"
MODULES = ["kex", "corex", "tm", "tmx", "sl", "rr", "pv", "maxfwd", "usrloc", "registrar", "textops", "siputils", "xlog", "sanity",
           "auth", "htable", "nathelper"]

CONFIG = """#!KAMAILIO
debug=1
log_stderror=yes
memdbg=5
memlog=5
children={children}
tcp_children={children}
tcp_max_connections={connections}
tcp_connection_lifetime=3600
tcp_accept_no_cl=yes
tcp_rd_buf_size=65536
auto_aliases=no
dns=off
rev_dns=no
server_signature=no
{enable_tls}
listen=udp:{address}:{port}
listen=tcp:{address}:{port}
{listen_tls}
alias="{domain}"
mpath="{modules}"
{load}
modparam("xlog", "buf_size", 131072)
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "received_avp", "$avp(received)")
modparam("nathelper", "received_avp", "$avp(received)")
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("registrar", "outbound_mode", 1)
modparam("registrar", "gruu_enabled", 0)
modparam("registrar", "default_expires", 3600)
modparam("registrar", "min_expires", {min_expires})
modparam("registrar", "max_expires", 7200)
modparam("registrar", "method_filtering", 0)
modparam("registrar", "append_branches", 1)
modparam("rr", "append_fromtag", 0)
modparam("tm", "fr_timer", 5000)
modparam("tm", "fr_inv_timer", 30000)
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "qop", "auth")
modparam("auth", "nonce_count", {nonce_count})
modparam("auth", "nid_pool_no", 1)
modparam("auth", "nonce_expire", {nonce_expire})
modparam("htable", "htable", "users=>size=8;initval=0")
{tls}
{more}

event_route[htable:mod-init] {{
	$sht(users=>) = "";
{users}
}}

request_route {{
	{record}
	if (!mf_process_maxfwd_header("10")) {{
		sl_send_reply("483", "Too Many Hops");
		exit;
	}}
	if (is_method("OPTIONS") && uri == myself && $rU == $null) {{
		sl_send_reply("200", "OK");
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans()) {{
			t_relay();
		}}
		exit;
	}}
	if (!is_method("ACK")) {{
		if (t_precheck_trans()) {{
			t_check_trans();
			exit;
		}}
		t_check_trans();
	}}
	if (has_totag()) {{
		if (loose_route()) {{
			t_relay();
		}} else if (is_method("ACK") && t_check_trans()) {{
			t_relay();
		}} else if (!is_method("ACK")) {{
			sl_send_reply("404", "Not here");
		}}
		exit;
	}}
	if (is_method("REGISTER")) {{
		route(REGISTRAR);
		exit;
	}}
	loose_route();
	if (is_method("INVITE|SUBSCRIBE")) {{
		remove_hf("Route");
		{stays}
	}}
	{inward}
	if ($rd != "{domain}") {{
		t_relay();
		exit;
	}}
	if (!lookup("location")) {{
		send_reply("404", "Not Found");
		exit;
	}}
	t_relay();
	exit;
}}

# What the edge says of a connection that is lost (tls-yes, no response, Expires: 0) is believed; all else is asked for a response.
route[REGISTRAR] {{
	if (!($hdr(Expires) == "0" && $hdr(Authorization) =~ "integrity-protected=\\"tls-yes\\"" && !($hdr(Authorization) =~ "response=\\"[0-9a-f]"))) {{
		$var(said) = pv_www_authenticate("{domain}", "$sht(users=>$au)", "0");
		if ($var(said) == -2) {{
			sl_send_reply("{wrong}", "Wrong password");
			exit;
		}}
		if ($var(said) == -4 || $var(said) == -6) {{ # an old nonce, or one that was used: the password is not wrong
			www_challenge("{domain}", "17");
			exit;
		}}
		if ($var(said) < 0) {{
			www_challenge("{domain}", "1");
			exit;
		}}
	}}
	if (proto == TLS && !is_present_hf("Path")) {{ # whoever has connected to us is reached by that connection
		fix_nated_register();
	}}
	append_to_reply("P-Associated-URI: {associated}\\r\\n");
	append_to_reply("Service-Route: {service_route}\\r\\n");
	if (!save("location")) {{
		sl_reply_error();
	}}
	exit;
}}
"""
TLS = """modparam("tls", "tls_method", "{method}")
modparam("tls", "certificate", "{cert}")
modparam("tls", "private_key", "{key}")
modparam("tls", "ca_list", "{ca}")
modparam("tls", "verify_certificate", {verify})
modparam("tls", "require_certificate", {require})
{more}
"""


def modules():
    for folder in ("/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/aarch64-linux-gnu/kamailio/modules", "/usr/lib64/kamailio/modules",
                   "/usr/lib/kamailio/modules"):
        if os.path.isdir(folder):
            return folder
    raise AssertionError("kamailio is there and its modules are not")


class Kamailio:
    """`users`: name -> password; they are who may register as sip:NAME@DOMAIN, with NAME or NAME@DOMAIN as private identity.
    `associated`: the P-Associated-URI of a 200, in Kamailio's own variables. `wrong`: what a wrong password gets. `replays`: an answer to a challenge is taken twice.
    `route`: lines of its language before a request is routed to who is registered. `settings`: further lines for the file.
    `tls`: of cert, key, ca (files), and if wanted method, verify, require, more; then `tls_port` is open. With record=False it writes down nothing, with stays=False it is not in the routes of dialogs."""

    def __init__(self, folder, users, domain="home.example", address="127.0.0.1", algorithm="SHA-256", associated=None, wrong="403", nonce_expire=300, replays=False,
                 min_expires=0, children=1, connections=2048, tls=None, route="", settings="", record=True, port=0, service_route=None, shm=64,
                 limit=None, stays=True):
        self.folder = tempfile.mkdtemp(prefix="kamailio-", dir=folder)
        self.domain, self.address, self.shm, self.limit = domain, address, shm, limit
        self.port = port or harness.free_port()
        self.tls_port = harness.free_port() if tls else None
        self.log_path = os.path.join(self.folder, "log")
        self.process = None
        names = MODULES + (["tls"] if tls else [])
        values = {"method": "TLSv1.2+", "ca": "", "verify": 0, "require": 0, "more": "", **(tls or {})}
        self.service_route = service_route or f"<sip:orig@{address}:{self.port};lr>"
        self.text = CONFIG.format(
            children=children, connections=connections, enable_tls="enable_tls=yes" if tls else "", address=address, port=self.port,
            listen_tls=f"listen=tls:{address}:{self.tls_port}" if tls else "", domain=domain, modules=modules(),
            load="\n".join(f'loadmodule "{name}.so"' for name in names), algorithm=algorithm, nonce_expire=nonce_expire, nonce_count=int(not replays), min_expires=min_expires,
            stays="record_route();" if stays else "", tls=TLS.format(**values) if tls else "", more=settings, wrong=wrong, inward=route,
            record='xlog("L_ERR", "GOT $TV(Sn) $(mb{s.encode.hexa})\\n");' if record else "",
            users="\n".join(f'\t$sht(users=>{name}) = "{password}";' for name, password in users.items()),
            associated=associated or f"<sip:$tU@{domain}>", service_route=self.service_route)
        self.path = os.path.join(self.folder, "kamailio.cfg")
        with open(self.path, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(self.text)
        self.start()

    @property
    def uri(self):
        return f"sip:{self.address}:{self.port}"

    def start(self):
        with open(self.log_path, "ab") as log:
            # -DD: it stays our child, and is the head of its processes
            self.process = subprocess.Popen(["kamailio", "-DD", "-E", "-f", self.path, "-Y", self.folder, "-m", str(self.shm), "-M", "8"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, preexec_fn=self.limit)
        harness.until(lambda: self.answers() or self.process.poll() is not None, lambda: f"Kamailio: {self.log()[-3000:]}")
        assert self.process.poll() is None, self.log()[-3000:]

    def answers(self):
        """It is there when it answers an OPTIONS over TCP, which its last processes do."""
        try:
            with socket.create_connection((self.address, self.port), 1) as conn:
                conn.settimeout(1)
                here = "%s:%d" % conn.getsockname()
                conn.sendall((f"OPTIONS {self.uri} SIP/2.0\r\nVia: SIP/2.0/TCP {here};branch=z9hG4bKready\r\nMax-Forwards: 70\r\n"
                              f"From: <sip:ready@invalid>;tag=1\r\nTo: <{self.uri}>\r\nCall-ID: ready-{here}\r\nCSeq: 1 OPTIONS\r\n"
                              "Content-Length: 0\r\n\r\n").encode())
                return conn.recv(4096).startswith(b"SIP/2.0 200")
        except OSError:
            return False

    def log(self):
        """Whole lines: one is written in pieces."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        return text[:text.rfind("\n") + 1]

    def seen(self):
        """What it has received, oldest first: (UNIX time, text). Its own readiness check is left out."""
        for time, octets in re.findall(r"\bGOT (\S+) ([0-9a-f]+)$", self.log(), re.M):
            text = bytes.fromhex(octets).decode("utf-8", "surrogateescape")
            if "Call-ID: ready-" not in text:
                yield float(time), text

    def requests(self, method=""):
        """The texts of those that begin so."""
        return [text for _, text in self.seen() if text.startswith(method)]

    def got(self, method, *patterns, count=1):
        """Waits until so many requests of this method, with each pattern in them, have come. @return the last of them"""
        def fitting():
            return [text for text in self.requests(method) if all(re.search(p, text, re.M) for p in patterns)]
        harness.until(lambda: len(fitting()) >= count, lambda: f"{method} {patterns} at Kamailio; it got {self.requests()}; {self.log()[-1500:]}")
        return fitting()[-1]

    def rss(self):
        """Octets of memory that are its own, of all its processes: shared pages count once."""
        total = 0
        for pid in [self.process.pid] + self.children():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M)[1]) * 1024
        return total

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def sweep(self, pids):
        """Those of its processes that outlive their head."""
        for pid in pids:
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    ours = self.path.encode() in file.read().split(b"\0")
                if ours:
                    os.kill(pid, signal.SIGKILL)

    def kill(self):
        """Without a word to anybody."""
        pids = self.children()
        self.process.kill()
        self.process.wait()
        self.sweep(pids)

    def close(self):
        if self.process.poll() is not None:
            return
        pids = self.children()
        self.process.terminate()
        try:
            self.process.wait(harness.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.sweep(pids)
