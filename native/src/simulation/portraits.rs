//! What a register writes about a person: pieces chosen from tables, into the slots of prepared Avro. The words are those of
//! `producers.simulation.portraits`.

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::simulation::pieces::write_digits;
use crate::simulation::shapes::{BIRTH, CHILD, HOME, NAME, PERSON, PIECE};
use crate::simulation::splice::{misfit, Filling};

/// Bits of a person's state.
const IS_MALE: usize = 2;
const SEX: usize = 16 | IS_MALE;
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
/// Five numbers.
const LIKENESS_BYTES: usize = 20;

/// A person's numbers: born, state, given, family, home.
#[derive(Clone)]
pub struct Likeness([u8; LIKENESS_BYTES]);

impl Likeness {
    pub fn new(numbers: [u32; 5]) -> Likeness {
        let mut bytes = [0; LIKENESS_BYTES];
        for (four, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            four.copy_from_slice(&number.to_ne_bytes());
        }
        Likeness(bytes)
    }

    /// Of a likeness as Python has it. Raises ValueError where it is none.
    pub fn of(bytes: &[u8]) -> PyResult<Likeness> {
        Ok(Likeness(bytes.try_into().map_err(|_| misfit())?))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn set_home(&mut self, home: u32) {
        self.set(4, home);
    }

    pub fn set_family(&mut self, family: u32) {
        self.set(3, family);
    }

    fn set(&mut self, at: usize, number: u32) {
        self.0[4 * at..4 * at + 4].copy_from_slice(&number.to_ne_bytes());
    }

    fn number(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.0[4 * at..4 * at + 4].try_into().expect("four bytes"))
    }
}

/// Pieces one behind the other, and where each ends.
struct Table {
    pieces: Vec<u8>,
    ends: Vec<usize>,
}

/// Tables of pieces.
pub struct Tables(Vec<Table>);

impl Tables {
    pub fn new(tables: &[Vec<Vec<u8>>]) -> Tables {
        let table = |pieces: &Vec<Vec<u8>>| {
            let ends = pieces.iter().scan(0, |end, piece| {
                *end += piece.len();
                Some(*end)
            });
            Table { ends: ends.collect(), pieces: pieces.concat() }
        };
        Tables(tables.iter().map(table).collect())
    }

    fn piece(&self, table: usize, at: usize) -> PyResult<&[u8]> {
        let missing = || PyIndexError::new_err("no such piece");
        let table = self.0.get(table).ok_or_else(missing)?;
        let end = *table.ends.get(at).ok_or_else(missing)?;
        let start = if at == 0 { 0 } else { table.ends[at - 1] };
        Ok(&table.pieces[start..end])
    }

    /// Fill the slots of a body's `parts`, each by what its kind says.
    pub fn write(&self, parts: &[u8], body: &Bound<'_, PyTuple>, out: &mut Filling) -> PyResult<()> {
        if body.len() != parts.len() {
            return Err(misfit());
        }
        for (&kind, part) in parts.iter().zip(body.iter_borrowed()) {
            match kind {
                PIECE => out.fill(part.cast::<PyBytes>()?.as_bytes())?,
                PERSON | CHILD | NAME | BIRTH => {
                    let likeness = Likeness::of(part.cast::<PyBytes>()?.as_bytes())?;
                    match kind {
                        PERSON => self.write_person(&likeness, out)?,
                        CHILD => self.write_child(&likeness, out)?,
                        NAME => self.write_name(&likeness, out)?,
                        _ => self.write_birth(&likeness, out)?,
                    }
                }
                HOME => self.write_home(part.extract()?, out)?,
                _ => self.write_practice(part.extract()?, out)?,
            }
        }
        Ok(())
    }

    pub fn write_person(&self, likeness: &Likeness, out: &mut Filling) -> PyResult<()> {
        self.write_child(likeness, out)?;
        self.write_home(likeness.number(4), out)
    }

    fn write_child(&self, likeness: &Likeness, out: &mut Filling) -> PyResult<()> {
        self.write_name(likeness, out)?;
        self.write_birth(likeness, out)
    }

    pub fn write_name(&self, likeness: &Likeness, out: &mut Filling) -> PyResult<()> {
        let [state, given, family] = [1, 2, 3].map(|at| likeness.number(at) as usize);
        out.fill(self.piece(if state & IS_MALE == 0 { WOMEN } else { MEN }, given & 0x3FF)?)?;
        out.fill(self.piece(FAMILIES, family & 0x1FF)?)
    }

    /// Sex and date of birth.
    fn write_birth(&self, likeness: &Likeness, out: &mut Filling) -> PyResult<()> {
        out.fill(self.piece(SEXES, likeness.number(1) as usize & SEX)?)?;
        self.write_date_of_birth(likeness, out)
    }

    pub fn write_date_of_birth(&self, likeness: &Likeness, out: &mut Filling) -> PyResult<()> {
        let born = likeness.number(0) as usize;
        let year = (born >> 9).checked_sub(FIRST_YEAR).ok_or_else(misfit)?;
        out.fill(self.piece(YEARS, year)?)?;
        out.fill(self.piece(MONTHS, born & 0x1FF)?)
    }

    pub fn write_home(&self, home: u32, out: &mut Filling) -> PyResult<()> {
        let (home, place) = (home as usize, home as usize >> 28);
        out.fill(self.piece(STREETS, home & 0x7FF)?)?;
        out.fill(self.piece(TOWNS, place)?)?;
        out.fill_with(&[self.piece(OUTWARD, place)?, self.piece(INWARD, home >> 11 & 0x3FF)?])
    }

    pub fn write_practice(&self, number: u64, out: &mut Filling) -> PyResult<()> {
        let mut piece = *b"\x02\x0cY00000";
        write_digits(number & 0xFFFF, &mut piece[3..]);
        out.fill(&piece)
    }
}
