// admin.cjs GRAMME SCREENSHOT: what a person does with dynamodb-admin, done by a headless Chromium: what the pages show is
// looked at, and what they change is asked of the server through the SDK. The steps build on each other.
"use strict";
const assert = require("node:assert/strict");
const childProcess = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const puppeteer = require("puppeteer-core");
const sdk = require("@aws-sdk/client-dynamodb");

const [gramme, screenshot] = process.argv.slice(2);
const WAIT_MS = 30000;
const SCREENSHOT_MOST = 150 * 1024; // bytes; it is in the README
const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";

// --- the three programs -----------------------------------------------------------------------------------------

// Starts a program and waits for what it says once it listens; answers its process, its log, and its address.
async function start(command, args, ready, environment = {}) {
  const child = childProcess.spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } });
  const program = { child, log: "", ended: new Promise((resolve) => child.once("close", (status) => resolve(status))) };
  program.url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${command} does not listen:\n${program.log}`)), WAIT_MS);
    const read = (text) => {
      program.log += text;
      const found = program.log.match(ready);
      if (found) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", reject);
    program.ended.then((status) => reject(new Error(`${command} ended with ${status}:\n${program.log}`)));
  });
  return program;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gramme-admin-"));
let server, admin, browser, page, client;
const complaints = []; // what the pages' scripts failed at, and did not tell the person

async function open() {
  server = await start(gramme, ["serve", "--data", path.join(folder, "data"), "--listen", "127.0.0.1:0"],
    /listens on (http:\S+?);/);
  const script = path.join(process.env.NODE_PATH, "dynamodb-admin", "dist", "dynamodb-admin.js");
  admin = await start(process.execPath, [script, "--dynamo-endpoint", server.url, "-H", "127.0.0.1", "-p", "0"],
    /listening on (http:\S+)/, { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "us-east-1" });
  client = new sdk.DynamoDBClient({ endpoint: server.url, region: "us-east-1",
    credentials: { accessKeyId: "key", secretAccessKey: "secret" } });
  // Root has no sandbox in Chromium, and a container may have a small /dev/shm.
  browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"],
    userDataDir: path.join(folder, "chromium") });
  page = await browser.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.setViewport({ width: 1180, height: 800 });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => dialog.accept()); // "Are you sure ...?"
}

async function close() {
  await browser?.close();
  admin?.child.kill();
  await admin?.ended;
  server?.child.kill();
  const status = await server?.ended;
  fs.rmSync(folder, { recursive: true, force: true });
  return status;
}

// --- what a person does -----------------------------------------------------------------------------------------

const at = (rest) => `${admin.url}${rest}`;
const go = (rest) => page.goto(at(rest), { waitUntil: "load" });
const texts = (selector) => page.$$eval(selector, (all) => all.map((each) => each.textContent.trim().replace(/\s+/g, " ")));
const editor = async () => JSON.parse(await page.evaluate(() => editor.getValue()));
const error = async () => (await page.waitForSelector("#error-wrapper .alert")).evaluate((each) => each.textContent);

// `action` leads to another page, or to the same one loaded again. (The pages rewrite their own address too, so a change
// of address tells nothing.)
async function leaves(action) {
  await page.evaluate(() => { window.left = false; });
  await action();
  await page.waitForFunction(() => window.left === undefined && document.readyState === "complete");
}

// The rows of a table's page, once they are there: one object of texts for each item.
async function rows() {
  await page.waitForFunction(() => document.querySelector("#table-placeholder").classList.contains("d-none") ||
    document.querySelector("#error-wrapper .alert"));
  return page.evaluate(() => {
    const text = (each) => each.textContent.trim();
    const names = [...document.querySelectorAll("#actions-row th")].map(text);
    return [...document.querySelectorAll("#items-container tr")].map((row) =>
      Object.fromEntries([...row.cells].map((cell, i) => [names[i], text(cell)])));
  });
}

// Fills in the form of a table's page and sends it; `filters` are [attribute, type, operator, value].
async function search(table, operation, filters) {
  await go(`/tables/${table}`);
  await rows();
  await page.select("select[name=operationType]", operation);
  for (const [name, type, operator, value] of filters) {
    const names = await page.$$eval(".filter-row-key", (all) => all.map((each) => each.value));
    let row = names.indexOf(name);
    if (row < 0 && (row = names.indexOf("")) < 0) {
      await page.click("#add-filter");
      row = names.length;
    }
    const field = async (kind) => (await page.$$(`.filter-row-${kind}`))[row];
    if (names[row] !== name) await (await field("key")).type(name);
    await (await field("type")).select(type);
    if (!(await (await field("operator")).evaluate((each) => each.disabled))) await (await field("operator")).select(operator);
    await (await field("value")).type(value);
  }
  await leaves(() => page.click("#form button[type=submit]"));
  return rows();
}

// Puts an item into the editor of an item's page and saves it.
async function save(item) {
  await page.evaluate((text) => editor.setValue(text), JSON.stringify(item));
  await page.click("#saveButton");
}

// While `action` runs, what the page posts to `rest` has numbers where it has their text.
async function numbersOf(rest, action) {
  const mend = (request) => {
    if (request.method() !== "POST" || request.url() !== at(rest)) return request.continue();
    return request.continue({ postData: request.postData().replace(/("\w+CapacityUnits":)"(\d+)"/g, "$1$2") });
  };
  await page.setRequestInterception(true);
  page.on("request", mend);
  await action();
  page.off("request", mend);
  await page.setRequestInterception(false);
}

async function createTable(values) {
  await go("/create-table");
  for (const [name, value] of Object.entries(values))
    if (name.endsWith("Type")) await page.select(`select[name=${name}]`, value);
    else await page.$eval(`input[name=${name}]`, (each, text) => { each.value = text; }, value);
}

// --- the data -----------------------------------------------------------------------------------------------------

const PARTS = ["commutator", "brush", "armature", "ring core", "bearing", "pulley", "field magnet"];
const CUSTOMERS = ["Fontaine", "Zénobe"];

function order(number) {
  const parts = PARTS.slice(number % 4, number % 4 + 1 + number % 3);
  return {
    Customer: { S: CUSTOMERS[number % 2] },
    Placed: { S: `1873-${String(1 + number % 12).padStart(2, "0")}-${String(1 + number % 28).padStart(2, "0")}T09:30:00Z` },
    Total: { N: String(40 + 12.5 * number) },
    Paid: { BOOL: number % 3 !== 0 },
    Parts: { L: parts.map((name) => ({ M: { Name: { S: name }, Count: { N: String(1 + name.length % 3) } } })) },
    ShipTo: { M: { City: { S: number % 2 ? "Paris" : "Wien" }, Street: { S: `Rue ${number}` } } },
  };
}

// Every type, each of the sets too; with a number for its key.
const EVERY_TYPE = {
  Number: { N: "7" }, Text: { S: "Ω, \"quoted\" <b>" }, Empty: { S: "" }, Precise: { N: "0.125" }, Yes: { BOOL: true },
  Nothing: { NULL: true }, Bytes: { B: Buffer.from([0, 1, 254, 255]) }, Texts: { SS: ["a", "b"] }, Numbers: { NS: ["1", "2"] },
  Blobs: { BS: [Buffer.from([9])] }, List: { L: [{ N: "1" }, { S: "two" }, { L: [] }] }, Map: { M: { Deep: { M: {} } } },
};

async function table(name, keys, more = {}) {
  await client.send(new sdk.CreateTableCommand({
    TableName: name, BillingMode: "PAY_PER_REQUEST", ...more,
    KeySchema: keys.map(([key], i) => ({ AttributeName: key, KeyType: ["HASH", "RANGE"][i] })),
    AttributeDefinitions: keys.map(([key, type]) => ({ AttributeName: key, AttributeType: type })),
  }));
  await sdk.waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { TableName: name });
}

const put = (TableName, Item) => client.send(new sdk.PutItemCommand({ TableName, Item }));
const get = async (TableName, Key) => (await client.send(new sdk.GetItemCommand({ TableName, Key }))).Item;
const count = async (TableName) => (await client.send(new sdk.ScanCommand({ TableName, Select: "COUNT" }))).Count;
const describe = async (TableName) => (await client.send(new sdk.DescribeTableCommand({ TableName }))).Table;

// --- the steps ----------------------------------------------------------------------------------------------------

const ORDERS = Array.from({ length: 60 }, (_, number) => order(number));
const ONE = ORDERS[13];
const ONE_KEY = { Customer: ONE.Customer, Placed: ONE.Placed };
const ONE_PAGE = `/tables/Orders/items/${encodeURIComponent(`${ONE.Customer.S},${ONE.Placed.S}`)}`;

const totals = (orders) => orders.map((each) => Number(each.Total.N ?? each.Total));
const sorted = (numbers) => [...numbers].sort((one, other) => one - other);
const placed = (customer) => ORDERS.filter((each) => each.Customer.S === customer)
  .sort((one, other) => (one.Placed.S < other.Placed.S ? -1 : 1));

const steps = {
  async "the list of tables, with how many items each has"() {
    await go("/");
    assert.deepEqual(await texts("#table-list li > a:first-child"), ["Orders", "Types"]);
    assert.deepEqual(await texts("#table-list .badge-secondary"), [String(ORDERS.length), "1"]);
  },

  async "the items of a table, page by page"() {
    const seen = new Set();
    await go("/tables/Orders");
    for (const size of [25, 25, 10]) {
      const found = await rows();
      assert.equal(found.length, size);
      found.forEach((row) => seen.add(`${row.Customer} ${row.Placed}`));
      if (size === 25) await leaves(() => page.click(".page-link-next"));
    }
    assert.equal(seen.size, ORDERS.length);
    assert.ok(await page.$(".page-item-next.disabled"));
  },

  async "a scan filtered by an attribute and by a key"() {
    const found = await search("Orders", "scan", [["Total", "N", ">=", "300"], ["Placed", "S", "begins_with", "1873-1"]]);
    const right = ORDERS.filter((each) => Number(each.Total.N) >= 300 && each.Placed.S.startsWith("1873-1"));
    assert.ok(right.length > 5 && right.length < 25);
    assert.deepEqual(sorted(totals(found)), sorted(totals(right)));
    assert.deepEqual(await search("Orders", "scan", [["Customer", "S", "=", "Nobody"]]), []);
    assert.equal(await page.$eval(".no-results", (each) => each.textContent), "No results");
  },

  async "a query of one customer, in the order of the sort key, beyond a page"() {
    const right = placed("Zénobe");
    const found = await search("Orders", "query", [["Customer", "S", "=", "Zénobe"]]);
    assert.deepEqual(totals(found), totals(right.slice(0, 25)));
    assert.deepEqual(await page.$$eval(".filter-row-key", (all) => all.map((each) => each.value)), ["", "Customer"]);
  },

  async "a query with a condition on the sort key and a filter"() {
    const found = await search("Orders", "query", [["Customer", "S", "=", "Zénobe"],
      ["Placed", "S", "begins_with", "1873-0"], ["Total", "N", "<", "500"]]);
    const right = placed("Zénobe").filter((each) => each.Placed.S < "1873-1" && Number(each.Total.N) < 500);
    assert.ok(right.length > 5 && right.length < 25);
    assert.deepEqual(totals(found), totals(right));
    await page.screenshot({ path: screenshot });
    assert.ok(fs.statSync(screenshot).size < SCREENSHOT_MOST);
  },

  async "a query that the service refuses, in its words"() {
    await search("Orders", "query", [["Customer", "S", "=", "Zénobe"], ["Placed", "N", "=", "1873"]]);
    assert.equal(await error(), "One or more parameter values were invalid: Condition parameter type does not match " +
      "schema type");
  },

  async "one item, found by its key"() {
    await go("/tables/Orders/get");
    await page.type("input[name=hash]", ONE.Customer.S);
    await page.type("input[name=range]", ONE.Placed.S);
    await leaves(() => page.click("#form button[type=submit]"));
    assert.equal(decodeURIComponent(new URL(page.url()).pathname), decodeURIComponent(ONE_PAGE));
    const shown = await editor();
    assert.equal(shown.Total, Number(ONE.Total.N));
    assert.deepEqual(shown.Parts.map((each) => each.Name), ONE.Parts.L.map((each) => each.M.Name.S));
    assert.deepEqual(shown.ShipTo, { City: "Paris", Street: "Rue 13" });
  },

  async "every type on an item's page, of a key that is a number"() {
    await go("/tables/Types");
    const [row] = await rows();
    assert.equal(row.Text, `"${EVERY_TYPE.Text.S}"`);
    await leaves(() => page.click("#items-container a"));
    const shown = await editor();
    for (const [name, right] of Object.entries({ Number: 7, Text: EVERY_TYPE.Text.S, Empty: "", Precise: 0.125, Yes: true,
      Nothing: null, List: [1, "two", []], Map: { Deep: {} } }))
      assert.deepEqual(shown[name], right, name);
    assert.deepEqual(Object.values(shown.Bytes), [...EVERY_TYPE.Bytes.B]);
    assert.deepEqual(Object.keys(shown).sort(), Object.keys(EVERY_TYPE).sort());
  },

  async "an item edited"() {
    await go(ONE_PAGE);
    await save({ ...(await editor()), Total: 99.5, Paid: false, Notes: ["asked twice", { by: "Z. G." }] });
    await page.waitForSelector("#saveButton.btn-success");
    const item = await get("Orders", ONE_KEY);
    assert.deepEqual([item.Total, item.Paid], [{ N: "99.5" }, { BOOL: false }]);
    assert.deepEqual(item.Notes, { L: [{ S: "asked twice" }, { M: { by: { S: "Z. G." } } }] });
    assert.deepEqual([item.Parts, item.ShipTo], [ONE.Parts, ONE.ShipTo]);
  },

  async "an item that the service refuses, in its words"() {
    const before = await get("Orders", ONE_KEY);
    await go(ONE_PAGE);
    await save({ ...(await editor()), Placed: 1873 });
    assert.equal(await error(), "One or more parameter values were invalid: Type mismatch for key Placed expected: S " +
      "actual: N");
    assert.deepEqual(await get("Orders", ONE_KEY), before);
  },

  async "an item deleted"() {
    await go(ONE_PAGE);
    await leaves(() => page.click("main .btn-danger"));
    await rows();
    assert.equal(await get("Orders", ONE_KEY), undefined);
    assert.equal(await page.$eval(".breadcrumb .badge", (each) => each.textContent), String(ORDERS.length - 1));
  },

  async "an item created"() {
    await go("/tables/Types/add-item");
    assert.deepEqual(await editor(), { Number: 0 });
    await leaves(() => save({ Number: -1.5, Text: "new" }));
    assert.ok(page.url().endsWith("/tables/Types/items/-1.5"));
    assert.deepEqual(await editor(), { Number: -1.5, Text: "new" });
    assert.deepEqual(await get("Types", { Number: { N: "-1.5" } }), { Number: { N: "-1.5" }, Text: { S: "new" } });
  },

  async "the description of a table, and what expires"() {
    await go("/tables/Orders/meta");
    const shown = await page.evaluate(() => JSON.parse(editor.getValue()));
    assert.deepEqual(shown, JSON.parse(JSON.stringify(await describe("Orders"))));
    await go("/tables/Orders/ttl");
    assert.deepEqual(await texts("main td"), ["DISABLED", "—"]);
    await go("/tables/Types/ttl");
    assert.deepEqual(await texts("main td"), ["ENABLED", "Expires"]);
  },

  // The form sends its numbers as text (dynamodb-admin's issue 518), which the service refuses for a Long.
  async "a table that the form cannot create on the service either"() {
    await createTable({ TableName: "Made", HashAttributeName: "Id", HashAttributeType: "S" });
    await page.click("#saveButton");
    assert.equal(await error(), "STRING_VALUE cannot be converted to Long");
  },

  async "a table created, where the form's numbers are made into numbers"() {
    await numbersOf("/create-table", async () => {
      await createTable({ TableName: "Made", HashAttributeName: "Id", HashAttributeType: "S", RangeAttributeName: "At",
        RangeAttributeType: "N", ReadCapacityUnits: "7" });
      await leaves(() => page.click("#saveButton"));
      assert.deepEqual(await texts("#table-list li > a:first-child"), ["Made", "Orders", "Types"]);
      const made = await describe("Made");
      assert.deepEqual([made.ProvisionedThroughput.ReadCapacityUnits, made.ProvisionedThroughput.WriteCapacityUnits], [7, 3]);
      assert.deepEqual(made.KeySchema, [{ AttributeName: "Id", KeyType: "HASH" }, { AttributeName: "At", KeyType: "RANGE" }]);
      await createTable({ TableName: "Orders", HashAttributeName: "Id", HashAttributeType: "S" });
      await page.click("#saveButton");
      assert.equal(await error(), "Table already exists: Orders");
    });
  },

  async "a table emptied"() {
    await go("/");
    await leaves(() => page.click("li[data-table-name=Orders] .badge-warning"));
    assert.equal(await count("Orders"), 0);
    assert.equal(await count("Types"), 2);
    assert.equal(await page.$eval("li[data-table-name=Orders] .badge-secondary", (each) => each.textContent.trim()), "0");
  },

  async "a table deleted, and then all"() {
    await sdk.waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { TableName: "Made" });
    await go("/");
    await leaves(() => page.click("li[data-table-name=Made] .badge-danger"));
    await sdk.waitUntilTableNotExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { TableName: "Made" });
    await go("/");
    await leaves(() => page.click("main .btn-danger"));
    for (const name of ["Orders", "Types"])
      await sdk.waitUntilTableNotExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { TableName: name });
    await go("/");
    assert.deepEqual(await texts("#table-list li"), []);
  },

  async "no script of a page has failed"() {
    assert.deepEqual(complaints, []);
  },
};

async function fill() {
  await table("Orders", [["Customer", "S"], ["Placed", "S"]]);
  await table("Types", [["Number", "N"]]);
  await Promise.all(ORDERS.map((item) => put("Orders", item)));
  await put("Types", EVERY_TYPE);
  await client.send(new sdk.UpdateTimeToLiveCommand({ TableName: "Types",
    TimeToLiveSpecification: { Enabled: true, AttributeName: "Expires" } }));
}

async function main() {
  let passed = 0, failed = 0;
  const step = async (name, body) => {
    try {
      await body();
      passed++;
      console.log(`ok - ${name}`);
    } catch (reason) {
      failed++;
      console.log(`not ok - ${name}\n${reason.stack}`);
    }
  };
  try {
    await open();
    await fill();
    for (const [name, body] of Object.entries(steps)) await step(name, body);
  } finally {
    await step("the server ends well", async () => assert.equal(await close(), 0, server?.log));
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = passed > 1 && failed === 0 ? 0 : 1;
  }
}

main().catch((reason) => {
  console.error(reason);
  process.exitCode = 1;
});
