//! Who is drawn from a county's people, to whom something happens. The words are those of `producers.simulation.crowd`.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::cell::Cell as Number;

use crate::simulation::people::{at, numbers, GONE, STATE};
use crate::simulation::pieces::{ID_BYTES, WORD_BYTES};
use crate::text::word;

/// What a draw takes: words for the cell, for the person, and two for what happens; and an id.
const DRAW_BYTES: usize = 4 * WORD_BYTES + ID_BYTES;
const WEEK: u64 = 7;

/// People of a year of birth and a sex: those of the start at even distances, those who came later one by one.
enum Cell {
    Even { first: usize, amount: u64, apart: usize },
    Each(Vec<u32>),
}

/// Cells, of which one is drawn by its weight: `Cells(cumulative, cells)`, each cell (first, amount, apart, numbers).
#[pyclass(frozen)]
pub struct Cells {
    cumulative: Vec<f64>,
    cells: Vec<Cell>,
}

#[pymethods]
impl Cells {
    /// Raises ValueError where there is no cell, or an empty one.
    #[new]
    fn new(cumulative: Vec<f64>, cells: Vec<(usize, u64, usize, Vec<u32>)>) -> PyResult<Cells> {
        let empty = cells.iter().any(|(_, amount, _, numbers)| *amount == 0 && numbers.is_empty());
        if empty || cells.is_empty() || cells.len() != cumulative.len() {
            return Err(PyValueError::new_err("a cell has people"));
        }
        let cells = cells
            .into_iter()
            .map(
                |(first, amount, apart, numbers)| {
                    if numbers.is_empty() {
                        Cell::Even { first, amount, apart }
                    } else {
                        Cell::Each(numbers)
                    }
                },
            )
            .collect();
        Ok(Cells { cumulative, cells })
    }

    /// Of those who are drawn by two words each, those who are here: the person, 24 random bits, the day since 1970.
    fn each(
        &self,
        py: Python<'_>,
        of: PyBuffer<u32>,
        first_day: i64,
        random: &[u8],
    ) -> PyResult<Vec<(usize, u64, i64)>> {
        let of = numbers(py, &of)?;
        let mut found = Vec::new();
        for random in random.chunks_exact(2 * WORD_BYTES) {
            let (person, bits) = self.drawn(random);
            if at(of, person + STATE)?.get() & GONE == 0 {
                found.push((person, bits & 0xFF_FFFF, first_day + ((bits * WEEK) >> 32) as i64));
            }
        }
        Ok(found)
    }
}

impl Cells {
    /// The person of two words; of the second one only the lower half is used.
    #[inline]
    fn person(&self, cell: u64, person: u64) -> usize {
        let whole = self.cumulative[self.cumulative.len() - 1];
        let place = (cell >> 11) as f64 * 2f64.powi(-53) * whole;
        let at = self.cumulative.partition_point(|upto| *upto <= place).min(self.cells.len() - 1);
        let low = person & 0xFFFF_FFFF;
        match &self.cells[at] {
            Cell::Even { first, amount, apart } => first + ((low * amount) >> 32) as usize * apart,
            Cell::Each(numbers) => numbers[((low * numbers.len() as u64) >> 32) as usize] as usize,
        }
    }

    /// The person of the first two words, and 32 random bits.
    #[inline]
    fn drawn(&self, random: &[u8]) -> (usize, u64) {
        (self.person(word(random, 0), word(random, 1)), word(random, 1) >> 32)
    }

    /// Those who are drawn and are here.
    #[inline]
    pub fn draws<'a>(
        &'a self,
        of: &'a [Number<u32>],
        random: &'a [u8],
    ) -> impl Iterator<Item = PyResult<Draw<'a>>> + 'a {
        random.chunks_exact(DRAW_BYTES).filter_map(move |random| {
            let (person, bits) = self.drawn(random);
            match at(of, person + STATE) {
                Ok(state) if state.get() & GONE != 0 => None,
                Ok(_) => Some(Ok(Draw {
                    person,
                    bits: bits & 0xFF_FFFF,
                    day: (bits * WEEK) >> 32,
                    word: word(random, 2),
                    then: word(random, 3),
                    id: &random[4 * WORD_BYTES..],
                })),
                Err(error) => Some(Err(error)),
            }
        })
    }
}

/// Somebody to whom something happens: 24 random bits, the day of the week, two words and an id's bytes.
pub struct Draw<'a> {
    pub person: usize,
    pub bits: u64,
    pub day: u64,
    pub word: u64,
    pub then: u64,
    pub id: &'a [u8],
}
