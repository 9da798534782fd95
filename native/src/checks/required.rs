//! The check `required_if`.

use serde_json::Value;

use crate::avro::{slice_at, Type, Types, Unsupported};
use crate::filters::{number_at, wanted, Wanted};
use crate::program::CheckRow;
use crate::scan::Scanner;
use crate::text::is_space;

use super::spot::{spot, unknown, Event, Spot};

/// Some value at one of `spots` has to say something, unless the change is one of `unless`, or `when` does not hold.
pub struct Required {
    spots: Vec<Spot>,
    unless: Vec<usize>,
    when: Option<(Spot, Option<Wanted>)>,
}

impl Required {
    pub fn new(row: &CheckRow, types: &Types, scanner: &mut Scanner) -> Result<Required, Unsupported> {
        let spots = row.paths.iter().map(|path| spot(scanner, types, path)).collect::<Result<Vec<_>, _>>()?;
        let change = |text: &str| scanner.changes.iter().position(|change| change == text);
        let unless = row.params.get("unless_change").and_then(Value::as_array);
        let unless = unless.map(|listed| listed.iter().filter_map(Value::as_str).filter_map(change).collect());
        let unless = unless.unwrap_or_default();
        let when = match row.params.get("when") {
            None | Some(Value::Null) => None,
            Some(when) => {
                let path = when.get("path").and_then(Value::as_str).ok_or_else(unknown)?;
                let place = spot(scanner, types, path)?;
                let values = when.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
                let known = if values.is_empty() { None } else { Some(wanted(&values, types, place.row)?) };
                Some((place, known))
            }
        };
        Ok(Required { spots, unless, when })
    }

    pub fn surely_holds(&self, event: &Event) -> bool {
        self.unless.contains(&event.change)
            || self.when.as_ref().is_some_and(|when| !applies(event, when))
            || self
                .spots
                .iter()
                .all(|spot| event.places[spot.slot].iter().any(|at| said(event, spot.row, *at as usize)))
    }
}

fn applies(event: &Event, when: &(Spot, Option<Wanted>)) -> bool {
    let (spot, known) = when;
    event.places[spot.slot].iter().any(|at| match known {
        None => true,
        Some(Wanted::Texts(texts)) => {
            let value = slice_at(event.body, &mut { *at as usize });
            texts.iter().any(|text| text == value)
        }
        Some(Wanted::Numbers(numbers)) => numbers.contains(&number_at(event.types, spot.row, event.body, *at as usize)),
    })
}

/// Whether a value surely says something: anything but a text, or a text with an ASCII character that is no space.
fn said(event: &Event, row: usize, mut at: usize) -> bool {
    event.types.all[row] != Type::Text || slice_at(event.body, &mut at).iter().any(|b| b.is_ascii() && !is_space(*b))
}
