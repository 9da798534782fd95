"""What an agreement must hold beyond its form: known agencies, fields and masks, and the law that each field needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tidings.agreements.model import Agency, Agreement, EventTerms
from tidings.agreements.parse import did_you_mean
from tidings.agreements.read_yaml import Document, Loc
from tidings.agreements.terms import conditions_of, field_rules_of
from tidings.catalogue import Catalogue, EventType, FieldInfo, field_map
from tidings.errors import Problem
from tidings.hold import hold_seconds
from tidings.policy.model import Protection
from tidings.projection import rule_errors

CHILD_EVENT_TYPES = "birth-"
"""Event types about children by their name: each needs `minors`, whatever fields it discloses."""


def check_agreement(
    agreement: Agreement, document: Document, agencies: Mapping[str, Agency] | None, catalogue: Catalogue
) -> Iterator[Problem]:
    """Every problem of one agreement by itself, each at its line. `agencies` is None where they could not be read."""
    problem = document.problem
    yield from _dates(agreement, problem)
    if agencies is not None:
        yield from _agencies(agreement, problem, agencies)
    yield from _subjects(agreement, document)
    yield from _hold(agreement, problem)
    if not agreement.events:
        yield problem(("events",), "no-events", "must name at least one event type")
    for name, terms in agreement.events.items():
        event_type = catalogue.event_types.get(name)
        if event_type is None:
            hint = did_you_mean(name, catalogue.event_types)
            yield problem(("events", name), "unknown-event-type", f"is not an event type of the catalogue{hint}")
        else:
            yield from _event(agreement, name, terms, event_type, problem)


_DAY_SECONDS = 86_400

ProblemAt = Callable[[Loc, str, str], Problem]


def _dates(agreement: Agreement, problem: ProblemAt) -> Iterator[Problem]:
    valid = agreement.valid
    if valid.until < valid.from_:
        yield problem(("valid", "until"), "dates-reversed", f"{valid.until} is before the start, {valid.from_}")
    if agreement.review_by > valid.until:
        yield problem(("review_by",), "review-after-end", f"{agreement.review_by} is after the end, {valid.until}")
    for at, approval in enumerate(agreement.approvals):
        if approval.date > valid.until:
            yield problem(
                ("approvals", at, "date"), "approval-after-end", f"{approval.date} is after the end, {valid.until}"
            )


def _agencies(agreement: Agreement, problem: ProblemAt, agencies: Mapping[str, Agency]) -> Iterator[Problem]:
    onward = () if agreement.onward_sharing == "none" else agreement.onward_sharing
    named: list[tuple[Loc, str]] = [(("provider",), agreement.provider), (("subscriber",), agreement.subscriber)]
    named += [(("onward_sharing", at), name) for at, name in enumerate(onward)]
    for loc, name in named:
        if name not in agencies:
            yield problem(loc, "unknown-agency", f"{name!r} is not in agencies.yaml{did_you_mean(name, agencies)}")
    if agreement.provider == agreement.subscriber:
        yield problem(("subscriber",), "provider-is-subscriber", "an agency needs no agreement with itself")
    if not {agreement.provider, agreement.subscriber} <= set(agencies):
        return  # a side that is misspelt would have every approval of it called wrong
    for at, approval in enumerate(agreement.approvals):
        loc = ("approvals", at)
        if approval.agency not in (agreement.provider, agreement.subscriber):
            yield problem(
                (*loc, "agency"), "approval-agency", f"{approval.agency!r} is neither provider nor subscriber"
            )
        elif approval.agency in agencies and approval.role not in agencies[approval.agency].roles:
            roles = agencies[approval.agency].roles
            hint = did_you_mean(approval.role, roles)
            yield problem(
                (*loc, "role"),
                "approval-role",
                f"{approval.role!r} is no role of {approval.agency} that may approve{hint}",
            )


def _subjects(agreement: Agreement, document: Document) -> Iterator[Problem]:
    loc: Loc = ("subjects", "where")
    if agreement.subjects.where and not any(terms.where for terms in agreement.events.values()):
        yield document.problem(
            loc, "subjects-without-filter", "says that filters choose, but no event type has a where"
        )
    listed = agreement.subjects.interest_list
    if listed is None:
        return
    loc = ("subjects", "interest_list")
    folder = Path(document.file).parent
    if Path(listed).is_absolute() or ".." in Path(listed).parts:
        yield document.problem(loc, "interest-list-path", "must be a path below the folder of the agreements")
    elif not (folder / listed).is_file():
        yield document.problem(loc, "interest-list-missing", f"there is no file {listed!r} beside this one")


def _hold(agreement: Agreement, problem: ProblemAt) -> Iterator[Problem]:
    """What holding views back asks of the other clauses."""
    if agreement.hold is None:
        return
    if hold_seconds(agreement.hold) >= agreement.retention_days * _DAY_SECONDS:
        yield problem(("hold",), "hold-too-long", f"is not less than retention_days, {agreement.retention_days}")
    for name, terms in agreement.events.items():
        if "change" in terms.fields and terms.fields["change"].mask != "keep":
            message = "must be kept where views are held: by it an annulment is known"
            yield problem(("events", name, "fields", "change"), "hold-needs-change", message)


def _event(
    agreement: Agreement, name: str, terms: EventTerms, event_type: EventType, problem: ProblemAt
) -> Iterator[Problem]:
    loc: Loc = ("events", name)
    if agreement.provider != event_type.owner:
        yield problem(loc, "not-owner", f"belongs to {event_type.owner!r}, so {agreement.provider!r} cannot provide it")
    if not terms.fields:
        yield problem((*loc, "fields"), "no-fields", "must name at least one field")
    known = field_map(event_type.schema)
    used = [("fields", path) for path in terms.fields] + [
        ("where", path) for path in (terms.where.paths if terms.where else ())
    ]
    for clause, path in used:
        if path not in known:
            rule = "unknown-field" if clause == "fields" else "where-unknown-field"
            yield problem((*loc, clause, path), rule, f"{name} has no such field{did_you_mean(path, known)}")
        else:
            yield from _law(agreement, (*loc, clause, path), known, path, problem)
        if clause == "where" and path in known and _tells_location(agreement, known[path], path):
            message = (
                "would tell where a protected person is: with without_location a filter reads no location but country"
            )
            yield problem((*loc, clause, path), "where-tells-location", message)
    about_children = name.startswith(CHILD_EVENT_TYPES)
    if about_children and agreement.legal_basis.minors is None:
        yield problem(loc, "child-without-minors", "is about children: legal_basis needs minors")
    yield from _masks(loc, terms, event_type, known, problem)


def _tells_location(agreement: Agreement, info: FieldInfo, path: str) -> bool:
    """Whether a filter on `path` tells where a protected person is, by what comes and what is withdrawn."""
    hidden = agreement.protected is Protection.WITHOUT_LOCATION and info.category == "location"
    return hidden and path.rpartition(".")[2] != "country"


def _law(
    agreement: Agreement, loc: Loc, known: Mapping[str, FieldInfo], path: str, problem: ProblemAt
) -> Iterator[Problem]:
    """The clauses that the categories of a field and of all inside it ask for. Source: UK GDPR, articles 8 and 9."""
    categories = set(known[path].categories)
    for below, info in known.items():
        if below.startswith(f"{path}."):
            categories |= info.categories
    if "special" in categories and agreement.legal_basis.article_9 is None:
        yield problem(loc, "special-without-article-9", "is or holds a special category: legal_basis needs article_9")
    if "child" in categories and agreement.legal_basis.minors is None:
        yield problem(loc, "child-without-minors", "is or holds a child's field: legal_basis needs minors")


def _masks(
    loc: Loc, terms: EventTerms, event_type: EventType, known: Mapping[str, FieldInfo], problem: ProblemAt
) -> Iterator[Problem]:
    """What the projection has against the masks and filters; paths that are not known were told of already."""
    rules = [rule for rule in field_rules_of(terms) if rule.path in known]
    where = [line for line in conditions_of(terms, event_type) if line.path in known]
    for error in rule_errors(event_type.schema, rules, where):
        in_where = error.rule.startswith("where-")
        yield problem((*loc, "where" if in_where else "fields", error.field), error.rule, error.message)
