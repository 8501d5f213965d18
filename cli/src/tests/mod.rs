//! Tests of the commands through the story function: arguments in, exit code and output out. Two pretend ministries in
//! temporary folders; no daemon, no network.

mod papers;
mod proof;
mod setup;
pub(crate) mod stand;
mod stick;
mod traffic;
