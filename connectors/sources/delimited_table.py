"""Delimited tables (CSV, TSV and their like): one event a row, by a mapping file that says where each field comes
from.

Source: RFC 4180 (quoting), IANA text/tab-separated-values; the mapping's clauses are `_table_model`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

from connectors.sources._table_cells import CellReader, Cells
from connectors.sources._table_lines import LinesError
from connectors.sources._table_mapping import REQUIRED, CompiledTable
from connectors.sources._table_rows import Row, rows
from connectors.sources.base import (
    NOT_IN_ANNULMENT,
    Cleansing,
    CleansingRule,
    FieldMapping,
    Outcome,
    RecordError,
    RefusedRecord,
    SetAsideRecord,
    SourceContext,
    SourceRecord,
    SourceSpec,
    finish_event,
    new_head,
)
from tidings.errors import Problem

ANNULLED = "ANNULLED"

MAPPING = (
    FieldMapping("{constant: VALUE}", "a text, number, yes or no, or symbol", "the same for every row"),
    FieldMapping("{column: C} or C", "a text, whole number, uuid or symbol", "an empty cell is absent"),
    FieldMapping(
        "{column: C, codes: {CODE: VALUE}}", "likewise, and yes or no", "a code that is not listed refuses the row"
    ),
    FieldMapping(
        "{column: C, format: F}",
        "a PartialDate, or an instant",
        "one strftime format or a list of them, tried in order; `zeros: unknown` reads a month or day 00 as not known",
    ),
    FieldMapping("{column: C, scheme: S}", "an identifier with its scheme", "subject, identifiers[0], ..."),
    FieldMapping("{columns: [C, D]}", "a list of texts", "in order, without the empty ones"),
    FieldMapping("{columns: [C, D], join: TEXT}", "one text", "in order, without the empty ones"),
    FieldMapping("{column: C, split: TEXT}", "a list of texts", "without the empty ones"),
    FieldMapping("{uuid_of: [C, D]}", "life_event_id", "the same values of one system always give the same uuid"),
    FieldMapping("name[0].part", "a part of a list's element", "an element whose columns are all empty is absent"),
    FieldMapping("message_id", "source.ref, and part of event_id", "the cells of these columns with / between"),
    FieldMapping("(system and content of the row)", "source.system, and part of event_id"),
)


class DelimitedTable:
    """Makes one event of each row. A row that cannot be one is refused alone; a wrong header refuses the file.

    `spec` of an instance names its event type, and its version changes with the mapping file's content.
    """

    spec: ClassVar[SourceSpec] = SourceSpec(
        name="delimited-table",
        version="1",
        summary="Rows of a delimited table, by the mapping file that `--mapping` names.",
        event_types=(),
        time_zone="the mapping's `time_zone`, for times that carry none",
        extensions=(".csv", ".tsv", ".psv", ".tab", ".txt"),
        signatures=(),
        mapping=MAPPING,
        cleansing=(
            CleansingRule("(each name under the mapping's `cleansing`)", "what the mapping declares, and nothing else"),
            NOT_IN_ANNULMENT,
        ),
        needs_mapping=True,
    )

    def __init__(self, table: CompiledTable) -> None:
        mapping = table.mapping
        content = hashlib.sha256(mapping.model_dump_json().encode()).hexdigest()[:12]
        self.spec = dataclasses.replace(  # type: ignore[misc]  # what this one makes, beside what any may
            type(self).spec,
            version=f"{type(self).spec.version}/{mapping.table}/{mapping.version}/{content}",
            event_types=(mapping.event_type,),
        )
        self._table = table
        self._form = table.mapping.file
        self._cells = CellReader(table.mapping)

    def read(self, file: BinaryIO, context: SourceContext) -> Iterator[Outcome]:
        """See `Source.read`."""
        number, headed = 0, not self._form.header
        try:
            for row in rows(file, self._form):
                if not headed:
                    headed = True
                    refusal = self._header(row, context)
                    if refusal is not None:
                        yield refusal
                        return
                else:
                    number += 1
                    yield self._outcome(number, row, context)
        except LinesError as error:
            yield _refused(context, 0, 1, "(file)", "encoding", error.why)
            return
        if not headed or (number == 0 and not self._form.header):
            yield _refused(context, 0, 0, "(file)", "empty-file", "the file has no row, not even a header")

    def _header(self, row: Row, context: SourceContext) -> RefusedRecord | None:
        if row.rule:
            return _refused(context, 0, row.line, "(header)", row.rule, f"{row.why}; nothing of the file was read")
        columns = self._form.columns
        if tuple(row.cells) == columns:
            return None
        if len(row.cells) != len(columns):
            why = f"it has {len(row.cells)} columns, and the mapping {len(columns)}"
        else:
            at = next(at for at, name in enumerate(columns) if row.cells[at] != name)
            why = f"its column {at + 1} is not the mapping's {columns[at]!r}"
        return _refused(context, 0, row.line, "(header)", "header", f"{why}; nothing of the file was read")

    def _outcome(self, number: int, row: Row, context: SourceContext) -> Outcome:
        if row.rule:
            return _refused(context, number, row.line, "(row)", row.rule, f"record {number}: {row.why}")
        try:
            cells = self._cells.read(row.cells)
            for aside in self._table.mapping.set_aside:
                if cells.among(aside.column, aside.values):
                    return SetAsideRecord(number, row.line, aside.kind)
            return self._event(number, row.line, cells, context)
        except RecordError as error:
            return _refused(context, number, row.line, error.field, error.rule, f"record {number}: {error.message}")

    def _event(self, number: int, line: int, cells: Cells, context: SourceContext) -> SourceRecord:
        mapping = self._table.mapping
        message_id = "/".join(cells.get(column) or "" for column in mapping.message_id)
        if not message_id.strip("/"):
            raise RecordError(mapping.message_id[0], "required", "a row has a message id")
        event = self._table.defaults() | new_head(context, mapping.system, message_id)
        cleansed = [*cells.cleansed, *self._fill(event, cells)]
        cleansed += finish_event(mapping.system, message_id, event)
        return SourceRecord(number, line, mapping.event_type, event, tuple(cleansed))

    def _fill(self, event: dict[str, Any], cells: Cells) -> Iterator[Cleansing]:
        """Fill in each field. Of an annulment only what names it can refuse the row, or a living person stays dead."""
        read = dict(self._table.body)
        for name in REQUIRED:
            event[name] = read.pop(name)(cells)
            if event[name] is None:
                raise RecordError(name, "required", "the row says nothing for this field, which every event has")
        for name, value in read.items():
            try:
                found = value(cells)
            except RecordError as error:
                if event["change"] != ANNULLED:
                    raise
                yield Cleansing(error.field, NOT_IN_ANNULMENT.name)
                continue
            if found is not None:
                event[name] = found


def _refused(context: SourceContext, number: int, line: int, field: str, rule: str, message: str) -> RefusedRecord:
    return RefusedRecord(number, Problem(context.file, line, field, rule, message))
