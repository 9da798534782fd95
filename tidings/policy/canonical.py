"""JSON in the one form that hashes are taken of: UTF-8, keys sorted, no white space.

Frozen: a change to this form changes every policy's and every agreement's hash.
"""

from __future__ import annotations

import orjson

from tidings.policy.model import JsonObject


def canonical_json(value: JsonObject) -> bytes:
    """`value` as canonical JSON: equal values give equal bytes, whatever the order of their keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
