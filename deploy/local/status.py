"""Tells what of a data folder's stack runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.state import State, load_state


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the stack: its name, its address, whether its process is there, and its log."""

    name: str
    address: str
    running: bool
    log: Path


def parts(data: Path) -> tuple[Part, ...]:
    """Every part that the stack of `data` has, running or not; empty where there is no stack."""
    state = load_state(data)
    if state is None:
        return ()
    running = {each.name for each in state.running()}
    return tuple(
        Part(name, f"{HOST}:{port}", name in running, data / "logs" / f"{name}.log")
        for name, port in _addresses(state).items()
    )


def _addresses(state: State) -> dict[str, int]:
    found = {f"broker-{node.number}": node.client_port for node in state.nodes}
    if state.gate_port:
        found |= {"registry": state.registry_port, "registry-gate": state.gate_port}
    return found
