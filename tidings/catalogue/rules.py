"""What every schema file must hold to, beyond being Avro."""

from __future__ import annotations

from typing import Any

from tidings.catalogue.fields import CATEGORIES
from tidings.catalogue.head import HEAD
from tidings.catalogue.json_file import JsonFile, Place
from tidings.catalogue.named_types import PRIMITIVES
from tidings.errors import Problem

_FIELD_KEYS = frozenset({"name", "type", "default", "category", "doc", "aliases"})
_RECORD_KEYS = frozenset({"type", "name", "namespace", "doc", "fields", "aliases"})
_ENUM_KEYS = frozenset({"type", "name", "namespace", "doc", "symbols", "default", "aliases"})


def check_named(file: JsonFile, expected_name: str, namespace: str, problems: list[Problem]) -> bool:
    """Name, namespace, doc and keys of a file's top; False where nothing more can be said of it."""
    schema = file.value
    if not isinstance(schema, dict) or schema.get("type") not in ("record", "enum"):
        problems.append(file.problem((), "type", "named-type", "the file holds one record or enum"))
        return False
    if schema.get("name") != expected_name:
        message = f"the file's name asks for the record name {expected_name}"
        problems.append(file.problem(("name",), "name", "name-of-file", message))
    if schema.get("namespace") != namespace:
        problems.append(file.problem(("namespace",), "namespace", "namespace", f"the namespace is {namespace}"))
    if not schema.get("doc"):
        problems.append(file.problem(("doc",), "doc", "doc", "every type says what it is"))
    keys = _RECORD_KEYS if schema["type"] == "record" else _ENUM_KEYS
    _known_keys(file, schema, keys | {"catalogue"}, (), "", problems)
    body = schema.get("fields" if schema["type"] == "record" else "symbols")
    if not isinstance(body, list) or not body:
        problems.append(file.problem((), "fields", "named-type", "a record has fields, an enum has symbols"))
        return False
    return True


def check_fields(file: JsonFile, problems: list[Problem]) -> bool:
    """Doc, category and keys of every field of a record's file; False where a field cannot be read at all."""
    readable = True
    seen: set[str] = set()
    for at, field in enumerate(file.value["fields"]):
        place: Place = ("fields", at)
        if not isinstance(field, dict) or not isinstance(field.get("name"), str) or "type" not in field:
            problems.append(file.problem(place, f"fields.{at}", "field", "a field has a name and a type"))
            readable = False
            continue
        name = field["name"]
        if name in seen:
            problems.append(file.problem((*place, "name"), name, "doubled-name", "a field of this name stands above"))
        seen.add(name)
        _known_keys(file, field, _FIELD_KEYS, place, name, problems)
        if not isinstance(field.get("doc"), str) or not field["doc"].strip():
            problems.append(file.problem((*place, "doc"), name, "doc", "every field says what it is"))
        if "category" not in field:
            problems.append(file.problem(place, name, "category", "every field has a category"))
        elif field["category"] not in CATEGORIES:
            message = f"a category is one of {', '.join(sorted(CATEGORIES))}"
            problems.append(file.problem((*place, "category"), name, "category", message))
        _check_type(file, field["type"], (*place, "type"), name, problems)
    return readable


def check_event(file: JsonFile, problems: list[Problem]) -> None:
    """The head to the letter, then a body in which everything may be absent."""
    fields = file.value["fields"]
    for at, expected in enumerate(HEAD):
        actual = fields[at] if at < len(fields) else None
        if actual != expected:
            message = f"the head's field {at + 1} is {expected['name']}, to the letter of tidings/catalogue/head.py"
            problems.append(file.problem(("fields", at), expected["name"], "head", message))
            return
    for at, field in enumerate(fields[len(HEAD) :], len(HEAD)):
        if not _may_be_absent(field):
            message = "a body field is nullable with default null, or an array with default []: an annulment is a head"
            problems.append(file.problem(("fields", at), field["name"], "absent-by-default", message))


def _may_be_absent(field: dict[str, Any]) -> bool:
    kind = field["type"]
    if isinstance(kind, list):
        return kind[:1] == ["null"] and len(kind) == 2 and "default" in field and field["default"] is None
    return isinstance(kind, dict) and kind.get("type") == "array" and field.get("default") == []


def _check_type(file: JsonFile, kind: Any, place: Place, name: str, problems: list[Problem]) -> None:
    """Only what every mask and projection knows: primitives, null or one type, arrays, names of shared types."""
    if isinstance(kind, str):
        return
    if isinstance(kind, list):
        if len(kind) != 2 or kind[0] != "null":
            problems.append(file.problem(place, name, "union", "a union is of null and one other type, null first"))
        for at, each in enumerate(kind):
            _check_type(file, each, (*place, at), name, problems)
    elif isinstance(kind, dict) and kind.get("type") == "array" and "items" in kind:
        _known_keys(file, kind, frozenset({"type", "items"}), place, name, problems)
        _check_type(file, kind["items"], (*place, "items"), name, problems)
    elif isinstance(kind, dict) and kind.get("type") in PRIMITIVES:
        _known_keys(file, kind, frozenset({"type", "logicalType"}), place, name, problems)
    else:
        message = "a type is a primitive, a shared type's name, an array, or a union of null and one of these"
        problems.append(file.problem(place, name, "type", message))


def _known_keys(
    file: JsonFile, value: dict[str, Any], known: frozenset[str], place: Place, field: str, problems: list[Problem]
) -> None:
    problems.extend(
        file.problem((*place, key), field or key, "unknown-key", f"unknown key {key!r}")
        for key in value
        if key not in known
    )
