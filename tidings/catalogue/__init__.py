"""The catalogue: event types as files, held to their rules.

`load_catalogue(default_catalogue_dir())` gives every event type with its standalone schema, owner and checks.
`fields_of` walks a schema, `walk.get` a decoded event; `plain_schema` is what encoders and decoders take.
"""

from tidings.catalogue import walk
from tidings.catalogue.fields import CATEGORIES, FieldInfo, field_map, fields_of
from tidings.catalogue.head import HEAD, HEAD_NAMES
from tidings.catalogue.load import default_catalogue_dir, load_catalogue, record_name
from tidings.catalogue.model import Catalogue, EventType
from tidings.catalogue.plain import plain_schema

__all__ = [
    "CATEGORIES",
    "HEAD",
    "HEAD_NAMES",
    "Catalogue",
    "EventType",
    "FieldInfo",
    "default_catalogue_dir",
    "field_map",
    "fields_of",
    "load_catalogue",
    "plain_schema",
    "record_name",
    "walk",
]
