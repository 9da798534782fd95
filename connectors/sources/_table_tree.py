"""The body of an event as a tree of compiled rules: a record whose columns are all empty is absent, and so is its place
in a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sources._table_cells import Cells
from connectors.sources._table_fields import Compiled, Value
from connectors.sources.base import RecordError


@dataclass(slots=True)
class Node:
    """One field, or one element of a list. `path` is the event's, for refusals. It has a rule of its own, parts (a
    record's fields), elements (a list's), or a rule and the parts that the rule does not fill.

    `key` is the first line of the mapping about it; `schema` a record's fields by name; `columns` those of the rule.
    """

    path: str
    key: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    rule: Compiled | None = None
    columns: tuple[str, ...] = ()
    parts: dict[str, Node] = field(default_factory=dict)
    elements: dict[int, Node] = field(default_factory=dict)

    def constant(self) -> bool:
        """Whether it says the same of every row."""
        rules = [self.rule.constant] if self.rule is not None else []
        return all([*rules, *(each.constant() for each in (*self.parts.values(), *self.elements.values()))])

    def reads(self) -> frozenset[str]:
        """All columns that it reads."""
        inner = (each.reads() for each in (*self.parts.values(), *self.elements.values()))
        return frozenset(self.columns).union(*inner)


def compile_node(node: Node) -> Value:
    """What reads a node's value from a row. It raises RecordError."""
    if node.elements:
        return _list([compile_node(each) for _, each in sorted(node.elements.items())])
    if not node.schema:
        return node.rule.value if node.rule is not None else _nothing
    return _record(node)


def defaults_of(schema: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Makes a record's fields as they are where nobody says anything: null, or an empty list."""
    lists = [name for name, each in schema.items() if each.get("default") == []]
    empty: dict[str, Any] = dict.fromkeys(schema)

    def make() -> dict[str, Any]:
        return empty | {name: [] for name in lists}

    return make


def _nothing(cells: Cells) -> Any:
    del cells


def _list(elements: list[Value]) -> Value:
    return lambda cells: [value for each in elements if (value := each(cells)) is not None]


def _record(node: Node) -> Value:
    parts = [(name, compile_node(each)) for name, each in node.parts.items()]
    own = node.rule.value if node.rule is not None else _nothing
    needed = [name for name, each in node.schema.items() if "default" not in each]
    make, path = defaults_of(node.schema), node.path
    always, columns = node.constant(), tuple(node.reads())

    def value(cells: Cells) -> Any:
        if not always and not cells.filled(columns):
            return None
        out = make() | (own(cells) or {})
        for name, read in parts:
            found = read(cells)
            if found is not None:
                out[name] = found
        for name in needed:
            if out[name] is None:
                message = "the columns of this field are empty, and the record around it is not"
                raise RecordError(f"{path}.{name}", "required", message)
        return out

    return value
