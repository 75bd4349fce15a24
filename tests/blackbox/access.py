# SPDX-License-Identifier: Apache-2.0
"""What the tests of the access side share: certificates of a P-CSCF, files with passwords, user agents that register."""
import os

import harness
from agent import Agent

PASSWORDS = {"alice": "s3cret", "bob": "b0b", "carol": "c4rol", "erin": "er1n"}
NAME = "pcscf.home.example"
HOST = "localhost"  # by which it is reached without anybody's DNS; its certificate has both


def certificate(pki, name=NAME, also=(HOST,), key="ec", ca="ca"):
    """NAME.pem and NAME.key as TS 33.203, O.5 has them: CN is one FQDN, and among the dNSNames."""
    kind = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else ["rsa:2048"]
    usage = "digitalSignature" + ("" if key == "ec" else ",keyEncipherment")
    names = ",".join(f"DNS:{one}" for one in (name, *also))
    pki.tool("req", "-x509", "-newkey", *kind, "-nodes", "-days", "30", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/O=Home/CN={name}",
             "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE",
             "-addext", f"keyUsage=critical,{usage}", "-addext", "extendedKeyUsage=serverAuth,clientAuth")
    return {"cert": pki.path(f"{name}.pem"), "key": pki.path(f"{name}.key"), "ca": pki.path("ca.pem")}


def password_file(folder, name, password=None):
    path = os.path.join(folder, f"{name}.password")
    with open(path, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write((password or PASSWORDS[name]).encode().hex())
    return path


def agent(folder, name, proxy, transport="udp", password=None, anchors=None, more="", tls="", domain="home.example", address="127.0.0.1"):
    """A `gatehouse ue` that registers as soon as it is there. `more`: further keys of `sip`, `tls`: of `sip.tls`."""
    tls = f", tls: {{anchors: [{anchors}]{tls}}}" if anchors else ""
    return Agent(folder, name, f"identity: sip:{name}@{domain}\nsip: {{listen: ['{transport}:{address}:0'], registrar: 'sip:{domain}', "
                 f"proxy: ['{proxy}'], password-file: {password_file(folder, name, password)}{tls}{more}}}\n")


def outbound(folder, name, edge, anchors, more="", outbound="", tls="", password=None, retry="100ms"):
    """A `gatehouse ue` as Annex O has it, with a private identity of its own, at an edge."""
    return agent(folder, name, edge.proxy, "tls", password, anchors, f", user: {name}@home.example, outbound: {{retry: {retry}{outbound}}}{more}", tls)


def ended(*agents):
    """They take their registrations back and leave in order."""
    for one in agents:
        status = one.close()
        assert status == 0, f"{one.name}: {status}"
        one.expect("sip.unregistered", patience=harness.PATIENCE)
