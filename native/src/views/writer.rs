//! One view of one event on its way into bytes: slices of the event and masked values, joined.

use std::ops::Range;

use crate::avro::Type;
use crate::avro::{count_at, fields_at, items_at, long_at, present_at, put_bytes, put_long, skip, slice_at};
use crate::keys::Group;
use crate::scan::Seen;
use crate::text::{normalise, uuid_bytes, uuid_text, Defer};

use super::keep::Keep;
use super::operations::{How, Layout, Op};
use super::values::{put_general, put_partial};

pub struct Writer<'a> {
    layout: &'a Layout,
    seen: &'a Seen<'a>,
    group: &'a Group,
    hidden: bool,
    event_id: [u8; 36],
    /// The subject's scheme and value, and where in `out` the feed's key stands, which is their pseudonym.
    subject: (&'a [u8], &'a [u8]),
    key: Range<usize>,
}

impl<'a> Writer<'a> {
    pub fn new(
        layout: &'a Layout,
        seen: &'a Seen<'a>,
        group: &'a Group,
        hidden: bool,
        subject: (&'a [u8], &'a [u8]),
        key: Range<usize>,
    ) -> Writer<'a> {
        let event_id = &seen.found.event_id;
        let event_id = if layout.event_id_kept { uuid_text(event_id) } else { group.event_id(*event_id) };
        Writer { layout, seen, group, hidden, event_id, subject, key }
    }

    /// Behind the sequence, which is not known yet; `live` unless the view withdraws what it gave before.
    pub fn write(&self, live: bool, out: &mut Vec<u8>) -> Result<(), Defer> {
        // kind: LIVE is symbol 0, WITHDRAWN symbol 2.
        out.push(if live { 0 } else { 4 });
        put_long(out, self.layout.policy_version);
        let mut path = String::new();
        for (number, op) in self.layout.ops.iter().enumerate() {
            if number == self.layout.flags_at {
                out.push(0);
            }
            let at = self.seen.starts[op.at] as usize;
            if live || op.plain {
                self.op(op, at, &mut path, out)?;
            } else if !op.bare {
                out.push(0);
            }
        }
        if self.layout.flags_at == self.layout.ops.len() {
            out.push(0);
        }
        Ok(())
    }

    fn op(&self, op: &Op, mut at: usize, path: &mut String, out: &mut Vec<u8>) -> Result<(), Defer> {
        let (types, b) = (self.seen.types, self.seen.body);
        if op.bare {
            return Ok(());
        }
        match &op.how {
            How::RecordId => {
                put_long(out, self.group.text_length() as i64);
                self.group.put_record_id(out, &self.layout.agency, slice_at(b, &mut at));
                return Ok(());
            }
            How::Keep if op.plain => {
                put_bytes(out, slice_at(b, &mut at));
                return Ok(());
            }
            _ => {}
        }
        let masked = !matches!(op.how, How::Keep | How::Record(_));
        if self.hidden && (op.location || (op.location_below && masked)) {
            out.push(0);
            return Ok(());
        }
        match &op.how {
            How::Absent => out.push(0),
            How::EventId | How::LifeEventId => self.derived_id(op, at, out)?,
            How::Keep => Keep { seen: self.seen, hidden: self.hidden }.field(op.row, &mut at, out),
            How::Redact => self.redact(op.row, at, out),
            _ => {
                let length = path.len();
                if op.sealed {
                    if length > 0 {
                        path.push('.');
                    }
                    path.push_str(&op.name);
                }
                let framed = !matches!(types.all[op.row], Type::Array(_));
                let made = self.around(op, op.row, at, framed, path, out);
                path.truncate(length);
                made?;
            }
        }
        Ok(())
    }

    fn derived_id(&self, op: &Op, mut at: usize, out: &mut Vec<u8>) -> Result<(), Defer> {
        let (types, b) = (self.seen.types, self.seen.body);
        if !present_at(types, op.row, b, &mut at) {
            out.push(0);
            return Ok(());
        }
        let made = if op.at == 0 && matches!(op.how, How::EventId) && !self.layout.event_id_kept {
            self.event_id
        } else {
            let block = uuid_bytes(slice_at(b, &mut at)).ok_or(Defer)?;
            if matches!(op.how, How::EventId) {
                self.group.event_id(block)
            } else {
                self.group.life_event_id(block)
            }
        };
        out.push(2);
        put_bytes(out, &made);
        Ok(())
    }

    fn redact(&self, row: usize, mut at: usize, out: &mut Vec<u8>) {
        let (types, b) = (self.seen.types, self.seen.body);
        let mut kind = row;
        if let Type::Union(branches) = &types.all[row] {
            kind = branches[long_at(b, &mut at) as usize];
        }
        let empty = match &types.all[kind] {
            Type::Null => true,
            Type::Record(fields) => fields.is_empty(),
            Type::Array(_) | Type::Map(_) => long_at(b, &mut at) == 0,
            _ => false,
        };
        if empty {
            out.push(0);
        } else {
            out.push(2);
            put_bytes(out, b"REDACTED");
        }
    }

    /// A masked value inside the arrays and the null that stand around it.
    fn around(
        &self,
        op: &Op,
        row: usize,
        mut at: usize,
        framed: bool,
        path: &mut String,
        out: &mut Vec<u8>,
    ) -> Result<(), Defer> {
        let (types, b) = (self.seen.types, self.seen.body);
        match &types.all[row] {
            Type::Union(branches) => {
                let chosen = branches[long_at(b, &mut at) as usize];
                match &types.all[chosen] {
                    Type::Null => out.push(0),
                    Type::Array(_) => {
                        out.push(2);
                        self.around(op, chosen, at, false, path, out)?;
                    }
                    _ => self.element(op, chosen, at, true, path, out)?,
                }
                Ok(())
            }
            Type::Array(of) => {
                let count = count_at(types, *of, false, b, at);
                if count > 0 {
                    put_long(out, count);
                }
                let length = path.len();
                let mut number = 0;
                let mut failed = None;
                items_at(b, &mut at, |at| {
                    if failed.is_none() {
                        if op.sealed {
                            path.truncate(length);
                            path.push_str(&format!("[{number}]"));
                        }
                        number += 1;
                        failed = self.around(op, *of, *at, false, path, out).err();
                    }
                    skip(types, *of, b, at);
                });
                path.truncate(length);
                out.push(0);
                failed.map_or(Ok(()), Err)
            }
            _ => self.element(op, row, at, framed, path, out),
        }
    }

    fn element(
        &self,
        op: &Op,
        row: usize,
        mut at: usize,
        framed: bool,
        path: &mut String,
        out: &mut Vec<u8>,
    ) -> Result<(), Defer> {
        let (types, b) = (self.seen.types, self.seen.body);
        if framed || op.null {
            out.push(2);
        }
        match &op.how {
            How::Record(children) => self.parts(children, row, at, path, out)?,
            How::Partial { first, last } => put_partial(out, slice_at(b, &mut at), *first, *last)?,
            How::Pseudonym { scheme } => self.pseudonym(row, at, scheme, out)?,
            How::Encrypt => {
                if self.seen.found.irregular {
                    return Err(Defer);
                }
                let start = at;
                skip(types, row, b, &mut at);
                self.group.put_encrypted(out, &b[start..at], path.as_bytes(), &self.event_id);
            }
            How::Generalise(to) => {
                if !put_general(types, row, b, at, *to, out)? {
                    out.pop();
                    out.push(0);
                }
            }
            _ => return Err(Defer),
        }
        Ok(())
    }

    fn parts(
        &self,
        children: &[Op],
        row: usize,
        mut at: usize,
        path: &mut String,
        out: &mut Vec<u8>,
    ) -> Result<(), Defer> {
        let (types, b) = (self.seen.types, self.seen.body);
        let fields = types.fields(row);
        let mut next = 0;
        for child in children {
            while next < child.at {
                skip(types, fields[next], b, &mut at);
                next += 1;
            }
            self.op(child, at, path, out)?;
        }
        Ok(())
    }

    fn pseudonym(&self, row: usize, mut at: usize, scheme: &[u8], out: &mut Vec<u8>) -> Result<(), Defer> {
        let (types, b) = (self.seen.types, self.seen.body);
        if matches!(types.all[row], Type::Record(_)) {
            let [named, value] = fields_at(types, row, b, at, types.named(row))
                .map(|at| at.map_or(&b[..0], |at| slice_at(b, &mut { at })));
            return self.put_text_pseudonym(named, value, out);
        }
        let value = slice_at(b, &mut at);
        if types.rows[row].logical == "uuid" {
            if let Some(block) = uuid_bytes(value) {
                put_bytes(out, &self.group.uuid(block));
                return Ok(());
            }
        }
        self.put_text_pseudonym(scheme, value, out)
    }

    fn put_text_pseudonym(&self, scheme: &[u8], value: &[u8], out: &mut Vec<u8>) -> Result<(), Defer> {
        put_long(out, self.group.text_length() as i64);
        if (scheme, value) == self.subject {
            out.extend_from_within(self.key.clone());
        } else {
            self.group.put_pseudonym(out, scheme, &normalise(scheme, value)?);
        }
        Ok(())
    }
}
