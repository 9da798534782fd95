//! Row filters on the noted places: `tidings.projection.where` on bytes.

use serde_json::Value;

use crate::avro::{long_at, slice_at, Type, Types, Unsupported};
use crate::program::ConditionRow;
use crate::scan::{Places, Scanner};

pub enum Wanted {
    Texts(Vec<Vec<u8>>),
    Numbers(Vec<i64>),
}

/// One condition: any value at the path passes where `op` holds; none is `missing`.
pub struct Condition {
    slot: usize,
    row: usize,
    wanted: Wanted,
    prefix: bool,
    negated: bool,
    missing: bool,
}

impl Condition {
    pub fn new(row: &ConditionRow, types: &Types, scanner: &mut Scanner) -> Result<Condition, Unsupported> {
        let (slot, of) = scanner.slot(types, &row.path)?;
        Ok(Condition {
            slot,
            row: of,
            wanted: wanted(&row.values, types, of)?,
            prefix: row.op == "starts_with",
            negated: row.op == "not_in",
            missing: row.missing == "include",
        })
    }

    pub fn passes(&self, types: &Types, b: &[u8], places: &Places) -> bool {
        let found = &places[self.slot];
        if found.is_empty() {
            return self.missing;
        }
        found.iter().any(|at| self.holds(types, b, *at as usize))
    }

    fn holds(&self, types: &Types, b: &[u8], mut at: usize) -> bool {
        match &self.wanted {
            Wanted::Texts(texts) => {
                let value = slice_at(b, &mut at);
                if self.prefix {
                    return texts.iter().any(|text| value.starts_with(text));
                }
                texts.iter().any(|text| text == value) != self.negated
            }
            Wanted::Numbers(numbers) => {
                let value = number_at(types, self.row, b, at);
                numbers.contains(&value) != self.negated
            }
        }
    }
}

pub fn number_at(types: &Types, row: usize, b: &[u8], mut at: usize) -> i64 {
    if types.all[row] == Type::Boolean {
        i64::from(b[at])
    } else {
        long_at(b, &mut at)
    }
}

pub fn wanted(values: &[Value], types: &Types, row: usize) -> Result<Wanted, Unsupported> {
    let refuse = || Unsupported("a value that the field's type does not have".into());
    let number = |value: &Value| match &types.all[row] {
        Type::Enum(_) => value
            .as_str()
            .and_then(|text| types.rows[row].names.iter().position(|name| name == text))
            .map(|at| at as i64),
        Type::Boolean => value.as_bool().map(i64::from),
        Type::Int | Type::Long => value.as_i64().filter(|_| value.is_i64() || value.is_u64()),
        _ => None,
    };
    if types.all[row] == Type::Text {
        let texts = values.iter().map(|value| value.as_str().map(|text| text.as_bytes().to_vec()));
        return texts.collect::<Option<_>>().map(Wanted::Texts).ok_or_else(refuse);
    }
    values.iter().map(number).collect::<Option<_>>().map(Wanted::Numbers).ok_or_else(refuse)
}
