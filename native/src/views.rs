//! What one view makes of one event's bytes: the operations of `tidings.projection.program`, joined from slices and
//! masked values.

use hashbrown::HashSet;
use serde_json::Value;
use std::collections::HashMap;

use std::ops::Range;

use crate::avro::{count_at, fields_at, items_at, long_at, present_at, put_bytes, put_long, skip, slice_at};
use crate::avro::{Body, Type, Types, Unsupported};
use crate::dates::{in_time, iso_year_month, postcode, year_month, DAY_MS};
use crate::filters::Condition;
use crate::keys::Group;
use crate::program::{OpRow, Program, ViewRow};
use crate::scan::{Found, Places, Scanner};
use crate::text::{normalise, uuid_bytes, Defer};

#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Year,
    Month,
    Decade,
    Area,
    District,
}

enum How {
    Keep,
    Redact,
    Partial { first: usize, last: usize },
    Pseudonym { scheme: Vec<u8> },
    Generalise(To),
    Encrypt,
    Record(Vec<Op>),
    EventId,
    LifeEventId,
    RecordId,
    Absent,
}

struct Op {
    name: String,
    how: How,
    at: usize,
    row: usize,
    null: bool,
    plain: bool,
    location: bool,
    location_below: bool,
    /// Whether the view's field is of type null, which has no bytes.
    bare: bool,
    /// Whether something at or below binds its path, which has then to be written.
    sealed: bool,
}

#[derive(PartialEq, Eq)]
enum Protected {
    None,
    WithoutLocation,
    Full,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Delivered = 0,
    Withdrawn = 1,
    Filtered = 2,
    /// Delivered or withdrawn, yet to where its views wait.
    Held = 3,
}

pub struct View {
    pub feed: String,
    /// Where the exchange writes: the feed, or the topic where its views wait.
    pub written_to: String,
    pub schema_id: u32,
    group: usize,
    protected: Protected,
    interest: Option<HashSet<Vec<u8>>>,
    conditions: Vec<Condition>,
    flags_at: usize,
    ops: Vec<Op>,
    event_id_kept: bool,
    policy_version: i64,
    agency: Vec<u8>,
}

/// One event as a view sees it.
pub struct Seen<'a> {
    pub types: &'a Types,
    pub body: &'a Body<'a>,
    pub starts: &'a [u32],
    pub found: &'a Found,
    pub created: bool,
}

const NO_FLAGS: usize = usize::MAX;

impl View {
    pub fn new(
        row: &ViewRow,
        program: &Program,
        types: &Types,
        scanner: &mut Scanner,
        groups: &HashMap<String, usize>,
    ) -> Result<View, Unsupported> {
        let ops = row.ops.iter().map(|op| read_op(op, types)).collect::<Result<Vec<_>, _>>()?;
        let first = ops.first().ok_or_else(|| Unsupported("a view without a head".into()))?;
        let event_id_kept = matches!(first.how, How::Keep);
        if ops.iter().any(|op| op.sealed) && !(event_id_kept || matches!(first.how, How::EventId)) {
            return Err(Unsupported("encrypt beside a masked event_id".into()));
        }
        Ok(View {
            feed: row.feed.clone(),
            written_to: row.written_to.clone(),
            schema_id: row.schema_id,
            group: *groups.get(&row.group).ok_or_else(|| Unsupported("a group without keys".into()))?,
            protected: match row.protected.as_str() {
                "none" => Protected::None,
                "without_location" => Protected::WithoutLocation,
                "full" => Protected::Full,
                _ => return Err(Unsupported("a clause about protected people".into())),
            },
            interest: row.interest.as_ref().map(|keys| keys.iter().map(|key| key.as_bytes().to_vec()).collect()),
            conditions: row
                .conditions
                .iter()
                .map(|condition| Condition::new(condition, types, scanner))
                .collect::<Result<_, _>>()?,
            flags_at: usize::try_from(row.flags_at).unwrap_or(NO_FLAGS),
            ops,
            event_id_kept,
            policy_version: program.policy_version,
            agency: program.agency.as_bytes().to_vec(),
        })
    }

    /// Weigh one event that has no flags. `out` gets the feed key, then the view's bytes after its sequence; returned is
    /// the outcome and where in `out` the key ends. Nothing is added where the event is filtered.
    pub fn decide(
        &self,
        seen: &Seen,
        places: &Places,
        groups: &[Group],
        out: &mut Vec<u8>,
    ) -> Result<(Outcome, usize), Defer> {
        let from = out.len();
        if seen.found.protected && self.protected == Protected::None {
            return Ok((Outcome::Filtered, from));
        }
        let group = &groups[self.group];
        let text = |span: (u32, u32)| &seen.body[span.0 as usize..span.1 as usize];
        let (scheme, subject) = (text(seen.found.scheme), text(seen.found.value));
        let passes = self.conditions.iter().all(|condition| condition.passes(seen.types, seen.body, places));
        if !passes && seen.created {
            return Ok((Outcome::Filtered, from));
        }
        group.put_pseudonym(out, scheme, &normalise(scheme, subject)?);
        if self.interest.as_ref().is_some_and(|wanted| !wanted.contains(&out[from..])) {
            out.truncate(from);
            return Ok((Outcome::Filtered, from));
        }
        let key_ends = out.len();
        let hidden = seen.found.protected && self.protected == Protected::WithoutLocation;
        let event_id = self.event_id(seen, group);
        let writer = Writer { view: self, seen, group, hidden, event_id, subject: (scheme, subject), key: from..key_ends };
        writer.write(passes, out)?;
        Ok((if passes { Outcome::Delivered } else { Outcome::Withdrawn }, key_ends))
    }

    fn event_id(&self, seen: &Seen, group: &Group) -> [u8; 36] {
        if self.event_id_kept {
            crate::text::uuid_text(&seen.found.event_id)
        } else {
            group.event_id(seen.found.event_id)
        }
    }
}

fn read_op(row: &OpRow, types: &Types) -> Result<Op, Unsupported> {
    let number = |name: &str| row.settings.get(name).and_then(Value::as_u64).unwrap_or(0) as usize;
    let text = |name: &str| row.settings.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let element = element_of(types, row.row);
    let how = match row.how.as_str() {
        "keep" => How::Keep,
        "redact" => How::Redact,
        "partial" => How::Partial { first: number("first"), last: number("last") },
        "pseudonym" => How::Pseudonym {
            scheme: if text("scheme").is_empty() { row.scheme.clone() } else { text("scheme") }.into_bytes(),
        },
        "generalise" => How::Generalise(match text("to").as_str() {
            "year" => To::Year,
            "month" => To::Month,
            "decade" => To::Decade,
            "postcode_area" => To::Area,
            "postcode_district" => To::District,
            _ => return Err(Unsupported("a way to generalise".into())),
        }),
        "encrypt" if has_float(types, element, 0) => return Err(Unsupported("encrypted floats".into())),
        "encrypt" => How::Encrypt,
        "record" => {
            How::Record(row.children.iter().map(|child| read_op(child, types)).collect::<Result<_, _>>()?)
        }
        "event-id" => How::EventId,
        "life-event-id" => How::LifeEventId,
        "record-id" => How::RecordId,
        "absent" => How::Absent,
        other => return Err(Unsupported(format!("the mask {other}"))),
    };
    if row.plain && types.all[row.row] != Type::Text {
        return Err(Unsupported("a record_id that is no text".into()));
    }
    if row.plain && (row.location || row.location_below) {
        return Err(Unsupported("a record_id that tells a location".into()));
    }
    let bare = matches!(&how, How::Keep | How::Absent) && types.all[row.row] == Type::Null;
    let sealed = matches!(&how, How::Encrypt)
        || matches!(&how, How::Record(children) if children.iter().any(|child| child.sealed));
    Ok(Op {
        name: row.name.clone(),
        how,
        at: row.at,
        row: row.row,
        null: row.null,
        plain: row.plain,
        location: row.location,
        location_below: row.location_below,
        bare,
        sealed,
    })
}

fn element_of(types: &Types, row: usize) -> usize {
    let present = types.present(row);
    match &types.all[present] {
        Type::Array(of) => element_of(types, *of),
        _ => present,
    }
}

fn has_float(types: &Types, row: usize, depth: u32) -> bool {
    depth > 16
        || match &types.all[row] {
            Type::Float => true,
            Type::Array(of) | Type::Map(of) => has_float(types, *of, depth + 1),
            Type::Union(of) | Type::Record(of) => of.iter().any(|of| has_float(types, *of, depth + 1)),
            _ => false,
        }
}

/// One view of one event on its way into bytes.
struct Writer<'a> {
    view: &'a View,
    seen: &'a Seen<'a>,
    group: &'a Group,
    hidden: bool,
    event_id: [u8; 36],
    /// The subject's scheme and value, and where in `out` the feed's key stands, which is their pseudonym.
    subject: (&'a [u8], &'a [u8]),
    key: Range<usize>,
}

impl Writer<'_> {
    fn write(&self, live: bool, out: &mut Vec<u8>) -> Result<(), Defer> {
        // kind: LIVE is symbol 0, WITHDRAWN symbol 2.
        out.push(if live { 0 } else { 4 });
        put_long(out, self.view.policy_version);
        let mut path = String::new();
        for (number, op) in self.view.ops.iter().enumerate() {
            if number == self.view.flags_at {
                out.push(0);
            }
            let at = self.seen.starts[op.at] as usize;
            if live || op.plain {
                self.op(op, at, &mut path, out)?;
            } else if !op.bare {
                out.push(0);
            }
        }
        if self.view.flags_at == self.view.ops.len() {
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
                self.group.put_record_id(out, &self.view.agency, slice_at(b, &mut at));
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
            How::Keep => self.keep_field(op.row, &mut at, out),
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
        let made = if op.at == 0 && matches!(op.how, How::EventId) && !self.view.event_id_kept {
            self.event_id
        } else {
            let block = uuid_bytes(slice_at(b, &mut at)).ok_or(Defer)?;
            if matches!(op.how, How::EventId) { self.group.event_id(block) } else { self.group.life_event_id(block) }
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

    /// A field that is given in full: framed as every field of a view; arrays and maps are not, nor is null.
    fn keep_field(&self, row: usize, at: &mut usize, out: &mut Vec<u8>) {
        if !matches!(self.seen.types.all[row], Type::Null | Type::Union(_) | Type::Array(_) | Type::Map(_)) {
            out.push(2);
        }
        self.keep(row, at, out);
    }

    fn keep(&self, row: usize, at: &mut usize, out: &mut Vec<u8>) {
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
                    self.keep(chosen, at, out);
                }
            }
            Type::Record(fields) => {
                for (field, location) in fields.iter().zip(&types.rows[row].location) {
                    if self.hidden && *location && types.all[*field] != Type::Null {
                        skip(types, *field, b, at);
                        out.push(0);
                    } else {
                        self.keep_field(*field, at, out);
                    }
                }
            }
            Type::Array(of) => self.keep_items(*of, false, at, out),
            Type::Map(of) => self.keep_items(*of, true, at, out),
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

    fn keep_items(&self, of: usize, keyed: bool, at: &mut usize, out: &mut Vec<u8>) {
        let b = self.seen.body;
        let count = count_at(self.seen.types, of, keyed, b, *at);
        if count > 0 {
            put_long(out, count);
        }
        items_at(b, at, |at| {
            if keyed {
                put_bytes(out, slice_at(b, at));
            }
            self.keep(of, at, out);
        });
        out.push(0);
    }
}

/// The mask `partial`: characters are code points.
fn put_partial(out: &mut Vec<u8>, text: &[u8], first: usize, last: usize) -> Result<(), Defer> {
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
fn put_general(types: &Types, row: usize, b: &Body, mut at: usize, to: To, out: &mut Vec<u8>) -> Result<bool, Defer> {
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
