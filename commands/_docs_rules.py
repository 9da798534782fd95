"""Reference pages of what happens to values: masks and checks, each from its own table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from pydantic import BaseModel

from commands._docs_markdown import as_json, code, codes, docstring, page, table
from tidings.checks import CHECKS, Check, Example
from tidings.masks import MASKS, Mask

_SHOWN = 2


def masks_page() -> str:
    """Every mask: what it takes, its settings, and what a reader still sees."""
    lead = (
        "An agreement gives each field that it names one mask. A field that it does not name is not in the feed's"
        " schema at all. Null stays null under every mask. A single parameter may be written short:"
        " `{generalise: year}`."
    )
    parts = [lead]
    for name, mask in sorted(MASKS.items()):
        parts += [f"## {name}", docstring(type(mask)), _settings(mask.settings_type), _sees(mask)]
    return page("Masks", *parts)


def checks_page() -> str:
    """Every check: what it holds, its reason code, parameters and examples."""
    lead = (
        "An event type's catalogue entry says which checks hold for which fields and whether a failed one rejects the"
        " event or flags it. A missing value passes every check but `required_if`. An event that fails several gets"
        " all of their codes."
    )
    parts = [lead]
    for name, check in sorted(CHECKS.items()):
        parts += [
            f"## {name}",
            check.summary,
            f"Reason code: {code(check.code.value)}. Takes: {', '.join(sorted(check.takes)).replace('_', ' ')}.",
            docstring(check),
            _settings(check.params_model),
            _examples(check),
        ]
    return page("Checks", *parts)


def _settings(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    properties = schema.get("properties", {})
    if not properties:
        return "It has no parameters."
    needed = schema.get("required", [])
    rows = (
        (code(name), _kind(part, schema), "must be given" if name in needed else as_default(part))
        for name, part in properties.items()
    )
    return docstring(model) + "\n\n" + table(("parameter", "value", "unless given"), rows)


def as_default(part: Mapping[str, Any]) -> str:
    """A parameter's default as code; nothing where there is none."""
    value = part.get("default")
    return "" if value in (None, "", []) else code(value)


def _kind(part: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "enum" in part:
        return f"one of {codes(part['enum'])}"
    if "anyOf" in part:
        return " or ".join(_kind(each, schema) for each in part["anyOf"] if each.get("type") != "null")
    if "$ref" in part:
        inner = schema["$defs"][part["$ref"].rpartition("/")[2]]
        return "; ".join(f"{code(name)}: {_kind(each, schema)}" for name, each in inner["properties"].items())
    if part.get("type") == "array":
        return f"list of {_kind(part['items'], schema)}"
    bounds = [f"{words} {part[key]}" for key, words in (("minimum", "from"), ("maximum", "to")) if key in part]
    return " ".join([str(part.get("type", "any")), *bounds])


def _sees(mask: Mask[Any]) -> str:
    """What is said to readers, for each value of a closed choice or for a plain use."""
    properties = mask.settings_type.model_json_schema().get("properties", {})
    choices = [{name: value} for name, part in properties.items() for value in part.get("enum", ())]
    uses = choices or ([{"first": 1, "last": 2}] if {"first", "last"} <= set(properties) else [{}])
    lines = (f"- {as_json(use) + ': ' if use else ''}{mask.describe(use)}" for use in uses)
    return "What pages and feed schemas say of it:\n\n" + "\n".join(lines)


def _examples(check: type[Check]) -> str:
    rows = [*_rows(check.accepts, "passes"), *_rows(check.refuses, "fails")]
    return table(("fields", "parameters", "event", ""), rows)


def _rows(examples: Iterable[Example], verdict: str) -> list[tuple[str, str, str, str]]:
    return [
        (
            codes(each.paths),
            as_json(each.params),
            as_json(each.event),
            verdict + (f" at {codes(each.found)}" if each.found else ""),
        )
        for each in islice(examples, _SHOWN)
    ]
