#!/usr/bin/env python3
"""Measures gramme beside the limits of its parts, in the same run: see README.md."""

import argparse
import atexit
import contextlib
import datetime
import glob
import hashlib
import hmac
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # what the limit programs know
REGION, HOST = "us-east-1", "localhost:8000"
SIGNED = "content-type;host;x-amz-date;x-amz-target"
TABLE = "Users"
REQUESTS = 20000


# --- requests


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def signed(operation, body, when, key):
    """One HTTP request with the headers of an SDK, as bytes."""
    scope = f"{when[:8]}/{REGION}/dynamodb/aws4_request"
    canonical = (f"POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:{HOST}\nx-amz-date:{when}\n"
                 f"x-amz-target:DynamoDB_20120810.{operation}\n\n{SIGNED}\n{sha256(body)}")
    text = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{sha256(canonical.encode())}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return (f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Target: DynamoDB_20120810.{operation}\r\nX-Amz-Date: {when}\r\nAccept-Encoding: identity\r\n"
            "User-Agent: Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.4 "
            "md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.0\r\n"
            "amz-sdk-invocation-id: 2a1f0f1e-8d7a-4d2d-9f0a-0b8f5a1c2d3e\r\namz-sdk-request: attempt=1; max=5\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={SIGNED}, "
            f"Signature={signature}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def item_text(at, size):
    head = ('{"pk":{"S":"user#%06d"},"age":{"N":"42"},"active":{"BOOL":true},"tags":{"SS":["red","green","blue"]},'
            '"address":{"M":{"street":{"S":"1 Main St"},"zip":{"S":"12345"},"geo":{"L":[{"N":"12.5"},{"N":"-7.25"}]}}},'
            '"note":{"S":"' % at)
    return head + "n" * (size - len(head) - 3) + '"}}'


def put_body(at):
    """A PutItem of 1,024 bytes."""
    head = '{"TableName":"%s","Item":' % TABLE
    return (head + item_text(at, 1023 - len(head)) + "}").encode()


def get_body(at):
    return ('{"TableName":"%s","Key":{"pk":{"S":"user#%06d"}}}' % (TABLE, at)).encode()


BATCH = 25  # items of a BatchWriteItem
TRANSACTION = 10  # items of a transaction


def batch_body(at):
    """A BatchWriteItem of items of 1 KB."""
    puts = ('{"PutRequest":{"Item":%s}}' % item_text(key, 1000) for key in range(at * BATCH, (at + 1) * BATCH))
    return ('{"RequestItems":{"%s":[%s]}}' % (TABLE, ",".join(puts))).encode()


def transaction(kind, member_of):
    """What makes the body of a transaction: `member_of(key)` for each of its items."""
    def body(at):
        items = ('{"%s":{"TableName":"%s",%s}}' % (kind, TABLE, member_of(key))
                 for key in range(at * TRANSACTION, (at + 1) * TRANSACTION))
        return ('{"TransactItems":[%s]}' % ",".join(items)).encode()
    return body


transact_put_body = transaction("Put", lambda key: '"Item":' + item_text(key, 1000))
transact_get_body = transaction("Get", lambda key: '"Key":{"pk":{"S":"user#%06d"}}' % key)


def indexed_body(at):
    """A PutItem of 1,024 bytes whose entry in an index on `group` is another one than the key's last."""
    key = at % (REQUESTS // 2)
    return (put_body(key).replace(b'"age":{"N":"42"}', b'"age":{"N":"%02d"}' % (42 + at // (REQUESTS // 2)))
            .replace(b'{"street":{"S":"1 Main St"},"zip":{"S":"12345"}', b'{"zip":{"S":"12345"}')
            .replace(b'"active"', b'"group":{"S":"g%04d"},"active"' % (key % 1000)))


def condition_body(at):
    """The same PutItem under an ordinary condition, which holds."""
    return put_body(at)[:-1] + (b',"ConditionExpression":"attribute_not_exists(gone) AND #a BETWEEN :low AND :high",'
                                b'"ExpressionAttributeNames":{"#a":"age"},'
                                b'"ExpressionAttributeValues":{":low":{"N":"1"},":high":{"N":"1000000000"}}}')


def update_body(at):
    """An UpdateItem of an item of 1 KB."""
    return ('{"TableName":"%s","Key":{"pk":{"S":"user#%06d"}},"UpdateExpression":"SET active = :yes '
            'ADD age :one, tags :tags","ExpressionAttributeValues":{":one":{"N":"1"},":yes":{"BOOL":true},":tags":{"SS":'
            '["green"]}}}' % (TABLE, at)).encode()


def write_requests(path, operation, body_of, count=REQUESTS):
    """A file for signed.lua; signatures hold for 15 minutes, so it is written anew for each run."""
    when = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    key = ("AWS4" + SECRET).encode()
    for part in (when[:8], REGION, "dynamodb", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    with open(path, "wb") as file:
        for at in range(count):
            request = signed(operation, body_of(at), when, key)
            file.write(b"%d\n%s" % (len(request), request))


# --- servers


class Process:
    """A server under test, ours or a limit."""

    def __init__(self, command, url, environment=None, log=None):
        self.url = url
        atexit.register(self.stop)
        self.output = open(log, "wb") if log else subprocess.DEVNULL
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
                                        env={**os.environ, **(environment or {})})

    def wait_until_up(self):
        """Answers the seconds from the start to the first answer."""
        while True:
            try:
                urllib.request.urlopen(self.url, timeout=5).close()
            except (urllib.error.HTTPError, ConnectionResetError):
                pass  # an answer; the limits hang up on what is not signed
            except OSError:
                if self.process.poll() is not None or time.monotonic() > self.began + 60:
                    raise SystemExit(f"{self.process.args[0]} did not start") from None
                time.sleep(0.002)
                continue
            return time.monotonic() - self.began

    def cpu_seconds(self):
        return time.clock_gettime(~self.process.pid << 3 | 2)  # as clock_getcpuclockid(3) names the clock: /proc has ticks

    def memory_mb(self, what="VmHWM"):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) / 1024

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def gramme(arguments, folder, *options, environment=None):
    port = free_port()
    file = folder / "credentials"
    file.write_text(f"[bench]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    file.chmod(0o600)
    (folder / "buckets" / "bench").mkdir(parents=True, exist_ok=True)
    store = () if "--s3-endpoint" in options else ("--buckets", str(folder / "buckets"))
    return Process([str(arguments.gramme), "serve", "--data", str(folder / "data"), "--listen", f"127.0.0.1:{port}",
                    *store, *options], f"http://127.0.0.1:{port}/", environment, log=folder / "log")


def with_credentials(folder):
    return "--credentials", str(folder / "credentials")


def headers_of(operation):
    """Of an unsigned call; for servers without credentials."""
    return {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/{REGION}/dynamodb/aws4_request, "
                             "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64}


def call(url, operation, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), headers_of(operation))
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{operation}: {error.read().decode()}") from None


def index_on(attribute):
    return {"IndexName": "by-" + attribute, "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}}


def create_table(url, name, recovery, sort=False, index=None, more=()):
    """`index`: an attribute of type S that has a global index; `more`: other members."""
    keys = [("pk", "HASH", "S"), ("sk", "RANGE", "N")][:1 + sort]
    attributes = [(key, type_) for key, _, type_ in keys] + ([(index, "S")] if index else [])
    made = call(url, "CreateTable", {
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind, _ in keys],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": type_} for key, type_ in attributes],
        **({"GlobalSecondaryIndexes": [index_on(index)]} if index else {}), **dict(more)})
    while call(url, "DescribeTable", {"TableName": name})["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.01)
    if recovery:
        call(url, "UpdateContinuousBackups", {
            "TableName": name, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}})
    return made["TableDescription"]["TableArn"]


def metrics(url, *names):
    """Figures of one moment."""
    with urllib.request.urlopen(url + "metrics", timeout=60) as reply:
        text = reply.read().decode()
    found = [re.search(rf"^{name} (\d+)", text, re.M) for name in names]
    return [int(each[1]) if each else 0 for each in found]


def metric(url, name):
    return metrics(url, name)[0]


# --- load


def milliseconds(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def wrk(server, file, connections, seconds, pause_ms=0):
    """One run; answers a dict of figures. Each connection rests for `pause_ms` before its next request."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", HERE / "signed.lua", server.url,
               "--", file, pause_ms]
    cpu = server.cpu_seconds()
    out = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True,
                         timeout=seconds + 30).stdout
    requests = int(re.search(r"(\d+) requests in", out)[1])
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), "requests": requests,
            "cpu_us": (server.cpu_seconds() - cpu) / requests * 1e6,
            "p50": milliseconds(re.search(r"^ +50% +(\S+)", out, re.M)[1]),
            "p99": milliseconds(re.search(r"^ +99% +(\S+)", out, re.M)[1]),
            "wrong": int(wrong[1]) if wrong else 0}


def median(runs, name):
    return statistics.median(run[name] for run in runs)


def row(name, runs, extra=""):
    print(f"  {name:<12} {median(runs, 'rate'):>9,.0f}/s  CPU {median(runs, 'cpu_us'):6.1f} us  "
          f"p50 {median(runs, 'p50'):6.2f}  p99 {median(runs, 'p99'):6.2f} ms  "
          f"errors {sum(run['wrong'] for run in runs)}{extra}", flush=True)


def compare(title, limit, ours, file, connections, arguments):
    """Interleaved runs of both on the same requests; medians and their ratio."""
    print(f"{title}, {connections} connections, {arguments.loops} loops")
    runs = {"limit": [], "gramme": []}
    groups = 0
    for each in range(arguments.rounds + 1):
        for name, server, requests in (("limit", limit, file[0]), ("gramme", ours, file[1])):
            before = metric(ours.url, "gramme_commit_groups_total")
            found = wrk(server, requests, connections, arguments.seconds if each else 1)
            if each:  # the first of each only warms up
                runs[name].append(found)
                groups += metric(ours.url, "gramme_commit_groups_total") - before if name == "gramme" else 0
    puts = sum(run["requests"] for run in runs["gramme"])
    row("limit", runs["limit"])
    row("gramme", runs["gramme"], f"  {puts / groups:.0f} requests a sync" if groups else "")
    ratio = {name: median(runs["gramme"], name) / median(runs["limit"], name) for name in ("rate", "cpu_us", "p99")}
    print(f"  ratio        rate {ratio['rate']:.0%}, CPU {ratio['cpu_us']:.2f}x, p99 {ratio['p99']:.2f}x", flush=True)


def requests(arguments, folder):
    """GetItem beside srv_echo, PutItem with recovery on beside srv_put KEYS=2."""
    puts, gets = folder / "puts", folder / "gets"
    write_requests(puts, "PutItem", put_body)
    write_requests(gets, "GetItem", get_body)
    beside_limits(arguments, folder, (("GetItem beside srv_echo", "echo", puts, gets),
                                      ("PutItem beside srv_put KEYS=2", "put", puts, puts)))


def updates(arguments, folder):
    """PutItem without and with a condition, and UpdateItem, beside srv_put KEYS=2."""
    puts, conditions, changes = folder / "puts", folder / "conditions", folder / "changes"
    write_requests(puts, "PutItem", put_body)
    write_requests(conditions, "PutItem", condition_body)
    write_requests(changes, "UpdateItem", update_body)
    beside_limits(arguments, folder, (("PutItem beside srv_put KEYS=2", "put", puts, puts),
                                      ("PutItem with a condition beside srv_put KEYS=2", "put", puts, conditions),
                                      ("UpdateItem beside srv_put KEYS=2", "put", puts, changes)))


def indexed(arguments, folder):
    """PutItem with recovery on into a table with a global index, whose entry changes, beside srv_put KEYS=3."""
    puts, indexed_puts = folder / "puts", folder / "indexed"
    write_requests(puts, "PutItem", put_body)
    write_requests(indexed_puts, "PutItem", indexed_body)
    beside_limits(arguments, folder, (("PutItem with an index beside srv_put KEYS=3", "put", puts, indexed_puts),),
                  index="group", keys="3")


QUERY_ITEMS = 100_000
QUERY_CACHES = (("tables in the cache", "512M", 320), ("tables larger than the cache", "64M", 40))  # --memory; its MB
SCAN_ITEMS = 200_000
PAGE_TABLE = "Pages"
PAGE_ORDER = random.Random(1).choices(range(QUERY_ITEMS // 10), k=REQUESTS)  # as the limit's scans: a cache that is too
# small keeps nothing of what is read in turns


def query_body(at):
    """Of the ten items of a partition."""
    return ('{"TableName":"%s","KeyConditionExpression":"pk = :pk","ExpressionAttributeValues":{":pk":{"S":"k%d"}}}'
            % (PAGE_TABLE, PAGE_ORDER[at])).encode()


def filled_with_pages(arguments, folder, items, *options, more=()):
    """A server with partitions of 10 items, started anew once they are there."""
    server = gramme(arguments, folder, "--loops", str(arguments.loops))
    server.wait_until_up()
    create_table(server.url, PAGE_TABLE, False, sort=True, more=more)
    fill(server, PAGE_TABLE, items, each=10)
    settle(server)
    server.stop()
    server = gramme(arguments, folder, "--loops", str(arguments.loops), *options)
    server.wait_until_up()
    return server


def query(arguments, folder):
    """Query of 10 items of 1 KB beside srv_echo and a scan of 10 by the engine alone, which has as large a cache: five
    eighths of what `--memory` gives."""
    puts, queries, port = folder / "puts", folder / "queries", str(free_port())
    filled_with_pages(arguments, folder, QUERY_ITEMS).stop()
    echo = Process([arguments.limits / "srv_echo", port, str(arguments.loops)], f"http://127.0.0.1:{port}/")
    try:
        echo.wait_until_up()
        for title, memory, cache_mb in QUERY_CACHES:
            server = gramme(arguments, folder, "--loops", str(arguments.loops), "--memory", memory,
                            *with_credentials(folder))
            server.wait_until_up()
            for connections in arguments.connections:
                write_requests(puts, "PutItem", put_body)
                write_requests(queries, "Query", query_body)
                compare(f"Query of 10 beside srv_echo, {title}", echo, server, (puts, queries), connections, arguments)
            server.stop()
            out = subprocess.run([arguments.limits / "bench_rocksdb", folder / "limit", str(QUERY_ITEMS), "ls"],
                                 capture_output=True, text=True, check=True,
                                 env={**os.environ, "RDB_CACHE": str(cache_mb)}).stdout
            print("limit: " + re.search(r"scan of 10.*", out)[0])
            shutil.rmtree(folder / "limit")
    finally:
        echo.stop()


def index_query_body(at):
    """Of the same ten items, in an index."""
    return query_body(at).replace(b'{"TableName"', b'{"IndexName":"bySerial","TableName"')


def index_query(arguments, folder):
    """Query of 10 items of 1 KB on a global index with all of them, beside the same on the table."""
    names = (("pk", "HASH", "S"), ("serial", "RANGE", "N"))
    server = filled_with_pages(arguments, folder, QUERY_ITEMS, *with_credentials(folder), more={
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": type_}
                                 for name, _, type_ in (*names, ("sk", "", "N"))],
        "GlobalSecondaryIndexes": [{
            "IndexName": "bySerial", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind, _ in names]}]})
    files = folder / "table", folder / "index"
    try:
        for connections in arguments.connections:
            for file, body_of in zip(files, (query_body, index_query_body)):
                write_requests(file, "Query", body_of)
            compare("Query of 10 of an index beside the table's (limit)", server, server, files, connections, arguments)
    finally:
        server.stop()


def scan(arguments, folder):
    """A full Scan through one client, a page after the other."""
    server = filled_with_pages(arguments, folder, SCAN_ITEMS)
    try:
        for _ in range(arguments.rounds):
            scan_once(server)
    finally:
        server.stop()


def scan_once(server):
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rstrip("/").rsplit(":", 1)[1]), timeout=60)
    headers, start, items, size = headers_of("Scan"), b"", 0, 0
    began, cpu = time.monotonic(), server.cpu_seconds()
    while True:
        connection.request("POST", "/", b'{"TableName":"%s"%s}' % (PAGE_TABLE.encode(), start), headers)
        page = connection.getresponse().read()
        size += len(page)
        count, last = re.search(rb'"Count":(\d+),"ScannedCount":\d+(?:,"LastEvaluatedKey":({.*}))?}$', page).groups()
        items += int(count)
        if last is None:
            break
        start = b',"ExclusiveStartKey":' + last
    cpu, seconds = server.cpu_seconds() - cpu, time.monotonic() - began
    print(f"  {items:,} items, {size / 1e6:.0f} MB of JSON: CPU {cpu:.2f} s, {seconds:.2f} s", flush=True)


def beside_limits(arguments, folder, pairs, index=None, keys="2"):
    """Each of (title, limit, its requests, ours), on a table that has all items."""
    puts = folder / "puts"
    options = ["--loops", str(arguments.loops)]
    server = gramme(arguments, folder, *options)
    server.wait_until_up()
    create_table(server.url, TABLE, True, index=index)
    server.stop()
    server = gramme(arguments, folder, *options, *with_credentials(folder))
    server.wait_until_up()
    loops = str(arguments.loops)
    ports = [str(free_port()), str(free_port())]
    echo = Process([arguments.limits / "srv_echo", ports[0], loops], f"http://127.0.0.1:{ports[0]}/")
    database = folder / "limit"
    database.mkdir()
    put = Process([arguments.limits / "srv_put", ports[1], loops, database], f"http://127.0.0.1:{ports[1]}/",
                  {"KEYS": keys})
    try:
        echo.wait_until_up()
        put.wait_until_up()
        wrk(server, pairs[0][3] if index else puts, 32, 2)  # the items that others find
        for title, limit, theirs, ours in pairs:
            for connections in arguments.connections:
                compare(title, {"echo": echo, "put": put}[limit], server, (theirs, ours), connections, arguments)
        print(f"  memory of gramme at most {server.memory_mb():.0f} MB")
    finally:
        for each in (echo, put, server):
            each.stop()


def batches(arguments, folder):
    """Several items in one request, beside srv_echo with the same requests and what the engine takes for as many keys:
    twice that and echo is the goal. A write's keys are items and log records, of which srv_put takes as many; what
    its requests cost is taken off."""
    loops = str(arguments.loops)
    server = gramme(arguments, folder, "--loops", loops)
    server.wait_until_up()
    create_table(server.url, TABLE, True)
    server.stop()
    servers = {"gramme": gramme(arguments, folder, "--loops", loops, *with_credentials(folder))}
    for name, items in (("echo", 0), ("batch", BATCH), ("transaction", TRANSACTION)):
        port, database = str(free_port()), folder / f"limit-{name}"
        command = [arguments.limits / ("srv_put" if items else "srv_echo"), port, loops]
        servers[name] = Process([*command, database] if items else command, f"http://127.0.0.1:{port}/",
                                {"KEYS": str(items * 2)})
    try:
        for each in servers.values():
            each.wait_until_up()
        for connections in arguments.connections:
            compare_batches(arguments, folder, servers, connections)
    finally:
        for each in servers.values():
            each.stop()
    out = subprocess.run([arguments.limits / "bench_rocksdb", folder / "limit", str(REQUESTS), "lg"],
                         capture_output=True, text=True, check=True).stdout
    print("limit: " + re.search(r"random get \(2nd\).*", out)[0])


def compare_batches(arguments, folder, servers, connections):
    puts = folder / "puts"
    write_requests(puts, "PutItem", put_body)
    wanted = {"PutItem": [("echo", puts), ("batch", puts), ("transaction", puts)]}
    for operation, body_of, items in (("BatchWriteItem", batch_body, BATCH),
                                      ("TransactWriteItems", transact_put_body, TRANSACTION),
                                      ("TransactGetItems", transact_get_body, TRANSACTION)):
        file = folder / operation
        write_requests(file, operation, body_of, REQUESTS // items)
        wanted[operation] = [("echo", file), ("gramme", file)]
    wrk(servers["gramme"], folder / "BatchWriteItem", 32, 2)  # the items that others find
    runs = {(operation, name): [] for operation, rows in wanted.items() for name, _ in rows}
    for _ in range(arguments.rounds):
        for operation, rows in wanted.items():
            for name, file in rows:
                runs[operation, name].append(wrk(servers[name], file, connections, arguments.seconds))
    base = median(runs["PutItem", "echo"], "cpu_us")
    for operation, limit, items in (("BatchWriteItem", "batch", BATCH),
                                    ("TransactWriteItems", "transaction", TRANSACTION),
                                    ("TransactGetItems", None, TRANSACTION)):
        print(f"{operation} of {items}, {connections} connections, {arguments.loops} loops")
        for name in ("echo", "gramme"):
            row(name, runs[operation, name])
        if limit:
            engine = median(runs["PutItem", limit], "cpu_us") - base
            print(f"  engine       CPU {engine:.1f} us for {items * 2} keys; "
                  f"echo + 2 x engine: {median(runs[operation, 'echo'], 'cpu_us') + 2 * engine:.1f} us", flush=True)


def corpus():
    """A text of words that are as unevenly used as those of a language: pieces of it compress about as the texts of
    real items do."""
    chance = random.Random(7)
    syllables = ("an be cor del en fi gar hol in jo ka lo mer nu or pa qui ra so ter un ver wa xi yo zen sta bri con "
                 "pro tion ing").split()
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(4096)]
    weights = [1 / (10 + at) for at in range(4096)]
    return " ".join(chance.choices(words, weights, k=400_000))


def fill_part(url, name, first, last, step, each, turn, anew):
    """Puts items k<first> to k<last>, by step, each of about 1,000 bytes of JSON; `each`: so many under one partition
    key, with sort keys from 0; 0: the table has no sort key. `turn` is in one number of each item, and decides its
    texts if they are to be `anew`."""
    host, port = url.split("//")[1].rstrip("/").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    text = corpus()
    headers = headers_of("BatchWriteItem")
    for start in range(first, last, 25 * step):
        items = []
        for key in range(start, min(start + 25 * step, last), step):
            at = (key * 1_299_709 + turn * anew * 15_485_863) % (len(text) - 2000)
            place = '"pk":{"S":"k%d"},"sk":{"N":"%d"}' % divmod(key, each) if each else '"pk":{"S":"k%d"}' % key
            items.append('{"PutRequest":{"Item":{%s,"serial":{"N":"%d"},"active":{"BOOL":true},"tags":{"SS":'
                         '["%s","x%s"]},"place":{"M":{"street":{"S":"%s"},"zip":{"S":"%05d"}}},"note":{"S":"%s"}}}}'
                         % (place, key * 10 + turn, text[at:at + 8], text[at + 9:at + 17], text[at + 20:at + 35], key % 99999,
                            text[at + 40:at + 780]))
        connection.request("POST", "/", '{"RequestItems":{"%s":[%s]}}' % (name, ",".join(items)), headers)
        reply = connection.getresponse()
        body = reply.read()
        if reply.status != 200 or b'"UnprocessedItems":{}' not in body:
            raise SystemExit(f"fill: {reply.status} {body[:500]}")


def fill(server, name, last, step=1, each=0, turn=0, anew=False):
    """Items k0, by step, below `last`, from several processes; answers how many items there are then. `each`, `turn`
    and `anew` as of fill_part()."""
    parts = 4
    size = -(-last // parts // step) * step
    with multiprocessing.Pool(parts) as pool:
        pool.starmap(fill_part, [(server.url, name, at * size, min(last, (at + 1) * size), step, each, turn, anew)
                                 for at in range(parts)])
    return call(server.url, "DescribeTable", {"TableName": name})["Table"]["ItemCount"]


def export(arguments, folder):
    """Full exports of an instant since which 1 % of the items have changed, beside the limit's last row."""
    server = gramme(arguments, folder, *arguments.option)
    tables = []
    try:
        server.wait_until_up()
        for mb in arguments.megabytes:
            name, items = f"Export{mb}", mb * 1_000_000 // 1000
            arn = create_table(server.url, name, True)
            began = time.monotonic()
            there = fill(server, name, items)
            print(f"{mb} MB: {there:,} items loaded in {time.monotonic() - began:.1f} s", flush=True)
            tables.append((arn, int(time.time() * 1000) + 2))
            time.sleep(0.01)
            fill(server, name, items, 100)
            settle(server)
        sizes = export_all(arguments, folder, server, "a folder", tables, {})
    finally:
        server.stop()
    with subprocess.Popen([HERE / "s3_sink.py"], stdout=subprocess.PIPE, text=True) as sink:
        os.environ.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
        server = gramme(arguments, folder, "--s3-endpoint", f"http://127.0.0.1:{sink.stdout.readline().strip()}",
                        "--s3-encryption", "off", *arguments.option)
        try:
            server.wait_until_up()
            export_all(arguments, folder, server, "S3 on loopback", tables, sizes)
        finally:
            server.stop()
            sink.terminate()
    if arguments.limits:
        items = max(arguments.megabytes) * 1_000_000 // 630
        out = subprocess.run([arguments.limits / "export", folder / "limit", str(items), "2"], capture_output=True,
                             text=True, check=True).stdout
        print("limit: " + out.strip().splitlines()[-1])
        shutil.rmtree(folder / "limit")


def export_all(arguments, folder, server, where, tables, sizes):
    """Answers the bytes of text of each table and format, which only a folder shows."""
    for arn, instant in tables:
        for form in arguments.formats:
            print(f"to {where}, {form}:")
            for _ in range(arguments.rounds):
                export_once(server, folder, arn, {"ExportTime": instant / 1000, "ExportFormat": form}, sizes)
    print(f"  memory at most {server.memory_mb():.0f} MB, of that anonymous now {server.memory_mb('RssAnon'):.0f} MB")
    return sizes


def settle(server):
    """Waits until compaction has nothing left to do."""
    while metric(server.url, "gramme_engine_compaction_pending_bytes"):
        time.sleep(0.2)


def export_done(server, arn, more):
    """One export to its end; answers its description, the seconds that it took, and those of the processor."""
    began, cpu = time.monotonic(), server.cpu_seconds()
    made = call(server.url, "ExportTableToPointInTime", {"TableArn": arn, "S3Bucket": "bench", **more})
    while True:
        found = call(server.url, "DescribeExport",
                     {"ExportArn": made["ExportDescription"]["ExportArn"]})["ExportDescription"]
        if found["ExportStatus"] != "IN_PROGRESS":
            return found, time.monotonic() - began, server.cpu_seconds() - cpu
        time.sleep(0.02)


def export_once(server, folder, arn, more, sizes):
    """Prints the rate in the text of the format, and in JSON, of which the limit's figures are."""
    found, seconds, cpu = export_done(server, arn, more)
    data = folder / "buckets" / "bench" / "AWSDynamoDB" / found["ExportArn"].rsplit("/", 1)[1] / "data"
    size = (arn, more["ExportFormat"])
    if size not in sizes:
        sizes[size] = sum(int(subprocess.run(f"zcat {path} | wc -c", shell=True, capture_output=True, check=True).stdout)
                          for path in data.iterdir())
    packed = sum(path.stat().st_size for path in data.iterdir()) if data.exists() else 0
    text, as_json = sizes[size], sizes.get((arn, "DYNAMODB_JSON"), 0)
    print(f"  {found['ExportStatus']}: {found['ItemCount']:,} items, {text / 1e6:.0f} MB of text in {seconds:.2f} s: "
          f"{text / 1e6 / seconds:.0f} MB/s, {text / 1e6 / cpu:.0f} MB per CPU second; "
          f"as JSON {as_json / 1e6 / seconds:.0f} MB/s" + (f"; ratio {text / packed:.2f}" if packed else ""), flush=True)
    shutil.rmtree(data, ignore_errors=True)


def changes(arguments, folder):
    """Incremental exports beside full ones, per item: one attribute of each item changed in the window, or all of it;
    and the same of one item in ten. A window is a quarter of an hour at least, so the table is filled by a server whose
    clock is behind."""
    items, windows = arguments.megabytes[0] * 1000, []
    server = gramme(arguments, folder, environment=behind(120))
    server.wait_until_up()
    arn = create_table(server.url, "Changes", True)
    fill(server, "Changes", items)
    for at, (step, anew) in enumerate(((1, False), (10, False), (1, True), (10, True))):
        minutes = 100 - 25 * at
        server.stop()
        server = gramme(arguments, folder, environment=behind(minutes))
        server.wait_until_up()
        since = int(time.time()) - minutes * 60
        windows.append((f"1 in {step}, {'all' if anew else 'one attribute'}",
                        {"ExportFromTime": since - 1, "ExportToTime": since + 1200}))
        fill(server, "Changes", items, step, turn=at + 1, anew=anew)
    server.stop()
    server = gramme(arguments, folder)
    server.wait_until_up()
    settle(server)
    try:
        compare_windows(arguments, folder, server, arn, windows)
    finally:
        server.stop()


def behind(minutes):
    """An environment whose clock is so many minutes behind."""
    [library] = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return {"LD_PRELOAD": library, "FAKETIME": f"-{minutes}m", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0"}


def compare_windows(arguments, folder, server, arn, windows):
    wanted = {"full": {}}
    for what, window in windows:
        for view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
            wanted[f"{what}, {view}"] = {
                "ExportType": "INCREMENTAL_EXPORT",
                "IncrementalExportSpecification": {**window, "ExportViewType": view}}
    runs = {name: [] for name in wanted}
    for _ in range(arguments.rounds):
        for name, more in wanted.items():
            found, seconds, cpu = export_done(server, arn, more)
            runs[name].append({"wall": seconds / found["ItemCount"] * 1e6, "cpu": cpu / found["ItemCount"] * 1e6})
            shutil.rmtree(folder / "buckets" / "bench" / "AWSDynamoDB")
    full = runs["full"]
    for name, found in runs.items():
        wall, cpu = median(found, "wall"), median(found, "cpu")
        print(f"  {name:<42} {wall:6.2f} us an item, CPU {cpu:6.2f} us: {wall / median(full, 'wall'):.2f} and "
              f"{cpu / median(full, 'cpu'):.2f} times a full export's", flush=True)
    print(f"  memory at most {server.memory_mb():.0f} MB")


class ExportsRunning:
    """While it is entered, four exports of a table run, one after the other ends."""

    def __init__(self, server, folder, arn):
        self.server, self.folder, self.arn = server, folder / "buckets" / "bench" / "AWSDynamoDB", arn
        self.items = call(server.url, "DescribeTable", {"TableName": arn.rsplit("/", 1)[1]})["Table"]["ItemCount"]

    def progress(self):
        """Items that were exported since the server's start."""
        done, now = metrics(self.server.url, "gramme_jobs_completed_total", "gramme_export_items")
        return done * self.items + now

    def keep(self):
        while not self.ending.wait(0.2):
            for _ in range(4 - metric(self.server.url, "gramme_jobs_unfinished")):
                call(self.server.url, "ExportTableToPointInTime", {"TableArn": self.arn, "S3Bucket": "bench"})

    def __enter__(self):
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.keep)
        self.thread.start()
        while not metric(self.server.url, "gramme_export_items"):
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()
        while metric(self.server.url, "gramme_jobs_unfinished"):
            time.sleep(0.05)
        shutil.rmtree(self.folder)


def isolation(arguments, folder):
    """GetItem with and without four exports running: paced (each connection rests between its requests), then as fast
    as it goes."""
    puts, gets = folder / "puts", folder / "gets"
    write_requests(puts, "PutItem", put_body)
    write_requests(gets, "GetItem", get_body)
    server = gramme(arguments, folder, "--loops", str(arguments.loops), *arguments.option)
    try:
        server.wait_until_up()
        create_table(server.url, TABLE, False)
        wrk(server, puts, 32, 2)  # the items that GetItem finds
        arn = create_table(server.url, "Exported", True)
        fill(server, "Exported", arguments.megabytes[0] * 1000)
        settle(server)
        exports = ExportsRunning(server, folder, arn)
        for connections in arguments.connections:
            for pause_ms in (10, 0):
                isolate(server, exports, gets, connections, pause_ms, arguments)
    finally:
        server.stop()


def isolate(server, exports, gets, connections, pause_ms, arguments):
    """The two in turn, so that what else the machine does is in both; the median of what each round says."""
    print(f"GetItem, {connections} connections, " + (f"{pause_ms} ms between requests" if pause_ms else "no pause"))
    runs = {"alone": [], "4 exports": []}
    rate = []
    for each in range(arguments.rounds):
        for name in ("alone", "4 exports") if each % 2 else ("4 exports", "alone"):
            with exports if name == "4 exports" else contextlib.nullcontext():
                began, items = time.monotonic(), exports.progress()
                runs[name].append(wrk(server, gets, connections, arguments.seconds, pause_ms))
                if name == "4 exports":
                    rate.append((exports.progress() - items) / (time.monotonic() - began))
    row("alone", runs["alone"])
    row("4 exports", runs["4 exports"], f"  {statistics.median(rate):,.0f} items/s exported")
    ratio = {name: sorted(beside[name] / alone[name] for alone, beside in zip(runs["alone"], runs["4 exports"]))
             for name in ("rate", "p50", "p99")}
    middle = {name: statistics.median(found) for name, found in ratio.items()}
    print(f"  ratio        rate {middle['rate']:.0%}, p50 {middle['p50']:.2f}x, p99 {middle['p99']:.2f}x "
          f"({ratio['p99'][0]:.2f}x to {ratio['p99'][-1]:.2f}x)", flush=True)


class IndexBuilding:
    """While it is entered, an index is added to a table and built; afterwards it is dropped."""

    def __init__(self, server, table):
        self.server, self.table = server, table

    def status(self):
        table = call(self.server.url, "DescribeTable", {"TableName": self.table})["Table"]
        return [index["IndexStatus"] for index in table.get("GlobalSecondaryIndexes", [])]

    def update(self, change):
        call(self.server.url, "UpdateTable", {
            "TableName": self.table, "GlobalSecondaryIndexUpdates": [change],
            "AttributeDefinitions": [{"AttributeName": "serial", "AttributeType": "N"},
                                     {"AttributeName": "pk", "AttributeType": "S"}]})

    def watch(self):
        while self.status() != ["ACTIVE"]:
            time.sleep(0.05)
        self.seconds = time.monotonic() - self.began

    def __enter__(self):
        self.seconds, self.began = None, time.monotonic()
        self.items = metric(self.server.url, "gramme_index_build_items_total")
        self.update({"Create": index_on("serial")})
        self.watcher = threading.Thread(target=self.watch)
        self.watcher.start()
        return self

    def rate(self):
        """Items a second so far."""
        items = metric(self.server.url, "gramme_index_build_items_total") - self.items
        return items / (self.seconds or time.monotonic() - self.began)

    def __exit__(self, *_):
        self.watcher.join()
        self.update({"Delete": {"IndexName": "by-serial"}})
        while self.status():
            time.sleep(0.05)


def build(arguments, folder):
    """An index of all attributes built while GetItem runs: paced (each connection rests between its requests), then
    as fast as it goes."""
    puts, gets = folder / "puts", folder / "gets"
    write_requests(puts, "PutItem", put_body)
    write_requests(gets, "GetItem", get_body)
    server = gramme(arguments, folder, "--loops", str(arguments.loops), *arguments.option)
    try:
        server.wait_until_up()
        create_table(server.url, TABLE, False)
        wrk(server, puts, 32, 2)  # the items that GetItem finds
        create_table(server.url, "Indexed", False)
        items = fill(server, "Indexed", arguments.megabytes[0] * 1000)
        settle(server)
        cpu = server.cpu_seconds()
        with IndexBuilding(server, "Indexed") as building:
            building.watcher.join()
            print(f"{items:,} items, nothing else: {building.seconds:.1f} s, CPU {server.cpu_seconds() - cpu:.1f} s")
        for connections in arguments.connections:
            for pause_ms in (10, 0):
                settle(server)
                build_beside(server, gets, connections, pause_ms, arguments)
        print(f"  memory of gramme at most {server.memory_mb():.0f} MB")
    finally:
        server.stop()


def build_beside(server, gets, connections, pause_ms, arguments):
    """All runs of wrk that a build takes; those that it ended in do not count."""
    print(f"GetItem, {connections} connections, " + (f"{pause_ms} ms between requests" if pause_ms else "no pause"))
    runs = {"alone": [], "building": []}
    for _ in range(arguments.rounds):
        runs["alone"].append(wrk(server, gets, connections, arguments.seconds, pause_ms))
    with IndexBuilding(server, "Indexed") as building:
        while len(runs["building"]) < 4 * arguments.rounds and building.seconds is None:
            found = wrk(server, gets, connections, arguments.seconds, pause_ms)
            if building.seconds is None:
                runs["building"].append(found)
        rate = building.rate()
    if not runs["building"]:
        raise SystemExit("the index was built before a run of wrk had ended: --seconds is too large")
    row("alone", runs["alone"])
    row("building", runs["building"], f"  {rate:,.0f} items/s, built in {building.seconds:.1f} s")
    ratio = {name: median(runs["building"], name) / median(runs["alone"], name) for name in ("rate", "p50", "p99")}
    print(f"  ratio        rate {ratio['rate']:.0%}, p50 {ratio['p50']:.2f}x, p99 {ratio['p99']:.2f}x", flush=True)


def start(arguments, folder):
    """From the process's start to its first answer: on an empty folder, then on what `megabytes` were put in."""
    times = []
    for each in range(arguments.rounds):
        inner = folder / f"empty-{each}"
        inner.mkdir()
        server = gramme(arguments, inner)
        times.append(server.wait_until_up())
        server.stop()
    print(f"empty folder: {statistics.median(times) * 1000:.0f} ms")
    for mb in arguments.megabytes:
        inner = folder / f"full-{mb}"
        inner.mkdir()
        server = gramme(arguments, inner)
        server.wait_until_up()
        create_table(server.url, "Full", True)
        fill(server, "Full", mb * 1000)
        server.stop()
        times = []
        for _ in range(arguments.rounds):
            server = gramme(arguments, inner)
            times.append(server.wait_until_up())
            server.stop()
        print(f"{mb} MB after a clean stop: {statistics.median(times) * 1000:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("requests", "updates", "batches", "indexed", "query", "index-query",
                                         "scan", "export", "changes", "isolation", "build", "start"))
    parser.add_argument("gramme", type=pathlib.Path, help="the binary, of a release build")
    parser.add_argument("--limits", type=pathlib.Path, default=os.environ.get("LIMITS"),
                        help="folder of the built limit programs (environment: LIMITS)")
    parser.add_argument("--seconds", type=int, default=5, help="of one run")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, interleaved; the median counts")
    parser.add_argument("--loops", type=int, default=2)
    parser.add_argument("--connections", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1000])
    parser.add_argument("--formats", nargs="+", default=["DYNAMODB_JSON"],
                        choices=("DYNAMODB_JSON", "ION"), help="of exports")
    parser.add_argument("--option", nargs=1, action="extend", default=[], metavar="--NAME=VALUE",
                        help="of gramme serve, for `isolation`, `build` and `export`; may be given more than once")
    parser.add_argument("--folder", type=pathlib.Path, help="where databases lie (default: a temporary folder)")
    arguments = parser.parse_args()
    if arguments.limits is None and arguments.what in ("requests", "updates", "batches", "indexed", "query"):
        parser.error("--limits is missing")
    if arguments.limits is not None:
        arguments.limits = pathlib.Path(arguments.limits).resolve()
    arguments.gramme = arguments.gramme.resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gramme-bench-", dir=arguments.folder))
    try:
        {"requests": requests, "updates": updates, "batches": batches, "indexed": indexed, "query": query,
         "index-query": index_query, "scan": scan, "export": export, "changes": changes, "isolation": isolation,
         "build": build, "start": start}[arguments.what](arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
