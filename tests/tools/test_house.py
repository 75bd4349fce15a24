# SPDX-License-Identifier: Apache-2.0
"""house.py sees what breaks a rule of the house, and leaves alone what does not."""
import os
import sys
import unittest

ROOT = os.environ.get("GATEHOUSE_SOURCE_ROOT", os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests/tools"))
import house  # noqa: E402

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */"


class House(unittest.TestCase):
    def setUp(self):
        self.uses = house.floors(os.path.join(ROOT, "ARCHITECTURE.md"))

    def faults(self, path, *lines):
        return house.check(path, [SPDX, *lines], self.uses)

    def test_table_of_the_floors(self):
        self.assertEqual(self.uses["base"], set())
        self.assertIn("loop", self.uses["h248"])
        self.assertNotIn("tls", self.uses["h248"])
        self.assertEqual(house.circles(self.uses), [])
        self.assertTrue(house.circles({"a": {"b"}, "b": {"a"}, "c": set()}))

    def test_floors(self):
        self.assertEqual(self.faults("src/relay/x.c", '#include "tls/tls.h"', '#include "relay/leg.h"'), [])
        self.assertIn("may not use", self.faults("src/tls/x.c", '#include "relay/relay.h"')[0])
        self.assertIn("include tls/tls.h", self.faults("src/relay/x.c", '#include "tls/record.h"')[0])
        self.assertIn("root of src", self.faults("src/tls/x.c", '#include "record.h"')[0])
        self.assertIn("not in the table", self.faults("src/attic/x.c")[0])

    def test_libraries(self):
        self.assertEqual(self.faults("src/loop/x.c", "#include <uv.h>", "#include <stdio.h>"), [])
        self.assertTrue(self.faults("src/mg/x.c", "#include <uv.h>"))
        self.assertTrue(self.faults("src/trust/x.c", "#include <openssl/ssl.h>"))
        self.assertEqual(self.faults("src/trust/x.c", "#include <openssl/x509.h>"), [])

    def test_forbidden(self):
        for line in ("	strcpy(a, b);", "	/* TO" "DO: later */", "	usleep(1);", "	return memcmp(a, key, n);"):
            self.assertEqual(len(self.faults("tests/x/test_x.c", line)), 1, line)
        self.assertEqual(self.faults("src/base/x.c", "	my_strcpy(a, b);", "	snprintf(a, 1, b);"), [])
        self.assertEqual(self.faults("bench/x.c", "	usleep(1);"), [])
        self.assertIn("SPDX", house.check("src/base/x.c", ["int x;"], self.uses)[0])

    def test_unlisted(self):
        plan = ["foreach t : ['cli',", "    'docs']", "  test(t, files('test_@0@.py'.format(t)))", "endforeach",
                "foreach s : ['talk']", "  test(s, files(s + '.yaml'))", "endforeach",
                "# 'life'", "test('kernel', files('test_kernel.py'))"]
        programs = [f"x/test_{name}.py" for name in ("cli", "docs", "kernel", "life", "talk")]
        self.assertEqual(house.unlisted("\n".join(plan), programs), ["x/test_life.py", "x/test_talk.py"])

    def test_long_parts(self):
        body = ["int f(void)", "{", *["	f();"] * 51, "}"]
        table = ["static int t[] =", "{", *["	1,"] * 60, "};"]
        self.assertEqual(house.long_parts("x.c", table + body), [f"x.c:{len(table) + 2}: a function of 51 lines"])
        self.assertEqual(house.long_parts("x.c", body[1:3] + body[4:]), [])
        self.assertEqual(len(house.long_parts("x.c", [""] * 601)), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
