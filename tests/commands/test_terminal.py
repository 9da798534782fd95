"""What a terminal is given: no escape sequence or markup of other people's text, and no exception's own text."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest
from rich.console import Console

import commands
from commands import _plan_print
from commands._account import FileAccount, print_account
from commands._feed_print import print_view
from commands._terminal import json_line, printable
from tests.commands.kit import tidings
from tidings.errors import Fatal, Problem

HOSTILE = "\x1b]0;owned\x07\x9b31m\u202e[red]x[/]\nsecond line"


def test_control_characters_are_shown_and_not_obeyed() -> None:
    """Escape, bell, C1, bidirectional and line-end characters become text; names of all scripts stay."""
    assert printable(HOSTILE) == "\\x1b]0;owned\\x07\\x9b31m\\u202e[red]x[/]\\nsecond line"
    assert printable("Zoë Ó Súilleabháin 王 Οδυσσέας\ud800") == "Zoë Ó Súilleabháin 王 Οδυσσέας\\ud800"


def test_json_for_a_program_is_no_order_to_a_terminal() -> None:
    """No control or format character of any plane is raw, the line is one line, and it is read back as it was."""
    hostile = HOSTILE + "\x85\u2028\ufeff\U000e0001 Zoë 王"

    line = json_line({"feed": "f", hostile: hostile, "raw": b"\x9b"})

    assert line.isprintable()
    assert "Zoë 王" in line
    assert orjson.loads(line) == {"feed": "f", hostile: hostile, "raw": "9b"}


def test_a_view_cannot_write_to_the_terminal_by_itself() -> None:
    """A publisher's value (or a map's key) with escape sequences and markup is printed as it is, on one line."""
    out = io.StringIO()
    view = {"sequence": 1, "kind": "LIVE", "policy_version": 1, "change": "CREATED", "more": {"[/]\x1b": HOSTILE}}

    print_view(Console(file=out), "feed.dwp.x.v1.death-registered", "v1.abc", view)

    assert not set(out.getvalue()) & {"\x1b", "\x9b", "\x07", "\u202e"}
    assert "[red]x[/]\\nsecond line" in out.getvalue()
    assert len(out.getvalue().splitlines()) == 2


def test_a_file_name_cannot_write_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in the table of the account nor in a refusal of one record."""
    name = "[/red]\x1b[2J.xml"
    account = FileAccount(name, "gro-death-extract", problems=[Problem(name, 1, "x", "date", "record 1 is refused")])

    print_account(account, dry_run=True)

    said = capsys.readouterr()
    assert "\x1b[2J" not in said.out + said.err
    assert "[/red]\\x1b[2J.xml" in said.err


def test_a_filter_cannot_hide_in_the_plan() -> None:
    """An agreement's words are no markup: what a subscriber would newly see is printed whatever it is called."""
    out = io.StringIO()
    change = SimpleNamespace(
        subscriber="dwp",
        agreement="x",
        event_type="death-registered",
        direction=SimpleNamespace(value="wider"),
        newly_seen=(),
        no_longer=(),
        otherwise_seen=(),
        terms=("filter: none becomes family in ['[conceal]Smith[/conceal]', '\x1b[8m']",),
    )

    _plan_print._print_feed(Console(file=out), change)

    assert "['[conceal]Smith[/conceal]', '\\x1b[8m']" in out.getvalue()


def test_a_defect_is_told_without_the_exceptions_own_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A library's error that quotes a value is told by its type and place; so is what it was raised from."""

    def broken() -> None:
        try:
            int("Mary Smith 9991234567")
        except ValueError as error:
            raise KeyError("Mary Smith") from error

    monkeypatch.setattr(commands, "app", broken)
    with pytest.raises(SystemExit) as ended:
        commands.main()

    said = capsys.readouterr().err
    assert ended.value.code == 70
    assert "A defect of tidings: KeyError" in said
    assert "after ValueError" in said
    assert "tests.commands.test_terminal:" in said
    assert "Mary" not in said
    assert "999" not in said


def test_a_threads_defect_is_told_without_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The interpreter's own report of a thread prints the text."""

    def app() -> None:
        thread = threading.Thread(target=lambda: int("Mary"))
        thread.start()
        thread.join()

    monkeypatch.setattr(commands, "app", app)
    commands.main()

    said = capsys.readouterr().err
    assert "A defect of tidings: ValueError" in said
    assert "Mary" not in said


def test_an_error_of_ours_cannot_write_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name out of a file stands in it as text; its lines stay lines."""

    def app() -> None:
        raise Fatal("one \x1b[2J\ntwo")

    monkeypatch.setattr(commands, "app", app)
    with pytest.raises(SystemExit) as ended:
        commands.main()

    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("one \\x1b[2J\ntwo\nWhat to do: ")


def test_a_key_of_a_file_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    """YAML's own escapes make control characters; the error that names the key shows them."""
    (tmp_path / "agencies.yaml").write_text('"\\e[2Jagencies": {}\n')

    said = tidings("plan", "--country", tmp_path, "--cluster", "/nowhere/cluster.json")

    assert said.code == 65
    assert "\x1b" not in said.err
    assert "\\x1b[2Jagencies" in said.err


def test_a_worker_tells_a_defect_without_its_text() -> None:
    """Workers are started as `python -m commands.run`, not through `tidings`."""
    source = (
        "import runpy, sys, tidings.kafka.supervisor as s\n"
        "def broken(self): raise ValueError('Mary Smith')\n"
        "s.Supervisor.run = broken\n"
        "sys.argv = ['run', 'exchange']\n"
        "runpy.run_module('commands.run', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)

    assert done.returncode == 70
    assert "A defect of tidings: ValueError" in done.stderr
    assert "Mary" not in done.stderr
