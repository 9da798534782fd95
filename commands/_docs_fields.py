"""Fields of event types and of shared types as tables, each field with type, category and doc."""

from __future__ import annotations

from collections.abc import Iterator

from commands._docs_markdown import anchor, code, codes, table
from tidings.catalogue import FieldInfo
from tidings.catalogue.load import TYPE_NAMESPACE

HEAD = ("field", "type", "category", "what it is")


def fields_table(fields: Iterator[FieldInfo], types_page: str) -> str:
    """The table of `fields`. Below a shared type nothing is repeated: its name leads to `types_page`."""
    return table(HEAD, ((code(each.path), type_text(each, types_page), each.category, each.doc) for each in fields))


def top_fields(fields: Iterator[FieldInfo]) -> Iterator[FieldInfo]:
    """Only those that are not inside a shared type."""
    shared: list[str] = []
    for each in fields:
        if not any(each.path.startswith(prefix) for prefix in shared):
            yield each
            if each.type == "record" and is_shared(each):
                shared.append(f"{each.path}.")


def is_shared(info: FieldInfo) -> bool:
    """Whether the field's type is one of the shared named types."""
    return bool(info.type_name and info.type_name.startswith(f"{TYPE_NAMESPACE}."))


def type_text(info: FieldInfo, types_page: str) -> str:
    """A field's type in words: the shared type's link, a uuid, the symbols of an enum; `?` where it may be null."""
    name = (info.type_name or "").rpartition(".")[2]
    if is_shared(info):
        text = f"[{name}]({types_page}#{anchor(name)})"
    elif info.symbols:
        text = f"one of {codes(info.symbols)}"
    else:
        text = info.logical_type or name or info.type
    text = f"list of {text}" if info.array else text
    return f"{text}?" if info.nullable else text
