//! What happens to so many people of a simulated county that the extension does it: moves, changes of practice and of
//! records. It is what `producers.simulation.moves` and `records` do in Python, byte for byte.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use std::cell::Cell as Number;

use crate::dates::DAY_MS;
use crate::simulation::cells::{Cells, Draw};
use crate::simulation::facts::{Body, Fact, Facts};
use crate::simulation::people::{at, numbers, HOME, NOBODY, PARTNER, PRACTICE};
use crate::simulation::pieces::uuid;
use crate::simulation::portraits::Likeness;
use crate::simulation::splice::SOME;

const NO_LIFE: &[u8] = &[0];

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
        for draw in cells.draws(of, random) {
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
        Ok(self.told(self.register(of, first_day, cells.draws(of, random))?, days))
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
        for draw in cells.draws(of, random) {
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
        Facts::new(facts, days, self.kinds.clone())
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

/// On the day of the happening, or as much later as the delay says, at some time of the day.
fn recorded_ms(first_day: i64, draw: &Draw, delays: &[i64]) -> i64 {
    let time_ms = ((draw.word >> 32 & 0xF_FFFF) as i64 * DAY_MS) >> 20;
    (first_day + draw.day as i64) * DAY_MS + delays[(draw.word >> 54) as usize] + time_ms
}

fn likeness(of: &[Number<u32>], person: usize) -> PyResult<Likeness> {
    let numbers = of.get(person..person + 5).ok_or_else(|| PyIndexError::new_err("person"))?;
    Ok(Likeness::new(std::array::from_fn(|at| numbers[at].get())))
}
