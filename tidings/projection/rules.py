"""What is wrong with one line of an agreement, seen from the event type's schema."""

from __future__ import annotations


class RuleError(ValueError):
    """`field` is the dotted path that the agreement names, `rule` a name in kebab-case: `path-unknown`,
    `path-repeated`, `path-overlap`, `path-in-map`, `view-field-taken`, `mask-unknown`, `mask-type`, `mask-params`,
    `type-unsupported`, `head-record-id`, `encrypt-event-id`, `where-type`, `where-value`, `catalogue-head`,
    `view-schema`. The message carries no value of an event."""

    def __init__(self, field: str, rule: str, message: str) -> None:
        self.field = field
        self.rule = rule
        self.message = message
        super().__init__(f"{field}: {message} [{rule}]")
