"""Derives the schema of a view from an event type's schema and an agreement's rules. Same input, same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tidings.errors import Finding, Severity
from tidings.policy.model import Condition, FieldRule, JsonObject, View
from tidings.projection.heads import RECORD_ID, VIEW_KINDS
from tidings.projection.plan import RECORD, Plan, Step, make_plan
from tidings.projection.rules import RuleError
from tidings.projection.types import AvroType, TypeTable, kind_of, read_types
from tidings.projection.view_names import ViewNames, view_field
from tidings.projection.where import compile_where


def derive_view_schema(
    event_schema: JsonObject,
    fields: Sequence[FieldRule],
    *,
    subscriber: str,
    agreement: str,
    agreement_version: int,
    include_flags: bool = False,
) -> JsonObject:
    """The Avro schema of the feed. `event_schema` is the event type's current version, standalone, with logical types.

    Raises RuleError for the first thing that is wrong (`rule_errors` lists all).
    """
    table = read_types(event_schema)
    plan, errors = make_plan(table, fields)
    if errors:
        raise errors[0]
    space = ".".join(["tidings", "feed", _avro_name(subscriber), _avro_name(agreement)])
    event_name = table.root["name"].rpartition(".")[2]
    name = f"{event_name}V{agreement_version}"
    return {
        "type": "record",
        "name": name,
        "namespace": space,
        "doc": f"What {subscriber} sees of {event_name} under {agreement} v{agreement_version}.",
        "fields": _fields(plan, ViewNames(f"{space}.{name.lower()}"), include_flags),
    }


def rule_errors(
    event_schema: JsonObject, fields: Sequence[FieldRule], where: Sequence[Condition] = ()
) -> tuple[RuleError, ...]:
    """Everything that is wrong with an agreement's rules for one event type; empty where it can be compiled."""
    table = read_types(event_schema)
    errors = list(make_plan(table, fields)[1])
    for condition in where:
        try:
            compile_where([condition], table)
        except RuleError as error:
            errors.append(error)
    return tuple(errors)


def tail_schema(view_schema: JsonObject) -> JsonObject:
    """The view without its first field `sequence`, which the exchange numbers later; logical types left out."""
    table = read_types(view_schema)
    whole = table.standalone(table.root, logical=False)
    return {**whole, "fields": whole["fields"][1:]}


def visible_paths(plan: Plan, *, protected: bool) -> tuple[str, ...]:
    """The event's fields that the view names, of a protected person those that tell no location."""
    found: list[str] = []

    def walk(steps: tuple[Step, ...]) -> None:
        for step in steps:
            if step.how == RECORD:
                walk(step.children)
            elif step.mask and not (protected and (step.location or step.location_below)):
                found.append(step.path)

    walk(plan.steps)
    return tuple(found)


def flags_shown(flags: Iterable[Finding], visible: Iterable[str]) -> list[str]:
    """Flags about the fields at `visible`, or about the whole event, as a view tells them; the others would tell of
    what is not in it."""
    shown = tuple(visible)
    return sorted(
        {
            str(flag)
            for flag in flags
            if flag.severity is Severity.FLAG
            and (not flag.path or any(flag.path == path or flag.path.startswith(path + ".") for path in shown))
        }
    )


def hold_to_schema(view: View, plan: Plan) -> None:
    """Raises RuleError (`view-schema`) where the view's schema has not the fields that `plan` makes, in order."""
    flags = ["flags"] * view.include_flags
    made = ["kind", "policy_version", *(step.name for step in plan.head), *flags, *(step.name for step in plan.body)]
    if made != [item["name"] for item in tail_schema(view.view_schema)["fields"]]:
        raise RuleError(view.feed, "view-schema", "the feed's schema is not the one that the agreement's rules make")


def _fields(plan: Plan, names: ViewNames, include_flags: bool) -> list[JsonObject]:
    kind = {"type": "enum", "name": names.new("ViewKind"), "symbols": list(VIEW_KINDS)}
    made = [
        _fixed("sequence", "long", "Counts the records of this feed's partition from 1 without a gap."),
        _fixed("kind", kind, "LIVE; BACKFILL for what happened before the agreement; WITHDRAWN: forget record_id."),
        _fixed("policy_version", "long", "The version of the policy that decided."),
        *(_field(step, names) for step in plan.head),
    ]
    if include_flags:
        doc = "What the checks flagged in the fields of this view, as code:path."
        made.append(view_field("flags", {"type": "array", "items": "string"}, doc, "plain", "keep"))
    return made + [_field(step, names) for step in plan.body]


def _fixed(name: str, schema: AvroType, doc: str) -> JsonObject:
    return {"name": name, "type": schema, "doc": doc, "category": "plain", "mask": "exchange"}


def _field(step: Step, names: ViewNames) -> JsonObject:
    if step.name == "record_id" and (step.how == RECORD_ID or step.mask_name == "keep") and "." not in step.path:
        return _fixed(step.name, "string", step.doc) | {"category": step.category, "mask": step.mask_name}
    if step.how == RECORD:
        part = "".join(word[:1].upper() + word[1:] for name in step.path.split(".") for word in name.split("_"))
        record: JsonObject = {"type": "record", "name": names.new(f"{part}Part")}
        record["fields"] = [_field(child, names) for child in step.children]
        return view_field(step.name, _filled(step.output, record), step.doc, step.category, step.mask_name)
    more: dict[str, Any] = {"mask_params": dict(sorted(step.params.items()))} if step.params else {}
    if step.mask_name == "encrypt":
        more["encrypted_type"] = step.element
    return view_field(step.name, names.adopt(step.output), step.doc, step.category, step.mask_name, **more)


def _filled(output: AvroType, record: JsonObject) -> AvroType:
    """The record in the place that the plan left for it."""
    if isinstance(output, list):
        return [branch if branch == "null" else _filled(branch, record) for branch in output]
    return {"type": "array", "items": _filled(output["items"], record)} if kind_of(output) == "array" else record


def _avro_name(text: str) -> str:
    name = text.replace("-", "_")
    return f"_{name}" if name[:1].isdigit() else name


__all__ = ["TypeTable", "derive_view_schema", "rule_errors", "tail_schema", "visible_paths"]
