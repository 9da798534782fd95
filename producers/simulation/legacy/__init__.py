"""Legacy formats that the simulator writes, one file each, so that connectors are tested by round trip."""

from collections.abc import Mapping
from types import MappingProxyType

from producers.simulation.legacy.base import LegacyFormat, only_compared
from producers.simulation.legacy.delimited_table import DELIMITED_TABLE, MAPPING_FILE
from producers.simulation.legacy.gro_death_extract import GRO_DEATH_EXTRACT
from producers.simulation.legacy.nhs_events import NHS_EVENTS
from producers.simulation.legacy.register_rsf import REGISTER_RSF

LEGACY: Mapping[str, LegacyFormat] = MappingProxyType(
    {each.name: each for each in (DELIMITED_TABLE, GRO_DEATH_EXTRACT, NHS_EVENTS, REGISTER_RSF)}
)
"""Every format by the name of the connector that reads it."""

__all__ = ["LEGACY", "MAPPING_FILE", "LegacyFormat", "only_compared"]
