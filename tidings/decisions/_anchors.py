"""Anchors: the text committed beside an inbox offset, which leads to the last decision block of that partition."""

from __future__ import annotations

import re
from typing import NamedTuple

from tidings.errors import Fatal
from tidings.log import Partition

GENESIS = "genesis"
"""The anchor that `tidings apply` commits with offset 0 of a new inbox partition: no block stands before."""

_ANCHOR = re.compile(r"(0|[1-9][0-9]{0,9}):(0|[1-9][0-9]{0,18})\Z")


class Anchor(NamedTuple):
    """Where in `exchange.decisions` the last part of the last block stands."""

    partition: int
    offset: int


def anchor_text(anchor: Anchor) -> str:
    """What the loop commits as the offset's metadata."""
    return f"{anchor.partition}:{anchor.offset}"


def chain_key(partition: Partition) -> bytes:
    """The key of every block of an inbox partition's chain: it keeps them in one partition of `exchange.decisions`."""
    return f"{partition.topic}/{partition.partition}".encode()


def parse_anchor(text: str) -> Anchor | None:
    """The anchor written as `text`; None for `genesis`. Raises Fatal for anything else: a start is never silent."""
    if text == GENESIS:
        return None
    match = _ANCHOR.match(text)
    if match is None:
        raise Fatal("the committed offset carries no anchor to a decision block")
    return Anchor(int(match[1]), int(match[2]))
