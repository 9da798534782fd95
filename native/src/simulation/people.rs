//! A county's people as Python holds them. The words are those of `producers.simulation.people`.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::cell::Cell as Number;

/// Where a person's numbers stand, from the person's own place on.
pub const STATE: usize = 1;
pub const HOME: usize = 4;
pub const PRACTICE: usize = 5;
pub const PARTNER: usize = 6;
/// The partner of somebody who has none.
pub const NOBODY: u32 = u32::MAX;
/// Bits of a person's state.
pub const GONE: u32 = 1;
const PROTECTION: u32 = 12;
const HAS_NEW_ID: u32 = 32;

/// The numbers of all, and the ids that replaced others.
pub struct People<'a, 'py> {
    pub of: &'a [Number<u32>],
    pub new_ids: &'a Bound<'py, PyDict>,
}

impl<'a, 'py> People<'a, 'py> {
    /// Raises ValueError as `numbers` does.
    pub fn new(of: &'a PyBuffer<u32>, new_ids: &'a Bound<'py, PyDict>) -> PyResult<People<'a, 'py>> {
        Ok(People { of: numbers(new_ids.py(), of)?, new_ids })
    }
}

impl People<'_, '_> {
    /// Whether a person's id was replaced.
    pub fn has_new_id(&self, person: usize) -> PyResult<bool> {
        Ok(at(self.of, person + STATE)?.get() & HAS_NEW_ID != 0)
    }

    /// A person's protection, as the enum is written.
    pub fn protection(&self, person: usize) -> PyResult<u8> {
        Ok((at(self.of, person + STATE)?.get() & PROTECTION) as u8 >> 1)
    }
}

/// One of their numbers. Raises IndexError where it is nobody's.
#[inline]
pub fn at(of: &[Number<u32>], at: usize) -> PyResult<&Number<u32>> {
    of.get(at).ok_or_else(|| PyIndexError::new_err("person"))
}

/// The people's numbers, to be read and written in place. Raises ValueError where they are no writable array of them.
pub fn numbers<'a>(_attached: Python<'a>, of: &'a PyBuffer<u32>) -> PyResult<&'a [Number<u32>]> {
    let found = of.as_slice_ptr().filter(|_| !of.readonly()).ok_or_else(|| PyValueError::new_err("people"))?;
    // SAFETY: the buffer is held for 'a, so that it neither moves nor ends, and is not read-only; a `Cell<u32>` is laid out
    // as a `u32`. The interpreter is attached for 'a and runs nothing else meanwhile, so that nobody else reads or writes.
    Ok(unsafe { std::slice::from_raw_parts(found.as_ptr() as *const Number<u32>, found.len()) })
}
