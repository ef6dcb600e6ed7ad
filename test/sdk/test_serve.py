"""The binary: its commands, what it refuses, how it starts and stops."""

import concurrent.futures
import os
import signal
import socket
import subprocess
import unittest
import uuid

from support.case import client, wait_for
from support.server import GRAMME, Server, gramme


class Commands(unittest.TestCase):
    def test_help(self):
        status, out, err = gramme("--help")
        self.assertEqual((0, ""), (status, err))
        self.assertIn("serve", out)
        status, out, err = gramme("serve", "--help")
        self.assertEqual((0, ""), (status, err))
        for option in ("--data", "--listen", "--region", "--account", "--buckets", "--s3-endpoint", "--credentials",
                       "--durability", "--config", "--memory", "--loops", "--tls-cert", "--insecure"):
            self.assertIn(option, out)

    def test_version(self):
        status, out, _ = gramme("--version")
        self.assertEqual(0, status)
        self.assertRegex(out, r"^gramme \d+\.\d+\.\d+\n")

    def test_usage(self):
        for arguments in ((), ("dance",), ("serve",), ("serve", "--what")):
            status, out, err = gramme(*arguments)
            self.assertEqual((2, ""), (status, out))
            self.assertRegex(err, r"^gramme.*\n$")


class Refusals(unittest.TestCase):
    def refused(self, *options, environment=None):
        server = Server(*options, environment=environment)
        try:
            server.launch()
            server.wait()
            self.assertNotEqual(0, server.process.returncode)
            self.assertTrue(server.lines)
            server.check_log()
            return server.lines[-1]
        finally:
            server.close()

    def test_beyond_this_machine(self):
        server = Server("--listen", "0.0.0.0:0")
        try:
            server.launch()
            server.wait()
            self.assertIn("credentials", server.lines[-1])
        finally:
            server.close()
        with Server("--listen", "0.0.0.0:0", "--insecure") as server:
            self.assertIn("0.0.0.0", server.url)

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assertIn(str(port), self.refused("--listen", f"127.0.0.1:{port}"))

    def test_folder_in_use(self):
        with Server() as first:
            second = Server(data=first.data)
            try:
                second.launch()
                second.wait()
                self.assertEqual(1, second.process.returncode)
                self.assertIn("use", second.lines[-1])
            finally:
                second.close()
            client(first.url).list_tables()

    def test_folder_that_cannot_be_made(self):
        self.assertIn("/proc/gramme", self.refused("--data", "/proc/gramme"))

    def test_missing_files(self):
        self.assertIn("/nowhere", self.refused("--credentials", "/nowhere"))
        self.assertIn("/nowhere", self.refused("--config", "/nowhere"))
        self.assertIn("/nowhere", self.refused("--tls-cert", "/nowhere", "--tls-key", "/nowhere"))

    def test_s3_without_keys(self):
        keys = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": "/nowhere"}
        said = self.refused("--s3-endpoint", "http://127.0.0.1:1", environment=keys)
        self.assertIn("AWS_ACCESS_KEY_ID", said)


class Life(unittest.TestCase):
    def test_log_lines(self):
        with Server("--durability", "relaxed") as server:
            start = [line for line in server.lines if "listens on" in line]
            self.assertEqual(1, len(start))
            for word in (str(server.data), "relaxed", "signature"):
                self.assertIn(word, start[0])
            self.assertEqual(start, server.lines)
            server.stop()
            self.assertEqual(2, len(server.lines), server.lines)
            self.assertIn("stopped", server.lines[1])

    def test_both_signals(self):
        for each in (signal.SIGTERM, signal.SIGINT):
            with Server() as server:
                server.process.send_signal(each)
                server.wait()
                self.assertEqual(0, server.process.returncode, server.log())

    def test_idle_connections_do_not_hold_it(self):
        with Server() as server:
            host, port = server.url.split("//")[1].split(":")
            with socket.create_connection((host, int(port))), socket.create_connection((host, int(port))) as half:
                half.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
                server.stop()

    def test_stop_under_load_keeps_what_was_acknowledged(self):
        with Server() as server:
            dynamo = client(server.url)
            name = "t" + uuid.uuid4().hex
            dynamo.create_table(TableName=name, KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                                BillingMode="PAY_PER_REQUEST")

            def write(worker):
                done, mine = [], client(server.url)
                for at in range(100_000):
                    try:
                        mine.put_item(TableName=name, Item={"pk": {"S": f"{worker}-{at}"}})
                    except Exception:  # the server has gone, in whatever way the SDK puts it
                        return done
                    done.append(f"{worker}-{at}")
                return done

            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                writers = [pool.submit(write, worker) for worker in range(4)]
                wait_for(lambda: dynamo.describe_table(TableName=name)["Table"]["ItemCount"] > 200, "some writes")
                server.stop()
                done = {key for writer in writers for key in writer.result()}
            server.start()
            pages = client(server.url).get_paginator("scan").paginate(TableName=name)
            found = {item["pk"]["S"] for page in pages for item in page["Items"]}
            self.assertLessEqual(done, found)
            self.assertLessEqual(len(found - done), 4)

    def test_settings_from_a_file(self):
        with Server() as server:
            server.stop()
            config = server.folder / "gramme.conf"
            config.write_text(f"data = {server.data}\nlisten = 127.0.0.1:0\nregion = eu-north-1\n"
                              f"account = 123456789012\n")
            server.command = lambda: [GRAMME, "serve", "--config", str(config)]
            server.start()
            made = client(server.url, region="eu-north-1").create_table(
                TableName="abc", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
            self.assertEqual("arn:aws:dynamodb:eu-north-1:123456789012:table/abc",
                             made["TableDescription"]["TableArn"])

    def test_tls(self):
        with Server() as server:
            server.stop()
            cert, key = server.folder / "cert.pem", server.folder / "key.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
            server.options = ["--tls-cert", str(cert), "--tls-key", str(key)]
            server.start()
            self.assertTrue(server.url.startswith("https://"))
            os.environ["AWS_CA_BUNDLE"] = str(cert)
            self.addCleanup(os.environ.pop, "AWS_CA_BUNDLE")
            self.assertEqual([], client(server.url).list_tables()["TableNames"])
