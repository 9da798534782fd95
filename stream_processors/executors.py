"""Which executor of the projection a worker runs: the native extension where it is built, else Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from stream_processors.compiled import NativeFactory, ProjectorFactory, no_native
from tidings.deduplication import Window
from tidings.errors import Fatal
from tidings.keys import KeyRing
from tidings.policy.model import Inbox, Policy, View
from tidings.projection import InboxProjector, reference_projector
from tidings.projection.native import NativeInbox, NativeWindow, native_inbox, native_version
from tidings.projection.program import inbox_program

_log = structlog.get_logger(__name__)

AUTO, NATIVE, REFERENCE = "auto", "native", "reference"
KINDS = (AUTO, NATIVE, REFERENCE)


@dataclass(frozen=True, slots=True)
class Executors:
    """What an exchange compiles a policy with. `name` is what `tidings status` shows."""

    name: str
    factory: ProjectorFactory
    native: NativeFactory
    window: Callable[[int], Window | NativeWindow]


def executors(keys: KeyRing, kind: str = AUTO) -> Executors:
    """The executors of `kind`: `native` (Fatal where it is not built), `reference`, or `auto`: the fastest there is.

    All make the same bytes; the native one leaves to Python what it does not decide. Raises Fatal for another kind.
    """

    def factory(policy: Policy, inbox: Inbox, views: tuple[View, ...]) -> InboxProjector:
        return reference_projector(inbox, views, keys, policy.version)

    def native(policy: Policy, inbox: Inbox, views: tuple[View, ...]) -> NativeInbox | None:
        made = native_inbox(inbox_program(inbox, views, policy.environment.value, policy.version), keys)
        if isinstance(made, str):
            _log.warning("inbox is not run natively", inbox=inbox.topic, why=made)
            return None
        return made

    if kind not in KINDS:
        raise Fatal(f"there is no executor {kind!r} of the projection; there are {', '.join(KINDS)}")
    version = native_version()
    if kind == NATIVE and version is None:
        raise Fatal("the native extension is not built: `make native`")
    if kind == REFERENCE or version is None:
        return Executors(REFERENCE, factory, no_native, Window)
    return Executors(f"{NATIVE} {version}", factory, native, NativeWindow)
