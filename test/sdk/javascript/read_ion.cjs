// Ion text on standard input, read by ion-js: each value at the top as a line of JSON, a struct as {name: {"S": ...}}.
"use strict";
const fs = require("node:fs");
const ion = require("ion-js");

const reader = ion.makeReader(fs.readFileSync(0, "utf8"));

function list() {
  const all = [];
  reader.stepIn();
  for (let type = reader.next(); type !== null; type = reader.next()) all.push(attribute(type));
  reader.stepOut();
  return all;
}

function struct() {
  const all = {};
  reader.stepIn();
  for (let type = reader.next(); type !== null; type = reader.next()) {
    const name = reader.fieldName();
    if (Object.hasOwn(all, name)) throw new Error(`${name} is there twice`);
    Object.defineProperty(all, name, { value: attribute(type), enumerable: true });
  }
  reader.stepOut();
  return all;
}

function attribute(type) {
  const annotations = reader.annotations();
  if (annotations.length > 1 || (annotations.length === 1 && type.name !== "list")) throw new Error(annotations.join());
  if (reader.isNull()) {
    if (type.name !== "null") throw new Error(`a null ${type.name}`);
    return { NULL: true };
  }
  switch (type.name) {
    case "string": return { S: reader.stringValue() };
    case "decimal": return { N: String(reader.decimalValue()) };
    case "blob": return { B: Buffer.from(reader.uInt8ArrayValue()).toString("base64") };
    case "bool": return { BOOL: reader.booleanValue() };
    case "struct": return { M: struct() };
    case "list":
      if (annotations.length === 0) return { L: list() };
      return { [annotations[0].replace("$dynamodb_", "")]: list().map((member) => Object.values(member)[0]) };
    default: throw new Error(`a ${type.name}`);
  }
}

for (let type = reader.next(); type !== null; type = reader.next()) {
  if (type.name !== "struct") throw new Error(`a ${type.name} at the top`);
  process.stdout.write(`${JSON.stringify(struct())}\n`);
}
