"""A client that does little, so that load comes from few processor cycles: keep-alive, hand-made requests, no
parameter checks, no retries. What it is told by the server it tells as it is."""

import http.client
import json

AUTHORIZATION = ("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/dynamodb/aws4_request, "
                 "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64)


class Gone(Exception):
    """The server went away; whether it did what was asked is not known."""


class Refused(Exception):
    """The server answered an error."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Connection:
    """One connection; one thread."""

    def __init__(self, url):
        host, port = url.split("//")[1].split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=60)

    def call(self, operation, **parameters):
        try:
            self.connection.request("POST", "/", json.dumps(parameters), {
                "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}",
                "X-Amz-Date": "20260101T000000Z", "Authorization": AUTHORIZATION})
            reply = self.connection.getresponse()
            body = reply.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise Gone(str(error)) from None
        if reply.status != 200:
            raise Refused(reply.status, body.decode())
        return json.loads(body)

    def put(self, table, **attributes):
        """Puts an item of strings."""
        self.call("PutItem", TableName=table, Item={name: {"S": text} for name, text in attributes.items()})

    def delete(self, table, key):
        self.call("DeleteItem", TableName=table, Key={"pk": {"S": key}})

    def scan(self, table, **more):
        """All items, or those of an index, as {key: {name: text}}."""
        found, start = {}, {}
        while True:
            page = self.call("Scan", TableName=table, **(more or {"ConsistentRead": True}), **start)
            for item in page["Items"]:
                found[item["pk"]["S"]] = {name: value["S"] for name, value in item.items()}
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def close(self):
        self.connection.close()
