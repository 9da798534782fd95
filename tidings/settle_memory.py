"""Takes a process that works in batches out of the garbage collector's way."""

from __future__ import annotations

import gc

GC_YOUNG_OBJECTS = 50_000


def settle_memory() -> None:
    """Take what was made at the start (schemas, compiled policy) out of the garbage collector's sight.

    A batch makes thousands of small objects and no cycles: with the default thresholds the collector walks the whole
    heap again and again to find none, in the middle of transactions.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG_OBJECTS, 20, 100)
