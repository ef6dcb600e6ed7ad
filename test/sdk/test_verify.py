"""`gramme verify` on exports made here, in a folder and on an S3 service."""

import json
import os
import pathlib
import shutil
import tempfile
import unittest

from support import made
from support.made import T0, TABLE
from support.s3_service import S3Service
from support.server import gramme

FORMS = ("DYNAMODB_JSON", "ION")
ITEMS = [{"pk": {"S": f"{at:03}"}} for at in range(100)]  # of 5 bytes each


def key(name, at):
    return {"pk": {"S": name}, "at": {"N": str(at)}}


def change(name, at, second=1, **images):
    return {"time": (T0 + second) * 1000000 + 7, "keys": key(name, at),
            **{each: {**key(name, at), **more} for each, more in images.items()}}


X, Y = {"v": {"S": "x"}}, {"v": {"S": "y"}, "l": {"L": [{"N": "1"}, {"NULL": True}]}}
CHANGES = [[change("a", 1, new=X), change("a", 2, old=X, new=Y), change("a", 10, old=X)],
           [change("b", 1, 899, old=X, new=X)], []]
NEW_IMAGES = [[{name: each[name] for name in each if name != "old"} for each in file] for file in CHANGES]


class Folder(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="gramme-test-"))
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, export):
        """Answers the folder."""
        made.write(self.root, export[1])
        return self.root / export[0]

    def full(self, **more):
        return self.write(made.full([ITEMS, []], 500, **more))

    def data_files(self):
        return sorted((path for path in self.root.rglob("*.gz") if path.stat().st_size > 20), key=str)

    def whole(self, *arguments):
        status, said, complaint = gramme("verify", *arguments)
        self.assertEqual((0, ""), (status, complaint), said)
        self.assertTrue(said.endswith("the export is whole\n"), said)
        return said

    def broken(self, problem, *arguments):
        status, said, complaint = gramme("verify", *arguments)
        self.assertEqual((1, ""), (status, complaint), said)
        self.assertIn(problem, said)
        self.assertRegex(said, r"the export is not whole: \d+ problems?\n$")
        return said

    # --- full

    def test_whole(self):
        for form in FORMS:
            with self.subTest(form):
                folder = self.full(form=form)
                for where in (folder, f"{folder}/", folder / "manifest-summary.json"):
                    said = self.whole(where, "--keys", "pk")
                    self.assertIn(f"{TABLE}/export/{folder.name}, the table as of 2025-10-09T08:53:20.000Z\n", said)
                    self.assertIn("100 items of 500 bytes", said)
                shutil.rmtree(folder)

    def test_a_copy_elsewhere(self):
        folder = self.full()
        for place in (self.root / "copy", self.root / "odd %41", self.root / ".hidden" / folder.name,
                      self.root / ".hidden" / ".more" / "x", self.root / "odd %41 \u00e9" / folder.name):
            shutil.copytree(folder, place)
            self.whole(place)

    def test_an_incremental_copy_elsewhere(self):
        folder = self.write(made.incremental(CHANGES))
        for name in ("copy", ".hidden", "odd %41 \u00e9+&?#", ".hidden/.more"):
            shutil.copytree(folder.parent, self.root / name, dirs_exist_ok=True)
            self.whole(self.root / name / folder.name)

    def test_leaves_nothing_behind(self):
        folder = self.full()
        before = sorted(self.root.rglob("*"))
        gramme("verify", folder)
        self.assertEqual(before, sorted(self.root.rglob("*")))

    def test_damaged(self):
        folder = self.full()
        path = self.data_files()[0]
        data = bytearray(path.read_bytes())
        data[-6] ^= 1
        path.write_bytes(data)
        said = self.broken(f"data/{path.name}: its MD5 is", folder)
        self.assertIn(f"data/{path.name}: the gzip checksum is wrong", said)

    def test_wrong_keys(self):
        self.broken("line 1: the key attribute sk is missing", self.full(), "--keys", "pk:sk")

    def test_lines_of_ion(self):
        cases = [
            ([[{"pk": {"S": "a"}}, {"pk": {"S": "a"}}]], "line 2: the key of the line before once more"),
            ([[{"pk": {"S": "a"}}], [{"pk": {"S": "a"}}]], "the items of this partition key are in two places"),
            ([[{"pk": {"S": "a"}}, {"pk": {"N": "1"}}]], "line 2: its key is of other types than that of the first"),
            ([[{"a": {"S": "x"}, "pk": {"S": "a"}}]], "line 1: the line does not begin with the key"),
            ([[{"a": {"S": "x"}}]], "line 1: the key attribute pk is missing"),
            ([[{"pk": {"S": "x\ny"}}]], "line 1: a text has no end"),
            ([[{"pk": {"S": "x"}, "n": {"N": "1.5"}}]], "line 1: a list or struct breaks off"),
            ([[{"pk": {"S": "x"}, "n": {"SS": ["a", "a"]}}]], "line 1: a field or a member of a set comes twice"),
        ]
        for salt, (files, problem) in enumerate(cases):
            with self.subTest(problem):
                self.broken(problem, self.write(made.full(files, 1, salt=salt, form="ION")), "--keys", "pk")

    # --- incremental

    def test_whole_incremental(self):
        salt = 0
        for form in FORMS:
            for view, files in (("NEW_AND_OLD_IMAGES", CHANGES), ("NEW_IMAGE", NEW_IMAGES)):
                with self.subTest(form=form, view=view):
                    salt += 1
                    folder = self.write(made.incremental(files, form=form, view=view, salt=salt))
                    for keys in ((), ("--keys", "pk:at")):
                        said = self.whole(folder, *keys)
                    self.assertIn("what changed from 2025-10-09T08:53:20.000Z to 2025-10-09T09:08:20.000Z\n", said)
                    self.assertIn("4 changes of", said)
        folders = [path.parent for path in self.root.rglob("manifest-summary.json")]
        self.assertEqual(4, len(folders))
        status, said, _ = gramme("verify", *folders)  # which share a data folder
        self.assertEqual((0, 4), (status, said.count("the export is whole")))

    def test_projected_images(self):
        """With the key attributes that a projection names: all, some or none, but always the same."""
        for salt, names in enumerate(([], ["at"], ["pk"], ["pk", "at"])):
            def image(one, which):
                return {name: value for name, value in one[which].items() if name == "v" or name in names}
            files = [[{**each, **{which: image(each, which) for which in ("old", "new") if which in each}}
                      for each in file] for file in CHANGES]
            with self.subTest(names):
                self.whole(self.write(made.incremental(files, salt=salt)), "--keys", "pk:at")

    def test_incremental_without_prefix(self):
        self.whole(self.write(made.incremental(CHANGES, prefix=None)))

    def test_changes_are_judged(self):
        both, new = "NEW_AND_OLD_IMAGES", "NEW_IMAGE"
        cases = [
            (new, [change("a", 1, old=X, new=Y)], "there is an OldImage, and the view is NEW_IMAGE"),
            (both, [change("a", 1)], "there is no image, and the view is NEW_AND_OLD_IMAGES"),
            (both, [change("a", 1, second=-1, new=X)], "WriteTimestampMicros is not in the window"),
            (both, [change("a", 1, second=900, new=X)], "WriteTimestampMicros is not in the window"),
            (both, [{**change("a", 1, new=X), "new": {**key("a", 2), **X}}], "NewImage has another at than Keys"),
            (both, [{**change("a", 1, old=X), "old": {**X, "at": {"N": "2"}}}], "OldImage has another at than Keys"),
            (both, [change("a", 1, new=X), {**change("b", 1, old=X), "old": X}],
             "line 2: OldImage has other key attributes than the first image"),
            (new, [{**change("a", 1, new=X), "new": X}, {**change("b", 1, new=X), "new": {"pk": {"S": "b"}, **X}}],
             "line 2: NewImage has other key attributes than the first image"),
            (both, [change("a", 1, new=X), {**change("b", 1, new=X), "keys": {"pk": {"S": "b"}}}],
             "line 2: Keys has 1 attributes"),
            (both, [{**change("a", 1, new=X), "keys": {"at": {"N": "1"}, "pk": {"S": "a"}}}],
             "Keys is not written as exports write it"),
            (both, [{**change("a", 1, new=X), "keys": {**key("a", 1), **X}}], "Keys has 3 attributes"),
            (both, [change("a", 2, new=X), change("a", 1, new=X)], "line 2: its sort key belongs before"),
            (both, [change("a", 1, new=X), change("a", 1, new=Y)], "line 2: the key of the line before once more"),
            (both, [change("a", 1, new=X), change("b", 1, new=X), change("a", 2, new=X)],
             "line 3: the items of this partition key are in two places"),
        ]
        for form in FORMS:
            for salt, (view, changes, problem) in enumerate(cases):
                with self.subTest(problem, form=form):
                    folder = self.write(made.incremental([changes], view=view, salt=salt, form=form))
                    self.broken(problem, folder, "--keys", "pk:at")
                    shutil.rmtree(self.root / "nightly")

    def test_keys_of_one_kind_without_being_named(self):
        changes = [change("a", 1, new=X), {**change("a", 2, new=X), "keys": {"pk": {"S": "a"}}}]
        self.broken("line 2: Keys has other names or types than that of the first line",
                    self.write(made.incremental([changes])))

    def test_damaged_incremental(self):
        folder = self.write(made.incremental(CHANGES))
        path = self.data_files()[0]
        path.write_bytes(path.read_bytes()[:-9])
        self.broken(f"data/{path.name}: its MD5 is", folder)
        path.unlink()
        self.broken(f"data/{path.name}: it is missing", folder)

    def test_summaries_of_windows(self):
        cases = [
            ({"until": T0 + 899}, "its window is not of 15 minutes to 24 hours"),
            ({"until": T0 + 24 * 3600 + 1}, "its window is not of 15 minutes to 24 hours"),
            ({"since": T0 + 0.5}, "its window is not of whole seconds"),
            ({"view": "NEW_IMAGES"}, "outputView is NEW_IMAGES"),
            ({"start": T0 + 899}, "exportToTime, startTime and endTime do not follow"),
        ]
        for salt, (more, problem) in enumerate(cases):
            with self.subTest(problem):
                self.broken(problem, self.write(made.incremental([[]], salt=salt, **more)))

    # --- what means ill

    def test_names_that_lead_elsewhere(self):
        key, objects = made.full([ITEMS], 500)
        listed = json.loads(objects[f"{key}/manifest-files.json"])
        (self.root / "outside.json.gz").write_bytes(objects[listed["dataFileS3Key"]])
        for name, shown in (("../../etc/passwd", None), ("/etc/passwd", None), (f"{key}/../../../outside.json.gz", None),
                            (f"{key}/data/../../../../outside.json.gz", None), ("", ""), ("\x1b[2J\r\n", "\\x1b[2J\\x0d\\x0a"),
                            ("\x00", ""), ("x" * 100000, "x" * 3000)):
            with self.subTest(name[:40]):
                line = made.compact({**listed, "dataFileS3Key": name}) + b"\n"
                made.write(self.root, {**objects, f"{key}/manifest-files.json": line,
                                       f"{key}/manifest-files.md5": made.md5(line).encode()})
                said = self.broken(f"manifest-files.json: line 1: {name if shown is None else shown}", self.root / key)
                self.assertLess(len(said), 10000)
                for command in (("diff", self.root / key), ("replay", "--out", self.root / "out")):
                    status, said, told = gramme(*command, self.root / key, "--keys", "pk")
                    self.assertEqual((1, ""), (status, said))
                    self.assertIn("is not whole: ", told)
        self.assertEqual([], list((self.root / "out").rglob("*")))

    def test_links_and_what_is_no_file(self):
        for name in ("manifest-summary.json", "manifest-files.json", "manifest-files.md5", "_started", None):
            for make in (lambda path: path.symlink_to(path), os.mkfifo, pathlib.Path.mkdir,
                         lambda path: path.symlink_to("/dev/zero")):
                folder = self.full()
                path = folder / name if name else self.data_files()[0]
                path.unlink()
                make(path)
                with self.subTest(name):
                    status, said, complaint = gramme("verify", folder)
                    self.assertEqual(1, status, said)
                    self.assertIn(f"{path.relative_to(folder)}", said + complaint)
                shutil.rmtree(folder)

    def test_a_file_named_twice(self):
        key, objects = made.full([ITEMS], 500)
        listed = objects[f"{key}/manifest-files.json"]
        twice = {**objects, f"{key}/manifest-files.json": listed * 2,
                 f"{key}/manifest-files.md5": made.md5(listed * 2).encode()}
        folder = self.write((key, twice))
        leaf = json.loads(listed)["dataFileS3Key"].removeprefix(key + "/")
        said = self.broken(f"manifest-files.json: {leaf} is named twice\n", folder, "--keys", "pk")
        self.assertIn("itemCount is 100, and that of the files sums to 200\n", said)
        self.assertIn("100 items of 500 bytes", said)  # it is read once
        for command in (("diff", folder), ("replay", "--out", self.root / "out")):
            status, said, told = gramme(*command, folder, "--keys", "pk")
            self.assertEqual((1, ""), (status, said))
            self.assertIn("is named twice", told)
            self.assertIn("is not whole: ", told)

    # --- usage

    def test_usage(self):
        for arguments in ((), ("--nonsense",), ("a", "--keys"), ("a", "--s3-style", "odd"), ("a", "--s3-region"),
                          ("s3://bucket",), ("s3://bucket/AWSDynamoDB/x",)):
            status, said, complaint = gramme("verify", *arguments)
            self.assertEqual((2, ""), (status, said), arguments)
            self.assertTrue(complaint.startswith("gramme verify: "), complaint)
        status, _, complaint = gramme("verify", self.root / "nowhere")
        self.assertEqual(1, status)
        self.assertIn("there is no such folder", complaint)
        status, said, complaint = gramme("verify", "--help")
        self.assertEqual((0, ""), (status, complaint))
        self.assertIn("--s3-endpoint URL", said)
        self.assertNotIn("--listen", said)


class Service(unittest.TestCase):
    def test_on_s3(self):
        with S3Service() as s3:
            s3.client.create_bucket(Bucket=made.BUCKET)
            folder, objects = made.full([ITEMS, []], 500)
            made.upload(s3.client, objects)
            window, changes = made.incremental(CHANGES, form="ION")
            made.upload(s3.client, changes)
            more = ("--s3-endpoint", s3.url)
            status, said, complaint = gramme("verify", f"s3://{made.BUCKET}/{folder}", f"s3://{made.BUCKET}/{window}/",
                                             *more, environment=s3.environment)
            self.assertEqual((0, ""), (status, complaint), said)
            self.assertEqual(2, said.count("the export is whole"))

            for salt, prefix in enumerate(("odd %41 \u00e9+&?#=", "a//b", "%", ".", "..", "a/../b", "~*'();:@$,[]", "\t")):
                with self.subTest(prefix):
                    places = []
                    for where, odd in (made.full([ITEMS], 500, prefix=prefix, salt=100 + salt),
                                       made.incremental(CHANGES, prefix=prefix, salt=100 + salt)):
                        made.upload(s3.client, odd)
                        places.append(f"s3://{made.BUCKET}/{where}")
                    status, said, complaint = gramme("verify", *places, *more, environment=s3.environment)
                    self.assertEqual((0, ""), (status, complaint), said)
                    self.assertEqual(2, said.count("the export is whole"))

            changed = next(key for key in objects if "/data/" in key)
            s3.client.put_object(Bucket=made.BUCKET, Key=changed, Body=objects[changed])
            s3.client.put_object(Bucket=made.BUCKET, Key=f"{folder}/extra", Body=b"")
            status, said, _ = gramme("verify", f"s3://{made.BUCKET}/{folder}", *more, environment=s3.environment)
            self.assertEqual(1, status)
            self.assertIn("the store has etag", said)
            self.assertIn("extra: it does not belong to the export", said)

            status, said, complaint = gramme("verify", "s3://nowhere/x", *more, environment=s3.environment)
            self.assertEqual((1, ""), (status, said))
            self.assertIn("Error Code: NoSuchBucket", complaint)


if __name__ == "__main__":
    unittest.main()
