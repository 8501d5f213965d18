//! What was begun on one channel, and is left when it ends. A slip is short, and may be superseded before its peer comes again; a
//! bundle may be one that was taken over before. The stages say what is kept to be resumed. A channel may end as a connection
//! does, at any byte; dropping the value is the one place that sees every end.

use std::collections::BTreeSet;
use std::sync::Arc;

use russh_sftp::server::StatusReply;
use tokio::sync::mpsc;

use super::Visit;
use super::answers::failure;
use crate::transport::link::WireName;

/// Begun and not handed over on one channel: our client has one at a time.
const BEGUN_MAX: usize = 64;

/// The names whose parts may end with the channel.
pub(super) struct Begun {
    visit: Visit,
    names: BTreeSet<WireName>,
    /// A sign that something is still to be done.
    alive: mpsc::Sender<()>,
}

impl Begun {
    pub(super) fn new(visit: Visit, alive: mpsc::Sender<()>) -> Self {
        Self {
            visit,
            names: BTreeSet::new(),
            alive,
        }
    }

    /// A part is about to be opened.
    pub(super) fn note(&mut self, name: WireName) -> Result<(), StatusReply> {
        let has_room = self.names.len() < BEGUN_MAX || self.names.contains(&name);
        match name {
            WireName::Slip(_) if !has_room => {
                return Err(failure("failure", "hand over the slips that were begun"));
            }
            // Who begins so many keeps them, within the bound of parts.
            WireName::Bundle(_) | WireName::Receipt(_) if !has_room => {}
            WireName::Slip(_) | WireName::Bundle(_) | WireName::Receipt(_) => {
                self.names.insert(name);
            }
        }
        Ok(())
    }

    /// It was handed over, or removed.
    pub(super) fn done(&mut self, name: WireName) {
        self.names.remove(&name);
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let names = std::mem::take(&mut self.names);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if names.is_empty() {
            return;
        }
        let (exchange, peer) = (Arc::clone(&self.visit.exchange), self.visit.peer.clone());
        let alive = self.alive.clone();
        runtime.spawn_blocking(move || {
            for name in names {
                // Being written on another channel by now: then it is that one's.
                let _ = exchange.left_part(&peer, name);
            }
            drop(alive);
        });
    }
}
