//! When each peer was last connected, also before this start: the journal keeps it as a fact. Written when a connection ends
//! or the daemon stops, and now and then while it lasts, so that a crash forgets little.

use std::collections::BTreeMap;

use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;

use super::super::{Node, StageError};

/// While a connection lasts it is written down so often: what a crash may forget.
const NOTED_SECS: i64 = 600;

/// The last contact with each peer, and what of it is written down.
#[derive(Default)]
pub(super) struct Contacts(BTreeMap<PartyId, Contact>);

#[derive(Debug, Default, Clone, Copy)]
struct Contact {
    last: Option<UtcTime>,
    noted: Option<UtcTime>,
}

fn fact(peer: &PartyId) -> String {
    format!("contact {peer}")
}

impl Contacts {
    /// The last contact as it is known now; `running` is false at a stop, which writes it down.
    pub(super) fn look(
        &mut self,
        node: &Node,
        peer: &PartyId,
        running: bool,
    ) -> Result<Option<UtcTime>, StageError> {
        if !self.0.contains_key(peer) {
            let noted = node.journal.fact(&fact(peer))?;
            let noted = noted.and_then(|text| text.parse().ok());
            let contact = Contact { last: noted, noted };
            self.0.insert(peer.clone(), contact);
        }
        let contact = self.0.entry(peer.clone()).or_default();
        let link = node.board.link(peer);
        if link.connected {
            contact.last = Some(node.clock.now());
        }
        if contact.is_due(link.connected && running) {
            let text = contact.last.map(|last| last.to_string());
            node.journal.set_fact(&fact(peer), text.as_deref())?;
            contact.noted = contact.last;
        }
        Ok(contact.last)
    }
}

impl Contact {
    fn is_due(self, goes_on: bool) -> bool {
        match (self.last, self.noted) {
            (Some(last), Some(noted)) if goes_on => {
                (last.unix() - noted.unix()).abs() >= NOTED_SECS
            }
            (last, noted) => last != noted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_written_down_at_its_ends_and_seldom_between() {
        let at = |secs| Some(UtcTime::from_unix(1_800_000_000 + secs).unwrap());
        let due = |last, noted, goes_on| Contact { last, noted }.is_due(goes_on);
        assert!(due(at(0), None, true), "the first");
        assert!(!due(at(NOTED_SECS - 1), at(0), true));
        assert!(due(at(NOTED_SECS), at(0), true));
        assert!(due(at(5), at(0), false), "it ended");
        assert!(!due(at(5), at(5), false), "nothing new");
        assert!(!due(None, None, false));
    }
}
