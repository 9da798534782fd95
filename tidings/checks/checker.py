"""Compiles the checks of an event type and runs them: every finding of an event at once, never the first one only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tidings.catalogue import HEAD_NAMES, FieldInfo, field_map
from tidings.checks.base import Check, Event, ReferenceLists
from tidings.checks.table import CHECKS
from tidings.errors import BadInput, Fatal, Finding, Problem, Severity
from tidings.policy.model import CheckRule

ANNULLED = "ANNULLED"
_HEAD = frozenset(HEAD_NAMES)
_NAMING = frozenset({"event_id", "change", "record_id", "source", "subject", "environment"})


class Checker:
    """The checks of one event type, compiled.

    Called in the exchange's thread and in a publisher's process; `run` does not block and never raises on an event that
    its schema allows. Raises Fatal where a rule cannot be compiled (`validate_rules` says why, and comes first).
    """

    def __init__(self, rules: Sequence[CheckRule], lists: ReferenceLists) -> None:
        compiled = [(rule, _compile(rule, lists)) for rule in rules]
        self._all = tuple((rule.severity, check) for rule, check in compiled)
        self._of_head = tuple((_annulling(rule), check) for rule, check in compiled if is_of_head(rule))

    def run(self, event: Event, now_ms: int) -> tuple[Finding, ...]:
        """All findings, sorted and each once.

        Of an annulment only the rules of the head run, and those about whom the event names. Only the latter can refuse
        it (a subject that is nobody, a message that names two people: it would annul the wrong one's); the others flag,
        or a living person stays dead downstream over a date. Publishers and the exchange both judge here. Source:
        DESIGN.md, "Events".
        """
        checks = self._of_head if event.get("change") == ANNULLED else self._all
        found: set[Finding] = set()
        for severity, check in checks:
            paths = check.find(event, now_ms)
            if paths:
                found.update(Finding(check.code, path, severity) for path in paths)
        return tuple(sorted(found)) if found else ()


def _annulling(rule: CheckRule) -> Severity:
    naming = CHECKS[rule.check].names_subject or all(path.partition(".")[0] in _NAMING for path in rule.paths)
    return rule.severity if naming else Severity.FLAG


def is_of_head(rule: CheckRule) -> bool:
    """Whether a rule judges annulments: all that it reads stands in the head of the event, or it is about the
    subject."""
    check = CHECKS[rule.check]
    if check.names_subject:
        return True
    paths = (*rule.paths, *check.paths_of(rule), *check.named_by(rule.params))
    return all(path.partition(".")[0] in _HEAD for path in paths)


def validate_rules(
    rules: Sequence[CheckRule], schema: dict[str, Any], lists: ReferenceLists, file: str = "(catalogue)"
) -> None:
    """Raises BadInput with everything that is wrong with the rules of one event type: an unknown check, a path that the
    schema lacks or whose type the check cannot judge, parameters of the wrong form, an unknown reference list."""
    fields = field_map(schema)
    problems = [problem for at, rule in enumerate(rules) for problem in _problems(at, rule, fields, lists, file)]
    if problems:
        raise BadInput(problems)


def _problems(
    at: int, rule: CheckRule, fields: dict[str, FieldInfo], lists: ReferenceLists, file: str
) -> Iterator[Problem]:
    where = f"catalogue.checks.{at}"
    check = CHECKS.get(rule.check)
    if check is None:
        yield Problem(file, 0, where, "unknown-check", f"there is no check {rule.check!r}; known: {', '.join(CHECKS)}")
        return
    try:
        check(rule, lists)
        paths = check.paths_of(rule)
    except ValueError as error:
        yield Problem(file, 0, f"{where}.params", "check-params", str(error))
        return
    except BadInput as error:
        yield from (Problem(file, 0, f"{where}.params", each.rule, str(each)) for each in error.problems)
        return
    for path in (*paths, *check.named_by(rule.params)):
        if path not in fields:
            yield Problem(file, 0, where, "unknown-path", f"the event type has no field {path!r}")
        elif path in paths and not kinds_of(fields, path) & check.takes:
            yield Problem(file, 0, where, "check-type", f"{rule.check} cannot judge {path!r}")


def kinds_of(fields: dict[str, FieldInfo], path: str) -> frozenset[str]:
    """What a check may take the field for; every field is `any`."""
    info = fields[path]
    kinds = {"any", info.type}
    if info.type == "long":
        kinds.add("timestamp")
    if info.type == "record":
        if info.type_name == "tidings.types.PartialDate":
            kinds.add("partial_date")
        if f"{path}.scheme" in fields and f"{path}.value" in fields:
            kinds.add("identifier")
    return frozenset(kinds)


def _compile(rule: CheckRule, lists: ReferenceLists) -> Check:
    check = CHECKS.get(rule.check)
    if check is None:
        raise Fatal(f"there is no check {rule.check!r}")
    try:
        return check(rule, lists)
    except (ValueError, BadInput) as error:
        raise Fatal(f"the check {rule.check!r} cannot be compiled: {error}") from None
