"""The calls that Terraform's provider for AWS makes for aws_dynamodb_table and aws_dynamodb_table_export, unchanged and in
its order (terraform-provider-aws, internal/service/dynamodb: table.go, table_export.go, wait.go)."""

import datetime
import uuid

from support import faketime
from support.case import ServerCase, client, wait_for
from support.server import Server


class Terraform(ServerCase):
    def setUp(self):
        super().setUp()
        self.bucket = f"b-{uuid.uuid4().hex[:8]}"
        self.server.bucket(self.bucket)

    # --- aws_dynamodb_table

    def create_table(self, ttl=None, recovery=False, **more):
        made = self.dynamo.create_table(
            TableName=self.table, AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"},
                                                        {"AttributeName": "sk", "AttributeType": "N"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST", TableClass="STANDARD", **more)["TableDescription"]
        self.wait_active()
        if ttl:
            self.update_ttl(ttl, True)
        if recovery:
            self.update_recovery(True)
        return made["TableArn"], self.read_table()

    def wait_active(self):
        """ACTIVE twice in a row."""
        for _ in range(2):
            wait_for(lambda: self.status() == "ACTIVE", "ACTIVE")

    def status(self):
        return self.dynamo.describe_table(TableName=self.table)["Table"]["TableStatus"]

    def read_table(self):
        """One refresh: what the provider keeps of a table comes from these four."""
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        backups = self.dynamo.describe_continuous_backups(TableName=self.table)["ContinuousBackupsDescription"]
        ttl = self.dynamo.describe_time_to_live(TableName=self.table)["TimeToLiveDescription"]
        tags = self.dynamo.list_tags_of_resource(ResourceArn=table["TableArn"])
        self.assertNotIn("NextToken", tags)
        return {"class": table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
                "mode": table["BillingModeSummary"]["BillingMode"], "protected": table["DeletionProtectionEnabled"],
                "encrypted": table.get("SSEDescription", {}).get("Status") == "ENABLED",
                "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
                "ttl": (ttl["TimeToLiveStatus"], ttl.get("AttributeName")),
                "tags": {each["Key"]: each["Value"] for each in tags["Tags"]}}

    def update_table(self, **change):
        self.dynamo.update_table(TableName=self.table, **change)
        self.wait_active()

    def update_ttl(self, attribute, enabled):
        self.dynamo.update_time_to_live(
            TableName=self.table, TimeToLiveSpecification={"AttributeName": attribute, "Enabled": enabled})
        wanted = "ENABLED" if enabled else "DISABLED"
        wait_for(lambda: self.dynamo.describe_time_to_live(
            TableName=self.table)["TimeToLiveDescription"]["TimeToLiveStatus"] == wanted, wanted)

    def update_recovery(self, enabled, **more):
        self.dynamo.update_continuous_backups(TableName=self.table, PointInTimeRecoverySpecification={
            "PointInTimeRecoveryEnabled": enabled, **more})
        wanted = "ENABLED" if enabled else "DISABLED"
        wait_for(lambda: self.read_table()["recovery"] == wanted, wanted)

    def delete_table(self):
        self.dynamo.delete_table(TableName=self.table)

        def gone():
            try:
                return self.status() not in ("ACTIVE", "DELETING")
            except self.dynamo.exceptions.ResourceNotFoundException as refusal:
                return refusal
        refusal = wait_for(gone, "the end of the table")
        self.assertIn("Requested resource not found: Table: ", refusal.response["Error"]["Message"])

    def test_table(self):
        """apply, plan, apply of a change to each block, destroy."""
        arn, state = self.create_table(ttl="until", recovery=True, DeletionProtectionEnabled=False,
                                       Tags=[{"Key": "team", "Value": "blue"}, {"Key": "cost", "Value": "1"}])
        wanted = {"class": "STANDARD", "mode": "PAY_PER_REQUEST", "protected": False, "encrypted": False,
                  "recovery": "ENABLED", "ttl": ("ENABLED", "until"), "tags": {"team": "blue", "cost": "1"}}
        self.assertEqual(wanted, state)
        self.assertEqual(wanted, self.read_table())  # a plan finds nothing to do
        self.update_table(BillingMode="PROVISIONED",
                          ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5})
        self.update_table(TableClass="STANDARD_INFREQUENT_ACCESS")
        self.update_table(DeletionProtectionEnabled=True)
        self.update_table(SSESpecification={"Enabled": True})
        self.update_recovery(True, RecoveryPeriodInDays=7)
        self.dynamo.untag_resource(ResourceArn=arn, TagKeys=["cost"])
        self.dynamo.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "red"}])
        wanted |= {"class": "STANDARD_INFREQUENT_ACCESS", "mode": "PROVISIONED", "protected": True, "encrypted": True,
                   "tags": {"team": "red"}}
        self.assertEqual(wanted, self.read_table())
        self.refused("ValidationException", None, self.dynamo.delete_table, TableName=self.table)
        self.update_table(DeletionProtectionEnabled=False)
        self.update_recovery(False)
        self.delete_table()

    def wait_index(self, name, gone=False):
        """waitGSIActive, or waitGSIDeleted."""
        def state():
            table = self.dynamo.describe_table(TableName=self.table)["Table"]
            found = [each["IndexStatus"] for each in table.get("GlobalSecondaryIndexes", [])
                     if each["IndexName"] == name]
            self.assertTrue(set(found) <= ({"ACTIVE", "DELETING", "UPDATING"} if gone else
                                           {"ACTIVE", "CREATING", "UPDATING"}), found)
            return not found if gone else found == ["ACTIVE"]
        wait_for(state, f"the index {name}")

    def test_indexes(self):
        """apply of a table with indexes; of one lost, one given other throughput and two new ones, in its phases."""
        def described(*names):
            return [{"AttributeName": name, "AttributeType": "S"} for name in names]

        def index(name, key, capacity=None):
            made = {"IndexName": name, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]}}
            return made if capacity is None else made | {"ProvisionedThroughput": units(capacity)}

        def units(count):
            return {"ReadCapacityUnits": count, "WriteCapacityUnits": count}
        self.dynamo.create_table(
            TableName=self.table, AttributeDefinitions=described("pk", "sk", "a", "b"), BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            LocalSecondaryIndexes=[{
                "IndexName": "local", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"},
                                                    {"AttributeName": "a", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"}}],
            GlobalSecondaryIndexes=[index("kept", "a"), index("lost", "b")])
        self.wait_active()
        for name in ("kept", "lost"):
            self.wait_index(name)
        for at in range(30):
            self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": f"{at}"}, "sk": {"S": "s"}, "c": {"S": "c"}})
        self.dynamo.update_table(TableName=self.table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "lost"}}])
        self.wait_index("lost", gone=True)
        self.update_table(BillingMode="PROVISIONED", ProvisionedThroughput=units(5), GlobalSecondaryIndexUpdates=[
            {"Update": {"IndexName": "kept", "ProvisionedThroughput": units(3)}}])
        self.wait_index("kept")
        for name in ("new", "newer"):
            self.dynamo.update_table(TableName=self.table, AttributeDefinitions=described("pk", "sk", "a", "c"),
                                     GlobalSecondaryIndexUpdates=[{"Create": index(name, "c", 2)}])
            self.wait_index(name)
        table = self.dynamo.describe_table(TableName=self.table)["Table"]
        self.assertEqual(["a", "c", "pk", "sk"], [each["AttributeName"] for each in table["AttributeDefinitions"]])
        self.assertEqual([("kept", 3, 0), ("new", 2, 30), ("newer", 2, 30)], [
            (each["IndexName"], each["ProvisionedThroughput"]["ReadCapacityUnits"], each["ItemCount"])
            for each in table["GlobalSecondaryIndexes"]])
        self.delete_table()

    # --- aws_dynamodb_table_export

    def create_export(self, arn, **more):
        made = self.dynamo.export_table_to_point_in_time(**{
            "TableArn": arn, "S3Bucket": self.bucket, "ExportFormat": "DYNAMODB_JSON", **more})
        self.export_arn = made["ExportDescription"]["ExportArn"]
        wait_for(lambda: self.read_export()["ExportStatus"] != "IN_PROGRESS", "the export")
        return self.read_export()

    def read_export(self):
        return self.dynamo.describe_export(ExportArn=self.export_arn)["ExportDescription"]

    def test_export(self):
        arn, _ = self.create_table(recovery=True)
        self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": "a"}, "sk": {"N": "1"}})
        state = self.create_export(arn)
        self.assertEqual(("COMPLETED", "DYNAMODB_JSON", "AES256", 1), tuple(
            state[name] for name in ("ExportStatus", "ExportFormat", "S3SseAlgorithm", "ItemCount")))
        self.assertTrue(state["ExportManifest"].endswith("/manifest-summary.json"))
        for name in ("StartTime", "EndTime", "ExportTime"):
            self.assertLess(abs(state[name] - datetime.datetime.now(datetime.UTC)), datetime.timedelta(minutes=1))
        self.assertNotIn("S3BucketOwner", state)
        self.assertEqual(state, self.read_export())  # plan
        self.assertIn(state["ExportArn"], [each["ExportArn"] for each in self.dynamo.list_exports(
            TableArn=arn)["ExportSummaries"]])
        self.delete_table()
        self.assertEqual(state, self.read_export())  # the resource outlives its table: destroying it calls nothing

    def test_export_with_everything(self):
        arn, _ = self.create_table(recovery=True)
        when = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        wait_for(lambda: datetime.datetime.now(datetime.UTC) > when + datetime.timedelta(seconds=1), "the next second")
        state = self.create_export(arn, ExportTime=when, S3BucketOwner="111122223333", S3Prefix="documentation",
                                   S3SseAlgorithm="AES256")
        self.assertEqual("COMPLETED", state["ExportStatus"], state.get("FailureMessage"))
        self.assertEqual((when, "111122223333", "documentation", "AES256"), tuple(
            state[name] for name in ("ExportTime", "S3BucketOwner", "S3Prefix", "S3SseAlgorithm")))

    def test_incremental_export(self):
        """Of a table that was made, and changed, an hour ago: a server of its own."""
        usual = self.server, self.dynamo
        self.addCleanup(lambda: (setattr(type(self), "server", usual[0]), setattr(type(self), "dynamo", usual[1])))
        server = type(self).server = self.enterContext(Server(environment=faketime.at("-1h")))
        server.bucket(self.bucket)
        type(self).dynamo = client(server.url)
        arn, _ = self.create_table(recovery=True)
        self.dynamo.put_item(TableName=self.table, Item={"pk": {"S": "a"}, "sk": {"N": "1"}})
        recovery = self.dynamo.describe_continuous_backups(TableName=self.table)["ContinuousBackupsDescription"]
        since = recovery["PointInTimeRecoveryDescription"]["EarliestRestorableDateTime"]
        server.stop()
        server.environment = {}
        server.start()
        type(self).dynamo = client(server.url)
        window = {"ExportFromTime": since, "ExportToTime": since + datetime.timedelta(minutes=15),
                  "ExportViewType": "NEW_AND_OLD_IMAGES"}
        state = self.create_export(arn, ExportFormat="ION", ExportType="INCREMENTAL_EXPORT",
                                   IncrementalExportSpecification=window)
        self.assertEqual(("COMPLETED", "ION", "INCREMENTAL_EXPORT", window, 1), tuple(state[name] for name in (
            "ExportStatus", "ExportFormat", "ExportType", "IncrementalExportSpecification", "ItemCount")))
        self.assertNotIn("ExportTime", state)
        self.assertEqual(state, self.read_export())

    def test_export_that_fails(self):
        arn, _ = self.create_table(recovery=True)
        state = self.create_export(arn, S3Bucket="nobody-made-it")
        self.assertEqual(("FAILED", "S3NoSuchBucket"), (state["ExportStatus"], state["FailureCode"]))

    def test_export_that_is_forgotten(self):
        """What DescribeExport does not find any more is dropped from the state."""
        arn, _ = self.create_table(recovery=True)
        self.export_arn = f"{arn}/export/01600000000000-0a1b2c3d"
        with self.assertRaises(self.dynamo.exceptions.ExportNotFoundException):
            self.read_export()
