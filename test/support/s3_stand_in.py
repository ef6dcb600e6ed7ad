#!/usr/bin/env python3
"""test/support/s3_stand_in.py: an S3 of our own for tests, stricter than S3 and told how to fail.

Serves on a free port of the loopback and prints its URL in one line. Signatures are computed here from
the specification alone (AWS IAM User Guide, "Create a signed AWS API request"); nothing is shared with
the code under test. Every request must be signed with KEY and SECRET, all of its x-amz fields and its
content type among what is signed, over the hash of the bytes that came. Writes must ask for an ACL and
for encryption. Parts must come in order, all but the last of at least 5 MiB, and be completed in order
with their etags. Buckets: "bucket", "bucket-0" to "bucket-15", "other" (owner 111122223333) and "locked"
(nobody may write), and those in another region: see ELSEWHERE. It may be asked as the proxy of AWS's hosts.

Told what to do by unsigned requests:
  PUT /-/fail     a line `TIMES METHOD TEXT HOW`: the next TIMES requests with that method (* any) whose
                  target holds TEXT (with * for anything) fail: see FAILURES
  PUT /-/kill     a line `AFTER PROCESS`: the process is killed after so many halves of requests more: the first half
                  of a request ends before it is done, the second when it is done and before it is answered
  PUT /-/skew     a number: seconds that a client's clock may be off
  PUT /-/page     a number: objects on a page of a listing
  PUT /-/clear    no objects, uploads, failures, log
  PUT /-/heal     no failures; stalled requests end
  GET /-/log      the requests since, `METHOD target status` each
  GET /-/connections  how many connections there were since
  GET /-/uploads  how many uploads are unfinished
  GET /-/objects  a line `BUCKET/KEY base64` for each
  PUT /-/release  lets stalled requests end
"""

import argparse
import base64
import calendar
import fnmatch
import hashlib
import hmac
import http.server
import os
import re
import signal
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

KEY, SECRET, REGION = "AKIASTANDIN", "stand-in/secret+key", "eu-test-1"
OWNER = "111122223333"
BUCKETS = 16
# Buckets in another region, and how S3 tells whoever asks in the wrong one.
AWAY = "eu-test-2"
ELSEWHERE = {
    "away-301": "PermanentRedirect, and the region in a field",
    "away-307": "TemporaryRedirect, the region in a field, and a location where nobody may go",
    "away-400": "AuthorizationHeaderMalformed, and the region in the document; without one, in a field",
    "away-odd": "PermanentRedirect, and a region that is none",
    "away-round": "PermanentRedirect, each time to a further region, and SlowDown in between",
}
FAILURES = {
    "500": "InternalError, not done",
    "503": "SlowDown, not done",
    "502": "a page of a proxy, not done",
    "400": "RequestTimeout, not done",
    "denied": "AccessDenied, not done",
    "terse": "AccessDenied without a message, not done",
    "bytes": "AccessDenied, and ids that are no text, not done",
    "moved": "PermanentRedirect to the region that was asked, not done",
    "cut": "the connection ends, not done",
    "lost": "done, then the connection ends",
    "half": "done, and half of the body comes",
    "torn": "done, and half of the header comes",
    "noise": "bytes that are no HTTP, not done",
    "stall": "nothing comes until the release",
    "garbage": "done, and the answer is no XML",
    "error200": "InternalError with status 200, not done",
    "etag": "done, and the etag is another",
    "no-etag": "done, and there is no etag",
    "large": "a body without end",
    "trickle": "a field of the answer that comes byte by byte, without end",
    "fields": "fields without end",
    "continue": "100 Continue without end",
    "stuck": "a listing that repeats its first page for ever",
}


# How an answer begins, what follows for ever, and the seconds before each time.
ENDLESS = {
    "trickle": (b"HTTP/1.1 200 OK\r\nServer: x", b"x", 0.1),
    "fields": (b"HTTP/1.1 200 OK\r\n", b"X-Field: " + b"x" * 1000 + b"\r\n", 0),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0),
}


class Refusal(Exception):
    def __init__(self, status, code, message, fields=(), region=None):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.fields, self.region = dict(fields), region


class World:
    def __init__(self):
        self.lock = threading.RLock()
        self.released = threading.Event()
        self.skew = 900
        self.clear()

    def clear(self):
        self.objects = {"bucket": {}, "other": {}, "locked": {},
                        **{f"bucket-{at}": {} for at in range(BUCKETS)}, **{name: {} for name in ELSEWHERE}}
        self.victim = None  # [calls left, process]: a request is two calls, before and after
        self.uploads, self.failures, self.log = {}, [], []
        self.connections, self.page, self.serial, self.rounds = 0, 1000, 0, 0
        self.release()

    def release(self):
        self.released.set()
        self.released = threading.Event()

    def failure(self, method, target):
        for failure in self.failures:
            times, wanted, text, how = failure
            if times > 0 and wanted in ("*", method) and fnmatch.fnmatchcase(target, f"*{text}*"):
                failure[0] -= 1
                return how
        return None


    def pass_one(self):
        """Half of a request; True where it killed who asked."""
        with self.lock:
            if self.victim is None:
                return False
            self.victim[0] -= 1
            if self.victim[0] >= 0:
                return False
            os.kill(self.victim[1], signal.SIGKILL)
            return True


WORLD = World()


def encoded(text, safe=""):
    return urllib.parse.quote(text, safe="-._~" + safe)


def signature_of(method, path, query, headers, signed, payload_hash, stamp, scope):
    pairs = sorted(tuple(encoded(urllib.parse.unquote(part)) for part in (pair.partition("=")[0], pair.partition("=")[2]))
                   for pair in query.split("&") if pair)
    canonical = "\n".join([
        method, path, "&".join("=".join(pair) for pair in pairs),
        "".join(f"{name}:{' '.join((headers.get(name) or '').split())}\n" for name in signed),
        ";".join(signed), payload_hash])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/") + [to_sign]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        with WORLD.lock:
            WORLD.connections += 1

    def log_message(self, *args):
        pass

    # --- one request ---

    def serve(self):
        self.entry = None
        if self.headers.get("Transfer-Encoding") or (self.command in ("PUT", "POST") and
                                                     self.headers.get("Content-Length") is None):
            self.close_connection = True
            return self.answer(411, b"")
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = re.sub("^http://[^/]*", "", self.path).partition("?")
        if path.startswith("/-/"):
            return self.told(path[3:])
        self.how = None
        # Before it is answered: a client that has its answer finds its request in the log.
        self.entry = [self.command, self.path, 0]
        with WORLD.lock:
            WORLD.log.append(self.entry)
        try:
            self.check_signature(path, query)
            with WORLD.lock:
                self.how = WORLD.failure(self.command, self.path)
            if WORLD.pass_one():
                return self.cut()
            if self.fails_before():
                return None
            self.route(path, query)
        except Refusal as refusal:
            self.refuse(refusal)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

    def told(self, what):
        with WORLD.lock:
            if what == "fail":
                times, method, text, how = self.body.decode().split()
                assert how in FAILURES, how
                WORLD.failures.append([int(times), method, text, how])
            elif what == "kill":
                WORLD.victim = [int(each) for each in self.body.split()]
            elif what == "skew":
                WORLD.skew = int(self.body)
            elif what == "page":
                WORLD.page = int(self.body)
            elif what == "clear":
                WORLD.clear()
            elif what == "heal":
                WORLD.failures = []
                WORLD.release()
            elif what == "release":
                WORLD.released.set()
            reply = {"log": lambda: "".join("{} {} {}\n".format(*entry) for entry in WORLD.log),
                     "connections": lambda: str(WORLD.connections),
                     "uploads": lambda: str(len(WORLD.uploads)),
                     "objects": lambda: "".join(
                         f"{bucket}/{key} {base64.b64encode(each[0]).decode()}\n"
                         for bucket, objects in WORLD.objects.items() for key, each in objects.items())}.get(what, str)()
        self.answer(200, reply.encode())

    def cut(self):
        self.close_connection = True

    def fails_before(self):
        """True where the request fails before anything is done."""
        how = self.how
        if how == "500":
            raise Refusal(500, "InternalError", "We encountered an internal error. Please try again.")
        if how == "503":
            raise Refusal(503, "SlowDown", "Please reduce your request rate.")
        if how == "400":
            raise Refusal(400, "RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period.")
        if how == "denied":
            raise Refusal(403, "AccessDenied", "Access Denied")
        if how == "bytes":
            raise Refusal(403, "AccessDenied", "Access Denied")
        if how == "terse":
            raise Refusal(403, "AccessDenied", "")
        if how == "moved":
            raise Refusal(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.",
                          {"x-amz-bucket-region": REGION})
        if how == "502":
            self.answer(502, b"<html>Bad Gateway")
        elif how == "cut":
            self.cut()
        elif how == "noise":
            self.cut()
            self.wfile.write(bytes(range(256)))
        elif how == "stall":
            WORLD.released.wait(60)
            self.cut()
        elif how == "error200":
            self.answer(200, b"\n \n" + self.document("InternalError", "We encountered an internal error. Please try again."))
        elif how == "large":
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 30))
            self.end_headers()
            self.cut()
            try:
                while True:
                    self.wfile.write(b" " * 65536)
            except OSError:
                pass
        elif how in ENDLESS:
            self.go_on_for_ever(*ENDLESS[how])
        else:
            return False
        return True

    def go_on_for_ever(self, first, more, pause):
        self.cut()
        released = WORLD.released
        try:
            self.wfile.write(first)
            while not released.wait(pause):
                self.wfile.write(more)
        except OSError:
            pass

    def document(self, code, message, region=None):
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>{message and f"<Message>{escape(message)}</Message>"}'
                f"{f'<Region>{region}</Region>' if region else ''}<RequestId>{self.request_id()}</RequestId><HostId>host/id+of=</HostId></Error>").encode()

    @staticmethod
    def request_id():
        return "0123456789ABCDEF"

    def ids(self):
        """Of the header, which is sent as Latin-1."""
        if getattr(self, "how", None) == "bytes":
            return {"x-amz-request-id": "\xff\xc3", "x-amz-id-2": "\xe9"}
        return {"x-amz-request-id": self.request_id(), "x-amz-id-2": "host/id+of="}

    def refuse(self, refusal):
        body = b"" if self.command == "HEAD" else self.document(refusal.code, refusal.message, refusal.region)
        self.answer(refusal.status, body, refusal.fields)

    def answer(self, status, body, fields=()):
        if self.entry:
            self.entry[2] = status
        fields = dict(fields)
        length = fields.pop("Content-Length", len(body))
        if getattr(self, "how", None) == "lost" or (self.entry and WORLD.pass_one()):
            return self.cut()
        if getattr(self, "how", None) == "torn":
            self.cut()
            return self.wfile.write(b"HTTP/1.1 200 OK\r\nx-amz-id-2: a")
        self.send_response(status)
        for name, value in {**self.ids(), **fields}.items():
            self.send_header(name, str(value))
        if status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            if getattr(self, "how", None) == "half":
                body = body[:len(body) // 2]
                self.cut()
            self.wfile.write(body)
        return None

    def answer_xml(self, text):
        body = b"<not<xml" if self.how == "garbage" else ('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode()
        self.answer(200, body, {"Content-Type": "application/xml"})

    # --- signatures ---

    def check_signature(self, path, query):
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8}/[^/]+/s3/aws4_request), ?"
                             r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
                             self.headers.get("Authorization") or "")
        if not match:
            raise Refusal(403, "AccessDenied", "Access Denied")
        key, scope, signed, signature = match.groups()
        signed = signed.split(";")
        stamp = self.headers.get("X-Amz-Date") or ""
        if key != KEY:
            raise Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        if not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or scope != f"{stamp[:8]}/{self.region(path, scope)}/s3/aws4_request":
            raise Refusal(400, "AuthorizationHeaderMalformed", "The authorization header is malformed")
        if abs(calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) - time.time()) > WORLD.skew:
            raise Refusal(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
        for name in self.headers:
            name = name.lower()
            if (name.startswith("x-amz-") or name in ("host", "content-type", "content-md5", "range", "if-match")) and name not in signed:
                raise Refusal(403, "AccessDenied", f"There were headers present in the request which were not signed: {name}")
            if name == "expect":
                raise Refusal(400, "InvalidRequest", "Expect is not wanted")
        if sorted(signed) != signed or any(self.headers.get(name) is None for name in signed):
            raise Refusal(403, "SignatureDoesNotMatch", "SignedHeaders are not those of the request")
        payload_hash = self.headers.get("X-Amz-Content-Sha256") or ""
        md5 = self.headers.get("Content-MD5")
        if md5 not in (None, base64.b64encode(hashlib.md5(self.body).digest()).decode()):
            raise Refusal(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
        # Ours: S3 takes either with either. Over TLS, and only there, the MD5 of a part is enough.
        if bool(md5) and isinstance(self.connection, ssl.SSLSocket):
            if payload_hash != "UNSIGNED-PAYLOAD":
                raise Refusal(400, "InvalidRequest", "Two hashes of one body over TLS")
        elif payload_hash != hashlib.sha256(self.body).hexdigest():
            raise Refusal(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
        if signature != signature_of(self.command, path, query, self.headers, signed, payload_hash, stamp, scope):
            raise Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
        if self.headers.get("X-Amz-Security-Token") not in (None, "a session/token+"):
            raise Refusal(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")

    def region(self, path, scope):
        """The one to sign for, if the request is in the right one, or nobody tells that it is not."""
        bucket, _ = self.located(path)
        signed = scope.split("/")[1]
        host = re.search(r"\bs3\.([^.]+)\.amazonaws\.com$", self.headers["Host"])
        if bucket not in ELSEWHERE:
            return REGION
        if {signed, host[1] if host else signed} == {AWAY} and bucket != "away-round":
            return AWAY
        moved = "The bucket you are attempting to access must be addressed using the specified endpoint."
        if bucket == "away-400":
            raise Refusal(400, "AuthorizationHeaderMalformed", f"The authorization header is malformed; the region '{signed}' is wrong; expecting '{AWAY}'",
                          {"x-amz-bucket-region": AWAY} if self.command == "HEAD" else (), AWAY)
        if bucket == "away-307":
            raise Refusal(307, "TemporaryRedirect", "Please re-send this request to the specified temporary endpoint.",
                          {"x-amz-bucket-region": AWAY, "Location": "http://127.0.0.1:1" + path})
        if bucket == "away-round":
            with WORLD.lock:
                WORLD.rounds += 1
                if WORLD.rounds % 2 == 0:
                    raise Refusal(503, "SlowDown", "Please reduce your request rate.")
        told = {"away-odd": "eu-test-2.example.org", "away-round": f"{signed}-1"}.get(bucket, AWAY)
        raise Refusal(301, "PermanentRedirect", moved, {"x-amz-bucket-region": told})

    # --- operations ---

    def located(self, path):
        """Bucket and key, as they came."""
        if path.startswith("/base/"):
            path = path[5:]
        host = self.headers["Host"]
        if host.startswith(("bucket.", "no-such-bucket.", "away-")):
            path = "/" + host.split(".")[0] + path
        bucket, _, key = path[1:].partition("/")
        return bucket, key

    def route(self, path, query):
        raw_bucket, raw_key = self.located(path)
        if encoded(urllib.parse.unquote(raw_key), "/") != raw_key:
            raise Refusal(400, "InvalidURI", "Couldn't parse the specified URI.")
        self.bucket, self.key = urllib.parse.unquote(raw_bucket), urllib.parse.unquote(raw_key)
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        with WORLD.lock:
            if self.bucket not in WORLD.objects:
                raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist")
            if self.headers.get("X-Amz-Expected-Bucket-Owner") not in (None, OWNER):
                raise Refusal(403, "AccessDenied", "Access Denied")
            if self.bucket == "locked" and self.command != "GET":
                raise Refusal(403, "AccessDenied", 'User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::locked/' + self.key + '" because no resource-based policy allows the s3:PutObject action')
            self.operation()()

    def operation(self):
        kind = (self.command, bool(self.key), "uploads" in self.query, "uploadId" in self.query)
        known = {
            ("PUT", True, False, False): self.put,
            ("PUT", True, False, True): self.put_part,
            ("POST", True, True, False): self.begin,
            ("POST", True, False, True): self.complete,
            ("DELETE", True, False, True): self.abort,
            ("DELETE", True, False, False): self.delete,
            ("GET", True, False, False): self.get,
            ("HEAD", True, False, False): self.get,
            ("GET", False, False, False): self.list,
            ("GET", False, True, False): self.list_uploads,
        }
        if kind not in known:
            raise Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        return known[kind]

    def check_write(self):
        """What exports must ask for; returns whether KMS encrypts."""
        encryption = self.headers.get("X-Amz-Server-Side-Encryption")
        key = self.headers.get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id")
        if self.headers.get("X-Amz-Acl") != "bucket-owner-full-control" or encryption not in ("AES256", "aws:kms") or \
                (key is not None and encryption != "aws:kms"):
            raise Refusal(400, "InvalidArgument", "ACL and encryption must be asked for")
        if key == "arn:aws:kms:missing":
            raise Refusal(400, "KMS.NotFoundException", f"Key '{key}' does not exist")
        if len(self.key.encode()) > 1024:
            raise Refusal(400, "KeyTooLongError", "Your key is too long")
        return encryption == "aws:kms"

    def stored(self, etag, kms):
        """The fields of an answer to a write."""
        if self.how == "etag":
            etag = "0" * 32
        fields = {"x-amz-server-side-encryption": "aws:kms" if kms else "AES256", "ETag": f'"{etag}"'}
        if self.how == "no-etag":
            del fields["ETag"]
        return fields

    def etag(self, body, kms):
        """With KMS etags are no MD5s."""
        WORLD.serial += 1
        return hashlib.md5(body + (b"%d" % WORLD.serial if kms else b"")).hexdigest()

    def put(self):
        kms = self.check_write()
        etag = self.etag(self.body, kms)
        WORLD.objects[self.bucket][self.key] = (self.body, etag, self.headers.get("Content-Type"))
        self.answer(200, b"", self.stored(etag, kms))

    def begin(self):
        kms = self.check_write()
        WORLD.serial += 1
        upload_id = f"id/{WORLD.serial}+=&<"
        WORLD.uploads[upload_id] = {"at": (self.bucket, self.key), "kms": kms, "parts": [],
                                    "type": self.headers.get("Content-Type")}
        self.answer_xml('<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                        f"<Bucket>{self.bucket}</Bucket><Key>{escape(self.key)}</Key>"
                        f"<UploadId>{escape(upload_id)}</UploadId></InitiateMultipartUploadResult>")

    def upload(self):
        upload = WORLD.uploads.get(self.query["uploadId"])
        if upload is None or upload["at"] != (self.bucket, self.key):
            raise Refusal(404, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
        return upload

    def put_part(self):
        upload, number = self.upload(), int(self.query["partNumber"])
        parts = upload["parts"]
        if number == len(parts):  # sent again, since its answer was lost
            parts.pop()
        if number != len(parts) + 1:
            raise Refusal(400, "InvalidPartOrder", f"part {number} came after {len(parts)} parts")
        etag = self.etag(self.body, upload["kms"])
        parts.append((self.body, etag))
        self.answer(200, b"", self.stored(etag, upload["kms"]))

    def complete(self):
        upload = self.upload()
        listed = re.findall(r'<Part><PartNumber>(\d+)</PartNumber><ETag>"([^"]+)"</ETag></Part>', self.body.decode())
        parts = upload["parts"]
        if not listed or [(int(number), etag) for number, etag in listed] != \
                [(number + 1, part[1]) for number, part in enumerate(parts)]:
            raise Refusal(400, "InvalidPart", "One or more of the specified parts could not be found.")
        if any(len(body) < 5 << 20 for body, _ in parts[:-1]):
            raise Refusal(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        del WORLD.uploads[self.query["uploadId"]]
        etag = hashlib.md5(b"".join(bytes.fromhex(etag) for _, etag in parts)).hexdigest() + f"-{len(parts)}"
        WORLD.objects[self.bucket][self.key] = (b"".join(body for body, _ in parts), etag, upload["type"])
        said = "0" * 32 + "-1" if self.how == "etag" else etag
        self.answer_xml('<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                        f"<Key>{escape(self.key)}</Key><ETag>&quot;{said}&quot;</ETag></CompleteMultipartUploadResult>")

    def abort(self):
        self.upload()
        del WORLD.uploads[self.query["uploadId"]]
        self.answer(204, b"")

    def list_uploads(self):
        found = "".join(f"<Upload><Key>{escape(upload['at'][1])}</Key><UploadId>{escape(upload_id)}</UploadId></Upload>"
                        for upload_id, upload in WORLD.uploads.items()
                        if upload["at"][0] == self.bucket and upload["at"][1].startswith(self.query["prefix"]))
        self.answer_xml('<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                        f"<Bucket>{self.bucket}</Bucket>{found}</ListMultipartUploadsResult>")

    def delete(self):
        WORLD.objects[self.bucket].pop(self.key, None)
        self.answer(204, b"")

    def get(self):
        if self.key not in WORLD.objects[self.bucket]:
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
        body, etag, content_type = WORLD.objects[self.bucket][self.key]
        fields = {"ETag": f'"{etag}"', "Content-Type": content_type or "binary/octet-stream"}
        if self.headers.get("If-Match") not in (None, fields["ETag"]):
            raise Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        if self.headers.get("Range"):
            start = int(re.fullmatch(r"bytes=(\d+)-", self.headers["Range"])[1])
            return self.answer(206, body[start:], fields)
        if self.command == "HEAD":
            return self.answer(200, b"", {**fields, "Content-Length": len(body)})
        return self.answer(200, body, fields)

    def list(self):
        if self.query.get("list-type") != "2" or self.query.get("encoding-type") != "url":
            raise Refusal(400, "InvalidArgument", "a listing of the second kind, with its keys encoded")
        prefix, after = self.query.get("prefix", ""), self.query.get("continuation-token", "")
        if self.how == "stuck":
            after = ""
        if after:
            after = bytes.fromhex(after.rstrip("=")).decode()
        keys = sorted((key for key in WORLD.objects[self.bucket] if key.startswith(prefix) and key > after), key=str.encode)
        page, more = keys[:WORLD.page], len(keys) > WORLD.page or self.how == "stuck"
        contents = "".join(f"<Contents><Key>{urllib.parse.quote_plus(key, safe='/')}</Key>"
                           f"<ETag>&quot;x&quot;</ETag><Size>{len(WORLD.objects[self.bucket][key][0])}</Size></Contents>"
                           for key in page)
        token = f"<NextContinuationToken>{page[-1].encode().hex()}==</NextContinuationToken>" if more else ""
        self.answer_xml('<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                        f"<IsTruncated>{str(more).lower()}</IsTruncated><EncodingType>url</EncodingType>"
                        f"{contents}{token}</ListBucketResult>")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the usual 5 make a client that is turned away wait a second

    def handle_error(self, request, client_address):
        """Connections that a client gives up are part of the tests."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def secure(server, folder):
    """TLS with a certificate of its own, FOLDER/ca.pem."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=stand-in", "-addext", "subjectAltName=DNS:localhost,DNS:*.localhost",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/ca.pem"],
                   check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/ca.pem", f"{folder}/key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", metavar="FOLDER", help="serve HTTPS; FOLDER/ca.pem is what to trust")
    args = parser.parse_args()
    server = Server(("127.0.0.1", 0), Handler)
    if args.tls:
        secure(server, args.tls)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"{'https' if args.tls else 'http'}://localhost:{server.server_address[1]}", flush=True)
    sys.stdin.read()  # until whoever started us ends


if __name__ == "__main__":
    main()
