//! Messages on their way to the client.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::batch::Run;

/// Messages to one feed's partition, in order.
#[pyclass]
pub struct Messages {
    run: Run,
    partition: i32,
    next: usize,
}

impl Messages {
    pub fn new(run: Run, partition: i32) -> Messages {
        Messages { run, partition, next: 0 }
    }
}

#[pymethods]
impl Messages {
    fn __len__(&self) -> usize {
        self.run.messages.len()
    }

    /// Message by message: (topic, partition, key, value).
    fn at<'py>(
        &self,
        py: Python<'py>,
        number: usize,
    ) -> PyResult<(&str, i32, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
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
        let topic = PyString::new(py, &self.run.topic);
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
