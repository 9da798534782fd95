//! What happens to so many people of a simulated county that the extension does it: moves, changes of practice and of
//! records. It is what `producers.simulation.moves` and `records` do in Python, byte for byte.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::cell::Cell as Number;

use crate::portraits::{Filling, Likeness, Tables};
use crate::telling::{uuid, DAY_MS, SOME};
use crate::text::word;

/// Where a person's numbers stand, from the person's own place on.
const STATE: usize = 1;
const HOME: usize = 4;
const PRACTICE: usize = 5;
const PARTNER: usize = 6;
const GONE: u32 = 1;
const NOBODY: u32 = u32::MAX;
/// What a draw takes: words for the cell, for the person, and two for what happens; and an id.
const DRAW_BYTES: usize = 48;
const WORD_BYTES: usize = 8;
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
            .map(|(first, amount, apart, numbers)| {
                if numbers.is_empty() { Cell::Even { first, amount, apart } } else { Cell::Each(numbers) }
            })
            .collect();
        Ok(Cells { cumulative, cells })
    }

    /// Of those who are drawn by two words each, those who are here: the person, 24 random bits, the day since 1970.
    fn each(&self, py: Python<'_>, of: PyBuffer<u32>, first_day: i64, random: &[u8]) -> PyResult<Vec<(usize, u64, i64)>> {
        let of = numbers(py, &of)?;
        let mut found = Vec::new();
        for random in random.chunks_exact(2 * WORD_BYTES) {
            let (person, bits) = self.drawn(random);
            if at(of, person + STATE)?.get() & GONE == 0 {
                found.push((person, bits & 0xFF_FFFF, first_day + (bits * WEEK >> 32) as i64));
            }
        }
        Ok(found)
    }
}

impl Cells {
    /// The person of two words; of the second one only the lower half is used.
    fn person(&self, cell: u64, person: u64) -> usize {
        let whole = self.cumulative[self.cumulative.len() - 1];
        let place = (cell >> 11) as f64 * 2f64.powi(-53) * whole;
        let at = self.cumulative.partition_point(|upto| *upto <= place).min(self.cells.len() - 1);
        let low = person & 0xFFFF_FFFF;
        match &self.cells[at] {
            Cell::Even { first, amount, apart } => first + (low * amount >> 32) as usize * apart,
            Cell::Each(numbers) => numbers[(low * numbers.len() as u64 >> 32) as usize] as usize,
        }
    }
}

impl Cells {
    /// The person of the first two words, and 32 random bits.
    fn drawn(&self, random: &[u8]) -> (usize, u64) {
        (self.person(word(random, 0), word(random, 1)), word(random, 1) >> 32)
    }
}

/// Somebody to whom something happens: 24 random bits, the day of the week, two words and an id's bytes.
struct Draw<'a> {
    person: usize,
    bits: u64,
    day: u64,
    word: u64,
    then: u64,
    id: &'a [u8],
}

/// What is told of a person.
struct Fact {
    person: usize,
    recorded_ms: i64,
    day: usize,
    life: Vec<u8>,
    body: Body,
}

enum Body {
    Moved { home: u32, before: u32, who: Likeness },
    Registered { practice: u32, before: u32, who: Likeness },
    Recorded { kind: usize, practice: u32 },
}

/// A list of facts, as `telling.Told` has them.
#[pyclass(frozen, sequence)]
pub struct Facts {
    facts: Vec<Fact>,
    /// Pieces by the day of the week, and by the kind of record.
    days: Vec<Vec<u8>>,
    kinds: Vec<Vec<u8>>,
}

#[pymethods]
impl Facts {
    fn __len__(&self) -> usize {
        self.facts.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyTuple>> {
        let fact = self.facts.get(at).ok_or_else(|| PyIndexError::new_err("fact"))?;
        let bytes = |piece: &[u8]| PyBytes::new(py, piece);
        let occurred = bytes(&self.days[fact.day]);
        let body = match &fact.body {
            Body::Moved { home, before, who } => {
                (*home, &occurred, *before, &occurred, bytes(who.bytes())).into_pyobject(py)?
            }
            Body::Registered { practice, before, who } => (*practice, *before, bytes(who.bytes())).into_pyobject(py)?,
            Body::Recorded { kind, practice } => (bytes(&self.kinds[*kind]), *practice).into_pyobject(py)?,
        };
        (fact.person, fact.recorded_ms, &occurred, body, bytes(&fact.life), PyTuple::empty(py)).into_pyobject(py)
    }
}

const NO_LIFE: &[u8] = &[0];

impl Facts {
    /// Whom a fact is about, and when it is recorded.
    pub fn about(&self, at: usize) -> (usize, i64) {
        (self.facts[at].person, self.facts[at].recorded_ms)
    }

    /// A fact's life event and the day on which it happened, as Avro.
    pub fn pieces(&self, at: usize) -> (&[u8], &[u8]) {
        (&self.facts[at].life, &self.days[self.facts[at].day])
    }

    pub fn write(&self, at: usize, tables: &Tables, out: &mut Filling) -> PyResult<()> {
        let occurred = &self.days[self.facts[at].day];
        match &self.facts[at].body {
            Body::Moved { home, before, who } => {
                tables.write_home(*home, out)?;
                out.fill(occurred)?;
                tables.write_home(*before, out)?;
                out.fill(occurred)?;
                tables.write_person(who, out)
            }
            Body::Registered { practice, before, who } => {
                tables.write_practice(u64::from(*practice), out)?;
                tables.write_practice(u64::from(*before), out)?;
                tables.write_person(who, out)
            }
            Body::Recorded { kind, practice } => {
                out.fill(&self.kinds[*kind])?;
                tables.write_practice(u64::from(*practice), out)
            }
        }
    }
}

/// What the happenings of a county need: milliseconds until a recording by quantile, of a move and of other things; of
/// 4096 moves, how many change the practice; and the kinds of record, as Avro.
#[pyclass(frozen)]
pub struct Crowd {
    move_delays: Vec<i64>,
    other_delays: Vec<i64>,
    with_practice: f64,
    kinds: Vec<Vec<u8>>,
}

#[pymethods]
impl Crowd {
    /// Raises ValueError where a table has not all its entries.
    #[new]
    fn new(move_delays: Vec<i64>, other_delays: Vec<i64>, with_practice: f64, kinds: Vec<Vec<u8>>) -> PyResult<Crowd> {
        if move_delays.len() != 1024 || other_delays.len() != 1024 || kinds.len() != 4 {
            return Err(PyValueError::new_err("tables"));
        }
        Ok(Crowd { move_delays, other_delays, with_practice, kinds })
    }

    /// People move, with their partners. Returns the moves, and the changes of practice that come with them.
    #[pyo3(name = "move")]
    fn move_(
        &self,
        py: Python<'_>,
        of: PyBuffer<u32>,
        cells: &Cells,
        first_day: i64,
        days: Vec<Vec<u8>>,
        random: &[u8],
    ) -> PyResult<(Facts, Facts)> {
        let of = numbers(py, &of)?;
        let (mut facts, mut registering) = (Vec::new(), Vec::new());
        for draw in drawn(cells, of, random) {
            let draw = draw?;
            let partner = at(of, draw.person + PARTNER)?.get();
            let joined = partner != NOBODY;
            if joined && draw.bits & 1 != 0 {
                continue;
            }
            let life = if joined { [&[SOME], &uuid(draw.id)[..]].concat() } else { NO_LIFE.to_vec() };
            let recorded_ms = recorded_ms(first_day, &draw, &self.move_delays);
            let home = draw.word as u32;
            for mover in [draw.person, partner as usize].into_iter().take(1 + usize::from(joined)) {
                let before = at(of, mover + HOME)?.replace(home);
                let body = Body::Moved { home, before, who: likeness(of, mover)? };
                facts.push(Fact { person: mover, recorded_ms, day: draw.day as usize, life: life.clone(), body });
                if ((draw.bits >> 8 & 0xFFF) as f64) < self.with_practice {
                    registering.push(Draw { person: mover, word: draw.then, ..draw });
                }
            }
        }
        let registered = self.register(of, first_day, registering.into_iter().map(Ok))?;
        Ok((self.told(facts, days.clone()), self.told(registered, days)))
    }

    /// People register with another practice.
    fn change_practice(
        &self,
        py: Python<'_>,
        of: PyBuffer<u32>,
        cells: &Cells,
        first_day: i64,
        days: Vec<Vec<u8>>,
        random: &[u8],
    ) -> PyResult<Facts> {
        let of = numbers(py, &of)?;
        Ok(self.told(self.register(of, first_day, drawn(cells, of, random))?, days))
    }

    /// Records of people change.
    fn change_record(
        &self,
        py: Python<'_>,
        of: PyBuffer<u32>,
        cells: &Cells,
        first_day: i64,
        days: Vec<Vec<u8>>,
        random: &[u8],
    ) -> PyResult<Facts> {
        let of = numbers(py, &of)?;
        let mut facts = Vec::new();
        for draw in drawn(cells, of, random) {
            let draw = draw?;
            let practice = at(of, draw.person + PRACTICE)?.get();
            let body = Body::Recorded { kind: (draw.bits & 3) as usize, practice };
            facts.push(self.fact(&draw, first_day, body));
        }
        Ok(self.told(facts, days))
    }
}

impl Crowd {
    fn told(&self, facts: Vec<Fact>, days: Vec<Vec<u8>>) -> Facts {
        Facts { facts, days, kinds: self.kinds.clone() }
    }

    fn fact(&self, draw: &Draw, first_day: i64, body: Body) -> Fact {
        let recorded_ms = recorded_ms(first_day, draw, &self.other_delays);
        Fact { person: draw.person, recorded_ms, day: draw.day as usize, life: NO_LIFE.to_vec(), body }
    }

    fn register<'a>(
        &self,
        of: &[Number<u32>],
        first_day: i64,
        draws: impl Iterator<Item = PyResult<Draw<'a>>>,
    ) -> PyResult<Vec<Fact>> {
        let mut facts = Vec::new();
        for draw in draws {
            let draw = draw?;
            let practice = draw.word as u32 & 0xFFFF;
            let before = at(of, draw.person + PRACTICE)?.replace(practice);
            let body = Body::Registered { practice, before, who: likeness(of, draw.person)? };
            facts.push(self.fact(&draw, first_day, body));
        }
        Ok(facts)
    }
}

/// Those who are drawn and are here.
fn drawn<'a>(
    cells: &'a Cells,
    of: &'a [Number<u32>],
    random: &'a [u8],
) -> impl Iterator<Item = PyResult<Draw<'a>>> + 'a {
    random.chunks_exact(DRAW_BYTES).filter_map(move |random| {
        let (person, bits) = cells.drawn(random);
        match at(of, person + STATE) {
            Ok(state) if state.get() & GONE != 0 => None,
            Ok(_) => Some(Ok(Draw {
                person,
                bits: bits & 0xFF_FFFF,
                day: bits * WEEK >> 32,
                word: word(random, 2),
                then: word(random, 3),
                id: &random[32..],
            })),
            Err(error) => Some(Err(error)),
        }
    })
}

/// On the day of the happening, or as much later as the delay says, at some time of the day.
fn recorded_ms(first_day: i64, draw: &Draw, delays: &[i64]) -> i64 {
    let time_ms = (draw.word >> 32 & 0xF_FFFF) as i64 * DAY_MS >> 20;
    (first_day + draw.day as i64) * DAY_MS + delays[(draw.word >> 54) as usize] + time_ms
}

fn likeness(of: &[Number<u32>], person: usize) -> PyResult<Likeness> {
    let numbers = of.get(person..person + 5).ok_or_else(|| PyIndexError::new_err("person"))?;
    Ok(Likeness::new(std::array::from_fn(|at| numbers[at].get())))
}

fn at(of: &[Number<u32>], at: usize) -> PyResult<&Number<u32>> {
    of.get(at).ok_or_else(|| PyIndexError::new_err("person"))
}

/// The people's numbers, to be read and written in place.
pub fn numbers<'a>(_attached: Python<'a>, of: &'a PyBuffer<u32>) -> PyResult<&'a [Number<u32>]> {
    let found = of.as_slice_ptr().filter(|_| !of.readonly()).ok_or_else(|| PyValueError::new_err("people"))?;
    // SAFETY: the buffer is held for 'a, so that it neither moves nor ends, and is not read-only; a `Cell<u32>` is laid out
    // as a `u32`. The interpreter is attached for 'a and runs nothing else meanwhile, so that nobody else reads or writes.
    Ok(unsafe { std::slice::from_raw_parts(found.as_ptr() as *const Number<u32>, found.len()) })
}
