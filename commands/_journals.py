"""Finds the file and record that a notice is about, in the journals of the files that this machine has published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from commands._published_file import PublishedFile, Told
from producers.journal import Journal, journal_folder, journal_path, journals
from tidings.closing import Closing
from tidings.errors import BadInput, Problem
from tidings.notices import Notice


@dataclass(frozen=True, slots=True)
class Found:
    """A record of a file: its number, and the line that it starts at."""

    file: str
    number: int
    line: int


class Journals(Closing):
    """An agency's journals on a cluster, the newest first; looked through again where a notice is in none of them."""

    def __init__(self, cluster_id: str, agency: str) -> None:
        self._cluster_id, self._agency = cluster_id, agency
        self._only: Path | None = None
        self._open: dict[Path, Journal] = {}

    def only(self, file: Path, source: str | None, mapping: Path | None) -> None:
        """Look through one file's journal. Raises BadInput where this machine has not published it."""
        with PublishedFile(file, Told(source, mapping)) as published:
            path = journal_path(journal_folder(), self._cluster_id, self._agency, published.content)
        if not path.exists():
            message = "was not published from this machine with this content"
            raise BadInput([Problem(file.name, 0, "--file", "no-journal", message)])
        self._only = path

    def find(self, notice: Notice) -> Found | None:
        """The record that a notice is about, or None where no journal here knows it."""
        for path in [self._only] if self._only else journals(journal_folder(), self._cluster_id, self._agency):
            if path not in self._open:
                self._open[path] = Journal(path, make=False)
            journal = self._open[path]
            record = journal.find(notice.inbox, notice.partition, notice.offset, notice.event_id)
            if record is not None:
                return Found(journal.fact("file") or "", record.number, record.line)
        return None

    def close(self) -> None:
        """Close what is open."""
        for journal in self._open.values():
            journal.close()
