"""Restarts one broker of a running stack, as an upgrade does: the others serve meanwhile, and nothing goes on before
every partition has all its replicas again. Three brokers stand that; one does not."""

from __future__ import annotations

from pathlib import Path

from deploy.local import broker
from deploy.local.java import kafka_jars
from deploy.local.processes import check_alive, stop
from deploy.local.stack import locked
from deploy.local.state import load_state, save_state
from tidings.clock import Clock, SystemClock
from tidings.errors import Fatal
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster

_STOP_SECONDS = 60.0
_WHOLE_SECONDS = 300.0


def restart_broker(data: Path, number: int, clock: Clock | None = None) -> None:
    """Stop broker `number` (it hands its partitions over first), start it anew, wait until all replicas are in sync.

    Raises Fatal where there is no such broker or it does not start, Retriable where replicas do not catch up in time:
    then no other broker may be stopped.
    """
    clock = clock or SystemClock()
    data = data.resolve()
    with locked(data):
        state = load_state(data)
        node = next((each for each in state.nodes if each.number == number), None) if state else None
        running = [each for each in state.running() if each.name == f"broker-{number}"] if state else []
        if state is None or node is None or not running:
            raise Fatal(f"no broker {number} runs in {data}")
        admin = Admin(Cluster.load(data / "cluster.json"), deadline_seconds=_WHOLE_SECONDS, clock=clock)
        admin.wait_for_replicas()
        stop(running, _STOP_SECONDS, clock)
        settings = data / "brokers" / str(number) / "server.properties"
        started = broker.start(kafka_jars(), settings, node, data / "logs")
        save_state(data, state.with_process(started))
        admin.wait_for_brokers(len(state.nodes))
        check_alive(started)
        admin.wait_for_replicas()
