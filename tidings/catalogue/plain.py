"""Schemas as the code uses them: on the wire's own values."""

from __future__ import annotations

from typing import Any


def plain_schema(schema: Any) -> Any:
    """A copy of `schema` without any `logicalType`: a uuid is str, a timestamp int; bytes in = bytes out."""
    if isinstance(schema, dict):
        return {
            key: value if key == "default" else plain_schema(value)
            for key, value in schema.items()
            if key != "logicalType"
        }
    if isinstance(schema, list):
        return [plain_schema(each) for each in schema]
    return schema
