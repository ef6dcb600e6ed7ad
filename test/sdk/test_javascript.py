"""Runs javascript/main_path.cjs on a server; its own tests are told one by one."""

import os
import pathlib
import re
import subprocess
import unittest

from support.server import Server

SCRIPT = pathlib.Path(__file__).parent / "javascript" / "main_path.cjs"


class JavaScript(unittest.TestCase):
    def test_main_path(self):
        with Server() as server:
            server.bucket("lake")
            done = subprocess.run(["node", "--test-reporter=tap", SCRIPT], capture_output=True, text=True, check=False,
                                  env={**os.environ, "ENDPOINT": server.url, "BUCKET": "lake"})
        tests = dict(reversed(found) for found in re.findall(r"^(ok|not ok) \d+ - (.*)$", done.stdout, re.M))
        self.assertTrue(tests, done.stdout + done.stderr)
        for name, outcome in tests.items():
            with self.subTest(name):
                self.assertEqual("ok", outcome, done.stdout)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
