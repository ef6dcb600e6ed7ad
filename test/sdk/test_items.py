"""PutItem, GetItem, DeleteItem, and what an item may be."""

import decimal

from support.case import ServerCase

EVERY_TYPE = {
    "pk": {"S": "all"},
    "s": {"S": "text with \"quotes\", \\, \n and \u00e9\u4e2d\U0001f600"},
    "n": {"N": "-12.5"},
    "b": {"B": bytes(range(256))},
    "yes": {"BOOL": True},
    "no": {"BOOL": False},
    "nothing": {"NULL": True},
    "ss": {"SS": ["a", "bb", "c"]},
    "ns": {"NS": ["1", "2.5", "-3"]},
    "bs": {"BS": [b"\x00", b"\xff\xff"]},
    "l": {"L": [{"S": "x"}, {"N": "1"}, {"L": []}, {"M": {}}, {"NULL": True}]},
    "m": {"M": {"inner": {"M": {"deep": {"BOOL": True}}}}},
    "empty": {"S": ""},
    "emptyb": {"B": b""},
}

NUMBERS = [  # as sent, as it comes back
    ("0", "0"), ("-0", "0"), ("0.0", "0"), ("1", "1"), ("+1", "1"), ("-1", "-1"), ("007", "7"), ("1.50", "1.5"),
    ("1e3", "1000"), ("1E-3", "0.001"), (".5", "0.5"), ("5.", "5"),
    ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
    ("0.12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678"),
    ("1234567890123456789.0123456789012345678", "1234567890123456789.0123456789012345678"),
    ("100000000000000000000000000000000000000", "100000000000000000000000000000000000000"),
]
EXTREMES = ["9.9999999999999999999999999999999999999E+125", "1E-130", "-1E-130", "1E+125",
            "-9.9999999999999999999999999999999999999E+125"]


def sets_as_sets(item):
    return {name: {kind: sorted(value) if kind in ("SS", "NS", "BS") else value for kind, value in each.items()}
            for name, each in item.items()}


class Items(ServerCase):
    def setUp(self):
        super().setUp()
        self.create()

    def get(self, key="a", **more):
        return self.dynamo.get_item(TableName=self.table, Key={"pk": {"S": key}}, **more).get("Item")

    def put(self, **attributes):
        return self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": "a"}, **attributes})

    def test_every_type_comes_back(self):
        self.dynamo.put_item(TableName=self.table, Item=EVERY_TYPE)
        for consistent in (True, False):
            found = self.get("all", ConsistentRead=consistent)
            self.assertEqual(sets_as_sets(EVERY_TYPE), sets_as_sets(found))

    def test_absent_item(self):
        self.assertIsNone(self.get("nothing"))

    def test_put_replaces(self):
        self.put(x={"S": "1"}, y={"S": "2"})
        self.put(x={"S": "3"})
        self.assertEqual({"pk": {"S": "a"}, "x": {"S": "3"}}, self.get())

    def test_numbers(self):
        for sent, back in NUMBERS:
            with self.subTest(sent=sent):
                self.put(n={"N": sent})
                self.assertEqual(back, self.get()["n"]["N"])
        for sent in EXTREMES:
            with self.subTest(sent=sent):
                self.put(n={"N": sent})
                with decimal.localcontext(prec=60):
                    self.assertEqual(decimal.Decimal(sent), decimal.Decimal(self.get()["n"]["N"]))

    def test_bad_numbers(self):
        overflow = "Number overflow. Attempting to store a number with magnitude larger than supported range"
        underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        digits = "Attempting to store more than 38 significant digits in a Number"
        cases = [("1E+126", overflow), ("-1E+126", overflow), ("1E-131", underflow), ("9" * 39, digits),
                 ("1." + "1" * 38, digits)]
        for text, message in cases:
            with self.subTest(text=text):
                self.refused("ValidationException", "1 validation error detected: " + message, self.put,
                             n={"N": text})
        for text in ("", "abc", "1e", "--1", "0x10", "NaN", "Infinity", "1 ", "1,5"):
            with self.subTest(text=text):
                self.refused("ValidationException", None, self.put, n={"N": text})

    def test_bad_values(self):
        cases = [
            ({"SS": []}, "An string set  may not be empty"),
            ({"NS": []}, "An number set  may not be empty"),
            ({"BS": []}, "Binary sets should not be empty"),
            ({"SS": ["a", "a"]}, 'Input collection ["a", "a"] contains duplicates.'),
            ({"NS": ["1", "1.0"]}, "Input collection contains duplicates."),
            ({"NULL": False}, "Null attribute value types must have the value of true"),
            ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
            ({"S": "a", "N": "1"},
             "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
             "datatypes"),
        ]
        for value, message in cases:
            with self.subTest(value=value):
                caught = self.refused("ValidationException", None, self.raw.put_item, TableName=self.table,
                                      Item={"pk": {"S": "a"}, "v": value})
                self.assertIn(message, caught["Error"]["Message"])
        self.assertIsNone(self.get())

    def test_nesting(self):
        def nested(levels):
            value = {"S": "x"}
            for _ in range(levels):
                value = {"L": [value]}
            return value
        self.put(v=nested(31))
        self.assertEqual(nested(31), self.get()["v"])
        self.refused("ValidationException",
                     "1 validation error detected: Nesting Levels have exceeded supported limits...", self.put, v=nested(33))

    def test_item_size(self):
        most = 400 * 1024 - len("pk") - len("a") - len("v")
        self.put(v={"S": "x" * most})
        self.assertEqual(most, len(self.get()["v"]["S"]))
        self.refused("ValidationException", "Item size has exceeded the maximum allowed size", self.put,
                     v={"S": "x" * (most + 1)})

    def test_key_sizes(self):
        self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": "k" * 2048}})
        caught = self.refused("ValidationException", None, self.dynamo.put_item, TableName=self.table,
                              Item={"pk": {"S": "k" * 2049}})
        self.assertIn("2048", caught["Error"]["Message"])
        caught = self.refused("ValidationException", None, self.dynamo.put_item, TableName=self.table,
                              Item={"pk": {"S": ""}})
        self.assertIn("empty string value. Key: pk", caught["Error"]["Message"])

    def test_keys_of_every_type(self):
        for kind, value in (("S", "caf\u00e9"), ("N", "-17.25"), ("B", b"\x00\x01\xff\x00")):
            with self.subTest(kind=kind):
                name = f"{self.table}-{kind}"
                self.create(name, keys=(("p", kind), ("s", kind)))
                item = {"p": {kind: value}, "s": {kind: value}, "v": {"S": kind}}
                self.dynamo.put_item(TableName=name, Item=item)
                key = {each: item[each] for each in ("p", "s")}
                self.assertEqual(item, self.dynamo.get_item(TableName=name, Key=key)["Item"])
                self.dynamo.delete_item(TableName=name, Key=key)
                self.assertNotIn("Item", self.dynamo.get_item(TableName=name, Key=key))

    def test_number_keys_are_equal_by_value(self):
        name = f"{self.table}-n"
        self.create(name, keys=(("p", "N"),))
        self.dynamo.put_item(TableName=name, Item={"p": {"N": "100"}, "v": {"S": "x"}})
        found = self.dynamo.get_item(TableName=name, Key={"p": {"N": "1.00e2"}})["Item"]
        self.assertEqual({"p": {"N": "100"}, "v": {"S": "x"}}, found)

    def test_wrong_keys(self):
        get = {"TableName": self.table}
        schema = "The provided key element does not match the schema"
        self.refused("ValidationException", schema, self.dynamo.get_item, Key={"pk": {"N": "1"}}, **get)
        self.refused("ValidationException", schema, self.dynamo.get_item, Key={"other": {"S": "1"}}, **get)
        self.refused("ValidationException", None, self.dynamo.get_item,
                     Key={"pk": {"S": "1"}, "more": {"S": "1"}}, **get)
        self.refused("ValidationException",
                     "One or more parameter values were invalid: Missing the key pk in the item",
                     self.dynamo.put_item, TableName=self.table, Item={"x": {"S": "1"}})
        self.refused("ValidationException",
                     "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
                     self.dynamo.put_item, TableName=self.table, Item={"pk": {"N": "1"}})

    def test_return_values(self):
        key = {"pk": {"S": "a"}}
        reply = self.dynamo.put_item(TableName=self.table, Item={**key, "v": {"N": "1"}}, ReturnValues="ALL_OLD")
        self.assertNotIn("Attributes", reply)
        reply = self.dynamo.put_item(TableName=self.table, Item={**key, "v": {"N": "2"}}, ReturnValues="ALL_OLD")
        self.assertEqual({**key, "v": {"N": "1"}}, reply["Attributes"])
        reply = self.dynamo.put_item(TableName=self.table, Item={**key, "v": {"N": "3"}}, ReturnValues="NONE")
        self.assertNotIn("Attributes", reply)
        reply = self.dynamo.delete_item(TableName=self.table, Key=key, ReturnValues="ALL_OLD")
        self.assertEqual({**key, "v": {"N": "3"}}, reply["Attributes"])
        reply = self.dynamo.delete_item(TableName=self.table, Key=key, ReturnValues="ALL_OLD")
        self.assertNotIn("Attributes", reply)
        for bad in ("UPDATED_NEW", "ALL_NEW", "UPDATED_OLD"):
            self.refused("ValidationException", None, self.dynamo.put_item, TableName=self.table, Item=key,
                         ReturnValues=bad)
        self.refused("ValidationException", None, self.raw.put_item, TableName=self.table, Item=key,
                     ReturnValues="SOME")

    def test_consumed_capacity(self):
        key = {"pk": {"S": "a"}}
        item = {**key, "v": {"S": "x" * 5000}}
        reply = self.dynamo.put_item(TableName=self.table, Item=item, ReturnConsumedCapacity="TOTAL")
        self.assertEqual({"TableName": self.table, "CapacityUnits": 5.0}, reply["ConsumedCapacity"])
        reply = self.dynamo.get_item(TableName=self.table, Key=key, ReturnConsumedCapacity="TOTAL")
        self.assertEqual(1.0, reply["ConsumedCapacity"]["CapacityUnits"])
        reply = self.dynamo.get_item(TableName=self.table, Key=key, ReturnConsumedCapacity="INDEXES",
                                     ConsistentRead=True)
        self.assertEqual(2.0, reply["ConsumedCapacity"]["Table"]["CapacityUnits"])
        reply = self.dynamo.delete_item(TableName=self.table, Key=key, ReturnConsumedCapacity="NONE")
        self.assertNotIn("ConsumedCapacity", reply)

    def test_unknown_table(self):
        for call, parameters in ((self.dynamo.put_item, {"Item": {"pk": {"S": "a"}}}),
                                 (self.dynamo.get_item, {"Key": {"pk": {"S": "a"}}}),
                                 (self.dynamo.delete_item, {"Key": {"pk": {"S": "a"}}})):
            self.refused("ResourceNotFoundException", "Requested resource not found", call,
                         TableName="nothing-here", **parameters)

    def test_missing_members(self):
        null = "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null"
        self.refused("ValidationException", null.format("item"), self.raw.put_item, TableName=self.table)
        self.refused("ValidationException", null.format("key"), self.raw.get_item, TableName=self.table)
        self.refused("ValidationException", None, self.raw.get_item, Key={"pk": {"S": "a"}})
        self.refused("ValidationException", None, self.raw.delete_item)

    def test_table_by_arn(self):
        arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{self.table}"
        self.dynamo.put_item(TableName=arn, Item={"pk": {"S": "a"}})
        self.assertEqual({"pk": {"S": "a"}}, self.get())

    def test_binary_that_is_no_base64(self):
        status, _, body = self.post({"TableName": self.table, "Item": {"pk": {"S": "a"}, "b": {"B": "!!!"}}},
                                    "DynamoDB_20120810.PutItem")
        self.assertEqual(400, status)
        self.assertIn(b"SerializationException", body)

    def test_many_attributes(self):
        item = {"pk": {"S": "a"}, **{f"attribute{at}": {"N": str(at)} for at in range(2000)}}
        self.dynamo.put_item(TableName=self.table, Item=item)
        self.assertEqual(item, self.get())

    def test_long_attribute_name(self):
        name = "n" * 65535
        self.put(**{name: {"S": "v"}})
        self.assertEqual({"S": "v"}, self.get()[name])
        self.refused("ValidationException", "1 validation error detected: Attribute name is too large, must be less "
                     "than 65536 bytes", self.put, **{name + "n": {"S": "v"}})

    def test_items_survive_restart_and_kill(self):
        self.dynamo.put_item(TableName=self.table, Item=EVERY_TYPE)
        self.server.restart()
        self.assertEqual(sets_as_sets(EVERY_TYPE), sets_as_sets(self.get("all")))
        self.server.kill()
        self.server.start()
        self.assertEqual(sets_as_sets(EVERY_TYPE), sets_as_sets(self.get("all")))


