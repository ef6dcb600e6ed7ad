"""A server with credentials lets in who signs rightly, and nobody else."""

import datetime
import os
import pathlib
import tempfile
import unittest.mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from support.case import REGION, ServerCase, client
from support.server import gramme

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OTHER, OTHER_SECRET = "AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"


def credentials_file(mode=0o600):
    file = tempfile.NamedTemporaryFile("w", suffix=".credentials", delete=False)
    with file:
        for name, key, secret in (("one", KEY, SECRET), ("two", OTHER, OTHER_SECRET)):
            file.write(f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    os.chmod(file.name, mode)
    return pathlib.Path(file.name)


class Signatures(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.file = credentials_file()
        cls.addClassCleanup(cls.file.unlink)
        cls.options = ("--credentials", str(cls.file))
        super().setUpClass()

    def test_good_keys(self):
        for key, secret in ((KEY, SECRET), (OTHER, OTHER_SECRET)):
            client(self.server.url, key=key, secret=secret).list_tables()

    def test_wrong_secret(self):
        self.refused("InvalidSignatureException", None, client(self.server.url, key=KEY, secret="wrong").list_tables)

    def test_unknown_key(self):
        self.refused("UnrecognizedClientException", "The security token included in the request is invalid...",
                     client(self.server.url, key="AKIANOBODY", secret=SECRET).list_tables)

    def test_wrong_region_and_service(self):
        self.refused("InvalidSignatureException", None,
                     client(self.server.url, key=KEY, secret=SECRET, region="eu-west-1").list_tables)

    def signed(self, body=b"{}", when=None, sent=None, change=None):
        """A request signed by botocore's signer; `change` is made to its headers afterwards."""
        request = botocore.awsrequest.AWSRequest("POST", self.server.url + "/", data=body, headers={
            "X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"})
        signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), "dynamodb", REGION)
        if when is not None:
            with unittest.mock.patch("botocore.auth.get_current_datetime", return_value=when):
                signer.add_auth(request)
        else:
            signer.add_auth(request)
        headers = {"Authorization": None, "X-Amz-Date": None, **dict(request.headers.items()), **(change or {})}
        return self.post(sent if sent is not None else body, headers=headers)

    def test_signed_by_hand(self):
        status, _, body = self.signed()
        self.assertEqual(200, status, body)

    def test_changed_after_signing(self):
        for change, sent in ((None, b'{"Limit":1}'), ({"X-Amz-Target": "DynamoDB_20120810.DescribeLimits"}, None)):
            status, _, body = self.signed(sent=sent, change=change)
            self.assertEqual(400, status)
            self.assertIn(b"InvalidSignatureException", body)

    def test_expired_and_from_the_future(self):
        now = datetime.datetime.now(datetime.UTC)
        for minutes in (-6, 6):
            status, _, body = self.signed(when=now + datetime.timedelta(minutes=minutes))
            self.assertEqual(400, status)
            self.assertIn(b"InvalidSignatureException", body)
        status, _, body = self.signed(when=now - datetime.timedelta(minutes=4))
        self.assertEqual(200, status, body)

    def test_broken_headers(self):
        for value in ("AWS4-HMAC-SHA256", "Basic abc", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host",
                      "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=, Signature=zz", "x" * 8000):
            with self.subTest(value=value[:40]):
                status, _, body = self.post({}, headers={"Authorization": value})
                self.assertEqual(400, status, body)
        status, _, body = self.post({}, headers={"Authorization": None})
        self.assertIn(b"MissingAuthenticationTokenException", body)

    def test_file_for_everybody_is_refused(self):
        file = credentials_file(0o644)
        try:
            status, _, said = gramme("serve", "--data", tempfile.mkdtemp(), "--credentials", file)
        finally:
            file.unlink()
        self.assertNotEqual(0, status)
        self.assertIn(str(file), said)
