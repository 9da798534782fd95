"""Whether an identifier passes the checksum of its scheme, from its bytes: equal to `identifier_checksum.valid`."""

from __future__ import annotations

from functools import cache

from tidings.checks.identifier_checksum import SCHEMES, valid
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
    upper, lower = _weights()
    checked = frozenset(name.encode() for name in SCHEMES)

    def test(body: bytes, at: int) -> bool:
        name = text_at(body, at)
        if name not in checked:
            return True
        at += len(name) + (1 if len(name) < 64 else len(zigzag(len(name))))
        value = text_at(body, at)
        if name == _NHS and len(value) == _DIGITS and value.isdigit():
            high, low = divmod(int(value), 100_000)
            return (upper[high] + lower[low]) % 11 == 0
        return valid(name.decode(), value.decode())

    return test


@cache
def _weights() -> tuple[bytes, bytes]:
    """The weighted sums, modulo 11, of the first and the last five digits of an NHS number: weights 10 to 1.

    Source: NHS Data Dictionary, NHS NUMBER: the weights of the nine digits are 10 to 2, and the check digit makes the
    sum divisible by 11.
    """

    def sums(weights: tuple[int, ...]) -> bytes:
        made = [0]
        for weight in weights:
            made = [(total + weight * digit) % 11 for total in made for digit in range(10)]
        return bytes(made)

    return sums((10, 9, 8, 7, 6)), sums((5, 4, 3, 2, 1))
