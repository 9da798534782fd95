"""How a fact is recorded wrongly at first: what a later correction puts right."""

from __future__ import annotations

from producers.simulation.portraits import Body, Portraits, moved, renamed
from producers.simulation.shapes import HOME, PIECE, Shape
from producers.simulation.splice import SOME

_HOMES = ("new.street", "person.street", "place.street")
_FAMILIES = ("child.family", "person.family")


def mistaken(shape: Shape, body: Body, portraits: Portraits, word: int) -> Body | None:
    """A body with another home, another family name or another practice; None where there is nothing to mistake.

    `word` is 64 random bits. The home is that of the first person or place in the shape.
    """
    place, number = shape.place, word >> 24 & 0xFFFFFFFF
    where = next((home for home in _HOMES if home in place), None)
    name = next((family for family in _FAMILIES if family in place), None)
    slot = where if where is not None and (name is None or word & 1) else name or "new.practice"
    if slot not in place:
        return None
    at = place[slot]
    right, kind = body[at], shape.parts[at].kind
    wrong: bytes | int
    if isinstance(right, int):
        wrong = number if kind == HOME else number & 0xFFFF
    elif kind == PIECE:
        wrong = SOME + portraits.family(number)
    else:
        wrong = moved(right, number) if slot == where else renamed(right, number)
    return (*body[:at], wrong, *body[at + 1 :])
