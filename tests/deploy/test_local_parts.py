"""The small parts of the local stack: ports, files and processes."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import stack as stacks
from deploy.local.files import make_password, private_dir, trusted, write_private
from deploy.local.ports import HOST, choose
from deploy.local.processes import spawn, stop
from deploy.local.stack import Options, down, up
from tidings.errors import Fatal


def test_taken_port_gives_another():
    """A wanted port that is taken is replaced by a free one, and no number comes twice."""
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        taken = holder.getsockname()[1]

        ports = choose([taken, taken, None])

    assert taken not in ports
    assert len(set(ports)) == 3


def test_secrets_are_for_their_owner_alone(tmp_path):
    """Folders are 0700 and files 0600 whatever the umask, and a password is made once."""
    old = os.umask(0)
    try:
        folder = private_dir(tmp_path / "a" / "b")
        path = write_private(folder / "x", "secret")
        password = make_password(folder / "p.password")
    finally:
        os.umask(old)

    assert [each.stat().st_mode & 0o777 for each in (folder, path, folder / "p.password")] == [0o700, 0o600, 0o600]
    assert make_password(folder / "p.password") == password


def mode_of(path: Path) -> int:
    """The permission bits of a file or folder."""
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701])
def test_a_folder_that_was_there_is_refused_and_not_changed(tmp_path, monkeypatch, mode):
    """`up` into an existing folder that others may look into is Fatal; its mode and what is in it stay."""
    monkeypatch.setattr(stacks, "_start", lambda *_given: pytest.fail("started"))
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)

    with pytest.raises(Fatal, match="others may look into it"):
        up(Options(data, registry=False, default_ports=False))
    assert mode_of(data) == mode
    assert down(data) == ()
    assert list(data.iterdir()) == []


def test_a_folder_with_other_things_of_a_stack_s_name_is_refused(tmp_path, monkeypatch):
    """A private folder that holds somebody's `cluster.json` is not taken over; one with other files is."""
    starts = []
    monkeypatch.setattr(stacks, "_start", lambda *given: starts.append(given) or pytest.fail("far enough"))
    for name in ("cluster.json", "notes.txt"):
        (tmp_path / name).mkdir(mode=0o700)
        (tmp_path / name / name).write_text("mine")

    with pytest.raises(Fatal, match=r"holds cluster\.json"):
        up(Options(tmp_path / "cluster.json", registry=False, default_ports=False))
    assert starts == []
    with pytest.raises(pytest.fail.Exception, match="far enough"):
        up(Options(tmp_path / "notes.txt", registry=False, default_ports=False))
    # What was broken off is this command's own, and goes on.
    (tmp_path / "notes.txt" / "tls").mkdir()
    with pytest.raises(pytest.fail.Exception, match="far enough"):
        up(Options(tmp_path / "notes.txt", registry=False, default_ports=False))
    assert (tmp_path / "notes.txt" / "notes.txt").read_text() == "mine"


def test_only_what_no_other_may_change_is_trusted(tmp_path, monkeypatch):
    """Group- or world-writable, a link, another user's: Fatal; readable by all is well."""
    path = tmp_path / "file"
    path.write_text("x")
    (tmp_path / "link").symlink_to(path)
    for mode, sound in ((0o644, True), (0o755, True), (0o664, False), (0o646, False)):
        path.chmod(mode)
        if sound:
            assert trusted(path) == path
        else:
            with pytest.raises(Fatal, match="others may change it"):
                trusted(path)
    path.chmod(0o644)
    with pytest.raises(Fatal, match="neither a folder nor a file"):
        trusted(tmp_path / "link")
    if os.geteuid() == 0:
        os.chown(path, 12_345, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    with pytest.raises(Fatal, match="belongs to another user"):
        trusted(path)


def test_stop_ends_what_ignores_the_request(tmp_path):
    """A process that ignores SIGTERM is killed when its budget is over."""
    code = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    process = spawn("stubborn", [sys.executable, "-c", code], tmp_path / "log", cwd=tmp_path)
    while "on" not in (tmp_path / "log").read_text():
        assert process.running()

    stop([process], budget_seconds=0.2)

    assert not process.running()


def test_reused_process_id_is_left_alone(tmp_path):
    """A process under the same id with another start time is not ours, and is not stopped."""
    process = spawn(
        "other",
        [sys.executable, "-c", "input()" if False else "import time; time.sleep(60)"],
        tmp_path / "log",
        cwd=tmp_path,
    )
    try:
        stop([replace(process, started="1")], budget_seconds=0.1)

        assert process.running()
    finally:
        stop([process])
