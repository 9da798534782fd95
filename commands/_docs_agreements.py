"""Reference pages of the agreements: who tells whom as a table and a picture, and a plain-language page each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from commands._docs_markdown import GENERATED, codes, page, table
from tidings import topics
from tidings.agreements import Agreement, Country
from tidings.agreements.page import agreement_page
from tidings.agreements.samples import Samples
from tidings.catalogue import Catalogue


def agreement_pages(catalogue: Catalogue, country: Country, samples: Samples) -> Iterator[tuple[str, str]]:
    """Every page by its path below `docs/reference`. `samples` are the events that the pages show."""
    yield "agreements/README.md", _index(country)
    for each in country.agreements:
        yield f"agreements/{page_name(each)}", f"{GENERATED}\n\n{agreement_page(each, country, catalogue, samples)}"


def page_name(agreement: Agreement) -> str:
    """The file name of an agreement's page: two versions of one agreement have a page each."""
    return f"{agreement.agreement}-v{agreement.version}.md"


def _index(country: Country) -> str:
    return page(
        "Who tells whom",
        "The example country's agreements, compiled from `agreements/`. Every page says in plain language who may know"
        " what, why, on what law, until when, and shows a made-up event beside what the subscriber sees of it.",
        picture(country),
        "## Agreements",
        _agreements(country),
        "## Feeds",
        _feeds(country),
        "## Agencies",
        _agencies(country),
    )


def picture(country: Country) -> str:
    """Provider to subscriber as a mermaid picture; on each arrow the event types that are told."""
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in country.agreements:
        told[each.provider, each.subscriber] |= set(each.events)
    names = sorted({name for pair in told for name in pair})
    lines = ["```mermaid", "flowchart LR"]
    lines += [f'  {_node(name)}["{country.agencies[name].name}"]' for name in names]
    lines += [
        f'  {_node(provider)} -->|"{"<br/>".join(sorted(types))}"| {_node(subscriber)}'
        for (provider, subscriber), types in sorted(told.items())
    ]
    return "\n".join([*lines, "```"])


def _node(name: str) -> str:
    return "agency_" + name.replace("-", "_")


def _agreements(country: Country) -> str:
    ordered = sorted(country.agreements, key=lambda each: (each.agreement, each.version))
    rows = (
        (
            f"[{each.agreement} v{each.version}]({page_name(each)})",
            each.provider,
            each.subscriber,
            each.purpose,
            f"{each.valid.from_} to {each.valid.until}",
            each.protected.value,
            each.linkage or "",
        )
        for each in ordered
    )
    return table(("agreement", "provider", "subscriber", "purpose", "valid", "protected people", "linkage"), rows)


def _feeds(country: Country) -> str:
    rows = sorted(
        (topics.feed(each.subscriber, each.agreement, each.version, name), each.subscriber, each.retention_days)
        for each in country.agreements
        for name in each.events
    )
    return table(("feed", "read by", "days kept"), ((f"`{feed}`", who, days) for feed, who, days in rows))


def _agencies(country: Country) -> str:
    rows = (
        (f"`{each.id}`", each.name, each.contact, codes(each.roles)) for _, each in sorted(country.agencies.items())
    )
    return table(("id", "agency", "contact", "who may approve"), rows)
