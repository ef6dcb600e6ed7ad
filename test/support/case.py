"""Test cases on a running server: one server for each module of tests, one table name for each test."""

import json
import threading
import time
import unittest
import urllib.error
import urllib.request
import uuid

import boto3
import botocore.config
import botocore.exceptions

from support import model
from support.server import Server, gramme

REGION = "us-east-1"
WAIT_SECONDS = 60
POLL_SECONDS = 0.02
# With each request that is made by hand.
SENT = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Date": "20260101T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/dynamodb/aws4_request, "
                         "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64}


def client(url, validate=True, attempts=1, key="AKIAIOSFODNN7EXAMPLE", secret="secret", service="dynamodb", **more):
    """A boto3 client whose every reply is checked against the model. `validate` False: lets anything out, so
    that it is the server who answers."""
    made = boto3.session.Session().client(
        service, endpoint_url=url, region_name=more.pop("region", REGION), aws_access_key_id=key,
        aws_secret_access_key=secret, aws_session_token=more.pop("token", None),
        config=botocore.config.Config(parameter_validation=validate, connect_timeout=10, read_timeout=60,
                                      max_pool_connections=64,
                                      retries={"total_max_attempts": attempts, "mode": "standard"}, **more))
    return model.watch(made)


def wait_for(state, what):
    """Waits until `state()` is true and answers it."""
    end = time.monotonic() + WAIT_SECONDS
    pause = threading.Event()
    while time.monotonic() < end:
        found = state()
        if found:
            return found
        pause.wait(POLL_SECONDS)
    raise AssertionError(f"waited {WAIT_SECONDS} s for {what}")


class ServerCase(unittest.TestCase):
    """`self.dynamo` validates its parameters as every program's does; `self.raw` sends what it is given."""

    options = ()
    environment = None
    maxDiff = None

    @classmethod
    def make_server(cls):
        return Server(*cls.options, environment=cls.environment)

    @classmethod
    def setUpClass(cls):
        cls.server = cls.make_server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.dynamo = client(cls.server.url)
        cls.raw = client(cls.server.url, validate=False)

    def setUp(self):
        self.table = f"{self._testMethodName}-{uuid.uuid4().hex[:8]}"

    # --- tables

    def create(self, name=None, keys=(("pk", "S"),), **more):
        """A table on demand; answers its description."""
        if "BillingMode" not in more:
            more["BillingMode"] = "PAY_PER_REQUEST"
        more.setdefault("AttributeDefinitions", [{"AttributeName": key, "AttributeType": kind} for key, kind in keys])
        made = self.dynamo.create_table(
            TableName=name or self.table,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for (key, _), kind in zip(keys, ("HASH", "RANGE"))],
            **more)
        self.dynamo.get_waiter("table_exists").wait(TableName=name or self.table,
                                                    WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        return made["TableDescription"]

    def recover(self, name=None, **specification):
        """Switches point-in-time recovery on; answers the description."""
        return self.dynamo.update_continuous_backups(
            TableName=name or self.table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, **specification},
        )["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]

    def scan_all(self, name=None, **more):
        pages = self.dynamo.get_paginator("scan").paginate(TableName=name or self.table, **more)
        return [item for page in pages for item in page["Items"]]

    # --- databases and exports

    def export_done(self, arn):
        """Waits until an export has ended, either way; answers its description."""
        def ended():
            description = self.dynamo.describe_export(ExportArn=arn)["ExportDescription"]
            return description if description["ExportStatus"] != "IN_PROGRESS" else None
        return wait_for(ended, f"the export {arn}")

    def whole(self):
        """No server has the database open: each index in it is what its table says, and the figures are right."""
        status, said, wrong = gramme("check", "--data", self.server.data)
        self.assertEqual(0, status, said + wrong)

    # --- errors

    def refused(self, code, message, call, **parameters):
        """The call fails with this code and message; a message that ends in ... is compared so far."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**parameters)
        error = caught.exception.response["Error"]
        self.assertEqual(code, error["Code"], error["Message"])
        if message is not None and message.endswith("..."):
            self.assertEqual(message[:-3], error["Message"][:len(message) - 3])
        elif message is not None:
            self.assertEqual(message, error["Message"])
        return caught.exception.response

    def post(self, body, target="DynamoDB_20120810.ListTables", headers=None, method="POST", path="/"):
        """A request made by hand; answers (status, headers, body)."""
        sent = {**SENT, "X-Amz-Target": target, **(headers or {})}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server.url + path, data=data, method=method,
                                         headers={name: value for name, value in sent.items() if value is not None})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()
