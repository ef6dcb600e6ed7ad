"""Runs the scripts of javascript/ on a server; their own tests are told one by one."""

import os
import pathlib
import re
import subprocess
import unittest

from support import faketime
from support.case import client
from support.server import Server

SCRIPTS = pathlib.Path(__file__).parent / "javascript"


class JavaScript(unittest.TestCase):
    def run_script(self, name, server, **environment):
        server.bucket("lake")
        done = subprocess.run(["node", "--test-reporter=tap", SCRIPTS / name], capture_output=True, text=True, check=False,
                              env={**os.environ, "ENDPOINT": server.url, "BUCKET": "lake", **environment})
        tests = dict(reversed(found) for found in re.findall(r"^(ok|not ok) \d+ - (.*)$", done.stdout, re.M))
        self.assertTrue(tests, done.stdout + done.stderr)
        for name, outcome in tests.items():
            with self.subTest(name):
                self.assertEqual("ok", outcome, done.stdout)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_main_path(self):
        with Server() as server:
            self.run_script("main_path.cjs", server)

    def test_exports(self):
        with Server() as server:
            self.run_script("exports.cjs", server)

    def test_incremental(self):
        with Server() as server:
            dynamo = client(server.url)
            arn = dynamo.create_table(
                TableName="old", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}])["TableDescription"]["TableArn"]
            recovery = dynamo.update_continuous_backups(
                TableName="old", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
            since = int(recovery["EarliestRestorableDateTime"].timestamp())
            dynamo.put_item(TableName="old", Item={"pk": {"S": "a"}})
            server.stop()
            server.environment = faketime.at("+1h")
            server.start()
            self.run_script("incremental.cjs", server, TABLE_ARN=arn, SINCE=str(since))
