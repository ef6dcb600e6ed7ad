"""`gramme check` on databases made here: one in use, a whole one, one whose index is being built, a damaged one."""

import os
import subprocess
import unittest

from support.case import ServerCase
from support.server import gramme

INDEX = {"IndexName": "by-group", "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
         "Projection": {"ProjectionType": "ALL"}}
ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "group")]


class Check(ServerCase):
    def check(self):
        return gramme("check", "--data", self.server.data)

    def fill(self, items):
        for at in range(items):
            item = {"pk": {"S": f"k{at}"}, **({"group": {"S": f"g{at % 3}"}} if at % 4 else {})}
            self.dynamo.put_item(TableName=self.table, Item=item)

    def test_a_database_and_its_indexes(self):
        self.create(AttributeDefinitions=ATTRIBUTES, GlobalSecondaryIndexes=[INDEX])
        self.fill(12)
        status, said, wrong = self.check()
        self.assertEqual((1, ""), (status, said))
        self.assertEqual(f"gramme check: the data folder {self.server.data}/engine is in use by another gramme\n", wrong)
        self.server.stop()
        whole = (0, "12 items in 1 tables, 9 entries in 1 indexes\nthe database is whole\n", "")
        self.assertEqual(whole, self.check())
        self.assertEqual(whole, self.check())
        subprocess.run([os.environ["DAMAGE"], self.server.data], check=True)
        status, said, wrong = self.check()
        self.assertEqual((1, ""), (status, wrong))
        self.assertRegex(said, rf'\A{self.table}: index by-group has no entry of the item {{"pk":{{"S":"k\d+"}}}}\n')
        self.assertRegex(said, r"\nthe database is not whole: \d differences?\n\Z")
        self.server.start()

    def test_how_it_is_not_used(self):
        for arguments in ((), ("--data",), ("--what",), ("--data", "x", "y")):
            status, said, wrong = gramme("check", *arguments)
            self.assertEqual((2, ""), (status, said))
            self.assertRegex(wrong, r"\Agramme check: .*`gramme check --help` tells how it is used\n\Z")
        nowhere = self.server.folder / "nowhere"
        status, said, wrong = gramme("check", "--data", nowhere)
        self.assertEqual((1, ""), (status, said))
        self.assertRegex(wrong, "holds no database that can be read: No such file or directory\n")
        self.assertFalse(nowhere.exists())
        self.assertEqual(0, gramme("check", "--help")[0])


if __name__ == "__main__":
    unittest.main()
