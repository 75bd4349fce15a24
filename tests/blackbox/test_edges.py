#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What seldom happens: leaving while nobody controls us and peers are still talking, a backend that answers no SYN, a
controller tool that is hung up on; and error codes that the other tests do not meet."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

import harness
from harness import Backend, Case, Controller, Gateway, Made, add, connect, read_all, read_exactly, stream, until

TCP = stream("TCP/MSRP", "passive", 9, "active")
TOOL = os.path.join(os.environ.get("GATEHOUSE_BUILD_ROOT", "build"), "gatehouse")


class Edges(Case, unittest.TestCase):
    @classmethod
    def prepare(cls):
        cls.shared_gateway("  - {name: psk, profile: ts33328-annex-h, default: true}\n", speaks=3, media=", connect-timeout: 300ms")

    # -- leaving

    def test_sigterm_while_unregistered_with_live_contexts(self):
        """The controller is gone for good, a call still runs: SIGTERM drains, ends the call in order, and exits."""
        backend = self.own(Backend())
        gw = self.gateway(transport="tcp", mg=", drain: 300ms", h248=", leave-timeout: 300ms, retry: 100ms, "
                          "retry-max: 200ms, register-timeout: 200ms")
        made = Made(gw.controller.ok("Context = $ { " + add(TCP) + ", " +
                                     add(stream("TCP/MSRP", "active", backend.port, "passive"), "tcpbcc/EstBNC") +
                                     " }"))
        near = self.own(connect(made.ports[0]))
        far = backend.accept()
        near.sendall(b"on")
        self.assertEqual(read_exactly(far, 2), b"on")
        gw.controller.answer = False
        gw.controller.close()
        gw.logged("controller")
        near.sendall(b"still")
        self.assertEqual(read_exactly(far, 5), b"still")
        gw.signal(signal.SIGTERM)
        near.settimeout(harness.PATIENCE)
        self.assertEqual(near.recv(1), b"")  # an end in order, no reset
        self.assertEqual(read_all(far), b"")
        self.assertEqual(gw.wait(), 0)

    # -- bearers

    def test_backend_that_answers_no_syn(self):
        """A full queue of connections drops what comes: that is a SYN without an answer."""
        listener = self.own(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(3):
            filler = self.own(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        made = Made(self.mgc.ok("Context = $ { " + add(stream("TCP/MSRP", "active", port, "passive"),
                                                       "tcpbcc/EstBNC") + " }"))
        notify = self.mgc.take(f"Notify = {made.terms[0]} ", "tcpbcc/BNCChange", "Type = EstFail")
        self.assertIn('Cause = "timeout"', notify)
        self.assertIn("g/cause", notify)
        self.end(self.mgc, made)

    # -- the player

    def play(self, **streams):
        """The player with a child that would stay: (player, the child's pid)."""
        folder = tempfile.mkdtemp(dir=self.folder)
        pid_file, scenario = os.path.join(folder, "pid"), os.path.join(folder, "s.yaml")
        with open(scenario, "w", encoding="ascii") as file:
            file.write(f"""scenario: a child that stays
parties: [controller, gateway]
controller: {{listen: "127.0.0.1:0", timeout: 600s}}
steps:
  - {{start: child, command: "echo $$ > {pid_file}; exec sleep 600"}}
  - {{wait: child}}
""")
        player = subprocess.Popen([TOOL, "h248", "play", scenario], stdin=subprocess.DEVNULL, **streams)
        self.addCleanup(lambda: (player.poll() is None and player.kill(), player.wait()))
        until(lambda: player.poll() is not None or (os.path.exists(pid_file) and os.path.getsize(pid_file)),
              lambda: "the child has begun")
        self.assertIsNone(player.poll())
        with open(pid_file, encoding="ascii") as file:
            return player, int(file.read())

    def gone(self, pid):
        def ended():
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                    return file.read().rsplit(")", 1)[1].split()[0] == "Z"
            except OSError:
                return True
        return until(ended, lambda: f"process {pid} has ended")

    def test_the_player_leaves_nobody_behind_when_it_is_hung_up_on(self):
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                player, child = self.play(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                player.send_signal(number)
                self.assertNotEqual(player.wait(harness.PATIENCE), 0)
                self.gone(child)

    def test_the_player_leaves_nobody_behind_when_nobody_reads(self):
        player, child = self.play(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        player.stdout.close()
        player.send_signal(signal.SIGPIPE)
        self.assertNotEqual(player.wait(harness.PATIENCE), 0)
        self.gone(child)

    # -- codes

    def test_more_of_the_error_table(self):
        made = Made(self.mgc.ok("Context = $ { " + add(TCP) + " }"))
        c, t = made.context, made.terms[0]
        rows = (
            (401, f"Context = {c} {{ Modify = {t} {{ Events = 1 {{ tcpbcc/BNCChange {{ RegulatedNotify {{ Embed {{ "
             "Events = 2 { tcpbcc/BNCChange { RegulatedNotify { Embed { Events = 3 { tcpbcc/BNCChange } } } } } } } } } } }"),
            (421, "Context = - { Add = $ { Media { " + TCP + " } } }"),
            (422, "Context = $ { Priority = high }"),
            (432, "Context = $ { Add = nosuch/$ }"),
            (433, f"Context = {c} {{ Add = {t} }}"),
            (447, f"Context = {c} {{ AuditValue = {t} {{ Media {{ {TCP} }} }} }}"),
            (453, f"Context = {c} {{ Modify = {t} {{ Statistics {{ tcptv/nosuch }} }} }}"),
            (472, "Context = - { ServiceChange = ROOT { Services { Reason = \"900\" } } }"),
            (512, "Context = - { Modify = ROOT { Events = 1 { tcpbcc/BNCChange } } }"),
            (513, "Context = - { Modify = ROOT { Signals { tcpbcc/RelBNC } } }"),
            (517, f"Context = {c} {{ Modify = {t} {{ Media {{ Stream = 1 {{ LocalControl {{ Mode = LoopBack }} }} }} }} }}"),
            (522, f"Context = {c} {{ Topology {{ ip/*, {t}, Oneway }}, AuditValue = {t} {{ Audit {{ }} }} }}"),
            (520, f"Context = {c} {{ Modify = {t} {{ DigitMap = nosuch }} }}"),
            (532, f"Context = {c} {{ AuditValue = {t} {{ Audit {{ Events = 4 {{ g/cause }} }} }} }}"),
        )
        for code, text in rows:
            with self.subTest(f"{code} {text}"):
                reply = self.mgc.command(text)
                found = re.search(r"Error = (\d+) \{ ?\"?([^\"}]*)", reply)
                self.assertIsNotNone(found, reply)
                self.assertEqual(int(found.group(1)), code, reply)
        self.end(self.mgc, made)

    def test_a_full_event_buffer_is_told_once(self):
        """518, in a Notify: in lock step events wait for the next descriptor, but not without end."""
        backend = Backend()
        backend.close()  # nobody listens there: each attempt is an event
        body = stream("TCP/MSRP", "active", backend.port, "passive")
        made = Made(self.mgc.ok(
            f"Context = $ {{ Add = $ {{ Media {{ TerminationState {{ Buffer = LockStep }}, {body} }}, "
            "Events = 1 { tcpbcc/BNCChange }, EventBuffer { tcpbcc/BNCChange }, Signals { tcpbcc/EstBNC } } }"))
        self.mgc.take(f"Notify = {made.terms[0]} ", "ObservedEvents = 1", "EstFail")
        again = f"Context = {made.context} {{ Modify = {made.terms[0]} {{ Signals {{ tcpbcc/EstBNC }} }} }}"
        failed = f"tcp-failed context={made.context} term={made.terms[0]} "
        for count in range(1, 33):
            self.mgc.ok(again)
            self.gw.logged(failed, count=count + 1)
        self.mgc.none("Error = 518")
        self.mgc.ok(again)
        self.mgc.take(f"Notify = {made.terms[0]} ", "Error = 518 ")
        self.mgc.ok(again)
        self.end(self.mgc, made)
        self.mgc.none("Error = 518")

    def test_a_command_before_the_registration_is_answered(self):
        """505: the controller asks for something, and has not yet answered ServiceChange."""
        mgc = self.own(Controller())
        mgc.answer = False
        gw = Gateway(self.folder, controller=mgc, register=False)
        self.addCleanup(gw.stop)
        until(lambda: mgc.gateway, lambda: "the gateway has spoken")
        mgc.refused("Context = $ { " + add(TCP) + " }", 505)
        mgc.answer = True

    def test_a_termination_keeps_so_many_digit_maps(self):
        """519: no space for one more; those that are there can still be replaced."""
        made = Made(self.mgc.ok("Context = $ { " + add(TCP) + " }"))
        text = f"Context = {made.context} {{{{ Modify = {made.terms[0]} {{{{ DigitMap = m{{}} {{{{ (1|2) }}}} }}}} }}}}"
        for i in range(64):
            self.mgc.ok(text.format(i))
        self.mgc.refused(text.format(64), 519)
        self.mgc.ok(text.format(0))
        self.end(self.mgc, made)

    def test_a_context_has_room_for_so_many(self):
        """434: the limit of the configuration."""
        gw = self.gateway(extra="limits: {terminations-per-context: 2}")
        made = Made(gw.controller.ok("Context = $ { " + add(TCP) + " }"))
        gw.controller.ok(f"Context = {made.context} {{ " + add(TCP) + " }")
        gw.controller.refused(f"Context = {made.context} {{ " + add(TCP) + " }", 434)


if __name__ == "__main__":
    unittest.main(verbosity=2)
