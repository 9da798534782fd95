"""The whole generated reference: every page of `docs/reference`, by its path there. The same code, the same bytes."""

from __future__ import annotations

from pathlib import Path

from commands._docs_access import access_page
from commands._docs_agreements import agreement_pages
from commands._docs_commands import commands_page
from commands._docs_event_types import event_type_pages
from commands._docs_markdown import page, table
from commands._docs_processors import processors_page
from commands._docs_rules import checks_page, masks_page
from commands._docs_settings import settings_page
from commands._docs_signals import errors_page, metrics_page
from commands._docs_sources import sources_page
from tidings.agreements import load_country
from tidings.agreements.samples import load_samples
from tidings.catalogue import default_catalogue_dir, load_catalogue

CHECKOUT = Path(__file__).resolve().parents[1]
REFERENCE = CHECKOUT / "docs" / "reference"
_INDEX = (
    ("event-types/README.md", "event types", "fields with type, category and meaning; owner, checks, retention"),
    ("event-types/types.md", "shared types", "Person, Name, Address, PartialDate and the others"),
    ("agreements/README.md", "agreements", "who tells whom, and a plain-language page each"),
    ("masks.md", "masks", "what a field's value becomes"),
    ("checks.md", "checks", "what a field's value must pass"),
    ("access.md", "topics and access", "every topic with its settings, and who may do what"),
    ("sources.md", "source connectors", "legacy formats in: mapping, time zone, cleansing rules"),
    ("processors.md", "derived processors", "what each reads, writes and keeps"),
    ("commands.md", "commands", "every verb of `tidings` with its options"),
    ("settings.md", "settings", "the cluster file, variables, the loop's bounds"),
    ("metrics.md", "metrics", "every metric with labels and unit"),
    ("errors.md", "errors", "what to do, exit codes, and every reason code"),
)


def reference() -> dict[str, str]:
    """Every page by its path below `docs/reference`. Raises BadInput where a file that it is made from is wrong."""
    catalogue = load_catalogue(default_catalogue_dir())
    country = load_country(CHECKOUT / "agreements", catalogue)
    return {
        "README.md": _index(),
        **dict(event_type_pages(catalogue, country)),
        **dict(agreement_pages(catalogue, country, load_samples(default_catalogue_dir()))),
        "masks.md": masks_page(),
        "checks.md": checks_page(),
        "access.md": access_page(catalogue, country),
        "sources.md": sources_page(),
        "processors.md": processors_page(),
        "commands.md": commands_page(),
        "settings.md": settings_page(),
        "metrics.md": metrics_page(),
        "errors.md": errors_page(),
    }


def write_reference(folder: Path) -> int:
    """Make `folder` the reference: write each page that differs, take away the others. Returns how many changed."""
    wanted, changed = reference(), 0
    for name in stale(folder, wanted):
        path = folder / name
        changed += 1
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], "utf-8")
        else:
            path.unlink()
    return changed


def stale(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Every page in `folder` that is missing, differs, or should not be there; by path, in order."""
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.md")} if folder.exists() else {}
    differs = {name for name, text in wanted.items() if name not in there or there[name].read_text("utf-8") != text}
    return sorted(differs | (set(there) - set(wanted)))


def _index() -> str:
    rows = ((f"[{title}]({path})", what) for path, title, what in _INDEX)
    return page(
        "Reference", "All of it is written from the code, the catalogue and the agreements.", table(("", ""), rows)
    )
