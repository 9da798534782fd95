"""A policy made ready for work: one projector an inbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stream_processors.generated import GeneratedInbox
from tidings.errors import Fatal
from tidings.policy.model import Inbox, Policy, View
from tidings.projection import InboxProjector
from tidings.projection.batches import BatchExecutor
from tidings.projection.generate_projector import GeneratedProjector
from tidings.projection.native import NativeInbox

NativeFactory = Callable[[Policy, Inbox, tuple[View, ...]], NativeInbox | str]
"""The inbox compiled for the native executor, or why that does not run it."""
ProjectorFactory = Callable[[Policy, Inbox, tuple[View, ...]], InboxProjector]


@dataclass(frozen=True, slots=True)
class CompiledInbox:
    """One inbox under one policy: what the stages take as "policy". `native` is None where Python does all of it; `why`
    says why. `generated` is None where nothing is generated that takes a batch at once."""

    policy: Policy
    inbox: Inbox
    views: tuple[View, ...]
    projector: InboxProjector
    native: NativeInbox | None = None
    why: str = ""
    generated: GeneratedInbox | None = None

    @property
    def engine(self) -> BatchExecutor | None:
        """What takes a batch at once, if anything does."""
        return self.native or self.generated


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """One policy with a projector for each inbox, by topic."""

    policy: Policy
    inboxes: dict[str, CompiledInbox]

    def of(self, topic: str) -> CompiledInbox:
        """The inbox `topic`. Raises Fatal where the policy does not have it: nothing says what may be done with it."""
        compiled = self.inboxes.get(topic)
        if compiled is None:
            raise Fatal(f"{topic} is not an inbox of policy {self.policy.version}")
        return compiled


def no_native(policy: Policy, inbox: Inbox, views: tuple[View, ...]) -> NativeInbox | str:
    """No inbox goes by the native executor."""
    del policy, inbox, views
    return "nobody asked for it"


def no_native_because(why: str) -> NativeFactory:
    """No inbox goes by the native executor, and why."""
    return lambda _policy, _inbox, _views: why


def compile_policy(policy: Policy, factory: ProjectorFactory, native: NativeFactory = no_native) -> CompiledPolicy:
    """Make a projector for every inbox. Raises Fatal, naming the inbox, where that fails: a policy is taken whole."""
    inboxes: dict[str, CompiledInbox] = {}
    for inbox in policy.inboxes:
        views = tuple(view for view in policy.views if view.inbox == inbox.topic)
        try:
            projector, engine = factory(policy, inbox, views), native(policy, inbox, views)
        except Exception as failure:  # noqa: BLE001 -- whatever failed, a worker without its policy stops
            raise Fatal(
                f"policy {policy.version}: {inbox.topic} cannot be compiled ({type(failure).__name__})"
            ) from None
        if isinstance(engine, str):
            inboxes[inbox.topic] = CompiledInbox(
                policy, inbox, views, projector, why=engine, generated=_generated(projector, policy, inbox, views)
            )
        else:
            inboxes[inbox.topic] = CompiledInbox(policy, inbox, views, projector, engine)
    return CompiledPolicy(policy, inboxes)


def _generated(
    projector: InboxProjector, policy: Policy, inbox: Inbox, views: tuple[View, ...]
) -> GeneratedInbox | None:
    """Of a stopped inbox every event is refused: that is the stages' work."""
    if inbox.stopped or not isinstance(projector, GeneratedProjector):
        return None
    return GeneratedInbox(projector, inbox, views, policy.environment.value)
