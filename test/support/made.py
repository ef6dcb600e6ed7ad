"""Exports made here, by the book (S3DataExport.Output), for what reads exports: keys and bytes of their objects."""

import base64
import datetime
import gzip
import hashlib
import json

TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"
TABLE_ID = "0f0e0d0c-0b0a-4908-8706-050403020100"
BUCKET = "acme-lake"
HEADER = bytes.fromhex("1f8b08000000000000ff")
NAMES = ("aaaabbbbccccddddeeeeffff22", "zzzzyyyyxxxxwwwwvvvvuuuu77", "mmmmnnnnooooppppqqqqrrrr33")
T0 = 1760000000  # seconds: 2025-10-09T08:53:20Z


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def etag(data):
    return hashlib.md5(hashlib.md5(data).digest()).hexdigest() + "-1"


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def packed(lines):
    return HEADER + gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)[10:]


def when(seconds):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


# --- lines

def ion_decimal(text):
    """Of a whole number: `42.`, and `6d2` for 600."""
    digits = text.rstrip("0")
    return f"{digits}d{len(text) - len(digits)}" if digits not in ("", text) else f"{text}."


def ion(attribute):
    """The Ion text of an attribute value; strings must need no escapes, numbers be whole."""
    kind, value = next(iter(attribute.items()))
    if kind in ("SS", "NS"):
        return f"$dynamodb_{kind}::[" + ",".join(ion({kind[0]: each}) for each in value) + "]"
    return {"S": lambda: f'"{value}"', "N": lambda: ion_decimal(value), "B": lambda: "{{" + value + "}}",
            "BOOL": lambda: str(value).lower(), "NULL": lambda: "null",
            "L": lambda: "[" + ",".join(map(ion, value)) + "]", "M": lambda: ion_struct(value)}[kind]()


def ion_struct(item):
    return "{" + ",".join(f"{name}:{ion(value)}" for name, value in item.items()) + "}"


def item_line(item, form):
    return f"$ion_1_0 {{Item:{ion_struct(item)}}}".encode() if form == "ION" else compact({"Item": item})


def change_line(change, form):
    """Of {"time": micros, "keys": item, "old": item, "new": item}, the last two if they are there."""
    images = {name: dict(sorted(change[each].items())) for name, each in (("OldImage", "old"), ("NewImage", "new"))
              if each in change}
    if form != "ION":
        return compact({"Metadata": {"WriteTimestampMicros": {"N": str(change["time"])}}, "Keys": change["keys"],
                        **images})
    tail = "".join(f",{name}:{ion_struct(image)}" for name, image in images.items())
    return (f"$ion_1_0 {{Record:{{Keys:{ion_struct(change['keys'])},Metadata:{{WriteTimestampMicros:"
            f"{change['time']}.}}{tail}}}}}").encode()


# --- exports

def export_id(start, salt):
    return f"{int(start * 1000):014}-{salt:08x}"


def objects(start, times, files, salt, prefix, form, billed, more, incremental):
    """`files`: lists of lines."""
    name = export_id(start, salt)
    above = (prefix + "/" if prefix else "") + "AWSDynamoDB"
    data = f"{above}/data" if incremental else f"{above}/{name}/data"
    made, listed, count = {f"{above}/{name}/_started": b""}, b"", 0
    for leaf, lines in zip(NAMES, files):
        # Each export has names of its own.
        leaf = base64.b32encode(hashlib.md5(f"{leaf}{name}".encode()).digest()).decode().lower().rstrip("=")
        key = f"{data}/{leaf}" + (".ion.gz" if form == "ION" else ".json.gz")
        made[key] = packed(lines)
        listed += compact({"itemCount": len(lines), "md5Checksum": md5(made[key]), "etag": etag(made[key]),
                           "dataFileS3Key": key}) + b"\n"
        count += len(lines)
    summary = compact({
        "version": "2023-08-01" if incremental else "2020-06-30", "exportArn": f"{TABLE}/export/{name}",
        "startTime": when(start), "endTime": when(start + 9.333), "tableArn": TABLE, "tableId": TABLE_ID, **times,
        "s3Bucket": BUCKET, "s3Prefix": prefix, "s3SseAlgorithm": "AES256", "s3SseKmsKeyId": None,
        "manifestFilesS3Key": f"{above}/{name}/manifest-files.json", "billedSizeBytes": billed, "itemCount": count,
        "outputFormat": form, **more})
    for leaf, text in (("files", listed), ("summary", summary)):
        made[f"{above}/{name}/manifest-{leaf}.json"] = text
        made[f"{above}/{name}/manifest-{leaf}.md5"] = md5(text).encode()
    return f"{above}/{name}", made


def full(files, billed, at=T0, salt=1, prefix="nightly", form="DYNAMODB_JSON", start=None):
    """(folder, objects) of a full export; `files`: lists of items."""
    return objects(start or at, {"exportTime": when(at)}, [[item_line(item, form) for item in file] for file in files],
                   salt, prefix, form, billed, {}, False)


def incremental(files, since=T0, until=T0 + 900, salt=2, prefix="nightly", form="DYNAMODB_JSON",
                view="NEW_AND_OLD_IMAGES", start=None):
    """The same of an incremental one; `files`: lists of changes."""
    return objects(start or until + 100, {"exportFromTime": when(since), "exportToTime": when(until)},
                   [[change_line(change, form) for change in file] for file in files], salt, prefix, form, 10000000,
                   {"outputView": view, "exportType": "INCREMENTAL_EXPORT"}, True)


def write(root, made):
    for key, data in made.items():
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(data)


def upload(client, made):
    """As exports do it: data files in parts, and their etags say so."""
    for key, data in made.items():
        if "/data/" not in key:
            client.put_object(Bucket=BUCKET, Key=key, Body=data)
            continue
        where = {"Bucket": BUCKET, "Key": key}
        where["UploadId"] = client.create_multipart_upload(**where)["UploadId"]
        part = client.upload_part(PartNumber=1, Body=data, **where)["ETag"]
        client.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]}, **where)
