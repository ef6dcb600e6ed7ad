"""A disk that fails (support/diskfaults.c) under a whole server: a failed sync stops writes until a restart, a full
disk refuses them while it is full, a full folder of buckets fails an export. Reads go on, and what was acknowledged
is there after a restart. Commands that sort say which folder is full. SEED repeats the load."""

import os
import pathlib
import random
import shutil
import tempfile
import unittest
import urllib.request

from support import made
from support.case import wait_for
from support.load import Connection, Refused
from support.server import Server, gramme
from support.survival import BUCKET, Survival, instant, item

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
WRITES = 40  # before the fault comes


class DiskCase(Survival):
    seed = SEED
    filler = 200

    @classmethod
    def make_server(cls):
        server = Server()
        cls.controls = server.folder / "controls"
        cls.controls.mkdir()
        server.environment = {"LD_PRELOAD": os.environ["DISKFAULTS_SHIM"], "DISKFAULTS": str(cls.controls)}
        return server

    def tell(self, fault, path):
        """From now on files whose path holds `path` have this fault."""
        unfinished = self.controls / "unfinished"
        unfinished.write_text(path)
        unfinished.rename(self.controls / fault)

    def mend(self, fault):
        (self.controls / fault).unlink()

    def put_refused(self):
        """A put is answered 500, and names no reason that is none of a client's business."""
        connection = Connection(self.server.url)
        with self.assertRaises(Refused) as caught:
            connection.put(self.table, pk="refused")
        self.assertEqual(500, caught.exception.status)
        self.assertIn("InternalServerError", caught.exception.body)
        connection.close()

    def write_until_refused(self, fault, path):
        """Load, the fault in the middle of it; answers the writers, all of which were refused."""
        writers = self.write()
        wait_for(lambda: sum(writer.writes for writer in writers) > WRITES, "some writes")
        self.tell(fault, path)
        for writer in writers:
            writer.join()
            self.assertIsInstance(writer.failure, Refused)
            self.assertEqual(500, writer.failure.status)
        return writers

    def more(self):
        """Writes are taken again."""
        connection = Connection(self.server.url)
        for at in range(10):
            self.known[f"more{at}"] = item(f"more{at}", at)
            connection.put(self.table, **self.known[f"more{at}"])
        connection.close()
        self.same(self.present(), self.found())

    def metric(self, name):
        with urllib.request.urlopen(self.server.url + "/metrics", timeout=30) as reply:
            lines = dict(line.rsplit(" ", 1) for line in reply.read().decode().splitlines() if line[0] != "#")
        return float(lines[name])

    def wait_for_nothing_left(self):
        """The files that an export works on go right after its end."""
        unfinished = self.server.buckets / BUCKET / ".%unfinished"
        wait_for(lambda: not any(unfinished.rglob("*")) and not self.server.scratch_files(),
                 "the end of temporary files")


class Sync(DiskCase):
    def test_a_failed_sync_stops_writes(self):
        print(f"# SEED={SEED}")
        when, state = instant(), self.present()
        running = self.export(when)
        writers = self.write_until_refused("sync", ".log")
        self.put_refused()
        self.assertEqual(1, self.metric("gramme_engine_failed"))
        self.same(self.present(), self.undoubted(self.found(), writers))  # reads go on
        self.mend("sync")
        self.put_refused()  # what the kernel dropped is not there when the next sync succeeds
        self.server.restart()
        self.compare(writers)
        self.finish(running, state)
        self.more()

    def undoubted(self, found, writers):
        """`found`, with what is known for the keys of which nobody knows."""
        doubts = {key for key, _ in (writer.doubt for writer in writers)}
        return {key: each for key, each in {**found, **{key: self.known.get(key) for key in doubts}}.items() if each}


class Full(DiskCase):
    def test_a_full_disk_refuses_writes_while_it_is_full(self):
        self.write_until_refused("full", "/data/")
        self.put_refused()
        self.same(self.present(), self.found())  # none of the refused has happened
        self.assertEqual(0, self.metric("gramme_engine_failed"))
        self.mend("full")
        self.more()
        self.server.restart()
        self.same(self.present(), self.found())


class Bucket(DiskCase):
    def test_a_full_bucket_fails_the_export(self):
        when, state = instant(), self.present()
        self.tell("nospace", "/buckets/")
        failed = self.export_done(self.export(when)["ExportArn"])
        self.assertEqual(("FAILED", "InternalServerError"), (failed["ExportStatus"], failed["FailureCode"]))
        self.assertIn("No space left on device", failed["FailureMessage"])
        self.wait_for_nothing_left()
        self.more()
        self.mend("nospace")
        self.finish(self.export(when), state)
        self.wait_for_nothing_left()


class Commands(unittest.TestCase):
    """What `gramme diff` and `replay` say where their scratch files, or what they write, have no room."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="gramme-test-"))
        self.addCleanup(shutil.rmtree, self.root)
        for name in ("scratch", "controls"):
            (self.root / name).mkdir()
        items = [{"pk": {"S": f"{at:03}"}, "v": {"S": "x" * 300000}} for at in range(120)]  # more than memory takes
        folder, objects = made.full([items], 300006 * len(items))
        made.write(self.root, objects)
        self.export = self.root / folder

    def refused(self, full, why, *command):
        """With no room in this folder the command says so and leaves nothing in scratch."""
        (self.root / "controls" / "nospace").write_text(full)
        status, said, told = gramme(*command, "--keys", "pk", "--scratch", self.root / "scratch", environment={
            "LD_PRELOAD": os.environ["DISKFAULTS_SHIM"], "DISKFAULTS": str(self.root / "controls")})
        self.assertEqual((1, ""), (status, said), told)
        self.assertRegex(told, f"^gramme {command[0]}: writing {why}: No space left on device\n$")
        self.assertEqual([], list((self.root / "scratch").iterdir()))

    def test_full_scratch(self):
        why = f"scratch in {self.root}/scratch"
        self.refused("/scratch/", why, "diff", self.export, self.export)
        self.refused("/scratch/", why, "replay", self.export, "--out", self.root / "out")
        self.assertEqual([], list((self.root / "out").iterdir()))

    def test_full_output(self):
        self.refused("/out/", r"AWSDynamoDB/\S+/data/\S+ in bucket out", "replay", self.export, "--out", self.root / "out")
        left = [path.name for path in (self.root / "out").rglob("*") if path.is_file()]
        self.assertEqual(["_started"], left)  # which is no export
