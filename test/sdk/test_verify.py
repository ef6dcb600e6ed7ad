"""`gramme verify` on exports made here, in a folder and on an S3 service."""

import base64
import gzip
import hashlib
import json
import pathlib
import shutil
import tempfile
import unittest

from support.s3_service import S3Service
from support.server import gramme

ID = "01760000000123-0a1b2c3d"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"
FOLDER = f"nightly/AWSDynamoDB/{ID}"
HEADER = bytes.fromhex("1f8b08000000000000ff")


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def packed(lines):
    return HEADER + gzip.compress(b"".join(lines), mtime=0)[10:]


def objects():
    """Key -> bytes of an export of 100 items of 5 + 2 bytes in two files, one of them empty."""
    full = packed(compact({"Item": {"pk": {"S": f"{at:03}"}}}) + b"\n" for at in range(100))
    files = {"aaaabbbbccccddddeeeeffff22": (100, full), "zzzzyyyyxxxxwwwwvvvvuuuu77": (0, packed([]))}
    made = {"_started": b""}
    lines = b""
    for name, (count, data) in files.items():
        made[f"data/{name}.json.gz"] = data
        etag = hashlib.md5(hashlib.md5(data).digest()).hexdigest() + "-1"
        lines += compact({"itemCount": count, "md5Checksum": md5(data), "etag": etag,
                          "dataFileS3Key": f"{FOLDER}/data/{name}.json.gz"}) + b"\n"
    made["manifest-files.json"] = lines
    made["manifest-summary.json"] = compact({
        "version": "2020-06-30", "exportArn": f"{TABLE}/export/{ID}", "startTime": "2025-10-09T08:53:20.123Z",
        "endTime": "2025-10-09T08:53:29.456Z", "tableArn": TABLE, "tableId": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "exportTime": "2025-10-09T08:53:20.123Z", "s3Bucket": "acme-lake", "s3Prefix": "nightly",
        "s3SseAlgorithm": "AES256", "s3SseKmsKeyId": None, "manifestFilesS3Key": f"{FOLDER}/manifest-files.json",
        "billedSizeBytes": 500, "itemCount": 100, "outputFormat": "DYNAMODB_JSON"})
    for name in ("files", "summary"):
        made[f"manifest-{name}.md5"] = md5(made[f"manifest-{name}.json"]).encode()
    return {f"{FOLDER}/{leaf}": data for leaf, data in made.items()}


class Folder(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="gramme-test-"))
        self.addCleanup(shutil.rmtree, self.root)
        for key, data in objects().items():
            (self.root / key).parent.mkdir(parents=True, exist_ok=True)
            (self.root / key).write_bytes(data)
        self.folder = self.root / FOLDER

    def test_whole(self):
        for where in (self.folder, f"{self.folder}/", self.folder / "manifest-summary.json"):
            status, said, complaint = gramme("verify", where, "--keys", "pk")
            self.assertEqual((0, ""), (status, complaint), said)
            self.assertIn(f"{TABLE}/export/{ID}, the table as of 2025-10-09T08:53:20.123Z\n", said)
            self.assertIn("100 items of 500 bytes", said)
            self.assertTrue(said.endswith("the export is whole\n"), said)

    def test_leaves_nothing_behind(self):
        before = sorted(self.root.rglob("*"))
        gramme("verify", self.folder)
        self.assertEqual(before, sorted(self.root.rglob("*")))

    def test_damaged(self):
        path = next(path for path in (self.folder / "data").iterdir() if path.stat().st_size > 20)
        data = bytearray(path.read_bytes())
        data[-6] ^= 1
        path.write_bytes(data)
        status, said, _ = gramme("verify", self.folder)
        self.assertEqual(1, status)
        self.assertIn(f"data/{path.name}: its MD5 is", said)
        self.assertIn(f"data/{path.name}: the gzip checksum is wrong", said)
        self.assertRegex(said, r"the export is not whole: \d problems\n$")

    def test_wrong_keys(self):
        status, said, _ = gramme("verify", self.folder, "--keys", "pk:sk")
        self.assertEqual(1, status)
        self.assertIn("line 1: the key attribute sk is missing", said)

    def test_usage(self):
        for arguments in ((), ("a", "b"), ("--nonsense",), ("a", "--keys"), ("a", "--s3-style", "odd"), ("s3://bucket",),
                          ("s3://bucket/AWSDynamoDB/x",)):
            status, said, complaint = gramme("verify", *arguments)
            self.assertEqual((2, ""), (status, said), arguments)
            self.assertTrue(complaint.startswith("gramme verify: "), complaint)
        status, _, complaint = gramme("verify", self.root / "nowhere")
        self.assertEqual(1, status)
        self.assertIn("there is no such folder", complaint)
        status, said, complaint = gramme("verify", "--help")
        self.assertEqual((0, ""), (status, complaint))
        self.assertIn("--s3-endpoint", said)


class Service(unittest.TestCase):
    def test_on_s3(self):
        with S3Service() as s3:
            s3.client.create_bucket(Bucket="acme-lake")
            for key, data in objects().items():
                if "/data/" in key:  # as exports upload them: their etags say so
                    upload = {"Bucket": "acme-lake", "Key": key}
                    upload["UploadId"] = s3.client.create_multipart_upload(**upload)["UploadId"]
                    etag = s3.client.upload_part(PartNumber=1, Body=data, **upload)["ETag"]
                    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
                    s3.client.complete_multipart_upload(MultipartUpload=parts, **upload)
                else:
                    s3.client.put_object(Bucket="acme-lake", Key=key, Body=data)
            where = (f"s3://acme-lake/{FOLDER}", "--s3-endpoint", s3.url)
            status, said, complaint = gramme("verify", *where, environment=s3.environment)
            self.assertEqual((0, ""), (status, complaint), said)

            changed = next(key for key in objects() if "/data/" in key)
            s3.client.put_object(Bucket="acme-lake", Key=changed, Body=objects()[changed])
            s3.client.put_object(Bucket="acme-lake", Key=f"{FOLDER}/extra", Body=b"")
            status, said, _ = gramme("verify", *where, environment=s3.environment)
            self.assertEqual(1, status)
            self.assertIn("the store has etag", said)
            self.assertIn("extra: it does not belong to the export", said)

            status, said, complaint = gramme("verify", "s3://nowhere/x", *where[1:], environment=s3.environment)
            self.assertEqual((1, ""), (status, said))
            self.assertIn("Error Code: NoSuchBucket", complaint)


if __name__ == "__main__":
    unittest.main()
