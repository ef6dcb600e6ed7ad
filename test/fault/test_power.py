"""Power cuts of the whole server under load: it is killed, and started again on what a power cut would have left,
according to the shim that it runs under (support/powerloss.c). All that was acknowledged must be there, exports
too; and with the sync taken out something must be missing, else this test would not see a sync that is not made.
CUTS (9) is how often; SEED repeats the moments and what the cuts tear."""

import os
import random
import subprocess

from support.server import Server, gramme
from support.survival import BUCKET, Survival, instant, item

CUTS = int(os.environ.get("CUTS", "9"))
CUTS_RELAXED = 10  # until one of them must have lost something
KINDS = 3  # of support/power.h: clean, short, blocks
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


class PowerCase(Survival):
    """Everything lies in one folder, LIVE; what is durable of it, in DURABLE."""

    seed = SEED

    @classmethod
    def make_server(cls):
        server = Server(*cls.options)
        cls.live, cls.durable = server.folder / "live", server.folder / "durable"
        server.data, server.buckets = cls.live / "data", cls.live / "buckets"
        server.buckets.mkdir(parents=True)
        server.bucket(BUCKET)
        server.environment = {"LD_PRELOAD": os.environ["POWERLOSS_SHIM"], "POWERLOSS_LIVE": str(cls.live),
                              "POWERLOSS_DURABLE": str(cls.durable)}
        return server

    def cut(self, number):
        """Load, a power cut in the middle of it, and a start on what is left; answers the writers."""
        writers = self.interrupt(self.server.kill)
        subprocess.run([os.environ["POWER_CUT"], str(self.live), str(self.durable), str(number % KINDS),
                        str(self.random.randrange(1 << 63))], check=True)
        self.whole()
        self.server.start()
        return writers


class Power(PowerCase):
    def write(self):
        writers = super().write()
        self.promised = self.change_indexes()
        return writers

    def test_what_was_acknowledged_is_there(self):
        print(f"# SEED={SEED} CUTS={CUTS}")
        writes = taken = 0
        self.ended = []  # (description, state)
        past = []  # (instant, state)
        for number in range(CUTS):
            past.append((instant(), self.present()))
            running = [(self.export(when), state) for when, state in (past[-1], self.random.choice(past))]
            writers = self.cut(number)
            writes += sum(writer.writes for writer in writers)
            taken += self.compare(writers)
            self.compare_late(self.promised)
            self.compare_ended()
            self.ended += [(self.finish(made, state), state) for made, state in running]
        print(f"# {writes} acknowledged writes; {taken} that nobody answered had happened; {len(self.ended)} exports; "
              f"{self.resumed} builds of an index resumed")
        self.assertGreater(writes, CUTS)

    def compare_ended(self):
        """The exports of before are all known, and one of them is looked at."""
        page = self.dynamo.list_exports(TableArn=self.arn)
        listed = page["ExportSummaries"]
        while "NextToken" in page:
            page = self.dynamo.list_exports(TableArn=self.arn, NextToken=page["NextToken"])
            listed += page["ExportSummaries"]
        listed = {each["ExportArn"]: each["ExportStatus"] for each in listed}
        self.assertEqual({}, {done["ExportArn"]: listed.get(done["ExportArn"]) for done, _ in self.ended
                              if listed.get(done["ExportArn"]) != "COMPLETED"})
        if self.ended:
            done, state = self.random.choice(self.ended)
            self.assertEqual(done, self.finish({**done, "StartTime": done["StartTime"].timestamp(),
                                                "ExportTime": done["ExportTime"].timestamp()}, state))
            folder = (self.server.buckets / BUCKET / done["ExportManifest"]).parent
            status, said, wrong = gramme("verify", folder, "--keys", "pk")
            self.assertEqual(0, status, said + wrong)


class Relaxed(PowerCase):
    options = ("--durability", "relaxed")

    def test_a_missing_sync_is_seen(self):
        print(f"# SEED={SEED}")
        for number in range(CUTS_RELAXED):
            writers = self.cut(number)
            doubts = dict(writer.doubt for writer in writers if writer.doubt)
            found = self.found()
            for key, each in found.items():
                self.assertEqual(item(key, int(each["count"])), each)  # whole, whichever it is
            lost = [key for key in self.known | found
                    if found.get(key) not in (self.known.get(key), doubts.get(key, self.known.get(key)))]
            if lost:
                print(f"# power cut {number + 1} took back the last write of {len(lost)} keys")
                return
            self.known = found
        self.fail("every acknowledged write was there without a sync")
