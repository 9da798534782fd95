//! Values as the masks `partial` and `generalise` write them.

use crate::avro::{fields_at, long_at, put_bytes, put_long, slice_at, Body, Type, Types};
use crate::dates::{in_time, iso_year_month, postcode, year_month, DAY_MS};
use crate::text::Defer;

use super::operations::To;

/// The mask `partial`: characters are code points.
pub fn put_partial(out: &mut Vec<u8>, text: &[u8], first: usize, last: usize) -> Result<(), Defer> {
    let text = std::str::from_utf8(text).map_err(|_| Defer)?;
    let length = text.chars().count();
    if length < 2 * (first + last) {
        put_long(out, length as i64);
        out.extend(std::iter::repeat_n(b'*', length));
        return Ok(());
    }
    let cut = |characters: usize| text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    let (head, tail) = (cut(first), cut(length - last));
    let hidden = length - first - last;
    put_long(out, (head + hidden + text.len() - tail) as i64);
    out.extend_from_slice(&text.as_bytes()[..head]);
    out.extend(std::iter::repeat_n(b'*', hidden));
    out.extend_from_slice(&text.as_bytes()[tail..]);
    Ok(())
}

/// The mask `generalise`. Returns false where it can make nothing of the value.
pub fn put_general(
    types: &Types,
    row: usize,
    b: &Body,
    mut at: usize,
    to: To,
    out: &mut Vec<u8>,
) -> Result<bool, Defer> {
    if matches!(to, To::Area | To::District) {
        let text = slice_at(b, &mut at);
        if !text.is_ascii() {
            return Err(Defer);
        }
        let Some((area, district)) = postcode(text) else { return Ok(false) };
        put_bytes(out, if to == To::Area { &area } else { &district });
        return Ok(true);
    }
    let Some((year, month)) = read_year_month(types, row, b, at) else { return Ok(false) };
    match (to, month) {
        (To::Month, None) => return Ok(false),
        (To::Month, Some(month)) => put_bytes(out, &month_text(year, month)),
        (To::Year, _) => put_long(out, year),
        _ => put_long(out, year.div_euclid(10) * 10),
    }
    Ok(true)
}

/// `YYYY-MM` of a year from 1 to 9999.
fn month_text(year: i64, month: i64) -> [u8; 7] {
    let digit = |number: i64| b'0' + (number % 10) as u8;
    [digit(year / 1000), digit(year / 100), digit(year / 10), digit(year), b'-', digit(month / 10), digit(month)]
}

fn read_year_month(types: &Types, row: usize, b: &Body, mut at: usize) -> Option<(i64, Option<i64>)> {
    let millis = |ms: i64| {
        in_time(ms).then(|| {
            let (year, month) = year_month(ms.div_euclid(DAY_MS));
            (year, Some(month))
        })
    };
    match &types.all[row] {
        Type::Text => iso_year_month(slice_at(b, &mut at)).map(|(year, month)| (year, Some(month))),
        Type::Long => millis(long_at(b, &mut at)),
        Type::Int => millis(long_at(b, &mut at) * DAY_MS),
        Type::Record(_) => {
            let [year, month] =
                fields_at(types, row, b, at, types.dated(row)).map(|at| at.map(|at| long_at(b, &mut { at })));
            let year = year.filter(|year| (1..=9999).contains(year))?;
            Some((year, month.filter(|month| (1..=12).contains(month))))
        }
        _ => None,
    }
}
