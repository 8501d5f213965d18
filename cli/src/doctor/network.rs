//! Each peer that we dial: does its address resolve, does somebody answer, and with the host key of the card? All at once, each
//! within a few seconds; none of our keys is shown. Of our own port only whether it is open.

use std::fmt::Display;
use std::time::Duration;

use amanah_format::signature::PublicKey;
use amanahd::catalogue::faces::doctor as face;
use amanahd::config::checked::Peer;
use amanahd::engine::policy::Policy;
use amanahd::transport::client::{Dial, SshLink};
use amanahd::transport::link::LinkError;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;

use super::{Findings, Patient, Severity};
use crate::exit::{Exit, Failure, Outcome};

/// For each peer, whatever it does.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What became of looking at a peer.
enum Seen {
    Healthy,
    Unresolved(String),
    Unreachable(String),
    OtherKey { found: String, expected: String },
}

pub(super) fn look(patient: &Patient<'_>, policy: &Policy, findings: &mut Findings) -> Outcome<()> {
    findings.look_at("peers");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Io, error))?;
    runtime.block_on(async {
        let mut looks = JoinSet::new();
        for (place, peer) in patient.config.peers.iter().enumerate() {
            if let Some((address, host_keys)) = whom(peer, policy, patient) {
                let dial = dial(address, host_keys, peer);
                looks.spawn(async move { (place, dial.address.clone(), see(dial).await) });
            }
        }
        let mut seen: Vec<_> = looks.join_all().await;
        seen.sort_by_key(|(place, ..)| *place);
        for (place, address, seen) in seen {
            if let Some(peer) = patient.config.peers.get(place) {
                tell(&peer.party, &address, seen, findings);
            }
        }
        if let Some(listen) = &patient.config.listen {
            let open = tokio::time::timeout(ANSWER_WITHIN, TcpStream::connect(listen.address));
            let error = match open.await {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(late) => Some(late.to_string()),
            };
            if let Some(error) = error {
                findings.add(
                    Severity::Error,
                    &face::LISTEN_CLOSED,
                    [&listen.address, &error],
                );
            }
        }
    });
    Ok(())
}

/// Where a peer is dialled and which keys it may show; none where it dials us.
fn whom(peer: &Peer, policy: &Policy, patient: &Patient<'_>) -> Option<(String, Vec<PublicKey>)> {
    if let Some(drop) = &peer.drop {
        return Some((drop.address.clone(), vec![drop.host_key]));
    }
    let keys = policy.keyring().transport_keys(&peer.party, patient.now);
    peer.dial.clone().map(|address| (address, keys))
}

fn dial(address: String, host_keys: Vec<PublicKey>, peer: &Peer) -> Dial {
    Dial {
        address,
        user: String::new(),
        key: String::new().into(),
        host_keys,
        post_quantum: peer.post_quantum,
        connect_timeout: ANSWER_WITHIN,
    }
}

async fn see(dial: Dial) -> Seen {
    let address = dial.address.clone();
    let resolved = tokio::time::timeout(ANSWER_WITHIN, lookup_host(address)).await;
    match resolved.map(|found| found.map(|mut addresses| addresses.next())) {
        Ok(Ok(Some(_))) => {}
        Ok(Ok(None)) => return Seen::Unresolved("no address".to_owned()),
        Ok(Err(error)) => return Seen::Unresolved(error.to_string()),
        Err(late) => return Seen::Unresolved(late.to_string()),
    }
    match SshLink::look(dial).await {
        Ok(()) => Seen::Healthy,
        Err(LinkError::HostKey {
            found, expected, ..
        }) => Seen::OtherKey { found, expected },
        Err(
            error @ (LinkError::Denied { .. }
            | LinkError::Broken(_)
            | LinkError::Local(_)
            | LinkError::Auth { .. }),
        ) => Seen::Unreachable(error.to_string()),
    }
}

fn tell(peer: &dyn Display, address: &str, seen: Seen, findings: &mut Findings) {
    match seen {
        Seen::Healthy => {}
        Seen::Unresolved(error) => findings.add(
            Severity::Error,
            &face::PEER_UNRESOLVED,
            [peer, &address, &error],
        ),
        Seen::Unreachable(error) => findings.add(
            Severity::Error,
            &face::PEER_UNREACHABLE,
            [peer, &address, &error],
        ),
        Seen::OtherKey { found, expected } => findings.add(
            Severity::Error,
            &face::PEER_OTHER_KEY,
            [peer, &address, &found, &expected],
        ),
    }
}
