"""What one rule of a mapping makes of a row, compiled against the field that it fills."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from connectors.sources._table_cells import Cells
from connectors.sources._table_dates import DateFormat
from connectors.sources._table_model import FieldRule
from connectors.sources.base import EVENT_ID_NAMESPACE, RecordError
from tidings.catalogue import FieldInfo

Value: TypeAlias = Callable[[Cells], Any]
PARTIAL_DATE = "tidings.types.PartialDate"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_NUMBERS = {"int": 2**31 - 1, "long": 2**63 - 1}


class Unfit(Exception):
    """A rule cannot fill its field: at which clause, by which rule, and why."""

    def __init__(self, clause: str, rule: str, why: str) -> None:
        self.clause, self.rule, self.why = clause, rule, why
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule that was compiled. `says` are the parts of a record that it fills (none where it fills a plain field);
    `constant` tells that it says the same of every row."""

    value: Value
    says: frozenset[str] = frozenset()
    constant: bool = False


def compile_rule(rule: FieldRule, info: FieldInfo, element: bool, zone: str, system: str) -> Compiled:
    """Raises Unfit. `element` says that one element of an array is filled, and not the array; `zone` is the table's."""
    if info.array and not element:
        return Compiled(_texts(rule, info))
    if info.type == "record":
        return _record(rule, info, zone)
    if rule.constant is not None:
        constant = _constant(rule.constant, info, "constant")
        return Compiled(lambda _cells: constant, constant=True)
    if rule.uuid_of is not None:
        return Compiled(_uuid_of(rule.uuid_of, info, system))
    if rule.columns is not None:
        return Compiled(_joined(rule.columns, rule.join, info))
    if rule.split is not None:
        raise Unfit("split", "not-a-list", "split makes a list, and the field is not one")
    if rule.scheme is not None:
        raise Unfit("scheme", "not-an-identifier", "scheme fills a record with scheme and value, and the field is none")
    column = rule.column or ""
    if rule.codes is not None:
        return Compiled(_codes(column, rule.codes, info))
    if rule.format is not None or info.logical_type == "timestamp-millis":
        return Compiled(_instant(column, rule, info, zone))
    return Compiled(_plain(column, info))


def _record(rule: FieldRule, info: FieldInfo, zone: str) -> Compiled:
    parts = {each["name"] for each in _record_fields(info)}
    if rule.format is not None and info.type_name == PARTIAL_DATE:
        formats = tuple(DateFormat(text) for text in rule.format)
        return Compiled(
            _partial_date(rule.column or "", formats, rule.zeros is not None, zone),
            frozenset({"year", "month", "day", "time", "zone"}),
        )
    if rule.scheme is not None and {"scheme", "value"} <= parts:
        return Compiled(_identifier(rule.column or "", rule.scheme), frozenset({"scheme", "value"}))
    if info.type_name == PARTIAL_DATE:
        raise Unfit("", "needs-format", "a date needs format, or its parts mapped one by one (.year, .month, ...)")
    if {"scheme", "value"} <= parts:
        raise Unfit("", "needs-scheme", "an identifier needs column and scheme, or its parts mapped one by one")
    raise Unfit("", "record", f"the field is a record: map its parts ({', '.join(sorted(parts))})")


def _record_fields(info: FieldInfo) -> list[dict[str, Any]]:
    schema: Any = info.schema["type"]
    while not (isinstance(schema, dict) and schema.get("type") == "record"):
        if isinstance(schema, list):
            schema = next((each for each in schema if each != "null"), {})
        else:
            schema = schema.get("items", schema.get("type", {})) if isinstance(schema, dict) else {}
        if not schema or isinstance(schema, str):
            return []
    fields: list[dict[str, Any]] = schema["fields"]
    return fields


def _partial_date(column: str, formats: Sequence[DateFormat], zeros_unknown: bool, zone: str) -> Value:
    def value(cells: Cells) -> Any:
        text = cells.get(column)
        if text is None:
            return None
        for each in formats:
            found = each.partial(text, zone, zeros_unknown=zeros_unknown)
            if found is not None:
                return {part: found[part] for part in ("year", "month", "day", "time", "zone")}
        raise RecordError(column, "date", f"not a date of the declared format: {_or(formats)}")

    return value


def _instant(column: str, rule: FieldRule, info: FieldInfo, zone: str) -> Value:
    if info.logical_type != "timestamp-millis":
        raise Unfit("format", "not-a-date", "format is for dates and instants, and the field is neither")
    if rule.format is None:
        raise Unfit("", "needs-format", "an instant needs format")
    if rule.zeros is not None:
        raise Unfit("zeros", "instant", "an instant has no unknown parts")
    formats = tuple(DateFormat(text) for text in rule.format)
    for each in formats:
        if "day" not in each.parts:
            raise Unfit("format", "instant", "an instant needs a day")

    def value(cells: Cells) -> Any:
        text = cells.get(column)
        if text is None:
            return None
        for each in formats:
            found = each.instant_ms(text, zone)
            if found is not None:
                return found
        raise RecordError(column, "date-time", f"not a moment that exists in the declared format: {_or(formats)}")

    return value


def _identifier(column: str, scheme: str) -> Value:
    def value(cells: Cells) -> Any:
        text = cells.get(column)
        if text is None:
            return None
        if text != text.upper() or any(char.isspace() for char in text):
            message = "an id has no space and no lower-case letter; declare a cleansing step (remove, trim, upper)"
            raise RecordError(column, "identifier-form", message)
        return {"scheme": scheme, "value": text}

    return value


def _plain(column: str, info: FieldInfo) -> Value:
    if info.type == "string" and info.logical_type == "uuid":
        return _checked(column, lambda text: text if _UUID.match(text) else None, "uuid", "not a uuid in lower case")
    if info.type == "string":
        return lambda cells: cells.get(column)
    if info.type in _NUMBERS:
        most = _NUMBERS[info.type]
        message = "not a whole number in digits"
        return _checked(column, lambda text: _number(text, most), "number", message)
    if info.type == "enum":
        symbols = {symbol: symbol for symbol in info.symbols}
        return _checked(column, symbols.get, "unknown-code", f"not one of {', '.join(symbols)}; map it with codes")
    raise Unfit("", "needs-codes", f"a field of type {info.type} needs codes")


def _checked(column: str, read: Callable[[str], Any], rule: str, message: str) -> Value:
    def value(cells: Cells) -> Any:
        text = cells.get(column)
        if text is None:
            return None
        found = read(text)
        if found is None:
            raise RecordError(column, rule, message)
        return found

    return value


def _number(text: str, most: int) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if number <= most else None


def _codes(column: str, codes: dict[str, Any], info: FieldInfo) -> Value:
    table = {code: _constant(meaning, info, "codes") for code, meaning in codes.items()}
    absent = table.pop("", None)

    def value(cells: Cells) -> Any:
        text = cells.get(column)
        if text is None:
            return absent
        if text not in table:
            raise RecordError(column, "unknown-code", "the code is not in the mapping's declared list")
        return table[text]

    return value


def _constant(constant: Any, info: FieldInfo, clause: str) -> Any:
    """A constant that fits the field."""
    kind = type(constant)
    fits = {
        "string": kind is str and bool(constant) and (info.logical_type != "uuid" or _UUID.match(constant) is not None),
        "boolean": kind is bool,
        "enum": kind is str and constant in info.symbols,
        **{name: kind is int and 0 <= constant <= most for name, most in _NUMBERS.items()},
    }
    if info.logical_type == "timestamp-millis" or not fits.get(info.type, False):
        wanted = f"one of {', '.join(info.symbols)}" if info.type == "enum" else f"a value of type {info.type}"
        raise Unfit(clause, "constant-type", f"the field takes {wanted}")
    return constant


def _texts(rule: FieldRule, info: FieldInfo) -> Value:
    if info.type != "string":
        raise Unfit("", "list", "the field is a list: map its elements one by one ([0], [1], ...)")
    if rule.split is not None:
        column, mark = rule.column or "", rule.split
        return lambda cells: [part for part in (cells.get(column) or "").split(mark) if part]
    names = rule.columns if rule.join is None else None
    if names is None:
        raise Unfit("", "list", "a list of texts takes columns (without join), or column with split")
    return lambda cells: [text for name in names if (text := cells.get(name)) is not None]


def _joined(columns: Sequence[str], join: str | None, info: FieldInfo) -> Value:
    if info.type != "string" or info.logical_type is not None or join is None:
        raise Unfit("columns", "not-a-list", "several columns fill a list, or one text where join says what is between")
    return lambda cells: join.join(text for name in columns if (text := cells.get(name)) is not None) or None


def _uuid_of(columns: Sequence[str], info: FieldInfo, system: str) -> Value:
    """An id that the same values always give, such as the one that joins a birth's children."""
    if info.logical_type != "uuid":
        raise Unfit("uuid_of", "not-a-uuid", "uuid_of fills a uuid, and the field is none")

    def value(cells: Cells) -> Any:
        texts = [cells.get(name) for name in columns]
        if None in texts:
            return None
        return str(uuid.uuid5(EVENT_ID_NAMESPACE, "\x1f".join([system, info.path, *filter(None, texts)])))

    return value


def _or(formats: Sequence[DateFormat]) -> str:
    return " or ".join(each.text for each in formats)
