//! Floor 3: the journey, one file per step. A stage scans for its work and does a bounded amount of it at each pass.
pub mod acknowledge; pub mod admit; pub mod collect; pub mod import; pub mod seal; pub mod settle; pub mod ship;
