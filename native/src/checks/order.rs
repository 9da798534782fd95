//! The check `date_order`: that one date surely is not after another, each with each of those around them.

use crate::avro::{items_at, long_at, skip, Type, Types, Unsupported};
use crate::scan::Scanner;

use super::dates::{how_dated, not_after, read_date, Dated};
use super::spot::{spot, unknown, Event, Spot};

/// Two dates, or the dates at two places inside each element of `around`.
pub struct Order {
    around: Option<Spot>,
    first: Place,
    then: Place,
}

/// One end of `date_order`: noted by itself, or a way inside each element of `around`.
struct Place {
    spot: Spot,
    inside: Vec<String>,
    dated: Dated,
}

impl Order {
    pub fn new(types: &Types, scanner: &mut Scanner, first: &str, then: &str) -> Result<Order, Unsupported> {
        let (one, other): (Vec<&str>, Vec<&str>) = (first.split('.').collect(), then.split('.').collect());
        let most = one.len().min(other.len()) - 1;
        let same = one.iter().zip(&other).take(most).take_while(|(a, b)| a == b).count();
        let place = |spot: Spot, inside: &[&str]| -> Result<Place, Unsupported> {
            let row = inside_row(types, spot.row, inside)?;
            Ok(Place { spot, inside: inside.iter().map(|s| (*s).to_owned()).collect(), dated: how_dated(types, row)? })
        };
        if same == 0 {
            let (a, b) = (spot(scanner, types, first)?, spot(scanner, types, then)?);
            return Ok(Order { around: None, first: place(a, &[])?, then: place(b, &[])? });
        }
        let around = spot(scanner, types, &one[..same].join("."))?;
        let (first, then) = (place(around, &one[same..])?, place(around, &other[same..])?);
        Ok(Order { around: Some(around), first, then })
    }

    pub fn surely_holds(&self, event: &Event) -> bool {
        let Some(around) = self.around else {
            return self.pairs(event, &values(event, self.first.spot), &values(event, self.then.spot));
        };
        event.each(around, |at| {
            let (mut firsts, mut thens) = (Vec::new(), Vec::new());
            collect(event, around.row, at, &self.then.inside, &mut thens);
            if thens.is_empty() {
                return true;
            }
            collect(event, around.row, at, &self.first.inside, &mut firsts);
            self.pairs(event, &firsts, &thens)
        })
    }

    /// Each of the one with each of the others: values with their types.
    fn pairs(&self, event: &Event, firsts: &[(usize, usize)], thens: &[(usize, usize)]) -> bool {
        firsts.iter().all(|(row, at)| {
            let one = read_date(event, *row, self.first.dated, *at);
            thens.iter().all(|(row, at)| not_after(&one, &read_date(event, *row, self.then.dated, *at)))
        })
    }
}

fn values(event: &Event, spot: Spot) -> Vec<(usize, usize)> {
    event.places[spot.slot].iter().map(|at| (spot.row, *at as usize)).collect()
}

fn inside_row(types: &Types, row: usize, inside: &[&str]) -> Result<usize, Unsupported> {
    let mut row = element(types, row);
    for name in inside {
        let at = types.field(row, name).ok_or_else(unknown)?;
        row = element(types, types.fields(row)[at]);
    }
    Ok(row)
}

fn element(types: &Types, row: usize) -> usize {
    match &types.all[row] {
        Type::Array(of) => element(types, *of),
        Type::Union(_) if types.present(row) != row => element(types, types.present(row)),
        _ => row,
    }
}

/// Every value at `inside` of the value at `at`, with its type; arrays fan out, nulls are dropped.
fn collect(event: &Event, row: usize, at: usize, inside: &[String], found: &mut Vec<(usize, usize)>) {
    let (types, b) = (event.types, event.body);
    let mut at = at;
    match &types.all[row] {
        Type::Null => {}
        Type::Union(branches) => {
            let chosen = branches[long_at(b, &mut at) as usize];
            collect(event, chosen, at, inside, found);
        }
        Type::Array(of) => items_at(b, &mut at, |at| {
            collect(event, *of, *at, inside, found);
            skip(types, *of, b, at);
        }),
        Type::Record(fields) if !inside.is_empty() => {
            let Some(wanted) = types.field(row, &inside[0]) else { return };
            for field in &fields[..wanted] {
                skip(types, *field, b, &mut at);
            }
            collect(event, fields[wanted], at, &inside[1..], found);
        }
        _ => {
            if inside.is_empty() {
                found.push((row, at));
            }
        }
    }
}
