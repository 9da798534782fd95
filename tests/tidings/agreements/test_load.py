"""Every rule of the loader, each with the message that a person reads: line, field, words and rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tidings.agreements.kit import AGENCIES, AGREEMENT, load, spoil, write
from tidings.errors import BadInput

FORM = [
    (
        "purpose: Stop benefits",
        "purpos: Stop benefits",
        [
            "6: purpos: is not a clause that is known; did you mean 'purpose'? [unknown-key]",
            "2: purpose: is required [required]",
        ],
    ),
    (
        "after_end: corrections",
        "after_end: correction",
        ["8: valid.after_end: must be 'nothing' or 'corrections' [bad-value]"],
    ),
    (
        'gdpr: "6(1)(e)"',
        'gdpr: "6(1)(e)", article_10: x',
        ["7: legal_basis.article_10: is not a clause that is known; did you mean 'article_9'? [unknown-key]"],
    ),
    (
        'gdpr: "6(1)(e)"',
        'gdpr: "6e"',
        ["7: legal_basis.gdpr: must be a condition of article 6(1), such as 6(1)(e) [bad-value]"],
    ),
    ("version: 3", "version: three", ["3: version: must be a whole number [wrong-type]"]),
    ("version: 3", "version: 0", ["3: version: input should be greater than or equal to 1 [bad-value]"]),
    ("purpose: Stop benefits", "purpose: 12", ["6: purpose: must be text [wrong-type]"]),
    ("purpose: Stop benefits", "purpose: ' '", ["6: purpose: must say something [bad-value]"]),
    (
        "retention_days: 90",
        "retention_days: 90\nretention_days: 30",
        ["11: retention_days: 'retention_days' is given twice; first on line 10 [duplicate-key]"],
    ),
    (
        "agreement: bereavement-benefits",
        "agreement: Bereavement_Benefits",
        ["2: agreement: must be an id: a-z, 0-9 and inner hyphens, at most 60 characters [bad-id]"],
    ),
    (
        "review_by: 2027-12-31",
        "review_by: 2027-13-31",
        ["9: review_by: must be a date that exists: YYYY-MM-DD [wrong-type]"],
    ),
    (
        "review_by: 2027-12-31",
        "hold: 3\nreview_by: 2027-12-31",
        ["9: hold: is reserved for holding views back, and does nothing yet; take it out [reserved]"],
    ),
    (
        'subjects: {all: "Every death"}',
        "subjects: {all: x, where: y}",
        ["11: subjects: must have exactly one of all, where and interest_list [bad-value]"],
    ),
    (
        "protected: without_location",
        "protected: sometimes",
        ["12: protected: must be 'none', 'without_location' or 'full' [bad-value]"],
    ),
    (
        "usual_residence.country: [GB]",
        "usual_residence.country: GB",
        ["16: events.death-registered.where[usual_residence.country]: must be a mapping [wrong-type]"],
    ),
    (
        "usual_residence.country: [GB]",
        "usual_residence.country: {not: []}",
        [
            (
                "16: events.death-registered.where[usual_residence.country]: "
                "must be a list of values, or {not: [...]}, or {starts_with: [...]} [bad-value]"
            )
        ],
    ),
    (
        "usual_residence.country: [GB], ",
        "",
        ["16: events.death-registered.where: must name at least one field [bad-value]"],
    ),
    (
        "missing: include}",
        "missing: perhaps}",
        ["16: events.death-registered.where.missing: must be 'include' or 'exclude' [bad-value]"],
    ),
    ("0" * 64, "abc", ["22: approvals[0].hash: must be a SHA-256 in 64 lower-case hexadecimal digits [bad-value]"]),
]

MEANING = [
    (
        "until: 2028-12-31",
        "until: 2025-12-31",
        [
            "8: valid.until: 2025-12-31 is before the start, 2026-01-01 [dates-reversed]",
            "9: review_by: 2027-12-31 is after the end, 2025-12-31 [review-after-end]",
            "22: approvals[0].date: 2026-01-05 is after the end, 2025-12-31 [approval-after-end]",
        ],
    ),
    (
        "review_by: 2027-12-31",
        "review_by: 2029-01-01",
        ["9: review_by: 2029-01-01 is after the end, 2028-12-31 [review-after-end]"],
    ),
    (
        "subscriber: dwp",
        "subscriber: dwq",
        ["5: subscriber: 'dwq' is not in agencies.yaml; did you mean 'dwp'? [unknown-agency]"],
    ),
    (
        "subscriber: dwp",
        "subscriber: gro",
        ["5: subscriber: an agency needs no agreement with itself [provider-is-subscriber]"],
    ),
    (
        "onward_sharing: none",
        "onward_sharing: [ons]",
        ["13: onward_sharing[0]: 'ons' is not in agencies.yaml [unknown-agency]"],
    ),
    (
        "death-registered:",
        "deaths-registered:",
        [
            (
                "15: events.deaths-registered: is not an event type of the catalogue; did you mean 'death-registered'? "
                "[unknown-event-type]"
            )
        ],
    ),
    (
        "death-registered:",
        "death-notified:",
        [
            "15: events.death-notified: belongs to 'nhs-pds', so 'gro' cannot provide it [not-owner]",
            (
                "16: events.death-notified.where[usual_residence.country]: death-notified has no such field "
                "[where-unknown-field]"
            ),
            (
                "18: events.death-notified.fields[deceased.names]: death-notified has no such field; "
                "did you mean 'related.names'? [unknown-field]"
            ),
            (
                "19: events.death-notified.fields[deceased.date_of_birth]: death-notified has no such field; "
                "did you mean 'related.date_of_birth'? [unknown-field]"
            ),
        ],
    ),
    (
        "deceased.names: keep",
        "deceased.name: keep",
        [
            (
                "18: events.death-registered.fields[deceased.name]: death-registered has no such field; "
                "did you mean 'deceased.names'? [unknown-field]"
            )
        ],
    ),
    (
        "usual_residence.country: [GB]",
        "usual_residence.county: [GB]",
        [
            (
                "16: events.death-registered.where[usual_residence.county]: death-registered has no such field; "
                "did you mean 'usual_residence.country'? [where-unknown-field]"
            )
        ],
    ),
    (
        "deceased.names: keep",
        "deceased.names: hide",
        [
            (
                "18: events.death-registered.fields[deceased.names]: there is no mask 'hide'; there are encrypt, "
                "generalise, keep, partial, pseudonym, redact [mask-unknown]"
            )
        ],
    ),
    (
        "deceased.names: keep",
        "deceased.names: {generalise: year}",
        [
            (
                "18: events.death-registered.fields[deceased.names]: the mask generalise does not take record Name "
                "[mask-type]"
            )
        ],
    ),
    (
        "deceased.names: keep",
        "cause_of_death: keep",
        [
            (
                "18: events.death-registered.fields.cause_of_death: is or holds a special category: legal_basis needs "
                "article_9 [special-without-article-9]"
            )
        ],
    ),
    (
        "usual_residence.country: [GB]",
        "cause_of_death: [x]",
        [
            (
                "16: events.death-registered.where.cause_of_death: is or holds a special category: legal_basis needs "
                "article_9 [special-without-article-9]"
            )
        ],
    ),
    (
        'subjects: {all: "Every death"}',
        "subjects: {interest_list: people.txt}",
        ["11: subjects.interest_list: there is no file 'people.txt' beside this one [interest-list-missing]"],
    ),
    (
        'subjects: {all: "Every death"}',
        "subjects: {interest_list: ../people.txt}",
        ["11: subjects.interest_list: must be a path below the folder of the agreements [interest-list-path]"],
    ),
    (
        "agency: gro, role",
        "agency: dwp, role",
        ["22: approvals[0].role: 'data protection officer' is no role of dwp that may approve [approval-role]"],
    ),
    (
        "agency: gro, role",
        "agency: hmrc, role",
        ["22: approvals[0].agency: 'hmrc' is neither provider nor subscriber [approval-agency]"],
    ),
]


@pytest.mark.parametrize(("old", "new", "wanted"), FORM + MEANING)
def test_each_rule_names_its_line(tmp_path: Path, old: str, new: str, wanted: list[str]) -> None:
    """A spoilt agreement is refused with every problem, each at its line, and no other."""
    path = write(tmp_path, spoil(old, new))

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value).splitlines() == sorted(
        (f"{path}:{line}" for line in wanted), key=lambda text: int(text.removeprefix(f"{path}:").split(":")[0])
    )


def test_a_mask_parameter_that_is_not_known(tmp_path: Path) -> None:
    """A mask's own refusal comes with the line of its field."""
    path = write(tmp_path, spoil("{generalise: year}", "{generalise: week}"))

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    [problem] = refused.value.problems
    assert (problem.file, problem.line, problem.rule) == (str(path), 19, "mask-params")


@pytest.mark.parametrize(
    ("filter_text", "rule"),
    [
        ("deceased.names: [x]", "where-type"),
        ("usual_residence.use: [HOUSE]", "where-value"),
        ("usual_residence.use: {starts_with: [HO]}", "where-type"),
    ],
)
def test_a_filter_that_can_never_hold(tmp_path: Path, filter_text: str, rule: str) -> None:
    """A filter on a record, with an unknown symbol, or with a prefix of an enum is refused at its line."""
    write(tmp_path, spoil("usual_residence.country: [GB]", filter_text))

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert [(problem.line, problem.rule) for problem in refused.value.problems] == [(16, rule)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: [1\nb: 2\n",
            "2: (document): is not YAML: while parsing a flow sequence expected ',' or ']', but got ':' [yaml-syntax]",
        ),
        ("a:\n\tb: 1\n", "2: (document): is indented with a tab; use spaces [yaml-tab]"),
        ("a: &x 1\nb: 2\n", "1: (document): anchors and aliases are not allowed; write it out [yaml-anchor]"),
        ("a: !!python/name:os.system 1\n", "1: (document): tags (!...) are not allowed [yaml-tag]"),
        ("a: 1\n---\nb: 1\n", "2: (document): holds more than one document (---) [yaml-documents]"),
        ("[" * 5000, "1: (document): is nested more than 20 deep [yaml-depth]"),
        ("- 1\n", "1: (document): must be a mapping of clauses [wrong-type]"),
    ],
)
def test_yaml_that_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """What is not plain YAML is refused at its line, before anything is built from it."""
    path = write(tmp_path, text)

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value) == f"{path}:{message}"


def test_an_alias_bomb_is_refused_unexploded(tmp_path: Path) -> None:
    """Nine levels of nine aliases would be 387 million values; the file is refused at its anchors."""
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{at}: &l{at} [{', '.join([f'*l{at - 1}'] * 9)}]" for at in range(1, 10)]
    write(tmp_path, "\n".join(levels) + "\n")

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert {problem.rule for problem in refused.value.problems} == {"yaml-anchor"}


def test_an_empty_file(tmp_path: Path) -> None:
    """A file with nothing but comments is refused as a whole."""
    path = write(tmp_path, "# nothing\n")

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value) == f"{path}: (document): the file is empty [empty-file]"


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    """Another encoding is refused at the line of the first byte that cannot be read."""
    path = write(tmp_path)
    path.write_bytes(AGREEMENT.replace("Stop benefits", "Stop bénéfits").encode("latin-1"))

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value) == f"{path}:6: (document): is not UTF-8 text [not-utf-8]"


def test_two_files_with_the_same_agreement(tmp_path: Path) -> None:
    """A second file with the same name and version is refused, naming the first."""
    path = write(tmp_path)
    other = tmp_path / "copy.yaml"
    other.write_text(AGREEMENT, "utf-8")

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value) == (
        f"{other}:3: version: bereavement-benefits version 3 stands in {path}, too [same-agreement]"
        if path < other
        else f"{path}:3: version: bereavement-benefits version 3 stands in {other}, too [same-agreement]"
    )


def test_versions_keep_their_parties(tmp_path: Path) -> None:
    """A new version cannot hand an agreement's pseudonyms to another subscriber or group."""
    write(tmp_path)
    (tmp_path / "next.yaml").write_text(spoil("version: 3", "version: 4\nlinkage: statistics"), "utf-8")

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    [problem] = refused.value.problems
    assert (problem.line, problem.field, problem.rule) == (4, "linkage", "versions-differ")


def test_a_linkage_group_is_no_agreement(tmp_path: Path) -> None:
    """A group called like an agreement would join that agreement's feed without its say."""
    write(tmp_path)
    (tmp_path / "other.yaml").write_text(
        spoil("version: 3", "version: 3\nlinkage: bereavement-benefits").replace(
            "agreement: bereavement-benefits", "agreement: other"
        ),
        "utf-8",
    )

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    [problem] = refused.value.problems
    assert (problem.line, problem.field, problem.rule) == (4, "linkage", "linkage-is-agreement")


def test_children_need_their_clause(tmp_path: Path) -> None:
    """An event type about children is refused without `minors`, even where no field of it is a child's."""
    text = spoil("death-registered", "birth-registered").replace("usual_residence", "place_of_birth")
    text = text.replace("deceased.", "mother.")
    path = write(tmp_path, text)

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value) == (
        f"{path}:15: events.birth-registered: is about children: legal_basis needs minors [child-without-minors]"
    )


def test_a_childs_field_needs_its_clause(tmp_path: Path) -> None:
    """A record that holds a child's field is refused at its own line."""
    text = spoil("death-registered", "birth-registered").replace("usual_residence", "place_of_birth")
    path = write(tmp_path, text.replace("deceased.names", "child.names").replace("deceased.", "mother."))

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert (
        f"{path}:18: events.birth-registered.fields[child.names]: is or holds a child's field: legal_basis needs "
        "minors [child-without-minors]" in str(refused.value).splitlines()
    )


def test_subjects_by_filter_need_a_filter(tmp_path: Path) -> None:
    """`subjects: {where: …}` without any `where` would claim a limit that is not there."""
    text = spoil("    where: {usual_residence.country: [GB], missing: include}  # beside a clause\n", "")
    path = write(tmp_path, spoil("{all:", "{where:", text))

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value) == (
        f"{path}:11: subjects.where: says that filters choose, but no event type has a where [subjects-without-filter]"
    )


def test_a_bad_line_of_an_interest_list_is_not_repeated(tmp_path: Path) -> None:
    """The problem names the list's line; what stands there is never shown."""
    write(tmp_path, spoil('{all: "Every death"}', "{interest_list: people.txt}"))
    (tmp_path / "people.txt").write_text("# made up\nnhs_number:9990000018\nJane Marked\n", "utf-8")

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value) == (
        f"{tmp_path / 'people.txt'}:3: (document): must be scheme:value or a feed key [interest-list-line]"
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "rule"),
    [
        ("  gro:\n", "  GRO:\n", 2, "agencies.GRO", "bad-id"),
        ("request_percentage", "request_percent", 10, "agencies.dwp.quotas.request_percent", "unknown-key"),
        ("roles: [service owner]", "roles: []", 11, "agencies.dwp.roles", "bad-value"),
        ("contact: life-events@dwp.example", "contact: 5", 9, "agencies.dwp.contact", "wrong-type"),
    ],
)
def test_agencies_are_held_to_their_form(tmp_path: Path, old: str, new: str, line: int, field: str, rule: str) -> None:
    """A spoilt agencies.yaml is refused at its line."""
    write(tmp_path, agencies=spoil(old, new, AGENCIES))

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert (line, field, rule) in [(part.line, part.field, part.rule) for part in refused.value.problems]


def test_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    """Two spoilt files are told of together."""
    write(tmp_path, spoil("version: 3", "version: x"))
    (tmp_path / "other.yaml").write_text("a: [", "utf-8")

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert [problem.rule for problem in refused.value.problems] == ["wrong-type", "yaml-syntax"]


def test_a_good_country_loads(tmp_path: Path) -> None:
    """The unspoilt country has its agreement, under its name and with its line numbers."""
    path = write(tmp_path)

    country = load(tmp_path)

    assert country.find("bereavement-benefits").version == 3
    assert country.path(country.find("bereavement-benefits")) == path
