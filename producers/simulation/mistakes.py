"""How a fact is recorded wrongly at first: what a later correction puts right."""

from __future__ import annotations

from producers.simulation.portraits import Body, moved, renamed
from producers.simulation.shapes import HOME, Shape


def mistaken(shape: Shape, body: Body, word: int) -> Body | None:
    """A body with another home, another family name or another practice, as its shape says; None where there is nothing
    to mistake. `word` is 64 random bits."""
    mistake, number = shape.mistakes[word & 1], word >> 24 & 0xFFFFFFFF
    if mistake is None:
        return None
    at, is_home = mistake
    right = body[at]
    wrong: bytes | int
    if isinstance(right, int):
        wrong = number if shape.parts[at].kind == HOME else number & 0xFFFF
    else:
        wrong = moved(right, number) if is_home else renamed(right, number)
    return (*body[:at], wrong, *body[at + 1 :])
