//! Avro bytes: sound structure, checked byte by byte, and walking over what was found sound.
//!
//! The rules are those of Python's `tidings.projection.structure`, one by one. Source: Avro 1.12 specification,
//! "Binary Encoding"; of two encodings of a number only the shortest is taken.

use std::convert::Infallible;
use std::ops::Deref;

use crate::program::TypeRow;

pub const MAX_EMPTY_ITEMS: u32 = 1024;
pub const MAX_DEPTH: u32 = 48;

/// The bytes are not one record of the schema. Carries nothing of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// The program names something that this executor does not do: the inbox is left to another one.
#[derive(Debug)]
pub struct Unsupported(pub String);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Enum(usize),
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    Record(Vec<usize>),
}

/// One schema's types by row, with what a view's encoding of each needs to know.
pub struct Types {
    pub all: Vec<Type>,
    pub rows: Vec<TypeRow>,
    /// Whether a view writes a value of the type as the event does, where arrays come in one block.
    pub verbatim: Vec<bool>,
    /// Of a record, the numbers of the fields that masks look for, in the order of `PARTS`.
    parts: Vec<[usize; PARTS.len()]>,
}

const PARTS: [&str; 4] = ["scheme", "value", "year", "month"];

impl Types {
    pub fn new(rows: Vec<TypeRow>) -> Result<Types, Unsupported> {
        let all = rows.iter().map(read_type).collect::<Result<Vec<_>, _>>()?;
        let verbatim = (0..all.len()).map(|t| is_verbatim(&all, t, 0)).collect();
        let number = |row: &TypeRow, name: &str| row.names.iter().position(|n| n == name).unwrap_or(NO_FIELD);
        let parts = rows.iter().map(|row| PARTS.map(|name| number(row, name))).collect();
        Ok(Types { all, rows, verbatim, parts })
    }

    /// The type behind a union of null and one type, or of one type alone; any other type as it is.
    pub fn present(&self, t: usize) -> usize {
        match &self.all[t] {
            Type::Union(branches) => {
                let mut rest = branches.iter().filter(|b| self.all[**b] != Type::Null);
                match (rest.next(), rest.next()) {
                    (Some(one), None) => *one,
                    _ => t,
                }
            }
            _ => t,
        }
    }

    pub fn field(&self, record: usize, name: &str) -> Option<usize> {
        self.rows[record].names.iter().position(|n| n == name)
    }

    /// Scheme and value among a record's fields; `NO_FIELD` where it has none of the name.
    pub fn named(&self, record: usize) -> [usize; 2] {
        let [scheme, value, ..] = self.parts[record];
        [scheme, value]
    }

    /// Year and month, likewise.
    pub fn dated(&self, record: usize) -> [usize; 2] {
        let [.., year, month] = self.parts[record];
        [year, month]
    }

    pub fn fields(&self, record: usize) -> &[usize] {
        match &self.all[record] {
            Type::Record(fields) => fields,
            _ => &[],
        }
    }
}

fn read_type(row: &TypeRow) -> Result<Type, Unsupported> {
    Ok(match row.kind.as_str() {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        "string" => Type::Text,
        "fixed" => Type::Fixed(row.size),
        "enum" => Type::Enum(row.names.len()),
        "array" => Type::Array(row.of[0]),
        "map" => Type::Map(row.of[0]),
        "union" => Type::Union(row.of.clone()),
        "record" => Type::Record(row.of.clone()),
        other => return Err(Unsupported(format!("the Avro type {other}"))),
    })
}

fn is_verbatim(all: &[Type], t: usize, depth: u32) -> bool {
    if depth > 16 {
        return false;
    }
    match &all[t] {
        Type::Float => false,
        Type::Array(of) | Type::Map(of) => is_verbatim(all, *of, depth + 1),
        Type::Union(branches) => {
            branches.len() == 2 && all[branches[0]] == Type::Null && is_verbatim(all, branches[1], depth + 1)
        }
        Type::Record(fields) => fields.iter().all(|f| {
            matches!(all[*f], Type::Null | Type::Union(_) | Type::Array(_) | Type::Map(_)) && is_verbatim(all, *f, depth + 1)
        }),
        _ => true,
    }
}

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
fn unzigzag(raw: u64) -> i64 {
    ((raw >> 1) as i64) ^ -((raw & 1) as i64)
}

/// The number at `at`, which moves behind it.
#[inline]
pub fn read_long(b: &[u8], at: &mut usize, bits: u32) -> Result<i64, Malformed> {
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

pub fn put_long(out: &mut Vec<u8>, number: i64) {
    let mut raw = ((number << 1) ^ (number >> 63)) as u64;
    while raw > 0x7f {
        out.push((raw as u8 & 0x7f) | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

pub fn put_bytes(out: &mut Vec<u8>, data: &[u8]) {
    put_long(out, data.len() as i64);
    out.extend_from_slice(data);
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
            if byte > 1 { Err(Malformed) } else { Ok(()) }
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
            if index < 0 || index >= *symbols as i64 { Err(Malformed) } else { Ok(()) }
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
            if *at == before { spend_empty(budget) } else { Ok(()) }
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
            if keys.windows(2).any(|pair| pair[0] == pair[1]) { Err(Malformed) } else { Ok(()) }
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

/// A number of bytes that were checked.
#[inline]
pub fn long_at(b: &[u8], at: &mut usize) -> i64 {
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
pub fn skip(types: &Types, t: usize, b: &Body, at: &mut usize) {
    match &types.all[t] {
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

/// In place of a field's number: a field that the record does not have.
pub const NO_FIELD: usize = usize::MAX;

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
