"""Runs one processor on Faust: reads, works, waits until the broker has everything, and only then lets offsets go.

An agent of Faust that raises loses its event, so these never do: Retriable is tried again with back-off; what fails
otherwise was set aside by the pipeline; on Fatal the process stops with the event not acknowledged. The broker may be
asked to take records of several events at once, but an offset is committed only behind the last that is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import structlog
from aiokafka.errors import KafkaError

from stream_processors.host.core import encode_tick
from stream_processors.host.declaration import TIME_TABLE
from stream_processors.host.needs import changelog_topic, group_of
from stream_processors.host.on_faust.connection import Connection, new_app
from stream_processors.host.on_faust.quiet import hush_libraries
from stream_processors.host.on_faust.tables import PlaceStore, host_table
from stream_processors.host.pipeline import Outgoing, Pipeline
from tidings import metrics
from tidings.clock import Clock
from tidings.errors import Fatal, Retriable, TidingsError
from tidings.log import InboxRecord
from tidings.metrics import MetricStore

_log = structlog.get_logger(__name__)

T = TypeVar("T")

CAUSE = "cause"
"""The header that names the event that a record comes of."""
IN_FLIGHT = 500
FIRST_BACKOFF_S, LAST_BACKOFF_S = 0.1, 30.0
TURN_S = 0.5
TICK_S = 60.0
SETTLE_S = 30.0

Beat = Callable[[bool], None]
"""Told at each turn whether the host has its share and gets on."""


class Host:
    """One process of one processor. `going_on` is asked at each turn; where it says no, the host drains and ends."""

    def __init__(
        self, pipeline: Pipeline, connection: Connection, clock: Clock, store: MetricStore,
        *, beat: Beat, going_on: Callable[[], bool], tick_s: float = TICK_S,
    ) -> None:  # fmt: skip
        self._pipeline = pipeline
        self._connection = connection
        self._clock = clock
        self._metrics = store
        self._beat = beat
        self._going_on = going_on
        self._tick_s = tick_s
        self._failure: TidingsError | None = None
        self._retrying = 0
        self._taken = 0
        self._flying: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until told to stop, or until it has to. Raises Retriable where the broker did not take what was sent, or
        is away for good; Fatal. Nothing that was not done is committed then; threads of the client may be left, so that
        the process has to end."""
        hush_libraries()
        asyncio.get_running_loop().set_exception_handler(_say_nothing)
        processor = self._pipeline.processor
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._app = new_app(self._connection, group_of(processor), self._pipeline.work_topic)
        names = (*(table.name for table in processor.tables), TIME_TABLE)
        self._tables = {
            name: host_table(self._app, name, changelog_topic(processor, name), processor.partitions) for name in names
        }
        self._app.agent(self._topic(*self._pipeline.sources), name="take")(self._take)
        self._app.agent(self._topic(self._pipeline.work_topic), name="work")(self._work)
        self._app.finalize()
        try:
            await self._app.start()
            await self._turns()
        except KafkaError as error:
            raise Retriable(f"the broker: {type(error).__name__}") from None
        finally:
            await self._end()
        if self._failure is not None:
            raise self._failure

    def _topic(self, *names: str) -> Any:
        return self._app.topic(
            *names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", allow_empty=True
        )

    async def _turns(self) -> None:
        ticked = self._clock.monotonic()
        taken = -1
        enrolled = False
        while self._failure is None and self._going_on():
            crash = self._app._crash_reason or (self._app.should_stop and RuntimeError())  # noqa: SLF001
            if crash:
                raise Retriable(f"the host's machinery ended: {type(crash).__name__}")
            assigned = bool(self._app.consumer.assignment()) and not self._app.rebalancing
            self._beat(assigned and not self._retrying)
            if assigned and not enrolled:
                enrolled = True
                await self._send(self._pipeline.enrol())
            if self._clock.monotonic() - ticked >= self._tick_s:
                if taken == self._taken and assigned and await self._caught_up():
                    await self._tick()
                ticked, taken = self._clock.monotonic(), self._taken
            await asyncio.sleep(TURN_S)

    async def _end(self) -> None:
        """What is in flight comes to its end before offsets are committed for the last time."""
        if self._failure is None and self._flying:
            await asyncio.wait(self._flying, timeout=SETTLE_S)
        stopping = asyncio.ensure_future(self._app.stop())
        with suppress(asyncio.CancelledError):
            await asyncio.wait({stopping}, timeout=SETTLE_S)
        if not stopping.done():
            # Without a broker Faust waits for ever; what was not committed comes again.
            self._fail(Retriable("the host did not come to its end in time"))

    async def _take(self, stream: Any) -> None:
        async for event in stream.noack().events():
            record = _record(event.message)
            out = await self._persistently(partial(self._pipeline.take, record))
            self._taken += 1
            await self._send_and_finish(event, out, [])

    async def _work(self, stream: Any) -> None:
        async for event in stream.noack().events():
            record = _record(event.message)
            store = PlaceStore(self._tables, record.partition)
            out = await self._persistently(partial(self._pipeline.work, record, store))
            await self._send_and_finish(event, out, store.pending())

    async def _persistently(self, stage: Callable[[], T]) -> T:
        """What `stage` gives, asked for again while it raises Retriable. On anything else the host ends, and this waits
        for that: to return would acknowledge the event."""
        backoff_s = FIRST_BACKOFF_S
        try:
            while True:
                try:
                    return stage()
                except Retriable as failure:
                    self._retrying = 1
                    self._metrics.add(metrics.PROCESSOR_RETRIES, 1)
                    _log.warning("tried again", error=type(failure).__name__, why=str(failure))
                    await asyncio.sleep(backoff_s)
                    backoff_s = min(2 * backoff_s, LAST_BACKOFF_S)
                except TidingsError as failure:
                    self._fail(failure)
                except Exception as failure:  # noqa: BLE001 -- an agent that raises loses the event
                    self._fail(Fatal(f"the host failed: {type(failure).__name__}"))
                if self._failure is not None:
                    await asyncio.Event().wait()
        finally:
            self._retrying = 0

    async def _send_and_finish(self, event: Any, out: list[Outgoing], pending: list[Awaitable[Any]]) -> None:
        await self._room.acquire()
        try:
            waits = [*pending, *await self._send(out)]
        except KafkaError as error:
            self._fail(Retriable(f"the broker did not take a record: {type(error).__name__}"))
            await asyncio.Event().wait()
        task = asyncio.get_running_loop().create_task(self._finish(event.message, waits))
        self._flying.add(task)
        task.add_done_callback(self._flying.discard)

    async def _send(self, out: list[Outgoing]) -> list[Awaitable[Any]]:
        """Hand records to the producer; each of what comes back is done when the broker has one."""
        sent: list[Awaitable[Any]] = []
        for message, cause in out:
            headers = [(CAUSE, cause.encode())]
            producer = self._app.producer
            sent.append(
                await producer.send(message.topic, message.key, message.value, message.partition, None, headers)
            )
        return sent

    async def _finish(self, message: Any, waits: list[Awaitable[Any]]) -> None:
        try:
            for each in waits:
                await each
        except KafkaError as error:
            self._fail(Retriable(f"the broker did not take a record: {type(error).__name__}"))
        except Exception as error:  # noqa: BLE001 -- nobody awaits this task
            self._fail(Fatal(f"the host failed: {type(error).__name__}"))
        else:
            consumer: Any = self._app.consumer
            consumer.done(message)
        finally:
            self._room.release()

    async def _caught_up(self) -> bool:
        consumer = self._app.consumer
        mine = [tp for tp in consumer.assignment() if tp.topic in self._pipeline.sources]
        for tp in mine:
            position = await consumer.position(tp)
            if position is None or position < (consumer.highwater(tp) or 0):
                return False
        return True

    async def _tick(self) -> None:
        value = encode_tick(self._clock.now_ms())
        for tp in self._app.consumer.assignment():
            if tp.topic == self._pipeline.work_topic:
                await self._app.producer.send(tp.topic, b"", value, tp.partition, None, None)

    def _fail(self, failure: TidingsError) -> None:
        if self._failure is None:
            self._failure = failure


def _record(message: Any) -> InboxRecord:
    stamp = round((message.timestamp or 0) * 1000)
    return InboxRecord(message.topic, message.partition, message.offset, stamp, message.key, message.value)


def _say_nothing(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would write down of a task nobody awaits: its class, not its text."""
    failure = context.get("exception")
    _log.warning("task failed", error=type(failure).__name__ if failure else "unknown")
