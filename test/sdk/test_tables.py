"""CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable, DescribeLimits, DescribeEndpoints."""

import re

from support.case import ServerCase, wait_for

PK = [{"AttributeName": "pk", "KeyType": "HASH"}]
PK_TYPE = [{"AttributeName": "pk", "AttributeType": "S"}]


class Tables(ServerCase):
    def test_create_on_demand(self):
        made = self.create(keys=(("pk", "S"), ("sk", "N")), TableClass="STANDARD")
        self.assertEqual(self.table, made["TableName"])
        self.assertEqual([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                         made["KeySchema"])
        self.assertEqual({("pk", "S"), ("sk", "N")},
                         {(each["AttributeName"], each["AttributeType"]) for each in made["AttributeDefinitions"]})
        self.assertEqual("PAY_PER_REQUEST", made["BillingModeSummary"]["BillingMode"])
        self.assertEqual((0, 0), tuple(made["ProvisionedThroughput"][each]
                                       for each in ("ReadCapacityUnits", "WriteCapacityUnits")))
        self.assertEqual(f"arn:aws:dynamodb:us-east-1:000000000000:table/{self.table}", made["TableArn"])
        self.assertRegex(made["TableId"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertEqual((0, 0), (made["ItemCount"], made["TableSizeBytes"]))
        self.assertIs(False, made["DeletionProtectionEnabled"])

    def test_create_provisioned(self):
        self.create(BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 3, "WriteCapacityUnits": 4})
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.assertEqual("ACTIVE", table["TableStatus"])
        self.assertEqual(3, table["ProvisionedThroughput"]["ReadCapacityUnits"])
        self.assertEqual(4, table["ProvisionedThroughput"]["WriteCapacityUnits"])
        self.assertEqual(0, table["ProvisionedThroughput"]["NumberOfDecreasesToday"])
        self.assertNotIn("BillingModeSummary", table)

    def test_create_with_what_is_accepted(self):
        self.create(Tags=[{"Key": "team", "Value": "blue"}], DeletionProtectionEnabled=False,
                    SSESpecification={"Enabled": False}, StreamSpecification={"StreamEnabled": False})

    def test_create_twice(self):
        self.create()
        self.refused("ResourceInUseException", f"Table already exists: {self.table}", self.dynamo.create_table,
                     TableName=self.table, KeySchema=PK, AttributeDefinitions=PK_TYPE, BillingMode="PAY_PER_REQUEST")

    def test_create_refusals(self):
        good = {"TableName": self.table, "KeySchema": PK, "AttributeDefinitions": PK_TYPE,
                "BillingMode": "PAY_PER_REQUEST"}
        cases = [
            ({"KeySchema": None}, None),
            ({"AttributeDefinitions": None}, None),
            ({"TableName": "ab"}, None),
            ({"TableName": "a" * 256}, None),
            ({"TableName": "no blanks"}, None),
            ({"KeySchema": []}, None),
            ({"KeySchema": PK * 3}, None),
            ({"KeySchema": [{"AttributeName": "pk", "KeyType": "RANGE"}]}, None),
            ({"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}]},
             None),
            ({"KeySchema": [{"AttributeName": "pk", "KeyType": "SIDE"}]},
             "1 validation error detected: Value 'SIDE' at 'keySchema.1.member.keyType' failed to satisfy constraint: "
             "Member must satisfy enum value set: [HASH, RANGE]"),
            ({"AttributeDefinitions": [{"AttributeName": "other", "AttributeType": "S"}]}, None),
            ({"AttributeDefinitions": PK_TYPE + [{"AttributeName": "more", "AttributeType": "S"}]}, None),
            ({"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "M"}]}, None),
            ({"BillingMode": "FREE"}, None),
            ({"BillingMode": "PROVISIONED"}, None),
            ({"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}, None),
            ({"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 1}},
             None),
        ]
        for change, message in cases:
            with self.subTest(change=change):
                wanted = {name: value for name, value in {**good, **change}.items() if value is not None}
                self.refused("ValidationException", message, self.raw.create_table, **wanted)
        self.refused("ResourceNotFoundException", None, self.dynamo.describe_table, TableName=self.table)

    def test_describe_by_arn_and_unknown(self):
        made = self.create()
        found = self.dynamo.describe_table(TableName=made["TableArn"])["Table"]
        self.assertEqual(made["TableId"], found["TableId"])
        self.refused("ResourceNotFoundException", "Requested resource not found: Table: nothing-here not found",
                     self.dynamo.describe_table, TableName="nothing-here")

    def test_list_pages(self):
        names = sorted(f"{self.table}-{at:02}" for at in range(7))
        for name in names:
            self.create(name)
        pages = list(self.dynamo.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 3}))
        self.assertTrue(all(len(page["TableNames"]) <= 3 for page in pages))
        found = [name for page in pages for name in page["TableNames"]]
        self.assertEqual(sorted(found, key=str.encode), found)
        self.assertEqual(names, [name for name in found if name.startswith(self.table)])
        behind = self.dynamo.list_tables(ExclusiveStartTableName=names[4], Limit=2)
        self.assertEqual(names[5:7], behind["TableNames"])
        self.refused("ValidationException",
                     "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: "
                     "Member must have value less than or equal to 100", self.raw.list_tables, Limit=101)
        self.refused("ValidationException", None, self.raw.list_tables, Limit=0)

    def test_update_throughput_and_mode(self):
        self.create()
        self.dynamo.update_table(TableName=self.table, BillingMode="PROVISIONED",
                                 ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6})
        self.dynamo.get_waiter("table_exists").wait(TableName=self.table)
        self.dynamo.update_table(TableName=self.table,
                                 ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 6})
        self.dynamo.get_waiter("table_exists").wait(TableName=self.table)
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.assertEqual(7, table["ProvisionedThroughput"]["ReadCapacityUnits"])
        self.assertIn("LastIncreaseDateTime", table["ProvisionedThroughput"])
        self.dynamo.update_table(TableName=self.table, BillingMode="PAY_PER_REQUEST")
        self.dynamo.get_waiter("table_exists").wait(TableName=self.table)
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.assertEqual("PAY_PER_REQUEST", table["BillingModeSummary"]["BillingMode"])
        self.assertIn("LastUpdateToPayPerRequestDateTime", table["BillingModeSummary"])

    def test_update_refusals(self):
        self.create()
        self.refused("ValidationException", None, self.dynamo.update_table, TableName=self.table)
        self.refused("ResourceNotFoundException", None, self.dynamo.update_table, TableName="nothing-here",
                     DeletionProtectionEnabled=True)
        self.refused("ValidationException", None, self.dynamo.update_table, TableName=self.table,
                     BillingMode="PROVISIONED")

    def test_deletion_protection(self):
        made = self.create(DeletionProtectionEnabled=True)
        self.assertIs(True, made["DeletionProtectionEnabled"])
        self.refused("ValidationException", None, self.dynamo.delete_table, TableName=self.table)
        self.dynamo.update_table(TableName=self.table, DeletionProtectionEnabled=False)
        self.dynamo.delete_table(TableName=self.table)
        self.dynamo.get_waiter("table_not_exists").wait(TableName=self.table)

    def test_time_to_live(self):
        self.create()
        update, raw = self.dynamo.update_time_to_live, self.raw.update_time_to_live

        def wanted(enabled, name):
            return {"TableName": self.table, "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": name}}

        def described():
            return self.dynamo.describe_time_to_live(TableName=self.table)["TimeToLiveDescription"]
        self.refused("ValidationException", "TimeToLive is already disabled", update, **wanted(False, "until"))
        self.assertEqual({"Enabled": True, "AttributeName": "until"},
                         update(**wanted(True, "until"))["TimeToLiveSpecification"])
        self.assertEqual({"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}, described())
        self.refused("ValidationException", "TimeToLive is already enabled", update, **wanted(True, "until"))
        for enabled in (True, False):
            self.refused("ValidationException", "TimeToLive is active on a different AttributeName: current "
                         "AttributeName is until", update, **wanted(enabled, "other"))
        self.refused("ValidationException", "Time to live has been modified multiple times within a fixed interval",
                     update, **wanted(False, "until"))
        begins = "1 validation error detected: Value "
        self.refused("ValidationException", begins + "null at 'timeToLiveSpecification' failed to satisfy constraint: "
                     "Member must not be null", raw, TableName=self.table)
        self.refused("ValidationException", begins + "null at 'timeToLiveSpecification.attributeName' failed to "
                     "satisfy constraint: Member must not be null", raw, TableName=self.table,
                     TimeToLiveSpecification={"Enabled": True})
        self.refused("ValidationException", begins + f"'{'x' * 256}' at 'timeToLiveSpecification.attributeName' failed "
                     "to satisfy constraint: Member must have length less than or equal to 255", raw,
                     **wanted(True, "x" * 256))
        self.refused("ResourceNotFoundException", "Requested resource not found: Table: nothing-here not found",
                     update, TableName="nothing-here", TimeToLiveSpecification={"Enabled": True, "AttributeName": "a"})

    def test_arns_of_others(self):
        arn = self.create()["TableArn"]
        other_region, other_account = arn.replace("us-east-1", "eu-west-1"), arn.replace(":0000", ":1111")
        for call in (self.dynamo.describe_table, self.dynamo.scan, self.dynamo.describe_time_to_live):
            self.refused("ValidationException",
                         f"1 validation error detected: Invalid AWS region in '{other_region}'", call,
                         TableName=other_region)
            self.refused("AccessDeniedException", "Access is denied", call, TableName=other_account)

    def test_delete_and_create_again(self):
        first = self.create()
        self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": "a"}})
        gone = self.dynamo.delete_table(TableName=self.table)["TableDescription"]
        self.assertEqual("DELETING", gone["TableStatus"])
        self.dynamo.get_waiter("table_not_exists").wait(TableName=self.table, WaiterConfig={"Delay": 1})
        self.refused("ResourceNotFoundException", f"Requested resource not found: Table: {self.table} not found",
                     self.dynamo.delete_table, TableName=self.table)
        second = self.create()
        self.assertNotEqual(first["TableId"], second["TableId"])
        self.assertEqual([], self.scan_all())

    def test_statistics_are_exact(self):
        self.create()
        for at in range(5):
            self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": str(at)}, "v": {"S": "x" * 10}})
        self.dynamo.delete_item(TableName=self.table, Key={"pk": {"S": "0"}})
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.assertEqual((4, 4 * (2 + 1 + 1 + 10)), (table["ItemCount"], table["TableSizeBytes"]))

    def test_limits(self):
        limits = self.dynamo.describe_limits()
        self.assertGreater(limits["AccountMaxReadCapacityUnits"], 0)
        self.assertGreater(limits["TableMaxWriteCapacityUnits"], 0)

    def test_endpoints(self):
        endpoints = self.dynamo.describe_endpoints()["Endpoints"]
        self.assertEqual(1, len(endpoints))
        self.assertRegex(endpoints[0]["Address"], r"^[\w.:\[\]-]+$")
        self.assertGreater(endpoints[0]["CachePeriodInMinutes"], 0)

    def test_unbuilt_operations_say_so(self):
        self.create()
        caught = self.refused("UnknownOperationException", None, self.raw.execute_statement,
                              Statement=f'SELECT * FROM "{self.table}"')
        self.assertEqual(400, caught["ResponseMetadata"]["HTTPStatusCode"])

    def test_a_table_survives_a_restart(self):
        made = self.create(keys=(("pk", "B"), ("sk", "N")))
        before = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.server.restart()
        after = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.assertEqual(before, after)
        self.assertEqual(made["TableId"], after["TableId"])
