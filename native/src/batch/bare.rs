//! The projection of a batch without anything beside it. For measuring only, like `floor`.

use crate::avro::Body;
use crate::window::Record;

use super::inbox::Inbox;
use super::number::Run;
use super::weigh::HEADER_BYTES;
use super::weighed::{Made, Share, Weighed};

impl Inbox {
    /// What every view makes of every record, numbered from `sequences` on. None where a record is no event that a
    /// view can be made of.
    pub fn bare(&self, records: &[Record], sequences: &[i64]) -> Option<(Vec<Run>, Vec<i64>)> {
        let shares = self
            .spread
            .over_events(records.len(), |some| self.bare_share(some.start, &records[some]))
            .into_iter()
            .collect::<Option<Vec<_>>>()?;
        let offsets = records.iter().map(|record| record.offset).collect();
        let weighed = Weighed { deferred: Vec::new(), offsets, shares };
        let numbered = self.number_all(&weighed, &vec![None; records.len()], sequences)?;
        let reached = numbered.iter().map(|each| each.sequence).collect();
        Some((numbered.into_iter().map(|each| each.run).collect(), reached))
    }

    fn bare_share(&self, first: usize, records: &[Record]) -> Option<Share> {
        let mut made = Share::new(first, records.len(), self.views.len());
        let mut notes = self.scanner.notes();
        for record in records {
            let body = record.value?.get(HEADER_BYTES..)?;
            let found = self.scanner.scan(&self.types, body, &mut notes).ok()?;
            let body = Body::new(body, &notes.ends);
            let seen = self.seen(&body, &notes.starts, &found);
            for (view, column) in self.views.iter().zip(&mut made.columns) {
                let from = made.arena.len();
                let (outcome, middle) = view.decide(&seen, &notes.places, &self.groups, &mut made.arena).ok()?;
                column.push(Some(Made::new(outcome, from, middle, made.arena.len())));
            }
        }
        Some(made)
    }
}
