//! By which id a simulated person goes, and the others whom an event names. The words are those of
//! `producers.simulation.people` and `portraits`.

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::avro::{put_bytes, put_long};
use crate::simulation::people::People;
use crate::simulation::pieces::write_digits;
use crate::simulation::portraits::{Likeness, Tables};
use crate::simulation::splice::{Filling, SOME};

/// How ids are given out in a county, and the prepared Avro of somebody who is named in an event about another.
pub struct Subjects {
    county: i64,
    stride: usize,
    /// NHS numbers of the county: the first, and how many.
    nhs: (usize, usize),
    related: Vec<Vec<u8>>,
}

/// A subject as Avro, and the Kafka key that it makes.
#[derive(Default)]
pub struct Subject {
    pub avro: Vec<u8>,
    pub key: Vec<u8>,
}

impl Subjects {
    pub fn new(county: i64, stride: usize, nhs: (usize, usize), related: Vec<Vec<u8>>) -> Subjects {
        Subjects { county, stride, nhs, related }
    }

    /// A person's subject.
    pub fn write(&self, person: usize, people: &People, out: &mut Subject) -> PyResult<()> {
        if people.has_new_id(person)? {
            let found = people.new_ids.get_item(person)?.ok_or_else(|| PyIndexError::new_err("new id"))?;
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

    /// The list of others, each (role, person, likeness): into `out`, as Avro.
    pub fn write_related(
        &self,
        others: &Bound<'_, PyTuple>,
        people: &People,
        tables: &Tables,
        out: &mut Vec<u8>,
    ) -> PyResult<()> {
        out.clear();
        if !others.is_empty() {
            put_long(out, others.len() as i64);
        }
        let mut subject = Subject::default();
        for other in others.iter_borrowed() {
            let (role, person, likeness): (Bound<PyBytes>, usize, Bound<PyBytes>) = other.extract()?;
            self.write(person, people, &mut subject)?;
            let mut made = Filling::new(&self.related);
            made.fill(role.as_bytes())?;
            made.fill_with(&[&[SOME], &subject.avro])?;
            let likeness = Likeness::of(likeness.as_bytes())?;
            tables.write_name(&likeness, &mut made)?;
            tables.write_date_of_birth(&likeness, &mut made)?;
            out.extend_from_slice(made.end()?);
        }
        out.push(0);
        Ok(())
    }
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
