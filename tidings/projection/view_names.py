"""Gives an event's types the names of one view: unique to its feed; every field with a default, doc and category."""

from __future__ import annotations

from typing import Any

from tidings.projection.types import AvroType, kind_of, nullable


class ViewNames:
    """Names for the types of one view schema, each defined at its first use. `space` is their namespace."""

    def __init__(self, space: str) -> None:
        self._space = space
        self._given: dict[str, str] = {}
        self._used: set[str] = set()

    def new(self, simple: str) -> str:
        """A full name that no type of this view has yet, from a simple name."""
        name, count = simple, 1
        while name in self._used:
            count += 1
            name = f"{simple}{count}"
        self._used.add(name)
        return f"{self._space}.{name}"

    def adopt(self, schema: AvroType) -> AvroType:
        """The type under this view's names. Raises ValueError for a union of more than null and one type."""
        if isinstance(schema, list):
            if len([branch for branch in schema if branch != "null"]) != 1:
                raise ValueError("a view holds no union of more than null and one type")
            return nullable(next(self.adopt(branch) for branch in schema if branch != "null"))
        if isinstance(schema, str):
            return self._given.get(schema, schema)
        kind = kind_of(schema)
        if kind == "array":
            return {"type": "array", "items": self.adopt(schema["items"])}
        if kind == "map":
            return {"type": "map", "values": self.adopt(schema["values"])}
        if kind in ("record", "enum", "fixed"):
            return self._adopt_named(schema)
        made = {key: schema[key] for key in ("type", "logicalType", "precision", "scale") if key in schema}
        if made.get("logicalType") == "uuid":  # a reader's library fails on a text that is none
            del made["logicalType"]
        return made if len(made) > 1 else made["type"]

    def _adopt_named(self, schema: AvroType) -> AvroType:
        name = self._given[schema["name"]] = self.new(str(schema["name"]).rpartition(".")[2])
        made: dict[str, Any] = {"type": schema["type"], "name": name}
        made |= {key: schema[key] for key in ("doc", "symbols", "default", "size") if key in schema}
        made |= {key: schema[key] for key in ("logicalType", "precision", "scale") if key in schema}
        if schema["type"] == "record":
            made["fields"] = [
                view_field(
                    item["name"], self.adopt(item["type"]), str(item.get("doc", "")), item.get("category"), "keep"
                )
                for item in schema["fields"]
            ]
        return made


def view_field(name: str, schema: AvroType, doc: str, category: str | None, mask: str, **more: Any) -> dict[str, Any]:
    """A field of a view: nullable with default null; an array or map that is never null has an empty default."""
    made: dict[str, Any] = {"name": name, "type": schema}
    if kind_of(schema) == "array":
        made["default"] = []
    elif kind_of(schema) == "map":
        made["default"] = {}
    else:
        made["type"] = nullable(schema)
        made["default"] = None
    return made | {"doc": doc, "category": category or "plain", "mask": mask} | more


def empty_of(schema: AvroType) -> Any:
    """The default of a view's field with this type, made anew."""
    return {"array": [], "map": {}}.get(kind_of(schema))
