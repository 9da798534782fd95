//! Whether bytes are one sound value: every length, branch, index, text and block checked before anything is read of it.
//!
//! The rules are those of Python's `tidings.projection.structure`, one by one. Source: Avro 1.12 specification,
//! "Binary Encoding"; of two encodings of a number only the shortest is taken.

use super::types::{Type, Types};
use super::walk::unzigzag;

const MAX_EMPTY_ITEMS: u32 = 1024;
const MAX_DEPTH: u32 = 48;

/// The bytes are not one record of the schema. Carries nothing of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// What one event may use up while it is checked; `irregular` becomes true where an array or map is not one block.
pub struct Budget {
    pub empty_items: u32,
    pub depth: u32,
    pub irregular: bool,
    ends: Vec<u32>,
}

impl Budget {
    /// For a body of `length` bytes. `ends` is room from an event before: whatever is read of it is written first.
    pub fn new(length: usize, mut ends: Vec<u32>) -> Budget {
        if ends.len() < length {
            ends.resize(length, 0);
        }
        Budget { empty_items: MAX_EMPTY_ITEMS, depth: MAX_DEPTH, irregular: false, ends }
    }

    pub fn ends(self) -> Vec<u32> {
        self.ends
    }
}

/// The number at `at`, which moves behind it.
#[inline]
fn read_long(b: &[u8], at: &mut usize, bits: u32) -> Result<i64, Malformed> {
    match b.get(*at) {
        Some(&byte) if byte < 0x80 => {
            *at += 1;
            Ok(unzigzag(u64::from(byte)))
        }
        Some(_) => read_longer(b, at, bits),
        None => Err(Malformed),
    }
}

fn read_longer(b: &[u8], at: &mut usize, bits: u32) -> Result<i64, Malformed> {
    let mut raw: u64 = 0;
    let mut shift = 0;
    loop {
        let byte = *b.get(*at).ok_or(Malformed)?;
        *at += 1;
        let low = u64::from(byte & 0x7f);
        if shift == 63 && low > 1 {
            return Err(Malformed);
        }
        raw |= low << shift;
        if byte < 0x80 {
            if byte == 0 || (bits == 32 && raw >> 32 != 0) {
                return Err(Malformed);
            }
            return Ok(unzigzag(raw));
        }
        shift += 7;
        if shift > bits {
            return Err(Malformed);
        }
    }
}

fn advance(b: &[u8], at: &mut usize, length: i64) -> Result<(), Malformed> {
    if length < 0 || length as u64 > (b.len() - *at) as u64 {
        return Err(Malformed);
    }
    *at += length as usize;
    Ok(())
}

/// Check one value of type `t` from `at`, which moves behind it.
pub fn validate(types: &Types, t: usize, b: &[u8], at: &mut usize, budget: &mut Budget) -> Result<(), Malformed> {
    match &types.all[t] {
        Type::Null => Ok(()),
        Type::Boolean => {
            let byte = *b.get(*at).ok_or(Malformed)?;
            *at += 1;
            if byte > 1 {
                Err(Malformed)
            } else {
                Ok(())
            }
        }
        Type::Int => read_long(b, at, 32).map(|_| ()),
        Type::Long => read_long(b, at, 64).map(|_| ()),
        Type::Float => advance(b, at, 4),
        Type::Double => advance(b, at, 8),
        Type::Fixed(size) => advance(b, at, *size as i64),
        Type::Bytes => {
            let length = read_long(b, at, 64)?;
            advance(b, at, length)
        }
        Type::Text => text(b, at),
        Type::Enum(symbols) => {
            let index = read_long(b, at, 32)?;
            if index < 0 || index >= *symbols as i64 {
                Err(Malformed)
            } else {
                Ok(())
            }
        }
        Type::Union(branches) => noting_the_end(b, at, budget, |b, at, budget| {
            let branch = branch(branches, b, at)?;
            validate(types, branch, b, at, budget)
        }),
        Type::Record(fields) => {
            enter(budget)?;
            for field in fields {
                validate(types, *field, b, at, budget)?;
            }
            budget.depth += 1;
            Ok(())
        }
        Type::Array(of) => blocks(b, at, budget, |b, at, budget| {
            let before = *at;
            validate(types, *of, b, at, budget)?;
            if *at == before {
                spend_empty(budget)
            } else {
                Ok(())
            }
        }),
        Type::Map(of) => {
            let mut seen: Vec<(usize, usize)> = Vec::new();
            blocks(b, at, budget, |b, at, budget| {
                let before = *at;
                text(b, at)?;
                seen.push((before, *at));
                validate(types, *of, b, at, budget)
            })?;
            let mut keys: Vec<&[u8]> = seen.iter().map(|(from, to)| &b[*from..*to]).collect();
            keys.sort_unstable();
            if keys.windows(2).any(|pair| pair[0] == pair[1]) {
                Err(Malformed)
            } else {
                Ok(())
            }
        }
    }
}

/// Check a union, array or map by `value`, and note where it ends.
#[inline]
pub fn noting_the_end<F>(b: &[u8], at: &mut usize, budget: &mut Budget, value: F) -> Result<(), Malformed>
where
    F: FnOnce(&[u8], &mut usize, &mut Budget) -> Result<(), Malformed>,
{
    let start = *at;
    value(b, at, budget)?;
    budget.ends[start] = *at as u32;
    Ok(())
}

#[inline]
pub fn enter(budget: &mut Budget) -> Result<(), Malformed> {
    if budget.depth == 0 {
        return Err(Malformed);
    }
    budget.depth -= 1;
    Ok(())
}

#[inline]
pub fn spend_empty(budget: &mut Budget) -> Result<(), Malformed> {
    if budget.empty_items == 0 {
        return Err(Malformed);
    }
    budget.empty_items -= 1;
    Ok(())
}

#[inline]
pub fn branch(branches: &[usize], b: &[u8], at: &mut usize) -> Result<usize, Malformed> {
    let index = read_long(b, at, 64)?;
    usize::try_from(index).ok().and_then(|i| branches.get(i).copied()).ok_or(Malformed)
}

fn text(b: &[u8], at: &mut usize) -> Result<(), Malformed> {
    let length = read_long(b, at, 64)?;
    let start = *at;
    advance(b, at, length)?;
    std::str::from_utf8(&b[start..*at]).map(|_| ()).map_err(|_| Malformed)
}

/// Every item of an array's or map's blocks, each checked by `item`; a block's size in bytes must be what it says.
pub fn blocks<F>(b: &[u8], at: &mut usize, budget: &mut Budget, mut item: F) -> Result<(), Malformed>
where
    F: FnMut(&[u8], &mut usize, &mut Budget) -> Result<(), Malformed>,
{
    let (mut first, begin) = (true, *at);
    loop {
        let count = read_long(b, at, 64)?;
        if count == 0 {
            budget.ends[begin] = *at as u32;
            return Ok(());
        }
        if !first || count < 0 {
            budget.irregular = true;
        }
        first = false;
        let size = if count < 0 { Some(read_long(b, at, 64)?) } else { None };
        let start = *at;
        for _ in 0..count.unsigned_abs() {
            item(b, at, budget)?;
        }
        if size.is_some_and(|size| size != (*at - start) as i64) {
            return Err(Malformed);
        }
    }
}
