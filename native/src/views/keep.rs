//! Fields that are given in full: copied as they stand where a view writes them so, else taken apart.

use crate::avro::{count_at, items_at, long_at, put_bytes, put_long, skip, slice_at, Type};
use crate::scan::Seen;

/// `hidden` where locations are left out.
pub struct Keep<'a> {
    pub seen: &'a Seen<'a>,
    pub hidden: bool,
}

impl Keep<'_> {
    /// A field that is given in full: framed as every field of a view; arrays and maps are not, nor is null.
    pub fn field(&self, row: usize, at: &mut usize, out: &mut Vec<u8>) {
        if !matches!(self.seen.types.all[row], Type::Null | Type::Union(_) | Type::Array(_) | Type::Map(_)) {
            out.push(2);
        }
        self.value(row, at, out);
    }

    fn value(&self, row: usize, at: &mut usize, out: &mut Vec<u8>) {
        let (types, b) = (self.seen.types, self.seen.body);
        let start = *at;
        if types.verbatim[row] && !self.seen.found.irregular && !self.hidden {
            skip(types, row, b, at);
            out.extend_from_slice(&b[start..*at]);
            return;
        }
        match &types.all[row] {
            Type::Union(branches) => {
                let chosen = branches[long_at(b, at) as usize];
                if types.all[chosen] == Type::Null {
                    out.push(0);
                } else {
                    out.push(2);
                    self.value(chosen, at, out);
                }
            }
            Type::Record(fields) => {
                for (field, location) in fields.iter().zip(&types.rows[row].location) {
                    if self.hidden && *location && types.all[*field] != Type::Null {
                        skip(types, *field, b, at);
                        out.push(0);
                    } else {
                        self.field(*field, at, out);
                    }
                }
            }
            Type::Array(of) => self.items(*of, false, at, out),
            Type::Map(of) => self.items(*of, true, at, out),
            Type::Float => {
                // Python reads a float into a double and back, which makes a signalling NaN a quiet one.
                let mut bits = u32::from_le_bytes([b[start], b[start + 1], b[start + 2], b[start + 3]]);
                if f32::from_bits(bits).is_nan() {
                    bits |= 0x0040_0000;
                }
                out.extend_from_slice(&bits.to_le_bytes());
                *at += 4;
            }
            _ => {
                skip(types, row, b, at);
                out.extend_from_slice(&b[start..*at]);
            }
        }
    }

    fn items(&self, of: usize, keyed: bool, at: &mut usize, out: &mut Vec<u8>) {
        let b = self.seen.body;
        let count = count_at(self.seen.types, of, keyed, b, *at);
        if count > 0 {
            put_long(out, count);
        }
        items_at(b, at, |at| {
            if keyed {
                put_bytes(out, slice_at(b, at));
            }
            self.value(of, at, out);
        });
        out.push(0);
    }
}
