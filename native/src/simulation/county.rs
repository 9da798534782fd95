//! What is the same for all that a county's registers tell: when it is received, as which record, and of whom.

use crate::simulation::people::People;
use crate::simulation::pieces::write_digits;
use crate::simulation::portraits::Tables;
use crate::simulation::shapes::Shape;
use crate::simulation::subjects::Subjects;

/// How `received_at` follows `recorded_at`: by 500 ms and 11 random bits.
const LEAST_WAY_MS: i64 = 500;

pub struct County {
    pub number: i64,
    /// Nothing is received before.
    pub start_ms: i64,
    /// How far apart people stand.
    pub stride: usize,
    /// Facts about people from here on may be told wrongly.
    pub first: usize,
    pub tables: Tables,
    pub subjects: Subjects,
}

impl County {
    /// When what is recorded is received, by a word's highest bits; None before the start.
    #[inline]
    pub fn received_ms(&self, recorded_ms: i64, word: u64) -> Option<i64> {
        let received_ms = recorded_ms + LEAST_WAY_MS + (word >> 53) as i64;
        (received_ms >= self.start_ms).then_some(received_ms)
    }

    /// A time as rows have it.
    #[inline]
    pub fn at(&self, received_ms: i64) -> u64 {
        (received_ms << 3 | self.number) as u64
    }

    /// Eleven digits as Avro: the county, the event type, and a number counting up, one more than `serial`.
    pub fn record_id(&self, shape: &Shape, serial: u64) -> [u8; 12] {
        let mut text = [22; 12];
        write_digits(self.number as u64 + 1, &mut text[1..2]);
        write_digits(shape.number.into(), &mut text[2..4]);
        write_digits(serial + 1, &mut text[4..]);
        text
    }

    /// Somebody at random who may be told of wrongly.
    pub fn another(&self, word: u64, people: &People) -> usize {
        let amount = (people.of.len() / self.stride - self.first / self.stride) as u64;
        self.first + (((word >> 12 & 0xFFFF_FFFF) * amount) >> 32) as usize * self.stride
    }
}
