#!/usr/bin/env python3
"""test/fault/http_raw.py SERVER [CHECK...]: throws well-made, ill-made and random bytes at a running HTTP server
(http_server.c, or gramme itself, with what does not need the other's API). It must live, and every reply must be
well-formed. Prints a line for each check."""

import atexit
import contextlib
import hashlib
import hmac
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import zlib

SERVER = sys.argv[1]
LIMIT_S = 100  # nothing here takes longer, however busy the machine, unless something hangs
SHORT_MS = (700, 3000, 12000)  # the server's limits of time where a test waits for them
MEGA = 1 << 20
ID = re.compile(r"[A-Z0-9]{52}\Z")
JSON = "application/x-amz-json-1.0"
AUTH = "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00"


class Server:
    """A server with the given limits of time; `credentials`, `tls`: files."""

    def __init__(self, limit_ms=60000, loops=2, files=()):
        self.process = subprocess.Popen([SERVER, str(loops), str(limit_ms), *files], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)  # where a check fails
        self.port = int(self.process.stdout.readline())

    def connect(self, host="127.0.0.1"):
        return Connection(socket.create_connection((host, self.port), timeout=LIMIT_S))

    def stop(self):
        self.process.stdin.close()

    def stopped(self):
        assert self.process.stdout.read() == "stopped\n"
        assert self.process.wait(LIMIT_S) == 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            with self.connect() as c:  # it lives
                assert c.ask(request(b"alive")).body == b"alive"
            self.stop()
            self.stopped()


class Gramme(Server):
    """The whole server. Its limits of time are longer than anybody waits here."""

    def __init__(self, **_):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([SERVER, "serve", "--data", self.folder.name, "--listen", "127.0.0.1:0"],
                                        stderr=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)
        self.port = int(re.search(r"listens on http://127.0.0.1:(\d+)", self.process.stderr.readline())[1])

    def __exit__(self, kind, *_):
        if kind is None:
            with self.connect() as c:
                assert c.ask(request(b"{}", target="DynamoDB_20120810.ListTables")).body == b'{"TableNames":[]}'
            self.process.terminate()
            said = self.process.communicate(timeout=LIMIT_S)[1]
            assert self.process.returncode == 0, said
            self.folder.cleanup()


WHOLE = os.path.basename(SERVER) == "gramme"
SERVER_KIND = Gramme if WHOLE else Server


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        if "x-amzn-requestid" in headers:
            assert ID.match(headers["x-amzn-requestid"]), headers
        if "x-amz-crc32" in headers and body is not None:
            assert int(headers["x-amz-crc32"]) == zlib.crc32(body), (headers, body)


class Connection:
    """Reads replies strictly: what does not look like one fails the test."""

    def __init__(self, sock):
        self.sock, self.rest = sock, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def more(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        self.rest += data
        return data

    def reply(self, head_only=False):
        """The next reply, or None where the connection has ended."""
        while b"\r\n\r\n" not in self.rest:
            if not self.more():
                assert self.rest == b"", self.rest
                return None
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("ascii").split("\r\n")
        match = re.match(r"HTTP/1\.1 (\d{3}) [ -~]+\Z", first)
        assert match, first
        headers = {}
        for line in lines:
            name, value = re.match(r"([!-9;-~]+): ([ -~]*)\Z", line).groups()
            assert name.lower() not in headers or name.lower() == "connection", line
            headers[name.lower()] = value
        if match[1] == "100":
            return Reply(100, headers, None)
        assert "transfer-encoding" not in headers
        size = 0 if head_only else int(headers["content-length"])
        while len(self.rest) < size:
            assert self.more(), "cut off"
        body, self.rest = self.rest[:size], self.rest[size:]
        if body.startswith(b"HTTP/1.1 4"):
            # libmicrohttpd 0.9.75 writes the head of its own error replies twice; and then it closes
            assert headers["connection"] == "close" and "x-amzn-requestid" not in headers
            while self.more():
                pass
            whole = body + self.rest
            assert whole.count(b"HTTP/1.1 ") == 1 and whole.endswith(b"</html>"), whole
            self.rest = b""
        return Reply(int(match[1]), headers, None if head_only else body)

    def ask(self, data):
        self.send(data)
        return self.reply()

    def ended(self):
        """Whether the server closes, with nothing more to say."""
        with contextlib.suppress(OSError):
            self.sock.settimeout(LIMIT_S)
            while self.more():
                assert self.rest == b"", self.rest
        return self.rest == b""


def head(*lines, method="POST", path="/", target="Echo", auth=AUTH):
    usual = ["Host: localhost", f"Content-Type: {JSON}", f"X-Amz-Target: {target}", "X-Amz-Date: 20260101T000000Z",
             f"Authorization: {auth}"]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *usual, *lines, "", ""]).encode()


def request(body=b"", *lines, **kw):
    return head(f"Content-Length: {len(body)}", *lines, **kw) + body


def chunked(*chunks, trailer=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n" + trailer + b"\r\n"


def together(*works):
    """Runs them all at once; fails if one does."""
    failed = []

    def guarded(work):
        try:
            work()
        except BaseException as e:
            failed.append(e)
    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        raise failed[0]


# --- what must work ---

def keeps_alive_and_answers_in_order():
    with Server() as server, server.connect() as c:
        for size in (0, 1, 1000, 65536, 5 * MEGA):
            body = os.urandom(size)
            reply = c.ask(request(body))
            assert (reply.status, reply.body) == (200, body)
            assert reply.headers["content-type"] == JSON
            assert "x-amz-crc32" in reply.headers and "date" in reply.headers
        c.send(b"".join(request(b"%d" % i) for i in range(200)))  # pipelined
        for i in range(200):
            assert c.reply().body == b"%d" % i
        reply = c.ask(request(b"last", "Connection: close"))
        assert reply.body == b"last" and c.ended()


def takes_a_request_split_anywhere():
    with Server() as server, server.connect() as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for whole in (request(b"body"), head("Transfer-Encoding: chunked") + chunked(b"bo", b"dy")):
            for at in range(1, len(whole)):
                c.send(whole[:at])
                if at % 8 == 0:
                    time.sleep(0.001)  # let the first part be read alone
                assert c.ask(whole[at:]).body == b"body", at
        for byte in request(b"slowly"):
            c.send(bytes([byte]))
        assert c.reply().body == b"slowly"


def reads_chunked_bodies():
    with Server() as server, server.connect() as c:
        chunks = [os.urandom(n) for n in (1, 15, 16, 4095, 70000)]
        c.send(head("Transfer-Encoding: chunked") + chunked(*chunks))
        assert c.reply().body == b"".join(chunks)
        c.send(head("Transfer-Encoding: Chunked") + chunked(b"a", trailer=b"X-More: 1\r\n"))
        assert c.reply().body == b"a"
        c.send(head("Transfer-Encoding: chunked") + b"1;x=y\r\na\r\n0\r\n\r\n")
        assert c.reply().body == b"a"
        c.send(head("Transfer-Encoding: chunked") + b"xyz\r\na\r\n0\r\n\r\n")
        reply = c.reply()
        assert (reply is None or reply.status == 400) and c.ended()


def continues_when_expected():
    with Server() as server, server.connect() as c:
        c.send(head("Expect: 100-continue", "Content-Length: 4"))
        assert c.reply().status == 100
        assert c.ask(b"body").body == b"body"
        c.send(head("Expect: 100-continue", "Content-Length: 99999999"))
        assert c.reply().status == 413 and c.ended()


def answers_what_is_no_call():
    unknown = b"<UnknownOperationException/>\n"
    with Server() as server, server.connect() as c:
        reply = c.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (reply.status, reply.body) == (200, b"healthy: dynamodb.us-east-1.amazonaws.com ")
        assert reply.headers["x-amz-crc32"] == "3128867991"
        c.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert c.reply(head_only=True).headers["content-length"] == "42"
        reply = c.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert reply.status == 200 and b"\ntest 1\n" in reply.body and b"gramme_connections 1\n" in reply.body
        for method, path in (("PUT", "/"), ("DELETE", "/"), ("GET", "/nope"), ("OPTIONS", "/"), ("FROB", "/")):
            reply = c.ask(request(b"x", method=method, path=path))
            assert (reply.status, reply.body) == (404, unknown), (method, path)
            assert reply.headers["x-amz-crc32"] == "3552371480" and "content-type" not in reply.headers
        reply = c.ask(request(b"", "Origin: http://a", "Access-Control-Request-Headers: a, b",
                              "Access-Control-Request-Method: d", method="OPTIONS"))
        assert (reply.status, reply.body) == (200, b"")
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["access-control-allow-headers"] == "a, b"
        assert reply.headers["access-control-allow-methods"] == "d"
        assert reply.headers["access-control-max-age"] == "172800"
        reply = c.ask(request(b"x", "Origin: http://a"))
        assert reply.body == b"x" and reply.headers["access-control-allow-origin"] == "*"
        for path in ("/nope", "//", "/metrics"):  # of a call, the service looks at no path
            assert c.ask(request(b"x", path=path)).body == b"x"
        assert c.ask(request(target="Fail")).status == 500
        assert c.ask(request(auth="Bearer x")).body.endswith(b'"Request is missing Authentication Token"}')


def parks_and_wakes():
    with Server(loops=3) as server:
        def client(times):
            with server.connect() as c:
                for n in times:
                    assert c.ask(request(b"%d" % n, target="Park")).body == b"%d" % n
                c.send(b"".join(request(b"%d" % n, target="Park") for n in times))  # pipelined behind it
                for n in times:
                    assert c.reply().body == b"%d" % n
        together(*[lambda i=i: client([1, 2, i, 50, 1, 3]) for i in range(24)])


def waits_for_nobody_when_all_have_spoken():
    """As many at once as libmicrohttpd takes with one call, none of whom says more until he is answered."""
    with Server(loops=1) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(128)]
        for _ in range(3):
            stop(server.process)
            for c in clients:
                c.send(request(b"x"))
            server.process.send_signal(signal.SIGCONT)
            for c in clients:
                assert c.reply().body == b"x"


def stop(process):
    process.send_signal(signal.SIGSTOP)
    while not os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1]):
        pass


def forgets_who_leaves_while_parked():
    with Server() as server:
        for _ in range(20):
            with server.connect() as c:
                c.send(request(target="Hold"))
        with server.connect() as c, server.connect() as waits:
            waits.send(request(b"still here", target="Hold"))
            while b"in_flight 22\n" not in c.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").body:
                pass
            assert c.ask(request(target="Release")).status == 200
            assert waits.reply().body == b"still here"
            while b"in_flight 1\n" not in c.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").body:
                pass


# --- what must be refused ---

def refuses_doubtful_framing():
    smuggled = request(b"smuggled")
    lengths = ["Content-Length: 0"]
    bad = [
        lengths * 2,
        ["Content-Length: 0", f"Content-Length: {len(smuggled)}"],
        ["Content-Length: 0", "content-length: 0"],
        ["Content-Length: 0, 0"],
        ["Content-Length: +0"], ["Content-Length: -1"], ["Content-Length: 0x0"], ["Content-Length: 0 0"],
        ["Content-Length: 99999999999999999999999"], ["Content-Length: 18446744073709551616"],
        ["Content-Length : 0"],
        ["Content-Length: 0", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 0"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: identity"], ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: chunked, identity"], ["Transfer-Encoding:\x0bchunked"],
    ]
    with SERVER_KIND() as server:
        for lines in bad:
            with server.connect() as c:
                c.send(head(*lines) + smuggled)
                reply = c.reply()
                assert reply is None or reply.status in (400, 413, 501), (lines, reply.status, reply.body)
                assert reply is None or b"smuggled" not in reply.body, lines
                assert c.ended(), lines


def refuses_what_is_too_large():
    with Server() as server:
        for data in (head("X-Long: " + "x" * 65536, "Content-Length: 0"),
                     head(*[f"X-{i}: y" for i in range(100)], "Content-Length: 0"),
                     head("Content-Length: 0", path="/" + "x" * 65536)):
            with server.connect() as c:
                with contextlib.suppress(ConnectionError):
                    c.send(data)
                reply = c.reply()
                assert reply is None or reply.status in (413, 414, 431), reply.status
                assert c.ended()
        with server.connect() as c:  # read to its end, and the connection lives on
            reply = c.ask(request(bytes(30 * MEGA)))
            assert reply.status == 413 and b"RequestEntityTooLargeException" in reply.body
            assert c.ask(request(b"next")).body == b"next"
            c.send(head("Transfer-Encoding: chunked") + chunked(*[bytes(MEGA)] * 30))
            assert c.reply().status == 413
            assert c.ask(request(bytes(23 * MEGA))).status == 200
        with server.connect() as c:
            reply = c.ask(head("Content-Length: 99999999"))
            assert reply.status == 413 and c.ended()


def bounds_the_memory_of_bodies():
    with Server() as server, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(14)]
        for c in connections:
            c.send(head(f"Content-Length: {20 * MEGA}") + bytes(20 * MEGA - 1))
        statuses = [c.ask(b"x").status for c in connections]
        assert set(statuses) == {200, 503}, statuses


def closes_on_who_is_slow():
    assert any(closes_at(limit_ms) for limit_ms in SHORT_MS)


def closes_at(limit_ms):
    """False where a busy machine has made us slow who must not be."""
    with Server(limit_ms=limit_ms) as server, contextlib.ExitStack() as stack:
        begun = time.monotonic()
        beginnings = (b"", b"POST", head("Content-Length: 4")[:-2], head("Content-Length: 400"),
                      head("Transfer-Encoding: chunked"), request(b"first"), request(b"first") + b"POST / HT")
        connections = [stack.enter_context(server.connect()) for _ in beginnings]
        for c, data in zip(connections, beginnings):
            with contextlib.suppress(OSError):
                c.send(data)
        parked = stack.enter_context(server.connect())
        parked.send(request(b"woken", target="Hold"))
        first = [c.reply() for c in connections[-2:]]
        if time.monotonic() - begun > limit_ms / 1000 / 2:
            with server.connect() as c:
                c.ask(request(target="Release"))
            return False
        for reply in first:
            assert reply.body == b"first"
        while time.monotonic() - begun < limit_ms / 1000 * 2:  # a byte now and then does not help
            for c in connections[1:]:
                with contextlib.suppress(OSError):
                    c.send(b"1")
            time.sleep(0.05)
        for c in connections:
            assert c.ended()
        with server.connect() as c:  # whom we keep waiting is not slow
            c.send(request(target="Release"))
            assert c.reply().status == 200
        assert parked.reply().body == b"woken"
    return True


def lives_through_random_bytes():
    seed = random.SystemRandom().randrange(1 << 32) if "SEED" not in os.environ else int(os.environ["SEED"])
    print("# seed", seed)
    rng = random.Random(seed)
    models = [request(b"body"), head("Transfer-Encoding: chunked") + chunked(b"bo", b"dy"),
              head("Expect: 100-continue", "Content-Length: 4") + b"body", request(b"2", target="Park"),
              request(b'{"Limit":1}', target="DynamoDB_20120810.ListTables"),
              b"GET /metrics HTTP/1.0\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\nOrigin: y\r\n\r\n"]
    spice = [b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\xff", b"%", b"%00", b"?", b"\t", b",", b";",
             b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"HTTP/1.1", b"0"]

    def ruined(data):
        data = bytearray(data)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(data) + 1)
            what = rng.randrange(4)
            if what == 0:
                data[at:at] = rng.choice(spice)
            elif what == 1:
                del data[at:at + rng.randrange(1, 20)]
            elif what == 2 and at < len(data):
                data[at] = rng.randrange(256)
            else:
                other = rng.choice(models)
                data[at:at] = other[rng.randrange(len(other)):]
        return bytes(data)
    def throw(server, data):
        impatient = contextlib.suppress(TimeoutError) if WHOLE else contextlib.nullcontext()
        with server.connect() as c, impatient:
            c.sock.settimeout(SHORT_MS[0] / 1000 if WHOLE else LIMIT_S)
            with contextlib.suppress(OSError):
                c.send(data)
                c.sock.shutdown(socket.SHUT_WR)  # libmicrohttpd may miss this; then the limit ends it
            while c.rest or c.more():
                while b"\r\n\r\n" not in c.rest and c.more():
                    pass
                if b"\r\n\r\n" in c.rest:
                    c.reply()
                else:
                    assert c.rest == b"", c.rest
    with SERVER_KIND(limit_ms=200) as server:
        data = [(rng.randbytes(rng.randrange(2000)) if i % 10 == 0 else ruined(rng.choice(models))) * rng.randrange(1, 4)
                for i in range(400 if WHOLE else 2000)]
        together(*[lambda part=data[i::16]: [throw(server, d) for d in part] for i in range(16)])


# --- the rest ---

def signed(secret, body):
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{now[:8]}/us-east-1/dynamodb/aws4_request"
    canonical = f"POST\n/\n\nhost:localhost\nx-amz-date:{now}\n\nhost;x-amz-date\n{hashlib.sha256(body).hexdigest()}"
    string = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + secret
    for part in (*scope.split("/"), string):
        key = hmac.digest(key, part.encode(), "sha256")
    lines = ["POST / HTTP/1.1", "Host: localhost", f"X-Amz-Date: {now}", "X-Amz-Target: Echo",
             f"Content-Length: {len(body)}", "Authorization: AWS4-HMAC-SHA256 "
             f"Credential=AKIATEST/{scope}, SignedHeaders=host;x-amz-date, Signature={key.hex()}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def checks_signatures():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("[a]\naws_access_key_id = AKIATEST\naws_secret_access_key = secret\n")
        file.flush()
        server = Server(files=[file.name])
        with server.connect() as c:
            assert c.ask(signed(b"secret", b"body")).body == b"body"
            reply = c.ask(signed(b"guessed", b"body"))
            assert reply.status == 400 and b"InvalidSignatureException" in reply.body
            assert b"Signature expired" in c.ask(request(b"body")).body
            assert c.ask(signed(b"secret", b"again")).body == b"again"
        server.stop()
        server.stopped()


def speaks_tls():
    with tempfile.TemporaryDirectory() as folder:
        cert, key, none = f"{folder}/cert", f"{folder}/key", f"{folder}/credentials"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        with open(none, "w") as file:
            file.write("[a]\naws_access_key_id = AKIATEST\naws_secret_access_key = secret\n")
        os.chmod(none, 0o600)
        server = Server(files=[none, cert, key])
        context = ssl.create_default_context(cafile=cert)
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S)
        with Connection(context.wrap_socket(plain, server_hostname="localhost")) as c:
            for size in (3, 100000):
                body = os.urandom(size)
                assert c.ask(signed(b"secret", body)).body == body
        with server.connect() as c:
            c.send(request(b"not TLS"))
            assert b"HTTP" not in (c.more() or b"")
        server.stop()
        server.stopped()
        refused = subprocess.run([SERVER, "1", "1000", none, cert, cert], capture_output=True, text=True)
        assert refused.returncode == 1 and "certificate and key" in refused.stderr, refused


def stops_when_told():
    server = Server()
    with server.connect() as held, server.connect() as idle, server.connect() as releases:
        held.send(request(b"in flight", target="Hold"))
        assert idle.ask(request(b"x")).status == 200
        while b"in_flight 2\n" not in releases.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").body:
            pass
        server.stop()
        while True:  # it takes no more connections
            try:
                server.connect().sock.close()
            except (ConnectionRefusedError, ConnectionResetError):
                break
        reply = releases.ask(request(b"go", target="Release"))
        assert reply.body == b"go" and reply.headers["connection"].lower() == "close"
        assert held.reply().body == b"in flight"
        assert idle.ended() and held.ended() and releases.ended()
    server.stopped()


CHECKS = [keeps_alive_and_answers_in_order, takes_a_request_split_anywhere, reads_chunked_bodies,
          continues_when_expected, answers_what_is_no_call, parks_and_wakes,
          waits_for_nobody_when_all_have_spoken, forgets_who_leaves_while_parked,
          refuses_doubtful_framing, refuses_what_is_too_large, bounds_the_memory_of_bodies, closes_on_who_is_slow,
          lives_through_random_bytes, checks_signatures, speaks_tls, stops_when_told]

CHECKS_WHOLE = [refuses_doubtful_framing, lives_through_random_bytes]

for check in CHECKS_WHOLE if WHOLE else CHECKS:
    if len(sys.argv) < 3 or check.__name__ in sys.argv[2:]:
        begun = time.monotonic()
        check()
        print(f"ok {check.__name__} {time.monotonic() - begun:.1f} s", flush=True)
