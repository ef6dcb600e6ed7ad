"""Test cases of windows: a quarter of an hour at least, so the server runs under a clock that is moved on."""

import datetime
import unittest
import uuid

import botocore.exceptions

from support import exports, faketime
from support.case import client, wait_for
from support.server import Server

BUCKET = "windows"
SECOND = datetime.timedelta(seconds=1)
HOUR = datetime.timedelta(hours=1)
DESCRIBED = {"ExportArn", "ExportStatus", "StartTime", "TableArn", "TableId", "ClientToken", "S3Bucket",
             "S3SseAlgorithm", "ExportFormat", "ExportType", "IncrementalExportSpecification"}


class WindowCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.bucket(BUCKET)
        self.table = "t" + uuid.uuid4().hex[:8]
        self.keys = ("pk", "sk")

    def start(self, hours=0):
        if self.server.running():
            self.server.stop()
        self.hours = hours
        self.server.environment = faketime.at(f"+{hours}h")
        self.server.start()
        self.dynamo = client(self.server.url)
        self.raw = client(self.server.url, validate=False)

    def create(self, recovery=True):
        self.arn = self.dynamo.create_table(
            TableName=self.table, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"},
                                  {"AttributeName": "sk", "AttributeType": "N"}])["TableDescription"]["TableArn"]
        if recovery:
            self.recover()

    def recover(self):
        self.dynamo.update_continuous_backups(
            TableName=self.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})

    def now(self):
        return datetime.datetime.now(datetime.UTC) + self.hours * HOUR

    def edge(self):
        """A whole second, behind all that was acknowledged and before all that will be sent."""
        noted = self.now().replace(microsecond=0) + SECOND
        wait_for(lambda: self.now() > noted, "the next second")
        return noted

    def put(self, at, **attributes):
        self.dynamo.put_item(TableName=self.table, Item={**self.key(at), **attributes})

    def delete(self, at):
        self.dynamo.delete_item(TableName=self.table, Key=self.key(at))

    def key(self, at):
        return {"pk": {"S": f"p{at % 5}"}, "sk": {"N": str(at)}}

    def exported(self, window=None, shown=None, **more):
        """Exports, waits, verifies; answers (description, items or changes). `shown`: the key attributes that a
        projection leaves in the images."""
        parameters = {"TableArn": self.arn, "S3Bucket": BUCKET, **more}
        if window is not None:
            parameters |= {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": window}
        made = self.dynamo.export_table_to_point_in_time(**parameters)["ExportDescription"]
        done = wait_for(lambda: self.ended(made["ExportArn"]), "the export")
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        if window is not None:
            results = {"EndTime", "ExportManifest", "BilledSizeBytes", "ItemCount"}
            self.assertEqual(DESCRIBED | set(more), set(made) - results)
            self.assertEqual(DESCRIBED | set(more) | results, set(done))
        return done, exports.read_export(self.server.buckets / BUCKET, done, self.keys, shown)

    def ended(self, arn):
        found = self.dynamo.describe_export(ExportArn=arn)["ExportDescription"]
        return found if found["ExportStatus"] != "IN_PROGRESS" else None

    def full(self, when):
        return exports.by_key(map(exports.plain, self.exported(ExportTime=when)[1]), self.keys)

    def changes(self, since, until, view="NEW_AND_OLD_IMAGES", **more):
        """By key: (image before, image after), absent ones None."""
        window = {"ExportFromTime": since, "ExportToTime": until, "ExportViewType": view}
        done, lines = self.exported(window, **more)
        self.assertEqual(window, done["IncrementalExportSpecification"])
        for line in lines:
            written = datetime.datetime.fromtimestamp(line["WriteTimestampMicros"] / 1e6, datetime.UTC)
            self.assertTrue(since <= written < until, line)
        self.assertEqual(len(lines), done["ItemCount"])
        self.assertEqual(10_000_000, done["BilledSizeBytes"])
        found = {}
        for line in lines:
            [key] = exports.by_key([exports.plain(line["Keys"])], self.keys)
            self.assertNotIn(key, found)
            found[key] = tuple(exports.plain(line[name]) if name in line else None
                               for name in ("OldImage", "NewImage"))
        return found

    def replayed(self, state, changes):
        state = dict(state)
        for key, (before, after) in changes.items():
            self.assertEqual(before, state.pop(key, None))
            if after is not None:
                state[key] = after
        return state

    def window(self, since, until=None):
        """In minutes from now on."""
        now = self.now().replace(microsecond=0)
        times = {"ExportFromTime": now + datetime.timedelta(minutes=since)}
        if until is not None:
            times["ExportToTime"] = now + datetime.timedelta(minutes=until)
        return {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": times}

    def refused(self, code, message, **parameters):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.raw.export_table_to_point_in_time(TableArn=self.arn, S3Bucket=BUCKET, **parameters)
        error = caught.exception.response["Error"]
        self.assertEqual(code, error["Code"], error["Message"])
        self.assertEqual(message.removesuffix("..."),
                         error["Message"][:len(message) - 3] if message.endswith("...") else error["Message"])
