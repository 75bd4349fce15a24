#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service life cycle of the real program: how it finds a controller and agrees with it, what happens when that one
dies and comes back, what ServiceChange does and says, leaving, load, hanging terminations (RFC 3525, 7.2.8, 11)."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import unittest

import harness
from harness import (Backend, Case, Controller, Gateway, HAVE_OPENSSL, Made, add, connect, free_port, read_exactly, stream,
                     until)

TCP = stream("TCP/MSRP", "passive", 9, "active")


class Chooser(Controller):
    """Answers the ServiceChange of a registration with what `says` makes of its text; None: as ever."""

    def __init__(self, says, **settings):
        self.says = says
        super().__init__(**settings)

    def reply_to(self, body):
        text = self.says(harness.squeeze(body)) if "ServiceChange = ROOT" in harness.squeeze(body) else None
        return text if text is not None else super().reply_to(body)


def root(text):
    return f"Context = - {{ ServiceChange = ROOT {{ {text} }} }}"


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Registration(Case, unittest.TestCase):
    def start(self, controller, **settings):
        gw = Gateway(self.folder, controller=controller, register=False, **settings)
        self.addCleanup(gw.stop)
        return gw

    def test_controllers_by_name(self):
        mgc = self.own(Controller())
        gw = self.start(mgc, controllers=f'"no-such-name.invalid:{mgc.port}", "localhost:{mgc.port}"',
                        h248=", resolve-timeout: 300ms")
        mgc.take("ServiceChange = ROOT", "Method = Restart")
        gw.logged("no-such-name.invalid", "mg: registered controller=udp:127.0.0.1:")

    def test_pool_of_equals(self):
        """Whichever is first: the dead one is passed over, and both are in one entry."""
        mgc = self.own(Controller())
        gw = self.start(mgc, controllers=f'"127.0.0.1:{free_port()} | 127.0.0.1:{mgc.port}"',
                        h248=", register-timeout: 200ms")
        mgc.take("ServiceChange = ROOT", "Method = Restart")
        gw.logged("mg: registered controller=")

    def test_redirect_to_a_name(self):
        second = self.own(Controller())
        first = self.own(Chooser(lambda _: root(f"Services {{ MgcIdToTry = <localhost>:{second.port} }}")))
        gw = self.start(second, controllers=f'"127.0.0.1:{first.port}"')
        first.take("ServiceChange = ROOT", "Method = Restart")
        second.take("ServiceChange = ROOT", "Method = Restart")
        gw.logged(f"mg: registered controller=udp:127.0.0.1:{second.port}")

    def test_handoff_to_a_name(self):
        gw, second = self.gateway(h248=", leave-timeout: 200ms"), self.own(Controller())
        made = Made(gw.controller.ok("Context = $ { " + add(TCP) + " }"))
        gw.controller.ok(root(f'Services {{ Method = HandOff, Reason = "903", MgcIdToTry = <localhost>:{second.port} }}'))
        second.take("ServiceChange = ROOT", "Method = HandOff", "903")
        second.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ }} }} }}")

    def test_requests_go_to_the_service_change_address(self):
        with socket.socket(type=socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            other.settimeout(harness.PATIENCE)
            port = other.getsockname()[1]
            for text in (str(port), f"[127.0.0.1]:{port}", f"<localhost>:{port}"):
                with self.subTest(text):
                    mgc = self.own(Chooser(
                        lambda _, at=text: root(f"Services {{ ServiceChangeAddress = {at}, Version = 2 }}")))
                    gw = self.start(mgc, h248=", leave-timeout: 200ms")
                    gw.logged("mg: registered controller=")
                    mgc.ok("Context = - { Modify = ROOT { Events = 1 { it/ito { mit = 10 } } } }")
                    self.assertIn(b"it/ito", other.recv(65536))
                    mgc.ok("Context = - { Modify = ROOT { Events } }")

    def test_the_controller_sends_to_our_service_change_address(self):
        """The gateway listens at two places and wants requests at the second one; the tool is the controller."""
        port, scenario = harness.free_port(), os.path.join(self.folder, "address.yaml")
        with open(scenario, "w", encoding="ascii") as file:
            file.write(ADDRESS.replace("PORT", str(port)))
        done = subprocess.run([harness.TOOL, "h248", "play", scenario], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with socket.socket(type=socket.SOCK_DGRAM) as sock:  # nobody is there
            sock.bind(("127.0.0.1", port))
            with open(scenario, "w", encoding="ascii") as file:
                file.write(ADDRESS.replace('also-listen: ["127.0.0.1:PORT"], ', "").replace("PORT", str(port)))
            done = subprocess.run([harness.TOOL, "h248", "play", scenario], capture_output=True, text=True, timeout=60,
                                  check=False)
            self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(b"AuditValue", sock.recv(65536))

    def test_refused_version_is_offered_lower(self):
        mgc = self.own(Chooser(lambda text: None if "Version = 1" in text else
                               root('Error = 406 { "Version Not Supported" }'), version=1))
        gw = self.start(mgc)
        for version in (3, 2, 1):
            mgc.take("ServiceChange = ROOT", f"Version = {version}")
        gw.logged("mg: registered controller=", "version=1")
        mgc.ok("Context = $ { " + add(TCP) + " }")

    def test_profiles(self):
        mgc = self.own(Chooser(lambda text: root("Services { Version = 2, Profile = Second/2 }")))
        gw = self.start(mgc, h248=", profile: First/1, profiles: [Second/2]")
        mgc.take("ServiceChange = ROOT", "Profile = First/1")
        gw.logged("mg: registered controller=", "profile=Second/2")
        mgc = self.own(Chooser(lambda text: None if "Second" in text else root("Error = 461 { }")))
        gw = self.start(mgc, h248=", profiles: [First/1, Second/2]")
        gw.logged("mg: registered controller=", "profile=Second/2")
        mgc = self.own(Chooser(lambda text: root("Services { Version = 2, Profile = Third/1 }")))
        gw = self.start(mgc, h248=", profiles: [First/1, Second/2]")
        gw.logged("a profile that is not ours", "Third")


    def test_a_registration_has_a_time_stamp(self):
        """RFC 3525, 7.2.8: it shall, and its response as well."""
        gw = self.gateway()
        self.assertRegex(gw.registration, r"\b20\d{6}T\d{8}\b")

    def test_the_tool_chooses_version_and_profile(self):
        scenario = os.path.join(self.folder, "choice.yaml")
        with open(scenario, "w", encoding="ascii") as file:
            file.write(CHOICE)
        done = subprocess.run([harness.TOOL, "h248", "play", "--messages", scenario], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"Reply = \d+ {[^}]*Version = 1,[^}]*Profile = Ours/2[^}]*20\d{6}T\d{8}")


ADDRESS = """
scenario: a gateway with an address for requests
parties: [controller, gateway]
controller: {listen: "127.0.0.1:0", version: 2, timeout: 1s}
steps:
  - write: ${dir}/mg.yaml
    content: |
      controllers: ["127.0.0.1:${port}"]
      h248: {listen: "127.0.0.1:0", also-listen: ["127.0.0.1:PORT"], service-address: "127.0.0.1:PORT"}
      media: {addresses: [127.0.0.1]}
  - start: gatehouse-mg
    command: exec ${bin}/gatehouse-mg -c ${dir}/mg.yaml
  - receive: {match: ['ServiceChangeAddress = .127.0.0.1.:PORT']}
  - send: 'Context = - { AuditValue = ROOT { Audit { } } }'
    expect: {refuse: ['Error']}
  - stop: gatehouse-mg
"""
CHOICE = """
scenario: a controller that insists
parties: [controller, gateway]
controller: {listen: "127.0.0.1:0", version: 1, profile: Ours/2}
steps:
  - write: ${dir}/mg.yaml
    content: |
      controllers: ["127.0.0.1:${port}"]
      h248: {listen: "127.0.0.1:0", profiles: [First/1, Ours/2]}
      media: {addresses: [127.0.0.1]}
  - start: gatehouse-mg
    command: exec ${bin}/gatehouse-mg -c ${dir}/mg.yaml
  - receive: {match: ['Profile = First/1']}
  - send: 'Context = - { AuditValue = ROOT { Audit { } } }'
    expect: {refuse: ['Error']}
  - stop: gatehouse-mg
"""


class Patient(Controller):
    """The gateway's timers are so short here that a loaded machine misses some; then it registers again, and what is
    asked meanwhile is refused and not executed."""

    def ok(self, actions):
        text = until(lambda: text if "Error = 50" not in (text := self.command(actions)) else None,
                     lambda: f"the gateway is registered: {actions}")
        assert "Error =" not in text, f"{text}\nfor {actions}"
        return text


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Loss(Case, unittest.TestCase):
    """The controller dies."""

    SHORT = ", inactivity: 200ms, register-timeout: 200ms, t-max: 400ms, retry: 100ms, retry-max: 200ms"\
            ", leave-timeout: 200ms"

    def test_killed_and_started_anew_it_finds_everything(self):
        """Contexts are there, bytes flow meanwhile, and statistics go on."""
        gw = self.gateway(controller=Patient(), h248=self.SHORT)
        mgc, backend = gw.controller, self.own(Backend())
        made = self.relay(mgc, TCP, backend)
        near = self.own(connect(made.ports[0]))
        far = backend.accept()
        near.sendall(b"before")
        self.assertEqual(read_exactly(far, 6), b"before")
        port = mgc.port
        mgc.close()
        gw.logged("no longer registered")
        near.sendall(b"during")
        self.assertEqual(read_exactly(far, 6), b"during")
        again = self.own(Patient(port=port))
        again.take("ServiceChange = ROOT", "Method = Disconnected", "900")
        self.assertIn(f"Context = {made.context}", again.ok("Context = * { AuditValue = ROOT { Audit { } } }"))
        text = again.ok("Context = * { AuditValue = * { Audit { Statistics } } }")
        for term in made.terms:
            self.assertIn(term, text)
        near.sendall(b"after")
        self.assertEqual(read_exactly(far, 5), b"after")
        text = again.ok(f"Context = {made.context} {{ Subtract = {made.terms[0]} }}")
        self.assertIn("nt/or = 17", text)

    def test_kept_for_a_time_only(self):
        gw = self.gateway(controller=Patient(), h248=self.SHORT + ", keep-contexts: 300ms")
        mgc = gw.controller
        made = Made(mgc.ok("Context = $ { " + add(TCP) + " }"))
        conn = self.own(connect(made.ports[0]))
        mgc.take("Notify = ", "tcpbcc/BNCChange")
        port = mgc.port
        mgc.close()
        gw.logged("1 contexts are given up")
        conn.settimeout(harness.PATIENCE)
        self.assertEqual(conn.recv(10), b"")
        again = self.own(Patient(port=port))
        again.take("ServiceChange = ROOT", "Method = Restart", "902", "Version = 3")
        self.assertNotIn("Context = 1", again.ok("Context = * { AuditValue = ROOT { Audit { } } }"))

    def test_back_in_time_they_stay(self):
        gw = self.gateway(controller=Patient(), h248=self.SHORT + ", keep-contexts: 3s")
        mgc = gw.controller
        made = Made(mgc.ok("Context = $ { " + add(TCP) + " }"))
        port = mgc.port
        mgc.close()
        gw.logged("no longer registered")
        again = self.own(Patient(port=port))
        again.take("ServiceChange = ROOT", "Method = Disconnected")
        # Longer than that time: what was measured has stopped. Silence for a while is what is asked for here.
        for _ in range(17):
            again.take("Notify = ROOT", "it/ito")
        again.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ }} }} }}")
        self.assertNotIn("given up", gw.log())

    def test_failover_tells_another(self):
        second = self.own(Patient())
        first = self.own(Patient())
        gw = Gateway(self.folder, controller=first, controllers=f'"127.0.0.1:{first.port}", "127.0.0.1:{second.port}"',
                     h248=self.SHORT)
        self.addCleanup(gw.stop)
        made = Made(first.ok("Context = $ { " + add(TCP) + " }"))
        first.answer = False
        second.take("ServiceChange = ROOT", "Method = Failover", "909")
        second.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ }} }} }}")

    def test_sigterm_while_unregistered_with_live_contexts(self):
        gw = self.gateway(controller=Patient(), mg=", drain: 300ms", h248=self.SHORT)
        Made(gw.controller.ok("Context = $ { " + add(TCP) + " }"))
        gw.controller.close()
        gw.logged("no longer registered")
        gw.signal(signal.SIGTERM)
        self.assertEqual(gw.wait(), 0)
        self.assertIn("drain time is over with 1 contexts", gw.log())

    def test_controller_that_comes_during_the_drain_hears_of_it(self):
        gw = self.gateway(controller=Patient(), mg=", drain: 30s", h248=self.SHORT)
        mgc = gw.controller
        made = Made(mgc.ok("Context = $ { " + add(TCP) + " }"))
        port = mgc.port
        mgc.close()
        gw.logged("no longer registered")
        gw.signal(signal.SIGTERM)
        again = self.own(Patient(port=port))
        again.take("ServiceChange = ROOT", "Method = Disconnected")
        told = again.take("ServiceChange = ROOT", "Method = Graceful", "905")
        self.assertRegex(told, r"Delay = (2\d|30)\b")  # what is left
        again.ok(f"Context = {made.context} {{ Subtract = {made.terms[0]} }}")
        again.take("ServiceChange = ROOT", "Method = Forced", "905")
        self.assertEqual(gw.wait(), 0)


@unittest.skipUnless(HAVE_OPENSSL, harness.NO_OPENSSL)
class Service(Case, unittest.TestCase):
    def change(self, what, method, more=""):
        return f'ServiceChange = {what} {{ Services {{ Method = {method}, Reason = "905"{more} }} }}'

    def test_restart_does_not_open_the_door_of_who_leaves(self):
        gw = self.gateway(mg=", drain: 30s")
        mgc = gw.controller
        made = Made(mgc.ok("Context = $ { " + add(TCP) + " }"))
        gw.signal(signal.SIGTERM)
        mgc.take("ServiceChange = ROOT", "Method = Graceful")
        mgc.ok("Context = - { " + self.change("ROOT", "Restart") + " }")
        mgc.refused("Context = $ { " + add(TCP) + " }", 503)
        mgc.ok(f"Context = {made.context} {{ Subtract = {made.terms[0]} }}")
        self.assertEqual(gw.wait(), 0)

    def test_leaving_as_one_of_a_pair(self):
        gw = self.gateway(mg=", leave: failover")
        Made(gw.controller.ok("Context = $ { " + add(TCP) + " }"))
        gw.signal(signal.SIGTERM)
        gw.controller.take("ServiceChange = ROOT", "Method = Failover", "908")
        self.assertEqual(gw.wait(), 0)

    def test_controller_takes_root_out_and_in(self):
        gw = self.gateway()
        mgc = gw.controller
        mgc.ok("Context = $ { " + add(TCP) + " }")
        mgc.ok("Context = - { " + self.change("ROOT", "Forced") + " }")
        self.assertIn("OutOfService", mgc.ok("Context = - { AuditValue = ROOT { Audit { Media } } }"))
        mgc.refused("Context = $ { " + add(TCP) + " }", 503)
        mgc.ok("Context = - { " + self.change("ROOT", "Restart", ", Delay = 1") + " }")
        harness.until(lambda: "Error" not in mgc.command("Context = $ { " + add(TCP) + " }"), "service again")
        self.assertIn("InService", mgc.ok("Context = - { AuditValue = ROOT { Audit { Media } } }"))

    def test_forced_by_wildcard_ends_bearers(self):
        gw = self.gateway()
        mgc = gw.controller
        made = [Made(mgc.ok("Context = $ { " + add(TCP) + " }")) for _ in range(2)]
        conns = [self.own(connect(m.ports[0])) for m in made]
        for m in made:
            mgc.take(f"Notify = {m.terms[0]} ", "Type = Est,")
        mgc.ok("Context = * { " + self.change("*", "Forced") + " }")
        for m, conn in zip(made, conns):
            mgc.take(f"Notify = {m.terms[0]} ", "Type = Rel,")
            conn.settimeout(harness.PATIENCE)
            try:
                self.assertEqual(conn.recv(1), b"")
            except ConnectionResetError:
                pass
            mgc.refused(f"Context = {m.context} {{ Modify = {m.terms[0]} {{ Signals {{ tcpbcc/EstBNC }} }} }}", 502)

    def test_addresses_go_and_come_by_reload(self):
        gw = self.gateway()
        mgc = gw.controller
        made = Made(mgc.ok("Context = $ { " + add(TCP) + " }"))
        self.reload(gw, ", out-of-service: [127.0.0.1]", 1)
        mgc.take(f"ServiceChange = {made.terms[0]} ", "Method = Graceful", "905")
        mgc.refused("Context = $ { " + add(TCP) + " }", 510)
        self.reload(gw, ", failed: [127.0.0.1]", 2)
        mgc.take(f"ServiceChange = {made.terms[0]} ", "Method = Forced", "906")
        self.assertIn("OutOfService",
                      mgc.ok(f"Context = {made.context} {{ AuditValue = {made.terms[0]} {{ Audit {{ Media }} }} }}"))
        self.reload(gw, "", 3)
        mgc.take(f"ServiceChange = {made.terms[0]} ", "Method = Restart", "900")
        mgc.ok("Context = $ { " + add(TCP) + " }")

    def test_an_address_that_is_not_here_is_not_used(self):
        """192.0.2.77 is nobody's (TEST-NET-1). Realms keep it apart from the one that works."""
        gw = self.gateway(media=", realms: [{name: away, addresses: [192.0.2.77]}]")
        mgc = gw.controller
        gw.logged("media address 1 of the list: failed")
        mgc.ok("Context = $ { " + add(TCP) + " }")
        away = stream("TCP/MSRP", "passive", 9, "active", control='ipdc/realm = "away"')
        self.assertIn("in service", mgc.refused("Context = $ { " + add(away) + " }", 510))

    def test_an_address_goes_and_comes_back(self):
        """For that the test needs a network of its own."""
        if not (shutil.which("unshare") and shutil.which("ip")):
            self.skipTest("unshare (util-linux) or ip (iproute2) is not installed")
        inside = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && ip addr add 192.0.2.77/32 dev lo && exec "$@"', "-"]
        if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no network namespace without privileges here")
        done = subprocess.run([*inside, sys.executable, os.path.abspath(__file__), "Away"], capture_output=True, text=True,
                              timeout=60, check=False, env={**os.environ, "GATEHOUSE_OWN_NETWORK": "1"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Ran 1 test", done.stderr)

    @staticmethod
    def reload(gw, media, count):
        gw.settings["media"] = media
        gw.write("")
        gw.signal(signal.SIGHUP)
        gw.logged("mg: reloaded:", count=count)

    def test_overload(self):
        gw = self.gateway(extra="overload: {contexts: 2, priority: 10}\n")
        mgc = gw.controller
        mgc.ok("Context = - { Modify = ROOT { Events = 4 { ocp/*, chp/* } } }")
        made = [Made(mgc.ok("Context = $ { " + add(TCP) + " }")) for _ in range(2)]
        mgc.refused("Context = $ { " + add(TCP) + " }", 511)
        mgc.take("Notify = ROOT", "chp/MGCon", "reduction = 50")
        mgc.refused("Context = $ { Priority = 9, " + add(TCP) + " }", 511)
        mgc.take("Notify = ROOT", "ocp/mg_overload")
        made.append(Made(mgc.ok("Context = $ { Priority = 10, " + add(TCP) + " }")))
        made.append(Made(mgc.ok("Context = $ { Emergency, " + add(TCP) + " }")))
        for m in made[1:]:
            mgc.ok(f"Context = {m.context} {{ Subtract = {m.terms[0]} }}")
        mgc.ok("Context = $ { " + add(TCP) + " }")
        mgc.take("Notify = ROOT", "chp/MGCon", "reduction = 0")

    def test_hanging_termination(self):
        gw = self.gateway()
        mgc = gw.controller
        made = Made(mgc.ok("Context = $ { Add = $ { Events = 3 { hangterm/thb { timerx = 1 } } } }"))
        mgc.take(f"Notify = {made.terms[0]} ", "ObservedEvents = 3", "hangterm/thb")
        mgc.take(f"Notify = {made.terms[0]} ", "ObservedEvents = 3", "hangterm/thb")


@unittest.skipUnless(os.environ.get("GATEHOUSE_OWN_NETWORK"), "run by test_an_address_goes_and_comes_back")
class Away(Case, unittest.TestCase):
    def test_it_is_told(self):
        gw = self.gateway(media=", realms: [{name: away, addresses: [192.0.2.77]}], watch: 20ms")
        mgc = gw.controller
        away = stream("TCP/MSRP", "passive", 9, "active", control='ipdc/realm = "away"')
        stays, goes = (Made(mgc.ok("Context = $ { " + add(what) + " }")) for what in (TCP, away))
        subprocess.run(["ip", "addr", "del", "192.0.2.77/32", "dev", "lo"], check=True)
        mgc.take(f"ServiceChange = {goes.terms[0]} ", "Method = Forced", "906")
        mgc.refused("Context = $ { " + add(away) + " }", 510)
        subprocess.run(["ip", "addr", "add", "192.0.2.77/32", "dev", "lo"], check=True)
        mgc.take(f"ServiceChange = {goes.terms[0]} ", "Method = Restart", "900")
        mgc.ok("Context = $ { " + add(away) + " }")
        mgc.none(f"ServiceChange = {stays.terms[0]} ")


if __name__ == "__main__":
    unittest.main(verbosity=2)
