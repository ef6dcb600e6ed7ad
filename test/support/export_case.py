"""Test cases of exports: a bucket for each test, exports that are waited for and verified."""

import datetime
import uuid

from support import exports
from support.case import ServerCase

ACCOUNT = "000000000000"


def now():
    return datetime.datetime.now(datetime.UTC)


class ExportCase(ServerCase):
    def setUp(self):
        super().setUp()
        self.bucket = f"b-{uuid.uuid4().hex[:8]}"
        self.server.bucket(self.bucket)

    def remembering(self, **more):
        """A table with recovery switched on; answers its ARN."""
        arn = self.create(**more)["TableArn"]
        self.recover()
        return arn

    def export(self, arn, client=None, **more):
        parameters = {"TableArn": arn, "S3Bucket": self.bucket, **more}
        return (client or self.dynamo).export_table_to_point_in_time(**parameters)["ExportDescription"]

    def exported(self, arn, keys=("pk",), **more):
        """Exports, waits, verifies; answers (description, items by key)."""
        done = self.export_done(self.export(arn, **more)["ExportArn"])
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        items = exports.read_export(self.server.buckets / done["S3Bucket"], done, keys)
        return done, exports.by_key(map(exports.plain, items), keys)

    def put(self, key, **attributes):
        self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": key}, **attributes})

    def table_now(self, keys=("pk",)):
        return exports.by_key(map(exports.plain, self.scan_all()), keys)

    def pages(self, **parameters):
        """All pages of ListExports, for which botocore has no paginator."""
        page = self.dynamo.list_exports(**parameters)
        yield page
        while "NextToken" in page:
            page = self.dynamo.list_exports(NextToken=page["NextToken"], **parameters)
            yield page
