"""Faust's consumer, held to what a processor is promised: committed records only, no offset of what was not done, and
parts worked as they come, however much waits to be read.

Source: faust-streaming 0.15.3, `faust/transport/drivers/aiokafka.py`: it reads aborted records unless it runs with its
own transactions; `faust/streams.py`: a record that is skipped because of a rebalance is acknowledged like one that was
worked on, so that its offset may be committed before it comes again. aiokafka 0.14, `aiokafka/consumer/fetcher.py`:
what was fetched first is given first, so that the work topic has no turn before a megabyte of each feed is read.
"""

from __future__ import annotations

from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import Message

from tidings.errors import Fatal

READ_COMMITTED = "read_committed"
_SETTING = "_isolation_level"


class CommittedThread(driver.AIOKafkaConsumerThread):
    """Makes the client's consumer, and asks it for records."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        return read_committed(super()._create_worker_consumer(transport))

    async def _fetch_records(self, consumer: Any, active_partitions: Any, *args: Any, **more: Any) -> Any:
        """See Faust: but what is there of the app's own work comes first."""
        app: Any = self.consumer.app
        own = {tp for tp in active_partitions or () if tp.topic == app.work_topic}
        if own:
            found = await super()._fetch_records(consumer, own, *args, **{**more, "timeout": 0})
            if found:
                return found
        return await super()._fetch_records(consumer, active_partitions, *args, **more)


class HostConsumer(driver.Consumer):
    """The consumer of every topic that a processor reads, its own included."""

    def _new_consumer_thread(self) -> CommittedThread:
        return CommittedThread(self, loop=self.loop, beacon=self.beacon)

    _done_now: Message | None = None

    def done(self, message: Message) -> None:
        """Whatever came of `message` is on the broker: its offset may be committed."""
        self._done_now = message
        try:
            message.ack(self)
        finally:
            self._done_now = None

    def ack(self, message: Message) -> bool:
        """See Faust: but what `done` was not called for is never acknowledged."""
        return message is self._done_now and super().ack(message)


class HostTransport(driver.Transport):
    """Brings the consumer above into the app."""

    Consumer = HostConsumer


def read_committed(consumer: Any) -> Any:
    """The client's consumer, not started yet, made to read committed records only. Raises Fatal where it cannot be."""
    if not hasattr(consumer, _SETTING):
        raise Fatal("this version of aiokafka cannot be told to read committed records only")
    setattr(consumer, _SETTING, READ_COMMITTED)
    return consumer
