//! A weighed batch to messages and the parts of its decision block.

use crate::keys::{Tagged, TAG_BYTES};

use super::entries::Material;
use super::inbox::Inbox;
use super::number::{Decided, Run};
use super::weighed::Weighed;

/// What a batch's entries and numbers are made with: `tidings.projection.batches.Numbering`.
pub struct Numbering<'a> {
    pub nonces: &'a [u8],
    pub epoch: &'a [u8],
    pub tag_key: &'a [u8],
    pub sequences: &'a [i64],
    pub room: usize,
}

/// A part of the decision block: how many entries, the last one's offset, and their bytes.
pub type Part = (usize, i64, Vec<u8>);

pub struct Routed {
    pub runs: Vec<Run>,
    pub parts: Vec<Part>,
    pub sequences: Vec<i64>,
    /// Clean events by outcome: delivered, withdrawn, filtered, held.
    pub outcomes: [u64; 4],
    /// All events, view by view, by outcome.
    pub by_view: Vec<[u64; 4]>,
}

impl Inbox {
    /// Number the views and write the entries. `decided` are the deferred events' in order. None where these do not fit
    /// what was weighed, or where an entry is larger than a part may be.
    pub fn route(&self, weighed: &Weighed, decided: &[Decided], numbering: &Numbering) -> Option<Routed> {
        let mut places: Vec<Option<&Decided>> = vec![None; weighed.offsets.len()];
        for ((number, _), decided) in weighed.deferred.iter().zip(decided) {
            places[*number] = Some(decided);
        }
        let numbered = self.number_all(weighed, &places, numbering.sequences)?;
        let material = Material {
            weighed,
            places: &places,
            numbered: &numbered,
            nonces: numbering.nonces,
            epoch: numbering.epoch,
            tags: &Tagged::new(numbering.tag_key, TAG_BYTES),
        };
        let written = self.spread.over_events(weighed.offsets.len(), |some| self.write_entries(&material, some));
        let mut outcomes = [0; 4];
        let mut parts = Parts::new(numbering.room);
        let mut offsets = weighed.offsets.iter();
        for entries in written {
            let entries = entries?;
            for (total, some) in outcomes.iter_mut().zip(entries.outcomes) {
                *total += some;
            }
            for (entry, offset) in entries.iter().zip(&mut offsets) {
                parts.add(entry, *offset)?;
            }
        }
        Some(Routed {
            sequences: numbered.iter().map(|each| each.sequence).collect(),
            by_view: numbered.iter().map(|each| each.outcomes).collect(),
            runs: numbered.into_iter().map(|each| each.run).collect(),
            parts: parts.end(),
            outcomes,
        })
    }
}

/// Entries put together into parts of at most `room` bytes.
struct Parts {
    room: usize,
    made: Vec<Part>,
    part: Vec<u8>,
    count: usize,
    last: i64,
}

impl Parts {
    fn new(room: usize) -> Parts {
        Parts { room, made: Vec::new(), part: Vec::with_capacity(room), count: 0, last: 0 }
    }

    /// None where the entry alone is larger than a part may be.
    fn add(&mut self, entry: &[u8], offset: i64) -> Option<()> {
        if entry.len() > self.room {
            return None;
        }
        if self.part.len() + entry.len() > self.room {
            let full = std::mem::replace(&mut self.part, Vec::with_capacity(self.room));
            self.made.push((std::mem::take(&mut self.count), self.last, full));
        }
        self.part.extend_from_slice(entry);
        self.count += 1;
        self.last = offset;
        Some(())
    }

    fn end(mut self) -> Vec<Part> {
        self.made.push((self.count, self.last, self.part));
        self.made
    }
}
