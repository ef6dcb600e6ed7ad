"""Incremental exports: from the call to the verified files. Windows are a quarter of an hour at least, so the server
runs under a clock that is moved on."""

import datetime
import unittest
import uuid

import botocore.exceptions

from support import exports, faketime
from support.case import client, wait_for
from support.server import Server
from test_items import EVERY_TYPE

BUCKET = "windows"
SECOND = datetime.timedelta(seconds=1)
HOUR = datetime.timedelta(hours=1)
DESCRIBED = {"ExportArn", "ExportStatus", "StartTime", "TableArn", "TableId", "ClientToken", "S3Bucket",
             "S3SseAlgorithm", "ExportFormat", "ExportType", "IncrementalExportSpecification"}


class Windows(unittest.TestCase):
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

    def exported(self, window=None, **more):
        """Exports, waits, verifies; answers (description, items or changes)."""
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
        return done, exports.read_export(self.server.buckets / BUCKET, done, self.keys)

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

    def test_windows_replay_the_table(self):
        self.start()
        self.create()
        for at in range(20):
            self.put(at, v={"S": "first"})
        self.put(20, **{name: value for name, value in EVERY_TYPE.items() if name != "pk"})
        edges = [self.edge()]
        for hours in (1, 2):
            self.start(hours)
            for at in range(5):
                for turn in range(3):
                    self.put(at, v={"N": str(turn + hours)})
            self.put(5, v={"S": "first"})  # as it was
            self.delete(6 + hours)
            self.put(10 + hours, v={"S": "new"})
            self.delete(10 + hours)  # comes and goes, if it was not there
            self.delete(15)
            self.put(15, v={"S": "again"})
            self.put(30 + hours, v={"L": [{"S": "x" * hours}]})
            self.delete(20)
            edges.append(self.edge())
            self.put(99, v={"S": f"after edge {hours}"})
        first = state = self.full(edges[0])
        for at, (since, until) in enumerate(zip(edges, edges[1:])):
            changes = self.changes(since, until)
            if at == 0:  # the other formats and views, of one window
                self.assertEqual(changes, self.changes(since, until, ExportFormat="ION", S3Prefix="ion"))
                new = {key: (None, after) for key, (_, after) in changes.items()}
                self.assertEqual(new, self.changes(since, until, "NEW_IMAGE"))
                self.assertEqual(new, self.changes(since, until, "NEW_IMAGE", ExportFormat="ION"))
            state = self.replayed(state, changes)
        self.assertEqual(self.full(edges[-1]), state)
        self.assertEqual(self.replayed(first, self.changes(edges[0], edges[-1])), state)
        listed = self.dynamo.list_exports(TableArn=self.arn)["ExportSummaries"]
        self.assertEqual({"FULL_EXPORT", "INCREMENTAL_EXPORT"}, {each["ExportType"] for each in listed})

    def test_defaults_are_resolved(self):
        self.start()
        self.create()
        since = self.now().replace(microsecond=0)
        self.put(1, v={"S": "x"})
        self.start(1)
        before = self.now().replace(microsecond=0)
        done, lines = self.exported({"ExportFromTime": since})
        window = done["IncrementalExportSpecification"]
        self.assertEqual({"ExportFromTime", "ExportToTime", "ExportViewType"}, set(window))
        self.assertEqual((since, "NEW_AND_OLD_IMAGES"), (window["ExportFromTime"], window["ExportViewType"]))
        self.assertTrue(before <= window["ExportToTime"] <= self.now())
        self.assertEqual(done["StartTime"], window["ExportToTime"])
        self.assertRegex(done["ExportArn"], r"/export/0\d{10}000-[0-9a-f]{8}$")
        self.assertEqual([exports.plain(self.key(1))], [exports.plain(each["Keys"]) for each in lines])

    def test_tokens(self):
        """What was not sent was not sent the next time either, whatever it was resolved to; all else conflicts."""
        self.start()
        self.create()
        since = self.now().replace(microsecond=0)
        self.put(1, v={"S": "x"})
        self.start(1)
        token = str(uuid.uuid4())
        done, _ = self.exported({"ExportFromTime": since}, ClientToken=token)
        self.start(2)
        self.assertEqual(done, self.exported({"ExportFromTime": since}, ClientToken=token)[0])
        resolved = done["IncrementalExportSpecification"]
        incremental = {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {"ExportFromTime": since}}
        for change in ({"IncrementalExportSpecification": {"ExportFromTime": since + SECOND}},
                       {"IncrementalExportSpecification": {"ExportFromTime": since, "ExportToTime": resolved["ExportToTime"]}},
                       {"IncrementalExportSpecification": {"ExportFromTime": since, "ExportViewType": "NEW_IMAGE"}},
                       {"IncrementalExportSpecification": {"ExportFromTime": since, "ExportViewType": "NEW_AND_OLD_IMAGES"}},
                       {"ExportFormat": "ION"}, {"ExportFormat": "DYNAMODB_JSON"}):
            with self.subTest(change):
                self.refused("ExportConflictException",
                             "Export conflict: Duplicate request detected with conflicting parameters",
                             ClientToken=token, **{**incremental, **change})
        with self.assertRaises(self.dynamo.exceptions.ExportConflictException):
            self.dynamo.export_table_to_point_in_time(TableArn=self.arn, S3Bucket=BUCKET, ClientToken=token)

    def test_a_table_that_is_deleted(self):
        """An export that was accepted before goes on, and stays to be described."""
        self.start()
        self.create()
        since = self.now().replace(microsecond=0)
        for at in range(50):
            self.put(at, v={"S": "x" * 1000})
        self.start(1)
        window = {"ExportFromTime": since, "ExportViewType": "NEW_IMAGE"}
        made = self.dynamo.export_table_to_point_in_time(
            TableArn=self.arn, S3Bucket=BUCKET, ExportType="INCREMENTAL_EXPORT",
            IncrementalExportSpecification=window)["ExportDescription"]
        self.dynamo.delete_table(TableName=self.table)
        self.dynamo.get_waiter("table_not_exists").wait(TableName=self.table, WaiterConfig={"Delay": 1})
        done = wait_for(lambda: self.ended(made["ExportArn"]), "the export")
        lines = exports.read_export(self.server.buckets / BUCKET, done, self.keys)
        self.assertEqual({f"{at}" for at in range(50)}, {line["Keys"]["sk"]["N"] for line in lines})
        self.assertEqual([], self.dynamo.list_exports(TableArn=self.arn)["ExportSummaries"])
        self.assertEqual(["INCREMENTAL_EXPORT"], [
            each["ExportType"] for each in self.dynamo.list_exports()["ExportSummaries"]])

    def test_refusals(self):
        self.start()
        self.create(recovery=False)
        minute = datetime.timedelta(minutes=1)
        self.start(30)
        day = {"ExportFromTime": self.now() - 16 * minute}
        incremental = {"ExportType": "INCREMENTAL_EXPORT"}
        early = "Incremental export period from time cannot be less than the table creation time : "
        text = "%Y-%m-%dT%H:%M:%SZ"
        invalid = "InvalidExportTimeException"
        cases = [
            ({**incremental}, "ValidationException", "Invalid Request: Incremental Export Specification expected when "
             "export type is set as Incremental Export"),
            ({**incremental, "IncrementalExportSpecification": {}}, "ValidationException",
             "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification"),
            ({"IncrementalExportSpecification": day}, "ValidationException", "Invalid Request: Export Type expected to "
             "be Incremental Export when incremental export specification is provided"),
            ({"ExportType": "FULL_EXPORT", "IncrementalExportSpecification": day}, "ValidationException",
             "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be "
             "provided"),
            ({**incremental, "IncrementalExportSpecification": day, "ExportTime": self.now()}, "ValidationException",
             "Invalid Request: Export Time should not be provided when export type is set as Incremental Export"),
            ({**incremental, "IncrementalExportSpecification": {**day, "ExportViewType": "NEW_IMAGES"}},
             "ValidationException", "1 validation error detected: Value 'NEW_IMAGES' at "
             "'incrementalExportSpecification.exportViewType' failed to satisfy constraint: Member must satisfy enum "
             "value set: [NEW_IMAGE, NEW_AND_OLD_IMAGES]"),
            (self.window(-50 * 60), invalid, early + (self.now() - 50 * HOUR).strftime(text)[:16] + "..."),
            (self.window(-20, 60), invalid, "Incremental export period to time cannot be greater than the current time "
             ": " + (self.now() + HOUR).strftime(text)[:16] + "..."),
            (self.window(-20, -20), invalid, "Incremental export period from time should not be greater or equal to "
             "incremental export period to time"),
            (self.window(-20, -10), invalid, "Difference between export period from time and export period to time is "
             "less than 15 minutes"),
            (self.window(-25 * 60, 0), invalid, "Difference between export period from time and export period to time "
             "is greater than 24 hours"),
            (self.window(-24 * 60, 0), "PointInTimeRecoveryUnavailableException",
             f"Point in time recovery is not enabled for table '{self.table}'"),
        ]
        for change, code, message in cases:
            with self.subTest(message=message):
                self.refused(code, message, **change)
        self.recover()
        self.refused(invalid, early + "...", **self.window(-24 * 60, 0))
        self.assertEqual([], self.dynamo.list_exports()["ExportSummaries"])

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
