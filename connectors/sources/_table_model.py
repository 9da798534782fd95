"""The mapping file of a delimited table, as data: every clause typed and closed. What no clause names is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from connectors.sources._table_dates import DateFormat, is_zone
from tidings.topics import is_id

Scalar: TypeAlias = StrictStr | StrictInt | StrictBool
Encoding = Literal[
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "latin-1", "iso-8859-2", "iso-8859-15",
    "windows-1250", "windows-1252", "cp437", "cp850",
]  # fmt: skip
"""What a file's bytes may mean, under the names of Python's codecs."""

DELIMITERS: Mapping[str, str] = {
    "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "caret": "^", "tilde": "~", "unit-separator": "\x1f",
}  # fmt: skip
"""Names of delimiters; a mark that stands for itself may be given too."""


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("must be an id: a-z, 0-9 and inner hyphens, at most 60 characters")
    return text


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("must say something")
    return text


def _delimiter(text: str) -> str:
    mark = DELIMITERS.get(text, text)
    if len(mark) != 1 or mark.isalnum() or mark in "\"' \r\n\0" or not mark.isascii():
        raise ValueError(f"must be one of {', '.join(DELIMITERS)}, or one ASCII mark that is no quote, letter or digit")
    return mark


def _zone(text: str) -> str:
    if not is_zone(text):
        raise ValueError("must be the name of a time zone, such as Europe/London or UTC")
    return text


def _format(text: str) -> str:
    return DateFormat(text).text


def _listed(raw: Any) -> Any:
    return [raw] if isinstance(raw, str) else raw


Id = Annotated[StrictStr, AfterValidator(_id)]
Sentence = Annotated[StrictStr, AfterValidator(_said)]
Columns = Annotated[tuple[StrictStr, ...], Field(min_length=1)]
Texts = Annotated[tuple[StrictStr, ...], Field(min_length=1)]
Formats = Annotated[tuple[Annotated[StrictStr, AfterValidator(_format)], ...], BeforeValidator(_listed)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileForm(_Part):
    """How the bytes become rows. `columns` are all columns, in order; with `header` the first row says them again."""

    encoding: Encoding
    delimiter: Annotated[StrictStr, AfterValidator(_delimiter)]
    quoting: Literal["none", "double"]
    header: StrictBool
    time_zone: Annotated[StrictStr, AfterValidator(_zone)]
    columns: Columns
    line_breaks_in_values: StrictBool = False
    last_line_ends: StrictBool = True

    @model_validator(mode="after")
    def _no_column_twice(self) -> FileForm:
        twice = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if twice:
            raise ValueError(f"columns has a name twice: {', '.join(twice)}")
        if self.line_breaks_in_values and self.quoting == "none":
            raise ValueError("line_breaks_in_values needs quoting: double")
        return self


class CleansingStep(_Part):
    """One declared change of values: exactly one of `trim`, `upper`, `remove` (each of these characters), `replace`
    (one whole value by another) and `blank` (these whole values mean nothing)."""

    name: Id
    columns: Columns
    trim: Literal[True] | None = None
    upper: Literal[True] | None = None
    remove: Annotated[StrictStr, Field(min_length=1)] | None = None
    replace: Annotated[dict[str, StrictStr], Field(min_length=1)] | None = None
    blank: Texts | None = None

    @model_validator(mode="after")
    def _one(self) -> CleansingStep:
        if sum(each is not None for each in (self.trim, self.upper, self.remove, self.replace, self.blank)) != 1:
            raise ValueError("must have exactly one of trim, upper, remove, replace and blank")
        return self


class SetAside(_Part):
    """Rows that are no records by their nature: `column` has one of `values`. Counted apart under `kind`."""

    kind: Id
    column: StrictStr
    values: Texts


class FieldRule(_Part):
    """Where one field's value comes from. In a file a bare text means `{column: text}`."""

    constant: Scalar | None = None
    column: StrictStr | None = None
    columns: Columns | None = None
    uuid_of: Columns | None = None
    join: StrictStr | None = None
    split: Annotated[StrictStr, Field(min_length=1)] | None = None
    codes: Annotated[dict[str, Scalar], Field(min_length=1)] | None = None
    format: Annotated[Formats, Field(min_length=1)] | None = None
    zeros: Literal["unknown"] | None = None
    scheme: Sentence | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"column": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _whole(self) -> FieldRule:
        if sum(each is not None for each in (self.constant, self.column, self.columns, self.uuid_of)) != 1:
            raise ValueError("must have exactly one of constant, column, columns and uuid_of")
        if self.join is not None and self.columns is None:
            raise ValueError("join needs columns")
        of_one = {"split": self.split, "codes": self.codes, "format": self.format, "scheme": self.scheme}
        given = [name for name, value in of_one.items() if value is not None]
        if given and self.column is None:
            raise ValueError(f"{given[0]} needs column")
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other")
        if self.zeros is not None and self.format is None:
            raise ValueError("zeros needs format")
        return self

    def read(self) -> tuple[str, ...]:
        """The columns that the rule reads."""
        return (*((self.column,) if self.column is not None else ()), *(self.columns or ()), *(self.uuid_of or ()))


class TableMapping(_Part):
    """One mapping file: which table, how its bytes are read, and where each field of the event comes from."""

    table: Id
    version: Annotated[StrictInt, Field(ge=1)]
    system: Sentence
    event_type: Id
    file: FileForm
    message_id: Columns
    cleansing: tuple[CleansingStep, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    fields: Annotated[dict[str, FieldRule], Field(min_length=1)]
    ignore: dict[str, Sentence] = {}
