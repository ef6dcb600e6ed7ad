"""kill -9 at random moments under load, while an index is added and built, or dropped; and what must be there after
each start. CRASHES (20) is how often; SEED
repeats a run."""

import os
import random

from support.survival import Survival, instant

CRASHES = int(os.environ.get("CRASHES", "20"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


class Crash(Survival):
    seed = SEED

    def write(self):
        writers = super().write()
        self.promised = self.change_indexes()
        return writers

    def test_kills(self):
        print(f"# SEED={SEED} CRASHES={CRASHES}")
        writes = taken = 0
        past = []  # (instant, state)
        for crash in range(CRASHES):
            past.append((instant(), self.present()))
            running = self.export(past[-1][0]) if crash % 2 == 0 else None
            writers = self.interrupt(self.server.kill)
            self.whole()
            self.server.start()
            writes += sum(writer.writes for writer in writers)
            taken += self.compare(writers)
            self.compare_late(self.promised)
            if running is not None:
                self.finish(running, past[-1][1])
            if crash % 5 == 4:
                when, state = self.random.choice(past)
                self.finish(self.export(when), state)
        print(f"# {writes} acknowledged writes; {taken} that nobody answered had happened; {self.resumed} builds of an "
              "index resumed")
        self.assertGreater(writes, CRASHES)
