//! The simulator's rows until they are received: by day, one behind the other, so that none is an object of its own.
//! It is what `producers.simulation.due` keeps in Python; the words are that module's.

use hashbrown::HashMap;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::dates::DAY_MS;

/// A time's lowest bits, which name the county.
const COUNTY_BITS: u32 = 3;

/// A row: when it is received, with the county's bits, and of which kind; and where its key and its event are.
#[derive(Clone, Copy)]
struct Place {
    at: u64,
    kind: u8,
    start: usize,
    event: usize,
    end: usize,
}

/// Rows in the order in which they were put.
#[derive(Default)]
#[pyclass(frozen, sequence)]
pub struct Rows {
    places: Vec<Place>,
    bytes: Vec<u8>,
}

impl Rows {
    fn put(&mut self, at: u64, kind: u8, key: &[u8], event: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(event);
        self.places.push(Place { at, kind, start, event: start + key.len(), end: self.bytes.len() });
    }

    fn append(&mut self, others: &Rows) {
        let first = self.bytes.len();
        self.bytes.extend_from_slice(&others.bytes);
        self.places.extend(others.places.iter().map(|place| Place {
            start: place.start + first,
            event: place.event + first,
            end: place.end + first,
            ..*place
        }));
    }

    /// When each is received, in their order.
    pub fn times(&self) -> impl Iterator<Item = u64> + '_ {
        self.places.iter().map(|place| place.at)
    }

    /// The kind, the key and the event of a row.
    pub fn row(&self, at: usize) -> (usize, &[u8], &[u8]) {
        let place = &self.places[at];
        (place.kind.into(), &self.bytes[place.start..place.event], &self.bytes[place.event..place.end])
    }
}

#[pymethods]
impl Rows {
    fn __len__(&self) -> usize {
        self.places.len()
    }

    /// One row as Python has it: without a note.
    fn __getitem__<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyTuple>> {
        let received = self.places.get(at).ok_or_else(|| PyIndexError::new_err("row"))?.at;
        let (kind, key, event) = self.row(at);
        (received, kind, PyBytes::new(py, key), PyBytes::new(py, event), py.None()).into_pyobject(py)
    }

    /// The kinds, a byte a row.
    fn kinds<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.places.iter().map(|place| place.kind).collect::<Vec<_>>())
    }
}

/// Rows that wait, by the day since 1970 on which they are received.
#[derive(Default)]
#[pyclass]
pub struct Due {
    days: HashMap<i64, Rows>,
}

#[pymethods]
impl Due {
    #[new]
    fn new() -> Due {
        Due::default()
    }

    /// A row that will be received at a time, which has the county's bits, in milliseconds.
    pub fn put(&mut self, at: u64, kind: u8, key: &[u8], event: &[u8]) {
        let day = (at >> COUNTY_BITS) as i64 / DAY_MS;
        self.days.entry(day).or_default().put(at, kind, key, event);
    }

    /// The rows of so many days, which wait no longer.
    fn take(&mut self, first_day: i64, days: i64) -> Rows {
        let mut found = (first_day..first_day + days).filter_map(|day| self.days.remove(&day));
        let mut all = found.next().unwrap_or_default();
        for rows in found {
            all.append(&rows);
        }
        all
    }
}
