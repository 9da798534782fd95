"""Source that compares values with those of the policy, on their bytes: row filters, code lists, conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tidings.policy.model import Condition
from tidings.projection.generate_code import Code, Unsupported
from tidings.projection.generate_notes import Found, Notes, Types
from tidings.projection.generate_runtime import text_at
from tidings.projection.program import TypeRow
from tidings.projection.structure import read_long
from tidings.wire import sized, zigzag

Test = Callable[[bytes, int], bool]
"""Whether the value that begins at a place is one of those wanted."""


def write_condition(code: Code, notes: Notes, types: Types, condition: Condition) -> str:
    """The expression that says whether one condition of a row filter holds, given `b` and `o`."""
    found = notes.values(condition.path)
    kind = types[found.element]
    if condition.op == "starts_with":
        prefixes = tuple(_bytes_of(str(value)) for value in condition.values)
        test: Test = lambda body, at: text_at(body, at).startswith(prefixes)  # noqa: E731 - one of two
        return write_test(notes, condition.path, code.object("starts", test), missing=condition.missing)
    encoded = encoded_values(kind, condition.values)
    if not found.many and kind.kind in ("enum", "boolean", "string") and _one_byte(kind):
        return _in_place(code, notes, found, condition, encoded)
    positive, among = condition.op == "in", among_of(kind, encoded)
    test = among if positive else lambda body, at: not among(body, at)
    return write_test(notes, condition.path, code.object("holds", test), missing=condition.missing)


def write_test(notes: Notes, path: str, test: str, *, missing: str) -> str:
    """The expression that is true where any value at `path` passes the test of that name; where there is none,
    `missing` (`include` or `exclude`) says."""
    found, absent = notes.values(path), str(missing == "include")
    if found.many:
        places = f"o[{notes.each(path)}]"
        return f"(any_of({test}, b, {places}) if {places} else {absent})"
    value = f"{test}(b, q{' + 1' * found.offset})"
    return f"({value} if {present(notes, path, found)} else {absent})"


def present(notes: Notes, path: str, found: Found) -> str:
    """The expression that is true where there is a value at `path`, which crosses no array; it leaves its place in
    `q`."""
    place = f"(q := o[{notes.start(path)}])"
    if found.null < 0:
        return f"{place} >= 0"
    is_value = "b[q]" if found.null == 0 else f"b[q] != {found.null}"
    return f"{place} >= 0 and {is_value}" if found.deep else is_value.replace("q", place, 1)


def _in_place(code: Code, notes: Notes, found: Found, condition: Condition, encoded: frozenset[bytes]) -> str:
    absent = str(condition.missing == "include")
    first = f"q{' + 1' * found.offset}"
    value = f"b[{first}:o[{notes.end(condition.path)}]]"
    among = code.object("among", encoded)
    word = "in" if condition.op == "in" else "not in"
    return f"({value} {word} {among} if {present(notes, condition.path, found)} else {absent})"


def encoded_values(kind: TypeRow, values: Iterable[str | int | bool]) -> frozenset[bytes]:
    """Those of `values` that a value of this type can equal, as Avro writes them."""
    return frozenset(made for value in values if (made := _encoded(kind, value)) is not None)


def among_of(kind: TypeRow, encoded: frozenset[bytes]) -> Test:
    """Whether the value at a place is one of those encoded."""
    if kind.kind == "string":
        texts = frozenset(text_at(each, 0) for each in encoded)
        return lambda body, at: text_at(body, at) in texts
    if kind.kind not in ("enum", "boolean", "int", "long"):
        raise Unsupported(f"comparing {kind.kind}")
    return lambda body, at: body[at : read_long(body, at)[1]] in encoded


def _encoded(kind: TypeRow, value: str | int | bool) -> bytes | None:
    match kind.kind:
        case "string":
            return sized(_bytes_of(value)) if isinstance(value, str) else None
        case "enum":
            return zigzag(kind.names.index(value)) if isinstance(value, str) and value in kind.names else None
        case "boolean":
            return bytes([value]) if isinstance(value, bool) else None
        case "int" | "long":
            whole = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
            return zigzag(value) if whole and isinstance(value, int) else None
    return None


def _bytes_of(text: str) -> bytes:
    """As UTF-8; half a surrogate pair gives bytes that no event holds."""
    return text.encode("utf-8", "surrogatepass")


def _one_byte(kind: TypeRow) -> bool:
    return kind.kind != "enum" or len(kind.names) <= 64


def any_of(test: Test, body: bytes, places: Sequence[int]) -> bool:
    """Whether any of the values at these places passes."""
    return any(test(body, at) for at in places)
