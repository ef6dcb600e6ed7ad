"""One instant: writers bump item a and then, once that is acknowledged, item b, on different partition keys, as fast
as they can, while exports of now and of past instants are taken. Whatever instant an export shows must have
existed. SECONDS (6) is how long the writers run, or longer where a busy machine has not made EXPORTS by then."""

import os
import random
import threading
import time

from support import exports
from support.case import ServerCase
from support.load import Connection

SECONDS = float(os.environ.get("SECONDS", "6"))
PAIRS = 8
EXPORTS = 6
BUCKET = "instant"


class Pair(threading.Thread):
    """One writer. `history[side]` lists (count, sent, acknowledged), on the clock that the server has too."""

    def __init__(self, number, url, table):
        super().__init__()
        self.names = [f"p{number}-a", f"p{number}-b"]
        self.connection = Connection(url)
        self.table = table
        self.history = ([], [])
        self.ending = threading.Event()
        self.failure = None

    def run(self):
        try:
            count = 0
            while not self.ending.is_set():
                count += 1
                for side, name in enumerate(self.names):
                    sent = time.time()
                    self.connection.put(self.table, pk=name, count=str(count), pad="x" * (count % 300))
                    self.history[side].append((count, sent, time.time()))
        except Exception as failure:  # told by the test
            self.failure = failure
        finally:
            self.connection.close()

    def acknowledged(self, side):
        return len(self.history[side])


class Instant(ServerCase):
    def test_exports_under_load(self):
        self.server.bucket(BUCKET)
        arn = self.create()["TableArn"]
        self.recover()
        pairs = [Pair(number, self.server.url, self.table) for number in range(PAIRS)]
        for pair in pairs:
            pair.start()
        try:
            made = self.take_exports(arn, pairs)
        finally:
            for pair in pairs:
                pair.ending.set()
            for pair in pairs:
                pair.join()
        for pair in pairs:
            if pair.failure:
                raise pair.failure
        for description, asked in made:
            self.check(description, asked, pairs)
        writes = sum(pair.acknowledged(side) for pair in pairs for side in (0, 1))
        print(f"# {len(made)} exports while {writes} writes were made")
        self.assertGreater(writes, 100)

    def take_exports(self, arn, pairs):
        """Exports of now and of the past in turn, EXPORTS at least; answers (description, what was acknowledged when it
        was asked for)."""
        connection, random_time = Connection(self.server.url), random.Random()
        start, made = time.time() + 0.2, []
        while time.time() < start + SECONDS or len(made) < EXPORTS:
            more = {}
            if len(made) % 2 and time.time() > start + 0.1:
                more["ExportTime"] = int(random_time.uniform(start, time.time() - 0.01) * 1000) / 1000
            asked = [[pair.acknowledged(side) for side in (0, 1)] for pair in pairs]
            description = connection.call("ExportTableToPointInTime", TableArn=arn, S3Bucket=BUCKET, **more)
            description = description["ExportDescription"]
            made.append((description, asked if not more else None))
            self.export_done(description["ExportArn"])
        connection.close()
        return made

    def check(self, description, asked, pairs):
        done = self.export_done(description["ExportArn"])
        items = exports.read_export(self.server.buckets / BUCKET, done)
        counts = {each["pk"]["S"]: int(each["count"]["S"]) for each in items}
        when = description["ExportTime"]
        for number, pair in enumerate(pairs):
            a, b = (counts.pop(name, 0) for name in pair.names)
            self.assertIn(a - b, (0, 1), f"a is {a} and b is {b} at {when}")
            for side, value in enumerate((a, b)):
                self.check_value(pair.history[side], value, when)
                if asked is not None:
                    self.assertGreaterEqual(value, asked[number][side], "acknowledged before it was asked for")
        self.assertEqual({}, counts)

    def check_value(self, history, value, when):
        """Write number `value` was sent before the instant, and its successor not acknowledged before it."""
        if value > 0:
            self.assertLess(history[value - 1][1], when, f"write {value} was sent after the instant")
        if value < len(history):
            self.assertGreaterEqual(history[value][2], when, f"write {value + 1} was acknowledged before the instant")
