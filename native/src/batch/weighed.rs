//! A batch after every view has weighed it.

use crate::scan::Found;
use crate::views::Outcome;
use crate::window::Sighting;

/// More than most views have with their key: what is never written takes no memory.
const VIEW_BYTES: usize = 384;

/// What one view makes of one event; spans of the batch's arena.
#[derive(Clone, Copy)]
pub struct Made {
    pub(super) outcome: Outcome,
    pub(super) key: (u32, u32),
    pub(super) tail: (u32, u32),
}

impl Made {
    /// The key stands from `from` to `middle` of the arena, the tail from there to `end`.
    pub(super) fn new(outcome: Outcome, from: usize, middle: usize, end: usize) -> Made {
        Made { outcome, key: (from as u32, middle as u32), tail: (middle as u32, end as u32) }
    }

    /// Bytes of key and tail together.
    pub(super) fn len(&self) -> usize {
        (self.tail.1 - self.key.0) as usize
    }
}

/// A batch after every view has weighed it. Events in `deferred` are left to Python, with what the window said.
pub struct Weighed {
    pub deferred: Vec<(usize, Sighting)>,
    pub(super) offsets: Vec<i64>,
    pub(super) shares: Vec<Share>,
}

impl Weighed {
    /// The share that has this event, and its place in it.
    pub(super) fn share_of(&self, event: usize) -> Option<(&Share, usize)> {
        let share = self.shares.iter().rev().find(|share| share.first <= event)?;
        Some((share, event - share.first))
    }
}

/// What was made of consecutive events of a batch: `first` is the number of the first of them, `found` has one each.
pub struct Share {
    pub(super) first: usize,
    pub(super) found: Vec<Option<Found>>,
    pub(super) subjects: Vec<u8>,
    pub(super) subject_spans: Vec<((u32, u32), (u32, u32))>,
    pub(super) columns: Vec<Vec<Option<Made>>>,
    pub(super) arena: Vec<u8>,
}

impl Share {
    /// Room for so many events from number `first` on.
    pub(super) fn new(first: usize, events: usize, views: usize) -> Share {
        Share {
            first,
            found: Vec::with_capacity(events),
            subjects: Vec::new(),
            subject_spans: Vec::with_capacity(events),
            columns: (0..views).map(|_| Vec::with_capacity(events)).collect(),
            arena: Vec::with_capacity(events * views * VIEW_BYTES),
        }
    }

    pub(super) fn at(&self, span: (u32, u32)) -> &[u8] {
        &self.arena[span.0 as usize..span.1 as usize]
    }

    pub(super) fn subject(&self, span: (u32, u32)) -> &[u8] {
        &self.subjects[span.0 as usize..span.1 as usize]
    }

    /// Forget what was made of an event that the window had seen.
    pub(super) fn leave_out(&mut self, at: usize) {
        self.found[at] = None;
        for column in &mut self.columns {
            column[at] = None;
        }
    }
}
