//! The simulator's rows as records of an Avro container, and the records of several processes merged by time. It is what
//! `producers.simulation.container` and `country` make in Python, byte for byte.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::avro::{put_bytes, put_long};
use crate::simulation::{Rows, SOME};

/// Records one behind the other: when each is received, and how long it is, as native numbers; then all of them.
type Records<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// Where a row stands.
enum Row<'a, 'py> {
    Sound(&'a Rows, usize),
    Bad(Bound<'py, PyTuple>),
}

/// The records of what is received, of each county sound rows and a list of (time, kind, key, event, note): in the order of
/// time. `starts` has by kind what stands before the key, `placeholder` stands before the event. `odd(place, kind, key,
/// event, note)` makes the record of a row with a note.
#[pyfunction]
pub fn frame<'py>(
    py: Python<'py>,
    received: Vec<(Bound<'py, Rows>, Bound<'py, PyList>)>,
    starts: Vec<PyBackedBytes>,
    placeholder: &[u8],
    odd: &Bound<'py, PyAny>,
) -> PyResult<Records<'py>> {
    let mut rows = Vec::new();
    for (sound, bad) in &received {
        let sound = sound.get();
        rows.extend(sound.times().enumerate().map(|(at, time)| (time, Row::Sound(sound, at))));
        for row in bad.iter() {
            let row = row.cast_into::<PyTuple>()?;
            rows.push((row.get_borrowed_item(0)?.extract()?, Row::Bad(row)));
        }
    }
    rows.sort_by_key(|(time, _)| *time);
    let (mut at, mut lengths, mut data) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (time, row)) in rows.iter().enumerate() {
        let begins = data.len();
        match row {
            Row::Sound(rows, number) => {
                let (kind, key, event) = rows.row(*number);
                data.extend_from_slice(starts.get(kind).ok_or_else(|| PyValueError::new_err("kind"))?);
                put_bytes(&mut data, key);
                data.push(SOME);
                put_long(&mut data, (placeholder.len() + event.len()) as i64);
                data.extend_from_slice(placeholder);
                data.extend_from_slice(event);
            }
            Row::Bad(row) => {
                let [kind, key, event, note] = [1, 2, 3, 4].map(|at| row.get_item(at));
                let made = odd.call1((place, kind?, key?, event?, note?))?;
                data.extend_from_slice(made.cast::<PyBytes>()?.as_bytes());
            }
        }
        at.extend_from_slice(&time.to_ne_bytes());
        lengths.extend_from_slice(&u32::try_from(data.len() - begins)?.to_ne_bytes());
    }
    Ok((PyBytes::new(py, &at), PyBytes::new(py, &lengths), PyBytes::new(py, &data)))
}

/// All records of `batches`, each as `frame` makes them, in the order of time; of one time, in the batches' order.
#[pyfunction]
pub fn merge<'py>(
    py: Python<'py>,
    batches: Vec<(PyBackedBytes, PyBackedBytes, PyBackedBytes)>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut records = Vec::new();
    let mut whole = 0;
    for (at, lengths, data) in &batches {
        let mut rest = &data[..];
        for (at, length) in at.chunks_exact(8).zip(lengths.chunks_exact(4)) {
            let length = u32::from_ne_bytes(length.try_into().expect("four bytes")) as usize;
            let (record, after) = rest.split_at_checked(length).ok_or_else(|| PyValueError::new_err("lengths"))?;
            records.push((u64::from_ne_bytes(at.try_into().expect("eight bytes")), record));
            rest = after;
        }
        whole += data.len();
    }
    records.sort_by_key(|(at, _)| *at);
    let mut merged = Vec::with_capacity(whole);
    for (_, record) in records {
        merged.extend_from_slice(record);
    }
    Ok(PyBytes::new(py, &merged))
}
