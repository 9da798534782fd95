//! Facts that are told wrongly at first, and what puts them right. It is what `producers.simulation.mending` and `mistakes`
//! do in Python, byte for byte; the words are those modules'.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::due::Due;
use crate::portraits::{Filling, Likeness, CHILD, HOME, NAME, PERSON};
use crate::subjects::{People, Subject};
use crate::telling::{instants, uuid, Shape, Teller, SOME};
use crate::text;

/// What a wrong fact takes beyond that of a right one: three words, then three ids.
pub const MORE_BYTES: usize = 72;
const FIRST_ID: usize = 24;
const ID_BYTES: usize = 16;
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
    pub fn new(
        (corrected, annulled): (u64, u64),
        delays_ms: Vec<i64>,
        reasons: Vec<Vec<u8>>,
    ) -> PyResult<Mending> {
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
}

/// What all versions of a record have.
struct Record<'a> {
    id: &'a [u8],
    life: &'a [u8],
    occurred: &'a [u8],
    subject: &'a Subject,
    related: &'a [u8],
    protection: u8,
}

/// One version: its event's id, its number, when it is recorded, and what it does to the one before.
struct Version<'a> {
    id: [u8; 37],
    number: u8,
    recorded_ms: i64,
    word: u64,
    change: u8,
    reason: &'a [u8],
    supersedes: Option<[u8; 37]>,
}

/// A fact that is told wrongly: of what its versions are made. `ids` are theirs, `more` are random words.
struct Wrong<'a, 'py> {
    teller: &'a Teller,
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
        self.first.recorded_ms + self.teller.mending.delay_ms(self.later())
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
        self.teller.write(self.shape, &self.record, version, body, due)
    }

    /// Written wrongly, and corrected; right from the start where there is nothing to mistake.
    fn correct(&self, due: &mut Due) -> PyResult<()> {
        let Some(wrong) = mistaken(self.shape, self.body, self.later())? else {
            return self.write(&self.first, Some(self.body), due);
        };
        self.write(&self.first, Some(&wrong), due)?;
        let reason = self.teller.mending.reason(((self.later() >> 56) % CORRECTIONS) as usize);
        self.write(&self.second(CORRECTED, reason), Some(self.body), due)
    }

    /// What never held is annulled, and sometimes reinstated.
    fn annul(&self, due: &mut Due) -> PyResult<()> {
        let mending = &self.teller.mending;
        self.write(&self.first, Some(self.body), due)?;
        self.write(&self.second(ANNULLED, mending.reason(CANCELLED)), None, due)?;
        if self.later() >> 62 >= REINSTATED_OF_4 {
            return Ok(());
        }
        let again = Version {
            id: self.ids[2],
            number: 3,
            recorded_ms: self.mended_ms() + mending.delay_ms(self.later() >> 30),
            word: text::word(self.more, 2),
            change: REINSTATED,
            reason: mending.reason(CANCELLATION_REMOVED),
            supersedes: Some(self.ids[1]),
        };
        self.write(&again, Some(self.body), due)
    }

    /// What was told of the wrong person is annulled, and created anew of the right one.
    fn tell_of(&self, own: &Subject, due: &mut Due) -> PyResult<()> {
        let reason = self.teller.mending.reason(WRONG_SUBJECT);
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
        self.teller.write(self.shape, &record, &right, Some(self.body), due)
    }
}

impl Teller {
    /// Tell a fact, as `telling.Told` has it, wrongly, and put it right later.
    #[allow(clippy::too_many_arguments)]
    pub fn mend(
        &self,
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
        self.subjects.write(person, people, &mut own)?;
        self.subjects.write_related(&related, people, &self.tables, &mut others)?;
        let mut another = Subject::default();
        if fate >= self.mending.annulled {
            self.subjects.write(self.another(word, people), people, &mut another)?;
        }
        let ids = std::array::from_fn(|at| uuid(&more[FIRST_ID + at * ID_BYTES..FIRST_ID + (at + 1) * ID_BYTES]));
        let record = Record {
            id: record_id,
            life: life.as_bytes(),
            occurred: occurred.as_bytes(),
            subject: if fate >= self.mending.annulled { &another } else { &own },
            related: &others,
            protection: people.protection(person)?,
        };
        let first = Version { id: ids[0], number: 1, recorded_ms, word, change: CREATED, reason: &[0], supersedes: None };
        let wrong = Wrong { teller: self, shape, body: &body, record, first, ids, more };
        if fate < self.mending.corrected {
            wrong.correct(due)
        } else if fate < self.mending.annulled {
            wrong.annul(due)
        } else {
            wrong.tell_of(&own, due)
        }
    }

    /// Somebody at random who may be told of wrongly.
    fn another(&self, word: u64, people: &People) -> usize {
        let amount = (people.of.len() / self.stride - self.first / self.stride) as u64;
        self.first + ((word >> 12 & 0xFFFF_FFFF) * amount >> 32) as usize * self.stride
    }

    fn write(
        &self,
        shape: &Shape,
        record: &Record,
        version: &Version,
        body: Option<&Bound<'_, PyTuple>>,
        due: &mut Due,
    ) -> PyResult<()> {
        let received_ms = self.received_ms(version.recorded_ms, version.word);
        if received_ms < self.start_ms {
            return Ok(());
        }
        let mut out = Filling::new(if body.is_some() { &shape.later } else { &shape.annulment });
        out.fill(&version.id)?;
        out.fill(&[version.change])?;
        out.fill(version.reason)?;
        out.fill(record.id)?;
        out.fill(&[SOME, version.number << 1])?;
        match &version.supersedes {
            Some(id) => out.fill_with(&[&[SOME], id])?,
            None => out.fill(&[0])?,
        }
        out.fill(record.life)?;
        out.fill(&instants(version.recorded_ms, received_ms))?;
        out.fill(record.occurred)?;
        out.fill(record.id)?;
        out.fill(&record.subject.avro)?;
        out.fill(record.related)?;
        out.fill(&[record.protection])?;
        if let Some(body) = body {
            self.tables.write(&shape.parts, body, &mut out)?;
        }
        due.put(self.at(received_ms), shape.number, &record.subject.key, out.end()?);
        Ok(())
    }
}

/// Person, milliseconds of recording, day, body, life event and others.
type Fact<'py> =
    (usize, i64, Bound<'py, PyBytes>, Bound<'py, PyTuple>, Bound<'py, PyBytes>, Bound<'py, PyTuple>);

/// A body with another home, family name or practice; None where there is nothing to mistake.
fn mistaken<'py>(
    shape: &Shape,
    body: &Bound<'py, PyTuple>,
    later: u64,
) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let (py, number) = (body.py(), (later >> 24) as u32);
    let Some((at, is_home)) = shape.mistakes[(later & 1) as usize] else { return Ok(None) };
    let right = body.get_item(at)?;
    let wrong = match shape.parts[at] {
        PERSON | CHILD | NAME => {
            let mut likeness = Likeness::of(right.cast::<PyBytes>()?.as_bytes())?;
            if is_home {
                likeness.set_home(number);
            } else {
                likeness.set_family(number);
            }
            PyBytes::new(py, likeness.bytes()).into_any()
        }
        HOME => number.into_pyobject(py)?.into_any(),
        _ => (number & 0xFFFF).into_pyobject(py)?.into_any(),
    };
    let parts = body.iter().enumerate().map(|(each, part)| if each == at { wrong.clone() } else { part });
    Ok(Some(PyTuple::new(py, parts.collect::<Vec<_>>())?))
}
