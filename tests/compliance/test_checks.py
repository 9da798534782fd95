"""What every check must do. Its members are the table's: a new check is under test before its author has written a
test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.gb import nhs

from tidings.catalogue import walk
from tidings.checks import CHECKS, Check, Checker, Example, FolderLists, validate_rules
from tidings.checks.identifier_checksum import nhs_number_adds_up
from tidings.clock import StillClock
from tidings.errors import BadInput, Fatal, Severity
from tidings.policy.model import CheckRule

NOW_MS = StillClock().now_ms()
ALL = sorted(CHECKS)


def lists(name: str) -> frozenset[str]:
    """A reference list of two countries, whatever its name."""
    assert name
    return frozenset({"GB", "FR"})


def rule_of(check: type[Check], example: Example, severity: Severity = Severity.REJECT) -> CheckRule:
    """The rule of an example."""
    return CheckRule(check=check.name, paths=example.paths, severity=severity, params=example.params)


def examples(check: type[Check]) -> Iterator[Example]:
    """All examples of a check."""
    yield from check.accepts
    yield from check.refuses


def paths_found(check: type[Check], example: Example, event: dict[str, Any]) -> set[str]:
    """The paths that the check names in `event` by the rule of an example."""
    return {finding.path for finding in Checker([rule_of(check, example)], lists).run(event, NOW_MS)}


@pytest.mark.parametrize("name", ALL)
def test_accepts(name: str) -> None:
    """Each check passes its own accepted examples, and has some."""
    check = CHECKS[name]

    assert check.accepts
    assert [set()] * len(check.accepts) == [paths_found(check, each, each.event) for each in check.accepts]


@pytest.mark.parametrize("name", ALL)
def test_refuses(name: str) -> None:
    """Each check names exactly the paths at fault in its refused examples, and has some."""
    check = CHECKS[name]

    assert check.refuses
    assert [set(each.found) for each in check.refuses] == [paths_found(check, e, e.event) for e in check.refuses]
    assert all(each.found for each in check.refuses)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("severity", list(Severity))
def test_code_and_severity(name: str, severity: Severity) -> None:
    """A finding has the check's one reason code and the severity of the rule."""
    check = CHECKS[name]
    for example in check.refuses:
        findings = Checker([rule_of(check, example, severity)], lists).run(example.event, NOW_MS)

        assert {(check.code, severity)} == {(finding.code, finding.severity) for finding in findings}


@pytest.mark.parametrize("name", [name for name in ALL if name != "required_if"])
def test_missing_values_pass(name: str) -> None:
    """Only `required_if` minds a value that is missing, null or an empty array."""
    check = CHECKS[name]
    for example in examples(check):
        paths = check.paths_of(rule_of(check, example))
        empty: tuple[dict[str, Any], ...] = (
            {},
            {p.split(".")[0]: None for p in paths},
            {p.split(".")[0]: [] for p in paths},
        )

        assert [set()] * 3 == [paths_found(check, example, event) for event in empty]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=30)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True)
    | st.fixed_dictionaries(
        {"scheme": st.sampled_from(["nhs_number", "fi_hetu", "iban", "?"]), "value": st.text(max_size=20)}
    )
    | st.fixed_dictionaries(
        {
            "year": st.integers(-(2**31), 2**31 - 1),
            "month": st.none() | st.integers(-(2**31), 2**31 - 1) | st.integers(1, 12),
            "day": st.none() | st.integers(-(2**31), 2**31 - 1) | st.integers(1, 31),
            "time": st.none() | st.text(max_size=12) | st.just("23:59:59.999"),
            "zone": st.none() | st.text(max_size=12) | st.sampled_from(["Europe/London", "Z", "+14:00", "../x", "\0"]),
        }
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", ALL)
@given(data=st.data())
def test_never_raises(name: str, data: st.DataObject) -> None:
    """Whatever values a schema allows at its paths, a check answers with paths and does not raise."""
    check = CHECKS[name]
    for example in examples(check):
        rule = rule_of(check, example)
        event: dict[str, Any] = {}
        for path in {*check.paths_of(rule), *check.named_by(rule.params)}:
            head, _, rest = path.partition(".")
            value = data.draw(VALUES)
            for step in reversed(rest.split(".") if rest else []):
                value = {step: value}
            event[head] = value

        assert paths_found(check, example, event) <= set(check.paths_of(rule))


@pytest.mark.parametrize("name", ALL)
def test_event_is_unchanged_and_unseen(name: str) -> None:
    """A check changes nothing in the event, and no value of it stands in what the check puts out."""
    check = CHECKS[name]
    for example in check.refuses:
        before = repr(example.event)
        rule = rule_of(check, example)
        output = repr(Checker([rule], lists).run(example.event, NOW_MS))

        assert before == repr(example.event)
        for path in check.paths_of(rule):
            for value in walk.get(example.event, path):
                assert not isinstance(value, str) or len(value) < 4 or value not in output


@pytest.mark.parametrize("name", ALL)
def test_parameters_are_closed(name: str) -> None:
    """A parameter that a check does not know is refused when rules are compiled, with its name."""
    example = CHECKS[name].accepts[0]
    rule = CheckRule(check=name, paths=example.paths, severity=Severity.FLAG, params={**example.params, "typo": 1})

    with pytest.raises(Fatal, match="typo"):
        Checker([rule], lists)


def test_the_folder_is_the_table() -> None:
    """Every check has its file, and every file its check."""
    folder = Path(__file__).resolve().parents[2] / "tidings" / "checks"
    machinery = {"__init__", "base", "checker", "reference_lists", "table"}

    assert {path.stem for path in folder.glob("*.py")} - machinery == set(CHECKS)


def test_an_unknown_check_is_refused() -> None:
    """A rule that names no check is BadInput for the catalogue and Fatal for a worker."""
    rule = CheckRule(check="no_such", paths=("name",), severity=Severity.REJECT)
    schema = {"type": "record", "name": "R", "fields": [{"name": "name", "type": "string"}]}

    with pytest.raises(BadInput, match="unknown-check"):
        validate_rules([rule], schema, lists)
    with pytest.raises(Fatal, match="no_such"):
        Checker([rule], lists)


def test_rules_are_held_to_the_schema() -> None:
    """A path that is not there, and one of a type that the check cannot judge, are both named at once."""
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "name", "type": "string"}, {"name": "n", "type": "int"}],
    }
    rules = [
        CheckRule(check="pattern", paths=("nme",), severity=Severity.REJECT, params={"pattern": "."}),
        CheckRule(check="date_exists", paths=("n",), severity=Severity.REJECT),
    ]

    with pytest.raises(BadInput) as refusal:
        validate_rules(rules, schema, lists)

    assert [problem.rule for problem in refusal.value.problems] == ["unknown-path", "check-type"]


def test_an_annulment_is_judged_by_its_head_only() -> None:
    """Nothing in the body of an annulment can refuse it, also not where a rule reads head and body; its head still
    can."""
    head = CheckRule(check="identifier_checksum", paths=("subject",), severity=Severity.REJECT)
    rules = [
        head,
        CheckRule(check="date_exists", paths=("deceased.born",), severity=Severity.REJECT),
        CheckRule(
            check="date_order",
            paths=(),
            severity=Severity.REJECT,
            params={"first": "deceased.born", "then": "recorded_at"},
        ),
        CheckRule(check="required_if", paths=("deceased",), severity=Severity.REJECT),
    ]
    event = {
        "change": "ANNULLED",
        "subject": {"scheme": "nhs_number", "value": "9990000019"},
        "deceased": {"born": {"year": 2023, "month": 2, "day": 30}},
        "recorded_at": 0,
    }

    assert [str(finding) for finding in Checker(rules, lists).run(event, NOW_MS)] == ["checksum_invalid:subject"]


def test_all_findings_at_once() -> None:
    """An event that fails several rules gets every finding, sorted, each once."""
    rules = [
        CheckRule(check="required_if", paths=("name", "sex"), severity=Severity.REJECT),
        CheckRule(check="date_exists", paths=("born", "died"), severity=Severity.FLAG),
        CheckRule(check="date_exists", paths=("born",), severity=Severity.FLAG),
    ]
    event = {"born": {"year": 2023, "month": 13}, "died": {"year": 0}}

    assert [str(finding) for finding in Checker(rules, lists).run(event, NOW_MS)] == [
        "date_impossible:born",
        "date_impossible:died",
        "required_missing:name",
        "required_missing:sex",
    ]


def test_a_date_in_its_head_never_refuses_an_annulment():
    """A future occurred_on refuses a name change, and only flags the annulment of one."""
    rule = CheckRule(check="date_not_in_future", paths=("occurred_on",), severity=Severity.REJECT)
    checker = Checker((rule,), FolderLists())
    event = {"change": "CREATED", "occurred_on": {"year": 2999, "month": None, "day": None}}

    assert [each.severity for each in checker.run(event, 0)] == [Severity.REJECT]
    assert [each.severity for each in checker.run({**event, "change": "ANNULLED"}, 0)] == [Severity.FLAG]


def test_an_annulment_that_names_two_people_is_refused():
    """Whom a message is about is said by its envelope too: where that names another person, nobody is brought back."""
    params = {"first": "subject", "then": "message.routed_to"}
    rule = CheckRule(check="same_subject", paths=(), severity=Severity.REJECT, params=params)
    event = {
        "change": "ANNULLED",
        "subject": {"scheme": "nhs_number", "value": "9990000018"},
        "message": {"routed_to": {"scheme": "nhs_number", "value": "9990000026"}},
    }

    [finding] = Checker((rule,), FolderLists()).run(event, 0)

    assert (str(finding), finding.severity) == ("subject_mismatch:message.routed_to", Severity.REJECT)


@given(st.integers(0, 10**10 - 1))
def test_the_short_way_of_nhs_numbers_is_stdnums(number: int) -> None:
    """Ten digits pass by the tables if, and only if, python-stdnum takes them; so do all with one digit changed."""
    for each in (number, *(number // 10 * 10 + digit for digit in range(10))):
        assert nhs_number_adds_up(each) == nhs.is_valid(f"{each:010}")
