//! The head of every event, as far as the exchange looks at it (DESIGN.md, "Events").

use crate::avro::{long_at, slice_at, Type, Types, Unsupported};
use crate::dates::in_time;
use crate::text::uuid_bytes;

/// Which part of the head is where, as field numbers of the event's record.
pub struct Head {
    event_id: usize,
    pub change: usize,
    record_version: usize,
    supersedes: usize,
    life_event_id: usize,
    recorded_at: usize,
    received_at: usize,
    source: usize,
    agency: usize,
    subject: usize,
    protection: usize,
    unprotected: usize,
    pub environment: usize,
}

/// What the scan found of the head. Positions are of the body's bytes.
#[derive(Clone, Default)]
pub struct Found {
    pub event_id: [u8; 16],
    pub change: usize,
    pub record_version: Option<i64>,
    pub received_at: i64,
    pub protected: bool,
    pub environment: usize,
    pub scheme: (u32, u32),
    pub value: (u32, u32),
    pub agency: (u32, u32),
    pub irregular: bool,
}

/// Why an event is none, in the order of the reference.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    Undecodable,
    Head(Vec<(&'static str, &'static str)>),
}

impl Head {
    /// The event's record is the type `root`; of another head than the settled one this executor knows nothing.
    pub fn new(types: &Types, root: usize) -> Result<Head, Unsupported> {
        let fields = types.fields(root);
        let field = |name: &str| types.field(root, name).ok_or_else(|| Unsupported(format!("an event without {name}")));
        let source = field("source")?;
        let agency = types.field(fields[source], "agency");
        let protection = field("protection")?;
        let unprotected = types.rows[fields[protection]].names.iter().position(|name| name == "NONE");
        let head = Head {
            event_id: field("event_id")?,
            change: field("change")?,
            record_version: field("record_version")?,
            supersedes: field("supersedes")?,
            life_event_id: field("life_event_id")?,
            recorded_at: field("recorded_at")?,
            received_at: field("received_at")?,
            source,
            agency: agency.ok_or_else(|| Unsupported("a head without agency".into()))?,
            subject: field("subject")?,
            protection,
            unprotected: unprotected.ok_or_else(|| Unsupported("a protection without NONE".into()))?,
            environment: field("environment")?,
        };
        head.hold_to_settled(fields, types, root)?;
        Ok(head)
    }

    /// The head's types are settled (DESIGN.md, "Events"); of another head this executor knows nothing.
    fn hold_to_settled(&self, fields: &[usize], types: &Types, root: usize) -> Result<(), Unsupported> {
        let is = |at: usize, wanted: &Type| types.all[fields[at]] == *wanted;
        let maybe = |at: usize, wanted: &Type| match &types.all[fields[at]] {
            Type::Union(of) => of.len() == 2 && types.all[of[0]] == Type::Null && types.all[of[1]] == *wanted,
            _ => false,
        };
        let subject = types.fields(fields[self.subject]);
        let source = types.fields(fields[self.source]);
        let sound = self.event_id == 0
            && is(self.event_id, &Type::Text)
            && maybe(self.supersedes, &Type::Text)
            && maybe(self.life_event_id, &Type::Text)
            && maybe(self.record_version, &Type::Long)
            && maybe(self.recorded_at, &Type::Long)
            && is(self.received_at, &Type::Long)
            && matches!(types.all[fields[self.change]], Type::Enum(_))
            && matches!(types.all[fields[self.environment]], Type::Enum(_))
            && subject.len() >= 2
            && subject[..2].iter().all(|t| types.all[*t] == Type::Text)
            && types.field(fields[self.subject], "scheme") == Some(0)
            && types.field(fields[self.subject], "value") == Some(1)
            && source[..=self.agency].iter().all(|t| types.all[*t] == Type::Text)
            && types.field(root, "record_id").is_some_and(|at| is(at, &Type::Text));
        if sound {
            Ok(())
        } else {
            Err(Unsupported("another head than the settled one".into()))
        }
    }

    /// What the head of a sound body says. `starts` is where each field begins.
    pub fn read(&self, b: &[u8], starts: &[u32], irregular: bool) -> Result<Found, Refused> {
        let start = |field: usize| starts[field] as usize;
        let mut wrong: Vec<(&'static str, &'static str)> = Vec::new();
        let event_id = uuid_bytes(slice_at(b, &mut start(self.event_id)));
        if event_id.is_none() {
            wrong.push(("event_id_invalid", "event_id"));
        }
        for (name, field) in [("supersedes", self.supersedes), ("life_event_id", self.life_event_id)] {
            let mut at = start(field);
            if long_at(b, &mut at) == 1 && uuid_bytes(slice_at(b, &mut at)).is_none() {
                wrong.push(("event_id_invalid", name));
            }
        }
        let mut at = start(self.recorded_at);
        if long_at(b, &mut at) == 1 && !in_time(long_at(b, &mut at)) {
            wrong.push(("undecodable", "recorded_at"));
        }
        let received_at = long_at(b, &mut start(self.received_at));
        if !in_time(received_at) {
            wrong.push(("undecodable", "received_at"));
        }
        let Some(event_id) = event_id.filter(|_| wrong.is_empty()) else {
            return Err(Refused::Head(wrong));
        };
        let mut at = start(self.record_version);
        let record_version = (long_at(b, &mut at) == 1).then(|| long_at(b, &mut at));
        let mut at = start(self.subject);
        let scheme = span(b, &mut at);
        let value = span(b, &mut at);
        let mut at = start(self.source);
        for _ in 0..self.agency {
            // Everything before the agency in the settled head is a text.
            span(b, &mut at);
        }
        Ok(Found {
            event_id,
            change: long_at(b, &mut start(self.change)) as usize,
            record_version,
            received_at,
            protected: long_at(b, &mut start(self.protection)) as usize != self.unprotected,
            environment: long_at(b, &mut start(self.environment)) as usize,
            scheme,
            value,
            agency: span(b, &mut at),
            irregular,
        })
    }
}

fn span(b: &[u8], at: &mut usize) -> (u32, u32) {
    let length = long_at(b, at) as usize;
    let start = *at;
    *at += length;
    (start as u32, *at as u32)
}
