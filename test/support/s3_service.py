"""An S3 service of somebody else's (moto), in this process: `with S3Service() as s3:`."""

import logging

import boto3
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").disabled = True  # a line for each request

KEY, SECRET, REGION = "AKIAIOSFODNN7EXAMPLE", "secret", "us-east-1"


class S3Service:
    def __enter__(self):
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.environment = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        self.client = boto3.session.Session().client(
            "s3", endpoint_url=self.url, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=SECRET)
        return self

    def __exit__(self, *reason):
        self.client.close()
        self.server.stop()
