//! The native executor of Tidings' projection, as the Python module `tidings_native`.
//!
//! It handles what is common exactly as the reference does, and defers the rest to Python, event by event. No panic and
//! no error carries a value of an event.

pub mod avro;
pub mod batch;
pub mod checks;
mod container;
pub mod dates;
mod due;
pub mod filters;
mod happen;
pub mod json;
pub mod keys;
mod mending;
pub mod program;
mod portraits;
mod publish;
mod python;
pub mod resolve;
pub mod scan;
mod spread;
mod subjects;
mod telling;
pub mod text;
pub mod views;
pub mod window;
