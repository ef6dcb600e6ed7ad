// A client whose every answer is checked as it came over the wire against the schemas that the SDK itself carries: no member
// that it does not know, none of another type, no null.
"use strict";
const assert = require("node:assert/strict");
const { Readable } = require("node:stream");
const { NormalizedSchema } = require("@smithy/core/schema");
const sdk = require("@aws-sdk/client-dynamodb");

// Enums are plain strings in the schemas, and are told by these objects.
const ENUMS = {
  ExportStatus: sdk.ExportStatus, ExportFormat: sdk.ExportFormat, ExportType: sdk.ExportType,
  ExportViewType: sdk.ExportViewType, S3SseAlgorithm: sdk.S3SseAlgorithm,
  ContinuousBackupsStatus: sdk.ContinuousBackupsStatus, PointInTimeRecoveryStatus: sdk.PointInTimeRecoveryStatus,
};
const membersSeen = new Set();

function check(schema, value, path) {
  assert.ok(value !== null && value !== undefined, `${path} is ${value}`);
  if (schema.isStructSchema()) {
    const members = Object.fromEntries(schema.structIterator());
    assert.equal(Object.prototype.toString.call(value), "[object Object]", path);
    for (const [name, inner] of Object.entries(value)) {
      assert.ok(name in members, `${path}.${name} is unknown to the SDK`);
      membersSeen.add(name);
      check(members[name], inner, `${path}.${name}`);
    }
  } else if (schema.isListSchema()) {
    assert.ok(Array.isArray(value), path);
    value.forEach((each, at) => check(schema.getValueSchema(), each, `${path}[${at}]`));
  } else if (schema.isTimestampSchema() || schema.isNumericSchema()) {
    assert.equal(typeof value, "number", path);
    assert.ok(schema.isTimestampSchema() || Number.isSafeInteger(value), path);
  } else if (schema.isBooleanSchema()) {
    assert.equal(typeof value, "boolean", path);
  } else {
    assert.ok(schema.isStringSchema(), `${path}: a type that this test does not know`);
    assert.equal(typeof value, "string", path);
    const values = ENUMS[path.split(".").at(-1)];
    if (values) assert.ok(Object.values(values).includes(value), `${path} is ${value}`);
  }
}

async function bytes(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

// Outermost of the steps that take an answer apart, so it sees the answer as it came.
const watch = (next, context) => async (args) => {
  const result = await next(args);
  const body = await bytes(result.response.body);
  const name = context.commandName.replace(/Command$/, "");
  if (result.response.statusCode === 200) {
    check(NormalizedSchema.of(sdk[`${name}Output$`]), JSON.parse(body), name);
  } else {
    const error = JSON.parse(body).__type.split("#")[1];
    assert.ok(typeof sdk[error] === "function" || error === "ValidationException" || error === "AccessDeniedException",
      `${error} is no class of the SDK`);
  }
  result.response.body = Readable.from(body);
  return result;
};

const client = new sdk.DynamoDBClient({
  endpoint: process.env.ENDPOINT,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
});
client.middlewareStack.add(watch, { step: "deserialize", priority: "low", name: "watch" });

// The members of a shape that no answer has had so far.
const unseen = (name) => [...NormalizedSchema.of(sdk[`${name}$`]).structIterator()].map(([member]) => member)
  .filter((member) => !membersSeen.has(member));

module.exports = { client, unseen };
