"""Approvals: what they are about, who is missing, and that writing one changes nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.tidings.agreements.kit import AGREEMENT, HASH, catalogue, load, spoil, write
from tidings.agreements.approve import agreement_hash, approval_state
from tidings.agreements.model import Approval
from tidings.agreements.record_approval import record_approval, refresh_approvals


def test_an_approval_of_other_content_is_stale(tmp_path: Path) -> None:
    """A hash that is not the agreement's own leaves both sides pending, and the earlier one stale."""
    write(tmp_path)
    agreement = load(tmp_path).find("bereavement-benefits")

    state = approval_state(agreement, agreement_hash(agreement, catalogue()))

    assert (state.approved_by, state.pending, state.stale, state.approved) == ((), ("gro", "dwp"), ("gro",), False)


def test_recording_keeps_every_other_line(tmp_path: Path) -> None:
    """An approval by the other side adds its line; comments, quotes and order stay, and both sides have approved."""
    path = write(tmp_path)
    agreement = load(tmp_path).find("bereavement-benefits")
    content = agreement_hash(agreement, catalogue())

    record_approval(path, Approval(agency="gro", role="data protection officer", date=date(2026, 2, 1), hash=content))
    record_approval(path, Approval(agency="dwp", role="service owner", date=date(2026, 2, 2), hash=content))

    before, after = AGREEMENT.splitlines(), path.read_text("utf-8").splitlines()
    assert after[: len(before) - 1] == before[:-1]
    assert after[len(before) - 1 :] == [
        f'  - {{agency: gro, role: data protection officer, date: 2026-02-01, hash: "{content}"}}',
        f'  - {{agency: dwp, role: service owner, date: 2026-02-02, hash: "{content}"}}',
    ]
    again = load(tmp_path).find("bereavement-benefits")
    assert approval_state(again, agreement_hash(again, catalogue())).approved
    assert sorted(part.name for part in tmp_path.iterdir()) == ["agencies.yaml", "bereavement-benefits.yaml"]


def test_any_clause_changes_the_hash(tmp_path: Path) -> None:
    """An approval is of all clauses: each change makes another hash; the order of fields and an approval do not."""
    write(tmp_path)
    first = agreement_hash(load(tmp_path).find("bereavement-benefits"), catalogue())
    same = spoil("      subject: pseudonym\n", "").replace("    fields:\n", "    fields:\n      subject: pseudonym\n")
    others = [
        spoil("Stop benefits", "Stop all benefits"),
        spoil("retention_days: 90", "retention_days: 91"),
        spoil("missing: include", "missing: exclude"),
        spoil("{generalise: year}", "{generalise: month}"),
        spoil("protected: without_location", "protected: full"),
        spoil("onward_sharing: none", "onward_sharing: none\nflags: include"),
        spoil("onward_sharing: none", "onward_sharing: none\nlinkage: statistics"),
    ]

    hashes = []
    for text in [same, *others]:
        write(tmp_path, text)
        hashes.append(agreement_hash(load(tmp_path).find("bereavement-benefits"), catalogue()))

    assert hashes[0] == first
    assert len({first, *hashes}) == len(others) + 1


def test_refreshing_changes_stale_hashes_only(tmp_path: Path) -> None:
    """A stale approval gets the new hash and keeps its date; a second run finds nothing to do; nobody new approves."""
    path = write(tmp_path)

    done = refresh_approvals(load(tmp_path), catalogue())
    again = refresh_approvals(load(tmp_path), catalogue())

    assert ([part.agreement for part in done], again) == (["bereavement-benefits"], ())
    [approval] = load(tmp_path).find("bereavement-benefits").approvals
    assert (approval.agency, approval.date) == ("gro", date(2026, 1, 5))
    assert HASH not in path.read_text("utf-8")
