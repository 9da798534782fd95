"""Load a table's mapping file and compile it against its event type: every problem at once, with file, line and
rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.sources._table_fields import Unfit, Value, compile_rule
from connectors.sources._table_model import TableMapping
from connectors.sources._table_tree import Node, compile_node, defaults_of
from tidings.agreements.parse import did_you_mean, parse_document
from tidings.agreements.read_yaml import Document, Loc, read_yaml
from tidings.catalogue import Catalogue, FieldInfo, field_map
from tidings.errors import BadInput, Problem

DERIVED = ("event_id", "received_at", "source", "environment")
"""What the connector says itself, from the system, the message id, the row and the command."""
_REQUIRED = {
    "change": "a mapping must say what a row does: {constant: CREATED}, or a column with codes",
    "record_id": "a mapping must say which column is the authority's own id of the fact",
    "subject": "a mapping must say whom or what a row is about: a column with its scheme",
    "protection": "a mapping must say who is protected: a column with codes, or {constant: NONE} where nobody is",
}
REQUIRED = tuple(_REQUIRED)
"""What every mapping must say."""
_STEP = re.compile(r"([a-z_][a-z0-9_]*)(?:\[(0|[1-9][0-9]?)\])?\Z")


@dataclass(frozen=True, slots=True)
class CompiledTable:
    """A mapping that fits its event type. `body` reads each top field from a row; `defaults` makes an empty event."""

    mapping: TableMapping
    body: tuple[tuple[str, Value], ...]
    defaults: Callable[[], dict[str, Any]]


def load_mapping(path: Path, catalogue: Catalogue) -> CompiledTable:
    """Read and compile a mapping file. Raises BadInput with every problem that can be told at once."""
    document = read_yaml(path)
    return _compile(document, parse_document(document, TableMapping), catalogue)


def _compile(document: Document, mapping: TableMapping, catalogue: Catalogue) -> CompiledTable:
    event_type = catalogue.event_types.get(mapping.event_type)
    if event_type is None:
        hint = did_you_mean(mapping.event_type, catalogue.event_types)
        raise BadInput([document.problem(("event_type",), "unknown-event-type", f"there is no such event type{hint}")])
    tree = _Tree(document, mapping, field_map(event_type.schema))
    problems = [*_columns(document, mapping), *tree.fill()]
    if problems:
        raise BadInput(sorted(set(problems)))
    body = tuple((name, compile_node(node)) for name, node in tree.root.parts.items())
    return CompiledTable(mapping, body, defaults_of(tree.root.schema))


class _Tree:
    """The event type's fields, filled with the mapping's rules."""

    def __init__(self, document: Document, mapping: TableMapping, fields: Mapping[str, FieldInfo]) -> None:
        self._document = document
        self._mapping = mapping
        self._fields = fields
        self.root = Node("", schema=self._schema_of(""))

    def fill(self) -> Iterator[Problem]:
        """Place every rule; yields what is wrong with the rules, and what they leave out."""
        for key, rule in self._mapping.fields.items():
            try:
                node, info, element = self._node(key)
                node.rule = compile_rule(rule, info, element, self._mapping.file.time_zone, self._mapping.system)
                node.columns = rule.read()
            except Unfit as unfit:
                loc: Loc = ("fields", key, unfit.clause) if unfit.clause else ("fields", key)
                yield self._document.problem(loc, unfit.rule, unfit.why)
        for name in REQUIRED:
            if name not in self.root.parts:
                yield self._document.problem(("fields",), "required-field", _REQUIRED[name])
        for part in self.root.parts.values():
            yield from self._whole(part)

    def _node(self, key: str) -> tuple[Node, FieldInfo, bool]:
        """The node that a path such as `deceased.names[0].given` leads to, made on the way, its field, and whether it
        is an element of a list."""
        node, here, index, info = self.root, "", None, None
        for step in key.split("."):
            if info is not None and info.array and index is None:
                raise Unfit("", "index", f"{here} is a list: say which element, {here}[0]")
            match = _STEP.match(step)
            if match is None:
                raise Unfit("", "field-path", "a path is names with dots between them, and [0], [1], ... after a list")
            name, index = match.groups()
            here = f"{here}.{name}" if here else name
            info = self._fields.get(here)
            if info is None:
                raise Unfit("", "unknown-field", f"the event type has no such field{did_you_mean(here, self._fields)}")
            if here in DERIVED:
                raise Unfit("", "derived-field", "the connector says this field itself")
            if index is not None and not info.array:
                raise Unfit("", "not-a-list", f"{here} is no list")
            schema = {} if info.array else self._schema_of(here)
            node = node.parts.setdefault(name, Node(here, key, schema))
            if index is not None:
                node = node.elements.setdefault(int(index), Node(f"{here}[{index}]", key, self._schema_of(here)))
        if info is None:
            raise Unfit("", "field-path", "the path is empty")
        return node, info, index is not None

    def _schema_of(self, path: str) -> dict[str, Any]:
        """The fields of the record at a path, by name."""
        before = f"{path}." if path else ""
        inside = (each for each in self._fields if each.startswith(before) and "." not in each[len(before) :])
        return {each[len(before) :]: self._fields[each].schema for each in inside}

    def _whole(self, node: Node) -> Iterator[Problem]:
        """What a node leaves out or says twice."""
        loc = ("fields", node.key)
        says = node.rule.says if node.rule is not None else frozenset()
        for name in sorted(says & node.parts.keys()):
            yield self._document.problem(loc, "said-twice", f"{node.path}.{name} is filled by this rule and by its own")
        if node.elements and node.rule is not None:
            yield self._document.problem(loc, "said-twice", f"{node.path} is filled as a whole and by its elements")
        if sorted(node.elements) != list(range(len(node.elements))):
            yield self._document.problem(loc, "index-gap", f"the elements of {node.path} count from [0] without a gap")
        for name, each in node.schema.items():
            if "default" not in each and name not in node.parts and name not in says:
                yield self._document.problem(loc, "required-field", f"{node.path}.{name} must be mapped too")
        for each in (*node.parts.values(), *node.elements.values()):
            yield from self._whole(each)


def _columns(document: Document, mapping: TableMapping) -> Iterator[Problem]:
    """Columns that do not exist, are not used and not ignored, or both."""
    known = mapping.file.columns
    used: set[str] = set()
    for loc, names, uses in _named(mapping):
        used.update(names if uses else ())
        for name in names:
            if name not in known:
                yield document.problem(loc, "unknown-column", f"there is no column {name!r}{did_you_mean(name, known)}")
    for name in mapping.ignore:
        if name not in known:
            message = f"there is no column {name!r}{did_you_mean(name, known)}"
            yield document.problem(("ignore", name), "unknown-column", message)
        if name in used:
            yield document.problem(("ignore", name), "ignored-and-used", f"the column {name!r} is used as well")
    for at, name in enumerate(known):
        if name not in used and name not in mapping.ignore:
            message = f"the column {name!r} goes nowhere: map it, or say under `ignore` why not"
            yield document.problem(("file", "columns", at), "unused-column", message)


def _named(mapping: TableMapping) -> Iterator[tuple[Loc, tuple[str, ...], bool]]:
    yield ("message_id",), mapping.message_id, True
    for at, step in enumerate(mapping.cleansing):
        yield ("cleansing", at, "columns"), step.columns, False
    for at, aside in enumerate(mapping.set_aside):
        yield ("set_aside", at, "column"), (aside.column,), True
    for key, rule in mapping.fields.items():
        yield ("fields", key), rule.read(), True
