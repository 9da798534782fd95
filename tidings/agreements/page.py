"""The plain-language page of an agreement, in Markdown: who, what, why, on what law, until when, with samples.

What a sample becomes is made by the reference projector itself, under a key for pages only: the page cannot drift.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidings.agreements.approve import agreement_hash, approval_state
from tidings.agreements.compiled import CompiledTerms, compiled_terms
from tidings.agreements.country import Country
from tidings.agreements.model import Agreement
from tidings.agreements.sample_table import sample_table
from tidings.catalogue import HEAD_NAMES, Catalogue, EventType, field_map
from tidings.hold import hold_seconds, hold_words
from tidings.masks import MASKS
from tidings.policy.model import Condition, Protection

_PROTECTED = {
    Protection.NONE: "Nothing about protected people is sent.",
    Protection.WITHOUT_LOCATION: "About protected people all below is sent, but nothing that tells where they are.",
    Protection.FULL: "About protected people all below is sent, too.",
}
_AFTER = {
    "nothing": "After that nothing is sent.",
    "corrections": "After that only corrections of what was sent before.",
}


def agreement_page(
    agreement: Agreement, country: Country, catalogue: Catalogue, samples: Mapping[str, Mapping[str, dict[str, Any]]]
) -> str:
    """The page. `samples` are the catalogue's (`load_samples`): events in JSON form by event type and case."""
    provider, subscriber = (country.agencies[name].name for name in (agreement.provider, agreement.subscriber))
    parts = [
        f"# {agreement.agreement}, version {agreement.version}",
        f"**{provider}** tells **{subscriber}**: {_lower(agreement.purpose)}.",
        "\n".join(_clauses(agreement, country)),
        "## Approvals",
        "\n".join(_approvals(agreement, catalogue)),
    ]
    for name, terms in compiled_terms(agreement, catalogue).items():
        event_type = catalogue.event_types[name]
        parts += [f"## {name}", "\n".join(_filter(terms.where)), "\n".join(_fields(terms, event_type))]
        parts.append(_withheld(terms, event_type))
        parts.append(sample_table(agreement, event_type, terms, samples.get(name, {})))
    return "\n\n".join(parts) + "\n"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def _clauses(agreement: Agreement, country: Country) -> Iterator[str]:
    basis, valid = agreement.legal_basis, agreement.valid
    yield f"- Law: {basis.statute}; UK GDPR article {basis.gdpr}"
    if basis.article_9:
        yield f"- Special categories: UK GDPR article {basis.article_9}"
    if basis.minors:
        yield f"- Children: {basis.minors}"
    yield f"- Valid from {valid.from_} to {valid.until}. {_AFTER[valid.after_end]}"
    yield f"- To be reviewed by {agreement.review_by}"
    subjects = agreement.subjects
    if subjects.interest_list:
        yield f"- About: only the people on the list `{subjects.interest_list}`"
    else:
        whom = "everybody" if subjects.all else "those who pass the filters below"
        yield f"- About: {whom} ({subjects.all or subjects.where})"
    yield f"- {_PROTECTED[agreement.protected]}"
    if agreement.hold:
        yield (
            f"- Held back for {hold_words(hold_seconds(agreement.hold))}: what is annulled and recorded anew meanwhile "
            "arrives as one correction"
        )
    yield f"- Kept on the feed for {agreement.retention_days} days"
    if agreement.onward_sharing == "none":
        yield "- May not be passed on"
    else:
        names = ", ".join(country.agencies[name].name for name in agreement.onward_sharing)
        yield f"- May be passed on to: {names}"
    if agreement.linkage:
        yield f"- Pseudonyms are those of the group `{agreement.linkage}`: its agreements' feeds can be joined"
    else:
        yield "- Its pseudonyms are its own: this feed can be joined with no other"
    if agreement.flags:
        yield "- The publisher's doubtful fields are named in `flags`"


def _approvals(agreement: Agreement, catalogue: Catalogue) -> Iterator[str]:
    content = agreement_hash(agreement, catalogue)
    state = approval_state(agreement, content)
    for part in agreement.approvals:
        good = "" if part.hash == content else " (of other content: no longer good)"
        yield f"- {part.agency}: {part.role}, {part.date}{good}"
    for side in state.pending:
        yield f"- **{side}: missing**"
    yield f"- What is approved: `{content}`"


def _filter(where: tuple[Condition, ...]) -> Iterator[str]:
    if not where:
        yield "Every event is sent."
        return
    yield "Sent only where all of these hold (a later change that no longer passes is sent as a bare withdrawal):"
    yield ""
    words = {"in": "is one of", "not_in": "is none of", "starts_with": "begins with one of"}
    for line in where:
        values = ", ".join(f"`{str(value).lower() if isinstance(value, bool) else value}`" for value in line.values)
        missing = "passes" if line.missing == "include" else "does not pass"
        yield f"- `{line.path}` {words[line.op]} {values}; an absent value {missing}"


def _fields(terms: CompiledTerms, event_type: EventType) -> Iterator[str]:
    known = field_map(event_type.schema)
    yield "| field | what it is | category | what is sent |"
    yield "| --- | --- | --- | --- |"
    for rule in terms.fields:
        info = known[rule.path]
        sent = MASKS[rule.mask].describe(rule.params)
        yield f"| `{rule.path}` | {cell(info.doc)} | {info.category} | {cell(sent)} |"


def _withheld(terms: CompiledTerms, event_type: EventType) -> str:
    named = [rule.path for rule in terms.fields]
    kept_back = [
        path
        for path, info in field_map(event_type.schema).items()
        if path not in HEAD_NAMES
        and "." not in path
        and not any(name == path or name.startswith(f"{path}.") for name in named)
        and info.category
    ]
    listed = ", ".join(f"`{path}`" for path in kept_back) or "nothing"
    return f"Withheld whole: {listed}. Of records named in part, the other parts are withheld, too."


def cell(text: str) -> str:
    """Text that fits one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
