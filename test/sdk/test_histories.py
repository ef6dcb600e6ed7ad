"""Random histories of two tables, and exports of all kinds of them: full(t0) + the windows that follow = full(tn), by our
own commands and beside a plain model. The clock stands still where the history puts it, so that each write has its
microsecond: the first and the last of every window too. It steps back, the server is restarted, and recovery reaches less
far back when its period is lowered; what came before is refused, whatever the period is later. Between two eras recovery is
off: exports that were accepted before go on. The tables have secondary indexes, which show the same. SEED chooses a
history."""

import datetime
import itertools
import os
import pathlib
import random
import tempfile
import time
import unittest

import botocore.exceptions

from support import exports, faketime
from support.case import client, wait_for
from support.server import Server, gramme

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
BUCKET = "histories"
SECOND = 1000000
DAY = 24 * 3600
PERIODS = (1, 1, 2, 3, 35)  # of recovery, in days
ERAS = 2
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
        """With some of those that are keys of indexes."""
        names = self.chance.sample(NAMES, self.chance.randrange(len(NAMES)))
        keys = {name: self.key(kind) for name, kind in (("g", "S"), ("h", "N")) if self.chance.random() < 0.6}
        return {name: self.value() for name in names} | keys

    def key(self, kind):
        few = {"S": ("a", "b", "\u00e9\"'", "a\n"), "N": ("0", "-1", "7", "1.5"), "B": (b"\x00", b"a", b"\xff", b"ab")}
        return {kind: self.chance.choice(few[kind])}


def key_schema(names):
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(names, ("HASH", "RANGE"))]


def index(name, keys, projection):
    return {"IndexName": name, "KeySchema": key_schema(keys), "Projection": {"ProjectionType": projection}}


class Table:
    """A table of the server, and what every key of it was since when."""

    def __init__(self, dynamo, chance, name):
        self.dynamo, self.chance, self.name = dynamo, chance, name
        self.values = Values(chance)
        self.kinds = {"pk": chance.choice("SNB")} | ({"sk": chance.choice("SNB")} if name != "simple" else {})
        self.schema = ":".join(self.kinds)
        self.versions = {}  # by key: (time, item or None), and so on
        self.days, self.earliest = None, 0  # of recovery; None: it is off
        indexes = {"GlobalSecondaryIndexes": [index("global", ["g"], "ALL")]}
        if len(self.kinds) > 1:
            indexes["LocalSecondaryIndexes"] = [index("local", ["pk", "h"], chance.choice(("KEYS_ONLY", "ALL")))]
        attributes = self.kinds | {"g": "S"} | ({"h": "N"} if len(self.kinds) > 1 else {})
        made = dynamo.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=key_schema(self.kinds), **indexes,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in attributes.items()])
        self.arn = made["TableDescription"]["TableArn"]

    def recover(self, micros, days):
        """At this time. What a shorter period gives up, a longer one does not bring back."""
        self.earliest = max(self.earliest, micros - min(days, self.days) * DAY * SECOND) if self.days else micros
        self.days = days
        self.send_recovery(PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=days)

    def forget(self):
        self.days = None
        self.send_recovery(PointInTimeRecoveryEnabled=False)

    def send_recovery(self, **specification):
        self.dynamo.update_continuous_backups(TableName=self.name, PointInTimeRecoverySpecification=specification)

    def reaches(self, micros):
        """How far back recovery does at this time."""
        return max(self.earliest, micros - self.days * DAY * SECOND)

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
        kinds = (self.one, self.one, self.again, self.update, lambda now: batch([self], now),
                 lambda now: transaction([self], now))
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

    def updated(self, key, micros):
        """What an update makes of a key, and its expression."""
        item = dict(self.at(self.key_of(key), micros + 1) or key)
        item["a"] = self.values.value()
        item.pop("g", None)
        return item, {"UpdateExpression": "SET a = :a REMOVE g", "ExpressionAttributeValues": {":a": item["a"]}}

    def update(self, micros):
        [key] = self.keys(1)
        item, update = self.updated(key, micros)
        if self.chance.random() < 0.2:  # one that names nothing to change is a write all the same
            item, update = self.at(self.key_of(key), micros + 1) or key, {}
        self.dynamo.update_item(TableName=self.name, Key=key, **update)
        self.written(key, item, micros)

    def requests(self, micros):
        """Of a batch; and what they make of their keys."""
        items = [(key, self.after(key, micros)) for key in self.keys(4)]
        return [{"DeleteRequest": {"Key": key}} if item is None else {"PutRequest": {"Item": item}}
                for key, item in items], items

    def actions(self, micros):
        """Of a transaction, likewise."""
        keys, items, actions = self.keys(5), [], []
        for key in keys[:-1] or keys:
            where = {"TableName": self.name, "Key": key}
            item, update = self.updated(key, micros)
            action = {"Update": {**where, **update}}
            if self.chance.random() < 0.7:
                item = self.after(key, micros)
                action = {"Delete": where} if item is None else {"Put": {"TableName": self.name, "Item": item}}
            items.append((key, item))
            actions.append(action)
        if len(keys) > 1:  # and one that is looked at, which is no write
            exists = "attribute_exists" if self.at(self.key_of(keys[-1]), micros + 1) else "attribute_not_exists"
            actions.append({"ConditionCheck": {"TableName": self.name, "Key": keys[-1],
                                               "ConditionExpression": f"{exists}(pk)"}})
        return actions, items

    def all_written(self, items, micros):
        for key, item in items:
            self.written(key, item, micros)

    # --- indexes

    def scanned(self, name):
        pages = self.dynamo.get_paginator("scan").paginate(TableName=self.name, IndexName=name)
        return exports.by_key([exports.plain(item) for page in pages for item in page["Items"]], self.kinds)


def batch(tables, micros):
    parts = [table.requests(micros) for table in tables]
    done = tables[0].dynamo.batch_write_item(
        RequestItems={table.name: requests for table, (requests, _) in zip(tables, parts)})
    assert not done["UnprocessedItems"], done
    for table, (_, items) in zip(tables, parts):
        table.all_written(items, micros)


def transaction(tables, micros):
    parts = [table.actions(micros) for table in tables]
    tables[0].dynamo.transact_write_items(TransactItems=[action for actions, _ in parts for action in actions])
    for table, (_, items) in zip(tables, parts):
        table.all_written(items, micros)


class Histories(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.chance = random.Random(SEED)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.bucket = self.server.bucket(BUCKET)
        self.clock = faketime.Clock(self.server.folder / "clock")
        self.stand_still(int(time.time()))
        self.dynamo = client(self.server.url)

    def serve(self, environment):
        if self.server.running():
            self.server.stop()
        self.server.environment = environment
        self.server.start()

    def stand_still(self, second):
        """With a clock that only move() moves."""
        self.began = second
        self.last = 0
        self.move(second * SECOND)
        self.serve(self.clock.environment)

    def go_on(self, second):
        """With a clock that runs on from about there: exports ask for the time often, and that is quicker than a file."""
        self.ahead = second - int(time.time())
        self.serve(faketime.at(f"+{self.ahead}"))

    def now(self):
        """Where the clock is that goes on."""
        return int(time.time()) + self.ahead

    def move(self, micros):
        """A clock that steps back stands still for writes; answers the time that they have."""
        self.clock.set(micros)
        self.last = max(self.last, micros)
        return self.last

    # --- the history

    def make_era(self, tables):
        """Answers the edges of its windows."""
        self.write(tables, 1, 60)  # what no log tells
        for table in tables:
            table.recover(self.last, 35)
        edges = [self.began + 100]
        for _ in range(WINDOWS):
            edges.append(edges[-1] + self.chance.choice((900, 901, DAY, self.chance.randrange(900, DAY))))
        self.write(tables, 61, 100)
        for since, until in zip(edges, edges[1:]):
            for table in tables:
                table.recover(self.last, self.chance.choice(PERIODS))
            self.write(tables, since - self.began, until - self.began)
        self.write(tables, edges[-1] - self.began, edges[-1] - self.began + 60)
        return edges

    def write(self, tables, since, until):
        """Random writes of these seconds, and some at the edges."""
        since, until = ((self.began + each) * SECOND for each in (since, until))
        times = sorted(self.chance.choices(range(since, until), k=WRITES))
        for micros in [since, since, since + 1, *times, until - 1, until - 1]:
            if self.chance.random() < 0.1:
                micros -= self.chance.randrange(self.chance.choice((1, 1, 200)) * SECOND)
            ahead = micros - self.last
            now = self.move(micros)
            if ahead > SECOND and self.chance.random() < 0.05:
                self.serve(self.clock.environment)
            if self.chance.random() < 0.1:
                self.chance.choice((batch, transaction))(tables, now)
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

    def check_indexes(self, table):
        state = table.state(self.last + 1)
        self.assertEqual({key: item for key, item in state.items() if "g" in item}, table.scanned("global"))
        if len(table.kinds) > 1:
            self.assertEqual({key for key, item in state.items() if "h" in item}, set(table.scanned("local")))

    def begin_exports(self, table, edges):
        """Of what recovery reaches; the rest is refused. Answers (full ones, windows one after the other, windows over
        all of them that a window can span)."""
        least = table.reaches(self.now() * SECOND)
        for edge in [each for each in edges if each * SECOND < least]:
            self.check_refusals(table, edge)
        edges = [each for each in edges if each * SECOND > least + 120 * SECOND]  # while we look
        late = next(each for each in edges if edges[-1] - each <= DAY)
        kinds = list(itertools.product(FORMATS, VIEWS))
        self.chance.shuffle(kinds)
        return ([self.full(table, edge, form) for edge in (edges[0], late, edges[-1]) for form in FORMATS],
                [self.window(table, since, until, *kind) for since, until, kind in zip(edges, edges[1:], kinds)],
                [self.window(table, late, edges[-1], *kind) for kind in zip(FORMATS, VIEWS) if late < edges[-1]])

    def check_refusals(self, table, edge):
        for begin, text in (
                (lambda: self.full(table, edge, "ION"), "Point in Time Recovery is not available for specified export time"),
                (lambda: self.window(table, edge, edge + 900, "ION", "NEW_IMAGE"),
                 "Incremental export period from time cannot be less than the table creation time : "
                 f"{instant(edge * SECOND):%Y-%m-%dT%H:%M:%SZ}")):
            with self.assertRaises(botocore.exceptions.ClientError) as caught:
                begin()
            error = caught.exception.response["Error"]
            self.assertEqual(("InvalidExportTimeException", text), (error["Code"], error["Message"]))

    def check_exports(self, table, *begun):
        fulls, steps, spans = ([self.checked(table, arn) for arn in arns] for arns in begun)
        said = self.run_gramme(table, "verify", *fulls, *steps, *spans)
        self.assertEqual(len(fulls + steps + spans), said.count("the export is whole"))
        first, late, last = fulls[:2], fulls[2:4], fulls[4:]
        for one, other in (first, late, last):
            self.assertEqual("", self.run_gramme(table, "diff", one, other))
        self.chance.shuffle(steps)
        chains = [(first[0], steps, last[1]), (first[1], steps, last[0])] if steps else []
        chains += [(begin, [span], end) for begin, span, end in zip(late, reversed(spans), reversed(last))]
        for begin, changes, end in chains:
            self.assertEqual("", self.run_gramme(table, "diff", self.replayed(table, begin, *changes), end))

    def replayed(self, table, *folders):
        out = tempfile.mkdtemp(dir=self.server.folder)
        result = self.run_gramme(table, "replay", *folders, "--out", out).splitlines()[-1]
        self.run_gramme(table, "verify", result)
        return result

    def test_full_and_windows_are_a_later_full(self):
        print(f"# SEED={SEED}")
        tables = [Table(self.dynamo, self.chance, name) for name in ("simple", "sorted")]
        for era in range(ERAS):
            edges = self.make_era(tables)
            self.go_on(edges[-1] + 120)
            begun = [self.begin_exports(table, edges) for table in tables]
            for table in tables:
                self.check_indexes(table)
                table.forget()
            for table, arns in zip(tables, begun):
                with self.subTest(table.name, kinds=table.kinds, era=era):
                    self.check_exports(table, *arns)
            self.stand_still(self.now() + 10)
