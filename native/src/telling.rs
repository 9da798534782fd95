//! The simulator's events: prepared Avro filled with what varies, framed as a container's records, merged by time. It is
//! what `producers.simulation.telling` makes in Python, byte for byte; the words are that module's.

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::avro::{put_bytes, put_long};
use crate::happen::{Facts, NO_RELATED};
use crate::portraits::{Filling, Tables};
use crate::text::uuid_text;

pub const DAY_MS: i64 = 86_400_000;
/// How `received_at` follows `recorded_at`: by 500 ms and 11 random bits.
const LEAST_WAY_MS: i64 = 500;
/// A fact takes a word of 64 random bits and an id: first come all words, then all ids.
const WORD_BYTES: usize = 8;
const ID_BYTES: usize = 16;
/// Where a person's state stands, from the person's own place on, and bits of it.
const STATE: usize = 1;
const PROTECTION: u32 = 12;
const HAS_NEW_ID: u32 = 32;
/// Of a union of null and one other type.
pub const SOME: u8 = 2;

/// Goes up when `Teller` takes something else: an older build is not used then.
pub const TELLS: u8 = 3;

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
    tables: Tables,
}

/// A shape as it is given: its number, its body's parts, and what stands before, between and behind the slots of a first
/// version, of a later one and of an annulment.
type Given = (i64, Vec<u8>, Vec<Vec<u8>>, Vec<Vec<u8>>, Vec<Vec<u8>>);

struct Shape {
    number: i64,
    parts: Vec<u8>,
    first: Vec<Vec<u8>>,
    later: Vec<Vec<u8>>,
    annulment: Vec<Vec<u8>>,
}

/// The slots of a head's first version.
const HEAD: usize = 9;

#[pymethods]
impl Teller {
    /// Raises ValueError where a shape has no head, IndexError where a table is missing.
    #[new]
    #[allow(clippy::too_many_arguments)]
    fn new(
        county: i64,
        start_ms: i64,
        stride: usize,
        first: usize,
        wrong_of_4096: u64,
        nhs: (usize, usize),
        shapes: Vec<Given>,
        tables: Vec<Vec<Vec<u8>>>,
    ) -> PyResult<Teller> {
        if stride == 0 || shapes.iter().any(|shape| shape.2.len() <= HEAD) {
            return Err(PyValueError::new_err("a shape has a head"));
        }
        let shapes = shapes
            .into_iter()
            .map(|(number, parts, first, later, annulment)| Shape { number, parts, first, later, annulment })
            .collect();
        let tables = Tables::new(&tables);
        Ok(Teller { county, start_ms, stride, first, wrong_of_4096, nhs, shapes, tables })
    }

    /// The event of a later version; without a body that of an annulment.
    fn later<'py>(
        &self,
        py: Python<'py>,
        shape: usize,
        head: &Bound<'py, PyTuple>,
        body: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let shape = self.shapes.get(shape).ok_or_else(|| PyIndexError::new_err("shape"))?;
        let mut out = Filling::new(if body.is_some() { &shape.later } else { &shape.annulment });
        for piece in head.iter_borrowed() {
            out.fill(piece.cast::<PyBytes>()?.as_bytes())?;
        }
        if let Some(body) = body {
            self.tables.write(&shape.parts, body, &mut out)?;
        }
        Ok(PyBytes::new(py, out.end()?))
    }

    /// Put the rows of right facts into `due`. Returns the places of those that are told wrongly, of which none is made.
    #[allow(clippy::too_many_arguments)]
    fn tell<'py>(
        &self,
        py: Python<'py>,
        shape: usize,
        serial: u64,
        facts: &Bound<'py, PyAny>,
        random: &[u8],
        of: &Bound<'py, PyAny>,
        new_ids: &Bound<'py, PyDict>,
        due: &Bound<'py, PyDict>,
    ) -> PyResult<Vec<usize>> {
        let shape = self.shapes.get(shape).ok_or_else(|| PyIndexError::new_err("shape"))?;
        let told = match facts.cast::<Facts>() {
            Ok(facts) => Told::Native(facts.get()),
            Err(_) => Told::Python(facts.cast::<PyList>()?),
        };
        let amount = facts.len()?;
        if random.len() != amount * (WORD_BYTES + ID_BYTES) {
            return Err(PyValueError::new_err("random"));
        }
        let (words, ids) = random.split_at(amount * WORD_BYTES);
        let (mut wrong, mut subject) = (Vec::new(), Subject::default());
        let mut out = Filling::new(&shape.first);
        for (at, (word, id)) in words.chunks_exact(WORD_BYTES).zip(ids.chunks_exact(ID_BYTES)).enumerate() {
            let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
            let (person, recorded_ms) = told.about(at)?;
            if word & 0xFFF < self.wrong_of_4096 && person >= self.first {
                wrong.push(at);
                continue;
            }
            let received_ms = recorded_ms + LEAST_WAY_MS + (word >> 53) as i64;
            if received_ms < self.start_ms {
                continue;
            }
            let record_id = record_id(self.county, shape.number, serial + at as u64 + 1);
            let state: u32 = of.get_item(person + STATE)?.extract()?;
            self.subject(person, state, new_ids, &mut subject)?;
            let head = Head {
                event_id: uuid(id),
                record_id: &record_id,
                instants: instants(recorded_ms, received_ms),
                subject: &subject.avro,
                protection: (state & PROTECTION) as u8 >> 1,
            };
            out.start();
            told.write(at, &head, shape, &self.tables, &mut out)?;
            let row = (
                received_ms << 3 | self.county,
                shape.number,
                PyBytes::new(py, &subject.key),
                PyBytes::new(py, out.end()?),
                py.None(),
            );
            add(due, received_ms.div_euclid(DAY_MS), row.into_pyobject(py)?)?;
        }
        Ok(wrong)
    }
}

/// What of an event's head does not stand in its fact.
struct Head<'a> {
    event_id: [u8; 37],
    record_id: &'a [u8],
    instants: Vec<u8>,
    subject: &'a [u8],
    protection: u8,
}

impl Head<'_> {
    fn write(&self, life: &[u8], occurred: &[u8], related: &[u8], out: &mut Filling) -> PyResult<()> {
        out.fill(&self.event_id)?;
        out.fill(self.record_id)?;
        out.fill(life)?;
        out.fill(&self.instants)?;
        out.fill(occurred)?;
        out.fill(self.record_id)?;
        out.fill(self.subject)?;
        out.fill(related)?;
        out.fill(&[self.protection])
    }
}

/// Facts, from wherever they come.
enum Told<'a, 'py> {
    Native(&'a Facts),
    Python(&'a Bound<'py, PyList>),
}

impl Told<'_, '_> {
    /// Whom a fact is about, and when it is recorded.
    fn about(&self, at: usize) -> PyResult<(usize, i64)> {
        match self {
            Told::Native(facts) => Ok(facts.about(at)),
            Told::Python(facts) => {
                let fact = facts.get_item(at)?;
                let fact = fact.cast::<PyTuple>()?;
                Ok((fact.get_borrowed_item(0)?.extract()?, fact.get_borrowed_item(1)?.extract()?))
            }
        }
    }

    fn write(&self, at: usize, head: &Head, shape: &Shape, tables: &Tables, out: &mut Filling) -> PyResult<()> {
        match self {
            Told::Native(facts) => {
                let (life, occurred) = facts.pieces(at);
                head.write(life, occurred, NO_RELATED, out)?;
                facts.write(at, tables, out)
            }
            Told::Python(facts) => {
                let fact = facts.get_item(at)?;
                let fact = fact.cast::<PyTuple>()?;
                let [occurred, life, related] = [fact.get_item(2)?, fact.get_item(4)?, fact.get_item(5)?];
                let bytes = |piece| -> PyResult<&[u8]> { Ok(Bound::cast::<PyBytes>(piece)?.as_bytes()) };
                head.write(bytes(&life)?, bytes(&occurred)?, bytes(&related)?, out)?;
                tables.write(&shape.parts, fact.get_item(3)?.cast::<PyTuple>()?, out)
            }
        }
    }
}

fn instants(recorded_ms: i64, received_ms: i64) -> Vec<u8> {
    let mut made = Vec::with_capacity(16);
    made.push(SOME);
    put_long(&mut made, recorded_ms);
    put_long(&mut made, received_ms);
    made
}

/// Eleven digits as Avro: the county, the event type, and a number counting up.
fn record_id(county: i64, number: i64, serial: u64) -> [u8; 12] {
    let mut text = [22; 12];
    write_digits(county as u64 + 1, &mut text[1..2]);
    write_digits(number as u64, &mut text[2..4]);
    write_digits(serial, &mut text[4..]);
    text
}

impl Teller {
    /// A person's subject.
    fn subject(
        &self,
        person: usize,
        state: u32,
        new_ids: &Bound<'_, PyDict>,
        out: &mut Subject,
    ) -> PyResult<()> {
        if state & HAS_NEW_ID != 0 {
            let found = new_ids.get_item(person)?.ok_or_else(|| PyIndexError::new_err("new id"))?;
            (out.avro, out.key) = found.extract()?;
            return Ok(());
        }
        let at = person / self.stride;
        if let Some(value) = (at < self.nhs.1).then(|| nhs_number(self.nhs.0 + at)).flatten() {
            out.set(b"nhs_number", &value);
        } else {
            let mut value = *b"S0000000000";
            write_digits(self.county as u64, &mut value[1..2]);
            write_digits(at as u64, &mut value[2..]);
            out.set(b"simulated_person", &value);
        }
        Ok(())
    }
}

/// A subject as Avro, and the Kafka key that it makes.
#[derive(Default)]
struct Subject {
    avro: Vec<u8>,
    key: Vec<u8>,
}

impl Subject {
    fn set(&mut self, scheme: &[u8], value: &[u8]) {
        self.avro.clear();
        put_bytes(&mut self.avro, scheme);
        put_bytes(&mut self.avro, value);
        self.key.clear();
        self.key.extend_from_slice(scheme);
        self.key.push(b':');
        self.key.extend_from_slice(value);
    }
}

/// 999, six digits and the check digit; None where there is none. Source: NHS Data Dictionary, "NHS NUMBER".
fn nhs_number(six_digits: usize) -> Option<[u8; 10]> {
    let mut value = *b"9990000000";
    write_digits(six_digits as u64, &mut value[3..9]);
    let weighted = value[..9].iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight);
    match (11 - weighted.sum::<u32>() % 11) % 11 {
        10 => None,
        check => {
            value[9] = b'0' + check as u8;
            Some(value)
        }
    }
}

/// The last digits of a number, as many as there is room for.
pub fn write_digits(mut number: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// 16 random bytes as a uuid of version 4, as an Avro string. Source: RFC 9562.
pub fn uuid(random: &[u8]) -> [u8; 37] {
    let mut block: [u8; ID_BYTES] = random.try_into().expect("sixteen bytes");
    block[6] = 0x40 | block[6] & 0x0F;
    block[8] = 0x80 | block[8] & 0x3F;
    let mut text = [72; 37];
    text[1..].copy_from_slice(&uuid_text(&block));
    text
}

fn add<'py>(due: &Bound<'py, PyDict>, day: i64, row: Bound<'py, PyTuple>) -> PyResult<()> {
    match due.get_item(day)? {
        Some(rows) => rows.cast::<PyList>()?.append(row),
        None => due.set_item(day, PyList::new(due.py(), [row])?),
    }
}
