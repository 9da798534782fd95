"""Whether two parts of a message surely do not contradict each other, from their bytes: the check `same_subject`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tidings.partial_dates import Interval
from tidings.projection.generate_code import Unsupported
from tidings.projection.generate_dates import Reader, reader_of
from tidings.projection.generate_notes import Types
from tidings.projection.generate_runtime import text_at
from tidings.projection.generate_types import is_partial_date
from tidings.projection.structure import read_long

Same = Callable[[bytes, Sequence[int], Sequence[int]], bool]
"""Whether the values that begin at these places and those that begin at those surely may be the same person's."""


def same_test(types: Types, first: int, then: int) -> Same:
    """The test of two records of scheme and value, or of two partial dates. Raises Unsupported for other types."""
    if _is_id(types, first) and _is_id(types, then):
        return _ids_agree
    if _is_date(types, first) and _is_date(types, then):
        return _dates_meet(reader_of(types, first), reader_of(types, then))
    raise Unsupported("the same subject by values of these types")


def _is_id(types: Types, row: int) -> bool:
    kind = types[row]
    if kind.kind != "record" or kind.names[:2] != ("scheme", "value") or "year" in kind.names:
        return False
    return all(types[of].kind == "string" for of in kind.of[:2])


def _is_date(types: Types, row: int) -> bool:
    return is_partial_date(types, row) and "scheme" not in types[row].names


def _ids_agree(body: bytes, firsts: Sequence[int], thens: Sequence[int]) -> bool:
    """Each scheme that both sides have has a value in common."""
    if not firsts or not thens:
        return True
    ours = {_named(body, at) for at in firsts}
    theirs = {_named(body, at) for at in thens}
    schemes = {scheme for scheme, _ in ours} & {scheme for scheme, _ in theirs}
    return schemes <= {scheme for scheme, _ in ours & theirs}


def _named(body: bytes, at: int) -> tuple[bytes, bytes]:
    length, start = read_long(body, at)
    return body[start : start + length], text_at(body, start + length)


def _dates_meet(first: Reader, then: Reader) -> Same:
    """There is no pair of two days, or one of which neither is surely after the other."""

    def meet(body: bytes, firsts: Sequence[int], thens: Sequence[int]) -> bool:
        ours = [Interval(*meaning) for at in firsts if (meaning := first(body, at))]
        theirs = [Interval(*meaning) for at in thens if (meaning := then(body, at))]
        pairs = [(one, other) for one in ours for other in theirs]
        return not pairs or any(not one.surely_after(other) and not other.surely_after(one) for one, other in pairs)

    return meet
