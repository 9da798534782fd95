"""What runs and on which ports, remembered in `stack.json` so that another command can find, ask and stop it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from deploy.local.broker import Node
from deploy.local.files import write_private
from deploy.local.processes import Process
from tidings.errors import Fatal

STATE_FILE = "stack.json"


@dataclass(frozen=True, slots=True)
class State:
    """One data folder's stack. `nodes` and `cluster_id` are for good; `processes` are those of the last start."""

    cluster_id: str
    environment: str
    nodes: tuple[Node, ...]
    registry_port: int = 0
    registry_management_port: int = 0
    gate_port: int = 0
    processes: tuple[Process, ...] = field(default=())

    def with_process(self, process: Process) -> State:
        """The same, with one more running part (in place of an earlier one of that name)."""
        return replace(self, processes=(*(each for each in self.processes if each.name != process.name), process))

    def running(self) -> tuple[Process, ...]:
        """The parts that still run."""
        return tuple(each for each in self.processes if each.running())


def load_state(data: Path) -> State | None:
    """The state of a data folder; None where there is none. Raises Fatal where the file is damaged."""
    path = data / STATE_FILE
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
        nodes = tuple(Node(**each) for each in found.pop("nodes"))
        processes = tuple(Process(**each) for each in found.pop("processes"))
        return State(**found, nodes=nodes, processes=processes)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise Fatal(f"{path} is damaged; stop what runs by hand, then remove the data folder") from None


def save_state(data: Path, state: State) -> None:
    """Write the state, whole or not at all."""
    write_private(data / STATE_FILE, json.dumps(asdict(state), indent=1) + "\n")
