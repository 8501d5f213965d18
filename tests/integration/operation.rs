//! What the people who run it see: status, doctor, metrics, events and alarms of real daemons, and how long a start and a
//! stop take on a journal of years.

mod alarm;
mod doctor;
mod events;
mod metrics;
mod start;
mod status;
