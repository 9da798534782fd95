"""Reference page of topics and access: compiled from the example country exactly as `tidings apply` does it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from commands._docs_markdown import code, codes, page, table
from tidings.acl import Acl
from tidings.agreements import Country
from tidings.agreements.country import key_of
from tidings.catalogue import Catalogue
from tidings.clock import StillClock, utc_date
from tidings.keys import ROOT_BYTES, KeyRing
from tidings.policy.compile import compile_policy
from tidings.policy.model import Environment, Policy
from tidings.provisioning.access import access_of
from tidings.provisioning.topic_plan import TopicPlan, topics_of

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_DAY = StillClock()
"""The tests' day: which agreements are valid depends on a day, and a reference page must not."""


def access_page(catalogue: Catalogue, country: Country) -> str:
    """Every topic with its settings, and who may do what."""
    policy = compile_policy(
        catalogue,
        country,
        lambda _topic, _schema: 1,
        version=1,
        environment=Environment.SYNTHETIC,
        now_ms=_DAY.now_ms(),
        keys=KeyRing(bytes(ROOT_BYTES)),
    )
    return page(
        "Topics and access",
        "Compiled from the example country: the agreements are the only source of access, and what is not listed is"
        f" refused. Shown as on {utc_date(_DAY.now_ms())}; agreements without both sides' approval, and those that are"
        " over and send nothing more, have no topic.",
        "## Topics",
        _topics(policy, catalogue, country),
        "## Access",
        "A name that ends in `*` is a prefix; prefixes end in a dot or a hyphen, never inside an id. No rule ever"
        " denies: what nothing allows is refused.",
        _access(access_of(policy, tuple(sorted(country.agencies)), utc_date(_DAY.now_ms()), "main")),
    )


def _topics(policy: Policy, catalogue: Catalogue, country: Country) -> str:
    plans = topics_of(
        policy,
        {name: each.retention_days for name, each in catalogue.event_types.items()},
        {key_of(each): each.retention_days for each in country.agreements},
    )
    rows = (
        (
            code(each.name),
            each.partitions,
            _kept(each),
            _roll(each),
            f"{int(each.config['max.message.bytes']) // 1024} KiB",
        )
        for each in plans
    )
    return table(("topic", "partitions", "kept", "segment roll", "largest record"), rows)


def _kept(plan: TopicPlan) -> str:
    if plan.config["cleanup.policy"] == "compact":
        return "the last of each key"
    kept_ms = int(plan.config["retention.ms"])
    return "for ever" if kept_ms < 0 else f"{kept_ms // _DAY_MS} days"


def _roll(plan: TopicPlan) -> str:
    roll_ms = int(plan.config.get("segment.ms", "0"))
    return f"{roll_ms / _HOUR_MS:g} hours" if roll_ms else "Kafka's default"


def _access(rules: Iterable[Acl]) -> str:
    operations: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for each in rules:
        name = f"{each.name}*" if each.pattern.value == "prefixed" else each.name
        operations[each.principal, each.resource.value, name].append(each.operation.value)
    rows = (
        (principal, kind, code(name), codes(sorted(allowed)))
        for (principal, kind, name), allowed in sorted(operations.items())
    )
    return table(("principal", "resource", "name", "may"), rows)
