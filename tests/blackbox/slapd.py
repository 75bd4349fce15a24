# SPDX-License-Identifier: Apache-2.0
"""A Certificate Repository for tests: OpenLDAP's slapd from Debian, on free loopback ports, with a folder of its own,
as the user who runs the test, ended by its pid. It speaks ldap, StartTLS and ldaps. Entries are written and read with
ldapadd, ldapmodify and ldapsearch, so that nobody judges their own work."""
import base64
import os
import shutil
import signal
import subprocess
import tempfile

import harness

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
MODULES = "/usr/lib/ldap"
SCHEMA = "/etc/ldap/schema/core.schema"  # with pkiCA, deltaCRL and cRLDistributionPoint (RFC 4523)
HAVE_SLAPD = bool(SLAPD and shutil.which("ldapsearch") and shutil.which("openssl") and os.path.exists(SCHEMA)
                  and os.path.isdir(MODULES))
NO_SLAPD = "slapd and the ldap tools are not installed (packages slapd, ldap-utils)"

CONFIG = """\
include {schema}
modulepath {modules}
moduleload back_mdb
pidfile {folder}/pid
argsfile {folder}/args
TLSCACertificateFile {folder}/tls-ca.pem
TLSCertificateFile {folder}/tls.pem
TLSCertificateKeyFile {folder}/tls.key
sockbuf_max_incoming 67108864
sockbuf_max_incoming_auth 67108864
{extra}
database mdb
maxsize 268435456
suffix "{suffix}"
rootdn "{root}"
rootpw {password}
directory {folder}/db
access to * {access}
{more}
"""


def tls_files(folder, name="tls", hosts="DNS:localhost,IP:127.0.0.1"):
    """A CA of its own (NAME-ca.pem) and a server certificate by it (NAME.pem, NAME.key)."""
    def openssl(*args):
        done = subprocess.run(["openssl", *args], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-days", "30", "-keyout", f"{name}-ca.key", "-out", f"{name}-ca.pem", "-subj",
            f"/CN={name} CA")
    openssl("req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    with open(os.path.join(folder, f"{name}.ext"), "w", encoding="ascii") as file:
        file.write(f"subjectAltName={hosts}\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}-ca.pem", "-CAkey", f"{name}-ca.key", "-days", "30",
            "-extfile", f"{name}.ext", "-out", f"{name}.pem", "-set_serial", str(int.from_bytes(os.urandom(6), "big")))


class Slapd:
    """`suffix` exists as an organization ("o=...") or a unit ("ou=..."), empty but for that. `access`: who may do
    what; as it is, anybody reads and the root DN writes. `global_lines` and `lines` go into its file."""

    def __init__(self, folder, suffix="o=A", access="by * read", lines="", global_lines=""):
        assert HAVE_SLAPD, NO_SLAPD
        self.folder = tempfile.mkdtemp(dir=folder, prefix="slapd-")
        self.suffix, self.root = suffix, f"cn=admin,{suffix}"
        self.password = os.urandom(8).hex()
        self.password_file = self.path("password")
        with open(os.open(self.password_file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(self.password + "\n")
        tls_files(self.folder)
        self.ca = self.path("tls-ca.pem")
        os.mkdir(self.path("db"))
        with open(self.path("slapd.conf"), "w", encoding="ascii") as file:
            file.write(CONFIG.format(schema=SCHEMA, modules=MODULES, folder=self.folder, suffix=suffix, root=self.root,
                                     password=self.password, access=access, more=lines, extra=global_lines))
        # Under another path, so that a profile of AppArmor for the packaged server does not hold for this one.
        self.program = self.path("slapd")
        shutil.copy(SLAPD, self.program)
        self.port, self.tls_port = harness.free_port(), harness.free_port()
        self.process = None
        self.start()
        attribute, name = suffix.split(",")[0].split("=")
        kind = {"o": "organization", "ou": "organizationalUnit"}[attribute]
        self.add(f"dn: {suffix}\nobjectClass: {kind}\n{attribute}: {name}\n")

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-f", self.path("slapd.conf"), "-d", "0", "-h",
                 f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.until(lambda: self.process.poll() is not None or
                      (harness.listens(self.port) and harness.listens(self.tls_port)), self.log)
        assert self.process.poll() is None, self.log()

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return f"slapd: {file.read()}"

    def stall(self):
        """It takes connections and says nothing any more."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.resume()
            self.process.terminate()
            try:
                self.process.wait(harness.PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()

    def url(self, rest="", tls=False, host="127.0.0.1"):
        """`rest` is a DN, and what else RFC 4516 has behind it. No "localhost": libldap looks for the machine's own
        name in the certificate then."""
        return (f"ldaps://{host}:{self.tls_port}/" if tls else f"ldap://{host}:{self.port}/") + rest

    def tool(self, name, *args, status=0, text=None):
        done = subprocess.run([name, "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", self.root, "-y",
                               self.bare_password(), *args], input=text, capture_output=True, text=True, check=False,
                              timeout=harness.PATIENCE * 2, env={**os.environ, "LDAPNOINIT": "1"})
        assert done.returncode == status, f"{name} {args}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout

    def bare_password(self):
        """ldap-utils take a file as it is, line end included."""
        path = self.path("bare")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(self.password)
        return path

    def add(self, ldif):
        self.tool("ldapadd", text=ldif)

    def modify(self, ldif):
        self.tool("ldapmodify", text=ldif)

    def put(self, dn, attribute, *values):
        """Replace an attribute by octet strings."""
        lines = "".join(f"{attribute}:: {base64.b64encode(value).decode()}\n" for value in values)
        self.modify(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{lines}")

    def authority(self, name, **values):
        """An entry cn=NAME below the suffix, as RFC 4523 has them: cACertificate=b"...", or a list of them."""
        dn = f"cn={name},{self.suffix}"
        text = f"dn: {dn}\nobjectClass: organizationalRole\nobjectClass: pkiCA\nobjectClass: deltaCRL\ncn: {name}\n"
        for attribute, given in values.items():
            for value in given if isinstance(given, (list, tuple)) else [given]:
                text += f"{attribute};binary:: {base64.b64encode(value).decode()}\n"
        self.add(text)
        return dn

    def refer(self, name, *urls):
        """An entry that is somewhere else (RFC 3296)."""
        dn = f"cn={name},{self.suffix}"
        self.add(f"dn: {dn}\nobjectClass: referral\nobjectClass: extensibleObject\ncn: {name}\n" +
                 "".join(f"ref: {url}\n" for url in urls))
        return dn

    def read(self, dn, *attributes, scope="base"):
        """What ldapsearch finds: a list of entries, each a dict of lists of octets; names without ";binary"."""
        text = self.tool("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", dn, "-s", scope, "(objectClass=*)",
                         *attributes)
        entries = []
        for block in text.split("\n\n"):
            entry = {}
            for line in block.splitlines():
                name, _, value = line.partition(":")
                octets = base64.b64decode(value[1:]) if value.startswith(":") else value.strip().encode()
                entry.setdefault(name.replace(";binary", ""), []).append(octets)
            if entry:
                entries.append(entry)
        return entries


def pair(to_this=None, by_this=None):
    """A CertificatePair (RFC 4523, 4.3) of certificates in DER, written by hand."""
    def element(tag, body):
        size = len(body)
        octets = b"" if size < 128 else size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes([tag, 0x80 | len(octets) if octets else size]) + octets + body
    return element(0x30, (element(0xA0, to_this) if to_this else b"") + (element(0xA1, by_this) if by_this else b""))
