"""BatchWriteItem and BatchGetItem."""

from support.case import ServerCase


def put(key, **attributes):
    return {"PutRequest": {"Item": {"pk": {"S": key}, **attributes}}}


def delete(key):
    return {"DeleteRequest": {"Key": {"pk": {"S": key}}}}


class Batches(ServerCase):
    def setUp(self):
        super().setUp()
        self.create()

    def write(self, *requests, **more):
        return self.dynamo.batch_write_item(RequestItems={self.table: list(requests)}, **more)

    def get(self, *keys, **more):
        return self.dynamo.batch_get_item(
            RequestItems={self.table: {"Keys": [{"pk": {"S": key}} for key in keys], **more}})

    def test_twenty_five(self):
        reply = self.write(*(put(f"k{at}", v={"N": str(at)}) for at in range(25)))
        self.assertEqual({}, reply["UnprocessedItems"])
        reply = self.get(*(f"k{at}" for at in range(25)))
        self.assertEqual({}, reply["UnprocessedKeys"])
        self.assertEqual({f"k{at}": str(at) for at in range(25)},
                         {item["pk"]["S"]: item["v"]["N"] for item in reply["Responses"][self.table]})

    def test_puts_and_deletes(self):
        self.write(put("a"), put("b"))
        self.write(delete("a"), put("c"), delete("never-there"))
        self.assertEqual({"b", "c"}, {item["pk"]["S"] for item in self.scan_all()})

    def test_several_tables(self):
        other = self.table + "-other"
        self.create(other)
        self.dynamo.batch_write_item(RequestItems={self.table: [put("a")], other: [put("b"), put("c")]})
        reply = self.dynamo.batch_get_item(RequestItems={
            self.table: {"Keys": [{"pk": {"S": "a"}}]},
            other: {"Keys": [{"pk": {"S": "b"}}, {"pk": {"S": "absent"}}], "ConsistentRead": True}})
        self.assertEqual([{"pk": {"S": "a"}}], reply["Responses"][self.table])
        self.assertEqual([{"pk": {"S": "b"}}], reply["Responses"][other])

    def test_no_items_found(self):
        self.assertEqual({self.table: []}, self.get("absent")["Responses"])

    def test_hundred_keys(self):
        for at in range(0, 100, 25):
            self.write(*(put(f"k{at + each}") for each in range(25)))
        self.assertEqual(100, len(self.get(*(f"k{at}" for at in range(100)))["Responses"][self.table]))

    def test_page_of_16_megabytes(self):
        big = {"S": "x" * 390_000}
        for at in range(0, 50, 10):
            self.write(*(put(f"k{at + each}", v=big) for each in range(10)))
        asked = {"ConsistentRead": False, "ProjectionExpression": "#k", "ExpressionAttributeNames": {"#k": "pk"}}
        wanted, found = {self.table: {"Keys": [{"pk": {"S": f"k{at}"}} for at in range(50)], **asked}}, []
        while wanted:
            reply = self.dynamo.batch_get_item(RequestItems=wanted)
            got = [item["pk"]["S"] for item in reply["Responses"][self.table]]
            self.assertTrue(got)
            found += got
            wanted = reply["UnprocessedKeys"]
            for left in wanted.values():
                self.assertEqual(asked, {name: value for name, value in left.items() if name != "Keys"})
            self.assertLessEqual(len(got) * 390_000, 16 * 1024 * 1024)
        self.assertEqual(sorted(f"k{at}" for at in range(50)), sorted(found))

    def test_consumed_capacity(self):
        reply = self.write(put("a"), put("b"), ReturnConsumedCapacity="TOTAL")
        self.assertEqual([{"TableName": self.table, "CapacityUnits": 2.0}], reply["ConsumedCapacity"])

    def test_write_refusals(self):
        write = self.raw.batch_write_item
        self.refused("ValidationException", None, write, RequestItems={})
        self.refused("ValidationException", None, write, RequestItems={self.table: []})
        self.refused("ValidationException", None, write,
                     RequestItems={self.table: [put(f"k{at}") for at in range(26)]})
        self.refused("ValidationException", "Provided list of item keys contains duplicates", write,
                     RequestItems={self.table: [put("a"), delete("a")]})
        self.refused("ValidationException", None, write, RequestItems={self.table: [{}]})
        self.refused("ValidationException", None, write,
                     RequestItems={self.table: [{**put("a"), **delete("b")}]})
        self.refused("ResourceNotFoundException", "Requested resource not found", write,
                     RequestItems={"nothing-here": [put("a")]})
        self.refused("ValidationException", None, write,
                     RequestItems={self.table: [{"PutRequest": {"Item": {"x": {"S": "1"}}}}]})
        self.assertEqual([], self.scan_all())

    def test_get_refusals(self):
        get = self.raw.batch_get_item
        key = {"pk": {"S": "a"}}
        other = self.table + "-other"
        self.create(other)
        self.refused("ValidationException", "Can not use both expression and non-expression parameters in the same "
                     "request: Non-expression parameters: {AttributesToGet} Expression parameters: "
                     "{ProjectionExpression}", get, RequestItems={
                         self.table: {"Keys": [key], "ProjectionExpression": "pk"},
                         other: {"Keys": [key], "AttributesToGet": ["pk"]}})
        self.refused("ValidationException", None, get, RequestItems={})
        self.refused("ValidationException", None, get, RequestItems={self.table: {"Keys": []}})
        self.refused("ValidationException", "Provided list of item keys contains duplicates", get,
                     RequestItems={self.table: {"Keys": [key, key]}})
        self.refused("ValidationException", None, get,
                     RequestItems={self.table: {"Keys": [{"pk": {"S": f"k{at}"}} for at in range(101)]}})
        self.refused("ValidationException", "The provided key element does not match the schema", get,
                     RequestItems={self.table: {"Keys": [{"pk": {"N": "1"}}]}})
        self.refused("ResourceNotFoundException", "Requested resource not found", get,
                     RequestItems={"nothing-here": {"Keys": [key]}})
        self.refused("ValidationException", None, get,
                     RequestItems={self.table: {"Keys": [key], "ProjectionExpression": "pk, pk"}})
