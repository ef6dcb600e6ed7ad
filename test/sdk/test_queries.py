"""Query, and Scan with filters: random tables beside a model, with every condition on every type of key, in both
directions and in pages of any size."""

import decimal
import random

from boto3.dynamodb.conditions import Attr, ConditionExpressionBuilder, Key
from boto3.dynamodb.types import Binary, TypeSerializer

from support.case import ServerCase

BIG = {"S": "x" * 100_000}
PARTITIONS = ("p", "q", "r")
PACK = TypeSerializer().serialize

# What a sort key is compared with, as a request says it and as the model does.
TESTS = {
    "eq": lambda key, a, b: key == a,
    "lt": lambda key, a, b: key < a,
    "lte": lambda key, a, b: key <= a,
    "gt": lambda key, a, b: key > a,
    "gte": lambda key, a, b: key >= a,
    "between": lambda key, a, b: a <= key <= b,
    "begins_with": lambda key, a, b: key.startswith(a),
}

OLDER = {"eq": "EQ", "lt": "LT", "lte": "LE", "gt": "GT", "gte": "GE", "between": "BETWEEN", "begins_with": "BEGINS_WITH"}


def random_key(kind, dice):
    if kind == "N":
        number = decimal.Decimal(dice.randint(-30, 30)).scaleb(dice.choice((-2, 0, 0, 5)))
        return decimal.Decimal(format(number.normalize(), "f"))  # as the service prints it
    size = dice.randint(1, 3)
    if kind == "S":
        return "".join(dice.choice("ab\0é😀") for _ in range(size))
    return bytes(dice.choice((0, 1, 254, 255)) for _ in range(size))


def order(kind, key):
    return key.encode() if kind == "S" else key


def value(kind, key):
    return Binary(key) if kind == "B" else key


def packed(item):
    return {name: PACK(each) for name, each in item.items()}


class Queries(ServerCase):
    def fill(self, items):
        for at in range(0, len(items), 25):
            self.dynamo.batch_write_item(RequestItems={self.table: [
                {"PutRequest": {"Item": item}} for item in items[at:at + 25]]})

    def request(self, condition=None, filter_=None):
        """The parameters of boto3's own conditions, in the low-level client's form."""
        builder, asked, names, values = ConditionExpressionBuilder(), {}, {}, {}
        for member, given, is_key in (("KeyConditionExpression", condition, True),
                                      ("FilterExpression", filter_, False)):
            if given is None:
                continue
            built = builder.build_expression(given, is_key_condition=is_key)
            asked[member] = built.condition_expression
            names.update(built.attribute_name_placeholders)
            values.update(built.attribute_value_placeholders)
        if names:
            asked["ExpressionAttributeNames"] = names
        if values:
            asked["ExpressionAttributeValues"] = packed(values)
        return {"TableName": self.table, **asked}

    def older_request(self, kind, partition, name, low, high, colour):
        """The same with KeyConditions and QueryFilter."""
        def condition(operator, *values):
            return {"ComparisonOperator": operator, "AttributeValueList": [PACK(each) for each in values]}
        conditions = {"pk": condition("EQ", partition)}
        if name is not None:
            bounds = [value(kind, low), value(kind, high)][:1 + (name == "between")]
            conditions["sk"] = condition(OLDER[name], *bounds)
        filter_ = {} if colour is None else {"QueryFilter": {"colour": condition("EQ", colour)}}
        return {"TableName": self.table, "KeyConditions": conditions, **filter_}

    def pages(self, operation, limit=None, **asked):
        """All pages, each held against what a page must be; answers (items, how many were looked at)."""
        items, scanned = [], 0
        config = {} if limit is None else {"PageSize": limit}
        for page in self.dynamo.get_paginator(operation).paginate(**asked, PaginationConfig=config):
            self.assertEqual(len(page["Items"]), page["Count"])
            self.assertLessEqual(page["Count"], page["ScannedCount"])
            if "LastEvaluatedKey" in page and limit is not None:
                self.assertEqual(limit, page["ScannedCount"])
            elif limit is not None:
                self.assertLess(page["ScannedCount"], limit)
            items += page["Items"]
            scanned += page["ScannedCount"]
        return items, scanned

    def check_one(self, kind, items, dice):
        a, b = (random_key(kind, dice) for _ in range(2))
        low, high = sorted((a, b), key=lambda key: order(kind, key))
        partition, backward = dice.choice(PARTITIONS), dice.random() < 0.5
        name = dice.choice([None] + [name for name in TESTS if kind != "N" or name != "begins_with"])
        condition = Key("pk").eq(partition)
        if name == "between":
            condition &= Key("sk").between(value(kind, low), value(kind, high))
        elif name is not None:
            condition &= getattr(Key("sk"), name)(value(kind, low))
        colour = dice.choice((None, "red", "blue"))
        asked = self.request(condition, None if colour is None else Attr("colour").eq(colour))
        if dice.random() < 0.3:
            asked = self.older_request(kind, partition, name, low, high, colour)
        found = [item for item in items if item["pk"] == partition and (
            name is None or TESTS[name](order(kind, item["sk"]), order(kind, low), order(kind, high)))]
        found.sort(key=lambda item: order(kind, item["sk"]), reverse=backward)
        kept = [item for item in found if colour in (None, item["colour"])]
        answer = self.pages("query", dice.choice((None, 2, 5, 7, 100)), ScanIndexForward=not backward,
                            ConsistentRead=dice.random() < 0.5, **asked)
        self.assertEqual(([packed({**item, "sk": value(kind, item["sk"])}) for item in kept], len(found)), answer,
                         f"{asked} {backward}")

    def check_random(self, kind):
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        self.create(keys=(("pk", "S"), ("sk", kind)))
        keys = {(dice.choice(PARTITIONS), random_key(kind, dice)) for _ in range(60)}
        items = [{"pk": pk, "sk": sk, "colour": dice.choice(("red", "blue", "green"))} for pk, sk in sorted(keys)]
        self.fill([packed({**item, "sk": value(kind, item["sk"])}) for item in items])
        with self.subTest(seed=seed):
            for _ in range(30):
                self.check_one(kind, items, dice)

    def test_random_queries_of_text(self):
        self.check_random("S")

    def test_random_queries_of_numbers(self):
        self.check_random("N")

    def test_random_queries_of_data(self):
        self.check_random("B")

    def test_random_scans_with_filters(self):
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        self.create(keys=(("pk", "S"), ("sk", "N")))
        items = [{"pk": f"p{at % 17}", "sk": at, "n": dice.randint(0, 9), "tags": {dice.choice("abc")}}
                 for at in range(150)]
        self.fill([packed(item) for item in items])
        with self.subTest(seed=seed):
            whole, scanned = self.pages("scan", TableName=self.table)
            self.assertEqual(150, scanned)
            for _ in range(15):
                low, high = sorted(dice.randint(0, 9) for _ in range(2))
                tag = dice.choice("abc")
                filter_ = (Attr("n").between(low, high) | Attr("tags").contains(tag)) & Attr("sk").ne(7)
                kept = [packed(item) for item in items
                        if (low <= item["n"] <= high or tag in item["tags"]) and item["sk"] != 7]
                answer = self.pages("scan", dice.choice((None, 10, 77)), **self.request(None, filter_))
                self.assertEqual(([item for item in whole if item in kept], 150), answer)

    def test_pages_of_a_megabyte(self):
        self.create(keys=(("pk", "S"), ("sk", "N")))
        self.fill([{"pk": {"S": "p"}, "sk": {"N": str(at)}, "v": BIG} for at in range(25)])
        asked = self.request(Key("pk").eq("p"))
        for forward in (True, False):
            pages = list(self.dynamo.get_paginator("query").paginate(ScanIndexForward=forward, **asked))
            self.assertEqual([11, 11, 3], [page["Count"] for page in pages])
            keys = [int(item["sk"]["N"]) for page in pages for item in page["Items"]]
            self.assertEqual(list(range(25)) if forward else list(range(24, -1, -1)), keys)
            last = pages[0]["Items"][-1]
            self.assertEqual({"pk": last["pk"], "sk": last["sk"]}, pages[0]["LastEvaluatedKey"])

    def test_what_changes_between_pages(self):
        self.create(keys=(("pk", "S"), ("sk", "N")))
        self.fill([{"pk": {"S": "p"}, "sk": {"N": str(at)}} for at in range(6)])
        asked = self.request(Key("pk").eq("p"))
        first = self.dynamo.query(Limit=3, **asked)
        for key in ("2", "3"):  # the key to go on from, and the next one
            self.dynamo.delete_item(TableName=self.table, Key={"pk": {"S": "p"}, "sk": {"N": key}})
        rest = self.dynamo.query(ExclusiveStartKey=first["LastEvaluatedKey"], **asked)
        self.assertEqual(["4", "5"], [item["sk"]["N"] for item in rest["Items"]])

    def test_capacity(self):
        self.create(keys=(("pk", "S"), ("sk", "N")))
        self.fill([{"pk": {"S": "p"}, "sk": {"N": str(at)}, "v": {"S": "x" * 4000}} for at in range(10)])
        asked = self.request(Key("pk").eq("p"), Attr("v").eq("y"))
        for consistent, units in ((True, 10.0), (False, 5.0)):
            reply = self.dynamo.query(ConsistentRead=consistent, ReturnConsumedCapacity="INDEXES", **asked)
            self.assertEqual((0, 10), (reply["Count"], reply["ScannedCount"]))
            self.assertEqual({"TableName": self.table, "CapacityUnits": units, "Table": {"CapacityUnits": units}},
                             reply["ConsumedCapacity"])

    def test_refusals(self):
        self.create(keys=(("pk", "S"), ("sk", "N")))
        query, asked = self.raw.query, self.request(Key("pk").eq("p"))
        self.refused("ResourceNotFoundException", "Requested resource not found", query,
                     **{**asked, "TableName": "nothing-here"})
        self.refused("ValidationException", "Query condition missed key schema element: pk", query,
                     **self.request(Key("sk").eq(1)))
        self.refused("ValidationException", "The table does not have the specified index: by-colour", query,
                     IndexName="by-colour", **asked)
        self.refused("ValidationException", "1 validation error detected: ALL_PROJECTED_ATTRIBUTES can be used only "
                     "when Querying using an IndexName", query, Select="ALL_PROJECTED_ATTRIBUTES", **asked)
        self.refused("ValidationException", "The provided starting key is outside query boundaries based on provided "
                     "conditions", query, ExclusiveStartKey={"pk": {"S": "q"}, "sk": {"N": "1"}}, **asked)
