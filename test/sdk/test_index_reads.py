"""Query and Scan of secondary indexes beside a model: random items that come, change and go, indexes of every kind,
both directions, pages of any size; and what reads and writes cost each index."""

import hashlib
import random

from support.case import ServerCase, wait_for

# What each index has: its kind, its partition key, its sort key, and what it projects beside the keys (None: all).
INDEXES = {
    "byWeekday": ("local", ("pk",), ("weekday",), ()),
    "byWidth": ("local", ("pk",), ("width",), ("colour",)),
    "byColour": ("global", ("colour",), (), None),
    "byPlace": ("global", ("place",), ("width",), ("colour",)),
    "byShelf": ("global", ("place", "colour"), ("weekday", "width"), ()),
}
TABLE = ("pk", "sk")
INVALID = "One or more parameter values were invalid: "
TYPES = {"pk": "S", "sk": "N", "weekday": "S", "width": "N", "colour": "S", "place": "S"}
VALUES = {"weekday": "abc", "width": (-7, -1, 0, 2, 2.5, 30), "colour": ("red", "blue"), "place": ("x", "y", "xx")}
TESTS = {
    "{} = :a": lambda key, a, b: key == a,
    "{} < :a": lambda key, a, b: key < a,
    "{} <= :a": lambda key, a, b: key <= a,
    ":a < {}": lambda key, a, b: key > a,
    "{} >= :a": lambda key, a, b: key >= a,
    "{} BETWEEN :a AND :b": lambda key, a, b: a <= key <= b,
    "begins_with({}, :a)": lambda key, a, b: key.startswith(a),
}


def pack(name, value):
    return {TYPES.get(name, "S"): str(value)}


def packed(item):
    return {name: pack(name, value) for name, value in item.items()}


def definition(name):
    kind, hashes, ranges, projected = INDEXES[name]
    projection = ({"ProjectionType": "ALL"} if projected is None else {"ProjectionType": "KEYS_ONLY"} if not projected
                  else {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(projected)})
    return {"IndexName": name, "Projection": projection, "KeySchema": [
        *({"AttributeName": each, "KeyType": "HASH"} for each in hashes),
        *({"AttributeName": each, "KeyType": "RANGE"} for each in ranges)]}


def entry(name, item):
    """What the index has of an item; None: nothing."""
    _, hashes, ranges, projected = INDEXES[name]
    if any(each not in item for each in hashes + ranges):
        return None
    return {each: value for each, value in item.items()
            if projected is None or each in TABLE + hashes + ranges + projected}


def tie(item):
    """What orders entries of a global index with equal keys."""
    number = int(item["sk"])  # 0 to 12, as the service writes them: 80, or c1 and the number and one
    key = item["pk"].encode() + (b"\x80" if number == 0 else bytes((0xc1, number + 1)))
    return hashlib.md5(b"Outliers" + key).digest()


class IndexReads(ServerCase):
    def make(self):
        self.dynamo.create_table(
            TableName=self.table, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in TYPES.items()],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            **{f"{kind.title()}SecondaryIndexes": [definition(name) for name in INDEXES if INDEXES[name][0] == kind]
               for kind in ("local", "global")})
        wait_for(lambda: all(each.get("IndexStatus", "ACTIVE") == "ACTIVE" for each in self.dynamo.describe_table(
            TableName=self.table)["Table"]["GlobalSecondaryIndexes"]), "indexes")

    def pages(self, operation, limit, **asked):
        items, scanned = [], 0
        config = {} if limit is None else {"PageSize": limit}
        for page in getattr(self, operation).paginate(TableName=self.table, PaginationConfig=config, **asked):
            self.assertEqual(len(page["Items"]), page["Count"])
            if "LastEvaluatedKey" in page:
                self.assertEqual(limit, page["ScannedCount"])
                hashes, ranges = INDEXES[asked["IndexName"]][1:3]
                self.assertEqual(set(TABLE + hashes + ranges), set(page["LastEvaluatedKey"]))
            items += page["Items"]
            scanned += page["ScannedCount"]
        return items, scanned

    def change(self, items, dice):
        """One random write, in the table and in the model."""
        pk, sk = dice.choice("pqr"), dice.randint(0, 12)
        made = {name: dice.choice(VALUES[name]) for name in VALUES if dice.random() < 0.8}
        key = {"pk": pk, "sk": sk}
        how = dice.random()
        if how < 0.5:
            items[pk, sk] = {**key, **made, "rest": f"{sk}"}
            self.dynamo.put_item(TableName=self.table, Item=packed(items[pk, sk]))
        elif how < 0.65:
            items.pop((pk, sk), None)
            self.dynamo.delete_item(TableName=self.table, Key=packed(key))
        else:
            name = dice.choice(list(VALUES))
            if name in made:
                items.setdefault((pk, sk), dict(key))[name] = made[name]
                change = {"UpdateExpression": f"SET {name} = :v",
                          "ExpressionAttributeValues": {":v": pack(name, made[name])}}
            else:
                items.get((pk, sk), {}).pop(name, None)  # what is not there is not made
                change = {"UpdateExpression": f"REMOVE {name}"}
            self.dynamo.update_item(TableName=self.table, Key=packed(key), **change)

    def check_query(self, items, order, dice):
        name = dice.choice(list(INDEXES))
        kind, hashes, ranges, _ = INDEXES[name]
        equals = {each: dice.choice(VALUES.get(each, "pqr")) for each in hashes}
        depth = dice.randint(0, len(ranges))
        equals |= {each: dice.choice(VALUES[each]) for each in ranges[:depth]}
        conditions = [f"{each} = :{each}" for each in equals]
        values = {f":{each}": pack(each, value) for each, value in equals.items()}
        holds = lambda found: all(found[each] == value for each, value in equals.items())  # noqa: E731
        if depth < len(ranges) and dice.random() < 0.7:
            last = ranges[depth]
            low, high = sorted(dice.choice(VALUES[last]) for _ in range(2))
            test = dice.choice([each for each in TESTS if last == "weekday" or "begins" not in each])
            conditions.append(test.format(last))
            values |= {":a": pack(last, low), **({":b": pack(last, high)} if ":b" in test else {})}
            before = holds
            holds = lambda found: before(found) and TESTS[test](found[last], low, high)  # noqa: E731
        dice.shuffle(conditions)
        asked = {"IndexName": name, "KeyConditionExpression": " AND ".join(conditions),
                 "ExpressionAttributeValues": values}
        backward = dice.random() < 0.5
        found = [each for each in (entry(name, item) for item in items.values()) if each is not None and holds(each)]
        found.sort(key=lambda each: ([each[part] for part in ranges],
                                     order[each["pk"], each["sk"]] if kind == "local" else tie(each)), reverse=backward)
        if kind == "local" and dice.random() < 0.4:
            asked["Select"] = "ALL_ATTRIBUTES"
            found = [items[each["pk"], each["sk"]] for each in found]
        answer = self.pages("queries", dice.choice((None, 1, 2, 5)), ScanIndexForward=not backward, **asked)
        self.assertEqual(([packed(each) for each in found], len(found)), answer, f"{asked} {backward}")

    def check_scan(self, items, dice):
        name = dice.choice(list(INDEXES))
        limit, segments = dice.choice((None, 1, 3)), dice.choice((1, 1, 3))
        found = []
        for segment in range(segments):
            asked = {"Segment": segment, "TotalSegments": segments} if segments > 1 else {}
            found += self.pages("scans", limit, IndexName=name, **asked)[0]
        expected = [packed(each) for each in (entry(name, item) for item in items.values()) if each is not None]
        self.assertCountEqual(expected, found)

    def test_random_reads(self):
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        self.make()
        self.queries, self.scans = (self.dynamo.get_paginator(each) for each in ("query", "scan"))
        items = {}
        with self.subTest(seed=seed):
            for _ in range(6):
                for _ in range(30):
                    self.change(items, dice)
                whole = self.dynamo.scan(TableName=self.table)["Items"]
                order = {(each["pk"]["S"], int(each["sk"]["N"])): at for at, each in enumerate(whole)}
                self.assertEqual(set(items), set(order))
                for _ in range(25):
                    self.check_query(items, order, dice)
                for _ in range(5):
                    self.check_scan(items, dice)

    def put(self, **item):
        return self.dynamo.put_item(TableName=self.table, Item=packed(item),
                                    ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]

    def costs(self, told, table, **indexes):
        """Of dynamodb-conformance, putItem/indexConsumedCapacity: what costs an index nothing is not told."""
        self.assertEqual({"CapacityUnits": float(table)}, told["Table"])
        self.assertEqual(float(table + sum(indexes.values())), told["CapacityUnits"])
        for kind in ("local", "global"):
            expected = {name: {"CapacityUnits": float(units)} for name, units in indexes.items()
                        if INDEXES[name][0] == kind}
            self.assertEqual(expected, told.get(f"{kind.title()}SecondaryIndexes", {}))

    def test_what_writes_cost(self):
        self.make()
        full = {"pk": "p", "sk": 1, "weekday": "a", "width": 2, "colour": "red", "place": "x"}
        self.costs(self.put(**full), 1, byWeekday=1, byWidth=1, byColour=1, byPlace=1, byShelf=1)
        self.costs(self.put(**full), 1)
        self.costs(self.put(pk="p", sk=2, rest="o"), 1)
        self.costs(self.put(pk="p", sk=3, colour="red"), 1, byColour=1)
        self.costs(self.put(**full, rest="x" * 1500), 2, byColour=2)

        def update(change, **values):
            packed_values = {f":{name}": pack(name, value) for name, value in values.items()}
            return self.dynamo.update_item(
                TableName=self.table, Key={"pk": {"S": "p"}, "sk": {"N": "1"}}, UpdateExpression=change,
                ReturnConsumedCapacity="INDEXES",
                **({"ExpressionAttributeValues": packed_values} if values else {}))["ConsumedCapacity"]
        self.costs(update("SET rest = :rest", rest="o"), 2, byColour=2)
        self.costs(update("SET colour = :colour", colour="blue"), 1, byWidth=1, byColour=2, byPlace=1, byShelf=2)
        self.costs(update("SET width = :width", width=30), 1, byWidth=2, byColour=1, byPlace=2, byShelf=2)
        self.costs(update("REMOVE place"), 1, byColour=1, byPlace=1, byShelf=1)
        batch = self.dynamo.batch_write_item(ReturnConsumedCapacity="INDEXES", RequestItems={self.table: [
            {"PutRequest": {"Item": packed({"pk": "q", "sk": at, "weekday": "b"})}} for at in range(3)]})
        self.costs(batch["ConsumedCapacity"][0], 3, byWeekday=3)
        done = self.dynamo.transact_write_items(ReturnConsumedCapacity="INDEXES", TransactItems=[
            {"Put": {"TableName": self.table, "Item": packed({"pk": "q", "sk": 9, "colour": "red"})}},
            {"Delete": {"TableName": self.table, "Key": packed({"pk": "q", "sk": 1})}}])["ConsumedCapacity"][0]
        self.assertEqual((8.0, 8.0), (done["CapacityUnits"], done["WriteCapacityUnits"]))
        twice = {"CapacityUnits": 2.0, "WriteCapacityUnits": 2.0}
        self.assertEqual(({"byColour": twice}, {"byWeekday": twice}),
                         (done["GlobalSecondaryIndexes"], done["LocalSecondaryIndexes"]))
        deleted = self.dynamo.delete_item(TableName=self.table, Key={"pk": {"S": "p"}, "sk": {"N": "1"}},
                                          ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
        self.costs(deleted, 1, byWeekday=1, byWidth=1, byColour=1)

    def test_pages_of_fetched_items_are_bounded(self):
        self.make()
        for at in range(30):
            self.put(pk="p", sk=at, weekday="a", rest="x" * 100_000)
        asked = {"TableName": self.table, "IndexName": "byWeekday", "KeyConditionExpression": "pk = :p",
                 "ExpressionAttributeValues": {":p": {"S": "p"}}}
        self.assertEqual(30, self.dynamo.query(**asked)["Count"])
        pages = list(self.dynamo.get_paginator("query").paginate(Select="ALL_ATTRIBUTES", **asked))
        self.assertEqual([11, 11, 8], [page["Count"] for page in pages])
        reply = self.dynamo.query(**asked, Limit=3, Select="ALL_ATTRIBUTES", ReturnConsumedCapacity="INDEXES")
        self.costs({**reply["ConsumedCapacity"]}, 3 * 12.5, byWeekday=0.5)

    def test_refusals(self):
        self.make()
        query, scan = self.raw.query, self.raw.scan
        on = {"TableName": self.table, "IndexName": "byPlace"}
        asked = {**on, "KeyConditionExpression": "place = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}}
        for call, more in ((query, asked), (scan, on)):
            self.refused("ValidationException", "The table does not have the specified index: other", call,
                         **{**more, "IndexName": "other"})
            self.refused("ValidationException", "Consistent reads are not supported on global secondary indexes", call,
                         ConsistentRead=True, **more)
            self.refused("ValidationException", INVALID + "Select type ALL_ATTRIBUTES is not supported for global "
                         "secondary index byPlace because its projection type is not ALL", call,
                         Select="ALL_ATTRIBUTES", **more)
            self.refused("ValidationException", INVALID + "Global secondary index byPlace does not project "
                         "[rest, weekday]", call, ProjectionExpression="rest, sk, weekday", **more)
            self.refused("ValidationException", "The provided starting key is invalid", call,
                         ExclusiveStartKey={"pk": {"S": "p"}, "sk": {"N": "1"}}, **more)
        self.refused("ValidationException", INVALID + "Secondary index byPlace does not project one or more filter "
                     "attributes: [rest, weekday]", query,
                     FilterExpression="rest = :v OR weekday = :v", **asked)
        self.refused("ValidationException", "Filter Expression can only contain non-primary key attributes: Primary key "
                     "attribute: width", query, FilterExpression="width = :v", **asked)
        shelf = {"TableName": self.table, "IndexName": "byShelf", "ExpressionAttributeValues": {":v": {"S": "x"}}}
        self.refused("ValidationException", "Query condition missed key schema element: colour", query,
                     KeyConditionExpression="place = :v", **shelf)
        self.refused("ValidationException", "RANGE key attributes weekday must have equality conditions specified in the query "
                     "because a condition is present on key attribute width", query,
                     KeyConditionExpression="place = :v AND colour = :v AND width = :n",
                     **{**shelf, "ExpressionAttributeValues": {":v": {"S": "x"}, ":n": {"N": "1"}}})
