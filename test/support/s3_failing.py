"""The S3 of support/s3_stand_in.py, which fails when it is told to, in a process of its own."""

import base64
import pathlib
import subprocess
import sys
import urllib.request

KEYS = {"AWS_ACCESS_KEY_ID": "AKIASTANDIN", "AWS_SECRET_ACCESS_KEY": "stand-in/secret+key"}


class FailingS3:
    """`with FailingS3() as s3:`; a server takes `s3.options` and the keys in its environment."""

    def __enter__(self):
        script = pathlib.Path(__file__).with_name("s3_stand_in.py")
        self.process = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.url = self.process.stdout.readline().strip()
        self.options = ("--s3-endpoint", self.url, "--s3-region", "eu-test-1")
        return self

    def __exit__(self, *reason):
        self.process.communicate()  # it ends with its standard input

    def told(self, what, text=""):
        request = urllib.request.Request(f"{self.url}/-/{what}", text.encode(), method="PUT")
        urllib.request.urlopen(request, timeout=60).close()

    def asked(self, what):
        with urllib.request.urlopen(f"{self.url}/-/{what}", timeout=60) as reply:
            return reply.read().decode()

    def write_objects(self, folder):
        """The buckets as folders."""
        for line in self.asked("objects").splitlines():
            path, _, text = line.rpartition(" ")
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(base64.b64decode(text))
