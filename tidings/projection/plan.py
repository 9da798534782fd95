"""An agreement's rules for one event type as a small program: one step a field, in the order of the view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidings.masks import Mask, MaskError, mask_named
from tidings.policy.model import FieldRule
from tidings.projection.heads import (
    ABSENT,
    DERIVED_DOCS,
    EVENT_HEAD,
    EVENT_ID,
    EXCHANGE_FIELDS,
    HEAD_DEFAULTS,
    KEEP,
    RECORD_ID,
)
from tidings.projection.paths import element_of, fields_below, find
from tidings.projection.rules import RuleError
from tidings.projection.types import AvroType, TypeTable, kind_of, nullable

MASKED, RECORD = "mask", "record"


@dataclass(frozen=True)
class Step:
    """What becomes of one field: `how` is `mask`, `record` (its named parts), or a derivation of `heads`.

    `depth` counts the arrays around one element (0 for a whole mask); `element` is the element's type in the event,
    standalone; `output` the type in the view, before it is given the view's names. `location` is true where no part
    of the value may be given of a protected person; `location_below` where some parts may.
    """

    name: str
    path: str
    how: str
    doc: str
    category: str
    output: AvroType = field(repr=False)
    location: bool = False
    location_below: bool = False
    mask: Mask[Any] | None = field(default=None, repr=False)
    params: Mapping[str, Any] = field(default_factory=dict)
    settings: Any = None
    scheme: str = ""
    depth: int = 0
    element: AvroType = field(default=None, repr=False)
    children: tuple[Step, ...] = ()

    @property
    def mask_name(self) -> str:
        """What the view's schema says was done."""
        return self.mask.name if self.mask else {RECORD: "parts", ABSENT: ABSENT}.get(self.how, "derived")


@dataclass(frozen=True)
class Plan:
    """The program of one view: the steps of its head, then of its body in the event's order."""

    head: tuple[Step, ...]
    body: tuple[Step, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All top steps, in the order of the view."""
        return self.head + self.body


def make_plan(table: TypeTable, rules: Sequence[FieldRule]) -> tuple[Plan, tuple[RuleError, ...]]:
    """The program, and everything that is wrong; a program with errors is not to be run."""
    errors = list(_catalogue_errors(table))
    good: dict[str, FieldRule] = {}
    for rule in rules:
        try:
            _refuse_overlap(rule.path, good)
            find(rule.path, table)
            _refuse_taken(rule.path)
        except RuleError as error:
            errors.append(error)
        else:
            good[rule.path] = rule
    if errors and any(error.rule == "catalogue-head" for error in errors):
        return Plan((), ()), tuple(errors)
    builder = _Builder(table, good, errors)
    head = tuple(builder.head(name) for name in HEAD_DEFAULTS)
    body = tuple(builder.steps("", [item for item in table.root["fields"] if item["name"] not in HEAD_DEFAULTS]))
    if head[0].mask_name not in ("derived", KEEP):
        errors.extend(_encrypted_without_event_id((*head, *body)))
    return Plan(head, body), tuple(errors)


def _catalogue_errors(table: TypeTable) -> Iterable[RuleError]:
    have = {item["name"] for item in fields_below(table.root, table)}
    for name in EVENT_HEAD:
        if name not in have:
            yield RuleError(name, "catalogue-head", "the event type lacks this field of the head")


def _refuse_overlap(path: str, others: Iterable[str]) -> None:
    for other in others:
        if path == other:
            raise RuleError(path, "path-repeated", "the agreement names this field twice")
        if path.startswith(other + ".") or other.startswith(path + "."):
            raise RuleError(path, "path-overlap", f"the agreement also names {other}, of which one holds the other")


def _refuse_taken(path: str) -> None:
    if path.partition(".")[0] in EXCHANGE_FIELDS:
        message = "has the name of a field that the exchange writes into every view: its event type must rename it"
        raise RuleError(path, "view-field-taken", message)


def _encrypted_without_event_id(steps: Iterable[Step]) -> Iterable[RuleError]:
    for step in steps:
        if step.mask and step.mask.name == "encrypt":
            yield RuleError(
                step.path, "encrypt-event-id", "encrypt needs event_id, which the agreement masks, to be readable"
            )
        yield from _encrypted_without_event_id(step.children)


class _Builder:
    def __init__(self, table: TypeTable, rules: Mapping[str, FieldRule], errors: list[RuleError]) -> None:
        self._table = table
        self._rules = rules
        self._errors = errors

    def head(self, name: str) -> Step:
        """The step of a head field: the agreement's, or the default."""
        rule = self._rules.get(name)
        item = find(name, self._table).field
        default = HEAD_DEFAULTS[name]
        parts = any(path.startswith(name + ".") for path in self._rules)
        if name == "record_id" and rule is not None and rule.mask not in (KEEP, "pseudonym"):
            self._errors.append(
                RuleError(name, "head-record-id", "record_id is kept or a pseudonym: withdrawals need it")
            )
            rule = None
        if parts:
            return self._parts(name, item)
        if rule is not None and not (rule.mask == "pseudonym" and default not in (KEEP, ABSENT)):
            return self._masked(rule, item)
        if default == KEEP and rule is None:
            return self._masked(FieldRule(path=name, mask=KEEP), item)
        place = find(name, self._table)
        element, _ = element_of(item["type"], self._table)
        output = self._table.standalone(element) if default == ABSENT else "string"
        doc = f"{_sentence(item)} {DERIVED_DOCS[default]}"
        return Step(name, name, default, doc, place.category, output if default == RECORD_ID else nullable(output))

    def steps(self, above: str, fields: Iterable[Mapping[str, Any]]) -> Iterable[Step]:
        """The steps of those fields that the agreement names, or names parts of."""
        for item in fields:
            path = f"{above}.{item['name']}" if above else str(item["name"])
            if path in self._rules:
                yield self._masked(self._rules[path], item)
            elif any(other.startswith(path + ".") for other in self._rules):
                yield self._parts(path, item)

    def _parts(self, path: str, item: Mapping[str, Any]) -> Step:
        place = find(path, self._table)
        children = tuple(self.steps(path, fields_below(item["type"], self._table)))
        _, depth = element_of(item["type"], self._table)
        record = {"type": "record", "parts": path}
        return Step(
            place.field["name"], path, RECORD, _sentence(item), place.category,
            self._around(item["type"], record), place.location, depth=depth, children=children,
        )  # fmt: skip

    def _masked(self, rule: FieldRule, item: Mapping[str, Any]) -> Step:
        place = find(rule.path, self._table)
        element, depth = element_of(item["type"], self._table)
        doc, output, mask, settings, params = _sentence(item), "null", None, None, rule.params
        try:
            mask = mask_named(rule.mask)
            settings = mask.settings(params)
            doc = f"{doc} {mask.describe(params)}".strip()
            self._refuse_union(mask, item)
            if mask.whole:
                output = mask.output_type(self._table.standalone(item["type"]), params)
                element, depth = item["type"], 0
            else:
                made = mask.output_type(self._table.standalone(element), params)
                output = self._around(item["type"], made)
        except MaskError as error:
            self._errors.append(RuleError(rule.path, error.rule, str(error)))
        return Step(
            place.field["name"], rule.path, MASKED, doc, place.category, output, place.location,
            self._location_below(item["type"], set()), mask, params, settings, str(item.get("scheme", "")), depth,
            self._table.standalone(element),
        )  # fmt: skip

    def _around(self, schema: AvroType, made: AvroType) -> AvroType:
        """`made` inside the arrays (and the null) that stand around an element of `schema`."""
        if isinstance(schema, list):
            return nullable(self._around(next(branch for branch in schema if branch != "null"), made))
        resolved = self._table.resolve(schema)
        if kind_of(resolved) == "array":
            return {"type": "array", "items": self._around(resolved["items"], made)}
        return made

    def _refuse_union(self, mask: Mask[Any], item: Mapping[str, Any]) -> None:
        if mask.name != "redact" and self._has_union(item["type"], set()):
            raise MaskError("type-unsupported", "a union of more than null and one type can only be redacted")

    def _has_union(self, schema: AvroType, seen: set[str]) -> bool:
        return any(isinstance(found, list) and not _is_nullable_one(found) for found in self._types(schema, seen))

    def _location_below(self, schema: AvroType, seen: set[str]) -> bool:
        return any(
            item.get("category") == "location"
            for found in self._types(schema, seen)
            if kind_of(found) == "record"
            for item in found["fields"]
        )

    def _types(self, schema: AvroType, seen: set[str]) -> Iterable[AvroType]:
        schema = self._table.resolve(schema)
        if isinstance(schema, dict) and "name" in schema:
            if schema["name"] in seen:
                return
            seen.add(schema["name"])
        yield schema
        inner: list[AvroType] = []
        if isinstance(schema, list):
            inner = schema
        elif kind_of(schema) == "record":
            inner = [item["type"] for item in schema["fields"]]
        elif kind_of(schema) in ("array", "map"):
            inner = [schema.get("items", schema.get("values"))]
        for each in inner:
            yield from self._types(each, seen)


def _is_nullable_one(union: list[AvroType]) -> bool:
    return len([branch for branch in union if branch != "null"]) == 1


def _sentence(item: Mapping[str, Any]) -> str:
    text = str(item.get("doc", "")).strip()
    return text if not text or text.endswith(".") else text + "."


__all__ = ["EVENT_ID", "MASKED", "RECORD", "Plan", "Step", "make_plan"]
