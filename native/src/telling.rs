//! The simulator's events: prepared Avro filled with what varies, framed as a container's records, merged by time. It is
//! what `producers.simulation.telling` makes in Python, byte for byte; the words are that module's.

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::avro::{put_bytes, put_long};

const DAY_MS: i64 = 86_400_000;
/// How `received_at` follows `recorded_at`: by 500 ms and 11 random bits.
const LEAST_WAY_MS: i64 = 500;
/// A fact takes a word of 64 random bits and an id: first come all words, then all ids.
const WORD_BYTES: usize = 8;
const ID_BYTES: usize = 16;
/// Where a person's state stands, from the person's own place on, and bits of it.
const STATE: usize = 1;
const PROTECTION: u32 = 12;
const HAS_NEW_ID: u32 = 32;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// What is the same for all facts of a county.
#[pyclass(frozen)]
pub struct Teller {
    county: i64,
    start_ms: i64,
    stride: usize,
    /// Facts about people from here on may be told wrongly, so many of 4096.
    first: usize,
    wrong_of_4096: u64,
    /// NHS numbers of the county: the first, and how many.
    nhs: (usize, usize),
    shapes: Vec<Shape>,
}

/// One shape of an event type: its number, and the Avro before, between and behind its slots.
struct Shape {
    number: i64,
    between: Vec<Vec<u8>>,
}

/// The slots of a head's first version.
const HEAD: usize = 9;

#[pymethods]
impl Teller {
    #[new]
    fn new(
        county: i64,
        start_ms: i64,
        stride: usize,
        first: usize,
        wrong_of_4096: u64,
        nhs: (usize, usize),
        shapes: Vec<(i64, Vec<Vec<u8>>)>,
    ) -> PyResult<Teller> {
        if stride == 0 || shapes.iter().any(|(_, between)| between.len() <= HEAD) {
            return Err(PyValueError::new_err("a shape has a head"));
        }
        let shapes = shapes.into_iter().map(|(number, between)| Shape { number, between }).collect();
        Ok(Teller { county, start_ms, stride, first, wrong_of_4096, nhs, shapes })
    }

    /// Put the rows of right facts into `due`. Returns the places of those that are told wrongly, of which none is made.
    #[allow(clippy::too_many_arguments)]
    fn tell<'py>(
        &self,
        py: Python<'py>,
        shape: usize,
        serial: u64,
        facts: &Bound<'py, PyList>,
        random: &[u8],
        of: &Bound<'py, PyAny>,
        new_ids: &Bound<'py, PyDict>,
        due: &Bound<'py, PyDict>,
    ) -> PyResult<Vec<usize>> {
        let shape = self.shapes.get(shape).ok_or_else(|| PyIndexError::new_err("shape"))?;
        if random.len() != facts.len() * (WORD_BYTES + ID_BYTES) {
            return Err(PyValueError::new_err("random"));
        }
        let (words, ids) = random.split_at(facts.len() * WORD_BYTES);
        let random = words.chunks_exact(WORD_BYTES).zip(ids.chunks_exact(ID_BYTES));
        let (mut event, mut wrong) = (Vec::with_capacity(1024), Vec::new());
        for (at, (fact, (word, id))) in facts.iter().zip(random).enumerate() {
            let fact = fact.cast::<PyTuple>()?;
            let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
            let person: usize = fact.get_borrowed_item(0)?.extract()?;
            if word & 0xFFF < self.wrong_of_4096 && person >= self.first {
                wrong.push(at);
                continue;
            }
            let recorded_ms: i64 = fact.get_borrowed_item(1)?.extract()?;
            let received_ms = recorded_ms + LEAST_WAY_MS + (word >> 53) as i64;
            if received_ms < self.start_ms {
                continue;
            }
            let record_id = format!("\u{16}{}{:02}{:08}", self.county + 1, shape.number, serial + at as u64 + 1);
            let state: u32 = of.get_item(person + STATE)?.extract()?;
            let key = self.subject(person, state, new_ids)?;
            event.clear();
            self.write(shape, fact, (recorded_ms, received_ms), (id, record_id.as_bytes()), (&key.0, state), &mut event)?;
            let row = (
                received_ms << 3 | self.county,
                shape.number,
                PyBytes::new(py, &key.1),
                PyBytes::new(py, &event),
                py.None(),
            );
            add(due, received_ms.div_euclid(DAY_MS), row.into_pyobject(py)?)?;
        }
        Ok(wrong)
    }
}

impl Teller {
    fn write(
        &self,
        shape: &Shape,
        fact: &Bound<'_, PyTuple>,
        (recorded_ms, received_ms): (i64, i64),
        (id, record_id): (&[u8], &[u8]),
        (subject, state): (&[u8], u32),
        out: &mut Vec<u8>,
    ) -> PyResult<()> {
        let bytes = |at: usize| fact.get_borrowed_item(at);
        let (occurred, body, life, related) = (bytes(2)?, bytes(3)?, bytes(4)?, bytes(5)?);
        let body = body.cast::<PyTuple>()?;
        let mut between = shape.between.iter();
        if body.len() + HEAD + 1 != between.len() {
            return Err(PyValueError::new_err("pieces do not fill the slots"));
        }
        let mut next = |out: &mut Vec<u8>| out.extend_from_slice(between.next().expect("counted"));
        next(out);
        write_uuid(id, out);
        next(out);
        out.extend_from_slice(record_id);
        next(out);
        out.extend_from_slice(life.cast::<PyBytes>()?.as_bytes());
        next(out);
        out.push(2);
        put_long(out, recorded_ms);
        put_long(out, received_ms);
        next(out);
        out.extend_from_slice(occurred.cast::<PyBytes>()?.as_bytes());
        next(out);
        out.extend_from_slice(record_id);
        next(out);
        out.extend_from_slice(subject);
        next(out);
        out.extend_from_slice(related.cast::<PyBytes>()?.as_bytes());
        next(out);
        out.push((state & PROTECTION) as u8 >> 1);
        next(out);
        for piece in body.iter_borrowed() {
            out.extend_from_slice(piece.cast::<PyBytes>()?.as_bytes());
            next(out);
        }
        Ok(())
    }

    /// A person's subject as Avro, and the Kafka key that it makes.
    fn subject(&self, person: usize, state: u32, new_ids: &Bound<'_, PyDict>) -> PyResult<(Vec<u8>, Vec<u8>)> {
        if state & HAS_NEW_ID != 0 {
            let found = new_ids.get_item(person)?.ok_or_else(|| PyIndexError::new_err("new id"))?;
            return found.extract();
        }
        let at = person / self.stride;
        let (scheme, value) = match (at < self.nhs.1).then(|| nhs_number(self.nhs.0 + at)).flatten() {
            Some(value) => ("nhs_number", value),
            None => ("simulated_person", format!("S{}{:09}", self.county, at)),
        };
        let mut subject = Vec::with_capacity(32);
        put_bytes(&mut subject, scheme.as_bytes());
        put_bytes(&mut subject, value.as_bytes());
        Ok((subject, format!("{scheme}:{value}").into_bytes()))
    }
}

/// 999, six digits and the check digit; None where there is none. Source: NHS Data Dictionary, "NHS NUMBER".
fn nhs_number(six_digits: usize) -> Option<String> {
    let (mut rest, mut sum) = (six_digits, 9 * (10 + 9 + 8));
    for weight in 2..=7 {
        sum += rest % 10 * weight;
        rest /= 10;
    }
    match (11 - sum % 11) % 11 {
        10 => None,
        check => Some(format!("999{six_digits:06}{check}")),
    }
}

/// A random uuid, version 4, as an Avro string. Source: RFC 9562.
fn write_uuid(random: &[u8], out: &mut Vec<u8>) {
    out.push(72);
    for (at, &byte) in random.iter().enumerate() {
        let byte = match at {
            6 => 0x40 | byte & 0x0F,
            8 => 0x80 | byte & 0x3F,
            _ => byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

fn add<'py>(due: &Bound<'py, PyDict>, day: i64, row: Bound<'py, PyTuple>) -> PyResult<()> {
    match due.get_item(day)? {
        Some(rows) => rows.cast::<PyList>()?.append(row),
        None => due.set_item(day, PyList::new(due.py(), [row])?),
    }
}
