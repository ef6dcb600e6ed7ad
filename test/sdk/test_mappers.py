"""Small applications of object mappers: dynamoose and ElectroDB from npm (javascript/mappers.cjs, mapper_indexes.cjs),
PynamoDB from PyPI."""

import os
import pathlib
import re
import subprocess
import unittest

from pynamodb import attributes, exceptions, indexes, models, transactions
from pynamodb.connection import Connection

from support.case import REGION
from support.server import Server

SCRIPTS = pathlib.Path(__file__).parent / "javascript"


class JavaScriptMappers(unittest.TestCase):
    def test_tables(self):
        self.run_script("mappers.cjs")

    def test_indexes(self):
        self.run_script("mapper_indexes.cjs")

    def run_script(self, name):
        with Server() as server:
            done = subprocess.run(["node", "--test-reporter=tap", SCRIPTS / name], capture_output=True, text=True, check=False,
                                  env={**os.environ, "ENDPOINT": server.url})
        tests = dict(reversed(found) for found in re.findall(r"^(ok|not ok) \d+ - (.*)$", done.stdout, re.M))
        self.assertEqual(2, len(tests), done.stdout + done.stderr)
        for test, outcome in tests.items():
            with self.subTest(test):
                self.assertEqual("ok", outcome, done.stdout)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)


class Address(attributes.MapAttribute):
    street = attributes.UnicodeAttribute()
    number = attributes.NumberAttribute(null=True)


class Order(models.Model):
    class Meta:
        table_name = "orders"
        region = REGION
        billing_mode = "PAY_PER_REQUEST"
        aws_access_key_id = "AKIAIOSFODNN7EXAMPLE"
        aws_secret_access_key = "secret"

    customer = attributes.UnicodeAttribute(hash_key=True)
    at = attributes.NumberAttribute(range_key=True)
    placed = attributes.UTCDateTimeAttribute(null=True)
    total = attributes.NumberAttribute(default=0)
    paid = attributes.BooleanAttribute(default=False)
    lines = attributes.ListAttribute(default=list)
    codes = attributes.UnicodeSetAttribute(null=True)
    address = Address(null=True)
    version = attributes.VersionAttribute()


class ByState(indexes.GlobalSecondaryIndex):
    class Meta:
        index_name = "byState"
        projection = indexes.IncludeProjection(["title"])

    state = attributes.UnicodeAttribute(hash_key=True)
    points = attributes.NumberAttribute(range_key=True)


class ByPoints(indexes.LocalSecondaryIndex):
    class Meta:
        index_name = "byPoints"
        projection = indexes.KeysOnlyProjection()

    board = attributes.UnicodeAttribute(hash_key=True)
    points = attributes.NumberAttribute(range_key=True)


class Card(models.Model):
    class Meta(Order.Meta):
        table_name = "cards"

    board = attributes.UnicodeAttribute(hash_key=True)
    number = attributes.NumberAttribute(range_key=True)
    points = attributes.NumberAttribute(null=True)
    state = attributes.UnicodeAttribute(null=True)
    title = attributes.UnicodeAttribute(null=True)
    text = attributes.UnicodeAttribute(null=True)
    by_state, by_points = ByState(), ByPoints()


class PynamoDB(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        for model in (Order, Card):
            model.Meta.host = self.server.url
            model._connection = None
            model.create_table(wait=True)

    def test_indexes(self):
        with Card.batch_write() as batch:
            for at in range(20):
                batch.save(Card(f"b{at % 2}", at, points=at % 5, state="done" if at % 3 else None, title=f"t{at}", text="x"))
        found = list(Card.by_state.query("done", Card.points >= 3, scan_index_forward=False))
        self.assertEqual([4, 4, 4, 3, 3], [int(each.points) for each in found][:5])
        self.assertEqual({(f"t{at}", None) for at in range(20) if at % 3 and at % 5 >= 3},
                         {(each.title, each.text) for each in found})
        self.assertEqual(13, Card.by_state.count("done"))
        self.assertEqual([8, 18, 4, 14], [each.number for each in Card.by_points.query(
            "b0", Card.points.between(3, 4))])
        self.assertEqual(20, len(list(Card.by_points.scan(limit=100, page_size=3))))
        Card("b0", 0).update(actions=[Card.state.set("done"), Card.points.remove()])
        self.assertEqual((13, 19), (Card.by_state.count("done"), len(list(Card.by_points.scan()))))

    def test_orders(self):
        order = Order("ada", 1, total=10, codes={"x", "y"}, lines=["one", 2], address=Address(street="Main", number=3))
        order.save()
        self.assertEqual(1, order.version)
        again = Order.get("ada", 1)
        self.assertEqual(("Main", 3, {"x", "y"}, ["one", 2]),
                         (again.address.street, again.address.number, again.codes, again.lines))
        again.update(actions=[Order.total.add(5), Order.address.number.set(4), Order.codes.delete(["x"]),
                              Order.lines.set(Order.lines.append(["three"]))], condition=Order.paid == False)  # noqa: E712
        self.assertEqual((15, 4, {"y"}, ["one", 2, "three"], 2),
                         (again.total, again.address.number, again.codes, again.lines, again.version))
        with self.assertRaises(exceptions.UpdateError):
            again.update(actions=[Order.total.set(0)], condition=Order.total > 100)
        order.total = 99
        with self.assertRaises(exceptions.PutError):
            order.save()  # its version is an old one
        with self.assertRaises(Order.DoesNotExist):
            Order.get("nobody", 1)

    def test_many(self):
        with Order.batch_write() as batch:
            for at in range(60):
                batch.save(Order("bob", at, total=at % 7, codes={str(at)}))
        self.assertEqual(60, Order.count("bob"))
        self.assertEqual([9, 8, 7, 6, 5], [each.at for each in Order.query(
            "bob", Order.at.between(5, 9), scan_index_forward=False)])
        self.assertEqual(8, len(list(Order.query("bob", filter_condition=Order.total == 6, page_size=9))))
        self.assertEqual(2, len(list(Order.scan(Order.codes.contains("3") | (Order.at == 59), limit=2))))
        self.assertEqual({1, 2}, {each.at for each in Order.batch_get([("bob", 1), ("bob", 2), ("bob", 99)])})
        found = Order.query("bob", limit=10)
        self.assertEqual(10, len(list(found)))
        self.assertEqual(50, len(list(Order.query("bob", last_evaluated_key=found.last_evaluated_key))))

    def test_transactions(self):
        connection = Connection(region=REGION, host=self.server.url, aws_access_key_id=Order.Meta.aws_access_key_id,
                                aws_secret_access_key=Order.Meta.aws_secret_access_key)
        first, second = Order("eve", 1, total=100), Order("eve", 2, total=0)
        with transactions.TransactWrite(connection=connection, client_request_token="once") as work:
            work.save(first)
            work.save(second)

        def move(amount):
            with transactions.TransactWrite(connection=connection) as work:
                work.update(first, actions=[Order.total.set(Order.total - amount)], condition=Order.total >= amount,
                            return_values="ALL_OLD")
                work.update(second, actions=[Order.total.add(amount)])
        move(60)
        first.refresh()
        second.refresh()
        with self.assertRaises(exceptions.TransactWriteError) as caught:
            move(60)
        self.assertEqual("TransactionCanceledException", caught.exception.cause_response_code)
        self.assertEqual("ConditionalCheckFailed", caught.exception.cancellation_reasons[0].code)
        self.assertIsNone(caught.exception.cancellation_reasons[1])
        with transactions.TransactGet(connection=connection) as work:
            futures = [work.get(Order, "eve", at) for at in (1, 2)]
        self.assertEqual([40, 60], [future.get().total for future in futures])
