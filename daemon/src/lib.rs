//! The daemon of Amanah as a library: `amanahd` and the hidden `amanah daemon` are the same story function.
//!
//! Floors (imports point downward, siblings of floor 2 never meet; only a stage joins two):
//! floor 4 `main args supervise config` · floor 3 `stage` · floor 2 `journal spool keys watch transport store metrics alarm` ·
//! floor 1 `engine durable` · floor 0 `amanah_format` and the leaves `bell by_hand clock event kill plant catalogue snapshot request`.

pub mod alarm;
pub mod args;
pub mod bell;
pub mod by_hand;
pub mod catalogue;
pub mod clock;
pub mod config;
pub mod durable;
pub mod engine;
pub mod event;
pub mod journal;
pub mod keys;
pub mod kill;
pub mod metrics;
pub mod plant;
pub mod request;
pub mod retained;
pub mod snapshot;
pub mod spool;
pub mod stage;
pub mod store;
pub mod supervise;
pub mod transport;
pub mod watch;
