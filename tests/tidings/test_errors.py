"""The tree of errors: what each says and what a command ends with."""

from __future__ import annotations

import pytest

from tidings.errors import (
    BadInput,
    BadUsage,
    Fatal,
    Finding,
    Problem,
    Quarantine,
    ReasonCode,
    Reject,
    Retriable,
    Severity,
    TidingsError,
)


def test_every_error_says_what_to_do_and_how_to_end() -> None:
    """Exit codes follow sysexits where one fits: bad use 64, bad data 65, our own failure 70, try again 75."""
    codes = {kind.__name__: kind.exit_code for kind in (Retriable, Reject, Quarantine, BadInput, BadUsage, Fatal)}

    assert codes == {"Retriable": 75, "Reject": 65, "Quarantine": 70, "BadInput": 65, "BadUsage": 64, "Fatal": 1}
    assert all(kind.action for kind in TidingsError.__subclasses__())


def test_a_finding_is_a_code_and_a_path() -> None:
    """It has no room for a value."""
    assert str(Finding(ReasonCode.DATE_ORDER, "deceased.date_of_birth")) == "date_order:deceased.date_of_birth"
    assert str(Finding(ReasonCode.NULL_KEY)) == "null_key"
    assert Finding(ReasonCode.NULL_KEY).severity is Severity.REJECT


def test_a_problem_names_file_line_field_and_rule() -> None:
    """Line 0 means the whole file, an empty field the whole document."""
    assert str(Problem("a.yaml", 7, "valid.from", "date", "is no date")) == "a.yaml:7: valid.from: is no date [date]"
    assert str(Problem("a.yaml", 0, "", "empty", "is empty")) == "a.yaml: (document): is empty [empty]"


def test_all_findings_and_problems_are_in_the_text() -> None:
    """Nobody has to mend one, only to hear of the next."""
    two = [Finding(ReasonCode.NULL_KEY), Finding(ReasonCode.CODE_UNKNOWN, "sex")]

    assert str(Reject(two)) == "null_key, code_unknown:sex"
    assert str(BadInput([Problem("a", 1, "b", "r", "m"), Problem("a", 2, "c", "r", "m")])).count("\n") == 1


@pytest.mark.parametrize("kind", [Reject, BadInput])
def test_an_error_without_a_reason_cannot_be_made(kind: type[Reject | BadInput]) -> None:
    """A refusal that does not say why is a fault of ours."""
    with pytest.raises(ValueError, match="at least one"):
        kind([])


def test_reason_codes_are_safe_labels() -> None:
    """Lower case and underscores only: they become metric labels."""
    assert all(code.value.replace("_", "").isalpha() and code.value.islower() for code in ReasonCode)
