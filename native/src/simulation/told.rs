//! Facts that are told rightly, from wherever they come, as events' first versions.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::simulation::county::County;
use crate::simulation::facts::Facts;
use crate::simulation::people::People;
use crate::simulation::portraits::Tables;
use crate::simulation::shapes::Shape;
use crate::simulation::splice::Filling;

/// What of an event's head does not stand in its fact.
pub struct Head<'a> {
    pub event_id: [u8; 37],
    pub record_id: &'a [u8],
    pub instants: Vec<u8>,
    pub subject: &'a [u8],
    pub related: &'a [u8],
    pub protection: u8,
}

impl Head<'_> {
    fn write(&self, life: &[u8], occurred: &[u8], out: &mut Filling) -> PyResult<()> {
        out.fill(&self.event_id)?;
        out.fill(self.record_id)?;
        out.fill(life)?;
        out.fill(&self.instants)?;
        out.fill(occurred)?;
        out.fill(self.record_id)?;
        out.fill(self.subject)?;
        out.fill(self.related)?;
        out.fill(&[self.protection])
    }
}

/// Facts, from wherever they come.
pub enum Told<'a, 'py> {
    Native(&'a Facts),
    Python(&'a Bound<'py, PyList>),
}

impl Told<'_, '_> {
    /// Whom a fact is about, and when it is recorded.
    pub fn about(&self, at: usize) -> PyResult<(usize, i64)> {
        match self {
            Told::Native(facts) => Ok(facts.about(at)),
            Told::Python(facts) => {
                let fact = facts.get_item(at)?;
                let fact = fact.cast::<PyTuple>()?;
                Ok((fact.get_borrowed_item(0)?.extract()?, fact.get_borrowed_item(1)?.extract()?))
            }
        }
    }

    /// The others whom a fact names; the extension's own facts name nobody.
    pub fn write_related(&self, at: usize, county: &County, people: &People, out: &mut Vec<u8>) -> PyResult<()> {
        match self {
            Told::Native(_) => {
                out.clear();
                out.push(0);
                Ok(())
            }
            Told::Python(facts) => {
                let fact = facts.get_item(at)?;
                let others = fact.cast::<PyTuple>()?.get_item(5)?;
                county.subjects.write_related(others.cast::<PyTuple>()?, people, &county.tables, out)
            }
        }
    }

    pub fn write(&self, at: usize, head: &Head, shape: &Shape, tables: &Tables, out: &mut Filling) -> PyResult<()> {
        match self {
            Told::Native(facts) => {
                let (life, occurred) = facts.pieces(at);
                head.write(life, occurred, out)?;
                facts.write(at, tables, out)
            }
            Told::Python(facts) => {
                let fact = facts.get_item(at)?;
                let fact = fact.cast::<PyTuple>()?;
                let [occurred, life] = [fact.get_item(2)?, fact.get_item(4)?];
                let bytes = |piece| -> PyResult<&[u8]> { Ok(Bound::cast::<PyBytes>(piece)?.as_bytes()) };
                head.write(bytes(&life)?, bytes(&occurred)?, out)?;
                tables.write(&shape.parts, fact.get_item(3)?.cast::<PyTuple>()?, out)
            }
        }
    }
}
