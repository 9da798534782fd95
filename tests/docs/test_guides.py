"""The guides and the other hand-written pages: their agreements compile, their links and commands exist."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.deploy.command_lines import unknown as unknown_words
from tidings.agreements import load_country
from tidings.agreements.approve import agreement_hash
from tidings.agreements.model import Approval
from tidings.agreements.page import agreement_page
from tidings.agreements.record_approval import record_approval
from tidings.agreements.samples import load_samples
from tidings.catalogue import default_catalogue_dir, load_catalogue
from tidings.clock import StillClock
from tidings.keys import KeyRing
from tidings.policy.compile import compile_policy
from tidings.policy.model import Environment

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *(CHECKOUT / "docs" / "guides").glob("*.md"),
        *(CHECKOUT / "docs" / "adr").glob("*.md"),
        *(CHECKOUT / "docs" / "runbooks").glob("*.md"),
    ]
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Every fenced block of a language in the hand-written pages, with the name of its page."""
    for page in PAGES:
        for found, text in _FENCE.findall(page.read_text("utf-8")):
            if found == language:
                yield page.name, text


AGREEMENTS = [(name, text) for name, text in blocks("yaml") if text.startswith("agreement:")]


def test_there_are_agreements_to_plan() -> None:
    """The guide of agreements shows some, so that the test below is not empty."""
    assert len([name for name, _ in AGREEMENTS if name == "agreements.md"]) >= 2


@pytest.mark.parametrize("text", [text for _, text in AGREEMENTS], ids=lambda text: text.split()[1])
def test_every_agreement_shown_compiles(text: str, tmp_path: Path) -> None:
    """A guide's agreement loads in the example country, can be approved, has a page, and makes its feeds."""
    catalogue = load_catalogue(default_catalogue_dir())
    name = text.split()[1]
    folder = tmp_path / "agreements"
    shutil.copytree(CHECKOUT / "agreements", folder)
    path = folder / f"{name}.yaml"
    path.write_text(text, "utf-8")

    shown = load_country(folder, catalogue)
    agreement = shown.find(name)
    for agency in (agreement.provider, agreement.subscriber):
        role = shown.agencies[agency].roles[0]
        record_approval(
            path, Approval(agency=agency, role=role, date=date(2026, 1, 5), hash=agreement_hash(agreement, catalogue))
        )
    country = load_country(folder, catalogue)
    policy = compile_policy(
        catalogue, country, lambda _topic, _schema: 1, version=1, environment=Environment.SYNTHETIC,
        now_ms=StillClock().now_ms(), keys=KeyRing(bytes(32)),
    )  # fmt: skip

    assert {view.event_type for view in policy.views if view.agreement == name} == set(agreement.events)
    assert agreement_page(agreement, country, catalogue, load_samples(default_catalogue_dir()))


def test_every_clause_is_shown() -> None:
    """The first agreement of the guide uses every clause but the approvals, which `tidings approve` writes."""
    from tidings.agreements import Agreement

    text = next(text for name, text in AGREEMENTS if name == "agreements.md")

    assert [each for each in Agreement.model_fields if f"{each}:" not in text] == ["approvals"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link leads to a file of the checkout, and its anchor to a heading of that page."""
    broken = []
    for link in _LINK.findall(page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        if name.startswith("http"):
            continue
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert broken == []


def _anchors(page: Path) -> set[str]:
    """GitHub's anchors: lower case, spaces as hyphens, no other marks."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    headings = (line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    """Every `tidings …` line of a block without a language names a verb, a group's verb and options that exist."""
    unknown = []
    for language, text in _FENCE.findall(page.read_text("utf-8")):
        for line in text.splitlines() if not language else ():
            words = line.split("#")[0].removeprefix("$ ").replace("[", " ").replace("]", " ").split()
            if words[:1] == ["tidings"] and (problem := unknown_words(words[1:])):
                unknown.append(f"{line.strip()}: {problem}")

    assert unknown == []


def test_the_index_of_decisions_is_complete() -> None:
    """Every page of docs/adr stands in its index under its own title."""
    folder = CHECKOUT / "docs" / "adr"
    index = (folder / "README.md").read_text("utf-8")
    titles = {page.name: page.read_text("utf-8").splitlines()[0].partition(": ")[2] for page in folder.glob("0*.md")}

    assert [name for name, title in titles.items() if f"]({name}) | {title} |" not in index] == []


def test_no_path_of_a_machine() -> None:
    """No hand-written page holds an absolute path of somebody's machine."""
    found = [
        (page.name, word)
        for page in PAGES
        for word in re.findall(r"/(?:home|work|root|Users)/\S*", page.read_text("utf-8"))
    ]

    assert found == []
