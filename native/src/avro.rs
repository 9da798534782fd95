//! Avro bytes: a schema's types, checking byte by byte, walking over what was found sound, and writing.

mod sound;
mod types;
mod walk;
mod write;

pub use sound::{blocks, branch, enter, noting_the_end, spend_empty, validate, Budget, Malformed};
pub use types::{Type, Types, Unsupported};
pub use walk::{blocks_at, count_at, fields_at, items_at, long_at, present_at, skip, slice_at, Body};
pub use write::{put_bytes, put_long};
