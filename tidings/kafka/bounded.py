"""Bounds a call of the client that may never return."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from tidings.kafka.errors import ClientStuck

T = TypeVar("T")


def bounded(call: Callable[[], T], seconds: float, doing: str) -> T:
    """What `call` returns or raises. Raises ClientStuck where it has done neither within `seconds`; the thread in which
    it stands is left behind.

    Needed for `send_offsets_to_transaction`: in librdkafka 2.16 it waits without end, whatever its time-out, where the
    group's coordinator was restarted (github.com/confluentinc/librdkafka, issues 5456 and 5511).
    """
    made: Future[T] = Future()

    def work() -> None:
        try:
            made.set_result(call())
        except BaseException as failure:  # noqa: BLE001 -- raised again by whoever waits
            made.set_exception(failure)

    threading.Thread(target=work, name="tidings-bounded", daemon=True).start()
    try:
        return made.result(seconds)
    except TimeoutError:
        raise ClientStuck(f"{doing}: the client does not return") from None
