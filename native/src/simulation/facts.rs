//! Facts that the extension makes: as Python has them, and as Avro.

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::simulation::portraits::{Likeness, Tables};
use crate::simulation::splice::Filling;

/// What is told of a person.
pub struct Fact {
    pub person: usize,
    pub recorded_ms: i64,
    pub day: usize,
    pub life: Vec<u8>,
    pub body: Body,
}

pub enum Body {
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

impl Facts {
    pub fn new(facts: Vec<Fact>, days: Vec<Vec<u8>>, kinds: Vec<Vec<u8>>) -> Facts {
        Facts { facts, days, kinds }
    }

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
