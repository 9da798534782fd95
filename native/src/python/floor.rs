//! For measuring only (cargo's feature `bench`, which no wheel has): the floor, and the exchange without its evidence.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use std::collections::HashMap;

use crate::batch::Inbox;
use crate::spread::Spread;

use super::engine::compiled;
use super::messages::Messages;
use super::records::{held, records_of};

/// One message over and over: the cheapest way to call `produce`.
#[pyclass]
pub(super) struct Constant {
    message: Py<PyTuple>,
    left: usize,
}

#[pymethods]
impl Constant {
    #[new]
    fn new(py: Python<'_>, topic: &str, partition: i32, key: &[u8], value: &[u8], times: usize) -> PyResult<Constant> {
        let message = (topic, PyBytes::new(py, value), PyBytes::new(py, key), partition).into_pyobject(py)?;
        Ok(Constant { message: message.unbind(), left: times })
    }

    /// Call `produce(topic, value, key, partition)` as often as it is due. Whatever it raises passes; the next call
    /// goes on.
    fn send(&mut self, py: Python<'_>, produce: &Bound<'_, PyAny>) -> PyResult<()> {
        let message = self.message.bind(py);
        while self.left > 0 {
            produce.call1(message.clone())?;
            self.left -= 1;
        }
        Ok(())
    }
}

/// One inbox's views and nothing else: no check, no window, no commitment, no decision.
#[pyclass(frozen)]
pub(super) struct Bare {
    inbox: Inbox,
}

#[pymethods]
impl Bare {
    /// See `Engine`.
    #[new]
    fn new(
        program: &str,
        keys: HashMap<String, HashMap<String, Vec<u8>>>,
        key_version: u16,
        events_a_thread: usize,
    ) -> PyResult<Bare> {
        let inbox = compiled(program, &keys, key_version, Spread::new(events_a_thread))?;
        Ok(Bare { inbox })
    }

    /// The messages of a batch, one run a view, and the sequences reached. Raises ValueError for an event that the
    /// views cannot be made of.
    fn project(
        &self,
        py: Python<'_>,
        partition: i32,
        records: &Bound<'_, PyList>,
        sequences: Vec<i64>,
    ) -> PyResult<(Vec<Messages>, Vec<i64>)> {
        let held = held(records)?;
        let made = py.detach(|| self.inbox.bare(&records_of(&held), &sequences));
        let (runs, sequences) = made.ok_or_else(|| PyValueError::new_err("an event without its views"))?;
        let runs = runs.into_iter().map(|run| Messages::new(run, partition)).collect();
        Ok((runs, sequences))
    }
}
