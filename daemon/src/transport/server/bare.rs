//! One SFTP channel of the server without SSH around it, for the fuzz targets: whatever bytes come, they meet the very
//! framing, codec and tree that a peer's channel meets. Built for the `tests` member alone.

use std::sync::{Arc, Mutex};

use amanah_format::id::PartyId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, mpsc, watch};

use super::tree::{Tree, Visit};
use super::{Limits, session};
use crate::transport::link::Exchange;

/// Serves `peer` on `stream` until it ends. No request waits for anything: to this channel the server is about to stop.
pub async fn serve<S>(stream: S, exchange: Arc<dyn Exchange>, peer: PartyId)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let bell = exchange.offers_bell(&peer);
    let listed = Arc::new(Mutex::new(bell.heard()));
    let (_stopping, stop) = watch::channel(true);
    let visit = Visit {
        exchange,
        peer,
        bell,
        listed,
        stop,
    };
    let Ok(place) = Arc::new(Semaphore::new(1)).try_acquire_owned() else {
        return;
    };
    let (alive, mut over) = mpsc::channel(1);
    let tree = Tree::new(
        visit,
        Limits::default().handles_per_channel_max,
        (place, alive),
    );
    session::run(stream, tree).await;
    // None: the tree was dropped, and the channel with it.
    let _none = over.recv().await;
}
