//! What Python sees.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList, PyTuple};
use std::collections::HashMap;

use crate::batch::{Decided, Inbox, Routed, Run, Weighed};
use crate::program::read_program;
use crate::scan::Refused;
use crate::simulation;
use crate::spread::Spread;
use crate::window::{self, Record};

#[cfg(feature = "bench")]
#[path = "floor.rs"]
mod floor;

/// What is looked at of a `tidings.log.InboxRecord`: offset, key, value.
struct Raw(i64, Option<PyBackedBytes>, Option<PyBackedBytes>);

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

/// One inbox under one policy: `Engine(program, keys, key_version, events_a_thread)`.
#[pyclass(frozen)]
struct Engine {
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
        let window = &mut window.window;
        let weighed = py.detach(|| self.inbox.weigh(partition, &records_of(&held), window, modes, now_ms));
        Ok(Batch { weighed })
    }

    /// Number and write down what was weighed. See `Inbox::route`. Raises RuntimeError where the two do not fit.
    #[allow(clippy::too_many_arguments)]
    fn route(
        &self,
        py: Python<'_>,
        batch: &Batch,
        decided: Vec<(Vec<u8>, Vec<Option<(u8, Vec<u8>, Vec<u8>)>>)>,
        nonces: &[u8],
        epoch: &str,
        tag_key: &[u8],
        sequences: Vec<i64>,
        room: usize,
    ) -> PyResult<Written> {
        let decided: Vec<Decided> = decided.into_iter().map(|(entry, views)| Decided { entry, views }).collect();
        let fits = decided.len() == batch.weighed.deferred.len() && sequences.len() == self.inbox.views.len();
        let made = py.detach(|| {
            fits.then(|| {
                self.inbox.route(&batch.weighed, &decided, nonces, epoch.as_bytes(), tag_key, &sequences, room)
            })
            .flatten()
        });
        let made = made.ok_or_else(|| PyRuntimeError::new_err("what was decided does not fit what was weighed"))?;
        Ok(Written { made: Some(made) })
    }
}

/// Raises ValueError as `Engine` does.
fn compiled(
    program: &str,
    keys: &HashMap<String, HashMap<String, Vec<u8>>>,
    key_version: u16,
    spread: Spread,
) -> PyResult<Inbox> {
    Inbox::new(read_program(program)?, keys, key_version, spread).map_err(|what| PyValueError::new_err(what.0))
}

fn held(records: &Bound<'_, PyList>) -> PyResult<Vec<Raw>> {
    records.iter().map(|record| record.extract::<Raw>()).collect::<PyResult<_>>()
}

fn records_of(held: &[Raw]) -> Vec<Record<'_>> {
    held.iter()
        .map(|raw| Record { offset: raw.0, key: raw.1.as_deref(), value: raw.2.as_deref() })
        .collect()
}

/// A batch that was weighed.
#[pyclass(frozen)]
struct Batch {
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
struct Written {
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
        runs.into_iter()
            .filter(|run| !run.messages.is_empty())
            .map(|run| Messages { run, partition, next: 0 })
            .collect()
    }
}

/// Messages to one feed's partition, in order.
#[pyclass]
struct Messages {
    run: Run,
    partition: i32,
    next: usize,
}

#[pymethods]
impl Messages {
    fn __len__(&self) -> usize {
        self.run.messages.len()
    }

    /// Message by message: (topic, partition, key, value).
    fn at<'py>(&self, py: Python<'py>, number: usize) -> PyResult<(&str, i32, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let (key, value) = self.run.messages.get(number).ok_or_else(|| PyValueError::new_err("no such message"))?;
        let arena = &self.run.arena;
        Ok((
            &self.run.topic,
            self.partition,
            PyBytes::new(py, &arena[key.0..key.1]),
            PyBytes::new(py, &arena[value.0..value.1]),
        ))
    }

    /// Call `produce(topic, value, key, partition)` for each message not yet sent. Whatever it raises passes; the next
    /// call goes on with the message on which it was raised.
    fn send(&mut self, py: Python<'_>, produce: &Bound<'_, PyAny>) -> PyResult<()> {
        let topic = pyo3::types::PyString::new(py, &self.run.topic);
        let partition = self.partition.into_pyobject(py)?;
        while let Some((key, value)) = self.run.messages.get(self.next) {
            let arguments = PyTuple::new(
                py,
                [
                    topic.as_any(),
                    PyBytes::new(py, &self.run.arena[value.0..value.1]).as_any(),
                    PyBytes::new(py, &self.run.arena[key.0..key.1]).as_any(),
                    partition.as_any(),
                ],
            )?;
            produce.call1(arguments)?;
            self.next += 1;
        }
        Ok(())
    }
}

/// `tidings.deduplication.Window`, the same definition and the same methods.
#[pyclass]
struct Window {
    window: window::Window,
}

#[pymethods]
impl Window {
    #[new]
    fn new(size: i64) -> PyResult<Window> {
        if size < 0 {
            return Err(PyValueError::new_err("a window's size is not negative"));
        }
        Ok(Window { window: window::Window::new(size) })
    }

    #[getter]
    fn size(&self) -> i64 {
        self.window.size
    }

    #[setter]
    fn set_size(&mut self, size: i64) {
        self.window.size = size;
    }

    fn __len__(&self) -> usize {
        self.window.len()
    }

    fn see(&mut self, record: Raw) -> u8 {
        self.window.see(record.0, record.1.as_deref(), record.2.as_deref()) as u8
    }

    fn commit(&mut self) {
        self.window.commit();
    }

    fn abort(&mut self) {
        self.window.abort();
    }

    fn load(&mut self, records: &Bound<'_, PyAny>, end: i64) -> PyResult<()> {
        self.window.clear();
        for record in records.try_iter()? {
            let record: Raw = record?.extract()?;
            self.window.load(record.0, record.1.as_deref(), record.2.as_deref(), end);
        }
        Ok(())
    }
}

#[pymodule]
fn tidings_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // The default hook prints the panic's message, which may hold a piece of a text.
    std::panic::set_hook(Box::new(|_| {}));
    module.add_class::<Engine>()?;
    module.add_class::<Batch>()?;
    module.add_class::<Written>()?;
    module.add_class::<Messages>()?;
    module.add_class::<Window>()?;
    module.add_class::<crate::publish::Writer>()?;
    module.add_class::<simulation::Teller>()?;
    module.add_class::<simulation::Due>()?;
    module.add_class::<simulation::Rows>()?;
    module.add_class::<simulation::Cells>()?;
    module.add_class::<simulation::Facts>()?;
    module.add_class::<simulation::Crowd>()?;
    module.add_function(wrap_pyfunction!(crate::container::frame, module)?)?;
    module.add_function(wrap_pyfunction!(crate::container::merge, module)?)?;
    #[cfg(feature = "bench")]
    {
        module.add_class::<floor::Constant>()?;
        module.add_class::<floor::Bare>()?;
    }
    // A build from before views could be held would write them to the feed: who compiles a policy asks.
    module.add("HOLDS", true)?;
    module.add("TELLS", simulation::TELLS)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
