"""The acceptance checklist of exports, item by item (spec/export.md 8), through boto3 on a running server. What needs a
clock that is moved is in test_windows.py and fault/test_clock.py, Ion in test_ion.py."""

import base64
import datetime
import gzip
import hashlib
import json
import uuid

import botocore.exceptions

from support import exports
from support.case import REGION, wait_for
from support.export_case import ACCOUNT, ExportCase, now

SECOND = datetime.timedelta(seconds=1)
CONFLICT = "Export conflict: Duplicate request detected with conflicting parameters"
SIZES = {"0": 1, "42": 2, "7": 2, "-7": 3, "100": 2, "1000": 2, "12345": 4, "3.14": 3, "0.5": 2, "0.005": 2, "-12.5": 4,
         "1E-130": 2, "9" * 38: 20, "-" + "9" * 38: 21}  # spec 5.2


class Checklist(ExportCase):
    # --- 1 to 3: what is written

    def test_01_empty_table(self):
        done, items = self.exported(self.remembering())
        self.assertEqual({}, items)
        self.assertEqual((0, 0), (done["ItemCount"], done["BilledSizeBytes"]))
        files = list((self.server.buckets / self.bucket).rglob("*.json.gz"))
        self.assertEqual([exports.EMPTY_GZIP] * 4, [each.read_bytes() for each in files])

    def test_02_three_items(self):
        """Members, their order, checksums, etags and sums are compared by read_export()."""
        arn = self.remembering()
        for key in ("a", "b", "c"):
            self.put(key, n={"N": "1"})
        done, items = self.exported(arn)
        self.assertEqual((3, 3 * (2 + 1 + 1 + 2)), (done["ItemCount"], done["BilledSizeBytes"]))
        self.assertEqual(self.table_now(), items)
        self.assertEqual(9, sum(path.is_file() for path in (self.server.buckets / self.bucket).rglob("*")))

    def test_03_prefixes(self):
        arn = self.remembering()
        self.put("a")
        for prefix, folder in (("a", "a/"), ("a/", "a/"), ("a/b/c", "a/b/c/"), (None, "")):
            done, items = self.exported(arn, **({"S3Prefix": prefix} if prefix else {}))
            self.assertEqual(1, len(items))
            self.assertTrue(done["ExportManifest"].startswith(folder + "AWSDynamoDB/0"))
            self.assertEqual(prefix, done.get("S3Prefix"))

    # --- 6 to 9: what is told

    def test_06_type_is_echoed_when_sent(self):
        arn = self.remembering()
        for sent in ({}, {"ExportType": "FULL_EXPORT"}):
            made = self.export(arn, **sent)
            done = self.export_done(made["ExportArn"])
            exports.read_export(self.server.buckets / self.bucket, done)  # looks at exportType in the manifest
            for description in (made, done):
                self.assertEqual(sent.get("ExportType"), description.get("ExportType"))
            listed = self.dynamo.list_exports(TableArn=arn)["ExportSummaries"][0]
            self.assertEqual({"ExportArn": made["ExportArn"], "ExportStatus": "COMPLETED",
                              "ExportType": "FULL_EXPORT"}, listed)

    def test_07_missing_bucket(self):
        arn = self.remembering()
        token = str(uuid.uuid4())
        made = self.export(arn, S3Bucket="nobody-made-it", ClientToken=token)
        failed = self.export_done(made["ExportArn"])
        self.assertEqual(("FAILED", "S3NoSuchBucket"), (failed["ExportStatus"], failed["FailureCode"]))
        self.assertRegex(failed["FailureMessage"],
                         r"^The specified bucket does not exist \(Service: Amazon S3; Status Code: 404; Error Code: "
                         r"NoSuchBucket; Request ID: \w+; S3 Extended Request ID: [\w+/=]+; Proxy: null\)$")
        for name in ("EndTime", "ItemCount", "BilledSizeBytes", "ExportManifest"):
            self.assertNotIn(name, failed)
        self.assertEqual(failed, self.export(arn, S3Bucket="nobody-made-it", ClientToken=token))
        self.refused("ExportConflictException",
                     CONFLICT, self.dynamo.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket, ClientToken=token)
        self.exported(arn)

    def test_07_waiters(self):
        """botocore's ExportCompleted, which the AWS CLI's `wait` runs too."""
        arn = self.remembering()
        waiter = self.dynamo.get_waiter("export_completed")
        waiter.wait(ExportArn=self.export(arn)["ExportArn"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        with self.assertRaises(botocore.exceptions.WaiterError) as caught:
            waiter.wait(ExportArn=self.export(arn, S3Bucket="nobody-made-it")["ExportArn"],
                        WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        self.assertIn("terminal failure", str(caught.exception))

    def test_08_table_deleted_while_exporting(self):
        arn = self.remembering()
        self.put("a", v={"S": "kept"})
        made = self.export(arn)
        self.dynamo.delete_table(TableName=self.table)
        done = self.export_done(made["ExportArn"])
        items = exports.read_export(self.server.buckets / self.bucket, done)
        self.assertEqual([{"pk": {"S": "a"}, "v": {"S": "kept"}}], items)
        self.dynamo.get_waiter("table_not_exists").wait(TableName=self.table, WaiterConfig={"Delay": 1})
        self.assertEqual([], self.dynamo.list_exports(TableArn=arn)["ExportSummaries"])
        self.create()
        self.assertEqual([], self.dynamo.list_exports(TableArn=arn)["ExportSummaries"])
        self.assertEqual(done, self.dynamo.describe_export(ExportArn=made["ExportArn"])["ExportDescription"])

    def test_08_an_old_incarnation(self):
        """What was exported from a table stays its own when another one takes the name."""
        arn = self.remembering()
        token = str(uuid.uuid4())
        old = self.export_done(self.export(arn, ClientToken=token)["ExportArn"])
        instant = now()
        self.dynamo.delete_table(TableName=self.table)
        self.dynamo.get_waiter("table_not_exists").wait(TableName=self.table, WaiterConfig={"Delay": 1})
        self.refused("TableNotFoundException", f"Table not found: {arn}", self.dynamo.export_table_to_point_in_time,
                     TableArn=arn, S3Bucket=self.bucket, ClientToken=token)
        self.create()
        self.refused("PointInTimeRecoveryUnavailableException",
                     f"Point in time recovery is not enabled for table '{self.table}'",
                     self.dynamo.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket)
        self.recover()
        self.refused("InvalidExportTimeException", "Export Time is invalid", self.dynamo.export_table_to_point_in_time,
                     TableArn=arn, S3Bucket=self.bucket, ExportTime=instant - 2 * SECOND)
        # The token stands for its request, which names the table by its ARN: that of the new one too.
        self.assertEqual(old, self.export(arn, ClientToken=token))
        new, items = self.exported(arn)
        self.assertEqual({}, items)
        self.assertNotEqual(old["TableId"], new["TableId"])
        self.assertEqual([new["ExportArn"]], [each["ExportArn"] for each in self.dynamo.list_exports(
            TableArn=arn)["ExportSummaries"]])
        everything = [each["ExportArn"] for page in self.pages() for each in page["ExportSummaries"]]
        self.assertLessEqual({old["ExportArn"], new["ExportArn"]}, set(everything))

    def test_09_list_pages(self):
        arn = self.remembering()
        made = [self.export(arn)["ExportArn"] for _ in range(12)]
        first = self.dynamo.list_exports(TableArn=arn)
        self.assertEqual(10, len(first["ExportSummaries"]))
        second = self.dynamo.list_exports(TableArn=arn, NextToken=first["NextToken"])
        self.assertNotIn("NextToken", second)
        found = [each["ExportArn"] for each in first["ExportSummaries"] + second["ExportSummaries"]]
        self.assertEqual(sorted(made, reverse=True), found)
        self.assertEqual({"FULL_EXPORT"}, {each["ExportType"] for each in first["ExportSummaries"]})
        self.assertEqual([5, 5, 2], [len(page["ExportSummaries"]) for page in self.pages(TableArn=arn, MaxResults=5)])
        # A token goes on under another MaxResults; under another table there is nothing to go on with.
        more = self.dynamo.list_exports(TableArn=arn, MaxResults=1, NextToken=first["NextToken"])
        self.assertEqual(second["ExportSummaries"][:1], more["ExportSummaries"])
        other = self.create(name=self.table + "-other")["TableArn"]
        self.assertEqual([], self.dynamo.list_exports(TableArn=other, NextToken=first["NextToken"])["ExportSummaries"])
        self.assertRegex(first["NextToken"], r"^([0-9a-f]{16}){7,64}$")
        self.refused("ValidationException", f"Invalid Request: Provided nextToken is invalid: {'0' * 112}",
                     self.dynamo.list_exports, NextToken="0" * 112)
        everything = [each["ExportArn"] for page in self.pages() for each in page["ExportSummaries"]]
        self.assertTrue(set(made) <= set(everything))
        self.assertEqual(sorted(everything, reverse=True), everything)
        for each in made:
            self.export_done(each)

    # --- 10: each error of section 2

    def rejected(self, message, change, without=(), code="ValidationException"):
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.table}"
        parameters = {"TableArn": arn, "S3Bucket": self.bucket, **change}
        for name in without:
            del parameters[name]
        with self.subTest(change=str(change)[:100], without=without):
            self.refused(code, message, self.raw.export_table_to_point_in_time, **parameters)

    def test_10_constraints(self):
        arn = self.remembering()
        one = "1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: {}"
        enum = "Member must satisfy enum value set: [{}]"
        pattern = "Member must satisfy regular expression pattern: {}"
        bucket = r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$"
        longest = "Member must have length less than or equal to {}"
        for name, value, rule in (
                ("ExportFormat", "CSV", enum.format("ION, DYNAMODB_JSON")),
                ("ExportFormat", "", enum.format("ION, DYNAMODB_JSON")),
                ("ExportType", "FULL", enum.format("FULL_EXPORT, INCREMENTAL_EXPORT")),
                ("S3SseAlgorithm", "aws:kms", enum.format("KMS, AES256")),
                ("S3BucketOwner", "12", pattern.format("[0-9]{12}")),
                ("S3BucketOwner", "1" * 13, pattern.format("[0-9]{12}")),
                ("S3Bucket", "arn:aws:s3:::b", pattern.format(bucket)),
                ("S3Bucket", "", pattern.format(bucket)),
                ("S3Bucket", "b" * 256, longest.format(255)),
                ("ClientToken", "a$b", pattern.format(r"^[^\$]+$")),
                ("S3Prefix", "p" * 1025, longest.format(1024)),
                ("S3SseKmsKeyId", "k" * 2049, longest.format(2048))):
            path = name[0].lower() + name[1:]
            # Messages show the first 1024 bytes of a value.
            shown = value if len(value) <= 1024 else value[:1024] + "..."
            self.rejected(one.format(shown, path, rule), {name: value})
        self.rejected(one.format("NEW_IMAGES", "incrementalExportSpecification.exportViewType",
                                 enum.format("NEW_IMAGE, NEW_AND_OLD_IMAGES")),
                      {"ExportType": "INCREMENTAL_EXPORT",
                       "IncrementalExportSpecification": {"ExportFromTime": 1, "ExportViewType": "NEW_IMAGES"}})
        self.rejected("1 validation error detected: Value null at 's3Bucket' failed to satisfy constraint: Member must "
                      "not be null", {}, ["S3Bucket"])
        self.rejected("The parameter 'TableArn' is required but was not present in the request", {}, ["TableArn"])
        self.rejected("2 validation errors detected: Value '!' at 's3Bucket' failed to satisfy constraint: "
                      + pattern.format(bucket) + "; Value 'CSV' at 'exportFormat' failed to satisfy constraint: "
                      + enum.format("ION, DYNAMODB_JSON"), {"S3Bucket": "!", "ExportFormat": "CSV"})
        self.rejected("Invalid Request: 1 validation error detected: Value 'not a key' at 's3SseKmsKeyId' failed to "
                      "satisfy constraint: Member must satisfy regular expression pattern: ...",
                      {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": "not a key"})
        self.assertEqual([], self.dynamo.list_exports(TableArn=arn)["ExportSummaries"])

    def test_10_couplings(self):
        self.remembering()
        window = {"ExportFromTime": now() - 1200 * SECOND, "ExportToTime": now()}
        incremental = {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": window}
        for message, change in (
                ("Export Type expected to be Incremental Export when incremental export specification is provided",
                 {"IncrementalExportSpecification": window}),
                ("When Export Type is Full Export , Incremental Export Specification should not be provided",
                 {**incremental, "ExportType": "FULL_EXPORT"}),
                ("Incremental Export Specification expected when export type is set as Incremental Export",
                 {"ExportType": "INCREMENTAL_EXPORT"}),
                ("ExportFromTime must be provided in IncrementalExportSpecification",
                 {**incremental, "IncrementalExportSpecification": {}}),
                ("ExportFromTime must be provided in IncrementalExportSpecification",
                 {**incremental, "IncrementalExportSpecification": {"ExportToTime": now()}}),
                ("Export Time should not be provided when export type is set as Incremental Export",
                 {**incremental, "ExportTime": now() - SECOND}),
                ("KMS Key Id is not supported for this encryption type", {"S3SseKmsKeyId": "alias/k"}),
                ("KMS Key Id is not supported for this encryption type",
                 {"S3SseKmsKeyId": "alias/k", "S3SseAlgorithm": "AES256"})):
            self.rejected("Invalid Request: " + message, change)

    def test_10_recovery_is_off(self):
        arn = self.create()["TableArn"]
        self.refused("PointInTimeRecoveryUnavailableException",
                     f"Point in time recovery is not enabled for table '{self.table}'",
                     self.dynamo.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket)

    def test_10_times_out_of_the_window(self):
        arn = self.remembering()
        invalid = "Export Time is invalid"
        cases = [(now() + 60 * SECOND, invalid), (now() + 5 * SECOND, invalid), (now() - datetime.timedelta(days=7), invalid)]
        for time, message in cases:
            self.refused("InvalidExportTimeException", message, self.dynamo.export_table_to_point_in_time,
                         TableArn=arn, S3Bucket=self.bucket, ExportTime=time)

    def test_10_time_before_recovery(self):
        arn = self.create()["TableArn"]
        made = self.dynamo.describe_table(TableName=self.table)["Table"]["CreationDateTime"]
        wait_for(lambda: now() > made + 2 * SECOND, "two seconds of the table's life")
        self.recover()
        self.refused("InvalidExportTimeException",
                     "Point in Time Recovery is not available for specified export time",
                     self.dynamo.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket,
                     ExportTime=made + SECOND)

    def test_10_arns(self):
        self.remembering()
        cases = [
            ("", "ValidationException", "Invalid TableArn: Invalid Table ARN"),
            (self.table, "ValidationException",
             "One or more parameter values were invalid: tableArn is not a valid ARN"),
            (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.table}/index/i", "ValidationException",
             "Invalid Request: Table ARN is invalid."),
            (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.table}/stream/2026-01-01T00:00:00.000",
             "ValidationException", "Invalid Request: Table ARN is invalid."),
            (f"arn:aws:dynamodb:{REGION}:111111111111:table/{self.table}", "AccessDeniedException", "Access is denied"),
            (f"arn:aws:dynamodb:{REGION}:111111111111:table/{self.table}/index/i", "AccessDeniedException",
             "Access is denied"),
            (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/nothing-here", "TableNotFoundException",
             f"Table not found: arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/nothing-here"),
        ]
        for arn, code, message in cases:
            with self.subTest(arn=arn):
                self.refused(code, message, self.raw.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket)

    def test_10_list_refusals(self):
        self.assertEqual([], self.dynamo.list_exports(
            TableArn=f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/nothing-here")["ExportSummaries"])
        self.refused("ValidationException", "Invalid Request: Provided nextToken is invalid: abc",
                     self.dynamo.list_exports, NextToken="abc")
        self.refused("ValidationException", "1 validation error detected: Value '0' at 'maxResults' failed to "
                     "satisfy constraint: Member must have value greater than or equal to 1", self.raw.list_exports,
                     MaxResults=0)
        self.refused("ValidationException", "1 validation error detected: Value '26' at 'maxResults' failed to "
                     "satisfy constraint: Member must have value less than or equal to 25", self.raw.list_exports,
                     MaxResults=26)

    def test_10_describe_refusals(self):
        arn = self.remembering()
        done, _ = self.exported(arn)
        wrong = done["ExportArn"][:-1] + ("0" if done["ExportArn"][-1] != "0" else "1")
        self.refused("ExportNotFoundException", f"Export not found: Export not found: {wrong}",
                     self.dynamo.describe_export, ExportArn=wrong)
        self.refused("ExportNotFoundException", "Export not found: Invalid export arn", self.dynamo.describe_export,
                     ExportArn=done["ExportArn"].replace(REGION, "eu-west-3"))
        identifier = done["ExportArn"].rpartition("/")[2]
        for other in (arn, f"{arn}/import/{identifier}", f"{arn}/backup/{identifier}", "x" * 37):
            self.refused("ValidationException", "Invalid Export ARN", self.dynamo.describe_export, ExportArn=other)
        self.refused("AccessDeniedException", "Access is denied", self.dynamo.describe_export,
                     ExportArn=done["ExportArn"].replace(ACCOUNT, "111111111111"))
        self.refused("ValidationException",
                     "1 validation error detected: Value 'short' at 'exportArn' failed to satisfy constraint: Member "
                     "must have length greater than or equal to 37", self.raw.describe_export, ExportArn="short")

    def test_10_tokens(self):
        """A token is the account's, not a table's; a request that was refused takes none."""
        arn, token = self.remembering(), str(uuid.uuid4())
        other = self.create(name=self.table + "-other")["TableArn"]
        self.recover(self.table + "-other")
        self.refused("InvalidExportTimeException", None, self.dynamo.export_table_to_point_in_time, TableArn=other,
                     S3Bucket=self.bucket, ClientToken=token, ExportTime=now() + 60 * SECOND)
        first = self.export(arn, ClientToken=token)
        self.refused("ExportConflictException", CONFLICT, self.dynamo.export_table_to_point_in_time, TableArn=other,
                     S3Bucket=self.bucket, ClientToken=token)
        self.refused("ExportConflictException", CONFLICT, self.dynamo.export_table_to_point_in_time, TableArn=arn,
                     S3Bucket=self.bucket, ClientToken=token, S3BucketOwner="111122223333")
        self.assertEqual(first["ExportArn"], self.export(arn, ClientToken=token)["ExportArn"])

    # --- 11: sizes

    def test_11_size_of_an_item(self):
        arn = self.remembering(keys=(("id", "S"),))
        self.dynamo.put_item(TableName=self.table, Item={
            "id": {"S": "u-1"}, "n": {"N": "42"}, "ok": {"BOOL": True}, "z": {"NULL": True},
            "l": {"L": [{"N": "1"}, {"S": "ab"}]}, "m": {"M": {"k": {"S": "v"}}}, "s": {"SS": ["a", "bb"]},
            "b": {"B": b"\x00\x01\x02"}, "e": {"L": []}, "f": {"M": {}}})
        self.assertEqual(46, self.exported(arn, ("id",))[0]["BilledSizeBytes"])

    def test_11_sizes_of_numbers(self):
        arn = self.remembering()
        for text, size in SIZES.items():
            self.put("a", n={"N": text})
            found = self.dynamo.describe_table(TableName=self.table)["Table"]["TableSizeBytes"]
            self.assertEqual(2 + 1 + 1 + size, found, text)
            self.put(text, n={"N": text})
            self.dynamo.delete_item(TableName=self.table, Key={"pk": {"S": text}})
        for text in SIZES:
            self.put(text, n={"N": text})
        self.dynamo.delete_item(TableName=self.table, Key={"pk": {"S": "a"}})
        self.assertEqual(sum(2 + len(text) + 1 + size for text, size in SIZES.items()),
                         self.exported(arn)[0]["BilledSizeBytes"])

    # --- 12: as consumers read

    def test_12_as_consumers_read(self):
        """The steps of scylla-migrator, data-prepper and the bulk executor of awslabs, from DescribeExport alone."""
        arn = self.remembering()
        for at in range(30):
            self.put(f"k{at}", n={"N": str(at)})
        done = self.export_done(self.export(arn, S3Prefix="nightly")["ExportArn"])
        root = self.server.buckets / done["S3Bucket"]
        text = (root / done["ExportManifest"]).read_bytes()
        summary = json.loads(text.splitlines()[0])
        self.assertEqual((root / done["ExportManifest"].replace(".json", ".md5")).read_bytes(),
                         base64.b64encode(hashlib.md5(text).digest()))
        lines = (root / summary["manifestFilesS3Key"]).read_bytes()
        self.assertEqual((root / summary["manifestFilesS3Key"].replace(".json", ".md5")).read_bytes(),
                         base64.b64encode(hashlib.md5(lines).digest()))
        files = [json.loads(line) for line in lines.splitlines()]
        self.assertEqual(summary["itemCount"], sum(each["itemCount"] for each in files))
        keys = set()
        for each in files:
            self.assertTrue(each["dataFileS3Key"].startswith("nightly/AWSDynamoDB/"))
            data = (root / each["dataFileS3Key"]).read_bytes()
            self.assertEqual(each["md5Checksum"], base64.b64encode(hashlib.md5(data).digest()).decode())
            found = [json.loads(line)["Item"] for line in gzip.decompress(data).splitlines()]
            self.assertEqual(each["itemCount"], len(found))
            keys |= {item["pk"]["S"] for item in found}
        self.assertEqual({f"k{at}" for at in range(30)}, keys)
