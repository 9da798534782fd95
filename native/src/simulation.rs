//! What the simulator has done natively: events of what happens to a county's people, and their rows until they are
//! received.

mod cells;
mod county;
mod due;
mod facts;
mod happen;
mod mending;
mod mistakes;
mod people;
mod pieces;
mod portraits;
mod shapes;
mod splice;
mod subjects;
mod telling;
mod told;
mod versions;

pub use cells::Cells;
pub use due::{Due, Rows};
pub use facts::Facts;
pub use happen::Crowd;
pub use splice::SOME;
pub use telling::{Teller, TELLS};
