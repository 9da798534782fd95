"""A code stands in a reference list: a list that is data (`schemas/reference/`), or a short one in the rule itself."""

from __future__ import annotations

from typing import Any

from tidings.checks.base import EachValue, Example, Params, ReferenceLists
from tidings.errors import ReasonCode


class CodeInListParams(Params):
    """`list` names a reference list, `codes` gives one in place; exactly one of the two."""

    list: str | None = None
    codes: tuple[str, ...] | None = None


class CodeInList(EachValue):
    """Compares exactly, upper and lower case apart: what is meant is the connector's to cleanse, not the exchange's
    to guess."""

    name = "code_in_list"
    code = ReasonCode.CODE_UNKNOWN
    summary = "The code is in the reference list."
    params_model = CodeInListParams
    takes = frozenset({"string", "enum"})
    accepts = (
        Example(("country",), {"codes": ["GB", "FR"]}, {"country": "GB"}),
        Example(("homes.country",), {"codes": ["GB", "FR"]}, {"homes": [{"country": "GB"}, {"country": None}]}),
        Example(("country",), {"list": "countries"}, {"country": "GB"}),
    )
    refuses = (
        Example(("country",), {"codes": ["GB", "FR"]}, {"country": "gb"}, ("country",)),
        Example(
            ("homes.country",), {"codes": ["GB"]}, {"homes": [{"country": "GB"}, {"country": "FR"}]}, ("homes.country",)
        ),
        Example(("country",), {"list": "countries"}, {"country": "ENGLAND"}, ("country",)),
    )

    def _set_up(self, paths: tuple[str, ...], params: Any, lists: ReferenceLists) -> None:
        del paths
        if (params.list is None) == (params.codes is None):
            raise ValueError("params: give either `list` or `codes`")
        self._codes = frozenset(params.codes) if params.list is None else lists(params.list)
        if not self._codes:
            raise ValueError("params: the list has no codes")

    def _holds(self, value: Any, now_ms: int) -> bool:
        del now_ms
        return isinstance(value, str) and value in self._codes
