"""What an operator should do next, by what is seen: the most urgent first, each with its runbook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from commands._health import ENDPOINT, Health
from deploy.prometheus.alerts import BEHIND_S, WAITING_S
from tidings.observation import Observation

_RUNBOOK = "docs/runbooks/{page}.md"
_SHOWN = 3


def advice(seen: Observation | None, parts: Iterable[Health]) -> list[str]:
    """One line a thing to do; empty where everything is in order. `seen` is None where the broker could not be asked.

    The limits are those of the alerts.
    """
    lines = [_of_part(part) for part in parts if not part.good]
    return lines + ([] if seen is None else list(_of_exchange(seen)))


def _of_part(part: Health) -> str:
    if part.kind == ENDPOINT:
        page = "monitor-stale" if part.name.startswith("monitor") else "worker-down"
        return _line(f"{part.name}: {part.state}", page if part.state == "no answer" else "worker-not-ready")
    log = f"; its log is {part.log}" if part.log else ""
    begin = "tidings observe" if part.kind == "observe" else "tidings up"
    return f"{part.name}: {part.state}; `{begin}` starts it{log}"


def _of_exchange(seen: Observation) -> Iterator[str]:
    if seen.unowned():
        yield _line("no worker runs: `tidings run exchange --workers 2`", "no-worker")
    if seen.holding_feeds and not seen.windows:
        what = (
            f"{seen.holding_feeds} feeds get views that wait, and nobody lets them go: `tidings run correction-window`"
        )
        yield _line(what, "no-window")
    behind = [
        each.name for each in seen.workers if (each.policy_version or 0) < seen.policy_version and each.partitions
    ]
    if behind:
        yield _line(f"{', '.join(behind)} decides by an older policy than {seen.policy_version}", "policy-behind")
    if seen.quarantined:
        yield _line(f"{seen.quarantined} events are in quarantine: `tidings quarantine list`", "quarantine-not-empty")
    waiting = sorted(
        {each.partition.topic for each in seen.inboxes if each.waiting_seconds > WAITING_S and not seen.unowned()}
    )
    if waiting:
        yield _line(f"{_some(waiting)} waits: `tidings top` says whether it is caught up with", "inbox-waiting")
    late = [
        f"{group.group} ({feed.agreement}, {feed.event_type})"
        for feed in seen.feeds
        for group in feed.groups
        if group.lag_seconds > BEHIND_S
    ]
    if late:
        yield _line(f"tell the agency of {_some(late)}: it does not read what it was told", "subscriber-behind")


def _line(what: str, page: str) -> str:
    return f"{what} ({_RUNBOOK.format(page=page)})"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
