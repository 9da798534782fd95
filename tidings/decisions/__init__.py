"""Decision blocks: what was decided for each event of a batch, chained by hash, with no clear value in them."""

from tidings.decisions._anchors import GENESIS, Anchor, anchor_text, chain_key, parse_anchor
from tidings.decisions._chain import FIRST_PREVIOUS, block_hash, verify_chain
from tidings.decisions._codec import decode_block, encode_block
from tidings.decisions._entry_bytes import encode_entry
from tidings.decisions._model import (
    AgreementOutcome,
    Block,
    BlockKind,
    Entry,
    Outcome,
    ViewOutcome,
)
from tidings.decisions._nonces import COMMITMENT_BYTES, NONCE_BYTES, commitment, nonce_key
from tidings.decisions._parts import PART_BYTES, Group, Part, group, join, room_of, split
from tidings.decisions._schema import BLOCK_SCHEMA
from tidings.decisions._tags import TAG_BYTES, epoch_of, subject_tag, tag_key

__all__ = [
    "BLOCK_SCHEMA",
    "COMMITMENT_BYTES",
    "FIRST_PREVIOUS",
    "GENESIS",
    "NONCE_BYTES",
    "PART_BYTES",
    "TAG_BYTES",
    "AgreementOutcome",
    "Anchor",
    "Block",
    "BlockKind",
    "Entry",
    "Group",
    "Outcome",
    "Part",
    "ViewOutcome",
    "anchor_text",
    "block_hash",
    "chain_key",
    "commitment",
    "decode_block",
    "encode_block",
    "encode_entry",
    "epoch_of",
    "group",
    "join",
    "nonce_key",
    "parse_anchor",
    "room_of",
    "split",
    "subject_tag",
    "tag_key",
    "verify_chain",
]
