//! Writes an event that stands as JSON as an Avro body, in one pass. What it does not surely write as Python's
//! `producers._writer` does is left to that, which then writes it or says what is wrong with it: it refuses nothing.
//! Sources: RFC 8259; Avro 1.12 specification, "Binary Encoding".

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::avro::{put_bytes, put_long, Type, Types, Unsupported};

const DOUBLE_MAX_WHOLE: u64 = 1 << 53;
const MISSING: Span = (u32::MAX, u32::MAX);

type Span = (u32, u32);

/// What stands for the fields that are missing: by row and field, as Avro.
pub struct Defaults(Vec<Vec<Option<Vec<u8>>>>);

impl Defaults {
    /// Refuses a program whose defaults cannot be read.
    pub fn new(types: &Types) -> Result<Defaults, Unsupported> {
        let none = Defaults(vec![Vec::new(); types.all.len()]);
        let mut made = Vec::with_capacity(types.all.len());
        for (row, each) in types.rows.iter().enumerate() {
            let written = |(field, default): (&usize, &Option<String>)| {
                let default = default.as_deref()?;
                let mut body = Vec::new();
                none.write_value(types, *field, default, &mut body).then_some(body)
            };
            made.push(types.fields(row).iter().zip(&each.defaults).map(written).collect::<Vec<_>>());
            if made[row].len() != types.fields(row).len() {
                return Err(Unsupported("a record without defaults".into()));
            }
        }
        Ok(Defaults(made))
    }

    /// Write the event `json` as a value of the type `row`; false where it is left to another writer, and `out` then
    /// holds a piece of it.
    pub fn write(&self, types: &Types, row: usize, json: &[u8], out: &mut Vec<u8>) -> bool {
        std::str::from_utf8(json).is_ok_and(|json| self.write_value(types, row, json, out))
    }

    fn write_value(&self, types: &Types, row: usize, json: &str, out: &mut Vec<u8>) -> bool {
        let mut spans = Vec::with_capacity(128);
        let mut reader = serde_json::Deserializer::from_str(json);
        let value = Value { defaults: self, types, row, out, spans: &mut spans };
        value.deserialize(&mut reader).and_then(|()| reader.end()).is_ok()
    }
}

/// One value that is to be written as the type `row`. `spans` are, record in record, where each field was written.
struct Value<'w> {
    defaults: &'w Defaults,
    types: &'w Types,
    row: usize,
    out: &'w mut Vec<u8>,
    spans: &'w mut Vec<Span>,
}

impl Value<'_> {
    /// The type of a value that is not null: behind its union's branch, which is written.
    fn present<E: Error>(&mut self) -> Result<usize, E> {
        let Type::Union(branches) = &self.types.all[self.row] else { return Ok(self.row) };
        match branches[..] {
            [null, row] if self.types.all[null] == Type::Null => {
                self.out.push(2);
                Ok(row)
            }
            _ => Err(other()),
        }
    }

    fn number<E: Error>(&mut self, number: i64) -> Result<(), E> {
        let row = self.present()?;
        match self.types.all[row] {
            Type::Int if i32::try_from(number).is_ok() => put_long(self.out, number),
            Type::Long => put_long(self.out, number),
            Type::Double if number.unsigned_abs() <= DOUBLE_MAX_WHOLE => {
                self.out.extend_from_slice(&(number as f64).to_le_bytes());
            }
            _ => return Err(other()),
        }
        Ok(())
    }

    fn inner(&mut self, row: usize) -> Value<'_> {
        Value { defaults: self.defaults, types: self.types, row, out: self.out, spans: self.spans }
    }

    /// Bring the fields into the schema's order, and write what is missing. The record was begun at `begin`.
    fn order<E: Error>(&mut self, row: usize, begin: usize, base: usize) -> Result<(), E> {
        let mut at = begin as u32;
        let in_order = self.spans[base..].iter().all(|span| span.0 == std::mem::replace(&mut at, span.1));
        if !in_order {
            let end = self.out.len();
            for (number, span) in self.spans[base..].iter().enumerate() {
                if *span != MISSING {
                    self.out.extend_from_within(span.0 as usize..span.1 as usize);
                } else {
                    let default = self.defaults.0[row].get(number).and_then(Option::as_ref).ok_or_else(other)?;
                    self.out.extend_from_slice(default);
                }
            }
            self.out.copy_within(end.., begin);
            self.out.truncate(begin + self.out.len() - end);
        }
        self.spans.truncate(base);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
        text.write_str("a value of the event type")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match &self.types.all[self.row] {
            Type::Null => Ok(()),
            Type::Union(branches) if branches.len() == 2 && self.types.all[branches[0]] == Type::Null => {
                self.out.push(0);
                Ok(())
            }
            _ => Err(other()),
        }
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<(), E> {
        let row = self.present()?;
        if self.types.all[row] != Type::Boolean {
            return Err(other());
        }
        self.out.push(u8::from(value));
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, number: i64) -> Result<(), E> {
        self.number(number)
    }

    fn visit_u64<E: Error>(mut self, number: u64) -> Result<(), E> {
        self.number(i64::try_from(number).map_err(|_| other())?)
    }

    fn visit_f64<E: Error>(mut self, number: f64) -> Result<(), E> {
        let row = self.present()?;
        if self.types.all[row] != Type::Double {
            return Err(other());
        }
        self.out.extend_from_slice(&number.to_le_bytes());
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        let row = self.present()?;
        match self.types.all[row] {
            Type::Text => put_bytes(self.out, text.as_bytes()),
            Type::Enum(_) => {
                let symbol = self.types.rows[row].names.iter().position(|name| name == text).ok_or_else(other)?;
                put_long(self.out, symbol as i64);
            }
            _ => return Err(other()),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let row = self.present()?;
        let Type::Array(of) = self.types.all[row] else { return Err(other()) };
        let begin = self.out.len();
        let mut count = 0;
        while items.next_element_seed(self.inner(of))?.is_some() {
            count += 1;
        }
        if count > 0 {
            // One block: its count goes before the items, once it is known.
            let end = self.out.len();
            put_long(self.out, count);
            let size = self.out.len() - end;
            self.out[begin..].rotate_right(size);
        }
        self.out.push(0);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let row = self.present()?;
        let Type::Record(fields) = &self.types.all[row] else { return Err(other()) };
        let (begin, base) = (self.out.len(), self.spans.len());
        self.spans.resize(base + fields.len(), MISSING);
        let names = &self.types.rows[row].names;
        let mut next = 0;
        while let Some(number) = entries.next_key_seed(Field { names, next })? {
            if self.spans[base + number] != MISSING {
                return Err(other());
            }
            let start = self.out.len() as u32;
            entries.next_value_seed(self.inner(fields[number]))?;
            self.spans[base + number] = (start, self.out.len() as u32);
            next = number + 1;
        }
        self.order(row, begin, base)
    }
}

/// The number of a field, looked for from `next` on.
struct Field<'w> {
    names: &'w [String],
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<usize, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Field<'_> {
    type Value = usize;

    fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
        text.write_str("a field of the event type")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<usize, E> {
        let (before, after) = self.names.split_at(self.next.min(self.names.len()));
        let found = after.iter().position(|name| name == text).map(|at| at + before.len());
        found.or_else(|| before.iter().position(|name| name == text)).ok_or_else(other)
    }
}

/// Left to the other writer. Says nothing of the value.
fn other<E: Error>() -> E {
    E::custom("not written here")
}
