"""`gramme exports` and what it asks, GET /gramme/exports: how far exports are."""

import json
import os
import pty
import re
import subprocess
import termios
import urllib.error
import urllib.request
import uuid

from support.case import ServerCase, client, wait_for
from support.s3_failing import KEYS, FailingS3
from support.server import GRAMME, gramme
from test_signatures import KEY, SECRET, credentials_file

RUNNING = {"exportArn", "tableArn", "status", "exportType", "exportFormat", "startTime", "s3Bucket", "phase", "parts",
           "partsDone", "itemCount", "itemBytes", "fileBytes", "share", "bytesPerSecond"}
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": "/nonexistent"}


def report(url):
    with urllib.request.urlopen(url + "/gramme/exports", timeout=30) as reply:
        assert reply.headers["Content-Type"] == "application/json"
        return json.load(reply)["exports"]


class Progress(ServerCase):
    def setUp(self):
        super().setUp()
        self.bucket = f"b-{uuid.uuid4().hex[:8]}"
        self.server.bucket(self.bucket)

    def filled(self, items=50, size=1000):
        arn = self.create()["TableArn"]
        self.recover()
        for at in range(0, items, 25):
            self.dynamo.batch_write_item(RequestItems={self.table: [
                {"PutRequest": {"Item": {"pk": {"S": f"k{each}"}, "v": {"S": "x" * size}}}}
                for each in range(at, min(at + 25, items))]})
        return arn

    def export(self, arn, **more):
        return self.dynamo.export_table_to_point_in_time(
            TableArn=arn, S3Bucket=more.pop("S3Bucket", self.bucket), **more)["ExportDescription"]["ExportArn"]

    def row(self, arn):
        return next(each for each in report(self.server.url) if each["exportArn"] == arn)

    def test_ended(self):
        arn = self.filled()
        good, bad = self.export(arn, S3Prefix="p"), self.export(arn, S3Bucket="nobody-made-it")
        done, failed = self.export_done(good), self.export_done(bad)
        row = self.row(good)
        self.assertEqual(("COMPLETED", "FULL_EXPORT", "DYNAMODB_JSON", self.bucket, "p"),
                         tuple(row[name] for name in ("status", "exportType", "exportFormat", "s3Bucket", "s3Prefix")))
        self.assertEqual((done["ItemCount"], done["BilledSizeBytes"]), (row["itemCount"], row["itemBytes"]))
        self.assertEqual(done["EndTime"].timestamp(), row["endTime"])
        row = self.row(bad)
        self.assertEqual(("FAILED", failed["FailureCode"], failed["FailureMessage"]),
                         (row["status"], row["failureCode"], row["failureMessage"]))
        listed = [each["exportArn"].rsplit("/", 1)[1] for each in report(self.server.url)]
        self.assertEqual(sorted(listed, reverse=True), listed)

    def test_lines(self):
        arn = self.filled()
        good, bad = self.export(arn), self.export(arn, S3Bucket="nobody-made-it")
        for each in (good, bad):
            self.export_done(each)
        status, out, err = gramme("exports", "--endpoint", self.server.url, environment=NO_KEYS)
        self.assertEqual((0, ""), (status, err))
        lines = dict(line.split(" ", 2)[1:] for line in out.splitlines())
        self.assertRegex(lines[good.rsplit("/", 1)[1]], r"^COMPLETED 50 items, \d+ bytes, in \d+\.\d s$")
        self.assertRegex(lines[bad.rsplit("/", 1)[1]], r"^FAILED S3NoSuchBucket: The specified bucket does not exist ")
        self.assertIn(f"{self.table} {good.rsplit('/', 1)[1]} ", out)

    def test_only_the_latest(self):
        arn = self.filled(1)
        made = [self.export(arn) for _ in range(12)]
        for each in made:
            self.export_done(each)
        out = gramme("exports", "--endpoint", self.server.url + "/", environment=NO_KEYS)[1]
        latest = [line.split(" ")[1] for line in out.splitlines()]
        self.assertEqual(sorted((each.rsplit("/", 1)[1] for each in made), reverse=True)[:10], latest)
        out = gramme("exports", "--endpoint", self.server.url, "--all", environment=NO_KEYS)[1]
        self.assertLessEqual(12, len(out.splitlines()))

    def test_nobody_answers(self):
        status, out, err = gramme("exports", "--endpoint", "http://127.0.0.1:1", environment=NO_KEYS)
        self.assertEqual((1, ""), (status, out))
        self.assertRegex(err, r"^gramme exports: .*\n$")
        for wrong in ("127.0.0.1:8000", "http://", "http://127.0.0.1:8000/path"):
            self.assertEqual(2, gramme("exports", "--endpoint", wrong, environment=NO_KEYS)[0], wrong)
        self.assertEqual(2, gramme("exports", "what")[0])
        self.assertIn("--watch", gramme("exports", "--help")[1])


class Watching(ServerCase):
    """On an S3 that holds an upload back until it is told to let go."""

    @classmethod
    def make_server(cls):
        cls.s3 = cls.enterClassContext(FailingS3())
        cls.options, cls.environment = cls.s3.options + ("--export-parts", "2"), KEYS
        return super().make_server()

    def begin(self, bucket, held):
        """An export that stands still at its share; answers its id."""
        self.s3.told("clear")
        self.s3.told("fail", f"1 {held} stall")
        arn = self.create()["TableArn"]
        self.recover()
        for at in range(40):
            self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": f"k{at}"}, "v": {"S": "x" * 1000}})
        made = self.dynamo.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket)["ExportDescription"]
        method, text = held.split()
        wait_for(lambda: re.search(rf"{method} \S*{text}\S* 0\n", self.s3.asked("log")), "the request that is held")
        return made["ExportArn"]

    def row(self, arn):
        return next(each for each in report(self.server.url) if each["exportArn"] == arn)

    def watch(self, out):
        return subprocess.Popen([GRAMME, "exports", "--watch", "--endpoint", self.server.url],
                                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                env={**os.environ, **NO_KEYS})

    def read_until(self, source, text):
        found = ""
        while text not in found:
            piece = os.read(source, 65536).decode()
            self.assertTrue(piece, found)
            found += piece
        return found

    def test_on_a_terminal(self):
        arn = self.begin("bucket", "PUT partNumber=1")
        wait_for(lambda: self.row(arn)["partsDone"] == 3, "all files but the one that is held")
        row = self.row(arn)
        self.assertEqual(RUNNING, set(row) - {"secondsLeft"})
        self.assertEqual(("IN_PROGRESS", "WRITING", 4, 0.75),
                         tuple(row[name] for name in ("status", "phase", "parts", "share")))
        terminal, other_end = pty.openpty()
        termios.tcsetwinsize(terminal, (24, 150))
        watching = self.watch(other_end)
        os.close(other_end)
        found = self.read_until(terminal, " left")
        self.assertIn("[###############-----]  75 %", found)
        termios.tcsetwinsize(terminal, (24, 80))
        for _ in range(2):  # the second time it is drawn over itself it has seen the new width
            found = self.read_until(terminal, "\033[J")
        lines = found.rpartition("\033[J")[2].replace("\r", "").split("\n")
        self.assertIn("[###############-----]  75", found)
        self.assertEqual(79, max(map(len, lines)))
        termios.tcsetwinsize(terminal, (24, 150))
        self.s3.told("release")
        self.read_until(terminal, "COMPLETED  40 items  ")
        self.assertEqual(0, watching.wait(60))
        os.close(terminal)

    def test_lines_elsewhere(self):
        arn = self.begin("bucket", "PUT manifest-files.json")
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pipe:
            watching = self.watch(pipe.stdin)
            pipe.stdin.close()
            name = f"{self.table} {arn.rsplit('/', 1)[1]} "
            self.assertRegex(pipe.stdout.readline(),
                             rf"^{re.escape(name)}FINISHING 100 %, 40 items, \d+ bytes, \d+ bytes/s, 0 s left$")
            self.s3.told("release")
            self.assertRegex(pipe.stdout.readline(), rf"^{re.escape(name)}COMPLETED 40 items, ")
            self.assertEqual(0, watching.wait(60))

    def test_a_failure_is_the_end_of_a_watch(self):
        self.begin("locked", "PUT _started")
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pipe:
            watching = self.watch(pipe.stdin)
            pipe.stdin.close()
            self.assertIn(" WAITING 0 %, 0 items, ", pipe.stdout.readline())
            self.s3.told("release")
            self.assertIn(" FAILED S3AccessDenied: ", pipe.stdout.readline())
            self.assertEqual(1, watching.wait(60))


class Strangers(ServerCase):
    """Where there are keys, only who has one learns the names of tables and buckets."""

    @classmethod
    def setUpClass(cls):
        cls.file = credentials_file()
        cls.addClassCleanup(cls.file.unlink)
        cls.options = ("--credentials", str(cls.file))
        super().setUpClass()
        cls.dynamo = client(cls.server.url, key=KEY, secret=SECRET)

    def test_signatures(self):
        arn = self.create()["TableArn"]
        self.recover()
        made = self.dynamo.export_table_to_point_in_time(TableArn=arn, S3Bucket="lake")["ExportDescription"]
        self.export_done(made["ExportArn"])
        with self.assertRaises(urllib.error.HTTPError) as caught:
            report(self.server.url)
        with caught.exception as refusal:
            self.assertEqual(400, refusal.code)
            self.assertIn("MissingAuthenticationTokenException", refusal.read().decode())
        for key, secret, status, word in ((KEY, SECRET, 0, "FAILED S3NoSuchBucket"), ("", "", 1, "Missing"),
                                          (KEY, "wrong", 1, "InvalidSignatureException"),
                                          ("AKIASTRANGER", SECRET, 1, "UnrecognizedClientException")):
            environment = {**NO_KEYS, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
            found, out, err = gramme("exports", "--endpoint", self.server.url, environment=environment)
            self.assertEqual(status, found, err)
            self.assertIn(word, err if status else out)
            self.assertEqual(not status, self.table in out + err)
