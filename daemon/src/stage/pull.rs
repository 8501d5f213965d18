//! Pull: fetches what waits at a peer that we dialled, resuming at our synced prefix, and gives it to `arrive`. A bundle stays on
//! offer there until its receipt comes; a receipt or slip is removed once it is durable here.

use std::collections::HashSet;
use std::time::Duration;

use amanah_format::digest::Digest;

use crate::spool::part::Part;
use crate::transport::link::{Denied, Link, LinkError, Offer, WireName};

use super::ship::{SessionEnd, Ship};
use super::{IDLE, StageError};

/// A bundle whose bytes were damaged is fetched again after so long.
const AGAIN: Duration = Duration::from_secs(5);

/// Fetches as long as the connection lives.
pub(crate) async fn fetch<L: Link>(ship: &Ship, link: &L) -> SessionEnd {
    let mut doubtful = HashSet::new();
    loop {
        let wait = match fetch_waiting(ship, link, &mut doubtful).await {
            Ok(wait) => wait,
            Err(end) => return end,
        };
        if let Err(error) = link.wait(wait).await {
            return error.into();
        }
    }
}

/// One round over what the peer offers; returns how long to wait for news.
async fn fetch_waiting<L: Link>(
    ship: &Ship,
    link: &L,
    doubtful: &mut HashSet<Digest>,
) -> Result<Duration, SessionEnd> {
    let mut wait = IDLE;
    for offer in link.offers().await? {
        if !wanted(ship, offer, doubtful)? {
            continue;
        }
        match fetch_one(ship, link, offer).await? {
            Ok(()) => {}
            Err(denied) if denied.code == "damaged" || denied.code == "failure" => wait = AGAIN,
            Err(denied) => {
                tracing::warn!(peer = %ship.peer, name = %offer.name, code = denied.code, "fetched, but not taken");
                if let WireName::Bundle(digest) = offer.name {
                    doubtful.insert(digest);
                }
            }
        }
    }
    Ok(wait)
}

/// A bundle that is known is waiting there for our receipt only; what was turned away in this session is not fetched twice.
fn wanted(ship: &Ship, offer: Offer, doubtful: &HashSet<Digest>) -> Result<bool, SessionEnd> {
    match offer.name {
        WireName::Bundle(digest) if doubtful.contains(&digest) => Ok(false),
        WireName::Bundle(digest) => Ok(ship
            .node
            .journal
            .inbound(&digest)
            .map_err(StageError::from)?
            .is_none()),
        WireName::Receipt(_) | WireName::Slip(_) => Ok(true),
    }
}

/// The whole of one offer, and what `arrive` says of it; what is done with is removed at the peer.
async fn fetch_one<L: Link>(
    ship: &Ship,
    link: &L,
    offer: Offer,
) -> Result<Result<(), Denied>, SessionEnd> {
    let outcome = take_in(ship, link, offer).await?;
    if is_judged(&outcome) && !matches!(offer.name, WireName::Bundle(_)) {
        link.taken(offer.name).await?;
    }
    Ok(outcome)
}

/// Whether there is nothing more to say of these bytes: not where this machine failed, nor where a document is not here yet.
pub(super) fn is_judged(outcome: &Result<(), Denied>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(denied) => denied.code != "failure" && denied.code != "agreement-unknown",
    }
}

/// The whole of one offer, and what `arrive` says of it.
pub(super) async fn take_in<L: Link>(
    ship: &Ship,
    link: &L,
    offer: Offer,
) -> Result<Result<(), Denied>, SessionEnd> {
    let name = offer.name.to_string();
    let mut part = ship
        .node
        .spool
        .part(&ship.peer, &name, offer.bytes)
        .map_err(StageError::from)?;
    let from = part.prefix();
    if from > offer.bytes {
        drop(part);
        ship.node
            .spool
            .drop_part(&ship.peer, &name)
            .map_err(StageError::from)?;
        return Err(LinkError::Broken("the peer offers less than it did before".to_owned()).into());
    }
    link.get(offer.name, from, &mut |offset, bytes| {
        write(&mut part, offset, bytes)
    })
    .await?;
    part.sync().map_err(StageError::from)?;
    drop(part);
    let (arrive, peer) = (std::sync::Arc::clone(&ship.arrive), ship.peer.clone());
    let outcome = tokio::task::spawn_blocking(move || arrive.hand_over(&peer, offer.name)).await;
    Ok(outcome.map_err(|error| StageError::Other(format!("a hand-over ended early: {error}")))?)
}

fn write(part: &mut Part, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
    part.write_at(offset, bytes).map_err(std::io::Error::other)
}
