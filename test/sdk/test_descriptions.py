"""What is told of every kind of export: each combination of what a request may say, as it is accepted, as it ends and in the
lists, beside the table of members of spec/export.md 1.3 and the manifest. The server writes to an S3 service that has KMS."""

import datetime
import itertools

from support import exports, faketime
from support.case import ServerCase, client
from support.s3_failing import KEYS, FailingS3

KMS_KEY = "arn:aws:kms:us-east-1:000000000000:key/0f0e0d0c-0b0a-4908-8706-050403020100"
OWNER = "111122223333"  # of the buckets
ALWAYS = {"ExportArn", "ExportStatus", "StartTime", "TableArn", "TableId", "ClientToken", "S3Bucket", "S3SseAlgorithm",
          "ExportFormat"}
COMPLETED = {"EndTime", "ExportManifest", "BilledSizeBytes", "ItemCount"}
FAILED = {"FailureCode", "FailureMessage"}
SUFFIX = r" \(Service: Amazon S3; Status Code: \d{3}; Error Code: [\w.]+; Request ID: \w{16}; S3 Extended Request ID: \S+; " \
         r"Proxy: null\)$"
# What ends an export, how.
FAILURES = (
    ({"S3Bucket": "nobody-made-it"}, "S3NoSuchBucket", "^The specified bucket does not exist" + SUFFIX),
    ({"S3BucketOwner": "999999999999"}, "S3AccessDenied", "^Access Denied" + SUFFIX),
    ({"S3Bucket": "locked"}, "S3AccessDenied",
     r'^User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::locked/'
     r'\S+/_started" because no resource-based policy allows the s3:PutObject action' + SUFFIX),
    ({"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": "arn:aws:kms:missing"}, "KmsNotFoundException",
     "^Key 'arn:aws:kms:missing' does not exist" + SUFFIX),
)


def combinations():
    """Of what is said of the type, the format, the encryption, and the place."""
    encryptions = ({}, {"S3SseAlgorithm": "AES256"}, {"S3SseAlgorithm": "KMS"},
                   {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": KMS_KEY}, {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": "alias/k"})
    places = ({}, {"S3Prefix": "some/where", "S3BucketOwner": OWNER})
    formats = ({}, {"ExportFormat": "DYNAMODB_JSON"}, {"ExportFormat": "ION"})
    return itertools.product(range(8), formats, encryptions, places)


class S3Case(ServerCase):
    @classmethod
    def make_server(cls):
        cls.s3 = cls.enterClassContext(FailingS3())
        cls.s3.told("skew", "10000")
        cls.options = (*cls.s3.options, "--export-parts", "8")
        cls.environment = KEYS
        return super().make_server()

    def listed(self):
        """All summaries of the table, by ARN, newest first."""
        found, more = [], {}
        while True:
            page = self.dynamo.list_exports(TableArn=self.arn, MaxResults=25, **more)
            found += page["ExportSummaries"]
            if "NextToken" not in page:
                break
            self.assertEqual(25, len(page["ExportSummaries"]))
            more = {"NextToken": page["NextToken"]}
        arns = [each["ExportArn"] for each in found]
        self.assertEqual(sorted(arns, reverse=True), arns)
        return {each["ExportArn"]: each for each in found}

    def check_listed(self, ended):
        listed = self.listed()
        self.assertEqual({done["ExportArn"] for done in ended}, set(listed))
        for done in ended:
            self.assertEqual({"ExportArn": done["ExportArn"], "ExportStatus": done["ExportStatus"],
                              "ExportType": done.get("ExportType", "FULL_EXPORT")}, listed[done["ExportArn"]])


class Descriptions(S3Case):
    def setUp(self):
        """Tables that were made, and changed, an hour ago."""
        super().setUp()
        self.serve(faketime.at("-1h"))
        self.tables = [self.prepare(name) for name in ("completed", "failed")]
        self.serve({})

    def prepare(self, name):
        """Answers ARN, id, and the first second of recovery."""
        made = self.create(name)
        since = self.recover(name)["EarliestRestorableDateTime"]
        for key in ("a", "b", "c"):
            self.dynamo.put_item(TableName=name, Item={"pk": {"S": key}, "n": {"N": "1"}})
        return made["TableArn"], made["TableId"], since

    def serve(self, clock):
        self.server.stop()
        self.server.environment = {**KEYS, **clock}
        self.server.start()
        type(self).dynamo = client(self.server.url)

    def kinds(self):
        """Of a request: full at some time or now, the type said or not; incremental, with all said or nothing that need
        not be. And what is resolved."""
        until = self.since + datetime.timedelta(minutes=15)
        window = {"ExportFromTime": self.since, "ExportToTime": until}
        for spec in ({}, {"ExportType": "FULL_EXPORT"}):
            yield spec, {}
            yield {**spec, "ExportTime": until}, {}
        for view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
            yield ({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {**window, "ExportViewType": view}},
                   {})
        yield ({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": window},
               {"IncrementalExportSpecification": {**window, "ExportViewType": "NEW_AND_OLD_IMAGES"}})
        yield {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {"ExportFromTime": self.since}}, {
            "IncrementalExportSpecification": {"ExportFromTime": self.since, "ExportViewType": "NEW_AND_OLD_IMAGES"}}

    def begin(self, sent, resolved):
        """Answers the description and what it must hold from then on."""
        made = self.dynamo.export_table_to_point_in_time(**sent)["ExportDescription"]
        wanted = {"S3SseAlgorithm": "AES256", "ExportFormat": "DYNAMODB_JSON", **sent, **resolved}
        if "IncrementalExportSpecification" in wanted:
            wanted["IncrementalExportSpecification"] = {"ExportToTime": made["StartTime"],
                                                        **wanted["IncrementalExportSpecification"]}
            self.assertEqual(0, made["StartTime"].microsecond)
        else:
            wanted.setdefault("ExportTime", made["StartTime"])
        self.assertEqual(ALWAYS | set(wanted), set(made))
        self.assertEqual({**wanted, "ExportStatus": "IN_PROGRESS", "TableId": self.table_id}, {
            name: made[name] for name in (*wanted, "ExportStatus", "TableId")})
        self.assertEqual(f"{round(made['StartTime'].timestamp() * 1000):014}", made["ExportArn"].split("/")[-1].split("-")[0])
        return made

    def begin_all(self, combine):
        kinds = list(self.kinds())
        begun = []
        for at, *more in combine:
            sent = {"TableArn": self.arn, "S3Bucket": "bucket"}
            for each in more:
                sent |= each
            sent |= {"ClientToken": f"{self.arn}-{len(begun)}", **kinds[at][0]}
            begun.append((sent, self.begin(sent, kinds[at][1])))
        return begun

    def test_every_combination(self):
        for (self.arn, self.table_id, self.since), check in zip(self.tables, (self.check_completed, self.check_failed)):
            check()

    def check_completed(self):
        begun = self.begin_all(combinations())
        ended = [self.export_done(made["ExportArn"]) for _, made in begun]
        bucket = self.server.folder / "objects"
        self.s3.write_objects(bucket)
        for (sent, made), done in zip(begun, ended):
            with self.subTest(sent):
                self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
                self.assertEqual(set(made) | COMPLETED, set(done))
                self.assertEqual({**made, "ExportStatus": "COMPLETED"}, {name: done[name] for name in made})
                incremental = "IncrementalExportSpecification" in sent
                self.assertEqual((3, 10_000_000 if incremental else 3 * 6), (done["ItemCount"], done["BilledSizeBytes"]))
                # All members of the summary and their order, beside the description.
                self.assertEqual(3, len(exports.read_export(bucket / "bucket", done)))
                self.assertEqual(done, self.dynamo.export_table_to_point_in_time(**sent)["ExportDescription"])
        self.check_listed(ended)

    def check_failed(self):
        begun = self.begin_all((at, change) for change, _, _ in FAILURES for at in range(8))
        ended = [self.export_done(made["ExportArn"]) for _, made in begun]
        for at, ((sent, made), done) in enumerate(zip(begun, ended)):
            with self.subTest(sent):
                _, code, message = FAILURES[at // 8]
                self.assertEqual(("FAILED", code), (done["ExportStatus"], done.get("FailureCode")))
                self.assertRegex(done["FailureMessage"], message)
                self.assertEqual(set(made) | FAILED, set(done))
                self.assertEqual({**made, "ExportStatus": "FAILED"}, {name: done[name] for name in made})
                self.assertEqual(done, self.dynamo.export_table_to_point_in_time(**sent)["ExportDescription"])
        self.check_listed(ended)


class Words(S3Case):
    def test_words_that_are_no_text_or_too_long(self):
        """What an S3 service says may be any bytes, and more than is kept."""
        self.arn = arn = self.create()["TableArn"]
        self.recover()
        prefixes = ["é" * 1000, "a" + "é" * 1000, "日" * 340, "🐘" * 250]
        self.s3.told("fail", "1000000 PUT /bucket/bytes* bytes")
        begun = [self.dynamo.export_table_to_point_in_time(TableArn=arn, S3Bucket="locked", S3Prefix=prefix)
                 for prefix in prefixes]
        begun.append(self.dynamo.export_table_to_point_in_time(TableArn=arn, S3Bucket="bucket", S3Prefix="bytes"))
        ended = [self.export_done(made["ExportDescription"]["ExportArn"]) for made in begun]
        self.assertEqual({("FAILED", "S3AccessDenied")}, {(done["ExportStatus"], done["FailureCode"]) for done in ended})
        for prefix, done in zip(prefixes, ended):
            said = f'User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:PutObject on resource: ' \
                   f'"arn:aws:s3:::locked/{prefix}'
            self.assertTrue(done["FailureMessage"].startswith(said[:900]), done["FailureMessage"])
        self.assertIn("Request ID: ??; S3 Extended Request ID: ?;", ended[-1]["FailureMessage"])
        self.check_listed(ended)
