//! The deduplication window, as Python holds it.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::window;

use super::records::Raw;

/// `tidings.deduplication.Window`, the same definition and the same methods.
#[pyclass]
pub struct Window {
    window: window::Window,
}

impl Window {
    pub fn inner(&mut self) -> &mut window::Window {
        &mut self.window
    }
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
        self.window.remembered()
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
