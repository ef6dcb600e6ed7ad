// Small applications of two object mappers, dynamoose and ElectroDB, as their users write them. Run by test_mappers.py
// with ENDPOINT.
"use strict";
const assert = require("node:assert/strict");
const test = require("node:test");
const dynamoose = require("dynamoose");
const electro = require("electrodb");
const sdk = require("@aws-sdk/client-dynamodb");
const lib = require("@aws-sdk/lib-dynamodb");

const settings = {
  endpoint: process.env.ENDPOINT,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
};
const client = new sdk.DynamoDBClient(settings);

test("dynamoose: a library of books", async () => {
  dynamoose.aws.ddb.set(new dynamoose.aws.ddb.DynamoDB(settings));
  const Book = dynamoose.model(`js-books-${process.pid}`, new dynamoose.Schema({
    author: { type: String, hashKey: true },
    title: { type: String, rangeKey: true },
    year: Number,
    tags: { type: Set, schema: [String] },
    copies: { type: Array, schema: [{ type: Object, schema: { shelf: String, lent: Boolean } }] },
    reads: { type: Number, default: 0 },
  }, { timestamps: true }), { throughput: "ON_DEMAND", waitForActive: { enabled: true, check: { timeout: 30000, frequency: 100 } } });

  const made = await Book.create({
    author: "Verne", title: "Around the World", year: 1872, tags: new Set(["travel", "bet"]),
    copies: [{ shelf: "A1", lent: false }],
  });
  assert.equal(made.reads, 0);
  await assert.rejects(Book.create({ author: "Verne", title: "Around the World" }),
    { name: "ConditionalCheckFailedException" });
  await Book.batchPut([1865, 1870, 1874].map((year) => ({ author: "Verne", title: `of ${year}`, year })));

  const found = await Book.get({ author: "Verne", title: "Around the World" });
  assert.deepEqual([...found.tags].sort(), ["bet", "travel"]);
  assert.deepEqual(found.copies, [{ shelf: "A1", lent: false }]);
  assert.ok(found.createdAt instanceof Date || typeof found.createdAt === "number");

  const changed = await Book.update({ author: "Verne", title: "Around the World" },
    { $ADD: { reads: 2 }, $SET: { year: 1873 }, $REMOVE: ["tags"] });
  assert.equal(changed.reads, 2);
  assert.equal(changed.year, 1873);
  assert.equal(changed.tags, undefined);

  const titles = await Book.query("author").eq("Verne").where("title").beginsWith("of").sort("descending").exec();
  assert.deepEqual(titles.map((each) => each.title), ["of 1874", "of 1870", "of 1865"]);
  const page = await Book.query("author").eq("Verne").limit(2).exec();
  assert.equal(page.length, 2);
  const rest = await Book.query("author").eq("Verne").startAt(page.lastKey).exec();
  assert.equal(rest.length, 2);
  const late = await Book.scan("year").gt(1871).exec();
  assert.deepEqual(late.map((each) => each.year).sort(), [1873, 1874]);
  assert.equal((await Book.query("author").eq("Verne").count().exec()).count, 4);

  await dynamoose.transaction([
    Book.transaction.update({ author: "Verne", title: "of 1865" }, { year: 1866 }),
    Book.transaction.create({ author: "Wells", title: "The Time Machine", year: 1895 }),
    Book.transaction.delete({ author: "Verne", title: "of 1870" }),
  ]);
  const several = await Book.batchGet([{ author: "Wells", title: "The Time Machine" },
    { author: "Verne", title: "of 1865" }, { author: "Verne", title: "of 1870" }]);
  assert.deepEqual(several.map((each) => each.year).sort(), [1866, 1895]);
  await assert.rejects(dynamoose.transaction([
    Book.transaction.delete({ author: "Verne", title: "of 1865" }),
    Book.transaction.create({ author: "Wells", title: "The Time Machine" }),
  ]), { name: "TransactionCanceledException" });
  assert.ok(await Book.get({ author: "Verne", title: "of 1865" }));
  await found.delete();
  assert.equal(await Book.get({ author: "Verne", title: "Around the World" }), undefined);
});

test("ElectroDB: tasks of projects in one table", async () => {
  const table = `js-tasks-${process.pid}`;
  await client.send(new sdk.CreateTableCommand({
    TableName: table, BillingMode: "PAY_PER_REQUEST",
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }],
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }, { AttributeName: "sk", AttributeType: "S" }],
  }));
  await sdk.waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName: table });
  const options = { client: lib.DynamoDBDocumentClient.from(client), table };
  const keys = (composite) => ({ primary: {
    collection: "work", pk: { field: "pk", composite: ["project"] }, sk: { field: "sk", composite },
  } });
  const Task = new electro.Entity({
    model: { entity: "task", version: "1", service: "board" },
    attributes: {
      project: { type: "string", required: true },
      task: { type: "string", required: true },
      state: { type: ["open", "done"], default: "open" },
      points: { type: "number", default: 0 },
      labels: { type: "set", items: "string" },
      notes: { type: "list", items: { type: "string" } },
    },
    indexes: keys(["task"]),
  }, options);
  const Member = new electro.Entity({
    model: { entity: "member", version: "1", service: "board" },
    attributes: { project: { type: "string" }, name: { type: "string" }, load: { type: "number", default: 0 } },
    indexes: keys(["name"]),
  }, options);
  const board = new electro.Service({ Task, Member });

  await Task.put([..."abcdef"].map((task, at) => ({ project: "p", task, points: at }))).go();
  await Member.create({ project: "p", name: "ada" }).go();
  await assert.rejects(Member.create({ project: "p", name: "ada" }).go(), /conditional request failed/);

  assert.equal((await Task.get({ project: "p", task: "c" }).go()).data.points, 2);
  assert.equal((await Task.get({ project: "p", task: "none" }).go()).data, null);
  const updated = await Task.patch({ project: "p", task: "c" })
    .add({ points: 5, labels: ["red"] }).set({ state: "done" }).append({ notes: ["first"] })
    .where(({ state }, { eq }) => eq(state, "open")).go({ response: "all_new" });
  assert.deepEqual([updated.data.points, updated.data.state, updated.data.labels, updated.data.notes],
    [7, "done", ["red"], ["first"]]);
  await assert.rejects(Task.patch({ project: "p", task: "none" }).set({ state: "done" }).go(), /conditional request failed/);

  const between = await Task.query.primary({ project: "p" }).between({ task: "b" }, { task: "d" })
    .where(({ points }, { gt }) => gt(points, 1)).go({ order: "desc" });
  assert.deepEqual(between.data.map((each) => each.task), ["d", "c"]);
  const first = await Task.query.primary({ project: "p" }).go({ limit: 4 });
  const second = await Task.query.primary({ project: "p" }).go({ cursor: first.cursor });
  assert.deepEqual([first, second].map((page) => page.data.length), [4, 2]);
  const all = await board.collections.work({ project: "p" }).go();
  assert.deepEqual([all.data.Task.length, all.data.Member.length], [6, 1]);
  assert.equal((await Task.scan.where(({ state }, { eq }) => eq(state, "done")).go()).data.length, 1);

  const done = await board.transaction.write(({ Task: task, Member: member }) => [
    task.delete({ project: "p", task: "a" }).commit(),
    member.patch({ project: "p", name: "ada" }).add({ load: 3 }).commit(),
    task.check({ project: "p", task: "b" }).where(({ state }, { eq }) => eq(state, "open")).commit(),
  ]).go();
  assert.equal(done.canceled, false);
  const refused = await board.transaction.write(({ Task: task, Member: member }) => [
    member.patch({ project: "p", name: "ada" }).add({ load: 3 }).commit({ response: "all_old" }),
    task.create({ project: "p", task: "b" }).commit({ response: "all_old" }),
  ]).go();
  assert.equal(refused.canceled, true);
  assert.deepEqual(refused.data.map((each) => [each.rejected, each.code]),
    [[false, "None"], [true, "ConditionalCheckFailed"]]);
  assert.equal(refused.data[1].item.task, "b");
  const read = await board.transaction.get(({ Task: task, Member: member }) => [
    member.get({ project: "p", name: "ada" }).commit(), task.get({ project: "p", task: "a" }).commit(),
  ]).go();
  assert.deepEqual([read.data[0].item.load, read.data[1].item], [3, null]);
  const several = await Task.get(["b", "c", "z"].map((task) => ({ project: "p", task }))).go();
  assert.deepEqual(several.data.map((each) => each.task).sort(), ["b", "c"]);
  await Task.delete([..."bcdef"].map((task) => ({ project: "p", task }))).go();
  assert.equal((await Task.query.primary({ project: "p" }).go()).data.length, 0);
});
