//! A batch of one inbox partition: weighed by every view, then numbered and written down. Pure but for what it is given.
//!
//! A large batch is spread over the processors: its events are weighed in shares, its views are numbered side by side,
//! and its entries are written in shares again. What comes out does not depend on how many there are.

use std::collections::HashMap;
use std::ops::Range;
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::avro::{put_bytes, put_long, Body, Types, Unsupported};
use crate::checks::{self, Check};
use crate::keys::{tag_of, Commitment, Group, Tagged, TAG_BYTES};
use crate::program::Program;
use crate::resolve::Resolver;
use crate::scan::{Found, Notes, Places, Refused, Scanner};
use crate::spread::Spread;
use crate::text::murmur2;
use crate::views::{Outcome, Seen, View};
use crate::window::{marks_of, Record, Sighting, Window};

#[cfg(feature = "bench")]
#[path = "bare.rs"]
mod bare;

const HEADER_BYTES: usize = 5;
const ANNULLED: &str = "ANNULLED";
const CREATED: &str = "CREATED";

/// Everything that one inbox's events go through, compiled.
pub struct Inbox {
    pub types: Types,
    pub scanner: Scanner,
    current: Vec<u32>,
    others: Vec<Resolver>,
    pub checks: Vec<Check>,
    pub views: Vec<View>,
    groups: Vec<Group>,
    agency: Vec<u8>,
    partitions: i32,
    environment: usize,
    annulled: usize,
    created: usize,
    corrections: Vec<bool>,
    spread: Spread,
}

/// `HELD` among an event's outcomes (`tidings.decisions.Outcome`); among a view's it stands where `Outcome` has it.
const HELD_EVENT: i64 = 6;

/// Whether a view is weighed: never, for every event, or for corrections only (`tidings.policy.in_force`).
pub const NEVER: u8 = 0;
pub const CORRECTIONS: u8 = 2;

/// What one view makes of one event; spans of the batch's arena.
#[derive(Clone, Copy)]
struct Made {
    outcome: Outcome,
    key: (u32, u32),
    tail: (u32, u32),
}

impl Made {
    /// The key stands from `from` to `middle` of the arena, the tail from there to `end`.
    fn new(outcome: Outcome, from: usize, middle: usize, end: usize) -> Made {
        Made { outcome, key: (from as u32, middle as u32), tail: (middle as u32, end as u32) }
    }
}

/// A batch after every view has weighed it. Events in `deferred` are left to Python, with what the window said.
pub struct Weighed {
    pub deferred: Vec<(usize, Sighting)>,
    offsets: Vec<i64>,
    shares: Vec<Share>,
}

/// What was made of consecutive events of a batch: `first` is the number of the first of them, `found` has one each.
struct Share {
    first: usize,
    found: Vec<Option<Found>>,
    subjects: Vec<u8>,
    subject_spans: Vec<((u32, u32), (u32, u32))>,
    columns: Vec<Vec<Option<Made>>>,
    arena: Vec<u8>,
}

/// What Python decided of a deferred event: its entry as Avro up to the agreements, and what each view made of it.
pub struct Decided {
    pub entry: Vec<u8>,
    pub views: Vec<Option<(u8, Vec<u8>, Vec<u8>)>>,
}

/// What one view came to for one event: its outcome and, unless it is filtered, the sequence and where the framed value
/// stands in the run's arena.
type Agreed = Option<(Outcome, i64, (usize, usize))>;

/// What goes to one feed, or to where its views wait, in order: spans of keys and values in the arena.
pub struct Run {
    pub topic: String,
    pub messages: Vec<((usize, usize), (usize, usize))>,
    pub arena: Vec<u8>,
}

impl Run {
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
struct Numbered {
    run: Run,
    sequence: i64,
    agreed: Vec<Agreed>,
    outcomes: [u64; 4],
}

/// Entries of consecutive events, and where each ends. `outcomes` are of those that were not deferred.
struct Entries {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    outcomes: [u64; 4],
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
    pub fn new(
        program: Program,
        keys: &HashMap<String, HashMap<String, Vec<u8>>>,
        version: u16,
        spread: Spread,
    ) -> Result<Inbox, Unsupported> {
        let mut program = program;
        let types = Types::new(std::mem::take(&mut program.types))?;
        let mut scanner = Scanner::new(&program, &types)?;
        let mut names: HashMap<String, usize> = HashMap::new();
        let mut groups = Vec::new();
        for (name, purposes) in keys {
            names.insert(name.clone(), groups.len());
            groups.push(Group::new(purposes, version)?);
        }
        let checks = program.checks.iter().map(|row| Check::new(row, &types, &mut scanner)).collect();
        let views = program
            .views
            .iter()
            .map(|row| View::new(row, &program, &types, &mut scanner, &names))
            .collect::<Result<_, _>>()?;
        let position = |list: &[String], name: &str| {
            list.iter().position(|n| n == name).ok_or_else(|| Unsupported(format!("an enum without {name}")))
        };
        let corrections = scanner.changes.iter().map(|change| program.corrections.contains(change)).collect();
        let current = program.readers.iter().filter(|r| r.same).map(|r| r.schema_id).collect();
        let others = std::mem::take(&mut program.readers).into_iter().map(Resolver::new);
        let others = others.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        Ok(Inbox {
            current,
            others,
            annulled: position(&scanner.changes, ANNULLED)?,
            created: position(&scanner.changes, CREATED)?,
            environment: position(&scanner.environments, &program.environment)?,
            corrections,
            types,
            scanner,
            checks,
            views,
            groups,
            agency: program.agency.into_bytes(),
            partitions: program.partitions,
            spread,
        })
    }

    /// What the scan says of a body, for tests: nothing where it is an event.
    pub fn refusal(&self, body: &[u8]) -> Option<Refused> {
        self.scanner.scan(&self.types, body, &mut self.scanner.notes()).err()
    }

    /// What one view makes of one body, its flags apart; None where it is left to another executor. For tests.
    pub fn project(&self, body: &[u8], number: usize) -> Option<(Outcome, Vec<u8>, Vec<u8>)> {
        let mut notes = self.scanner.notes();
        let found = self.scanner.scan(&self.types, body, &mut notes).ok()?;
        let created = found.change == self.created;
        let body = Body::new(body, &notes.ends);
        let seen = Seen { types: &self.types, body: &body, starts: &notes.starts, found: &found, created };
        let mut key = Vec::new();
        let (outcome, key_ends) = self.views.get(number)?.decide(&seen, &notes.places, &self.groups, &mut key).ok()?;
        let tail = key.split_off(key_ends);
        Some((outcome, key, tail))
    }

    /// Whether a body surely passes every check. For tests.
    pub fn proves(&self, body: &[u8], now_ms: i64) -> bool {
        let mut notes = self.scanner.notes();
        let Ok(found) = self.scanner.scan(&self.types, body, &mut notes) else { return false };
        self.passes(&Body::new(body, &notes.ends), &notes.places, &found, now_ms)
    }

    fn passes(&self, body: &Body, places: &Places, found: &Found, now_ms: i64) -> bool {
        let event = checks::Event { types: &self.types, body, places, change: found.change, now_ms };
        let annulled = found.change == self.annulled;
        self.checks.iter().filter(|check| !annulled || check.of_head).all(|check| check.surely_passes(&event))
    }

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

    fn new_share(&self, first: usize, events: usize) -> Share {
        Share {
            first,
            found: Vec::with_capacity(events),
            subjects: Vec::new(),
            subject_spans: Vec::with_capacity(events),
            columns: self.views.iter().map(|_| Vec::with_capacity(events)).collect(),
            arena: Vec::with_capacity(events * self.views.len() * 192),
        }
    }

    fn weigh_share(&self, partition: i32, first: usize, records: &[Record], modes: &[u8], now_ms: i64) -> Share {
        let mut made = self.new_share(first, records.len());
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

    /// Write into `out` an event of another version as one of the current; None where it is left to Python.
    pub fn resolve(&self, schema_id: u32, body: &[u8], notes: &mut Notes, out: &mut Vec<u8>) -> Option<()> {
        let resolver = self.others.iter().find(|each| each.schema_id == schema_id)?;
        resolver.resolve(body, &mut notes.ends, out)
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
        let created = found.change == self.created;
        let seen = Seen { types: &self.types, body, starts: &notes.starts, found: &found, created };
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

    /// What the scan found of a body that is an event of this agency's and environment's and surely passes every check.
    pub fn clean(&self, body: &[u8], now_ms: i64, notes: &mut Notes) -> Option<Found> {
        let found = self.scanner.scan(&self.types, body, notes).ok()?;
        let agency = &body[found.agency.0 as usize..found.agency.1 as usize];
        let framed = agency == self.agency && found.environment == self.environment;
        (framed && self.passes(&Body::new(body, &notes.ends), &notes.places, &found, now_ms)).then_some(found)
    }

    fn partition_of(&self, key: &[u8]) -> i32 {
        (murmur2(key) & 0x7fff_ffff) as i32 % self.partitions
    }

    /// Number the views and write the entries. `decided` are the deferred events' in order; `nonces` has 16 bytes an
    /// event; `sequences` are the last of each feed before; `room` is how many bytes of entries a part takes.
    #[allow(clippy::too_many_arguments)]
    pub fn route(
        &self,
        weighed: &Weighed,
        decided: &[Decided],
        nonces: &[u8],
        epoch: &[u8],
        tag_key: &[u8],
        sequences: &[i64],
        room: usize,
    ) -> Option<Routed> {
        let mut places: Vec<Option<&Decided>> = vec![None; weighed.offsets.len()];
        for ((number, _), decided) in weighed.deferred.iter().zip(decided) {
            places[*number] = Some(decided);
        }
        let numbered = self.number_all(weighed, &places, sequences)?;
        let tags = Tagged::new(tag_key, TAG_BYTES);
        let written = self.spread.over_events(weighed.offsets.len(), |some| {
            self.write_entries(weighed, some, &places, &numbered, nonces, epoch, &tags)
        });
        let mut made = Routed {
            sequences: numbered.iter().map(|each| each.sequence).collect(),
            by_view: numbered.iter().map(|each| each.outcomes).collect(),
            runs: numbered.into_iter().map(|each| each.run).collect(),
            parts: Vec::new(),
            outcomes: [0; 4],
        };
        let (mut part, mut count, mut last): (Vec<u8>, usize, i64) = (Vec::new(), 0, 0);
        let mut number = 0;
        for entries in written {
            let entries = entries?;
            for (total, some) in made.outcomes.iter_mut().zip(entries.outcomes) {
                *total += some;
            }
            let mut start = 0;
            for end in entries.ends {
                let entry = &entries.bytes[start..end];
                if entry.len() > room {
                    return None;
                }
                if part.len() + entry.len() > room {
                    made.parts.push((count, last, std::mem::take(&mut part)));
                    count = 0;
                }
                part.extend_from_slice(entry);
                count += 1;
                last = weighed.offsets[number];
                number += 1;
                start = end;
            }
        }
        made.parts.push((count, last, part));
        Some(made)
    }

    fn number_all(
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
        let mut run = Run { topic: view.written_to.clone(), messages: Vec::with_capacity(events), arena: Vec::new() };
        let bytes: usize = weighed.shares.iter().map(|share| share.arena.len()).sum();
        run.arena.reserve(bytes / self.views.len().max(1) + 16 * events);
        let mut agreed: Vec<Agreed> = Vec::with_capacity(events);
        let mut outcomes = [0; 4];
        for share in &weighed.shares {
            for (at, made) in share.columns[number].iter().enumerate() {
                let (outcome, key, tail): (Outcome, &[u8], &[u8]) = match (places[share.first + at], made) {
                    (Some(decided), _) => match decided.views.get(number)? {
                        Some((outcome, key, tail)) => (outcome_of(*outcome)?, key, tail),
                        None => {
                            agreed.push(None);
                            continue;
                        }
                    },
                    (None, Some(each)) => (each.outcome, share.at(each.key), share.at(each.tail)),
                    (None, None) => {
                        agreed.push(None);
                        continue;
                    }
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

    #[allow(clippy::too_many_arguments)]
    fn write_entries(
        &self,
        weighed: &Weighed,
        some: Range<usize>,
        places: &[Option<&Decided>],
        numbered: &[Numbered],
        nonces: &[u8],
        epoch: &[u8],
        tags: &Tagged,
    ) -> Option<Entries> {
        let mut made = Entries { bytes: Vec::with_capacity(some.len() * 320), ends: Vec::new(), outcomes: [0; 4] };
        let mut mine = Vec::with_capacity(self.views.len());
        for event in some {
            mine.clear();
            mine.extend(numbered.iter().map(|each| each.agreed[event]));
            match places[event] {
                Some(decided) => made.bytes.extend_from_slice(&decided.entry),
                None => {
                    let (share, at) = weighed.share_of(event)?;
                    let outcome = outcome_of_event(&mine);
                    made.outcomes[outcome as usize] += 1;
                    self.write_entry(share, at, weighed.offsets[event], outcome, epoch, tags, &mut made.bytes)?;
                }
            }
            let nonce = &nonces[event * TAG_BYTES..(event + 1) * TAG_BYTES];
            self.write_agreements(&mine, nonce, numbered, &mut made.bytes);
            made.ends.push(made.bytes.len());
        }
        Some(made)
    }

    /// One entry up to its agreements: `tidings.decisions._schema.ENTRY_SCHEMA`, field by field.
    #[allow(clippy::too_many_arguments)]
    fn write_entry(
        &self,
        share: &Share,
        at: usize,
        offset: i64,
        outcome: Outcome,
        epoch: &[u8],
        tags: &Tagged,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let found = share.found[at].as_ref()?;
        put_long(out, offset);
        out.push(2);
        put_bytes(out, &crate::text::uuid_text(&found.event_id));
        let (scheme, subject) = share.subject_spans[at];
        let (scheme, subject) = (share.subject(scheme), share.subject(subject));
        out.push(2);
        out.extend_from_slice(&tag_of(&tags.hash(scheme, subject)));
        put_bytes(out, epoch);
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

impl Weighed {
    /// The share that has this event, and its place in it.
    fn share_of(&self, event: usize) -> Option<(&Share, usize)> {
        let share = self.shares.iter().rev().find(|share| share.first <= event)?;
        Some((share, event - share.first))
    }
}

impl Share {
    fn at(&self, span: (u32, u32)) -> &[u8] {
        &self.arena[span.0 as usize..span.1 as usize]
    }

    fn subject(&self, span: (u32, u32)) -> &[u8] {
        &self.subjects[span.0 as usize..span.1 as usize]
    }

    /// Forget what was made of an event that the window had seen.
    fn leave_out(&mut self, at: usize) {
        self.found[at] = None;
        for column in &mut self.columns {
            column[at] = None;
        }
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
