"""Checks every reply of the server against botocore's model of the service, as it came over the wire, before
the SDK has made anything friendlier of it."""

import base64
import json
import re
import zlib

# Errors that any operation may answer beside those of its model (the SDK guide's "common errors").
COMMON_ERRORS = {
    "SerializationException", "UnknownOperationException", "MissingAuthenticationTokenException",
    "IncompleteSignatureException", "InvalidSignatureException", "UnrecognizedClientException",
    "AccessDeniedException", "ThrottlingException", "ValidationException", "InternalServerError",
    "ServiceUnavailable", "ExpiredTokenException",
}
REQUEST_ID = re.compile(r"[A-Z0-9]{52}")
PLAIN_TIME = re.compile(r"\d{1,12}(\.\d{1,3})?")


class Mismatch(AssertionError):
    pass


class NumberText(str):
    """A JSON number as it is written."""


def parse(body):
    return json.loads(body, parse_int=NumberText, parse_float=NumberText, parse_constant=_no_constant,
                      object_pairs_hook=_members)


def _no_constant(name):
    raise Mismatch(f"{name} is no JSON")


def _members(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Mismatch(f"a member twice: {names}")
    return dict(pairs)


def check_shape(shape, value, path):
    if value is None:
        raise Mismatch(f"{path} is null; the service leaves such members out")
    CHECKS[shape.type_name](shape, value, path)


def _expect(value, kind, path):
    if not isinstance(value, kind) or (kind is str and isinstance(value, NumberText)):
        raise Mismatch(f"{path} is {value!r}, not of type {kind.__name__}")


def _structure(shape, value, path):
    _expect(value, dict, path)
    members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    for name, inner in value.items():
        if name not in members:
            raise Mismatch(f"{path}.{name} is unknown to the model")
        check_shape(members[name], inner, f"{path}.{name}")
    for name in shape.required_members:
        if name not in value:
            raise Mismatch(f"{path}.{name} is required and missing")
    if shape.name == "AttributeValue" and len(value) != 1:
        raise Mismatch(f"{path} has {len(value)} types")


def _list(shape, value, path):
    _expect(value, list, path)
    for at, inner in enumerate(value):
        check_shape(shape.member, inner, f"{path}[{at}]")


def _map(shape, value, path):
    _expect(value, dict, path)
    for name, inner in value.items():
        check_shape(shape.value, inner, f"{path}[{name}]")


def _string(shape, value, path):
    _expect(value, str, path)
    if shape.enum and value not in shape.enum:
        raise Mismatch(f"{path} is {value!r}, none of {shape.enum}")


def _blob(_, value, path):
    _expect(value, str, path)
    if base64.b64encode(base64.b64decode(value, validate=True)).decode() != value:
        raise Mismatch(f"{path} is no canonical base64")


def _integer(_, value, path):
    # Not the model's bounds: the real service answers 0 where the model says 1 and up, as in
    # ProvisionedThroughput of a table on demand.
    _expect(value, NumberText, path)
    int(value)


def _double(_, value, path):
    _expect(value, NumberText, path)
    float(value)


def _boolean(_, value, path):
    _expect(value, bool, path)


def _timestamp(_, value, path):
    _expect(value, NumberText, path)
    if not PLAIN_TIME.fullmatch(value):
        raise Mismatch(f"{path} is {value}, not seconds with at most three decimals")


CHECKS = {
    "structure": _structure, "list": _list, "map": _map, "string": _string, "character": _string, "blob": _blob,
    "integer": _integer, "long": _integer, "double": _double, "float": _double, "boolean": _boolean,
    "timestamp": _timestamp,
}


def check_reply(operation, status, headers, body):
    """One HTTP reply to an operation (an OperationModel of botocore)."""
    headers = {name.lower(): value for name, value in headers.items()}
    if not REQUEST_ID.fullmatch(headers.get("x-amzn-requestid", "")):
        raise Mismatch(f"x-amzn-RequestId is {headers.get('x-amzn-requestid')!r}")
    if headers.get("x-amz-crc32") != str(zlib.crc32(body)):
        raise Mismatch(f"x-amz-crc32 is {headers.get('x-amz-crc32')}, not {zlib.crc32(body)}")
    if headers.get("content-type") != "application/x-amz-json-1.0":
        raise Mismatch(f"Content-Type is {headers.get('content-type')}")
    if status == 200 and operation.output_shape is None:
        if body:  # TagResource and UntagResource
            raise Mismatch(f"{operation.name} answers {body!r}; it has no output")
        return
    value = parse(body)
    if status == 200:
        check_shape(operation.output_shape, value, operation.name)
    else:
        check_error(operation, status, value)


def check_error(operation, status, value):
    _expect(value, dict, "error")
    namespace, mark, name = value.get("__type", "").partition("#")
    if not mark or not namespace.startswith("com.amazon"):
        raise Mismatch(f"__type is {value.get('__type')!r}")
    if name not in COMMON_ERRORS | {shape.name for shape in operation.error_shapes}:
        raise Mismatch(f"{operation.name} has no error {name}")
    if not set(value) <= {"__type", "message", "Message", "CancellationReasons", "Item"}:
        raise Mismatch(f"unknown members of an error: {sorted(value)}")
    if (status >= 500) != (name in ("InternalServerError", "ServiceUnavailable")):
        raise Mismatch(f"{name} with status {status}")


def watch(client):
    """From now on every reply that this boto3 client gets is checked; a mismatch is raised from the call."""
    def before_parse(operation_model, response_dict, **_):
        check_reply(operation_model, response_dict["status_code"], response_dict["headers"], response_dict["body"])
    client.meta.events.register("before-parse.dynamodb.*", before_parse)
    return client
