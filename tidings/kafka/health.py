"""A worker's health and metrics over HTTP, on loopback unless told otherwise: /live, /ready, /metrics.

It reads snapshots, never a client.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from tidings.clock import Clock
from tidings.kafka.snapshot import Snapshot, State

# Longer than any one step of the loop that goes well: a commit's calls and the rebuilding of windows.
LIVE_WITHIN_S = 180.0
About = Callable[[], Mapping[str, object]]
LOOPBACK = "127.0.0.1"


class Health:
    """Serves one worker's state. `observe` is the loop's observer: one assignment, so that any thread may read.

    Args: `port` 0 takes a free one; `registry` is where the metrics are; `about` is asked from any
    thread for what else the answer to a probe says; `host` is where it listens: in a container, whose
    network is its own, `0.0.0.0`. It tells names of inboxes and numbers, to whoever reaches it.
    """

    def __init__(
        self,
        clock: Clock,
        port: int = 0,
        registry: CollectorRegistry = REGISTRY,
        about: About = dict,
        host: str = LOOPBACK,
    ) -> None:
        self._clock = clock
        self._registry, self._about = registry, about
        self._snapshot = Snapshot(at_monotonic=clock.monotonic())
        self._server = ThreadingHTTPServer((host, port), _answering(self._answer))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def observe(self, snapshot: Snapshot) -> None:
        """Take the loop's newest snapshot."""
        self._snapshot = snapshot

    def live(self) -> bool:
        """Whether the loop has made a turn lately; an orchestrator restarts a worker that has not."""
        snapshot = self._snapshot
        return snapshot.state is not State.STOPPED and self._clock.monotonic() - snapshot.at_monotonic < LIVE_WITHIN_S

    def ready(self) -> bool:
        """Whether the worker runs and the group has given it its share."""
        return self.live() and self._snapshot.state is State.RUNNING and self._snapshot.assigned

    def turn_age(self) -> float:
        """Seconds since the loop last made a turn."""
        return max(0.0, self._clock.monotonic() - self._snapshot.at_monotonic)

    def partitions(self) -> int:
        """How many inbox partitions the worker has."""
        return len(self._snapshot.partitions)

    def _answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        if path == "/metrics":
            return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        checks = {"/live": self.live, "/ready": self.ready}
        check = checks.get(path)
        if check is None:
            return HTTPStatus.NOT_FOUND, "text/plain", b"not found\n"
        good = check()
        snapshot = self._snapshot
        body = {
            "ok": good,
            "state": snapshot.state.value,
            "partitions": [f"{each.topic}/{each.partition}" for each in sorted(snapshot.partitions)],
            "transactions": snapshot.transactions,
            "events": snapshot.events,
            "lag_seconds": snapshot.lag_seconds,
            **self._about(),
        }
        status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        return status, "application/json", orjson.dumps(body) + b"\n"


def _answering(answer: Callable[[str], tuple[HTTPStatus, str, bytes]]) -> type[BaseHTTPRequestHandler]:
    """A request handler that asks `answer` and logs nothing."""

    class Answering(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self) -> None:
            """Answer a GET; there is nothing else."""
            status, kind, body = answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing: a probe a second is no news."""

    return Answering
