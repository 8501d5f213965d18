//! The in-memory twin of the stages for the tests of this module: keeps what it is given, records what it is asked.
//! It implements `Exchange` without files, so that tests can deny a call and look at every one. Built for tests only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use amanah_format::id::PartyId;
use amanah_format::signature::PublicKey;

use super::link::{Denied, Exchange, Offer, OfferReader, PartWriter, WireName};
use crate::bell::Bell;

/// What it holds for its one peer.
#[derive(Default)]
pub(super) struct State {
    /// Who may connect.
    pub(super) callers: Vec<(String, PublicKey)>,
    /// Unfinished uploads, and how much of each is synced.
    pub(super) parts: BTreeMap<WireName, (Vec<u8>, usize)>,
    /// What was handed over.
    pub(super) received: BTreeMap<WireName, Vec<u8>>,
    /// What waits.
    pub(super) offers: BTreeMap<WireName, Arc<Vec<u8>>>,
    /// What the next hand-over is answered with, if not with success.
    pub(super) denial: Option<Denied>,
    /// Every call, in order.
    pub(super) calls: Vec<String>,
}

/// The twin.
#[derive(Default, Clone)]
pub(super) struct Memory {
    state: Arc<Mutex<State>>,
    pub(super) bell: Bell,
}

fn deny<T>(code: &str, message: &str) -> Result<T, Denied> {
    Err(Denied {
        code: code.to_owned(),
        message: message.to_owned(),
    })
}

impl Memory {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn called(&self, call: &str, name: WireName) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.calls.push(format!("{call} {name}"));
        state
    }
}

impl Exchange for Memory {
    fn may_connect(&self, user: &str, key: &PublicKey) -> Option<PartyId> {
        let state = self.state();
        let known = state
            .callers
            .iter()
            .any(|(name, caller)| name == user && caller == key);
        known.then(|| user.parse().unwrap())
    }

    fn open_part(&self, _peer: &PartyId, name: WireName) -> Result<Box<dyn PartWriter>, Denied> {
        self.called("open_part", name)
            .parts
            .entry(name)
            .or_default();
        Ok(Box::new(Writer {
            memory: self.clone(),
            name,
        }))
    }

    fn part_prefix(&self, _peer: &PartyId, name: WireName) -> Result<Option<u64>, Denied> {
        let state = self.called("part_prefix", name);
        Ok(state
            .parts
            .get(&name)
            .map(|(_, synced)| u64::try_from(*synced).unwrap()))
    }

    fn parts(&self, _peer: &PartyId) -> Result<Vec<(WireName, u64)>, Denied> {
        let state = self.state();
        let parts = state.parts.iter();
        Ok(parts
            .map(|(name, (_, synced))| (*name, u64::try_from(*synced).unwrap()))
            .collect())
    }

    fn drop_part(&self, _peer: &PartyId, name: WireName) -> Result<(), Denied> {
        match self.called("drop_part", name).parts.remove(&name) {
            Some(_) => Ok(()),
            None => deny("no-such-file", "nothing to drop"),
        }
    }

    fn left_part(&self, peer: &PartyId, name: WireName) -> Result<(), Denied> {
        match name {
            WireName::Slip(_) => self.drop_part(peer, name),
            WireName::Bundle(_) | WireName::Receipt(_) => Ok(()),
        }
    }

    fn hand_over(&self, _peer: &PartyId, name: WireName) -> Result<(), Denied> {
        let mut state = self.called("hand_over", name);
        if let Some(denial) = state.denial.take() {
            return Err(denial);
        }
        match state.parts.remove(&name) {
            Some((bytes, _)) => {
                state.received.insert(name, bytes);
                Ok(())
            }
            None if state.received.contains_key(&name) => Ok(()),
            None => deny("no-such-file", "no such part"),
        }
    }

    fn offers(&self, _peer: &PartyId) -> Result<Vec<Offer>, Denied> {
        let state = self.state();
        let offers = state.offers.iter();
        Ok(offers
            .map(|(name, bytes)| Offer {
                name: *name,
                bytes: u64::try_from(bytes.len()).unwrap(),
            })
            .collect())
    }

    fn open_offer(&self, _peer: &PartyId, name: WireName) -> Result<Box<dyn OfferReader>, Denied> {
        match self.called("open_offer", name).offers.get(&name) {
            Some(bytes) => Ok(Box::new(Reader(Arc::clone(bytes)))),
            None => deny("no-such-file", "no such offer"),
        }
    }

    fn taken(&self, _peer: &PartyId, name: WireName) -> Result<(), Denied> {
        let mut state = self.called("taken", name);
        match name {
            WireName::Bundle(_) => deny("not-allowed", "a bundle goes when its receipt comes"),
            WireName::Receipt(_) | WireName::Slip(_) => match state.offers.remove(&name) {
                Some(_) => Ok(()),
                None => deny("no-such-file", "no such offer"),
            },
        }
    }

    fn offers_bell(&self, _peer: &PartyId) -> Bell {
        self.bell.clone()
    }
}

struct Writer {
    memory: Memory,
    name: WireName,
}

impl PartWriter for Writer {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Denied> {
        let mut state = self.memory.state();
        let Some((part, _)) = state.parts.get_mut(&self.name) else {
            return deny("no-such-file", "the part was dropped");
        };
        let start = usize::try_from(offset).unwrap();
        let end = start + bytes.len();
        if part.len() < end {
            part.resize(end, 0);
        }
        part[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<u64, Denied> {
        let mut state = self.memory.called("sync", self.name);
        let Some((part, synced)) = state.parts.get_mut(&self.name) else {
            return deny("no-such-file", "the part was dropped");
        };
        *synced = part.len();
        Ok(u64::try_from(*synced).unwrap())
    }
}

struct Reader(Arc<Vec<u8>>);

impl OfferReader for Reader {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|start| self.0.get(start..))
            .unwrap_or_default();
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn bytes(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap()
    }
}
