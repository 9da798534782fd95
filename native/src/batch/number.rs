//! Numbering a batch's views: one run of messages a feed.

use crate::avro::put_long;
use crate::views::Outcome;

use super::inbox::Inbox;
use super::weigh::HEADER_BYTES;
use super::weighed::{Made, Weighed};

/// What a sequence takes at the most: a long.
const SEQUENCE_BYTES: usize = 10;

/// What Python decided of a deferred event: its entry as Avro up to the agreements, and what each view made of it.
pub struct Decided {
    pub entry: Vec<u8>,
    pub views: Vec<Option<Given>>,
}

/// What a view made of an event, as Python gives it: outcome, key, and the value after its sequence.
pub type Given = (u8, Vec<u8>, Vec<u8>);
type OfView<'a> = (Outcome, &'a [u8], &'a [u8]);

impl Decided {
    /// What the view of this number made of it, if it was weighed; None where there is no such view or outcome.
    fn view(&self, number: usize) -> Option<Option<OfView<'_>>> {
        match self.views.get(number)? {
            Some((outcome, key, tail)) => Some(Some((outcome_of(*outcome)?, key, tail))),
            None => Some(None),
        }
    }
}

/// What one view came to for one event: its outcome and, unless it is filtered, the sequence and where the framed value
/// stands in the run's arena.
pub type Agreed = Option<(Outcome, i64, (usize, usize))>;

/// What goes to one feed, or to where its views wait, in order: spans of keys and values in the arena.
pub struct Run {
    pub topic: String,
    pub messages: Vec<((usize, usize), (usize, usize))>,
    pub arena: Vec<u8>,
}

impl Run {
    /// Room for so many messages whose keys and values, frames and sequences apart, take `bytes`.
    fn new(topic: &str, messages: usize, bytes: usize) -> Run {
        let arena = Vec::with_capacity(bytes + messages * (HEADER_BYTES + SEQUENCE_BYTES));
        Run { topic: topic.to_owned(), messages: Vec::with_capacity(messages), arena }
    }

    /// One more message: `tail` is the value behind its frame and sequence. Returns where the framed value stands.
    fn add(&mut self, schema_id: u32, sequence: i64, key: &[u8], tail: &[u8]) -> (usize, usize) {
        let start = self.arena.len();
        self.arena.extend_from_slice(key);
        let middle = self.arena.len();
        self.arena.push(0);
        self.arena.extend_from_slice(&schema_id.to_be_bytes());
        put_long(&mut self.arena, sequence);
        self.arena.extend_from_slice(tail);
        let value = (middle, self.arena.len());
        self.messages.push(((start, middle), value));
        value
    }
}

/// One view's messages of a batch, the last sequence reached, and what it came to event by event.
pub struct Numbered {
    pub run: Run,
    pub sequence: i64,
    pub agreed: Vec<Agreed>,
    pub outcomes: [u64; 4],
}

impl Inbox {
    /// Every view of the batch, numbered side by side. `places` has what was decided of each deferred event.
    pub(super) fn number_all(
        &self,
        weighed: &Weighed,
        places: &[Option<&Decided>],
        sequences: &[i64],
    ) -> Option<Vec<Numbered>> {
        let made = self.spread.over_items(self.views.len(), weighed.offsets.len(), |some| {
            some.map(|number| self.number(number, weighed, places, sequences[number])).collect::<Option<Vec<_>>>()
        });
        Some(made.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// The messages of one view of the whole batch, numbered from behind `sequence`.
    fn number(
        &self,
        number: usize,
        weighed: &Weighed,
        places: &[Option<&Decided>],
        mut sequence: i64,
    ) -> Option<Numbered> {
        let view = &self.views[number];
        let held = view.written_to != view.feed;
        let events = weighed.offsets.len();
        let bytes: usize =
            weighed.shares.iter().flat_map(|share| share.columns[number].iter().flatten()).map(Made::len).sum();
        let mut run = Run::new(&view.written_to, events, bytes);
        let mut agreed: Vec<Agreed> = Vec::with_capacity(events);
        let mut outcomes = [0; 4];
        for share in &weighed.shares {
            for (at, made) in share.columns[number].iter().enumerate() {
                let made = match places[share.first + at] {
                    Some(decided) => decided.view(number)?,
                    None => made.as_ref().map(|made| (made.outcome, share.at(made.key), share.at(made.tail))),
                };
                let Some((outcome, key, tail)) = made else {
                    agreed.push(None);
                    continue;
                };
                let outcome = if held && outcome != Outcome::Filtered { Outcome::Held } else { outcome };
                outcomes[outcome as usize] += 1;
                if outcome == Outcome::Filtered {
                    agreed.push(Some((outcome, 0, (0, 0))));
                    continue;
                }
                sequence += 1;
                agreed.push(Some((outcome, sequence, run.add(view.schema_id, sequence, key, tail))));
            }
        }
        Some(Numbered { run, sequence, agreed, outcomes })
    }
}

fn outcome_of(code: u8) -> Option<Outcome> {
    match code {
        0 => Some(Outcome::Delivered),
        1 => Some(Outcome::Withdrawn),
        2 => Some(Outcome::Filtered),
        _ => None,
    }
}
