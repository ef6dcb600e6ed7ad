"""The stand-in of s3_stand_in.py as a process: `stand_in = StandIn()`, and `close()` at the end."""

import base64
import os
import subprocess
import sys
import urllib.request

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "s3_stand_in.py")
KEYS = {"AWS_ACCESS_KEY_ID": "AKIASTANDIN", "AWS_SECRET_ACCESS_KEY": "stand-in/secret+key"}
REGION = "eu-test-1"


class StandIn:
    def __init__(self):
        self.process = subprocess.Popen([sys.executable, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.options = ("--s3-endpoint", self.url, "--s3-region", REGION)

    def close(self):
        self.process.communicate()

    def tell(self, what, text=""):
        request = urllib.request.Request(f"{self.url}/-/{what}", text.encode(), method="PUT")
        urllib.request.urlopen(request, timeout=60).close()

    def ask(self, what):
        with urllib.request.urlopen(f"{self.url}/-/{what}", timeout=60) as reply:
            return reply.read().decode()

    def write_objects(self, folder):
        """The buckets as folders."""
        for line in self.ask("objects").splitlines():
            path, _, text = line.rpartition(" ")
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(base64.b64decode(text))
