"""Ion text of exports, read by amazon.ion, as the attribute values that it stands for."""

import base64
import decimal

from amazon.ion import simpleion
from amazon.ion.core import IonType

SETS = {f"$dynamodb_{kind}": kind for kind in ("SS", "NS", "BS")}
DIGITS = decimal.Context(prec=60)


def number(value):
    """The text of an N: without an exponent."""
    return format(DIGITS.create_decimal(value), "f")


def attribute(value):
    """One value as {"S": ...}; binary values as bytes."""
    annotations = [each.text for each in value.ion_annotations]
    kind = value.ion_type
    if kind is IonType.LIST and annotations:
        members = [next(iter(attribute(each).values())) for each in value]
        return {SETS[annotations[0]]: members}
    assert not annotations, annotations
    if kind is IonType.STRING:
        return {"S": str(value)}
    if kind is IonType.DECIMAL:
        return {"N": number(value)}
    if kind is IonType.BLOB:
        return {"B": bytes(value)}
    if kind is IonType.BOOL:
        return {"BOOL": bool(value)}
    if kind is IonType.NULL:
        return {"NULL": True}
    if kind is IonType.LIST:
        return {"L": [attribute(each) for each in value]}
    assert kind is IonType.STRUCT, kind
    return {"M": attributes(value)}


def attributes(struct):
    return {name: attribute(value) for name, value in struct.items()}


def read_line(line):
    """A line's struct, whatever it is: what is in it is a struct each."""
    return simpleion.loads(line, single_value=True)


def read_item(line):
    struct = read_line(line)
    assert list(struct) == ["Item"], list(struct)
    return attributes(struct["Item"])


def from_javascript(item):
    """What javascript/read_ion.cjs printed: its binary values are base64, its numbers are as it prints them."""
    def value(each):
        kind, inner = next(iter(each.items()))
        turned = {"N": number, "B": base64.b64decode, "NS": lambda all: [number(one) for one in all],
                  "BS": lambda all: [base64.b64decode(one) for one in all],
                  "L": lambda all: [value(one) for one in all], "M": from_javascript}
        return {kind: turned.get(kind, lambda same: same)(inner)}
    return {name: value(each) for name, each in item.items()}
