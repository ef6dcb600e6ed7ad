"""What depends on days: recovery windows, the life of exports and tokens, and clocks that step."""

import datetime
import unittest
import uuid

import botocore.exceptions

from support import exports, faketime
from support.case import client, wait_for
from support.server import Server

BUCKET = "clock"
DAY = datetime.timedelta(days=1)


class Clock(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.bucket(BUCKET)
        self.table = "t" + uuid.uuid4().hex[:8]

    def start(self, offset="+0d"):
        if self.server.running():
            self.server.stop()
        self.server.environment = faketime.at(offset)
        self.server.start()
        self.dynamo = client(self.server.url)

    def create(self):
        self.dynamo.create_table(TableName=self.table, KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                                 AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                                 BillingMode="PAY_PER_REQUEST")
        self.recover()

    def recover(self, days=35):
        return self.dynamo.update_continuous_backups(
            TableName=self.table, PointInTimeRecoverySpecification={
                "PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": days},
        )["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]

    def window(self):
        found = self.dynamo.describe_continuous_backups(TableName=self.table)["ContinuousBackupsDescription"]
        found = found["PointInTimeRecoveryDescription"]
        return found["EarliestRestorableDateTime"], found["LatestRestorableDateTime"]

    def put(self, text):
        self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": "a"}, "v": {"S": text}})

    def export(self, **more):
        arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{self.table}"
        made = self.dynamo.export_table_to_point_in_time(TableArn=arn, S3Bucket=BUCKET, **more)["ExportDescription"]

        def ended():
            found = self.dynamo.describe_export(ExportArn=made["ExportArn"])["ExportDescription"]
            return found if found["ExportStatus"] != "IN_PROGRESS" else None
        return wait_for(ended, "the export")

    def values(self, **more):
        items = exports.read_export(self.server.buckets / BUCKET, self.export(**more))
        return [each["v"]["S"] for each in items]

    def now(self, days=0):
        return datetime.datetime.now(datetime.UTC).replace(microsecond=0) + days * DAY

    def code(self, call, **parameters):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**parameters)
        return caught.exception.response["Error"]["Code"]

    def test_windows(self):
        self.start()
        self.create()
        first = self.window()
        self.assertEqual(first[0], first[1])
        self.start("+10d")
        self.put("day 10")
        earliest, latest = self.window()
        self.assertEqual(first[0], earliest)
        self.assertLess(abs(latest - (self.now(10) - datetime.timedelta(minutes=5))), datetime.timedelta(minutes=1))
        self.start("+30d")
        self.put("day 30")
        self.assertEqual([], self.values(ExportTime=self.now(5)))
        self.assertEqual(["day 10"], self.values(ExportTime=self.now(20)))
        self.assertEqual(["day 30"], self.values())
        self.start("+44d")
        earliest, _ = self.window()
        self.assertLess(abs(earliest - self.now(9)), datetime.timedelta(minutes=1))
        self.assertEqual(["day 10"], self.values(ExportTime=self.now(20)))
        self.assertEqual("InvalidExportTimeException", self.code(self.export, ExportTime=self.now(8)))
        self.recover(7)
        earliest, _ = self.window()
        self.assertLess(abs(earliest - self.now(37)), datetime.timedelta(minutes=1))
        self.assertEqual("InvalidExportTimeException", self.code(self.export, ExportTime=self.now(20)))
        self.recover(35)
        self.assertGreaterEqual(self.window()[0], earliest)
        self.assertEqual(["day 30"], self.values(ExportTime=self.now(40)))

    def test_history_begins_anew_when_recovery_does(self):
        self.start()
        self.create()
        self.put("day 0")
        self.start("+3d")
        self.dynamo.update_continuous_backups(TableName=self.table, PointInTimeRecoverySpecification={
            "PointInTimeRecoveryEnabled": False})
        self.put("unseen")
        self.assertEqual("PointInTimeRecoveryUnavailableException", self.code(self.export, ExportTime=self.now(1)))
        self.start("+5d")
        earliest = self.recover(2)["EarliestRestorableDateTime"]
        self.assertLess(abs(earliest - self.now(5)), datetime.timedelta(minutes=1))
        self.put("day 5")
        for days in (1, 4):
            self.assertEqual("InvalidExportTimeException", self.code(self.export, ExportTime=self.now(days)))
        self.start("+6d")
        self.assertEqual(earliest, self.window()[0])
        self.assertEqual(["unseen"], self.values(ExportTime=earliest))
        self.assertEqual(["day 5"], self.values())
        self.start("+8d")
        self.assertLess(abs(self.window()[0] - self.now(6)), datetime.timedelta(minutes=1))
        self.recover(35)  # what is gone is gone
        self.assertLess(abs(self.window()[0] - self.now(6)), datetime.timedelta(minutes=1))
        self.assertEqual("InvalidExportTimeException", self.code(self.export, ExportTime=earliest))

    def test_tokens_live_eight_hours_and_exports_ninety_days(self):
        self.start()
        self.create()
        token = str(uuid.uuid4())
        first = self.export(ClientToken=token)
        self.start("+7h")
        self.assertEqual(first, self.export(ClientToken=token))
        self.start("+9h")
        self.assertNotEqual(first["ExportArn"], self.export(ClientToken=token)["ExportArn"])
        self.start("+89d")
        self.assertEqual(first, self.dynamo.describe_export(ExportArn=first["ExportArn"])["ExportDescription"])
        self.start("+91d")
        self.assertEqual("ExportNotFoundException",
                         self.code(self.dynamo.describe_export, ExportArn=first["ExportArn"]))
        self.assertEqual([], self.dynamo.list_exports()["ExportSummaries"])
        self.assertTrue((self.server.buckets / BUCKET / first["ExportManifest"]).exists())

    def test_time_to_live_changes_twice_an_hour(self):
        def update(enabled):
            return self.dynamo.update_time_to_live(
                TableName=self.table, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": "until"})
        self.start()
        self.create()
        update(True)
        self.start("+30m")
        self.assertEqual({"TimeToLiveStatus": "ENABLED", "AttributeName": "until"},
                         self.dynamo.describe_time_to_live(TableName=self.table)["TimeToLiveDescription"])
        self.assertEqual("ValidationException", self.code(update, enabled=False))
        self.start("+32m")
        update(False)
        self.assertEqual({"TimeToLiveStatus": "DISABLED"},
                         self.dynamo.describe_time_to_live(TableName=self.table)["TimeToLiveDescription"])
        self.assertEqual("ValidationException", self.code(update, enabled=True))

    def test_a_small_step_back_keeps_the_order(self):
        self.start("+2m")
        self.create()
        self.put("ahead")
        when = self.export()["ExportTime"]
        self.start()
        self.put("behind")
        done = self.export()
        self.assertGreaterEqual(done["ExportTime"], when)
        self.assertEqual(["behind"], self.values())

    def test_a_large_step_back_refuses_the_start(self):
        self.start("+2h")
        self.create()
        self.put("ahead")
        self.server.stop()
        self.server.environment = faketime.at("+0d")
        self.server.launch()
        self.server.wait()
        self.assertEqual(1, self.server.process.returncode)
        self.assertIn("clock", self.server.lines[-1])
        self.server.options = ["--clock-ahead", "10000"]
        self.server.start()
        self.dynamo = client(self.server.url)
        self.put("behind")
        self.assertEqual(["behind"], self.values())
