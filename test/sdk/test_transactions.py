"""TransactWriteItems and TransactGetItems."""

import json
import threading
import uuid

from support.case import ServerCase

ONE = "1 validation error detected: "
CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons "
SCHEMA = "The provided key element does not match the schema"


def key(text):
    return {"pk": {"S": text}}


class Transactions(ServerCase):
    def setUp(self):
        super().setUp()
        self.create()

    # --- actions

    def put(self, text, **more):
        condition = more.pop("condition", {})
        return {"Put": {"TableName": self.table, "Item": {**key(text), **more}, **condition}}

    def update(self, text, expression, **more):
        return {"Update": {"TableName": self.table, "Key": key(text), "UpdateExpression": expression, **more}}

    def delete(self, text, **more):
        return {"Delete": {"TableName": self.table, "Key": key(text), **more}}

    def check(self, text, condition, **more):
        return {"ConditionCheck": {"TableName": self.table, "Key": key(text), "ConditionExpression": condition, **more}}

    def get_of(self, text, **more):
        return {"Get": {"TableName": self.table, "Key": key(text), **more}}

    # --- calls

    def write(self, *actions, **more):
        return self.dynamo.transact_write_items(TransactItems=list(actions), **more)

    def read(self, *gets, **more):
        return self.dynamo.transact_get_items(TransactItems=list(gets), **more)

    def item(self, text):
        return self.dynamo.get_item(TableName=self.table, Key=key(text)).get("Item")

    def cancelled(self, reasons, *actions, call=None):
        call = call or self.raw.transact_write_items
        codes = ", ".join(reason["Code"] for reason in reasons)
        response = self.refused("TransactionCanceledException", f"{CANCELLED}[{codes}]", call,
                                TransactItems=list(actions))
        self.assertEqual(reasons, response["CancellationReasons"])

    def invalid(self, message, *actions, call=None, **more):
        self.refused("ValidationException", message, call or self.raw.transact_write_items,
                     TransactItems=list(actions), **more)

    # --- writing

    def test_all_four_actions(self):
        self.write(self.put("a", n={"N": "1"}), self.put("b"), self.put("d"))
        reply = self.write(self.put("c", v={"S": "new"}), self.update("a", "ADD n :one", ExpressionAttributeValues={
            ":one": {"N": "1"}}), self.delete("b"), self.check("d", "attribute_exists(pk)"))
        self.assertEqual({"ResponseMetadata"}, set(reply))
        self.assertEqual({**key("a"), "n": {"N": "2"}}, self.item("a"))
        self.assertIsNone(self.item("b"))
        self.assertEqual({**key("c"), "v": {"S": "new"}}, self.item("c"))

    def test_nothing_to_do(self):
        self.write(self.delete("never-there"), self.check("nor-this", "attribute_not_exists(pk)"))
        self.write(self.update("not-made", "REMOVE x"))
        self.assertIsNone(self.item("not-made"))

    def test_several_tables(self):
        other = self.table + "-other"
        arn = self.create(other, keys=(("pk", "S"), ("sk", "N")))["TableArn"]
        self.write(self.put("a"), {"Put": {"TableName": arn, "Item": {**key("a"), "sk": {"N": "1"}}}})
        reply = self.read(self.get_of("a"), {"Get": {"TableName": other, "Key": {**key("a"), "sk": {"N": "1.0"}}}})
        self.assertEqual([{"Item": key("a")}, {"Item": {**key("a"), "sk": {"N": "1"}}}], reply["Responses"])

    def test_all_or_none(self):
        self.write(self.put("a", v={"S": "old"}), self.put("b", v={"S": "old"}))
        failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
        none = {"Code": "None"}
        absent = {"ConditionExpression": "attribute_not_exists(pk)"}
        self.cancelled([none, failed], self.put("c"), self.put("a", condition=absent))
        self.cancelled([failed, none], self.check("a", "attribute_not_exists(pk)"), self.put("c"))
        self.cancelled([failed, failed, none], self.delete("a", **absent),
                       self.update("x", "SET v = :v", ConditionExpression="attribute_exists(pk)",
                                   ExpressionAttributeValues={":v": {"S": "1"}}), self.delete("b"))
        self.assertIsNone(self.item("c"))
        self.assertIsNone(self.item("x"))
        self.assertIsNotNone(self.item("b"))
        shown = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        old = {**failed, "Item": {**key("a"), "v": {"S": "old"}}}
        self.cancelled([old, failed, old | {"Item": {**key("b"), "v": {"S": "old"}}}],
                       self.put("a", condition=absent | shown), self.check("y", "attribute_exists(pk)", **shown),
                       self.update("b", "SET v = :v", ConditionExpression="v = :v",
                                   ExpressionAttributeValues={":v": {"S": "1"}}, **shown))

    def test_what_comes_out_at_the_item_cancels(self):
        self.write(self.put("a", v={"S": "text"}), self.put("big", v={"S": "x" * 300_000}))
        none = {"Code": "None"}
        one = {":one": {"N": "1"}}

        def wrong(message):
            return {"Code": "ValidationError", "Message": message}
        self.cancelled([none, wrong("An operand in the update expression has an incorrect data type")],
                       self.put("b"), self.update("a", "SET v = v + :one", ExpressionAttributeValues=one))
        self.cancelled([wrong("An operand in the update expression has an incorrect data type")],
                       self.update("a", "ADD v :one", ExpressionAttributeValues=one))
        self.cancelled([wrong("The provided expression refers to an attribute that does not exist in the item")],
                       self.update("a", "SET v = w"))
        self.cancelled([wrong("Item size to update has exceeded the maximum allowed size")],
                       self.update("big", "SET w = :w", ExpressionAttributeValues={":w": {"S": "y" * 200_000}}))
        self.cancelled([wrong("One or more parameter values were invalid: Cannot update attribute pk. This attribute "
                              "is part of the key")],
                       self.update("a", "SET pk = :one", ExpressionAttributeValues=one))
        self.assertIsNone(self.item("b"))

    def test_wrong_keys_cancel(self):
        number, many = {"pk": {"N": "5"}}, {"pk": {"L": [{"S": "x"}]}}
        mismatch = [{"Code": "ValidationError", "Message": SCHEMA}]
        for wrong in (number, many, {}, {**key("a"), "more": {"S": "1"}}):
            for action in (self.delete("a"), self.check("a", "attribute_exists(pk)"), self.update("a", "REMOVE x")):
                next(iter(action.values()))["Key"] = wrong
                self.cancelled(mismatch, action)
            self.cancelled(mismatch, {"Get": {"TableName": self.table, "Key": wrong}}, call=self.raw.transact_get_items)
        begins = "One or more parameter values were invalid: "
        for item, message in ((number, "Type mismatch for key pk expected: S actual: N"),
                              (many, "Type mismatch for key pk expected: S actual: L"),
                              ({"x": {"S": "1"}}, "Missing the key pk in the item")):
            self.cancelled([{"Code": "None"}, {"Code": "ValidationError", "Message": begins + message}],
                           self.put("fine"), {"Put": {"TableName": self.table, "Item": item}})
        # of what is wrong before the items are looked at only the first is told (ScyllaDB, test_transact)
        wrong = {"Put": {"TableName": self.table, "Item": number}}
        self.cancelled([{"Code": "None"}, {"Code": "ValidationError", "Message": begins + "Type mismatch for key pk "
                                           "expected: S actual: N"}, {"Code": "None"}, {"Code": "None"}],
                       self.put("fine"), wrong, wrong, self.check("x", "attribute_exists(pk)"))
        empty = ("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                 "an empty string value. Key: pk")
        for action in (self.put(""), self.delete(""), self.check("", "attribute_exists(pk)"),
                       self.update("", "REMOVE x")):
            self.invalid(empty, action)
        self.invalid(empty, self.get_of(""), call=self.raw.transact_get_items)

    def test_refusals(self):
        a, nowhere = self.put("a"), {"Put": {"TableName": "nothing-here", "Item": key("a")}}
        twice = "Transaction request cannot include multiple operations on one item"
        self.invalid(twice, a, self.delete("a"))
        self.invalid(twice, self.check("a", "attribute_exists(pk)"), self.put("b"), self.update("a", "REMOVE x"))
        self.invalid(twice, self.get_of("a"), self.get_of("a"), call=self.raw.transact_get_items)
        self.invalid(ONE + "Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length "
                     "greater than or equal to 1")
        self.invalid(ONE + "Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length "
                     "greater than or equal to 1", call=self.raw.transact_get_items)
        for call, make in ((self.raw.transact_write_items, self.put), (self.raw.transact_get_items, self.get_of)):
            response = self.refused("ValidationException", ONE + "Value '[...", call,
                                    TransactItems=[make(f"k{at}") for at in range(101)])
            self.assertTrue(response["Error"]["Message"].endswith(
                " at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100"))
        for call, actions in ((self.raw.transact_write_items, [a, nowhere]),
                              (self.raw.transact_get_items, [{"Get": {"TableName": "nothing-here", "Key": key("a")}}])):
            self.refused("ResourceNotFoundException", "Requested resource not found", call, TransactItems=actions)
        self.invalid("TransactItems can only contain one of Check, Put, Update or Delete",
                     {**a, **self.delete("b")})
        self.invalid("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request", {})
        self.invalid(ONE + "Value null at 'transactItems.2.member.put.item' failed to satisfy constraint: Member must "
                     "not be null", a, {"Put": {"TableName": self.table}})
        self.invalid(ONE + "Value null at 'transactItems.1.member.get' failed to satisfy constraint: Member must not "
                     "be null", {}, call=self.raw.transact_get_items)
        self.invalid(ONE + "Value 'x' at 'transactItems.1.member.delete.returnValuesOnConditionCheckFailure' failed to "
                     "satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]",
                     self.delete("a", ReturnValuesOnConditionCheckFailure="x"))
        self.invalid("2 validation errors detected: "
                     "Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum "
                     "value set: [INDEXES, TOTAL, NONE]; Value 'BOGUS2' at 'returnItemCollectionMetrics' failed to "
                     "satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]", a, self.delete("a"),
                     ReturnConsumedCapacity="BOGUS", ReturnItemCollectionMetrics="BOGUS2")
        self.invalid("2 validation errors detected: "
                     f"Value '{'x' * 37}' at 'clientRequestToken' failed to satisfy constraint: Member must have "
                     "length less than or equal to 36; Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy "
                     "constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]", a,
                     ClientRequestToken="x" * 37, ReturnConsumedCapacity="BOGUS")
        other = self.dynamo.describe_table(TableName=self.table)["Table"]["TableArn"].replace("us-east-1", "eu-west-1")
        self.invalid(ONE + f"Invalid AWS region in '{other}'", {"Delete": {"TableName": other, "Key": key("a")}})
        self.assertIsNone(self.item("a"))

    def test_the_first_mistake_is_told(self):
        nowhere = {"Put": {"TableName": "nothing-here", "Item": key("a")}}
        syntax = self.check("a", "attribute_not_exists(")
        told = 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("'
        empty = self.put("b", **{"": {"S": "x"}})
        self.invalid("Empty attribute name", empty, syntax)
        self.invalid(told, syntax, empty)
        deep = {"S": "leaf"}
        for _ in range(32):
            deep = {"M": {"n": deep}}
        nesting = ("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond "
                   "supported limit")
        unused = self.check("a", "attribute_not_exists(pk)", ExpressionAttributeValues={":v": {"S": "x"}})
        self.invalid(told, nowhere, syntax)
        self.invalid(told, syntax, self.put("b", d=deep))
        self.invalid(nesting, self.put("b", d=deep), syntax)
        for actions in ((nowhere, unused), (unused, nowhere), (self.put("a"), unused)):
            self.invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}", *actions)
        self.invalid('Invalid ProjectionExpression: Syntax error; token: "!", near: "!!"',
                     self.get_of("a", ProjectionExpression="!!!"), call=self.raw.transact_get_items)

    def test_placeholders_beside_no_expression(self):
        names, values = {"ExpressionAttributeNames": {"#n": "x"}}, {"ExpressionAttributeValues": {":v": {"N": "1"}}}
        self.write(self.put("a", condition=names), self.put("b", condition=values))
        self.write(self.delete("a", **names), self.delete("b", **values))
        self.assertEqual([{}], self.read(self.get_of("a", **names))["Responses"])
        self.invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}",
                     self.get_of("a", ProjectionExpression="pk", **names), call=self.raw.transact_get_items)

    def test_limits(self):
        big = {"S": "x" * 350_000}
        self.write(*(self.put(f"k{at}", n={"N": str(at)}) for at in range(100)))
        reply = self.read(*(self.get_of(f"k{at}") for at in range(100)))
        self.assertEqual([str(at) for at in range(100)], [each["Item"]["n"]["N"] for each in reply["Responses"]])
        self.write(*(self.put(f"k{at}", v=big) for at in range(11)))
        self.write(self.put("k11", v=big))
        too_large = "Transaction payload size cannot exceed 4 MB"
        self.invalid(too_large, *(self.put(f"new{at}", v=big) for at in range(12)))
        self.assertIsNone(self.item("new0"))
        self.invalid(too_large, *(self.update(f"new{at}", "SET w = :w", ExpressionAttributeValues={":w": big})
                                  for at in range(12)))
        self.invalid("The aggregate size of the items in the transaction cannot exceed 4 MB",
                     *(self.get_of(f"k{at}") for at in range(12)), call=self.raw.transact_get_items)
        # what an action brings counts, not the item that it meets (ScyllaDB, test_transact)
        self.write(*(self.update(f"k{at}", "SET w = :w", ExpressionAttributeValues={":w": {"S": "1"}})
                     for at in range(12)))
        self.invalid("Item size has exceeded the maximum allowed size", self.put("a", v={"S": "x" * 409_600}))
        self.write(*(self.delete(f"k{at}") for at in range(100)))
        self.assertEqual([], self.scan_all())

    # --- tokens

    def test_a_token_counts_once(self):
        token = str(uuid.uuid4())
        self.write(self.put("a", n={"N": "0"}))
        add = self.update("a", "ADD n :one SET #v = :v", ExpressionAttributeNames={"#v": "v", "#w": "w"},
                          ConditionExpression="attribute_not_exists(#w)",
                          ExpressionAttributeValues={":one": {"N": "1"}, ":v": {"SS": ["x", "y"]}})
        again = self.update("a", "ADD n :one SET #v = :v", ExpressionAttributeNames={"#w": "w", "#v": "v"},
                            ConditionExpression="attribute_not_exists(#w)",
                            ExpressionAttributeValues={":v": {"SS": ["y", "x"]}, ":one": {"N": "1.0"}})
        for action in (add, add, again):
            self.write(action, ClientRequestToken=token)
        self.assertEqual("1", self.item("a")["n"]["N"])
        self.write(self.update("a", "SET w = :w", ExpressionAttributeValues={":w": {"S": "changed"}}))
        self.write(add, ClientRequestToken=token)
        self.assertEqual("1", self.item("a")["n"]["N"])
        self.refused("IdempotentParameterMismatchException", None, self.dynamo.transact_write_items,
                     TransactItems=[add, self.delete("b")], ClientRequestToken=token)
        self.write(self.update("a", "ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}),
                   ClientRequestToken=str(uuid.uuid4()))
        self.assertEqual("2", self.item("a")["n"]["N"])

    def test_a_token_of_nothing_done(self):
        token, other = str(uuid.uuid4()), str(uuid.uuid4())
        self.write(self.delete("a"), ClientRequestToken=token)
        self.write(self.put("a"))
        self.write(self.delete("a"), ClientRequestToken=token)
        self.assertIsNotNone(self.item("a"))
        absent = self.put("a", condition={"ConditionExpression": "attribute_not_exists(pk)"})
        self.refused("TransactionCanceledException", None, self.dynamo.transact_write_items, TransactItems=[absent],
                     ClientRequestToken=other)
        self.write(self.delete("a"))
        self.write(absent, ClientRequestToken=other)
        self.assertIsNotNone(self.item("a"))

    def test_one_token_from_many(self):
        token = str(uuid.uuid4())
        self.write(self.put("a", n={"N": "0"}))
        add = self.update("a", "ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}})
        threads = [threading.Thread(target=lambda: self.write(add, ClientRequestToken=token)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual("1", self.item("a")["n"]["N"])

    # --- reading

    def test_reading(self):
        self.write(self.put("a", v={"M": {"x": {"S": "1"}, "y": {"S": "2"}}}), self.put("b"))
        names = {"ProjectionExpression": "v.#x", "ExpressionAttributeNames": {"#x": "x"}}
        reply = self.read(self.get_of("a", **names), self.get_of("nothing"), self.get_of("b", **names),
                          self.get_of("nothing-too", **names))
        self.assertEqual([{"Item": {"v": {"M": {"x": {"S": "1"}}}}}, {}, {"Item": {}}, {}], reply["Responses"])
        self.assertNotIn("ConsumedCapacity", reply)

    # --- capacity

    def test_consumed_capacity(self):
        other = self.table + "-other"
        self.create(other)
        token = str(uuid.uuid4())
        actions = [self.put("a", v={"S": "x" * 1500}), self.put("b"),
                   {"ConditionCheck": {"TableName": other, "Key": key("z"),
                                       "ConditionExpression": "attribute_not_exists(pk)"}}]
        reply = self.write(*actions, ReturnConsumedCapacity="INDEXES", ClientRequestToken=token)

        def units(kind, table, value):
            return {"TableName": table, "CapacityUnits": value, kind: value,
                    "Table": {"CapacityUnits": value, kind: value}}
        self.assertEqual([units("WriteCapacityUnits", self.table, 6.0), units("WriteCapacityUnits", other, 2.0)],
                         reply["ConsumedCapacity"])
        reply = self.write(*actions, ReturnConsumedCapacity="INDEXES", ClientRequestToken=token)
        self.assertEqual([units("ReadCapacityUnits", self.table, 4.0), units("ReadCapacityUnits", other, 2.0)],
                         reply["ConsumedCapacity"])
        reply = self.write(self.delete("a"), ReturnConsumedCapacity="TOTAL", ReturnItemCollectionMetrics="SIZE")
        self.assertEqual([{"TableName": self.table, "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0}],
                         reply["ConsumedCapacity"])
        self.assertNotIn("ItemCollectionMetrics", reply)
        reply = self.read(self.get_of("b"), self.get_of("nothing"), ReturnConsumedCapacity="TOTAL")
        self.assertEqual([{"TableName": self.table, "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}],
                         reply["ConsumedCapacity"])
        reply = self.read(self.get_of("b"), ReturnConsumedCapacity="NONE")
        self.assertNotIn("ConsumedCapacity", reply)

    def test_serialization(self):
        begins = "Unrecognized collection type "
        for wrong, message in (
                ({"TransactItems": {}}, "Start of structure or map found where not expected"),
                ({"TransactItems": "x"}, "Unexpected field type"),
                ({"TransactItems": [[]]}, begins + "class com.amazonaws.dynamodb.v20120810.TransactWriteItem"),
                ({"TransactItems": [{"Put": []}]}, begins + "class com.amazonaws.dynamodb.v20120810.Put"),
                ({"TransactItems": [{"Put": "x"}]}, "Unexpected field type"),
                ({"TransactItems": [{"Put": {"Item": []}}]},
                 begins + "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"),
                ({"TransactItems": [{"Update": {"UpdateExpression": 1}}]}, "NUMBER_VALUE cannot be converted to String"),
                ({"ClientRequestToken": True}, "TRUE_VALUE cannot be converted to String")):
            status, _, body = self.post(wrong, "DynamoDB_20120810.TransactWriteItems")
            self.assertEqual((400, {"__type": "com.amazon.coral.service#SerializationException", "Message": message}),
                             (status, json.loads(body)))
