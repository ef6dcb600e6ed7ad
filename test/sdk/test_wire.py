"""The protocol below the SDKs: JSON 1.0 over HTTP, and what is wrong with a request as a request."""

import json
import re
import socket
import zlib

from support.case import ServerCase

TARGET = "DynamoDB_20120810."


class Wire(ServerCase):
    def error(self, status, code, reply):
        self.assertEqual(status, reply[0], reply[2])
        body = json.loads(reply[2])
        self.assertEqual(code, body["__type"].rpartition("#")[2], body)
        self.assertEqual(str(zlib.crc32(reply[2])), reply[1]["x-amz-crc32"])
        self.assertRegex(reply[1]["x-amzn-RequestId"], r"^[A-Z0-9]{52}$")
        self.assertEqual("application/x-amz-json-1.0", reply[1]["Content-Type"])
        return body

    def test_ids_differ(self):
        ids = {self.post({})[1]["x-amzn-RequestId"] for _ in range(20)}
        self.assertEqual(20, len(ids))

    def test_unknown_operation(self):
        self.error(400, "UnknownOperationException", self.post({}, TARGET + "DoMagic"))
        self.error(400, "UnknownOperationException", self.post({}, "DynamoDB_20990101.ListTables"))

    def test_missing_target(self):
        reply = self.post({}, headers={"X-Amz-Target": None})
        self.error(400, "UnknownOperationException", reply)

    def test_malformed_json(self):
        for body in (b"", b"{", b"[]x", b'{"Limit":}', b'{"Limit":1,}', b"nonsense", b'{"Limit":01}', b'{"a":"\x01"}',
                     b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"Limit":1} x', b"[" * 100_000):
            with self.subTest(body=body[:20]):
                self.error(400, "SerializationException", self.post(body))

    def test_wrong_types(self):
        for body in ({"Limit": "5"}, {"Limit": {}}, {"ExclusiveStartTableName": 5}, {"Limit": True}):
            with self.subTest(body=body):
                self.error(400, "SerializationException", self.post(body))

    def test_unknown_members_are_ignored(self):
        self.assertEqual(200, self.post({"Bogus": {"deep": [1, 2.5, None, True]}})[0])

    def test_null_is_absent(self):
        self.assertEqual(200, self.post({"Limit": None})[0])

    def test_missing_signature(self):
        self.error(400, "MissingAuthenticationTokenException", self.post({}, headers={"Authorization": None}))

    def test_other_methods_and_paths(self):
        status, _, body = self.post(None, method="GET")
        self.assertEqual(200, status)
        self.assertTrue(body)
        self.assertIn(self.post({}, method="PUT")[0], (400, 404, 405))
        self.assertEqual(404, self.post(None, method="GET", path="/nothing")[0])

    def test_metrics(self):
        status, headers, body = self.post(None, method="GET", path="/metrics")
        self.assertEqual(200, status)
        self.assertTrue(headers["Content-Type"].startswith("text/plain"))
        for line in body.decode().splitlines():
            self.assertRegex(line, re.compile(r'^(#.*|[a-z_]+(\{[^}]*\})? [-+.\deE]+|)$'))

    def test_body_too_large(self):
        with connect(self.server.url) as connection:
            connection.sendall(head("POST", {"Content-Length": 1 << 40}))
            self.assertIn(b" 413 ", connection.recv(4096).split(b"\r\n", 1)[0])

    def test_expect_continue(self):
        with connect(self.server.url) as connection:
            connection.sendall(head("POST", {"Content-Length": 2, "Expect": "100-continue"}))
            self.assertIn(b" 100 ", connection.recv(100))
            connection.sendall(b"{}")
            self.assertIn(b"HTTP/1.1 200", connection.recv(4096))

    def test_chunked_body(self):
        request = head("POST", {"Transfer-Encoding": "chunked", "Connection": "close"})
        self.assertIn(b"HTTP/1.1 200", raw(self.server.url, request + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"))

    def test_keep_alive_and_pipelining(self):
        one = head("POST", {"Content-Length": 2}) + b"{}"
        last = head("POST", {"Content-Length": 2, "Connection": "close"}) + b"{}"
        reply = raw(self.server.url, one * 9 + last)
        self.assertEqual(10, reply.count(b"HTTP/1.1 200"))

    def test_two_lengths_are_refused(self):
        for headers in ("Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: 2\r\nContent-Length: 2\r\n",
                        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 2, 2\r\n",
                        "Content-Length: -2\r\n", "Content-Length: 2x\r\n"):
            with self.subTest(headers=headers):
                request = head("POST", {})[:-2] + headers.encode() + b"\r\n{}"
                reply = raw(self.server.url, request)
                self.assertNotIn(b" 200 ", reply.split(b"\r\n", 1)[0])

    def test_rubbish_does_no_harm(self):
        for rubbish in (b"\x00" * 1000, b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"A" * 200_000,
                        b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", b"\x16\x03\x01\x02\x00\x01"):
            raw(self.server.url, rubbish, seconds=1)  # it may close at once, or when its time-out is over
        self.assertEqual(200, self.post({})[0])

    def test_a_client_that_goes_away(self):
        for _ in range(20):
            with connect(self.server.url) as connection:
                connection.sendall(head("POST", {"Content-Length": 100}) + b"{")
        self.assertEqual(200, self.post({})[0])


def connect(url, seconds=20):
    host, port = url.split("//")[1].split(":")
    return socket.create_connection((host, int(port)), timeout=seconds)


def head(method, headers):
    fixed = {"Host": "localhost", "X-Amz-Target": TARGET + "ListTables", "Content-Type": "application/x-amz-json-1.0",
             "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, "
                              "SignedHeaders=host, Signature=" + "0" * 64, "X-Amz-Date": "20260101T000000Z"}
    lines = [f"{method} / HTTP/1.1"] + [f"{name}: {value}" for name, value in {**fixed, **headers}.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def raw(url, request, seconds=20):
    """Sends bytes; answers all that comes back until the server closes, or says nothing for so long."""
    with connect(url, seconds) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        reply = b""
        try:
            while piece := connection.recv(65536):
                reply += piece
        except OSError:
            pass
        return reply
