"""Exports with a FilterSpecification beside the whole export of the same instant or window, filtered here."""

import json
import os
import random
import subprocess
import unittest
import uuid

from support import exports
from support.case import wait_for
from support.window_case import BUCKET, HOUR, SECOND, WindowCase

FAULT = "Invalid Request: Invalid FilterSpecification: "
TOKEN_USED = "Export conflict: Duplicate request detected with conflicting parameters"


def number(item, name):
    return float(item[name]["N"]) if "N" in item.get(name, {}) else None


def text(item, name):
    return item.get(name, {}).get("S")


# What a condition says, and the same in Python. Every placeholder that it names is in NAMES or VALUES.
NAMES = {"#n": "n", "#s": "s", "#size": "size", "#m": "m"}
VALUES = {":three": {"N": "3"}, ":a": {"S": "a"}, ":ab": {"S": "ab"}, ":two": {"N": "2"}, ":x": {"S": "x"},
          ":p": {"S": "p1"}, ":four": {"N": "4"}, ":eleven": {"N": "11"}, ":one": {"N": "1"}}
CONDITIONS = [
    ("#n > :three", lambda item: number(item, "n") is not None and number(item, "n") > 3),
    ("#n <> :two", lambda item: number(item, "n") != 2),
    ("begins_with(#s, :a)", lambda item: (text(item, "s") or "").startswith("a")),
    ("contains(#s, :x)", lambda item: "x" in (text(item, "s") or "")),
    ("attribute_exists(#size)", lambda item: "size" in item),
    ("attribute_not_exists(#m.x)", lambda item: "x" not in item.get("m", {"M": {}})["M"]),
    ("size(#s) < :three", lambda item: text(item, "s") is not None and len(text(item, "s")) < 3),
    ("#s IN (:ab, :x)", lambda item: text(item, "s") in ("ab", "x")),
]
ON_KEYS = [
    ("pk = :p", lambda item: text(item, "pk") == "p1"),
    ("sk BETWEEN :two AND :eleven", lambda item: 2 <= number(item, "sk") <= 11),
]
OF_SORT_KEY = [
    ("", lambda at: True),
    (" AND sk = :eleven", lambda at: at == 11),
    (" AND sk < :four", lambda at: at < 4),
    (" AND sk <= :eleven", lambda at: at <= 11),
    (" AND sk > :four", lambda at: at > 4),
    (" AND sk >= :eleven", lambda at: at >= 11),
    (" AND sk BETWEEN :two AND :eleven", lambda at: 2 <= at <= 11),
]
PROJECTIONS = [
    ("pk, sk, #n", lambda item: pick(item, "pk", "sk", "n")),
    ("#s, #m", lambda item: pick(item, "s", "m")),
    ("sk, #m.x", lambda item: {**pick(item, "sk"), **inner(item)}),
    ("absent", lambda item: {}),
]


def pick(item, *names):
    return {name: item[name] for name in names if name in item}


def inner(item):
    return {"m": {"M": {"x": item["m"]["M"]["x"]}}} if "x" in item.get("m", {"M": {}})["M"] else {}


class Filter:
    """One specification, and what it means."""

    def __init__(self, chance):
        self.specification = {}
        self.takes, self.of_key, self.chosen = (lambda item: True), (lambda key: True), (lambda item: item)
        self.shown = ("pk", "sk")
        parts = chance.randrange(1, 8)
        if parts & 1:
            self.condition(chance, [] if parts & 2 else ON_KEYS)
        if parts & 2:
            words, of_sort_key = chance.choice(OF_SORT_KEY)
            self.specification["KeyConditionExpression"] = "pk = :p" + words
            self.of_key = lambda key: text(key, "pk") == "p1" and of_sort_key(number(key, "sk"))
        if parts & 4:
            self.specification["ProjectionExpression"], self.chosen = chance.choice(PROJECTIONS)
            self.shown = [name for name in self.shown
                          if name in self.specification["ProjectionExpression"].split(", ")]
        words = " ".join(self.specification.values())
        self.bring("ExpressionAttributeNames", NAMES, words)
        self.bring("ExpressionAttributeValues", VALUES, words)

    def condition(self, chance, more):
        one, other = (chance.choice(CONDITIONS + more) for _ in range(2))
        words, takes = chance.choice([
            (one[0], one[1]),
            (f"NOT ({one[0]})", lambda item: not one[1](item)),
            (f"{one[0]} OR {other[0]}", lambda item: one[1](item) or other[1](item)),
            (f"({one[0]}) AND ({other[0]})", lambda item: one[1](item) and other[1](item))])
        self.specification["FilterExpression"], self.takes = words, takes

    def bring(self, member, placeholders, words):
        words = set(words.replace("(", " ").replace(")", " ").replace(",", " ").replace(".", " ").split())
        used = {name: value for name, value in placeholders.items() if name in words}
        if used:
            self.specification[member] = used

    def items(self, items):
        return [self.chosen(item) for item in items if self.of_key(item) and self.takes(item)]

    def changes(self, lines, old_images):
        """Of the lines of NEW_AND_OLD_IMAGES."""
        found = []
        for line in lines:
            latest = line["NewImage"] if "NewImage" in line else line["OldImage"]
            if self.of_key(line["Keys"]) and self.takes(latest):
                images = {name: self.chosen(line[name]) for name in ("OldImage", "NewImage")
                          if name in line and (old_images or name == "NewImage")}
                found.append({**line, "OldImage": None, "NewImage": None, **images})
        return found


def in_order(lines):
    """Without what is not there, in one order: files are written side by side."""
    def change(line):
        images = {name: exports.plain(line[name]) for name in ("Keys", "OldImage", "NewImage") if line.get(name) is not None}
        return {**images, "WriteTimestampMicros": line["WriteTimestampMicros"]}
    return sorted((change(line) if "Keys" in line else exports.plain(line) for line in lines),
                  key=lambda line: json.dumps(line, sort_keys=True))


class Filters(WindowCase):
    def fill(self, chance, keys):
        for at in keys:
            attributes = {"n": {"N": str(chance.randrange(7))}, "s": {"S": chance.choice(["a", "ab", "x", "bax", ""])},
                          "size": {"BOOL": True}, "m": {"M": chance.choice([{"x": {"N": "1"}, "y": {"S": "z"}}, {}])}}
            self.put(at, **{name: value for name, value in attributes.items() if chance.random() < 0.8})

    def edges(self, chance):
        """A table with a history: when it was filled, and when it was changed."""
        self.start()
        self.create()
        self.fill(chance, range(60))
        edges = [self.edge()]
        self.start(1)
        self.fill(chance, range(20))
        self.fill(chance, range(60, 80))
        for at in (*range(15, 30), 61, 62):  # the last two come and go
            self.delete(at)
        self.fill(chance, range(25, 28))
        edges.append(self.edge())
        self.start(2)
        self.fill(chance, range(90, 99))
        return edges

    def test_filters_beside_a_model(self):
        seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 32)
        chance = random.Random(seed)
        since, until = self.edges(chance)
        items = {when: self.exported(ExportTime=when)[1] for when in (since, until)}
        window = {"ExportFromTime": since, "ExportToTime": until}
        lines = self.exported(window)[1]
        for turn in range(int(os.environ.get("FILTERS", "15"))):
            one = Filter(chance)
            with self.subTest(seed=seed, turn=turn, specification=one.specification):
                form = chance.choice(["DYNAMODB_JSON", "ION"])
                asked = {"FilterSpecification": one.specification, "ExportFormat": form, "shown": one.shown}
                when = chance.choice([since, until])
                done, found = self.exported(ExportTime=when, **asked)
                self.assertEqual(in_order(one.items(items[when])), in_order(found))
                self.verified(done, one)
                view = chance.choice(["NEW_IMAGE", "NEW_AND_OLD_IMAGES"])
                done, found = self.exported({**window, "ExportViewType": view}, **asked)
                self.assertEqual(in_order(one.changes(lines, view != "NEW_IMAGE")), in_order(found))
                self.assertEqual(one.specification, done["FilterSpecification"])
                self.verified(done, one)

    def folder(self, done):
        return (self.server.buckets / BUCKET / done["ExportManifest"]).parent

    def gramme(self, *arguments):
        outcome = subprocess.run([os.environ["GRAMME"], *arguments], capture_output=True, text=True)
        return outcome.returncode, outcome.stderr, outcome.stdout

    def verified(self, done, one):
        """`gramme verify` finds nothing; of items without their keys it cannot be told what those are."""
        keys = ["--keys", "pk:sk"] if len(one.shown) == 2 else []
        status, told, said = self.gramme("verify", self.folder(done), *keys)
        self.assertEqual((0, ""), (status, told), said)

    def test_what_replays(self):
        """The items of one partition key, whole or projected, replay as a table does."""
        since, until = self.edges(random.Random(7))
        window = {"ExportFromTime": since, "ExportToTime": until}
        keys = ("--keys", "pk:sk")
        values = {"ExpressionAttributeValues": {":p": {"S": "p1"}}}
        for at, specification in enumerate((
                {"KeyConditionExpression": "pk = :p", **values},
                {"KeyConditionExpression": "pk = :p", "ProjectionExpression": "pk, sk, s", **values},
                {"FilterExpression": "pk = :p", **values})):
            with self.subTest(specification):
                full, change, later = (self.folder(self.exported(FilterSpecification=specification, **more)[0]) for more in (
                    {"ExportTime": since}, {"window": window}, {"ExportTime": until}))
                out = self.server.buckets / f"out{at}"
                out.mkdir()
                self.assertEqual((0, ""), self.gramme("replay", full, change, *keys, "--out", out)[:2])
                [result] = out.glob("AWSDynamoDB/*")
                self.assertEqual((0, "", ""), self.gramme("diff", result, later, *keys))
                self.assertEqual(1, self.gramme("diff", full, later, *keys)[0])
        full, change = (self.folder(self.exported(FilterSpecification={"ProjectionExpression": "#s", "ExpressionAttributeNames": {
            "#s": "s"}}, shown=[], **more)[0]) for more in ({"ExportTime": since}, {"window": window}))
        for command in (("diff", full, full), ("replay", full, change, "--out", out)):
            status, told, _ = self.gramme(*command, *keys)
            self.assertEqual(1, status)
            self.assertIn("the key attribute pk is missing", told)

    def test_what_is_billed_and_counted(self):
        """A key condition reduces what is read, a filter does not; ItemCount is of what was written."""
        self.start()
        self.create()
        for at in range(1, 11):
            self.put(at, v={"S": "x" * 100})
        size = len("pk" + "p1" + "sk") + 2 + len("v") + 100
        values = {":p": {"S": "p1"}, ":y": {"S": "y"}}
        for specification, count, billed in (
                ({"FilterExpression": "pk = :p"}, 2, 10 * size),
                ({"FilterExpression": "v = :y"}, 0, 10 * size),
                ({"ProjectionExpression": "sk"}, 10, 10 * size),
                ({"KeyConditionExpression": "pk = :p"}, 2, 2 * size),
                ({"KeyConditionExpression": "pk = :p", "FilterExpression": "v = :y"}, 0, 2 * size),
                ({"KeyConditionExpression": "pk = :y"}, 0, 0)):
            used = {name: value for name, value in values.items() if name in " ".join(specification.values())}
            specification |= {"ExpressionAttributeValues": used} if used else {}
            with self.subTest(specification):
                done, found = self.exported(FilterSpecification=specification,
                                            shown=["sk"] if "ProjectionExpression" in specification else None)
                self.assertEqual((count, count), (done["ItemCount"], len(found)))
                self.assertEqual(billed, done["BilledSizeBytes"])
                files = list(self.folder(done).glob("data/*"))
                self.assertEqual(4, len(files))
                if count == 0:
                    self.assertEqual({exports.EMPTY_GZIP}, {file.read_bytes() for file in files})

    def test_tokens_and_a_restart(self):
        self.start()
        self.create()
        self.put(1, v={"S": "x"})
        specification = {"FilterExpression": "#v = :x AND sk > :n", "ExpressionAttributeNames": {"#v": "v"},
                         "ExpressionAttributeValues": {":n": {"N": "0"}, ":x": {"S": "x"}}}
        token = str(uuid.uuid4())
        done, found = self.exported(FilterSpecification=specification, ClientToken=token)
        self.assertEqual(1, len(found))
        self.assertEqual(specification, done["FilterSpecification"])
        self.start()
        self.assertEqual(done, self.dynamo.describe_export(ExportArn=done["ExportArn"])["ExportDescription"])
        self.assertEqual(done, self.exported(FilterSpecification=specification, ClientToken=token)[0])
        [listed] = self.dynamo.list_exports(TableArn=self.arn)["ExportSummaries"]
        self.assertEqual({"ExportArn", "ExportStatus", "ExportType"}, set(listed))
        for change in ({"ExpressionAttributeValues": {":n": {"N": "1"}, ":x": {"S": "x"}}},
                       {"ExpressionAttributeNames": {"#v": "w"}},
                       {"FilterExpression": "#v = :x AND sk >= :n"},
                       {"ProjectionExpression": "pk"}):
            with self.subTest(change):
                self.refused("ExportConflictException", TOKEN_USED, ClientToken=token,
                             FilterSpecification={**specification, **change})
        self.refused("ExportConflictException", TOKEN_USED, ClientToken=token)

    def test_no_more_than_there_is(self):
        """The largest values there are: kept, told, and not part of what is listed."""
        self.start()
        self.create()
        self.put(1, v={"S": "x"})
        values = {f":v{at}": {"S": chr(97 + at) * 100_000} for at in range(20)}
        specification = {"FilterExpression": "v IN (" + ", ".join(values) + ")", "ExpressionAttributeValues": values}
        done, found = self.exported(FilterSpecification=specification)
        self.assertEqual(([], specification), (found, done["FilterSpecification"]))
        values |= {":w": {"S": "w" * 100_000}}
        self.refused("ValidationException", FAULT + "Combined size of ExpressionAttributeNames and "
                     "ExpressionAttributeValues exceeds max size",
                     FilterSpecification={**specification, "FilterExpression": "v IN (" + ", ".join(values) + ")"})

    def test_a_table_without_a_sort_key(self):
        self.start()
        self.keys = ("id",)
        self.arn = self.dynamo.create_table(
            TableName=self.table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "B"}])["TableDescription"]["TableArn"]
        self.recover()
        for at in range(50):
            self.dynamo.put_item(TableName=self.table, Item={"id": {"B": bytes([at])}, "n": {"N": str(at)}})
        wanted = {"KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"B": b"\x07"}}}
        _, found = self.exported(FilterSpecification=wanted)
        self.assertEqual([{"id": {"B": "Bw=="}, "n": {"N": "7"}}], found)
        self.refused("ValidationException", FAULT + "The number of query conditions (2) exceeds the number of key "
                     "attributes defined in the schema (1)",
                     FilterSpecification={"KeyConditionExpression": "id = :id AND n = :id",
                                          "ExpressionAttributeValues": {":id": {"B": b"\x07"}}})

    def test_refusals(self):
        """Of `{}` the service's own words; the others are Query's behind them, our choice."""
        self.start()
        self.create()
        key = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "p"}}}
        two = {":p": {"S": "p"}, ":n": {"N": "1"}}
        for specification, message in (
                ({}, "The specification can not be empty"),
                ({"FilterExpression": ""}, "Invalid FilterExpression: The expression can not be empty;"),
                ({"ProjectionExpression": ""}, "Invalid ProjectionExpression: The expression can not be empty;"),
                ({"KeyConditionExpression": ""}, "Invalid KeyConditionExpression: The expression can not be empty;"),
                ({"FilterExpression": "a ="}, "Invalid FilterExpression: Syntax error; token: \"<EOF>\", near: \"=\""),
                ({"FilterExpression": "size > pk"}, "Invalid FilterExpression: Attribute name is a reserved keyword; "
                 "reserved keyword: size"),
                ({"FilterExpression": "a = :a"}, "Invalid FilterExpression: An expression attribute value used in "
                 "expression is not defined; attribute value: :a"),
                ({"FilterExpression": "#a = pk"}, "Invalid FilterExpression: An expression attribute name used in the "
                 "document path is not defined; attribute name: #a"),
                ({"FilterExpression": "a" * 4097}, "Invalid FilterExpression: Expression size has exceeded the maximum "
                 "allowed size; expression size: 4097"),
                ({"ProjectionExpression": "a, a.b"}, "Invalid ProjectionExpression: Two document paths overlap with "
                 "each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]"),
                ({"ExpressionAttributeNames": {"#a": "a"}}, "ExpressionAttributeNames can only be specified when using "
                 "expressions"),
                ({"ExpressionAttributeValues": two}, "ExpressionAttributeValues can only be specified when using "
                 "expressions: FilterExpression and KeyConditionExpression are null"),
                ({**key, "ExpressionAttributeValues": {}}, "ExpressionAttributeValues must not be empty"),
                ({**key, "ExpressionAttributeNames": {}}, "ExpressionAttributeNames must not be empty"),
                ({**key, "ExpressionAttributeValues": two}, "Value provided in ExpressionAttributeValues unused in "
                 "expressions: keys: {:n}"),
                ({**key, "ExpressionAttributeNames": {"#n": "n"}}, "Value provided in ExpressionAttributeNames unused "
                 "in expressions: keys: {#n}"),
                ({**key, "ExpressionAttributeValues": {":p": {"SS": []}}},
                 "One or more parameter values were invalid: An string set  may not be empty"),
                ({**key, "KeyConditionExpression": "pk > :p"}, "Query key condition not supported"),
                ({**key, "KeyConditionExpression": "v = :p"}, "Query condition missed key schema element: pk"),
                ({"KeyConditionExpression": "pk = :p AND v = :n", "ExpressionAttributeValues": two},
                 "Query condition missed key schema element: sk"),
                ({"KeyConditionExpression": "pk = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}},
                 "One or more parameter values were invalid: Condition parameter type does not match schema type"),
                ({**key, "KeyConditionExpression": "pk = :p OR sk = :p"},
                 "Invalid operator used in KeyConditionExpression: OR"),
                ({**key, "FilterExpression": "attribute_exists(sk)"}, "Filter Expression can only contain non-primary "
                 "key attributes: Primary key attribute: sk"),
                ({"FilterExpression": "attribute_exists(pk.a)"}, "Key attributes must be scalars; list random access "
                 "'[]' and map lookup '.' are not allowed: Key: pk"),
                ({"ProjectionExpression": "pk.a"}, "Key attributes must be scalars; list random access '[]' and map "
                 "lookup '.' are not allowed: Key: pk")):
            for more in ({}, self.window(-24 * 60)):  # which would be told later
                with self.subTest(specification=str(specification)[:100], more=more):
                    self.refused("ValidationException", FAULT + message, FilterSpecification=specification, **more)
        self.assertEqual([], self.dynamo.list_exports()["ExportSummaries"])

    def test_order_of_checks(self):
        """What is wrong with the specification alone, the couplings, the table; what is wrong for its key."""
        self.start()
        self.create(recovery=False)
        bad = {"FilterSpecification": {}}
        unfit = {"FilterSpecification": {"FilterExpression": "attribute_exists(pk.a)"}}
        coupled = "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export"
        self.refused("ValidationException", FAULT + "The specification...", ExportType="INCREMENTAL_EXPORT", **bad)
        self.refused("ValidationException", coupled, ExportType="INCREMENTAL_EXPORT", **unfit)
        self.refused("ValidationException", FAULT + "Key attributes...", **unfit)
        self.refused("PointInTimeRecoveryUnavailableException", "Point in time...",
                     FilterSpecification={"FilterExpression": "attribute_exists(pk)"})
        self.arn += "x"
        self.refused("TableNotFoundException", "Table not found...", **unfit)


if __name__ == "__main__":
    unittest.main()
