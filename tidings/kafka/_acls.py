"""Translates our access rules to the client's bindings and back."""

from __future__ import annotations

from typing import Any

from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from tidings.acl import Acl, Operation, Pattern, Resource
from tidings.errors import Fatal

_ANY_HOST = "*"
_USER = "User:"

_RESOURCES = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
    Resource.CLUSTER: ResourceType.BROKER,  # librdkafka's name for the cluster itself, "kafka-cluster"
}
_PATTERNS = {Pattern.LITERAL: ResourcePatternType.LITERAL, Pattern.PREFIXED: ResourcePatternType.PREFIXED}
_OPERATIONS = {each: AclOperation[each.name] for each in Operation}
_OUR_RESOURCES = {theirs: ours for ours, theirs in _RESOURCES.items()}
_OUR_PATTERNS = {theirs: ours for ours, theirs in _PATTERNS.items()}
_OUR_OPERATIONS = {theirs: ours for ours, theirs in _OPERATIONS.items()}


def bind(acl: Acl) -> AclBinding:
    """The client's binding of one rule."""
    return AclBinding(
        _RESOURCES[acl.resource],
        acl.name,
        _PATTERNS[acl.pattern],
        _USER + acl.principal,
        _ANY_HOST,
        _OPERATIONS[acl.operation],
        AclPermissionType.ALLOW,
    )


def bind_filter(acl: Acl | None = None) -> AclBindingFilter:
    """The client's filter that meets exactly one rule, or every binding there is."""
    if acl is None:
        anything: Any = None  # the client's annotation forbids what its documentation asks for
        return AclBindingFilter(
            ResourceType.ANY,
            anything,
            ResourcePatternType.ANY,
            anything,
            anything,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
    return AclBindingFilter(
        _RESOURCES[acl.resource],
        acl.name,
        _PATTERNS[acl.pattern],
        _USER + acl.principal,
        _ANY_HOST,
        _OPERATIONS[acl.operation],
        AclPermissionType.ALLOW,
    )


def unbind(binding: AclBinding) -> Acl:
    """Our rule of a binding. Raises Fatal where it is of a kind that we never make."""
    if (
        binding.permission_type != AclPermissionType.ALLOW
        or binding.host != _ANY_HOST
        or not binding.principal.startswith(_USER)
        or binding.restype not in _OUR_RESOURCES
        or binding.resource_pattern_type not in _OUR_PATTERNS
        or binding.operation not in _OUR_OPERATIONS
    ):
        raise Fatal(f"an ACL on {binding.name!r} for {binding.principal!r} is not one of ours; remove it by hand")
    return Acl(
        binding.principal.removeprefix(_USER),
        _OUR_OPERATIONS[binding.operation],
        _OUR_RESOURCES[binding.restype],
        binding.name,
        _OUR_PATTERNS[binding.resource_pattern_type],
    )
