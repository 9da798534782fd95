"""Every rule of the loader, each with the message that a person reads: line, field, words and rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tidings.agreements.cases import FORM, MEANING
from tests.tidings.agreements.kit import AGENCIES, AGREEMENT, catalogue, load, spoil, write
from tidings.agreements import load_country
from tidings.agreements.compiled import compiled_terms
from tidings.agreements.load import load_agreement
from tidings.catalogue import Catalogue
from tidings.errors import BadInput
from tidings.keys import KeyRing
from tidings.projection.ids import feed_key


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
        ("usual_residence.postcode: {starts_with: [LS]}", "where-tells-location"),
    ],
)
def test_a_filter_that_is_refused(tmp_path: Path, filter_text: str, rule: str) -> None:
    """A filter on a record, with an unknown symbol, with a prefix of an enum, or on a protected place is refused."""
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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("onward_sharing: none", "onward_sharing: none\nlinkage: bereavement-benefits"),
        ("subscriber: dwp", "subscriber: tax"),
        ("agreement: bereavement-benefits", "agreement: pensions"),
    ],
)
def test_only_the_same_parties_and_name_share_keys(tmp_path: Path, old: str, new: str) -> None:
    """A group called like an agreement, and a name that other parties had used before, lead to other pseudonyms."""
    mine, other = (load_agreement(write(tmp_path, text)) for text in (AGREEMENT, spoil(old, new)))
    subject = ("nhs_number", "9990000018")

    keys = [feed_key(KeyRing(bytes(32)), each.key_group, subject) for each in (mine, mine, other)]

    assert keys[0] == keys[1] != keys[2]


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


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ("events: {}\n", "14: events: must name at least one event type [no-events]"),
        (
            "events: {death-registered: {fields: {}}}\n",
            "14: events.death-registered.fields: must name at least one field [no-fields]",
        ),
    ],
)
def test_events_that_cannot_be_told(tmp_path: Path, events: str, message: str) -> None:
    """No event type or no field is refused at its line."""
    start, end = AGREEMENT.index("events:"), AGREEMENT.index("approvals:")
    path = write(tmp_path, AGREEMENT[:start] + events + AGREEMENT[end:])

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value) == f"{path}:{message}"


def test_a_field_that_would_stand_twice_in_the_view(tmp_path: Path) -> None:
    """A field of an event type that has the name of the view's own is refused at its line."""
    path = write(tmp_path, spoil("subject: pseudonym", "kind: keep"))
    death = catalogue().event_types["death-registered"]
    kind = {"name": "kind", "type": ["null", "string"], "default": None, "category": "plain", "doc": "Its kind."}
    schema = death.schema | {"fields": [*death.schema["fields"], kind]}
    taken = replace(death, schema=schema, versions=(schema,))

    with pytest.raises(BadInput) as refused:
        load_country(tmp_path, Catalogue({"death-registered": taken}))

    assert str(refused.value) == (
        f"{path}:20: events.death-registered.fields.kind: has the name of a field that the exchange writes into every "
        "view: its event type must rename it [view-field-taken]"
    )


def test_a_country_without_agencies(tmp_path: Path) -> None:
    """A folder without agencies.yaml is refused for that alone, not once more for every agency that is named."""
    write(tmp_path)
    (tmp_path / "agencies.yaml").unlink()

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert [problem.rule for problem in refused.value.problems] == ["file-missing"]


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """A file above a million bytes is refused before it is parsed."""
    path = write(tmp_path, "#" * 1_000_001)

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert str(refused.value) == f"{path}: (document): has more than 1,000,000 bytes [file-too-large]"


def test_an_interest_list_that_is_no_text(tmp_path: Path) -> None:
    """A list in another encoding is refused as a whole."""
    write(tmp_path, spoil('{all: "Every death"}', "{interest_list: people.txt}"))
    (tmp_path / "people.txt").write_bytes(b"\xff\xfe")

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert [problem.rule for problem in refused.value.problems] == ["interest-list-missing"]


@pytest.mark.parametrize("name", ["admin", "exchange", "monitor", "registry"])
def test_an_agency_cannot_be_a_principal_of_the_exchange(tmp_path: Path, name: str) -> None:
    """It would be given the administrator's password, or the exchange's access."""
    write(tmp_path, agencies=AGENCIES.replace("  dwp:", f"  {name}:"))

    with pytest.raises(BadInput) as refused:
        load(tmp_path)

    assert [(each.line, each.field) for each in refused.value.problems if each.rule == "reserved-id"] == [
        (7, f"agencies.{name}")
    ]


def test_a_loaded_interest_list_is_in_no_repr(tmp_path: Path) -> None:
    """A clear id of the list could otherwise stand in any message that shows a country."""
    (tmp_path / "people.txt").write_text("nhs_number:9990000018\n", "utf-8")
    write(tmp_path, spoil('subjects: {all: "Every death"}', "subjects: {interest_list: people.txt}"))

    country = load(tmp_path)

    assert list(country.interests.values()) == [("nhs_number:9990000018",)]
    assert "9990000018" not in repr(country)


@pytest.mark.parametrize(("mask", "kept_back"), [("redact", True), ("keep", False)])
def test_redacting_a_field_does_not_lift_the_catalogues_filter(tmp_path: Path, mask: str, kept_back: bool) -> None:
    """`stillbirth: redact` would bring stillbirths that its reader cannot tell from deaths."""
    text = spoil('gdpr: "6(1)(e)"', 'gdpr: "6(1)(e)", article_9: "9(2)(h)"')
    write(tmp_path, spoil("subject: pseudonym", f"subject: pseudonym\n      stillbirth: {mask}", text))

    [agreement] = load(tmp_path).agreements
    terms = compiled_terms(agreement, catalogue())["death-registered"]

    assert ("stillbirth" in [line.path for line in terms.where]) is kept_back
