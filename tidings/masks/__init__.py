"""Masks: what a field's value becomes. `MASKS` is the whole list; what is not in it is refused.

Others may use `MASKS`, `mask_named`, and from the files beside: `pseudonym` (the text and uuid functions) and `encrypt`
(`decrypt`, for the subscriber).
"""

from __future__ import annotations

from typing import Any

from tidings.masks.base import Mask, MaskContext, MaskError
from tidings.masks.encrypt import Encrypt
from tidings.masks.generalise import Generalise
from tidings.masks.keep import Keep
from tidings.masks.partial import Partial
from tidings.masks.pseudonym import Pseudonym
from tidings.masks.redact import Redact

MASKS: dict[str, Mask[Any]] = {
    mask.name: mask
    for mask in (
        Encrypt(),
        Generalise(),
        Keep(),
        Partial(),
        Pseudonym(),
        Redact(),
    )
}

__all__ = ["MASKS", "Mask", "MaskContext", "MaskError", "mask_named"]


def mask_named(name: str) -> Mask[Any]:
    """The mask called `name`. Raises MaskError (`mask-unknown`)."""
    mask = MASKS.get(name)
    if mask is None:
        raise MaskError("mask-unknown", f"there is no mask {name!r}; there are {', '.join(sorted(MASKS))}")
    return mask
