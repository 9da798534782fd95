//! Everything that one inbox's events go through, compiled.

use std::collections::HashMap;

use crate::avro::{Body, Types, Unsupported};
use crate::checks::{self, Check};
use crate::keys::Group;
use crate::program::Program;
use crate::resolve::Resolver;
use crate::scan::{Found, Notes, Places, Refused, Scanner, Seen};
use crate::spread::Spread;
use crate::text::murmur2;
use crate::views::{Outcome, View};

const ANNULLED: &str = "ANNULLED";
const CREATED: &str = "CREATED";

pub struct Inbox {
    pub types: Types,
    pub scanner: Scanner,
    pub(super) current: Vec<u32>,
    others: Vec<Resolver>,
    pub checks: Vec<Check>,
    pub views: Vec<View>,
    pub(super) groups: Vec<Group>,
    agency: Vec<u8>,
    partitions: i32,
    environment: usize,
    annulled: usize,
    created: usize,
    pub(super) corrections: Vec<bool>,
    pub(super) spread: Spread,
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
        let body = Body::new(body, &notes.ends);
        let seen = self.seen(&body, &notes.starts, &found);
        let mut key = Vec::new();
        let (outcome, key_ends) = self.views.get(number)?.decide(&seen, &notes.places, &self.groups, &mut key).ok()?;
        let tail = key.split_off(key_ends);
        Some((outcome, key, tail))
    }

    /// An event as its views see it.
    #[inline]
    pub(super) fn seen<'a>(&'a self, body: &'a Body<'a>, starts: &'a [u32], found: &'a Found) -> Seen<'a> {
        Seen { types: &self.types, body, starts, found, created: found.change == self.created }
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

    /// Write into `out` an event of another version as one of the current; None where it is left to Python.
    pub fn resolve(&self, schema_id: u32, body: &[u8], notes: &mut Notes, out: &mut Vec<u8>) -> Option<()> {
        let resolver = self.others.iter().find(|each| each.schema_id == schema_id)?;
        resolver.resolve(body, &mut notes.ends, out)
    }

    /// What the scan found of a body that is an event of this agency's and environment's and surely passes every check.
    pub fn clean(&self, body: &[u8], now_ms: i64, notes: &mut Notes) -> Option<Found> {
        let found = self.scanner.scan(&self.types, body, notes).ok()?;
        let agency = &body[found.agency.0 as usize..found.agency.1 as usize];
        let framed = agency == self.agency && found.environment == self.environment;
        (framed && self.passes(&Body::new(body, &notes.ends), &notes.places, &found, now_ms)).then_some(found)
    }

    pub(super) fn partition_of(&self, key: &[u8]) -> i32 {
        (murmur2(key) & 0x7fff_ffff) as i32 % self.partitions
    }
}
