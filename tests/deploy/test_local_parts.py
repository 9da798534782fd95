"""The small parts of the local stack: ports, files and processes."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace

from deploy.local.files import make_password, private_dir, write_private
from deploy.local.ports import HOST, choose
from deploy.local.processes import spawn, stop


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
