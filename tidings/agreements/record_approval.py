"""Write an approval into an agreement's file, every comment and every other line as it was. Atomic: all or nothing."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from tidings.agreements.approve import agreement_hash
from tidings.agreements.country import Country
from tidings.agreements.load import load_agreement
from tidings.agreements.model import Agreement, Approval
from tidings.catalogue import Catalogue
from tidings.errors import Fatal


def record_approval(path: Path, approval: Approval) -> None:
    """Put `approval` in the place of an earlier one by the same agency and role, or at the end.

    Raises BadInput where the file is no agreement, Fatal where anything but the approvals would change.
    """
    before = load_agreement(path)
    kept = [part for part in before.approvals if (part.agency, part.role) != (approval.agency, approval.role)]
    at = next((at for at, part in enumerate(before.approvals) if part not in kept), len(kept))
    write_approvals(path, (*kept[:at], approval, *kept[at:]))


def write_approvals(path: Path, approvals: Iterable[Approval]) -> None:
    """Make `approvals` the approvals of the file. See `record_approval`."""
    wanted = tuple(approvals)
    before = load_agreement(path)
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    data = yaml.load(path.read_text("utf-8"))
    data["approvals"] = CommentedSeq(_flow(part) for part in wanted)
    out = io.StringIO()
    yaml.dump(data, out)
    _replace(path, out.getvalue(), before, wanted)


def refresh_approvals(country: Country, catalogue: Catalogue, day: date | None = None) -> tuple[Agreement, ...]:
    """Approve again, for those who had, every agreement that has since changed: for example countries, never for a live
    one, whose people approve themselves. `day` is the new date (None: as it was). Returns what was approved again."""
    done = []
    for agreement in country.agreements:
        new = agreement_hash(agreement, catalogue)
        if any(part.hash != new for part in agreement.approvals):
            fresh = (part.model_copy(update={"hash": new, "date": day or part.date}) for part in agreement.approvals)
            write_approvals(country.path(agreement), fresh)
            done.append(agreement)
    return tuple(done)


def _flow(approval: Approval) -> CommentedMap:
    # A date object that stands in two approvals would be written as an anchor and an alias: each gets its own.
    day = date.fromisoformat(approval.date.isoformat())
    entry = CommentedMap(
        agency=approval.agency, role=approval.role, date=day, hash=DoubleQuotedScalarString(approval.hash)
    )
    entry.fa.set_flow_style()
    return entry


def _replace(path: Path, text: str, before: Agreement, wanted: tuple[Approval, ...]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    made = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        after = load_agreement(made)
        if after.clauses() != before.clauses() or after.approvals != wanted:
            raise Fatal(f"{path}: the approval cannot be written without changing another clause")
        made.chmod(path.stat().st_mode & 0o777)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
