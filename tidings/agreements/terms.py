"""One event type's terms as the policy holds them."""

from __future__ import annotations

from tidings.agreements.model import EventTerms, MaskUse
from tidings.catalogue import EventType
from tidings.masks import MASKS
from tidings.policy.model import Condition, FieldRule, JsonObject


def field_rules_of(terms: EventTerms) -> tuple[FieldRule, ...]:
    """The fields with their masks, by path."""
    return tuple(
        FieldRule(path=path, mask=use.mask, params=params_of(use)) for path, use in sorted(terms.fields.items())
    )


def conditions_of(terms: EventTerms, event_type: EventType) -> tuple[Condition, ...]:
    """The row filter: the agreement's own lines, and the catalogue's for every path that it does not name.

    A redacted field is not named in this sense: its reader could not tell what the catalogue keeps back from the rest.
    """
    own = terms.where.conditions() if terms.where else ()
    named = {line.path for line in own} | {path for path, use in terms.fields.items() if use.mask != "redact"}
    return own + tuple(line for line in event_type.default_where if line.path not in named)


def params_of(use: MaskUse) -> JsonObject:
    """A mask's parameters under their own names: `{generalise: year}` gives the mask's first parameter."""
    mask = MASKS.get(use.mask)
    if mask is None or set(use.params) != {"value"} or "value" in mask.settings_type.model_fields:
        return dict(use.params)
    first = next(iter(mask.settings_type.model_fields), "value")
    return {first: use.params["value"]}
