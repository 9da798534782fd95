//! Work on a batch, spread over the processors that this process may use.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::thread;

/// More threads than this wait for memory and for each other.
const MOST_THREADS: usize = 8;

/// How work is spread. Fewer events than `events_a_thread` are not worth a thread of their own.
pub struct Spread {
    threads: usize,
    events_a_thread: usize,
}

impl Spread {
    pub fn new(events_a_thread: usize) -> Spread {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MOST_THREADS);
        Spread { threads, events_a_thread: events_a_thread.max(1) }
    }

    /// What `work` makes of consecutive ranges that together are `0..events`, in order.
    pub fn over_events<T: Send>(&self, events: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
        over(events, self.threads.min(events / self.events_a_thread).max(1), work)
    }

    /// Likewise of `0..items`, where each item is work over `events` events.
    pub fn over_items<T: Send>(&self, items: usize, events: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
        let threads = if events < self.events_a_thread { 1 } else { self.threads };
        over(items, threads.min(items).max(1), work)
    }
}

fn over<T: Send>(items: usize, threads: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let range = |number: usize| items * number / threads..items * (number + 1) / threads;
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = (1..threads).map(|number| scope.spawn(move || work(range(number)))).collect();
        let mut made = vec![work(range(0))];
        for other in others {
            made.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        made
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_are_the_whole_in_order() {
        for items in [0, 1, 2, 3, 7, 1000] {
            for threads in 1..5 {
                let made: Vec<usize> = over(items, threads, |some| some.collect::<Vec<_>>()).concat();
                assert_eq!(made, (0..items).collect::<Vec<_>>());
            }
        }
    }
}
