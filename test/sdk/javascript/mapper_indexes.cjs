// Single tables with several secondary indexes, as users of two object mappers, ElectroDB and dynamoose, write them. Run
// by test_mappers.py with ENDPOINT.
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

// --- a shop: customers, orders and their lines under overloaded keys ---

const both = (pk, sk) => [{ AttributeName: pk, KeyType: "HASH" }, { AttributeName: sk, KeyType: "RANGE" }];
const text = (AttributeName) => ({ AttributeName, AttributeType: "S" });

async function shopTable() {
  const table = `js-shop-${process.pid}`;
  const all = { ProjectionType: "ALL" };
  await client.send(new sdk.CreateTableCommand({
    TableName: table, BillingMode: "PAY_PER_REQUEST", KeySchema: both("pk", "sk"),
    AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk", "lsi1sk", "country", "city", "zip", "street"]
      .map(text),
    LocalSecondaryIndexes: [{ IndexName: "lsi1", KeySchema: both("pk", "lsi1sk"), Projection: all }],
    GlobalSecondaryIndexes: [
      { IndexName: "gsi1", KeySchema: both("gsi1pk", "gsi1sk"), Projection: all },
      { IndexName: "gsi2", KeySchema: both("gsi2pk", "gsi2sk"), Projection: all },
      {
        IndexName: "places", Projection: all, KeySchema: [["country", "HASH"], ["city", "HASH"], ["zip", "RANGE"],
          ["street", "RANGE"]].map(([AttributeName, KeyType]) => ({ AttributeName, KeyType })),
      },
    ],
  }));
  await sdk.waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName: table });
  return table;
}

function shop(table) {
  const options = { client: lib.DynamoDBDocumentClient.from(client), table };
  const model = (entity) => ({ entity, version: "1", service: "shop" });
  const field = (name, composite) => ({ field: name, composite });
  const Customer = new electro.Entity({
    model: model("customer"),
    attributes: {
      customer: { type: "string" }, mail: { type: "string" }, name: { type: "string" },
      country: { type: "string" }, city: { type: "string" }, zip: { type: "string" }, street: { type: "string" },
    },
    indexes: {
      primary: { collection: "account", pk: field("pk", ["customer"]), sk: field("sk", []) },
      byMail: { index: "gsi1", pk: field("gsi1pk", ["mail"]), sk: field("gsi1sk", []) },
      places: {
        index: "places", type: "composite", pk: { composite: ["country", "city"] }, sk: { composite: ["zip", "street"] },
      },
    },
  }, options);
  const Order = new electro.Entity({
    model: model("order"),
    attributes: {
      customer: { type: "string" }, order: { type: "string" }, placed: { type: "string" },
      state: { type: ["open", "sent"], default: "open" }, total: { type: "number", default: 0 },
    },
    indexes: {
      primary: { collection: "account", pk: field("pk", ["customer"]), sk: field("sk", ["order"]) },
      whole: { collection: "whole", index: "gsi1", pk: field("gsi1pk", ["order"]), sk: field("gsi1sk", []) },
      // sparse: an order that was sent leaves the index
      open: {
        index: "gsi2", pk: field("gsi2pk", ["state"]), sk: field("gsi2sk", ["placed"]),
        condition: ({ state }) => state === "open",
      },
      byDay: { index: "lsi1", pk: field("pk", ["customer"]), sk: field("lsi1sk", ["placed"]) },
    },
  }, options);
  const Line = new electro.Entity({
    model: model("line"),
    attributes: {
      customer: { type: "string" }, order: { type: "string" }, line: { type: "number", padding: { length: 3, char: "0" } },
      product: { type: "string" }, count: { type: "number" },
    },
    indexes: {
      primary: { collection: "account", pk: field("pk", ["customer"]), sk: field("sk", ["order", "line"]) },
      whole: { collection: "whole", index: "gsi1", pk: field("gsi1pk", ["order"]), sk: field("gsi1sk", ["line"]) },
      sold: { index: "gsi2", pk: field("gsi2pk", ["product"]), sk: field("gsi2sk", ["order"]) },
    },
  }, options);
  return new electro.Service({ Customer, Order, Line });
}

test("ElectroDB: a shop with overloaded, sparse and composite indexes", async () => {
  const service = shop(await shopTable());
  const { Customer, Order, Line } = service.entities;
  await Customer.put(["ada", "bob", "eve"].map((customer, at) => ({
    customer, mail: `${customer}@example.com`, name: customer.toUpperCase(), country: "FR", city: at < 2 ? "Paris" : "Nice",
    zip: `7500${at}`, street: "Rue",
  }))).go();
  for (let at = 0; at < 12; at++) {
    const order = { customer: at % 2 ? "ada" : "bob", order: `o${String(at).padStart(2, "0")}` };
    await Order.create({ ...order, placed: `2026-01-${String(28 - at).padStart(2, "0")}`, total: at * 10 }).go();
    await Line.put([1, 2].map((line) => ({ ...order, line, product: line === 1 ? "pen" : `p${at}`, count: at }))).go();
  }

  // one partition of an index, one entity in it or several
  assert.deepEqual((await Customer.query.byMail({ mail: "bob@example.com" }).go()).data.map((each) => each.name), ["BOB"]);
  const whole = (await service.collections.whole({ order: "o05" }).go()).data;
  assert.deepEqual([whole.Order.length, whole.Line.map((each) => each.line)], [1, [1, 2]]);
  const account = (await service.collections.account({ customer: "ada" }).go()).data;
  assert.deepEqual([account.Customer.length, account.Order.length, account.Line.length], [1, 6, 12]);

  // ranges, both directions, pages
  const days = (found) => found.data.map((each) => each.placed.slice(-2)).join(" ");
  assert.equal(days(await Order.query.byDay({ customer: "ada" }).gte({ placed: "2026-01-20" }).go()), "21 23 25 27");
  assert.equal(days(await Order.query.open({ state: "open" }).between({ placed: "2026-01-18" }, { placed: "2026-01-21" })
    .go({ order: "desc" })), "21 20 19 18");
  const sold = [];
  for (let cursor = null; ;) {
    const page = await Line.query.sold({ product: "pen" }).go({ cursor, limit: 5 });
    sold.push(...page.data.map((each) => each.order));
    cursor = page.cursor;
    if (cursor === null) {
      break;
    }
  }
  assert.deepEqual(sold, Array.from({ length: 12 }, (_, at) => `o${String(at).padStart(2, "0")}`));
  const rich = await Order.query.open({ state: "open" }).where(({ total }, { gte }) => gte(total, 100)).go({ attributes: ["total"] });
  assert.deepEqual(rich.data.map((each) => each.total), [110, 100]);

  // what leaves an index, and what comes back into it
  await Order.patch({ customer: "ada", order: "o11" }).set({ state: "sent", placed: "2026-01-17" }).go();
  await Order.delete({ customer: "bob", order: "o10" }).go();
  assert.equal(days(await Order.query.open({ state: "open" }).lt({ placed: "2026-01-20" }).go()), "19");
  assert.equal((await service.collections.whole({ order: "o11" }).go()).data.Order[0].state, "sent");
  await Order.patch({ customer: "ada", order: "o11" }).set({ state: "open", placed: "2026-01-17" }).go();
  assert.equal(days(await Order.query.open({ state: "open" }).lt({ placed: "2026-01-20" }).go()), "17 19");

  // keys of several attributes
  const places = async (query) => (await query.go()).data.map((each) => each.customer);
  assert.deepEqual(await places(Customer.query.places({ country: "FR", city: "Paris" })), ["ada", "bob"]);
  assert.deepEqual(await places(Customer.query.places({ country: "FR", city: "Paris", zip: "75001" })), ["bob"]);
  assert.deepEqual(await places(Customer.query.places({ country: "FR", city: "Paris" }).gt({ zip: "75000" })), ["bob"]);
  assert.deepEqual(await places(Customer.query.places({ country: "FR", city: "Paris", zip: "75000" })
    .begins({ street: "R" })), ["ada"]);
  await Customer.patch({ customer: "bob" }).set({ city: "Nice", country: "FR", zip: "06000", street: "Quai" }).go();
  assert.deepEqual(await places(Customer.query.places({ country: "FR", city: "Nice" })), ["bob", "eve"]);
});

// --- a library whose table follows its schema ---

const waiting = { enabled: true, check: { timeout: 30000, frequency: 50 } };
const index = (name, more) => ({ index: { name, ...more } });

test("dynamoose: indexes that come and go with the schema", async () => {
  dynamoose.aws.ddb.set(new dynamoose.aws.ddb.DynamoDB(settings));
  const name = `js-library-${process.pid}`;
  const fields = { author: { type: String, hashKey: true }, title: { type: String, rangeKey: true }, reads: Number };
  const described = async () => {
    const { Table } = await client.send(new sdk.DescribeTableCommand({ TableName: name }));
    return Object.fromEntries((Table.GlobalSecondaryIndexes ?? []).map((each) => [each.IndexName, each]));
  };
  const library = (more, options) => {
    const Book = dynamoose.model(`Book${Object.keys(more).join("")}`, new dynamoose.Schema({ ...fields, ...more }));
    return [Book, new dynamoose.Table(name, [Book],
      { throughput: "ON_DEMAND", waitForActive: waiting, initialize: false, ...options })];
  };

  const [Book, table] = library({
    year: { type: Number, ...index("byYear", { type: "global", rangeKey: "title" }) },
    shelf: { type: String, ...index("byShelf", { type: "local", project: ["reads"] }) },
    lentTo: { type: String, ...index("lent", { type: "global", project: false }) },
  });
  await table.initialize();
  await Book.batchPut(Array.from({ length: 20 }, (_, at) => ({
    author: at % 2 ? "Verne" : "Wells", title: `t${String(at).padStart(2, "0")}`, year: 1900 + at % 4, reads: at,
    shelf: `s${9 - at % 10}`, ...(at % 5 ? {} : { lentTo: "ada" }),
  })));
  const titles = async (query) => (await query.exec()).map((each) => each.title).join(" ");
  assert.equal(await titles(Book.query("year").eq(1902).using("byYear")), "t02 t06 t10 t14 t18");
  assert.equal(await titles(Book.query("year").eq(1902).where("title").gt("t06").using("byYear").sort("descending")),
    "t18 t14 t10");
  assert.equal(await titles(Book.query("author").eq("Verne").where("shelf").beginsWith("s0").using("byShelf")), "t09 t19");
  const lent = await Book.query("lentTo").eq("ada").using("lent").exec();
  assert.deepEqual([lent.length, lent[0].reads, (await Book.scan().using("lent").exec()).length], [4, undefined, 4]);
  await Book.update({ author: "Wells", title: "t00" }, { $REMOVE: ["lentTo"] });
  assert.equal((await Book.query("lentTo").eq("ada").using("lent").count().exec()).count, 3);

  // the next release of the program: one index is gone, one new, and one has another projection, for which dynamoose
  // drops it in a first start and makes it in a second one
  const release = () => library({
    year: { type: Number, ...index("byYear", { type: "global", rangeKey: "title", project: ["shelf"] }) },
    shelf: { type: String, index: [{ name: "byShelf", type: "local", project: ["reads"] }, { name: "shelves", type: "global" }] },
  }, { update: ["indexes"] });
  await release()[1].initialize();
  assert.deepEqual(Object.keys(await described()), ["shelves"]);
  const [Next, next] = release();
  await next.initialize();
  const found = await described();
  assert.deepEqual(Object.values(found).map((each) => [each.IndexName, each.IndexStatus, each.ItemCount]),
    [["shelves", "ACTIVE", 20], ["byYear", "ACTIVE", 20]]);
  assert.deepEqual(found.byYear.Projection, { ProjectionType: "INCLUDE", NonKeyAttributes: ["shelf"] });
  assert.equal(await titles(Next.query("shelf").eq("s3").using("shelves").where("reads").gt(10)), "t16");
  assert.equal(await titles(Next.query("year").eq(1903).using("byYear").limit(2)), "t03 t07");
});
