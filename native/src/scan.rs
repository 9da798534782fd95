//! One scan over an event's bytes, shared by all its views: structure checked, the head read, and the places noted that
//! filters and checks look at.

use crate::avro::{blocks, branch, enter, noting_the_end, spend_empty, validate, Budget};
use crate::avro::{long_at, slice_at, Malformed, Type, Types, Unsupported};
use crate::dates::in_time;
use crate::program::Program;
use crate::text::uuid_bytes;

/// Where values stand, by slot: each slot is one dotted path; several places where it crosses an array.
pub type Places = Vec<Vec<u32>>;

/// What a scan notes of one event; made once and used again.
pub struct Notes {
    /// Where each field begins.
    pub starts: Vec<u32>,
    pub places: Places,
    /// See `avro::Body`.
    pub ends: Vec<u32>,
    /// Room for an event of another version as one of the current.
    pub resolved: Vec<u8>,
}

enum Below {
    Nothing,
    Record(Vec<Option<Node>>),
    Inner(Box<Node>),
    Union(Vec<Option<Node>>),
}

/// A type of the event on the way to a noted place.
struct Node {
    row: usize,
    slot: Option<usize>,
    below: Below,
}

impl Node {
    fn new(row: usize) -> Node {
        Node { row, slot: None, below: Below::Nothing }
    }
}

/// Which part of the head is where, as field numbers of the event's record.
struct Head {
    event_id: usize,
    change: usize,
    record_version: usize,
    supersedes: usize,
    life_event_id: usize,
    recorded_at: usize,
    received_at: usize,
    source: usize,
    agency: usize,
    subject: usize,
    protection: usize,
    environment: usize,
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

pub struct Scanner {
    root: Node,
    fields: Vec<usize>,
    head: Head,
    slots: Vec<(Vec<String>, usize)>,
    pub changes: Vec<String>,
    pub environments: Vec<String>,
    unprotected: usize,
}

impl Scanner {
    pub fn new(program: &Program, types: &Types) -> Result<Scanner, Unsupported> {
        let root = program.root;
        let field = |name: &str| {
            types.field(root, name).ok_or_else(|| Unsupported(format!("an event without {name}")))
        };
        let source = field("source")?;
        let subject = field("subject")?;
        let fields = types.fields(root).to_vec();
        let inner = |at: usize, name: &str| {
            types.field(fields[at], name).ok_or_else(|| Unsupported(format!("a head without {name}")))
        };
        let head = Head {
            event_id: field("event_id")?,
            change: field("change")?,
            record_version: field("record_version")?,
            supersedes: field("supersedes")?,
            life_event_id: field("life_event_id")?,
            recorded_at: field("recorded_at")?,
            received_at: field("received_at")?,
            source,
            agency: inner(source, "agency")?,
            subject,
            protection: field("protection")?,
            environment: field("environment")?,
        };
        let scanner = Scanner {
            changes: types.rows[fields[head.change]].names.clone(),
            environments: types.rows[fields[head.environment]].names.clone(),
            unprotected: types.rows[fields[head.protection]]
                .names
                .iter()
                .position(|name| name == "NONE")
                .ok_or_else(|| Unsupported("a protection without NONE".into()))?,
            root: Node::new(root),
            fields,
            head,
            slots: Vec::new(),
        };
        scanner.hold_to_the_head(types)?;
        Ok(scanner)
    }

    /// The head's types are settled (DESIGN.md, "Events"); of another head this executor knows nothing.
    fn hold_to_the_head(&self, types: &Types) -> Result<(), Unsupported> {
        let head = &self.head;
        let is = |at: usize, wanted: &Type| types.all[self.fields[at]] == *wanted;
        let maybe = |at: usize, wanted: &Type| match &types.all[self.fields[at]] {
            Type::Union(of) => of.len() == 2 && types.all[of[0]] == Type::Null && types.all[of[1]] == *wanted,
            _ => false,
        };
        let subject = types.fields(self.fields[head.subject]);
        let source = types.fields(self.fields[head.source]);
        let sound = head.event_id == 0
            && is(head.event_id, &Type::Text)
            && maybe(head.supersedes, &Type::Text)
            && maybe(head.life_event_id, &Type::Text)
            && maybe(head.record_version, &Type::Long)
            && maybe(head.recorded_at, &Type::Long)
            && is(head.received_at, &Type::Long)
            && matches!(types.all[self.fields[head.change]], Type::Enum(_))
            && matches!(types.all[self.fields[head.environment]], Type::Enum(_))
            && subject.len() >= 2
            && subject[..2].iter().all(|t| types.all[*t] == Type::Text)
            && types.field(self.fields[head.subject], "scheme") == Some(0)
            && types.field(self.fields[head.subject], "value") == Some(1)
            && source[..=head.agency].iter().all(|t| types.all[*t] == Type::Text)
            && types.field(self.root.row, "record_id").is_some_and(|at| is(at, &Type::Text));
        if sound { Ok(()) } else { Err(Unsupported("another head than the settled one".into())) }
    }

    /// The slot and the type of a dotted path's values; asked for twice, it is the same slot.
    pub fn slot(&mut self, types: &Types, path: &str) -> Result<(usize, usize), Unsupported> {
        let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
        let known = self.slots.iter().position(|(other, _)| *other == parts);
        if let Some(slot) = known {
            return Ok((slot, self.slots[slot].1));
        }
        let slot = self.slots.len();
        let row = note(&mut self.root, types, &parts, slot)?;
        self.slots.push((parts, row));
        Ok((slot, row))
    }

    pub fn notes(&self) -> Notes {
        Notes {
            starts: Vec::with_capacity(self.fields.len()),
            places: vec![Vec::new(); self.slots.len()],
            ends: Vec::new(),
            resolved: Vec::new(),
        }
    }

    /// Check a whole body. `notes` then are of this event.
    pub fn scan(&self, types: &Types, b: &[u8], notes: &mut Notes) -> Result<Found, Refused> {
        notes.starts.clear();
        for slot in notes.places.iter_mut() {
            slot.clear();
        }
        let mut budget = Budget::new(b.len(), std::mem::take(&mut notes.ends));
        let sound = self.structure(types, b, &mut budget, &mut notes.starts, &mut notes.places);
        let irregular = budget.irregular;
        notes.ends = budget.ends();
        sound.map_err(|_| Refused::Undecodable)?;
        self.read_head(b, &notes.starts, irregular)
    }

    fn structure(
        &self,
        types: &Types,
        b: &[u8],
        budget: &mut Budget,
        starts: &mut Vec<u32>,
        places: &mut Places,
    ) -> Result<(), Malformed> {
        let mut at = 0;
        enter(budget)?;
        for (number, field) in self.fields.iter().enumerate() {
            starts.push(at as u32);
            match &self.root.below {
                Below::Record(nodes) if nodes[number].is_some() => {
                    if let Some(node) = &nodes[number] {
                        visit(node, types, b, &mut at, budget, places)?;
                    }
                }
                _ => validate(types, *field, b, &mut at, budget)?,
            }
        }
        if at == b.len() { Ok(()) } else { Err(Malformed) }
    }

    fn read_head(&self, b: &[u8], starts: &[u32], irregular: bool) -> Result<Found, Refused> {
        let head = &self.head;
        let start = |field: usize| starts[field] as usize;
        let mut wrong: Vec<(&'static str, &'static str)> = Vec::new();
        let event_id = uuid_bytes(slice_at(b, &mut start(head.event_id)));
        if event_id.is_none() {
            wrong.push(("event_id_invalid", "event_id"));
        }
        for (name, field) in [("supersedes", head.supersedes), ("life_event_id", head.life_event_id)] {
            let mut at = start(field);
            if long_at(b, &mut at) == 1 && uuid_bytes(slice_at(b, &mut at)).is_none() {
                wrong.push(("event_id_invalid", name));
            }
        }
        let mut at = start(head.recorded_at);
        if long_at(b, &mut at) == 1 && !in_time(long_at(b, &mut at)) {
            wrong.push(("undecodable", "recorded_at"));
        }
        let received_at = long_at(b, &mut start(head.received_at));
        if !in_time(received_at) {
            wrong.push(("undecodable", "received_at"));
        }
        let Some(event_id) = event_id.filter(|_| wrong.is_empty()) else {
            return Err(Refused::Head(wrong));
        };
        let mut at = start(head.record_version);
        let record_version = (long_at(b, &mut at) == 1).then(|| long_at(b, &mut at));
        let mut at = start(head.subject);
        let scheme = span(b, &mut at);
        let value = span(b, &mut at);
        let mut at = start(head.source);
        for _ in 0..head.agency {
            // Everything before the agency in the settled head is a text.
            span(b, &mut at);
        }
        Ok(Found {
            event_id,
            change: long_at(b, &mut start(head.change)) as usize,
            record_version,
            received_at,
            protected: long_at(b, &mut start(head.protection)) as usize != self.unprotected,
            environment: long_at(b, &mut start(head.environment)) as usize,
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

/// Note in the tree that the values at `parts` are wanted. Returns the type of a value.
fn note(node: &mut Node, types: &Types, parts: &[String], slot: usize) -> Result<usize, Unsupported> {
    match &types.all[node.row] {
        Type::Union(branches) => {
            let present = types.present(node.row);
            if present == node.row {
                return Err(Unsupported("a path through a union of more than null and one type".into()));
            }
            if matches!(node.below, Below::Nothing) {
                node.below = Below::Union(branches.iter().map(|_| None).collect());
            }
            let number = branches.iter().position(|b| *b == present).unwrap_or(0);
            let Below::Union(kids) = &mut node.below else { unreachable!("a union's node") };
            note(kids[number].get_or_insert_with(|| Node::new(present)), types, parts, slot)
        }
        Type::Array(of) => {
            if matches!(node.below, Below::Nothing) {
                node.below = Below::Inner(Box::new(Node::new(*of)));
            }
            let Below::Inner(kid) = &mut node.below else { unreachable!("an array's node") };
            note(kid, types, parts, slot)
        }
        _ if parts.is_empty() => {
            if node.slot.is_some() {
                return Err(Unsupported("one place under two names".into()));
            }
            node.slot = Some(slot);
            Ok(node.row)
        }
        Type::Record(fields) => {
            let number = types
                .field(node.row, &parts[0])
                .ok_or_else(|| Unsupported("a path that the event does not have".into()))?;
            if matches!(node.below, Below::Nothing) {
                node.below = Below::Record(fields.iter().map(|_| None).collect());
            }
            let Below::Record(kids) = &mut node.below else { unreachable!("a record's node") };
            let kid = kids[number].get_or_insert_with(|| Node::new(fields[number]));
            note(kid, types, &parts[1..], slot)
        }
        _ => Err(Unsupported("a path into what has no fields".into())),
    }
}

fn visit(
    node: &Node,
    types: &Types,
    b: &[u8],
    at: &mut usize,
    budget: &mut Budget,
    places: &mut Places,
) -> Result<(), Malformed> {
    if let Some(slot) = node.slot {
        places[slot].push(*at as u32);
    }
    match (&node.below, &types.all[node.row]) {
        (Below::Record(kids), Type::Record(fields)) => {
            enter(budget)?;
            for (kid, field) in kids.iter().zip(fields) {
                match kid {
                    Some(kid) => visit(kid, types, b, at, budget, places)?,
                    None => validate(types, *field, b, at, budget)?,
                }
            }
            budget.depth += 1;
            Ok(())
        }
        (Below::Inner(kid), Type::Array(_)) => blocks(b, at, budget, |b, at, budget| {
            let before = *at;
            visit(kid, types, b, at, budget, places)?;
            if *at == before { spend_empty(budget) } else { Ok(()) }
        }),
        (Below::Union(kids), Type::Union(branches)) => noting_the_end(b, at, budget, |b, at, budget| {
            let chosen = branch(branches, b, at)?;
            let number = branches.iter().position(|b| *b == chosen).unwrap_or(0);
            match &kids[number] {
                Some(kid) => visit(kid, types, b, at, budget, places),
                None => validate(types, chosen, b, at, budget),
            }
        }),
        _ => validate(types, node.row, b, at, budget),
    }
}
