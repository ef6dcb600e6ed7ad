"""ExportTableToPointInTime, DescribeExport, ListExports: from the call to the verified files."""

import datetime
import uuid

from support import exports
from support.case import REGION, ServerCase, wait_for
from test_items import EVERY_TYPE

ACCOUNT = "000000000000"
SECOND = datetime.timedelta(seconds=1)


def now():
    return datetime.datetime.now(datetime.UTC)


class Exports(ServerCase):
    def setUp(self):
        super().setUp()
        self.bucket = f"b-{uuid.uuid4().hex[:8]}"
        self.server.bucket(self.bucket)

    def remembering(self, **more):
        """A table with recovery switched on; answers its ARN."""
        arn = self.create(**more)["TableArn"]
        self.recover()
        return arn

    def export(self, arn, client=None, **more):
        parameters = {"TableArn": arn, "S3Bucket": self.bucket, **more}
        return (client or self.dynamo).export_table_to_point_in_time(**parameters)["ExportDescription"]

    def exported(self, arn, keys=("pk",), **more):
        """Exports, waits, verifies; answers (description, items by key)."""
        done = self.export_done(self.export(arn, **more)["ExportArn"])
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        items = exports.read_export(self.server.buckets / done["S3Bucket"], done, keys)
        return done, exports.by_key(map(exports.plain, items), keys)

    def put(self, key, **attributes):
        self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": key}, **attributes})

    def table_now(self, keys=("pk",)):
        return exports.by_key(map(exports.plain, self.scan_all()), keys)

    # --- what an export holds

    def test_empty_table(self):
        done, items = self.exported(self.remembering())
        self.assertEqual({}, items)
        self.assertEqual((0, 0), (done["ItemCount"], done["BilledSizeBytes"]))
        files = list((self.server.buckets / self.bucket).rglob("*.json.gz"))
        self.assertEqual(4, len(files))

    def test_every_type(self):
        arn = self.remembering()
        self.dynamo.put_item(TableName=self.table, Item=EVERY_TYPE)
        done, items = self.exported(arn)
        self.assertEqual([exports.plain(EVERY_TYPE)], list(items.values()))
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.assertEqual(table["TableSizeBytes"], done["BilledSizeBytes"])

    def test_size_vector(self):
        arn = self.remembering(keys=(("id", "S"),))
        self.dynamo.put_item(TableName=self.table, Item={
            "id": {"S": "u-1"}, "n": {"N": "42"}, "ok": {"BOOL": True}, "z": {"NULL": True},
            "l": {"L": [{"N": "1"}, {"S": "ab"}]}, "m": {"M": {"k": {"S": "v"}}}, "s": {"SS": ["a", "bb"]},
            "b": {"B": b"\x00\x01\x02"}, "e": {"L": []}, "f": {"M": {}}})
        self.assertEqual(46, self.exported(arn, ("id",))[0]["BilledSizeBytes"])

    def test_keys_lead_the_line(self):
        arn = self.remembering(keys=(("z", "S"), ("y", "N")))
        for at in range(3):
            self.dynamo.put_item(TableName=self.table, Item={"z": {"S": "one"}, "y": {"N": str(at)}, "a": {"S": "x"}})
        self.assertEqual(3, len(self.exported(arn, ("z", "y"))[1]))

    def test_thousands(self):
        arn = self.remembering()
        for at in range(0, 2000, 25):
            self.dynamo.batch_write_item(RequestItems={self.table: [
                {"PutRequest": {"Item": {"pk": {"S": f"k{each}"}, "v": {"S": "x" * 200}}}}
                for each in range(at, at + 25)]})
        done, items = self.exported(arn)
        self.assertEqual(2000, done["ItemCount"])
        self.assertEqual(self.table_now(), items)

    # --- which instant

    def test_the_past(self):
        arn = self.remembering()
        states = []
        for step in range(3):
            self.put("changed", v={"N": str(step)})
            self.put(f"added-{step}", v={"S": "x"})
            if step:
                self.dynamo.delete_item(TableName=self.table, Key={"pk": {"S": f"added-{step - 1}"}})
            states.append((self.table_now(), self.instant()))
        for state, instant in states:
            done, items = self.exported(arn, ExportTime=instant)
            self.assertEqual(state, items)
            self.assertEqual(instant, done["ExportTime"])

    def instant(self):
        """A whole second, which is what boto3 sends, behind all that was acknowledged and before all that will be
        sent."""
        noted = now().replace(microsecond=0) + SECOND
        wait_for(lambda: now() > noted, "the next second")
        return noted

    def test_now_holds_what_was_acknowledged(self):
        arn = self.remembering()
        for step in range(5):
            self.put("a", v={"N": str(step)})
            done, items = self.exported(arn)
            self.assertEqual([{"pk": {"S": "a"}, "v": {"N": str(step)}}], list(items.values()))
            self.assertEqual(done["StartTime"], done["ExportTime"])
            self.assertEqual(f"{round(done['StartTime'].timestamp() * 1000):014}",
                             done["ExportArn"].rsplit("/", 1)[1].split("-")[0])

    def test_the_past_survives_a_restart(self):
        arn = self.remembering()
        self.put("a", v={"S": "old"})
        instant = self.instant()
        self.put("a", v={"S": "new"})
        self.server.restart()
        self.assertEqual([{"pk": {"S": "a"}, "v": {"S": "old"}}],
                         list(self.exported(arn, ExportTime=instant)[1].values()))

    def test_table_deleted_while_exporting(self):
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

    # --- descriptions

    def test_descriptions(self):
        arn = self.remembering()
        made = self.export(arn, S3Prefix="nightly", ClientToken="token-1-" + self.table)
        always = {"ExportArn", "ExportStatus", "StartTime", "TableArn", "TableId", "ExportTime", "ClientToken",
                  "S3Bucket", "S3Prefix", "S3SseAlgorithm", "ExportFormat"}
        self.assertEqual(always, set(made))
        self.assertRegex(made["ExportArn"], rf"^{arn}/export/\d{{14}}-[0-9a-f]{{8}}$")
        self.assertEqual(("IN_PROGRESS", "AES256", "DYNAMODB_JSON"),
                         (made["ExportStatus"], made["S3SseAlgorithm"], made["ExportFormat"]))
        done = self.export_done(made["ExportArn"])
        self.assertEqual(always | {"EndTime", "ExportManifest", "BilledSizeBytes", "ItemCount"}, set(done))
        self.assertEqual(done, self.dynamo.describe_export(ExportArn=made["ExportArn"])["ExportDescription"])
        exports.read_export(self.server.buckets / self.bucket, done)

    def test_export_type_is_echoed_when_sent(self):
        arn = self.remembering()
        done, _ = self.exported(arn, ExportType="FULL_EXPORT")
        self.assertEqual("FULL_EXPORT", done["ExportType"])

    def test_token_is_made_when_absent(self):
        arn = self.remembering()
        status, _, body = self.post({"TableArn": arn, "S3Bucket": self.bucket},
                                    "DynamoDB_20120810.ExportTableToPointInTime")
        self.assertEqual(200, status, body)
        self.assertRegex(body.decode(), r'"ClientToken":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"')

    def test_prefixes(self):
        arn = self.remembering()
        self.put("a")
        for prefix, folder in (("a", "a/"), ("a/", "a/"), ("a/b/c", "a/b/c/"), (None, "")):
            done, items = self.exported(arn, **({"S3Prefix": prefix} if prefix else {}))
            self.assertEqual(1, len(items))
            self.assertTrue(done["ExportManifest"].startswith(folder + "AWSDynamoDB/0"))
            self.assertEqual(prefix, done.get("S3Prefix"))

    def test_prefix_cannot_leave_the_bucket(self):
        arn = self.remembering()
        self.put("a")
        before = {path for path in self.server.folder.rglob("*") if self.server.data not in path.parents}
        for prefix in ("../escape", "a/../../escape", "/../../escape"):
            self.export_done(self.export(arn, S3Prefix=prefix)["ExportArn"])
        after = {path for path in self.server.folder.rglob("*") if self.server.data not in path.parents}
        inside = self.server.buckets / self.bucket
        self.assertEqual(set(), {path for path in after - before if inside not in path.parents})

    # --- failures

    def test_missing_bucket(self):
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
                     "Export conflict: Duplicate request detected with conflicting parameters",
                     self.dynamo.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket, ClientToken=token)
        self.exported(arn)

    def test_a_folder_has_no_kms(self):
        arn = self.remembering()
        failed = self.export_done(self.export(arn, S3SseAlgorithm="KMS")["ExportArn"])
        self.assertEqual("FAILED", failed["ExportStatus"])
        self.assertTrue(failed["FailureCode"] and failed["FailureMessage"])

    def test_recovery_is_off(self):
        arn = self.create()["TableArn"]
        self.refused("PointInTimeRecoveryUnavailableException",
                     f"Point in time recovery is not enabled for table '{self.table}'",
                     self.dynamo.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket)

    def test_times_out_of_the_window(self):
        arn = self.remembering()
        invalid = "Export Time is invalid"
        cases = [(now() + 60 * SECOND, invalid), (now() - datetime.timedelta(days=7), invalid)]
        for time, message in cases:
            self.refused("InvalidExportTimeException", message, self.dynamo.export_table_to_point_in_time,
                         TableArn=arn, S3Bucket=self.bucket, ExportTime=time)

    def test_time_before_recovery(self):
        arn = self.create()["TableArn"]
        made = self.dynamo.describe_table(TableName=self.table)["Table"]["CreationDateTime"]
        wait_for(lambda: now() > made + 2 * SECOND, "two seconds of the table's life")
        self.recover()
        self.refused("InvalidExportTimeException",
                     "Point in Time Recovery is not available for specified export time",
                     self.dynamo.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket,
                     ExportTime=made + SECOND)

    def test_arns(self):
        self.remembering()
        cases = [
            ("", "ValidationException", "Invalid TableArn: Invalid Table ARN"),
            (self.table, "ValidationException",
             "One or more parameter values were invalid: tableArn is not a valid ARN"),
            (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.table}/index/i", "ValidationException",
             "Invalid Request: Table ARN is invalid."),
            (f"arn:aws:dynamodb:{REGION}:111111111111:table/{self.table}", "AccessDeniedException", "Access is denied"),
            (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/nothing-here", "TableNotFoundException",
             f"Table not found: arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/nothing-here"),
        ]
        for arn, code, message in cases:
            with self.subTest(arn=arn):
                self.refused(code, message, self.raw.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket)

    def test_another_region_is_not_checked(self):
        self.remembering()
        self.exported(f"arn:aws:dynamodb:eu-west-3:{ACCOUNT}:table/{self.table}")

    def test_constraints(self):
        arn = self.remembering()
        one = "1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: {}"
        enum = "Member must satisfy enum value set: {}"
        cases = [
            ({"ExportFormat": "CSV"}, one.format("CSV", "exportFormat", enum.format("[ION, DYNAMODB_JSON]"))),
            ({"ExportFormat": ""}, one.format("", "exportFormat", enum.format("[ION, DYNAMODB_JSON]"))),
            ({"S3SseAlgorithm": "aws:kms"}, one.format("aws:kms", "s3SseAlgorithm", enum.format("[KMS, AES256]"))),
            ({"S3BucketOwner": "12"}, one.format("12", "s3BucketOwner", "Member must satisfy regular expression...")),
            ({"S3Bucket": "arn:aws:s3:::b"},
             one.format("arn:aws:s3:::b", "s3Bucket", "Member must satisfy regular expression...")),
            ({"ClientToken": "a$b"}, None),
            ({"S3Prefix": "p" * 1025}, None),
            ({"S3SseKmsKeyId": "k"}, None),
            ({"ExportType": "FULL_EXPORT", "IncrementalExportSpecification": {}},
             "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be "
             "provided"),
        ]
        for change, message in cases:
            with self.subTest(change=change):
                parameters = {"TableArn": arn, "S3Bucket": self.bucket, **change}
                self.refused("ValidationException", message, self.raw.export_table_to_point_in_time, **parameters)
        self.refused("ValidationException",
                     "1 validation error detected: Value null at 's3Bucket' failed to satisfy constraint: Member must "
                     "not be null", self.raw.export_table_to_point_in_time, TableArn=arn)
        self.refused("ValidationException", "2 validation errors detected: Value ...",
                     self.raw.export_table_to_point_in_time, TableArn=arn, S3Bucket="!", ExportFormat="CSV")
        self.assertEqual([], self.dynamo.list_exports(TableArn=arn)["ExportSummaries"])

    def test_what_is_not_built_is_refused(self):
        arn = self.remembering()
        for change in ({"ExportFormat": "ION"}, {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {
                "ExportFromTime": now() - 20 * 60 * SECOND}}):
            with self.subTest(change=change):
                parameters = {"TableArn": arn, "S3Bucket": self.bucket, **change}
                with self.assertRaises(self.dynamo.exceptions.ClientError):
                    self.dynamo.export_table_to_point_in_time(**parameters)

    # --- tokens

    def test_token_again(self):
        arn = self.remembering()
        token = str(uuid.uuid4())
        first = self.export(arn, ClientToken=token)
        self.assertEqual(first["ExportArn"], self.export(arn, ClientToken=token)["ExportArn"])
        done = self.export_done(first["ExportArn"])
        self.assertEqual(done, self.export(arn, ClientToken=token))
        for change in ({"S3Prefix": "p"}, {"S3SseAlgorithm": "AES256"}, {"ExportTime": done["ExportTime"]},
                       {"ExportFormat": "DYNAMODB_JSON"}):
            with self.subTest(change=change):
                self.refused("ExportConflictException",
                             "Export conflict: Duplicate request detected with conflicting parameters",
                             self.dynamo.export_table_to_point_in_time, TableArn=arn, S3Bucket=self.bucket,
                             ClientToken=token, **change)
        self.server.restart()
        self.assertEqual(done, self.export(arn, ClientToken=token))
        self.assertNotEqual(first["ExportArn"], self.export(arn)["ExportArn"])

    # --- lists

    def test_list_pages(self):
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
        everything = [each["ExportArn"] for page in self.pages() for each in page["ExportSummaries"]]
        self.assertTrue(set(made) <= set(everything))
        self.assertEqual(sorted(everything, reverse=True), everything)
        for each in made:
            self.export_done(each)

    def pages(self, **parameters):
        """All pages of ListExports, for which botocore has no paginator."""
        page = self.dynamo.list_exports(**parameters)
        yield page
        while "NextToken" in page:
            page = self.dynamo.list_exports(NextToken=page["NextToken"], **parameters)
            yield page

    def test_list_refusals(self):
        self.assertEqual([], self.dynamo.list_exports(
            TableArn=f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/nothing-here")["ExportSummaries"])
        self.refused("ValidationException", "Invalid Request: Provided nextToken is invalid: abc",
                     self.dynamo.list_exports, NextToken="abc")
        self.refused("ValidationException", "1 validation error detected: Value '26' at 'maxResults' failed to "
                     "satisfy constraint: Member must have value less than or equal to 25", self.raw.list_exports,
                     MaxResults=26)

    def test_describe_refusals(self):
        arn = self.remembering()
        done, _ = self.exported(arn)
        wrong = done["ExportArn"][:-1] + ("0" if done["ExportArn"][-1] != "0" else "1")
        self.refused("ExportNotFoundException", f"Export not found: Export not found: {wrong}",
                     self.dynamo.describe_export, ExportArn=wrong)
        self.refused("ExportNotFoundException", "Export not found: Invalid export arn", self.dynamo.describe_export,
                     ExportArn=done["ExportArn"].replace(REGION, "eu-west-3"))
        self.refused("ValidationException", "Invalid Export ARN", self.dynamo.describe_export, ExportArn=arn)
        self.refused("AccessDeniedException", "Access is denied", self.dynamo.describe_export,
                     ExportArn=done["ExportArn"].replace(ACCOUNT, "111111111111"))
        self.refused("ValidationException",
                     "1 validation error detected: Value 'short' at 'exportArn' failed to satisfy constraint: Member "
                     "must have length greater than or equal to 37", self.raw.describe_export, ExportArn="short")

    # --- jobs

    def test_many_at_once(self):
        arn = self.remembering()
        for at in range(100):
            self.put(f"k{at}")
        made = [self.export(arn)["ExportArn"] for _ in range(8)]
        for each in made:
            done = self.export_done(each)
            self.assertEqual(100, len(exports.read_export(self.server.buckets / self.bucket, done)))

    def test_a_stop_in_the_middle(self):
        arn = self.remembering()
        for at in range(0, 200, 25):
            self.dynamo.batch_write_item(RequestItems={self.table: [
                {"PutRequest": {"Item": {"pk": {"S": f"k{each}"}, "v": {"S": "x" * 30_000}}}}
                for each in range(at, at + 25)]})
        made = self.export(arn)
        self.server.restart()
        done = self.export_done(made["ExportArn"])
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        self.assertEqual(made["ExportTime"], done["ExportTime"])
        self.assertEqual(200, len(exports.read_export(self.server.buckets / self.bucket, done)))
