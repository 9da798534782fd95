"""Brings the local stack up and down: `up` is idempotent and leaves nothing running where it fails; data outlives both.

In a data folder: `cluster.json` (what clients need), `stack.json` (what runs), `credentials/`, `keys/`, `tls/`,
`brokers/<n>/`, `registry/` and `logs/`; folders are 0700, files with secrets 0600. A folder that was there is taken as
it is, never changed: it has to be closed to others, and to hold nothing under these names but an earlier stack.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy.local import broker, registry
from deploy.local.artifacts import Progress
from deploy.local.beside import end_beside
from deploy.local.broker import Node
from deploy.local.certificates import Certificates, certificates
from deploy.local.files import make_password, private_dir, write_private
from deploy.local.java import kafka_jars
from deploy.local.ports import HOST, choose
from deploy.local.processes import Process, check_alive, stop
from deploy.local.state import State, load_state, save_state
from tidings.clock import Clock, Deadline, SystemClock
from tidings.errors import Fatal, Retriable
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster
from tidings.keys import ROOT_BYTES

BROKER_COUNTS = (1, 3)
PRINCIPALS = ("admin", "exchange", "monitor", "registry")
"""Who has a password before any agency has."""
_START_SECONDS = 180.0
_STOP_SECONDS = 30.0
_OURS = ("cluster.json", "credentials", "keys", "tls", "brokers", "registry", "logs")


@dataclass(frozen=True, slots=True)
class Options:
    """What to bring up. `default_ports` off takes free ports only, for tests that run beside each other; `short_lived`
    starts faster and is slower later, for a demo of a minute and for tests that measure nothing."""

    data: Path
    brokers: int = 1
    environment: str = "SYNTHETIC"
    registry: bool = True
    default_ports: bool = True
    short_lived: bool = False


@dataclass(slots=True)
class Stack:
    """A handle on a running stack. `fresh` says whether this call started it."""

    data: Path
    state: State
    cluster: Cluster
    fresh: bool
    _registry_ready: bool = field(default=False)

    @property
    def cluster_file(self) -> Path:
        """The `cluster.json` that clients read."""
        return self.data / "cluster.json"

    def wait_registry(self, progress: Progress | None = None) -> None:
        """Return once the registry answers through its gate and enforces compatibility. Raises Fatal where it ended."""
        if not self._registry_ready and self.state.gate_port:
            registry.wait(self.cluster, self.state.processes, progress)
            self._registry_ready = True


def up(
    options: Options, progress: Progress | None = None, *, wait_registry: bool = True, clock: Clock | None = None
) -> Stack:
    """Bring the stack of `options.data` up, or find it running.

    Args:
        options: what and where; the number of brokers and the environment are fixed when the folder is made.
        progress: told of each step.
        wait_registry: False returns once Kafka serves; the caller overlaps its work, then calls `Stack.wait_registry`.
        clock: the machine's unless given.

    Raises:
        Fatal: something cannot start, the folder was made otherwise, is open to others, or holds what is not a stack's.
            Nothing that this call started is left running.
        Retriable: a download failed, or a part did not come up in time; likewise.
    """
    clock = clock or SystemClock()
    if options.brokers not in BROKER_COUNTS:
        raise Fatal(f"{options.brokers} brokers: the local stack has one or three")
    data = private_dir(options.data.resolve())
    with locked(data):
        state = load_state(data)
        if state is None:
            _check_free(data)
        else:
            _check_same(state, options)
            if state.processes and len(state.running()) == len(state.processes):
                stack = Stack(data, state, Cluster.load(data / "cluster.json"), fresh=False)
                if wait_registry:
                    stack.wait_registry(progress)
                return stack
            stop(state.running(), _STOP_SECONDS, clock)  # half a stack: start it whole
        state = _with_ports(state or _new_state(options), options)
        save_state(data, state)  # first of all: it marks the folder as ours
        started: list[Process] = []
        try:
            stack = _start(data, state, options, progress, clock, started)
            if wait_registry:
                stack.wait_registry(progress)
        except BaseException:
            stop(started, _STOP_SECONDS, clock)
            raise
        return stack


def down(data: Path, clock: Clock | None = None) -> tuple[Process, ...]:
    """Stop what runs beside a data folder's stack, then the stack, registry first, and wait for their end. Returns what
    was stopped."""
    data = data.resolve()
    ended = end_beside(data, clock=clock)
    if load_state(data) is None:
        return ended
    with locked(data):
        state = load_state(data)
        if state is None:
            return ended
        running = state.running()
        brokers = tuple(each for each in running if each.name.startswith("broker-"))
        stop([each for each in running if each not in brokers], _STOP_SECONDS, clock)
        stop(brokers, _STOP_SECONDS, clock)
        save_state(data, replace(state, processes=()))
        return (*ended, *running)


def _start(
    data: Path, state: State, options: Options, progress: Progress | None, clock: Clock, started: list[Process]
) -> Stack:
    tell = progress or (lambda _what, _done, _all: None)
    jars = kafka_jars(progress)
    tls = certificates(data / "tls", clock)
    credentials = private_dir(data / "credentials")
    passwords = {each: make_password(credentials / f"{each}.password") for each in PRINCIPALS}
    root_key = private_dir(data / "keys") / "root.key"
    if not root_key.exists():
        write_private(root_key, secrets.token_hex(ROOT_BYTES) + "\n")
    logs = private_dir(data / "logs")

    tell("Starting Kafka", 0, len(state.nodes))
    _format(data, jars, state, tls, passwords["admin"])
    for node in state.nodes:
        settings = data / "brokers" / str(node.number) / "server.properties"
        started.append(broker.start(jars, settings, node, logs, short_lived=options.short_lived))
        state = state.with_process(started[-1])
        save_state(data, state)
    cluster = _write_cluster(data, state)
    _wait_for_brokers(cluster, started, clock)
    admin = Admin(cluster, clock=clock)
    known = admin.principals()
    for principal, password in passwords.items():
        if principal not in known:
            admin.set_password(principal, password)
    tell("Starting Kafka", len(state.nodes), len(state.nodes))
    if options.registry:
        for process in registry.start(data, state, cluster, admin, tls, progress):
            started.append(process)
            state = state.with_process(process)
            save_state(data, state)
    return Stack(data, state, cluster, fresh=True)


def _format(data: Path, jars: Sequence[Path], state: State, tls: Certificates, password: str) -> None:
    def one(node: Node) -> None:
        settings = broker.write_settings(data, node, state.nodes, tls, password)
        broker.format_storage(jars, settings, node, state.nodes, state.cluster_id, password)

    with ThreadPoolExecutor(len(state.nodes)) as pool:
        list(pool.map(one, state.nodes))


def _wait_for_brokers(cluster: Cluster, brokers: Sequence[Process], clock: Clock) -> None:
    deadline = Deadline(clock, _START_SECONDS)
    while True:
        for process in brokers:
            check_alive(process)
        try:
            Admin(cluster, deadline_seconds=2.0, clock=clock).wait_for_brokers(len(brokers))
        except Retriable:
            if deadline.expired():
                raise Retriable(f"Kafka did not serve within {_START_SECONDS:.0f} s; see {brokers[0].log}") from None
        else:
            return


def _new_state(options: Options) -> State:
    nodes = tuple(Node(number, 0, 0, broker.new_id()) for number in range(1, options.brokers + 1))
    return State(broker.new_id(), options.environment, nodes)


def _with_ports(state: State, options: Options) -> State:
    """The same stack on ports that are free now: the last ones, then the usual ones, then any."""

    def wish(last: int, usual: int) -> int | None:
        return last or (usual if options.default_ports else None)

    wanted = [wish(each.client_port, broker.CLIENT_PORT + each.number - 1) for each in state.nodes]
    wanted += [wish(each.controller_port, broker.CONTROLLER_PORT + each.number - 1) for each in state.nodes]
    wanted += [
        wish(state.registry_port, registry.PORT),
        wish(state.registry_management_port, registry.MANAGEMENT_PORT),
        wish(state.gate_port, registry.GATE_PORT),
    ]
    ports = choose(wanted)
    count = len(state.nodes)
    nodes = tuple(
        replace(node, client_port=client, controller_port=controller)
        for node, client, controller in zip(state.nodes, ports[:count], ports[count : 2 * count], strict=True)
    )
    if not options.registry:
        return replace(state, nodes=nodes, registry_port=0, registry_management_port=0, gate_port=0, processes=())
    registry_port, management_port, gate_port = ports[2 * count :]
    return replace(
        state,
        nodes=nodes,
        registry_port=registry_port,
        registry_management_port=management_port,
        gate_port=gate_port,
        processes=(),
    )


def _check_free(data: Path) -> None:
    there = [name for name in _OURS if (data / name).exists()]
    if there:
        raise Fatal(f"{data} holds {there[0]} and no stack was made in it: name another --data folder")


def _check_same(state: State, options: Options) -> None:
    if len(state.nodes) != options.brokers:
        raise Fatal(f"{options.data} was made with --brokers {len(state.nodes)}; use that, or another --data folder")
    if state.environment != options.environment:
        raise Fatal(f"{options.data} is {state.environment} (--environment); use another --data folder")


def _write_cluster(data: Path, state: State) -> Cluster:
    content = {
        "bootstrap_servers": ",".join(f"{HOST}:{each.client_port}" for each in state.nodes),
        "ca_file": "tls/ca.pem",
        "registry_url": f"https://{HOST}:{state.gate_port}" if state.gate_port else "",
        "credentials_dir": "credentials",
        "keys_file": "keys/root.key",
        "environment": state.environment,
        "replication_factor": len(state.nodes),
        "deployment": "main",
    }
    path = write_private(data / "cluster.json", json.dumps(content, indent=1) + "\n")
    return Cluster.load(path)


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Only one command at a time may change a data folder. Raises Retriable where another is at it."""
    descriptor = os.open(data / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Retriable(f"another tidings up or down is at work on {data}") from None
        yield
    finally:
        os.close(descriptor)
