//! The native executor of Tidings' projection, as the Python module `tidings_native`.
//!
//! It handles what is common exactly as the reference does, and defers the rest to Python, event by event. No panic and
//! no error carries a value of an event.

pub mod avro;
pub mod batch;
pub mod checks;
mod container;
pub mod dates;
pub mod filters;
pub mod json;
pub mod keys;
pub mod program;
mod publish;
mod python;
pub mod resolve;
pub mod scan;
mod simulation;
mod spread;
pub mod text;
pub mod views;
pub mod window;
