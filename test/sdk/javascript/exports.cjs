// Every operation of exports and recovery through the AWS SDK for JavaScript v3. Run by test_javascript.py with ENDPOINT
// and BUCKET.
"use strict";
const assert = require("node:assert/strict");
const test = require("node:test");
const sdk = require("@aws-sdk/client-dynamodb");
const { client, unseen } = require("./checked_client.cjs");

// --- what tests do

let serial = 0;

async function table() {
  const TableName = `js-exports-${process.pid}-${serial++}`;
  const made = await client.send(new sdk.CreateTableCommand({
    TableName, BillingMode: "PAY_PER_REQUEST", KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
  }));
  await sdk.waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName });
  const recovery = await client.send(new sdk.UpdateContinuousBackupsCommand({
    TableName, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7 },
  }));
  assert.equal(recovery.ContinuousBackupsDescription.PointInTimeRecoveryDescription.RecoveryPeriodInDays, 7);
  await client.send(new sdk.PutItemCommand({ TableName, Item: { pk: { S: "a" }, n: { N: "1" } } }));
  return { TableName, TableArn: made.TableDescription.TableArn };
}

const begin = async (input) =>
  (await client.send(new sdk.ExportTableToPointInTimeCommand({ S3Bucket: process.env.BUCKET, ...input }))).ExportDescription;
const describe = async (ExportArn) => (await client.send(new sdk.DescribeExportCommand({ ExportArn }))).ExportDescription;

async function ended(ExportArn) {
  for (;;) {
    const found = await describe(ExportArn);
    if (found.ExportStatus !== "IN_PROGRESS") return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const REQUIRED = ["ClientToken", "ExportArn", "ExportFormat", "ExportStatus", "ExportTime", "S3Bucket", "S3SseAlgorithm",
  "StartTime", "TableArn", "TableId"];
const names = (description) => Object.keys(description).filter((name) => description[name] !== undefined).sort();

test("a full export from its call to its list", async () => {
  const { TableArn } = await table();
  const made = await begin({ TableArn });
  assert.deepEqual(names(made), REQUIRED);
  assert.match(made.ClientToken, /^[0-9a-f-]{36}$/); // the SDK's own
  assert.ok(made.StartTime instanceof Date && made.ExportTime instanceof Date);
  const done = await ended(made.ExportArn);
  assert.equal(done.ExportStatus, "COMPLETED", done.FailureMessage);
  assert.deepEqual(names(done), [...REQUIRED, "BilledSizeBytes", "EndTime", "ExportManifest", "ItemCount"].sort());
  assert.equal(done.ItemCount, 1);
  assert.equal(done.BilledSizeBytes, 6); // "pk" + "a" + "n" + a number of one digit
  assert.equal(done.ExportTime.getTime(), done.StartTime.getTime());
  assert.deepEqual(await describe(made.ExportArn), done);
});

test("every member of a request is echoed", async () => {
  const { TableArn } = await table();
  const sent = {
    TableArn, ExportTime: new Date(), S3BucketOwner: "111122223333", S3Prefix: "a/b", S3SseAlgorithm: "KMS",
    S3SseKmsKeyId: "alias/key", ExportFormat: "DYNAMODB_JSON", ExportType: "FULL_EXPORT", ClientToken: `t${process.pid}`,
  };
  sent.ExportTime.setMilliseconds(0);
  await new Promise((resolve) => setTimeout(resolve, 1001 - (Date.now() - sent.ExportTime.getTime())));
  const made = await begin(sent);
  for (const [name, value] of Object.entries(sent)) assert.deepEqual(made[name], value, name);
  const failed = await ended(made.ExportArn); // a folder has no KMS
  assert.deepEqual(names(failed), [...names(made), "FailureCode", "FailureMessage"].sort());
  for (const [name, value] of Object.entries(sent)) assert.deepEqual(failed[name], value, name);
});

test("a failure", async () => {
  const { TableArn } = await table();
  const failed = await ended((await begin({ TableArn, S3Bucket: "nobody-made-it" })).ExportArn);
  assert.deepEqual(names(failed), [...REQUIRED, "FailureCode", "FailureMessage"].sort());
  assert.equal(failed.FailureCode, "S3NoSuchBucket");
});

test("pages of exports", async () => {
  const { TableArn } = await table();
  const made = [];
  for (let at = 0; at < 12; at++) made.push((await begin({ TableArn })).ExportArn);
  const found = [];
  let pages = 0;
  for await (const page of sdk.paginateListExports({ client, pageSize: 5 }, { TableArn })) {
    found.push(...page.ExportSummaries);
    pages++;
  }
  assert.equal(pages, 3);
  assert.deepEqual(found.map((each) => each.ExportArn), made.sort().reverse());
  assert.ok(found.every((each) => each.ExportType === "FULL_EXPORT"));
  const first = await client.send(new sdk.ListExportsCommand({ TableArn }));
  assert.equal(first.ExportSummaries.length, 10);
  assert.match(first.NextToken, /^([0-9a-f]{16})+$/);
  await Promise.all(made.map(ended));
});

test("refusals are the SDK's classes", async () => {
  const { TableName, TableArn } = await table();
  const made = await begin({ TableArn, ClientToken: "js-conflict" });
  const cases = [
    [() => begin({ TableArn, ClientToken: "js-conflict", S3Prefix: "p" }), sdk.ExportConflictException],
    [() => begin({ TableArn: TableArn.replace(TableName, "nothing-here") }), sdk.TableNotFoundException],
    [() => begin({ TableArn, ExportTime: new Date(Date.now() + 60000) }), sdk.InvalidExportTimeException],
    [() => describe(`${TableArn}/export/01760000000123-0a1b2c3d`), sdk.ExportNotFoundException],
  ];
  for (const [call, kind] of cases) await assert.rejects(call, kind);
  await assert.rejects(begin({ TableArn, ExportFormat: "CSV" }), { name: "ValidationException" });
  await assert.rejects(describe(TableArn.replace("000000000000", "111111111111") + "/export/01760000000123-0a1b2c3d"),
    { name: "AccessDeniedException" });
  await ended(made.ExportArn);
  await client.send(new sdk.UpdateContinuousBackupsCommand({
    TableName, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
  }));
  await assert.rejects(begin({ TableArn }), sdk.PointInTimeRecoveryUnavailableException);
  await assert.rejects(client.send(new sdk.DescribeContinuousBackupsCommand({ TableName: "nothing-here" })),
    sdk.TableNotFoundException);
});

test("no member was left out", () => {
  assert.deepEqual(unseen("ExportDescription"), ["IncrementalExportSpecification"]);
});
