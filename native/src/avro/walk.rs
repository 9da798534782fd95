//! Walking over bytes that were found sound (`sound`): nothing is checked again.

use std::convert::Infallible;
use std::ops::Deref;

use super::types::{Type, Types, NO_FIELD};

/// Bytes that were checked and, for each union, array and map in them, where it ends, noted at the place where it begins.
/// No two of them begin at the same place: each has a byte of its own first.
pub struct Body<'a> {
    bytes: &'a [u8],
    ends: &'a [u32],
}

impl<'a> Body<'a> {
    pub fn new(bytes: &'a [u8], ends: &'a [u32]) -> Body<'a> {
        Body { bytes, ends }
    }

    #[inline]
    fn end(&self, at: usize) -> usize {
        self.ends[at] as usize
    }
}

impl Deref for Body<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

#[inline]
pub(super) fn unzigzag(raw: u64) -> i64 {
    ((raw >> 1) as i64) ^ -((raw & 1) as i64)
}

/// A number of bytes that were checked.
#[inline]
pub fn long_at(b: &[u8], at: &mut usize) -> i64 {
    let first = b[*at];
    if first < 0x80 {
        *at += 1;
        return unzigzag(u64::from(first));
    }
    longer_at(b, at)
}

fn longer_at(b: &[u8], at: &mut usize) -> i64 {
    let mut raw: u64 = 0;
    let mut shift = 0;
    loop {
        let byte = b[*at];
        *at += 1;
        raw |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return unzigzag(raw);
        }
        shift += 7;
    }
}

/// A text or bytes that were checked.
#[inline]
pub fn slice_at<'a>(b: &'a [u8], at: &mut usize) -> &'a [u8] {
    let length = long_at(b, at) as usize;
    let start = *at;
    *at += length;
    &b[start..*at]
}

/// Move behind one value that was checked.
#[inline]
pub fn skip(types: &Types, t: usize, b: &Body, at: &mut usize) {
    match &types.all[t] {
        // What an event has most of.
        Type::Union(_) | Type::Array(_) | Type::Map(_) => *at = b.end(*at),
        kind => skip_other(types, kind, b, at),
    }
}

fn skip_other(types: &Types, kind: &Type, b: &Body, at: &mut usize) {
    match kind {
        Type::Null => {}
        Type::Boolean => *at += 1,
        Type::Int | Type::Long | Type::Enum(_) => {
            while b[*at] >= 0x80 {
                *at += 1;
            }
            *at += 1;
        }
        Type::Float => *at += 4,
        Type::Double => *at += 8,
        Type::Fixed(size) => *at += size,
        Type::Bytes | Type::Text => {
            slice_at(b, at);
        }
        Type::Union(_) | Type::Array(_) | Type::Map(_) => *at = b.end(*at),
        Type::Record(fields) => {
            for field in fields {
                skip(types, *field, b, at);
            }
        }
    }
}

/// Whether a value follows that was checked, behind its union's branch where it is of one: `at` moves behind that.
#[inline]
pub fn present_at(types: &Types, row: usize, b: &[u8], at: &mut usize) -> bool {
    match &types.all[row] {
        Type::Union(branches) => types.all[branches[long_at(b, at) as usize]] != Type::Null,
        kind => *kind != Type::Null,
    }
}

/// Where the values of these fields of a record that was checked begin, each behind its union's branch; None for null.
pub fn fields_at<const N: usize>(
    types: &Types,
    row: usize,
    b: &Body,
    mut at: usize,
    wanted: [usize; N],
) -> [Option<usize>; N] {
    let mut found = [None; N];
    let Some(last) = wanted.iter().filter(|each| **each != NO_FIELD).max() else { return found };
    for (number, field) in types.fields(row).iter().enumerate().take(last + 1) {
        if let Some(position) = wanted.iter().position(|each| *each == number) {
            let mut here = at;
            found[position] = present_at(types, *field, b, &mut here).then_some(here);
        }
        skip(types, *field, b, &mut at);
    }
    found
}

/// Every item of an array or map that was checked; `item` moves behind each.
pub fn items_at<F: FnMut(&mut usize)>(b: &[u8], at: &mut usize, mut item: F) {
    let Ok(()) = blocks_at(b, at, |count, at| -> Result<(), Infallible> {
        (0..count).for_each(|_| item(at));
        Ok(())
    });
}

/// Every block of an array or map that was checked; `block` is given how many items it has and moves behind them.
pub fn blocks_at<E, F>(b: &[u8], at: &mut usize, mut block: F) -> Result<(), E>
where
    F: FnMut(i64, &mut usize) -> Result<(), E>,
{
    loop {
        let count = long_at(b, at);
        if count == 0 {
            return Ok(());
        }
        if count < 0 {
            long_at(b, at);
        }
        block(count.abs(), at)?;
    }
}

/// How many items an array or map that was checked has, whatever its blocks; `at` stays.
pub fn count_at(types: &Types, of: usize, keyed: bool, b: &Body, at: usize) -> i64 {
    let mut end = at;
    let mut total = 0;
    loop {
        let count = long_at(b, &mut end);
        if count == 0 {
            return total;
        }
        total += count.abs();
        if count < 0 {
            let size = long_at(b, &mut end) as usize;
            end += size;
            continue;
        }
        for _ in 0..count {
            if keyed {
                slice_at(b, &mut end);
            }
            skip(types, of, b, &mut end);
        }
    }
}
