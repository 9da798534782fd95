//! One schema's types, with what walking over its values and writing views of them needs to know.

use crate::program::TypeRow;

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

/// In place of a field's number: a field that the record does not have.
pub(super) const NO_FIELD: usize = usize::MAX;

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
            matches!(all[*f], Type::Null | Type::Union(_) | Type::Array(_) | Type::Map(_))
                && is_verbatim(all, *f, depth + 1)
        }),
        _ => true,
    }
}
