//! A record of an inbox as Python holds it.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyList, PyTuple};

use crate::window::Record;

/// What is looked at of a `tidings.log.InboxRecord`: offset, key, value.
pub struct Raw(pub i64, pub Option<PyBackedBytes>, pub Option<PyBackedBytes>);

impl<'py> FromPyObject<'_, 'py> for Raw {
    type Error = PyErr;

    fn extract(record: Borrowed<'_, 'py, PyAny>) -> PyResult<Raw> {
        let record = record.cast::<PyTuple>()?;
        let bytes = |at: usize| -> PyResult<Option<PyBackedBytes>> { Ok(record.get_item(at)?.extract()?) };
        Ok(Raw(record.get_item(OFFSET)?.extract()?, bytes(KEY)?, bytes(VALUE)?))
    }
}

/// The places of an `InboxRecord`'s fields.
const OFFSET: usize = 2;
const KEY: usize = 4;
const VALUE: usize = 5;

pub fn held(records: &Bound<'_, PyList>) -> PyResult<Vec<Raw>> {
    records.iter().map(|record| record.extract::<Raw>()).collect::<PyResult<_>>()
}

pub fn records_of(held: &[Raw]) -> Vec<Record<'_>> {
    held.iter().map(|raw| Record { offset: raw.0, key: raw.1.as_deref(), value: raw.2.as_deref() }).collect()
}
