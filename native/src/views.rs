//! What one view makes of one event's bytes.

mod keep;
mod operations;
mod values;
mod writer;

use hashbrown::HashSet;
use std::collections::HashMap;

use crate::avro::{Types, Unsupported};
use crate::filters::Condition;
use crate::keys::Group;
use crate::program::{Program, ViewRow};
use crate::scan::{Places, Scanner, Seen};
use crate::text::{normalise, Defer};

use operations::Layout;
use writer::Writer;

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
    layout: Layout,
}

impl View {
    pub fn new(
        row: &ViewRow,
        program: &Program,
        types: &Types,
        scanner: &mut Scanner,
        groups: &HashMap<String, usize>,
    ) -> Result<View, Unsupported> {
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
            layout: Layout::new(row, program, types)?,
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
        let writer = Writer::new(&self.layout, seen, group, hidden, (scheme, subject), from..key_ends);
        writer.write(passes, out)?;
        Ok((if passes { Outcome::Delivered } else { Outcome::Withdrawn }, key_ends))
    }
}
