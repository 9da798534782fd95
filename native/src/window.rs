//! The deduplication window of one inbox partition: `tidings.deduplication.Window`, the same definition.

use blake2b_simd::many::{hash_many, HashManyJob};
use blake2b_simd::Params;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::ops::Range;

use crate::keys::{tag_of, TAG_BYTES};

/// A record as it stands in the inbox.
pub struct Record<'a> {
    pub offset: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
}

/// So many records are hashed at once: enough for every lane, few enough to stay in the cache.
const HASHED_TOGETHER: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sighting {
    New = 0,
    Duplicate = 1,
    Reused = 2,
}

/// What is kept of a record: by these three a repeat is known.
#[derive(Clone, Copy)]
pub struct Mark {
    offset: i64,
    event_id: [u8; 16],
    record: [u8; 16],
}

#[derive(Default)]
pub struct Window {
    pub size: i64,
    marks: VecDeque<Mark>,
    ids: HashMap<[u8; 16], i64>,
    records: HashMap<[u8; 16], i64>,
    staged: Vec<Mark>,
}

/// The event id of a framed value from its bytes alone, letters of either case.
pub fn event_id_of(value: &[u8]) -> Option<[u8; 16]> {
    const ID_AT: usize = 6;
    if value.len() < ID_AT + 36 || value[0] != 0 || value[5] != 72 {
        return None;
    }
    let mut text = [0u8; 36];
    text.copy_from_slice(&value[ID_AT..ID_AT + 36]);
    text.make_ascii_lowercase();
    crate::text::uuid_bytes(&text)
}

impl Window {
    pub fn new(size: i64) -> Window {
        Window { size, ..Window::default() }
    }

    /// How many records it has marks of.
    pub fn remembered(&self) -> usize {
        self.marks.len()
    }

    /// Say whether a record is new, and stage it. Without an event id it is always new and leaves no mark.
    pub fn see(&mut self, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Sighting {
        mark(offset, key, value).map_or(Sighting::New, |mark| self.stage(mark))
    }

    /// The same of a record whose mark was made before; None is the mark of one without an event id.
    pub fn sight(&mut self, mark: Option<Mark>) -> Sighting {
        mark.map_or(Sighting::New, |mark| self.stage(mark))
    }

    fn stage(&mut self, mark: Mark) -> Sighting {
        let offset = mark.offset;
        let start = offset - self.size;
        // What is staged stands in the maps at once, and is taken out again where the transaction is aborted.
        let record = self.records.insert(mark.record, offset);
        let id = self.ids.insert(mark.event_id, offset);
        self.staged.push(mark);
        if record.is_some_and(|at| at >= start) {
            Sighting::Duplicate
        } else if id.is_some_and(|at| at >= start) {
            Sighting::Reused
        } else {
            Sighting::New
        }
    }

    pub fn commit(&mut self) {
        let Some(last) = self.staged.last().map(|mark| mark.offset) else { return };
        self.marks.extend(self.staged.drain(..));
        self.forget(last + 1 - self.size);
    }

    /// What was seen since the last commit was never seen: the marks before it stand again.
    pub fn abort(&mut self) {
        if self.staged.is_empty() {
            return;
        }
        for mark in std::mem::take(&mut self.staged) {
            self.ids.remove(&mark.event_id);
            self.records.remove(&mark.record);
        }
        for mark in &self.marks {
            self.ids.insert(mark.event_id, mark.offset);
            self.records.insert(mark.record, mark.offset);
        }
    }

    pub fn clear(&mut self) {
        *self = Window::new(self.size);
    }

    /// One more record of the log while the window is rebuilt, in offset order.
    pub fn load(&mut self, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>, end: i64) {
        if let Some(mark) = mark(offset, key, value).filter(|m| end - self.size <= m.offset && m.offset < end) {
            self.ids.insert(mark.event_id, offset);
            self.records.insert(mark.record, offset);
            self.marks.push_back(mark);
        }
    }

    fn forget(&mut self, start: i64) {
        while let Some(mark) = self.marks.front().copied().filter(|mark| mark.offset < start) {
            self.marks.pop_front();
            if self.ids.get(&mark.event_id) == Some(&mark.offset) {
                self.ids.remove(&mark.event_id);
            }
            if self.records.get(&mark.record) == Some(&mark.offset) {
                self.records.remove(&mark.record);
            }
        }
    }
}

fn mark(offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Option<Mark> {
    marks(&[Record { offset, key, value }]).pop().flatten()
}

/// The marks of records, hashed side by side.
pub fn marks_of(records: &[Record]) -> Vec<Option<Mark>> {
    records.chunks(HASHED_TOGETHER).flat_map(marks).collect()
}

/// The mark of each record that has an event id.
fn marks(records: &[Record]) -> Vec<Option<Mark>> {
    let ids: Vec<_> = records.iter().map(|record| record.value.and_then(event_id_of)).collect();
    let mut whole = Vec::new();
    let spans: Vec<_> = records.iter().map(|record| put_record(&mut whole, record)).collect();
    let mut params = Params::new();
    params.hash_length(TAG_BYTES);
    let mut jobs: Vec<_> = spans.into_iter().map(|span| HashManyJob::new(&params, &whole[span])).collect();
    hash_many(jobs.iter_mut());
    let marked = |((record, id), job): ((&Record, Option<_>), &HashManyJob)| {
        Some(Mark { offset: record.offset, event_id: id?, record: tag_of(&job.to_hash()) })
    };
    records.iter().zip(ids).zip(&jobs).map(marked).collect()
}

/// Key and value in one piece; a key that is absent is not an empty one.
fn put_record(out: &mut Vec<u8>, record: &Record) -> Range<usize> {
    let start = out.len();
    match record.key {
        None => out.push(b'-'),
        Some(key) => {
            out.push(b'+');
            out.extend_from_slice(&(key.len() as u64).to_be_bytes());
            out.extend_from_slice(key);
        }
    }
    out.extend_from_slice(record.value.unwrap_or_default());
    start..out.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(id: u8, body: u8) -> Vec<u8> {
        let mut made = vec![0, 0, 0, 0, 1, 72];
        made.extend(crate::text::uuid_text(&[id; 16]));
        made.push(body);
        made
    }

    #[test]
    fn a_repeat_is_found_within_the_window_and_forgotten_behind_it() {
        let mut window = Window::new(2);
        assert_eq!(window.see(0, Some(b"k"), Some(&value(1, 0))), Sighting::New);
        assert_eq!(window.see(1, Some(b"k"), Some(&value(1, 0))), Sighting::Duplicate);
        assert_eq!(window.see(2, Some(b"k"), Some(&value(1, 9))), Sighting::Reused);
        window.commit();
        assert_eq!(window.see(5, Some(b"k"), Some(&value(1, 0))), Sighting::New);
    }

    #[test]
    fn an_abort_brings_the_marks_before_it_back() {
        let mut window = Window::new(10);
        window.see(0, Some(b"k"), Some(&value(1, 0)));
        window.commit();
        window.see(1, Some(b"k"), Some(&value(1, 0)));
        window.see(2, Some(b"k"), Some(&value(2, 0)));
        window.abort();
        assert_eq!(window.see(1, Some(b"k"), Some(&value(1, 0))), Sighting::Duplicate);
        assert_eq!(window.see(2, Some(b"k"), Some(&value(2, 0))), Sighting::New);
    }
}
