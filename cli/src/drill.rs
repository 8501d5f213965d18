//! `amanah drill`: practice material. `amanah drill data` makes the ministries' datasets, D1 to D9, fictitious by construction and the
//! same for the same seed, damaged on purpose where that is asked for, with an answer key to what a ministry would ask of them.
//!
//! The demo and the tests make their tables by [`Exercise`].

mod agency;
mod answers;
mod command;
mod corrections;
mod crossings;
mod damage;
mod dataset;
mod day;
mod dice;
mod figures;
mod findings;
mod hajj;
mod making;
mod plan;
mod queries;
mod row;
pub(crate) mod traveller;
mod umrah;
mod voyage;

#[cfg(test)]
mod tests;

pub use answers::{Answers, Lapsed};
pub use damage::{Damaged, Fault, Spoil};
pub use dataset::Dataset;
pub use making::{Exercise, Made, MakeError, Progress, Wish};

pub(crate) use command::{Wanted, run};
