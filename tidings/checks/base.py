"""What a check is: one rule on the fields of one event, compiled once for an event type and run on every event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from tidings.catalogue import walk
from tidings.errors import ReasonCode
from tidings.policy.model import CheckRule

Event = Mapping[str, Any]


class ReferenceLists(Protocol):
    """Where a check finds the codes of a reference list. Called only while rules are compiled; may read files; raises
    BadInput where the list is unknown or cannot be read."""

    def __call__(self, name: str) -> frozenset[str]:
        """The codes of the list `name` (`countries`)."""
        ...


class Params(BaseModel):
    """The parameters of a check: closed, immutable, validated when the catalogue is loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Example:
    """A case that documents a check and tests it: a rule's paths and parameters, an event, and the paths that it
    names."""

    paths: tuple[str, ...]
    params: dict[str, Any]
    event: dict[str, Any]
    found: tuple[str, ...] = ()


class Check(ABC):
    """One rule, compiled. A subclass sets the class attributes and writes `find`.

    Who calls: `tidings.checks.Checker`, in the exchange's thread and in a publisher's process, for each event that
    decoded. May it block: no; what it needs (a reference list, a pattern) it takes in `__init__`, which may read files.
    May it raise: `__init__` raises ValueError with a message that names no personal value; `find` never raises on a
    value that its schema allows. A missing value (null, an empty array) is accepted by every check but `required_if`.
    What holds afterwards: the event is unchanged; what is returned are dotted paths of the rule, never values.
    """

    name: ClassVar[str]
    code: ClassVar[ReasonCode]
    summary: ClassVar[str]
    params_model: ClassVar[type[Params]] = Params
    takes: ClassVar[frozenset[str]]
    """Kinds of field that a path may lead to: `partial_date`, `timestamp`, `string`, `enum`, `identifier`, `any`."""
    names_subject: ClassVar[bool] = False
    """Whether it judges whom the event is about, wherever that is said: such a rule judges an annulment too."""
    accepts: ClassVar[tuple[Example, ...]]
    refuses: ClassVar[tuple[Example, ...]]

    def __init__(self, rule: CheckRule, lists: ReferenceLists) -> None:
        self.paths: Sequence[str] = self.paths_of(rule)
        self._set_up(rule.paths, self.read_params(rule.params), lists)

    @classmethod
    def read_params(cls, params: Mapping[str, Any]) -> Params:
        """The parameters, validated. Raises ValueError with the fields at fault, without their values."""
        try:
            return cls.params_model.model_validate(dict(params))
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, e['loc'])) or 'params'}: {e['msg']}" for e in error.errors())
            raise ValueError("; ".join(faults)) from None

    @classmethod
    def named_by(cls, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Dotted paths that stand in the parameters and are read, though a finding may never name them."""
        del params
        return ()

    @classmethod
    def paths_of(cls, rule: CheckRule) -> tuple[str, ...]:
        """All paths whose values the check judges."""
        return rule.paths

    @abstractmethod
    def _set_up(self, paths: tuple[str, ...], params: Any, lists: ReferenceLists) -> None:
        """Keep what `find` needs. Raises ValueError where the parameters make no sense for these paths."""

    @abstractmethod
    def find(self, event: Event, now_ms: int) -> Iterable[str]:
        """The paths at fault, each once. `now_ms` is the batch's reading of the clock, milliseconds since 1970 in
        UTC."""


class EachValue(Check):
    """A check that judges each value at each of its paths by itself; a path is at fault when one of its values is."""

    def __init__(self, rule: CheckRule, lists: ReferenceLists) -> None:
        super().__init__(rule, lists)
        self._values = tuple((path, walk.getter(path)) for path in self.paths)

    def _set_up(self, paths: tuple[str, ...], params: Any, lists: ReferenceLists) -> None:
        del paths, params, lists

    def find(self, event: Event, now_ms: int) -> Iterable[str]:
        """See `Check.find`."""
        found = []
        holds = self._holds
        for path, values in self._values:
            for value in values(event):
                if not holds(value, now_ms):
                    found.append(path)
                    break
        return found

    @abstractmethod
    def _holds(self, value: Any, now_ms: int) -> bool:
        """Whether one value (never null) passes."""
