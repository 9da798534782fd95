"""An agreement as data: every clause of the file, typed and frozen. No clause has a meaning that is not written here.

The file's form is kept (paths, masks and filters as a person wrote them); `tidings.policy.compile` turns it into views.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from tidings.hold import hold_seconds
from tidings.policy.model import Condition, Protection, linkage_keys
from tidings.topics import is_id

Missing = Literal["include", "exclude"]
Scalar = StrictStr | StrictInt | StrictBool


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("must be an id: a-z, 0-9 and inner hyphens, at most 60 characters")
    return text


def _sentence(text: str) -> str:
    if not text.strip():
        raise ValueError("must say something")
    return text


def _hold(text: str) -> str:
    hold_seconds(text)
    return text


Id = Annotated[StrictStr, AfterValidator(_id)]
Sentence = Annotated[StrictStr, AfterValidator(_sentence)]
Hold = Annotated[StrictStr, AfterValidator(_hold)]
FieldPath = StrictStr


class _Clause(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class LegalBasis(_Clause):
    """The law that lets this agreement be. Source: UK GDPR, articles 6(1), 8 and 9(2).

    `article_9` is needed where a field of category `special` is disclosed, `minors` where it is about children.
    """

    statute: Sentence
    gdpr: Annotated[StrictStr, Field(pattern=r"^6\(1\)\([a-f]\)$")]
    article_9: Annotated[StrictStr, Field(pattern=r"^9\(2\)\([a-j]\)")] | None = None
    minors: Sentence | None = None


class Validity(_Clause):
    """From the start of the day `from` to the end of the day `until`, UTC; `after_end` says what still goes then."""

    from_: date = Field(alias="from")
    until: date
    after_end: Literal["nothing", "corrections"]


class Subjects(_Clause):
    """Whom it is about: everybody (`all`), those who pass the filters (`where`), or a list (`interest_list`, a file).

    The value of `all` and `where` is the reason, which the plain-language page prints.
    """

    all: Sentence | None = None
    where: Sentence | None = None
    interest_list: StrictStr | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Subjects:
        if sum(part is not None for part in (self.all, self.where, self.interest_list)) != 1:
            raise ValueError("must have exactly one of all, where and interest_list")
        return self


class MaskUse(_Clause):
    """One mask on one field. In the file: `keep`, or `{generalise: year}`, or `{partial: {keep_last: 4}}`.

    A single parameter is kept under the name `value`; `tidings.masks` says what it means.
    """

    mask: StrictStr
    params: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, raw: Any) -> Any:
        if isinstance(raw, str):
            return {"mask": raw}
        if isinstance(raw, Mapping) and len(raw) == 1 and not {"mask", "params"} & set(raw):
            [(mask, params)] = raw.items()
            return {"mask": mask, "params": dict(params) if isinstance(params, Mapping) else {"value": params}}
        return raw


class Filter(_Clause):
    """One line of a `where`. In a file: `[GB]`, `{not: [GB]}` or `{starts_with: [E0]}`, with `missing` or without."""

    in_: tuple[Scalar, ...] | None = Field(default=None, alias="in")
    not_: tuple[Scalar, ...] | None = Field(default=None, alias="not")
    starts_with: tuple[StrictStr, ...] | None = None
    missing: Missing | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, raw: Any) -> Any:
        return {"in": raw} if isinstance(raw, list | tuple) else raw

    @model_validator(mode="after")
    def _exactly_one(self) -> Filter:
        given = [values for values in (self.in_, self.not_, self.starts_with) if values is not None]
        if len(given) != 1 or not given[0]:
            raise ValueError("must be a list of values, or {not: [...]}, or {starts_with: [...]}")
        return self

    def condition(self, path: str, missing: Missing) -> Condition:
        """This line as the policy holds it; `missing` is what the whole `where` says."""
        kept = self.missing or missing
        if self.in_ is not None:
            return Condition(path=path, op="in", values=self.in_, missing=kept)
        if self.not_ is not None:
            return Condition(path=path, op="not_in", values=self.not_, missing=kept)
        return Condition(path=path, op="starts_with", values=self.starts_with or (), missing=kept)


class Where(_Clause):
    """The row filter of one event type: all lines must hold. `missing` (default: exclude) is for lines without one."""

    missing: Missing = "exclude"
    paths: dict[FieldPath, Filter]

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or "paths" in raw:
            return raw
        rest = {path: line for path, line in raw.items() if path != "missing"}
        return {"paths": rest, **({"missing": raw["missing"]} if "missing" in raw else {})}

    @model_validator(mode="after")
    def _some(self) -> Where:
        if not self.paths:
            raise ValueError("must name at least one field")
        return self

    def conditions(self) -> tuple[Condition, ...]:
        """The lines as the policy holds them, by path."""
        return tuple(line.condition(path, self.missing) for path, line in sorted(self.paths.items()))


class EventTerms(_Clause):
    """What is disclosed of one event type: which events (`where`) and which fields, each with its mask."""

    where: Where | None = None
    fields: dict[FieldPath, MaskUse]


class Approval(_Clause):
    """One side's approval of one compiled agreement: `hash` is that of `tidings.agreements.approve.agreement_hash`."""

    agency: Id
    role: Sentence
    date: date
    hash: Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{64}$")]


class Agreement(_Clause):
    """Who may know what, why, on what legal basis, how masked, until when. One file; the only source of access.

    `hold` is how long each view waits, so that an annulment and its re-creation arrive as one correction.
    """

    agreement: Id
    version: Annotated[StrictInt, Field(ge=1)]
    provider: Id
    subscriber: Id
    purpose: Sentence
    legal_basis: LegalBasis
    valid: Validity
    review_by: date
    retention_days: Annotated[StrictInt, Field(ge=1, le=36_525)]
    subjects: Subjects
    protected: Protection = Protection.NONE
    onward_sharing: Literal["none"] | tuple[Id, ...]
    linkage: Id | None = None
    flags: Literal["include"] | None = None
    hold: Hold | None = None
    events: dict[Id, EventTerms]
    approvals: tuple[Approval, ...] = ()

    @property
    def key_group(self) -> str:
        """Which keys its pseudonyms are made with: its own, or those of its linkage group. The dots, which no id has,
        keep the two apart, and the parties an agreement's name from one that others had used before."""
        return linkage_keys(self.linkage) if self.linkage else f"{self.provider}.{self.subscriber}.{self.agreement}"

    def clauses(self) -> dict[str, Any]:
        """Every clause but the approvals, as JSON: what an approval is about."""
        return self.model_dump(mode="json", by_alias=True, exclude={"approvals"}, exclude_none=True)


class Quotas(_Clause):
    """What a broker lets an agency use: bytes a second, and the share of request threads in percent."""

    produce_bytes_per_second: Annotated[StrictInt, Field(ge=1)]
    consume_bytes_per_second: Annotated[StrictInt, Field(ge=1)]
    request_percentage: Annotated[StrictInt, Field(ge=1)] | None = None


class Agency(_Clause):
    """An organisation with an id: publisher, subscriber or both. `roles` may approve its agreements."""

    id: Id
    name: Sentence
    contact: Sentence
    quotas: Quotas
    roles: Annotated[tuple[Sentence, ...], Field(min_length=1)]


class AgenciesFile(_Clause):
    """`agencies.yaml`: every agency by its id."""

    agencies: dict[Id, Agency]

    @model_validator(mode="before")
    @classmethod
    def _ids(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or not isinstance(raw.get("agencies"), Mapping):
            return raw
        named = {
            key: {"id": key, **part} if isinstance(part, Mapping) else part for key, part in raw["agencies"].items()
        }
        return {**raw, "agencies": named}
