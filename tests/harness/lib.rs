//! The tests' ground: a pair of ministries as the demo founds them, in a temporary folder, driven by the same commands. Every
//! wait is bounded, every port its own, and nothing is left running: a test may run beside any other.

pub mod accounts;
pub mod certificates;
pub mod drop_server;
pub mod exchange;
pub mod flood;
pub mod fuzz;
pub mod fuzz_sftp;
pub mod gate;
pub mod hub;
pub mod link;
pub mod mutation;
pub mod narrow;
pub mod netns;
pub mod older;
pub mod papers;
pub mod postgres;
pub mod postgres_link;
pub mod printed;
pub mod python;
pub mod stick;

pub use amanah::demo::{
    attacks, evidence, forge, intruder, items, launch, ministry, pair, pilgrims, waiting,
};

pub use self::exchange::Exchange;
