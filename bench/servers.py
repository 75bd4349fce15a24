# SPDX-License-Identifier: Apache-2.0
"""The proxies that are measured: how each is configured, started and stopped."""
import os
import shutil
import signal
import socket
import subprocess
import time

NGINX_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


class Unavailable(Exception):
    """This server is not here, or does not start; the text says why."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children_of(pid):
    """The process and all that it started, oldest first."""
    pids, at = [pid], 0
    while at < len(pids):
        try:
            for task in os.listdir(f"/proc/{pids[at]}/task"):
                with open(f"/proc/{pids[at]}/task/{task}/children", encoding="ascii") as f:
                    pids += [int(p) for p in f.read().split()]
        except OSError:
            pass
        at += 1
    return pids


class Case:
    """What all servers of a comparison are given alike."""

    def __init__(self, version="1.2", suite="", pem=None, cert=None, key=None, psk=None,
                 profile="ts33210-rel17"):
        self.version, self.suite = version, suite
        self.pem, self.cert, self.key, self.psk = pem, cert, key, psk
        self.profile = profile


class Server:
    name = ""
    program = ""

    def __init__(self, work, cpu):
        self.work, self.cpu = work, cpu
        self.process, self.port = None, 0

    def command(self, case, backend):
        raise NotImplementedError

    def write(self, name, text):
        path = os.path.join(self.work, f"{self.name}-{self.port}-{name}")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as f:
            f.write(text)
        return path

    def start(self, case, backend):
        program = shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not program:
            raise Unavailable(f"{self.program} is not installed")
        self.port = free_port()
        log_path = os.path.join(self.work, f"{self.name}-{self.port}.log")
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(self.cpu), program] + self.command(case, backend),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.wait(log_path)
        return self

    def wait(self, log_path):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                time.sleep(0.3)  # workers are forked by now, and the touch is over
                self.pin()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        with open(log_path, encoding="utf-8", errors="replace") as f:
            raise Unavailable(f"{self.name} does not start: {f.read()[-300:].strip()}")

    def pin(self):
        """Once more: hitch moves its workers to cores of its own choice, the first to the first."""
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(task), {self.cpu})

    def pids(self):
        return children_of(self.process.pid)

    def stop(self):
        """End it and what it started, by process id."""
        if not self.process:
            return
        pids = self.pids()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in pids[1:]:  # a worker that outlives its parent
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.process = None


class Ours(Server):
    def __init__(self, work, cpu, build, source, name="gatehouse", engine="auto"):
        super().__init__(work, cpu)
        self.name, self.engine, self.source = name, engine, source
        self.program = os.path.join(build, "bench", "relayd")

    def command(self, case, backend):
        args = ["--listen", f"127.0.0.1:{self.port}", "--backend", f"127.0.0.1:{backend}",
                "--workers", "1", "--engine", self.engine,
                "--profile", os.path.join(self.source, "profiles", case.profile + ".yaml")]
        if case.cert:
            args += ["--cert", case.cert, "--key", case.key]
        if case.psk:
            args += ["--psk-file", self.write("psk", case.psk + "\n")]
        return args


class Haproxy(Server):
    name = program = "haproxy"

    def command(self, case, backend):
        config = f"""
global
    nbthread 1
    maxconn 9500
    ssl-default-bind-ciphers {case.suite}
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
frontend bench
    bind 127.0.0.1:{self.port} ssl crt {case.pem} curves P-256 backlog 4096 defer-accept
    default_backend bench
backend bench
    server bench 127.0.0.1:{backend}
"""
        return ["-q", "-db", "-f", self.write("conf", config)]


class Nginx(Server):
    name = program = "nginx"

    def command(self, case, backend):
        if not os.path.exists(NGINX_MODULE):
            raise Unavailable("libnginx-mod-stream is not installed")
        config = f"""
load_module {NGINX_MODULE};
daemon off;
worker_processes 1;
{"user root;" if os.getuid() == 0 else ""}
error_log stderr crit;
pid {self.work}/nginx-{self.port}.pid;
events {{ worker_connections 19000; }}
stream {{
    server {{
        listen 127.0.0.1:{self.port} ssl backlog=4096;
        ssl_certificate {case.cert};
        ssl_certificate_key {case.key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers {case.suite};
        ssl_ecdh_curve prime256v1;
        ssl_session_tickets on;
        proxy_pass 127.0.0.1:{backend};
        proxy_timeout 1h;
        tcp_nodelay on;
    }}
}}
"""
        return ["-e", "stderr", "-c", self.write("conf", config)]


class Stunnel(Server):
    name, program = "stunnel", "stunnel4"

    def command(self, case, backend):
        if case.psk:
            how = f"PSKsecrets = {self.write('psk', case.psk + chr(10))}\nsslVersion = TLSv1.2"
        else:
            how = f"cert = {case.pem}\nsslVersionMin = TLSv1.2"
        config = f"""
foreground = yes
pid =
debug = crit
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[bench]
accept = 127.0.0.1:{self.port}
connect = 127.0.0.1:{backend}
{how}
ciphers = {case.suite}
ciphersuites = TLS_AES_128_GCM_SHA256
curves = prime256v1
TIMEOUTidle = 3600
"""
        return [self.write("conf", config)]


class Hitch(Server):
    name = program = "hitch"

    def command(self, case, backend):
        user = 'user = "nobody"' if os.getuid() == 0 else ""  # it refuses to serve as root
        config = f"""
frontend = "[127.0.0.1]:{self.port}"
backend = "[127.0.0.1]:{backend}"
pem-file = "{case.pem}"
tls-protos = TLSv1.2 TLSv1.3
ciphers = "{case.suite}"
ciphersuites = "TLS_AES_128_GCM_SHA256"
ecdh-curve = "prime256v1"
workers = 1
backlog = 4096
daemon = off
quiet = on
syslog = off
{user}
"""
        return ["--config=" + self.write("conf", config)]


class Bare(Server):
    """A bare TCP relay: part of the limit, no competitor."""
    name = "bare"

    def __init__(self, work, cpu, build):
        super().__init__(work, cpu)
        self.program = os.path.join(build, "bench", "bare")

    def command(self, case, backend):
        return ["--listen", str(self.port), "--backend", str(backend)]


PEERS = {"haproxy": Haproxy, "nginx": Nginx, "stunnel": Stunnel, "hitch": Hitch}

VERSIONS = {
    "haproxy": (["haproxy", "-v"], 0), "nginx": (["nginx", "-v"], 0),
    "stunnel": (["stunnel4", "-version"], 1), "hitch": (["hitch", "--version"], 0),
    "OpenSSL": (["openssl", "version"], 0), "rtpengine": (["rtpengine", "--version"], 0),
    "kamailio": (["kamailio", "-v"], 0),
}


def version_of(name):
    command = VERSIONS[name][0]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "absent"
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    for line in lines:
        if any(c.isdigit() for c in line):
            return line.strip()
    return "?"
