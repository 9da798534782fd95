"""The journal of a published file: what is written ahead can be cut, what was decided is found again, nobody else reads
it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from producers.journal import (
    Decision,
    Fate,
    Journal,
    JournalRecord,
    journal_folder,
    journal_path,
    journals,
)
from tidings.errors import Fatal, Finding, Problem, ReasonCode, Severity

FLAG = Finding(ReasonCode.CODE_UNKNOWN, "person.addresses.country", Severity.FLAG)
INBOX = "inbox.gro.death-registered"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is to be."""
    return journal_path(tmp_path / "state", "cluster-1", "gro", "0a" * 32)


def sent(ordinal: int, offset: int, **more: object) -> JournalRecord:
    """A published record in partition 1."""
    made = JournalRecord(ordinal, ordinal, ordinal * 10, Fate.PUBLISHED, "death-registered", f"id-{ordinal}", **more)  # type: ignore[arg-type]
    return made.placed(INBOX, 1, offset)


def test_each_record_comes_back_as_it_was(path: Path) -> None:
    """Published with a flag, refused by the connector and by a check, set aside: in the file's order, also reopened."""
    records = [
        sent(1, 7, cleansed=2, findings=(FLAG,)),
        JournalRecord(2, 2, 20, Fate.REFUSED, problem=Problem("a.xml", 20, "Died", "date", "record 2: no date")),
        JournalRecord(
            3, 3, 30, Fate.REFUSED, "death-registered", "id-3", findings=(Finding(ReasonCode.DATE_ORDER, "x"),)
        ),
        JournalRecord(4, 4, 40, Fate.SET_ASIDE, "total"),
    ]
    with Journal(path) as journal:
        journal.note(file="a.xml")
        journal.put(reversed(records))
    with Journal(path, make=False) as journal:
        assert list(journal.records()) == records
        assert (journal.fact("file"), journal.fact("nothing"), journal.count()) == ("a.xml", None, 4)


def test_what_was_written_ahead_can_be_cut(path: Path) -> None:
    """And written again with other places."""
    with Journal(path) as journal:
        journal.put([sent(1, 7), sent(2, 8), sent(3, 9)])
        journal.cut(1)
        assert [journal.has(each) for each in (1, 2, 3)] == [True, False, False]
        journal.put([sent(2, 18)])
        assert [each.offset for each in journal.records()] == [7, 18]


def test_a_notice_finds_its_record(path: Path) -> None:
    """By its place; by its event id only where the place is not known: the same id may stand in several files."""
    unplaced = JournalRecord(3, 3, 30, Fate.PUBLISHED, "death-registered", "id-3")
    with Journal(path) as journal:
        journal.put([sent(1, 7), sent(2, 8), unplaced])
        found = [
            journal.find(INBOX, 1, 8, None),
            journal.find(INBOX, 1, 99, "id-3"),
            journal.find(INBOX, 1, 99, "id-1"),
            journal.find(INBOX, 0, 8, None),
        ]
    assert [each and each.ordinal for each in found] == [2, 3, None, None]


def test_what_lies_below_the_exchange_s_offset_is_accepted(path: Path) -> None:
    """But for what a notice was about; what lies above waits on."""
    with Journal(path) as journal:
        journal.put([sent(1, 7), sent(2, 8, decision=Decision.REJECTED), sent(3, 9)])
        assert journal.waiting() == {(INBOX, 1): 9}
        journal.accept(INBOX, 1, 9)
        assert [each.decision for each in journal.records()] == [Decision.ACCEPTED, Decision.REJECTED, None]
        assert journal.waiting() == {(INBOX, 1): 9}
        assert journal.waiting_unplaced() == []


def test_records_whose_place_is_not_known_are_accepted_by_their_type(path: Path) -> None:
    """Published from another machine."""
    with Journal(path) as journal:
        journal.put([JournalRecord(1, 1, 1, Fate.PUBLISHED, kind, "id") for kind in ("a",)])
        assert (journal.waiting(), journal.waiting_unplaced()) == ({}, ["a"])
        journal.accept_unplaced("b")
        assert journal.waiting_unplaced() == ["a"]
        journal.accept_unplaced("a")
        assert [each.decision for each in journal.records()] == [Decision.ACCEPTED]


def test_only_its_owner_may_read_it(path: Path) -> None:
    """Mode 0600 in folders of 0700, whatever the umask; one that others may read is refused."""
    before = os.umask(0)
    try:
        Journal(path).close()
    finally:
        os.umask(before)
    modes = [each.stat().st_mode & 0o777 for each in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]

    path.chmod(0o640)
    with pytest.raises(Fatal, match="may be read by others"):
        Journal(path)


def test_what_is_no_journal_is_said(path: Path, tmp_path: Path) -> None:
    """By the file's name and the kind of error alone."""
    Journal(path).close()
    path.write_bytes(b"x" * 4096)
    with pytest.raises(Fatal, match=r"cannot be used: SQLITE_NOTADB"):
        Journal(path)

    (tmp_path / "file").touch()
    with pytest.raises(Fatal, match="cannot be made"):
        Journal(tmp_path / "file" / "a.sqlite")


def test_where_journals_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The named folder, the state folder, the home folder's; the newest first."""
    monkeypatch.delenv("TIDINGS_JOURNAL", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert journal_folder() == tmp_path / ".local/state/tidings/journal"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert journal_folder() == tmp_path / "state/tidings/journal"
    monkeypatch.setenv("TIDINGS_JOURNAL", str(tmp_path / "own"))
    assert journal_folder() == tmp_path / "own"

    paths = [journal_path(tmp_path, "c", "gro", name) for name in ("b", "a")]
    for at, path in enumerate(paths):
        Journal(path).close()
        os.utime(path, (at, at))
    assert journals(tmp_path, "c", "gro") == paths[::-1]
    assert journals(tmp_path, "c", "nobody") == []
