"""What is wrong with a request, in the service's words and order: rows of operation, parameters and message, each
group with the public recording of the service that it was taken from."""

import re

from support.case import ServerCase

ONE = "1 validation error detected: "
INVALID = "One or more parameter values were invalid: "
ABSENT = "there-is-no-such-table"
DUPLICATES = "Provided list of item keys contains duplicates"
MISMATCH = "The provided key element does not match the schema"
EMPTY_KEY = ("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
             "empty {} value. Key: pk")
NESTING = ("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported "
           "limit")
CAPACITY = ("Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value "
            "set: [INDEXES, TOTAL, NONE]")
METRICS = ("Value 'BOGUS' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum "
           "value set: [SIZE, NONE]")
OLDER_OPERATORS = ("Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value "
                   "set: [OR, AND]")
OPERATORS = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]"
MAP_KEYS = ("at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length "
            "less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular "
            "expression pattern: [a-zA-Z0-9_.-]+]")
BAD_NAME = "Value '{\"bad!name\":{\"Keys\":[{\"pk\":{\"S\":\"a\"}}]}}' " + MAP_KEYS


def S(text):
    return {"S": text}


def key(text="a"):
    return {"pk": S(text)}


def nested(depth):
    value = S("leaf")
    for _ in range(depth):
        value = {"M": {"n": value}}
    return value


def put(item):
    return {"PutRequest": {"Item": item}}


def delete(wanted):
    return {"DeleteRequest": {"Key": wanted}}


class Mistakes(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = "hash"
        for name, kind in (("hash", "S"), ("binary", "B")):
            cls.create(cls, name, keys=(("pk", kind),))

    def setUp(self):
        pass

    def told(self, *rows):
        for operation, parameters, *expected in rows:
            code = expected[1] if len(expected) > 1 else "ValidationException"
            with self.subTest(operation=operation, parameters=str(parameters)[:200], message=expected[0]):
                self.refused(code, expected[0], getattr(self.raw, operation), **parameters)

    def in_each(self, wanted, operation, make, values):
        """One row for each value."""
        self.told(*((operation, make(value), message) for value, message in zip(values, wanted, strict=True)))

    # --- batches: dynamodb-conformance, error-messages/batch* and validation-ordering/batchOperations, 2026-10

    def test_batches_that_cannot_be(self):
        def gets(tables, **more):
            return "batch_get_item", {"RequestItems": tables, **more}

        def writes(tables, **more):
            return "batch_write_item", {"RequestItems": tables, **more}
        least, most = "Member must have length greater than or equal to 1", "Member must have length less than or equal to"
        bogus = {"ReturnConsumedCapacity": "BOGUS"}
        bounds = (f"at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [{most} 25, "
                  f"{least}]")
        self.told(
            (*gets({}), f"{ONE}Value at 'RequestItems' failed to satisfy constraint: {least}"),
            (*writes({}), "The requestItems parameter is required for BatchWriteItem"),
            (*gets({"hash": {"Keys": []}}),
             f"{ONE}Value at 'RequestItems.hash.member.Keys' failed to satisfy constraint: {least}"),
            (*gets({"hash": {"Keys": [key(str(at)) for at in range(101)]}}),
             f"{ONE}Value at 'RequestItems.hash.member.Keys' failed to satisfy constraint: {most} 100"),
            (*writes({"hash": []}), f"{ONE}Value '{{hash=[]}}' {bounds}"),
            (*writes({"hash": [put(key(str(at))) for at in range(20)],
                      "binary": [put({"pk": {"B": bytes([at])}}) for at in range(6)]}),
             "Too many items requested for the BatchWriteItem call"),
            (*gets({"bad!name": {"Keys": [key()]}}), ONE + BAD_NAME),
            (*gets({"bad!name": {"Keys": [key()]}}, **bogus), f"2 validation errors detected: {BAD_NAME}; {CAPACITY}"),
            (*writes({"bad!name": [put(key())]}, **bogus), ONE + CAPACITY),
            (*writes({"hash": [put(key())]}, ReturnItemCollectionMetrics="BOGUS", **bogus),
             f"2 validation errors detected: {CAPACITY}; {METRICS}"),
            (*gets({ABSENT: {"Keys": [key()]}}, **bogus), ONE + CAPACITY),
            (*gets({ABSENT: {"Keys": [key(), key()]}}), DUPLICATES),
            (*gets({ABSENT: {"Keys": [key()]}}), "Requested resource not found", "ResourceNotFoundException"),
            (*writes({ABSENT: [put(key())]}), "Requested resource not found", "ResourceNotFoundException"),
            (*writes({"hash": [put(key()), delete(key())]}), DUPLICATES),
            (*gets({"binary": {"Keys": [{"pk": {"B": b""}}]}}), EMPTY_KEY.format("binary")))
        for make in (put, delete):
            self.told(*((*writes({"hash": [make(wrong)]}), MISMATCH)
                        for wrong in ({"pk": {"N": "5"}}, {"pk": {"L": [S("x")]}}, {"other": S("x")})),
                      (*writes({"hash": [make(key(""))]}), EMPTY_KEY.format("string")),
                      (*writes({"binary": [make({"pk": {"B": b""}})]}), EMPTY_KEY.format("binary")))
        for call, tables in ((self.raw.batch_write_item, {"hash": [put(key(str(at))) for at in range(26)]}),
                             (self.raw.batch_write_item, {"bad!name": [put(key())]})):
            told = self.refused("ValidationException", ONE + "Value '{...", call, RequestItems=tables)
            self.assertRegex(told["Error"]["Message"], re.escape(bounds if "hash" in tables else MAP_KEYS) + "$")
        self.assertEqual([], self.scan_all())

    # --- values: dynamodb-conformance, error-messages/valueLayers and limits/numberExponent, 2026-10

    OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
    UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
    NO_NUMBER = "The parameter cannot be converted to a numeric value"
    NUMBERS = [{"N": text} for text in ("abc", "", "1e126", "1e2147483647")]
    NEWER_NUMBERS = [NO_NUMBER + ": abc", NO_NUMBER + ": ", OVERFLOW, OVERFLOW]
    OLDER_NUMBERS = [NO_NUMBER + ": abc", NO_NUMBER, OVERFLOW, UNDERFLOW]
    SETS = [{"SS": ["b", "a", "b"]}, {"BS": [b"\xff", b"\x00", b"\x00"]}, {"NS": ["2", "1", "2"]}]
    NEWER_SETS = [INVALID + 'Input collection ["a", "b", "b"] contains duplicates.',
                  INVALID + 'Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.',
                  INVALID + "Input collection contains duplicates."]
    OLDER_SETS = [INVALID + "Input collection [b, a, b] contains duplicates.",
                  INVALID + "Input collection [/w==, AA==, AA==]of type BS contains duplicates.",
                  "Input collection contains duplicates"]

    def in_each_value(self, operation, make, envelope="", older=False, wrapped=None):
        wanted = ((self.NUMBERS, self.OLDER_NUMBERS if older else self.NEWER_NUMBERS),
                  (self.SETS, self.OLDER_SETS if older else self.NEWER_SETS))
        for values, messages in wanted:
            if wrapped:
                messages = [f"ExpressionAttributeValues contains invalid value: {message} for key {wrapped}"
                            for message in messages]
            self.in_each([envelope + message for message in messages], operation, make, values)

    def test_values_that_cannot_be(self):
        table, condition = {"TableName": "hash"}, {"ConditionExpression": "n = :v"}

        def values(value):
            return {"ExpressionAttributeValues": {":v": value}}
        for operation, makes in (
                ("put_item", (lambda v: {"Item": {**key(), "n": v}}, lambda v: {"Item": {**key(), "n": {"L": [v]}}},
                              lambda v: {"Item": key(), **condition, **values(v)},
                              lambda v: {"Item": key(), "Expected": {"n": {"Value": v}}})),
                ("update_item", (lambda v: {"Key": key(), "UpdateExpression": "SET n = :v", **values(v)},
                                 lambda v: {"Key": key(), "AttributeUpdates": {"n": {"Action": "PUT", "Value": v}}},
                                 lambda v: {"Key": {"pk": v}, "UpdateExpression": "SET n = :v", **values(S("x"))})),
                ("delete_item", (lambda v: {"Key": key(), **condition, **values(v)}, lambda v: {"Key": {"pk": v}}))):
            for make in makes:
                self.in_each_value(operation, lambda v, make=make: {**table, **make(v)}, envelope=ONE)
        query = {**table, "KeyConditionExpression": "pk = :p"}
        self.in_each_value("get_item", lambda v: {**table, "Key": {"pk": v}})
        self.in_each_value("batch_get_item", lambda v: {"RequestItems": {"hash": {"Keys": [{"pk": v}]}}})
        self.in_each_value("query", lambda v: {**query, "FilterExpression": "n = :v",
                                               "ExpressionAttributeValues": {":p": S("a"), ":v": v}})
        self.in_each_value("query", lambda v: {**query, "ExclusiveStartKey": {"pk": v},
                                               "ExpressionAttributeValues": {":p": S("a")}})
        for make in (lambda v: put({**key(), "n": v}), lambda v: delete({"pk": v})):
            self.in_each_value("batch_write_item", lambda v, make=make: {"RequestItems": {"hash": [make(v)]}}, older=True)
        for make, wrapped in (
                (lambda v: {"Put": {**table, "Item": {**key(), "n": v}}}, None),
                (lambda v: {"Delete": {**table, "Key": {"pk": v}}}, None),
                (lambda v: {"Put": {**table, "Item": key(), **condition, **values(v)}}, ":v"),
                (lambda v: {"Update": {**table, "Key": key(), "UpdateExpression": "SET n = :v", **values(v)}}, ":v"),
                (lambda v: {"Delete": {**table, "Key": key(), **condition, **values(v)}}, ":v"),
                (lambda v: {"ConditionCheck": {**table, "Key": key(), **condition, **values(v)}}, ":v")):
            self.in_each_value("transact_write_items", lambda v, make=make: {"TransactItems": [make(v)]}, older=True,
                               wrapped=wrapped)
        self.in_each_value("transact_get_items", lambda v: {"TransactItems": [{"Get": {**table, "Key": {"pk": v}}}]},
                           older=True)

    def test_numbers_that_cannot_be(self):
        cases = {"1e99999999999": self.OVERFLOW, "-1e99999999999": self.OVERFLOW, "1e-99999999999": self.UNDERFLOW,
                 "1e2147483648": self.OVERFLOW, "1e-2147483648": self.UNDERFLOW, "1e-131": self.UNDERFLOW,
                 "0e126": self.OVERFLOW, "0e-131": self.UNDERFLOW,
                 "1" * 39: "Attempting to store more than 38 significant digits in a Number",
                 **{text: f"{self.NO_NUMBER}: {text}" for text in (
                     "1.2.3", " 1", "1 ", "0x10", "1e", "NaN", "Infinity", "1e9223372036854775808")}}
        self.told(*(("put_item", {"TableName": "hash", "Item": {**key(), "n": {"N": text}}}, ONE + message)
                    for text, message in cases.items()))

    # --- single writes: dynamodb-conformance, error-messages/deleteItem and validation-ordering/ updateItem, query and
    # deepRequests, 2026-10

    def test_writes_that_cannot_be(self):
        at = {"TableName": "hash", "Key": key()}
        exists = {"ConditionExpression": "attribute_exists(a)"}
        only = "can only be specified when using expressions"
        expected = (
            ({"Exists": True}, "Value must be provided when Exists is true for Attribute: a"),
            ({"Exists": False, "Value": S("x")}, "Value cannot be used when Exists is false for Attribute: a"),
            ({"Value": S("x"), "ComparisonOperator": "EQ", "AttributeValueList": [S("x")]},
             "Value and AttributeValueList cannot be used together for Attribute: a"),
            ({"ComparisonOperator": "EQ"},
             "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a"),
            ({"ComparisonOperator": "BETWEEN", "AttributeValueList": [S("x")]},
             "Invalid number of argument(s) for the BETWEEN ComparisonOperator"))
        for operation, what in (("delete_item", at), ("put_item", {"TableName": "hash", "Item": key()})):
            self.told(*((operation, {**what, **more}, ONE + message) for more, message in (
                ({"ExpressionAttributeValues": {":v": S("x")}}, f"ExpressionAttributeValues {only}"),
                ({"ExpressionAttributeNames": {"#a": "a"}}, f"ExpressionAttributeNames {only}"),
                ({"Expected": {"a": {"Exists": False}}, "ExpressionAttributeNames": {"#a": "a"}},
                 f"ExpressionAttributeNames {only}"),
                ({**exists, "ExpressionAttributeValues": {}}, "ExpressionAttributeValues must not be empty"),
                ({**exists, "ExpressionAttributeNames": {}}, "ExpressionAttributeNames must not be empty"),
                ({"ConditionExpression": ""}, "Invalid ConditionExpression: The expression can not be empty;"),
                ({"ReturnValues": "UPDATED_NEW"}, "ReturnValues can only be ALL_OLD or NONE"),
                *(({"Expected": {"a": each}}, INVALID + message) for each, message in expected))))

    def test_unknown_operators(self):
        two = {"a": {"Exists": False}, "b": {"Exists": False}}
        xor = {"TableName": ABSENT, "ConditionalOperator": "XOR"}
        nothing = {"a": {"ComparisonOperator": "NULL"}, "b": {"ComparisonOperator": "NULL"}}
        self.told(("put_item", {**xor, "Item": key(), "Expected": two}, ONE + OPERATORS),
                  ("update_item", {**xor, "Key": key(), "Expected": two}, ONE + OPERATORS),
                  ("update_item", {**xor, "Expected": two}, f"2 validation errors detected: {OLDER_OPERATORS}; Value "
                   "null at 'key' failed to satisfy constraint: Member must not be null"),
                  ("query", {**xor, "QueryFilter": nothing, "Select": "BOGUS", "KeyConditions": {
                      "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [S("a")]}}}, OPERATORS),
                  ("scan", {**xor, "ScanFilter": nothing}, ONE + OLDER_OPERATORS))

    # --- transactions: dynamodb-conformance, validation-ordering/ transactions and deepRequests, 2026-10; of ScyllaDB's
    # test_transact and ExtendDB's test_transact_expression_validation what ran on the service

    def test_the_first_mistake_of_a_transaction(self):
        def actions(*all_of):
            return {"TransactItems": list(all_of)}

        def action(kind, **more):
            return {kind: {"TableName": ABSENT, **({} if kind == "Put" else {"Key": key()}), **more}}
        nameless = action("Put", Item={**key(), "": S("x")})
        bad = action("Put", Item=key(), ConditionExpression="a = = b")
        unused = action("Update", UpdateExpression="SET a = :v", ExpressionAttributeValues={":v": S("x"), ":u": S("y")})
        deep = action("Delete", Key={"pk": nested(100)})
        syntax = 'Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"'
        size = "Expression size has exceeded the maximum allowed size;"
        long_update = action("Update", UpdateExpression="SET " + ", ".join(f"a{at} = :v" for at in range(500)),
                             ExpressionAttributeValues={":v": S("x")})
        long_condition = action("Delete", Key={"pk": nested(100)}, ConditionExpression="a = :v" + " AND a = :v" * 373,
                                ExpressionAttributeValues={":v": S("x")})
        deep_value = action("ConditionCheck", ConditionExpression="d = :deep",
                            ExpressionAttributeValues={":deep": nested(40)})
        self.told(*(("transact_write_items", actions(*each), message) for message, *each in (
            (NESTING, action("Put", Item={**key(), "d": nested(40)}), nameless),
            ("Empty attribute name", nameless, deep),
            (f"ExpressionAttributeValues contains invalid value: {NESTING} for key :deep", deep_value, nameless),
            (NESTING, deep, bad),
            (NESTING, deep, unused),
            (syntax, bad, deep),
            (syntax, action("Delete", Key={"pk": nested(100)}, ConditionExpression="a = = b")),
            (f"Invalid ConditionExpression: {size} expression size: 4109", long_condition),
            (f"Invalid UpdateExpression: {size}", long_update, deep),
            ("Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}", unused, deep))))

    def test_long_keys_in_transactions(self):  # ExtendDB, tests/test_transaction_key_size_validation.py
        self.create("sorted", keys=(("pk", "S"), ("sk", "S")))
        hash_size = INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"
        range_size = INVALID + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
        long, longer = key("a" * 2049), {**key(), "sk": S("a" * 1025)}

        def cancelled(operation, action, message, *others, table=self.table):
            kind, parameters = action
            with self.subTest(operation=operation, kind=kind, message=message):
                actions = [{kind: {"TableName": table, **parameters}}, *others]
                error = self.refused("TransactionCanceledException", None, getattr(self.raw, operation),
                                     TransactItems=actions)
                self.assertEqual([{"Code": "ValidationError", "Message": message}] + [{"Code": "None"}] * len(others),
                                 error["CancellationReasons"])
        check = {"ConditionExpression": "attribute_exists(pk)"}
        other = {"Get": {"TableName": self.table, "Key": long}}
        cancelled("transact_write_items", ("Put", {"Item": long}), hash_size)
        cancelled("transact_write_items", ("Delete", {"Key": long}), hash_size)
        cancelled("transact_write_items", ("Update", {"Key": long, "UpdateExpression": "REMOVE a"}), hash_size)
        cancelled("transact_write_items", ("ConditionCheck", {"Key": long, **check}), hash_size)
        cancelled("transact_get_items", ("Get", {"Key": long}), hash_size, other)
        cancelled("transact_get_items", ("Get", {"Key": longer}), range_size, other, table="sorted")
        self.create("indexed", AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "a")],
                    GlobalSecondaryIndexes=[{"IndexName": "by-a", "Projection": {"ProjectionType": "ALL"},
                                             "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]}])
        beyond = "The update expression attempted to update the secondary index key beyond allowed size limits"
        update = {"Key": key(), "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": S("a" * 2049)}}
        cancelled("transact_write_items", ("Update", update), beyond, table="indexed")
        self.told(("update_item", {"TableName": "indexed", **update}, beyond))
        empty = {"Delete": {"TableName": self.table, "Key": key("")}}
        self.told(("transact_write_items", {"TransactItems": [{"Put": {"TableName": self.table, "Item": long}}, empty]},
                   EMPTY_KEY.format("string")))

    # --- expressions: ExtendDB, tests/test_expression_size_limit.py and test_expression_attribute_map_validation.py

    def test_long_expressions(self):
        size = "Expression size has exceeded the maximum allowed size;"
        blank, values = " " * 4090, {":v": S("a")}
        item = {"TableName": self.table, "Key": key()}
        self.told(("get_item", {**item, "ProjectionExpression": "abcdefg" + blank},
                   f"Invalid ProjectionExpression: {size}"),
                  ("update_item", {**item, "UpdateExpression": "REMOVE a" + blank},
                   ONE + f"Invalid UpdateExpression: {size}"),
                  ("query", {"TableName": self.table, "KeyConditionExpression": "pk = :v" + blank,
                             "ExpressionAttributeValues": values}, f"Invalid KeyConditionExpression: {size}"),
                  ("scan", {"TableName": self.table, "FilterExpression": "pk = :v" + blank,
                            "ExpressionAttributeValues": values},
                   f"Invalid FilterExpression: {size} expression size: 4097"),
                  ("delete_item", {**item, "ConditionExpression": "pk = :v" + blank,
                                   "ExpressionAttributeValues": values},
                   ONE + f"Invalid ConditionExpression: {size} expression size: 4097"))

    def test_long_placeholders(self):
        long = "contains invalid key: The expression attribute map contains a key that is too long;"
        syntax = 'contains invalid key: Syntax error; key: "{}"'

        def names(name):
            return ("get_item", {"TableName": self.table, "Key": key(), "ProjectionExpression": "#a",
                                 "ExpressionAttributeNames": {name: "foo"}})

        def values(name):
            return ("scan", {"TableName": self.table, "FilterExpression": "foo = :v",
                             "ExpressionAttributeValues": {name: S("x")}})
        self.told((*names("#" + "a" * 255), f"ExpressionAttributeNames {long} size of key: 256"),
                  (*names("#" + "a" * 255 + "-x"), f"ExpressionAttributeNames {long} size of key: 258"),
                  (*names("#a-b"), "ExpressionAttributeNames " + syntax.format("#a-b")),
                  (*values(":" + "a" * 255), f"ExpressionAttributeValues {long}"),
                  (*values(":"), "ExpressionAttributeValues " + syntax.format(":")))
