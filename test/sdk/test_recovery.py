"""UpdateContinuousBackups and DescribeContinuousBackups, over a clock that the tests move."""

import datetime

from support.case import ServerCase

NOT_FOUND = "Table not found: nothing-here"


class Recovery(ServerCase):
    def setUp(self):
        super().setUp()
        self.create()

    def describe(self, name=None):
        return self.dynamo.describe_continuous_backups(
            TableName=name or self.table)["ContinuousBackupsDescription"]

    def disable(self):
        return self.dynamo.update_continuous_backups(
            TableName=self.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
        )["ContinuousBackupsDescription"]

    def test_off_at_first(self):
        found = self.describe()
        self.assertIn(found["ContinuousBackupsStatus"], ("ENABLED", "DISABLED"))
        self.assertEqual({"PointInTimeRecoveryStatus": "DISABLED"}, found["PointInTimeRecoveryDescription"])

    def test_switching_on(self):
        before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        made = self.recover()
        self.assertEqual("ENABLED", made["PointInTimeRecoveryStatus"])
        self.assertEqual(35, made["RecoveryPeriodInDays"])
        self.assertLessEqual(before, made["EarliestRestorableDateTime"])
        self.assertEqual(made["EarliestRestorableDateTime"], made["LatestRestorableDateTime"])
        self.assertEqual(0, made["EarliestRestorableDateTime"].microsecond)
        self.assertEqual(made, self.describe()["PointInTimeRecoveryDescription"])

    def test_switching_on_again_keeps_the_window(self):
        first = self.recover()
        again = self.recover(RecoveryPeriodInDays=7)
        self.assertEqual(first["EarliestRestorableDateTime"], again["EarliestRestorableDateTime"])
        self.assertEqual(7, again["RecoveryPeriodInDays"])

    def test_period_is_forgotten_when_off(self):
        self.recover(RecoveryPeriodInDays=3)
        self.assertEqual({"PointInTimeRecoveryStatus": "DISABLED"}, self.disable()["PointInTimeRecoveryDescription"])
        self.assertEqual(35, self.recover()["RecoveryPeriodInDays"])

    def test_by_arn(self):
        arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{self.table}"
        self.recover(arn)
        self.assertEqual("ENABLED", self.describe(arn)["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"])

    def test_refusals(self):
        update, table = self.raw.update_continuous_backups, {"TableName": self.table}
        self.refused("TableNotFoundException", NOT_FOUND, self.dynamo.describe_continuous_backups,
                     TableName="nothing-here")
        self.refused("TableNotFoundException", NOT_FOUND, update, TableName="nothing-here",
                     PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        self.refused("ValidationException", None, update, **table)
        self.refused("ValidationException", None, update, PointInTimeRecoverySpecification={}, **table)
        place = "pointInTimeRecoverySpecification.recoveryPeriodInDays"
        for days, rule in ((36, "less than or equal to 35"), (0, "greater than or equal to 1")):
            self.refused("ValidationException", f"1 validation error detected: Value '{days}' at '{place}' failed to "
                         f"satisfy constraint: Member must have value {rule}", update,
                         PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True,
                                                           "RecoveryPeriodInDays": days}, **table)
        self.refused("ValidationException", "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling "
                     "point-in-time recovery.", update,
                     PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False, "RecoveryPeriodInDays": 5},
                     **table)

    def test_survives_a_restart(self):
        made = self.recover(RecoveryPeriodInDays=9)
        self.server.restart()
        found = self.describe()["PointInTimeRecoveryDescription"]
        self.assertEqual(made["EarliestRestorableDateTime"], found["EarliestRestorableDateTime"])
        self.assertEqual(9, found["RecoveryPeriodInDays"])
