"""Transactions among other writes: histories that some order explains, sums that stay the same in every read and every
export, and all or nothing after kill -9. SECONDS (4) is how long the writers run, CRASHES (3) how often they are cut
off; SEED repeats the choices, not the history."""

import collections
import json
import os
import random
import threading
import time
import uuid

from support import exports, serial
from support.case import ServerCase
from support.load import Connection, Gone, Refused

SECONDS = float(os.environ.get("SECONDS", "4"))
CRASHES = int(os.environ.get("CRASHES", "3"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
THREADS = 6
BUCKET = "lake"


class Worker(threading.Thread):
    """Repeats `step` until it is told to end, or the server goes away."""

    def __init__(self, number, case):
        super().__init__()
        self.number, self.case = number, case
        self.random = random.Random(SEED * 100 + number)
        self.connection = Connection(case.server.url)
        self.ending, self.gone, self.failure = threading.Event(), False, None

    def run(self):
        try:
            while not self.ending.is_set():
                self.step()
        except Gone:
            self.gone = True
        except Exception as failure:  # told by the test
            self.failure = failure
        finally:
            self.connection.close()

    def key(self, text):
        return {"TableName": self.case.table, "Key": {"pk": {"S": text}}}


class Workers(ServerCase):
    def work(self, kind, meanwhile):
        """Runs workers while `meanwhile()` does; answers them."""
        workers = [kind(number, self) for number in range(THREADS)]
        for worker in workers:
            worker.start()
        try:
            meanwhile(workers)
        finally:
            for worker in workers:
                worker.ending.set()
            for worker in workers:
                worker.join()
        for worker in workers:
            if worker.failure:
                raise worker.failure
        return workers


# --- histories

NUMBERS = {"lock": threading.Lock(), "last": 0}
KEYS = 4
KEPT = 60  # numbers after which other items are used, so that lists stay short


def number_next():
    with NUMBERS["lock"]:
        NUMBERS["last"] += 1
        return NUMBERS["last"]


def seen_in(item):
    return [int(each["N"]) for each in item["l"]["L"]] if item else []


class Historian(Worker):
    def __init__(self, number, case):
        super().__init__(number, case)
        self.operations = []

    def step(self):
        kinds = [self.append, self.read, self.append_several, self.read_several, self.compare_and_append]
        kind = self.random.choice(kinds)
        names = [f"k{NUMBERS['last'] // (KEYS * KEPT)}-{at}" for at in range(KEYS)]
        self.random.shuffle(names)
        operation = serial.Operation(self.number, kind.__name__, time.monotonic())
        self.operations.append(operation)
        kind(operation, names)
        operation.end = time.monotonic()

    def appending(self, name, operation):
        operation.appends[name] = number_next()
        return {**self.key(name), "UpdateExpression": "SET l = list_append(if_not_exists(l, :none), :one)",
                "ExpressionAttributeValues": {":none": {"L": []},
                                              ":one": {"L": [{"N": str(operation.appends[name])}]}}}

    def append(self, operation, names):
        reply = self.connection.call("UpdateItem", ReturnValues="ALL_OLD", **self.appending(names[0], operation))
        operation.reads[names[0]] = seen_in(reply.get("Attributes"))

    def read(self, operation, names):
        operation.reads[names[0]] = seen_in(self.connection.call("GetItem", **self.key(names[0])).get("Item"))

    def append_several(self, operation, names):
        several = names[:self.random.randint(2, 3)]
        self.connection.call("TransactWriteItems", ClientRequestToken=str(uuid.uuid4()), TransactItems=[
            {"Update": self.appending(name, operation)} for name in several])

    def read_several(self, operation, names):
        several = names[:self.random.randint(2, KEYS)]
        reply = self.connection.call("TransactGetItems", TransactItems=[{"Get": self.key(name)} for name in several])
        for name, found in zip(several, reply["Responses"]):
            operation.reads[name] = seen_in(found.get("Item"))

    def compare_and_append(self, operation, names):
        """Appends to one item if another one is what it was a moment ago; if not, it is told what it is now."""
        looked = seen_in(self.connection.call("GetItem", **self.key(names[0])).get("Item"))
        operation.start = time.monotonic()
        check = {**self.key(names[0]), "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                 "ConditionExpression": "size(l) = :size" if looked else "attribute_not_exists(l)"}
        if looked:
            check["ExpressionAttributeValues"] = {":size": {"N": str(len(looked))}}
        write = self.appending(names[1], operation)
        try:
            self.connection.call("TransactWriteItems",
                                 TransactItems=[{"Update": write}, {"ConditionCheck": check}])
            operation.reads[names[0]] = looked
        except Refused as refused:
            operation.appends.clear()
            reasons = json.loads(refused.body)["CancellationReasons"]
            self.case.assertEqual(["None", "ConditionalCheckFailed"], [reason["Code"] for reason in reasons])
            operation.reads[names[0]] = seen_in(reasons[1].get("Item"))


class Histories(Workers):
    def test_histories(self):
        print(f"# SEED={SEED}")
        self.create()
        workers = self.work(Historian, lambda _: threading.Event().wait(SECONDS))
        operations = [operation for worker in workers for operation in worker.operations]
        last = serial.Operation("the test", "scan", time.monotonic())
        connection = Connection(self.server.url)
        for item in self.scan_all():
            last.reads[item["pk"]["S"]] = seen_in(item)
        connection.close()
        last.end = time.monotonic()
        serial.check([*operations, last])
        kinds = collections.Counter(operation.kind for operation in operations)
        print(f"# {dict(kinds)}")
        self.assertGreater(min(kinds.values()), 20)

    def test_the_checker_sees_what_is_wrong(self):
        def operation(thread, start, end, reads=None, appends=None):
            made = serial.Operation(thread, "made", start)
            made.end, made.reads, made.appends = end, reads or {}, appends or {}
            return made
        wrote = operation("a", 0, 5, appends={"x": 1, "y": 2})
        last = operation("z", 90, 91, {"x": [1], "y": [2]})
        early, late = operation("b", 1, 2, {"x": [1]}), operation("b", 3, 4, {"y": [2]})
        serial.check([wrote, early, late, last])
        for wrong in ([operation("b", 1, 2, {"x": [1], "y": []})],
                      [early, operation("b", 3, 4, {"y": []})],
                      [operation("b", 6, 7, {"x": []})],
                      [operation("b", 1, 2, {"x": [3]})],
                      [operation("b", 1, 2, {"x": [1]}), operation("c", 3, 4, {"x": []})],
                      [operation("b", 1, 2, appends={"x": 4})],
                      [operation("b", 1, 2, {"x": []}, {"v": 7}), operation("c", 1, 2, {"v": []}, {"x": 8}),
                       operation("z", 90, 91, {"x": [8, 1], "v": [7]})]):
            with self.assertRaises(AssertionError):
                serial.check([wrote, last, *wrong])


# --- sums

ACCOUNTS = 8
EACH = 1000


class Clerk(Worker):
    """Moves amounts between two accounts, each move with a token of its own."""

    def __init__(self, number, case):
        super().__init__(number, case)
        self.moves = self.refusals = 0
        self.doubtful = None  # the move that was not answered

    def step(self):
        if self.random.random() < 0.3:
            self.case.sum_now(self.connection)
            return
        self.doubtful = self.move_of(*self.random.sample(range(ACCOUNTS), 2), self.random.randint(1, 300))
        self.move(self.doubtful)
        self.doubtful = None

    def move(self, move):
        try:
            self.connection.call("TransactWriteItems", **move)
            self.moves += 1
        except Refused as refused:
            if "ConditionalCheckFailed" not in refused.body:
                raise
            self.refusals += 1

    def move_of(self, source, target, amount):
        value = {":n": {"N": str(amount)}, ":one": {"N": "1"}}
        return {"ClientRequestToken": str(uuid.uuid4()), "TransactItems": [
            {"Update": {**self.key(f"account {target}"), "UpdateExpression": "ADD n :n, moves :one",
                        "ExpressionAttributeValues": value}},
            {"Update": {**self.key(f"account {source}"), "UpdateExpression": "SET n = n - :n ADD moves :one",
                        "ConditionExpression": "n >= :n", "ExpressionAttributeValues": value}}]}


class Sums(Workers):
    def open_accounts(self):
        self.server.bucket(BUCKET)
        arn = self.create(
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"},
                                  {"AttributeName": "n", "AttributeType": "N"}],
            GlobalSecondaryIndexes=[{"IndexName": "amounts", "Projection": {"ProjectionType": "ALL"},
                                     "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}]}])["TableArn"]
        self.recover()
        self.dynamo.transact_write_items(TransactItems=[
            {"Put": {"TableName": self.table, "Item": {"pk": {"S": f"account {at}"}, "n": {"N": str(EACH)},
                                                       "moves": {"N": "0"}}}} for at in range(ACCOUNTS)])
        return arn

    def check_sum(self, items, when):
        sums = [sum(int(item[name]["N"]) for item in items) for name in ("n", "moves")]
        self.assertEqual((ACCOUNTS * EACH, 0, ACCOUNTS), (sums[0], sums[1] % 2, len(items)), when)
        return sums[1] // 2

    def sum_now(self, connection):
        found = connection.call("TransactGetItems", TransactItems=[
            {"Get": {"TableName": self.table, "Key": {"pk": {"S": f"account {at}"}}}} for at in range(ACCOUNTS)])
        return self.check_sum([each["Item"] for each in found["Responses"]], "a read")

    def test_every_export_has_the_sum(self):
        arn, made = self.open_accounts(), []

        def export(_):
            start = time.time() + 0.2
            while time.time() < start + SECONDS:
                more = {}
                if len(made) % 2 and time.time() > start + 0.1:
                    more["ExportTime"] = int(random.uniform(start, time.time() - 0.01) * 1000) / 1000
                made.append(self.dynamo.export_table_to_point_in_time(
                    TableArn=arn, S3Bucket=BUCKET, **more)["ExportDescription"]["ExportArn"])
                self.export_done(made[-1])
        clerks = self.work(Clerk, export)
        moves = set()
        for each in made:
            description = self.export_done(each)
            moves.add(self.check_sum(exports.read_export(self.server.buckets / BUCKET, description),
                                     description["ExportTime"]))
        connection = Connection(self.server.url)
        self.assertEqual(sum(clerk.moves for clerk in clerks), self.sum_now(connection))
        connection.close()
        print(f"# {len(made)} exports beside {sum(clerk.moves for clerk in clerks)} moves, "
              f"{sum(clerk.refusals for clerk in clerks)} refused")
        self.assertGreater(len(moves), 3)

    def test_all_or_nothing_after_kill(self):
        self.open_accounts()
        moves = again = 0
        for _ in range(CRASHES):
            def kill(clerks):
                while sum(clerk.moves for clerk in clerks) < 20:
                    threading.Event().wait(0.01)
                threading.Event().wait(random.uniform(0, 0.3))
                self.server.kill()
            clerks = self.work(Clerk, kill)
            self.whole()
            self.server.start()
            connection = Connection(self.server.url)
            done = self.sum_now(connection)
            self.assertEqual(done, self.check_sum(self.scan_all(IndexName="amounts"), "a scan of the index"))
            moves += sum(clerk.moves for clerk in clerks)
            for clerk in clerks:
                if clerk.doubtful is not None:
                    clerk.connection = connection
                    before = clerk.moves
                    for _ in range(2):
                        clerk.move(clerk.doubtful)
                    self.assertIn(clerk.moves - before, (0, 2))
                    again += 1
                    moves += (clerk.moves - before) // 2
            self.assertGreaterEqual(moves, done)
            self.assertEqual(moves, self.sum_now(connection))
            connection.close()
        print(f"# {CRASHES} kills, {moves} moves, {again} of them asked for again")


del Workers
