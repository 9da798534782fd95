//! Prepared Avro with slots for what varies. It is what `producers.simulation.splice` has in Python.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Of a union of null and one other type.
pub const SOME: u8 = 2;

/// Prepared Avro whose slots are filled one after the other.
pub struct Filling<'a> {
    between: &'a [Vec<u8>],
    at: usize,
    out: Vec<u8>,
}

impl<'a> Filling<'a> {
    pub fn new(between: &'a [Vec<u8>]) -> Filling<'a> {
        let mut made = Filling { between, at: 0, out: Vec::with_capacity(1024) };
        made.start();
        made
    }

    /// Begin anew.
    pub fn start(&mut self) {
        self.out.clear();
        self.at = 0;
        if let Some(first) = self.between.first() {
            self.out.extend_from_slice(first);
        }
    }

    /// Fill the next slot.
    #[inline]
    pub fn fill(&mut self, piece: &[u8]) -> PyResult<()> {
        self.fill_with(&[piece])
    }

    /// Fill the next slot with several pieces.
    #[inline]
    pub fn fill_with(&mut self, pieces: &[&[u8]]) -> PyResult<()> {
        for piece in pieces {
            self.out.extend_from_slice(piece);
        }
        self.at += 1;
        self.out.extend_from_slice(self.between.get(self.at).ok_or_else(misfit)?);
        Ok(())
    }

    /// The whole, where no slot is left.
    pub fn end(&self) -> PyResult<&[u8]> {
        if self.at + 1 == self.between.len() {
            Ok(&self.out)
        } else {
            Err(misfit())
        }
    }
}

pub fn misfit() -> PyErr {
    PyValueError::new_err("pieces do not fill the slots")
}
