//! Weighing a batch by every view: its events in shares, side by side.

use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::avro::Body;
use crate::scan::Notes;
use crate::window::{marks_of, Record, Sighting, Window};

use super::inbox::Inbox;
use super::weighed::{Made, Share, Weighed};

pub(super) const HEADER_BYTES: usize = 5;

/// How a view is weighed: never, for every event, or for corrections only (`tidings.policy.in_force`).
const NEVER: u8 = 0;
const CORRECTIONS: u8 = 2;

impl Inbox {
    /// Weigh a batch: `modes` says of each view whether it is in force. Every event that is not accepted without a
    /// note, or that this executor does not take, is deferred.
    pub fn weigh(&self, partition: i32, records: &[Record], window: &mut Window, modes: &[u8], now_ms: i64) -> Weighed {
        let made = self.spread.over_events(records.len(), |some| {
            let first = some.start;
            (marks_of(&records[some.clone()]), self.weigh_share(partition, first, &records[some], modes, now_ms))
        });
        let mut weighed = Weighed {
            deferred: Vec::new(),
            offsets: records.iter().map(|record| record.offset).collect(),
            shares: Vec::with_capacity(made.len()),
        };
        for (marks, mut share) in made {
            for (at, mark) in marks.into_iter().enumerate() {
                let sighting = window.sight(mark);
                if sighting != Sighting::New {
                    share.leave_out(at);
                }
                if share.found[at].is_none() {
                    weighed.deferred.push((share.first + at, sighting));
                }
            }
            weighed.shares.push(share);
        }
        weighed
    }

    fn weigh_share(&self, partition: i32, first: usize, records: &[Record], modes: &[u8], now_ms: i64) -> Share {
        let mut made = Share::new(first, records.len(), self.views.len());
        let mut notes = self.scanner.notes();
        for (number, record) in records.iter().enumerate() {
            let (arena, subjects) = (made.arena.len(), made.subjects.len());
            let weighed = catch_unwind(AssertUnwindSafe(|| {
                self.weigh_one(partition, record, modes, now_ms, &mut notes, &mut made)
            }))
            .unwrap_or(None);
            if weighed.is_none() {
                made.arena.truncate(arena);
                made.subjects.truncate(subjects);
                made.found.truncate(number);
                made.subject_spans.truncate(number);
                made.found.push(None);
                made.subject_spans.push(((0, 0), (0, 0)));
                for column in &mut made.columns {
                    column.truncate(number);
                    column.push(None);
                }
            }
        }
        made
    }

    fn weigh_one(
        &self,
        partition: i32,
        record: &Record,
        modes: &[u8],
        now_ms: i64,
        notes: &mut Notes,
        made: &mut Share,
    ) -> Option<()> {
        let (key, value) = (record.key?, record.value?);
        if value.len() < HEADER_BYTES || value[0] != 0 {
            return None;
        }
        let schema_id = u32::from_be_bytes([value[1], value[2], value[3], value[4]]);
        if self.partition_of(key) != partition {
            return None;
        }
        let body = &value[HEADER_BYTES..];
        let mut resolved = std::mem::take(&mut notes.resolved);
        let body = if self.current.contains(&schema_id) {
            body
        } else {
            self.resolve(schema_id, body, notes, &mut resolved)?;
            resolved.as_slice()
        };
        let weighed = self.weigh_body(key, body, modes, now_ms, notes, made);
        notes.resolved = resolved;
        weighed
    }

    fn weigh_body(
        &self,
        key: &[u8],
        body: &[u8],
        modes: &[u8],
        now_ms: i64,
        notes: &mut Notes,
        made: &mut Share,
    ) -> Option<()> {
        let found = self.clean(body, now_ms, notes)?;
        let body = &Body::new(body, &notes.ends);
        let text = |span: (u32, u32)| &body[span.0 as usize..span.1 as usize];
        let (scheme, subject) = (text(found.scheme), text(found.value));
        let framed = key.len() == scheme.len() + 1 + subject.len()
            && &key[..scheme.len()] == scheme
            && key[scheme.len()] == b':'
            && &key[scheme.len() + 1..] == subject;
        if !framed {
            return None;
        }
        let seen = self.seen(body, &notes.starts, &found);
        for (view, (mode, column)) in self.views.iter().zip(modes.iter().zip(&mut made.columns)) {
            if *mode == NEVER || (*mode == CORRECTIONS && !self.corrections[found.change]) {
                column.push(None);
                continue;
            }
            let from = made.arena.len();
            let (outcome, middle) = view.decide(&seen, &notes.places, &self.groups, &mut made.arena).ok()?;
            column.push(Some(Made::new(outcome, from, middle, made.arena.len())));
        }
        let at = made.subjects.len() as u32;
        made.subjects.extend_from_slice(scheme);
        let middle = made.subjects.len() as u32;
        made.subjects.extend_from_slice(subject);
        made.subject_spans.push(((at, middle), (middle, made.subjects.len() as u32)));
        made.found.push(Some(found));
        Some(())
    }
}
