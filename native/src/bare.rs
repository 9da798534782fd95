//! The projection of a batch without anything beside it. For measuring only, like `floor`.

use super::{Inbox, Record, Run, HEADER_BYTES};
use crate::avro::Body;
use crate::views::{Outcome, Seen};

impl Inbox {
    /// What every view makes of every record, numbered from `sequences` on. None where a record is no event that a
    /// view can be made of.
    pub fn bare(&self, records: &[Record], mut sequences: Vec<i64>) -> Option<(Vec<Run>, Vec<i64>)> {
        let run = |topic: &String| Run {
            topic: topic.clone(),
            messages: Vec::with_capacity(records.len()),
            arena: Vec::with_capacity(records.len() * 192),
        };
        let mut runs: Vec<Run> = self.views.iter().map(|view| run(&view.written_to)).collect();
        let (mut notes, mut made) = (self.scanner.notes(), Vec::new());
        for record in records {
            let body = record.value?.get(HEADER_BYTES..)?;
            let found = self.scanner.scan(&self.types, body, &mut notes).ok()?;
            let created = found.change == self.created;
            let body = Body::new(body, &notes.ends);
            let seen = Seen { types: &self.types, body: &body, starts: &notes.starts, found: &found, created };
            for ((view, run), sequence) in self.views.iter().zip(&mut runs).zip(&mut sequences) {
                made.clear();
                let (outcome, middle) = view.decide(&seen, &notes.places, &self.groups, &mut made).ok()?;
                if outcome == Outcome::Filtered {
                    continue;
                }
                *sequence += 1;
                run.add(view.schema_id, *sequence, &made[..middle], &made[middle..]);
            }
        }
        Some((runs, sequences))
    }
}
