#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libgatehouse-h248 as somebody meets it who embeds it: installed, found by pkg-config, linked both ways, and the
example of 80 lines taking the registration of our gateway. And libgatehouse-mikey, which has no state at all."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import types
import unittest

from harness import BUILD, Gateway, Peer, free_port, sanitized

ROOT = os.environ["GATEHOUSE_SOURCE_ROOT"]
EXAMPLE = os.path.join(ROOT, "examples", "h248_controller.c")
PUBLIC = os.path.join(ROOT, "lib", "public.py")
# The objects of the codec, and what none of them may ask for: descriptors, clocks, locks, memory but by the arena.
CODEC = re.compile(r"^(text_|ber_|codec|build|model_|package|sdp_|errors|shown|digitmap|tpkt|addr)")
# What is writable and outlives a call, each with its reason.
GLOBALS = {
    "sink": "where the log goes (base/log.h)",
    "by_name": "packages by name, filled before main and constant from then on (ber_packages.c)",
    "by_id": "the same by number", "items": "their items", "known": "names with their lengths",
    "known_count": "how many", "known_names": "those by package and item", "known_texts": "those by their text", "signal_name": "a row of those",
    "started_port": "usrsctp's own stack is one for the process (sctp_usr.c)",
    "bells": "the same", "lock": "the same", "graves": "the same",
}
IO = re.compile(r"^(read|write|open\w*|close|send\w*|recv\w*|socket|connect|bind|listen|accept\w*|poll|epoll\w*|select|f?printf|"
                r"fopen\w*|fwrite|fputs|time|clock\w*|gettimeofday|getenv|malloc|calloc|realloc|free|pthread\w*|"
                r"getaddrinfo|rand\w*|getrandom|sleep\w*|exit)$")


def public(what, header="h248/h248.h"):
    done = subprocess.run(["python3", PUBLIC, what, os.path.join(ROOT, "src"), header], capture_output=True,
                          text=True, check=True)
    return set(done.stdout.split())


def nm(*args):
    done = subprocess.run(["nm", *args], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


class Library(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gatehouse-library-")
        done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.folder],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.pc = next(os.path.join(where, "gatehouse-h248.pc") for where, _, names in os.walk(cls.folder)
                      if "gatehouse-h248.pc" in names)
        cls.lib = os.path.dirname(os.path.dirname(cls.pc))
        options = {o["name"]: o["value"] for o in json.loads(subprocess.run(
            ["meson", "introspect", BUILD, "--buildoptions"], capture_output=True, text=True, check=True).stdout)}
        kinds = options["b_sanitize"]
        cls.cc = ["cc"] if kinds in ("none", []) else \
            ["clang", "-fsanitize=" + (kinds if isinstance(kinds, str) else ",".join(kinds))]

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def flags(self, *args, package="gatehouse-h248"):
        env = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(self.pc), PKG_CONFIG_SYSROOT_DIR=self.folder)
        done = subprocess.run(["pkg-config", *args, package], capture_output=True, text=True, env=env,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def compile(self, *args):
        done = subprocess.run([*self.cc, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", *args],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def archive(self):
        return os.path.join(self.lib, "libgatehouse-h248.a")

    def test_every_public_header_is_installed_and_stands_alone(self):
        installed = self.flags("--cflags-only-I")[0][2:]
        found = {os.path.relpath(os.path.join(where, name), installed)
                 for where, _, names in os.walk(installed) for name in names}
        self.assertEqual(found, public("headers") | public("headers", "mikey/mikey.h"))
        source = os.path.join(self.folder, "one.c")
        for name in sorted(found):
            with open(source, "w", encoding="ascii") as file:
                file.write(f'#include "{name}"\nint one(void);\nint one(void) {{ return 1; }}\n')
            self.compile("-I" + installed, "-fsyntax-only", source)

    def test_what_is_exported_is_what_the_headers_declare(self):
        lines = nm("-D", "--defined-only", os.path.join(self.lib, "libgatehouse-h248.so"))
        self.assertEqual({line.split()[-1] for line in lines}, public("names"))

    @unittest.skipIf(sanitized(), "a sanitizer adds data of its own")
    def test_no_global_state_but_what_is_listed(self):
        done = subprocess.run(["objdump", "-t", self.archive()], capture_output=True, text=True, check=True)
        found = {line.split()[-1] for line in done.stdout.splitlines()
                 if re.search(r" O \.(data|bss|tdata|tbss|data\.[^r]\S*|bss\.\S*)\s", line) or "*COM*" in line}
        self.assertEqual(found - set(GLOBALS), set())

    def test_the_codec_does_no_io_and_asks_nobody_for_memory_but_its_arena(self):
        member, seen = "", set()
        for line in nm("--undefined-only", self.archive()):
            if line.endswith(".o:"):
                member = os.path.basename(line[:-1])
            elif line.strip() and CODEC.match(member):
                seen.add(member)
                self.assertFalse(IO.match(line.split()[-1]), f"{member} asks for {line.split()[-1]}")
        self.assertGreater(len(seen), 30, seen)

    def test_mikey_exports_what_its_headers_declare(self):
        lines = nm("-D", "--defined-only", os.path.join(self.lib, "libgatehouse-mikey.so"))
        names = public("names", "mikey/mikey.h")
        self.assertEqual({line.split()[-1] for line in lines}, names)
        self.assertIn("mikey_transfer_init", names)

    def mikey_members(self, *args):
        """Lines of nm or objdump for objects of src/mikey, which the archive has beside those of src/base."""
        sources = {name[:-2] for name in os.listdir(os.path.join(ROOT, "src", "mikey")) if name.endswith(".c")}
        done = subprocess.run([*args, os.path.join(self.lib, "libgatehouse-mikey.a")], capture_output=True, text=True, check=True)
        member = ""
        for line in done.stdout.splitlines():
            match = re.match(r"(?:.*mikey_)?(\w+)\.c\.o:", line)
            if match:
                member = match.group(1)
            elif line.strip() and member in sources:
                yield member, line

    @unittest.skipIf(sanitized(), "a sanitizer adds data of its own")
    def test_mikey_has_no_state_and_does_no_io(self):
        state = [line for _, line in self.mikey_members("objdump", "-t")
                 if re.search(r" O \.(data|bss|tdata|tbss|data\.[^r]\S*|bss\.\S*)\s", line) or "*COM*" in line]
        self.assertEqual(state, [])
        asks = {(member, line.split()[-1]) for member, line in self.mikey_members("nm", "--undefined-only")}
        self.assertGreater(len({member for member, _ in asks}), 15)
        found = {(member, name) for member, name in asks if IO.match(name)}
        self.assertEqual(found, {("replay", "calloc"), ("replay", "free"), ("crypto", "calloc"), ("crypto", "free")})

    def test_a_program_with_mikey(self):
        program, source = os.path.join(self.folder, "mikey"), os.path.join(self.folder, "mikey.c")
        with open(source, "w", encoding="ascii") as file:
            file.write('#include <stdio.h>\n#include "mikey/mikey.h"\n'
                       "int main(void)\n{\n\tuint8_t key[4];\n\tstruct mikey_octets in = mikey_octets_text(\"key\");\n"
                       "\tif (mikey_prf(NULL, MIKEY_PRF_HMAC_SHA_256, in, in, key, 4))\n\t\treturn 1;\n"
                       '\tprintf("%s %02x\\n", mikey_name(MIKEY_SPACE_DATA_TYPE, MIKEY_TRANSFER_INIT), key[0]);\n\treturn 0;\n}\n')
        archive = os.path.join(self.lib, "libgatehouse-mikey.a")
        static = [flag for flag in self.flags("--static", "--libs", package="gatehouse-mikey") if flag != "-lgatehouse-mikey"]
        said = set()
        for link in (self.flags("--libs", package="gatehouse-mikey"), [archive, *static]):
            self.compile(*self.flags("--cflags", package="gatehouse-mikey"), source, "-o", program, *link)
            done = subprocess.run([program], capture_output=True, text=True, check=False,
                                  env=dict(os.environ, LD_LIBRARY_PATH=self.lib))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            said.add(done.stdout)
        self.assertEqual(len(said), 1)
        self.assertTrue(said.pop().startswith("TRANSFER_INIT "))

    def test_the_example_fits_a_screen(self):
        with open(EXAMPLE, encoding="ascii") as file:
            self.assertLess(len(file.readlines()), 80)

    def example(self, *link):
        program = os.path.join(self.folder, "example")
        self.compile(*self.flags("--cflags"), EXAMPLE, "-o", program, *link)
        port = free_port()
        mgc = Peer("env", "LD_LIBRARY_PATH=" + self.lib, program, f"127.0.0.1:{port}")
        try:
            mgc.says(f"listening on udp:127.0.0.1:{port}")
            gateway = Gateway(self.folder, controller=types.SimpleNamespace(port=port, close=lambda: None),
                              register=False, h248=", leave-timeout: 50ms")
            try:
                mgc.says("root version")
                self.assertEqual(mgc.wait(), 0)
            finally:
                gateway.stop()
        finally:
            mgc.close()

    def test_the_example_with_the_shared_library(self):
        self.example(*self.flags("--libs"))

    def test_the_example_with_the_static_library(self):
        libs = [flag for flag in self.flags("--static", "--libs") if flag != "-lgatehouse-h248"]
        self.example(self.archive(), *libs)


if __name__ == "__main__":
    unittest.main()
