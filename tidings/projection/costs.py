"""What each operation of a view costs: a class by what is done for one value, counted in the code and not timed.

A class says what work there is, not how long it takes: that is a matter of machine, sample and executor, and
`tidings explain --measure` times whole views where it runs. The lightest class stands first.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tidings.projection.heads import ABSENT, EVENT_ID, LIFE_EVENT_ID, RECORD_ID
from tidings.projection.plan import RECORD

CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "constant": "a constant is written; at most one byte of the event is looked at",
        "copy": "the value's bytes are copied, in step with their length",
        "walk": "each record is walked once to its named parts, which have costs of their own",
        "read": "one value is read and a shorter one written",
        "block": "one AES-128 block is enciphered",
        "hash": "one keyed BLAKE2b is made, of 20 bytes",
        "seal": "AES-SIV runs twice over the value's bytes (512-bit key)",
    }
)


_OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        ABSENT: "constant",
        "redact": "constant",
        "keep": "copy",
        RECORD: "walk",
        "partial": "read",
        "generalise": "read",
        EVENT_ID: "block",
        LIFE_EVENT_ID: "block",
        RECORD_ID: "hash",
        "pseudonym": "hash",
        "encrypt": "seal",
    }
)


def cost_of(how: str, logical: str = "") -> str:
    """The class of an operation (`Op.how`) on values of a logical type; nothing for a mask that has none here."""
    return "block" if how == "pseudonym" and logical == "uuid" else _OPERATIONS.get(how, "")
