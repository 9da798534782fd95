"""What the generator asks about Avro types, by the rows of a program."""

from __future__ import annotations

from tidings.projection.generate_notes import Types


def is_nullable(types: Types, row: int) -> bool:
    """Whether it is a union of null, in the first place, and one type."""
    kind = types[row]
    return kind.kind == "union" and len(kind.of) == 2 and types[kind.of[0]].kind == "null"


def recursive(types: Types) -> frozenset[int]:
    """The records that can hold one of their own type."""

    def below(start: int) -> set[int]:
        seen: set[int] = set()
        waiting = list(types[start].of)
        while waiting:
            row = waiting.pop()
            if row not in seen:
                seen.add(row)
                waiting += types[row].of
        return seen

    return frozenset(row for row, kind in enumerate(types) if kind.kind == "record" and row in below(row))


def is_partial_date(types: Types, row: int) -> bool:
    """Whether a record begins as `PartialDate` does: a year, then a month and a day that may be null."""
    kind = types[row]
    if kind.kind != "record" or kind.names[:3] != ("year", "month", "day") or types[kind.of[0]].kind != "int":
        return False
    return all(is_nullable(types, of) and types[types[of].of[1]].kind == "int" for of in kind.of[1:3])


def common_form(types: Types, row: int) -> bytes | None:
    """A pattern of whole and sound values that most are like: a PartialDate of our age, with nothing but its figures.
    None for other types."""
    rest = types[row].of[3:]
    if not is_partial_date(types, row) or not all(is_nullable(types, of) for of in rest):
        return None
    small = rb"(?:\x00|\x02[\x00-\x7f])"
    return rb"[\x80-\xff][\x01-\x7f]" + small + small + rb"\x00" * len(rest)


def depth_of(types: Types, row: int) -> int:
    """How many records deep a type nests that is not recursive."""
    below = max((depth_of(types, inner) for inner in types[row].of), default=0)
    return below + (types[row].kind == "record")


def may_be_empty(types: Types, row: int, around: frozenset[int] = frozenset()) -> bool:
    """Whether a value can have no bytes at all. A record that must hold itself has no value, and so no empty one."""
    kind = types[row]
    if kind.kind == "record":
        return row not in around and all(may_be_empty(types, inner, around | {row}) for inner in kind.of)
    return kind.kind == "null" or (kind.kind == "fixed" and kind.size == 0)


def reads(types: Types, row: int, around: frozenset[int] = frozenset()) -> bool:
    """Whether reading a value surely looks at one of its bytes, and so raises IndexError past the end."""
    kind = types[row]
    if kind.kind == "record":
        return row in around or any(reads(types, inner, around | {row}) for inner in kind.of)
    return kind.kind not in ("null", "fixed", "double")
