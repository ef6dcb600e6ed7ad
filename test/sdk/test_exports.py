"""ExportTableToPointInTime, DescribeExport, ListExports: from the call to the verified files."""

import datetime
import json
import socket
import uuid

from support import exports
from support.case import SENT, wait_for
from support.export_case import ACCOUNT, ExportCase, now
from test_items import EVERY_TYPE

SECOND = datetime.timedelta(seconds=1)


class Exports(ExportCase):
    # --- what an export holds

    def test_every_type(self):
        arn = self.remembering()
        self.dynamo.put_item(TableName=self.table, Item=EVERY_TYPE)
        done, items = self.exported(arn)
        self.assertEqual([exports.plain(EVERY_TYPE)], list(items.values()))
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.assertEqual(table["TableSizeBytes"], done["BilledSizeBytes"])

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

    def test_token_is_made_when_absent(self):
        arn = self.remembering()
        status, _, body = self.post({"TableArn": arn, "S3Bucket": self.bucket},
                                    "DynamoDB_20120810.ExportTableToPointInTime")
        self.assertEqual(200, status, body)
        self.assertRegex(body.decode(), r'"ClientToken":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"')

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

    def test_a_folder_has_no_kms(self):
        arn = self.remembering()
        failed = self.export_done(self.export(arn, S3SseAlgorithm="KMS")["ExportArn"])
        self.assertEqual("FAILED", failed["ExportStatus"])
        self.assertTrue(failed["FailureCode"] and failed["FailureMessage"])

    def test_another_region_is_not_checked(self):
        self.remembering()
        self.exported(f"arn:aws:dynamodb:eu-west-3:{ACCOUNT}:table/{self.table}")


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

    # --- jobs

    def test_many_at_once(self):
        arn = self.remembering()
        for at in range(100):
            self.put(f"k{at}")
        made = [self.export(arn)["ExportArn"] for _ in range(8)]
        for each in made:
            done = self.export_done(each)
            self.assertEqual(100, len(exports.read_export(self.server.buckets / self.bucket, done)))

    def test_hundreds_of_calls_at_one_time(self):
        """All are accepted, and none is told of the others."""
        body = json.dumps({"TableArn": self.remembering(), "S3Bucket": "nobody-made-it"}).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in {
            **SENT, "Host": "localhost", "X-Amz-Target": "DynamoDB_20120810.ExportTableToPointInTime",
            "Content-Length": len(body), "Connection": "close"}.items())
        address = self.server.url.rpartition("/")[2].split(":")
        calls = [self.enterContext(socket.create_connection(address)) for _ in range(250)]
        for call in calls:
            call.sendall(b"POST / HTTP/1.1\r\n" + head.encode() + b"\r\n" + body)
        replies = [b"".join(iter(lambda: call.recv(65536), b"")).decode() for call in calls]
        self.assertEqual({"HTTP/1.1 200 OK"}, {reply.partition("\r\n")[0] for reply in replies})
        arns = {json.loads(reply.partition("\r\n\r\n")[2])["ExportDescription"]["ExportArn"] for reply in replies}
        self.assertEqual(len(calls), len(arns))
        self.assertEqual({"FAILED"}, {self.export_done(arn)["ExportStatus"] for arn in arns})

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
