//! A batch of one inbox partition: weighed by every view, then numbered and written down. Pure but for what it is given.
//!
//! A large batch is spread over the processors: its events are weighed in shares, its views are numbered side by side,
//! and its entries are written in shares again. What comes out does not depend on how many there are.

#[cfg(feature = "bench")]
mod bare;
mod entries;
mod inbox;
mod number;
mod route;
mod weigh;
mod weighed;

pub use inbox::Inbox;
pub use number::{Decided, Given, Run};
pub use route::{Numbering, Routed};
pub use weighed::Weighed;
