"""The local stack as tests want it: on free ports, quick to start, gone at once, found again by whoever holds it."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from deploy.local import registry
from deploy.local.processes import Process, stop
from deploy.local.stack import Options, Stack, up
from deploy.local.state import load_state, save_state


def bring_up(folder: Path, *, brokers: int = 1, registry: bool = False) -> Stack:
    """Bring a stack up in `folder`. See `deploy.local.stack.up`."""
    return up(Options(folder, brokers=brokers, registry=registry, default_ports=False, short_lived=True))


def come_back(stack: Stack) -> None:
    """Bring a stack that was taken down up again: `stack` itself tells from now on what runs and how it is reached."""
    again = bring_up(stack.data, brokers=len(stack.state.nodes), registry=bool(stack.state.gate_port))
    stack.state, stack.cluster, stack.fresh = again.state, again.cluster, again.fresh


def gate_from(stack: Stack, checkout: Path) -> None:
    """Begin the registry's gate anew with the code of `checkout`, whose processors it reads when it starts.
    Returns once it answers."""
    [before] = [each for each in stack.state.running() if each.name == "registry-gate"]
    stop([before])
    gate = registry.start_gate(stack.data, checkout)
    stack.state = stack.state.with_process(gate)
    save_state(stack.data, stack.state)
    registry.wait(stack.cluster, stack.state.processes)


def throw_away(folder: Path) -> None:
    """End what runs of a folder's stack without asking: nobody wants its data, and a broker that is asked moves its
    partitions first, for seconds."""
    state = load_state(folder)
    kill(state.running() if state else ())


def kill(processes: Sequence[Process]) -> None:
    """End processes as `kill -9` does, and wait until they are gone."""
    for process in processes:
        if process.running():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
    stop(processes)
