//! The check `same_subject`: whether two parts of a message surely do not contradict each other.

use crate::avro::{fields_at, slice_at, Types, Unsupported};

use super::dates::{how_dated, read_date, Date, Dated};
use super::spot::{is_text, unknown, Event, Spot};

/// Beyond so many comparisons an event is judged elsewhere: time stays bounded.
const PAIRS_MAX: usize = 4_096;

/// Two places, both of identifiers (with the numbers of scheme and value) or both of partial dates.
pub enum Same {
    Ids([(Spot, [usize; 2]); 2]),
    Dates([(Spot, Dated); 2]),
}

impl Same {
    pub fn new(spots: &[Spot], types: &Types) -> Result<Same, Unsupported> {
        let [first, then] = spots else { return Err(unknown()) };
        let ids = |spot: &Spot| {
            let at = |name: &str| types.field(spot.row, name).filter(|at| is_text(types, types.fields(spot.row)[*at]));
            match (at("scheme"), at("value"), types.field(spot.row, "year")) {
                (Some(scheme), Some(value), None) => Some((*spot, [scheme, value])),
                _ => None,
            }
        };
        if let (Some(first), Some(then)) = (ids(first), ids(then)) {
            return Ok(Same::Ids([first, then]));
        }
        let dated = |spot: &Spot| match how_dated(types, spot.row)? {
            how @ Dated::Record(_) if types.field(spot.row, "scheme").is_none() => Ok((*spot, how)),
            _ => Err(unknown()),
        };
        Ok(Same::Dates([dated(first)?, dated(then)?]))
    }

    /// Ids pass where each scheme that both sides have has a value in common; dates where two of them may be one day.
    pub fn surely_holds(&self, event: &Event) -> bool {
        match self {
            Same::Ids([first, then]) => {
                let (firsts, thens) = (named(event, first), named(event, then));
                firsts.len() * thens.len() <= PAIRS_MAX
                    && thens.iter().all(|(scheme, _)| {
                        let mut known = firsts.iter().filter(|(other, _)| other == scheme).peekable();
                        known.peek().is_none() || known.any(|one| thens.contains(one))
                    })
            }
            Same::Dates([first, then]) => {
                let (firsts, thens) = (&event.places[first.0.slot], &event.places[then.0.slot]);
                firsts.is_empty()
                    || thens.is_empty()
                    || (firsts.len() * thens.len() <= PAIRS_MAX
                        && firsts.iter().any(|one| {
                            let one = bounds(event, first, *one);
                            one.is_some() && thens.iter().any(|other| meet(one, bounds(event, then, *other)))
                        }))
            }
        }
    }
}

/// Every scheme with its value, where both are there.
fn named<'a>(event: &Event<'a>, place: &(Spot, [usize; 2])) -> Vec<(&'a [u8], &'a [u8])> {
    let (spot, numbers) = place;
    let read = |at: &u32| {
        let found = fields_at(event.types, spot.row, event.body, *at as usize, *numbers);
        match found.map(|at| at.map(|at| slice_at(event.body, &mut { at }))) {
            [Some(scheme), Some(value)] => Some((scheme, value)),
            _ => None,
        }
    };
    event.places[spot.slot].iter().filter_map(read).collect()
}

/// First and last millisecond of a date that exists and has neither time nor zone.
fn bounds(event: &Event, place: &(Spot, Dated), at: u32) -> Option<(i64, i64)> {
    match read_date(event, place.0.row, place.1, at as usize) {
        Date::Day(partial) if partial.exact && partial.exists() => Some(partial.bounds()),
        _ => None,
    }
}

fn meet(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one.0 <= other.1 && other.0 <= one.1)
}
