"""Exports to S3 services that are away or fail, under a whole server: FAILED with the code of spec/export.md 2.9 within
minutes, nothing left behind, the table and other requests untouched."""

import socket
import time

from support.case import ServerCase, client, wait_for
from support.s3_failing import KEYS, FailingS3


class StoreCase(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A server whose clock is fast has little patience with who is slow to ask.
        cls.dynamo = client(cls.server.url, attempts=5)

    def setUp(self):
        super().setUp()
        self.arn = self.create()["TableArn"]
        self.recover()
        self.items = {}
        self.write(40)

    def write(self, count):
        for _ in range(count):
            key = f"k{len(self.items)}"
            self.items[key] = {"pk": {"S": key}, "text": {"S": "x" * len(self.items)}}
            self.dynamo.put_item(TableName=self.table, Item=self.items[key])

    def export(self, bucket="bucket", **more):
        """The description once it has ended; until then the server serves."""
        made = self.dynamo.export_table_to_point_in_time(TableArn=self.arn, S3Bucket=bucket, **more)
        self.write(20)
        done = self.export_done(made["ExportDescription"]["ExportArn"])
        self.assertEqual(self.items, {item["pk"]["S"]: item for item in self.scan_all()})
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.assertEqual((len(self.items), "ACTIVE"), (table["ItemCount"], table["TableStatus"]))
        wait_for(lambda: not self.server.scratch_files(), "the end of scratch files")
        return done

    def failed(self, code, message, done):
        self.assertEqual(("FAILED", code), (done["ExportStatus"], done.get("FailureCode")), done.get("FailureMessage"))
        self.assertIn(message, done["FailureMessage"])
        self.assertNotIn("ItemCount", done)


class Away(StoreCase):
    """Nobody listens at the endpoint."""

    @classmethod
    def make_server(cls):
        taken = cls.enterClassContext(socket.socket())
        taken.bind(("127.0.0.1", 0))
        cls.options = ("--s3-endpoint", "http://127.0.0.1:%d" % taken.getsockname()[1])
        cls.environment = KEYS
        return super().make_server()

    def test_nobody_is_there(self):
        begun = time.monotonic()
        self.failed("InternalServerError", "Failed to connect", self.export())
        self.assertLess(time.monotonic() - begun, 25)  # two tries of 8 s, a second between them, and a busy machine


class StandInCase(StoreCase):
    @classmethod
    def make_server(cls):
        cls.s3 = cls.enterClassContext(FailingS3())
        cls.options = cls.s3.options
        cls.environment = KEYS
        return super().make_server()

    def setUp(self):
        super().setUp()
        self.s3.told("clear")

    def export(self, *arguments, **more):
        done = super().export(*arguments, **more)
        self.assertEqual("0", self.s3.asked("uploads"))
        return done


class Refusing(StandInCase):
    def test_refusals(self):
        for code, message, arguments in (
                ("S3NoSuchBucket", "The specified bucket does not exist", {"bucket": "no-such-bucket"}),
                ("S3AccessDenied", "not authorized to perform: s3:PutObject", {"bucket": "locked"}),
                ("S3AccessDenied", "Access Denied", {"S3BucketOwner": "999999999999"}),
                ("KmsNotFoundException", "does not exist",
                 {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": "arn:aws:kms:missing"})):
            with self.subTest(code=code, arguments=arguments):
                self.s3.told("clear")
                self.failed(code, message, self.export(**arguments))
                self.assertEqual(1, len(self.s3.asked("log").splitlines()))  # _started, and no more

    def test_refusals_on_the_way(self):
        for request in ("POST uploads=", "PUT partNumber=1", "POST uploadId=", "PUT manifest-files.json",
                        "PUT manifest-files.md5", "PUT manifest-summary.json", "PUT manifest-summary.md5"):
            with self.subTest(request=request):
                self.s3.told("clear")
                self.s3.told("fail", f"1000 {request} denied")
                self.failed("S3AccessDenied", "Access Denied", self.export())

    def test_failures_that_pass(self):
        for request in ("PUT _started", "POST uploads=", "PUT partNumber=1", "POST uploadId=", "PUT manifest-"):
            for how in ("500", "cut"):
                self.s3.told("fail", f"3 {request} {how}")
        done = self.export()
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        self.assertEqual(len(self.items) - 20, done["ItemCount"])
