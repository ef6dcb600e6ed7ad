"""Scan: pages, segments, order and counts."""

from concurrent.futures import ThreadPoolExecutor

from support.case import ServerCase

BIG = {"S": "x" * 100_000}


class Scans(ServerCase):
    def fill(self, count, keys=(("pk", "S"),), **attributes):
        self.create(keys=keys)
        for at in range(0, count, 25):
            self.dynamo.batch_write_item(RequestItems={self.table: [
                {"PutRequest": {"Item": {"pk": {"S": f"k{each}"}, **attributes}}}
                for each in range(at, min(at + 25, count))]})

    def keys(self, **more):
        return [item["pk"]["S"] for item in self.scan_all(**more)]

    def test_empty(self):
        self.create()
        reply = self.dynamo.scan(TableName=self.table)
        self.assertEqual((0, 0, []), (reply["Count"], reply["ScannedCount"], reply["Items"]))
        self.assertNotIn("LastEvaluatedKey", reply)

    def test_limits_visit_everything_once(self):
        self.fill(60)
        for limit in (1, 7, 60, 1000):
            found = self.keys(Limit=limit)
            self.assertEqual(60, len(found))
            self.assertEqual({f"k{at}" for at in range(60)}, set(found))

    def test_limit_ends_a_page(self):
        self.fill(10)
        reply = self.dynamo.scan(TableName=self.table, Limit=4)
        self.assertEqual((4, 4), (reply["Count"], reply["ScannedCount"]))
        self.assertEqual({"pk": reply["Items"][-1]["pk"]}, reply["LastEvaluatedKey"])
        rest = self.dynamo.scan(TableName=self.table, ExclusiveStartKey=reply["LastEvaluatedKey"])
        self.assertEqual(6, rest["Count"])

    def test_order_does_not_change(self):
        self.fill(50)
        first = self.keys()
        self.assertEqual(first, self.keys(Limit=3))
        self.server.restart()
        self.assertEqual(first, self.keys())

    def test_pages_of_a_megabyte(self):
        self.fill(25, v=BIG)
        pages = list(self.dynamo.get_paginator("scan").paginate(TableName=self.table))
        self.assertEqual(25, sum(page["Count"] for page in pages))
        for page in pages[:-1]:
            self.assertEqual(11, page["Count"])  # the item that passes 1 MB still belongs to the page
            self.assertIn("LastEvaluatedKey", page)
        self.assertNotIn("LastEvaluatedKey", pages[-1])

    def test_items_of_one_partition_are_in_order(self):
        self.create(keys=(("pk", "S"), ("sk", "N")))
        for value in ("10", "-1", "2.5", "0", "-20"):
            self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": "a"}, "sk": {"N": value}})
        self.assertEqual(["-20", "-1", "0", "2.5", "10"], [item["sk"]["N"] for item in self.scan_all(Limit=2)])

    def test_parallel_segments(self):
        self.fill(200)
        for segments in (2, 4, 7):
            with ThreadPoolExecutor(segments) as pool:
                parts = list(pool.map(lambda at: self.keys(Segment=at, TotalSegments=segments, Limit=9),
                                      range(segments)))
            self.assertEqual(200, sum(map(len, parts)))
            self.assertEqual({f"k{at}" for at in range(200)}, set().union(*parts))

    def test_count_only(self):
        self.fill(12)
        reply = self.dynamo.scan(TableName=self.table, Select="COUNT")
        self.assertEqual((12, 12), (reply["Count"], reply["ScannedCount"]))
        self.assertNotIn("Items", reply)

    def test_consumed_capacity(self):
        self.fill(10, v={"S": "x" * 4000})
        for consistent, units in ((True, 10.0), (False, 5.0)):
            reply = self.dynamo.scan(TableName=self.table, ConsistentRead=consistent, ReturnConsumedCapacity="TOTAL")
            self.assertEqual(units, reply["ConsumedCapacity"]["CapacityUnits"])

    def test_refusals(self):
        self.create()
        scan, table = self.raw.scan, {"TableName": self.table}
        self.refused("ValidationException", None, scan, Limit=0, **table)
        self.refused("ValidationException", None, scan, Segment=2, TotalSegments=2, **table)
        self.refused("ValidationException", None, scan, Segment=0, **table)
        self.refused("ValidationException", None, scan, TotalSegments=2, **table)
        self.refused("ValidationException", None, scan, Segment=0, TotalSegments=1_000_001, **table)
        self.refused("ValidationException", None, scan, Select="SOME", **table)
        self.refused("ValidationException", None, scan, ExclusiveStartKey={"other": {"S": "a"}}, **table)
        self.refused("ValidationException", None, scan, IndexName="byOther", **table)
        self.refused("ResourceNotFoundException", "Requested resource not found", scan, TableName="nothing-here")
