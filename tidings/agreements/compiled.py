"""One agreement compiled, before it meets a policy: for each event type its masks, its filter and the feed's schema."""

from __future__ import annotations

from dataclasses import dataclass

from tidings.agreements.model import Agreement
from tidings.agreements.terms import conditions_of, field_rules_of
from tidings.agreements.view_schema import view_schema
from tidings.catalogue import Catalogue
from tidings.policy.model import Condition, FieldRule, JsonObject


@dataclass(frozen=True, slots=True)
class CompiledTerms:
    """What one agreement makes of one event type. `view_schema` is what the feed's readers get, logical types kept."""

    fields: tuple[FieldRule, ...]
    where: tuple[Condition, ...]
    view_schema: JsonObject


def compiled_terms(agreement: Agreement, catalogue: Catalogue) -> dict[str, CompiledTerms]:
    """By event type. The agreement has passed the loader's rules for this catalogue; otherwise raises KeyError or
    RuleError."""
    out = {}
    for name, terms in sorted(agreement.events.items()):
        event_type = catalogue.event_types[name]
        fields = field_rules_of(terms)
        out[name] = CompiledTerms(fields, conditions_of(terms, event_type), view_schema(agreement, event_type, fields))
    return out
