//! How a fact is recorded wrongly at first. It is what `producers.simulation.mistakes` does in Python.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::simulation::portraits::Likeness;
use crate::simulation::shapes::{Shape, CHILD, HOME, NAME, PERSON};

/// A body with another home, family name or practice; None where there is nothing to mistake.
pub fn mistaken<'py>(shape: &Shape, body: &Bound<'py, PyTuple>, later: u64) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let (py, number) = (body.py(), (later >> 24) as u32);
    let Some((at, is_home)) = shape.mistakes[(later & 1) as usize] else { return Ok(None) };
    let right = body.get_item(at)?;
    let wrong = match shape.parts[at] {
        PERSON | CHILD | NAME => {
            let mut likeness = Likeness::of(right.cast::<PyBytes>()?.as_bytes())?;
            if is_home {
                likeness.set_home(number);
            } else {
                likeness.set_family(number);
            }
            PyBytes::new(py, likeness.bytes()).into_any()
        }
        HOME => number.into_pyobject(py)?.into_any(),
        _ => (number & 0xFFFF).into_pyobject(py)?.into_any(),
    };
    let parts = body.iter().enumerate().map(|(each, part)| if each == at { wrong.clone() } else { part });
    Ok(Some(PyTuple::new(py, parts.collect::<Vec<_>>())?))
}
