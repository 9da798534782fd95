"""What a new user reads when something is wrong: the place, the reason, what to do, and an exit code for scripts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer

from commands import app
from deploy.local.beside import remember
from deploy.local.processes import spawn
from tests.commands.conftest import Life
from tests.commands.kit import CHECKOUT, Said, tidings

MEND = "What to do: mend what the lines above name."


@pytest.fixture
def country(tmp_path: Path) -> Path:
    """A copy of the example country."""
    folder = tmp_path / "agreements"
    shutil.copytree(CHECKOUT / "agreements", folder)
    return folder


def planned(country: Path, cluster: Path | str = "/nowhere/cluster.json") -> Said:
    """`tidings plan` of a country; the files are read before the cluster is asked."""
    return tidings("plan", "--country", country, "--cluster", cluster)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("provider: gro", "provider: grow", "grow"),
        ("valid: {from: 2026", "valid: {form: 2026", "form"),
        ("version: 3", "version: three", "version"),
        ("subject: pseudonym", "subject: pseudonyme", "pseudonyme"),
    ],
)
def test_a_wrong_agreement_is_named_by_file_and_line(country: Path, old: str, new: str, message: str) -> None:
    """Exit code 65; the line is that of the mistake."""
    path = country / "bereavement-benefits.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    line = 1 + text[: text.index(old)].count("\n")

    said = planned(country)

    assert said.code == 65
    assert f"bereavement-benefits.yaml:{line}: " in said.err
    assert message in said.err
    assert said.err.endswith(f"{MEND}\n")
    assert said.out == ""


def test_a_folder_without_a_country_is_named(tmp_path: Path) -> None:
    """The file that is missing, not a trace."""
    said = planned(tmp_path)

    assert said.code == 65
    assert said.err.startswith(f"{tmp_path}/agencies.yaml: (document): cannot be read")


def test_a_missing_cluster_file_says_how_to_get_one(country: Path) -> None:
    """`tidings up`, or another file."""
    said = planned(country)

    assert said.code == 1
    assert said.err.startswith("/nowhere/cluster.json cannot be read; run `tidings up`, or name another with --cluster")


def test_a_malformed_cluster_file_names_every_key(country: Path, tmp_path: Path) -> None:
    """What is missing and what is not known, at once."""
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps({"bootstrap_servers": "a:1", "pasword": "x"}))

    said = planned(country, path)

    assert said.code == 65
    assert f"{path}: pasword: is not a key that is known [cluster-file]" in said.err
    assert f"{path}: ca_file: is required [cluster-file]" in said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no-such-agreement", "--as", "dwp"), "there is no agreement no-such-agreement; there are address-protection"),
        (("bereavement-benefits", "--as", "hmrc"), "hmrc is not a side of bereavement-benefits: they are gro, dwp"),
        (("bereavement-benefits", "--as", "dwp", "--role", "cleaner"), "cleaner may not approve for dwp; these may: "),
    ],
)
def test_an_approval_that_cannot_be_is_refused(country: Path, arguments: tuple[str, ...], message: str) -> None:
    """With what there is instead; the file stays as it was."""
    before = (country / "bereavement-benefits.yaml").read_bytes()

    said = tidings("approve", *arguments, "--country", country)

    assert said.code == 64
    assert message in said.err
    assert (country / "bereavement-benefits.yaml").read_bytes() == before


def test_an_approval_says_what_is_still_missing(country: Path) -> None:
    """The one agreement of the example that a side has not approved: then both have."""
    said = tidings("approve", "school-places", "--as", "education", "--country", country)

    assert said.code == 0, said.err
    assert "school-places v1: approved by education" in said.out
    assert "Both sides have approved" in said.out


def test_an_unknown_verb_is_refused() -> None:
    """As any command line does, with the nearest that there is."""
    said, other = tidings("aply"), tidings("xyzzy")

    assert (said.code, other.code) == (64, 64)
    assert "No such command 'aply'; did you mean 'apply'?" in said.err
    assert "No such command 'xyzzy'." in other.err


def verbs_there() -> list[Any]:
    """Every verb and group of verbs."""
    root: Any = typer.main.get_command(app)
    context = typer.Context(root)
    return [root.get_command(context, name) for name in root.list_commands(context)]


def test_no_verb_says_of_a_wrong_option_what_plan_says_of_changes() -> None:
    """64 for what no command line may say, whatever the verb: 2 of `tidings plan` is that something would change."""
    lines = [
        (verb.name, *sub, "--no-such-option")
        for verb in verbs_there()
        for sub in [(name,) for name in getattr(verb, "commands", {})] or [()]
    ]

    assert {line: tidings(*line).code for line in lines} == dict.fromkeys(lines, 64)


def test_help_is_broken_by_the_terminal_alone() -> None:
    """Paragraphs of every verb's help are one line each; groups offer no completion of their own."""
    verbs = verbs_there()
    every = [*verbs, *(each for verb in verbs for each in getattr(verb, "commands", {}).values())]

    assert len(every) > 30
    assert [each.name for each in every if "\n" in each.help.replace("\n\n", "") or not each.help] == []
    assert [each.name for verb in verbs for each in verb.params if "completion" in each.name] == []


def test_down_drains_the_demos_exchange(tmp_path: Path) -> None:
    """What `tidings demo --keep` remembers is asked to end, waited for, and forgotten; a damaged note is told."""
    process = spawn("exchange", ["/bin/sleep", "300"], tmp_path / "exchange.log", cwd=tmp_path)
    remember(tmp_path, process)

    first, second = (tidings("down", "--data", tmp_path) for _ in range(2))
    (tmp_path / "beside.json").write_text("{")
    damaged = tidings("down", "--data", tmp_path)

    assert not process.running()
    assert (first.out, second.out) == (
        f"Stopped exchange. Data stays in {tmp_path}.\n",
        f"Nothing of {tmp_path} was running.\n",
    )
    assert (damaged.code, "beside.json is damaged" in damaged.err) == (1, True)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("feed", "bereavement-benefits", "--as", "nobody"), "no credentials for nobody: "),
        (("feed", "pension-stop", "--as", "hmrc"), "hmrc may read no feed of pension-stop: no such agreement"),
        (("notices", "--as", "dwp"), "dwp has no notices: it publishes nothing by the policy in force"),
        (("notices", "--as", "No One"), "'No One' is not a principal"),
        (("client-config", "nobody"), "no credentials for nobody: "),
        (("stop", "agreement", "nope"), "nope is not in policy "),
        (("stop", "publisher", "dwp"), "dwp is not in policy "),
    ],
)
def test_what_is_not_there_is_named(life: Life, arguments: tuple[str, ...], message: str) -> None:
    """Exit code 1, one sentence and what to do; no trace, no code of Kafka's."""
    said = life.tidings(*arguments)

    assert said.code == 1
    assert said.err.startswith(message)
    assert "What to do: " in said.err


@pytest.mark.stack
def test_client_config_has_what_an_agency_needs_and_no_password(life: Life) -> None:
    """As JSON, and as Java's properties."""
    as_json, java = life.tidings("client-config", "dwp"), life.tidings("client-config", "dwp", "--format", "properties")
    password = life.cluster.password("dwp")

    assert json.loads(as_json.out)["consumer"]["isolation.level"] == "read_committed"
    assert "isolation.level=read_committed" in java.out
    assert password not in as_json.out + java.out
