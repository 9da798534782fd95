//! The check `identifier_checksum`.

use hashbrown::HashSet;

use crate::avro::{fields_at, slice_at, Type, Types, Unsupported};

use super::spot::{is_text, unknown, Event, Spot};

/// The scheme whose checksum is proven here.
const NHS_NUMBER: &[u8] = b"nhs_number";

/// Identifiers: records with a scheme and a value, or texts of the one scheme whose checksum is proven here.
pub enum Identifiers {
    /// The set has the schemes that have a checksum.
    Named(Vec<Named>, HashSet<Vec<u8>>),
    Texts(Vec<Spot>),
}

/// A record with a scheme and a value, and which of its fields they are.
pub struct Named {
    spot: Spot,
    fields: [usize; 2],
}

impl Identifiers {
    pub fn new(
        spots: Vec<Spot>,
        scheme: Option<&str>,
        checked: HashSet<Vec<u8>>,
        types: &Types,
    ) -> Result<Self, Unsupported> {
        if spots.iter().all(|spot| types.all[spot.row] == Type::Text) {
            return if scheme.map(str::as_bytes) == Some(NHS_NUMBER) { Ok(Self::Texts(spots)) } else { Err(unknown()) };
        }
        let named = |spot: Spot| {
            let at = |name: &str| types.field(spot.row, name).filter(|at| is_text(types, types.fields(spot.row)[*at]));
            Ok(Named { spot, fields: [at("scheme").ok_or_else(unknown)?, at("value").ok_or_else(unknown)?] })
        };
        Ok(Self::Named(spots.into_iter().map(named).collect::<Result<_, _>>()?, checked))
    }

    pub fn surely_holds(&self, event: &Event) -> bool {
        match self {
            Self::Named(places, checked) => {
                places.iter().all(|place| event.each(place.spot, |at| is_sound(event, place, checked, at)))
            }
            Self::Texts(spots) => {
                spots.iter().all(|spot| event.each(*spot, |at| is_nhs_number(slice_at(event.body, &mut { at }))))
            }
        }
    }
}

fn is_sound(event: &Event, place: &Named, checked: &HashSet<Vec<u8>>, at: usize) -> bool {
    let found = fields_at(event.types, place.spot.row, event.body, at, place.fields);
    let [Some(scheme), Some(number)] = found.map(|at| at.map(|at| slice_at(event.body, &mut { at }))) else {
        return true;
    };
    if scheme == NHS_NUMBER {
        is_nhs_number(number)
    } else {
        !checked.contains(scheme)
    }
}

/// Ten digits of which the last is the modulus 11 check digit. Source: NHS Data Dictionary, NHS NUMBER.
fn is_nhs_number(text: &[u8]) -> bool {
    if text.len() != 10 || !text.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = text[..9].iter().zip((2..=10).rev()).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    let check = (11 - sum % 11) % 11;
    check < 10 && check == u32::from(text[9] - b'0')
}
