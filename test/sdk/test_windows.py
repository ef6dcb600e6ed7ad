"""Incremental exports: from the call to the verified files."""

import datetime
import uuid

from support import exports
from support.case import wait_for
from support.window_case import BUCKET, HOUR, SECOND, WindowCase
from test_items import EVERY_TYPE


class Windows(WindowCase):
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
