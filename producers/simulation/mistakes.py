"""How a fact is recorded wrongly at first: what a later correction puts right."""

from __future__ import annotations

from producers.simulation.portraits import Pieces, Portraits, practice
from producers.simulation.shapes import Shape
from producers.simulation.splice import SOME

_HOMES = ("new", "person", "place")
_FAMILIES = ("child.family", "person.family")


def mistaken(shape: Shape, body: Pieces, portraits: Portraits, word: int) -> Pieces | None:
    """A body with another home, another family name or another practice; None where there is nothing to mistake.

    `word` is 64 random bits. The home is that of the first person or place in the shape.
    """
    slots = shape.body
    wrong = list(body)
    where = next((home for home in _HOMES if f"{home}.street" in slots), None)
    name = next((family for family in _FAMILIES if family in slots), None)
    if where is not None and (name is None or word & 1):
        at = slots.index(f"{where}.street")
        wrong[at : at + 3] = portraits.lines(word >> 24 & 0xFFFFFFFF)
    elif name is not None:
        wrong[slots.index(name)] = SOME + portraits.family(word >> 24)
    elif "new.practice" in slots:
        wrong[slots.index("new.practice")] = practice(word >> 24 & 0xFFFF)
    else:
        return None
    return tuple(wrong)
