"""The s3 store on an S3 service that is not ours: by itself, and under exports."""

import gzip
import json
import os
import re
import subprocess
import unittest

from support.case import ServerCase
from support.s3_service import REGION, S3Service
from support.server import gramme


class Suite(unittest.TestCase):
    def test_store_suite(self):
        with S3Service() as s3:
            s3.client.create_bucket(Bucket="bucket")
            done = subprocess.run([os.environ["STORE_SUITE"]], capture_output=True, text=True, timeout=100, check=False,
                                  env={**os.environ, **s3.environment, "S3_ENDPOINT": s3.url, "S3_REGION": REGION,
                                       "S3_BUCKET": "bucket", "CMOCKA_MESSAGE_OUTPUT": "TAP"})
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            self.assertGreater(len(re.findall(r"^ok ", done.stdout, re.M)), 5)


class Exports(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.s3 = cls.enterClassContext(S3Service())
        cls.s3.client.create_bucket(Bucket="acme-lake")
        cls.options = ("--s3-endpoint", cls.s3.url)
        cls.environment = cls.s3.environment
        super().setUpClass()

    def export(self, **more):
        arn = self.create(keys=(("pk", "S"), ("sk", "N")))["TableArn"]
        self.recover()
        self.items = [{"pk": {"S": f"p{at % 7}"}, "sk": {"N": str(at)}, "text": {"S": "x" * at}} for at in range(50)]
        for item in self.items:
            self.dynamo.put_item(TableName=self.table, Item=item)
        started = self.dynamo.export_table_to_point_in_time(TableArn=arn, **more)["ExportDescription"]
        return self.export_done(started["ExportArn"])

    def read(self, key):
        return self.s3.client.get_object(Bucket="acme-lake", Key=key)["Body"].read()

    def test_objects_come_back(self):
        done = self.export(S3Bucket="acme-lake", S3Prefix="night ly+")
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        summary = json.loads(self.read(done["ExportManifest"]))
        files = [json.loads(line) for line in self.read(summary["manifestFilesS3Key"]).splitlines()]
        lines = b"".join(gzip.decompress(self.read(file["dataFileS3Key"])) for file in files).splitlines()
        found = [json.loads(line)["Item"] for line in lines]
        self.assertEqual(self.items, sorted(found, key=lambda item: int(item["sk"]["N"])))
        for file in files:
            head = self.s3.client.head_object(Bucket="acme-lake", Key=file["dataFileS3Key"])
            self.assertEqual((f'"{file["etag"]}"', "AES256"), (head["ETag"], head["ServerSideEncryption"]))
        status, said, complaint = gramme("verify", "s3://acme-lake/" + done["ExportManifest"], "--keys", "pk:sk",
                                         "--s3-endpoint", self.s3.url, environment=self.s3.environment)
        self.assertEqual((0, ""), (status, complaint), said)
        self.assertIn("50 items", said)

    def test_missing_bucket(self):
        done = self.export(S3Bucket="nowhere")
        self.assertEqual(("FAILED", "S3NoSuchBucket"), (done["ExportStatus"], done["FailureCode"]))
        self.assertRegex(done["FailureMessage"], r"^The specified bucket does not exist \(Service: Amazon S3; Status Code: 404; "
                         r"Error Code: NoSuchBucket; Request ID: \S+; S3 Extended Request ID: \S+; Proxy: null\)$")


if __name__ == "__main__":
    unittest.main()
