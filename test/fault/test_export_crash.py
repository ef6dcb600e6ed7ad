"""A small export whose server is killed at one call after the other: of S3 (before the call is done, and when it is done
but not answered), and of the file system (support/dying.c). After each restart it ends as if nothing had happened: the
same export, the same instant, whole, and neither an upload nor a file left over. Incremental exports likewise: a first
start an hour ago made their window.

A few calls, chosen by SEED, unless EVERY_CALL=1; at each second one of them the server is killed again as it goes on."""

import datetime
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import time
import unittest
import uuid

import botocore.exceptions

from support import exports, faketime
from support.case import client, wait_for
from support.server import Server
from support.s3_failing import KEYS, FailingS3

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
EVERY_CALL = os.environ.get("EVERY_CALL", "") not in ("", "0")
SAMPLES = 3
NEVER = 1 << 40
TABLE = "crash"
BUCKET = "bucket"


class CrashCase(unittest.TestCase):
    """A table whose export of `when` is `items`, and which is another now."""

    def setUp(self):
        self.random = random.Random(SEED)
        self.server = self.make_server()
        self.addCleanup(self.server.close)
        self.prepare()

    def prepare(self):
        self.start()
        self.create()
        self.items = {f"k{at}": {"pk": {"S": f"k{at}"}, "text": {"S": "x" * at}} for at in range(20)}
        self.write(self.items.values())
        self.when = datetime.datetime.fromtimestamp(int(time.time()) + 1, datetime.UTC)
        wait_for(lambda: time.time() > self.when.timestamp() + 0.01, "the instant")
        self.change()

    def create(self):
        keys = [{"AttributeName": "pk", "KeyType": "HASH"}]
        made = self.dynamo.create_table(TableName=TABLE, KeySchema=keys, BillingMode="PAY_PER_REQUEST",
                                        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}])
        self.arn = made["TableDescription"]["TableArn"]
        self.dynamo.update_continuous_backups(
            TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})

    def change(self):
        self.write([{"pk": {"S": f"k{at}"}, "text": {"S": "changed"}} for at in range(5, 25)])
        self.dynamo.delete_item(TableName=TABLE, Key={"pk": {"S": "k0"}})

    def write(self, items):
        for item in items:
            self.dynamo.put_item(TableName=TABLE, Item=item)

    def start(self):
        self.server.start()
        self.dynamo = client(self.server.url)

    def export(self, token):
        return self.dynamo.export_table_to_point_in_time(
            TableArn=self.arn, S3Bucket=BUCKET, ClientToken=token, **self.what())["ExportDescription"]

    def what(self):
        return {"ExportTime": self.when}

    def describe(self, arn):
        return self.dynamo.describe_export(ExportArn=arn)["ExportDescription"]

    def listed(self, status):
        """Of the latest."""
        found = self.dynamo.list_exports(TableArn=self.arn)["ExportSummaries"]
        return [each["ExportArn"] for each in found if each["ExportStatus"] == status]

    def begin(self, token):
        """The export's description once it has ended, or None if the server died on the way."""
        try:
            arn = self.export(token)["ExportArn"]
            return wait_for(lambda: self.ended(arn), "the export's end or the server's")
        except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError):
            self.server.wait()
            return None

    def ended(self, arn):
        done = self.describe(arn)
        return done if done["ExportStatus"] != "IN_PROGRESS" else None

    def check(self, token):
        """It is whole now, stays as it is, and nothing is left over."""
        made = self.export(token)
        done = wait_for(lambda: self.ended(made["ExportArn"]), "the export")
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        self.assertEqual({**self.what(), "StartTime": made["StartTime"]},
                         {name: done[name] for name in (*self.what(), "StartTime")})
        self.check_lines(exports.read_export(self.bucket(), done))
        self.assertIn(done["ExportArn"], self.listed("COMPLETED"))
        wait_for(lambda: not self.server.scratch_files(), "the end of scratch files")
        self.check_left()

    def check_lines(self, items):
        self.assertEqual(self.items, {item["pk"]["S"]: item for item in items})

    def crash_at(self, call):
        """False if the export had ended before."""
        token = str(uuid.uuid4())
        self.clear()
        self.arm(call)
        done = self.begin(token)
        if done is None and self.random.random() < 0.5:
            self.crash_again()
        self.disarm()
        if not self.server.running():
            self.start()
        self.check(token)
        return done is None

    def crash_at_calls(self):
        print(f"# SEED={SEED}")
        self.clear()
        self.arm(NEVER)
        self.assertIsNotNone(self.begin("first"))
        count = self.calls()
        self.disarm()
        calls = range(count + 1) if EVERY_CALL else sorted(self.random.sample(range(count), SAMPLES))
        crashes = 0
        for call in calls:
            with self.subTest(call=call):
                crashes += self.crash_at(call)
        print(f"# {crashes} crashes at {count} calls")
        self.assertGreaterEqual(crashes, len(calls) // 2)


class Window:
    """The same of an incremental export."""

    def prepare(self):
        environment = self.server.environment
        self.server.environment = {**environment, **faketime.at("-1h")}
        self.start()
        self.create()
        self.items = {f"k{at}": {"pk": {"S": f"k{at}"}, "text": {"S": "x" * at}} for at in range(20)}
        self.write(self.items.values())
        since = datetime.datetime.fromtimestamp(int(time.time()) + 1 - 3600, datetime.UTC)
        wait_for(lambda: time.time() > since.timestamp() + 3600.01, "the window")
        self.change()
        self.window = {"ExportFromTime": since, "ExportToTime": since + datetime.timedelta(minutes=30),
                       "ExportViewType": "NEW_AND_OLD_IMAGES"}
        self.server.stop()
        self.server.environment = environment
        self.start()
        self.write([{"pk": {"S": "k1"}, "text": {"S": "after the window"}}])

    def what(self):
        return {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": self.window}

    def check_lines(self, changes):
        before = {key: self.items.get(key) for key in ["k0", *(f"k{at}" for at in range(5, 25))]}
        found = {change["Keys"]["pk"]["S"]: change for change in changes}
        self.assertEqual(len(found), len(changes))
        self.assertEqual(before, {key: change.get("OldImage") for key, change in found.items()})
        self.assertNotIn("NewImage", found.pop("k0"))
        self.assertEqual({"changed"}, {change["NewImage"]["text"]["S"] for change in found.values()})


class AtS3Calls(CrashCase):
    def make_server(self):
        self.s3 = self.enterContext(FailingS3())
        return Server(*self.s3.options, environment=KEYS)

    def clear(self):
        self.s3.told("clear")

    def arm(self, call):
        self.s3.told("kill", f"{call} {self.server.process.pid}")

    def disarm(self):
        self.s3.told("kill", f"{NEVER} 0")

    def calls(self):
        return 2 * len(self.s3.asked("log").splitlines())

    def crash_again(self):
        self.start()
        self.arm(self.random.randrange(20))
        try:
            wait_for(lambda: not self.listed("IN_PROGRESS"), "the export's end or the server's")
        except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError):
            self.server.wait()

    def bucket(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.s3.write_objects(pathlib.Path(folder.name))
        return pathlib.Path(folder.name) / BUCKET

    def check_left(self):
        self.assertEqual("0", self.s3.asked("uploads"))

    def test_every_call(self):
        self.crash_at_calls()

    def test_a_failure_after_a_crash_leaves_nothing(self):
        """What a crash left is cleared also where the bucket takes no more."""
        token = str(uuid.uuid4())
        self.arm(2 * 5)  # _started, and two uploads begun
        self.assertIsNone(self.begin(token))
        self.assertNotEqual("0", self.s3.asked("uploads"))
        self.s3.told("fail", "1000 POST uploads= denied")
        self.disarm()
        self.start()
        arn = self.export(token)["ExportArn"]
        done = wait_for(lambda: self.ended(arn), "the export")
        self.assertEqual(("FAILED", "S3AccessDenied"), (done["ExportStatus"], done.get("FailureCode")))
        self.check_left()


class WindowAtS3Calls(Window, AtS3Calls):
    pass


class AtFileCalls(CrashCase):
    def make_server(self):
        server = Server(environment={"LD_PRELOAD": os.environ["DYING_SHIM"]})
        server.bucket(BUCKET)
        self.control = server.folder / "dying"
        server.environment["DYING"] = str(self.control)
        return server

    def clear(self):
        pass

    def arm(self, call):
        unfinished = self.control.with_suffix(".new")
        unfinished.write_bytes(struct.pack(">QQ", call, 0))
        unfinished.rename(self.control)

    def disarm(self):
        self.control.unlink()

    def calls(self):
        return struct.unpack(">QQ", self.control.read_bytes())[1]

    def crash_again(self):
        self.arm(self.random.randrange(100))
        self.server.launch()
        try:
            self.server.process.wait(5)
        except subprocess.TimeoutExpired:  # it outlived what it was told
            self.server.kill()
        self.server.wait()

    def bucket(self):
        return self.server.buckets / BUCKET

    def check_left(self):
        left = [path for path in (self.bucket() / ".%unfinished").rglob("*")]
        self.assertEqual([], left)

    def test_every_call(self):
        self.crash_at_calls()


class WindowAtFileCalls(Window, AtFileCalls):
    pass
