"""Reads records out of XML that nobody vouches for: no DTD, no entity, no network, memory bounded by one record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, cast

from lxml import etree

MAX_RECORD_BYTES = 1024 * 1024
MAX_RECORD_ELEMENTS = 20_000
"""A file that goes on for so long, or has so many elements, without ending a record is refused: an element of four
bytes takes a hundred times as much memory. An event of that size would fit no inbox."""
MAX_DEPTH = 8
_CHUNK_BYTES = 32 * 1024
_NONE: Mapping[str, str] = MappingProxyType({})

_BREAKS = (
    ("ENTITY", "entities-forbidden", "an entity is used or defined"),
    ("ENCODING", "encoding", "the encoding is unknown, or the bytes are not of it"),
    ("RESOURCE_LIMIT", "resource-limit", "a value is too large, or elements are nested too deep, for any such format"),
)
"""What libxml2's names of errors say, with our rule and words. Source: libxml2, xmlParserErrors."""


class HostileFile(Exception):
    """The rest of the file is refused. `message` names no value."""

    def __init__(self, line: int, field: str, rule: str, message: str) -> None:
        self.line, self.field, self.rule, self.message = line, field, rule, message
        super().__init__(rule)


class Element(NamedTuple):
    """One element without its namespace: name, own text (stripped), children in order, attributes. No value is in its
    repr."""

    name: str
    text: str
    children: list[Element]
    attributes: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Element({self.name})"


class _TooLarge(Exception):
    pass


class _Bounded:
    """A file of which no more than `MAX_RECORD_BYTES` may be read between two records."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.since_record = 0
        self.total = 0

    def bound(self, elements: int) -> None:
        """Raises where a record has too many elements."""
        if elements > MAX_RECORD_ELEMENTS:
            raise _TooLarge

    def read(self, size: int = -1) -> bytes:
        """At most a chunk, so that the bound is met soon."""
        chunk = self._file.read(_CHUNK_BYTES if size < 0 else min(size, _CHUNK_BYTES))
        self.since_record += len(chunk)
        self.total += len(chunk)
        if self.since_record > MAX_RECORD_BYTES:
            raise _TooLarge
        return chunk


class XmlRecords:
    """The children of the root that are named in `wanted`, each with its line. Any other child is refused.

    Iterating raises HostileFile where the file is no such document, ends early or tries something.
    """

    def __init__(self, file: BinaryIO, root: str, wanted: tuple[str, ...], max_depth: int = MAX_DEPTH) -> None:
        self._file = _Bounded(file)
        self._root = root
        self._wanted = wanted
        self._max_depth = max_depth

    @property
    def bytes_read(self) -> int:
        """How much of the file was read so far; it is read ahead by one chunk."""
        return self._file.total

    def __iter__(self) -> Iterator[tuple[Element, int]]:
        events = etree.iterparse(
            self._file,
            events=("start", "end", "comment", "pi"),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            recover=False,
        )
        depth = elements = 0  # comments and instructions count as elements
        began = 1  # the line on which the record now being read begins
        try:
            for event, node in events:
                elements += event != "end"
                self._file.bound(elements)
                if event == "start":
                    depth += 1
                    began = _line(node) if depth <= 2 else began
                    if depth == 1:
                        self._check_root(node)
                elif event == "end":
                    depth -= 1
                    if depth == 1:
                        yield self._record(node), _line(node)
                        _forget(node)
                        self._file.since_record = elements = 0
        except etree.XMLSyntaxError as error:
            raise self._broken(events, error, began) from None
        except _TooLarge:
            message = f"a record is larger than {MAX_RECORD_BYTES} bytes or {MAX_RECORD_ELEMENTS} elements"
            raise HostileFile(began, "(record)", "record-too-large", message) from None
        except (LookupError, UnicodeError, ValueError):
            raise HostileFile(began, "(document)", "encoding", "the encoding is unknown or wrong") from None

    def _broken(self, events: Any, error: etree.XMLSyntaxError, began: int) -> HostileFile:
        """What ended the file, by the parser's own log: an exception's is everything that was ever said."""
        if self._file.total == 0:
            return HostileFile(0, "(document)", "empty-file", "the file is empty")
        said = {str(each.type_name) for each in events.error_log}
        line = error.lineno or max((each.line for each in events.error_log), default=began)
        for word, rule, message in _BREAKS:
            if any(word in each for each in said):
                return HostileFile(line, "(document)", rule, message)
        return HostileFile(line, "(document)", "malformed-xml", "the XML is malformed or cut off here")

    def _check_root(self, node: etree._Element) -> None:
        info = node.getroottree().docinfo
        if info.internalDTD is not None or info.doctype:
            raise HostileFile(1, "(document)", "dtd-forbidden", "a document type declaration is not taken")
        if etree.QName(node).localname != self._root:
            raise HostileFile(_line(node), "(document)", "root-element", f"the root is not {self._root}")

    def _record(self, node: etree._Element) -> Element:
        element = _element(node, self._max_depth)
        if element.name not in self._wanted:
            raise HostileFile(
                _line(node), self._root, "unknown-element", f"only {' and '.join(self._wanted)} may stand here"
            )
        return element


def _line(node: etree._Element) -> int:
    line = node.sourceline
    return line if isinstance(line, int) else 0


def _element(node: etree._Element, depth_left: int) -> Element:
    if depth_left < 0:
        raise HostileFile(_line(node), "(record)", "nested-too-deep", "elements are nested deeper than a record may be")
    children: list[Element] = []
    text = node.text or ""
    for child in node:
        if isinstance(child.tag, str):
            children.append(_element(child, depth_left - 1))
        elif child.tag is etree.Entity:
            raise HostileFile(_line(node), _name(node.tag), "entities-forbidden", "an entity is used or defined")
        if tail := child.tail:
            text += tail
    return Element(_name(node.tag), text.strip(), children, _attributes(cast("list[tuple[str, str]]", node.items())))


@lru_cache(maxsize=1024)
def _name(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]


def _attributes(items: list[tuple[str, str]]) -> Mapping[str, str]:
    """Attributes of no namespace; `xsi:schemaLocation` and its like are nobody's data."""
    return {name: value for name, value in items if name[0] != "{"} if items else _NONE


def _forget(node: etree._Element) -> None:
    """Free a record and everything before it."""
    node.clear()
    parent = node.getparent()
    while parent is not None and node.getprevious() is not None:
        del parent[0]
