//! The places that proofs read, and one event's values there.

use crate::avro::{Body, Type, Types, Unsupported};
use crate::scan::{Places, Scanner};

/// A noted place: its slot and the type of a value there.
#[derive(Clone, Copy)]
pub struct Spot {
    pub slot: usize,
    pub row: usize,
}

/// What every proof reads.
pub struct Event<'a> {
    pub types: &'a Types,
    pub body: &'a Body<'a>,
    pub places: &'a Places,
    pub change: usize,
    pub now_ms: i64,
}

impl Event<'_> {
    /// Whether it holds of every value there.
    pub fn each(&self, spot: Spot, holds: impl Fn(usize) -> bool) -> bool {
        self.places[spot.slot].iter().all(|at| holds(*at as usize))
    }
}

pub fn spot(scanner: &mut Scanner, types: &Types, path: &str) -> Result<Spot, Unsupported> {
    let (slot, row) = scanner.slot(types, path)?;
    Ok(Spot { slot, row })
}

pub fn unknown() -> Unsupported {
    Unsupported("a check that is not proven natively".into())
}

pub fn is_text(types: &Types, row: usize) -> bool {
    types.all[types.present(row)] == Type::Text
}
