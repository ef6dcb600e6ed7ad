// The main path through the AWS SDK for JavaScript v3: its client checks x-amz-crc32 of every reply by itself, and
// its document client turns items into plain values. Run by test_javascript.py with ENDPOINT and BUCKET.
"use strict";
const assert = require("node:assert/strict");
const test = require("node:test");
const sdk = require("@aws-sdk/client-dynamodb");
const lib = require("@aws-sdk/lib-dynamodb");

const settings = {
  endpoint: process.env.ENDPOINT,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
};
const client = new sdk.DynamoDBClient(settings);
const documents = lib.DynamoDBDocumentClient.from(client, { marshallOptions: { convertEmptyValues: false } });
// A client of its own: the options of a document client are those of all that share its client.
const numbers = lib.DynamoDBDocumentClient.from(new sdk.DynamoDBClient(settings), { unmarshallOptions: { wrapNumbers: true } });
let serial = 0;

async function table(keys = { pk: "S" }) {
  const name = `js-${process.pid}-${serial++}`;
  const made = await client.send(new sdk.CreateTableCommand({
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: Object.keys(keys).map((key, at) => ({ AttributeName: key, KeyType: at ? "RANGE" : "HASH" })),
    AttributeDefinitions: Object.entries(keys).map(([key, type]) => ({ AttributeName: key, AttributeType: type })),
  }));
  await sdk.waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName: name });
  return { name, arn: made.TableDescription.TableArn };
}

async function exported(arn, more = {}) {
  const made = await client.send(new sdk.ExportTableToPointInTimeCommand({
    TableArn: arn, S3Bucket: process.env.BUCKET, ...more,
  }));
  for (;;) {
    const found = await client.send(new sdk.DescribeExportCommand({ ExportArn: made.ExportDescription.ExportArn }));
    if (found.ExportDescription.ExportStatus !== "IN_PROGRESS") return found.ExportDescription;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("documents come back as they went", async () => {
  const { name } = await table({ pk: "S", sk: "N" });
  const item = {
    pk: "é中😀", sk: -1.5, text: "", yes: true, nothing: null, list: [1, "two", [3], { four: 4 }],
    map: { deep: { deeper: new Uint8Array([0, 255]) } }, data: new Uint8Array(0), words: new Set(["a", "b"]),
    counts: new Set([1, 2.5]),
  };
  await documents.send(new lib.PutCommand({ TableName: name, Item: item }));
  const found = await documents.send(new lib.GetCommand({ TableName: name, Key: { pk: item.pk, sk: item.sk } }));
  assert.deepEqual(found.Item, item);
  await documents.send(new lib.DeleteCommand({ TableName: name, Key: { pk: item.pk, sk: item.sk } }));
  const gone = await documents.send(new lib.GetCommand({ TableName: name, Key: { pk: item.pk, sk: item.sk } }));
  assert.equal(gone.Item, undefined);
});

test("numbers of 38 digits are exact", async () => {
  const { name } = await table();
  const text = "1234567890123456789012345678.9012345678";
  await client.send(new sdk.PutItemCommand({ TableName: name, Item: { pk: { S: "a" }, n: { N: text } } }));
  const found = await numbers.send(new lib.GetCommand({ TableName: name, Key: { pk: "a" } }));
  assert.equal(found.Item.n.value, text);
});

test("updates and conditions", async () => {
  const { name } = await table();
  const key = { TableName: name, Key: { pk: "a" } };
  const counted = await documents.send(new lib.UpdateCommand({
    ...key, UpdateExpression: "SET #v = :v, entries = list_append(if_not_exists(entries, :none), :more) ADD hits :one",
    ExpressionAttributeNames: { "#v": "v" }, ReturnValues: "ALL_NEW",
    ExpressionAttributeValues: { ":v": "value", ":one": 1, ":none": [], ":more": [{ deep: [1] }] },
  }));
  assert.deepEqual(counted.Attributes, { pk: "a", v: "value", hits: 1, entries: [{ deep: [1] }] });
  const again = await documents.send(new lib.UpdateCommand({
    ...key, UpdateExpression: "SET entries[0].deep[1] = :two REMOVE v", ConditionExpression: "hits = :one",
    ExpressionAttributeValues: { ":one": 1, ":two": 2 }, ReturnValues: "UPDATED_NEW",
  }));
  assert.deepEqual(again.Attributes, { entries: [{ deep: [2] }] });
  await assert.rejects(documents.send(new lib.DeleteCommand({
    ...key, ConditionExpression: "attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  })), (error) => error instanceof sdk.ConditionalCheckFailedException && error.Item.hits.N === "1");
  const found = await documents.send(new lib.GetCommand({ ...key, ProjectionExpression: "entries[0].deep[0], hits" }));
  assert.deepEqual(found.Item, { hits: 1, entries: [{ deep: [1] }] });
});

test("batches and paginated scans", async () => {
  const { name } = await table();
  const keys = Array.from({ length: 100 }, (_, at) => `k${at}`);
  for (let at = 0; at < 100; at += 25) {
    const reply = await documents.send(new lib.BatchWriteCommand({
      RequestItems: { [name]: keys.slice(at, at + 25).map((pk) => ({ PutRequest: { Item: { pk } } })) },
    }));
    assert.deepEqual(reply.UnprocessedItems, {});
  }
  const batch = await documents.send(new lib.BatchGetCommand({
    RequestItems: { [name]: { Keys: keys.map((pk) => ({ pk })) } },
  }));
  assert.equal(batch.Responses[name].length, 100);
  const found = [];
  for await (const page of lib.paginateScan({ client: documents, pageSize: 7 }, { TableName: name })) {
    found.push(...page.Items.map((item) => item.pk));
  }
  assert.deepEqual(found.sort(), keys.sort());
});

test("paginated queries", async () => {
  const { name } = await table({ pk: "S", sk: "N" });
  await Promise.all(Array.from({ length: 30 }, (_, sk) =>
    documents.send(new lib.PutCommand({ TableName: name, Item: { pk: "a", sk, odd: sk % 2 === 1 } }))));
  const found = [];
  for await (const page of lib.paginateQuery({ client: documents, pageSize: 4 }, {
    TableName: name, KeyConditionExpression: "pk = :pk AND sk BETWEEN :low AND :high", FilterExpression: "odd = :yes",
    ProjectionExpression: "sk", ScanIndexForward: false,
    ExpressionAttributeValues: { ":pk": "a", ":low": 3, ":high": 20, ":yes": true },
  })) {
    found.push(...page.Items);
  }
  assert.deepEqual(found, [19, 17, 15, 13, 11, 9, 7, 5, 3].map((sk) => ({ sk })));
});

test("an item of 400 KB", async () => {
  const { name } = await table();
  const v = "x".repeat(400 * 1024 - 4);
  await documents.send(new lib.PutCommand({ TableName: name, Item: { pk: "a", v } }));
  const found = await documents.send(new lib.GetCommand({ TableName: name, Key: { pk: "a" } }));
  assert.equal(found.Item.v.length, v.length);
});

test("errors have their classes", async () => {
  const { name } = await table();
  await assert.rejects(documents.send(new lib.GetCommand({ TableName: "nothing-here", Key: { pk: "a" } })),
    sdk.ResourceNotFoundException);
  await assert.rejects(client.send(new sdk.CreateTableCommand({
    TableName: name, BillingMode: "PAY_PER_REQUEST", KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
  })), sdk.ResourceInUseException);
  await assert.rejects(client.send(new sdk.PutItemCommand({ TableName: name, Item: {} })),
    { name: "ValidationException" });
});

test("transactions of documents", async () => {
  const { name } = await table();
  const key = (pk) => ({ TableName: name, Key: { pk } });
  await documents.send(new lib.TransactWriteCommand({ TransactItems: [
    { Put: { TableName: name, Item: { pk: "a", n: 10 } } },
    { Put: { TableName: name, Item: { pk: "b", n: 0, tags: new Set(["x"]) } } },
  ] }));
  const move = (amount) => new lib.TransactWriteCommand({ TransactItems: [
    { Update: { ...key("b"), UpdateExpression: "ADD n :n", ExpressionAttributeValues: { ":n": amount } } },
    { Update: {
      ...key("a"), UpdateExpression: "SET n = n - :n", ConditionExpression: "n >= :n",
      ExpressionAttributeValues: { ":n": amount }, ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    } },
  ] });
  await documents.send(move(7));
  await assert.rejects(documents.send(move(4)), (error) => {
    assert.ok(error instanceof sdk.TransactionCanceledException);
    assert.equal(error.message, "Transaction cancelled, please refer cancellation reasons for specific reasons " +
      "[None, ConditionalCheckFailed]");
    assert.deepEqual(error.CancellationReasons.map((reason) => reason.Code), ["None", "ConditionalCheckFailed"]);
    assert.equal(error.CancellationReasons[1].Message, "The conditional request failed");
    assert.deepEqual(error.CancellationReasons[1].Item, { pk: { S: "a" }, n: { N: "3" } });
    return true;
  });
  const found = await documents.send(new lib.TransactGetCommand({ TransactItems: [
    { Get: key("a") }, { Get: key("nothing") }, { Get: { ...key("b"), ProjectionExpression: "n, tags" } },
  ] }));
  assert.deepEqual(found.Responses, [{ Item: { pk: "a", n: 3 } }, {}, { Item: { n: 7, tags: new Set(["x"]) } }]);
  const once = { ClientRequestToken: "0123456789", TransactItems: [{ Delete: key("a") }] };
  await documents.send(new lib.TransactWriteCommand(once));
  await documents.send(new lib.TransactWriteCommand(once));
  await assert.rejects(documents.send(new lib.TransactWriteCommand({ ...once, TransactItems: [{ Delete: key("b") }] })),
    sdk.IdempotentParameterMismatchException);
});

test("a table as it was", async () => {
  const { name, arn } = await table();
  await client.send(new sdk.UpdateContinuousBackupsCommand({
    TableName: name, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  }));
  await documents.send(new lib.PutCommand({ TableName: name, Item: { pk: "a", v: "old" } }));
  const done = await exported(arn);
  assert.equal(done.ExportStatus, "COMPLETED");
  assert.equal(done.ItemCount, 1);
  assert.ok(done.EndTime >= done.StartTime);
  const list = await client.send(new sdk.ListExportsCommand({ TableArn: arn }));
  assert.deepEqual(list.ExportSummaries.map((each) => each.ExportArn), [done.ExportArn]);
  const failed = await exported(arn, { S3Bucket: "nobody-made-it" });
  assert.equal(failed.FailureCode, "S3NoSuchBucket");
  await client.send(new sdk.DeleteTableCommand({ TableName: name }));
  await sdk.waitUntilTableNotExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName: name });
});

test("many requests at once", async () => {
  const { name } = await table();
  await Promise.all(Array.from({ length: 200 }, (_, at) =>
    documents.send(new lib.PutCommand({ TableName: name, Item: { pk: `k${at}`, at } }))));
  const found = await documents.send(new lib.ScanCommand({ TableName: name }));
  assert.equal(found.Count, 200);
});
