"""The s3 store on an S3 service that is not ours: the suite of every store, a test each."""

import os
import re
import subprocess
import unittest

from support.s3_service import REGION, S3Service


class Suite(unittest.TestCase):
    def test_store_suite(self):
        with S3Service() as s3:
            s3.client.create_bucket(Bucket="bucket")
            done = subprocess.run([os.environ["STORE_SUITE"]], capture_output=True, text=True, timeout=100, check=False,
                                  env={**os.environ, **s3.environment, "S3_ENDPOINT": s3.url, "S3_REGION": REGION,
                                       "S3_BUCKET": "bucket", "CMOCKA_MESSAGE_OUTPUT": "TAP"})
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            self.assertGreater(len(re.findall(r"^ok ", done.stdout, re.M)), 5)


if __name__ == "__main__":
    unittest.main()
