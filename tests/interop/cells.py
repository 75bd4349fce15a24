# SPDX-License-Identifier: Apache-2.0
"""The cells of the interop matrix, and what is to be expected of each: it works, it is refused for a reason, or there is
no such thing with that peer."""
import itertools
from collections import namedtuple

PEERS = ("openssl", "gnutls", "nss", "jsse", "erlang")
ENGINES = ("openssl", "gnutls")
VERSIONS = ("TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3", "DTLS1.0", "DTLS1.2")
ROLES = ("server", "client")  # ours
WAYS = ("RSA", "ECDSA", "PSK", "DHE-PSK", "ECDHE-PSK")
# Full handshake; resumed by ticket; by session id; renegotiated when the peer begins; when we do.
KINDS = ("full", "ticket", "id", "theirs", "ours")
# What has to fail: the peer's certificate is by an authority that we do not know; ours is; the keys are not the same.
WRONGS = ("theirs unknown", "ours unknown", "wrong key")

# What is expected: "works"; "refused", with what our side has to say of it; "none" where it cannot be tried.
Outlook = namedtuple("Outlook", "what why says", defaults=("", ""))
WORKS = Outlook("works")


class Cell(namedtuple("Cell", "peer engine version role way kind")):
    @property
    def psk(self):
        return "PSK" in self.way

    @property
    def new(self):
        return self.version == "TLS1.3"

    @property
    def datagrams(self):
        return self.version.startswith("DTLS")

    @property
    def old(self):
        return self.version[-1] in "01"

    @property
    def resumes(self):
        return self.kind in ("ticket", "id")

    @property
    def again(self):
        return self.kind in ("theirs", "ours")

    def __str__(self):
        return " ".join(self)


def cells(peer):
    return [Cell(peer, *rest) for rest in itertools.product(ENGINES, VERSIONS, ROLES, WAYS, KINDS)]


def wrong_cells(peer):
    """Cells that have to fail, one for each of WRONGS."""
    for engine, version, role in itertools.product(ENGINES, ("TLS1.2", "TLS1.3", "DTLS1.2"), ROLES):
        yield Cell(peer, engine, version, role, "ECDSA", WRONGS[0])
        yield Cell(peer, engine, version, role, "ECDSA", WRONGS[1])
        yield Cell(peer, engine, version, role, "DHE-PSK", WRONGS[2])


def none(why):
    return Outlook("none", why)


def refused(why, says):
    return Outlook("refused", why, says)


def of_protocol(cell):
    """What no peer can do."""
    if cell.new and cell.kind == "id":
        return none("TLS 1.3 has no session ids: RFC 8446, 2.2")
    return None


def of_us(cell):
    """What we do not do."""
    if cell.datagrams and cell.kind == "ours" and cell.role == "server" and cell.engine == "gnutls":
        return refused("a server of the GnuTLS engine cannot ask for a renegotiation over DTLS: docs/dtls.md, Renegotiation",
                       "as a server of DTLS its engine, GnuTLS, cannot ask")
    if cell.new and cell.way == "PSK":
        return refused("the cell's profile has psk-dhe-only: no psk_ke (RFC 8446, 4.2.9)", "failed")
    if cell.psk and cell.resumes and cell.role == "client":
        return refused("as client we show a pre-shared key each time: docs/tls.md, Resumption", "resumed=0")
    return None


def of_openssl(cell):
    if cell.new and cell.way == "PSK":
        return none("OpenSSL has psk_ke only beside psk_dhe_ke (RFC 8446, 4.2.9)")
    return None


def of_gnutls(cell):
    return None


def of_nss(cell):
    if cell.psk and not cell.new:
        return none("NSS has no PSK suites before TLS 1.3")
    if cell.datagrams and cell.role == "client":
        return none("NSS's selfserv has no DTLS")
    if cell.datagrams and cell.resumes:
        return none("tstclnt goes back to the port where it was; here each connection of datagrams has its own")
    if cell.datagrams and cell.again:
        return none("tstclnt renegotiates not over DTLS, neither by itself (-r) nor when it is asked, with libssl's server too")
    if cell.way == "PSK":
        return none("NSS has no psk_ke")
    if cell.new and cell.kind == "theirs":
        return none("NSS's tools begin no KeyUpdate")
    if cell.psk and cell.role == "client":
        return refused("selfserv shows a certificate though it was given the external key, to tstclnt too; who shows a key takes "
                       "no server that nobody judges", "no pre-shared key")
    if cell.psk and cell.kind == "ticket":
        return refused("tstclnt shows its external key at each connection, and no ticket", "resumed=0")
    return None


def of_jsse(cell):
    if cell.psk:
        return none("JSSE has no pre-shared keys")
    if cell.datagrams and cell.again and cell.role == "client" and cell.engine == "openssl":
        return none("JSSE's server and libssl's client come to no end of a renegotiation over DTLS, libssl's own program and "
                    "Erlang's client likewise; the GnuTLS engine does")
    return None


def of_erlang(cell):
    if cell.psk and cell.new:
        return none("Erlang's ssl has no external PSK in TLS 1.3")
    if cell.kind == "ticket" and not cell.new:
        return none("Erlang's ssl has no tickets before TLS 1.3")
    if cell.way == "ECDHE-PSK" and cell.role == "server" and cell.engine == "openssl":
        return refused("Erlang's client names no curve for ECDHE-PSK, and libssl takes none then (its own server likewise); "
                       "the GnuTLS engine does", "unsupported elliptic curve")
    if cell.way == "PSK" and cell.role == "server" and cell.again and cell.datagrams and (
            cell.kind == "theirs" or cell.engine == "openssl"):
        return none("Erlang's client computes other keys when it renegotiates with plain PSK; a broken record says nothing in DTLS "
                    "(RFC 6347, 4.1.2.7): both wait until their patience ends")
    if cell.way == "PSK" and cell.role == "server" and cell.again and not cell.datagrams:
        return refused("Erlang's client computes other keys when it renegotiates with plain PSK, with its own server too",
                       "bad_record_mac sent")
    return None


OF = {"openssl": of_openssl, "gnutls": of_gnutls, "nss": of_nss, "jsse": of_jsse, "erlang": of_erlang}


def outlook(cell):
    if cell.kind == WRONGS[2] and cell.datagrams:
        return none("a broken record says nothing in DTLS (RFC 6347, 4.1.2.7): both wait until their patience ends")
    theirs = OF[cell.peer](cell)
    impossible = theirs if theirs and theirs.what == "none" else None
    return of_protocol(cell) or impossible or theirs or of_us(cell) or WORKS
