"""`gramme diff` and `gramme replay` on exports made here, in folders and on an S3 service."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import made
from support.case import wait_for
from support.made import T0
from support.s3_failing import KEYS as S3_KEYS, FailingS3
from support.s3_service import S3Service
from support.server import GRAMME, gramme

FORMS = ("DYNAMODB_JSON", "ION")
KEYS = ("--keys", "pk:at")
LARGE, COUNT = 300000, 160  # bytes of an item, and how many of them are more than the commands hold in memory


def item(name, at, **more):
    return {"pk": {"S": name}, "at": {"N": str(at)}, **more}


def place(number):
    return f"p{number % 7}", number // 7


def large(name, at, letter):
    return item(name, at, v={"S": letter * LARGE})


def weight(one):
    """By the rules of item sizes, of items like those here: short numbers."""
    size = 0
    for name, value in one.items():
        kind, inner = next(iter(value.items()))
        size += len(name) + {"S": lambda: len(inner), "N": lambda: 2 if inner != "0" else 1, "NULL": lambda: 1}[kind]()
    return size


def partitions(items, files=2):
    """Items as a full export has them: those of a partition together, in order."""
    split = [[] for _ in range(files)]
    for name in sorted({one["pk"]["S"] for one in items}):
        mine = [one for one in items if one["pk"]["S"] == name]
        split[hash(name) % files].extend(sorted(mine, key=lambda one: int(one["at"]["N"])))
    return split


def changes(before, after, written, second):
    """The net changes of what was written, from one state {key: item} to another."""
    made_of = []
    for name, at in sorted(written):
        old, new = before.get((name, at)), after.get((name, at))
        if old or new:
            made_of.append({"time": second * 1000000, "keys": item(name, at), **({"old": old} if old else {}),
                            **({"new": new} if new else {})})
    return [made_of]


class Folders(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="gramme-test-"))
        self.scratch = self.root / "scratch"
        self.scratch.mkdir()
        self.addCleanup(shutil.rmtree, self.root)
        self.salt = 0

    def write(self, export):
        made.write(self.root, export[1])
        return self.root / export[0]

    def full(self, items, **more):
        self.salt += 1
        return self.write(made.full(partitions(items), sum(map(weight, items)), salt=self.salt, **more))

    def window(self, before, after, written, since, until, **more):
        self.salt += 1
        files = changes(before, after, written, since + 1)
        if more.get("view") == "NEW_IMAGE":
            for one in files[0]:
                one.pop("old", None)
        return self.write(made.incremental(files, since=since, until=until, salt=self.salt, **more))

    def run_gramme(self, command, *arguments):
        done = gramme(command, *arguments, *KEYS, "--scratch", self.scratch)
        self.assertEqual([], list(self.scratch.iterdir()))
        return done

    def diff(self, *folders):
        return self.run_gramme("diff", *folders)

    def replayed(self, *folders, out=None):
        """Answers the folder of what results, which is whole."""
        status, said, complaint = self.run_gramme("replay", *folders, "--out", out or self.root / "out")
        self.assertEqual((0, ""), (status, complaint), said)
        folder = said.splitlines()[-1]
        status, said, complaint = gramme("verify", folder, *KEYS)
        self.assertEqual((0, ""), (status, complaint), said)
        return pathlib.Path(folder)

    # --- diff

    def test_the_same(self):
        items = [item(name, at, v={"S": "x"}) for name in "abc" for at in range(3)]
        for one in FORMS:
            for other in FORMS:
                self.assertEqual((0, "", ""), self.diff(self.full(items, form=one), self.full(items, form=other)))
        self.assertEqual((0, "", ""), self.diff(self.full([]), self.full([])))

    def test_what_changed(self):
        before = [item("a", 1, v={"S": "x"}), item("a", 2), item("b", 1), item("c", 10)]
        after = [item("a", 1, v={"S": "y"}), item("b", 1), item("c", 9), item("c", 10), item("d", 1)]
        status, said, told = self.diff(self.full(before), self.full(after, form="ION"))
        self.assertEqual((1, "2 added, 1 removed, 1 changed, 2 the same\n"), (status, told))
        lines = [(line[:2], json.loads(line[2:])) for line in said.splitlines()]
        wanted = [("- ", before[0]), ("+ ", after[0]), ("- ", before[1]), ("+ ", after[2]), ("+ ", after[4])]
        self.assertCountEqual(map(str, wanted), map(str, lines))
        at = lines.index(wanted[0])
        self.assertEqual(wanted[:3], lines[at:at + 3])  # of one partition, in order

    def test_diff_of_what_is_not_whole(self):
        folder = self.full([item("a", 1)])
        other = self.full([item("a", 1)])
        data = next(path for path in (other / "data").iterdir() if path.stat().st_size > 20)
        data.write_bytes(data.read_bytes()[:-3])
        status, _, told = self.diff(folder, other)
        self.assertEqual(1, status)
        self.assertIn(f"data/{data.name}: its MD5 is", told)
        self.assertIn(f"gramme diff: {other} is not whole: ", told)
        status, said, told = self.diff(folder, self.window({}, {}, [], T0, T0 + 900))
        self.assertEqual((2, ""), (status, said))
        self.assertIn("is an incremental export", told)

    # --- more than memory holds

    def test_diff_of_much(self):
        before = [large(*place(at), "x") for at in range(COUNT)]
        after = [large(*place(at), "y" if at == 100 else "x") for at in range(1, COUNT + 1)]
        one, other = self.full(before), self.full(after, form="ION")
        self.assertEqual((0, "", ""), self.diff(one, one))
        status, said, told = self.diff(one, other)
        self.assertEqual((1, "1 added, 1 removed, 1 changed, 158 the same\n"), (status, told))
        lines = [(line[0], *json.loads(line[2:]).values()) for line in said.splitlines()]
        wanted = [("-", *before[0].values()), ("-", *before[100].values()), ("+", *after[99].values()),
                  ("+", *after[-1].values())]
        self.assertCountEqual(map(str, wanted), map(str, lines))

    def test_replay_of_much(self):
        before = {place(at): large(*place(at), "x") for at in range(COUNT)}
        between = {key: large(*key, "y") if key[1] % 2 else one for key, one in before.items() if key[1] % 5}
        after = {key: large(*key, "z") if key[1] % 3 == 0 else one for key, one in between.items()} | {
            ("new", 1): large("new", 1, "z")}
        full = self.full(before.values())
        first = self.window(before, between, before, T0, T0 + 900, form="ION")
        second = self.window(between, after, after, T0 + 900, T0 + 1800)
        result = self.replayed(full, second, first)
        self.assertEqual((0, "", ""), self.diff(result, self.full(after.values(), at=T0 + 1800)))
        # Exports that contradict each other far apart, and either with what is before it.
        wrong = dict(between)
        wrong[place(77)] = large(*place(77), "w")
        for windows, guilty in (
                ((first, self.window(wrong, after, after, T0 + 900, T0 + 1800)), 1),
                ((self.window({**before, place(99): item(*place(99))}, between, before, T0, T0 + 900), second), 0)):
            status, said, told = self.run_gramme("replay", full, *windows, "--out", self.root / "wrong")
            self.assertEqual((1, ""), (status, said))
            self.assertEqual(f"gramme replay: {windows[guilty]}: an OldImage is not what the exports before it make of "
                             "the item\n", told)
            self.assertEqual([], list((self.root / "wrong").iterdir()))  # nothing was written

    def test_death_leaves_nothing_behind(self):
        before = self.full([large(*place(at), "x") for at in range(COUNT)])
        with subprocess.Popen([GRAMME, "diff", before, self.full([]), *KEYS, "--scratch", self.scratch],
                              stdout=subprocess.PIPE) as process:
            process.stdout.read(1)  # all is read, and the pipe takes only little of what there is to say
            files = [os.readlink(path) for path in pathlib.Path(f"/proc/{process.pid}/fd").iterdir()]
            self.assertTrue([path for path in files if path.startswith(f"{self.scratch}/")], files)
            process.kill()
        self.assertEqual([], list(self.scratch.iterdir()))

    # --- replay

    def test_all_kinds_of_changes(self):
        for form in FORMS:
            for view in ("NEW_AND_OLD_IMAGES", "NEW_IMAGE"):
                with self.subTest(form=form, view=view):
                    before = {("a", 1): item("a", 1, v={"S": "x"}), ("a", 2): item("a", 2), ("b", 1): item("b", 1)}
                    after = {("a", 1): item("a", 1, v={"S": "y"}), ("b", 1): item("b", 1), ("c", 7): item("c", 7)}
                    written = [("a", 1), ("a", 2), ("b", 1), ("c", 7), ("gone", 1)]
                    result = self.replayed(self.full(before.values(), form=form),
                                           self.window(before, after, written, T0, T0 + 900, form=form, view=view))
                    self.assertEqual((0, "", ""), self.diff(result, self.full(after.values(), at=T0 + 900)))
                    self.assertTrue(list(result.rglob("*.ion.gz" if form == "ION" else "*.json.gz")))

    def test_nothing_to_apply(self):
        items = [item("a", at) for at in range(10)]
        folder = self.full(items)
        self.assertEqual((0, "", ""), self.diff(self.replayed(folder), folder))
        again = self.replayed(folder, self.window({}, {}, [], T0, T0 + 900))
        summary = json.loads((again / "manifest-summary.json").read_text())
        self.assertEqual(made.when(T0 + 900), summary["exportTime"])
        self.assertEqual((10, "out", None), (summary["itemCount"], summary["s3Bucket"], summary["s3Prefix"]))

    def test_random_histories(self):
        for seed in range(5):
            with self.subTest(seed=seed):
                chance = random.Random(seed)
                state, since, windows = {}, T0, []
                for name in "abcdef":
                    for at in range(chance.randrange(8)):
                        state[name, at] = item(name, at, v={"S": "0"})
                first = self.full(state.values(), form=chance.choice(FORMS))
                for _ in range(3):
                    before, written = dict(state), set()
                    for _ in range(chance.randrange(30)):
                        key = chance.choice("abcdefg"), chance.randrange(8)
                        written.add(key)
                        if chance.random() < 0.4:
                            state.pop(key, None)
                        else:
                            state[key] = item(*key, v={"S": str(chance.randrange(3))})
                    until = since + chance.choice((900, 3600, 86400))
                    windows.append(self.window(before, state, written, since, until, form=chance.choice(FORMS),
                                               view=chance.choice(("NEW_IMAGE", "NEW_AND_OLD_IMAGES"))))
                    since = until
                chance.shuffle(windows)  # the order of the arguments is no matter
                last = self.full(state.values(), at=since)
                self.assertEqual((0, "", ""), self.diff(self.replayed(first, *windows), last))

    def test_what_does_not_fit(self):
        one, other = {("a", 1): item("a", 1, v={"S": "x"})}, {("a", 1): item("a", 1, v={"S": "y"})}
        full, later = self.full(one.values()), self.full(one.values(), at=T0 + 2000)
        window = self.window(one, other, [("a", 1)], T0, T0 + 900)
        gap = self.window(other, one, [("a", 1)], T0 + 901, T0 + 1801)
        overlap = self.window(other, one, [("a", 1)], T0 + 899, T0 + 1800)
        visited = self.full([*one.values(), item("came and went", 1)], at=T0 + 60.5)
        cases = [
            ((full, gap), 2, "nothing tells what changed before the window of"),
            ((full, window, gap), 2, "nothing tells what changed before the window of"),
            ((later, window), 2, "has passed already"),
            ((full, window, window), 2, "has passed already"),
            ((visited, window), 2, "begins before the time that the table is known of"),
            ((full, window, overlap), 2, "begins before the time that the table is known of"),
            ((full, later), 2, "is a full export, and one is what all begins with"),
            ((window, window), 2, "is an incremental export, and the first must be full"),
            ((self.full([item("a", 1, v={"S": "z"})]), window), 1, "an OldImage is not what"),
            ((self.full([]), window), 1, "an OldImage is not what"),
            ((full, self.window({}, other, [("a", 1)], T0, T0 + 900)), 1, "an OldImage is not what"),
            ((full, self.write(made.incremental([[{"time": (T0 + 1) * 1000000, "keys": {"pk": {"S": "a"}, "at": {"N": "1"}},
                                                   "new": {"v": {"S": "y"}}}]], view="NEW_IMAGE", salt=77))), 1,
             "an item has no key attribute pk"),
        ]
        for folders, status, problem in cases:
            with self.subTest(problem):
                found, said, told = self.run_gramme("replay", *folders, "--out", self.root / "out")
                self.assertEqual((status, ""), (found, said), told)
                self.assertIn(problem, told)
                self.assertEqual([], list(self.root.glob("out/**/manifest-summary.json")))
        for data in (window.parent / "data").iterdir():
            data.write_bytes(data.read_bytes()[:-1] + b"x")
        found, said, told = self.run_gramme("replay", full, window, "--out", self.root / "out")
        self.assertEqual((1, ""), (found, said))
        self.assertIn("is not whole", told)

    def test_another_table(self):
        full, window = self.full([]), made.incremental([[]])
        changed = {key: data.replace(b"0f0e0d0c", b"0f0e0d0d") for key, data in window[1].items()}
        summary = f"{window[0]}/manifest-summary."
        changed[summary + "md5"] = made.md5(changed[summary + "json"]).encode()
        status, _, told = self.run_gramme("replay", full, self.write((window[0], changed)), "--out", self.root / "out")
        self.assertEqual(2, status)
        self.assertIn("is of another table", told)

    # --- usage

    def test_usage(self):
        for command, arguments in (
                ("diff", ()), ("diff", ("a",)), ("diff", ("a", "b")), ("diff", ("a", "b", "c", *KEYS)),
                ("diff", ("a", "b", "--odd")), ("diff", ("s3://a/b", "s3://a/c", *KEYS)), ("replay", ()),
                ("replay", ("a", "b", *KEYS)), ("replay", ("a", "b", "--out", "c"))):
            status, said, complaint = gramme(command, *arguments)
            self.assertEqual((2, ""), (status, said), arguments)
            self.assertTrue(complaint.startswith(f"gramme {command}: "), complaint)
        for command in ("diff", "replay"):
            status, said, complaint = gramme(command, "--help")
            self.assertEqual((0, ""), (status, complaint))
            self.assertIn("--s3-endpoint URL", said)
            out = ("--out", self.root / "c") if command == "replay" else ()
            status, said, complaint = gramme(command, self.root / "a", self.root / "b", *KEYS, *out)
            self.assertEqual((1, ""), (status, said))
            self.assertIn("there is no such folder", complaint)

    def test_scratch_that_cannot_be_written(self):
        full = self.full([])
        for where, why in (("nowhere", "No such file or directory"), ("file", "Not a directory")):
            (self.root / "file").write_bytes(b"")
            where = self.root / where
            for command in (("diff", full, full), ("replay", full, "--out", self.root / "out"), ("verify", full)):
                for told in ({"TMPDIR": str(where)}, None):
                    status, said, complaint = gramme(*command, *KEYS, *(() if told else ("--scratch", where)),
                                                     environment=told)
                    self.assertEqual((1, ""), (status, said))
                    self.assertEqual(f"gramme {command[0]}: opening scratch in {where}: {why}\n", complaint)
        self.assertFalse((self.root / "out").exists())

    def test_standard_output_that_takes_no_more(self):
        full = self.full([item("a", 1)])
        for command in (("verify", full), ("diff", full, self.full([])), ("replay", full, "--out", self.root / "out")):
            with open("/dev/full", "w", encoding="ascii") as out:
                done = subprocess.run([GRAMME, *command, *KEYS], stdout=out, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(1, done.returncode)
            self.assertIn("standard output takes no more", done.stderr)


class Service(unittest.TestCase):
    def test_an_end_that_is_wanted(self):
        """While an upload has begun: it is aborted, and there is no export."""
        with FailingS3() as s3, tempfile.TemporaryDirectory() as folder:
            where, objects = made.full([[item("a", at) for at in range(100)]], 1)
            made.write(pathlib.Path(folder), objects)
            s3.told("fail", "1 POST *uploads* stall")
            with subprocess.Popen([GRAMME, "replay", f"{folder}/{where}", *KEYS, "--out", "s3://bucket/some", *s3.options],
                                  env={**os.environ, **S3_KEYS}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True) as process:
                wait_for(lambda: "uploads" in s3.asked("log"), "the first upload")
                process.send_signal(signal.SIGTERM)
                s3.told("release")
                said, complaint = process.communicate(timeout=60)
            self.assertEqual((1, ""), (process.returncode, said), complaint)
            self.assertRegex(complaint, "^gramme replay: it was stopped: what is in some/AWSDynamoDB/[0-9a-f-]*/ has no "
                                        "manifest-summary.json, and is no export\n$")
            self.assertEqual("0", s3.asked("uploads"))
            self.assertNotIn("manifest", s3.asked("objects"))

    def test_on_s3(self):
        before, after = {("a", 1): item("a", 1)}, {("a", 1): item("a", 1, v={"S": "x"}), ("b", 2): item("b", 2)}
        with S3Service() as s3, tempfile.TemporaryDirectory() as folder:
            s3.client.create_bucket(Bucket=made.BUCKET)
            places = []
            for folder_of, objects in (made.full([list(before.values())], sum(map(weight, before.values()))),
                                       made.incremental(changes(before, after, after, T0 + 1), form="ION"),
                                       made.full(partitions(after.values()), sum(map(weight, after.values())), salt=9,
                                                 at=T0 + 900)):
                made.upload(s3.client, objects)
                places.append(f"s3://{made.BUCKET}/{folder_of}")
            more = (*KEYS, "--s3-endpoint", s3.url)
            for out in (f"s3://{made.BUCKET}", f"s3://{made.BUCKET}/some/where", f"{folder}/out"):
                status, said, complaint = gramme("replay", *places[:2], "--out", out, *more,
                                                 environment=s3.environment)
                self.assertEqual((0, ""), (status, complaint))
                result = said.splitlines()[-1]
                self.assertTrue(result.startswith(out + "/AWSDynamoDB/"), result)
                for check in (("verify", result), ("diff", result, places[2])):
                    status, said, complaint = gramme(*check, *more, environment=s3.environment)
                    self.assertEqual((0, ""), (status, complaint), said)


if __name__ == "__main__":
    unittest.main()
