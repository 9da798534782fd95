//! Versions of a record that is told of more than once. It is what `producers.simulation.versions` does in Python.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::simulation::county::County;
use crate::simulation::due::Due;
use crate::simulation::pieces::instants;
use crate::simulation::shapes::Shape;
use crate::simulation::splice::{Filling, SOME};
use crate::simulation::subjects::Subject;

/// What all versions of a record have.
pub struct Record<'a> {
    pub id: &'a [u8],
    pub life: &'a [u8],
    pub occurred: &'a [u8],
    pub subject: &'a Subject,
    pub related: &'a [u8],
    pub protection: u8,
}

/// One version: its event's id, its number, when it is recorded, and what it does to the one before.
pub struct Version<'a> {
    pub id: [u8; 37],
    pub number: u8,
    pub recorded_ms: i64,
    pub word: u64,
    pub change: u8,
    pub reason: &'a [u8],
    pub supersedes: Option<[u8; 37]>,
}

impl Record<'_> {
    /// Put the row of one version into `due`, unless it is received before the start; without a body an annulment's.
    pub fn write(
        &self,
        county: &County,
        shape: &Shape,
        version: &Version,
        body: Option<&Bound<'_, PyTuple>>,
        due: &mut Due,
    ) -> PyResult<()> {
        let Some(received_ms) = county.received_ms(version.recorded_ms, version.word) else { return Ok(()) };
        let mut out = Filling::new(shape.again(body.is_some()));
        out.fill(&version.id)?;
        out.fill(&[version.change])?;
        out.fill(version.reason)?;
        out.fill(self.id)?;
        out.fill(&[SOME, version.number << 1])?;
        match &version.supersedes {
            Some(id) => out.fill_with(&[&[SOME], id])?,
            None => out.fill(&[0])?,
        }
        out.fill(self.life)?;
        out.fill(&instants(version.recorded_ms, received_ms))?;
        out.fill(self.occurred)?;
        out.fill(self.id)?;
        out.fill(&self.subject.avro)?;
        out.fill(self.related)?;
        out.fill(&[self.protection])?;
        if let Some(body) = body {
            county.tables.write(&shape.parts, body, &mut out)?;
        }
        due.put(county.at(received_ms), shape.number, &self.subject.key, out.end()?);
        Ok(())
    }
}
