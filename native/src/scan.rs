//! One scan over an event's bytes, shared by all its views: structure checked, the head read, and the places noted that
//! filters and checks look at.

mod head;
mod places;

use crate::avro::{enter, validate, Body, Budget, Malformed, Types, Unsupported};
use crate::program::Program;

use head::Head;
use places::{note, visit, Below, Node};

pub use head::{Found, Refused};
pub use places::Places;

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

/// One event as a view sees it.
pub struct Seen<'a> {
    pub types: &'a Types,
    pub body: &'a Body<'a>,
    pub starts: &'a [u32],
    pub found: &'a Found,
    pub created: bool,
}

pub struct Scanner {
    root: Node,
    fields: Vec<usize>,
    head: Head,
    slots: Vec<(Vec<String>, usize)>,
    pub changes: Vec<String>,
    pub environments: Vec<String>,
}

impl Scanner {
    pub fn new(program: &Program, types: &Types) -> Result<Scanner, Unsupported> {
        let (root, fields) = (program.root, types.fields(program.root).to_vec());
        let head = Head::new(types, root)?;
        let names = |field: usize| types.rows[fields[field]].names.clone();
        Ok(Scanner {
            changes: names(head.change),
            environments: names(head.environment),
            root: Node::new(root),
            fields,
            head,
            slots: Vec::new(),
        })
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
        self.head.read(b, &notes.starts, irregular)
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
        if at == b.len() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}
