//! By hand: an exchange on a stick that people carry (FORMAT.md §16.4). What an operator asks for is laid out for copying; what
//! an operator copies in goes the way of what came by wire, and nothing on the stick is believed. Like at a blind drop nothing is
//! handed over by an export: a bundle stays `queued` until its receipt comes.
//!
//! A receipt counts as delivered when we put it on a stick and a later stick of the peer, with news on it, no longer has its
//! bundle. Nothing of this is stored: after a restart receipts are carried once more, and operators ask once more.

mod inward;
mod outward;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::PartyId;

use crate::by_hand::{Answer, FORMAT, Told};
use crate::engine::inbound::InboundEvent;
use crate::request::{NAMES_MAX, Ticket};
use crate::transport::link::WireName;

use super::arrive::Arrive;
use super::{IDLE, Node, Pass, StageError};

/// Tickets at one time: more than operators have hands. Beyond, the oldest goes, and whoever has it asks again.
const TICKETS_MAX: usize = 16;
/// A ticket that nobody gave back is closed after so long: the largest bundle is on the slowest stick by then.
const TICKET_LIFE: Duration = Duration::from_secs(86_400);
/// How often a folder is looked at into which somebody copies: a person waits for it.
const LOOK: Duration = Duration::from_millis(200);
/// A ticket that is older has a large file under way, or its command died: it is looked at less often.
const FRESH: Duration = Duration::from_secs(600);
const LOOK_LATER: Duration = Duration::from_secs(5);

/// What is open now.
#[derive(Default)]
pub struct Tickets(Mutex<State>);

#[derive(Default)]
struct State {
    open: BTreeMap<Ticket, Open>,
    /// Bundles whose receipt is on a stick of ours.
    carried: BTreeSet<Digest>,
}

/// A ticket.
struct Open {
    /// Who asked, and alone may give it back.
    owner: u32,
    since: Instant,
    way: Way,
}

enum Way {
    Out(PartyId),
    In(Incoming),
}

/// What is known of a stick that is copied in.
#[derive(Clone)]
struct Incoming {
    answer: Answer,
    /// Whose news were on it.
    news: BTreeSet<PartyId>,
}

impl Tickets {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest, where one more would be too many; and those whose time is over.
    fn overdue(&self, room_for: usize) -> Vec<Ticket> {
        let state = self.lock();
        let mut by_age: Vec<_> = state.open.iter().collect();
        by_age.sort_by_key(|(_, open)| open.since);
        let over = by_age.len().saturating_sub(TICKETS_MAX - room_for);
        let is_due = |place: usize, open: &Open| place < over || open.since.elapsed() > TICKET_LIFE;
        let mut due = Vec::new();
        for (place, (ticket, open)) in by_age.into_iter().enumerate() {
            if is_due(place, open) {
                due.push(ticket.clone());
            }
        }
        due
    }

    fn incoming(&self, ticket: &Ticket) -> Option<Incoming> {
        match &self.lock().open.get(ticket)?.way {
            Way::In(incoming) => Some(incoming.clone()),
            Way::Out(_) => None,
        }
    }

    /// Those into which somebody copies, and when to look at them again.
    fn open_inward(&self) -> (Vec<Ticket>, Duration) {
        let state = self.lock();
        let is_inward = |open: &Open| matches!(open.way, Way::In(_));
        let (mut tickets, mut again_after) = (Vec::new(), IDLE);
        for (ticket, open) in state.open.iter().filter(|(_, open)| is_inward(open)) {
            tickets.push(ticket.clone());
            let is_fresh = open.since.elapsed() < FRESH;
            again_after = again_after.min(if is_fresh { LOOK } else { LOOK_LATER });
        }
        (tickets, again_after)
    }
}

/// Takes what operators copy in.
pub struct ByHand {
    /// The way in.
    pub arrive: Arc<Arrive>,
    /// Free space that incoming data never takes.
    pub free_bytes_min: u64,
}

impl ByHand {
    /// Closes what is overdue, then takes what lies in the folders of open tickets.
    ///
    /// # Errors
    /// The journal's or the file system's.
    pub fn pass(&self) -> Result<Pass, StageError> {
        let node = &self.arrive.node;
        for ticket in node.tickets.overdue(0) {
            close(node, &ticket)?;
        }
        let (open, again_after) = node.tickets.open_inward();
        let mut done = 0;
        for ticket in &open {
            done += self.take_all(ticket)?;
        }
        Ok(Pass { done, again_after })
    }
}

/// An operator wants to carry what waits for a peer.
///
/// # Errors
/// The journal's or the file system's.
pub(crate) fn export(
    node: &Node,
    peer: &PartyId,
    ticket: &Ticket,
    owner: u32,
) -> Result<(), StageError> {
    let Some(()) = begin(node, ticket)? else {
        return Ok(());
    };
    node.spool.open_stick_out(ticket.as_str())?;
    let answer = outward::lay_out(node, peer, ticket)?;
    open(node, ticket, owner, Way::Out(peer.clone()));
    say(node, ticket, &answer)
}

/// An operator brought a stick with these names on it.
///
/// # Errors
/// The journal's or the file system's.
pub(crate) fn import(
    node: &Node,
    names: &[String],
    ticket: &Ticket,
    owner: u32,
) -> Result<(), StageError> {
    let Some(()) = begin(node, ticket)? else {
        return Ok(());
    };
    let wire: BTreeSet<WireName> = names
        .iter()
        .take(NAMES_MAX)
        .filter_map(|name| WireName::parse(name))
        .collect();
    let answer = inward::asked(node, &wire)?;
    node.spool.open_stick_in(ticket.as_str())?;
    node.spool.open_stick_out(ticket.as_str())?;
    let incoming = Incoming {
        answer: answer.clone(),
        news: BTreeSet::new(),
    };
    open(node, ticket, owner, Way::In(incoming));
    say(node, ticket, &answer)
}

/// The copying is over; `names` are on the stick.
///
/// # Errors
/// The journal's or the file system's.
pub(crate) fn carried(
    node: &Node,
    names: &[String],
    ticket: &Ticket,
    owner: u32,
) -> Result<(), StageError> {
    let way = {
        let mut state = node.tickets.lock();
        if state
            .open
            .get(ticket)
            .is_none_or(|open| open.owner != owner)
        {
            return Ok(());
        }
        state.open.remove(ticket).map(|open| open.way)
    };
    match way {
        Some(Way::Out(peer)) => outward::note_carried(node, &peer, names)?,
        Some(Way::In(incoming)) => inward::note_missing(node, &incoming)?,
        None => {}
    }
    Ok(node.spool.close_stick(ticket.as_str())?)
}

/// Room for one more; none when the ticket is open already.
fn begin(node: &Node, ticket: &Ticket) -> Result<Option<()>, StageError> {
    if node.tickets.lock().open.contains_key(ticket) {
        return Ok(None);
    }
    for oldest in node.tickets.overdue(1) {
        close(node, &oldest)?;
    }
    Ok(Some(()))
}

fn open(node: &Node, ticket: &Ticket, owner: u32, way: Way) {
    let open = Open {
        owner,
        since: Instant::now(),
        way,
    };
    node.tickets.lock().open.insert(ticket.clone(), open);
    node.bells.by_hand.ring();
}

fn close(node: &Node, ticket: &Ticket) -> Result<(), StageError> {
    node.tickets.lock().open.remove(ticket);
    Ok(node.spool.close_stick(ticket.as_str())?)
}

/// Publishes an answer, whole for every reader.
fn say(node: &Node, ticket: &Ticket, answer: &Answer) -> Result<(), StageError> {
    let json = serde_json::to_vec(answer).map_err(|error| StageError::Other(error.to_string()))?;
    Ok(node
        .spool
        .lay_out(ticket.as_str(), home::STICK_ANSWER, &json)?)
}

fn answer(paused: bool, files: Vec<Told>) -> Answer {
    Answer {
        format: FORMAT.to_owned(),
        paused,
        files,
    }
}

/// The peer has the receipt: it is not carried any more.
fn delivered(node: &Node, bundle: &Digest) -> Result<(), StageError> {
    let now = node.clock.now();
    node.journal
        .advance_inbound(bundle, InboundEvent::ReceiptTaken, now)?;
    node.tickets.lock().carried.remove(bundle);
    node.bells.publish.ring();
    Ok(())
}
