//! The one joint to the wire: SSH by russh, SFTP (draft-ietf-secsh-filexfer-02 as OpenSSH speaks it) over a virtual tree.
//! `Link` is what a stage sees of a peer that we dial; `Exchange` is what the server sees of the stages.

mod algorithms;
pub(crate) mod classes;
pub mod client;
pub mod host_key;
pub mod link;
#[cfg(test)]
mod memory;
pub mod server;
mod socket;
#[cfg(test)]
mod tests;
