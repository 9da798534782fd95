//! The simulator's events: prepared Avro filled with what varies. It is what `producers.simulation.telling` makes in
//! Python, byte for byte; the words are that module's.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::simulation::county::County;
use crate::simulation::due::Due;
use crate::simulation::facts::Facts;
use crate::simulation::mending::{Mending, MORE_BYTES};
use crate::simulation::people::People;
use crate::simulation::pieces::{instants, uuid, ID_BYTES, WORD_BYTES};
use crate::simulation::portraits::Tables;
use crate::simulation::shapes::{Given, Shape};
use crate::simulation::splice::Filling;
use crate::simulation::subjects::{Subject, Subjects};
use crate::simulation::told::{Head, Told};
use crate::text::word;

/// Goes up when `Teller` takes something else: an older build is not used then.
pub const TELLS: u8 = 4;

/// Tells what happens in a county.
#[pyclass(frozen)]
pub struct Teller {
    county: County,
    shapes: Vec<Shape>,
    /// Of 4096 facts, so many are told wrongly.
    wrong: u64,
    mending: Mending,
}

#[pymethods]
impl Teller {
    /// `places` are how far apart people stand and the first who may be told of wrongly; `fates` are thresholds of 4096: of
    /// corrected facts, of these and annulled ones, and of all that are told wrongly.
    /// Raises ValueError where a shape has no head or mistakes a part that it has not, or where a table is not whole.
    #[new]
    #[allow(clippy::too_many_arguments)]
    fn new(
        county: i64,
        start_ms: i64,
        places: (usize, usize),
        fates: (u64, u64, u64),
        nhs: (usize, usize),
        shapes: Vec<Given>,
        related: Vec<Vec<u8>>,
        tables: Vec<Vec<Vec<u8>>>,
        delays_ms: Vec<i64>,
        reasons: Vec<Vec<u8>>,
    ) -> PyResult<Teller> {
        let (stride, first) = places;
        if stride == 0 {
            return Err(PyValueError::new_err("a shape has a head"));
        }
        let shapes = shapes.into_iter().map(Shape::new).collect::<PyResult<_>>()?;
        let mending = Mending::new((fates.0, fates.1), delays_ms, reasons)?;
        let (tables, subjects) = (Tables::new(&tables), Subjects::new(county, stride, nhs, related));
        let county = County { number: county, start_ms, stride, first, tables, subjects };
        Ok(Teller { county, shapes, wrong: fates.2, mending })
    }

    /// The event of a later version; without a body that of an annulment.
    fn later<'py>(
        &self,
        py: Python<'py>,
        shape: usize,
        head: &Bound<'py, PyTuple>,
        body: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let shape = self.shape(shape)?;
        let mut out = Filling::new(shape.again(body.is_some()));
        for piece in head.iter_borrowed() {
            out.fill(piece.cast::<PyBytes>()?.as_bytes())?;
        }
        if let Some(body) = body {
            self.county.tables.write(&shape.parts, body, &mut out)?;
        }
        Ok(PyBytes::new(py, out.end()?))
    }

    /// Put the rows of right facts into `due`. Returns the places of those that are told wrongly, of which none is made.
    #[allow(clippy::too_many_arguments)]
    fn tell<'py>(
        &self,
        shape: usize,
        serial: u64,
        facts: &Bound<'py, PyAny>,
        random: &[u8],
        of: PyBuffer<u32>,
        new_ids: &Bound<'py, PyDict>,
        due: &mut Due,
    ) -> PyResult<Vec<usize>> {
        let (shape, people) = (self.shape(shape)?, People::new(&of, new_ids)?);
        let told = match facts.cast::<Facts>() {
            Ok(facts) => Told::Native(facts.get()),
            Err(_) => Told::Python(facts.cast::<PyList>()?),
        };
        let (words, ids) = words_and_ids(random, facts.len()?)?;
        let (mut wrong, mut subject, mut related) = (Vec::new(), Subject::default(), Vec::new());
        let mut out = Filling::new(&shape.first);
        for (at, id) in ids.chunks_exact(ID_BYTES).enumerate() {
            let word = word(words, at);
            let (person, recorded_ms) = told.about(at)?;
            if word & 0xFFF < self.wrong && person >= self.county.first {
                wrong.push(at);
                continue;
            }
            let Some(received_ms) = self.county.received_ms(recorded_ms, word) else { continue };
            let record_id = self.county.record_id(shape, serial + at as u64);
            self.county.subjects.write(person, &people, &mut subject)?;
            told.write_related(at, &self.county, &people, &mut related)?;
            let head = Head {
                event_id: uuid(id),
                record_id: &record_id,
                instants: instants(recorded_ms, received_ms),
                subject: &subject.avro,
                related: &related,
                protection: people.protection(person)?,
            };
            out.start();
            told.write(at, &head, shape, &self.county.tables, &mut out)?;
            due.put(self.county.at(received_ms), shape.number, &subject.key, out.end()?);
        }
        Ok(wrong)
    }

    /// Put the rows of facts that are told wrongly into `due`, of those at `places`: `random` is what `tell` was given,
    /// `more` has `MORE_BYTES` for each place.
    #[allow(clippy::too_many_arguments)]
    fn tell_wrongly<'py>(
        &self,
        shape: usize,
        serial: u64,
        facts: &Bound<'py, PyAny>,
        random: &[u8],
        places: Vec<usize>,
        more: &[u8],
        of: PyBuffer<u32>,
        new_ids: &Bound<'py, PyDict>,
        due: &mut Due,
    ) -> PyResult<()> {
        let (shape, people) = (self.shape(shape)?, People::new(&of, new_ids)?);
        if more.len() != places.len() * MORE_BYTES {
            return Err(PyValueError::new_err("random"));
        }
        let (words, _) = words_and_ids(random, facts.len()?)?;
        for (at, more) in places.into_iter().zip(more.chunks_exact(MORE_BYTES)) {
            let fact = facts.get_item(at)?;
            let (fact, record_id) = (fact.cast::<PyTuple>()?, self.county.record_id(shape, serial + at as u64));
            self.mending.mend(&self.county, shape, fact, &record_id, word(words, at), more, &people, due)?;
        }
        Ok(())
    }
}

impl Teller {
    fn shape(&self, at: usize) -> PyResult<&Shape> {
        self.shapes.get(at).ok_or_else(|| PyIndexError::new_err("shape"))
    }
}

/// A fact takes a word of 64 random bits and an id: first come all words, then all ids. Raises ValueError where `random`
/// has not as many as there are facts.
fn words_and_ids(random: &[u8], facts: usize) -> PyResult<(&[u8], &[u8])> {
    if random.len() != facts * (WORD_BYTES + ID_BYTES) {
        return Err(PyValueError::new_err("random"));
    }
    Ok(random.split_at(facts * WORD_BYTES))
}
