//! One caller in the tree: who it is, what the channels of its connection share, and the questions that they put to the
//! stages, which run off the runtime's own threads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use amanah_format::id::PartyId;
use russh_sftp::protocol::{File, OpenFlags};
use russh_sftp::server::StatusReply;
use tokio::sync::watch;

use super::answers::{apart, failure, not_allowed};
use super::handles::Open;
use super::place::{self, Place};
use crate::bell::{Bell, Heard};
use crate::transport::link::{Denied, Exchange, WireName};

/// Longest wait that a client may ask for: short of what a firewall on the way forgets.
const WAIT_SECS_MAX: u32 = 30;

/// What all channels of one connection share.
#[derive(Clone)]
pub(in crate::transport::server) struct Visit {
    pub(in crate::transport::server) exchange: Arc<dyn Exchange>,
    pub(in crate::transport::server) peer: PartyId,
    pub(in crate::transport::server) bell: Bell,
    /// What was heard of the bell before the last listing of `/outgoing`.
    pub(in crate::transport::server) listed: Arc<Mutex<Heard>>,
    /// Ends a wait.
    pub(in crate::transport::server) stop: watch::Receiver<bool>,
}

impl Visit {
    /// Asks the stages, off the runtime's own threads.
    pub(super) fn ask<T, F>(
        &self,
        question: F,
    ) -> impl Future<Output = Result<T, StatusReply>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Exchange, &PartyId) -> Result<T, Denied> + Send + 'static,
    {
        let exchange = Arc::clone(&self.exchange);
        let peer = self.peer.clone();
        apart(move || question(exchange.as_ref(), &peer))
    }

    pub(super) async fn lines(&self, place: Place) -> Result<Vec<File>, StatusReply> {
        match place {
            Place::Root => Ok(vec![
                place::folder_line("incoming"),
                place::folder_line("outgoing"),
            ]),
            Place::Incoming => {
                let parts = self.ask(|exchange, peer| exchange.parts(peer)).await?;
                Ok(parts
                    .into_iter()
                    .map(|(name, prefix)| place::part_line(name, prefix))
                    .collect())
            }
            Place::Outgoing => {
                // Heard first: what rings while the list is made is not lost.
                let heard = self.bell.heard();
                let offers = self.ask(|exchange, peer| exchange.offers(peer)).await?;
                *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = heard;
                Ok(offers
                    .into_iter()
                    .map(|offer| place::offer_line(offer.name, offer.bytes))
                    .collect())
            }
            Place::Part(_) | Place::HandedOver(_) | Place::Offer(_) => {
                Err(failure("failure", "not a folder"))
            }
        }
    }

    pub(super) async fn open_offer(
        &self,
        name: WireName,
        flags: OpenFlags,
    ) -> Result<Open, StatusReply> {
        if flags.bits() != OpenFlags::READ.bits() {
            return Err(not_allowed("/outgoing/NAME is opened for reading only"));
        }
        Ok(Open::offer(
            self.ask(move |exchange, peer| exchange.open_offer(peer, name))
                .await?,
        ))
    }

    /// Waits until something new waits for the peer since it listed last.
    pub(super) async fn wait(&self, seconds: u32) {
        let heard = *self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = self.bell.clone();
        let mut stop = self.stop.clone();
        let timeout = Duration::from_secs(u64::from(seconds.min(WAIT_SECS_MAX)));
        tokio::select! {
            _rang = bell.waited(heard, timeout) => {}
            () = stopped(&mut stop) => {}
        }
    }
}

/// Returns when everything is to end.
pub(in crate::transport::server) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that the server was dropped: an end too.
    drop(stop.wait_for(|stop| *stop).await);
}
