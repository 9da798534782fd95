//! The simulator's events: prepared Avro filled with what varies. It is what `producers.simulation.telling` makes in
//! Python, byte for byte; the words are that module's.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::avro::put_long;
use crate::due::Due;
use crate::happen::{numbers, Facts};
use crate::mending::{Mending, MORE_BYTES};
use crate::portraits::{Filling, Tables};
use crate::subjects::{People, Subject, Subjects};
use crate::text::{uuid_text, word};

pub const DAY_MS: i64 = 86_400_000;
/// How `received_at` follows `recorded_at`: by 500 ms and 11 random bits.
const LEAST_WAY_MS: i64 = 500;
/// A fact takes a word of 64 random bits and an id: first come all words, then all ids.
const WORD_BYTES: usize = 8;
const ID_BYTES: usize = 16;
/// Of a union of null and one other type.
pub const SOME: u8 = 2;

/// Goes up when `Teller` takes something else: an older build is not used then.
pub const TELLS: u8 = 4;

/// What is the same for all facts of a county.
#[pyclass(frozen)]
pub struct Teller {
    county: i64,
    pub start_ms: i64,
    pub stride: usize,
    /// Facts about people from here on may be told wrongly, so many of 4096.
    pub first: usize,
    wrong_of_4096: u64,
    shapes: Vec<Shape>,
    pub tables: Tables,
    pub subjects: Subjects,
    pub mending: Mending,
}

/// A shape as it is given: its number, its body's parts, which of them is mistaken by the lowest bit of a word and whether
/// for a home; and what stands before, between and behind the slots of a first version, of a later one and of an annulment.
type Given = (u8, Vec<u8>, [Option<(usize, bool)>; 2], Vec<Vec<u8>>, Vec<Vec<u8>>, Vec<Vec<u8>>);

pub struct Shape {
    pub number: u8,
    pub parts: Vec<u8>,
    pub mistakes: [Option<(usize, bool)>; 2],
    first: Vec<Vec<u8>>,
    pub later: Vec<Vec<u8>>,
    pub annulment: Vec<Vec<u8>>,
}

/// The slots of a head's first version.
const HEAD: usize = 9;

#[pymethods]
impl Teller {
    /// `places` are how far apart people stand and the first who may be told of wrongly; `fates` are thresholds of 4096: of
    /// corrected facts, of these and annulled ones, and of all that are told wrongly.
    /// Raises ValueError where a shape has no head or mistakes a part that it has not, or where a table is not whole.
    #[new]
    #[allow(clippy::too_many_arguments)]
    fn new(
        county: i64,
        start_ms: i64,
        places: (usize, usize),
        fates: (u64, u64, u64),
        nhs: (usize, usize),
        shapes: Vec<Given>,
        related: Vec<Vec<u8>>,
        tables: Vec<Vec<Vec<u8>>>,
        delays_ms: Vec<i64>,
        reasons: Vec<Vec<u8>>,
    ) -> PyResult<Teller> {
        let (stride, first) = places;
        let mistakes = |shape: &Given| shape.2.iter().flatten().all(|(at, _)| *at < shape.1.len());
        if stride == 0 || shapes.iter().any(|shape| shape.3.len() <= HEAD || !mistakes(shape)) {
            return Err(PyValueError::new_err("a shape has a head"));
        }
        let shapes = shapes
            .into_iter()
            .map(|(number, parts, mistakes, first, later, annulment)| Shape {
                number,
                parts,
                mistakes,
                first,
                later,
                annulment,
            })
            .collect();
        let (subjects, mending) = (
            Subjects::new(county, stride, nhs, related),
            Mending::new((fates.0, fates.1), delays_ms, reasons)?,
        );
        let tables = Tables::new(&tables);
        Ok(Teller { county, start_ms, stride, first, wrong_of_4096: fates.2, shapes, tables, subjects, mending })
    }

    /// The event of a later version; without a body that of an annulment.
    fn later<'py>(
        &self,
        py: Python<'py>,
        shape: usize,
        head: &Bound<'py, PyTuple>,
        body: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let shape = self.shape(shape)?;
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
        of: PyBuffer<u32>,
        new_ids: &Bound<'py, PyDict>,
        due: &mut Due,
    ) -> PyResult<Vec<usize>> {
        let (shape, people) = (self.shape(shape)?, People { of: numbers(py, &of)?, new_ids });
        let told = match facts.cast::<Facts>() {
            Ok(facts) => Told::Native(facts.get()),
            Err(_) => Told::Python(facts.cast::<PyList>()?),
        };
        let amount = facts.len()?;
        if random.len() != amount * (WORD_BYTES + ID_BYTES) {
            return Err(PyValueError::new_err("random"));
        }
        let (words, ids) = random.split_at(amount * WORD_BYTES);
        let (mut wrong, mut subject, mut related) = (Vec::new(), Subject::default(), Vec::new());
        let mut out = Filling::new(&shape.first);
        for (at, id) in ids.chunks_exact(ID_BYTES).enumerate() {
            let word = word(words, at);
            let (person, recorded_ms) = told.about(at)?;
            if word & 0xFFF < self.wrong_of_4096 && person >= self.first {
                wrong.push(at);
                continue;
            }
            let received_ms = self.received_ms(recorded_ms, word);
            if received_ms < self.start_ms {
                continue;
            }
            let record_id = self.record_id(shape, serial + at as u64);
            self.subjects.write(person, &people, &mut subject)?;
            told.write_related(at, self, &people, &mut related)?;
            let head = Head {
                event_id: uuid(id),
                record_id: &record_id,
                instants: instants(recorded_ms, received_ms),
                subject: &subject.avro,
                related: &related,
                protection: people.protection(person)?,
            };
            out.start();
            told.write(at, &head, shape, &self.tables, &mut out)?;
            due.put(self.at(received_ms), shape.number, &subject.key, out.end()?);
        }
        Ok(wrong)
    }

    /// Put the rows of facts that are told wrongly into `due`, of those at `places`: `random` is what `tell` was given,
    /// `more` has `MORE_BYTES` for each place.
    #[allow(clippy::too_many_arguments)]
    fn tell_wrongly<'py>(
        &self,
        py: Python<'py>,
        shape: usize,
        serial: u64,
        facts: &Bound<'py, PyAny>,
        random: &[u8],
        places: Vec<usize>,
        more: &[u8],
        of: PyBuffer<u32>,
        new_ids: &Bound<'py, PyDict>,
        due: &mut Due,
    ) -> PyResult<()> {
        let (shape, people) = (self.shape(shape)?, People { of: numbers(py, &of)?, new_ids });
        if more.len() != places.len() * MORE_BYTES {
            return Err(PyValueError::new_err("random"));
        }
        for (at, more) in places.into_iter().zip(more.chunks_exact(MORE_BYTES)) {
            let fact = facts.get_item(at)?;
            let word = random.get(at * WORD_BYTES..).filter(|rest| rest.len() >= WORD_BYTES);
            let word = word.map(|rest| crate::text::word(rest, 0)).ok_or_else(|| PyValueError::new_err("random"))?;
            let record_id = self.record_id(shape, serial + at as u64);
            self.mend(shape, fact.cast::<PyTuple>()?, &record_id, word, more, &people, due)?;
        }
        Ok(())
    }
}

impl Teller {
    fn shape(&self, at: usize) -> PyResult<&Shape> {
        self.shapes.get(at).ok_or_else(|| PyIndexError::new_err("shape"))
    }

    /// When what is recorded is received, by a word's highest bits.
    pub fn received_ms(&self, recorded_ms: i64, word: u64) -> i64 {
        recorded_ms + LEAST_WAY_MS + (word >> 53) as i64
    }

    /// A time as rows have it.
    pub fn at(&self, received_ms: i64) -> u64 {
        (received_ms << 3 | self.county) as u64
    }

    /// Eleven digits as Avro: the county, the event type, and a number counting up, one more than `serial`.
    fn record_id(&self, shape: &Shape, serial: u64) -> [u8; 12] {
        let mut text = [22; 12];
        write_digits(self.county as u64 + 1, &mut text[1..2]);
        write_digits(shape.number.into(), &mut text[2..4]);
        write_digits(serial + 1, &mut text[4..]);
        text
    }
}

/// What of an event's head does not stand in its fact.
struct Head<'a> {
    event_id: [u8; 37],
    record_id: &'a [u8],
    instants: Vec<u8>,
    subject: &'a [u8],
    related: &'a [u8],
    protection: u8,
}

impl Head<'_> {
    fn write(&self, life: &[u8], occurred: &[u8], out: &mut Filling) -> PyResult<()> {
        out.fill(&self.event_id)?;
        out.fill(self.record_id)?;
        out.fill(life)?;
        out.fill(&self.instants)?;
        out.fill(occurred)?;
        out.fill(self.record_id)?;
        out.fill(self.subject)?;
        out.fill(self.related)?;
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

    /// The others whom a fact names; the extension's own facts name nobody.
    fn write_related(&self, at: usize, teller: &Teller, people: &People, out: &mut Vec<u8>) -> PyResult<()> {
        match self {
            Told::Native(_) => {
                out.clear();
                out.push(0);
                Ok(())
            }
            Told::Python(facts) => {
                let fact = facts.get_item(at)?;
                let others = fact.cast::<PyTuple>()?.get_item(5)?;
                teller.subjects.write_related(others.cast::<PyTuple>()?, people, &teller.tables, out)
            }
        }
    }

    fn write(&self, at: usize, head: &Head, shape: &Shape, tables: &Tables, out: &mut Filling) -> PyResult<()> {
        match self {
            Told::Native(facts) => {
                let (life, occurred) = facts.pieces(at);
                head.write(life, occurred, out)?;
                facts.write(at, tables, out)
            }
            Told::Python(facts) => {
                let fact = facts.get_item(at)?;
                let fact = fact.cast::<PyTuple>()?;
                let [occurred, life] = [fact.get_item(2)?, fact.get_item(4)?];
                let bytes = |piece| -> PyResult<&[u8]> { Ok(Bound::cast::<PyBytes>(piece)?.as_bytes()) };
                head.write(bytes(&life)?, bytes(&occurred)?, out)?;
                tables.write(&shape.parts, fact.get_item(3)?.cast::<PyTuple>()?, out)
            }
        }
    }
}

/// `recorded_at` and `received_at`.
pub fn instants(recorded_ms: i64, received_ms: i64) -> Vec<u8> {
    let mut made = Vec::with_capacity(16);
    made.push(SOME);
    put_long(&mut made, recorded_ms);
    put_long(&mut made, received_ms);
    made
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
