//! Dates as proofs read them, in any form that an event writes them in.

use crate::avro::{fields_at, long_at, slice_at, Type, Types, Unsupported};
use crate::dates::{from_text, Partial, DAY_MS};

use super::spot::{unknown, Event, Spot};

/// How a date is written at a place.
#[derive(Clone, Copy)]
pub enum Dated {
    Record([usize; 5]),
    Text,
    Instant,
}

pub enum Date {
    Day(Partial),
    Instant(i64),
    Unread,
}

pub fn dated(types: &Types, spots: Vec<Spot>) -> Result<Vec<(Spot, Dated)>, Unsupported> {
    spots.into_iter().map(|spot| Ok((spot, how_dated(types, spot.row)?))).collect()
}

pub fn how_dated(types: &Types, row: usize) -> Result<Dated, Unsupported> {
    match &types.all[row] {
        Type::Text => Ok(Dated::Text),
        Type::Long => Ok(Dated::Instant),
        Type::Record(fields) => {
            let mut numbers = [0; 5];
            for (number, name) in numbers.iter_mut().zip(["year", "month", "day", "time", "zone"]) {
                *number = types.field(row, name).ok_or_else(unknown)?;
            }
            let whole = |at: usize| types.all[types.present(fields[at])] == Type::Int;
            if numbers[..3].iter().all(|at| whole(*at)) {
                Ok(Dated::Record(numbers))
            } else {
                Err(unknown())
            }
        }
        _ => Err(unknown()),
    }
}

pub fn each_date(event: &Event, spots: &[(Spot, Dated)], holds: impl Fn(Date) -> bool) -> bool {
    spots.iter().all(|(spot, dated)| event.each(*spot, |at| holds(read_date(event, spot.row, *dated, at))))
}

pub fn read_date(event: &Event, row: usize, dated: Dated, mut at: usize) -> Date {
    match dated {
        Dated::Instant => Date::Instant(long_at(event.body, &mut at)),
        Dated::Text => from_text(slice_at(event.body, &mut at)).map_or(Date::Unread, Date::Day),
        Dated::Record(numbers) => {
            let found = fields_at(event.types, row, event.body, at, numbers);
            let number = |field: usize| found[field].map(|at| long_at(event.body, &mut { at }));
            let exact = found[3].is_none() && found[4].is_none();
            number(0).map_or(Date::Unread, |year| Date::Day(Partial { year, month: number(1), day: number(2), exact }))
        }
    }
}

/// The latest that the earliest instant of a date can be, and the earliest that its latest can be; `zoned` of an
/// instant. A time of day and a zone move a date by less than two days forward and one back.
fn bounds(date: &Date) -> Option<(i64, i64, Option<bool>)> {
    match date {
        Date::Instant(ms) => Some((*ms, *ms, Some(true))),
        Date::Day(partial) if partial.exists() => {
            let (first, last) = partial.bounds();
            if partial.exact {
                Some((first, last, Some(false)))
            } else {
                Some((first + 2 * DAY_MS, first - DAY_MS, None))
            }
        }
        _ => None,
    }
}

pub fn not_future(date: Date, now_ms: i64) -> bool {
    bounds(&date).is_some_and(|(earliest, _, _)| earliest - DAY_MS <= now_ms)
}

pub fn not_after(first: &Date, then: &Date) -> bool {
    let (Some((earliest, _, one)), Some((_, latest, other))) = (bounds(first), bounds(then)) else { return false };
    let slack = if one.is_some() && other.is_some() && one != other { DAY_MS } else { 0 };
    earliest - slack <= latest
}
