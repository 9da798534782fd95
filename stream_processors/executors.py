"""Which executor of the projection a worker runs: the native extension where it is built, else Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from stream_processors.compiled import NativeFactory, ProjectorFactory, no_native_because
from tidings.deduplication import Window
from tidings.errors import Fatal
from tidings.keys import KeyRing
from tidings.policy.model import Inbox, Policy, View
from tidings.projection import InboxProjector, reference_projector
from tidings.projection.explain import NOT_BUILT, STOPPED
from tidings.projection.generate_projector import generated_projector
from tidings.projection.native import NativeInbox, NativeWindow, native_inbox, native_version
from tidings.projection.program import inbox_program

_log = structlog.get_logger(__name__)

AUTO, NATIVE, PYTHON, REFERENCE = "auto", "native", "python", "reference"
PROJECTION_VARIABLE = "TIDINGS_PROJECTION"
KINDS = (AUTO, NATIVE, PYTHON, REFERENCE)


@dataclass(frozen=True, slots=True)
class Executors:
    """What an exchange compiles a policy with. `behind` is who does what is not native: `python` or `reference`."""

    factory: ProjectorFactory
    native: NativeFactory
    window: Callable[[int], Window | NativeWindow]
    behind: str = PYTHON


def executors(keys: KeyRing, kind: str = AUTO) -> Executors:
    """The executors of `kind`: `native` (Fatal where it is not built), `python` (generated), `reference`, or `auto`:
    the fastest there is.

    All make the same bytes. The native one leaves to the generated Python what it does not decide, and that to the
    reference. Raises Fatal for another kind.
    """

    def reference(policy: Policy, inbox: Inbox, views: tuple[View, ...]) -> InboxProjector:
        return reference_projector(inbox, views, keys, policy.version)

    def generated(policy: Policy, inbox: Inbox, views: tuple[View, ...]) -> InboxProjector:
        return generated_projector(inbox, views, keys, policy.version, environment=policy.environment.value)

    def native(policy: Policy, inbox: Inbox, views: tuple[View, ...]) -> NativeInbox | str:
        if inbox.stopped:
            return STOPPED
        made = native_inbox(inbox_program(inbox, views, policy.environment.value, policy.version), keys)
        if isinstance(made, str):
            _log.warning("inbox is not run natively", inbox=inbox.topic, why=made)
        return made

    if kind not in KINDS:
        raise Fatal(f"there is no executor {kind!r} of the projection; there are {', '.join(KINDS)}")
    built = native_version() is not None
    if kind == NATIVE and not built:
        raise Fatal("the native extension is not built: `make native`")
    if kind == REFERENCE:
        return Executors(reference, no_native_because(f"{PROJECTION_VARIABLE} is {kind}"), Window, REFERENCE)
    if kind == PYTHON or not built:
        why = f"{PROJECTION_VARIABLE} is {kind}" if kind == PYTHON else NOT_BUILT
        return Executors(generated, no_native_because(why), Window)
    return Executors(generated, native, NativeWindow)
