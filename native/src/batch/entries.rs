//! Writing a batch's entries: what the decision block says of each event.

use std::ops::Range;

use crate::avro::{put_bytes, put_long};
use crate::keys::{tag_of, Commitment, Tagged, TAG_BYTES};
use crate::text::uuid_text;
use crate::views::Outcome;

use super::inbox::Inbox;
use super::number::{Agreed, Decided, Numbered};
use super::weighed::Weighed;

/// `HELD` among an event's outcomes (`tidings.decisions.Outcome`); among a view's it stands where `Outcome` has it.
const HELD_EVENT: i64 = 6;

/// As much as an entry takes, and each agreement in it, or a little more.
const ENTRY_BYTES: usize = 120;
const AGREEMENT_BYTES: usize = 64;

/// What the entries of a batch are written from.
pub struct Material<'a> {
    pub weighed: &'a Weighed,
    /// What was decided of each deferred event.
    pub places: &'a [Option<&'a Decided>],
    pub numbered: &'a [Numbered],
    /// 16 bytes an event.
    pub nonces: &'a [u8],
    pub epoch: &'a [u8],
    pub tags: &'a Tagged,
}

/// Entries of consecutive events, and where each ends. `outcomes` are of those that were not deferred.
pub struct Entries {
    pub bytes: Vec<u8>,
    pub ends: Vec<usize>,
    pub outcomes: [u64; 4],
}

impl Entries {
    /// One after another.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

impl Inbox {
    /// The entries of some of the batch's events.
    pub(super) fn write_entries(&self, of: &Material, some: Range<usize>) -> Option<Entries> {
        let bytes = Vec::with_capacity(some.len() * (ENTRY_BYTES + self.views.len() * AGREEMENT_BYTES));
        let mut made = Entries { bytes, ends: Vec::with_capacity(some.len()), outcomes: [0; 4] };
        let mut mine = Vec::with_capacity(self.views.len());
        for event in some {
            mine.clear();
            mine.extend(of.numbered.iter().map(|each| each.agreed[event]));
            match of.places[event] {
                Some(decided) => made.bytes.extend_from_slice(&decided.entry),
                None => {
                    let outcome = outcome_of_event(&mine);
                    made.outcomes[outcome as usize] += 1;
                    self.write_entry(of, event, outcome, &mut made.bytes)?;
                }
            }
            let nonce = &of.nonces[event * TAG_BYTES..(event + 1) * TAG_BYTES];
            self.write_agreements(&mine, nonce, of.numbered, &mut made.bytes);
            made.ends.push(made.bytes.len());
        }
        Some(made)
    }

    /// One entry up to its agreements: `tidings.decisions._schema.ENTRY_SCHEMA`, field by field.
    fn write_entry(&self, of: &Material, event: usize, outcome: Outcome, out: &mut Vec<u8>) -> Option<()> {
        let (share, at) = of.weighed.share_of(event)?;
        let found = share.found[at].as_ref()?;
        put_long(out, of.weighed.offsets[event]);
        out.push(2);
        put_bytes(out, &uuid_text(&found.event_id));
        let (scheme, subject) = share.subject_spans[at];
        let (scheme, subject) = (share.subject(scheme), share.subject(subject));
        out.push(2);
        out.extend_from_slice(&tag_of(&of.tags.hash(scheme, subject)));
        put_bytes(out, of.epoch);
        out.push(2);
        put_bytes(out, self.scanner.changes[found.change].as_bytes());
        match found.record_version {
            None => out.push(0),
            Some(version) => {
                out.push(2);
                put_long(out, version);
            }
        }
        out.push(2);
        put_long(out, found.received_at);
        put_long(out, if outcome == Outcome::Held { HELD_EVENT } else { outcome as i64 });
        // Neither flagged nor late, and no finding.
        out.extend_from_slice(&[0, 0, 0]);
        Some(())
    }

    fn write_agreements(&self, mine: &[Agreed], nonce: &[u8], numbered: &[Numbered], out: &mut Vec<u8>) {
        let count = mine.iter().flatten().count();
        if count > 0 {
            put_long(out, count as i64);
        }
        let mut commitment = None;
        for ((view, Numbered { run, .. }), agreed) in self.views.iter().zip(numbered).zip(mine) {
            let Some((outcome, sequence, (start, end))) = agreed else { continue };
            put_bytes(out, view.feed.as_bytes());
            put_long(out, *outcome as i64);
            if *outcome == Outcome::Filtered {
                out.extend_from_slice(&[0, 0]);
                continue;
            }
            out.push(2);
            put_long(out, *sequence);
            out.push(2);
            let commitment = commitment.get_or_insert_with(|| Commitment::new(nonce));
            out.extend_from_slice(&commitment.of(&run.arena[*start..*end]));
        }
        // The array's end, and no publisher's signature.
        out.extend_from_slice(&[0, 0]);
    }
}

/// Delivered where any view was, else held or withdrawn where any was, else filtered.
fn outcome_of_event(agreed: &[Agreed]) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Delivered => 0,
        Outcome::Held => 1,
        Outcome::Withdrawn => 2,
        Outcome::Filtered => 3,
    };
    agreed.iter().flatten().map(|each| each.0).min_by_key(rank).unwrap_or(Outcome::Filtered)
}
