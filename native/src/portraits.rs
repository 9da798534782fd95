//! What a register writes about a person: pieces chosen from tables, into the slots of prepared Avro. The words are those of
//! `producers.simulation.portraits`.

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// Bits of a person's state.
const IS_MALE: usize = 2;
const SEX: usize = 16 | IS_MALE;
/// Kinds of part, as `producers.simulation.shapes` numbers them.
const PIECE: u8 = 0;
const PERSON: u8 = 1;
const CHILD: u8 = 2;
const HOME: u8 = 3;
/// What pieces are chosen from, in the order in which they are given.
const WOMEN: usize = 0;
const MEN: usize = 1;
const FAMILIES: usize = 2;
const SEXES: usize = 3;
const YEARS: usize = 4;
const MONTHS: usize = 5;
const STREETS: usize = 6;
const TOWNS: usize = 7;
const OUTWARD: usize = 8;
const INWARD: usize = 9;
/// The first year of birth.
const FIRST_YEAR: usize = 1850;
/// A person's numbers: born, state, given, family, home.
const LIKENESS_BYTES: usize = 20;

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
    pub fn fill(&mut self, piece: &[u8]) -> PyResult<()> {
        self.fill_with(&[piece])
    }

    /// Fill the next slot with several pieces.
    fn fill_with(&mut self, pieces: &[&[u8]]) -> PyResult<()> {
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

fn misfit() -> PyErr {
    PyValueError::new_err("pieces do not fill the slots")
}

/// Tables of pieces.
pub struct Tables(pub Vec<Vec<Vec<u8>>>);

impl Tables {
    fn piece(&self, table: usize, at: usize) -> PyResult<&[u8]> {
        let found = self.0.get(table).and_then(|table| table.get(at));
        found.map(Vec::as_slice).ok_or_else(|| PyIndexError::new_err("no such piece"))
    }

    /// Fill the slots of a body's `parts`, each by what its kind says.
    pub fn write(&self, parts: &[u8], body: &Bound<'_, PyTuple>, out: &mut Filling) -> PyResult<()> {
        if body.len() != parts.len() {
            return Err(misfit());
        }
        for (&kind, part) in parts.iter().zip(body.iter_borrowed()) {
            match kind {
                PIECE => out.fill(part.cast::<PyBytes>()?.as_bytes())?,
                PERSON | CHILD => {
                    let home = self.write_child(part.cast::<PyBytes>()?.as_bytes(), out)?;
                    if kind == PERSON {
                        self.write_home(home, out)?;
                    }
                }
                HOME => self.write_home(part.extract::<u64>()? as usize, out)?,
                _ => out.fill(format!("\u{2}\u{c}Y{:05}", part.extract::<u64>()? & 0xFFFF).as_bytes())?,
            }
        }
        Ok(())
    }

    /// Returns the home.
    fn write_child(&self, likeness: &[u8], out: &mut Filling) -> PyResult<usize> {
        if likeness.len() != LIKENESS_BYTES {
            return Err(misfit());
        }
        let number = |at: usize| {
            u32::from_ne_bytes(likeness[4 * at..4 * at + 4].try_into().expect("four bytes")) as usize
        };
        let [born, state, given, family, home] = [0, 1, 2, 3, 4].map(number);
        let year = (born >> 9).checked_sub(FIRST_YEAR).ok_or_else(misfit)?;
        out.fill(self.piece(if state & IS_MALE == 0 { WOMEN } else { MEN }, given & 0x3FF)?)?;
        out.fill(self.piece(FAMILIES, family & 0x1FF)?)?;
        out.fill(self.piece(SEXES, state & SEX)?)?;
        out.fill(self.piece(YEARS, year)?)?;
        out.fill(self.piece(MONTHS, born & 0x1FF)?)?;
        Ok(home)
    }

    fn write_home(&self, home: usize, out: &mut Filling) -> PyResult<()> {
        let place = home >> 28;
        out.fill(self.piece(STREETS, home & 0x7FF)?)?;
        out.fill(self.piece(TOWNS, place)?)?;
        out.fill_with(&[self.piece(OUTWARD, place)?, self.piece(INWARD, home >> 11 & 0x3FF)?])
    }
}
