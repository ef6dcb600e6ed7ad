"""Exports to Ceph's S3 gateway, from the request to the bytes in the bucket, read back with boto3. test/ceph/run has
started the gateway; the environment tells where it is."""

import base64
import datetime
import gzip
import hashlib
import json
import os
import pathlib
import random
import re
import subprocess
import tempfile
import unittest
import uuid

import boto3
import botocore.config

from support import exports, faketime
from support.case import ServerCase, client
from support.server import Server, gramme

ENDPOINT, TLS_ENDPOINT, CA = (os.environ[name] for name in ("S3_ENDPOINT", "S3_TLS_ENDPOINT", "S3_CA"))
KEYS = (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
OTHER_KEYS = (os.environ["OTHER_ACCESS_KEY_ID"], os.environ["OTHER_SECRET_ACCESS_KEY"])
KMS_KEY = os.environ["S3_KMS_KEY_ID"]
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
PART = 8 << 20


def s3_client(keys=KEYS):
    return boto3.session.Session().client("s3", endpoint_url=ENDPOINT, region_name="us-east-1",
                                          aws_access_key_id=keys[0], aws_secret_access_key=keys[1],
                                          config=botocore.config.Config(s3={"addressing_style": "path"}))


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


class Suite(unittest.TestCase):
    """What every store must do."""

    def test_store_suite(self):
        s3_client().create_bucket(Bucket=os.environ["S3_BUCKET"])
        done = subprocess.run([os.environ["STORE_SUITE"]], capture_output=True, text=True, timeout=300, check=False,
                              env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"})
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertGreater(len(re.findall(r"^ok ", done.stdout, re.M)), 5)


class GatewayCase(ServerCase):
    """`options` and `environment` of a class say how its server reaches the gateway."""

    environment = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), KEYS))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.s3 = s3_client()
        cls.addClassCleanup(cls.s3.close)
        cls.lake = "lake-" + uuid.uuid4().hex[:8]
        cls.s3.create_bucket(Bucket=cls.lake)

    def fill(self, count, text):
        self.arn = self.create(keys=(("pk", "S"), ("sk", "N")))["TableArn"]
        self.recover()
        self.items = [{"pk": {"S": f"p{at % 7}"}, "sk": {"N": str(at)}, "text": {"S": text(at)}} for at in range(count)]
        for at in range(0, count, 25):
            self.dynamo.batch_write_item(RequestItems={
                self.table: [{"PutRequest": {"Item": item}} for item in self.items[at:at + 25]]})

    def export(self, **more):
        more = {"S3Bucket": self.lake, **more}
        made = self.dynamo.export_table_to_point_in_time(TableArn=self.arn, **more)["ExportDescription"]
        return self.export_done(made["ExportArn"])

    def read(self, key):
        return self.s3.get_object(Bucket=self.lake, Key=key)["Body"].read()

    def read_checked(self, key):
        data = self.read(key)
        self.assertEqual(md5(data), self.read(key.replace(".json", ".md5")).decode())
        return data

    def whole(self, done, encryption=None):
        """The bucket holds the export and nothing unfinished; answers how many parts its largest file has."""
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        summary = json.loads(self.read_checked(done["ExportManifest"]))
        files = [json.loads(line) for line in self.read_checked(summary["manifestFilesS3Key"]).splitlines()]
        found, parts = [], 0
        for file in files:
            answer = self.s3.get_object(Bucket=self.lake, Key=file["dataFileS3Key"])
            data = answer["Body"].read()
            self.assertEqual((md5(data), f'"{file["etag"]}"'), (file["md5Checksum"], answer["ETag"]))
            self.assertEqual(encryption, answer.get("ServerSideEncryption"))
            lines = gzip.decompress(data).splitlines()
            self.assertEqual(file["itemCount"], len(lines))
            found += [json.loads(line)["Item"] for line in lines]
            parts = max(parts, int(file["etag"].rpartition("-")[2]))
        self.assertEqual(self.items, sorted(found, key=lambda item: int(item["sk"]["N"])))
        self.assertEqual((len(found), len(found)), (done["ItemCount"], summary["itemCount"]))
        folder = done["ExportManifest"].rpartition("/")[0] + "/"
        listed = {each["Key"] for each in self.s3.list_objects_v2(Bucket=self.lake, Prefix=folder)["Contents"]}
        self.assertEqual({file["dataFileS3Key"] for file in files} | {
            folder + leaf for leaf in ("_started", "manifest-files.json", "manifest-files.md5", "manifest-summary.json",
                                       "manifest-summary.md5")}, listed)
        self.assertEqual([], self.s3.list_multipart_uploads(Bucket=self.lake).get("Uploads", []))
        return parts

    def verify(self, done, *options, environment=None):
        status, said, complaint = gramme("verify", f"s3://{self.lake}/{done['ExportManifest']}", "--keys", "pk:sk",
                                         *options, environment=environment or self.environment)
        self.assertEqual((0, ""), (status, complaint), said)
        self.assertRegex(said, rf"(?m)^{len(self.items)} (items|changes) ")

    def failed(self, code, pattern, done):
        self.assertEqual(("FAILED", code), (done["ExportStatus"], done.get("FailureCode")), done.get("FailureMessage"))
        self.assertRegex(done["FailureMessage"], pattern)
        self.assertNotIn("EndTime", done)


def refusal(message, status, code):
    return (rf"^{message} \(Service: Amazon S3; Status Code: {status}; Error Code: {code}; Request ID: \S+; "
            r"S3 Extended Request ID: \S+; Proxy: null\)$")


class Plain(GatewayCase):
    options = ("--s3-endpoint", ENDPOINT)

    def test_exports(self):
        self.fill(60, lambda at: "x" * at)
        done = self.export(S3Prefix="night ly+/é")
        self.assertEqual(1, self.whole(done))
        self.verify(done, "--s3-endpoint", ENDPOINT)

    def test_several_parts(self):
        self.fill(300, lambda at: base64.b85encode(random.randbytes(200_000)).decode())
        for more in ({}, {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": KMS_KEY}):
            with self.subTest(more):
                done = self.export(**more)
                self.assertGreater(self.whole(done, "aws:kms" if more else None), 1)
                self.verify(done, "--s3-endpoint", ENDPOINT)

    def test_kms(self):
        self.fill(60, lambda at: "x" * at)
        done = self.export(S3SseAlgorithm="KMS", S3SseKmsKeyId=KMS_KEY)
        self.whole(done, "aws:kms")
        self.assertEqual(("KMS", KMS_KEY), (done["S3SseAlgorithm"], done["S3SseKmsKeyId"]))
        for leaf in ("_started", "manifest-files.json", "manifest-summary.json", "manifest-summary.md5"):
            head = self.s3.head_object(Bucket=self.lake, Key=done["ExportManifest"].replace("manifest-summary.json", leaf))
            self.assertEqual(("aws:kms", KMS_KEY), (head["ServerSideEncryption"], head["SSEKMSKeyId"]))
        self.verify(done, "--s3-endpoint", ENDPOINT)

    def test_kms_keys_that_are_none(self):
        """The gateway has codes of its own for these, and its words are passed on."""
        self.fill(5, str)
        missing = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000"
        self.failed("S3InvalidAccessKeyId", refusal(f"Failed to retrieve the actual key, kms-keyid: {missing}", 403,
                                                    "InvalidAccessKeyId"),
                    self.export(S3SseAlgorithm="KMS", S3SseKmsKeyId=missing))
        self.failed("S3InvalidArgument", r"^Server Side Encryption with KMS managed key requires .*Status Code: 400",
                    self.export(S3SseAlgorithm="KMS"))

    def test_buckets_that_are_none(self):
        self.fill(5, str)
        self.failed("S3NoSuchBucket", refusal("The specified bucket does not exist", 404, "NoSuchBucket"),
                    self.export(S3Bucket="nowhere"))

    def test_owners(self):
        """This gateway (16.2) does not compare the owner: the request says who it is, and the export goes on."""
        self.fill(5, str)
        done = self.export(S3BucketOwner="999999999999")
        self.assertEqual("999999999999", done["S3BucketOwner"])
        self.whole(done)

    def test_buckets_of_others(self):
        self.fill(5, str)
        other = s3_client(OTHER_KEYS)
        bucket = "other-" + uuid.uuid4().hex[:8]
        other.create_bucket(Bucket=bucket)
        self.failed("S3AccessDenied", refusal("Access Denied", 403, "AccessDenied"), self.export(S3Bucket=bucket))
        other.close()

    def test_a_policy_that_ends_amid_the_export(self):
        """_started may be written, nothing else."""
        self.fill(5, str)
        other = s3_client(OTHER_KEYS)
        bucket = "policy-" + uuid.uuid4().hex[:8]
        other.create_bucket(Bucket=bucket)
        other.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject*",
             "Resource": f"arn:aws:s3:::{bucket}/*_started"}]}))
        done = self.export(S3Bucket=bucket)
        self.failed("S3AccessDenied", refusal("Access Denied", 403, "AccessDenied"), done)
        listed = [each["Key"] for each in other.list_objects_v2(Bucket=bucket)["Contents"]]
        self.assertEqual([f"AWSDynamoDB/{done['ExportArn'].rpartition('/')[2]}/_started"], listed)
        other.close()


class Windows(GatewayCase):
    options = ("--s3-endpoint", ENDPOINT)

    @classmethod
    def make_server(cls):
        return Server(*cls.options, environment={**cls.environment, **faketime.at("-1h")})

    def test_exports(self):
        """Incremental, in Ion, encrypted by KMS, of what changed an hour ago."""
        self.fill(30, str)
        self.server.stop()
        self.server.environment = self.environment
        self.server.start()
        type(self).dynamo = client(self.server.url)
        described = self.dynamo.describe_continuous_backups(TableName=self.table)["ContinuousBackupsDescription"]
        since = described["PointInTimeRecoveryDescription"]["EarliestRestorableDateTime"]
        done = self.export(
            ExportType="INCREMENTAL_EXPORT", ExportFormat="ION", S3SseAlgorithm="KMS", S3SseKmsKeyId=KMS_KEY, S3Prefix="w",
            IncrementalExportSpecification={"ExportFromTime": since})
        changes = exports.read_export(self.downloaded(), done, ("pk", "sk"))
        found = [change["NewImage"] for change in changes]
        self.assertEqual(self.items, sorted(found, key=lambda item: int(item["sk"]["N"])))
        self.assertEqual({"Keys", "WriteTimestampMicros", "NewImage"}, {name for change in changes for name in change})
        for listed in self.s3.list_objects_v2(Bucket=self.lake)["Contents"]:
            head = self.s3.head_object(Bucket=self.lake, Key=listed["Key"])
            self.assertEqual(("aws:kms", KMS_KEY), (head["ServerSideEncryption"], head["SSEKMSKeyId"]))
        self.verify(done, *self.options)

    def downloaded(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for listed in self.s3.list_objects_v2(Bucket=self.lake)["Contents"]:
            (folder / listed["Key"]).parent.mkdir(parents=True, exist_ok=True)
            (folder / listed["Key"]).write_bytes(self.read(listed["Key"]))
        return folder


class Tls(GatewayCase):
    options = ("--s3-endpoint", TLS_ENDPOINT, "--s3-ca", CA)

    def test_exports(self):
        self.fill(60, lambda at: "x" * at)
        done = self.export()
        self.whole(done)
        self.verify(done, "--s3-endpoint", TLS_ENDPOINT, "--s3-ca", CA)


class TlsUntrusted(GatewayCase):
    options = ("--s3-endpoint", TLS_ENDPOINT)

    def test_no_export(self):
        self.fill(5, str)
        self.failed("InternalServerError", r"^PUT https://s3.localhost.*certificate", self.export())


class VirtualHost(GatewayCase):
    options = ("--s3-endpoint", ENDPOINT.replace("127.0.0.1", "s3.localhost"), "--s3-style", "host")

    def test_exports(self):
        self.fill(60, lambda at: "x" * at)
        done = self.export(S3Prefix="a/b")
        self.whole(done)
        self.verify(done, *self.options)
        self.failed("S3NoSuchBucket", "^The specified bucket does not exist", self.export(S3Bucket="nowhere"))


class VirtualHostTls(VirtualHost):
    options = ("--s3-endpoint", TLS_ENDPOINT, "--s3-ca", CA, "--s3-style", "host")


class Keys(GatewayCase):
    """From ~/.aws, by a profile; and keys that are none."""

    options = ("--s3-endpoint", ENDPOINT)

    @classmethod
    def make_server(cls):
        home = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (home / ".aws").mkdir()
        (home / ".aws/credentials").write_text(
            "[default]\naws_access_key_id = NOBODY\naws_secret_access_key = nothing\n"
            f"[lake]\naws_access_key_id = {KEYS[0]}\naws_secret_access_key = {KEYS[1]}\n"
            f"[wrong]\naws_access_key_id = {KEYS[0]}\naws_secret_access_key = wrong\n")
        (home / ".aws/config").write_text("[profile lake]\nregion = us-east-1\n")
        cls.home = {**NO_KEYS, "HOME": str(home)}
        return Server(*cls.options, environment={**cls.home, "AWS_PROFILE": "lake"})

    def test_a_profile(self):
        self.fill(5, str)
        done = self.export()
        self.whole(done)
        self.verify(done, *self.options, "--s3-profile", "lake", environment=self.home)
        self.verify(done, *self.options, environment={**self.home, "AWS_PROFILE": "lake"})

    def test_keys_that_are_none(self):
        """A gateway that knows tokens does not tell what is wrong with them."""
        denied = refusal("Access Denied", 403, "AccessDenied")
        for profile in ("default", "wrong"):
            with self.subTest(profile), Server(*self.options, "--s3-profile", profile, environment=self.home) as server:
                self.on_another(server, profile, lambda: self.failed("S3AccessDenied", denied, self.export()))

    def test_session_tokens(self):
        """Keys of a role, from the environment and from a file; the gateway checks their token."""
        sts = boto3.session.Session().client("sts", endpoint_url=ENDPOINT, region_name="us-east-1",
                                             aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1])
        role = sts.assume_role(RoleArn=os.environ["S3_ROLE"], RoleSessionName="gramme")["Credentials"]
        sts.close()
        keys = {"AWS_ACCESS_KEY_ID": role["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": role["SecretAccessKey"]}
        profile = self.server.folder / "role"
        profile.write_text("[default]\n" + "".join(f"{name.lower()} = {value}\n" for name, value in {
            **keys, "AWS_SESSION_TOKEN": role["SessionToken"]}.items()))
        profile.chmod(0o600)
        named = {**NO_KEYS, "HOME": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": str(profile)}
        for name, environment in {"environment": {**keys, "AWS_SESSION_TOKEN": role["SessionToken"]},
                                  "file": named}.items():
            with self.subTest(name), Server(*self.options, environment=environment) as server:
                self.on_another(server, name, lambda: self.check_whole(environment))
        with Server(*self.options, environment=keys) as server:
            self.on_another(server, "none", lambda: self.failed("S3AccessDenied", r"Status Code: 403", self.export()))

    def check_whole(self, environment):
        done = self.export()
        self.whole(done)
        self.verify(done, *self.options, environment=environment)

    def on_another(self, server, name, check):
        usual = self.dynamo
        try:
            type(self).dynamo = boto3.session.Session().client(
                "dynamodb", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="any",
                aws_secret_access_key="any")
            self.table = f"keys-{name}"
            self.fill(5, str)
            check()
        finally:
            type(self).dynamo = usual


if __name__ == "__main__":
    unittest.main()
