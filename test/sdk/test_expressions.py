"""UpdateItem, conditions and projections, through boto3's client and its resource, as programs use them."""

import concurrent.futures
import decimal

import boto3
from boto3.dynamodb.conditions import Attr

from support.case import REGION, ServerCase

ENVELOPE = "1 validation error detected: "


class Expressions(ServerCase):
    def setUp(self):
        super().setUp()
        self.create()
        self.key = {"pk": {"S": "a"}}

    def get(self):
        return self.dynamo.get_item(TableName=self.table, Key=self.key, ConsistentRead=True).get("Item")

    def update(self, update, values=None, **more):
        if values is not None:
            more["ExpressionAttributeValues"] = values
        return self.dynamo.update_item(TableName=self.table, Key=self.key, UpdateExpression=update, **more)

    def test_an_update_makes_and_changes_an_item(self):
        self.update("SET n = :n, l = :l ADD s :s",
                    {":n": {"N": "1"}, ":l": {"L": [{"S": "x"}]}, ":s": {"SS": ["a", "b"]}})
        self.update("SET n = n + :n, l = list_append(l, :l), m = if_not_exists(m, :n) DELETE s :s",
                    {":n": {"N": "0.5"}, ":l": {"L": [{"S": "y"}]}, ":s": {"SS": ["b"]}})
        self.assertEqual({**self.key, "n": {"N": "1.5"}, "l": {"L": [{"S": "x"}, {"S": "y"}]}, "m": {"N": "0.5"},
                          "s": {"SS": ["a"]}}, self.get())
        self.update("REMOVE n, l[0], m, s")
        self.assertEqual({**self.key, "l": {"L": [{"S": "y"}]}}, self.get())

    def test_return_values(self):
        more = {"values": {":v": {"S": "new"}}, "ReturnConsumedCapacity": "TOTAL",
                "ReturnItemCollectionMetrics": "SIZE"}
        self.dynamo.put_item(TableName=self.table, Item={**self.key, "v": {"S": "old"}, "w": {"S": "stays"}})
        for wanted, shown in (("ALL_OLD", {**self.key, "v": {"S": "old"}, "w": {"S": "stays"}}),
                              ("UPDATED_OLD", {"v": {"S": "new"}}), ("UPDATED_NEW", {"v": {"S": "new"}}),
                              ("ALL_NEW", {**self.key, "v": {"S": "new"}, "w": {"S": "stays"}}), ("NONE", None)):
            with self.subTest(wanted=wanted):
                reply = self.update("SET v = :v", ReturnValues=wanted, **more)
                self.assertEqual(shown, reply.get("Attributes"))
                self.assertEqual({"TableName": self.table, "CapacityUnits": 1.0}, reply["ConsumedCapacity"])
                self.assertNotIn("ItemCollectionMetrics", reply)

    def test_conditions(self):
        failed = self.dynamo.exceptions.ConditionalCheckFailedException
        condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        wanted = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        item = {**self.key, "n": {"N": "1"}}
        self.dynamo.put_item(TableName=self.table, Item=item, **condition)
        calls = ((self.dynamo.put_item, {"Item": self.key}), (self.dynamo.delete_item, {"Key": self.key}),
                 (self.dynamo.update_item, {"Key": self.key, "UpdateExpression": "REMOVE n"}))
        for call, parameters in calls:
            with self.subTest(call=call.__name__):
                with self.assertRaises(failed) as caught:
                    call(TableName=self.table, **parameters, **condition)
                self.assertEqual("The conditional request failed", caught.exception.response["Error"]["Message"])
                self.assertNotIn("Item", caught.exception.response)
                with self.assertRaises(failed) as caught:
                    call(TableName=self.table, **parameters, **condition, **wanted)
                self.assertEqual(item, caught.exception.response["Item"])
        self.assertEqual(item, self.get())

    def test_mistakes_are_told_in_the_service_s_words(self):
        cases = (
            ("Invalid UpdateExpression: Syntax error; token: \"INVALID\", near: \"INVALID SYNTAX\"",
             {"UpdateExpression": "INVALID SYNTAX HERE"}),
            ("Invalid UpdateExpression: The expression can not be empty;", {"UpdateExpression": ""}),
            ("Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}",
             {"UpdateExpression": "REMOVE v", "ExpressionAttributeNames": {"#unused": "x"}}),
            ("One or more parameter values were invalid: An string set  may not be empty",
             {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": {"SS": []}}}),
            ("ExpressionAttributeValues can only be specified when using expressions",
             {"ExpressionAttributeValues": {":v": {"S": "x"}}}))
        for message, parameters in cases:
            with self.subTest(parameters=parameters):
                self.refused("ValidationException", ENVELOPE + message, self.dynamo.update_item,
                             TableName=self.table, Key=self.key, **parameters)
        self.refused("ValidationException", "One or more parameter values were invalid: Cannot update attribute pk. "
                     "This attribute is part of the key", self.update, update="REMOVE pk")
        self.refused("ValidationException", "Item size to update has exceeded the maximum allowed size", self.update,
                     update="SET v = :v", values={":v": {"S": "x" * 409600}})
        self.assertIsNone(self.get())

    def test_updates_count_for_what_they_ask(self):
        # dynamodb-conformance, limits/itemSizeBySurface: of an UpdateExpression alone, before its condition
        too_large = "Item size to update has exceeded the maximum allowed size"
        key_size = len("pk") + len(self.key["pk"]["S"])
        most = 409_600 - 22 - len("b")
        self.update("SET b = :v", {":v": {"S": "x" * most}})
        self.refused("ValidationException", too_large, self.update, update="SET b = :v",
                     values={":v": {"S": "x" * (most + 1)}})
        self.update("SET c = :c REMOVE b", {":c": {"S": "y"}})
        self.refused("ValidationException", too_large, self.update, update="SET c = if_not_exists(c, :v)",
                     values={":v": {"S": "x" * 409_600}}, ConditionExpression="attribute_exists(nothing)")
        self.assertEqual({**self.key, "c": {"S": "y"}}, self.get())
        whole = {":v": {"S": "x" * (409_600 - key_size - len("c") - 1 - len("b"))}}
        self.refused("ValidationException", too_large, self.update, update="SET b = :v", values=whole)
        self.dynamo.transact_write_items(TransactItems=[{"Update": {
            "TableName": self.table, "Key": self.key, "UpdateExpression": "SET b = :v",
            "ExpressionAttributeValues": whole}}])
        self.dynamo.update_item(TableName=self.table, Key=self.key, AttributeUpdates={"b": {"Value": whole[":v"]}})
        self.refused("ValidationException", too_large, self.dynamo.update_item, TableName=self.table, Key=self.key,
                     AttributeUpdates={"b": {"Value": {"S": whole[":v"]["S"] + "x"}}})

    def test_projections(self):
        self.dynamo.put_item(TableName=self.table, Item={
            **self.key, "d": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, "v": {"S": "v"}})
        self.assertEqual({"d": {"M": {"y": {"N": "2"}}}}, self.dynamo.get_item(
            TableName=self.table, Key=self.key, ProjectionExpression="#d.y",
            ExpressionAttributeNames={"#d": "d"})["Item"])
        self.assertEqual({"v": {"S": "v"}}, self.dynamo.get_item(
            TableName=self.table, Key=self.key, AttributesToGet=["v", "none"])["Item"])
        self.assertEqual([{"v": {"S": "v"}}], self.dynamo.batch_get_item(RequestItems={
            self.table: {"Keys": [self.key], "ProjectionExpression": "v"}})["Responses"][self.table])

    def test_counters_lose_nothing(self):
        threads, turns = 6, 15
        failed = self.dynamo.exceptions.ConditionalCheckFailedException

        def count(_):
            for _ in range(turns):
                self.update("ADD blind :one", {":one": {"N": "1"}})
                while True:  # the optimistic way
                    seen = self.get().get("careful", {"N": "0"})
                    try:
                        self.update("SET careful = :next", {":seen": seen, ":next": {"N": str(int(seen["N"]) + 1)}},
                                    ConditionExpression="attribute_not_exists(careful) OR careful = :seen")
                        break
                    except failed:
                        pass

        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            list(pool.map(count, range(threads)))
        self.assertEqual({**self.key, "blind": {"N": str(threads * turns)}, "careful": {"N": str(threads * turns)}},
                         self.get())

    def test_the_older_parameters(self):
        failed = self.dynamo.exceptions.ConditionalCheckFailedException
        expected = {"Expected": {"pk": {"Exists": False}}}
        self.dynamo.put_item(TableName=self.table, Item=self.key, **expected)
        for call, parameters in ((self.dynamo.put_item, {"Item": self.key}),
                                 (self.dynamo.delete_item, {"Key": self.key}),
                                 (self.dynamo.update_item, {"Key": self.key, "AttributeUpdates": {}})):
            with self.assertRaises(failed):
                call(TableName=self.table, **parameters, **expected)
        reply = self.dynamo.update_item(
            TableName=self.table, Key=self.key, ReturnValues="ALL_NEW", ConditionalOperator="OR",
            Expected={"pk": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "a"}]},
                      "n": {"Value": {"N": "7"}}},
            AttributeUpdates={"n": {"Action": "ADD", "Value": {"N": "2"}}, "v": {"Value": {"S": "put"}},
                              "x": {"Action": "DELETE"}})
        self.assertEqual({**self.key, "n": {"N": "2"}, "v": {"S": "put"}}, reply["Attributes"])
        self.refused("ValidationException", ENVELOPE + "Can not use both expression and non-expression parameters in "
                     "the same request: Non-expression parameters: {Expected} Expression parameters: "
                     "{ConditionExpression}", self.dynamo.put_item, TableName=self.table, Item=self.key,
                     ConditionExpression="attribute_not_exists(pk)", **expected)

    def test_the_resource_s_conditions(self):
        table = boto3.resource("dynamodb", endpoint_url=self.server.url, region_name=REGION, aws_access_key_id="any",
                               aws_secret_access_key="any").Table(self.table)
        table.put_item(Item={"pk": "a", "n": decimal.Decimal("1.5"), "tags": {"x", "y"}, "text": "begin"})
        table.update_item(Key={"pk": "a"}, UpdateExpression="SET n = n + :one",
                          ExpressionAttributeValues={":one": 1},
                          ConditionExpression=Attr("tags").contains("x") & Attr("text").begins_with("be") &
                          Attr("n").between(1, 2) & ~Attr("none").exists() & Attr("text").size().eq(5) &
                          (Attr("n").is_in([1, decimal.Decimal("1.5")]) | Attr("n").gt(9)))
        self.assertEqual(decimal.Decimal("2.5"), table.get_item(Key={"pk": "a"})["Item"]["n"])
