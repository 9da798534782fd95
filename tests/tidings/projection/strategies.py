"""Event types, agreements and events that nobody thought of: hypothesis strategies for all of Avro that there is.

A type comes with a strategy for the *bytes* of its values, so that values come in every form that the encoding has:
blocks with and without their size, many blocks for one, branches in any order.
"""

from __future__ import annotations

import json
import re
import struct
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from tests.tidings.projection import local
from tidings.masks import MaskError, mask_named
from tidings.policy.model import CheckRule, Condition, Inbox, Protection, View
from tidings.projection import RuleError, ids
from tidings.projection.paths import element_of, find
from tidings.projection.types import read_types
from tidings.wire import zigzag

Made = tuple[Any, st.SearchStrategy[bytes]]
"""An Avro type and a strategy for the bytes of its values."""


def text(value: str) -> bytes:
    """A text as Avro writes it."""
    encoded = value.encode()
    return zigzag(len(encoded)) + encoded


_TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["GB", "FR", "SW1A 2AA", "2001-05-06", "", " ", "é", "x" * 70]),
    st.text(max_size=90),
)
_LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-70, 70) | st.integers(1_700_000_000_000, 1_800_000_000_000)
_INTS = st.integers(-(2**31), 2**31 - 1) | st.integers(-70, 70) | st.integers(1800, 2100)
_UUID = st.uuids().map(str)


def _nullable(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.just(b"\0") | inner.map(lambda each: b"\2" + each)


def _fields_of(*parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.tuples(*parts).map(b"".join)


_SMALL = st.integers(-1, 40).map(zigzag)
PARTIAL_DATE = _fields_of(
    (st.integers(1900, 2030) | _INTS).map(zigzag),
    _nullable(st.integers(1, 12).map(zigzag) | _SMALL),
    _nullable(st.integers(1, 28).map(zigzag) | _SMALL),
    st.just(b"\0") | _nullable(st.sampled_from(["10:20", "25:00", "1", "23:59:59.5"]).map(text)),
    st.just(b"\0") | _nullable(st.sampled_from(["Z", "+01:00", "Europe/London", "Nowhere", ""]).map(text)),
    st.just(b"\0") | _nullable(_TEXTS.map(text)),
    st.just(b"\0") | _nullable(_TEXTS.map(text)),
)
SUBJECT = st.tuples(
    st.sampled_from(["nhs_number", "gro_registration", "country", "luhn", "x"]) | st.text(max_size=4),
    st.sampled_from(["9990000018", "9990000019", "999 000 0018", "ab 12", "79927398713", "ǅ", "gb"]) | _TEXTS,
).map(lambda pair: text(pair[0]) + text(pair[1]))

_LEAVES: list[Made] = [
    ("boolean", st.sampled_from([b"\0", b"\1"])),
    ("int", _INTS.map(zigzag)),
    ("long", _LONGS.map(zigzag)),
    ("float", st.floats(width=32).map(struct.Struct("<f").pack) | st.binary(min_size=4, max_size=4)),
    ("double", st.floats().map(struct.Struct("<d").pack) | st.binary(min_size=8, max_size=8)),
    ("bytes", st.binary(max_size=8).map(lambda each: zigzag(len(each)) + each)),
    ("string", _TEXTS.map(text)),
    ("string", _TEXTS.map(text)),
    ({"type": "string", "logicalType": "uuid"}, (_UUID | _TEXTS).map(text)),
    ({"type": "long", "logicalType": "timestamp-millis"}, _LONGS.map(zigzag)),
    ({"type": "int", "logicalType": "date"}, _INTS.map(zigzag)),
    ("tidings.types.Change", st.integers(0, 5).map(zigzag)),
    ("tidings.types.SubjectId", SUBJECT),
    ("tidings.types.PartialDate", PARTIAL_DATE),
    ("tidings.types.PartialDate", PARTIAL_DATE),
]
_MASKED_MOST = [leaf for leaf in _LEAVES if leaf[0] in ("string", "tidings.types.PartialDate")]
MASKS: list[Any] = [
    "keep",
    "keep",
    "redact",
    "encrypt",
    "pseudonym",
    ("pseudonym", {"scheme": "nhs_number"}),
    ("partial", {"first": 1}),
    ("partial", {"first": 2, "last": 1}),
    *(("generalise", {"to": to}) for to in ("year", "month", "decade", "postcode_area", "postcode_district")),
]


@st.composite
def blocks(draw: st.DrawFn, items: list[bytes]) -> bytes:
    """The items of an array in blocks: most times one, as everybody writes them."""
    made = b""
    plain = draw(st.integers(0, 5)) > 0
    while items:
        count = len(items) if plain else draw(st.integers(1, len(items)))
        block, items = b"".join(items[:count]), items[count:]
        sized = not plain and draw(st.booleans())
        made += zigzag(-count) + zigzag(len(block)) + block if sized else zigzag(count) + block
    return made + b"\0"


def _array(items: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(items, max_size=3).flatmap(blocks)


def _map(values: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    pairs = st.dictionaries(st.text(max_size=4), values, max_size=3)
    return pairs.map(lambda made: [text(key) + value for key, value in made.items()]).flatmap(blocks)


_SHAPES = [
    *(["leaf"] * 4 + ["list"] * 6 + ["array", "record", "record", "null", "null"]),
    *("enum", "fixed", "map", "nothing", "union", "several", "recursive"),
]


@st.composite
def types(draw: st.DrawFn, depth: int = 0) -> Made:
    """Any Avro type."""
    shape = draw(st.sampled_from(_SHAPES if depth < 2 else ["leaf", "enum", "fixed"]))
    name = f"g.T{draw(st.uuids()).hex}"
    if shape == "leaf":
        return draw(st.sampled_from(_LEAVES))
    if shape == "null":
        return "null", st.just(b"")
    if shape == "nothing":
        return {"type": "record", "name": name, "fields": []}, st.just(b"")
    if shape == "enum":
        count = draw(st.sampled_from([1, 2, 63, 64, 65, 200]))
        return {"type": "enum", "name": name, "symbols": [f"S{at}" for at in range(count)]}, st.integers(
            0, count - 1
        ).map(zigzag)
    if shape == "fixed":
        size = draw(st.integers(0, 9))
        return {"type": "fixed", "name": name, "size": size}, st.binary(min_size=size, max_size=size)
    if shape == "record":
        fields, values = draw(fields_of(depth + 1))
        return {"type": "record", "name": name, "fields": fields}, values
    if shape == "recursive":
        return _recursive(name)
    if shape == "several":
        inner = [draw(types(depth + 1)) for _ in range(2)]
        return _union([("null", st.just(b"")), ("long", _LONGS.map(zigzag)), *inner][: draw(st.integers(2, 4))], draw)
    if shape == "list":
        schema, values = draw(st.sampled_from(_MASKED_MOST))
        if draw(st.booleans()):
            schema, values = ["null", schema], _nullable(values)
        made = {"type": "array", "items": schema}, _array(values)
        return (["null", made[0]], _nullable(made[1])) if draw(st.integers(0, 2)) else made
    schema, values = draw(types(depth + 1))
    if shape == "union":
        return _union([(schema, values), ("null", st.just(b""))][: draw(st.integers(1, 2))], draw)
    if shape == "map":
        return {"type": "map", "values": schema}, _map(values)
    return {"type": "array", "items": schema}, _array(values)


def _union(branches: list[Made], draw: st.DrawFn) -> Made:
    """A union of the branches that may stand beside one another, in any order."""
    kept: dict[str, Made] = {}
    for schema, values in branches:
        kind = schema if isinstance(schema, str) else schema["type"] if isinstance(schema, dict) else "union"
        if kind != "union":
            kept.setdefault(schema.get("name", kind) if isinstance(schema, dict) else kind, (schema, values))
    made = draw(st.permutations(list(kept.values()) or [("int", _INTS.map(zigzag))]))
    indexed = [values.map(lambda each, at=at: zigzag(at) + each) for at, (_, values) in enumerate(made)]
    return [schema for schema, _ in made], st.one_of(indexed)


def _recursive(name: str) -> Made:
    fields = [
        field("value", ["null", "string"], "location"),
        field("next", ["null", name]),
        field("more", {"type": "array", "items": name}),
        field("plain", "int"),
    ]

    def below(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
        values = _nullable(_TEXTS.map(text))
        return _fields_of(values, _nullable(inner), _array(inner), _INTS.map(zigzag))

    return {"type": "record", "name": name, "fields": fields}, st.recursive(st.just(b"\0\0\0\6"), below, max_leaves=4)


def named_once(fields: list[dict[str, Any]]) -> bool:
    """Whether no two types that are defined in them have the same name: hypothesis repeats what it drew, uuids too."""
    names = re.findall(r'"name": "(g\.[^"]+)"', json.dumps(fields))
    return len(names) == len(set(names))


def field(name: str, schema: Any, category: str = "plain") -> dict[str, Any]:
    """A field of a record."""
    return {"name": name, "type": schema, "doc": "A field", "category": category}


@st.composite
def fields_of(draw: st.DrawFn, depth: int = 0) -> tuple[list[dict[str, Any]], st.SearchStrategy[bytes]]:
    """Fields of a record and a strategy for the bytes of them all."""
    made, parts = [], []
    for at in range(draw(st.integers(1, 4 if depth == 0 else 3))):
        schema, values = draw(types(depth))
        category = draw(st.sampled_from(["plain", "plain", "plain", "location", "identifier"]))
        if not isinstance(schema, list) and schema != "null" and draw(st.integers(0, 3)):
            schema, values = ["null", schema], _nullable(values)
        made.append(field(f"f{at}", schema, category))
        parts.append(values)
    return made, _fields_of(*parts)


_OPTIONAL_UUID = _nullable(_UUID.map(text))
_TIMES = (st.integers(1_700_000_000_000, 1_800_000_000_000) | st.integers(-(2**50), 2**50)).map(zigzag)
IDENTIFIERS = _array(_fields_of(SUBJECT, _nullable(st.sampled_from([b"\0", b"\1"]))))
RELATED = _array(
    _fields_of(
        _TEXTS.map(text),
        _nullable(SUBJECT),
        _array(_fields_of(_nullable(_TEXTS.map(text)), _array(_TEXTS.map(text)))),
    )
)


def _head(odd: bool) -> st.SearchStrategy[bytes]:
    uuid = st.sampled_from(["", "none", local.EVENT_ID.upper(), local.EVENT_ID]) if odd else _UUID
    return _fields_of(
        uuid.map(text),
        st.integers(0, 5).map(zigzag),
        _nullable(_TEXTS.map(text)),
        _TEXTS.map(text),
        _nullable(_LONGS.map(zigzag)),
        _nullable(uuid.map(text)),
        _OPTIONAL_UUID,
        _nullable(_LONGS.map(zigzag) if odd else _TIMES),
        _LONGS.map(zigzag) if odd else _TIMES,
        _nullable(PARTIAL_DATE),
        st.sampled_from(["gro", "nhs"]).map(text),
        _TEXTS.map(text),
        _TEXTS.map(text),
        SUBJECT,
        st.just(b"\0") | IDENTIFIERS,
        st.just(b"\0") | RELATED,
        st.sampled_from([b"\0"] * 4 + [b"\2", b"\4"]),
        st.sampled_from([b"\0", b"\2"]),
    )


_SOUND_HEAD, _ODD_HEAD = _head(odd=False), _head(odd=True)  # made once: hypothesis looks each through when it is new


@st.composite
def head(draw: st.DrawFn) -> bytes:
    """The bytes of the head of `local`; most times sound in every respect."""
    return draw(_ODD_HEAD if draw(st.integers(0, 9)) == 0 else _SOUND_HEAD)


HEAD_PATHS = (
    *("reason", "record_version", "supersedes", "life_event_id", "recorded_at", "occurred_on", "occurred_on.year"),
    *("event_id", "record_id", "source", "source.system", "subject", "subject.value", "identifiers"),
    *("identifiers.value", "related", "related.subject", "related.names", "related.names.given"),
    *("related.names.family", "protection", "environment", "received_at"),
)


def paths(fields: list[dict[str, Any]], above: str = "", depth: int = 0) -> list[str]:
    """All paths below fields whose types are written out, recursive ones some steps deep."""
    found = []
    for item in fields:
        path = above + item["name"]
        found.append(path)
        schema = item["type"]
        while isinstance(schema, (dict, list)) and (isinstance(schema, list) or schema["type"] == "array"):
            rest = [each for each in schema if each != "null"] if isinstance(schema, list) else [schema["items"]]
            schema = rest[0] if len(rest) == 1 else ""
        if isinstance(schema, dict) and schema["type"] == "record":
            found += paths(schema["fields"], path + ".", depth + 1)
        elif schema == "tidings.types.PartialDate":
            found += [f"{path}.year", f"{path}.zone"]
    return found


def element_at(schema: dict[str, Any], path: str) -> Any:
    """The type of one value at a path."""
    table = read_types(schema)
    return element_of(find(path, table).field["type"], table)[0]


def kind_at(schema: dict[str, Any], path: str) -> str:
    """The kind of one value at a path, or the name of a type that checks know."""
    element = element_at(schema, path)
    if isinstance(element, dict) and element.get("name") in ("tidings.types.PartialDate", "tidings.types.SubjectId"):
        return str(element["name"]).rpartition(".")[2]
    return "union" if isinstance(element, list) else str(element["type"]) if isinstance(element, dict) else element


def masks_of(element: Any) -> list[Any]:
    """The masks that take values of this type: most fields would otherwise go unmasked."""

    def takes(mask: Any) -> bool:
        name, params = (mask, {}) if isinstance(mask, str) else mask
        try:
            mask_named(name).output_type(element, params)
        except MaskError:
            return False
        return True

    taken = [mask for mask in MASKS if takes(mask)]
    # Those that may give null twice: they are framed as no other.
    return taken + [mask for mask in taken if mask[0] == "generalise"] * 2


@st.composite
def conditions(draw: st.DrawFn, schema: dict[str, Any], places: list[str]) -> tuple[Condition, ...]:
    """A row filter, most times none."""
    if draw(st.integers(0, 3)) or not places:
        return ()
    made = []
    for path in draw(st.lists(st.sampled_from(places), min_size=1, max_size=2, unique=True)):
        values: dict[str, tuple[Any, ...]] = {
            "string": ("GB", "", "SW1A 2AA"), "int": (0, 1999, 2**31), "long": (0, -1, 2**62), "boolean": (True,),
        }  # fmt: skip
        kind = kind_at(schema, path)
        op = draw(st.sampled_from(["in", "not_in"]))
        if kind == "string":
            op = draw(st.sampled_from(["in", "not_in", "starts_with"]))
        if kind == "enum":
            values["enum"] = (element_at(schema, path)["symbols"][-1],)
        if kind in values:
            missing = draw(st.sampled_from(["include", "exclude"]))
            made.append(Condition(path=path, op=op, values=values[kind], missing=missing))
    return tuple(made)


@st.composite
def view(draw: st.DrawFn, schema: dict[str, Any], fields: list[dict[str, Any]], name: str) -> View:
    """A view by rules that can be compiled together, with any protection, filter, interest list and flags."""
    places = [*paths(fields), *HEAD_PATHS]
    rules: dict[str, Any] = {}
    for path in paths(fields):
        if len(rules) < 8 and not any(path.startswith(f"{other}.") for other in rules) and draw(st.booleans()):
            rules[path] = draw(st.sampled_from(masks_of(element_at(schema, path))))
    rules |= draw(st.dictionaries(st.sampled_from(HEAD_PATHS), st.sampled_from(MASKS), max_size=3))
    more: dict[str, Any] = {
        "agreement": name,
        "protected": draw(st.sampled_from(list(Protection))),
        "where": draw(conditions(schema, [*places, "change"])),
        "include_flags": draw(st.booleans()),
        "key_group": draw(st.sampled_from([name, "linked"])),
    }
    interest = draw(st.sampled_from([None, None, None, (), ("9990000018",)]))
    if interest is not None:
        keys = [ids.feed_key(local.KEYS, more["key_group"], ("nhs_number", each)).decode() for each in interest]
        more["interest"] = tuple(keys)
    return view_of(schema, rules, **more)


def view_of(schema: dict[str, Any], rules: dict[str, Any], **more: Any) -> View:
    """The view of those rules that can be compiled together, dropping the others one by one."""
    while True:
        try:
            return local.view(schema, rules, **more)
        except RuleError as error:
            rules = {path: mask for path, mask in rules.items() if path != error.field}


@st.composite
def checks(draw: st.DrawFn, schema: dict[str, Any], fields: list[dict[str, Any]]) -> tuple[CheckRule, ...]:
    """Checks of fields that they can judge."""
    kinds = {path: kind_at(schema, path) for path in [*paths(fields), *HEAD_PATHS]}
    dates = [path for path, kind in kinds.items() if kind in ("PartialDate", "string")]
    times = [*dates, "recorded_at"]
    texts = [path for path, kind in kinds.items() if kind == "string"]
    subjects = [path for path, kind in kinds.items() if kind == "SubjectId"] + ["identifiers"]
    made = []
    for check in draw(st.lists(st.sampled_from(sorted(_RULES)), max_size=4)):
        path = draw(st.sampled_from({"dates": dates, "times": times, "texts": texts, "subjects": subjects,
                                     "any": list(kinds)}[_RULES[check][0]]))  # fmt: skip
        params: Any = draw(st.sampled_from(_RULES[check][1]))
        rule_paths: tuple[str, ...] = (path,)
        if check == "date_order":
            params = {"first": path, "then": draw(st.sampled_from(times))}
            rule_paths = ()
        if check == "same_subject":
            alike = draw(st.sampled_from([subjects, [path for path in dates if kinds[path] == "PartialDate"]]))
            params = {"first": draw(st.sampled_from(alike)), "then": draw(st.sampled_from(alike))}
            rule_paths = (params["first"], params["then"])
        severity = draw(st.sampled_from(["reject", "flag"]))
        made.append(CheckRule(check=check, paths=rule_paths, severity=severity, params=params))
    return tuple(made)


_RULES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "code_in_list": ("texts", [{"codes": ["GB", "é"]}, {"list": "countries"}]),
    "date_exists": ("dates", [{}]),
    "date_not_in_future": ("times", [{}]),
    "date_order": ("times", [{}]),
    "identifier_checksum": ("subjects", [{}]),
    "not_spreadsheet_date": ("dates", [{}]),
    "pattern": ("texts", [{"pattern": "[A-Z0-9 ]*"}, {"pattern": "(?i)é?\\w*"}]),
    "same_subject": ("subjects", [{}]),
    "required_if": ("any", [{}, {"unless_change": ["ANNULLED"]}, {"when": {"path": "change", "values": ["CREATED"]}},
                            {"when": {"path": "record_version"}}, {"when": {"path": "reason", "values": ["GB", 1]}}]),
}  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Inbox, list[View], st.SearchStrategy[bytes]]:
    """An inbox, its views, and a strategy for the bytes of its events."""
    fields, values = draw(fields_of())
    assume(named_once(fields))
    schema = local.schema_of(*fields)
    inbox = local.inbox(schema).model_copy(update={"checks": draw(checks(schema, fields))})
    views = [draw(view(schema, fields, name)) for name in draw(st.sampled_from([["a"], ["a", "b"]]))]
    return inbox, views, _fields_of(head(), values)


@st.composite
def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    """The body with some bytes changed, cut off, put in or taken out."""
    made = bytearray(body)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(made) - 1, 0)))
        match draw(st.sampled_from(["change", "change", "flip", "cut", "insert", "delete"])):
            case "change":
                made[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "flip" if made:
                made[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del made[at:]
            case "insert":
                made[at:at] = draw(st.sampled_from([b"\0", b"\1", b"\x80", b"\xff", b"\x02\x00", b"\xff" * 9 + b"\1"]))
            case "delete":
                del made[at : at + draw(st.integers(1, 3))]
    return bytes(made)
