"""Agreements: who may know what, why, how masked, until when. A folder of YAML files is the only source of access."""

from tidings.agreements.country import Country, key_of
from tidings.agreements.load import load_agreement, load_country
from tidings.agreements.model import Agency, Agreement

__all__ = ["Agency", "Agreement", "Country", "key_of", "load_agreement", "load_country"]
