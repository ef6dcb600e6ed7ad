"""An S3 service that fails some exports for good, each in another way, while others and the table go on: each of the
failing ones ends FAILED with the code and the words of spec/export.md 2.9, in a bounded time, and leaves nothing."""

import os
import pathlib
import re
import threading
import time

from support import exports, faketime
from support.case import ServerCase, client, wait_for
from support.s3_failing import KEYS, FailingS3
from support.server import gramme

SPEED = 10  # of the server's clock: its retries take minutes
CLIENTS = 4  # connections of our own
SILENT_SECONDS = 40  # two tries of `_started`, of 4 seconds each and all at once; not 30 times that
HANGING_SECONDS = 15  # what takes one, on a busy machine; a call waits a minute for an answer
SLOW_SECONDS = 3
STOP_SECONDS = 20  # far less than what a call waits for an answer; far more than a busy machine needs

# How the service fails, at which request; what becomes of the export.
FAILURES = (
    ("500", "PUT */data/*partNumber=", "S3InternalError", "Status Code: 500; Error Code: InternalError"),
    ("503", "PUT */data/*partNumber=", "S3SlowDown", "^Please reduce your request rate. "),
    ("cut", "PUT */data/*partNumber=", "InternalServerError", "^PUT http"),
    ("etag", "PUT */data/*partNumber=", "InternalServerError", "S3 stored other bytes than were sent"),
    ("no-etag", "PUT */data/*partNumber=", "InternalServerError", "S3 answered without an etag"),
    ("moved", "PUT */data/*partNumber=", "S3PermanentRedirect", "must be addressed using the specified endpoint"),
    ("garbage", "POST */data/*uploads=", "InternalServerError", "no id that can be read"),
    ("error200", "POST */data/*uploadId=", "S3InternalError", "Status Code: 200; Error Code: InternalError"),
    ("etag", "POST */data/*uploadId=", "InternalServerError", "S3 stored other bytes than were sent"),
    ("garbage", "POST */data/*uploadId=", None, None),  # done, and found to be
    ("lost", "POST */data/*uploadId=", None, None),
    ("cut", "PUT */manifest-files.json", "InternalServerError", "^PUT http"),
    ("503", "PUT */manifest-summary.md5", "S3SlowDown", "^Please reduce your request rate. "),
    ("stall", "PUT */_started", "InternalServerError", "timed out"),
    ("502", "PUT */_started", "InternalServerError", "^PUT http"),
)


class FailingCase(ServerCase):
    clock = {}
    export_parts = 24

    @classmethod
    def make_server(cls):
        cls.s3 = cls.enterClassContext(FailingS3())
        cls.s3.told("skew", "1000000")
        cls.options = (*cls.s3.options, "--export-parts", str(cls.export_parts))
        cls.environment = {**KEYS, **cls.clock}
        return super().make_server()

    def setUp(self):
        super().setUp()
        # A server whose clock is fast has little patience with who is slow to ask.
        self.dynamo = client(self.server.url, attempts=5)
        self.arn = self.create()["TableArn"]
        self.recover()
        self.items = {f"k{at}": {"pk": {"S": f"k{at}"}, "text": {"S": "x" * at}} for at in range(40)}
        for item in self.items.values():
            self.dynamo.put_item(TableName=self.table, Item=item)

    def export(self, prefix, bucket="bucket"):
        return self.dynamo.export_table_to_point_in_time(
            TableArn=self.arn, S3Bucket=bucket, S3Prefix=prefix)["ExportDescription"]["ExportArn"]

    def held(self):
        """Descriptors that are no connections to clients, and threads."""
        process = pathlib.Path(f"/proc/{self.server.process.pid}")
        return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))

    def check_whole(self, done):
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        folder = self.server.folder / f"objects-{done['ExportArn'].rpartition('-')[2]}"
        self.s3.write_objects(folder)
        found = exports.read_export(folder / done["S3Bucket"], done)
        self.assertEqual(self.items, {item["pk"]["S"]: item for item in found})


class Failing(FailingCase):
    clock = faketime.fast(SPEED)

    def test_failures_that_stay(self):
        self.check_whole(self.export_done(self.export("before")))
        descriptors, threads = self.held()
        for at, (how, where, _, _) in enumerate(FAILURES):
            method, _, text = where.partition(" ")
            self.s3.told("fail", f"1000000 {method} /bucket/f{at}/AWSDynamoDB/{text} {how}")
        failing = [self.export(f"f{at}") for at in range(len(FAILURES))]
        table = Table(self)
        table.start()
        self.check_whole(self.export_done(self.export("good", "other")))
        for (how, where, code, words), arn in zip(FAILURES, failing):
            with self.subTest(how=how, where=where):
                self.check_end(self.export_done(arn), code, words)
        table.end()
        self.s3.told("release")
        self.assertEqual("0", self.s3.asked("uploads"))
        self.check_whole(self.export_done(self.export("after")))
        # The store keeps 16 connections for what comes next; libcurl has two descriptors more for each.
        wait_for(lambda: self.held()[0] <= descriptors + 16 * 3 + CLIENTS, "descriptors that are given back")
        wait_for(lambda: self.held()[1] <= threads, "threads that end")
        self.assertEqual([], self.server.scratch_files())

    def check_end(self, done, code, words):
        if code is None:
            return self.check_whole(done)
        self.assertEqual(("FAILED", code), (done["ExportStatus"], done.get("FailureCode")), done.get("FailureMessage"))
        self.assertRegex(done["FailureMessage"], re.compile(words) if words.startswith("^") else re.escape(words))
        self.assertEqual(set(), {"EndTime", "ItemCount", "BilledSizeBytes", "ExportManifest"} & set(done))
        return None


class Table(threading.Thread):
    """Writes and reads for as long as exports fail."""

    def __init__(self, case):
        super().__init__()
        self.dynamo, self.name = case.dynamo, case.table
        self.table = case.create(name=case.table + "-beside")["TableName"]
        self.count, self.slowest, self.failure, self.ending = 0, 0, None, threading.Event()

    def run(self):
        try:
            while not self.ending.is_set():
                begun = time.monotonic()
                item = {"pk": {"S": "one"}, "count": {"N": str(self.count)}}
                self.dynamo.put_item(TableName=self.table, Item=item)
                assert self.dynamo.get_item(TableName=self.table, Key={"pk": {"S": "one"}})["Item"] == item
                self.count += 1
                self.slowest = max(self.slowest, time.monotonic() - begun)
        except Exception as failure:  # told by end()
            self.failure = failure

    def end(self):
        self.ending.set()
        self.join()
        if self.failure:
            raise self.failure
        assert self.count > 10, self.count


class Waiting(FailingCase):
    clock = faketime.fast(2)

    def test_buckets_that_do_not_answer_hold_up_no_others(self):
        self.s3.told("fail", "1000000 PUT /bucket/silent* stall")
        silent = [self.export(f"silent{at}") for at in range(30)]
        begun = time.monotonic()
        self.check_whole(self.export_done(self.export("good", "other")))
        took = time.monotonic() - begun
        for arn in silent:
            done = self.export_done(arn)
            self.assertEqual(("FAILED", "InternalServerError"), (done["ExportStatus"], done.get("FailureCode")))
        self.assertLess(took, (time.monotonic() - begun) / 2)
        self.assertLess(time.monotonic() - begun, SILENT_SECONDS)


class HangingCase(FailingCase):
    """Buckets that take `_started`, and then answer to nothing more of one sort."""

    export_parts = 2

    def check_others(self, hanging):
        """An export to another bucket, and the data plane; then a stop, and what hung gets done."""
        table = Table(self)
        table.start()
        begun = time.monotonic()
        self.check_whole(self.export_done(self.export("good", "other")))
        self.assertLess(time.monotonic() - begun, HANGING_SECONDS)
        table.end()
        self.assertLess(table.slowest, SLOW_SECONDS)
        for arn in hanging:
            self.assertEqual("IN_PROGRESS", self.dynamo.describe_export(ExportArn=arn)["ExportDescription"]["ExportStatus"])
        begun = time.monotonic()
        self.server.stop()
        self.assertLess(time.monotonic() - begun, STOP_SECONDS)
        self.s3.told("heal")
        self.server.start()
        for arn in hanging:
            self.check_whole(self.export_done(arn))
        self.assertEqual("0", self.s3.asked("uploads"))

    def hanging(self, count):
        wait_for(lambda: self.metric("gramme_job_steps_waiting") >= count, f"{count} steps that wait")

    def metric(self, name):
        return int(re.search(rf"^{name} (\d+)$", self.post(None, method="GET", path="/metrics")[2].decode(), re.M)[1])


class Hanging(HangingCase):
    def test_one_bucket(self):
        self.s3.told("fail", "1000000 PUT /bucket/*partNumber= stall")
        hanging = [self.export(f"h{at}") for at in range(20)]
        self.hanging(2)
        self.check_others(hanging)

    def test_each_call(self):
        for at, call in enumerate(("POST *uploads=", "PUT *partNumber=", "POST *uploadId=", "PUT *manifest-files.json",
                                   "PUT *manifest-summary.md5")):
            method, _, text = call.partition(" ")
            self.s3.told("fail", f"1000000 {method} /bucket-{at}/{text} stall")
        hanging = [self.export("h", f"bucket-{at}") for at in range(5)]
        self.hanging(5)
        self.check_others(hanging)


class Crowd(HangingCase):
    """More buckets hang than there is room for: those that have waited longest make room."""

    clock = faketime.fast(SPEED)

    def test_many_buckets(self):
        self.s3.told("fail", "1000000 PUT /bucket-*partNumber= stall")
        hanging = [self.export("h", f"bucket-{at}") for at in range(12)]
        self.hanging(12)
        self.check_others(hanging)
        self.assertIn("set aside", self.server.log())


class Limit(FailingCase):
    def test_three_hundred_at_once(self):
        """Also those that a server before this one has accepted."""
        self.s3.told("fail", "1000000 PUT *_started stall")
        begun = [self.export("many") for _ in range(300)]
        self.check_refused()
        self.server.stop()
        self.s3.told("clear")
        self.s3.told("fail", "1000000 PUT *_started stall")
        self.server.start()
        self.check_refused()
        self.s3.told("clear")
        self.check_whole(self.export_done(begun[0]))
        self.export("one more")

    def check_refused(self):
        once = client(self.server.url)  # SDKs try it again
        self.refused("LimitExceededException", "Subscriber limit exceeded: There is a limit of 300 concurrent exports per "
                     "subscriber", once.export_table_to_point_in_time, TableArn=self.arn, S3Bucket="bucket")


class Elsewhere(FailingCase):
    def test_buckets_in_another_region(self):
        """However S3 tells where: exports are whole, with no request more than one, and the tools read and write there."""
        for bucket in ("away-301", "away-307", "away-400"):
            with self.subTest(bucket):
                self.check_bucket(bucket)
        for bucket in ("away-odd", "away-round"):
            with self.subTest(bucket):
                done = self.export_done(self.export("none", bucket))
                self.assertEqual(("FAILED", "S3PermanentRedirect"), (done["ExportStatus"], done.get("FailureCode")))

    def check_bucket(self, bucket):
        before = self.s3.asked("log")
        done = self.export_done(self.export("other", bucket))
        self.check_whole(done)
        log = self.s3.asked("log")[len(before):].splitlines()
        self.assertEqual(1, sum(not line.endswith(" 200") for line in log), log)
        more = ("--keys", "pk", *self.s3.options)
        place = f"s3://{bucket}/{done['ExportManifest'].rpartition('/')[0]}"
        for command in (("verify", place), ("replay", place, "--out", f"s3://{bucket}/again"), ("diff", place, place)):
            status, said, complaint = gramme(*command, *more, environment=KEYS)
            self.assertEqual((0, ""), (status, complaint), said)


class Stopping(FailingCase):
    def test_a_stop_does_not_wait_for_the_service(self):
        self.s3.told("fail", "4 PUT *partNumber= stall")
        arn = self.export("stop")
        wait_for(lambda: "partNumber=" in self.s3.asked("log"), "a part on its way")
        begun = time.monotonic()
        self.server.stop()
        self.assertLess(time.monotonic() - begun, STOP_SECONDS)
        self.s3.told("release")
        self.server.start()
        self.check_whole(self.export_done(arn))
        self.assertEqual("0", self.s3.asked("uploads"))
