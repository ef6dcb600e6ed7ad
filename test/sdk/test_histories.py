"""A random history of two tables, and exports of all kinds of it: full(t0) + the windows that follow = full(tn), by our
own commands and beside a plain model. The clock stands still where the history puts it, so that each write has its
microsecond: the first and the last of every window too. SEED chooses a history."""

import datetime
import itertools
import os
import pathlib
import random
import tempfile
import time
import unittest

from support import exports, faketime
from support.case import client, wait_for
from support.server import Server, gramme

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
BUCKET = "histories"
SECOND = 1000000
WINDOWS = 4  # of each format and view one
WRITES = 8  # between two edges, beside those at them
FORMATS = ("DYNAMODB_JSON", "ION")
VIEWS = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
NAMES = ("a", "b", "Item", "null", "x-y", "$1", "\u00e9 '\\\"")
TEXT = "ab \"'\\\n\t\x01\x7f\u00e9\u4e2d\U0001f600"


def instant(micros):
    return datetime.datetime.fromtimestamp(micros // SECOND, datetime.UTC) + datetime.timedelta(
        microseconds=micros % SECOND)


class Values:
    """Attribute values of all ten types, as GetItem would answer them."""

    def __init__(self, chance):
        self.chance = chance

    def text(self):
        return "".join(self.chance.choices(TEXT, k=self.chance.randrange(6)))

    def number(self):
        """An integer or a fraction, of at most 38 digits."""
        whole = str(self.chance.randrange(10 ** self.chance.randrange(1, 20)))
        fraction = str(self.chance.randrange(10 ** self.chance.randrange(1, 18))).rstrip("0")
        number = whole + (f".{fraction}" if fraction and self.chance.random() < 0.5 else "")
        return "-" + number if number != "0" and self.chance.random() < 0.3 else number

    def data(self):
        return self.chance.randbytes(self.chance.randrange(5))

    def several(self, make):
        return list({make() for _ in range(self.chance.randrange(1, 4))})

    def value(self, depth=0):
        kinds = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS"] + (["L", "M"] if depth < 3 else [])
        kind = self.chance.choice(kinds)
        inner = {"S": self.text, "N": self.number, "B": self.data, "BOOL": lambda: self.chance.random() < 0.5,
                 "NULL": lambda: True, "SS": lambda: self.several(self.text), "NS": lambda: self.several(self.number),
                 "BS": lambda: self.several(self.data),
                 "L": lambda: [self.value(depth + 1) for _ in range(self.chance.randrange(4))],
                 "M": lambda: {self.chance.choice(NAMES): self.value(depth + 1)
                               for _ in range(self.chance.randrange(4))}}[kind]()
        return {kind: inner}

    def attributes(self):
        names = self.chance.sample(NAMES, self.chance.randrange(len(NAMES)))
        return {name: self.value() for name in names}

    def key(self, kind):
        few = {"S": ("a", "b", "\u00e9\"'", "a\n"), "N": ("0", "-1", "7", "1.5"), "B": (b"\x00", b"a", b"\xff", b"ab")}
        return {kind: self.chance.choice(few[kind])}


class Table:
    """A table of the server, and what every key of it was since when."""

    def __init__(self, dynamo, chance, name):
        self.dynamo, self.chance, self.name = dynamo, chance, name
        self.values = Values(chance)
        self.kinds = {"pk": chance.choice("SNB")} | ({"sk": chance.choice("SNB")} if name != "simple" else {})
        self.schema = ":".join(self.kinds)
        self.versions = {}  # by key: (time, item or None), and so on
        made = dynamo.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(self.kinds, ("HASH", "RANGE"))],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in self.kinds.items()])
        self.arn = made["TableDescription"]["TableArn"]

    def recover(self, enabled=True, **more):
        self.dynamo.update_continuous_backups(
            TableName=self.name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled, **more})

    # --- the model

    def key_of(self, item):
        [key] = exports.by_key([exports.plain({name: item[name] for name in self.kinds})], self.kinds)
        return key

    def at(self, key, micros):
        """What it was just before."""
        before = [item for written, item in self.versions.get(key, ()) if written < micros]
        return before[-1] if before else None

    def state(self, micros):
        found = {key: self.at(key, micros) for key in self.versions}
        return {key: exports.plain(item) for key, item in found.items() if item is not None}

    def changes(self, since, until, view):
        """By key: (time, image before, image after), absent ones None."""
        found = {}
        for key, versions in self.versions.items():
            times = [written for written, _ in versions if since <= written < until]
            images = [image and exports.plain(image) for image in (self.at(key, since), self.at(key, until))]
            if times and any(images):
                found[key] = (times[-1], images[0] if view != "NEW_IMAGE" else None, images[1])
        return found

    def written(self, item, after, micros):
        key = self.key_of(item)
        if after is not None or self.at(key, micros + 1) is not None:  # what is not there cannot be deleted
            self.versions.setdefault(key, []).append((micros, after))

    # --- writes

    def keys(self, count):
        found = [{name: self.values.key(kind) for name, kind in self.kinds.items()} for _ in range(count)]
        return list({self.key_of(key): key for key in found}.values())

    def write(self, micros):
        kinds = (self.one, self.one, self.again, self.update, self.batch, self.transaction)
        self.chance.choice(kinds)(micros)

    def after(self, key, micros):
        """What a key shall be: nothing, what it is, or something else."""
        was, fate = self.at(self.key_of(key), micros + 1), self.chance.random()
        if fate < 0.3:
            return None
        return was if was and fate < 0.5 else {**key, **self.values.attributes()}

    def send(self, key, item):
        if item is None:
            self.dynamo.delete_item(TableName=self.name, Key=key)
        else:
            self.dynamo.put_item(TableName=self.name, Item=item)

    def one(self, micros):
        [key] = self.keys(1)
        item = self.after(key, micros)
        self.send(key, item)
        self.written(key, item, micros)

    def again(self, micros):
        """Deleted, and back."""
        [key] = self.keys(1)
        for item in (None, self.after(key, micros)):
            self.send(key, item)
            self.written(key, item, micros)

    def update(self, micros):
        [key] = self.keys(1)
        item = dict(self.at(self.key_of(key), micros + 1) or key)
        item["a"] = self.values.value()
        item.pop("b", None)
        self.dynamo.update_item(TableName=self.name, Key=key, UpdateExpression="SET a = :a REMOVE b",
                                ExpressionAttributeValues={":a": item["a"]})
        self.written(key, item, micros)

    def batch(self, micros):
        items = [(key, self.after(key, micros)) for key in self.keys(4)]
        requests = [{"DeleteRequest": {"Key": key}} if item is None else {"PutRequest": {"Item": item}}
                    for key, item in items]
        done = self.dynamo.batch_write_item(RequestItems={self.name: requests})
        assert not done["UnprocessedItems"], done
        for key, item in items:
            self.written(key, item, micros)

    def transaction(self, micros):
        items = [(key, self.after(key, micros)) for key in self.keys(3)]
        self.dynamo.transact_write_items(TransactItems=[
            {"Delete": {"TableName": self.name, "Key": key}} if item is None else
            {"Put": {"TableName": self.name, "Item": item}} for key, item in items])
        for key, item in items:
            self.written(key, item, micros)


class Histories(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.chance = random.Random(SEED)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.bucket = self.server.bucket(BUCKET)
        self.clock = faketime.Clock(self.server.folder / "clock")
        self.began = int(time.time())
        self.last = 0
        self.move(self.began * SECOND)
        self.server.environment = self.clock.environment
        self.server.start()
        self.dynamo = client(self.server.url)

    def restart(self, seconds):
        """With a clock that goes on, so far ahead: exports ask for the time often, and that is quicker than a file."""
        self.server.stop()
        self.server.environment = faketime.at(f"+{seconds}")
        self.server.start()

    def move(self, micros):
        """A clock that steps back stands still for writes; answers the time that they have."""
        self.clock.set(micros)
        self.last = max(self.last, micros)
        return self.last

    # --- the history

    def make_history(self, tables):
        """Answers the edges of the windows."""
        for table in tables:
            table.recover()
            table.recover(False)
        self.write(tables, 1, 60)  # what no log tells
        for table in tables:
            table.recover()
        start = self.began + 100
        edges = [start]
        for _ in range(WINDOWS):
            edges.append(edges[-1] + self.chance.choice((900, 901, self.chance.randrange(900, 5 * 3600))))
        self.write(tables, 61, 100)
        for since, until in zip(edges, edges[1:]):
            for table in tables:
                table.recover(RecoveryPeriodInDays=self.chance.randrange(2, 36))
            self.write(tables, since - self.began, until - self.began)
        self.write(tables, edges[-1] - self.began, edges[-1] - self.began + 60)
        return edges

    def write(self, tables, since, until):
        """Random writes of these seconds, and some at the edges."""
        since, until = ((self.began + each) * SECOND for each in (since, until))
        times = sorted(self.chance.choices(range(since, until), k=WRITES))
        for micros in [since, since, since + 1, *times, until - 1, until - 1]:
            if self.chance.random() < 0.1:
                micros -= self.chance.randrange(SECOND)
            now = self.move(micros)
            for table in tables:
                table.write(now)

    # --- its exports

    def begin(self, table, **more):
        prefix = self.chance.choice(({}, {"S3Prefix": "some/where"}))
        made = self.dynamo.export_table_to_point_in_time(TableArn=table.arn, S3Bucket=BUCKET, **prefix, **more)
        return made["ExportDescription"]["ExportArn"]

    def full(self, table, second, form):
        return self.begin(table, ExportTime=instant(second * SECOND), ExportFormat=form)

    def window(self, table, since, until, form, view):
        return self.begin(table, ExportType="INCREMENTAL_EXPORT", ExportFormat=form, IncrementalExportSpecification={
            "ExportFromTime": instant(since * SECOND), "ExportToTime": instant(until * SECOND),
            "ExportViewType": view})

    def done(self, arn):
        def ended():
            found = self.dynamo.describe_export(ExportArn=arn)["ExportDescription"]
            return found if found["ExportStatus"] != "IN_PROGRESS" else None
        done = wait_for(ended, "the export")
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        return done

    def check_full(self, table, done):
        items = map(exports.plain, exports.read_export(self.bucket, done, tuple(table.kinds)))
        wanted = table.state(round(done["ExportTime"].timestamp() * SECOND))
        self.assertEqual(wanted, exports.by_key(items, table.kinds))

    def check_window(self, table, done):
        lines = exports.read_export(self.bucket, done, tuple(table.kinds))
        found = {table.key_of(line["Keys"]): (line["WriteTimestampMicros"], *(
            exports.plain(line[name]) if name in line else None for name in ("OldImage", "NewImage")))
            for line in lines}
        self.assertEqual(len(lines), len(found))
        window = done["IncrementalExportSpecification"]
        times = (round(window[name].timestamp()) * SECOND for name in ("ExportFromTime", "ExportToTime"))
        self.assertEqual(table.changes(*times, window["ExportViewType"]), found)

    def checked(self, table, arn):
        """Beside the model, and by `gramme verify`; answers the folder."""
        done = self.done(arn)
        with self.subTest(done["ExportFormat"], window=done.get("IncrementalExportSpecification")):
            check = self.check_window if "IncrementalExportSpecification" in done else self.check_full
            check(table, done)
        return self.bucket / pathlib.Path(done["ExportManifest"]).parent

    def run_gramme(self, table, command, *arguments):
        status, said, complaint = gramme(command, *arguments, "--keys", table.schema)
        self.assertEqual((0, ""), (status, complaint), said)
        return said

    def check_exports(self, table, edges):
        kinds = list(itertools.product(FORMATS, VIEWS))
        self.chance.shuffle(kinds)
        begun = [self.full(table, edge, form) for edge in (edges[0], edges[-1]) for form in FORMATS]
        begun += [self.window(table, since, until, *kind) for since, until, kind in zip(edges, edges[1:], kinds)]
        begun += [self.window(table, edges[0], edges[-1], *kind) for kind in zip(FORMATS, VIEWS)]
        folders = [self.checked(table, arn) for arn in begun]
        said = self.run_gramme(table, "verify", *folders)
        self.assertEqual(len(folders), said.count("the export is whole"))
        first, last, steps, spans = folders[:2], folders[2:4], folders[4:-2], folders[-2:]
        for one, other in (first, last):
            self.assertEqual("", self.run_gramme(table, "diff", one, other))
        self.chance.shuffle(steps)
        for begin, changes, end in ((first[0], steps, last[1]), (first[1], steps, last[0]),
                                    (first[0], spans[1:], last[0]), (first[1], spans[:1], last[1])):
            self.assertEqual("", self.run_gramme(table, "diff", self.replayed(table, begin, *changes), end))

    def replayed(self, table, *folders):
        out = tempfile.mkdtemp(dir=self.server.folder)
        result = self.run_gramme(table, "replay", *folders, "--out", out).splitlines()[-1]
        self.run_gramme(table, "verify", result)
        return result

    def test_full_and_windows_are_a_later_full(self):
        print(f"# SEED={SEED}")
        tables = [Table(self.dynamo, self.chance, name) for name in ("simple", "sorted")]
        edges = self.make_history(tables)
        self.restart(edges[-1] + 120 - self.began)
        for table in tables:
            with self.subTest(table.name, kinds=table.kinds):
                self.check_exports(table, edges)
