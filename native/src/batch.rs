//! A batch of one inbox partition: weighed by every view, then numbered and written down. Pure but for what it is given.

use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::avro::{put_bytes, put_long, Body, Types, Unsupported};
use crate::checks::{self, Check};
use crate::keys::{tag_of, Commitment, Group, Tagged, TAG_BYTES};
use crate::program::Program;
use crate::scan::{Found, Notes, Places, Refused, Scanner};
use crate::text::murmur2;
use crate::views::{Outcome, Seen, View};
use crate::window::{Record, Sighting, Window};

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
    pub checks: Vec<Check>,
    pub views: Vec<View>,
    groups: Vec<Group>,
    agency: Vec<u8>,
    partitions: i32,
    environment: usize,
    annulled: usize,
    created: usize,
    corrections: Vec<bool>,
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

/// A batch after every view has weighed it. Events in `deferred` are left to Python, with what the window said.
pub struct Weighed {
    pub deferred: Vec<(usize, Sighting)>,
    offsets: Vec<i64>,
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
    pub fn new(program: Program, keys: &HashMap<String, HashMap<String, Vec<u8>>>, version: u16) -> Result<Inbox, Unsupported> {
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
        Ok(Inbox {
            current: program.readers.iter().filter(|r| r.same).map(|r| r.schema_id).collect(),
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
        let mut made = Weighed {
            deferred: Vec::new(),
            offsets: records.iter().map(|record| record.offset).collect(),
            found: Vec::with_capacity(records.len()),
            subjects: Vec::new(),
            subject_spans: Vec::with_capacity(records.len()),
            columns: vec![Vec::with_capacity(records.len()); self.views.len()],
            arena: Vec::with_capacity(records.len() * self.views.len() * 192),
        };
        let mut notes = self.scanner.notes();
        let sightings = window.see_all(records);
        for (number, (record, sighting)) in records.iter().zip(sightings).enumerate() {
            let arena = made.arena.len();
            let subjects = made.subjects.len();
            let weighed = if sighting == Sighting::New {
                catch_unwind(AssertUnwindSafe(|| {
                    self.weigh_one(partition, record, modes, now_ms, &mut notes, &mut made)
                }))
                .unwrap_or(None)
            } else {
                None
            };
            if weighed.is_none() {
                made.arena.truncate(arena);
                made.subjects.truncate(subjects);
                made.found.truncate(number);
                made.subject_spans.truncate(number);
                made.deferred.push((number, sighting));
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
        made: &mut Weighed,
    ) -> Option<()> {
        let (key, value) = (record.key?, record.value?);
        if value.len() < HEADER_BYTES || value[0] != 0 {
            return None;
        }
        let schema_id = u32::from_be_bytes([value[1], value[2], value[3], value[4]]);
        if !self.current.contains(&schema_id) || self.partition_of(key) != partition {
            return None;
        }
        let body = &value[HEADER_BYTES..];
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
            column.push(Some(Made {
                outcome,
                key: (from as u32, middle as u32),
                tail: (middle as u32, made.arena.len() as u32),
            }));
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
        let events = weighed.offsets.len();
        let mut places: Vec<Option<&Decided>> = vec![None; events];
        for ((number, _), decided) in weighed.deferred.iter().zip(decided) {
            places[*number] = Some(decided);
        }
        let mut made = Routed {
            runs: Vec::with_capacity(self.views.len()),
            parts: Vec::new(),
            sequences: sequences.to_vec(),
            outcomes: [0; 4],
            by_view: vec![[0; 4]; self.views.len()],
        };
        let mut agreed: Vec<Agreed> = vec![None; events * self.views.len()];
        for (number, view) in self.views.iter().enumerate() {
            let held = view.written_to != view.feed;
            let mut run = Run { topic: view.written_to.clone(), messages: Vec::with_capacity(events), arena: Vec::new() };
            run.arena.reserve(weighed.arena.len() / self.views.len().max(1) + 64);
            for event in 0..events {
                let (outcome, key, tail): (Outcome, &[u8], &[u8]) = match places[event] {
                    Some(decided) => match decided.views.get(number)? {
                        None => continue,
                        Some((outcome, key, tail)) => (outcome_of(*outcome)?, key, tail),
                    },
                    None => match weighed.columns[number][event] {
                        None => continue,
                        Some(each) => (each.outcome, weighed.at(each.key), weighed.at(each.tail)),
                    },
                };
                let outcome = if held && outcome != Outcome::Filtered { Outcome::Held } else { outcome };
                made.by_view[number][outcome as usize] += 1;
                let slot = &mut agreed[event * self.views.len() + number];
                if outcome == Outcome::Filtered {
                    *slot = Some((outcome, 0, (0, 0)));
                    continue;
                }
                made.sequences[number] += 1;
                let sequence = made.sequences[number];
                *slot = Some((outcome, sequence, run.add(view.schema_id, sequence, key, tail)));
            }
            made.runs.push(run);
        }
        let tags = Tagged::new(tag_key, TAG_BYTES);
        self.write_entries(weighed, &places, &agreed, nonces, epoch, &tags, room, &mut made)?;
        Some(made)
    }

    #[allow(clippy::too_many_arguments)]
    fn write_entries(
        &self,
        weighed: &Weighed,
        places: &[Option<&Decided>],
        agreed: &[Agreed],
        nonces: &[u8],
        epoch: &[u8],
        tags: &Tagged,
        room: usize,
        made: &mut Routed,
    ) -> Option<()> {
        let (mut part, mut count): (Vec<u8>, usize) = (Vec::new(), 0);
        let mut last = 0;
        let mut entry = Vec::with_capacity(1024);
        for (event, offset) in weighed.offsets.iter().enumerate() {
            entry.clear();
            let mine = &agreed[event * self.views.len()..(event + 1) * self.views.len()];
            match (places[event], &weighed.found[event]) {
                (Some(decided), _) => entry.extend_from_slice(&decided.entry),
                (None, Some(found)) => {
                    let outcome = outcome_of_event(mine);
                    made.outcomes[outcome as usize] += 1;
                    self.write_entry(weighed, event, *offset, found, outcome, epoch, tags, &mut entry);
                }
                (None, None) => return None,
            }
            let nonce = &nonces[event * TAG_BYTES..(event + 1) * TAG_BYTES];
            self.write_agreements(mine, nonce, &made.runs, &mut entry);
            if entry.len() > room {
                return None;
            }
            if part.len() + entry.len() > room {
                made.parts.push((count, last, std::mem::take(&mut part)));
                count = 0;
            }
            part.extend_from_slice(&entry);
            count += 1;
            last = *offset;
        }
        made.parts.push((count, last, part));
        Some(())
    }

    /// One entry up to its agreements: `tidings.decisions._schema.ENTRY_SCHEMA`, field by field.
    #[allow(clippy::too_many_arguments)]
    fn write_entry(
        &self,
        weighed: &Weighed,
        event: usize,
        offset: i64,
        found: &Found,
        outcome: Outcome,
        epoch: &[u8],
        tags: &Tagged,
        out: &mut Vec<u8>,
    ) {
        put_long(out, offset);
        out.push(2);
        put_bytes(out, &crate::text::uuid_text(&found.event_id));
        let (scheme, subject) = weighed.subject_spans[event];
        let (scheme, subject) = (weighed.subject(scheme), weighed.subject(subject));
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
    }

    fn write_agreements(&self, mine: &[Agreed], nonce: &[u8], runs: &[Run], out: &mut Vec<u8>) {
        let count = mine.iter().flatten().count();
        if count > 0 {
            put_long(out, count as i64);
        }
        let mut commitment = None;
        for ((view, run), agreed) in self.views.iter().zip(runs).zip(mine) {
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
    fn at(&self, span: (u32, u32)) -> &[u8] {
        &self.arena[span.0 as usize..span.1 as usize]
    }

    fn subject(&self, span: (u32, u32)) -> &[u8] {
        &self.subjects[span.0 as usize..span.1 as usize]
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
