"""Exports in Ion, read by the official readers for Python and JavaScript: they hold what the table holds and what
the same export in DynamoDB JSON holds."""

import base64
import gzip
import json
import pathlib
import subprocess
import unittest
import uuid

from support import exports, ion
from support.case import ServerCase
from test_items import EVERY_TYPE

READER = pathlib.Path(__file__).parent / "javascript" / "read_ion.cjs"
NUMBERS = ["0", "-7", "42", "100", "600", "860670", "39.29", "0.5", "-0.05", "0.000001", "0.0000012345",
           "0.0000001", "1E-130", "-1E-130", "1E+125", "9.9999999999999999999999999999999999999E+125", "9" * 38, "-" + "9" * 38,
           "1234567890123456789.0123456789012345678", "0.00000000000000000000000000000000000001"]
NAMES = ["plain", "my-attr", "with space", "null", "true", "false", "nan", "$1", "$12", "$", "$ion_1_0", "1a",
         "a.b", "it's", 'say "x"', "back\\slash", "Ü", "日本", "🐘", "tab\t", "line\nend", "\x00", "\x7f", "\x85", "Item"]
TEXTS = ["", "abc", "'", '"', "\\", "a'b\"c\\d", "".join(map(chr, range(0x20))), "\x7f\x80\x85\x9f\xa0", "Grüße",
         "日本語", "🐘🐘", "\u2028\u2029\ufeff", "{{AAEC}}", "$ion_1_0", "x" * 5000, "0123456789abcde\n", "é" * 40]
BINARIES = [b"", b"\0", b"\0\1", b"\0\1\2", bytes(range(256)), b"\xff" * 1000]


def items():
    """Items of all types, with what is awkward in numbers, names, texts and binary values."""
    yield EVERY_TYPE
    yield {"pk": {"S": "numbers"}, "all": {"NS": NUMBERS[:-1]},
           **{f"n{at}": {"N": text} for at, text in enumerate(NUMBERS)}}
    yield {"pk": {"S": "names"}, "in": {"M": {name: {"S": name} for name in NAMES}},
           **{name: {"S": name} for name in NAMES}}
    yield {"pk": {"S": "texts"}, "all": {"SS": TEXTS}, "list": {"L": [{"S": text} for text in TEXTS]}}
    yield {"pk": {"S": "binary"}, "all": {"BS": BINARIES}, "list": {"L": [{"B": data} for data in BINARIES]}}
    for at, text in enumerate(TEXTS[1:]):
        yield {"pk": {"S": f"{at}{text[:100]}"}}
    deep = {"M": {"x": {"L": [{"NULL": True}, {"BOOL": False}]}}}
    for _ in range(13):
        deep = {"M": {"m": {"L": [deep, {"L": []}, {"M": {}}]}}}
    yield {"pk": {"S": "deep"}, "d": deep}


def numbers_plain(item):
    """Numbers as the service prints them."""
    text = json.dumps(item, default=lambda data: base64.b64encode(data).decode())
    return ion.from_javascript(json.loads(text))


class Ion(ServerCase):
    def setUp(self):
        super().setUp()
        self.bucket = f"b-{uuid.uuid4().hex[:8]}"
        self.server.bucket(self.bucket)

    def exported(self, arn, keys, **more):
        made = self.dynamo.export_table_to_point_in_time(TableArn=arn, S3Bucket=self.bucket, **more)
        done = self.export_done(made["ExportDescription"]["ExportArn"])
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        found = exports.read_export(self.server.buckets / self.bucket, done, keys)
        return done, exports.by_key(map(exports.plain, found), keys)

    def text(self, done):
        """All lines of an export."""
        folder = self.server.buckets / self.bucket / done["ExportManifest"]
        return b"".join(gzip.decompress(path.read_bytes()) for path in (folder.parent / "data").iterdir())

    def by_javascript(self, text):
        read = subprocess.run(["node", READER], input=text, capture_output=True, check=False)
        self.assertEqual((0, b""), (read.returncode, read.stderr))
        return [ion.from_javascript(json.loads(line)["Item"]["M"]) for line in read.stdout.splitlines()]

    def both(self, keys):
        """Exports the table in both formats and compares all readers with each other; answers the items."""
        arn = self.recovered
        done, by_python = self.exported(arn, keys, ExportFormat="ION")
        self.assertEqual("ION", done["ExportFormat"])
        _, in_json = self.exported(arn, keys)
        self.assertEqual(in_json, by_python)
        javascript = self.by_javascript(self.text(done))
        self.assertEqual(in_json, exports.by_key(map(exports.plain, javascript), keys))
        return in_json

    def test_every_type(self):
        self.recovered = self.create()["TableArn"]
        self.recover()
        put = list(items())
        for item in put:
            self.dynamo.put_item(TableName=self.table, Item=item)
        wanted = exports.by_key(map(exports.plain, map(numbers_plain, put)))
        self.assertEqual(wanted, self.both(("pk",)))

    def test_keys_of_each_type(self):
        for kinds in ("SN", "NB", "BS"):
            with self.subTest(kinds):
                self.setUp()
                values = {"S": [{"S": text} for text in TEXTS[1:5]], "N": [{"N": text} for text in NUMBERS],
                          "B": [{"B": data} for data in BINARIES[1:5]]}
                keys = (("a key", kinds[0]), ("null", kinds[1]))
                self.recovered = self.create(keys=keys)["TableArn"]
                self.recover()
                for one in values[kinds[0]]:
                    for other in values[kinds[1]]:
                        self.dynamo.put_item(TableName=self.table, Item={"a key": one, "null": other, "v": {"S": "x"}})
                found = self.both(("a key", "null"))
                self.assertEqual(len(values[kinds[0]]) * len(values[kinds[1]]), len(found))

    def test_empty_table(self):
        self.recovered = self.create()["TableArn"]
        self.recover()
        self.assertEqual({}, self.both(("pk",)))
        self.assertEqual(4, len(list((self.server.buckets / self.bucket).rglob("*.ion.gz"))))

    def test_tokens_and_lists(self):
        arn = self.create()["TableArn"]
        self.recover()
        parameters = {"TableArn": arn, "S3Bucket": self.bucket, "ExportFormat": "ION", "ClientToken": uuid.uuid4().hex}
        first = self.dynamo.export_table_to_point_in_time(**parameters)["ExportDescription"]
        self.assertEqual(first["ExportArn"],
                         self.dynamo.export_table_to_point_in_time(**parameters)["ExportDescription"]["ExportArn"])
        self.refused("ExportConflictException",
                     "Export conflict: Duplicate request detected with conflicting parameters",
                     self.dynamo.export_table_to_point_in_time, **{**parameters, "ExportFormat": "DYNAMODB_JSON"})
        self.export_done(first["ExportArn"])


if __name__ == "__main__":
    unittest.main()
