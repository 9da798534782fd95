//! Facts that are told wrongly at first, and what puts them right. It is what `producers.simulation.mending` does in
//! Python, byte for byte; the words are that module's.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::simulation::county::County;
use crate::simulation::due::Due;
use crate::simulation::mistakes::mistaken;
use crate::simulation::people::People;
use crate::simulation::pieces::{uuid, ID_BYTES, WORD_BYTES};
use crate::simulation::shapes::Shape;
use crate::simulation::subjects::Subject;
use crate::simulation::versions::{Record, Version};
use crate::text;

/// What a wrong fact takes beyond that of a right one: three words, then three ids.
pub const MORE_BYTES: usize = FIRST_ID + 3 * ID_BYTES;
const FIRST_ID: usize = 3 * WORD_BYTES;
/// So much later the right record follows upon the annulment of the wrong one.
const APART_MS: i64 = 3000;
/// Of four annulments, so many were wrong themselves.
const REINSTATED_OF_4: u64 = 1;
/// Changes, as the enum is written.
const CREATED: u8 = 0;
const CORRECTED: u8 = 4;
const ANNULLED: u8 = 6;
const REINSTATED: u8 = 8;
/// Reasons, in the order in which they are given: first those of corrections.
const CORRECTIONS: u64 = 3;
const CANCELLED: usize = 3;
const CANCELLATION_REMOVED: usize = 4;
const WRONG_SUBJECT: usize = 5;

/// Of 4096 facts, how many are corrected, and how many are corrected or annulled; of corrections, how much later they come
/// by quantile; and reasons.
pub struct Mending {
    corrected: u64,
    annulled: u64,
    delays_ms: Vec<i64>,
    reasons: Vec<Vec<u8>>,
}

impl Mending {
    /// Raises ValueError where a table has not all its entries.
    pub fn new((corrected, annulled): (u64, u64), delays_ms: Vec<i64>, reasons: Vec<Vec<u8>>) -> PyResult<Mending> {
        if delays_ms.len() != 1024 || reasons.len() != 6 {
            return Err(PyValueError::new_err("tables"));
        }
        Ok(Mending { corrected, annulled, delays_ms, reasons })
    }

    fn delay_ms(&self, bits: u64) -> i64 {
        let bits = bits & 0xFFFF_FFFF;
        self.delays_ms[bits as usize % 1024] + (bits >> 10) as i64
    }

    fn reason(&self, at: usize) -> &[u8] {
        &self.reasons[at]
    }

    /// Tell a fact, as `telling.Told` has it, wrongly, and put it right later.
    #[allow(clippy::too_many_arguments)]
    pub fn mend(
        &self,
        county: &County,
        shape: &Shape,
        fact: &Bound<'_, PyTuple>,
        record_id: &[u8],
        word: u64,
        more: &[u8],
        people: &People,
        due: &mut Due,
    ) -> PyResult<()> {
        let (person, recorded_ms, occurred, body, life, related): Fact = fact.extract()?;
        let (fate, mut own, mut others) = (word & 0xFFF, Subject::default(), Vec::new());
        county.subjects.write(person, people, &mut own)?;
        county.subjects.write_related(&related, people, &county.tables, &mut others)?;
        let mut another = Subject::default();
        if fate >= self.annulled {
            county.subjects.write(county.another(word, people), people, &mut another)?;
        }
        let ids = std::array::from_fn(|at| uuid(&more[FIRST_ID + at * ID_BYTES..FIRST_ID + (at + 1) * ID_BYTES]));
        let record = Record {
            id: record_id,
            life: life.as_bytes(),
            occurred: occurred.as_bytes(),
            subject: if fate >= self.annulled { &another } else { &own },
            related: &others,
            protection: people.protection(person)?,
        };
        let first =
            Version { id: ids[0], number: 1, recorded_ms, word, change: CREATED, reason: &[0], supersedes: None };
        let wrong = Wrong { mending: self, county, shape, body: &body, record, first, ids, more };
        if fate < self.corrected {
            wrong.correct(due)
        } else if fate < self.annulled {
            wrong.annul(due)
        } else {
            wrong.tell_of(&own, due)
        }
    }
}

/// Person, milliseconds of recording, day, body, life event and others.
type Fact<'py> = (usize, i64, Bound<'py, PyBytes>, Bound<'py, PyTuple>, Bound<'py, PyBytes>, Bound<'py, PyTuple>);

/// A fact that is told wrongly: of what its versions are made. `ids` are theirs, `more` are random words.
struct Wrong<'a, 'py> {
    mending: &'a Mending,
    county: &'a County,
    shape: &'a Shape,
    body: &'a Bound<'py, PyTuple>,
    record: Record<'a>,
    first: Version<'a>,
    ids: [[u8; 37]; 3],
    more: &'a [u8],
}

impl<'a> Wrong<'a, '_> {
    fn later(&self) -> u64 {
        text::word(self.more, 0)
    }

    fn mended_ms(&self) -> i64 {
        self.first.recorded_ms + self.mending.delay_ms(self.later())
    }

    fn second(&self, change: u8, reason: &'a [u8]) -> Version<'a> {
        Version {
            id: self.ids[1],
            number: 2,
            recorded_ms: self.mended_ms(),
            word: text::word(self.more, 1),
            change,
            reason,
            supersedes: Some(self.ids[0]),
        }
    }

    fn write(&self, version: &Version, body: Option<&Bound<'_, PyTuple>>, due: &mut Due) -> PyResult<()> {
        self.record.write(self.county, self.shape, version, body, due)
    }

    /// Written wrongly, and corrected; right from the start where there is nothing to mistake.
    fn correct(&self, due: &mut Due) -> PyResult<()> {
        let Some(wrong) = mistaken(self.shape, self.body, self.later())? else {
            return self.write(&self.first, Some(self.body), due);
        };
        self.write(&self.first, Some(&wrong), due)?;
        let reason = self.mending.reason(((self.later() >> 56) % CORRECTIONS) as usize);
        self.write(&self.second(CORRECTED, reason), Some(self.body), due)
    }

    /// What never held is annulled, and sometimes reinstated.
    fn annul(&self, due: &mut Due) -> PyResult<()> {
        self.write(&self.first, Some(self.body), due)?;
        self.write(&self.second(ANNULLED, self.mending.reason(CANCELLED)), None, due)?;
        if self.later() >> 62 >= REINSTATED_OF_4 {
            return Ok(());
        }
        let again = Version {
            id: self.ids[2],
            number: 3,
            recorded_ms: self.mended_ms() + self.mending.delay_ms(self.later() >> 30),
            word: text::word(self.more, 2),
            change: REINSTATED,
            reason: self.mending.reason(CANCELLATION_REMOVED),
            supersedes: Some(self.ids[1]),
        };
        self.write(&again, Some(self.body), due)
    }

    /// What was told of the wrong person is annulled, and created anew of the right one.
    fn tell_of(&self, own: &Subject, due: &mut Due) -> PyResult<()> {
        let reason = self.mending.reason(WRONG_SUBJECT);
        self.write(&self.first, Some(self.body), due)?;
        self.write(&self.second(ANNULLED, reason), None, due)?;
        // Another record: a digit more than others have.
        let id = [&[24], &self.record.id[1..], b"9"].concat();
        let right = Version {
            id: self.ids[2],
            recorded_ms: self.mended_ms() + APART_MS,
            reason,
            supersedes: Some(self.ids[1]),
            ..self.first
        };
        let record = Record { id: &id, subject: own, ..self.record };
        record.write(self.county, self.shape, &right, Some(self.body), due)
    }
}
