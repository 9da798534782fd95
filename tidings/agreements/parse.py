"""From a YAML document to a typed clause, every problem of form with its file, line, field and rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tidings.agreements.model import AgenciesFile, Agreement
from tidings.agreements.read_yaml import Document, Loc
from tidings.errors import BadInput, Problem

ModelT = TypeVar("ModelT", bound=BaseModel)

_RULES = {
    "missing": ("required", "is required"),
    "string_type": ("wrong-type", "must be text"),
    "int_type": ("wrong-type", "must be a whole number"),
    "bool_type": ("wrong-type", "must be true or false"),
    "date_type": ("wrong-type", "must be a date: YYYY-MM-DD"),
    "date_parsing": ("wrong-type", "must be a date that exists: YYYY-MM-DD"),
    "date_from_datetime_parsing": ("wrong-type", "must be a date that exists: YYYY-MM-DD"),
    "date_from_datetime_inexact": ("wrong-type", "must be a date: YYYY-MM-DD"),
    "dict_type": ("wrong-type", "must be a mapping"),
    "model_type": ("wrong-type", "must be a mapping"),
    "model_attributes_type": ("wrong-type", "must be a mapping"),
    "tuple_type": ("wrong-type", "must be a list"),
}
_PARSED_AWAY = frozenset({"paths", "mask", "[key]"})
"""Parts of a place that stand in the model but not in the file."""


def parse_agreement(document: Document) -> Agreement:
    """The agreement of a document. Raises BadInput with every problem of form."""
    return parse_document(document, Agreement)


def parse_agencies(document: Document) -> AgenciesFile:
    """The agencies of a document. Raises BadInput with every problem of form."""
    return parse_document(document, AgenciesFile)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A hint at the nearest known word (`; did you mean 'x'?`), or nothing."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def parse_document(document: Document, model: type[ModelT], problems: Sequence[Problem] = ()) -> ModelT:
    """The model of a document, whichever kind of file it is. Raises BadInput with every problem of form, those of
    `problems` among them."""
    if not isinstance(document.data, dict):
        raise BadInput([document.problem((), "wrong-type", "must be a mapping of clauses")])
    try:
        parsed = model.model_validate(document.data)
    except ValidationError as error:
        found = [_problem(document, model, part) for part in error.errors(include_input=False, include_url=False)]
        raise BadInput(sorted({*problems, *found})) from None
    if problems:
        raise BadInput(problems)
    return parsed


def _problem(document: Document, model: type[BaseModel], error: ErrorDetails) -> Problem:
    kind, loc = error["type"], _place(document, error["loc"])
    if kind == "extra_forbidden":
        hint = did_you_mean(str(loc[-1]), _keys(model, error["loc"][:-1]))
        return document.problem(loc, "unknown-key", f"is not a clause that is known{hint}")
    if kind in _RULES:
        return document.problem(loc, *_RULES[kind])
    if kind == "value_error":
        message = error["msg"].removeprefix("Value error, ")
        return document.problem(loc, "bad-id" if message.startswith("must be an id") else "bad-value", message)
    if kind in ("literal_error", "enum"):
        return document.problem(loc, "bad-value", f"must be {error['ctx']['expected']}".replace(" or ", " or "))
    if kind == "string_pattern_mismatch":
        return document.problem(loc, "bad-value", _pattern_words(str(loc[-1])))
    return document.problem(loc, "bad-value", error["msg"][:1].lower() + error["msg"][1:])


def _pattern_words(clause: str) -> str:
    return {
        "gdpr": "must be a condition of article 6(1), such as 6(1)(e)",
        "article_9": "must be a condition of article 9(2), such as 9(2)(g)",
        "hash": "must be a SHA-256 in 64 lower-case hexadecimal digits",
    }.get(clause, "is not of the right form")


def _place(document: Document, loc: Loc) -> Loc:
    """Where in the file an error of the model stands: parts that only the model has are left out."""
    out: list[str | int] = []
    for at, part in enumerate(loc):
        if part in _PARSED_AWAY and (*out, part) not in document.lines:
            continue
        last = at == len(loc) - 1
        if not last or isinstance(part, int) or (*out, part) in document.lines or not _is_branch(str(part)):
            if isinstance(part, str) and not last and (*out, part) not in document.lines:
                continue  # the name of a union's branch, or a list that stands for {in: [...]}
            out.append(part)
    return tuple(out)


def _is_branch(part: str) -> bool:
    return part in {"str", "int", "bool", "in"} or part.startswith(("literal[", "tuple[", "function-"))


def _keys(model: Any, loc: Loc) -> Collection[str]:
    """The keys that the mapping at `loc` may have."""
    for part in loc:
        model = _inside(model, str(part))
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [field.alias or name for name, field in model.model_fields.items()]
    return ()


def _inside(model: Any, part: str) -> Any:
    model = _bare(model)
    if get_origin(model) in (dict, tuple):
        return _bare(get_args(model)[-1 if get_origin(model) is dict else 0])
    if isinstance(model, type) and issubclass(model, BaseModel):
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                return _bare(field.annotation)
    return None


def _bare(annotation: Any) -> Any:
    """An annotation without None and Annotated."""
    while True:
        if get_origin(annotation) in (Union, UnionType):
            rest = [part for part in get_args(annotation) if part is not type(None)]
            if len(rest) != 1:
                return None
            annotation = rest[0]
        elif hasattr(annotation, "__metadata__"):
            annotation = get_args(annotation)[0]
        else:
            return annotation
