// Incremental exports through the AWS SDK for JavaScript v3. Run by test_javascript.py with ENDPOINT, BUCKET, TABLE_ARN and
// SINCE, on a server whose clock is an hour behind a write to that table.
"use strict";
const assert = require("node:assert/strict");
const test = require("node:test");
const sdk = require("@aws-sdk/client-dynamodb");
const { client, unseen } = require("./checked_client.cjs");

const from = new Date(Number(process.env.SINCE) * 1000);
const to = new Date(from.getTime() + 15 * 60 * 1000);

async function exported(IncrementalExportSpecification, more = {}) {
  const made = await client.send(new sdk.ExportTableToPointInTimeCommand({
    TableArn: process.env.TABLE_ARN, S3Bucket: process.env.BUCKET, ExportType: "INCREMENTAL_EXPORT",
    IncrementalExportSpecification, ...more,
  }));
  for (;;) {
    const found = await client.send(new sdk.DescribeExportCommand({ ExportArn: made.ExportDescription.ExportArn }));
    if (found.ExportDescription.ExportStatus !== "IN_PROGRESS") return found.ExportDescription;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("a window is echoed, and resolved where it was not sent", async () => {
  for (const ExportViewType of ["NEW_IMAGE", "NEW_AND_OLD_IMAGES"])
    for (const ExportFormat of ["DYNAMODB_JSON", "ION"]) {
      const sent = { ExportFromTime: from, ExportToTime: to, ExportViewType };
      const done = await exported(sent, { ExportFormat });
      assert.equal(done.ExportStatus, "COMPLETED", done.FailureMessage);
      assert.deepEqual(done.IncrementalExportSpecification, sent);
      assert.equal(done.ExportTime, undefined);
      assert.deepEqual([done.ExportType, done.ExportFormat, done.ItemCount, done.BilledSizeBytes],
        ["INCREMENTAL_EXPORT", ExportFormat, 1, 10000000]);
    }
  const done = await exported({ ExportFromTime: from });
  assert.equal(done.IncrementalExportSpecification.ExportViewType, "NEW_AND_OLD_IMAGES");
  assert.equal(done.IncrementalExportSpecification.ExportToTime.getTime(), done.StartTime.getTime());
});

test("lists tell the type", async () => {
  const { ExportSummaries } = await client.send(new sdk.ListExportsCommand({ TableArn: process.env.TABLE_ARN }));
  assert.deepEqual(ExportSummaries.map((each) => each.ExportType), Array(5).fill("INCREMENTAL_EXPORT"));
});

test("refusals are the SDK's classes", async () => {
  await assert.rejects(exported({ ExportFromTime: from, ExportToTime: new Date(from.getTime() + 60000) }),
    sdk.InvalidExportTimeException);
  await assert.rejects(exported({}), { name: "ValidationException" });
});

test("no member was left out", () => {
  assert.deepEqual(unseen("IncrementalExportSpecification"), []);
});
