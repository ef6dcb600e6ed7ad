"""tools/demo.py GRAMME FOLDER: the story of ./demo, told by the AWS SDK to a gramme in FOLDER, which is made anew.
The exit status is 0 only if the exported table is, item by item, the one that was loaded."""

import base64
import datetime
import gzip
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import boto3
import botocore.config

TABLE, BUCKET = "Packages", "packages"
BATCH = 25  # the most that BatchWriteItem takes
UPDATES, DELETES = 4000, 2000
KEYS = ("Package", "Version")
START_SECONDS, STOP_SECONDS, EXPORT_SECONDS = 30, 30, 300


class Failed(Exception):
    """The demo ends here, with this sentence."""


# --- the real data


def fields(record):
    """One record of the package index as {field: text}."""
    found, name = {}, None
    for line in record.splitlines():
        if line[:1].isspace():
            found[name] += "\n" + line.strip()
        else:
            name, _, text = line.partition(":")
            found[name] = text.strip()
    return found


def relation(text):
    """`libc6 (>= 2.36)` as a map."""
    name, _, constraint = text.strip().partition(" ")
    return {"M": {"name": {"S": name}, **({"constraint": {"S": constraint.strip("() ")}} if constraint else {})}}


def item_of(record):
    """A record as an item: numbers for sizes, string sets for tags and dependencies, lists and maps where they
    fit, the rest as text."""
    found = fields(record)
    if not all(found.get(key) for key in KEYS):
        return None
    item = {}
    for name, text in found.items():
        attribute = name.replace("-", "")
        if name in ("Installed-Size", "Size") and text.isdigit():
            item[attribute] = {"N": text}
        elif name == "Tag":
            item[attribute] = {"SS": sorted(set(re.split(r",\s*", text)))}
        elif name in ("Depends", "Recommends", "Suggests", "Pre-Depends"):
            item[attribute] = {"SS": sorted({each.split()[0] for each in re.split(r"[,|]\s*", text) if each.split()})}
        elif name in ("Breaks", "Replaces", "Conflicts", "Provides"):
            item[attribute] = {"L": [relation(each) for each in text.split(",")]}
        elif name == "Maintainer" and "<" in text:
            person, _, address = text.partition("<")
            item[attribute] = {"M": {"name": {"S": person.strip()}, "address": {"S": address.rstrip("> ")}}}
        elif name in ("MD5sum", "SHA256"):
            item.setdefault("Checksums", {"M": {}})["M"][name] = {"B": bytes.fromhex(text)}
        elif name in ("Essential", "Build-Essential"):
            item[attribute] = {"BOOL": text == "yes"}
        else:
            item[attribute] = {"S": text}
    return item


def read_index():
    """The package index as items under their keys; of the same version twice the last counts."""
    text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout.decode()
    items = filter(None, map(item_of, text.split("\n\n")))
    return {key_of(item): item for item in items}


def key_of(item):
    return tuple(item[name]["S"] for name in KEYS)


def plain(item):
    """An item, of boto3 or of an export's line, in one form to compare: binary as base64 text, sets sorted."""
    def value(each):
        kind, inner = next(iter(each.items()))
        if kind == "B" and isinstance(inner, bytes):
            inner = base64.b64encode(inner).decode()
        elif kind in ("SS", "NS"):
            inner = sorted(inner)
        elif kind == "L":
            inner = [value(member) for member in inner]
        elif kind == "M":
            inner = {name: value(member) for name, member in inner.items()}
        return {kind: inner}
    return {name: value(each) for name, each in item.items()}


# --- the server


def free_port(wanted):
    for port in (wanted, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as taken:
                return taken.getsockname()[1]
        except OSError:
            continue
    raise Failed("no port is free on 127.0.0.1")


class Gramme:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.log = binary, folder, folder / "log"
        self.buckets = folder / "buckets"
        self.arguments = ["serve", "--data", str(folder / "data"), "--buckets", str(self.buckets)]
        self.process = None

    def start(self):
        port = free_port(8000)
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([self.binary, *self.arguments, "--listen", f"127.0.0.1:{port}"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        end = time.monotonic() + START_SECONDS
        while "listens on" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed("gramme did not start: " + self.log.read_text().strip())
            time.sleep(0.01)

    def stop(self):
        """SIGTERM; what is in flight is finished."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("gramme did not stop") from None
        if self.process.returncode != 0:
            raise Failed(f"gramme ended with status {self.process.returncode}: {self.log.read_text().strip()}")

    def memory_peak_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024


def client_of(url):
    return boto3.client("dynamodb", endpoint_url=url, region_name="us-east-1", aws_access_key_id="demo",
                        aws_secret_access_key="demo", config=botocore.config.Config(retries={"mode": "standard"}))


# --- writing in parallel

worker = None  # the client of a worker process


def worker_begin(url):
    global worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = client_of(url)


def worker_write(requests):
    """One BatchWriteItem, and again with what was left unprocessed."""
    pending = {TABLE: requests}
    while pending:
        pending = worker.batch_write_item(RequestItems=pending)["UnprocessedItems"]
    return len(requests)


def progress(what, done, total, start):
    seconds = time.monotonic() - start
    if sys.stdout.isatty():
        filled = 30 * done // total
        end = "\n" if done == total else ""
        print(f"\r  {what:<10} [{'#' * filled}{'.' * (30 - filled)}] {done:,}/{total:,}  "
              f"{done / seconds:,.0f}/s  {seconds:.1f} s ", end=end, flush=True)
    elif done == total:
        print(f"  {what:<10} {done:,} in {seconds:.1f} s, {done / seconds:,.0f}/s", flush=True)


def write(pool, what, requests):
    """Sends requests in batches; answers the seconds it took."""
    start, done = time.monotonic(), 0
    batches = [requests[at:at + BATCH] for at in range(0, len(requests), BATCH)]
    for count in pool.imap_unordered(worker_write, batches):
        done += count
        progress(what, done, len(requests), start)
    return time.monotonic() - start


# --- the story


def create(dynamo):
    made = dynamo.create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in KEYS],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in zip(KEYS, ("HASH", "RANGE"))])
    dynamo.get_waiter("table_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})
    dynamo.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    return made["TableDescription"]["TableArn"]


def next_second():
    """A whole second (what boto3 sends) after all that was done and before all that will be."""
    instant = int(time.time()) + 1
    while time.time() <= instant:
        time.sleep(0.005)
    return datetime.datetime.fromtimestamp(instant, datetime.UTC)


def changes(items):
    """Updates and deletions of a few thousand items, the same ones at each run."""
    keys = random.Random(1871).sample(sorted(items), UPDATES + DELETES)
    updates = [{"PutRequest": {"Item": {**items[key], "Description": {"S": "changed"}, "Size": {"N": "-1"}}}}
               for key in keys[:UPDATES]]
    deletes = [{"DeleteRequest": {"Key": {name: items[key][name] for name in KEYS}}} for key in keys[UPDATES:]]
    return updates, deletes


def export(dynamo, arn, instant):
    """Exports the table as it was at the instant and waits; answers (description, seconds)."""
    start = time.monotonic()
    made = dynamo.export_table_to_point_in_time(TableArn=arn, S3Bucket=BUCKET, ExportTime=instant)
    export_arn = made["ExportDescription"]["ExportArn"]
    while time.monotonic() < start + EXPORT_SECONDS:
        found = dynamo.describe_export(ExportArn=export_arn)["ExportDescription"]
        if found["ExportStatus"] == "FAILED":
            raise Failed(f"the export failed: {found['FailureCode']}: {found['FailureMessage']}")
        if found["ExportStatus"] == "COMPLETED":
            return found, time.monotonic() - start
        time.sleep(0.02)
    raise Failed("the export did not end")


def folder_of(gramme, description):
    return (gramme.buckets / BUCKET / description["ExportManifest"]).parent


def verify(gramme, description):
    """`gramme verify` on the files."""
    done = subprocess.run([gramme.binary, "verify", folder_of(gramme, description), "--keys", ":".join(KEYS)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed("gramme verify: " + (done.stderr or done.stdout).strip())
    return done.stdout.strip().splitlines()


def compare(gramme, description, items):
    """Every exported item with the one that was loaded; answers how many data files there were."""
    root = gramme.buckets / BUCKET
    summary = json.loads((root / description["ExportManifest"]).read_bytes())
    files = [json.loads(line) for line in (root / summary["manifestFilesS3Key"]).read_text().splitlines()]
    left = dict(items)
    for file in files:
        for line in gzip.decompress((root / file["dataFileS3Key"]).read_bytes()).decode().split("\n")[:-1]:
            item = json.loads(line)["Item"]
            wanted = left.pop(key_of(item), None)
            if wanted is None or plain(wanted) != plain(item):
                raise Failed(f"the export differs from what was loaded: {key_of(item)}")
    if left:
        raise Failed(f"{len(left)} items are missing in the export, {next(iter(left))} for one")
    return len(files)


def tell(gramme, loaded, seconds, description, export_seconds, files, now_count):
    size = sum(path.stat().st_size for path in (gramme.folder / "data").rglob("*") if path.is_file())
    mb = description["BilledSizeBytes"] / 1e6
    print(f"""
The table as it was at {description['ExportTime']:%H:%M:%S} UTC, before the changes, is in the export: all {loaded:,} items equal
what was loaded. The table itself has gone on and holds {now_count:,} items now.

  load       {loaded:,} items, {mb:.1f} MB, in {seconds:.1f} s: {loaded / seconds:,.0f} items/s through BatchWriteItem
  export     {export_seconds:.2f} s: {mb / export_seconds:,.0f} MB/s in {files} files
  memory     {gramme.memory_peak_mb()} MB at most
  database   {gramme.folder / 'data'} ({size / 1e6:.1f} MB)
  export in  {folder_of(gramme, description)}""")


def tell_more(gramme, description):
    aws = f"aws --endpoint-url {gramme.url} --region us-east-1 dynamodb"
    port = gramme.url.rsplit(":", 1)[1]
    print(f"""
To go on by hand (any AWS keys will do: export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x):

  {gramme.binary} {' '.join(gramme.arguments)} --listen 127.0.0.1:{port} &
  alias aws={pathlib.Path(sys.executable).parent}/aws
  {aws} describe-table --table-name {TABLE}
  {aws} scan --table-name {TABLE} --max-items 1
  {aws} describe-export --export-arn {description['ExportArn']}
  {gramme.binary} verify {folder_of(gramme, description)} --keys {':'.join(KEYS)}

Left on disk: {gramme.folder} (rm -r it when you are done). The server has been stopped.""")


def story(gramme):
    items = read_index()
    if len(items) < UPDATES + DELETES:
        raise Failed(f"the package index has only {len(items)} records: run apt-get update")
    gramme.start()
    print(f"gramme serves on {gramme.url}; {len(items):,} records of this machine's package index go in")
    dynamo = client_of(gramme.url)
    arn = create(dynamo)
    workers = max(2, min(8, os.cpu_count() or 2))
    with multiprocessing.Pool(workers, worker_begin, (gramme.url,)) as pool:
        seconds = write(pool, "load", [{"PutRequest": {"Item": item}} for item in items.values()])
        instant = next_second()
        updates, deletes = changes(items)
        print(f"  the instant {instant:%Y-%m-%dT%H:%M:%SZ} is noted")
        write(pool, "update", updates)
        write(pool, "delete", deletes)
    description, export_seconds = export(dynamo, arn, instant)
    print(f"  export     {description['ItemCount']:,} items in {export_seconds:.2f} s")
    for line in verify(gramme, description):
        print(f"  verify     {line}")
    files = compare(gramme, description, items)
    now_count = dynamo.describe_table(TableName=TABLE)["Table"]["ItemCount"]
    if now_count != len(items) - DELETES:
        raise Failed(f"the table has {now_count} items, not {len(items) - DELETES}")
    tell(gramme, len(items), seconds, description, export_seconds, files, now_count)
    gramme.stop()
    tell_more(gramme, description)


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "buckets" / BUCKET).mkdir(parents=True)
    gramme = Gramme(binary, folder)
    try:
        story(gramme)
        return 0
    except Failed as failure:
        print(f"\nThe demo failed: {failure}\nLeft on disk: {folder}")
        return 1
    finally:
        if gramme.process is not None and gramme.process.poll() is None:
            gramme.process.kill()


if __name__ == "__main__":
    sys.exit(main())
