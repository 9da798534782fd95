"""Load a country: `agencies.yaml` and every agreement beside it. All problems of all files come at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tidings.agreements.country import Country, Key, key_of
from tidings.agreements.interest import read_interest
from tidings.agreements.model import Agency, Agreement
from tidings.agreements.parse import parse_agencies, parse_agreement
from tidings.agreements.read_yaml import Document, read_yaml
from tidings.agreements.rules import check_agreement
from tidings.catalogue import Catalogue
from tidings.errors import BadInput, Problem

AGENCIES = "agencies.yaml"
RESERVED = frozenset({"admin", "correction-window", "exchange", "monitor", "registry"})
"""The principals of the exchange itself: an agency of such a name would have their credentials and their access."""


def load_country(directory: Path, catalogue: Catalogue) -> Country:
    """Load `directory`. Raises BadInput with every problem, by file and line."""
    problems: list[Problem] = []
    agencies = _agencies(directory / AGENCIES, problems)
    loaded: list[tuple[Agreement, Document]] = []
    for path in sorted(directory.glob("*.yaml")) + sorted(directory.glob("*.yml")):
        if path.name == AGENCIES:
            continue
        try:
            document = read_yaml(path)
            loaded.append((parse_agreement(document), document))
        except BadInput as error:
            problems += error.problems
    interests: dict[Key, tuple[str, ...]] = {}
    for agreement, document in loaded:
        problems += check_agreement(agreement, document, agencies, catalogue)
        interests[key_of(agreement)] = _interest(agreement, document, problems)
    problems += _together(loaded)
    if problems:
        raise BadInput(sorted(set(problems)))
    ordered = sorted(loaded, key=lambda part: key_of(part[0]))
    documents = {key_of(agreement): document for agreement, document in ordered}
    return Country(agencies or {}, tuple(agreement for agreement, _ in ordered), documents, interests)


def load_agreement(path: Path) -> Agreement:
    """Load one agreement's form, without its country. Raises BadInput."""
    return parse_agreement(read_yaml(path))


def _agencies(path: Path, problems: list[Problem]) -> dict[str, Agency] | None:
    """None where the file cannot be read: then no agreement is told that its agencies are unknown."""
    try:
        document = read_yaml(path)
        agencies = parse_agencies(document).agencies
    except BadInput as error:
        problems += error.problems
        return None
    for name in sorted(RESERVED & set(agencies)):
        message = "is the name of a principal of the exchange itself; the agency needs another"
        problems.append(document.problem(("agencies", name), "reserved-id", message))
    return dict(sorted(agencies.items()))


def _interest(agreement: Agreement, document: Document, problems: list[Problem]) -> tuple[str, ...]:
    listed = agreement.subjects.interest_list
    path = Path(document.file).parent / (listed or "")
    if listed is None or ".." in Path(listed).parts or not path.is_file():
        return ()
    try:
        return read_interest(path)
    except BadInput as error:
        problems += error.problems
        return ()


def _together(loaded: list[tuple[Agreement, Document]]) -> Iterator[Problem]:
    """What no agreement can tell by itself: two with one name and version, successors."""
    first: dict[Key, tuple[Agreement, Document]] = {}
    names: dict[str, tuple[Agreement, Document]] = {}
    for agreement, document in loaded:
        key, name = key_of(agreement), agreement.agreement
        if key in first:
            other = first[key][1].file
            yield document.problem(("version",), "same-agreement", f"{name} version {key[1]} stands in {other}, too")
        first.setdefault(key, (agreement, document))
        before = names.setdefault(name, (agreement, document))[0]
        for clause in ("provider", "subscriber", "linkage"):
            if getattr(before, clause) != getattr(agreement, clause):
                yield document.problem((clause,), "versions-differ", f"must be the same in all versions of {name}")
