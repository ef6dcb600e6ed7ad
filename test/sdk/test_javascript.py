"""Runs the scripts of javascript/ on a server; their own tests are told one by one."""

import os
import pathlib
import re
import subprocess
import unittest

from support.server import Server

SCRIPTS = pathlib.Path(__file__).parent / "javascript"


class JavaScript(unittest.TestCase):
    def run_script(self, name):
        with Server() as server:
            server.bucket("lake")
            done = subprocess.run(["node", "--test-reporter=tap", SCRIPTS / name], capture_output=True, text=True, check=False,
                                  env={**os.environ, "ENDPOINT": server.url, "BUCKET": "lake"})
        tests = dict(reversed(found) for found in re.findall(r"^(ok|not ok) \d+ - (.*)$", done.stdout, re.M))
        self.assertTrue(tests, done.stdout + done.stderr)
        for name, outcome in tests.items():
            with self.subTest(name):
                self.assertEqual("ok", outcome, done.stdout)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_main_path(self):
        self.run_script("main_path.cjs")

    def test_exports(self):
        self.run_script("exports.cjs")
