"""One row's cells as the rules see them: cleansed by the declared steps, empty ones absent, unsafe ones refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from connectors.sources._table_model import CleansingStep, TableMapping
from connectors.sources._values import MESSAGES, unsafe
from connectors.sources.base import Cleansing, RecordError

Step: TypeAlias = Callable[[str], str]


class Cells:
    """The cells of one row. `cleansed` says which steps changed which column."""

    __slots__ = ("_at", "_line_breaks", "_texts", "cleansed")

    def __init__(
        self, texts: list[str], at: Mapping[str, int], line_breaks: bool, cleansed: tuple[Cleansing, ...]
    ) -> None:
        self._texts = texts
        self._at = at
        self._line_breaks = line_breaks
        self.cleansed = cleansed

    def filled(self, columns: Iterable[str]) -> bool:
        """Whether one of the cells is not empty."""
        texts, at = self._texts, self._at
        return any(texts[at[column]] for column in columns)

    def among(self, column: str, values: Collection[str]) -> bool:
        """Whether the cell is one of these texts."""
        return self._texts[self._at[column]] in values

    def get(self, column: str) -> str | None:
        """A column's text, or None where the cell is empty. Raises RecordError where the text is unsafe."""
        text = self._texts[self._at[column]]
        if not text or text.isalnum():  # letters and digits alone are neither hidden nor a formula
            return text or None
        rule = unsafe(text, line_breaks=self._line_breaks)
        if rule is not None:
            raise RecordError(column, rule, MESSAGES[rule])
        return text


class CellReader:
    """Makes the cells of rows by one mapping."""

    def __init__(self, mapping: TableMapping) -> None:
        self._columns = mapping.file.columns
        self._at = {name: at for at, name in enumerate(self._columns)}
        self._line_breaks = mapping.file.line_breaks_in_values
        self._steps = tuple(
            (self._at[column], Cleansing(column, step.name), _step(step))
            for step in mapping.cleansing
            for column in step.columns
        )

    def read(self, texts: Sequence[str]) -> Cells:
        """The cells of a row. Raises RecordError where it has another number of cells than the table has columns."""
        if len(texts) != len(self._columns):
            message = f"the row has {len(texts)} cells, and the table {len(self._columns)} columns"
            raise RecordError("(row)", "columns", message)
        changed = list(texts)
        return Cells(changed, self._at, self._line_breaks, tuple(self._cleanse(changed)))

    def _cleanse(self, texts: list[str]) -> Iterator[Cleansing]:
        for at, said, step in self._steps:
            before = texts[at]
            if before:
                texts[at] = step(before)
                if texts[at] != before:
                    yield said


def _step(step: CleansingStep) -> Step:
    if step.trim:
        return str.strip
    if step.upper:
        return str.upper
    if step.remove is not None:
        table = str.maketrans("", "", step.remove)
        return lambda text: text.translate(table)
    if step.replace is not None:
        replace = step.replace
        return lambda text: replace.get(text, text)
    blank = frozenset(step.blank or ())
    return lambda text: "" if text in blank else text
