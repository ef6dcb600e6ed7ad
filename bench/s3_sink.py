#!/usr/bin/env python3
"""An S3 service on loopback that looks at no signature and keeps nothing: it takes the bytes, answers their MD5, and so
shows what the sender can do. Prints its port. Usage: s3_sink.py"""

import hashlib
import http.server
import itertools
import re

PIECE = 1 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = PIECE  # an answer goes out in one piece: the second would wait 40 ms for the first one's acknowledgement
    numbers = itertools.count(1)
    parts = {}  # of an upload: the MD5s

    def log_message(self, *_):
        pass

    def take(self):
        digest, left, body = hashlib.md5(), int(self.headers.get("Content-Length", 0)), b""
        while left > 0:
            piece = self.rfile.read(min(left, PIECE))
            digest.update(piece)
            left -= len(piece)
            body = piece if self.command == "POST" else b""
        return digest.digest(), body

    def answer(self, etag=None, text=""):
        self.send_response(200)
        if etag:
            self.send_header("ETag", f'"{etag}"')
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        digest, _ = self.take()
        found = re.search(r"partNumber=(\d+).*uploadId=(\w+)|uploadId=(\w+).*partNumber=(\d+)", self.path)
        if found:
            number, upload = int(found[1] or found[4]), found[2] or found[3]
            self.parts.setdefault(upload, {})[number] = digest
        self.answer(digest.hex())

    def do_POST(self):
        self.take()
        found = re.search(r"uploadId=(\w+)", self.path)
        if not found:
            return self.answer(text="<InitiateMultipartUploadResult><UploadId>"
                                    f"{next(self.numbers)}</UploadId></InitiateMultipartUploadResult>")
        parts = self.parts.pop(found[1])
        sums = b"".join(parts[number] for number in sorted(parts))
        self.answer(text=f'<CompleteMultipartUploadResult><ETag>"{hashlib.md5(sums).hexdigest()}-{len(parts)}"</ETag>'
                         "</CompleteMultipartUploadResult>")

    def do_DELETE(self):
        self.answer()


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
