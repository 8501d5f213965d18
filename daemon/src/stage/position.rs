//! Positions: at each connection either side says how far it has seen each stream between the two; at each start it asks
//! the other to say so. Who hears that its peer has seen more of a stream than it knows was restored from an old copy: that
//! stream is stopped before another number is given. FORMAT.md §9.4, §14.1; the rules are in `engine::{gate, stream}`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::agreement::Flow;
use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::slip::{Body, POSITION_STREAMS_MAX, Position, Slip, StreamPlace};

use crate::engine::gate::{Seen, may_seal};
use crate::engine::stream::{ask_again_after, is_behind};

use super::signer::Signer;
use super::{Node, StageError, slips};

/// What is known of each peer in this life of the process: the gate before sealing.
pub struct Gates {
    peers: Mutex<BTreeMap<PartyId, Gate>>,
    started: Instant,
}

/// One peer's.
#[derive(Debug, Clone, Default)]
struct Gate {
    seen: Seen,
    /// Our slips that asked, the newest last.
    asked: Vec<Digest>,
    /// When the next may ask.
    ask_at: Option<Instant>,
    /// The peer's slip that asks and is not answered yet.
    to_answer: Option<Digest>,
    /// It has connected, or we to it, since the last look.
    greet: bool,
    /// It is to be shown our ledger; whether directly.
    call: Option<bool>,
    /// It is to be told our later cards: from the start on.
    told_cards: Told,
}

/// Whether a peer was told our cards, in this life of the process.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Told {
    /// Not yet, or it has connected since.
    #[default]
    Due,
    /// Then.
    At(Instant),
}

impl Gates {
    /// A gate for each of these peers, shut; the life of the process begins now.
    #[must_use]
    pub fn for_peers<'a>(peers: impl Iterator<Item = &'a PartyId>) -> Self {
        let shut = peers.map(|peer| (peer.clone(), Gate::default()));
        Self {
            peers: Mutex::new(shut.collect()),
            started: Instant::now(),
        }
    }

    fn peers(&self) -> MutexGuard<'_, BTreeMap<PartyId, Gate>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, peer: &PartyId, change: impl FnOnce(&mut Gate) -> T) -> T {
        change(self.peers().entry(peer.clone()).or_default())
    }

    /// There is a reason to think that this home is a copy; until this peer has answered, nothing is sealed for it.
    pub fn doubt(&self, peer: &PartyId) {
        self.with(peer, |gate| gate.seen.doubted = true);
    }

    /// A connection to it, in whichever direction, has begun; `directly`: not through a drop.
    pub fn connected(&self, peer: &PartyId, directly: bool) {
        self.with(peer, |gate| {
            gate.greet = true;
            gate.call = Some(directly);
            gate.seen.connected = directly;
            // A peer that connects again and again is not told more often than once an hour.
            if let Told::At(when) = gate.told_cards
                && when.elapsed() >= CARDS_AGAIN
            {
                gate.told_cards = Told::Due;
            }
        });
    }

    /// It is to be shown our ledger again.
    pub(super) fn call(&self, peer: &PartyId) {
        self.with(peer, |gate| gate.call = Some(true));
    }

    /// Whether there is a reason to show it; and whether it is there itself.
    pub(super) fn take_call(&self, peer: &PartyId) -> Option<bool> {
        self.with(peer, |gate| gate.call.take())
    }

    /// Whether our cards are to be told to it now, which then counts as done; and whether it is there itself.
    pub(super) fn take_cards_due(&self, peer: &PartyId) -> Option<bool> {
        self.with(peer, |gate| match gate.told_cards {
            Told::At(_) => None,
            Told::Due => {
                gate.told_cards = Told::At(Instant::now());
                Some(gate.seen.connected)
            }
        })
    }

    /// Our cards have changed: every peer is to be told.
    pub fn cards_changed(&self) {
        for gate in self.peers().values_mut() {
            gate.told_cards = Told::Due;
        }
    }

    /// It could not be reached, or has gone.
    pub fn unreachable(&self, peer: &PartyId) {
        self.with(peer, |gate| {
            gate.seen.unreachable = true;
            gate.seen.connected = false;
        });
    }

    /// Peers for which no number may be given yet.
    #[must_use]
    pub fn shut(&self) -> Vec<PartyId> {
        let secs = self.started.elapsed().as_secs();
        let peers = self.peers();
        let shut = peers.iter().filter(|(_, gate)| !may_seal(gate.seen, secs));
        shut.map(|(peer, _)| peer.clone()).collect()
    }

    fn take_greeting(&self, peer: &PartyId) -> (bool, Option<Digest>) {
        self.with(peer, |gate| {
            (std::mem::take(&mut gate.greet), gate.to_answer.take())
        })
    }
}

/// So long after they were told, cards are told again at a new connection: the peer may have been restored since.
const CARDS_AGAIN: Duration = Duration::from_secs(3_600);
/// Our questions whose answer still counts: one is asked an hour at last, and a drop may be slow.
const QUESTIONS_MAX: usize = 32;

/// Asks a peer how far it has seen, later each time, until it has answered.
///
/// # Errors
/// The journal's.
pub(super) fn ask(node: &Node, signing: &Signer, peer: &PartyId) -> Result<(), StageError> {
    let now = Instant::now();
    let is_due =
        |gate: &mut Gate| !gate.seen.answered && gate.ask_at.is_none_or(|ask_at| ask_at <= now);
    if !node.gates.with(peer, is_due) {
        return Ok(());
    }
    let mut nonce = [0_u8; 16];
    getrandom::fill(&mut nonce)
        .map_err(|error| StageError::Other(format!("no randomness: {error}")))?;
    let mut asked = None;
    for (index, mut slip) in drafts(node, peer)?.into_iter().enumerate() {
        if index == 0 {
            slip.ask(nonce);
        }
        let digest = slips::put(node, signing, slip, &format!("ask {index}"))?;
        asked = asked.or(Some(digest));
    }
    node.gates.with(peer, |gate| {
        gate.asked.extend(asked);
        if gate.asked.len() > QUESTIONS_MAX {
            gate.asked.remove(0);
        }
        let times = u32::try_from(gate.asked.len()).unwrap_or(u32::MAX);
        gate.ask_at = Some(now + Duration::from_secs(ask_again_after(times)));
    });
    Ok(())
}

/// Says how far we have seen, where there is an occasion: a question of the peer, or a new connection.
///
/// # Errors
/// The journal's.
pub(super) fn tell(node: &Node, signing: &Signer, peer: &PartyId) -> Result<(), StageError> {
    let (greet, to_answer) = node.gates.take_greeting(peer);
    if let Some(asked) = to_answer {
        // The last part answers: whoever hears it has heard them all.
        let mut parts = drafts(node, peer)?;
        if let Some(last) = parts.last_mut() {
            last.answer(&asked);
        }
        return put_all(node, signing, parts, "answer");
    }
    if !greet {
        return Ok(());
    }
    let parts = drafts(node, peer)?;
    // Through a drop a connection says nothing of the peer: only what is new is worth a file there.
    let fact = format!("position-told {peer}");
    let said = parts.iter().map(|slip| format!("{:?}", slip.body));
    let said = Digest::of(said.collect::<String>().as_bytes()).to_string();
    let directly = node.gates.with(peer, |gate| gate.seen.connected);
    if !directly && node.journal.fact(&fact)?.as_deref() == Some(said.as_str()) {
        return Ok(());
    }
    put_all(node, signing, parts, "position")?;
    Ok(node.journal.set_fact(&fact, Some(&said))?)
}

fn put_all(node: &Node, signing: &Signer, parts: Vec<Slip>, about: &str) -> Result<(), StageError> {
    for (index, slip) in parts.into_iter().enumerate() {
        slips::put(node, signing, slip, &format!("{about} {index}"))?;
    }
    Ok(())
}

/// Our position towards a peer, in as many slips as it takes; one at least.
fn drafts(node: &Node, peer: &PartyId) -> Result<Vec<Slip>, StageError> {
    let own = node.rules.now().own().clone();
    let places = node.journal.seen_places(&own, peer)?;
    let mut parts: Vec<_> = places
        .chunks(POSITION_STREAMS_MAX)
        .map(<[_]>::to_vec)
        .collect();
    if parts.is_empty() {
        parts.push(Vec::new());
    }
    let slip = |streams| slips::draft(node, peer, Body::Position(Position { streams }));
    Ok(parts.into_iter().map(slip).collect())
}

/// A peer says how far it has seen. What it means for us is durable before the gate opens.
///
/// # Errors
/// The journal's.
pub(super) fn hear(
    node: &Node,
    peer: &PartyId,
    said: &Position,
    slip: &Slip,
    digest: &Digest,
) -> Result<(), StageError> {
    for place in &said.streams {
        let agreed = is_agreed(node, place);
        if agreed && &place.to == peer {
            hear_of_ours(node, place)?;
        } else if agreed && &place.from == peer && node.journal.note_told(place)? {
            tracing::warn!(%peer, flow = %place.flow, "the peer says that we took over more than is known here");
            node.board
                .alarm("home-behind", peer.as_str(), node.clock.now());
        }
    }
    if slip.asks() {
        node.gates.with(peer, |gate| gate.to_answer = Some(*digest));
    }
    if let Some(asked) = slip.answers()
        && node.gates.with(peer, |gate| gate.asked.contains(&asked))
    {
        open(node, peer)?;
    }
    node.bells.streams.ring();
    Ok(())
}

/// The peer has answered, or the sysadmin vouches for this home: numbers may be given again.
///
/// # Errors
/// The journal's.
pub(super) fn open(node: &Node, peer: &PartyId) -> Result<(), StageError> {
    node.journal.set_fact(&doubted(peer), None)?;
    node.gates.with(peer, |gate| gate.seen.answered = true);
    node.board.quiet("home-copied", peer.as_str());
    node.bells.seal.ring();
    Ok(())
}

/// The fact that this home may be a copy, towards one peer: it outlives the process that found it out.
#[must_use]
pub fn doubted(peer: &PartyId) -> String {
    format!("doubted {peer}")
}

/// A stream that is none between us is not remembered: a peer could name any number of them.
pub(super) fn is_agreed(node: &Node, place: &StreamPlace) -> bool {
    let policy = node.rules.now();
    let is_it = |flow: &Flow| flow.from == place.from && flow.to == place.to;
    policy.agreements().iter().any(|known| {
        let text = known.agreement();
        text.id == place.agreement && text.flow(&place.flow).is_some_and(is_it)
    })
}

fn hear_of_ours(node: &Node, place: &StreamPlace) -> Result<(), StageError> {
    let own = node.journal.own_place(place)?;
    if !is_behind(own, (place.epoch, place.sequence, place.manifest)) {
        return Ok(());
    }
    let now = node.clock.now();
    node.journal.stop_stream(place, now)?;
    crate::kill::point("position.stopped");
    tracing::error!(peer = %place.to, flow = %place.flow, sequence = place.sequence.get(), "the peer has seen more of this stream than is known here: it is stopped");
    let subject = format!("{} {}", place.to, place.flow);
    node.board.alarm("sender-behind", &subject, now);
    Ok(())
}
