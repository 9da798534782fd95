"""A loop in a thread of the test's own process."""

from __future__ import annotations

import threading
from typing import Self

from tidings.kafka.loop import Loop


class LoopThread:
    """Used in a `with`, which stops the loop and waits for its end. What ended it is in `failure`."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.loop.run()
        except BaseException as failure:  # noqa: BLE001 -- whatever ended it is the test's to judge
            self.failure = failure

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_rest: object) -> None:
        self.loop.stop()
        self.join()

    def join(self, seconds: float = 150.0) -> None:
        """Wait for the loop's end. Raises AssertionError where it goes on."""
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the loop did not end"
