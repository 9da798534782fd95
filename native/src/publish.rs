//! Events as JSON to records of an inbox: those that surely pass every check.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList};
use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::batch::Inbox;
use crate::json::Defaults;
use crate::program::read_program;
use crate::scan::Notes;
use crate::spread::Spread;

/// One inbox for its publisher: `Writer(program, header)`; a record's value is `header`, then the event.
#[pyclass(frozen)]
pub struct Writer {
    inbox: Inbox,
    defaults: Defaults,
    root: usize,
    header: Vec<u8>,
}

/// Records, one behind the other: where each key begins, where its value does, and where that ends.
#[derive(Default)]
struct Records {
    arena: Vec<u8>,
    spans: Vec<Option<(usize, usize, usize)>>,
}

#[pymethods]
impl Writer {
    /// Raises ValueError, naming what, where the program asks for what this executor does not do.
    #[new]
    fn new(program: &str, header: &[u8]) -> PyResult<Writer> {
        let program = read_program(program)?;
        let root = program.root;
        let made = Inbox::new(program, &HashMap::new(), 0, Spread::new(usize::MAX))
            .and_then(|inbox| Ok((Defaults::new(&inbox.types)?, inbox)));
        let (defaults, inbox) = made.map_err(|what| PyValueError::new_err(what.0))?;
        Ok(Writer { inbox, defaults, root, header: header.to_vec() })
    }

    /// The record (key, value) of each event, or None where it is left to Python: it is not surely sound, or has more
    /// than `max_bytes`. The interpreter is free meanwhile.
    fn write<'py>(
        &self,
        py: Python<'py>,
        events: Vec<Option<PyBackedBytes>>,
        now_ms: i64,
        max_bytes: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        let made = py.detach(|| self.records(&events, now_ms, max_bytes));
        PyList::new(
            py,
            made.spans.iter().map(|span| {
                span.map(|(key, value, end)| {
                    (PyBytes::new(py, &made.arena[key..value]), PyBytes::new(py, &made.arena[value..end]))
                })
            }),
        )
    }
}

impl Writer {
    fn records(&self, events: &[Option<PyBackedBytes>], now_ms: i64, max_bytes: usize) -> Records {
        let mut made = Records::default();
        let (mut notes, mut body) = (self.inbox.scanner.notes(), Vec::new());
        for event in events {
            let before = made.arena.len();
            body.clear();
            let span = event.as_ref().and_then(|event| {
                catch_unwind(AssertUnwindSafe(|| {
                    self.record(event, now_ms, max_bytes, &mut notes, &mut body, &mut made.arena)
                }))
                .unwrap_or(None)
            });
            if span.is_none() {
                made.arena.truncate(before);
            }
            made.spans.push(span);
        }
        made
    }

    fn record(
        &self,
        event: &[u8],
        now_ms: i64,
        max_bytes: usize,
        notes: &mut Notes,
        body: &mut Vec<u8>,
        arena: &mut Vec<u8>,
    ) -> Option<(usize, usize, usize)> {
        if !self.defaults.write(&self.inbox.types, self.root, event, body) {
            return None;
        }
        let found = self.inbox.clean(body, now_ms, notes)?;
        let text = |span: (u32, u32)| &body[span.0 as usize..span.1 as usize];
        let (scheme, subject) = (text(found.scheme), text(found.value));
        if scheme.is_empty() || subject.is_empty() {
            return None;
        }
        let key = arena.len();
        arena.extend_from_slice(scheme);
        arena.push(b':');
        arena.extend_from_slice(subject);
        let value = arena.len();
        arena.extend_from_slice(&self.header);
        arena.extend_from_slice(body);
        let end = arena.len();
        (end - key <= max_bytes).then_some((key, value, end))
    }
}
