"""Tables with secondary indexes as tools make and change them: CreateTable, UpdateTable one index at a time, waits until
table and indexes are ACTIVE."""

from support.case import ServerCase, wait_for

ALL = {"ProjectionType": "ALL"}


def keys(*names, hashes=1):
    return [{"AttributeName": name, "KeyType": "HASH" if at < hashes else "RANGE"} for at, name in enumerate(names)]


def defined(**types):
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def index(name, *names, hashes=1, projection=ALL, **more):
    return {"IndexName": name, "KeySchema": keys(*names, hashes=hashes), "Projection": projection, **more}


class Indexes(ServerCase):
    def make(self, **more):
        made = self.dynamo.create_table(**{
            "TableName": self.table, "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys("pk", "sk"),
            "AttributeDefinitions": defined(pk="S", sk="N", day="S", place="S"),
            "LocalSecondaryIndexes": [index("byDay", "pk", "day", projection={"ProjectionType": "KEYS_ONLY"})],
            "GlobalSecondaryIndexes": [index("byPlace", "place", "day")], **more})["TableDescription"]
        self.wait_active()
        return made

    def described(self):
        return self.dynamo.describe_table(TableName=self.table)["Table"]

    def globals(self):
        return {each["IndexName"]: each for each in self.described().get("GlobalSecondaryIndexes", [])}

    def wait_active(self):
        """The table first, then each of its global indexes."""
        self.dynamo.get_waiter("table_exists").wait(TableName=self.table, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        wait_for(lambda: all(each["IndexStatus"] == "ACTIVE" for each in self.globals().values()), "indexes")

    def change(self, *changes, attributes=None, **more):
        wanted = {"TableName": self.table, "GlobalSecondaryIndexUpdates": list(changes), **more}
        if attributes:
            wanted["AttributeDefinitions"] = defined(**attributes)
        return self.dynamo.update_table(**wanted)["TableDescription"]

    def fill(self, count, **more):
        for at in range(0, count, 25):
            self.dynamo.batch_write_item(RequestItems={self.table: [
                {"PutRequest": {"Item": {"pk": {"S": f"p{each % 7}"}, "sk": {"N": str(each)}, **{
                    name: value(each) for name, value in more.items()}}}} for each in range(at, min(at + 25, count))]})

    def test_create_and_describe(self):
        made = self.make(GlobalSecondaryIndexes=[
            index("byPlace", "place", "day", hashes=2, projection={"ProjectionType": "INCLUDE",
                                                                    "NonKeyAttributes": ["z", "a"]},
                  OnDemandThroughput={"MaxReadRequestUnits": 10}, WarmThroughput={"ReadUnitsPerSecond": 13000})])
        self.assertEqual(["CREATING"], [each["IndexStatus"] for each in made["GlobalSecondaryIndexes"]])
        table = self.described()
        self.assertEqual(["day", "pk", "place", "sk"], [each["AttributeName"] for each in table["AttributeDefinitions"]])
        self.assertEqual([{
            "IndexName": "byDay", "KeySchema": keys("pk", "day"), "Projection": {"ProjectionType": "KEYS_ONLY"},
            "IndexSizeBytes": 0, "ItemCount": 0, "IndexArn": f"{table['TableArn']}/index/byDay"}],
            table["LocalSecondaryIndexes"])
        self.assertEqual([{
            "IndexName": "byPlace", "KeySchema": keys("place", "day", hashes=2),
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "z"]}, "IndexStatus": "ACTIVE",
            "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            "OnDemandThroughput": {"MaxReadRequestUnits": 10},
            "WarmThroughput": {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"},
            "IndexSizeBytes": 0, "ItemCount": 0, "IndexArn": f"{table['TableArn']}/index/byPlace"}],
            table["GlobalSecondaryIndexes"])

    def test_figures(self):
        """Of indexes as of the table: exact, whatever becomes of items."""
        self.make()
        self.fill(60, place=lambda at: {"S": "here"}, day=lambda at: {"S": f"{at % 30:02}"})
        self.fill(20)  # these lose what the indexes want

        def counts():
            table = self.described()
            return [table["ItemCount"]] + [each["ItemCount"] for kind in ("Local", "Global")
                                           for each in table[f"{kind}SecondaryIndexes"]]
        self.assertEqual([60, 40, 40], counts())
        sizes = [each["IndexSizeBytes"] for kind in ("Local", "Global")
                 for each in self.described()[f"{kind}SecondaryIndexes"]]
        # names and values of the keys; the global one projects all there is
        item = 2 + 2 + 2 + 2 + 3 + 2
        self.assertEqual([40 * item, 40 * (item + 5 + 4)], sizes)
        for each in self.scan_all():
            self.dynamo.delete_item(TableName=self.table, Key={name: each[name] for name in ("pk", "sk")})
        self.assertEqual([0, 0, 0], counts())

    def test_one_at_a_time(self):
        """What Terraform and CDK do for a list of new and lost indexes: one UpdateTable each, and waits between."""
        self.make()
        self.fill(200, color=lambda at: {"S": f"c{at % 5}"}, size=lambda at: {"N": str(at)})
        for name, key, kind in (("byColor", "color", "S"), ("bySize", "size", "N")):
            shown = self.change({"Create": index(name, key)}, attributes={key: kind})
            self.assertEqual("UPDATING", shown["TableStatus"])
            new = shown["GlobalSecondaryIndexes"][-1]
            self.assertEqual((name, "CREATING", False), (new["IndexName"], new["IndexStatus"], new["Backfilling"]))
            self.wait_active()
            self.assertNotIn("Backfilling", self.globals()[name])
            self.assertEqual(200, self.globals()[name]["ItemCount"])
        self.assertEqual(["byPlace", "byColor", "bySize"], list(self.globals()))
        shown = self.change({"Delete": {"IndexName": "byColor"}})
        self.assertEqual("UPDATING", shown["TableStatus"])
        self.assertIn(("byColor", "DELETING"), {(each["IndexName"], each["IndexStatus"])
                                                for each in shown["GlobalSecondaryIndexes"]})
        self.wait_active()
        self.assertEqual(["byPlace", "bySize"], list(self.globals()))
        self.assertNotIn("color", {each["AttributeName"] for each in self.described()["AttributeDefinitions"]})
        # under the same name another index
        self.change({"Create": index("byColor", "size", "color")}, attributes={"size": "N", "color": "S"})
        self.wait_active()
        self.assertEqual((keys("size", "color"), 200),
                         tuple(self.globals()["byColor"][name] for name in ("KeySchema", "ItemCount")))
        for name in list(self.globals()):
            self.change({"Delete": {"IndexName": name}})
            self.wait_active()
        self.assertNotIn("GlobalSecondaryIndexes", self.described())
        self.refused("ResourceNotFoundException",
                     f"Requested resource not found: Index bySize for table {self.table}",
                     self.dynamo.update_table, TableName=self.table,
                     GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "bySize"}}])

    def test_keys_among_the_projected(self):
        """NonKeyAttributes may name keys; and a global index may have the table's own key, or its name."""
        self.make(GlobalSecondaryIndexes=[
            index("byPlace", "place", projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["sk", "place", "x"]}),
            index(self.table, "pk", "sk")], LocalSecondaryIndexes=[index("same", "pk", "sk")],
            AttributeDefinitions=defined(pk="S", sk="N", place="S"))
        item = {"pk": {"S": "a"}, "sk": {"N": "1"}, "place": {"S": "here"}, "x": {"S": "x"}, "y": {"S": "y"}}
        self.dynamo.put_item(TableName=self.table, Item=item)
        for name, key, value, found in (("byPlace", "place", "here", {**item}), (self.table, "pk", "a", item),
                                        ("same", "pk", "a", item)):
            if name == "byPlace":
                del found["y"]
            self.assertEqual([found], self.dynamo.query(
                TableName=self.table, IndexName=name, KeyConditionExpression="#k = :v",
                ExpressionAttributeNames={"#k": key}, ExpressionAttributeValues={":v": {"S": value}})["Items"])

    def test_restart(self):
        """What tables are is the same after a restart, and so is what becomes of an index that was just added."""
        self.make(BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
                  GlobalSecondaryIndexes=[index("byPlace", "place", "day", hashes=2, ProvisionedThroughput={
                      "ReadCapacityUnits": 7, "WriteCapacityUnits": 7})])
        self.fill(300, place=lambda at: {"S": "here"}, day=lambda at: {"S": f"{at}"})
        self.change({"Update": {"IndexName": "byPlace", "ProvisionedThroughput": {
            "ReadCapacityUnits": 6, "WriteCapacityUnits": 7}}})
        before = self.described()
        self.server.restart()
        self.assertEqual(before, self.described())
        self.change({"Create": index("days", "day", ProvisionedThroughput={
            "ReadCapacityUnits": 1, "WriteCapacityUnits": 1})}, attributes={"day": "S"})
        self.server.restart()
        self.wait_active()
        self.assertEqual(300, self.globals()["days"]["ItemCount"])

    def test_refusals(self):
        self.make()
        limit = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
        for code, message, changes in [
                ("LimitExceededException", limit, [{"Create": index("one", "x")}, {"Create": index("two", "x")}]),
                ("LimitExceededException", limit, [{"Create": index("one", "x")}, {"Delete": {"IndexName": "byPlace"}}]),
                ("ValidationException", "Attempting to create an index which already exists",
                 [{"Create": index("byDay", "x")}]),
                ("ValidationException", "Cannot delete an index that is not a GlobalSecondaryIndex: byDay",
                 [{"Delete": {"IndexName": "byDay"}}])]:
            with self.subTest(changes):
                self.refused(code, message, self.dynamo.update_table, TableName=self.table,
                             AttributeDefinitions=defined(x="S"), GlobalSecondaryIndexUpdates=changes)
        arn = self.described()["TableArn"] + "/index/byPlace"
        self.refused("ValidationException",
                     "One or more parameter values were invalid: Invalid resource arn provided, only table or stream "
                     f"is accepted. Provided resource arn: {arn}", self.dynamo.list_tags_of_resource, ResourceArn=arn)
        for call, name in ((self.dynamo.describe_table, "TableName"), (self.dynamo.delete_table, "TableName"),
                           (self.dynamo.describe_continuous_backups, "TableName")):
            self.refused("ValidationException", None, call, **{name: arn})
        self.refused("ValidationException", None, self.dynamo.export_table_to_point_in_time, TableArn=arn,
                     S3Bucket="bucket")

    def test_modes(self):
        self.make()
        units = {"ReadCapacityUnits": 4, "WriteCapacityUnits": 5}
        self.refused("ValidationException",
                     "One or more parameter values were invalid: ProvisionedThroughput must be specified for index: "
                     "byPlace", self.dynamo.update_table, TableName=self.table, BillingMode="PROVISIONED",
                     ProvisionedThroughput=units)
        self.change({"Update": {"IndexName": "byPlace", "ProvisionedThroughput": units}}, BillingMode="PROVISIONED",
                    ProvisionedThroughput=units)
        self.wait_active()
        self.assertEqual(units | {"NumberOfDecreasesToday": 0}, self.globals()["byPlace"]["ProvisionedThroughput"])
        shown = self.change({"Update": {"IndexName": "byPlace", "ProvisionedThroughput": units | {
            "ReadCapacityUnits": 3}}})
        self.assertEqual(("ACTIVE", "UPDATING", 4), (
            shown["TableStatus"], shown["GlobalSecondaryIndexes"][0]["IndexStatus"],
            shown["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"]))
        self.wait_active()
        throughput = self.globals()["byPlace"]["ProvisionedThroughput"]
        self.assertEqual((3, 1), (throughput["ReadCapacityUnits"], throughput["NumberOfDecreasesToday"]))
        self.assertIn("LastDecreaseDateTime", throughput)
        self.dynamo.update_table(TableName=self.table, BillingMode="PAY_PER_REQUEST")
        self.wait_active()
        throughput = self.globals()["byPlace"]["ProvisionedThroughput"]
        # the service counts the switch as a decrease of the index (ack-api-quirks, DDB-TABLE-153)
        self.assertEqual((0, 2), (throughput["ReadCapacityUnits"], throughput["NumberOfDecreasesToday"]))

    def test_what_else_tables_have(self):
        """Tags, time to live, recovery and exports of a table that has indexes; then one of its name with others."""
        arn = self.make(Tags=[{"Key": "team", "Value": "blue"}])["TableArn"]
        self.dynamo.update_time_to_live(TableName=self.table, TimeToLiveSpecification={
            "Enabled": True, "AttributeName": "until"})
        self.recover()
        self.server.bucket("lake")
        self.fill(30, place=lambda at: {"S": "here"})
        self.change({"Create": index("byUntil", "until")}, attributes={"until": "N"})
        self.wait_active()
        self.dynamo.tag_resource(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "1"}])
        self.assertEqual(["byPlace", "byUntil"], list(self.globals()))
        done = self.export_done(self.dynamo.export_table_to_point_in_time(
            TableArn=arn, S3Bucket="lake")["ExportDescription"]["ExportArn"])
        self.assertEqual(("COMPLETED", 30), (done["ExportStatus"], done["ItemCount"]))
        self.dynamo.delete_table(TableName=self.table)
        self.dynamo.get_waiter("table_not_exists").wait(TableName=self.table)
        self.make(GlobalSecondaryIndexes=[index("byPlace", "sk")], LocalSecondaryIndexes=[
            index("byPlaceToo", "pk", "place")], AttributeDefinitions=defined(pk="S", sk="N", place="S"))
        self.fill(10, place=lambda at: {"S": "there"})
        table = self.described()
        self.assertEqual([(10, keys("pk", "place")), (10, keys("sk"))], [
            (each["ItemCount"], each["KeySchema"]) for kind in ("Local", "Global")
            for each in table[f"{kind}SecondaryIndexes"]])

    def test_what_indexes_refuse(self):
        self.make()
        key = {"pk": {"S": "p"}, "sk": {"N": "1"}}
        mismatch = ("One or more parameter values were invalid: Type mismatch for Index Key day Expected: S Actual: N "
                    "IndexName: byDay")
        self.refused("ValidationException", mismatch, self.dynamo.put_item, TableName=self.table,
                     Item=key | {"day": {"N": "1"}})
        self.refused("ValidationException", mismatch, self.dynamo.update_item, TableName=self.table, Key=key,
                     UpdateExpression="SET #d = :d", ExpressionAttributeNames={"#d": "day"},
                     ExpressionAttributeValues={":d": {"N": "1"}})
        try:
            self.dynamo.transact_write_items(TransactItems=[
                {"Put": {"TableName": self.table, "Item": key | {"day": {"N": "1"}}}}])
            self.fail("was not cancelled")
        except self.dynamo.exceptions.TransactionCanceledException as error:
            self.assertEqual([{"Code": "ValidationError", "Message": mismatch}], error.response["CancellationReasons"])
        self.assertEqual(0, self.described()["ItemCount"])

    def test_collections(self):
        """The sizes of item collections, with which replies of tables with local indexes come where it is asked."""
        self.make()
        item = {"pk": {"S": "p"}, "sk": {"N": "1"}, "day": {"S": "monday"}}
        metrics = {"ItemCollectionKey": {"pk": {"S": "p"}}, "SizeEstimateRangeGB": [0, 1]}
        asked = {"ReturnItemCollectionMetrics": "SIZE"}
        put = self.dynamo.put_item(TableName=self.table, Item=item, **asked)
        batch = self.dynamo.batch_write_item(RequestItems={self.table: [{"PutRequest": {"Item": item}}]}, **asked)
        both = self.dynamo.transact_write_items(TransactItems=[
            {"Put": {"TableName": self.table, "Item": item}},
            {"Put": {"TableName": self.table, "Item": item | {"sk": {"N": "2"}}}}], **asked)
        deleted = self.dynamo.delete_item(TableName=self.table, Key={"pk": item["pk"], "sk": item["sk"]}, **asked)
        for one in (put, deleted):
            self.assertEqual(metrics, one["ItemCollectionMetrics"])
        for many in (batch, both):
            self.assertEqual({self.table: [metrics]}, many["ItemCollectionMetrics"])
        self.assertNotIn("ItemCollectionMetrics", self.dynamo.put_item(TableName=self.table, Item=item))
