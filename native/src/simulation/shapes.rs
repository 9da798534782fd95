//! The shapes of the events that the simulator makes. The words are those of `producers.simulation.shapes`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Kinds of part.
pub const PIECE: u8 = 0;
pub const PERSON: u8 = 1;
pub const CHILD: u8 = 2;
pub const NAME: u8 = 3;
pub const BIRTH: u8 = 4;
pub const HOME: u8 = 5;
/// The slots of a head's first version.
const HEAD: usize = 9;

/// A shape as it is given: its number, its body's parts, which of them is mistaken by the lowest bit of a word and whether
/// for a home; and what stands before, between and behind the slots of a first version, of a later one and of an annulment.
pub type Given = (u8, Vec<u8>, [Option<(usize, bool)>; 2], Vec<Vec<u8>>, Vec<Vec<u8>>, Vec<Vec<u8>>);

pub struct Shape {
    pub number: u8,
    pub parts: Vec<u8>,
    pub mistakes: [Option<(usize, bool)>; 2],
    pub first: Vec<Vec<u8>>,
    pub later: Vec<Vec<u8>>,
    pub annulment: Vec<Vec<u8>>,
}

impl Shape {
    /// Raises ValueError where it has no head or mistakes a part that it has not.
    pub fn new((number, parts, mistakes, first, later, annulment): Given) -> PyResult<Shape> {
        if first.len() <= HEAD || mistakes.iter().flatten().any(|(at, _)| *at >= parts.len()) {
            return Err(PyValueError::new_err("a shape has a head"));
        }
        Ok(Shape { number, parts, mistakes, first, later, annulment })
    }

    /// What stands around the slots of a later version; of an annulment where there is no body.
    pub fn again(&self, has_body: bool) -> &[Vec<u8>] {
        if has_body {
            &self.later
        } else {
            &self.annulment
        }
    }
}
