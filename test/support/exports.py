"""Reads an export as a program that knows only the service's documents would: every manifest, checksum, count
and line is verified on the way (spec: S3DataExport.Output)."""

import base64
import datetime
import gzip
import hashlib
import json
import pathlib
import re

from support import ion

SUMMARY = ["version", "exportArn", "startTime", "endTime", "tableArn", "tableId", "exportTime", "s3Bucket", "s3Prefix",
           "s3SseAlgorithm", "s3SseKmsKeyId", "manifestFilesS3Key", "billedSizeBytes", "itemCount", "outputFormat"]
WINDOW_SUMMARY = [*SUMMARY[:6], "exportFromTime", "exportToTime", *SUMMARY[7:], "outputView"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DATA_NAME = {"DYNAMODB_JSON": re.compile(r"[a-z2-7]{26}\.json\.gz"), "ION": re.compile(r"[a-z2-7]{26}\.ion\.gz")}
GZIP_HEADER = bytes.fromhex("1f8b08000000000000ff")
EMPTY_GZIP = bytes.fromhex("1f8b08000000000000ff03000000000000000000")
PART = 8 * 1024 * 1024


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def etag(data, said):
    """Of a multipart upload in one part, as a folder has it, or in parts of PART bytes."""
    step = len(data) if said.endswith("-1") else PART
    parts = [data[at:at + step] for at in range(0, len(data), step or 1)] or [b""]
    return hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest() + f"-{len(parts)}"


def same(wanted, found, what):
    if wanted != found:
        raise AssertionError(f"{what}: {found!r}, not {wanted!r}")


def read_checked(root, key):
    """A manifest's bytes, compared with the checksum beside it."""
    data = (root / key).read_bytes()
    same(md5(data), (root / key.replace(".json", ".md5")).read_text(), f"checksum of {key}")
    return data


def read_json_line(line, where):
    value = json.loads(line)
    same(["Item"], list(value), f"a line of {where}")
    same(line, json.dumps(value, separators=(",", ":"), ensure_ascii=False), f"layout of a line of {where}")
    return value["Item"]


def read_ion_line(line, where):
    same("$ion_1_0 {Item:{", line[:len("$ion_1_0 {Item:{")], f"begin of a line of {where}")
    return ion.read_item(line)


def read_json_change(line, where):
    """A line of an incremental export, as a dict of Keys, WriteTimestampMicros, OldImage, NewImage."""
    value = json.loads(line)
    same(line, json.dumps(value, separators=(",", ":"), ensure_ascii=False), f"layout of a line of {where}")
    check_change_members(list(value), ["Metadata", "Keys"], where)
    same(["WriteTimestampMicros"], list(value["Metadata"]), f"metadata in {where}")
    same(["N"], list(value["Metadata"]["WriteTimestampMicros"]), f"the type of the time in {where}")
    return {**value, "WriteTimestampMicros": int(value.pop("Metadata")["WriteTimestampMicros"]["N"])}


def read_ion_change(line, where):
    same("$ion_1_0 {Record:{Keys:{", line[:len("$ion_1_0 {Record:{Keys:{")], f"begin of a line of {where}")
    value = ion.read_line(line)
    same(["Record"], list(value), f"a line of {where}")
    record = value["Record"]
    check_change_members(list(record), ["Keys", "Metadata"], where)
    return {"WriteTimestampMicros": int(record["Metadata"]["WriteTimestampMicros"]),
            **{name: ion.attributes(record[name]) for name in record if name != "Metadata"}}


def check_change_members(found, first, where):
    images = [name for name in ("OldImage", "NewImage") if name in found]
    same(first + images, found, f"members of a line of {where}")


def read_change_file(root, entry, keys, shown, form):
    """The changes of one data file of an incremental export."""
    key = entry["dataFileS3Key"]
    changes = []
    for line in read_lines(root, entry, form):
        change = read_ion_change(line, key) if form == "ION" else read_json_change(line, key)
        same(list(keys), list(change["Keys"]), f"keys of a line of {key}")
        for image in (change[name] for name in ("OldImage", "NewImage") if name in change):
            same(sorted(image, key=str.encode), list(image), f"order of attributes in {key}")
            same({name: change["Keys"][name] for name in shown}, {name: image[name] for name in keys if name in image},
                 f"keys of an image in {key}")
        changes.append(change)
    same(entry["itemCount"], len(changes), f"itemCount of {key}")
    return changes


def read_lines(root, entry, form):
    """The lines of one data file, whose bytes are what the manifest says."""
    key = entry["dataFileS3Key"]
    data = (root / key).read_bytes()
    same(True, bool(DATA_NAME[form].fullmatch(key.rsplit("/", 1)[1])), f"name of {key}")
    same(["itemCount", "md5Checksum", "etag", "dataFileS3Key"], list(entry), "members of a line")
    same(md5(data), entry["md5Checksum"], f"md5 of {key}")
    same(GZIP_HEADER, data[:10], f"header of {key}")
    text = gzip.decompress(data)
    if not text:
        same(EMPTY_GZIP, data, f"an empty {key}")
    same(True, not text or text.endswith(b"\n"), f"end of the last line of {key}")
    return text.decode("utf-8").split("\n")[:-1]


def read_data_file(root, entry, keys, shown, form):
    """The items of one data file. Within a partition they must be in the order of their sort keys."""
    key = entry["dataFileS3Key"]
    items = []
    for line in read_lines(root, entry, form):
        item = read_ion_line(line, key) if form == "ION" else read_json_line(line, key)
        same(list(shown), [name for name in list(item)[:len(keys)] if name in keys], f"key attributes of a line of {key}")
        rest = list(item)[len(shown):]
        same(sorted(rest, key=str.encode), rest, f"order of attributes in {key}")
        items.append(item)
    same(entry["itemCount"], len(items), f"itemCount of {key}")
    return items


def read_export(bucket, description, keys=("pk",), shown=None):
    """All items of a COMPLETED export in a bucket's folder; of an incremental one, all changes. `shown`: the key attributes
    that its items and images have, if not all."""
    root = pathlib.Path(bucket)
    same("COMPLETED", description["ExportStatus"], "status")
    summary_key = description["ExportManifest"]
    folder = summary_key.rsplit("/", 1)[0]
    prefix = description.get("S3Prefix", "")
    wanted = (prefix + ("/" if prefix and not prefix.endswith("/") else "")
              + "AWSDynamoDB/" + description["ExportArn"].rsplit("/", 1)[1])
    same(wanted, folder, "folder of the export")
    same(b"", (root / folder / "_started").read_bytes(), "_started")
    text = read_checked(root, summary_key)
    summary = json.loads(text)
    window = description.get("ExportType") == "INCREMENTAL_EXPORT"
    members = (WINDOW_SUMMARY if window else SUMMARY) + (["exportType"] if "ExportType" in description else [])
    same(members, list(summary), "members of the summary")
    same(text.decode(), json.dumps(summary, separators=(",", ":"), ensure_ascii=False), "layout of the summary")
    check_summary(summary, description, folder)
    lines = read_checked(root, summary["manifestFilesS3Key"]).decode()
    same("\n", lines[-1:], "end of manifest-files.json")
    entries = [json.loads(line) for line in lines.split("\n")[:-1]]
    read_file = read_change_file if window else read_data_file
    data = wanted.rsplit("/", 1)[0] + "/data/" if window else folder + "/data/"
    for entry in entries:
        key = entry["dataFileS3Key"]
        same(data, key[:-len(key.rsplit("/", 1)[1])], "folder of the data")
        if description["S3SseAlgorithm"] != "KMS":  # whose etags are no MD5s
            same(etag((root / key).read_bytes(), entry["etag"]), entry["etag"], f"etag of {key}")
    items = [item for entry in entries
             for item in read_file(root, entry, keys, keys if shown is None else shown, description["ExportFormat"])]
    same(summary["itemCount"], len(items), "itemCount of the summary")
    found = {str(path.relative_to(root)) for path in (root / folder).rglob("*") if path.is_file()}
    same({f"{folder}/{name}" for name in ("_started", "manifest-files.json", "manifest-files.md5",
                                          "manifest-summary.json", "manifest-summary.md5")}
         | {entry["dataFileS3Key"] for entry in entries if not window}, found, "objects of the export")
    return items


def check_summary(summary, description, folder):
    """The summary and DescribeExport say the same."""
    window = description.get("IncrementalExportSpecification", {})
    for name in [name for name in ("startTime", "endTime", "exportTime", "exportFromTime", "exportToTime")
                 if name in summary]:
        same(True, bool(TIME.fullmatch(summary[name])), name)
        when = {**description, **window}[name[0].upper() + name[1:]]
        same(when.astimezone(tz=None).timestamp(), _seconds(summary[name]), name)
    same(window.get("ExportViewType"), summary.get("outputView"), "outputView")
    same(description.get("ExportType"), summary.get("exportType"), "exportType")
    for name, value in (("version", "2023-08-01" if window else "2020-06-30"), ("exportArn", description["ExportArn"]),
                        ("tableArn", description["TableArn"]), ("tableId", description["TableId"]),
                        ("s3Bucket", description["S3Bucket"]), ("s3Prefix", description.get("S3Prefix")),
                        ("s3SseAlgorithm", description["S3SseAlgorithm"]),
                        ("s3SseKmsKeyId", description.get("S3SseKmsKeyId")),
                        ("manifestFilesS3Key", folder + "/manifest-files.json"),
                        ("billedSizeBytes", description["BilledSizeBytes"]),
                        ("itemCount", description["ItemCount"]), ("outputFormat", description["ExportFormat"])):
        same(value, summary[name], name)


def _seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def plain(item):
    """An item, of boto3 or of an export's line, in one form: binary values as base64 text, sets sorted."""
    def text(data):
        return base64.b64encode(data).decode() if isinstance(data, bytes) else data

    def value(each):
        kind, inner = next(iter(each.items()))
        if kind == "B":
            inner = text(inner)
        elif kind in ("SS", "NS", "BS"):
            inner = sorted(text(member) for member in inner)
        elif kind == "L":
            inner = [value(member) for member in inner]
        elif kind == "M":
            inner = {name: value(member) for name, member in inner.items()}
        return {kind: inner}
    return {name: value(each) for name, each in item.items()}


def by_key(items, keys=("pk",)):
    """Items under their keys as text; a key twice is an error."""
    found = {}
    for item in items:
        key = tuple(json.dumps(item[name], sort_keys=True) for name in keys)
        if key in found:
            raise AssertionError(f"{key} is there twice")
        found[key] = item
    return found
