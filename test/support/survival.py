"""What a server keeps through its ends, whatever ends it: each acknowledged write, none torn; items, indexes,
statistics and change log that agree; exports that go on under their ids and show their instants; indexes that are
added and dropped meanwhile."""

import random
import threading
import time
import zlib

from support import exports
from support.case import ServerCase, wait_for
from support.load import Connection, Gone

WRITERS = 8
KEYS = 6  # of each writer
BUCKET = "survival"


def index(name, keys, projection, *included):
    return {"IndexName": name,
            "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"))],
            "Projection": {"ProjectionType": projection, **({"NonKeyAttributes": [*included]} if included else {})}}


def attributes(*names):
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


INDEXES = [index("groups", ["group", "count"], "ALL"), index("sums", ["sum"], "KEYS_ONLY")]
LATE = index("late", ["group", "sum"], "INCLUDE", "count")  # is added and dropped


def item(key, count):
    """The item that the write number `count` puts under a key: it shows by itself whether it is whole. A third of
    them have no group."""
    body = (f"{key}:{count};" * 200)[:200 + count % 600]
    return {"pk": key, "count": str(count), "body": body, "sum": str(zlib.crc32(body.encode())),
            **({"group": f"g{count % 7}"} if count % 3 else {})}


def size(items):
    """By the service's formula; these items hold strings only."""
    return sum(len(name) + len(text) for each in items.values() for name, text in each.items())


def instant():
    """A whole millisecond, in seconds, behind all that was acknowledged and before all that will be sent."""
    noted = int(time.time() * 1000) + 1
    while time.time() * 1000 <= noted + 1:
        pass
    return noted / 1000


class Writer(threading.Thread):
    """Puts and deletes its own keys until the server goes away, and remembers what it was told."""

    def __init__(self, number, url, table, known, seed):
        super().__init__()
        self.connection = Connection(url)
        self.table, self.known = table, known  # key -> item or None, acknowledged
        self.keys = [f"w{number}-{at}" for at in range(KEYS)]
        self.random = random.Random(seed)
        self.doubt = None  # (key, item or None) of the write that nobody answered
        self.writes = 0
        self.failure = None

    def run(self):
        try:
            while True:
                key = self.random.choice(self.keys)
                wanted = None if self.random.random() < 0.2 else item(key, self.random.randrange(1 << 30))
                self.doubt = (key, wanted)
                if wanted is None:
                    self.connection.delete(self.table, key)
                else:
                    self.connection.put(self.table, **wanted)
                self.known[key] = wanted
                self.doubt = None
                self.writes += 1
        except Gone:
            pass
        except Exception as failure:  # told by the test
            self.failure = failure
        finally:
            self.connection.close()


class Survival(ServerCase):
    """One table with recovery on. `known` is what was acknowledged: key -> item, or None once it is deleted."""

    seed = None
    filler = 1500  # items that nobody writes again
    resumed = 0  # builds of an index that were seen to be unfinished after a start

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed)
        self.server.bucket(BUCKET)
        self.arn = self.create(AttributeDefinitions=attributes("pk", "group", "count", "sum"),
                               GlobalSecondaryIndexes=INDEXES)["TableArn"]
        self.recover()
        self.known = {f"f{at}": item(f"f{at}", at) for at in range(self.filler)}
        connection = Connection(self.server.url)
        for each in self.known.values():
            connection.put(self.table, **each)
        connection.close()

    def present(self):
        return {key: each for key, each in self.known.items() if each is not None}

    def interrupt(self, end):
        """Load, and end() in the middle of it; answers the writers."""
        writers = self.write()
        ender = threading.Timer(self.random.uniform(0.02, 0.6), end)
        ender.start()
        ender.join()
        self.join(writers)
        self.server.check_log()
        return writers

    def write(self):
        writers = [Writer(number, self.server.url, self.table, self.known, self.random.random())
                   for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        return writers

    def late(self):
        """The status of the index that comes and goes; None: there is none."""
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        statuses = {each["IndexName"]: each["IndexStatus"] for each in table["GlobalSecondaryIndexes"]}
        self.assertEqual({"groups": "ACTIVE", "sums": "ACTIVE"},
                         {name: statuses[name] for name in statuses if name != "late"})
        return statuses.get("late")

    def change_indexes(self):
        """Adds it, or drops it once it is built; answers whether it is to be there from now on."""
        status = self.late()
        if status == "CREATING":
            return True
        self.dynamo.update_table(
            TableName=self.table,
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "late"}} if status else {"Create": LATE}],
            AttributeDefinitions=attributes("pk", "group", "count", "sum"))
        return status is None

    def join(self, writers):
        for writer in writers:
            writer.join()
            if writer.failure:
                raise writer.failure

    def compare(self, writers):
        """The table holds what is known, or what was in doubt; answers how many doubts had happened."""
        found = self.found()
        taken = 0
        for key, wanted in [writer.doubt for writer in writers if writer.doubt]:
            if found.get(key) == wanted and wanted != self.known.get(key):
                self.known[key] = wanted
                taken += 1
        self.same(self.present(), found)
        self.compare_index("groups", lambda each: each)
        return taken

    def compare_index(self, name, project):
        """An index on groups shows what is known."""
        connection = Connection(self.server.url)
        found = connection.scan(self.table, IndexName=name)
        connection.close()
        self.same({key: project(each) for key, each in self.present().items() if "group" in each}, found)

    def compare_late(self, there):
        """The index that comes and goes is there, or gone, as was promised; and what it must be once it is built."""
        status = self.late()
        self.assertEqual(there, status is not None)
        self.resumed += status == "CREATING"
        if there:
            wait_for(lambda: self.late() == "ACTIVE", "an index to be built")
            self.compare_index("late", lambda each: {name: each[name] for name in ("pk", "group", "sum", "count")})

    def found(self):
        """All items, which agree with the table's statistics."""
        connection = Connection(self.server.url)
        found = connection.scan(self.table)
        table = connection.call("DescribeTable", TableName=self.table)["Table"]
        self.assertEqual((len(found), size(found)), (table["ItemCount"], table["TableSizeBytes"]))
        connection.close()
        return found

    def same(self, wanted, found):
        """assertEqual of large states, told briefly."""
        wrong = [key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]
        self.assertEqual([], [(key, wanted.get(key), found.get(key)) for key in wrong[:3]])

    def export(self, when):
        connection = Connection(self.server.url)
        made = connection.call("ExportTableToPointInTime", TableArn=self.arn, S3Bucket=BUCKET, ExportTime=when)
        connection.close()
        return made["ExportDescription"]

    def finish(self, made, state):
        """The export ends well, is the one that was promised, and shows its instant; its description."""
        done = self.export_done(made["ExportArn"])
        self.assertEqual("COMPLETED", done["ExportStatus"], done.get("FailureMessage"))
        self.assertEqual((made["StartTime"], made["ExportTime"]),
                         (done["StartTime"].timestamp(), done["ExportTime"].timestamp()))
        items = exports.read_export(self.server.buckets / BUCKET, done)
        self.same(state, {each["pk"]["S"]: {name: value["S"] for name, value in each.items()} for each in items})
        return done
