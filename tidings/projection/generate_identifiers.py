"""Whether an identifier passes the checksum of its scheme, from its bytes: equal to `identifier_checksum.valid`."""

from __future__ import annotations

from tidings.checks.identifier_checksum import SCHEMES, nhs_number_adds_up, valid
from tidings.projection.generate_code import Unsupported
from tidings.projection.generate_notes import Types
from tidings.projection.generate_runtime import text_at
from tidings.projection.generate_where import Test
from tidings.wire import zigzag

_NHS = b"nhs_number"
_DIGITS = 10


def identifier_test(types: Types, row: int, scheme: str | None) -> Test:
    """The test of a record of scheme and value, or of a text under `scheme`. Raises Unsupported for other types."""
    kind = types[row]
    if kind.kind == "string":
        return lambda body, at: valid(scheme, text_at(body, at).decode())
    if kind.kind != "record" or kind.names[:2] != ("scheme", "value"):
        raise Unsupported("an identifier of this type")
    if any(types[of].kind != "string" for of in kind.of[:2]):
        raise Unsupported("an identifier of this type")
    checked = frozenset(name.encode() for name in SCHEMES)

    def test(body: bytes, at: int) -> bool:
        name = text_at(body, at)
        if name not in checked:
            return True
        at += len(name) + (1 if len(name) < 64 else len(zigzag(len(name))))
        value = text_at(body, at)
        if name == _NHS and len(value) == _DIGITS and value.isdigit():
            return nhs_number_adds_up(int(value))
        return valid(name.decode(), value.decode())

    return test
