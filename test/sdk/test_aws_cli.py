"""The AWS CLI: the tour of README.md, and the commands of exports."""

import json
import os
import subprocess
import sys
import time
import unittest

from support import exports, faketime
from support.case import wait_for
from support.server import Server


class Cli(unittest.TestCase):
    def aws(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "awscli", "--endpoint-url", self.server.url, "dynamodb", *arguments],
            capture_output=True, text=True, check=False,
            env={**os.environ, "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any",
                 "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"})
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def music(self):
        """The table of the tour, with recovery switched on; answers its ARN."""
        made = self.aws("create-table", "--table-name", "Music", "--billing-mode", "PAY_PER_REQUEST",
                        "--attribute-definitions", "AttributeName=Artist,AttributeType=S",
                        "AttributeName=Song,AttributeType=S",
                        "--key-schema", "AttributeName=Artist,KeyType=HASH", "AttributeName=Song,KeyType=RANGE")
        self.aws("wait", "table-exists", "--table-name", "Music")
        self.aws("update-continuous-backups", "--table-name", "Music",
                 "--point-in-time-recovery-specification", "PointInTimeRecoveryEnabled=true")
        return made["TableDescription"]["TableArn"]

    def test_tour(self):
        with Server() as self.server:
            self.server.bucket("lake")
            arn = self.music()
            item = {"Artist": {"S": "No One You Know"}, "Song": {"S": "Call Me Today"}, "Year": {"N": "1984"}}
            self.aws("put-item", "--table-name", "Music", "--item", json.dumps(item))
            key = json.dumps({name: item[name] for name in ("Artist", "Song")})
            self.assertEqual(item, self.aws("get-item", "--table-name", "Music", "--key", key)["Item"])
            found = self.aws("query", "--table-name", "Music", "--key-condition-expression", "Artist = :artist",
                             "--expression-attribute-values", json.dumps({":artist": item["Artist"]}))
            self.assertEqual([item], found["Items"])
            export = self.aws("export-table-to-point-in-time", "--table-arn", arn, "--s3-bucket", "lake")
            export_arn = export["ExportDescription"]["ExportArn"]
            self.aws("delete-item", "--table-name", "Music", "--key", key)

            def done():
                found = self.aws("describe-export", "--export-arn", export_arn)["ExportDescription"]
                return found if found["ExportStatus"] != "IN_PROGRESS" else None
            self.assertEqual(1, wait_for(done, "the export")["ItemCount"])
            summary = next(self.server.buckets.rglob("manifest-summary.json"))
            self.assertEqual(exports.md5(summary.read_bytes()), summary.with_suffix(".md5").read_text())
            self.assertEqual([export_arn], [each["ExportArn"] for each in self.aws("list-exports")["ExportSummaries"]])
            self.assertEqual(0, self.aws("scan", "--table-name", "Music")["Count"])
            self.aws("delete-table", "--table-name", "Music")
            self.aws("wait", "table-not-exists", "--table-name", "Music")
            self.assertEqual([], self.aws("list-tables")["TableNames"])

    def test_indexes(self):
        """A table with indexes in the short form; one is added and one dropped."""
        with Server() as self.server:
            made = self.aws(
                "create-table", "--table-name", "Music", "--billing-mode", "PAY_PER_REQUEST",
                "--attribute-definitions", *(f"AttributeName={name},AttributeType=S" for name in
                                             ("Artist", "Song", "Album", "Genre")),
                "--key-schema", "AttributeName=Artist,KeyType=HASH", "AttributeName=Song,KeyType=RANGE",
                "--local-secondary-indexes", "IndexName=byAlbum,KeySchema=[{AttributeName=Artist,KeyType=HASH},"
                "{AttributeName=Album,KeyType=RANGE}],Projection={ProjectionType=INCLUDE,NonKeyAttributes=[Year]}",
                "--global-secondary-indexes", "IndexName=byGenre,KeySchema=[{AttributeName=Genre,KeyType=HASH},"
                "{AttributeName=Album,KeyType=RANGE}],Projection={ProjectionType=ALL}")
            self.assertEqual("CREATING", made["TableDescription"]["GlobalSecondaryIndexes"][0]["IndexStatus"])
            self.aws("wait", "table-exists", "--table-name", "Music")
            self.aws("update-table", "--table-name", "Music", "--attribute-definitions",
                     "AttributeName=Album,AttributeType=S", "--global-secondary-index-updates", json.dumps([{
                         "Create": {"IndexName": "albums", "Projection": {"ProjectionType": "KEYS_ONLY"},
                                    "KeySchema": [{"AttributeName": "Album", "KeyType": "HASH"}]}}]))
            query = "Table.GlobalSecondaryIndexes[?IndexStatus!='ACTIVE'].IndexName"
            wait_for(lambda: self.aws("describe-table", "--table-name", "Music", "--query", query) == [], "ACTIVE")
            self.aws("update-table", "--table-name", "Music", "--global-secondary-index-updates",
                     json.dumps([{"Delete": {"IndexName": "byGenre"}}]))
            self.assertEqual(["albums"], self.aws("describe-table", "--table-name", "Music", "--query",
                                                  "Table.GlobalSecondaryIndexes[].IndexName"))

    def test_exports(self):
        """Every option of the commands, and what scripts do with them: begin, wait, describe, describe again, list."""
        with Server() as self.server:
            self.server.bucket("lake")
            arn = self.music()
            begin = ("export-table-to-point-in-time", "--table-arn", arn, "--s3-bucket", "lake", "--s3-bucket-owner",
                     "111122223333", "--s3-prefix", "nightly", "--s3-sse-algorithm", "AES256", "--export-format",
                     "DYNAMODB_JSON", "--export-type", "FULL_EXPORT", "--client-token", "once", "--export-time",
                     str(int(time.time())))
            made = self.aws(*begin)["ExportDescription"]
            self.assertEqual(("lake", "111122223333", "nightly", "AES256", "DYNAMODB_JSON", "FULL_EXPORT", "once"), tuple(
                made[name] for name in ("S3Bucket", "S3BucketOwner", "S3Prefix", "S3SseAlgorithm", "ExportFormat",
                                        "ExportType", "ClientToken")))
            describe = ("describe-export", "--export-arn", made["ExportArn"])
            wait_for(lambda: self.aws(*describe)["ExportDescription"]["ExportStatus"] != "IN_PROGRESS", "the export")
            self.aws("wait", "export-completed", "--export-arn", made["ExportArn"])
            done = self.aws(*describe)
            self.assertEqual(done, self.aws(*describe))
            self.assertEqual(done, self.aws(*begin))
            listed = self.aws("list-exports", "--table-arn", arn, "--max-results", "25")
            self.assertEqual({"ExportSummaries": [{"ExportArn": made["ExportArn"], "ExportStatus": "COMPLETED",
                                                   "ExportType": "FULL_EXPORT"}]}, listed)

    def test_incremental_exports(self):
        """Of a table that was made, and changed, an hour ago."""
        with Server(environment=faketime.at("-1h")) as self.server:
            self.server.bucket("lake")
            arn = self.music()
            self.aws("put-item", "--table-name", "Music", "--item", '{"Artist": {"S": "A"}, "Song": {"S": "B"}}')
            recovery = self.aws("describe-continuous-backups", "--table-name", "Music")["ContinuousBackupsDescription"]
            since = recovery["PointInTimeRecoveryDescription"]["EarliestRestorableDateTime"]
            self.server.stop()
            self.server.environment = {}
            self.server.start()
            until = since + 15 * 60
            window = f"ExportFromTime={since},ExportToTime={until},ExportViewType=NEW_IMAGE"
            begin = ("export-table-to-point-in-time", "--table-arn", arn, "--s3-bucket", "lake", "--export-format", "ION",
                     "--export-type", "INCREMENTAL_EXPORT", "--incremental-export-specification", window)
            made = self.aws(*begin)["ExportDescription"]
            describe = ("describe-export", "--export-arn", made["ExportArn"])
            wait_for(lambda: self.aws(*describe)["ExportDescription"]["ExportStatus"] != "IN_PROGRESS", "the export")
            done = self.aws(*describe)["ExportDescription"]
            self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
            self.assertEqual(("INCREMENTAL_EXPORT", "ION", 1, 10_000_000), tuple(
                done[name] for name in ("ExportType", "ExportFormat", "ItemCount", "BilledSizeBytes")))
            self.assertEqual({"ExportFromTime": since, "ExportToTime": until, "ExportViewType": "NEW_IMAGE"},
                             done["IncrementalExportSpecification"])
            self.assertEqual({"ExportSummaries": [{"ExportArn": made["ExportArn"], "ExportStatus": "COMPLETED",
                                                   "ExportType": "INCREMENTAL_EXPORT"}]}, self.aws("list-exports"))
