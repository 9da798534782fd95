//! One inbox under one policy, and its batches on their way.

use std::collections::HashMap;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::batch::{Decided, Given, Inbox, Numbering, Routed, Weighed};
use crate::program::read_program;
use crate::scan::Refused;
use crate::spread::Spread;

use super::messages::Messages;
use super::records::{held, records_of};
use super::window::Window;

/// One inbox under one policy: `Engine(program, keys, key_version, events_a_thread)`.
#[pyclass(frozen)]
pub struct Engine {
    inbox: Inbox,
}

#[pymethods]
impl Engine {
    /// Raises ValueError, naming what, where the program asks for what this executor does not do.
    #[new]
    fn new(
        program: &str,
        keys: HashMap<String, HashMap<String, Vec<u8>>>,
        key_version: u16,
        events_a_thread: usize,
    ) -> PyResult<Engine> {
        let inbox = compiled(program, &keys, key_version, Spread::new(events_a_thread))?;
        Ok(Engine { inbox })
    }

    /// Which checks are never proven here, by their number: their inbox's events all go to Python.
    fn unproven(&self) -> Vec<usize> {
        self.inbox.checks.iter().enumerate().filter(|(_, check)| check.unproven()).map(|(at, _)| at).collect()
    }

    /// None where `body` is an event of the current version; else its reasons as (code, path).
    fn refusal(&self, body: &[u8]) -> Option<Vec<(String, String)>> {
        self.inbox.refusal(body).map(|refused| match refused {
            Refused::Undecodable => vec![("undecodable".into(), String::new())],
            Refused::Head(wrong) => wrong.into_iter().map(|(code, path)| (code.into(), path.into())).collect(),
        })
    }

    /// What the view of this number makes of `body`, its flags apart: (outcome, key, value after its sequence), or None
    /// where it is left to another executor.
    fn project<'py>(
        &self,
        py: Python<'py>,
        body: &[u8],
        view: usize,
    ) -> Option<(u8, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let (outcome, key, tail) = self.inbox.project(body, view)?;
        Some((outcome as u8, PyBytes::new(py, &key), PyBytes::new(py, &tail)))
    }

    /// `body`, an event under another version's schema id, as one of the current version; None where it is left to Python.
    fn resolve<'py>(&self, py: Python<'py>, schema_id: u32, body: &[u8]) -> Option<Bound<'py, PyBytes>> {
        let mut made = Vec::new();
        self.inbox.resolve(schema_id, body, &mut self.inbox.scanner.notes(), &mut made)?;
        Some(PyBytes::new(py, &made))
    }

    /// Whether `body` surely passes every check.
    fn proves(&self, body: &[u8], now_ms: i64) -> bool {
        self.inbox.proves(body, now_ms)
    }

    /// Weigh records (as `tidings.log.InboxRecord`) of one partition. The interpreter is free meanwhile.
    fn weigh(
        &self,
        py: Python<'_>,
        partition: i32,
        records: &Bound<'_, PyList>,
        window: &Bound<'_, Window>,
        modes: &[u8],
        now_ms: i64,
    ) -> PyResult<Batch> {
        let held = held(records)?;
        if modes.len() != self.inbox.views.len() {
            return Err(PyValueError::new_err("one mode a view"));
        }
        let mut window = window.borrow_mut();
        let window = window.inner();
        let weighed = py.detach(|| self.inbox.weigh(partition, &records_of(&held), window, modes, now_ms));
        Ok(Batch { weighed })
    }

    /// Number and write down what was weighed. See `Inbox::route`. Raises RuntimeError where the two do not fit.
    #[allow(clippy::too_many_arguments)]
    fn route(
        &self,
        py: Python<'_>,
        batch: &Batch,
        decided: Vec<(Vec<u8>, Vec<Option<Given>>)>,
        nonces: &[u8],
        epoch: &str,
        tag_key: &[u8],
        sequences: Vec<i64>,
        room: usize,
    ) -> PyResult<Written> {
        let decided: Vec<Decided> = decided.into_iter().map(|(entry, views)| Decided { entry, views }).collect();
        let fits = decided.len() == batch.weighed.deferred.len() && sequences.len() == self.inbox.views.len();
        let numbering = Numbering { nonces, epoch: epoch.as_bytes(), tag_key, sequences: &sequences, room };
        let made = py.detach(|| fits.then(|| self.inbox.route(&batch.weighed, &decided, &numbering)).flatten());
        let made = made.ok_or_else(|| PyRuntimeError::new_err("what was decided does not fit what was weighed"))?;
        Ok(Written { made: Some(made) })
    }
}

/// An inbox as `Engine` has it. Raises ValueError as that does.
pub fn compiled(
    program: &str,
    keys: &HashMap<String, HashMap<String, Vec<u8>>>,
    key_version: u16,
    spread: Spread,
) -> PyResult<Inbox> {
    Inbox::new(read_program(program)?, keys, key_version, spread).map_err(|what| PyValueError::new_err(what.0))
}

/// A batch that was weighed.
#[pyclass(frozen)]
pub struct Batch {
    weighed: Weighed,
}

#[pymethods]
impl Batch {
    /// The events left to Python: (number in the batch, 0 new | 1 duplicate | 2 reused).
    #[getter]
    fn deferred(&self) -> Vec<(usize, u8)> {
        self.weighed.deferred.iter().map(|(number, sighting)| (*number, *sighting as u8)).collect()
    }
}

/// What a batch came to.
#[pyclass]
pub struct Written {
    made: Option<Routed>,
}

#[pymethods]
impl Written {
    /// The parts of the decision block: (entries, last offset, their bytes).
    fn parts<'py>(&self, py: Python<'py>) -> Vec<(usize, i64, Bound<'py, PyBytes>)> {
        let parts = self.made.iter().flat_map(|made| &made.parts);
        parts.map(|(count, last, bytes)| (*count, *last, PyBytes::new(py, bytes))).collect()
    }

    /// The last sequence of each feed, view by view.
    fn sequences(&self) -> Vec<i64> {
        self.made.as_ref().map(|made| made.sequences.clone()).unwrap_or_default()
    }

    /// Events that were not deferred: delivered, withdrawn, filtered, held.
    fn outcomes(&self) -> [u64; 4] {
        self.made.as_ref().map(|made| made.outcomes).unwrap_or_default()
    }

    /// All events, view by view: delivered, withdrawn, filtered, held.
    fn by_view(&self) -> Vec<[u64; 4]> {
        self.made.as_ref().map(|made| made.by_view.clone()).unwrap_or_default()
    }

    /// The messages, one run a view that has any. They can be taken once.
    fn runs(&mut self, partition: i32) -> Vec<Messages> {
        let runs = self.made.as_mut().map(|made| std::mem::take(&mut made.runs)).unwrap_or_default();
        runs.into_iter().filter(|run| !run.messages.is_empty()).map(|run| Messages::new(run, partition)).collect()
    }
}
